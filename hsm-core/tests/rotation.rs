//! The change of the master key: nothing is lost, nobody who works meanwhile notices, and what was interrupted is
//! ended by whoever comes next. And what becomes of those who are logged in when the master key goes.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod kit;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use cryptoki_sys::*;
use hsm_core::audit::{Uses, Verdict};
use hsm_core::error::Error;
use hsm_core::hsm::{Hsm, Rewrapped};
use hsm_core::session::{Access, Role, Session};
use hsm_core::unit::{Command, Refusal, Unit};
use kit::administrators::Administrators;
use kit::*;

const SERVER: &str = "server";
const NEW_PIN: &[u8] = b"24681357";

/// An HSM with a token that has a key pair and a private object, a server's partition, and an audit log.
fn fresh() -> Fresh {
    let fresh = Fresh::new();
    let user = fresh.user();
    generate_ec(&user, "key");
    user.create_object(data(true, "private", b"kept")).unwrap();
    fresh.hsm.audit_trail(Uses::Off).unwrap();
    let server = fresh.hsm.server_partition(SERVER).unwrap().open_for_server().unwrap();
    server.create_object(data(true, "of the server", b"kept too")).unwrap();
    drop(user);
    fresh
}

/// What stands in the HSM of [`fresh`] is all there, to a process that begins now.
fn assert_whole(hsm: &Hsm) {
    let partitions = hsm.partitions().unwrap();
    assert_eq!(partitions.len(), 2);
    assert!(partitions[0].info().user_tries.is_some_and(|tries| tries.left == tries.limit));
    let session = partitions[0].open_session(Access::ReadWrite).unwrap();
    session.login(Role::User, USER_PIN).unwrap();
    assert_works(&session);
    let kept = the(&session, "private");
    assert_eq!(value(&session, kept, CKA_VALUE), b"kept");
    session.logout().unwrap();
    session.login(Role::So, SO_PIN).unwrap();
    drop(session);
    let server = hsm.server_partition(SERVER).unwrap().open_for_server().unwrap();
    assert_eq!(value(&server, the(&server, "of the server"), CKA_VALUE), b"kept too");
    assert!(matches!(hsm.read_audit_log(0, &mut |_| Ok(())).unwrap(), Some(Verdict::Whole { .. })));
}

/// A process of its own with the user logged in.
fn another_user(home: &Path) -> (Arc<Hsm>, Arc<Session>) {
    let hsm = handle(home);
    let session = hsm.partitions().unwrap()[0].open_session(Access::ReadWrite).unwrap();
    session.login(Role::User, USER_PIN).unwrap();
    (hsm, session)
}

/// The key of [`fresh`] signs.
fn assert_works(session: &Session) {
    let key = find(session, vec![label("key"), number(CKA_CLASS, CKO_PRIVATE_KEY)]).unwrap()[0];
    sign(session, CKM_ECDSA_SHA256, key, b"message").unwrap();
}

#[test]
fn nothing_is_lost_when_the_master_key_changes() {
    let fresh = fresh();
    let administrators = Administrators::of(fresh.home.path());
    for _ in 0..3 {
        let before = fresh.hsm.unit_status().unwrap();
        administrators.rotate(&fresh.hsm);
        let after = fresh.hsm.unit_status().unwrap();
        assert_eq!(after.epoch, before.epoch + 1);
        assert_ne!(after.current_register, before.current_register);
        assert_whole(&handle(fresh.home.path()));
    }
}

#[test]
fn who_is_logged_in_works_on() {
    let fresh = fresh();
    let (user, (_process, other)) = (fresh.user(), another_user(fresh.home.path()));
    assert_works(&user);
    Administrators::of(fresh.home.path()).rotate(&handle(fresh.home.path()));
    for session in [&user, &other] {
        assert_works(session);
        session.create_object(data(true, "after", b"x")).unwrap();
        session.set_pin(USER_PIN, USER_PIN).unwrap();
    }
}

#[test]
fn what_was_unsealed_is_read_anew_in_the_new_epoch() {
    let fresh = fresh();
    let user = fresh.user();
    assert_works(&user);
    let key = find(&user, vec![label("key"), number(CKA_CLASS, CKO_PRIVATE_KEY)]).unwrap()[0];
    sign(&user, CKM_ECDSA_SHA256, key, b"message").unwrap();
    let reads = fresh.hsm.store_reads();
    sign(&user, CKM_ECDSA_SHA256, key, b"message").unwrap();
    assert_eq!(fresh.hsm.store_reads(), reads, "warm");
    Administrators::of(fresh.home.path()).rotate(&handle(fresh.home.path()));
    sign(&user, CKM_ECDSA_SHA256, key, b"message").unwrap();
    assert!(fresh.hsm.store_reads() > reads);
}

