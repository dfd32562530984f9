//! How versions write attributes: 1.x by name, index and value, 2.x by tag. Inside the server there is
//! one form: an item with the attribute's tag, and for custom attributes 2.x's Attribute structure of
//! vendor, name and value.

use super::indexes::Indexes;
use super::table::{self, Row};
use crate::failure::{Failure, Outcome, invalid_field};
use crate::ttlv::enums::ResultReason as Reason;
use crate::ttlv::{Fields, Item, Tag, Value, Version};

/// Which attribute is meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Which {
    /// One of the standard's, by its tag.
    Standard(Tag),
    /// A custom one.
    Custom {
        /// The vendor: `x` for clients', `y` for servers' own (KMIP 2.1, section 4.7).
        vendor: String,
        /// The name.
        name: String,
    },
}

/// An attribute as a client gave it.
#[derive(Debug)]
pub struct Given {
    /// Which one.
    pub which: Which,
    /// Its value in the server's form; `None` where only the attribute was named.
    pub value: Option<Item>,
    /// 1.x's index, where it was said.
    pub index: Option<usize>,
}

impl Which {
    /// The attribute of a name in 1.x. Custom ones begin with `x-` or `y-` (KMIP 1.4, section 3.39).
    pub fn of_name(name: &str, version: Version) -> Outcome<Which> {
        if let Some(row) = table::named(name) {
            return Which::of_row(row, version);
        }
        match name.split_once('-') {
            Some((vendor @ ("x" | "y"), rest)) if !rest.is_empty() => {
                Ok(Which::Custom { vendor: vendor.to_owned(), name: rest.to_owned() })
            }
            _ => Err(Failure::new(Reason::UnsupportedAttribute, format!("there is no attribute {name:?}"))),
        }
    }

    fn of_row(row: &Row, version: Version) -> Outcome<Which> {
        if row.is_in(version) {
            return Ok(Which::Standard(row.tag));
        }
        let message = format!("{} is no attribute of KMIP {version}", row.name);
        Err(Failure::new(Reason::UnsupportedAttribute, message))
    }

    fn of_tag(tag: Tag, version: Version) -> Outcome<Which> {
        match table::row(tag) {
            Some(row) => Which::of_row(row, version),
            None => Err(Failure::new(Reason::UnsupportedAttribute, format!("{tag} is no attribute"))),
        }
    }

    /// Its name in 1.x.
    pub fn name(&self) -> String {
        match self {
            Which::Standard(tag) => table::row(*tag).map_or("", |row| row.name).to_owned(),
            Which::Custom { vendor, name } => format!("{vendor}-{name}"),
        }
    }

    /// Which attribute an item in the server's form is.
    pub fn of_item(item: &Item) -> Which {
        if item.tag != Tag::ATTRIBUTE {
            return Which::Standard(item.tag);
        }
        let text =
            |tag| item.child(tag).and_then(|child| child.as_text().ok()).unwrap_or_default().to_owned();
        Which::Custom { vendor: text(Tag::VENDOR_IDENTIFICATION), name: text(Tag::ATTRIBUTE_NAME) }
    }

    /// Whether several may be on one object.
    pub fn is_multiple(&self) -> bool {
        match self {
            Which::Standard(tag) => table::row(*tag).is_some_and(|row| row.multiple),
            Which::Custom { .. } => true,
        }
    }

    /// Reads a reference: 1.x's Attribute Name, 2.x's Attribute Reference, which is a tag or a vendor
    /// and name (KMIP 2.1, section 7.3).
    pub fn read(item: &Item, version: Version) -> Outcome<Which> {
        match &item.value {
            Value::TextString(name) => Which::of_name(name, version),
            Value::Enumeration(number) => Which::of_tag(Tag(*number), version),
            Value::Structure(_) => {
                let mut fields = Fields::new(item)?;
                let vendor = fields.need(Tag::VENDOR_IDENTIFICATION)?.as_text()?.to_owned();
                let name = fields.need(Tag::ATTRIBUTE_NAME)?.as_text()?.to_owned();
                fields.end()?;
                Ok(Which::Custom { vendor, name })
            }
            _ => Err(invalid_field(format!("{} names no attribute", item.tag))),
        }
    }

