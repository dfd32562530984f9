//! Recognises a Weierstrass curve whose domain parameters are spelled out. Its numbers are the crates': prime
//! and order as what is one more than −1, base point as they have it, and the coefficients by the equation, which
//! must hold at two points of the curve and is determined by them.

use ecdsa::EcdsaCurve;
use elliptic_curve::ff::{Field, PrimeField};
use elliptic_curve::group::Group;
use elliptic_curve::hazmat::FieldArithmetic;
use elliptic_curve::sec1::{FromSec1Point, ModulusSize, ToSec1Point};
use elliptic_curve::{AffinePoint, CurveArithmetic, FieldBytes, FieldBytesSize, ProjectivePoint, Scalar};

use super::ec::{parse_point, with_curve};
use crate::crypto::{Curve, DomainParameters};

/// The curve that the parameters spell out.
pub(in crate::crypto) fn curve_of(parameters: &DomainParameters<'_>) -> Option<Curve> {
    Curve::ALL.into_iter().find(|curve| with_curve!(*curve, C => is::<C>(parameters).unwrap_or_default()))
}

/// Whether the parameters are those of curve `C`; `None` for a number that cannot be one of its.
fn is<C>(parameters: &DomainParameters<'_>) -> Option<bool>
where
    C: EcdsaCurve + CurveArithmetic + FieldArithmetic,
    FieldBytesSize<C>: ModulusSize,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
{
    let same = |given: &[u8], own: FieldBytes<C>| field_bytes::<C>(given).is_some_and(|given| given == own);
    let prime = one_more(-<C::FieldElement as Field>::ONE);
    let order = one_more(-<Scalar<C> as Field>::ONE);
    if !same(parameters.prime, prime) || !same(parameters.order, order) {
        return Some(false);
    }
    let base = ProjectivePoint::<C>::generator();
    if parse_point::<C>(parameters.base).ok()?.to_projective() != base {
        return Some(false);
    }
    let (a, b) = (element::<C>(parameters.a)?, element::<C>(parameters.b)?);
    Some(holds_at::<C>(a, b, base)? && holds_at::<C>(a, b, base.double())?)
}

/// A number as long as the curve's, with zeros in front; `None` if it is larger.
fn field_bytes<C: CurveArithmetic>(number: &[u8]) -> Option<FieldBytes<C>> {
    let mut out = FieldBytes::<C>::default();
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let digits = number.get(zeros..)?;
    let start = out.len().checked_sub(digits.len())?;
    out.get_mut(start..)?.copy_from_slice(digits);
    Some(out)
}

fn element<C: CurveArithmetic + FieldArithmetic>(number: &[u8]) -> Option<C::FieldElement> {
    C::FieldElement::from_repr(field_bytes::<C>(number)?).into_option()
}

/// One more than −1, which is even, in a field whose size is an odd prime: that prime.
fn one_more<F: PrimeField>(minus_one: F) -> F::Repr {
    let mut number = minus_one.to_repr();
    if let Some(last) = number.as_mut().last_mut() {
        *last |= 1;
    }
    number
}

/// Whether y² = x³ + ax + b at a point. Both sides are compared as bytes, since a crate may hold the same number
/// in several forms.
fn holds_at<C>(a: C::FieldElement, b: C::FieldElement, point: ProjectivePoint<C>) -> Option<bool>
where
    C: CurveArithmetic + FieldArithmetic,
    FieldBytesSize<C>: ModulusSize,
    AffinePoint<C>: ToSec1Point<C>,
{
    let point: AffinePoint<C> = point.into();
    let point = point.to_sec1_point(false);
    let (x, y) = (element::<C>(point.x()?)?, element::<C>(point.y()?)?);
    Some((y * y).to_repr() == (x * x * x + a * x + b).to_repr())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::rust_crypto::ec;

    /// What is spelled out of a curve: prime, a, b, base point, order.
    type Numbers = [Vec<u8>; 5];

    /// P-256, FIPS 186-4, appendix D.1.2.3; secp256k1, SEC 2, section 2.4.1.
    const KNOWN: [(Curve, [&str; 5]); 2] = [
        (
            Curve::P256,
            [
                "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
                "ffffffff00000001000000000000000000000000fffffffffffffffffffffffc",
                "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
                "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
                 4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
                "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
            ],
        ),
        (
            Curve::Secp256k1,
            [
                "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f",
                "00",
                "07",
                "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
                "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
            ],
        ),
    ];

    fn of(numbers: &Numbers) -> Option<Curve> {
        let [prime, a, b, base, order] = numbers;
        curve_of(&DomainParameters { prime, a, b, base, order })
    }

    fn known() -> impl Iterator<Item = (Curve, Numbers)> {
        KNOWN.into_iter().map(|(curve, row)| (curve, row.map(|hex| hex::decode(hex).unwrap())))
    }

    #[test]
    fn a_curve_is_known_by_its_numbers() {
        for (curve, numbers) in known() {
            assert_eq!(of(&numbers), Some(curve));
            let mut padded = numbers;
            for index in [0, 1, 2, 4] {
                padded[index].insert(0, 0);
            }
            assert_eq!(of(&padded), Some(curve), "zeros in front");
        }
    }

    #[test]
    fn any_other_number_is_another_curve() {
        for (curve, numbers) in known() {
            for index in 0..5 {
                let mut other = numbers.clone();
                *other[index].last_mut().unwrap() ^= 1;
                assert_eq!(of(&other), None, "{curve:?}, number {index}");
                other[index] = vec![0xff; 80];
                assert_eq!(of(&other), None, "{curve:?}, a longer number {index}");
                other[index] = Vec::new();
                let is_zero = numbers[index] == [0];
                assert_eq!(of(&other).is_some(), is_zero, "{curve:?}, no number {index}");
            }
        }
    }

    /// A base point of the attacker's choice makes his private key fit anybody's public key (CVE-2020-0601).
    #[test]
    fn another_point_of_the_curve_is_not_its_base_point() {
        for (curve, mut numbers) in known() {
            numbers[3] = ec::private(curve, &[7]).unwrap().public_point().unwrap();
            assert_eq!(of(&numbers), None, "{curve:?}");
        }
    }
}
