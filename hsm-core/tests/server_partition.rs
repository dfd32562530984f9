//! A server's partition: opened by the master key alone, one for all servers, closed to whoever comes
//! with a PIN until PINs are given to it, and then a token like others.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod kit;

use std::path::Path;
use std::sync::Arc;

use cryptoki_sys::*;
use hsm_core::error::Error;
use hsm_core::hsm::Hsm;
use hsm_core::partition::Partition;
use hsm_core::session::{Access, LoginState, Role, Session};
use kit::*;
use tempfile::TempDir;

const LABEL: &str = "kmip";

/// An HSM without partitions.
fn home() -> TempDir {
    let home = directory();
    handle(home.path()).initialise(&Default::default(), &mut |_| {}).unwrap();
    home
}

/// A server, as a process of its own would be one.
struct Server {
    hsm: Arc<Hsm>,
    partition: Arc<Partition>,
    session: Arc<Session>,
}

impl Server {
    fn start(home: &Path) -> Server {
        let hsm = handle(home);
        let partition = hsm.server_partition(LABEL).unwrap();
        let session = partition.open_for_server().unwrap();
        Server { hsm, partition, session }
    }
}

/// A home whose server has a private object, and has ended.
fn with_object() -> TempDir {
    let home = home();
    let server = Server::start(home.path());
    server.session.create_object(data(true, "private", b"of a client")).unwrap();
    home
}

/// Asserts that a session sees the object of [`with_object`], or that it does not.
fn assert_sees(session: &Session, sees: bool) {
    assert_eq!(find(session, vec![label("private")]).unwrap().len(), usize::from(sees));
}

fn is_pin_alone<T>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::PinAloneOpens { label }) if label == LABEL)
}

#[test]
fn it_is_made_once_and_found_by_every_server() {
    let home = home();
    let one = Server::start(home.path());
    let two = Server::start(home.path());
    assert_eq!(one.partition.info().serial, two.partition.info().serial);
    assert_eq!(one.hsm.partitions().unwrap().len(), 1);
    let info = two.partition.info();
    assert_eq!(info.label, padded(LABEL));
    assert!(info.opens_for_server && !info.so_pin_set && !info.user_pin_set);
}

#[test]
fn of_servers_that_start_at_once_one_makes_it() {
    let home = home();
    let serials = std::thread::scope(|scope| {
        let start = || handle(home.path()).server_partition(LABEL).unwrap().info().serial;
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(start)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(serials.iter().all(|serial| *serial == serials[0]));
    assert_eq!(handle(home.path()).partitions().unwrap().len(), 1);
}

#[test]
fn private_objects_open_without_a_pin_after_a_restart() {
    let home = with_object();
    let server = Server::start(home.path());
    assert_eq!(server.session.login_state(), LoginState::User);
    assert_eq!(value(&server.session, the(&server.session, "private"), CKA_VALUE), b"of a client");
}

#[test]
fn the_login_lasts_as_long_as_any_session_of_the_process() {
    let home = with_object();
    let server = Server::start(home.path());
    let second = server.partition.open_for_server().unwrap();
    let public = server.partition.open_session(Access::ReadOnly).unwrap();
    drop(server.session);
    assert_sees(&second, true);
    drop(second);
    assert_sees(&public, true);
    drop(public);
    assert_eq!(server.partition.login_state(), LoginState::Public);
    assert_sees(&server.partition.open_session(Access::ReadOnly).unwrap(), false);
    assert_sees(&server.partition.open_for_server().unwrap(), true);
}

#[test]
fn threads_that_open_it_at_once_all_see_it() {
    let home = with_object();
    let partition = handle(home.path());
    let partition = (partition.server_partition(LABEL).unwrap(), partition);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    assert_sees(&partition.0.open_for_server().unwrap(), true);
                }
            });
        }
    });
}

#[test]
fn to_whoever_has_no_pin_it_is_a_token_without_pins() {
    let home = with_object();
    let other = Other::of(home.path());
    assert!(matches!(other.session.login(Role::User, USER_PIN), Err(Error::UserPinNotSet)));
    assert!(matches!(other.session.login(Role::So, SO_PIN), Err(Error::SoPinNotSet)));
    assert!(matches!(other.session.login(Role::So, b""), Err(Error::SoPinNotSet)));
    assert!(matches!(other.session.init_pin(USER_PIN), Err(Error::NotLoggedIn)));
    assert!(matches!(other.session.set_pin(b"", USER_PIN), Err(Error::UserPinNotSet)));
    assert_sees(&other.session, false);
}

