//! Private keys by RSA-AES key wrap, with the nonce under the temporary key.

use super::super::*;
use super::kit::*;
use crate::crypto;
use crate::error::Error;
use crate::secret::Secret;

const ALGORITHM: Algorithm = Algorithm::RsaAesSha256;

/// The P-256 key of RFC 6979, A.2.5, in PKCS #8.
const PKCS8: &str = "\
    308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420c9afa9d845ba75166b5c215767b1d693\
    4e50c3db36e89b127b8a622b120f6721a1440342000460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f2\
    9fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";

fn pkcs8() -> Vec<u8> {
    hex::decode(PKCS8).unwrap()
}

fn sent(token: &ImportToken, nonce: &[u8]) -> Sent {
    let EncryptedKey { payload, nonce } = encrypt_private_key(&public_key(token), nonce, &pkcs8()).unwrap();
    Sent { payload, encrypted_nonce: nonce.bytes, iv: nonce.iv, algorithm: ALGORITHM }
}

#[test]
fn a_private_key_is_opened_as_it_was() {
    let mut token = token(600, 1);
    let sent = sent(&token, &NONCE);
    assert_eq!((sent.payload.len(), sent.encrypted_nonce.len(), sent.iv.len()), (512 + 152, 28, 12));
    for _ in 0..2 {
        assert!(sent.redeem(&mut token).unwrap().equals(&pkcs8()));
    }
}

#[test]
fn another_nonce_is_incorrect() {
    let mut token = token(600, 1);
    for nonce in [&[7; 12][..], &NONCE[..11], &[]] {
        assert_eq!(refusal(sent(&token, nonce).redeem(&mut token)), Refusal::IncorrectNonce);
    }
    let other = sent(&other_token(), &NONCE);
    assert_eq!(refusal(other.redeem(&mut token)), Refusal::IncorrectNonceIv);
}

/// A key that is damaged is refused as a nonce that does not decrypt is, whether its temporary key is or what
/// stands behind it: with a right nonce, and with a wrong one.
#[test]
fn damage_looks_like_a_nonce_that_does_not_decrypt() {
    let mut token = token(600, 1);
    for nonce in [NONCE, [7; 12]] {
        let good = sent(&token, &nonce);
        let spoils: [fn(&mut Sent); 11] = [
            |sent| sent.payload[0] ^= 1,
            |sent| sent.payload[511] ^= 1,
            |sent| sent.payload[512] ^= 1,
            |sent| *sent.payload.last_mut().unwrap() ^= 1,
            |sent| sent.payload.truncate(512),
            |sent| sent.payload.truncate(511),
            |sent| sent.payload.clear(),
            |sent| sent.payload.extend([0; 8]),
            |sent| sent.encrypted_nonce[0] ^= 1,
            |sent| sent.iv[0] ^= 1,
            |sent| sent.iv.clear(),
        ];
        for (number, spoil) in spoils.iter().enumerate() {
            let mut bad = good.clone();
            spoil(&mut bad);
            assert_eq!(refusal(bad.redeem(&mut token)), Refusal::IncorrectNonceIv, "{number}");
        }
    }
}

#[test]
fn variants_do_not_open_one_another() {
    let mut token = token(600, 1);
    for other in Algorithm::OF_SECRETS {
        let as_other = Sent { algorithm: other, ..sent(&token, &NONCE) };
        assert_eq!(refusal(as_other.redeem(&mut token)), Refusal::IncorrectNonceIv);
        let theirs = Sent { algorithm: ALGORITHM, ..Sent::of(&token, &KEY, &NONCE, other) };
        assert_eq!(refusal(theirs.redeem(&mut token)), Refusal::IncorrectNonceIv);
    }
}

/// Any length that AES has serves for the temporary key.
#[test]
fn a_customer_may_draw_a_shorter_temporary_key() {
    let mut token = token(600, 1);
    let key = token.key.as_ref().unwrap();
    let public = crypto::rsa_public(&key.modulus, &key.public_exponent).unwrap();
    for length in [16, 24, 32] {
        let temporary = Secret::copy_of(&KEY[..length]);
        let payload = crypto::wrap_rsa_aes(public.as_ref(), &ALGORITHM.oaep(), &temporary, &pkcs8()).unwrap();
        let iv = vec![5; 12];
        let encrypted_nonce = ALGORITHM.encrypt_nonce(temporary.expose(), &iv, &NONCE).unwrap();
        let sent = Sent { payload, encrypted_nonce, iv, algorithm: ALGORITHM };
        assert!(sent.redeem(&mut token).unwrap().equals(&pkcs8()), "{length}");
    }
}

#[test]
fn a_customer_encrypts_private_keys_alone() {
    let public_key = public_key(&token(600, 1));
    let mut cut = pkcs8();
    cut.pop();
    for bad in [&[][..], &KEY, &cut] {
        let encrypted = encrypt_private_key(&public_key, &NONCE, bad);
        assert!(matches!(encrypted, Err(Error::WrappedKeyInvalid)));
    }
    assert!(matches!(encrypt_private_key("x", &NONCE, &pkcs8()), Err(Error::PublicKeyInvalid)));
    // Key and nonce go together, under a key that nobody keeps.
    assert!(matches!(encrypt_key(&public_key, &KEY, ALGORITHM), Err(Error::ArgumentsBad(_))));
    assert!(matches!(encrypt_nonce(&NONCE, &KEY, ALGORITHM), Err(Error::ArgumentsBad(_))));
}
