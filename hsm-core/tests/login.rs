//! Logging in: PINs and their counters over handles as over processes, what logging out ends, and
//! what one handle sees of another's changes.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod kit;

use std::sync::Arc;

use cryptoki_sys::*;
use hsm_core::error::Error;
use hsm_core::mechanism::Mechanism;
use hsm_core::session::{Access, LoginState, ObjectHandle, Output, Role, Session};
use kit::*;

const WRONG: &[u8] = b"wrong PIN";

fn limited(limit: u32) -> Fresh {
    Fresh::configured(&format!("pin.max_tries = {limit}\n"))
}

/// Tries left for the user's PIN, as a new handle sees them.
fn left(fresh: &Fresh) -> u32 {
    partition(&handle(fresh.home.path())).info().user_tries.unwrap().left
}

#[test]
fn wrong_tries_are_counted_over_all_handles_and_a_right_one_resets_them() {
    let fresh = Fresh::new();
    let session = fresh.session();
    assert!(matches!(session.login(Role::User, WRONG), Err(Error::PinIncorrect { left: 9 })));
    let other = fresh.other();
    assert!(matches!(other.session.login(Role::User, WRONG), Err(Error::PinIncorrect { left: 8 })));
    assert_eq!(fresh.partition.info().user_tries.unwrap().left, 8);
    assert_eq!(fresh.partition.info().so_tries.unwrap().left, 10, "the SO's are counted apart");
    session.login(Role::User, USER_PIN).unwrap();
    assert_eq!(left(&fresh), 10);
}

#[test]
fn a_right_pin_is_not_locked_by_many_who_give_it_at_once() {
    let fresh = Fresh::new();
    let start = std::sync::Barrier::new(24);
    std::thread::scope(|scope| {
        for _ in 0..24 {
            scope.spawn(|| {
                let other = fresh.other();
                start.wait();
                other.session.login(Role::User, USER_PIN).unwrap();
            });
        }
    });
    assert_eq!(left(&fresh), 10);
}

