//! New versions of a key: by hand, and by a policy.

use serde::{Deserialize, Serialize};

use super::KeyId;
use super::deletion::{DAY, HOUR};
use super::key::{Actor, KeyRecord, Version};
use super::refusal::Reason;
use super::state::{Action, KeyState, Kind};
use crate::object::lifecycle::Seconds;

/// A month of a policy, in seconds: 30 days.
pub const MONTH: Seconds = 30 * DAY;
/// How often a key is rotated by hand, in seconds.
const MANUAL: Seconds = HOUR;
/// How many months a policy may say.
const MONTHS: std::ops::RangeInclusive<u8> = 1..=12;

/// When a key is rotated by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RotationPolicy {
    months: u8,
    enabled: bool,
}

impl RotationPolicy {
    /// Every so many months of 30 days, 1 to 12; one that is not enabled waits.
    ///
    /// # Errors
    /// [`Reason::Field`].
    pub fn new(months: u8, enabled: bool) -> Result<RotationPolicy, Reason> {
        if MONTHS.contains(&months) {
            Ok(RotationPolicy { months, enabled })
        } else {
            Err(Reason::Field { name: "interval_month", must: "1 to 12 months" })
        }
    }

    /// How many months.
    pub fn months(self) -> u8 {
        self.months
    }

    /// Whether it is in force.
    pub fn is_enabled(self) -> bool {
        self.enabled
    }
}

impl KeyRecord {
    /// Checks that it may be rotated now, by hand.
    ///
    /// # Errors
    /// Those of the state; [`Reason::RotatedRecently`]; [`Reason::MaterialRequired`] for an imported key without
    /// material, and [`Reason::Field`] for a generated one with it.
    pub fn check_rotation(&self, with_material: bool, now: Seconds) -> Result<(), Reason> {
        self.allow(Action::Rotate, now)?;
        match (self.imported, with_material) {
            (true, false) => return Err(Reason::MaterialRequired),
            (false, true) => {
                return Err(Reason::Field {
                    name: "payload",
                    must: "left out for a key that was generated here",
                });
            }
            (true, true) | (false, false) => {}
        }
        // A rotation that is to come is one of a clock that was wrong, and stands in nobody's way.
        if self.rotated.is_some_and(|rotated| (0..MANUAL).contains(&now.saturating_sub(rotated))) {
            return Err(Reason::RotatedRecently);
        }
        Ok(())
    }

    /// Takes a version in as the current one.
    pub(crate) fn rotate(&mut self, version: KeyId, length: usize, by: &Actor, now: Seconds) {
        self.versions.push(Version { id: version, created: now, created_by: by.clone() });
        self.length = u32::try_from(length).unwrap_or(u32::MAX);
        self.rotated = Some(now);
        self.updated = now;
    }

    /// Says when it is rotated by itself.
    ///
    /// # Errors
    /// Those of the state; [`Reason::RootRequired`]; [`Reason::MaterialRequired`] for an imported key.
    pub fn set_rotation(&mut self, policy: RotationPolicy, now: Seconds) -> Result<(), Reason> {
        self.allow(Action::Change, now)?;
        if self.kind != Kind::Root {
            return Err(Reason::RootRequired);
        }
        if self.imported {
            return Err(Reason::MaterialRequired);
        }
        self.rotation = Some(policy);
        self.rotation_since = now;
        self.updated = now;
        Ok(())
    }

    /// When it is rotated next by itself; `None` where it is not.
    pub fn rotation_due(&self) -> Option<Seconds> {
        let policy = self.rotation.filter(|policy| policy.enabled && !self.imported)?;
        Some(self.counted_from().saturating_add(Seconds::from(policy.months) * MONTH))
    }

    /// From when on its policy counts: the last rotation, or the policy, whichever is later.
    fn counted_from(&self) -> Seconds {
        self.rotated.unwrap_or(self.rotation_since).max(self.rotation_since)
    }

    /// Whether it is to be rotated by itself now: active keys alone are. One that was last rotated more than a day
    /// after now, by a clock that was wrong, is rotated now, so that it does not wait until then.
    pub fn is_due(&self, now: Seconds) -> bool {
        let is_ahead = self.counted_from() > now.saturating_add(DAY);
        self.state(now) == KeyState::Active && self.rotation_due().is_some_and(|due| is_ahead || due <= now)
    }
}
