//! Query, Discover Versions, Ping and Interop: what the server is. KMIP 1.4, sections 4.25 and 4.26;
//! 2.1, sections 6.1.20, 6.1.31, 6.1.40 and 6.1.44.

use hsm_core::object::locate::Criterion;
use hsm_core::object::managed::ObjectType;

use crate::context::Context;
use crate::dispatch;
use crate::failure::{Failure, Outcome};
use crate::ttlv::enums::{InteropFunction, QueryFunction, ResultReason as Reason};
use crate::ttlv::{Fields, Item, Tag, Version};

/// The name of what this is.
const PRODUCT: &str = "softhsm-rs";

/// Query.
///
/// # Errors
/// Those of the payload.
pub fn query(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let functions: Vec<&Item> = fields.take_all(Tag::QUERY_FUNCTION).collect();
    fields.end()?;
    if functions.is_empty() {
        return Err(Failure::new(Reason::MissingData, "no query function is given"));
    }
    let mut asked = Vec::new();
    for item in functions {
        let function: QueryFunction = item.as_value_of()?;
        if function.since() > context.version {
            return Err(Failure::new(Reason::InvalidField, format!("{} is not known", function.name())));
        }
        if !asked.contains(&function) {
            asked.push(function);
        }
    }
    // The answer has its own order: that of the standard's table.
    asked.sort_unstable();
    Ok(asked.into_iter().flat_map(|function| answered(context, function)).collect())
}

fn answered(context: &Context<'_>, function: QueryFunction) -> Vec<Item> {
    match function {
        QueryFunction::QueryOperations => dispatch::offered(context.version, context.settings.interop)
            .map(|row| Item::enumeration(Tag::OPERATION, row.operation))
            .collect(),
        QueryFunction::QueryObjects => ObjectType::ALL
            .into_iter()
            .filter(|kind| {
                crate::objects::tag_of(*kind).is_in(context.version)
                    && crate::ttlv::enums::since_of(Tag::OBJECT_TYPE, *kind as u32)
                        .is_some_and(|since| since <= context.version)
            })
            .map(|kind| Item::enumeration(Tag::OBJECT_TYPE, kind as u32))
            .collect(),
        QueryFunction::QueryServerInformation => vec![
            Item::text(Tag::VENDOR_IDENTIFICATION, context.settings.server_information.as_str()),
            Item::structure(Tag::SERVER_INFORMATION, server_information(context.version)),
        ],
        _ => super::capabilities::answered(context, function),
    }
}

/// The fields of Server Information: KMIP 2.1, section 7.37. 1.x has none but vendors' own, and says by
/// Vendor Identification who and which version it is.
fn server_information(version: Version) -> Vec<Item> {
    if version < Version::V2_0 {
        return Vec::new();
    }
    vec![
        Item::text(Tag::SERVER_NAME, PRODUCT),
        Item::text(Tag::SERVER_VERSION, env!("CARGO_PKG_VERSION")),
        Item::text(Tag::PRODUCT_NAME, PRODUCT),
    ]
}

/// Discover Versions: those that both speak, in the server's order of preference, the newest first; all
/// of the server's where the client names none.
///
/// # Errors
/// Those of the payload.
pub fn discover_versions(_: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let mut named = Vec::new();
    for item in fields.take_all(Tag::PROTOCOL_VERSION) {
        let mut inside = Fields::new(item)?;
        let major = inside.need(Tag::PROTOCOL_VERSION_MAJOR)?.as_integer()?;
        let minor = inside.need(Tag::PROTOCOL_VERSION_MINOR)?.as_integer()?;
        named.push(Version::of(major, minor));
    }
    fields.end()?;
    let spoken =
        Version::ALL.into_iter().rev().filter(|version| named.is_empty() || named.contains(&Some(*version)));
    Ok(spoken
        .map(|version| {
            let fields = vec![
                Item::integer(Tag::PROTOCOL_VERSION_MAJOR, version.major()),
                Item::integer(Tag::PROTOCOL_VERSION_MINOR, version.minor()),
            ];
            Item::structure(Tag::PROTOCOL_VERSION, fields)
        })
        .collect())
}

/// Ping.
///
/// # Errors
/// A payload that is not empty.
pub fn ping(_: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    Fields::new(payload)?.end()?;
    Ok(Vec::new())
}

/// Interop: the begin and end of a test case, and Reset, which takes away all objects of the caller's
/// and nobody else's.
///
/// # Errors
/// Those of the payload and the store.
pub fn interop(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let function: InteropFunction = fields.need(Tag::INTEROP_FUNCTION)?.as_value_of()?;
    let name = fields.take(Tag::INTEROP_IDENTIFIER).map(Item::as_text).transpose()?;
    fields.end()?;
    match function {
        InteropFunction::Begin | InteropFunction::End if name.is_none() => {
            return Err(Failure::new(Reason::MissingData, "the interop identifier is missing"));
        }
        InteropFunction::Begin => log::info!("{}: begins {}", context.client.name, name.unwrap_or_default()),
        InteropFunction::End => log::info!("{}: ends {}", context.client.name, name.unwrap_or_default()),
        InteropFunction::Reset => reset(context)?,
    }
    Ok(Vec::new())
}

fn reset(context: &Context<'_>) -> Outcome<()> {
    let own = context.space.locate(&[Criterion::Any], true, &|object| {
        let owner = hsm_core::object::managed::Managed::of(object).owner;
        owner.as_deref() == Some(context.client.owner.as_str())
    })?;
    let ids: Vec<String> = own.iter().map(hsm_core::service::Item::id).collect();
    context.space.write(&mut |changes| ids.iter().try_for_each(|id| changes.remove(id)))?;
    Ok(())
}
