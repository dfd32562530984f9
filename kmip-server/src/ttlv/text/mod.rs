//! The text encodings, XML and JSON: KMIP Profiles 1.4, section 5.2 and 5.3; KMIP Additional Message
//! Encodings 1.0. Both write the same tree as the bytes do, with names where the standard has them.

pub mod json;
mod scalar;
pub mod xml;

use std::fmt;

use super::decode::Limits;
use super::enums::{self, ItemType};
use super::item::{Item, Value};
use super::tags::Tag;

/// What is wrong with text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TextFault {
    /// Not XML or JSON, or not in the shape of items.
    #[error("is not written as items are")]
    Syntax,
    /// Not UTF-8.
    #[error("is not UTF-8")]
    Utf8,
    /// XML with a document type, which is not read.
    #[error("has a document type, which is not read")]
    DocumentType,
    /// No tag of that name.
    #[error("has an unknown tag")]
    Tag,
    /// No type of that name.
    #[error("has an unknown type")]
    Type,
    /// Not a value that the type can have.
    #[error("has a wrong value")]
    Value,
    /// An enumeration or a mask has no value of that name.
    #[error("has no value of that name")]
    Name,
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
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TextError {
    /// What is wrong.
    pub fault: TextFault,
    /// Which item, as far as it is known.
    pub tag: Option<Tag>,
    /// In which batch item it is, the first being 1.
    pub batch_item: Option<usize>,
    /// Where in the text, as far as it is known.
    pub place: Option<Place>,
}

/// A place in a text. Both numbers begin with 1; columns are bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Place {
    /// The place of a byte.
    fn of(text: &[u8], at: usize) -> Place {
        let before = text.get(..at).unwrap_or(text);
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        Place { line, column }
    }
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tag {
            Some(tag) => write!(f, "{tag}")?,
            None => f.write_str("the text")?,
        }
        if let Some(number) = self.batch_item {
            write!(f, " in batch item {number}")?;
        }
        write!(f, " {}", self.fault)?;
        match self.place {
            Some(Place { line, column }) => write!(f, " (line {line}, column {column})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for TextError {}

impl TextFault {
    fn at(self, tag: Tag) -> TextError {
        TextError { tag: Some(tag), ..self.into() }
    }
}

impl From<TextFault> for TextError {
    fn from(fault: TextFault) -> TextError {
        TextError { fault, tag: None, batch_item: None, place: None }
    }
}

/// The text that bytes are.
fn utf8(bytes: &[u8]) -> Result<&str, TextError> {
    str::from_utf8(bytes).map_err(|error| TextError {
        place: Some(Place::of(bytes, error.valid_up_to())),
        ..TextFault::Utf8.into()
    })
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
                let table = enums::bits_of_tag(tag).ok_or(TextFault::Value)?;
                table.of_name(part).ok_or(TextFault::Name)?.number
            }
        };
    }
    Ok(bits.cast_signed())
}

/// An enumeration's value by its name or its hexadecimal number.
fn number_of(tag: Tag, text: &str) -> Result<u32, TextFault> {
    match text.strip_prefix("0x") {
        Some(digits) => scalar::hex_u32(digits),
        None => enums::number_of(tag, text).ok_or_else(|| {
            let named = enums::of_tag(tag).is_some() || enums::carries_tags(tag);
            if named { TextFault::Name } else { TextFault::Value }
        }),
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
