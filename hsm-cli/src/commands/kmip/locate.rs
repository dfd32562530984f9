//! `kmip locate`: KMIP 1.4, section 4.9; 2.1, section 6.1.32. What each object is, is asked of it by Get
//! Attributes, since Locate answers with identifiers alone.

use kmip_server::ttlv::enums::Operation;
use kmip_server::ttlv::{Item, Tag};
use serde_json::{Value as Json, json};

use crate::cli::KmipLocate;
use crate::failure::{Failure, Result};
use crate::kmip::{Client, Settings, attributes, names};
use crate::output::{Output, Page};

/// An object that was found.
struct Found {
    /// Its identifier as the server writes it.
    id: Item,
    /// What was told of it, if that was asked for.
    about: Option<About>,
}

/// What is shown of an object.
#[derive(Default)]
struct About {
    names: Vec<Json>,
    object_type: Json,
    state: Json,
    algorithm: Json,
    length: Json,
    /// Why nothing is told.
    refused: Option<String>,
}

pub(super) fn run(settings: &Settings, options: &KmipLocate, output: Output) -> Result<()> {
    let mut client = Client::open(settings)?;
    let payload = payload(&client, options)?;
    let answer = client.ask(Operation::Locate, payload)?.map_err(Failure::from)?;
    let located = answer.child(Tag::LOCATED_ITEMS).and_then(|item| item.as_integer().ok());
    let mut found = Vec::new();
    for id in answer.children(Tag::UNIQUE_IDENTIFIER) {
        let about = options.attributes.then(|| about(&mut client, id)).transpose()?;
        found.push(Found { id: id.clone(), about });
    }
    let value = json!({
        "server": settings.peer.endpoint.to_string(),
        "version": client.version.to_string(),
        "located": located,
        "objects": found.iter().map(object).collect::<Vec<_>>(),
    });
    // Identifiers alone go to standard output.
    if found.is_empty() && output.is_chatty() {
        output.notice("no object matches");
    }
    output.result(&value, |page| match (found.is_empty(), options.attributes) {
        (true, _) => {}
        (false, true) => table(page, &found),
        (false, false) => found.iter().for_each(|found| page.line(&id_text(found))),
    });
    remarks(&found, located, output);
    Ok(())
}

fn payload(client: &Client<'_>, options: &KmipLocate) -> Result<Vec<Item>> {
    let number = |tag, number: Option<i32>| number.map(|number| Item::integer(tag, number));
    let value = |tag, value: Option<u32>| value.map(|value| Item::enumeration(tag, value));
    let limits = [number(Tag::MAXIMUM_ITEMS, options.max), number(Tag::OFFSET_ITEMS, options.offset)];
    let criteria = [
        options.name.as_deref().map(attributes::name),
        value(Tag::OBJECT_TYPE, options.object_type),
        value(Tag::STATE, options.state),
        options.group.as_deref().map(|group| Item::text(Tag::OBJECT_GROUP, group)),
        value(Tag::CRYPTOGRAPHIC_ALGORITHM, options.algorithm),
        number(Tag::CRYPTOGRAPHIC_LENGTH, options.length),
    ];
    let (mut limits, criteria): (Vec<_>, Vec<_>) =
        (limits.into_iter().flatten().collect(), criteria.into_iter().flatten().collect());
    client.check(&limits)?;
    client.check(&criteria)?;
    limits.extend(attributes::criteria(criteria, client.version));
    Ok(limits)
}

/// An object that is gone meanwhile, or that may not be looked at, does not keep the others from being
/// shown. All attributes are asked for: some servers fail where one that is named is not there.
fn about(client: &mut Client<'_>, id: &Item) -> Result<About> {
    Ok(match client.ask(Operation::GetAttributes, vec![id.clone()])? {
        Err(refusal) => About { refused: Some(refusal.text()), ..About::default() },
        Ok(payload) => {
            let attributes = attributes::read(&payload);
            let values = |tag| attributes::values(&attributes, tag);
            let first = |tag| values(tag).into_iter().next().unwrap_or_default();
            About {
                names: values(Tag::NAME),
                object_type: first(Tag::OBJECT_TYPE),
                state: first(Tag::STATE),
                algorithm: first(Tag::CRYPTOGRAPHIC_ALGORITHM),
                length: first(Tag::CRYPTOGRAPHIC_LENGTH),
                refused: None,
            }
        }
    })
}

fn object(found: &Found) -> Json {
    let id = names::json(found.id.tag, &found.id.value);
    match &found.about {
        None => json!({ "id": id }),
        Some(about) => json!({
            "id": id,
            "names": about.names,
            "type": about.object_type,
            "state": about.state,
            "algorithm": about.algorithm,
            "length": about.length,
            "refused": about.refused,
        }),
    }
}

fn id_text(found: &Found) -> String {
    names::line(&names::json(found.id.tag, &found.id.value))
}

fn table(page: &mut Page, found: &[Found]) {
    let row = |found: &Found| {
        let nothing = About::default();
        let about = found.about.as_ref().unwrap_or(&nothing);
        let names = about.names.iter().map(names::line).collect::<Vec<_>>().join(", ");
        let cells = [&about.object_type, &about.state, &about.algorithm, &about.length].map(names::line);
        let [object_type, state, algorithm, length] = cells;
        [id_text(found), object_type, state, algorithm, length, names]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    page.table(["ID", "TYPE", "STATE", "ALGORITHM", "LENGTH", "NAME"], &rows);
}

fn remarks(found: &[Found], located: Option<i32>, output: Output) {
    if !output.is_chatty() {
        return;
    }
    for one in found {
        if let Some(refused) = one.about.as_ref().and_then(|about| about.refused.as_ref()) {
            output.warning(&format!("{} does not tell its attributes: {refused}", id_text(one)));
        }
    }
    let shown = i32::try_from(found.len()).unwrap_or(i32::MAX);
    if let Some(located) = located.filter(|located| *located > shown) {
        output.notice(&format!("these are {shown} of {located}; --max and --offset choose others"));
    }
}
