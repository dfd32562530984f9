//! Get: KMIP 1.4, section 4.11; 2.1, section 6.1.23.

use hsm_core::object::Object;
use hsm_core::object::lifecycle::Action;
use hsm_core::object::managed::ObjectType;
use hsm_core::service::Item as Found;

use crate::attributes::Attributes;
use crate::context::{Context, id_field, may_read};
use crate::failure::{Failure, Outcome};
use crate::objects::{give, pkcs12, wrapping};
use crate::ttlv::enums::{KeyFormatType as Format, KeyWrapType, ResultReason as Reason};
use crate::ttlv::{Fields, Item, Tag};

/// How a client wants an object.
pub struct Form<'a> {
    /// The format of its key material.
    pub format: Option<Format>,
    /// Whether a wrapped key is given as it was registered, or unwrapped.
    pub wrap_type: Option<KeyWrapType>,
    /// How to wrap it.
    pub wrap: Option<&'a Item>,
}

impl<'a> Form<'a> {
    /// Takes the fields that say it.
    pub(crate) fn take(fields: &mut Fields<'a>) -> Outcome<Form<'a>> {
        let format = fields.take_value_of(Tag::KEY_FORMAT_TYPE)?;
        let wrap_type = fields.take_value_of(Tag::KEY_WRAP_TYPE)?;
        if fields.take(Tag::KEY_COMPRESSION_TYPE).is_some() {
            let text = "points are given uncompressed";
            return Err(Failure::new(Reason::KeyCompressionTypeNotSupported, text));
        }
        let wrap = fields.take(Tag::KEY_WRAPPING_SPECIFICATION);
        Ok(Form { format, wrap_type, wrap })
    }
}

/// Get.
///
/// # Errors
/// Those of the object's state and rights, of the format, and of wrapping.
pub fn get(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let id = context.id(&mut fields)?;
    let form = Form::take(&mut fields)?;
    fields.end()?;
    let found = context.load(&id, Action::Read)?;
    let structure = given(context, &found, &form)?;
    wear(context, &found)?;
    Ok(vec![
        Item::enumeration(Tag::OBJECT_TYPE, ObjectType::of(found.object()) as u32),
        id_field(&id),
        structure,
    ])
}

/// An object's structure in the form that is wanted.
pub(crate) fn given(context: &Context<'_>, found: &Found, form: &Form<'_>) -> Outcome<Item> {
    let object = found.object();
    let attributes = Attributes::of(object);
    if attributes.is_template() {
        if form.wrap.is_some() {
            return Err(Failure::new(Reason::IllegalOperation, "a template is not wrapped"));
        }
    } else if form.wrap.is_none() {
        may_read(&attributes)?;
    }
    let block = || key_block(context, object, &attributes, form);
    give::structure(object, &attributes, block, context.version)
}

fn key_block(
    context: &Context<'_>,
    object: &Object,
    attributes: &Attributes<'_>,
    form: &Form<'_>,
) -> Outcome<Item> {
    let brought = give::default_format(object, attributes);
    let format = form.format.unwrap_or(brought);
    if attributes.first(Tag::KEY_VALUE_PRESENT).is_some() {
        return match form.wrap {
            None => Ok(give::key_block(format, None, attributes, None)),
            Some(_) => Err(Failure::new(Reason::KeyValueNotPresent, "the key's value is not kept here")),
        };
    }
    if attributes.first(Tag::KEY_WRAPPING_DATA).is_some() {
        return wrapping::registered(context, object, attributes, format, form);
    }
    if form.format == Some(Format::PKCS_12) {
        return match form.wrap {
            None => pkcs12::key_block(context, object, attributes),
            Some(_) => Err(Failure::new(Reason::FeatureNotSupported, "a container is not wrapped again")),
        };
    }
    let material = give::material_as(object, attributes, format)?;
    match form.wrap {
        Some(specification) => wrapping::wrapped(context, attributes, format, material, specification, None),
        None => Ok(give::key_block(format, Some(give::key_value(material)), attributes, None)),
    }
}

/// The value has been given out: the object is not Fresh any more (KMIP 1.4, section 3.34).
pub(crate) fn wear(context: &Context<'_>, found: &Found) -> Outcome<()> {
    if !found.object().flag(hsm_core::object::managed::SOFTHSM_RS_FRESH) {
        return Ok(());
    }
    Ok(context.space.wear(&found.id())?)
}
