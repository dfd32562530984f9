//! Encrypt, Decrypt, Sign, MAC and their verifications, Hash, random numbers and Derive Key.

use super::kit::*;
use crate::ttlv::enums::{Operation, ResultReason as Reason, ValidityIndicator as Validity};
use crate::ttlv::{Item, Tag, Value, Version};

const V: Version = Version::V2_1;
const NOW: i64 = 1_000_000_000;
/// Encrypt, Decrypt, MAC Generate, MAC Verify, Derive Key.
const ALL: i32 = 0x4 | 0x8 | 0x80 | 0x100 | 0x200;

fn active() -> Vec<Item> {
    vec![Item::date(Tag::ACTIVATION_DATE, NOW)]
}

fn parameters(fields: Vec<Item>) -> Item {
    Item::structure(Tag::CRYPTOGRAPHIC_PARAMETERS, fields)
}

fn mode(number: u32) -> Item {
    Item::enumeration(Tag::BLOCK_CIPHER_MODE, number)
}

fn cbc_padded() -> Item {
    parameters(vec![mode(1), Item::enumeration(Tag::PADDING_METHOD, 3_u32)])
}

fn data(bytes: &[u8]) -> Item {
    Item::bytes(Tag::DATA, bytes.to_vec())
}

fn iv(bytes: &[u8]) -> Item {
    Item::bytes(Tag::IV_COUNTER_NONCE, bytes.to_vec())
}

fn bytes(fields: &[Item], tag: Tag) -> Vec<u8> {
    field(fields, tag).as_bytes().unwrap().to_vec()
}

fn has(fields: &[Item], tag: Tag) -> bool {
    fields.iter().any(|item| item.tag == tag)
}

#[test]
fn an_iv_is_made_and_answered_where_it_is_asked_for_and_only_then() {
    let server = Server::new();
    let key = server.aes(ALL, active());
    let random = parameters(vec![
        mode(1),
        Item::enumeration(Tag::PADDING_METHOD, 3_u32),
        Item::boolean(Tag::RANDOM_IV, true),
    ]);
    let made = server.ask(V, Operation::Encrypt, vec![id(&key), random.clone(), data(b"text")]).unwrap();
    let tags: Vec<Tag> = made.iter().map(|item| item.tag).collect();
    assert_eq!(tags, [Tag::UNIQUE_IDENTIFIER, Tag::DATA, Tag::IV_COUNTER_NONCE]);
    let nonce = bytes(&made, Tag::IV_COUNTER_NONCE);
    assert_eq!(nonce.len(), 16);
    let payload = vec![id(&key), cbc_padded(), data(&bytes(&made, Tag::DATA)), iv(&nonce)];
    assert_eq!(bytes(&server.ask(V, Operation::Decrypt, payload).unwrap(), Tag::DATA), b"text");
    let payload = vec![id(&key), random, data(b"text"), iv(&[1; 16])];
    assert!(!has(&server.ask(V, Operation::Encrypt, payload).unwrap(), Tag::IV_COUNTER_NONCE));
    for operation in [Operation::Encrypt, Operation::Decrypt] {
        let missing = |version| server.ask(version, operation, vec![id(&key), cbc_padded(), data(&[0; 16])]);
        assert_eq!(missing(V), Err(Reason::InvalidMessage));
        assert_eq!(missing(Version::V1_4), Err(Reason::InvalidMessage));
    }
    let short = vec![id(&key), cbc_padded(), data(b"text"), iv(&[1; 15])];
    assert_eq!(server.ask(V, Operation::Encrypt, short), Err(Reason::BadCryptographicParameters));
}

#[test]
fn whatever_is_wrong_with_a_ciphertext_looks_alike() {
    let server = Server::new();
    let key = server.aes(ALL, active());
    for wrong in [&[0; 16][..], &[0; 15], &[]] {
        let payload = vec![id(&key), cbc_padded(), data(wrong), iv(&[0; 16])];
        assert_eq!(server.ask(V, Operation::Decrypt, payload), Err(Reason::CryptographicFailure));
    }
    let gcm = parameters(vec![mode(9), Item::integer(Tag::TAG_LENGTH, 16)]);
    let no_tag = vec![id(&key), gcm, data(&[0; 32]), iv(&[0; 12])];
    assert_eq!(server.ask(V, Operation::Decrypt, no_tag), Err(Reason::CryptographicFailure));
}

