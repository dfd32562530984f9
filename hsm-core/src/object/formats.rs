//! Keys as other standards write them, for doors that take and give more than attributes: PKCS #1
//! (RFC 8017), PKCS #8 (RFC 5958), SubjectPublicKeyInfo (RFC 5280) and SEC 1's ECPrivateKey (RFC 5915).
//! What an object's rules are for reading a value is the caller's to ask first.

use const_oid::ObjectIdentifier;
use cryptoki_sys::*;
use der::asn1::UintRef;
use der::{Decode, Encode};
use rsa::pkcs1::{RsaPrivateKeyRef, RsaPublicKey, RsaPublicKeyRef};
use sec1::{EcParameters, EcPrivateKey};
use spki::SubjectPublicKeyInfoRef;
use zeroize::Zeroizing;

use super::curves::NamedCurve;
use super::finite;
use super::material::Key;
use super::parameter_sets::ParameterSet;
use super::{Object, Template, Value, encoding, values};
use crate::error::{Error, Result};

/// A form in which a key is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// RSAPrivateKey or RSAPublicKey.
    Pkcs1,
    /// PrivateKeyInfo.
    Pkcs8,
    /// SubjectPublicKeyInfo.
    X509,
    /// ECPrivateKey, with the curve and the public key in it.
    EcPrivateKey,
}

/// Writes a key.
///
/// # Errors
/// [`Error::KeyTypeInconsistent`] where the key has no such form.
pub fn encode(object: &Object, format: Format) -> Result<Zeroizing<Vec<u8>>> {
    let is_rsa = object.key_type() == Some(CKK_RSA);
    match (object.class(), format) {
        (CKO_PRIVATE_KEY, Format::Pkcs1) if is_rsa => encoding::rsa_private_key(object),
        (CKO_PUBLIC_KEY, Format::Pkcs1) if is_rsa => rsa_public_key(object),
        (CKO_PRIVATE_KEY, Format::Pkcs8) => encoding::private_key_info(object),
        (CKO_PUBLIC_KEY, Format::X509) => encoding::public_key_info(object).map(Zeroizing::new),
        (CKO_PRIVATE_KEY, Format::EcPrivateKey) if object.key_type() == Some(CKK_EC) => {
            ec_private_key(object)
        }
        _ => Err(Error::KeyTypeInconsistent),
    }
}

fn failed(_: der::Error) -> Error {
    Error::CryptoFailed("a key did not encode")
}

fn rsa_public_key(object: &Object) -> Result<Zeroizing<Vec<u8>>> {
    let uint = |kind| UintRef::new(object.bytes(kind)).map_err(failed);
    let key = RsaPublicKey { modulus: uint(CKA_MODULUS)?, public_exponent: uint(CKA_PUBLIC_EXPONENT)? };
    key.to_der().map(Zeroizing::new).map_err(failed)
}

fn ec_private_key(object: &Object) -> Result<Zeroizing<Vec<u8>>> {
    let curve = NamedCurve::read(object.bytes(CKA_EC_PARAMS), object.key_type())?;
    let point = values::public_point(&Key::new(object.duplicate()), curve)?;
    let key = EcPrivateKey {
        private_key: object.bytes(CKA_VALUE),
        parameters: Some(EcParameters::NamedCurve(curve.oid()?)),
        public_key: Some(&point),
    };
    key.to_der().map(Zeroizing::new).map_err(failed)
}

/// Reads a private key: its key type and the attributes of its value.
///
/// # Errors
/// [`Error::WrappedKeyInvalid`] where the bytes are no such key.
pub fn private_key(format: Format, der: &[u8]) -> Result<Template> {
    let bad = |_| Error::WrappedKeyInvalid;
    let mut object = Object::default();
    let key_type = match format {
        Format::Pkcs8 => {
            let key_type = encoding::private_key_type(der)?;
            encoding::read_private_key_info(&mut object, der)?;
            key_type
        }
        Format::Pkcs1 => {
            let parts = encoding::rsa_parts(&RsaPrivateKeyRef::from_der(der).map_err(bad)?);
            values::put_rsa_private(&mut object, &parts)?;
            CKK_RSA
        }
        Format::EcPrivateKey => {
            let key = EcPrivateKey::from_der(der).map_err(bad)?;
            let oid = key.parameters.and_then(|parameters| parameters.named_curve());
            let curve = oid.and_then(NamedCurve::of_oid).ok_or(Error::WrappedKeyInvalid)?;
            encoding::put_curve_private(&mut object, curve, key.private_key)?;
            curve.key_type()
        }
        Format::X509 => return Err(Error::KeyTypeInconsistent),
    };
    object.set(CKA_KEY_TYPE, Value::Number(key_type));
    Ok(object.into_template())
}

