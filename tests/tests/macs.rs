//! HMAC with every hash, and AES-CMAC. PKCS #11 3.2, sections 6.23.4 and 6.13.9; RFC 4231 and, for the
//! other hashes, the same case computed with OpenSSL; NIST SP 800-38B, appendix D.

use hsm_tests::keys::{aes, hex, secret, secret_template};
use hsm_tests::offer::{HASHES, offered};
use hsm_tests::operations::{SIGN, VERIFY};
use hsm_tests::prelude::*;

const KEY: &[u8] = b"Jefe";
const MESSAGE: &[u8] = b"what do ya want for nothing?";
const PARTS: &[&[u8]] = &[b"what do ya ", b"", b"want for nothing?"];

/// HMACs of the message in the order of [`HASHES`].
#[rustfmt::skip]
const KNOWN: [&str; 11] = [
    "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
    "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44",
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e\
     8e2240ca5e69e2c78b3239ecfab21649",
    "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
     9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
    "7fdb8dd88bd2f60d1b798634ad386811c2cfc85bfaf5d52bbace5e66",
    "c7d4072e788877ae3596bbb0da73b887c9171f93095b294ae857fbe2645e1ba5",
    "f1101f8cbf9766fd6764d2ed61903f21ca9b18f57cf3e1a23ca13508a93243ce\
     48c045dc007f26a21b3f5e0e9df4c20a",
    "5a4bfeab6166427c7a3647b747292b8384537cdb89afb3bf5665e4c5e709350b\
     287baec921fd7ca0ee7a0c31d022a95e1fc92ba9d77df883960275beb4e62024",
    "4a530b31a79ebcce36916546317c45f247d83241dfb818fd37254bde",
    "6df7b24630d5ccb2ee335407081a87188c221489768fa2020513b2d593359456",
];

const CMAC_KEY: &str = "2b7e151628aed2a6abf7158809cf4f3c";
const CMAC_MESSAGE: &str = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
                            30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
/// AES-128 CMACs of the first so many bytes.
const CMACS: [(usize, &str); 4] = [
    (0, "bb1d6929e95937287fa37d129b756746"),
    (16, "070a16b46b4d4144f79bdd9dd04a287c"),
    (40, "dfa66747de9ae63030ca32611497c827"),
    (64, "51f0bebf7e3b9d92fc49741779363cfe"),
];

/// A key of 64 bytes, which every implementation accepts for every hash: the short one padded with
/// zeros, which HMAC does anyway.
fn padded() -> Vec<u8> {
    let mut key = KEY.to_vec();
    key.resize(64, 0);
    key
}

