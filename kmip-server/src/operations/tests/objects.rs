//! What objects may be, what 1.x clients say of them, and objects that PKCS #11 made.

use cryptoki_sys::*;
use hsm_core::mechanism::Mechanism;
use hsm_core::object::{Template, Value, lifecycle};

use super::kit::*;
use crate::ttlv::enums::{KeyFormatType as Format, Operation, ResultReason as Reason};
use crate::ttlv::{Item, Tag, Version};

const AES: u32 = 3;
const RSA: u32 = 4;
const DSA: u32 = 5;
const ECDSA: u32 = 6;
const EC: u32 = 0x1a;

/// Registers a symmetric key of `bytes` that says this of itself in its key block, with attributes.
fn register(
    server: &Server,
    bytes: usize,
    algorithm: u32,
    length: i32,
    attributes: Vec<Item>,
) -> Result<Vec<Item>, Reason> {
    let material = Item::structure(Tag::KEY_VALUE, vec![Item::bytes(Tag::KEY_MATERIAL, vec![7; bytes])]);
    let block = vec![
        Item::enumeration(Tag::KEY_FORMAT_TYPE, 1_u32),
        material,
        Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, algorithm),
        Item::integer(Tag::CRYPTOGRAPHIC_LENGTH, length),
    ];
    let payload = vec![
        Item::enumeration(Tag::OBJECT_TYPE, 2_u32),
        Item::structure(Tag::ATTRIBUTES, attributes),
        Item::structure(Tag::SYMMETRIC_KEY, vec![Item::structure(Tag::KEY_BLOCK, block)]),
    ];
    server.ask(Version::V2_1, Operation::Register, payload)
}

#[test]
fn a_key_is_what_it_says_that_it_is() {
    const DES3: u32 = 2;
    const HMAC: u32 = 9;
    let server = Server::new();
    for (bytes, algorithm, length) in
        [(16, AES, 128), (32, AES, 256), (64, AES, 512), (24, DES3, 168), (24, DES3, 192), (17, HMAC, 136)]
    {
        register(&server, bytes, algorithm, length, vec![]).unwrap();
    }
    for (bytes, algorithm, length) in [(17, AES, 136), (16, AES, 256), (24, DES3, 190), (17, HMAC, 128)] {
        let refused = register(&server, bytes, algorithm, length, vec![]).unwrap_err();
        assert_eq!(refused, Reason::InvalidField, "{bytes} {algorithm} {length}");
    }
    let other = vec![Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, DES3)];
    assert_eq!(register(&server, 16, AES, 128, other).unwrap_err(), Reason::InvalidField);
    let family = vec![Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, EC)];
    register(&server, 16, ECDSA, 128, family).unwrap();
    let apart = vec![Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, RSA)];
    assert_eq!(register(&server, 16, ECDSA, 128, apart).unwrap_err(), Reason::InvalidField);
}

#[test]
fn a_certificate_is_one_and_no_des_keys_are_made() {
    let server = Server::new();
    let certificate = |kind: u32| {
        let value = vec![
            Item::enumeration(Tag::CERTIFICATE_TYPE, kind),
            Item::bytes(Tag::CERTIFICATE_VALUE, vec![0x30, 3, 2, 1, 0]),
        ];
        let payload = vec![
            Item::enumeration(Tag::OBJECT_TYPE, 1_u32),
            Item::structure(Tag::ATTRIBUTES, vec![]),
            Item::structure(Tag::CERTIFICATE, value),
        ];
        server.ask(Version::V2_1, Operation::Register, payload)
    };
    assert_eq!(certificate(1).unwrap_err(), Reason::InvalidField);
    // PGP certificates are not read.
    certificate(2).unwrap();
    let attributes = vec![
        Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, 1_u32),
        Item::integer(Tag::CRYPTOGRAPHIC_LENGTH, 64),
        Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, 4),
    ];
    let payload =
        vec![Item::enumeration(Tag::OBJECT_TYPE, 2_u32), Item::structure(Tag::ATTRIBUTES, attributes)];
    assert_eq!(server.ask(Version::V2_1, Operation::Create, payload).unwrap_err(), Reason::InvalidField);
}

