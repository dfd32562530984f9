//! Whatever is sent, nothing panics, and nothing but what was encrypted for the token is opened.

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::*;
use super::kit::*;

/// What replaces a field.
fn field(length: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![2 => vec(any::<u8>(), length), 1 => vec(any::<u8>(), 0..600)]
}

fn algorithm() -> impl Strategy<Value = Algorithm> {
    proptest::sample::select(Algorithm::ALL.to_vec())
}

fn algorithm_of_secrets() -> impl Strategy<Value = Algorithm> {
    proptest::sample::select(Algorithm::OF_SECRETS.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_bytes_redeem_nothing(
        payload in field(512),
        encrypted_nonce in prop_oneof![field(28), field(16)],
        iv in prop_oneof![field(12), field(16)],
        algorithm in algorithm(),
    ) {
        let sent = Sent { payload, encrypted_nonce, iv, algorithm };
        prop_assert_eq!(refusal(sent.redeem(&mut token(600, 1))), Refusal::IncorrectNonceIv);
    }

    #[test]
    fn what_was_sent_with_anything_exchanged_redeems_nothing(
        payload in proptest::option::of(field(512)),
        nonce in proptest::option::of((field(28), field(16))),
        iv in proptest::option::of((field(12), field(16))),
        algorithm in algorithm_of_secrets(),
    ) {
        let mut token = token(600, 1);
        let good = Sent::of(&token, &KEY, &NONCE, algorithm);
        let of_variant = |(gcm, cbc): (Vec<u8>, Vec<u8>)| match algorithm {
            Algorithm::OaepSha256 | Algorithm::RsaAesSha256 => gcm,
            Algorithm::OaepSha1 => cbc,
        };
        let untouched = payload.is_none() && nonce.is_none() && iv.is_none();
        let sent = Sent {
            payload: payload.unwrap_or_else(|| good.payload.clone()),
            encrypted_nonce: nonce.map_or_else(|| good.encrypted_nonce.clone(), of_variant),
            iv: iv.map_or_else(|| good.iv.clone(), of_variant),
            algorithm,
        };
        prop_assert_eq!(sent.redeem(&mut token).is_ok(), untouched);
    }

    #[test]
    fn arbitrary_bytes_are_no_token_that_opens_anything(bytes in vec(any::<u8>(), 0..200)) {
        let sent = Sent { payload: vec![1; 512], encrypted_nonce: vec![2; 28], iv: vec![3; 12], algorithm: Algorithm::OaepSha256 };
        prop_assert!(decode(&bytes).is_none_or(|mut token| sent.redeem(&mut token).is_err()));
    }
}
