//! C_Login and C_Logout, and what they do to private objects. PKCS #11 3.2, sections 5.6.8 to 5.6.10
//! and 4.4 (CKA_PRIVATE).
#![allow(clippy::expect_used, reason = "helpers of tests fail as tests do")]

use hsm_tests::function;
use hsm_tests::keys::{self, data_template};
use hsm_tests::kit::{PIN, SO_PIN};
use hsm_tests::operations::{DIGEST, ENCRYPT, SIGN};
use hsm_tests::prelude::*;
use hsm_tests::raw::Arg;

fn private_data() -> hsm_tests::template::Template {
    data_template("secret", b"value").and(attrs![CKA_TOKEN => true, CKA_PRIVATE => true])
}

/// A private key with CKA_ALWAYS_AUTHENTICATE.
fn asking(session: &Session<'_>) -> Object {
    let more = attrs![CKA_ALWAYS_AUTHENTICATE => true, CKA_PRIVATE => true];
    session.create(&keys::rsa_private().and(more)).expect("importing an RSA key")
}

fn rsa_pkcs() -> Mech {
    Mech::plain(CKM_RSA_PKCS)
}

fn hmac() -> Mech {
    Mech::plain(CKM_SHA256_HMAC)
}

isolated! {
    fn login_twice_is_refused(kit) {
        let token = kit.token();
        let user = token.user();
        refused!(CKR_USER_ALREADY_LOGGED_IN, user.login(CKU_USER, PIN));
        refused!(CKR_USER_ALREADY_LOGGED_IN, token.ro().login(CKU_USER, PIN), "in another session");
    }

    fn the_so_cannot_log_in_beside_the_user(kit) {
        let session = kit.user();
        refused!(CKR_USER_ANOTHER_ALREADY_LOGGED_IN, session.login(CKU_SO, SO_PIN));
    }

    fn the_user_cannot_log_in_beside_the_so(kit) {
        let session = kit.token().so();
        refused!(CKR_USER_ANOTHER_ALREADY_LOGGED_IN, session.login(CKU_USER, PIN));
        refused!(CKR_USER_ALREADY_LOGGED_IN, session.login(CKU_SO, SO_PIN));
    }

    fn a_user_type_that_does_not_exist_is_refused(kit) {
        let session = kit.token().rw();
        for user in [3, 99, CK_USER_TYPE::MAX] {
            refused!(CKR_USER_TYPE_INVALID, session.login(user, PIN), "{user}");
        }
    }

    fn a_context_login_without_an_operation_is_refused(kit) {
        let session = kit.user();
        refused!(CKR_OPERATION_NOT_INITIALIZED, session.login(CKU_CONTEXT_SPECIFIC, PIN));
    }

    fn login_without_a_user_pin_set_is_refused(kit) {
        let module = kit.initialised();
        module.init_token(module.free_slot(), SO_PIN, "fresh").unwrap();
        let session = module.open_rw(module.slot_of("fresh").unwrap()).unwrap();
        refused!(CKR_USER_PIN_NOT_INITIALIZED, session.login(CKU_USER, PIN));
    }

    fn login_with_a_null_pin_is_refused(kit) {
        let session = kit.token().rw();
        let args = [CKU_USER.into(), Arg::NULL, 7usize.into()];
        refused!(CKR_ARGUMENTS_BAD, session.call(function!(C_Login), &args));
    }

    fn login_with_an_empty_pin_is_refused(kit) {
        let session = kit.token().rw();
        refused!(CKR_PIN_INCORRECT | CKR_PIN_LEN_RANGE, session.login(CKU_USER, ""));
        assert_eq!(session.state(), Ok(CKS_RW_PUBLIC_SESSION));
    }

    fn a_pin_is_compared_in_full(kit) {
        let session = kit.token().rw();
        refused!(CKR_PIN_INCORRECT, session.login(CKU_USER, &PIN[..PIN.len() - 1]));
        refused!(CKR_PIN_INCORRECT, session.login(CKU_USER, &format!("{PIN}0")));
        session.login(CKU_USER, PIN).unwrap();
    }

    fn the_sos_pin_is_not_the_users(kit) {
        let session = kit.token().rw();
        refused!(CKR_PIN_INCORRECT, session.login(CKU_USER, SO_PIN));
        refused!(CKR_PIN_INCORRECT, session.login(CKU_SO, PIN));
    }

    fn logout_without_login_is_refused(kit) {
        refused!(CKR_USER_NOT_LOGGED_IN, kit.token().rw().logout());
    }

    fn logout_twice_is_refused(kit) {
        let session = kit.user();
        session.logout().unwrap();
        refused!(CKR_USER_NOT_LOGGED_IN, session.logout());
    }

    fn private_objects_are_invisible_without_login(kit) {
        let token = kit.token();
        let user = token.user();
        user.create(&private_data()).unwrap();
        user.close().unwrap();
        let session = token.ro();
        assert_eq!(session.find(&attrs![]), Ok(vec![]));
        assert_eq!(session.find(&attrs![CKA_LABEL => "secret"]), Ok(vec![]));
        session.login(CKU_USER, PIN).unwrap();
        assert_eq!(session.find(&attrs![CKA_LABEL => "secret"]).unwrap().len(), 1);
    }

    fn private_objects_are_invisible_to_the_so(kit) {
        let token = kit.token();
        let user = token.user();
        user.create(&private_data()).unwrap();
        user.close().unwrap();
        assert_eq!(token.so().find(&attrs![]), Ok(vec![]));
    }

    fn private_objects_disappear_with_logout(kit) {
        let session = kit.user();
        let object = session.create(&private_data()).unwrap();
        session.logout().unwrap();
        assert_eq!(session.find(&attrs![]), Ok(vec![]));
        refused!(CKR_OBJECT_HANDLE_INVALID, session.get(object, CKA_LABEL));
        refused!(CKR_OBJECT_HANDLE_INVALID, session.destroy(object));
    }

    fn private_session_objects_are_destroyed_by_logout(kit) {
        let session = kit.user();
        session.create(&private_data().and(attrs![CKA_TOKEN => false])).unwrap();
        session.logout().unwrap();
        session.login(CKU_USER, PIN).unwrap();
        assert_eq!(session.find(&attrs![]), Ok(vec![]));
    }

    fn public_session_objects_outlive_logout(kit) {
        let session = kit.user();
        let template = data_template("public", b"value").and(attrs![CKA_PRIVATE => false]);
        let object = session.create(&template).unwrap();
        session.logout().unwrap();
        assert_eq!(session.get(object, CKA_VALUE).unwrap(), b"value");
    }

    fn handles_of_private_token_objects_do_not_come_back_with_login(kit) {
        let session = kit.user();
        let object = session.create(&private_data()).unwrap();
        session.logout().unwrap();
        session.login(CKU_USER, PIN).unwrap();
        refused!(CKR_OBJECT_HANDLE_INVALID, session.get(object, CKA_LABEL));
        assert_eq!(session.find(&attrs![CKA_LABEL => "secret"]).unwrap().len(), 1);
    }

    fn private_keys_end_with_logout(kit) {
        let session = kit.user();
        let template = keys::secret_template(&[7; 32]).and(attrs![CKA_TOKEN => true, CKA_PRIVATE => true]);
        let key = session.create(&template).unwrap();
        session.sign(&hmac(), key, b"data").unwrap();
        session.logout().unwrap();
        refused!(CKR_KEY_HANDLE_INVALID | CKR_USER_NOT_LOGGED_IN, session.sign(&hmac(), key, b"data"));
    }

    fn a_running_signature_with_a_private_key_ends_with_logout(kit) {
        let session = kit.user();
        let template = keys::secret_template(&[7; 32]).and(attrs![CKA_PRIVATE => true]);
        let key = session.create(&template).unwrap();
        session.init(SIGN, &hmac(), key).unwrap();
        session.logout().unwrap();
        let answer = session.once(SIGN, b"data", Out::Buffer(&mut [0; 32]));
        refused!(CKR_OPERATION_NOT_INITIALIZED | CKR_USER_NOT_LOGGED_IN, answer);
    }

    fn a_running_encryption_with_a_private_key_ends_with_logout(kit) {
        let session = kit.user();
        let template = keys::aes_template(&[7; 32]).and(attrs![CKA_PRIVATE => true]);
        let key = session.create(&template).unwrap();
        session.init(ENCRYPT, &Mech::plain(CKM_AES_ECB), key).unwrap();
        session.logout().unwrap();
        let answer = session.once(ENCRYPT, &[0; 16], Out::Buffer(&mut [0; 16]));
        refused!(CKR_OPERATION_NOT_INITIALIZED | CKR_USER_NOT_LOGGED_IN, answer);
    }

    fn a_running_signature_ends_with_a_logout_in_another_session(kit) {
        let token = kit.token();
        let (one, two) = (token.user(), token.rw());
        let template = keys::secret_template(&[7; 32]).and(attrs![CKA_PRIVATE => true]);
        let key = one.create(&template).unwrap();
        one.init(SIGN, &hmac(), key).unwrap();
        two.logout().unwrap();
        let answer = one.once(SIGN, b"data", Out::Buffer(&mut [0; 32]));
        refused!(CKR_OPERATION_NOT_INITIALIZED | CKR_USER_NOT_LOGGED_IN, answer);
    }

    fn a_running_digest_does_not_care_about_logout(kit) {
        let session = kit.user();
        session.digest_init(&Mech::plain(CKM_SHA256)).unwrap();
        session.logout().unwrap();
        assert_eq!(session.once(DIGEST, b"abc", Out::Buffer(&mut [0; 32])), Ok(32));
    }

    fn a_private_object_needs_login_to_be_made(kit) {
        let session = kit.token().rw();
        refused!(CKR_USER_NOT_LOGGED_IN, session.create(&private_data()));
        refused!(CKR_USER_NOT_LOGGED_IN, session.create(&private_data().and(attrs![CKA_TOKEN => false])));
        let aes = attrs![CKA_VALUE_LEN => 32 as CK_ULONG, CKA_PRIVATE => true];
        refused!(CKR_USER_NOT_LOGGED_IN, session.generate(&Mech::plain(CKM_AES_KEY_GEN), &aes));
    }

    fn the_so_cannot_make_private_objects(kit) {
        refused!(CKR_USER_NOT_LOGGED_IN, kit.token().so().create(&private_data()));
    }

    fn public_session_objects_need_no_login(kit) {
        let session = kit.token().rw();
        let template = data_template("public", b"value").and(attrs![CKA_PRIVATE => false]);
        assert!(session.create(&template).is_ok());
    }

    fn a_private_object_cannot_be_searched_by_its_value_without_login(kit) {
        let token = kit.token();
        let user = token.user();
        user.create(&private_data()).unwrap();
        user.logout().unwrap();
        for template in [attrs![CKA_VALUE => "value"], attrs![CKA_PRIVATE => true], attrs![CKA_TOKEN => true]]
        {
            assert_eq!(user.find(&template), Ok(vec![]));
        }
    }

    fn a_key_may_ask_for_its_pin_at_each_use(kit) {
        let session = kit.user();
        let key = asking(&session);
        for _ in 0..2 {
            session.init(SIGN, &rsa_pkcs(), key).unwrap();
            session.login(CKU_CONTEXT_SPECIFIC, PIN).unwrap();
            assert_eq!(session.once(SIGN, b"data", Out::Buffer(&mut [0; 256])), Ok(256));
        }
    }

    fn a_key_that_asks_for_its_pin_does_nothing_without_it(kit) {
        let session = kit.user();
        let key = asking(&session);
        session.init(SIGN, &rsa_pkcs(), key).unwrap();
        let answer = session.once(SIGN, b"data", Out::Buffer(&mut [0; 256]));
        refused!(CKR_USER_NOT_LOGGED_IN, answer);
    }

    fn one_context_login_is_for_one_use(kit) {
        let session = kit.user();
        let key = asking(&session);
        session.init(SIGN, &rsa_pkcs(), key).unwrap();
        session.login(CKU_CONTEXT_SPECIFIC, PIN).unwrap();
        session.once(SIGN, b"data", Out::Buffer(&mut [0; 256])).unwrap();
        session.init(SIGN, &rsa_pkcs(), key).unwrap();
        refused!(CKR_USER_NOT_LOGGED_IN, session.once(SIGN, b"data", Out::Buffer(&mut [0; 256])));
    }

    fn a_wrong_pin_in_a_context_login_is_refused(kit) {
        let session = kit.user();
        let key = asking(&session);
        session.init(SIGN, &rsa_pkcs(), key).unwrap();
        refused!(CKR_PIN_INCORRECT, session.login(CKU_CONTEXT_SPECIFIC, "wrong pin"));
        let answer = session.once(SIGN, b"data", Out::Buffer(&mut [0; 256]));
        refused!(CKR_USER_NOT_LOGGED_IN | CKR_OPERATION_NOT_INITIALIZED, answer);
        assert_eq!(session.state(), Ok(CKS_RW_USER_FUNCTIONS), "the user stays logged in");
    }
}
