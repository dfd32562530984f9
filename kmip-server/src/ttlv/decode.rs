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
    let mut decoder = Decoder::new(bytes, limits);
    let outcome = decoder.message();
    outcome.map_err(|fault| decoder.error(fault))
}

/// Reads the items with a tag that stand in a structure, which the bytes must be. The others are passed
/// over by their lengths.
pub fn decode_children(bytes: &[u8], tag: Tag, limits: &Limits) -> Result<Vec<Item>, DecodeError> {
    let mut decoder = Decoder::new(bytes, limits);
    let outcome = decoder.children(tag);
    outcome.map_err(|fault| decoder.error(fault))
}

/// Tag, type and length of an item that lies within its structure.
struct Head {
    /// Where its value begins.
    value: usize,
    tag: Tag,
    item_type: u8,
    /// Of the value, without padding.
    length: usize,
    /// Where it ends, padding included.
    end: usize,
}

impl Head {
    fn is_structure(&self) -> bool {
        u32::from(self.item_type) == ItemType::Structure.number()
    }
}

/// Its parts give their fault alone, a byte, since what they give otherwise is given for each item; which
/// item has the fault is known: the one that was begun last.
struct Decoder<'a> {
    bytes: &'a [u8],
    limits: &'a Limits,
    /// How many more items there may be.
    items: usize,
    /// Where the item begins that was begun last.
    at: usize,
    /// Its tag, unless there are not even bytes for that.
    tag: Option<Tag>,
}

impl Decoder<'_> {
    fn new<'a>(bytes: &'a [u8], limits: &'a Limits) -> Decoder<'a> {
        Decoder { bytes, limits, items: limits.items, at: 0, tag: None }
    }

    #[cold]
    fn error(&self, fault: Fault) -> DecodeError {
        DecodeError { fault, offset: self.at, tag: self.tag }
    }

    fn message(&mut self) -> Result<Item, Fault> {
        let head = self.head(0, self.bytes.len())?;
        self.spend(1)?;
        let item = self.item(&head, self.limits.depth)?;
        if head.end != self.bytes.len() {
            (self.at, self.tag) = (0, Some(head.tag));
            return Err(Fault::Trailing);
        }
        Ok(item)
    }

    fn children(&mut self, tag: Tag) -> Result<Vec<Item>, Fault> {
        let head = self.head(0, self.bytes.len())?;
        if !head.is_structure() {
            return Err(Fault::Type);
        }
        let mut found = Vec::new();
        let mut at = head.value;
        while at < head.end {
            let inner = self.head(at, head.end)?;
            if inner.tag == tag {
                self.spend(1)?;
                found.push(self.item(&inner, self.limits.depth)?);
            }
            at = inner.end;
        }
        Ok(found)
    }

    /// The item that begins at `at`, in a structure that ends at `end`.
    #[inline(always)]
    fn head(&mut self, at: usize, end: usize) -> Result<Head, Fault> {
        self.at = at;
        let header = self.bytes.get(at..end).and_then(<[u8]>::first_chunk::<HEADER>);
        let Some([a, b, c, item_type, length @ ..]) = header else {
            self.tag = None;
            return Err(Fault::Truncated);
        };
        let tag = Tag(u32::from_be_bytes([0, *a, *b, *c]));
        self.tag = Some(tag);
        if !tag.is_possible() {
            return Err(Fault::Tag);
        }
        let value = at + HEADER;
        let length = u32::from_be_bytes(*length) as usize;
        // What is left is less than the whole of memory, so that nothing overflows behind the comparison.
        if length > end - value || length.next_multiple_of(8) > end - value {
            return Err(Fault::Truncated);
        }
        Ok(Head { value, tag, item_type: *item_type, length, end: value + length.next_multiple_of(8) })
    }

    /// Takes items off those that there may be.
    fn spend(&mut self, items: usize) -> Result<(), Fault> {
        self.items = self.items.checked_sub(items).ok_or(Fault::TooMany)?;
        Ok(())
    }

    #[inline(always)]
    fn item(&mut self, head: &Head, depth: usize) -> Result<Item, Fault> {
        let value = if head.is_structure() {
            Value::Structure(self.structure(head, depth)?)
        } else {
            self.primitive(head)?
        };
        Ok(Item { tag: head.tag, value })
    }

    /// The items are counted before room is made for them: no structure takes more than they need.
    fn structure(&mut self, head: &Head, depth: usize) -> Result<Vec<Item>, Fault> {
        if !head.length.is_multiple_of(8) {
            return Err(Fault::Length);
        }
        let depth = depth.checked_sub(1).ok_or(Fault::TooDeep)?;
        let count = self.count(head);
        self.spend(count)?;
        let mut items = Vec::with_capacity(count);
        let mut at = head.value;
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
        let inside = self.bytes.get(head.value..head.end).unwrap_or_default();
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

    #[inline(always)]
    fn primitive(&self, head: &Head) -> Result<Value, Fault> {
        if head.length > self.limits.field {
            return Err(Fault::TooLong);
        }
        let padded = self.bytes.get(head.value..head.end).unwrap_or_default();
        let (value, padding) = padded.split_at_checked(head.length).unwrap_or_default();
        let value = primitive::read(head.item_type, value)?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(Fault::Padding);
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests;
