//! Cryptographic Parameters: KMIP 1.4, section 3.6; 2.1, section 4.14. What they say, and, by kind of
//! operation, what the core does for it (`ciphers`, `signatures`).

use cryptoki_sys::*;
use hsm_core::crypto::Hash;
use hsm_core::mechanism::{Mechanism, Parameter};
use hsm_core::object::Object;

use crate::attributes::read::first_kept;
use crate::failure::{Failure, Outcome};
use crate::ttlv::enums::{
    BlockCipherMode as Mode, CryptographicAlgorithm as Algorithm, DigitalSignatureAlgorithm,
    HashingAlgorithm, MaskGenerator, PaddingMethod as Padding, ResultReason as Reason,
};
use crate::ttlv::{Item, Malformed, Tag};

pub mod ciphers;
pub mod signatures;

/// A hash function, its mechanism, and the mask generation function on it, where PKCS #11 has one. KMIP
/// 1.4, section 9.1.3.2.16.
#[rustfmt::skip]
const HASHES: &[(HashingAlgorithm, Hash, u64, Option<u64>)] = &[
    (HashingAlgorithm::MD5,         Hash::Md5,        CKM_MD5,        None),
    (HashingAlgorithm::SHA_1,       Hash::Sha1,       CKM_SHA_1,      Some(CKG_MGF1_SHA1)),
    (HashingAlgorithm::SHA_224,     Hash::Sha224,     CKM_SHA224,     Some(CKG_MGF1_SHA224)),
    (HashingAlgorithm::SHA_256,     Hash::Sha256,     CKM_SHA256,     Some(CKG_MGF1_SHA256)),
    (HashingAlgorithm::SHA_384,     Hash::Sha384,     CKM_SHA384,     Some(CKG_MGF1_SHA384)),
    (HashingAlgorithm::SHA_512,     Hash::Sha512,     CKM_SHA512,     Some(CKG_MGF1_SHA512)),
    (HashingAlgorithm::SHA_512_224, Hash::Sha512_224, CKM_SHA512_224, None),
    (HashingAlgorithm::SHA_512_256, Hash::Sha512_256, CKM_SHA512_256, None),
    (HashingAlgorithm::SHA3_224,    Hash::Sha3_224,   CKM_SHA3_224,   Some(CKG_MGF1_SHA3_224)),
    (HashingAlgorithm::SHA3_256,    Hash::Sha3_256,   CKM_SHA3_256,   Some(CKG_MGF1_SHA3_256)),
    (HashingAlgorithm::SHA3_384,    Hash::Sha3_384,   CKM_SHA3_384,   Some(CKG_MGF1_SHA3_384)),
    (HashingAlgorithm::SHA3_512,    Hash::Sha3_512,   CKM_SHA3_512,   Some(CKG_MGF1_SHA3_512)),
];

/// The hash functions of HMAC algorithms.
#[rustfmt::skip]
const HMACS: &[(Algorithm, Hash)] = &[
    (Algorithm::HMAC_MD5,      Hash::Md5),
    (Algorithm::HMAC_SHA1,     Hash::Sha1),
    (Algorithm::HMAC_SHA224,   Hash::Sha224),
    (Algorithm::HMAC_SHA256,   Hash::Sha256),
    (Algorithm::HMAC_SHA384,   Hash::Sha384),
    (Algorithm::HMAC_SHA512,   Hash::Sha512),
    (Algorithm::HMAC_SHA3_224, Hash::Sha3_224),
    (Algorithm::HMAC_SHA3_256, Hash::Sha3_256),
    (Algorithm::HMAC_SHA3_384, Hash::Sha3_384),
    (Algorithm::HMAC_SHA3_512, Hash::Sha3_512),
];

/// The hash function of an HMAC algorithm; `None` for others.
pub fn hash_of_hmac(algorithm: Algorithm) -> Option<Hash> {
    HMACS.iter().find(|(own, _)| *own == algorithm).map(|(_, hash)| *hash)
}

/// What Cryptographic Parameters say. The key's role is nothing to the operations.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parameters<'a> {
    /// Block Cipher Mode.
    pub mode: Option<Mode>,
    /// Padding Method.
    pub padding: Option<Padding>,
    /// Hashing Algorithm.
    pub hash: Option<Hash>,
    /// Digital Signature Algorithm.
    pub signature: Option<DigitalSignatureAlgorithm>,
    /// Cryptographic Algorithm.
    pub algorithm: Option<Algorithm>,
    /// Random IV.
    pub random_iv: bool,
    /// IV Length, in bits.
    pub iv_bits: Option<usize>,
    /// Tag Length, in bytes.
    pub tag_bytes: Option<usize>,
    /// Fixed Field Length, in bits.
    pub fixed_bits: Option<usize>,
    /// Invocation Field Length, in bits.
    pub invocation_bits: Option<usize>,
    /// Counter Length, in bits.
    pub counter_bits: Option<usize>,
    /// Initial Counter Value.
    pub initial_counter: Option<u32>,
    /// Salt Length, in bytes.
    pub salt_bytes: Option<usize>,
    /// Mask Generator Hashing Algorithm.
    pub mask_hash: Option<Hash>,
    /// P Source: OAEP's label.
    pub label: &'a [u8],
}

