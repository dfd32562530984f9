//! MACs of ciphers: AES-MAC, GMAC, those of DES and Triple DES, Poly1305; MD5 and GOST R 34.11-94 with their HMACs; and keys for HMAC.
//! PKCS #11 3.2, sections 6.10, 6.13.6, 6.18, 6.19 and 6.60. FIPS 113; NIST SP 800-38B, section D.4; NIST's
//! vectors of GCM; RFC 8439, section 2.5.2; RFC 1321 and RFC 2202.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

use hsm_tests::keys::{self, aes, hex, secret};
use hsm_tests::operations::{SIGN, VERIFY};
use hsm_tests::prelude::*;

fn key(session: &Session<'_>, kind: CK_KEY_TYPE, value: &str) -> Object {
    session.create(&keys::aes_template(&hex(value)).and(attrs![CKA_KEY_TYPE => kind])).unwrap()
}

fn general(kind: CK_MECHANISM_TYPE, length: usize) -> Mech {
    Mech::bytes(kind, &length.to_ne_bytes())
}

/// Signs and verifies, whole and in parts, and refuses what is not the MAC.
fn known(session: &Session<'_>, mech: &Mech, key: Object, message: &[u8], mac: &[u8]) {
    let kind = mech.kind;
    let parts: Vec<&[u8]> = message.chunks(5).collect();
    assert_eq!(session.sign(mech, key, message).unwrap(), mac, "{kind:#x}");
    assert_eq!(session.sign_parts(mech, key, &parts).unwrap(), mac, "{kind:#x}");
    assert_eq!(session.verify(mech, key, message, mac), Ok(()), "{kind:#x}");
    assert_eq!(session.verify_parts(mech, key, &parts, mac), Ok(()), "{kind:#x}");
    let mut changed = mac.to_vec();
    changed[0] ^= 1;
    refused!(CKR_SIGNATURE_INVALID, session.verify(mech, key, message, &changed), "{kind:#x}");
    refused!(CKR_SIGNATURE_LEN_RANGE, session.verify(mech, key, message, &mac[1..]), "{kind:#x}");
}

fn gmac(nonce: &[u8], aad: &[u8], bits: CK_ULONG) -> Mech {
    Mech::gcm(nonce, aad, bits).renamed(CKM_AES_GMAC)
}

