//! C_GetMechanismList and C_GetMechanismInfo: what is offered, and that the list does not lie.
//! PKCS #11 3.2, sections 5.5.5 and 5.5.6.
#![allow(clippy::panic, reason = "helpers of tests fail as tests do")]

use hsm_tests::function;
use hsm_tests::keys;
use hsm_tests::offer::{HASHES, SINGLE, keyed, required};
use hsm_tests::operations::{DECRYPT, ENCRYPT, SIGN, VERIFY};
use hsm_tests::prelude::*;
use hsm_tests::raw::Arg;

const UNKNOWN: CK_MECHANISM_TYPE = 0x7777_7777;
const OPERATIONS: CK_FLAGS = CKF_ENCRYPT
    | CKF_DECRYPT
    | CKF_DIGEST
    | CKF_SIGN
    | CKF_SIGN_RECOVER
    | CKF_VERIFY
    | CKF_VERIFY_RECOVER
    | CKF_GENERATE
    | CKF_GENERATE_KEY_PAIR
    | CKF_WRAP
    | CKF_UNWRAP
    | CKF_DERIVE
    | CKF_ENCAPSULATE
    | CKF_DECAPSULATE;

fn flags(token: &Token<'_>, kind: CK_MECHANISM_TYPE) -> CK_FLAGS {
    let info = token.module.mechanism_info(token.slot, kind);
    info.unwrap_or_else(|rv| panic!("mechanism {kind:#x}: {rv:?}")).flags & OPERATIONS
}

