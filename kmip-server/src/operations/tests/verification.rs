//! CBC-MAC, and signatures that hold what was signed.

use super::certify::{EC, RSA, SIGN, VERIFY, pair};
use super::kit::*;
use crate::ttlv::enums::{
    BlockCipherMode as Mode, HashingAlgorithm, Operation, PaddingMethod as Padding, ResultReason as Reason,
    ValidityIndicator as Validity,
};
use crate::ttlv::{Item, Tag, Version};

const V: Version = Version::V2_1;
/// Encrypt, MAC Generate, MAC Verify.
const MASK: i32 = 0x4 | 0x80 | 0x100;

fn parameters(fields: Vec<Item>) -> Item {
    Item::structure(Tag::CRYPTOGRAPHIC_PARAMETERS, fields)
}

fn mode(mode: Mode) -> Item {
    Item::enumeration(Tag::BLOCK_CIPHER_MODE, mode)
}

fn padding(padding: Padding) -> Item {
    Item::enumeration(Tag::PADDING_METHOD, padding)
}

fn bytes(answer: &[Item], tag: Tag) -> Vec<u8> {
    field(answer, tag).as_bytes().unwrap().to_vec()
}

fn validity(answer: &[Item]) -> Validity {
    field(answer, Tag::VALIDITY_INDICATOR).as_value_of().unwrap()
}

/// Two ciphers' keys, with the lengths of their blocks.
fn keys(server: &Server) -> [(String, usize); 2] {
    let attributes = vec![
        Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, 2_u32),
        Item::integer(Tag::CRYPTOGRAPHIC_LENGTH, 168),
        Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, MASK),
        Item::date(Tag::ACTIVATION_DATE, 1000),
    ];
    let payload =
        vec![Item::enumeration(Tag::OBJECT_TYPE, 2_u32), Item::structure(Tag::ATTRIBUTES, attributes)];
    let des3 = id_of(&server.ask(V, Operation::Create, payload).unwrap());
    [(server.aes(MASK, vec![Item::date(Tag::ACTIVATION_DATE, 1000)]), 16), (des3, 8)]
}

fn cbc_mac(server: &Server, key: &str, more: Vec<Item>, data: &[u8]) -> Result<Vec<u8>, Reason> {
    let fields = [vec![mode(Mode::CBC_MAC)], more].concat();
    let payload = vec![id(key), parameters(fields), Item::bytes(Tag::DATA, data.to_vec())];
    server.ask(V, Operation::MAC, payload).map(|answer| bytes(&answer, Tag::MAC_DATA))
}

#[test]
fn a_cbc_mac_is_the_last_block_of_cbc() {
    let server = Server::new();
    for (key, block) in keys(&server) {
        for length in [1, 8, 16, 100] {
            let message = vec![0x61; length];
            let encrypted = server.ask(
                V,
                Operation::Encrypt,
                vec![
                    id(&key),
                    parameters(vec![mode(Mode::CBC), padding(Padding::Zeros)]),
                    Item::bytes(Tag::DATA, message.clone()),
                    Item::bytes(Tag::IV_COUNTER_NONCE, vec![0; block]),
                ],
            );
            let encrypted = bytes(&encrypted.unwrap(), Tag::DATA);
            let mac = cbc_mac(&server, &key, vec![], &message).unwrap();
            assert_eq!(mac, encrypted[encrypted.len() - block..]);
            for same in [Padding::None, Padding::Zeros] {
                assert_eq!(cbc_mac(&server, &key, vec![padding(same)], &message).unwrap(), mac);
            }
            let short = cbc_mac(&server, &key, vec![Item::integer(Tag::TAG_LENGTH, 4)], &message).unwrap();
            assert_eq!(short, mac[..4]);
        }
    }
}

#[test]
fn a_cbc_mac_is_made_and_verified_in_parts_too() {
    let server = Server::new();
    for (key, _) in keys(&server) {
        let mac = cbc_mac(&server, &key, vec![], b"one two").unwrap();
        let start = |operation| {
            let payload = vec![
                id(&key),
                parameters(vec![mode(Mode::CBC_MAC)]),
                Item::bytes(Tag::DATA, b"one ".to_vec()),
                Item::boolean(Tag::INIT_INDICATOR, true),
            ];
            field(&server.ask(V, operation, payload).unwrap(), Tag::CORRELATION_VALUE).clone()
        };
        let last = |operation, value, more: Vec<Item>| {
            let data = Item::bytes(Tag::DATA, b"two".to_vec());
            let end = vec![id(&key), data, value, Item::boolean(Tag::FINAL_INDICATOR, true)];
            server.ask(V, operation, [end, more].concat()).unwrap()
        };
        let made = last(Operation::MAC, start(Operation::MAC), vec![]);
        assert_eq!(bytes(&made, Tag::MAC_DATA), mac);
        let mut wrong = mac.clone();
        wrong[0] ^= 1;
        for (mac, expected) in
            [(&mac[..], Validity::Valid), (&wrong, Validity::Invalid), (&mac[1..], Validity::Invalid)]
        {
            let given = Item::bytes(Tag::MAC_DATA, mac.to_vec());
            let whole = vec![
                id(&key),
                parameters(vec![mode(Mode::CBC_MAC)]),
                Item::bytes(Tag::DATA, b"one two".to_vec()),
                given.clone(),
            ];
            assert_eq!(validity(&server.ask(V, Operation::MACVerify, whole).unwrap()), expected);
            let parts = last(Operation::MACVerify, start(Operation::MACVerify), vec![given]);
            assert_eq!(validity(&parts), expected);
        }
    }
}

