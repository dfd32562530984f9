//! C_EncapsulateKey and C_DecapsulateKey by agreement on curves and by RSA: known answers, both sides have the same
//! secret, the other functions give it too, and what is refused. PKCS #11 3.2, sections 5.18, 6.1.6, 6.1.8, 6.1.12,
//! 6.3.17 and 6.3.18; NIST SP 800-56B, section 7.2.1 (RSASVE); RFC 5903 and RFC 7748 for known answers.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use hsm_tests::keys::{self, CURVES, Curve, Pair, hex};
use hsm_tests::openssl::point;
use hsm_tests::prelude::*;

/// An agreement; the public value of the parameter is left empty, as it must be.
fn agreement(kdf: CK_EC_KDF_TYPE, shared: &[u8]) -> Mech {
    Mech::ecdh(kdf, shared, b"")
}

fn oaep() -> Mech {
    Mech::oaep(CKM_SHA256, CKG_MGF1_SHA256, b"label")
}

/// A secret that shows itself.
fn open() -> Template {
    attrs![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_GENERIC_SECRET, CKA_SENSITIVE => false]
}

fn of_length(length: usize) -> Template {
    open().and(attrs![CKA_VALUE_LEN => CK_ULONG::try_from(length).unwrap()])
}

fn value(session: &Session<'_>, key: Object) -> Vec<u8> {
    session.get(key, CKA_VALUE).unwrap()
}

/// A pair whose private key may decapsulate.
fn may(session: &Session<'_>, pair: Pair) -> Pair {
    session.set(pair.private, &attrs![CKA_DECAPSULATE => true]).unwrap();
    pair
}

fn private(session: &Session<'_>, kind: CK_KEY_TYPE, curve: Curve, scalar: &str) -> Object {
    let template = attrs![
        CKA_CLASS => CKO_PRIVATE_KEY,
        CKA_KEY_TYPE => kind,
        CKA_EC_PARAMS => curve.params,
        CKA_VALUE => hex(scalar),
        CKA_DECAPSULATE => true,
    ];
    session.create(&template).unwrap()
}

const P256_I: &str = "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433";
const P256_R: &str = "04\
    d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63\
    56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab";
const P256_SHARED: &str = "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de";
const ALICE: &str = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
const BOB: &str = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
const ALICE_AND_BOB: &str = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";

