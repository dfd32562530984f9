//! Create Split Key and Join Split Key: KMIP 1.4, sections 4.38 and 4.39; 2.1, sections 6.1.10 and
//! 6.1.28.

use hsm_core::crypto::{self, Part, SplitMethod};
use hsm_core::object::Object;
use hsm_core::object::lifecycle::{self, Action};
use hsm_core::object::managed::{self, ObjectType};
use hsm_core::secret::Secret;
use hsm_core::service::Item as Found;

use super::create::{fresh_secret, insert, insert_one};
use super::register::object_type;
use crate::attributes::Attributes;
use crate::context::{Context, id_field, may_read};
use crate::failure::{Failure, Outcome, invalid_field};
use crate::objects::fresh::{self, Origin, Wanted};
use crate::objects::give;
use crate::objects::read::{data, new_secret};
use crate::ttlv::enums::{
    KeyFormatType as Format, ResultReason as Reason, SecretDataType, SplitKeyMethod as Method,
    UniqueIdentifier,
};
use crate::ttlv::{Fields, Item, Tag};

/// The method of the core, if it has it.
fn method(method: Method) -> Outcome<SplitMethod> {
    match method {
        Method::XOR => Ok(SplitMethod::Xor),
        Method::PolynomialSharingGF2_8 => Ok(SplitMethod::PolynomialGf256),
        Method::PolynomialSharingGF2_16 | Method::PolynomialSharingPrimeField => {
            Err(invalid_field("keys are not split by this method"))
        }
    }
}

fn count(item: &Item) -> Outcome<usize> {
    usize::try_from(item.as_integer()?).map_err(|_| invalid_field(format!("{} is negative", item.tag)))
}

/// Create Split Key: of a key that is there, or of a fresh one that nobody keeps whole.
///
/// # Errors
/// Those of the payload, of the numbers of parts, and of the key's rights.
pub fn create(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let kind = fields.need(Tag::OBJECT_TYPE)?;
    let whole = context.optional_id(&mut fields, Tag::UNIQUE_IDENTIFIER)?;
    let parts = fields.need(Tag::SPLIT_KEY_PARTS)?;
    let threshold = fields.need(Tag::SPLIT_KEY_THRESHOLD)?;
    let split_method = fields.need(Tag::SPLIT_KEY_METHOD)?;
    let field_size = fields.take(Tag::PRIME_FIELD_SIZE);
    let wanted = super::wanted_of_one(context, &mut fields)?;
    fields.end()?;
    if object_type(kind, context.version)? != ObjectType::SplitKey || field_size.is_some() {
        return Err(invalid_field("split keys are made, and none over a prime field"));
    }
    let (secret, said) = secret(context, whole.as_deref(), &wanted)?;
    let made = crypto::split(
        method(split_method.as_value_of()?)?,
        secret.expose(),
        count(parts)?,
        count(threshold)?,
    )?;
    let now = lifecycle::now();
    let about = [parts.clone(), threshold.clone(), split_method.clone()];
    let ready = |part: &Part| {
        let mut said = said.clone();
        said.extend(about.iter().cloned());
        said.push(Item::integer(Tag::KEY_PART_IDENTIFIER, part.number.into()));
        said.push(Item::enumeration(Tag::KEY_FORMAT_TYPE, Format::Raw));
        let mut key = data(context.space, part.bytes.expose())?;
        key = key.amended(|object| managed::set_object_type(object, ObjectType::SplitKey));
        fresh::ready(key, ObjectType::SplitKey, Origin::Made, said, &wanted, now)
    };
    let keys = made.iter().map(ready).collect::<Outcome<Vec<_>>>()?;
    let ids = insert(context, keys, Origin::Made)?;
    if let Some(first) = ids.first() {
        context.leave(UniqueIdentifier::CreateSplitKey, first);
    }
    Ok(ids.iter().map(|id| id_field(id)).collect())
}

/// What is split, with the attributes that it has and a client does not say otherwise.
fn secret(context: &Context<'_>, whole: Option<&str>, wanted: &Wanted) -> Outcome<(Secret, Vec<Item>)> {
    let Some(id) = whole else {
        let key = fresh_secret(context, ObjectType::SymmetricKey, wanted)?;
        return Ok((value(key.object())?, Vec::new()));
    };
    let found = context.load(id, Action::Read)?;
    may_read(&Attributes::of(found.object()))?;
    if !matches!(ObjectType::of(found.object()), ObjectType::SymmetricKey | ObjectType::SecretData) {
        return Err(Failure::new(Reason::InvalidObjectType, "an object of this type is not split"));
    }
    let attributes = Attributes::of(found.object());
    let inherited = [Tag::CRYPTOGRAPHIC_ALGORITHM, Tag::CRYPTOGRAPHIC_LENGTH, Tag::CRYPTOGRAPHIC_USAGE_MASK];
    let said = inherited.into_iter().filter(|tag| wanted.first(*tag).is_none());
    let said = said.filter_map(|tag| attributes.first(tag)).collect();
    Ok((value(found.object())?, said))
}

