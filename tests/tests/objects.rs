//! Objects: C_CreateObject, C_CopyObject, C_DestroyObject, C_GetObjectSize. PKCS #11 3.2, section 5.7
//! and chapter 4.

use hsm_tests::function;
use hsm_tests::keys::{self, Curve, data_template};
use hsm_tests::prelude::*;
use hsm_tests::raw::Arg;
use hsm_tests::template::Template;

/// A P-256 key pair: the private value, and the point as an OCTET STRING. (RFC 6979, A.2.5.)
const EC_VALUE: &str = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
const EC_POINT: &str = "044104\
    60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6\
    7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";

fn certificate() -> Template {
    attrs![
        CKA_CLASS => CKO_CERTIFICATE,
        CKA_CERTIFICATE_TYPE => CKC_X_509,
        CKA_SUBJECT => "subject",
        CKA_ID => "id",
        CKA_VALUE => "certificate",
    ]
}

fn ec_private(curve: Curve) -> Template {
    attrs![
        CKA_CLASS => CKO_PRIVATE_KEY,
        CKA_KEY_TYPE => CKK_EC,
        CKA_EC_PARAMS => curve.params,
        CKA_VALUE => keys::hex(EC_VALUE),
    ]
}

fn public() -> Template {
    attrs![CKA_PRIVATE => false]
}

