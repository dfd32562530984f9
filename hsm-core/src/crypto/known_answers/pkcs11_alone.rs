//! What PKCS #11 has beyond KMIP: CFB8 and CFB1 (NIST SP 800-38A, section F.3), ciphertext stealing (RFC 3962, appendix
//! B, whose last two blocks are in the other order), single DES (FIPS 81), Poly1305 by itself (RFC 8439, section
//! 2.5.2), and SHAKE (NIST's examples).

use super::ciphers::{IV, KEYS, PLAINTEXT, at_once, in_pieces};
use super::{all, bytes};
use crate::crypto::{AesMode, Des3Mode, Direction, Shake};
use crate::error::Error;

fn check_aes(mode: AesMode<'_>, key: &[u8], plaintext: &[u8], ciphertext: &[u8]) {
    for (direction, input, expected) in
        [(Direction::Encrypt, plaintext, ciphertext), (Direction::Decrypt, ciphertext, plaintext)]
    {
        for piece in [1, 7, 16, 17] {
            for (name, cipher) in all(|provider| provider.aes(mode, direction, key)) {
                assert_eq!(
                    in_pieces(&mut *cipher.unwrap(), input, piece).unwrap(),
                    expected,
                    "{name} by {piece}"
                );
            }
        }
        for (name, cipher) in all(|provider| provider.aes(mode, direction, key)) {
            assert_eq!(at_once(&mut *cipher.unwrap(), input).unwrap(), expected, "{name} {direction:?}");
        }
    }
}

#[test]
fn cfb8_is_that_of_sp_800_38a() {
    let known = [
        "3b79424c9c0dd436bace9e0ed4586a4f32b9",
        "cda2521ef0a905ca44cd057cbf0d47a0678a",
        "dc1f1a8520a64db55fcc8ac554844e889700",
    ];
    for (key, known) in KEYS.iter().zip(known) {
        check_aes(AesMode::Cfb8 { iv: &IV }, &bytes(key), &bytes(PLAINTEXT)[..18], &bytes(known));
    }
}

/// The standard has the first 16 bits; the others were made with OpenSSL.
#[test]
fn cfb1_is_that_of_sp_800_38a() {
    let known = [
        "68b3a264f838f5f8c3101070d1ab4c2e22e7f950383a0b71ade4fad0095cb188",
        "9359bbb8ff599a3d90712530ca1d4f5b3eeef5b80a3be274805571771967a293",
        "9029c2ba5b7d440b562023deec3de5928e4fd76528e8cc3a548a0a49edf001d0",
    ];
    for (key, known) in KEYS.iter().zip(known) {
        check_aes(AesMode::Cfb1 { iv: &IV }, &bytes(key), &bytes(PLAINTEXT)[..32], &bytes(known));
    }
}

#[test]
fn stolen_ciphertext_is_that_of_rfc_3962() {
    let text = b"I would like the General Gau's Chicken, please, and wonton soup.";
    let blocks = [
        "97687268d6ecccc0c07b25e25ecfe584",
        "39312523a78662d5be7fcbcc98ebf5a8",
        "9dad8bbb96c4cdc03bc103e1a194bbd8",
        "4807efe836ee89a526730dbc2f7bc840",
    ]
    .concat();
    let mode = AesMode::Cts { iv: &[0; 16] };
    for length in [16, 32, 48, 64] {
        check_aes(mode, b"chicken teriyaki", &text[..length], &bytes(&blocks)[..length]);
    }
    for (length, stolen) in [
        (17, "97c6353568f2bf8cb4d8a580362da7ff7f"),
        (31, "97687268d6ecccc0c07b25e25ecfe5fc00783e0efdb2c1d445d4c8eff7ed22"),
        (
            47,
            "97687268d6ecccc0c07b25e25ecfe58439312523a78662d5be7fcbcc98ebf5b3fffd940c16a18c1b5549d2f838029e",
        ),
    ] {
        check_aes(mode, b"chicken teriyaki", &text[..length], &bytes(stolen));
    }
    for (name, cipher) in all(|provider| provider.aes(mode, Direction::Encrypt, &[0; 16])) {
        let short = at_once(&mut *cipher.unwrap(), &[0; 15]);
        assert!(matches!(short, Err(Error::DataLength)), "{name}");
    }
}

#[test]
fn one_des_key_is_single_des() {
    let (key, iv) = (bytes("0123456789abcdef"), [0x12, 0x34, 0x56, 0x78, 0x90, 0xab, 0xcd, 0xef]);
    let text = b"Now is the time for all ";
    for (mode, known) in [
        (Des3Mode::Ecb, "3fa40e8a984d48156a271787ab8883f9893d51ec4b563b53"),
        (Des3Mode::Cbc { iv: &iv }, "e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6"),
        (Des3Mode::Cfb { iv: &iv }, "f3096249c7f46e51a69e839b1a92f78403467133898ea622"),
        (Des3Mode::Ofb { iv: &iv }, "f3096249c7f46e5135f24a242eeb3d3f3d6d5be3255af8c3"),
    ] {
        for (name, cipher) in all(|provider| provider.des3(mode, Direction::Encrypt, &key)) {
            assert_eq!(at_once(&mut *cipher.unwrap(), text).unwrap(), bytes(known), "{name} {mode:?}");
        }
        for (name, cipher) in all(|provider| provider.des3(mode, Direction::Decrypt, &key)) {
            assert_eq!(at_once(&mut *cipher.unwrap(), &bytes(known)).unwrap(), text, "{name} {mode:?}");
        }
    }
}

#[test]
fn poly1305_is_that_of_rfc_8439() {
    let key = bytes("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b");
    for (name, tag) in all(|provider| provider.poly1305(&key, b"Cryptographic Forum Research Group")) {
        assert_eq!(tag.unwrap().as_slice(), bytes("a8061dc1305136c6c22b8baf0c0127a9"), "{name}");
    }
    for (name, tag) in all(|provider| provider.poly1305(&key[1..], b"")) {
        assert!(matches!(tag, Err(Error::KeySizeRange)), "{name}");
    }
}

#[test]
fn shake_gives_as_much_as_is_wanted() {
    for (shake, known) in [
        (Shake::Shake128, "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26"),
        (Shake::Shake256, "46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f"),
    ] {
        for length in [1, 16, 32] {
            for (name, out) in all(|provider| provider.shake(shake, b"", length)) {
                assert!(out.equals(&bytes(known)[..length]), "{name} {shake:?} {length}");
            }
        }
        let long = all(|provider| provider.shake(shake, b"", 500)).remove(0).1;
        assert!(long.len() == 500 && long.expose()[..32] == bytes(known)[..]);
    }
}
