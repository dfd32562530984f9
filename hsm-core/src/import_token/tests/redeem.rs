//! Redeeming: what is opened, and the refusal of everything else.

use super::super::*;
use super::kit::*;
use crate::crypto;

#[test]
fn material_of_every_length_is_opened_in_both_variants() {
    let mut token = token(600, 1);
    for algorithm in Algorithm::OF_SECRETS {
        for length in [16, 24, 32] {
            let sent = Sent::of(&token, &KEY[..length], &NONCE, algorithm);
            assert_eq!((sent.payload.len(), sent.iv.len()), (512, algorithm.iv_len()));
            assert!(sent.redeem(&mut token).unwrap().equals(&KEY[..length]), "{algorithm:?} {length}");
        }
    }
}

#[test]
fn encrypted_nonces_have_the_length_of_their_variant() {
    for (algorithm, length) in [(Algorithm::OaepSha256, 28), (Algorithm::OaepSha1, 16)] {
        assert_eq!(Sent::of(&token(600, 1), &KEY, &NONCE, algorithm).encrypted_nonce.len(), length);
    }
}

#[test]
fn another_nonce_is_incorrect() {
    let mut token = token(600, 1);
    let mut off_by_one = NONCE;
    off_by_one[11] ^= 1;
    let longer = [NONCE.as_slice(), &[0]].concat();
    for algorithm in Algorithm::OF_SECRETS {
        for nonce in [off_by_one.as_slice(), &NONCE[..11], &longer, &[7; 12], &[]] {
            let sent = Sent::of(&token, &KEY, nonce, algorithm);
            assert_eq!(refusal(sent.redeem(&mut token)), Refusal::IncorrectNonce, "{algorithm:?} {nonce:?}");
        }
    }
}

#[test]
fn a_nonce_that_does_not_decrypt_is_told_apart_from_another_one() {
    let mut token = token(600, 1);
    for algorithm in Algorithm::OF_SECRETS {
        let good = Sent::of(&token, &KEY, &NONCE, algorithm);
        let spoils: [fn(&mut Sent); 6] = [
            |sent| sent.encrypted_nonce.clear(),
            |sent| sent.encrypted_nonce.truncate(15),
            |sent| sent.encrypted_nonce.push(0),
            |sent| sent.iv.clear(),
            |sent| sent.iv.truncate(11),
            |sent| sent.iv.push(0),
        ];
        for (number, spoil) in spoils.iter().enumerate() {
            let mut bad = good.clone();
            spoil(&mut bad);
            assert_eq!(refusal(bad.redeem(&mut token)), Refusal::IncorrectNonceIv, "{algorithm:?} {number}");
        }
    }
    let mut bad = Sent::of(&token, &KEY, &NONCE, Algorithm::OaepSha256);
    bad.iv[0] ^= 1;
    assert_eq!(refusal(bad.redeem(&mut token)), Refusal::IncorrectNonceIv);
}

/// Without a tag, a changed initialisation vector changes the nonce, or its padding.
#[test]
fn in_the_variant_without_a_tag_a_changed_vector_changes_the_nonce() {
    let mut token = token(600, 1);
    let good = Sent::of(&token, &KEY, &NONCE, Algorithm::OaepSha1);
    for (at, expected) in [(0, Refusal::IncorrectNonce), (15, Refusal::IncorrectNonceIv)] {
        let mut bad = good.clone();
        bad.iv[at] ^= 0x40;
        assert_eq!(refusal(bad.redeem(&mut token)), expected, "{at}");
    }
}

#[test]
fn material_that_does_not_decrypt_looks_like_a_nonce_that_does_not() {
    let mut token = token(600, 1);
    for algorithm in Algorithm::OF_SECRETS {
        let good = Sent::of(&token, &KEY, &NONCE, algorithm);
        let spoils: [fn(&mut Sent); 6] = [
            |sent| sent.payload[511] ^= 1,
            |sent| sent.payload[0] ^= 1,
            |sent| sent.payload.clear(),
            |sent| sent.payload.truncate(511),
            |sent| sent.payload.push(0),
            |sent| sent.payload.fill(0xff),
        ];
        for (number, spoil) in spoils.iter().enumerate() {
            let mut bad = good.clone();
            spoil(&mut bad);
            assert_eq!(refusal(bad.redeem(&mut token)), Refusal::IncorrectNonceIv, "{algorithm:?} {number}");
        }
    }
}

/// The stand-in is random: under it a nonce of AES-CBC has a right padding once in 256 times, which must not
/// show.
#[test]
fn chance_does_not_tell_that_material_did_not_decrypt() {
    let mut token = token(600, 1);
    let mut bad = Sent::of(&token, &KEY, &NONCE, Algorithm::OaepSha1);
    bad.payload[100] ^= 1;
    for _ in 0..300 {
        assert_eq!(refusal(bad.redeem(&mut token)), Refusal::IncorrectNonceIv);
    }
}

#[test]
fn material_of_another_length_looks_like_a_nonce_that_does_not_decrypt() {
    let mut token = token(600, 1);
    let key = token.key.as_ref().unwrap();
    let public = crypto::rsa_public(&key.modulus, &key.public_exponent).unwrap();
    for algorithm in Algorithm::OF_SECRETS {
        for length in [0, 1, 15, 17, 31, 33, 64] {
            let mut sent = Sent::of(&token, &KEY, &NONCE, algorithm);
            sent.payload = public.encrypt_oaep(&algorithm.oaep(), &vec![7; length]).unwrap();
            assert_eq!(refusal(sent.redeem(&mut token)), Refusal::IncorrectNonceIv, "{algorithm:?} {length}");
        }
    }
}

#[test]
fn the_algorithm_alone_selects_the_variant() {
    let mut token = token(600, 1);
    for (made, named) in
        [(Algorithm::OaepSha256, Algorithm::OaepSha1), (Algorithm::OaepSha1, Algorithm::OaepSha256)]
    {
        let mut sent = Sent::of(&token, &KEY, &NONCE, made);
        sent.algorithm = named;
        assert_eq!(refusal(sent.redeem(&mut token)), Refusal::IncorrectNonceIv);
        // Nor do parts of both go together.
        let half = Sent { payload: sent.payload, ..Sent::of(&token, &KEY, &NONCE, named) };
        assert_eq!(refusal(half.redeem(&mut token)), Refusal::IncorrectNonceIv);
    }
}

#[test]
fn what_was_encrypted_for_the_token_before_opens_no_more() {
    let (old, mut new) = (token(600, 1), other_token());
    for algorithm in Algorithm::OF_SECRETS {
        let sent = Sent::of(&old, &KEY, &NONCE, algorithm);
        assert_eq!(refusal(sent.redeem(&mut new)), Refusal::IncorrectNonceIv);
        let old_nonce = Sent::of(&new, &KEY, &NONCE, algorithm);
        assert_eq!(refusal(old_nonce.redeem(&mut new)), Refusal::IncorrectNonce);
    }
}

#[test]
fn a_nonce_under_another_key_does_not_decrypt() {
    let mut token = token(600, 1);
    let mut other = KEY;
    other[0] ^= 1;
    for length in [16, 24, 32] {
        let sent = Sent::of(&token, &KEY, &NONCE, Algorithm::OaepSha256);
        let theirs = Sent::of(&token, &other[..length], &NONCE, Algorithm::OaepSha256);
        let mixed = Sent { payload: theirs.payload, ..sent };
        assert_eq!(refusal(mixed.redeem(&mut token)), Refusal::IncorrectNonceIv);
    }
}
