//! What attributes are when a template does not say: SoftHSM2's permissive defaults, which
//! applications rely on. PKCS #11 3.2, chapter 4, where it names defaults.

use hsm_tests::keys::{self, data_template};
use hsm_tests::prelude::*;

/// Asserts CK_BBOOL attributes.
#[track_caller]
fn expect(session: &Session<'_>, object: Object, expected: &[(&str, CK_ATTRIBUTE_TYPE, bool)]) {
    for (name, kind, value) in expected {
        assert_eq!(session.flag(object, *kind), Ok(*value), "{name}");
    }
}

macro_rules! flags {
    ($($name:ident $value:literal)*) => { &[$((stringify!($name), $name, $value)),*] };
}

#[rustfmt::skip]
const STORAGE: &[(&str, CK_ATTRIBUTE_TYPE, bool)] = flags![
    CKA_TOKEN false  CKA_MODIFIABLE true  CKA_COPYABLE true  CKA_DESTROYABLE true
];
#[rustfmt::skip]
const SECRET: &[(&str, CK_ATTRIBUTE_TYPE, bool)] = flags![
    CKA_PRIVATE true  CKA_ENCRYPT true  CKA_DECRYPT true  CKA_SIGN true  CKA_VERIFY true
    CKA_WRAP true  CKA_UNWRAP true  CKA_DERIVE false
    CKA_SENSITIVE false  CKA_EXTRACTABLE false  CKA_TRUSTED false  CKA_WRAP_WITH_TRUSTED false
];
#[rustfmt::skip]
const PRIVATE: &[(&str, CK_ATTRIBUTE_TYPE, bool)] = flags![
    CKA_PRIVATE true  CKA_DECRYPT true  CKA_SIGN true  CKA_SIGN_RECOVER true  CKA_UNWRAP true
    CKA_DERIVE false  CKA_SENSITIVE false  CKA_EXTRACTABLE false
    CKA_ALWAYS_AUTHENTICATE false  CKA_WRAP_WITH_TRUSTED false
];
#[rustfmt::skip]
const PUBLIC: &[(&str, CK_ATTRIBUTE_TYPE, bool)] = flags![
    CKA_PRIVATE false  CKA_ENCRYPT true  CKA_VERIFY true  CKA_VERIFY_RECOVER true  CKA_WRAP true
    CKA_DERIVE false  CKA_TRUSTED false
];

