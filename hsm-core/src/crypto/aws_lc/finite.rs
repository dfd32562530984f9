//! DSA and Diffie-Hellman.

use openssl::bn::{BigNum, BigNumContext, BigNumRef};
use openssl::dh::Dh;
use openssl::dsa::{Dsa, DsaSig};
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private, Public};
use openssl::pkey_ctx::PkeyCtx;

use super::failed;
use crate::crypto::{AgreementKey, DhGroup, DhPrivateKey, DsaGroup, DsaPrivateKey, DsaPublicKey};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// Longer safe primes take too long to find; those of RFC 3526 are taken then.
const LONGEST_SEARCH: usize = 1024;
/// The generator of the groups of RFC 3526, and of those that are searched for.
const GENERATOR: u32 = 2;

/// Makes p, q and g; AWS-LC's q is as long as the hash that it takes for p: SHA-1, or from 2048 bits on SHA-256.
pub(super) fn generate_dsa_group(prime_bits: usize, subprime_bits: usize) -> Option<Result<DsaGroup>> {
    let own = if prime_bits < 2048 { 160 } else { 256 };
    (subprime_bits == own).then(|| {
        let bits = u32::try_from(prime_bits).map_err(|_| Error::KeySizeRange)?;
        let made = Dsa::generate_params(bits).map_err(failed("DSA parameters"))?;
        DsaGroup::new(&made.p().to_vec(), &made.q().to_vec(), &made.g().to_vec())
    })
}

/// A group for Diffie-Hellman whose prime is safe.
pub(super) fn generate_dh_group(bits: usize) -> Option<Result<DhGroup>> {
    type Known = fn() -> std::result::Result<BigNum, ErrorStack>;
    let known: Known = match bits {
        1536 => BigNum::get_rfc3526_prime_1536,
        2048 => BigNum::get_rfc3526_prime_2048,
        3072 => BigNum::get_rfc3526_prime_3072,
        4096 => BigNum::get_rfc3526_prime_4096,
        6144 => BigNum::get_rfc3526_prime_6144,
        8192 => BigNum::get_rfc3526_prime_8192,
        _ if bits <= LONGEST_SEARCH => return Some(search_dh_group(bits)),
        _ => return None,
    };
    let base = GENERATOR.to_be_bytes();
    Some(
        known().map_err(failed("a group of RFC 3526")).and_then(|prime| DhGroup::new(&prime.to_vec(), &base)),
    )
}

fn search_dh_group(bits: usize) -> Result<DhGroup> {
    let bits = u32::try_from(bits).map_err(|_| Error::KeySizeRange)?;
    let made = Dh::generate_params(bits, GENERATOR).map_err(failed("DH parameters"))?;
    DhGroup::new(&made.prime_p().to_vec(), &made.generator().to_vec())
}

/// Makes a private value.
pub(super) fn generate_dsa(group: &DsaGroup) -> Result<Secret> {
    check_dsa_group(group)?;
    let [p, q, g] = numbers(group)?;
    let key = Dsa::from_pqg(p, q, g).and_then(Dsa::generate_key).map_err(failed("DSA key generation"))?;
    Ok(Secret::new(key.priv_key().to_vec()))
}

/// Whether q divides p − 1, and the order of g divides q: without that, signatures tell of the key.
pub(super) fn check_dsa_group(group: &DsaGroup) -> Result<()> {
    let [mut p, q, g] = numbers(group)?;
    if !has_order(&g, &q, &p)? {
        return Err(Error::DomainParamsInvalid);
    }
    let mut rest = BigNum::new().map_err(failed("number"))?;
    let mut context = BigNumContext::new().map_err(failed("number"))?;
    p.sub_word(1).and_then(|()| rest.nnmod(&p, &q, &mut context)).map_err(failed("DSA parameters"))?;
    if rest.num_bits() == 0 { Ok(()) } else { Err(Error::DomainParamsInvalid) }
}

/// Whether the order of an element divides q: is q, where that is a prime. The numbers are public.
fn has_order(element: &BigNumRef, order: &BigNumRef, prime: &BigNumRef) -> Result<bool> {
    let mut power = BigNum::new().map_err(failed("number"))?;
    let mut context = BigNumContext::new().map_err(failed("number"))?;
    power.mod_exp(element, order, prime, &mut context).map_err(failed("power"))?;
    Ok(power.num_bits() == 1)
}

