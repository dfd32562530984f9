//! C_WrapKey and C_UnwrapKey. PKCS #11 3.2, sections 5.18.3 and 5.18.4; RFC 3394, RFC 5649.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use hsm_tests::keys::{self, aes, generate_aes, hex};
use hsm_tests::kit::PIN;
use hsm_tests::offer::offered;
use hsm_tests::prelude::*;
use hsm_tests::template::Template;

fn kw() -> Mech {
    Mech::plain(CKM_AES_KEY_WRAP)
}

/// RFC 5649 under either of its numbers: the older one is what SoftHSM2 offers.
fn kwp(session: &Session<'_>) -> Mech {
    let numbers = offered(session, [CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PAD], |kind| *kind);
    Mech::plain(numbers[0])
}

fn aes_key() -> Template {
    attrs![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES]
}

fn open() -> Template {
    attrs![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true]
}

/// An AES key that may be wrapped, of a known value.
fn wrappable(session: &Session<'_>, value: &[u8]) -> Object {
    session.create(&keys::aes_template(value).and(open())).unwrap()
}

/// Wraps and unwraps a key; the value must come back.
fn round_trip(session: &Session<'_>, mech: &Mech, wrapping: Object, unwrapping: Object) {
    for length in [16, 24, 32] {
        let value = vec![0x5a; length];
        let key = wrappable(session, &value);
        let wrapped = session.wrap(mech, wrapping, key).unwrap();
        let back = session.unwrap(mech, unwrapping, &wrapped, &aes_key().and(open())).unwrap();
        assert_eq!(session.get(back, CKA_VALUE).unwrap(), value, "{mech:?}");
    }
}

