//! The provider on RustCrypto, and on `crrl` for what that lacks: second choice beside AWS-LC, the only one of
//! a build without a C compiler, and the other opinion in the differential tests. Each file puts one family of crates
//! behind the traits of [`crate::crypto`]; this one says what is offered.

mod aes;
mod blowfish;
mod ccm;
mod cfb1;
mod chacha;
mod crrl;
mod des3;
mod domain;
mod ec;
mod ed;
mod finite;
mod gcm;
mod hashes;
mod ml_dsa;
mod ml_kem;
mod modes;
mod numbers;
mod random;
mod rsa;
pub(super) mod saved;
mod schemes;
mod shake;
mod slh_dsa;

use super::blocks;
use super::{
    AesMode, BlowfishMode, Cipher, Curve, Des3Mode, DhGroup, DhPrivateKey, Digest, Direction, DsaGroup,
    DsaPrivateKey, DsaPublicKey, EcPrivateKey, EcPublicKey, EdPrivateKey, EdPublicKey, Edwards, Hash,
    KemPrivateKey, KemPublicKey, KemSet, KeyWrap, Mac, Montgomery, Poly1305, PqPrivateKey, PqPublicKey,
    PreHash, PrivateForm, Provider, RsaParts, RsaPrivateKey, RsaPublicKey, Shake, SignatureSet, XPrivateKey,
};
use crate::error::Result;
use crate::secret::Secret;

pub(super) use domain::curve_of;
pub(super) use random::SearchRng;
pub(super) use rsa::complete as complete_rsa;

/// The provider. It has no state.
pub(super) struct RustCrypto;

impl Provider for RustCrypto {
    fn name(&self) -> &'static str {
        "RustCrypto"
    }

    fn digest(&self, hash: Hash) -> Option<Box<dyn Digest>> {
        Some(hashes::digest(hash))
    }

    fn hmac(&self, hash: Hash, key: &[u8]) -> Option<Result<Box<dyn Mac>>> {
        Some(hashes::hmac(hash, key))
    }

    fn cmac(&self, key: &[u8]) -> Option<Result<Box<dyn Mac>>> {
        Some(aes::cmac(key))
    }

    fn aes(&self, mode: AesMode<'_>, direction: Direction, key: &[u8]) -> Option<Result<Box<dyn Cipher>>> {
        aes::aes(mode, direction, key)
    }

    fn pbkdf2(
        &self,
        hash: Hash,
        password: &[u8],
        salt: &[u8],
        iterations: u32,
        out: &mut [u8],
    ) -> Option<Result<()>> {
        Some(hashes::pbkdf2(hash, password, salt, iterations, out))
    }

    fn des3_cmac(&self, key: &[u8]) -> Option<Result<Box<dyn Mac>>> {
        Some(des3::cmac(key))
    }

    fn des3(&self, mode: Des3Mode<'_>, direction: Direction, key: &[u8]) -> Option<Result<Box<dyn Cipher>>> {
        Some(des3::des3(mode, direction, key))
    }

    fn blowfish(
        &self,
        mode: BlowfishMode<'_>,
        direction: Direction,
        key: &[u8],
    ) -> Option<Result<Box<dyn Cipher>>> {
        Some(blowfish::blowfish(mode, direction, key))
    }

    fn chacha20(&self, nonce: &[u8], counter: u64, key: &[u8]) -> Option<Result<Box<dyn Cipher>>> {
        Some(chacha::chacha20(nonce, counter, key))
    }

    fn chacha20_poly1305(
        &self,
        parameters: Poly1305<'_>,
        direction: Direction,
        key: &[u8],
    ) -> Option<Result<Box<dyn Cipher>>> {
        Some(
            blocks::check_poly1305(&parameters, key)
                .and_then(|()| chacha::poly1305(parameters, direction, key)),
        )
    }

    fn poly1305(&self, key: &[u8], message: &[u8]) -> Option<Result<[u8; 16]>> {
        Some(chacha::one_time_mac(key, message))
    }

    fn shake(&self, shake: Shake, input: &[u8], length: usize) -> Option<Secret> {
        Some(hashes::shake(shake, input, length))
    }

    fn wrap(&self, mode: KeyWrap, key: &[u8], data: &[u8]) -> Option<Result<Vec<u8>>> {
        Some(aes::wrap(mode, key, data))
    }

    fn unwrap(&self, mode: KeyWrap, key: &[u8], wrapped: &[u8]) -> Option<Result<Secret>> {
        Some(aes::unwrap(mode, key, wrapped))
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
        Some(ec::generate(curve))
    }

    fn ec_private(&self, curve: Curve, scalar: &[u8]) -> Option<Result<Box<dyn EcPrivateKey>>> {
        Some(ec::private(curve, scalar))
    }

    fn ec_public(&self, curve: Curve, point: &[u8]) -> Option<Result<Box<dyn EcPublicKey>>> {
        Some(ec::public(curve, point))
    }

    fn ed_private(&self, curve: Edwards, seed: &[u8]) -> Option<Result<Box<dyn EdPrivateKey>>> {
        Some(match curve {
            Edwards::Ed25519 => ed::ed_private(seed),
            Edwards::Ed448 => crrl::ed448_private(seed),
        })
    }

    fn ed_public(&self, curve: Edwards, public: &[u8]) -> Option<Result<Box<dyn EdPublicKey>>> {
        Some(match curve {
            Edwards::Ed25519 => ed::ed_public(public),
            Edwards::Ed448 => crrl::ed448_public(public),
        })
    }

    fn x_private(&self, curve: Montgomery, private: &[u8]) -> Option<Result<Box<dyn XPrivateKey>>> {
        Some(match curve {
            Montgomery::X25519 => ed::x_private(private),
            Montgomery::X448 => crrl::x448_private(private),
        })
    }

    fn kem_private(&self, set: KemSet, form: PrivateForm<'_>) -> Option<Result<Box<dyn KemPrivateKey>>> {
        Some(ml_kem::private(set, form))
    }

    fn kem_public(&self, set: KemSet, public: &[u8]) -> Option<Result<Box<dyn KemPublicKey>>> {
        Some(ml_kem::public(set, public))
    }

    fn pq_private(&self, set: SignatureSet, form: PrivateForm<'_>) -> Option<Result<Box<dyn PqPrivateKey>>> {
        Some(ml_dsa::private(set, form).unwrap_or_else(|| slh_dsa::private(set, form)))
    }

    fn pq_public(&self, set: SignatureSet, public: &[u8]) -> Option<Result<Box<dyn PqPublicKey>>> {
        Some(ml_dsa::public(set, public).unwrap_or_else(|| slh_dsa::public(set, public)))
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

    fn shake_digest(&self, hash: PreHash) -> Option<Box<dyn Digest>> {
        shake::digest(hash)
    }
}
