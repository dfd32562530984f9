//! The key management service on a partition: lives of keys through their states, versions, what other sessions see
//! of them, restoration by a controlled clock, names, rings and policies.
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
use hsm_core::import_token::{Algorithm, Limits, Wrapped, encrypt_key, encrypt_nonce};
use hsm_core::kms::{
    Aad, Actor, Description, KeyRecord, KeyState, Kind, Labels, MONTH, Reason, Removal, RotationPolicy,
};
use hsm_core::object::lifecycle::Seconds;
use hsm_core::secret::Secret;
use hsm_core::service::kms::{Caller, Filter, Kms, Material};
use hsm_core::session::Session;
use kit::*;

const NOW: Seconds = 1_700_000_000;
const HOUR: Seconds = 3600;
const DAY: Seconds = 86_400;

fn actor(id: &str) -> Actor {
    Actor { id: id.to_owned(), name: id.to_owned() }
}

/// The service as somebody uses it at a moment.
fn by<'s>(session: &'s Session, who: &str, now: Seconds) -> Kms<'s> {
    session.kms(Caller { actor: actor(who), now, trail: None, host: None })
}

fn at(session: &Session, now: Seconds) -> Kms<'_> {
    by(session, "alice", now)
}

fn root(kms: &Kms<'_>, name: &str) -> KeyRecord {
    kms.create(Description::new(Kind::Root, name), None).unwrap()
}

fn plain(bytes: &[u8]) -> Option<Material<'static>> {
    Some(Material::Plain(Secret::copy_of(bytes)))
}

fn reason<T>(result: Result<T>) -> Reason {
    match result {
        Err(Error::Kms(refusal)) => refusal.reason,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was not refused"),
    }
}

fn none() -> Aad {
    Aad::default()
}

#[test]
fn a_root_key_wraps_and_unwraps_and_never_leaves() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let kms = at(&session, NOW);
    let key = root(&kms, "root key");
    let id = key.id.to_string();
    let aad = Aad::of(&["volume", "7"]).unwrap();
    let made = kms.wrap(&id, None, &aad).unwrap();
    let dek = made.plaintext.unwrap();
    assert_eq!(dek.len(), 32);
    let back = kms.unwrap(&id, &made.ciphertext, &aad).unwrap();
    assert!(back.plaintext.equals(dek.expose()));
    assert_eq!((back.version, back.rewrapped.is_none()), (key.versions[0].id, true));
    assert_eq!(reason(kms.unwrap(&id, &made.ciphertext, &none())), Reason::Unprocessable);
    assert_eq!(reason(kms.unwrap(&id, "*", &aad)), Reason::NotBase64(0));
    let own = kms.wrap(&key.id.digits(), Some(b"abc123"), &none()).unwrap();
    assert!(own.plaintext.is_none());
    assert!(kms.unwrap(&id, &own.ciphertext, &none()).unwrap().plaintext.equals(b"abc123"));
    let other = root(&kms, "another").id.to_string();
    assert_eq!(reason(kms.unwrap(&other, &own.ciphertext, &none())), Reason::Unprocessable);
    let handle = the(&session, "root key");
    assert!(matches!(session.view(handle).unwrap().attribute(CKA_VALUE), Err(Error::AttributeSensitive(_))));
    assert_eq!(value(&session, handle, CKA_UNIQUE_ID), key.id.digits().into_bytes());
    assert!(kms.read(&id).unwrap().1.is_none());
}

#[test]
fn a_standard_key_is_given_out_and_wraps_nothing() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let kms = at(&session, NOW);
    for payload in [&b"s"[..], &[7; 16], &[7; 7500]] {
        let said = Description::new(Kind::Standard, "a secret");
        let key = kms.create(said, plain(payload)).unwrap();
        let (read, given) = kms.read(&key.id.to_string()).unwrap();
        assert!(given.unwrap().equals(payload));
        assert_eq!((read.imported, read.length as usize), (true, payload.len()));
        assert_eq!(reason(kms.wrap(&key.id.to_string(), None, &none())), Reason::RootRequired);
        kms.delete(&key.id.to_string(), Removal::Unused).unwrap();
        assert!(kms.read(&key.id.to_string()).unwrap().1.is_none(), "a deleted key was given out");
    }
    for (kind, length) in [(Kind::Standard, 0), (Kind::Standard, 7501), (Kind::Root, 15), (Kind::Root, 33)] {
        let refused = kms.create(Description::new(kind, "a key"), plain(&vec![7; length]));
        assert!(matches!(reason(refused), Reason::Field { name: "payload", .. }), "{kind:?} {length}");
    }
}

