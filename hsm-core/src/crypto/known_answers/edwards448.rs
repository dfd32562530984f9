//! Ed448 with its variants (RFC 8032) and X448 (RFC 7748).

use super::{all, bytes};
use crate::crypto::{EdVariant, Edwards, Montgomery, sign_ed, verify_ed};
use crate::error::Error;

/// Seed, public key, message, context, signature: RFC 8032, section 7.4, the first three.
const ED448: [[&str; 5]; 3] = [
    [
        "6c82a562cb808d10d632be89c8513ebf6c929f34ddfa8c9f63c9960ef6e348a3528c8a3fcc2f044e39a3fc5b\
         94492f8f032e7549a20098f95b",
        "5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778edf124769b46c7061bd6783d\
         f1e50f6cd1fa1abeafe8256180",
        "",
        "",
        "533a37f6bbe457251f023c0d88f976ae2dfb504a843e34d2074fd823d41a591f2b233f034f628281f2fd7a22\
         ddd47d7828c59bd0a21bfd3980ff0d2028d4b18a9df63e006c5d1c2d345b925d8dc00b4104852db99ac5c7cd\
         da8530a113a0f4dbb61149f05a7363268c71d95808ff2e652600",
    ],
    [
        "c4eab05d357007c632f3dbb48489924d552b08fe0c353a0d4a1f00acda2c463afbea67c5e8d2877c5e3bc397\
         a659949ef8021e954e0a12274e",
        "43ba28f430cdff456ae531545f7ecd0ac834a55d9358c0372bfa0c6c6798c0866aea01eb00742802b8438ea4\
         cb82169c235160627b4c3a9480",
        "03",
        "",
        "26b8f91727bd62897af15e41eb43c377efb9c610d48f2335cb0bd0087810f4352541b143c4b981b7e18f62de\
         8ccdf633fc1bf037ab7cd779805e0dbcc0aae1cbcee1afb2e027df36bc04dcecbf154336c19f0af7e0a64729\
         05e799f1953d2a0ff3348ab21aa4adafd1d234441cf807c03a00",
    ],
    [
        "c4eab05d357007c632f3dbb48489924d552b08fe0c353a0d4a1f00acda2c463afbea67c5e8d2877c5e3bc397\
         a659949ef8021e954e0a12274e",
        "43ba28f430cdff456ae531545f7ecd0ac834a55d9358c0372bfa0c6c6798c0866aea01eb00742802b8438ea4\
         cb82169c235160627b4c3a9480",
        "03",
        "666f6f",
        "d4f8f6131770dd46f40867d6fd5d5055de43541f8c5e35abbcd001b32a89f7d2151f7647f11d8ca2ae279fb8\
         42d607217fce6e042f6815ea000c85741de5c8da1144a6a1aba7f96de42505d7a7298524fda538fccbbb754f\
         578c1cad10d54d0d5428407e85dcbc98a49155c13764e66c3c00",
    ],
];

#[test]
fn ed448_is_that_of_rfc_8032() {
    for [seed, public, message, context, signature] in ED448.map(|row| row.map(bytes)) {
        let variant = EdVariant::Context(&context);
        assert_eq!(sign_ed(Edwards::Ed448, &seed, variant, &message).unwrap(), signature);
        verify_ed(Edwards::Ed448, &public, variant, &message, &signature).unwrap();
        for (name, key) in all(|provider| provider.ed_private(Edwards::Ed448, &seed)) {
            let key = key.unwrap();
            assert_eq!(key.public_key().unwrap(), public, "{name}");
            assert_eq!(key.sign(&message).unwrap() == signature, context.is_empty(), "{name}");
        }
        for (name, key) in all(|provider| provider.ed_public(Edwards::Ed448, &public)) {
            let verdict = key.unwrap().verify(&message, &signature);
            assert_eq!(verdict.is_ok(), context.is_empty(), "{name}");
        }
    }
}

