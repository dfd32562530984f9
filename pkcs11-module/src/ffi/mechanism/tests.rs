//! Parameters that are well formed, and what is refused of others.

use std::ffi::c_void;
use std::ptr;

use super::*;

fn parse_raw(kind: u64, parameter: *const c_void, length: usize) -> Outcome<Mechanism> {
    let given = CK_MECHANISM {
        mechanism: kind,
        pParameter: parameter.cast_mut(),
        ulParameterLen: length as CK_ULONG,
    };
    // SAFETY: each test gives memory of the length, or what is refused before it is read.
    unsafe { parse(&given) }
}

fn parse_with<T>(kind: u64, parameter: &T) -> Outcome<Mechanism> {
    parse_raw(kind, ptr::from_ref(parameter).cast(), size_of::<T>())
}

fn is_invalid(outcome: Outcome<Mechanism>) -> bool {
    matches!(outcome, Err(Refusal::Core(Error::MechanismParamInvalid)))
}

fn gcm(iv: &[u8], aad: &[u8]) -> CK_GCM_PARAMS {
    CK_GCM_PARAMS {
        pIv: iv.as_ptr().cast_mut(),
        ulIvLen: iv.len() as CK_ULONG,
        ulIvBits: 0,
        pAAD: aad.as_ptr().cast_mut(),
        ulAADLen: aad.len() as CK_ULONG,
        ulTagBits: 128,
    }
}

fn oaep(source: u64, label: &[u8]) -> CK_RSA_PKCS_OAEP_PARAMS {
    CK_RSA_PKCS_OAEP_PARAMS {
        hashAlg: CKM_SHA256,
        mgf: CKG_MGF1_SHA256,
        source,
        pSourceData: label.as_ptr().cast_mut().cast(),
        ulSourceDataLen: label.len() as CK_ULONG,
    }
}

#[test]
fn unknown_mechanisms_are_refused_whatever_their_parameter() {
    let refused = parse_raw(CKM_VENDOR_DEFINED, ptr::dangling(), usize::MAX);
    assert!(matches!(refused, Err(Refusal::Core(Error::MechanismInvalid))));
}

#[test]
fn every_shape_refuses_null_and_impossible_lengths() {
    let kinds = [
        CKM_RSA_PKCS,
        CKM_AES_CBC,
        CKM_AES_KEY_WRAP,
        CKM_AES_CTR,
        CKM_AES_GCM,
        CKM_RSA_PKCS_PSS,
        CKM_RSA_PKCS_OAEP,
        CKM_RSA_AES_KEY_WRAP,
        CKM_ECDH1_DERIVE,
        CKM_EDDSA,
        CKM_SHA256_HMAC_GENERAL,
        CKM_ML_DSA,
        CKM_HASH_SLH_DSA,
    ];
    for kind in kinds {
        for length in [1, 16, 24, 32, 40, 48, usize::MAX] {
            assert!(is_invalid(parse_raw(kind, ptr::null(), length)), "{kind:#x}, {length} bytes at null");
        }
        for length in [1 << 40, isize::MAX as usize, usize::MAX] {
            assert!(is_invalid(parse_raw(kind, ptr::dangling(), length)), "{kind:#x}, {length} bytes");
        }
    }
}

#[test]
fn structures_have_their_size_exactly() {
    let bytes = [0_u64; 16];
    let sizes = [
        (CKM_AES_CTR, 24),
        (CKM_AES_GCM, 48),
        (CKM_RSA_PKCS_PSS, 24),
        (CKM_RSA_PKCS_OAEP, 40),
        (CKM_RSA_AES_KEY_WRAP, 16),
        (CKM_ECDH1_DERIVE, 40),
        (CKM_SHA256_HMAC_GENERAL, 8),
        (CKM_AES_CBC, 16),
        (CKM_HASH_ML_DSA, 32),
    ];
    for (kind, size) in sizes {
        assert!(is_invalid(parse_raw(kind, bytes.as_ptr().cast(), size - 1)), "{kind:#x}, one byte less");
        assert!(is_invalid(parse_raw(kind, bytes.as_ptr().cast(), size + 1)), "{kind:#x}, one byte more");
        assert!(is_invalid(parse_raw(kind, ptr::null(), 0)), "{kind:#x}, nothing");
    }
}

#[test]
fn a_mechanism_without_parameter_takes_none() {
    assert!(matches!(
        parse_raw(CKM_RSA_PKCS, ptr::null(), 0),
        Ok(Mechanism { parameter: Parameter::None, .. })
    ));
    assert!(is_invalid(parse_with(CKM_RSA_PKCS, &0_u64)));
}

#[test]
fn optional_parameters_may_be_absent() {
    for kind in [CKM_AES_KEY_WRAP, CKM_EDDSA] {
        assert!(matches!(parse_raw(kind, ptr::null(), 0), Ok(Mechanism { parameter: Parameter::None, .. })));
    }
}

