//! Create and Create Key Pair: KMIP 1.4, sections 4.1 and 4.2; 2.1, sections 6.1.8 and 6.1.9.

use cryptoki_sys::*;
use hsm_core::mechanism::Mechanism;
use hsm_core::object::managed::ObjectType;
use hsm_core::object::material::Key;
use hsm_core::object::{Template, Value as Stored, formats};
use hsm_core::secret::Secret;
use hsm_core::service::{Changes, Provenance};

use super::wanted;
use crate::context::{Context, id_field};
use crate::failure::{Failure, Outcome, invalid_field};
use crate::objects::curves;
use crate::objects::fresh::{self, Origin, Wanted};
use crate::objects::read::{new_secret, stored_key};
use crate::objects::replacement::link;
use crate::ttlv::enums::{
    CryptographicAlgorithm as Algorithm, LinkType, RecommendedCurve, ResultReason as Reason, UniqueIdentifier,
};
use crate::ttlv::{Fields, Item, Tag};

/// The longest secret that is made, in bytes.
const LONGEST_SECRET: usize = 4096;

/// Create.
///
/// # Errors
/// Those of the payload, of the attributes, and of the store.
pub fn create(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let kind = fields.need(Tag::OBJECT_TYPE)?.as_enumeration()?;
    let wanted = super::wanted_of_one(context, &mut fields)?;
    fields.end()?;
    let kind = match ObjectType::of_number(kind.into()) {
        Some(kind @ (ObjectType::SymmetricKey | ObjectType::SecretData)) => kind,
        _ => {
            return Err(Failure::new(
                Reason::InvalidObjectType,
                "Create makes symmetric keys and secret data",
            ));
        }
    };
    let key = fresh_secret(context, kind, &wanted)?;
    let said = if kind == ObjectType::SecretData {
        vec![Item::enumeration(Tag::SECRET_DATA_TYPE, crate::ttlv::enums::SecretDataType::Password)]
    } else {
        Vec::new()
    };
    let id = insert_one(context, key, kind, Origin::Made, said, &wanted)?;
    context.leave(UniqueIdentifier::Create, &id);
    Ok(vec![Item::enumeration(Tag::OBJECT_TYPE, kind as u32), id_field(&id)])
}

/// A fresh secret of the length that the attributes ask for.
pub(crate) fn fresh_secret(context: &Context<'_>, kind: ObjectType, wanted: &Wanted) -> Outcome<Key> {
    let algorithm = wanted.algorithm()?;
    if algorithm.is_none() && kind == ObjectType::SymmetricKey {
        return Err(Failure::new(Reason::MissingData, "the cryptographic algorithm is missing"));
    }
    let missing = || Failure::new(Reason::MissingData, "the cryptographic length is missing");
    let bits = wanted.length()?.or_else(|| natural_bits(algorithm)).ok_or_else(missing)?;
    let bytes = secret_bytes(algorithm, bits)?;
    let mut value = Secret::zeroed(bytes);
    context.space.session().random(value.expose_mut())?;
    new_secret(context.space, algorithm, value.expose())
}

/// The length of algorithms that have but one.
fn natural_bits(algorithm: Option<u32>) -> Option<usize> {
    match Algorithm::from_number(algorithm?)? {
        Algorithm::DES3 => Some(168),
        Algorithm::ChaCha20 | Algorithm::ChaCha20Poly1305 => Some(256),
        _ => None,
    }
}

/// How many bytes a secret of so many bits takes.
fn secret_bytes(algorithm: Option<u32>, bits: usize) -> Outcome<usize> {
    let known = algorithm.and_then(Algorithm::from_number);
    if matches!(
        known,
        Some(
            Algorithm::RSA
                | Algorithm::DSA
                | Algorithm::EC
                | Algorithm::ECDSA
                | Algorithm::ECDH
                | Algorithm::DH
        )
    ) {
        return Err(Failure::new(Reason::InvalidField, "the algorithm is not one of symmetric keys"));
    }
    match known {
        // Too short to protect anything; not offered by any door.
        Some(Algorithm::DES) => Err(invalid_field("no DES keys are made")),
        Some(Algorithm::AES) if !matches!(bits, 128 | 192 | 256) => {
            Err(invalid_field("an AES key has 128, 192 or 256 bits"))
        }
        // KMIP counts the bits of DES keys without their parity.
        Some(Algorithm::DES3) => match bits {
            112 | 128 => Ok(16),
            168 | 192 => Ok(24),
            _ => Err(invalid_field("a 3DES key has 112 or 168 bits")),
        },
        _ if !bits.is_multiple_of(8) || bits / 8 > LONGEST_SECRET => {
            Err(invalid_field("the length is not offered"))
        }
        _ => Ok(bits / 8),
    }
}

