//! Keys that a client encrypted to the import token's public key: fetching that key, registering under it, and what
//! is refused.

use hsm_core::import_token::{Algorithm, Limits, Retrieved, encrypt_key, encrypt_private_key};
use hsm_core::object::lifecycle;

use super::kit::*;
use crate::ttlv::enums::{
    BlockCipherMode as Mode, EncodingOption, HashingAlgorithm as Hashing, KeyFormatType as Format, Operation,
    PaddingMethod as Padding, ResultReason as Reason,
};
use crate::ttlv::{Item, Tag, Version, encode};

const MATERIAL: [u8; 32] = [0x5a; 32];
const ENCRYPT_DECRYPT: i32 = 0xc;

/// The P-256 key of RFC 6979, A.2.5, in PKCS #8.
const PKCS8: &str = "\
    308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420c9afa9d845ba75166b5c215767b1d693\
    4e50c3db36e89b127b8a622b120f6721a1440342000460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f2\
    9fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";

/// A server whose partition has an import token.
fn with_token() -> (Server, Retrieved) {
    let server = Server::new();
    let session = server.session();
    session.create_import_token(Limits::default(), lifecycle::now()).unwrap();
    let token = session.retrieve_import_token(lifecycle::now()).unwrap();
    (server, token)
}

fn oaep(hash: Hashing) -> Vec<Item> {
    vec![
        Item::enumeration(Tag::PADDING_METHOD, Padding::OAEP),
        Item::enumeration(Tag::HASHING_ALGORITHM, hash),
        Item::enumeration(Tag::MASK_GENERATOR, 1_u32),
        Item::enumeration(Tag::MASK_GENERATOR_HASHING_ALGORITHM, hash),
    ]
}

fn rsa_aes() -> Vec<Item> {
    let mut parameters = oaep(Hashing::SHA_256);
    parameters.push(Item::enumeration(Tag::BLOCK_CIPHER_MODE, Mode::AESKeyWrapPadding));
    parameters
}

/// What a client registers, and how.
struct Sent {
    kind: (u32, Tag),
    format: Format,
    /// Algorithm and length of the key block.
    said: Option<(u32, i32)>,
    value: Item,
    token: String,
    parameters: Vec<Item>,
    more: Vec<Item>,
    attributes: Vec<Item>,
}

impl Sent {
    /// An AES key, its material alone encrypted by OAEP with SHA-256.
    fn aes(token: &Retrieved, algorithm: Algorithm, hash: Hashing) -> Sent {
        let wrapped = encrypt_key(&token.public_key, &MATERIAL, algorithm).unwrap();
        Sent {
            kind: (2, Tag::SYMMETRIC_KEY),
            format: Format::Raw,
            said: Some((3, 256)),
            value: Item::bytes(Tag::KEY_VALUE, wrapped),
            token: token.unique_id.clone(),
            parameters: oaep(hash),
            more: vec![Item::enumeration(Tag::ENCODING_OPTION, EncodingOption::NoEncoding)],
            attributes: vec![Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, ENCRYPT_DECRYPT)],
        }
    }

    fn sha256(token: &Retrieved) -> Sent {
        Sent::aes(token, Algorithm::OaepSha256, Hashing::SHA_256)
    }

    /// A private key on P-256.
    fn private(token: &Retrieved) -> Sent {
        let pkcs8 = hex::decode(PKCS8).unwrap();
        let sent = encrypt_private_key(&token.public_key, &token.nonce, &pkcs8).unwrap();
        Sent {
            kind: (4, Tag::PRIVATE_KEY),
            format: Format::PKCS_8,
            said: Some((6, 256)),
            value: Item::bytes(Tag::KEY_VALUE, sent.payload),
            parameters: rsa_aes(),
            attributes: vec![Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, 1)],
            ..Sent::sha256(token)
        }
    }

    fn register(&self, server: &Server, version: Version) -> Result<String, Reason> {
        let information = Item::structure(
            Tag::ENCRYPTION_KEY_INFORMATION,
            vec![id(&self.token), Item::structure(Tag::CRYPTOGRAPHIC_PARAMETERS, self.parameters.clone())],
        );
        let mut data = vec![Item::enumeration(Tag::WRAPPING_METHOD, 1_u32), information];
        data.extend(self.more.clone());
        let mut block = vec![Item::enumeration(Tag::KEY_FORMAT_TYPE, self.format), self.value.clone()];
        if let Some((algorithm, length)) = self.said {
            block.push(Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, algorithm));
            block.push(Item::integer(Tag::CRYPTOGRAPHIC_LENGTH, length));
        }
        block.push(Item::structure(Tag::KEY_WRAPPING_DATA, data));
        let mut object = vec![Item::structure(Tag::KEY_BLOCK, block)];
        if self.kind.1 == Tag::SECRET_DATA {
            object.insert(0, Item::enumeration(Tag::SECRET_DATA_TYPE, 1_u32));
        }
        let attributes = if version >= Version::V2_0 {
            Item::structure(Tag::ATTRIBUTES, self.attributes.clone())
        } else {
            let mask = Item::integer(Tag::ATTRIBUTE_VALUE, ENCRYPT_DECRYPT);
            let mask = attribute_1x("Cryptographic Usage Mask", mask);
            Item::structure(Tag::TEMPLATE_ATTRIBUTE, vec![mask])
        };
        let payload = vec![
            Item::enumeration(Tag::OBJECT_TYPE, self.kind.0),
            attributes,
            Item::structure(self.kind.1, object),
        ];
        server.ask(version, Operation::Register, payload).map(|answer| id_of(&answer))
    }
}

