//! AES: ECB, CBC, CBC with padding, CTR and GCM, in one part and in several. PKCS #11 3.2, section
//! 6.13; NIST SP 800-38A, appendix F; for GCM, test case 4 of McGrew and Viega's.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use hsm_tests::keys::{aes, hex};
use hsm_tests::operations::{DECRYPT, ENCRYPT};
use hsm_tests::prelude::*;

const PLAIN: &str = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
                     30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
const KEY_128: &str = "2b7e151628aed2a6abf7158809cf4f3c";
const KEY_192: &str = "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b";
const KEY_256: &str = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4";
const IV: &str = "000102030405060708090a0b0c0d0e0f";
const COUNTER: &str = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";

fn iv() -> [u8; 16] {
    hex(IV).try_into().unwrap()
}

fn ecb() -> Mech {
    Mech::plain(CKM_AES_ECB)
}

fn cbc() -> Mech {
    Mech::bytes(CKM_AES_CBC, &iv())
}

fn pad() -> Mech {
    Mech::bytes(CKM_AES_CBC_PAD, &iv())
}

fn ctr() -> Mech {
    Mech::ctr(128, hex(COUNTER).try_into().unwrap())
}

fn gcm() -> Mech {
    Mech::gcm(&hex("cafebabefacedbaddecaf888"), &hex("feedfacedeadbeeffeedfacedeadbeefabaddad2"), 128)
}

const GCM_KEY: &str = "feffe9928665731c6d6a8f9467308308";
const GCM_PLAIN: &str = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
                         1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
const GCM_CIPHER: &str = "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e\
                          21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091\
                          5bc94fbc3221a5db94fae95ae7121a47";

/// Encrypts and decrypts, whole and in parts of several sizes.
fn known(session: &Session<'_>, mech: &Mech, key: &str, plain: &[u8], cipher: &[u8]) {
    let key = aes(session, &hex(key));
    assert_eq!(session.encrypt(mech, key, plain).unwrap(), cipher);
    assert_eq!(session.decrypt(mech, key, cipher).unwrap(), plain);
    for size in [1, 7, 16, 17, 100] {
        let parts: Vec<&[u8]> = plain.chunks(size).collect();
        assert_eq!(session.cipher_parts(ENCRYPT, mech, key, &parts).unwrap(), cipher, "in parts of {size}");
        let parts: Vec<&[u8]> = cipher.chunks(size).collect();
        assert_eq!(session.cipher_parts(DECRYPT, mech, key, &parts).unwrap(), plain, "in parts of {size}");
    }
}

