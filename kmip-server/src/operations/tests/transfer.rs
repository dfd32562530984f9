//! Export and Import.

use super::kit::*;
use crate::ttlv::enums::{Operation, ResultReason as Reason};
use crate::ttlv::{Item, Tag, Version};

const MASK: i32 = 0xc;
const ELSEWHERE: &str = "000102030405060708090a0b0c0d0e0f";

fn export(server: &Server, key: &str) -> Vec<Item> {
    server.ask(Version::V2_1, Operation::Export, vec![id(key)]).unwrap()
}

fn import(id_there: &str, exported: &[Item], more: Vec<Item>) -> Vec<Item> {
    let mut payload = vec![id(id_there), field(exported, Tag::OBJECT_TYPE).clone()];
    payload.extend(more);
    payload.push(field(exported, Tag::ATTRIBUTES).clone());
    payload.push(field(exported, Tag::SYMMETRIC_KEY).clone());
    payload
}

fn replacing() -> Vec<Item> {
    vec![Item::boolean(Tag::REPLACE_EXISTING, true)]
}

#[test]
fn an_object_goes_to_another_server_as_it_is() {
    let (here, there) = (Server::new(), Server::new());
    let key = here.aes(MASK, vec![name("key"), Item::date(Tag::ACTIVATION_DATE, 1000)]);
    let exported = export(&here, &key);
    let imported = there.ask(Version::V2_1, Operation::Import, import(&key, &exported, vec![])).unwrap();
    assert_eq!(id_of(&imported), key);
    for tag in [
        Tag::NAME,
        Tag::STATE,
        Tag::INITIAL_DATE,
        Tag::ACTIVATION_DATE,
        Tag::LAST_CHANGE_DATE,
        Tag::DIGEST,
        Tag::CRYPTOGRAPHIC_USAGE_MASK,
        Tag::RANDOM_NUMBER_GENERATOR,
        Tag::ORIGINAL_CREATION_DATE,
    ] {
        assert_eq!(there.attributes(&key, tag), here.attributes(&key, tag), "{tag}");
    }
    let value = |server: &Server| server.ask(Version::V2_1, Operation::Get, vec![id(&key)]).unwrap();
    assert_eq!(value(&there), value(&here));
}

#[test]
fn an_object_that_is_there_is_replaced_only_if_that_is_said() {
    let server = Server::new();
    let key = server.aes(MASK, vec![name("key")]);
    let exported = export(&server, &key);
    let again = |more| server.ask(Version::V2_1, Operation::Import, import(&key, &exported, more));
    assert_eq!(again(vec![]).unwrap_err(), Reason::ObjectAlreadyExists);
    assert_eq!(id_of(&again(replacing()).unwrap()), key);
    assert_eq!(server.attributes(&key, Tag::NAME), [name("key")]);
    // A second object of that name is none.
    let second = server.ask(Version::V2_1, Operation::Import, import(ELSEWHERE, &exported, vec![]));
    assert_eq!(second.unwrap_err(), Reason::NonUniqueNameAttribute);
}

#[test]
fn an_object_of_another_client_is_not_replaced() {
    let server = Server::new();
    let key = server.aes(MASK, vec![]);
    let payload = import(&key, &export(&server, &key), replacing());
    let refused = server.ask_as(&client("b"), Version::V2_1, vec![], Operation::Import, payload);
    assert_eq!(refused.unwrap_err(), Reason::ObjectAlreadyExists);
    let exported = server.ask_as(&client("b"), Version::V2_1, vec![], Operation::Export, vec![id(&key)]);
    assert_eq!(exported.unwrap_err(), Reason::ObjectNotFound);
}

#[test]
fn an_identifier_that_is_none_here_becomes_another() {
    let server = Server::new();
    let exported = export(&server, &server.aes(MASK, vec![]));
    let answer = server.ask(Version::V2_1, Operation::Import, import("key 1", &exported, vec![])).unwrap();
    assert_ne!(id_of(&answer), "key 1");
    assert!(server.ask(Version::V2_1, Operation::Get, vec![id(&id_of(&answer))]).is_ok());
}

