//! Certificates that a key of this HSM signs. RFC 5280, section 4.

use std::time::Duration;

use const_oid::AssociatedOid;
use der::asn1::{BitString, GeneralizedTime, OctetString, UtcTime};
use der::flagset::FlagSet;
use der::{Decode, Encode};
use rsa::signature::Keypair;
use spki::{
    AlgorithmIdentifierOwned, Document, DynSignatureAlgorithmIdentifier, EncodePublicKey,
    SubjectPublicKeyInfoOwned, SubjectPublicKeyInfoRef,
};
use x509_cert::TbsCertificate;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{self, Builder, CertificateBuilder};
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, KeyUsage, SubjectAltName, SubjectKeyIdentifier,
};
use x509_cert::ext::{Criticality, Extension};
use x509_cert::serial_number::SerialNumber;
use x509_cert::time::{Time, Validity};

pub use x509_cert::ext::pkix::KeyUsages;

use super::signature::{identifier, written};
use crate::error::{Error, Result};
use crate::mechanism::Scheme;
use crate::rng;

/// Random bytes of a serial number. RFC 5280, section 4.1.2.2 allows 20 bytes with the sign.
const SERIAL_LENGTH: usize = 16;

/// What a certificate is to say.
#[derive(Debug)]
pub struct Draft<'a> {
    /// DER of the subject's name.
    pub subject: &'a [u8],
    /// DER of the subject's SubjectPublicKeyInfo.
    pub public_key: &'a [u8],
    /// From when it is valid, in seconds since 1970.
    pub not_before: u64,
    /// Until when it is valid, in seconds since 1970.
    pub not_after: u64,
    /// What the key is for; nothing is said where this is empty.
    pub usage: &'a [KeyUsages],
    /// Whether the subject issues certificates itself.
    pub is_authority: bool,
    /// DER of a SubjectAltName.
    pub alternative: Option<&'a [u8]>,
}

/// Who signs a certificate.
#[derive(Debug)]
pub struct Issuer<'a> {
    /// DER of the name.
    pub name: &'a [u8],
    /// DER of the SubjectPublicKeyInfo.
    pub public_key: &'a [u8],
    /// The key's identifier in the issuer's own certificate, where it has one.
    pub key_identifier: Option<&'a [u8]>,
    /// How the key signs.
    pub scheme: Scheme,
}

/// Makes a certificate: DER. `sign` signs bytes by the issuer's key and scheme.
///
/// # Errors
/// [`Error::DataInvalid`] for parts that are malformed; what `sign` answers.
pub fn issue(
    draft: &Draft<'_>,
    issuer: &Issuer<'_>,
    sign: &mut dyn FnMut(&[u8]) -> Result<Vec<u8>>,
) -> Result<Vec<u8>> {
    let mut serial: [u8; SERIAL_LENGTH] = rng::array()?;
    // Positive, and as long as it looks.
    serial[0] = serial[0] & 0x7f | 0x40;
    let serial = SerialNumber::new(&serial).map_err(super::invalid)?;
    let validity = Validity::new(time(draft.not_before)?, time(draft.not_after)?);
    let public_key = SubjectPublicKeyInfoOwned::from_der(draft.public_key).map_err(super::invalid)?;
    let profile = Profile {
        issuer: Decode::from_der(issuer.name).map_err(super::invalid)?,
        subject: Decode::from_der(draft.subject).map_err(super::invalid)?,
        extensions: extensions(draft, issuer)?,
    };
    let signer =
        Signer { public_key: issuer.public_key, algorithm: identifier(issuer.scheme, issuer.public_key)? };
    let mut certificate =
        CertificateBuilder::new(profile, serial, validity, public_key).map_err(not_built)?;
    let body = certificate.finalize(&signer).map_err(not_built)?;
    let signature = written(issuer.scheme, sign(&body)?)?;
    let signature = BitString::from_bytes(&signature).map_err(super::invalid)?;
    certificate.assemble(signature, &signer).map_err(not_built)?.to_der().map_err(super::invalid)
}

