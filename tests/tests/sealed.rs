//! An HSM that its people open: what an application sees before `softhsm-rs unlock`, after it, and after
//! `softhsm-rs lock`, without being started again.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail as tests do")]

use std::time::{Duration, Instant};

use hsm_tests::home::{Done, Home, cli};
use hsm_tests::keys::data_template;
use hsm_tests::kit::{Child, PIN, SO_PIN};
use hsm_tests::prelude::*;

/// An HSM with the kit's token, sealed by a passphrase.
struct Sealed<'k>(Home<'k>);

impl Sealed<'_> {
    fn new(kit: &Kit) -> Sealed<'_> {
        let sealed = Sealed(Home::with_token(kit));
        sealed.does(&["unit", "sealer", "set", "passphrase"]);
        sealed
    }

    fn does(&self, arguments: &[&str]) {
        let done = Done::of(cli().args(arguments).env("SOFTHSM_RS_SEALER_PASSPHRASE", "correct horse"));
        assert_eq!(done.code, 0, "{}", done.err);
    }
}

impl Drop for Sealed<'_> {
    fn drop(&mut self) {
        // The process that holds the key is in a group of its own, and nobody else ends it.
        Done::of(cli().arg("lock"));
    }
}

isolated! {
    fn an_application_waits_for_unlock_and_needs_no_new_start(kit) {
        let sealed = Sealed::new(kit);
        let module = kit.initialised();
        let token = Token::find(module);
        assert_ne!(token.flags() & CKF_TOKEN_INITIALIZED, 0, "the token is not seen");
        refused!(CKR_DEVICE_ERROR, module.open_rw(token.slot));
        assert!(sealed.0.log().contains("run `softhsm-rs unlock`"), "{}", sealed.0.log());
        sealed.does(&["unlock"]);
        let user = token.user();
        assert_eq!(user.find(&attrs![CKA_LABEL => "kept"]).unwrap().len(), 1);
        let more = data_template("more", b"x").and(attrs![CKA_TOKEN => true, CKA_PRIVATE => true]);
        let object = user.create(&more).unwrap();
        assert_eq!(user.get(object, CKA_VALUE), Ok(b"x".to_vec()));
    }

    fn lock_takes_what_needs_the_master_key_and_leaves_what_was_opened(kit) {
        let sealed = Sealed::new(kit);
        sealed.does(&["unlock"]);
        let module = kit.initialised();
        let token = Token::find(module);
        let user = token.user();
        sealed.does(&["lock"]);
        // The partition's keys were unsealed, and stay so until the application ends or logs out.
        let kept = user.find(&attrs![CKA_LABEL => "kept"]).unwrap();
        assert!(user.get(kept[0], CKA_VALUE).is_ok());
        user.create(&data_template("more", b"x").and(attrs![CKA_TOKEN => true])).unwrap();
        // What needs the master key is refused.
        refused!(CKR_DEVICE_ERROR, user.set_pin(PIN, "654321"));
        refused!(CKR_DEVICE_ERROR, module.init_token(module.free_slot(), SO_PIN, "second"));
        user.logout().unwrap();
        refused!(CKR_DEVICE_ERROR, user.login(CKU_USER, PIN));
        // So is all that another application asks for.
        module.finalize().unwrap();
        Child::fork(|| {
            let token = Token::find(kit.initialised());
            refused!(CKR_DEVICE_ERROR, token.module.open_rw(token.slot));
        })
        .succeeds();
        sealed.does(&["unlock"]);
        Token::find(kit.initialised()).user();
    }

    fn a_holder_that_hangs_does_not_hang_the_module(kit) {
        let sealed = Sealed::new(kit);
        let socket = sealed.0.path("softhsm-rs.holder");
        let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let module = kit.initialised();
        let begun = Instant::now();
        let token = Token::find(module);
        refused!(CKR_DEVICE_ERROR, module.open_rw(token.slot));
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
        assert!(sealed.0.log().contains("does not answer"), "{}", sealed.0.log());
        std::fs::remove_file(&socket).unwrap();
        drop(listener);
        sealed.does(&["unlock"]);
        assert!(module.open_rw(token.slot).is_ok());
    }
}
