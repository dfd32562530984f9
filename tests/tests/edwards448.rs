//! The curves of 448 bits, Ed448 and X448, and EdDSA's contexts on both Edwards curves. PKCS #11 3.2, section 6.3;
//! RFC 8032 and RFC 7748 for known answers; OpenSSL's command line where it is asked.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use hsm_tests::keys::{self, ED448, ED25519, X448, X25519, edwards, hex, known, montgomery};
use hsm_tests::openssl::{OpenSsl, point};
use hsm_tests::operations::{SIGN, VERIFY};
use hsm_tests::prelude::*;
use hsm_tests::template::Template;

const MESSAGE: &[u8] = b"a message, signed in one part or in several";
const PARTS: &[&[u8]] = &[b"a message, ", b"", b"signed in one part", b" or in several"];

/// RFC 8032, section 7.4: the key of "1 octet", and its signatures without and with context "foo".
const ONE_OCTET: &str = "c4eab05d357007c632f3dbb48489924d552b08fe0c353a0d4a1f00acda2c463a\
    fbea67c5e8d2877c5e3bc397a659949ef8021e954e0a12274e";
const WITHOUT: &str = "26b8f91727bd62897af15e41eb43c377efb9c610d48f2335cb0bd0087810f4352541b143c4b981b7e1\
    8f62de8ccdf633fc1bf037ab7cd779805e0dbcc0aae1cbcee1afb2e027df36bc04dcecbf154336c19f0af7e0a6472905e799f1953d\
    2a0ff3348ab21aa4adafd1d234441cf807c03a00";
const WITH_FOO: &str = "d4f8f6131770dd46f40867d6fd5d5055de43541f8c5e35abbcd001b32a89f7d2151f7647f11d8ca2ae\
    279fb842d607217fce6e042f6815ea000c85741de5c8da1144a6a1aba7f96de42505d7a7298524fda538fccbbb754f578c1cad10d5\
    4d0d5428407e85dcbc98a49155c13764e66c3c00";

/// Section 7.5: the key of "abc", and its signature by Ed448ph with context "foo".
const ABC: &str = "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42\
    ef7822e0d5104127dc05d6dbefde69e3ab2cec7c867c6e2c49";
const PREHASHED: &str = "c32299d46ec8ff02b54540982814dce9a05812f81962b649d528095916a2aa481065b1580423ef927e\
    cf0af5888f90da0f6a9a85ad5dc3f280d91224ba9911a3653d00e484e2ce232521481c8658df304bb7745a73514cdb9bf3e15784ab\
    71284f8d0704a608c54a6b62d97beb511d132100";

fn secret(length: CK_ULONG) -> Template {
    attrs![
        CKA_CLASS => CKO_SECRET_KEY,
        CKA_KEY_TYPE => CKK_GENERIC_SECRET,
        CKA_VALUE_LEN => length,
        CKA_SENSITIVE => false,
        CKA_EXTRACTABLE => true,
    ]
}

fn agreed(
    session: &Session<'_>,
    mechanism: CK_MECHANISM_TYPE,
    private: Object,
    public: &[u8],
) -> Result<Vec<u8>, Rv> {
    let mut mech = Mech::ecdh(CKD_NULL, b"", public);
    mech.kind = mechanism;
    session.derive(&mech, private, &secret(56)).map(|key| session.get(key, CKA_VALUE).unwrap())
}

