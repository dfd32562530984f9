//! That parameters have their structure's size, and are there.

use std::ptr;

use super::super::mechanism::parse;
use super::*;

fn parsed(kind: CK_MECHANISM_TYPE, start: *const u64, length: usize) -> bool {
    let given = CK_MECHANISM {
        mechanism: kind,
        pParameter: start.cast_mut().cast(),
        ulParameterLen: length as CK_ULONG,
    };
    // SAFETY: the tests give memory of the length, or what is refused before it is read.
    unsafe { parse(&given) }.is_ok()
}

#[test]
fn structures_have_their_size_exactly_and_are_there() {
    let bytes = [0_u64; 16];
    for (kind, size) in [
        (CKM_AES_CCM, 48),
        (CKM_CHACHA20, 32),
        (CKM_CHACHA20_POLY1305, 32),
        (CKM_DES3_CBC, 8),
        (CKM_AES_XTS, 16),
        (CKM_CONCATENATE_BASE_AND_KEY, 8),
        (CKM_CONCATENATE_BASE_AND_DATA, 16),
        (CKM_EXTRACT_KEY_FROM_KEY, 8),
        (CKM_AES_CBC_ENCRYPT_DATA, 32),
        (CKM_DES3_CBC_ENCRYPT_DATA, 24),
        (CKM_HKDF_DERIVE, 64),
        (CKM_PKCS5_PBKD2, 72),
        (CKM_SP800_108_COUNTER_KDF, 40),
        (CKM_SP800_108_FEEDBACK_KDF, 56),
        (CKM_TLS12_MASTER_KEY_DERIVE, 48),
        (CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE, 32),
        (CKM_TLS12_KEY_AND_MAC_DERIVE, 80),
        (CKM_TLS_KDF, 72),
        (CKM_TLS_MAC, 24),
    ] {
        for length in [0, size - 1, size + 1] {
            assert!(!parsed(kind, bytes.as_ptr(), length), "{kind:#x}, {length} bytes");
        }
        for length in [size, usize::MAX] {
            assert!(!parsed(kind, ptr::null(), length), "{kind:#x}, {length} bytes at null");
        }
    }
}

#[test]
fn a_structure_of_zeros_points_to_nothing() {
    let bytes = [0_u64; 16];
    for (kind, size) in [
        (CKM_AES_CCM, 48),
        (CKM_CONCATENATE_BASE_AND_DATA, 16),
        (CKM_HKDF_DERIVE, 64),
        (CKM_SP800_108_COUNTER_KDF, 40),
        (CKM_TLS_KDF, 72),
    ] {
        assert!(parsed(kind, bytes.as_ptr(), size), "{kind:#x}");
    }
    for (kind, size) in [(CKM_CHACHA20, 32), (CKM_CHACHA20_POLY1305, 32), (CKM_PKCS5_PBKD2, 72)] {
        assert!(!parsed(kind, bytes.as_ptr(), size), "{kind:#x}");
    }
}
