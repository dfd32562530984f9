//! Opening a unit, and sealing it by another sealer. A sealer is replaced in four steps, each durable before the
//! next: the new one is written beside the old one, the unit file is sealed with it, the old one is
//! destroyed, the new one takes its name. Whoever opens a unit of which the last two are not done ends them.

use std::os::unix::fs::MetadataExt;

use super::disk::{self, Access, Lock, UnitPaths};
use super::file::{self, UnitHeader};
use super::loaded::Unit;
use super::sealer::{self, FreshSealer, Sealer};
use super::sealer_key::Opening;
use super::state::State;
use crate::error::{Error, Result};

impl Unit {
    /// Opens the unit. What its sealer needs besides its file comes from the process that holds it, or from
    /// the system's credential.
    ///
    /// # Errors
    /// `NoHsm` if there is none, `UnitSealed` if its sealer is missing or does not fit, or if it is locked,
    /// `FileDamaged` if its file is not what was written.
    pub fn open(paths: &UnitPaths) -> Result<Unit> {
        open(paths, None)
    }

    /// Opens the unit by what people give now.
    ///
    /// # Errors
    /// As [`Unit::open`].
    pub fn open_given(paths: &UnitPaths, given: &Opening) -> Result<Unit> {
        open(paths, Some(given))
    }

    /// [`Unit::open`] for a caller that holds the lock.
    pub(super) fn open_locked(paths: &UnitPaths, _held: &Lock) -> Result<Unit> {
        open_alone(paths, None)
    }

    /// Seals the unit by another sealer, and destroys the one before: no copy of the unit file that was made
    /// before opens with what is left.
    ///
    /// # Errors
    /// As [`Unit::submit`]; the unit opens by the old sealer or the new one afterwards.
    pub fn reseal(&mut self, fresh: FreshSealer) -> Result<()> {
        let access = Access::of(&self.paths.unit)?;
        let lock = Lock::take(&self.paths.lock, access)?;
        self.reload(Some(&lock))?;
        self.sealer = replaced(&self.paths, fresh, &self.state, access)?;
        Ok(())
    }

    /// Takes over the state as it is in the file now.
    ///
    /// # Errors
    /// As [`Unit::open`].
    pub(crate) fn look_again(&mut self) -> Result<()> {
        self.reload(None)
    }

    /// What seals the unit.
    pub fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// The state as it is in the file now, under another sealer if that was replaced meanwhile.
    pub(super) fn reload(&mut self, held: Option<&Lock>) -> Result<()> {
        match file::load(&self.paths, &self.sealer) {
            Err(Error::UnitSealed(_)) => {
                let unit = match held {
                    Some(lock) => Unit::open_locked(&self.paths, lock)?,
                    None => Unit::open(&self.paths)?,
                };
                (self.sealer, self.state) = (unit.sealer, unit.state);
            }
            state => self.state = state?,
        }
        Ok(())
    }
}

/// Seals a state by a new sealer, in the place of the old one.
pub(super) fn replaced(
    paths: &UnitPaths,
    fresh: FreshSealer,
    state: &State,
    access: Access,
) -> Result<Sealer> {
    let next = fresh.write(paths, access)?;
    file::save(paths, &next, state, access)?;
    next.promote(paths)
}

fn open(paths: &UnitPaths, given: Option<&Opening>) -> Result<Unit> {
    let seen = look(paths);
    let refused = match open_current(paths, given) {
        Err(error) if is_of_sealer(&error, paths) => error,
        opened => return opened,
    };
    if sealer::next_path(paths).exists() {
        let _held = Lock::take(&paths.lock, Access::of(&paths.unit)?)?;
        return open_alone(paths, given);
    }
    // Another process may have changed both between our looks at one and the other.
    if look(paths) == seen { Err(refused) } else { open_current(paths, given) }
}

/// By what a change of the unit's file or of its sealer's is noticed.
fn look(paths: &UnitPaths) -> [Option<(u64, i64, i64)>; 2] {
    let look = |path| {
        let data = std::fs::metadata(path).ok()?;
        Some((data.ino(), data.ctime(), data.ctime_nsec()))
    };
    [look(&paths.unit), look(&paths.sealer)]
}

/// Opens a unit that nobody changes meanwhile, and ends an interrupted change of its sealer.
fn open_alone(paths: &UnitPaths, given: Option<&Opening>) -> Result<Unit> {
    let refused = match open_current(paths, given) {
        Err(error) if is_of_sealer(&error, paths) => error,
        opened => return opened,
    };
    let header = UnitHeader::read(&paths.unit)?;
    // That there is a successor does not mean that it was used.
    let Ok(Some(next)) = Sealer::find_successor(paths, &header, given) else { return Err(refused) };
    let Ok(unit) = Unit::open_with(paths, next) else { return Err(refused) };
    // The old sealer goes: a disk that has the unit file of before again would have nothing that opens it.
    disk::settle(&paths.unit)?;
    Ok(Unit { sealer: unit.sealer.promote(paths)?, ..unit })
}

fn open_current(paths: &UnitPaths, given: Option<&Opening>) -> Result<Unit> {
    let header = UnitHeader::read(&paths.unit)?;
    Unit::open_with(paths, Sealer::find(paths, &header, given)?)
}

/// Whether a successor may help: also where shares do not belong to the one that is in place.
fn is_of_sealer(error: &Error, paths: &UnitPaths) -> bool {
    match error {
        Error::UnitSealed(_) => true,
        Error::FileDamaged { path, .. } => *path != paths.unit,
        _ => false,
    }
}
