//! The encodings in which asymmetric keys travel, to and from attributes: PKCS #1, SEC 1, PKCS #8 and
//! SubjectPublicKeyInfo. A key that is read comes as the attributes of a template; numbers as CKA_MODULUS
//! and CKA_EC_PARAMS hold them are the transparent forms of other protocols.

use cryptoki_sys::*;
use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode, Encode};
use rsa::pkcs1::{RsaPrivateKeyRef, RsaPublicKeyRef};
use sec1::{EcParameters, EcPrivateKey};
use spki::SubjectPublicKeyInfoRef;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::object::curves::NamedCurve;
use crate::object::encoding::{
    octet_string, private_key_info, private_key_type, public_key_info, read_private_key_info,
    rsa_private_key, to_octet_string,
};
use crate::object::{Object, Template, Value};
use crate::secret::Secret;

/// The form of a private key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PrivateForm {
    /// RSAPrivateKey of PKCS #1. RFC 8017, appendix A.1.2.
    Pkcs1,
    /// ECPrivateKey of SEC 1, with its curve. RFC 5915.
    Sec1,
    /// PrivateKeyInfo of PKCS #8. RFC 5958.
    Pkcs8,
}

/// The form of a public key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PublicForm {
    /// RSAPublicKey of PKCS #1. RFC 8017, appendix A.1.1.
    Pkcs1,
    /// SubjectPublicKeyInfo. RFC 5280, section 4.1.2.7.
    SubjectPublicKeyInfo,
}

/// A private key in a form.
///
/// # Errors
/// [`Error::KeyTypeInconsistent`] where keys of its type have no such form.
pub fn write_private(form: PrivateForm, key: &Object) -> Result<Secret> {
    let inconsistent = |error| match error {
        Error::KeyNotWrappable => Error::KeyTypeInconsistent,
        other => other,
    };
    match (form, key.key_type()) {
        (PrivateForm::Pkcs8, _) => private_key_info(key).map(Secret::from).map_err(inconsistent),
        (PrivateForm::Pkcs1, Some(CKK_RSA)) => rsa_private_key(key).map(Secret::from),
        (PrivateForm::Sec1, Some(CKK_EC)) => write_sec1(key),
        _ => Err(Error::KeyTypeInconsistent),
    }
}

/// A public key in a form.
///
/// # Errors
/// As [`write_private`].
pub fn write_public(form: PublicForm, key: &Object) -> Result<Vec<u8>> {
    match (form, key.key_type()) {
        (PublicForm::SubjectPublicKeyInfo, Some(CKK_RSA | CKK_EC | CKK_EC_EDWARDS | CKK_EC_MONTGOMERY)) => {
            public_key_info(key)
        }
        (PublicForm::Pkcs1, Some(CKK_RSA)) => {
            let info = public_key_info(key)?;
            let info = SubjectPublicKeyInfoRef::from_der(&info).map_err(|_| Error::PublicKeyInvalid)?;
            Ok(info.subject_public_key.raw_bytes().to_vec())
        }
        _ => Err(Error::KeyTypeInconsistent),
    }
}

/// The attributes of a private key: CKA_KEY_TYPE and the values. Whether they belong together is seen
/// when an object is made of them.
///
/// # Errors
/// [`Error::WrappedKeyInvalid`] for anything but the form, and for curves that are not offered.
pub fn read_private(form: PrivateForm, der: &[u8]) -> Result<Template> {
    match form {
        PrivateForm::Pkcs8 => {
            let mut key = Object::default();
            key.set(CKA_KEY_TYPE, Value::Number(private_key_type(der)?));
            read_private_key_info(&mut key, der)?;
            Ok(template(&key))
        }
        PrivateForm::Pkcs1 => read_pkcs1(der),
        PrivateForm::Sec1 => read_sec1(der).ok_or(Error::WrappedKeyInvalid),
    }
}

/// The attributes of a public key: CKA_KEY_TYPE and the values.
///
/// # Errors
/// [`Error::PublicKeyInvalid`] for anything but the form, and for curves that are not offered.
pub fn read_public(form: PublicForm, der: &[u8]) -> Result<Template> {
    let read = match form {
        PublicForm::Pkcs1 => read_rsa_public(der),
        PublicForm::SubjectPublicKeyInfo => read_public_key_info(der),
    };
    read.ok_or(Error::PublicKeyInvalid)
}