#[test]
fn earlier_versions_unwrap_and_are_rewrapped() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let kms = at(&session, NOW);
    let id = root(&kms, "root key").id.to_string();
    let mut texts = vec![kms.wrap(&id, Some(b"dek"), &none()).unwrap()];
    for hour in 0..3 {
        let later = at(&session, NOW + hour * HOUR);
        later.rotate(&id, None).unwrap();
        assert_eq!(reason(later.rotate(&id, None)), Reason::RotatedRecently);
        texts.push(later.wrap(&id, Some(b"dek"), &none()).unwrap());
    }
    let current = texts.last().unwrap().version;
    assert_eq!(kms.key(&id).unwrap().versions.len(), 4);
    for text in &texts {
        let back = kms.unwrap(&id, &text.ciphertext, &none()).unwrap();
        assert!(back.plaintext.equals(b"dek"));
        assert_eq!(back.version, text.version);
        let is_old = text.version != current;
        assert_eq!(back.rewrapped.as_ref().map(|(_, version)| *version), is_old.then_some(current));
        let again = kms.rewrap(&id, &text.ciphertext, &none()).unwrap();
        assert_eq!((again.version, again.rewrapped_version), (text.version, current));
        for text in back.rewrapped.iter().map(|(text, _)| text).chain([&again.ciphertext]) {
            let back = kms.unwrap(&id, text, &none()).unwrap();
            assert!(back.plaintext.equals(b"dek"));
            assert_eq!((back.version, back.rewrapped.is_none()), (current, true));
        }
    }
}

#[test]
fn another_process_sees_a_rotation_and_a_suspension_at_its_next_call() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let kms = at(&session, NOW);
    let id = root(&kms, "root key").id.to_string();
    let other = Other::user(fresh.home.path());
    let theirs = at(&other.session, NOW);
    let first = theirs.wrap(&id, Some(b"dek"), &none()).unwrap();
    let version = kms.rotate(&id, None).unwrap().version().unwrap().id;
    assert_eq!(theirs.wrap(&id, Some(b"dek"), &none()).unwrap().version, version);
    assert!(theirs.unwrap(&id, &first.ciphertext, &none()).unwrap().rewrapped.is_some());
    kms.disable(&id).unwrap();
    assert_eq!(reason(theirs.unwrap(&id, &first.ciphertext, &none())), Reason::State);
    assert_eq!(reason(theirs.wrap(&id, None, &none())), Reason::State);
}

#[test]
fn an_imported_key_is_rotated_with_new_material_alone() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let kms = at(&session, NOW);
    let key = kms.create(Description::new(Kind::Root, "imported"), plain(&[1; 32])).unwrap();
    let id = key.id.to_string();
    assert_eq!(reason(kms.rotate(&id, None)), Reason::MaterialRequired);
    assert!(matches!(reason(kms.rotate(&id, plain(&[2; 15]))), Reason::Field { name: "payload", .. }));
    let old = kms.wrap(&id, Some(b"dek"), &none()).unwrap();
    assert_eq!(kms.rotate(&id, plain(&[2; 16])).unwrap().length, 16);
    assert!(kms.unwrap(&id, &old.ciphertext, &none()).unwrap().plaintext.equals(b"dek"));
    let reference = session.create_object(secret(true, "reference", CKK_AES, &[2; 16])).unwrap();
    let check_value = |handle| value(&session, handle, CKA_CHECK_VALUE);
    assert_eq!(
        check_value(the(&session, "imported")),
        check_value(reference),
        "the object has the new material"
    );
}

