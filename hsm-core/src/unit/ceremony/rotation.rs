//! The quick change of the master key, where one machine holds the quorum: what comes next. It is read from the
//! unit's state and from which files are there, so that a change which was interrupted anywhere goes on where it
//! stopped. New parts are durable before the unit learns of them, the old parts stay until the new key is in use,
//! and parts are told apart by their verification pattern alone.
//!
//! | new register | new parts | next |
//! |---|---|---|
//! | Empty | those, with the old ones that are left, make the current key | they take the old ones' names |
//! | Empty | any others, or none | the missing ones are made; importer key; load |
//! | Full Uncommitted | make that key | commit |
//! | Full Committed | make that key | partitions are wrapped, set immediate |
//! | full | make another key | people began it: it is left to them |

use std::path::{Path, PathBuf};

use super::{KEYS_MISSING, PARTS, Step, key_part_path, made, signature_key_path, signed};
use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::unit::command::Command;
use crate::unit::disk::{self, Access, Lock};
use crate::unit::identity::VerificationPattern;
use crate::unit::key_file;
use crate::unit::keys::SignatureKey;
use crate::unit::loaded::Unit;
use crate::unit::parts::{KeyPart, combined_pattern};
use crate::unit::quorum::{SignedCommand, SignedPart};
use crate::unit::refusal::Refusal;
use crate::unit::state::{ADMINISTRATORS_MAX, NewRegister, Secured};

/// What comes next.
#[derive(Debug)]
pub(crate) enum Move {
    /// This command.
    Submit(SignedCommand, Step),
    /// This command, when every partition has a wrap under the new key.
    Activate(SignedCommand, Step),
    /// The new parts take the old ones' names, and all is done.
    Finish,
}

const STRANGE: Error = Error::UnitNotActive(
    "people began to change its master key: they go on with it, or clear the new register",
);
const NO_MASTER_KEY: Error = Error::UnitNotActive("there is no current master key to be changed");

/// Reads what comes next, and makes the parts where they are not there yet.
pub(crate) fn next(unit: &Unit, passphrase: &Secret, progress: &mut dyn FnMut(Step)) -> Result<Move> {
    let secured = unit.state().secured().ok_or(NO_MASTER_KEY)?;
    let current = secured.current_register().verification_pattern().ok_or(NO_MASTER_KEY)?;
    let parts = Parts { unit, passphrase };
    // Before anything is made: the passphrase may be wrong.
    let keys = signature_keys(unit, passphrase)?;
    match secured.new_register() {
        NewRegister::Empty if parts.are_in_use(current)? => Ok(Move::Finish),
        NewRegister::Empty => {
            let new = parts.make(progress)?;
            match secured.importer() {
                None => {
                    let text = "a key pair for the transport of key parts".to_owned();
                    signed(unit, &Command::GenerateImporter, &keys, text)
                }
                Some(_) => load(unit, secured, &new, &keys),
            }
            .map(|(command, step)| Move::Submit(command, step))
        }
        NewRegister::FullUncommitted(key) => {
            let pattern = parts.own(key.verification_pattern())?;
            let text = format!("verification pattern {pattern}");
            signed(unit, &Command::Commit(pattern), &keys, text)
                .map(|(command, step)| Move::Submit(command, step))
        }
        NewRegister::FullCommitted(key) => {
            let pattern = parts.own(key.verification_pattern())?;
            let text = "the new master key is in use".to_owned();
            signed(unit, &Command::SetImmediate(pattern), &keys, text)
                .map(|(command, step)| Move::Activate(command, step))
        }
    }
}

/// Gives the new parts the old ones' names; what the old ones held is overwritten.
pub(crate) fn finish(unit: &Unit) -> Result<()> {
    let paths = unit.paths();
    let _alone = Lock::take(&paths.lock, Access::of(&paths.unit)?)?;
    for number in 1..=PARTS {
        let (new, old) = (new_part_path(unit, number), key_part_path(paths, number));
        if exists(&new)? {
            disk::destroy(&old)?;
            disk::rename(&new, &old)?;
        }
    }
    Ok(())
}

