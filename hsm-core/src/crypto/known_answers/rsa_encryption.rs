//! RSA decryption: OAEP, and PKCS #1 v1.5 with the answers of OpenSSL to bad padding.

use super::rsa::{private_keys, public_keys};
use super::{bytes, rsa_key};
use crate::crypto::{Hash, Oaep};
use crate::error::Error;

const OAEP: Oaep<'static> = Oaep { hash: Hash::Sha256, mgf: Hash::Sha1, label: b"label" };

/// The public operation on an encoded message, whatever it says.
fn encrypt(encoded: &[u8]) -> Vec<u8> {
    let (_, key) = public_keys().remove(0);
    key.raw(encoded).unwrap()
}

#[test]
fn oaep_decrypts_what_openssl_encrypted() {
    for (name, key) in private_keys() {
        let plaintext = key.decrypt_oaep(&OAEP, &bytes(rsa_key::OAEP_CIPHERTEXT)).unwrap();
        assert_eq!(plaintext.expose(), b"a message", "{name}");
    }
}

#[test]
fn oaep_goes_around_with_every_hash_and_label() {
    for (sender, public) in public_keys() {
        for hash in Hash::COMMON.iter().copied() {
            for label in [&b""[..], b"another label"] {
                let oaep = Oaep { hash, mgf: Hash::Sha512, label };
                for message in [vec![], vec![9; 256 - 2 - 2 * hash.len()]] {
                    let ciphertext = public.encrypt_oaep(&oaep, &message).unwrap();
                    let (_, private) = private_keys().remove(0);
                    let plaintext = private.decrypt_oaep(&oaep, &ciphertext).unwrap();
                    assert_eq!(plaintext.expose(), message, "{sender} {hash:?}");
                }
                let long = vec![9; 256 - 1 - 2 * hash.len()];
                assert!(matches!(public.encrypt_oaep(&oaep, &long), Err(Error::DataLength)), "{sender}");
            }
        }
    }
}

#[test]
fn oaep_refuses_in_one_way() {
    let ciphertext = bytes(rsa_key::OAEP_CIPHERTEXT);
    let mut changed = ciphertext.clone();
    changed[200] ^= 1;
    let short = &ciphertext[..255];
    for (name, key) in private_keys() {
        for (oaep, ciphertext) in [
            (OAEP, &changed[..]),
            (OAEP, short),
            (OAEP, &[]),
            (OAEP, &[0xff; 256]),
            (OAEP, &[0; 256]),
            (Oaep { label: b"other", ..OAEP }, &ciphertext),
            (Oaep { label: b"", ..OAEP }, &ciphertext),
            (Oaep { hash: Hash::Sha1, ..OAEP }, &ciphertext),
            (Oaep { mgf: Hash::Sha256, ..OAEP }, &ciphertext),
        ] {
            let answer = key.decrypt_oaep(&oaep, ciphertext);
            assert!(matches!(answer, Err(Error::EncryptedDataInvalid)), "{name}: {answer:?}");
        }
    }
}

#[test]
fn v15_decrypts_what_openssl_encrypted() {
    for (name, key) in private_keys() {
        let plaintext = key.decrypt_v15(&bytes(rsa_key::V15_CIPHERTEXT)).unwrap();
        assert_eq!(plaintext.expose(), b"a message", "{name}");
    }
}

#[test]
fn v15_goes_around_with_every_length() {
    for (sender, public) in public_keys() {
        for length in [0, 1, 100, 245] {
            let ciphertext = public.encrypt_v15(&vec![3; length]).unwrap();
            for (receiver, private) in private_keys() {
                let plaintext = private.decrypt_v15(&ciphertext).unwrap();
                assert_eq!(plaintext.expose(), vec![3; length], "{sender} to {receiver}");
            }
        }
        assert!(matches!(public.encrypt_v15(&[3; 246]), Err(Error::DataLength)), "{sender}");
    }
}

/// `00 02`, or other first bytes, then bytes 1, 2, 3, … with a 00 at `separator`.
fn encoded(first: [u8; 2], separator: Option<usize>) -> Vec<u8> {
    let before = separator.unwrap_or(256) - 2;
    let mut out = first.to_vec();
    out.extend((1..=255).take(before));
    out.extend(separator.map(|_| 0));
    out.extend((1..=255).take(256 - out.len()));
    out
}

#[test]
fn bad_v15_padding_gives_the_answers_of_openssl() {
    let cases = [
        (encoded([0, 2], None), rsa_key::NO_SEPARATOR_ANSWER),
        (encoded([0, 2], Some(9)), rsa_key::SHORT_PADDING_ANSWER),
        (encoded([0, 1], Some(102)), rsa_key::WRONG_TYPE_ANSWER),
        (encoded([1, 2], Some(102)), rsa_key::WRONG_FIRST_ANSWER),
    ];
    for (encoded, expected) in cases {
        let ciphertext = encrypt(&encoded);
        for (name, key) in private_keys() {
            let answer = key.decrypt_v15(&ciphertext).unwrap();
            assert_eq!(hex::encode(answer.expose()), expected, "{name}");
        }
    }
}

#[test]
fn the_shortest_v15_padding_is_accepted() {
    let ciphertext = encrypt(&encoded([0, 2], Some(10)));
    for (name, key) in private_keys() {
        let answer = key.decrypt_v15(&ciphertext).unwrap();
        assert_eq!(answer.expose(), (1..=245).collect::<Vec<u8>>(), "{name}");
    }
}

#[test]
fn v15_ciphertexts_of_other_lengths_and_above_the_modulus_are_refused() {
    for (name, key) in private_keys() {
        for length in [0, 255, 257] {
            let answer = key.decrypt_v15(&vec![1; length]);
            assert!(matches!(answer, Err(Error::EncryptedDataLength)), "{name}: {answer:?}");
        }
        for ciphertext in [vec![0xff; 256], bytes(rsa_key::MODULUS)] {
            let answer = key.decrypt_v15(&ciphertext);
            assert!(matches!(answer, Err(Error::EncryptedDataInvalid)), "{name}: {answer:?}");
        }
    }
}
