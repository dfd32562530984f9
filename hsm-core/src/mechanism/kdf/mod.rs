//! Secrets from a base key: what each mechanism makes of it, and what the new key takes over of the base key's
//! secrecy. Templates, lengths and objects are the service's matter. Agreement of key pairs is in
//! [`super::derivation`].

mod expansion;
mod simple;
mod ssh;
mod tls;

use std::sync::Arc;

pub(super) use expansion::{hkdf, sp800_108};
pub(super) use simple::{
    concatenate_base_and_data, concatenate_base_and_key, concatenate_data_and_base, encrypt_data, extract,
    hashed, shake, xor,
};
pub(super) use ssh::ssh;
pub(super) use tls::{function as tls_function, tls_extended_master, tls_kdf, tls_keys, tls_master};
pub(crate) use tls::{tls_mac, version};

use super::params::Parameter;
use super::table::Row;
use crate::error::{Error, Result};
use crate::object::material::Key;
use crate::secret::Secret;

/// How a mechanism makes secrets of a base key.
#[derive(Clone, Copy)]
pub(crate) struct Recipe {
    /// Makes them.
    pub(super) make: fn(&Order<'_>) -> Result<Vec<Secret>>,
    /// What the base key says of the new keys.
    pub(crate) heritage: Heritage,
    /// What comes of it.
    pub(crate) product: Product,
    /// The caller has a say in the new value: it may be one that he knows.
    pub(crate) chosen: bool,
}

/// What the new key takes over of the base key's CKA_SENSITIVE, CKA_EXTRACTABLE, CKA_ALWAYS_SENSITIVE and
/// CKA_NEVER_EXTRACTABLE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Heritage {
    /// The template says the first two; the last two hold where they hold of the base key and of the new one.
    Free,
    /// As [`Heritage::Free`], but what the template leaves out is as the base key has it, and one of several base
    /// keys is enough for the last two. Section 6.42.
    ByDefault,
    /// What is sensitive or not extractable stays so; the last two are those of all base keys. Section 6.43.
    Strict,
    /// As [`Heritage::Strict`], and what the template leaves out is as the base key has it. Section 6.40.
    StrictByDefault,
    /// All four are the base key's. Section 6.40.
    Whole,
}

/// The longest derived key in bytes. Data may be as long as anything that is derived.
pub(crate) const LONGEST_KEY: usize = 4096;

/// What a mechanism makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Product {
    /// A key, and further ones where the parameter asks for them.
    Keys,
    /// A data object.
    Data,
    /// A master secret of TLS: 48 bytes for some mechanisms alone.
    Master,
    /// The two MAC keys, the two keys and the two vectors of a connection of TLS.
    Connection,
}

/// What is to be made.
pub(crate) struct Order<'a> {
    pub row: &'a Row,
    pub parameter: &'a Parameter,
    pub base: &'a Key,
    /// The keys that the parameter names.
    pub others: &'a [Arc<Key>],
    /// The lengths wanted, in bytes; `None` is whatever the mechanism gives.
    pub lengths: &'a [Option<usize>],
}

impl Order<'_> {
    /// The one length of mechanisms that make one key.
    fn length(&self) -> Option<usize> {
        self.lengths.first().copied().flatten()
    }

    /// All lengths, for mechanisms that give as much as is wanted.
    fn all_lengths(&self) -> Result<Vec<usize>> {
        let all: Option<Vec<usize>> = self.lengths.iter().copied().collect();
        all.ok_or(Error::TemplateIncomplete(cryptoki_sys::CKA_VALUE_LEN))
    }

    /// The first bytes of a value that is all there is.
    fn cut(&self, value: &[u8]) -> Result<Vec<Secret>> {
        let wanted = self.length().unwrap_or(value.len());
        let kept = value.get(..wanted).filter(|kept| !kept.is_empty()).ok_or_else(too_long)?;
        Ok(vec![Secret::copy_of(kept)])
    }
}

/// A key longer than what there is to make it of.
fn too_long() -> Error {
    Error::TemplateInconsistent(cryptoki_sys::CKA_VALUE_LEN)
}

impl Recipe {
    /// The recipe under a parameter, where that says what comes of it: SSH's vectors are data.
    pub(crate) fn under(self, parameter: &Parameter) -> Result<Recipe> {
        match parameter {
            Parameter::Ssh { letter, .. } if ssh::VECTORS.contains(letter) => {
                Ok(Recipe { product: Product::Data, ..self })
            }
            Parameter::Ssh { letter, .. } if !ssh::LETTERS.contains(letter) => {
                Err(Error::MechanismParamInvalid)
            }
            _ => Ok(self),
        }
    }

    /// The secrets, each as long as was wanted.
    pub(crate) fn make(&self, order: &Order<'_>) -> Result<Vec<Secret>> {
        (self.make)(order)
    }
}

impl Parameter {
    /// The keys that it names, by handle.
    pub(crate) fn keys(&self) -> Vec<u64> {
        match self {
            Parameter::Handle(handle) => vec![*handle],
            Parameter::Hkdf { extract: true, salt: super::params::Salt::Key(handle), .. } => vec![*handle],
            Parameter::Sp800_108 { fields, .. } => fields
                .iter()
                .filter_map(|field| match field {
                    super::params::PrfField::Key(handle) => Some(*handle),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        }
    }
}
