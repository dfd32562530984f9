//! Bytes to items: KMIP 1.4, section 9.1. Strict, and bounded before anything is allocated.

use std::fmt;

use super::enums::ItemType;
use super::item::{Item, Value};
use super::primitive;
use super::tags::Tag;

/// Bytes of tag, type and length.
pub(super) const HEADER: usize = 8;

/// How much a message may make us do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Structures within structures.
    pub depth: usize,
    /// Items in all.
    pub items: usize,
    /// Bytes of one string or big integer.
    pub field: usize,
}

impl Default for Limits {
    /// The deepest structures of the standard are nested a dozen times; a batch of hundreds of requests
    /// has some ten thousand items; objects are small.
    fn default() -> Limits {
        Limits { depth: 24, items: 20_000, field: 1 << 20 }
    }
}

/// What is wrong with bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fault {
    /// An item claims more than what is left of its structure.
    #[error("reaches beyond its end")]
    Truncated,
    /// Something follows the message.
    #[error("is followed by more")]
    Trailing,
    /// Neither the standard's nor an extension.
    #[error("has an impossible tag")]
    Tag,
    /// Not a type, or not the one that is needed here.
    #[error("has a wrong type")]
    Type,
    /// Not a length that the type can have.
    #[error("has a wrong length")]
    Length,
    /// The bytes that fill up to a multiple of eight are not zero.
    #[error("has padding that is not zero")]
    Padding,
    /// Text that is not UTF-8.
    #[error("is not UTF-8")]
    Utf8,
    /// A Boolean that is neither 0 nor 1.
    #[error("is neither true nor false")]
    Boolean,
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

/// Why bytes are not a message. Names no content.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DecodeError {
    /// What is wrong.
    pub fault: Fault,
    /// Where the item begins.
    pub offset: usize,
    /// Its tag, unless there are not even bytes for that.
    pub tag: Option<Tag>,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tag {
            Some(tag) => write!(f, "the item {tag} at byte {} {}", self.offset, self.fault),
            None => write!(f, "the bytes at {} end within an item", self.offset),
        }
    }
}

impl std::error::Error for DecodeError {}

/// The length in bytes of the message that begins with this header, header included. Refused unless it
/// is a Request Message or Response Message, a structure, and no longer than `most`.
pub fn frame_length(header: &[u8; HEADER], most: usize) -> Result<usize, DecodeError> {
    let [a, b, c, item_type, length @ ..] = *header;
    let tag = Tag(u32::from_be_bytes([0, a, b, c]));
    let wrong = |fault| Err(DecodeError { fault, offset: 0, tag: Some(tag) });
    if !matches!(tag, Tag::REQUEST_MESSAGE | Tag::RESPONSE_MESSAGE) {
        return wrong(Fault::Tag);
    }
    if u32::from(item_type) != ItemType::Structure.number() {
        return wrong(Fault::Type);
    }
    let length = u32::from_be_bytes(length) as usize;
    if !length.is_multiple_of(8) {
        return wrong(Fault::Length);
    }
    match length.checked_add(HEADER) {
        Some(length) if length <= most => Ok(length),
        _ => wrong(Fault::TooLong),
    }
}

/// Reads one item, which the bytes must be and nothing else.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Item, DecodeError> {
    let mut decoder = Decoder { bytes, limits, items: limits.items };
    let head = decoder.head(0, bytes.len())?;
    decoder.spend(&head, 1)?;
    let item = decoder.item(&head, limits.depth)?;
    if head.end == bytes.len() { Ok(item) } else { Err(head.error(Fault::Trailing)) }
}

/// Reads the items with a tag that stand in a structure, which the bytes must be. The others are passed
/// over by their lengths.
pub fn decode_children(bytes: &[u8], tag: Tag, limits: &Limits) -> Result<Vec<Item>, DecodeError> {
    let mut decoder = Decoder { bytes, limits, items: limits.items };
    let head = decoder.head(0, bytes.len())?;
    if u32::from(head.item_type) != ItemType::Structure.number() {
        return Err(head.error(Fault::Type));
    }
    let mut found = Vec::new();
    let mut at = head.value();
    while at < head.end {
        let inner = decoder.head(at, head.end)?;
        if inner.tag == tag {
            decoder.spend(&inner, 1)?;
            found.push(decoder.item(&inner, limits.depth)?);
        }
        at = inner.end;
    }
    Ok(found)
}

