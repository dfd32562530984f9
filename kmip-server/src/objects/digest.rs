//! Digests of objects' values: KMIP 1.4, section 3.17. SHA-256, which every server must have.

use hsm_core::crypto::{Hash, hash_of};
use hsm_core::object::Object;

use super::give;
use crate::attributes::Attributes;
use crate::ttlv::enums::HashingAlgorithm;
use crate::ttlv::{Item, Tag, encode};

/// The digest of an object's value in the format in which it is given; `None` where the value is not here. A
/// hidden value has one too: the standard asks for it, and of a key it says nothing.
pub fn of(object: &Object, attributes: &Attributes<'_>) -> Option<Item> {
    if attributes.first(Tag::KEY_VALUE_PRESENT).is_some() {
        return None;
    }
    let format = give::default_format(object, attributes);
    let material = give::material_as(object, attributes, format);
    let material = material.inspect_err(|failure| log::debug!("no digest: {}", failure.message)).ok()?;
    let digest = match material.as_bytes() {
        Ok(bytes) => hash_of(Hash::Sha256, &[bytes]),
        // A transparent key: of its fields as they are written.
        Err(_) => hash_of(Hash::Sha256, &[&encode(&material)]),
    };
    let digest = digest.inspect_err(|error| log::error!("no digest: {error}")).ok()?;
    Some(Item::structure(
        Tag::DIGEST,
        vec![
            Item::enumeration(Tag::HASHING_ALGORITHM, HashingAlgorithm::SHA_256),
            Item::bytes(Tag::DIGEST_VALUE, digest),
            Item::enumeration(Tag::KEY_FORMAT_TYPE, format),
        ],
    ))
}
