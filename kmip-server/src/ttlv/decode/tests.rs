//! Hostile and broken bytes: each is refused for its own reason, at its place, before memory is spent.

use super::*;

/// A header.
fn head(tag: u32, item_type: u8, length: u32) -> Vec<u8> {
    let [_, tag @ ..] = tag.to_be_bytes();
    [&tag[..], &[item_type], &length.to_be_bytes()].concat()
}

/// An item with all its bytes given.
fn raw(tag: Tag, item_type: u8, length: u32, value: &[u8]) -> Vec<u8> {
    [head(tag.number(), item_type, length), value.to_vec()].concat()
}

/// A structure around what is given.
fn around(tag: Tag, inner: &[u8]) -> Vec<u8> {
    raw(tag, 1, inner.len() as u32, inner)
}

fn refused(bytes: &[u8], fault: Fault, offset: usize) {
    let error = decode(bytes, &Limits::default()).unwrap_err();
    assert_eq!((error.fault, error.offset), (fault, offset), "{error}");
}

fn frame(bytes: &[u8], most: usize) -> Result<usize, Fault> {
    frame_length(bytes.first_chunk().unwrap(), most).map_err(|error| error.fault)
}

#[test]
fn a_frame_has_the_length_of_its_header() {
    assert_eq!(frame(&head(0x42_0078, 1, 0x120), 0x128), Ok(0x128));
    assert_eq!(frame(&head(0x42_007b, 1, 0), 8), Ok(8));
}

#[test]
fn a_frame_longer_than_allowed_is_refused() {
    assert_eq!(frame(&head(0x42_0078, 1, 0x120), 0x127), Err(Fault::TooLong));
    assert_eq!(frame(&head(0x42_0078, 1, 0xffff_fff8), 1 << 20), Err(Fault::TooLong));
}

#[test]
fn a_frame_that_is_no_message_is_refused() {
    assert_eq!(frame(b"GET / HT", 1 << 20), Err(Fault::Tag));
    assert_eq!(frame(&[0x16, 3, 1, 2, 0, 1, 0, 1], 1 << 20), Err(Fault::Tag));
    assert_eq!(frame(&head(0x42_0077, 1, 8), 1 << 20), Err(Fault::Tag));
    assert_eq!(frame(&head(0x42_0078, 8, 8), 1 << 20), Err(Fault::Type));
    assert_eq!(frame(&head(0x42_0078, 1, 9), 1 << 20), Err(Fault::Length));
}

#[test]
fn half_an_item_is_refused() {
    let whole = around(Tag::BATCH_ITEM, &raw(Tag::BATCH_COUNT, 2, 4, &[0; 8]));
    assert!(decode(&whole, &Limits::default()).is_ok());
    for length in 0..whole.len() {
        let error = decode(&whole[..length], &Limits::default()).unwrap_err();
        assert_eq!(error.fault, Fault::Truncated, "{length}: {error}");
    }
}

#[test]
fn four_gigabytes_are_refused() {
    refused(&head(0x42_0078, 1, 0xffff_fff8), Fault::Truncated, 0);
    refused(&head(0x42_0078, 8, 0xffff_ffff), Fault::Truncated, 0);
    refused(&around(Tag::BATCH_ITEM, &head(0x42_0043, 8, 0xffff_ffff)), Fault::Truncated, 8);
}

#[test]
fn an_item_that_reaches_beyond_its_structure_is_refused() {
    let inner = around(Tag::BATCH_ITEM, &head(0x42_000d, 2, 4));
    refused(&[inner, vec![0; 8]].concat(), Fault::Truncated, 8);
}

#[test]
fn a_structure_that_ends_within_an_item_is_refused() {
    refused(&raw(Tag::BATCH_ITEM, 1, 4, &[0; 8]), Fault::Length, 0);
}

#[test]
fn what_follows_is_refused() {
    refused(&[around(Tag::BATCH_ITEM, &[]), vec![0]].concat(), Fault::Trailing, 0);
    refused(&[around(Tag::BATCH_ITEM, &[]), around(Tag::BATCH_ITEM, &[])].concat(), Fault::Trailing, 0);
}

#[test]
fn impossible_tags_are_refused() {
    for tag in [0, 0x41_ffff, 0x43_0000, 0x53_ffff, 0x55_0000, 0xff_ffff] {
        refused(&raw(Tag(tag), 2, 4, &[0; 8]), Fault::Tag, 0);
    }
    for tag in [0x42_0000, 0x42_ffff, 0x54_0000, 0x54_ffff] {
        assert!(decode(&raw(Tag(tag), 2, 4, &[0; 8]), &Limits::default()).is_ok(), "{tag:x}");
    }
}

