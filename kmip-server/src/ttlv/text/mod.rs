//! The text encodings, XML and JSON: KMIP Profiles 1.4, section 5.2 and 5.3; KMIP Additional Message
//! Encodings 1.0. Both write the same tree as the bytes do, with names where the standard has them.

pub mod json;
mod scalar;
pub mod xml;

use super::decode::Limits;
use super::enums::{self, ItemType};
use super::item::{Item, Value};
use super::tags::Tag;

/// What is wrong with text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TextFault {
    /// Not XML or JSON, or not in the shape of items.
    #[error("is not written as an item")]
    Syntax,
    /// No tag of that name.
    #[error("has an unknown tag")]
    Tag,
    /// No type of that name.
    #[error("has an unknown type")]
    Type,
    /// Not a value that the type can have.
    #[error("has a wrong value")]
    Value,
    /// Nested deeper than allowed.
    #[error("is nested too deep")]
    TooDeep,
    /// More items than allowed.
    #[error("has too many items")]
    TooMany,
    /// Longer than allowed.
    #[error("is too long")]
    TooLong,
}

/// Why text is not a message. Names no content.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{} {fault}", tag.map_or_else(|| "an item".to_owned(), |tag| tag.to_string()))]
pub struct TextError {
    /// What is wrong.
    pub fault: TextFault,
    /// Which item, as far as it is known.
    pub tag: Option<Tag>,
}

impl TextFault {
    fn at(self, tag: Tag) -> TextError {
        TextError { fault: self, tag: Some(tag) }
    }
}

impl From<TextFault> for TextError {
    fn from(fault: TextFault) -> TextError {
        TextError { fault, tag: None }
    }
}

/// A tag by its name, or by its six hexadecimal digits.
fn tag_of(text: &str) -> Result<Tag, TextFault> {
    let tag = match text.strip_prefix("0x") {
        Some(digits) if digits.len() == 6 => u32::from_str_radix(digits, 16).ok().map(Tag),
        Some(_) => None,
        None => Tag::of_name(text),
    };
    tag.filter(|tag| tag.is_possible()).ok_or(TextFault::Tag)
}

/// A type by its name; none is Structure.
fn type_of(text: Option<&str>) -> Result<ItemType, TextFault> {
    let Some(text) = text else { return Ok(ItemType::Structure) };
    ItemType::ALL.iter().copied().find(|item_type| item_type.name() == text).ok_or(TextFault::Type)
}

/// The tag by which the values of an item are named: its own, or for an Attribute Value that of the
/// attribute that the Attribute Name before it names.
fn named_by(tag: Tag, before: &[Item]) -> Tag {
    if tag != Tag::ATTRIBUTE_VALUE {
        return tag;
    }
    let name = before.iter().find(|item| item.tag == Tag::ATTRIBUTE_NAME);
    match name.map(|item| &item.value) {
        Some(Value::TextString(name)) => attribute(name).unwrap_or(tag),
        _ => tag,
    }
}

/// The tag of an attribute by its name in KMIP 1.x, which is the tag's with spaces and signs.
fn attribute(name: &str) -> Option<Tag> {
    let letters = name.chars().filter(|letter| *letter != ' ');
    let name: String =
        letters.map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
    Tag::of_name(&name)
}

/// The names of the bits that are set, or `None` if one has no name.
fn bit_names(tag: Tag, bits: i32, separator: &str) -> Option<String> {
    let table = enums::bits_of_tag(tag)?;
    let bits = bits.cast_unsigned();
    let named = table.rows.iter().filter(|row| row.number & bits != 0);
    let known = named.clone().fold(0, |known, row| known | row.number);
    let names: Vec<&str> = named.map(|row| row.name).collect();
    (known == bits && bits != 0).then(|| names.join(separator))
}

/// The bits that names and hexadecimal numbers name.
fn bits_of(tag: Tag, text: &str, separator: char) -> Result<i32, TextFault> {
    let mut bits = 0;
    for part in text.split(separator).map(str::trim).filter(|part| !part.is_empty()) {
        bits |= match part.strip_prefix("0x") {
            Some(digits) => scalar::hex_u32(digits)?,
            None => {
                let row = enums::bits_of_tag(tag).and_then(|table| table.of_name(part));
                row.ok_or(TextFault::Value)?.number
            }
        };
    }
    Ok(bits.cast_signed())
}

/// An enumeration's value by its name or its hexadecimal number.
fn number_of(tag: Tag, text: &str) -> Result<u32, TextFault> {
    match text.strip_prefix("0x") {
        Some(digits) => scalar::hex_u32(digits),
        None => enums::number_of(tag, text).ok_or(TextFault::Value),
    }
}

/// An enumeration's value by its name, or by its number if it has none.
fn name_or_number(tag: Tag, number: u32) -> String {
    enums::name_of(tag, number).map_or_else(|| format!("0x{number:08x}"), str::to_owned)
}

/// A value that was read, unless it is longer than allowed.
fn bounded(value: Value, limits: &Limits) -> Result<Value, TextFault> {
    let length = match &value {
        Value::TextString(text) => text.len(),
        Value::ByteString(bytes) | Value::BigInteger(bytes) => bytes.len(),
        _ => 0,
    };
    if length > limits.field { Err(TextFault::TooLong) } else { Ok(value) }
}
