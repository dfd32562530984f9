//! Certificates: X.509 ones with the attributes that follow from them, others as bytes. KMIP 1.4,
//! sections 3.10 to 3.16.

use cryptoki_sys::*;
use der::asn1::{Ia5StringRef, PrintableStringRef, TeletexStringRef, Utf8StringRef};
use der::{Decode, Encode};
use hsm_core::object::{Value as Stored, formats};
use hsm_core::service::Space;
use x509_cert::Certificate;
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::name::Name;

use super::curves;
use super::read::{Brought, data, stored};
use crate::failure::Outcome;
use crate::ttlv::enums::{
    CertificateType, CryptographicAlgorithm as Algorithm, DigitalSignatureAlgorithm as Signature,
};
use crate::ttlv::{Fields, Item, Tag};

/// The parts of a distinguished name that have attributes of their own: object identifier, subject's
/// tag, issuer's tag. KMIP 1.4, section 3.
#[rustfmt::skip]
const PARTS: &[(&str, Tag, Tag)] = &[
    ("2.5.4.3",                    Tag::CERTIFICATE_SUBJECT_CN,            Tag::CERTIFICATE_ISSUER_CN),
    ("2.5.4.10",                   Tag::CERTIFICATE_SUBJECT_O,             Tag::CERTIFICATE_ISSUER_O),
    ("2.5.4.11",                   Tag::CERTIFICATE_SUBJECT_OU,            Tag::CERTIFICATE_ISSUER_OU),
    ("1.2.840.113549.1.9.1",       Tag::CERTIFICATE_SUBJECT_EMAIL,         Tag::CERTIFICATE_ISSUER_EMAIL),
    ("2.5.4.6",                    Tag::CERTIFICATE_SUBJECT_C,             Tag::CERTIFICATE_ISSUER_C),
    ("2.5.4.8",                    Tag::CERTIFICATE_SUBJECT_ST,            Tag::CERTIFICATE_ISSUER_ST),
    ("2.5.4.7",                    Tag::CERTIFICATE_SUBJECT_L,             Tag::CERTIFICATE_ISSUER_L),
    ("0.9.2342.19200300.100.1.1",  Tag::CERTIFICATE_SUBJECT_UID,           Tag::CERTIFICATE_ISSUER_UID),
    ("2.5.4.5",                    Tag::CERTIFICATE_SUBJECT_SERIAL_NUMBER, Tag::CERTIFICATE_ISSUER_SERIAL_NUMBER),
    ("2.5.4.12",                   Tag::CERTIFICATE_SUBJECT_TITLE,         Tag::CERTIFICATE_ISSUER_TITLE),
    ("0.9.2342.19200300.100.1.25", Tag::CERTIFICATE_SUBJECT_DC,            Tag::CERTIFICATE_ISSUER_DC),
    ("2.5.4.46",                   Tag::CERTIFICATE_SUBJECT_DN_QUALIFIER,  Tag::CERTIFICATE_ISSUER_DN_QUALIFIER),
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
/// Fields that are malformed. What is no X.509 certificate is kept as bytes.
pub fn read(space: &Space, fields: &mut Fields<'_>) -> Outcome<Brought> {
    let kind: CertificateType = fields.need(Tag::CERTIFICATE_TYPE)?.as_value_of()?;
    let value = fields.need(Tag::CERTIFICATE_VALUE)?.as_bytes()?;
    brought(space, kind, value)
}

/// A certificate with its attributes.
///
/// # Errors
/// Those of the core.
pub fn brought(space: &Space, kind: CertificateType, value: &[u8]) -> Outcome<Brought> {
    let mut attributes = vec![Item::enumeration(Tag::CERTIFICATE_TYPE, kind)];
    let length = i32::try_from(value.len()).unwrap_or(i32::MAX);
    attributes.push(Item::integer(Tag::CERTIFICATE_LENGTH, length));
    let certificate = Certificate::from_der(value).ok().filter(|_| kind == CertificateType::X_509);
    let Some(certificate) = certificate else {
        return Ok(Brought { key: data(space, value)?, attributes });
    };
    attributes.extend(described(&certificate));
    let mut template = stored(CKO_CERTIFICATE);
    let tbs = certificate.tbs_certificate();
    let der = |der: der::Result<Vec<u8>>| Stored::Bytes(der.unwrap_or_default());
    template.extend([
        (CKA_CERTIFICATE_TYPE, Stored::Number(CKC_X_509)),
        (CKA_VALUE, Stored::Bytes(value.to_vec())),
        (CKA_SUBJECT, der(tbs.subject().to_der())),
        (CKA_ISSUER, der(tbs.issuer().to_der())),
        (CKA_SERIAL_NUMBER, der(tbs.serial_number().to_der())),
    ]);
    Ok(Brought { key: space.new_object(template)?, attributes })
}

/// The attributes that follow from an X.509 certificate.
fn described(certificate: &Certificate) -> Vec<Item> {
    let tbs = certificate.tbs_certificate();
    let (subject, issuer) = (tbs.subject(), tbs.issuer());
    let serial = tbs.serial_number().as_bytes();
    let der = |name: &Name| name.to_der().unwrap_or_default();
    let serial_der = tbs.serial_number().to_der().unwrap_or_default();
    let mut out = vec![
        Item::structure(
            Tag::X509_CERTIFICATE_IDENTIFIER,
            vec![
                Item::bytes(Tag::ISSUER_DISTINGUISHED_NAME, der(issuer)),
                Item::bytes(Tag::CERTIFICATE_SERIAL_NUMBER, serial_der),
            ],
        ),
        Item::structure(
            Tag::X509_CERTIFICATE_SUBJECT,
            vec![Item::bytes(Tag::SUBJECT_DISTINGUISHED_NAME, der(subject))],
        ),
        Item::structure(
            Tag::X509_CERTIFICATE_ISSUER,
            vec![Item::bytes(Tag::ISSUER_DISTINGUISHED_NAME, der(issuer))],
        ),
        Item::structure(
            Tag::CERTIFICATE_IDENTIFIER,
            vec![
                Item::text(Tag::ISSUER, issuer.to_string()),
                Item::text(Tag::SERIAL_NUMBER, hex::encode_upper(serial)),
            ],
        ),
        Item::structure(
            Tag::CERTIFICATE_SUBJECT,
            vec![Item::text(Tag::CERTIFICATE_SUBJECT_DISTINGUISHED_NAME, subject.to_string())],
        ),
        Item::structure(
            Tag::CERTIFICATE_ISSUER,
            vec![Item::text(Tag::CERTIFICATE_ISSUER_DISTINGUISHED_NAME, issuer.to_string())],
        ),
    ];
    out.extend(public_key(certificate));
    for (oid, of_subject, of_issuer) in PARTS {
        out.extend(parts(subject, oid).map(|text| Item::text(*of_subject, text)));
        out.extend(parts(issuer, oid).map(|text| Item::text(*of_issuer, text)));
    }
    let algorithm = certificate.signature_algorithm().oid.to_string();
    let known = SIGNATURES.iter().find(|(oid, _)| *oid == algorithm);
    out.extend(known.map(|(_, known)| Item::enumeration(Tag::DIGITAL_SIGNATURE_ALGORITHM, *known)));
    out
}

/// Algorithm and length of the certificate's key, if the core knows it.
fn public_key(certificate: &Certificate) -> Vec<Item> {
    let info = certificate.tbs_certificate().subject_public_key_info();
    let template = info.to_der().ok().and_then(|der| formats::public_key(formats::Format::X509, &der).ok());
    let Some(template) = template else { return Vec::new() };
    let number = |wanted| template.iter().find(|(kind, _)| *kind == wanted).map(|(_, value)| value);
    let bytes = |wanted| number(wanted).and_then(Stored::as_bytes).unwrap_or_default();
    let (algorithm, bits) = match number(CKA_KEY_TYPE) {
        Some(Stored::Number(CKK_RSA)) => (Algorithm::RSA, bytes(CKA_MODULUS).len() * 8),
        Some(Stored::Number(CKK_EC)) => {
            let named = info.algorithm.parameters.as_ref().and_then(|named| named.decode_as().ok());
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

/// The texts of a distinguished name under an object identifier.
fn parts(name: &Name, oid: &str) -> impl Iterator<Item = String> {
    let found = name.iter().filter(move |part| part.oid.to_string() == oid);
    found.filter_map(text).collect::<Vec<_>>().into_iter()
}

fn text(part: &AttributeTypeAndValue) -> Option<String> {
    let value = &part.value;
    let printable = value.decode_as::<PrintableStringRef<'_>>().map(|text| text.as_str().to_owned());
    let utf8 = || value.decode_as::<Utf8StringRef<'_>>().map(|text| text.as_str().to_owned());
    let ia5 = || value.decode_as::<Ia5StringRef<'_>>().map(|text| text.as_str().to_owned());
    let teletex = || value.decode_as::<TeletexStringRef<'_>>().map(|text| text.as_str().to_owned());
    printable.or_else(|_| utf8()).or_else(|_| ia5()).or_else(|_| teletex()).ok()
}