/// Puts one new object into the store.
pub(crate) fn insert_one(
    context: &Context<'_>,
    key: Key,
    kind: ObjectType,
    origin: Origin,
    said: Vec<Item>,
    wanted: &Wanted,
) -> Outcome<String> {
    let now = hsm_core::object::lifecycle::now();
    let key = fresh::ready(key, kind, origin, said, wanted, now)?;
    insert(context, vec![key], origin).map(|mut ids| ids.swap_remove(0))
}

/// Puts new objects into the store, all of them or none; answers their identifiers.
pub(crate) fn insert(context: &Context<'_>, keys: Vec<Key>, origin: Origin) -> Outcome<Vec<String>> {
    let mut keys = Some(keys);
    let mut ids = Vec::new();
    context.space.write(&mut |changes| {
        for key in keys.take().unwrap_or_default() {
            let id = changes.fresh_id()?;
            changes.insert(key, origin.provenance(), &id)?;
            ids.push(id);
        }
        Ok(())
    })?;
    Ok(ids)
}

/// Create Key Pair.
///
/// # Errors
/// As [`create`].
pub fn create_key_pair(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let fields = Fields::new(payload)?;
    let (public, private) = wanted_pair(context, fields)?;
    let (public_key, private_key) = fresh_pair(context, &public, &private)?;
    let (public_id, private_id) =
        insert_pair(context, (public_key, &public), (private_key, &private), &mut |_, _, _| Ok(()))?;
    context.leave(UniqueIdentifier::CreateKeyPairPublicKey, &public_id);
    context.leave(UniqueIdentifier::CreateKeyPairPrivateKey, &private_id);
    Ok(vec![
        Item::text(Tag::PRIVATE_KEY_UNIQUE_IDENTIFIER, private_id),
        Item::text(Tag::PUBLIC_KEY_UNIQUE_IDENTIFIER, public_id),
    ])
}

/// What a client wants of a key pair, public key first: the rest of a payload's fields.
pub(crate) fn wanted_pair(context: &Context<'_>, mut fields: Fields<'_>) -> Outcome<(Wanted, Wanted)> {
    let common = wanted(context, &mut fields, Tag::COMMON_TEMPLATE_ATTRIBUTE, Tag::COMMON_ATTRIBUTES)?;
    let private =
        wanted(context, &mut fields, Tag::PRIVATE_KEY_TEMPLATE_ATTRIBUTE, Tag::PRIVATE_KEY_ATTRIBUTES)?;
    let public =
        wanted(context, &mut fields, Tag::PUBLIC_KEY_TEMPLATE_ATTRIBUTE, Tag::PUBLIC_KEY_ATTRIBUTES)?;
    super::check_pair_storage(&mut fields)?;
    fields.end()?;
    let private = Wanted::new(merged(&common, private))?;
    let public = Wanted::new(merged(&common, public))?;
    Ok((public, private))
}

/// The common attributes and a key's own, which go before them; of attributes with several values, all.
pub(crate) fn merged(common: &[Item], own: Vec<Item>) -> Vec<Item> {
    let single = |item: &Item| !crate::attributes::Which::of_item(item).is_multiple();
    let mut out: Vec<Item> = common
        .iter()
        .filter(|item| !own.iter().any(|other| other == *item || (single(item) && other.tag == item.tag)))
        .cloned()
        .collect();
    out.extend(own);
    out
}