/// Tag, type and length of an item that lies within its structure.
struct Head {
    /// Where it begins.
    at: usize,
    tag: Tag,
    item_type: u8,
    /// Of the value, without padding.
    length: usize,
    /// Where it ends, padding included.
    end: usize,
}

impl Head {
    #[cold]
    fn error(&self, fault: Fault) -> DecodeError {
        DecodeError { fault, offset: self.at, tag: Some(self.tag) }
    }

    /// Where its value begins.
    fn value(&self) -> usize {
        self.at + HEADER
    }
}

struct Decoder<'a> {
    bytes: &'a [u8],
    limits: &'a Limits,
    /// How many more items there may be.
    items: usize,
}

impl Decoder<'_> {
    /// The item that begins at `at`, in a structure that ends at `end`.
    fn head(&self, at: usize, end: usize) -> Result<Head, DecodeError> {
        let header = self.bytes.get(at..end).and_then(<[u8]>::first_chunk::<HEADER>);
        let Some([a, b, c, item_type, length @ ..]) = header else {
            return Err(DecodeError { fault: Fault::Truncated, offset: at, tag: None });
        };
        let tag = Tag(u32::from_be_bytes([0, *a, *b, *c]));
        let length = u32::from_be_bytes(*length) as usize;
        let head = Head { at, tag, item_type: *item_type, length, end };
        if !tag.is_possible() {
            return Err(head.error(Fault::Tag));
        }
        // What is left is less than the whole of memory, so that nothing overflows behind the comparison.
        if length > end - head.value() || length.next_multiple_of(8) > end - head.value() {
            return Err(head.error(Fault::Truncated));
        }
        Ok(Head { end: head.value() + length.next_multiple_of(8), ..head })
    }

    /// Takes items off those that there may be.
    fn spend(&mut self, head: &Head, items: usize) -> Result<(), DecodeError> {
        self.items = self.items.checked_sub(items).ok_or_else(|| head.error(Fault::TooMany))?;
        Ok(())
    }

    fn item(&mut self, head: &Head, depth: usize) -> Result<Item, DecodeError> {
        let value = if u32::from(head.item_type) == ItemType::Structure.number() {
            Value::Structure(self.structure(head, depth)?)
        } else {
            self.primitive(head)?
        };
        Ok(Item { tag: head.tag, value })
    }

    /// The items are counted before room is made for them: no structure takes more than they need.
    fn structure(&mut self, head: &Head, depth: usize) -> Result<Vec<Item>, DecodeError> {
        if !head.length.is_multiple_of(8) {
            return Err(head.error(Fault::Length));
        }
        let depth = depth.checked_sub(1).ok_or_else(|| head.error(Fault::TooDeep))?;
        let count = self.count(head);
        self.spend(head, count)?;
        let mut items = Vec::with_capacity(count);
        let mut at = head.value();
        while at < head.end {
            let inner = self.head(at, head.end)?;
            items.push(self.item(&inner, depth)?);
            at = inner.end;
        }
        Ok(items)
    }

    /// How many items a structure has, by their lengths alone; up to one that leads out of it, which is
    /// refused when it is read.
    fn count(&self, head: &Head) -> usize {
        let inside = self.bytes.get(head.value()..head.end).unwrap_or_default();
        let mut count = 0;
        let mut at: usize = 0;
        while let Some([_, _, _, _, length @ ..]) = inside.get(at..).and_then(<[u8]>::first_chunk::<HEADER>) {
            count += 1;
            at = at
                .saturating_add(HEADER)
                .saturating_add((u32::from_be_bytes(*length) as usize).next_multiple_of(8));
        }
        count
    }

    fn primitive(&self, head: &Head) -> Result<Value, DecodeError> {
        if head.length > self.limits.field {
            return Err(head.error(Fault::TooLong));
        }
        let padded = self.bytes.get(head.value()..head.end).unwrap_or_default();
        let (value, padding) = padded.split_at_checked(head.length).unwrap_or_default();
        let value = primitive::read(head.item_type, value).map_err(|fault| head.error(fault))?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(head.error(Fault::Padding));
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests;
