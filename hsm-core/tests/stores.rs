//! The core over each back end, and stores that are not this HSM's or not this version's. What a back
//! end promises for itself stands in the store's contract.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod kit;

use std::fs;
use std::path::Path;

use cryptoki_sys::*;
use hsm_core::config::Config;
use hsm_core::error::Error;
use hsm_core::hsm::Hsm;
use hsm_core::session::{Access, Role};
use hsm_core::store::{StoreError, StoreUrl};
use kit::*;

/// What everybody does, on the back end that `store` names.
fn basic_script(home: &Path, store: StoreUrl) -> std::sync::Arc<Hsm> {
    let mut config = Config::for_home(home).unwrap();
    config.store = store;
    let (hsm, partition) = initialise(config);
    let session = partition.open_session(Access::ReadWrite).unwrap();
    assert!(matches!(session.login(Role::User, b"wrong"), Err(Error::PinIncorrect { left: 9 })));
    session.login(Role::User, USER_PIN).unwrap();
    let (public, private) = generate_ec(&session, "pair");
    let signature = sign(&session, CKM_ECDSA_SHA256, private, b"message").unwrap();
    session.verify_init(&hsm_core::mechanism::Mechanism::plain(CKM_ECDSA_SHA256), public).unwrap();
    session.verify(b"message", &signature).unwrap();
    session.set_attributes(private, vec![bytes(CKA_ID, "id"), label("renamed")]).unwrap();
    assert_eq!(the(&session, "renamed"), private);
    assert_eq!(find(&session, vec![bytes(CKA_ID, "id")]).unwrap(), [private]);
    session.create_object(data(true, "gone", b"x")).unwrap();
    session.destroy_object(the(&session, "gone")).unwrap();
    assert_eq!(find(&session, vec![]).unwrap().len(), 2);
    session.logout().unwrap();
    assert_eq!(find(&session, vec![]).unwrap(), [public]);
    hsm
}

#[test]
fn sqlite_serves() {
    let home = directory();
    drop(basic_script(home.path(), StoreUrl::Sqlite(home.path().join("store"))));
}

#[test]
fn memory_serves_and_forgets() {
    let home = directory();
    drop(basic_script(home.path(), StoreUrl::Memory));
    let mut config = Config::for_home(home.path()).unwrap();
    config.store = StoreUrl::Memory;
    assert!(matches!(Hsm::new(config).partitions(), Err(Error::Store(StoreError::Missing(_)))));
}

#[cfg(feature = "sled")]
#[test]
fn sled_serves_one_owner_and_remembers() {
    let home = directory();
    let store = StoreUrl::Sled(home.path().join("store"));
    let hsm = basic_script(home.path(), store.clone());
    let second = || {
        let mut config = Config::for_home(home.path()).unwrap();
        config.store = store.clone();
        Hsm::new(config)
    };
    assert!(matches!(second().partitions().map(drop), Err(Error::Store(StoreError::Busy { .. }))));
    drop(hsm);
    let hsm = second();
    let session = partition(&hsm).open_session(Access::ReadWrite).unwrap();
    session.login(Role::User, USER_PIN).unwrap();
    sign(&session, CKM_ECDSA_SHA256, the(&session, "renamed"), b"message").unwrap();
}

/// Copies the store of one home over that of another.
fn transplant(from: &Path, to: &Path) {
    fs::copy(database(from), database(to)).unwrap();
    for suffix in ["sqlite-wal", "sqlite-shm"] {
        let _ = fs::remove_file(database(to).with_extension(suffix));
    }
}

#[test]
fn a_store_of_another_master_key_is_named_and_left_as_it_was() {
    let theirs = {
        let fresh = Fresh::new();
        fresh.user().create_object(data(true, "theirs", b"x")).unwrap();
        fresh.close()
    };
    let ours = Fresh::new().close();
    transplant(theirs.path(), ours.path());
    let before = fs::read(database(ours.path())).unwrap();
    let hsm = handle(ours.path());
    let place = database(ours.path());
    for _ in 0..2 {
        let Err(Error::ForeignMasterKey(path)) = hsm.partitions().map(drop) else { panic!() };
        assert_eq!(path, place);
    }
    let made = hsm.create_partition(&padded("mine"), SO_PIN).map(drop);
    assert!(matches!(made, Err(Error::ForeignMasterKey(_))));
    drop(hsm);
    assert_eq!(fs::read(&place).unwrap(), before);
    // Put back beside its own unit, it serves.
    transplant(ours.path(), theirs.path());
    let other = Other::user(theirs.path());
    the(&other.session, "theirs");
}

#[test]
fn a_store_of_a_newer_version_is_named_and_left_as_it_was() {
    let home = Fresh::new().close();
    let main = database(home.path());
    let mut bytes = fs::read(&main).unwrap();
    // The database header's user version, a big-endian number (SQLite's file format, section 1.3).
    bytes[60..64].copy_from_slice(&7_u32.to_be_bytes());
    fs::write(&main, &bytes).unwrap();
    let Err(Error::Store(StoreError::Newer { path, found, known })) =
        handle(home.path()).partitions().map(drop)
    else {
        panic!()
    };
    assert_eq!((path, found, known), (main.clone(), 7, 1));
    assert_eq!(fs::read(&main).unwrap(), bytes);
}

#[test]
fn records_exchanged_between_tokens_do_not_open() {
    let fresh = Fresh::new();
    let other = fresh.hsm.create_partition(&padded("other"), SO_PIN).unwrap();
    for partition in [&fresh.partition, &other] {
        let session = partition.open_session(Access::ReadWrite).unwrap();
        session.create_object(data(false, "mine", b"x")).unwrap();
    }
    let (one, two) = (fresh.partition.space(), other.space());
    drop(other);
    let home = fresh.close();
    let main = database(home.path());
    let mut bytes = fs::read(&main).unwrap();
    // The partitions' numbers change places wherever they stand in clear: so do all rows and entries.
    let at = |number: [u8; 16]| -> Vec<usize> {
        let whole = fs::read(&main).unwrap();
        (0..whole.len() - 16).filter(|at| whole[*at..*at + 16] == number).collect()
    };
    let (of_one, of_two) = (at(one.0), at(two.0));
    assert!(of_one.len() > 3 && of_two.len() > 3);
    for (places, number) in [(of_one, two.0), (of_two, one.0)] {
        for place in places {
            bytes[place..place + 16].copy_from_slice(&number);
        }
    }
    fs::write(&main, &bytes).unwrap();
    let hsm = handle(home.path());
    let damaged = |error: &Error| matches!(error, Error::RecordDamaged { .. } | Error::Store(_));
    match hsm.partitions() {
        Err(error) => assert!(damaged(&error), "{error:?}"),
        Ok(partitions) => {
            for partition in partitions {
                let session = partition.open_session(Access::ReadOnly).unwrap();
                let error = find(&session, vec![label("mine")]).unwrap_err();
                assert!(damaged(&error), "{error:?}");
            }
        }
    }
}
