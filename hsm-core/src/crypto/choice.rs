//! Which provider serves what: the functions that the rest of the core calls. Each asks the providers
//! in turn and takes the first that offers the operation; an error ends the search, because it is about
//! the key or the data, and another library would have no better answer.

use super::{
    AesMode, BlowfishMode, Cipher, Curve, Des3Mode, DhGroup, DhPrivateKey, Digest, Direction,
    DomainParameters, DsaGroup, DsaPrivateKey, DsaPublicKey, EcPrivateKey, EcPublicKey, EdPrivateKey,
    EdPublicKey, EdVariant, Edwards, Hash, KemPrivateKey, KemPublicKey, KemSet, KeyWrap, Mac, Montgomery,
    Poly1305, PqPrivateKey, PqPublicKey, PreHash, PrivateForm, Provider, RsaParts, RsaPrivateKey,
    RsaPublicKey, SavableDigest, Shake, SignatureSet, XPrivateKey,
};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// The providers, first choice first.
pub fn order() -> &'static [&'static dyn Provider] {
    &[
        #[cfg(feature = "aws-lc")]
        &super::aws_lc::AwsLc,
        &super::rust_crypto::RustCrypto,
    ]
}

/// The providers for a curve, first choice first. AWS-LC has no arithmetic of its own for secp256k1:
/// it signs in 180 µs where RustCrypto needs 27.
pub fn order_for(curve: Curve) -> &'static [&'static dyn Provider] {
    match curve {
        Curve::P192
        | Curve::P224
        | Curve::P256
        | Curve::P384
        | Curve::P521
        | Curve::BrainpoolP256r1
        | Curve::BrainpoolP384r1 => order(),
        Curve::Secp256k1 => &[
            &super::rust_crypto::RustCrypto,
            #[cfg(feature = "aws-lc")]
            &super::aws_lc::AwsLc,
        ],
    }
}

/// The first answer that is one.
fn first<T>(
    providers: &'static [&'static dyn Provider],
    ask: impl Fn(&'static dyn Provider) -> Option<Result<T>>,
) -> Result<T> {
    providers.iter().find_map(|provider| ask(*provider)).unwrap_or(Err(Error::NotSupported))
}

/// Begins a digest.
pub fn digest(hash: Hash) -> Result<Box<dyn Digest>> {
    first(order(), |provider| provider.digest(hash).map(Ok))
}

/// Begins a digest whose state can be saved; `None` for a hash that has none to save.
pub fn savable_digest(hash: Hash) -> Option<Box<dyn SavableDigest>> {
    super::rust_crypto::saved::digest(hash)
}

/// A digest that goes on from a saved state; `None` for what is no state of this hash.
pub fn restored_digest(hash: Hash, state: &[u8]) -> Option<Box<dyn SavableDigest>> {
    super::rust_crypto::saved::restored(hash, state)
}

/// The digest of `parts`, one after the other.
pub fn hash_of(hash: Hash, parts: &[&[u8]]) -> Result<Vec<u8>> {
    let mut digest = digest(hash)?;
    for part in parts {
        digest.update(part)?;
    }
    let mut out = vec![0; hash.len()];
    digest.finish(&mut out)?;
    Ok(out)
}

/// Begins an HMAC. FIPS 198-1.
pub fn hmac(hash: Hash, key: &[u8]) -> Result<Box<dyn Mac>> {
    first(order(), |provider| provider.hmac(hash, key))
}

/// Begins an AES-CMAC. NIST SP 800-38B.
pub fn cmac(key: &[u8]) -> Result<Box<dyn Mac>> {
    first(order(), |provider| provider.cmac(key))
}

/// Begins an AES encryption or decryption.
pub fn aes(mode: AesMode<'_>, direction: Direction, key: &[u8]) -> Result<Box<dyn Cipher>> {
    first(order(), |provider| provider.aes(mode, direction, key))
}

/// Fills `out` by PBKDF2 with HMAC. RFC 8018. What it may cost is the caller's matter.
pub fn pbkdf2(hash: Hash, password: &[u8], salt: &[u8], iterations: u32, out: &mut [u8]) -> Result<()> {
    let answer = order().iter().find_map(|provider| provider.pbkdf2(hash, password, salt, iterations, out));
    answer.unwrap_or(Err(Error::NotSupported))
}

