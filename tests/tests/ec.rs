//! Elliptic curves: ECDSA on every curve, raw and hashed, and EdDSA. OpenSSL's command line is asked
//! whether what comes out is right. PKCS #11 3.2, section 6.3; FIPS 186-5; RFC 8032.

use hsm_tests::keys::{self, CURVES, Curve, Pair, ec, ed25519, hex};
use hsm_tests::offer::{keyed, offered};
use hsm_tests::openssl::{OpenSsl, ecdsa_der};
use hsm_tests::operations::SIGN;
use hsm_tests::prelude::*;

const MESSAGE: &[u8] = b"a message, signed in one part or in several";
const PARTS: &[&[u8]] = &[b"a message, ", b"", b"signed in one part", b" or in several"];

fn ready(kit: &Kit, curve: Curve) -> (Session<'_>, Pair) {
    let session = kit.user();
    let pair = ec(&session, curve);
    (session, pair)
}

/// Signs a digest on every curve with `check` as the judge.
fn on_every_curve(kit: &Kit, check: impl Fn(&Session<'_>, Curve, Pair)) {
    let session = kit.user();
    for curve in CURVES {
        check(&session, curve, ec(&session, curve));
    }
}

isolated! {
    fn raw_ecdsa_signs_a_digest_on_every_curve(kit) {
        on_every_curve(kit, |session, curve, pair| {
            let openssl = OpenSsl::with_key(&kit.directory, session, pair.public);
            let digest = session.digest(&Mech::plain(CKM_SHA256), MESSAGE).unwrap();
            let mech = Mech::plain(CKM_ECDSA);
            let signature = session.sign(&mech, pair.private, &digest).unwrap();
            assert_eq!(signature.len(), 2 * curve.length, "{}", curve.name);
            assert!(openssl.verifies("sha256", &[], MESSAGE, &ecdsa_der(&signature)), "{}", curve.name);
            assert_eq!(session.verify(&mech, pair.public, &digest, &signature), Ok(()), "{}", curve.name);
        });
    }

    fn raw_ecdsa_refuses_what_is_changed(kit) {
        on_every_curve(kit, |session, curve, pair| {
            let mech = Mech::plain(CKM_ECDSA);
            let signature = session.sign(&mech, pair.private, &[7; 28]).unwrap();
            let verify =
                |digest: &[u8], signature: &[u8]| session.verify(&mech, pair.public, digest, signature);
            refused!(CKR_SIGNATURE_INVALID, verify(&[8; 28], &signature), "{}", curve.name);
            for at in [1, signature.len() - 1] {
                let mut changed = signature.clone();
                changed[at] ^= 1;
                refused!(CKR_SIGNATURE_INVALID, verify(&[7; 28], &changed), "{} byte {at}", curve.name);
            }
            refused!(CKR_SIGNATURE_LEN_RANGE, verify(&[7; 28], &signature[2..]), "{}", curve.name);
            refused!(CKR_SIGNATURE_LEN_RANGE, verify(&[7; 28], b""), "{}", curve.name);
            refused!(CKR_SIGNATURE_INVALID, verify(&[7; 28], &vec![0; signature.len()]), "{}", curve.name);
        });
    }

    fn raw_ecdsa_counts_the_leftmost_bits_of_a_long_digest(kit) {
        let (session, pair) = ready(kit, keys::P256);
        let mech = Mech::plain(CKM_ECDSA);
        let digest = session.digest(&Mech::plain(CKM_SHA512), MESSAGE).unwrap();
        let signature = session.sign(&mech, pair.private, &digest).unwrap();
        assert_eq!(session.verify(&mech, pair.public, &digest[..32], &signature), Ok(()));
        let openssl = OpenSsl::with_key(&kit.directory, &session, pair.public);
        assert!(openssl.verifies("sha512", &[], MESSAGE, &ecdsa_der(&signature)));
    }

    fn raw_ecdsa_is_for_one_part(kit) {
        let (session, pair) = ready(kit, keys::P256);
        session.init(SIGN, &Mech::plain(CKM_ECDSA), pair.private).unwrap();
        refused!(CKR_OPERATION_NOT_INITIALIZED | CKR_FUNCTION_NOT_SUPPORTED, session.update(SIGN, b"data"));
    }

    fn a_signature_does_not_verify_with_another_key(kit) {
        let (session, pair) = ready(kit, keys::P256);
        let other = ec(&session, keys::P256);
        let mech = Mech::plain(CKM_ECDSA);
        let signature = session.sign(&mech, pair.private, &[7; 32]).unwrap();
        refused!(CKR_SIGNATURE_INVALID, session.verify(&mech, other.public, &[7; 32], &signature));
    }

    fn hashed_ecdsa_with_every_hash(kit) {
        let (session, pair) = ready(kit, keys::P256);
        let openssl = OpenSsl::with_key(&kit.directory, &session, pair.public);
        for (hash, keyed) in offered(&session, keyed(), |(_, keyed)| keyed.ecdsa) {
            let mech = Mech::plain(keyed.ecdsa);
            let whole = session.sign(&mech, pair.private, MESSAGE).unwrap();
            let parts = session.sign_parts(&mech, pair.private, PARTS).unwrap();
            for signature in [whole, parts] {
                assert!(openssl.verifies(hash.name, &[], MESSAGE, &ecdsa_der(&signature)), "{}", hash.name);
                assert_eq!(session.verify(&mech, pair.public, MESSAGE, &signature), Ok(()), "{}", hash.name);
                assert_eq!(
                    session.verify_parts(&mech, pair.public, PARTS, &signature),
                    Ok(()),
                    "{}",
                    hash.name
                );
                refused!(CKR_SIGNATURE_INVALID, session.verify(&mech, pair.public, b"other", &signature));
            }
        }
    }

    fn hashed_ecdsa_on_every_curve(kit) {
        on_every_curve(kit, |session, curve, pair| {
            let openssl = OpenSsl::with_key(&kit.directory, session, pair.public);
            for (hash, mech) in [("sha256", CKM_ECDSA_SHA256), ("sha512", CKM_ECDSA_SHA512)] {
                let signature = session.sign_parts(&Mech::plain(mech), pair.private, PARTS).unwrap();
                assert!(
                    openssl.verifies(hash, &[], MESSAGE, &ecdsa_der(&signature)),
                    "{} {hash}",
                    curve.name
                );
            }
        });
    }

    fn a_public_key_has_its_point_as_an_octet_string(kit) {
        on_every_curve(kit, |session, curve, pair| {
            let point = hsm_tests::openssl::point(session, pair.public);
            assert_eq!((point.len(), point[0]), (1 + 2 * curve.length, 4), "{}", curve.name);
            assert_eq!(session.get(pair.public, CKA_EC_PARAMS).unwrap(), curve.params);
        });
    }

    fn an_extractable_private_key_gives_its_scalar(kit) {
        let session = kit.user();
        let more = attrs![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true];
        let mech = Mech::plain(CKM_EC_KEY_PAIR_GEN);
        let public = attrs![CKA_EC_PARAMS => keys::P521.params];
        let (_, private) = session.generate_pair(&mech, &public, &more).unwrap();
        let scalar = session.get(private, CKA_VALUE).unwrap();
        assert!((60..=66).contains(&scalar.len()), "{} bytes", scalar.len());
    }

    fn eddsa_signs_a_message(kit) {
        let session = kit.user();
        let pair = ed25519(&session);
        let openssl = OpenSsl::with_key(&kit.directory, &session, pair.public);
        let mech = Mech::plain(CKM_EDDSA);
        for message in [MESSAGE, b"", &[7; 10_000]] {
            let signature = session.sign(&mech, pair.private, message).unwrap();
            assert_eq!(signature.len(), 64);
            assert!(message.is_empty() || openssl.verifies_raw(message, &signature), "{}", message.len());
            assert_eq!(session.verify(&mech, pair.public, message, &signature), Ok(()));
            assert_eq!(session.sign(&mech, pair.private, message).unwrap(), signature, "deterministic");
        }
    }

    fn eddsa_refuses_what_is_changed(kit) {
        let session = kit.user();
        let pair = ed25519(&session);
        let mech = Mech::plain(CKM_EDDSA);
        let signature = session.sign(&mech, pair.private, MESSAGE).unwrap();
        refused!(CKR_SIGNATURE_INVALID, session.verify(&mech, pair.public, b"other", &signature));
        for at in [0, 31, 32, 62] {
            let mut changed = signature.clone();
            changed[at] ^= 1;
            refused!(
                CKR_SIGNATURE_INVALID,
                session.verify(&mech, pair.public, MESSAGE, &changed),
                "byte {at}"
            );
        }
        refused!(CKR_SIGNATURE_LEN_RANGE, session.verify(&mech, pair.public, MESSAGE, &signature[1..]));
    }

    fn eddsa_of_a_known_key(kit) {
        let session = kit.user();
        let template = attrs![
            CKA_CLASS => CKO_PRIVATE_KEY,
            CKA_KEY_TYPE => CKK_EC_EDWARDS,
            CKA_EC_PARAMS => keys::ED25519.params,
            CKA_SIGN => true,
            CKA_VALUE => hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"),
        ];
        let key = session.create(&template).unwrap();
        let signature = session.sign(&Mech::plain(CKM_EDDSA), key, b"").unwrap();
        let expected = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155\
                        5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";
        assert_eq!(signature, hex(expected), "RFC 8032, section 7.1, test 1");
    }

    fn eddsa_over_a_digest_is_that_of_rfc_8032(kit) {
        let session = kit.user();
        let template = attrs![
            CKA_CLASS => CKO_PRIVATE_KEY,
            CKA_KEY_TYPE => CKK_EC_EDWARDS,
            CKA_EC_PARAMS => keys::ED25519.params,
            CKA_SIGN => true,
            CKA_VALUE => hex("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42"),
        ];
        let key = session.create(&template).unwrap();
        let signature = session.sign(&Mech::eddsa(true, b""), key, b"abc").unwrap();
        let expected = "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41
                        31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406";
        assert_eq!(signature, hex(expected), "RFC 8032, section 7.3");
    }

    fn eddsa_over_a_digest_has_its_context(kit) {
        let session = kit.user();
        let pair = ed25519(&session);
        let mech = Mech::eddsa(true, b"context");
        let signature = session.sign_parts(&mech, pair.private, PARTS).unwrap();
        assert_eq!(session.verify(&mech, pair.public, MESSAGE, &signature), Ok(()));
        for other in [Mech::eddsa(true, b""), Mech::eddsa(true, b"contexts"), Mech::plain(CKM_EDDSA)] {
            refused!(CKR_SIGNATURE_INVALID, session.verify(&other, pair.public, MESSAGE, &signature));
        }
        refused!(CKR_SIGNATURE_LEN_RANGE, session.verify(&mech, pair.public, MESSAGE, &signature[1..]));
        refused!(CKR_MECHANISM_PARAM_INVALID, session.init(SIGN, &Mech::eddsa(true, &[7; 256]), pair.private));
        refused!(CKR_MECHANISM_PARAM_INVALID, session.init(SIGN, &Mech::eddsa(false, &[7; 256]), pair.private));
    }

    fn eddsa_refuses_a_parameter_of_another_size(kit) {
        let session = kit.user();
        let pair = ed25519(&session);
        let answer = session.sign(&Mech::bytes(CKM_EDDSA, &[0; 3]), pair.private, MESSAGE);
        refused!(CKR_MECHANISM_PARAM_INVALID | CKR_ARGUMENTS_BAD, answer);
    }

    fn a_key_of_another_curve_family_is_refused(kit) {
        let session = kit.user();
        let (weierstrass, edwards) = (ec(&session, keys::P256), ed25519(&session));
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.init(SIGN, &Mech::plain(CKM_EDDSA), weierstrass.private));
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.init(SIGN, &Mech::plain(CKM_ECDSA), edwards.private));
    }
}
