//! Certificates: X.509 ones with the attributes that follow from them, others as bytes. KMIP 1.4,
//! sections 3.10 to 3.16.

use cryptoki_sys::*;
use hsm_core::certificate::{Certificate, Name, NamePart, read_certificate};
use hsm_core::object::{Value as Stored, formats};
use hsm_core::service::Space;
use spki::SubjectPublicKeyInfoRef;

use super::curves;
use super::read::{Brought, data, stored};
use crate::failure::{Outcome, invalid_field};
use crate::ttlv::enums::{
    CertificateType, CryptographicAlgorithm as Algorithm, DigitalSignatureAlgorithm as Signature,
};
use crate::ttlv::{Fields, Item, Tag};

/// The parts of a distinguished name that have attributes of their own: subject's tag, issuer's tag. KMIP
/// 1.4, section 3.
#[rustfmt::skip]
pub(crate) const PARTS: &[(NamePart, Tag, Tag)] = &[
    (NamePart::CommonName,         Tag::CERTIFICATE_SUBJECT_CN,            Tag::CERTIFICATE_ISSUER_CN),
    (NamePart::Organization,       Tag::CERTIFICATE_SUBJECT_O,             Tag::CERTIFICATE_ISSUER_O),
    (NamePart::OrganizationalUnit, Tag::CERTIFICATE_SUBJECT_OU,            Tag::CERTIFICATE_ISSUER_OU),
    (NamePart::Email,              Tag::CERTIFICATE_SUBJECT_EMAIL,         Tag::CERTIFICATE_ISSUER_EMAIL),
    (NamePart::Country,            Tag::CERTIFICATE_SUBJECT_C,             Tag::CERTIFICATE_ISSUER_C),
    (NamePart::State,              Tag::CERTIFICATE_SUBJECT_ST,            Tag::CERTIFICATE_ISSUER_ST),
    (NamePart::Locality,           Tag::CERTIFICATE_SUBJECT_L,             Tag::CERTIFICATE_ISSUER_L),
    (NamePart::UserId,             Tag::CERTIFICATE_SUBJECT_UID,           Tag::CERTIFICATE_ISSUER_UID),
    (NamePart::SerialNumber,       Tag::CERTIFICATE_SUBJECT_SERIAL_NUMBER, Tag::CERTIFICATE_ISSUER_SERIAL_NUMBER),
    (NamePart::Title,              Tag::CERTIFICATE_SUBJECT_TITLE,         Tag::CERTIFICATE_ISSUER_TITLE),
    (NamePart::DomainComponent,    Tag::CERTIFICATE_SUBJECT_DC,            Tag::CERTIFICATE_ISSUER_DC),
    (NamePart::DnQualifier,        Tag::CERTIFICATE_SUBJECT_DN_QUALIFIER,  Tag::CERTIFICATE_ISSUER_DN_QUALIFIER),
];

/// Signature algorithms by their object identifiers: RFC 8017, RFC 5758, FIPS 186.
#[rustfmt::skip]
const SIGNATURES: &[(&str, Signature)] = &[
    ("1.2.840.113549.1.1.2",   Signature::MD2WithRSAEncryption),
    ("1.2.840.113549.1.1.4",   Signature::MD5WithRSAEncryption),
    ("1.2.840.113549.1.1.5",   Signature::SHA_1WithRSAEncryption),
    ("1.2.840.113549.1.1.14",  Signature::SHA_224WithRSAEncryption),
    ("1.2.840.113549.1.1.11",  Signature::SHA_256WithRSAEncryption),
    ("1.2.840.113549.1.1.12",  Signature::SHA_384WithRSAEncryption),
    ("1.2.840.113549.1.1.13",  Signature::SHA_512WithRSAEncryption),
    ("1.2.840.113549.1.1.10",  Signature::RSASSA_PSS),
    ("1.2.840.10040.4.3",      Signature::DSAWithSHA_1),
    ("2.16.840.1.101.3.4.3.1", Signature::DSAWithSHA224),
    ("2.16.840.1.101.3.4.3.2", Signature::DSAWithSHA256),
    ("1.2.840.10045.4.1",      Signature::ECDSAWithSHA_1),
    ("1.2.840.10045.4.3.1",    Signature::ECDSAWithSHA224),
    ("1.2.840.10045.4.3.2",    Signature::ECDSAWithSHA256),
    ("1.2.840.10045.4.3.3",    Signature::ECDSAWithSHA384),
    ("1.2.840.10045.4.3.4",    Signature::ECDSAWithSHA512),
];

/// Reads a certificate that a client brings.
///
/// # Errors
/// Fields that are malformed; what is said to be an X.509 certificate and is none. Others are kept as bytes.
pub fn read(space: &Space, fields: &mut Fields<'_>) -> Outcome<Brought> {
    let kind: CertificateType = fields.need(Tag::CERTIFICATE_TYPE)?.as_value_of()?;
    let value = fields.need(Tag::CERTIFICATE_VALUE)?.as_bytes()?;
    brought(space, kind, value)
}

