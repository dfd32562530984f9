//! Templates: named objects that are attributes for objects to be made, and nothing else. KMIP 1.4,
//! sections 2.2.6 and 2.1.8; 2.0 dropped them.
//!
//! What a template holds are its own attributes, those that the standard has apply to templates: so they
//! are looked at and changed as those of any object. Get gives back all that clients may set, but for the
//! names, which are the template's alone.

use hsm_core::object::Object;
use hsm_core::object::lifecycle::Action;
use hsm_core::object::locate::Criterion;
use hsm_core::object::managed::{Managed, ObjectType};

use super::fresh::Wanted;
use crate::attributes::read::first_kept;
use crate::attributes::{Attributes, Which, edit, table};
use crate::context::Context;
use crate::failure::{Failure, Outcome, invalid_field};
use crate::ttlv::enums::ResultReason as Reason;
use crate::ttlv::{Item, Tag};

/// Attributes that every object has, said or not: they are in a template only where they were said.
pub const IMPLIED: [Tag; 3] = [Tag::OPERATION_POLICY_NAME, Tag::SENSITIVE, Tag::EXTRACTABLE];

/// The attributes that a template has for the objects that name it.
pub fn content(template: &Object, attributes: &Attributes<'_>) -> Vec<Item> {
    let mut out = attributes.all();
    out.retain(|item| match Which::of_item(item) {
        Which::Standard(Tag::NAME | Tag::OBJECT_TYPE) => false,
        Which::Standard(tag) if IMPLIED.contains(&tag) => first_kept(template, tag).is_some(),
        Which::Standard(_) | Which::Custom { .. } => edit::may_give(item).is_ok(),
    });
    out
}

/// Checks what a new template holds: `said` in its Template structure, `wanted` beside it.
///
/// # Errors
/// [`Reason::MissingData`] for an empty structure, [`Reason::InvalidField`] for a Name in it (KMIP 1.4,
/// section 11.4) and for attributes that do not apply to templates; [`Reason::ReadOnlyAttribute`].
pub fn check(said: &[Item], wanted: &Wanted) -> Outcome<()> {
    if said.is_empty() {
        return Err(Failure::new(Reason::MissingData, "the template is empty"));
    }
    if let Some(item) = said.iter().find(|item| matches!(item.tag, Tag::NAME | Tag::OBJECT_TYPE)) {
        return Err(invalid_field(format!("{} is the template's own and stands beside it", item.tag)));
    }
    said.iter().try_for_each(edit::may_give)?;
    let mut all = said.iter().chain(&wanted.attributes);
    match all.find(|item| !table::is_of_templates(item.tag)) {
        Some(item) => {
            let name = Which::of_item(item).name();
            Err(invalid_field(format!("{name} is no attribute of templates")))
        }
        None => Ok(()),
    }
}

/// What a Template-Attribute says by naming a template.
///
/// # Errors
/// [`Reason::ItemNotFound`]; [`Reason::ObjectArchived`].
pub fn named(context: &Context<'_>, name: &Item) -> Outcome<Vec<Item>> {
    let name = edit::name(name)?;
    let is_it = |object: &Object| {
        ObjectType::of(object) == ObjectType::Template && Managed::of(object).names.contains(&name)
    };
    let found = context.space.locate(&[Criterion::Name(name.clone())], false, &is_it)?;
    // Names are unique among one owner's objects; the client's own go before others' that it sees.
    let is_own = |owner: Option<String>| owner.as_deref() == Some(context.client.owner.as_str());
    let own = found.iter().find(|item| is_own(Managed::of(item.object()).owner));
    let template = own.or(found.first());
    let template = template.ok_or_else(|| Failure::new(Reason::ItemNotFound, "there is no such template"))?;
    let template = context.load(&template.id(), Action::Read)?;
    Ok(content(template.object(), &Attributes::of(template.object())))
}

/// Refuses templates, for operations that the standard does not have for them.
///
/// # Errors
/// [`Reason::IllegalOperation`]. KMIP 1.4, sections 11.20 and 11.21.
pub fn refuse(context: &Context<'_>, id: &str) -> Outcome<()> {
    let found = context.load(id, Action::Look)?;
    if ObjectType::of(found.object()) == ObjectType::Template {
        return Err(Failure::new(Reason::IllegalOperation, "this is not done with a template"));
    }
    Ok(())
}