#[test]
fn types_that_are_none_are_refused() {
    for item_type in [0, 0x0c, 0x80, 0xff] {
        refused(&raw(Tag::BATCH_COUNT, item_type, 4, &[0; 8]), Fault::Type, 0);
    }
}

#[test]
fn lengths_that_the_type_cannot_have_are_refused() {
    for (item_type, right) in [(2, 4), (3, 8), (5, 4), (6, 8), (9, 8), (0x0a, 4), (0x0b, 8)] {
        for length in (0..=16).filter(|length| *length != right) {
            refused(
                &raw(Tag::BATCH_COUNT, item_type, length, &vec![0; length.next_multiple_of(8) as usize]),
                Fault::Length,
                0,
            );
        }
        assert!(decode(&raw(Tag::BATCH_COUNT, item_type, right, &[0; 8]), &Limits::default()).is_ok());
    }
    for length in [0, 1, 7, 9] {
        refused(
            &raw(Tag::MODULUS, 4, length, &vec![0; length.next_multiple_of(8) as usize]),
            Fault::Length,
            0,
        );
    }
}

#[test]
fn padding_that_is_not_zero_is_refused() {
    refused(&raw(Tag::BATCH_COUNT, 2, 4, &[0, 0, 0, 1, 0, 0, 0, 1]), Fault::Padding, 0);
    refused(&raw(Tag::BATCH_COUNT, 5, 4, &[0, 0, 0, 1, 1, 0, 0, 0]), Fault::Padding, 0);
    refused(&raw(Tag::NAME_VALUE, 7, 3, b"abc\0\0\0\0d"), Fault::Padding, 0);
    refused(&raw(Tag::KEY_MATERIAL, 8, 7, b"abcdefgh"), Fault::Padding, 0);
    refused(&raw(Tag::LEASE_TIME, 0x0a, 4, &[0, 0, 0, 1, 0, 1, 0, 0]), Fault::Padding, 0);
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    for text in [&b"\xff\0\0\0\0\0\0\0"[..], b"\xc0\x80\0\0\0\0\0\0", b"\xed\xa0\x80\0\0\0\0\0"] {
        refused(&raw(Tag::NAME_VALUE, 7, 3, text), Fault::Utf8, 0);
    }
}

#[test]
fn a_boolean_is_zero_or_one() {
    refused(&raw(Tag::FRESH, 6, 8, &[0, 0, 0, 0, 0, 0, 0, 2]), Fault::Boolean, 0);
    refused(&raw(Tag::FRESH, 6, 8, &[1, 0, 0, 0, 0, 0, 0, 0]), Fault::Boolean, 0);
    refused(&raw(Tag::FRESH, 6, 8, &[0xff; 8]), Fault::Boolean, 0);
}

#[test]
fn depth_is_bounded() {
    let nested = |depth| (0..depth).fold(Vec::new(), |inner, _| around(Tag::ATTRIBUTE, &inner));
    let depth = Limits::default().depth;
    assert!(decode(&nested(depth), &Limits::default()).is_ok());
    refused(&nested(depth + 1), Fault::TooDeep, 8 * depth);
    refused(&nested(20_000), Fault::TooDeep, 8 * depth);
}

#[test]
fn items_are_bounded() {
    let flat = |count| around(Tag::ATTRIBUTES, &around(Tag::ATTRIBUTE, &[]).repeat(count));
    let limits = Limits { items: 100, ..Limits::default() };
    assert!(decode(&flat(99), &limits).is_ok());
    assert_eq!(decode(&flat(100), &limits).unwrap_err().fault, Fault::TooMany);
    refused(&flat(1_000_000), Fault::TooMany, 0);
}

#[test]
fn fields_are_bounded() {
    let limits = Limits { field: 16, ..Limits::default() };
    for (item_type, tag) in [(4, Tag::MODULUS), (7, Tag::NAME_VALUE), (8, Tag::KEY_MATERIAL)] {
        assert!(decode(&raw(tag, item_type, 16, &[0; 16]), &limits).is_ok());
        assert_eq!(decode(&raw(tag, item_type, 24, &[0; 24]), &limits).unwrap_err().fault, Fault::TooLong);
    }
}

#[test]
fn errors_name_the_item_and_no_content() {
    let bytes = around(Tag::BATCH_ITEM, &raw(Tag::PASSWORD, 7, 3, b"h\xffs\0\0\0\0\0"));
    let error = decode(&bytes, &Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "the item Password at byte 8 is not UTF-8");
    let error = decode(&[], &Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "the bytes at 0 end within an item");
}
