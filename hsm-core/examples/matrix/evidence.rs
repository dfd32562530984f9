//! What stands behind a mechanism: the libraries that do its cryptography, first choice first, which are asked and
//! not listed here; and whose vectors the tests put to it.

use hsm_core::crypto::{
    AesMode, Curve, Des3Mode, DhGroup, Direction, DsaGroup, Edwards, Hash, KemSet, Montgomery, Poly1305,
    PreHash, Provider, Shake, SignatureSet, order, order_for,
};
use hsm_core::mechanism::Row;

/// Whether a library offers what a mechanism needs.
type Ask = fn(&'static dyn Provider, &Row) -> bool;

/// Who does a family's cryptography.
enum By {
    /// The libraries that say so.
    Providers(Ask),
    /// Those that offer the curves.
    Curves,
    /// The generator of random bytes.
    Random,
    /// Nobody: bytes are put together.
    Nobody,
}

/// Mechanisms that stand on the same cryptography.
struct Family {
    /// Beginnings of their names, without CKM_; the first family that has one counts.
    names: &'static [&'static str],
    by: By,
    vectors: &'static str,
}

const fn family(names: &'static [&'static str], ask: Ask, vectors: &'static str) -> Family {
    Family { names, by: By::Providers(ask), vectors }
}

const EDWARDS: [Edwards; 2] = [Edwards::Ed25519, Edwards::Ed448];
const MONTGOMERY: [Montgomery; 2] = [Montgomery::X25519, Montgomery::X448];
const IV: &[u8; 16] = &[0; 16];
const DES_IV: &[u8; 8] = &[0; 8];

fn aes(provider: &'static dyn Provider, mode: AesMode<'_>) -> bool {
    provider.aes(mode, Direction::Encrypt, &[0; 16]).is_some()
}

fn des3(provider: &'static dyn Provider, mode: Des3Mode<'_>) -> bool {
    provider.des3(mode, Direction::Encrypt, &[0; 24]).is_some()
}

fn rsa(provider: &'static dyn Provider, _: &Row) -> bool {
    provider.rsa_public(&[0xff; 256], &[1, 0, 1]).is_some()
}

fn dsa(provider: &'static dyn Provider, _: &Row) -> bool {
    DsaGroup::new(&[0xff; 128], &[0xff; 20], &[2])
        .is_ok_and(|group| provider.dsa_public(&group, &[2]).is_some())
}

fn dh(provider: &'static dyn Provider, _: &Row) -> bool {
    DhGroup::new(&[0xff; 128], &[2]).is_ok_and(|group| provider.dh_private(&group, &[2]).is_some())
}

fn digest(provider: &'static dyn Provider, row: &Row) -> bool {
    row.hash.is_some_and(|hash| provider.digest(hash).is_some())
}

fn hmac(provider: &'static dyn Provider, row: &Row) -> bool {
    let hash = row.hash.unwrap_or(Hash::Sha256);
    provider.hmac(hash, &[0; 32]).is_some()
}

fn post_quantum(provider: &'static dyn Provider, set: SignatureSet) -> bool {
    provider.pq_public(set, &[]).is_some()
}