fn numbers(group: &DsaGroup) -> Result<[BigNum; 3]> {
    Ok([number(group.prime())?, number(group.subprime())?, number(group.base())?])
}

fn number(bytes: &[u8]) -> Result<BigNum> {
    BigNum::from_slice(bytes).map_err(failed("number"))
}

fn padded(number: &BigNumRef, length: usize) -> Result<Vec<u8>> {
    let length = i32::try_from(length).map_err(|_| Error::CryptoFailed("length of a number"))?;
    number.to_vec_padded(length).map_err(failed("number"))
}

/// base^exponent mod prime, as long as the prime, in a time that does not tell the exponent: AWS-LC's making of a
/// public value. (`Dh::compute_key` does not say how long a secret with leading zeros is.)
fn power(base: &[u8], exponent: &[u8], prime: &[u8]) -> Result<Vec<u8>> {
    let key = Dh::from_pqg(number(prime)?, None, number(base)?).map_err(failed("DH key"))?;
    let key = key.set_private_key(number(exponent)?).map_err(failed("DH key"))?;
    padded(key.public_key(), prime.len())
}

/// Prepares a private key.
pub(super) fn dsa_private(group: &DsaGroup, value: &[u8]) -> Result<Box<dyn DsaPrivateKey>> {
    check_dsa_group(group)?;
    group.check_private(value)?;
    let public = power(group.base(), value, group.prime())?;
    let [p, q, g] = numbers(group)?;
    let key = Dsa::from_private_components(p, q, g, number(value)?, number(&public)?);
    let key = key.and_then(PKey::from_dsa).map_err(failed("DSA key"))?;
    Ok(Box::new(SigningKey { group: group.clone(), public, key }))
}

/// Prepares a public key.
pub(super) fn dsa_public(group: &DsaGroup, value: &[u8]) -> Result<Box<dyn DsaPublicKey>> {
    check_dsa_group(group)?;
    group.check_public(value)?;
    let [p, q, g] = numbers(group)?;
    let value = number(value)?;
    if !has_order(&value, &q, &p)? {
        return Err(Error::PublicKeyInvalid);
    }
    let key = Dsa::from_public_components(p, q, g, value).and_then(PKey::from_dsa);
    Ok(Box::new(VerifyingKey { group: group.clone(), key: key.map_err(failed("DSA key"))? }))
}

struct SigningKey {
    group: DsaGroup,
    public: Vec<u8>,
    key: PKey<Private>,
}

impl DsaPrivateKey for SigningKey {
    /// The nonce is AWS-LC's, fresh for each signature.
    fn sign(&self, digest: &[u8]) -> Result<Vec<u8>> {
        let mut der = Vec::new();
        let mut context = PkeyCtx::new(&self.key).map_err(failed("DSA context"))?;
        context.sign_init().map_err(failed("DSA signature"))?;
        context.sign_to_vec(self.group.leftmost(digest), &mut der).map_err(failed("DSA signature"))?;
        let signature = DsaSig::from_der(&der).map_err(failed("DSA signature"))?;
        let length = self.group.scalar_len();
        let mut out = padded(signature.r(), length)?;
        out.extend_from_slice(&padded(signature.s(), length)?);
        Ok(out)
    }

    fn public_value(&self) -> Vec<u8> {
        self.public.clone()
    }
}

struct VerifyingKey {
    group: DsaGroup,
    key: PKey<Public>,
}

impl DsaPublicKey for VerifyingKey {
    fn verify(&self, digest: &[u8], signature: &[u8]) -> Result<()> {
        let (r, s) = self.group.halves(signature)?;
        let signature = DsaSig::from_private_components(number(r)?, number(s)?)
            .and_then(|signature| signature.to_der())
            .map_err(failed("DSA signature"))?;
        let mut context = PkeyCtx::new(&self.key).map_err(failed("DSA context"))?;
        context.verify_init().map_err(failed("DSA verification"))?;
        match context.verify(self.group.leftmost(digest), &signature) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(Error::SignatureInvalid),
        }
    }
}

/// Prepares a private key.
pub(super) fn dh_private(group: &DhGroup, value: &[u8]) -> Result<Box<dyn DhPrivateKey>> {
    AgreementKey::prepare(group, value, |base, exponent, prime| power(base, exponent, prime).map(Secret::new))
}
