//! PINs: C_InitPIN, C_SetPIN, and the retry counters with their flags. PKCS #11 3.2, section 5.5.
//! After ten wrong tries a PIN locks; the SO unlocks the user's by setting a new one.

use hsm_tests::kit::{Child, Gate, PIN, SO_PIN};
use hsm_tests::prelude::*;

const LIMIT: usize = 10;

/// The PIN's trouble flags: count low, final try, locked.
fn user_trouble(token: &Token<'_>) -> (bool, bool, bool) {
    let flags = token.flags();
    let has = |flag| flags & flag != 0;
    (has(CKF_USER_PIN_COUNT_LOW), has(CKF_USER_PIN_FINAL_TRY), has(CKF_USER_PIN_LOCKED))
}

fn so_trouble(token: &Token<'_>) -> (bool, bool, bool) {
    let flags = token.flags();
    let has = |flag| flags & flag != 0;
    (has(CKF_SO_PIN_COUNT_LOW), has(CKF_SO_PIN_FINAL_TRY), has(CKF_SO_PIN_LOCKED))
}

fn fail(session: &Session<'_>, user: CK_USER_TYPE, times: usize) {
    for round in 0..times {
        refused!(CKR_PIN_INCORRECT, session.login(user, "wrong pin"), "try {round}");
    }
}

