//! C_DeriveKey with CKM_PUB_KEY_FROM_PRIV_KEY: the public key of a private one, what it takes over, and what is
//! refused. PKCS #11 3.2, section 6.43.8.
#![allow(clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use hsm_tests::groups;
use hsm_tests::keys::{self, CURVES, Pair};
use hsm_tests::operations::{SIGN, VERIFY};
use hsm_tests::prelude::*;

fn publish() -> Mech {
    Mech::plain(CKM_PUB_KEY_FROM_PRIV_KEY)
}

/// A pair with a parameter set.
fn with_set(session: &Session<'_>, mech: CK_MECHANISM_TYPE, set: CK_ULONG) -> Pair {
    let public = attrs![CKA_PARAMETER_SET => set];
    let (public, private) = session.generate_pair(&Mech::plain(mech), &public, &attrs![]).unwrap();
    Pair { public, private }
}

/// Pairs of every type.
fn pairs(session: &Session<'_>) -> Vec<Pair> {
    let mut pairs: Vec<Pair> = CURVES.iter().map(|curve| keys::ec(session, *curve)).collect();
    pairs.extend([keys::rsa(session), keys::ed25519(session), keys::x25519(session)]);
    pairs.extend([keys::edwards(session, keys::ED448), keys::montgomery(session, keys::X448)]);
    pairs.extend([groups::dsa(session, attrs![]), groups::dh(session, attrs![])]);
    pairs.push(with_set(session, CKM_ML_KEM_KEY_PAIR_GEN, CKP_ML_KEM_768));
    pairs.push(with_set(session, CKM_ML_DSA_KEY_PAIR_GEN, CKP_ML_DSA_44));
    pairs.push(with_set(session, CKM_SLH_DSA_KEY_PAIR_GEN, CKP_SLH_DSA_SHA2_128F));
    pairs
}

/// What a public key's value is, whatever its type.
const VALUES: [CK_ATTRIBUTE_TYPE; 12] = [
    CKA_CLASS,
    CKA_KEY_TYPE,
    CKA_MODULUS,
    CKA_MODULUS_BITS,
    CKA_PUBLIC_EXPONENT,
    CKA_EC_PARAMS,
    CKA_EC_POINT,
    CKA_VALUE,
    CKA_PARAMETER_SET,
    CKA_PRIME,
    CKA_SUBPRIME,
    CKA_BASE,
];

