//! RSA: keys of both providers, used by both.

use std::sync::LazyLock;

use ::rsa::{BoxedUint, Pkcs1v15Encrypt};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;

/// A key with what each provider makes of it.
struct Key {
    parts: RsaParts,
    private: [Box<dyn RsaPrivateKey>; 2],
    public: [Box<dyn RsaPublicKey>; 2],
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Made for this run of the test alone; everything follows from these three.
        let crt = self.parts.crt.as_ref().unwrap();
        let [p, q] = [&crt.prime_1, &crt.prime_2].map(|prime| hex::encode(prime.expose()));
        write!(f, "Key(e = {}, p = {p}, q = {q})", hex::encode(&self.parts.public_exponent))
    }
}

/// The maker, the size in bits and the public exponent of each key. Sizes just above a multiple of
/// eight have the encodings with a byte to spare; small exponents come without what the larger ones
/// allow.
static KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| {
    let rows: [(&dyn Provider, usize, &[u8]); 5] = [
        (&AwsLc, 1024, &[1, 0, 1]),
        (&AwsLc, 1152, &[3]),
        (&RustCrypto, 1024, &[3]),
        (&RustCrypto, 1025, &[1, 0, 1]),
        (&RustCrypto, 1031, &[1, 0, 0, 0, 0xf]),
    ];
    rows.map(|(maker, bits, exponent)| {
        let parts = maker.generate_rsa(bits, exponent).expect("offered").unwrap();
        assert_eq!(parts.public_exponent, exponent);
        assert_eq!(BoxedUint::from_be_slice_vartime(&parts.modulus).bits() as usize, bits);
        prepare(parts)
    })
    .into()
});

fn prepare(parts: RsaParts) -> Key {
    let private = both(|provider| provider.rsa_private(&parts)).map(|key| key.unwrap());
    let public =
        both(|provider| provider.rsa_public(&parts.modulus, &parts.public_exponent)).map(|key| key.unwrap());
    Key { parts, private, public }
}

fn key() -> impl Strategy<Value = &'static Key> {
    any::<Index>().prop_map(|index| index.get(&KEYS))
}

fn hash() -> impl Strategy<Value = Hash> {
    select(Hash::COMMON)
}

/// A copy, with one of the secret numbers handed to `change`.
fn copy(parts: &RsaParts, change: impl Fn(usize, &Secret) -> Secret) -> RsaParts {
    let crt = parts.crt.as_ref().unwrap();
    RsaParts {
        modulus: parts.modulus.clone(),
        public_exponent: parts.public_exponent.clone(),
        private_exponent: change(0, &parts.private_exponent),
        crt: Some(RsaCrt {
            prime_1: change(1, &crt.prime_1),
            prime_2: change(2, &crt.prime_2),
            exponent_1: change(3, &crt.exponent_1),
            exponent_2: change(4, &crt.exponent_2),
            coefficient: change(5, &crt.coefficient),
        }),
    }
}

fn without_crt(parts: &RsaParts) -> RsaParts {
    RsaParts { crt: None, ..copy(parts, |_, number| number.duplicate()) }
}