isolated! {
    fn ecb_known_answers(kit) {
        let session = kit.user();
        for (key, first) in [
            (KEY_128, "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf"),
            (KEY_192, "bd334f1d6e45f25ff712a214571fa5cc974104846d0ad3ad7734ecb3ecee4eef"),
            (KEY_256, "f3eed1bdb5d2a03c064b5a7e3db181f8591ccb10d410ed26dc5ba74a31362870"),
        ] {
            known(&session, &ecb(), key, &hex(PLAIN)[..32], &hex(first));
        }
    }

    fn cbc_known_answers(kit) {
        let session = kit.user();
        for (key, first) in [
            (KEY_128, "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"),
            (KEY_192, "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a"),
            (KEY_256, "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d"),
        ] {
            known(&session, &cbc(), key, &hex(PLAIN)[..32], &hex(first));
        }
    }

    fn ctr_known_answers(kit) {
        let session = kit.user();
        let cipher = "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff";
        known(&session, &ctr(), KEY_128, &hex(PLAIN)[..32], &hex(cipher));
        known(&session, &ctr(), KEY_128, &hex(PLAIN)[..21], &hex(cipher)[..21]);
    }

    fn gcm_known_answers(kit) {
        known(&kit.user(), &gcm(), GCM_KEY, &hex(GCM_PLAIN), &hex(GCM_CIPHER));
    }

    fn padding_is_added_and_removed(kit) {
        let session = kit.user();
        let key = aes(&session, &hex(KEY_128));
        for length in [0, 1, 15, 16, 17, 31, 32, 1000] {
            let plain = vec![7; length];
            let cipher = session.encrypt(&pad(), key, &plain).unwrap();
            assert_eq!(cipher.len(), length / 16 * 16 + 16, "{length}");
            assert_eq!(session.decrypt(&pad(), key, &cipher).unwrap(), plain, "{length}");
            let parts: Vec<&[u8]> = plain.chunks(5).collect();
            assert_eq!(session.cipher_parts(ENCRYPT, &pad(), key, &parts).unwrap(), cipher, "{length}");
            let parts: Vec<&[u8]> = cipher.chunks(5).collect();
            assert_eq!(session.cipher_parts(DECRYPT, &pad(), key, &parts).unwrap(), plain, "{length}");
        }
    }

    fn padding_is_pkcs7(kit) {
        let session = kit.user();
        let key = aes(&session, &hex(KEY_128));
        let padded = [vec![7; 13], vec![3; 3]].concat();
        let cipher = session.encrypt(&cbc(), key, &padded).unwrap();
        assert_eq!(session.encrypt(&pad(), key, &[7; 13]).unwrap(), cipher);
    }

    fn bad_padding_is_refused(kit) {
        let session = kit.user();
        let key = aes(&session, &hex(KEY_128));
        for last in [0, 17, 255] {
            let cipher = session.encrypt(&cbc(), key, &[last; 16]).unwrap();
            let answer = session.decrypt(&pad(), key, &cipher);
            refused!(CKR_ENCRYPTED_DATA_INVALID, answer, "padding byte {last}");
        }
    }

    fn incomplete_blocks_are_refused(kit) {
        let session = kit.user();
        let key = aes(&session, &hex(KEY_128));
        for mech in [ecb(), cbc()] {
            refused!(CKR_DATA_LEN_RANGE, session.encrypt(&mech, key, &[7; 15]), "{mech:?}");
            refused!(CKR_ENCRYPTED_DATA_LEN_RANGE, session.decrypt(&mech, key, &[7; 17]), "{mech:?}");
            refused!(CKR_DATA_LEN_RANGE, session.cipher_parts(ENCRYPT, &mech, key, &[&[7; 15]]), "{mech:?}");
            let parts = session.cipher_parts(DECRYPT, &mech, key, &[&[7; 17]]);
            refused!(CKR_ENCRYPTED_DATA_LEN_RANGE, parts, "{mech:?}");
        }
        refused!(CKR_ENCRYPTED_DATA_LEN_RANGE, session.decrypt(&pad(), key, &[7; 17]));
    }

    fn empty_data_is_data(kit) {
        let session = kit.user();
        let key = aes(&session, &hex(KEY_128));
        for mech in [ecb(), cbc(), ctr()] {
            assert_eq!(session.encrypt(&mech, key, b""), Ok(vec![]), "{mech:?}");
            assert_eq!(session.cipher_parts(ENCRYPT, &mech, key, &[b""]), Ok(vec![]), "{mech:?}");
        }
        let tag = session.encrypt(&gcm(), key, b"").unwrap();
        assert_eq!(tag.len(), 16);
        assert_eq!(session.decrypt(&gcm(), key, &tag), Ok(vec![]));
    }

    fn an_update_gives_whole_blocks_as_they_come(kit) {
        let session = kit.user();
        let key = aes(&session, &hex(KEY_128));
        session.init(ENCRYPT, &cbc(), key).unwrap();
        let mut out = [0; 64];
        assert_eq!(session.update_into(ENCRYPT, &[7; 15], Out::Buffer(&mut out)), Ok(0));
        assert_eq!(session.update_into(ENCRYPT, &[7; 18], Out::Buffer(&mut out)), Ok(32));
        assert_eq!(session.update_into(ENCRYPT, &[7; 15], Out::Buffer(&mut out)), Ok(16));
        assert_eq!(session.last(ENCRYPT, Out::Buffer(&mut out)), Ok(0));
    }

    fn encryption_in_place_gives_the_same(kit) {
        let session = kit.user();
        for (mech, key) in
            [(ecb(), KEY_128), (cbc(), KEY_128), (ctr(), KEY_128), (pad(), KEY_128), (gcm(), GCM_KEY)]
        {
            let key = aes(&session, &hex(key));
            let plain = hex(PLAIN);
            let cipher = session.encrypt(&mech, key, &plain).unwrap();
            let mut buffer = plain.clone();
            buffer.resize(cipher.len(), 0);
            in_place(&session, ENCRYPT, &mech, key, &mut buffer, plain.len());
            assert_eq!(buffer, cipher, "{mech:?}");
            in_place(&session, DECRYPT, &mech, key, &mut buffer, cipher.len());
            assert_eq!(buffer[..plain.len()], plain, "{mech:?}");
        }
    }

    fn gcm_refuses_what_is_changed(kit) {
        let session = kit.user();
        let key = aes(&session, &hex(GCM_KEY));
        for at in [0, 30, 60, 75] {
            let mut changed = hex(GCM_CIPHER);
            changed[at] ^= 1;
            let whole = session.decrypt(&gcm(), key, &changed);
            refused!(CKR_ENCRYPTED_DATA_INVALID | CKR_AEAD_DECRYPT_FAILED, whole, "byte {at}");
            let parts: Vec<&[u8]> = changed.chunks(16).collect();
            let parts = session.cipher_parts(DECRYPT, &gcm(), key, &parts);
            refused!(CKR_ENCRYPTED_DATA_INVALID | CKR_AEAD_DECRYPT_FAILED, parts, "byte {at}");
        }
    }

    fn gcm_refuses_other_associated_data(kit) {
        let session = kit.user();
        let key = aes(&session, &hex(GCM_KEY));
        let other = Mech::gcm(&hex("cafebabefacedbaddecaf888"), b"other", 128);
        let answer = session.decrypt(&other, key, &hex(GCM_CIPHER));
        refused!(CKR_ENCRYPTED_DATA_INVALID | CKR_AEAD_DECRYPT_FAILED, answer);
    }

    fn gcm_gives_nothing_out_before_the_tag_is_checked(kit) {
        let session = kit.user();
        let key = aes(&session, &hex(GCM_KEY));
        session.init(DECRYPT, &gcm(), key).unwrap();
        let mut out = [0xee; 200];
        assert_eq!(session.update_into(DECRYPT, &hex(GCM_CIPHER), Out::Buffer(&mut out)), Ok(0));
        assert_eq!(session.last(DECRYPT, Out::Buffer(&mut out)), Ok(60));
        assert_eq!(out[..60], hex(GCM_PLAIN));
    }

    fn gcm_takes_other_lengths_of_tag_and_nonce(kit) {
        let session = kit.user();
        let key = aes(&session, &hex(GCM_KEY));
        for (nonce, bits) in [(12, 96), (12, 104), (12, 120), (8, 128), (16, 128), (60, 128)] {
            let mech = Mech::gcm(&vec![7; nonce], b"aad", bits);
            let cipher = session.encrypt(&mech, key, b"plain").unwrap();
            assert_eq!(cipher.len(), 5 + usize::try_from(bits).unwrap() / 8, "{nonce} {bits}");
            assert_eq!(session.decrypt(&mech, key, &cipher).unwrap(), b"plain", "{nonce} {bits}");
        }
    }

    fn gcm_works_without_associated_data(kit) {
        let session = kit.user();
        let key = aes(&session, &[0; 16]);
        let mech = Mech::gcm(&[0; 12], b"", 128);
        let cipher = session.encrypt(&mech, key, &[0; 16]).unwrap();
        assert_eq!(cipher, hex("0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf"));
    }

    fn parameters_that_cannot_be_are_refused(kit) {
        let session = kit.user();
        let key = aes(&session, &hex(KEY_128));
        for mech in [
            Mech::plain(CKM_AES_CBC),
            Mech::bytes(CKM_AES_CBC, &[0; 15]),
            Mech::bytes(CKM_AES_CBC, &[0; 17]),
            Mech::plain(CKM_AES_CBC_PAD),
            Mech::bytes(CKM_AES_CBC_PAD, &[0; 8]),
            Mech::plain(CKM_AES_CTR),
            Mech::bytes(CKM_AES_CTR, &[0; 16]),
            Mech::ctr(0, [0; 16]),
            Mech::ctr(129, [0; 16]),
            Mech::plain(CKM_AES_GCM),
            Mech::bytes(CKM_AES_GCM, &[0; 12]),
            Mech::gcm(&[0; 12], b"", 129),
            Mech::gcm(&[0; 12], b"", 136),
            Mech::gcm(&[], b"", 128),
        ] {
            for kind in [ENCRYPT, DECRYPT] {
                let answer = session.init(kind, &mech, key);
                refused!(CKR_MECHANISM_PARAM_INVALID | CKR_ARGUMENTS_BAD, answer, "{mech:?}");
            }
        }
    }

    fn a_counter_does_not_overflow(kit) {
        let session = kit.user();
        let key = aes(&session, &hex(KEY_128));
        let mut one = [0; 16];
        one[15] = 1;
        for (bits, block, blocks) in [(2, one, 3), (8, [0; 16], 256), (8, [0xff; 16], 1)] {
            let mech = Mech::ctr(bits, block);
            assert!(
                session.encrypt(&mech, key, &vec![7; blocks * 16]).is_ok(),
                "{bits} bits, {blocks} blocks"
            );
            refused!(
                CKR_DATA_LEN_RANGE,
                session.encrypt(&mech, key, &vec![7; blocks * 16 + 1]),
                "{bits} bits"
            );
        }
    }

    fn a_narrow_counter_counts_as_a_wide_one_does(kit) {
        let session = kit.user();
        let key = aes(&session, &hex(KEY_128));
        let block = hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfe00").try_into().unwrap();
        let wide = session.encrypt(&Mech::ctr(128, block), key, &hex(PLAIN)).unwrap();
        assert_eq!(session.encrypt(&Mech::ctr(8, block), key, &hex(PLAIN)).unwrap(), wide);
    }

    fn a_large_message_comes_back(kit) {
        let session = kit.user();
        let key = aes(&session, &hex(KEY_256));
        let plain: Vec<u8> = (0..1_000_000u32).map(|byte| byte.to_le_bytes()[0]).collect();
        for mech in [pad(), ctr(), gcm()] {
            let cipher = session.encrypt(&mech, key, &plain).unwrap();
            assert!(session.decrypt(&mech, key, &cipher).unwrap() == plain, "{mech:?}");
        }
    }
}

/// One part, with the output where the input is.
fn in_place(
    session: &Session<'_>,
    kind: hsm_tests::operations::Kind,
    mech: &Mech,
    key: Object,
    buffer: &mut [u8],
    length: usize,
) {
    session.init(kind, mech, key).unwrap();
    let mut room = CK_ULONG::try_from(buffer.len()).unwrap();
    let pointer = hsm_tests::raw::Arg::from(buffer);
    session.call(kind.once, &[pointer, length.into(), pointer, (&mut room).into()]).unwrap();
}