isolated! {
    fn of_a_data_object(kit) {
        let session = kit.user();
        let object = session.create(&attrs![CKA_CLASS => CKO_DATA]).unwrap();
        expect(&session, object, STORAGE);
        expect(&session, object, flags![CKA_PRIVATE true]);
        for kind in [CKA_LABEL, CKA_APPLICATION, CKA_OBJECT_ID, CKA_VALUE] {
            assert_eq!(session.get(object, kind), Ok(vec![]), "{kind:#x}");
        }
    }

    fn of_a_certificate(kit) {
        let session = kit.user();
        let template = attrs![
            CKA_CLASS => CKO_CERTIFICATE,
            CKA_CERTIFICATE_TYPE => CKC_X_509,
            CKA_SUBJECT => "subject",
            CKA_VALUE => "value",
        ];
        let object = session.create(&template).unwrap();
        expect(&session, object, STORAGE);
        expect(&session, object, flags![CKA_PRIVATE false CKA_TRUSTED false]);
        assert_eq!(session.number(object, CKA_CERTIFICATE_CATEGORY), Ok(0));
        for kind in [CKA_LABEL, CKA_ID, CKA_ISSUER, CKA_SERIAL_NUMBER, CKA_URL, CKA_START_DATE] {
            assert_eq!(session.get(object, kind), Ok(vec![]), "{kind:#x}");
        }
    }

    fn of_an_imported_secret_key(kit) {
        let session = kit.user();
        for kind in [CKK_AES, CKK_GENERIC_SECRET] {
            let template = attrs![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => kind, CKA_VALUE => [7u8; 32]];
            let key = session.create(&template).unwrap();
            expect(&session, key, STORAGE);
            expect(&session, key, SECRET);
            expect(
                &session,
                key,
                flags![CKA_LOCAL false CKA_ALWAYS_SENSITIVE false CKA_NEVER_EXTRACTABLE false],
            );
            assert_eq!(session.number(key, CKA_KEY_GEN_MECHANISM), Ok(CK_UNAVAILABLE_INFORMATION));
        }
    }

    fn of_an_imported_secret_to_derive_from(kit) {
        let session = kit.user();
        let with = |more| session.create(&keys::secret_template(&[7; 32]).and(more)).unwrap();
        expect(&session, with(attrs![]), flags![CKA_DERIVE true CKA_SENSITIVE false CKA_EXTRACTABLE true]);
        expect(&session, with(attrs![CKA_SENSITIVE => true]), flags![CKA_EXTRACTABLE false]);
        expect(&session, with(attrs![CKA_DERIVE => false]), flags![CKA_EXTRACTABLE false]);
    }

    fn of_a_generated_secret_key(kit) {
        let session = kit.user();
        for kind in [CKM_AES_KEY_GEN, CKM_GENERIC_SECRET_KEY_GEN] {
            let template = attrs![CKA_VALUE_LEN => 32 as CK_ULONG];
            let key = session.generate(&Mech::plain(kind), &template).unwrap();
            expect(&session, key, STORAGE);
            expect(&session, key, SECRET);
            expect(
                &session,
                key,
                flags![CKA_LOCAL true CKA_ALWAYS_SENSITIVE false CKA_NEVER_EXTRACTABLE true],
            );
            assert_eq!(session.number(key, CKA_KEY_GEN_MECHANISM), Ok(kind));
        }
    }

    fn of_an_imported_private_key(kit) {
        let session = kit.user();
        let template = keys::rsa_private().without(CKA_SIGN).without(CKA_DECRYPT).without(CKA_UNWRAP);
        let key = session.create(&template).unwrap();
        expect(&session, key, STORAGE);
        expect(&session, key, PRIVATE);
        expect(&session, key, flags![CKA_LOCAL false CKA_ALWAYS_SENSITIVE false CKA_NEVER_EXTRACTABLE false]);
    }

    fn of_an_imported_public_key(kit) {
        let session = kit.user();
        let template = keys::rsa_public().without(CKA_VERIFY).without(CKA_ENCRYPT).without(CKA_WRAP);
        let key = session.create(&template).unwrap();
        expect(&session, key, STORAGE);
        expect(&session, key, PUBLIC);
        expect(&session, key, flags![CKA_LOCAL false]);
        refused!(CKR_ATTRIBUTE_TYPE_INVALID, session.get(key, CKA_ALLOWED_MECHANISMS));
    }

    fn of_a_generated_rsa_key_pair(kit) {
        let session = kit.user();
        let public = attrs![CKA_MODULUS_BITS => 2048 as CK_ULONG];
        let mech = Mech::plain(CKM_RSA_PKCS_KEY_PAIR_GEN);
        let (public, private) = session.generate_pair(&mech, &public, &attrs![]).unwrap();
        expect(&session, public, PUBLIC);
        expect(&session, public, flags![CKA_LOCAL true]);
        expect(&session, private, PRIVATE);
        expect(
            &session,
            private,
            flags![CKA_LOCAL true CKA_ALWAYS_SENSITIVE false CKA_NEVER_EXTRACTABLE true],
        );
        assert_eq!(session.get(public, CKA_PUBLIC_EXPONENT).unwrap(), [1, 0, 1]);
        assert_eq!(session.get(private, CKA_PUBLIC_EXPONENT).unwrap(), [1, 0, 1]);
    }

    fn of_a_generated_ec_key_pair(kit) {
        let session = kit.user();
        let public = attrs![CKA_EC_PARAMS => keys::P256.params];
        let mech = Mech::plain(CKM_EC_KEY_PAIR_GEN);
        let (public, private) = session.generate_pair(&mech, &public, &attrs![]).unwrap();
        expect(&session, public, STORAGE);
        expect(&session, public, PUBLIC);
        expect(&session, private, STORAGE);
        expect(&session, private, PRIVATE);
        assert_eq!(session.get(private, CKA_EC_PARAMS).unwrap(), keys::P256.params);
        assert_eq!(session.number(private, CKA_KEY_GEN_MECHANISM), Ok(CKM_EC_KEY_PAIR_GEN));
    }

    fn of_key_attributes_that_name_things(kit) {
        let session = kit.user();
        let key = keys::aes(&session, &[7; 16]);
        for kind in [CKA_LABEL, CKA_ID, CKA_START_DATE, CKA_END_DATE, CKA_ALLOWED_MECHANISMS] {
            assert_eq!(session.get(key, kind), Ok(vec![]), "{kind:#x}");
        }
    }

    fn an_aes_keys_check_value_is_of_a_block_of_zeros(kit) {
        let session = kit.user();
        let key = keys::aes(&session, &[0; 16]);
        assert_eq!(session.get(key, CKA_CHECK_VALUE).unwrap(), keys::hex("66e94b"));
    }

    fn a_generic_secrets_check_value_is_of_its_sha1(kit) {
        let session = kit.user();
        let key = keys::secret(&session, b"abc");
        assert_eq!(session.get(key, CKA_CHECK_VALUE).unwrap(), keys::hex("a9993e"));
    }

    fn a_certificates_check_value_is_of_its_sha1(kit) {
        let session = kit.user();
        let template = attrs![
            CKA_CLASS => CKO_CERTIFICATE,
            CKA_CERTIFICATE_TYPE => CKC_X_509,
            CKA_SUBJECT => "subject",
            CKA_VALUE => "abc",
        ];
        let object = session.create(&template).unwrap();
        assert_eq!(session.get(object, CKA_CHECK_VALUE).unwrap(), keys::hex("a9993e"));
    }

    fn a_key_made_sensitive_was_always_so(kit) {
        let session = kit.user();
        let key = keys::generate_aes(&session, attrs![CKA_SENSITIVE => true, CKA_EXTRACTABLE => true]);
        expect(&session, key, flags![CKA_ALWAYS_SENSITIVE true CKA_NEVER_EXTRACTABLE false]);
    }

    fn an_imported_key_was_never_secret(kit) {
        let session = kit.user();
        let more = attrs![CKA_SENSITIVE => true, CKA_EXTRACTABLE => false];
        let key = session.create(&keys::aes_template(&[7; 16]).and(more)).unwrap();
        expect(&session, key, flags![CKA_ALWAYS_SENSITIVE false CKA_NEVER_EXTRACTABLE false CKA_LOCAL false]);
    }

    fn a_token_object_keeps_its_defaults_on_the_token(kit) {
        let session = kit.user();
        session.create(&data_template("x", b"y").and(attrs![CKA_TOKEN => true])).unwrap();
        kit.module.finalize().unwrap();
        let session = Token::find(kit.initialised()).user();
        let found = session.find(&attrs![CKA_LABEL => "x"]).unwrap();
        expect(
            &session,
            found[0],
            flags![CKA_TOKEN true CKA_PRIVATE true CKA_MODIFIABLE true CKA_DESTROYABLE true],
        );
    }
}