#[test]
fn the_tag_has_a_field_since_1_4_and_ends_the_data_before() {
    let server = Server::new();
    let key = server.aes(ALL, active());
    let gcm = || parameters(vec![mode(9), Item::integer(Tag::TAG_LENGTH, 16)]);
    let payload = || vec![id(&key), gcm(), data(b"text"), iv(&[3; 12])];
    let new = server.ask(V, Operation::Encrypt, payload()).unwrap();
    let old = server.ask(Version::V1_2, Operation::Encrypt, payload()).unwrap();
    let mut joined = bytes(&new, Tag::DATA);
    joined.extend(bytes(&new, Tag::AUTHENTICATED_ENCRYPTION_TAG));
    assert_eq!(bytes(&old, Tag::DATA), joined);
    assert!(!has(&old, Tag::AUTHENTICATED_ENCRYPTION_TAG));
    let back = vec![id(&key), gcm(), data(&joined), iv(&[3; 12])];
    let back = server.ask(Version::V1_2, Operation::Decrypt, back).unwrap();
    assert_eq!(bytes(&back, Tag::DATA), b"text");
}

#[test]
fn masks_states_and_parameters_are_seen_to() {
    let server = Server::new();
    let only_macs = server.aes(0x80, active());
    let ecb = || parameters(vec![mode(2)]);
    let payload = vec![id(&only_macs), ecb(), data(&[0; 16])];
    let refused = Err(Reason::IncompatibleCryptographicUsageMask);
    assert_eq!(server.ask(V, Operation::Encrypt, payload.clone()), refused);
    assert_eq!(server.ask(Version::V1_4, Operation::Encrypt, payload), Err(Reason::PermissionDenied));
    // Signing and making MACs share a flag of PKCS #11, not a bit of the mask.
    let only_signs = server.aes(0x1, active());
    assert_eq!(server.ask(V, Operation::MAC, vec![id(&only_signs), data(b"a")]), refused);
    assert!(server.ask(V, Operation::MAC, vec![id(&only_macs), data(b"a")]).is_ok());
    let waiting = server.aes(ALL, Vec::new());
    let payload = vec![id(&waiting), ecb(), data(&[0; 16])];
    assert_eq!(server.ask(V, Operation::Encrypt, payload), Err(Reason::WrongKeyLifecycleState));
    let key = server.aes(ALL, active());
    for (fields, reason) in [
        (vec![], Reason::BadCryptographicParameters),
        (vec![mode(3)], Reason::UnsupportedCryptographicParameters),
        (
            vec![mode(2), Item::enumeration(Tag::PADDING_METHOD, 4_u32)],
            Reason::UnsupportedCryptographicParameters,
        ),
        (
            vec![mode(2), Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, 2_u32)],
            Reason::BadCryptographicParameters,
        ),
    ] {
        let payload = vec![id(&key), parameters(fields), data(&[0; 16])];
        assert_eq!(server.ask(V, Operation::Encrypt, payload), Err(reason));
    }
    let payload = vec![id(&key), ecb()];
    assert_eq!(server.ask(V, Operation::Encrypt, payload), Err(Reason::MissingData));
    let others = server.ask_as(&client("b"), V, vec![], Operation::Encrypt, vec![id(&key), data(b"a")]);
    assert_eq!(others, Err(Reason::ObjectNotFound));
}

#[test]
fn a_wrong_mac_is_an_answer() {
    let server = Server::new();
    let key = server.aes(ALL, active());
    let hmac = || parameters(vec![Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, 9_u32)]);
    for given in [None, Some(hmac())] {
        let fields = |more: Vec<Item>| {
            let mut all = vec![id(&key)];
            all.extend(given.clone());
            all.push(data(b"message"));
            all.extend(more);
            all
        };
        let mac = bytes(&server.ask(V, Operation::MAC, fields(vec![])).unwrap(), Tag::MAC_DATA);
        assert_eq!(mac.len(), if given.is_some() { 32 } else { 16 });
        let ask = |mac: &[u8]| {
            let payload = fields(vec![Item::bytes(Tag::MAC_DATA, mac.to_vec())]);
            let answer = server.ask(V, Operation::MACVerify, payload).unwrap();
            field(&answer, Tag::VALIDITY_INDICATOR).as_value_of::<Validity>().unwrap()
        };
        assert_eq!(ask(&mac), Validity::Valid);
        assert_eq!(ask(&mac[1..]), Validity::Invalid);
        let mut other = mac;
        other[0] ^= 1;
        assert_eq!(ask(&other), Validity::Invalid);
        assert_eq!(server.ask(V, Operation::MACVerify, fields(vec![])), Err(Reason::MissingData));
    }
}

