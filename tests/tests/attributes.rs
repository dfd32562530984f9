//! C_GetAttributeValue and C_SetAttributeValue. PKCS #11 3.2, sections 5.7.5, 5.7.6 and 4.1.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use hsm_tests::function;
use hsm_tests::keys::{self, data_template};
use hsm_tests::prelude::*;
use hsm_tests::raw::Arg;
use hsm_tests::template::{attribute_into, attribute_length};

const NONE: CK_ULONG = CK_UNAVAILABLE_INFORMATION;

fn data<'m>(kit: &'m Kit) -> (Session<'m>, Object) {
    let session = kit.user();
    let object = session.create(&data_template("label", b"a value")).unwrap();
    (session, object)
}

isolated! {
    fn a_null_buffer_asks_for_the_length(kit) {
        let (session, object) = data(kit);
        let mut asked = [attribute_length(CKA_VALUE), attribute_length(CKA_TOKEN)];
        session.attributes(object, &mut asked).unwrap();
        assert_eq!(asked.map(|attribute| attribute.ulValueLen), [7, 1]);
    }

    fn a_buffer_of_the_exact_length_is_filled(kit) {
        let (session, object) = data(kit);
        let mut buffer = [0; 7];
        let mut asked = [attribute_into(CKA_VALUE, &mut buffer)];
        session.attributes(object, &mut asked).unwrap();
        assert_eq!(asked[0].ulValueLen, 7);
        assert_eq!(&buffer, b"a value");
    }

    fn a_larger_buffer_is_filled_and_its_length_corrected(kit) {
        let (session, object) = data(kit);
        let mut buffer = [0xee; 20];
        let mut asked = [attribute_into(CKA_VALUE, &mut buffer)];
        session.attributes(object, &mut asked).unwrap();
        assert_eq!(asked[0].ulValueLen, 7);
        assert_eq!(&buffer[..8], b"a value\xee");
    }

    fn a_small_buffer_is_refused_and_left_alone(kit) {
        let (session, object) = data(kit);
        let mut buffer = [0xee; 6];
        let mut asked = [attribute_into(CKA_VALUE, &mut buffer)];
        refused!(CKR_BUFFER_TOO_SMALL, session.attributes(object, &mut asked));
        assert_eq!(asked[0].ulValueLen, NONE);
        assert_eq!(buffer, [0xee; 6]);
    }

    fn an_attribute_that_the_object_has_not_is_refused(kit) {
        let (session, object) = data(kit);
        for kind in [CKA_MODULUS, CKA_SENSITIVE, 0x7777_7777] {
            let mut asked = [attribute_length(kind)];
            refused!(CKR_ATTRIBUTE_TYPE_INVALID, session.attributes(object, &mut asked), "{kind:#x}");
            assert_eq!(asked[0].ulValueLen, NONE, "{kind:#x}");
        }
    }

    fn a_value_that_is_not_extractable_is_refused(kit) {
        let session = kit.user();
        let more = attrs![CKA_SENSITIVE => false, CKA_EXTRACTABLE => false];
        let key = session.create(&keys::aes_template(&[7; 16]).and(more)).unwrap();
        let mut buffer = [0xee; 16];
        let mut asked = [attribute_into(CKA_VALUE, &mut buffer)];
        refused!(CKR_ATTRIBUTE_SENSITIVE, session.attributes(key, &mut asked));
        assert_eq!(asked[0].ulValueLen, NONE);
        assert_eq!(buffer, [0xee; 16]);
    }

    fn a_sensitive_value_is_refused(kit) {
        let session = kit.user();
        let more = attrs![CKA_SENSITIVE => true, CKA_EXTRACTABLE => true];
        let key = session.create(&keys::aes_template(&[7; 16]).and(more)).unwrap();
        refused!(CKR_ATTRIBUTE_SENSITIVE, session.get(key, CKA_VALUE));
    }

    fn a_value_that_is_neither_is_given(kit) {
        let session = kit.user();
        let more = attrs![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true];
        let key = session.create(&keys::aes_template(&[7; 16]).and(more)).unwrap();
        assert_eq!(session.get(key, CKA_VALUE).unwrap(), [7; 16]);
    }

    fn every_secret_number_of_an_rsa_key_is_refused(kit) {
        let session = kit.user();
        let key = keys::rsa(&session).private;
        let secrets =
            [CKA_PRIVATE_EXPONENT, CKA_PRIME_1, CKA_PRIME_2, CKA_EXPONENT_1, CKA_EXPONENT_2, CKA_COEFFICIENT];
        for kind in secrets {
            refused!(CKR_ATTRIBUTE_SENSITIVE, session.get(key, kind), "{kind:#x}");
        }
        assert!(session.get(key, CKA_MODULUS).is_ok());
        assert!(session.get(key, CKA_PUBLIC_EXPONENT).is_ok());
    }

    fn every_number_of_an_extractable_rsa_key_is_given(kit) {
        let session = kit.user();
        let template = keys::rsa_private().and(attrs![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true]);
        let key = session.create(&template).unwrap();
        for (kind, value) in &keys::rsa_private().0 {
            assert_eq!(session.get(key, *kind).as_ref(), Ok(value), "{kind:#x}");
        }
    }

    fn a_mixed_template_gives_what_it_can(kit) {
        let session = kit.user();
        let key = session.create(&keys::aes_template(&[7; 16]).and(attrs![CKA_LABEL => "key"])).unwrap();
        let (mut label, mut value, mut id) = ([0; 3], [0; 16], [0; 4]);
        let mut asked = [
            attribute_into(CKA_VALUE, &mut value),
            attribute_into(CKA_MODULUS, &mut id),
            attribute_into(CKA_LABEL, &mut label),
        ];
        let answer = session.attributes(key, &mut asked);
        refused!(CKR_ATTRIBUTE_SENSITIVE | CKR_ATTRIBUTE_TYPE_INVALID, answer);
        assert_eq!(asked.map(|attribute| attribute.ulValueLen), [NONE, NONE, 3]);
        assert_eq!((&label, value), (b"key", [0; 16]));
    }

    fn a_small_buffer_does_not_hold_up_the_others(kit) {
        let (session, object) = data(kit);
        let (mut value, mut label) = ([0; 2], [0; 9]);
        let mut asked = [attribute_into(CKA_VALUE, &mut value), attribute_into(CKA_LABEL, &mut label)];
        refused!(CKR_BUFFER_TOO_SMALL, session.attributes(object, &mut asked));
        assert_eq!(asked.map(|attribute| attribute.ulValueLen), [NONE, 5]);
        assert_eq!(&label[..5], b"label");
    }

    fn an_empty_request_succeeds_or_is_a_bad_argument(kit) {
        let (session, object) = data(kit);
        let answer = session.attributes(object, &mut []);
        assert!([Ok(()), Err(Rv(CKR_ARGUMENTS_BAD))].contains(&answer), "{answer:?}");
        let args = [object.into(), Arg::NULL, 1usize.into()];
        refused!(CKR_ARGUMENTS_BAD, session.call(function!(C_GetAttributeValue), &args));
    }

    fn a_label_can_be_changed(kit) {
        let (session, object) = data(kit);
        session.set(object, &attrs![CKA_LABEL => "another, longer label"]).unwrap();
        assert_eq!(session.get(object, CKA_LABEL).unwrap(), b"another, longer label");
        assert_eq!(session.find(&attrs![CKA_LABEL => "another, longer label"]), Ok(vec![object]));
        assert_eq!(session.find(&attrs![CKA_LABEL => "label"]), Ok(vec![]));
    }

    fn a_changed_token_object_is_changed_after_a_restart(kit) {
        let session = kit.user();
        let object = session.create(&data_template("before", b"y").and(attrs![CKA_TOKEN => true])).unwrap();
        session.set(object, &attrs![CKA_LABEL => "after"]).unwrap();
        kit.module.finalize().unwrap();
        let session = Token::find(kit.initialised()).user();
        assert_eq!(session.find(&attrs![CKA_LABEL => "after"]).unwrap().len(), 1);
        assert_eq!(session.find(&attrs![CKA_LABEL => "before"]), Ok(vec![]));
    }

    fn usage_flags_can_be_changed(kit) {
        let session = kit.user();
        let key = keys::aes(&session, &[7; 16]);
        session.set(key, &attrs![CKA_ENCRYPT => false, CKA_ID => "id"]).unwrap();
        assert_eq!(session.flag(key, CKA_ENCRYPT), Ok(false));
        let ecb = Mech::plain(CKM_AES_ECB);
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.encrypt(&ecb, key, &[0; 16]));
        assert!(session.decrypt(&ecb, key, &[0; 16]).is_ok());
    }

    fn what_an_object_is_cannot_be_changed(kit) {
        let session = kit.user();
        let key = session.create(&keys::aes_template(&[7; 16]).and(attrs![CKA_TOKEN => true])).unwrap();
        for (name, change) in [
            ("class", attrs![CKA_CLASS => CKO_DATA]),
            ("key type", attrs![CKA_KEY_TYPE => CKK_GENERIC_SECRET]),
            ("value", attrs![CKA_VALUE => [8u8; 16]]),
            ("token", attrs![CKA_TOKEN => false]),
            ("private", attrs![CKA_PRIVATE => false]),
            ("local", attrs![CKA_LOCAL => true]),
            ("always sensitive", attrs![CKA_ALWAYS_SENSITIVE => true]),
            ("never extractable", attrs![CKA_NEVER_EXTRACTABLE => true]),
            ("generation mechanism", attrs![CKA_KEY_GEN_MECHANISM => CKM_AES_KEY_GEN]),
            ("modifiable", attrs![CKA_MODIFIABLE => false]),
            ("trusted", attrs![CKA_TRUSTED => true]),
        ] {
            refused!(CKR_ATTRIBUTE_READ_ONLY, session.set(key, &change), "{name}");
        }
    }

    fn sensitive_goes_one_way(kit) {
        let session = kit.user();
        let key = keys::aes(&session, &[7; 16]);
        session.set(key, &attrs![CKA_SENSITIVE => true]).unwrap();
        refused!(CKR_ATTRIBUTE_READ_ONLY, session.set(key, &attrs![CKA_SENSITIVE => false]));
        assert_eq!(session.flag(key, CKA_SENSITIVE), Ok(true));
        assert_eq!(session.flag(key, CKA_ALWAYS_SENSITIVE), Ok(false));
    }

    fn extractable_goes_one_way(kit) {
        let session = kit.user();
        let key = keys::generate_aes(&session, attrs![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true]);
        session.set(key, &attrs![CKA_EXTRACTABLE => false]).unwrap();
        refused!(CKR_ATTRIBUTE_READ_ONLY, session.set(key, &attrs![CKA_EXTRACTABLE => true]));
        refused!(CKR_ATTRIBUTE_SENSITIVE, session.get(key, CKA_VALUE));
        assert_eq!(session.flag(key, CKA_NEVER_EXTRACTABLE), Ok(false));
    }

    fn wrapping_with_trusted_keys_only_goes_one_way(kit) {
        let session = kit.user();
        let key = keys::generate_aes(&session, attrs![CKA_WRAP_WITH_TRUSTED => true]);
        refused!(CKR_ATTRIBUTE_READ_ONLY, session.set(key, &attrs![CKA_WRAP_WITH_TRUSTED => false]));
    }

    fn copyable_goes_one_way(kit) {
        let session = kit.user();
        let object = session.create(&data_template("x", b"y").and(attrs![CKA_COPYABLE => false])).unwrap();
        refused!(CKR_ATTRIBUTE_READ_ONLY, session.set(object, &attrs![CKA_COPYABLE => true]));
    }

    fn an_object_that_is_not_modifiable_is_not_changed(kit) {
        let session = kit.user();
        let object = session.create(&data_template("x", b"y").and(attrs![CKA_MODIFIABLE => false])).unwrap();
        refused!(
            CKR_ACTION_PROHIBITED | CKR_ATTRIBUTE_READ_ONLY,
            session.set(object, &attrs![CKA_LABEL => "z"])
        );
        assert_eq!(session.get(object, CKA_LABEL).unwrap(), b"x");
    }

    fn one_refused_change_refuses_them_all(kit) {
        let (session, object) = data(kit);
        let both = attrs![CKA_LABEL => "changed", CKA_CLASS => CKO_SECRET_KEY];
        refused!(CKR_ATTRIBUTE_READ_ONLY, session.set(object, &both));
        assert_eq!(session.get(object, CKA_LABEL).unwrap(), b"label");
    }

    fn a_change_of_an_unknown_attribute_is_refused(kit) {
        let (session, object) = data(kit);
        refused!(CKR_ATTRIBUTE_TYPE_INVALID, session.set(object, &attrs![0x7777_7777 => "x"]));
        refused!(CKR_ATTRIBUTE_TYPE_INVALID, session.set(object, &attrs![CKA_MODULUS => "x"]));
    }

    fn a_change_to_a_value_of_the_wrong_length_is_refused(kit) {
        let session = kit.user();
        let key = keys::aes(&session, &[7; 16]);
        for wrong in
            [attrs![CKA_ENCRYPT => ""], attrs![CKA_ENCRYPT => "12"], attrs![CKA_START_DATE => "2024"]]
        {
            refused!(CKR_ATTRIBUTE_VALUE_INVALID, session.set(key, &wrong));
        }
    }

    fn a_date_can_be_set_and_cleared(kit) {
        let session = kit.user();
        let key = keys::aes(&session, &[7; 16]);
        session.set(key, &attrs![CKA_START_DATE => "20240229"]).unwrap();
        assert_eq!(session.get(key, CKA_START_DATE).unwrap(), b"20240229");
        session.set(key, &attrs![CKA_START_DATE => ""]).unwrap();
        assert_eq!(session.get(key, CKA_START_DATE), Ok(vec![]));
    }
}
