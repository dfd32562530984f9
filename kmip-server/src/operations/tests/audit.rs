//! What requests leave in the audit log.

use serde_json::Value as Json;

use super::kit::*;
use crate::identity::{Client, Role};
use crate::service::Service;
use crate::tls::Rule;
use crate::ttlv::enums::{Operation, ResultReason as Reason};
use crate::ttlv::{Item, Tag, Version};

const V: Version = Version::V2_1;
const ENCRYPT: i32 = 4;

fn active(server: &Server) -> String {
    server.aes(ENCRYPT, vec![Item::date(Tag::ACTIVATION_DATE, 1000)])
}

fn encrypt(server: &Server, key: &str, plaintext: &[u8]) -> Result<Vec<Item>, Reason> {
    let parameters =
        vec![Item::enumeration(Tag::BLOCK_CIPHER_MODE, 1_u32), Item::enumeration(Tag::PADDING_METHOD, 3_u32)];
    let payload = vec![
        id(key),
        Item::structure(Tag::CRYPTOGRAPHIC_PARAMETERS, parameters),
        Item::bytes(Tag::DATA, plaintext.to_vec()),
        Item::bytes(Tag::IV_COUNTER_NONCE, vec![0; 16]),
    ];
    server.ask(V, Operation::Encrypt, payload)
}

fn of<'e>(events: &'e [Json], action: &str) -> Vec<&'e Json> {
    events.iter().filter(|event| event["action"] == action).collect()
}

fn count(events: &[&Json]) -> u64 {
    events.iter().map(|event| event["count"].as_u64().unwrap()).sum()
}

#[test]
fn a_change_is_in_the_log_when_it_is_answered() {
    let server = Server::new();
    let key = server.aes(ENCRYPT, vec![]);
    let events = server.written_events();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["action"], "kmip.create");
    assert_eq!((&events[0]["outcome"], &events[0]["class"]), (&"success".into(), &"change".into()));
    assert_eq!(events[0]["target"]["id"], key);
    assert_eq!((&events[0]["initiator"]["id"], &events[0]["target"]["name"]), (&"a".into(), &"kmip".into()));
}

#[test]
fn each_operation_that_changes_leaves_its_event() {
    let server = Server::new();
    let key = active(&server);
    let reason =
        Item::structure(Tag::REVOCATION_REASON, vec![Item::enumeration(Tag::REVOCATION_REASON_CODE, 6_u32)]);
    let named = Item::structure(Tag::NEW_ATTRIBUTE, vec![name("n")]);
    for (operation, payload) in [
        (Operation::AddAttribute, vec![id(&key), named]),
        (Operation::Archive, vec![id(&key)]),
        (Operation::Recover, vec![id(&key)]),
        (Operation::ReKey, vec![id(&key)]),
        (Operation::Revoke, vec![id(&key), reason]),
        (Operation::Destroy, vec![id(&key)]),
    ] {
        server.ask(V, operation, payload).unwrap();
    }
    let events = server.written_events();
    let told: Vec<_> = events.iter().map(|event| event["action"].as_str().unwrap()).collect();
    let actions = ["create", "add-attribute", "archive", "recover", "re-key", "revoke", "destroy"]
        .map(|it| format!("kmip.{it}"));
    assert_eq!(told, actions);
    assert_eq!(
        events[4]["responseData"]["objects"].as_array().unwrap().len(),
        2,
        "the old key and the new one"
    );
    assert_eq!(events[6]["severity"], "critical");
}

