//! THE mechanism registry: PKCS #11 3.2, section 6. Every door reads the same rows: mechanism lists
//! and information, every Init call, CKA_ALLOWED_MECHANISMS and the README's matrix. Flags are
//! computed from what a row holds, so they cannot say what the code does not do.

use cryptoki_sys::*;

use super::ciphering;
use super::derivation;
use super::encapsulation::Kem;
use super::generation::Generator;
use super::kdf::{self, Heritage, Product, Recipe};
use super::messages::Aead;
use super::otp;
use super::params::{Mechanism, Parameter, Shape};
use super::post_quantum;
use super::scheme::Scheme;
use super::signing;
use super::transform::Transform;
use super::wrapping;
use crate::crypto::{DH_PRIME_BITS, DSA_PRIME_BITS, Hash};
use crate::error::{Error, Result};
use crate::object::material::Key;
use crate::object::otp::KEY_BYTES;
use crate::secret::Secret;

/// What a key size is counted in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Bits.
    Bits,
    /// Bytes.
    Bytes,
}

/// One mechanism.
pub struct Row {
    /// Its number, CKM_….
    pub kind: u64,
    /// Its name in the standard, or what its vendor calls it.
    pub name: &'static str,
    /// The section of PKCS #11 3.2 that defines it, or whose it is.
    pub section: &'static str,
    /// The form of its parameter.
    pub shape: Shape,
    /// The key types it takes or makes; none for a digest.
    pub keys: &'static [u64],
    /// Smallest and largest key, in `unit`; zeros for a digest.
    pub sizes: (u64, u64),
    /// What `sizes` counts.
    pub unit: Unit,
    /// The hash function inside, where the mechanism names one.
    pub hash: Option<Hash>,
    /// It is for old data alone: one setting turns all such off.
    pub legacy: bool,
    /// It digests messages.
    pub(super) digest: bool,
    /// It signs and verifies.
    pub(super) signature: Option<fn(&Row, &Parameter) -> Result<Scheme>>,
    /// Its signatures give the message back.
    pub(super) recovery: bool,
    /// It encrypts and decrypts.
    pub(super) cipher: Option<fn(&Row, &Parameter) -> Result<Transform>>,
    /// It wraps and unwraps keys.
    pub(super) wrap: Option<fn(&Row, &Parameter) -> Result<Transform>>,
    /// It encrypts and decrypts many messages, with parameters of this form.
    pub aead: Option<Aead>,
    /// Its signatures take the message whole.
    pub(super) whole: bool,
    /// It makes keys.
    pub(crate) generator: Option<Generator>,
    /// It derives secrets.
    pub(super) derive: Option<fn(&Parameter, &Key) -> Result<Secret>>,
    /// It encapsulates and decapsulates secrets.
    pub(crate) kem: Option<Kem>,
    /// It derives secrets from a secret key.
    pub(crate) recipe: Option<Recipe>,
    /// It makes the public key of a private one.
    pub(crate) publishes: bool,
}

/// What C_GetMechanismInfo tells of a mechanism.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Info {
    /// Smallest key, in the mechanism's own unit.
    pub min_key: u64,
    /// Largest key.
    pub max_key: u64,
    /// CKF_… bits.
    pub flags: Flags,
}

impl Info {
    /// Whether there is anything that the mechanism does.
    pub fn is_useful(&self) -> bool {
        Function::ALL.iter().any(|(_, flag)| self.flags & flag != 0)
    }
}

/// What mechanisms on Weierstrass curves take. PKCS #11 3.2, section 6.3.
const CURVE_FLAGS: Flags = CKF_EC_F_P | CKF_EC_ECPARAMETERS | CKF_EC_OID | CKF_EC_UNCOMPRESS;

/// CKF_… bits of a mechanism. PKCS #11 3.2, section 3.5.
pub type Flags = u64;

/// The functions that a mechanism may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // C_… of the same names.
pub enum Function {
    Digest,
    Sign,
    SignRecover,
    Verify,
    VerifyRecover,
    Encrypt,
    Decrypt,
    Wrap,
    Unwrap,
    Generate,
    GenerateKeyPair,
    Derive,
    Encapsulate,
    Decapsulate,
}

impl Function {
    const ALL: [(Function, Flags); 14] = [
        (Function::Digest, CKF_DIGEST),
        (Function::Sign, CKF_SIGN),
        (Function::SignRecover, CKF_SIGN_RECOVER),
        (Function::Verify, CKF_VERIFY),
        (Function::VerifyRecover, CKF_VERIFY_RECOVER),
        (Function::Encrypt, CKF_ENCRYPT),
        (Function::Decrypt, CKF_DECRYPT),
        (Function::Wrap, CKF_WRAP),
        (Function::Unwrap, CKF_UNWRAP),
        (Function::Generate, CKF_GENERATE),
        (Function::GenerateKeyPair, CKF_GENERATE_KEY_PAIR),
        (Function::Derive, CKF_DERIVE),
        (Function::Encapsulate, CKF_ENCAPSULATE),
        (Function::Decapsulate, CKF_DECAPSULATE),
    ];
}

impl Row {
    /// Whether the mechanism has a function.
    pub fn does(&self, function: Function) -> bool {
        match function {
            Function::Digest => self.digest,
            Function::Sign | Function::Verify => self.signature.is_some(),
            Function::SignRecover | Function::VerifyRecover => self.recovery,
            Function::Encrypt | Function::Decrypt => self.cipher.is_some(),
            Function::Wrap | Function::Unwrap => self.wrap.is_some(),
            Function::Generate => self.generator.is_some_and(|generator| !generator.makes_pairs()),
            Function::GenerateKeyPair => self.generator.is_some_and(Generator::makes_pairs),
            Function::Derive => self.derive.is_some() || self.recipe.is_some() || self.publishes,
            Function::Encapsulate | Function::Decapsulate => self.kem.is_some(),
        }
    }

    /// Whether whoever calls the function, or made what it is called with, may have chosen the new key's value.
    pub(crate) fn lets_choose(&self, function: Function) -> bool {
        match function {
            // Who knows the password knows the key.
            Function::Generate => self.generator == Some(Generator::Password),
            // In a group of one's own making any secret can be agreed on.
            Function::Derive => {
                self.shape == Shape::PublicValue || self.recipe.is_some_and(|recipe| recipe.chosen)
            }
            Function::Decapsulate => self.kem.is_some_and(Kem::lets_choose),
            Function::Unwrap => true,
            _ => false,
        }
    }

    /// Whether what it signs is a message, and not nothing, as of one-time passwords.
    pub(super) fn signs_messages(&self) -> bool {
        self.signature.is_some() && self.shape != Shape::OptionalOtp
    }

    /// Key sizes and flags.
    pub fn info(&self) -> Info {
        self.info_of(|function| self.does(function))
    }

