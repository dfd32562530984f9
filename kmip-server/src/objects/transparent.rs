//! Transparent keys: a key's numbers, each a field. KMIP 1.4, section 2.1.7.

use cryptoki_sys::*;
use hsm_core::object::{Object, Template, Value as Stored, formats};
use hsm_core::secret::Wiped;

use super::curves;
use crate::failure::{Failure, Outcome, invalid_field};
use crate::ttlv::enums::{RecommendedCurve, ResultReason as Reason};
use crate::ttlv::{Fields, Item, Tag};

/// The fields of an RSA private key, in their order, with the attributes that hold them.
const RSA_PRIVATE: [(Tag, u64); 8] = [
    (Tag::MODULUS, CKA_MODULUS),
    (Tag::PRIVATE_EXPONENT, CKA_PRIVATE_EXPONENT),
    (Tag::PUBLIC_EXPONENT, CKA_PUBLIC_EXPONENT),
    (Tag::P, CKA_PRIME_1),
    (Tag::Q, CKA_PRIME_2),
    (Tag::PRIME_EXPONENT_P, CKA_EXPONENT_1),
    (Tag::PRIME_EXPONENT_Q, CKA_EXPONENT_2),
    (Tag::CRT_COEFFICIENT, CKA_COEFFICIENT),
];
const RSA_PUBLIC: [(Tag, u64); 2] =
    [(Tag::MODULUS, CKA_MODULUS), (Tag::PUBLIC_EXPONENT, CKA_PUBLIC_EXPONENT)];

/// A big integer's magnitude: no sign, no leading zeros.
fn magnitude(item: &Item) -> Outcome<&[u8]> {
    let bytes = item.as_big_integer()?;
    if bytes.first().is_some_and(|first| *first >= 0x80) {
        return Err(invalid_field(format!("{} is negative", item.tag)));
    }
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    Ok(bytes.get(zeros..).unwrap_or_default())
}

/// A magnitude as a big integer, which has a sign.
fn big_integer(tag: Tag, magnitude: &[u8]) -> Item {
    let mut bytes = Wiped::new(Vec::with_capacity(magnitude.len() + 1));
    bytes.push(0);
    bytes.extend_from_slice(magnitude);
    Item::big_integer(tag, bytes)
}

fn rsa(material: &Item, fields: &[(Tag, u64)], key_type: u64) -> Outcome<Template> {
    let mut taken = Fields::new(material)?;
    let mut template = vec![(CKA_KEY_TYPE, Stored::Number(key_type))];
    for (tag, kind) in fields {
        if let Some(item) = taken.take(*tag) {
            template.push((*kind, Stored::byte_string(true, magnitude(item)?)));
        }
    }
    taken.end()?;
    Ok(template)
}

/// Reads an RSA private key.
///
/// # Errors
/// Fields that are malformed.
pub fn rsa_private(material: &Item) -> Outcome<Template> {
    rsa(material, &RSA_PRIVATE, CKK_RSA)
}

/// Reads an RSA public key.
///
/// # Errors
/// Fields that are malformed.
pub fn rsa_public(material: &Item) -> Outcome<Template> {
    rsa(material, &RSA_PUBLIC, CKK_RSA)
}

fn curve(fields: &mut Fields<'_>) -> Outcome<Vec<u8>> {
    let curve: RecommendedCurve = fields.need(Tag::RECOMMENDED_CURVE)?.as_value_of()?;
    let not_offered = || Failure::new(Reason::FeatureNotSupported, "the curve is not offered");
    Ok(formats::curve_params(curves::oid(curve).ok_or_else(not_offered)?)?)
}

/// Reads a private key on a curve.
///
/// # Errors
/// Fields that are malformed; a curve that is not offered.
pub fn ec_private(material: &Item) -> Outcome<Template> {
    let mut fields = Fields::new(material)?;
    let params = curve(&mut fields)?;
    let value = magnitude(fields.need(Tag::D)?)?;
    fields.end()?;
    Ok(vec![
        (CKA_KEY_TYPE, Stored::Number(CKK_EC)),
        (CKA_EC_PARAMS, Stored::Bytes(params)),
        (CKA_VALUE, Stored::byte_string(true, value)),
    ])
}

/// Reads a public key on a curve.
///
/// # Errors
/// Fields that are malformed; a curve that is not offered.
pub fn ec_public(material: &Item) -> Outcome<Template> {
    let mut fields = Fields::new(material)?;
    let params = curve(&mut fields)?;
    let point = fields.need(Tag::Q_STRING)?.as_bytes()?;
    fields.end()?;
    Ok(vec![
        (CKA_KEY_TYPE, Stored::Number(CKK_EC)),
        (CKA_EC_PARAMS, Stored::Bytes(params)),
        (CKA_EC_POINT, Stored::Bytes(formats::point_attribute(point)?)),
    ])
}

/// Writes a key's numbers, if it is of a type that has them.
pub fn write(object: &Object) -> Option<Vec<Item>> {
    let numbers = |fields: &[(Tag, u64)]| {
        fields.iter().map(|(tag, kind)| big_integer(*tag, object.bytes(*kind))).collect()
    };
    match (object.class(), object.key_type()?) {
        (CKO_SECRET_KEY, _) => Some(vec![Item::bytes(Tag::KEY, object.bytes(CKA_VALUE).to_vec())]),
        (CKO_PRIVATE_KEY, CKK_RSA) => Some(numbers(&RSA_PRIVATE)),
        (CKO_PUBLIC_KEY, CKK_RSA) => Some(numbers(&RSA_PUBLIC)),
        (CKO_PRIVATE_KEY, CKK_EC) => {
            let curve =
                Item::enumeration(Tag::RECOMMENDED_CURVE, curves::of_oid(formats::curve_of(object)?)?);
            Some(vec![curve, big_integer(Tag::D, object.bytes(CKA_VALUE))])
        }
        (CKO_PUBLIC_KEY, CKK_EC) => {
            let curve =
                Item::enumeration(Tag::RECOMMENDED_CURVE, curves::of_oid(formats::curve_of(object)?)?);
            Some(vec![curve, Item::bytes(Tag::Q_STRING, formats::curve_point(object)?.to_vec())])
        }
        _ => None,
    }
}
