//! Items to bytes and back: the examples of the standard, and what the primitives' crate writes.

use super::*;
use crate::ttlv::{Limits, Tag, decode};

/// The examples of KMIP 1.4, section 9.1.2, each with the tag 42 00 20, and one of the type of 2.0.
#[rustfmt::skip]
fn examples() -> Vec<(Item, &'static str)> {
    let tag = Tag::COMPROMISE_DATE;
    vec![
        (Item::integer(tag, 8), "42002002000000040000000800000000"),
        (Item::long(tag, 123_456_789_000_000_000), "420020030000000801b69b4ba5749200"),
        (Item::big_integer(tag, hex::decode("03fd35eb6bc2df4618080000").unwrap()),
            "42002004000000100000000003fd35eb6bc2df4618080000"),
        (Item::enumeration(tag, 255_u32), "4200200500000004000000ff00000000"),
        (Item::boolean(tag, true), "42002006000000080000000000000001"),
        (Item::text(tag, "Hello World"), "420020070000000b48656c6c6f20576f726c640000000000"),
        (Item::bytes(tag, vec![1, 2, 3]), "42002008000000030102030000000000"),
        (Item::date(tag, 0x47da_67f8), "42002009000000080000000047da67f8"),
        (Item::interval(tag, 864_000), "4200200a00000004000d2f0000000000"),
        (Item::structure(tag, vec![
            Item::enumeration(Tag::APPLICATION_SPECIFIC_INFORMATION, 254_u32),
            Item::integer(Tag::ARCHIVE_DATE, 255)]),
            "42002001000000204200040500000004000000fe000000004200050200000004000000ff00000000"),
        (Item::date_extended(tag, 0x0005_75ca_8f80_4800), "4200200b00000008000575ca8f804800"),
    ]
}

#[test]
fn the_examples_of_the_standard_are_written_and_read() {
    for (item, bytes) in examples() {
        assert_eq!(hex::encode(&*encode(&item)), bytes, "{item:?}");
        assert_eq!(encoded_length(&item), bytes.len() / 2, "{item:?}");
        let read = decode(&hex::decode(bytes).unwrap(), &Limits::default()).unwrap();
        assert_eq!(hex::encode(&*encode(&read)), bytes, "{item:?}");
    }
}

#[test]
fn big_integers_are_filled_with_their_sign() {
    let written = |bytes: &[u8]| hex::encode(&encode(&Item::big_integer(Tag::MODULUS, bytes.to_vec()))[4..]);
    assert_eq!(written(&[]), "000000080000000000000000");
    assert_eq!(written(&[0x7f]), "00000008000000000000007f");
    assert_eq!(written(&[0x80]), "00000008ffffffffffffff80");
    assert_eq!(written(&[0; 9]), "0000001000000000000000000000000000000000");
}

#[test]
fn the_room_is_made_once() {
    let items = (0..100).map(|number| Item::text(Tag::NAME_VALUE, "x".repeat(number))).collect();
    let item = Item::structure(Tag::ATTRIBUTES, items);
    let written = encode(&item);
    assert_eq!(written.len(), encoded_length(&item));
    assert_eq!(written.len(), written.capacity());
}
