//! CKM_RSA_AES_KEY_WRAP. PKCS #11 3.2, section 6.1.21. The wraps at the end were made by Python's `cryptography` 48,
//! which has OAEP and AES key wrap with padding apart.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use hsm_tests::keys::{self, generate_aes, hex};
use hsm_tests::prelude::*;
use hsm_tests::template::Template;

fn sha256(bits: u64) -> Mech {
    Mech::rsa_aes(bits, CKM_SHA256, CKG_MGF1_SHA256, b"")
}

fn aes_key() -> Template {
    attrs![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES, CKA_SENSITIVE => false, CKA_EXTRACTABLE => true]
}

fn ec_key() -> Template {
    attrs![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => CKK_EC, CKA_SIGN => true]
}

isolated! {
    fn what_another_library_wrapped_is_unwrapped(kit) {
        let session = kit.user();
        let rsa = keys::rsa(&session);
        let value: Vec<u8> = (0x40..0x60).collect();
        for (mech, wrapped) in [
            (Mech::rsa_aes(128, CKM_SHA_1, CKG_MGF1_SHA1, b""), SECRET_UNDER_128),
            (Mech::rsa_aes(192, CKM_SHA384, CKG_MGF1_SHA384, b"label"), SECRET_UNDER_192),
        ] {
            let key = session.unwrap(&mech, rsa.private, &hex(wrapped), &aes_key()).unwrap();
            assert_eq!(session.get(key, CKA_VALUE).unwrap(), value);
        }
        let key = session.unwrap(&sha256(256), rsa.private, &hex(EC_UNDER_256), &ec_key()).unwrap();
        let point = [&[4, 65, 4][..], &hex(EC_POINT)].concat();
        let public = attrs![CKA_CLASS => CKO_PUBLIC_KEY, CKA_KEY_TYPE => CKK_EC, CKA_EC_PARAMS => keys::P256.params,
            CKA_EC_POINT => point, CKA_VERIFY => true];
        let public = session.create(&public).unwrap();
        let signature = session.sign(&Mech::plain(CKM_ECDSA), key, &[7; 32]).unwrap();
        assert_eq!(session.verify(&Mech::plain(CKM_ECDSA), public, &[7; 32], &signature), Ok(()));
    }

    fn secret_keys_go_around_under_temporary_keys_of_every_size(kit) {
        let session = kit.user();
        let rsa = keys::rsa(&session);
        let hashes =
            [(CKM_SHA_1, CKG_MGF1_SHA1), (CKM_SHA256, CKG_MGF1_SHA256), (CKM_SHA512, CKG_MGF1_SHA512)];
        for (hash, mgf) in hashes {
            for bits in [128, 192, 256] {
                let mech = Mech::rsa_aes(bits, hash, mgf, b"label");
                let more = attrs![CKA_SENSITIVE => true, CKA_EXTRACTABLE => true];
                let key = session.create(&keys::aes_template(&[0x5a; 32]).and(more)).unwrap();
                let wrapped = session.wrap(&mech, rsa.public, key).unwrap();
                assert_eq!(wrapped.len(), 256 + 40);
                let back = session.unwrap(&mech, rsa.private, &wrapped, &aes_key()).unwrap();
                assert_eq!(session.get(back, CKA_VALUE).unwrap(), [0x5a; 32]);
            }
        }
    }

    fn private_keys_longer_than_the_wrapping_key_go_around(kit) {
        let session = kit.user();
        let rsa = keys::rsa(&session);
        let key = session.create(&keys::rsa_private().and(attrs![CKA_EXTRACTABLE => true])).unwrap();
        let wrapped = session.wrap(&sha256(256), rsa.public, key).unwrap();
        let template = attrs![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => CKK_RSA, CKA_SIGN => true];
        let back = session.unwrap(&sha256(256), rsa.private, &wrapped, &template).unwrap();
        let signature = session.sign(&Mech::plain(CKM_RSA_PKCS), back, &[7; 32]).unwrap();
        assert_eq!(session.verify(&Mech::plain(CKM_RSA_PKCS), rsa.public, &[7; 32], &signature), Ok(()));
    }

    fn damaged_wraps_are_refused(kit) {
        let session = kit.user();
        let rsa = keys::rsa(&session);
        let good = hex(EC_UNDER_256);
        for at in [0, 100, 255, 256, 270, good.len() - 1] {
            let mut damaged = good.clone();
            damaged[at] ^= 1;
            let answer = session.unwrap(&sha256(256), rsa.private, &damaged, &ec_key());
            refused!(CKR_WRAPPED_KEY_INVALID, answer, "byte {at}");
        }
        for end in [257, 264, 272, good.len() - 8] {
            let answer = session.unwrap(&sha256(256), rsa.private, &good[..end], &ec_key());
            refused!(CKR_WRAPPED_KEY_INVALID, answer, "{end} bytes");
        }
        for end in [0, 1, 255, 256] {
            let answer = session.unwrap(&sha256(256), rsa.private, &good[..end], &ec_key());
            refused!(CKR_WRAPPED_KEY_LEN_RANGE, answer, "{end} bytes");
        }
        // Another hash, another label, another length of the temporary key, another kind of key inside.
        let (sha1, label) =
            (Mech::rsa_aes(256, CKM_SHA_1, CKG_MGF1_SHA1, b""), Mech::rsa_aes(256, CKM_SHA256, CKG_MGF1_SHA256, b"l"));
        for mech in [sha1, label, sha256(128)] {
            refused!(CKR_WRAPPED_KEY_INVALID, session.unwrap(&mech, rsa.private, &good, &ec_key()));
        }
        let of_rsa = attrs![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => CKK_RSA];
        refused!(CKR_WRAPPED_KEY_INVALID, session.unwrap(&sha256(256), rsa.private, &good, &of_rsa));
        refused!(CKR_WRAPPED_KEY_INVALID, session.unwrap(&sha256(256), rsa.private, &good, &aes_key()));
    }

    fn parameters_that_mean_nothing_are_refused(kit) {
        let session = kit.user();
        let rsa = keys::rsa(&session);
        let key = session.create(&keys::aes_template(&[7; 16]).and(attrs![CKA_EXTRACTABLE => true])).unwrap();
        for bits in [0, 64, 129, 512, u64::MAX] {
            refused!(CKR_MECHANISM_PARAM_INVALID, session.wrap(&sha256(bits), rsa.public, key), "{bits}");
            let answer = session.unwrap(&sha256(bits), rsa.private, &[7; 300], &aes_key());
            refused!(CKR_MECHANISM_PARAM_INVALID, answer, "{bits}");
        }
        for mech in [
            Mech::rsa_aes(256, CKM_AES_CBC, CKG_MGF1_SHA1, b""),
            Mech::rsa_aes(256, CKM_SHA_1, 99, b""),
            Mech::plain(CKM_RSA_AES_KEY_WRAP),
            Mech::bytes(CKM_RSA_AES_KEY_WRAP, &[0; 16]),
        ] {
            refused!(CKR_MECHANISM_PARAM_INVALID, session.wrap(&mech, rsa.public, key), "{mech:?}");
        }
    }

    fn keys_that_may_not_are_refused(kit) {
        let session = kit.user();
        let rsa = keys::rsa(&session);
        let aes = generate_aes(&session, attrs![CKA_EXTRACTABLE => true]);
        refused!(CKR_WRAPPING_KEY_TYPE_INCONSISTENT, session.wrap(&sha256(256), aes, aes));
        refused!(CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT, session.unwrap(&sha256(256), aes, &[7; 300], &aes_key()));
        let hidden = generate_aes(&session, attrs![CKA_EXTRACTABLE => false]);
        refused!(CKR_KEY_UNEXTRACTABLE, session.wrap(&sha256(256), rsa.public, hidden));
        let idle = keys::rsa_private().without(CKA_UNWRAP).and(attrs![CKA_UNWRAP => false]);
        let idle = session.create(&idle).unwrap();
        let answer = session.unwrap(&sha256(256), idle, &hex(EC_UNDER_256), &ec_key());
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, answer);
    }

    fn a_wrapping_key_too_short_for_the_hash_is_refused(kit) {
        let session = kit.user();
        let public = attrs![CKA_MODULUS_BITS => 1024u64, CKA_WRAP => true];
        let mech = Mech::plain(CKM_RSA_PKCS_KEY_PAIR_GEN);
        let (public, _) = session.generate_pair(&mech, &public, &attrs![CKA_UNWRAP => true]).unwrap();
        let key = generate_aes(&session, attrs![CKA_EXTRACTABLE => true]);
        let mech = Mech::rsa_aes(256, CKM_SHA512, CKG_MGF1_SHA512, b"");
        refused!(CKR_WRAPPING_KEY_SIZE_RANGE, session.wrap(&mech, public, key));
    }
}

