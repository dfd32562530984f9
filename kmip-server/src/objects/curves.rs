//! The curves that Recommended Curve names and the core has. KMIP 1.4, section 9.1.3.2.5.

use const_oid::ObjectIdentifier;
use const_oid::db::{rfc5912, rfc8410};

use crate::ttlv::enums::RecommendedCurve as Curve;

/// Curve, object identifier, size in bits.
const TABLE: &[(Curve, ObjectIdentifier, i32)] = &[
    // RFC 5480, section 2.1.1.1.
    (Curve::P_192, ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.1"), 192),
    (Curve::P_224, rfc5912::SECP_224_R_1, 224),
    (Curve::P_256, rfc5912::SECP_256_R_1, 256),
    (Curve::P_384, rfc5912::SECP_384_R_1, 384),
    (Curve::P_521, rfc5912::SECP_521_R_1, 521),
    // SEC 2, version 2, appendix A.2.1.
    (Curve::SECP256K1, ObjectIdentifier::new_unwrap("1.3.132.0.10"), 256),
    (Curve::CURVE25519, rfc8410::ID_X_25519, 256),
    (Curve::CURVE448, rfc8410::ID_X_448, 448),
];

/// The object identifier of a curve, if the core has it.
pub fn oid(curve: Curve) -> Option<ObjectIdentifier> {
    TABLE.iter().find(|(own, ..)| *own == curve).map(|(_, oid, _)| *oid)
}

/// The curve of an object identifier.
pub fn of_oid(oid: ObjectIdentifier) -> Option<Curve> {
    TABLE.iter().find(|(_, own, _)| *own == oid).map(|(curve, ..)| *curve)
}

/// A curve's size in bits.
pub fn bits(curve: Curve) -> usize {
    let row = TABLE.iter().find(|(own, ..)| *own == curve);
    row.and_then(|(.., bits)| usize::try_from(*bits).ok()).unwrap_or_default()
}

/// The curve that is meant by a length in bits alone: the NIST curve of that size.
pub fn of_bits(bits: i32) -> Option<Curve> {
    TABLE.iter().find(|(.., own)| *own == bits).map(|(curve, ..)| *curve)
}
