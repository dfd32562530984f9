//! Wrapping with additional data and a nonce that the module makes. PKCS #11 3.2, sections 5.18.6, 5.18.7, 6.13.12.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use hsm_tests::keys::{self, hex};
use hsm_tests::messages::Gcm;
use hsm_tests::operations::twice;
use hsm_tests::prelude::*;
use hsm_tests::raw::Arg;
use hsm_tests::template::ulong;
use hsm_tests::{function, messages};

const IV: [u8; 12] = [9; 12];
const AAD: &[u8] = b"beside";
const VALUE: [u8; 32] = [0x5a; 32];

fn wrapped_kind() -> Template {
    let kind = attrs![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES];
    kind.and(attrs![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true])
}

/// A wrapping key, and a key to wrap.
fn pair(session: &Session<'_>) -> (Object, Object) {
    let open = attrs![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true];
    let key = session.create(&keys::aes_template(&VALUE).and(open)).unwrap();
    (keys::aes(session, &[7; 32]), key)
}

fn wrap(session: &Session<'_>, parameter: &Gcm, keys: (Object, Object)) -> Result<Vec<u8>, Rv> {
    twice(|out| session.wrap_authenticated(parameter, keys, AAD, out))
}

/// CKM_AES_GCM with CK_GCM_WRAP_PARAMS.
fn with_wrap_params(raw: &CK_GCM_WRAP_PARAMS) -> CK_MECHANISM {
    CK_MECHANISM {
        mechanism: CKM_AES_GCM,
        pParameter: std::ptr::from_ref(raw).cast_mut().cast(),
        ulParameterLen: ulong(size_of::<CK_GCM_WRAP_PARAMS>()),
    }
}

