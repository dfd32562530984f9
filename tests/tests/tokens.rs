//! Tokens: C_InitToken, C_GetTokenInfo. PKCS #11 3.2, sections 5.5 and 3.2 (token flags).

use hsm_tests::function;
use hsm_tests::keys::data_template;
use hsm_tests::kit::{Child, Gate, LABEL, PIN, SO_PIN};
use hsm_tests::module::text;
use hsm_tests::prelude::*;
use hsm_tests::raw::Arg;

const USER_TROUBLE: CK_FLAGS = CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED;
const SO_TROUBLE: CK_FLAGS = CKF_SO_PIN_COUNT_LOW | CKF_SO_PIN_FINAL_TRY | CKF_SO_PIN_LOCKED;

isolated! {
    fn a_tokens_label_is_padded_with_blanks(kit) {
        let token = kit.token();
        assert_eq!(token.info().label, *format!("{LABEL:32}").as_bytes());
    }

    fn a_tokens_label_may_fill_its_field(kit) {
        let module = kit.initialised();
        let label = "Ein Token mit Öl, 32 Bytes lang";
        assert_eq!(label.len(), 32);
        module.init_token(module.free_slot(), SO_PIN, label.trim_end()).unwrap();
        assert!(module.slot_of(label).is_some());
    }

    fn two_tokens_may_share_a_label(kit) {
        let module = kit.initialised();
        for _ in 0..2 {
            module.init_token(module.free_slot(), SO_PIN, "same").unwrap();
        }
        let serials: Vec<_> = module.slots(true).unwrap()[..2]
            .iter()
            .map(|&slot| module.token_info(slot).unwrap())
            .inspect(|info| assert_eq!(text(&info.label), "same"))
            .map(|info| info.serialNumber)
            .collect();
        assert_ne!(serials[0], serials[1]);
    }

    fn a_token_that_is_not_initialised_says_so(kit) {
        let module = kit.initialised();
        let flags = module.token_info(module.free_slot()).unwrap().flags;
        assert_eq!(flags & (CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED), 0);
        assert_eq!(flags & CKF_RNG, CKF_RNG);
    }

    fn an_initialised_token_without_user_pin_says_so(kit) {
        let module = kit.initialised();
        module.init_token(module.free_slot(), SO_PIN, "fresh").unwrap();
        let flags = module.token_info(module.slot_of("fresh").unwrap()).unwrap().flags;
        assert_eq!(flags & CKF_TOKEN_INITIALIZED, CKF_TOKEN_INITIALIZED);
        assert_eq!(flags & CKF_USER_PIN_INITIALIZED, 0);
    }

    fn a_token_with_user_pin_has_the_flags_of_one(kit) {
        let flags = kit.token().flags();
        let expected = CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED | CKF_LOGIN_REQUIRED | CKF_RNG;
        assert_eq!(flags & expected, expected, "{flags:#x}");
        assert_eq!(flags & (USER_TROUBLE | SO_TROUBLE), 0, "{flags:#x}");
        assert_eq!(flags & (CKF_WRITE_PROTECTED | CKF_PROTECTED_AUTHENTICATION_PATH), 0);
        assert_eq!(flags & (CKF_USER_PIN_TO_BE_CHANGED | CKF_SO_PIN_TO_BE_CHANGED), 0);
    }

    fn token_info_says_the_limits_of_pins(kit) {
        let info = kit.token().info();
        assert!(info.ulMinPinLen >= 4, "{}", info.ulMinPinLen);
        assert!(info.ulMaxPinLen > info.ulMinPinLen && info.ulMaxPinLen <= 1024, "{}", info.ulMaxPinLen);
    }

    fn token_info_is_text_padded_with_blanks(kit) {
        let info = kit.token().info();
        for field in [&info.label[..], &info.manufacturerID, &info.model, &info.serialNumber] {
            assert!(!field.contains(&0), "{field:?}");
            assert!(!text(field).is_empty());
        }
        assert!(text(&info.serialNumber).bytes().all(|byte| byte.is_ascii_hexdigit()));
    }

    fn token_info_counts_sessions_or_says_that_it_does_not(kit) {
        let token = kit.token();
        token.rw();
        token.ro();
        let info = token.info();
        let unavailable = CK_UNAVAILABLE_INFORMATION;
        assert!([2, unavailable].contains(&info.ulSessionCount), "{}", info.ulSessionCount);
        assert!([1, unavailable].contains(&info.ulRwSessionCount), "{}", info.ulRwSessionCount);
    }

    fn reinitialising_needs_the_so_pin(kit) {
        let token = kit.token();
        refused!(CKR_PIN_INCORRECT, token.module.init_token(token.slot, "87654321", "other"));
        assert_eq!(text(&token.info().label), LABEL, "nothing changed");
        token.user();
    }

    fn reinitialising_is_refused_while_a_session_is_open(kit) {
        let token = kit.token();
        let session = token.ro();
        refused!(CKR_SESSION_EXISTS, token.module.init_token(token.slot, SO_PIN, "other"));
        session.close().unwrap();
        assert_eq!(token.module.init_token(token.slot, SO_PIN, "other"), Ok(()));
    }

    fn reinitialising_is_refused_while_another_process_has_a_session(kit) {
        let gate = Gate::new();
        let child = Child::fork(|| {
            gate.wait();
            let token = Token::find(kit.initialised());
            refused!(CKR_SESSION_EXISTS, token.module.init_token(token.slot, SO_PIN, "other"));
        });
        kit.token().ro();
        gate.open();
        child.succeeds();
    }

    fn a_dead_process_does_not_hold_off_reinitialising(kit) {
        let gate = Gate::new();
        let child = Child::fork(|| {
            gate.wait();
            Token::find(kit.initialised()).ro();
        });
        let token = kit.token();
        gate.open();
        child.succeeds();
        assert_eq!(token.module.init_token(token.slot, SO_PIN, "other"), Ok(()));
    }

    fn reinitialising_gives_the_token_its_new_label(kit) {
        let token = kit.token();
        token.module.init_token(token.slot, SO_PIN, "other").unwrap();
        assert_eq!(text(&token.info().label), "other");
    }

    fn reinitialising_wipes_objects(kit) {
        let token = kit.token();
        let user = token.user();
        for private in [true, false] {
            let more = attrs![CKA_TOKEN => true, CKA_PRIVATE => private];
            user.create(&data_template("kept?", b"value").and(more)).unwrap();
        }
        user.close().unwrap();
        token.module.init_token(token.slot, SO_PIN, LABEL).unwrap();
        let so = token.so();
        so.init_pin(PIN).unwrap();
        so.logout().unwrap();
        so.login(CKU_USER, PIN).unwrap();
        assert_eq!(so.find(&attrs![]), Ok(vec![]));
    }

    fn reinitialising_takes_the_user_pin_away(kit) {
        let token = kit.token();
        token.module.init_token(token.slot, SO_PIN, "other").unwrap();
        assert_eq!(token.flags() & CKF_USER_PIN_INITIALIZED, 0);
        refused!(CKR_USER_PIN_NOT_INITIALIZED, token.rw().login(CKU_USER, PIN));
    }

    fn reinitialising_leaves_other_tokens_alone(kit) {
        let token = kit.token();
        let other = Token::make(token.module, "other");
        let user = other.user();
        user.create(&data_template("kept", b"value").and(attrs![CKA_TOKEN => true])).unwrap();
        token.module.init_token(token.slot, SO_PIN, "wiped").unwrap();
        assert_eq!(user.find(&attrs![CKA_LABEL => "kept"]).unwrap().len(), 1);
    }

    fn a_new_tokens_so_pin_may_not_be_shorter_than_the_limit(kit) {
        let module = kit.initialised();
        let slot = module.free_slot();
        let min = module.token_info(slot).unwrap().ulMinPinLen;
        let short = "1".repeat(usize::try_from(min).unwrap() - 1);
        refused!(CKR_PIN_LEN_RANGE | CKR_PIN_INCORRECT, module.init_token(slot, &short, "label"));
        assert_eq!(module.slots(true).unwrap().len(), 1, "no token was made");
    }

    fn a_new_tokens_so_pin_may_not_be_longer_than_the_limit(kit) {
        let module = kit.initialised();
        let slot = module.free_slot();
        let max = module.token_info(slot).unwrap().ulMaxPinLen;
        let long = "1".repeat(usize::try_from(max).unwrap() + 1);
        refused!(CKR_PIN_LEN_RANGE | CKR_PIN_INCORRECT, module.init_token(slot, &long, "label"));
        assert_eq!(module.slots(true).unwrap().len(), 1, "no token was made");
    }

    fn init_token_refuses_null_pointers(kit) {
        let module = kit.initialised();
        let (slot, pin, label) = (module.free_slot(), SO_PIN.as_bytes(), [b' '; 32]);
        let no_label = [slot.into(), pin.into(), pin.len().into(), Arg::NULL];
        refused!(CKR_ARGUMENTS_BAD, module.call(function!(C_InitToken), &no_label));
        let no_pin = [slot.into(), Arg::NULL, pin.len().into(), label.as_slice().into()];
        refused!(CKR_ARGUMENTS_BAD, module.call(function!(C_InitToken), &no_pin));
    }

    fn a_session_on_a_token_that_is_not_initialised_is_refused(kit) {
        let module = kit.initialised();
        refused!(CKR_TOKEN_NOT_RECOGNIZED | CKR_TOKEN_NOT_INITIALIZED, module.open_rw(module.free_slot()));
    }
}
