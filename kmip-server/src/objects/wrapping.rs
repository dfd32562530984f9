//! Wrapping keys on their way out, and unwrapping those that were registered wrapped: KMIP 1.4,
//! sections 2.1.5 and 2.1.6.

use cryptoki_sys::*;
use hsm_core::mechanism::{Mechanism, Parameter};
use hsm_core::object::Object;
use hsm_core::object::lifecycle::Action;
use hsm_core::secret::Wiped;

use super::give;
use crate::attributes::{Attributes, Which, form};
use crate::context::Context;
use crate::failure::{Failure, Outcome, invalid_field};
use crate::operations::get::Form;
use crate::operations::parts::learn;
use crate::ttlv::enums::{
    BlockCipherMode as Mode, EncodingOption, KeyFormatType as Format, KeyWrapType, PaddingMethod,
    ResultReason as Reason, WrappingMethod,
};
use crate::ttlv::{Fields, Item, Limits, Tag, Version, decode, encode};

/// The mechanism that wraps as the cryptographic parameters say it; AES Key Wrap where they say nothing.
fn mechanism(parameters: Option<&Item>, wrapping: &Object) -> Outcome<Mechanism> {
    let not_offered =
        || Failure::new(Reason::UnsupportedCryptographicParameters, "keys are not wrapped this way");
    if wrapping.key_type() == Some(CKK_RSA) {
        return crate::parameters::rsa_encryption(parameters);
    }
    let mode = match parameters.and_then(|parameters| parameters.child(Tag::BLOCK_CIPHER_MODE)) {
        Some(item) => item.as_value_of::<Mode>()?,
        None => Mode::NISTKeyWrap,
    };
    let padding = parameters.and_then(|parameters| parameters.child(Tag::PADDING_METHOD));
    let padded = padding.is_some_and(|item| item.as_value_of() == Ok(PaddingMethod::PKCS5));
    let kind = match mode {
        Mode::NISTKeyWrap => CKM_AES_KEY_WRAP,
        Mode::AESKeyWrapPadding => CKM_AES_KEY_WRAP_KWP,
        Mode::CBC if padded => CKM_AES_CBC_PAD,
        Mode::CBC => CKM_AES_CBC,
        Mode::ECB => CKM_AES_ECB,
        Mode::GCM => return gcm(parameters),
        _ => return Err(not_offered()),
    };
    Ok(Mechanism::plain(kind))
}

/// GCM, whose tag stands behind what is wrapped: a Key Block has no field for it.
fn gcm(parameters: Option<&Item>) -> Outcome<Mechanism> {
    let tag = parameters.and_then(|parameters| parameters.child(Tag::TAG_LENGTH));
    let tag_bits = match tag.map(Item::as_integer).transpose()? {
        None => WHOLE_TAG,
        Some(bytes) => u64::try_from(bytes).unwrap_or_default().saturating_mul(8),
    };
    let parameter = Parameter::Gcm { iv: Vec::new(), aad: Vec::new(), tag_bits };
    Ok(Mechanism { kind: CKM_AES_GCM, parameter })
}

/// A tag of GCM that is not cut, in bits.
const WHOLE_TAG: u64 = 128;
/// Nonces of GCM, in bytes: SP 800-38D, section 8.2.
const NONCE: usize = 12;

/// The key and the mechanism that an Encryption Key Information names.
fn named(context: &Context<'_>, information: &Item) -> Outcome<(hsm_core::service::Item, Mechanism)> {
    let mut fields = Fields::new(information)?;
    let id = fields.need(Tag::UNIQUE_IDENTIFIER)?;
    let parameters = fields.take(Tag::CRYPTOGRAPHIC_PARAMETERS);
    fields.end()?;
    let id = context.resolve(id)?;
    let key = context.load(&id, Action::Look).map_err(|failure| match failure.reason {
        Reason::ObjectNotFound => {
            Failure::new(Reason::WrappingObjectNotFound, "there is no such wrapping key")
        }
        _ => failure,
    })?;
    let mechanism = mechanism(parameters, key.object())?;
    Ok((key, mechanism))
}