#[test]
fn nobody_empties_or_deletes_it_by_a_pin_that_it_does_not_have() {
    let home = with_object();
    let hsm = handle(home.path());
    let partition = partition(&hsm);
    for pin in [&b""[..], SO_PIN] {
        let refused = hsm.reinitialise(&partition, &padded("mine"), pin);
        assert!(matches!(refused, Err(Error::SoPinNotSet)), "{refused:?}");
        let refused = hsm.delete_partition(&partition, pin);
        assert!(matches!(refused, Err(Error::SoPinNotSet)), "{refused:?}");
    }
    assert_sees(&Server::start(home.path()).session, true);
}

#[test]
fn pins_given_to_it_make_it_a_token_that_opens_for_the_server_too() {
    let home = with_object();
    let server = Server::start(home.path());
    server.hsm.give_pins(&server.partition, SO_PIN, USER_PIN, true).unwrap();
    assert_sees(&server.session, true);
    let user = Other::user(home.path());
    assert_sees(&user.session, true);
    let created = user.session.create_object(data(true, "by the user", b"x"));
    created.unwrap();
    assert_eq!(value(&server.session, the(&server.session, "by the user"), CKA_VALUE), b"x");
    user.session.logout().unwrap();
    user.session.login(Role::So, SO_PIN).unwrap();
    user.session.init_pin(b"another").unwrap();
    drop((server, user));
    assert_sees(&Server::start(home.path()).session, true);
}

#[test]
fn with_pins_only_the_server_needs_the_users() {
    let home = with_object();
    let server = Server::start(home.path());
    server.hsm.give_pins(&server.partition, SO_PIN, USER_PIN, false).unwrap();
    assert_sees(&server.session, true);
    assert!(!server.partition.info().opens_for_server);
    drop(server);
    let hsm = handle(home.path());
    assert!(is_pin_alone(hsm.server_partition(LABEL)));
    assert!(is_pin_alone(partition(&hsm).open_for_server()));
    assert_sees(&Other::user(home.path()).session, true);
}

#[test]
fn pins_are_given_once_and_within_their_limits() {
    let home = with_object();
    let hsm = handle(home.path());
    let server = hsm.server_partition(LABEL).unwrap();
    for (so_pin, user_pin) in [(&b"123"[..], USER_PIN), (SO_PIN, &b"123"[..])] {
        let refused = hsm.give_pins(&server, so_pin, user_pin, true);
        assert!(matches!(refused, Err(Error::PinLength { min: 4, max: 255 })), "{refused:?}");
    }
    assert!(!server.info().so_pin_set);
    hsm.give_pins(&server, SO_PIN, USER_PIN, true).unwrap();
    for keep in [true, false] {
        let refused = hsm.give_pins(&server, b"intruder", b"intruder", keep);
        assert!(matches!(refused, Err(Error::PinsSet)), "{refused:?}");
    }
    assert!(server.info().opens_for_server);
    Other::user(home.path());
}

#[test]
fn of_two_who_give_pins_at_once_one_does() {
    let home = with_object();
    let give = |pin: &'static [u8]| {
        let hsm = handle(home.path());
        let server = hsm.server_partition(LABEL).unwrap();
        hsm.give_pins(&server, pin, pin, true)
    };
    let outcomes = std::thread::scope(|scope| {
        let threads = [&b"first"[..], b"second"].map(|pin| scope.spawn(move || (pin, give(pin))));
        threads.map(|thread| thread.join().unwrap())
    });
    let (winner, _) = outcomes.iter().find(|(_, outcome)| outcome.is_ok()).unwrap();
    assert!(outcomes.iter().any(|(_, outcome)| matches!(outcome, Err(Error::PinsSet))), "{outcomes:?}");
    let other = Other::of(home.path());
    other.session.login(Role::So, winner).unwrap();
    other.session.logout().unwrap();
    other.session.login(Role::User, winner).unwrap();
}

#[test]
fn an_ordinary_token_of_the_label_is_named_and_left_alone() {
    let fresh = Fresh::new();
    fresh.user().create_object(data(true, "private", b"x")).unwrap();
    fresh.hsm.create_partition(&padded(LABEL), SO_PIN).unwrap();
    let refused = fresh.hsm.server_partition(LABEL).map(drop).unwrap_err();
    assert!(refused.to_string().contains("name the PIN for the server"), "{refused}");
    assert!(is_pin_alone::<()>(Err(refused)));
    assert_eq!(fresh.hsm.partitions().unwrap().len(), 2);
    let sessions = fresh.partition.info().sessions;
    assert!(
        matches!(fresh.partition.open_for_server(), Err(Error::PinAloneOpens { label }) if label == "token")
    );
    assert_eq!(fresh.partition.info().sessions, sessions, "no session is left behind");
    // Beside one that is the server's it does not matter.
    let server = fresh.hsm.server_partition("other").unwrap();
    assert!(server.info().opens_for_server);
}