isolated! {
    fn it_is_the_one_that_was_generated(kit) {
        let session = kit.user();
        for pair in pairs(&session) {
            let made = session.derive(&publish(), pair.private, &attrs![]).unwrap();
            for kind in VALUES.into_iter().chain([CKA_PUBLIC_KEY_INFO]) {
                assert_eq!(session.get(made, kind), session.get(pair.public, kind), "{kind:#x}");
            }
        }
    }

    fn it_does_what_a_public_key_does(kit) {
        let session = kit.user();
        let pair = keys::ec(&session, keys::P256);
        let made = session.derive(&publish(), pair.private, &attrs![]).unwrap();
        let mech = Mech::plain(CKM_ECDSA_SHA256);
        let signature = session.sign(&mech, pair.private, b"message").unwrap();
        session.verify(&mech, made, b"message", &signature).unwrap();
        let pair = with_set(&session, CKM_ML_KEM_KEY_PAIR_GEN, CKP_ML_KEM_512);
        let made = session.derive(&publish(), pair.private, &attrs![]).unwrap();
        let open = attrs![CKA_SENSITIVE => false];
        let (ciphertext, here) = session.encapsulate(&Mech::plain(CKM_ML_KEM), made, &open).unwrap();
        let there = session.decapsulate(&Mech::plain(CKM_ML_KEM), pair.private, &open, &ciphertext).unwrap();
        assert_eq!(session.get(here, CKA_VALUE).unwrap(), session.get(there, CKA_VALUE).unwrap());
    }

    fn what_the_template_leaves_out_is_the_private_keys_or_the_standards(kit) {
        let session = kit.user();
        let private = keys::rsa_private().and(attrs![
            CKA_ID => b"id",
            CKA_SUBJECT => b"subject",
            CKA_LABEL => "label",
            CKA_START_DATE => b"20260101",
            CKA_END_DATE => b"20301231",
            CKA_DECRYPT => true,
            CKA_SIGN => true,
            CKA_SIGN_RECOVER => false,
            CKA_UNWRAP => false,
            CKA_DERIVE => false,
            CKA_DECAPSULATE => false,
            CKA_ALLOWED_MECHANISMS => [CKM_PUB_KEY_FROM_PRIV_KEY, CKM_RSA_PKCS],
        ]);
        let private = session.create(&private).unwrap();
        let made = session.derive(&publish(), private, &attrs![]).unwrap();
        for kind in [CKA_ID, CKA_SUBJECT, CKA_START_DATE, CKA_END_DATE, CKA_PUBLIC_KEY_INFO, CKA_ALLOWED_MECHANISMS] {
            assert_eq!(session.get(made, kind), session.get(private, kind), "{kind:#x}");
        }
        assert_eq!(session.get(made, CKA_LABEL), Ok(Vec::new()));
        for (kind, expected) in [
            (CKA_ENCRYPT, true),
            (CKA_VERIFY, true),
            (CKA_VERIFY_RECOVER, false),
            (CKA_WRAP, false),
            (CKA_DERIVE, false),
            (CKA_ENCAPSULATE, false),
            (CKA_TOKEN, false),
            (CKA_PRIVATE, false),
            (CKA_MODIFIABLE, true),
            (CKA_COPYABLE, true),
            (CKA_DESTROYABLE, false),
            (CKA_LOCAL, false),
            (CKA_TRUSTED, false),
        ] {
            assert_eq!(session.flag(made, kind), Ok(expected), "{kind:#x}");
        }
        refused!(CKR_MECHANISM_INVALID, session.init(VERIFY, &Mech::plain(CKM_SHA256_RSA_PKCS), made));
    }

    fn its_origin_is_the_private_keys(kit) {
        let session = kit.user();
        let pair = keys::ec(&session, keys::P384);
        let made = session.derive(&publish(), pair.private, &attrs![]).unwrap();
        assert_eq!(session.number(made, CKA_KEY_GEN_MECHANISM), Ok(CKM_EC_KEY_PAIR_GEN));
        assert_eq!(session.flag(made, CKA_LOCAL), Ok(false));
        let brought = keys::rsa(&session);
        let made = session.derive(&publish(), brought.private, &attrs![]).unwrap();
        assert_eq!(session.number(made, CKA_KEY_GEN_MECHANISM), Ok(CK_UNAVAILABLE_INFORMATION));
    }

    fn the_template_says_the_rest(kit) {
        let session = kit.user();
        let pair = keys::ec(&session, keys::P256);
        let template = attrs![
            CKA_CLASS => CKO_PUBLIC_KEY,
            CKA_KEY_TYPE => CKK_EC,
            CKA_EC_PARAMS => keys::P256.params,
            CKA_TOKEN => true,
            CKA_LABEL => "made again",
            CKA_VERIFY => false,
            CKA_DESTROYABLE => true,
        ];
        let made = session.derive(&publish(), pair.private, &template).unwrap();
        assert_eq!(session.find(&attrs![CKA_LABEL => "made again", CKA_TOKEN => true]).unwrap(), [made]);
        let signature = session.init(VERIFY, &Mech::plain(CKM_ECDSA), made);
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, signature);
        session.destroy(made).unwrap();
        let kept = session.derive(&publish(), pair.private, &attrs![]).unwrap();
        refused!(CKR_ACTION_PROHIBITED, session.destroy(kept));
        session.set(kept, &attrs![CKA_DESTROYABLE => true]).unwrap();
        session.destroy(kept).unwrap();
    }

    fn what_the_template_says_otherwise_is_refused(kit) {
        let session = kit.user();
        let pair = keys::ec(&session, keys::P256);
        let other = keys::ec(&session, keys::P256);
        let point = session.get(other.public, CKA_EC_POINT).unwrap();
        let info = session.get(other.public, CKA_PUBLIC_KEY_INFO).unwrap();
        for (template, expected) in [
            (attrs![CKA_CLASS => CKO_SECRET_KEY], CKR_TEMPLATE_INCONSISTENT),
            (attrs![CKA_KEY_TYPE => CKK_RSA], CKR_TEMPLATE_INCONSISTENT),
            (attrs![CKA_EC_PARAMS => keys::P384.params], CKR_TEMPLATE_INCONSISTENT),
            (attrs![CKA_EC_POINT => point.as_slice()], CKR_TEMPLATE_INCONSISTENT),
            (attrs![CKA_PUBLIC_KEY_INFO => info.as_slice()], CKR_ATTRIBUTE_VALUE_INVALID),
            (attrs![CKA_MODULUS => [1_u8; 128]], CKR_ATTRIBUTE_TYPE_INVALID),
            (attrs![CKA_SENSITIVE => false], CKR_ATTRIBUTE_TYPE_INVALID),
            (attrs![CKA_LOCAL => true], CKR_ATTRIBUTE_READ_ONLY),
            (attrs![CKA_TRUSTED => true], CKR_ATTRIBUTE_READ_ONLY),
            (attrs![CKA_START_DATE => b"20300101", CKA_END_DATE => b"20200101"], CKR_TEMPLATE_INCONSISTENT),
        ] {
            let answer = session.derive(&publish(), pair.private, &template);
            hsm_tests::rv::assert_refused(answer.map(drop), &[expected], &format!("{template:?}"));
        }
        assert_eq!(session.find(&attrs![CKA_CLASS => CKO_PUBLIC_KEY]).unwrap().len(), 2, "nothing was made");
    }

    fn private_keys_alone_have_one(kit) {
        let session = kit.user();
        let pair = keys::ec(&session, keys::P256);
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.derive(&publish(), pair.public, &attrs![]));
        let secret = keys::secret(&session, &[7; 32]);
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.derive(&publish(), secret, &attrs![]));
        refused!(CKR_KEY_HANDLE_INVALID, session.derive(&publish(), 0x7777, &attrs![]));
        let mech = Mech::bytes(CKM_PUB_KEY_FROM_PRIV_KEY, &[1]);
        refused!(CKR_MECHANISM_PARAM_INVALID, session.derive(&mech, pair.private, &attrs![]));
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED | CKR_MECHANISM_INVALID, session.init(SIGN, &publish(), pair.private));
    }

    fn the_private_keys_own_rules_hold(kit) {
        let session = kit.user();
        let limited = keys::rsa_private().and(attrs![CKA_ALLOWED_MECHANISMS => [CKM_RSA_PKCS]]);
        let limited = session.create(&limited).unwrap();
        refused!(CKR_MECHANISM_INVALID, session.derive(&publish(), limited, &attrs![]));
        let rule = attrs![CKA_LABEL => "derived"];
        let raw = rule.raw();
        let ruled = session.create(&keys::rsa_private().nested(CKA_DERIVE_TEMPLATE, &raw)).unwrap();
        let made = session.derive(&publish(), ruled, &attrs![]).unwrap();
        assert_eq!(session.get(made, CKA_LABEL), Ok(b"derived".to_vec()));
        let against = attrs![CKA_LABEL => "another"];
        refused!(CKR_TEMPLATE_INCONSISTENT, session.derive(&publish(), ruled, &against));
    }

    fn a_session_that_may_not_write_makes_session_objects(kit) {
        let token = kit.token();
        let user = token.user();
        let pair = keys::ec(&user, keys::P256);
        let session = token.ro();
        session.derive(&publish(), pair.private, &attrs![]).unwrap();
        let token = session.derive(&publish(), pair.private, &attrs![CKA_TOKEN => true]);
        refused!(CKR_SESSION_READ_ONLY, token);
        user.logout().unwrap();
        refused!(CKR_KEY_HANDLE_INVALID, user.derive(&publish(), pair.private, &attrs![]));
    }
}