#[test]
fn a_master_key_that_partitions_are_not_wrapped_under_does_not_come_into_use() {
    let fresh = fresh();
    let administrators = Administrators::of(fresh.home.path());
    let pattern = administrators.commit(&fresh.hsm);
    let before = fresh.hsm.unit_status().unwrap();
    let refused = administrators.submit(&fresh.hsm, &Command::SetImmediate(pattern));
    assert!(matches!(refused, Err(Error::WrapMissing { partitions: None })), "{refused:?}");
    assert_eq!(fresh.hsm.unit_status().unwrap(), before);
    assert_whole(&handle(fresh.home.path()));
}

#[test]
fn wraps_under_a_key_that_was_cleared_or_overwritten_do_not_count() {
    let fresh = fresh();
    let administrators = Administrators::of(fresh.home.path());
    administrators.commit(&fresh.hsm);
    fresh.hsm.rewrap_partitions(&mut |_| {}).unwrap();
    administrators.submit(&fresh.hsm, &Command::ClearNew).unwrap();
    for load in [Administrators::commit, Administrators::commit] {
        let pattern = load(&administrators, &fresh.hsm);
        let refused = administrators.submit(&fresh.hsm, &Command::SetImmediate(pattern));
        assert!(matches!(refused, Err(Error::WrapMissing { .. })), "{refused:?}");
        fresh.hsm.rewrap_partitions(&mut |_| {}).unwrap();
    }
    assert_whole(&handle(fresh.home.path()));
}