fn not_built(_: builder::Error) -> Error {
    Error::DataInvalid
}

/// RFC 5280, section 4.1.2.5: UTCTime to the end of 2049.
fn time(seconds: u64) -> Result<Time> {
    let since = Duration::from_secs(seconds);
    match UtcTime::from_unix_duration(since) {
        Ok(time) => Ok(time.into()),
        Err(_) => Ok(GeneralizedTime::from_unix_duration(since).map_err(super::invalid)?.into()),
    }
}

fn extensions(draft: &Draft<'_>, issuer: &Issuer<'_>) -> Result<Vec<Extension>> {
    let key = |der| SubjectPublicKeyInfoRef::from_der(der).map_err(super::invalid);
    let own = SubjectKeyIdentifier::try_from(key(draft.public_key)?).map_err(super::invalid)?;
    let authority = match issuer.key_identifier {
        Some(bytes) => AuthorityKeyIdentifier {
            key_identifier: Some(OctetString::new(bytes).map_err(super::invalid)?),
            ..AuthorityKeyIdentifier::default()
        },
        None => AuthorityKeyIdentifier::try_from(key(issuer.public_key)?).map_err(super::invalid)?,
    };
    let mut out = vec![
        extension(true, &BasicConstraints { ca: draft.is_authority, path_len_constraint: None })?,
        extension(false, &own)?,
        extension(false, &authority)?,
    ];
    let usage = draft.usage.iter().fold(FlagSet::default(), |all, one| all | *one);
    if !usage.is_empty() {
        out.push(extension(true, &KeyUsage(usage))?);
    }
    if let Some(der) = draft.alternative {
        let names = SubjectAltName::from_der(der).map_err(super::invalid)?;
        let subject = Decode::from_der(draft.subject).map_err(super::invalid)?;
        out.push(extension(names.criticality(&subject, &[]), &names)?);
    }
    Ok(out)
}

fn extension<E: AssociatedOid + Encode>(critical: bool, value: &E) -> Result<Extension> {
    let value = value.to_der().and_then(OctetString::new).map_err(super::invalid)?;
    Ok(Extension { extn_id: E::OID, critical, extn_value: value })
}

/// What the builder asks of a kind of certificate: here everything was said before.
struct Profile {
    issuer: x509_cert::name::Name,
    subject: x509_cert::name::Name,
    extensions: Vec<Extension>,
}

impl BuilderProfile for Profile {
    fn get_issuer(&self, _: &x509_cert::name::Name) -> x509_cert::name::Name {
        self.issuer.clone()
    }

    fn get_subject(&self) -> x509_cert::name::Name {
        self.subject.clone()
    }

    fn build_extensions(
        &self,
        _: SubjectPublicKeyInfoRef<'_>,
        _: SubjectPublicKeyInfoRef<'_>,
        _: &TbsCertificate,
    ) -> builder::Result<Vec<Extension>> {
        Ok(self.extensions.clone())
    }
}

/// What the builder asks of a signer; it signs elsewhere.
struct Signer<'a> {
    public_key: &'a [u8],
    algorithm: AlgorithmIdentifierOwned,
}

impl<'a> Keypair for Signer<'a> {
    type VerifyingKey = PublicKey;

    fn verifying_key(&self) -> PublicKey {
        PublicKey(self.public_key.to_vec())
    }
}

impl DynSignatureAlgorithmIdentifier for Signer<'_> {
    fn signature_algorithm_identifier(&self) -> spki::Result<AlgorithmIdentifierOwned> {
        Ok(self.algorithm.clone())
    }
}

/// DER of SubjectPublicKeyInfo.
#[derive(Clone)]
struct PublicKey(Vec<u8>);

impl EncodePublicKey for PublicKey {
    fn to_public_key_der(&self) -> spki::Result<Document> {
        Ok(Document::try_from(self.0.as_slice())?)
    }
}
