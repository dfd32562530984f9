//! AWS-LC as a provider, through the safe `openssl` crate. What that crate does not expose for AWS-LC
//! (CMAC, key wrapping by a key that is wiped afterwards) is answered with `None`, as are RSA sizes
//! that AWS-LC refuses.

mod cipher;
mod digest;
mod ec;
mod edwards;
mod factors;
mod finite;
mod rsa;

use openssl::error::ErrorStack;

use super::{
    AesMode, BlowfishMode, Cipher, Curve, Des3Mode, DhGroup, DhPrivateKey, Digest, Direction, DsaGroup,
    DsaPrivateKey, DsaPublicKey, EcPrivateKey, EcPublicKey, EdPrivateKey, EdPublicKey, Edwards, Hash,
    KemPrivateKey, KemPublicKey, KemSet, KeyWrap, Mac, Montgomery, Poly1305, PqPrivateKey, PqPublicKey,
    PreHash, PrivateForm, Provider, RsaParts, RsaPrivateKey, RsaPublicKey, Shake, SignatureSet, XPrivateKey,
};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// The provider. It has no state: prepared keys and running operations stand for themselves.
pub(super) struct AwsLc;

impl Provider for AwsLc {
    fn name(&self) -> &'static str {
        "AWS-LC"
    }

    fn digest(&self, hash: Hash) -> Option<Box<dyn Digest>> {
        digest::digest(hash)
    }

    fn hmac(&self, hash: Hash, key: &[u8]) -> Option<Result<Box<dyn Mac>>> {
        digest::hmac(hash, key)
    }

    /// Not exposed by `openssl` on AWS-LC.
    fn cmac(&self, _key: &[u8]) -> Option<Result<Box<dyn Mac>>> {
        None
    }

    fn aes(&self, mode: AesMode<'_>, direction: Direction, key: &[u8]) -> Option<Result<Box<dyn Cipher>>> {
        cipher::aes(mode, direction, key)
    }

    fn pbkdf2(
        &self,
        hash: Hash,
        password: &[u8],
        salt: &[u8],
        iterations: u32,
        out: &mut [u8],
    ) -> Option<Result<()>> {
        digest::pbkdf2(hash, password, salt, iterations, out)
    }

    /// Not exposed by `openssl` on AWS-LC.
    fn des3_cmac(&self, _key: &[u8]) -> Option<Result<Box<dyn Mac>>> {
        None
    }

    fn des3(&self, mode: Des3Mode<'_>, direction: Direction, key: &[u8]) -> Option<Result<Box<dyn Cipher>>> {
        cipher::des3(mode, direction, key)
    }

    /// Not in AWS-LC's main library.
    fn blowfish(
        &self,
        _mode: BlowfishMode<'_>,
        _direction: Direction,
        _key: &[u8],
    ) -> Option<Result<Box<dyn Cipher>>> {
        None
    }

    /// Not exposed by `openssl` on AWS-LC.
    fn chacha20(&self, _nonce: &[u8], _counter: u64, _key: &[u8]) -> Option<Result<Box<dyn Cipher>>> {
        None
    }

    fn chacha20_poly1305(
        &self,
        parameters: Poly1305<'_>,
        direction: Direction,
        key: &[u8],
    ) -> Option<Result<Box<dyn Cipher>>> {
        Some(cipher::chacha20_poly1305(parameters, direction, key))
    }

    /// Not exposed by `openssl`.
    fn poly1305(&self, _key: &[u8], _message: &[u8]) -> Option<Result<[u8; 16]>> {
        None
    }

    /// `openssl` gives no output of other lengths than the strength's on AWS-LC.
    fn shake(&self, _shake: Shake, _input: &[u8], _length: usize) -> Option<Secret> {
        None
    }

    /// `openssl::aes` has KW, but leaves the expanded key in memory unwiped, and has no KWP.
    fn wrap(&self, _mode: KeyWrap, _key: &[u8], _data: &[u8]) -> Option<Result<Vec<u8>>> {
        None
    }

    fn unwrap(&self, _mode: KeyWrap, _key: &[u8], _wrapped: &[u8]) -> Option<Result<Secret>> {
        None
    }

    fn generate_rsa(&self, bits: usize, public_exponent: &[u8]) -> Option<Result<RsaParts>> {
        rsa::generate(bits, public_exponent)
    }

    fn rsa_private(&self, parts: &RsaParts) -> Option<Result<Box<dyn RsaPrivateKey>>> {
        rsa::private(parts)
    }

    fn rsa_public(&self, modulus: &[u8], exponent: &[u8]) -> Option<Result<Box<dyn RsaPublicKey>>> {
        rsa::public(modulus, exponent)
    }

    fn generate_ec(&self, curve: Curve) -> Option<Result<Secret>> {
        ec::offers(curve).then(|| ec::generate(curve))
    }

    fn ec_private(&self, curve: Curve, scalar: &[u8]) -> Option<Result<Box<dyn EcPrivateKey>>> {
        ec::offers(curve).then(|| ec::private(curve, scalar))
    }

    fn ec_public(&self, curve: Curve, point: &[u8]) -> Option<Result<Box<dyn EcPublicKey>>> {
        ec::offers(curve).then(|| ec::public(curve, point))
    }

    /// Curves of 448 bits are not in AWS-LC.
    fn ed_private(&self, curve: Edwards, seed: &[u8]) -> Option<Result<Box<dyn EdPrivateKey>>> {
        (curve == Edwards::Ed25519).then(|| edwards::ed_private(seed))
    }

    fn ed_public(&self, curve: Edwards, public: &[u8]) -> Option<Result<Box<dyn EdPublicKey>>> {
        (curve == Edwards::Ed25519).then(|| edwards::ed_public(public))
    }

    fn x_private(&self, curve: Montgomery, private: &[u8]) -> Option<Result<Box<dyn XPrivateKey>>> {
        (curve == Montgomery::X25519).then(|| edwards::x_private(private))
    }

    /// AWS-LC has ML-KEM and ML-DSA; `openssl` exposes them for OpenSSL alone.
    fn kem_private(&self, _set: KemSet, _form: PrivateForm<'_>) -> Option<Result<Box<dyn KemPrivateKey>>> {
        None
    }

    fn kem_public(&self, _set: KemSet, _public: &[u8]) -> Option<Result<Box<dyn KemPublicKey>>> {
        None
    }

    fn pq_private(
        &self,
        _set: SignatureSet,
        _form: PrivateForm<'_>,
    ) -> Option<Result<Box<dyn PqPrivateKey>>> {
        None
    }

    fn pq_public(&self, _set: SignatureSet, _public: &[u8]) -> Option<Result<Box<dyn PqPublicKey>>> {
        None
    }

    fn generate_dsa_group(&self, prime_bits: usize, subprime_bits: usize) -> Option<Result<DsaGroup>> {
        finite::generate_dsa_group(prime_bits, subprime_bits)
    }

    fn check_dsa_group(&self, group: &DsaGroup) -> Option<Result<()>> {
        Some(finite::check_dsa_group(group))
    }

    fn generate_dsa(&self, group: &DsaGroup) -> Option<Result<Secret>> {
        Some(finite::generate_dsa(group))
    }

    fn dsa_private(&self, group: &DsaGroup, value: &[u8]) -> Option<Result<Box<dyn DsaPrivateKey>>> {
        Some(finite::dsa_private(group, value))
    }

    fn dsa_public(&self, group: &DsaGroup, value: &[u8]) -> Option<Result<Box<dyn DsaPublicKey>>> {
        Some(finite::dsa_public(group, value))
    }

    fn generate_dh_group(&self, bits: usize) -> Option<Result<DhGroup>> {
        finite::generate_dh_group(bits)
    }

    fn dh_private(&self, group: &DhGroup, value: &[u8]) -> Option<Result<Box<dyn DhPrivateKey>>> {
        Some(finite::dh_private(group, value))
    }

    /// `openssl` tells no length to an extendable function of AWS-LC.
    fn shake_digest(&self, _hash: PreHash) -> Option<Box<dyn Digest>> {
        None
    }
}

/// For `map_err` where AWS-LC has no reason to fail: says which call did. (The stack itself names
/// lines of C; whoever needs them has a debugger.)
fn failed(call: &'static str) -> impl FnOnce(ErrorStack) -> Error {
    move |_| Error::CryptoFailed(call)
}