#[test]
fn partitions_are_wrapped_under_a_committed_key_alone() {
    let fresh = fresh();
    let administrators = Administrators::of(fresh.home.path());
    let refusal = |hsm: &Hsm| match hsm.rewrap_partitions(&mut |_| {}) {
        Err(Error::Unit(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    assert_eq!(refusal(&fresh.hsm), Refusal::NewRegisterEmpty);
    administrators.load(&fresh.hsm);
    assert_eq!(refusal(&fresh.hsm), Refusal::NewRegisterUncommitted);
}

#[test]
fn what_changes_between_wrapping_and_set_immediate_goes_over_too() {
    let fresh = fresh();
    let home = fresh.home.path();
    let administrators = Administrators::of(home);
    let pattern = administrators.commit(&fresh.hsm);
    let mut told = Vec::new();
    fresh.hsm.rewrap_partitions(&mut |rewrapped| told.push(rewrapped)).unwrap();
    assert_eq!(told, [Rewrapped { done: 0, total: 2 }, Rewrapped { done: 2, total: 2 }]);

    let other = handle(home);
    let gone = other.create_partition(&padded("gone"), SO_PIN).unwrap();
    other.create_partition(&padded("third"), SO_PIN).unwrap();
    other.delete_partition(&gone, SO_PIN).unwrap();
    let token = &other.partitions().unwrap()[0];
    let session = token.open_session(Access::ReadWrite).unwrap();
    session.login(Role::User, USER_PIN).unwrap();
    session.set_pin(USER_PIN, NEW_PIN).unwrap();
    drop(session);
    let wrong = token.open_session(Access::ReadWrite).unwrap();
    assert!(matches!(wrong.login(Role::User, USER_PIN), Err(Error::PinIncorrect { .. })));
    let tries = token.info().user_tries.unwrap();

    administrators.submit(&fresh.hsm, &Command::SetImmediate(pattern)).unwrap();
    let after = handle(home);
    let tokens = after.partitions().unwrap();
    assert_eq!(tokens.len(), 3);
    assert_eq!(tokens[0].info().user_tries.unwrap(), tries, "a wrong try counts on");
    assert!(tries.left < tries.limit);
    let session = tokens[0].open_session(Access::ReadWrite).unwrap();
    session.login(Role::User, NEW_PIN).unwrap();
    assert_works(&session);
    tokens[2].open_session(Access::ReadWrite).unwrap().login(Role::So, SO_PIN).unwrap();
}

/// As if the process died when the unit had switched and the store had not followed.
fn interrupted() -> Fresh {
    let fresh = fresh();
    let administrators = Administrators::of(fresh.home.path());
    let pattern = administrators.commit(&fresh.hsm);
    fresh.hsm.rewrap_partitions(&mut |_| {}).unwrap();
    let command = administrators.signed(&fresh.hsm, &Command::SetImmediate(pattern));
    Unit::open(&fresh.hsm.unit_paths()).unwrap().submit(&command).unwrap();
    fresh
}

#[test]
fn an_interrupted_set_immediate_is_ended_by_whoever_comes_next() {
    type Step = fn(&Fresh, &Hsm);
    let steps: [Step; 6] = [
        // A look at the list.
        |_, hsm| assert_eq!(hsm.partitions().unwrap().len(), 2),
        // Whoever writes the audit log.
        |_, hsm| drop(hsm.audit_trail(Uses::Off).unwrap()),
        // A new partition.
        |_, hsm| {
            let third = hsm.create_partition(&padded("third"), SO_PIN).unwrap();
            hsm.delete_partition(&third, SO_PIN).unwrap();
        },
        // A server.
        |_, hsm| drop(hsm.server_partition(SERVER).unwrap().open_for_server().unwrap()),
        // A login of a process that knew the list.
        |fresh, _| drop(fresh.user()),
        // A PIN of such a process.
        |fresh, _| fresh.user().set_pin(USER_PIN, USER_PIN).unwrap(),
    ];
    for step in steps {
        let fresh = interrupted();
        step(&fresh, &handle(fresh.home.path()));
        assert_whole(&handle(fresh.home.path()));
        Administrators::of(fresh.home.path()).rotate(&fresh.hsm);
        assert_whole(&handle(fresh.home.path()));
    }
}

#[test]
fn a_set_immediate_that_its_people_did_not_sign_says_nothing_of_the_store() {
    let fresh = fresh();
    let administrators = Administrators::of(fresh.home.path());
    let pattern = administrators.commit(&fresh.hsm);
    let unit = Unit::open(&fresh.hsm.unit_paths()).unwrap();
    let unsigned =
        hsm_core::unit::SignedCommand::new(&unit.target(), &Command::SetImmediate(pattern)).unwrap();
    let refused = fresh.hsm.submit(&unsigned);
    assert!(matches!(refused, Err(Error::Unit(Refusal::TooFewSignatures { .. }))), "{refused:?}");
}

#[test]
fn a_key_that_waited_comes_into_use_though_the_one_before_was_cleared() {
    let fresh = fresh();
    let administrators = Administrators::of(fresh.home.path());
    let pattern = administrators.commit(&fresh.hsm);
    fresh.hsm.rewrap_partitions(&mut |_| {}).unwrap();
    administrators.submit(&fresh.hsm, &Command::ClearCurrent).unwrap();
    administrators.submit(&fresh.hsm, &Command::SetImmediate(pattern)).unwrap();
    assert_whole(&handle(fresh.home.path()));
}

#[test]
fn without_a_master_key_nobody_goes_on_using_keys() {
    for end in [Command::ClearCurrent, Command::Zeroize] {
        let fresh = fresh();
        let (user, (_process, other)) = (fresh.user(), another_user(fresh.home.path()));
        assert_works(&user);
        assert_works(&other);
        let key = find(&user, vec![label("key"), number(CKA_CLASS, CKO_PRIVATE_KEY)]).unwrap()[0];
        let administrators = Administrators::of(fresh.home.path());
        administrators.submit(&handle(fresh.home.path()), &end).unwrap();
        let used = sign(&user, CKM_ECDSA_SHA256, key, b"message");
        assert!(matches!(used, Err(Error::UnitNotActive(_))), "{end:?}: {used:?}");
        let found = find(&other, vec![label("key")]);
        assert!(matches!(found, Err(Error::UnitNotActive(_))), "{end:?}: {found:?}");
        assert!(other.create_object(data(true, "late", b"x")).is_err());
    }
}

/// A logged-in process that is idle while everything under it is replaced.
#[test]
fn keys_of_an_hsm_that_was_zeroized_are_not_used_in_its_successor() {
    let fresh = fresh();
    let home = fresh.home.path();
    let user = fresh.user();
    let key = find(&user, vec![label("key"), number(CKA_CLASS, CKO_PRIVATE_KEY)]).unwrap()[0];
    sign(&user, CKM_ECDSA_SHA256, key, b"message").unwrap();
    Administrators::of(home).submit(&handle(home), &Command::Zeroize).unwrap();
    for entry in std::fs::read_dir(home).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("softhsm-rs.sqlite") {
            std::fs::remove_file(path).unwrap();
        }
    }
    // Other parts, or the next master key would be the same.
    std::fs::remove_dir_all(home.join("ceremony")).unwrap();
    handle(home).initialise(&Default::default(), &mut |_| {}).unwrap();
    assert!(handle(home).unit_status().is_ok_and(|unit| unit.current_register.status == "Valid"));
    let used = sign(&user, CKM_ECDSA_SHA256, key, b"message");
    assert!(matches!(used, Err(Error::ForeignMasterKey(_) | Error::Store(_))), "{used:?}");
    let made = user.create_object(data(true, "lost", b"x"));
    assert!(made.is_err(), "an object was acknowledged that nobody finds again");
}

#[test]
fn sessions_that_outlived_a_time_without_a_master_key_work_after_a_login() {
    let fresh = fresh();
    let home = fresh.home.path();
    let administrators = Administrators::of(home);
    let user = fresh.user();
    assert_works(&user);
    let pattern = administrators.commit(&fresh.hsm);
    fresh.hsm.rewrap_partitions(&mut |_| {}).unwrap();
    administrators.submit(&fresh.hsm, &Command::ClearCurrent).unwrap();
    assert!(matches!(find(&user, vec![label("key")]), Err(Error::UnitNotActive(_))));
    administrators.submit(&fresh.hsm, &Command::SetImmediate(pattern)).unwrap();
    user.login(Role::User, USER_PIN).unwrap();
    assert_works(&user);
}

/// The unit switches, and for a while the store has not followed: whoever logs in then waits, and loses no try.
#[test]
fn a_login_in_the_middle_of_a_set_immediate_loses_no_try() {
    let fresh = fresh();
    let home = fresh.home.path();
    let administrators = Administrators::of(home);
    for _ in 0..3 {
        let pattern = administrators.commit(&fresh.hsm);
        fresh.hsm.rewrap_partitions(&mut |_| {}).unwrap();
        let command = administrators.signed(&fresh.hsm, &Command::SetImmediate(pattern));
        // The process knows the list as it was.
        let process = handle(home);
        let partition = process.partitions().unwrap()[0].clone();
        Unit::open(&fresh.hsm.unit_paths()).unwrap().submit(&command).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| assert_eq!(handle(home).partitions().unwrap().len(), 2));
            let session = partition.open_session(Access::ReadWrite).unwrap();
            session.login(Role::User, USER_PIN).unwrap();
        });
        let tries = partition.info().user_tries.unwrap();
        assert_eq!(tries.left, tries.limit);
    }
}