/// Wraps key material by a Key Wrapping Specification, and makes the key block of it. A key that was
/// registered wrapped keeps the form in which it came (`in_structure`).
///
/// # Errors
/// Those of the specification, of the wrapping key, and of the rights of the key to be wrapped.
pub fn wrapped(
    context: &Context<'_>,
    attributes: &Attributes<'_>,
    format: Format,
    material: Item,
    specification: &Item,
    in_structure: Option<bool>,
) -> Outcome<Item> {
    let mut fields = Fields::new(specification)?;
    let method: WrappingMethod = fields.need(Tag::WRAPPING_METHOD)?.as_value_of()?;
    let information = fields.take(Tag::ENCRYPTION_KEY_INFORMATION);
    let authentication = fields.take(Tag::MAC_SIGNATURE_KEY_INFORMATION);
    let names: Vec<&Item> = fields.take_all(Tag::ATTRIBUTE_NAME).collect();
    let option = fields.take_value_of::<EncodingOption>(Tag::ENCODING_OPTION)?;
    fields.end()?;
    if method != WrappingMethod::Encrypt || authentication.is_some() {
        let text = "keys are wrapped by encryption alone";
        return Err(Failure::new(Reason::FeatureNotSupported, text));
    }
    let missing = || Failure::new(Reason::MissingData, "the encryption key information is missing");
    let information = information.ok_or_else(missing)?;
    if !attributes.is_extractable() {
        return Err(Failure::new(Reason::NotExtractable, "the key is not extractable"));
    }
    let (key, mut mechanism) = named(context, information)?;
    learn(context, &key.id(), &key, false);
    let iv = random_iv(context, &mut mechanism)?;
    let said = option;
    let value = match said.unwrap_or(EncodingOption::TTLVEncoding) {
        EncodingOption::NoEncoding => {
            if !names.is_empty() {
                let text = "attributes are wrapped with the key in the TTLV encoding alone";
                return Err(Failure::new(Reason::EncodingOptionError, text));
            }
            let bytes = material.as_bytes().map_err(|_| {
                Failure::new(
                    Reason::EncodingOptionError,
                    "a transparent key is wrapped in the TTLV encoding alone",
                )
            })?;
            let bytes = context.space.wrap(&key, &mechanism, bytes)?;
            // KMIP 1.4, section 2.1.4: wrapped, a key value is a byte string. Clients of before read a
            // structure (section 2.1.6: "the wrapped un-encoded value of the Key Material field").
            if in_structure.unwrap_or(context.version < Version::V1_4) {
                give::key_value(Item::bytes(Tag::KEY_MATERIAL, bytes))
            } else {
                Item::bytes(Tag::KEY_VALUE, bytes)
            }
        }
        EncodingOption::TTLVEncoding => {
            let mut inside = vec![material];
            for name in names {
                let which = Which::read(name, context.version)?;
                inside.extend(form::write(attributes.values(&which), &attributes.indexes(), context.version));
            }
            let encoded = encode(&Item::structure(Tag::KEY_VALUE, inside));
            Item::bytes(Tag::KEY_VALUE, context.space.wrap(&key, &mechanism, &encoded)?)
        }
    };
    let mut data = vec![Item::enumeration(Tag::WRAPPING_METHOD, method), information.clone()];
    data.extend(iv.map(|iv| Item::bytes(Tag::IV_COUNTER_NONCE, iv)));
    data.extend(said.map(|option| Item::enumeration(Tag::ENCODING_OPTION, option)));
    let data = Item::structure(Tag::KEY_WRAPPING_DATA, data);
    Ok(give::key_block(format, Some(value), attributes, Some(data)))
}

/// Modes that need an IV get a fresh one.
fn random_iv(context: &Context<'_>, mechanism: &mut Mechanism) -> Outcome<Option<Vec<u8>>> {
    let length = match mechanism.kind {
        CKM_AES_CBC | CKM_AES_CBC_PAD => 16,
        CKM_AES_GCM => NONCE,
        _ => return Ok(None),
    };
    let mut iv = vec![0; length];
    context.space.session().random(&mut iv)?;
    set_iv(mechanism, iv.clone());
    Ok(Some(iv))
}

