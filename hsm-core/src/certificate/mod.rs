//! X.509 certificates and requests for them, as others give them: what they say, and no judgement of it.
//! RFC 5280, RFC 2986.

mod name;

use const_oid::ObjectIdentifier;
use const_oid::db::{rfc5912, rfc8410};
use der::{Decode, Encode};
use x509_cert::certificate::{CertificateInner, Rfc5280};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{IssuerAltName, SubjectAltName};
use x509_cert::request::CertReq;

pub use name::{Name, NamePart};

use crate::crypto::Hash;
use crate::error::{Error, Result};

/// How something is signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 with a hash.
    RsaV15(Hash),
    /// RSASSA-PSS, whose parameters are the certificate's matter.
    RsaPss,
    /// ECDSA with a hash.
    Ecdsa(Hash),
    /// Ed25519.
    Ed25519,
    /// Another, by its object identifier.
    Other(ObjectIdentifier),
}

const SIGNATURES: [(ObjectIdentifier, SignatureAlgorithm); 12] = [
    (rfc5912::MD_5_WITH_RSA_ENCRYPTION, SignatureAlgorithm::RsaV15(Hash::Md5)),
    (rfc5912::SHA_1_WITH_RSA_ENCRYPTION, SignatureAlgorithm::RsaV15(Hash::Sha1)),
    (rfc5912::SHA_224_WITH_RSA_ENCRYPTION, SignatureAlgorithm::RsaV15(Hash::Sha224)),
    (rfc5912::SHA_256_WITH_RSA_ENCRYPTION, SignatureAlgorithm::RsaV15(Hash::Sha256)),
    (rfc5912::SHA_384_WITH_RSA_ENCRYPTION, SignatureAlgorithm::RsaV15(Hash::Sha384)),
    (rfc5912::SHA_512_WITH_RSA_ENCRYPTION, SignatureAlgorithm::RsaV15(Hash::Sha512)),
    (rfc5912::ID_RSASSA_PSS, SignatureAlgorithm::RsaPss),
    (rfc5912::ECDSA_WITH_SHA_224, SignatureAlgorithm::Ecdsa(Hash::Sha224)),
    (rfc5912::ECDSA_WITH_SHA_256, SignatureAlgorithm::Ecdsa(Hash::Sha256)),
    (rfc5912::ECDSA_WITH_SHA_384, SignatureAlgorithm::Ecdsa(Hash::Sha384)),
    (rfc5912::ECDSA_WITH_SHA_512, SignatureAlgorithm::Ecdsa(Hash::Sha512)),
    (rfc8410::ID_ED_25519, SignatureAlgorithm::Ed25519),
];

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
    /// How it is signed.
    pub signature_algorithm: SignatureAlgorithm,
    /// The subject's other names: e-mail addresses, DNS names and URIs as they are, directory names as
    /// RFC 4514 has them, addresses in hexadecimal.
    pub subject_alternative: Vec<String>,
    /// The issuer's other names.
    pub issuer_alternative: Vec<String>,
}

/// What a request of PKCS #10 asks for. Its signature is not checked here.
#[derive(Debug)]
pub struct Request {
    /// Whose certificate it is to be.
    pub subject: Name,
    /// DER of SubjectPublicKeyInfo.
    pub public_key: Vec<u8>,
    /// How it is signed.
    pub signature_algorithm: SignatureAlgorithm,
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
    Ok(Certificate {
        serial: tbs.serial_number().as_bytes().to_vec(),
        issuer: Name::of(tbs.issuer())?,
        subject: Name::of(tbs.subject())?,
        not_before: tbs.validity().not_before.to_unix_duration().as_secs(),
        not_after: tbs.validity().not_after.to_unix_duration().as_secs(),
        public_key: tbs.subject_public_key_info().to_der().map_err(invalid)?,
        signature_algorithm: algorithm(certificate.signature_algorithm().oid),
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
        signature_algorithm: algorithm(request.algorithm.oid),
    })
}

fn invalid(_: der::Error) -> Error {
    Error::DataInvalid
}

fn algorithm(oid: ObjectIdentifier) -> SignatureAlgorithm {
    let known = SIGNATURES.iter().find(|(own, _)| *own == oid);
    known.map_or(SignatureAlgorithm::Other(oid), |(_, algorithm)| *algorithm)
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