#[test]
fn keys_come_and_are_rotated_by_import_token_in_both_variants() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let kms = at(&session, NOW);
    session.create_import_token(Limits::default(), NOW).unwrap();
    let token = session.retrieve_import_token(NOW).unwrap();
    let references =
        [1, 2].map(|byte| session.create_object(secret(true, "reference", CKK_AES, &[byte; 32])).unwrap());
    kms.change_policies(&|policies| {
        policies.access.enforce_token = true;
        Ok(())
    })
    .unwrap();
    assert!(session.tokens_enforced().unwrap());
    let mut id = None;
    let variants = [([1; 32], Algorithm::OaepSha256), ([2; 32], Algorithm::OaepSha1)];
    for ((material, algorithm), reference) in variants.into_iter().zip(references) {
        let payload = encrypt_key(&token.public_key, &material, algorithm).unwrap();
        let nonce = encrypt_nonce(&token.nonce, &material, algorithm).unwrap();
        let by_token = || {
            Some(Material::Token(Wrapped {
                payload: &payload,
                encrypted_nonce: &nonce.bytes,
                iv: &nonce.iv,
                algorithm,
            }))
        };
        match &id {
            None => {
                let key = kms.create(Description::new(Kind::Root, "imported"), by_token()).unwrap();
                id = Some(key.id.to_string());
            }
            Some(id) => drop(kms.rotate(id, by_token()).unwrap()),
        }
        let handle = the(&session, "imported");
        assert_eq!(value(&session, handle, CKA_CHECK_VALUE), value(&session, reference, CKA_CHECK_VALUE));
    }
    let id = id.unwrap();
    let later = at(&session, NOW + HOUR);
    assert_eq!(reason(later.rotate(&id, plain(&[3; 32]))), Reason::AccessPolicy);
    assert_eq!(
        reason(later.create(Description::new(Kind::Root, "clear"), plain(&[3; 32]))),
        Reason::AccessPolicy
    );
    later.create(Description::new(Kind::Root, "generated"), None).unwrap();
    assert_eq!(later.key(&id).unwrap().versions.len(), 2);
}

#[test]
fn a_deleted_key_is_gone_from_every_door_until_it_is_restored() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let kms = at(&session, NOW);
    let id = root(&kms, "root key").id.to_string();
    let handle = the(&session, "root key");
    let text = kms.wrap(&id, Some(b"dek"), &none()).unwrap().ciphertext;
    kms.rotate(&id, None).unwrap();
    let (before, version) = (value(&session, handle, CKA_CHECK_VALUE), kms.key(&id).unwrap().versions[1].id);
    kms.delete(&id, Removal::Unused).unwrap();
    assert!(find(&session, vec![]).unwrap().is_empty());
    assert!(matches!(session.view(handle), Err(Error::NoSuchObject)));
    for refused in [
        kms.wrap(&id, None, &none()).map(drop),
        kms.unwrap(&id, &text, &none()).map(drop),
        kms.rewrap(&id, &text, &none()).map(drop),
        kms.rotate(&id, None).map(drop),
        kms.disable(&id).map(drop),
        kms.enable(&id).map(drop),
        kms.delete(&id, Removal::Forced).map(drop),
        kms.add_alias(&id, "alias").map(drop),
    ] {
        assert_eq!(reason(refused), Reason::Deleted);
    }
    assert_eq!(kms.key(&id).unwrap().state(NOW), KeyState::Destroyed);
    assert_eq!(reason(at(&session, NOW + 29).restore(&id)), Reason::TooEarly);
    assert_eq!(reason(at(&session, NOW + 30 * DAY + 1).restore(&id)), Reason::RestoreExpired);
    let later = at(&session, NOW + 30 * DAY);
    assert_eq!(later.restore(&id).unwrap().state(NOW), KeyState::Active);
    assert_eq!(value(&session, the(&session, "root key"), CKA_CHECK_VALUE), before);
    let back = later.unwrap(&id, &text, &none()).unwrap();
    assert!(back.plaintext.equals(b"dek"));
    assert_eq!(back.rewrapped.map(|(_, version)| version), Some(version));
}

#[test]
fn another_process_does_not_take_what_it_had_cached_for_what_was_restored() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let kms = at(&session, NOW);
    let id = root(&kms, "root key").id.to_string();
    let other = Other::user(fresh.home.path());
    let theirs = at(&other.session, NOW);
    theirs.wrap(&id, None, &none()).unwrap();
    let version = kms.rotate(&id, None).unwrap().version().unwrap().id;
    kms.delete(&id, Removal::Unused).unwrap();
    at(&session, NOW + 60).restore(&id).unwrap();
    assert_eq!(theirs.wrap(&id, None, &none()).unwrap().version, version);
}

