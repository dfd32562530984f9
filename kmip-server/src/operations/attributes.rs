//! Get Attributes, Get Attribute List, and what changes attributes: KMIP 1.4, sections 4.12 to 4.16;
//! 2.1, sections 6.1.2, 6.1.3, 6.1.15, 6.1.24, 6.1.25, 6.1.38 and 6.1.56.

use hsm_core::object::lifecycle::Action;
use hsm_core::service::Item as Found;

use crate::attributes::{Attributes, Editor, Given, Which, edit, form};
use crate::context::{Context, id_field};
use crate::failure::{Failure, Outcome, invalid_field};
use crate::ttlv::enums::{AdjustmentType, ResultReason as Reason};
use crate::ttlv::{Fields, Item, Tag, Value};

/// Get Attributes.
///
/// # Errors
/// Those of the payload.
pub fn get(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let id = context.id(&mut fields)?;
    let names: Vec<&Item> = named(context, &mut fields).collect();
    fields.end()?;
    let found = context.load(&id, Action::Look)?;
    let attributes = Attributes::of(found.object());
    let items = if names.is_empty() { attributes.all() } else { chosen(context, &attributes, &names)? };
    let mut out = vec![id_field(&id)];
    out.extend(form::write(items, &attributes.indexes(), context.version));
    Ok(out)
}

fn named<'a>(context: &Context<'_>, fields: &mut Fields<'a>) -> impl Iterator<Item = &'a Item> {
    let tag = if context.is_2() { Tag::ATTRIBUTE_REFERENCE } else { Tag::ATTRIBUTE_NAME };
    fields.take_all(tag)
}