    /// Key sizes, and the flags of those functions of which `has` says so.
    pub fn info_of(&self, has: impl Fn(Function) -> bool) -> Info {
        let functions = Function::ALL.iter().filter(|(function, _)| has(*function)).map(|(_, flag)| flag);
        let curve = if self.keys == EC { CURVE_FLAGS } else { 0 };
        let (min_key, max_key) = self.sizes;
        let flags = functions.fold(curve, |flags, flag| flags | flag);
        Info { min_key, max_key, flags: flags | self.message_flags(has) }
    }

    /// CKF_MESSAGE_… and CKF_MULTI_MESSAGE. Section 3.5.
    fn message_flags(&self, has: impl Fn(Function) -> bool) -> Flags {
        let ciphers = match self.aead {
            Some(_) if has(Function::Encrypt) => {
                CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT | CKF_MULTI_MESSAGE
            }
            _ => 0,
        };
        let signatures = match self.whole {
            _ if !has(Function::Sign) || !self.signs_messages() => 0,
            false => CKF_MESSAGE_SIGN | CKF_MESSAGE_VERIFY | CKF_MULTI_MESSAGE,
            true => CKF_MESSAGE_SIGN | CKF_MESSAGE_VERIFY,
        };
        ciphers | signatures
    }

    /// Whether a key of `bits` bits is in the mechanism's range.
    pub fn takes_bits(&self, bits: u64) -> bool {
        let size = match self.unit {
            Unit::Bits => bits,
            Unit::Bytes => bits.div_ceil(8),
        };
        self.sizes.0 <= size && size <= self.sizes.1
    }
}

/// The mechanisms on offer, in the order of their numbers.
pub fn offered() -> impl ExactSizeIterator<Item = &'static Row> {
    TABLE.iter()
}

/// The row of a mechanism.
pub fn row(kind: u64) -> Option<&'static Row> {
    TABLE.binary_search_by_key(&kind, |row| row.kind).ok().and_then(|at| TABLE.get(at))
}

/// The row of a mechanism that has `function`; [`Error::MechanismInvalid`] for any other.
pub fn row_for(mechanism: &Mechanism, function: Function) -> Result<&'static Row> {
    row_of(mechanism.kind, function)
}

/// The row of the mechanism with this number that has `function`; as [`row_for`].
pub fn row_of(kind: u64, function: Function) -> Result<&'static Row> {
    row(kind).filter(|row| row.does(function)).ok_or(Error::MechanismInvalid)
}

/// SSH's key derivation: the number that kryoptic gave it (its offset, and 1).
pub const KRM_SSHKDF_DERIVE: u64 = CKM_VENDOR_DEFINED + 485_259 + 1;

const RSA: &[u64] = &[CKK_RSA];
const DSA: &[u64] = &[CKK_DSA];
const DH: &[u64] = &[CKK_DH];
const EC: &[u64] = &[CKK_EC];
const EDWARDS: &[u64] = &[CKK_EC_EDWARDS];
const MONTGOMERY: &[u64] = &[CKK_EC_MONTGOMERY];
const AGREEING: &[u64] = &[CKK_EC, CKK_EC_MONTGOMERY];
const AES: &[u64] = &[CKK_AES];
const DES: &[u64] = &[CKK_DES];
const DES3: &[u64] = &[CKK_DES2, CKK_DES3];
const CHACHA20: &[u64] = &[CKK_CHACHA20];
const GENERIC: &[u64] = &[CKK_GENERIC_SECRET];
const ML_KEM: &[u64] = &[CKK_ML_KEM];
const ML_DSA: &[u64] = &[CKK_ML_DSA];
const SLH_DSA: &[u64] = &[CKK_SLH_DSA];

/// Every type of private key.
#[rustfmt::skip]
const ANY_PRIVATE: &[u64] = &[
    CKK_RSA, CKK_DSA, CKK_DH, CKK_EC, CKK_EC_EDWARDS, CKK_EC_MONTGOMERY, CKK_ML_KEM, CKK_ML_DSA, CKK_SLH_DSA,
];
/// Every type of secret key.
#[rustfmt::skip]
const ANY_SECRET: &[u64] = &[
    CKK_GENERIC_SECRET, CKK_AES, CKK_AES_XTS, CKK_DES, CKK_DES2, CKK_DES3, CKK_CHACHA20, CKK_POLY1305, CKK_HKDF,
    CKK_MD5_HMAC, CKK_SHA_1_HMAC, CKK_SHA224_HMAC, CKK_SHA256_HMAC, CKK_SHA384_HMAC, CKK_SHA512_HMAC,
    CKK_SHA512_224_HMAC, CKK_SHA512_256_HMAC, CKK_SHA3_224_HMAC, CKK_SHA3_256_HMAC, CKK_SHA3_384_HMAC,
    CKK_SHA3_512_HMAC,
];
/// Keys of the pseudorandom functions.
#[rustfmt::skip]
const PRF_KEYS: &[u64] = &[
    CKK_GENERIC_SECRET, CKK_AES, CKK_DES2, CKK_DES3, CKK_SHA_1_HMAC, CKK_SHA224_HMAC, CKK_SHA256_HMAC,
    CKK_SHA384_HMAC, CKK_SHA512_HMAC, CKK_SHA512_224_HMAC, CKK_SHA512_256_HMAC, CKK_SHA3_224_HMAC,
    CKK_SHA3_256_HMAC, CKK_SHA3_384_HMAC, CKK_SHA3_512_HMAC,
];
const HKDF: &[u64] = &[CKK_HKDF, CKK_GENERIC_SECRET];
const HOTP: &[u64] = &[CKK_HOTP];

/// RSA keys, in bits: below 1024 nothing is safe, above 16384 a signature takes seconds.
const RSA_BITS: (u64, u64) = (1024, 16384);
const EC_BITS: (u64, u64) = (192, 521);
/// The two sizes of Edwards and Montgomery curves.
const ED_BITS: (u64, u64) = (255, 448);
/// Pairs of any type: from the smallest curve to the largest public key of a parameter set.
const ANY_BITS: (u64, u64) = (EC_BITS.0, 8 * 2592);
/// DSA and Diffie-Hellman keys count by their primes.
const DSA_BITS: (u64, u64) = (DSA_PRIME_BITS.0 as u64, DSA_PRIME_BITS.1 as u64);
const DH_BITS: (u64, u64) = (DH_PRIME_BITS.0 as u64, DH_PRIME_BITS.1 as u64);
/// The longest group of RFC 3526 is the longest that is made; RustCrypto alone makes none above 1024 bits.
const DH_GROUP_BITS: (u64, u64) = (DH_BITS.0, 8192);
/// Generic secrets and HMAC keys, in bytes.
const SECRET_BYTES: (u64, u64) = (1, 4096);
/// HOTP's keys, in bytes.
const HOTP_BYTES: (u64, u64) = (*KEY_BYTES.start() as u64, *KEY_BYTES.end() as u64);