isolated! {
    fn a_data_object_keeps_what_it_is_given(kit) {
        let session = kit.user();
        let template = data_template("label", b"value")
            .and(attrs![CKA_APPLICATION => "application", CKA_OBJECT_ID => [0x06u8, 0x01, 0x2a]]);
        let object = session.create(&template).unwrap();
        assert_eq!(session.get(object, CKA_LABEL).unwrap(), b"label");
        assert_eq!(session.get(object, CKA_VALUE).unwrap(), b"value");
        assert_eq!(session.get(object, CKA_APPLICATION).unwrap(), b"application");
        assert_eq!(session.get(object, CKA_OBJECT_ID).unwrap(), [0x06, 0x01, 0x2a]);
    }

    fn a_certificate_keeps_what_it_is_given(kit) {
        let session = kit.user();
        let object = session.create(&certificate()).unwrap();
        assert_eq!(session.get(object, CKA_SUBJECT).unwrap(), b"subject");
        assert_eq!(session.get(object, CKA_ID).unwrap(), b"id");
        assert_eq!(session.get(object, CKA_VALUE).unwrap(), b"certificate");
        assert_eq!(session.number(object, CKA_CERTIFICATE_TYPE), Ok(CKC_X_509));
    }

    fn an_imported_rsa_key_pair_signs_and_verifies(kit) {
        let session = kit.user();
        let pair = keys::rsa(&session);
        let mech = Mech::plain(CKM_SHA256_RSA_PKCS);
        let signature = session.sign(&mech, pair.private, b"data").unwrap();
        assert_eq!(session.verify(&mech, pair.public, b"data", &signature), Ok(()));
    }

    fn an_imported_ec_key_pair_signs_and_verifies(kit) {
        let session = kit.user();
        let private = session.create(&ec_private(keys::P256)).unwrap();
        let public = session
            .create(&attrs![
                CKA_CLASS => CKO_PUBLIC_KEY,
                CKA_KEY_TYPE => CKK_EC,
                CKA_EC_PARAMS => keys::P256.params,
                CKA_EC_POINT => keys::hex(EC_POINT),
            ])
            .unwrap();
        let mech = Mech::plain(CKM_ECDSA);
        let signature = session.sign(&mech, private, &[7; 32]).unwrap();
        assert_eq!(session.verify(&mech, public, &[7; 32], &signature), Ok(()));
    }

    fn an_imported_aes_key_encrypts(kit) {
        let session = kit.user();
        let key = keys::aes(&session, &[0; 16]);
        let encrypted = session.encrypt(&Mech::plain(CKM_AES_ECB), key, &[0; 16]).unwrap();
        assert_eq!(encrypted, keys::hex("66e94bd4ef8a2c3b884cfa59ca342b2e"));
    }

    fn an_imported_rsa_key_knows_the_size_of_its_modulus(kit) {
        let session = kit.user();
        assert_eq!(session.number(keys::rsa(&session).public, CKA_MODULUS_BITS), Ok(2048));
    }

    fn an_imported_secret_key_knows_its_length(kit) {
        let session = kit.user();
        assert_eq!(session.number(keys::aes(&session, &[7; 24]), CKA_VALUE_LEN), Ok(24));
        assert_eq!(session.number(keys::secret(&session, &[7; 33]), CKA_VALUE_LEN), Ok(33));
    }

    fn an_object_may_be_large(kit) {
        let session = kit.user();
        let value: Vec<u8> = (0..200_000u32).map(|byte| byte.to_le_bytes()[0]).collect();
        let template = data_template("large", &value).and(attrs![CKA_TOKEN => true]);
        let object = session.create(&template).unwrap();
        assert_eq!(session.get(object, CKA_VALUE).unwrap(), value);
    }

    fn a_destroyed_object_is_gone(kit) {
        let token = kit.token();
        let (session, other) = (token.user(), token.ro());
        for on_token in [true, false] {
            let object =
                session.create(&data_template("x", b"y").and(attrs![CKA_TOKEN => on_token])).unwrap();
            assert_eq!(session.destroy(object), Ok(()));
            refused!(CKR_OBJECT_HANDLE_INVALID, session.get(object, CKA_LABEL));
            refused!(CKR_OBJECT_HANDLE_INVALID, session.destroy(object));
            refused!(CKR_OBJECT_HANDLE_INVALID, other.get(object, CKA_LABEL));
            assert_eq!(other.find(&attrs![CKA_LABEL => "x"]), Ok(vec![]));
        }
    }

    fn a_destroyed_key_is_refused_everywhere(kit) {
        let session = kit.user();
        let key = keys::aes(&session, &[7; 16]);
        session.destroy(key).unwrap();
        let ecb = Mech::plain(CKM_AES_ECB);
        refused!(CKR_KEY_HANDLE_INVALID | CKR_OBJECT_HANDLE_INVALID, session.encrypt(&ecb, key, &[0; 16]));
        let cmac = Mech::plain(CKM_AES_CMAC);
        refused!(CKR_KEY_HANDLE_INVALID | CKR_OBJECT_HANDLE_INVALID, session.sign(&cmac, key, b"data"));
    }

    fn handles_that_were_never_given_are_invalid(kit) {
        let session = kit.user();
        for object in [CK_INVALID_HANDLE, 0x1234_5678, CK_OBJECT_HANDLE::MAX] {
            refused!(CKR_OBJECT_HANDLE_INVALID, session.get(object, CKA_LABEL), "{object:#x}");
            refused!(
                CKR_OBJECT_HANDLE_INVALID,
                session.set(object, &attrs![CKA_LABEL => "x"]),
                "{object:#x}"
            );
            refused!(CKR_OBJECT_HANDLE_INVALID, session.copy(object, &attrs![]), "{object:#x}");
            refused!(CKR_OBJECT_HANDLE_INVALID, session.destroy(object), "{object:#x}");
            refused!(CKR_OBJECT_HANDLE_INVALID, session.object_size(object), "{object:#x}");
        }
    }

    fn a_handle_is_the_same_in_every_session_of_the_token(kit) {
        let token = kit.token();
        let (one, two) = (token.user(), token.ro());
        let object = one.create(&data_template("x", b"y").and(attrs![CKA_TOKEN => true])).unwrap();
        assert_eq!(two.find(&attrs![CKA_LABEL => "x"]), Ok(vec![object]));
        assert_eq!(two.get(object, CKA_VALUE).unwrap(), b"y");
    }

    fn a_handle_of_one_token_means_nothing_on_another(kit) {
        let token = kit.token();
        let other = Token::make(token.module, "other").user();
        let object = token.user().create(&data_template("x", b"y").and(attrs![CKA_TOKEN => true])).unwrap();
        refused!(CKR_OBJECT_HANDLE_INVALID, other.get(object, CKA_LABEL));
        refused!(CKR_OBJECT_HANDLE_INVALID, other.destroy(object));
    }

    fn a_read_only_session_makes_session_objects_only(kit) {
        let token = kit.token();
        token.user();
        let session = token.ro();
        let on_token = data_template("x", b"y").and(attrs![CKA_TOKEN => true]);
        refused!(CKR_SESSION_READ_ONLY, session.create(&on_token));
        assert!(session.create(&data_template("x", b"y")).is_ok());
    }

    fn a_read_only_session_does_not_change_token_objects(kit) {
        let token = kit.token();
        let object = token.user().create(&data_template("x", b"y").and(attrs![CKA_TOKEN => true])).unwrap();
        let session = token.ro();
        refused!(CKR_SESSION_READ_ONLY, session.destroy(object));
        refused!(CKR_SESSION_READ_ONLY, session.set(object, &attrs![CKA_LABEL => "z"]));
        refused!(CKR_SESSION_READ_ONLY, session.copy(object, &attrs![]));
        assert!(session.copy(object, &attrs![CKA_TOKEN => false]).is_ok());
        assert_eq!(session.get(object, CKA_LABEL).unwrap(), b"x");
    }

    fn a_read_only_session_generates_no_token_keys(kit) {
        let token = kit.token();
        token.user();
        let template = attrs![CKA_VALUE_LEN => 16 as CK_ULONG, CKA_TOKEN => true];
        refused!(CKR_SESSION_READ_ONLY, token.ro().generate(&Mech::plain(CKM_AES_KEY_GEN), &template));
    }

    fn a_copy_has_the_attributes_of_its_original(kit) {
        let session = kit.user();
        let object = session.create(&data_template("label", b"value")).unwrap();
        let copy = session.copy(object, &attrs![]).unwrap();
        assert_ne!(copy, object);
        assert_eq!(session.get(copy, CKA_LABEL).unwrap(), b"label");
        assert_eq!(session.get(copy, CKA_VALUE).unwrap(), b"value");
    }

    fn a_copy_may_differ_in_what_may_change(kit) {
        let session = kit.user();
        let object = session.create(&data_template("label", b"value")).unwrap();
        let copy = session.copy(object, &attrs![CKA_LABEL => "other", CKA_TOKEN => true]).unwrap();
        assert_eq!(session.get(copy, CKA_LABEL).unwrap(), b"other");
        assert_eq!(session.flag(copy, CKA_TOKEN), Ok(true));
        assert_eq!(session.get(object, CKA_LABEL).unwrap(), b"label");
        assert_eq!(session.flag(object, CKA_TOKEN), Ok(false));
    }

    fn a_copy_stands_by_itself(kit) {
        let session = kit.user();
        let object = session.create(&data_template("label", b"value")).unwrap();
        let copy = session.copy(object, &attrs![]).unwrap();
        session.destroy(object).unwrap();
        assert_eq!(session.get(copy, CKA_VALUE).unwrap(), b"value");
    }

    fn a_copied_key_works(kit) {
        let session = kit.user();
        let key = keys::aes(&session, &[0; 16]);
        let copy = session.copy(key, &attrs![CKA_TOKEN => true, CKA_SENSITIVE => true]).unwrap();
        let encrypted = session.encrypt(&Mech::plain(CKM_AES_ECB), copy, &[0; 16]).unwrap();
        assert_eq!(encrypted, keys::hex("66e94bd4ef8a2c3b884cfa59ca342b2e"));
    }

    fn a_copy_may_not_have_another_value_or_class(kit) {
        let session = kit.user();
        let key = keys::aes(&session, &[0; 16]);
        refused!(
            CKR_ATTRIBUTE_READ_ONLY | CKR_TEMPLATE_INCONSISTENT,
            session.copy(key, &attrs![CKA_VALUE => [1u8; 16]])
        );
        refused!(
            CKR_ATTRIBUTE_READ_ONLY | CKR_TEMPLATE_INCONSISTENT,
            session.copy(key, &attrs![CKA_CLASS => CKO_DATA])
        );
    }

    fn a_copy_of_a_key_may_not_be_less_protected(kit) {
        let session = kit.user();
        let template =
            keys::aes_template(&[7; 16]).and(attrs![CKA_SENSITIVE => true, CKA_EXTRACTABLE => false]);
        let key = session.create(&template).unwrap();
        for weaker in [attrs![CKA_SENSITIVE => false], attrs![CKA_EXTRACTABLE => true]] {
            refused!(CKR_ATTRIBUTE_READ_ONLY | CKR_TEMPLATE_INCONSISTENT, session.copy(key, &weaker));
        }
    }

    fn an_object_that_is_not_copyable_is_not_copied(kit) {
        let session = kit.user();
        let object = session.create(&data_template("x", b"y").and(attrs![CKA_COPYABLE => false])).unwrap();
        refused!(CKR_ACTION_PROHIBITED, session.copy(object, &attrs![]));
    }

    fn an_object_that_is_not_destroyable_is_not_destroyed(kit) {
        let session = kit.user();
        let object = session.create(&data_template("x", b"y").and(attrs![CKA_DESTROYABLE => false])).unwrap();
        refused!(CKR_ACTION_PROHIBITED, session.destroy(object));
        assert_eq!(session.get(object, CKA_VALUE).unwrap(), b"y");
    }

    fn an_object_has_a_size_or_says_that_it_is_not_known(kit) {
        let session = kit.user();
        let object = session.create(&data_template("label", &[7; 100]).and(public())).unwrap();
        let size = session.object_size(object).unwrap();
        assert!(size >= 100, "{size} (CK_UNAVAILABLE_INFORMATION is the largest number)");
    }

    fn create_needs_a_place_for_the_handle(kit) {
        let session = kit.user();
        let raw = data_template("x", b"y");
        let raw = raw.raw();
        let args = [raw.as_slice().into(), raw.len().into(), Arg::NULL];
        refused!(CKR_ARGUMENTS_BAD, session.call(function!(C_CreateObject), &args));
        assert_eq!(session.find(&attrs![CKA_LABEL => "x"]), Ok(vec![]), "nothing was made");
    }
}
