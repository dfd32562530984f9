//! The modes of AES beyond `aes`, DES and Triple DES, ChaCha20: known answers, key generation, and what is
//! refused. PKCS #11 3.2, sections 6.10 to 6.15, 6.18, 6.58 and 6.61. NIST SP 800-38A and SP 800-38C; FIPS 81;
//! NIST SP 800-67, appendix B; RFC 3962, appendix B, whose last two blocks are in the other order; IEEE 1619;
//! RFC 8439.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

use hsm_tests::keys::{self, aes, hex};
use hsm_tests::operations::{DECRYPT, ENCRYPT};
use hsm_tests::prelude::*;

const AES: &str = "2b7e151628aed2a6abf7158809cf4f3c";
const IV: &str = "000102030405060708090a0b0c0d0e0f";
const PLAIN: &str = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51";
const DES: &str = "0123456789abcdef";
const DES_IV: &str = "1234567890abcdef";
const DES_PLAIN: &[u8] = b"Now is the time for all ";
const DES3: &str = "0123456789abcdef23456789abcdef01456789abcdef0123";

fn key(session: &Session<'_>, kind: CK_KEY_TYPE, value: &[u8]) -> Object {
    session.create(&keys::aes_template(value).and(attrs![CKA_KEY_TYPE => kind])).unwrap()
}

/// Encrypts and decrypts, whole and in parts.
fn known(session: &Session<'_>, mech: &Mech, key: Object, plain: &[u8], cipher: &[u8]) {
    let kind = mech.kind;
    assert_eq!(session.encrypt(mech, key, plain).unwrap(), cipher, "{kind:#x}");
    assert_eq!(session.decrypt(mech, key, cipher).unwrap(), plain, "{kind:#x}");
    for size in [1, 7, 16, 17, 100] {
        let parts: Vec<&[u8]> = plain.chunks(size).collect();
        assert_eq!(session.cipher_parts(ENCRYPT, mech, key, &parts).unwrap(), cipher, "{kind:#x} by {size}");
        let parts: Vec<&[u8]> = cipher.chunks(size).collect();
        assert_eq!(session.cipher_parts(DECRYPT, mech, key, &parts).unwrap(), plain, "{kind:#x} by {size}");
    }
}

fn ccm(data_len: usize, nonce: &[u8], aad: &[u8], tag: CK_ULONG) -> Mech {
    let fields = Fields::default().number(CK_ULONG::try_from(data_len).unwrap());
    Mech::structure(CKM_AES_CCM, fields.counted(nonce).counted(aad).number(tag))
}

fn chacha20(counter: &[u8], nonce: &[u8]) -> Mech {
    let bits = |bytes: &[u8]| CK_ULONG::try_from(bytes.len() * 8).unwrap();
    let fields = Fields::default().pointer(counter).number(bits(counter));
    Mech::structure(CKM_CHACHA20, fields.pointer(nonce).number(bits(nonce)))
}

fn chacha20_poly1305(nonce: &[u8], length: CK_ULONG, aad: &[u8]) -> Mech {
    Mech::structure(CKM_CHACHA20_POLY1305, Fields::default().pointer(nonce).number(length).counted(aad))
}

