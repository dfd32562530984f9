//! What the module must offer: the mechanisms, hash by hash and one by one, and what the tests know
//! of each hash. Tests of a family go through these rows.

use cryptoki_sys::*;

use crate::session::Session;

/// A hash function and the mechanisms built on it.
#[derive(Clone, Copy, Debug)]
pub struct Hash {
    /// Its name, as OpenSSL's command line knows it.
    pub name: &'static str,
    /// Length of its digest in bytes.
    pub length: usize,
    /// The digest.
    pub digest: CK_MECHANISM_TYPE,
    /// HMAC.
    pub hmac: CK_MECHANISM_TYPE,
    /// RSASSA-PKCS1-v1_5, RSASSA-PSS, ECDSA, the MGF and the key derivation function; SHA-512/224 and
    /// SHA-512/256 have none in the standard.
    pub keyed: Option<Keyed>,
}

/// The mechanisms and parameters that name a hash.
#[derive(Clone, Copy, Debug)]
pub struct Keyed {
    /// RSASSA-PKCS1-v1_5 with the hash.
    pub rsa: CK_MECHANISM_TYPE,
    /// RSASSA-PSS with the hash.
    pub pss: CK_MECHANISM_TYPE,
    /// ECDSA with the hash.
    pub ecdsa: CK_MECHANISM_TYPE,
    /// MGF1 with the hash.
    pub mgf: CK_ULONG,
    /// The X9.63 key derivation function with the hash.
    pub kdf: CK_EC_KDF_TYPE,
}

macro_rules! hash {
    ($name:literal $length:literal $digest:ident $hmac:ident) => {
        Hash { name: $name, length: $length, digest: $digest, hmac: $hmac, keyed: None }
    };
    ($name:literal $length:literal $digest:ident $hmac:ident $rsa:ident $pss:ident $ecdsa:ident $mgf:ident $kdf:ident) => {
        Hash {
            name: $name,
            length: $length,
            digest: $digest,
            hmac: $hmac,
            keyed: Some(Keyed { rsa: $rsa, pss: $pss, ecdsa: $ecdsa, mgf: $mgf, kdf: $kdf }),
        }
    };
}

/// Every hash function.
#[rustfmt::skip]
pub const HASHES: [Hash; 11] = [
    hash!("sha1"       20 CKM_SHA_1      CKM_SHA_1_HMAC      CKM_SHA1_RSA_PKCS     CKM_SHA1_RSA_PKCS_PSS     CKM_ECDSA_SHA1     CKG_MGF1_SHA1     CKD_SHA1_KDF),
    hash!("sha224"     28 CKM_SHA224     CKM_SHA224_HMAC     CKM_SHA224_RSA_PKCS   CKM_SHA224_RSA_PKCS_PSS   CKM_ECDSA_SHA224   CKG_MGF1_SHA224   CKD_SHA224_KDF),
    hash!("sha256"     32 CKM_SHA256     CKM_SHA256_HMAC     CKM_SHA256_RSA_PKCS   CKM_SHA256_RSA_PKCS_PSS   CKM_ECDSA_SHA256   CKG_MGF1_SHA256   CKD_SHA256_KDF),
    hash!("sha384"     48 CKM_SHA384     CKM_SHA384_HMAC     CKM_SHA384_RSA_PKCS   CKM_SHA384_RSA_PKCS_PSS   CKM_ECDSA_SHA384   CKG_MGF1_SHA384   CKD_SHA384_KDF),
    hash!("sha512"     64 CKM_SHA512     CKM_SHA512_HMAC     CKM_SHA512_RSA_PKCS   CKM_SHA512_RSA_PKCS_PSS   CKM_ECDSA_SHA512   CKG_MGF1_SHA512   CKD_SHA512_KDF),
    hash!("sha3-224"   28 CKM_SHA3_224   CKM_SHA3_224_HMAC   CKM_SHA3_224_RSA_PKCS CKM_SHA3_224_RSA_PKCS_PSS CKM_ECDSA_SHA3_224 CKG_MGF1_SHA3_224 CKD_SHA3_224_KDF),
    hash!("sha3-256"   32 CKM_SHA3_256   CKM_SHA3_256_HMAC   CKM_SHA3_256_RSA_PKCS CKM_SHA3_256_RSA_PKCS_PSS CKM_ECDSA_SHA3_256 CKG_MGF1_SHA3_256 CKD_SHA3_256_KDF),
    hash!("sha3-384"   48 CKM_SHA3_384   CKM_SHA3_384_HMAC   CKM_SHA3_384_RSA_PKCS CKM_SHA3_384_RSA_PKCS_PSS CKM_ECDSA_SHA3_384 CKG_MGF1_SHA3_384 CKD_SHA3_384_KDF),
    hash!("sha3-512"   64 CKM_SHA3_512   CKM_SHA3_512_HMAC   CKM_SHA3_512_RSA_PKCS CKM_SHA3_512_RSA_PKCS_PSS CKM_ECDSA_SHA3_512 CKG_MGF1_SHA3_512 CKD_SHA3_512_KDF),
    hash!("sha512-224" 28 CKM_SHA512_224 CKM_SHA512_224_HMAC),
    hash!("sha512-256" 32 CKM_SHA512_256 CKM_SHA512_256_HMAC),
];

