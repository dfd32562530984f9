//! What the unit's state is sealed with at rest. Every kind has a file of its owner's (`sealer_file`) with 32
//! random bytes. With the kind `OwnerFile` they are all there is: whoever reads both files has the master
//! key; keep them apart in backups. With the others they are combined with a key that people or the system
//! give (`sealer_key`), so that a copy of both files opens nothing. Zeroizing destroys the random bytes, of
//! whatever kind: what people still know then opens no copy either.

use std::path::{Path, PathBuf};

use hkdf::Hkdf;
use serde::Serialize;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::disk::{self, Access, UnitPaths};
use super::file::UnitHeader;
use super::holder;
use super::identity::HsmId;
use super::sealer_file::{Form, SealerFile};
use super::sealer_key::{self, CREDENTIAL_MAX, Opening, SealerKey};
use super::shares::{self, SealerShare};
use crate::error::{Error, Result};
use crate::rng;
use crate::secret::Secret;

/// What a sealer's name has behind it until it takes the place of another.
const NEXT: &str = ".next";

/// Which kind of sealer a unit file asks for; the number stands in its header.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SealerKind {
    /// The owner's file, which opens the unit by itself.
    OwnerFile = 1,
    /// A passphrase, given when the unit is unlocked.
    Passphrase = 2,
    /// Key shares, of which some are given when the unit is unlocked.
    Shares = 3,
    /// A credential, which the system's service manager gives to the services that may have it.
    Credential = 4,
}

impl SealerKind {
    const ALL: [SealerKind; 4] =
        [SealerKind::OwnerFile, SealerKind::Passphrase, SealerKind::Shares, SealerKind::Credential];

    /// The number in the unit file's header.
    pub(super) fn code(self) -> u8 {
        match self {
            SealerKind::OwnerFile => 1,
            SealerKind::Passphrase => 2,
            SealerKind::Shares => 3,
            SealerKind::Credential => 4,
        }
    }

    /// The reverse of [`SealerKind::code`].
    pub(super) fn of_code(code: u8) -> Option<SealerKind> {
        SealerKind::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// What it is called in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            SealerKind::OwnerFile => "owner-file",
            SealerKind::Passphrase => "passphrase",
            SealerKind::Shares => "shares",
            SealerKind::Credential => "credential",
        }
    }
}

/// What seals a unit file.
#[derive(Debug)]
pub struct Sealer {
    path: PathBuf,
    file: SealerFile,
    /// What is combined with the file's bytes; the owner's file needs nothing.
    key: Option<SealerKey>,
}

/// What a sealer gives for one unit file.
pub(super) struct FileKeys {
    /// Encrypts the state.
    pub(super) encryption: Zeroizing<[u8; 32]>,
    /// Shows in the header that this sealer was used, and no other.
    pub(super) check: [u8; 32],
}

/// A new sealer, which no file has yet.
#[derive(Debug)]
pub struct FreshSealer {
    file: SealerFile,
    key: Option<SealerKey>,
}

impl FreshSealer {
    /// The owner's file.
    ///
    /// # Errors
    /// The random generator's.
    pub fn owner_file() -> Result<FreshSealer> {
        Ok(FreshSealer { file: SealerFile::new(Form::Owner)?, key: None })
    }

    /// A passphrase.
    ///
    /// # Errors
    /// `ArgumentsBad` for one of fewer than 8 bytes.
    pub fn passphrase(passphrase: Secret) -> Result<FreshSealer> {
        sealer_key::check_passphrase(&passphrase)?;
        let file = SealerFile::new(SealerFile::passphrase()?)?;
        let key = file.key_of(&Opening::Passphrase(passphrase))?;
        Ok(FreshSealer { file, key: Some(key) })
    }

    /// The bytes of a credential.
    ///
    /// # Errors
    /// `UnitSealed` for fewer than 32 bytes.
    pub fn credential(bytes: Secret) -> Result<FreshSealer> {
        let file = SealerFile::new(Form::Credential { id: rng::array()? })?;
        let key = file.key_of(&Opening::Credential(bytes))?;
        Ok(FreshSealer { file, key: Some(key) })
    }

