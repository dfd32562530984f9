//! The tree of items that a message is. Byte strings, big integers and text may be keys and passwords:
//! they are wiped when dropped, and `Debug` shows their lengths alone.

use std::fmt;

use hsm_core::secret::Wiped;

use super::tags::Tag;

pub use super::enums::ItemType;

/// One item: what it is, and its value.
#[derive(Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub tag: Tag,
    /// Its value.
    pub value: Value,
}

/// The value of an item, one variant for each type: KMIP 1.4, section 9.1.1.4; 2.1, section 10.1.4.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Items in their order.
    Structure(Vec<Item>),
    /// 32 bits, signed.
    Integer(i32),
    /// 64 bits, signed.
    LongInteger(i64),
    /// Two's complement, most significant byte first, as many bytes as were sent. Written with leading
    /// copies of the sign so that the length is a multiple of eight.
    BigInteger(Wiped<Vec<u8>>),
    /// A value of an enumeration, which one being known by the tag.
    Enumeration(u32),
    /// True or false.
    Boolean(bool),
    /// UTF-8.
    TextString(Wiped<String>),
    /// Any bytes.
    ByteString(Wiped<Vec<u8>>),
    /// Seconds since 1970.
    DateTime(i64),
    /// Seconds.
    Interval(u32),
    /// Microseconds since 1970 (2.0).
    DateTimeExtended(i64),
}

impl Value {
    /// Its type.
    pub fn item_type(&self) -> ItemType {
        match self {
            Value::Structure(_) => ItemType::Structure,
            Value::Integer(_) => ItemType::Integer,
            Value::LongInteger(_) => ItemType::LongInteger,
            Value::BigInteger(_) => ItemType::BigInteger,
            Value::Enumeration(_) => ItemType::Enumeration,
            Value::Boolean(_) => ItemType::Boolean,
            Value::TextString(_) => ItemType::TextString,
            Value::ByteString(_) => ItemType::ByteString,
            Value::DateTime(_) => ItemType::DateTime,
            Value::Interval(_) => ItemType::Interval,
            Value::DateTimeExtended(_) => ItemType::DateTimeExtended,
        }
    }
}

/// What builds items; each names the type that it makes.
impl Item {
    /// An item of any type.
    pub fn new(tag: Tag, value: Value) -> Item {
        Item { tag, value }
    }

    /// A Structure.
    pub fn structure(tag: Tag, items: Vec<Item>) -> Item {
        Item::new(tag, Value::Structure(items))
    }

    /// An Integer.
    pub fn integer(tag: Tag, value: i32) -> Item {
        Item::new(tag, Value::Integer(value))
    }

    /// A Long Integer.
    pub fn long(tag: Tag, value: i64) -> Item {
        Item::new(tag, Value::LongInteger(value))
    }

    /// A Big Integer: two's complement, most significant byte first.
    pub fn big_integer(tag: Tag, bytes: impl Into<Wiped<Vec<u8>>>) -> Item {
        Item::new(tag, Value::BigInteger(bytes.into()))
    }

    /// An Enumeration.
    pub fn enumeration(tag: Tag, value: impl Into<u32>) -> Item {
        Item::new(tag, Value::Enumeration(value.into()))
    }

    /// A Boolean.
    pub fn boolean(tag: Tag, value: bool) -> Item {
        Item::new(tag, Value::Boolean(value))
    }

    /// A Text String.
    pub fn text(tag: Tag, text: impl Into<String>) -> Item {
        Item::new(tag, Value::TextString(Wiped::new(text.into())))
    }

    /// A Byte String.
    pub fn bytes(tag: Tag, bytes: impl Into<Wiped<Vec<u8>>>) -> Item {
        Item::new(tag, Value::ByteString(bytes.into()))
    }

    /// A Date-Time, in seconds since 1970.
    pub fn date(tag: Tag, seconds: i64) -> Item {
        Item::new(tag, Value::DateTime(seconds))
    }

    /// An Interval, in seconds.
    pub fn interval(tag: Tag, seconds: u32) -> Item {
        Item::new(tag, Value::Interval(seconds))
    }

    /// A Date-Time Extended, in microseconds since 1970.
    pub fn date_extended(tag: Tag, microseconds: i64) -> Item {
        Item::new(tag, Value::DateTimeExtended(microseconds))
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Value::Enumeration(number) => match super::enums::name_of(self.tag, *number) {
                Some(name) => write!(f, "{}: {name}", self.tag),
                None => write!(f, "{}: {:?}", self.tag, self.value),
            },
            value => write!(f, "{}: {value:?}", self.tag),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Structure(items) => f.debug_set().entries(items).finish(),
            Value::Integer(number) => write!(f, "{number}"),
            Value::LongInteger(number) | Value::DateTime(number) | Value::DateTimeExtended(number) => {
                write!(f, "{number}")
            }
            Value::Enumeration(number) => write!(f, "0x{number:08x}"),
            Value::Boolean(value) => write!(f, "{value}"),
            Value::Interval(seconds) => write!(f, "{seconds} s"),
            Value::TextString(text) => write!(f, "text of {} bytes", text.len()),
            Value::BigInteger(bytes) | Value::ByteString(bytes) => write!(f, "{} bytes", bytes.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ttlv::enums::ObjectType;

    #[test]
    fn debug_shows_no_content_that_may_be_secret() {
        let item = Item::structure(
            Tag::KEY_BLOCK,
            vec![
                Item::enumeration(Tag::OBJECT_TYPE, ObjectType::SymmetricKey),
                Item::text(Tag::PASSWORD, "hush"),
                Item::bytes(Tag::KEY_MATERIAL, vec![0x68; 4]),
                Item::big_integer(Tag::PRIVATE_EXPONENT, vec![0x68; 8]),
                Item::integer(Tag::CRYPTOGRAPHIC_LENGTH, 256),
            ],
        );
        let shown = format!("{item:?}");
        assert!(!shown.contains("hush") && !shown.contains("68") && !shown.contains("104"), "{shown}");
        assert_eq!(
            shown,
            "KeyBlock: {ObjectType: SymmetricKey, Password: text of 4 bytes, KeyMaterial: 4 bytes, \
             PrivateExponent: 8 bytes, CryptographicLength: 256}"
        );
    }
}
