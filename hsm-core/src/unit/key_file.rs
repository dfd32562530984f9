//! Files of a ceremony: signature keys in the format of the TKE tools, and key parts in a like one, as shares
//! of a sealer are (`shares`).
//! Both are JSON; the secret is under a passphrase (which may be empty) by PBKDF2-HMAC-SHA-256 and
//! AES-256-GCM. Such a file is as strong as its passphrase: 4096 rounds are the format's, not ours.

use std::path::Path;

use aes_gcm::aead::Aead;
use aes_gcm::{Aes256Gcm, KeyInit};
use der::pem::{self, LineEnding};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::disk::{self, Access};
use super::identity::{Ski, VerificationPattern};
use super::keys::SignatureKey;
use super::parts::KeyPart;
use crate::error::{Error, Result};
use crate::rng;
use crate::secret::Secret;

/// PBKDF2 rounds that the format fixes.
const ROUNDS: u32 = 4096;
const SALT: usize = 32;
const NONCE: usize = 12;
/// The longest key file in bytes; real ones are a tenth of it.
const FILE_MAX: usize = 16 * 1024;

/// The only kind of signature key that this HSM makes and takes.
const P521: &str = "p521ec";
/// The label of the PEM block, which in spite of it holds SEC1 and not PKCS #8.
const PEM_LABEL: &str = "PRIVATE KEY";
/// Our own kind, for the file of a key part.
const KEY_PART: &str = "aes256part";

/// A signature key file (`*.sigkey`): keys and their order as the TKE tools have them.
#[derive(Serialize, Deserialize)]
struct SignatureKeyFile {
    /// Who it belongs to; the TKE tools do not need it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(rename = "keyType", default)]
    key_type: String,
    ski: String,
    #[serde(rename = "seaSalt")]
    salt: String,
    #[serde(rename = "enckey")]
    encrypted: String,
}

/// The file of a key part (`*.keypart`).
#[derive(Serialize, Deserialize)]
struct KeyPartFile {
    name: String,
    #[serde(rename = "keyType")]
    key_type: String,
    /// The part's verification pattern, so that holders know their parts apart without opening them.
    vp: String,
    #[serde(rename = "seaSalt")]
    salt: String,
    #[serde(rename = "enckey")]
    encrypted: String,
}

impl SignatureKey {
    /// Writes the key to a new file of mode 0600, under a passphrase.
    pub fn save(&self, path: &Path, name: &str, passphrase: &Secret) -> Result<()> {
        let der = self.to_sec1_der()?;
        let pem = pem::encode_string(PEM_LABEL, LineEnding::LF, &der)
            .map(Zeroizing::new)
            .map_err(|_| Error::CryptoFailed("encoding PEM"))?;
        let (salt, encrypted) = encrypt(passphrase, pem.as_bytes())?;
        write(
            path,
            &SignatureKeyFile {
                name: Some(name.to_owned()),
                key_type: P521.to_owned(),
                ski: self.ski().to_string(),
                salt,
                encrypted,
            },
        )
    }

    /// Reads the key of such a file.
    pub fn load(path: &Path, passphrase: &Secret) -> Result<SignatureKey> {
        let file: SignatureKeyFile = read(path)?;
        if file.key_type != P521 {
            return Err(damaged(path, "this is no P-521 signature key: generate one"));
        }
        let pem = decrypt(path, passphrase, &file.salt, &file.encrypted)?;
        let key = match pem::decode_vec(&pem) {
            Ok((PEM_LABEL, der)) => SignatureKey::from_sec1_der(&Zeroizing::new(der)),
            _ => None,
        };
        let key = key.ok_or_else(|| damaged(path, "it holds no P-521 private key: restore it"))?;
        if file.ski.parse() != Ok(key.ski()) {
            return Err(damaged(path, "its key is another than it says: restore it"));
        }
        Ok(key)
    }
}