isolated! {
    fn ed448_signs_and_openssl_agrees(kit) {
        let session = kit.user();
        let pair = edwards(&session, ED448);
        let openssl = OpenSsl::with_key(&kit.directory, &session, pair.public);
        assert_eq!(point(&session, pair.public).len(), 57);
        for message in [MESSAGE, &[7; 10_000]] {
            let signature = session.sign(&Mech::plain(CKM_EDDSA), pair.private, message).unwrap();
            assert_eq!(signature.len(), 114);
            assert!(openssl.verifies_raw(message, &signature), "{}", message.len());
            // Section 6.3.14 wants a parameter; without one there is no context.
            let mech = Mech::eddsa(false, b"");
            assert_eq!(session.verify(&mech, pair.public, message, &signature), Ok(()));
            assert_eq!(session.sign(&mech, pair.private, message).unwrap(), signature, "deterministic");
        }
        let signature = session.sign_parts(&Mech::plain(CKM_EDDSA), pair.private, PARTS).unwrap();
        assert!(openssl.verifies_raw(MESSAGE, &signature));
        assert_eq!(session.verify_parts(&Mech::plain(CKM_EDDSA), pair.public, PARTS, &signature), Ok(()));
    }

    fn keys_of_448_bits_by_curve_name(kit) {
        let session = kit.user();
        for (mechanism, name, key_type) in [
            (CKM_EC_EDWARDS_KEY_PAIR_GEN, "edwards448", CKK_EC_EDWARDS),
            (CKM_EC_MONTGOMERY_KEY_PAIR_GEN, "curve448", CKK_EC_MONTGOMERY),
        ] {
            let params = [&[0x13, u8::try_from(name.len()).unwrap()], name.as_bytes()].concat();
            let template = attrs![CKA_EC_PARAMS => params.clone()];
            let (public, private) = session.generate_pair(&Mech::plain(mechanism), &template, &attrs![]).unwrap();
            for key in [public, private] {
                assert_eq!(session.number(key, CKA_KEY_TYPE), Ok(key_type), "{name}");
                assert_eq!(session.get(key, CKA_EC_PARAMS).unwrap(), params);
            }
        }
    }

    fn known_signatures_on_edwards_curves(kit) {
        let session = kit.user();
        let one = known(&session, CKK_EC_EDWARDS, ED448, ONE_OCTET);
        let abc = known(&session, CKK_EC_EDWARDS, ED448, ABC);
        let ctx = "0305334e381af78f141cb666f6199f57bc3495335a256a95bd2a55bf546663f6";
        let ctx = known(&session, CKK_EC_EDWARDS, ED25519, ctx);
        let of_ctx = "55a4cc2f70a54e04288c5f4cd1e45a7bb520b36292911876cada7323198dd87a\
                      8b36950b95130022907a7fb7c4e9b2d5f6cca685a587b4b21f4b888e4e7edb0d";
        let message = hex("f726936d19c800494e3fdaff20b276a8");
        for (mech, key, message, expected) in [
            (Mech::plain(CKM_EDDSA), one, &[3][..], WITHOUT),
            (Mech::eddsa(false, b""), one, &[3], WITHOUT),
            (Mech::eddsa(false, b"foo"), one, &[3], WITH_FOO),
            (Mech::eddsa(true, b"foo"), abc, b"abc", PREHASHED),
            // Section 7.2.
            (Mech::eddsa(false, b"foo"), ctx, &message, of_ctx),
        ] {
            assert_eq!(session.sign(&mech, key, message).unwrap(), hex(expected), "{mech:?}");
        }
    }

    fn a_signature_has_its_scheme_and_its_context(kit) {
        let session = kit.user();
        for curve in [ED25519, ED448] {
            let pair = edwards(&session, curve);
            let schemes = [
                Mech::eddsa(false, b""),
                Mech::eddsa(false, b"context"),
                Mech::eddsa(false, b"contexts"),
                Mech::eddsa(false, &[7; 255]),
                Mech::eddsa(true, b""),
                Mech::eddsa(true, b"context"),
            ];
            for (place, mech) in schemes.iter().enumerate() {
                let signature = session.sign_parts(mech, pair.private, PARTS).unwrap();
                assert_eq!(signature.len(), 2 * curve.length);
                for (other, by) in schemes.iter().enumerate() {
                    let verdict = session.verify(by, pair.public, MESSAGE, &signature);
                    let expected = if place == other { Ok(()) } else { Err(Rv(CKR_SIGNATURE_INVALID)) };
                    assert_eq!(verdict, expected, "{} {mech:?} {by:?}", curve.name);
                }
                let verify = |signature: &[u8]| session.verify(mech, pair.public, MESSAGE, signature);
                refused!(CKR_SIGNATURE_LEN_RANGE, verify(&signature[1..]));
                for at in [0, curve.length - 1, curve.length, 2 * curve.length - 1] {
                    let mut changed = signature.clone();
                    changed[at] ^= 1;
                    refused!(CKR_SIGNATURE_INVALID, verify(&changed), "{} byte {at}", curve.name);
                }
            }
        }
    }

    fn a_context_longer_than_255_bytes_is_refused(kit) {
        let session = kit.user();
        for pair in [edwards(&session, ED25519), edwards(&session, ED448)] {
            for mech in [Mech::eddsa(false, &[7; 256]), Mech::eddsa(true, &[7; 256])] {
                refused!(CKR_MECHANISM_PARAM_INVALID, session.init(SIGN, &mech, pair.private));
                refused!(CKR_MECHANISM_PARAM_INVALID, session.init(VERIFY, &mech, pair.public));
            }
        }
    }

    fn keys_of_other_types_do_not_sign_by_eddsa(kit) {
        let session = kit.user();
        for pair in [keys::ec(&session, keys::P256), montgomery(&session, X448), keys::rsa(&session)] {
            for mech in [Mech::plain(CKM_EDDSA), Mech::eddsa(false, b"foo"), Mech::eddsa(true, b"")] {
                refused!(
                    CKR_KEY_TYPE_INCONSISTENT | CKR_KEY_FUNCTION_NOT_PERMITTED,
                    session.init(SIGN, &mech, pair.private)
                );
            }
        }
        let pair = edwards(&session, ED448);
        refused!(
            CKR_KEY_TYPE_INCONSISTENT | CKR_KEY_FUNCTION_NOT_PERMITTED,
            agreed(&session, CKM_ECDH1_DERIVE, pair.private, &[5; 56])
        );
    }

    fn both_sides_agree_on_x448(kit) {
        let session = kit.user();
        let (one, two) = (montgomery(&session, X448), montgomery(&session, X448));
        let (of_one, of_two) = (point(&session, one.public), point(&session, two.public));
        assert_eq!(of_one.len(), 56);
        for mechanism in [CKM_ECDH1_DERIVE, CKM_ECDH1_COFACTOR_DERIVE] {
            let first = agreed(&session, mechanism, one.private, &of_two).unwrap();
            assert_eq!(agreed(&session, mechanism, two.private, &of_one).unwrap(), first);
        }
    }

    fn a_known_answer_on_x448(kit) {
        let session = kit.user();
        let alice = "9a8f4925d1519f5775cf46b04b5800d4ee9ee8bae8bc5565d498c28dd9c9baf574a9419744897391006382a6\
                     f127ab1d9ac2d8c0a598726b";
        let bob = "3eb7a829b0cd20f5bcfc0b599b6feccf6da4627107bdb0d4f345b43027d8b972fc3e34fb4232a13ca706dcb57a\
                   ec3dae07bdc1c67bf33609";
        let shared = "07fff4181ac6cc95ec1c16a94a0f74d12da232ce40a77552281d282bb60c0b56fd2464c335543936521c244\
                      03085d59a449a5037514a879d";
        let key = known(&session, CKK_EC_MONTGOMERY, X448, alice);
        let answer = agreed(&session, CKM_ECDH1_DERIVE, key, &hex(bob));
        assert_eq!(answer, Ok(hex(shared)), "RFC 7748, section 6.2");
    }

    fn points_of_low_order_and_of_other_lengths_are_refused_on_x448(kit) {
        let session = kit.user();
        let pair = montgomery(&session, X448);
        let [zero, mut one, mut minus_one] = [[0; 56], [0; 56], [0xff; 56]];
        one[0] = 1;
        minus_one[0] = 0xfe;
        minus_one[28] = 0xfe;
        let other = point(&session, montgomery(&session, X25519).public);
        for public in [&zero[..], &one, &minus_one, &[5; 55], &[5; 57], &other, &[]] {
            let answer = agreed(&session, CKM_ECDH1_DERIVE, pair.private, public);
            refused!(CKR_MECHANISM_PARAM_INVALID | CKR_PUBLIC_KEY_INVALID | CKR_ARGUMENTS_BAD, answer, "{public:02x?}");
        }
    }

    fn private_values_and_points_of_another_length_are_refused(kit) {
        let session = kit.user();
        for (key_type, curve) in [(CKK_EC_EDWARDS, ED448), (CKK_EC_MONTGOMERY, X448)] {
            for length in [0, 32, curve.length - 1, curve.length + 1] {
                let template = |class, kind| {
                    attrs![CKA_CLASS => class, CKA_KEY_TYPE => key_type, CKA_EC_PARAMS => curve.params]
                        .and(attrs![kind => vec![9; length]])
                };
                let private = session.create(&template(CKO_PRIVATE_KEY, CKA_VALUE));
                refused!(CKR_ATTRIBUTE_VALUE_INVALID | CKR_TEMPLATE_INCOMPLETE, private, "{length}");
                let public = session.create(&template(CKO_PUBLIC_KEY, CKA_EC_POINT));
                refused!(CKR_ATTRIBUTE_VALUE_INVALID | CKR_TEMPLATE_INCOMPLETE, public, "{length}");
            }
        }
    }

    fn a_generator_makes_keys_of_its_own_curves(kit) {
        let session = kit.user();
        let curves = [
            (CKM_EC_KEY_PAIR_GEN, keys::P256),
            (CKM_EC_EDWARDS_KEY_PAIR_GEN, ED448),
            (CKM_EC_MONTGOMERY_KEY_PAIR_GEN, X448),
        ];
        for (mechanism, own) in curves {
            for (_, curve) in curves.iter().filter(|(_, curve)| curve.name != own.name) {
                let template = attrs![CKA_EC_PARAMS => curve.params];
                let answer = session.generate_pair(&Mech::plain(mechanism), &template, &attrs![]);
                refused!(CKR_CURVE_NOT_SUPPORTED, answer, "{} by {mechanism:#x}", curve.name);
            }
        }
    }

    fn keys_of_448_bits_are_wrapped_as_private_key_info(kit) {
        let session = kit.user();
        let wrapping = keys::generate_aes(&session, attrs![]);
        let mech = Mech::bytes(CKM_AES_CBC_PAD, &[9; 16]);
        for (generator, curve, key_type) in [
            (CKM_EC_EDWARDS_KEY_PAIR_GEN, ED448, CKK_EC_EDWARDS),
            (CKM_EC_MONTGOMERY_KEY_PAIR_GEN, X448, CKK_EC_MONTGOMERY),
        ] {
            let public = attrs![CKA_EC_PARAMS => curve.params];
            let pair = session.generate_pair(&Mech::plain(generator), &public, &attrs![CKA_EXTRACTABLE => true]);
            let wrapped = session.wrap(&mech, wrapping, pair.unwrap().1).unwrap();
            let der = session.decrypt(&mech, wrapping, &wrapped).unwrap();
            let file = kit.directory.join("key.der");
            std::fs::write(&file, &der).unwrap();
            let check = std::process::Command::new("openssl")
                .args(["pkey", "-inform", "DER", "-noout", "-in"])
                .arg(&file)
                .status();
            assert!(check.unwrap().success(), "openssl pkey: {}", curve.name);
            let template = attrs![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => key_type];
            let back = session.unwrap(&mech, wrapping, &wrapped, &template).unwrap();
            assert_eq!(session.get(back, CKA_EC_PARAMS).unwrap(), curve.params);
            let of = |key| session.get(key, CKA_PUBLIC_KEY_INFO).unwrap();
            assert_eq!(of(back), of(pair.unwrap().0), "{}", curve.name);
            let other = attrs![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => CKK_EC];
            refused!(
                CKR_WRAPPED_KEY_INVALID | CKR_TEMPLATE_INCONSISTENT | CKR_ATTRIBUTE_VALUE_INVALID,
                session.unwrap(&mech, wrapping, &wrapped, &other)
            );
        }
    }

    fn mechanisms_have_the_sizes_of_both_curves(kit) {
        let session = kit.user();
        let slot = session.info().unwrap().slotID;
        for mechanism in [CKM_EDDSA, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKM_EC_MONTGOMERY_KEY_PAIR_GEN] {
            let info = session.module.mechanism_info(slot, mechanism).unwrap();
            assert_eq!({ (info.ulMinKeySize, info.ulMaxKeySize) }, (255, 448), "{mechanism:#x}");
        }
    }
}