/// Begins a CMAC on Triple DES. NIST SP 800-38B.
pub fn des3_cmac(key: &[u8]) -> Result<Box<dyn Mac>> {
    first(order(), |provider| provider.des3_cmac(key))
}

/// Begins a Triple DES encryption or decryption.
pub fn des3(mode: Des3Mode<'_>, direction: Direction, key: &[u8]) -> Result<Box<dyn Cipher>> {
    first(order(), |provider| provider.des3(mode, direction, key))
}

/// Begins a Blowfish encryption or decryption.
pub fn blowfish(mode: BlowfishMode<'_>, direction: Direction, key: &[u8]) -> Result<Box<dyn Cipher>> {
    first(order(), |provider| provider.blowfish(mode, direction, key))
}

/// Begins ChaCha20, which is the same in both directions.
pub fn chacha20(nonce: &[u8], counter: u64, key: &[u8]) -> Result<Box<dyn Cipher>> {
    first(order(), |provider| provider.chacha20(nonce, counter, key))
}

/// Begins a ChaCha20-Poly1305 encryption or decryption.
pub fn chacha20_poly1305(
    parameters: Poly1305<'_>,
    direction: Direction,
    key: &[u8],
) -> Result<Box<dyn Cipher>> {
    first(order(), |provider| provider.chacha20_poly1305(parameters, direction, key))
}

/// Poly1305 of one message. RFC 8439, section 2.5.
pub fn poly1305(key: &[u8], message: &[u8]) -> Result<[u8; 16]> {
    first(order(), |provider| provider.poly1305(key, message))
}

/// The first `length` bytes of SHAKE.
pub fn shake(shake: Shake, input: &[u8], length: usize) -> Result<Secret> {
    first(order(), |provider| provider.shake(shake, input, length).map(Ok))
}

/// Wraps `data` under an AES key. NIST SP 800-38F.
pub fn wrap(mode: KeyWrap, key: &[u8], data: &[u8]) -> Result<Vec<u8>> {
    first(order(), |provider| provider.wrap(mode, key, data))
}

/// Unwraps what [`wrap`] wrapped.
pub fn unwrap(mode: KeyWrap, key: &[u8], wrapped: &[u8]) -> Result<Secret> {
    first(order(), |provider| provider.unwrap(mode, key, wrapped))
}

/// Makes an RSA key of `bits` with an odd public exponent of at least 3.
pub fn generate_rsa(bits: usize, public_exponent: &[u8]) -> Result<RsaParts> {
    first(order(), |provider| provider.generate_rsa(bits, public_exponent))
}

/// Prepares an RSA private key.
pub fn rsa_private(parts: &RsaParts) -> Result<Box<dyn RsaPrivateKey>> {
    first(order(), |provider| provider.rsa_private(parts))
}

/// Prepares an RSA public key.
pub fn rsa_public(modulus: &[u8], exponent: &[u8]) -> Result<Box<dyn RsaPublicKey>> {
    first(order(), |provider| provider.rsa_public(modulus, exponent))
}

/// Makes a private scalar.
pub fn generate_ec(curve: Curve) -> Result<Secret> {
    first(order_for(curve), |provider| provider.generate_ec(curve))
}

/// Prepares a private key from its scalar.
pub fn ec_private(curve: Curve, scalar: &[u8]) -> Result<Box<dyn EcPrivateKey>> {
    first(order_for(curve), |provider| provider.ec_private(curve, scalar))
}

/// Prepares a public key from its point.
pub fn ec_public(curve: Curve, point: &[u8]) -> Result<Box<dyn EcPublicKey>> {
    first(order_for(curve), |provider| provider.ec_public(curve, point))
}

/// The curve that domain parameters spell out, if it is one of [`Curve`]: every number must be the curve's.
pub fn curve_of(parameters: &DomainParameters<'_>) -> Option<Curve> {
    super::rust_crypto::curve_of(parameters)
}

/// Prepares a private key on an Edwards curve from its seed.
pub fn ed_private(curve: Edwards, seed: &[u8]) -> Result<Box<dyn EdPrivateKey>> {
    first(order(), |provider| provider.ed_private(curve, seed))
}

