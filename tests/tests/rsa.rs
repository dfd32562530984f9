//! RSA: signatures of every kind, and encryption. OpenSSL's command line is asked whether what comes
//! out is right. PKCS #11 3.2, section 6.1; RFC 8017.
#![allow(clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

use hsm_tests::keys::{self, Pair, rsa};
use hsm_tests::offer::{Keyed, SHA256, keyed, offered};
use hsm_tests::openssl::OpenSsl;
use hsm_tests::operations::{ENCRYPT, SIGN, VERIFY};
use hsm_tests::prelude::*;

const MESSAGE: &[u8] = b"a message, signed in one part or in several";
const PARTS: &[&[u8]] = &[b"a message, ", b"", b"signed in one part", b" or in several"];
/// DigestInfo of SHA-256 without the digest. (RFC 8017, section 9.2.)
const SHA256_INFO: &str = "3031300d060960864801650304020105000420";

fn ready(kit: &Kit) -> (Session<'_>, Pair, OpenSsl) {
    let session = kit.user();
    let pair = rsa(&session);
    let openssl = OpenSsl::with_key(&kit.directory, &session, pair.public);
    (session, pair, openssl)
}

/// Verifies in one part and in several, and refuses what is changed.
fn verifies(session: &Session<'_>, mech: &Mech, key: Object, signature: &[u8]) {
    let kind = mech.kind;
    assert_eq!(session.verify(mech, key, MESSAGE, signature), Ok(()), "{kind:#x}");
    assert_eq!(session.verify_parts(mech, key, PARTS, signature), Ok(()), "{kind:#x}");
    refused!(CKR_SIGNATURE_INVALID, session.verify(mech, key, b"another message", signature), "{kind:#x}");
    let mut changed = signature.to_vec();
    changed[100] ^= 1;
    refused!(CKR_SIGNATURE_INVALID, session.verify(mech, key, MESSAGE, &changed), "{kind:#x}");
    refused!(CKR_SIGNATURE_INVALID, session.verify_parts(mech, key, PARTS, &changed), "{kind:#x}");
    refused!(CKR_SIGNATURE_LEN_RANGE, session.verify(mech, key, MESSAGE, &signature[1..]), "{kind:#x}");
}

fn pss(kind: CK_MECHANISM_TYPE, hash: hsm_tests::offer::Hash, keyed: Keyed, salt: usize) -> Mech {
    Mech::pss(kind, hash.digest, keyed.mgf, salt)
}

