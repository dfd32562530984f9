//! What is wrong inside mechanisms and templates: null pointers with lengths, lengths that cannot be,
//! templates in templates. An error of the standard, never a crash.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::ffi::c_void;

use hsm_tests::function;
use hsm_tests::keys;
use hsm_tests::operations::{DECRYPT, ENCRYPT, SIGN, VERIFY};
use hsm_tests::prelude::*;
use hsm_tests::template::{attribute, attribute_into};

const NULL: *mut c_void = std::ptr::null_mut();
const HUGE: [CK_ULONG; 3] = [CK_ULONG::MAX, 1 << 62, 1 << 40];

/// What a parameter, or an attribute's value, that cannot be read may be called.
const PARAMETER: &[CK_RV] = &[CKR_MECHANISM_PARAM_INVALID, CKR_ARGUMENTS_BAD];
const VALUE: &[CK_RV] = &[
    CKR_ARGUMENTS_BAD,
    CKR_ATTRIBUTE_VALUE_INVALID,
    CKR_TEMPLATE_INCONSISTENT,
    CKR_TEMPLATE_INCOMPLETE,
    CKR_ATTRIBUTE_TYPE_INVALID,
];

#[track_caller]
fn expect(got: Result<(), Rv>, expected: &[CK_RV], what: &str) {
    hsm_tests::rv::assert_refused(got, expected, what);
}

fn mechanism<T>(kind: CK_MECHANISM_TYPE, parameter: &T) -> CK_MECHANISM {
    CK_MECHANISM {
        mechanism: kind,
        pParameter: std::ptr::from_ref(parameter).cast_mut().cast(),
        ulParameterLen: CK_ULONG::try_from(size_of::<T>()).unwrap(),
    }
}

fn create(session: &Session<'_>, raw: &[CK_ATTRIBUTE]) -> Result<(), Rv> {
    let mut object: CK_ULONG = 0;
    session.call(function!(C_CreateObject), &[raw.into(), raw.len().into(), (&mut object).into()])
}