isolated! {
    fn every_required_mechanism_is_offered(kit) {
        let token = kit.token();
        let offered = token.module.mechanisms(token.slot).unwrap();
        let missing: Vec<_> = required().into_iter().filter(|kind| !offered.contains(kind)).collect();
        assert!(missing.is_empty(), "missing: {missing:#x?}");
    }

    fn mechanisms_are_for_what_the_standard_says(kit) {
        let token = kit.token();
        for (kind, expected) in SINGLE {
            assert_eq!(flags(&token, kind) & expected, expected, "{kind:#x}");
        }
        for hash in HASHES {
            assert_eq!(flags(&token, hash.digest), CKF_DIGEST, "{}", hash.name);
            assert_eq!(flags(&token, hash.hmac), CKF_SIGN | CKF_VERIFY, "{}", hash.name);
        }
        for (hash, keyed) in keyed() {
            for kind in [keyed.rsa, keyed.pss, keyed.ecdsa] {
                assert_eq!(flags(&token, kind), CKF_SIGN | CKF_VERIFY, "{} {kind:#x}", hash.name);
            }
        }
    }

    fn every_mechanism_of_the_list_is_for_something(kit) {
        let token = kit.token();
        for kind in token.module.mechanisms(token.slot).unwrap() {
            assert_ne!(flags(&token, kind), 0, "{kind:#x}");
        }
    }

    fn no_mechanism_is_listed_twice(kit) {
        let token = kit.token();
        let listed = token.module.mechanisms(token.slot).unwrap();
        let mut unique = listed.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), listed.len());
    }

    fn what_is_not_listed_has_no_info(kit) {
        let token = kit.token();
        let listed = token.module.mechanisms(token.slot).unwrap();
        for kind in (0..0x4100).filter(|kind| !listed.contains(kind)).chain([UNKNOWN, CK_ULONG::MAX]) {
            refused!(CKR_MECHANISM_INVALID, token.module.mechanism_info(token.slot, kind), "{kind:#x}");
        }
    }

    fn key_sizes_are_a_range(kit) {
        let token = kit.token();
        for kind in token.module.mechanisms(token.slot).unwrap() {
            let info = token.module.mechanism_info(token.slot, kind).unwrap();
            let (min, max) = (info.ulMinKeySize, info.ulMaxKeySize);
            assert!(min <= max && max < 1 << 32, "{kind:#x}: {min} to {max}");
        }
    }

    fn key_sizes_have_the_standards_units(kit) {
        let token = kit.token();
        let range = |kind| {
            let info = token.module.mechanism_info(token.slot, kind).unwrap();
            (info.ulMinKeySize, info.ulMaxKeySize)
        };
        assert_eq!(range(CKM_AES_ECB), (16, 32), "bytes");
        assert_eq!(range(CKM_AES_KEY_GEN), (16, 32), "bytes");
        let (min, max) = range(CKM_RSA_PKCS_KEY_PAIR_GEN);
        assert!((512..=2048).contains(&min) && max >= 4096, "bits: {min} to {max}");
        let (min, max) = range(CKM_ECDSA);
        assert!(min <= 224 && (521..1024).contains(&max), "bits: {min} to {max}");
    }

    fn ec_mechanisms_say_what_curves_and_points_they_take(kit) {
        let token = kit.token();
        let flags = token.module.mechanism_info(token.slot, CKM_ECDSA).unwrap().flags;
        let expected = CKF_EC_F_P | CKF_EC_NAMEDCURVE | CKF_EC_UNCOMPRESS;
        assert_eq!(flags & expected, expected, "{flags:#x}");
    }

    fn this_is_not_hardware(kit) {
        let token = kit.token();
        for kind in token.module.mechanisms(token.slot).unwrap() {
            let flags = token.module.mechanism_info(token.slot, kind).unwrap().flags;
            assert_eq!(flags & CKF_HW, 0, "{kind:#x}");
        }
    }

    fn a_token_that_is_not_initialised_offers_the_same(kit) {
        let token = kit.token();
        let free = token.module.mechanisms(token.module.free_slot()).unwrap();
        assert_eq!(free, token.module.mechanisms(token.slot).unwrap());
    }

    fn the_list_says_its_length_and_refuses_a_small_buffer(kit) {
        let token = kit.token();
        let list = function!(C_GetMechanismList);
        let mut count: CK_ULONG = 0;
        token.module.call(list, &[token.slot.into(), Arg::NULL, (&mut count).into()]).unwrap();
        let mut one: [CK_MECHANISM_TYPE; 1] = [UNKNOWN];
        let mut short: CK_ULONG = 1;
        let args = [token.slot.into(), one.as_mut_slice().into(), (&mut short).into()];
        refused!(CKR_BUFFER_TOO_SMALL, token.module.call(list, &args));
        assert_eq!((short, one[0]), (count, UNKNOWN));
    }

    fn an_unknown_mechanism_starts_nothing(kit) {
        let session = kit.user();
        let key = keys::aes(&session, &[7; 16]);
        let mech = Mech::plain(UNKNOWN);
        refused!(CKR_MECHANISM_INVALID, session.digest_init(&mech));
        for kind in [ENCRYPT, DECRYPT, SIGN, VERIFY] {
            refused!(CKR_MECHANISM_INVALID, session.init(kind, &mech, key), "{kind:?}");
        }
        refused!(CKR_MECHANISM_INVALID, session.generate(&mech, &attrs![]));
        refused!(CKR_MECHANISM_INVALID, session.generate_pair(&mech, &attrs![], &attrs![]));
        refused!(CKR_MECHANISM_INVALID, session.wrap(&mech, key, key));
        refused!(
            CKR_MECHANISM_INVALID,
            session.unwrap(
                &mech,
                key,
                &[0; 24],
                &attrs![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES]
            )
        );
        refused!(
            CKR_MECHANISM_INVALID,
            session.derive(&mech, key, &attrs![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES])
        );
    }

    fn a_mechanism_for_something_else_starts_nothing(kit) {
        let session = kit.user();
        let key = keys::aes(&session, &[7; 16]);
        refused!(CKR_MECHANISM_INVALID, session.digest_init(&Mech::plain(CKM_AES_ECB)));
        refused!(CKR_MECHANISM_INVALID, session.init(ENCRYPT, &Mech::plain(CKM_SHA256), key));
        refused!(CKR_MECHANISM_INVALID, session.init(SIGN, &Mech::plain(CKM_AES_KEY_GEN), key));
        refused!(CKR_MECHANISM_INVALID, session.generate(&Mech::plain(CKM_RSA_PKCS_KEY_PAIR_GEN), &attrs![]));
        refused!(
            CKR_MECHANISM_INVALID,
            session.generate_pair(&Mech::plain(CKM_AES_KEY_GEN), &attrs![], &attrs![])
        );
    }

    fn a_key_of_another_type_is_refused(kit) {
        let session = kit.user();
        let aes = keys::aes(&session, &[7; 16]);
        let rsa = keys::rsa(&session);
        let ec = keys::ec(&session, keys::P256);
        let expected_by = |mech: CK_MECHANISM_TYPE, key| session.init(SIGN, &Mech::plain(mech), key);
        refused!(CKR_KEY_TYPE_INCONSISTENT, expected_by(CKM_SHA256_RSA_PKCS, ec.private));
        refused!(CKR_KEY_TYPE_INCONSISTENT, expected_by(CKM_ECDSA, rsa.private));
        refused!(CKR_KEY_TYPE_INCONSISTENT, expected_by(CKM_SHA256_HMAC, rsa.private));
        refused!(CKR_KEY_TYPE_INCONSISTENT, expected_by(CKM_RSA_PKCS, aes));
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.init(ENCRYPT, &Mech::plain(CKM_AES_ECB), rsa.public));
    }

    fn a_key_of_another_class_is_refused(kit) {
        let session = kit.user();
        let rsa = keys::rsa(&session);
        let data = session.create(&keys::data_template("x", b"y")).unwrap();
        let mech = Mech::plain(CKM_SHA256_RSA_PKCS);
        refused!(
            CKR_KEY_TYPE_INCONSISTENT | CKR_KEY_FUNCTION_NOT_PERMITTED,
            session.init(SIGN, &mech, rsa.public)
        );
        refused!(
            CKR_KEY_TYPE_INCONSISTENT | CKR_KEY_FUNCTION_NOT_PERMITTED,
            session.init(VERIFY, &mech, rsa.private)
        );
        refused!(
            CKR_KEY_TYPE_INCONSISTENT | CKR_KEY_FUNCTION_NOT_PERMITTED | CKR_KEY_HANDLE_INVALID,
            session.init(SIGN, &mech, data)
        );
    }

    fn a_key_that_may_not_is_refused(kit) {
        let session = kit.user();
        let none = attrs![
            CKA_ENCRYPT => false, CKA_DECRYPT => false, CKA_SIGN => false, CKA_VERIFY => false,
            CKA_WRAP => false, CKA_UNWRAP => false,
        ];
        let key = session.create(&keys::aes_template(&[7; 16]).and(none)).unwrap();
        let other = keys::generate_aes(&session, attrs![CKA_EXTRACTABLE => true]);
        let (ecb, cmac, kw) = (CKM_AES_ECB, CKM_AES_CMAC, Mech::plain(CKM_AES_KEY_WRAP));
        for (kind, mech) in [(ENCRYPT, ecb), (DECRYPT, ecb), (SIGN, cmac), (VERIFY, cmac)] {
            refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.init(kind, &Mech::plain(mech), key), "{kind:?}");
        }
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.wrap(&kw, key, other));
        let template = attrs![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES];
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.unwrap(&kw, key, &[7; 24], &template));
    }

    fn a_key_is_used_with_its_allowed_mechanisms_only(kit) {
        let session = kit.user();
        let template = keys::aes_template(&[7; 16]).and(attrs![CKA_ALLOWED_MECHANISMS => [CKM_AES_ECB]]);
        let key = session.create(&template).unwrap();
        assert!(session.encrypt(&Mech::plain(CKM_AES_ECB), key, &[0; 16]).is_ok());
        let cbc = Mech::bytes(CKM_AES_CBC, &[0; 16]);
        refused!(
            CKR_MECHANISM_INVALID | CKR_KEY_FUNCTION_NOT_PERMITTED,
            session.encrypt(&cbc, key, &[0; 16])
        );
        let cmac = Mech::plain(CKM_AES_CMAC);
        refused!(CKR_MECHANISM_INVALID | CKR_KEY_FUNCTION_NOT_PERMITTED, session.sign(&cmac, key, b"data"));
    }
}
