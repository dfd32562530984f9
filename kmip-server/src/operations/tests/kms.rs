//! The key management service's policies at this door, and its upkeep by a server.

use std::time::{Duration, Instant};

use hsm_core::kms::{Actor, Description, Kind, RotationPolicy};
use hsm_core::object::lifecycle;
use hsm_core::service::kms::{Caller, Kms};
use hsm_core::session::Session;

use super::kit::*;
use crate::ttlv::enums::{Operation, ResultReason as Reason};
use crate::ttlv::{Item, Tag, Version};
use crate::upkeep::Upkeep;

const DAY: i64 = 86_400;

fn kms(session: &Session, now: i64) -> Kms<'_> {
    let actor = Actor { id: "tester".into(), name: "tester".into() };
    session.kms(Caller { actor, now, trail: None, host: None })
}

/// An object's structure with a Key Block of bytes.
fn structure(kind: Tag, format: u32, said: Option<(u32, i32)>, value: Vec<u8>) -> Item {
    let material = Item::structure(Tag::KEY_VALUE, vec![Item::bytes(Tag::KEY_MATERIAL, value)]);
    let mut block = vec![Item::enumeration(Tag::KEY_FORMAT_TYPE, format), material];
    if let Some((algorithm, length)) = said {
        block.push(Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, algorithm));
        block.push(Item::integer(Tag::CRYPTOGRAPHIC_LENGTH, length));
    }
    let mut object = vec![Item::structure(Tag::KEY_BLOCK, block)];
    if kind == Tag::SECRET_DATA {
        object.insert(0, Item::enumeration(Tag::SECRET_DATA_TYPE, 1_u32));
    }
    Item::structure(kind, object)
}

/// Requests that bring an AES key, a password, and data that is no key.
fn brought() -> [(u32, Item); 3] {
    let opaque = vec![
        Item::enumeration(Tag::OPAQUE_DATA_TYPE, 0x8000_0001_u32),
        Item::bytes(Tag::OPAQUE_DATA_VALUE, b"data".to_vec()),
    ];
    [
        (2, structure(Tag::SYMMETRIC_KEY, 1, Some((3, 256)), vec![7; 32])),
        (7, structure(Tag::SECRET_DATA, 2, None, b"password".to_vec())),
        (8, Item::structure(Tag::OPAQUE_OBJECT, opaque)),
    ]
}

fn attributes() -> Item {
    Item::structure(Tag::ATTRIBUTES, vec![Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, 0xc)])
}

#[test]
fn where_tokens_are_enforced_no_key_is_registered_or_imported() {
    let server = Server::new();
    let register = |(kind, object): (u32, Item)| {
        let payload = vec![Item::enumeration(Tag::OBJECT_TYPE, kind), attributes(), object];
        server.ask(Version::V2_1, Operation::Register, payload).map(drop)
    };
    let import = |number: u8, (kind, object): (u32, Item)| {
        let there = format!("{number:02x}").repeat(16);
        let payload = vec![id(&there), Item::enumeration(Tag::OBJECT_TYPE, kind), attributes(), object];
        server.ask(Version::V2_1, Operation::Import, payload).map(drop)
    };
    for (number, object) in (1..).zip(brought()) {
        assert_eq!(register(object.clone()), Ok(()));
        assert_eq!(import(number, object), Ok(()));
    }
    let enforce = |policies: &mut hsm_core::kms::Policies| {
        policies.access.enforce_token = true;
        Ok(())
    };
    kms(&server.session(), lifecycle::now()).change_policies(&enforce).unwrap();
    for (number, object) in (11..).zip(brought()) {
        let expected = if object.0 == 8 { Ok(()) } else { Err(Reason::PermissionDenied) };
        assert_eq!(register(object.clone()), expected, "{}", object.0);
        assert_eq!(import(number, object.clone()), expected, "{}", object.0);
    }
    server.aes(0xc, vec![]);
}

#[test]
fn a_server_keeps_keys_while_it_runs_and_stops_at_once() {
    let server = Server::new();
    let session = server.session();
    let now = lifecycle::now();
    let before = kms(&session, now - 100 * DAY);
    let ids: Vec<_> = (0..12)
        .map(|number| {
            let id = before.create(Description::new(Kind::Root, &format!("key {number}")), None).unwrap().id;
            before.set_rotation(&id.to_string(), RotationPolicy::new(1, true).unwrap()).unwrap();
            id.to_string()
        })
        .collect();
    let upkeep = Upkeep::start(server.shared_engine()).unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    let rotated = |id: &String| kms(&session, now).key(id).unwrap().versions.len() == 2;
    // More than a round does: what is left does not wait for a minute.
    while !ids.iter().all(rotated) {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(50));
    }
    let stopping = Instant::now();
    drop(upkeep);
    assert!(stopping.elapsed() < Duration::from_secs(10));
}
