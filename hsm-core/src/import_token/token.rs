//! A token: what it is, how long and how often it serves, and what it opens. Pure, but for the keys that are
//! made: the time comes in.
//!
//! A token keeps the latest time that it has seen when it was written, and goes by that where the clock is
//! behind it; and the first look that finds it expired takes its private key away, which is written. So a clock
//! that is set back revives nothing.

use std::ops::RangeInclusive;

use cryptoki_sys::*;
use der::Document;
use der::pem::LineEnding;

use super::algorithm::Algorithm;
use super::customer::PEM_LABEL;
use super::objects;
use super::refusal::Refusal;
use crate::crypto::{self, OpenedRsaAes as Opened, RsaParts, RsaPrivateKey};
use crate::error::{Error, Result};
use crate::object::lifecycle::Seconds;
use crate::object::{Object, Value, encoding};
use crate::rng;
use crate::secret::Secret;

/// Length of a nonce in bytes.
pub const NONCE_LEN: usize = 12;
/// The key pair: its size in bits, and its public exponent.
pub(super) const MODULUS_BITS: usize = 4096;
const PUBLIC_EXPONENT: [u8; 3] = [1, 0, 1];
/// How many seconds a token may be valid.
pub(super) const EXPIRATION: RangeInclusive<u32> = 300..=86_400;
/// How often it may be retrieved.
pub(super) const RETRIEVALS: RangeInclusive<u32> = 1..=500;
/// Length of the key that stands in for one that did not decrypt, in bytes.
const STAND_IN_LEN: usize = 32;

/// How long and how often a token may serve.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    expiration: u32,
    retrievals: u32,
}

/// Key Protect's: ten minutes, once.
impl Default for Limits {
    fn default() -> Limits {
        Limits { expiration: 600, retrievals: *RETRIEVALS.start() }
    }
}

impl Limits {
    /// A token that is valid for so many seconds, 300 to 86,400, and is retrieved at most so often, 1 to 500
    /// times.
    ///
    /// # Errors
    /// [`Refusal::Expiration`], [`Refusal::Retrievals`].
    pub fn new(expiration: u32, retrievals: u32) -> std::result::Result<Limits, Refusal> {
        if !EXPIRATION.contains(&expiration) {
            return Err(Refusal::Expiration);
        }
        if !RETRIEVALS.contains(&retrievals) {
            return Err(Refusal::Retrievals);
        }
        Ok(Limits { expiration, retrievals })
    }
}

/// What may be told of a token without retrieving it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Metadata {
    /// When it was made.
    pub creation: Seconds,
    /// From when on it serves no more.
    pub expiration: Seconds,
    /// How often it could be retrieved.
    pub max_allowed_retrievals: u32,
    /// How often it still can.
    pub remaining_retrievals: u32,
}

/// A token as the customer gets it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Retrieved {
    /// What is told of it, after this retrieval.
    pub metadata: Metadata,
    /// The public key: SubjectPublicKeyInfo in PEM.
    pub public_key: String,
    /// The nonce.
    pub nonce: [u8; NONCE_LEN],
    /// The unique identifier by which KMIP knows the public key.
    pub unique_id: String,
}

/// A key as the customer sends it.
#[derive(Clone, Copy, Debug)]
pub struct Wrapped<'a> {
    /// The key under the token's public key.
    pub payload: &'a [u8],
    /// The nonce under the key material, or under the temporary key.
    pub encrypted_nonce: &'a [u8],
    /// The initialisation vector of that.
    pub iv: &'a [u8],
    /// How both were encrypted.
    pub algorithm: Algorithm,
}

/// A token.
pub struct ImportToken {
    pub(super) created: Seconds,
    pub(super) expires: Seconds,
    /// The latest time that it has seen.
    pub(super) seen: Seconds,
    pub(super) most: u32,
    pub(super) remaining: u32,
    pub(super) nonce: [u8; NONCE_LEN],
    /// The key pair, until it was seen that the token has expired.
    pub(super) key: Option<RsaParts>,
}

impl ImportToken {
    /// Makes a token with a key pair and a nonce of its own, which takes a second.
    ///
    /// # Errors
    /// [`Error::RandomFailed`], [`Error::CryptoFailed`].
    pub fn generate(limits: Limits, now: Seconds) -> Result<ImportToken> {
        let key = crypto::generate_rsa(MODULUS_BITS, &PUBLIC_EXPONENT)?;
        Ok(ImportToken::new(limits, key, rng::array()?, now))
    }

    pub(super) fn new(limits: Limits, key: RsaParts, nonce: [u8; NONCE_LEN], now: Seconds) -> ImportToken {
        ImportToken {
            created: now,
            expires: now.saturating_add(limits.expiration.into()),
            seen: now,
            most: limits.retrievals,
            remaining: limits.retrievals,
            nonce,
            key: Some(key),
        }
    }

