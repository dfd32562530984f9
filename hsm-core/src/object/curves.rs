//! The curves on offer and the forms of CKA_EC_PARAMS that name them. PKCS #11 3.2, section 6.3.3.

use const_oid::ObjectIdentifier;
use const_oid::db::{rfc5912, rfc8410};
use cryptoki_sys::*;
use der::asn1::PrintableStringRef;
use der::{Decode, Encode};

use super::domain_parameters;
use crate::crypto::{Curve, Edwards, Montgomery};
use crate::error::{Error, Result};

/// A curve as a key type and CKA_EC_PARAMS name it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NamedCurve {
    /// CKK_EC.
    Weierstrass(Curve),
    /// CKK_EC_EDWARDS.
    Edwards(Edwards),
    /// CKK_EC_MONTGOMERY.
    Montgomery(Montgomery),
}

struct Row {
    curve: NamedCurve,
    oid: ObjectIdentifier,
    /// The curveName choice, a PrintableString.
    name: &'static str,
    /// An identifier of PKCS #11 3.0's time, still sent.
    older: Option<ObjectIdentifier>,
}

const TABLE: &[Row] = &[
    // RFC 5480, section 2.1.1.1.
    weierstrass(Curve::P192, ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.1"), "secp192r1"),
    weierstrass(Curve::P224, rfc5912::SECP_224_R_1, "secp224r1"),
    weierstrass(Curve::P256, rfc5912::SECP_256_R_1, "secp256r1"),
    weierstrass(Curve::P384, rfc5912::SECP_384_R_1, "secp384r1"),
    weierstrass(Curve::P521, rfc5912::SECP_521_R_1, "secp521r1"),
    // SEC 2, version 2, appendix A.2.1.
    weierstrass(Curve::Secp256k1, ObjectIdentifier::new_unwrap("1.3.132.0.10"), "secp256k1"),
    // RFC 5639, section 4.1.
    weierstrass(
        Curve::BrainpoolP256r1,
        ObjectIdentifier::new_unwrap("1.3.36.3.3.2.8.1.1.7"),
        "brainpoolP256r1",
    ),
    weierstrass(
        Curve::BrainpoolP384r1,
        ObjectIdentifier::new_unwrap("1.3.36.3.3.2.8.1.1.11"),
        "brainpoolP384r1",
    ),
    Row {
        curve: NamedCurve::Edwards(Edwards::Ed25519),
        oid: rfc8410::ID_ED_25519,
        name: "edwards25519",
        older: Some(ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11591.15.1")),
    },
    Row {
        curve: NamedCurve::Montgomery(Montgomery::X25519),
        oid: rfc8410::ID_X_25519,
        name: "curve25519",
        older: Some(ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3029.1.5.1")),
    },
    Row {
        curve: NamedCurve::Edwards(Edwards::Ed448),
        oid: rfc8410::ID_ED_448,
        name: "edwards448",
        older: None,
    },
    Row {
        curve: NamedCurve::Montgomery(Montgomery::X448),
        oid: rfc8410::ID_X_448,
        name: "curve448",
        older: None,
    },
];

const fn weierstrass(curve: Curve, oid: ObjectIdentifier, name: &'static str) -> Row {
    Row { curve: NamedCurve::Weierstrass(curve), oid, name, older: None }
}

impl NamedCurve {
    /// Reads CKA_EC_PARAMS of a key type: an object identifier, a curve name, or explicit parameters, which
    /// must be those of a curve on offer. Other curves, and those of other key types, are
    /// [`Error::CurveNotSupported`], anything else [`Error::DomainParamsInvalid`].
    pub(crate) fn read(params: &[u8], key_type: Option<u64>) -> Result<NamedCurve> {
        let curve = NamedCurve::named_by(params)?;
        if Some(curve.key_type()) == key_type { Ok(curve) } else { Err(Error::CurveNotSupported) }
    }

    /// Reads CKA_EC_PARAMS of any key type; errors as [`NamedCurve::read`].
    pub(crate) fn named_by(params: &[u8]) -> Result<NamedCurve> {
        let row = if let Ok(oid) = ObjectIdentifier::from_der(params) {
            TABLE.iter().find(|row| oid == row.oid || Some(oid) == row.older)
        } else if let Ok(name) = PrintableStringRef::from_der(params) {
            TABLE.iter().find(|row| name.as_str() == row.name)
        } else {
            return domain_parameters::read(params).map(NamedCurve::Weierstrass);
        };
        row.map(|row| row.curve).ok_or(Error::CurveNotSupported)
    }

    /// The curve of an object identifier.
    pub(crate) fn of_oid(oid: ObjectIdentifier) -> Option<NamedCurve> {
        TABLE.iter().find(|row| row.oid == oid).map(|row| row.curve)
    }

    /// The curve that an algorithm's identifier names by itself, as RFC 8410 has it: of Edwards or Montgomery form.
    pub(crate) fn of_algorithm(oid: ObjectIdentifier) -> Option<NamedCurve> {
        NamedCurve::of_oid(oid).filter(|curve| !matches!(curve, NamedCurve::Weierstrass(_)))
    }

    /// The curve's object identifier.
    pub(crate) fn oid(self) -> Result<ObjectIdentifier> {
        TABLE.iter().find(|row| row.curve == self).map(|row| row.oid).ok_or(Error::DomainParamsInvalid)
    }

    /// CKA_EC_PARAMS: DER of the object identifier.
    pub(crate) fn params(self) -> Result<Vec<u8>> {
        self.oid()?.to_der().map_err(|_| Error::DomainParamsInvalid)
    }

    /// CKA_KEY_TYPE of its keys.
    pub(crate) const fn key_type(self) -> u64 {
        match self {
            NamedCurve::Weierstrass(_) => CKK_EC,
            NamedCurve::Edwards(_) => CKK_EC_EDWARDS,
            NamedCurve::Montgomery(_) => CKK_EC_MONTGOMERY,
        }
    }

    /// Size in bits, as mechanisms count it.
    pub(crate) const fn bits(self) -> u64 {
        match self {
            NamedCurve::Weierstrass(curve) => curve.bits() as u64,
            NamedCurve::Edwards(curve) => curve.bits() as u64,
            NamedCurve::Montgomery(curve) => curve.bits() as u64,
        }
    }

    /// Length of a private value in bytes.
    pub(crate) const fn private_len(self) -> usize {
        match self {
            NamedCurve::Weierstrass(curve) => curve.len(),
            NamedCurve::Edwards(curve) => curve.len(),
            NamedCurve::Montgomery(curve) => curve.len(),
        }
    }
}
