//! Reading items: what a structure holds, and the values of the others.
//!
//! The standard gives fields an order. Clients keep to it loosely, so any order is read; a field that
//! nothing asked for, or a second one where one was asked for, is refused by [`Fields::end`].

use super::enums::{Enumeration, ItemType};
use super::item::{Item, Value};
use super::tags::Tag;

/// Why an item is not what was asked for. Names no content.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Malformed {
    /// A structure lacks a field.
    #[error("{0} is missing")]
    Missing(Tag),
    /// A structure has a field that it should not have, or has it twice.
    #[error("{0} is not expected, or not twice")]
    Unexpected(Tag),
    /// An item is of another type.
    #[error("{tag} is not of type {}", expected.name())]
    Type {
        /// The item.
        tag: Tag,
        /// The type that it should have.
        expected: ItemType,
    },
    /// An enumeration has no such value.
    #[error("{tag} has no value 0x{number:08x}")]
    Unknown {
        /// The item.
        tag: Tag,
        /// The value that it has.
        number: u32,
    },
}

impl Malformed {
    /// The item that is wrong or missing.
    pub fn tag(&self) -> Tag {
        match self {
            Malformed::Missing(tag) | Malformed::Unexpected(tag) => *tag,
            Malformed::Type { tag, .. } | Malformed::Unknown { tag, .. } => *tag,
        }
    }
}

