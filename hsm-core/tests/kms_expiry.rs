//! The expiration of a key of the key management service, once it was seen, is not taken back by a clock that is set
//! back: not for the service, not for other doors, not after a restart, and not by deleting and restoring.
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
use hsm_core::kms::{Aad, Actor, Description, KeyState, Kind, Reason, Removal};
use hsm_core::object::lifecycle::Seconds;
use hsm_core::secret::Secret;
use hsm_core::service::kms::{Caller, Filter, Kms, Material};
use hsm_core::session::Session;
use kit::*;

/// Long past by the real clock.
const NOW: Seconds = 1_700_000_000;
const END: Seconds = NOW + 1000;

fn at(session: &Session, now: Seconds) -> Kms<'_> {
    let actor = Actor { id: "alice".into(), name: "Alice".into() };
    session.kms(Caller { actor, now, trail: None, host: None })
}

/// A root key that expires at [`END`], made at [`NOW`].
fn expiring(session: &Session, name: &str) -> String {
    let said = Description { expiration: Some(END), ..Description::new(Kind::Root, name) };
    at(session, NOW).create(said, None).unwrap().id.to_string()
}

fn wrap(session: &Session, id: &str, now: Seconds) -> Result<String> {
    at(session, now).wrap(id, Some(b"dek"), &Aad::default()).map(|wrapped| wrapped.ciphertext)
}

fn reason<T>(result: Result<T>) -> Reason {
    match result {
        Err(Error::Kms(refusal)) => refusal.reason,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was not refused"),
    }
}

/// What a clock that was set back to [`NOW`] makes of a key that was seen expired: nothing, in another process too.
fn stays_expired(fresh: &Fresh, session: &Session, id: &str) {
    let other = Other::user(fresh.home.path());
    for session in [session, &other.session] {
        assert_eq!(reason(wrap(session, id, NOW + 1)), Reason::State);
        let key = at(session, NOW + 1).key(id).unwrap();
        assert_eq!((key.state(NOW + 1), key.expiration), (KeyState::Deactivated, Some(END)));
        let listed =
            at(session, NOW + 1).list(&Filter { states: vec![KeyState::Active], ..Filter::default() });
        assert_eq!(listed.unwrap().total, 0);
    }
}

#[test]
fn a_refused_use_is_not_taken_back_by_the_clock() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let id = expiring(&session, "root key");
    let text = wrap(&session, &id, END - 1).unwrap();
    assert_eq!(at(&session, NOW).key(&id).unwrap().state(NOW), KeyState::Active);
    assert_eq!(reason(wrap(&session, &id, END)), Reason::State);
    stays_expired(&fresh, &session, &id);
    assert!(at(&session, NOW).unwrap(&id, &text, &Aad::default()).is_ok());
}

#[test]
fn a_use_that_is_allowed_and_a_look_are_not_taken_back_either() {
    type Step = fn(&Kms<'_>, &str, &str);
    let steps: [(&str, Step); 5] = [
        ("unwrap", |kms, id, text| drop(kms.unwrap(id, text, &Aad::default()).unwrap())),
        ("rewrap", |kms, id, text| drop(kms.rewrap(id, text, &Aad::default()).unwrap())),
        ("look", |kms, id, _| drop(kms.key(id).unwrap())),
        ("rotate", |kms, id, _| drop(kms.rotate(id, None).unwrap())),
        ("rename", |kms, id, _| drop(kms.set_dual_auth(id, false).unwrap())),
    ];
    for (name, step) in steps {
        let fresh = Fresh::new();
        let session = fresh.user();
        let id = expiring(&session, name);
        let text = wrap(&session, &id, NOW).unwrap();
        step(&at(&session, END), &id, &text);
        stays_expired(&fresh, &session, &id);
    }
}

#[test]
fn a_standard_key_that_is_read_stays_expired() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let said = Description { expiration: Some(END), ..Description::new(Kind::Standard, "secret") };
    let payload = Material::Plain(Secret::copy_of(b"payload"));
    let id = at(&session, NOW).create(said, Some(payload)).unwrap().id.to_string();
    assert!(at(&session, END).read(&id).unwrap().1.is_some());
    assert_eq!(at(&session, NOW).key(&id).unwrap().state(NOW), KeyState::Deactivated);
}

#[test]
fn a_refused_change_is_not_taken_back() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let id = expiring(&session, "root key");
    assert_eq!(reason(at(&session, END).disable(&id)), Reason::NotActive);
    assert_eq!(reason(at(&session, NOW).disable(&id)), Reason::NotActive);
    stays_expired(&fresh, &session, &id);
}

