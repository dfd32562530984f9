//! The rules of running operations, the same for every kind: what starts one, what keeps it, what
//! ends it. PKCS #11 3.2, sections 5.2 (two calls), 5.8 to 5.14.

use hsm_tests::keys;
use hsm_tests::operations::{DECRYPT, DIGEST, ENCRYPT, Kind, SIGN, VERIFY};
use hsm_tests::prelude::*;
use hsm_tests::raw::Arg;

/// One kind of operation, ready to start: its functions, a mechanism, a key (none for digests) and an
/// output length for [`DATA`].
struct Case {
    kind: Kind,
    mech: Mech,
    key: Option<Object>,
    length: usize,
}

const DATA: [u8; 32] = [7; 32];

/// Every kind that gives output.
fn cases(session: &Session<'_>) -> Vec<Case> {
    let aes = keys::aes(session, &[7; 32]);
    let secret = keys::secret(session, &[7; 64]);
    let rsa = keys::rsa(session);
    let cbc = || Mech::bytes(CKM_AES_CBC, &[9; 16]);
    let case = |kind, mech, key, length| Case { kind, mech, key, length };
    vec![
        case(DIGEST, Mech::plain(CKM_SHA256), None, 32),
        case(SIGN, Mech::plain(CKM_SHA256_HMAC), Some(secret), 32),
        case(SIGN, Mech::plain(CKM_AES_CMAC), Some(aes), 16),
        case(SIGN, Mech::plain(CKM_SHA256_RSA_PKCS), Some(rsa.private), 256),
        case(ENCRYPT, cbc(), Some(aes), 32),
        case(DECRYPT, cbc(), Some(aes), 32),
        case(ENCRYPT, Mech::ctr(128, [9; 16]), Some(aes), 32),
        case(ENCRYPT, Mech::gcm(&[9; 12], b"", 128), Some(aes), 48),
    ]
}

impl Case {
    fn start(&self, session: &Session<'_>) -> Result<(), Rv> {
        match self.key {
            Some(key) => session.init(self.kind, &self.mech, key),
            None => session.digest_init(&self.mech),
        }
    }

    fn ciphers(&self) -> bool {
        self.kind.init == ENCRYPT.init || self.kind.init == DECRYPT.init
    }

    fn update(&self, session: &Session<'_>) -> Result<(), Rv> {
        if self.ciphers() {
            session.update_into(self.kind, &DATA, Out::Buffer(&mut [0; 64])).map(|_| ())
        } else {
            session.update(self.kind, &DATA)
        }
    }

    fn once(&self, session: &Session<'_>) -> Result<usize, Rv> {
        session.once(self.kind, &DATA, Out::Buffer(&mut [0; 256]))
    }

    fn last(&self, session: &Session<'_>) -> Result<usize, Rv> {
        session.last(self.kind, Out::Buffer(&mut [0; 256]))
    }
}

