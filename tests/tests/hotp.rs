//! OATH HOTP: the passwords of RFC 4226, counters that go on over sessions and processes, and what is refused. PKCS #11
//! 3.2, section 6.53.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeSet;

use hsm_tests::function;
use hsm_tests::keys::{aes, generate_aes};
use hsm_tests::kit::{Child, Gate};
use hsm_tests::operations::{ENCRYPT, SIGN, VERIFY};
use hsm_tests::prelude::*;
use hsm_tests::raw::Arg;

/// RFC 4226, appendix D: the key, the passwords of its first ten counters, and the numbers that they are cut from.
const SECRET: &[u8] = b"12345678901234567890";
const PASSWORDS: [&str; 10] =
    ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
const NUMBERS: [&str; 10] = [
    "1284755224",
    "1094287082",
    "0137359152",
    "1726969429",
    "1640338314",
    "0868254676",
    "1918287922",
    "0082162583",
    "0673399871",
    "0645520489",
];

fn template() -> Template {
    attrs![CKA_CLASS => CKO_OTP_KEY, CKA_KEY_TYPE => CKK_HOTP, CKA_VALUE => SECRET]
}

fn key(session: &Session<'_>, more: Template) -> Object {
    session.create(&template().and(more)).unwrap()
}

fn own() -> Mech {
    Mech::plain(CKM_HOTP)
}

/// CKM_HOTP with parameters.
fn with(parameters: &[(CK_OTP_PARAM_TYPE, &[u8])]) -> Mech {
    let list =
        parameters.iter().fold(Fields::default(), |list, (kind, value)| list.number(*kind).counted(value));
    let count = CK_ULONG::try_from(parameters.len()).unwrap();
    Mech::structure(CKM_HOTP, Fields::default().inside(list).number(count))
}

fn at(counter: u64) -> Mech {
    with(&[(CK_OTP_COUNTER, &counter.to_be_bytes())])
}

fn number(kind: CK_OTP_PARAM_TYPE, number: CK_ULONG) -> Mech {
    with(&[(kind, &number.to_ne_bytes())])
}

/// What C_Sign gives: password and counter, each read where its pointer says.
fn read(info: &[u8]) -> (String, u64) {
    let word = |at: usize| usize::from_ne_bytes(info[at..][..8].try_into().unwrap());
    let base = info.as_ptr().expose_provenance();
    let (list, count) = (word(0) - base, word(8));
    assert_eq!(count, 2);
    let value = |number: usize, kind: CK_OTP_PARAM_TYPE| {
        let parameter = list + number * 24;
        assert_eq!(word(parameter), usize::try_from(kind).unwrap());
        &info[word(parameter + 8) - base..][..word(parameter + 16)]
    };
    let password = String::from_utf8(value(0, CK_OTP_VALUE).to_vec()).unwrap();
    (password, u64::from_be_bytes(value(1, CK_OTP_COUNTER).try_into().unwrap()))
}

/// The next password of the key.
fn next(session: &Session<'_>, key: Object) -> (String, u64) {
    read(&session.sign(&own(), key, b"").unwrap())
}

fn counter(session: &Session<'_>, key: Object) -> u64 {
    u64::from_be_bytes(session.get(key, CKA_OTP_COUNTER).unwrap().try_into().unwrap())
}

