//! The ASN.1 forms of keys: SubjectPublicKeyInfo (RFC 5280) for CKA_PUBLIC_KEY_INFO, and PrivateKeyInfo
//! (RFC 5208, RFC 5958) for wrapped private keys, as PKCS #11 3.2, section 6.7 has them.

use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912;
use cryptoki_sys::*;
use der::asn1::{AnyRef, BitStringRef, OctetStringRef, UintRef};
use der::{Decode, Encode};
use pkcs8::PrivateKeyInfoRef;
use rsa::pkcs1::{RsaPrivateKey, RsaPrivateKeyRef, RsaPublicKey};
use sec1::EcPrivateKey;
use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use zeroize::Zeroizing;

use super::curves::NamedCurve;
use super::finite::{self, is_finite};
use super::parameter_sets::{ParameterSet, is_post_quantum};
use super::post_quantum;
use super::values;
use super::{Object, Value};
use crate::crypto::{self, RsaCrt, RsaParts};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// The bytes inside a DER OCTET STRING that fills its input.
pub(crate) fn octet_string(der: &[u8]) -> Option<&[u8]> {
    <&OctetStringRef>::from_der(der).ok().map(OctetStringRef::as_bytes)
}

/// DER of an OCTET STRING.
pub(crate) fn to_octet_string(bytes: &[u8]) -> Result<Vec<u8>> {
    OctetStringRef::new(bytes).and_then(|string| string.to_der()).map_err(failed)
}

/// The bits of a big-endian number.
pub(crate) fn bit_len(number: &[u8]) -> u64 {
    crypto::bit_len(number) as u64
}

/// What values that were checked before never lead to.
pub(super) fn failed(_: der::Error) -> Error {
    Error::CryptoFailed("a key did not encode")
}

/// The algorithm identifier of a key: RFC 3279, PKCS #3, RFC 5480, RFC 8410; those of post-quantum keys have no
/// parameters.
fn algorithm(object: &Object) -> Result<(ObjectIdentifier, Option<Vec<u8>>)> {
    if object.key_type() == Some(CKK_RSA) {
        return Ok((rfc5912::RSA_ENCRYPTION, Some(AnyRef::NULL.to_der().map_err(failed)?)));
    }
    if object.key_type().is_some_and(is_post_quantum) {
        return Ok((ParameterSet::of(object)?.oid()?, None));
    }
    if object.key_type().is_some_and(is_finite) {
        return finite::algorithm(object);
    }
    let curve = NamedCurve::read(object.bytes(CKA_EC_PARAMS), object.key_type())?;
    match curve {
        NamedCurve::Weierstrass(_) => Ok((rfc5912::ID_EC_PUBLIC_KEY, Some(curve.params()?))),
        NamedCurve::Edwards(_) | NamedCurve::Montgomery(_) => Ok((curve.oid()?, None)),
    }
}

/// Gives `body` the algorithm identifier of a key.
fn with_algorithm<T>(
    object: &Object,
    body: impl FnOnce(AlgorithmIdentifierRef<'_>) -> der::Result<T>,
) -> Result<T> {
    let (oid, parameters) = algorithm(object)?;
    let parameters = parameters.as_deref().map(AnyRef::from_der).transpose().map_err(failed)?;
    body(AlgorithmIdentifierRef { oid, parameters }).map_err(failed)
}

/// CKA_PUBLIC_KEY_INFO of a public key object: DER of SubjectPublicKeyInfo.
pub(crate) fn public_key_info(object: &Object) -> Result<Vec<u8>> {
    let key = match object.key_type() {
        Some(CKK_RSA) => RsaPublicKey {
            modulus: uint(object.bytes(CKA_MODULUS))?,
            public_exponent: uint(object.bytes(CKA_PUBLIC_EXPONENT))?,
        }
        .to_der()
        .map_err(failed)?,
        Some(key_type) if is_post_quantum(key_type) => object.bytes(CKA_VALUE).to_vec(),
        Some(key_type) if is_finite(key_type) => finite::value(object)?.to_vec(),
        _ => octet_string(object.bytes(CKA_EC_POINT)).ok_or(Error::PublicKeyInvalid)?.to_vec(),
    };
    with_algorithm(object, |algorithm| {
        SubjectPublicKeyInfoRef { algorithm, subject_public_key: BitStringRef::from_bytes(&key)? }.to_der()
    })
}

fn uint(bytes: &[u8]) -> Result<UintRef<'_>> {
    UintRef::new(bytes).map_err(failed)
}

/// A private key object as PrivateKeyInfo.
pub(crate) fn private_key_info(object: &Object) -> Result<Zeroizing<Vec<u8>>> {
    let inner = match object.key_type() {
        Some(CKK_RSA) => rsa_private_key(object)?,
        Some(CKK_EC) => Zeroizing::new(
            EcPrivateKey { private_key: object.bytes(CKA_VALUE), parameters: None, public_key: None }
                .to_der()
                .map_err(failed)?,
        ),
        Some(CKK_EC_EDWARDS | CKK_EC_MONTGOMERY) => Zeroizing::new(to_octet_string(object.bytes(CKA_VALUE))?),
        Some(key_type) if is_post_quantum(key_type) => post_quantum::private_key(object)?,
        Some(key_type) if is_finite(key_type) => finite::value(object)?,
        _ => return Err(Error::KeyNotWrappable),
    };
    let inner = <&OctetStringRef>::try_from(inner.as_slice()).map_err(failed)?;
    with_algorithm(object, |algorithm| PrivateKeyInfoRef::new(algorithm, inner).to_der()).map(Zeroizing::new)
}

