//! The sealer's file: 32 random bytes, and where people or the system have to add something, what is needed
//! to make a key of that. The owner's file is the bytes alone; the others are JSON:
//!
//! | member | what |
//! |---|---|
//! | `sealer` | `passphrase`, `shares` or `credential` |
//! | `version` | 1 |
//! | `id` | 16 bytes, new with each passphrase and each set of shares |
//! | `bytes` | 32 random bytes, secret: zeroizing destroys them |
//! | `salt`, `cost` | of a passphrase: Argon2id's |
//! | `hsm`, `threshold`, `checks` | of shares: whose they are, how many are needed, a hash of each |
//!
//! Bytes are in hexadecimal digits.

use std::path::Path;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::disk::{self, Access};
use super::sealer::SealerKind;
use super::sealer_key::{self, Cost, KEY, Opening, SealerKey};
use super::shares;
use crate::error::{Error, Result};
use crate::rng;
use crate::secret::Secret;

const VERSION: u32 = 1;
/// The longest file; one of 32 shares is a third of it.
const FILE_MAX: usize = 8 * 1024;
const SALT: usize = 16;

/// Which passphrase or set of shares it is.
pub(super) type SealerId = [u8; 16];

/// A sealer's file, read or to be written.
#[derive(Debug)]
pub(super) struct SealerFile {
    /// The random bytes.
    bytes: Secret,
    pub(super) form: Form,
}

/// What has to be added to the bytes.
#[derive(Debug)]
pub(super) enum Form {
    Owner,
    Passphrase { id: SealerId, salt: [u8; SALT], cost: Cost },
    Shares(shares::Set),
    Credential { id: SealerId },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored<'a> {
    sealer: &'a str,
    version: u32,
    id: &'a str,
    bytes: &'a str,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    salt: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cost: Option<Cost>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hsm: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    threshold: Option<u8>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    checks: Vec<String>,
}

impl SealerFile {
    /// A new file of this form.
    pub(super) fn new(form: Form) -> Result<SealerFile> {
        Ok(SealerFile { bytes: rng::secret(KEY)?, form })
    }

    /// The parameters of a new passphrase.
    pub(super) fn passphrase() -> Result<Form> {
        Ok(Form::Passphrase { id: rng::array()?, salt: rng::array()?, cost: Cost::NEW })
    }

    /// The same passphrase, shares or credential, beside new bytes.
    pub(super) fn renewed(&self) -> Result<SealerFile> {
        SealerFile::new(match &self.form {
            Form::Owner => Form::Owner,
            Form::Passphrase { id, salt, cost } => Form::Passphrase { id: *id, salt: *salt, cost: *cost },
            Form::Shares(set) => Form::Shares(set.clone()),
            Form::Credential { id } => Form::Credential { id: *id },
        })
    }

    pub(super) fn kind(&self) -> SealerKind {
        match self.form {
            Form::Owner => SealerKind::OwnerFile,
            Form::Passphrase { .. } => SealerKind::Passphrase,
            Form::Shares(_) => SealerKind::Shares,
            Form::Credential { .. } => SealerKind::Credential,
        }
    }

    /// The random bytes.
    pub(super) fn bytes(&self) -> &Secret {
        &self.bytes
    }

    /// The key that comes of what was given.
    ///
    /// # Errors
    /// `UnitSealed` if it is not what this sealer asks for, `FileDamaged` naming a share that is none of its own.
    pub(super) fn key_of(&self, given: &Opening) -> Result<SealerKey> {
        match (&self.form, given) {
            (Form::Passphrase { salt, cost, .. }, Opening::Passphrase(passphrase)) => {
                sealer_key::of_passphrase(passphrase, salt, *cost)
            }
            (Form::Shares(set), Opening::Shares(shares)) => set.join(shares),
            (Form::Credential { .. }, Opening::Credential(bytes)) => sealer_key::of_credential(bytes),
            _ => Err(Error::UnitSealed(format!("what opens it is {}", self.kind().name()))),
        }
    }

    /// Reads a file; `None` if there is none.
    pub(super) fn read(path: &Path) -> Result<Option<SealerFile>> {
        let Some(bytes) = disk::read(path, FILE_MAX)?.map(Secret::new) else { return Ok(None) };
        let file = if bytes.len() == KEY {
            Some(SealerFile { bytes, form: Form::Owner })
        } else {
            serde_json::from_slice(bytes.expose()).ok().and_then(SealerFile::of_stored)
        };
        let Some(file) = file else {
            let reason = "it is no sealer of 32 bytes, nor one of another kind: put back the one this HSM was \
                          made with";
            return Err(Error::FileDamaged { path: path.to_owned(), reason: reason.to_owned() });
        };
        disk::warn_if_public(path)?;
        Ok(Some(file))
    }

    fn of_stored(stored: Stored<'_>) -> Option<SealerFile> {
        let mut bytes = Secret::zeroed(KEY);
        hex::decode_to_slice(stored.bytes, bytes.expose_mut()).ok()?;
        let id = decoded(stored.id)?;
        let Stored { sealer, version, salt, cost, hsm, threshold, checks, .. } = stored;
        let form = match (sealer, salt, cost, hsm, threshold) {
            ("passphrase", Some(salt), Some(cost), None, None)
                if cost.is_acceptable() && checks.is_empty() =>
            {
                Form::Passphrase { id, salt: decoded(&salt)?, cost }
            }
            ("shares", None, None, Some(hsm), Some(threshold)) => {
                let checks = checks.iter().map(|check| decoded(check)).collect::<Option<_>>()?;
                Form::Shares(shares::Set::of_stored(id, &hsm, threshold, checks)?)
            }
            ("credential", None, None, None, None) if checks.is_empty() => Form::Credential { id },
            _ => return None,
        };
        (version == VERSION).then_some(SealerFile { bytes, form })
    }

    /// Writes the file whole, over an older one if there is one.
    pub(super) fn write(&self, path: &Path, access: Access) -> Result<()> {
        let id = match &self.form {
            Form::Owner => return disk::replace(path, self.bytes.expose(), access),
            Form::Passphrase { id, .. } | Form::Credential { id } => *id,
            Form::Shares(set) => set.id(),
        };
        let (id, bytes) = (hex::encode(id), Zeroizing::new(hex::encode(self.bytes.expose())));
        let mut stored = Stored {
            sealer: self.kind().name(),
            version: VERSION,
            id: &id,
            bytes: &bytes,
            salt: None,
            cost: None,
            hsm: None,
            threshold: None,
            checks: Vec::new(),
        };
        match &self.form {
            Form::Owner | Form::Credential { .. } => {}
            Form::Passphrase { salt, cost, .. } => {
                (stored.salt, stored.cost) = (Some(hex::encode(salt)), Some(*cost));
            }
            Form::Shares(set) => {
                (stored.hsm, stored.threshold) = (Some(set.hsm().to_string()), Some(set.threshold()));
                stored.checks = set.checks().iter().map(hex::encode).collect();
            }
        }
        disk::replace(path, encoded(&stored)?.expose(), access)
    }
}

/// In a fixed buffer, since a growing one leaves copies of what it held.
fn encoded(stored: &Stored<'_>) -> Result<Secret> {
    let mut buffer = Secret::zeroed(FILE_MAX);
    let mut rest = buffer.expose_mut();
    serde_json::to_writer(&mut rest, stored).map_err(|_| Error::CryptoFailed("encoding JSON"))?;
    let used = FILE_MAX - rest.len();
    Ok(Secret::copy_of(buffer.expose().get(..used).unwrap_or_default()))
}

fn decoded<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(digits, &mut bytes).ok()?;
    Some(bytes)
}
