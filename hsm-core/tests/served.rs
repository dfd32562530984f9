//! Keys in the service of a server's client by transform, scheme and derivation: the rules of fitness
//! hold as they do for mechanisms.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod kit;

use cryptoki_sys::*;
use hsm_core::Result;
use hsm_core::crypto::{Direction, Hash, Padding};
use hsm_core::error::Error;
use hsm_core::mechanism::{Derivation, Mechanism, Scheme, Transform};
use hsm_core::object::lifecycle::{Action, State};
use hsm_core::object::locate::Scope;
use hsm_core::object::{Template, Value, managed};
use hsm_core::service::{Item, Provenance, Space};
use hsm_core::session::Output;
use kit::*;

fn space(fresh: &Fresh) -> Space {
    let scope = Scope { owner: "client".to_owned(), groups: Vec::new(), everything: false };
    Space::new(fresh.user(), scope)
}

/// A secret key with these attributes besides.
fn key(space: &Space, key_type: u64, state: State, attributes: Template) -> Item {
    let mut template = vec![
        (CKA_CLASS, Value::Number(CKO_SECRET_KEY)),
        (CKA_KEY_TYPE, Value::Number(key_type)),
        (CKA_VALUE, Value::byte_string(true, &[7; 32])),
        flag(CKA_TOKEN, true),
    ];
    template.extend(attributes);
    let made = space.write(&mut |changes| {
        let key =
            space.new_object(template.iter().map(|(kind, value)| (*kind, value.duplicate())).collect())?;
        let key = key.amended(|object| managed::set_state(object, state));
        let id = changes.fresh_id()?;
        changes.insert(key, Provenance::Brought, &id)
    });
    let id = made.unwrap().remove(0).id();
    space.load(&id, Action::Look).unwrap()
}

/// What each use answers, all of which an AES or HMAC key may have.
fn uses(space: &Space, item: &Item) -> [(u64, Result<()>); 5] {
    let scheme = match item.object().key_type() {
        Some(CKK_AES) => Scheme::Cmac(16),
        _ => Scheme::Hmac(Hash::Sha256, 32),
    };
    let derivation = Derivation::Hash { hash: Hash::Sha256, data: None };
    [
        (CKA_ENCRYPT, space.cipher_by(item, Transform::EcbPad(Padding::Pkcs7), Direction::Encrypt).map(drop)),
        (CKA_DECRYPT, space.cipher_by(item, Transform::EcbPad(Padding::Pkcs7), Direction::Decrypt).map(drop)),
        (CKA_SIGN, space.sign_by(item, scheme).map(drop)),
        (CKA_VERIFY, space.verify_by(item, scheme).map(drop)),
        (CKA_DERIVE, space.derive_bytes(item, &derivation, 32).map(drop)),
    ]
}

const ALL: [u64; 5] = [CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN, CKA_VERIFY, CKA_DERIVE];

fn flags(set: &[u64]) -> Template {
    ALL.iter().map(|kind| flag(*kind, set.contains(kind))).collect()
}

#[test]
fn counters_that_were_used_are_not_undone() {
    let fresh = Fresh::new();
    let space = space(&fresh);
    let made = space.write(&mut |changes| {
        let template = vec![
            (CKA_CLASS, Value::Number(CKO_OTP_KEY)),
            (CKA_KEY_TYPE, Value::Number(CKK_HOTP)),
            (CKA_VALUE, Value::byte_string(true, &[7; 20])),
            flag(CKA_TOKEN, true),
        ];
        let id = changes.fresh_id()?;
        changes.insert(space.new_object(template)?, Provenance::Brought, &id)
    });
    let id = made.unwrap().remove(0).id();
    let counter = || space.load(&id, Action::Look).unwrap().object().bytes(CKA_OTP_COUNTER).to_vec();
    let use_it = || {
        let session = space.session();
        session.sign_init(&Mechanism::plain(CKM_HOTP), space.handle(&space.load(&id, Action::Look)?))?;
        session.sign(b"", Output::Buffer(&mut [0; 6]))
    };
    use_it().unwrap();
    space.remember();
    space
        .write(&mut |changes| {
            let mut object = changes.object(&id, Action::Change)?;
            managed::set_state(&mut object, State::Active);
            changes.replace(&id, object)
        })
        .unwrap();
    use_it().unwrap();
    space.undo().unwrap();
    let object = space.load(&id, Action::Look).unwrap();
    assert!(object.object().get(managed::SOFTHSM_RS_STATE).is_none(), "the change is undone");
    assert_eq!(counter(), 2_u64.to_be_bytes());
}

#[test]
fn each_use_needs_its_own_flag() {
    let fresh = Fresh::new();
    let space = space(&fresh);
    for one in ALL {
        let item = key(&space, CKK_AES, State::Active, flags(&[one]));
        for (kind, answer) in uses(&space, &item) {
            match answer {
                Ok(()) => assert_eq!(kind, one),
                Err(error) => {
                    assert!(matches!(error, Error::KeyFunctionNotPermitted), "{error}");
                    assert_ne!(kind, one);
                }
            }
        }
    }
}

#[test]
fn the_state_bounds_each_use() {
    let fresh = Fresh::new();
    let space = space(&fresh);
    for (state, allowed) in [
        (State::PreActive, &[CKA_DERIVE][..]),
        (State::Active, &ALL),
        (State::Deactivated, &[CKA_DECRYPT, CKA_VERIFY]),
        (State::Compromised, &[CKA_DECRYPT, CKA_VERIFY]),
    ] {
        let item = key(&space, CKK_AES, state, flags(&ALL));
        for (kind, answer) in uses(&space, &item) {
            match answer {
                Ok(()) => assert!(allowed.contains(&kind), "{state:?} {kind:x}"),
                Err(error) => {
                    assert!(matches!(error, Error::WrongState { .. }), "{error}");
                    assert!(!allowed.contains(&kind), "{state:?} {kind:x}");
                }
            }
        }
    }
}

#[test]
fn a_transform_takes_keys_of_its_type_alone() {
    let fresh = Fresh::new();
    let space = space(&fresh);
    let generic = key(&space, CKK_GENERIC_SECRET, State::Active, flags(&ALL));
    for (kind, answer) in uses(&space, &generic) {
        match kind {
            CKA_ENCRYPT | CKA_DECRYPT => assert!(matches!(answer, Err(Error::KeyTypeInconsistent))),
            _ => answer.unwrap(),
        }
    }
    let aes = key(&space, CKK_AES, State::Active, flags(&ALL));
    // KMIP's clients make HMACs with keys that they registered as a cipher's.
    assert!(space.sign_by(&aes, Scheme::Hmac(Hash::Sha256, 32)).is_ok());
    let ecdsa = space.sign_by(&aes, Scheme::Ecdsa(Some(Hash::Sha256)));
    assert!(matches!(ecdsa, Err(Error::KeyTypeInconsistent)));
}

#[test]
fn a_key_for_some_mechanisms_serves_no_unnamed_use() {
    let fresh = Fresh::new();
    let space = space(&fresh);
    let mut attributes = flags(&ALL);
    attributes.push((CKA_ALLOWED_MECHANISMS, Value::Numbers(vec![CKM_AES_ECB])));
    let item = key(&space, CKK_AES, State::Active, attributes);
    for (_, answer) in uses(&space, &item) {
        assert!(matches!(answer, Err(Error::MechanismInvalid)));
    }
}