/// Makes the methods that read a value of one type.
macro_rules! readers {
    ($($(#[$meta:meta])* $as_type:ident, $variant:ident, $type:ty, $value:ident => $result:expr;)*) => {
        /// What reads items; each refuses an item of another type.
        impl Item {
            $(
                $(#[$meta])*
                pub fn $as_type(&self) -> Result<$type, Malformed> {
                    match &self.value {
                        Value::$variant($value) => Ok($result),
                        _ => Err(Malformed::Type { tag: self.tag, expected: ItemType::$variant }),
                    }
                }
            )*
        }
    };
}

readers! {
    /// The items of a Structure.
    as_structure, Structure, &[Item], items => items;
    /// An Integer.
    as_integer, Integer, i32, number => *number;
    /// A Long Integer.
    as_long, LongInteger, i64, number => *number;
    /// A Big Integer: two's complement, most significant byte first, perhaps with superfluous bytes.
    as_big_integer, BigInteger, &[u8], bytes => bytes;
    /// An Enumeration, whatever its number.
    as_enumeration, Enumeration, u32, number => *number;
    /// A Boolean.
    as_boolean, Boolean, bool, value => *value;
    /// A Text String.
    as_text, TextString, &str, text => text;
    /// A Byte String.
    as_bytes, ByteString, &[u8], bytes => bytes;
    /// A Date-Time, in seconds since 1970.
    as_date, DateTime, i64, seconds => *seconds;
    /// An Interval, in seconds.
    as_interval, Interval, u32, seconds => *seconds;
    /// A Date-Time Extended, in microseconds since 1970.
    as_date_extended, DateTimeExtended, i64, microseconds => *microseconds;
}

impl Item {
    /// An Enumeration's value, one that the standard has.
    pub fn as_value_of<E: Enumeration>(&self) -> Result<E, Malformed> {
        let number = self.as_enumeration()?;
        E::from_number(number).ok_or(Malformed::Unknown { tag: self.tag, number })
    }

    /// The items inside; none unless it is a Structure.
    pub fn items(&self) -> &[Item] {
        self.as_structure().unwrap_or_default()
    }

    /// The items inside, taken out; none unless it is a Structure.
    pub fn into_items(self) -> Vec<Item> {
        match self.value {
            Value::Structure(items) => items,
            _ => Vec::new(),
        }
    }

    /// The first item with that tag inside.
    pub fn child(&self, tag: Tag) -> Option<&Item> {
        self.items().iter().find(|item| item.tag == tag)
    }

    /// All items with that tag inside.
    pub fn children(&self, tag: Tag) -> impl Iterator<Item = &Item> {
        self.items().iter().filter(move |item| item.tag == tag)
    }
}

/// The fields of a structure while they are read: each can be taken once.
#[derive(Debug)]
pub struct Fields<'a> {
    items: &'a [Item],
    taken: Taken,
}

/// Which fields were taken. Structures have few, so that the first word mostly is all.
#[derive(Debug, Default)]
struct Taken {
    first: u64,
    more: Vec<bool>,
}

impl Taken {
    fn has(&self, at: usize) -> bool {
        match at.checked_sub(64) {
            None => self.first >> at & 1 == 1,
            Some(at) => self.more.get(at).copied().unwrap_or_default(),
        }
    }

    fn add(&mut self, at: usize) {
        match at.checked_sub(64) {
            None => self.first |= 1 << at,
            Some(at) => {
                if at >= self.more.len() {
                    self.more.resize(at + 1, false);
                }
                if let Some(taken) = self.more.get_mut(at) {
                    *taken = true;
                }
            }
        }
    }
}

impl<'a> Fields<'a> {
    /// The fields of a structure.
    pub fn new(structure: &'a Item) -> Result<Fields<'a>, Malformed> {
        Ok(Fields::of(structure.as_structure()?))
    }

    /// The fields that these items are.
    pub fn of(items: &'a [Item]) -> Fields<'a> {
        Fields { items, taken: Taken::default() }
    }

    /// The next field with that tag, if there is one.
    pub fn take(&mut self, tag: Tag) -> Option<&'a Item> {
        let left = |at: &usize| !self.taken.has(*at);
        let found = self.items.iter().enumerate().find(|(at, item)| item.tag == tag && left(at));
        let (at, item) = found?;
        self.taken.add(at);
        Some(item)
    }

    /// All fields with that tag.
    pub fn take_all(&mut self, tag: Tag) -> impl Iterator<Item = &'a Item> {
        for (at, _) in self.items.iter().enumerate().filter(|(_, item)| item.tag == tag) {
            self.taken.add(at);
        }
        self.items.iter().filter(move |item| item.tag == tag)
    }

    /// The next field with that tag, which must be there.
    pub fn need(&mut self, tag: Tag) -> Result<&'a Item, Malformed> {
        self.take(tag).ok_or(Malformed::Missing(tag))
    }

    /// The value of an enumeration, if the field is there.
    pub fn take_value_of<E: Enumeration>(&mut self, tag: Tag) -> Result<Option<E>, Malformed> {
        self.take(tag).map(Item::as_value_of).transpose()
    }

    /// The fields that nothing took, in their order.
    pub fn rest(&mut self) -> impl Iterator<Item = &'a Item> {
        let taken =
            std::mem::replace(&mut self.taken, Taken { first: u64::MAX, more: vec![true; self.items.len()] });
        self.items.iter().enumerate().filter(move |(at, _)| !taken.has(*at)).map(|(_, item)| item)
    }

    /// Refuses the structure if it has a field that nothing took.
    pub fn end(self) -> Result<(), Malformed> {
        if self.taken.first.count_ones() as usize == self.items.len() {
            return Ok(());
        }
        let left = self.items.iter().enumerate().find(|(at, _)| !self.taken.has(*at));
        left.map_or(Ok(()), |(_, item)| Err(Malformed::Unexpected(item.tag)))
    }
}

