//! The customer's side: encrypts key material and nonce for whoever made the token, by the public key that was
//! retrieved. It needs no HSM.

use cryptoki_sys::*;
use der::Document;

use super::algorithm::Algorithm;
use super::token::is_material;
use crate::crypto::{self, RsaPublicKey};
use crate::error::{Error, Result};
use crate::object::Value;
use crate::object::formats::{self, Format};
use crate::rng;
use crate::secret::Secret;

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

/// A private key that was encrypted, with the nonce.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EncryptedKey {
    /// The key under the token's public key.
    pub payload: Vec<u8>,
    /// The nonce.
    pub nonce: EncryptedNonce,
}

/// Length of the temporary AES key in bytes.
const TEMPORARY_LEN: usize = 32;

/// Encrypts key material to a token's public key, which is a SubjectPublicKeyInfo in PEM.
///
/// # Errors
/// [`Error::ArgumentsBad`] for material of another length than AES keys have, [`Error::PublicKeyInvalid`].
pub fn encrypt_key(public_key: &str, material: &[u8], algorithm: Algorithm) -> Result<Vec<u8>> {
    check(material, algorithm)?;
    read_public(public_key)?.encrypt_oaep(&algorithm.oaep(), material)
}

/// Encrypts a private key, in PKCS #8, to a token's public key, and the token's nonce with it: both need the
/// temporary key, which nobody keeps.
///
/// # Errors
/// [`Error::WrappedKeyInvalid`] for what is no private key in PKCS #8, [`Error::PublicKeyInvalid`],
/// [`Error::RandomFailed`].
pub fn encrypt_private_key(public_key: &str, nonce: &[u8], pkcs8: &[u8]) -> Result<EncryptedKey> {
    const ALGORITHM: Algorithm = Algorithm::RsaAesSha256;
    formats::private_key(Format::Pkcs8, pkcs8)?;
    let key = read_public(public_key)?;
    let temporary = rng::secret(TEMPORARY_LEN)?;
    let payload = crypto::wrap_rsa_aes(key.as_ref(), &ALGORITHM.oaep(), &temporary, pkcs8)?;
    Ok(EncryptedKey { payload, nonce: encrypted(nonce, &temporary, ALGORITHM)? })
}

/// Encrypts a token's nonce under the key material, with a random initialisation vector.
///
/// # Errors
/// As [`encrypt_key`]; [`Error::RandomFailed`].
pub fn encrypt_nonce(nonce: &[u8], material: &[u8], algorithm: Algorithm) -> Result<EncryptedNonce> {
    check(material, algorithm)?;
    encrypted(nonce, &Secret::copy_of(material), algorithm)
}

/// A nonce under a key.
fn encrypted(nonce: &[u8], key: &Secret, algorithm: Algorithm) -> Result<EncryptedNonce> {
    let mut iv = vec![0; algorithm.iv_len()];
    rng::fill(&mut iv)?;
    Ok(EncryptedNonce { bytes: algorithm.encrypt_nonce(key.expose(), &iv, nonce)?, iv })
}

fn check(material: &[u8], algorithm: Algorithm) -> Result<()> {
    if algorithm.brings_private_keys() {
        return Err(Error::ArgumentsBad("private keys are encrypted together with the nonce"));
    }
    let bad = || Error::ArgumentsBad("key material has 16, 24 or 32 bytes");
    is_material(material).then_some(()).ok_or_else(bad)
}

/// A SubjectPublicKeyInfo in PEM, of an RSA key.
fn read_public(pem: &str) -> Result<Box<dyn RsaPublicKey>> {
    let (label, document) = Document::from_pem(pem).map_err(|_| Error::PublicKeyInvalid)?;
    if label != PEM_LABEL {
        return Err(Error::PublicKeyInvalid);
    }
    let (modulus, exponent) = rsa_numbers(document.as_bytes())?;
    crypto::rsa_public(&modulus, &exponent).map_err(|_| Error::PublicKeyInvalid)
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
