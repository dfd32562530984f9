//! Wrapped data encryption keys: base64 of JSON with a ciphertext under a version of a root key, AES-GCM with a
//! tag of 16 bytes behind the ciphertext, its nonce, and the version's identifier.
//!
//! The key of AES-GCM is derived from the version's material: the other doors use the material itself, and whoever may
//! encrypt or decrypt by them, in whatever mode and with whatever nonce, learns nothing of what is wrapped here.

use base64::DecodeError;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::{Deserialize, Serialize};

use super::KeyId;
use super::refusal::Reason;
use crate::crypto::{self, AesMode, Cipher, Direction, Hash};
use crate::error::{Error, Result};
use crate::rng;
use crate::secret::Secret;

/// The field `version`: that of the format, not of the key.
pub const WDEK_VERSION: &str = "4.0.0";
/// What the key that wraps is derived for; the version's identifier follows.
const PURPOSE: &[u8] = b"softhsm-rs WDEK";
/// Length of that key in bytes.
const KEY: usize = 32;
/// Lengths of AES-GCM's nonce and tag in bytes.
const NONCE: usize = 12;
const TAG: usize = 16;
/// Characters of a string of additional data, and how many strings there may be.
const AAD: usize = 255;
const AADS: usize = 255;
/// The longest key that is wrapped, and the longest text that is read, in bytes.
const LONGEST: usize = 1 << 20;
const LONGEST_TEXT: usize = 3 << 20;

/// Additional data: strings that unwrapping needs again, in the same order, and that are not kept.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Aad(Vec<u8>);

impl Aad {
    /// The additional data of some strings. Each stands with its length before it, in 4 bytes, so that two lists
    /// are the same only where every string is; no strings are no data.
    ///
    /// # Errors
    /// [`Reason::Field`].
    pub fn of<S: AsRef<str>>(strings: &[S]) -> std::result::Result<Aad, Reason> {
        let is_fine = |string: &S| string.as_ref().chars().count() <= AAD;
        if strings.len() > AADS || !strings.iter().all(is_fine) {
            return Err(Reason::Field { name: "aad", must: "at most 255 strings of at most 255 characters" });
        }
        let mut out = Vec::new();
        for string in strings {
            let bytes = string.as_ref().as_bytes();
            out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
            out.extend_from_slice(bytes);
        }
        Ok(Aad(out))
    }
}

/// The JSON, its fields in Key Protect's order.
#[derive(Serialize, Deserialize)]
struct Envelope {
    ciphertext: String,
    iv: String,
    version: String,
    handle: String,
}

/// A wrapped key that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wdek {
    /// The version of the root key that it is wrapped under.
    pub handle: KeyId,
    iv: [u8; NONCE],
    sealed: Vec<u8>,
}

/// Wraps a data encryption key under a version's material.
///
/// # Errors
/// [`Reason::Field`] for one that is empty or longer than 1 MiB; [`Error::RandomFailed`].
pub(crate) fn seal(material: &[u8], handle: KeyId, plaintext: &[u8], aad: &Aad) -> Result<String> {
    if plaintext.is_empty() || plaintext.len() > LONGEST {
        return Err(Reason::Field { name: "plaintext", must: "1 to 1048576 bytes, in base64" }.into());
    }
    let iv: [u8; NONCE] = rng::array()?;
    let sealed = pass(gcm(&derived(material, handle)?, &iv, aad, Direction::Encrypt)?, plaintext)?;
    let envelope = Envelope {
        ciphertext: BASE64_STANDARD.encode(sealed.expose()),
        iv: BASE64_STANDARD.encode(iv),
        version: WDEK_VERSION.to_owned(),
        handle: handle.to_string(),
    };
    let json =
        serde_json::to_vec(&envelope).map_err(|_| Error::CryptoFailed("a wrapped key did not encode"))?;
    Ok(BASE64_STANDARD.encode(json))
}

impl Wdek {
    /// Reads a wrapped key.
    ///
    /// # Errors
    /// [`Reason::NotBase64`], [`Reason::Unprocessable`].
    pub fn parse(text: &str) -> std::result::Result<Wdek, Reason> {
        if text.len() > LONGEST_TEXT {
            return Err(Reason::Unprocessable);
        }
        let json = BASE64_STANDARD.decode(text).map_err(|error| Reason::NotBase64(place(&error, text)))?;
        let envelope: Envelope = serde_json::from_slice(&json).map_err(|_| Reason::Unprocessable)?;
        let bytes = |text: &str| BASE64_STANDARD.decode(text).map_err(|_| Reason::Unprocessable);
        if envelope.version != WDEK_VERSION {
            return Err(Reason::Unprocessable);
        }
        Ok(Wdek {
            handle: KeyId::of_text(&envelope.handle).ok_or(Reason::Unprocessable)?,
            iv: bytes(&envelope.iv)?.try_into().map_err(|_| Reason::Unprocessable)?,
            sealed: bytes(&envelope.ciphertext)?,
        })
    }

    /// Unwraps it by the material of the version that it names.
    ///
    /// # Errors
    /// [`Reason::Unprocessable`], whatever is wrong.
    pub(crate) fn open(&self, material: &[u8], aad: &Aad) -> Result<Secret> {
        let plaintext =
            pass(gcm(&derived(material, self.handle)?, &self.iv, aad, Direction::Decrypt)?, &self.sealed);
        plaintext.map_err(|_| Reason::Unprocessable.into())
    }
}

/// From which byte on a text is no base64.
fn place(error: &DecodeError, text: &str) -> usize {
    match error {
        DecodeError::InvalidByte(at, _) => *at,
        DecodeError::InvalidLastSymbol { offset, .. } => *offset,
        DecodeError::InvalidLength(_) | DecodeError::InvalidPadding => text.len(),
    }
}

/// The key that wraps: HKDF-SHA-256 (RFC 5869) of the material, without a salt.
fn derived(material: &[u8], version: KeyId) -> Result<Secret> {
    crypto::derive_by_hkdf(Hash::Sha256, material, &[], &[PURPOSE, &version.0].concat(), KEY)
}

fn gcm<'a>(key: &Secret, iv: &'a [u8; NONCE], aad: &'a Aad, direction: Direction) -> Result<Box<dyn Cipher>> {
    crypto::aes(AesMode::Gcm { iv, aad: &aad.0, tag_len: TAG }, direction, key.expose())
}

/// A whole message through a cipher.
fn pass(mut cipher: Box<dyn Cipher>, input: &[u8]) -> Result<Secret> {
    let mut out = Secret::zeroed(cipher.once_len(input.len()));
    let written = cipher.once(input, out.expose_mut())?;
    out.expose().get(..written).map(Secret::copy_of).ok_or(Error::CryptoFailed("AES"))
}
