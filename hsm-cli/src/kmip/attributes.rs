//! Attributes in answers, read by their shape in whatever version they are written; and those that a
//! search names.

use kmip_server::attributes::{Which, form, table};
use kmip_server::ttlv::{Item, Tag, Value, Version};
use serde_json::Value as Json;

use super::names;

/// An attribute of an object.
pub(crate) struct Attribute {
    /// Its name in 1.x; of a vendor's in 2.x, vendor and name.
    pub(crate) name: String,
    /// Its tag, if it is the standard's.
    tag: Tag,
    value: Value,
}

impl Attribute {
    /// Its value as JSON has it. A name is its text, as people know it.
    pub(crate) fn json(&self) -> Json {
        match &self.value {
            Value::Structure(items) if self.tag == Tag::NAME => {
                let text = items.iter().find(|item| item.tag == Tag::NAME_VALUE);
                text.map_or_else(|| names::json(self.tag, &self.value), |it| names::json(it.tag, &it.value))
            }
            value => names::json(self.tag, value),
        }
    }
}

/// The attributes in the payload of an answer: 1.x's structures of name and value (KMIP 1.4, section
/// 2.1.1), 2.x's items under one structure (KMIP 2.1, section 7.2).
pub(crate) fn read(payload: &Item) -> Vec<Attribute> {
    let inside = payload.children(Tag::ATTRIBUTES).flat_map(Item::items);
    payload.children(Tag::ATTRIBUTE).chain(inside).filter_map(read_one).collect()
}

fn read_one(item: &Item) -> Option<Attribute> {
    if item.tag != Tag::ATTRIBUTE {
        let name = names::attribute_name(item.tag);
        return Some(Attribute { name, tag: item.tag, value: item.value.clone() });
    }
    let text = |tag| item.child(tag).and_then(|it| it.as_text().ok()).map(str::to_owned);
    let (name, value) = (text(Tag::ATTRIBUTE_NAME)?, item.child(Tag::ATTRIBUTE_VALUE)?.value.clone());
    Some(match text(Tag::VENDOR_IDENTIFICATION) {
        Some(vendor) => Attribute { name: format!("{vendor}-{name}"), tag: Tag::ATTRIBUTE_VALUE, value },
        None => {
            let tag = table::named(&name).map_or(Tag::ATTRIBUTE_VALUE, |row| row.tag);
            Attribute { name, tag, value }
        }
    })
}

/// The values of the attribute with that tag.
pub(crate) fn values(attributes: &[Attribute], tag: Tag) -> Vec<Json> {
    attributes.iter().filter(|attribute| attribute.tag == tag).map(Attribute::json).collect()
}

/// What a search names, as the version writes it.
pub(crate) fn criteria(items: Vec<Item>, version: Version) -> Vec<Item> {
    if version >= Version::V2_0 {
        return vec![Item::structure(Tag::ATTRIBUTES, items)];
    }
    items.into_iter().map(|item| form::write_1x(&Which::Standard(item.tag), item, None)).collect()
}

/// The name of an object as the attribute has it, an uninterpreted text.
pub(crate) fn name(text: &str) -> Item {
    let fields = vec![Item::text(Tag::NAME_VALUE, text), Item::enumeration(Tag::NAME_TYPE, 1_u32)];
    Item::structure(Tag::NAME, fields)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn payload(items: Vec<Item>) -> Item {
        Item::structure(Tag::RESPONSE_PAYLOAD, items)
    }

    fn shown(payload: &Item) -> Vec<(String, Json)> {
        read(payload).iter().map(|it| (it.name.clone(), it.json())).collect()
    }

    #[test]
    fn both_forms_are_read_alike() {
        let items = || vec![name("disk"), Item::enumeration(Tag::STATE, 2_u32)];
        let expected = [("Name".to_owned(), json!("disk")), ("State".to_owned(), json!("Active"))];
        for version in Version::ALL {
            assert_eq!(shown(&payload(criteria(items(), version))), expected, "{version}");
        }
    }

    #[test]
    fn what_the_standard_does_not_know_is_kept_and_what_is_no_attribute_left_out() {
        let named = |fields: &[Item]| Item::structure(Tag::ATTRIBUTE, fields.to_vec());
        let (a, b) = (Item::text(Tag::ATTRIBUTE_NAME, "x-a"), Item::text(Tag::ATTRIBUTE_VALUE, "b"));
        let vendor = Item::text(Tag::VENDOR_IDENTIFICATION, "acme");
        let inside = vec![
            named(&[b.clone(), vendor, a.clone()]),
            Item::integer(Tag(0x54_0001), 7),
            named(std::slice::from_ref(&a)),
        ];
        let items =
            vec![Item::text(Tag(0x54_0002), "no"), named(&[a, b]), Item::structure(Tag::ATTRIBUTES, inside)];
        let expected = [("x-a", json!("b")), ("acme-x-a", json!("b")), ("0x540001", json!(7))];
        let expected: Vec<_> = expected.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        assert_eq!(shown(&payload(items)), expected);
    }
}
