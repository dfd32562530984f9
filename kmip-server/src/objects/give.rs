//! Giving objects out: in the format that a client asks for, or in that in which they came.

use cryptoki_sys::*;
use hsm_core::object::managed::{self, ObjectType};
use hsm_core::object::{Object, formats};

use super::{tag_of, template, transparent};
use crate::attributes::{Attributes, form};
use crate::failure::{Failure, Outcome};
use crate::ttlv::enums::{KeyFormatType as Format, ResultReason as Reason};
use crate::ttlv::{Item, Limits, Tag, Version, decode};

/// The format in which an object is given where none is asked for.
pub fn default_format(object: &Object, attributes: &Attributes<'_>) -> Format {
    let said = attributes.first(Tag::KEY_FORMAT_TYPE).and_then(|item| item.as_value_of().ok());
    said.unwrap_or_else(|| format_of_class(object))
}

/// The format in which keys of a class and type are given that the server made.
pub fn format_of_class(object: &Object) -> Format {
    match (object.class(), object.key_type()) {
        (CKO_PRIVATE_KEY | CKO_PUBLIC_KEY, Some(CKK_RSA)) => Format::PKCS_1,
        (CKO_PRIVATE_KEY, Some(CKK_EC)) => Format::ECPrivateKey,
        (CKO_PRIVATE_KEY, _) => Format::PKCS_8,
        (CKO_PUBLIC_KEY, _) => Format::X_509,
        _ => Format::Raw,
    }
}

/// The Key Material of an object in a format.
///
/// # Errors
/// [`Reason::KeyFormatTypeNotSupported`].
pub fn material(object: &Object, format: Format) -> Outcome<Item> {
    let not_supported = || {
        let text = format!("the object cannot be given as {}", format.name());
        Failure::new(Reason::KeyFormatTypeNotSupported, text)
    };
    let form = match format {
        Format::Raw | Format::Opaque => return raw(object).ok_or_else(not_supported),
        Format::PKCS_1 => formats::Format::Pkcs1,
        Format::PKCS_8 => formats::Format::Pkcs8,
        Format::X_509 => formats::Format::X509,
        Format::ECPrivateKey => formats::Format::EcPrivateKey,
        _ if is_transparent(object, format) => {
            let fields = transparent::write(object).ok_or_else(not_supported)?;
            return Ok(Item::structure(Tag::KEY_MATERIAL, fields));
        }
        _ => return Err(not_supported()),
    };
    let der = formats::encode(object, form).map_err(|_| not_supported())?;
    Ok(Item::bytes(Tag::KEY_MATERIAL, der))
}

/// Raw: the value of a secret; a key that has no such value as the standard's first format for it.
fn raw(object: &Object) -> Option<Item> {
    let bytes = match (object.class(), object.key_type()) {
        (CKO_SECRET_KEY | CKO_OTP_KEY | CKO_DATA | CKO_CERTIFICATE, _) => {
            object.bytes(CKA_VALUE).to_vec().into()
        }
        (CKO_PRIVATE_KEY | CKO_PUBLIC_KEY, Some(CKK_RSA)) => {
            formats::encode(object, formats::Format::Pkcs1).ok()?
        }
        (CKO_PRIVATE_KEY, _) => object.bytes(CKA_VALUE).to_vec().into(),
        (CKO_PUBLIC_KEY, _) => formats::curve_point(object)?.to_vec().into(),
        _ => return None,
    };
    Some(Item::bytes(Tag::KEY_MATERIAL, bytes))
}

/// Whether a transparent format is that of the object's class and type.
fn is_transparent(object: &Object, format: Format) -> bool {
    let ec = object.key_type() == Some(CKK_EC);
    match (object.class(), format) {
        (CKO_SECRET_KEY, Format::TransparentSymmetricKey) => true,
        (CKO_PRIVATE_KEY, Format::TransparentRSAPrivateKey)
        | (CKO_PUBLIC_KEY, Format::TransparentRSAPublicKey) => object.key_type() == Some(CKK_RSA),
        (
            CKO_PRIVATE_KEY,
            Format::TransparentECPrivateKey
            | Format::TransparentECDSAPrivateKey
            | Format::TransparentECDHPrivateKey
            | Format::TransparentECMQVPrivateKey,
        )
        | (
            CKO_PUBLIC_KEY,
            Format::TransparentECPublicKey
            | Format::TransparentECDSAPublicKey
            | Format::TransparentECDHPublicKey
            | Format::TransparentECMQVPublicKey,
        ) => ec,
        _ => false,
    }
}