isolated! {
    fn aes_key_wrap_known_answers(kit) {
        let session = kit.user();
        for (wrapping, value, wrapped) in [
            (
                "000102030405060708090a0b0c0d0e0f",
                "00112233445566778899aabbccddeeff",
                "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5",
            ),
            (
                "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
                "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f",
                "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21",
            ),
        ] {
            let (wrapping, key) = (aes(&session, &hex(wrapping)), wrappable(&session, &hex(value)));
            assert_eq!(session.wrap(&kw(), wrapping, key).unwrap(), hex(wrapped));
            let back = session.unwrap(&kw(), wrapping, &hex(wrapped), &aes_key().and(open())).unwrap();
            assert_eq!(session.get(back, CKA_VALUE).unwrap(), hex(value));
        }
    }

    fn aes_key_wrap_with_padding_known_answers(kit) {
        let session = kit.user();
        let wrapping = aes(&session, &hex("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8"));
        for (value, wrapped) in [
            (
                "c37b7e6492584340bed12207808941155068f738",
                "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a",
            ),
            ("466f7250617369", "afbeb0f07dfbf5419200f2ccb50bb24f"),
        ] {
            let key = session.create(&keys::secret_template(&hex(value)).and(open())).unwrap();
            assert_eq!(session.wrap(&kwp(&session), wrapping, key).unwrap(), hex(wrapped));
            let template =
                attrs![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_GENERIC_SECRET].and(open());
            let back = session.unwrap(&kwp(&session), wrapping, &hex(wrapped), &template).unwrap();
            assert_eq!(session.get(back, CKA_VALUE).unwrap(), hex(value));
        }
    }

    fn aes_keys_wrap_aes_keys(kit) {
        let session = kit.user();
        let wrapping = generate_aes(&session, attrs![]);
        round_trip(&session, &kw(), wrapping, wrapping);
    }

    fn aes_keys_wrap_aes_keys_with_padding(kit) {
        let session = kit.user();
        let wrapping = generate_aes(&session, attrs![]);
        round_trip(&session, &kwp(&session), wrapping, wrapping);
    }

    fn aes_cbc_with_padding_wraps_aes_keys(kit) {
        let session = kit.user();
        let wrapping = generate_aes(&session, attrs![]);
        round_trip(&session, &Mech::bytes(CKM_AES_CBC_PAD, &[9; 16]), wrapping, wrapping);
    }

    fn rsa_wraps_aes_keys(kit) {
        let session = kit.user();
        let pair = keys::rsa(&session);
        round_trip(&session, &Mech::plain(CKM_RSA_PKCS), pair.public, pair.private);
    }

    fn rsa_with_oaep_wraps_aes_keys(kit) {
        let session = kit.user();
        let pair = keys::rsa(&session);
        round_trip(&session, &Mech::oaep(CKM_SHA_1, CKG_MGF1_SHA1, b""), pair.public, pair.private);
    }

    fn rsa_with_oaep_and_sha256_wraps_aes_keys(kit) {
        let session = kit.user();
        let pair = keys::rsa(&session);
        round_trip(&session, &Mech::oaep(CKM_SHA256, CKG_MGF1_SHA256, b"label"), pair.public, pair.private);
    }

    fn private_keys_are_wrapped_as_pkcs8(kit) {
        let session = kit.user();
        let wrapping = generate_aes(&session, attrs![]);
        let exportable = attrs![CKA_EXTRACTABLE => true, CKA_SIGN => true];
        let public = attrs![CKA_EC_PARAMS => keys::P256.params];
        let mech = Mech::plain(CKM_EC_KEY_PAIR_GEN);
        let (public, private) = session.generate_pair(&mech, &public, &exportable).unwrap();
        let rsa = session.create(&keys::rsa_private().and(attrs![CKA_EXTRACTABLE => true])).unwrap();
        let rsa_public = keys::rsa(&session).public;
        for (key, public, kind, sign) in
            [(private, public, CKK_EC, CKM_ECDSA), (rsa, rsa_public, CKK_RSA, CKM_RSA_PKCS)]
        {
            let wrapped = session.wrap(&kwp(&session), wrapping, key).unwrap();
            let template = attrs![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => kind, CKA_SIGN => true];
            let back = session.unwrap(&kwp(&session), wrapping, &wrapped, &template).unwrap();
            let signature = session.sign(&Mech::plain(sign), back, &[7; 32]).unwrap();
            assert_eq!(session.verify(&Mech::plain(sign), public, &[7; 32], &signature), Ok(()), "{kind}");
        }
    }

    fn a_wrapped_private_key_is_a_private_key_info(kit) {
        let session = kit.user();
        let wrapping = generate_aes(&session, attrs![]);
        let key = session.create(&keys::rsa_private().and(attrs![CKA_EXTRACTABLE => true])).unwrap();
        let mech = Mech::bytes(CKM_AES_CBC_PAD, &[9; 16]);
        let wrapped = session.wrap(&mech, wrapping, key).unwrap();
        let der = session.decrypt(&mech, wrapping, &wrapped).unwrap();
        let file = kit.directory.join("key.der");
        std::fs::write(&file, &der).unwrap();
        let check = std::process::Command::new("openssl")
            .args(["pkey", "-inform", "DER", "-check", "-noout", "-in"])
            .arg(&file)
            .status();
        assert!(check.unwrap().success(), "openssl pkey -check");
    }

    fn a_key_that_is_not_extractable_is_not_wrapped(kit) {
        let session = kit.user();
        let wrapping = generate_aes(&session, attrs![]);
        let key = generate_aes(&session, attrs![CKA_EXTRACTABLE => false]);
        refused!(CKR_KEY_UNEXTRACTABLE, session.wrap(&kw(), wrapping, key));
        let pair = keys::rsa(&session);
        refused!(CKR_KEY_UNEXTRACTABLE, session.wrap(&Mech::plain(CKM_RSA_PKCS), pair.public, key));
    }

    fn a_sensitive_key_is_wrapped(kit) {
        let session = kit.user();
        let wrapping = generate_aes(&session, attrs![]);
        let key = generate_aes(&session, attrs![CKA_SENSITIVE => true, CKA_EXTRACTABLE => true]);
        assert_eq!(session.wrap(&kw(), wrapping, key).unwrap().len(), 40);
    }

    fn a_key_that_asks_for_trust_is_wrapped_by_a_trusted_key_only(kit) {
        let token = kit.token();
        let user = token.user();
        let more = attrs![CKA_WRAP_WITH_TRUSTED => true, CKA_EXTRACTABLE => true];
        let key = generate_aes(&user, more);
        let wrapping = generate_aes(&user, attrs![]);
        refused!(CKR_KEY_NOT_WRAPPABLE, user.wrap(&kw(), wrapping, key));
    }

    fn a_key_that_the_so_trusts_wraps_what_asks_for_it(kit) {
        let token = kit.token();
        let so = token.so();
        let more =
            attrs![CKA_TOKEN => true, CKA_PRIVATE => false, CKA_TRUSTED => true, CKA_LABEL => "trusted"];
        so.create(&keys::aes_template(&[7; 32]).and(more)).unwrap();
        so.logout().unwrap();
        so.login(CKU_USER, PIN).unwrap();
        let wrapping = so.find(&attrs![CKA_LABEL => "trusted"]).unwrap()[0];
        assert_eq!(so.flag(wrapping, CKA_TRUSTED), Ok(true));
        let key = generate_aes(&so, attrs![CKA_WRAP_WITH_TRUSTED => true, CKA_EXTRACTABLE => true]);
        assert!(so.wrap(&kw(), wrapping, key).is_ok());
    }

    fn an_unwrapped_key_was_never_secret(kit) {
        let session = kit.user();
        let wrapping = generate_aes(&session, attrs![]);
        let key = generate_aes(&session, attrs![CKA_SENSITIVE => true, CKA_EXTRACTABLE => true]);
        let wrapped = session.wrap(&kw(), wrapping, key).unwrap();
        let template = aes_key().and(attrs![CKA_SENSITIVE => true, CKA_EXTRACTABLE => false]);
        let back = session.unwrap(&kw(), wrapping, &wrapped, &template).unwrap();
        assert_eq!(session.flag(back, CKA_LOCAL), Ok(false));
        assert_eq!(session.flag(back, CKA_ALWAYS_SENSITIVE), Ok(false));
        assert_eq!(session.flag(back, CKA_NEVER_EXTRACTABLE), Ok(false));
        assert_eq!(session.number(back, CKA_KEY_GEN_MECHANISM), Ok(CK_UNAVAILABLE_INFORMATION));
    }

    fn an_unwrapped_key_has_what_its_template_says(kit) {
        let session = kit.user();
        let wrapping = generate_aes(&session, attrs![]);
        let wrapped = session.wrap(&kw(), wrapping, wrappable(&session, &[7; 16])).unwrap();
        let more =
            attrs![CKA_LABEL => "unwrapped", CKA_TOKEN => true, CKA_ENCRYPT => false, CKA_SENSITIVE => true];
        let back = session.unwrap(&kw(), wrapping, &wrapped, &aes_key().and(more)).unwrap();
        assert_eq!(session.get(back, CKA_LABEL).unwrap(), b"unwrapped");
        assert_eq!(session.flag(back, CKA_TOKEN), Ok(true));
        assert_eq!(session.flag(back, CKA_ENCRYPT), Ok(false));
        refused!(CKR_ATTRIBUTE_SENSITIVE, session.get(back, CKA_VALUE));
    }

    fn an_unwrapped_key_knows_its_length(kit) {
        let session = kit.user();
        let wrapping = generate_aes(&session, attrs![]);
        let wrapped = session.wrap(&kw(), wrapping, wrappable(&session, &[7; 16])).unwrap();
        let back = session.unwrap(&kw(), wrapping, &wrapped, &aes_key()).unwrap();
        assert_eq!(session.number(back, CKA_VALUE_LEN), Ok(16));
    }

    fn an_unwrap_template_cannot_bring_a_value(kit) {
        let session = kit.user();
        let wrapping = generate_aes(&session, attrs![]);
        let wrapped = session.wrap(&kw(), wrapping, wrappable(&session, &[7; 16])).unwrap();
        let template = aes_key().and(attrs![CKA_VALUE => [8u8; 16]]);
        let answer = session.unwrap(&kw(), wrapping, &wrapped, &template);
        refused!(CKR_ATTRIBUTE_READ_ONLY | CKR_TEMPLATE_INCONSISTENT | CKR_ATTRIBUTE_TYPE_INVALID, answer);
    }

    fn an_unwrap_template_needs_class_and_type(kit) {
        let session = kit.user();
        let wrapping = generate_aes(&session, attrs![]);
        let wrapped = session.wrap(&kw(), wrapping, wrappable(&session, &[7; 16])).unwrap();
        for kind in [CKA_CLASS, CKA_KEY_TYPE] {
            let answer = session.unwrap(&kw(), wrapping, &wrapped, &aes_key().without(kind));
            refused!(CKR_TEMPLATE_INCOMPLETE, answer, "{kind:#x}");
        }
    }

    fn changed_wrapped_keys_are_refused(kit) {
        let session = kit.user();
        let wrapping = generate_aes(&session, attrs![]);
        let key = wrappable(&session, &[7; 16]);
        for mech in [kw(), kwp(&session)] {
            for at in [0, 10, 23] {
                let mut wrapped = session.wrap(&mech, wrapping, key).unwrap();
                wrapped[at] ^= 1;
                let answer = session.unwrap(&mech, wrapping, &wrapped, &aes_key());
                refused!(CKR_WRAPPED_KEY_INVALID, answer, "{mech:?} byte {at}");
            }
        }
    }

    fn wrapped_keys_of_impossible_length_are_refused(kit) {
        let session = kit.user();
        let wrapping = generate_aes(&session, attrs![]);
        for mech in [kw(), kwp(&session)] {
            for length in [0, 8, 23, 25] {
                let answer = session.unwrap(&mech, wrapping, &vec![7; length], &aes_key());
                refused!(CKR_WRAPPED_KEY_LEN_RANGE | CKR_WRAPPED_KEY_INVALID, answer, "{length} bytes");
            }
        }
    }

    fn a_wrapped_key_does_not_open_with_another_key(kit) {
        let session = kit.user();
        let (one, two) = (generate_aes(&session, attrs![]), generate_aes(&session, attrs![]));
        let wrapped = session.wrap(&kw(), one, wrappable(&session, &[7; 16])).unwrap();
        refused!(CKR_WRAPPED_KEY_INVALID, session.unwrap(&kw(), two, &wrapped, &aes_key()));
    }

    fn a_key_that_is_not_one_is_refused(kit) {
        let session = kit.user();
        let wrapping = generate_aes(&session, attrs![]);
        refused!(CKR_KEY_HANDLE_INVALID, session.wrap(&kw(), wrapping, 99));
        refused!(CKR_WRAPPING_KEY_HANDLE_INVALID, session.wrap(&kw(), 99, wrapping));
        refused!(CKR_UNWRAPPING_KEY_HANDLE_INVALID, session.unwrap(&kw(), 99, &[7; 24], &aes_key()));
    }

    fn a_wrapping_key_of_another_type_is_refused(kit) {
        let session = kit.user();
        let pair = keys::rsa(&session);
        let key = wrappable(&session, &[7; 16]);
        refused!(CKR_WRAPPING_KEY_TYPE_INCONSISTENT, session.wrap(&kw(), pair.public, key));
        refused!(CKR_WRAPPING_KEY_TYPE_INCONSISTENT, session.wrap(&Mech::plain(CKM_RSA_PKCS), key, key));
        refused!(
            CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT,
            session.unwrap(&kw(), pair.private, &[7; 24], &aes_key())
        );
    }

    fn a_small_buffer_is_refused_and_says_what_it_needs(kit) {
        let session = kit.user();
        let wrapping = generate_aes(&session, attrs![]);
        let key = wrappable(&session, &[7; 16]);
        assert_eq!(session.wrap_into(&kw(), wrapping, key, Out::Length), Ok(24));
        refused!(CKR_BUFFER_TOO_SMALL, session.wrap_into(&kw(), wrapping, key, Out::Buffer(&mut [0; 23])));
        assert_eq!(session.wrap_into(&kw(), wrapping, key, Out::Buffer(&mut [0; 99])), Ok(24));
    }
}
