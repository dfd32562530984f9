//! Key encapsulation: a ciphertext and the secret in it from a public key, and the secret back from a
//! private key. The new key's attributes are the service's matter. PKCS #11 3.2, section 5.18.

use super::params::Mechanism;
use crate::crypto::KemSet;
use crate::error::{Error, Result};
use crate::object::material::Key;
use crate::object::parameter_sets::ParameterSet;
use crate::rng;
use crate::secret::Secret;

impl Mechanism {
    /// Length in bytes of a ciphertext for this public key.
    pub(crate) fn ciphertext_len(&self, key: &Key) -> Result<usize> {
        set(key).map(KemSet::ciphertext_len)
    }

    /// A ciphertext for a public key that has been found fit, and the secret in it.
    pub(crate) fn encapsulate(&self, key: &Key) -> Result<(Vec<u8>, Secret)> {
        let random = zeroize::Zeroizing::new(rng::array()?);
        key.kem_public()?.encapsulate(&random)
    }

    /// The secret in a ciphertext, by a private key that has been found fit.
    pub(crate) fn decapsulate(&self, key: &Key, ciphertext: &[u8]) -> Result<Secret> {
        key.kem_private()?.decapsulate(ciphertext)
    }
}

fn set(key: &Key) -> Result<KemSet> {
    match ParameterSet::of(key.object())? {
        ParameterSet::Kem(set) => Ok(set),
        ParameterSet::Signature(_) => Err(Error::KeyTypeInconsistent),
    }
}
