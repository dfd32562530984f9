//! Key shares that open a unit: a random key in n parts, of which k give it back (Shamir's scheme over
//! GF(2^8)). Each share is a JSON file under a passphrase, which may be empty, as the files of key parts are.
//! The sealer's file keeps a hash of each share, so that a share that is altered or foreign is named.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::identity::HsmId;
use super::key_file;
use super::sealer_file::SealerId;
use super::sealer_key::{KEY, SealerKey};
use crate::crypto::{Part, SplitMethod, join, split};
use crate::error::{Error, Result};
use crate::rng;
use crate::secret::Secret;

/// The most shares of a unit.
pub const SHARES_MAX: u8 = 32;

/// What a share's file says it is.
const KEY_TYPE: &str = "sealershare";

/// The share's own file.
#[derive(Serialize, Deserialize)]
struct ShareFile {
    #[serde(rename = "keyType")]
    key_type: String,
    /// The HSM that it opens.
    hsm: String,
    /// The set that it is one of.
    set: String,
    /// Which one, from 1.
    number: u8,
    /// How many are needed.
    threshold: u8,
    /// How many there are.
    of: u8,
    #[serde(rename = "seaSalt")]
    salt: String,
    #[serde(rename = "enckey")]
    encrypted: String,
}

/// What a share says of itself without its passphrase.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ShareLabel {
    /// The HSM that it opens.
    pub hsm_id: HsmId,
    /// Which one, from 1.
    pub number: u8,
    /// How many are needed.
    pub threshold: u8,
    /// How many there are.
    pub of: u8,
}

/// One share.
#[derive(Debug)]
pub struct SealerShare {
    /// What it says of itself.
    pub label: ShareLabel,
    set: String,
    value: Secret,
    /// Where it was read, for messages.
    path: PathBuf,
}

/// What the sealer's file keeps of a set of shares.
#[derive(Clone, Debug)]
pub(super) struct Set {
    id: SealerId,
    hsm: HsmId,
    threshold: u8,
    /// A hash of each share, in the order of their numbers.
    checks: Vec<[u8; 32]>,
}

impl Set {
    /// A new key in `count` shares, of which `threshold` give it back.
    ///
    /// # Errors
    /// `ArgumentsBad` for numbers that do not go together: 2 ≤ threshold ≤ count ≤ 32.
    pub(super) fn deal(hsm: HsmId, threshold: u8, count: u8) -> Result<(Set, SealerKey, Vec<SealerShare>)> {
        if count > SHARES_MAX {
            return Err(Error::ArgumentsBad("a unit has 32 shares at most"));
        }
        let key = rng::secret(KEY)?;
        let parts = split(SplitMethod::PolynomialGf256, key.expose(), count.into(), threshold.into())?;
        let id = rng::array()?;
        let checks = parts.iter().map(|part| check(&id, part.number, &part.bytes)).collect();
        let set = Set { id, hsm, threshold, checks };
        let shares = parts.into_iter().map(|part| SealerShare {
            label: ShareLabel { hsm_id: set.hsm, number: part.number, threshold, of: count },
            set: hex::encode(id),
            value: part.bytes,
            path: PathBuf::new(),
        });
        let shares = shares.collect();
        Ok((set, SealerKey::copy_of(key.expose())?, shares))
    }

    /// A set as its file has it; `None` for numbers that do not go together, and for a name that is no HSM's.
    pub(super) fn of_stored(id: SealerId, hsm: &str, threshold: u8, checks: Vec<[u8; 32]>) -> Option<Set> {
        let fits = threshold >= 2 && (usize::from(threshold)..=SHARES_MAX.into()).contains(&checks.len());
        let hsm = hsm.parse().ok()?;
        fits.then_some(Set { id, hsm, threshold, checks })
    }

    pub(super) fn id(&self) -> SealerId {
        self.id
    }

    pub(super) fn hsm(&self) -> HsmId {
        self.hsm
    }

    /// How many shares are needed.
    pub(super) fn threshold(&self) -> u8 {
        self.threshold
    }

    /// A hash of each share.
    pub(super) fn checks(&self) -> &[[u8; 32]] {
        &self.checks
    }