/// The answer of the `rsa` crate's own v1.5 decryption, a third opinion beside the one that both
/// providers share.
fn third_opinion(parts: &RsaParts, ciphertext: &[u8]) -> Vec<u8> {
    let crt = parts.crt.as_ref().unwrap();
    let number = |bytes: &[u8]| BoxedUint::from_be_slice_vartime(bytes);
    let key = ::rsa::RsaPrivateKey::from_components(
        number(&parts.modulus),
        number(&parts.public_exponent),
        number(parts.private_exponent.expose()),
        vec![number(crt.prime_1.expose()), number(crt.prime_2.expose())],
    )
    .unwrap();
    key.decrypt(Pkcs1v15Encrypt, ciphertext).unwrap()
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn the_primitives_agree_and_undo_each_other(key in key(), input in vec(any::<u8>(), 145)) {
        let mut input = input[..key.private[0].len()].to_vec();
        // Mostly below the modulus, whose first byte may be 1.
        input[0] &= 1;
        let [a, b] = [0, 1].map(|i| exposed(key.private[i].raw(&input)));
        prop_assert_eq!(&a, &b);
        let [c, d] = [0, 1].map(|i| outcome(key.public[i].raw(&input)));
        prop_assert_eq!(&c, &d);
        prop_assert_eq!(a.is_ok(), input < key.parts.modulus);
        if let (Ok(a), Ok(c)) = (a, c) {
            prop_assert_eq!(&key.public[0].raw(&a).unwrap(), &input);
            prop_assert_eq!(&exposed(key.private[1].raw(&c)).unwrap(), &input);
        }
    }

    #[test]
    fn v15_signatures_agree(key in key(), info in vec(any::<u8>(), 0..140), bit in any::<Index>()) {
        let [a, b] = [0, 1].map(|i| outcome(key.private[i].sign_v15(&info)));
        prop_assert_eq!(&a, &b);
        prop_assert_eq!(a.is_ok(), info.len() + 11 <= key.parts.modulus.len());
        let Ok(signature) = a else { return Ok(()) };
        let mut changed = signature.clone();
        let bit = bit.index(changed.len() * 8);
        changed[bit / 8] ^= 1 << (bit % 8);
        for verifier in &key.public {
            prop_assert_eq!(outcome(verifier.verify_v15(&info, &signature)), Ok(()));
            for bad in [&changed[..], &signature[1..], &[]] {
                prop_assert_eq!(outcome(verifier.verify_v15(&info, bad)), Err("SignatureInvalid".to_owned()));
            }
            let mut longer = info.clone();
            longer.push(0);
            prop_assert_eq!(outcome(verifier.verify_v15(&longer, &signature)), Err("SignatureInvalid".to_owned()));
        }
    }

    #[test]
    fn pss_verifies_across(
        key in key(),
        (hash, mgf) in (hash(), hash()),
        salt_len in 0usize..100,
        digest in any::<[[u8; 32]; 2]>(),
        bit in any::<Index>(),
    ) {
        let pss = Pss { hash, mgf, salt_len };
        let digest = &digest.as_flattened()[..hash.len()];
        let signatures = [0, 1].map(|i| outcome(key.private[i].sign_pss(&pss, digest)));
        let encoded_len = (BoxedUint::from_be_slice_vartime(&key.parts.modulus).bits() as usize - 1).div_ceil(8);
        for signature in signatures {
            prop_assert_eq!(signature.is_ok(), hash.len() + salt_len + 2 <= encoded_len);
            let signature = match signature {
                Ok(signature) => signature,
                Err(error) => {
                    prop_assert_eq!(error, "MechanismParamInvalid");
                    continue;
                }
            };
            let mut changed = signature.clone();
            let bit = bit.index(changed.len() * 8);
            changed[bit / 8] ^= 1 << (bit % 8);
            let mut other = digest.to_vec();
            other[bit % hash.len()] ^= 1;
            for verifier in &key.public {
                prop_assert_eq!(outcome(verifier.verify_pss(&pss, digest, &signature)), Ok(()));
                let longer = Pss { salt_len: salt_len + 1, ..pss };
                for (pss, digest, signature) in [
                    (pss, digest, &changed[..]),
                    (pss, digest, &signature[1..]),
                    (pss, &other[..], &signature[..]),
                    (longer, digest, &signature[..]),
                ] {
                    let refused = outcome(verifier.verify_pss(&pss, digest, signature));
                    prop_assert_eq!(refused, Err("SignatureInvalid".to_owned()));
                }
                let short = outcome(verifier.verify_pss(&pss, &digest[1..], &signature));
                prop_assert_eq!(short, Err("DataLength".to_owned()));
            }
        }
    }

    #[test]
    fn oaep_decrypts_across(
        key in key(),
        (hash, mgf) in (hash(), hash()),
        label in vec(any::<u8>(), 0..20),
        message in vec(any::<u8>(), 0..120),
        bit in any::<Index>(),
    ) {
        let oaep = Oaep { hash, mgf, label: &label };
        let fits = message.len() + 2 * hash.len() + 2 <= key.parts.modulus.len();
        for encrypter in &key.public {
            let ciphertext = match outcome(encrypter.encrypt_oaep(&oaep, &message)) {
                Ok(ciphertext) => ciphertext,
                Err(error) => {
                    prop_assert_eq!((error.as_str(), fits), ("DataLength", false));
                    continue;
                }
            };
            prop_assert!(fits);
            let mut changed = ciphertext.clone();
            let bit = bit.index(changed.len() * 8);
            changed[bit / 8] ^= 1 << (bit % 8);
            let other = Oaep { label: b"another label, longer", ..oaep };
            for decrypter in &key.private {
                prop_assert_eq!(exposed(decrypter.decrypt_oaep(&oaep, &ciphertext)), Ok(message.clone()));
                for (oaep, ciphertext) in
                    [(oaep, &changed[..]), (oaep, &ciphertext[1..]), (oaep, &[]), (other, &ciphertext[..])]
                {
                    let refused = exposed(decrypter.decrypt_oaep(&oaep, ciphertext));
                    prop_assert_eq!(refused, Err("EncryptedDataInvalid".to_owned()));
                }
            }
        }
    }

    #[test]
    fn v15_decrypts_across(key in key(), message in vec(any::<u8>(), 0..140)) {
        for encrypter in &key.public {
            let ciphertext = outcome(encrypter.encrypt_v15(&message));
            prop_assert_eq!(ciphertext.is_ok(), message.len() + 11 <= key.parts.modulus.len());
            match ciphertext {
                Ok(ciphertext) => {
                    for decrypter in &key.private {
                        prop_assert_eq!(exposed(decrypter.decrypt_v15(&ciphertext)), Ok(message.clone()));
                    }
                    prop_assert_eq!(third_opinion(&key.parts, &ciphertext), message.clone());
                }
                Err(error) => prop_assert_eq!(error, "DataLength"),
            }
        }
    }

    #[test]
    fn v15_rejects_implicitly_alike(key in key(), encoded in vec(any::<u8>(), 145), head in any::<[u8; 3]>()) {
        // Badly padded in most cases: a wrong type, a zero too early, or no zero at all.
        let mut encoded = encoded[..key.parts.modulus.len()].to_vec();
        encoded[0] = 0;
        encoded[1] = head[0] % 4;
        encoded[2 + usize::from(head[1]) % 9] = head[2] % 2;
        let ciphertext = key.public[0].raw(&encoded).unwrap();
        let [a, b] = [0, 1].map(|i| exposed(key.private[i].decrypt_v15(&ciphertext)));
        let expected = third_opinion(&key.parts, &ciphertext);
        prop_assert_eq!(a.as_ref(), Ok(&expected));
        prop_assert_eq!(b, Ok(expected));
    }

    #[test]
    fn changed_numbers_are_refused_by_both(key in key(), which in 0usize..6, bit in any::<Index>()) {
        let changed = copy(&key.parts, |index, number| {
            let mut number = number.duplicate();
            if index == which {
                let bit = bit.index(number.len() * 8);
                number.expose_mut()[bit / 8] ^= 1 << (bit % 8);
            }
            number
        });
        for refused in both(|provider| provider.rsa_private(&changed)) {
            prop_assert_eq!(outcome(refused.map(drop)), Err("ArgumentsBad".to_owned()));
        }
    }
}

