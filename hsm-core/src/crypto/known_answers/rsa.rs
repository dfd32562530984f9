//! RSA: signatures of OpenSSL, the raw operation, and keys with their refusals.

use super::rsa_key::{self, parts};
use super::{all, bytes};
use crate::crypto::{
    Hash, Provider, Pss, RsaParts, RsaPrivateKey, RsaPublicKey, generate_rsa, hash_of, order,
};
use crate::error::Error;
use crate::secret::Secret;

/// DigestInfo of SHA-256, before the digest. RFC 8017, section 9.2, note 1.
const SHA256_INFO: &str = "3031300d060960864801650304020105000420";
const PSS: Pss = Pss { hash: Hash::Sha384, mgf: Hash::Sha1, salt_len: 20 };

/// The key with and without its factors, by every provider.
pub(super) fn private_keys() -> Vec<(&'static str, Box<dyn RsaPrivateKey>)> {
    let keys = [true, false].map(|with_factors| all(|provider| provider.rsa_private(&parts(with_factors))));
    keys.into_iter().flatten().map(|(name, key)| (name, key.unwrap())).collect()
}

pub(super) fn public_keys() -> Vec<(&'static str, Box<dyn RsaPublicKey>)> {
    public_keys_of(&parts(true))
}

fn public_keys_of(parts: &RsaParts) -> Vec<(&'static str, Box<dyn RsaPublicKey>)> {
    let keys = all(|provider| provider.rsa_public(&parts.modulus, &parts.public_exponent));
    keys.into_iter().map(|(name, key)| (name, key.unwrap())).collect()
}

fn digest_info() -> Vec<u8> {
    [bytes(SHA256_INFO), hash_of(Hash::Sha256, &[b"sample"]).unwrap()].concat()
}

#[test]
fn v15_signatures_are_those_of_openssl() {
    for (name, key) in private_keys() {
        let signature = key.sign_v15(&digest_info()).unwrap();
        assert_eq!(signature, bytes(rsa_key::V15_SIGNATURE), "{name}");
    }
    for (name, key) in public_keys() {
        assert!(key.verify_v15(&digest_info(), &bytes(rsa_key::V15_SIGNATURE)).is_ok(), "{name}");
    }
}

#[test]
fn v15_refuses_other_digests_signatures_and_lengths() {
    let (info, signature) = (digest_info(), bytes(rsa_key::V15_SIGNATURE));
    let mut other_info = info.clone();
    other_info[50] ^= 1;
    let mut other_signature = signature.clone();
    other_signature[255] ^= 1;
    let too_large = vec![0xff; 256];
    for (name, key) in public_keys() {
        for (info, signature) in [
            (&other_info[..], &signature[..]),
            (&info[..50], &signature),
            (&info, &other_signature),
            (&info, &signature[..255]),
            (&info, &[]),
            (&info, &too_large),
        ] {
            let answer = key.verify_v15(info, signature);
            assert!(matches!(answer, Err(Error::SignatureInvalid)), "{name}: {answer:?}");
        }
    }
}

#[test]
fn v15_signs_at_most_11_bytes_less_than_the_modulus() {
    for (name, key) in private_keys() {
        assert_eq!(key.sign_v15(&[1; 245]).unwrap().len(), 256, "{name}");
        assert!(matches!(key.sign_v15(&[1; 246]), Err(Error::DataLength)), "{name}");
    }
}

#[test]
fn pss_verifies_what_openssl_signed() {
    let digest = hash_of(Hash::Sha384, &[b"sample"]).unwrap();
    let signature = bytes(rsa_key::PSS_SIGNATURE);
    for (name, key) in public_keys() {
        key.verify_pss(&PSS, &digest, &signature).unwrap();
        for other in [
            Pss { salt_len: 19, ..PSS },
            Pss { salt_len: 48, ..PSS },
            Pss { mgf: Hash::Sha384, ..PSS },
            Pss { hash: Hash::Sha3_384, ..PSS },
        ] {
            let answer = key.verify_pss(&other, &digest, &signature);
            assert!(matches!(answer, Err(Error::SignatureInvalid)), "{name} {other:?}: {answer:?}");
        }
        let answer = key.verify_pss(&PSS, &[0; 48], &signature);
        assert!(matches!(answer, Err(Error::SignatureInvalid)), "{name}: {answer:?}");
    }
}

#[test]
fn pss_takes_every_hash_and_salt_that_fits() {
    for (signer, private) in private_keys() {
        for hash in Hash::COMMON.iter().copied() {
            for salt_len in [0, 1, hash.len(), 256 - 2 - hash.len()] {
                let pss = Pss { hash, mgf: Hash::Sha256, salt_len };
                let digest = vec![7; hash.len()];
                let signature = private.sign_pss(&pss, &digest).unwrap();
                for (name, key) in public_keys() {
                    let answer = key.verify_pss(&pss, &digest, &signature);
                    assert!(answer.is_ok(), "{signer} to {name} {pss:?}: {answer:?}");
                }
            }
        }
    }
}

#[test]
fn pss_refuses_a_salt_or_a_digest_that_does_not_fit() {
    for (name, key) in private_keys() {
        let long = Pss { hash: Hash::Sha256, mgf: Hash::Sha256, salt_len: 256 - 2 - 32 + 1 };
        assert!(key.sign_pss(&long, &[0; 32]).is_err(), "{name}");
        assert!(key.sign_pss(&Pss { salt_len: usize::MAX, ..long }, &[0; 32]).is_err(), "{name}");
        assert!(key.sign_pss(&PSS, &[0; 32]).is_err(), "{name}");
    }
}

