//! CKA_EC_PARAMS that spell a curve out: ECParameters of X9.62, as PKCS #11 3.2, section 6.3.3 has them. They
//! are taken where they are those of a curve on offer, so that a key never works with somebody's own numbers.

use const_oid::ObjectIdentifier;
use der::asn1::{BitStringRef, OctetStringRef, UintRef};
use der::{AnyRef, Decode, Sequence};

use crate::crypto::{self, Curve, DomainParameters};
use crate::error::{Error, Result};

#[derive(Sequence)]
struct EcParameters<'a> {
    version: u8,
    field: FieldId<'a>,
    curve: Coefficients<'a>,
    base: &'a OctetStringRef,
    order: UintRef<'a>,
    cofactor: Option<UintRef<'a>>,
}

#[derive(Sequence)]
struct FieldId<'a> {
    kind: ObjectIdentifier,
    parameters: AnyRef<'a>,
}

#[derive(Sequence)]
struct Coefficients<'a> {
    a: &'a OctetStringRef,
    b: &'a OctetStringRef,
    /// What the coefficients were made of, which says nothing of what they are.
    seed: Option<BitStringRef<'a>>,
}

/// id-fieldType of prime fields. X9.62, section 6.1.
const PRIME_FIELD: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.1.1");

/// The curve that is spelled out. All that are on offer have cofactor 1.
///
/// # Errors
/// [`Error::DomainParamsInvalid`] for what is malformed, [`Error::CurveNotSupported`] for other curves.
pub(super) fn read(params: &[u8]) -> Result<Curve> {
    let malformed = |_| Error::DomainParamsInvalid;
    let given = EcParameters::from_der(params).map_err(malformed)?;
    if !(1..=3).contains(&given.version) {
        return Err(Error::DomainParamsInvalid);
    }
    if given.field.kind != PRIME_FIELD {
        return Err(Error::CurveNotSupported);
    }
    if given.cofactor.is_some_and(|cofactor| cofactor.as_bytes() != [1]) {
        return Err(Error::CurveNotSupported);
    }
    let prime: UintRef<'_> = given.field.parameters.decode_as().map_err(malformed)?;
    crypto::curve_of(&DomainParameters {
        prime: prime.as_bytes(),
        a: given.curve.a.as_bytes(),
        b: given.curve.b.as_bytes(),
        base: given.base.as_bytes(),
        order: given.order.as_bytes(),
    })
    .ok_or(Error::CurveNotSupported)
}
