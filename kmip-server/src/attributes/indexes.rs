//! Attribute Index of 1.x: "SHALL NOT change when other instances are added or deleted" (KMIP 1.4, section
//! 2.1.1). Values are kept in the order of their indexes, and their place is their index until one before
//! others is deleted. From then on the object keeps the indexes of that attribute's values beside it.

use super::form::Which;
use crate::ttlv::{Item, Tag};

/// The indexes of an object's attributes that are not their values' places: for each attribute a structure
/// of its name and the indexes.
#[derive(Debug, Default)]
pub struct Indexes(pub(super) Vec<Item>);

impl Indexes {
    /// The index of the value at a place. Values that came since the last deletion follow the last index.
    pub fn at(&self, which: &Which, place: usize) -> usize {
        if self.0.is_empty() {
            return place;
        }
        let kept = self.0.iter().find(|item| is_of(item, which));
        let indexes = kept.map_or(&[][..], |item| item.items().get(1..).unwrap_or_default());
        let number = |item: &Item| item.as_integer().ok().and_then(|index| usize::try_from(index).ok());
        match (indexes.get(place).and_then(number), indexes.last().and_then(number)) {
            (Some(index), _) => index,
            (None, Some(last)) => last + 1 + place.saturating_sub(indexes.len()),
            (None, None) => place,
        }
    }
}

/// Whether an item has the indexes of an attribute.
pub(super) fn is_of(item: &Item, which: &Which) -> bool {
    item.tag == Tag::ATTRIBUTE_INDEX
        && item.child(Tag::ATTRIBUTE_NAME).is_some_and(|name| name.as_text() == Ok(which.name().as_str()))
}

/// What an object keeps of the indexes of an attribute: nothing, where they are the values' places.
pub(super) fn kept(which: &Which, indexes: &[usize]) -> Option<Item> {
    if indexes.iter().enumerate().all(|(place, index)| place == *index) {
        return None;
    }
    let mut fields = vec![Item::text(Tag::ATTRIBUTE_NAME, which.name())];
    fields.extend(
        indexes
            .iter()
            .map(|index| Item::integer(Tag::ATTRIBUTE_INDEX, i32::try_from(*index).unwrap_or(i32::MAX))),
    );
    Some(Item::structure(Tag::ATTRIBUTE_INDEX, fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_indexes_until_something_else_is_kept() {
        let name = Which::Standard(Tag::NAME);
        let group = Which::Standard(Tag::OBJECT_GROUP);
        assert_eq!(kept(&name, &[0, 1, 2]), None);
        assert_eq!(kept(&name, &[]), None);
        let indexes = Indexes(kept(&name, &[1, 4]).into_iter().collect());
        let at = |which: &Which| [0, 1, 2, 3].map(|place| indexes.at(which, place));
        assert_eq!(at(&name), [1, 4, 5, 6]);
        assert_eq!(at(&group), [0, 1, 2, 3]);
        assert_eq!(Indexes::default().at(&name, 3), 3);
    }
}
