//! Objects that take the place of others: what a replacement has of what it replaces, and what is left
//! to that. KMIP 1.4, sections 4.4, 4.5 and 4.8; 2.1, sections 6.1.45 to 6.1.47.

use hsm_core::object::lifecycle::{Action, Seconds};
use hsm_core::object::managed::{Link, Managed};
use hsm_core::service::Changes;

use crate::attributes::{Attributes, Which, edit, table};
use crate::failure::{Outcome, invalid_field};
use crate::ttlv::enums::LinkType;
use crate::ttlv::{Item, Tag};

/// What clients may set and replacements do not inherit: it is of the old value, or made anew.
const NOT_INHERITED: &[Tag] = &[
    Tag::LINK,
    Tag::ORIGINAL_CREATION_DATE,
    Tag::RANDOM_NUMBER_GENERATOR,
    Tag::KEY_VALUE_LOCATION,
    Tag::USAGE_LIMITS,
];

/// Dates that keep their distance from the Activation Date.
const FOLLOWING: &[Tag] = &[Tag::PROCESS_START_DATE, Tag::PROTECT_STOP_DATE, Tag::DEACTIVATION_DATE];

/// The attributes that a replacement has from the object that it replaces, and its link to that.
///
/// # Errors
/// An offset that leads out of time.
pub fn inherited(attributes: &Attributes<'_>, offset: Option<u32>, now: Seconds) -> Outcome<Vec<Item>> {
    let may_give = |item: &Item| match Which::of_item(item) {
        Which::Standard(tag) => {
            !NOT_INHERITED.contains(&tag)
                && table::row(tag).is_some_and(|row| row.rights != table::Rights::Server)
        }
        Which::Custom { .. } => edit::may_give(item).is_ok(),
    };
    let mut out: Vec<Item> = attributes.all().into_iter().filter(may_give).collect();
    out.extend(attributes.first(Tag::USAGE_LIMITS).map(renewed));
    if let Some(offset) = offset {
        shift(&mut out, now, offset)?;
    }
    in_order(&mut out);
    Ok(out)
}

/// Dates that operations set, Activate and Revoke, may have overtaken others, which move to them.
fn in_order(attributes: &mut [Item]) {
    for (moved, bound, is_wrong) in [
        (Tag::PROCESS_START_DATE, Tag::ACTIVATION_DATE, i64::lt as fn(&i64, &i64) -> bool),
        (Tag::PROTECT_STOP_DATE, Tag::DEACTIVATION_DATE, i64::gt),
        (Tag::DEACTIVATION_DATE, Tag::ACTIVATION_DATE, i64::lt),
    ] {
        let bound = attributes.iter().find(|item| item.tag == bound).and_then(|item| item.as_date().ok());
        let Some(bound) = bound else { continue };
        for item in attributes.iter_mut().filter(|item| item.tag == moved) {
            if item.as_date().is_ok_and(|date| is_wrong(&date, &bound)) {
                *item = Item::date(moved, bound);
            }
        }
    }
}

/// Usage limits of which nothing is used.
fn renewed(limits: Item) -> Item {
    let whole = limits.items().iter().filter(|field| field.tag != Tag::USAGE_LIMITS_COUNT).cloned();
    Item::structure(Tag::USAGE_LIMITS, whole.collect())
}

/// KMIP 1.4, tables 172, 176 and 186: the Activation Date is `offset` seconds from now, and the dates
/// that follow it move with it.
fn shift(attributes: &mut Vec<Item>, now: Seconds, offset: u32) -> Outcome<()> {
    let too_late = || invalid_field("the offset leads out of time");
    let activation = now.checked_add(offset.into()).ok_or_else(too_late)?;
    let before = attributes.iter().find(|item| item.tag == Tag::ACTIVATION_DATE);
    let before = before.map(Item::as_date).transpose()?;
    attributes.retain(|item| item.tag != Tag::ACTIVATION_DATE);
    attributes.push(Item::date(Tag::ACTIVATION_DATE, activation));
    let Some(by) = before.and_then(|before| activation.checked_sub(before)) else { return Ok(()) };
    for item in attributes.iter_mut().filter(|item| FOLLOWING.contains(&item.tag)) {
        let date = item.as_date()?.checked_add(by).ok_or_else(too_late)?;
        *item = Item::date(item.tag, date);
    }
    Ok(())
}

/// The attribute by which an object is linked to another.
pub fn link(kind: LinkType, target: &str) -> Item {
    Item::structure(
        Tag::LINK,
        vec![Item::enumeration(Tag::LINK_TYPE, kind), Item::text(Tag::LINKED_OBJECT_IDENTIFIER, target)],
    )
}

/// Where a Link attribute leads, if it is of a kind.
pub fn target(item: &Item, kind: LinkType) -> Option<&str> {
    let own = item.child(Tag::LINK_TYPE)?.as_value_of::<LinkType>().ok()?;
    let target = item.child(Tag::LINKED_OBJECT_IDENTIFIER)?.as_text().ok()?;
    (own == kind).then_some(target)
}

/// Takes the names from an object that is replaced, and links it to what replaces it.
///
/// # Errors
/// [`hsm_core::Error::WrongState`] and its like where the object cannot be replaced any more.
pub fn retire(changes: &mut Changes<'_, '_>, old: &str, new: &str) -> hsm_core::Result<()> {
    let mut object = changes.object(old, Action::Replace)?;
    let mut managed = Managed::of(&object);
    managed.names.clear();
    set_link(&mut managed, LinkType::ReplacementObjectLink, new);
    managed.put(&mut object);
    changes.replace(old, object)
}

/// Has the only link of a kind lead to an object.
pub fn set_link(managed: &mut Managed, kind: LinkType, target: &str) {
    let link = Link { kind: kind.number(), target: target.to_owned() };
    let mut is_set = false;
    // In the old one's place: other links keep their indexes.
    managed.links.retain_mut(|old| {
        if old.kind != link.kind {
            return true;
        }
        *old = link.clone();
        !std::mem::replace(&mut is_set, true)
    });
    if !is_set {
        managed.links.push(link);
    }
}

/// The object to which a link of a kind leads.
pub fn linked(managed: &Managed, kind: LinkType) -> Option<&str> {
    managed.links.iter().find(|link| link.kind == kind.number()).map(|link| link.target.as_str())
}