/// Section 7.5: context and signature of "abc".
const ED448PH: [[&str; 2]; 2] = [
    [
        "",
        "822f6901f7480f3d5f562c592994d9693602875614483256505600bbc281ae381f54d6bce2ea911574932f52\
         a4e6cadd78769375ec3ffd1b801a0d9b3f4030cd433964b6457ea39476511214f97469b57dd32dbc560a9a94\
         d00bff07620464a3ad203df7dc7ce360c3cd3696d9d9fab90f00",
    ],
    [
        "666f6f",
        "c32299d46ec8ff02b54540982814dce9a05812f81962b649d528095916a2aa481065b1580423ef927ecf0af5\
         888f90da0f6a9a85ad5dc3f280d91224ba9911a3653d00e484e2ce232521481c8658df304bb7745a73514cdb\
         9bf3e15784ab71284f8d0704a608c54a6b62d97beb511d132100",
    ],
];

#[test]
fn ed448ph_is_that_of_rfc_8032() {
    let seed = bytes(
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42ef7822e0d5104127dc05d6db\
         efde69e3ab2cec7c867c6e2c49",
    );
    let public = bytes(
        "259b71c19f83ef77a7abd26524cbdb3161b590a48f7d17de3ee0ba9c52beb743c09428a131d6b1b57303d90d\
         8132c276d5ed3d5d01c0f53880",
    );
    for [context, signature] in ED448PH.map(|row| row.map(bytes)) {
        let variant = EdVariant::Prehashed(&context);
        assert_eq!(sign_ed(Edwards::Ed448, &seed, variant, b"abc").unwrap(), signature);
        let verify = |variant, message: &[u8], signature: &[u8]| {
            verify_ed(Edwards::Ed448, &public, variant, message, signature)
        };
        verify(variant, b"abc", &signature).unwrap();
        for (variant, message) in [
            (variant, &b"abd"[..]),
            (EdVariant::Prehashed(b"other"), b"abc"),
            (EdVariant::Context(&context), b"abc"),
        ] {
            assert!(matches!(verify(variant, message, &signature), Err(Error::SignatureInvalid)));
        }
        assert!(matches!(verify(variant, b"abc", &signature[1..]), Err(Error::SignatureLength)));
    }
}

#[test]
fn ed448_refuses_other_messages_signatures_and_lengths() {
    let [_, public, message, _, signature] = ED448[1].map(bytes);
    for (name, key) in all(|provider| provider.ed_public(Edwards::Ed448, &public)) {
        let key = key.unwrap();
        assert!(matches!(key.verify(b"other", &signature), Err(Error::SignatureInvalid)), "{name}");
        for position in [0, 56, 57, 112, 113] {
            let mut changed = signature.clone();
            changed[position] ^= 1;
            assert!(matches!(key.verify(&message, &changed), Err(Error::SignatureInvalid)), "{name}");
        }
        for length in [0, 64, 113, 115] {
            let answer = key.verify(&message, &vec![1; length]);
            assert!(matches!(answer, Err(Error::SignatureLength)), "{name}");
        }
    }
}

#[test]
fn keys_of_other_lengths_are_refused() {
    for length in [0, 32, 55, 58, 114] {
        let key = vec![1; length];
        for (name, key) in all(|provider| provider.ed_private(Edwards::Ed448, &key)) {
            assert!(matches!(key.err(), Some(Error::ArgumentsBad(_))), "{name}");
        }
        for (name, key) in all(|provider| provider.x_private(Montgomery::X448, &key)) {
            assert!(matches!(key.err(), Some(Error::ArgumentsBad(_))), "{name}");
        }
        for (name, key) in all(|provider| provider.ed_public(Edwards::Ed448, &key)) {
            assert!(matches!(key.err(), Some(Error::PublicKeyInvalid)), "{name}");
        }
    }
}

