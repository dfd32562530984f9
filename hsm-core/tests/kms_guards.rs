//! What keeps the key management service's records, tokens and events as they ought to be: identifiers that clients
//! choose, import tokens that are enforced, material that comes twice, events that name their keys.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod kit;

use std::sync::Arc;

use cryptoki_sys::*;
use hsm_core::Result;
use hsm_core::audit::Uses;
use hsm_core::crypto::{AesMode, Direction, Padding, aes};
use hsm_core::error::Error;
use hsm_core::import_token::{Algorithm, Limits, Wrapped, encrypt_key, encrypt_nonce, encrypt_private_key};
use hsm_core::kms::{Aad, Actor, Description, Kind, Reason, Removal};
use hsm_core::mechanism::{Mechanism, Parameter};
use hsm_core::object::Template;
use hsm_core::object::lifecycle::{Action, now};
use hsm_core::object::locate::Scope;
use hsm_core::secret::Secret;
use hsm_core::service::kms::{Caller, Filter, Kms, Material};
use hsm_core::service::{Provenance, Space};
use hsm_core::session::{Output, Session};
use kit::*;

const NOW: i64 = 1_700_000_000;

fn caller(now: i64) -> Caller {
    Caller { actor: Actor { id: "alice".into(), name: "Alice".into() }, now, trail: None, host: None }
}

fn at(session: &Session, now: i64) -> Kms<'_> {
    session.kms(caller(now))
}

fn space(session: &Arc<Session>) -> Space {
    let scope = Scope { owner: "client".into(), groups: Vec::new(), everything: false };
    Space::new(session.clone(), scope)
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

fn enforce(kms: &Kms<'_>) {
    kms.change_policies(&|policies| {
        policies.access.enforce_token = true;
        Ok(())
    })
    .unwrap();
}

/// What KMIP's Import does: an object under an identifier that the client chose.
fn import(space: &Space, template: Template, id: &str) -> Result<()> {
    let made = space.new_object(template)?;
    let mut made = Some(made);
    space.write(&mut |changes| changes.insert(made.take().unwrap(), Provenance::Brought, id)).map(drop)
}

#[test]
fn no_identifier_that_a_client_chooses_is_a_records() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let (kms, space) = (at(&session, NOW), space(&session));
    let id = kms.create(Description::new(Kind::Root, "root key"), None).unwrap().id.to_string();
    let text = kms.wrap(&id, Some(b"dek"), &Aad::default()).unwrap();
    // Where earlier builds had policies and import token, and the version that the next rotation puts away.
    for chosen in ["05".repeat(16), "04".repeat(16), text.version.digits()] {
        import(&space, secret(true, "mine", CKK_AES, &[1; 16]), &chosen).unwrap();
        assert_eq!(space.load(&chosen, Action::Look).unwrap().id(), chosen);
    }
    kms.create_ring("ring").unwrap();
    assert_eq!(kms.policies().unwrap().retention_days, 90);
    kms.rotate(&id, None).unwrap();
    assert!(kms.unwrap(&id, &text.ciphertext, &Aad::default()).unwrap().plaintext.equals(b"dek"));
    session.create_import_token(Limits::default(), NOW).unwrap();
    assert!(session.import_token().unwrap().is_some());
    assert!(find(&session, vec![label("mine")]).unwrap().len() == 3);
    for chosen in ["05".repeat(16), "04".repeat(16), text.version.digits()] {
        space.load(&chosen, Action::Look).unwrap();
    }
}

#[test]
fn nothing_is_put_where_anything_stands() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let (kms, space) = (at(&session, NOW), space(&session));
    let id = kms.create(Description::new(Kind::Root, "root key"), None).unwrap().id;
    for private in [true, false] {
        let refused = import(&space, data(private, "mine", b"data"), &id.digits());
        assert!(matches!(refused, Err(Error::Conflict)), "{refused:?}");
    }
    // A deleted key is no object, and its place is its own.
    kms.delete(&id.to_string(), Removal::Unused).unwrap();
    let refused = import(&space, data(true, "mine", b"data"), &id.digits());
    assert!(matches!(refused, Err(Error::Conflict)), "{refused:?}");
    at(&session, NOW + 60).restore(&id.to_string()).unwrap();
    kms.wrap(&id.to_string(), None, &Aad::default()).unwrap();
}

