//! How SoftHSM2 encrypts: a token's key under a PIN (`RFC4880.cpp`, `SecureDataManager.cpp`), and the byte strings of
//! private objects under that key.

use crate::crypto::{self, AesMode, Direction, Hash};
use crate::secret::{Secret, Wiped};

/// Rounds of SHA-256 before the salt's last byte is added.
const ROUNDS: u32 = 1500;
const SALT: usize = 8;
const BLOCK: usize = 16;
/// What stands before a key that was decrypted rightly.
const MAGIC: &[u8] = b"RJR";
/// Of an AES-256 key, in bytes.
const KEY: usize = 32;

/// Opens a token's key: salt ‖ IV ‖ AES-256-CBC of magic ‖ key. `None` for another PIN.
pub(super) fn open(sealed: &[u8], pin: &[u8]) -> Result<Option<Secret>, &'static str> {
    let (salt, rest) = sealed.split_first_chunk::<SALT>().ok_or("it is too short")?;
    // Magic and key are 35 bytes, three blocks with their padding.
    if rest.len() != BLOCK + 3 * BLOCK {
        return Err("it does not have the length of an encrypted key");
    }
    let Some(plain) = decrypt(&derived(salt, pin)?, rest)? else { return Ok(None) };
    let key = plain.expose().strip_prefix(MAGIC).filter(|key| key.len() == KEY);
    Ok(key.map(Secret::copy_of))
}

/// SHA-256 over salt and PIN, then over its own output again and again.
fn derived(salt: &[u8; SALT], pin: &[u8]) -> Result<Secret, &'static str> {
    let [.., last] = salt;
    let hash =
        |parts: &[&[u8]]| crypto::hash_of(Hash::Sha256, parts).map(Wiped::new).map_err(|_| "SHA-256 failed");
    let mut key = hash(&[salt, pin])?;
    for _ in 1..ROUNDS + u32::from(*last) {
        key = hash(&[&key])?;
    }
    Ok(Secret::copy_of(&key))
}

/// Decrypts IV ‖ AES-256-CBC with PKCS padding; `None` if the padding is not right.
pub(super) fn decrypt(key: &Secret, sealed: &[u8]) -> Result<Option<Secret>, &'static str> {
    let (iv, body) = sealed.split_first_chunk::<BLOCK>().ok_or("it is too short")?;
    if body.is_empty() || !body.len().is_multiple_of(BLOCK) {
        return Err("it is not encrypted in whole blocks");
    }
    let mut plain = Secret::zeroed(body.len());
    crypto::aes(AesMode::Cbc { iv }, Direction::Decrypt, key.expose())
        .and_then(|mut cipher| cipher.update(body, plain.expose_mut()))
        .map_err(|_| "AES failed")?;
    Ok(unpadded(plain.expose()).map(Secret::copy_of))
}

/// The bytes before PKCS #7's padding.
fn unpadded(plain: &[u8]) -> Option<&[u8]> {
    let count = plain.last().copied().map(usize::from).filter(|count| (1..=BLOCK).contains(count))?;
    let (plain, padding) = plain.split_at_checked(plain.len().checked_sub(count)?)?;
    padding.iter().all(|byte| usize::from(*byte) == count).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_one_to_sixteen_bytes_that_tell_how_many() {
        assert_eq!(unpadded(&[9, 9, 2, 2]), Some(&[9, 9][..]));
        assert_eq!(unpadded(&[16; 16]), Some(&[][..]));
        for wrong in [&[][..], &[9, 0], &[9, 17], &[1, 2], &[3, 3]] {
            assert_eq!(unpadded(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn what_is_no_encrypted_key_is_said() {
        assert!(open(&[0; 7], b"1234").is_err());
        assert!(open(&[0; 71], b"1234").is_err());
        assert!(open(&[0; 72], b"1234").is_ok_and(|key| key.is_none()));
    }
}
