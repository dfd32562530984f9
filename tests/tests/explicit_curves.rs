//! CKA_EC_PARAMS that spell a curve out, as OpenSSL's command line writes them. PKCS #11 3.2, section 6.3; X9.62.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::path::Path;
use std::process::Command;

use hsm_tests::keys::{self, CURVES, ec};
use hsm_tests::openssl::{OpenSsl, der, ecdsa_der, point};
use hsm_tests::prelude::*;

const MESSAGE: &[u8] = b"a message";

/// What a command of OpenSSL writes to `out` in the directory.
fn openssl(directory: &Path, command: &str) -> Vec<u8> {
    let status = Command::new("openssl")
        .args(command.split(' '))
        .args(["-out", "out"])
        .current_dir(directory)
        .status();
    assert!(status.unwrap().success(), "openssl {command}");
    std::fs::read(directory.join("out")).unwrap()
}

/// The domain parameters of a curve.
fn explicit(kit: &Kit, curve: &str, form: &str) -> Vec<u8> {
    let command = format!("ecparam -name {curve} -param_enc explicit -conv_form {form} -outform DER");
    openssl(&kit.directory, &command)
}

fn generate(session: &Session<'_>, params: &[u8]) -> Result<(Object, Object), Rv> {
    let public = attrs![CKA_EC_PARAMS => params, CKA_VERIFY => true];
    let private = attrs![CKA_SIGN => true, CKA_DERIVE => true];
    session.generate_pair(&Mech::plain(CKM_EC_KEY_PAIR_GEN), &public, &private)
}

