use super::*;
use crate::crypto;
use crate::object::values;

/// The key of OASIS's TC-ECDSA-SIGN-1: on secp256k1, with curve and public point.
const SEC1: &str = "30740201010420db4d128c30ca309e62c4019758c00ba244dd64d9bf52a31078866b8a00c19c68\
    a00706052b8104000aa14403420004dab5d3c253113db414abfc1c0ebf5a02559e656aa1c8b0aa8d870aa0324cda48\
    99925ea1e6dbc259a6c7825cf46592ac7594cc40bd604b728d88b636f317d366";
const SEC1_PUBLIC: &str = "3056301006072a8648ce3d020106052b8104000a03420004dab5d3c253113db414abfc1c0ebf5a02\
    559e656aa1c8b0aa8d870aa0324cda4899925ea1e6dbc259a6c7825cf46592ac7594cc40bd604b728d88b636f317d366";
/// PKCS #8 and SubjectPublicKeyInfo of Ed25519 and X25519, made with OpenSSL.
const OCTETS: [(&str, &str); 2] = [
    (
        "302e020100300506032b657004220420000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "302a300506032b657003210003a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8",
    ),
    (
        "302e020100300506032b656e04220420000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "302a300506032b656e0321008f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f3e2138285f",
    ),
];

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex).unwrap()
}

/// An object as the core settles it.
fn object(class: u64, template: Template) -> Object {
    let mut object = Object::default();
    object.set(CKA_CLASS, Value::Number(class));
    template.into_iter().for_each(|(kind, value)| object.set(kind, value));
    values::settle(object).unwrap().object().duplicate()
}

fn private(form: PrivateForm, der: &[u8]) -> Object {
    object(CKO_PRIVATE_KEY, read_private(form, der).unwrap())
}

#[test]
fn sec1_goes_there_and_back_and_to_pkcs8() {
    let key = private(PrivateForm::Sec1, &bytes(SEC1));
    assert!(write_private(PrivateForm::Sec1, &key).unwrap().equals(&bytes(SEC1)));
    let pkcs8 = write_private(PrivateForm::Pkcs8, &key).unwrap();
    let again = private(PrivateForm::Pkcs8, pkcs8.expose());
    assert!(write_private(PrivateForm::Sec1, &again).unwrap().equals(&bytes(SEC1)));
    assert_eq!(curve_of(&again).unwrap(), "secp256k1");
    assert!(matches!(write_private(PrivateForm::Pkcs1, &key), Err(Error::KeyTypeInconsistent)));
}

#[test]
fn points_and_curves_come_with_public_keys() {
    let info = bytes(SEC1_PUBLIC);
    let key = object(CKO_PUBLIC_KEY, read_public(PublicForm::SubjectPublicKeyInfo, &info).unwrap());
    assert_eq!(write_public(PublicForm::SubjectPublicKeyInfo, &key).unwrap(), info);
    assert_eq!(point_of(&key).unwrap(), &info[23..]);
    assert!(matches!(write_public(PublicForm::Pkcs1, &key), Err(Error::KeyTypeInconsistent)));
}

#[test]
fn octet_keys_go_there_and_back() {
    for (private_form, public_form) in OCTETS {
        let key = private(PrivateForm::Pkcs8, &bytes(private_form));
        assert!(write_private(PrivateForm::Pkcs8, &key).unwrap().equals(&bytes(private_form)));
        assert_eq!(key.bytes(CKA_PUBLIC_KEY_INFO), bytes(public_form));
        let public = read_public(PublicForm::SubjectPublicKeyInfo, &bytes(public_form)).unwrap();
        let public = object(CKO_PUBLIC_KEY, public);
        assert_eq!(write_public(PublicForm::SubjectPublicKeyInfo, &public).unwrap(), bytes(public_form));
        assert!(matches!(write_private(PrivateForm::Sec1, &key), Err(Error::KeyTypeInconsistent)));
    }
}

#[test]
fn rsa_keys_go_through_every_form() {
    let mut fresh = Object::default();
    fresh.set(CKA_CLASS, Value::Number(CKO_PRIVATE_KEY));
    fresh.set(CKA_KEY_TYPE, Value::Number(CKK_RSA));
    values::put_rsa_private(&mut fresh, &crypto::generate_rsa(1024, &[1, 0, 1]).unwrap()).unwrap();
    let pkcs1 = write_private(PrivateForm::Pkcs1, &fresh).unwrap();
    let key = private(PrivateForm::Pkcs1, pkcs1.expose());
    let pkcs8 = write_private(PrivateForm::Pkcs8, &key).unwrap();
    let again = private(PrivateForm::Pkcs8, pkcs8.expose());
    assert!(write_private(PrivateForm::Pkcs1, &again).unwrap().equals(pkcs1.expose()));

    let public = read_public(PublicForm::SubjectPublicKeyInfo, key.bytes(CKA_PUBLIC_KEY_INFO)).unwrap();
    let public = object(CKO_PUBLIC_KEY, public);
    let short = write_public(PublicForm::Pkcs1, &public).unwrap();
    let again = object(CKO_PUBLIC_KEY, read_public(PublicForm::Pkcs1, &short).unwrap());
    assert_eq!(again.bytes(CKA_MODULUS), key.bytes(CKA_MODULUS));
    assert_eq!(
        write_public(PublicForm::SubjectPublicKeyInfo, &again).unwrap(),
        key.bytes(CKA_PUBLIC_KEY_INFO)
    );
}

#[test]
fn what_is_not_the_form_is_refused() {
    let samples = [bytes(SEC1), bytes(SEC1_PUBLIC), bytes(OCTETS[0].0), Vec::new(), vec![0x30, 0x80]];
    for der in &samples {
        assert!(matches!(read_private(PrivateForm::Pkcs1, der), Err(Error::WrappedKeyInvalid)));
        assert!(matches!(read_public(PublicForm::Pkcs1, der), Err(Error::PublicKeyInvalid)));
    }
    for der in &samples[1..] {
        assert!(matches!(read_private(PrivateForm::Sec1, der), Err(Error::WrappedKeyInvalid)));
    }
    let long = [bytes(SEC1_PUBLIC), vec![0]].concat();
    assert!(matches!(read_public(PublicForm::SubjectPublicKeyInfo, &long), Err(Error::PublicKeyInvalid)));
    // Without its curve, a key of SEC 1 says too little.
    let bare = [&[0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20][..], &[7; 32]].concat();
    assert!(matches!(read_private(PrivateForm::Sec1, &bare), Err(Error::WrappedKeyInvalid)));
}

#[test]
fn curves_have_names() {
    for name in ["secp224r1", "secp256r1", "secp384r1", "secp521r1", "secp256k1"] {
        assert_eq!(curve_by_name(name).unwrap().1, CKK_EC, "{name}");
    }
    assert_eq!(curve_by_name("Ed25519").unwrap(), curve_by_name("edwards25519").unwrap());
    assert_eq!(curve_by_name("X25519").unwrap().1, CKK_EC_MONTGOMERY);
    assert!(matches!(curve_by_name("sect233k1"), Err(Error::DomainParamsInvalid)));
    assert!(matches!(curve_of(&Object::default()), Err(Error::DomainParamsInvalid)));
}
