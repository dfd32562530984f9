//! Mechanism parameters, one variant per shape. Doors parse their own format into these, one parser
//! per shape; what the values may be is checked where they are used.

use crate::crypto::Hash;
use crate::error::{Error, Result};

use cryptoki_sys::*;

/// A mechanism with its parameter, as a caller names it.
#[derive(Debug)]
pub struct Mechanism {
    /// CKM_….
    pub kind: u64,
    /// Its parameter.
    pub parameter: Parameter,
}

/// The forms that a mechanism's parameter has. PKCS #11 3.2, section 6.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// None at all.
    None,
    /// An initialisation vector of 16 bytes.
    Iv,
    /// None, or an initial value (KW: 8 bytes, KWP: 4).
    OptionalIv,
    /// CK_AES_CTR_PARAMS.
    Ctr,
    /// CK_GCM_PARAMS.
    Gcm,
    /// CK_RSA_PKCS_PSS_PARAMS.
    Pss,
    /// CK_RSA_PKCS_OAEP_PARAMS.
    Oaep,
    /// CK_RSA_AES_KEY_WRAP_PARAMS.
    RsaAes,
    /// CK_ECDH1_DERIVE_PARAMS.
    Ecdh,
    /// None, or CK_EDDSA_PARAMS.
    OptionalEddsa,
    /// CK_MAC_GENERAL_PARAMS: one number.
    Number,
    /// None, or CK_SIGN_ADDITIONAL_CONTEXT.
    OptionalSignContext,
    /// CK_HASH_SIGN_ADDITIONAL_CONTEXT.
    HashSignContext,
}

/// A parsed parameter.
#[derive(Debug)]
pub enum Parameter {
    /// None.
    None,
    /// [`Shape::Iv`] and [`Shape::OptionalIv`].
    Iv(Vec<u8>),
    /// [`Shape::Ctr`].
    Ctr {
        /// Width of the counter in bits.
        counter_bits: u64,
        /// The first counter block.
        block: [u8; 16],
    },
    /// [`Shape::Gcm`].
    Gcm {
        /// The nonce.
        iv: Vec<u8>,
        /// Additional authenticated data.
        aad: Vec<u8>,
        /// Length of the tag in bits.
        tag_bits: u64,
    },
    /// [`Shape::Pss`].
    Pss {
        /// The message's hash, CKM_….
        hash: u64,
        /// The mask generation function, CKG_….
        mgf: u64,
        /// Length of the salt in bytes.
        salt_len: u64,
    },
    /// [`Shape::Oaep`].
    Oaep {
        /// The label's hash, CKM_….
        hash: u64,
        /// The mask generation function, CKG_….
        mgf: u64,
        /// The label.
        label: Vec<u8>,
    },
    /// [`Shape::RsaAes`].
    RsaAes {
        /// Length of the temporary AES key in bits; `None`, for unwrapping alone, is whichever it has.
        aes_bits: Option<u64>,
        /// The label's hash, CKM_….
        hash: u64,
        /// The mask generation function, CKG_….
        mgf: u64,
        /// The label.
        label: Vec<u8>,
    },
    /// [`Shape::Ecdh`].
    Ecdh {
        /// The key derivation function, CKD_….
        kdf: u64,
        /// Shared data for it.
        shared: Vec<u8>,
        /// The other party's public key.
        public: Vec<u8>,
    },
    /// [`Shape::OptionalEddsa`], when given.
    Eddsa {
        /// Whether the message is hashed first (Ed25519ph).
        prehash: bool,
        /// The context.
        context: Vec<u8>,
    },
    /// [`Shape::Number`].
    Number(u64),
    /// [`Shape::OptionalSignContext`], when given, and [`Shape::HashSignContext`].
    SignContext {
        /// CKH_…: whether random bytes go into the signature.
        hedge: u64,
        /// The context.
        context: Vec<u8>,
        /// The hash by which the caller made the digest, CKM_…; [`Shape::HashSignContext`] alone has one.
        hash: Option<u64>,
    },
}

impl Mechanism {
    /// A mechanism without parameter.
    pub fn plain(kind: u64) -> Mechanism {
        Mechanism { kind, parameter: Parameter::None }
    }
}

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

/// The hash inside an X9.63 key derivation function; `None` for CKD_NULL.
pub(crate) fn hash_of_kdf(kdf: u64) -> Result<Option<Hash>> {
    if kdf == CKD_NULL {
        return Ok(None);
    }
    find(|(_, _, own, _)| *own == kdf && kdf != NEVER).map(Some)
}

fn find(fits: impl Fn(&(u64, u64, u64, Hash)) -> bool) -> Result<Hash> {
    HASHES.iter().find(|row| fits(row)).map(|row| row.3).ok_or(Error::MechanismParamInvalid)
}
