//! Private keys under a passphrase: EncryptedPrivateKeyInfo (RFC 5958, section 3) with PBES2 (RFC 8018, section 6.2).

use der::asn1::OctetStringRef;
use der::{Decode, Encode, Sequence};
use pkcs5::EncryptionScheme;
use pkcs5::pbes2::{Kdf, Parameters};

use crate::error::{Error, Result};
use crate::rng;
use crate::secret::Secret;

/// Rounds of PBKDF2 with HMAC-SHA-256 for what is written: OWASP's recommendation.
const ROUNDS: u32 = 600_000;
/// What is read: more rounds take minutes, and more memory is not a stranger's to ask for.
const MOST_ROUNDS: u32 = 10_000_000;
const MOST_MEMORY: u64 = 256 << 20;

#[derive(Sequence)]
struct EncryptedPrivateKeyInfo<'a> {
    encryption_algorithm: EncryptionScheme,
    encrypted_data: &'a OctetStringRef,
}

/// Whether these bytes have the form of an encrypted private key.
pub fn is_encrypted(der: &[u8]) -> bool {
    EncryptedPrivateKeyInfo::from_der(der).is_ok()
}

/// Opens an encrypted private key: its PrivateKeyInfo in DER.
///
/// # Errors
/// [`Error::WrappedKeyInvalid`] for other bytes and for another passphrase; [`Error::MechanismInvalid`] for a scheme
/// that is not offered or asks for too much.
pub fn open(der: &[u8], passphrase: &[u8]) -> Result<Secret> {
    let info = EncryptedPrivateKeyInfo::from_der(der).map_err(|_| Error::WrappedKeyInvalid)?;
    let scheme = info.encryption_algorithm.pbes2().filter(|scheme| is_bearable(&scheme.kdf));
    let scheme = scheme.ok_or(Error::MechanismInvalid)?;
    let opened = scheme.decrypt(passphrase, info.encrypted_data.as_bytes());
    opened.map(Secret::new).map_err(|_| Error::WrappedKeyInvalid)
}

fn is_bearable(kdf: &Kdf) -> bool {
    match kdf {
        Kdf::Pbkdf2(params) => params.iteration_count <= MOST_ROUNDS,
        Kdf::Scrypt(params) => {
            let cost = params.cost_parameter.saturating_mul(u64::from(params.block_size));
            cost.saturating_mul(128) <= MOST_MEMORY && params.parallelization <= 16
        }
        // A later version of the crate may know more.
        _ => false,
    }
}

/// Encrypts a PrivateKeyInfo: PBKDF2 with HMAC-SHA-256, and AES-256 in CBC mode, which everybody reads.
///
/// # Errors
/// [`Error::CryptoFailed`], which does not happen; those of the random numbers.
pub fn seal(info: &Secret, passphrase: &[u8]) -> Result<Vec<u8>> {
    seal_with(ROUNDS, info, passphrase)
}

fn seal_with(rounds: u32, info: &Secret, passphrase: &[u8]) -> Result<Vec<u8>> {
    let failed = || Error::CryptoFailed("a key was not encrypted");
    let (salt, iv): ([u8; 16], [u8; 16]) = (rng::array()?, rng::array()?);
    let scheme = Parameters::generate_pbkdf2_sha256_aes256cbc(rounds, &salt, iv).map_err(|_| failed())?;
    let sealed = scheme.encrypt(passphrase, info.expose()).map_err(|_| failed())?;
    let encrypted_data = OctetStringRef::new(&sealed).map_err(|_| failed())?;
    let info = EncryptedPrivateKeyInfo { encryption_algorithm: scheme.into(), encrypted_data };
    info.to_der().map_err(|_| failed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_under_its_passphrase_alone() {
        let sealed = seal_with(2, &Secret::copy_of(b"a key"), b"passphrase").unwrap();
        assert!(is_encrypted(&sealed) && !is_encrypted(b"a key"));
        assert!(open(&sealed, b"passphrase").unwrap().equals(b"a key"));
        assert!(matches!(open(&sealed, b"passphrasf"), Err(Error::WrappedKeyInvalid)));
        assert!(matches!(open(&sealed[1..], b"passphrase"), Err(Error::WrappedKeyInvalid)));
    }

    #[test]
    fn what_asks_for_too_much_is_refused() {
        let scheme =
            Parameters::generate_pbkdf2_sha256_aes256cbc(MOST_ROUNDS + 1, &[1; 16], [2; 16]).unwrap();
        let info = EncryptedPrivateKeyInfo {
            encryption_algorithm: scheme.into(),
            encrypted_data: OctetStringRef::new(&[0; 16]).unwrap(),
        };
        assert!(matches!(open(&info.to_der().unwrap(), b"passphrase"), Err(Error::MechanismInvalid)));
    }
}
