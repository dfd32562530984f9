//! Items as XML: KMIP Profiles 1.4, section 5.3. An element for each item, its value in an attribute;
//! nothing else, and above all no document type and no entities of its own.

use hsm_core::secret::Wiped;
use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

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
    let text = utf8(text)?;
    let mut reader = Reader::from_str(text);
    let mut tree = Tree { limits, items: limits.items, batch_items: 0, open: Vec::new(), root: None };
    read_all(&mut reader, &mut tree).map_err(|error| {
        let at = Some(reader.error_position()).filter(|at| *at > 0).unwrap_or(reader.buffer_position());
        TextError {
            batch_item: Some(tree.batch_items).filter(|number| *number > 0),
            place: Some(Place::of(text.as_bytes(), usize::try_from(at).unwrap_or(usize::MAX))),
            ..error
        }
    })?;
    tree.root.ok_or(TextFault::Syntax.into())
}

fn read_all(reader: &mut Reader<&[u8]>, tree: &mut Tree<'_>) -> Result<(), TextError> {
    loop {
        match reader.read_event().map_err(|_| TextFault::Syntax)? {
            Event::Start(element) => tree.open(&element)?,
            Event::Empty(element) => {
                tree.open(&element)?;
                tree.close()?;
            }
            Event::End(_) => tree.close()?,
            Event::Text(text) if text.trim().is_empty() => {}
            Event::Comment(_) | Event::Decl(_) => {}
            Event::Eof if tree.open.is_empty() && tree.root.is_some() => return Ok(()),
            Event::DocType(_) => return Err(TextFault::DocumentType.into()),
            _ => return Err(TextFault::Syntax.into()),
        }
    }
}

/// The items that were read and the elements that are open.
struct Tree<'a> {
    limits: &'a Limits,
    /// How many more items there may be.
    items: usize,
    /// How many batch items there were.
    batch_items: usize,
    open: Vec<Item>,
    root: Option<Item>,
}

impl Tree<'_> {
    fn open(&mut self, element: &BytesStart<'_>) -> Result<(), TextError> {
        let written = attributes(element)?;
        let tag = written.tag;
        self.batch_items += usize::from(tag == Tag::BATCH_ITEM);
        self.items = self.items.checked_sub(1).ok_or(TextFault::TooMany.at(tag))?;
        let before: &[Item] = match self.open.last().map(|item| &item.value) {
            None if self.root.is_some() => return Err(TextFault::Syntax.at(tag)),
            None => &[],
            Some(Value::Structure(items)) => items,
            Some(_) => return Err(TextFault::Syntax.at(tag)),
        };
        let value = match (written.item_type, written.value) {
            (ItemType::Structure, None) if self.open.len() >= self.limits.depth => {
                return Err(TextFault::TooDeep.at(tag));
            }
            (ItemType::Structure, None) => Value::Structure(Vec::new()),
            (ItemType::Structure, Some(_)) | (_, None) => return Err(TextFault::Value.at(tag)),
            (item_type, Some(text)) => read(item_type, named_by(tag, before), &text)
                .and_then(|value| bounded(value, self.limits))
                .map_err(|fault| fault.at(tag))?,
        };
        self.open.push(Item { tag, value });
        Ok(())
    }

    fn close(&mut self) -> Result<(), TextError> {
        let item = self.open.pop().ok_or(TextFault::Syntax)?;
        match self.open.last_mut() {
            None => self.root = Some(item),
            Some(Item { value: Value::Structure(items), .. }) => items.push(item),
            Some(_) => return Err(TextFault::Syntax.at(item.tag)),
        }
        Ok(())
    }
}

/// What an element says of its item.
struct Written {
    tag: Tag,
    item_type: ItemType,
    value: Option<Wiped<String>>,
}

/// An element is named for its tag, or `TTLV` with the tag in an attribute.
fn attributes(element: &BytesStart<'_>) -> Result<Written, TextError> {
    let (mut tag, mut item_type, mut value) = (None, None, None);
    for attribute in element.attributes() {
        let attribute = attribute.map_err(|_| TextFault::Syntax)?;
        let text = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| TextFault::Syntax)?;
        match attribute.key.0 {
            "tag" => tag = Some(tag_of(&text)?),
            "type" => item_type = Some(text.into_owned()),
            "value" => value = Some(Wiped::new(text.into_owned())),
            "name" | "xmlns" => {}
            key if key.starts_with("xmlns:") || key.starts_with("xsi:") => {}
            _ => return Err(TextFault::Syntax.into()),
        }
    }
    let name = element.name();
    let tag = match (local(name.0), tag) {
        ("TTLV", Some(tag)) => tag,
        ("TTLV", None) | (_, Some(_)) => return Err(TextFault::Tag.into()),
        (name, None) => tag_of(name)?,
    };
    let item_type = type_of(item_type.as_deref()).map_err(|fault| fault.at(tag))?;
    Ok(Written { tag, item_type, value })
}