isolated! {
    fn known_hmacs_in_one_part_and_in_several(kit) {
        let session = kit.user();
        let key = secret(&session, &padded());
        let rows = HASHES.into_iter().zip(KNOWN);
        for (hash, known) in offered(&session, rows, |(hash, _)| hash.hmac) {
            let mech = Mech::plain(hash.hmac);
            assert_eq!(session.sign(&mech, key, MESSAGE).unwrap(), hex(known), "{}", hash.name);
            assert_eq!(session.sign_parts(&mech, key, PARTS).unwrap(), hex(known), "{}", hash.name);
            assert_eq!(session.verify(&mech, key, MESSAGE, &hex(known)), Ok(()), "{}", hash.name);
            assert_eq!(session.verify_parts(&mech, key, PARTS, &hex(known)), Ok(()), "{}", hash.name);
        }
    }

    fn an_hmac_key_may_be_short(kit) {
        let session = kit.user();
        let key = secret(&session, KEY);
        let known = KNOWN[2];
        assert_eq!(session.sign(&Mech::plain(CKM_SHA256_HMAC), key, MESSAGE).unwrap(), hex(known));
    }

    fn an_hmac_key_may_be_longer_than_a_block(kit) {
        let session = kit.user();
        let long = [0xaa; 131];
        let key = secret(&session, &long);
        let mech = Mech::plain(CKM_SHA256_HMAC);
        let mac =
            session.sign(&mech, key, b"Test Using Larger Than Block-Size Key - Hash Key First").unwrap();
        let expected = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54";
        assert_eq!(mac, hex(expected), "RFC 4231, test case 6");
    }

    fn an_hmac_of_nothing_is_one(kit) {
        let session = kit.user();
        let key = secret(&session, &padded());
        let mech = Mech::plain(CKM_SHA256_HMAC);
        let mac = session.sign(&mech, key, b"").unwrap();
        assert_eq!(session.sign_parts(&mech, key, &[]).unwrap(), mac);
        assert_eq!(session.verify(&mech, key, b"", &mac), Ok(()));
    }

    fn a_changed_hmac_is_refused(kit) {
        let session = kit.user();
        let key = secret(&session, &padded());
        let rows = HASHES.into_iter().zip(KNOWN);
        for (hash, known) in offered(&session, rows, |(hash, _)| hash.hmac) {
            let (mech, mac) = (Mech::plain(hash.hmac), hex(known));
            refused!(CKR_SIGNATURE_INVALID, session.verify(&mech, key, b"other", &mac), "{}", hash.name);
            for at in [0, hash.length - 1] {
                let mut changed = mac.clone();
                changed[at] ^= 1;
                refused!(
                    CKR_SIGNATURE_INVALID,
                    session.verify(&mech, key, MESSAGE, &changed),
                    "{}",
                    hash.name
                );
                refused!(
                    CKR_SIGNATURE_INVALID,
                    session.verify_parts(&mech, key, PARTS, &changed),
                    "{}",
                    hash.name
                );
            }
        }
    }

    fn an_hmac_of_another_length_is_refused(kit) {
        let session = kit.user();
        let key = secret(&session, &padded());
        let mac = hex(KNOWN[2]);
        for wrong in [&mac[..31], &mac[..4], &[], &[mac.as_slice(), &[0]].concat()] {
            let answer = session.verify(&Mech::plain(CKM_SHA256_HMAC), key, MESSAGE, wrong);
            refused!(CKR_SIGNATURE_LEN_RANGE, answer, "{} bytes", wrong.len());
        }
    }

    fn a_sensitive_key_makes_macs(kit) {
        let session = kit.user();
        let more = attrs![CKA_SENSITIVE => true, CKA_EXTRACTABLE => false, CKA_TOKEN => true];
        let key = session.create(&secret_template(&padded()).and(more)).unwrap();
        assert_eq!(session.sign(&Mech::plain(CKM_SHA256_HMAC), key, MESSAGE).unwrap(), hex(KNOWN[2]));
    }

    fn known_cmacs_in_one_part_and_in_several(kit) {
        let session = kit.user();
        let key = aes(&session, &hex(CMAC_KEY));
        let mech = Mech::plain(CKM_AES_CMAC);
        for (length, known) in CMACS {
            let message = &hex(CMAC_MESSAGE)[..length];
            let parts: Vec<&[u8]> = message.chunks(7).collect();
            assert_eq!(session.sign(&mech, key, message).unwrap(), hex(known), "{length}");
            assert_eq!(session.sign_parts(&mech, key, &parts).unwrap(), hex(known), "{length}");
            assert_eq!(session.verify(&mech, key, message, &hex(known)), Ok(()), "{length}");
            assert_eq!(session.verify_parts(&mech, key, &parts, &hex(known)), Ok(()), "{length}");
        }
    }

    fn cmacs_with_every_key_length(kit) {
        let session = kit.user();
        let mech = Mech::plain(CKM_AES_CMAC);
        for (key, known) in [
            ("8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b", "9e99a7bf31e710900662f65e617c5184"),
            (
                "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
                "28a7023f452e8f82bd4bf28d8c37c35c",
            ),
        ] {
            let key = aes(&session, &hex(key));
            assert_eq!(session.sign(&mech, key, &hex(CMAC_MESSAGE)[..16]).unwrap(), hex(known));
        }
    }

    fn a_changed_cmac_is_refused(kit) {
        let session = kit.user();
        let key = aes(&session, &hex(CMAC_KEY));
        let mech = Mech::plain(CKM_AES_CMAC);
        let mut mac = session.sign(&mech, key, MESSAGE).unwrap();
        mac[15] ^= 1;
        refused!(CKR_SIGNATURE_INVALID, session.verify(&mech, key, MESSAGE, &mac));
        refused!(CKR_SIGNATURE_LEN_RANGE, session.verify(&mech, key, MESSAGE, &mac[..8]));
    }

    fn a_mac_in_parts_takes_a_large_message(kit) {
        let session = kit.user();
        let message = vec![7; 100_000];
        for (mech, key) in [
            (Mech::plain(CKM_SHA256_HMAC), secret(&session, &padded())),
            (Mech::plain(CKM_AES_CMAC), aes(&session, &hex(CMAC_KEY))),
        ] {
            let parts: Vec<&[u8]> = message.chunks(977).collect();
            let whole = session.sign(&mech, key, &message).unwrap();
            assert_eq!(session.sign_parts(&mech, key, &parts).unwrap(), whole);
        }
    }

    fn macs_of_two_sessions_do_not_mix(kit) {
        let token = kit.token();
        let (one, two) = (token.user(), token.rw());
        let key = secret(&one, &padded());
        let mech = Mech::plain(CKM_SHA256_HMAC);
        one.init(SIGN, &mech, key).unwrap();
        two.init(VERIFY, &mech, key).unwrap();
        one.update(SIGN, PARTS[0]).unwrap();
        two.update(VERIFY, MESSAGE).unwrap();
        one.update(SIGN, PARTS[2]).unwrap();
        let mut mac = [0; 32];
        one.last(SIGN, Out::Buffer(&mut mac)).unwrap();
        assert_eq!(mac, *hex(KNOWN[2]));
        assert_eq!(two.verify_last(&mac), Ok(()));
    }
}
