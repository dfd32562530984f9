//! Attribute Index of 1.x: which of several values is which, and that it stays so.

use super::kit::*;
use crate::attributes::{Indexes, form};
use crate::objects::replacement::link;
use crate::ttlv::enums::{LinkType, Operation, ResultReason as Reason};
use crate::ttlv::{Item, Tag, Version};

const NAME: &str = "Object Group";

/// A key with groups.
fn key(server: &Server, groups: &[&str]) -> String {
    server.aes(0xc, groups.iter().map(|group| Item::text(Tag::OBJECT_GROUP, *group)).collect())
}

fn group(value: &str, index: Option<i32>) -> Item {
    let mut fields = vec![Item::text(Tag::ATTRIBUTE_NAME, NAME)];
    fields.extend(index.map(|index| Item::integer(Tag::ATTRIBUTE_INDEX, index)));
    fields.push(Item::text(Tag::ATTRIBUTE_VALUE, value));
    Item::structure(Tag::ATTRIBUTE, fields)
}

fn index_of(attribute: &Item) -> i32 {
    attribute.child(Tag::ATTRIBUTE_INDEX).unwrap().as_integer().unwrap()
}

/// The groups with their indexes.
fn groups(server: &Server, key: &str) -> Vec<(i32, String)> {
    let payload = vec![id(key), Item::text(Tag::ATTRIBUTE_NAME, NAME)];
    let answer = server.ask(Version::V1_2, Operation::GetAttributes, payload).unwrap();
    let attributes = answer.iter().filter(|item| item.tag == Tag::ATTRIBUTE);
    let text = |item: &Item| item.child(Tag::ATTRIBUTE_VALUE).unwrap().as_text().unwrap().to_owned();
    attributes.map(|item| (index_of(item), text(item))).collect()
}

fn owned(groups: &[(i32, &str)]) -> Vec<(i32, String)> {
    groups.iter().map(|(index, group)| (*index, (*group).to_owned())).collect()
}

fn delete(server: &Server, key: &str, index: Option<i32>) -> Result<Vec<Item>, Reason> {
    let mut payload = vec![id(key), Item::text(Tag::ATTRIBUTE_NAME, NAME)];
    payload.extend(index.map(|index| Item::integer(Tag::ATTRIBUTE_INDEX, index)));
    server.ask(Version::V1_2, Operation::DeleteAttribute, payload)
}

#[test]
fn an_index_stays_when_other_values_go_and_come() {
    let server = Server::new();
    let key = key(&server, &["a", "b", "c"]);
    let gone = delete(&server, &key, Some(1)).unwrap();
    assert_eq!(*field(&gone, Tag::ATTRIBUTE), group("b", Some(1)));
    assert_eq!(groups(&server, &key), owned(&[(0, "a"), (2, "c")]));
    let payload = vec![id(&key), group("d", None)];
    let added = server.ask(Version::V1_2, Operation::AddAttribute, payload).unwrap();
    assert_eq!(index_of(field(&added, Tag::ATTRIBUTE)), 3);
    // Without an index the first is meant, and then there is none.
    delete(&server, &key, None).unwrap();
    assert_eq!(groups(&server, &key), owned(&[(2, "c"), (3, "d")]));
    assert_eq!(delete(&server, &key, None).unwrap_err(), Reason::ItemNotFound);
    assert_eq!(delete(&server, &key, Some(1)).unwrap_err(), Reason::ItemNotFound);
    let payload = vec![id(&key), group("e", Some(3))];
    server.ask(Version::V1_2, Operation::ModifyAttribute, payload).unwrap();
    assert_eq!(groups(&server, &key), owned(&[(2, "c"), (3, "e")]));
    let payload = vec![id(&key), group("f", Some(0))];
    let modified = server.ask(Version::V1_2, Operation::ModifyAttribute, payload);
    assert_eq!(modified.unwrap_err(), Reason::ItemNotFound);
}