/// An RSA key pair of 2048 bits, private key first.
fn pair(server: &Server) -> (String, String) {
    pair_of(server, 4, 2048)
}

fn pair_of(server: &Server, algorithm: u32, length: i32) -> (String, String) {
    let common = Item::structure(
        Tag::COMMON_ATTRIBUTES,
        vec![
            Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, algorithm),
            Item::integer(Tag::CRYPTOGRAPHIC_LENGTH, length),
            Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, 0x3),
            Item::date(Tag::ACTIVATION_DATE, NOW),
        ],
    );
    let made = server.ask(V, Operation::CreateKeyPair, vec![common]).unwrap();
    let of = |tag| field(&made, tag).as_text().unwrap().to_owned();
    (of(Tag::PRIVATE_KEY_UNIQUE_IDENTIFIER), of(Tag::PUBLIC_KEY_UNIQUE_IDENTIFIER))
}

#[test]
fn signatures_are_verified_with_any_salt_unless_one_is_named() {
    let server = Server::new();
    let (private, public) = pair(&server);
    let pss = |salt: Option<i32>| {
        let mut fields = vec![
            Item::enumeration(Tag::PADDING_METHOD, 10_u32),
            Item::enumeration(Tag::HASHING_ALGORITHM, 6_u32),
        ];
        fields.extend(salt.map(|length| Item::integer(Tag::SALT_LENGTH, length)));
        parameters(fields)
    };
    let sign = |salt| {
        let made = server.ask(V, Operation::Sign, vec![id(&private), pss(salt), data(b"message")]).unwrap();
        bytes(&made, Tag::SIGNATURE_DATA)
    };
    let verify = |salt, signature: &[u8], message: &[u8]| {
        let signature = Item::bytes(Tag::SIGNATURE_DATA, signature.to_vec());
        let payload = vec![id(&public), pss(salt), data(message), signature];
        let answer = server.ask(V, Operation::SignatureVerify, payload).unwrap();
        field(&answer, Tag::VALIDITY_INDICATOR).as_value_of::<Validity>().unwrap()
    };
    for salt in [None, Some(32)] {
        let signature = sign(salt);
        assert_eq!(verify(None, &signature, b"message"), Validity::Valid);
        assert_eq!(verify(None, &signature, b"massage"), Validity::Invalid);
        assert_eq!(verify(Some(20), &signature, b"message"), Validity::Invalid);
        assert_eq!(verify(None, b"short", b"message"), Validity::Invalid);
    }
    let both = vec![id(&private), data(b"a"), Item::bytes(Tag::DIGESTED_DATA, vec![0; 32])];
    assert_eq!(server.ask(V, Operation::Sign, both), Err(Reason::InvalidField));
    let ecdsa = parameters(vec![Item::enumeration(Tag::DIGITAL_SIGNATURE_ALGORITHM, 0xe_u32)]);
    let payload = vec![id(&private), ecdsa, data(b"a")];
    assert_eq!(server.ask(V, Operation::Sign, payload), Err(Reason::BadCryptographicParameters));
}

#[test]
fn keys_on_edwards_curves_sign_data_and_no_digests() {
    let server = Server::new();
    for (algorithm, bits, length) in [(0x37, 255, 64), (0x38, 448, 114)] {
        let (private, public) = pair_of(&server, algorithm, bits);
        let made = server.ask(V, Operation::Sign, vec![id(&private), data(b"message")]).unwrap();
        let signature = bytes(&made, Tag::SIGNATURE_DATA);
        assert_eq!(signature.len(), length);
        for (message, expected) in [(&b"message"[..], Validity::Valid), (b"massage", Validity::Invalid)] {
            let signature = Item::bytes(Tag::SIGNATURE_DATA, signature.clone());
            let answer = server
                .ask(V, Operation::SignatureVerify, vec![id(&public), data(message), signature])
                .unwrap();
            assert_eq!(field(&answer, Tag::VALIDITY_INDICATOR).as_value_of(), Ok(expected));
        }
        let digest = Item::bytes(Tag::DIGESTED_DATA, vec![0; 32]);
        let answer = server.ask(V, Operation::Sign, vec![id(&private), digest]);
        assert_eq!(answer, Err(Reason::UnsupportedCryptographicParameters));
    }
}