#[test]
fn what_is_erased_is_erased() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let kms = at(&session, NOW);
    let said = Description { aliases: vec!["alias".into()], ..Description::new(Kind::Root, "root key") };
    let id = kms.create(said, None).unwrap().id.to_string();
    kms.rotate(&id, None).unwrap();
    assert_eq!(reason(kms.purge(&id)), Reason::NotDeleted);
    kms.delete(&id, Removal::Unused).unwrap();
    assert_eq!(reason(at(&session, NOW + 4 * HOUR - 1).purge(&id)), Reason::TooEarly);
    at(&session, NOW + 4 * HOUR).purge(&id).unwrap();
    for gone in [id.as_str(), "alias"] {
        assert_eq!(reason(kms.key(gone)), Reason::NotFound);
        assert_eq!(reason(kms.restore(gone)), Reason::NotFound);
        assert_eq!(reason(kms.wrap(gone, None, &none())), Reason::NotFound);
    }
    assert_eq!(kms.list(&Filter { states: KeyState::ALL.to_vec(), ..Filter::default() }).unwrap().total, 0);
    // The alias is free again.
    let said = Description { aliases: vec!["alias".into()], ..Description::new(Kind::Root, "another") };
    kms.create(said, None).unwrap();
}

#[test]
fn what_was_deleted_long_ago_is_erased_by_itself() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let kms = at(&session, NOW);
    let ids: Vec<_> = (0..3).map(|number| root(&kms, &format!("key {number}")).id).collect();
    kms.delete(&ids[0].to_string(), Removal::Unused).unwrap();
    at(&session, NOW + DAY).delete(&ids[1].to_string(), Removal::Unused).unwrap();
    let late = at(&session, NOW + 90 * DAY);
    assert!(at(&session, NOW + 90 * DAY - 1).purge_due(10).unwrap().is_empty());
    assert!(late.purge_due(10).unwrap().is_empty(), "it is found past for the first time");
    assert!(late.purge_due(10).unwrap().is_empty());
    // A clock that jumps on from there, or back, erases nothing.
    assert!(at(&session, NOW + 100 * DAY).purge_due(10).unwrap().is_empty());
    assert!(late.purge_due(10).unwrap().is_empty());
    let later = at(&session, NOW + 91 * DAY);
    assert!(later.purge_due(0).unwrap().is_empty());
    assert_eq!(later.purge_due(10).unwrap(), [ids[0]]);
    assert!(later.purge_due(10).unwrap().is_empty());
    kms.change_policies(&|policies| {
        policies.retention_days = 7;
        Ok(())
    })
    .unwrap();
    assert!(at(&session, NOW + 8 * DAY).purge_due(10).unwrap().is_empty());
    assert_eq!(at(&session, NOW + 9 * DAY).purge_due(10).unwrap(), [ids[1]]);
    assert_eq!(kms.key(&ids[2].to_string()).unwrap().state(NOW), KeyState::Active);
}

#[test]
fn two_persons_are_needed_where_the_policy_says_so() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let (alice, bob) = (by(&session, "alice", NOW), by(&session, "bob", NOW));
    let before = root(&alice, "before").id.to_string();
    alice
        .change_policies(&|policies| {
            policies.dual_auth_delete = true;
            Ok(())
        })
        .unwrap();
    alice.delete(&before, Removal::Unused).unwrap();
    let id = root(&alice, "after").id.to_string();
    assert_eq!(reason(bob.delete(&id, Removal::Unused)), Reason::AuthorizationMissing);
    alice.set_for_deletion(&id).unwrap();
    assert_eq!(reason(alice.delete(&id, Removal::Unused)), Reason::AuthorizationFailed);
    assert_eq!(
        reason(by(&session, "bob", NOW + 7 * DAY).delete(&id, Removal::Unused)),
        Reason::AuthorizationMissing
    );
    bob.unset_for_deletion(&id).unwrap();
    assert_eq!(reason(bob.delete(&id, Removal::Unused)), Reason::AuthorizationMissing);
    alice.set_for_deletion(&id).unwrap();
    bob.delete(&id, Removal::Unused).unwrap();
    assert_eq!(bob.key(&id).unwrap().deletion.unwrap().by, actor("bob"));
}

#[test]
fn registrations_stand_in_the_way_of_deletion_and_are_found() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let kms = at(&session, NOW);
    let (first, second) = (root(&kms, "first").id.to_string(), root(&kms, "second").id.to_string());
    kms.register(&first, "crn:disk", false, Some("a disk")).unwrap();
    kms.register(&second, "crn:disk", true, None).unwrap();
    kms.register(&second, "crn:bucket", false, None).unwrap();
    assert_eq!(kms.registrations(None, Some("crn:disk")).unwrap().len(), 2);
    assert_eq!(kms.registrations(Some(&second), None).unwrap().len(), 2);
    assert_eq!(kms.registrations(Some(&second), Some("crn:disk")).unwrap().len(), 1);
    assert_eq!(kms.registrations(None, None).unwrap().len(), 3);
    assert_eq!(kms.registrations(None, Some("crn:none")).unwrap(), []);
    assert_eq!(reason(kms.delete(&first, Removal::Unused)), Reason::Protected);
    assert_eq!(reason(kms.delete(&second, Removal::Forced)), Reason::Retained);
    kms.delete(&first, Removal::Forced).unwrap();
    kms.unregister(&second, "crn:disk").unwrap();
    kms.unregister(&second, "crn:bucket").unwrap();
    kms.delete(&second, Removal::Unused).unwrap();
}

