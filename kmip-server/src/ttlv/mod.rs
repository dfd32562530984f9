//! TTLV, the encoding of KMIP 1.0 to 2.1: items of tag, type, length and value (KMIP 1.4, section 9.1),
//! in bytes and in text. Knows which tag and which value came with which version of the standard, and
//! nothing of what messages mean.

pub mod decode;
pub mod encode;
pub mod enums;
pub mod fields;
pub mod item;
mod primitive;
pub mod tags;
pub mod text;
pub mod version;

pub use decode::{DecodeError, Fault, Limits, decode, decode_children, frame_length};
pub use encode::{encode, encoded_length};
pub use fields::{Fields, Malformed};
pub use item::{Item, ItemType, Value};
pub use tags::Tag;
pub use version::Version;

/// Whether that version of the standard lists every tag and every enumerated value in the item. If not,
/// the first tag that it does not list, or whose value it does not. Extensions may be sent in any
/// version.
pub fn check_version(item: &Item, version: Version) -> Result<(), Tag> {
    if !item.tag.is_in(version) || value_is_newer(item, version) {
        return Err(item.tag);
    }
    match &item.value {
        Value::Structure(items) => items.iter().try_for_each(|item| check_version(item, version)),
        Value::DateTimeExtended(_) if version < Version::V2_0 => Err(item.tag),
        _ => Ok(()),
    }
}

/// Whether the item carries a tag or an enumerated value that came after a version. What later versions
/// dropped is no matter: attributes that were dropped are still read by whoever asks for them by name.
pub fn is_newer(item: &Item, version: Version) -> bool {
    item.tag.since().is_some_and(|since| since > version)
        || value_is_newer(item, version)
        || match &item.value {
            Value::Structure(items) => items.iter().any(|item| is_newer(item, version)),
            Value::DateTimeExtended(_) => version < Version::V2_0,
            _ => false,
        }
}

/// Values alone: an object made by an older client keeps what later versions dropped. What an Attribute
/// Value carries is known by the name beside it alone, and checked by whoever wrote that name.
fn value_is_newer(item: &Item, version: Version) -> bool {
    match &item.value {
        Value::Enumeration(number) => enums::since_of(item.tag, *number).is_some_and(|since| since > version),
        Value::Integer(bits) => enums::bits_of_tag(item.tag).is_some_and(|table| {
            table.rows.iter().any(|row| row.since > version && row.number & bits.cast_unsigned() != 0)
        }),
        _ => false,
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
