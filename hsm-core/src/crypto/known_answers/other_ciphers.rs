//! CFB and OFB (NIST SP 800-38A, sections F.3 and F.4), CCM (SP 800-38C, appendix C), padded ECB and
//! Triple DES (made with OpenSSL), CMAC on Triple DES (SP 800-38B, section D.4), ChaCha20 (the cases of
//! KMIP's profile tests CS-BC-M-CHACHA20), ChaCha20-Poly1305 (RFC 8439, section 2.8.2), and Blowfish (the
//! vectors published with it; padded ones made with OpenSSL).

use super::ciphers::{IV, KEYS, PLAINTEXT, at_once, in_pieces};
use super::{all, bytes};
use crate::crypto::{AesMode, BlowfishMode, Cipher, Des3Mode, Direction, Padding, Poly1305, Provider};
use crate::error::{Error, Result};

/// Begins an operation with a provider.
type Begin<'a> = dyn Fn(&'static dyn Provider, Direction) -> Option<Result<Box<dyn Cipher>>> + 'a;

/// Both directions, in pieces and at once, by every provider that offers it.
fn check(begin: &Begin<'_>, plaintext: &[u8], ciphertext: &[u8]) {
    for (direction, input, expected) in
        [(Direction::Encrypt, plaintext, ciphertext), (Direction::Decrypt, ciphertext, plaintext)]
    {
        for piece in [1, 7, 8, 9, 16, 17, 100] {
            for (name, cipher) in all(|provider| begin(provider, direction)) {
                let answer = in_pieces(&mut *cipher.unwrap(), input, piece).unwrap();
                assert_eq!(answer, expected, "{name} {direction:?} by {piece}");
            }
        }
        for (name, cipher) in all(|provider| begin(provider, direction)) {
            assert_eq!(at_once(&mut *cipher.unwrap(), input).unwrap(), expected, "{name} {direction:?}");
        }
    }
}

fn check_aes(mode: AesMode<'_>, key: &[u8], plaintext: &[u8], ciphertext: &[u8]) {
    check(&|provider, direction| provider.aes(mode, direction, key), plaintext, ciphertext);
}

const CFB: [&str; 3] = [
    "3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b\
     26751f67a3cbb140b1808cf187a4f4dfc04b05357c5d1c0eeac4c66f9ff7f2e6",
    "cdc80d6fddf18cab34c25909c99a417467ce7f7f81173621961a2b70171d3d7a\
     2e1e8a1dd59b88b1c8e60fed1efac4c9c05f9f9ca9834fa042ae8fba584b09ff",
    "dc7e84bfda79164b7ecd8486985d386039ffed143b28b1c832113c6331e5407b\
     df10132415e54b92a13ed0a8267ae2f975a385741ab9cef82031623d55b1e471",
];
const OFB: [&str; 3] = [
    "3b3fd92eb72dad20333449f8e83cfb4a7789508d16918f03f53c52dac54ed825\
     9740051e9c5fecf64344f7a82260edcc304c6528f659c77866a510d9c1d6ae5e",
    "cdc80d6fddf18cab34c25909c99a4174fcc28b8d4c63837c09e81700c1100401\
     8d9a9aeac0f6596f559c6d4daf59a5f26d9f200857ca6c3e9cac524bd9acc92a",
    "dc7e84bfda79164b7ecd8486985d38604febdc6740d20b3ac88f6ad82a4fb08d\
     71ab47a086e86eedf39d1c5bba97c4080126141d67f37be8538f5a8be740e484",
];
/// The last block of the first 40 bytes, padded.
const ECB_PADDED: [&str; 3] = [
    "5b694713856763534d3b6f1e917bfc5a",
    "f36e1f0e86a14b80f0a4ff3f656060b6",
    "33c051215773f7b6b862819d52fe1784",
];

