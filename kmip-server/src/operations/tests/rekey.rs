//! Re-key and Re-key Key Pair.

use super::kit::*;
use crate::ttlv::enums::{LinkType, Operation, ResultReason as Reason};
use crate::ttlv::{Item, Tag, Version};

const ENCRYPT_DECRYPT: i32 = 0xc;

fn link(kind: LinkType, target: &str) -> Item {
    crate::objects::replacement::link(kind, target)
}

fn date(server: &Server, id: &str, tag: Tag) -> i64 {
    server.attributes(id, tag)[0].as_date().unwrap()
}

#[test]
fn a_replacement_takes_names_and_attributes_and_both_are_linked() {
    let server = Server::new();
    let limits = Item::structure(
        Tag::USAGE_LIMITS,
        vec![
            Item::long(Tag::USAGE_LIMITS_TOTAL, 5),
            Item::long(Tag::USAGE_LIMITS_COUNT, 5),
            Item::enumeration(Tag::USAGE_LIMITS_UNIT, 2_u32),
        ],
    );
    let old = server.aes(
        ENCRYPT_DECRYPT,
        vec![
            name("key"),
            Item::text(Tag::OBJECT_GROUP, "g"),
            Item::date(Tag::ACTIVATION_DATE, 1000),
            limits.clone(),
        ],
    );
    let take = vec![id(&old), Item::long(Tag::USAGE_LIMITS_COUNT, 3)];
    server.ask(Version::V2_1, Operation::GetUsageAllocation, take).unwrap();
    let new = id_of(&server.ask(Version::V2_1, Operation::ReKey, vec![id(&old)]).unwrap());
    assert_ne!(old, new);
    assert_eq!(server.attributes(&new, Tag::NAME), [name("key")]);
    assert!(server.attributes(&old, Tag::NAME).is_empty());
    assert_eq!(server.attributes(&new, Tag::OBJECT_GROUP)[0].as_text(), Ok("g"));
    assert_eq!(server.attributes(&new, Tag::LINK), [link(LinkType::ReplacedObjectLink, &old)]);
    assert_eq!(server.attributes(&old, Tag::LINK), [link(LinkType::ReplacementObjectLink, &new)]);
    assert_eq!(server.attributes(&new, Tag::USAGE_LIMITS), [limits]);
    assert_eq!(server.attributes(&new, Tag::STATE)[0].as_enumeration(), Ok(2));
    assert_eq!(date(&server, &new, Tag::ACTIVATION_DATE), 1000);
    assert_ne!(server.attributes(&new, Tag::DIGEST), server.attributes(&old, Tag::DIGEST));
}

#[test]
fn an_offset_moves_the_dates_together() {
    let server = Server::new();
    let old = server.aes(
        ENCRYPT_DECRYPT,
        vec![
            Item::date(Tag::ACTIVATION_DATE, 1000),
            Item::date(Tag::PROCESS_START_DATE, 1100),
            Item::date(Tag::PROTECT_STOP_DATE, 9_000_000_000),
            Item::date(Tag::DEACTIVATION_DATE, 9_000_000_100),
        ],
    );
    let payload = vec![id(&old), Item::interval(Tag::OFFSET, 600)];
    let new = id_of(&server.ask(Version::V2_1, Operation::ReKey, payload).unwrap());
    let activation = date(&server, &new, Tag::ACTIVATION_DATE);
    assert!((600..605).contains(&(activation - date(&server, &new, Tag::INITIAL_DATE))));
    assert_eq!(date(&server, &new, Tag::PROCESS_START_DATE), activation + 100);
    assert_eq!(date(&server, &new, Tag::PROTECT_STOP_DATE), activation + 8_999_999_000);
    assert_eq!(date(&server, &new, Tag::DEACTIVATION_DATE), activation + 8_999_999_100);
    assert_eq!(server.attributes(&new, Tag::STATE)[0].as_enumeration(), Ok(1));
}

