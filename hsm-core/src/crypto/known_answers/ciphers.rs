//! AES: NIST SP 800-38A, appendix F (ECB, CBC, CTR), and the GCM specification's test cases 4 to 6,
//! 10 to 12 and 16 to 18.

use super::{all, bytes};
use crate::crypto::{AesMode, Cipher, Direction, Padding};
use crate::error::{Error, Result};

pub(super) const KEYS: [&str; 3] = [
    "2b7e151628aed2a6abf7158809cf4f3c",
    "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
    "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
];
pub(super) const PLAINTEXT: &str = "\
    6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
    30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
pub(super) const IV: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const COUNTER: [u8; 16] =
    [0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff];

const ECB: [&str; 3] = [
    "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf\
     43b1cd7f598ece23881b00e3ed0306887b0c785e27e8ad3f8223207104725dd4",
    "bd334f1d6e45f25ff712a214571fa5cc974104846d0ad3ad7734ecb3ecee4eef\
     ef7afd2270e2e60adce0ba2face6444e9a4b41ba738d6c72fb16691603c18e0e",
    "f3eed1bdb5d2a03c064b5a7e3db181f8591ccb10d410ed26dc5ba74a31362870\
     b6ed21b99ca6f4f9f153e7b1beafed1d23304b7a39f9f3ff067d8d8f9e24ecc7",
];
const CBC: [&str; 3] = [
    "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2\
     73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7",
    "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a\
     571b242012fb7ae07fa9baac3df102e008b0e27988598881d920a9e64f5615cd",
    "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d\
     39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b",
];
/// The first 40 bytes of the plaintext, padded; made with OpenSSL.
const CBC_PADDED: [&str; 3] = [
    "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2\
     5caca76145cffc65f7483608c531aef1",
    "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a\
     3e28eeecb033f61e2f6bfeaf5953c57e",
    "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d\
     0f7ed91f0529268e4d17fb3ebf5beec4",
];
const CTR: [&str; 3] = [
    "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff\
     5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee",
    "1abc932417521ca24f2b0459fe7e6e0b090339ec0aa6faefd5ccc2c6f4ce8e94\
     1e36b26bd1ebc670d1bd1d665620abf74f78a7f6d29809585a97daec58c6b050",
    "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5\
     2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6",
];

const GCM_KEYS: [&str; 3] = [
    "feffe9928665731c6d6a8f9467308308",
    "feffe9928665731c6d6a8f9467308308feffe9928665731c",
    "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
];
const GCM_PLAINTEXT: &str = "\
    d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
    1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
const GCM_AAD: &str = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
const GCM_IVS: [&str; 3] = [
    "cafebabefacedbaddecaf888",
    "cafebabefacedbad",
    "9313225df88406e555909c5aff5269aa6a7a9538534f7da1e4c303d2a318a728\
     c3c0c95156809539fcf0e2429a6b525416aedbf5a0de6a57a637b39b",
];
/// Ciphertext and tag by key and IV.
const GCM: [[&str; 3]; 3] = [
    [
        "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e\
         21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091\
         5bc94fbc3221a5db94fae95ae7121a47",
        "61353b4c2806934a777ff51fa22a4755699b2a714fcdc6f83766e5f97b6c7423\
         73806900e49f24b22b097544d4896b424989b5e1ebac0f07c23f4598\
         3612d2e79e3b0785561be14aaca2fccb",
        "8ce24998625615b603a033aca13fb894be9112a5c3a211a8ba262a3cca7e2ca7\
         01e4a9a4fba43c90ccdcb281d48c7c6fd62875d2aca417034c34aee5\
         619cc5aefffe0bfa462af43c1699d050",
    ],
    [
        "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c\
         7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710\
         2519498e80f1478f37ba55bd6d27618c",
        "0f10f599ae14a154ed24b36e25324db8c566632ef2bbb34f8347280fc4507057\
         fddc29df9a471f75c66541d4d4dad1c9e93a19a58e8b473fa0f062f7\
         65dcc57fcf623a24094fcca40d3533f8",
        "d27e88681ce3243c4830165a8fdcf9ff1de9a1d8e6b447ef6ef7b79828666e45\
         81e79012af34ddd9e2f037589b292db3e67c036745fa22e7e9b7373b\
         dcf566ff291c25bbb8568fc3d376a6d9",
    ],
    [
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
         8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662\
         76fc6ece0f4e1768cddf8853bb2d551b",
        "c3762df1ca787d32ae47c13bf19844cbaf1ae14d0b976afac52ff7d79bba9de0\
         feb582d33934a4f0954cc2363bc73f7862ac430e64abe499f47c9b1f\
         3a337dbf46a792c45e454913fe2ea8f2",
        "5a8def2f0c9e53f1f75d7853659e2a20eeb2b22aafde6419a058ab4f6f746bf4\
         0fc0c3b780f244452da3ebf1c5d82cdea2418997200ef82e44ae7e3f\
         a44a8266ee1c8eb0c8b5d4cf5ae9f19a",
    ],
];

