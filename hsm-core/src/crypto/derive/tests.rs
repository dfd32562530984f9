//! Derivations against answers of the standards, and their limits.

use super::*;

fn is(derived: Result<Secret>, hex: &str) {
    assert_eq!(hex::encode(derived.unwrap().expose()), hex);
}

const KEY: [u8; 16] =
    [0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff];

#[test]
fn kmips_cases_come_out() {
    // TC-DERIVEKEY-1 to 5.
    is(derive_by_hash(Hash::Sha256, &KEY, 16), "a8faed6abbf35c12a4b26e40f6feb19d");
    is(derive_by_hmac(Hash::Sha256, &KEY, &[1, 2], 16), "1e15c1f1da233629f770fb0a04a5020e");
    let pbkdf2 = |hash, iterations, length| derive_by_pbkdf2(hash, b"password", b"salt", iterations, length);
    is(pbkdf2(Hash::Sha1, 1, 16), "0c60c80f961f0e71f3a9b524af601206");
    is(pbkdf2(Hash::Sha1, 4096, 16), "4b007901b765489abead49d926f721d0");
    is(pbkdf2(Hash::Sha256, 4096, 32), "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a");
}

/// Made with OpenSSL's KBKDF, without its length and separator.
#[test]
fn sp_800_108_is_that_of_openssl() {
    let key: Vec<u8> = (0..16).collect();
    let by = |prf, mode| derive_by_sp800_108(prf, mode, &key, b"label\0context", 48);
    is(
        by(Prf::Hmac(Hash::Sha256), Iteration::Counter),
        "c54e1eb4dc54b9cdcf41b7bed4f738e7eb284c2a1edec68bf0a77577a3d1560154b3423dd761d75c378317bf0ef9384f",
    );
    is(
        by(Prf::Hmac(Hash::Sha256), Iteration::Feedback { iv: b"iviviviviviviviviviviviviviviviv" }),
        "dab520647c65075d4e8cee7cf468433f9770396aa4e5740c63e4f43ef894a8342682eb27d1d1171406f50605d0053601",
    );
    is(
        by(Prf::Cmac, Iteration::Counter),
        "042226feaeda38b74d524e5778eac4bf3532e39ce7c2552c025c69c9d0b56d7b208957e6946947f3e64c6f4b3664d7d0",
    );
}

/// OpenSSL has not this mode; made with Python's HMAC.
#[test]
fn the_double_pipeline_chains_the_fixed_data() {
    let key: Vec<u8> = (0..16).collect();
    let prf = Prf::Hmac(Hash::Sha256);
    is(
        derive_by_sp800_108(prf, Iteration::DoublePipeline, &key, b"label\0context", 48),
        "89ff340db85a56477c9a02c872859441084653ad437cdf71684b7e79dc6424dd494077a435a184ca6993c08860bec652",
    );
}

#[test]
fn hkdf_is_that_of_rfc_5869() {
    // Test cases 1 and 3.
    let info: Vec<u8> = (0xf0..0xfa).collect();
    let salt: Vec<u8> = (0..13).collect();
    is(
        derive_by_hkdf(Hash::Sha256, &[0x0b; 22], &salt, &info, 42),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    );
    is(
        derive_by_hkdf(Hash::Sha256, &[0x0b; 22], &[], &[], 42),
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    );
}

#[test]
fn aws_signature_v4_is_that_of_its_example() {
    is(
        derive_by_aws_signature_v4(
            b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            b"20150830",
            b"us-east-1",
            b"iam",
        ),
        "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9",
    );
}

#[test]
fn lengths_out_of_range_are_refused() {
    let refused = |derived: Result<Secret>| assert!(matches!(derived, Err(Error::DataLength)), "{derived:?}");
    let prf = Prf::Hmac(Hash::Sha256);
    for length in [0, 33] {
        refused(derive_by_hash(Hash::Sha256, b"key", length));
        refused(derive_by_hmac(Hash::Sha256, b"key", b"data", length));
    }
    for length in [0, LONGEST_DERIVED + 1] {
        refused(derive_by_pbkdf2(Hash::Sha256, b"password", b"salt", 1, length));
        refused(derive_by_sp800_108(prf, Iteration::Counter, b"key", b"fixed", length));
        refused(derive_by_hkdf(Hash::Sha256, b"key", b"", b"", length));
    }
    refused(derive_by_hkdf(Hash::Sha256, b"key", b"", b"", 255 * 32 + 1));
    assert_eq!(derive_by_hkdf(Hash::Sha256, b"key", b"", b"", 255 * 32).unwrap().len(), 255 * 32);
}

#[test]
fn work_out_of_range_is_refused() {
    for (iterations, length) in
        [(0, 32), ((1 << 24) + 1, 32), ((1 << 23) + 1, 33), (u32::MAX, LONGEST_DERIVED)]
    {
        let derived = derive_by_pbkdf2(Hash::Sha256, b"password", b"salt", iterations, length);
        assert!(matches!(derived, Err(Error::ArgumentsBad(_))), "{iterations} {length}");
    }
}

#[test]
fn cmac_takes_aes_keys_alone() {
    let derived = derive_by_sp800_108(Prf::Cmac, Iteration::Counter, b"short", b"fixed", 16);
    assert!(matches!(derived, Err(Error::KeySizeRange)));
}
