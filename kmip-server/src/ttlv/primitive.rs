//! Values of single items as bytes, by the primitives of `kmip-ttlv`. Of our own: Interval and Date-Time
//! Extended, which it lacks; padding, which it does not look at; and writing strings, for which it wants
//! a copy of its own that nobody wipes.

use kmip_ttlv::types::{
    Error, SerializableTtlvType, TtlvBigInteger, TtlvBoolean, TtlvByteString, TtlvDateTime, TtlvEnumeration,
    TtlvInteger, TtlvLongInteger, TtlvTextString,
};
use zeroize::Zeroizing;

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
        ItemType::ByteString => Value::ByteString(Zeroizing::new(by::<TtlvByteString>(bytes)?.0)),
        ItemType::DateTime => Value::DateTime(by::<TtlvDateTime>(bytes)?.0),
        ItemType::Interval => Value::Interval(u32::from_be_bytes(fixed(bytes)?)),
        ItemType::DateTimeExtended => Value::DateTimeExtended(i64::from_be_bytes(fixed(bytes)?)),
    })
}

/// The length of a value of the limits' size fits into the 32 bits of the encoding.
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
fn big_integer(bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
    if bytes.is_empty() || !bytes.len().is_multiple_of(8) {
        return Err(Fault::Length);
    }
    Ok(Zeroizing::new(by::<TtlvBigInteger>(bytes)?.0))
}

/// Looked at before it is copied, since a copy that fails is not wiped.
fn text(bytes: &[u8]) -> Result<Zeroizing<String>, Fault> {
    str::from_utf8(bytes).map_err(|_| Fault::Utf8)?;
    Ok(Zeroizing::new(by::<TtlvTextString>(bytes)?.0))
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