fn boolean(server: &Server, key: &str, tag: Tag) -> bool {
    server.attributes(key, tag)[0].as_boolean().unwrap()
}

fn get(server: &Server, key: &str) -> Result<Vec<Item>, Reason> {
    server.ask(Version::V2_1, Operation::Get, vec![id(key)])
}

fn count(server: &Server) -> usize {
    let answer = server.ask(Version::V2_1, Operation::Locate, vec![Item::structure(Tag::ATTRIBUTES, vec![])]);
    answer.unwrap().iter().filter(|item| item.tag == Tag::UNIQUE_IDENTIFIER).count()
}

#[test]
fn the_public_key_is_had_by_its_identifier() {
    let (server, token) = with_token();
    let (_, info) = der::Document::from_pem(&token.public_key).unwrap();
    let payload = vec![id(&token.unique_id), Item::enumeration(Tag::KEY_FORMAT_TYPE, Format::X_509)];
    let answer = server.ask(Version::V2_1, Operation::Get, payload).unwrap();
    let block = field(field(&answer, Tag::PUBLIC_KEY).items(), Tag::KEY_BLOCK);
    let material = block.child(Tag::KEY_VALUE).unwrap().child(Tag::KEY_MATERIAL).unwrap();
    assert_eq!(material.as_bytes().unwrap(), info.as_bytes());
    let block = get(&server, &token.unique_id).unwrap();
    let block = field(field(&block, Tag::PUBLIC_KEY).items(), Tag::KEY_BLOCK);
    assert_eq!(block.child(Tag::KEY_FORMAT_TYPE).unwrap().as_value_of(), Ok(Format::PKCS_1));
    // No search meets it, and its private half is nowhere.
    assert_eq!(count(&server), 0);
    let private = format!("{}-private", token.unique_id);
    assert_eq!(get(&server, &private), Err(Reason::ObjectNotFound));
}

#[test]
fn nobody_changes_or_destroys_it() {
    let (server, token) = with_token();
    for operation in [Operation::Activate, Operation::Destroy, Operation::Archive] {
        let done = server.ask(Version::V2_1, operation, vec![id(&token.unique_id)]);
        assert_eq!(done, Err(Reason::ObjectNotFound), "{operation:?}");
    }
    assert!(get(&server, &token.unique_id).is_ok());
}

