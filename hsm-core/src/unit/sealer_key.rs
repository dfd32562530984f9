//! What people or the system give to open a unit: a passphrase, key shares, a credential. Each comes to a
//! key of 32 bytes. It opens nothing by itself: `sealer` combines it with the bytes of the sealer's file.

use std::fmt;
use std::io::Read;
use std::sync::Arc;

use argon2::{Algorithm, Argon2, Params, Version};
use hkdf::Hkdf;
use hsm_os::Guarded;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::shares::SealerShare;
use crate::error::{Error, Result};
use crate::secret::Secret;

/// Length of the key in bytes.
pub(super) const KEY: usize = 32;

/// The fewest bytes of a passphrase.
const PASSPHRASE_MIN: usize = 8;

/// The fewest bytes of a credential.
const CREDENTIAL_MIN: usize = 32;

/// The most bytes of a credential that are read.
pub(super) const CREDENTIAL_MAX: usize = 4096;

/// The key that a sealer needs besides its file, on guarded pages.
#[derive(Clone)]
pub struct SealerKey(Arc<Guarded>);

impl SealerKey {
    pub(super) fn copy_of(mut bytes: &[u8]) -> Result<SealerKey> {
        SealerKey::read(&mut bytes).map_err(|_| Error::CryptoFailed("memory for a key"))
    }

    /// A key whose bytes come from elsewhere, as from the process that holds it, straight onto its pages.
    ///
    /// # Errors
    /// What keeps them from being read.
    pub fn read(from: &mut impl Read) -> std::io::Result<SealerKey> {
        let mut key = Guarded::zeroed(KEY)?;
        from.read_exact(key.expose_mut())?;
        Ok(SealerKey(Arc::new(key)))
    }

    fn filled(fill: impl FnOnce(&mut [u8]) -> Result<()>) -> Result<SealerKey> {
        let mut key = Guarded::zeroed(KEY).map_err(|_| Error::CryptoFailed("memory for a key"))?;
        fill(key.expose_mut())?;
        Ok(SealerKey(Arc::new(key)))
    }

    /// The bytes themselves.
    pub fn expose(&self) -> &[u8] {
        self.0.expose()
    }
}

impl fmt::Debug for SealerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealerKey(..)")
    }
}

/// Tests of this crate take the least, for their number.
const NEW_MEMORY_KIB: u32 = if cfg!(test) { 8 * 1024 } else { 64 * 1024 };

/// What was given to open a unit.
#[derive(Debug)]
pub enum Opening {
    /// A passphrase.
    Passphrase(Secret),
    /// Shares, as many as are needed or more.
    Shares(Vec<SealerShare>),
    /// The bytes of a credential.
    Credential(Secret),
}

/// What a try of a passphrase costs: Argon2id's parameters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cost {
    /// Memory in KiB.
    memory_kib: u32,
    /// Passes over it.
    passes: u32,
    /// Lanes.
    lanes: u32,
}

impl Cost {
    /// RFC 9106's second recommendation but for the lanes, which the library runs one after the other:
    /// 64 MiB and three passes. A unit is unlocked once in a while, so a try may cost more than a PIN's.
    pub(super) const NEW: Cost = Cost { memory_kib: NEW_MEMORY_KIB, passes: 3, lanes: 1 };

    /// Whether a file may ask for this much: a changed file must neither make tries cheap nor a process
    /// take all memory.
    pub(super) fn is_acceptable(self) -> bool {
        (8 * 1024..=1024 * 1024).contains(&self.memory_kib)
            && (1..=16).contains(&self.passes)
            && (1..=16).contains(&self.lanes)
    }
}

/// Argon2id of a passphrase.
pub(super) fn of_passphrase(passphrase: &Secret, salt: &[u8], cost: Cost) -> Result<SealerKey> {
    let failed = |_| Error::CryptoFailed("Argon2id");
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(KEY)).map_err(failed)?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    SealerKey::filled(|key| argon.hash_password_into(passphrase.expose(), salt, key).map_err(failed))
}

/// Whether a new passphrase may be used.
///
/// # Errors
/// `ArgumentsBad` for one that is too short.
pub(super) fn check_passphrase(passphrase: &Secret) -> Result<()> {
    if passphrase.len() < PASSPHRASE_MIN {
        return Err(Error::ArgumentsBad("a unit's passphrase has at least 8 bytes"));
    }
    Ok(())
}

/// The key of a credential's bytes.
///
/// # Errors
/// `UnitSealed` for fewer than 32 bytes, or more than 4096.
pub(super) fn of_credential(bytes: &Secret) -> Result<SealerKey> {
    if !(CREDENTIAL_MIN..=CREDENTIAL_MAX).contains(&bytes.len()) {
        let text = "a credential that seals a unit has 32 to 4096 bytes: `openssl rand 32` makes one";
        return Err(Error::UnitSealed(text.to_owned()));
    }
    let hkdf = Hkdf::<Sha256>::new(Some(b"softhsm-rs credential"), bytes.expose());
    SealerKey::filled(|key| hkdf.expand(b"sealer key", key).map_err(|_| Error::CryptoFailed("HKDF")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_have_bounds() {
        assert!(Cost::NEW.is_acceptable());
        for (memory_kib, passes, lanes) in [
            (8 * 1024 - 1, 3, 1),
            (1024 * 1024 + 1, 3, 1),
            (u32::MAX, 3, 1),
            (65536, 0, 1),
            (65536, 17, 1),
            (65536, 3, 0),
            (65536, 3, 17),
        ] {
            assert!(!Cost { memory_kib, passes, lanes }.is_acceptable(), "{memory_kib} {passes} {lanes}");
        }
    }

    #[test]
    fn a_credential_has_32_bytes_or_more() {
        let key = |length| of_credential(&Secret::copy_of(&vec![7; length]));
        assert!(key(31).is_err() && key(0).is_err() && key(4097).is_err());
        assert_ne!(key(32).unwrap().expose(), key(33).unwrap().expose());
        assert_ne!(key(32).unwrap().expose(), [7; 32]);
        assert!(key(4096).is_ok());
    }

    #[test]
    fn a_key_is_not_shown() {
        let key = SealerKey::copy_of(&[7; KEY]).unwrap();
        assert_eq!(format!("{key:?}"), "SealerKey(..)");
        assert!(SealerKey::read(&mut [1_u8; 31].as_slice()).is_err());
        assert_eq!(SealerKey::read(&mut [1_u8; 32].as_slice()).unwrap().expose(), [1; 32]);
    }
}
