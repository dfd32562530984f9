//! How long and how often a token serves.

use super::super::*;
use super::kit::*;

#[test]
fn limits_are_those_of_key_protect() {
    for (expiration, retrievals) in [(300, 1), (86_400, 500), (600, 1)] {
        assert!(Limits::new(expiration, retrievals).is_ok());
    }
    assert_eq!(Limits::default(), Limits::new(600, 1).unwrap());
    for expiration in [0, 299, 86_401, u32::MAX] {
        assert_eq!(Limits::new(expiration, 1), Err(Refusal::Expiration));
    }
    for retrievals in [0, 501, u32::MAX] {
        assert_eq!(Limits::new(600, retrievals), Err(Refusal::Retrievals));
    }
}

#[test]
fn a_token_tells_when_it_was_made_and_how_long_it_serves() {
    let expected =
        Metadata { creation: NOW, expiration: NOW + 300, max_allowed_retrievals: 7, remaining_retrievals: 7 };
    assert_eq!(token(300, 7).metadata(), expected);
}

#[test]
fn each_retrieval_counts_until_none_remains() {
    let mut token = token(600, 3);
    let first = token.retrieve(NOW).unwrap();
    assert_eq!((first.metadata.remaining_retrievals, first.nonce), (2, NONCE));
    let second = token.retrieve(NOW + 1).unwrap();
    assert_eq!(second.metadata.remaining_retrievals, 1);
    assert_eq!((second.public_key, second.nonce), (first.public_key, first.nonce));
    assert_eq!(token.retrieve(NOW + 2).unwrap().metadata.remaining_retrievals, 0);
    for _ in 0..2 {
        assert_eq!(refusal(token.retrieve(NOW + 3)), Refusal::Expired);
    }
    assert_eq!(token.metadata().remaining_retrievals, 0);
}

#[test]
fn a_token_expires_at_its_date() {
    let sent = Sent::of(&token(300, 1), &KEY, &NONCE, Algorithm::OaepSha256);
    let mut last = token(300, 1);
    assert!(last.redeem(&sent.wrapped(), NOW + 299).unwrap().equals(&KEY));
    last.retrieve(NOW + 299).unwrap();
    let mut late = token(300, 1);
    assert_eq!(refusal(late.retrieve(NOW + 300)), Refusal::Expired);
    assert_eq!(late.metadata().remaining_retrievals, 1);
    assert_eq!(refusal(token(300, 1).redeem(&sent.wrapped(), NOW + 300)), Refusal::Expired);
}

#[test]
fn a_token_is_redeemed_until_it_expires_whatever_retrievals_remain() {
    let mut token = token(300, 1);
    let sent = Sent::of(&token, &KEY, &NONCE, Algorithm::OaepSha256);
    token.retrieve(NOW).unwrap();
    assert_eq!(refusal(token.retrieve(NOW)), Refusal::Expired);
    for later in [0, 1, 299] {
        assert!(token.redeem(&sent.wrapped(), NOW + later).unwrap().equals(&KEY));
    }
}

#[test]
fn a_clock_that_is_set_back_revives_nothing() {
    let mut token = token(300, 5);
    let sent = Sent::of(&token, &KEY, &NONCE, Algorithm::OaepSha256);
    assert_eq!(refusal(token.redeem(&sent.wrapped(), NOW + 300)), Refusal::Expired);
    assert!(!token.is_open());
    for earlier in [NOW + 299, NOW, NOW - 1_000_000, i64::MIN] {
        assert_eq!(refusal(token.redeem(&sent.wrapped(), earlier)), Refusal::Expired);
        assert_eq!(refusal(token.retrieve(earlier)), Refusal::Expired);
    }
}

#[test]
fn the_latest_time_seen_counts() {
    let mut token = token(300, 5);
    token.retrieve(NOW + 200).unwrap();
    assert!(token.retrieve(NOW - 50).is_ok());
    assert_eq!(token.seen, NOW + 200);
    token.see(i64::MAX);
    assert_eq!(refusal(token.retrieve(NOW)), Refusal::Expired);
}
