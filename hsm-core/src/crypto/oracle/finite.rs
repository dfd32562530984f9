//! DSA and Diffie-Hellman.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::crypto::known_answers::dsa::KEYS;

/// A number below 2¹⁵⁹, which is below every q; not 0.
fn private_value() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 20).prop_map(|mut value| {
        value[0] &= 0x7f;
        value[19] |= 1;
        value
    })
}

/// Bytes that are mostly a number below p, and sometimes one at a limit or far beyond.
fn public_value(prime: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let mut last = prime.clone();
    *last.last_mut().unwrap() -= 1;
    prop_oneof![
        8 => vec(any::<u8>(), 1..=prime.len()),
        1 => select(vec![vec![0], vec![1], vec![2], last, prime]),
        1 => vec(any::<u8>(), 120..300),
    ]
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn dsa_verifies_across(
        number in 0..KEYS.len(),
        value in private_value(),
        digest in vec(any::<u8>(), 0..70),
        bit in any::<proptest::sample::Index>(),
    ) {
        let group = KEYS[number].group();
        let signers = both(|provider| provider.dsa_private(&group, &value)).map(|key| key.unwrap());
        let public = signers[0].public_value();
        prop_assert_eq!(&public, &signers[1].public_value());
        let verifiers = both(|provider| provider.dsa_public(&group, &public)).map(|key| key.unwrap());
        for signer in &signers {
            let signature = signer.sign(&digest).unwrap();
            prop_assert_eq!(signature.len(), 2 * group.scalar_len());
            let mut changed = signature.clone();
            let bit = bit.index(changed.len() * 8);
            changed[bit / 8] ^= 1 << (bit % 8);
            for verifier in &verifiers {
                prop_assert_eq!(outcome(verifier.verify(&digest, &signature)), Ok(()));
                prop_assert_eq!(outcome(verifier.verify(&digest, &changed)), Err("SignatureInvalid".to_owned()));
            }
        }
    }

    #[test]
    fn random_dsa_numbers_are_judged_alike(
        value in public_value(KEYS[0].group().prime().to_vec()),
        signature in vec(any::<u8>(), 38..42),
    ) {
        let group = KEYS[0].group();
        let [a, b] = both(|provider| provider.dsa_private(&group, &value)).map(|key| outcome(key.map(drop)));
        prop_assert_eq!(a, b);
        let verdicts = both(|provider| provider.dsa_public(&group, &value))
            .map(|key| outcome(key.and_then(|key| key.verify(&[1; 20], &signature))));
        prop_assert_eq!(&verdicts[0], &verdicts[1]);
        let own = both(|provider| provider.dsa_public(&group, &KEYS[0].public()))
            .map(|key| outcome(key.unwrap().verify(&[1; 20], &signature)));
        prop_assert_eq!(&own[0], &own[1]);
        prop_assert!(own[0].is_err());
    }

    #[test]
    fn shared_secrets_agree(
        value in private_value(),
        public in public_value(KEYS[0].group().prime().to_vec()),
    ) {
        let group = DhGroup::new(KEYS[0].group().prime(), &[2]).unwrap();
        let keys = both(|provider| provider.dh_private(&group, &value)).map(|key| key.unwrap());
        prop_assert_eq!(keys[0].public_value().unwrap(), keys[1].public_value().unwrap());
        let [a, b] = [&keys[0], &keys[1]].map(|key| exposed(key.agree(&public)));
        prop_assert_eq!(a, b);
    }

    /// No caller has to give a prime.
    #[test]
    fn powers_agree_modulo_any_odd_number(
        modulus in vec(any::<u8>(), 64..90),
        value in private_value(),
        public in vec(any::<u8>(), 1..64),
    ) {
        let mut modulus = modulus;
        modulus[0] |= 0x80;
        *modulus.last_mut().unwrap() |= 1;
        let group = DhGroup::new(&modulus, &[3]).unwrap();
        let [a, b] = both(|provider| provider.dh_private(&group, &value))
            .map(|key| exposed(key.unwrap().agree(&public)));
        prop_assert_eq!(a, b);
    }
}
