//! Create Split Key and Join Split Key.

use super::kit::*;
use crate::ttlv::enums::{Operation, ResultReason as Reason, SplitKeyMethod as Method};
use crate::ttlv::{Item, Tag, Version};

const MASK: i32 = 0xc;

fn split(
    server: &Server,
    key: Option<&str>,
    method: Method,
    numbers: (i32, i32),
) -> Result<Vec<String>, Reason> {
    let mut payload = vec![Item::enumeration(Tag::OBJECT_TYPE, 5_u32)];
    payload.extend(key.map(id));
    payload.extend([
        Item::integer(Tag::SPLIT_KEY_PARTS, numbers.0),
        Item::integer(Tag::SPLIT_KEY_THRESHOLD, numbers.1),
        Item::enumeration(Tag::SPLIT_KEY_METHOD, method),
        Item::structure(Tag::ATTRIBUTES, if key.is_some() { vec![] } else { attributes() }),
    ]);
    let answer = server.ask(Version::V2_1, Operation::CreateSplitKey, payload)?;
    Ok(answer.iter().map(|item| item.as_text().unwrap().to_owned()).collect())
}

fn attributes() -> Vec<Item> {
    vec![
        Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, 3_u32),
        Item::integer(Tag::CRYPTOGRAPHIC_LENGTH, 128),
        Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, MASK),
    ]
}

fn join(server: &Server, parts: &[&String]) -> Result<String, Reason> {
    let mut payload = vec![Item::enumeration(Tag::OBJECT_TYPE, 2_u32)];
    payload.extend(parts.iter().map(|part| id(part)));
    payload.push(Item::structure(Tag::ATTRIBUTES, attributes()));
    server.ask(Version::V2_1, Operation::JoinSplitKey, payload).map(|answer| id_of(&answer))
}

#[test]
fn any_parts_that_suffice_give_the_key_back() {
    let server = Server::new();
    let key = server.aes(MASK, vec![]);
    let digest = server.attributes(&key, Tag::DIGEST);
    for (method, numbers, chosen) in
        [(Method::XOR, (3, 3), vec![2, 0, 1]), (Method::PolynomialSharingGF2_8, (5, 3), vec![4, 1, 3])]
    {
        let parts = split(&server, Some(&key), method, numbers).unwrap();
        assert_eq!(parts.len(), numbers.0 as usize);
        let chosen: Vec<&String> = chosen.into_iter().map(|at: usize| &parts[at]).collect();
        let joined = join(&server, &chosen).unwrap();
        assert_eq!(server.attributes(&joined, Tag::DIGEST), digest);
        assert!(join(&server, &chosen[1..]).is_err());
        let part = server.ask(Version::V2_1, Operation::Get, vec![id(&parts[1])]).unwrap();
        let number = field(&part, Tag::SPLIT_KEY).child(Tag::KEY_PART_IDENTIFIER).unwrap();
        assert_eq!(number.as_integer(), Ok(2));
    }
}

#[test]
fn a_fresh_key_is_split_that_nobody_keeps_whole() {
    let server = Server::new();
    let parts = split(&server, None, Method::XOR, (2, 2)).unwrap();
    let joined = join(&server, &[&parts[0], &parts[1]]).unwrap();
    assert_eq!(server.attributes(&joined, Tag::CRYPTOGRAPHIC_LENGTH)[0].as_integer(), Ok(128));
}

#[test]
fn what_does_not_go_together_is_refused() {
    let server = Server::new();
    let key = server.aes(MASK, vec![]);
    let whole = Some(key.as_str());
    let polynomial = Method::PolynomialSharingGF2_8;
    assert_eq!(split(&server, whole, Method::XOR, (3, 2)).unwrap_err(), Reason::InvalidField);
    assert_eq!(split(&server, whole, polynomial, (2, 3)).unwrap_err(), Reason::InvalidField);
    assert_eq!(split(&server, whole, polynomial, (-1, 2)).unwrap_err(), Reason::InvalidField);
    let other = Method::PolynomialSharingPrimeField;
    assert_eq!(split(&server, whole, other, (3, 2)).unwrap_err(), Reason::InvalidField);
    let one = split(&server, whole, polynomial, (3, 2)).unwrap();
    let two = split(&server, whole, polynomial, (4, 2)).unwrap();
    assert_eq!(join(&server, &[&one[0], &two[1]]).unwrap_err(), Reason::InvalidField);
    assert_eq!(join(&server, &[&one[0], &one[0]]).unwrap_err(), Reason::CryptographicFailure);
    assert_eq!(join(&server, &[&one[0]]).unwrap_err(), Reason::CryptographicFailure);
    assert_eq!(join(&server, &[&one[0], &key]).unwrap_err(), Reason::InvalidObjectType);
    assert_eq!(join(&server, &[]).unwrap_err(), Reason::MissingData);
    let sensitive = server.aes(MASK, vec![Item::boolean(Tag::SENSITIVE, true)]);
    let refused = split(&server, Some(&sensitive), polynomial, (3, 2)).unwrap_err();
    assert_eq!(refused, Reason::Sensitive);
}
