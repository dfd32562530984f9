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
use crate::attributes::read::STORAGE_SOFTWARE;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::objects::fresh::Wanted;
use crate::objects::template;
use crate::ttlv::enums::ResultReason as Reason;
use crate::ttlv::{Fields, Item, Tag};

/// Takes the attributes of a new object from a payload: 1.x's Template-Attribute under `tag_1x`, 2.x's
/// Attributes under `tag_2x`. Those of templates come first, the last template before the others, and what
/// the request itself says before all (KMIP 1.4, section 4).
pub(crate) fn wanted(
    context: &Context<'_>,
    fields: &mut Fields<'_>,
    tag_1x: Tag,
    tag_2x: Tag,
) -> Outcome<Vec<Item>> {
    let tag = if context.is_2() { tag_2x } else { tag_1x };
    let Some(structure) = fields.take(tag) else { return Ok(Vec::new()) };
    let is_template = |item: &&Item| item.tag == Tag::NAME && !context.is_2();
    let (templates, own): (Vec<&Item>, Vec<&Item>) = structure.as_structure()?.iter().partition(is_template);
    let mut of_templates = Vec::new();
    for name in templates {
        of_templates = create::merged(&of_templates, template::named(context, name)?);
    }
    Ok(create::merged(&of_templates, form::read_all(own, context.version)?))
}

/// The attributes of the one object that a payload makes.
pub(crate) fn wanted_of_one(context: &Context<'_>, fields: &mut Fields<'_>) -> Outcome<Wanted> {
    let attributes = wanted(context, fields, Tag::TEMPLATE_ATTRIBUTE, Tag::ATTRIBUTES)?;
    check_storage(fields, Tag::PROTECTION_STORAGE_MASKS)?;
    Wanted::new(attributes)
}

/// Takes where a client wants an object kept (2.0): any of several masks, all bits of one. Here it is
/// software.
///
/// # Errors
/// [`Reason::ProtectionStorageUnavailable`] where none of them is met. KMIP 2.1, section 7.33.
pub(crate) fn check_storage(fields: &mut Fields<'_>, tag: Tag) -> Outcome<()> {
    let Some(masks) = fields.take(tag) else { return Ok(()) };
    let masks = masks.as_structure()?.iter().map(Item::as_integer).collect::<Result<Vec<_>, _>>()?;
    if masks.is_empty() || masks.iter().any(|mask| mask & !STORAGE_SOFTWARE == 0) {
        return Ok(());
    }
    Err(Failure::new(Reason::ProtectionStorageUnavailable, "objects are kept by software"))
}

/// [`check_storage`] of both halves of a key pair.
pub(crate) fn check_pair_storage(fields: &mut Fields<'_>) -> Outcome<()> {
    let tags = [
        Tag::COMMON_PROTECTION_STORAGE_MASKS,
        Tag::PRIVATE_PROTECTION_STORAGE_MASKS,
        Tag::PUBLIC_PROTECTION_STORAGE_MASKS,
    ];
    tags.into_iter().try_for_each(|tag| check_storage(fields, tag))
}
