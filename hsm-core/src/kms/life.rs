//! Suspending a key and making it active again.

use super::key::KeyRecord;
use super::refusal::Reason;
use super::state::Action;
use crate::object::lifecycle::Seconds;

/// How long after an action a key is not enabled or restored, in seconds.
const SETTLING: Seconds = 30;

impl KeyRecord {
    /// Suspends it: no door uses it any more.
    ///
    /// # Errors
    /// [`Reason::NotActive`], [`Reason::Deleted`], [`Reason::RootRequired`].
    pub fn disable(&mut self, now: Seconds) -> Result<(), Reason> {
        self.allow(Action::Disable, now)?;
        self.suspended = true;
        self.act(now);
        Ok(())
    }

    /// Makes it active again, at the earliest 30 seconds after the last action. One that expired meanwhile is
    /// deactivated.
    ///
    /// # Errors
    /// [`Reason::NotSuspended`], [`Reason::Deleted`], [`Reason::RootRequired`], [`Reason::TooEarly`].
    pub fn enable(&mut self, now: Seconds) -> Result<(), Reason> {
        self.allow(Action::Enable, now)?;
        self.check_settled(now)?;
        self.suspended = false;
        self.act(now);
        Ok(())
    }

    /// An action that is to come is one of a clock that was wrong, and stands in nobody's way.
    pub(super) fn check_settled(&self, now: Seconds) -> Result<(), Reason> {
        let since = self.acted.map(|acted| now.saturating_sub(acted));
        if since.is_none_or(|since| !(0..SETTLING).contains(&since)) { Ok(()) } else { Err(Reason::TooEarly) }
    }

    /// Takes note of an action.
    pub(super) fn act(&mut self, now: Seconds) {
        self.acted = Some(now);
        self.updated = now;
    }
}