/// The point of the private key in `EC_UNDER_256`.
const EC_POINT: &str = "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6\
    7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";

/// SHA-1, AES-128, no label: bytes 40 to 5f.
const SECRET_UNDER_128: &str = "\
    20bb9ff0dfba17e1aea716f25da4b88b6b547d441f0e25b413e26e89fdb5373b613cf90d22ca12acc2f5fc9961488c29\
    6ccb9f25f61e472499e5fc1d8fe07418f490941309b49f28fe491855ef1c43c0dfeaf620c0391f8a7a5b97d5b0d6e6a4\
    e9ec1fe77817ba93fad06853f2ebd377f9289f16d7486100e52629a7c290e0fe6a6e21f575d523a22ac3aa56cd5e0405\
    7a77f1874e60adbf19e5b87415a92dc2bbb33271ac4be39d56789c2dad2724cb03e63dae5e1db180581702f459348dc4\
    f981d8c11d05f39ee5896a3c9ed4dffe441cdecda476f67d4d6b6a27888d09fa139ab73ff3874b7f3d6096d55ff64d86\
    bab353e5a95f45b84552c3283bbfaf81491132dae0b542d537308e120351e4ba271825a57d26c2f1d03c3a1093ed7c6d\
    86b57596de60b7b0";

/// SHA-384, AES-192, the label "label": bytes 40 to 5f.
const SECRET_UNDER_192: &str = "\
    1e6af0239db3bbde92a5ae47e2e7eec8613b06d1e856ba0754eb90f2b48ca6d4e6b0637274b9c7e7ca537851ea530385\
    21ab6ca6af1efd6086a3a672403ca576a3890f4047cead6fa5f70e6cd222e0df9800a803f223591261798232c47f3e27\
    aa981e6b26ff90245fb1b08179499566e76fe14229a63adb57db67aa0a6e1b5ebfeb34fb0ab3963e911a39c97234fc2e\
    246b4270f3aab09656393e2baabaa998fac08537c678f6d753ce43ebdde25f9378a5e8f0a36f05d41eb090e9046e70e3\
    d9217077af99c33c67d060ff79847245cab8a2b7256f8e82540dff7941715896bc6d81f459572eb8d363316423f5ff44\
    ce8290a91dd4e6b9ed71f2927819f0b1c22ffbc96858bd2d4684ae2bc77ba6c0f501c24895615bc98681b47b43fd6140\
    06229f6f3e76620f";

