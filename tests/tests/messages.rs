//! Many messages of AES-GCM under one key. PKCS #11 3.2, sections 5.9, 5.11 and 6.13.11.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use hsm_tests::function;
use hsm_tests::keys::{self, hex};
use hsm_tests::messages::{DECRYPT, ENCRYPT, Gcm, Way};
use hsm_tests::operations;
use hsm_tests::prelude::*;
use hsm_tests::raw::Arg;

const IV: [u8; 12] = [9; 12];
const AAD: &[u8] = b"beside";
const DATA: &[u8] = b"a message of some length, longer than a block";

fn gcm() -> Mech {
    Mech::plain(CKM_AES_GCM)
}

fn encrypting<'m>(kit: &'m Kit) -> (Session<'m>, Object) {
    let session = kit.user();
    let key = keys::aes(&session, &[7; 32]);
    session.message_init(ENCRYPT, &gcm(), key).unwrap();
    (session, key)
}

/// What C_Encrypt makes of the same, with the tag behind.
fn by_encrypt(session: &Session<'_>, key: Object, iv: &[u8]) -> Vec<u8> {
    session.encrypt(&Mech::gcm(iv, AAD, 128), key, DATA).unwrap()
}

/// A message of [`DATA`] under a nonce, with its tag.
fn sealed(session: &Session<'_>, key: Object) -> (Vec<u8>, Vec<u8>) {
    let mut ciphertext = by_encrypt(session, key, &IV);
    let tag = ciphertext.split_off(DATA.len());
    (ciphertext, tag)
}