#[test]
fn many_threads_that_log_in_at_once_are_logged_in_once() {
    let fresh = Fresh::new();
    let sessions: Vec<_> = (0..40).map(|_| fresh.session()).collect();
    let start = std::sync::Barrier::new(sessions.len());
    let done: usize = std::thread::scope(|scope| {
        let log_in = |session: &Arc<Session>| {
            start.wait();
            match session.login(Role::User, USER_PIN) {
                Ok(()) => 1,
                Err(Error::AlreadyLoggedIn) => 0,
                Err(other) => panic!("{other}"),
            }
        };
        let running: Vec<_> = sessions.iter().map(|session| scope.spawn(move || log_in(session))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(done, 1);
    assert_eq!(left(&fresh), 10);
}

#[test]
fn after_the_last_try_the_right_pin_is_refused_too_until_the_so_sets_one() {
    let fresh = limited(3);
    let session = fresh.session();
    for expected in [2, 1, 0] {
        let Err(Error::PinIncorrect { left }) = session.login(Role::User, WRONG) else { panic!() };
        assert_eq!(left, expected);
    }
    assert!(matches!(session.login(Role::User, USER_PIN), Err(Error::PinLocked)));
    let other = fresh.other();
    assert!(matches!(other.session.login(Role::User, USER_PIN), Err(Error::PinLocked)));
    assert!(matches!(other.session.set_pin(USER_PIN, b"other"), Err(Error::PinLocked)));
    session.login(Role::So, SO_PIN).unwrap();
    session.init_pin(b"new PIN").unwrap();
    session.logout().unwrap();
    assert!(matches!(other.session.login(Role::User, USER_PIN), Err(Error::PinIncorrect { left: 2 })));
    other.session.login(Role::User, b"new PIN").unwrap();
}

#[test]
fn many_wrong_tries_at_once_are_no_more_than_the_limit() {
    let fresh = limited(4);
    let wrong = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6)
            .map(|_| {
                scope.spawn(|| {
                    let other = fresh.other();
                    let tries = (0..3).map(|_| other.session.login(Role::User, WRONG));
                    tries.filter(|tried| matches!(tried, Err(Error::PinIncorrect { .. }))).count()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
    });
    assert_eq!(wrong, 4, "each try was counted before it was checked");
    assert!(matches!(fresh.session().login(Role::User, USER_PIN), Err(Error::PinLocked)));
}

#[test]
fn who_is_logged_in_decides_who_may_log_in() {
    let fresh = Fresh::new();
    let session = fresh.session();
    session.login(Role::User, USER_PIN).unwrap();
    assert!(matches!(session.login(Role::User, USER_PIN), Err(Error::AlreadyLoggedIn)));
    assert!(matches!(session.login(Role::So, SO_PIN), Err(Error::AnotherLoggedIn)));
    assert_eq!(fresh.session().login_state(), LoginState::User, "for all sessions of the process");
    assert_eq!(fresh.other().session.login_state(), LoginState::Public, "and for no other process");
    session.logout().unwrap();
    assert!(matches!(session.logout(), Err(Error::NotLoggedIn)));
    let read_only = fresh.partition.open_session(Access::ReadOnly).unwrap();
    assert!(matches!(session.login(Role::So, SO_PIN), Err(Error::SessionReadOnlyExists)));
    fresh.partition.close_session(&read_only);
    session.login(Role::So, SO_PIN).unwrap();
    let refused = fresh.partition.open_session(Access::ReadOnly).map(drop);
    assert!(matches!(refused, Err(Error::SessionReadWriteSoExists)));
}

#[test]
fn a_pin_that_was_never_set_is_said_to_be_so() {
    let home = directory();
    let hsm = handle(home.path());
    hsm.initialise(&Default::default(), &mut |_| {}).unwrap();
    let partition = hsm.create_partition(&padded("token"), SO_PIN).unwrap();
    let session = partition.open_session(Access::ReadWrite).unwrap();
    assert!(matches!(session.login(Role::User, USER_PIN), Err(Error::UserPinNotSet)));
    assert!(matches!(session.init_pin(USER_PIN), Err(Error::NotLoggedIn)));
    session.login(Role::So, SO_PIN).unwrap();
    let too_long = vec![b'1'; 256];
    for pin in [&b""[..], b"123", &too_long] {
        assert!(matches!(session.init_pin(pin), Err(Error::PinLength { min: 4, max: 255 })), "{}", pin.len());
    }
    assert!(!partition.info().user_pin_set);
}

#[test]
fn the_so_sees_public_objects_alone() {
    let fresh = Fresh::new();
    let session = fresh.user();
    session.create_object(data(true, "private", b"x")).unwrap();
    session.create_object(data(false, "public", b"x")).unwrap();
    session.logout().unwrap();
    session.login(Role::So, SO_PIN).unwrap();
    assert_eq!(find(&session, vec![]).unwrap().len(), 1);
    assert!(find(&session, vec![label("private")]).unwrap().is_empty());
    assert!(find(&session, vec![flag(CKA_PRIVATE, true)]).unwrap().is_empty());
    let refused = session.create_object(data(true, "another", b"x"));
    assert!(matches!(refused, Err(Error::NotLoggedIn)));
}

#[test]
fn objects_outlive_every_change_of_pin() {
    let fresh = Fresh::new();
    let session = fresh.user();
    session.create_object(data(true, "private", b"x")).unwrap();
    session.set_pin(USER_PIN, b"second").unwrap();
    assert!(matches!(session.set_pin(USER_PIN, b"third"), Err(Error::PinIncorrect { .. })));
    session.logout().unwrap();
    session.login(Role::So, SO_PIN).unwrap();
    session.set_pin(SO_PIN, b"second SO").unwrap();
    session.logout().unwrap();
    session.login(Role::So, b"second SO").unwrap();
    session.init_pin(b"third").unwrap();
    let other = fresh.other();
    other.session.login(Role::User, b"third").unwrap();
    assert_eq!(value(&other.session, the(&other.session, "private"), CKA_VALUE), b"x");
    let read_only = other.partition.open_session(Access::ReadOnly).unwrap();
    assert!(matches!(read_only.set_pin(b"third", b"fourth"), Err(Error::SessionReadOnly)));
}

#[test]
fn a_key_that_asks_for_its_pin_at_each_use_signs_after_it_alone() {
    let fresh = limited(2);
    let session = fresh.user();
    let mut public = token(false, "pair");
    public.push(bytes(CKA_EC_PARAMS, P256));
    let mut private = token(true, "pair");
    private.push(flag(CKA_ALWAYS_AUTHENTICATE, true));
    let pair = session.generate_key_pair(&Mechanism::plain(CKM_EC_KEY_PAIR_GEN), public, private);
    let (_, key) = pair.unwrap();
    assert!(matches!(session.login_context(USER_PIN), Err(Error::OperationNotInitialised)));
    let mut out = [0; 64];
    session.sign_init(&Mechanism::plain(CKM_ECDSA_SHA256), key).unwrap();
    assert!(matches!(session.sign(b"m", Output::Buffer(&mut out)), Err(Error::ContextLoginNeeded)));
    assert!(matches!(session.login_context(WRONG), Err(Error::PinIncorrect { left: 1 })));
    session.login_context(USER_PIN).unwrap();
    session.sign(b"m", Output::Buffer(&mut out)).unwrap();
    session.sign_init(&Mechanism::plain(CKM_ECDSA_SHA256), key).unwrap();
    assert!(matches!(session.login_context(WRONG), Err(Error::PinIncorrect { left: 1 })));
    assert!(matches!(session.login_context(WRONG), Err(Error::PinIncorrect { left: 0 })));
    assert!(matches!(session.login_context(USER_PIN), Err(Error::PinLocked)));
    assert_eq!(session.login_state(), LoginState::Public, "a locked PIN logs out");
}

/// A handle that is no longer an object's.
fn is_gone(session: &hsm_core::session::Session, object: ObjectHandle) -> bool {
    matches!(session.view(object).map(drop), Err(Error::NoSuchObject))
}

#[test]
fn logging_out_ends_private_handles_session_objects_and_operations() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let private = session.create_object(data(true, "private", b"x")).unwrap();
    let public = session.create_object(data(false, "public", b"x")).unwrap();
    let mut template = data(true, "of the session", b"x");
    template[0] = flag(CKA_TOKEN, false);
    let session_object = session.create_object(template).unwrap();
    let (_, key) = generate_ec(&session, "pair");
    session.sign_init(&Mechanism::plain(CKM_ECDSA_SHA256), key).unwrap();
    session.logout().unwrap();
    assert!(is_gone(&session, private) && is_gone(&session, session_object) && !is_gone(&session, public));
    let ended = session.sign(b"message", Output::Length);
    assert!(matches!(ended, Err(Error::OperationNotInitialised)));
    assert!(matches!(sign(&session, CKM_ECDSA_SHA256, key, b"m"), Err(Error::NoSuchKey)));
    session.login(Role::User, USER_PIN).unwrap();
    assert!(is_gone(&session, private), "its handle comes not back");
    assert_ne!(the(&session, "private"), private);
    assert!(find(&session, vec![label("of the session")]).unwrap().is_empty());
}

#[test]
fn the_last_session_closed_logs_out() {
    let fresh = Fresh::new();
    let (one, two) = (fresh.user(), fresh.session());
    fresh.partition.close_session(&one);
    assert_eq!(two.login_state(), LoginState::User);
    fresh.partition.close_session(&two);
    assert_eq!(fresh.session().login_state(), LoginState::Public);
    assert!(matches!(two.create_object(data(false, "x", b"x")), Err(Error::NoSuchSession)));
}

#[test]
fn a_session_that_is_dropped_is_closed() {
    let fresh = Fresh::new();
    drop(fresh.user());
    assert_eq!(fresh.partition.info().sessions, 0);
    assert_eq!(fresh.partition.login_state(), LoginState::Public);
}

#[test]
fn sessions_opened_and_closed_by_many_threads_all_work() {
    let fresh = Fresh::new();
    fresh.session().create_object(data(false, "public", b"x")).unwrap();
    fresh.partition.close_all_sessions();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..200 {
                    let session = fresh.session();
                    assert_eq!(find(&session, vec![label("public")]).unwrap().len(), 1);
                    fresh.partition.close_session(&session);
                }
            });
        }
    });
}