/// Makes the methods that take a field and read its value.
macro_rules! takers {
    ($($(#[$meta:meta])* $take:ident, $as_type:ident, $type:ty;)*) => {
        impl<'a> Fields<'a> {
            $(
                $(#[$meta])*
                pub fn $take(&mut self, tag: Tag) -> Result<Option<$type>, Malformed> {
                    self.take(tag).map(Item::$as_type).transpose()
                }
            )*
        }
    };
}

takers! {
    /// The value of an Integer, if the field is there.
    take_integer, as_integer, i32;
    /// The value of a Long Integer, if the field is there.
    take_long, as_long, i64;
    /// The value of a Boolean, if the field is there.
    take_boolean, as_boolean, bool;
    /// The value of a Text String, if the field is there.
    take_text, as_text, &'a str;
    /// The value of a Byte String, if the field is there.
    take_bytes, as_bytes, &'a [u8];
    /// The value of a Date-Time, if the field is there, in seconds since 1970.
    take_date, as_date, i64;
    /// The value of an Interval, if the field is there, in seconds.
    take_interval, as_interval, u32;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ttlv::enums::ObjectType;

    fn sample() -> Item {
        Item::structure(
            Tag::REQUEST_PAYLOAD,
            vec![
                Item::text(Tag::UNIQUE_IDENTIFIER, "a"),
                Item::enumeration(Tag::OBJECT_TYPE, ObjectType::PrivateKey),
                Item::text(Tag::ATTRIBUTE_NAME, "b"),
                Item::text(Tag::ATTRIBUTE_NAME, "c"),
            ],
        )
    }

    #[test]
    fn fields_are_taken_in_any_order_and_once() {
        let item = sample();
        let mut fields = Fields::new(&item).unwrap();
        let names: Vec<_> =
            fields.take_all(Tag::ATTRIBUTE_NAME).map(|item| item.as_text().unwrap()).collect();
        assert_eq!(names, ["b", "c"]);
        assert_eq!(fields.take_value_of(Tag::OBJECT_TYPE), Ok(Some(ObjectType::PrivateKey)));
        assert_eq!(fields.take_text(Tag::UNIQUE_IDENTIFIER), Ok(Some("a")));
        assert_eq!(fields.take_text(Tag::UNIQUE_IDENTIFIER), Ok(None));
        assert_eq!(fields.need(Tag::OFFSET).unwrap_err(), Malformed::Missing(Tag::OFFSET));
        assert_eq!(fields.end(), Ok(()));
    }

    #[test]
    fn a_field_that_nothing_took_is_refused() {
        let item = sample();
        let mut fields = Fields::new(&item).unwrap();
        fields.take(Tag::UNIQUE_IDENTIFIER);
        fields.take(Tag::OBJECT_TYPE);
        assert_eq!(fields.take_text(Tag::ATTRIBUTE_NAME), Ok(Some("b")));
        assert_eq!(fields.end(), Err(Malformed::Unexpected(Tag::ATTRIBUTE_NAME)));
    }

    #[test]
    fn structures_longer_than_a_word_are_read_whole() {
        let items = (0..200).map(|number| Item::integer(Tag::BATCH_COUNT, number)).collect();
        let item = Item::structure(Tag::BATCH_ITEM, items);
        let mut fields = Fields::new(&item).unwrap();
        for number in 0..199 {
            assert_eq!(fields.take_integer(Tag::BATCH_COUNT), Ok(Some(number)));
        }
        assert_eq!(fields.rest().count(), 1);
        assert_eq!(fields.end(), Ok(()));
        let mut fields = Fields::new(&item).unwrap();
        (0..199).for_each(|_| assert!(fields.take(Tag::BATCH_COUNT).is_some()));
        assert_eq!(fields.end(), Err(Malformed::Unexpected(Tag::BATCH_COUNT)));
    }

    #[test]
    fn types_are_checked() {
        let item = sample();
        let name = item.child(Tag::ATTRIBUTE_NAME).unwrap();
        let wrong = |expected| Malformed::Type { tag: Tag::ATTRIBUTE_NAME, expected };
        assert_eq!(name.as_integer(), Err(wrong(ItemType::Integer)));
        assert_eq!(name.as_bytes(), Err(wrong(ItemType::ByteString)));
        assert_eq!(Fields::new(name).unwrap_err(), wrong(ItemType::Structure));
        assert!(name.items().is_empty() && name.child(Tag::STATE).is_none());
        assert_eq!(item.children(Tag::ATTRIBUTE_NAME).count(), 2);
        assert_eq!(wrong(ItemType::Integer).tag(), Tag::ATTRIBUTE_NAME);
    }

    #[test]
    fn a_value_that_the_standard_has_not_is_refused() {
        let item = Item::enumeration(Tag::OBJECT_TYPE, 77_u32);
        let unknown = Malformed::Unknown { tag: Tag::OBJECT_TYPE, number: 77 };
        assert_eq!(item.as_value_of::<ObjectType>(), Err(unknown));
        assert_eq!(unknown.to_string(), "ObjectType has no value 0x0000004d");
    }
}
