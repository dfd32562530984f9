//! ECDSA, ECDH, Ed25519 and X25519.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// The curves that both providers have.
const BOTH: [Curve; 5] = [Curve::P224, Curve::P256, Curve::P384, Curve::P521, Curve::Secp256k1];

/// A curve with a number below 2^(bits − 1), which is below the order of each of them.
fn curve_and_scalar() -> impl Strategy<Value = (Curve, Vec<u8>)> {
    select(&BOTH[..]).prop_flat_map(|curve| {
        vec(any::<u8>(), curve.len()).prop_map(move |mut scalar| {
            scalar[0] &= (0xff >> (8 * curve.len() - curve.bits())) >> 1;
            scalar[curve.len() - 1] |= 1;
            (curve, scalar)
        })
    })
}

/// A digest, often of about the length at which P-521 begins to cut bits off.
fn digest() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 0..80), vec(any::<u8>(), 64..70)]
}

fn private(curve: Curve, scalar: &[u8]) -> [Box<dyn EcPrivateKey>; 2] {
    both(|provider| provider.ec_private(curve, scalar)).map(|key| key.unwrap())
}

fn public(curve: Curve, point: &[u8]) -> [Box<dyn EcPublicKey>; 2] {
    both(|provider| provider.ec_public(curve, point)).map(|key| key.unwrap())
}

