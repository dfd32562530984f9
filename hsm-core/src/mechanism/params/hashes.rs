//! The hashes that parameters name: by digest mechanism, by mask generation function, by key derivation function.

use cryptoki_sys::*;

use crate::crypto::Hash;
use crate::error::{Error, Result};

/// The digest mechanisms with their functions and mask generation functions.
const HASHES: [(u64, u64, u64, Hash); 12] = [
    (CKM_MD5, NEVER, NEVER, Hash::Md5),
    (CKM_SHA_1, CKG_MGF1_SHA1, CKD_SHA1_KDF, Hash::Sha1),
    (CKM_SHA224, CKG_MGF1_SHA224, CKD_SHA224_KDF, Hash::Sha224),
    (CKM_SHA256, CKG_MGF1_SHA256, CKD_SHA256_KDF, Hash::Sha256),
    (CKM_SHA384, CKG_MGF1_SHA384, CKD_SHA384_KDF, Hash::Sha384),
    (CKM_SHA512, CKG_MGF1_SHA512, CKD_SHA512_KDF, Hash::Sha512),
    (CKM_SHA512_224, NEVER, NEVER, Hash::Sha512_224),
    (CKM_SHA512_256, NEVER, NEVER, Hash::Sha512_256),
    (CKM_SHA3_224, CKG_MGF1_SHA3_224, CKD_SHA3_224_KDF, Hash::Sha3_224),
    (CKM_SHA3_256, CKG_MGF1_SHA3_256, CKD_SHA3_256_KDF, Hash::Sha3_256),
    (CKM_SHA3_384, CKG_MGF1_SHA3_384, CKD_SHA3_384_KDF, Hash::Sha3_384),
    (CKM_SHA3_512, CKG_MGF1_SHA3_512, CKD_SHA3_512_KDF, Hash::Sha3_512),
];

/// The standard names no MGF and no KDF on this hash.
const NEVER: u64 = CK_UNAVAILABLE_INFORMATION;

/// The hash that a digest mechanism names.
pub(crate) fn hash_of_mechanism(kind: u64) -> Result<Hash> {
    find(|(mechanism, ..)| *mechanism == kind)
}

/// The hash inside an MGF1.
pub(crate) fn hash_of_mgf(mgf: u64) -> Result<Hash> {
    find(|(_, own, ..)| *own == mgf && mgf != NEVER)
}

/// A key derivation function on a hash, by which a shared secret becomes a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kdf {
    /// ANSI X9.63: the counter stands behind the secret.
    X963(Hash),
    /// NIST SP 800-56C, section 4: the counter stands before the secret.
    OneStep(Hash),
}

/// The CKD_…_SP800 functions with their hashes.
const ONE_STEP: [(u64, Hash); 9] = [
    (CKD_SHA1_KDF_SP800, Hash::Sha1),
    (CKD_SHA224_KDF_SP800, Hash::Sha224),
    (CKD_SHA256_KDF_SP800, Hash::Sha256),
    (CKD_SHA384_KDF_SP800, Hash::Sha384),
    (CKD_SHA512_KDF_SP800, Hash::Sha512),
    (CKD_SHA3_224_KDF_SP800, Hash::Sha3_224),
    (CKD_SHA3_256_KDF_SP800, Hash::Sha3_256),
    (CKD_SHA3_384_KDF_SP800, Hash::Sha3_384),
    (CKD_SHA3_512_KDF_SP800, Hash::Sha3_512),
];

/// The key derivation function that a CKD_… names; `None` for CKD_NULL.
pub(crate) fn kdf(number: u64) -> Result<Option<Kdf>> {
    if number == CKD_NULL {
        return Ok(None);
    }
    match ONE_STEP.iter().find(|(own, _)| *own == number) {
        Some((_, hash)) => Ok(Some(Kdf::OneStep(*hash))),
        None => find(|(_, _, own, _)| *own == number && number != NEVER).map(|hash| Some(Kdf::X963(hash))),
    }
}

fn find(fits: impl Fn(&(u64, u64, u64, Hash)) -> bool) -> Result<Hash> {
    HASHES.iter().find(|row| fits(row)).map(|row| row.3).ok_or(Error::MechanismParamInvalid)
}
