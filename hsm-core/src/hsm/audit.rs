//! The HSM's audit log: opened by its secret, and begun where there is none yet.

use std::sync::Arc;

use super::Hsm;
use crate::audit::{Log, Recorded, Trail, Uses, Verdict};
use crate::error::Result;
use crate::partition::directory;
use crate::rng;
use crate::store::{PartitionId, Store};

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
            None => self.begin_audit_log(store.as_ref())?,
        };
        Ok(Arc::new(Trail::new(store, log, self.config.audit.uses.unwrap_or(uses))))
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
        let unit = self.active_unit()?;
        let mut secret = None;
        store.read(&mut |reader| {
            secret = directory::audit_secret(reader, &unit)?;
            Ok(())
        })?;
        secret.map(|secret| Log::new(&secret, self.observer()?, self.config.audit.keep)).transpose()
    }

    /// Of two processes that begin it at once, one does.
    fn begin_audit_log(&self, store: &dyn Store) -> Result<Log> {
        let unit = self.active_unit()?;
        let (observer, keep) = (self.observer()?, self.config.audit.keep);
        let mut begun = Log::new(&rng::secret(SECRET)?, observer.clone(), keep)?;
        store.write(PartitionId::HSM, &mut |writer| {
            if let Some(secret) = directory::audit_secret(writer, &unit)? {
                begun = Log::new(&secret, observer.clone(), keep)?;
                return Ok(());
            }
            let secret = rng::secret(SECRET)?;
            begun = Log::new(&secret, observer.clone(), keep)?;
            directory::keep_audit_secret(writer, &unit, &secret)?;
            begun.begin(writer)
        })?;
        Ok(begun)
    }

    /// The name under which events come from this HSM.
    fn observer(&self) -> Result<String> {
        Ok(self.unit_status()?.hsm_id.to_string())
    }
}

#[cfg(test)]
mod tests {
    use cryptoki_sys::*;

    use super::*;
    use crate::audit::{Activity, Class, Event, Initiator, Severity};
    use crate::config::Config;
    use crate::error::Error;
    use crate::object::Value;
    use crate::object::lifecycle::Action;
    use crate::object::locate::Scope;
    use crate::service::Space;
    use crate::store::RecordId;

    const CREATE: Activity =
        Activity { door: "test", operation: "Create", class: Class::Change, severity: Severity::Normal };

    struct Bench {
        _home: tempfile::TempDir,
        hsm: Arc<Hsm>,
    }

    impl Bench {
        fn with_store(store: &str) -> Bench {
            let home = tempfile::tempdir().unwrap();
            if !store.is_empty() {
                std::fs::write(home.path().join("softhsm-rs.toml"), format!("store = '{store}'\n")).unwrap();
            }
            let hsm = Hsm::new(Config::for_home(home.path()).unwrap());
            hsm.initialise(&Default::default(), &mut |_| {}).unwrap();
            Bench { _home: home, hsm }
        }

        fn trail(&self) -> Arc<Trail> {
            self.hsm.audit_trail(Uses::Buffered).unwrap()
        }

        fn space(&self) -> Space {
            let session = self.hsm.server_partition("kmip").unwrap().open_for_server().unwrap();
            Space::new(session, Scope { owner: "a".into(), groups: Vec::new(), everything: false })
        }

        fn events(&self) -> usize {
            let mut count = 0;
            let verdict = self.hsm.read_audit_log(0, &mut |_| {
                count += 1;
                Ok(())
            });
            assert!(matches!(verdict.unwrap(), Some(Verdict::Whole { .. })));
            count
        }

        /// Takes a record out, as somebody who writes the store can.
        fn remove(&self, space: PartitionId, id: RecordId) {
            let store = self.hsm.store().unwrap();
            let removed = store.write(space, &mut |writer| {
                let revision = writer.revision(space, id)?.unwrap();
                Ok(writer.remove(space, id, revision)?)
            });
            removed.unwrap();
        }
    }

    fn event() -> Event {
        Event::now(CREATE, Initiator::new("a", "a", "kmip", None))
    }

    /// Makes a data object as an operation that is recorded.
    fn make(space: &Space, trail: &Arc<Trail>, id: &str) -> Result<()> {
        space.begin_operation(trail.clone(), event());
        let made = space.write(&mut |changes| {
            let template = vec![
                (CKA_CLASS, Value::Number(CKO_DATA)),
                (CKA_TOKEN, Value::Bool(true)),
                (CKA_PRIVATE, Value::Bool(true)),
            ];
            changes.insert(space.new_object(template.into_iter().collect())?, id)
        });
        assert_eq!(space.end_operation(), Some(made.is_ok()));
        made.map(drop)
    }

    fn id(number: u8) -> String {
        RecordId([number; 16]).to_string()
    }

    #[test]
    fn a_change_and_its_event_are_both_there_or_neither_in_every_store() {
        for store in [
            "",
            "memory:",
            #[cfg(feature = "sled")]
            "sled:.",
        ] {
            let bench = Bench::with_store(store);
            let (trail, space) = (bench.trail(), bench.space());
            make(&space, &trail, &id(1)).unwrap();
            assert_eq!(bench.events(), 1);
            // The identifier is taken: nothing is made, and no event says so.
            assert!(make(&space, &trail, &id(1)).is_err());
            assert_eq!(bench.events(), 1);
            bench.remove(PartitionId([0xff; 16]), RecordId([0xff; 16]));
            assert!(matches!(make(&space, &trail, &id(2)), Err(Error::RecordDamaged { .. })));
            assert!(matches!(space.load(&id(2), Action::Look), Err(Error::NoSuchObject)), "{store}");
        }
    }

    #[test]
    fn a_log_is_begun_once_and_goes_on() {
        let bench = Bench::with_store("");
        assert_eq!(bench.hsm.read_audit_log(0, &mut |_| Ok(())).unwrap(), None);
        bench.trail().write(event()).unwrap();
        let other = Hsm::new(bench.hsm.config().clone());
        other.audit_trail(Uses::Off).unwrap().write(event()).unwrap();
        bench.trail().write(event()).unwrap();
        assert_eq!(bench.events(), 3);
    }

    #[test]
    fn a_log_that_is_gone_as_a_whole_is_damage() {
        let bench = Bench::with_store("memory:");
        bench.trail().write(event()).unwrap();
        bench.remove(PartitionId::HSM, RecordId([3; 16]));
        let store = bench.hsm.store().unwrap();
        let log = PartitionId([0xff; 16]);
        store.write(log, &mut |writer| Ok(writer.remove_partition(log)?)).unwrap();
        let read = bench.hsm.read_audit_log(0, &mut |_| Ok(()));
        assert!(matches!(read, Err(Error::RecordDamaged { .. })), "{read:?}");
        assert!(matches!(bench.hsm.audit_trail(Uses::Off), Err(Error::RecordDamaged { .. })));
    }

    #[test]
    fn the_log_is_no_partition() {
        let bench = Bench::with_store("memory:");
        bench.trail().write(event()).unwrap();
        assert_eq!(bench.hsm.partitions().unwrap().len(), 0);
        bench.space();
        assert_eq!(bench.hsm.partitions().unwrap().len(), 1);
    }
}
