//! Objects: typed attributes under the rules of one table (`rules`), built from templates
//! (`template`), found by value (`find`), and written to records (`record`).

use cryptoki_sys::*;
use zeroize::Zeroize;

pub(crate) mod curves;
mod domain_parameters;
pub(crate) mod encoding;
pub mod find;
pub(crate) mod finite;
pub mod formats;
pub mod lifecycle;
pub mod locate;
pub mod managed;
pub mod material;
pub(crate) mod otp;
pub(crate) mod parameter_sets;
pub mod policy;
pub(crate) mod post_quantum;
pub(crate) mod record;
pub mod rules;
mod strength;
pub mod template;
pub mod usage_mask;
mod value;
pub(crate) mod values;

pub use policy::Policy;
pub use value::{Template, Type, Value};

use crate::error::{Error, Result};

/// An object: its attributes by number. What an attribute means and who may see or change it stands
/// in [`rules`]; an object that exists has passed those rules.
#[derive(Debug, Default)]
pub struct Object {
    /// Ordered by number. An object has some forty, and every use of a key looks at most of them: a search
    /// in one piece of memory is what costs least.
    attributes: Vec<(u64, Value)>,
}

/// What only the user may see is wiped, secret or not: the contents of private data objects too.
impl Drop for Object {
    fn drop(&mut self) {
        if !self.is_private() {
            return;
        }
        for (_, value) in &mut self.attributes {
            if let Value::Bytes(bytes) = value {
                bytes.zeroize();
            }
        }
    }
}

impl Object {
    /// CKA_CLASS.
    pub fn class(&self) -> u64 {
        self.number(CKA_CLASS).unwrap_or(CK_UNAVAILABLE_INFORMATION)
    }

    /// CKA_KEY_TYPE, where the object is a key or holds the domain parameters of keys.
    pub fn key_type(&self) -> Option<u64> {
        self.number(CKA_KEY_TYPE)
    }

    /// Whether the object is a secret key, be it of one-time passwords.
    pub fn is_secret_key(&self) -> bool {
        matches!(self.class(), CKO_SECRET_KEY | CKO_OTP_KEY)
    }

    /// Whether the object is a key whose value is nobody's to know.
    pub fn is_private_or_secret_key(&self) -> bool {
        self.is_secret_key() || self.class() == CKO_PRIVATE_KEY
    }

    /// Whether the object lives in the store (CKA_TOKEN) rather than in one session.
    pub fn is_token(&self) -> bool {
        self.flag(CKA_TOKEN)
    }

    /// Whether the object is invisible without user login (CKA_PRIVATE).
    pub fn is_private(&self) -> bool {
        self.flag(CKA_PRIVATE)
    }

    /// Whether secret values may not leave in clear: CKA_SENSITIVE true or CKA_EXTRACTABLE false,
    /// for the classes that have them.
    pub fn hides_secrets(&self) -> bool {
        self.flag(CKA_SENSITIVE) || matches!(self.get(CKA_EXTRACTABLE), Some(Value::Bool(false)))
    }

    /// An attribute, if the object has it.
    pub fn get(&self, kind: u64) -> Option<&Value> {
        let (_, value) = self.attributes.get(self.place(kind).ok()?)?;
        Some(value)
    }

    /// Where an attribute is, or belongs.
    fn place(&self, kind: u64) -> std::result::Result<usize, usize> {
        self.attributes.binary_search_by_key(&kind, |(kind, _)| *kind)
    }

    /// All attributes in the order of their numbers.
    pub fn attributes(&self) -> impl Iterator<Item = (u64, &Value)> {
        self.attributes.iter().map(|(kind, value)| (*kind, value))
    }

    /// A boolean attribute; false where the object has none.
    pub fn flag(&self, kind: u64) -> bool {
        matches!(self.get(kind), Some(Value::Bool(true)))
    }

    /// A numeric attribute.
    pub fn number(&self, kind: u64) -> Option<u64> {
        match self.get(kind) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// A byte string, secret or not; empty where the object has none.
    pub fn bytes(&self, kind: u64) -> &[u8] {
        self.get(kind).and_then(Value::as_bytes).unwrap_or_default()
    }

    /// An attribute as a caller may see it: secrets of an object that hides them are
    /// [`Error::AttributeSensitive`], attributes it does not have [`Error::AttributeTypeInvalid`].
    pub fn visible(&self, kind: u64) -> Result<&Value> {
        let value = self.get(kind).ok_or(Error::AttributeTypeInvalid(kind))?;
        if self.hides(kind) { Err(Error::AttributeSensitive(kind)) } else { Ok(value) }
    }

    /// Whether this attribute is a secret of an object that hides its secrets.
    pub fn hides(&self, kind: u64) -> bool {
        self.hides_secrets() && self.is_secret(kind)
    }

    /// Whether this attribute is a secret, hidden or not.
    pub fn is_secret(&self, kind: u64) -> bool {
        rules::row(kind, self.class(), self.key_type()).is_some_and(|row| row.is_secret())
    }

    /// Sets an attribute, without any rule: the rules stand in [`template`].
    pub(crate) fn set(&mut self, kind: u64, value: Value) {
        match self.place(kind) {
            Ok(at) => {
                if let Some((_, old)) = self.attributes.get_mut(at) {
                    *old = value;
                }
            }
            Err(at) => self.attributes.insert(at, (kind, value)),
        }
    }

    /// Takes an attribute away, without any rule.
    pub(crate) fn remove(&mut self, kind: u64) {
        if let Ok(at) = self.place(kind) {
            self.attributes.remove(at);
        }
    }

    /// Its attributes as a template.
    pub(crate) fn into_template(mut self) -> Template {
        std::mem::take(&mut self.attributes).into_iter().collect()
    }

    /// A second object with the same attributes.
    pub(crate) fn duplicate(&self) -> Object {
        Object {
            attributes: self.attributes.iter().map(|(kind, value)| (*kind, value.duplicate())).collect(),
        }
    }
}
