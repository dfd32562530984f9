//! The words for KMIP's values: what people may write for an enumeration's value, and what answers are
//! shown as. Names are those of the text encodings (KMIP Profiles 2.1, section 5.4.1).

use std::collections::BTreeMap;

use kmip_server::attributes::table;
use kmip_server::ttlv::enums::{self, Enumeration};
use kmip_server::ttlv::{Item, Tag, Value, text};
use serde_json::Value as Json;

use crate::output::printable;

/// Other words for values, which the standard's text has and the text encodings have not.
const ALSO: &[(&str, &str)] = &[("3des", "des3"), ("tripledes", "des3")];

/// The number of an enumeration's value by its name, in which case, spaces and signs do not matter; or a
/// number after `0x`, as extensions have it.
pub(crate) fn spelled<E: Enumeration>(text: &str) -> Result<u32, String> {
    if let Some(digits) = text.strip_prefix("0x") {
        return u32::from_str_radix(digits, 16).map_err(|e| e.to_string());
    }
    let wanted = letters(text);
    let wanted = ALSO.iter().find(|(other, _)| *other == wanted).map_or(wanted.as_str(), |(_, name)| name);
    let rows = const { E::TABLE.rows };
    match rows.iter().find(|row| letters(row.name) == wanted) {
        Some(row) => Ok(row.number),
        None => {
            let known: Vec<_> = rows.iter().map(|row| row.name).collect();
            Err(format!("it is one of {}, or a number after 0x", known.join(", ")))
        }
    }
}

