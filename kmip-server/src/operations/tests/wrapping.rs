//! Keys on their way out under other keys, and registered so.

use super::kit::*;
use crate::ttlv::enums::{
    BlockCipherMode as Mode, EncodingOption, HashingAlgorithm, KeyFormatType as Format, KeyWrapType,
    Operation, PaddingMethod as Padding, ResultReason as Reason,
};
use crate::ttlv::{Item, Tag, Version};

const ENCRYPT_DECRYPT: i32 = 0xc;
const WRAP_UNWRAP: i32 = 0x30;

fn active() -> Item {
    Item::date(Tag::ACTIVATION_DATE, 1000)
}

fn parameters(fields: Vec<Item>) -> Item {
    Item::structure(Tag::CRYPTOGRAPHIC_PARAMETERS, fields)
}

fn specification(wrapping: &str, parameters: Item, encoding: EncodingOption) -> Item {
    Item::structure(
        Tag::KEY_WRAPPING_SPECIFICATION,
        vec![
            Item::enumeration(Tag::WRAPPING_METHOD, 1_u32),
            Item::structure(Tag::ENCRYPTION_KEY_INFORMATION, vec![id(wrapping), parameters]),
            Item::enumeration(Tag::ENCODING_OPTION, encoding),
        ],
    )
}

/// The key block of a symmetric key.
fn block(server: &Server, key: &str, more: Vec<Item>) -> Result<Item, Reason> {
    let mut payload = vec![id(key)];
    payload.extend(more);
    let answer = server.ask(Version::V2_1, Operation::Get, payload)?;
    Ok(field(field(&answer, Tag::SYMMETRIC_KEY).items(), Tag::KEY_BLOCK).clone())
}

fn material(server: &Server, key: &str, more: Vec<Item>) -> Result<Vec<u8>, Reason> {
    let block = block(server, key, more)?;
    let value = block.child(Tag::KEY_VALUE).unwrap();
    Ok(value.child(Tag::KEY_MATERIAL).unwrap().as_bytes().unwrap().to_vec())
}

fn register(server: &Server, block: Item) -> String {
    let payload = vec![
        Item::enumeration(Tag::OBJECT_TYPE, 2_u32),
        Item::structure(Tag::ATTRIBUTES, vec![Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, ENCRYPT_DECRYPT)]),
        Item::structure(Tag::SYMMETRIC_KEY, vec![block]),
    ];
    id_of(&server.ask(Version::V2_1, Operation::Register, payload).unwrap())
}

fn mode(mode: Mode) -> Item {
    Item::enumeration(Tag::BLOCK_CIPHER_MODE, mode)
}

/// An RSA pair of keys that wrap and unwrap, active: public and private.
fn rsa(server: &Server) -> (String, String) {
    let mask = |mask| vec![Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, mask)];
    let common = vec![
        Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, 4_u32),
        Item::integer(Tag::CRYPTOGRAPHIC_LENGTH, 2048),
        active(),
    ];
    let payload = vec![
        Item::structure(Tag::COMMON_ATTRIBUTES, common),
        Item::structure(Tag::PRIVATE_KEY_ATTRIBUTES, mask(0x20 | 0x8)),
        Item::structure(Tag::PUBLIC_KEY_ATTRIBUTES, mask(0x10)),
    ];
    let answer = server.ask(Version::V2_1, Operation::CreateKeyPair, payload).unwrap();
    let text = |tag| field(&answer, tag).as_text().unwrap().to_owned();
    (text(Tag::PUBLIC_KEY_UNIQUE_IDENTIFIER), text(Tag::PRIVATE_KEY_UNIQUE_IDENTIFIER))
}

fn oaep() -> Item {
    parameters(vec![
        Item::enumeration(Tag::PADDING_METHOD, Padding::OAEP),
        Item::enumeration(Tag::HASHING_ALGORITHM, HashingAlgorithm::SHA_256),
    ])
}

#[test]
fn what_is_given_wrapped_is_the_key_once_it_is_registered_and_unwrapped() {
    let server = Server::new();
    let wrapping = server.aes(WRAP_UNWRAP, vec![active()]);
    let key = server.aes(ENCRYPT_DECRYPT, vec![active()]);
    let plain = material(&server, &key, Vec::new()).unwrap();
    let padded = Item::enumeration(Tag::PADDING_METHOD, Padding::PKCS5);
    for own in [
        vec![mode(Mode::NISTKeyWrap)],
        vec![mode(Mode::AESKeyWrapPadding)],
        vec![mode(Mode::CBC), padded],
        vec![mode(Mode::GCM)],
        vec![mode(Mode::GCM), Item::integer(Tag::TAG_LENGTH, 12)],
    ] {
        for encoding in [EncodingOption::NoEncoding, EncodingOption::TTLVEncoding] {
            let ask = specification(&wrapping, parameters(own.clone()), encoding);
            let wrapped = block(&server, &key, vec![ask]).unwrap();
            let bytes = wrapped.child(Tag::KEY_VALUE).unwrap().as_bytes().unwrap().to_vec();
            assert!(!bytes.windows(plain.len()).any(|window| window == plain), "{own:?}: in clear");
            let back = register(&server, wrapped);
            let unwrapped = vec![Item::enumeration(Tag::KEY_WRAP_TYPE, KeyWrapType::NotWrapped)];
            assert_eq!(material(&server, &back, unwrapped), Ok(plain.clone()), "{own:?} {encoding:?}");
        }
    }
}

