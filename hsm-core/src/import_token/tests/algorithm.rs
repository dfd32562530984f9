//! The two variants: fixed vectors of the nonce's ciphers, names, and what the customer's side refuses.

use data_encoding::BASE64;

use super::super::*;
use super::kit::*;
use crate::error::Error;

/// Key 00..1f, nonce 64..6f, and an initialisation vector of zeros.
const VECTORS: [(Algorithm, &str); 2] = [
    (Algorithm::OaepSha256, "atnTud1F6dZkxcdaRMkgi+/UQ/L0mjO5TBqLvg=="),
    (Algorithm::OaepSha1, "WdV6Poy9IFv2s7+PFcZ0GQ=="),
];

#[test]
fn nonces_are_encrypted_as_in_the_vectors() {
    for (algorithm, expected) in VECTORS {
        let iv = vec![0; algorithm.iv_len()];
        let encrypted = algorithm.encrypt_nonce(&KEY, &iv, &NONCE).unwrap();
        assert_eq!(BASE64.encode(&encrypted), expected, "{algorithm:?}");
        assert!(algorithm.decrypt_nonce(&KEY, &iv, &encrypted).unwrap().equals(&NONCE));
    }
}

#[test]
fn a_damaged_vector_does_not_give_the_nonce() {
    for (algorithm, expected) in VECTORS {
        let iv = vec![0; algorithm.iv_len()];
        let encrypted = BASE64.decode(expected.as_bytes()).unwrap();
        for bit in 0..encrypted.len() * 8 {
            let mut damaged = encrypted.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let found = algorithm.decrypt_nonce(&KEY, &iv, &damaged);
            assert!(!found.is_some_and(|nonce| nonce.equals(&NONCE)), "{algorithm:?} {bit}");
        }
    }
}

#[test]
fn the_initialisation_vector_has_its_length_alone() {
    for algorithm in Algorithm::OF_SECRETS {
        for length in (0..40).filter(|length| *length != algorithm.iv_len()) {
            let encrypted = algorithm.encrypt_nonce(&KEY, &vec![0; length], &NONCE);
            assert!(matches!(encrypted, Err(Error::MechanismParamInvalid)), "{algorithm:?} {length}");
        }
    }
}

#[test]
fn names_lead_to_their_algorithms() {
    for algorithm in Algorithm::OF_SECRETS {
        assert_eq!(Algorithm::of_name(algorithm.name()), Ok(algorithm));
    }
    assert_eq!(Algorithm::of_name("RSAES_OAEP_SHA_256"), Ok(Algorithm::OaepSha256));
    assert_eq!(Algorithm::of_name("RSAES_OAEP_SHA_1"), Ok(Algorithm::OaepSha1));
    for bad in ["", "rsaes_oaep_sha_1", "RSAES_OAEP_SHA_512", "RSAES_OAEP_SHA_1 "] {
        assert_eq!(Algorithm::of_name(bad), Err(Refusal::EncryptionAlgorithm), "{bad:?}");
    }
}

#[test]
fn a_fresh_initialisation_vector_is_drawn_each_time() {
    for algorithm in Algorithm::OF_SECRETS {
        let [one, two] = [0, 1].map(|_| encrypt_nonce(&NONCE, &KEY, algorithm).unwrap());
        assert_eq!(one.iv.len(), algorithm.iv_len());
        assert_ne!(one.iv, two.iv);
    }
}

#[test]
fn a_customer_encrypts_key_material_alone() {
    let public_key = public_key(&token(600, 1));
    for length in [0, 1, 15, 17, 31, 33, 64] {
        let material = vec![7; length];
        for algorithm in Algorithm::OF_SECRETS {
            let key = encrypt_key(&public_key, &material, algorithm);
            assert!(matches!(key, Err(Error::ArgumentsBad(_))), "{length}");
            let nonce = encrypt_nonce(&NONCE, &material, algorithm);
            assert!(matches!(nonce, Err(Error::ArgumentsBad(_))), "{length}");
        }
    }
}

#[test]
fn a_customer_encrypts_to_rsa_keys_in_pem_alone() {
    const P256: &str = "-----BEGIN PUBLIC KEY-----\n\
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE0scQHO11F5V1HUFVCzBO3J8Xgqqs\n\
        j2N3XopdkF82Ypv0IUSFmRLdIHmvNC0z85lTd/80cgBdhZL+YrrYh47xKw==\n\
        -----END PUBLIC KEY-----\n";
    let good = public_key(&token(600, 1));
    assert!(good.starts_with("-----BEGIN PUBLIC KEY-----\n") && good.ends_with("-----END PUBLIC KEY-----\n"));
    let relabelled = good.replace("PUBLIC KEY", "RSA PUBLIC KEY");
    for bad in ["", "x", P256, &relabelled, &good[..400]] {
        let encrypted = encrypt_key(bad, &KEY, Algorithm::OaepSha256);
        assert!(matches!(encrypted, Err(Error::PublicKeyInvalid)), "{bad}");
    }
}
