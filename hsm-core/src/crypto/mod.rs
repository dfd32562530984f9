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
mod cbc_mac;
mod choice;
mod derive;
mod finite;
mod gmac;
#[cfg(test)]
mod known_answers;
#[cfg(test)]
mod oracle;
mod padding;
mod parameters;
mod post_quantum;
mod rsa_aes;
mod rust_crypto;
mod sp800_108;
mod split;
mod tls;
mod v15;
#[cfg(test)]
mod wycheproof;

pub use cbc_mac::{aes_cbc_mac, des3_cbc_mac};
pub use choice::*;
pub use derive::*;
pub use finite::*;
pub use gmac::gmac;
pub use parameters::*;
pub use post_quantum::*;
pub use rsa_aes::*;
pub use sp800_108::*;
pub use split::{Part, SplitMethod, join, split};
pub use tls::*;

/// A running digest.
pub trait Digest: Send {
    /// Takes more of the message.
    fn update(&mut self, data: &[u8]) -> Result<()>;
    /// Writes the digest into `out`, which has its exact length. The digest is used up.
    fn finish(&mut self, out: &mut [u8]) -> Result<()>;
}

/// A running digest whose state can be saved.
pub trait SavableDigest: Digest {
    /// The state; `None` once it is used up.
    fn save(&self) -> Option<Vec<u8>>;
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

/// A prepared private key on an Edwards curve. RFC 8032.
pub trait EdPrivateKey: Send + Sync {
    /// The signature by Ed25519, or by Ed448 with an empty context.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>>;
    /// The signature by another scheme of the curve; `None` where the library has it not. A context that is
    /// too long is [`Error::MechanismParamInvalid`].
    fn sign_as(&self, variant: EdVariant<'_>, message: &[u8]) -> Option<Result<Vec<u8>>>;
    /// The public key.
    fn public_key(&self) -> Result<Vec<u8>>;
}

/// A prepared public key on an Edwards curve.
pub trait EdPublicKey: Send + Sync {
    /// Verifies; errors as [`EcPublicKey::verify`].
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<()>;
    /// Verifies by another scheme of the curve; `None` where the library has it not.
    fn verify_as(&self, variant: EdVariant<'_>, message: &[u8], signature: &[u8]) -> Option<Result<()>>;
}

/// A prepared private key on a Montgomery curve. RFC 7748.
pub trait XPrivateKey: Send + Sync {
    /// Key agreement; an all-zero result is [`Error::PublicKeyInvalid`].
    fn agree(&self, public: &[u8]) -> Result<Secret>;
    /// The public key.
    fn public_key(&self) -> Result<Vec<u8>>;
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
    /// An AES cipher with a key of 16, 24 or 32 bytes (XTS: 32 or 64).
    fn aes(&self, mode: AesMode<'_>, direction: Direction, key: &[u8]) -> Option<Result<Box<dyn Cipher>>>;
    /// Fills `out` by PBKDF2 with HMAC and at least one iteration. RFC 8018.
    fn pbkdf2(
        &self,
        hash: Hash,
        password: &[u8],
        salt: &[u8],
        iterations: u32,
        out: &mut [u8],
    ) -> Option<Result<()>>;
    /// CMAC on Triple DES, with a key as [`Provider::des3`] takes it. NIST SP 800-38B.
    fn des3_cmac(&self, key: &[u8]) -> Option<Result<Box<dyn Mac>>>;
    /// A Triple DES cipher with a key of 16 or 24 bytes, or single DES with one of 8; parity bits do not matter.
    fn des3(&self, mode: Des3Mode<'_>, direction: Direction, key: &[u8]) -> Option<Result<Box<dyn Cipher>>>;
    /// A Blowfish cipher with a key of 4 to 56 bytes, for old data alone.
    fn blowfish(
        &self,
        mode: BlowfishMode<'_>,
        direction: Direction,
        key: &[u8],
    ) -> Option<Result<Box<dyn Cipher>>>;
    /// ChaCha20 with a key of 32 bytes, from block `counter`. A nonce of 12 bytes is RFC 8439's, with a
    /// counter of 32 bits, one of 8 bytes the original's, with a counter of 64.
    fn chacha20(&self, nonce: &[u8], counter: u64, key: &[u8]) -> Option<Result<Box<dyn Cipher>>>;
    /// ChaCha20-Poly1305 with a key of 32 bytes.
    fn chacha20_poly1305(
        &self,
        parameters: Poly1305<'_>,
        direction: Direction,
        key: &[u8],
    ) -> Option<Result<Box<dyn Cipher>>>;
    /// Poly1305 of one message under a key of 32 bytes, which no other message may have. RFC 8439, section 2.5.
    fn poly1305(&self, key: &[u8], message: &[u8]) -> Option<Result<[u8; 16]>>;
    /// The first `length` bytes of SHAKE. FIPS 202, section 6.2.
    fn shake(&self, shake: Shake, input: &[u8], length: usize) -> Option<Secret>;
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

    /// Prepares a private key on an Edwards curve from its seed (of the curve's length).
    fn ed_private(&self, curve: Edwards, seed: &[u8]) -> Option<Result<Box<dyn EdPrivateKey>>>;
    /// Prepares a public key on an Edwards curve.
    fn ed_public(&self, curve: Edwards, public: &[u8]) -> Option<Result<Box<dyn EdPublicKey>>>;
    /// Prepares a private key on a Montgomery curve (of the curve's length).
    fn x_private(&self, curve: Montgomery, private: &[u8]) -> Option<Result<Box<dyn XPrivateKey>>>;

    /// Prepares an ML-KEM private key; numbers that do not belong together are [`Error::ArgumentsBad`].
    fn kem_private(&self, set: KemSet, form: PrivateForm<'_>) -> Option<Result<Box<dyn KemPrivateKey>>>;
    /// Prepares an ML-KEM public key; [`Error::PublicKeyInvalid`].
    fn kem_public(&self, set: KemSet, public: &[u8]) -> Option<Result<Box<dyn KemPublicKey>>>;
    /// Prepares a private key of ML-DSA or SLH-DSA; [`Error::ArgumentsBad`] as above.
    fn pq_private(&self, set: SignatureSet, form: PrivateForm<'_>) -> Option<Result<Box<dyn PqPrivateKey>>>;
    /// Prepares a public key of ML-DSA or SLH-DSA; [`Error::PublicKeyInvalid`].
    fn pq_public(&self, set: SignatureSet, public: &[u8]) -> Option<Result<Box<dyn PqPublicKey>>>;
    /// Makes p, q and g of these lengths, which FIPS 186 has, for DSA.
    fn generate_dsa_group(&self, prime_bits: usize, subprime_bits: usize) -> Option<Result<DsaGroup>>;
    /// Whether q, p and g belong together; [`Error::DomainParamsInvalid`].
    fn check_dsa_group(&self, group: &DsaGroup) -> Option<Result<()>>;
    /// Makes a DSA private value.
    fn generate_dsa(&self, group: &DsaGroup) -> Option<Result<Secret>>;
    /// Prepares a DSA private key; [`Error::DomainParamsInvalid`], [`Error::ArgumentsBad`].
    fn dsa_private(&self, group: &DsaGroup, value: &[u8]) -> Option<Result<Box<dyn DsaPrivateKey>>>;
    /// Prepares a DSA public key; [`Error::DomainParamsInvalid`], [`Error::PublicKeyInvalid`].
    fn dsa_public(&self, group: &DsaGroup, value: &[u8]) -> Option<Result<Box<dyn DsaPublicKey>>>;
    /// Makes a group for Diffie-Hellman, whose p has so many bits and is a safe prime.
    fn generate_dh_group(&self, bits: usize) -> Option<Result<DhGroup>>;
    /// Prepares a Diffie-Hellman private key; [`Error::ArgumentsBad`].
    fn dh_private(&self, group: &DhGroup, value: &[u8]) -> Option<Result<Box<dyn DhPrivateKey>>>;
    /// SHAKE128 or SHAKE256 with a result of any length. FIPS 202.
    fn shake_digest(&self, hash: PreHash) -> Option<Box<dyn Digest>>;
}