fn ciphers(
    mode: AesMode<'_>,
    direction: Direction,
    key: &[u8],
) -> Vec<(&'static str, Result<Box<dyn Cipher>>)> {
    all(|provider| provider.aes(mode, direction, key))
}

/// The whole message through `update` in pieces of `piece` bytes, with exactly the room asked for.
pub(super) fn in_pieces(cipher: &mut dyn Cipher, input: &[u8], piece: usize) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    for piece in input.chunks(piece) {
        let mut room = vec![0; cipher.update_len(piece.len())];
        let written = cipher.update(piece, &mut room)?;
        out.extend_from_slice(&room[..written]);
    }
    let mut room = vec![0; cipher.finish_len()];
    let written = cipher.finish(&mut room)?;
    out.extend_from_slice(&room[..written]);
    Ok(out)
}

pub(super) fn at_once(cipher: &mut dyn Cipher, input: &[u8]) -> Result<Vec<u8>> {
    let mut out = vec![0; cipher.once_len(input.len())];
    let written = cipher.once(input, &mut out)?;
    out.truncate(written);
    Ok(out)
}

/// Both directions, in pieces of many sizes and at once.
fn check(mode: AesMode<'_>, key: &[u8], plaintext: &[u8], ciphertext: &[u8]) {
    for (direction, input, expected) in
        [(Direction::Encrypt, plaintext, ciphertext), (Direction::Decrypt, ciphertext, plaintext)]
    {
        for piece in [1, 5, 15, 16, 17, 33, 64, 100] {
            for (name, cipher) in ciphers(mode, direction, key) {
                let answer = in_pieces(&mut *cipher.unwrap(), input, piece).unwrap();
                assert_eq!(answer, expected, "{name} {mode:?} {direction:?} by {piece}");
            }
        }
        for (name, cipher) in ciphers(mode, direction, key) {
            let answer = at_once(&mut *cipher.unwrap(), input).unwrap();
            assert_eq!(answer, expected, "{name} {mode:?} {direction:?} at once");
        }
    }
}

#[test]
fn ecb_cbc_and_ctr_are_those_of_sp_800_38a() {
    let plaintext = bytes(PLAINTEXT);
    for (i, key) in KEYS.iter().map(|key| bytes(key)).enumerate() {
        check(AesMode::Ecb, &key, &plaintext, &bytes(ECB[i]));
        check(AesMode::Cbc { iv: &IV }, &key, &plaintext, &bytes(CBC[i]));
        check(
            AesMode::CbcPad { iv: &IV, padding: Padding::Pkcs7 },
            &key,
            &plaintext[..40],
            &bytes(CBC_PADDED[i]),
        );
        check(AesMode::Ctr { block: &COUNTER, counter_bits: 128 }, &key, &plaintext, &bytes(CTR[i]));
    }
}

#[test]
fn gcm_is_that_of_its_specification() {
    let (plaintext, aad) = (bytes(GCM_PLAINTEXT), bytes(GCM_AAD));
    for (i, key) in GCM_KEYS.iter().map(|key| bytes(key)).enumerate() {
        for (j, iv) in GCM_IVS.iter().map(|iv| bytes(iv)).enumerate() {
            let sealed = bytes(GCM[i][j]);
            for tag_len in [4, 8, 12, 13, 14, 15, 16] {
                let mode = AesMode::Gcm { iv: &iv, aad: &aad, tag_len };
                check(mode, &key, &plaintext, &sealed[..plaintext.len() + tag_len]);
            }
        }
    }
}