/// CKA_EC_PARAMS and CKA_KEY_TYPE of a curve by its name in SEC 2 or RFC 8410: `secp256r1`, `Ed25519`.
///
/// # Errors
/// [`Error::DomainParamsInvalid`] for others than those offered.
pub fn curve_by_name(name: &str) -> Result<(Vec<u8>, u64)> {
    let curve = NamedCurve::of_name(name).ok_or(Error::DomainParamsInvalid)?;
    Ok((curve.params()?, curve.key_type()))
}

/// The name of a key's curve, as [`curve_by_name`] takes it.
///
/// # Errors
/// [`Error::DomainParamsInvalid`] for keys without a curve.
pub fn curve_of(key: &Object) -> Result<&'static str> {
    NamedCurve::read(key.bytes(CKA_EC_PARAMS), key.key_type())?.name()
}

/// CKA_EC_POINT's inside: the point of X9.62, or 32 bytes.
///
/// # Errors
/// [`Error::PublicKeyInvalid`] for a key without a point.
pub fn point_of(key: &Object) -> Result<&[u8]> {
    octet_string(key.bytes(CKA_EC_POINT)).ok_or(Error::PublicKeyInvalid)
}

fn template(key: &Object) -> Template {
    key.attributes().map(|(kind, value)| (kind, value.duplicate())).collect()
}

/// By way of PKCS #8, which has PKCS #1 inside.
fn read_pkcs1(der: &[u8]) -> Result<Template> {
    let bad = |_| Error::WrappedKeyInvalid;
    RsaPrivateKeyRef::from_der(der).map_err(bad)?;
    let algorithm = spki::AlgorithmIdentifierRef {
        oid: const_oid::db::rfc5912::RSA_ENCRYPTION,
        parameters: Some(AnyRef::NULL),
    };
    let inner = der::asn1::OctetStringRef::new(der).map_err(bad)?;
    let info = pkcs8::PrivateKeyInfoRef::new(algorithm, inner).to_der().map(Zeroizing::new).map_err(bad)?;
    read_private(PrivateForm::Pkcs8, &info)
}

fn read_sec1(der: &[u8]) -> Option<Template> {
    let key = EcPrivateKey::from_der(der).ok()?;
    let curve = NamedCurve::of_oid(key.parameters?.named_curve()?)?;
    Some(vec![
        (CKA_KEY_TYPE, Value::Number(CKK_EC)),
        (CKA_EC_PARAMS, Value::Bytes(curve.params().ok()?)),
        (CKA_VALUE, Value::Secret(Secret::copy_of(key.private_key))),
    ])
}

/// With the public point where the object knows it, which others want to find there.
fn write_sec1(key: &Object) -> Result<Secret> {
    let curve = NamedCurve::read(key.bytes(CKA_EC_PARAMS), key.key_type())?;
    let info = SubjectPublicKeyInfoRef::from_der(key.bytes(CKA_PUBLIC_KEY_INFO)).ok();
    let encoded = EcPrivateKey {
        private_key: key.bytes(CKA_VALUE),
        parameters: Some(EcParameters::NamedCurve(curve.oid()?)),
        public_key: info.as_ref().map(|info| info.subject_public_key.raw_bytes()),
    };
    encoded.to_der().map(Secret::new).map_err(|_| Error::CryptoFailed("a key did not encode"))
}

fn read_rsa_public(der: &[u8]) -> Option<Template> {
    let key = RsaPublicKeyRef::from_der(der).ok()?;
    Some(vec![
        (CKA_KEY_TYPE, Value::Number(CKK_RSA)),
        (CKA_MODULUS, Value::Bytes(key.modulus.as_bytes().to_vec())),
        (CKA_PUBLIC_EXPONENT, Value::Bytes(key.public_exponent.as_bytes().to_vec())),
    ])
}

fn read_public_key_info(der: &[u8]) -> Option<Template> {
    let info = SubjectPublicKeyInfoRef::from_der(der).ok()?;
    let key = info.subject_public_key.as_bytes()?;
    let curve = match info.algorithm.oid {
        const_oid::db::rfc5912::RSA_ENCRYPTION => return read_rsa_public(key),
        const_oid::db::rfc5912::ID_EC_PUBLIC_KEY => {
            info.algorithm.parameters?.decode_as::<ObjectIdentifier>().ok()?
        }
        oid => oid,
    };
    let curve = NamedCurve::of_oid(curve)?;
    Some(vec![
        (CKA_KEY_TYPE, Value::Number(curve.key_type())),
        (CKA_EC_PARAMS, Value::Bytes(curve.params().ok()?)),
        (CKA_EC_POINT, Value::Bytes(to_octet_string(key).ok()?)),
    ])
}

#[cfg(test)]
mod tests;