#[test]
fn data_comes_in_parts_and_a_part_may_come_with_nothing() {
    let server = Server::new();
    let key = server.aes(ALL, active());
    let start = |operation| {
        let payload = vec![
            id(&key),
            parameters(vec![mode(9), Item::integer(Tag::TAG_LENGTH, 16)]),
            data(b"one "),
            iv(&[5; 12]),
            Item::boolean(Tag::INIT_INDICATOR, true),
        ];
        server.ask(V, operation, payload)
    };
    let first = start(Operation::Encrypt).unwrap();
    let value = field(&first, Tag::CORRELATION_VALUE).clone();
    let other = server.ask_as(&client("b"), V, vec![], Operation::Encrypt, vec![value.clone(), data(b"x")]);
    assert_eq!(other, Err(Reason::InvalidCorrelationValue));
    let last = vec![id(&key), data(b"two"), value.clone(), Item::boolean(Tag::FINAL_INDICATOR, true)];
    let last = server.ask(V, Operation::Encrypt, last).unwrap();
    let part = |fields: &[Item]| if has(fields, Tag::DATA) { bytes(fields, Tag::DATA) } else { Vec::new() };
    let whole = vec![
        id(&key),
        parameters(vec![mode(9), Item::integer(Tag::TAG_LENGTH, 16)]),
        data(b"one two"),
        iv(&[5; 12]),
    ];
    let whole = server.ask(V, Operation::Encrypt, whole).unwrap();
    assert_eq!([part(&first), part(&last)].concat(), bytes(&whole, Tag::DATA));
    assert_eq!(
        bytes(&last, Tag::AUTHENTICATED_ENCRYPTION_TAG),
        bytes(&whole, Tag::AUTHENTICATED_ENCRYPTION_TAG)
    );
    let again = server.ask(V, Operation::Encrypt, vec![value, data(b"x")]);
    assert_eq!(again, Err(Reason::InvalidCorrelationValue), "it is over");
    assert_eq!(start(Operation::Decrypt), Err(Reason::CryptographicFailure), "the tag comes first");
    let stray = vec![id(&key), Item::boolean(Tag::FINAL_INDICATOR, true)];
    assert_eq!(server.ask(V, Operation::Encrypt, stray), Err(Reason::MissingData));
    let early = vec![id(&key), data(b"a"), Item::boolean(Tag::INIT_INDICATOR, true)];
    assert_eq!(server.ask(Version::V1_2, Operation::Encrypt, early), Err(Reason::InvalidMessage));
}

#[test]
fn a_key_that_is_gone_ends_what_is_under_way() {
    let server = Server::new();
    let key = server.aes(ALL, active());
    let payload = vec![id(&key), data(b"one"), Item::boolean(Tag::INIT_INDICATOR, true)];
    let begun = server.ask(V, Operation::MAC, payload).unwrap();
    let reason =
        Item::structure(Tag::REVOCATION_REASON, vec![Item::enumeration(Tag::REVOCATION_REASON_CODE, 1_u32)]);
    server.ask(V, Operation::Revoke, vec![id(&key), reason]).unwrap();
    let payload =
        vec![field(&begun, Tag::CORRELATION_VALUE).clone(), Item::boolean(Tag::FINAL_INDICATOR, true)];
    assert_eq!(server.ask(V, Operation::MAC, payload), Err(Reason::WrongKeyLifecycleState));
}

#[test]
fn digests_and_random_numbers() {
    let server = Server::new();
    let sha256 = || parameters(vec![Item::enumeration(Tag::HASHING_ALGORITHM, 6_u32)]);
    let answer = server.ask(V, Operation::Hash, vec![sha256(), data(b"abc")]).unwrap();
    assert!(hex::encode(bytes(&answer, Tag::DATA)).starts_with("ba7816bf8f01cfea"));
    assert_eq!(server.ask(V, Operation::Hash, vec![sha256()]), Err(Reason::MissingData));
    assert_eq!(server.ask(V, Operation::Hash, vec![data(b"abc")]), Err(Reason::BadCryptographicParameters));
    let random =
        |length| server.ask(V, Operation::RNGRetrieve, vec![Item::integer(Tag::DATA_LENGTH, length)]);
    assert_ne!(bytes(&random(32).unwrap(), Tag::DATA), bytes(&random(32).unwrap(), Tag::DATA));
    for length in [0, -1, i32::MAX] {
        assert_eq!(random(length), Err(Reason::InvalidField));
    }
    let seeded = server.ask(V, Operation::RNGSeed, vec![data(b"seed")]).unwrap();
    assert_eq!(field(&seeded, Tag::DATA_LENGTH).value, Value::Integer(0));
}

