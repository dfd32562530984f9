//! The sealer of the HSM's crypto unit, changed. That is the owner's to do and asks for no quorum, since it
//! moves no key; it is in the audit log where there is one.

use super::Hsm;
use crate::audit::{Activity, Class, Event, Initiator, Reason, Severity, acts};
use crate::error::Result;
use crate::unit::{FreshSealer, Unit};

const SET_SEALER: Activity = Activity {
    door: "unit",
    operation: "SetSealer",
    class: Class::Administration,
    severity: Severity::Warning,
};

/// Why the unit is not locked though somebody wanted it to be.
const NOT_LOCKED: Reason = Reason { code: 0, name: "the process that holds the unit's key goes on" };

impl Hsm {
    /// Takes note that the crypto unit was unlocked, once it is: before that nobody can write to the log. What stands
    /// against it is told to the process's log, and the unit is unlocked all the same. Without a master key and
    /// a store there is no log.
    pub fn note_unlocked(&self) {
        self.note_of_unit(acts::UNLOCK_UNIT, None);
    }

    /// Takes note that the crypto unit is about to be locked, before it is: afterwards nobody can write to the log.
    pub fn note_lock(&self) {
        self.note_of_unit(acts::LOCK_UNIT, None);
    }

    /// Takes note that it was not, after all.
    pub fn note_not_locked(&self) {
        self.note_of_unit(acts::LOCK_UNIT, Some(NOT_LOCKED));
    }

    fn note_of_unit(&self, act: Activity, refused: Option<Reason>) {
        let noted = self.unit().and_then(|unit| self.trail_of(&unit)).and_then(|trail| {
            if trail.is_none() {
                return Ok(());
            }
            let note = self.always_note(act, "")?;
            match refused {
                Some(reason) => note.refused(reason).write(),
                None => note.write(),
            }
        });
        match noted {
            // Sealed now: soon nobody may be able to.
            Ok(()) => self.seal_what_was_recorded(),
            Err(error) => log::error!("{} of the unit is not in the audit log: {error}", act.operation),
        }
    }

    /// Seals the crypto unit by another sealer, and gives it back as it is open. The sealer before is destroyed.
    ///
    /// # Errors
    /// As [`Unit::reseal`], and those of the store, which has the audit log.
    pub fn reseal(&self, fresh: FreshSealer) -> Result<Unit> {
        let mut unit = self.unit()?;
        // Afterwards the log's secret may be locked away.
        let trail = self.trail_of(&unit)?;
        unit.reseal(fresh)?;
        if let Some(trail) = trail {
            let user = rustix::process::geteuid().as_raw();
            trail.write(Event::now(SET_SEALER, Initiator::new("", &format!("user {user}"), "", None)))?;
        }
        Ok(unit)
    }
}
