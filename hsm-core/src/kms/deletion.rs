//! The end of a key: deletion with what may stand against it, restoration, and erasure.

use serde::{Deserialize, Serialize};

use super::key::{Actor, KeyRecord};
use super::refusal::Reason;
use super::state::Action;
use crate::object::lifecycle::Seconds;

/// Seconds of a day and of an hour.
pub(super) const DAY: Seconds = 86_400;
pub(super) const HOUR: Seconds = 3_600;
/// How long a key that was set for deletion may be deleted by somebody else.
const AUTHORIZED: Seconds = 7 * DAY;
/// How long a deleted key may be restored.
const RESTORABLE: Seconds = 30 * DAY;
/// How long a deleted key must have been so before it is erased by hand.
const BEFORE_PURGE: Seconds = 4 * HOUR;
/// How long after a deleted key's time was first found to be past it is erased by itself, if it is found so again; and
/// after what time it has to be found anew.
const AGAIN: Seconds = DAY;
const NOTED: Seconds = 3 * DAY;

/// That somebody set a key for deletion.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Authorization {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Seconds,
}

/// That a key was deleted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Deletion {
    /// Who deleted it.
    pub by: Actor,
    /// When.
    pub at: Seconds,
}

/// How a key is deleted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Removal {
    /// If it protects nothing.
    #[default]
    Unused,
    /// Also while it protects resources, but for those that must be kept.
    Forced,
}

impl KeyRecord {
    /// Who set it for deletion, and from when to when another may delete it; `None` where nobody did, or too
    /// long ago.
    pub fn authorization(&self, now: Seconds) -> Option<(&Authorization, Seconds)> {
        let authorization = self.authorization.as_ref()?;
        let ends = authorization.at.saturating_add(AUTHORIZED);
        (now < ends && now >= authorization.at).then_some((authorization, ends))
    }

    /// Sets it for deletion by somebody else within 7 days. Done again, the days begin anew, and whoever did it
    /// last is the one.
    ///
    /// # Errors
    /// [`Reason::NotDualAuth`], [`Reason::Deleted`].
    pub fn set_for_deletion(&mut self, by: &Actor, now: Seconds) -> Result<(), Reason> {
        self.allow(Action::Change, now)?;
        if !self.dual_auth {
            return Err(Reason::NotDualAuth);
        }
        self.authorization = Some(Authorization { by: by.clone(), at: now });
        self.updated = now;
        Ok(())
    }

    /// Takes that back.
    ///
    /// # Errors
    /// As [`KeyRecord::set_for_deletion`].
    pub fn unset_for_deletion(&mut self, now: Seconds) -> Result<(), Reason> {
        self.allow(Action::Change, now)?;
        if !self.dual_auth {
            return Err(Reason::NotDualAuth);
        }
        self.authorization = None;
        self.updated = now;
        Ok(())
    }

    /// Says that two persons are needed to delete it, which one alone does not take back.
    ///
    /// # Errors
    /// [`Reason::Deleted`], [`Reason::Field`].
    pub fn set_dual_auth(&mut self, enabled: bool, now: Seconds) -> Result<(), Reason> {
        self.allow(Action::Change, now)?;
        if self.dual_auth && !enabled {
            return Err(Reason::Field { name: "enabled", must: "true: dual authorization of a key stays" });
        }
        self.dual_auth = enabled;
        self.updated = now;
        Ok(())
    }

    /// Deletes it.
    ///
    /// # Errors
    /// [`Reason::Deleted`], [`Reason::AuthorizationMissing`], [`Reason::AuthorizationFailed`],
    /// [`Reason::Retained`], [`Reason::Protected`].
    pub fn delete(&mut self, removal: Removal, by: &Actor, now: Seconds) -> Result<(), Reason> {
        self.allow(Action::Delete, now)?;
        if self.dual_auth {
            let (authorization, _) = self.authorization(now).ok_or(Reason::AuthorizationMissing)?;
            if authorization.by.id == by.id {
                return Err(Reason::AuthorizationFailed);
            }
        }
        if self.registrations.iter().any(|registration| registration.prevents_deletion) {
            return Err(Reason::Retained);
        }
        if removal == Removal::Unused && !self.registrations.is_empty() {
            return Err(Reason::Protected);
        }
        self.deletion = Some(Deletion { by: by.clone(), at: now });
        self.authorization = None;
        self.act(now);
        Ok(())
    }

    /// Brings it back, active: at the earliest 30 seconds after it was deleted, at the latest 30 days.
    ///
    /// # Errors
    /// [`Reason::NotDeleted`], [`Reason::TooEarly`], [`Reason::RestoreExpired`], [`Reason::Expired`].
    pub fn restore(&mut self, now: Seconds) -> Result<(), Reason> {
        self.allow(Action::Restore, now)?;
        self.check_settled(now)?;
        if self.deleted_for(now) > RESTORABLE {
            return Err(Reason::RestoreExpired);
        }
        if let Some(expiration) = self.expiration.filter(|_| self.has_expired(now)) {
            return Err(Reason::Expired(expiration));
        }
        self.deletion = None;
        self.due_since = None;
        self.suspended = false;
        self.act(now);
        Ok(())
    }

    /// Until when it may be restored; `None` of a key that is not deleted.
    pub fn restorable_until(&self) -> Option<Seconds> {
        self.deletion.as_ref().map(|deletion| deletion.at.saturating_add(RESTORABLE))
    }

    /// Checks that it may be erased by hand: four hours after it was deleted.
    ///
    /// # Errors
    /// [`Reason::NotDeleted`], [`Reason::TooEarly`].
    pub fn check_purge(&self, now: Seconds) -> Result<(), Reason> {
        self.allow(Action::Purge, now)?;
        if self.deleted_for(now) < BEFORE_PURGE { Err(Reason::TooEarly) } else { Ok(()) }
    }

    /// Whether it has been deleted for so many days that nobody need ask for its erasure.
    pub fn is_purged_by(&self, retention_days: u16, now: Seconds) -> bool {
        self.deletion.is_some() && self.deleted_for(now) >= Seconds::from(retention_days) * DAY
    }

    /// Takes note that its time was found to be past.
    pub(crate) fn found_due(&mut self, now: Seconds) {
        self.due_since = Some(now);
    }

    /// Whether that was noted lately. A note of long ago or of a time to come is of another clock.
    pub(crate) fn was_found_due(&self, now: Seconds) -> bool {
        self.due_since.is_some_and(|since| (0..=NOTED).contains(&now.saturating_sub(since)))
    }

    /// Whether it was noted so long ago that it may be erased, and not too long ago.
    pub(crate) fn is_found_due_again(&self, now: Seconds) -> bool {
        self.due_since.is_some_and(|since| (AGAIN..=NOTED).contains(&now.saturating_sub(since)))
    }

    fn deleted_for(&self, now: Seconds) -> Seconds {
        self.deletion.as_ref().map_or(0, |deletion| now.saturating_sub(deletion.at))
    }
}
