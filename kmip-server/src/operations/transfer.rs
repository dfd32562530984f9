//! Export and Import: objects with all their attributes, out of this server and into it. KMIP 1.4,
//! sections 4.40 and 4.41; 2.1, sections 6.1.18 and 6.1.25.

use hsm_core::object::lifecycle::{self, Action, State};
use hsm_core::object::managed::{self, Managed, ObjectType};
use hsm_core::object::material::Key;

use super::get::{Form, given, wear};
use super::register::object_type;
use crate::attributes::{Attributes, form};
use crate::context::{Context, id_field};
use crate::failure::{Failure, Outcome};
use crate::objects::fresh::{self, Origin, Wanted};
use crate::objects::{give, import_token, read, tag_of, template, wrapping};
use crate::ttlv::enums::{KeyWrapType, ResultReason as Reason, UniqueIdentifier};
use crate::ttlv::{Fields, Item, Tag, Version};

/// Attributes that are not imported: they name the object, or follow from it or from this server. That
/// a value was never outside, nobody can bring along.
const NOT_IMPORTED: &[Tag] = &[
    Tag::UNIQUE_IDENTIFIER,
    Tag::SHORT_UNIQUE_IDENTIFIER,
    Tag::OBJECT_TYPE,
    Tag::LEASE_TIME,
    Tag::PROTECTION_STORAGE_MASK,
    Tag::KEY_VALUE_PRESENT,
    Tag::DIGEST,
    Tag::ALWAYS_SENSITIVE,
    Tag::NEVER_EXTRACTABLE,
    Tag::STATE,
    Tag::FRESH,
];

/// Export.
///
/// # Errors
/// As Get. A destroyed object is exported without its value.
pub fn export(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let id = context.id(&mut fields)?;
    let wanted = Form::take(&mut fields)?;
    fields.end()?;
    let mut found = context.load(&id, Action::Look)?;
    let destroyed = lifecycle::state(found.object(), lifecycle::now()).is_destroyed();
    let structure = if destroyed {
        let attributes = Attributes::of(found.object());
        let format = wanted.format.unwrap_or_else(|| give::default_format(found.object(), &attributes));
        let block = || Ok(give::key_block(format, None, &attributes, None));
        give::structure(found.object(), &attributes, block, context.version)?
    } else {
        found = context.load(&id, Action::Read)?;
        given(context, &found, &wanted)?
    };
    let mut out =
        vec![Item::enumeration(Tag::OBJECT_TYPE, ObjectType::of(found.object()) as u32), id_field(&id)];
    let attributes = Attributes::of(found.object());
    out.extend(form::write(attributes.all(), &attributes.indexes(), context.version));
    out.push(structure);
    if !destroyed {
        wear(context, &found)?;
    }
    context.leave_placeholder(&id);
    Ok(out)
}

/// What an Import asks for.
struct Import<'a> {
    id: &'a str,
    replace: bool,
    wrap_type: Option<KeyWrapType>,
    attributes: Vec<Item>,
    kind: ObjectType,
    structure: &'a Item,
}

impl<'a> Import<'a> {
    fn read(context: &Context<'_>, payload: &'a Item) -> Outcome<Import<'a>> {
        let mut fields = Fields::new(payload)?;
        let id = fields.need(Tag::UNIQUE_IDENTIFIER)?.as_text()?;
        let kind =
            fields.take(Tag::OBJECT_TYPE).map(|item| object_type(item, context.version)).transpose()?;
        let replace = fields.take_boolean(Tag::REPLACE_EXISTING)?.unwrap_or_default();
        let wrap_type = fields.take_value_of(Tag::KEY_WRAP_TYPE)?;
        let attributes = if context.is_2() {
            form::read_all(fields.need(Tag::ATTRIBUTES)?.as_structure()?, context.version)?
        } else {
            form::read_all(fields.take_all(Tag::ATTRIBUTE), context.version)?
        };
        // 1.4 has no Object Type in the payload: the structure says it.
        let named = ObjectType::ALL.into_iter().find_map(|kind| Some((kind, fields.take(tag_of(kind))?)));
        let missing = || Failure::new(Reason::MissingData, "the object is missing");
        let (own, structure) = named.ok_or_else(missing)?;
        fields.end()?;
        if kind.is_some_and(|kind| kind != own) || (kind.is_none() && context.version >= Version::V2_0) {
            return Err(Failure::new(
                Reason::InvalidObjectType,
                "the object is not of the type that is said",
            ));
        }
        Ok(Import { id, replace, wrap_type, attributes, kind: own, structure })
    }

    /// A value that the client says of an attribute.
    fn said(&self, tag: Tag) -> Option<&Item> {
        self.attributes.iter().find(|item| item.tag == tag)
    }
}

