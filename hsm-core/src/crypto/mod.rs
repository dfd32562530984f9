//! Cryptography as pure functions: key bytes and parameters in, operation out. Knows no objects, no
//! sessions and no mechanism numbers.
//!
//! Two providers stand behind one trait: AWS-LC (`aws_lc`) and RustCrypto (`rust_crypto`). The
//! functions of `choice` (re-exported here) ask them in turn; where both offer something, tests
//! compare them (`oracle`). No primitive is written here.
#![expect(clippy::len_without_is_empty, reason = "keys, digests and tags are never empty")]

#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::secret::Secret;

#[cfg(feature = "aws-lc")]
mod aws_lc;
mod blocks;
mod choice;
#[cfg(test)]
mod known_answers;
#[cfg(test)]
mod oracle;
mod rust_crypto;
mod v15;
#[cfg(test)]
mod wycheproof;

pub use choice::*;

/// Hash functions. FIPS 180-4 and FIPS 202.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)] // The names say it.
pub enum Hash {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Sha512_224,
    Sha512_256,
    Sha3_224,
    Sha3_256,
    Sha3_384,
    Sha3_512,
}

impl Hash {
    /// Every hash function, for tests and tables.
    pub const ALL: [Hash; 11] = [
        Hash::Sha1,
        Hash::Sha224,
        Hash::Sha256,
        Hash::Sha384,
        Hash::Sha512,
        Hash::Sha512_224,
        Hash::Sha512_256,
        Hash::Sha3_224,
        Hash::Sha3_256,
        Hash::Sha3_384,
        Hash::Sha3_512,
    ];

    /// Length of the digest in bytes.
    pub const fn len(self) -> usize {
        match self {
            Hash::Sha1 => 20,
            Hash::Sha224 | Hash::Sha512_224 | Hash::Sha3_224 => 28,
            Hash::Sha256 | Hash::Sha512_256 | Hash::Sha3_256 => 32,
            Hash::Sha384 | Hash::Sha3_384 => 48,
            Hash::Sha512 | Hash::Sha3_512 => 64,
        }
    }
}

/// Short Weierstrass curves. SEC 2 / FIPS 186-5 names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)] // The names say it.
pub enum Curve {
    P224,
    P256,
    P384,
    P521,
    Secp256k1,
}

impl Curve {
    /// Every curve.
    pub const ALL: [Curve; 5] = [Curve::P224, Curve::P256, Curve::P384, Curve::P521, Curve::Secp256k1];

    /// Size of the field and of the order in bits.
    pub const fn bits(self) -> usize {
        match self {
            Curve::P224 => 224,
            Curve::P256 | Curve::Secp256k1 => 256,
            Curve::P384 => 384,
            Curve::P521 => 521,
        }
    }

    /// Length in bytes of a scalar or a coordinate.
    pub const fn len(self) -> usize {
        self.bits().div_ceil(8)
    }
}

/// The direction of a cipher.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Plaintext in, ciphertext out.
    Encrypt,
    /// Ciphertext in, plaintext out.
    Decrypt,
}

/// AES modes with their parameters. Lengths are in bytes unless named bits.
#[derive(Clone, Copy, Debug)]
pub enum AesMode<'a> {
    /// Electronic codebook; whole blocks only.
    Ecb,
    /// Cipher block chaining; whole blocks only.
    Cbc {
        /// The initialisation vector.
        iv: &'a [u8; 16],
    },
    /// Cipher block chaining with PKCS #7 padding.
    CbcPad {
        /// The initialisation vector.
        iv: &'a [u8; 16],
    },
    /// Counter mode; the counter is the last `counter_bits` of the block (1 to 128). Its last value is
    /// all ones: data that would take it further is [`Error::DataLength`], in both directions.
    Ctr {
        /// The first counter block.
        block: &'a [u8; 16],
        /// Width of the counter in bits.
        counter_bits: u32,
    },
    /// Galois/counter mode. The tag follows the ciphertext; decryption gives nothing out before the
    /// tag is verified.
    Gcm {
        /// The nonce, 1 byte or more.
        iv: &'a [u8],
        /// Additional authenticated data.
        aad: &'a [u8],
        /// Length of the tag in bytes (4, 8, 12 to 16).
        tag_len: usize,
    },
}

/// Key wrapping modes. NIST SP 800-38F.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyWrap {
    /// KW: RFC 3394, with the default initial value.
    Kw,
    /// KWP: RFC 5649.
    Kwp,
}

/// A running digest.
pub trait Digest: Send {
    /// Takes more of the message.
    fn update(&mut self, data: &[u8]) -> Result<()>;
    /// Writes the digest into `out`, which has its exact length. The digest is used up.
    fn finish(&mut self, out: &mut [u8]) -> Result<()>;
}

/// A running MAC.
pub trait Mac: Send {
    /// Takes more of the message.
    fn update(&mut self, data: &[u8]) -> Result<()>;
    /// Writes the full tag into `out`, which has its exact length. The MAC is used up.
    fn finish(&mut self, out: &mut [u8]) -> Result<()>;
    /// Length of the full tag in bytes.
    fn len(&self) -> usize;
}