#[test]
fn what_cannot_be_rekeyed_is_refused_and_left_as_it_is() {
    let server = Server::new();
    let rekey = |id: Item| server.ask(Version::V2_1, Operation::ReKey, vec![id]);
    assert_eq!(rekey(id("nothing")).unwrap_err(), Reason::ObjectNotFound);
    let gone = server.aes(ENCRYPT_DECRYPT, vec![]);
    server.ask(Version::V2_1, Operation::Destroy, vec![id(&gone)]).unwrap();
    assert_eq!(rekey(id(&gone)).unwrap_err(), Reason::ObjectDestroyed);
    let (_, private) = pair(&server);
    assert_eq!(rekey(id(&private)).unwrap_err(), Reason::InvalidObjectType);
    server.aes(ENCRYPT_DECRYPT, vec![name("taken")]);
    let old = server.aes(ENCRYPT_DECRYPT, vec![name("own")]);
    let payload = vec![id(&old), Item::structure(Tag::ATTRIBUTES, vec![name("taken")])];
    let refused = server.ask(Version::V2_1, Operation::ReKey, payload).unwrap_err();
    assert_eq!(refused, Reason::NonUniqueNameAttribute);
    assert_eq!(server.attributes(&old, Tag::NAME), [name("own")]);
    assert!(server.attributes(&old, Tag::LINK).is_empty());
    let others = server.ask_as(&client("b"), Version::V2_1, vec![], Operation::ReKey, vec![id(&old)]);
    assert_eq!(others.unwrap_err(), Reason::ObjectNotFound);
}

/// A key pair on P-256: public, private.
fn pair(server: &Server) -> (String, String) {
    let common = vec![
        Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, 6_u32),
        Item::integer(Tag::CRYPTOGRAPHIC_LENGTH, 256),
    ];
    let masks = |tag, mask, value: &str| {
        Item::structure(tag, vec![Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, mask), name(value)])
    };
    let payload = vec![
        Item::structure(Tag::COMMON_ATTRIBUTES, common),
        masks(Tag::PRIVATE_KEY_ATTRIBUTES, 1, "private"),
        masks(Tag::PUBLIC_KEY_ATTRIBUTES, 2, "public"),
    ];
    ids(&server.ask(Version::V2_1, Operation::CreateKeyPair, payload).unwrap())
}

fn ids(answer: &[Item]) -> (String, String) {
    let text = |tag| field(answer, tag).as_text().unwrap().to_owned();
    (text(Tag::PUBLIC_KEY_UNIQUE_IDENTIFIER), text(Tag::PRIVATE_KEY_UNIQUE_IDENTIFIER))
}

#[test]
fn a_key_pair_is_replaced_as_one() {
    let server = Server::new();
    let (public, private) = pair(&server);
    let payload = vec![Item::text(Tag::PRIVATE_KEY_UNIQUE_IDENTIFIER, private.as_str())];
    let (new_public, new_private) =
        ids(&server.ask(Version::V2_1, Operation::ReKeyKeyPair, payload).unwrap());
    for (old, new, value) in [(&public, &new_public, "public"), (&private, &new_private, "private")] {
        assert_eq!(server.attributes(new, Tag::NAME), [name(value)]);
        assert!(server.attributes(old, Tag::NAME).is_empty());
        assert!(server.attributes(old, Tag::LINK).contains(&link(LinkType::ReplacementObjectLink, new)));
        assert!(server.attributes(new, Tag::LINK).contains(&link(LinkType::ReplacedObjectLink, old)));
    }
    let links = server.attributes(&new_private, Tag::LINK);
    assert!(links.contains(&link(LinkType::PublicKeyLink, &new_public)));
    assert_eq!(links.len(), 2);
    assert_eq!(server.attributes(&new_private, Tag::CRYPTOGRAPHIC_USAGE_MASK)[0].as_integer(), Ok(1));
}

#[test]
fn a_pair_is_named_by_its_private_key_alone() {
    let server = Server::new();
    let (public, _) = pair(&server);
    let payload = vec![Item::text(Tag::PRIVATE_KEY_UNIQUE_IDENTIFIER, public)];
    let refused = server.ask(Version::V2_1, Operation::ReKeyKeyPair, payload).unwrap_err();
    assert_eq!(refused, Reason::InvalidObjectType);
    let nothing = server.ask(Version::V2_1, Operation::ReKeyKeyPair, vec![]).unwrap_err();
    assert_eq!(nothing, Reason::MissingData);
}