#[test]
fn indexes_are_those_of_one_attribute_and_begin_anew_when_all_are_gone() {
    let server = Server::new();
    let key = server.aes(
        0xc,
        vec![Item::text(Tag::OBJECT_GROUP, "a"), Item::text(Tag::OBJECT_GROUP, "b"), name("n"), name("m")],
    );
    delete(&server, &key, Some(0)).unwrap();
    let payload = vec![id(&key), Item::text(Tag::ATTRIBUTE_NAME, "Name")];
    let names = server.ask(Version::V1_2, Operation::GetAttributes, payload).unwrap();
    assert_eq!(names[1..].iter().map(index_of).collect::<Vec<_>>(), [0, 1]);
    delete(&server, &key, Some(1)).unwrap();
    let payload = vec![id(&key), group("c", None)];
    server.ask(Version::V1_2, Operation::AddAttribute, payload).unwrap();
    assert_eq!(groups(&server, &key), owned(&[(0, "c")]));
}

#[test]
fn what_2_x_deletes_by_value_leaves_the_indexes_of_the_others() {
    let server = Server::new();
    let key = key(&server, &["a", "b", "c"]);
    let current = Item::structure(Tag::CURRENT_ATTRIBUTE, vec![Item::text(Tag::OBJECT_GROUP, "a")]);
    server.ask(Version::V2_1, Operation::DeleteAttribute, vec![id(&key), current]).unwrap();
    assert_eq!(groups(&server, &key), owned(&[(1, "b"), (2, "c")]));
    let new = Item::structure(Tag::NEW_ATTRIBUTE, vec![Item::text(Tag::OBJECT_GROUP, "d")]);
    server.ask(Version::V2_1, Operation::AddAttribute, vec![id(&key), new]).unwrap();
    assert_eq!(groups(&server, &key), owned(&[(1, "b"), (2, "c"), (3, "d")]));
    // 2.x itself has no indexes.
    let values = server.attributes(&key, Tag::OBJECT_GROUP);
    assert_eq!(values.iter().map(|item| item.as_text().unwrap()).collect::<Vec<_>>(), ["b", "c", "d"]);
}

#[test]
fn an_index_is_the_servers_to_give() {
    let server = Server::new();
    let key = key(&server, &["a"]);
    let payload = vec![id(&key), group("b", Some(1))];
    let added = server.ask(Version::V1_2, Operation::AddAttribute, payload);
    assert_eq!(added.unwrap_err(), Reason::InvalidField);
    assert_eq!(delete(&server, &key, Some(-1)).unwrap_err(), Reason::IndexOutOfBounds);
}

#[test]
fn a_value_that_a_version_does_not_have_keeps_its_index() {
    let parameters = |mode: u32| {
        Item::structure(Tag::CRYPTOGRAPHIC_PARAMETERS, vec![Item::enumeration(Tag::BLOCK_CIPHER_MODE, mode)])
    };
    // AEAD, which came with 1.4, and CBC.
    let both = vec![parameters(0x12), parameters(1)];
    let written = |version| {
        let written = form::write(both.clone(), &Indexes::default(), version);
        written.iter().map(index_of).collect::<Vec<_>>()
    };
    assert_eq!(written(Version::V1_4), [0, 1]);
    assert_eq!(written(Version::V1_0), [1]);
}

#[test]
fn a_link_that_the_server_sets_anew_leaves_the_others_where_they_are() {
    let server = Server::new();
    let links = [LinkType::ReplacementObjectLink, LinkType::ParentLink, LinkType::ChildLink];
    let key = server.aes(0xc, links.iter().map(|kind| link(*kind, "elsewhere")).collect());
    let new = id_of(&server.ask(Version::V2_1, Operation::ReKey, vec![id(&key)]).unwrap());
    let expected = [
        link(LinkType::ReplacementObjectLink, &new),
        link(LinkType::ParentLink, "elsewhere"),
        link(LinkType::ChildLink, "elsewhere"),
    ];
    assert_eq!(server.attributes(&key, Tag::LINK), expected);
}

#[test]
fn a_digest_says_its_format_since_1_1() {
    let server = Server::new();
    let key = key(&server, &[]);
    let says_format = |version| {
        let payload = vec![id(&key), Item::text(Tag::ATTRIBUTE_NAME, "Digest")];
        let answer = server.ask(version, Operation::GetAttributes, payload).unwrap();
        let value = field(&answer, Tag::ATTRIBUTE).child(Tag::ATTRIBUTE_VALUE).unwrap();
        assert!(value.child(Tag::DIGEST_VALUE).is_some());
        value.child(Tag::KEY_FORMAT_TYPE).is_some()
    };
    assert!(!says_format(Version::V1_0));
    assert!(says_format(Version::V1_1));
}
