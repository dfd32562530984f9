//! `kmip query`: every function that the version has. KMIP 1.4, section 4.25; 2.1, section 6.1.40.

use kmip_server::ttlv::enums::{Operation, QueryFunction};
use kmip_server::ttlv::{Item, Tag};
use serde_json::{Map, Value as Json, json};

use crate::failure::Result;
use crate::kmip::names;
use crate::kmip::{Client, Refusal, Settings};
use crate::output::{Output, Page, printable};

/// Characters of a line of names.
const WIDTH: usize = 76;

/// A part of the answer: its fields' tag, its name in JSON, and for people.
struct Section(Tag, &'static str, &'static str);

#[rustfmt::skip]
const SECTIONS: &[Section] = &[
    Section(Tag::VENDOR_IDENTIFICATION,      "vendor",                      "vendor"),
    Section(Tag::SERVER_INFORMATION,         "server_information",          "server"),
    Section(Tag::OPERATION,                  "operations",                  "operations"),
    Section(Tag::OBJECT_TYPE,                "object_types",                "object types"),
    Section(Tag::PROFILE_INFORMATION,        "profiles",                    "profiles"),
    Section(Tag::CAPABILITY_INFORMATION,     "capabilities",                "capabilities"),
    Section(Tag::RNG_PARAMETERS,             "rngs",                        "random numbers"),
    Section(Tag::VALIDATION_INFORMATION,     "validations",                 "validations"),
    Section(Tag::APPLICATION_NAMESPACE,      "application_namespaces",      "namespaces"),
    Section(Tag::EXTENSION_INFORMATION,      "extensions",                  "extensions"),
    Section(Tag::ATTESTATION_TYPE,           "attestation_types",           "attestation"),
    Section(Tag::CLIENT_REGISTRATION_METHOD, "client_registration_methods", "registration"),
    Section(Tag::DEFAULTS_INFORMATION,       "defaults",                    "defaults"),
    Section(Tag::PROTECTION_STORAGE_MASKS,   "protection_storage_masks",    "storage"),
];

/// What a server says of itself.
struct Told {
    items: Vec<Item>,
    /// The functions that it does not answer.
    refused: Vec<(QueryFunction, Refusal)>,
}

pub(super) fn run(settings: &Settings, output: Output) -> Result<()> {
    let mut client = Client::open(settings)?;
    let told = ask(&mut client)?;
    let (server, version) = (settings.peer.endpoint.to_string(), client.version.to_string());
    output.result(&value(&server, &version, &told), |page| {
        page.fields(lines(&server, &version, &told).iter().map(|(name, text)| (*name, text.clone())));
        others(page, &told);
    });
    if output.is_chatty() {
        for (function, refusal) in &told.refused {
            output.warning(&format!("{} is not answered: {}", function.name(), refusal.text()));
        }
    }
    Ok(())
}

/// All functions at once; where the server does not take that, one after the other.
fn ask(client: &mut Client<'_>) -> Result<Told> {
    let functions: Vec<_> = QueryFunction::ALL.iter().copied().filter(|it| is_asked(*it, client)).collect();
    let whole = functions.iter().map(|function| item(*function)).collect();
    if let Ok(payload) = client.ask(Operation::Query, whole)? {
        return Ok(Told { items: payload.items().to_vec(), refused: Vec::new() });
    }
    let mut told = Told { items: Vec::new(), refused: Vec::new() };
    for function in &functions {
        match client.ask(Operation::Query, vec![item(*function)])? {
            Ok(payload) => told.items.extend_from_slice(payload.items()),
            Err(refusal) => told.refused.push((*function, refusal)),
        }
    }
    match told.refused.len() == functions.len() {
        true => Err(told.refused.remove(0).1.into()),
        false => Ok(told),
    }
}

/// The map of extensions has all that the list has (KMIP 1.4, section 4.25).
fn is_asked(function: QueryFunction, client: &Client<'_>) -> bool {
    function.since() <= client.version && function != QueryFunction::QueryExtensionList
}

fn item(function: QueryFunction) -> Item {
    Item::enumeration(Tag::QUERY_FUNCTION, function)
}

/// The values with a tag.
fn values(told: &Told, tag: Tag) -> Vec<Json> {
    told.items.iter().filter(|item| item.tag == tag).map(|item| names::json(tag, &item.value)).collect()
}