isolated! {
    fn passwords_are_those_of_the_rfc(kit) {
        let session = kit.user();
        let key = key(&session, attrs![]);
        for (counter, expected) in (0..).zip(PASSWORDS) {
            assert_eq!(next(&session, key), (expected.to_owned(), counter));
        }
        assert_eq!(counter(&session, key), 10);
    }

    fn a_given_counter_leaves_the_keys_own_alone(kit) {
        let session = kit.user();
        let key = key(&session, attrs![]);
        for (counter, expected) in (0..).zip(PASSWORDS) {
            let signed = session.sign(&at(counter), key, b"").unwrap();
            assert_eq!(read(&signed), (expected.to_owned(), counter));
            assert_eq!(session.verify(&at(counter), key, b"", expected.as_bytes()), Ok(()));
            let other = session.verify(&at(counter + 1), key, b"", expected.as_bytes());
            refused!(CKR_SIGNATURE_INVALID, other);
        }
        assert_eq!(counter(&session, key), 0);
        let last = session.sign(&at(u64::MAX), key, b"").unwrap();
        assert_eq!(read(&last).1, u64::MAX);
    }

    fn passwords_have_the_length_that_key_or_caller_says(kit) {
        let session = kit.user();
        for digits in 6..=8 {
            let length = CK_ULONG::try_from(digits).unwrap();
            let longer = key(&session, attrs![CKA_OTP_LENGTH => length]);
            for number in NUMBERS {
                assert_eq!(next(&session, longer).0, number[10 - digits..]);
            }
        }
        let key = key(&session, attrs![CKA_OTP_LENGTH => 6 as CK_ULONG]);
        let eight = number(CK_OTP_OUTPUT_LENGTH, 8);
        assert_eq!(read(&session.sign(&eight, key, b"").unwrap()).0, NUMBERS[0][2..]);
        assert_eq!(session.verify(&eight, key, b"", &NUMBERS[1].as_bytes()[2..]), Ok(()));
        refused!(CKR_SIGNATURE_LEN_RANGE, session.verify(&own(), key, b"", &NUMBERS[2].as_bytes()[2..]));
        for length in [0, 5, 9, CK_ULONG::MAX] {
            refused!(CKR_MECHANISM_PARAM_INVALID, session.sign(&number(CK_OTP_OUTPUT_LENGTH, length), key, b""));
        }
    }

    fn a_password_is_taken_once_and_not_from_far_ahead(kit) {
        let session = kit.user();
        let key = key(&session, attrs![CKA_TOKEN => true]);
        let verify = |at: usize| session.verify(&own(), key, b"", PASSWORDS[at].as_bytes());
        assert_eq!(verify(0), Ok(()));
        refused!(CKR_SIGNATURE_INVALID, verify(0));
        assert_eq!(verify(1), Ok(()));
        // Two to four were made in vain.
        assert_eq!(verify(5), Ok(()));
        for used_or_passed in 0..=5 {
            refused!(CKR_SIGNATURE_INVALID, verify(used_or_passed));
        }
        assert_eq!(counter(&session, key), 6);
        let six = session.create(&template()).unwrap();
        refused!(CKR_SIGNATURE_INVALID, session.verify(&own(), six, b"", PASSWORDS[5].as_bytes()));
        assert_eq!(counter(&session, six), 0);
        assert_eq!(session.verify(&own(), six, b"", PASSWORDS[4].as_bytes()), Ok(()));
    }

    fn the_next_one_is_the_one_after(kit) {
        let session = kit.user();
        let key = key(&session, attrs![]);
        let next_one = number(CK_OTP_FLAGS, CKF_NEXT_OTP);
        assert_eq!(read(&session.sign(&next_one, key, b"").unwrap()), (PASSWORDS[1].to_owned(), 1));
        // What was passed over is not given out any more.
        assert_eq!(next(&session, key), (PASSWORDS[2].to_owned(), 2));
        let flags = CKF_NEXT_OTP.to_ne_bytes();
        let both = with(&[(CK_OTP_COUNTER, &7_u64.to_be_bytes()), (CK_OTP_FLAGS, &flags)]);
        assert_eq!(read(&session.sign(&both, key, b"").unwrap()), (PASSWORDS[8].to_owned(), 8));
    }

    fn asking_for_the_length_uses_nothing_up(kit) {
        let session = kit.user();
        let key = key(&session, attrs![]);
        session.init(SIGN, &own(), key).unwrap();
        let needed = session.once(SIGN, b"", Out::Length).unwrap();
        assert_eq!(needed, 16 + 2 * 24 + 8 + 6);
        let mut short = vec![0; needed - 1];
        refused!(CKR_BUFFER_TOO_SMALL, session.once(SIGN, b"", Out::Buffer(&mut short)));
        assert_eq!(short, vec![0; needed - 1]);
        assert_eq!(counter(&session, key), 0);
        let mut whole = vec![0; needed];
        assert_eq!(session.once(SIGN, b"", Out::Buffer(&mut whole)), Ok(needed));
        assert_eq!(read(&whole), (PASSWORDS[0].to_owned(), 0));
        refused!(CKR_OPERATION_NOT_INITIALIZED, session.once(SIGN, b"", Out::Length));
    }

    fn parts_of_nothing_are_nothing(kit) {
        let session = kit.user();
        let key = key(&session, attrs![CKA_OTP_COUNTER => [0; 8].to_vec()]);
        let mut info = vec![0; 78];
        session.init(SIGN, &at(3), key).unwrap();
        assert_eq!(session.last(SIGN, Out::Buffer(&mut info)), Ok(78));
        assert_eq!(read(&info).0, PASSWORDS[3]);
        session.init(SIGN, &own(), key).unwrap();
        session.update(SIGN, b"").unwrap();
        assert_eq!(session.last(SIGN, Out::Buffer(&mut info)), Ok(78));
        assert_eq!(read(&info).0, PASSWORDS[0]);
        session.init(VERIFY, &own(), key).unwrap();
        assert_eq!(session.verify_last(PASSWORDS[1].as_bytes()), Ok(()));
        // With the signature first.
        let password = PASSWORDS[2].as_bytes();
        let mech = own().raw();
        let args = [(&mech).into(), key.into(), password.into(), password.len().into()];
        session.call(function!(C_VerifySignatureInit), &args).unwrap();
        session.call(function!(C_VerifySignature), &[Arg::NULL, 0_usize.into()]).unwrap();
        assert_eq!(counter(&session, key), 3);
    }

    fn there_is_no_message(kit) {
        let session = kit.user();
        let key = key(&session, attrs![]);
        refused!(CKR_DATA_INVALID, session.sign(&own(), key, b"message"));
        refused!(CKR_DATA_INVALID, session.verify(&own(), key, b"message", PASSWORDS[0].as_bytes()));
        session.init(SIGN, &own(), key).unwrap();
        refused!(CKR_DATA_INVALID, session.update(SIGN, b"message"));
        refused!(CKR_OPERATION_NOT_INITIALIZED, session.last(SIGN, Out::Length));
        let mech = own().raw();
        let args = [(&mech).into(), key.into()];
        refused!(CKR_MECHANISM_INVALID, session.call(function!(C_MessageSignInit), &args));
        refused!(CKR_MECHANISM_INVALID, session.call(function!(C_MessageVerifyInit), &args));
        refused!(CKR_MECHANISM_INVALID, session.call(function!(C_SignRecoverInit), &args));
        // Nor by the way of two functions at once.
        let ecb = Mech::plain(CKM_AES_ECB);
        session.init(ENCRYPT, &ecb, aes(&session, &[7; 16])).unwrap();
        session.init(SIGN, &own(), key).unwrap();
        let (data, mut out) = ([0_u8; 16], [0; 32]);
        let args = [data[..].into(), data.len().into()];
        let dual = session.output(function!(C_SignEncryptUpdate), &args, Out::Buffer(&mut out));
        refused!(CKR_DATA_INVALID, dual);
        assert_eq!(counter(&session, key), 0);
    }

    fn a_key_says_who_brings_the_counter(kit) {
        let session = kit.user();
        let asks = |requirement: CK_ULONG| key(&session, attrs![CKA_OTP_COUNTER_REQUIREMENT => requirement]);
        let mandatory = asks(CK_OTP_PARAM_MANDATORY);
        refused!(CKR_MECHANISM_PARAM_INVALID, session.sign(&own(), mandatory, b""));
        refused!(CKR_MECHANISM_PARAM_INVALID, session.verify(&own(), mandatory, b"", PASSWORDS[0].as_bytes()));
        assert_eq!(read(&session.sign(&at(3), mandatory, b"").unwrap()).0, PASSWORDS[3]);
        let ignored = asks(CK_OTP_PARAM_IGNORED);
        assert_eq!(read(&session.sign(&at(3), ignored, b"").unwrap()), (PASSWORDS[0].to_owned(), 0));
        refused!(CKR_SIGNATURE_INVALID, session.verify(&at(0), ignored, b"", PASSWORDS[0].as_bytes()));
        assert_eq!(counter(&session, ignored), 1);
    }

    fn parameters_that_mean_nothing_here_are_ignored_and_others_refused(kit) {
        let session = kit.user();
        let one = key(&session, attrs![]);
        for kind in [CK_OTP_PIN, CK_OTP_CHALLENGE, CK_OTP_TIME] {
            session.sign(&with(&[(kind, b"20300101000000")]), one, b"").unwrap();
        }
        let without_effect = [CKF_EXCLUDE_TIME, CKF_EXCLUDE_CHALLENGE, CKF_EXCLUDE_PIN, CKF_USER_FRIENDLY_OTP];
        for flags in without_effect {
            session.sign(&number(CK_OTP_FLAGS, flags), one, b"").unwrap();
        }
        session.sign(&number(CK_OTP_OUTPUT_FORMAT, CK_OTP_FORMAT_DECIMAL), one, b"").unwrap();
        session.sign(&with(&[]), one, b"").unwrap();
        assert_eq!(counter(&session, one), 9);
        let unfriendly = key(&session, attrs![CKA_OTP_USER_FRIENDLY_MODE => false]);
        let friendly = number(CK_OTP_FLAGS, CKF_USER_FRIENDLY_OTP);
        refused!(CKR_MECHANISM_PARAM_INVALID, session.sign(&friendly, unfriendly, b""));
        for bad in [
            number(CK_OTP_FLAGS, CKF_EXCLUDE_COUNTER),
            number(CK_OTP_FLAGS, 64),
            number(CK_OTP_OUTPUT_FORMAT, CK_OTP_FORMAT_HEXADECIMAL),
            with(&[(CK_OTP_COUNTER, &[0; 7])]),
            with(&[(CK_OTP_COUNTER, &[0; 9])]),
            with(&[(CK_OTP_COUNTER, b"")]),
            with(&[(CK_OTP_VALUE, b"755224")]),
            with(&[(CK_OTP_COUNTER, &[0; 8]), (CK_OTP_COUNTER, &[0; 8])]),
            Mech::bytes(CKM_HOTP, &[0; 8]),
        ] {
            refused!(CKR_MECHANISM_PARAM_INVALID, session.sign(&bad, one, b""));
            refused!(CKR_MECHANISM_PARAM_INVALID, session.verify(&bad, one, b"", b"755224"));
        }
        assert_eq!(counter(&session, one), 9);
    }

    fn counters_go_on_in_sessions_and_processes_that_come_later(kit) {
        let (gate, second) = (Gate::new(), Gate::new());
        let child = Child::fork(|| {
            gate.wait();
            // A session that may only read: what is written is the token's own.
            let token = Token::find(kit.initialised());
            token.user();
            let session = token.ro();
            let key = session.find(&attrs![CKA_KEY_TYPE => CKK_HOTP]).unwrap()[0];
            assert_eq!(next(&session, key), (PASSWORDS[2].to_owned(), 2));
            second.open();
        });
        let session = kit.user();
        let key = key(&session, attrs![CKA_TOKEN => true]);
        assert_eq!(next(&session, key).1, 0);
        assert_eq!(next(&session, key).1, 1);
        gate.open();
        second.wait();
        child.succeeds();
        assert_eq!(next(&session, key), (PASSWORDS[3].to_owned(), 3));
        assert_eq!(counter(&session, key), 4);
    }

    fn threads_never_share_a_password(kit) {
        const EACH: usize = 50;
        let token = kit.token_for_threads();
        let session = token.user();
        for more in [attrs![], attrs![CKA_TOKEN => true]] {
            let key = key(&session, more);
            let given: BTreeSet<u64> = std::thread::scope(|scope| {
                let use_it = || {
                    let session = token.rw();
                    (0..EACH).map(|_| next(&session, key).1).collect::<Vec<_>>()
                };
                let threads = [scope.spawn(use_it), scope.spawn(use_it), scope.spawn(use_it)];
                threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
            });
            assert_eq!(given, (0..3 * EACH as u64).collect());
        }
    }

    fn a_copy_counts_for_itself(kit) {
        let session = kit.user();
        let original = key(&session, attrs![]);
        next(&session, original);
        let copy = session.copy(original, &attrs![]).unwrap();
        assert_eq!([next(&session, original), next(&session, copy)], [(); 2].map(|()| (PASSWORDS[1].to_owned(), 1)));
        let single = key(&session, attrs![CKA_COPYABLE => false]);
        refused!(CKR_ACTION_PROHIBITED, session.copy(single, &attrs![]));
    }

    fn processes_never_share_a_password(kit, 240) {
        const EACH: u64 = 20;
        // Each process leaves a data object: the counters it was given, and which passwords were taken from it.
        let use_both = |session: &Session<'_>| {
            let named = |label: &str| session.find(&attrs![CKA_LABEL => label]).unwrap()[0];
            let (client, server) = (named("client"), named("server"));
            let given: Vec<u8> = (0..EACH).flat_map(|_| next(session, client).1.to_be_bytes()).collect();
            let is_taken = |at: &usize| session.verify(&own(), server, b"", PASSWORDS[*at].as_bytes()).is_ok();
            let taken: String = (0..10).filter(is_taken).map(|at| char::from(b'0' + at as u8)).collect();
            let left = attrs![CKA_CLASS => CKO_DATA, CKA_TOKEN => true, CKA_APPLICATION => taken, CKA_VALUE => given];
            session.create(&left).unwrap();
        };
        let start = || {
            let gate = Gate::new();
            let child = Child::fork(|| {
                gate.wait();
                use_both(&Token::find(kit.initialised()).user());
            });
            (child, gate)
        };
        let children = [start(), start(), start()];
        let session = kit.user();
        for label in ["client", "server"] {
            key(&session, attrs![CKA_TOKEN => true, CKA_LABEL => label]);
        }
        children.iter().for_each(|(_, gate)| gate.open());
        children.into_iter().for_each(|(child, _)| child.succeeds());
        let left = session.find(&attrs![CKA_CLASS => CKO_DATA]).unwrap();
        let of_all = |kind| left.iter().flat_map(move |data| session.get(*data, kind).unwrap()).collect::<Vec<u8>>();
        let given: BTreeSet<_> = of_all(CKA_VALUE).chunks(8).map(<[u8]>::to_vec).collect();
        let expected: BTreeSet<_> = (0..3 * EACH).map(|counter| counter.to_be_bytes().to_vec()).collect();
        assert_eq!(given, expected);
        let taken = of_all(CKA_APPLICATION);
        let once: BTreeSet<_> = taken.iter().collect();
        assert!(!taken.is_empty() && once.len() == taken.len(), "taken twice: {}", String::from_utf8_lossy(&taken));
    }

    fn keys_have_what_the_standard_gives_them(kit) {
        let session = kit.user();
        let made = session.generate(&Mech::plain(CKM_HOTP_KEY_GEN), &attrs![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true]);
        let made = made.unwrap();
        for (kind, expected) in [
            (CKA_CLASS, CKO_OTP_KEY),
            (CKA_KEY_TYPE, CKK_HOTP),
            (CKA_KEY_GEN_MECHANISM, CKM_HOTP_KEY_GEN),
            (CKA_VALUE_LEN, 20),
            (CKA_OTP_FORMAT, CK_OTP_FORMAT_DECIMAL),
            (CKA_OTP_LENGTH, 6),
            (CKA_OTP_CHALLENGE_REQUIREMENT, CK_OTP_PARAM_IGNORED),
            (CKA_OTP_TIME_REQUIREMENT, CK_OTP_PARAM_IGNORED),
            (CKA_OTP_COUNTER_REQUIREMENT, CK_OTP_PARAM_OPTIONAL),
            (CKA_OTP_PIN_REQUIREMENT, CK_OTP_PARAM_IGNORED),
        ] {
            assert_eq!(session.number(made, kind), Ok(expected), "{kind:#x}");
        }
        for (kind, expected) in [
            (CKA_LOCAL, true),
            (CKA_PRIVATE, true),
            (CKA_SIGN, true),
            (CKA_VERIFY, true),
            (CKA_ENCRYPT, false),
            (CKA_DECRYPT, false),
            (CKA_WRAP, false),
            (CKA_UNWRAP, false),
            (CKA_DERIVE, false),
            (CKA_OTP_USER_FRIENDLY_MODE, true),
        ] {
            assert_eq!(session.flag(made, kind), Ok(expected), "{kind:#x}");
        }
        assert_eq!(session.get(made, CKA_OTP_COUNTER).unwrap(), [0; 8]);
        assert_eq!(session.get(made, CKA_VALUE).unwrap().len(), 20);
        for kind in [CKA_OTP_TIME, CKA_OTP_USER_IDENTIFIER, CKA_OTP_SERVICE_IDENTIFIER, CKA_OTP_SERVICE_LOGO, CKA_OTP_SERVICE_LOGO_TYPE] {
            assert_eq!(session.get(made, kind), Ok(vec![]), "{kind:#x}");
        }
        // A counter that is set back would give the same passwords again.
        for frozen in [
            attrs![CKA_OTP_COUNTER => [0; 8].to_vec()],
            attrs![CKA_OTP_LENGTH => 8 as CK_ULONG],
            attrs![CKA_OTP_USER_IDENTIFIER => "another"],
        ] {
            refused!(CKR_ATTRIBUTE_READ_ONLY, session.set(made, &frozen));
        }
        let from = session.create(&template().and(attrs![CKA_OTP_COUNTER => 8_u64.to_be_bytes().to_vec()])).unwrap();
        assert_eq!(next(&session, from), (PASSWORDS[8].to_owned(), 8));
    }

    fn keys_that_cannot_be_are_refused(kit) {
        let session = kit.user();
        for (kind, number) in [
            (CKA_OTP_FORMAT, CK_OTP_FORMAT_BINARY),
            (CKA_OTP_LENGTH, 5),
            (CKA_OTP_LENGTH, 9),
            (CKA_OTP_TIME_REQUIREMENT, CK_OTP_PARAM_OPTIONAL),
            (CKA_OTP_CHALLENGE_REQUIREMENT, CK_OTP_PARAM_MANDATORY),
            (CKA_OTP_PIN_REQUIREMENT, CK_OTP_PARAM_MANDATORY),
            (CKA_OTP_COUNTER_REQUIREMENT, 3),
        ] {
            refused!(CKR_ATTRIBUTE_VALUE_INVALID, session.create(&template().and(attrs![kind => number])));
        }
        for bytes in [(CKA_OTP_COUNTER, vec![0; 7]), (CKA_OTP_TIME, b"20300101000000".to_vec())] {
            refused!(CKR_ATTRIBUTE_VALUE_INVALID, session.create(&template().and(attrs![bytes.0 => bytes.1])));
        }
        for length in [0, 15, 65] {
            let short = attrs![CKA_CLASS => CKO_OTP_KEY, CKA_KEY_TYPE => CKK_HOTP, CKA_VALUE => vec![1; length]];
            refused!(CKR_ATTRIBUTE_VALUE_INVALID, session.create(&short));
        }
        for length in [15 as CK_ULONG, 65] {
            refused!(CKR_KEY_SIZE_RANGE, session.generate(&Mech::plain(CKM_HOTP_KEY_GEN), &attrs![CKA_VALUE_LEN => length]));
        }
        // Class and type belong together.
        for (class, kind) in [(CKO_SECRET_KEY, CKK_HOTP), (CKO_OTP_KEY, CKK_GENERIC_SECRET), (CKO_OTP_KEY, CKK_SECURID)] {
            let mixed = attrs![CKA_CLASS => class, CKA_KEY_TYPE => kind, CKA_VALUE => SECRET];
            refused!(CKR_ATTRIBUTE_VALUE_INVALID, session.create(&mixed));
        }
        let wrong_class = attrs![CKA_CLASS => CKO_SECRET_KEY];
        refused!(CKR_TEMPLATE_INCONSISTENT, session.generate(&Mech::plain(CKM_HOTP_KEY_GEN), &wrong_class));
    }

    fn keys_serve_for_nothing_else_and_others_not_for_this(kit) {
        let session = kit.user();
        let otp = key(&session, attrs![]);
        let hmac = session.sign(&Mech::plain(CKM_SHA_1_HMAC), otp, &[0; 8]);
        refused!(CKR_KEY_TYPE_INCONSISTENT, hmac);
        let block = session.encrypt(&Mech::plain(CKM_AES_ECB), otp, &[0; 16]);
        refused!(CKR_KEY_TYPE_INCONSISTENT, block);
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.sign(&own(), generate_aes(&session, attrs![]), b""));
        for (use_, rv) in [(attrs![CKA_SIGN => false], SIGN), (attrs![CKA_VERIFY => false], VERIFY)] {
            let unfit = key(&session, use_);
            refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.init(rv, &own(), unfit));
        }
        let listed = key(&session, attrs![CKA_ALLOWED_MECHANISMS => CKM_SHA_1_HMAC.to_ne_bytes().to_vec()]);
        refused!(CKR_MECHANISM_INVALID, session.init(SIGN, &own(), listed));
    }

    fn keys_are_wrapped_and_come_back(kit) {
        let session = kit.user();
        let wrapping = aes(&session, &[7; 32]);
        let otp = key(&session, attrs![CKA_EXTRACTABLE => true]);
        let mech = Mech::plain(CKM_AES_KEY_WRAP_KWP);
        let wrapped = session.wrap(&mech, wrapping, otp).unwrap();
        let back = attrs![CKA_CLASS => CKO_OTP_KEY, CKA_KEY_TYPE => CKK_HOTP];
        let back = session.unwrap(&mech, wrapping, &wrapped, &back).unwrap();
        assert_eq!(next(&session, back), (PASSWORDS[0].to_owned(), 0));
        let kept = key(&session, attrs![CKA_EXTRACTABLE => false]);
        refused!(CKR_KEY_UNEXTRACTABLE, session.wrap(&mech, wrapping, kept));
        refused!(CKR_ATTRIBUTE_SENSITIVE, session.get(kept, CKA_VALUE));
    }

    fn the_last_counter_is_the_end(kit) {
        let session = kit.user();
        let key = key(&session, attrs![CKA_OTP_COUNTER => (u64::MAX - 1).to_be_bytes().to_vec()]);
        assert_eq!(next(&session, key).1, u64::MAX - 1);
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.sign(&own(), key, b""));
        assert_eq!(counter(&session, key), u64::MAX);
    }
}