#[test]
fn initialised_anew_it_is_the_servers_no_more() {
    let home = with_object();
    let server = Server::start(home.path());
    server.hsm.give_pins(&server.partition, SO_PIN, USER_PIN, true).unwrap();
    let hsm = handle(home.path());
    let token = partition(&hsm);
    let again = || hsm.reinitialise(&token, &padded(LABEL), SO_PIN);
    assert!(matches!(again(), Err(Error::SessionExists)), "while the server has a session");
    drop(server);
    again().unwrap();
    assert!(!token.info().opens_for_server);
    assert!(is_pin_alone(hsm.server_partition(LABEL)));
    assert!(is_pin_alone(token.open_for_server()));
}

#[test]
fn without_pins_it_is_deleted_by_whoever_has_the_master_key() {
    let home = with_object();
    let server = Server::start(home.path());
    let hsm = handle(home.path());
    let token = partition(&hsm);
    assert!(matches!(hsm.delete_server_partition(&token), Err(Error::SessionExists)));
    assert_sees(&server.session, true);
    drop(server);
    hsm.delete_server_partition(&token).unwrap();
    assert!(hsm.partitions().unwrap().is_empty());
    assert!(find(&Server::start(home.path()).session, vec![]).unwrap().is_empty(), "the next is empty");
}

#[test]
fn with_pins_it_is_deleted_by_its_so_alone() {
    let home = with_object();
    let hsm = handle(home.path());
    let server = hsm.server_partition(LABEL).unwrap();
    hsm.give_pins(&server, SO_PIN, USER_PIN, true).unwrap();
    assert!(matches!(hsm.delete_server_partition(&server), Err(Error::PinsSet)));
    let ordinary = hsm.create_partition(&padded("web"), SO_PIN).unwrap();
    assert!(matches!(hsm.delete_server_partition(&ordinary), Err(Error::PinsSet)));
    assert!(matches!(hsm.delete_partition(&server, b"87654320"), Err(Error::PinIncorrect { left: 9 })));
    hsm.delete_partition(&server, SO_PIN).unwrap();
    assert_eq!(hsm.partitions().unwrap().len(), 1);
}

#[test]
fn while_the_so_is_logged_in_no_server_opens_it() {
    let home = with_object();
    let server = Server::start(home.path());
    server.hsm.give_pins(&server.partition, SO_PIN, USER_PIN, true).unwrap();
    server.session.logout().unwrap();
    server.session.login(Role::So, SO_PIN).unwrap();
    assert!(matches!(server.partition.open_for_server(), Err(Error::AnotherLoggedIn)));
    assert_eq!(server.partition.login_state(), LoginState::So);
}

#[test]
fn without_the_master_key_it_stays_closed() {
    let home = with_object();
    let sealer = home.path().join("softhsm-rs.sealer");
    let kept = std::fs::read(&sealer).unwrap();
    let hsm = handle(home.path());
    let token = partition(&hsm);
    std::fs::remove_file(&sealer).unwrap();
    assert!(matches!(hsm.server_partition(LABEL), Err(Error::UnitSealed(_))));
    assert!(matches!(token.open_for_server(), Err(Error::UnitSealed(_))));
    assert!(matches!(hsm.give_pins(&token, SO_PIN, USER_PIN, true), Err(Error::UnitSealed(_))));
    assert!(matches!(hsm.delete_server_partition(&token), Err(Error::UnitSealed(_))));
    std::fs::write(&sealer, kept).unwrap();
    assert_sees(&Server::start(home.path()).session, true);
}

#[test]
fn a_label_that_no_token_can_have_and_a_place_without_an_hsm_are_refused() {
    let home = home();
    let hsm = handle(home.path());
    for label in ["", &"x".repeat(33)] {
        assert!(matches!(hsm.server_partition(label), Err(Error::ArgumentsBad(_))));
    }
    assert!(hsm.partitions().unwrap().is_empty());
    let nothing = directory();
    assert!(matches!(handle(nothing.path()).server_partition(LABEL), Err(Error::NoHsm(_))));
}