#[test]
fn a_destroyed_object_is_exported_without_its_value_and_not_imported() {
    let server = Server::new();
    let key = server.aes(MASK, vec![]);
    let whole = export(&server, &key);
    server.ask(Version::V2_1, Operation::Destroy, vec![id(&key)]).unwrap();
    let exported = export(&server, &key);
    let block = field(&exported, Tag::SYMMETRIC_KEY).child(Tag::KEY_BLOCK).unwrap();
    assert!(block.child(Tag::KEY_VALUE).is_none());
    let mut payload = import(ELSEWHERE, &exported, vec![]);
    payload.pop();
    payload.push(field(&whole, Tag::SYMMETRIC_KEY).clone());
    let refused = server.ask(Version::V2_1, Operation::Import, payload).unwrap_err();
    assert_eq!(refused, Reason::WrongKeyLifecycleState);
}

#[test]
fn a_sensitive_object_is_exported_wrapped_alone_and_imported_unwrapped_on_demand() {
    let server = Server::new();
    let active = || Item::date(Tag::ACTIVATION_DATE, 1000);
    let wrapping = server.aes(0x30, vec![active()]);
    let key = server.aes(MASK, vec![Item::boolean(Tag::SENSITIVE, true)]);
    let refused = server.ask(Version::V2_1, Operation::Export, vec![id(&key)]).unwrap_err();
    assert_eq!(refused, Reason::Sensitive);
    let specification = Item::structure(
        Tag::KEY_WRAPPING_SPECIFICATION,
        vec![
            Item::enumeration(Tag::WRAPPING_METHOD, 1_u32),
            Item::structure(Tag::ENCRYPTION_KEY_INFORMATION, vec![id(&wrapping)]),
            Item::enumeration(Tag::ENCODING_OPTION, 1_u32),
        ],
    );
    let exported = server.ask(Version::V2_1, Operation::Export, vec![id(&key), specification]).unwrap();
    let unwrap = |wrap_type: u32| {
        let more = vec![Item::enumeration(Tag::KEY_WRAP_TYPE, wrap_type)];
        server.ask(Version::V2_1, Operation::Import, import(ELSEWHERE, &exported, more))
    };
    let plain = id_of(&unwrap(1).unwrap());
    assert_eq!(server.attributes(&plain, Tag::DIGEST), server.attributes(&key, Tag::DIGEST));
    server.ask(Version::V2_1, Operation::Destroy, vec![id(&plain)]).unwrap();
    let revoke =
        Item::structure(Tag::REVOCATION_REASON, vec![Item::enumeration(Tag::REVOCATION_REASON_CODE, 6_u32)]);
    server.ask(Version::V2_1, Operation::Revoke, vec![id(&wrapping), revoke]).unwrap();
    server.ask(Version::V2_1, Operation::Destroy, vec![id(&wrapping)]).unwrap();
    let more = vec![Item::enumeration(Tag::KEY_WRAP_TYPE, 1_u32)];
    let other = "100102030405060708090a0b0c0d0e0f";
    let refused = server.ask(Version::V2_1, Operation::Import, import(other, &exported, more));
    assert!(refused.is_err());
}

#[test]
fn versions_before_1_4_know_neither() {
    let server = Server::new();
    let key = server.aes(MASK, vec![]);
    for operation in [Operation::Export, Operation::Import] {
        let refused = server.ask(Version::V1_3, operation, vec![id(&key)]).unwrap_err();
        assert_eq!(refused, Reason::OperationNotSupported);
    }
    let exported = server.ask(Version::V1_4, Operation::Export, vec![id(&key)]).unwrap();
    assert!(exported.iter().filter(|item| item.tag == Tag::ATTRIBUTE).count() > 5);
    let mut payload = vec![id(ELSEWHERE)];
    payload
        .extend(exported.into_iter().filter(|item| matches!(item.tag, Tag::ATTRIBUTE | Tag::SYMMETRIC_KEY)));
    assert_eq!(id_of(&server.ask(Version::V1_4, Operation::Import, payload).unwrap()), ELSEWHERE);
}
