//! The HSM's audit log: opened by its secret, begun where there is none yet, sealed by the unit's key and held
//! against what the unit knows of it.

use std::sync::Arc;

use super::Hsm;
use crate::audit::{Log, Recorded, Trail, Uses, Verdict, acts};
use crate::error::Result;
use crate::partition::directory;
use crate::rng;
use crate::store::{Store, StoreUrl};
use crate::unit::{ActiveUnit, LogEnd, State, Unit};

/// How long the log's secret is, in bytes.
const SECRET: usize = 32;

/// What sealing the log came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sealing {
    /// Where the log ends.
    pub end: LogEnd,
    /// The end that the unit knows, and that the log does not go on from: it was put back to an older copy, or is
    /// another one. The unit goes on knowing it.
    pub lost: Option<LogEnd>,
}

impl Hsm {
    /// The trail by which a process adds to the HSM's audit log, which is begun where there is none. What
    /// becomes of uses is the configuration's to say, and where it does not, the caller's.
    ///
    /// # Errors
    /// [`crate::Error::NoHsm`], [`crate::Error::UnitNotActive`], those of the store.
    pub fn audit_trail(&self, uses: Uses) -> Result<Arc<Trail>> {
        let store = self.store()?;
        let (unit, log) = self.unit_and_log(store.as_ref())?;
        let log = match log {
            Some(log) => log,
            None => self.begin_audit_log(unit)?,
        };
        Ok(Arc::new(Trail::new(store.clone(), log, self.config.audit.uses.unwrap_or(uses))))
    }

    /// Reads the audit log's entries from a number on and hands them out in order, each checked against the
    /// one before. `None` where no log was begun. A log that is whole is held against what the unit knows of it.
    ///
    /// # Errors
    /// As [`Hsm::audit_trail`], and those of `each`; [`crate::Error::RecordDamaged`] where the log's head or its
    /// secret is damaged or gone.
    pub fn read_audit_log(
        &self,
        since: u64,
        each: &mut dyn FnMut(Recorded) -> Result<()>,
    ) -> Result<Option<Verdict>> {
        let store = self.store()?.as_ref();
        let (unit, log) = self.unit_and_log(store)?;
        let Some(log) = log else { return Ok(None) };
        let verdict = log.read(store, since, each)?;
        let (Verdict::Whole { next, .. }, Some(known)) = (verdict, self.known_end(unit.state())) else {
            return Ok(Some(verdict));
        };
        let mut goes_on = true;
        store.read(&mut |reader| {
            goes_on = log.goes_on_from(reader, known)?;
            Ok(())
        })?;
        let rolled_back = Verdict::RolledBack { last: next - 1, known: known.number };
        Ok(Some(if goes_on { verdict } else { rolled_back }))
    }

    /// Seals the log: its last entry is then a seal, signed by the unit's audit key, and the unit knows that
    /// the log came this far. `None` where there is no log. Nothing is written where nothing was since.
    ///
    /// # Errors
    /// As [`Hsm::read_audit_log`], and what keeps the unit's file from being written.
    pub fn seal_audit_log(&self) -> Result<Option<Sealing>> {
        self.seal_log(false)
    }

    /// Seals a log that does not go on from what the unit knows, and has the unit know it from now on: who put the
    /// store back from a backup says so. The log says it too.
    ///
    /// # Errors
    /// As [`Hsm::seal_audit_log`].
    pub fn accept_audit_log(&self) -> Result<Option<Sealing>> {
        self.always_note(acts::ACCEPT_LOG, "")?.write()?;
        self.seal_log(true)
    }

    fn seal_log(&self, accepts: bool) -> Result<Option<Sealing>> {
        let store = self.store()?.as_ref();
        let (mut unit, log) = self.unit_and_log(store)?;
        let Some(log) = log else { return Ok(None) };
        let epoch = unit.state().epoch();
        let key = unit.audit_key()?;
        let known = self.known_end(unit.state());
        let (end, goes_on) = log.sealed(store, &key, known)?;
        if known != Some(end) && (goes_on || accepts) && self.outlives_process() {
            unit.remember_log_end(end, epoch, accepts)?;
        }
        Ok(Some(Sealing { end, lost: known.filter(|_| !goes_on && !accepts) }))
    }

    /// Where the unit knows the log to have ended. A log in memory alone is another one in each process.
    fn known_end(&self, state: &State) -> Option<LogEnd> {
        state.log_end().filter(|_| self.outlives_process())
    }

    fn outlives_process(&self) -> bool {
        !matches!(self.config.store, StoreUrl::Memory)
    }

    /// The unit, and the log where there is one.
    fn unit_and_log(&self, store: &dyn Store) -> Result<(Unit, Option<Log>)> {
        self.settled(&mut || {
            let unit = self.unit()?;
            let log = self.audit_log(store, &unit.active()?, unit.state())?;
            Ok((unit, log))
        })
    }

    fn audit_log(&self, store: &dyn Store, unit: &ActiveUnit, state: &State) -> Result<Option<Log>> {
        let mut secret = None;
        store.read(&mut |reader| {
            secret = directory::audit_secret(reader, unit)?;
            Ok(())
        })?;
        secret.map(|secret| Log::new(&secret, observer(state), self.config.audit.keep)).transpose()
    }

    /// Of two processes that begin it at once, one does. It tells the unit, which then does not take it for one that
    /// was closed. An open one that the unit knows stays known: this one stands where that should be.
    fn begin_audit_log(&self, mut unit: Unit) -> Result<Log> {
        let (observer, keep) = (observer(unit.state()), self.config.audit.keep);
        let mut begun = Log::new(&rng::secret(SECRET)?, observer.clone(), keep)?;
        let mut end = None;
        self.change_directory(&mut |writer, unit| {
            if let Some(secret) = directory::audit_secret(writer, unit)? {
                begun = Log::new(&secret, observer.clone(), keep)?;
                end = None;
                return Ok(());
            }
            let secret = rng::secret(SECRET)?;
            begun = Log::new(&secret, observer.clone(), keep)?;
            directory::keep_audit_secret(writer, unit, &secret)?;
            end = Some(begun.begin(writer)?);
            Ok(())
        })?;
        if let Some(end) = end.filter(|_| self.outlives_process()) {
            let epoch = unit.state().epoch();
            unit.remember_log_end(end, epoch, false)?;
        }
        Ok(begun)
    }
}

/// The name under which events come from this HSM.
fn observer(state: &State) -> String {
    state.hsm_id().to_string()
}