fn letters(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// The name of an enumeration's value in an item of that tag, or its number.
pub(crate) fn value_name(tag: Tag, number: u32) -> String {
    enums::name_of(tag, number).map_or_else(|| format!("0x{number:08x}"), str::to_owned)
}

/// An attribute's name in 1.x, whichever version writes it; the tag where the standard has no attribute.
pub(crate) fn attribute_name(tag: Tag) -> String {
    table::row(tag).map_or_else(|| tag.to_string(), |row| row.name.to_owned())
}

/// A value as JSON has it. The tag says which enumeration it is of.
pub(crate) fn json(tag: Tag, value: &Value) -> Json {
    match value {
        Value::Structure(items) => structure(items),
        Value::Integer(bits) => mask(tag, *bits),
        Value::LongInteger(number) => Json::from(*number),
        Value::Interval(seconds) => Json::from(*seconds),
        Value::Enumeration(number) => Json::from(value_name(tag, *number)),
        Value::Boolean(value) => Json::from(*value),
        Value::TextString(text) => Json::from(text.as_str()),
        Value::ByteString(bytes) => Json::from(hex::encode(&**bytes)),
        Value::BigInteger(bytes) => Json::from(format!("0x{}", hex::encode(&**bytes))),
        Value::DateTime(_) | Value::DateTimeExtended(_) => date(value),
    }
}

/// As KMIP's JSON writes it.
fn date(value: &Value) -> Json {
    let written = text::json::encode(&Item::new(Tag::TIME_STAMP, value.clone()));
    let object: Json = serde_json::from_str(&written).unwrap_or_default();
    object.get("value").cloned().unwrap_or_default()
}

/// An integer, or the names of its bits where it is made of such.
fn mask(tag: Tag, bits: i32) -> Json {
    let Some(table) = enums::bits_of_tag(tag) else { return Json::from(bits) };
    let bits = bits.cast_unsigned();
    let set = table.rows.iter().filter(|row| row.number & bits != 0);
    let unknown = bits & !set.clone().fold(0, |known, row| known | row.number);
    let unknown = (unknown != 0).then(|| format!("0x{unknown:08x}"));
    set.map(|row| row.name.to_owned()).chain(unknown).map(Json::from).collect()
}

/// Fields by their names; what stands there several times is a list.
fn structure(items: &[Item]) -> Json {
    let mut fields: BTreeMap<Tag, Vec<Json>> = BTreeMap::new();
    for item in items {
        fields.entry(item.tag).or_default().push(json(item.tag, &item.value));
    }
    let fields = fields.into_iter().map(|(tag, mut values)| match (values.pop(), values.is_empty()) {
        (Some(only), true) => (tag.to_string(), only),
        (last, _) => (tag.to_string(), values.into_iter().chain(last).collect()),
    });
    Json::Object(fields.collect())
}

/// A value on a line for people. A structure with one field is that field's value.
pub(crate) fn line(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => printable(text),
        Json::Array(list) => list.iter().map(line).collect::<Vec<_>>().join(", "),
        Json::Object(fields) if fields.len() == 1 => fields.values().map(line).collect(),
        Json::Object(fields) => {
            fields.iter().map(|(name, value)| field(name, value)).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// A field of a structure on a line.
pub(crate) fn field(name: &str, value: &Json) -> String {
    match value {
        Json::Object(_) | Json::Array(_) => format!("{}: ({})", printable(name), line(value)),
        _ => format!("{}: {}", printable(name), line(value)),
    }
}

#[cfg(test)]
mod tests {
    use kmip_server::ttlv::enums::{CryptographicAlgorithm, KeyFormatType, ObjectType, State};
    use serde_json::json;

    use super::*;

    #[test]
    fn case_and_signs_do_not_matter() {
        assert_eq!(spelled::<ObjectType>("symmetric-key"), Ok(2));
        assert_eq!(spelled::<ObjectType>("SymmetricKey"), Ok(2));
        assert_eq!(spelled::<State>("Pre-Active"), Ok(1));
        assert_eq!(spelled::<KeyFormatType>("pkcs8"), Ok(4));
        assert_eq!(spelled::<KeyFormatType>("X.509"), Ok(5));
        assert_eq!(spelled::<CryptographicAlgorithm>("3DES"), Ok(2));
        assert_eq!(spelled::<CryptographicAlgorithm>("hmac-sha256"), Ok(9));
        assert_eq!(spelled::<CryptographicAlgorithm>("0x80000001"), Ok(0x8000_0001));
    }

    #[test]
    fn an_unknown_word_is_answered_with_the_known_ones() {
        assert!(spelled::<State>("acti").unwrap_err().contains("PreActive, Active"));
        assert!(spelled::<State>("").is_err() && spelled::<State>("0x").is_err());
    }

    #[test]
    fn no_two_values_are_spelled_alike() {
        fn check<E: Enumeration>() {
            let mut names: Vec<_> = E::TABLE.rows.iter().map(|row| letters(row.name)).collect();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), E::TABLE.rows.len(), "{}", E::TABLE.name);
        }
        check::<ObjectType>();
        check::<State>();
        check::<KeyFormatType>();
        check::<CryptographicAlgorithm>();
    }

    #[test]
    fn values_are_shown_by_their_names_and_unknown_ones_by_their_numbers() {
        let shown = |item: Item| json(item.tag, &item.value);
        assert_eq!(shown(Item::enumeration(Tag::STATE, 2_u32)), "Active");
        assert_eq!(shown(Item::enumeration(Tag::STATE, 0x8000_0001_u32)), "0x80000001");
        let mask = Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, 0x4000_000c);
        assert_eq!(shown(mask), json!(["Encrypt", "Decrypt", "0x40000000"]));
        assert_eq!(shown(Item::date(Tag::INITIAL_DATE, 0)), "1970-01-01T00:00:00+00:00");
        assert_eq!(shown(Item::long(Tag::USAGE_LIMITS_TOTAL, -1)), -1);
        let vendor = Item::structure(
            Tag(0x54_0001),
            vec![
                Item::text(Tag(0x54_0002), "a"),
                Item::text(Tag(0x54_0002), "b"),
                Item::boolean(Tag::SENSITIVE, true),
            ],
        );
        let value = shown(vendor);
        assert_eq!(value, json!({ "0x540002": ["a", "b"], "Sensitive": true }));
        assert_eq!(line(&value), "0x540002: (a, b), Sensitive: true");
        assert_eq!(line(&json!([{ "Name": "a\u{1b}" }, { "Name": "b" }])), "a\\u{1b}, b");
    }
}