/// Scalar, point, product: RFC 7748, section 5.2.
const X448: [[&str; 3]; 2] = [
    [
        "3d262fddf9ec8e88495266fea19a34d28882acef045104d0d1aae121700a779c984c24f8cdd78fbff44943eb\
         a368f54b29259a4f1c600ad3",
        "06fce640fa3487bfda5f6cf2d5263f8aad88334cbd07437f020f08f9814dc031ddbdc38c19c6da2583fa5429\
         db94ada18aa7a7fb4ef8a086",
        "ce3e4ff95a60dc6697da1db1d85e6afbdf79b50a2412d7546d5f239fe14fbaadeb445fc66a01b0779d982239\
         61111e21766282f73dd96b6f",
    ],
    [
        "203d494428b8399352665ddca42f9de8fef600908e0d461cb021f8c538345dd77c3e4806e25f46d3315c44e0\
         a5b4371282dd2c8d5be3095f",
        "0fbcc2f993cd56d3305b0b7d9e55d4c1a8fb5dbb52f8e9a1e9b6201b165d015894e56c4d3570bee52fe205e2\
         8a78b91cdfbde71ce8d157db",
        "884a02576239ff7a2f2f63b2db6a9ff37047ac13568e1e30fe63c4a7ad1b3ee3a5700df34321d62077e63633\
         c575c1c954514e99da7c179d",
    ],
];

#[test]
fn x448_is_that_of_rfc_7748() {
    for [scalar, point, product] in X448.map(|row| row.map(bytes)) {
        for (name, key) in all(|provider| provider.x_private(Montgomery::X448, &scalar)) {
            assert_eq!(key.unwrap().agree(&point).unwrap().expose(), product, "{name}");
        }
    }
    // Section 6.2: private and public key of both sides, and their secret.
    let alice = bytes(
        "9a8f4925d1519f5775cf46b04b5800d4ee9ee8bae8bc5565d498c28dd9c9baf574a9419744897391006382a6\
         f127ab1d9ac2d8c0a598726b",
    );
    let of_alice = bytes(
        "9b08f7cc31b7e3e67d22d5aea121074a273bd2b83de09c63faa73d2c22c5d9bbc836647241d953d40c5b12da\
         88120d53177f80e532c41fa0",
    );
    let of_bob = bytes(
        "3eb7a829b0cd20f5bcfc0b599b6feccf6da4627107bdb0d4f345b43027d8b972fc3e34fb4232a13ca706dcb5\
         7aec3dae07bdc1c67bf33609",
    );
    let shared = bytes(
        "07fff4181ac6cc95ec1c16a94a0f74d12da232ce40a77552281d282bb60c0b56fd2464c335543936521c2440\
         3085d59a449a5037514a879d",
    );
    for (name, key) in all(|provider| provider.x_private(Montgomery::X448, &alice)) {
        let key = key.unwrap();
        assert_eq!(key.public_key().unwrap(), of_alice, "{name}");
        assert_eq!(key.agree(&of_bob).unwrap().expose(), shared, "{name}");
    }
}

#[test]
fn x448_refuses_points_of_small_order_and_other_lengths() {
    let (zero, mut one, mut minus_one) = ([0; 56], [0; 56], [0xff; 56]);
    one[0] = 1;
    // p − 1, where p is 2^448 − 2^224 − 1, and p and p + 1, which stand for 0 and 1.
    minus_one[0] = 0xfe;
    minus_one[28] = 0xfe;
    let mut prime = minus_one;
    prime[0] = 0xff;
    let mut one_more = [0; 56];
    one_more[28..].fill(0xff);
    for (name, key) in all(|provider| provider.x_private(Montgomery::X448, &[7; 56])) {
        let key = key.unwrap();
        for public in [&zero[..], &one, &minus_one, &prime, &one_more, &[9; 55], &[9; 57], &[9; 32], &[]] {
            let answer = key.agree(public);
            assert!(matches!(answer, Err(Error::PublicKeyInvalid)), "{name} {public:02x?}: {answer:?}");
        }
    }
}