#[test]
fn cfb_and_ofb_are_those_of_sp_800_38a() {
    let plaintext = bytes(PLAINTEXT);
    for (i, key) in KEYS.iter().map(|key| bytes(key)).enumerate() {
        // They take any number of bytes.
        for length in [64, 33] {
            check_aes(AesMode::Cfb { iv: &IV }, &key, &plaintext[..length], &bytes(CFB[i])[..length]);
            check_aes(AesMode::Ofb { iv: &IV }, &key, &plaintext[..length], &bytes(OFB[i])[..length]);
        }
    }
}

#[test]
fn padded_ecb_pads_the_last_block_alone() {
    let plaintext = bytes(PLAINTEXT);
    for (i, key) in KEYS.iter().map(|key| bytes(key)).enumerate() {
        let first = all(|provider| provider.aes(AesMode::Ecb, Direction::Encrypt, &key));
        let (_, cipher) = first.into_iter().next().unwrap();
        let mut expected = at_once(&mut *cipher.unwrap(), &plaintext[..32]).unwrap();
        expected.extend(bytes(ECB_PADDED[i]));
        check_aes(AesMode::EcbPad(Padding::Pkcs7), &key, &plaintext[..40], &expected);
    }
}

#[test]
fn ccm_is_that_of_sp_800_38c() {
    let key: Vec<u8> = (0x40..0x50).collect();
    let aad: Vec<u8> = (0..20).collect();
    let message: Vec<u8> = (0x20..0x38).collect();
    let ccm = |nonce, aad, tag_len| AesMode::Ccm { nonce, aad, tag_len };
    let nonce = bytes("101112131415161718191a1b");
    check_aes(ccm(&nonce[..7], &aad[..8], 4), &key, &message[..4], &bytes("7162015b4dac255d"));
    check_aes(
        ccm(&nonce[..8], &aad[..16], 6),
        &key,
        &message[..16],
        &bytes("d2a1f0e051ea5f62081a7792073d593d1fc64fbfaccd"),
    );
    check_aes(
        ccm(&nonce, &aad, 8),
        &key,
        &message,
        &bytes("e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5484392fbc1b09951"),
    );
}

#[test]
fn a_changed_ccm_message_gives_nothing_out() {
    let mode = AesMode::Ccm { nonce: &[1; 12], aad: b"aad", tag_len: 8 };
    for (name, cipher) in all(|provider| provider.aes(mode, Direction::Decrypt, &[2; 16])) {
        let mut out = [0; 5];
        let answer = cipher.unwrap().once(&[7; 13], &mut out);
        assert!(matches!(answer, Err(Error::EncryptedDataInvalid)), "{name}: {answer:?}");
        assert_eq!(out, [0; 5], "{name}");
    }
    for (name, cipher) in all(|provider| provider.aes(mode, Direction::Decrypt, &[2; 16])) {
        let answer = at_once(&mut *cipher.unwrap(), &[7; 7]);
        assert!(matches!(answer, Err(Error::EncryptedDataLength)), "{name}: {answer:?}");
    }
}

#[test]
fn xts_refuses_equal_halves_and_lengths_it_does_not_have() {
    let mode = AesMode::Xts { tweak: &[0; 16] };
    for length in [32, 64] {
        for (name, begun) in all(|provider| provider.aes(mode, Direction::Encrypt, &vec![3; length])) {
            assert!(matches!(begun.err(), Some(Error::ArgumentsBad(_))), "{name}");
        }
        let key: Vec<u8> = (0..length as u8).collect();
        for (name, cipher) in all(|provider| provider.aes(mode, Direction::Encrypt, &key)) {
            let answer = at_once(&mut *cipher.unwrap(), &[0; 15]);
            assert!(matches!(answer, Err(Error::DataLength)), "{name}: {answer:?}");
        }
        for (name, cipher) in all(|provider| provider.aes(mode, Direction::Decrypt, &key)) {
            let answer = at_once(&mut *cipher.unwrap(), &vec![0; (16 << 20) + 1]);
            assert!(matches!(answer, Err(Error::EncryptedDataLength)), "{name}: {answer:?}");
        }
    }
    for (name, begun) in all(|provider| provider.aes(mode, Direction::Encrypt, &[0; 48])) {
        assert!(matches!(begun.err(), Some(Error::KeySizeRange)), "{name}");
    }
}