#[test]
fn a_suspended_key_stays_suspended_and_is_deactivated_when_it_is_enabled() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let id = expiring(&session, "root key");
    at(&session, NOW).disable(&id).unwrap();
    assert_eq!(at(&session, END).key(&id).unwrap().state(NOW), KeyState::Suspended);
    assert_eq!(at(&session, NOW + 60).enable(&id).unwrap().state(NOW + 60), KeyState::Deactivated);
    stays_expired(&fresh, &session, &id);
}

#[test]
fn other_doors_see_it_and_go_by_it() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let id = expiring(&session, "root key");
    // PKCS #11 goes by the real clock, by which the key has expired.
    let refused = session.encrypt_init(&cbc_pad(), the(&session, "root key"));
    assert!(matches!(refused, Err(Error::WrongState { .. })), "{refused:?}");
    stays_expired(&fresh, &session, &id);
    assert!(session.decrypt_init(&cbc_pad(), the(&session, "root key")).is_ok());
    assert_eq!(value(&session, the(&session, "root key"), CKA_LABEL), b"root key");
}

#[test]
fn upkeep_writes_down_what_has_expired_and_nothing_twice() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let ids: Vec<String> = ["one", "two", "three"].map(|name| expiring(&session, name)).to_vec();
    let never = at(&session, NOW).create(Description::new(Kind::Root, "never"), None).unwrap().id.to_string();
    let written = |now, most| {
        let mut done = at(&session, now).expire_due(most).unwrap();
        done.sort_unstable();
        done.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert!(written(END - 1, 10).is_empty());
    let mut done = written(END, 2);
    assert_eq!(done.len(), 2);
    done.extend(written(END, 2));
    done.sort_unstable();
    let mut expected = ids.clone();
    expected.sort_unstable();
    assert_eq!(done, expected);
    assert!(written(END + 1000, 10).is_empty());
    for id in &ids {
        assert_eq!(reason(wrap(&session, id, NOW)), Reason::State);
    }
    assert!(wrap(&session, &never, END).is_ok());
    at(&session, END).delete(&never, Removal::Unused).unwrap();
    at(&session, END).delete(&ids[0], Removal::Unused).unwrap();
    at(&session, END + 86_400).purge(&ids[0]).unwrap();
}

/// A server's round goes by the real clock.
#[test]
fn the_server_s_round_does_so() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let id = expiring(&session, "root key");
    let kept = session.keep_kms_keys(None).unwrap();
    let expired: Vec<String> = kept.expired.iter().map(ToString::to_string).collect();
    assert_eq!(expired, std::slice::from_ref(&id));
    stays_expired(&fresh, &session, &id);
    assert!(session.keep_kms_keys(None).unwrap().expired.is_empty());
}

#[test]
fn a_key_that_expired_while_it_was_deleted_is_not_restored() {
    for by_upkeep in [true, false] {
        let fresh = Fresh::new();
        let session = fresh.user();
        let id = expiring(&session, "root key");
        at(&session, NOW).delete(&id, Removal::Unused).unwrap();
        if by_upkeep {
            assert_eq!(at(&session, END).expire_due(10).unwrap().len(), 1);
        } else {
            assert_eq!(reason(at(&session, END).restore(&id)), Reason::Expired(END));
        }
        assert_eq!(reason(at(&session, NOW + 60).restore(&id)), Reason::Expired(END));
    }
    let fresh = Fresh::new();
    let session = fresh.user();
    let id = expiring(&session, "another");
    at(&session, NOW).delete(&id, Removal::Unused).unwrap();
    at(&session, NOW + 60).restore(&id).unwrap();
    assert!(wrap(&session, &id, NOW + 61).is_ok(), "nobody saw it expire");
}

#[test]
fn a_key_whose_expiration_is_to_come_or_was_seen_costs_no_read() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let (valid, over) = (expiring(&session, "valid"), expiring(&session, "over"));
    let text = wrap(&session, &over, NOW).unwrap();
    wrap(&session, &valid, NOW).unwrap();
    for _ in 0..2 {
        at(&session, END).unwrap(&over, &text, &Aad::default()).unwrap();
    }
    wrap(&session, &valid, NOW).unwrap();
    let reads = fresh.hsm.store_reads();
    for _ in 0..10 {
        wrap(&session, &valid, END - 1).unwrap();
        at(&session, END).unwrap(&over, &text, &Aad::default()).unwrap();
        assert_eq!(reason(wrap(&session, &over, END)), Reason::State);
    }
    assert_eq!(fresh.hsm.store_reads(), reads);
}
