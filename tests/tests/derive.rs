//! C_DeriveKey: ECDH on Weierstrass curves and X25519. PKCS #11 3.2, sections 5.18.5 and 6.3.17;
//! SEC 1, section 3.6.1 (X9.63 key derivation); RFC 5903 and RFC 7748 for known answers.
#![allow(clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use hsm_tests::keys::{self, CURVES, ec, hex, known, x25519};
use hsm_tests::offer::keyed;
use hsm_tests::openssl::{der, point};
use hsm_tests::prelude::*;

fn value(session: &Session<'_>, mech: &Mech, base: Object, length: usize) -> Vec<u8> {
    let key = session
        .derive(mech, base, &keys::readable_secret(length))
        .unwrap_or_else(|rv| panic!("{mech:?}: {rv:?}"));
    session.get(key, CKA_VALUE).unwrap()
}

/// RFC 5903, section 8.1: the private key of i, the public key of r, and what they share.
const P256_I: &str = "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433";
const P256_R: &str = "04\
    d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63\
    56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab";
const P256_SHARED: &str = "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de";

fn p256(session: &Session<'_>) -> Object {
    known(session, CKK_EC, keys::P256, P256_I)
}

isolated! {
    fn a_known_answer_on_p256(kit) {
        let session = kit.user();
        let mech = Mech::ecdh(CKD_NULL, b"", &hex(P256_R));
        assert_eq!(value(&session, &mech, p256(&session), 32), hex(P256_SHARED));
    }

    fn the_public_value_may_be_an_octet_string(kit) {
        let session = kit.user();
        let mech = Mech::ecdh(CKD_NULL, b"", &der(0x04, &hex(P256_R)));
        assert_eq!(value(&session, &mech, p256(&session), 32), hex(P256_SHARED));
    }

    fn both_sides_agree_on_every_curve(kit) {
        let session = kit.user();
        for curve in CURVES {
            let (one, two) = (ec(&session, curve), ec(&session, curve));
            let to = |public| Mech::ecdh(CKD_NULL, b"", &point(&session, public));
            let first = value(&session, &to(two.public), one.private, curve.length);
            let second = value(&session, &to(one.public), two.private, curve.length);
            assert_eq!(first, second, "{}", curve.name);
        }
    }

    fn the_one_step_derivation_has_its_counter_first(kit) {
        let session = kit.user();
        let base = p256(&session);
        for (kdf, digest) in [
            (CKD_SHA1_KDF_SP800, CKM_SHA_1),
            (CKD_SHA224_KDF_SP800, CKM_SHA224),
            (CKD_SHA256_KDF_SP800, CKM_SHA256),
            (CKD_SHA384_KDF_SP800, CKM_SHA384),
            (CKD_SHA512_KDF_SP800, CKM_SHA512),
            (CKD_SHA3_224_KDF_SP800, CKM_SHA3_224),
            (CKD_SHA3_256_KDF_SP800, CKM_SHA3_256),
            (CKD_SHA3_384_KDF_SP800, CKM_SHA3_384),
            (CKD_SHA3_512_KDF_SP800, CKM_SHA3_512),
        ] {
            let mech = Mech::ecdh(kdf, b"shared", &hex(P256_R));
            let blocks = [1_u32, 2, 3, 4].map(|counter| {
                let input = [&counter.to_be_bytes()[..], &hex(P256_SHARED), b"shared"].concat();
                session.digest(&Mech::plain(digest), &input).unwrap()
            });
            let expected = blocks.concat();
            let expected = expected.get(..70).unwrap();
            assert_eq!(value(&session, &mech, base, 70), expected, "{kdf}");
        }
    }

    fn both_sides_agree_on_x25519(kit) {
        let session = kit.user();
        let (one, two) = (x25519(&session), x25519(&session));
        let to = |public| Mech::ecdh(CKD_NULL, b"", &point(&session, public));
        let first = value(&session, &to(two.public), one.private, 32);
        assert_eq!(value(&session, &to(one.public), two.private, 32), first);
    }

    fn a_known_answer_on_x25519(kit) {
        let session = kit.user();
        let alice = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
        let bob = hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
        let shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
        let key = known(&session, CKK_EC_MONTGOMERY, keys::X25519, alice);
        let mech = Mech::ecdh(CKD_NULL, b"", &bob);
        assert_eq!(value(&session, &mech, key, 32), hex(shared), "RFC 7748, section 6.1");
    }

    fn a_shorter_key_loses_the_leading_bytes(kit) {
        let session = kit.user();
        let mech = Mech::ecdh(CKD_NULL, b"", &hex(P256_R));
        assert_eq!(value(&session, &mech, p256(&session), 16), hex(P256_SHARED)[16..]);
    }

    fn a_longer_key_than_is_shared_is_refused(kit) {
        let session = kit.user();
        let mech = Mech::ecdh(CKD_NULL, b"", &hex(P256_R));
        let answer = session.derive(&mech, p256(&session), &keys::readable_secret(33));
        refused!(
            CKR_TEMPLATE_INCONSISTENT | CKR_ATTRIBUTE_VALUE_INVALID | CKR_KEY_SIZE_RANGE | CKR_DATA_LEN_RANGE,
            answer
        );
    }

    fn the_secret_can_become_an_aes_key(kit) {
        let session = kit.user();
        let mech = Mech::ecdh(CKD_NULL, b"", &hex(P256_R));
        let template = keys::readable_secret(32).and(attrs![CKA_KEY_TYPE => CKK_AES, CKA_ENCRYPT => true]);
        let key = session.derive(&mech, p256(&session), &template).unwrap();
        let expected = keys::aes(&session, &hex(P256_SHARED));
        let encrypt = |key| session.encrypt(&Mech::plain(CKM_AES_ECB), key, &[7; 16]).unwrap();
        assert_eq!(encrypt(key), encrypt(expected));
    }

    fn derivation_functions_follow_x9_63(kit) {
        let session = kit.user();
        let base = p256(&session);
        for (hash, keyed) in keyed() {
            let mech = Mech::ecdh(keyed.kdf, b"shared info", &hex(P256_R));
            let length = hash.length + 5;
            let block = |counter: u8| {
                let input = [&hex(P256_SHARED)[..], &[0, 0, 0, counter], b"shared info"].concat();
                session.digest(&Mech::plain(hash.digest), &input).unwrap()
            };
            let expected = [block(1), block(2)].concat();
            assert_eq!(value(&session, &mech, base, length), expected[..length], "{}", hash.name);
        }
    }

    fn a_null_derivation_takes_no_shared_data(kit) {
        let session = kit.user();
        let mech = Mech::ecdh(CKD_NULL, b"shared info", &hex(P256_R));
        let answer = session.derive(&mech, p256(&session), &keys::readable_secret(32));
        refused!(CKR_MECHANISM_PARAM_INVALID | CKR_ARGUMENTS_BAD, answer);
    }

    fn public_values_that_are_none_are_refused(kit) {
        let session = kit.user();
        let base = p256(&session);
        let mut off_curve = hex(P256_R);
        off_curve[64] ^= 1;
        let zero = [vec![4], vec![0; 64]].concat();
        let short = &hex(P256_R)[..64];
        for public in [&off_curve[..], &zero, short, &[0], &[], b"junk"] {
            let answer = session.derive(&Mech::ecdh(CKD_NULL, b"", public), base, &keys::readable_secret(32));
            refused!(
                CKR_MECHANISM_PARAM_INVALID | CKR_PUBLIC_KEY_INVALID | CKR_ARGUMENTS_BAD,
                answer,
                "{public:02x?}"
            );
        }
    }

    fn low_order_points_of_x25519_are_refused(kit) {
        let session = kit.user();
        let pair = x25519(&session);
        let mut one = [0; 32];
        one[0] = 1;
        for public in [[0; 32], one] {
            let answer = session.derive(&Mech::ecdh(CKD_NULL, b"", &public), pair.private, &keys::readable_secret(32));
            refused!(CKR_MECHANISM_PARAM_INVALID | CKR_PUBLIC_KEY_INVALID | CKR_ARGUMENTS_BAD, answer);
        }
    }

    fn parameters_that_cannot_be_are_refused(kit) {
        let session = kit.user();
        let base = p256(&session);
        for mech in [
            Mech::plain(CKM_ECDH1_DERIVE),
            Mech::bytes(CKM_ECDH1_DERIVE, &[0; 7]),
            Mech::ecdh(0x7777, b"", &hex(P256_R)),
            Mech::ecdh(0, b"", &hex(P256_R)),
        ] {
            let answer = session.derive(&mech, base, &keys::readable_secret(32));
            refused!(CKR_MECHANISM_PARAM_INVALID | CKR_ARGUMENTS_BAD, answer, "{mech:?}");
        }
    }

    fn a_key_that_may_not_derive_is_refused(kit) {
        let session = kit.user();
        let pair = keys::ec_with(&session, keys::P256, attrs![CKA_DERIVE => false]);
        let mech = Mech::ecdh(CKD_NULL, b"", &hex(P256_R));
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.derive(&mech, pair.private, &keys::readable_secret(32)));
    }

    fn a_key_of_another_type_is_refused(kit) {
        let session = kit.user();
        let mech = Mech::ecdh(CKD_NULL, b"", &hex(P256_R));
        let base = keys::secret(&session, &[7; 32]);
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.derive(&mech, base, &keys::readable_secret(32)));
        refused!(CKR_KEY_HANDLE_INVALID, session.derive(&mech, 99, &keys::readable_secret(32)));
    }

    fn a_derived_key_is_not_local(kit) {
        let session = kit.user();
        let mech = Mech::ecdh(CKD_NULL, b"", &hex(P256_R));
        let key = session.derive(&mech, p256(&session), &keys::readable_secret(32)).unwrap();
        assert_eq!(session.flag(key, CKA_LOCAL), Ok(false));
        assert_eq!(session.flag(key, CKA_ALWAYS_SENSITIVE), Ok(false));
        assert_eq!(session.flag(key, CKA_NEVER_EXTRACTABLE), Ok(false));
        assert_eq!(session.number(key, CKA_VALUE_LEN), Ok(32));
    }

    fn a_derived_key_can_be_kept_secret(kit) {
        let session = kit.user();
        let mech = Mech::ecdh(CKD_NULL, b"", &hex(P256_R));
        let template =
            keys::readable_secret(32).and(attrs![CKA_SENSITIVE => true, CKA_EXTRACTABLE => false, CKA_TOKEN => true]);
        let key = session.derive(&mech, p256(&session), &template).unwrap();
        refused!(CKR_ATTRIBUTE_SENSITIVE, session.get(key, CKA_VALUE));
    }

    fn compressed_public_values_are_accepted(kit) {
        let session = kit.user();
        let compressed = [vec![3], hex(P256_R)[1..33].to_vec()].concat();
        let mech = Mech::ecdh(CKD_NULL, b"", &compressed);
        assert_eq!(value(&session, &mech, p256(&session), 32), hex(P256_SHARED));
    }
}