fn derive(
    server: &Server,
    bases: &[&str],
    method: u32,
    given: Vec<Item>,
    bits: i32,
) -> Result<String, Reason> {
    let mut payload = vec![Item::enumeration(Tag::OBJECT_TYPE, 2_u32)];
    payload.extend(bases.iter().map(|base| id(base)));
    payload.push(Item::enumeration(Tag::DERIVATION_METHOD, method));
    payload.push(Item::structure(Tag::DERIVATION_PARAMETERS, given));
    let attributes = vec![
        Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, 3_u32),
        Item::integer(Tag::CRYPTOGRAPHIC_LENGTH, bits),
        Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, 0xc),
    ];
    payload.push(Item::structure(Tag::ATTRIBUTES, attributes));
    server.ask(V, Operation::DeriveKey, payload).map(|answer| id_of(&answer))
}

#[test]
fn derived_keys_and_their_bases_name_each_other() {
    let server = Server::new();
    // Pre-Active: derivation does not wait for activation.
    let base = server.aes(ALL, Vec::new());
    let sha256 = || parameters(vec![Item::enumeration(Tag::HASHING_ALGORITHM, 6_u32)]);
    let derived = derive(&server, &[&base], 2, vec![sha256()], 160).unwrap();
    let linked = |key: &str| {
        let links = server.attributes(key, Tag::LINK);
        let of = |tag| links[0].child(tag).unwrap().clone();
        (
            of(Tag::LINK_TYPE).as_enumeration().unwrap(),
            of(Tag::LINKED_OBJECT_IDENTIFIER).as_text().unwrap().to_owned(),
        )
    };
    assert_eq!(linked(&derived), (0x104, base.clone()));
    assert_eq!(linked(&base), (0x105, derived));
    let message = || Item::bytes(Tag::DERIVATION_DATA, b"message".to_vec());
    let salt = || Item::bytes(Tag::SALT, Vec::new());
    // HMAC gives one digest at most; with a salt it is extract and expand.
    assert!(derive(&server, &[&base], 3, vec![sha256(), message()], 256).is_ok());
    assert!(derive(&server, &[&base], 3, vec![sha256(), message()], 336).is_err());
    assert!(derive(&server, &[&base], 3, vec![sha256(), message(), salt()], 336).is_ok());
    assert!(derive(&server, &[&base], 5, vec![sha256(), message()], 512).is_ok());
}

#[test]
fn what_cannot_be_derived_is_refused() {
    let server = Server::new();
    let base = server.aes(ALL, active());
    let unfit = server.aes(0xc, active());
    let sha256 = || parameters(vec![Item::enumeration(Tag::HASHING_ALGORITHM, 6_u32)]);
    let message = || Item::bytes(Tag::DERIVATION_DATA, b"message".to_vec());
    let refused =
        |bases: &[&str], method, given, bits| derive(&server, bases, method, given, bits).unwrap_err();
    let mask = Reason::IncompatibleCryptographicUsageMask;
    assert_eq!(refused(&[&unfit], 2, vec![sha256()], 128), mask);
    assert_eq!(refused(&[&base, &unfit], 3, vec![sha256()], 128), mask);
    assert_eq!(refused(&[], 2, vec![sha256()], 128), Reason::MissingData);
    assert_eq!(refused(&[&base], 2, vec![], 128), Reason::BadCryptographicParameters);
    assert_eq!(refused(&[&base], 3, vec![sha256()], 128), Reason::MissingData);
    assert_eq!(refused(&[&base], 1, vec![sha256()], 128), Reason::MissingData);
    assert_eq!(refused(&[&base], 2, vec![sha256()], 129), Reason::InvalidField);
    assert_eq!(refused(&[&base], 2, vec![sha256()], 1 << 20), Reason::InvalidField);
    assert_eq!(refused(&[&base, &base], 3, vec![sha256(), message()], 128), Reason::InvalidField);
    assert_eq!(refused(&[&base], 9, vec![message()], 256), Reason::BadCryptographicParameters);
    assert_eq!(refused(&[&base], 8, vec![], 256), Reason::MissingData);
    assert_eq!(refused(&["00"], 2, vec![sha256()], 128), Reason::ObjectNotFound);
}
