//! Uses of keys through the module in the audit log, by `audit.uses`: nothing, or counted and written within a second
//! by a thread or by the application's own calls, or written before the answer; and over forks.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use hsm_tests::audit::{audit, configure_uses};
use hsm_tests::function;
use hsm_tests::keys::{self, generate_aes};
use hsm_tests::kit::{Child, Gate, PIN, Running};
use hsm_tests::operations::ENCRYPT;
use hsm_tests::prelude::*;
use hsm_tests::raw;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::Value;

/// What is promised.
const SECOND: Duration = Duration::from_secs(1);

/// A key of the token with a label.
fn key(session: &Session<'_>) -> Object {
    generate_aes(session, attrs![CKA_TOKEN => true, CKA_LABEL => "key"])
}

/// The token's user and its key, in a child.
fn child_user(kit: &Kit) -> (Session<'_>, Object) {
    let session = Token::find(kit.initialised()).user();
    let key = session.find(&attrs![CKA_LABEL => "key"]).expect("the key")[0];
    (session, key)
}

fn encrypt(session: &Session<'_>, key: Object) {
    session.encrypt(&Mech::plain(CKM_AES_ECB), key, &[7; 16]).expect("C_Encrypt");
}

/// The events, without seals.
fn events(kit: &Kit) -> Vec<Value> {
    let text = audit(kit, &["show", "--json"]);
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines.filter_map(|line| line.get("event").cloned()).collect()
}

/// The events of uses.
fn uses(kit: &Kit) -> Vec<Value> {
    events(kit).into_iter().filter(|event| event["class"] == "use").collect()
}

/// How many encryptions the log has that a process did.
fn encryptions(kit: &Kit, process: u32) -> u64 {
    let by = format!("[{process}]");
    let uses = uses(kit);
    let by_it =
        uses.iter().filter(|event| event["initiator"]["name"].as_str().expect("a name").ends_with(&by));
    by_it
        .filter(|event| event["action"] == "pkcs11.encrypt")
        .map(|event| event["count"].as_u64().expect("a count"))
        .sum()
}

fn own_encryptions(kit: &Kit) -> u64 {
    encryptions(kit, std::process::id())
}

/// What the kernel says of the module's threads in this process.
fn threads() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").expect("the process's threads");
    let status = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("status")).ok());
    status.filter(|status| status.starts_with("Name:\taudit\n")).collect()
}

/// What it says of the one thread that there is, which takes its name when it runs for the first time.
fn the_thread() -> String {
    let deadline = Instant::now() + SECOND * 10;
    loop {
        match threads().as_slice() {
            [] => assert!(Instant::now() < deadline, "there is no thread"),
            [status] => return status.clone(),
            several => panic!("{} threads", several.len()),
        }
        sleep(Duration::from_millis(5));
    }
}

/// C_Initialize by an application that lets a library have no threads.
fn initialise_without_threads(kit: &Kit) -> &Module {
    let flags = CKF_OS_LOCKING_OK | CKF_LIBRARY_CANT_CREATE_OS_THREADS;
    let arguments = CK_C_INITIALIZE_ARGS { flags, ..Default::default() };
    kit.module.initialize_with(&arguments).expect("C_Initialize");
    &kit.module
}