#[test]
fn an_alias_is_one_keys_and_names_it() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let kms = at(&session, NOW);
    let (first, second) = (root(&kms, "first").id, root(&kms, "second").id.to_string());
    kms.add_alias(&first.to_string(), "disk-key").unwrap();
    assert_eq!(reason(kms.add_alias(&second, "disk-key")), Reason::AliasTaken);
    assert_eq!(kms.key("disk-key").unwrap().id, first);
    let text = kms.wrap("disk-key", Some(b"dek"), &none()).unwrap().ciphertext;
    kms.unwrap(&first.to_string(), &text, &none()).unwrap();
    let said = Description { aliases: vec!["disk-key".into()], ..Description::new(Kind::Root, "third") };
    assert_eq!(reason(kms.create(said, None)), Reason::AliasTaken);
    kms.delete("disk-key", Removal::Unused).unwrap();
    assert_eq!(reason(kms.wrap("disk-key", None, &none())), Reason::Deleted);
    assert_eq!(reason(kms.add_alias(&second, "disk-key")), Reason::AliasTaken);
    at(&session, NOW + HOUR).restore("disk-key").unwrap();
    kms.remove_alias("disk-key", "disk-key").unwrap();
    assert_eq!(reason(kms.key("disk-key")), Reason::NotFound);
    kms.add_alias(&second, "disk-key").unwrap();
}

#[test]
fn rings_hold_keys_and_go_when_they_are_empty() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let kms = at(&session, NOW);
    let said = Description { ring: Some("team".into()), ..Description::new(Kind::Root, "a key") };
    assert_eq!(reason(kms.create(said.clone(), None)), Reason::RingMissing);
    kms.create_ring("team").unwrap();
    let id = kms.create(said, None).unwrap().id.to_string();
    let of_team = Filter { ring: Some("team".into()), ..Filter::default() };
    assert_eq!(kms.list(&of_team).unwrap().keys.len(), 1);
    assert_eq!(reason(kms.delete_ring("team", true)), Reason::RingNotEmpty);
    kms.delete(&id, Removal::Unused).unwrap();
    assert_eq!(kms.list(&of_team).unwrap().total, 0);
    assert_eq!(reason(kms.delete_ring("team", false)), Reason::RingNotEmpty);
    kms.delete_ring("team", true).unwrap();
    assert_eq!(kms.key(&id).unwrap().ring, "default");
    assert_eq!(reason(kms.delete_ring("default", true)), Reason::RingDefault);
    assert_eq!(kms.rings().unwrap().len(), 1);
    kms.create_ring("team").unwrap();
    let restored = at(&session, NOW + HOUR);
    restored.restore(&id).unwrap();
    let to_team = Labels { ring: Some("team".into()), name: Some("moved".into()), ..Labels::default() };
    restored.relabel(&id, &to_team).unwrap();
    assert_eq!(restored.list(&of_team).unwrap().keys[0].name, "moved");
    the(&session, "moved");
    let nowhere = Labels { ring: Some("none".into()), ..Labels::default() };
    assert_eq!(reason(restored.relabel(&id, &nowhere)), Reason::RingMissing);
}

