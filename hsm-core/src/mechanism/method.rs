//! Derivations: KMIP's derivation methods (KMIP 2.1, section 11.14) on keys, for doors that name no mechanism.

use cryptoki_sys::*;

use super::derivation::agree;
use super::transform::Transform;
use crate::crypto::{self, Hash, Iteration, Prf};
use crate::error::{Error, Result};
use crate::object::material::Key;
use crate::secret::Secret;

/// How a secret follows from a key.
#[derive(Debug)]
pub enum Derivation<'a> {
    /// The leading bytes of a digest: of the data, if there are any, and otherwise of the key.
    Hash {
        /// The hash function.
        hash: Hash,
        /// What is hashed in place of the key.
        data: Option<&'a [u8]>,
    },
    /// The leading bytes of the HMAC of data under the key.
    Hmac {
        /// The hash function.
        hash: Hash,
        /// The message.
        data: &'a [u8],
    },
    /// PBKDF2 with HMAC; the key is the password. RFC 8018, section 5.2.
    Pbkdf2 {
        /// The hash function.
        hash: Hash,
        /// The salt.
        salt: &'a [u8],
        /// The iteration count.
        iterations: u32,
    },
    /// NIST SP 800-108.
    Sp800_108 {
        /// The pseudorandom function.
        prf: Prf,
        /// The mode.
        mode: Iteration<'a>,
        /// The fixed input data.
        fixed: &'a [u8],
    },
    /// HKDF: extract and expand. RFC 5869.
    Hkdf {
        /// The hash function.
        hash: Hash,
        /// The salt; it may be empty.
        salt: &'a [u8],
        /// Context; it may be empty.
        info: &'a [u8],
    },
    /// The signing key of AWS Signature Version 4; the key is the secret access key.
    AwsSignatureV4 {
        /// The day, as YYYYMMDD.
        date: &'a [u8],
        /// The region.
        region: &'a [u8],
        /// The service.
        service: &'a [u8],
    },
    /// The leading bytes of data, encrypted under the key.
    Encrypt {
        /// The cipher.
        transform: &'a Transform,
        /// What is encrypted.
        data: &'a [u8],
    },
    /// The leading bytes of the secret that a private key shares with a public point, as X9.62 has it, or
    /// with the bytes of an X25519 or X448 public key.
    Agree {
        /// The point.
        point: &'a [u8],
    },
}

impl Derivation<'_> {
    /// The key types that it takes; `None` for any.
    pub(crate) fn key_types(&self) -> Option<&'static [u64]> {
        match self {
            Derivation::Encrypt { transform, .. } => Some(transform.key_types()),
            Derivation::Agree { .. } => Some(&[CKK_EC, CKK_EC_MONTGOMERY]),
            Derivation::Sp800_108 { prf: Prf::Cmac, .. } => Some(&[CKK_AES]),
            Derivation::Sp800_108 { prf: Prf::Des3Cmac, .. } => Some(&[CKK_DES2, CKK_DES3]),
            Derivation::Hash { .. }
            | Derivation::Hmac { .. }
            | Derivation::Pbkdf2 { .. }
            | Derivation::Sp800_108 { prf: Prf::Hmac(_), .. }
            | Derivation::Hkdf { .. }
            | Derivation::AwsSignatureV4 { .. } => None,
        }
    }

    /// The class of key that it takes.
    fn class(&self) -> u64 {
        if matches!(self, Derivation::Agree { .. }) { CKO_PRIVATE_KEY } else { CKO_SECRET_KEY }
    }

    /// `length` bytes from a key that has been found fit.
    ///
    /// # Errors
    /// [`Error::DataLength`] where the method gives fewer bytes, [`Error::ArgumentsBad`] for work beyond
    /// [`crypto::MOST_ITERATIONS`], and those of the key and the transform.
    pub(crate) fn derive(&self, key: &Key, length: usize) -> Result<Secret> {
        if key.object().class() != self.class() {
            return Err(Error::KeyTypeInconsistent);
        }
        let value = key.secret_value();
        match *self {
            Derivation::Hash { hash, data } => crypto::derive_by_hash(hash, data.unwrap_or(value), length),
            Derivation::Hmac { hash, data } => crypto::derive_by_hmac(hash, value, data, length),
            Derivation::Pbkdf2 { hash, salt, iterations } => {
                crypto::derive_by_pbkdf2(hash, value, salt, iterations, length)
            }
            Derivation::Sp800_108 { prf, mode, fixed } => {
                crypto::derive_by_sp800_108(prf, mode, value, fixed, length)
            }
            Derivation::Hkdf { hash, salt, info } => crypto::derive_by_hkdf(hash, value, salt, info, length),
            Derivation::AwsSignatureV4 { date, region, service } => crypto::leading(
                crypto::derive_by_aws_signature_v4(value, date, region, service)?.expose(),
                length,
            ),
            Derivation::Encrypt { transform, data } => {
                crypto::leading(&transform.encrypt(key, data)?, length)
            }
            Derivation::Agree { point } => crypto::leading(agree(key, point)?.expose(), length),
        }
    }
}