#[test]
fn a_refused_change_is_in_the_log_when_it_is_answered_with_its_reason() {
    let server = Server::new();
    let key = active(&server);
    assert_eq!(
        server.ask(V, Operation::Destroy, vec![id(&key)]).unwrap_err(),
        Reason::WrongKeyLifecycleState
    );
    let reader = Client { role: Role::Reader, ..client("r") };
    let refused = server.ask_as(&reader, V, vec![], Operation::Destroy, vec![id(&key)]);
    assert_eq!(refused.unwrap_err(), Reason::PermissionDenied);
    let events = server.written_events();
    let events = of(&events, "kmip.destroy");
    assert_eq!(events.len(), 2);
    for (event, reason) in events.iter().zip(["WrongKeyLifecycleState", "PermissionDenied"]) {
        assert_eq!((&event["outcome"], &event["class"]), (&"failure".into(), &"refusal".into()));
        assert_eq!(event["reason"]["reasonType"], reason);
        assert_eq!(event["target"]["id"], key);
    }
}

#[test]
fn a_client_that_is_refused_again_and_again_is_counted() {
    let server = Server::new();
    for number in 0..200_u128 {
        let absent = id(&format!("{number:032x}"));
        assert_eq!(server.ask(V, Operation::Destroy, vec![absent]).unwrap_err(), Reason::ObjectNotFound);
    }
    assert_eq!(server.written_events().len(), 1);
    let events = server.events();
    let events = of(&events, "kmip.destroy");
    assert_eq!((events.len(), count(&events)), (2, 200));
}

#[test]
fn a_thousand_uses_are_few_events_that_count_them() {
    let server = Server::new();
    let (one, other) = (active(&server), active(&server));
    for number in 0..1000 {
        encrypt(&server, if number % 4 == 0 { &other } else { &one }, b"some data").unwrap();
    }
    assert_eq!(of(&server.written_events(), "kmip.encrypt").len(), 0);
    let events = server.events();
    let uses = of(&events, "kmip.encrypt");
    assert_eq!((uses.len(), count(&uses)), (2, 1000));
    let of_other = uses.iter().find(|event| event["target"]["id"] == other).unwrap();
    assert_eq!((&of_other["count"], &of_other["class"]), (&250.into(), &"use".into()));
}

#[test]
fn what_a_use_takes_from_a_keys_limits_is_no_change_of_the_key() {
    let server = Server::new();
    let limits = Item::structure(
        Tag::USAGE_LIMITS,
        vec![Item::long(Tag::USAGE_LIMITS_TOTAL, 20), Item::enumeration(Tag::USAGE_LIMITS_UNIT, 1_u32)],
    );
    let key = server.aes(ENCRYPT, vec![limits, Item::date(Tag::ACTIVATION_DATE, 1000)]);
    encrypt(&server, &key, b"ten bytes!").unwrap();
    encrypt(&server, &key, b"ten bytes!").unwrap();
    assert_eq!(encrypt(&server, &key, b"more").unwrap_err(), Reason::PermissionDenied);
    let events = server.events();
    assert_eq!(of(&events, "kmip.create").len(), 1);
    // What began within a millisecond stands in no order.
    let mut outcomes: Vec<_> = of(&events, "kmip.encrypt")
        .iter()
        .map(|event| (event["outcome"].as_str().unwrap(), event["count"].as_u64().unwrap()))
        .collect();
    outcomes.sort_unstable();
    assert_eq!(outcomes, [("failure", 1), ("success", 2)]);
}

#[test]
fn a_use_by_the_placeholder_names_its_object() {
    let server = Server::new();
    let create = vec![
        Item::enumeration(Tag::OBJECT_TYPE, 2_u32),
        Item::structure(
            Tag::ATTRIBUTES,
            vec![
                Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, 3_u32),
                Item::integer(Tag::CRYPTOGRAPHIC_LENGTH, 128),
                Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, ENCRYPT),
            ],
        ),
    ];
    let items =
        server.batch(&client("a"), V, vec![], vec![(Operation::Create, create), (Operation::Get, vec![])]);
    let key = id_of(&outcome(&items[1]).unwrap());
    assert_eq!(of(&server.events(), "kmip.get")[0]["target"]["id"], key);
}