#[test]
fn lists_have_what_was_asked_for() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let kms = at(&session, NOW);
    let ids: Vec<_> = (0..5).map(|number| root(&kms, &format!("Key {number}")).id.to_string()).collect();
    let said =
        Description { aliases: vec!["THE-secret".into()], ..Description::new(Kind::Standard, "other") };
    kms.create(said, plain(b"secret")).unwrap();
    kms.disable(&ids[0]).unwrap();
    kms.delete(&ids[1], Removal::Unused).unwrap();
    let total = |filter: Filter| kms.list(&filter).unwrap().total;
    let states = |states: &[KeyState]| Filter { states: states.to_vec(), ..Filter::default() };
    assert_eq!(total(Filter::default()), 5);
    assert_eq!(total(states(&[KeyState::Active])), 4);
    assert_eq!(total(states(&[KeyState::Suspended])), 1);
    assert_eq!(total(states(&[KeyState::Destroyed])), 1);
    assert_eq!(total(states(&[KeyState::Active, KeyState::Destroyed])), 5);
    assert_eq!(total(states(&[])), 0);
    assert_eq!(total(Filter { kind: Some(Kind::Standard), ..Filter::default() }), 1);
    assert_eq!(total(Filter { search: Some("the-SECRET".into()), ..Filter::default() }), 1);
    assert_eq!(total(Filter { search: Some("key".into()), ..Filter::default() }), 4);
    let page = |offset| kms.list(&Filter { offset, limit: 2, ..Filter::default() }).unwrap();
    let pages: Vec<_> = [0, 2, 4, 6].into_iter().map(|offset| page(offset).keys.len()).collect();
    assert_eq!(pages, [2, 2, 1, 0]);
    let filtered = Filter { kind: Some(Kind::Root), offset: 3, limit: 2, ..Filter::default() };
    assert_eq!(kms.list(&filtered).unwrap().keys.len(), 1);
}

#[test]
fn policies_rotate_what_is_due_once() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let kms = at(&session, NOW);
    let never = root(&kms, "before the policy");
    kms.change_policies(&|policies| {
        policies.rotation = Some(RotationPolicy::new(1, true)?);
        Ok(())
    })
    .unwrap();
    let monthly = root(&kms, "monthly").id;
    let imported = kms.create(Description::new(Kind::Root, "imported"), plain(&[1; 32])).unwrap();
    assert!(never.rotation.is_none() && imported.rotation.is_none());
    let two_months =
        kms.set_rotation(&never.id.to_string(), RotationPolicy::new(2, true).unwrap()).unwrap().id;
    assert!(at(&session, NOW + MONTH - 1).rotate_due(10).unwrap().is_empty());
    let month = at(&session, NOW + MONTH);
    assert!(month.rotate_due(0).unwrap().is_empty());
    assert_eq!(month.rotate_due(10).unwrap(), [monthly]);
    assert!(month.rotate_due(10).unwrap().is_empty());
    assert_eq!(month.key(&monthly.to_string()).unwrap().versions.len(), 2);
    let mut due = at(&session, NOW + 2 * MONTH).rotate_due(10).unwrap();
    due.sort_unstable();
    let mut expected = [monthly, two_months];
    expected.sort_unstable();
    assert_eq!(due, expected);
}

#[test]
fn access_policies_hold_at_once_in_every_process() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let other = Other::user(fresh.home.path());
    assert!(!other.session.tokens_enforced().unwrap());
    let kms = at(&session, NOW);
    kms.change_policies(&|policies| {
        policies.access.create_root_key = false;
        policies.access.enforce_token = true;
        policies.allowed_ip = vec!["192.0.2.0/24".parse()?];
        Ok(())
    })
    .unwrap();
    assert!(other.session.tokens_enforced().unwrap());
    assert!(other.session.admits_address("192.0.2.9".parse().unwrap()).unwrap());
    assert!(!other.session.admits_address("127.0.0.1".parse().unwrap()).unwrap());
    let theirs = at(&other.session, NOW);
    assert_eq!(reason(theirs.create(Description::new(Kind::Root, "a key"), None)), Reason::AccessPolicy);
    let refused = kms.change_policies(&|policies| {
        policies.retention_days = 0;
        Ok(())
    });
    assert!(matches!(reason(refused), Reason::Field { name: "retention", .. }));
    assert_eq!(kms.policies().unwrap().retention_days, 90);
}

#[test]
fn a_name_means_all_keys_that_have_it_where_no_identifier_or_alias_does() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let kms = at(&session, NOW);
    let (first, second) = (root(&kms, "same"), root(&kms, "same"));
    let ids = |text: &str| {
        let mut ids: Vec<_> = kms.named(text).unwrap().iter().map(|key| key.id).collect();
        ids.sort();
        ids
    };
    let mut both = [first.id, second.id];
    both.sort();
    assert_eq!(ids("same"), both);
    kms.delete(&first.id.to_string(), Removal::Unused).unwrap();
    assert_eq!(ids("same"), both);
    assert_eq!(ids(&second.id.digits()), [second.id]);
    assert_eq!(ids("other"), []);
    let aliased = kms
        .create(Description { aliases: vec!["same".into()], ..Description::new(Kind::Root, "other") }, None);
    assert_eq!(ids("same"), [aliased.unwrap().id]);
}