/// The compressed form of an uncompressed point.
fn compressed(curve: Curve, point: &[u8]) -> Vec<u8> {
    let mut compressed = point[..=curve.len()].to_vec();
    compressed[0] = 2 | (point.last().unwrap() & 1);
    compressed
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn public_points_agree((curve, scalar) in curve_and_scalar()) {
        let [a, b] = private(curve, &scalar).map(|key| key.public_point().unwrap());
        prop_assert_eq!(a.len(), 1 + 2 * curve.len());
        prop_assert_eq!(a, b);
    }

    #[test]
    fn ecdsa_verifies_across(
        (curve, scalar) in curve_and_scalar(),
        digest in digest(),
        bit in any::<proptest::sample::Index>(),
    ) {
        let signers = private(curve, &scalar);
        let point = signers[0].public_point().unwrap();
        for signer in &signers {
            let signature = signer.sign(&digest).unwrap();
            prop_assert_eq!(signature.len(), 2 * curve.len());
            let mut changed = signature.clone();
            let bit = bit.index(changed.len() * 8);
            changed[bit / 8] ^= 1 << (bit % 8);
            for verifier in public(curve, &point).iter().chain(&public(curve, &compressed(curve, &point))) {
                prop_assert_eq!(outcome(verifier.verify(&digest, &signature)), Ok(()));
                prop_assert_eq!(outcome(verifier.verify(&digest, &changed)), Err("SignatureInvalid".to_owned()));
                prop_assert_eq!(
                    outcome(verifier.verify(&digest, &signature[1..])),
                    Err("SignatureLength".to_owned())
                );
            }
        }
    }

    #[test]
    fn ecdsa_agrees_on_which_bits_of_a_digest_count(
        (curve, scalar) in curve_and_scalar(),
        digest in digest().prop_filter("a bit to change", |digest| !digest.is_empty()),
        bit in any::<proptest::sample::Index>(),
    ) {
        let signers = private(curve, &scalar);
        let point = signers[0].public_point().unwrap();
        let mut other = digest.clone();
        let bit = bit.index(other.len() * 8);
        other[bit / 8] ^= 0x80 >> (bit % 8);
        let counts = bit < curve.bits();
        for signer in &signers {
            let signature = signer.sign(&digest).unwrap();
            for verifier in public(curve, &point) {
                prop_assert_eq!(verifier.verify(&other, &signature).is_err(), counts);
            }
        }
    }

    #[test]
    fn ecdh_agrees((curve, scalar) in curve_and_scalar(), other in vec(1u8.., 1..24)) {
        let [peer, _] = private(curve, &other).map(|key| key.public_point().unwrap());
        let [a, b] = private(curve, &scalar).map(|key| exposed(key.agree(&peer)));
        prop_assert_eq!(a.as_ref().unwrap().len(), curve.len());
        prop_assert_eq!(&a, &b);
        let [c, d] = private(curve, &scalar).map(|key| exposed(key.agree(&compressed(curve, &peer))));
        prop_assert_eq!(&a, &c);
        prop_assert_eq!(&a, &d);
    }

    #[test]
    fn points_are_accepted_alike(
        (curve, scalar) in curve_and_scalar(),
        form in any::<u8>(),
        x in vec(any::<u8>(), 0..68),
    ) {
        // Half of all x have a point: both outcomes occur.
        for form in [2, 3, form] {
            let mut point = vec![form];
            point.extend_from_slice(&x);
            point.resize(1 + curve.len(), 0);
            let [a, b] = both(|provider| provider.ec_public(curve, &point)).map(|key| outcome(key.map(drop)));
            prop_assert_eq!(a, b);
            let [a, b] = private(curve, &scalar).map(|key| exposed(key.agree(&point)));
            prop_assert_eq!(a, b);
        }
    }

    #[test]
    fn scalars_are_accepted_alike(
        curve in select(&BOTH[..]),
        scalar in prop_oneof![vec(any::<u8>(), 0..68), vec(0xffu8.., 27..68), vec(..1u8, 0..68)],
    ) {
        let [a, b] = both(|provider| provider.ec_private(curve, &scalar))
            .map(|key| outcome(key.and_then(|key| key.public_point())));
        prop_assert_eq!(a, b);
    }

    #[test]
    fn ed25519_agrees(seed in any::<[u8; 32]>(), message in vec(any::<u8>(), 0..200), bit in 0usize..512) {
        let [a, b] = both(|provider| provider.ed_private(Edwards::Ed25519, &seed)).map(|key| key.unwrap());
        let public = a.public_key().unwrap();
        prop_assert_eq!(&public, &b.public_key().unwrap());
        let signature = a.sign(&message).unwrap();
        prop_assert_eq!(&signature, &b.sign(&message).unwrap());
        let mut changed = signature.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        for verifier in both(|provider| provider.ed_public(Edwards::Ed25519, &public)).map(|key| key.unwrap()) {
            prop_assert_eq!(outcome(verifier.verify(&message, &signature)), Ok(()));
            prop_assert_eq!(outcome(verifier.verify(&message, &changed)), Err("SignatureInvalid".to_owned()));
            prop_assert_eq!(outcome(verifier.verify(&message, &signature[1..])), Err("SignatureLength".to_owned()));
        }
    }

    #[test]
    fn x25519_agrees(private in any::<[u8; 32]>(), public in any::<[u8; 32]>()) {
        let [a, b] = both(|provider| provider.x_private(Montgomery::X25519, &private)).map(|key| key.unwrap());
        prop_assert_eq!(a.public_key().unwrap(), b.public_key().unwrap());
        let shared = exposed(a.agree(&public));
        prop_assert!(shared.is_ok());
        prop_assert_eq!(&shared, &exposed(b.agree(&public)));
    }

    #[test]
    fn x25519_refuses_small_and_misshapen_points_alike(
        private in any::<[u8; 32]>(),
        public in prop_oneof![vec(..1u8, 32), vec(any::<u8>(), 0..32), vec(any::<u8>(), 33..40)],
    ) {
        for key in both(|provider| provider.x_private(Montgomery::X25519, &private)) {
            prop_assert_eq!(exposed(key.unwrap().agree(&public)), Err("PublicKeyInvalid".to_owned()));
        }
    }
}

#[test]
fn scalars_made_by_one_provider_are_keys_for_both() {
    for curve in BOTH {
        for scalar in both(|provider| provider.generate_ec(curve)) {
            let scalar = scalar.unwrap();
            assert_eq!(scalar.len(), curve.len());
            private(curve, scalar.expose());
        }
    }
}