impl KeyPart {
    /// Writes the part to a new file of mode 0600, under a passphrase.
    pub fn save(&self, path: &Path, passphrase: &Secret) -> Result<()> {
        let (salt, encrypted) = encrypt(passphrase, self.value().expose())?;
        write(
            path,
            &KeyPartFile {
                name: self.name().to_owned(),
                key_type: KEY_PART.to_owned(),
                vp: self.verification_pattern().to_string(),
                salt,
                encrypted,
            },
        )
    }

    /// Reads the part of such a file.
    pub fn load(path: &Path, passphrase: &Secret) -> Result<KeyPart> {
        let file: KeyPartFile = read(path)?;
        if file.key_type != KEY_PART {
            return Err(damaged(path, "this is no key part"));
        }
        let value = decrypt(path, passphrase, &file.salt, &file.encrypted)?;
        let part = KeyPart::new(&file.name, Secret::from(value))
            .ok_or_else(|| damaged(path, "a key part has 32 bytes: restore it"))?;
        if file.vp.parse() != Ok(part.verification_pattern()) {
            return Err(damaged(path, "its part is another than it says: restore it"));
        }
        Ok(part)
    }
}

/// Whose signature key the file holds, read without its passphrase.
pub fn signature_key_ski(path: &Path) -> Result<Ski> {
    let file: SignatureKeyFile = read(path)?;
    file.ski.parse().map_err(|_| damaged(path, "it names no subject key identifier: restore it"))
}

/// The verification pattern of the part in the file, read without its passphrase.
pub fn key_part_pattern(path: &Path) -> Result<VerificationPattern> {
    let file: KeyPartFile = read(path)?;
    file.vp.parse().map_err(|_| damaged(path, "it names no verification pattern: restore it"))
}

pub(super) fn write(path: &Path, file: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string(file).map_err(|_| Error::CryptoFailed("encoding JSON"))?;
    disk::write_new(path, text.as_bytes(), Access::Owner)
}

pub(super) fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let missing = || Error::file(path)(std::io::ErrorKind::NotFound.into());
    let bytes = disk::read(path, FILE_MAX)?.ok_or_else(missing)?;
    serde_json::from_slice(&bytes).map_err(|_| damaged(path, "this is no key file: restore it"))
}

/// Salt, and nonce ‖ ciphertext, both in hexadecimal digits.
pub(super) fn encrypt(passphrase: &Secret, plain: &[u8]) -> Result<(String, String)> {
    let salt = rng::array::<SALT>()?;
    let mut encrypted = rng::array::<NONCE>()?.to_vec();
    let (cipher, nonce) = (cipher(passphrase, &salt), nonce(&encrypted)?);
    encrypted.extend(cipher.encrypt(&nonce.into(), plain).map_err(|_| Error::CryptoFailed("AES-GCM"))?);
    Ok((hex::encode(salt), hex::encode(encrypted)))
}

pub(super) fn decrypt(
    path: &Path,
    passphrase: &Secret,
    salt: &str,
    encrypted: &str,
) -> Result<Zeroizing<Vec<u8>>> {
    let unreadable = |_| damaged(path, "this is no key file: restore it");
    let salt = hex::decode(salt).map_err(unreadable)?;
    let encrypted = hex::decode(encrypted).map_err(unreadable)?;
    let wrong = || damaged(path, "the passphrase is wrong, or the file is damaged");
    let (nonce, ciphertext) = encrypted.split_first_chunk::<NONCE>().ok_or_else(wrong)?;
    let plain = cipher(passphrase, &salt).decrypt(&(*nonce).into(), ciphertext);
    plain.map(Zeroizing::new).map_err(|_| wrong())
}

fn nonce(bytes: &[u8]) -> Result<[u8; NONCE]> {
    bytes.try_into().map_err(|_| Error::CryptoFailed("AES-GCM"))
}

fn cipher(passphrase: &Secret, salt: &[u8]) -> Aes256Gcm {
    let mut key = Zeroizing::new([0; 32]);
    pbkdf2::pbkdf2_hmac::<Sha256>(passphrase.expose(), salt, ROUNDS, &mut *key);
    Aes256Gcm::new((&*key).into())
}

fn damaged(path: &Path, reason: &str) -> Error {
    Error::FileDamaged { path: path.to_owned(), reason: reason.to_owned() }
}
