//! The sealer of the HSM's crypto unit, changed. That is the owner's to do and asks for no quorum, since it
//! moves no key; it is in the audit log where there is one.

use super::Hsm;
use crate::audit::{Activity, Class, Event, Initiator, Severity};
use crate::error::Result;
use crate::unit::{FreshSealer, Unit};

const SET_SEALER: Activity = Activity {
    door: "unit",
    operation: "SetSealer",
    class: Class::Administration,
    severity: Severity::Warning,
};

impl Hsm {
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