#[test]
fn a_key_under_gcm_is_opened_by_decrypt_with_the_tag_behind_it() {
    let server = Server::new();
    let wrapping = server.aes(WRAP_UNWRAP | ENCRYPT_DECRYPT, vec![active()]);
    let key = server.aes(ENCRYPT_DECRYPT, vec![active()]);
    let plain = material(&server, &key, Vec::new()).unwrap();
    let ask = specification(&wrapping, parameters(vec![mode(Mode::GCM)]), EncodingOption::NoEncoding);
    let wrapped = block(&server, &key, vec![ask]).unwrap();
    let bytes = wrapped.child(Tag::KEY_VALUE).unwrap().as_bytes().unwrap().to_vec();
    let nonce = wrapped.child(Tag::KEY_WRAPPING_DATA).unwrap().child(Tag::IV_COUNTER_NONCE).unwrap().clone();
    assert_eq!((bytes.len(), nonce.as_bytes().unwrap().len()), (plain.len() + 16, 12));
    let (data, tag) = bytes.split_at(plain.len());
    let payload = |tag: &[u8]| {
        vec![
            id(&wrapping),
            parameters(vec![mode(Mode::GCM), Item::integer(Tag::TAG_LENGTH, 16)]),
            Item::bytes(Tag::DATA, data.to_vec()),
            nonce.clone(),
            Item::bytes(Tag::AUTHENTICATED_ENCRYPTION_TAG, tag.to_vec()),
        ]
    };
    let opened = server.ask(Version::V2_1, Operation::Decrypt, payload(tag)).unwrap();
    assert_eq!(field(&opened, Tag::DATA).as_bytes().unwrap().to_vec(), plain);
    let forged = server.ask(Version::V2_1, Operation::Decrypt, payload(&[0; 16]));
    assert!(forged.is_err(), "a tag of nobody");
}

#[test]
fn a_key_under_an_rsa_key_is_opened_by_its_private_key() {
    let server = Server::new();
    let (public, private) = rsa(&server);
    let key = server.aes(ENCRYPT_DECRYPT, vec![active()]);
    let plain = material(&server, &key, Vec::new()).unwrap();
    let ask = specification(&public, oaep(), EncodingOption::NoEncoding);
    let wrapped = block(&server, &key, vec![ask]).unwrap();
    let bytes = wrapped.child(Tag::KEY_VALUE).unwrap().as_bytes().unwrap().to_vec();
    let payload = vec![id(&private), oaep(), Item::bytes(Tag::DATA, bytes)];
    let opened = server.ask(Version::V2_1, Operation::Decrypt, payload).unwrap();
    assert_eq!(field(&opened, Tag::DATA).as_bytes().unwrap().to_vec(), plain);
    // What comes from elsewhere is said to be wrapped for the private key, which unwraps it.
    let mut fields: Vec<Item> = wrapped.items().to_vec();
    let information = Item::structure(Tag::ENCRYPTION_KEY_INFORMATION, vec![id(&private), oaep()]);
    let data = vec![
        Item::enumeration(Tag::WRAPPING_METHOD, 1_u32),
        information,
        Item::enumeration(Tag::ENCODING_OPTION, EncodingOption::NoEncoding),
    ];
    fields.retain(|item| item.tag != Tag::KEY_WRAPPING_DATA);
    fields.push(Item::structure(Tag::KEY_WRAPPING_DATA, data));
    let back = register(&server, Item::structure(Tag::KEY_BLOCK, fields));
    let unwrapped = vec![Item::enumeration(Tag::KEY_WRAP_TYPE, KeyWrapType::NotWrapped)];
    assert_eq!(material(&server, &back, unwrapped), Ok(plain));
}

#[test]
fn keys_are_not_wrapped_by_what_may_not_or_cannot() {
    let server = Server::new();
    let key = server.aes(ENCRYPT_DECRYPT, vec![active()]);
    let gcm = |more: Vec<Item>| {
        let mut own = vec![mode(Mode::GCM)];
        own.extend(more);
        parameters(own)
    };
    let ask = |wrapping: &str, parameters: Item| {
        let ask = specification(wrapping, parameters, EncodingOption::NoEncoding);
        block(&server, &key, vec![ask]).map(drop)
    };
    let mask = server.aes(ENCRYPT_DECRYPT, vec![active()]);
    assert_eq!(ask(&mask, gcm(Vec::new())), Err(Reason::IncompatibleCryptographicUsageMask));
    let wrapping = server.aes(WRAP_UNWRAP, vec![active()]);
    let odd = Item::integer(Tag::TAG_LENGTH, 5);
    assert_eq!(ask(&wrapping, gcm(vec![odd])), Err(Reason::BadCryptographicParameters));
    let counter = parameters(vec![mode(Mode::CTR)]);
    assert_eq!(ask(&wrapping, counter), Err(Reason::UnsupportedCryptographicParameters));
    let waiting = server.aes(WRAP_UNWRAP, Vec::new());
    assert_eq!(ask(&waiting, gcm(Vec::new())), Err(Reason::WrongKeyLifecycleState));
    assert_eq!(ask(&"0".repeat(32), gcm(Vec::new())), Err(Reason::WrappingObjectNotFound));
    let sealed = server.aes(ENCRYPT_DECRYPT, vec![active(), Item::boolean(Tag::EXTRACTABLE, false)]);
    let ask = specification(&wrapping, gcm(Vec::new()), EncodingOption::NoEncoding);
    assert_eq!(block(&server, &sealed, vec![ask]).unwrap_err(), Reason::NotExtractable);
    let format = Item::enumeration(Tag::KEY_FORMAT_TYPE, Format::PKCS_8);
    assert_eq!(block(&server, &key, vec![format]).unwrap_err(), Reason::KeyFormatTypeNotSupported);
}
