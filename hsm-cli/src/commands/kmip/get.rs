//! `kmip get`: KMIP 1.4, section 4.11; 2.1, section 6.1.23. The value leaves this process for a file, or
//! for standard output where that is asked for, and nowhere else.

use kmip_server::ttlv::enums::{Operation, ResultReason as Reason};
use kmip_server::ttlv::{Item, Tag};
use serde_json::{Map, Value as Json, json};

use super::super::save::Place;
use crate::cli::KmipGet;
use crate::failure::{Failure, Outcome, Result};
use crate::kmip::attributes::{self, Attribute};
use crate::kmip::object::Object;
use crate::kmip::{Client, Refusal, Reply, Settings, names};
use crate::output::{Output, printable};

pub(super) fn run(
    settings: &Settings,
    options: &KmipGet,
    place: Option<&Place<'_>>,
    output: Output,
) -> Result<()> {
    let mut client = Client::open(settings)?;
    let answer = fetch(&mut client, options)?;
    let payload = match answer {
        Ok(payload) => Ok(payload),
        Err(refusal) if is_shown_without(&refusal, options) => Err(refusal),
        Err(refusal) => return Err(refusal.into()),
    };
    let attributes = options.attributes.then(|| all_attributes(&mut client, &options.id)).transpose()?;
    let mut shown = Map::new();
    shown.insert("id".into(), json!(options.id));
    match &payload {
        Ok(payload) => describe(&Object::read(payload)?, options, place, &mut shown)?,
        Err(refusal) => drop(shown.insert("refused".into(), json!(refusal.text()))),
    }
    if let Some(attributes) = &attributes {
        let list = attributes.iter().map(|it| json!({ "name": it.name, "value": it.json() }));
        shown.insert("attributes".into(), list.collect());
    }
    output.result(&shown, |page| {
        let fields = FIELDS.iter().filter_map(|(key, name)| Some((*name, shown.get(*key)?)));
        let fields = fields.filter(|(_, value)| !value.is_null());
        page.fields(fields.map(|(name, value)| (name, names::line(value))));
        if let Some(attributes) = &attributes {
            page.line("");
            let names: Vec<_> = attributes.iter().map(|it| printable(&it.name)).collect();
            let values = attributes.iter().map(|it| names::line(&it.json()));
            page.fields(names.iter().map(String::as_str).zip(values));
        }
    });
    Ok(())
}

/// What is shown of an object: its name in JSON, and for people.
#[rustfmt::skip]
const FIELDS: &[(&str, &str)] = &[
    ("id",        "id"),
    ("type",      "type"),
    ("algorithm", "algorithm"),
    ("length",    "length"),
    ("format",    "format"),
    ("details",   "details"),
    ("wrapped",   "wrapped"),
    ("bytes",     "bytes"),
    ("refused",   "value refused"),
    ("value",     "value"),
    ("file",      "saved in"),
];

fn fetch(client: &mut Client<'_>, options: &KmipGet) -> Result<Reply> {
    let format = options.format.map(|format| Item::enumeration(Tag::KEY_FORMAT_TYPE, format));
    let payload: Vec<_> = [Some(id_item(&options.id)), format].into_iter().flatten().collect();
    client.check(&payload)?;
    client.ask(Operation::Get, payload)
}

fn id_item(id: &str) -> Item {
    Item::text(Tag::UNIQUE_IDENTIFIER, id)
}

/// Whether the attributes of an object are worth showing without its value: that is not what was wanted.
fn is_shown_without(refusal: &Refusal, options: &KmipGet) -> bool {
    let withheld = [Reason::Sensitive, Reason::NotExtractable, Reason::PermissionDenied];
    options.attributes
        && options.out.is_none()
        && !options.show_value
        && refusal.known_reason().is_some_and(|reason| withheld.contains(&reason))
}

fn all_attributes(client: &mut Client<'_>, id: &str) -> Result<Vec<Attribute>> {
    let answer = client.ask(Operation::GetAttributes, vec![id_item(id)])?;
    Ok(attributes::read(&answer.map_err(Failure::from)?))
}

/// What the object is. Its value is saved, or shown, where that is asked for.
fn describe(
    object: &Object<'_>,
    options: &KmipGet,
    place: Option<&Place<'_>>,
    shown: &mut Map<String, Json>,
) -> Result<()> {
    let content = object.content();
    let details: Map<_, _> = object.details().into_iter().collect();
    shown.insert("type".into(), object.kind());
    shown.insert("algorithm".into(), object.algorithm());
    shown.insert("length".into(), object.length());
    shown.insert("format".into(), object.format());
    shown.insert("details".into(), if details.is_empty() { Json::Null } else { Json::Object(details) });
    shown.insert("wrapped".into(), json!(object.is_wrapped()));
    shown.insert("bytes".into(), json!(content.as_ref().map(|content| content.bytes().len())));
    if !options.show_value && place.is_none() {
        return Ok(());
    }
    let Some(content) = content else {
        let message = "the server does not keep the value of this object, and so gave none";
        return Err(Failure::new(Outcome::Failed, message).next("--attributes may show where it is kept"));
    };
    if options.show_value {
        shown.insert("value".into(), json!(hex::encode(content.bytes())));
    }
    if let Some(place) = place {
        place.save(content.bytes(), object.pem_label())?;
        shown.insert("file".into(), json!(place.path().display().to_string()));
    }
    Ok(())
}
