//! Uses of keys by a process's own hands, for a door that has them recorded: counted and written soon after, or
//! written before the answer, as `audit.uses` says. Which calls are uses is `session`'s matter; when what was counted
//! is written, the door's, which knows whether it may have a thread.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Hsm;
use super::notes::{Door, Program};
use crate::audit::{Activity, Answered, ObjectId, Reason, Severity, Uses};
use crate::config::Config;
use crate::error::{Error, Result};

/// What a door calls an outcome that is a refusal.
pub type ReasonOf = fn(&Error) -> Reason;

impl Hsm {
    /// As [`Hsm::for_door`], for a library in the process of an application: the uses that it makes of keys are
    /// recorded too, if the configuration says so, and refused ones with what `reason_of` says.
    pub fn for_library(config: Config, door: &'static str, reason_of: ReasonOf) -> Arc<Hsm> {
        let mut door = Door::new(door, None);
        door.reason_of = Some(reason_of);
        Hsm::with_door(config, door)
    }

    /// What becomes of uses of keys by this process's own hands. Those of a server's clients are its own matter.
    pub fn own_uses(&self) -> Uses {
        match self.door.reason_of {
            Some(_) => self.config.audit.uses.unwrap_or(Uses::Off),
            None => Uses::Off,
        }
    }

    /// Before a session: opens the log where uses will need it. They hold the session's operations then, under which
    /// the list of partitions is not read. A log that does not open is told to the process's log, and to whoever
    /// uses a key that has to be recorded.
    pub(crate) fn prepare_uses(&self) {
        if self.own_uses() == Uses::Off {
            return;
        }
        match self.own_trail().map(drop) {
            // Without the unit there is no session either, which says why.
            Ok(()) | Err(Error::UnitNotActive(_) | Error::UnitSealed(_)) => {}
            Err(error) => log::error!("uses of keys are not recorded: {error}"),
        }
    }

    /// Takes note of a use of these keys, refused or done.
    ///
    /// # Errors
    /// Those of the store, where uses are written before their answer.
    pub(crate) fn note_use(
        &self,
        act: Activity,
        partition: &str,
        [object, with]: [Option<ObjectId>; 2],
        refused: Option<&Error>,
    ) -> Result<()> {
        let (Some(reason_of), uses) = (self.door.reason_of, self.own_uses()) else { return Ok(()) };
        let Some(trail) = self.door.trail.get() else {
            // What is only counted may be lost, and keeps nobody from anything.
            let lost = || Error::RecordDamaged { what: "the audit log".into() };
            return if uses == Uses::Durable { Err(lost()) } else { Ok(()) };
        };
        let Program { user, name } = self.door.program();
        let act = self.door.activity(act);
        let severity = if refused.is_some() { Severity::Warning } else { act.severity };
        trail.answered(&Answered {
            activity: Activity { severity, ..act },
            id: user,
            name,
            partition,
            host: None,
            object,
            with,
            reason: refused.map(reason_of),
            request: None,
        })?;
        // A look first: threads that use keys share nothing more than they must.
        if uses == Uses::Buffered && !self.door.counted.load(Ordering::Relaxed) {
            self.door.counted.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Whether uses were counted that are not written.
    pub fn uses_wait(&self) -> bool {
        self.door.counted.load(Ordering::Acquire)
    }

    /// Writes what was counted; durable when this returns.
    ///
    /// # Errors
    /// Those of the store. What was counted is kept for the next time.
    pub fn flush_uses(&self) -> Result<()> {
        let Some(trail) = self.door.trail.get() else { return Ok(()) };
        // Before it is taken: what is counted from now on says so again.
        self.door.counted.store(false, Ordering::Release);
        trail.flush().inspect_err(|_| self.door.counted.store(true, Ordering::Release))
    }
}
