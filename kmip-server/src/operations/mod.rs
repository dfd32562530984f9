//! The operations, a file for each kind of use. Each is a function from a request's payload to the
//! fields of its answer; `dispatch` names them.

pub mod asynchronous;
pub mod attributes;
pub mod capabilities;
pub mod certify;
pub mod ciphers;
pub mod create;
pub mod derive;
pub mod get;
pub mod hash;
pub mod life;
pub mod locate;
pub mod login;
pub mod parts;
pub mod pkcs11;
pub mod query;
pub mod random;
pub mod register;
pub mod rekey;
pub mod signatures;
pub mod split;
pub mod transfer;
pub mod usage;
pub mod validate;

#[cfg(test)]
pub(crate) mod tests;

use crate::attributes::form;
use crate::context::Context;
use crate::failure::Outcome;
use crate::objects::fresh::Wanted;
use crate::ttlv::{Fields, Item, Tag};

/// Takes the attributes of a new object from a payload: 1.x's Template-Attribute under `tag_1x`, 2.x's
/// Attributes under `tag_2x`. Later ones go before earlier ones where both name a single attribute.
pub(crate) fn wanted(
    context: &Context<'_>,
    fields: &mut Fields<'_>,
    tag_1x: Tag,
    tag_2x: Tag,
) -> Outcome<Vec<Item>> {
    let tag = if context.is_2() { tag_2x } else { tag_1x };
    match fields.take(tag) {
        Some(structure) => form::read_all(structure, context.version),
        None => Ok(Vec::new()),
    }
}

/// The attributes of the one object that a payload makes.
pub(crate) fn wanted_of_one(context: &Context<'_>, fields: &mut Fields<'_>) -> Outcome<Wanted> {
    let attributes = wanted(context, fields, Tag::TEMPLATE_ATTRIBUTE, Tag::ATTRIBUTES)?;
    // 2.x: where the client cares where its keys are kept.
    fields.take(Tag::PROTECTION_STORAGE_MASKS);
    Wanted::new(attributes)
}

/// Takes where a client cares that its key pair is kept (2.0): everything is kept in one place.
pub(crate) fn take_pair_storage_masks(fields: &mut Fields<'_>) {
    for tag in [
        Tag::COMMON_PROTECTION_STORAGE_MASKS,
        Tag::PRIVATE_PROTECTION_STORAGE_MASKS,
        Tag::PUBLIC_PROTECTION_STORAGE_MASKS,
    ] {
        fields.take(tag);
    }
}