#[test]
fn what_is_no_cbc_mac_is_refused() {
    let server = Server::new();
    for (key, block) in keys(&server) {
        let unsupported = Err(Reason::UnsupportedCryptographicParameters);
        for other in [Padding::PKCS5, Padding::ANSIX9_23, Padding::ISO10126, Padding::OAEP] {
            assert_eq!(cbc_mac(&server, &key, vec![padding(other)], b"a"), unsupported, "{other:?}");
        }
        for length in [0, block + 1] {
            let length = Item::integer(Tag::TAG_LENGTH, i32::try_from(length).unwrap());
            assert!(cbc_mac(&server, &key, vec![length], b"a").is_err());
        }
        let payload = vec![id(&key), parameters(vec![mode(Mode::CBC)]), Item::bytes(Tag::DATA, vec![0; 16])];
        assert_eq!(server.ask(V, Operation::MAC, payload), unsupported.map(|_: Vec<u8>| vec![]));
    }
    let (_, private) = pair(&server, EC, 256, (SIGN | 0x80, VERIFY));
    assert_eq!(cbc_mac(&server, &private, vec![], b"a"), Err(Reason::BadCryptographicParameters));
}

/// What a client that has a signature alone asks.
fn recover(server: &Server, key: &str, fields: Vec<Item>, signature: &[u8]) -> Result<Vec<Item>, Reason> {
    let signature = Item::bytes(Tag::SIGNATURE_DATA, signature.to_vec());
    server.ask(V, Operation::SignatureVerify, vec![id(key), parameters(fields), signature])
}

fn v15() -> Vec<Item> {
    vec![padding(Padding::PKCS1V1_5)]
}

fn sign(server: &Server, key: &str, digest: &[u8]) -> Vec<u8> {
    let payload = vec![id(key), parameters(v15()), Item::bytes(Tag::DIGESTED_DATA, digest.to_vec())];
    bytes(&server.ask(V, Operation::Sign, payload).unwrap(), Tag::SIGNATURE_DATA)
}

#[test]
fn a_signature_that_comes_without_its_data_gives_it_back() {
    let server = Server::new();
    let (public, private) = pair(&server, RSA, 2048, (SIGN, VERIFY));
    for message in [&b"what was signed"[..], &[0; 245]] {
        let signature = sign(&server, &private, message);
        let answer = recover(&server, &public, v15(), &signature).unwrap();
        let tags: Vec<Tag> = answer.iter().map(|item| item.tag).collect();
        assert_eq!(tags, [Tag::UNIQUE_IDENTIFIER, Tag::VALIDITY_INDICATOR, Tag::DATA]);
        assert_eq!((validity(&answer), bytes(&answer, Tag::DATA)), (Validity::Valid, message.to_vec()));
        let mut damaged = signature.clone();
        damaged[100] ^= 1;
        for wrong in [&damaged[..], &signature[1..], &[0xff; 256], &[0; 256], &[]] {
            let answer = recover(&server, &public, v15(), wrong).unwrap();
            assert_eq!(validity(&answer), Validity::Invalid);
            assert_eq!(answer.len(), 2, "nothing is recovered");
        }
        // With its data, it is compared and not given back.
        let payload = vec![
            id(&public),
            parameters(v15()),
            Item::bytes(Tag::DIGESTED_DATA, message.to_vec()),
            Item::bytes(Tag::SIGNATURE_DATA, signature),
        ];
        let answer = server.ask(V, Operation::SignatureVerify, payload).unwrap();
        assert_eq!((validity(&answer), answer.len()), (Validity::Valid, 2));
    }
}

#[test]
fn signatures_that_hold_no_data_need_it() {
    let server = Server::new();
    let (public, private) = pair(&server, RSA, 2048, (SIGN, VERIFY));
    let signature = sign(&server, &private, b"what was signed");
    let with_hash = Item::enumeration(Tag::HASHING_ALGORITHM, HashingAlgorithm::SHA_256);
    let by_name = Item::enumeration(Tag::DIGITAL_SIGNATURE_ALGORITHM, 5_u32);
    for fields in [
        vec![],
        [v15(), vec![with_hash]].concat(),
        [v15(), vec![by_name]].concat(),
        vec![padding(Padding::PSS)],
    ] {
        assert_eq!(recover(&server, &public, fields, &signature), Err(Reason::MissingData));
    }
    let (ec, _) = pair(&server, EC, 256, (SIGN, VERIFY));
    assert_eq!(recover(&server, &ec, v15(), &signature), Err(Reason::MissingData));
    let alone = vec![id(&public), parameters(v15())];
    assert_eq!(server.ask(V, Operation::SignatureVerify, alone), Err(Reason::MissingData));
    let (only_encrypts, _) = pair(&server, RSA, 2048, (SIGN, 0x4));
    let refused = recover(&server, &only_encrypts, v15(), &signature);
    assert_eq!(refused, Err(Reason::IncompatibleCryptographicUsageMask));
}