/// Where a new part waits for its key to come into use; the first is 1.
fn new_part_path(unit: &Unit, number: u8) -> PathBuf {
    unit.paths().ceremony_file(&format!("new-part-{number}.keypart"))
}

fn exists(path: &Path) -> Result<bool> {
    path.try_exists().map_err(Error::file(path))
}

/// The keys of the unit's administrators that are here, if they are enough.
pub(crate) fn signature_keys(unit: &Unit, passphrase: &Secret) -> Result<Vec<SignatureKey>> {
    let secured = unit.state().secured().ok_or(Refusal::ImprintMode)?;
    let mut keys = Vec::new();
    let most = u8::try_from(ADMINISTRATORS_MAX).unwrap_or(u8::MAX);
    for path in (1..=most).map(|number| signature_key_path(unit.paths(), number)) {
        let ski = key_file::signature_key_ski(&path).ok();
        if ski.is_some_and(|ski| unit.state().administrator(&ski).is_some()) {
            keys.push(SignatureKey::load(&path, passphrase)?);
        }
    }
    if keys.len() < usize::from(secured.thresholds().signature) { Err(KEYS_MISSING) } else { Ok(keys) }
}

fn load(
    unit: &Unit,
    secured: &Secured,
    parts: &[KeyPart],
    keys: &[SignatureKey],
) -> Result<(SignedCommand, Step)> {
    let importer = secured.importer().ok_or(Refusal::ImporterKeyMissing)?;
    let signer = keys.first().ok_or(KEYS_MISSING)?;
    let mut sealed = Vec::new();
    for (part, number) in parts.iter().zip(1..) {
        let mut part = SignedPart::new(&unit.target(), number, PARTS, part.seal_to(&importer)?)?;
        part.sign(signer)?;
        sealed.push(part);
    }
    let text = format!("{PARTS} key parts, verification pattern {}", combined_pattern(parts));
    signed(unit, &Command::LoadNewMasterKey(sealed), &[], text)
}

/// The files of the parts.
struct Parts<'run> {
    unit: &'run Unit,
    passphrase: &'run Secret,
}

impl Parts<'_> {
    /// The new parts; those that are missing are made.
    fn make(&self, progress: &mut dyn FnMut(Step)) -> Result<Vec<KeyPart>> {
        let paths = self.unit.paths();
        let _alone = Lock::take(&paths.lock, Access::of(&paths.unit)?)?;
        let mut parts = Vec::new();
        for number in 1..=PARTS {
            let path = new_part_path(self.unit, number);
            if !exists(&path)? {
                disk::make_parent(&path, Access::Owner)?;
                KeyPart::generate(&format!("part {number}"))?.save(&path, self.passphrase)?;
                progress(made("make key part", path.display().to_string()));
            }
            parts.push(KeyPart::load(&path, self.passphrase)?);
        }
        Ok(parts)
    }

    /// The pattern, if the new parts make the key that has it.
    fn own(&self, pattern: VerificationPattern) -> Result<VerificationPattern> {
        let mut parts = Vec::new();
        for path in (1..=PARTS).map(|number| new_part_path(self.unit, number)) {
            if !exists(&path)? {
                return Err(STRANGE);
            }
            parts.push(KeyPart::load(&path, self.passphrase)?);
        }
        if combined_pattern(&parts) == pattern { Ok(pattern) } else { Err(STRANGE) }
    }

    /// Whether there are new parts that make the current key, with those that have taken their places already.
    fn are_in_use(&self, current: VerificationPattern) -> Result<bool> {
        let (mut parts, mut waiting) = (Vec::new(), false);
        for number in 1..=PARTS {
            let (new, old) = (new_part_path(self.unit, number), key_part_path(self.unit.paths(), number));
            let is_new = exists(&new)?;
            waiting |= is_new;
            if !is_new && !exists(&old)? {
                return Ok(false);
            }
            parts.push(if is_new { new } else { old });
        }
        if !waiting {
            return Ok(false);
        }
        let parts = parts.iter().map(|path| KeyPart::load(path, self.passphrase));
        Ok(combined_pattern(&parts.collect::<Result<Vec<_>>>()?) == current)
    }
}
