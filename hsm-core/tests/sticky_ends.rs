//! What has ended stays so when the clock is set back: the first use that finds it writes it down, at whatever door,
//! once, and every process goes by it. Keys have dates by the real clock here; what a clock that was set back would
//! make of what is stored is asked of the life cycle with an earlier moment, as every door asks it with its own.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod kit;

use cryptoki_sys::*;
use hsm_core::Result;
use hsm_core::error::Error;
use hsm_core::object::lifecycle::{Action, Seconds, State, check, now, state};
use hsm_core::object::locate::Scope;
use hsm_core::object::managed::{self, Date};
use hsm_core::service::{Item, Provenance, Space};
use hsm_core::session::{ObjectHandle, Session};
use kit::*;
use std::path::Path;
use std::sync::Arc;

/// A moment before the ends of these tests.
fn earlier() -> Seconds {
    now() - 5000
}

fn space(session: Arc<Session>) -> Space {
    Space::new(session, Scope { owner: "client".to_owned(), groups: Vec::new(), everything: false })
}

/// An AES key in a state, with dates so many seconds from now.
fn key(space: &Space, private: bool, stored: State, dates: &[(Date, Seconds)]) -> String {
    let mut template = secret(private, "dated", CKK_AES, &[7; 16]);
    template.extend([flag(CKA_ENCRYPT, true), flag(CKA_DECRYPT, true)]);
    let mut id = String::new();
    space
        .write(&mut |changes| {
            let template = template.iter().map(|(kind, value)| (*kind, value.duplicate())).collect();
            let key = space.new_object(template)?.amended(|object| {
                managed::set_state(object, stored);
                Date::Activation.set(object, Some(now() - 9000));
                dates.iter().for_each(|(date, from_now)| date.set(object, Some(now() + from_now)));
            });
            id = changes.fresh_id()?;
            changes.insert(key, Provenance::Inside, &id)
        })
        .unwrap();
    id
}

/// The object as another process reads it, which finds nothing to write: it sees no key used.
fn stored(home: &Path, id: &str) -> Item {
    let process = Other::user(home);
    let other = space(process.session.clone());
    let mut found = other.locate(&[], true, &|object| object.bytes(CKA_UNIQUE_ID) == id.as_bytes()).unwrap();
    assert_eq!(found.len(), 1);
    found.remove(0)
}

/// The state that its clock gives it, set back to before its end.
fn stored_state(home: &Path, id: &str) -> State {
    state(stored(home, id).object(), earlier())
}

fn revision(home: &Path, id: &str) -> i64 {
    let database = rusqlite::Connection::open(database(home)).unwrap();
    let place =
        (0..32).step_by(2).map(|at| u8::from_str_radix(&id[at..at + 2], 16).unwrap()).collect::<Vec<_>>();
    database.query_row("SELECT revision FROM records WHERE id = ?1", [place], |row| row.get(0)).unwrap()
}

fn handle_of(session: &Session, id: &str) -> ObjectHandle {
    find(session, vec![bytes(CKA_UNIQUE_ID, id)]).unwrap()[0]
}

fn begin_encrypting(session: &Session, id: &str) -> Result<()> {
    session.encrypt_init(&cbc_pad(), handle_of(session, id))
}

#[test]
fn a_refused_use_by_a_server_s_client_is_written_down_for_all() {
    let fresh = Fresh::new();
    let space = space(fresh.user());
    let end = now() - 50;
    let id = key(&space, true, State::Active, &[(Date::Deactivation, -50)]);
    assert_eq!(stored_state(fresh.home.path(), &id), State::Active, "nobody has used it yet");
    let before = revision(fresh.home.path(), &id);
    for _ in 0..3 {
        let refused = space.load(&id, Action::Protect);
        assert!(matches!(refused, Err(Error::WrongState { state: State::Deactivated, .. })));
    }
    assert_eq!(revision(fresh.home.path(), &id), before + 1, "it is written once");
    let after = stored(fresh.home.path(), &id);
    assert_eq!(state(after.object(), earlier()), State::Deactivated);
    assert!(check(after.object(), Action::Protect, earlier()).is_err());
    assert!(check(after.object(), Action::Process, earlier()).is_ok());
    // What the client said stands.
    assert!(Date::Deactivation.of(after.object()).unwrap().abs_diff(end) < 5);
    // After a restart.
    drop(space);
    let home = fresh.close();
    assert_eq!(stored_state(home.path(), &id), State::Deactivated);
}

#[test]
fn a_use_that_is_allowed_writes_it_down_too() {
    let fresh = Fresh::new();
    let space = space(fresh.user());
    for action in [Action::Process, Action::Look, Action::Read] {
        let id = key(&space, true, State::PreActive, &[(Date::Deactivation, -50)]);
        space.load(&id, action).unwrap();
        assert_eq!(stored_state(fresh.home.path(), &id), State::Deactivated, "{action:?}");
    }
}

#[test]
fn a_change_that_is_refused_or_made_writes_it_down() {
    let fresh = Fresh::new();
    let space = space(fresh.user());
    for (action, is_allowed) in [(Action::Activate, false), (Action::Change, true)] {
        let id = key(&space, true, State::Active, &[(Date::Deactivation, -50)]);
        let changed = space.change(&id, action, &|_, after| {
            Date::CompromiseOccurrence.set(after, Some(7));
            Ok(())
        });
        assert_eq!(changed.is_ok(), is_allowed);
        let after = stored(fresh.home.path(), &id);
        assert_eq!(state(after.object(), earlier()), State::Deactivated, "{action:?}");
        assert_eq!(Date::CompromiseOccurrence.of(after.object()) == Some(7), is_allowed);
    }
}