#[test]
fn the_operation_policy_may_be_said_again_and_not_changed() {
    let server = Server::new();
    let key = server.aes(4, vec![]);
    let say = |operation, policy: &str| {
        let policy = attribute_1x("Operation Policy Name", Item::text(Tag::ATTRIBUTE_VALUE, policy));
        server.ask(Version::V1_4, operation, vec![id(&key), policy])
    };
    for operation in [Operation::AddAttribute, Operation::ModifyAttribute] {
        say(operation, "default").unwrap();
        assert_eq!(say(operation, "mine").unwrap_err(), Reason::PermissionDenied);
    }
    let name = Item::text(Tag::ATTRIBUTE_NAME, "Operation Policy Name");
    let refused = server.ask(Version::V1_4, Operation::DeleteAttribute, vec![id(&key), name]);
    assert_eq!(refused.unwrap_err(), Reason::PermissionDenied);
}

/// What VAST Data and vCenter do after they made a key.
#[test]
fn attributes_that_products_add_after_a_create_are_taken() {
    let server = Server::new();
    let key = server.aes(0xc, vec![]);
    let value = |text: &str| Item::text(Tag::ATTRIBUTE_VALUE, text);
    let named = Item::structure(
        Tag::ATTRIBUTE_VALUE,
        vec![Item::text(Tag::NAME_VALUE, "disk"), Item::enumeration(Tag::NAME_TYPE, 1_u32)],
    );
    for (name, value) in [
        ("Name", named),
        ("Object Group", value("cluster")),
        ("Operation Policy Name", value("default")),
        ("x-Product_Version", value("7.0.3")),
    ] {
        let payload = vec![id(&key), attribute_1x(name, value)];
        server.ask(Version::V1_1, Operation::AddAttribute, payload).unwrap();
    }
    for operation in [Operation::Activate, Operation::GetAttributes, Operation::Get, Operation::ReKey] {
        server.ask(Version::V1_1, operation, vec![id(&key)]).unwrap();
    }
}

#[test]
fn what_pkcs11_made_has_dates_and_a_digest() {
    let server = Server::new();
    let session = server.session();
    let before = lifecycle::now();
    let template: Template = vec![
        (CKA_TOKEN, Value::Bool(true)),
        (CKA_SENSITIVE, Value::Bool(true)),
        (CKA_VALUE_LEN, Value::Number(16)),
    ];
    let handle = session.generate_key(&Mechanism::plain(CKM_AES_KEY_GEN), template).unwrap();
    let unique = session.view(handle).unwrap().attribute(CKA_UNIQUE_ID).unwrap().as_bytes().unwrap().to_vec();
    let key = String::from_utf8(unique).unwrap();
    let date = |tag| server.attributes(&key, tag)[0].as_date().unwrap();
    let made = date(Tag::INITIAL_DATE);
    assert!((before..=lifecycle::now()).contains(&made));
    for tag in [Tag::ACTIVATION_DATE, Tag::LAST_CHANGE_DATE, Tag::ORIGINAL_CREATION_DATE] {
        assert_eq!(date(tag), made);
    }
    let digest = server.attributes(&key, Tag::DIGEST);
    assert_eq!(digest[0].child(Tag::DIGEST_VALUE).unwrap().as_bytes().unwrap().len(), 32);
    // PKCS #11's own dates are as they were given.
    assert!(matches!(session.view(handle).unwrap().attribute(CKA_START_DATE), Ok(Value::Date(None))));
    session.set_attributes(handle, vec![(CKA_LABEL, Value::Bytes(b"new".to_vec()))]).unwrap();
    assert!(date(Tag::LAST_CHANGE_DATE) >= made);
    assert_eq!(date(Tag::INITIAL_DATE), made);
    // What was brought may be older than its coming.
    let template: Template = vec![
        (CKA_CLASS, Value::Number(CKO_DATA)),
        (CKA_TOKEN, Value::Bool(true)),
        (CKA_VALUE, Value::Bytes(b"value".to_vec())),
    ];
    let handle = session.create_object(template).unwrap();
    let unique = session.view(handle).unwrap().attribute(CKA_UNIQUE_ID).unwrap().as_bytes().unwrap().to_vec();
    let brought = String::from_utf8(unique).unwrap();
    assert!(server.attributes(&brought, Tag::ORIGINAL_CREATION_DATE).is_empty());
    assert!(!server.attributes(&brought, Tag::INITIAL_DATE).is_empty());
}

