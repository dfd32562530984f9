//! Re-key and Re-key Key Pair: KMIP 1.4, sections 4.4 and 4.5; 2.1, sections 6.1.46 and 6.1.47.

use hsm_core::object::lifecycle::{self, Action};
use hsm_core::object::managed::{Managed, ObjectType};
use hsm_core::object::{Object, formats};
use hsm_core::service::{Item as Found, Provenance};

use super::create::{fresh_pair, fresh_secret, insert_pair, merged, wanted_pair};
use crate::attributes::Attributes;
use crate::context::{Context, id_field};
use crate::failure::{Failure, Outcome};
use crate::objects::curves;
use crate::objects::fresh::{self, Origin, Wanted};
use crate::objects::replacement::{inherited, link, linked, retire};
use crate::ttlv::enums::{LinkType, ResultReason as Reason, UniqueIdentifier};
use crate::ttlv::{Fields, Item, Tag};

/// Re-key: a fresh symmetric key takes the place of another.
///
/// # Errors
/// Those of the payload, of the attributes, of the key's state, and of the store.
pub fn rekey(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let old = context.id(&mut fields)?;
    let offset = fields.take_interval(Tag::OFFSET)?;
    let wanted = super::wanted_of_one(context, &mut fields)?;
    fields.end()?;
    let found = of_type(context.load(&old, Action::Replace)?, ObjectType::SymmetricKey)?;
    let now = lifecycle::now();
    let wanted = replacing(found.object(), &old, offset, wanted.attributes)?;
    let key = fresh_secret(context, ObjectType::SymmetricKey, &wanted)?;
    let key = fresh::ready(key, ObjectType::SymmetricKey, Origin::Made, Vec::new(), &wanted, now)?;
    let id = context.fresh_id()?;
    let mut key = Some(key);
    context.space.write(&mut |changes| {
        // The names are free before the replacement takes them.
        retire(changes, &old, &id)?;
        key.take().map_or(Ok(()), |key| changes.insert(key, Provenance::Inside, &id))
    })?;
    context.leave(UniqueIdentifier::ReKey, &id);
    Ok(vec![id_field(&id)])
}

fn of_type(found: Found, kind: ObjectType) -> Outcome<Found> {
    if ObjectType::of(found.object()) == kind {
        return Ok(found);
    }
    Err(Failure::new(Reason::InvalidObjectType, "the object is not of the type that this operation replaces"))
}

/// What is wanted of an object that replaces `old`: what it inherits, unless the client says otherwise.
fn replacing(object: &Object, old: &str, offset: Option<u32>, own: Vec<Item>) -> Outcome<Wanted> {
    let attributes = Attributes::of(object);
    let mut all = inherited(&attributes, offset, lifecycle::now())?;
    if all.iter().all(|item| item.tag != Tag::CRYPTOGRAPHIC_DOMAIN_PARAMETERS) {
        all.extend(domain(object));
    }
    all.push(link(LinkType::ReplacedObjectLink, old));
    Ok(Wanted { attributes: merged(&all, own) })
}

/// The curve of a key for which it was not said.
fn domain(object: &Object) -> Option<Item> {
    let curve = curves::of_oid(formats::curve_of(object)?)?;
    let curve = Item::enumeration(Tag::RECOMMENDED_CURVE, curve);
    Some(Item::structure(Tag::CRYPTOGRAPHIC_DOMAIN_PARAMETERS, vec![curve]))
}

/// Re-key Key Pair: a fresh key pair takes the place of another.
///
/// # Errors
/// As [`rekey`]; [`Reason::ObjectNotFound`] for a private key that is not linked to its public key.
pub fn rekey_key_pair(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let old_private = context.id_under(&mut fields, Tag::PRIVATE_KEY_UNIQUE_IDENTIFIER)?;
    let offset = fields.take_interval(Tag::OFFSET)?;
    let (public, private) = wanted_pair(context, fields)?;
    let old_private_key = of_type(context.load(&old_private, Action::Replace)?, ObjectType::PrivateKey)?;
    let links = Managed::of(old_private_key.object());
    let old_public = linked(&links, LinkType::PublicKeyLink).ok_or_else(|| {
        Failure::new(Reason::ObjectNotFound, "the private key is not linked to its public key")
    })?;
    let old_public_key = of_type(context.load(old_public, Action::Replace)?, ObjectType::PublicKey)?;
    let private = replacing(old_private_key.object(), &old_private, offset, private.attributes)?;
    let public = replacing(old_public_key.object(), old_public, offset, public.attributes)?;
    let (public_key, private_key) = fresh_pair(context, &public, &private)?;
    let (public_id, private_id) = insert_pair(
        context,
        (public_key, &public),
        (private_key, &private),
        &mut |changes, new_public, new_private| {
            retire(changes, old_public, new_public)?;
            retire(changes, &old_private, new_private)
        },
    )?;
    context.leave(UniqueIdentifier::ReKeyKeyPairPublicKey, &public_id);
    context.leave(UniqueIdentifier::ReKeyKeyPairPrivateKey, &private_id);
    Ok(vec![
        Item::text(Tag::PRIVATE_KEY_UNIQUE_IDENTIFIER, private_id),
        Item::text(Tag::PUBLIC_KEY_UNIQUE_IDENTIFIER, public_id),
    ])
}
