//! Import tokens on a partition: who may use one, what it opens there, how it is counted among many who ask
//! at once, and when it ends. What a token is by itself is tested beside it.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod kit;

use std::sync::Barrier;
use std::thread;

use cryptoki_sys::*;
use hsm_core::Result;
use hsm_core::error::Error;
use hsm_core::import_token::{
    Algorithm, EncryptedNonce, Limits, Refusal, Retrieved, Wrapped, encrypt_key, encrypt_nonce,
};
use hsm_core::mechanism::{Mechanism, Parameter};
use hsm_core::object::lifecycle::{Action, Seconds};
use hsm_core::object::locate::Scope;
use hsm_core::object::{Template, Value};
use hsm_core::service::Space;
use hsm_core::session::{Access, ObjectHandle, Output, Role, Session};
use kit::*;

const NOW: Seconds = 1_700_000_000;
const MATERIAL: [u8; 32] = [0x5a; 32];

fn limits(expiration: u32, retrievals: u32) -> Limits {
    Limits::new(expiration, retrievals).unwrap()
}

/// What a customer sends for a token that was retrieved.
struct Sent {
    payload: Vec<u8>,
    nonce: EncryptedNonce,
    algorithm: Algorithm,
}

impl Sent {
    fn to(token: &Retrieved, algorithm: Algorithm) -> Sent {
        Sent {
            payload: encrypt_key(&token.public_key, &MATERIAL, algorithm).unwrap(),
            nonce: encrypt_nonce(&token.nonce, &MATERIAL, algorithm).unwrap(),
            algorithm,
        }
    }

    fn import(&self, session: &Session, text: &str, now: Seconds) -> Result<ObjectHandle> {
        let wrapped = Wrapped {
            payload: &self.payload,
            encrypted_nonce: &self.nonce.bytes,
            iv: &self.nonce.iv,
            algorithm: self.algorithm,
        };
        session.import_by_token(&wrapped, template(text), now)
    }
}

fn template(text: &str) -> Template {
    let mut template = token(true, text);
    template.extend([CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP, CKA_UNWRAP].map(|kind| flag(kind, true)));
    template
}

/// A token that was made and retrieved.
fn retrieved(session: &Session) -> Retrieved {
    session.create_import_token(limits(600, 2), NOW).unwrap();
    session.retrieve_import_token(NOW).unwrap()
}

fn refusal<T>(result: Result<T>) -> Refusal {
    match result {
        Err(Error::ImportToken(refusal)) => refusal,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was not refused"),
    }
}

fn encrypt(session: &Session, key: ObjectHandle, data: &[u8]) -> Vec<u8> {
    session
        .encrypt_init(&Mechanism { kind: CKM_AES_CBC_PAD, parameter: Parameter::Iv(vec![7; 16]) }, key)
        .unwrap();
    let mut out = vec![0; data.len() + 16];
    let length = session.encrypt(data, Output::Buffer(&mut out)).unwrap();
    out.truncate(length);
    out
}

#[test]
fn an_imported_key_is_the_customers_and_never_leaves() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let token = retrieved(&session);
    let reference = session.create_object({
        let mut template = secret(true, "reference", CKK_AES, &MATERIAL);
        template.push(flag(CKA_ENCRYPT, true));
        template
    });
    let expected = encrypt(&session, reference.unwrap(), b"message");
    for algorithm in Algorithm::OF_SECRETS {
        let key = Sent::to(&token, algorithm).import(&session, algorithm.name(), NOW).unwrap();
        assert_eq!(encrypt(&session, key, b"message"), expected, "{algorithm:?}");
        let view = session.view(key).unwrap();
        for (kind, expected) in [
            (CKA_SENSITIVE, true),
            (CKA_EXTRACTABLE, false),
            (CKA_LOCAL, false),
            (CKA_ALWAYS_SENSITIVE, false),
            (CKA_NEVER_EXTRACTABLE, false),
            (CKA_WRAP, true),
        ] {
            assert!(view.attribute(kind).unwrap().equals(&Value::Bool(expected)), "{kind:#x}");
        }
        assert!(matches!(view.attribute(CKA_VALUE), Err(Error::AttributeSensitive(CKA_VALUE))));
        assert!(view.attribute(CKA_VALUE_LEN).unwrap().equals(&Value::Number(32)));
    }
}

