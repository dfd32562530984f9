//! C_GetOperationState and C_SetOperationState. PKCS #11 3.2, sections 5.6.6 and 5.6.7.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use hsm_tests::function;
use hsm_tests::keys;
use hsm_tests::messages;
use hsm_tests::offer::HASHES;
use hsm_tests::operations::{DIGEST, ENCRYPT, SIGN, VERIFY, twice};
use hsm_tests::prelude::*;
use hsm_tests::raw::Arg;

fn hash() -> Mech {
    Mech::plain(CKM_SHA256)
}

fn save_into(session: &Session<'_>, out: Out<'_>) -> Result<usize, Rv> {
    session.output(function!(C_GetOperationState), &[], out)
}

fn save(session: &Session<'_>) -> Result<Vec<u8>, Rv> {
    twice(|out| save_into(session, out))
}

fn restore(session: &Session<'_>, state: &[u8], keys: [Object; 2]) -> Result<(), Rv> {
    let args = [state.into(), state.len().into(), keys[0].into(), keys[1].into()];
    session.call(function!(C_SetOperationState), &args)
}

fn finish(session: &Session<'_>) -> Result<Vec<u8>, Rv> {
    twice(|out| session.last(DIGEST, out))
}

isolated! {
    fn a_digest_goes_on_from_where_it_was_saved(kit) {
        let token = kit.token();
        let (session, other) = (token.user(), token.rw());
        for hash in HASHES {
            let mech = Mech::plain(hash.digest);
            session.digest_init(&mech).unwrap();
            session.update(DIGEST, &[1; 100]).unwrap();
            let state = save(&session).unwrap();
            // Saving changes nothing, and what comes later is not in the state.
            session.update(DIGEST, b"late").unwrap();
            let expected = session_digest(&other, &mech, &[&[1; 100][..], b"late"].concat());
            assert_eq!(finish(&session), Ok(expected), "{}", hash.name);
            for session in [&session, &other] {
                restore(session, &state, [0, 0]).unwrap();
                session.update(DIGEST, b"rest").unwrap();
                let digest = finish(session).unwrap();
                let expected = session_digest(session, &mech, &[&[1; 100][..], b"rest"].concat());
                assert_eq!(digest, expected, "{}", hash.name);
            }
        }
    }

    fn a_digest_that_took_nothing_yet_is_saved_too(kit) {
        let session = kit.token().rw();
        session.digest_init(&hash()).unwrap();
        let state = save(&session).unwrap();
        restore(&session, &state, [0, 0]).unwrap();
        assert_eq!(session.once(DIGEST, b"data", Out::Buffer(&mut [0; 32])), Ok(32));
    }

    fn restoring_ends_what_runs(kit) {
        let session = kit.user();
        let key = keys::aes(&session, &[7; 32]);
        session.digest_init(&hash()).unwrap();
        let state = save(&session).unwrap();
        session.init(ENCRYPT, &Mech::plain(CKM_AES_ECB), key).unwrap();
        restore(&session, &state, [0, 0]).unwrap();
        refused!(CKR_OPERATION_NOT_INITIALIZED, session.last(ENCRYPT, Out::Length));
        assert!(finish(&session).is_ok());
    }

    fn the_two_call_rule_holds(kit) {
        let session = kit.token().rw();
        session.digest_init(&hash()).unwrap();
        let length = save_into(&session, Out::Length).unwrap();
        refused!(CKR_BUFFER_TOO_SMALL, save_into(&session, Out::Buffer(&mut vec![0; length - 1])));
        assert_eq!(save_into(&session, Out::Buffer(&mut vec![0; length])), Ok(length));
        let nowhere = session.call(function!(C_GetOperationState), &[Arg::NULL, Arg::NULL]);
        refused!(CKR_ARGUMENTS_BAD, nowhere);
        assert!(finish(&session).is_ok(), "the digest goes on");
    }

    fn nothing_but_a_digest_is_saved(kit) {
        let session = kit.user();
        refused!(CKR_OPERATION_NOT_INITIALIZED, save(&session));
        session.find_init(&attrs![]).unwrap();
        refused!(CKR_OPERATION_NOT_INITIALIZED, save(&session));
        let (aes, secret) = (keys::aes(&session, &[7; 32]), keys::secret(&session, &[7; 64]));
        session.init(SIGN, &Mech::plain(CKM_SHA256_HMAC), secret).unwrap();
        refused!(CKR_STATE_UNSAVEABLE, save(&session));
        session.digest_init(&hash()).unwrap();
        refused!(CKR_STATE_UNSAVEABLE, save(&session), "also beside a digest");
        session.call(function!(C_SessionCancel), &[CKF_SIGN.into()]).unwrap();
        assert!(save(&session).is_ok());
        session.init(VERIFY, &Mech::plain(CKM_SHA256_HMAC), secret).unwrap();
        refused!(CKR_STATE_UNSAVEABLE, save(&session));
        session.call(function!(C_SessionCancel), &[CKF_VERIFY.into()]).unwrap();
        session.message_init(messages::ENCRYPT, &Mech::plain(CKM_AES_GCM), aes).unwrap();
        refused!(CKR_STATE_UNSAVEABLE, save(&session));
    }

    fn a_digest_of_a_key_does_not_leave(kit) {
        let session = kit.user();
        let open = attrs![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true];
        let key = session.create(&keys::aes_template(&[7; 32]).and(open)).unwrap();
        session.digest_init(&hash()).unwrap();
        session.call(function!(C_DigestKey), &[key.into()]).unwrap();
        refused!(CKR_STATE_UNSAVEABLE, save(&session));
        assert_eq!(finish(&session), Ok(session_digest(&session, &hash(), &[7; 32])));
    }

    fn a_forged_state_is_refused_and_ends_nothing(kit) {
        let session = kit.token().rw();
        session.digest_init(&hash()).unwrap();
        session.update(DIGEST, b"data").unwrap();
        let state = save(&session).unwrap();
        for at in 0..state.len() {
            let mut forged = state.clone();
            forged[at] ^= 1;
            refused!(CKR_SAVED_STATE_INVALID, restore(&session, &forged, [0, 0]), "byte {at}");
        }
        refused!(CKR_ARGUMENTS_BAD, restore(&session, &[], [0, 0]));
        for length in 1..state.len() {
            refused!(CKR_SAVED_STATE_INVALID, restore(&session, &state[..length], [0, 0]), "{length} bytes");
        }
        refused!(CKR_SAVED_STATE_INVALID, restore(&session, &[state.as_slice(), b"x"].concat(), [0, 0]));
        let args = [Arg::NULL, 50usize.into(), 0usize.into(), 0usize.into()];
        refused!(CKR_ARGUMENTS_BAD, session.call(function!(C_SetOperationState), &args));
        for keys in [[1, 0], [0, 1]] {
            refused!(CKR_KEY_NOT_NEEDED, restore(&session, &state, keys));
        }
        assert_eq!(finish(&session), Ok(session_digest(&session, &hash(), b"data")));
    }

    fn a_state_belongs_to_its_token_and_to_the_sessions_state(kit) {
        let token = kit.token();
        let session = token.user();
        session.digest_init(&hash()).unwrap();
        let state = save(&session).unwrap();
        refused!(CKR_SAVED_STATE_INVALID, restore(&token.ro(), &state, [0, 0]));
        let second = Token::make(token.module, "another");
        refused!(CKR_SAVED_STATE_INVALID, restore(&second.rw(), &state, [0, 0]));
        refused!(CKR_SAVED_STATE_INVALID, restore(&second.user(), &state, [0, 0]));
        session.logout().unwrap();
        refused!(CKR_SAVED_STATE_INVALID, restore(&session, &state, [0, 0]));
        assert_eq!(token.flags() & CKF_RESTORE_KEY_NOT_NEEDED, CKF_RESTORE_KEY_NOT_NEEDED);
    }
}

fn session_digest(session: &Session<'_>, mech: &Mech, data: &[u8]) -> Vec<u8> {
    session.digest(mech, data).unwrap()
}
