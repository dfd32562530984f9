//! Signatures and MACs of many messages under one key. PKCS #11 3.2, sections 5.14 and 5.16.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use hsm_tests::keys;
use hsm_tests::kit::PIN;
use hsm_tests::messages::{SIGN, VERIFY};
use hsm_tests::operations;
use hsm_tests::prelude::*;
use hsm_tests::raw::Arg;

/// Mechanisms with a key to sign and one to verify.
fn cases(session: &Session<'_>) -> Vec<(Mech, Object, Object)> {
    let secret = keys::secret(session, &[7; 64]);
    let aes = keys::aes(session, &[7; 32]);
    let rsa = keys::rsa(session);
    let ec = keys::ec(session, keys::P256);
    let ed = keys::ed25519(session);
    vec![
        (Mech::plain(CKM_SHA256_HMAC), secret, secret),
        (Mech::plain(CKM_AES_CMAC), aes, aes),
        (Mech::plain(CKM_SHA256_RSA_PKCS), rsa.private, rsa.public),
        (Mech::pss(CKM_SHA256_RSA_PKCS_PSS, CKM_SHA256, CKG_MGF1_SHA256, 32), rsa.private, rsa.public),
        (Mech::plain(CKM_ECDSA_SHA256), ec.private, ec.public),
        (Mech::plain(CKM_EDDSA), ed.private, ed.public),
    ]
}

/// C_SignMessageNext: more to come without `out`.
fn next(session: &Session<'_>, data: &[u8], out: Option<Out<'_>>) -> Result<usize, Rv> {
    let args = [Arg::NULL, 0usize.into(), data.into(), data.len().into()];
    match out {
        Some(out) => session.output(SIGN.next, &args, out),
        None => session.call(SIGN.next, &[&args[..], &[Arg::NULL, Arg::NULL]].concat()).map(|()| 0),
    }
}

fn begin(session: &Session<'_>, way: hsm_tests::messages::Way) -> Result<(), Rv> {
    session.call(way.begin, &[Arg::NULL, 0usize.into()])
}

/// C_VerifyMessageNext: more to come without a signature.
fn verify_next(session: &Session<'_>, data: &[u8], signature: Option<&[u8]>) -> Result<(), Rv> {
    let signature = match signature {
        Some(signature) => [signature.into(), signature.len().into()],
        None => [Arg::NULL, 0usize.into()],
    };
    let args = [[Arg::NULL, 0usize.into()], [data.into(), data.len().into()], signature].concat();
    session.call(VERIFY.next, &args)
}