impl<'a> Parameters<'a> {
    /// Reads them; all empty where there are none.
    ///
    /// # Errors
    /// Fields that are malformed, or say what no operation here does.
    pub fn read(item: Option<&'a Item>) -> Outcome<Parameters<'a>> {
        let mut read = Parameters::default();
        let Some(item) = item else { return Ok(read) };
        for item in item.as_structure()? {
            match item.tag {
                Tag::BLOCK_CIPHER_MODE => read.mode = Some(item.as_value_of()?),
                Tag::PADDING_METHOD => read.padding = Some(item.as_value_of()?),
                Tag::HASHING_ALGORITHM => read.hash = Some(hash(item)?),
                Tag::KEY_ROLE_TYPE => {}
                Tag::DIGITAL_SIGNATURE_ALGORITHM => read.signature = Some(item.as_value_of()?),
                Tag::CRYPTOGRAPHIC_ALGORITHM => read.algorithm = Some(item.as_value_of()?),
                Tag::RANDOM_IV => read.random_iv = item.as_boolean()?,
                Tag::IV_LENGTH => read.iv_bits = Some(length(item)?),
                Tag::TAG_LENGTH => read.tag_bytes = Some(length(item)?),
                Tag::FIXED_FIELD_LENGTH => read.fixed_bits = Some(length(item)?),
                Tag::INVOCATION_FIELD_LENGTH => read.invocation_bits = Some(length(item)?),
                Tag::COUNTER_LENGTH => read.counter_bits = Some(length(item)?),
                // An Integer is signed; a counter is not.
                Tag::INITIAL_COUNTER_VALUE => read.initial_counter = Some(item.as_integer()?.cast_unsigned()),
                Tag::SALT_LENGTH => read.salt_bytes = Some(length(item)?),
                // There is one alone.
                Tag::MASK_GENERATOR => drop(item.as_value_of::<MaskGenerator>()?),
                Tag::MASK_GENERATOR_HASHING_ALGORITHM => read.mask_hash = Some(hash(item)?),
                Tag::P_SOURCE => read.label = item.as_bytes()?,
                Tag::TRAILER_FIELD => trailer(item)?,
                tag => return Err(Malformed::Unexpected(tag).into()),
            }
        }
        Ok(read)
    }
}

/// The first Cryptographic Parameters that an object was given, which count where a request brings none.
pub fn of_object(request: Option<&Item>, object: &Object) -> Option<Item> {
    match request {
        Some(request) if !request.items().is_empty() => None,
        _ => first_kept(object, Tag::CRYPTOGRAPHIC_PARAMETERS),
    }
}

/// A failure for parameters that the standard has and nothing here does.
pub(crate) fn not_offered(text: &str) -> Failure {
    Failure::new(Reason::UnsupportedCryptographicParameters, text)
}

/// A failure for parameters that lack something or contradict the key.
pub(crate) fn bad(text: &str) -> Failure {
    Failure::new(Reason::BadCryptographicParameters, text)
}

fn length(item: &Item) -> Outcome<usize> {
    usize::try_from(item.as_integer()?).map_err(|_| bad("a length is negative"))
}

/// The trailer of PSS: 1 stands for the byte BC (RFC 8017, appendix A.2.3), the only one in use.
fn trailer(item: &Item) -> Outcome<()> {
    if matches!(item.as_integer()?, 1 | 0xbc) {
        Ok(())
    } else {
        Err(not_offered("the trailer is not offered"))
    }
}

fn hash(item: &Item) -> Outcome<Hash> {
    let named: HashingAlgorithm = item.as_value_of()?;
    let row = HASHES.iter().find(|(own, ..)| *own == named);
    row.map(|(_, hash, ..)| *hash).ok_or_else(|| not_offered("the hash is not offered"))
}

/// How RSA wraps keys, as a mechanism: OAEP or PKCS #1 v1.5, which is meant where no padding is named.
///
/// # Errors
/// [`Reason::UnsupportedCryptographicParameters`].
pub fn rsa_encryption(parameters: Option<&Item>) -> Outcome<Mechanism> {
    let parameters = Parameters::read(parameters)?;
    match parameters.padding {
        Some(Padding::PKCS1V1_5) | None => Ok(Mechanism::plain(CKM_RSA_PKCS)),
        Some(Padding::None) => Ok(Mechanism::plain(CKM_RSA_X_509)),
        Some(Padding::OAEP) => {
            let (hash, mask_hash) = ciphers::oaep_hashes(&parameters);
            let row = |hash| HASHES.iter().find(|(_, own, ..)| *own == hash);
            let kind = row(hash).map(|(_, _, kind, _)| *kind);
            let mgf = row(mask_hash).and_then(|(_, _, _, mgf)| *mgf);
            let (Some(hash), Some(mgf)) = (kind, mgf) else {
                return Err(not_offered("the hash is not offered"));
            };
            let label = parameters.label.to_vec();
            Ok(Mechanism { kind: CKM_RSA_PKCS_OAEP, parameter: Parameter::Oaep { hash, mgf, label } })
        }
        Some(_) => Err(not_offered("RSA does not encrypt with this padding")),
    }
}