fn value(server: &str, version: &str, told: &Told) -> Json {
    let mut object = Map::new();
    object.insert("server".into(), json!(server));
    object.insert("version".into(), json!(version));
    for Section(tag, name, _) in SECTIONS {
        let mut values = values(told, *tag);
        // Each stands once, by the standard.
        let value = match *tag {
            Tag::VENDOR_IDENTIFICATION | Tag::SERVER_INFORMATION => values.pop().unwrap_or_default(),
            _ => Json::Array(values),
        };
        object.insert((*name).to_owned(), value);
    }
    let others =
        unknown(told).map(|item| json!({ item.tag.to_string(): names::json(item.tag, &item.value) }));
    object.insert("others".into(), others.collect());
    let refused = told
        .refused
        .iter()
        .map(|(function, refusal)| json!({ "function": function.name(), "reason": refusal.text() }));
    object.insert("refused".into(), refused.collect());
    Json::Object(object)
}

/// What the standard does not have in this answer.
fn unknown(told: &Told) -> impl Iterator<Item = &Item> {
    told.items.iter().filter(|item| SECTIONS.iter().all(|Section(tag, ..)| *tag != item.tag))
}

fn lines(server: &str, version: &str, told: &Told) -> Vec<(&'static str, String)> {
    let mut lines = vec![("address", server.to_owned()), ("KMIP", version.to_owned())];
    for Section(tag, _, name) in SECTIONS {
        let mut name = *name;
        for line in groups(&values(told, *tag)).iter().flat_map(|words| filled(words)) {
            lines.push((name, line));
            // The following ones belong to the same.
            name = "";
        }
    }
    lines
}

/// What belongs together on lines: single values all of them, each structure its fields.
fn groups(values: &[Json]) -> Vec<Vec<String>> {
    let fields_of = |value: &Json| match value {
        Json::Object(fields) if fields.len() > 1 => {
            Some(fields.iter().map(|(name, value)| names::field(name, value)).collect())
        }
        _ => None,
    };
    let single = values.iter().filter(|value| fields_of(value).is_none());
    let single: Vec<_> = single.map(names::line).filter(|word| !word.is_empty()).collect();
    [single].into_iter().chain(values.iter().filter_map(fields_of)).collect()
}

/// Words with commas between them, on lines that are not too long.
fn filled(words: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let comma = if at + 1 < words.len() { "," } else { "" };
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() + 2 <= WIDTH => {
                line.push_str(&format!(" {word}{comma}"));
            }
            _ => lines.push(format!("{word}{comma}")),
        }
    }
    lines
}

fn others(page: &mut Page, told: &Told) {
    for item in unknown(told) {
        let name = printable(&item.tag.to_string());
        page.line(&format!("{name}: {}", names::line(&names::json(item.tag, &item.value))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_into_lines() {
        let words = ["a".repeat(40), "b".repeat(33), "c".into()];
        assert_eq!(filled(&words), [format!("{}, {},", words[0], words[1]), "c".to_owned()]);
        assert!(filled(&[]).is_empty());
    }

    #[test]
    fn structures_have_lines_of_their_own() {
        let values = [json!("a"), json!({ "x": 1, "y": [2, 3] }), json!({ "only": "b" })];
        assert_eq!(groups(&values), [vec!["a", "b"], vec!["x: 1", "y: (2, 3)"]]);
    }

    #[test]
    fn every_part_has_its_place_in_json_whether_it_is_told_or_not() {
        let items = vec![
            Item::text(Tag(0x54_0001), "more"),
            Item::enumeration(Tag::OPERATION, Operation::Get),
            Item::enumeration(Tag::OPERATION, 0x8000_0001_u32),
            Item::text(Tag::VENDOR_IDENTIFICATION, "acme"),
        ];
        let refusal = Refusal { operation: Operation::Query, reason: Some(7), message: String::new() };
        let told = Told { items, refused: vec![(QueryFunction::QueryRNGs, refusal)] };
        let value = value("a:1", "1.4", &told);
        assert_eq!(value["operations"], json!(["Get", "0x80000001"]));
        assert_eq!((&value["vendor"], &value["server_information"]), (&json!("acme"), &Json::Null));
        assert_eq!(value["others"], json!([{ "0x540001": "more" }]));
        assert_eq!(
            value["refused"],
            json!([{ "function": "QueryRNGs", "reason": "InvalidField (0x00000007)" }])
        );
        assert!(SECTIONS.iter().all(|Section(_, name, _)| value.get(*name).is_some()));
    }
}