isolated! {
    fn a_null_parameter_with_a_length_is_refused(kit) {
        let session = kit.user();
        let aes = keys::aes(&session, &[7; 32]);
        let rsa = keys::rsa(&session);
        for (kind, mech, key) in [
            (ENCRYPT, CKM_AES_CBC, aes),
            (DECRYPT, CKM_AES_CBC_PAD, aes),
            (ENCRYPT, CKM_AES_CTR, aes),
            (ENCRYPT, CKM_AES_GCM, aes),
            (ENCRYPT, CKM_RSA_PKCS_OAEP, rsa.public),
            (SIGN, CKM_RSA_PKCS_PSS, rsa.private),
            (VERIFY, CKM_SHA256_RSA_PKCS_PSS, rsa.public),
        ] {
            for length in [1, 16, 24, 40, 48, CK_ULONG::MAX] {
                let raw = CK_MECHANISM { mechanism: mech, pParameter: NULL, ulParameterLen: length };
                let got = session.call(kind.init, &[(&raw).into(), key.into()]);
                expect(got, PARAMETER, &format!("mechanism {mech:#x}, {length} bytes"));
            }
        }
    }

    fn a_parameter_of_impossible_length_is_refused(kit) {
        let session = kit.user();
        let key = keys::aes(&session, &[7; 32]);
        let mut iv = [0u8; 16];
        for length in HUGE {
            let raw = CK_MECHANISM {
                mechanism: CKM_AES_CBC,
                pParameter: iv.as_mut_ptr().cast(),
                ulParameterLen: length,
            };
            let got = session.call(ENCRYPT.init, &[(&raw).into(), key.into()]);
            expect(got, PARAMETER, &format!("{length:#x} bytes"));
        }
    }

    fn null_pointers_inside_gcm_parameters_are_refused(kit) {
        let session = kit.user();
        let key = keys::aes(&session, &[7; 32]);
        let mut bytes = [7u8; 16];
        let good = bytes.as_mut_ptr();
        let null = std::ptr::null_mut();
        for (iv, iv_len, aad, aad_len) in [
            (null, 12, good, 16),
            (null, CK_ULONG::MAX, good, 16),
            (good, 12, null, 16),
            (good, 12, null, CK_ULONG::MAX),
        ] {
            let parameter = CK_GCM_PARAMS {
                pIv: iv,
                ulIvLen: iv_len,
                ulIvBits: 96,
                pAAD: aad,
                ulAADLen: aad_len,
                ulTagBits: 128,
            };
            let raw = mechanism(CKM_AES_GCM, &parameter);
            expect(
                session.call(ENCRYPT.init, &[(&raw).into(), key.into()]),
                PARAMETER,
                &format!("{parameter:?}"),
            );
        }
    }

    fn impossible_lengths_inside_gcm_parameters_are_refused(kit) {
        let session = kit.user();
        let key = keys::aes(&session, &[7; 32]);
        let mut bytes = [7u8; 16];
        let good = bytes.as_mut_ptr();
        for (iv_len, aad_len, tag) in
            [(CK_ULONG::MAX, 16, 128), (12, CK_ULONG::MAX, 128), (12, 16, CK_ULONG::MAX)]
        {
            let parameter = CK_GCM_PARAMS {
                pIv: good,
                ulIvLen: iv_len,
                ulIvBits: 96,
                pAAD: good,
                ulAADLen: aad_len,
                ulTagBits: tag,
            };
            let raw = mechanism(CKM_AES_GCM, &parameter);
            expect(
                session.call(ENCRYPT.init, &[(&raw).into(), key.into()]),
                PARAMETER,
                &format!("{parameter:?}"),
            );
        }
    }

    fn a_null_label_with_a_length_is_refused(kit) {
        let session = kit.user();
        let pair = keys::rsa(&session);
        for length in [1, CK_ULONG::MAX] {
            let parameter = CK_RSA_PKCS_OAEP_PARAMS {
                hashAlg: CKM_SHA_1,
                mgf: CKG_MGF1_SHA1,
                source: CKZ_DATA_SPECIFIED,
                pSourceData: NULL,
                ulSourceDataLen: length,
            };
            let raw = mechanism(CKM_RSA_PKCS_OAEP, &parameter);
            expect(session.call(ENCRYPT.init, &[(&raw).into(), pair.public.into()]), PARAMETER, "OAEP");
        }
    }

    fn null_pointers_inside_ecdh_parameters_are_refused(kit) {
        let session = kit.user();
        let pair = keys::ec(&session, keys::P256);
        let mut bytes = [4u8; 65];
        let good = bytes.as_mut_ptr();
        let null = std::ptr::null_mut();
        let template = attrs![
            CKA_CLASS => CKO_SECRET_KEY,
            CKA_KEY_TYPE => CKK_GENERIC_SECRET,
            CKA_VALUE_LEN => 32 as CK_ULONG,
        ];
        for (kdf, shared, shared_len, public, public_len) in [
            (CKD_NULL, null, 0, null, 65),
            (CKD_NULL, null, 0, null, CK_ULONG::MAX),
            (CKD_NULL, null, 5, good, 65),
            (CKD_SHA256_KDF, null, CK_ULONG::MAX, good, 65),
            (CKD_NULL, null, 0, good, CK_ULONG::MAX),
        ] {
            let parameter = CK_ECDH1_DERIVE_PARAMS {
                kdf,
                ulSharedDataLen: shared_len,
                pSharedData: shared,
                ulPublicDataLen: public_len,
                pPublicData: public,
            };
            let raw = mechanism(CKM_ECDH1_DERIVE, &parameter);
            let template = template.raw();
            let mut key: CK_ULONG = 0;
            let args = [
                (&raw).into(),
                pair.private.into(),
                template.as_slice().into(),
                template.len().into(),
                (&mut key).into(),
            ];
            let codes = [PARAMETER, &[CKR_PUBLIC_KEY_INVALID]].concat();
            expect(session.call(function!(C_DeriveKey), &args), &codes, &format!("{parameter:?}"));
        }
    }

    fn an_attribute_without_memory_behind_it_is_refused(kit) {
        let session = kit.user();
        for kind in [CKA_LABEL, CKA_TOKEN, CKA_CLASS, CKA_VALUE, CKA_WRAP_TEMPLATE, CKA_ALLOWED_MECHANISMS] {
            for length in [1, 8, 24, CK_ULONG::MAX] {
                let key = keys::aes_template(&[7; 16]).without(kind);
                let mut raw = key.raw();
                raw.push(CK_ATTRIBUTE { type_: kind, pValue: NULL, ulValueLen: length });
                expect(create(&session, &raw), VALUE, &format!("attribute {kind:#x}, {length} bytes"));
            }
        }
    }

    fn an_attribute_of_impossible_length_is_refused(kit) {
        let session = kit.user();
        let mut value = [7u8; 16];
        for kind in [CKA_LABEL, CKA_TOKEN, CKA_CLASS, CKA_ID, CKA_ALLOWED_MECHANISMS] {
            let key = keys::aes_template(&[7; 16]).without(kind);
            let mut raw = key.raw();
            let pointer = value.as_mut_ptr().cast();
            raw.push(CK_ATTRIBUTE { type_: kind, pValue: pointer, ulValueLen: CK_ULONG::MAX });
            expect(create(&session, &raw), VALUE, &format!("attribute {kind:#x}"));
        }
    }

    fn a_search_by_an_attribute_without_memory_is_refused_or_finds_nothing(kit) {
        let session = kit.user();
        keys::aes(&session, &[7; 16]);
        for length in [1, CK_ULONG::MAX] {
            let raw = [CK_ATTRIBUTE { type_: CKA_LABEL, pValue: NULL, ulValueLen: length }];
            let got = session.call(function!(C_FindObjectsInit), &[raw.as_slice().into(), 1usize.into()]);
            match got {
                Ok(()) => {
                    assert_eq!(session.find_some(10), Ok(vec![]));
                    session.find_final().unwrap();
                }
                refused => expect(refused, VALUE, "C_FindObjectsInit"),
            }
        }
    }

    fn a_change_to_an_attribute_without_memory_is_refused(kit) {
        let session = kit.user();
        let key = keys::aes(&session, &[7; 16]);
        for length in [1, CK_ULONG::MAX] {
            let raw = [CK_ATTRIBUTE { type_: CKA_LABEL, pValue: NULL, ulValueLen: length }];
            let args = [key.into(), raw.as_slice().into(), 1usize.into()];
            expect(session.call(function!(C_SetAttributeValue), &args), VALUE, "C_SetAttributeValue");
        }
        assert_eq!(session.get(key, CKA_LABEL), Ok(vec![]));
    }

    fn a_template_in_a_template_is_kept(kit) {
        let session = kit.user();
        let inner = attrs![CKA_EXTRACTABLE => true];
        let inner = inner.raw();
        let outer = keys::aes_template(&[7; 16]);
        let mut raw = outer.raw();
        raw.push(nested(&inner));
        let mut object: CK_ULONG = 0;
        let args = [raw.as_slice().into(), raw.len().into(), (&mut object).into()];
        session.call(function!(C_CreateObject), &args).unwrap();
        let mut value = [0xeeu8; 1];
        let mut asked_inner = [attribute_into(CKA_EXTRACTABLE, &mut value)];
        let mut asked = [nested_mut(&mut asked_inner)];
        session.attributes(object, &mut asked).unwrap();
        assert_eq!((asked_inner[0].type_, asked_inner[0].ulValueLen, value), (CKA_EXTRACTABLE, 1, [1]));
    }

    fn a_template_in_a_template_with_a_broken_length_is_refused(kit) {
        let session = kit.user();
        let inner = attrs![CKA_EXTRACTABLE => true, CKA_LABEL => "x"];
        let inner = inner.raw();
        for length in [1, 23, 25, 47, CK_ULONG::MAX] {
            let outer = keys::aes_template(&[7; 16]);
            let mut raw = outer.raw();
            raw.push(CK_ATTRIBUTE { ulValueLen: length, ..nested(&inner) });
            expect(create(&session, &raw), VALUE, &format!("{length} bytes"));
        }
    }

    fn a_null_value_in_an_inner_template_is_refused(kit) {
        let session = kit.user();
        for length in [1, CK_ULONG::MAX] {
            let inner = [CK_ATTRIBUTE { type_: CKA_LABEL, pValue: NULL, ulValueLen: length }];
            let outer = keys::aes_template(&[7; 16]);
            let mut raw = outer.raw();
            raw.push(nested(&inner));
            expect(create(&session, &raw), VALUE, &format!("{length} bytes"));
        }
    }

    fn a_template_that_holds_itself_is_refused(kit) {
        let session = kit.user();
        let mut inner = [attribute(CKA_WRAP_TEMPLATE, b"")];
        inner[0].pValue = inner.as_mut_ptr().cast();
        inner[0].ulValueLen = CK_ULONG::try_from(size_of::<CK_ATTRIBUTE>()).unwrap();
        let outer = keys::aes_template(&[7; 16]);
        let mut raw = outer.raw();
        raw.push(nested(&inner));
        expect(create(&session, &raw), VALUE, "a template without end");
    }
}

fn nested(inner: &[CK_ATTRIBUTE]) -> CK_ATTRIBUTE {
    CK_ATTRIBUTE {
        type_: CKA_WRAP_TEMPLATE,
        pValue: inner.as_ptr().cast_mut().cast(),
        ulValueLen: CK_ULONG::try_from(size_of_val(inner)).unwrap(),
    }
}

fn nested_mut(inner: &mut [CK_ATTRIBUTE]) -> CK_ATTRIBUTE {
    CK_ATTRIBUTE { pValue: inner.as_mut_ptr().cast(), ..nested(inner) }
}
