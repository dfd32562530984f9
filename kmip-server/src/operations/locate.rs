//! Locate: KMIP 1.4, section 4.9; 2.1, section 6.1.32.

use std::cmp::Reverse;

use hsm_core::object::Object;
use hsm_core::object::lifecycle::State;
use hsm_core::object::locate::Criterion;
use hsm_core::object::managed::{Custom, Date, ObjectType, made};
use hsm_core::service::Item as Found;

use crate::attributes::{Attributes, Which, edit, form};
use crate::context::Context;
use crate::failure::{Outcome, invalid_field};
use crate::objects::tag_of;
use crate::ttlv::enums::{ObjectGroupMemberOption as Member, UniqueIdentifier};
use crate::ttlv::{Fields, Item, Tag, Value, Version, encode};

/// Storage Status Mask: on-line, archived, destroyed (2.0).
const ONLINE: i32 = 1;
const ARCHIVAL: i32 = 2;
const DESTROYED: i32 = 4;

/// What is looked for.
struct Wanted {
    /// The version of the request, whose kinds of object alone are found.
    version: Version,
    /// Attributes that must be there; two dates of one attribute are a range.
    attributes: Vec<(Which, Vec<Item>)>,
    storage: i32,
    member: Option<Member>,
}

/// Locate. Objects come newest first.
///
/// # Errors
/// Those of the payload and the store.
pub fn locate(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let most = count(&mut fields, Tag::MAXIMUM_ITEMS)?;
    let offset = count(&mut fields, Tag::OFFSET_ITEMS)?.unwrap_or_default();
    let storage = fields.take(Tag::STORAGE_STATUS_MASK).map(Item::as_integer).transpose()?;
    let member = fields.take_value_of(Tag::OBJECT_GROUP_MEMBER)?;
    let given = if context.is_2() {
        match fields.take(Tag::ATTRIBUTES) {
            Some(item) => form::read_all_loosely(item.as_structure()?, context.version)?,
            None => Vec::new(),
        }
    } else {
        let attributes: Vec<&Item> = fields.take_all(Tag::ATTRIBUTE).collect();
        let template = fields.take(Tag::TEMPLATE_ATTRIBUTE).map(Item::items).unwrap_or_default();
        form::read_all_loosely(attributes.into_iter().chain(template), context.version)?
    };
    fields.end()?;
    let wanted = Wanted {
        version: context.version,
        attributes: grouped(given)?,
        storage: storage.unwrap_or(ONLINE),
        member,
    };
    let found = search(context, &wanted)?;
    let located = found.len();
    let taken: Vec<String> =
        found.iter().skip(offset).take(most.unwrap_or(usize::MAX)).map(Found::id).collect();
    match taken.as_slice() {
        [only] => context.leave(UniqueIdentifier::Locate, only),
        _ => context.leave_none(),
    }
    let mut out = Vec::with_capacity(taken.len() + 1);
    if context.version >= Version::V1_3 {
        let located = i32::try_from(located).unwrap_or(i32::MAX);
        out.push(Item::integer(Tag::LOCATED_ITEMS, located));
    }
    out.extend(taken.into_iter().map(|id| Item::text(Tag::UNIQUE_IDENTIFIER, id)));
    Ok(out)
}

fn count(fields: &mut Fields<'_>, tag: Tag) -> Outcome<Option<usize>> {
    let Some(item) = fields.take(tag) else { return Ok(None) };
    let number =
        usize::try_from(item.as_integer()?).map_err(|_| invalid_field(format!("{tag} is negative")))?;
    Ok(Some(number))
}

/// The values of each attribute together: two dates are a range, more are too many.
fn grouped(given: Vec<Item>) -> Outcome<Vec<(Which, Vec<Item>)>> {
    let mut out: Vec<(Which, Vec<Item>)> = Vec::new();
    for item in given {
        let which = Which::of_item(&item);
        match out.iter_mut().find(|(other, _)| *other == which) {
            Some((_, values)) => values.push(item),
            None => out.push((which, vec![item])),
        }
    }
    let too_many = |(_, values): &&(Which, Vec<Item>)| {
        values.len() > 2 && values.iter().all(|item| matches!(item.value, Value::DateTime(_)))
    };
    match out.iter().find(too_many) {
        Some((which, _)) => Err(invalid_field(format!("{} has more than two ends", which.name()))),
        None => Ok(out),
    }
}

fn search(context: &Context<'_>, wanted: &Wanted) -> Outcome<Vec<Found>> {
    let identifier =
        wanted.attributes.iter().find(|(which, _)| *which == Which::Standard(Tag::UNIQUE_IDENTIFIER));
    if let Some((_, values)) = identifier {
        return by_identifier(context, wanted, values);
    }
    let criteria = criteria(wanted);
    let matches = |object: &Object| wanted.matches(object);
    let destroyed = wanted.storage & DESTROYED != 0;
    let mut found = context.space.locate(&criteria, destroyed, &matches)?;
    // Newest first.
    found.sort_by_key(|item| Reverse(made(item.object())));
    Ok(found)
}