isolated! {
    fn every_message_has_a_signature_that_verifies_by_every_way(kit) {
        let session = kit.user();
        for (mech, private, public) in cases(&session) {
            session.message_init(SIGN, &mech, private).unwrap();
            session.message_init(VERIFY, &mech, public).unwrap();
            for message in [&b"one"[..], b"another", b""] {
                let signature = session.sign_message(message).unwrap();
                assert_eq!(session.verify(&mech, public, message, &signature), Ok(()), "{mech:?}");
                assert_eq!(session.verify_message(message, &signature), Ok(()), "{mech:?}");
                refused!(CKR_SIGNATURE_INVALID, session.verify_message(b"others", &signature), "{mech:?}");
                let short = session.verify_message(message, &signature[1..]);
                refused!(CKR_SIGNATURE_LEN_RANGE, short, "{mech:?}");
            }
            session.message_final(SIGN).unwrap();
            session.message_final(VERIFY).unwrap();
        }
    }

    fn messages_may_come_in_parts(kit) {
        let session = kit.user();
        for (mech, private, public) in cases(&session) {
            session.message_init(SIGN, &mech, private).unwrap();
            session.message_init(VERIFY, &mech, public).unwrap();
            for _ in 0..2 {
                begin(&session, SIGN).unwrap();
                next(&session, b"in ", None).unwrap();
                let length = next(&session, b"parts", Some(Out::Length)).unwrap();
                let mut signature = vec![0; length];
                let small = next(&session, b"parts", Some(Out::Buffer(&mut signature[1..])));
                refused!(CKR_BUFFER_TOO_SMALL, small);
                assert_eq!(next(&session, b"parts", Some(Out::Buffer(&mut signature))), Ok(length));
                assert_eq!(session.verify(&mech, public, b"in parts", &signature), Ok(()), "{mech:?}");
                begin(&session, VERIFY).unwrap();
                verify_next(&session, b"in ", None).unwrap();
                assert_eq!(verify_next(&session, b"parts", Some(&signature)), Ok(()), "{mech:?}");
                begin(&session, VERIFY).unwrap();
                refused!(CKR_SIGNATURE_INVALID, verify_next(&session, b"parts", Some(&signature)));
                refused!(CKR_OPERATION_NOT_INITIALIZED, verify_next(&session, b"parts", Some(&signature)));
            }
            session.message_final(SIGN).unwrap();
            session.message_final(VERIFY).unwrap();
        }
    }

    fn mechanisms_of_whole_messages_take_no_parts(kit) {
        let session = kit.user();
        let pair = keys::ec(&session, keys::P256);
        session.message_init(SIGN, &Mech::plain(CKM_ECDSA), pair.private).unwrap();
        session.message_init(VERIFY, &Mech::plain(CKM_ECDSA), pair.public).unwrap();
        refused!(CKR_FUNCTION_NOT_SUPPORTED, begin(&session, SIGN));
        refused!(CKR_FUNCTION_NOT_SUPPORTED, begin(&session, VERIFY));
        let signature = session.sign_message(&[5; 32]).unwrap();
        assert_eq!(session.verify_message(&[5; 32], &signature), Ok(()));
    }

    fn order_matters(kit) {
        let session = kit.user();
        let key = keys::secret(&session, &[7; 64]);
        let mech = Mech::plain(CKM_SHA256_HMAC);
        nothing_runs(&session);
        session.message_init(SIGN, &mech, key).unwrap();
        session.message_init(VERIFY, &mech, key).unwrap();
        refused!(CKR_OPERATION_ACTIVE, session.message_init(SIGN, &mech, key));
        refused!(CKR_OPERATION_ACTIVE, session.message_init(VERIFY, &mech, key));
        refused!(CKR_OPERATION_NOT_INITIALIZED, next(&session, b"data", None));
        refused!(CKR_OPERATION_NOT_INITIALIZED, verify_next(&session, b"data", None));
        begin(&session, SIGN).unwrap();
        begin(&session, VERIFY).unwrap();
        refused!(CKR_OPERATION_ACTIVE, begin(&session, SIGN));
        refused!(CKR_OPERATION_ACTIVE, begin(&session, VERIFY));
        refused!(CKR_OPERATION_ACTIVE, session.sign_message(b"data"));
        refused!(CKR_OPERATION_ACTIVE, session.verify_message(b"data", &[0; 32]));
        refused!(CKR_OPERATION_ACTIVE, session.message_final(SIGN));
        refused!(CKR_OPERATION_ACTIVE, session.message_final(VERIFY));
        for way in [SIGN, VERIFY] {
            session.call(way.init, &[Arg::NULL, key.into()]).unwrap();
        }
        nothing_runs(&session);
    }

    fn a_parameter_of_a_message_is_refused_and_ends_the_message(kit) {
        let session = kit.user();
        let key = keys::secret(&session, &[7; 64]);
        session.message_init(SIGN, &Mech::plain(CKM_SHA256_HMAC), key).unwrap();
        let args = [[5u8; 4].as_slice().into(), 4usize.into()];
        refused!(CKR_MECHANISM_PARAM_INVALID, session.call(SIGN.begin, &args));
        begin(&session, SIGN).unwrap();
        let args = [Arg::NULL, 0usize.into(), Arg::NULL, 5usize.into(), Arg::NULL, Arg::NULL];
        refused!(CKR_ARGUMENTS_BAD, session.call(SIGN.next, &args));
        refused!(CKR_OPERATION_NOT_INITIALIZED, next(&session, b"data", None));
        assert!(session.sign_message(b"data").is_ok());
    }

    fn a_logout_and_a_cancel_end_the_process(kit) {
        let session = kit.user();
        let mech = Mech::plain(CKM_SHA256_HMAC);
        let both = |session: &Session<'_>| {
            let key = keys::secret(session, &[7; 64]);
            session.message_init(SIGN, &mech, key).unwrap();
            session.message_init(VERIFY, &mech, key).unwrap();
        };
        both(&session);
        session.logout().unwrap();
        nothing_runs(&session);
        session.login(CKU_USER, PIN).unwrap();
        both(&session);
        let flags = CKF_MESSAGE_SIGN | CKF_MESSAGE_VERIFY;
        session.call(hsm_tests::function!(C_SessionCancel), &[flags.into()]).unwrap();
        nothing_runs(&session);
    }

    fn a_key_that_asks_for_its_pin_asks_before_each_message(kit) {
        let session = kit.user();
        let public = attrs![CKA_EC_PARAMS => keys::P256.params, CKA_VERIFY => true];
        let private = attrs![CKA_SIGN => true, CKA_PRIVATE => true, CKA_ALWAYS_AUTHENTICATE => true];
        let pair = session.generate_pair(&Mech::plain(CKM_EC_KEY_PAIR_GEN), &public, &private).unwrap();
        session.message_init(SIGN, &Mech::plain(CKM_ECDSA_SHA256), pair.1).unwrap();
        for _ in 0..2 {
            refused!(CKR_USER_NOT_LOGGED_IN, session.sign_message(b"data"));
            session.login(CKU_CONTEXT_SPECIFIC, PIN).unwrap();
            assert!(session.sign_message(b"data").is_ok());
        }
        refused!(CKR_USER_NOT_LOGGED_IN, begin(&session, SIGN));
    }

    fn a_key_must_be_fit(kit) {
        let session = kit.user();
        let pair = keys::ec(&session, keys::P256);
        let mech = Mech::plain(CKM_ECDSA_SHA256);
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.message_init(SIGN, &mech, pair.public));
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.message_init(VERIFY, &mech, pair.private));
        refused!(CKR_MECHANISM_INVALID, session.message_init(SIGN, &Mech::plain(CKM_AES_ECB), pair.private));
        session.message_init(SIGN, &mech, pair.private).unwrap();
        session.init(operations::SIGN, &mech, pair.private).unwrap();
        session.destroy(pair.private).unwrap();
        refused!(CKR_KEY_HANDLE_INVALID, session.sign_message(b"data"));
        refused!(CKR_OPERATION_NOT_INITIALIZED, session.sign_message(b"data"));
    }
}

fn nothing_runs(session: &Session<'_>) {
    refused!(CKR_OPERATION_NOT_INITIALIZED, session.sign_message(b"data"));
    refused!(CKR_OPERATION_NOT_INITIALIZED, session.verify_message(b"data", &[0; 32]));
    for way in [SIGN, VERIFY] {
        refused!(CKR_OPERATION_NOT_INITIALIZED, begin(session, way));
        refused!(CKR_OPERATION_NOT_INITIALIZED, session.message_final(way));
    }
    refused!(CKR_OPERATION_NOT_INITIALIZED, next(session, b"data", Some(Out::Length)));
    refused!(CKR_OPERATION_NOT_INITIALIZED, verify_next(session, b"data", Some(&[0; 32])));
}
