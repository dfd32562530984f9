//! Key generation: from a mechanism and what the template asks to fresh key values.

use cryptoki_sys::*;

use super::params::Mechanism;
use super::table::{Function, Row, row_for};
use crate::crypto::{self, Curve, RsaParts};
use crate::error::Result;
use crate::rng;
use crate::secret::Secret;

/// What a generation mechanism makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Generator {
    /// A secret key of this type.
    Secret(u64),
    /// An RSA key pair.
    Rsa,
    /// A key pair on a Weierstrass curve.
    Ec,
    /// An Ed25519 key pair.
    Edwards,
    /// An X25519 key pair.
    Montgomery,
    /// A key pair of this type with a post-quantum parameter set.
    PostQuantum(u64),
}

impl Generator {
    /// Whether it makes a key pair.
    pub const fn makes_pairs(self) -> bool {
        match self {
            Generator::Secret(_) => false,
            Generator::Rsa
            | Generator::Ec
            | Generator::Edwards
            | Generator::Montgomery
            | Generator::PostQuantum(_) => true,
        }
    }

    /// The type of the keys it makes.
    pub const fn key_type(self) -> u64 {
        match self {
            Generator::Secret(key_type) | Generator::PostQuantum(key_type) => key_type,
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
    /// 32 bytes, of Ed25519 or X25519.
    Octets(Secret),
    /// The seed of a post-quantum key.
    Seed(Secret),
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

    /// 32 fresh bytes, which are a private key of Ed25519 (RFC 8032, 5.1.5) and of X25519 (RFC 7748, 5).
    pub fn octets() -> Result<Generated> {
        Ok(Generated::Octets(rng::secret(32)?))
    }
}

impl Mechanism {
    /// What this mechanism makes, with its row.
    pub(crate) fn generator(&self, function: Function) -> Result<(&'static Row, Generator)> {
        let row = row_for(self, function)?;
        Ok((row, row.generator.ok_or(crate::Error::MechanismInvalid)?))
    }
}