#[test]
fn nobody_imports_a_key_that_may_leave() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let sent = Sent::to(&retrieved(&session), Algorithm::OaepSha256);
    let wrapped = Wrapped {
        payload: &sent.payload,
        encrypted_nonce: &sent.nonce.bytes,
        iv: &sent.nonce.iv,
        algorithm: sent.algorithm,
    };
    for bad in [flag(CKA_EXTRACTABLE, true), flag(CKA_SENSITIVE, false)] {
        let mut template = template("key");
        let kind = bad.0;
        template.push(bad);
        let imported = session.import_by_token(&wrapped, template, NOW);
        assert!(matches!(imported, Err(Error::TemplateInconsistent(found)) if found == kind));
    }
    let mut template = template("key");
    template.push(bytes(CKA_VALUE, [1; 32]));
    let imported = session.import_by_token(&wrapped, template, NOW);
    assert!(matches!(imported, Err(Error::AttributeReadOnly(CKA_VALUE))));
    assert!(find(&session, vec![]).unwrap().is_empty());
}

#[test]
fn a_token_serves_several_keys_until_it_expires() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let sent = Sent::to(&retrieved(&session), Algorithm::OaepSha1);
    session.retrieve_import_token(NOW).unwrap();
    assert_eq!(refusal(session.retrieve_import_token(NOW)), Refusal::Expired);
    for later in [0, 10, 599] {
        sent.import(&session, "key", NOW + later).unwrap();
    }
    assert_eq!(refusal(sent.import(&session, "key", NOW + 600)), Refusal::Expired);
    assert_eq!(find(&session, vec![label("key")]).unwrap().len(), 3);
}

#[test]
fn what_is_told_of_a_token_does_not_count() {
    let fresh = Fresh::new();
    let session = fresh.user();
    assert_eq!(session.import_token().unwrap(), None);
    let made = session.create_import_token(limits(300, 2), NOW).unwrap();
    assert_eq!((made.creation, made.expiration), (NOW, NOW + 300));
    assert_eq!((made.max_allowed_retrievals, made.remaining_retrievals), (2, 2));
    for _ in 0..3 {
        assert_eq!(session.import_token().unwrap(), Some(made));
    }
    assert_eq!(session.retrieve_import_token(NOW).unwrap().metadata.remaining_retrievals, 1);
    let other = Other::user(fresh.home.path());
    assert_eq!(other.session.import_token().unwrap().unwrap().remaining_retrievals, 1);
}

#[test]
fn without_a_token_nothing_is_retrieved_or_redeemed() {
    let fresh = Fresh::new();
    let session = fresh.user();
    assert_eq!(refusal(session.retrieve_import_token(NOW)), Refusal::Expired);
    let sent = Sent {
        payload: vec![0; 512],
        nonce: EncryptedNonce { bytes: vec![0; 28], iv: vec![0; 12] },
        algorithm: Algorithm::OaepSha256,
    };
    assert_eq!(refusal(sent.import(&session, "key", NOW)), Refusal::Expired);
}

#[test]
fn a_refused_import_makes_no_key() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let token = retrieved(&session);
    let good = Sent::to(&token, Algorithm::OaepSha256);
    let other = encrypt_nonce(&[1; 12], &MATERIAL, Algorithm::OaepSha256).unwrap();
    let wrong_nonce = Sent { nonce: other, payload: good.payload.clone(), ..good };
    assert_eq!(refusal(wrong_nonce.import(&session, "key", NOW)), Refusal::IncorrectNonce);
    let wrong_algorithm = Sent { algorithm: Algorithm::OaepSha1, ..Sent::to(&token, Algorithm::OaepSha256) };
    assert_eq!(refusal(wrong_algorithm.import(&session, "key", NOW)), Refusal::IncorrectNonceIv);
    assert!(find(&session, vec![]).unwrap().is_empty());
}

#[test]
fn a_new_token_replaces_the_one_before() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let old = retrieved(&session);
    let sent = Sent::to(&old, Algorithm::OaepSha256);
    session.create_import_token(limits(600, 1), NOW).unwrap();
    assert_eq!(refusal(sent.import(&session, "key", NOW)), Refusal::IncorrectNonceIv);
    let new = session.retrieve_import_token(NOW).unwrap();
    assert!(new.public_key != old.public_key && new.nonce != old.nonce);
    let old_nonce = Retrieved { nonce: old.nonce, ..new.clone() };
    let mixed = Sent::to(&old_nonce, Algorithm::OaepSha256);
    assert_eq!(refusal(mixed.import(&session, "key", NOW)), Refusal::IncorrectNonce);
    Sent::to(&new, Algorithm::OaepSha256).import(&session, "key", NOW).unwrap();
}