isolated! {
    fn macs_of_blocks(kit) {
        let session = kit.user();
        let des = key(&session, CKK_DES, "0123456789abcdef");
        let des3 = key(&session, CKK_DES3, &"0123456789abcdef".repeat(3));
        let (text, mac) = (b"7654321 Now is the time for ", hex("f1d30f6849312ca4"));
        for (key, kind, of_length) in
            [(des, CKM_DES_MAC, CKM_DES_MAC_GENERAL), (des3, CKM_DES3_MAC, CKM_DES3_MAC_GENERAL)]
        {
            known(&session, &Mech::plain(kind), key, text, &mac[..4]);
            for length in [1, 8] {
                known(&session, &general(of_length, length), key, text, &mac[..length]);
            }
        }
        let aes = aes(&session, &hex("2b7e151628aed2a6abf7158809cf4f3c"));
        let (block, mac) = (hex("6bc1bee22e409f96e93d7e117393172a"), hex("3ad77bb40d7a3660a89ecaf32466ef97"));
        known(&session, &Mech::plain(CKM_AES_MAC), aes, &block, &mac[..8]);
        known(&session, &general(CKM_AES_MAC_GENERAL, 16), aes, &block, &mac);
        let cmac = key(&session, CKK_DES3, "8aa83bf8cbda10620bc1bf19fbb6cd58bc313d4a371ca8b5");
        let block = hex("6bc1bee22e409f96");
        known(&session, &Mech::plain(CKM_DES3_CMAC), cmac, &block, &hex("8e8f293136283797"));
        known(&session, &general(CKM_DES3_CMAC_GENERAL, 3), cmac, &block, &hex("8e8f29"));
    }

    fn lengths_and_keys_that_do_not_fit_are_refused(kit) {
        let session = kit.user();
        let des = key(&session, CKK_DES, "0123456789abcdef");
        let des3 = key(&session, CKK_DES3, &"0123456789abcdef".repeat(3));
        let aes = aes(&session, &[7; 16]);
        for (kind, key, other, most) in [
            (CKM_DES_MAC_GENERAL, des, des3, 8),
            (CKM_DES3_MAC_GENERAL, des3, des, 8),
            (CKM_DES3_CMAC_GENERAL, des3, aes, 8),
            (CKM_AES_MAC_GENERAL, aes, des3, 16),
            (CKM_MD5_HMAC_GENERAL, secret(&session, &[7; 16]), aes, 16),
        ] {
            for operation in [SIGN, VERIFY] {
                refused!(CKR_MECHANISM_PARAM_INVALID, session.init(operation, &Mech::plain(kind), key));
                refused!(CKR_MECHANISM_PARAM_INVALID, session.init(operation, &general(kind, 0), key));
                refused!(CKR_MECHANISM_PARAM_INVALID, session.init(operation, &general(kind, most + 1), key));
                refused!(CKR_KEY_TYPE_INCONSISTENT, session.init(operation, &general(kind, most), other));
            }
        }
        for (kind, key) in [(CKM_DES_MAC, des), (CKM_DES3_MAC, des3), (CKM_DES3_CMAC, des3), (CKM_AES_MAC, aes)] {
            refused!(CKR_MECHANISM_PARAM_INVALID, session.init(SIGN, &general(kind, 4), key), "{kind:#x}");
        }
    }

    fn gmac_signs_what_gcm_authenticates(kit) {
        let session = kit.user();
        let key = aes(&session, &hex("77be63708971c4e240d1cb79e8d77feb"));
        let (nonce, message) = (hex("e0e00f19fed7ba0136a797f3"), hex("7a43ec1d9c0a5a78a0b16533a6213cab"));
        let tag = hex("209fcc8d3675ed938e9c7166709dd946");
        for length in [4, 8, 12, 16] {
            let bits = CK_ULONG::try_from(length * 8).unwrap();
            known(&session, &gmac(&nonce, b"", bits), key, &message, &tag[..length]);
        }
        for mech in [
            Mech::plain(CKM_AES_GMAC),
            gmac(&[], b"", 128),
            gmac(&nonce, b"more", 128),
            gmac(&nonce, b"", 0),
            gmac(&nonce, b"", 40),
            gmac(&nonce, b"", 136),
        ] {
            refused!(CKR_MECHANISM_PARAM_INVALID, session.init(SIGN, &mech, key), "{mech:?}");
        }
        let other = secret(&session, &[7; 16]);
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.init(SIGN, &gmac(&nonce, b"", 128), other));
    }

    fn poly1305_by_itself(kit) {
        let session = kit.user();
        let value = "85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b";
        let key = key(&session, CKK_POLY1305, value);
        let mech = Mech::plain(CKM_POLY1305);
        let tag = hex("a8061dc1305136c6c22b8baf0c0127a9");
        known(&session, &mech, key, b"Cryptographic Forum Research Group", &tag);
        let made = session.generate(&Mech::plain(CKM_POLY1305_KEY_GEN), &attrs![]).unwrap();
        assert_eq!(session.sign(&mech, made, b"").unwrap().len(), 16);
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.init(SIGN, &mech, secret(&session, &[7; 32])));
        refused!(CKR_MECHANISM_PARAM_INVALID, session.init(SIGN, &Mech::bytes(CKM_POLY1305, &[0; 8]), key));
    }

    fn md5_and_its_hmac(kit) {
        let session = kit.user();
        let digest = session.digest(&Mech::plain(CKM_MD5), b"abc").unwrap();
        assert_eq!(digest, hex("900150983cd24fb0d6963f7d28e17f72"));
        let key = secret(&session, b"Jefe");
        let (text, mac) = (b"what do ya want for nothing?", hex("750c783e6ab0b503eaa86e310a5db738"));
        known(&session, &Mech::plain(CKM_MD5_HMAC), key, text, &mac);
        known(&session, &general(CKM_MD5_HMAC_GENERAL, 12), key, text, &mac[..12]);
    }

    fn gosts_digest_and_its_hmac(kit) {
        let session = kit.user();
        let key = secret(&session, b"Jefe");
        // id-GostR3411-94-CryptoProParamSet, which is what there is without a parameter.
        let set = hex("06072a850302021e01");
        for parameter in [vec![], set.clone()] {
            let mech = |kind| Mech::bytes(kind, &parameter);
            let digest = session.digest(&mech(CKM_GOSTR3411), b"abc").unwrap();
            assert_eq!(digest, hex("b285056dbf18d7392d7677369524dd14747459ed8143997e163b2986f92fd42c"));
            let mac = hex("ec352aec8da53f0626fe22699243266ed40da2beff219dfd7dd2dcf3d86ebbc9");
            known(&session, &mech(CKM_GOSTR3411_HMAC), key, b"what do ya want for nothing?", &mac);
        }
        // The set of the standard's examples, and what is none.
        for other in [[&set[..8], &[0]].concat(), set[..8].to_vec(), vec![0; 9], vec![5, 0]] {
            refused!(CKR_MECHANISM_PARAM_INVALID, session.digest_init(&Mech::bytes(CKM_GOSTR3411, &other)));
            refused!(CKR_MECHANISM_PARAM_INVALID, session.init(SIGN, &Mech::bytes(CKM_GOSTR3411_HMAC, &other), key));
        }
    }

    fn keys_for_hmac_are_as_long_as_the_digest_unless_told_otherwise(kit) {
        let session = kit.user();
        for (kind, key_type, length, hmac) in [
            (CKM_SHA3_224_KEY_GEN, CKK_SHA3_224_HMAC, 28, CKM_SHA3_224_HMAC),
            (CKM_SHA3_256_KEY_GEN, CKK_SHA3_256_HMAC, 32, CKM_SHA3_256_HMAC),
            (CKM_SHA3_384_KEY_GEN, CKK_SHA3_384_HMAC, 48, CKM_SHA3_384_HMAC),
            (CKM_SHA3_512_KEY_GEN, CKK_SHA3_512_HMAC, 64, CKM_SHA3_512_HMAC),
            (CKM_SHA512_224_KEY_GEN, CKK_SHA512_224_HMAC, 28, CKM_SHA512_224_HMAC),
            (CKM_SHA512_256_KEY_GEN, CKK_SHA512_256_HMAC, 32, CKM_SHA512_256_HMAC),
        ] {
            let mech = Mech::plain(kind);
            let key = session.generate(&mech, &attrs![]).unwrap();
            assert_eq!(session.number(key, CKA_KEY_TYPE), Ok(key_type));
            assert_eq!(session.number(key, CKA_VALUE_LEN), Ok(length));
            assert_eq!(session.sign(&Mech::plain(hmac), key, b"data").unwrap().len() as CK_ULONG, length);
            let longer = session.generate(&mech, &attrs![CKA_VALUE_LEN => 100 as CK_ULONG]).unwrap();
            assert_eq!(session.number(longer, CKA_VALUE_LEN), Ok(100));
            refused!(CKR_KEY_SIZE_RANGE, session.generate(&mech, &attrs![CKA_VALUE_LEN => 0 as CK_ULONG]));
        }
    }
}