#[test]
fn what_is_undone_says_so() {
    let server = Server::new();
    let key = server.aes(ENCRYPT, vec![]);
    let undo = vec![Item::enumeration(Tag::BATCH_ERROR_CONTINUATION_OPTION, 3_u32)];
    let activate = (Operation::Activate, vec![id(&key)]);
    let absent = (Operation::Activate, vec![id(&"0".repeat(32))]);
    server.batch(&client("a"), V, undo, vec![activate, absent]);
    let events = server.written_events();
    let told: Vec<_> = events
        .iter()
        .skip(1)
        .map(|event| (event["action"].as_str().unwrap(), event["outcome"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [("kmip.activate", "success"), ("kmip.activate", "failure"), ("kmip.undo", "success")]);
    assert_eq!(events[3]["target"]["id"], key);
}

#[test]
fn who_comes_in_and_who_is_kept_out_is_recorded() {
    let server = Server::new();
    let host = [192, 0, 2, 1].into();
    for _ in 0..3 {
        Service::let_in(server.engine(), &client("a"));
        Service::kept_out(server.engine(), host, Rule::Revoked);
    }
    let events = server.events();
    let mut connects = of(&events, "kmip.connect");
    connects.sort_unstable_by_key(|event| event["outcome"] == "failure");
    let [admitted, refused] = connects[..] else { panic!("{events:?}") };
    assert_eq!((&admitted["class"], &admitted["count"]), (&"login".into(), &3.into()));
    assert_eq!(refused["reason"]["reasonType"], "revoked");
    assert_eq!(
        (&refused["initiator"]["host"]["address"], &refused["count"]),
        (&"192.0.2.1".into(), &3.into())
    );
}

#[test]
fn no_value_is_in_an_event() {
    let server = Server::new();
    let key = active(&server);
    let got = server.ask(V, Operation::Get, vec![id(&key)]).unwrap();
    let block = field(&got, Tag::SYMMETRIC_KEY).child(Tag::KEY_BLOCK).unwrap();
    let material = block.child(Tag::KEY_VALUE).unwrap().child(Tag::KEY_MATERIAL).unwrap();
    let value = hex::encode(material.as_bytes().unwrap());
    encrypt(&server, &key, b"attack at dawn, as ever").unwrap();
    // The refusal's text repeats what was asked; its event does not.
    assert!(server.ask(V, Operation::Activate, vec![id("attack at dawn, as ever")]).is_err());
    let events = serde_json::to_string(&server.events()).unwrap();
    for hidden in [value.as_str(), "attack at dawn", &hex::encode("attack at dawn")] {
        assert!(!events.to_lowercase().contains(hidden), "{hidden} is in {events}");
    }
}

#[test]
fn what_touches_no_object_is_not_recorded() {
    let server = Server::new();
    server.ask(V, Operation::Ping, vec![]).unwrap();
    assert_eq!(server.events(), Vec::<Json>::new());
    // But for its refusals.
    assert!(server.ask(V, Operation::Ping, vec![id("x")]).is_err());
    assert_eq!(of(&server.events(), "kmip.ping").len(), 1);
}

#[test]
fn who_has_a_network_of_ipv6_is_counted_by_it() {
    let server = Server::new();
    let refused = |host: &str| Service::kept_out(server.engine(), host.parse().unwrap(), Rule::Revoked);
    for host in 0..100 {
        refused(&format!("2001:db8:1:2::{host:x}"));
        refused(&format!("2001:db8:1:2:{host:x}::1"));
    }
    refused("2001:db8:1:3::1");
    refused("::ffff:192.0.2.1");
    refused("192.0.2.1");
    refused("192.0.2.2");
    let events = server.events();
    let mut counts: Vec<(&str, u64)> = of(&events, "kmip.connect")
        .iter()
        .map(|event| {
            let address = event["initiator"]["host"]["address"].as_str().unwrap();
            (address, event["count"].as_u64().unwrap())
        })
        .collect();
    counts.sort_unstable();
    assert_eq!(counts, [("192.0.2.1", 2), ("192.0.2.2", 1), ("2001:db8:1:2::", 200), ("2001:db8:1:3::", 1)]);
}