/// Import: an object with the attributes that it had elsewhere. An identifier that none of this server's
/// could be is replaced by a fresh one, which the answer says.
///
/// # Errors
/// [`Reason::ObjectAlreadyExists`]; those of the object and its attributes.
pub fn import(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let import = Import::read(context, payload)?;
    let key = imported(context, &import)?;
    let id = if is_identifier(import.id) { import.id.to_owned() } else { context.fresh_id()? };
    let exists = match context.load(&id, Action::Look) {
        Ok(found) => {
            let owner = Managed::of(found.object()).owner;
            if !import.replace {
                let text = "there is an object of this identifier";
                return Err(Failure::new(Reason::ObjectAlreadyExists, text));
            }
            if owner.as_deref() != Some(context.client.owner.as_str()) {
                return Err(Failure::new(Reason::PermissionDenied, "the object is another client's"));
            }
            true
        }
        Err(failure) if failure.reason == Reason::ObjectNotFound => false,
        Err(failure) => return Err(failure),
    };
    let mut key = Some(key);
    let written = context.space.write(&mut |changes| {
        if exists {
            changes.remove(&id)?;
        }
        key.take().map_or(Ok(()), |key| changes.insert(key, Origin::Imported.provenance(), &id))
    });
    written.map_err(|error| match error {
        // It is another client's, or came in between.
        hsm_core::Error::Conflict => {
            Failure::new(Reason::ObjectAlreadyExists, "there is an object of this identifier")
        }
        other => other.into(),
    })?;
    context.leave(UniqueIdentifier::Import, &id);
    Ok(vec![id_field(&id)])
}

/// Identifiers of this server are 16 bytes in hexadecimal digits.
fn is_identifier(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The object that is imported.
fn imported(context: &Context<'_>, import: &Import<'_>) -> Outcome<Key> {
    if import_token::wrapping_data(context, import.structure).is_some() {
        let text = "keys come in for an import token by Register";
        return Err(Failure::new(Reason::FeatureNotSupported, text));
    }
    let plain = match import.wrap_type {
        Some(KeyWrapType::NotWrapped) => unwrapped(context, import.structure)?,
        _ => None,
    };
    let structure = plain.as_ref().unwrap_or(import.structure);
    let brought = read::read(context.space, import.kind, structure, context.version)?;
    let state = import.said(Tag::STATE).map(Item::as_enumeration).transpose()?;
    let state = match state.map(|number| State::of_number(number.into())) {
        Some(Some(State::Destroyed | State::DestroyedCompromised)) => {
            return Err(Failure::new(Reason::WrongKeyLifecycleState, "a destroyed object has no value"));
        }
        Some(None) => return Err(Failure::new(Reason::InvalidAttributeValue, "there is no such state")),
        Some(Some(state)) => Some(state),
        None => None,
    };
    let fresh = import.said(Tag::FRESH).map(Item::as_boolean).transpose()?.unwrap_or_default();
    let is_template = import.kind == ObjectType::Template;
    let follows = |item: &Item| {
        brought.attributes.iter().any(|own| own.tag == item.tag)
            || (is_template && template::IMPLIED.contains(&item.tag))
    };
    let attributes = import.attributes.iter();
    let attributes =
        attributes.filter(|item| !NOT_IMPORTED.contains(&item.tag) && !follows(item)).cloned().collect();
    let wanted = Wanted { attributes };
    let said = brought.attributes;
    let now = lifecycle::now();
    let key = fresh::ready(brought.key, import.kind, Origin::Imported, said, &wanted, now)?;
    Ok(key.amended(|object| {
        if let Some(state) = state {
            managed::set_state(object, state);
        }
        Managed { fresh, ..Managed::of(object) }.put(object);
    }))
}

/// An object's structure without the wrapping of its key; `None` where it has none.
fn unwrapped(context: &Context<'_>, structure: &Item) -> Outcome<Option<Item>> {
    let Some(block) = structure.child(Tag::KEY_BLOCK) else { return Ok(None) };
    let Some(data) = block.child(Tag::KEY_WRAPPING_DATA) else { return Ok(None) };
    let missing = || Failure::new(Reason::KeyValueNotPresent, "the wrapped key has no value");
    let value = block.child(Tag::KEY_VALUE).ok_or_else(missing)?;
    let in_structure = value.as_bytes().is_err();
    let bytes = match value.child(Tag::KEY_MATERIAL) {
        Some(material) => material.as_bytes()?,
        None => value.as_bytes()?,
    };
    let material = wrapping::unwrapped(context, data, bytes, in_structure)?;
    Ok(Some(wrapping::without_wrapping(structure, block, &material)))
}