#[test]
fn others_are_told_of_a_zeroize_by_whoever_comes_next() {
    let fresh = fresh();
    let home = fresh.home.path();
    let user = fresh.user();
    let key = find(&user, vec![label("key"), number(CKA_CLASS, CKO_PRIVATE_KEY)]).unwrap()[0];
    sign(&user, CKM_ECDSA_SHA256, key, b"message").unwrap();
    // As if the process that gave the command died before it told anybody.
    let command = Administrators::of(home).signed(&fresh.hsm, &Command::Zeroize);
    Unit::open(&fresh.hsm.unit_paths()).unwrap().submit(&command).unwrap();
    handle(home).partitions().unwrap();
    let used = sign(&user, CKM_ECDSA_SHA256, key, b"message");
    assert!(matches!(used, Err(Error::UnitNotActive(_))), "{used:?}");
}

#[test]
fn a_locked_unit_does_not_hide_that_its_master_key_was_cleared() {
    let fresh = fresh();
    let home = fresh.home.path();
    let user = fresh.user();
    let key = find(&user, vec![label("key"), number(CKA_CLASS, CKO_PRIVATE_KEY)]).unwrap()[0];
    sign(&user, CKM_ECDSA_SHA256, key, b"message").unwrap();
    Administrators::of(home).submit(&handle(home), &Command::ClearCurrent).unwrap();
    std::fs::remove_file(fresh.hsm.unit_paths().sealer).unwrap();
    let used = sign(&user, CKM_ECDSA_SHA256, key, b"message");
    assert!(matches!(used, Err(Error::UnitNotActive(_))), "{used:?}");
}

#[test]
fn no_call_fails_while_the_master_key_changes_again_and_again() {
    let fresh = fresh();
    let home = fresh.home.path();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for part in 0..3 {
            let done = &done;
            scope.spawn(move || {
                let mut round = 0;
                while !done.load(Ordering::Acquire) || round < 3 {
                    let hsm = handle(home);
                    match part {
                        0 => assert_works(&another_user(home).1),
                        1 => {
                            let third = hsm.create_partition(&padded("third"), SO_PIN).unwrap();
                            hsm.delete_partition(&third, SO_PIN).unwrap();
                        }
                        _ => {
                            let session = hsm.server_partition(SERVER).unwrap().open_for_server().unwrap();
                            session.create_object(data(true, "many", b"x")).unwrap();
                        }
                    }
                    round += 1;
                }
            });
        }
        let administrators = Administrators::of(home);
        for _ in 0..5 {
            administrators.rotate(&fresh.hsm);
        }
        done.store(true, Ordering::Release);
    });
    assert_whole(&handle(home));
}
