//! Register: KMIP 1.4, section 4.3; 2.1, section 6.1.47.

use hsm_core::object::managed::ObjectType;

use super::create::insert_one;
use crate::context::{Context, id_field};
use crate::failure::{Failure, Outcome};
use crate::objects::fresh::Origin;
use crate::objects::{read, tag_of};
use crate::ttlv::enums::{ResultReason as Reason, UniqueIdentifier};
use crate::ttlv::{Fields, Item, Tag};

/// Register.
///
/// # Errors
/// Those of the payload, the object, the attributes, and the store.
pub fn register(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let kind = object_type(fields.need(Tag::OBJECT_TYPE)?)?;
    let wanted = super::wanted_of_one(context, &mut fields)?;
    let structure = fields.need(tag_of(kind))?;
    fields.end()?;
    let brought = read::read(context.space, kind, structure)?;
    let id = insert_one(context, brought.key, kind, Origin::Brought, brought.attributes, &wanted)?;
    context.leave(UniqueIdentifier::Register, &id);
    Ok(vec![id_field(&id)])
}

/// Reads an object type that objects have here.
///
/// # Errors
/// [`Reason::InvalidObjectType`], for templates too, which KMIP 1.3 dropped.
pub(crate) fn object_type(item: &Item) -> Outcome<ObjectType> {
    let number = item.as_enumeration()?;
    ObjectType::of_number(number.into()).ok_or_else(|| {
        Failure::new(Reason::InvalidObjectType, format!("no objects of type 0x{number:x} are kept"))
    })
}