/// A certificate with its attributes.
///
/// # Errors
/// As [`read`].
pub fn brought(space: &Space, kind: CertificateType, value: &[u8]) -> Outcome<Brought> {
    let mut attributes = vec![Item::enumeration(Tag::CERTIFICATE_TYPE, kind)];
    let length = i32::try_from(value.len()).unwrap_or(i32::MAX);
    attributes.push(Item::integer(Tag::CERTIFICATE_LENGTH, length));
    if kind != CertificateType::X_509 {
        return Ok(Brought { key: data(space, value)?, attributes });
    }
    let certificate =
        read_certificate(value).map_err(|_| invalid_field("the value is no X.509 certificate"))?;
    attributes.extend(described(&certificate)?);
    let mut template = stored(CKO_CERTIFICATE);
    template.extend([
        (CKA_CERTIFICATE_TYPE, Stored::Number(CKC_X_509)),
        (CKA_VALUE, Stored::Bytes(value.to_vec())),
        (CKA_SUBJECT, Stored::Bytes(certificate.subject.der.clone())),
        (CKA_ISSUER, Stored::Bytes(certificate.issuer.der.clone())),
        (CKA_SERIAL_NUMBER, Stored::Bytes(certificate.serial_der()?)),
    ]);
    Ok(Brought { key: space.new_object(template)?, attributes })
}

/// The attributes that follow from an X.509 certificate.
fn described(certificate: &Certificate) -> Outcome<Vec<Item>> {
    let (subject, issuer) = (&certificate.subject, &certificate.issuer);
    let name = |tag, name: &Name| Item::bytes(tag, name.der.clone());
    let mut out = vec![
        Item::structure(
            Tag::X509_CERTIFICATE_IDENTIFIER,
            vec![
                name(Tag::ISSUER_DISTINGUISHED_NAME, issuer),
                Item::bytes(Tag::CERTIFICATE_SERIAL_NUMBER, certificate.serial_der()?),
            ],
        ),
        Item::structure(Tag::X509_CERTIFICATE_SUBJECT, vec![name(Tag::SUBJECT_DISTINGUISHED_NAME, subject)]),
        Item::structure(Tag::X509_CERTIFICATE_ISSUER, vec![name(Tag::ISSUER_DISTINGUISHED_NAME, issuer)]),
        Item::structure(
            Tag::CERTIFICATE_IDENTIFIER,
            vec![
                Item::text(Tag::ISSUER, issuer.text.clone()),
                Item::text(Tag::SERIAL_NUMBER, hex::encode(&certificate.serial)),
            ],
        ),
        Item::structure(
            Tag::CERTIFICATE_SUBJECT,
            vec![Item::text(Tag::CERTIFICATE_SUBJECT_DISTINGUISHED_NAME, subject.text.clone())],
        ),
        Item::structure(
            Tag::CERTIFICATE_ISSUER,
            vec![Item::text(Tag::CERTIFICATE_ISSUER_DISTINGUISHED_NAME, issuer.text.clone())],
        ),
    ];
    out.extend(public_key(&certificate.public_key));
    for (kind, of_subject, of_issuer) in PARTS {
        out.extend(subject.all(*kind).map(|text| Item::text(*of_subject, text)));
        out.extend(issuer.all(*kind).map(|text| Item::text(*of_issuer, text)));
    }
    let algorithm = certificate.signature_algorithm.to_string();
    let known = SIGNATURES.iter().find(|(oid, _)| *oid == algorithm);
    out.extend(known.map(|(_, known)| Item::enumeration(Tag::DIGITAL_SIGNATURE_ALGORITHM, *known)));
    Ok(out)
}

/// Algorithm and length of the certificate's key, if the core knows it.
fn public_key(der: &[u8]) -> Vec<Item> {
    let Ok(template) = formats::public_key(formats::Format::X509, der) else { return Vec::new() };
    let number = |wanted| template.iter().find(|(kind, _)| *kind == wanted).map(|(_, value)| value);
    let bytes = |wanted| number(wanted).and_then(Stored::as_bytes).unwrap_or_default();
    let (algorithm, bits) = match number(CKA_KEY_TYPE) {
        Some(Stored::Number(CKK_RSA)) => (Algorithm::RSA, bytes(CKA_MODULUS).len() * 8),
        Some(Stored::Number(CKK_EC)) => {
            let info = SubjectPublicKeyInfoRef::try_from(der).ok();
            let named = info.and_then(|info| info.algorithm.parameters?.decode_as().ok());
            match named.and_then(curves::of_oid) {
                Some(curve) => (Algorithm::EC, curves::bits(curve)),
                None => return Vec::new(),
            }
        }
        _ => return Vec::new(),
    };
    let bits = i32::try_from(bits).unwrap_or_default();
    vec![
        Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, algorithm),
        Item::integer(Tag::CRYPTOGRAPHIC_LENGTH, bits),
    ]
}
