//! The import token as doors see it that know objects alone: the two keys that PKCS #11 shows while it is alive and
//! what comes in under them, and the public key by its identifier, as KMIP has it.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod kit;

use std::thread;
use std::time::Duration;

use cryptoki_sys::*;
use hsm_core::Result;
use hsm_core::error::Error;
use hsm_core::import_token::{
    Algorithm, Limits, Refusal, Retrieved, Wrapped, encrypt_key, encrypt_private_key,
};
use hsm_core::mechanism::{Mechanism, Parameter};
use hsm_core::object::lifecycle::{Action, now};
use hsm_core::object::locate::Scope;
use hsm_core::object::{Template, Value};
use hsm_core::service::Space;
use hsm_core::session::{Access, ObjectHandle, Role, Session};
use kit::*;

const MATERIAL: [u8; 32] = [0x5a; 32];

/// The P-256 key of RFC 6979, A.2.5, in PKCS #8.
#[rustfmt::skip]
const PKCS8: [u8; 138] = [
    0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
    0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x6d, 0x30, 0x6b, 0x02,
    0x01, 0x01, 0x04, 0x20, 0xc9, 0xaf, 0xa9, 0xd8, 0x45, 0xba, 0x75, 0x16, 0x6b, 0x5c, 0x21, 0x57,
    0x67, 0xb1, 0xd6, 0x93, 0x4e, 0x50, 0xc3, 0xdb, 0x36, 0xe8, 0x9b, 0x12, 0x7b, 0x8a, 0x62, 0x2b,
    0x12, 0x0f, 0x67, 0x21, 0xa1, 0x44, 0x03, 0x42, 0x00, 0x04, 0x60, 0xfe, 0xd4, 0xba, 0x25, 0x5a,
    0x9d, 0x31, 0xc9, 0x61, 0xeb, 0x74, 0xc6, 0x35, 0x6d, 0x68, 0xc0, 0x49, 0xb8, 0x92, 0x3b, 0x61,
    0xfa, 0x6c, 0xe6, 0x69, 0x62, 0x2e, 0x60, 0xf2, 0x9f, 0xb6, 0x79, 0x03, 0xfe, 0x10, 0x08, 0xb8,
    0xbc, 0x99, 0xa4, 0x1a, 0xe9, 0xe9, 0x56, 0x28, 0xbc, 0x64, 0xf2, 0xf1, 0xb2, 0x0c, 0x2d, 0x7e,
    0x9f, 0x51, 0x77, 0xa3, 0xc2, 0x94, 0xd4, 0x46, 0x22, 0x99,
];

/// A token that was made and retrieved, by the clock.
fn live(session: &Session) -> Retrieved {
    session.create_import_token(Limits::default(), now()).unwrap();
    session.retrieve_import_token(now()).unwrap()
}

fn of_class(class: u64) -> Template {
    vec![label("import token"), number(CKA_CLASS, class)]
}

/// The token's public and private key.
fn shown(session: &Session) -> Option<(ObjectHandle, ObjectHandle)> {
    let one = |class| {
        let found = find(session, of_class(class)).unwrap();
        assert!(found.len() <= 1);
        found.first().copied()
    };
    one(CKO_PUBLIC_KEY).zip(one(CKO_PRIVATE_KEY))
}

fn oaep(hash: u64, mgf: u64) -> Mechanism {
    Mechanism { kind: CKM_RSA_PKCS_OAEP, parameter: Parameter::Oaep { hash, mgf, label: Vec::new() } }
}

fn sha256() -> Mechanism {
    oaep(CKM_SHA256, CKG_MGF1_SHA256)
}

fn rsa_aes() -> Mechanism {
    let (hash, mgf) = (CKM_SHA256, CKG_MGF1_SHA256);
    let parameter = Parameter::RsaAes { aes_bits: Some(256), hash, mgf, label: Vec::new() };
    Mechanism { kind: CKM_RSA_AES_KEY_WRAP, parameter }
}

fn aes(text: &str) -> Template {
    let mut template = token(true, text);
    template.extend([
        number(CKA_CLASS, CKO_SECRET_KEY),
        number(CKA_KEY_TYPE, CKK_AES),
        flag(CKA_ENCRYPT, true),
    ]);
    template
}

fn ec(text: &str) -> Template {
    let mut template = token(true, text);
    template.extend([number(CKA_CLASS, CKO_PRIVATE_KEY), number(CKA_KEY_TYPE, CKK_EC), flag(CKA_SIGN, true)]);
    template
}

