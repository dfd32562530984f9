//! Power lost at every write of a change: what is there afterwards is what was there before. Damage of one key: the
//! others are kept as ever.

use super::{Caller, Filter, Kms};
use crate::error::{Error, Result};
use crate::kms::{Aad, Actor, Description, KeyId, KeyRecord, KeyState, Kind, MONTH, Removal, RotationPolicy};
use crate::object::find::Search;
use crate::object::lifecycle;
use crate::partition::testing::{fail_after, user};
use crate::partition::{Durability, Transaction};
use crate::session::Session;

const NOW: i64 = 1_700_000_000;
const DAY: i64 = 86_400;

fn at(session: &Session, now: i64) -> Kms<'_> {
    let actor = Actor { id: "alice".into(), name: "Alice".into() };
    session.kms(Caller { actor, now, trail: None, host: None })
}

/// All that there is of keys: what is known of each, what other doors find, and whether what was wrapped unwraps.
fn seen(session: &Session, id: &str, text: &str) -> (Vec<KeyRecord>, usize, Option<Vec<u8>>, usize) {
    let kms = at(session, NOW);
    let mut keys = Vec::new();
    for state in [KeyState::Active, KeyState::Destroyed] {
        keys.extend(kms.list(&Filter { states: vec![state], ..Filter::default() }).unwrap().keys);
    }
    let objects = session.partition().search(&Search::new(Vec::new())).unwrap().len();
    let unwrapped = kms.unwrap(id, text, &Aad::default()).ok();
    let plaintext = unwrapped.map(|unwrapped| unwrapped.plaintext.expose().to_vec());
    (keys, objects, plaintext, kms.registrations(None, Some("crn")).unwrap().len())
}

/// Does something with a key again and again, each time cut one write later, until it succeeds; answers at how
/// many writes it was cut.
fn cut_at_each_write(session: &Session, (id, text): (&str, &str), act: &dyn Fn() -> Result<()>) -> usize {
    let before = seen(session, id, text);
    for writes in 0..1000 {
        fail_after(Some(writes));
        let done = act();
        fail_after(None);
        match done {
            Ok(()) => {
                assert_ne!(seen(session, id, text), before, "nothing was done");
                return writes;
            }
            Err(Error::Store(_)) => assert_eq!(seen(session, id, text), before, "cut after {writes} writes"),
            Err(error) => panic!("{error}"),
        }
    }
    panic!("it never succeeds");
}

#[test]
fn a_change_that_is_cut_leaves_what_was_there() {
    let (_home, _hsm, session) = user();
    let kms = at(&session, NOW);
    let said = Description { aliases: vec!["alias".into()], ..Description::new(Kind::Root, "a key") };
    let id = kms.create(said, None).unwrap().id.to_string();
    kms.register(&id, "crn", false, None).unwrap();
    let text = kms.wrap(&id, Some(b"dek"), &Aad::default()).unwrap().ciphertext;
    let key = (id.as_str(), text.as_str());
    let another = Description { aliases: vec!["other".into()], ..Description::new(Kind::Root, "another") };
    let later = at(&session, NOW + 100 * DAY);
    let steps: [(&str, &dyn Fn() -> Result<()>); 6] = [
        ("create", &|| kms.create(another.clone(), None).map(drop)),
        ("rotate", &|| kms.rotate(&id, None).map(drop)),
        ("delete", &|| kms.delete(&id, Removal::Forced).map(drop)),
        ("restore", &|| at(&session, NOW + 60).restore(&id).map(drop)),
        ("delete", &|| kms.delete(&id, Removal::Forced).map(drop)),
        ("purge", &|| later.purge(&id)),
    ];
    for (name, act) in steps {
        let writes = cut_at_each_write(&session, key, act);
        assert!(writes >= 4, "{name} has {writes} writes");
    }
}

/// Five keys, oldest first.
fn keys(session: &Session) -> Vec<KeyId> {
    let kms = at(session, NOW);
    let make = |number| kms.create(Description::new(Kind::Root, &format!("key {number}")), None).unwrap().id;
    (0..5).map(make).collect()
}

