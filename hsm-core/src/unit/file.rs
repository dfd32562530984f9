//! The unit file: a header that anybody may read, and the state sealed behind it.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | magic `SHSMUNIT` |
//! | 2 | format version, big endian: 1 |
//! | 1 | kind of sealer: 1 owner's file, 2 passphrase, 3 key shares, 4 credential |
//! | 1 | zero |
//! | 16 | HSM id |
//! | 8 | epoch of the master key, big endian |
//! | 32 | salt of the file's keys, drawn at each writing |
//! | 32 | sealer check: says without opening whether a sealer fits |
//! | 12 | nonce |
//! | rest | AES-256-GCM of the state; the header is its associated data |
//!
//! An older copy of the file put back is not noticed here.

use std::path::Path;

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit};
use subtle::ConstantTimeEq;

use super::disk::{self, Access, UnitPaths};
use super::identity::HsmId;
use super::sealer::{Sealer, SealerKind};
use super::state::State;
use super::stored;
use crate::error::{Error, Result};
use crate::rng;
use crate::secret::Secret;

const MAGIC: [u8; 8] = *b"SHSMUNIT";
const VERSION: u16 = 1;
const HEADER: usize = 112;
const TAG: usize = 16;
/// The longest file; a unit with eight administrators needs a third of it.
const FILE_MAX: usize = HEADER + stored::STATE_MAX + TAG;

/// What a unit file says while it is sealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnitHeader {
    /// The HSM that the unit belongs to.
    pub hsm_id: HsmId,
    /// The epoch of the master key: it rises when another one becomes current.
    pub epoch: u64,
    /// What opens the file.
    pub sealer: SealerKind,
    salt: [u8; 32],
    check: [u8; 32],
    nonce: [u8; 12],
}

impl UnitHeader {
    /// Reads a unit file's header. It is authenticated only when the file is opened.
    ///
    /// # Errors
    /// `NoHsm` if there is no file, `FileDamaged` if it is not a unit file of this version.
    pub fn read(path: &Path) -> Result<UnitHeader> {
        let bytes = disk::read(path, HEADER)?.ok_or_else(|| Error::NoHsm(path.to_owned()))?;
        UnitHeader::split(path, &bytes).map(|(header, _, _)| header)
    }

    /// The header, its bytes, and what is sealed behind it.
    fn split<'a>(path: &Path, bytes: &'a [u8]) -> Result<(UnitHeader, &'a [u8; HEADER], &'a [u8])> {
        let truncated = || damaged(path, "it is cut short: restore it from a backup");
        let (header, sealed) = bytes.split_first_chunk::<HEADER>().ok_or_else(truncated)?;
        UnitHeader::parse(path, header).map(|parsed| (parsed, header, sealed))
    }

    fn parse(path: &Path, bytes: &[u8; HEADER]) -> Result<UnitHeader> {
        let mut fields = Fields(bytes);
        if fields.take::<8>() != Some(MAGIC) {
            return Err(damaged(path, "this is no unit file: restore it from a backup"));
        }
        let version = fields.take().map(u16::from_be_bytes);
        if version.is_some_and(|version| version > VERSION) {
            return Err(damaged(path, "a newer version of softhsm-rs wrote it: use that version"));
        }
        let header = (|| {
            let sealer = SealerKind::of_code(fields.take::<1>()?[0]);
            let zero = fields.take::<1>()?;
            let header = UnitHeader {
                hsm_id: HsmId::new(fields.take()?),
                epoch: u64::from_be_bytes(fields.take()?),
                sealer: sealer?,
                salt: fields.take()?,
                check: fields.take()?,
                nonce: fields.take()?,
            };
            (version == Some(VERSION) && zero == [0]).then_some(header)
        })();
        header.ok_or_else(|| damaged(path, "its header is not valid: restore it from a backup"))
    }

    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER);
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_be_bytes());
        bytes.extend([self.sealer.code(), 0]);
        bytes.extend(self.hsm_id.as_bytes());
        bytes.extend(self.epoch.to_be_bytes());
        bytes.extend(self.salt);
        bytes.extend(self.check);
        bytes.extend(self.nonce);
        bytes
    }

    /// What the file's keys are bound to besides the salt.
    fn context(&self) -> Vec<u8> {
        [VERSION.to_be_bytes().as_slice(), self.hsm_id.as_bytes()].concat()
    }
}

/// The fields of a header, taken from the front.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*field)
    }
}

/// Opens a unit file.
///
/// # Errors
/// `NoHsm` if there is none, `UnitSealed` if the sealer does not fit, `FileDamaged` if the file is
/// not what was written.
pub(super) fn load(paths: &UnitPaths, sealer: &Sealer) -> Result<State> {
    let path = &paths.unit;
    let bytes = disk::read(path, FILE_MAX)?.ok_or_else(|| Error::NoHsm(path.to_owned()))?;
    let (header, associated, sealed) = UnitHeader::split(path, &bytes)?;
    let keys = sealer.file_keys(&header.salt, &header.context())?;
    if !bool::from(keys.check.ct_eq(&header.check)) {
        return Err(sealer.misfit(path));
    }
    let unopened = || damaged(path, "it was changed: restore it from a backup");
    let (ciphertext, tag) = sealed.split_last_chunk::<TAG>().ok_or_else(unopened)?;
    let mut state = Secret::copy_of(ciphertext);
    Aes256Gcm::new((&*keys.encryption).into())
        .decrypt_inout_detached(&header.nonce.into(), associated, state.expose_mut().into(), &(*tag).into())
        .map_err(|_| unopened())?;
    stored::decode(state.expose(), header.hsm_id, header.epoch)
        .ok_or_else(|| damaged(path, "its content is not valid: restore it from a backup"))
}

/// Writes a unit file, whole and durable. The caller holds the unit's lock.
pub(super) fn save(paths: &UnitPaths, sealer: &Sealer, state: &State, access: Access) -> Result<()> {
    let mut header = UnitHeader {
        hsm_id: state.hsm_id(),
        epoch: state.epoch(),
        sealer: sealer.kind(),
        salt: rng::array()?,
        check: [0; 32],
        nonce: rng::array()?,
    };
    let keys = sealer.file_keys(&header.salt, &header.context())?;
    header.check = keys.check;
    let mut bytes = header.to_bytes();
    let mut sealed = stored::encode(state)?;
    let tag = Aes256Gcm::new((&*keys.encryption).into())
        .encrypt_inout_detached(&header.nonce.into(), &bytes, sealed.expose_mut().into())
        .map_err(|_| Error::CryptoFailed("AES-GCM"))?;
    bytes.extend_from_slice(sealed.expose());
    bytes.extend_from_slice(&tag);
    disk::replace(&paths.unit, &bytes, access)
}

fn damaged(path: &Path, reason: &str) -> Error {
    Error::FileDamaged { path: path.to_owned(), reason: reason.to_owned() }
}