/// Runs a check for every kind of operation, each in a session of its own.
fn for_all(kit: &Kit, check: impl Fn(&Session<'_>, &Case)) {
    let token = kit.token();
    for case in cases(&token.user()) {
        check(&token.rw(), &case);
    }
}

isolated! {
    fn nothing_runs_without_init(kit) {
        for_all(kit, |session, case| {
            refused!(CKR_OPERATION_NOT_INITIALIZED, case.once(session), "{:?}", case.kind.once);
            refused!(CKR_OPERATION_NOT_INITIALIZED, case.update(session), "{:?}", case.kind.update);
            refused!(CKR_OPERATION_NOT_INITIALIZED, case.last(session), "{:?}", case.kind.last);
        });
        let session = Token::find(&kit.module).rw();
        refused!(CKR_OPERATION_NOT_INITIALIZED, session.verify_once(&DATA, &[0; 32]));
        refused!(CKR_OPERATION_NOT_INITIALIZED, session.update(VERIFY, &DATA));
        refused!(CKR_OPERATION_NOT_INITIALIZED, session.verify_last(&[0; 32]));
    }

    fn a_second_init_is_refused_and_leaves_the_first(kit) {
        for_all(kit, |session, case| {
            case.start(session).unwrap();
            refused!(CKR_OPERATION_ACTIVE, case.start(session), "{:?}", case.mech);
            assert_eq!(case.once(session), Ok(case.length), "{:?}", case.mech);
        });
    }

    fn one_part_ends_the_operation(kit) {
        for_all(kit, |session, case| {
            case.start(session).unwrap();
            assert_eq!(case.once(session), Ok(case.length), "{:?}", case.mech);
            refused!(CKR_OPERATION_NOT_INITIALIZED, case.once(session), "{:?}", case.mech);
            refused!(CKR_OPERATION_NOT_INITIALIZED, case.last(session), "{:?}", case.mech);
            assert_eq!(case.start(session), Ok(()), "{:?}", case.mech);
        });
    }

    fn the_final_part_ends_the_operation(kit) {
        for_all(kit, |session, case| {
            case.start(session).unwrap();
            case.update(session).unwrap();
            case.last(session).unwrap();
            refused!(CKR_OPERATION_NOT_INITIALIZED, case.last(session), "{:?}", case.mech);
            refused!(CKR_OPERATION_NOT_INITIALIZED, case.update(session), "{:?}", case.mech);
            assert_eq!(case.start(session), Ok(()), "{:?}", case.mech);
        });
    }

    fn asking_for_the_length_keeps_the_operation(kit) {
        for_all(kit, |session, case| {
            case.start(session).unwrap();
            for _ in 0..2 {
                let length = session.once(case.kind, &DATA, Out::Length).unwrap();
                assert!(length >= case.length, "{:?}", case.mech);
            }
            assert_eq!(case.once(session), Ok(case.length), "{:?}", case.mech);
        });
    }

    fn asking_for_the_final_length_keeps_the_operation(kit) {
        for_all(kit, |session, case| {
            case.start(session).unwrap();
            case.update(session).unwrap();
            session.last(case.kind, Out::Length).unwrap();
            assert!(case.last(session).is_ok(), "{:?}", case.mech);
        });
    }

    fn a_small_buffer_keeps_the_operation_and_says_what_it_needs(kit) {
        for_all(kit, |session, case| {
            case.start(session).unwrap();
            let mut small = vec![0xeeu8; case.length - 1];
            let mut length = CK_ULONG::try_from(small.len()).unwrap();
            let args = [
                DATA.as_slice().into(),
                DATA.len().into(),
                small.as_mut_slice().into(),
                (&mut length).into(),
            ];
            refused!(CKR_BUFFER_TOO_SMALL, session.call(case.kind.once, &args), "{:?}", case.mech);
            assert!(length >= CK_ULONG::try_from(case.length).unwrap(), "{:?}: {length}", case.mech);
            assert_eq!(small, vec![0xee; case.length - 1], "{:?}", case.mech);
            assert_eq!(case.once(session), Ok(case.length), "{:?}", case.mech);
        });
    }

    fn a_small_buffer_for_the_final_part_keeps_the_operation(kit) {
        for_all(kit, |session, case| {
            if case.ciphers() {
                return;
            }
            case.start(session).unwrap();
            case.update(session).unwrap();
            let answer = session.last(case.kind, Out::Buffer(&mut [0; 3]));
            refused!(CKR_BUFFER_TOO_SMALL, answer, "{:?}", case.mech);
            assert_eq!(case.last(session), Ok(case.length), "{:?}", case.mech);
        });
    }

    fn a_small_buffer_for_an_update_keeps_what_was_given_before(kit) {
        let session = kit.user();
        let key = keys::aes(&session, &[7; 32]);
        let mech = || Mech::bytes(CKM_AES_CBC, &[9; 16]);
        let expected = session.encrypt(&mech(), key, &DATA).unwrap();
        session.init(ENCRYPT, &mech(), key).unwrap();
        let mut out = [0; 32];
        assert_eq!(session.update_into(ENCRYPT, &DATA[..16], Out::Buffer(&mut out[..16])), Ok(16));
        let answer = session.update_into(ENCRYPT, &DATA[16..], Out::Buffer(&mut [0; 15]));
        refused!(CKR_BUFFER_TOO_SMALL, answer);
        assert_eq!(session.update_into(ENCRYPT, &DATA[16..], Out::Buffer(&mut out[16..])), Ok(16));
        assert_eq!(session.last(ENCRYPT, Out::Buffer(&mut [0; 16])), Ok(0));
        assert_eq!(out, *expected);
    }

    fn one_part_after_an_update_is_refused(kit) {
        for_all(kit, |session, case| {
            case.start(session).unwrap();
            case.update(session).unwrap();
            let answer = case.once(session);
            refused!(CKR_OPERATION_NOT_INITIALIZED | CKR_OPERATION_ACTIVE, answer, "{:?}", case.mech);
        });
    }

    fn a_whole_message_whose_length_was_asked_is_not_ended_in_parts(kit) {
        for_all(kit, |session, case| {
            if case.kind.init == SIGN.init {
                return;
            }
            for in_parts in [Case::update, |case: &Case, session: &Session<'_>| case.last(session).map(|_| ())] {
                case.start(session).unwrap();
                assert_eq!(session.once(case.kind, &DATA, Out::Length), Ok(case.length), "{:?}", case.mech);
                refused!(CKR_OPERATION_ACTIVE, in_parts(case, session), "{:?}", case.mech);
                refused!(CKR_OPERATION_NOT_INITIALIZED, case.once(session), "{:?}", case.mech);
            }
        });
    }

    fn a_failed_verification_ends_the_operation(kit) {
        let session = kit.user();
        let key = keys::secret(&session, &[7; 64]);
        let mech = Mech::plain(CKM_SHA256_HMAC);
        for signature in [&[0; 32][..], &[0; 31], &[]] {
            session.init(VERIFY, &mech, key).unwrap();
            assert!(session.verify_once(&DATA, signature).is_err());
            refused!(CKR_OPERATION_NOT_INITIALIZED, session.verify_once(&DATA, signature));
            session.init(VERIFY, &mech, key).unwrap();
            session.update(VERIFY, &DATA).unwrap();
            assert!(session.verify_last(signature).is_err());
            refused!(CKR_OPERATION_NOT_INITIALIZED, session.verify_last(signature));
        }
    }

    fn a_failed_encryption_ends_the_operation(kit) {
        let session = kit.user();
        let key = keys::aes(&session, &[7; 32]);
        session.init(ENCRYPT, &Mech::plain(CKM_AES_ECB), key).unwrap();
        refused!(CKR_DATA_LEN_RANGE, session.once(ENCRYPT, &[7; 15], Out::Buffer(&mut [0; 64])));
        refused!(CKR_OPERATION_NOT_INITIALIZED, session.once(ENCRYPT, &DATA, Out::Buffer(&mut [0; 64])));
    }

    fn a_failed_decryption_ends_the_operation(kit) {
        let session = kit.user();
        let key = keys::aes(&session, &[7; 32]);
        session.init(DECRYPT, &Mech::gcm(&[9; 12], b"", 128), key).unwrap();
        assert!(session.once(DECRYPT, &DATA, Out::Buffer(&mut [0; 64])).is_err());
        refused!(CKR_OPERATION_NOT_INITIALIZED, session.once(DECRYPT, &DATA, Out::Buffer(&mut [0; 64])));
    }

    fn a_failed_signature_ends_the_operation(kit) {
        let session = kit.user();
        let pair = keys::rsa(&session);
        session.init(SIGN, &Mech::plain(CKM_RSA_PKCS), pair.private).unwrap();
        assert!(session.once(SIGN, &[7; 246], Out::Buffer(&mut [0; 256])).is_err());
        refused!(CKR_OPERATION_NOT_INITIALIZED, session.once(SIGN, &DATA, Out::Buffer(&mut [0; 256])));
    }

    fn a_bad_argument_ends_the_operation(kit) {
        for_all(kit, |session, case| {
            case.start(session).unwrap();
            let (mut room, mut length) = ([0u8; 256], 256 as CK_ULONG);
            let args = [Arg::NULL, 32usize.into(), room.as_mut_slice().into(), (&mut length).into()];
            refused!(CKR_ARGUMENTS_BAD, session.call(case.kind.once, &args), "{:?}", case.mech);
            refused!(CKR_OPERATION_NOT_INITIALIZED, case.once(session), "{:?}", case.mech);
        });
    }

    fn a_refused_init_starts_nothing(kit) {
        for_all(kit, |session, case| {
            let Some(key) = case.key else { return };
            assert!(session.init(case.kind, &Mech::plain(0x7777_7777), key).is_err());
            assert!(session.init(case.kind, &case.mech, 99).is_err());
            refused!(CKR_OPERATION_NOT_INITIALIZED, case.once(session), "{:?}", case.mech);
            assert_eq!(case.start(session), Ok(()), "{:?}", case.mech);
        });
    }

    fn an_init_with_a_null_mechanism_ends_the_operation(kit) {
        for_all(kit, |session, case| {
            case.start(session).unwrap();
            let answer = match case.key {
                Some(_) => session.call(case.kind.init, &[Arg::NULL, 0usize.into()]),
                None => session.call(case.kind.init, &[Arg::NULL]),
            };
            assert_eq!(answer, Ok(()), "{:?}", case.mech);
            refused!(CKR_OPERATION_NOT_INITIALIZED, case.once(session), "{:?}", case.mech);
        });
    }

    fn an_operation_ends_with_its_session(kit) {
        let token = kit.token();
        for case in cases(&token.user()) {
            let session = token.rw();
            case.start(&session).unwrap();
            session.close().unwrap();
            refused!(CKR_SESSION_HANDLE_INVALID, case.once(&session), "{:?}", case.mech);
            refused!(CKR_OPERATION_NOT_INITIALIZED, case.once(&token.rw()), "{:?}", case.mech);
        }
    }

    fn a_key_destroyed_in_use_lets_no_new_operation_start(kit) {
        let session = kit.user();
        let key = keys::aes(&session, &[7; 32]);
        session.init(ENCRYPT, &Mech::plain(CKM_AES_ECB), key).unwrap();
        session.destroy(key).unwrap();
        let answer = session.once(ENCRYPT, &DATA, Out::Buffer(&mut [0; 32]));
        assert!(
            [Ok(32), Err(Rv(CKR_OPERATION_NOT_INITIALIZED)), Err(Rv(CKR_KEY_HANDLE_INVALID))]
                .contains(&answer),
            "{answer:?}"
        );
        let again = session.init(ENCRYPT, &Mech::plain(CKM_AES_ECB), key);
        refused!(CKR_KEY_HANDLE_INVALID | CKR_OBJECT_HANDLE_INVALID, again);
    }
}
