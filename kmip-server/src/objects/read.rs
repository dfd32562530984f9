//! Reading objects that clients bring: from their KMIP structures to objects of the core, with the
//! attributes that follow from them. What the core cannot use (DSA and DH keys, formats it does not
//! know, wrapped keys) is kept as it came and given back so.

use cryptoki_sys::*;
use hsm_core::object::managed::{self, ObjectType};
use hsm_core::object::material::Key;
use hsm_core::object::{Template, Value as Stored, formats};
use hsm_core::secret::Wiped;
use hsm_core::service::Space;

use super::{certificate, give, transparent};
use crate::attributes::form;
use crate::failure::{Failure, Outcome, invalid_field};
use crate::ttlv::enums::{
    CryptographicAlgorithm as Algorithm, KeyFormatType as Format, ResultReason as Reason,
};
use crate::ttlv::{Fields, Item, Tag, Version, encode};

/// An object that was read, not stored yet.
pub struct Brought {
    /// The object.
    pub key: Key,
    /// Attributes that the object itself says.
    pub attributes: Vec<Item>,
}

/// A Key Block: KMIP 1.4, section 2.1.3.
pub struct KeyBlock<'a> {
    /// How the material is written.
    pub format: Format,
    /// The material; `None` where the value is elsewhere (Key Value Location).
    pub material: Option<&'a Item>,
    /// The algorithm.
    pub algorithm: Option<u32>,
    /// The length in bits.
    pub length: Option<i32>,
    /// How the value is wrapped.
    pub wrapping: Option<&'a Item>,
}

impl KeyBlock<'_> {
    /// Reads a key block.
    ///
    /// # Errors
    /// Fields that are malformed or missing.
    pub fn read(block: &Item) -> Outcome<KeyBlock<'_>> {
        let mut fields = Fields::new(block)?;
        let format = fields.need(Tag::KEY_FORMAT_TYPE)?.as_value_of()?;
        fields.take(Tag::KEY_COMPRESSION_TYPE);
        let value = fields.take(Tag::KEY_VALUE);
        let algorithm = fields.take(Tag::CRYPTOGRAPHIC_ALGORITHM).map(Item::as_enumeration).transpose()?;
        let length = fields.take(Tag::CRYPTOGRAPHIC_LENGTH).map(Item::as_integer).transpose()?;
        let wrapping = fields.take(Tag::KEY_WRAPPING_DATA);
        fields.end()?;
        let material = match value {
            None => None,
            // Wrapped whole.
            Some(value) if value.as_bytes().is_ok() => Some(value),
            Some(value) => {
                let mut inside = Fields::new(value)?;
                let material = inside.need(Tag::KEY_MATERIAL)?;
                // Attributes there are for whoever unwraps; those of the object come beside it.
                inside.take_all(Tag::ATTRIBUTE).for_each(drop);
                inside.take_all(Tag::ATTRIBUTES).for_each(drop);
                inside.end()?;
                Some(material)
            }
        };
        Ok(KeyBlock { format, material, algorithm, length, wrapping })
    }
}

/// What every object of a client's is to the core: stored, private, and extractable unless it says
/// otherwise.
pub fn stored(class: u64) -> Template {
    vec![
        (CKA_CLASS, Stored::Number(class)),
        (CKA_TOKEN, Stored::Bool(true)),
        (CKA_PRIVATE, Stored::Bool(true)),
    ]
}

/// As [`stored`], of a key that can be given out.
pub fn stored_key(class: u64) -> Template {
    let mut template = stored(class);
    if class != CKO_PUBLIC_KEY {
        template.push((CKA_SENSITIVE, Stored::Bool(false)));
        template.push((CKA_EXTRACTABLE, Stored::Bool(true)));
    }
    template
}

/// Bytes that the core keeps and does not use.
pub fn data(space: &Space, bytes: &[u8]) -> Outcome<Key> {
    let mut template = stored(CKO_DATA);
    template.push((CKA_VALUE, Stored::Bytes(bytes.to_vec())));
    Ok(space.new_object(template)?)
}

