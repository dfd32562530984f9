//! Keys as operations use them: an object together with what the crypto provider prepared from its
//! values, once, whatever the number of operations.

use std::sync::OnceLock;

use cryptoki_sys::*;

use super::curves::NamedCurve;
use super::encoding;
use super::finite::{self, is_finite};
use super::parameter_sets::{ParameterSet, is_post_quantum};
use super::post_quantum::{self, Private, Public};
use super::values;
use super::{Object, Value};
use crate::crypto::{
    self, DhPrivateKey, DsaPrivateKey, DsaPublicKey, EcPrivateKey, EcPublicKey, EdPrivateKey, EdPublicKey,
    Edwards, KemPrivateKey, KemPublicKey, PqPrivateKey, PqPublicKey, RsaPrivateKey, RsaPublicKey,
    XPrivateKey,
};
use crate::error::{Error, Result};

pub(crate) use super::encoding::octet_string;

/// An object that may serve as a key.
pub struct Key {
    object: Object,
    prepared: OnceLock<Prepared>,
}

/// A key of a type, ready to use.
enum Prepared {
    RsaPrivate(Box<dyn RsaPrivateKey>),
    RsaPublic(Box<dyn RsaPublicKey>),
    EcPrivate(Box<dyn EcPrivateKey>),
    EcPublic(Box<dyn EcPublicKey>),
    EdPrivate(Box<dyn EdPrivateKey>),
    EdPublic(Box<dyn EdPublicKey>),
    XPrivate(Box<dyn XPrivateKey>),
    KemPrivate(Box<dyn KemPrivateKey>),
    KemPublic(Box<dyn KemPublicKey>),
    PqPrivate(Box<dyn PqPrivateKey>),
    PqPublic(Box<dyn PqPublicKey>),
    DsaPrivate(Box<dyn DsaPrivateKey>),
    DsaPublic(Box<dyn DsaPublicKey>),
    DhPrivate(Box<dyn DhPrivateKey>),
}

