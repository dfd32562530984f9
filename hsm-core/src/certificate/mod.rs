//! X.509 certificates and requests for them: what those of others say, whether they are signed by whom they
//! say and lead to an anchor, and certificates of our own. RFC 5280, RFC 2986.

mod chain;
pub mod encrypted;
mod issue;
mod name;
pub mod pkcs12;
mod signature;

use const_oid::{AssociatedOid, ObjectIdentifier};
use der::asn1::IntRef;
use der::{Decode, Encode};
use x509_cert::certificate::{CertificateInner, Rfc5280};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, IssuerAltName, KeyUsage, SubjectAltName, SubjectKeyIdentifier};
use x509_cert::request::{CertReq, ExtensionReq};

pub use chain::{Verdict, judge};
pub use issue::{Draft, Issuer, KeyUsages, issue};
pub use name::{Name, NamePart};
pub use signature::{check_signature, scheme_of};

use crate::error::{Error, Result};

/// What an X.509 certificate says.
#[derive(Debug)]
pub struct Certificate {
    /// The serial number as its DER has it: big-endian, with a zero in front where the top bit is set.
    pub serial: Vec<u8>,
    /// Who issued it.
    pub issuer: Name,
    /// Whose it is.
    pub subject: Name,
    /// From when it is valid, in seconds since 1970.
    pub not_before: u64,
    /// Until when it is valid, in seconds since 1970.
    pub not_after: u64,
    /// DER of SubjectPublicKeyInfo.
    pub public_key: Vec<u8>,
    /// How it is signed: the algorithm's object identifier.
    pub signature_algorithm: ObjectIdentifier,
    /// The identifier of its key, where it says one.
    pub key_identifier: Option<Vec<u8>>,
    /// What its key is for; nothing where it does not say.
    pub usage: Vec<KeyUsages>,
    /// Whether its subject issues certificates.
    pub is_authority: bool,
    /// How many authorities may stand between it and a leaf; any number where it does not say.
    pub path_length: Option<u8>,
    /// DER of the subject's other names (SubjectAltName).
    pub alternative_der: Option<Vec<u8>>,
    /// The subject's other names: e-mail addresses, DNS names and URIs as they are, directory names as
    /// RFC 4514 has them, addresses in hexadecimal.
    pub subject_alternative: Vec<String>,
    /// The issuer's other names.
    pub issuer_alternative: Vec<String>,
}

/// What a request of PKCS #10 asks for. That its sender has the key, [`check_signature`] tells.
#[derive(Debug)]
pub struct Request {
    /// Whose certificate it is to be.
    pub subject: Name,
    /// DER of SubjectPublicKeyInfo.
    pub public_key: Vec<u8>,
    /// DER of the other names that the subject is to have (SubjectAltName).
    pub subject_alternative: Option<Vec<u8>>,
}

impl Certificate {
    /// DER of the serial number.
    ///
    /// # Errors
    /// None that a certificate which was read gives.
    pub fn serial_der(&self) -> Result<Vec<u8>> {
        IntRef::new(&self.serial).and_then(|serial| serial.to_der()).map_err(invalid)
    }
}

/// Reads DER of a certificate.
///
/// # Errors
/// [`Error::DataInvalid`] for anything else.
pub fn read_certificate(der: &[u8]) -> Result<Certificate> {
    let certificate = CertificateInner::<Rfc5280>::from_der(der).map_err(invalid)?;
    let tbs = certificate.tbs_certificate();
    let subject = tbs.get_extension::<SubjectAltName>().map_err(invalid)?;
    let issuer = tbs.get_extension::<IssuerAltName>().map_err(invalid)?;
    let usage = tbs.get_extension::<KeyUsage>().map_err(invalid)?;
    let constraints = tbs.get_extension::<BasicConstraints>().map_err(invalid)?;
    let key_identifier = tbs.get_extension::<SubjectKeyIdentifier>().map_err(invalid)?;
    Ok(Certificate {
        serial: tbs.serial_number().as_bytes().to_vec(),
        issuer: Name::of(tbs.issuer())?,
        subject: Name::of(tbs.subject())?,
        not_before: tbs.validity().not_before.to_unix_duration().as_secs(),
        not_after: tbs.validity().not_after.to_unix_duration().as_secs(),
        public_key: tbs.subject_public_key_info().to_der().map_err(invalid)?,
        signature_algorithm: certificate.signature_algorithm().oid,
        key_identifier: key_identifier.map(|(_, own)| own.0.as_bytes().to_vec()),
        usage: usage.map_or_else(Vec::new, |(_, usage)| usage.0.into_iter().collect()),
        is_authority: constraints.as_ref().is_some_and(|(_, constraints)| constraints.ca),
        path_length: constraints.and_then(|(_, constraints)| constraints.path_len_constraint),
        alternative_der: subject.as_ref().map(|(_, names)| names.to_der().map_err(invalid)).transpose()?,
        subject_alternative: subject.map_or_else(Vec::new, |(_, names)| others(&names.0)),
        issuer_alternative: issuer.map_or_else(Vec::new, |(_, names)| others(&names.0)),
    })
}

/// Reads DER of a request.
///
/// # Errors
/// [`Error::DataInvalid`] for anything else.
pub fn read_request(der: &[u8]) -> Result<Request> {
    let request = CertReq::from_der(der).map_err(invalid)?;
    Ok(Request {
        subject: Name::of(&request.info.subject)?,
        public_key: request.info.public_key.to_der().map_err(invalid)?,
        subject_alternative: requested_alternative(&request)?,
    })
}

/// The SubjectAltName among the extensions that a request asks for. RFC 2985, section 5.4.2.
fn requested_alternative(request: &CertReq) -> Result<Option<Vec<u8>>> {
    let asked = request.info.attributes.iter().find(|attribute| attribute.oid == ExtensionReq::OID);
    let Some(asked) = asked.and_then(|attribute| attribute.values.get(0)) else { return Ok(None) };
    let extensions = asked.decode_as::<ExtensionReq>().map_err(invalid)?.0;
    let names = extensions.into_iter().find(|extension| extension.extn_id == SubjectAltName::OID);
    Ok(names.map(|names| names.extn_value.as_bytes().to_vec()))
}

fn invalid(_: der::Error) -> Error {
    Error::DataInvalid
}

fn others(names: &[GeneralName]) -> Vec<String> {
    names.iter().filter_map(other).collect()
}

fn other(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::Rfc822Name(text) | GeneralName::DnsName(text) => Some(text.to_string()),
        GeneralName::UniformResourceIdentifier(text) => Some(text.to_string()),
        GeneralName::DirectoryName(name) => Some(name.to_string()),
        GeneralName::IpAddress(address) => Some(hex::encode(address.as_bytes())),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
