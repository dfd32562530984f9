//! What the unit's state is sealed with at rest: today a file of the owner. Whoever reads both files
//! has the master key; keep them apart in backups. Other sealers (a passphrase, key shares) are
//! variants to come, told apart by the number in the unit file's header.

use std::path::{Path, PathBuf};

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::disk::{self, Access, UnitPaths};
use crate::error::{Error, Result};
use crate::rng;
use crate::secret::Secret;

/// Bytes of an owner file's key.
const KEY: usize = 32;

/// What a sealer's name has behind it until it takes the place of another.
const NEXT: &str = ".next";

/// Which kind of sealer a unit file asks for; the number stands in its header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SealerKind {
    /// [`Sealer::OwnerFile`]
    OwnerFile = 1,
}

impl SealerKind {
    /// The number in the unit file's header.
    pub(super) fn code(self) -> u8 {
        match self {
            SealerKind::OwnerFile => 1,
        }
    }

    /// The reverse of [`SealerKind::code`].
    pub(super) fn of_code(code: u8) -> Option<SealerKind> {
        match code {
            1 => Some(SealerKind::OwnerFile),
            _ => None,
        }
    }
}

/// What seals a unit file.
#[derive(Debug)]
pub enum Sealer {
    /// 32 random bytes in a file of their own.
    OwnerFile {
        /// The file.
        path: PathBuf,
        /// Its bytes.
        key: Secret,
    },
}

/// What a sealer gives for one unit file.
pub(super) struct FileKeys {
    /// Encrypts the state.
    pub(super) encryption: Zeroizing<[u8; 32]>,
    /// Shows in the header that this sealer was used, and no other.
    pub(super) check: [u8; 32],
}

impl Sealer {
    /// The sealer of this kind at its place.
    ///
    /// # Errors
    /// `UnitSealed` if it is not there.
    pub fn find(paths: &UnitPaths, kind: SealerKind) -> Result<Sealer> {
        match kind {
            SealerKind::OwnerFile => Sealer::owner_file(&paths.sealer)?.ok_or_else(|| missing(&paths.sealer)),
        }
    }

    /// The owner file at its place, made if there is none. An existing one is never replaced: a
    /// unit file elsewhere may need it.
    pub(super) fn find_or_make(paths: &UnitPaths, access: Access) -> Result<Sealer> {
        if let Some(sealer) = Sealer::owner_file(&paths.sealer)? {
            return Ok(sealer);
        }
        let key = rng::secret(KEY)?;
        disk::write_new(&paths.sealer, key.expose(), access)?;
        Ok(Sealer::OwnerFile { path: paths.sealer.clone(), key })
    }

    /// A new sealer beside the one in use, for a unit whose old secrets nobody is to open again. It takes
    /// the place of the old one by [`Sealer::promote`], once the unit file is sealed with it.
    pub(super) fn successor(paths: &UnitPaths, access: Access) -> Result<Sealer> {
        let key = rng::secret(KEY)?;
        let path = disk::with_suffix(&paths.sealer, NEXT);
        disk::replace(&path, key.expose(), access)?;
        Ok(Sealer::OwnerFile { path, key })
    }

    /// The successor that an interrupted zeroizing left behind.
    pub(super) fn find_successor(paths: &UnitPaths) -> Result<Option<Sealer>> {
        Sealer::owner_file(&disk::with_suffix(&paths.sealer, NEXT))
    }

    /// Destroys the old sealer and puts this successor into its place.
    pub(super) fn promote(self, paths: &UnitPaths) -> Result<Sealer> {
        let Sealer::OwnerFile { path, key } = self;
        disk::destroy(&paths.sealer)?;
        disk::rename(&path, &paths.sealer)?;
        Ok(Sealer::OwnerFile { path: paths.sealer.clone(), key })
    }

    fn owner_file(path: &Path) -> Result<Option<Sealer>> {
        let Some(bytes) = disk::read(path, KEY)?.map(Secret::new) else { return Ok(None) };
        if bytes.len() != KEY {
            let reason = "a sealer file has 32 bytes: put back the one this HSM was made with";
            return Err(Error::FileDamaged { path: path.to_owned(), reason: reason.to_owned() });
        }
        disk::warn_if_public(path)?;
        Ok(Some(Sealer::OwnerFile { path: path.to_owned(), key: bytes }))
    }

    /// The sealer's kind.
    pub fn kind(&self) -> SealerKind {
        match self {
            Sealer::OwnerFile { .. } => SealerKind::OwnerFile,
        }
    }

    /// Where the sealer is, for messages.
    pub(super) fn place(&self) -> &Path {
        match self {
            Sealer::OwnerFile { path, .. } => path,
        }
    }

    /// The keys of one unit file, by its salt and what its header says.
    pub(super) fn file_keys(&self, salt: &[u8], context: &[u8]) -> Result<FileKeys> {
        let key = match self {
            Sealer::OwnerFile { key, .. } => key,
        };
        let hkdf = Hkdf::<Sha256>::new(Some(salt), key.expose());
        let failed = |_| Error::CryptoFailed("HKDF");
        let mut keys = FileKeys { encryption: Zeroizing::new([0; 32]), check: [0; 32] };
        hkdf.expand_multi_info(&[b"softhsm-rs unit file: encryption", context], &mut *keys.encryption)
            .map_err(failed)?;
        hkdf.expand_multi_info(&[b"softhsm-rs unit file: sealer check", context], &mut keys.check)
            .map_err(failed)?;
        Ok(keys)
    }
}

fn missing(path: &Path) -> Error {
    Error::UnitSealed(format!(
        "the sealer file is expected at {}: put it back from where it is kept",
        path.display()
    ))
}