const DES3_KEY: &str = "0123456789abcdef23456789abcdef01456789abcdef0123";
const DES3_IV: [u8; 8] = [0xf6, 0x9f, 0x24, 0x45, 0xdf, 0x4f, 0x9b, 0x17];

/// A mode with how much of the message it has, and its ciphertexts with three keys and with two.
#[rustfmt::skip]
const DES3: [(Des3Mode<'_>, usize, [&str; 2]); 6] = [
    (Des3Mode::Ecb, 32, ["1ccf23869d09333ecce21c8112256fe668d5c05dd9b6b90060977f747378d69b", "04a3aaa7954df2419077d0909fa91b884cabd61fc58e0cbbd323fb63521de2d5"]),
    (Des3Mode::EcbPad(Padding::Pkcs7), 13, ["1ccf23869d09333e6b9f9be92e85fb0b", "04a3aaa7954df2419bf283707db89e2e"]),
    (Des3Mode::Cbc { iv: &DES3_IV }, 32, ["63693c3d378a862f8051ae7c2934a296aa6c3102b6e5b79e1f8f8c3a3bf45635", "9aa8a4d461dd682ac944fb2e0e94f278795b15e079941327719c27bdb80c4388"]),
    (Des3Mode::CbcPad { iv: &DES3_IV, padding: Padding::Pkcs7 }, 13, ["63693c3d378a862fc9c44c16d6f4a2a2", "9aa8a4d461dd682ac27abe76f132bae5"]),
    (Des3Mode::Cfb { iv: &DES3_IV }, 13, ["38226c8c06fb882337e33c2b0e", "5e3c62009cacff303e99288fd3"]),
    (Des3Mode::Ofb { iv: &DES3_IV }, 13, ["38226c8c06fb8823a4630e658e", "5e3c62009cacff30b129a614e3"]),
];

#[test]
fn triple_des_is_that_of_openssl() {
    let key = bytes(DES3_KEY);
    for (mode, length, ciphertexts) in DES3 {
        let message = &b"The quick brown fox jumped over "[..length];
        for (key, ciphertext) in [&key[..], &key[..16]].into_iter().zip(ciphertexts) {
            check(&|provider, direction| provider.des3(mode, direction, key), message, &bytes(ciphertext));
        }
    }
}

#[test]
fn triple_des_has_keys_of_one_two_or_three_keys() {
    for length in [0, 7, 9, 15, 17, 23, 25, 32] {
        for (mode, ..) in DES3 {
            for (name, begun) in all(|provider| provider.des3(mode, Direction::Encrypt, &vec![1; length])) {
                assert!(matches!(begun.err(), Some(Error::KeySizeRange)), "{name} {mode:?} {length}");
            }
        }
        for (name, begun) in all(|provider| provider.des3_cmac(&vec![1; length])) {
            assert!(matches!(begun.err(), Some(Error::KeySizeRange)), "{name} {length}");
        }
    }
}

#[test]
fn triple_des_refuses_bad_padding_and_odd_lengths() {
    let key = bytes(DES3_KEY);
    let decrypt = |mode, input: &[u8]| {
        let answers = all(|provider| provider.des3(mode, Direction::Decrypt, &key)).into_iter();
        answers.map(|(_, cipher)| at_once(&mut *cipher.unwrap(), input)).collect::<Vec<_>>()
    };
    for answer in decrypt(Des3Mode::CbcPad { iv: &DES3_IV, padding: Padding::Pkcs7 }, &[0; 16]) {
        assert!(matches!(answer, Err(Error::EncryptedDataInvalid)), "{answer:?}");
    }
    for answer in decrypt(Des3Mode::Ecb, &[0; 12]) {
        assert!(matches!(answer, Err(Error::EncryptedDataLength)), "{answer:?}");
    }
}

#[test]
fn cmac_on_triple_des_is_that_of_sp_800_38b() {
    let key = bytes("8aa83bf8cbda10620bc1bf19fbb6cd58bc313d4a371ca8b5");
    for (message, tag) in [("", "b7a688e122ffaf95"), ("6bc1bee22e409f96", "8e8f293136283797")] {
        for (name, mac) in all(|provider| provider.des3_cmac(&key)) {
            let mut mac = mac.unwrap();
            let mut out = vec![0; mac.len()];
            mac.update(&bytes(message)).unwrap();
            mac.finish(&mut out).unwrap();
            assert_eq!(out, bytes(tag), "{name}");
        }
    }
}

/// Last byte of a key of zeros, nonce, key stream.
const CHACHA20: [(u8, &str, &str); 4] = [
    (
        0,
        "0000000000000000",
        "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7\
         da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586",
    ),
    (
        1,
        "0000000000000000",
        "4540f05a9f1fb296d7736e7b208e3c96eb4fe1834688d2604f450952ed432d41\
         bbe2a0b6ea7566d2a5d1e7e20d42af2c53d792b1c43fea817e9ad275ae546963",
    ),
    (
        0,
        "0000000000000001",
        "de9cba7bf3d69ef5e786dc63973f653a0b49e015adbff7134fcb7df137821031\
         e85a050278a7084527214f73efc7fa5b5277062eb7a0433e445f41e3",
    ),
    (
        0,
        "0100000000000000",
        "ef3fdfd6c61578fbf5cf35bd3dd33b8009631634d21e42ac33960bd138e50d32\
         111e4caf237ee53ca8ad6426194a88545ddc497a0b466e7d6bbdb0041b2f586b",
    ),
];

#[test]
fn chacha20_is_that_of_kmips_cases() {
    for (last, nonce, stream) in CHACHA20 {
        let (mut key, nonce, stream) = ([0; 32], bytes(nonce), bytes(stream));
        key[31] = last;
        check(&|provider, _| provider.chacha20(&nonce, 0, &key), &vec![0; stream.len()], &stream);
    }
}

#[test]
fn chacha20_begins_at_its_counter() {
    // RFC 8439, section 2.4.2.
    let key: Vec<u8> = (0..32).collect();
    let message =
        b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, \
        sunscreen would be it.";
    let start = bytes("6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0b");
    let nonce = bytes("000000000000004a00000000");
    for (name, cipher) in all(|provider| provider.chacha20(&nonce, 1, &key)) {
        let answer = at_once(&mut *cipher.unwrap(), message).unwrap();
        assert_eq!(answer[..32], start, "{name}");
    }
}

#[test]
fn chacha20_refuses_other_nonces_and_ends_with_its_counter() {
    for (nonce, counter) in [(&[0; 0][..], 0), (&[0; 11], 0), (&[0; 16], 0), (&[0; 12], 1 << 32)] {
        for (name, begun) in all(|provider| provider.chacha20(nonce, counter, &[0; 32])) {
            assert!(matches!(begun.err(), Some(Error::MechanismParamInvalid)), "{name} {nonce:?}");
        }
    }
    for (name, cipher) in all(|provider| provider.chacha20(&[0; 12], u64::from(u32::MAX), &[0; 32])) {
        let answer = at_once(&mut *cipher.unwrap(), &[0; 129]);
        assert!(matches!(answer, Err(Error::DataLength)), "{name}: {answer:?}");
    }
    for (name, begun) in all(|provider| provider.chacha20(&[0; 12], 0, &[0; 16])) {
        assert!(matches!(begun.err(), Some(Error::KeySizeRange)), "{name}");
    }
}

#[test]
fn chacha20_poly1305_is_that_of_rfc_8439_with_tags_of_every_length() {
    let key: Vec<u8> = (0x80..0xa0).collect();
    let message =
        b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, \
        sunscreen would be it.";
    let sealed = bytes(
        "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b\
         1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc\
         3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691",
    );
    let nonce: [u8; 12] = bytes("070000004041424344454647").try_into().unwrap();
    let aad = bytes("50515253c0c1c2c3c4c5c6c7");
    for tag_len in 12..=16 {
        let parameters = Poly1305 { nonce: &nonce, aad: &aad, tag_len };
        let begin = |provider: &'static dyn Provider, direction| {
            provider.chacha20_poly1305(parameters, direction, &key)
        };
        check(&begin, message, &sealed[..message.len() + tag_len]);
        for position in [0, 50, message.len(), message.len() + tag_len - 1] {
            let mut changed = sealed[..message.len() + tag_len].to_vec();
            changed[position] ^= 1;
            for (name, cipher) in all(|provider| begin(provider, Direction::Decrypt)) {
                let mut out = vec![0; message.len()];
                let answer = cipher.unwrap().once(&changed, &mut out);
                assert!(matches!(answer, Err(Error::EncryptedDataInvalid)), "{name}: {answer:?}");
                assert!(out.iter().all(|byte| *byte == 0), "{name}");
            }
        }
    }
    for tag_len in [0, 1, 11, 17, 32] {
        let parameters = Poly1305 { nonce: &nonce, aad: &aad, tag_len };
        for (name, begun) in all(|provider| provider.chacha20_poly1305(parameters, Direction::Encrypt, &key))
        {
            assert!(matches!(begun.err(), Some(Error::MechanismParamInvalid)), "{name} {tag_len}");
        }
    }
}

