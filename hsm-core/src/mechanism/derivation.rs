//! Key derivation: what a mechanism makes of a base key. The new key's length and attributes are
//! the service's matter.

use cryptoki_sys::*;

use super::params::{Mechanism, Parameter, hash_of_kdf};
use super::table::Row;
use crate::crypto;
use crate::error::{Error, Result};
use crate::object::material::{self, Key};
use crate::secret::Secret;

/// Derived bytes, and which of them a shorter key takes.
pub(crate) enum Derived {
    /// The shared secret itself (CKD_NULL): a shorter key loses leading bytes, as
    /// section 6.3.17 says ("truncated … by removing bytes from the leading end").
    SharedSecret(Secret),
    /// A key derivation function, which gives as many bytes as wanted.
    Expanded(Secret),
}

/// CKM_ECDH1_DERIVE and, since every curve here has cofactor 1 (and X25519 clears its own),
/// CKM_ECDH1_COFACTOR_DERIVE.
pub(super) fn ecdh(parameter: &Parameter, key: &Key) -> Result<Secret> {
    let Parameter::Ecdh { public, .. } = parameter else { return Err(Error::MechanismParamInvalid) };
    // The point comes raw, or as DER OCTET STRING: "backwards compatible" callers send either.
    let shared = match material::octet_string(public) {
        Some(inner) => agree(key, inner).or_else(|_| agree(key, public)),
        None => agree(key, public),
    };
    shared.map_err(|error| match error {
        Error::PublicKeyInvalid => Error::MechanismParamInvalid,
        other => other,
    })
}

/// The secret that a private key shares with a public point.
pub(super) fn agree(key: &Key, point: &[u8]) -> Result<Secret> {
    match key.object().key_type() {
        Some(CKK_EC_MONTGOMERY) => key.x_private()?.agree(point),
        _ => key.ec_private()?.agree(point),
    }
}

impl Mechanism {
    /// Derives from `base`, which has been found fit. `length` is that of the new key in bytes, where
    /// it is known.
    pub(crate) fn derive(&self, row: &Row, base: &Key, length: Option<usize>) -> Result<Secret> {
        let shared = row.derive.ok_or(Error::MechanismInvalid)?(&self.parameter, base)?;
        let Parameter::Ecdh { kdf, shared: info, .. } = &self.parameter else {
            return Err(Error::MechanismParamInvalid);
        };
        let derived = match hash_of_kdf(*kdf)? {
            None if !info.is_empty() => return Err(Error::MechanismParamInvalid),
            None => Derived::SharedSecret(shared),
            Some(hash) => {
                let length = length.unwrap_or(hash.len());
                Derived::Expanded(x963(hash, shared.expose(), info, length)?)
            }
        };
        derived.cut(length)
    }
}

impl Derived {
    fn cut(self, length: Option<usize>) -> Result<Secret> {
        match self {
            Derived::Expanded(secret) => Ok(secret),
            Derived::SharedSecret(secret) => {
                let Some(length) = length else { return Ok(secret) };
                let from =
                    secret.len().checked_sub(length).ok_or(Error::TemplateInconsistent(CKA_VALUE_LEN))?;
                Ok(Secret::copy_of(secret.expose().get(from..).unwrap_or_default()))
            }
        }
    }
}

/// The key derivation function of ANSI X9.63, section 5.6.3: Hash(Z ‖ counter ‖ info), counter from 1.
fn x963(hash: crypto::Hash, shared: &[u8], info: &[u8], length: usize) -> Result<Secret> {
    let mut out = Secret::zeroed(length);
    for (counter, chunk) in (1_u32..).zip(out.expose_mut().chunks_mut(hash.len())) {
        let block = zeroize::Zeroizing::new(crypto::hash_of(hash, &[shared, &counter.to_be_bytes(), info])?);
        chunk.copy_from_slice(block.get(..chunk.len()).unwrap_or_default());
    }
    Ok(out)
}
