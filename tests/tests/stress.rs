//! Eight processes that make, use and destroy keys on one token, some of them killed at random, and one
//! that forks with the store open, whose child writes while parent and others close first. No key that
//! was acknowledged may be lost, and no code but CKR_OK and those of keys destroyed elsewhere may come.
//!
//! `HSM_TESTS_STRESS_SECONDS` says for how long (15 where it is not set).
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hsm_tests::journal::{Account, Journal};
use hsm_tests::keys::{self, generate_aes};
use hsm_tests::kit::{Child, PIN};
use hsm_tests::prelude::*;

const PROCESSES: usize = 8;
/// Of these, so many are killed and started again.
const KILLED: usize = 3;
/// Labels of key pairs, which are two objects, begin with this.
const PAIR: &str = "pair ";

fn duration() -> Duration {
    let seconds = std::env::var("HSM_TESTS_STRESS_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(15))
}

/// A small generator of its own for each process, so that a run needs nothing from the module for it.
struct Dice(u64);

impl Dice {
    fn new(seed: usize) -> Dice {
        let time = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos();
        Dice(u64::try_from(time % u128::from(u64::MAX)).unwrap() ^ (u64::try_from(seed).unwrap() << 32) | 1)
    }

    /// A number below `sides`.
    fn roll(&mut self, sides: usize) -> usize {
        // xorshift64: good enough to choose what to do next.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// One process at work on the token.
struct Worker<'m> {
    session: Session<'m>,
    journal: Journal,
    dice: Dice,
    name: String,
    made: usize,
}

/// A key destroyed by another process in between; every other error ends the test.
fn elsewhere<T>(answer: Result<T, Rv>) -> Option<T> {
    match answer {
        Ok(value) => Some(value),
        Err(Rv(CKR_OBJECT_HANDLE_INVALID | CKR_KEY_HANDLE_INVALID)) => None,
        Err(rv) => panic!("{rv:?}"),
    }
}

impl<'m> Worker<'m> {
    fn start(module: &'m Module, journals: &Path, name: String) -> Worker<'m> {
        let session = Token::find(module).rw();
        session.login(CKU_USER, PIN).expect("C_Login");
        let journal = Journal::open(&journals.join(&name));
        let dice = Dice::new(usize::try_from(std::process::id()).unwrap());
        Worker { session, journal, dice, name, made: 0 }
    }

    fn work_until(&mut self, end: Instant) {
        while Instant::now() < end {
            match self.dice.roll(8) {
                0..=2 => self.make(),
                3 => self.destroy_any(),
                _ => self.use_any(),
            }
        }
    }

    fn make(&mut self) {
        self.made += 1;
        let pair = self.dice.roll(8) == 0;
        let label = format!("{}{} {}", if pair { PAIR } else { "" }, self.name, self.made);
        let more = attrs![CKA_TOKEN => true, CKA_LABEL => &label, CKA_ID => "stress"];
        if pair {
            keys::ec_with(&self.session, keys::P256, more);
        } else {
            generate_aes(&self.session, more);
        }
        self.journal.made(&label);
    }

    /// Some key of any process, with its label; `None` if it was destroyed in between.
    fn any(&mut self) -> Option<(Object, String)> {
        self.session.find_init(&attrs![CKA_ID => "stress"]).expect("C_FindObjectsInit");
        let found = self.session.find_some(200).expect("C_FindObjects");
        self.session.find_final().expect("C_FindObjectsFinal");
        if found.is_empty() {
            return None;
        }
        let object = found[self.dice.roll(found.len())];
        let label = elsewhere(self.session.get(object, CKA_LABEL))?;
        Some((object, String::from_utf8(label).expect("a label of ours")))
    }

    fn use_any(&mut self) {
        let Some((object, _)) = self.any() else { return };
        let Some(class) = elsewhere(self.session.number(object, CKA_CLASS)) else { return };
        use_key(&self.session, object, class);
    }

    fn destroy_any(&mut self) {
        let Some((_, label)) = self.any() else { return };
        self.journal.destroying(&label);
        let mut destroyed = 0;
        for object in self.session.find(&attrs![CKA_LABEL => &label]).expect("finding a label") {
            destroyed += usize::from(elsewhere(self.session.destroy(object)).is_some());
        }
        if destroyed > 0 && self.session.find(&attrs![CKA_LABEL => &label]).expect("finding").is_empty() {
            self.journal.destroyed(&label);
        }
    }
}

/// Uses a key for what it is made for; it may have been destroyed in between.
fn use_key(session: &Session<'_>, object: Object, class: CK_OBJECT_CLASS) -> bool {
    let answer = match class {
        CKO_SECRET_KEY => session.encrypt(&Mech::plain(CKM_AES_ECB), object, &[7; 32]),
        CKO_PRIVATE_KEY => session.sign(&Mech::plain(CKM_ECDSA), object, &[7; 32]),
        _ => session.get(object, CKA_EC_POINT),
    };
    elsewhere(answer).is_some()
}

/// Starts a process that works until `end`.
fn worker(kit: &Kit, journals: &Path, name: String, end: Instant) -> Child {
    Child::fork(|| {
        kit.module.initialize().expect("C_Initialize");
        Worker::start(&kit.module, journals, name).work_until(end);
        kit.module.finalize().expect("C_Finalize");
    })
}

/// Starts a process that forks with the store open, again and again; the child writes while the parent
/// closes first.
fn forker(kit: &Kit, journals: &Path, end: Instant) -> Child {
    Child::fork(|| {
        let mut round = 0;
        while Instant::now() < end {
            round += 1;
            kit.module.initialize().expect("C_Initialize");
            let mut parent = Worker::start(&kit.module, journals, format!("forker-{round}"));
            parent.make();
            let child = Child::fork(|| {
                // The parent's state came along with the fork; the child starts anew.
                kit.module.initialize().expect("C_Initialize in the child");
                let mut child = Worker::start(&kit.module, journals, format!("forked-{round}"));
                for _ in 0..30 {
                    child.make();
                }
                kit.module.finalize().expect("C_Finalize in the child");
            });
            parent.make();
            kit.module.finalize().expect("C_Finalize");
            child.succeeds_within(Duration::from_secs(60));
        }
    })
}

/// Checks the token against the journals, in a process that was not there before.
fn verify(kit: &Kit, journals: &Path) {
    let account = Account::read(journals);
    let session = Token::find(kit.initialised()).user();
    let find = |label: &String| session.find(&attrs![CKA_LABEL => label]).expect("finding a key");
    let expected = |label: &String| if label.starts_with(PAIR) { 2 } else { 1 };
    let lost: Vec<_> = account.kept.iter().filter(|label| find(label).len() != expected(label)).collect();
    assert!(lost.is_empty(), "{} of {} acknowledged keys are lost: {lost:?}", lost.len(), account.made);
    for label in &account.kept {
        for object in find(label) {
            let class = session.number(object, CKA_CLASS).expect("CKA_CLASS");
            assert!(use_key(&session, object, class), "{label} does not work");
        }
    }
    let back: Vec<_> = account.gone.iter().filter(|label| !find(label).is_empty()).collect();
    assert!(back.is_empty(), "{} destroyed keys are back: {back:?}", back.len());
    assert!(account.made >= PROCESSES, "only {} keys were made", account.made);
}

isolated! {
    fn no_acknowledged_key_is_lost_and_no_other_code_comes(kit, duration().as_secs() + 240) {
        Child::fork(|| {
            kit.token();
        })
        .succeeds();
        let journals: PathBuf = kit.directory.join("journals");
        std::fs::create_dir(&journals).unwrap();
        let end = Instant::now() + duration();
        let steady: Vec<Child> = (KILLED..PROCESSES)
            .map(|number| worker(kit, &journals, format!("steady-{number}"), end))
            .collect();
        let forker = forker(kit, &journals, end);
        let mut dice = Dice::new(0);
        let mut started = 0;
        let mut start = || {
            started += 1;
            worker(kit, &journals, format!("killed-{started}"), end)
        };
        let mut doomed: Vec<Child> = (0..KILLED).map(|_| start()).collect();
        while Instant::now() < end {
            std::thread::sleep(Duration::from_millis(200 + u64::try_from(dice.roll(800)).unwrap()));
            let victim = doomed.swap_remove(dice.roll(KILLED));
            victim.kill();
            doomed.push(start());
        }
        let rest = Duration::from_secs(60);
        doomed.into_iter().chain(steady).for_each(|child| child.succeeds_within(rest));
        forker.succeeds_within(rest);
        Child::fork(|| verify(kit, &journals)).succeeds_within(Duration::from_secs(120));
    }
}