    /// What may be told of it.
    pub fn metadata(&self) -> Metadata {
        Metadata {
            creation: self.created,
            expiration: self.expires,
            max_allowed_retrievals: self.most,
            remaining_retrievals: self.remaining,
        }
    }

    /// The latest time that it has seen.
    pub(crate) fn seen(&self) -> Seconds {
        self.seen
    }

    /// Whether it still opens anything, as far as it has seen.
    pub fn is_open(&self) -> bool {
        self.key.is_some()
    }

    /// Takes note of the time. A token that has expired loses its key.
    pub fn see(&mut self, now: Seconds) {
        self.seen = self.seen.max(now);
        if self.seen >= self.expires {
            self.key = None;
        }
    }

    /// Hands the token out, once more of as often as it may.
    ///
    /// # Errors
    /// [`Refusal::Expired`], also where it was handed out as often as it may.
    pub fn retrieve(&mut self, now: Seconds) -> Result<Retrieved> {
        self.see(now);
        let key = self.key.as_ref().ok_or(Refusal::Expired)?;
        let remaining = self.remaining.checked_sub(1).ok_or(Refusal::Expired)?;
        let info = public_key_info(key)?;
        let unique_id = objects::unique_id(objects::id_of_key(&info)?);
        let public_key = in_pem(info)?;
        self.remaining = remaining;
        Ok(Retrieved { metadata: self.metadata(), public_key, nonce: self.nonce, unique_id })
    }

    /// Opens what was encrypted for the token: key material of 16, 24 or 32 bytes, or with the algorithm that
    /// brings private keys, PKCS #8. A token may be redeemed until it expires, whatever retrievals remain, and
    /// more than once.
    ///
    /// A key that does not decrypt is replaced by a random one, with which everything goes on as with a true
    /// one, so that neither answer nor time tells which of the two did not decrypt.
    ///
    /// # Errors
    /// [`Refusal::Expired`], [`Refusal::IncorrectNonceIv`], [`Refusal::IncorrectNonce`].
    pub fn redeem(&mut self, wrapped: &Wrapped<'_>, now: Seconds) -> Result<Secret> {
        self.see(now);
        let private = crypto::rsa_private(self.key.as_ref().ok_or(Refusal::Expired)?)?;
        let Opened { temporary, content } = open(private.as_ref(), wrapped)?;
        let nonce = wrapped.algorithm.decrypt_nonce(temporary.expose(), wrapped.iv, wrapped.encrypted_nonce);
        let is_nonce = nonce.as_ref().is_some_and(|nonce| nonce.equals(&self.nonce));
        // A stand-in under which something decrypts by chance is none the better for it.
        match content {
            Some(content) if is_nonce => Ok(content),
            Some(_) if nonce.is_some() => Err(Refusal::IncorrectNonce.into()),
            Some(_) | None => Err(Refusal::IncorrectNonceIv.into()),
        }
    }
}

/// Decrypts what was encrypted to the public key: the key under which the nonce is, and the content, which is
/// the same where key material comes by itself.
fn open(private: &dyn RsaPrivateKey, wrapped: &Wrapped<'_>) -> Result<Opened> {
    let oaep = wrapped.algorithm.oaep();
    if wrapped.algorithm.brings_private_keys() {
        return crypto::open_rsa_aes(private, &oaep, None, wrapped.payload);
    }
    let stand_in = rng::secret(STAND_IN_LEN)?;
    Ok(match private.decrypt_oaep(&oaep, wrapped.payload) {
        Ok(material) if is_material(material.expose()) => {
            Opened { content: Some(material.duplicate()), temporary: material }
        }
        Ok(_) | Err(_) => Opened { temporary: stand_in, content: None },
    })
}

/// Whether bytes have a length that key material may have: that of an AES key.
pub fn is_material(bytes: &[u8]) -> bool {
    matches!(bytes.len(), 16 | 24 | 32)
}

/// The public half as SubjectPublicKeyInfo.
fn public_key_info(key: &RsaParts) -> Result<Vec<u8>> {
    let mut object = Object::default();
    object.set(CKA_KEY_TYPE, Value::Number(CKK_RSA));
    object.set(CKA_MODULUS, Value::Bytes(key.modulus.clone()));
    object.set(CKA_PUBLIC_EXPONENT, Value::Bytes(key.public_exponent.clone()));
    encoding::public_key_info(&object)
}

fn in_pem(info: Vec<u8>) -> Result<String> {
    Document::try_from(info)
        .and_then(|document| document.to_pem(PEM_LABEL, LineEnding::LF))
        .map_err(|_| Error::CryptoFailed("a key did not encode"))
}