/// A key pair's private half by C_CreateObject.
fn private_key(text: &str) -> Template {
    let mut template = token(true, text);
    template.extend([
        number(CKA_CLASS, CKO_PRIVATE_KEY),
        number(CKA_KEY_TYPE, CKK_EC),
        bytes(CKA_EC_PARAMS, P256),
        bytes(CKA_VALUE, [1; 32]),
    ]);
    template
}

#[test]
fn where_tokens_are_enforced_no_other_way_brings_key_material() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let (kms, space) = (at(&session, NOW), space(&session));
    let there = session.create_object(secret(true, "there", CKK_AES, &[2; 32])).unwrap();
    session.create_object(private_key("private")).unwrap();
    let mut wrapping = secret(true, "wrapping", CKK_AES, &[3; 32]);
    wrapping.extend([flag(CKA_UNWRAP, true), flag(CKA_ENCRYPT, true), flag(CKA_DERIVE, true)]);
    let wrapping = session.create_object(wrapping).unwrap();
    let mut unwrapped = token(true, "unwrapped");
    unwrapped.extend([number(CKA_CLASS, CKO_SECRET_KEY), number(CKA_KEY_TYPE, CKK_GENERIC_SECRET)]);
    let copy = |template: &Template| -> Template {
        template.iter().map(|(kind, value)| (*kind, value.duplicate())).collect()
    };
    let mut cipher =
        aes(AesMode::CbcPad { iv: &[7; 16], padding: Padding::Pkcs7 }, Direction::Encrypt, &[3; 32]).unwrap();
    let mut wrapped = vec![0; cipher.once_len(16)];
    let length = cipher.once(&[5; 16], &mut wrapped).unwrap();
    wrapped.truncate(length);
    session.unwrap_key(&cbc_pad(), wrapping, &wrapped, copy(&unwrapped)).unwrap();
    enforce(&kms);
    for on_token in [true, false] {
        for mut template in [secret(true, "new", CKK_AES, &[4; 32]), private_key("new")] {
            template[0] = flag(CKA_TOKEN, on_token);
            let refused = session.create_object(template);
            assert!(matches!(refused, Err(Error::ActionProhibited)), "{refused:?}");
        }
        let mut template = copy(&unwrapped);
        template[0] = flag(CKA_TOKEN, on_token);
        let refused = session.unwrap_key(&cbc_pad(), wrapping, &wrapped, template);
        assert!(matches!(refused, Err(Error::KeyFunctionNotPermitted)), "{refused:?}");
    }
    for template in [secret(true, "new", CKK_AES, &[4; 32]), private_key("new")] {
        let refused = import(&space, template, &"0a".repeat(16));
        assert!(matches!(refused, Err(Error::ActionProhibited)), "{refused:?}");
    }
    // A session without a login is bound too.
    let other = fresh.other();
    let mut public = secret(false, "new", CKK_AES, &[4; 32]);
    public[0] = flag(CKA_TOKEN, false);
    assert!(matches!(other.session.create_object(public), Err(Error::ActionProhibited)));
    assert_eq!(find(&session, vec![label("new")]).unwrap(), []);
    // What is there, is made here or holds no key goes on.
    session.create_object(data(true, "data", b"data")).unwrap();
    import(&space, data(true, "imported data", b"data"), &"0b".repeat(16)).unwrap();
    session.copy_object(there, vec![label("copy")]).unwrap();
    let aes_key_gen = Mechanism::plain(CKM_AES_KEY_GEN);
    session.generate_key(&aes_key_gen, vec![number(CKA_VALUE_LEN, 32), flag(CKA_TOKEN, true)]).unwrap();
    kms.create(Description::new(Kind::Root, "generated"), None).unwrap();
    // And so does what comes with the nonce.
    session.create_import_token(Limits::default(), NOW).unwrap();
    let retrieved = session.retrieve_import_token(NOW).unwrap();
    let payload = encrypt_key(&retrieved.public_key, &[6; 32], Algorithm::OaepSha256).unwrap();
    let nonce = encrypt_nonce(&retrieved.nonce, &[6; 32], Algorithm::OaepSha256).unwrap();
    let wrapped = Wrapped {
        algorithm: Algorithm::OaepSha256,
        payload: &payload,
        encrypted_nonce: &nonce.bytes,
        iv: &nonce.iv,
    };
    session.import_by_token(&wrapped, token(true, "redeemed"), NOW).unwrap();
}