#[test]
fn a_clock_that_is_set_back_revives_no_token_of_any_process() {
    for redeemed in [false, true] {
        let fresh = Fresh::new();
        let session = fresh.user();
        let sent = Sent::to(&retrieved(&session), Algorithm::OaepSha256);
        let late = NOW + 600;
        let refused = match redeemed {
            true => refusal(sent.import(&session, "key", late)),
            false => refusal(session.retrieve_import_token(late)),
        };
        assert_eq!(refused, Refusal::Expired);
        let other = Other::user(fresh.home.path());
        assert_eq!(refusal(other.session.retrieve_import_token(NOW)), Refusal::Expired);
        assert_eq!(refusal(sent.import(&other.session, "key", NOW)), Refusal::Expired);
        assert_eq!(other.session.import_token().unwrap().unwrap().remaining_retrievals, 1);
    }
}

#[test]
fn of_many_who_ask_at_once_no_more_are_answered_than_may_be() {
    const THREADS: usize = 8;
    let fresh = Fresh::new();
    fresh.user().create_import_token(limits(600, 5), NOW).unwrap();
    let barrier = Barrier::new(THREADS);
    let remaining: Vec<u32> = thread::scope(|scope| {
        let ask = || {
            // A handle of its own, as a process has.
            let other = Other::user(fresh.home.path());
            barrier.wait();
            let answers = (0..3).map(|_| other.session.retrieve_import_token(NOW));
            let mut remaining = Vec::new();
            for answer in answers {
                match answer {
                    Ok(token) => remaining.push(token.metadata.remaining_retrievals),
                    refused => assert_eq!(refusal(refused), Refusal::Expired),
                }
            }
            remaining
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let mut sorted = remaining;
    sorted.sort_unstable();
    assert_eq!(sorted, [0, 1, 2, 3, 4]);
}

#[test]
fn the_token_is_the_users() {
    let fresh = Fresh::new();
    let session = fresh.session();
    let refused = |session: &Session| {
        [
            session.create_import_token(Limits::default(), NOW).map(drop),
            session.retrieve_import_token(NOW).map(drop),
            session.import_token().map(drop),
        ]
    };
    for refused in refused(&session) {
        assert!(matches!(refused, Err(Error::NotLoggedIn)));
    }
    session.login(Role::So, SO_PIN).unwrap();
    for refused in refused(&session) {
        assert!(matches!(refused, Err(Error::NotLoggedIn)));
    }
    session.logout().unwrap();
    let looking = fresh.partition.open_session(Access::ReadOnly).unwrap();
    looking.login(Role::User, USER_PIN).unwrap();
    let [made, retrieved, told] = refused(&looking);
    assert!(matches!(made, Err(Error::SessionReadOnly)) && matches!(retrieved, Err(Error::SessionReadOnly)));
    told.unwrap();
}

#[test]
fn a_server_opens_the_token_of_its_partition_without_a_pin() {
    let home = directory();
    let hsm = handle(home.path());
    hsm.initialise(&Default::default(), &mut |_| {}).unwrap();
    let partition = hsm.server_partition("kmip").unwrap();
    let session = partition.open_for_server().unwrap();
    let sent = Sent::to(&retrieved(&session), Algorithm::OaepSha256);
    sent.import(&session, "key", NOW).unwrap();
}

#[test]
fn the_token_is_no_object() {
    let fresh = Fresh::new();
    let session = fresh.user();
    session.create_import_token(Limits::default(), NOW).unwrap();
    assert!(find(&session, vec![]).unwrap().is_empty());
    let scope = Scope { owner: "officer".to_owned(), groups: Vec::new(), everything: true };
    let space = Space::new(session.clone(), scope);
    assert!(space.locate(&[], true, &|_| true).unwrap().is_empty());
    let id = "04".repeat(16);
    assert!(matches!(space.load(&id, Action::Look), Err(Error::NoSuchObject)));
    // Nor does it hinder objects.
    let (public, _) = generate_ec(&session, "pair");
    assert_eq!(find(&session, vec![number(CKA_CLASS, CKO_PUBLIC_KEY)]).unwrap(), [public]);
    session.retrieve_import_token(NOW).unwrap();
}

#[test]
fn the_token_goes_with_what_is_on_the_partition() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let sent = Sent::to(&retrieved(&session), Algorithm::OaepSha256);
    drop(session);
    fresh.partition.close_all_sessions();
    fresh.hsm.reinitialise(&fresh.partition, &padded("anew"), SO_PIN).unwrap();
    let session = fresh.session();
    session.login(Role::So, SO_PIN).unwrap();
    session.init_pin(USER_PIN).unwrap();
    session.logout().unwrap();
    session.login(Role::User, USER_PIN).unwrap();
    assert_eq!(session.import_token().unwrap(), None);
    assert_eq!(refusal(sent.import(&session, "key", NOW)), Refusal::Expired);
}
