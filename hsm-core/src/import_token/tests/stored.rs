//! A token as its record has it.

use super::super::*;
use super::kit::*;

#[test]
fn a_token_comes_back_as_it_was() {
    let mut token = token(300, 4);
    let sent = Sent::of(&token, &KEY, &NONCE, Algorithm::OaepSha256);
    token.retrieve(NOW + 100).unwrap();
    let mut read = decode(&encode(&token).unwrap()).unwrap();
    assert_eq!((read.metadata(), read.seen, read.nonce), (token.metadata(), NOW + 100, NONCE));
    assert!(sent.redeem(&mut read).unwrap().equals(&KEY));
}

#[test]
fn a_token_that_has_expired_is_kept_without_its_key() {
    let mut token = token(300, 4);
    let open = encode(&token).unwrap().len();
    token.see(NOW + 300);
    let bytes = encode(&token).unwrap();
    // The eight numbers of the key are gone, and the byte that said they are there says that they are not.
    assert!(bytes.len() < 100 && open > 2000, "{} {open}", bytes.len());
    let read = decode(&bytes).unwrap();
    assert!(!read.is_open());
    assert_eq!(read.metadata(), token.metadata());
}

#[test]
fn a_part_of_a_token_is_none() {
    let bytes = encode(&token(300, 4)).unwrap();
    for length in 0..bytes.len() {
        assert!(decode(&bytes[..length]).is_none(), "{length}");
    }
}
