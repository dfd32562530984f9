//! Items as JSON: KMIP Profiles 1.4, section 5.2. An object for each item, with `tag`, `type` and
//! `value`, and perhaps a `name` that says nothing.

use std::fmt;

use hsm_core::secret::Wiped;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::{
    Place, TextError, TextFault, bit_names, bits_of, bounded, name_or_number, named_by, number_of, scalar,
    tag_of, type_of, utf8,
};
use crate::ttlv::decode::Limits;
use crate::ttlv::enums::ItemType;
use crate::ttlv::item::{Item, Value};
use crate::ttlv::tags::Tag;

/// Reads one item, which the text must be and nothing else.
pub fn decode(text: &[u8], limits: &Limits) -> Result<Item, TextError> {
    let object = serde_json::from_str(utf8(text)?).map_err(|error| unread(&error))?;
    let mut reading = Reading { limits, items: limits.items, batch_items: 0 };
    let item = reading.item(object, &[], limits.depth);
    let batch_item = Some(reading.batch_items).filter(|number| *number > 0);
    item.map_err(|error| TextError { batch_item, ..error })
}

/// Why a text is no tree of objects. The parser has a limit of its own for the depth, far beyond ours.
fn unread(error: &serde_json::Error) -> TextError {
    let too_deep = error.is_syntax() && error.to_string().starts_with("recursion limit exceeded");
    let fault = if too_deep { TextFault::TooDeep } else { TextFault::Syntax };
    TextError { place: Some(Place { line: error.line(), column: error.column() }), ..fault.into() }
}

/// An object as it is written, in any order.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Object {
    tag: String,
    #[serde(rename = "name")]
    _name: Option<String>,
    #[serde(rename = "type")]
    item_type: Option<String>,
    value: Option<Written>,
}

/// What may stand behind `value`.
enum Written {
    Boolean(bool),
    Number(i64),
    Text(Wiped<String>),
    Objects(Vec<Object>),
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Written, D::Error> {
        deserializer.deserialize_any(WrittenVisitor)
    }
}

struct WrittenVisitor;