/// A running cipher: buffers partial blocks, pads, and makes or checks the tag.
pub trait Cipher: Send {
    /// An upper bound, in bytes, of what `update` writes for `input` more bytes; exact when
    /// encrypting.
    fn update_len(&self, input: usize) -> usize;
    /// Takes more input; writes at most `update_len` bytes and says how many.
    fn update(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize>;
    /// An upper bound of what `finish` writes; exact when encrypting.
    fn finish_len(&self) -> usize;
    /// Ends the message. Incomplete blocks are [`Error::DataLength`] or
    /// [`Error::EncryptedDataLength`]; bad padding and bad tags are both
    /// [`Error::EncryptedDataInvalid`].
    fn finish(&mut self, out: &mut [u8]) -> Result<usize>;
    /// An upper bound of what `once` writes; exact when encrypting.
    fn once_len(&self, input: usize) -> usize;
    /// The last input and the end of the message in one call. Ciphers that must see the whole message
    /// before they give anything out need not copy it then.
    fn once(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let written = self.update(input, out)?;
        let rest = out.get_mut(written..).unwrap_or_default();
        Ok(written + self.finish(rest)?)
    }
}

/// The numbers of an RSA private key, big-endian, without leading zeros.
#[derive(Debug)]
pub struct RsaParts {
    /// Modulus n.
    pub modulus: Vec<u8>,
    /// Public exponent e.
    pub public_exponent: Vec<u8>,
    /// Private exponent d.
    pub private_exponent: Secret,
    /// The rest, where it is known; providers work it out where it is not.
    pub crt: Option<RsaCrt>,
}

/// The factors of an RSA modulus and what follows from them.
#[derive(Debug)]
pub struct RsaCrt {
    /// p.
    pub prime_1: Secret,
    /// q.
    pub prime_2: Secret,
    /// d mod (p − 1).
    pub exponent_1: Secret,
    /// d mod (q − 1).
    pub exponent_2: Secret,
    /// q⁻¹ mod p.
    pub coefficient: Secret,
}

/// Parameters of RSASSA-PSS. RFC 8017, section 8.1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pss {
    /// Hash of the message.
    pub hash: Hash,
    /// Hash inside MGF1.
    pub mgf: Hash,
    /// Length of the salt in bytes.
    pub salt_len: usize,
}

/// Parameters of RSAES-OAEP. RFC 8017, section 7.1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Oaep<'a> {
    /// Hash of the label.
    pub hash: Hash,
    /// Hash inside MGF1.
    pub mgf: Hash,
    /// The label.
    pub label: &'a [u8],
}

/// A prepared RSA private key. Signatures and plaintexts have no other length than RFC 8017's.
pub trait RsaPrivateKey: Send + Sync {
    /// Length of the modulus in bytes.
    fn len(&self) -> usize;
    /// RSASP1 / RSADP on `input` (exactly `len` bytes, below the modulus; else
    /// [`Error::DataInvalid`]). Blinded.
    fn raw(&self, input: &[u8]) -> Result<Secret>;
    /// RSASSA-PKCS1-v1_5 over what the caller gives as DigestInfo (at most `len` − 11 bytes, else
    /// [`Error::DataLength`]).
    fn sign_v15(&self, digest_info: &[u8]) -> Result<Vec<u8>>;
    /// RSASSA-PSS over a digest of `pss.hash`'s length.
    fn sign_pss(&self, pss: &Pss, digest: &[u8]) -> Result<Vec<u8>>;
    /// RSAES-PKCS1-v1_5 with implicit rejection: a ciphertext with bad padding decrypts to bytes
    /// that depend on key and ciphertext alone, in the same time, so that no caller becomes a
    /// padding oracle.
    fn decrypt_v15(&self, ciphertext: &[u8]) -> Result<Secret>;
    /// RSAES-OAEP. Every failure is [`Error::EncryptedDataInvalid`].
    fn decrypt_oaep(&self, oaep: &Oaep<'_>, ciphertext: &[u8]) -> Result<Secret>;
}

/// A prepared RSA public key.
pub trait RsaPublicKey: Send + Sync {
    /// Length of the modulus in bytes.
    fn len(&self) -> usize;
    /// RSAVP1 / RSAEP on exactly `len` bytes.
    fn raw(&self, input: &[u8]) -> Result<Vec<u8>>;
    /// Verifies RSASSA-PKCS1-v1_5 over the given DigestInfo; [`Error::SignatureInvalid`].
    fn verify_v15(&self, digest_info: &[u8], signature: &[u8]) -> Result<()>;
    /// Verifies RSASSA-PSS over a digest; [`Error::SignatureInvalid`].
    fn verify_pss(&self, pss: &Pss, digest: &[u8], signature: &[u8]) -> Result<()>;
    /// RSAES-PKCS1-v1_5.
    fn encrypt_v15(&self, plaintext: &[u8]) -> Result<Vec<u8>>;
    /// RSAES-OAEP; plaintext that is too long is [`Error::DataLength`].
    fn encrypt_oaep(&self, oaep: &Oaep<'_>, plaintext: &[u8]) -> Result<Vec<u8>>;
}

/// A prepared private key on a Weierstrass curve.
pub trait EcPrivateKey: Send + Sync {
    /// ECDSA over a digest of any length (its leftmost bits count, FIPS 186-5 §6.4): r ‖ s, each of
    /// the curve's length.
    fn sign(&self, digest: &[u8]) -> Result<Vec<u8>>;
    /// ECDH with a public point (X9.62, compressed or not; checked): the x coordinate.
    /// [`Error::PublicKeyInvalid`] for anything else.
    fn agree(&self, point: &[u8]) -> Result<Secret>;
    /// The public point, uncompressed (04 ‖ x ‖ y).
    fn public_point(&self) -> Result<Vec<u8>>;
}

/// A prepared public key on a Weierstrass curve.
pub trait EcPublicKey: Send + Sync {
    /// Verifies ECDSA; a signature of another length than 2 × the curve's is
    /// [`Error::SignatureLength`], any other failure [`Error::SignatureInvalid`].
    fn verify(&self, digest: &[u8], signature: &[u8]) -> Result<()>;
}

/// A prepared Ed25519 private key. RFC 8032, section 5.1 (pure).
pub trait EdPrivateKey: Send + Sync {
    /// The 64-byte signature.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64]>;
    /// The public key.
    fn public_key(&self) -> Result<[u8; 32]>;
}

/// A prepared Ed25519 public key.
pub trait EdPublicKey: Send + Sync {
    /// Verifies; errors as [`EcPublicKey::verify`].
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<()>;
}

/// A prepared X25519 private key. RFC 7748.
pub trait XPrivateKey: Send + Sync {
    /// Key agreement; an all-zero result is [`Error::PublicKeyInvalid`].
    fn agree(&self, public: &[u8]) -> Result<Secret>;
    /// The public key.
    fn public_key(&self) -> Result<[u8; 32]>;
}

/// A library of primitives. Each function answers `None` where the library does not offer what is
/// asked, so that the next one is tried; keys that are malformed are errors, not `None`.
pub trait Provider: Sync {
    /// For messages and tests.
    fn name(&self) -> &'static str;