#[test]
fn pkcs11_writes_it_down_of_private_and_public_objects_in_any_session() {
    let fresh = Fresh::new();
    let space = space(fresh.user());
    for private in [true, false] {
        let id = key(&space, private, State::Active, &[(Date::Deactivation, -50)]);
        assert!(begin_encrypting(space.session(), &id).is_err());
        assert_eq!(stored_state(fresh.home.path(), &id), State::Deactivated, "private {private}");
    }
    // Nobody is logged in, and the session changes nothing.
    let id = key(&space, false, State::Active, &[(Date::Deactivation, -50)]);
    let other = Other::of(fresh.home.path());
    let reader = other.partition.open_session(hsm_core::session::Access::ReadOnly).unwrap();
    let refused = begin_encrypting(&reader, &id);
    assert!(matches!(refused, Err(Error::WrongState { .. })), "{refused:?}");
    assert_eq!(stored_state(fresh.home.path(), &id), State::Deactivated);
}

#[test]
fn an_operation_that_runs_when_the_key_ends_writes_it_down() {
    let fresh = Fresh::new();
    let space = space(fresh.user());
    let id = key(&space, true, State::Active, &[(Date::Deactivation, 2)]);
    let session = space.session();
    begin_encrypting(session, &id).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(3100));
    let mut out = [0; 64];
    let refused = session.encrypt(b"message", hsm_core::session::Output::Buffer(&mut out));
    assert!(matches!(refused, Err(Error::WrongState { .. })));
    assert_eq!(stored_state(fresh.home.path(), &id), State::Deactivated);
}

#[test]
fn a_key_that_stopped_protecting_does_not_begin_again() {
    let fresh = Fresh::new();
    let space = space(fresh.user());
    let id = key(&space, true, State::Active, &[(Date::ProtectStop, -50), (Date::Deactivation, 5000)]);
    assert!(matches!(space.load(&id, Action::Protect), Err(Error::OutsideUsagePeriod)));
    let after = stored(fresh.home.path(), &id);
    assert_eq!(state(after.object(), earlier()), State::Active);
    assert!(matches!(check(after.object(), Action::Protect, earlier()), Err(Error::OutsideUsagePeriod)));
}

#[test]
fn a_session_object_remembers_it_too() {
    let fresh = Fresh::new();
    let space = space(fresh.user());
    let session = space.session();
    let id = key(&space, true, State::Active, &[(Date::Deactivation, 2)]);
    let copy = session.copy_object(handle_of(session, &id), vec![flag(CKA_TOKEN, false)]).unwrap();
    session.encrypt_init(&cbc_pad(), copy).unwrap();
    session.encrypt(b"m", hsm_core::session::Output::Buffer(&mut [0; 64])).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(3100));
    assert!(session.encrypt_init(&cbc_pad(), copy).is_err());
    let view = session.view(copy).unwrap();
    let seen = view.attribute(managed::SOFTHSM_RS_SEEN_END).unwrap();
    let end = view.attribute(managed::SOFTHSM_RS_DEACTIVATION_DATE).unwrap();
    assert!(seen.equals(end));
}

#[test]
fn two_processes_that_see_it_at_once_write_it_once() {
    let fresh = Fresh::new();
    let space_of_one = space(fresh.user());
    let id = key(&space_of_one, true, State::Active, &[(Date::Deactivation, 2)]);
    let processes: Vec<Other> = (0..4).map(|_| Other::user(fresh.home.path())).collect();
    let others: Vec<Space> = processes.iter().map(|process| space(process.session.clone())).collect();
    // Each has it unsealed as it was before.
    others.iter().for_each(|other| drop(other.load(&id, Action::Protect).unwrap()));
    let before = revision(fresh.home.path(), &id);
    std::thread::sleep(std::time::Duration::from_millis(3100));
    std::thread::scope(|threads| {
        for other in &others {
            for _ in 0..2 {
                threads.spawn(|| assert!(other.load(&id, Action::Protect).is_err()));
            }
        }
    });
    assert_eq!(revision(fresh.home.path(), &id), before + 1);
    assert_eq!(stored_state(fresh.home.path(), &id), State::Deactivated);
}

#[test]
fn keys_whose_end_is_to_come_or_was_seen_cost_nothing() {
    let fresh = Fresh::new();
    let space = space(fresh.user());
    let valid = key(&space, true, State::Active, &[(Date::ProtectStop, 4000), (Date::Deactivation, 5000)]);
    let over = key(&space, true, State::Active, &[(Date::Deactivation, -50)]);
    space.load(&valid, Action::Protect).unwrap();
    space.load(&over, Action::Process).unwrap();
    // Another write came since.
    space.load(&over, Action::Process).unwrap();
    space.load(&valid, Action::Protect).unwrap();
    let (reads, written) = (fresh.hsm.store_reads(), revision(fresh.home.path(), &valid));
    for _ in 0..10 {
        space.load(&valid, Action::Protect).unwrap();
        space.load(&over, Action::Process).unwrap();
        assert!(space.load(&over, Action::Protect).is_err());
    }
    assert_eq!(fresh.hsm.store_reads(), reads);
    assert_eq!(revision(fresh.home.path(), &valid), written);
}