/// The attributes of the names, in the order of the names; a name that is none is passed over, as is an
/// attribute that the object does not have.
fn chosen(context: &Context<'_>, attributes: &Attributes<'_>, names: &[&Item]) -> Outcome<Vec<Item>> {
    let mut asked: Vec<Which> = Vec::new();
    for name in names {
        match Which::read(name, context.version) {
            Ok(which) if !asked.contains(&which) => asked.push(which),
            Ok(_) => {}
            Err(failure) if failure.reason == Reason::UnsupportedAttribute && !context.is_2() => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(asked.iter().flat_map(|which| attributes.values(which)).collect())
}

/// Get Attribute List.
///
/// # Errors
/// Those of the payload.
pub fn list(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let id = context.id(&mut fields)?;
    fields.end()?;
    let found = context.load(&id, Action::Look)?;
    let mut names: Vec<Which> = Vec::new();
    for item in Attributes::of(found.object()).all() {
        let which = Which::of_item(&item);
        let known = match &which {
            Which::Standard(tag) => {
                crate::attributes::table::row(*tag).is_some_and(|row| row.is_in(context.version))
            }
            Which::Custom { .. } => true,
        };
        if known && !names.contains(&which) {
            names.push(which);
        }
    }
    let mut out = vec![id_field(&id)];
    out.extend(names.iter().map(|which| which.write(context.version)));
    Ok(out)
}

/// The attribute that a payload gives: 1.x's Attribute, 2.x's New Attribute.
fn given(context: &Context<'_>, fields: &mut Fields<'_>) -> Outcome<Given> {
    if !context.is_2() {
        return form::read_1x(fields.need(Tag::ATTRIBUTE)?, context.version);
    }
    only(fields.need(Tag::NEW_ATTRIBUTE)?, context)
}

/// The one attribute in a structure of 2.x.
fn only(structure: &Item, context: &Context<'_>) -> Outcome<Given> {
    match structure.as_structure()? {
        [item] => form::read_2x(item, context.version),
        _ => Err(invalid_field(format!("{} holds one attribute", structure.tag))),
    }
}

fn value(given: &Given) -> Outcome<Item> {
    given.value.clone().ok_or_else(|| Failure::new(Reason::MissingData, "the attribute has no value"))
}

/// A value of an attribute with the index that it has in 1.x.
struct Instance {
    index: usize,
    value: Item,
}

/// Changes the values of one attribute of an object, for which a client `said` a new one.
fn change(
    context: &Context<'_>,
    id: &str,
    which: &Which,
    said: Option<&Item>,
    allow: &dyn Fn(&Which, &Attributes<'_>) -> Outcome<()>,
    change: &dyn Fn(Vec<Instance>) -> Outcome<Vec<Instance>>,
) -> Outcome<Found> {
    if let Some(said) = said {
        let found = context.load(id, Action::Change)?;
        if edit::is_said_again(which, &Attributes::of(found.object()), said) {
            return Ok(found);
        }
    }
    let mut failure = None;
    let work = |before: &hsm_core::object::Object, after: &mut hsm_core::object::Object| -> Outcome<()> {
        let attributes = Attributes::of(before);
        allow(which, &attributes)?;
        let indexes = attributes.indexes();
        let values = attributes.values(which).into_iter().enumerate();
        let values = values.map(|(place, value)| Instance { index: indexes.at(which, place), value });
        let changed = change(values.collect())?.into_iter();
        let (indexes, values): (Vec<_>, Vec<_>) = changed.map(|one| (one.index, one.value)).unzip();
        edit::may_be(&attributes, &values)?;
        let mut editor = Editor::new(after);
        editor.set(which, &values)?;
        editor.set_indexes(which, &indexes);
        Ok(editor.finish()?)
    };
    let touched = context.space.write(&mut |changes| {
        let before = changes.object(id, Action::Change)?;
        let mut after = changes.object(id, Action::Change)?;
        if let Err(why) = work(&before, &mut after) {
            failure = Some(why);
            return Err(hsm_core::Error::ActionProhibited);
        }
        changes.replace(id, after)
    });
    match (touched, failure) {
        (_, Some(failure)) => Err(failure),
        (touched, None) => touched?
            .into_iter()
            .next()
            .ok_or_else(|| Failure::new(Reason::ObjectNotFound, "the object is gone")),
    }
}

/// What an answer says of a changed attribute: 1.x repeats it, 2.x does not.
fn answer(context: &Context<'_>, id: &str, which: &Which, item: Item, index: Option<usize>) -> Vec<Item> {
    let mut out = vec![id_field(id)];
    if !context.is_2() {
        out.push(form::write_1x(which, item, index));
    }
    out
}

/// Add Attribute.
///
/// # Errors
/// [`Reason::AttributeSingleValued`] where there is one already; those of the attribute's rights.
pub fn add(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let id = context.id(&mut fields)?;
    let given = given(context, &mut fields)?;
    fields.end()?;
    if given.index.is_some_and(|index| index > 0) {
        return Err(Failure::new(Reason::InvalidField, "the server numbers the values of an attribute"));
    }
    let new = value(&given)?;
    let found = change(context, &id, &given.which, Some(&new), &edit::may_change, &|mut values| {
        if !given.which.is_multiple() && !values.is_empty() {
            let text = format!("{} has a value already", given.which.name());
            return Err(Failure::new(Reason::AttributeSingleValued, text));
        }
        if values.iter().any(|one| one.value == new) {
            let reason = if given.which == Which::Standard(Tag::NAME) {
                Reason::NonUniqueNameAttribute
            } else {
                Reason::InvalidField
            };
            return Err(Failure::new(reason, "the object has this value already"));
        }
        let index = values.last().map_or(0, |last| last.index + 1);
        values.push(Instance { index, value: new.clone() });
        Ok(values)
    })?;
    let attributes = Attributes::of(found.object());
    let last = attributes.values(&given.which).len().saturating_sub(1);
    let index = given.which.is_multiple().then(|| attributes.indexes().at(&given.which, last));
    Ok(answer(context, &id, &given.which, new, index))
}

/// Modify Attribute.
///
/// # Errors
/// [`Reason::AttributeNotFound`], [`Reason::AttributeInstanceNotFound`]; those of the attribute's rights.
pub fn modify(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let id = context.id(&mut fields)?;
    let current = fields.take(Tag::CURRENT_ATTRIBUTE).map(|item| only(item, context)).transpose()?;
    let given = given(context, &mut fields)?;
    fields.end()?;
    let new = value(&given)?;
    if current.as_ref().is_some_and(|current| current.which != given.which) {
        return Err(invalid_field("the current attribute and the new one are not the same attribute"));
    }
    let index = given.index.unwrap_or_default();
    change(context, &id, &given.which, Some(&new), &edit::may_change, &|mut values| {
        let place = place(&values, current.as_ref(), index);
        let slot = place.and_then(|place| values.get_mut(place));
        slot.ok_or_else(|| not_found(&given.which, index))?.value = new.clone();
        Ok(values)
    })?;
    Ok(answer(context, &id, &given.which, new, Some(index)))
}

/// Where the value is that is meant: 2.x says the value, 1.x its index.
fn place(values: &[Instance], current: Option<&Given>, index: usize) -> Option<usize> {
    match current.and_then(|current| current.value.as_ref()) {
        Some(current) => values.iter().position(|one| one.value == *current),
        None => values.iter().position(|one| one.index == index),
    }
}

fn not_found(which: &Which, index: usize) -> Failure {
    let reason = if index == 0 { Reason::AttributeNotFound } else { Reason::AttributeInstanceNotFound };
    Failure::new(reason, format!("the object has no such {}", which.name()))
}

/// Delete Attribute: one value of an attribute, or in 2.x all of them by a reference.
///
/// # Errors
/// As [`modify`].
pub fn delete(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let id = context.id(&mut fields)?;
    let name = fields.take(Tag::ATTRIBUTE_NAME);
    let index = fields.take(Tag::ATTRIBUTE_INDEX).map(Item::as_integer).transpose()?;
    let current = fields.take(Tag::CURRENT_ATTRIBUTE).map(|item| only(item, context)).transpose()?;
    let reference = fields.take(Tag::ATTRIBUTE_REFERENCE);
    fields.end()?;
    let missing = || Failure::new(Reason::MissingData, "no attribute is named");
    let which = match (name.or(reference), &current) {
        (_, Some(current)) => current.which.clone(),
        (Some(name), None) => Which::read(name, context.version)?,
        (None, None) => return Err(missing()),
    };
    let index = usize::try_from(index.unwrap_or_default())
        .map_err(|_| Failure::new(Reason::IndexOutOfBounds, "the index is negative"))?;
    let gone = std::cell::RefCell::new(None);
    change(context, &id, &which, None, &edit::may_delete, &|mut values| {
        if context.is_2() && current.is_none() {
            if values.is_empty() {
                return Err(not_found(&which, 0));
            }
            return Ok(Vec::new());
        }
        let place = place(&values, current.as_ref(), index).ok_or_else(|| not_found(&which, index))?;
        *gone.borrow_mut() = Some(values.remove(place).value);
        Ok(values)
    })?;
    match gone.into_inner() {
        Some(item) => Ok(answer(context, &id, &which, item, Some(index))),
        None => Ok(vec![id_field(&id)]),
    }
}

/// Set Attribute (2.0): a single-valued attribute, there already or not.
///
/// # Errors
/// [`Reason::MultiValuedAttribute`]; those of the attribute's rights.
pub fn set(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let id = context.id(&mut fields)?;
    let given = only(fields.need(Tag::NEW_ATTRIBUTE)?, context)?;
    fields.end()?;
    let new = value(&given)?;
    change(context, &id, &given.which, Some(&new), &edit::may_change, &|values| {
        let index = values.first().map_or(0, |first| first.index);
        let single = match given.which {
            Which::Standard(_) => !given.which.is_multiple(),
            Which::Custom { .. } => values.len() <= 1,
        };
        if !single {
            return Err(Failure::new(
                Reason::MultiValuedAttribute,
                format!("{} has several values", given.which.name()),
            ));
        }
        Ok(vec![Instance { index, value: new.clone() }])
    })?;
    Ok(vec![id_field(&id)])
}

/// Adjust Attribute (2.0): increments, decrements, or negates a value.
///
/// # Errors
/// [`Reason::InvalidDataType`] for values that cannot be, [`Reason::NumericRange`].
pub fn adjust(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let id = context.id(&mut fields)?;
    let reference = Which::read(fields.need(Tag::ATTRIBUTE_REFERENCE)?, context.version)?;
    let kind: AdjustmentType = fields.need(Tag::ADJUSTMENT_TYPE)?.as_value_of()?;
    let by = fields.take(Tag::ADJUSTMENT_VALUE).map(Item::as_integer).transpose()?;
    fields.end()?;
    change(context, &id, &reference, None, &edit::may_change, &|values| {
        let [one] = values.as_slice() else { return Err(not_found(&reference, 0)) };
        let plain = form::value_of(one.value.clone());
        let adjusted = adjusted(&plain, kind, i64::from(by.unwrap_or(1)))?;
        let value = match &reference {
            Which::Standard(tag) => Item::new(*tag, adjusted),
            Which::Custom { vendor, name } => form::custom(vendor, name, adjusted),
        };
        Ok(vec![Instance { index: one.index, value }])
    })?;
    Ok(vec![id_field(&id)])
}

fn adjusted(value: &Value, kind: AdjustmentType, by: i64) -> Outcome<Value> {
    let step = |number: i64| match kind {
        AdjustmentType::Increment => number.checked_add(by),
        AdjustmentType::Decrement => number.checked_sub(by),
        AdjustmentType::Negate => number.checked_neg(),
    };
    let range = || Failure::new(Reason::NumericRange, "the value would leave its range");
    Ok(match value {
        Value::Integer(number) => {
            let number = step(i64::from(*number)).and_then(|number| i32::try_from(number).ok());
            Value::Integer(number.ok_or_else(range)?)
        }
        Value::LongInteger(number) => Value::LongInteger(step(*number).ok_or_else(range)?),
        Value::Interval(seconds) if kind != AdjustmentType::Negate => {
            let seconds = step(i64::from(*seconds)).and_then(|seconds| u32::try_from(seconds).ok());
            Value::Interval(seconds.ok_or_else(range)?)
        }
        Value::DateTime(date) if kind != AdjustmentType::Negate => {
            Value::DateTime(step(*date).ok_or_else(range)?)
        }
        Value::Boolean(flag) if kind == AdjustmentType::Negate => Value::Boolean(!flag),
        _ => return Err(Failure::new(Reason::InvalidDataType, "a value of this type is not adjusted so")),
    })
}
