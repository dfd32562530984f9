//! The values that attributes have, typed as the attribute table says.

use crate::secret::Secret;

/// An attribute's type. PKCS #11 3.2, section 4.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Type {
    /// CK_BBOOL.
    Bool,
    /// CK_ULONG and the types that are one (CK_KEY_TYPE, CK_MECHANISM_TYPE, …).
    Number,
    /// Byte array, RFC 2279 string or DER encoding.
    Bytes,
    /// Big integer: most significant byte first; leading zeros do not count.
    BigInteger,
    /// CK_MECHANISM_TYPE_PTR: a list of mechanisms.
    Numbers,
    /// CK_DATE, which may be empty.
    Date,
    /// CK_ATTRIBUTE_PTR: a template.
    Template,
}

/// A template: attribute numbers with typed values, in the caller's order.
pub type Template = Vec<(u64, Value)>;

/// An attribute's value.
#[derive(Debug)]
pub enum Value {
    /// [`Type::Bool`].
    Bool(bool),
    /// [`Type::Number`].
    Number(u64),
    /// [`Type::Bytes`] or [`Type::BigInteger`] that anybody may see.
    Bytes(Vec<u8>),
    /// [`Type::Bytes`] or [`Type::BigInteger`] that may be hidden.
    Secret(Secret),
    /// [`Type::Numbers`].
    Numbers(Vec<u64>),
    /// [`Type::Date`]: year (4 digits), month and day (2 each) in ASCII, or empty.
    Date(Option<[u8; 8]>),
    /// [`Type::Template`].
    Template(Template),
}

impl Value {
    /// A byte string that is kept as a secret or not.
    pub fn byte_string(secret: bool, bytes: &[u8]) -> Value {
        if secret { Value::Secret(Secret::copy_of(bytes)) } else { Value::Bytes(bytes.to_vec()) }
    }

    /// The bytes of a byte string, secret or not.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Value::Bytes(bytes) => Some(bytes),
            Value::Secret(secret) => Some(secret.expose()),
            Value::Bool(_) | Value::Number(_) | Value::Numbers(_) | Value::Date(_) | Value::Template(_) => {
                None
            }
        }
    }

    /// A second copy of the value.
    pub fn duplicate(&self) -> Value {
        match self {
            Value::Bool(flag) => Value::Bool(*flag),
            Value::Number(number) => Value::Number(*number),
            Value::Bytes(bytes) => Value::Bytes(bytes.clone()),
            Value::Secret(secret) => Value::Secret(secret.duplicate()),
            Value::Numbers(numbers) => Value::Numbers(numbers.clone()),
            Value::Date(date) => Value::Date(*date),
            Value::Template(template) => {
                Value::Template(template.iter().map(|(kind, value)| (*kind, value.duplicate())).collect())
            }
        }
    }

    /// Whether two values are the same; byte strings are compared in constant time, whether either
    /// is marked secret or not.
    pub fn equals(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Number(a), Value::Number(b)) => a == b,
            (Value::Numbers(a), Value::Numbers(b)) => a == b,
            (Value::Date(a), Value::Date(b)) => a == b,
            (Value::Template(a), Value::Template(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.0 == b.0 && a.1.equals(&b.1))
            }
            _ => match (self.as_bytes(), other.as_bytes()) {
                (Some(a), Some(b)) => bool::from(subtle::ConstantTimeEq::ct_eq(a, b)),
                _ => false,
            },
        }
    }

    /// Whether the value has the form that a type asks for.
    pub fn has_type(&self, kind: Type) -> bool {
        match kind {
            Type::Bool => matches!(self, Value::Bool(_)),
            Type::Number => matches!(self, Value::Number(_)),
            Type::Bytes | Type::BigInteger => matches!(self, Value::Bytes(_) | Value::Secret(_)),
            Type::Numbers => matches!(self, Value::Numbers(_)),
            Type::Date => matches!(self, Value::Date(_)),
            Type::Template => matches!(self, Value::Template(_)),
        }
    }
}