#[test]
fn large_messages_survive_both_directions() {
    let key = bytes(KEYS[2]);
    let message: Vec<u8> = (0..100_000u32).map(|i| i.to_le_bytes()[0] ^ i.to_le_bytes()[1]).collect();
    for mode in [
        AesMode::CbcPad { iv: &IV, padding: Padding::Pkcs7 },
        AesMode::Ctr { block: &COUNTER, counter_bits: 64 },
        AesMode::Gcm { iv: &IV[..12], aad: b"", tag_len: 16 },
    ] {
        for (_, cipher) in ciphers(mode, Direction::Encrypt, &key) {
            let sealed = at_once(&mut *cipher.unwrap(), &message).unwrap();
            for (name, cipher) in ciphers(mode, Direction::Decrypt, &key) {
                let opened = in_pieces(&mut *cipher.unwrap(), &sealed, 4093).unwrap();
                assert_eq!(opened, message, "{name} {mode:?}");
            }
        }
    }
}

#[test]
fn gcm_without_message_is_a_mac() {
    let mode = AesMode::Gcm { iv: &[0; 12], aad: b"", tag_len: 16 };
    // Test case 1 of the specification.
    check(mode, &[0; 16], b"", &bytes("58e2fccefa7e3061367f1d57a4e7455a"));
}

#[test]
fn a_changed_gcm_message_gives_nothing_out() {
    let (key, iv, aad) = (bytes(GCM_KEYS[2]), bytes(GCM_IVS[0]), bytes(GCM_AAD));
    let mode = AesMode::Gcm { iv: &iv, aad: &aad, tag_len: 16 };
    let sealed = bytes(GCM[2][0]);
    for position in [0, 30, 59, 60, 75] {
        let mut changed = sealed.clone();
        changed[position] ^= 1;
        for (name, cipher) in ciphers(mode, Direction::Decrypt, &key) {
            let mut out = vec![0; 60];
            let answer = cipher.unwrap().once(&changed, &mut out);
            assert!(matches!(answer, Err(Error::EncryptedDataInvalid)), "{name}: {answer:?}");
            assert_eq!(out, [0; 60], "{name}");
        }
        for (name, cipher) in ciphers(mode, Direction::Decrypt, &key) {
            let answer = in_pieces(&mut *cipher.unwrap(), &changed, 7);
            assert!(matches!(answer, Err(Error::EncryptedDataInvalid)), "{name}: {answer:?}");
        }
    }
}

#[test]
fn other_associated_data_is_refused() {
    let (key, iv) = (bytes(GCM_KEYS[0]), bytes(GCM_IVS[0]));
    let mode = AesMode::Gcm { iv: &iv, aad: b"other", tag_len: 16 };
    for (name, cipher) in ciphers(mode, Direction::Decrypt, &key) {
        let answer = at_once(&mut *cipher.unwrap(), &bytes(GCM[0][0]));
        assert!(matches!(answer, Err(Error::EncryptedDataInvalid)), "{name}: {answer:?}");
    }
}

#[test]
fn a_gcm_message_shorter_than_its_tag_is_refused() {
    let mode = AesMode::Gcm { iv: &IV, aad: b"", tag_len: 16 };
    for (name, cipher) in ciphers(mode, Direction::Decrypt, &[1; 16]) {
        let answer = at_once(&mut *cipher.unwrap(), &[0; 15]);
        assert!(matches!(answer, Err(Error::EncryptedDataLength)), "{name}: {answer:?}");
    }
}

#[test]
fn keys_of_other_sizes_are_refused() {
    for mode in [AesMode::Ecb, AesMode::Cbc { iv: &IV }, AesMode::Gcm { iv: &IV, aad: b"", tag_len: 16 }] {
        for length in [0, 8, 15, 17, 31, 33, 64] {
            for (name, cipher) in ciphers(mode, Direction::Encrypt, &vec![0; length]) {
                assert!(matches!(cipher.err(), Some(Error::KeySizeRange)), "{name} {length}");
            }
        }
    }
}

#[test]
fn parameters_out_of_range_are_refused() {
    let gcm = |iv, tag_len| AesMode::Gcm { iv, aad: b"", tag_len };
    let ctr = |counter_bits| AesMode::Ctr { block: &COUNTER, counter_bits };
    let modes = [gcm(b"", 16), gcm(b"i", 0), gcm(b"i", 5), gcm(b"i", 11), gcm(b"i", 17), ctr(0), ctr(129)];
    for mode in modes {
        for (name, cipher) in ciphers(mode, Direction::Encrypt, &[0; 16]) {
            assert!(matches!(cipher.err(), Some(Error::MechanismParamInvalid)), "{name} {mode:?}");
        }
    }
}
