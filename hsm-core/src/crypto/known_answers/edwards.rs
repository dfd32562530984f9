//! Ed25519 with its variants (RFC 8032) and X25519 (RFC 7748).

use super::{all, bytes};
use crate::crypto::{EdVariant, Edwards, Montgomery, sign_ed, verify_ed};
use crate::error::{Error, Result};

/// Seed, public key, message, signature: RFC 8032, section 7.1, tests 1 to 3.
const ED25519: [[&str; 4]; 3] = [
    [
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155\
         5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac\
         18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
];

#[test]
fn ed25519_is_that_of_rfc_8032() {
    for [seed, public, message, signature] in ED25519.map(|row| row.map(bytes)) {
        for (name, key) in all(|provider| provider.ed_private(Edwards::Ed25519, &seed)) {
            let key = key.unwrap();
            assert_eq!(key.public_key().unwrap()[..], public, "{name}");
            assert_eq!(key.sign(&message).unwrap()[..], signature, "{name}");
        }
        for (name, key) in all(|provider| provider.ed_public(Edwards::Ed25519, &public)) {
            assert!(key.unwrap().verify(&message, &signature).is_ok(), "{name}");
        }
    }
}

fn sign(seed: &[u8], variant: EdVariant<'_>, message: &[u8]) -> Result<Vec<u8>> {
    sign_ed(Edwards::Ed25519, seed, variant, message)
}

fn verify(public: &[u8], variant: EdVariant<'_>, message: &[u8], signature: &[u8]) -> Result<()> {
    verify_ed(Edwards::Ed25519, public, variant, message, signature)
}

#[test]
fn ed25519ph_is_that_of_rfc_8032() {
    // Section 7.3, and a signature with a context made with @noble/curves 2.4.0.
    let seed = bytes("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42");
    let public = bytes("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf");
    let signature = bytes(
        "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41\
         31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406",
    );
    let (bare, context) = (EdVariant::Prehashed(b""), EdVariant::Prehashed(b"context"));
    assert_eq!(sign(&seed, bare, b"abc").unwrap(), signature);
    verify(&public, bare, b"abc", &signature).unwrap();
    for (message, variant) in [(&b"abd"[..], bare), (b"abc", context), (b"abc", EdVariant::Context(b"abc"))] {
        let answer = verify(&public, variant, message, &signature);
        assert!(matches!(answer, Err(Error::SignatureInvalid)));
    }
    let with_context = sign(&seed, context, b"abc").unwrap();
    assert_eq!(with_context, bytes(WITH_CONTEXT));
    verify(&public, context, b"abc", &with_context).unwrap();
    let short = verify(&public, bare, b"abc", &signature[1..]);
    assert!(matches!(short, Err(Error::SignatureLength)));
    let long = sign(&seed, EdVariant::Prehashed(&[7; 256]), b"abc");
    assert!(matches!(long, Err(Error::MechanismParamInvalid)));
}

#[test]
fn ed25519ctx_is_that_of_rfc_8032() {
    // Section 7.2: the same key and message with two contexts, and another message.
    let seed = bytes("0305334e381af78f141cb666f6199f57bc3495335a256a95bd2a55bf546663f6");
    let public = bytes("dfc9425e4f968f7f0c29f0259cf5f9aed6851c2bb4ad8bfb860cfee0ab248292");
    for [message, context, signature] in ED25519CTX.map(|row| row.map(bytes)) {
        let variant = EdVariant::Context(&context);
        assert_eq!(sign(&seed, variant, &message).unwrap(), signature);
        verify(&public, variant, &message, &signature).unwrap();
        for (variant, message) in [
            (EdVariant::Context(b"fo"), &message[..]),
            (EdVariant::Prehashed(&context), &message),
            (variant, b"other"),
        ] {
            let answer = verify(&public, variant, message, &signature);
            assert!(matches!(answer, Err(Error::SignatureInvalid)));
        }
        let short = verify(&public, variant, &message, &signature[1..]);
        assert!(matches!(short, Err(Error::SignatureLength)));
        for (name, key) in all(|provider| provider.ed_public(Edwards::Ed25519, &public)) {
            let answer = key.unwrap().verify(&message, &signature);
            assert!(matches!(answer, Err(Error::SignatureInvalid)), "{name}");
        }
    }
    let long = sign(&seed, EdVariant::Context(&[7; 256]), b"abc");
    assert!(matches!(long, Err(Error::MechanismParamInvalid)));
}

/// Message, context, signature.
const ED25519CTX: [[&str; 3]; 3] = [
    [
        "f726936d19c800494e3fdaff20b276a8",
        "666f6f",
        "55a4cc2f70a54e04288c5f4cd1e45a7bb520b36292911876cada7323198dd87a\
         8b36950b95130022907a7fb7c4e9b2d5f6cca685a587b4b21f4b888e4e7edb0d",
    ],
    [
        "f726936d19c800494e3fdaff20b276a8",
        "626172",
        "fc60d5872fc46b3aa69f8b5b4351d5808f92bcc044606db097abab6dbcb1aee3\
         216c48e8b3b66431b5b186d1d28f8ee15a5ca2df6668346291c2043d4eb3e90d",
    ],
    [
        "508e9e6882b979fea900f62adceaca35",
        "666f6f",
        "8b70c1cc8310e1de20ac53ce28ae6e7207f33c3295e03bb5c0732a1d20dc6490\
         8922a8b052cf99b7c4fe107a5abb5b2c4085ae75890d02df26269d8945f84b0b",
    ],
];

const WITH_CONTEXT: &str = "36834fb4acb878264440dc916416da728d56b0a35c45a01595880060c4d1d474\
    e01ea7a4b3d4ad0bf55a5676902d4a057ae4c323547a73ec104d56e8963d6303";

#[test]
fn ed25519_refuses_other_messages_signatures_and_lengths() {
    let [_, public, message, signature] = ED25519[2].map(bytes);
    for (name, key) in all(|provider| provider.ed_public(Edwards::Ed25519, &public)) {
        let key = key.unwrap();
        assert!(matches!(key.verify(b"other", &signature), Err(Error::SignatureInvalid)), "{name}");
        for position in [0, 31, 32, 63] {
            let mut changed = signature.clone();
            changed[position] ^= 1;
            assert!(matches!(key.verify(&message, &changed), Err(Error::SignatureInvalid)), "{name}");
        }
        for length in [0, 63, 65] {
            let answer = key.verify(&message, &vec![1; length]);
            assert!(matches!(answer, Err(Error::SignatureLength)), "{name}");
        }
    }
}

#[test]
fn edwards_keys_of_other_lengths_are_refused() {
    for length in [0, 31, 33, 64] {
        let key = vec![1; length];
        for (name, key) in all(|provider| provider.ed_private(Edwards::Ed25519, &key)) {
            assert!(matches!(key.err(), Some(Error::ArgumentsBad(_))), "{name}");
        }
        for (name, key) in all(|provider| provider.x_private(Montgomery::X25519, &key)) {
            assert!(matches!(key.err(), Some(Error::ArgumentsBad(_))), "{name}");
        }
        for (name, key) in all(|provider| provider.ed_public(Edwards::Ed25519, &key)) {
            assert!(matches!(key.err(), Some(Error::PublicKeyInvalid)), "{name}");
        }
    }
}

#[test]
fn x25519_is_that_of_rfc_7748() {
    let private = bytes("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4");
    let peer = bytes("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c");
    for (name, key) in all(|provider| provider.x_private(Montgomery::X25519, &private)) {
        let key = key.unwrap();
        let shared = bytes("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
        assert_eq!(key.agree(&peer).unwrap().expose(), shared, "{name}");
        let public = bytes("1c9fd88f45606d932a80c71824ae151d15d73e77de38e8e000852e614fae7019");
        assert_eq!(key.public_key().unwrap()[..], public, "{name}");
    }
}

#[test]
fn x25519_refuses_points_of_small_order_and_other_lengths() {
    for (name, key) in all(|provider| provider.x_private(Montgomery::X25519, &[7; 32])) {
        let key = key.unwrap();
        let mut one = [0; 32];
        one[0] = 1;
        for public in [&[0; 32][..], &one, &[9; 31], &[9; 33], &[]] {
            let answer = key.agree(public);
            assert!(matches!(answer, Err(Error::PublicKeyInvalid)), "{name} {public:?}: {answer:?}");
        }
    }
}