    /// A digest.
    fn digest(&self, hash: Hash) -> Option<Box<dyn Digest>>;
    /// HMAC, with a key of any length. FIPS 198-1.
    fn hmac(&self, hash: Hash, key: &[u8]) -> Option<Result<Box<dyn Mac>>>;
    /// AES-CMAC, with a key of 16, 24 or 32 bytes. NIST SP 800-38B.
    fn cmac(&self, key: &[u8]) -> Option<Result<Box<dyn Mac>>>;
    /// An AES cipher with a key of 16, 24 or 32 bytes.
    fn aes(&self, mode: AesMode<'_>, direction: Direction, key: &[u8]) -> Option<Result<Box<dyn Cipher>>>;
    /// Wraps `data` ([`Error::DataLength`] where the mode does not take its length).
    fn wrap(&self, mode: KeyWrap, key: &[u8], data: &[u8]) -> Option<Result<Vec<u8>>>;
    /// Unwraps; [`Error::EncryptedDataLength`] or [`Error::EncryptedDataInvalid`].
    fn unwrap(&self, mode: KeyWrap, key: &[u8], wrapped: &[u8]) -> Option<Result<Secret>>;

    /// Makes an RSA key of `bits` with an odd public exponent of at least 3.
    fn generate_rsa(&self, bits: usize, public_exponent: &[u8]) -> Option<Result<RsaParts>>;
    /// Prepares an RSA private key. Numbers that do not belong together are
    /// [`Error::ArgumentsBad`].
    fn rsa_private(&self, parts: &RsaParts) -> Option<Result<Box<dyn RsaPrivateKey>>>;
    /// Prepares an RSA public key.
    fn rsa_public(&self, modulus: &[u8], exponent: &[u8]) -> Option<Result<Box<dyn RsaPublicKey>>>;

    /// Makes a scalar (of the curve's length).
    fn generate_ec(&self, curve: Curve) -> Option<Result<Secret>>;
    /// Prepares a private key from its scalar (shorter ones are padded on the left).
    fn ec_private(&self, curve: Curve, scalar: &[u8]) -> Option<Result<Box<dyn EcPrivateKey>>>;
    /// Prepares a public key from its point (X9.62); [`Error::PublicKeyInvalid`].
    fn ec_public(&self, curve: Curve, point: &[u8]) -> Option<Result<Box<dyn EcPublicKey>>>;

    /// Prepares an Ed25519 private key from its 32-byte seed.
    fn ed_private(&self, seed: &[u8]) -> Option<Result<Box<dyn EdPrivateKey>>>;
    /// Prepares an Ed25519 public key.
    fn ed_public(&self, public: &[u8]) -> Option<Result<Box<dyn EdPublicKey>>>;
    /// Prepares an X25519 private key from its 32 bytes.
    fn x_private(&self, private: &[u8]) -> Option<Result<Box<dyn XPrivateKey>>>;
}