fn is(session: &Session, key: ObjectHandle, kind: u64) -> bool {
    session.view(key).unwrap().attribute(kind).unwrap().equals(&Value::Bool(true))
}

#[test]
fn two_keys_are_shown_while_the_token_is_alive() {
    let fresh = Fresh::new();
    let session = fresh.user();
    assert_eq!(shown(&session), None);
    let unique = live(&session).unique_id;
    let (public, private) = shown(&session).unwrap();
    assert_eq!(find(&session, vec![]).unwrap(), [public, private]);
    assert_eq!(value(&session, public, CKA_UNIQUE_ID), unique.as_bytes());
    let id = value(&session, private, CKA_ID);
    assert_eq!(find(&session, vec![bytes(CKA_ID, &id)]).unwrap(), [public, private]);
    assert_eq!(find(&session, vec![flag(CKA_TOKEN, true), flag(CKA_PRIVATE, true)]).unwrap().len(), 2);
    for none in [
        flag(CKA_TOKEN, false),
        flag(CKA_PRIVATE, false),
        label("import"),
        bytes(CKA_ID, &id[..15]),
        number(CKA_CLASS, CKO_SECRET_KEY),
        number(CKA_KEY_TYPE, CKK_EC),
        flag(CKA_DECRYPT, true),
    ] {
        assert!(find(&session, vec![none]).unwrap().is_empty());
    }
    // Looking at them is no retrieval: the nonce is not among what they tell.
    let before = session.import_token().unwrap();
    session.view(public).unwrap().attribute(CKA_MODULUS).unwrap();
    assert_eq!(session.import_token().unwrap(), before);
}

#[test]
fn nobody_but_the_user_sees_them() {
    let fresh = Fresh::new();
    let session = fresh.user();
    live(&session);
    let (public, private) = shown(&session).unwrap();
    session.logout().unwrap();
    for role in [None, Some((Role::So, SO_PIN))] {
        if let Some((role, pin)) = role {
            session.login(role, pin).unwrap();
        }
        assert!(find(&session, vec![]).unwrap().is_empty());
        for handle in [public, private] {
            assert!(matches!(session.view(handle), Err(Error::NoSuchObject)));
        }
    }
    session.logout().unwrap();
    session.login(Role::User, USER_PIN).unwrap();
    assert!(shown(&session).is_some_and(|(again, _)| again != public), "a handle came back");
}

#[test]
fn an_aes_key_comes_in_by_oaep_and_never_leaves() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let retrieved = live(&session);
    let (_, private) = shown(&session).unwrap();
    let expected = session.create_object(secret(true, "reference", CKK_AES, &MATERIAL)).unwrap();
    let expected = value(&session, expected, CKA_CHECK_VALUE);
    for (algorithm, mechanism) in
        [(Algorithm::OaepSha256, sha256()), (Algorithm::OaepSha1, oaep(CKM_SHA_1, CKG_MGF1_SHA1))]
    {
        let wrapped = encrypt_key(&retrieved.public_key, &MATERIAL, algorithm).unwrap();
        let key = session.unwrap_key(&mechanism, private, &wrapped, aes(algorithm.name())).unwrap();
        assert_eq!(value(&session, key, CKA_CHECK_VALUE), expected);
        assert!(is(&session, key, CKA_SENSITIVE) && !is(&session, key, CKA_EXTRACTABLE));
        assert!(!is(&session, key, CKA_NEVER_EXTRACTABLE) && !is(&session, key, CKA_LOCAL));
        assert!(matches!(session.view(key).unwrap().attribute(CKA_VALUE), Err(Error::AttributeSensitive(_))));
    }
}

#[test]
fn a_private_key_comes_in_by_rsa_aes_key_wrap() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let retrieved = live(&session);
    let (_, private) = shown(&session).unwrap();
    let sent = encrypt_private_key(&retrieved.public_key, &retrieved.nonce, &PKCS8).unwrap();
    let key = session.unwrap_key(&rsa_aes(), private, &sent.payload, ec("signer")).unwrap();
    assert!(is(&session, key, CKA_SENSITIVE) && !is(&session, key, CKA_EXTRACTABLE));
    assert_eq!(sign(&session, CKM_ECDSA_SHA256, key, b"message").unwrap().len(), 64);
}

