//! C_GenerateKey and C_GenerateKeyPair. PKCS #11 3.2, sections 5.18.1 and 5.18.2.

use hsm_tests::keys::{self, CURVES};
use hsm_tests::prelude::*;

fn rsa() -> Mech {
    Mech::plain(CKM_RSA_PKCS_KEY_PAIR_GEN)
}

fn exportable() -> hsm_tests::template::Template {
    attrs![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true]
}

fn bits(bits: CK_ULONG) -> hsm_tests::template::Template {
    attrs![CKA_MODULUS_BITS => bits]
}

isolated! {
    fn aes_keys_of_every_length(kit) {
        let session = kit.user();
        for length in [16, 24, 32] {
            let template = attrs![CKA_VALUE_LEN => length as CK_ULONG].and(exportable());
            let key = session.generate(&Mech::plain(CKM_AES_KEY_GEN), &template).unwrap();
            assert_eq!(session.get(key, CKA_VALUE).unwrap().len(), length);
            assert_eq!(session.number(key, CKA_KEY_TYPE), Ok(CKK_AES));
            assert_eq!(session.number(key, CKA_CLASS), Ok(CKO_SECRET_KEY));
            let encrypted = session.encrypt(&Mech::plain(CKM_AES_ECB), key, &[7; 16]).unwrap();
            assert_eq!(session.decrypt(&Mech::plain(CKM_AES_ECB), key, &encrypted).unwrap(), [7; 16]);
        }
    }

    fn generic_secrets_of_many_lengths(kit) {
        let session = kit.user();
        for length in [1, 16, 33, 64, 500] {
            let template = attrs![CKA_VALUE_LEN => length as CK_ULONG].and(exportable());
            let key = session.generate(&Mech::plain(CKM_GENERIC_SECRET_KEY_GEN), &template).unwrap();
            assert_eq!(session.get(key, CKA_VALUE).unwrap().len(), length);
            assert_eq!(session.number(key, CKA_KEY_TYPE), Ok(CKK_GENERIC_SECRET));
        }
    }

    fn two_keys_differ(kit) {
        let session = kit.user();
        let value = || session.get(keys::generate_aes(&session, exportable()), CKA_VALUE).unwrap();
        assert_ne!(value(), value());
    }

    fn rsa_key_pairs_of_2048_bits(kit) {
        let session = kit.user();
        let (public, private) = session.generate_pair(&rsa(), &bits(2048), &attrs![]).unwrap();
        let modulus = session.get(public, CKA_MODULUS).unwrap();
        assert_eq!((modulus.len(), modulus[0] >> 7), (256, 1));
        assert_eq!(session.get(private, CKA_MODULUS).unwrap(), modulus);
        assert_eq!(session.number(public, CKA_MODULUS_BITS), Ok(2048));
        let mech = Mech::plain(CKM_SHA256_RSA_PKCS);
        let signature = session.sign(&mech, private, b"data").unwrap();
        assert_eq!(session.verify(&mech, public, b"data", &signature), Ok(()));
    }

    fn rsa_key_pairs_of_3072_bits(kit) {
        let session = kit.user();
        let (public, private) = session.generate_pair(&rsa(), &bits(3072), &attrs![]).unwrap();
        let signature = session.sign(&Mech::plain(CKM_SHA256_RSA_PKCS), private, b"data").unwrap();
        assert_eq!(signature.len(), 384);
        assert_eq!(session.get(public, CKA_MODULUS).unwrap().len(), 384);
    }

    fn rsa_key_pairs_with_exponent_3(kit) {
        let session = kit.user();
        for exponent in [&[3][..], &[1, 0, 1], &[0, 1, 0, 1]] {
            let public = bits(2048).and(attrs![CKA_PUBLIC_EXPONENT => exponent]);
            let (public, _) = session.generate_pair(&rsa(), &public, &attrs![]).unwrap();
            let got = session.get(public, CKA_PUBLIC_EXPONENT).unwrap();
            let significant = exponent.iter().position(|byte| *byte != 0).unwrap();
            let first = got.iter().position(|byte| *byte != 0).unwrap();
            assert_eq!(got[first..], exponent[significant..]);
        }
    }

    fn an_exported_rsa_key_is_whole(kit) {
        let session = kit.user();
        let (_, private) = session.generate_pair(&rsa(), &bits(2048), &exportable()).unwrap();
        for kind in
            [CKA_PRIVATE_EXPONENT, CKA_PRIME_1, CKA_PRIME_2, CKA_EXPONENT_1, CKA_EXPONENT_2, CKA_COEFFICIENT]
        {
            assert!(session.get(private, kind).unwrap().len() > 100, "{kind:#x}");
        }
    }

    fn ec_key_pairs_on_every_curve(kit) {
        let session = kit.user();
        for curve in CURVES {
            let pair = keys::ec(&session, curve);
            let mech = Mech::plain(CKM_ECDSA);
            let signature = session.sign(&mech, pair.private, &[7; 20]).unwrap();
            assert_eq!(session.verify(&mech, pair.public, &[7; 20], &signature), Ok(()), "{}", curve.name);
            assert_eq!(session.number(pair.private, CKA_KEY_TYPE), Ok(CKK_EC));
        }
    }

    fn ed25519_key_pairs(kit) {
        let session = kit.user();
        let pair = keys::ed25519(&session);
        let signature = session.sign(&Mech::plain(CKM_EDDSA), pair.private, b"data").unwrap();
        assert_eq!(session.verify(&Mech::plain(CKM_EDDSA), pair.public, b"data", &signature), Ok(()));
        assert_eq!(session.number(pair.private, CKA_KEY_TYPE), Ok(CKK_EC_EDWARDS));
        assert_eq!(hsm_tests::openssl::point(&session, pair.public).len(), 32);
    }

    fn ed25519_key_pairs_by_curve_name(kit) {
        let session = kit.user();
        let name = [&[0x13, 12][..], b"edwards25519"].concat();
        let mech = Mech::plain(CKM_EC_EDWARDS_KEY_PAIR_GEN);
        let (public, private) =
            session.generate_pair(&mech, &attrs![CKA_EC_PARAMS => name], &attrs![]).unwrap();
        let signature = session.sign(&Mech::plain(CKM_EDDSA), private, b"data").unwrap();
        assert_eq!(session.verify(&Mech::plain(CKM_EDDSA), public, b"data", &signature), Ok(()));
    }

    fn x25519_key_pairs(kit) {
        let session = kit.user();
        let pair = keys::x25519(&session);
        assert_eq!(session.number(pair.private, CKA_KEY_TYPE), Ok(CKK_EC_MONTGOMERY));
        assert_eq!(hsm_tests::openssl::point(&session, pair.public).len(), 32);
    }

    fn a_generated_key_has_what_its_template_says(kit) {
        let session = kit.user();
        let more = attrs![CKA_LABEL => "label", CKA_ID => [1u8, 2, 3], CKA_SIGN => false, CKA_DERIVE => true];
        let key = keys::generate_aes(&session, more);
        assert_eq!(session.get(key, CKA_LABEL).unwrap(), b"label");
        assert_eq!(session.get(key, CKA_ID).unwrap(), [1, 2, 3]);
        assert_eq!(session.flag(key, CKA_SIGN), Ok(false));
        assert_eq!(session.flag(key, CKA_DERIVE), Ok(true));
    }

    fn both_keys_of_a_pair_have_what_their_templates_say(kit) {
        let session = kit.user();
        let public = attrs![CKA_EC_PARAMS => keys::P256.params, CKA_LABEL => "public", CKA_TOKEN => true];
        let private = attrs![CKA_LABEL => "private", CKA_TOKEN => true, CKA_SENSITIVE => true];
        let mech = Mech::plain(CKM_EC_KEY_PAIR_GEN);
        let (public, private) = session.generate_pair(&mech, &public, &private).unwrap();
        assert_eq!(session.get(public, CKA_LABEL).unwrap(), b"public");
        assert_eq!(session.get(private, CKA_LABEL).unwrap(), b"private");
        assert_eq!(session.flag(private, CKA_ALWAYS_SENSITIVE), Ok(true));
        assert_eq!(session.flag(private, CKA_PRIVATE), Ok(true));
        assert_eq!(session.flag(public, CKA_PRIVATE), Ok(false));
    }

    fn a_token_key_works_after_a_restart(kit) {
        let session = kit.user();
        let more = attrs![CKA_TOKEN => true, CKA_ID => "kept"];
        let ec = keys::ec_with(&session, keys::P256, more.clone());
        let aes = keys::generate_aes(&session, more);
        let mech = Mech::plain(CKM_ECDSA);
        let signature = session.sign(&mech, ec.private, &[7; 32]).unwrap();
        let encrypted = session.encrypt(&Mech::plain(CKM_AES_ECB), aes, &[7; 16]).unwrap();
        kit.module.finalize().unwrap();
        let session = Token::find(kit.initialised()).user();
        let find = |class| session.find(&attrs![CKA_ID => "kept", CKA_CLASS => class]).unwrap()[0];
        assert_eq!(session.verify(&mech, find(CKO_PUBLIC_KEY), &[7; 32], &signature), Ok(()));
        let again = session.sign(&mech, find(CKO_PRIVATE_KEY), &[8; 32]).unwrap();
        assert_eq!(session.verify(&mech, find(CKO_PUBLIC_KEY), &[8; 32], &again), Ok(()));
        let decrypted = session.decrypt(&Mech::plain(CKM_AES_ECB), find(CKO_SECRET_KEY), &encrypted).unwrap();
        assert_eq!(decrypted, [7; 16]);
    }

    fn a_mechanism_with_a_parameter_that_does_not_belong_makes_no_key(kit) {
        let session = kit.user();
        let template = attrs![CKA_VALUE_LEN => 16 as CK_ULONG];
        let answer = session.generate(&Mech::bytes(CKM_AES_KEY_GEN, b"parameter"), &template);
        if answer.is_err() {
            refused!(CKR_MECHANISM_PARAM_INVALID, answer);
        }
    }
}