/// The Key Material of an object: as it was brought where that format is wanted, else as it follows
/// from the core's values.
///
/// # Errors
/// As [`material`].
pub fn material_as(object: &Object, attributes: &Attributes<'_>, format: Format) -> Outcome<Item> {
    let brought = default_format(object, attributes);
    if format == brought {
        if let Some(bytes) = managed::material(object) {
            return Ok(Item::bytes(Tag::KEY_MATERIAL, bytes.to_vec()));
        }
        if object.class() == CKO_DATA {
            return Ok(kept(object, format));
        }
    }
    material(object, format)
}

/// What was kept as it came: bytes, or for transparent formats a structure.
fn kept(object: &Object, format: Format) -> Item {
    let bytes = object.bytes(CKA_VALUE);
    let is_structure = format.name().starts_with("Transparent");
    match decode(bytes, &Limits::default()) {
        Ok(item) if is_structure && item.tag == Tag::KEY_MATERIAL => item,
        _ => Item::bytes(Tag::KEY_MATERIAL, bytes.to_vec()),
    }
}

/// A key block around a key value.
pub fn key_block(
    format: Format,
    value: Option<Item>,
    attributes: &Attributes<'_>,
    wrapping: Option<Item>,
) -> Item {
    let mut fields = vec![Item::enumeration(Tag::KEY_FORMAT_TYPE, format)];
    fields.extend(value);
    fields.extend(attributes.first(Tag::CRYPTOGRAPHIC_ALGORITHM));
    fields.extend(attributes.first(Tag::CRYPTOGRAPHIC_LENGTH).filter(|_| says_length(attributes)));
    fields.extend(wrapping);
    Item::structure(Tag::KEY_BLOCK, fields)
}

/// What has no algorithm, as secret data, has no length in its key block.
fn says_length(attributes: &Attributes<'_>) -> bool {
    attributes.algorithm().is_some()
}

/// A key value around its material.
pub fn key_value(material: Item) -> Item {
    Item::structure(Tag::KEY_VALUE, vec![material])
}

/// The structure of an object around its key block, or its value for those that have none.
///
/// # Errors
/// An object whose own fields are not there, which those that were registered have.
pub fn structure(
    object: &Object,
    attributes: &Attributes<'_>,
    block: impl FnOnce() -> Outcome<Item>,
    version: Version,
) -> Outcome<Item> {
    let kind = ObjectType::of(object);
    let value = |tag| Item::bytes(tag, object.bytes(CKA_VALUE).to_vec());
    let first = |tag| attributes.first(tag);
    let mut fields = Vec::new();
    match kind {
        ObjectType::Certificate => {
            let x509 = Item::enumeration(Tag::CERTIFICATE_TYPE, 1_u32);
            fields.push(first(Tag::CERTIFICATE_TYPE).unwrap_or(x509));
            fields.push(value(Tag::CERTIFICATE_VALUE));
        }
        ObjectType::OpaqueObject if object.class() == CKO_DOMAIN_PARAMETERS => {
            let text = "domain parameters are PKCS #11's alone";
            return Err(Failure::new(Reason::InvalidObjectType, text));
        }
        ObjectType::OpaqueObject => {
            let other = Item::enumeration(Tag::OPAQUE_DATA_TYPE, 0x8000_0000_u32);
            fields.push(first(Tag::OPAQUE_DATA_TYPE).unwrap_or(other));
            fields.push(value(Tag::OPAQUE_DATA_VALUE));
        }
        ObjectType::CertificateRequest => {
            fields.extend(first(Tag::CERTIFICATE_REQUEST_TYPE));
            fields.push(value(Tag::CERTIFICATE_REQUEST_VALUE));
        }
        ObjectType::SecretData => {
            let seed = Item::enumeration(Tag::SECRET_DATA_TYPE, 2_u32);
            fields.push(first(Tag::SECRET_DATA_TYPE).unwrap_or(seed));
            fields.push(block()?);
        }
        ObjectType::SplitKey => {
            for tag in [
                Tag::SPLIT_KEY_PARTS,
                Tag::KEY_PART_IDENTIFIER,
                Tag::SPLIT_KEY_THRESHOLD,
                Tag::SPLIT_KEY_METHOD,
                Tag::PRIME_FIELD_SIZE,
            ] {
                fields.extend(first(tag));
            }
            fields.push(block()?);
        }
        ObjectType::PgpKey => {
            fields.extend(first(Tag::PGP_KEY_VERSION));
            fields.push(block()?);
        }
        ObjectType::Template => {
            let content = template::content(object, attributes);
            fields.extend(form::write(content, &attributes.indexes(), version));
        }
        ObjectType::SymmetricKey | ObjectType::PublicKey | ObjectType::PrivateKey => fields.push(block()?),
    }
    let tag = tag_of(kind);
    if !tag.is_in(version) {
        let text = format!("KMIP {version} has no such object");
        return Err(Failure::new(Reason::InvalidObjectType, text));
    }
    Ok(Item::structure(tag, fields))
}
