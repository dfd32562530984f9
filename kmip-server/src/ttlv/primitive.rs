//! Values of single items as bytes. Those of a fixed size are read and written by the primitives of
//! `kmip-ttlv`, at no cost. Of our own: Interval and Date-Time Extended, which it lacks; padding, which it
//! does not look at; and strings. It clears memory before it reads them, which made decoding a small
//! request a tenth slower, and for writing it wants a copy of its own that nobody wipes. Tests compare
//! ours with its.

use hsm_core::secret::Wiped;
use kmip_ttlv::types::{
    Error, SerializableTtlvType, TtlvBoolean, TtlvDateTime, TtlvEnumeration, TtlvInteger, TtlvLongInteger,
};

use super::decode::Fault;
use super::enums::ItemType;
use super::item::Value;

/// Reads a value of any type but Structure. The bytes are all of it, without padding.
pub(super) fn read(item_type: u8, bytes: &[u8]) -> Result<Value, Fault> {
    let item_type = ItemType::from_number(item_type.into()).ok_or(Fault::Type)?;
    Ok(match item_type {
        ItemType::Structure => return Err(Fault::Type),
        ItemType::Integer => Value::Integer(by::<TtlvInteger>(bytes)?.0),
        ItemType::LongInteger => Value::LongInteger(by::<TtlvLongInteger>(bytes)?.0),
        ItemType::BigInteger => Value::BigInteger(big_integer(bytes)?),
        ItemType::Enumeration => Value::Enumeration(by::<TtlvEnumeration>(bytes)?.0),
        ItemType::Boolean => Value::Boolean(by::<TtlvBoolean>(bytes)?.0),
        ItemType::TextString => Value::TextString(text(bytes)?),
        ItemType::ByteString => Value::ByteString(Wiped::new(bytes.to_vec())),
        ItemType::DateTime => Value::DateTime(by::<TtlvDateTime>(bytes)?.0),
        ItemType::Interval => Value::Interval(u32::from_be_bytes(fixed(bytes)?)),
        ItemType::DateTimeExtended => Value::DateTimeExtended(i64::from_be_bytes(fixed(bytes)?)),
    })
}

/// Reads a value by the crate's primitive, which checks its length.
fn by<T: SerializableTtlvType>(bytes: &[u8]) -> Result<T, Fault> {
    let length = u32::try_from(bytes.len()).map_err(|_| Fault::TooLong)?;
    T::read_value(&mut &*bytes, length).map_err(|error| match error {
        Error::InvalidTtlvValue(_) => Fault::Boolean,
        _ => Fault::Length,
    })
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Fault> {
    bytes.try_into().map_err(|_| Fault::Length)
}

/// Its length is a multiple of eight, and not zero: there is no sign without a byte.
fn big_integer(bytes: &[u8]) -> Result<Wiped<Vec<u8>>, Fault> {
    if bytes.is_empty() || !bytes.len().is_multiple_of(8) {
        return Err(Fault::Length);
    }
    Ok(Wiped::new(bytes.to_vec()))
}

/// Looked at before it is copied, since a copy that is refused would not be wiped.
fn text(bytes: &[u8]) -> Result<Wiped<String>, Fault> {
    let text = str::from_utf8(bytes).map_err(|_| Fault::Utf8)?;
    Ok(Wiped::new(text.to_owned()))
}

/// Writes type, length, value and padding of a value of any type but Structure.
pub(super) fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Structure(_) => debug_assert!(false, "structures are written item by item"),
        Value::Integer(number) => put(&TtlvInteger(*number), out),
        Value::LongInteger(number) => put(&TtlvLongInteger(*number), out),
        Value::BigInteger(bytes) => put_big_integer(bytes, out),
        Value::Enumeration(number) => put(&TtlvEnumeration(*number), out),
        Value::Boolean(value) => put(&TtlvBoolean(*value), out),
        Value::TextString(text) => put_string(ItemType::TextString, text.as_bytes(), out),
        Value::ByteString(bytes) => put_string(ItemType::ByteString, bytes, out),
        Value::DateTime(seconds) => put(&TtlvDateTime(*seconds), out),
        Value::Interval(seconds) => {
            put_head(ItemType::Interval, 4, out);
            out.extend_from_slice(&seconds.to_be_bytes());
            out.extend_from_slice(&[0; 4]);
        }
        Value::DateTimeExtended(microseconds) => {
            put_head(ItemType::DateTimeExtended, 8, out);
            out.extend_from_slice(&microseconds.to_be_bytes());
        }
    }
}

fn put<T: SerializableTtlvType>(value: &T, out: &mut Vec<u8>) {
    let written = value.write(out);
    debug_assert!(written.is_ok(), "a vector takes what is written to it");
}

fn put_head(item_type: ItemType, length: usize, out: &mut Vec<u8>) {
    let [.., item_type] = item_type.number().to_be_bytes();
    // Strings are shorter than 4 GiB: see the structure's length.
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    out.push(item_type);
    out.extend_from_slice(&length.to_be_bytes());
}

fn put_string(item_type: ItemType, bytes: &[u8], out: &mut Vec<u8>) {
    put_head(item_type, bytes.len(), out);
    out.extend_from_slice(bytes);
    out.resize(out.len() + padding(bytes.len()), 0);
}

/// The sign is written in front until the length is a multiple of eight; nothing at all is zero.
fn put_big_integer(bytes: &[u8], out: &mut Vec<u8>) {
    let fill = if bytes.is_empty() { 8 } else { padding(bytes.len()) };
    let sign = if bytes.first().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 };
    put_head(ItemType::BigInteger, fill + bytes.len(), out);
    out.resize(out.len() + fill, sign);
    out.extend_from_slice(bytes);
}

fn padding(length: usize) -> usize {
    length.next_multiple_of(8) - length
}

#[cfg(test)]
mod tests {
    use kmip_ttlv::types::{TtlvBigInteger, TtlvByteString, TtlvTextString};
    use proptest::prelude::*;

    use super::*;

    /// What the crate makes of a value, padding included.
    fn theirs(value: &impl SerializableTtlvType) -> Vec<u8> {
        let mut out = Vec::new();
        value.write(&mut out).unwrap();
        out
    }

    fn ours(value: &Value) -> Vec<u8> {
        let mut out = Vec::new();
        write(value, &mut out);
        out
    }

    proptest! {
        #[test]
        fn strings_are_written_as_the_crate_writes_them(
            text in any::<String>(),
            bytes in prop::collection::vec(any::<u8>(), 1..40),
        ) {
            let (ours_text, theirs_text) = (ours(&Value::TextString(text.clone().into())), theirs(&TtlvTextString(text)));
            prop_assert_eq!(ours_text, theirs_text);
            prop_assert_eq!(ours(&Value::ByteString(bytes.clone().into())), theirs(&TtlvByteString(bytes.clone())));
            prop_assert_eq!(ours(&Value::BigInteger(bytes.clone().into())), theirs(&TtlvBigInteger(bytes)));
        }

        #[test]
        fn strings_are_read_as_the_crate_reads_them(bytes in prop::collection::vec(any::<u8>(), 0..6)) {
            let length = bytes.len() as u32;
            let text = TtlvTextString::read_value(&mut &*bytes, length).ok().map(|text| Value::TextString(text.0.into()));
            prop_assert_eq!(read(0x07, &bytes).ok(), text);
            let string = TtlvByteString::read_value(&mut &*bytes, length).unwrap();
            prop_assert_eq!(read(0x08, &bytes), Ok(Value::ByteString(string.0.into())));
        }
    }
}