impl<'de> Visitor<'de> for WrittenVisitor {
    type Value = Written;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or a list of items")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Written, E> {
        Ok(Written::Boolean(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Written, E> {
        Ok(Written::Number(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Written, E> {
        i64::try_from(number).map(Written::Number).map_err(|_| E::custom("too large"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Written, E> {
        Ok(Written::Text(Wiped::new(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Written, A::Error> {
        let mut objects = Vec::new();
        while let Some(object) = list.next_element()? {
            objects.push(object);
        }
        Ok(Written::Objects(objects))
    }
}

struct Reading<'a> {
    limits: &'a Limits,
    /// How many more items there may be.
    items: usize,
    /// How many batch items there were.
    batch_items: usize,
}

impl Reading<'_> {
    fn item(&mut self, object: Object, before: &[Item], depth: usize) -> Result<Item, TextError> {
        let tag = tag_of(&object.tag)?;
        self.batch_items += usize::from(tag == Tag::BATCH_ITEM);
        self.items = self.items.checked_sub(1).ok_or(TextFault::TooMany.at(tag))?;
        let item_type = type_of(object.item_type.as_deref()).map_err(|fault| fault.at(tag))?;
        let value = match (item_type, object.value) {
            (ItemType::Structure, None) => Value::Structure(Vec::new()),
            (ItemType::Structure, Some(Written::Objects(objects))) => {
                let depth = depth.checked_sub(1).ok_or(TextFault::TooDeep.at(tag))?;
                let mut items = Vec::with_capacity(objects.len());
                for object in objects {
                    let item = self.item(object, &items, depth)?;
                    items.push(item);
                }
                Value::Structure(items)
            }
            (_, Some(written)) => read(item_type, named_by(tag, before), &written)
                .and_then(|value| bounded(value, self.limits))
                .map_err(|fault| fault.at(tag))?,
            (_, None) => return Err(TextFault::Value.at(tag)),
        };
        Ok(Item { tag, value })
    }
}

/// Reads a value of any type but Structure; `tag` is that by which its values are named.
fn read(item_type: ItemType, tag: Tag, written: &Written) -> Result<Value, TextFault> {
    match written {
        Written::Boolean(value) if item_type == ItemType::Boolean => Ok(Value::Boolean(*value)),
        Written::Boolean(_) | Written::Objects(_) => Err(TextFault::Value),
        Written::Number(number) => read_number(item_type, *number),
        Written::Text(text) => match text.strip_prefix("0x") {
            Some(digits) if item_type != ItemType::TextString => read_digits(item_type, tag, text, digits),
            _ => read_text(item_type, tag, text),
        },
    }
}

fn read_number(item_type: ItemType, number: i64) -> Result<Value, TextFault> {
    let wrong = |_| TextFault::Value;
    match item_type {
        ItemType::Integer => number.try_into().map(Value::Integer).map_err(wrong),
        ItemType::LongInteger => Ok(Value::LongInteger(number)),
        ItemType::BigInteger => Ok(Value::BigInteger(Wiped::new(number.to_be_bytes().to_vec()))),
        ItemType::Enumeration => number.try_into().map(Value::Enumeration).map_err(wrong),
        ItemType::Interval => number.try_into().map(Value::Interval).map_err(wrong),
        _ => Err(TextFault::Value),
    }
}

/// Hexadecimal digits, which `text` has after their prefix.
fn read_digits(item_type: ItemType, tag: Tag, text: &str, digits: &str) -> Result<Value, TextFault> {
    let long = || scalar::hex_u64(digits).map(u64::cast_signed);
    match item_type {
        ItemType::Integer => bits_of(tag, text, '|').map(Value::Integer),
        ItemType::LongInteger => long().map(Value::LongInteger),
        ItemType::BigInteger => scalar::big_integer(digits).map(Value::BigInteger),
        ItemType::Enumeration => scalar::hex_u32(digits).map(Value::Enumeration),
        ItemType::Boolean => match scalar::hex_u64(digits)? {
            0 => Ok(Value::Boolean(false)),
            1 => Ok(Value::Boolean(true)),
            _ => Err(TextFault::Value),
        },
        ItemType::DateTime => long().map(Value::DateTime),
        ItemType::Interval => scalar::hex_u32(digits).map(Value::Interval),
        ItemType::DateTimeExtended => long().map(Value::DateTimeExtended),
        ItemType::Structure | ItemType::TextString | ItemType::ByteString => Err(TextFault::Value),
    }
}

fn read_text(item_type: ItemType, tag: Tag, text: &str) -> Result<Value, TextFault> {
    match item_type {
        ItemType::Integer if text.trim().is_empty() => Err(TextFault::Value),
        ItemType::Integer => bits_of(tag, text, '|').map(Value::Integer),
        ItemType::Enumeration => number_of(tag, text).map(Value::Enumeration),
        ItemType::TextString => Ok(Value::TextString(Wiped::new(text.to_owned()))),
        ItemType::ByteString => scalar::bytes(text).map(Value::ByteString),
        ItemType::DateTime => scalar::seconds(text).map(Value::DateTime),
        ItemType::DateTimeExtended => scalar::microseconds(text).map(Value::DateTimeExtended),
        ItemType::Structure
        | ItemType::LongInteger
        | ItemType::BigInteger
        | ItemType::Boolean
        | ItemType::Interval => Err(TextFault::Value),
    }
}

/// Writes an item.
pub fn encode(item: &Item) -> Wiped<String> {
    // Items have no maps with keys that are not text, and nothing else of theirs can fail.
    Wiped::new(serde_json::to_string(&Shown { item, before: &[] }).unwrap_or_default())
}

/// An item to be written, with those before it in its structure.
struct Shown<'a> {
    item: &'a Item,
    before: &'a [Item],
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let Item { tag, value } = self.item;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("tag", &tag.to_string())?;
        if !matches!(value, Value::Structure(_)) {
            object.serialize_entry("type", value.item_type().name())?;
        }
        let named_by = named_by(*tag, self.before);
        match value {
            Value::Structure(items) => {
                let before = |at| items.get(..at).unwrap_or_default();
                let shown = items.iter().enumerate().map(|(at, item)| Shown { item, before: before(at) });
                object.serialize_entry("value", &shown.collect::<Vec<_>>())?;
            }
            Value::Integer(number) => match bit_names(named_by, *number, "|") {
                Some(names) => object.serialize_entry("value", &names)?,
                None => object.serialize_entry("value", number)?,
            },
            Value::LongInteger(number) => object.serialize_entry("value", &format!("0x{number:016x}"))?,
            Value::BigInteger(bytes) => {
                let digits = scalar::big_integer_digits(bytes);
                object.serialize_entry("value", &*Wiped::new(format!("0x{}", &*digits)))?;
            }
            Value::Enumeration(number) => {
                object.serialize_entry("value", &name_or_number(named_by, *number))?
            }
            Value::Boolean(value) => object.serialize_entry("value", value)?,
            Value::TextString(text) => object.serialize_entry("value", &**text)?,
            Value::ByteString(bytes) => object.serialize_entry("value", &*scalar::digits(bytes))?,
            Value::DateTime(seconds) => object.serialize_entry("value", &scalar::seconds_text(*seconds))?,
            Value::Interval(seconds) => object.serialize_entry("value", seconds)?,
            Value::DateTimeExtended(microseconds) => {
                object.serialize_entry("value", &scalar::microseconds_text(*microseconds))?;
            }
        }
        object.end()
    }
}

#[cfg(test)]
mod tests;