isolated! {
    fn a_message_is_that_of_the_published_vector(kit) {
        // McGrew and Viega, "The Galois/Counter Mode of Operation", test case 4.
        let session = kit.user();
        let key = keys::aes(&session, &hex("feffe9928665731c6d6a8f9467308308"));
        let iv = hex("cafebabefacedbaddecaf888");
        let aad = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let plaintext = hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
                             1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
        let ciphertext = hex("42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e\
                              21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091");
        let tag = hex("5bc94fbc3221a5db94fae95ae7121a47");
        session.message_init(ENCRYPT, &gcm(), key).unwrap();
        let parameter = Gcm::given(&iv);
        assert_eq!(session.whole_message(ENCRYPT, &parameter, &aad, &plaintext), Ok(ciphertext.clone()));
        assert_eq!((parameter.iv(), parameter.tag()), (iv.as_slice(), tag.as_slice()));
        session.message_init(DECRYPT, &gcm(), key).unwrap();
        let parameter = Gcm::given(&iv).with_tag(&tag);
        assert_eq!(session.whole_message(DECRYPT, &parameter, &aad, &ciphertext), Ok(plaintext));
    }

    fn many_messages_in_one_and_several_parts(kit) {
        let (session, key) = encrypting(kit);
        session.message_init(DECRYPT, &gcm(), key).unwrap();
        for number in 0..4u8 {
            let iv = [number; 12];
            let parameter = Gcm::given(&iv);
            let mut ciphertext = Vec::new();
            session.message_begin(ENCRYPT, &parameter, AAD).unwrap();
            ciphertext.extend(session.message_part(ENCRYPT, &parameter, &DATA[..5], false).unwrap());
            ciphertext.extend(session.message_part(ENCRYPT, &parameter, &DATA[5..5], false).unwrap());
            ciphertext.extend(session.message_part(ENCRYPT, &parameter, &DATA[5..], true).unwrap());
            assert_eq!([ciphertext.as_slice(), parameter.tag()].concat(), by_encrypt(&session, key, &iv));
            // Decrypted in parts, all comes out at the end.
            session.message_begin(DECRYPT, &parameter, AAD).unwrap();
            assert_eq!(session.message_part(DECRYPT, &parameter, &ciphertext[..20], false), Ok(vec![]));
            assert_eq!(session.message_part(DECRYPT, &parameter, &ciphertext[20..], true), Ok(DATA.to_vec()));
            assert_eq!(session.whole_message(DECRYPT, &parameter, AAD, &ciphertext), Ok(DATA.to_vec()));
        }
        assert_eq!(session.message_final(ENCRYPT), Ok(()));
        assert_eq!(session.message_final(DECRYPT), Ok(()));
    }

    fn an_empty_message_has_a_tag(kit) {
        let (session, key) = encrypting(kit);
        let parameter = Gcm::given(&IV);
        assert_eq!(session.message(ENCRYPT, &parameter, AAD, b"", Out::Buffer(&mut [0; 1])), Ok(0));
        session.message_init(DECRYPT, &gcm(), key).unwrap();
        assert_eq!(session.message(DECRYPT, &parameter, AAD, b"", Out::Buffer(&mut [0; 1])), Ok(0));
        let answer = session.message(DECRYPT, &parameter, b"other", b"", Out::Buffer(&mut [0; 1]));
        refused!(CKR_AEAD_DECRYPT_FAILED, answer);
    }

    fn nothing_comes_out_of_what_is_not_authentic_and_the_process_goes_on(kit) {
        let session = kit.user();
        let key = keys::aes(&session, &[7; 32]);
        let (ciphertext, tag) = sealed(&session, key);
        session.message_init(DECRYPT, &gcm(), key).unwrap();
        let good = Gcm::given(&IV).with_tag(&tag);
        let mut other = tag.clone();
        other[15] ^= 1;
        for parameter in [Gcm::given(&IV).with_tag(&other), Gcm::given(&[8; 12]).with_tag(&tag)] {
            let mut out = [0xee; 64];
            let answer = session.message(DECRYPT, &parameter, AAD, &ciphertext, Out::Buffer(&mut out));
            refused!(CKR_AEAD_DECRYPT_FAILED, answer);
            let shown = out.windows(8).any(|window| DATA.windows(8).any(|data| data == window));
            assert!(!shown, "plaintext came out");
            session.message_begin(DECRYPT, &parameter, AAD).unwrap();
            assert_eq!(session.message_part(DECRYPT, &parameter, &ciphertext, false), Ok(vec![]));
            let answer = session.message_next(DECRYPT, &parameter, b"", (Out::Buffer(&mut out), true));
            refused!(CKR_AEAD_DECRYPT_FAILED, answer);
            let answer = session.message_next(DECRYPT, &parameter, b"", (Out::Buffer(&mut out), true));
            refused!(CKR_OPERATION_NOT_INITIALIZED, answer);
            assert_eq!(session.whole_message(DECRYPT, &good, AAD, &ciphertext), Ok(DATA.to_vec()));
        }
        let answer = session.message(DECRYPT, &good, b"", &ciphertext, Out::Buffer(&mut [0; 64]));
        refused!(CKR_AEAD_DECRYPT_FAILED, answer);
    }

    fn a_made_nonce_is_written_back_and_decrypts(kit) {
        let (session, key) = encrypting(kit);
        session.message_init(DECRYPT, &gcm(), key).unwrap();
        for (generator, fixed) in [(CKG_GENERATE, 0), (CKG_GENERATE, 32), (CKG_GENERATE_RANDOM, 0),
                                   (CKG_GENERATE_COUNTER, 32), (CKG_GENERATE_COUNTER_XOR, 40)] {
            let parameter = Gcm::generated(&[0xf0; 12], fixed, generator);
            let ciphertext = session.whole_message(ENCRYPT, &parameter, AAD, DATA).unwrap();
            let kept = usize::try_from(fixed / 8).unwrap();
            assert_eq!(&parameter.iv()[..kept], &[0xf0; 12][..kept], "generator {generator}");
            assert_eq!([ciphertext.as_slice(), parameter.tag()].concat(), by_encrypt(&session, key, parameter.iv()));
            assert_eq!(session.whole_message(DECRYPT, &parameter, AAD, &ciphertext), Ok(DATA.to_vec()));
        }
    }

    fn a_message_in_parts_gets_its_nonce_at_its_beginning(kit) {
        let (session, key) = encrypting(kit);
        let parameter = Gcm::generated(&[0; 12], 0, CKG_GENERATE);
        session.message_begin(ENCRYPT, &parameter, AAD).unwrap();
        assert_ne!(parameter.iv(), [0; 12]);
        let ciphertext = session.message_part(ENCRYPT, &parameter, DATA, true).unwrap();
        assert_eq!([ciphertext.as_slice(), parameter.tag()].concat(), by_encrypt(&session, key, parameter.iv()));
    }

    fn a_counter_goes_on_through_everything_but_the_sessions_end(kit) {
        let token = kit.token();
        let session = token.user();
        let value = [7; 32];
        let key = keys::aes(&session, &value);
        let next = || {
            let parameter = Gcm::generated(&[1; 12], 32, CKG_GENERATE_COUNTER);
            session.whole_message(ENCRYPT, &parameter, AAD, DATA).unwrap();
            parameter.iv().to_vec()
        };
        session.message_init(ENCRYPT, &gcm(), key).unwrap();
        assert_eq!(next(), [1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(next()[11], 1);
        session.message_final(ENCRYPT).unwrap();
        // A new process, a copy of the key, the same value again after a logout.
        session.message_init(ENCRYPT, &gcm(), key).unwrap();
        assert_eq!(next()[11], 2);
        session.message_final(ENCRYPT).unwrap();
        let copy = session.copy(key, &attrs![CKA_LABEL => "copy"]).unwrap();
        session.message_init(ENCRYPT, &gcm(), copy).unwrap();
        assert_eq!(next()[11], 3);
        session.logout().unwrap();
        session.login(CKU_USER, hsm_tests::kit::PIN).unwrap();
        let again = keys::aes(&session, &value);
        session.message_init(ENCRYPT, &gcm(), again).unwrap();
        assert_eq!(next()[11], 4);
    }

    fn asking_the_length_takes_no_nonce(kit) {
        let (session, _) = encrypting(kit);
        let parameter = Gcm::generated(&[1; 12], 32, CKG_GENERATE_COUNTER);
        for _ in 0..3 {
            assert_eq!(session.message(ENCRYPT, &parameter, AAD, DATA, Out::Length), Ok(DATA.len()));
            let small = Out::Buffer(&mut [0; 10]);
            refused!(CKR_BUFFER_TOO_SMALL, session.message(ENCRYPT, &parameter, AAD, DATA, small));
        }
        assert_eq!(parameter.iv(), [1; 12]);
        session.whole_message(ENCRYPT, &parameter, AAD, DATA).unwrap();
        assert_eq!(parameter.iv(), [1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    }

    fn nonces_that_a_counter_made_are_not_taken_again(kit) {
        let (session, _) = encrypting(kit);
        let counted = Gcm::generated(&[1; 12], 32, CKG_GENERATE_COUNTER);
        session.whole_message(ENCRYPT, &counted, AAD, DATA).unwrap();
        let again = session.whole_message(ENCRYPT, &Gcm::given(counted.iv()), AAD, DATA);
        refused!(CKR_MECHANISM_PARAM_INVALID, again);
        let varied = Gcm::generated(&[2; 12], 32, CKG_GENERATE_COUNTER_XOR);
        session.whole_message(ENCRYPT, &varied, AAD, DATA).unwrap();
        let other = [&[2; 11][..], &[3]].concat();
        let varied = Gcm::generated(&other, 32, CKG_GENERATE_COUNTER_XOR);
        refused!(CKR_MECHANISM_PARAM_INVALID, session.whole_message(ENCRYPT, &varied, AAD, DATA));
    }

    fn a_short_counter_ends(kit) {
        let (session, _) = encrypting(kit);
        for _ in 0..2 {
            let parameter = Gcm::generated(&[1; 12], 95, CKG_GENERATE_COUNTER);
            session.whole_message(ENCRYPT, &parameter, AAD, DATA).unwrap();
        }
        let parameter = Gcm::generated(&[1; 12], 95, CKG_GENERATE_COUNTER);
        refused!(CKR_TOKEN_RESOURCE_EXCEEDED, session.whole_message(ENCRYPT, &parameter, AAD, DATA));
    }

    fn parameters_outside_their_ranges_are_refused(kit) {
        let (session, key) = encrypting(kit);
        session.message_init(DECRYPT, &gcm(), key).unwrap();
        let wrong = [
            Gcm::given(&[]),
            Gcm::generated(&[1; 257], 0, CKG_GENERATE),
            Gcm::given(&IV).with_tag_bits(0),
            Gcm::given(&IV).with_tag_bits(127),
            Gcm::given(&IV).with_tag_bits(CK_ULONG::MAX),
            Gcm::generated(&IV, 96, CKG_GENERATE),
            Gcm::generated(&IV, CK_ULONG::MAX, CKG_GENERATE_COUNTER),
            Gcm::generated(&IV, 1, CKG_GENERATE_RANDOM),
            Gcm::generated(&IV, 0, 77),
            Gcm::given(&IV).without_tag(),
        ];
        for parameter in &wrong {
            let out = Out::Buffer(&mut [0; 64]);
            let answer = session.message(ENCRYPT, parameter, AAD, DATA, out);
            refused!(CKR_MECHANISM_PARAM_INVALID, answer, "{parameter:?}");
        }
        for parameter in [&wrong[0], &wrong[3], &wrong[9]] {
            let out = Out::Buffer(&mut [0; 64]);
            let answer = session.message(DECRYPT, parameter, AAD, DATA, out);
            refused!(CKR_MECHANISM_PARAM_INVALID, answer, "{parameter:?}");
        }
        let args = [Arg::NULL, 0usize.into(), Arg::NULL, 0usize.into()];
        refused!(CKR_MECHANISM_PARAM_INVALID, session.call(ENCRYPT.begin, &args));
    }

    fn order_matters(kit) {
        let session = kit.user();
        let key = keys::aes(&session, &[7; 32]);
        for way in [ENCRYPT, DECRYPT] {
            nothing_runs(&session, way);
            session.message_init(way, &gcm(), key).unwrap();
            refused!(CKR_OPERATION_ACTIVE, session.message_init(way, &gcm(), key));
            let parameter = Gcm::given(&IV);
            let next = |last| session.message_next(way, &parameter, DATA, (Out::Buffer(&mut [0; 64]), last));
            refused!(CKR_OPERATION_NOT_INITIALIZED, next(false));
            session.message_begin(way, &parameter, AAD).unwrap();
            refused!(CKR_OPERATION_ACTIVE, session.message_begin(way, &parameter, AAD));
            refused!(CKR_OPERATION_ACTIVE, session.message(way, &parameter, AAD, DATA, Out::Length));
            refused!(CKR_OPERATION_ACTIVE, session.message_final(way));
            assert!(next(false).is_ok(), "the message went on");
            // Cancelled, also in the middle of a message.
            session.call(way.init, &[Arg::NULL, key.into()]).unwrap();
            nothing_runs(&session, way);
        }
    }

    fn a_key_must_be_fit_and_a_mechanism_for_messages(kit) {
        let session = kit.user();
        let template = keys::aes_template(&[7; 32]).without(CKA_ENCRYPT).and(attrs![CKA_ENCRYPT => false]);
        let unfit = session.create(&template).unwrap();
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.message_init(ENCRYPT, &gcm(), unfit));
        let key = keys::aes(&session, &[7; 32]);
        for kind in [CKM_AES_CBC, CKM_SHA256, CKM_SHA256_HMAC, CKM_VENDOR_DEFINED] {
            refused!(CKR_MECHANISM_INVALID, session.message_init(ENCRYPT, &Mech::plain(kind), key));
        }
        refused!(CKR_KEY_HANDLE_INVALID, session.message_init(ENCRYPT, &gcm(), 0));
        let other = Mech::bytes(CKM_AES_GCM, &[0; 47]);
        refused!(CKR_MECHANISM_PARAM_INVALID, session.message_init(DECRYPT, &other, key));
        // The parameter may come at the beginning too; nothing is taken from it.
        let raw = Gcm::given(&IV).mechanism();
        assert_eq!(session.call(DECRYPT.init, &[(&raw).into(), key.into()]), Ok(()));
    }

    fn the_end_of_a_login_or_of_a_key_ends_the_process(kit) {
        let token = kit.token();
        let session = token.user();
        let key = keys::aes(&session, &[7; 32]);
        session.message_init(ENCRYPT, &gcm(), key).unwrap();
        session.logout().unwrap();
        nothing_runs(&session, ENCRYPT);
        session.login(CKU_USER, hsm_tests::kit::PIN).unwrap();
        let key = keys::aes(&session, &[7; 32]);
        session.message_init(ENCRYPT, &gcm(), key).unwrap();
        session.destroy(key).unwrap();
        let answer = session.message(ENCRYPT, &Gcm::given(&IV), AAD, DATA, Out::Buffer(&mut [0; 64]));
        refused!(CKR_KEY_HANDLE_INVALID, answer);
        nothing_runs(&session, ENCRYPT);
    }

    fn session_cancel_ends_what_its_flags_name(kit) {
        let (session, key) = encrypting(kit);
        session.message_init(DECRYPT, &gcm(), key).unwrap();
        session.call(function!(C_SessionCancel), &[CKF_MESSAGE_ENCRYPT.into()]).unwrap();
        nothing_runs(&session, ENCRYPT);
        assert_eq!(session.message_final(DECRYPT), Ok(()));
    }

    fn bad_pointers_end_the_message_and_not_the_process(kit) {
        let (session, _) = encrypting(kit);
        let parameter = Gcm::given(&IV);
        session.message_begin(ENCRYPT, &parameter, AAD).unwrap();
        let raw = parameter.raw();
        let size = size_of::<CK_GCM_MESSAGE_PARAMS>();
        let args = [raw.into(), size.into(), Arg::NULL, 5usize.into(), Arg::NULL, Arg::NULL, 0usize.into()];
        refused!(CKR_ARGUMENTS_BAD, session.call(ENCRYPT.next, &args));
        let answer = session.message_next(ENCRYPT, &parameter, DATA, (Out::Buffer(&mut [0; 64]), true));
        refused!(CKR_OPERATION_NOT_INITIALIZED, answer);
        assert!(session.whole_message(ENCRYPT, &parameter, AAD, DATA).is_ok());
    }

    fn plaintext_and_ciphertext_may_share_their_place(kit) {
        let (session, key) = encrypting(kit);
        let parameter = Gcm::given(&IV);
        let mut buffer = [0; 64];
        buffer[..DATA.len()].copy_from_slice(DATA);
        let mut length = CK_ULONG::try_from(buffer.len()).unwrap();
        let start = Arg::from(buffer.as_mut_slice()).detached();
        let args = [
            parameter.raw().into(),
            size_of::<CK_GCM_MESSAGE_PARAMS>().into(),
            AAD.into(),
            AAD.len().into(),
            start,
            DATA.len().into(),
            start,
            (&mut length).into(),
        ];
        session.call(ENCRYPT.once, &args).unwrap();
        let sealed = [&buffer[..DATA.len()], parameter.tag()].concat();
        assert_eq!(sealed, by_encrypt(&session, key, &IV));
    }

    fn an_ordinary_encryption_runs_beside_messages(kit) {
        let (session, key) = encrypting(kit);
        session.init(operations::ENCRYPT, &Mech::gcm(&IV, AAD, 128), key).unwrap();
        session.whole_message(ENCRYPT, &Gcm::given(&[1; 12]), AAD, DATA).unwrap();
        assert_eq!(session.once(operations::ENCRYPT, DATA, Out::Buffer(&mut [0; 64])), Ok(DATA.len() + 16));
    }

    fn flags_say_what_messages_a_mechanism_has(kit) {
        let token = kit.token();
        let flags = |kind| token.module.mechanism_info(token.slot, kind).unwrap().flags;
        let both = CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT | CKF_MESSAGE_SIGN | CKF_MESSAGE_VERIFY | CKF_MULTI_MESSAGE;
        let encrypts = CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT | CKF_MULTI_MESSAGE;
        let signs = CKF_MESSAGE_SIGN | CKF_MESSAGE_VERIFY;
        for (kind, expected) in [
            (CKM_AES_GCM, encrypts),
            (CKM_AES_CBC, 0),
            (CKM_SHA256, 0),
            (CKM_AES_KEY_GEN, 0),
            (CKM_SHA256_HMAC, signs | CKF_MULTI_MESSAGE),
            (CKM_ECDSA_SHA256, signs | CKF_MULTI_MESSAGE),
            (CKM_EDDSA, signs | CKF_MULTI_MESSAGE),
            (CKM_ECDSA, signs),
            (CKM_RSA_PKCS, signs),
        ] {
            assert_eq!(flags(kind) & both, expected, "{kind:#x}");
        }
    }
}

fn nothing_runs(session: &Session<'_>, way: Way) {
    let parameter = Gcm::given(&IV);
    let mut buffer = [0; 64];
    let answer = session.message(way, &parameter, AAD, DATA, Out::Buffer(&mut buffer));
    refused!(CKR_OPERATION_NOT_INITIALIZED, answer);
    refused!(CKR_OPERATION_NOT_INITIALIZED, session.message_begin(way, &parameter, AAD));
    let answer = session.message_next(way, &parameter, DATA, (Out::Buffer(&mut buffer), true));
    refused!(CKR_OPERATION_NOT_INITIALIZED, answer);
    refused!(CKR_OPERATION_NOT_INITIALIZED, session.message_final(way));
}
