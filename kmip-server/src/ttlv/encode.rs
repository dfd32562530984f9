//! Items to bytes: KMIP 1.4, section 9.1. The room is made once, so that no copy of a key is left behind
//! by a vector that grew.

use hsm_core::secret::Wiped;

use super::decode::HEADER;
use super::item::{Item, Value};
use super::primitive;

/// Bytes that hold a message, wiped when dropped.
pub type Encoded = Wiped<Vec<u8>>;

/// Writes an item.
pub fn encode(item: &Item) -> Encoded {
    let mut out = Wiped::new(Vec::with_capacity(encoded_length(item)));
    write(item, &mut out);
    out
}

/// How many bytes the item takes, header and padding included.
pub fn encoded_length(item: &Item) -> usize {
    HEADER
        + match &item.value {
            Value::Structure(items) => items.iter().map(encoded_length).sum(),
            Value::BigInteger(bytes) => bytes.len().next_multiple_of(8).max(8),
            Value::TextString(text) => text.len().next_multiple_of(8),
            Value::ByteString(bytes) => bytes.len().next_multiple_of(8),
            Value::Integer(_)
            | Value::LongInteger(_)
            | Value::Enumeration(_)
            | Value::Boolean(_)
            | Value::DateTime(_)
            | Value::Interval(_)
            | Value::DateTimeExtended(_) => 8,
        }
}

fn write(item: &Item, out: &mut Vec<u8>) {
    let [_, tag @ ..] = item.tag.number().to_be_bytes();
    out.extend_from_slice(&tag);
    match &item.value {
        Value::Structure(items) => structure(items, out),
        value => primitive::write(value, out),
    }
}

/// The length is known when the items are written, and put in then.
fn structure(items: &[Item], out: &mut Vec<u8>) {
    out.extend_from_slice(&[0x01, 0, 0, 0, 0]);
    let begin = out.len();
    for item in items {
        write(item, out);
    }
    // Messages are shorter than 4 GiB: objects are bounded when they come in, and answers by their limit.
    let length = u32::try_from(out.len() - begin).unwrap_or(u32::MAX);
    if let Some(place) = out.get_mut(begin - 4..begin) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}

#[cfg(test)]
mod tests;