/// Key and message of Blowfish's published vectors, with the ciphertexts that OpenSSL makes of the message.
const BLOWFISH: (&str, [u8; 8], &[u8; 29]) = (
    "0123456789abcdeff0e1d2c3b4a59687",
    [0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10],
    b"7654321 Now is the time for \0",
);

#[test]
fn blowfish_is_that_of_its_vectors() {
    let (key, iv, message) = BLOWFISH;
    let key = bytes(key);
    let cbc = bytes("6b77b4d63006dee605b156e27403979358deb9e7154616d9749decbec05d264b");
    let ecb = bytes("2afd7daa60626ba38616468cc29cf6e1291e817cc740982d39a7f406ab494e60");
    for (mode, length, ciphertext) in [
        (BlowfishMode::Cbc { iv: &iv }, 24, &cbc[..24]),
        (BlowfishMode::CbcPad { iv: &iv, padding: Padding::Pkcs7 }, 29, &cbc[..]),
        (BlowfishMode::Ecb, 24, &ecb[..24]),
        (BlowfishMode::EcbPad(Padding::Pkcs7), 29, &ecb[..]),
    ] {
        check(
            &|provider, direction| provider.blowfish(mode, direction, &key),
            &message[..length],
            ciphertext,
        );
    }
}

#[test]
fn blowfish_has_keys_of_4_to_56_bytes() {
    for (length, fits) in [(0, false), (3, false), (4, true), (56, true), (57, false)] {
        let key = vec![1; length];
        for (name, begun) in all(|provider| provider.blowfish(BlowfishMode::Ecb, Direction::Encrypt, &key)) {
            match begun.err() {
                None => assert!(fits, "{name} {length}"),
                Some(error) => assert!(!fits && matches!(error, Error::KeySizeRange), "{name} {length}"),
            }
        }
    }
}

#[test]
fn blowfish_refuses_bad_padding_and_odd_lengths() {
    for (mode, input, expected) in [
        (BlowfishMode::EcbPad(Padding::Pkcs7), &[0; 16][..], "EncryptedDataInvalid"),
        (BlowfishMode::Ecb, &[0; 12], "EncryptedDataLength"),
    ] {
        for (name, cipher) in all(|provider| provider.blowfish(mode, Direction::Decrypt, &[1; 16])) {
            let error = at_once(&mut *cipher.unwrap(), input).unwrap_err();
            assert_eq!(format!("{error:?}"), expected, "{name}");
        }
    }
}