#[rustfmt::skip]
static FAMILIES: &[Family] = &[
    family(&["RSA_AES_KEY_WRAP"], rsa, "Python's `cryptography`"),
    family(&["RSA_PKCS_KEY_PAIR_GEN"], rsa, "OpenSSL"),
    family(&["RSA_", "MD5_RSA"], rsa, "Wycheproof, OpenSSL"),
    family(&["SHA1_RSA", "SHA224_RSA", "SHA256_RSA", "SHA384_RSA", "SHA512_RSA"], rsa, "Wycheproof, OpenSSL"),
    family(&["SHA3_224_RSA", "SHA3_256_RSA", "SHA3_384_RSA", "SHA3_512_RSA"], rsa, "Wycheproof, OpenSSL"),
    family(&["EC_EDWARDS_KEY_PAIR_GEN", "EDDSA"], |p, _| EDWARDS.iter().any(|curve| p.ed_public(*curve, &[0; 32]).is_some()), "RFC 8032, Wycheproof"),
    family(&["EC_MONTGOMERY_KEY_PAIR_GEN"], |p, _| MONTGOMERY.iter().any(|curve| p.x_private(*curve, &[0; 32]).is_some()), "RFC 7748, Wycheproof"),
    Family { names: &["EC_KEY_PAIR_GEN", "ECDSA"], by: By::Curves, vectors: "RFC 6979, Wycheproof" },
    Family { names: &["ECDH1"], by: By::Curves, vectors: "RFC 5903, RFC 7748, Wycheproof" },
    family(&["DSA"], dsa, "RFC 6979, CAVS, Wycheproof"),
    family(&["DH_"], dh, "RFC 5114"),
    family(&["ML_KEM"], |p, _| p.kem_public(KemSet::MlKem768, &[]).is_some(), "Wycheproof"),
    family(&["ML_DSA", "HASH_ML_DSA"], |p, _| post_quantum(p, SignatureSet::MlDsa65), "Wycheproof"),
    family(&["SLH_DSA", "HASH_SLH_DSA"], |p, _| post_quantum(p, SignatureSet::SlhDsaSha2_128s), "ACVP"),
    Family { names: &["AES_KEY_GEN", "AES_XTS_KEY_GEN", "DES_KEY_GEN", "DES2_KEY_GEN", "DES3_KEY_GEN"], by: By::Random, vectors: "" },
    Family { names: &["CHACHA20_KEY_GEN", "POLY1305_KEY_GEN", "HKDF_KEY_GEN", "GENERIC_SECRET_KEY_GEN"], by: By::Random, vectors: "" },
    Family { names: &["SHA_1_KEY_GEN", "SHA224_KEY_GEN", "SHA256_KEY_GEN", "SHA384_KEY_GEN", "SHA512_KEY_GEN"], by: By::Random, vectors: "" },
    Family { names: &["SHA512_224_KEY_GEN", "SHA512_256_KEY_GEN", "SHA3_224_KEY_GEN", "SHA3_256_KEY_GEN"], by: By::Random, vectors: "" },
    Family { names: &["SHA3_384_KEY_GEN", "SHA3_512_KEY_GEN", "HOTP_KEY_GEN"], by: By::Random, vectors: "" },
    family(&["HOTP"], |p, _| p.hmac(Hash::Sha1, &[0; 20]).is_some(), "RFC 4226"),
    family(&["SHAKE"], |p, _| p.shake(Shake::Shake128, &[], 32).is_some() && p.shake_digest(PreHash::Shake128).is_some(), "NIST's examples"),
    family(&["SHA_1_HMAC", "SHA224_HMAC", "SHA256_HMAC", "SHA384_HMAC", "SHA512_HMAC", "SHA512_224_HMAC"], hmac, "RFC 4231, Wycheproof"),
    family(&["SHA512_256_HMAC", "SHA3_224_HMAC", "SHA3_256_HMAC", "SHA3_384_HMAC", "SHA3_512_HMAC"], hmac, "Wycheproof"),
    family(&["MD5_HMAC"], hmac, "RFC 2202"),
    family(&["MD5"], digest, "RFC 1321"),
    family(&["GOSTR3411_HMAC"], hmac, "OpenSSL"),
    family(&["GOSTR3411"], digest, "OpenSSL"),
    family(&["SHA3_"], digest, "FIPS 202"),
    family(&["SHA"], digest, "FIPS 180-4"),
    family(&["AES_ECB"], |p, _| aes(p, AesMode::Ecb), "SP 800-38A"),
    family(&["AES_CBC_PAD"], |p, _| aes(p, AesMode::Cbc { iv: IV }), "Wycheproof"),
    family(&["AES_CBC"], |p, _| aes(p, AesMode::Cbc { iv: IV }), "SP 800-38A"),
    family(&["AES_CTR"], |p, _| aes(p, AesMode::Ctr { block: IV, counter_bits: 32 }), "SP 800-38A"),
    family(&["AES_OFB"], |p, _| aes(p, AesMode::Ofb { iv: IV }), "SP 800-38A"),
    family(&["AES_CFB8"], |p, _| aes(p, AesMode::Cfb8 { iv: IV }), "SP 800-38A"),
    family(&["AES_CFB128"], |p, _| aes(p, AesMode::Cfb { iv: IV }), "SP 800-38A"),
    family(&["AES_CFB1"], |p, _| aes(p, AesMode::Cfb1 { iv: IV }), "SP 800-38A"),
    family(&["AES_CTS"], |p, _| aes(p, AesMode::Cts { iv: IV }), "RFC 3962"),
    family(&["AES_XTS"], |p, _| p.aes(AesMode::Xts { tweak: IV }, Direction::Encrypt, &[0; 32]).is_some(), "IEEE 1619, Wycheproof"),
    family(&["AES_GCM"], |p, _| aes(p, AesMode::Gcm { iv: &[0; 12], aad: &[], tag_len: 16 }), "McGrew and Viega, Wycheproof"),
    family(&["AES_GMAC"], |p, _| aes(p, AesMode::Gcm { iv: &[0; 12], aad: &[], tag_len: 16 }), "NIST's vectors of GCM, Wycheproof"),
    family(&["AES_CCM"], |p, _| aes(p, AesMode::Ccm { nonce: &[0; 12], aad: &[], tag_len: 16 }), "SP 800-38C, Wycheproof"),
    family(&["AES_CMAC"], |p, _| p.cmac(&[0; 16]).is_some(), "SP 800-38B, Wycheproof"),
    family(&["AES_MAC"], |p, _| aes(p, AesMode::Cbc { iv: IV }), "OpenSSL"),
    family(&["AES_KEY_WRAP"], |p, _| p.wrap(hsm_core::crypto::KeyWrap::Kw, &[0; 16], &[0; 16]).is_some(), "RFC 3394, RFC 5649, Wycheproof"),
    family(&["DES_ECB", "DES_CBC", "DES_OFB64", "DES_CFB64", "DES_MAC"], |p, _| des3(p, Des3Mode::Cbc { iv: DES_IV }), "FIPS 81, FIPS 113"),
    family(&["DES3_CMAC"], |p, _| p.des3_cmac(&[0; 24]).is_some(), "SP 800-38B"),
    family(&["DES3_"], |p, _| des3(p, Des3Mode::Cbc { iv: DES_IV }), "SP 800-67"),
    family(&["CHACHA20_POLY1305"], |p, _| p.chacha20_poly1305(Poly1305 { nonce: &[0; 12], aad: &[], tag_len: 16 }, Direction::Encrypt, &[0; 32]).is_some(), "RFC 8439, Wycheproof"),
    family(&["CHACHA20"], |p, _| p.chacha20(&[0; 12], 0, &[0; 32]).is_some(), "RFC 8439"),
    family(&["POLY1305"], |p, _| p.poly1305(&[0; 32], &[]).is_some(), "RFC 8439"),
    family(&["HKDF"], hmac, "RFC 5869, Wycheproof"),
    family(&["PKCS5_PBKD2"], |p, _| p.pbkdf2(hsm_core::crypto::Hash::Sha1, &[], &[], 1, &mut [0]).is_some(), "RFC 6070, Wycheproof"),
    family(&["SP800_108"], hmac, "NIST's vectors of SP 800-108"),
    family(&["TLS"], hmac, "RFC 5246, RFC 7627, RFC 5705"),
    family(&["KRM_SSHKDF"], hmac, "CAVS"),
    Family { names: &["CONCATENATE", "XOR_BASE", "EXTRACT_KEY", "PUB_KEY_FROM"], by: By::Nobody, vectors: "" },
];

