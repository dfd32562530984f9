//! Sessions: opening, closing, states. PKCS #11 3.2, sections 5.6.1 to 5.6.7.

use hsm_tests::function;
use hsm_tests::keys::data_template;
use hsm_tests::kit::{PIN, SO_PIN};
use hsm_tests::prelude::*;
use hsm_tests::raw::Arg;

isolated! {
    fn a_session_needs_the_serial_flag(kit) {
        let token = kit.token();
        for flags in [0, CKF_RW_SESSION] {
            refused!(CKR_SESSION_PARALLEL_NOT_SUPPORTED, token.module.open(token.slot, flags));
        }
    }

    fn a_session_needs_a_place_for_its_handle(kit) {
        let token = kit.token();
        let args = [token.slot.into(), CKF_SERIAL_SESSION.into(), Arg::NULL, Arg::NULL, Arg::NULL];
        refused!(CKR_ARGUMENTS_BAD, token.module.call(function!(C_OpenSession), &args));
    }

    fn session_info_names_slot_and_flags(kit) {
        let token = kit.token();
        let (ro, rw) = (token.ro().info().unwrap(), token.rw().info().unwrap());
        assert_eq!((ro.slotID, ro.flags), (token.slot, CKF_SERIAL_SESSION));
        assert_eq!((rw.slotID, rw.flags), (token.slot, CKF_SERIAL_SESSION | CKF_RW_SESSION));
        assert_eq!((ro.ulDeviceError, rw.ulDeviceError), (0, 0));
    }

    fn states_without_login(kit) {
        let token = kit.token();
        assert_eq!(token.ro().state(), Ok(CKS_RO_PUBLIC_SESSION));
        assert_eq!(token.rw().state(), Ok(CKS_RW_PUBLIC_SESSION));
    }

    fn the_users_login_is_in_every_session_of_the_token(kit) {
        let token = kit.token();
        let (ro, rw) = (token.ro(), token.rw());
        ro.login(CKU_USER, PIN).unwrap();
        assert_eq!(ro.state(), Ok(CKS_RO_USER_FUNCTIONS));
        assert_eq!(rw.state(), Ok(CKS_RW_USER_FUNCTIONS));
        assert_eq!(token.rw().state(), Ok(CKS_RW_USER_FUNCTIONS), "opened after the login");
    }

    fn the_sos_login_is_in_every_session_of_the_token(kit) {
        let token = kit.token();
        let other = token.rw();
        token.so();
        assert_eq!(other.state(), Ok(CKS_RW_SO_FUNCTIONS));
    }

    fn a_login_does_not_reach_another_token(kit) {
        let token = kit.token();
        let other = Token::make(token.module, "other").rw();
        token.user();
        assert_eq!(other.state(), Ok(CKS_RW_PUBLIC_SESSION));
    }

    fn logout_is_in_every_session_of_the_token(kit) {
        let token = kit.token();
        let (one, two) = (token.user(), token.ro());
        two.logout().unwrap();
        assert_eq!(one.state(), Ok(CKS_RW_PUBLIC_SESSION));
        assert_eq!(two.state(), Ok(CKS_RO_PUBLIC_SESSION));
    }

    fn the_last_session_closed_logs_out(kit) {
        let token = kit.token();
        let (one, two) = (token.user(), token.ro());
        one.close().unwrap();
        assert_eq!(two.state(), Ok(CKS_RO_USER_FUNCTIONS));
        two.close().unwrap();
        assert_eq!(token.rw().state(), Ok(CKS_RW_PUBLIC_SESSION));
    }

    fn closing_all_sessions_logs_out(kit) {
        let token = kit.token();
        token.user();
        token.module.close_all(token.slot).unwrap();
        assert_eq!(token.rw().state(), Ok(CKS_RW_PUBLIC_SESSION));
    }

    fn finalize_logs_out(kit) {
        kit.token().user();
        kit.module.finalize().unwrap();
        assert_eq!(Token::find(kit.initialised()).rw().state(), Ok(CKS_RW_PUBLIC_SESSION));
    }

    fn a_read_only_session_is_refused_while_the_so_is_logged_in(kit) {
        let token = kit.token();
        token.so();
        refused!(CKR_SESSION_READ_WRITE_SO_EXISTS, token.module.open_ro(token.slot));
        assert!(token.module.open_rw(token.slot).is_ok());
    }

    fn the_so_cannot_log_in_while_a_read_only_session_is_open(kit) {
        let token = kit.token();
        let ro = token.ro();
        let rw = token.rw();
        refused!(CKR_SESSION_READ_ONLY_EXISTS, rw.login(CKU_SO, SO_PIN));
        refused!(CKR_SESSION_READ_ONLY_EXISTS | CKR_SESSION_READ_ONLY, ro.login(CKU_SO, SO_PIN));
        ro.close().unwrap();
        rw.login(CKU_SO, SO_PIN).unwrap();
    }

    fn a_closed_session_is_invalid(kit) {
        let token = kit.token();
        let (session, other) = (token.rw(), token.rw());
        session.close().unwrap();
        refused!(CKR_SESSION_HANDLE_INVALID, session.close());
        refused!(CKR_SESSION_HANDLE_INVALID, session.info());
        refused!(CKR_SESSION_HANDLE_INVALID, session.random(8));
        refused!(CKR_SESSION_HANDLE_INVALID, session.find_init(&attrs![]));
        refused!(CKR_SESSION_HANDLE_INVALID, session.digest_init(&Mech::plain(CKM_SHA256)));
        assert!(other.info().is_ok());
    }

    fn closing_all_sessions_leaves_other_tokens_alone(kit) {
        let token = kit.token();
        let other = Token::make(token.module, "other").rw();
        let (one, two) = (token.rw(), token.ro());
        token.module.close_all(token.slot).unwrap();
        refused!(CKR_SESSION_HANDLE_INVALID, one.info());
        refused!(CKR_SESSION_HANDLE_INVALID, two.info());
        assert!(other.info().is_ok());
    }

    fn closing_all_sessions_of_a_token_without_any_succeeds(kit) {
        let token = kit.token();
        assert_eq!(token.module.close_all(token.slot), Ok(()));
    }

    fn finalize_ends_sessions(kit) {
        let session = kit.token().rw();
        kit.module.finalize().unwrap();
        kit.module.initialize().unwrap();
        refused!(CKR_SESSION_HANDLE_INVALID, session.info());
    }

    fn a_handle_that_was_never_given_is_invalid(kit) {
        let token = kit.token();
        for handle in [CK_INVALID_HANDLE, 0x1234_5678, CK_SESSION_HANDLE::MAX] {
            let session = Session::at(token.module, handle);
            refused!(CKR_SESSION_HANDLE_INVALID, session.info(), "{handle:#x}");
            refused!(CKR_SESSION_HANDLE_INVALID, session.close(), "{handle:#x}");
            refused!(CKR_SESSION_HANDLE_INVALID, session.login(CKU_USER, PIN), "{handle:#x}");
            refused!(CKR_SESSION_HANDLE_INVALID, session.logout(), "{handle:#x}");
        }
    }

    fn session_handles_differ(kit) {
        let token = kit.token();
        let mut handles: Vec<_> = (0..100).map(|_| token.ro().handle).collect();
        handles.sort_unstable();
        handles.dedup();
        assert_eq!(handles.len(), 100);
    }

    fn a_thousand_sessions_can_be_open(kit) {
        let token = kit.token();
        let sessions: Vec<_> = (0..1000).map(|_| token.ro()).collect();
        assert!(sessions.iter().all(|session| session.info().is_ok()));
        assert!(sessions.iter().all(|session| session.close().is_ok()));
    }

    fn session_objects_end_with_their_session(kit) {
        let token = kit.token();
        let (one, two) = (token.rw(), token.rw());
        let object = one.create(&data_template("mine", b"value").and(attrs![CKA_PRIVATE => false])).unwrap();
        assert_eq!(two.find(&attrs![CKA_LABEL => "mine"]).unwrap().len(), 1, "seen by its token's sessions");
        one.close().unwrap();
        assert_eq!(two.find(&attrs![CKA_LABEL => "mine"]), Ok(vec![]));
        refused!(CKR_OBJECT_HANDLE_INVALID, two.get(object, CKA_LABEL));
    }

    fn session_objects_do_not_survive_finalize(kit) {
        let session = kit.token().rw();
        session.create(&data_template("mine", b"value").and(attrs![CKA_PRIVATE => false])).unwrap();
        kit.module.finalize().unwrap();
        let session = Token::find(kit.initialised()).rw();
        assert_eq!(session.find(&attrs![CKA_LABEL => "mine"]), Ok(vec![]));
    }

    fn token_objects_survive_finalize(kit) {
        let more = attrs![CKA_TOKEN => true, CKA_PRIVATE => false];
        kit.user().create(&data_template("mine", b"value").and(more)).unwrap();
        kit.module.finalize().unwrap();
        let session = Token::find(kit.initialised()).ro();
        let found = session.find(&attrs![CKA_LABEL => "mine"]).unwrap();
        assert_eq!(session.get(found[0], CKA_VALUE).unwrap(), b"value");
    }

    fn operations_of_one_session_do_not_touch_another(kit) {
        let token = kit.token();
        let (one, two) = (token.rw(), token.rw());
        let mech = Mech::plain(CKM_SHA256);
        one.digest_init(&mech).unwrap();
        let whole = two.digest(&mech, b"abc").unwrap();
        one.update(hsm_tests::operations::DIGEST, b"abc").unwrap();
        let mut digest = [0; 32];
        one.last(hsm_tests::operations::DIGEST, Out::Buffer(&mut digest)).unwrap();
        assert_eq!(digest, *whole);
    }
}