fn by_identifier(context: &Context<'_>, wanted: &Wanted, values: &[Item]) -> Outcome<Vec<Found>> {
    let mut found = Vec::new();
    for value in values {
        match context.space.load(value.as_text()?, hsm_core::object::lifecycle::Action::Look) {
            Ok(item) if wanted.matches(item.object()) => found.push(item),
            Ok(_) | Err(hsm_core::Error::NoSuchObject) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(found)
}

/// What of the search the core's index knows.
fn criteria(wanted: &Wanted) -> Vec<Criterion> {
    let mut out = Vec::new();
    for (which, values) in &wanted.attributes {
        let Some(item) = values.first() else { continue };
        let criterion = match which {
            Which::Standard(Tag::NAME) => edit::name(item).ok().map(Criterion::Name),
            Which::Standard(Tag::OBJECT_TYPE) => number(item)
                .and_then(|number| ObjectType::of_number(number.into()))
                .map(Criterion::ObjectType),
            Which::Standard(Tag::STATE) => {
                number(item).and_then(|number| State::of_number(number.into())).map(Criterion::State)
            }
            Which::Standard(Tag::OBJECT_GROUP) => {
                item.as_text().ok().map(|text| Criterion::Group(text.to_owned()))
            }
            Which::Standard(Tag::LINK) => edit::link(item).ok().map(Criterion::Link),
            Which::Standard(Tag::APPLICATION_SPECIFIC_INFORMATION) => {
                edit::application(item).ok().map(Criterion::Application)
            }
            Which::Custom { vendor, name } => item.child(Tag::ATTRIBUTE_VALUE).map(|value| {
                Criterion::Custom(Custom { name: format!("{vendor}\0{name}"), value: encode(value).to_vec() })
            }),
            Which::Standard(_) => None,
        };
        out.extend(criterion);
    }
    out
}

fn number(item: &Item) -> Option<u32> {
    item.as_enumeration().ok()
}

impl Wanted {
    fn matches(&self, object: &Object) -> bool {
        if !self.is_kept_so(object) || !tag_of(ObjectType::of(object)).is_in(self.version) {
            return false;
        }
        let attributes = Attributes::of(object);
        if let Some(member) = self.member {
            let fresh = attributes.managed().fresh;
            let fits = match member {
                Member::GroupMemberFresh => fresh,
                Member::GroupMemberDefault => true,
            };
            if !fits {
                return false;
            }
        }
        self.attributes.iter().all(|(which, wanted)| has(&attributes, which, wanted))
    }

    /// Whether the object is where the storage status mask looks.
    fn is_kept_so(&self, object: &Object) -> bool {
        let destroyed = hsm_core::object::lifecycle::state(object, 0).is_destroyed();
        let archived = Date::Archive.of(object).is_some();
        let status = if destroyed {
            DESTROYED
        } else if archived {
            ARCHIVAL
        } else {
            ONLINE
        };
        self.storage & status != 0
    }
}

/// Whether an object has an attribute as it is wanted. A date that an object does not have is as good as the
/// last that there is: KMIP 1.4, section 4.9.
fn has(attributes: &Attributes<'_>, which: &Which, wanted: &[Item]) -> bool {
    let mut values = attributes.values(which);
    if let (true, Some(Item { tag, value: Value::DateTime(_) })) = (values.is_empty(), wanted.first()) {
        values.push(Item::date(*tag, i64::MAX));
    }
    match wanted {
        [from, to] if matches!((&from.value, &to.value), (Value::DateTime(_), Value::DateTime(_))) => {
            values.iter().any(|value| within(value, from, to))
        }
        _ => wanted.iter().all(|wanted| values.iter().any(|value| fits(value, wanted))),
    }
}

fn within(value: &Item, from: &Item, to: &Item) -> bool {
    match (value.as_date(), from.as_date(), to.as_date()) {
        (Ok(value), Ok(from), Ok(to)) => from.min(to) <= value && value <= from.max(to),
        _ => false,
    }
}

/// Equality, but for masks, of which all bits asked for must be set, for usage limits, of which there must be
/// as much, and for structures, of which every field asked for must be there.
fn fits(value: &Item, wanted: &Item) -> bool {
    match (&value.value, &wanted.value) {
        (Value::Integer(bits), Value::Integer(asked)) if value.tag == Tag::CRYPTOGRAPHIC_USAGE_MASK => {
            bits & asked == *asked
        }
        (Value::LongInteger(number), Value::LongInteger(asked))
            if matches!(value.tag, Tag::USAGE_LIMITS_TOTAL | Tag::USAGE_LIMITS_COUNT) =>
        {
            number >= asked
        }
        (Value::Structure(_), Value::Structure(asked)) => {
            asked.iter().all(|asked| value.children(asked.tag).any(|field| fits(field, asked)))
        }
        (value, wanted) => value == wanted,
    }
}
