//! The variants of encryption to an import token. Two bring AES keys: Key Protect's with SHA-256 and AES-GCM, and
//! that of Hyper Protect Crypto Services with SHA-1 and AES-CBC. The key material is encrypted by RSAES-OAEP
//! without a label (RFC 8017, section 7.1), the nonce under the key material. A third, which is our own, brings
//! private keys of any length by RSA-AES key wrap (PKCS #11 3.2, section 6.1.21); the nonce is encrypted under
//! the temporary AES key.

use super::Refusal;
use crate::crypto::{self, AesMode, Cipher, Direction, Hash, Oaep, Padding};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// How key material and nonce are encrypted: the field `encryptionAlgorithm`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Algorithm {
    /// OAEP with SHA-256 and MGF1-SHA-256; the nonce by AES-GCM without additional data, its tag of 16 bytes
    /// behind it.
    OaepSha256,
    /// OAEP with SHA-1 and MGF1-SHA-1; the nonce by AES-CBC with the padding of PKCS #7.
    OaepSha1,
    /// A temporary AES key as the first encrypts key material, and behind it a private key in PKCS #8 under that
    /// key by KWP (RFC 5649); the nonce as in the first, under the temporary key.
    RsaAesSha256,
}

/// Name, hash, and length of the nonce's initialisation vector in bytes.
#[rustfmt::skip]
const ROWS: [(Algorithm, &str, Hash, usize); 3] = [
    (Algorithm::OaepSha256,   "RSAES_OAEP_SHA_256",       Hash::Sha256, 12),
    (Algorithm::OaepSha1,     "RSAES_OAEP_SHA_1",         Hash::Sha1,   16),
    (Algorithm::RsaAesSha256, "RSA_AES_KEY_WRAP_SHA_256", Hash::Sha256, 12),
];

/// Length of AES-GCM's tag in bytes.
const TAG_LEN: usize = 16;

impl Algorithm {
    /// All.
    pub const ALL: [Algorithm; 3] = [ROWS[0].0, ROWS[1].0, ROWS[2].0];
    /// Those that bring AES keys, which Key Protect has too.
    pub const OF_SECRETS: [Algorithm; 2] = [ROWS[0].0, ROWS[1].0];

    /// The algorithm of this name.
    ///
    /// # Errors
    /// [`Refusal::EncryptionAlgorithm`].
    pub fn of_name(name: &str) -> std::result::Result<Algorithm, Refusal> {
        ROWS.iter().find(|row| row.1 == name).map(|row| row.0).ok_or(Refusal::EncryptionAlgorithm)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// Whether what it brings is a private key in PKCS #8; an AES key otherwise.
    pub fn brings_private_keys(self) -> bool {
        match self {
            Algorithm::OaepSha256 | Algorithm::OaepSha1 => false,
            Algorithm::RsaAesSha256 => true,
        }
    }

    /// Length of the nonce's initialisation vector in bytes.
    pub fn iv_len(self) -> usize {
        self.row().3
    }

    fn row(self) -> &'static (Algorithm, &'static str, Hash, usize) {
        match self {
            Algorithm::OaepSha256 => &ROWS[0],
            Algorithm::OaepSha1 => &ROWS[1],
            Algorithm::RsaAesSha256 => &ROWS[2],
        }
    }

    /// How the key material is encrypted, or the temporary key.
    pub(super) fn oaep(self) -> Oaep<'static> {
        let hash = self.row().2;
        Oaep { hash, mgf: hash, label: &[] }
    }

    /// Encrypts a nonce under key material.
    ///
    /// # Errors
    /// [`Error::MechanismParamInvalid`] for an initialisation vector of another length, those of AES for a key.
    pub(super) fn encrypt_nonce(self, key: &[u8], iv: &[u8], nonce: &[u8]) -> Result<Vec<u8>> {
        pass(self.cipher(key, iv, Direction::Encrypt)?, nonce).map(|encrypted| encrypted.expose().to_vec())
    }

    /// Decrypts a nonce; `None` where it does not decrypt, for whatever reason.
    pub(super) fn decrypt_nonce(self, key: &[u8], iv: &[u8], encrypted: &[u8]) -> Option<Secret> {
        pass(self.cipher(key, iv, Direction::Decrypt).ok()?, encrypted).ok()
    }

    fn cipher(self, key: &[u8], iv: &[u8], direction: Direction) -> Result<Box<dyn Cipher>> {
        if iv.len() != self.iv_len() {
            return Err(Error::MechanismParamInvalid);
        }
        let mode = match self {
            Algorithm::OaepSha256 | Algorithm::RsaAesSha256 => {
                AesMode::Gcm { iv, aad: &[], tag_len: TAG_LEN }
            }
            Algorithm::OaepSha1 => {
                let iv = iv.try_into().map_err(|_| Error::MechanismParamInvalid)?;
                AesMode::CbcPad { iv, padding: Padding::Pkcs7 }
            }
        };
        crypto::aes(mode, direction, key)
    }
}

/// A whole message through a cipher.
fn pass(mut cipher: Box<dyn Cipher>, input: &[u8]) -> Result<Secret> {
    let mut out = Secret::zeroed(cipher.once_len(input.len()));
    let written = cipher.once(input, out.expose_mut())?;
    out.expose().get(..written).map(Secret::copy_of).ok_or(Error::CryptoFailed("AES"))
}
