//! The HSM's audit log: opened by its secret, and begun where there is none yet.

use std::sync::Arc;

use super::Hsm;
use crate::audit::{Log, Recorded, Trail, Uses, Verdict};
use crate::error::Result;
use crate::partition::directory;
use crate::rng;
use crate::store::Store;

/// How long the log's secret is, in bytes.
const SECRET: usize = 32;

impl Hsm {
    /// The trail by which a process adds to the HSM's audit log, which is begun where there is none. What
    /// becomes of uses is the configuration's to say, and where it does not, the caller's.
    ///
    /// # Errors
    /// [`crate::Error::NoHsm`], [`crate::Error::UnitNotActive`], those of the store.
    pub fn audit_trail(&self, uses: Uses) -> Result<Arc<Trail>> {
        let store = self.store()?;
        let log = match self.audit_log(store.as_ref())? {
            Some(log) => log,
            None => self.begin_audit_log()?,
        };
        Ok(Arc::new(Trail::new(store.clone(), log, self.config.audit.uses.unwrap_or(uses))))
    }

    /// Reads the audit log's events from a number on and hands them out in order, each checked against the
    /// one before. `None` where no log was begun.
    ///
    /// # Errors
    /// As [`Hsm::audit_trail`], and those of `each`; [`crate::Error::RecordDamaged`] where the log's head or its
    /// secret is damaged or gone.
    pub fn read_audit_log(
        &self,
        since: u64,
        each: &mut dyn FnMut(Recorded) -> Result<()>,
    ) -> Result<Option<Verdict>> {
        let store = self.store()?;
        self.audit_log(store.as_ref())?.map(|log| log.read(store.as_ref(), since, each)).transpose()
    }

    fn audit_log(&self, store: &dyn Store) -> Result<Option<Log>> {
        let mut secret = None;
        self.settled(&mut || {
            let unit = self.active_unit()?;
            store.read(&mut |reader| {
                secret = directory::audit_secret(reader, &unit)?;
                Ok(())
            })
        })?;
        secret.map(|secret| Log::new(&secret, self.observer()?, self.config.audit.keep)).transpose()
    }

    /// Of two processes that begin it at once, one does.
    fn begin_audit_log(&self) -> Result<Log> {
        let (observer, keep) = (self.observer()?, self.config.audit.keep);
        let mut begun = Log::new(&rng::secret(SECRET)?, observer.clone(), keep)?;
        self.change_directory(&mut |writer, unit| {
            if let Some(secret) = directory::audit_secret(writer, unit)? {
                begun = Log::new(&secret, observer.clone(), keep)?;
                return Ok(());
            }
            let secret = rng::secret(SECRET)?;
            begun = Log::new(&secret, observer.clone(), keep)?;
            directory::keep_audit_secret(writer, unit, &secret)?;
            begun.begin(writer)
        })?;
        Ok(begun)
    }

    /// The name under which events come from this HSM.
    fn observer(&self) -> Result<String> {
        Ok(self.unit_status()?.hsm_id.to_string())
    }
}