#[test]
fn raw_operations_undo_each_other() {
    let mut input = vec![0x5a; 256];
    input[0] = 0;
    for (signer, private) in private_keys() {
        let signature = private.raw(&input).unwrap();
        assert_eq!(private.len(), 256);
        for (name, public) in public_keys() {
            assert_eq!(public.len(), 256);
            assert_eq!(public.raw(signature.expose()).unwrap(), input, "{signer} to {name}");
        }
    }
}

#[test]
fn raw_takes_every_number_below_the_modulus() {
    let mut largest = bytes(rsa_key::MODULUS);
    largest[255] -= 1;
    let mut one = vec![0; 256];
    one[255] = 1;
    for number in [vec![0; 256], one, largest] {
        for (name, key) in private_keys() {
            assert_eq!(key.raw(&number).unwrap().expose(), number, "{name}");
        }
        for (name, key) in public_keys() {
            assert_eq!(key.raw(&number).unwrap(), number, "{name}");
        }
    }
}

#[test]
fn raw_refuses_the_modulus_and_other_lengths() {
    for number in [bytes(rsa_key::MODULUS), vec![0xff; 256], vec![1; 255], vec![0; 257], vec![]] {
        for (name, key) in private_keys() {
            assert!(matches!(key.raw(&number), Err(Error::DataInvalid)), "{name}");
        }
        for (name, key) in public_keys() {
            assert!(matches!(key.raw(&number), Err(Error::DataInvalid)), "{name}");
        }
    }
}

fn assert_refused(parts: &RsaParts, what: &str) {
    for (name, key) in all(|provider| provider.rsa_private(parts)) {
        assert!(matches!(key.err(), Some(Error::ArgumentsBad(_))), "{name}: {what}");
    }
}

fn change(secret: &mut Secret) {
    let bytes = secret.expose_mut();
    bytes[bytes.len() / 2] ^= 1;
}

#[test]
fn private_numbers_that_do_not_belong_together_are_refused() {
    for with_factors in [true, false] {
        let mut changed = parts(with_factors);
        change(&mut changed.private_exponent);
        assert_refused(&changed, "d");
        let mut changed = parts(with_factors);
        changed.modulus[100] ^= 1;
        assert_refused(&changed, "n");
        let mut changed = parts(with_factors);
        changed.public_exponent = vec![3];
        assert_refused(&changed, "e");
    }
    for field in 0..5 {
        let mut changed = parts(true);
        let crt = changed.crt.as_mut().unwrap();
        let fields = [
            &mut crt.prime_1,
            &mut crt.prime_2,
            &mut crt.exponent_1,
            &mut crt.exponent_2,
            &mut crt.coefficient,
        ];
        change(fields[field]);
        assert_refused(&changed, ["p", "q", "dp", "dq", "qinv"][field]);
    }
}

#[test]
fn empty_and_zero_private_numbers_are_refused() {
    for value in [&[][..], &[0], &[1]] {
        for with_factors in [true, false] {
            let mut changed = parts(with_factors);
            changed.private_exponent = Secret::copy_of(value);
            assert_refused(&changed, "d");
            let mut changed = parts(with_factors);
            changed.modulus = value.to_vec();
            assert_refused(&changed, "n");
            let mut changed = parts(with_factors);
            changed.public_exponent = value.to_vec();
            assert_refused(&changed, "e");
        }
    }
}

#[test]
fn even_and_empty_public_numbers_are_refused() {
    let modulus = bytes(rsa_key::MODULUS);
    let mut even = modulus.clone();
    even[255] &= !1;
    for (modulus, exponent) in
        [(&even, &[1, 0, 1][..]), (&modulus, &[2]), (&modulus, &[1]), (&modulus, &[]), (&vec![], &[3])]
    {
        for (name, key) in all(|provider| provider.rsa_public(modulus, exponent)) {
            assert!(matches!(key.err(), Some(Error::ArgumentsBad(_))), "{name} {exponent:?}");
        }
    }
}

/// Signs with `parts`, with and without factors, and has every provider verify.
fn assert_signs(mut parts: RsaParts, bits: usize) {
    for _ in 0..2 {
        for (signer, key) in all(|provider| provider.rsa_private(&parts)) {
            let key = key.unwrap();
            assert_eq!(key.len(), bits / 8);
            let signature = key.sign_v15(&digest_info()).unwrap();
            for (name, public) in public_keys_of(&parts) {
                assert!(public.verify_v15(&digest_info(), &signature).is_ok(), "{signer} to {name}");
            }
        }
        parts.crt = None;
    }
}

#[test]
fn generated_keys_have_their_size_and_exponent() {
    for exponent in [&[3][..], &[17], &[1, 0, 1], &[0xff, 0xff, 0xff, 0xfb]] {
        let parts = generate_rsa(1024, exponent).unwrap();
        assert_eq!(parts.modulus.len(), 128);
        assert_eq!(parts.modulus[0] >> 7, 1);
        assert_eq!(parts.public_exponent, exponent);
        assert!(parts.crt.is_some());
        assert_signs(parts, 1024);
    }
}

#[test]
fn exponents_that_no_key_has_are_refused() {
    for exponent in [&[][..], &[0], &[1], &[2], &[1, 0, 0]] {
        for (name, parts) in all(|provider| provider.generate_rsa(1024, exponent)) {
            assert!(matches!(parts, Err(Error::ArgumentsBad(_))), "{name} {exponent:?}");
        }
    }
}

#[test]
fn one_key_signs_in_many_threads() {
    let provider: &dyn Provider = order()[0];
    let key = provider.rsa_private(&parts(true)).unwrap().unwrap();
    let expected = bytes(rsa_key::V15_SIGNATURE);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    assert_eq!(key.sign_v15(&digest_info()).unwrap(), expected);
                }
            });
        }
    });
}
