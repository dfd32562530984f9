//! SoftHSM2's attributes as ours: byte strings decrypted, each value in the type that the attribute table gives it.

use cryptoki_sys::*;

use super::{Fault, Raw, RawObject, VENDOR, key};
use crate::object::{Template, Type, Value, rules};
use crate::secret::Secret;

/// What an object says.
#[derive(Debug)]
pub struct Content {
    /// Its attributes, as far as objects of its class and key type have them here.
    pub template: Template,
    /// Attributes that are not known here, with a value; the numbers.
    pub dropped: Vec<u64>,
    /// Why it is no object here, if it is none.
    pub refusal: Option<Refusal>,
}

/// Why an object has no place here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Objects of this class are not offered.
    Class(u64),
}

/// Attributes that SoftHSM2 leaves in clear even where the object is private, and hence cannot show itself.
const CLEAR: [u64; 2] = [CKA_START_DATE, CKA_END_DATE];
const DATE: usize = 8;

/// The attributes of an object under the token's key.
pub(super) fn content(object: RawObject, key: &Secret) -> Result<Content, Fault> {
    let place = object.place.clone();
    let missing = |name: &str| Fault::damaged(&place, format!("it has no {name}"));
    let Some(Raw::Number(class)) = object.get(CKA_CLASS) else { return Err(missing("CKA_CLASS")) };
    let class = *class;
    let key_type = match object.get(CKA_KEY_TYPE) {
        Some(Raw::Number(key_type)) => Some(*key_type),
        _ => None,
    };
    let is_key = matches!(class, CKO_PUBLIC_KEY | CKO_PRIVATE_KEY | CKO_SECRET_KEY);
    if is_key && key_type.is_none() {
        return Err(missing("CKA_KEY_TYPE"));
    }
    let private = matches!(object.get(CKA_PRIVATE), Some(Raw::Bool(true)));
    let mut content = Content {
        template: Template::new(),
        dropped: Vec::new(),
        refusal: (!rules::is_class(class)).then_some(Refusal::Class(class)),
    };
    for (kind, raw) in object.attributes {
        let damaged = |detail: &str| {
            let name = rules::name_of(kind).map_or_else(|| format!("attribute {kind:#x}"), str::to_owned);
            Fault::damaged(&place, format!("{name}: {detail}"))
        };
        let raw = if private { decrypted(kind, raw, key).map_err(damaged)? } else { raw };
        // Of an object that is not for here, what tells people which it is.
        let known = match content.refusal {
            Some(_) => matches!(kind, CKA_CLASS | CKA_LABEL | CKA_ID | CKA_KEY_TYPE),
            None => rules::row(kind, class, key_type).is_some(),
        };
        match rules::type_of(kind).filter(|_| known) {
            Some(expected) => {
                let secret = rules::may_be_secret(kind);
                let value =
                    value(raw, expected, secret).ok_or_else(|| damaged("its value is of another type"))?;
                content.template.push((kind, value));
            }
            None if is_worth_a_word(kind, &raw) => content.dropped.push(kind),
            None => {}
        }
    }
    Ok(content)
}

/// The byte string of a private object. An empty one is not encrypted.
fn decrypted(kind: u64, raw: Raw, key: &Secret) -> Result<Raw, &'static str> {
    match raw {
        Raw::Bytes(bytes) if bytes.is_empty() => Ok(Raw::Bytes(bytes)),
        Raw::Bytes(bytes) if CLEAR.contains(&kind) && bytes.len() == DATE => Ok(Raw::Bytes(bytes)),
        Raw::Bytes(bytes) => match key::decrypt(key, bytes.expose())? {
            Some(plain) => Ok(Raw::Bytes(plain)),
            None => Err("it does not decrypt under the token's key"),
        },
        other => Ok(other),
    }
}

/// Empty values, numbers that say nothing and SoftHSM2's own notes are no loss.
fn is_worth_a_word(kind: u64, raw: &Raw) -> bool {
    let says_something = match raw {
        Raw::Bool(flag) => *flag,
        Raw::Number(number) => *number != 0 && *number != CK_UNAVAILABLE_INFORMATION,
        Raw::Bytes(bytes) => !bytes.is_empty(),
        Raw::Numbers(numbers) => !numbers.is_empty(),
        Raw::Map(map) => !map.is_empty(),
    };
    says_something && !(VENDOR..VENDOR + 0x100).contains(&kind)
}

fn value(raw: Raw, expected: Type, secret: bool) -> Option<Value> {
    match (expected, raw) {
        (Type::Bool, Raw::Bool(flag)) => Some(Value::Bool(flag)),
        (Type::Number, Raw::Number(number)) => Some(Value::Number(number)),
        (Type::Bytes | Type::BigInteger, Raw::Bytes(bytes)) => {
            Some(if secret { Value::Secret(bytes) } else { Value::Bytes(bytes.expose().to_vec()) })
        }
        (Type::Date, Raw::Bytes(bytes)) if bytes.is_empty() => Some(Value::Date(None)),
        (Type::Date, Raw::Bytes(bytes)) => bytes.expose().try_into().ok().map(Some).map(Value::Date),
        (Type::Numbers, Raw::Numbers(numbers)) => Some(Value::Numbers(numbers)),
        (Type::Template, Raw::Map(map)) => {
            let inner =
                |(kind, raw)| Some((kind, value(raw, rules::type_of(kind)?, rules::may_be_secret(kind))?));
            map.into_iter().map(inner).collect::<Option<Template>>().map(Value::Template)
        }
        _ => None,
    }
}