/// What rows begin from.
const ROW: Row = Row {
    kind: 0,
    name: "",
    section: "",
    shape: Shape::None,
    keys: &[],
    sizes: (0, 0),
    unit: Unit::Bits,
    hash: None,
    legacy: false,
    digest: false,
    signature: None,
    recovery: false,
    cipher: None,
    wrap: None,
    aead: None,
    whole: false,
    generator: None,
    derive: None,
    kem: None,
    recipe: None,
    publishes: false,
};

const fn digest(hash: Hash) -> Row {
    Row { hash: Some(hash), digest: true, ..ROW }
}

/// HMAC takes generic secrets and keys of its own type. Section 6.21 and its siblings.
const fn hmac(hash: Hash, keys: &'static [u64], shape: Shape) -> Row {
    Row {
        shape,
        keys,
        sizes: SECRET_BYTES,
        unit: Unit::Bytes,
        hash: Some(hash),
        signature: Some(signing::hmac),
        ..ROW
    }
}

const fn secret(keys: &'static [u64], sizes: (u64, u64), generator: Generator) -> Row {
    Row { keys, sizes, unit: Unit::Bytes, generator: Some(generator), ..ROW }
}

const fn rsa() -> Row {
    Row { keys: RSA, sizes: RSA_BITS, ..ROW }
}

const fn rsa_v15(hash: Hash) -> Row {
    Row { hash: Some(hash), signature: Some(signing::v15), ..rsa() }
}

const fn rsa_pss(hash: Option<Hash>) -> Row {
    Row { shape: Shape::Pss, hash, whole: hash.is_none(), signature: Some(signing::pss), ..rsa() }
}

const fn ec() -> Row {
    Row { keys: EC, sizes: EC_BITS, ..ROW }
}

const fn ecdsa(hash: Option<Hash>) -> Row {
    Row { hash, whole: hash.is_none(), signature: Some(signing::ecdsa), ..ec() }
}

/// FIPS 186-5 leaves DSA to the verification of old signatures.
const fn dsa() -> Row {
    Row { keys: DSA, sizes: DSA_BITS, legacy: true, ..ROW }
}

const fn dsa_signature(hash: Option<Hash>) -> Row {
    Row { hash, whole: hash.is_none(), signature: Some(signing::dsa), ..dsa() }
}

const fn dh() -> Row {
    Row { keys: DH, sizes: DH_BITS, ..ROW }
}

/// Post-quantum keys count by their public keys, in bytes.
const fn ml_kem() -> Row {
    Row { keys: ML_KEM, sizes: (800, 1568), unit: Unit::Bytes, ..ROW }
}

const fn ml_dsa() -> Row {
    Row { keys: ML_DSA, sizes: (1312, 2592), unit: Unit::Bytes, ..ROW }
}

const fn slh_dsa() -> Row {
    Row { keys: SLH_DSA, sizes: (32, 64), unit: Unit::Bytes, ..ROW }
}

/// A message with its context: signed as it is, hashed here, or hashed by the caller.
const fn pq_pure(row: Row) -> Row {
    Row { shape: Shape::OptionalSignContext, signature: Some(post_quantum::pure), ..row }
}

const fn pq_hashed(row: Row) -> Row {
    Row { shape: Shape::OptionalSignContext, signature: Some(post_quantum::hashed), ..row }
}

const fn pq_digest(row: Row) -> Row {
    Row { shape: Shape::HashSignContext, signature: Some(post_quantum::digest), ..row }
}

const fn aes(shape: Shape) -> Row {
    Row { shape, keys: AES, sizes: (16, 32), unit: Unit::Bytes, ..ROW }
}

const fn xts(shape: Shape) -> Row {
    Row { shape, keys: &[CKK_AES_XTS], sizes: (32, 64), unit: Unit::Bytes, ..ROW }
}

/// Of DES2 keys and DES3 keys, or of DES keys.
const fn des(keys: &'static [u64], shape: Shape) -> Row {
    let sizes = if keys.len() == 1 { (8, 8) } else { (16, 24) };
    Row { shape, keys, sizes, unit: Unit::Bytes, ..ROW }
}

const fn chacha20() -> Row {
    Row { keys: CHACHA20, sizes: (32, 32), unit: Unit::Bytes, ..ROW }
}