#[test]
fn initialising_anew_needs_the_so_pin_and_no_session_anywhere() {
    let fresh = Fresh::new();
    let session = fresh.user();
    session.create_object(data(true, "private", b"x")).unwrap();
    let again = |pin| fresh.hsm.reinitialise(&fresh.partition, &padded("anew"), pin);
    assert!(matches!(again(SO_PIN), Err(Error::SessionExists)));
    fresh.partition.close_all_sessions();
    let other = fresh.other();
    assert!(matches!(again(SO_PIN), Err(Error::SessionExists)), "a session of another handle");
    other.partition.close_session(&other.session);
    assert!(matches!(again(WRONG), Err(Error::PinIncorrect { left: 9 })));
    assert_eq!(find(&fresh.user(), vec![]).unwrap().len(), 1, "nothing is lost by a refusal");
    fresh.partition.close_all_sessions();
    again(SO_PIN).unwrap();
    let other = fresh.other();
    assert_eq!(&other.partition.info().label[..5], b"anew ");
    assert!(matches!(other.session.login(Role::User, USER_PIN), Err(Error::UserPinNotSet)));
    assert!(find(&other.session, vec![]).unwrap().is_empty());
}

#[test]
fn a_key_destroyed_elsewhere_stops_working() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let (_, key) = generate_ec(&session, "pair");
    sign(&session, CKM_ECDSA_SHA256, key, b"message").unwrap();
    let other = Other::user(fresh.home.path());
    let found = find(&other.session, vec![number(CKA_CLASS, CKO_PRIVATE_KEY)]).unwrap();
    other.session.destroy_object(found[0]).unwrap();
    assert!(matches!(sign(&session, CKM_ECDSA_SHA256, key, b"m"), Err(Error::NoSuchKey)));
    assert!(matches!(session.destroy_object(key), Err(Error::NoSuchObject)));
    assert!(find(&session, vec![number(CKA_CLASS, CKO_PRIVATE_KEY)]).unwrap().is_empty());
}

#[test]
fn an_attribute_changed_elsewhere_is_seen_and_found() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let (_, key) = generate_ec(&session, "before");
    sign(&session, CKM_ECDSA_SHA256, key, b"message").unwrap();
    let other = Other::user(fresh.home.path());
    let found = find(&other.session, vec![number(CKA_CLASS, CKO_PRIVATE_KEY)]).unwrap()[0];
    other.session.set_attributes(found, vec![label("after"), flag(CKA_SIGN, false)]).unwrap();
    assert_eq!(value(&session, key, CKA_LABEL), b"after");
    assert_eq!(the(&session, "after"), key);
    assert_eq!(find(&session, vec![label("before")]).unwrap().len(), 1, "the public half alone");
    assert!(matches!(sign(&session, CKM_ECDSA_SHA256, key, b"m"), Err(Error::KeyFunctionNotPermitted)));
}