isolated! {
    fn a_wrong_pin_is_refused(kit) {
        let session = kit.token().rw();
        refused!(CKR_PIN_INCORRECT, session.login(CKU_USER, "wrong pin"));
        refused!(CKR_PIN_INCORRECT, session.login(CKU_SO, "wrong pin"));
    }

    fn one_wrong_pin_lowers_the_count(kit) {
        let token = kit.token();
        fail(&token.rw(), CKU_USER, 1);
        assert_eq!(user_trouble(&token), (true, false, false));
        assert_eq!(so_trouble(&token), (false, false, false));
    }

    fn the_right_pin_resets_the_count(kit) {
        let token = kit.token();
        let session = token.rw();
        fail(&session, CKU_USER, LIMIT - 1);
        session.login(CKU_USER, PIN).unwrap();
        assert_eq!(user_trouble(&token), (false, false, false));
        session.logout().unwrap();
        fail(&session, CKU_USER, LIMIT - 1);
        session.login(CKU_USER, PIN).unwrap();
    }

    fn the_last_try_is_announced(kit) {
        let token = kit.token();
        fail(&token.rw(), CKU_USER, LIMIT - 1);
        assert_eq!(user_trouble(&token), (true, true, false));
    }

    fn ten_wrong_pins_lock_the_user(kit) {
        let token = kit.token();
        let session = token.rw();
        fail(&session, CKU_USER, LIMIT - 1);
        refused!(CKR_PIN_INCORRECT | CKR_PIN_LOCKED, session.login(CKU_USER, "wrong pin"));
        let (_, _, locked) = user_trouble(&token);
        assert!(locked);
        refused!(CKR_PIN_LOCKED, session.login(CKU_USER, PIN));
    }

    fn a_locked_user_does_not_lock_the_so(kit) {
        let token = kit.token();
        let session = token.rw();
        for _ in 0..LIMIT {
            let _ = session.login(CKU_USER, "wrong pin");
        }
        assert_eq!(so_trouble(&token), (false, false, false));
        session.login(CKU_SO, SO_PIN).unwrap();
    }

    fn the_so_unlocks_the_user_with_a_new_pin(kit) {
        let token = kit.token();
        let session = token.rw();
        for _ in 0..LIMIT {
            let _ = session.login(CKU_USER, "wrong pin");
        }
        refused!(CKR_PIN_LOCKED, session.login(CKU_USER, PIN));
        session.login(CKU_SO, SO_PIN).unwrap();
        session.init_pin("new pin").unwrap();
        session.logout().unwrap();
        assert_eq!(user_trouble(&token), (false, false, false));
        session.login(CKU_USER, "new pin").unwrap();
    }

    fn ten_wrong_pins_lock_the_so(kit) {
        let token = kit.token();
        let session = token.rw();
        for _ in 0..LIMIT {
            let _ = session.login(CKU_SO, "wrong pin");
        }
        let (_, _, locked) = so_trouble(&token);
        assert!(locked);
        refused!(CKR_PIN_LOCKED, session.login(CKU_SO, SO_PIN));
        session.login(CKU_USER, PIN).unwrap();
    }

    fn wrong_pins_of_set_pin_count(kit) {
        let token = kit.token();
        let session = token.rw();
        for _ in 0..LIMIT - 1 {
            refused!(CKR_PIN_INCORRECT, session.set_pin("wrong pin", "new pin"));
        }
        assert_eq!(user_trouble(&token), (true, true, false));
    }

    fn wrong_so_pins_of_init_token_count(kit) {
        let token = kit.token();
        refused!(CKR_PIN_INCORRECT, token.module.init_token(token.slot, "wrong pin", "label"));
        assert_eq!(so_trouble(&token), (true, false, false));
    }

    fn the_count_survives_a_restart(kit) {
        fail(&kit.token().rw(), CKU_USER, LIMIT - 1);
        kit.module.finalize().unwrap();
        assert_eq!(user_trouble(&Token::find(kit.initialised())), (true, true, false));
    }

    fn the_count_is_shared_between_processes(kit) {
        let gate = Gate::new();
        let child = Child::fork(|| {
            gate.wait();
            fail(&Token::find(kit.initialised()).rw(), CKU_USER, LIMIT / 2 - 1);
        });
        let token = kit.token();
        let session = token.rw();
        fail(&session, CKU_USER, LIMIT / 2);
        gate.open();
        child.succeeds();
        assert_eq!(user_trouble(&token), (true, true, false));
        let _ = session.login(CKU_USER, "wrong pin");
        refused!(CKR_PIN_LOCKED, session.login(CKU_USER, PIN));
    }

    fn set_pin_changes_the_users_pin(kit) {
        let session = kit.user();
        session.set_pin(PIN, "new pin").unwrap();
        session.logout().unwrap();
        refused!(CKR_PIN_INCORRECT, session.login(CKU_USER, PIN));
        session.login(CKU_USER, "new pin").unwrap();
    }

    fn set_pin_changes_the_sos_pin(kit) {
        let session = kit.token().so();
        session.set_pin(SO_PIN, "new so pin").unwrap();
        session.logout().unwrap();
        refused!(CKR_PIN_INCORRECT, session.login(CKU_SO, SO_PIN));
        session.login(CKU_SO, "new so pin").unwrap();
    }

    fn set_pin_without_login_changes_the_users_pin(kit) {
        let session = kit.token().rw();
        session.set_pin(PIN, "new pin").unwrap();
        session.login(CKU_USER, "new pin").unwrap();
    }

    fn set_pin_needs_a_read_write_session(kit) {
        refused!(CKR_SESSION_READ_ONLY, kit.token().ro().set_pin(PIN, "new pin"));
    }

    fn set_pin_keeps_private_objects(kit) {
        let session = kit.user();
        let template =
            attrs![CKA_CLASS => CKO_DATA, CKA_TOKEN => true, CKA_PRIVATE => true, CKA_VALUE => "kept"];
        session.create(&template).unwrap();
        session.set_pin(PIN, "new pin").unwrap();
        kit.module.finalize().unwrap();
        let session = Token::find(kit.initialised()).rw();
        session.login(CKU_USER, "new pin").unwrap();
        let found = session.find(&attrs![CKA_CLASS => CKO_DATA]).unwrap();
        assert_eq!(session.get(found[0], CKA_VALUE).unwrap(), b"kept");
    }

    fn init_pin_keeps_private_objects(kit) {
        let token = kit.token();
        let session = token.user();
        let template =
            attrs![CKA_CLASS => CKO_DATA, CKA_TOKEN => true, CKA_PRIVATE => true, CKA_VALUE => "kept"];
        session.create(&template).unwrap();
        session.logout().unwrap();
        session.login(CKU_SO, SO_PIN).unwrap();
        session.init_pin("new pin").unwrap();
        session.logout().unwrap();
        session.login(CKU_USER, "new pin").unwrap();
        let found = session.find(&attrs![CKA_CLASS => CKO_DATA]).unwrap();
        assert_eq!(session.get(found[0], CKA_VALUE).unwrap(), b"kept");
    }

    fn new_pins_outside_the_limits_are_refused(kit) {
        let token = kit.token();
        let info = token.info();
        let short = "1".repeat(usize::try_from(info.ulMinPinLen).unwrap() - 1);
        let long = "1".repeat(usize::try_from(info.ulMaxPinLen).unwrap() + 1);
        let session = token.so();
        for pin in [&short, &long] {
            refused!(CKR_PIN_LEN_RANGE, session.init_pin(pin), "C_InitPIN, {} bytes", pin.len());
            refused!(CKR_PIN_LEN_RANGE, session.set_pin(SO_PIN, pin), "C_SetPIN, {} bytes", pin.len());
        }
        session.logout().unwrap();
        session.login(CKU_USER, PIN).unwrap();
    }

    fn a_pin_of_the_largest_length_works(kit) {
        let token = kit.token();
        let long = "1".repeat(usize::try_from(token.info().ulMaxPinLen).unwrap());
        let session = token.user();
        session.set_pin(PIN, &long).unwrap();
        session.logout().unwrap();
        session.login(CKU_USER, &long).unwrap();
    }

    fn init_pin_is_for_the_so_alone(kit) {
        let token = kit.token();
        let session = token.rw();
        refused!(CKR_USER_NOT_LOGGED_IN, session.init_pin("new pin"));
        session.login(CKU_USER, PIN).unwrap();
        refused!(CKR_USER_NOT_LOGGED_IN, session.init_pin("new pin"));
    }
}