    /// Shares of the unit of this HSM: `count`, of which `threshold` open it. The shares have to be safe
    /// before the unit is sealed by them.
    ///
    /// # Errors
    /// `ArgumentsBad` for numbers that do not go together: 2 ≤ threshold ≤ count ≤ 32.
    pub fn shares(hsm: HsmId, threshold: u8, count: u8) -> Result<(FreshSealer, Vec<SealerShare>)> {
        let (set, key, shares) = shares::Set::deal(hsm, threshold, count)?;
        Ok((FreshSealer { file: SealerFile::new(Form::Shares(set))?, key: Some(key) }, shares))
    }

    /// Writes it beside the one in use. It takes the place of that by [`Sealer::promote`], once the unit file is
    /// sealed with it.
    pub(super) fn write(self, paths: &UnitPaths, access: Access) -> Result<Sealer> {
        let path = next_path(paths);
        self.file.write(&path, access)?;
        Ok(Sealer { path, file: self.file, key: self.key })
    }
}

/// Where a sealer is until it takes the place of another.
pub(super) fn next_path(paths: &UnitPaths) -> PathBuf {
    disk::with_suffix(&paths.sealer, NEXT)
}

impl Sealer {
    /// The sealer that the unit's header asks for, at its place.
    ///
    /// # Errors
    /// `UnitSealed` if it is not there or of another kind, or if nobody has given what it needs; `FileDamaged`.
    pub fn find(paths: &UnitPaths, header: &UnitHeader, given: Option<&Opening>) -> Result<Sealer> {
        Sealer::at(&paths.sealer, paths, header, given)?.ok_or_else(|| missing(&paths.sealer))
    }

    /// The sealer that an interrupted change left behind.
    pub(super) fn find_successor(
        paths: &UnitPaths,
        header: &UnitHeader,
        given: Option<&Opening>,
    ) -> Result<Option<Sealer>> {
        Sealer::at(&next_path(paths), paths, header, given)
    }

    fn at(
        path: &Path,
        paths: &UnitPaths,
        header: &UnitHeader,
        given: Option<&Opening>,
    ) -> Result<Option<Sealer>> {
        let Some(file) = SealerFile::read(path)? else { return Ok(None) };
        let kind = header.sealer;
        if file.kind() != kind {
            return Err(Error::UnitSealed(format!(
                "{} is of another kind than the unit file asks for ({}): put back the sealer that this HSM was \
                 sealed with",
                path.display(),
                kind.name()
            )));
        }
        let key = match (kind, given) {
            (SealerKind::OwnerFile, _) => None,
            (_, Some(given)) => Some(file.key_of(given)?),
            (SealerKind::Credential, None) => Some(system_key(paths)?),
            (SealerKind::Passphrase | SealerKind::Shares, None) => Some(held_key(paths, kind)?),
        };
        Ok(Some(Sealer { path: path.to_owned(), file, key }))
    }

    /// The owner file at its place, made if there is none. An existing one is never replaced: a
    /// unit file elsewhere may need it.
    pub(super) fn find_or_make(paths: &UnitPaths, access: Access) -> Result<Sealer> {
        let path = paths.sealer.clone();
        match SealerFile::read(&path)? {
            Some(file) if file.kind() == SealerKind::OwnerFile => Ok(Sealer { path, file, key: None }),
            Some(_) => {
                let reason = "it is the sealer of a unit that is not here: put that back, or move this away";
                Err(Error::FileDamaged { path, reason: reason.to_owned() })
            }
            None => {
                let file = SealerFile::new(Form::Owner)?;
                file.write(&path, access)?;
                Ok(Sealer { path, file, key: None })
            }
        }
    }

    /// The same passphrase, shares or credential beside new random bytes, for a unit whose old secrets nobody is
    /// to open again.
    pub(super) fn successor(&self) -> Result<FreshSealer> {
        Ok(FreshSealer { file: self.file.renewed()?, key: self.key.clone() })
    }

    /// Destroys the old sealer and puts this successor into its place.
    pub(super) fn promote(self, paths: &UnitPaths) -> Result<Sealer> {
        disk::destroy(&paths.sealer)?;
        disk::rename(&self.path, &paths.sealer)?;
        Ok(Sealer { path: paths.sealer.clone(), ..self })
    }

    /// The sealer's kind.
    pub fn kind(&self) -> SealerKind {
        self.file.kind()
    }

    /// What people or the system gave, for the process that holds it; `None` with the owner's file.
    pub fn key(&self) -> Option<&SealerKey> {
        self.key.as_ref()
    }