/// Both templates' attributes.
fn joined(templates: [Template; 2]) -> Template {
    templates.into_iter().flatten().collect()
}

#[test]
fn dsa_keys_that_pkcs11_made_are_given_and_do_not_sign() {
    let server = Server::new();
    let session = server.session();
    let token = || vec![(CKA_TOKEN, Value::Bool(true))];
    let unique = |handle| {
        let view = session.view(handle).unwrap();
        String::from_utf8(view.attribute(CKA_UNIQUE_ID).unwrap().as_bytes().unwrap().to_vec()).unwrap()
    };
    let bits = (CKA_PRIME_BITS, Value::Number(512));
    let generate = Mechanism::plain(CKM_DSA_PARAMETER_GEN);
    let group = session.generate_key(&generate, joined([token(), vec![bits]])).unwrap();
    let numbers: Template = [CKA_PRIME, CKA_SUBPRIME, CKA_BASE]
        .map(|kind| (kind, session.view(group).unwrap().attribute(kind).unwrap().duplicate()))
        .into();
    let open = vec![(CKA_SENSITIVE, Value::Bool(false)), (CKA_EXTRACTABLE, Value::Bool(true))];
    let (public, private) = session
        .generate_key_pair(
            &Mechanism::plain(CKM_DSA_KEY_PAIR_GEN),
            joined([token(), numbers]),
            joined([token(), open]),
        )
        .unwrap();
    for (handle, format) in [(private, Format::PKCS_8), (public, Format::X_509)] {
        let key = unique(handle);
        let algorithm = server.attributes(&key, Tag::CRYPTOGRAPHIC_ALGORITHM);
        assert_eq!(algorithm[0].as_enumeration().unwrap(), DSA);
        let answer = server.ask(Version::V2_1, Operation::Get, vec![id(&key)]).unwrap();
        let block = answer[2].child(Tag::KEY_BLOCK).unwrap();
        assert_eq!(block.child(Tag::KEY_FORMAT_TYPE).unwrap().as_enumeration().unwrap(), format.number());
    }
    let sign = vec![id(&unique(private)), Item::bytes(Tag::DATA, b"data".to_vec())];
    let refused = server.ask(Version::V2_1, Operation::Sign, sign).unwrap_err();
    assert_eq!(refused, Reason::UnsupportedCryptographicParameters);
    let refused = server.ask(Version::V2_1, Operation::Get, vec![id(&unique(group))]).unwrap_err();
    assert_eq!(refused, Reason::InvalidObjectType);
}

#[test]
fn what_became_sensitive_stays_so_and_the_refusal_names_the_attribute() {
    let server = Server::new();
    let key = server.aes(4, vec![Item::boolean(Tag::SENSITIVE, true)]);
    let new = Item::structure(Tag::NEW_ATTRIBUTE, vec![Item::boolean(Tag::SENSITIVE, false)]);
    let items = server.batch(
        &client("a"),
        Version::V2_1,
        vec![],
        vec![(Operation::SetAttribute, vec![id(&key), new])],
    );
    assert_eq!(outcome(&items[0]).unwrap_err(), Reason::AttributeReadOnly);
    let text = items[0].child(Tag::RESULT_MESSAGE).unwrap().as_text().unwrap();
    assert!(text.starts_with("Sensitive "), "{text}");
}
