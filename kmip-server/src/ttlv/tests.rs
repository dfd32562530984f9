//! What the parts of TTLV do together: versions of whole messages.

use super::enums::{CryptographicUsageMask, Operation, ResultReason};
use super::*;

#[test]
fn a_tag_newer_than_the_version_is_found() {
    let inner =
        Item::structure(Tag::CAPABILITY_INFORMATION, vec![Item::boolean(Tag::BATCH_UNDO_CAPABILITY, true)]);
    let item = Item::structure(Tag::RESPONSE_PAYLOAD, vec![inner]);
    assert_eq!(check_version(&item, Version::V1_2), Err(Tag::CAPABILITY_INFORMATION));
    assert_eq!(check_version(&item, Version::V1_3), Err(Tag::BATCH_UNDO_CAPABILITY));
    assert_eq!(check_version(&item, Version::V1_4), Ok(()));
    assert_eq!(check_version(&item, Version::V2_1), Ok(()));
}

#[test]
fn a_tag_that_the_version_dropped_is_found() {
    let item = Item::structure(Tag::TEMPLATE_ATTRIBUTE, vec![]);
    assert_eq!(check_version(&item, Version::V1_4), Ok(()));
    assert_eq!(check_version(&item, Version::V2_0), Err(Tag::TEMPLATE_ATTRIBUTE));
}

#[test]
fn a_value_newer_than_the_version_is_found() {
    let item = Item::enumeration(Tag::OPERATION, Operation::Encrypt);
    assert_eq!(check_version(&item, Version::V1_1), Err(Tag::OPERATION));
    assert_eq!(check_version(&item, Version::V1_2), Ok(()));
    let item = Item::enumeration(Tag::RESULT_REASON, ResultReason::ObjectNotFound);
    assert_eq!(check_version(&item, Version::V1_4), Err(Tag::RESULT_REASON));
}

#[test]
fn a_bit_newer_than_the_version_is_found() {
    let bits = CryptographicUsageMask::Sign.number() | CryptographicUsageMask::FPEEncrypt.number();
    let item = Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, bits.cast_signed());
    assert_eq!(check_version(&item, Version::V1_4), Err(Tag::CRYPTOGRAPHIC_USAGE_MASK));
    assert_eq!(check_version(&item, Version::V2_0), Ok(()));
}

#[test]
fn extensions_are_in_every_version() {
    let item = Item::structure(Tag(0x54_0001), vec![Item::enumeration(Tag::OPERATION, 0x8000_0001_u32)]);
    assert_eq!(check_version(&item, Version::V1_0), Ok(()));
}

#[test]
fn the_extended_date_came_with_2_0() {
    let item = Item::date_extended(Tag(0x54_0001), 1);
    assert_eq!(check_version(&item, Version::V1_4), Err(item.tag));
    assert_eq!(check_version(&item, Version::V2_0), Ok(()));
}