#[test]
fn gcm_takes_its_nonce_by_length_alone() {
    let mut given = gcm(b"twelve bytes", b"more");
    for bits in [0, 96, 1] {
        given.ulIvBits = bits;
        let parsed = parse_with(CKM_AES_GCM, &given).unwrap().parameter;
        assert!(
            matches!(&parsed, Parameter::Gcm { iv, aad, tag_bits: 128 } if iv == b"twelve bytes" && aad == b"more")
        );
    }
}

#[test]
fn what_a_structure_points_to_is_checked_too() {
    let mut given = gcm(b"twelve bytes", b"");
    given.ulAADLen = CK_ULONG::MAX;
    assert!(is_invalid(parse_with(CKM_AES_GCM, &given)));
    given = gcm(b"", b"");
    (given.pIv, given.ulIvLen) = (ptr::null_mut(), 12);
    assert!(is_invalid(parse_with(CKM_AES_GCM, &given)));
    let mut label = oaep(CKZ_DATA_SPECIFIED, b"");
    (label.pSourceData, label.ulSourceDataLen) = (ptr::null_mut(), 1);
    assert!(is_invalid(parse_with(CKM_RSA_PKCS_OAEP, &label)));
}

#[test]
fn oaep_without_source_is_accepted_when_there_is_no_label() {
    assert!(parse_with(CKM_RSA_PKCS_OAEP, &oaep(CKZ_DATA_SPECIFIED, b"label")).is_ok());
    assert!(parse_with(CKM_RSA_PKCS_OAEP, &oaep(0, b"")).is_ok());
    assert!(is_invalid(parse_with(CKM_RSA_PKCS_OAEP, &oaep(0, b"label"))));
    assert!(is_invalid(parse_with(CKM_RSA_PKCS_OAEP, &oaep(2, b""))));
}

#[test]
fn a_structure_inside_a_structure_is_checked_as_one_outside() {
    let label = *b"label";
    let mut inside = oaep(CKZ_DATA_SPECIFIED, &label);
    let parse_inside = |inside: *mut CK_RSA_PKCS_OAEP_PARAMS| {
        let given = CK_RSA_AES_KEY_WRAP_PARAMS { ulAESKeyBits: 256, pOAEPParams: inside };
        parse_with(CKM_RSA_AES_KEY_WRAP, &given)
    };
    let parsed = parse_inside(&mut inside).unwrap().parameter;
    assert!(matches!(
        &parsed,
        Parameter::RsaAes { aes_bits: Some(256), hash: CKM_SHA256, mgf: CKG_MGF1_SHA256, label } if label == b"label"
    ));
    assert!(is_invalid(parse_inside(ptr::null_mut())));
    inside.source = 2;
    assert!(is_invalid(parse_inside(&mut inside)));
    inside = oaep(CKZ_DATA_SPECIFIED, &label);
    inside.ulSourceDataLen = CK_ULONG::MAX;
    assert!(is_invalid(parse_inside(&mut inside)));
}

#[test]
fn a_structure_may_lie_at_any_address() {
    let given = CK_RSA_PKCS_PSS_PARAMS { hashAlg: CKM_SHA256, mgf: CKG_MGF1_SHA256, sLen: 32 };
    let mut bytes = [0; 25];
    let odd = bytes.as_mut_ptr().wrapping_add(1).cast::<CK_RSA_PKCS_PSS_PARAMS>();
    // SAFETY: 24 bytes fit behind the first.
    unsafe { odd.write_unaligned(given) };
    let parsed = parse_raw(CKM_RSA_PKCS_PSS, bytes[1..].as_ptr().cast(), 24).unwrap().parameter;
    assert!(matches!(parsed, Parameter::Pss { hash: CKM_SHA256, mgf: CKG_MGF1_SHA256, salt_len: 32 }));
}

#[test]
fn eddsa_and_ecdh_follow_their_pointers() {
    let eddsa = CK_EDDSA_PARAMS { phFlag: 1, ulContextDataLen: 3, pContextData: b"ctx".as_ptr().cast_mut() };
    let parsed = parse_with(CKM_EDDSA, &eddsa).unwrap().parameter;
    assert!(matches!(&parsed, Parameter::Eddsa { prehash: true, context } if context == b"ctx"));
    let ecdh = CK_ECDH1_DERIVE_PARAMS {
        kdf: CKD_NULL,
        ulSharedDataLen: 0,
        pSharedData: ptr::null_mut(),
        ulPublicDataLen: 5,
        pPublicData: b"point".as_ptr().cast_mut(),
    };
    let parsed = parse_with(CKM_ECDH1_DERIVE, &ecdh).unwrap().parameter;
    assert!(
        matches!(&parsed, Parameter::Ecdh { shared, public, .. } if shared.is_empty() && public == b"point")
    );
}
