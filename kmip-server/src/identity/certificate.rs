//! What a certificate says of its holder. Whether it is to be believed is a matter of `tls`.

use const_oid::db::rfc4519;
use der::asn1::{Ia5StringRef, PrintableStringRef, TeletexStringRef, Utf8StringRef};
use der::{Decode, Encode, Tag, Tagged};
use sha2::{Digest, Sha256};
use x509_cert::Certificate as X509;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// The facts of a certificate that somebody showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// SHA-256 over the whole certificate, in hexadecimal digits.
    pub fingerprint: String,
    /// The subject's name in DER.
    pub subject: Vec<u8>,
    /// The same for people, as RFC 4514 writes it, control characters escaped.
    pub subject_text: String,
    /// The issuer's name in DER.
    pub issuer: Vec<u8>,
    /// The public key with its algorithm (SubjectPublicKeyInfo) in DER.
    pub public_key: Vec<u8>,
    /// The subject's common names, in the certificate's order.
    pub common_names: Vec<String>,
    /// The subject's organizational units.
    pub organizational_units: Vec<String>,
    /// Alternative names: DNS names, mail addresses, URIs and IP addresses.
    pub alternative_names: Vec<String>,
    /// When it begins to be valid, in seconds since 1970.
    pub not_before: u64,
    /// When it ends to be valid, in seconds since 1970.
    pub not_after: u64,
}

/// A certificate that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the certificate cannot be read: {0}")]
pub struct CertificateFault(#[from] der::Error);

impl Certificate {
    /// Reads a certificate in DER.
    ///
    /// # Errors
    /// [`CertificateFault`].
    pub fn read(der: &[u8]) -> Result<Certificate, CertificateFault> {
        let certificate = X509::from_der(der)?;
        let inner = certificate.tbs_certificate();
        Ok(Certificate {
            fingerprint: fingerprint(der),
            subject: inner.subject().to_der()?,
            subject_text: printable(&inner.subject().to_string()),
            issuer: inner.issuer().to_der()?,
            public_key: inner.subject_public_key_info().to_der()?,
            common_names: attributes(&certificate, rfc4519::CN),
            organizational_units: attributes(&certificate, rfc4519::OU),
            alternative_names: alternative_names(&certificate),
            not_before: inner.validity().not_before.to_unix_duration().as_secs(),
            not_after: inner.validity().not_after.to_unix_duration().as_secs(),
        })
    }

    /// What people would call its holder.
    pub fn name(&self) -> String {
        let name = self.common_names.first().or_else(|| self.alternative_names.first());
        name.map_or_else(|| self.subject_text.clone(), |name| printable(name))
    }
}

/// SHA-256 over a certificate in DER, in hexadecimal digits.
pub(crate) fn fingerprint(der: &[u8]) -> String {
    hex::encode(Sha256::digest(der))
}

/// The subject's attributes of one kind that are text.
fn attributes(certificate: &X509, kind: const_oid::ObjectIdentifier) -> Vec<String> {
    let subject = certificate.tbs_certificate().subject();
    subject.iter().filter(|attribute| attribute.oid == kind).filter_map(|it| text(&it.value)).collect()
}

fn text(value: &der::Any) -> Option<String> {
    let text = match value.tag() {
        Tag::Utf8String => value.decode_as::<Utf8StringRef<'_>>().ok()?.as_str().to_owned(),
        Tag::PrintableString => value.decode_as::<PrintableStringRef<'_>>().ok()?.as_str().to_owned(),
        Tag::Ia5String => value.decode_as::<Ia5StringRef<'_>>().ok()?.as_str().to_owned(),
        Tag::TeletexString => value.decode_as::<TeletexStringRef<'_>>().ok()?.as_str().to_owned(),
        _ => return None,
    };
    Some(text)
}

fn alternative_names(certificate: &X509) -> Vec<String> {
    let names = certificate.tbs_certificate().get_extension::<SubjectAltName>();
    let Ok(Some((_, SubjectAltName(names)))) = names else { return Vec::new() };
    names.iter().filter_map(alternative_name).collect()
}

fn alternative_name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) | GeneralName::Rfc822Name(name) => Some(name.as_str().to_owned()),
        GeneralName::UniformResourceIdentifier(name) => Some(name.as_str().to_owned()),
        GeneralName::IpAddress(bytes) => address(bytes.as_bytes()),
        GeneralName::OtherName(_)
        | GeneralName::DirectoryName(_)
        | GeneralName::EdiPartyName(_)
        | GeneralName::RegisteredId(_) => None,
    }
}

fn address(bytes: &[u8]) -> Option<String> {
    let four = <[u8; 4]>::try_from(bytes).map(|it| std::net::Ipv4Addr::from(it).to_string());
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(|it| std::net::Ipv6Addr::from(it).to_string())).ok()
}

/// Text of a stranger made safe for a log: control characters are escaped, so that it forges no line.
pub fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
        .collect()
}