fn value(object: &Object) -> Outcome<Secret> {
    Ok(Secret::copy_of(give::material(object, Format::Raw)?.as_bytes()?))
}

/// What a split key says of itself.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Split {
    parts: i32,
    threshold: usize,
    method: Method,
}

impl Split {
    /// A part of a split key, and what it is a part of.
    fn of(found: &Found) -> Outcome<(Split, Part)> {
        let wrong = || Failure::new(Reason::InvalidObjectType, "only parts of split keys are joined");
        if ObjectType::of(found.object()) != ObjectType::SplitKey {
            return Err(wrong());
        }
        let attributes = Attributes::of(found.object());
        let first = |tag| attributes.first(tag).ok_or_else(wrong);
        let number = u8::try_from(first(Tag::KEY_PART_IDENTIFIER)?.as_integer()?);
        let format = give::default_format(found.object(), &attributes);
        let material = give::material_as(found.object(), &attributes, format)?;
        let part = Part {
            number: number.map_err(|_| invalid_field("a part's number is beyond all parts"))?,
            bytes: Secret::copy_of(material.as_bytes()?),
        };
        let split = Split {
            parts: first(Tag::SPLIT_KEY_PARTS)?.as_integer()?,
            threshold: count(&first(Tag::SPLIT_KEY_THRESHOLD)?)?,
            method: first(Tag::SPLIT_KEY_METHOD)?.as_value_of()?,
        };
        Ok((split, part))
    }
}

/// Join Split Key.
///
/// # Errors
/// Those of the payload, of parts that do not go together, and of their rights.
pub fn join(context: &mut Context<'_>, payload: &Item) -> Outcome<Vec<Item>> {
    let mut fields = Fields::new(payload)?;
    let kind = object_type(fields.need(Tag::OBJECT_TYPE)?, context.version)?;
    let ids = fields.take_all(Tag::UNIQUE_IDENTIFIER).map(|item| context.resolve(item));
    let ids = ids.collect::<Outcome<Vec<_>>>()?;
    let secret_type = fields.take_value_of::<SecretDataType>(Tag::SECRET_DATA_TYPE)?;
    let wanted = super::wanted_of_one(context, &mut fields)?;
    fields.end()?;
    let mut said = Vec::new();
    match kind {
        ObjectType::SymmetricKey if secret_type.is_none() => {}
        ObjectType::SecretData => {
            let secret_type = secret_type.unwrap_or(SecretDataType::Seed);
            said.push(Item::enumeration(Tag::SECRET_DATA_TYPE, secret_type));
        }
        _ => {
            let text = "symmetric keys and secret data are joined";
            return Err(Failure::new(Reason::InvalidObjectType, text));
        }
    }
    let secret = joined(context, &ids)?;
    let key = new_secret(context.space, wanted.algorithm()?, secret.expose())?;
    let id = insert_one(context, key, kind, Origin::Made, said, &wanted)?;
    context.leave(UniqueIdentifier::JoinSplitKey, &id);
    Ok(vec![id_field(&id)])
}

fn joined(context: &Context<'_>, ids: &[String]) -> Outcome<Secret> {
    let mut split = None;
    let mut parts = Vec::with_capacity(ids.len());
    for id in ids {
        let found = context.load(id, Action::Read)?;
        may_read(&Attributes::of(found.object()))?;
        let (of, part) = Split::of(&found)?;
        if *split.get_or_insert(of) != of {
            return Err(invalid_field("the parts are not of one key"));
        }
        parts.push(part);
    }
    let split = split.ok_or_else(|| Failure::new(Reason::MissingData, "no part of a split key is named"))?;
    let method = method(split.method)?;
    // KMIP 1.4, table 363: too few parts, and those that do not fit, are a failure of the cryptography.
    crypto::join(method, split.threshold, &parts)
        .map_err(|error| Failure::new(Reason::CryptographicFailure, error.to_string()))
}
