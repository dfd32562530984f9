//! Key generation: from a mechanism and what the template asks to fresh key values.

use cryptoki_sys::*;

use super::params::{Mechanism, Parameter};
use super::table::{Function, Row, row_for};
use crate::crypto::{self, Curve, Hash, RsaParts};
use crate::error::{Error, Result};
use crate::rng;
use crate::secret::Secret;

/// What a generation mechanism makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Generator {
    /// A secret key of this type.
    Secret(u64),
    /// A secret key of a password, of the type that the template says.
    Password,
    /// An RSA key pair.
    Rsa,
    /// A key pair on a Weierstrass curve.
    Ec,
    /// A key pair on an Edwards curve.
    Edwards,
    /// A key pair on a Montgomery curve.
    Montgomery,
    /// A key pair of this type with a post-quantum parameter set.
    PostQuantum(u64),
    /// A DSA key pair.
    Dsa,
    /// A Diffie-Hellman key pair.
    Dh,
    /// Domain parameters for keys of this type.
    Domain(u64),
}

impl Generator {
    /// Whether it makes a key pair.
    pub const fn makes_pairs(self) -> bool {
        match self {
            Generator::Secret(_) | Generator::Password | Generator::Domain(_) => false,
            Generator::Rsa
            | Generator::Ec
            | Generator::Edwards
            | Generator::Montgomery
            | Generator::PostQuantum(_)
            | Generator::Dsa
            | Generator::Dh => true,
        }
    }

    /// The type of the keys it makes; none that there is where the template says it.
    pub const fn key_type(self) -> u64 {
        match self {
            Generator::Secret(key_type) | Generator::PostQuantum(key_type) | Generator::Domain(key_type) => {
                key_type
            }
            Generator::Dsa => CKK_DSA,
            Generator::Dh => CKK_DH,
            Generator::Password => CK_UNAVAILABLE_INFORMATION,
            Generator::Rsa => CKK_RSA,
            Generator::Ec => CKK_EC,
            Generator::Edwards => CKK_EC_EDWARDS,
            Generator::Montgomery => CKK_EC_MONTGOMERY,
        }
    }
}

/// Fresh private values; the public ones follow from them.
#[derive(Debug)]
pub enum Generated {
    /// An RSA key.
    Rsa(RsaParts),
    /// A scalar on a curve.
    Ec(Curve, Secret),
    /// Bytes, which are a private key on an Edwards or Montgomery curve.
    Octets(Secret),
    /// The seed of a post-quantum key.
    Seed(Secret),
    /// The private value of a DSA or Diffie-Hellman key, whose group is the public key's.
    Exponent(Secret),
}

impl Generated {
    /// A fresh RSA key.
    pub fn rsa(bits: usize, public_exponent: &[u8]) -> Result<Generated> {
        Ok(Generated::Rsa(crypto::generate_rsa(bits, public_exponent)?))
    }

    /// A fresh scalar.
    pub fn ec(curve: Curve) -> Result<Generated> {
        Ok(Generated::Ec(curve, crypto::generate_ec(curve)?))
    }

    /// So many fresh bytes, which are a private key by RFC 8032, sections 5.1.5 and 5.2.5, and by RFC 7748,
    /// section 5.
    pub fn octets(length: usize) -> Result<Generated> {
        Ok(Generated::Octets(rng::secret(length)?))
    }
}

/// The pseudorandom functions of PBKDF2. Section 6.37.3.
const FUNCTIONS: [(u64, Hash); 8] = [
    (CKP_PKCS5_PBKD2_HMAC_SHA1, Hash::Sha1),
    (CKP_PKCS5_PBKD2_HMAC_GOSTR3411, Hash::Gostr3411),
    (CKP_PKCS5_PBKD2_HMAC_SHA224, Hash::Sha224),
    (CKP_PKCS5_PBKD2_HMAC_SHA256, Hash::Sha256),
    (CKP_PKCS5_PBKD2_HMAC_SHA384, Hash::Sha384),
    (CKP_PKCS5_PBKD2_HMAC_SHA512, Hash::Sha512),
    (CKP_PKCS5_PBKD2_HMAC_SHA512_224, Hash::Sha512_224),
    (CKP_PKCS5_PBKD2_HMAC_SHA512_256, Hash::Sha512_256),
];

impl Mechanism {
    /// A value of so many bytes from the password in the parameter. RFC 8018, section 5.2.
    pub(crate) fn by_password(&self, length: usize) -> Result<Secret> {
        let Parameter::Pbkdf2 { prf, salt, iterations, password } = &self.parameter else {
            return Err(Error::MechanismParamInvalid);
        };
        let hash = FUNCTIONS.iter().find(|(number, _)| number == prf).map(|(_, hash)| *hash);
        let iterations = u32::try_from(*iterations).ok();
        let (hash, iterations) = hash.zip(iterations).ok_or(Error::MechanismParamInvalid)?;
        crypto::derive_by_pbkdf2(hash, password.expose(), salt, iterations, length).map_err(|error| {
            match error {
                // No iteration, or more work than is done for anybody.
                Error::ArgumentsBad(_) => Error::MechanismParamInvalid,
                other => other,
            }
        })
    }

    /// What this mechanism makes, with its row.
    pub(crate) fn generator(&self, function: Function) -> Result<(&'static Row, Generator)> {
        let row = row_for(self, function)?;
        Ok((row, row.generator.ok_or(crate::Error::MechanismInvalid)?))
    }
}
