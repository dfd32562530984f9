//! JSON Web Keys (RFC 7517, RFC 7518, RFC 8037): read in, and public ones written out.

use cryptoki_sys::*;
use data_encoding::BASE64URL_NOPAD;
use der::asn1::ObjectIdentifier;
use hsm_core::object::{Template, Value, formats};
use hsm_core::secret::Secret;
use hsm_core::service::View;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::parts::{Part, Parts};
use crate::describe;
use crate::failure::{Failure, Outcome, Result};

/// A curve by its name here; whether its keys are of type OKP; its key type.
struct Curve {
    name: &'static str,
    oid: ObjectIdentifier,
    key_type: u64,
    /// Bytes of a coordinate.
    length: usize,
}

#[rustfmt::skip]
const CURVES: &[Curve] = &[
    curve("P-256",     "1.2.840.10045.3.1.7", CKK_EC,            32),
    curve("P-384",     "1.3.132.0.34",        CKK_EC,            48),
    curve("P-521",     "1.3.132.0.35",        CKK_EC,            66),
    curve("secp256k1", "1.3.132.0.10",        CKK_EC,            32),
    curve("Ed25519",   "1.3.101.112",         CKK_EC_EDWARDS,    32),
    curve("X25519",    "1.3.101.110",         CKK_EC_MONTGOMERY, 32),
    curve("Ed448",     "1.3.101.113",         CKK_EC_EDWARDS,    57),
    curve("X448",      "1.3.101.111",         CKK_EC_MONTGOMERY, 56),
];

const fn curve(name: &'static str, oid: &'static str, key_type: u64, length: usize) -> Curve {
    Curve { name, oid: ObjectIdentifier::new_unwrap(oid), key_type, length }
}

/// The members that matter.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    d: Option<String>,
    p: Option<String>,
    q: Option<String>,
    dp: Option<String>,
    dq: Option<String>,
    qi: Option<String>,
    k: Option<String>,
}

/// One key, or a set of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Document {
    Set { keys: Vec<Jwk> },
    One(Box<Jwk>),
}

/// Reads a key or a set of keys; the name is the first one's.
pub(super) fn read(bytes: &Secret, path: &str) -> Result<Parts> {
    let wrong = |what: &str| Failure::new(Outcome::Usage, format!("{path}: {what}"));
    let document = serde_json::from_slice(bytes.expose()).map_err(|_| wrong("no JSON Web Key"))?;
    let keys = match document {
        Document::Set { keys } => keys,
        Document::One(key) => vec![*key],
    };
    let name = keys.first().and_then(|key| key.kid.clone());
    let parts = keys.into_iter().map(|key| part(key).map_err(wrong)).collect::<Result<Vec<_>>>()?;
    if parts.is_empty() {
        return Err(wrong("it holds no key"));
    }
    Ok(Parts { name, parts })
}

const MISSING: &str = "a member of the key is missing or no base64url";

/// A member's bytes. The text is wiped.
fn member(text: Option<String>) -> Option<Secret> {
    let text = Secret::new(text?.into_bytes());
    BASE64URL_NOPAD.decode(text.expose()).ok().map(Secret::new)
}

fn public(text: Option<String>) -> std::result::Result<Vec<u8>, &'static str> {
    member(text).map(|bytes| bytes.expose().to_vec()).ok_or(MISSING)
}

fn part(key: Jwk) -> std::result::Result<Part, &'static str> {
    match key.kty.as_str() {
        "RSA" => rsa(key),
        "EC" | "OKP" => on_curve(key),
        "oct" => secret(key),
        _ => Err("keys of this kty are not offered here"),
    }
}