/// SHA-256, AES-256, no label: the P-256 key of RFC 6979, A.2.5, in PKCS #8.
const EC_UNDER_256: &str = "\
    9c80ee479ffa2730ed6794c4340bcaf2744eab73b894781b9535194083719f23e8c7acafe35a03e69f7b26db6c983524\
    476129f60686c1daeba34a37522832de05427074653c27d426fbbb67305dd1ede99a18dc6f77e77ab1ee8e1261455789\
    1442c16596b6cf273b8fc63459530741b19113a677a1416a68422b8e1f3919d517e5ae07bde6f0c1f6e41a1115d5a47d\
    33d176b7885c0374da53351377d094604529a9b8bc929c038c09b6f5013b2390ee60b2c59bf40dc0a6ed5299ca2fdec7\
    90cb08c9f3b6f5d809fcae432066af7604ee690f1a5570776e282d6219ebcee65299dd085d96db1b7c850e30c7ad22c1\
    4834ac9f078703c218b456f23d066768004c53393aac24d0edd75b8b2c34f8482938e369038e28cd0a5790e7299e2d77\
    37d067da05fbb89a792c33d1d3565da5bbd226f72fe4f0e3e75405f23b0ef40ee32ad70c796201005f8ac193a213e41f\
    e10172a7612b5d07d925bf3c6d4d78ce140f4485d8fd368946aafd5d7f015ae0cfeea2e060feceda3fdd8601632b989b\
    8e8ea9e351aa5baa5c866bc50e21be3e64ca42f238f7e464";
