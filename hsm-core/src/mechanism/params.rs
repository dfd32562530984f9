//! Mechanism parameters, one variant per shape. Doors parse their own format into these, one parser
//! per shape; what the values may be is checked where they are used.

use crate::crypto::{self, Hash};
use crate::error::{Error, Result};
use crate::object::Template;
use crate::secret::Secret;

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
    /// An initialisation vector of 8 bytes.
    DesIv,
    /// CK_CCM_PARAMS.
    Ccm,
    /// CK_CHACHA20_PARAMS.
    ChaCha20,
    /// CK_SALSA20_CHACHA20_POLY1305_PARAMS.
    Aead,
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
    /// CK_EXTRACT_PARAMS: the number of a bit.
    Bit,
    /// The public value of the other party, as a big integer.
    PublicValue,
    /// CK_OBJECT_HANDLE of another key.
    Handle,
    /// CK_KEY_DERIVATION_STRING_DATA.
    Data,
    /// CK_AES_CBC_ENCRYPT_DATA_PARAMS.
    AesCbcData,
    /// CK_DES_CBC_ENCRYPT_DATA_PARAMS.
    DesCbcData,
    /// CK_HKDF_PARAMS.
    Hkdf,
    /// CK_PKCS5_PBKD2_PARAMS2, or CK_PKCS5_PBKD2_PARAMS.
    Pbkdf2,
    /// CK_SP800_108_KDF_PARAMS.
    Sp800_108,
    /// CK_SP800_108_FEEDBACK_KDF_PARAMS.
    Sp800_108Feedback,
    /// CK_TLS12_MASTER_KEY_DERIVE_PARAMS.
    TlsMaster,
    /// CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS.
    TlsExtendedMaster,
    /// CK_TLS12_KEY_MAT_PARAMS.
    TlsKeys,
    /// CK_TLS_KDF_PARAMS.
    TlsKdf,
    /// CK_TLS_MAC_PARAMS.
    TlsMac,
}

/// A parsed parameter.
#[derive(Debug)]
pub enum Parameter {
    /// None.
    None,
    /// [`Shape::Iv`], [`Shape::DesIv`] and [`Shape::OptionalIv`].
    Iv(Vec<u8>),
    /// [`Shape::Ccm`].
    Ccm {
        /// Length of the plaintext in bytes.
        data_len: u64,
        /// The nonce.
        nonce: Vec<u8>,
        /// Additional authenticated data.
        aad: Vec<u8>,
        /// Length of the tag in bytes.
        tag_len: u64,
    },
    /// [`Shape::ChaCha20`].
    ChaCha20 {
        /// The first block's number, its lowest byte first.
        counter: Vec<u8>,
        /// The nonce.
        nonce: Vec<u8>,
    },
    /// [`Shape::Aead`].
    Aead {
        /// The nonce.
        nonce: Vec<u8>,
        /// Additional authenticated data.
        aad: Vec<u8>,
    },
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
        /// Whether the message is hashed first (Ed25519ph, Ed448ph).
        prehash: bool,
        /// The context.
        context: Vec<u8>,
    },
    /// [`Shape::Number`] and [`Shape::Bit`].
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
    /// [`Shape::Handle`].
    Handle(u64),
    /// [`Shape::Data`].
    Data(Vec<u8>),
    /// [`Shape::PublicValue`].
    PublicValue(Vec<u8>),
    /// [`Shape::AesCbcData`] and [`Shape::DesCbcData`].
    CbcData {
        /// The initialisation vector.
        iv: Vec<u8>,
        /// What is encrypted.
        data: Vec<u8>,
    },
    /// [`Shape::Hkdf`].
    Hkdf {
        /// Whether the base key is extracted from.
        extract: bool,
        /// Whether what comes of that is expanded.
        expand: bool,
        /// The hash, CKM_….
        hash: u64,
        /// The salt of the extraction.
        salt: Salt,
        /// The context of the expansion.
        info: Vec<u8>,
    },
    /// [`Shape::Pbkdf2`].
    Pbkdf2 {
        /// The pseudorandom function, CKP_….
        prf: u64,
        /// The salt.
        salt: Vec<u8>,
        /// The iteration count.
        iterations: u64,
        /// The password.
        password: Secret,
    },
    /// [`Shape::Sp800_108`] and [`Shape::Sp800_108Feedback`].
    Sp800_108 {
        /// The pseudorandom function, CKM_….
        prf: u64,
        /// The feedback mode's initialisation vector.
        iv: Vec<u8>,
        /// What the function is given.
        fields: Vec<PrfField>,
        /// Templates of further keys.
        more: Vec<Template>,
    },
    /// [`Shape::TlsMaster`].
    TlsMaster {
        /// The hash, CKM_….
        hash: u64,
        /// The client's random bytes.
        client: Vec<u8>,
        /// The server's random bytes.
        server: Vec<u8>,
        /// Whether the version is asked for.
        version: bool,
    },
    /// [`Shape::TlsExtendedMaster`].
    TlsExtendedMaster {
        /// The hash, CKM_….
        hash: u64,
        /// The hash of the handshake.
        session: Vec<u8>,
        /// Whether the version is asked for.
        version: bool,
    },
    /// [`Shape::TlsKeys`].
    TlsKeys {
        /// Length of a MAC key in bits.
        mac_bits: u64,
        /// Length of a key in bits.
        key_bits: u64,
        /// Length of an initialisation vector in bits.
        iv_bits: u64,
        /// The hash, CKM_….
        hash: u64,
        /// The client's random bytes.
        client: Vec<u8>,
        /// The server's random bytes.
        server: Vec<u8>,
    },
    /// [`Shape::TlsKdf`].
    TlsKdf {
        /// The hash, CKM_…, or CKM_TLS_PRF.
        prf: u64,
        /// The label.
        label: Vec<u8>,
        /// The client's random bytes.
        client: Vec<u8>,
        /// The server's random bytes.
        server: Vec<u8>,
        /// The context, if there is one.
        context: Option<Vec<u8>>,
    },
    /// [`Shape::TlsMac`].
    TlsMac {
        /// The hash, CKM_…, or CKM_TLS_PRF.
        prf: u64,
        /// Length of the MAC in bytes.
        length: u64,
        /// 1: the server's, 2: the client's.
        side: u64,
    },
}

/// Where HKDF's salt comes from.
#[derive(Debug)]
pub enum Salt {
    /// There is none: as many zeros as the hash is long.
    None,
    /// It is given.
    Data(Vec<u8>),
    /// It is the value of a key, named by handle.
    Key(u64),
}

/// A part of what the pseudorandom function of SP 800-108 is given. Section 6.42.
#[derive(Debug)]
pub enum PrfField {
    /// The iteration variable: the counter mode's has a form.
    Iteration(Option<crypto::Number>),
    /// The counter of the other modes.
    Counter(crypto::Number),
    /// The length of what is derived.
    Length(crypto::Number, crypto::Extent),
    /// Bytes.
    Bytes(Vec<u8>),
    /// The value of a key, named by handle.
    Key(u64),
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