/// Prepares a public key on an Edwards curve.
pub fn ed_public(curve: Edwards, public: &[u8]) -> Result<Box<dyn EdPublicKey>> {
    first(order(), |provider| provider.ed_public(curve, public))
}

/// Signs by another scheme of an Edwards curve than the pure one.
pub fn sign_ed(curve: Edwards, seed: &[u8], variant: EdVariant<'_>, message: &[u8]) -> Result<Vec<u8>> {
    first(order(), |provider| match provider.ed_private(curve, seed)? {
        Ok(key) => key.sign_as(variant, message),
        Err(error) => Some(Err(error)),
    })
}

/// Verifies by another scheme of an Edwards curve than the pure one.
pub fn verify_ed(
    curve: Edwards,
    public: &[u8],
    variant: EdVariant<'_>,
    message: &[u8],
    signature: &[u8],
) -> Result<()> {
    first(order(), |provider| match provider.ed_public(curve, public)? {
        Ok(key) => key.verify_as(variant, message, signature),
        Err(error) => Some(Err(error)),
    })
}

/// Prepares a private key on a Montgomery curve.
pub fn x_private(curve: Montgomery, private: &[u8]) -> Result<Box<dyn XPrivateKey>> {
    first(order(), |provider| provider.x_private(curve, private))
}

/// Prepares an ML-KEM private key.
pub fn kem_private(set: KemSet, form: PrivateForm<'_>) -> Result<Box<dyn KemPrivateKey>> {
    first(order(), |provider| provider.kem_private(set, form))
}

/// Prepares an ML-KEM public key.
pub fn kem_public(set: KemSet, public: &[u8]) -> Result<Box<dyn KemPublicKey>> {
    first(order(), |provider| provider.kem_public(set, public))
}

/// Prepares a private key of ML-DSA or SLH-DSA.
pub fn pq_private(set: SignatureSet, form: PrivateForm<'_>) -> Result<Box<dyn PqPrivateKey>> {
    first(order(), |provider| provider.pq_private(set, form))
}

/// Prepares a public key of ML-DSA or SLH-DSA.
pub fn pq_public(set: SignatureSet, public: &[u8]) -> Result<Box<dyn PqPublicKey>> {
    first(order(), |provider| provider.pq_public(set, public))
}

/// Makes p, q and g for DSA.
pub fn generate_dsa_group(prime_bits: usize, subprime_bits: usize) -> Result<DsaGroup> {
    first(order(), |provider| provider.generate_dsa_group(prime_bits, subprime_bits))
}

/// Whether q, p and g belong together.
pub fn check_dsa_group(group: &DsaGroup) -> Result<()> {
    first(order(), |provider| provider.check_dsa_group(group))
}

/// Makes a DSA private value.
pub fn generate_dsa(group: &DsaGroup) -> Result<Secret> {
    first(order(), |provider| provider.generate_dsa(group))
}

/// Prepares a DSA private key.
pub fn dsa_private(group: &DsaGroup, value: &[u8]) -> Result<Box<dyn DsaPrivateKey>> {
    first(order(), |provider| provider.dsa_private(group, value))
}

/// Prepares a DSA public key.
pub fn dsa_public(group: &DsaGroup, value: &[u8]) -> Result<Box<dyn DsaPublicKey>> {
    first(order(), |provider| provider.dsa_public(group, value))
}

/// Makes a group for Diffie-Hellman.
pub fn generate_dh_group(bits: usize) -> Result<DhGroup> {
    first(order(), |provider| provider.generate_dh_group(bits))
}

/// Prepares a Diffie-Hellman private key.
pub fn dh_private(group: &DhGroup, value: &[u8]) -> Result<Box<dyn DhPrivateKey>> {
    first(order(), |provider| provider.dh_private(group, value))
}

/// Begins the digest that comes before a signature.
pub fn pre_hash(hash: PreHash) -> Result<Box<dyn Digest>> {
    match hash {
        PreHash::Fixed(hash) => digest(hash),
        PreHash::Shake128 | PreHash::Shake256 => {
            first(order(), |provider| provider.shake_digest(hash).map(Ok))
        }
    }
}

/// The numbers of an RSA private key with its factors, which are worked out where they are not given.
pub fn complete_rsa(parts: RsaParts) -> Result<RsaParts> {
    super::rust_crypto::complete_rsa(parts)
}