fn of(row: &Row) -> Option<&'static Family> {
    let name = row.name.strip_prefix("CKM_").unwrap_or(row.name);
    FAMILIES.iter().find(|family| family.names.iter().any(|beginning| name.starts_with(beginning)))
}

/// The libraries, first choice first.
pub(crate) fn libraries(row: &Row) -> String {
    let asked = |ask: Ask| {
        order().iter().filter(|provider| ask(**provider, row)).map(|provider| provider.name()).collect()
    };
    let names: Vec<&str> = match of(row).map(|family| &family.by) {
        Some(By::Providers(ask)) => asked(*ask),
        Some(By::Curves) => {
            let first = order_for(Curve::P256).iter();
            first.filter(|p| p.ec_public(Curve::P256, &[]).is_some()).map(|p| p.name()).collect()
        }
        Some(By::Random) => return "random".to_owned(),
        Some(By::Nobody) | None => return String::new(),
    };
    names.join(", ")
}

/// Whose vectors.
pub(crate) fn vectors(row: &Row) -> &'static str {
    of(row).map_or("", |family| family.vectors)
}

#[cfg(test)]
mod tests {
    use hsm_core::mechanism::offered;

    use super::*;

    #[test]
    fn every_mechanism_is_of_a_family_and_every_family_has_one() {
        let strays: Vec<&str> = offered().filter(|row| of(row).is_none()).map(|row| row.name).collect();
        assert!(strays.is_empty(), "{strays:?}");
        for family in FAMILIES {
            let has = |row: &Row| of(row).is_some_and(|of| std::ptr::eq(of, family));
            assert!(offered().any(has), "{:?}", family.names);
        }
    }

    /// The sources of the tests that vectors may stand in.
    fn sources() -> String {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let directories = ["src/crypto/known_answers", "src/crypto/derive", "../tests/tests"];
        let files = directories.iter().flat_map(|name| std::fs::read_dir(root.join(name)).unwrap());
        let files = files.map(|file| file.unwrap().path()).filter(|path| path.is_file());
        files.map(|path| std::fs::read_to_string(path).unwrap().replace("\n//! ", " ")).collect()
    }

    #[test]
    fn tests_name_the_vectors_that_they_are_said_to_have() {
        let sources = sources();
        for label in FAMILIES.iter().flat_map(|family| family.vectors.split(", ")) {
            // Those of a crate, which has tests of its own.
            assert!(label == "Wycheproof" || sources.contains(label), "{label}");
        }
    }

    #[test]
    fn somebody_does_what_has_cryptography() {
        for row in offered() {
            let is_put_together = matches!(of(row).map(|family| &family.by), Some(By::Nobody));
            assert_eq!(libraries(row).is_empty(), is_put_together, "{}", row.name);
        }
    }
}