    /// Writes a reference.
    pub fn write(&self, version: Version) -> Item {
        match self {
            _ if version < Version::V2_0 => Item::text(Tag::ATTRIBUTE_NAME, self.name()),
            Which::Standard(tag) => Item::enumeration(Tag::ATTRIBUTE_REFERENCE, tag.number()),
            Which::Custom { vendor, name } => Item::structure(
                Tag::ATTRIBUTE_REFERENCE,
                vec![
                    Item::text(Tag::VENDOR_IDENTIFICATION, vendor.clone()),
                    Item::text(Tag::ATTRIBUTE_NAME, name.clone()),
                ],
            ),
        }
    }
}

/// A custom attribute in the server's form.
pub fn custom(vendor: &str, name: &str, value: Value) -> Item {
    Item::structure(
        Tag::ATTRIBUTE,
        vec![
            Item::text(Tag::VENDOR_IDENTIFICATION, vendor),
            Item::text(Tag::ATTRIBUTE_NAME, name),
            Item::new(Tag::ATTRIBUTE_VALUE, value),
        ],
    )
}

/// Reads 1.x's Attribute structure: KMIP 1.4, section 2.1.1.
pub fn read_1x(attribute: &Item, version: Version) -> Outcome<Given> {
    let mut fields = Fields::new(attribute)?;
    let name = fields.need(Tag::ATTRIBUTE_NAME)?.as_text()?;
    let index = fields.take(Tag::ATTRIBUTE_INDEX).map(Item::as_integer).transpose()?;
    let value = fields.take(Tag::ATTRIBUTE_VALUE);
    fields.end()?;
    let index = index.map(usize::try_from).transpose();
    let index = index.map_err(|_| Failure::new(Reason::IndexOutOfBounds, "the index is negative"))?;
    let which = Which::of_name(name, version)?;
    let value = value.map(|item| in_form(&which, item.value.clone())).transpose()?;
    Ok(Given { which, value, index })
}

/// Reads an attribute of 2.x: an item with its tag, or an Attribute structure.
pub fn read_2x(item: &Item, version: Version) -> Outcome<Given> {
    if item.tag != Tag::ATTRIBUTE {
        let which = Which::of_tag(item.tag, version)?;
        let value = Some(in_form(&which, item.value.clone())?);
        return Ok(Given { which, value, index: None });
    }
    let mut fields = Fields::new(item)?;
    let vendor = fields.need(Tag::VENDOR_IDENTIFICATION)?.as_text()?.to_owned();
    let name = fields.need(Tag::ATTRIBUTE_NAME)?.as_text()?.to_owned();
    let value = fields.need(Tag::ATTRIBUTE_VALUE)?.value.clone();
    fields.end()?;
    if vendor.contains('\0') || name.is_empty() {
        return Err(Failure::new(Reason::InvalidAttribute, "the attribute's name is not valid"));
    }
    let which = Which::Custom { vendor, name };
    let value = Some(in_form(&which, value)?);
    Ok(Given { which, value, index: None })
}

/// A value in the server's form, checked for its type.
fn in_form(which: &Which, value: Value) -> Outcome<Item> {
    match which {
        Which::Custom { vendor, name } => Ok(custom(vendor, name, value)),
        Which::Standard(tag) => {
            let expected = table::row(*tag).map(|row| row.value);
            if expected.is_some_and(|expected| expected != value.item_type()) {
                return Err(Failure::new(Reason::InvalidDataType, format!("{tag} has another type")));
            }
            Ok(Item::new(*tag, value))
        }
    }
}

