//! Register: KMIP 1.4, section 4.3; 2.1, section 6.1.47.

use hsm_core::object::lifecycle;
use hsm_core::object::managed::ObjectType;

use super::create::insert_one;
use crate::context::{Context, id_field};
use crate::failure::{Failure, Outcome};
use crate::objects::fresh::{self, Origin, Wanted};
use crate::objects::read::{self, Brought};
use crate::objects::replacement::link;
use crate::objects::{certificate, import_token, pkcs12, tag_of};
use crate::ttlv::enums::{CertificateType, LinkType, ResultReason as Reason, UniqueIdentifier};
use crate::ttlv::{Fields, Item, Tag, Version};

/// Register.
///
/// # Errors
/// Those of the payload, the object, the attributes, and the store.
pub fn register(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let kind = object_type(fields.need(Tag::OBJECT_TYPE)?, context.version)?;
    let wanted = super::wanted_of_one(context, &mut fields)?;
    let structure = fields.need(tag_of(kind))?;
    fields.end()?;
    if let Some(brought) = import_token::opened(context, kind, structure, &wanted)? {
        return add(context, kind, brought, &wanted);
    }
    if kind == ObjectType::PrivateKey && pkcs12::is_container(structure) {
        return register_container(context, structure, wanted);
    }
    let brought = read::read(context.space, kind, structure, context.version)?;
    add(context, kind, brought, &wanted)
}

/// Adds what was read, with what the client says of it.
fn add(context: &mut Context<'_>, kind: ObjectType, brought: Brought, wanted: &Wanted) -> Outcome<Vec<Item>> {
    let id = insert_one(context, brought.key, kind, Origin::Brought, brought.attributes, wanted)?;
    context.leave(UniqueIdentifier::Register, &id);
    Ok(vec![id_field(&id)])
}

/// Registers what is in a PKCS #12 container: the private key, and the certificates, each linked to its
/// issuer's.
fn register_container(context: &mut Context<'_>, structure: &Item, mut wanted: Wanted) -> Outcome<Vec<Item>> {
    let container = pkcs12::open(context, structure, &wanted)?;
    if let (Some(name), None) = (&container.name, wanted.first(Tag::PKCS12_FRIENDLY_NAME)) {
        wanted.attributes.push(Item::text(Tag::PKCS12_FRIENDLY_NAME, name.as_str()));
    }
    let now = lifecycle::now();
    let id = context.fresh_id()?;
    let mut ids = vec![id.clone()];
    let mut keys = Vec::new();
    for (place, der) in container.certificates.iter().enumerate() {
        let brought = certificate::brought(context.space, CertificateType::X_509, der)?;
        let mut said = brought.attributes;
        if place == 0 {
            said.extend(wanted.first(Tag::PKCS12_FRIENDLY_NAME).cloned());
        }
        ids.push(context.fresh_id()?);
        keys.push((brought.key, said));
    }
    let unpacked = pkcs12::unpacked(&container);
    let key = read::read(context.space, ObjectType::PrivateKey, &unpacked, context.version)?;
    wanted.attributes.extend(ids.get(1).map(|own| link(LinkType::PKCS_12CertificateLink, own)));
    let said = key.attributes;
    let mut all = vec![fresh::ready(key.key, ObjectType::PrivateKey, Origin::Brought, said, &wanted, now)?];
    for (place, (key, mut said)) in keys.into_iter().enumerate() {
        said.extend(ids.get(place + 2).map(|above| link(LinkType::CertificateLink, above)));
        all.push(fresh::ready(key, ObjectType::Certificate, Origin::Brought, said, &Wanted::default(), now)?);
    }
    let mut all = Some(all);
    context.space.write(&mut |changes| {
        let all = all.take().unwrap_or_default();
        all.into_iter()
            .zip(&ids)
            .try_for_each(|(key, id)| changes.insert(key, Origin::Brought.provenance(), id))
    })?;
    context.leave(UniqueIdentifier::Register, &id);
    Ok(vec![id_field(&id)])
}

/// Reads an object type that objects have here and in a version.
///
/// # Errors
/// [`Reason::InvalidObjectType`].
pub(crate) fn object_type(item: &Item, version: Version) -> Outcome<ObjectType> {
    let number = item.as_enumeration()?;
    let kind = ObjectType::of_number(number.into()).filter(|kind| tag_of(*kind).is_in(version));
    kind.ok_or_else(|| {
        Failure::new(Reason::InvalidObjectType, format!("no objects of type 0x{number:x} are kept"))
    })
}