fn set_iv(mechanism: &mut Mechanism, fresh: Vec<u8>) {
    match &mut mechanism.parameter {
        Parameter::Gcm { iv, .. } => *iv = fresh,
        other => *other = Parameter::Iv(fresh),
    }
}

/// A key that was registered wrapped: as it came, or unwrapped by its wrapping key.
///
/// # Errors
/// Those of the wrapping key; [`Reason::KeyWrapTypeNotSupported`].
pub fn registered(
    context: &Context<'_>,
    object: &Object,
    attributes: &Attributes<'_>,
    format: Format,
    form: &Form<'_>,
) -> Outcome<Item> {
    let data = attributes.first(Tag::KEY_WRAPPING_DATA);
    let data = data.ok_or_else(|| invalid_field("the key is not wrapped"))?;
    let bytes = object.bytes(CKA_VALUE);
    let in_structure = attributes.first(Tag::KEY_VALUE).is_some_and(|item| item.as_boolean() == Ok(true));
    if let Some(specification) = form.wrap {
        let material = unwrapped(context, &data, bytes, in_structure)?;
        return wrapped(context, attributes, format, material, specification, Some(in_structure));
    }
    if form.wrap_type == Some(KeyWrapType::NotWrapped) {
        crate::context::may_read(attributes)?;
        let material = unwrapped(context, &data, bytes, in_structure)?;
        return Ok(give::key_block(format, Some(give::key_value(material)), attributes, None));
    }
    let value = if in_structure {
        give::key_value(Item::bytes(Tag::KEY_MATERIAL, bytes.to_vec()))
    } else {
        Item::bytes(Tag::KEY_VALUE, bytes.to_vec())
    };
    Ok(give::key_block(format, Some(value), attributes, Some(data)))
}

/// The key material inside a wrapped key.
///
/// # Errors
/// Those of the wrapping key.
pub fn unwrapped(context: &Context<'_>, data: &Item, bytes: &[u8], in_structure: bool) -> Outcome<Item> {
    let information = data.child(Tag::ENCRYPTION_KEY_INFORMATION);
    let missing = || Failure::new(Reason::KeyWrapTypeNotSupported, "it is not said which key wraps it");
    let (key, mut mechanism) = named(context, information.ok_or_else(missing)?)?;
    if let Some(iv) = data.child(Tag::IV_COUNTER_NONCE) {
        set_iv(&mut mechanism, iv.as_bytes()?.to_vec());
    }
    let plain: Wiped<Vec<u8>> = context.space.unwrap_registered(&key, &mechanism, bytes)?.into();
    let encoded = data.child(Tag::ENCODING_OPTION).map(Item::as_value_of::<EncodingOption>).transpose()?;
    material_of(plain, !in_structure && encoded != Some(EncodingOption::NoEncoding))
}

/// The Key Material in what was unwrapped: all of it, or where it is encoded, that of the Key Value.
///
/// # Errors
/// [`Reason::CryptographicFailure`].
pub(super) fn material_of(plain: Wiped<Vec<u8>>, is_encoded: bool) -> Outcome<Item> {
    if !is_encoded {
        return Ok(Item::bytes(Tag::KEY_MATERIAL, plain));
    }
    let broken = || Failure::new(Reason::CryptographicFailure, "what was wrapped is no key value");
    let value = decode(&plain, &Limits::default()).map_err(|_| broken())?;
    value.child(Tag::KEY_MATERIAL).cloned().ok_or_else(broken)
}

/// An object's structure with its key block's value in the clear.
pub fn without_wrapping(structure: &Item, block: &Item, material: &Item) -> Item {
    let plain = block.items().iter().filter_map(|field| match field.tag {
        Tag::KEY_WRAPPING_DATA => None,
        Tag::KEY_VALUE => Some(give::key_value(material.clone())),
        _ => Some(field.clone()),
    });
    let plain = Item::structure(Tag::KEY_BLOCK, plain.collect());
    let fields = structure.items().iter();
    let fields = fields.map(|field| if field.tag == Tag::KEY_BLOCK { plain.clone() } else { field.clone() });
    Item::structure(structure.tag, fields.collect())
}