#[test]
fn keys_without_crt_numbers_work_alike() {
    for key in KEYS.iter() {
        let bare = prepare(without_crt(&key.parts));
        for private in &bare.private {
            assert_eq!(
                private.sign_v15(b"digest info").unwrap(),
                key.private[0].sign_v15(b"digest info").unwrap()
            );
            let ciphertext = vec![1; private.len()];
            let decrypted = private.decrypt_v15(&ciphertext).unwrap();
            assert!(decrypted.equals(key.private[0].decrypt_v15(&ciphertext).unwrap().expose()));
        }
    }
}

#[test]
fn keys_without_crt_numbers_are_refused_if_their_exponents_do_not_match() {
    for key in KEYS.iter() {
        let mut wrong = without_crt(&key.parts);
        *wrong.private_exponent.expose_mut().last_mut().unwrap() ^= 4;
        for refused in both(|provider| provider.rsa_private(&wrong)) {
            assert_eq!(outcome(refused.map(drop)), Err("ArgumentsBad".to_owned()));
        }
    }
}

#[test]
fn the_edges_of_the_range_agree() {
    for key in KEYS.iter() {
        let modulus = &key.parts.modulus;
        let mut below = modulus.clone();
        // The modulus is odd.
        *below.last_mut().unwrap() -= 1;
        let zero = vec![0; modulus.len()];
        let mut one = zero.clone();
        *one.last_mut().unwrap() = 1;
        for input in [&zero, &one, &below] {
            // 0, 1 and n − 1 are their own powers.
            for i in [0, 1] {
                assert_eq!(exposed(key.private[i].raw(input)).as_ref(), Ok(input));
                assert_eq!(outcome(key.public[i].raw(input)).as_ref(), Ok(input));
            }
        }
        for input in [&modulus[..], &modulus[1..], &[0xff; 145][..modulus.len()], &[]] {
            for i in [0, 1] {
                assert_eq!(exposed(key.private[i].raw(input)), Err("DataInvalid".to_owned()));
                assert_eq!(outcome(key.public[i].raw(input)), Err("DataInvalid".to_owned()));
            }
        }
    }
}

#[test]
fn public_keys_that_are_none_serve_with_neither() {
    let odd = [0xff; 128];
    let even = [0xfe; 128];
    let input = [1; 128];
    for (modulus, exponent) in [(&even, &[3][..]), (&odd, &[1]), (&odd, &[2]), (&odd, &[0]), (&odd, &[])] {
        // AWS-LC looks at them when they are used, RustCrypto when they are prepared.
        for result in both(|provider| provider.rsa_public(modulus, exponent)) {
            assert!(result.and_then(|key| key.raw(&input)).is_err(), "{exponent:?}");
        }
    }
}