pub(super) fn rsa_private_key(object: &Object) -> Result<Zeroizing<Vec<u8>>> {
    let number = |kind| uint(object.bytes(kind));
    let key = RsaPrivateKey {
        modulus: number(CKA_MODULUS)?,
        public_exponent: number(CKA_PUBLIC_EXPONENT)?,
        private_exponent: number(CKA_PRIVATE_EXPONENT)?,
        prime1: number(CKA_PRIME_1)?,
        prime2: number(CKA_PRIME_2)?,
        exponent1: number(CKA_EXPONENT_1)?,
        exponent2: number(CKA_EXPONENT_2)?,
        coefficient: number(CKA_COEFFICIENT)?,
        other_prime_infos: None,
    };
    key.to_der().map(Zeroizing::new).map_err(failed)
}

/// The key type that a PrivateKeyInfo holds.
pub(crate) fn private_key_type(der: &[u8]) -> Result<u64> {
    let info = PrivateKeyInfoRef::from_der(der).map_err(|_| Error::WrappedKeyInvalid)?;
    match info.algorithm.oid {
        rfc5912::RSA_ENCRYPTION => Ok(CKK_RSA),
        rfc5912::ID_EC_PUBLIC_KEY => Ok(CKK_EC),
        oid => ParameterSet::named(oid)
            .map(|(key_type, _)| key_type)
            .or_else(|| NamedCurve::of_algorithm(oid).map(NamedCurve::key_type))
            .or_else(|| finite::key_type_of(oid))
            .ok_or(Error::WrappedKeyInvalid),
    }
}

/// Puts the values of a PrivateKeyInfo into a private key object of the same type. Every failure is
/// [`Error::WrappedKeyInvalid`].
pub(crate) fn read_private_key_info(object: &mut Object, der: &[u8]) -> Result<()> {
    read(object, der).map_err(|_| Error::WrappedKeyInvalid)
}

fn read(object: &mut Object, der: &[u8]) -> Result<()> {
    let bad = |_| Error::WrappedKeyInvalid;
    let info = PrivateKeyInfoRef::from_der(der).map_err(bad)?;
    let inner = info.private_key.as_bytes();
    match info.algorithm.oid {
        rfc5912::RSA_ENCRYPTION => {
            let parts = rsa_parts(&RsaPrivateKeyRef::from_der(inner).map_err(bad)?);
            values::put_rsa_private(object, &parts)
        }
        rfc5912::ID_EC_PUBLIC_KEY => {
            let key = EcPrivateKey::from_der(inner).map_err(bad)?;
            let named = key.parameters.and_then(|parameters| parameters.named_curve());
            let curve = match info.algorithm.parameters {
                Some(parameters) => NamedCurve::read(&parameters.to_der().map_err(bad)?, Some(CKK_EC))?,
                None => named.and_then(NamedCurve::of_oid).ok_or(Error::WrappedKeyInvalid)?,
            };
            put_curve_private(object, curve, key.private_key)
        }
        oid => {
            if let Some((key_type, number)) = ParameterSet::named(oid) {
                return post_quantum::read_private_key(object, key_type, number, inner);
            }
            if let Some(key_type) = finite::key_type_of(oid) {
                let parameters = info.algorithm.parameters;
                let values = finite::read(CKO_PRIVATE_KEY, key_type, parameters, inner).map_err(bad)?;
                values.into_iter().for_each(|(kind, value)| object.set(kind, value));
                return Ok(());
            }
            let curve = NamedCurve::of_algorithm(oid).ok_or(Error::WrappedKeyInvalid)?;
            put_curve_private(object, curve, octet_string(inner).ok_or(Error::WrappedKeyInvalid)?)
        }
    }
}

pub(super) fn put_curve_private(object: &mut Object, curve: NamedCurve, value: &[u8]) -> Result<()> {
    object.set(CKA_EC_PARAMS, Value::Bytes(curve.params()?));
    object.set(CKA_VALUE, Value::Secret(Secret::copy_of(value)));
    Ok(())
}

pub(super) fn rsa_parts(key: &RsaPrivateKeyRef<'_>) -> RsaParts {
    let secret = |number: &UintRef<'_>| Secret::copy_of(number.as_bytes());
    RsaParts {
        modulus: key.modulus.as_bytes().to_vec(),
        public_exponent: key.public_exponent.as_bytes().to_vec(),
        private_exponent: secret(&key.private_exponent),
        crt: Some(RsaCrt {
            prime_1: secret(&key.prime1),
            prime_2: secret(&key.prime2),
            exponent_1: secret(&key.exponent1),
            exponent_2: secret(&key.exponent2),
            coefficient: secret(&key.coefficient),
        }),
    }
}
