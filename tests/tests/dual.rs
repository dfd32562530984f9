//! Two operations at once, and signatures that are given first. PKCS #11 3.2, sections 5.15 and 5.17.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use hsm_tests::function;
use hsm_tests::keys;
use hsm_tests::kit::PIN;
use hsm_tests::operations::{DECRYPT, DIGEST, ENCRYPT, SIGN, VERIFY, twice};
use hsm_tests::prelude::*;
use hsm_tests::raw::{Arg, Function};

const DATA: [u8; 40] = [7; 40];

fn cbc() -> Mech {
    Mech::bytes(CKM_AES_CBC_PAD, &[9; 16])
}

fn hash() -> Mech {
    Mech::plain(CKM_SHA256)
}

fn mac() -> Mech {
    Mech::plain(CKM_SHA256_HMAC)
}

fn update(session: &Session<'_>, function: Function, data: &[u8]) -> Result<Vec<u8>, Rv> {
    twice(|out| session.output(function, &[data.into(), data.len().into()], out))
}

fn known_init(session: &Session<'_>, mech: &Mech, key: Object, signature: &[u8]) -> Result<(), Rv> {
    let raw = mech.raw();
    let args = [(&raw).into(), key.into(), signature.into(), signature.len().into()];
    session.call(function!(C_VerifySignatureInit), &args)
}

fn known_once(session: &Session<'_>, data: &[u8]) -> Result<(), Rv> {
    session.call(function!(C_VerifySignature), &[data.into(), data.len().into()])
}

fn known_update(session: &Session<'_>, data: &[u8]) -> Result<(), Rv> {
    session.call(function!(C_VerifySignatureUpdate), &[data.into(), data.len().into()])
}

fn known_last(session: &Session<'_>) -> Result<(), Rv> {
    session.call(function!(C_VerifySignatureFinal), &[])
}