#[test]
fn the_private_key_does_nothing_else() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let retrieved = live(&session);
    let (public, private) = shown(&session).unwrap();
    let wrapped = encrypt_key(&retrieved.public_key, &MATERIAL, Algorithm::OaepSha256).unwrap();
    let decrypt = session.decrypt_init(&sha256(), private);
    assert!(matches!(decrypt, Err(Error::KeyFunctionNotPermitted)));
    let signing = session.sign_init(&Mechanism::plain(CKM_SHA256_RSA_PKCS), private);
    assert!(matches!(signing, Err(Error::KeyFunctionNotPermitted)));
    // The padding of PKCS #1 v1.5 is not for it.
    let v15 = session.unwrap_key(&Mechanism::plain(CKM_RSA_PKCS), private, &wrapped, aes("a"));
    assert!(matches!(v15, Err(Error::MechanismInvalid)));
    let by_public = session.unwrap_key(&sha256(), public, &wrapped, aes("a"));
    assert!(matches!(by_public, Err(Error::UnwrappingKeyTypeInconsistent)));
    session.encrypt_init(&sha256(), public).unwrap();
}

#[test]
fn no_template_lets_a_key_out() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let retrieved = live(&session);
    let (_, private) = shown(&session).unwrap();
    let wrapped = encrypt_key(&retrieved.public_key, &MATERIAL, Algorithm::OaepSha256).unwrap();
    for (kind, bad) in [(CKA_EXTRACTABLE, true), (CKA_SENSITIVE, false)] {
        let mut template = aes("a");
        template.push(flag(kind, bad));
        let refused = session.unwrap_key(&sha256(), private, &wrapped, template);
        assert!(matches!(refused, Err(Error::TemplateInconsistent(found)) if found == kind));
    }
    assert!(find(&session, vec![label("a")]).unwrap().is_empty());
}

#[test]
fn whatever_is_wrong_is_refused_in_one_way() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let retrieved = live(&session);
    let (_, private) = shown(&session).unwrap();
    let good = encrypt_key(&retrieved.public_key, &MATERIAL, Algorithm::OaepSha256).unwrap();
    let pair = encrypt_private_key(&retrieved.public_key, &retrieved.nonce, &PKCS8).unwrap().payload;
    let is_refused = |mechanism: &Mechanism, wrapped: &[u8], template: Template| {
        let made = session.unwrap_key(mechanism, private, wrapped, template);
        matches!(made, Err(Error::WrappedKeyInvalid))
    };
    let spoils: [fn(&mut Vec<u8>); 6] = [
        |wrapped| wrapped[0] ^= 1,
        |wrapped| *wrapped.last_mut().unwrap() ^= 1,
        |wrapped| wrapped.truncate(wrapped.len() - 1),
        |wrapped| wrapped.push(0),
        Vec::clear,
        |wrapped| wrapped.fill(0xff),
    ];
    for (number, spoil) in spoils.iter().enumerate() {
        let (mut key, mut private_key) = (good.clone(), pair.clone());
        spoil(&mut key);
        spoil(&mut private_key);
        assert!(is_refused(&sha256(), &key, aes("a")), "{number}");
        assert!(is_refused(&rsa_aes(), &private_key, ec("a")), "{number}");
    }
    // Another hash, another length inside, another kind of key inside.
    assert!(is_refused(&oaep(CKM_SHA_1, CKG_MGF1_SHA1), &good, aes("a")));
    let mut of_des3 = aes("a");
    of_des3[4] = number(CKA_KEY_TYPE, CKK_DES3);
    assert!(is_refused(&sha256(), &good, of_des3));
    assert!(is_refused(&sha256(), &good, ec("a")));
    assert!(is_refused(&rsa_aes(), &good, ec("a")));
    assert!(is_refused(&rsa_aes(), &pair, aes("a")));
    assert!(find(&session, vec![label("a")]).unwrap().is_empty());
}

#[test]
fn they_cannot_be_changed_copied_or_destroyed() {
    let fresh = Fresh::new();
    let session = fresh.user();
    live(&session);
    let (public, private) = shown(&session).unwrap();
    for key in [public, private] {
        let is_prohibited = |done: Result<()>| matches!(done, Err(Error::ActionProhibited));
        assert!(is_prohibited(session.set_attributes(key, vec![label("mine")])));
        assert!(is_prohibited(session.copy_object(key, vec![flag(CKA_TOKEN, false)]).map(drop)));
        assert!(is_prohibited(session.destroy_object(key)));
    }
    assert!(shown(&session).is_some());
}