/// A name without the prefix of its name space.
fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// Reads a value of any type but Structure; `tag` is that by which its values are named.
fn read(item_type: ItemType, tag: Tag, text: &str) -> Result<Value, TextFault> {
    Ok(match item_type {
        ItemType::Structure => return Err(TextFault::Value),
        ItemType::Integer => Value::Integer(match text.parse() {
            Ok(number) => number,
            Err(_) if text.trim().is_empty() => return Err(TextFault::Value),
            Err(_) => bits_of(tag, text, ' ')?,
        }),
        ItemType::LongInteger => Value::LongInteger(match text.strip_prefix("0x") {
            Some(digits) => scalar::hex_u64(digits)?.cast_signed(),
            None => text.parse().map_err(|_| TextFault::Value)?,
        }),
        ItemType::BigInteger => Value::BigInteger(scalar::big_integer(text)?),
        ItemType::Enumeration => Value::Enumeration(number_of(tag, text)?),
        ItemType::Boolean => Value::Boolean(match text {
            "true" | "1" => true,
            "false" | "0" => false,
            _ => return Err(TextFault::Value),
        }),
        ItemType::TextString => Value::TextString(Wiped::new(text.to_owned())),
        ItemType::ByteString => Value::ByteString(scalar::bytes(text)?),
        ItemType::DateTime => Value::DateTime(scalar::seconds(text)?),
        ItemType::Interval => Value::Interval(match text.strip_prefix("0x") {
            Some(digits) => scalar::hex_u32(digits)?,
            None => text.parse().map_err(|_| TextFault::Value)?,
        }),
        ItemType::DateTimeExtended => Value::DateTimeExtended(scalar::microseconds(text)?),
    })
}

/// Writes an item, without a declaration before it.
pub fn encode(item: &Item) -> Wiped<String> {
    let mut out = Wiped::new(String::new());
    write(item, &[], &mut out);
    out
}

fn write(item: &Item, before: &[Item], out: &mut String) {
    let name = item.tag.name();
    out.push('<');
    match name {
        Some(name) => out.push_str(name),
        None => out.push_str(&format!("TTLV tag=\"{}\"", item.tag)),
    }
    let name = name.unwrap_or("TTLV");
    match &item.value {
        Value::Structure(items) if items.is_empty() => out.push_str("/>"),
        Value::Structure(items) => {
            out.push('>');
            for (at, inner) in items.iter().enumerate() {
                write(inner, items.get(..at).unwrap_or_default(), out);
            }
            out.push_str(&format!("</{name}>"));
        }
        value => {
            out.push_str(&format!(" type=\"{}\" value=\"", value.item_type().name()));
            write_value(value, named_by(item.tag, before), out);
            out.push_str("\"/>");
        }
    }
}

fn write_value(value: &Value, tag: Tag, out: &mut String) {
    match value {
        Value::Structure(_) => {}
        Value::Integer(number) => match bit_names(tag, *number, " ") {
            Some(names) => out.push_str(&names),
            None => out.push_str(&number.to_string()),
        },
        Value::LongInteger(number) => out.push_str(&number.to_string()),
        Value::BigInteger(bytes) => out.push_str(&scalar::big_integer_digits(bytes)),
        Value::Enumeration(number) => out.push_str(&name_or_number(tag, *number)),
        Value::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::TextString(text) => escape(text, out),
        Value::ByteString(bytes) => out.push_str(&scalar::digits(bytes)),
        Value::DateTime(seconds) => out.push_str(&scalar::seconds_text(*seconds)),
        Value::Interval(seconds) => out.push_str(&seconds.to_string()),
        Value::DateTimeExtended(microseconds) => out.push_str(&scalar::microseconds_text(*microseconds)),
    }
}

/// Line ends and tabs would become spaces if they were not written as numbers. XML cannot hold what is
/// no character to it; a replacement character stands for that.
fn escape(text: &str, out: &mut String) {
    for letter in text.chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push_str(&format!("&#{};", u32::from(letter))),
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            letter => out.push(letter),
        }
    }
}

#[cfg(test)]
mod tests;
