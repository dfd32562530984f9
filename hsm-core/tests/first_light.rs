//! The core from its API: an HSM is made, keys are made in it, used, and found again by another
//! handle on the same files.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use cryptoki_sys::*;
use hsm_core::config::Config;
use hsm_core::hsm::Hsm;
use hsm_core::mechanism::{Mechanism, Parameter};
use hsm_core::object::Value;
use hsm_core::session::{Access, Output, Role};
use hsm_core::unit::ceremony;

#[test]
fn keys_are_made_used_and_found_again() {
    let home = tempfile::tempdir().unwrap();
    let config = || Config::for_home(home.path()).unwrap();
    let hsm = Hsm::new(config());
    hsm.initialise(&ceremony::Options::default(), &mut |_| {}).unwrap();
    let mut label = [b' '; 32];
    label[..4].copy_from_slice(b"demo");
    let partition = hsm.create_partition(&label, b"12345678").unwrap();
    let session = partition.open_session(Access::ReadWrite).unwrap();
    session.login(Role::So, b"12345678").unwrap();
    session.init_pin(b"1234").unwrap();
    session.logout().unwrap();
    session.login(Role::User, b"1234").unwrap();
    let label = |text: &str| (CKA_LABEL, Value::Bytes(text.as_bytes().to_vec()));
    let token = || (CKA_TOKEN, Value::Bool(true));
    for (kind, public, signing) in [
        (CKM_RSA_PKCS_KEY_PAIR_GEN, (CKA_MODULUS_BITS, Value::Number(2048)), CKM_SHA256_RSA_PKCS),
        (
            CKM_EC_KEY_PAIR_GEN,
            (CKA_EC_PARAMS, Value::Bytes(vec![6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7])),
            CKM_ECDSA_SHA256,
        ),
        (
            CKM_EC_EDWARDS_KEY_PAIR_GEN,
            (CKA_EC_PARAMS, Value::Bytes(b"\x13\x0cedwards25519".to_vec())),
            CKM_EDDSA,
        ),
    ] {
        let (public, private) = session
            .generate_key_pair(
                &Mechanism::plain(kind),
                vec![token(), label("pub"), public],
                vec![token(), label("priv")],
            )
            .unwrap();
        session.sign_init(&Mechanism::plain(signing), private).unwrap();
        let mut signature = vec![0; 512];
        let length = session.sign(b"message", Output::Buffer(&mut signature)).unwrap();
        session.verify_init(&Mechanism::plain(signing), public).unwrap();
        session.verify(b"message", &signature[..length]).unwrap();
    }
    let aes = session
        .generate_key(
            &Mechanism::plain(CKM_AES_KEY_GEN),
            vec![token(), label("aes"), (CKA_VALUE_LEN, Value::Number(32))],
        )
        .unwrap();
    let gcm = || Mechanism {
        kind: CKM_AES_GCM,
        parameter: Parameter::Gcm { iv: vec![1; 12], aad: vec![], tag_bits: 128 },
    };
    session.encrypt_init(&gcm(), aes).unwrap();
    let mut sealed = vec![0; 64];
    let length = session.encrypt(b"plain", Output::Buffer(&mut sealed)).unwrap();
    session.decrypt_init(&gcm(), aes).unwrap();
    let mut opened = vec![0; 64];
    let length = session.decrypt(&sealed[..length], Output::Buffer(&mut opened)).unwrap();
    assert_eq!(&opened[..length], b"plain");

    let other = Hsm::new(config());
    let partition = other.partitions().unwrap().remove(0);
    let session = partition.open_session(Access::ReadOnly).unwrap();
    let count = |what: Vec<(u64, Value)>| {
        session.find_init(what).unwrap();
        let found = session.find(100).unwrap().len();
        session.find_final().unwrap();
        found
    };
    assert_eq!(count(vec![]), 3, "public objects alone");
    session.login(Role::User, b"1234").unwrap();
    assert_eq!(count(vec![]), 7);
    assert_eq!(count(vec![label("priv")]), 3);
    assert_eq!(count(vec![label("aes"), (CKA_CLASS, Value::Number(CKO_SECRET_KEY))]), 1);
    assert_eq!(count(vec![label("none")]), 0);
}