#[test]
fn an_aes_key_comes_in_sensitive_and_never_leaves() {
    let (server, token) = with_token();
    for sent in [Sent::sha256(&token), Sent::aes(&token, Algorithm::OaepSha1, Hashing::SHA_1)] {
        let key = sent.register(&server, Version::V2_1).unwrap();
        assert!(boolean(&server, &key, Tag::SENSITIVE) && !boolean(&server, &key, Tag::EXTRACTABLE));
        assert!(
            !boolean(&server, &key, Tag::ALWAYS_SENSITIVE) && !boolean(&server, &key, Tag::NEVER_EXTRACTABLE)
        );
        assert_eq!(get(&server, &key), Err(Reason::NotExtractable));
        // It is the key that was sent.
        server.ask(Version::V2_1, Operation::Activate, vec![id(&key)]).unwrap();
        let mode = vec![Item::enumeration(Tag::BLOCK_CIPHER_MODE, Mode::ECB)];
        let payload = vec![
            id(&key),
            Item::structure(Tag::CRYPTOGRAPHIC_PARAMETERS, mode),
            Item::bytes(Tag::DATA, vec![0; 16]),
        ];
        let answer = server.ask(Version::V2_1, Operation::Encrypt, payload).unwrap();
        let block = hex::encode(field(&answer, Tag::DATA).as_bytes().unwrap());
        assert_eq!(block, ZERO_BLOCK);
    }
}

/// AES-256 of a zero block under the key of bytes 5a, by OpenSSL.
const ZERO_BLOCK: &str = "31e426f53aa8b7c0dce09ae1237cd969";

#[test]
fn a_key_value_in_ttlv_and_one_in_a_structure_come_in_too() {
    let (server, token) = with_token();
    let value =
        encode(&Item::structure(Tag::KEY_VALUE, vec![Item::bytes(Tag::KEY_MATERIAL, MATERIAL.to_vec())]));
    let payload = vec![
        id(&token.unique_id),
        Item::structure(Tag::CRYPTOGRAPHIC_PARAMETERS, oaep(Hashing::SHA_256)),
        Item::bytes(Tag::DATA, value),
    ];
    let answer = server.ask(Version::V2_1, Operation::Encrypt, payload).unwrap();
    let wrapped = field(&answer, Tag::DATA).as_bytes().unwrap().to_vec();
    let encoded = Sent { value: Item::bytes(Tag::KEY_VALUE, wrapped), more: vec![], ..Sent::sha256(&token) };
    encoded.register(&server, Version::V2_1).unwrap();
    let material = Item::bytes(Tag::KEY_MATERIAL, Sent::sha256(&token).value.as_bytes().unwrap().to_vec());
    let value = Item::structure(Tag::KEY_VALUE, vec![material]);
    let older = Sent { value, more: vec![], ..Sent::sha256(&token) };
    let key = older.register(&server, Version::V1_2).unwrap();
    assert_eq!(get(&server, &key), Err(Reason::NotExtractable));
}

#[test]
fn secret_data_and_private_keys_come_in() {
    let (server, token) = with_token();
    let secret = Sent { kind: (7, Tag::SECRET_DATA), said: None, attributes: vec![], ..Sent::sha256(&token) };
    let secret = secret.register(&server, Version::V2_1).unwrap();
    assert_eq!(get(&server, &secret), Err(Reason::NotExtractable));
    let key = Sent::private(&token).register(&server, Version::V2_1).unwrap();
    assert_eq!(get(&server, &key), Err(Reason::NotExtractable));
    server.ask(Version::V2_1, Operation::Activate, vec![id(&key)]).unwrap();
    let parameters = vec![Item::enumeration(Tag::HASHING_ALGORITHM, Hashing::SHA_256)];
    let payload = vec![
        id(&key),
        Item::structure(Tag::CRYPTOGRAPHIC_PARAMETERS, parameters),
        Item::bytes(Tag::DATA, b"message".to_vec()),
    ];
    server.ask(Version::V2_1, Operation::Sign, payload).unwrap();
}

#[test]
fn a_key_that_would_leave_is_refused() {
    let (server, token) = with_token();
    for bad in [Item::boolean(Tag::EXTRACTABLE, true), Item::boolean(Tag::SENSITIVE, false)] {
        let mut sent = Sent::sha256(&token);
        sent.attributes.push(bad);
        assert_eq!(sent.register(&server, Version::V2_1), Err(Reason::InvalidField));
    }
    let mut sent = Sent::sha256(&token);
    sent.attributes.extend([Item::boolean(Tag::EXTRACTABLE, false), Item::boolean(Tag::SENSITIVE, true)]);
    sent.register(&server, Version::V2_1).unwrap();
    assert_eq!(count(&server), 1);
}