/// Reads the attributes that a client gives for a new object: those of 1.x's Template-Attribute beside the
/// names of templates, and those of 2.x's Attributes.
///
/// # Errors
/// Attributes that the version does not have, and two values of an attribute that has one.
pub fn read_all<'a>(items: impl IntoIterator<Item = &'a Item>, version: Version) -> Outcome<Vec<Item>> {
    let mut out: Vec<Item> = Vec::new();
    for value in read_all_loosely(items, version)? {
        let which = Which::of_item(&value);
        if out.contains(&value) && which.is_multiple() {
            continue;
        }
        if !which.is_multiple() && out.iter().any(|other| other.tag == value.tag) {
            return Err(Failure::new(
                Reason::AttributeSingleValued,
                format!("{} is given twice", which.name()),
            ));
        }
        out.push(value);
    }
    Ok(out)
}

/// As [`read_all`], for a search, in which an attribute may stand twice.
///
/// # Errors
/// Attributes that the version does not have.
pub fn read_all_loosely<'a>(
    items: impl IntoIterator<Item = &'a Item>,
    version: Version,
) -> Outcome<Vec<Item>> {
    let mut out = Vec::new();
    for item in items {
        let given = match item.tag {
            _ if version >= Version::V2_0 => read_2x(item, version)?,
            Tag::ATTRIBUTE => read_1x(item, version)?,
            other => return Err(Failure::new(Reason::InvalidMessage, format!("{other} is no attribute"))),
        };
        let value = given.value.ok_or_else(|| {
            Failure::new(Reason::MissingData, format!("attribute {} has no value", given.which.name()))
        })?;
        out.push(value);
    }
    Ok(out)
}

/// Writes attributes as the items of an answer: 1.x's Attributes with their indexes, or 2.x's one
/// structure. Those that the version does not have are left out.
pub fn write(attributes: Vec<Item>, indexes: &Indexes, version: Version) -> Vec<Item> {
    let is_known = |item: &Item| match table::row(item.tag) {
        Some(row) => row.is_in(version) && !crate::ttlv::is_newer(item, version),
        None => true,
    };
    if version >= Version::V2_0 {
        return vec![Item::structure(Tag::ATTRIBUTES, attributes.into_iter().filter(is_known).collect())];
    }
    let mut out: Vec<Item> = Vec::new();
    let mut before: Vec<Which> = Vec::new();
    for item in attributes {
        let which = Which::of_item(&item);
        let place = before.iter().filter(|other| **other == which).count();
        if is_known(&item) {
            let index = which.is_multiple().then(|| indexes.at(&which, place));
            out.push(write_1x(&which, as_of(item, version), index));
        }
        before.push(which);
    }
    out
}

/// An attribute without the fields that came after a version: a digest says the key's format since 1.1 (KMIP
/// 1.1, section 3.17).
fn as_of(item: Item, version: Version) -> Item {
    if item.tag != Tag::DIGEST || version >= Version::V1_1 {
        return item;
    }
    let fields = item.items().iter().filter(|field| field.tag != Tag::KEY_FORMAT_TYPE).cloned();
    Item::structure(item.tag, fields.collect())
}

/// Writes 1.x's Attribute structure.
pub fn write_1x(which: &Which, item: Item, index: Option<usize>) -> Item {
    let mut fields = vec![Item::text(Tag::ATTRIBUTE_NAME, which.name())];
    if let Some(index) = index {
        fields.push(Item::integer(Tag::ATTRIBUTE_INDEX, i32::try_from(index).unwrap_or(i32::MAX)));
    }
    fields.push(Item::new(Tag::ATTRIBUTE_VALUE, value_of(item)));
    Item::structure(Tag::ATTRIBUTE, fields)
}

/// The value alone of an attribute in the server's form.
pub fn value_of(item: Item) -> Value {
    if item.tag != Tag::ATTRIBUTE {
        return item.value;
    }
    let value = item.child(Tag::ATTRIBUTE_VALUE).map(|child| child.value.clone());
    value.unwrap_or(Value::Structure(Vec::new()))
}