/// Whoever makes the group knows what every private value in it is, and so which public value gives the secret he wants.
#[test]
fn where_tokens_are_enforced_no_group_of_ones_own_brings_a_secret() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let pairs = Mechanism::plain(CKM_DH_PKCS_KEY_PAIR_GEN);
    let group = vec![bytes(CKA_PRIME, [0xff; 64]), bytes(CKA_BASE, [2])];
    let (_, private) = session.generate_key_pair(&pairs, group, vec![flag(CKA_DERIVE, true)]).unwrap();
    let derive = || {
        let agreed = Mechanism { kind: CKM_DH_PKCS_DERIVE, parameter: Parameter::PublicValue(vec![3; 64]) };
        session.derive_key(&agreed, private, vec![number(CKA_VALUE_LEN, 16), flag(CKA_TOKEN, false)])
    };
    derive().unwrap();
    enforce(&at(&session, NOW));
    let refused = derive();
    assert!(matches!(refused, Err(Error::ActionProhibited)), "{refused:?}");
}

#[test]
fn another_door_does_not_open_a_wrapped_key() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let kms = at(&session, NOW);
    let key = kms.create(Description::new(Kind::Root, "root key"), None).unwrap();
    let handle = the(&session, "root key");
    let wrapped = kms.wrap(&key.id.to_string(), Some(&[0x5a; 32]), &Aad::default()).unwrap();
    let json = base64_json(&wrapped.ciphertext);
    let (sealed, iv) = (field(&json, "ciphertext"), field(&json, "iv"));
    // GCM's first block of the message is CTR from 2 on.
    let mut counter = iv;
    counter.extend([0, 0, 0, 2]);
    let parameter = Parameter::Ctr { counter_bits: 32, block: counter.try_into().unwrap() };
    let ctr = Mechanism { kind: CKM_AES_CTR, parameter };
    session.decrypt_init(&ctr, handle).unwrap();
    let mut out = vec![0; 32];
    session.decrypt(&sealed[..32], Output::Buffer(&mut out)).unwrap();
    assert_ne!(out, [0x5a; 32]);
}

fn base64_json(text: &str) -> serde_json::Value {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    serde_json::from_slice(&BASE64_STANDARD.decode(text).unwrap()).unwrap()
}

fn field(json: &serde_json::Value, name: &str) -> Vec<u8> {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    BASE64_STANDARD.decode(json[name].as_str().unwrap()).unwrap()
}

#[test]
fn a_key_is_not_rotated_to_what_it_has_or_had() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let kms = at(&session, NOW);
    let id = kms.create(Description::new(Kind::Root, "a key"), plain(&[1; 32])).unwrap().id.to_string();
    let is_refused = |kms: &Kms<'_>, byte| {
        let reason = reason(kms.rotate(&id, plain(&[byte; 32])));
        assert!(matches!(&reason, Reason::Field { name: "payload", .. }), "{reason:?}");
        assert_eq!(reason.code(), "INVALID_FIELD_ERR");
    };
    is_refused(&kms, 1);
    kms.rotate(&id, plain(&[2; 32])).unwrap();
    let later = at(&session, NOW + 3600);
    is_refused(&later, 1);
    is_refused(&later, 2);
    later.rotate(&id, plain(&[3; 32])).unwrap();
}

#[test]
fn private_keys_are_no_material_of_root_and_standard_keys() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let kms = at(&session, NOW);
    session.create_import_token(Limits::default(), NOW).unwrap();
    let retrieved = session.retrieve_import_token(NOW).unwrap();
    let pkcs8 =
        "302e020100300506032b6570042204209d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    let pkcs8 = ::hex::decode(pkcs8).unwrap();
    let sent = encrypt_private_key(&retrieved.public_key, &retrieved.nonce, &pkcs8).unwrap();
    for kind in [Kind::Root, Kind::Standard] {
        let wrapped = Wrapped {
            algorithm: Algorithm::RsaAesSha256,
            payload: &sent.payload,
            encrypted_nonce: &sent.nonce.bytes,
            iv: &sent.nonce.iv,
        };
        let refused = kms.create(Description::new(kind, "a key"), Some(Material::Token(wrapped)));
        assert!(matches!(reason(refused), Reason::Field { name: "encryptionAlgorithm", .. }), "{kind:?}");
    }
}

#[test]
fn a_list_has_a_limit_that_is_not_passed_over() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let kms = at(&session, NOW);
    kms.list(&Filter { limit: 5000, ..Filter::default() }).unwrap();
    let refused = kms.list(&Filter { limit: 5001, ..Filter::default() });
    assert!(matches!(reason(refused), Reason::Field { name: "limit", .. }));
}

