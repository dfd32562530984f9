//! Attribute values between their C form (bytes) and the core's typed one, by the attribute table's
//! types. Where the bytes come from and go to is `ffi::attributes`'s.

use hsm_core::Error;
use hsm_core::object::{Template, Type, Value, rules};
use hsm_core::secret::Secret;

use crate::rv::{Outcome, Rejection};

/// What a caller gave for one attribute.
#[derive(Debug)]
pub(crate) enum Given<'a> {
    /// The bytes of a plain value.
    Bytes(&'a [u8]),
    /// The attributes of a value that is a template.
    Nested(Vec<(u64, Given<'a>)>),
}

/// Whether attribute `kind` holds a template.
pub(crate) fn is_template(kind: u64) -> bool {
    rules::type_of(kind) == Some(Type::Template)
}

/// A template for a new or changed object. PKCS #11 3.2, section 4.1: an attribute that is not in the
/// table is CKR_ATTRIBUTE_TYPE_INVALID, a value of another form than its type's is
/// CKR_ATTRIBUTE_VALUE_INVALID.
pub(crate) fn template(given: Vec<(u64, Given<'_>)>) -> Outcome<Template> {
    given
        .into_iter()
        .map(|(kind, given)| {
            let value = rules::type_of(kind).ok_or(Error::AttributeTypeInvalid(kind))?;
            Ok((kind, typed(kind, value, given)?))
        })
        .collect()
}

/// A template to search with. No object has an attribute that is not in the table, so one is no error
/// here: applications look for objects by vendors' attributes, and find none.
pub(crate) fn search_template(given: Vec<(u64, Given<'_>)>) -> Outcome<Template> {
    given
        .into_iter()
        .map(|(kind, given)| {
            let value = rules::type_of(kind).unwrap_or(Type::Bytes);
            Ok((kind, typed(kind, value, given)?))
        })
        .collect()
}

fn typed(kind: u64, value: Type, given: Given<'_>) -> Outcome<Value> {
    let bytes = match (value, given) {
        (Type::Template, Given::Nested(inner)) => return Ok(Value::Template(template(inner)?)),
        (_, Given::Bytes(bytes)) => bytes,
        (_, Given::Nested(_)) => return Err(Error::AttributeValueInvalid(kind).into()),
    };
    Ok(match value {
        Type::Bool => Value::Bool(boolean(bytes).ok_or(Error::AttributeValueInvalid(kind))?),
        Type::Number => Value::Number(number(bytes).ok_or(Error::AttributeValueInvalid(kind))?),
        Type::Numbers => Value::Numbers(numbers(bytes).ok_or(Error::AttributeValueInvalid(kind))?),
        Type::Date => Value::Date(date(bytes).ok_or(Error::AttributeValueInvalid(kind))?),
        Type::Bytes | Type::BigInteger => byte_string(kind, bytes)?,
        Type::Template => return Err(Error::AttributeValueInvalid(kind).into()),
    })
}

/// CK_BBOOL. "A byte-sized Boolean flag"; anything but CK_FALSE counts as true, as in C.
fn boolean(bytes: &[u8]) -> Option<bool> {
    match bytes {
        [byte] => Some(*byte != 0),
        _ => None,
    }
}

fn number(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_ne_bytes)
}

fn numbers(bytes: &[u8]) -> Option<Vec<u64>> {
    let (numbers, rest) = bytes.as_chunks();
    rest.is_empty().then(|| numbers.iter().map(|number| u64::from_ne_bytes(*number)).collect())
}

/// CK_DATE, or no bytes for no date.
fn date(bytes: &[u8]) -> Option<Option<[u8; 8]>> {
    match bytes {
        [] => Some(None),
        _ => bytes.try_into().ok().map(Some),
    }
}

/// A copy of the caller's bytes. Their length is the caller's word, so memory for it may be refused.
fn byte_string(kind: u64, bytes: &[u8]) -> Outcome<Value> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(bytes.len()).map_err(|_| Rejection::HostMemory)?;
    copy.extend_from_slice(bytes);
    Ok(if rules::may_be_secret(kind) { Value::Secret(Secret::new(copy)) } else { Value::Bytes(copy) })
}

/// A value in its C form. A template has none: its attributes are written one by one.
pub(crate) fn with_c_form<R>(value: &Value, give: impl FnOnce(CForm<'_>) -> R) -> R {
    match value {
        Value::Bool(flag) => give(CForm::Bytes(&[u8::from(*flag)])),
        Value::Number(number) => give(CForm::Bytes(&number.to_ne_bytes())),
        Value::Bytes(bytes) => give(CForm::Bytes(bytes)),
        Value::Secret(secret) => give(CForm::Bytes(secret.expose())),
        Value::Numbers(numbers) => {
            let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_ne_bytes()).collect();
            give(CForm::Bytes(&bytes))
        }
        Value::Date(date) => give(CForm::Bytes(date.as_ref().map_or(&[], |date| date.as_slice()))),
        Value::Template(template) => give(CForm::Nested(template)),
    }
}

/// A value as C_GetAttributeValue gives it.
pub(crate) enum CForm<'a> {
    Bytes(&'a [u8]),
    Nested(&'a Template),
}

#[cfg(test)]
mod tests {
    use cryptoki_sys::*;

    use super::*;
    use crate::rv::Refusal;

    fn one(kind: u64, bytes: &[u8]) -> Outcome<Value> {
        Ok(template(vec![(kind, Given::Bytes(bytes))])?.remove(0).1)
    }

    #[test]
    fn each_type_is_read_by_its_length() {
        assert!(matches!(one(CKA_TOKEN, &[1]), Ok(Value::Bool(true))));
        assert!(matches!(one(CKA_TOKEN, &[0]), Ok(Value::Bool(false))));
        assert!(matches!(one(CKA_CLASS, &3_u64.to_ne_bytes()), Ok(Value::Number(3))));
        assert!(matches!(one(CKA_LABEL, b""), Ok(Value::Bytes(bytes)) if bytes.is_empty()));
        assert!(matches!(one(CKA_START_DATE, b""), Ok(Value::Date(None))));
        assert!(matches!(one(CKA_START_DATE, b"20260131"), Ok(Value::Date(Some(_)))));
        assert!(matches!(one(CKA_ALLOWED_MECHANISMS, &[0; 16]), Ok(Value::Numbers(list)) if list == [0, 0]));
    }

    #[test]
    fn key_values_are_secrets_from_the_start() {
        assert!(matches!(one(CKA_VALUE, b"key"), Ok(Value::Secret(_))));
    }

    #[test]
    fn a_wrong_length_is_a_bad_value() {
        let wrong: [(u64, &[u8]); 6] = [
            (CKA_TOKEN, &[]),
            (CKA_TOKEN, &[1, 0]),
            (CKA_CLASS, &[0; 4]),
            (CKA_CLASS, &[0; 9]),
            (CKA_START_DATE, b"2026013"),
            (CKA_ALLOWED_MECHANISMS, &[0; 15]),
        ];
        for (kind, bytes) in wrong {
            let refused = one(kind, bytes);
            assert!(
                matches!(refused, Err(Refusal::Core(Error::AttributeValueInvalid(bad))) if bad == kind),
                "{kind:#x} with {} bytes",
                bytes.len()
            );
        }
    }

    #[test]
    fn an_attribute_outside_the_table_is_refused_in_templates() {
        for kind in [CKA_VENDOR_DEFINED | 1, 0x0bad_0bad] {
            let refused = one(kind, b"x");
            assert!(matches!(refused, Err(Refusal::Core(Error::AttributeTypeInvalid(bad))) if bad == kind));
        }
    }

    #[test]
    fn an_attribute_outside_the_table_finds_nothing_but_is_no_error() {
        let found = search_template(vec![(CKA_VENDOR_DEFINED | 1, Given::Bytes(b"x"))]);
        assert!(matches!(found.as_deref(), Ok([(_, Value::Bytes(_))])));
    }

    #[test]
    fn a_template_is_given_where_one_belongs_and_nowhere_else() {
        let nested = || Given::Nested(vec![(CKA_TOKEN, Given::Bytes(&[1]))]);
        let good = template(vec![(CKA_WRAP_TEMPLATE, nested())]);
        assert!(matches!(good.as_deref(), Ok([(CKA_WRAP_TEMPLATE, Value::Template(_))])));
        assert!(template(vec![(CKA_LABEL, nested())]).is_err());
        assert!(one(CKA_WRAP_TEMPLATE, &[0; 24]).is_err());
    }

    #[test]
    fn values_come_back_as_they_were_given() {
        let values: [(u64, &[u8]); 5] = [
            (CKA_TOKEN, &[1]),
            (CKA_CLASS, &[7, 0, 0, 0, 0, 0, 0, 0]),
            (CKA_LABEL, b"label"),
            (CKA_START_DATE, b"20260131"),
            (CKA_ALLOWED_MECHANISMS, &[9; 24]),
        ];
        for (kind, bytes) in values {
            let value = one(kind, bytes).unwrap();
            assert!(with_c_form(&value, |form| matches!(form, CForm::Bytes(back) if back == bytes)));
        }
    }
}