    /// The key that the shares give.
    ///
    /// # Errors
    /// `FileDamaged` naming a share that is of another set or was altered, `UnitSealed` for one that is there
    /// twice and for too few.
    pub(super) fn join(&self, shares: &[SealerShare]) -> Result<SealerKey> {
        let mut parts: Vec<Part> = Vec::new();
        for share in shares {
            self.admit(share)?;
            let number = share.label.number;
            if parts.iter().any(|part| part.number == number) {
                let path = share.path.display();
                return Err(Error::UnitSealed(format!("share {number} was given twice, again by {path}")));
            }
            parts.push(Part { number, bytes: share.value.duplicate() });
        }
        let (given, needed) = (parts.len(), usize::from(self.threshold));
        if given < needed {
            return Err(Error::UnitSealed(format!("{needed} shares are needed, and {given} were given")));
        }
        let key = join(SplitMethod::PolynomialGf256, needed, &parts)?;
        SealerKey::copy_of(key.expose())
    }

    fn admit(&self, share: &SealerShare) -> Result<()> {
        let label = &share.label;
        if label.hsm_id != self.hsm {
            return Err(damaged(&share.path, &format!("it is a share of another HSM, {}", label.hsm_id)));
        }
        if share.set != hex::encode(self.id) {
            return Err(damaged(&share.path, "it is a share of another set: this unit was sealed anew"));
        }
        let expected = label.number.checked_sub(1).and_then(|index| self.checks.get(usize::from(index)));
        let found = check(&self.id, label.number, &share.value);
        let says = (label.threshold, usize::from(label.of));
        if expected != Some(&found) || says != (self.threshold, self.checks.len()) {
            return Err(damaged(&share.path, "it was altered: take a copy of the share as it was"));
        }
        Ok(())
    }
}

impl SealerShare {
    /// Writes the share to a new file of mode 0600, under a passphrase.
    ///
    /// # Errors
    /// What keeps the file from being written, one of that name among it.
    pub fn save(&self, path: &Path, passphrase: &Secret) -> Result<()> {
        let (salt, encrypted) = key_file::encrypt(passphrase, self.value.expose())?;
        let ShareLabel { hsm_id, number, threshold, of } = self.label.clone();
        let (key_type, set) = (KEY_TYPE.to_owned(), self.set.clone());
        key_file::write(
            path,
            &ShareFile { key_type, hsm: hsm_id.to_string(), set, number, threshold, of, salt, encrypted },
        )
    }

    /// Reads the share of such a file.
    ///
    /// # Errors
    /// `FileDamaged` if the passphrase is wrong or the file is no share.
    pub fn load(path: &Path, passphrase: &Secret) -> Result<SealerShare> {
        let file = read(path)?;
        let value = key_file::decrypt(path, passphrase, &file.salt, &file.encrypted)?;
        let label = file.label(path)?;
        Ok(SealerShare { label, set: file.set, value: value.into(), path: path.to_owned() })
    }

    /// What the share in a file says of itself, read without its passphrase and not checked.
    ///
    /// # Errors
    /// `FileDamaged` if the file is no share.
    pub fn label_of(path: &Path) -> Result<ShareLabel> {
        read(path)?.label(path)
    }
}

impl ShareFile {
    /// The file is anybody's until the share in it was checked: what is shown of it is an identifier and numbers.
    fn label(&self, path: &Path) -> Result<ShareLabel> {
        let hsm_id = self.hsm.parse().map_err(|_| damaged(path, "it names no HSM: restore it"))?;
        let ShareFile { number, threshold, of, .. } = *self;
        Ok(ShareLabel { hsm_id, number, threshold, of })
    }
}

fn read(path: &Path) -> Result<ShareFile> {
    let file: ShareFile = key_file::read(path)?;
    if file.key_type == KEY_TYPE { Ok(file) } else { Err(damaged(path, "this is no share of a sealer")) }
}

/// The share's value has 32 random bytes, so that the hash tells nobody anything.
fn check(id: &SealerId, number: u8, value: &Secret) -> [u8; 32] {
    let hash = Sha256::new().chain_update(b"softhsm-rs sealer share").chain_update(id);
    hash.chain_update([number]).chain_update(value.expose()).finalize().into()
}

fn damaged(path: &Path, reason: &str) -> Error {
    Error::FileDamaged { path: path.to_owned(), reason: reason.to_owned() }
}