/// SHA-256, where a test needs any one hash.
pub const SHA256: Hash = HASHES[2];

/// The mechanisms without a hash in their name, with the operations that each is for.
#[rustfmt::skip]
pub const SINGLE: [(CK_MECHANISM_TYPE, CK_FLAGS); 23] = [
    (CKM_RSA_PKCS_KEY_PAIR_GEN,      CKF_GENERATE_KEY_PAIR),
    (CKM_RSA_PKCS,                   CIPHER | SIGNATURE | TRANSPORT),
    (CKM_RSA_X_509,                  CIPHER | SIGNATURE),
    (CKM_RSA_PKCS_OAEP,              CIPHER | TRANSPORT),
    (CKM_RSA_PKCS_PSS,               SIGNATURE),
    (CKM_EC_KEY_PAIR_GEN,            CKF_GENERATE_KEY_PAIR),
    (CKM_ECDSA,                      SIGNATURE),
    (CKM_ECDH1_DERIVE,               CKF_DERIVE),
    (CKM_EC_EDWARDS_KEY_PAIR_GEN,    CKF_GENERATE_KEY_PAIR),
    (CKM_EDDSA,                      SIGNATURE),
    (CKM_EC_MONTGOMERY_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR),
    (CKM_AES_KEY_GEN,                CKF_GENERATE),
    (CKM_AES_ECB,                    CIPHER),
    (CKM_AES_CBC,                    CIPHER),
    (CKM_AES_CBC_PAD,                CIPHER | TRANSPORT),
    (CKM_AES_CTR,                    CIPHER),
    (CKM_AES_GCM,                    CIPHER),
    (CKM_AES_CMAC,                   SIGNATURE),
    (CKM_AES_KEY_WRAP,               TRANSPORT),
    (CKM_AES_KEY_WRAP_KWP,           TRANSPORT),
    (CKM_GENERIC_SECRET_KEY_GEN,     CKF_GENERATE),
    (CKM_SHA256,                     CKF_DIGEST),
    (CKM_SHA256_HMAC,                SIGNATURE),
];

const CIPHER: CK_FLAGS = CKF_ENCRYPT | CKF_DECRYPT;
const SIGNATURE: CK_FLAGS = CKF_SIGN | CKF_VERIFY;
const TRANSPORT: CK_FLAGS = CKF_WRAP | CKF_UNWRAP;

/// Whether the session's token offers a mechanism. That everything here is offered is one test's
/// concern; the others test what is.
pub fn offers(session: &Session<'_>, kind: CK_MECHANISM_TYPE) -> bool {
    let slot = session.info().expect("C_GetSessionInfo").slotID;
    session.module.mechanism_info(slot, kind).is_ok()
}

/// The rows whose mechanism the token offers, at least one.
pub fn offered<T: Copy>(
    session: &Session<'_>,
    rows: impl IntoIterator<Item = T>,
    mechanism: impl Fn(&T) -> CK_MECHANISM_TYPE,
) -> Vec<T> {
    let rows: Vec<T> = rows.into_iter().filter(|row| offers(session, mechanism(row))).collect();
    assert!(!rows.is_empty(), "the token offers no mechanism of this family");
    rows
}

/// The hashes that have keyed mechanisms.
pub fn keyed() -> impl Iterator<Item = (Hash, Keyed)> {
    HASHES.into_iter().filter_map(|hash| hash.keyed.map(|keyed| (hash, keyed)))
}

/// Every mechanism that the module must offer.
pub fn required() -> Vec<CK_MECHANISM_TYPE> {
    let mut all: Vec<_> = SINGLE.iter().map(|(kind, _)| *kind).collect();
    all.extend(HASHES.iter().flat_map(|hash| [hash.digest, hash.hmac]));
    all.extend(keyed().flat_map(|(_, keyed)| [keyed.rsa, keyed.pss, keyed.ecdsa]));
    all.sort_unstable();
    all.dedup();
    all
}