isolated! {
    fn digest_and_encrypt_and_back(kit) {
        let session = kit.user();
        let key = keys::aes(&session, &[7; 32]);
        let expected = session.digest(&hash(), &DATA).unwrap();
        session.digest_init(&hash()).unwrap();
        session.init(ENCRYPT, &cbc(), key).unwrap();
        let mut ciphertext = update(&session, function!(C_DigestEncryptUpdate), &DATA[..17]).unwrap();
        ciphertext.extend(update(&session, function!(C_DigestEncryptUpdate), &DATA[17..]).unwrap());
        ciphertext.extend(twice(|out| session.last(ENCRYPT, out)).unwrap());
        assert_eq!(twice(|out| session.last(DIGEST, out)).unwrap(), expected);
        assert_eq!(ciphertext, session.encrypt(&cbc(), key, &DATA).unwrap());

        session.digest_init(&hash()).unwrap();
        session.init(DECRYPT, &cbc(), key).unwrap();
        let mut plaintext = update(&session, function!(C_DecryptDigestUpdate), &ciphertext).unwrap();
        let rest = twice(|out| session.last(DECRYPT, out)).unwrap();
        // What the end of the decryption gives is not linked to the digest.
        session.update(DIGEST, &rest).unwrap();
        plaintext.extend(rest);
        assert_eq!(plaintext, DATA);
        assert_eq!(twice(|out| session.last(DIGEST, out)).unwrap(), expected);
    }

    fn sign_and_encrypt_and_back(kit) {
        let session = kit.user();
        let (key, secret) = (keys::aes(&session, &[7; 32]), keys::secret(&session, &[7; 64]));
        session.init(SIGN, &mac(), secret).unwrap();
        session.init(ENCRYPT, &cbc(), key).unwrap();
        let mut ciphertext = update(&session, function!(C_SignEncryptUpdate), &DATA).unwrap();
        ciphertext.extend(twice(|out| session.last(ENCRYPT, out)).unwrap());
        let signature = twice(|out| session.last(SIGN, out)).unwrap();
        assert_eq!(session.verify(&mac(), secret, &DATA, &signature), Ok(()));
        session.init(VERIFY, &mac(), secret).unwrap();
        session.init(DECRYPT, &cbc(), key).unwrap();
        let part = update(&session, function!(C_DecryptVerifyUpdate), &ciphertext).unwrap();
        let rest = twice(|out| session.last(DECRYPT, out)).unwrap();
        session.update(VERIFY, &rest).unwrap();
        assert_eq!([part, rest].concat(), DATA);
        assert_eq!(session.verify_last(&signature), Ok(()));
    }

    fn both_must_run_and_the_one_that_does_goes_on(kit) {
        let session = kit.user();
        let key = keys::aes(&session, &[7; 32]);
        for (function, kind) in [
            (function!(C_DigestEncryptUpdate), ENCRYPT),
            (function!(C_DecryptDigestUpdate), DECRYPT),
            (function!(C_SignEncryptUpdate), ENCRYPT),
            (function!(C_DecryptVerifyUpdate), DECRYPT),
        ] {
            refused!(CKR_OPERATION_NOT_INITIALIZED, update(&session, function, &DATA), "{function:?}");
            session.init(kind, &Mech::bytes(CKM_AES_CBC, &[9; 16]), key).unwrap();
            refused!(CKR_OPERATION_NOT_INITIALIZED, update(&session, function, &DATA), "{function:?}");
            assert_eq!(session.once(kind, &[1; 32], Out::Buffer(&mut [0; 32])), Ok(32), "{function:?}");
        }
        session.digest_init(&hash()).unwrap();
        refused!(CKR_OPERATION_NOT_INITIALIZED, update(&session, function!(C_DigestEncryptUpdate), &DATA));
        assert_eq!(session.last(DIGEST, Out::Buffer(&mut [0; 32])), Ok(32));
    }

    fn a_small_buffer_passes_nothing_on(kit) {
        let session = kit.user();
        let key = keys::aes(&session, &[7; 32]);
        session.digest_init(&hash()).unwrap();
        session.init(ENCRYPT, &cbc(), key).unwrap();
        let args = [DATA.as_slice().into(), DATA.len().into()];
        let small = session.output(function!(C_DigestEncryptUpdate), &args, Out::Buffer(&mut [0; 31]));
        refused!(CKR_BUFFER_TOO_SMALL, small);
        assert_eq!(update(&session, function!(C_DigestEncryptUpdate), &DATA).map(|part| part.len()), Ok(32));
        let expected = session.last(DIGEST, Out::Length);
        assert_eq!(expected, Ok(32));
        let digest = twice(|out| session.last(DIGEST, out)).unwrap();
        assert_eq!(digest, session.digest(&hash(), &DATA).unwrap());
    }

    fn an_authenticated_decryption_gives_the_digest_nothing_before_its_end(kit) {
        let session = kit.user();
        let key = keys::aes(&session, &[7; 32]);
        let gcm = || Mech::gcm(&[9; 12], b"", 128);
        let ciphertext = session.encrypt(&gcm(), key, &DATA).unwrap();
        session.digest_init(&hash()).unwrap();
        session.init(DECRYPT, &gcm(), key).unwrap();
        assert_eq!(update(&session, function!(C_DecryptDigestUpdate), &ciphertext), Ok(vec![]));
        let nothing = session.digest(&hash(), b"");
        refused!(CKR_OPERATION_ACTIVE, nothing);
        assert_eq!(twice(|out| session.last(DECRYPT, out)).unwrap(), DATA);
    }

    fn an_error_of_the_cipher_ends_it_and_leaves_the_other(kit) {
        let session = kit.user();
        let key = keys::aes(&session, &[7; 32]);
        session.digest_init(&hash()).unwrap();
        session.init(ENCRYPT, &Mech::ctr(1, [0xff; 16]), key).unwrap();
        refused!(CKR_DATA_LEN_RANGE, update(&session, function!(C_DigestEncryptUpdate), &DATA));
        refused!(CKR_OPERATION_NOT_INITIALIZED, session.last(ENCRYPT, Out::Length));
        let digest = twice(|out| session.last(DIGEST, out)).unwrap();
        assert_eq!(digest, session.digest(&hash(), b"").unwrap());
    }

    fn a_bad_pointer_ends_both(kit) {
        let session = kit.user();
        let key = keys::aes(&session, &[7; 32]);
        session.digest_init(&hash()).unwrap();
        session.init(ENCRYPT, &cbc(), key).unwrap();
        let args = [Arg::NULL, 5usize.into(), Arg::NULL, Arg::NULL];
        refused!(CKR_ARGUMENTS_BAD, session.call(function!(C_DigestEncryptUpdate), &args));
        refused!(CKR_OPERATION_NOT_INITIALIZED, session.last(DIGEST, Out::Length));
        refused!(CKR_OPERATION_NOT_INITIALIZED, session.last(ENCRYPT, Out::Length));
    }

    fn a_signature_given_first_verifies_in_one_and_several_parts(kit) {
        let session = kit.user();
        let secret = keys::secret(&session, &[7; 64]);
        let (rsa, ec) = (keys::rsa(&session), keys::ec(&session, keys::P256));
        for (mech, private, public) in [
            (mac(), secret, secret),
            (Mech::plain(CKM_SHA256_RSA_PKCS), rsa.private, rsa.public),
            (Mech::plain(CKM_ECDSA_SHA256), ec.private, ec.public),
        ] {
            let signature = session.sign(&mech, private, &DATA).unwrap();
            known_init(&session, &mech, public, &signature).unwrap();
            assert_eq!(known_once(&session, &DATA), Ok(()), "{mech:?}");
            refused!(CKR_OPERATION_NOT_INITIALIZED, known_once(&session, &DATA));
            known_init(&session, &mech, public, &signature).unwrap();
            known_update(&session, &DATA[..9]).unwrap();
            known_update(&session, &DATA[9..]).unwrap();
            assert_eq!(known_last(&session), Ok(()), "{mech:?}");
            known_init(&session, &mech, public, &signature).unwrap();
            refused!(CKR_SIGNATURE_INVALID, known_once(&session, b"other"), "{mech:?}");
            known_init(&session, &mech, public, &signature).unwrap();
            known_update(&session, &DATA[1..]).unwrap();
            refused!(CKR_SIGNATURE_INVALID, known_last(&session), "{mech:?}");
            refused!(CKR_OPERATION_NOT_INITIALIZED, known_last(&session));
            refused!(CKR_SIGNATURE_LEN_RANGE, known_init(&session, &mech, public, &signature[1..]));
            refused!(CKR_OPERATION_NOT_INITIALIZED, known_last(&session));
        }
    }

    fn the_rules_of_operations_hold_for_signatures_given_first(kit) {
        let session = kit.user();
        let secret = keys::secret(&session, &[7; 64]);
        let signature = session.sign(&mac(), secret, &DATA).unwrap();
        let init = || known_init(&session, &mac(), secret, &signature);
        refused!(CKR_OPERATION_NOT_INITIALIZED, known_update(&session, &DATA));
        init().unwrap();
        refused!(CKR_OPERATION_ACTIVE, init());
        refused!(CKR_OPERATION_ACTIVE, session.init(VERIFY, &mac(), secret));
        known_update(&session, &DATA).unwrap();
        refused!(CKR_OPERATION_ACTIVE, known_once(&session, &DATA));
        refused!(CKR_OPERATION_NOT_INITIALIZED, known_last(&session));
        session.init(VERIFY, &mac(), secret).unwrap();
        refused!(CKR_OPERATION_ACTIVE, init());
        session.verify_once(&DATA, &signature).unwrap();
        // Null pointers: as data they end it, as mechanism they cancel it.
        init().unwrap();
        let args = [Arg::NULL, 5usize.into()];
        refused!(CKR_ARGUMENTS_BAD, session.call(function!(C_VerifySignatureUpdate), &args));
        refused!(CKR_OPERATION_NOT_INITIALIZED, known_last(&session));
        let cancel = [Arg::NULL, secret.into(), Arg::NULL, 0usize.into()];
        refused!(CKR_ARGUMENTS_BAD, session.call(function!(C_VerifySignatureInit), &cancel));
        init().unwrap();
        session.call(function!(C_VerifySignatureInit), &cancel).unwrap();
        refused!(CKR_OPERATION_NOT_INITIALIZED, known_last(&session));
        init().unwrap();
        session.call(function!(C_SessionCancel), &[CKF_VERIFY.into()]).unwrap();
        refused!(CKR_OPERATION_NOT_INITIALIZED, known_last(&session));
        init().unwrap();
        session.logout().unwrap();
        refused!(CKR_OPERATION_NOT_INITIALIZED, known_last(&session));
        session.login(CKU_USER, PIN).unwrap();
        refused!(CKR_KEY_HANDLE_INVALID, init());
    }
}