/// A fresh key pair as the attributes ask for it.
pub(crate) fn fresh_pair(context: &Context<'_>, public: &Wanted, private: &Wanted) -> Outcome<(Key, Key)> {
    let algorithm = public.algorithm()?.or(private.algorithm()?);
    let missing = |what: &str| Failure::new(Reason::MissingData, format!("the {what} is missing"));
    let algorithm = algorithm.ok_or_else(|| missing("cryptographic algorithm"))?;
    let length = public.length()?.or(private.length()?);
    let domain = public.first(Tag::CRYPTOGRAPHIC_DOMAIN_PARAMETERS);
    let domain = domain.or(private.first(Tag::CRYPTOGRAPHIC_DOMAIN_PARAMETERS));
    let (mechanism, values) = match Algorithm::from_number(algorithm) {
        Some(Algorithm::RSA) => {
            let bits = length.ok_or_else(|| missing("cryptographic length"))?;
            (CKM_RSA_PKCS_KEY_PAIR_GEN, vec![(CKA_MODULUS_BITS, Stored::Number(bits as u64))])
        }
        Some(Algorithm::EC | Algorithm::ECDSA | Algorithm::ECDH | Algorithm::ECMQV) => {
            (CKM_EC_KEY_PAIR_GEN, curve(domain, length)?)
        }
        Some(Algorithm::Ed25519) => {
            (CKM_EC_EDWARDS_KEY_PAIR_GEN, named(const_oid::db::rfc8410::ID_ED_25519)?)
        }
        Some(Algorithm::Ed448) => (CKM_EC_EDWARDS_KEY_PAIR_GEN, named(const_oid::db::rfc8410::ID_ED_448)?),
        _ => return Err(invalid_field("no key pairs of this algorithm are made")),
    };
    let mut template = stored_key(CKO_PUBLIC_KEY);
    template.extend(values);
    let mechanism = Mechanism::plain(mechanism);
    Ok(context.space.new_pair(&mechanism, template, stored_key(CKO_PRIVATE_KEY))?)
}

/// The curve that domain parameters name, or the length alone.
fn curve(domain: Option<&Item>, length: Option<usize>) -> Outcome<Template> {
    let named_curve = match domain.and_then(|domain| domain.child(Tag::RECOMMENDED_CURVE)) {
        Some(item) => item.as_value_of::<RecommendedCurve>()?,
        None => {
            let bits = length.and_then(|bits| i32::try_from(bits).ok());
            bits.and_then(curves::of_bits).ok_or_else(|| invalid_field("no curve is named"))?
        }
    };
    let oid = curves::oid(named_curve).ok_or_else(|| invalid_field("the curve is not offered"))?;
    named(oid)
}

fn named(oid: const_oid::ObjectIdentifier) -> Outcome<Template> {
    Ok(vec![(CKA_EC_PARAMS, Stored::Bytes(formats::curve_params(oid)?))])
}

/// Puts a key pair into the store, each half linked to the other; answers the public key's identifier,
/// then the private key's. `before` makes changes first in the same transaction, knowing both.
pub(crate) fn insert_pair(
    context: &Context<'_>,
    (public, public_wanted): (Key, &Wanted),
    (private, private_wanted): (Key, &Wanted),
    before: &mut dyn FnMut(&mut Changes<'_, '_>, &str, &str) -> hsm_core::Result<()>,
) -> Outcome<(String, String)> {
    let (public_id, private_id) = (context.fresh_id()?, context.fresh_id()?);
    let now = hsm_core::object::lifecycle::now();
    let of_public = vec![link(LinkType::PrivateKeyLink, &private_id)];
    let of_private = vec![link(LinkType::PublicKeyLink, &public_id)];
    let public = fresh::ready(public, ObjectType::PublicKey, Origin::Made, of_public, public_wanted, now)?;
    let private =
        fresh::ready(private, ObjectType::PrivateKey, Origin::Made, of_private, private_wanted, now)?;
    let mut pair = Some((public, private));
    context.space.write(&mut |changes| {
        before(changes, &public_id, &private_id)?;
        if let Some((public, private)) = pair.take() {
            changes.insert(public, Provenance::Inside, &public_id)?;
            changes.insert(private, Provenance::Inside, &private_id)?;
        }
        Ok(())
    })?;
    Ok((public_id, private_id))
}
