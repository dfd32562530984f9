//! The customer's side: encrypts key material and nonce for whoever made the token, by the public key that was
//! retrieved. It needs no HSM.

use cryptoki_sys::*;
use der::Document;

use super::algorithm::Algorithm;
use super::token::is_material;
use crate::crypto;
use crate::error::{Error, Result};
use crate::object::Value;
use crate::object::formats::{self, Format};
use crate::rng;

/// The label of a public key in PEM. RFC 7468, section 13.
pub(super) const PEM_LABEL: &str = "PUBLIC KEY";

/// What is sent instead of the nonce.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EncryptedNonce {
    /// The ciphertext, in AES-GCM with its tag behind it.
    pub bytes: Vec<u8>,
    /// The initialisation vector.
    pub iv: Vec<u8>,
}

/// Encrypts key material to a token's public key, which is a SubjectPublicKeyInfo in PEM.
///
/// # Errors
/// [`Error::ArgumentsBad`] for material of another length than AES keys have, [`Error::PublicKeyInvalid`].
pub fn encrypt_key(public_key: &str, material: &[u8], algorithm: Algorithm) -> Result<Vec<u8>> {
    check(material)?;
    let (label, document) = Document::from_pem(public_key).map_err(|_| Error::PublicKeyInvalid)?;
    if label != PEM_LABEL {
        return Err(Error::PublicKeyInvalid);
    }
    let (modulus, exponent) = rsa_numbers(document.as_bytes())?;
    let key = crypto::rsa_public(&modulus, &exponent).map_err(|_| Error::PublicKeyInvalid)?;
    key.encrypt_oaep(&algorithm.oaep(), material)
}

/// Encrypts a token's nonce under the key material, with a random initialisation vector.
///
/// # Errors
/// As [`encrypt_key`]; [`Error::RandomFailed`].
pub fn encrypt_nonce(nonce: &[u8], material: &[u8], algorithm: Algorithm) -> Result<EncryptedNonce> {
    check(material)?;
    let mut iv = vec![0; algorithm.iv_len()];
    rng::fill(&mut iv)?;
    Ok(EncryptedNonce { bytes: algorithm.encrypt_nonce(material, &iv, nonce)?, iv })
}

fn check(material: &[u8]) -> Result<()> {
    let bad = || Error::ArgumentsBad("key material has 16, 24 or 32 bytes");
    is_material(material).then_some(()).ok_or_else(bad)
}

/// Modulus and public exponent.
fn rsa_numbers(info: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
    let template = formats::public_key(Format::X509, info)?;
    let number = |kind| {
        let value = template.iter().find(|(given, _)| *given == kind).map(|(_, value)| value);
        // A key of another type has no such numbers.
        value.and_then(Value::as_bytes).map(<[u8]>::to_vec).ok_or(Error::PublicKeyInvalid)
    };
    Ok((number(CKA_MODULUS)?, number(CKA_PUBLIC_EXPONENT)?))
}
