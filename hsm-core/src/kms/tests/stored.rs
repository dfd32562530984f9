//! Records: what comes back, what is none, and that an object says the same state as its key.

use super::kit::*;
use crate::kms::{Description, Instance, Kind, Removal, decode, decode_instance, encode, encode_instance};
use crate::object::Object;
use crate::object::lifecycle;
use crate::object::managed::{KmsMark, kms_state};

#[test]
fn a_key_comes_back() {
    let mut key = said(
        Description {
            aliases: vec!["alias".into()],
            tags: vec!["tag".into()],
            description: Some("what for".into()),
            ..Description::new(Kind::Root, "a key")
        },
        true,
    );
    key.register("crn", true, None, &actor("bob"), NOW).unwrap();
    key.rotate(id(3), 16, &actor("bob"), NOW);
    assert_eq!(decode(&encode(&key).unwrap()), Some(key));
    assert!(decode(&[]).is_none());
    assert!(decode(b"no key").is_none());
}

#[test]
fn an_instance_comes_back() {
    let mut instance = Instance::default();
    instance.add_ring("ring", &actor("alice"), NOW).unwrap();
    instance.policies.allowed_ip = vec!["192.0.2.0/24".parse().unwrap(), "::1".parse().unwrap()];
    let back = decode_instance(&encode_instance(&instance).unwrap());
    assert_eq!(back, Some(instance));
    assert!(decode_instance(&[9]).is_none());
}

#[test]
fn an_object_says_the_state_of_its_key() {
    let mut key = expiring(NOW + 100);
    let mut seen = Vec::new();
    let mut compare = |key: &crate::kms::KeyRecord, now| {
        let mut object = Object::default();
        let mark = KmsMark { kind: key.kind, version: key.version().unwrap().id.0 };
        mark.put(&mut object, key.is_suspended(), key.expiration);
        assert_eq!(KmsMark::of(&object), Some(mark));
        assert_eq!(kms_state(&object, now), Some(key.state(now)));
        assert_eq!(lifecycle::state(&object, now), key.state(now).in_kmip());
        seen.push(key.state(now) as u8);
    };
    compare(&key, NOW);
    compare(&key, NOW + 100);
    key.disable(NOW).unwrap();
    compare(&key, NOW);
    compare(&key, NOW + 100);
    key.enable(NOW + 50).unwrap();
    compare(&key, NOW + 50);
    assert_eq!(seen, [1, 3, 2, 2, 1]);
    key.delete(Removal::Unused, &actor("alice"), NOW).unwrap();
    assert_eq!(kms_state(&Object::default(), NOW), None);
}