/// A prepared key of the wanted kind, or [`Error::KeyTypeInconsistent`].
macro_rules! prepared {
    ($($(#[$doc:meta])* $name:ident: $variant:ident($target:ident);)*) => {
        $($(#[$doc])*
        pub(crate) fn $name(&self) -> Result<&dyn $target> {
            match self.prepared()? {
                Prepared::$variant(key) => Ok(key.as_ref()),
                _ => Err(Error::KeyTypeInconsistent),
            }
        })*
    };
}

impl Key {
    /// An object; nothing is prepared before it is needed.
    pub fn new(object: Object) -> Key {
        Key { object, prepared: OnceLock::new() }
    }

    /// The same key with one attribute set; what was prepared stays.
    pub(crate) fn with(mut self, kind: u64, value: Value) -> Key {
        self.object.set(kind, value);
        self
    }

    /// The same key with managed attributes put into its object; what was prepared stays. (Values are
    /// out of reach: [`Object`] has no public way to set them.)
    pub fn amended(mut self, amend: impl FnOnce(&mut Object)) -> Key {
        amend(&mut self.object);
        self
    }

    /// The object.
    pub fn object(&self) -> &Object {
        &self.object
    }

    /// The value of a secret key.
    pub(crate) fn secret_value(&self) -> &[u8] {
        self.object.bytes(CKA_VALUE)
    }

    /// The key's size in bits: of its modulus, prime, curve or value, or of the public key of its parameter set; 0
    /// where there is none.
    pub fn size_bits(&self) -> u64 {
        size_bits(&self.object)
    }

    /// The Edwards curve that the key is on, or [`Error::KeyTypeInconsistent`].
    pub(crate) fn edwards(&self) -> Result<Edwards> {
        match NamedCurve::read(self.object.bytes(CKA_EC_PARAMS), self.object.key_type()) {
            Ok(NamedCurve::Edwards(curve)) => Ok(curve),
            _ => Err(Error::KeyTypeInconsistent),
        }
    }

    prepared! {
        /// RSA private key.
        rsa_private: RsaPrivate(RsaPrivateKey);
        /// RSA public key.
        rsa_public: RsaPublic(RsaPublicKey);
        /// Private key on a Weierstrass curve.
        ec_private: EcPrivate(EcPrivateKey);
        /// Public key on a Weierstrass curve.
        ec_public: EcPublic(EcPublicKey);
        /// Private key on an Edwards curve.
        ed_private: EdPrivate(EdPrivateKey);
        /// Public key on an Edwards curve.
        ed_public: EdPublic(EdPublicKey);
        /// Private key on a Montgomery curve.
        x_private: XPrivate(XPrivateKey);
        /// ML-KEM private key.
        kem_private: KemPrivate(KemPrivateKey);
        /// ML-KEM public key.
        kem_public: KemPublic(KemPublicKey);
        /// Private key of ML-DSA or SLH-DSA.
        pq_private: PqPrivate(PqPrivateKey);
        /// Public key of ML-DSA or SLH-DSA.
        pq_public: PqPublic(PqPublicKey);
        /// DSA private key.
        dsa_private: DsaPrivate(DsaPrivateKey);
        /// DSA public key.
        dsa_public: DsaPublic(DsaPublicKey);
        /// Diffie-Hellman private key.
        dh_private: DhPrivate(DhPrivateKey);
    }

    /// Prepares the key at its first use. Two threads may both do so; one result stays.
    fn prepared(&self) -> Result<&Prepared> {
        if let Some(prepared) = self.prepared.get() {
            return Ok(prepared);
        }
        let made = prepare(&self.object)?;
        Ok(self.prepared.get_or_init(|| made))
    }
}

fn prepare(object: &Object) -> Result<Prepared> {
    let value = object.bytes(CKA_VALUE);
    let curve = || NamedCurve::read(object.bytes(CKA_EC_PARAMS), object.key_type());
    match (object.class(), object.key_type()) {
        (CKO_PRIVATE_KEY, Some(CKK_RSA)) => {
            Ok(Prepared::RsaPrivate(crypto::rsa_private(&values::rsa_parts(object))?))
        }
        (CKO_PUBLIC_KEY, Some(CKK_RSA)) => Ok(Prepared::RsaPublic(crypto::rsa_public(
            object.bytes(CKA_MODULUS),
            object.bytes(CKA_PUBLIC_EXPONENT),
        )?)),
        (CKO_PRIVATE_KEY, Some(CKK_EC | CKK_EC_EDWARDS | CKK_EC_MONTGOMERY)) => match curve()? {
            NamedCurve::Weierstrass(curve) => Ok(Prepared::EcPrivate(crypto::ec_private(curve, value)?)),
            NamedCurve::Edwards(curve) => Ok(Prepared::EdPrivate(crypto::ed_private(curve, value)?)),
            NamedCurve::Montgomery(curve) => Ok(Prepared::XPrivate(crypto::x_private(curve, value)?)),
        },
        (CKO_PUBLIC_KEY, Some(CKK_EC | CKK_EC_EDWARDS)) => {
            let point = encoding::octet_string(object.bytes(CKA_EC_POINT)).ok_or(Error::PublicKeyInvalid)?;
            match curve()? {
                NamedCurve::Weierstrass(curve) => Ok(Prepared::EcPublic(crypto::ec_public(curve, point)?)),
                NamedCurve::Edwards(curve) => Ok(Prepared::EdPublic(crypto::ed_public(curve, point)?)),
                NamedCurve::Montgomery(_) => Err(Error::KeyTypeInconsistent),
            }
        }
        (CKO_PRIVATE_KEY, Some(key_type)) if is_post_quantum(key_type) => {
            Ok(match post_quantum::private(object)? {
                Private::Kem(key) => Prepared::KemPrivate(key),
                Private::Signature(key) => Prepared::PqPrivate(key),
            })
        }
        (CKO_PUBLIC_KEY, Some(key_type)) if is_post_quantum(key_type) => {
            Ok(match post_quantum::public(object)? {
                Public::Kem(key) => Prepared::KemPublic(key),
                Public::Signature(key) => Prepared::PqPublic(key),
            })
        }
        (CKO_PRIVATE_KEY, Some(key_type)) if is_finite(key_type) => Ok(match finite::private(object)? {
            finite::Private::Dsa(key) => Prepared::DsaPrivate(key),
            finite::Private::Dh(key) => Prepared::DhPrivate(key),
        }),
        (CKO_PUBLIC_KEY, Some(CKK_DSA)) => Ok(Prepared::DsaPublic(finite::dsa_public(object)?)),
        _ => Err(Error::KeyTypeInconsistent),
    }
}

/// The size of a key object in bits: of its modulus, prime, curve or value; 0 of what is no key.
pub fn bits(object: &Object) -> u64 {
    size_bits(object)
}

/// The size of a key in bits.
pub(crate) fn size_bits(object: &Object) -> u64 {
    match object.key_type() {
        Some(CKK_RSA) => encoding::bit_len(object.bytes(CKA_MODULUS)),
        Some(CKK_EC | CKK_EC_EDWARDS | CKK_EC_MONTGOMERY) => {
            NamedCurve::read(object.bytes(CKA_EC_PARAMS), object.key_type()).map_or(0, NamedCurve::bits)
        }
        Some(key_type) if is_post_quantum(key_type) => {
            ParameterSet::of(object).map_or(0, |set| set.public_len() as u64 * 8)
        }
        Some(key_type) if is_finite(key_type) => encoding::bit_len(object.bytes(CKA_PRIME)),
        Some(_) => object.bytes(CKA_VALUE).len() as u64 * 8,
        None => 0,
    }
}