fn rsa(key: Jwk) -> std::result::Result<Part, &'static str> {
    let mut template: Template = vec![
        (CKA_KEY_TYPE, Value::Number(CKK_RSA)),
        (CKA_MODULUS, Value::Bytes(public(key.n)?)),
        (CKA_PUBLIC_EXPONENT, Value::Bytes(public(key.e)?)),
    ];
    if key.d.is_none() {
        return Ok(Part::Public(template));
    }
    let numbers = [
        (CKA_PRIVATE_EXPONENT, key.d),
        (CKA_PRIME_1, key.p),
        (CKA_PRIME_2, key.q),
        (CKA_EXPONENT_1, key.dp),
        (CKA_EXPONENT_2, key.dq),
        (CKA_COEFFICIENT, key.qi),
    ];
    for (kind, text) in numbers.into_iter().filter(|(_, text)| text.is_some()) {
        template.push((kind, Value::Secret(member(text).ok_or(MISSING)?)));
    }
    Ok(Part::Private(template))
}

fn on_curve(key: Jwk) -> std::result::Result<Part, &'static str> {
    let name = key.crv.as_deref().unwrap_or_default();
    let curve =
        CURVES.iter().find(|curve| curve.name == name && (curve.key_type == CKK_EC) == (key.kty == "EC"));
    let curve = curve.ok_or("keys on this curve are not offered here")?;
    let params = formats::curve_params(curve.oid).map_err(|_| "keys on this curve are not offered here")?;
    let mut template: Template =
        vec![(CKA_KEY_TYPE, Value::Number(curve.key_type)), (CKA_EC_PARAMS, Value::Bytes(params))];
    if let Some(d) = key.d {
        template.push((CKA_VALUE, Value::Secret(member(Some(d)).ok_or(MISSING)?)));
        return Ok(Part::Private(template));
    }
    let mut point = Vec::new();
    if curve.key_type == CKK_EC {
        point.push(4);
    }
    point.extend(public(key.x)?);
    if curve.key_type == CKK_EC {
        point.extend(public(key.y)?);
    }
    let point = formats::point_attribute(&point).map_err(|_| "its point is wrong")?;
    template.push((CKA_EC_POINT, Value::Bytes(point)));
    Ok(Part::Public(template))
}

/// For HMAC where the algorithm says so; AES where the length is one of its; a generic secret otherwise.
fn secret(key: Jwk) -> std::result::Result<Part, &'static str> {
    let value = member(key.k).ok_or(MISSING)?;
    let is_mac = key.alg.is_some_and(|alg| alg.starts_with("HS"));
    let key_type = match value.len() {
        16 | 24 | 32 if !is_mac => CKK_AES,
        _ => CKK_GENERIC_SECRET,
    };
    Ok(Part::Secret(vec![(CKA_KEY_TYPE, Value::Number(key_type)), (CKA_VALUE, Value::Secret(value))]))
}

/// A public key as JSON Web Key; `None` if there is no form for it.
pub(super) fn write(view: &View) -> Option<Json> {
    let text = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
    let mut key = match describe::number(view, CKA_KEY_TYPE)? {
        CKK_RSA => json!({
            "kty": "RSA",
            "n": text(describe::bytes(view, CKA_MODULUS)?),
            "e": text(describe::bytes(view, CKA_PUBLIC_EXPONENT)?),
        }),
        key_type => {
            let params = describe::bytes(view, CKA_EC_PARAMS)?;
            let oid = formats::curve_named_by(params)?;
            let curve = CURVES.iter().find(|curve| curve.key_type == key_type && curve.oid == oid)?;
            let point = formats::point_in(describe::bytes(view, CKA_EC_POINT)?)?;
            match key_type {
                CKK_EC => {
                    let (x, y) = point.strip_prefix(&[4])?.split_at_checked(curve.length)?;
                    json!({ "kty": "EC", "crv": curve.name, "x": text(x), "y": text(y) })
                }
                _ => json!({ "kty": "OKP", "crv": curve.name, "x": text(point) }),
            }
        }
    };
    if let (Some(members), Some(label)) = (key.as_object_mut(), describe::bytes(view, CKA_LABEL)) {
        members.insert("kid".into(), String::from_utf8_lossy(label).into());
    }
    Some(key)
}