/// The events of the key management service.
fn events(fresh: &Fresh) -> Vec<String> {
    let mut seen = Vec::new();
    let mut take = |recorded: hsm_core::audit::Recorded| {
        seen.push(recorded.json);
        Ok(())
    };
    fresh.hsm.read_audit_log(0, &mut take).unwrap();
    seen.into_iter().filter(|json| json.contains("\"kms.")).collect()
}

#[test]
fn events_name_the_key_that_an_alias_meant() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let said = Description { aliases: vec!["alias".into()], ..Description::new(Kind::Root, "a key") };
    let id = at(&session, NOW).create(said, None).unwrap().id;
    let trail = fresh.hsm.audit_trail(Uses::Durable).unwrap();
    let kms = session.kms(Caller { trail: Some(trail), ..caller(NOW) });
    let before = events(&fresh).len();
    let text = kms.wrap("alias", Some(b"dek"), &Aad::default()).unwrap().ciphertext;
    kms.unwrap("alias", "*", &Aad::default()).unwrap_err();
    kms.rewrap("alias", &text, &Aad::default()).unwrap();
    kms.key("alias").unwrap();
    kms.read("alias").unwrap();
    kms.registrations(Some("alias"), None).unwrap();
    kms.enable("alias").unwrap_err();
    kms.rotate("alias", plain(&[1; 32])).unwrap_err();
    kms.purge("alias").unwrap_err();
    let seen = events(&fresh);
    assert_eq!(seen.len() - before, 9, "{seen:#?}");
    for json in &seen[before..] {
        assert!(json.contains(&id.digits()), "{json}");
    }
    kms.wrap("nobody", None, &Aad::default()).unwrap_err();
}

fn oaep() -> Mechanism {
    let parameter = Parameter::Oaep { hash: CKM_SHA256, mgf: CKG_MGF1_SHA256, label: Vec::new() };
    Mechanism { kind: CKM_RSA_PKCS_OAEP, parameter }
}

fn aes_template() -> Template {
    let mut template = token(true, "a");
    template.extend([number(CKA_CLASS, CKO_SECRET_KEY), number(CKA_KEY_TYPE, CKK_AES)]);
    template
}

#[test]
fn what_is_refused_under_a_tokens_key_is_an_event() {
    let fresh = Fresh::configured("audit.changes = true\n");
    let session = fresh.user();
    session.create_import_token(Limits::default(), now()).unwrap();
    let private = find(&session, vec![label("import token"), number(CKA_CLASS, CKO_PRIVATE_KEY)]).unwrap()[0];
    let redeemed = |fresh: &Fresh| {
        let of_token = |json: &String| json.contains("kms.import-token.redeem");
        events(fresh).into_iter().filter(of_token).collect::<Vec<_>>()
    };
    let refused = session.unwrap_key(&oaep(), private, &[0; 512], aes_template());
    assert!(matches!(refused, Err(Error::WrappedKeyInvalid)));
    assert!(redeemed(&fresh)[0].contains("WRAPPED_KEY_INVALID_ERR"));
    enforce(&at(&session, NOW));
    let refused = session.unwrap_key(&oaep(), private, &[0; 512], aes_template());
    assert!(matches!(refused, Err(Error::KeyFunctionNotPermitted)));
    session.create_import_token(Limits::default(), now()).unwrap();
    let refused = session.unwrap_key(&oaep(), private, &[0; 512], aes_template());
    assert!(matches!(refused, Err(Error::NoSuchUnwrappingKey)));
    fresh.hsm.flush_audit();
    let seen = redeemed(&fresh).join("\n");
    for code in ["KEY_CREATE_IMPORT_ACCESS_ERR", "IMPORT_TOKEN_EXPIRED_ERR"] {
        assert!(seen.contains(code), "{code} in {seen}");
    }
}

#[test]
fn a_look_at_a_dead_token_is_no_retrieval() {
    let fresh = Fresh::configured("audit.changes = true\n");
    let session = fresh.user();
    session.create_import_token(Limits::new(300, 2).unwrap(), now() - 300 + 15).unwrap();
    let of_public = || vec![label("import token"), number(CKA_CLASS, CKO_PUBLIC_KEY)];
    let handle = find(&session, of_public()).unwrap()[0];
    while !find(&session, of_public()).unwrap().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    for _ in 0..3 {
        assert!(matches!(session.view(handle), Err(Error::NoSuchObject)));
    }
    assert!(!events(&fresh).iter().any(|json| json.contains("kms.import-token.read")));
}