isolated! {
    fn nothing_is_recorded_unless_it_is_wanted(kit) {
        let session = kit.user();
        let key = key(&session);
        encrypt(&session, key);
        sleep(SECOND);
        encrypt(&session, key);
        assert_eq!(threads().len(), 0);
        kit.module.finalize().expect("C_Finalize");
        assert_eq!(uses(kit).len(), 0);
    }

    fn what_is_counted_is_in_the_log_within_a_second(kit) {
        configure_uses(kit, "buffered");
        let session = kit.user();
        let key = key(&session);
        assert_eq!(threads().len(), 0, "before the first use");
        for _ in 0..5 {
            encrypt(&session, key);
        }
        let others = keys::generate_aes(&session, attrs![CKA_TOKEN => false]);
        encrypt(&session, others);
        the_thread();
        sleep(SECOND);
        assert_eq!(own_encryptions(kit), 5, "and none of the session's own key");
        let id = String::from_utf8(session.get(key, CKA_UNIQUE_ID).expect("its identifier")).expect("text");
        let uses = uses(kit);
        assert_eq!(uses[0]["target"]["id"].as_str(), Some(id.as_str()));
        assert_eq!(uses[0]["outcome"], "success");
        // It slept meanwhile, and wakes again.
        sleep(SECOND);
        encrypt(&session, key);
        sleep(SECOND);
        assert_eq!(own_encryptions(kit), 6);
        audit(kit, &["verify"]);
    }

    fn the_last_uses_are_written_when_the_library_ends(kit) {
        configure_uses(kit, "buffered");
        kit.token();
        let token = Token::find(&kit.module);
        key(&token.user());
        kit.module.finalize().expect("C_Finalize");
        for round in 1..=3 {
            let (session, key) = child_user(kit);
            encrypt(&session, key);
            kit.module.finalize().expect("C_Finalize");
            assert_eq!(threads().len(), 0, "it has ended");
            assert_eq!(own_encryptions(kit), round);
        }
        audit(kit, &["verify"]);
    }

    fn the_thread_takes_no_signals_of_the_application(kit) {
        configure_uses(kit, "buffered");
        let session = kit.user();
        encrypt(&session, key(&session));
        let status = the_thread();
        let line = status.lines().find(|line| line.starts_with("SigBlk:")).expect("what it blocks");
        let blocked = u64::from_str_radix(line.split_whitespace().nth(1).expect("a set"), 16).expect("a number");
        for signal in [libc::SIGTERM, libc::SIGCHLD, libc::SIGALRM, libc::SIGUSR1] {
            assert_ne!(blocked & (1 << (signal - 1)), 0, "signal {signal}");
        }
        // The thread that began it takes them as before.
        let own = fs::read_to_string("/proc/thread-self/status").expect("this thread");
        assert!(own.lines().any(|line| line == "SigBlk:\t0000000000000000"), "{own}");
    }

    fn a_child_writes_what_it_used_and_nothing_of_its_parent(kit) {
        configure_uses(kit, "buffered");
        let session = kit.user();
        let key = key(&session);
        (0..3).for_each(|_| encrypt(&session, key));
        let gate = Gate::new();
        // One that finalises, one that lives on until it is killed, and one that never uses the module.
        let ended = Child::fork(|| {
            assert_eq!(threads().len(), 0);
            let (session, key) = child_user(kit);
            (0..2).for_each(|_| encrypt(&session, key));
            kit.module.finalize().expect("C_Finalize in the child");
            assert_eq!(encryptions(kit, std::process::id()), 2);
        });
        ended.succeeds();
        let killed = Child::fork(|| {
            let (session, key) = child_user(kit);
            (0..4).for_each(|_| encrypt(&session, key));
            sleep(SECOND);
            assert_eq!(own_encryptions(kit), 4);
            gate.open();
            sleep(SECOND * 30);
        });
        Child::fork(|| {}).succeeds();
        gate.wait();
        killed.kill();
        encrypt(&session, key);
        kit.module.finalize().expect("C_Finalize");
        assert_eq!(own_encryptions(kit), 4);
        let all: u64 = uses(kit).iter().map(|event| event["count"].as_u64().expect("a count")).sum();
        assert_eq!(all, 10);
        audit(kit, &["verify"]);
    }

    fn forks_of_a_busy_application_neither_hang_nor_count_twice(kit) {
        configure_uses(kit, "buffered");
        let token = kit.token_for_threads();
        let session = token.user();
        let key = key(&session);
        let running = Running::default();
        let done: u64 = std::thread::scope(|scope| {
            let stop = running.stop_at_end();
            let threads: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| {
                        let session = token.rw();
                        let mut done = 0;
                        while running.goes_on() {
                            encrypt(&session, key);
                            done += 1;
                        }
                        done
                    })
                })
                .collect();
            for _ in 0..8 {
                Child::fork(|| {
                    let (session, key) = child_user(kit);
                    encrypt(&session, key);
                    kit.module.finalize().expect("C_Finalize in the child");
                })
                .succeeds();
                // At any moment of the thread's round.
                sleep(Duration::from_millis(130));
            }
            drop(stop);
            threads.into_iter().map(|thread| thread.join().expect("a thread")).sum()
        });
        kit.module.finalize().expect("C_Finalize");
        assert_eq!(own_encryptions(kit), done);
        let all: u64 = uses(kit).iter().map(|event| event["count"].as_u64().expect("a count")).sum();
        assert_eq!(all, done + 8);
        audit(kit, &["verify"]);
    }

    fn calls_write_what_they_counted_where_there_may_be_no_thread(kit) {
        configure_uses(kit, "buffered");
        let token = Token::make(initialise_without_threads(kit), hsm_tests::kit::LABEL);
        let session = token.user();
        let key = key(&session);
        encrypt(&session, key);
        encrypt(&session, key);
        assert_eq!(threads().len(), 0);
        assert_eq!(own_encryptions(kit), 1, "the first at once, the second not before its time");
        assert_eq!(threads().len(), 0, "nor is there one a moment later");
        sleep(SECOND / 2);
        session.info().expect("any call");
        assert_eq!(own_encryptions(kit), 2);
        encrypt(&session, key);
        encrypt(&session, key);
        session.logout().expect("C_Logout");
        assert_eq!(own_encryptions(kit), 4);
        session.login(CKU_USER, PIN).expect("C_Login");
        encrypt(&session, key_again(&session));
        encrypt(&session, key_again(&session));
        kit.module.call(function!(C_CloseAllSessions), &[token.slot.into()]).expect("C_CloseAllSessions");
        assert_eq!(own_encryptions(kit), 6);
        let session = token.user();
        encrypt(&session, key_again(&session));
        encrypt(&session, key_again(&session));
        kit.module.finalize().expect("C_Finalize");
        assert_eq!(own_encryptions(kit), 8);
        audit(kit, &["verify"]);
    }

    fn what_is_durable_is_in_the_log_when_the_call_returns(kit) {
        configure_uses(kit, "durable");
        let session = kit.user();
        let key = key(&session);
        for count in 1..=3 {
            encrypt(&session, key);
            assert_eq!(own_encryptions(kit), count);
        }
        assert_eq!(threads().len(), 0);
        let gate = Gate::new();
        let child = Child::fork(|| {
            let (session, key) = child_user(kit);
            encrypt(&session, key);
            gate.open();
            sleep(SECOND * 30);
        });
        gate.wait();
        child.kill();
        assert_eq!(uses(kit).len(), 4, "a killed process leaves it");
        audit(kit, &["verify"]);
    }

    fn what_cannot_be_recorded_and_has_to_be_is_refused(kit) {
        configure_uses(kit, "durable");
        raw::ignore_file_size_signal();
        let session = kit.user();
        let key = key(&session);
        encrypt(&session, key);
        let before = getrlimit(Resource::Fsize);
        setrlimit(Resource::Fsize, Rlimit { current: Some(0), ..before }).expect("a limit");
        session.init(ENCRYPT, &Mech::plain(CKM_AES_ECB), key).expect("C_EncryptInit");
        let mut out = [1; 16];
        refused!(CKR_DEVICE_ERROR | CKR_DEVICE_MEMORY, session.once(ENCRYPT, &[7; 16], Out::Buffer(&mut out)));
        setrlimit(Resource::Fsize, before).expect("the limit as it was");
        assert_eq!(out, [0; 16], "what was encrypted is taken back");
        encrypt(&session, key);
        assert_eq!(own_encryptions(kit), 2);
        audit(kit, &["verify"]);
    }

    fn what_is_refused_is_told_with_the_value_that_the_caller_got(kit) {
        configure_uses(kit, "buffered");
        let session = kit.user();
        let key = generate_aes(
            &session,
            attrs![CKA_TOKEN => true, CKA_ENCRYPT => false, CKA_SENSITIVE => true, CKA_EXTRACTABLE => false, CKA_SIGN => true, CKA_VERIFY => true],
        );
        let ecb = Mech::plain(CKM_AES_ECB);
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.encrypt(&ecb, key, &[7; 16]));
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.encrypt(&ecb, key, &[7; 16]));
        refused!(CKR_ATTRIBUTE_SENSITIVE, session.get(key, CKA_VALUE));
        refused!(CKR_SIGNATURE_INVALID, session.verify(&Mech::plain(CKM_AES_CMAC), key, b"x", &[7; 16]));
        kit.module.finalize().expect("C_Finalize");
        let text = |event: &Value, at: &str| event.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut told: Vec<_> = uses(kit)
            .iter()
            .map(|event| {
                let reason = (text(event, "/reason/reasonType"), text(event, "/reason/reasonCode"));
                (text(event, "/action"), reason, event["count"].as_u64().expect("a count"))
            })
            .collect();
        told.sort();
        let row = |action: &str, name: &str, code: CK_RV, count| (action.to_owned(), (name.to_owned(), code.to_string()), count);
        assert_eq!(
            told,
            [
                row("pkcs11.encrypt", "CKR_KEY_FUNCTION_NOT_PERMITTED", CKR_KEY_FUNCTION_NOT_PERMITTED, 2),
                row("pkcs11.get-attribute-value", "CKR_ATTRIBUTE_SENSITIVE", CKR_ATTRIBUTE_SENSITIVE, 1),
                row("pkcs11.verify", "CKR_SIGNATURE_INVALID", CKR_SIGNATURE_INVALID, 1),
            ]
        );
        audit(kit, &["verify"]);
    }

    fn a_secret_that_is_read_in_two_calls_is_read_once(kit) {
        configure_uses(kit, "durable");
        let session = kit.user();
        let template = keys::secret_template(&[7; 32]).and(attrs![CKA_TOKEN => true, CKA_SENSITIVE => false, CKA_EXTRACTABLE => true]);
        let secret = session.create(&template).expect("a secret");
        assert_eq!(session.get(secret, CKA_VALUE), Ok(vec![7; 32]));
        session.get(secret, CKA_LABEL).expect("what is no secret");
        let uses = uses(kit);
        assert_eq!(uses.len(), 1);
        assert_eq!(uses[0]["action"], "pkcs11.get-attribute-value");
    }
}

/// The key, whose handle went with the login.
fn key_again(session: &Session<'_>) -> Object {
    session.find(&attrs![CKA_LABEL => "key"]).expect("the key")[0]
}