    /// [`Sealer::shares`] of the sealer at its place, whether it is open or not.
    ///
    /// # Errors
    /// `FileDamaged`, and a file that cannot be read.
    pub fn shares_at(paths: &UnitPaths) -> Result<Option<(u8, usize)>> {
        let file = SealerFile::read(&paths.sealer)?;
        Ok(file.and_then(|file| Sealer { path: paths.sealer.clone(), file, key: None }.shares()))
    }

    /// Of the shares that the sealer asks for, how many are needed and how many there are.
    pub fn shares(&self) -> Option<(u8, usize)> {
        match &self.file.form {
            Form::Shares(set) => Some((set.threshold(), set.checks().len())),
            _ => None,
        }
    }

    /// Says that this sealer does not open a unit file, and what may be the reason.
    pub(super) fn misfit(&self, unit: &Path) -> Error {
        let (place, unit) = (self.path.display(), unit.display());
        Error::UnitSealed(match self.kind() {
            SealerKind::OwnerFile => format!(
                "the sealer at {place} does not fit {unit}: put back the sealer that this HSM was made with, or, if \
                 the unit file was damaged, restore that from a backup"
            ),
            SealerKind::Passphrase => format!(
                "the passphrase is wrong, or {place} does not belong to {unit}; if a holder process runs, end it \
                 (`softhsm-rs lock`) and unlock anew"
            ),
            SealerKind::Shares => format!(
                "{place} does not belong to {unit}; if a holder process runs, end it (`softhsm-rs lock`) and unlock \
                 anew"
            ),
            SealerKind::Credential => {
                format!("the credential is another one, or {place} does not belong to {unit}")
            }
        })
    }

    /// The keys of one unit file, by its salt and what its header says.
    pub(super) fn file_keys(&self, salt: &[u8], context: &[u8]) -> Result<FileKeys> {
        let failed = |_| Error::CryptoFailed("HKDF");
        let mut combined = Zeroizing::new([0; 32]);
        let secret = match &self.key {
            None => self.file.bytes().expose(),
            Some(key) => {
                let hkdf = Hkdf::<Sha256>::new(Some(self.file.bytes().expose()), key.expose());
                let info: [&[u8]; 2] = [b"softhsm-rs sealer: ", self.kind().name().as_bytes()];
                hkdf.expand_multi_info(&info, &mut *combined).map_err(failed)?;
                combined.as_slice()
            }
        };
        let hkdf = Hkdf::<Sha256>::new(Some(salt), secret);
        let mut keys = FileKeys { encryption: Zeroizing::new([0; 32]), check: [0; 32] };
        hkdf.expand_multi_info(&[b"softhsm-rs unit file: encryption", context], &mut *keys.encryption)
            .map_err(failed)?;
        hkdf.expand_multi_info(&[b"softhsm-rs unit file: sealer check", context], &mut keys.check)
            .map_err(failed)?;
        Ok(keys)
    }
}

/// The key of the process that holds it.
fn held_key(paths: &UnitPaths, kind: SealerKind) -> Result<SealerKey> {
    holder::ask(paths)?.ok_or_else(|| {
        let what =
            if kind == SealerKind::Shares { "its key shares open it" } else { "its passphrase opens it" };
        Error::UnitSealed(format!("{what}: run `softhsm-rs unlock`"))
    })
}

/// The key of the credential that this process was given, or of the process that holds it.
fn system_key(paths: &UnitPaths) -> Result<SealerKey> {
    let given = match &paths.credential {
        Some(path) => disk::read(path, CREDENTIAL_MAX)?.map(Secret::new),
        None => None,
    };
    if let Some(bytes) = given {
        return sealer_key::of_credential(&bytes);
    }
    holder::ask(paths)?.ok_or_else(|| {
        let place = paths.credential.as_ref().map_or_else(
            || "this process was given no credentials".to_owned(),
            |path| format!("there is no credential {}", path.display()),
        );
        Error::UnitSealed(format!(
            "{place}: have the service manager give it (LoadCredentialEncrypted=), or run `softhsm-rs unlock` \
             where it is"
        ))
    })
}

fn missing(path: &Path) -> Error {
    Error::UnitSealed(format!(
        "the sealer file is expected at {}: put it back from where it is kept",
        path.display()
    ))
}