/// A token that has seconds left, and its keys: more of them where making it takes longer.
fn about_to_expire(session: &Session) -> (Retrieved, ObjectHandle, ObjectHandle) {
    for left in [3, 10, 60] {
        let made = now() - (300 - left);
        session.create_import_token(Limits::new(300, 2).unwrap(), made).unwrap();
        let retrieved = session.retrieve_import_token(made).unwrap();
        if let Some((public, private)) = shown(session) {
            return (retrieved, public, private);
        }
    }
    panic!("making a token takes a minute");
}

#[test]
fn they_end_with_the_token() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let (retrieved, public, private) = about_to_expire(&session);
    let wrapped = encrypt_key(&retrieved.public_key, &MATERIAL, Algorithm::OaepSha256).unwrap();
    while shown(&session).is_some() {
        thread::sleep(Duration::from_millis(50));
    }
    let late = session.unwrap_key(&sha256(), private, &wrapped, aes("a"));
    assert!(matches!(late, Err(Error::NoSuchUnwrappingKey)));
    assert!(matches!(session.encrypt_init(&sha256(), public), Err(Error::NoSuchKey)));
    assert!(matches!(session.view(public), Err(Error::NoSuchObject)));
    // It was seen to have expired: a clock that is set back does not revive it.
    let other = Other::user(fresh.home.path());
    let early = other.session.retrieve_import_token(now() - 200);
    assert!(matches!(early, Err(Error::ImportToken(Refusal::Expired))));
    assert_eq!(shown(&other.session), None);
}

#[test]
fn a_new_token_has_keys_of_its_own_for_every_process() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let other = Other::user(fresh.home.path());
    assert_eq!(shown(&other.session), None);
    let old = live(&session);
    let wrapped = encrypt_key(&old.public_key, &MATERIAL, Algorithm::OaepSha256).unwrap();
    let (_, private) = shown(&other.session).unwrap();
    other.session.unwrap_key(&sha256(), private, &wrapped, aes("a")).unwrap();
    session.create_import_token(Limits::default(), now()).unwrap();
    let late = other.session.unwrap_key(&sha256(), private, &wrapped, aes("b"));
    assert!(matches!(late, Err(Error::NoSuchUnwrappingKey)));
    let (_, new) = shown(&other.session).unwrap();
    assert_ne!(new, private);
    let misdirected = other.session.unwrap_key(&sha256(), new, &wrapped, aes("b"));
    assert!(matches!(misdirected, Err(Error::WrappedKeyInvalid)));
}

#[test]
fn a_session_that_only_reads_makes_session_keys() {
    let fresh = Fresh::new();
    let retrieved = live(&fresh.user());
    fresh.partition.close_all_sessions();
    let session = fresh.partition.open_session(Access::ReadOnly).unwrap();
    session.login(Role::User, USER_PIN).unwrap();
    let (_, private) = shown(&session).unwrap();
    let wrapped = encrypt_key(&retrieved.public_key, &MATERIAL, Algorithm::OaepSha256).unwrap();
    let on_token = session.unwrap_key(&sha256(), private, &wrapped, aes("a"));
    assert!(matches!(on_token, Err(Error::SessionReadOnly)));
    let mut template = aes("a");
    template[0] = flag(CKA_TOKEN, false);
    session.unwrap_key(&sha256(), private, &wrapped, template).unwrap();
    assert!(matches!(session.destroy_object(private), Err(Error::SessionReadOnly)));
}

#[test]
fn a_search_for_other_keys_reads_no_more_for_it() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let (public, _) = generate_ec(&session, "pair");
    let id = value(&session, public, CKA_UNIQUE_ID);
    let reads = |template: &dyn Fn() -> Template| {
        find(&session, template()).unwrap();
        let before = fresh.hsm.store_reads();
        find(&session, template()).unwrap();
        fresh.hsm.store_reads() - before
    };
    let searches: [&dyn Fn() -> Template; 4] = [
        &|| vec![label("pair"), number(CKA_CLASS, CKO_PRIVATE_KEY)],
        &|| vec![number(CKA_CLASS, CKO_PUBLIC_KEY)],
        &|| vec![bytes(CKA_ID, "anything")],
        &|| vec![bytes(CKA_UNIQUE_ID, &id), label("pair")],
    ];
    let without: Vec<_> = searches.iter().map(|search| reads(*search)).collect();
    live(&session);
    // The token's entry may have become the neighbour of what a search looks for, which is read to show that nothing
    // lies between. To read the token itself takes two reads: its entry and its record.
    for (search, without) in searches.iter().zip(without) {
        let with = reads(*search);
        assert!(with < without + 2, "{with} reads with a token, {without} without");
    }
}