isolated! {
    fn a_wrapped_key_is_what_an_encryption_makes_of_its_value(kit) {
        let session = kit.user();
        let keys = pair(&session);
        let parameter = Gcm::given(&IV);
        let wrapped = wrap(&session, &parameter, keys).unwrap();
        let expected = session.encrypt(&Mech::gcm(&IV, AAD, 128), keys.0, &VALUE).unwrap();
        assert_eq!([wrapped.as_slice(), parameter.tag()].concat(), expected);
        let back = session.unwrap_authenticated(&parameter, (keys.0, &wrapped), &wrapped_kind(), AAD).unwrap();
        assert_eq!(session.get(back, CKA_VALUE), Ok(VALUE.to_vec()));
        assert_eq!(session.flag(back, CKA_ALWAYS_SENSITIVE), Ok(false));
        assert_eq!(session.flag(back, CKA_LOCAL), Ok(false));
    }

    fn a_private_key_is_wrapped_with_a_nonce_made_here(kit) {
        let session = kit.user();
        let (wrapping, _) = pair(&session);
        let public = attrs![CKA_EC_PARAMS => keys::P256.params, CKA_VERIFY => true];
        let private = attrs![CKA_SIGN => true, CKA_EXTRACTABLE => true, CKA_SENSITIVE => true];
        let (public, private) =
            session.generate_pair(&Mech::plain(CKM_EC_KEY_PAIR_GEN), &public, &private).unwrap();
        let parameter = Gcm::generated(&[3; 12], 0, CKG_GENERATE);
        let wrapped = wrap(&session, &parameter, (wrapping, private)).unwrap();
        assert_ne!(parameter.iv(), [3; 12]);
        let kind = attrs![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => CKK_EC, CKA_SIGN => true];
        let back = session.unwrap_authenticated(&parameter, (wrapping, &wrapped), &kind, AAD).unwrap();
        let mech = Mech::plain(CKM_ECDSA_SHA256);
        let signature = session.sign(&mech, back, b"data").unwrap();
        assert_eq!(session.verify(&mech, public, b"data", &signature), Ok(()));
    }

    fn what_is_not_authentic_makes_no_key(kit) {
        let session = kit.user();
        let keys = pair(&session);
        let parameter = Gcm::given(&IV);
        let wrapped = wrap(&session, &parameter, keys).unwrap();
        let before = session.find(&attrs![]).unwrap().len();
        let mut changed = wrapped.clone();
        changed[0] ^= 1;
        let tag = parameter.tag().to_vec();
        for (parameter, wrapped, aad) in [
            (Gcm::given(&IV).with_tag(&tag), changed.as_slice(), AAD),
            (Gcm::given(&IV).with_tag(&tag), &wrapped, b"other"),
            (Gcm::given(&[1; 12]).with_tag(&tag), &wrapped, AAD),
            (Gcm::given(&IV), &wrapped, AAD),
        ] {
            let answer = session.unwrap_authenticated(&parameter, (keys.0, wrapped), &wrapped_kind(), aad);
            refused!(CKR_WRAPPED_KEY_INVALID, answer);
        }
        assert_eq!(session.find(&attrs![]).unwrap().len(), before);
    }

    fn a_length_query_and_a_small_buffer_take_no_nonce(kit) {
        let session = kit.user();
        let keys = pair(&session);
        let parameter = Gcm::generated(&[1; 12], 32, CKG_GENERATE_COUNTER);
        assert_eq!(session.wrap_authenticated(&parameter, keys, AAD, Out::Length), Ok(32));
        let small = session.wrap_authenticated(&parameter, keys, AAD, Out::Buffer(&mut [0; 31]));
        refused!(CKR_BUFFER_TOO_SMALL, small);
        assert_eq!(parameter.iv(), [1; 12]);
        wrap(&session, &parameter, keys).unwrap();
        assert_eq!(parameter.iv(), [1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
        // Messages under the same key count on.
        session.message_init(messages::ENCRYPT, &Mech::plain(CKM_AES_GCM), keys.0).unwrap();
        let message = Gcm::generated(&[1; 12], 32, CKG_GENERATE_COUNTER);
        session.whole_message(messages::ENCRYPT, &message, AAD, b"data").unwrap();
        assert_eq!(message.iv()[11], 1);
    }

    fn keys_that_must_stay_stay(kit) {
        let session = kit.user();
        let (wrapping, _) = pair(&session);
        let fixed = session.create(&keys::aes_template(&VALUE).and(attrs![CKA_EXTRACTABLE => false])).unwrap();
        refused!(CKR_KEY_UNEXTRACTABLE, wrap(&session, &Gcm::given(&IV), (wrapping, fixed)));
        let template = keys::aes_template(&[7; 32]).without(CKA_WRAP).and(attrs![CKA_WRAP => false]);
        let unfit = session.create(&template).unwrap();
        let (_, key) = pair(&session);
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, wrap(&session, &Gcm::given(&IV), (unfit, key)));
        refused!(CKR_WRAPPING_KEY_HANDLE_INVALID, wrap(&session, &Gcm::given(&IV), (0, key)));
        refused!(CKR_KEY_HANDLE_INVALID, wrap(&session, &Gcm::given(&IV), (wrapping, 0)));
    }

    fn parameters_are_those_of_messages(kit) {
        let session = kit.user();
        let keys = pair(&session);
        for parameter in [Gcm::given(&[]), Gcm::given(&IV).with_tag_bits(127), Gcm::given(&IV).without_tag()] {
            refused!(CKR_MECHANISM_PARAM_INVALID, wrap(&session, &parameter, keys), "{parameter:?}");
        }
        for kind in [CKM_AES_KEY_WRAP, CKM_AES_CBC_PAD, CKM_RSA_PKCS_OAEP] {
            let parameter = Gcm::given(&IV);
            let raw = CK_MECHANISM { mechanism: kind, ..parameter.mechanism() };
            let args = [(&raw).into(), keys.0.into(), keys.1.into(), AAD.into(), AAD.len().into()];
            let answer = session.output(function!(C_WrapKeyAuthenticated), &args, Out::Length);
            refused!(CKR_MECHANISM_INVALID | CKR_MECHANISM_PARAM_INVALID, answer, "{kind:#x}");
        }
        let args = [Arg::NULL, keys.0.into(), keys.1.into(), Arg::NULL, 0usize.into()];
        refused!(CKR_ARGUMENTS_BAD, session.output(function!(C_WrapKeyAuthenticated), &args, Out::Length));
        let raw = Gcm::given(&IV).mechanism();
        let args = [(&raw).into(), keys.0.into(), keys.1.into(), Arg::NULL, 5usize.into()];
        refused!(CKR_ARGUMENTS_BAD, session.output(function!(C_WrapKeyAuthenticated), &args, Out::Length));
    }

    fn wrap_key_makes_a_nonce_where_its_parameter_asks_for_one(kit) {
        let session = kit.user();
        let (wrapping, key) = pair(&session);
        let mut iv = IV.to_vec();
        let raw = CK_GCM_WRAP_PARAMS {
            pIv: iv.as_mut_ptr(),
            ulIvLen: 12,
            ulIvFixedBits: 32,
            ivGenerator: CKG_GENERATE_COUNTER,
            pAAD: AAD.as_ptr().cast_mut(),
            ulAADLen: ulong(AAD.len()),
            ulTagBits: 128,
        };
        let mechanism = with_wrap_params(&raw);
        let args = [(&mechanism).into(), wrapping.into(), key.into()];
        let wrapped = twice(|out| session.output(function!(C_WrapKey), &args, out)).unwrap();
        assert_eq!(iv, hex("090909090000000000000000"));
        // As with the structure that has no generator.
        let plain = Mech::gcm(&iv, AAD, 128);
        assert_eq!(session.encrypt(&plain, wrapping, &VALUE).unwrap(), wrapped);
        let back = session.unwrap(&plain, wrapping, &wrapped, &wrapped_kind()).unwrap();
        assert_eq!(session.get(back, CKA_VALUE), Ok(VALUE.to_vec()));
        let (template, mut unwrapped) = (wrapped_kind(), 0);
        let template = template.raw();
        let args = [
            (&mechanism).into(),
            wrapping.into(),
            wrapped.as_slice().into(),
            wrapped.len().into(),
            template.as_slice().into(),
            template.len().into(),
            (&mut unwrapped).into(),
        ];
        session.call(function!(C_UnwrapKey), &args).unwrap();
        assert_eq!(session.get(unwrapped, CKA_VALUE), Ok(VALUE.to_vec()));
        // The structure is not one to encrypt with.
        let answer = session.call(function!(C_EncryptInit), &[(&mechanism).into(), wrapping.into()]);
        refused!(CKR_MECHANISM_PARAM_INVALID, answer);
    }
}