/// Reads an object of a kind.
///
/// # Errors
/// A structure that is no such object, and values that are none.
pub fn read(space: &Space, kind: ObjectType, structure: &Item, version: Version) -> Outcome<Brought> {
    let mut fields = Fields::new(structure)?;
    let mut brought = match kind {
        ObjectType::Certificate => certificate::read(space, &mut fields)?,
        ObjectType::OpaqueObject => {
            let data_type = fields.need(Tag::OPAQUE_DATA_TYPE)?.clone();
            let value = fields.need(Tag::OPAQUE_DATA_VALUE)?.as_bytes()?;
            Brought { key: data(space, value)?, attributes: vec![data_type] }
        }
        ObjectType::CertificateRequest => {
            let request_type = fields.need(Tag::CERTIFICATE_REQUEST_TYPE)?.clone();
            let value = fields.need(Tag::CERTIFICATE_REQUEST_VALUE)?.as_bytes()?;
            Brought { key: data(space, value)?, attributes: vec![request_type] }
        }
        ObjectType::SecretData => {
            let data_type = fields.need(Tag::SECRET_DATA_TYPE)?.clone();
            let mut brought = key(space, kind, fields.need(Tag::KEY_BLOCK)?)?;
            brought.attributes.push(data_type);
            brought
        }
        ObjectType::SplitKey => {
            let mut kept = Vec::new();
            for tag in [
                Tag::SPLIT_KEY_PARTS,
                Tag::KEY_PART_IDENTIFIER,
                Tag::SPLIT_KEY_THRESHOLD,
                Tag::SPLIT_KEY_METHOD,
            ] {
                kept.push(fields.need(tag)?.clone());
            }
            kept.extend(fields.take(Tag::PRIME_FIELD_SIZE).cloned());
            let mut brought = key(space, kind, fields.need(Tag::KEY_BLOCK)?)?;
            brought.attributes.extend(kept);
            brought
        }
        ObjectType::PgpKey => {
            let version = fields.need(Tag::PGP_KEY_VERSION)?.clone();
            let mut brought = key(space, kind, fields.need(Tag::KEY_BLOCK)?)?;
            brought.attributes.push(version);
            brought
        }
        ObjectType::Template => {
            let attributes = form::read_all(fields.take_all(Tag::ATTRIBUTE), version)?;
            Brought { key: data(space, &[])?, attributes }
        }
        ObjectType::SymmetricKey | ObjectType::PublicKey | ObjectType::PrivateKey => {
            key(space, kind, fields.need(Tag::KEY_BLOCK)?)?
        }
    };
    fields.end()?;
    brought.key = brought.key.amended(|object| managed::set_object_type(object, kind));
    Ok(brought)
}

/// Reads an object that is a key block.
fn key(space: &Space, kind: ObjectType, block: &Item) -> Outcome<Brought> {
    let block = KeyBlock::read(block)?;
    let mut attributes = vec![Item::enumeration(Tag::KEY_FORMAT_TYPE, block.format)];
    attributes.extend(block.algorithm.map(|number| Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, number)));
    attributes.extend(block.length.map(|bits| Item::integer(Tag::CRYPTOGRAPHIC_LENGTH, bits)));
    let Some(material) = block.material else {
        attributes.push(Item::boolean(Tag::KEY_VALUE_PRESENT, false));
        return Ok(Brought { key: data(space, &[])?, attributes });
    };
    if let Some(wrapping) = block.wrapping {
        attributes.push(wrapping.clone());
        let in_structure = material.tag == Tag::KEY_MATERIAL;
        attributes.push(Item::boolean(Tag::KEY_VALUE, in_structure));
        return Ok(Brought { key: data(space, material.as_bytes()?)?, attributes });
    }
    let key = match kind {
        ObjectType::SymmetricKey | ObjectType::SecretData => secret(space, &block, material)?,
        ObjectType::PrivateKey | ObjectType::PublicKey => pair_half(space, kind, &block, material)?,
        _ => data(space, material.as_bytes()?)?,
    };
    Ok(Brought { key, attributes })
}

/// The key type under which the core keeps a secret key: its own where the core has it and the length
/// fits, and otherwise a generic secret.
pub fn key_type(algorithm: Option<u32>, length: usize) -> u64 {
    match (algorithm.and_then(Algorithm::from_number), length) {
        (Some(Algorithm::AES), 16 | 24 | 32) => CKK_AES,
        (Some(Algorithm::DES3), 16) => CKK_DES2,
        (Some(Algorithm::DES3), 24) => CKK_DES3,
        (Some(Algorithm::ChaCha20 | Algorithm::ChaCha20Poly1305), 32) => CKK_CHACHA20,
        _ => CKK_GENERIC_SECRET,
    }
}

fn secret(space: &Space, block: &KeyBlock<'_>, material: &Item) -> Outcome<Key> {
    let value = match block.format {
        Format::TransparentSymmetricKey => {
            let mut fields = Fields::new(material)?;
            let value = fields.need(Tag::KEY)?.as_bytes()?;
            fields.end()?;
            value
        }
        Format::Raw | Format::Opaque | Format::PKCS_12 => material.as_bytes()?,
        _ => return Err(not_supported(block.format)),
    };
    new_secret(space, block.algorithm, value)
}

/// A secret key with a value.
///
/// # Errors
/// A value that no key can have.
pub fn new_secret(space: &Space, algorithm: Option<u32>, value: &[u8]) -> Outcome<Key> {
    if value.is_empty() {
        return Err(invalid_field("the key material is empty"));
    }
    let mut template = stored_key(CKO_SECRET_KEY);
    template.push((CKA_KEY_TYPE, Stored::Number(key_type(algorithm, value.len()))));
    template.push((CKA_VALUE, Stored::byte_string(true, value)));
    Ok(space.new_object(template)?)
}

fn not_supported(format: Format) -> Failure {
    Failure::new(Reason::KeyFormatTypeNotSupported, format!("{} is not read for this object", format.name()))
}