#[test]
fn the_public_key_is_loaded_by_its_identifier_and_by_every_client() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let Retrieved { unique_id, public_key, .. } = live(&session);
    for owner in ["first", "second"] {
        let scope = Scope { owner: owner.to_owned(), groups: Vec::new(), everything: false };
        let space = Space::new(session.clone(), scope);
        let item = space.load(&unique_id, Action::Read).unwrap();
        assert_eq!((item.id(), item.object().class()), (unique_id.clone(), CKO_PUBLIC_KEY));
        // It is looked at by name, never met by a search, and nobody changes it.
        assert!(space.locate(&[], true, &|_| true).unwrap().is_empty());
        let changed = space.change(&unique_id, Action::Change, &|_, _| Ok(()));
        assert!(matches!(changed, Err(Error::NoSuchObject)));
        let private = format!("{unique_id}-private");
        assert!(matches!(space.load(&private, Action::Look), Err(Error::NoSuchObject)));
        let wrapped = encrypt_key(&public_key, &MATERIAL, Algorithm::OaepSha256).unwrap();
        let take = |plain: &[u8]| Ok::<_, Error>(plain.to_vec());
        assert_eq!(space.open_by_import_token(&item, &sha256(), &wrapped, take).unwrap(), MATERIAL);
        let bad = space.open_by_import_token(&item, &sha256(), &wrapped[1..], take);
        assert!(matches!(bad, Err(Error::WrappedKeyInvalid)));
        let refused =
            space.open_by_import_token(&item, &sha256(), &wrapped, |_| Err::<(), _>(Error::DataLength));
        assert!(matches!(refused, Err(Error::WrappedKeyInvalid)));
        let v15 = space.open_by_import_token(&item, &Mechanism::plain(CKM_RSA_PKCS), &wrapped, take);
        assert!(matches!(v15, Err(Error::MechanismInvalid)));
    }
    let scope = Scope { owner: "first".to_owned(), groups: Vec::new(), everything: true };
    let space = Space::new(session.clone(), scope);
    let item = space.load(&unique_id, Action::Look).unwrap();
    live(&session);
    assert!(matches!(space.load(&unique_id, Action::Look), Err(Error::NoSuchObject)));
    let late = space.open_by_import_token(&item, &sha256(), &[0; 512], |_| Ok::<_, Error>(()));
    assert!(matches!(late, Err(Error::NoSuchUnwrappingKey)));
}

#[test]
fn a_private_key_comes_in_with_the_nonce_and_brings_its_public_key() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let retrieved = live(&session);
    let sent = encrypt_private_key(&retrieved.public_key, &retrieved.nonce, &PKCS8).unwrap();
    let wrapped = Wrapped {
        payload: &sent.payload,
        encrypted_nonce: &sent.nonce.bytes,
        iv: &sent.nonce.iv,
        algorithm: Algorithm::RsaAesSha256,
    };
    let import = |wrapped: &Wrapped<'_>, private: Template| {
        session.import_private_by_token(wrapped, token(false, "signer"), private, now())
    };
    let (public, private) = import(&wrapped, token(true, "signer")).unwrap();
    assert!(is(&session, private, CKA_SENSITIVE) && !is(&session, private, CKA_EXTRACTABLE));
    let signature = sign(&session, CKM_ECDSA_SHA256, private, b"message").unwrap();
    session.verify_init(&Mechanism::plain(CKM_ECDSA_SHA256), public).unwrap();
    session.verify(b"message", &signature).unwrap();

    let mut leaving = token(true, "other");
    leaving.push(flag(CKA_EXTRACTABLE, true));
    assert!(matches!(import(&wrapped, leaving), Err(Error::TemplateInconsistent(CKA_EXTRACTABLE))));
    let wrong = Wrapped { encrypted_nonce: &[0; 28], ..wrapped };
    let refused = import(&wrong, token(true, "other"));
    assert!(matches!(refused, Err(Error::ImportToken(Refusal::IncorrectNonceIv))));
    let as_secret = Wrapped { algorithm: Algorithm::OaepSha256, ..wrapped };
    assert!(matches!(import(&as_secret, token(true, "other")), Err(Error::ArgumentsBad(_))));
    let secret = session.import_by_token(&wrapped, token(true, "other"), now());
    assert!(matches!(secret, Err(Error::ArgumentsBad(_))));
    assert!(find(&session, vec![label("other")]).unwrap().is_empty());
}