isolated! {
    fn v15_over_md5_is_there_for_old_data(kit) {
        let session = kit.user();
        let pair = keys::rsa(&session);
        let mech = Mech::plain(CKM_MD5_RSA_PKCS);
        let signature = session.sign_parts(&mech, pair.private, &[b"old ", b"data"]).unwrap();
        let openssl = OpenSsl::with_key(&kit.directory, &session, pair.public);
        assert!(openssl.verifies("md5", &[], b"old data", &signature));
        assert_eq!(session.verify(&mech, pair.public, b"old data", &signature), Ok(()));
        refused!(CKR_SIGNATURE_INVALID, session.verify(&mech, pair.public, b"new data", &signature));
        let sha1 = Mech::plain(CKM_SHA1_RSA_PKCS);
        refused!(CKR_SIGNATURE_INVALID, session.verify(&sha1, pair.public, b"old data", &signature));
    }

    fn pkcs1_signatures_with_every_hash(kit) {
        let (session, pair, openssl) = ready(kit);
        for (hash, keyed) in offered(&session, keyed(), |(_, keyed)| keyed.rsa) {
            let mech = Mech::plain(keyed.rsa);
            let signature = session.sign(&mech, pair.private, MESSAGE).unwrap();
            assert!(openssl.verifies(hash.name, &[], MESSAGE, &signature), "{}", hash.name);
            assert_eq!(session.sign_parts(&mech, pair.private, PARTS).unwrap(), signature, "{}", hash.name);
            verifies(&session, &mech, pair.public, &signature);
        }
    }

    fn pss_signatures_with_every_hash(kit) {
        let (session, pair, openssl) = ready(kit);
        for (hash, keyed) in offered(&session, keyed(), |(_, keyed)| keyed.pss) {
            let mech = pss(keyed.pss, hash, keyed, hash.length);
            let length = format!("rsa_pss_saltlen:{}", hash.length);
            let options = ["rsa_padding_mode:pss", &length];
            let signature = session.sign(&mech, pair.private, MESSAGE).unwrap();
            assert!(openssl.verifies(hash.name, &options, MESSAGE, &signature), "{}", hash.name);
            let signature = session.sign_parts(&mech, pair.private, PARTS).unwrap();
            assert!(openssl.verifies(hash.name, &options, MESSAGE, &signature), "{}", hash.name);
            verifies(&session, &mech, pair.public, &signature);
        }
    }

    fn pss_signatures_with_another_salt_length(kit) {
        let (session, pair, openssl) = ready(kit);
        let keyed = SHA256.keyed.unwrap();
        for salt in [0, 20, 48] {
            let mech = pss(CKM_SHA256_RSA_PKCS_PSS, SHA256, keyed, salt);
            let signature = session.sign(&mech, pair.private, MESSAGE).unwrap();
            let length = format!("rsa_pss_saltlen:{salt}");
            assert!(
                openssl.verifies("sha256", &["rsa_padding_mode:pss", &length], MESSAGE, &signature),
                "{salt}"
            );
            let other = pss(CKM_SHA256_RSA_PKCS_PSS, SHA256, keyed, 32);
            refused!(
                CKR_SIGNATURE_INVALID,
                session.verify(&other, pair.public, MESSAGE, &signature),
                "{salt}"
            );
        }
    }

    fn pss_signatures_of_a_digest(kit) {
        let (session, pair, openssl) = ready(kit);
        let digest = session.digest(&Mech::plain(CKM_SHA256), MESSAGE).unwrap();
        let mech = pss(CKM_RSA_PKCS_PSS, SHA256, SHA256.keyed.unwrap(), 32);
        let signature = session.sign(&mech, pair.private, &digest).unwrap();
        let options = ["rsa_padding_mode:pss", "rsa_pss_saltlen:32"];
        assert!(openssl.verifies("sha256", &options, MESSAGE, &signature));
        assert_eq!(session.verify(&mech, pair.public, &digest, &signature), Ok(()));
    }

    fn pss_of_a_digest_of_another_length_is_refused(kit) {
        let (session, pair, _) = ready(kit);
        let mech = pss(CKM_RSA_PKCS_PSS, SHA256, SHA256.keyed.unwrap(), 32);
        refused!(CKR_DATA_LEN_RANGE, session.sign(&mech, pair.private, &[7; 31]));
    }

    fn pss_parameters_that_contradict_the_mechanism_are_refused(kit) {
        let (session, pair, _) = ready(kit);
        let bad = |mech: Mech| {
            refused!(
                CKR_MECHANISM_PARAM_INVALID | CKR_ARGUMENTS_BAD,
                session.init(SIGN, &mech, pair.private),
                "{mech:?}"
            );
            refused!(
                CKR_MECHANISM_PARAM_INVALID | CKR_ARGUMENTS_BAD,
                session.init(VERIFY, &mech, pair.public),
                "{mech:?}"
            );
        };
        bad(Mech::plain(CKM_SHA256_RSA_PKCS_PSS));
        bad(Mech::bytes(CKM_SHA256_RSA_PKCS_PSS, &[0; 7]));
        bad(Mech::pss(CKM_SHA256_RSA_PKCS_PSS, CKM_SHA384, CKG_MGF1_SHA384, 32));
        bad(Mech::pss(CKM_SHA256_RSA_PKCS_PSS, 0x7777, CKG_MGF1_SHA256, 32));
        bad(Mech::pss(CKM_SHA256_RSA_PKCS_PSS, CKM_SHA256, 0x7777, 32));
        bad(Mech::pss(CKM_SHA256_RSA_PKCS_PSS, CKM_SHA256, CKG_MGF1_SHA256, 4096));
        bad(Mech::pss(CKM_SHA256_RSA_PKCS_PSS, CKM_SHA256, CKG_MGF1_SHA256, usize::MAX));
    }

    fn a_digest_info_is_signed_as_it_is(kit) {
        let (session, pair, openssl) = ready(kit);
        let digest = session.digest(&Mech::plain(CKM_SHA256), MESSAGE).unwrap();
        let info = [keys::hex(SHA256_INFO), digest].concat();
        let mech = Mech::plain(CKM_RSA_PKCS);
        let signature = session.sign(&mech, pair.private, &info).unwrap();
        assert!(openssl.verifies("sha256", &[], MESSAGE, &signature));
        assert_eq!(session.verify(&mech, pair.public, &info, &signature), Ok(()));
        refused!(CKR_SIGNATURE_INVALID, session.verify(&mech, pair.public, &info[1..], &signature));
    }

    fn pkcs1_signs_anything_that_leaves_room_for_padding(kit) {
        let (session, pair, _) = ready(kit);
        let mech = Mech::plain(CKM_RSA_PKCS);
        for length in [0, 1, 245] {
            let data = vec![7; length];
            let signature = session.sign(&mech, pair.private, &data).unwrap();
            assert_eq!(session.verify(&mech, pair.public, &data, &signature), Ok(()), "{length}");
        }
    }

    fn pkcs1_refuses_to_sign_what_leaves_no_room_for_padding(kit) {
        let (session, pair, _) = ready(kit);
        for length in [246, 256, 257] {
            let answer = session.sign(&Mech::plain(CKM_RSA_PKCS), pair.private, &vec![7; length]);
            refused!(CKR_DATA_LEN_RANGE, answer, "{length} bytes");
        }
    }

    fn pkcs1_is_for_one_part(kit) {
        let (session, pair, _) = ready(kit);
        session.init(SIGN, &Mech::plain(CKM_RSA_PKCS), pair.private).unwrap();
        refused!(CKR_OPERATION_NOT_INITIALIZED | CKR_FUNCTION_NOT_SUPPORTED, session.update(SIGN, b"data"));
    }

    fn raw_rsa_undoes_itself(kit) {
        let (session, pair, _) = ready(kit);
        let mech = Mech::plain(CKM_RSA_X_509);
        let mut block = vec![7; 256];
        block[0] = 0;
        let signature = session.sign(&mech, pair.private, &block).unwrap();
        assert_eq!(session.verify(&mech, pair.public, &block, &signature), Ok(()));
        assert_eq!(session.encrypt(&mech, pair.public, &signature).unwrap(), block);
        let encrypted = session.encrypt(&mech, pair.public, &block).unwrap();
        assert_eq!(session.decrypt(&mech, pair.private, &encrypted).unwrap(), block);
    }

    fn raw_rsa_refuses_too_much(kit) {
        let (session, pair, _) = ready(kit);
        let mech = Mech::plain(CKM_RSA_X_509);
        refused!(CKR_DATA_LEN_RANGE, session.sign(&mech, pair.private, &[7; 257]));
        refused!(CKR_DATA_LEN_RANGE, session.encrypt(&mech, pair.public, &[7; 257]));
        refused!(CKR_DATA_INVALID | CKR_DATA_LEN_RANGE, session.encrypt(&mech, pair.public, &[0xff; 256]));
    }

    fn pkcs1_encryption_comes_back(kit) {
        let (session, pair, openssl) = ready(kit);
        let mech = Mech::plain(CKM_RSA_PKCS);
        for length in [0, 1, 32, 245] {
            let data = vec![7; length];
            let encrypted = session.encrypt(&mech, pair.public, &data).unwrap();
            assert_eq!(encrypted.len(), 256);
            assert_eq!(session.decrypt(&mech, pair.private, &encrypted).unwrap(), data, "{length}");
        }
        let encrypted = openssl.encrypt(&["rsa_padding_mode:pkcs1"], MESSAGE);
        assert_eq!(session.decrypt(&mech, pair.private, &encrypted).unwrap(), MESSAGE);
    }

    fn pkcs1_refuses_to_encrypt_what_leaves_no_room_for_padding(kit) {
        let (session, pair, _) = ready(kit);
        for length in [246, 256, 257] {
            let answer = session.encrypt(&Mech::plain(CKM_RSA_PKCS), pair.public, &vec![7; length]);
            refused!(CKR_DATA_LEN_RANGE, answer, "{length} bytes");
        }
    }

    fn pkcs1_decryption_of_another_length_is_refused(kit) {
        let (session, pair, _) = ready(kit);
        let answer = session.decrypt(&Mech::plain(CKM_RSA_PKCS), pair.private, &[7; 255]);
        refused!(CKR_ENCRYPTED_DATA_LEN_RANGE, answer);
    }

    fn pkcs1_decryption_is_no_padding_oracle(kit) {
        let (session, pair, _) = ready(kit);
        let raw = Mech::plain(CKM_RSA_X_509);
        let bad = [vec![0, 1], vec![7; 254]].concat();
        let encrypted = session.encrypt(&raw, pair.public, &bad).unwrap();
        let mech = Mech::plain(CKM_RSA_PKCS);
        let first = session.decrypt(&mech, pair.private, &encrypted).unwrap();
        assert_eq!(session.decrypt(&mech, pair.private, &encrypted).unwrap(), first, "implicit rejection");
    }

    fn oaep_with_every_hash(kit) {
        let (session, pair, openssl) = ready(kit);
        for (hash, keyed) in keyed() {
            let mech = Mech::oaep(hash.digest, keyed.mgf, b"");
            let encrypted = session.encrypt(&mech, pair.public, MESSAGE);
            let encrypted = encrypted.unwrap_or_else(|rv| panic!("{}: {rv:?}", hash.name));
            assert_eq!(session.decrypt(&mech, pair.private, &encrypted).unwrap(), MESSAGE, "{}", hash.name);
            let md = format!("rsa_oaep_md:{}", hash.name);
            let encrypted = openssl.encrypt(&["rsa_padding_mode:oaep", &md], MESSAGE);
            assert_eq!(session.decrypt(&mech, pair.private, &encrypted).unwrap(), MESSAGE, "{}", hash.name);
        }
    }

    fn oaep_with_sha1(kit) {
        let (session, pair, openssl) = ready(kit);
        let mech = Mech::oaep(CKM_SHA_1, CKG_MGF1_SHA1, b"");
        let encrypted = session.encrypt(&mech, pair.public, MESSAGE).unwrap();
        assert_eq!(session.decrypt(&mech, pair.private, &encrypted).unwrap(), MESSAGE);
        let encrypted = openssl.encrypt(&["rsa_padding_mode:oaep"], MESSAGE);
        assert_eq!(session.decrypt(&mech, pair.private, &encrypted).unwrap(), MESSAGE);
    }

    fn oaep_with_a_label(kit) {
        let (session, pair, openssl) = ready(kit);
        let mech = Mech::oaep(CKM_SHA_1, CKG_MGF1_SHA1, b"label");
        let encrypted = session.encrypt(&mech, pair.public, MESSAGE).unwrap();
        assert_eq!(session.decrypt(&mech, pair.private, &encrypted).unwrap(), MESSAGE);
        let encrypted = openssl.encrypt(&["rsa_padding_mode:oaep", "rsa_oaep_label:6c6162656c"], MESSAGE);
        assert_eq!(session.decrypt(&mech, pair.private, &encrypted).unwrap(), MESSAGE);
        let other = Mech::oaep(CKM_SHA_1, CKG_MGF1_SHA1, b"other");
        refused!(CKR_ENCRYPTED_DATA_INVALID, session.decrypt(&other, pair.private, &encrypted));
    }

    fn oaep_with_another_hash_in_its_mask(kit) {
        let (session, pair, openssl) = ready(kit);
        let mech = Mech::oaep(CKM_SHA256, CKG_MGF1_SHA1, b"");
        let options = ["rsa_padding_mode:oaep", "rsa_oaep_md:sha256", "rsa_mgf1_md:sha1"];
        let encrypted = openssl.encrypt(&options, MESSAGE);
        assert_eq!(session.decrypt(&mech, pair.private, &encrypted).unwrap(), MESSAGE);
    }

    fn oaep_source_0_is_an_empty_label(kit) {
        let (session, pair, _) = ready(kit);
        let mech = Mech::oaep_source(CKM_SHA_1, CKG_MGF1_SHA1, 0, b"");
        let encrypted = session.encrypt(&mech, pair.public, MESSAGE).unwrap();
        let usual = Mech::oaep(CKM_SHA_1, CKG_MGF1_SHA1, b"");
        assert_eq!(session.decrypt(&usual, pair.private, &encrypted).unwrap(), MESSAGE);
    }

    fn oaep_takes_what_leaves_room_for_two_hashes(kit) {
        let (session, pair, _) = ready(kit);
        let mech = Mech::oaep(CKM_SHA_1, CKG_MGF1_SHA1, b"");
        let encrypted = session.encrypt(&mech, pair.public, &[7; 214]).unwrap();
        assert_eq!(session.decrypt(&mech, pair.private, &encrypted).unwrap(), [7; 214]);
    }

    fn oaep_refuses_what_leaves_no_room_for_two_hashes(kit) {
        let (session, pair, _) = ready(kit);
        let mech = Mech::oaep(CKM_SHA_1, CKG_MGF1_SHA1, b"");
        refused!(CKR_DATA_LEN_RANGE, session.encrypt(&mech, pair.public, &[7; 215]));
    }

    fn oaep_refuses_changed_ciphertext(kit) {
        let (session, pair, _) = ready(kit);
        let mech = Mech::oaep(CKM_SHA_1, CKG_MGF1_SHA1, b"");
        let mut encrypted = session.encrypt(&mech, pair.public, MESSAGE).unwrap();
        encrypted[200] ^= 1;
        refused!(CKR_ENCRYPTED_DATA_INVALID, session.decrypt(&mech, pair.private, &encrypted));
        refused!(CKR_ENCRYPTED_DATA_LEN_RANGE, session.decrypt(&mech, pair.private, &encrypted[1..]));
    }

    fn oaep_parameters_that_cannot_be_are_refused(kit) {
        let (session, pair, _) = ready(kit);
        for mech in [
            Mech::plain(CKM_RSA_PKCS_OAEP),
            Mech::bytes(CKM_RSA_PKCS_OAEP, &[0; 7]),
            Mech::oaep(0x7777, CKG_MGF1_SHA1, b""),
            Mech::oaep(CKM_SHA_1, 0x7777, b""),
            Mech::oaep_source(CKM_SHA_1, CKG_MGF1_SHA1, 99, b""),
        ] {
            let answer = session.init(ENCRYPT, &mech, pair.public);
            refused!(CKR_MECHANISM_PARAM_INVALID | CKR_ARGUMENTS_BAD, answer, "{mech:?}");
        }
    }
}