isolated! {
    fn every_curve_is_known_by_its_numbers(kit) {
        let session = kit.user();
        for curve in CURVES {
            for form in ["uncompressed", "compressed"] {
                let params = explicit(kit, curve.name, form);
                let (public, private) = generate(&session, &params).unwrap();
                // What the caller wrote stays as he wrote it; SubjectPublicKeyInfo names the curve (RFC 5480).
                assert_eq!(session.get(public, CKA_EC_PARAMS).unwrap(), params, "{}", curve.name);
                assert_eq!(session.get(private, CKA_EC_PARAMS).unwrap(), params, "{}", curve.name);
                let info = session.get(public, CKA_PUBLIC_KEY_INFO).unwrap();
                assert!(info.windows(curve.params.len()).any(|part| part == curve.params), "{}", curve.name);
                let judge = OpenSsl::with_key(&kit.directory, &session, public);
                let signature = session.sign(&Mech::plain(CKM_ECDSA_SHA256), private, MESSAGE).unwrap();
                assert!(judge.verifies("sha256", &[], MESSAGE, &ecdsa_der(&signature)), "{}", curve.name);
            }
        }
    }

    fn keys_with_either_form_of_parameters_go_together(kit) {
        let session = kit.user();
        let named = ec(&session, keys::P384);
        let (public, private) = generate(&session, &explicit(kit, "P-384", "uncompressed")).unwrap();
        let template = attrs![
            CKA_CLASS => CKO_SECRET_KEY,
            CKA_KEY_TYPE => CKK_GENERIC_SECRET,
            CKA_VALUE_LEN => 48 as CK_ULONG,
            CKA_SENSITIVE => false,
            CKA_EXTRACTABLE => true,
        ];
        let shared = |private, public| {
            let mech = Mech::ecdh(CKD_NULL, b"", &point(&session, public));
            session.get(session.derive(&mech, private, &template).unwrap(), CKA_VALUE).unwrap()
        };
        assert_eq!(shared(named.private, public), shared(private, named.public));
    }

    fn a_public_key_with_explicit_parameters_is_imported_and_verifies(kit) {
        let session = kit.user();
        let pair = ec(&session, keys::P521);
        let params = explicit(kit, "P-521", "uncompressed");
        let template = attrs![
            CKA_CLASS => CKO_PUBLIC_KEY,
            CKA_KEY_TYPE => CKK_EC,
            CKA_EC_PARAMS => params.clone(),
            CKA_EC_POINT => session.get(pair.public, CKA_EC_POINT).unwrap(),
            CKA_VERIFY => true,
        ];
        let public = session.create(&template).unwrap();
        let mech = Mech::plain(CKM_ECDSA_SHA512);
        let signature = session.sign(&mech, pair.private, MESSAGE).unwrap();
        assert_eq!(session.verify(&mech, public, MESSAGE, &signature), Ok(()));
        refused!(CKR_SIGNATURE_INVALID, session.verify(&mech, public, b"other", &signature));
        assert_eq!(session.get(public, CKA_EC_PARAMS).unwrap(), params);
    }

    fn a_wrapped_private_key_with_explicit_parameters_is_unwrapped(kit) {
        let session = kit.user();
        openssl(&kit.directory, "ecparam -name prime256v1 -param_enc explicit -genkey -noout");
        std::fs::rename(kit.directory.join("out"), kit.directory.join("key.pem")).unwrap();
        let info = openssl(&kit.directory, "pkcs8 -topk8 -nocrypt -in key.pem -outform DER");
        assert!(info.len() > 200, "the parameters are spelled out");
        let wrapping = keys::generate_aes(&session, attrs![]);
        let mech = Mech::bytes(CKM_AES_CBC_PAD, &[9; 16]);
        let wrapped = session.encrypt(&mech, wrapping, &info).unwrap();
        let template = attrs![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => CKK_EC, CKA_SIGN => true];
        let key = session.unwrap(&mech, wrapping, &wrapped, &template).unwrap();
        assert_eq!(session.get(key, CKA_EC_PARAMS).unwrap(), keys::P256.params);
        assert_eq!(session.sign(&Mech::plain(CKM_ECDSA), key, &[7; 32]).unwrap().len(), 64);
    }

    fn curves_that_are_not_offered_are_told_from_parameters_that_are_none(kit) {
        let session = kit.user();
        for name in ["secp160r1", "brainpoolP512r1", "sect163k1"] {
            let answer = generate(&session, &explicit(kit, name, "uncompressed"));
            refused!(CKR_CURVE_NOT_SUPPORTED, answer, "{name}");
        }
        let params = explicit(kit, "P-256", "uncompressed");
        let longer = [&params[..], &[0]].concat();
        for wrong in [&params[..params.len() - 1], &longer, &der(0x30, &[]), &der(0x30, &params), &[0x05, 0x00]] {
            refused!(CKR_DOMAIN_PARAMS_INVALID, generate(&session, wrong), "{wrong:02x?}");
        }
        let answer = generate(&session, &[0x06, 0x03, 0x2a, 0x03, 0x04]);
        refused!(CKR_CURVE_NOT_SUPPORTED, answer, "an identifier");
        refused!(CKR_CURVE_NOT_SUPPORTED, generate(&session, b"\x13\x05curve"), "a name");
    }

    fn a_curve_with_one_number_changed_is_another_curve(kit) {
        let session = kit.user();
        let params = explicit(kit, "P-256", "uncompressed");
        let changed = |at: usize| {
            let mut changed = params.clone();
            changed[at] ^= 2;
            generate(&session, &changed)
        };
        for (number, at) in
            [("prime", 40), ("a", 70), ("b", 110), ("x", 175), ("y", 210), ("order", 246), ("cofactor", 249)]
        {
            refused!(CKR_CURVE_NOT_SUPPORTED, changed(at), "{number}");
        }
        assert!(changed(140).is_ok(), "the seed is no number of the curve");
    }

    fn explicit_parameters_are_for_weierstrass_curves_alone(kit) {
        let session = kit.user();
        let template = attrs![CKA_EC_PARAMS => explicit(kit, "P-256", "uncompressed")];
        for mechanism in [CKM_EC_EDWARDS_KEY_PAIR_GEN, CKM_EC_MONTGOMERY_KEY_PAIR_GEN] {
            let answer = session.generate_pair(&Mech::plain(mechanism), &template, &attrs![]);
            refused!(CKR_CURVE_NOT_SUPPORTED, answer);
        }
    }

    fn the_forms_of_parameters_are_in_the_mechanisms_flags(kit) {
        let session = kit.user();
        let slot = session.info().unwrap().slotID;
        let wanted = CKF_EC_F_P | CKF_EC_OID | CKF_EC_ECPARAMETERS | CKF_EC_UNCOMPRESS;
        for mechanism in [CKM_EC_KEY_PAIR_GEN, CKM_ECDSA, CKM_ECDSA_SHA256] {
            let info = session.module.mechanism_info(slot, mechanism).unwrap();
            assert_eq!({ info.flags } & wanted, wanted, "{mechanism:#x}");
        }
    }
}
