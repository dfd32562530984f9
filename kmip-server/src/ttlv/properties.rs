//! What holds for every tree and for any bytes: trees come back from all three encodings, and nothing
//! that comes in makes the readers panic.

use proptest::prelude::*;

use super::text::{json, xml};
use super::*;

fn tag() -> impl Strategy<Value = Tag> {
    prop_oneof![0x42_0001..0x42_0180_u32, 0x54_0000..0x54_0004_u32, Just(Tag::ATTRIBUTE_VALUE.number())]
        .prop_map(Tag)
}

/// Text without what XML cannot hold.
fn text() -> impl Strategy<Value = String> {
    "[ -~\t\r\nà-ÿ€😀]{0,20}"
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i32>().prop_map(Value::Integer),
        any::<i64>().prop_map(Value::LongInteger),
        prop::collection::vec(any::<[u8; 8]>(), 1..4)
            .prop_map(|words| Value::BigInteger(words.concat().into())),
        prop_oneof![any::<u32>(), 0..40_u32].prop_map(Value::Enumeration),
        any::<bool>().prop_map(Value::Boolean),
        text().prop_map(|text| Value::TextString(text.into())),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| Value::ByteString(bytes.into())),
        prop_oneof![any::<i64>(), -1_000_000..i64::from(u32::MAX)].prop_map(Value::DateTime),
        any::<u32>().prop_map(Value::Interval),
        any::<i64>().prop_map(Value::DateTimeExtended),
    ]
}

fn item() -> impl Strategy<Value = Item> {
    let leaf = (tag(), value()).prop_map(|(tag, value)| Item { tag, value });
    leaf.prop_recursive(5, 60, 6, |inner| {
        (tag(), prop::collection::vec(inner, 0..6)).prop_map(|(tag, items)| Item::structure(tag, items))
    })
}

/// How many bytes of memory a tree takes beyond its root.
fn memory(item: &Item) -> usize {
    match &item.value {
        Value::Structure(items) => {
            items.capacity() * size_of::<Item>() + items.iter().map(memory).sum::<usize>()
        }
        Value::TextString(text) => text.capacity(),
        Value::ByteString(bytes) | Value::BigInteger(bytes) => bytes.capacity(),
        _ => 0,
    }
}

proptest! {
    #[test]
    fn trees_come_back_from_bytes(item in item()) {
        let bytes = encode(&item);
        prop_assert_eq!(bytes.len(), encoded_length(&item));
        let read = decode(&bytes, &Limits::default());
        prop_assert_eq!(read.as_ref(), Ok(&item));
        prop_assert!(memory(&item) == 0 || memory(&read.unwrap()) <= 6 * bytes.len());
    }

    #[test]
    fn trees_come_back_from_text(item in item()) {
        let limits = Limits::default();
        prop_assert_eq!(xml::decode(xml::encode(&item).as_bytes(), &limits), Ok(item.clone()));
        prop_assert_eq!(json::decode(json::encode(&item).as_bytes(), &limits), Ok(item));
    }

    #[test]
    fn damaged_bytes_are_read_as_written_or_refused(item in item(), bit in any::<prop::sample::Index>()) {
        let mut bytes = encode(&item).to_vec();
        let bit = bit.index(8 * bytes.len());
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(read) = decode(&bytes, &Limits::default()) {
            prop_assert_eq!(encode(&read).to_vec(), bytes);
        }
    }

    #[test]
    fn halves_are_refused(item in item(), length in any::<prop::sample::Index>()) {
        let bytes = encode(&item);
        prop_assert!(decode(&bytes[..length.index(bytes.len())], &Limits::default()).is_err());
        let (xml, json) = (xml::encode(&item), json::encode(&item));
        let half = &xml.as_bytes()[..length.index(xml.len())];
        prop_assert!(xml::decode(half, &Limits::default()).is_err());
        let half = &json.as_bytes()[..length.index(json.len())];
        prop_assert!(json::decode(half, &Limits::default()).is_err());
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let limits = Limits::default();
        if let Ok(read) = decode(&bytes, &limits) {
            prop_assert_eq!(encode(&read).to_vec(), bytes.clone());
        }
        if let Some(header) = bytes.first_chunk() {
            prop_assert!(frame_length(header, 4096).is_ok_and(|length| length <= 4096) || frame_length(header, 4096).is_err());
        }
        let _ = (xml::decode(&bytes, &limits), json::decode(&bytes, &limits));
    }
}