/// Reads a public key: its key type and the attributes of its value.
///
/// # Errors
/// [`Error::PublicKeyInvalid`] where the bytes are no such key.
pub fn public_key(format: Format, der: &[u8]) -> Result<Template> {
    let bad = |_| Error::PublicKeyInvalid;
    match format {
        Format::Pkcs1 => rsa_public(der),
        Format::X509 => {
            let info = SubjectPublicKeyInfoRef::from_der(der).map_err(bad)?;
            let key = info.subject_public_key.as_bytes().ok_or(Error::PublicKeyInvalid)?;
            let oid = info.algorithm.oid;
            if oid == const_oid::db::rfc5912::RSA_ENCRYPTION {
                return rsa_public(key);
            }
            if let Some((key_type, number)) = ParameterSet::named(oid) {
                return Ok(vec![
                    (CKA_KEY_TYPE, Value::Number(key_type)),
                    (CKA_PARAMETER_SET, Value::Number(number)),
                    (CKA_VALUE, Value::Bytes(key.to_vec())),
                ]);
            }
            if let Some(key_type) = finite::key_type_of(oid) {
                let mut template =
                    finite::read(CKO_PUBLIC_KEY, key_type, info.algorithm.parameters, key).map_err(bad)?;
                template.push((CKA_KEY_TYPE, Value::Number(key_type)));
                return Ok(template);
            }
            let parameters =
                info.algorithm.parameters.map(|parameters| parameters.decode_as::<ObjectIdentifier>());
            let named = match parameters {
                Some(named) => named.map_err(bad)?,
                None => oid,
            };
            point_on(NamedCurve::of_oid(named).ok_or(Error::PublicKeyInvalid)?, key)
        }
        Format::Pkcs8 | Format::EcPrivateKey => Err(Error::KeyTypeInconsistent),
    }
}

fn rsa_public(der: &[u8]) -> Result<Template> {
    let key = RsaPublicKeyRef::from_der(der).map_err(|_| Error::PublicKeyInvalid)?;
    Ok(vec![
        (CKA_KEY_TYPE, Value::Number(CKK_RSA)),
        (CKA_MODULUS, Value::Bytes(key.modulus.as_bytes().to_vec())),
        (CKA_PUBLIC_EXPONENT, Value::Bytes(key.public_exponent.as_bytes().to_vec())),
    ])
}

fn point_on(curve: NamedCurve, point: &[u8]) -> Result<Template> {
    Ok(vec![
        (CKA_KEY_TYPE, Value::Number(curve.key_type())),
        (CKA_EC_PARAMS, Value::Bytes(curve.params()?)),
        (CKA_EC_POINT, Value::Bytes(encoding::to_octet_string(point)?)),
    ])
}

/// CKA_EC_PARAMS of a curve's object identifier, if the curve is offered.
///
/// # Errors
/// [`Error::CurveNotSupported`].
pub fn curve_params(oid: ObjectIdentifier) -> Result<Vec<u8>> {
    NamedCurve::of_oid(oid).ok_or(Error::CurveNotSupported)?.params()
}

/// The object identifier of the curve that a CKA_EC_PARAMS names or spells out, if the curve is offered.
pub fn curve_named_by(params: &[u8]) -> Option<ObjectIdentifier> {
    NamedCurve::named_by(params).ok()?.oid().ok()
}

/// The object identifier of a key's curve, if it is on one.
pub fn curve_of(object: &Object) -> Option<ObjectIdentifier> {
    NamedCurve::read(object.bytes(CKA_EC_PARAMS), object.key_type()).ok()?.oid().ok()
}

/// The point of a public key on a curve, as CKA_EC_POINT holds it in DER.
pub fn curve_point(object: &Object) -> Option<&[u8]> {
    encoding::octet_string(object.bytes(CKA_EC_POINT))
}

/// The point in a CKA_EC_POINT.
pub fn point_in(attribute: &[u8]) -> Option<&[u8]> {
    encoding::octet_string(attribute)
}

/// CKA_EC_POINT of a point.
///
/// # Errors
/// [`Error::CryptoFailed`], which does not happen.
pub fn point_attribute(point: &[u8]) -> Result<Vec<u8>> {
    encoding::to_octet_string(point)
}
