//! The audit log of an HSM: changes with their events, and what is found of who takes records away.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

use std::sync::Arc;

use cryptoki_sys::*;
use hsm_core::audit::{Activity, Class, Event, Initiator, Severity, Trail, Uses, Verdict};
use hsm_core::config::Config;
use hsm_core::error::{Error, Result};
use hsm_core::hsm::Hsm;
use hsm_core::object::Value;
use hsm_core::object::lifecycle::Action;
use hsm_core::object::locate::Scope;
use hsm_core::service::{Provenance, Space};
use hsm_core::store::{self, PartitionId, RecordId};
use tempfile::TempDir;

/// Where the log is, its head there, and its secret in the HSM's own space.
const LOG: PartitionId = PartitionId([0xff; 16]);
const HEAD: RecordId = RecordId([0xff; 16]);
const SECRET: RecordId = RecordId([3; 16]);

const CREATE: Activity =
    Activity { door: "test", operation: "Create", class: Class::Change, severity: Severity::Normal };

/// The stores that outlive a process.
const STORES: &[&str] = &[
    "sqlite:.",
    #[cfg(feature = "sled")]
    "sled:.",
];

/// An HSM's home with a process on it.
struct Bench {
    home: TempDir,
    hsm: Arc<Hsm>,
}

impl Bench {
    fn new(store: &str) -> Bench {
        let home = TempDir::new().unwrap();
        std::fs::write(
            home.path().join("softhsm-rs.toml"),
            format!("store = '{store}'\naudit.changes = false\n"),
        )
        .unwrap();
        let hsm = open(&home);
        hsm.initialise(&Default::default(), &mut |_| {}).unwrap();
        Bench { home, hsm }
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

    /// Ends the process, lets somebody write the store, and begins another process.
    fn spoiled(self, spoil: &dyn Fn(&dyn store::Store)) -> Bench {
        let Bench { home, hsm } = self;
        let url = hsm.config().store.clone();
        drop(hsm);
        spoil(store::open(&url).unwrap().as_ref());
        let hsm = open(&home);
        Bench { home, hsm }
    }
}

fn open(home: &TempDir) -> Arc<Hsm> {
    Hsm::new(Config::for_home(home.path()).unwrap())
}

fn remove(store: &dyn store::Store, space: PartitionId, id: RecordId) {
    let removed = store.write(space, &mut |writer| {
        let revision = writer.revision(space, id)?.unwrap();
        Ok(writer.remove(space, id, revision)?)
    });
    removed.unwrap();
}

fn event() -> Event {
    Event::now(CREATE, Initiator::new("a", "a", "kmip", None))
}

/// Makes a data object as an operation that is recorded.
fn make(space: &Space, trail: &Arc<Trail>, id: &str) -> Result<()> {
    space.begin_operation(trail.clone(), event());
    let made = space.write(&mut |changes| {
        let template = [
            (CKA_CLASS, Value::Number(CKO_DATA)),
            (CKA_TOKEN, Value::Bool(true)),
            (CKA_PRIVATE, Value::Bool(true)),
        ];
        changes.insert(space.new_object(template.into_iter().collect())?, Provenance::Brought, id)
    });
    assert_eq!(space.end_operation(), Some(made.is_ok()));
    made.map(drop)
}

fn id(number: u8) -> String {
    RecordId([number; 16]).to_string()
}

#[test]
fn a_change_and_its_event_are_both_there_or_neither() {
    for store in STORES {
        let bench = Bench::new(store);
        {
            let (trail, space) = (bench.trail(), bench.space());
            make(&space, &trail, &id(1)).unwrap();
            assert_eq!(bench.events(), 1);
            // The identifier is taken: nothing is made, and no event says so.
            assert!(make(&space, &trail, &id(1)).is_err());
            assert_eq!(bench.events(), 1, "{store}");
        }
        let bench = bench.spoiled(&|store| remove(store, LOG, HEAD));
        let (trail, space) = (bench.trail(), bench.space());
        assert!(matches!(make(&space, &trail, &id(2)), Err(Error::RecordDamaged { .. })));
        assert!(matches!(space.load(&id(2), Action::Look), Err(Error::NoSuchObject)), "{store}");
    }
}

#[test]
fn a_log_is_begun_once_and_goes_on() {
    let bench = Bench::new("sqlite:.");
    assert_eq!(bench.hsm.read_audit_log(0, &mut |_| Ok(())).unwrap(), None);
    bench.trail().write(event()).unwrap();
    open(&bench.home).audit_trail(Uses::Off).unwrap().write(event()).unwrap();
    bench.trail().write(event()).unwrap();
    assert_eq!(bench.events(), 3);
}

#[test]
fn a_log_that_is_gone_as_a_whole_is_damage() {
    for store in STORES {
        let bench = Bench::new(store);
        bench.trail().write(event()).unwrap();
        let bench = bench.spoiled(&|store| {
            remove(store, PartitionId::HSM, SECRET);
            store.write(LOG, &mut |writer| Ok(writer.remove_partition(LOG)?)).unwrap();
        });
        let read = bench.hsm.read_audit_log(0, &mut |_| Ok(()));
        assert!(matches!(read, Err(Error::RecordDamaged { .. })), "{read:?}");
        assert!(matches!(bench.hsm.audit_trail(Uses::Off), Err(Error::RecordDamaged { .. })));
    }
}

#[test]
fn the_log_is_no_partition() {
    let bench = Bench::new("memory:");
    bench.trail().write(event()).unwrap();
    assert_eq!(bench.hsm.partitions().unwrap().len(), 0);
    bench.space();
    assert_eq!(bench.hsm.partitions().unwrap().len(), 1);
}
