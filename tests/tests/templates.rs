//! Templates that are refused: incomplete, inconsistent, with attributes or values that cannot be.
//! PKCS #11 3.2, section 4.1.1.

use hsm_tests::keys::{self, data_template};
use hsm_tests::prelude::*;
use hsm_tests::template::Template;

fn refuses(session: &Session<'_>, expected: &[CK_RV], cases: &[(&str, Template)]) {
    for (name, template) in cases {
        let got = session.create(template).map(|_| ());
        hsm_tests::rv::assert_refused(got, expected, name);
    }
}

fn aes() -> Template {
    keys::aes_template(&[7; 16])
}

isolated! {
    fn a_refused_template_makes_nothing(kit) {
        let session = kit.user();
        for template in [
            aes().without(CKA_VALUE),
            aes().and(attrs![CKA_LOCAL => true]),
            aes().and(attrs![0x7777_7777 => "x"]),
            data_template("x", b"y").and(attrs![CKA_PRIVATE => ""]),
        ] {
            let on_token = template.and(attrs![CKA_TOKEN => true]);
            assert!(session.create(&template).is_err(), "{template:?}");
            assert!(session.create(&on_token).is_err(), "{on_token:?}");
            assert_eq!(session.find(&attrs![]), Ok(vec![]), "{template:?}");
        }
    }

    fn an_object_needs_what_makes_it_one(kit) {
        let session = kit.user();
        let certificate = attrs![CKA_CLASS => CKO_CERTIFICATE, CKA_CERTIFICATE_TYPE => CKC_X_509];
        let ec_public = attrs![CKA_CLASS => CKO_PUBLIC_KEY, CKA_KEY_TYPE => CKK_EC];
        refuses(
            &session,
            &[CKR_TEMPLATE_INCOMPLETE],
            &[
                ("no class", attrs![CKA_LABEL => "label"]),
                ("nothing", attrs![]),
                ("a secret key without type", aes().without(CKA_KEY_TYPE)),
                ("a secret key without value", aes().without(CKA_VALUE)),
                ("an RSA public key without modulus", keys::rsa_public().without(CKA_MODULUS)),
                ("an RSA public key without exponent", keys::rsa_public().without(CKA_PUBLIC_EXPONENT)),
                ("an RSA private key without modulus", keys::rsa_private().without(CKA_MODULUS)),
                ("an RSA private key without exponent", keys::rsa_private().without(CKA_PRIVATE_EXPONENT)),
                ("an EC public key without point", ec_public.and(attrs![CKA_EC_PARAMS => keys::P256.params])),
                ("a certificate without value", certificate.and(attrs![CKA_SUBJECT => "subject"])),
                ("a certificate without subject", certificate.and(attrs![CKA_VALUE => "value"])),
            ],
        );
    }

    fn a_class_or_type_that_does_not_exist_is_refused(kit) {
        let session = kit.user();
        let expected = &[CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCONSISTENT];
        refuses(
            &session,
            expected,
            &[
                ("class", attrs![CKA_CLASS => 77 as CK_ULONG]),
                ("key type", aes().and(attrs![CKA_KEY_TYPE => 0x7777 as CK_ULONG])),
                ("class and key type", aes().and(attrs![CKA_KEY_TYPE => CKK_RSA])),
            ],
        );
    }

    fn an_attribute_of_another_class_is_refused(kit) {
        let session = kit.user();
        let expected = &[CKR_ATTRIBUTE_TYPE_INVALID, CKR_TEMPLATE_INCONSISTENT];
        refuses(
            &session,
            expected,
            &[
                ("a modulus on data", data_template("x", b"y").and(attrs![CKA_MODULUS => "modulus"])),
                ("an application on a key", aes().and(attrs![CKA_APPLICATION => "application"])),
                ("decryption by a public key", keys::rsa_public().and(attrs![CKA_DECRYPT => true])),
                ("verification by a private key", keys::rsa_private().and(attrs![CKA_VERIFY => true])),
            ],
        );
    }

    fn an_attribute_that_does_not_exist_is_refused(kit) {
        let session = kit.user();
        refuses(
            &session,
            &[CKR_ATTRIBUTE_TYPE_INVALID],
            &[
                ("on data", data_template("x", b"y").and(attrs![0x7777_7777 => "x"])),
                ("on a key", aes().and(attrs![CKA_VENDOR_DEFINED | 0x77 => "x"])),
            ],
        );
    }

    fn an_attribute_that_the_module_computes_is_refused(kit) {
        let session = kit.user();
        refuses(
            &session,
            &[CKR_ATTRIBUTE_READ_ONLY, CKR_TEMPLATE_INCONSISTENT],
            &[
                ("local", aes().and(attrs![CKA_LOCAL => true])),
                ("always sensitive", aes().and(attrs![CKA_ALWAYS_SENSITIVE => true])),
                ("never extractable", aes().and(attrs![CKA_NEVER_EXTRACTABLE => true])),
                ("generation mechanism", aes().and(attrs![CKA_KEY_GEN_MECHANISM => CKM_AES_KEY_GEN])),
                ("modulus bits", keys::rsa_public().and(attrs![CKA_MODULUS_BITS => 2048 as CK_ULONG])),
            ],
        );
    }

    fn trust_is_for_the_so_to_give(kit) {
        let token = kit.token();
        let user = token.user();
        refuses(&user, &[CKR_ATTRIBUTE_READ_ONLY], &[("trusted", aes().and(attrs![CKA_TRUSTED => true]))]);
    }

    fn a_value_of_the_wrong_length_is_refused(kit) {
        let session = kit.user();
        let data = data_template("x", b"y");
        refuses(
            &session,
            &[CKR_ATTRIBUTE_VALUE_INVALID],
            &[
                ("an empty flag", data.and(attrs![CKA_PRIVATE => ""])),
                ("a flag of two bytes", data.and(attrs![CKA_PRIVATE => [1u8, 1]])),
                ("a date of three bytes", aes().and(attrs![CKA_START_DATE => "202"])),
                ("a list that ends in the middle", aes().and(attrs![CKA_ALLOWED_MECHANISMS => [0u8; 9]])),
            ],
        );
        refuses(
            &session,
            &[CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCOMPLETE],
            &[
                ("a class of three bytes", attrs![CKA_CLASS => [0u8; 3]]),
                ("a class of nine bytes", attrs![CKA_CLASS => [0u8; 9]]),
            ],
        );
    }

    fn an_aes_key_of_an_impossible_length_is_refused(kit) {
        let session = kit.user();
        let expected = &[CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCONSISTENT, CKR_KEY_SIZE_RANGE];
        let cases = [0, 1, 15, 17, 33].map(|length| ("an AES key", keys::aes_template(&vec![7; length])));
        refuses(&session, expected, &cases);
    }

    fn a_generated_key_of_an_impossible_length_is_refused(kit) {
        let session = kit.user();
        let mech = Mech::plain(CKM_AES_KEY_GEN);
        for length in [0, 1, 15, 17, 33, 1 << 20, CK_ULONG::MAX] {
            let answer = session.generate(&mech, &attrs![CKA_VALUE_LEN => length]);
            refused!(
                CKR_ATTRIBUTE_VALUE_INVALID
                    | CKR_TEMPLATE_INCONSISTENT
                    | CKR_KEY_SIZE_RANGE
                    | CKR_TEMPLATE_INCOMPLETE,
                answer,
                "{length}"
            );
        }
        refused!(CKR_TEMPLATE_INCOMPLETE, session.generate(&mech, &attrs![]));
    }

    fn a_generated_key_cannot_be_given_its_value(kit) {
        let session = kit.user();
        let template = attrs![CKA_VALUE_LEN => 16 as CK_ULONG, CKA_VALUE => [7u8; 16]];
        let answer = session.generate(&Mech::plain(CKM_AES_KEY_GEN), &template);
        refused!(CKR_ATTRIBUTE_READ_ONLY | CKR_TEMPLATE_INCONSISTENT | CKR_ATTRIBUTE_TYPE_INVALID, answer);
    }

    fn a_generated_key_cannot_be_of_another_class_or_type(kit) {
        let session = kit.user();
        for wrong in [attrs![CKA_CLASS => CKO_PUBLIC_KEY], attrs![CKA_KEY_TYPE => CKK_RSA]] {
            let template = attrs![CKA_VALUE_LEN => 16 as CK_ULONG].and(wrong);
            let answer = session.generate(&Mech::plain(CKM_AES_KEY_GEN), &template);
            refused!(CKR_TEMPLATE_INCONSISTENT | CKR_ATTRIBUTE_VALUE_INVALID, answer);
        }
    }

    fn a_key_pair_needs_its_size_or_curve(kit) {
        let session = kit.user();
        for kind in [CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_EC_KEY_PAIR_GEN] {
            let answer = session.generate_pair(&Mech::plain(kind), &attrs![], &attrs![]);
            refused!(CKR_TEMPLATE_INCOMPLETE, answer, "{kind:#x}");
        }
    }

    fn an_rsa_key_of_an_impossible_size_is_refused(kit) {
        let session = kit.user();
        for bits in [0, 1, 100, 1 << 20, CK_ULONG::MAX] {
            let public = attrs![CKA_MODULUS_BITS => bits];
            let answer = session.generate_pair(&Mech::plain(CKM_RSA_PKCS_KEY_PAIR_GEN), &public, &attrs![]);
            refused!(
                CKR_ATTRIBUTE_VALUE_INVALID
                    | CKR_TEMPLATE_INCONSISTENT
                    | CKR_KEY_SIZE_RANGE
                    | CKR_TEMPLATE_INCOMPLETE,
                answer,
                "{bits} bits"
            );
        }
    }

    fn an_rsa_key_with_an_even_exponent_is_refused(kit) {
        let session = kit.user();
        for exponent in [[0u8].as_slice(), &[1], &[4], &[1, 0, 0]] {
            let public = attrs![CKA_MODULUS_BITS => 2048 as CK_ULONG, CKA_PUBLIC_EXPONENT => exponent];
            let answer = session.generate_pair(&Mech::plain(CKM_RSA_PKCS_KEY_PAIR_GEN), &public, &attrs![]);
            refused!(CKR_ATTRIBUTE_VALUE_INVALID | CKR_TEMPLATE_INCONSISTENT, answer, "{exponent:?}");
        }
    }

    fn a_curve_that_does_not_exist_is_refused(kit) {
        let session = kit.user();
        let unknown = [0x06u8, 0x03, 0x2a, 0x03, 0x04];
        for params in [unknown.as_slice(), &[], &[0x06], &[0x06, 0x7f, 0x2a], &[0x05, 0x00], b"junk"] {
            let public = attrs![CKA_EC_PARAMS => params];
            let answer = session.generate_pair(&Mech::plain(CKM_EC_KEY_PAIR_GEN), &public, &attrs![]);
            refused!(
                CKR_DOMAIN_PARAMS_INVALID
                    | CKR_ATTRIBUTE_VALUE_INVALID
                    | CKR_CURVE_NOT_SUPPORTED
                    | CKR_TEMPLATE_INCONSISTENT,
                answer,
                "{params:02x?}"
            );
        }
    }

    fn one_refused_template_of_a_pair_makes_no_key(kit) {
        let session = kit.user();
        let public = attrs![CKA_EC_PARAMS => keys::P256.params];
        let mech = Mech::plain(CKM_EC_KEY_PAIR_GEN);
        let wrong = attrs![CKA_MODULUS => "modulus"];
        refused!(
            CKR_ATTRIBUTE_TYPE_INVALID | CKR_TEMPLATE_INCONSISTENT,
            session.generate_pair(&mech, &public, &wrong)
        );
        assert_eq!(session.find(&attrs![]), Ok(vec![]));
    }

    fn an_ec_point_that_is_not_on_its_curve_is_refused_when_used_or_made(kit) {
        let session = kit.user();
        let mut point = vec![0x04, 0x41, 0x04];
        point.extend([7; 64]);
        let template = attrs![
            CKA_CLASS => CKO_PUBLIC_KEY,
            CKA_KEY_TYPE => CKK_EC,
            CKA_EC_PARAMS => keys::P256.params,
            CKA_EC_POINT => point,
        ];
        let verify = |key| session.verify(&Mech::plain(CKM_ECDSA), key, &[7; 32], &[7; 64]);
        assert!(session.create(&template).and_then(verify).is_err());
    }
}