/// Derivations of one secret key.
const fn kdf(
    shape: Shape,
    keys: &'static [u64],
    make: fn(&kdf::Order<'_>) -> Result<Vec<Secret>>,
    heritage: Heritage,
) -> Row {
    let recipe = Recipe { make, heritage, product: Product::Keys, chosen: false };
    Row { shape, keys, sizes: SECRET_BYTES, unit: Unit::Bytes, recipe: Some(recipe), ..ROW }
}

/// Those whose result is another than a key.
const fn giving(product: Product, row: Row) -> Row {
    match row.recipe {
        Some(recipe) => Row { recipe: Some(Recipe { product, ..recipe }), ..row },
        None => row,
    }
}

/// Those whose result the caller may choose.
const fn chosen(row: Row) -> Row {
    match row.recipe {
        Some(recipe) => Row { recipe: Some(Recipe { chosen: true, ..recipe }), ..row },
        None => row,
    }
}

const fn tls(shape: Shape, make: fn(&kdf::Order<'_>) -> Result<Vec<Secret>>, heritage: Heritage) -> Row {
    kdf(shape, GENERIC, make, heritage)
}

/// The digest of a key: any secret key is one.
const fn hashed(hash: Hash) -> Row {
    Row { hash: Some(hash), ..kdf(Shape::None, ANY_SECRET, kdf::hashed, Heritage::Free) }
}

const fn encrypted(shape: Shape, keys: &'static [u64]) -> Row {
    chosen(kdf(shape, keys, kdf::encrypt_data, Heritage::Free))
}

const fn sp800_108(shape: Shape) -> Row {
    let row = kdf(shape, PRF_KEYS, kdf::sp800_108, Heritage::ByDefault);
    Row { sizes: (8 * SECRET_BYTES.0, 8 * SECRET_BYTES.1), unit: Unit::Bits, ..row }
}

const fn old(row: Row) -> Row {
    Row { legacy: true, ..row }
}

const fn key_wrap() -> Row {
    Row { wrap: Some(wrapping::key_wrap), ..aes(Shape::OptionalIv) }
}

/// A row whose number and name come from the constant.
macro_rules! rows {
    ($($kind:ident $section:literal $row:expr;)*) => {
        &[$(Row { kind: $kind, name: stringify!($kind), section: $section, ..$row }),*]
    };
}

#[rustfmt::skip]
static TABLE: &[Row] = rows! {
    CKM_RSA_PKCS_KEY_PAIR_GEN           "6.1.4"    Row { generator: Some(Generator::Rsa), ..rsa() };
    CKM_RSA_PKCS                        "6.1.6"    Row { signature: Some(signing::v15), recovery: true, whole: true, cipher: Some(ciphering::rsa_v15), wrap: Some(ciphering::rsa_v15), kem: Some(Kem::Transport), ..rsa() };
    CKM_RSA_X_509                       "6.1.12"   Row { signature: Some(signing::x509), recovery: true, whole: true, cipher: Some(ciphering::rsa_x509), kem: Some(Kem::Number), ..rsa() };
    CKM_MD5_RSA_PKCS                    "6.1.14"   old(rsa_v15(Hash::Md5));
    CKM_SHA1_RSA_PKCS                   "6.1.14"   rsa_v15(Hash::Sha1);
    CKM_RSA_PKCS_OAEP                   "6.1.8"    Row { shape: Shape::Oaep, cipher: Some(ciphering::oaep), wrap: Some(ciphering::oaep), kem: Some(Kem::Transport), ..rsa() };
    CKM_RSA_PKCS_PSS                    "6.1.10"   rsa_pss(None);
    CKM_SHA1_RSA_PKCS_PSS               "6.1.15"   rsa_pss(Some(Hash::Sha1));
    CKM_ML_KEM_KEY_PAIR_GEN             "6.68.4"   Row { generator: Some(Generator::PostQuantum(CKK_ML_KEM)), ..ml_kem() };
    CKM_DSA_KEY_PAIR_GEN                "6.2.6"    Row { generator: Some(Generator::Dsa), ..dsa() };
    CKM_DSA                             "6.2.11"   dsa_signature(None);
    CKM_DSA_SHA1                        "6.2.12"   dsa_signature(Some(Hash::Sha1));
    CKM_DSA_SHA224                      "6.2.12"   dsa_signature(Some(Hash::Sha224));
    CKM_DSA_SHA256                      "6.2.12"   dsa_signature(Some(Hash::Sha256));
    CKM_DSA_SHA384                      "6.2.12"   dsa_signature(Some(Hash::Sha384));
    CKM_DSA_SHA512                      "6.2.12"   dsa_signature(Some(Hash::Sha512));
    CKM_ML_KEM                          "6.68.5"   Row { kem: Some(Kem::Lattice), ..ml_kem() };
    CKM_DSA_SHA3_224                    "6.2.12"   dsa_signature(Some(Hash::Sha3_224));
    CKM_DSA_SHA3_256                    "6.2.12"   dsa_signature(Some(Hash::Sha3_256));
    CKM_DSA_SHA3_384                    "6.2.12"   dsa_signature(Some(Hash::Sha3_384));
    CKM_DSA_SHA3_512                    "6.2.12"   dsa_signature(Some(Hash::Sha3_512));
    CKM_ML_DSA_KEY_PAIR_GEN             "6.67.4"   Row { generator: Some(Generator::PostQuantum(CKK_ML_DSA)), ..ml_dsa() };
    CKM_ML_DSA                          "6.67.5"   pq_pure(ml_dsa());
    CKM_HASH_ML_DSA                     "6.67.6"   pq_digest(ml_dsa());
    CKM_DH_PKCS_KEY_PAIR_GEN            "6.4.8"    Row { generator: Some(Generator::Dh), ..dh() };
    CKM_DH_PKCS_DERIVE                  "6.4.10"   Row { shape: Shape::PublicValue, derive: Some(derivation::dh), ..dh() };
    CKM_HASH_ML_DSA_SHA224              "6.67.7"   pq_hashed(ml_dsa());
    CKM_HASH_ML_DSA_SHA256              "6.67.7"   pq_hashed(ml_dsa());
    CKM_HASH_ML_DSA_SHA384              "6.67.7"   pq_hashed(ml_dsa());
    CKM_HASH_ML_DSA_SHA512              "6.67.7"   pq_hashed(ml_dsa());
    CKM_HASH_ML_DSA_SHA3_224            "6.67.7"   pq_hashed(ml_dsa());
    CKM_HASH_ML_DSA_SHA3_256            "6.67.7"   pq_hashed(ml_dsa());
    CKM_HASH_ML_DSA_SHA3_384            "6.67.7"   pq_hashed(ml_dsa());
    CKM_HASH_ML_DSA_SHA3_512            "6.67.7"   pq_hashed(ml_dsa());
    CKM_HASH_ML_DSA_SHAKE128            "6.67.7"   pq_hashed(ml_dsa());
    CKM_HASH_ML_DSA_SHAKE256            "6.67.7"   pq_hashed(ml_dsa());
    CKM_SLH_DSA_KEY_PAIR_GEN            "6.69.4"   Row { generator: Some(Generator::PostQuantum(CKK_SLH_DSA)), ..slh_dsa() };
    CKM_SLH_DSA                         "6.69.5"   pq_pure(slh_dsa());
    CKM_HASH_SLH_DSA                    "6.69.6"   pq_digest(slh_dsa());
    CKM_HASH_SLH_DSA_SHA224             "6.69.7"   pq_hashed(slh_dsa());
    CKM_HASH_SLH_DSA_SHA256             "6.69.7"   pq_hashed(slh_dsa());
    CKM_HASH_SLH_DSA_SHA384             "6.69.7"   pq_hashed(slh_dsa());
    CKM_HASH_SLH_DSA_SHA512             "6.69.7"   pq_hashed(slh_dsa());
    CKM_HASH_SLH_DSA_SHA3_224           "6.69.7"   pq_hashed(slh_dsa());
    CKM_HASH_SLH_DSA_SHA3_256           "6.69.7"   pq_hashed(slh_dsa());
    CKM_HASH_SLH_DSA_SHA3_384           "6.69.7"   pq_hashed(slh_dsa());
    CKM_HASH_SLH_DSA_SHA3_512           "6.69.7"   pq_hashed(slh_dsa());
    CKM_HASH_SLH_DSA_SHAKE128           "6.69.7"   pq_hashed(slh_dsa());
    CKM_HASH_SLH_DSA_SHAKE256           "6.69.7"   pq_hashed(slh_dsa());
    CKM_SHA256_RSA_PKCS                 "6.1.14"   rsa_v15(Hash::Sha256);
    CKM_SHA384_RSA_PKCS                 "6.1.14"   rsa_v15(Hash::Sha384);
    CKM_SHA512_RSA_PKCS                 "6.1.14"   rsa_v15(Hash::Sha512);
    CKM_SHA256_RSA_PKCS_PSS             "6.1.15"   rsa_pss(Some(Hash::Sha256));
    CKM_SHA384_RSA_PKCS_PSS             "6.1.15"   rsa_pss(Some(Hash::Sha384));
    CKM_SHA512_RSA_PKCS_PSS             "6.1.15"   rsa_pss(Some(Hash::Sha512));
    CKM_SHA224_RSA_PKCS                 "6.1.14"   rsa_v15(Hash::Sha224);
    CKM_SHA224_RSA_PKCS_PSS             "6.1.15"   rsa_pss(Some(Hash::Sha224));
    CKM_SHA512_224                      "6.25.2"   digest(Hash::Sha512_224);
    CKM_SHA512_224_HMAC                 "6.25.4"   hmac(Hash::Sha512_224, &[CKK_SHA512_224_HMAC, CKK_GENERIC_SECRET], Shape::None);
    CKM_SHA512_224_HMAC_GENERAL         "6.25.3"   hmac(Hash::Sha512_224, &[CKK_SHA512_224_HMAC, CKK_GENERIC_SECRET], Shape::Number);
    CKM_SHA512_224_KEY_DERIVATION       "6.25.5"   hashed(Hash::Sha512_224);
    CKM_SHA512_256                      "6.26.2"   digest(Hash::Sha512_256);
    CKM_SHA512_256_HMAC                 "6.26.4"   hmac(Hash::Sha512_256, &[CKK_SHA512_256_HMAC, CKK_GENERIC_SECRET], Shape::None);
    CKM_SHA512_256_HMAC_GENERAL         "6.26.3"   hmac(Hash::Sha512_256, &[CKK_SHA512_256_HMAC, CKK_GENERIC_SECRET], Shape::Number);
    CKM_SHA512_256_KEY_DERIVATION       "6.26.5"   hashed(Hash::Sha512_256);
    CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE "6.40.4"   giving(Product::Master, Row { sizes: (48, 48), ..tls(Shape::TlsExtendedMaster, kdf::tls_extended_master, Heritage::Free) });
    CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE_DH "6.40.5"   giving(Product::Master, tls(Shape::TlsExtendedMaster, kdf::tls_extended_master, Heritage::Free));
    CKM_SHA3_256_RSA_PKCS               "6.1.14"   rsa_v15(Hash::Sha3_256);
    CKM_SHA3_384_RSA_PKCS               "6.1.14"   rsa_v15(Hash::Sha3_384);
    CKM_SHA3_512_RSA_PKCS               "6.1.14"   rsa_v15(Hash::Sha3_512);
    CKM_SHA3_256_RSA_PKCS_PSS           "6.1.15"   rsa_pss(Some(Hash::Sha3_256));
    CKM_SHA3_384_RSA_PKCS_PSS           "6.1.15"   rsa_pss(Some(Hash::Sha3_384));
    CKM_SHA3_512_RSA_PKCS_PSS           "6.1.15"   rsa_pss(Some(Hash::Sha3_512));
    CKM_SHA3_224_RSA_PKCS               "6.1.14"   rsa_v15(Hash::Sha3_224);
    CKM_SHA3_224_RSA_PKCS_PSS           "6.1.15"   rsa_pss(Some(Hash::Sha3_224));
    CKM_DES_KEY_GEN                     "historical" old(secret(DES, (8, 8), Generator::Secret(CKK_DES)));
    CKM_DES_ECB                         "historical" old(Row { cipher: Some(ciphering::des_ecb), wrap: Some(ciphering::des_ecb), ..des(DES, Shape::None) });
    CKM_DES_CBC                         "historical" old(Row { cipher: Some(ciphering::des_cbc), wrap: Some(ciphering::des_cbc), ..des(DES, Shape::DesIv) });
    CKM_DES_MAC                         "historical" old(Row { signature: Some(signing::des_mac), ..des(DES, Shape::None) });
    CKM_DES_MAC_GENERAL                 "historical" old(Row { signature: Some(signing::des_mac), ..des(DES, Shape::Number) });
    CKM_DES_CBC_PAD                     "historical" old(Row { cipher: Some(ciphering::des_cbc_pad), wrap: Some(ciphering::des_cbc_pad), ..des(DES, Shape::DesIv) });
    CKM_DES2_KEY_GEN                    "6.18.4"   secret(&[CKK_DES2], (16, 16), Generator::Secret(CKK_DES2));
    CKM_DES3_KEY_GEN                    "6.18.5"   secret(&[CKK_DES3], (24, 24), Generator::Secret(CKK_DES3));
    CKM_DES3_ECB                        "6.18.5"   Row { cipher: Some(ciphering::des_ecb), wrap: Some(ciphering::des_ecb), ..des(DES3, Shape::None) };
    CKM_DES3_CBC                        "6.18.6"   Row { cipher: Some(ciphering::des_cbc), wrap: Some(ciphering::des_cbc), ..des(DES3, Shape::DesIv) };
    CKM_DES3_MAC                        "6.18.1"   Row { signature: Some(signing::des_mac), ..des(DES3, Shape::None) };
    CKM_DES3_MAC_GENERAL                "6.18.1"   Row { signature: Some(signing::des_mac), ..des(DES3, Shape::Number) };
    CKM_DES3_CBC_PAD                    "6.18.6"   Row { cipher: Some(ciphering::des_cbc_pad), wrap: Some(ciphering::des_cbc_pad), ..des(DES3, Shape::DesIv) };
    CKM_DES3_CMAC_GENERAL               "6.19.3"   Row { signature: Some(signing::des3_cmac), ..des(DES3, Shape::Number) };
    CKM_DES3_CMAC                       "6.19.4"   Row { signature: Some(signing::des3_cmac), ..des(DES3, Shape::None) };
    CKM_DES_OFB64                       "6.18.7"     old(Row { cipher: Some(ciphering::des_ofb), ..des(DES, Shape::DesIv) });
    CKM_DES_CFB64                       "6.18.8"     old(Row { cipher: Some(ciphering::des_cfb), ..des(DES, Shape::DesIv) });
    CKM_MD5                             "historical" old(digest(Hash::Md5));
    CKM_MD5_HMAC                        "historical" old(hmac(Hash::Md5, &[CKK_MD5_HMAC, CKK_GENERIC_SECRET], Shape::None));
    CKM_MD5_HMAC_GENERAL                "historical" old(hmac(Hash::Md5, &[CKK_MD5_HMAC, CKK_GENERIC_SECRET], Shape::Number));
    CKM_SHA_1                           "6.20.2"   digest(Hash::Sha1);
    CKM_SHA_1_HMAC                      "6.20.4"   hmac(Hash::Sha1, &[CKK_SHA_1_HMAC, CKK_GENERIC_SECRET], Shape::None);
    CKM_SHA_1_HMAC_GENERAL              "6.20.3"   hmac(Hash::Sha1, &[CKK_SHA_1_HMAC, CKK_GENERIC_SECRET], Shape::Number);
    CKM_SHA256                          "6.22.2"   digest(Hash::Sha256);
    CKM_SHA256_HMAC                     "6.22.4"   hmac(Hash::Sha256, &[CKK_SHA256_HMAC, CKK_GENERIC_SECRET], Shape::None);
    CKM_SHA256_HMAC_GENERAL             "6.22.3"   hmac(Hash::Sha256, &[CKK_SHA256_HMAC, CKK_GENERIC_SECRET], Shape::Number);
    CKM_SHA224                          "6.21.2"   digest(Hash::Sha224);
    CKM_SHA224_HMAC                     "6.21.4"   hmac(Hash::Sha224, &[CKK_SHA224_HMAC, CKK_GENERIC_SECRET], Shape::None);
    CKM_SHA224_HMAC_GENERAL             "6.21.3"   hmac(Hash::Sha224, &[CKK_SHA224_HMAC, CKK_GENERIC_SECRET], Shape::Number);
    CKM_SHA384                          "6.23.2"   digest(Hash::Sha384);
    CKM_SHA384_HMAC                     "6.23.4"   hmac(Hash::Sha384, &[CKK_SHA384_HMAC, CKK_GENERIC_SECRET], Shape::None);
    CKM_SHA384_HMAC_GENERAL             "6.23.3"   hmac(Hash::Sha384, &[CKK_SHA384_HMAC, CKK_GENERIC_SECRET], Shape::Number);
    CKM_SHA512                          "6.24.2"   digest(Hash::Sha512);
    CKM_SHA512_HMAC                     "6.24.4"   hmac(Hash::Sha512, &[CKK_SHA512_HMAC, CKK_GENERIC_SECRET], Shape::None);
    CKM_SHA512_HMAC_GENERAL             "6.24.3"   hmac(Hash::Sha512, &[CKK_SHA512_HMAC, CKK_GENERIC_SECRET], Shape::Number);
    CKM_HOTP_KEY_GEN                    "6.53.9"   secret(HOTP, HOTP_BYTES, Generator::Secret(CKK_HOTP));
    CKM_HOTP                            "6.53.9"   Row { shape: Shape::OptionalOtp, keys: HOTP, sizes: HOTP_BYTES, unit: Unit::Bytes, signature: Some(otp::hotp), ..ROW };
    CKM_SHA3_256                        "6.29.2"   digest(Hash::Sha3_256);
    CKM_SHA3_256_HMAC                   "6.29.4"   hmac(Hash::Sha3_256, &[CKK_SHA3_256_HMAC, CKK_GENERIC_SECRET], Shape::None);
    CKM_SHA3_256_HMAC_GENERAL           "6.29.3"   hmac(Hash::Sha3_256, &[CKK_SHA3_256_HMAC, CKK_GENERIC_SECRET], Shape::Number);
    CKM_SHA3_256_KEY_GEN                "6.29.6"   secret(&[CKK_SHA3_256_HMAC], SECRET_BYTES, Generator::Secret(CKK_SHA3_256_HMAC));
    CKM_SHA3_224                        "6.28.2"   digest(Hash::Sha3_224);
    CKM_SHA3_224_HMAC                   "6.28.4"   hmac(Hash::Sha3_224, &[CKK_SHA3_224_HMAC, CKK_GENERIC_SECRET], Shape::None);
    CKM_SHA3_224_HMAC_GENERAL           "6.28.3"   hmac(Hash::Sha3_224, &[CKK_SHA3_224_HMAC, CKK_GENERIC_SECRET], Shape::Number);
    CKM_SHA3_224_KEY_GEN                "6.28.6"   secret(&[CKK_SHA3_224_HMAC], SECRET_BYTES, Generator::Secret(CKK_SHA3_224_HMAC));
    CKM_SHA3_384                        "6.30.2"   digest(Hash::Sha3_384);
    CKM_SHA3_384_HMAC                   "6.30.4"   hmac(Hash::Sha3_384, &[CKK_SHA3_384_HMAC, CKK_GENERIC_SECRET], Shape::None);
    CKM_SHA3_384_HMAC_GENERAL           "6.30.3"   hmac(Hash::Sha3_384, &[CKK_SHA3_384_HMAC, CKK_GENERIC_SECRET], Shape::Number);
    CKM_SHA3_384_KEY_GEN                "6.30.6"   secret(&[CKK_SHA3_384_HMAC], SECRET_BYTES, Generator::Secret(CKK_SHA3_384_HMAC));
    CKM_SHA3_512                        "6.31.2"   digest(Hash::Sha3_512);
    CKM_SHA3_512_HMAC                   "6.31.4"   hmac(Hash::Sha3_512, &[CKK_SHA3_512_HMAC, CKK_GENERIC_SECRET], Shape::None);
    CKM_SHA3_512_HMAC_GENERAL           "6.31.3"   hmac(Hash::Sha3_512, &[CKK_SHA3_512_HMAC, CKK_GENERIC_SECRET], Shape::Number);
    CKM_SHA3_512_KEY_GEN                "6.31.6"   secret(&[CKK_SHA3_512_HMAC], SECRET_BYTES, Generator::Secret(CKK_SHA3_512_HMAC));
    CKM_GENERIC_SECRET_KEY_GEN          "6.8.3"    secret(GENERIC, SECRET_BYTES, Generator::Secret(CKK_GENERIC_SECRET));
    CKM_CONCATENATE_BASE_AND_KEY        "6.43.3"   kdf(Shape::Handle, ANY_SECRET, kdf::concatenate_base_and_key, Heritage::Strict);
    CKM_CONCATENATE_BASE_AND_DATA       "6.43.4"   chosen(kdf(Shape::Data, ANY_SECRET, kdf::concatenate_base_and_data, Heritage::Strict));
    CKM_CONCATENATE_DATA_AND_BASE       "6.43.5"   chosen(kdf(Shape::Data, ANY_SECRET, kdf::concatenate_data_and_base, Heritage::Strict));
    CKM_XOR_BASE_AND_DATA               "6.43.6"   chosen(kdf(Shape::Data, ANY_SECRET, kdf::xor, Heritage::Strict));
    CKM_EXTRACT_KEY_FROM_KEY            "6.43.7"   kdf(Shape::Bit, ANY_SECRET, kdf::extract, Heritage::Strict);
    CKM_MD5_KEY_DERIVATION              "historical" old(hashed(Hash::Md5));
    CKM_SHA1_KEY_DERIVATION             "6.20.5"   hashed(Hash::Sha1);
    CKM_SHA256_KEY_DERIVATION           "6.22.5"   hashed(Hash::Sha256);
    CKM_SHA384_KEY_DERIVATION           "6.23.5"   hashed(Hash::Sha384);
    CKM_SHA512_KEY_DERIVATION           "6.24.5"   hashed(Hash::Sha512);
    CKM_SHA224_KEY_DERIVATION           "6.21.5"   hashed(Hash::Sha224);
    CKM_SHA3_256_KEY_DERIVATION         "6.29.5"   hashed(Hash::Sha3_256);
    CKM_SHA3_224_KEY_DERIVATION         "6.28.5"   hashed(Hash::Sha3_224);
    CKM_SHA3_384_KEY_DERIVATION         "6.30.5"   hashed(Hash::Sha3_384);
    CKM_SHA3_512_KEY_DERIVATION         "6.31.5"   hashed(Hash::Sha3_512);
    CKM_SHAKE_128_KEY_DERIVATION        "6.32.2"   kdf(Shape::None, ANY_SECRET, kdf::shake, Heritage::Free);
    CKM_SHAKE_256_KEY_DERIVATION        "6.32.2"   kdf(Shape::None, ANY_SECRET, kdf::shake, Heritage::Free);
    CKM_SP800_108_COUNTER_KDF           "6.42.3"   sp800_108(Shape::Sp800_108);
    CKM_SP800_108_FEEDBACK_KDF          "6.42.4"   sp800_108(Shape::Sp800_108Feedback);
    CKM_SP800_108_DOUBLE_PIPELINE_KDF   "6.42.5"   sp800_108(Shape::Sp800_108);
    CKM_PKCS5_PBKD2                     "6.37.4"   Row { shape: Shape::Pbkdf2, ..secret(ANY_SECRET, SECRET_BYTES, Generator::Password) };
    CKM_TLS12_MAC                       "6.40.9"   Row { shape: Shape::TlsMac, keys: GENERIC, sizes: SECRET_BYTES, unit: Unit::Bytes, signature: Some(signing::tls_mac), ..ROW };
    CKM_TLS12_KDF                       "6.40.9"   tls(Shape::TlsKdf, kdf::tls_kdf, Heritage::StrictByDefault);
    CKM_TLS12_MASTER_KEY_DERIVE         "6.40.4"   giving(Product::Master, Row { sizes: (48, 48), ..tls(Shape::TlsMaster, kdf::tls_master, Heritage::Free) });
    CKM_TLS12_KEY_AND_MAC_DERIVE        "6.40.6"   giving(Product::Connection, tls(Shape::TlsKeys, kdf::tls_keys, Heritage::Whole));
    CKM_TLS12_MASTER_KEY_DERIVE_DH      "6.40.5"   giving(Product::Master, tls(Shape::TlsMaster, kdf::tls_master, Heritage::Free));
    CKM_TLS12_KEY_SAFE_DERIVE           "6.40.7"   giving(Product::Connection, tls(Shape::TlsKeys, kdf::tls_keys, Heritage::Whole));
    CKM_TLS_MAC                         "6.40.3"   Row { shape: Shape::TlsMac, keys: GENERIC, sizes: SECRET_BYTES, unit: Unit::Bytes, signature: Some(signing::tls_mac), ..ROW };
    CKM_TLS_KDF                         "6.40.8"   tls(Shape::TlsKdf, kdf::tls_kdf, Heritage::StrictByDefault);
    CKM_EC_KEY_PAIR_GEN                 "6.3.9"    Row { generator: Some(Generator::Ec), ..ec() };
    CKM_ECDSA                           "6.3.12"   ecdsa(None);
    CKM_ECDSA_SHA1                      "6.3.13"   ecdsa(Some(Hash::Sha1));
    CKM_ECDSA_SHA224                    "6.3.13"   ecdsa(Some(Hash::Sha224));
    CKM_ECDSA_SHA256                    "6.3.13"   ecdsa(Some(Hash::Sha256));
    CKM_ECDSA_SHA384                    "6.3.13"   ecdsa(Some(Hash::Sha384));
    CKM_ECDSA_SHA512                    "6.3.13"   ecdsa(Some(Hash::Sha512));
    CKM_ECDSA_SHA3_224                  "6.3.13"   ecdsa(Some(Hash::Sha3_224));
    CKM_ECDSA_SHA3_256                  "6.3.13"   ecdsa(Some(Hash::Sha3_256));
    CKM_ECDSA_SHA3_384                  "6.3.13"   ecdsa(Some(Hash::Sha3_384));
    CKM_ECDSA_SHA3_512                  "6.3.13"   ecdsa(Some(Hash::Sha3_512));
    CKM_ECDH1_DERIVE                    "6.3.17"   Row { shape: Shape::Ecdh, keys: AGREEING, sizes: EC_BITS, derive: Some(derivation::ecdh), kem: Some(Kem::Agreement), ..ROW };
    CKM_ECDH1_COFACTOR_DERIVE           "6.3.18"   Row { shape: Shape::Ecdh, keys: AGREEING, sizes: EC_BITS, derive: Some(derivation::ecdh), kem: Some(Kem::Agreement), ..ROW };
    CKM_RSA_AES_KEY_WRAP                "6.1.19"   Row { shape: Shape::RsaAes, wrap: Some(wrapping::rsa_aes), ..rsa() };
    CKM_EC_EDWARDS_KEY_PAIR_GEN         "6.3.10"   Row { keys: EDWARDS, sizes: ED_BITS, generator: Some(Generator::Edwards), ..ROW };
    CKM_EC_MONTGOMERY_KEY_PAIR_GEN      "6.3.11"   Row { keys: MONTGOMERY, sizes: ED_BITS, generator: Some(Generator::Montgomery), ..ROW };
    CKM_EDDSA                           "6.3.14"   Row { shape: Shape::OptionalEddsa, keys: EDWARDS, sizes: ED_BITS, signature: Some(signing::eddsa), ..ROW };
    CKM_AES_XTS                         "6.15.4"   Row { cipher: Some(ciphering::xts), ..xts(Shape::Iv) };
    CKM_AES_XTS_KEY_GEN                 "6.15.3"   Row { generator: Some(Generator::Secret(CKK_AES_XTS)), ..xts(Shape::None) };
    CKM_AES_KEY_GEN                     "6.10.3"   secret(AES, (16, 32), Generator::Secret(CKK_AES));
    CKM_AES_ECB                         "6.10.4"   Row { cipher: Some(ciphering::ecb), wrap: Some(ciphering::ecb), ..aes(Shape::None) };
    CKM_AES_CBC                         "6.10.5"   Row { cipher: Some(ciphering::cbc), wrap: Some(ciphering::cbc), ..aes(Shape::Iv) };
    CKM_AES_MAC                         "6.10.10"  Row { signature: Some(signing::aes_mac), ..aes(Shape::None) };
    CKM_AES_MAC_GENERAL                 "6.10.9"   Row { signature: Some(signing::aes_mac), ..aes(Shape::Number) };
    CKM_AES_CBC_PAD                     "6.10.6"   Row { cipher: Some(ciphering::cbc_pad), wrap: Some(ciphering::cbc_pad), ..aes(Shape::Iv) };
    CKM_AES_CTR                         "6.11.3"   Row { cipher: Some(ciphering::ctr), ..aes(Shape::Ctr) };
    CKM_AES_GCM                         "6.13.2"   Row { cipher: Some(ciphering::gcm), wrap: Some(ciphering::gcm), aead: Some(Aead::Gcm), ..aes(Shape::Gcm) };
    CKM_AES_CCM                         "6.13.4"   Row { cipher: Some(ciphering::ccm), wrap: Some(ciphering::ccm), aead: Some(Aead::Ccm), ..aes(Shape::Ccm) };
    CKM_AES_CTS                         "6.12"     Row { cipher: Some(ciphering::cts), ..aes(Shape::Iv) };
    CKM_AES_CMAC                        "6.14.4"   Row { signature: Some(signing::cmac), ..aes(Shape::None) };
    CKM_AES_CMAC_GENERAL                "6.14.3"   Row { signature: Some(signing::cmac), ..aes(Shape::Number) };
    CKM_AES_GMAC                        "6.13.6"   Row { signature: Some(signing::gmac), ..aes(Shape::Gcm) };
    CKM_DES_ECB_ENCRYPT_DATA            "6.17.3"   old(encrypted(Shape::Data, DES));
    CKM_DES_CBC_ENCRYPT_DATA            "6.17.3"   old(encrypted(Shape::DesCbcData, DES));
    CKM_DES3_ECB_ENCRYPT_DATA           "6.17.3"   encrypted(Shape::Data, DES3);
    CKM_DES3_CBC_ENCRYPT_DATA           "6.17.3"   encrypted(Shape::DesCbcData, DES3);
    CKM_AES_ECB_ENCRYPT_DATA            "6.17.3"   encrypted(Shape::Data, AES);
    CKM_AES_CBC_ENCRYPT_DATA            "6.17.3"   encrypted(Shape::AesCbcData, AES);
    CKM_GOSTR3411                       "6.56.3"   old(Row { shape: Shape::OptionalGostSet, ..digest(Hash::Gostr3411) });
    CKM_GOSTR3411_HMAC                  "6.56.4"   old(hmac(Hash::Gostr3411, GENERIC, Shape::OptionalGostSet));
    CKM_CHACHA20_KEY_GEN                "6.58.4"   secret(CHACHA20, (32, 32), Generator::Secret(CKK_CHACHA20));
    CKM_CHACHA20                        "6.58.5"   Row { shape: Shape::ChaCha20, cipher: Some(ciphering::chacha20), ..chacha20() };
    CKM_POLY1305_KEY_GEN                "6.60.1"   secret(&[CKK_POLY1305], (32, 32), Generator::Secret(CKK_POLY1305));
    CKM_POLY1305                        "6.60.3"   Row { keys: &[CKK_POLY1305], sizes: (32, 32), unit: Unit::Bytes, signature: Some(signing::poly1305), ..ROW };
    CKM_DSA_PARAMETER_GEN               "6.2.7"    Row { generator: Some(Generator::Domain(CKK_DSA)), ..dsa() };
    CKM_DH_PKCS_PARAMETER_GEN           "6.4.9"    Row { sizes: DH_GROUP_BITS, generator: Some(Generator::Domain(CKK_DH)), ..dh() };
    CKM_AES_OFB                         "6.10.7"   Row { cipher: Some(ciphering::ofb), ..aes(Shape::Iv) };
    CKM_AES_CFB8                        "6.10.8"   Row { cipher: Some(ciphering::cfb8), ..aes(Shape::Iv) };
    CKM_AES_CFB128                      "6.10.8"   Row { cipher: Some(ciphering::cfb), ..aes(Shape::Iv) };
    CKM_AES_CFB1                        "6.10.8"   Row { cipher: Some(ciphering::cfb1), ..aes(Shape::Iv) };
    CKM_AES_KEY_WRAP                    "6.16.3"   key_wrap();
    CKM_AES_KEY_WRAP_PAD                "6.16.3"   key_wrap();
    CKM_AES_KEY_WRAP_KWP                "6.16.3"   key_wrap();
    CKM_SHA_1_KEY_GEN                   "6.20.6"   secret(&[CKK_SHA_1_HMAC], SECRET_BYTES, Generator::Secret(CKK_SHA_1_HMAC));
    CKM_SHA224_KEY_GEN                  "6.21.6"   secret(&[CKK_SHA224_HMAC], SECRET_BYTES, Generator::Secret(CKK_SHA224_HMAC));
    CKM_SHA256_KEY_GEN                  "6.22.6"   secret(&[CKK_SHA256_HMAC], SECRET_BYTES, Generator::Secret(CKK_SHA256_HMAC));
    CKM_SHA384_KEY_GEN                  "6.23.6"   secret(&[CKK_SHA384_HMAC], SECRET_BYTES, Generator::Secret(CKK_SHA384_HMAC));
    CKM_SHA512_KEY_GEN                  "6.24.6"   secret(&[CKK_SHA512_HMAC], SECRET_BYTES, Generator::Secret(CKK_SHA512_HMAC));
    CKM_SHA512_224_KEY_GEN              "6.25.6"   secret(&[CKK_SHA512_224_HMAC], SECRET_BYTES, Generator::Secret(CKK_SHA512_224_HMAC));
    CKM_SHA512_256_KEY_GEN              "6.26.6"   secret(&[CKK_SHA512_256_HMAC], SECRET_BYTES, Generator::Secret(CKK_SHA512_256_HMAC));
    CKM_CHACHA20_POLY1305               "6.61.2"   Row { shape: Shape::Aead, cipher: Some(ciphering::chacha20_poly1305), aead: Some(Aead::ChaCha20Poly1305), ..chacha20() };
    CKM_HKDF_DERIVE                     "6.62.3"   kdf(Shape::Hkdf, HKDF, kdf::hkdf, Heritage::Free);
    CKM_HKDF_DATA                       "6.62.4"   giving(Product::Data, kdf(Shape::Hkdf, HKDF, kdf::hkdf, Heritage::Free));
    CKM_HKDF_KEY_GEN                    "6.62.5"   secret(&[CKK_HKDF], SECRET_BYTES, Generator::Secret(CKK_HKDF));
    CKM_PUB_KEY_FROM_PRIV_KEY           "6.43.8"   Row { keys: ANY_PRIVATE, sizes: ANY_BITS, publishes: true, ..ROW };
    KRM_SSHKDF_DERIVE                   "vendor"   kdf(Shape::Ssh, GENERIC, kdf::ssh, Heritage::Free);
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unique_and_in_order() {
        assert!(TABLE.windows(2).all(|pair| pair[0].kind < pair[1].kind), "binary search relies on it");
    }

    #[test]
    fn every_row_does_something_with_keys_of_some_size() {
        for row in TABLE {
            assert_ne!(row.info().flags, 0, "{}", row.name);
            assert_eq!(row.keys.is_empty(), row.does(Function::Digest), "{}", row.name);
            assert_eq!(row.sizes.1 == 0, row.does(Function::Digest), "{}", row.name);
            assert!(row.sizes.0 <= row.sizes.1, "{}", row.name);
        }
    }

    #[test]
    fn a_row_is_found_by_its_number() {
        for expected in TABLE {
            assert_eq!(row(expected.kind).map(|row| row.name), Some(expected.name));
        }
        assert!(row(CKM_VENDOR_DEFINED).is_none());
    }
}