/// A private or public key. Formats and algorithms that the core has no use for are kept as they came.
fn pair_half(space: &Space, kind: ObjectType, block: &KeyBlock<'_>, material: &Item) -> Outcome<Key> {
    let is_private = kind == ObjectType::PrivateKey;
    let value = match parse(is_private, block, material) {
        Ok(value) => value,
        Err(failure) if is_kept(block) || is_encrypted(block, material) => {
            log::debug!("a key is kept as it came: {}", failure.message);
            return kept(space, material);
        }
        Err(failure) => return Err(failure),
    };
    let class = if is_private { CKO_PRIVATE_KEY } else { CKO_PUBLIC_KEY };
    let mut template = stored_key(class);
    template.extend(value);
    let key = match space.new_object(template) {
        Ok(key) => key,
        Err(_) if is_kept(block) => return kept(space, material),
        Err(error) => return Err(error.into()),
    };
    // What is given back is what was brought, byte for byte.
    let Ok(brought) = material.as_bytes() else { return Ok(key) };
    let same = give::material(key.object(), block.format)
        .is_ok_and(|item| item.as_bytes().is_ok_and(|bytes| bytes == brought));
    Ok(if same { key } else { key.amended(|object| managed::set_material(object, brought)) })
}

/// Whether a key that the core cannot read is kept rather than refused: raw and opaque bytes say
/// nothing of what is in them, and other algorithms' keys are their clients' own matter.
fn is_kept(block: &KeyBlock<'_>) -> bool {
    let used = matches!(
        block.algorithm.and_then(Algorithm::from_number),
        Some(Algorithm::RSA | Algorithm::EC | Algorithm::ECDSA | Algorithm::ECDH | Algorithm::ECMQV)
    );
    matches!(block.format, Format::Raw | Format::Opaque | Format::PKCS_12) || !used
}

/// An EncryptedPrivateKeyInfo (RFC 5958, section 3), whose password the server does not have.
#[derive(der::Sequence)]
struct Encrypted<'a> {
    algorithm: spki::AlgorithmIdentifierRef<'a>,
    data: &'a der::asn1::OctetStringRef,
}

fn is_encrypted(block: &KeyBlock<'_>, material: &Item) -> bool {
    let read = |bytes| <Encrypted<'_> as der::Decode<'_>>::from_der(bytes);
    block.format == Format::PKCS_8
        && material.as_bytes().is_ok_and(|bytes| {
            read(bytes)
                .is_ok_and(|key| !key.data.as_bytes().is_empty() && !key.algorithm.oid.to_string().is_empty())
        })
}

fn kept(space: &Space, material: &Item) -> Outcome<Key> {
    match material.as_bytes() {
        Ok(bytes) => data(space, bytes),
        Err(_) => data(space, &encode(material)),
    }
}

/// Reads a private key as PKCS #1 or PKCS #8, whichever it is: clients name one and bring the other.
fn in_either(first: formats::Format, second: formats::Format, der: &[u8]) -> Outcome<Template> {
    let parsed = formats::private_key(first, der);
    Ok(parsed.or_else(|error| formats::private_key(second, der).map_err(|_| error))?)
}

fn parse(is_private: bool, block: &KeyBlock<'_>, material: &Item) -> Outcome<Template> {
    let bytes = || -> Outcome<Wiped<Vec<u8>>> { Ok(Wiped::new(material.as_bytes()?.to_vec())) };
    match (is_private, block.format) {
        (true, Format::PKCS_1 | Format::Raw | Format::Opaque) => {
            in_either(formats::Format::Pkcs1, formats::Format::Pkcs8, &bytes()?)
        }
        (true, Format::PKCS_8) => in_either(formats::Format::Pkcs8, formats::Format::Pkcs1, &bytes()?),
        (true, Format::ECPrivateKey) => Ok(formats::private_key(formats::Format::EcPrivateKey, &bytes()?)?),
        (true, Format::TransparentRSAPrivateKey) => transparent::rsa_private(material),
        (
            true,
            Format::TransparentECPrivateKey
            | Format::TransparentECDSAPrivateKey
            | Format::TransparentECDHPrivateKey
            | Format::TransparentECMQVPrivateKey,
        ) => transparent::ec_private(material),
        (false, Format::PKCS_1) => Ok(formats::public_key(formats::Format::Pkcs1, &bytes()?)?),
        (false, Format::X_509) => Ok(formats::public_key(formats::Format::X509, &bytes()?)?),
        (false, Format::Raw | Format::Opaque) => {
            let bytes = bytes()?;
            let parsed = formats::public_key(formats::Format::Pkcs1, &bytes);
            Ok(parsed.or_else(|_| formats::public_key(formats::Format::X509, &bytes))?)
        }
        (false, Format::TransparentRSAPublicKey) => transparent::rsa_public(material),
        (
            false,
            Format::TransparentECPublicKey
            | Format::TransparentECDSAPublicKey
            | Format::TransparentECDHPublicKey
            | Format::TransparentECMQVPublicKey,
        ) => transparent::ec_public(material),
        (_, format) => Err(not_supported(format)),
    }
}