/// Whatever is wrong with what was encrypted, there is one reason.
#[test]
fn what_does_not_open_is_refused_for_one_reason() {
    let (server, token) = with_token();
    let bytes = |sent: &Sent| sent.value.as_bytes().unwrap().to_vec();
    let with = |sent: Sent, bytes: Vec<u8>| Sent { value: Item::bytes(Tag::KEY_VALUE, bytes), ..sent };
    let spoils: [fn(&mut Vec<u8>); 5] = [
        |wrapped| wrapped[0] ^= 1,
        |wrapped| *wrapped.last_mut().unwrap() ^= 1,
        |wrapped| wrapped.truncate(wrapped.len() - 1),
        |wrapped| wrapped.push(0),
        |wrapped| wrapped.clear(),
    ];
    let mut bad = Vec::new();
    for spoil in spoils {
        for sent in [Sent::sha256(&token), Sent::private(&token)] {
            let mut wrapped = bytes(&sent);
            spoil(&mut wrapped);
            bad.push(with(sent, wrapped));
        }
    }
    // Another hash; no Key Value inside; a length that the key has not, or no AES key has; another kind of key.
    bad.push(Sent::aes(&token, Algorithm::OaepSha1, Hashing::SHA_256));
    bad.push(Sent { more: vec![], ..Sent::sha256(&token) });
    bad.push(Sent { said: Some((3, 128)), ..Sent::sha256(&token) });
    let private = Sent::private(&token);
    bad.push(Sent { kind: (2, Tag::SYMMETRIC_KEY), format: Format::Raw, said: Some((3, 256)), ..private });
    bad.push(Sent {
        kind: (4, Tag::PRIVATE_KEY),
        format: Format::PKCS_8,
        said: Some((6, 256)),
        ..Sent::sha256(&token)
    });
    bad.push(Sent { format: Format::Opaque, parameters: oaep(Hashing::SHA_256), ..Sent::private(&token) });
    for (number, sent) in bad.iter().enumerate() {
        assert_eq!(sent.register(&server, Version::V2_1), Err(Reason::CryptographicFailure), "{number}");
    }
    assert_eq!(count(&server), 0);
}

#[test]
fn a_token_that_has_ended_opens_nothing() {
    let (server, old) = with_token();
    let sent = Sent::sha256(&old);
    server.session().create_import_token(Limits::default(), lifecycle::now()).unwrap();
    assert_eq!(sent.register(&server, Version::V2_1), Err(Reason::WrappingObjectNotFound));
    assert_eq!(sent.register(&server, Version::V1_4), Err(Reason::ItemNotFound));
    assert_eq!(get(&server, &old.unique_id), Err(Reason::ObjectNotFound));
    // One that has expired, by the clock.
    let session = server.session();
    let early = lifecycle::now() - 300;
    session.create_import_token(Limits::new(300, 1).unwrap(), early).unwrap();
    let expired = session.retrieve_import_token(early).unwrap();
    assert_eq!(Sent::sha256(&expired).register(&server, Version::V2_1), Err(Reason::WrappingObjectNotFound));
    assert_eq!(get(&server, &expired.unique_id), Err(Reason::ObjectNotFound));
    assert_eq!(count(&server), 0);
}

#[test]
fn other_ways_of_encrypting_are_refused() {
    let (server, token) = with_token();
    let v15 = vec![Item::enumeration(Tag::PADDING_METHOD, Padding::PKCS1V1_5)];
    let mut cbc = oaep(Hashing::SHA_256);
    cbc.push(Item::enumeration(Tag::BLOCK_CIPHER_MODE, Mode::CBC));
    for parameters in [v15, vec![], cbc, vec![Item::enumeration(Tag::PADDING_METHOD, Padding::None)]] {
        let sent = Sent { parameters, ..Sent::sha256(&token) };
        assert_eq!(sent.register(&server, Version::V2_1), Err(Reason::UnsupportedCryptographicParameters));
    }
    let with_iv =
        Sent { more: vec![Item::bytes(Tag::IV_COUNTER_NONCE, vec![0; 16])], ..Sent::sha256(&token) };
    assert_eq!(with_iv.register(&server, Version::V2_1), Err(Reason::InvalidMessage));
    let public = Sent { kind: (3, Tag::PUBLIC_KEY), format: Format::X_509, ..Sent::sha256(&token) };
    assert_eq!(public.register(&server, Version::V2_1), Err(Reason::FeatureNotSupported));
    assert_eq!(count(&server), 0);
}