isolated! {
    fn streams_of_aes(kit) {
        let session = kit.user();
        let key = aes(&session, &hex(AES));
        for (kind, length, cipher) in [
            (CKM_AES_OFB, 32, "3b3fd92eb72dad20333449f8e83cfb4a7789508d16918f03f53c52dac54ed825"),
            (CKM_AES_CFB128, 32, "3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b"),
            (CKM_AES_CFB8, 18, "3b79424c9c0dd436bace9e0ed4586a4f32b9"),
            (CKM_AES_CFB1, 32, "68b3a264f838f5f8c3101070d1ab4c2e22e7f950383a0b71ade4fad0095cb188"),
        ] {
            known(&session, &Mech::bytes(kind, &hex(IV)), key, &hex(PLAIN)[..length], &hex(cipher));
            for parameter in [&[][..], &[0; 15], &[0; 17]] {
                refused!(CKR_MECHANISM_PARAM_INVALID, session.init(ENCRYPT, &Mech::bytes(kind, parameter), key));
            }
        }
    }

    fn ciphertext_stealing(kit) {
        let session = kit.user();
        let key = aes(&session, b"chicken teriyaki");
        let mech = Mech::bytes(CKM_AES_CTS, &[0; 16]);
        let text = b"I would like the General Gau's Chicken, please,";
        let stolen = "97687268d6ecccc0c07b25e25ecfe5fc00783e0efdb2c1d445d4c8eff7ed22";
        known(&session, &mech, key, &text[..31], &hex(stolen));
        let whole = "97687268d6ecccc0c07b25e25ecfe58439312523a78662d5be7fcbcc98ebf5a8";
        known(&session, &mech, key, &text[..32], &hex(whole));
        refused!(CKR_DATA_LEN_RANGE, session.encrypt(&mech, key, &text[..15]));
        refused!(CKR_ENCRYPTED_DATA_LEN_RANGE, session.decrypt(&mech, key, &text[..15]));
        refused!(CKR_MECHANISM_PARAM_INVALID, session.init(ENCRYPT, &Mech::plain(CKM_AES_CTS), key));
    }

    fn ccm_keeps_to_the_length_that_its_parameter_says(kit) {
        let session = kit.user();
        let value: Vec<u8> = (0x40..0x50).collect();
        let (key, nonce, aad) = (aes(&session, &value), hex("10111213141516"), hex("0001020304050607"));
        let (plain, cipher) = (hex("20212223"), hex("7162015b4dac255d"));
        known(&session, &ccm(4, &nonce, &aad, 4), key, &plain, &cipher);
        for length in [0, 3, 5] {
            let mech = ccm(length, &nonce, &aad, 4);
            refused!(CKR_DATA_LEN_RANGE, session.encrypt(&mech, key, &plain), "{length}");
            refused!(CKR_ENCRYPTED_DATA_LEN_RANGE, session.decrypt(&mech, key, &cipher), "{length}");
        }
        let mut changed = cipher.clone();
        changed[0] ^= 1;
        refused!(CKR_ENCRYPTED_DATA_INVALID, session.decrypt(&ccm(4, &nonce, &aad, 4), key, &changed));
        for mech in [
            Mech::plain(CKM_AES_CCM),
            Mech::bytes(CKM_AES_CCM, &[0; 47]),
            ccm(4, &nonce[1..], &aad, 4),
            ccm(4, &[0; 14], &aad, 4),
            ccm(4, &nonce, &aad, 5),
            ccm(4, &nonce, &aad, 18),
        ] {
            refused!(CKR_MECHANISM_PARAM_INVALID, session.init(ENCRYPT, &mech, key), "{mech:?}");
        }
    }

    fn ccm_wraps_keys(kit) {
        let session = kit.user();
        let wrapping = aes(&session, &hex(AES));
        let mech = ccm(16, &[1; 12], b"", 8);
        let key = session.create(&keys::aes_template(&[7; 16]).and(attrs![CKA_EXTRACTABLE => true])).unwrap();
        let wrapped = session.wrap(&mech, wrapping, key).unwrap();
        assert_eq!(wrapped, session.encrypt(&mech, wrapping, &[7; 16]).unwrap());
        let template = attrs![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES, CKA_SENSITIVE => false];
        let back = session.unwrap(&mech, wrapping, &wrapped, &template).unwrap();
        assert_eq!(session.get(back, CKA_VALUE).unwrap(), [7; 16]);
    }

    fn xts_has_keys_of_its_own(kit) {
        let session = kit.user();
        let halves = [[0x11; 16], [0x22; 16]].concat();
        let key = key(&session, CKK_AES_XTS, &halves);
        let mech = Mech::bytes(CKM_AES_XTS, &hex("33333333330000000000000000000000"));
        let cipher = "c454185e6a16936e39334038acef838bfb186fff7480adc4289382ecd6d394f0";
        known(&session, &mech, key, &[0x44; 32], &hex(cipher));
        refused!(CKR_DATA_LEN_RANGE, session.encrypt(&mech, key, &[0; 15]));
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.init(ENCRYPT, &mech, aes(&session, &[1; 32])));
        refused!(CKR_MECHANISM_PARAM_INVALID, session.init(ENCRYPT, &Mech::plain(CKM_AES_XTS), key));
        for length in [32, 64] {
            let made = session.generate(&Mech::plain(CKM_AES_XTS_KEY_GEN), &attrs![CKA_VALUE_LEN => length]).unwrap();
            assert_eq!(session.number(made, CKA_KEY_TYPE), Ok(CKK_AES_XTS));
            let secret = session.encrypt(&mech, made, &[9; 40]).unwrap();
            assert_eq!(session.decrypt(&mech, made, &secret).unwrap(), [9; 40]);
        }
        for length in [16, 33, 48] {
            let template = attrs![CKA_VALUE_LEN => length as CK_ULONG];
            let answer = session.generate(&Mech::plain(CKM_AES_XTS_KEY_GEN), &template);
            refused!(CKR_KEY_SIZE_RANGE, answer, "{length}");
        }
        refused!(CKR_TEMPLATE_INCOMPLETE, session.generate(&Mech::plain(CKM_AES_XTS_KEY_GEN), &attrs![]));
    }

    fn single_des(kit) {
        let session = kit.user();
        let key = key(&session, CKK_DES, &hex(DES));
        for (mech, cipher) in [
            (Mech::plain(CKM_DES_ECB), "3fa40e8a984d48156a271787ab8883f9893d51ec4b563b53"),
            (Mech::bytes(CKM_DES_CBC, &hex(DES_IV)), "e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6"),
            (Mech::bytes(CKM_DES_CFB64, &hex(DES_IV)), "f3096249c7f46e51a69e839b1a92f78403467133898ea622"),
            (Mech::bytes(CKM_DES_OFB64, &hex(DES_IV)), "f3096249c7f46e5135f24a242eeb3d3f3d6d5be3255af8c3"),
        ] {
            known(&session, &mech, key, DES_PLAIN, &hex(cipher));
        }
        let pad = Mech::bytes(CKM_DES_CBC_PAD, &hex(DES_IV));
        let padded = session.encrypt(&pad, key, DES_PLAIN).unwrap();
        assert_eq!((padded.len(), session.decrypt(&pad, key, &padded).unwrap().as_slice()), (32, DES_PLAIN));
        refused!(CKR_DATA_LEN_RANGE, session.encrypt(&Mech::plain(CKM_DES_ECB), key, &[0; 7]));
        refused!(CKR_MECHANISM_PARAM_INVALID, session.init(ENCRYPT, &Mech::bytes(CKM_DES_CBC, &[0; 16]), key));
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.init(ENCRYPT, &Mech::plain(CKM_DES3_ECB), key));
    }

    fn triple_des(kit) {
        let session = kit.user();
        let three = key(&session, CKK_DES3, &hex(DES3));
        let plain = b"The qufck brown fox jump";
        let cipher = hex("a826fd8ce53b855fcce21c8112256fe668d5c05dd9b6b900");
        known(&session, &Mech::plain(CKM_DES3_ECB), three, plain, &cipher);
        let pad = Mech::bytes(CKM_DES3_CBC_PAD, &hex(DES_IV));
        let cbc = Mech::bytes(CKM_DES3_CBC, &hex(DES_IV));
        // The first block of CBC is that of ECB, once the vector is added.
        let mut first = [0; 8];
        first.iter_mut().zip(hex(DES_IV)).zip(plain).for_each(|((sum, iv), byte)| *sum = iv ^ byte);
        assert_eq!(session.encrypt(&cbc, three, &first).unwrap(), cipher[..8]);
        let padded = session.encrypt(&pad, three, plain).unwrap();
        assert_eq!(padded[..24], session.encrypt(&cbc, three, plain).unwrap());
        assert_eq!(session.decrypt(&pad, three, &padded).unwrap(), plain);
        let two = key(&session, CKK_DES2, &hex(DES3)[..16]);
        let repeated = key(&session, CKK_DES3, &[&hex(DES3)[..16], &hex(DES3)[..8]].concat());
        let ecb = |key| session.encrypt(&Mech::plain(CKM_DES3_ECB), key, plain).unwrap();
        assert_eq!(ecb(two), ecb(repeated));
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.init(ENCRYPT, &Mech::plain(CKM_DES_ECB), three));
        refused!(CKR_MECHANISM_PARAM_INVALID, session.init(ENCRYPT, &Mech::plain(CKM_DES3_CBC), three));
    }

    fn fresh_des_keys_have_odd_parity(kit) {
        let session = kit.user();
        for (mech, kind, length) in
            [(CKM_DES_KEY_GEN, CKK_DES, 8), (CKM_DES2_KEY_GEN, CKK_DES2, 16), (CKM_DES3_KEY_GEN, CKK_DES3, 24)]
        {
            let seen = attrs![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true];
            let made = session.generate(&Mech::plain(mech), &seen).unwrap();
            let value = session.get(made, CKA_VALUE).unwrap();
            assert_eq!((value.len(), session.number(made, CKA_KEY_TYPE)), (length, Ok(kind)));
            assert!(value.iter().all(|byte| !byte.count_ones().is_multiple_of(2)), "{value:02x?}");
            let answer = session.generate(&Mech::plain(mech), &attrs![CKA_VALUE_LEN => 32 as CK_ULONG]);
            refused!(CKR_KEY_SIZE_RANGE, answer);
            let even = keys::aes_template(&vec![0; length]).and(attrs![CKA_KEY_TYPE => kind]);
            assert!(session.create(&even).is_ok(), "what is brought is taken as it is");
            let short = keys::aes_template(&vec![1; length - 1]).and(attrs![CKA_KEY_TYPE => kind]);
            refused!(CKR_ATTRIBUTE_VALUE_INVALID, session.create(&short));
        }
    }

    fn des3_wraps_keys_in_whole_blocks(kit) {
        let session = kit.user();
        let wrapping = key(&session, CKK_DES3, &hex(DES3));
        let secret = keys::secret_template(&[7; 11]).and(attrs![CKA_EXTRACTABLE => true]);
        let secret = session.create(&secret).unwrap();
        for (mech, length) in [
            (Mech::plain(CKM_DES3_ECB), 16),
            (Mech::bytes(CKM_DES3_CBC, &hex(DES_IV)), 16),
            (Mech::bytes(CKM_DES3_CBC_PAD, &hex(DES_IV)), 16),
        ] {
            let wrapped = session.wrap(&mech, wrapping, secret).unwrap();
            assert_eq!(wrapped.len(), length);
            let template = attrs![
                CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_GENERIC_SECRET, CKA_SENSITIVE => false,
            ];
            let back = session.unwrap(&mech, wrapping, &wrapped, &template).unwrap();
            assert_eq!(session.get(back, CKA_VALUE).unwrap()[..11], [7; 11]);
        }
    }

    fn chacha20_streams(kit) {
        let session = kit.user();
        let value: Vec<u8> = (0..32).collect();
        let key = key(&session, CKK_CHACHA20, &value);
        let mech = chacha20(&[1, 0, 0, 0], &hex("000000000000004a00000000"));
        known(&session, &mech, key, b"Ladies and Gentl", &hex("6e2e359a2568f98041ba0728dd0d6981"));
        let original = chacha20(&[1, 0, 0, 0, 0, 0, 0, 0], &hex("0000004a00000000"));
        known(&session, &original, key, b"Ladies and Gentl", &hex("6e2e359a2568f98041ba0728dd0d6981"));
        for mech in [
            Mech::plain(CKM_CHACHA20),
            Mech::bytes(CKM_CHACHA20, &[0; 31]),
            chacha20(&[1, 0, 0], &[0; 12]),
            chacha20(&[0; 8], &[0; 12]),
            chacha20(&[0; 4], &[0; 24]),
            chacha20(&[0; 4], &[]),
        ] {
            refused!(CKR_MECHANISM_PARAM_INVALID, session.init(ENCRYPT, &mech, key), "{mech:?}");
        }
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.init(ENCRYPT, &mech, aes(&session, &value)));
    }

    fn chacha20_with_poly1305(kit) {
        let session = kit.user();
        let made = session.generate(&Mech::plain(CKM_CHACHA20_KEY_GEN), &attrs![]).unwrap();
        assert_eq!(session.number(made, CKA_VALUE_LEN), Ok(32));
        let value: Vec<u8> = (0x80..0xa0).collect();
        let key = key(&session, CKK_CHACHA20, &value);
        let (nonce, aad) = (hex("070000004041424344454647"), hex("50515253c0c1c2c3c4c5c6c7"));
        let plain = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the \
                      future, sunscreen would be it.";
        let cipher = "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69\
                      da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad67594\
                      5585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691";
        for length in [12, 96] {
            known(&session, &chacha20_poly1305(&nonce, length, &aad), key, plain, &hex(cipher));
        }
        let mut changed = hex(cipher);
        changed[3] ^= 1;
        let mech = chacha20_poly1305(&nonce, 96, &aad);
        refused!(CKR_ENCRYPTED_DATA_INVALID, session.decrypt(&mech, key, &changed));
        for mech in [
            Mech::plain(CKM_CHACHA20_POLY1305),
            chacha20_poly1305(&nonce, 64, &aad),
            chacha20_poly1305(&nonce, 192, &aad),
            chacha20_poly1305(&[], 96, &aad),
        ] {
            refused!(CKR_MECHANISM_PARAM_INVALID, session.init(ENCRYPT, &mech, key), "{mech:?}");
        }
    }
}