isolated! {
    fn known_answers_of_agreement(kit) {
        let session = kit.user();
        for (kind, curve, scalar, public, shared) in [
            (CKK_EC, keys::P256, P256_I, P256_R, P256_SHARED),
            (CKK_EC_MONTGOMERY, keys::X25519, ALICE, BOB, ALICE_AND_BOB),
        ] {
            let key = private(&session, kind, curve, scalar);
            let mech = agreement(CKD_NULL, b"");
            let made = session.decapsulate(&mech, key, &open(), &hex(public)).unwrap();
            assert_eq!(value(&session, made), hex(shared));
            // As C_DeriveKey's, a shorter key loses leading bytes.
            let made = session.decapsulate(&mech, key, &of_length(20), &hex(public)).unwrap();
            assert_eq!(value(&session, made), hex(shared)[12..]);
            let mech = agreement(CKD_SHA256_KDF, b"info");
            let made = session.decapsulate(&mech, key, &of_length(32), &hex(public)).unwrap();
            let input = [&hex(shared)[..], &[0, 0, 0, 1], b"info"].concat();
            assert_eq!(value(&session, made), session.digest(&Mech::plain(CKM_SHA256), &input).unwrap());
        }
    }

    fn both_sides_agree_on_every_curve(kit) {
        let session = kit.user();
        for kind in [CKM_ECDH1_DERIVE, CKM_ECDH1_COFACTOR_DERIVE] {
            for curve in CURVES {
                let pair = may(&session, keys::ec(&session, curve));
                let mech = agreement(CKD_NULL, b"").renamed(kind);
                let (ciphertext, here) = session.encapsulate(&mech, pair.public, &open()).unwrap();
                assert_eq!(ciphertext.len(), 1 + 2 * curve.length, "{}", curve.name);
                let there = session.decapsulate(&mech, pair.private, &open(), &ciphertext).unwrap();
                assert_eq!(value(&session, here), value(&session, there), "{}", curve.name);
                assert_eq!(value(&session, here).len(), curve.length);
                let (_, another) = session.encapsulate(&mech, pair.public, &open()).unwrap();
                assert_ne!(value(&session, another), value(&session, here), "a fresh key each time");
            }
        }
        let pair = may(&session, keys::x25519(&session));
        let mech = agreement(CKD_SHA512_KDF, b"");
        let (ciphertext, here) = session.encapsulate(&mech, pair.public, &of_length(100)).unwrap();
        let there = session.decapsulate(&mech, pair.private, &of_length(100), &ciphertext).unwrap();
        assert_eq!((ciphertext.len(), value(&session, here)), (32, value(&session, there)));
    }

    fn a_key_type_of_one_length_has_it(kit) {
        let session = kit.user();
        let pair = may(&session, keys::ec(&session, keys::P521));
        let mech = agreement(CKD_SHA512_KDF, b"");
        for (kind, length) in [(CKK_CHACHA20, 32), (CKK_DES3, 24), (CKK_DES, 8)] {
            let template = open().and(attrs![CKA_KEY_TYPE => kind]);
            let (ciphertext, here) = session.encapsulate(&mech, pair.public, &template).unwrap();
            let there = session.decapsulate(&mech, pair.private, &template, &ciphertext).unwrap();
            let secret = value(&session, here);
            assert_eq!((secret.len(), &secret), (length, &value(&session, there)), "{kind:#x}");
            let is_odd = secret.iter().all(|byte| byte.count_ones() % 2 == 1);
            assert!(is_odd || kind == CKK_CHACHA20, "{secret:02x?}");
        }
    }

    fn derivation_gives_what_was_encapsulated(kit) {
        let session = kit.user();
        let pair = keys::ec(&session, keys::P384);
        let (ciphertext, here) = session.encapsulate(&agreement(CKD_NULL, b""), pair.public, &open()).unwrap();
        let readable = of_length(48).and(attrs![CKA_EXTRACTABLE => true]);
        let there = session.derive(&Mech::ecdh(CKD_NULL, b"", &ciphertext), pair.private, &readable).unwrap();
        assert_eq!(value(&session, here), value(&session, there));
    }

    fn rsa_wraps_a_fresh_secret(kit) {
        let session = kit.user();
        let pair = may(&session, keys::rsa(&session));
        for mech in [Mech::plain(CKM_RSA_PKCS), oaep()] {
            let (ciphertext, here) = session.encapsulate(&mech, pair.public, &of_length(24)).unwrap();
            assert_eq!((ciphertext.len(), value(&session, here).len()), (256, 24));
            let there = session.decapsulate(&mech, pair.private, &open(), &ciphertext).unwrap();
            assert_eq!(value(&session, here), value(&session, there));
            assert_eq!(session.decrypt(&mech, pair.private, &ciphertext).unwrap(), value(&session, here));
            let aes = attrs![CKA_KEY_TYPE => CKK_AES, CKA_VALUE_LEN => 16 as CK_ULONG, CKA_SENSITIVE => false];
            let (ciphertext, here) = session.encapsulate(&mech, pair.public, &aes).unwrap();
            let there = session.decapsulate(&mech, pair.private, &aes, &ciphertext).unwrap();
            let ecb = Mech::plain(CKM_AES_ECB);
            let block = session.encrypt(&ecb, here, &[1; 16]).unwrap();
            assert_eq!(session.decrypt(&ecb, there, &block).unwrap(), [1; 16]);
            let des3 = attrs![CKA_KEY_TYPE => CKK_DES3, CKA_SENSITIVE => false];
            let (_, made) = session.encapsulate(&mech, pair.public, &des3).unwrap();
            assert!(value(&session, made).iter().all(|byte| byte.count_ones() % 2 == 1), "odd parity");
        }
    }

    fn raw_rsa_encapsulates_a_number(kit) {
        let session = kit.user();
        let pair = may(&session, keys::rsa(&session));
        let mech = Mech::plain(CKM_RSA_X_509);
        let (ciphertext, here) = session.encapsulate(&mech, pair.public, &open()).unwrap();
        assert_eq!((ciphertext.len(), value(&session, here).len()), (256, 256));
        assert_eq!(session.decrypt(&mech, pair.private, &ciphertext).unwrap(), value(&session, here));
        let there = session.decapsulate(&mech, pair.private, &open(), &ciphertext).unwrap();
        assert_eq!(value(&session, there), value(&session, here));
        let there = session.decapsulate(&mech, pair.private, &of_length(32), &ciphertext).unwrap();
        assert_eq!(value(&session, there), value(&session, here)[224..], "the last bytes");
        let modulus = session.get(pair.public, CKA_MODULUS).unwrap();
        let mut minus_one = modulus.clone();
        minus_one[255] ^= 1;
        let [mut zero, mut one] = [(); 2].map(|()| vec![0; 256]);
        (zero[255], one[255]) = (0, 1);
        refused!(CKR_WRAPPED_KEY_LEN_RANGE, session.decapsulate(&mech, pair.private, &open(), &ciphertext[1..]));
        for ciphertext in [zero, one, minus_one, modulus] {
            refused!(CKR_WRAPPED_KEY_INVALID, session.decapsulate(&mech, pair.private, &open(), &ciphertext));
        }
    }

    fn the_new_key_is_as_the_standard_says(kit) {
        let session = kit.user();
        let pair = may(&session, keys::ec(&session, keys::P256));
        let mech = agreement(CKD_SHA256_KDF, b"");
        let (ciphertext, here) = session.encapsulate(&mech, pair.public, &open()).unwrap();
        let there = session.decapsulate(&mech, pair.private, &open(), &ciphertext).unwrap();
        for key in [here, there] {
            for (kind, expected) in [
                (CKA_LOCAL, false),
                (CKA_ALWAYS_SENSITIVE, false),
                (CKA_NEVER_EXTRACTABLE, false),
                (CKA_EXTRACTABLE, true),
            ] {
                assert_eq!(session.flag(key, kind), Ok(expected), "{kind:#x}");
            }
        }
    }

    fn the_length_is_told_without_a_key(kit) {
        let session = kit.user();
        let (ec, rsa) = (keys::ec(&session, keys::P521), keys::rsa(&session));
        for (mech, key, length) in [
            (agreement(CKD_NULL, b""), ec.public, 133),
            (Mech::plain(CKM_RSA_PKCS), rsa.public, 256),
            (oaep(), rsa.public, 256),
            (Mech::plain(CKM_RSA_X_509), rsa.public, 256),
        ] {
            let answer = session.encapsulate_into(&mech, key, &of_length(16), Out::Length);
            assert_eq!(answer.unwrap(), (length, None), "{mech:?}");
            let mut short = vec![0; length - 1];
            let answer = session.encapsulate_into(&mech, key, &of_length(16), Out::Buffer(&mut short));
            refused!(CKR_BUFFER_TOO_SMALL, answer);
        }
        assert_eq!(session.find(&attrs![CKA_CLASS => CKO_SECRET_KEY]).unwrap(), [], "nothing was made");
    }

    fn parameters_that_cannot_be_are_refused(kit) {
        let session = kit.user();
        let (ec, rsa) = (may(&session, keys::ec(&session, keys::P256)), may(&session, keys::rsa(&session)));
        let ciphertext = point(&session, ec.public);
        for mech in [
            Mech::ecdh(CKD_NULL, b"", &hex(P256_R)),
            Mech::ecdh(CKD_NULL, b"shared", b""),
            Mech::ecdh(0x7777, b"", b""),
            Mech::plain(CKM_ECDH1_DERIVE),
        ] {
            refused!(CKR_MECHANISM_PARAM_INVALID, session.encapsulate(&mech, ec.public, &open()), "{mech:?}");
            let answer = session.decapsulate(&mech, ec.private, &open(), &ciphertext);
            refused!(CKR_MECHANISM_PARAM_INVALID, answer, "{mech:?}");
        }
        for mech in [Mech::oaep(0x7777, CKG_MGF1_SHA256, b""), Mech::plain(CKM_RSA_PKCS_OAEP)] {
            let answer = session.encapsulate(&mech, rsa.public, &of_length(16));
            refused!(CKR_MECHANISM_PARAM_INVALID, answer, "{mech:?}");
        }
    }

    fn lengths_that_cannot_be_are_refused(kit) {
        let session = kit.user();
        let (ec, rsa) = (may(&session, keys::ec(&session, keys::P256)), may(&session, keys::rsa(&session)));
        let pkcs = || Mech::plain(CKM_RSA_PKCS);
        for (mech, key, template, expected) in [
            (agreement(CKD_NULL, b""), ec.public, of_length(33), CKR_TEMPLATE_INCONSISTENT),
            (agreement(CKD_NULL, b""), ec.public, of_length(0), CKR_TEMPLATE_INCONSISTENT),
            (agreement(CKD_SHA256_KDF, b""), ec.public, of_length(5000), CKR_TEMPLATE_INCONSISTENT),
            (pkcs(), rsa.public, open(), CKR_TEMPLATE_INCOMPLETE),
            (pkcs(), rsa.public, of_length(246), CKR_TEMPLATE_INCONSISTENT),
            (oaep(), rsa.public, of_length(191), CKR_TEMPLATE_INCONSISTENT),
            (Mech::plain(CKM_RSA_X_509), rsa.public, of_length(257), CKR_TEMPLATE_INCONSISTENT),
            (pkcs(), rsa.public, attrs![CKA_KEY_TYPE => CKK_AES, CKA_VALUE_LEN => 17 as CK_ULONG], CKR_TEMPLATE_INCONSISTENT),
            (Mech::plain(CKM_RSA_X_509), rsa.public, attrs![CKA_KEY_TYPE => CKK_AES], CKR_TEMPLATE_INCONSISTENT),
        ] {
            let answer = session.encapsulate(&mech, key, &template);
            hsm_tests::rv::assert_refused(answer.map(drop), &[expected], &format!("{mech:?} {template:?}"));
        }
        session.encapsulate(&pkcs(), rsa.public, &of_length(245)).unwrap();
        session.encapsulate(&oaep(), rsa.public, &of_length(190)).unwrap();
        let (ciphertext, _) = session.encapsulate(&oaep(), rsa.public, &of_length(20)).unwrap();
        let answer = session.decapsulate(&oaep(), rsa.private, &of_length(16), &ciphertext);
        refused!(CKR_TEMPLATE_INCONSISTENT, answer, "what was wrapped is what comes out");
    }

    fn ciphertexts_that_are_none_are_refused(kit) {
        let session = kit.user();
        let (ec, rsa) = (may(&session, keys::ec(&session, keys::P256)), may(&session, keys::rsa(&session)));
        let mut off_curve = hex(P256_R);
        off_curve[64] ^= 1;
        for ciphertext in [&off_curve[..], &hex(P256_R)[..64], &[0], &[]] {
            let answer = session.decapsulate(&agreement(CKD_NULL, b""), ec.private, &open(), ciphertext);
            refused!(CKR_WRAPPED_KEY_INVALID | CKR_ARGUMENTS_BAD, answer, "{ciphertext:02x?}");
        }
        let x = may(&session, keys::x25519(&session));
        let answer = session.decapsulate(&agreement(CKD_NULL, b""), x.private, &open(), &[0; 32]);
        refused!(CKR_WRAPPED_KEY_INVALID, answer, "a point of low order");
        let (mut ciphertext, _) = session.encapsulate(&oaep(), rsa.public, &of_length(16)).unwrap();
        refused!(CKR_WRAPPED_KEY_LEN_RANGE, session.decapsulate(&oaep(), rsa.private, &open(), &ciphertext[1..]));
        ciphertext[255] ^= 1;
        refused!(CKR_WRAPPED_KEY_INVALID, session.decapsulate(&oaep(), rsa.private, &open(), &ciphertext));
    }

    fn a_key_decapsulates_by_its_owners_word_alone(kit) {
        let session = kit.user();
        let (ec, rsa) = (keys::ec(&session, keys::P256), keys::rsa(&session));
        assert_eq!(session.flag(ec.private, CKA_DECAPSULATE), Ok(false), "unless somebody says so");
        assert_eq!(session.flag(rsa.private, CKA_DECAPSULATE), Ok(false));
        let (ciphertext, _) = session.encapsulate(&oaep(), rsa.public, &of_length(16)).unwrap();
        let answer = session.decapsulate(&oaep(), rsa.private, &open(), &ciphertext);
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, answer);
        let answer = session.decapsulate(&agreement(CKD_NULL, b""), ec.private, &open(), &hex(P256_R));
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, answer);
        session.set(ec.public, &attrs![CKA_ENCAPSULATE => false]).unwrap();
        let answer = session.encapsulate(&agreement(CKD_NULL, b""), ec.public, &open());
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, answer);
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.encapsulate(&oaep(), ec.public, &of_length(16)));
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.encapsulate(&agreement(CKD_NULL, b""), rsa.public, &open()));
        let ed = keys::ed25519(&session);
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.encapsulate(&agreement(CKD_NULL, b""), ed.public, &open()));
    }
}