fn damage(session: &Session, body: &mut dyn FnMut(&mut Transaction<'_>) -> Result<()>) {
    session.partition().transact(Durability::Now, body).unwrap();
}

#[test]
fn damaged_keys_do_not_keep_others_from_being_rotated() {
    let (_home, _hsm, session) = user();
    let ids = keys(&session);
    for id in &ids {
        at(&session, NOW).set_rotation(&id.to_string(), RotationPolicy::new(1, true).unwrap()).unwrap();
    }
    damage(&session, &mut |transaction| {
        transaction.lose_kms_key(ids[0])?;
        transaction.remove(ids[1].into())?;
        transaction.remove(ids[2].into())
    });
    let mut done = Vec::new();
    for _ in 0..3 {
        // One at a time: what fails takes nobody's turn.
        done.extend(at(&session, NOW + MONTH).rotate_due(1).unwrap());
    }
    done.sort_unstable();
    let mut expected = ids[3..].to_vec();
    expected.sort_unstable();
    assert_eq!(done, expected);
}

#[test]
fn damaged_keys_do_not_keep_others_from_being_erased() {
    let (_home, _hsm, session) = user();
    let ids = keys(&session);
    for id in &ids {
        at(&session, NOW).delete(&id.to_string(), Removal::Unused).unwrap();
    }
    damage(&session, &mut |transaction| {
        transaction.lose_kms_key(ids[0])?;
        transaction.bring_back(ids[1].into(), &|_| Ok(()))?;
        transaction.remove(ids[1].into())
    });
    assert!(at(&session, NOW + 90 * DAY).purge_due(10).unwrap().is_empty());
    let mut done = at(&session, NOW + 91 * DAY).purge_due(10).unwrap();
    done.sort_unstable();
    let mut expected = ids[2..].to_vec();
    expected.sort_unstable();
    assert_eq!(done, expected);
}

#[test]
fn a_rotation_that_fails_keeps_nothing_from_being_erased() {
    let (_home, _hsm, session) = user();
    let now = lifecycle::now();
    let gone = at(&session, now - 100 * DAY);
    let id = gone.create(Description::new(Kind::Root, "gone"), None).unwrap().id;
    gone.delete(&id.to_string(), Removal::Unused).unwrap();
    let lost = at(&session, now - 100 * DAY).create(Description::new(Kind::Root, "lost"), None).unwrap().id;
    gone.set_rotation(&lost.to_string(), RotationPolicy::new(1, true).unwrap()).unwrap();
    assert!(at(&session, now - 2 * DAY).purge_due(10).unwrap().is_empty());
    damage(&session, &mut |transaction| transaction.lose_kms_key(lost));
    let kept = session.keep_kms_keys(None).unwrap();
    assert_eq!((kept.rotated, kept.purged, kept.more), (vec![], vec![id], false));
}

#[test]
fn a_round_of_upkeep_is_short_and_says_that_more_is_left() {
    let (_home, _hsm, session) = user();
    let now = lifecycle::now();
    let before = at(&session, now - 100 * DAY);
    for number in 0..12 {
        let id = before.create(Description::new(Kind::Root, &format!("key {number}")), None).unwrap().id;
        before.set_rotation(&id.to_string(), RotationPolicy::new(1, true).unwrap()).unwrap();
    }
    let rounds: Vec<_> = (0..3).map(|_| session.keep_kms_keys(None).unwrap()).collect();
    let seen: Vec<_> = rounds.iter().map(|kept| (kept.rotated.len(), kept.more)).collect();
    assert_eq!(seen, [(10, true), (2, false), (0, false)]);
}

/// 5001 keys that are in the index alone: a search among them is refused before one is read.
#[test]
fn a_text_is_not_sought_among_more_than_five_thousand_keys() {
    let (_home, _hsm, session) = user();
    let mut key = at(&session, NOW).create(Description::new(Kind::Root, "a key"), None).unwrap();
    at(&session, NOW).create_ring("small").unwrap();
    damage(&session, &mut |transaction| {
        for _ in 0..5000 {
            key.id = KeyId::fresh()?;
            transaction.put_kms_key(None, &key)?;
        }
        Ok(())
    });
    let kms = at(&session, NOW);
    let search = |ring: Option<&str>| Filter {
        search: Some("key".into()),
        ring: ring.map(str::to_owned),
        ..Filter::default()
    };
    let refused = kms.list(&search(None));
    let Err(Error::Kms(refusal)) = refused else { panic!("{refused:?}") };
    assert_eq!((refusal.reason.code(), refusal.reason.status()), ("KEY_SEARCH_TOO_BROAD", 400));
    assert_eq!(kms.list(&search(Some("small"))).unwrap().total, 0);
    assert_eq!(kms.list(&Filter::default()).unwrap().total, 5001);
}

/// The use is decided by the clock, and what cannot be written is tried again when it can.
#[test]
fn a_full_store_refuses_nothing_for_the_sake_of_an_expired_key() {
    let (_home, _hsm, session) = user();
    let said = Description { expiration: Some(NOW + 100), ..Description::new(Kind::Root, "a key") };
    let id = at(&session, NOW).create(said, None).unwrap().id.to_string();
    let text = at(&session, NOW).wrap(&id, Some(b"dek"), &Aad::default()).unwrap().ciphertext;
    fail_after(Some(0));
    let late = at(&session, NOW + 100);
    assert!(matches!(late.wrap(&id, None, &Aad::default()), Err(Error::Kms(_))));
    assert!(late.unwrap(&id, &text, &Aad::default()).is_ok());
    assert_eq!(late.key(&id).unwrap().state(NOW + 100), KeyState::Deactivated);
    assert!(matches!(late.disable(&id), Err(Error::Kms(_))));
    fail_after(None);
    // Not tried again with every use.
    late.unwrap(&id, &text, &Aad::default()).unwrap();
    assert!(at(&session, NOW).wrap(&id, None, &Aad::default()).is_ok(), "what was not written is not known");
    at(&session, NOW + 160).unwrap(&id, &text, &Aad::default()).unwrap();
    assert!(at(&session, NOW).wrap(&id, None, &Aad::default()).is_err());
}
