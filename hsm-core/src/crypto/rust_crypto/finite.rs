//! DSA on the `dsa` crate, and Diffie-Hellman, which is one exponentiation of `crypto-bigint` in constant time.

use crypto_primes::{Flavor, random_prime};
use dsa::{Components, KeySize, Signature};
use elliptic_curve::bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use elliptic_curve::bigint::{NonZero, Odd, RandomMod, Resize};
use rsa::BoxedUint;
use rsa::signature::hazmat::PrehashVerifier;
use zeroize::Zeroizing;

use super::numbers::{self, number, secret_of_len};
use super::random::{SearchRng, SystemRng};
use crate::crypto::{AgreementKey, DhGroup, DhPrivateKey, DsaGroup, DsaPrivateKey, DsaPublicKey};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// Longer safe primes take too long to find.
const LONGEST_SEARCH: usize = 1024;
/// A square, so that it generates the subgroup of order (p − 1) ÷ 2 of every safe prime.
const GENERATOR: u8 = 4;

/// Makes p, q and g of the lengths that FIPS 186-4 has.
pub(super) fn generate_dsa_group(prime_bits: usize, subprime_bits: usize) -> Option<Result<DsaGroup>> {
    #[expect(deprecated, reason = "FIPS 186-4 still had it, and callers ask for it")]
    let size = match (prime_bits, subprime_bits) {
        (1024, 160) => KeySize::DSA_1024_160,
        (2048, 224) => KeySize::DSA_2048_224,
        (2048, 256) => KeySize::DSA_2048_256,
        (3072, 256) => KeySize::DSA_3072_256,
        _ => return None,
    };
    Some(SearchRng::run(|generator| {
        let Ok(made) = Components::try_generate_from_rng_with_key_size(generator, size);
        DsaGroup::new(&numbers::bytes(made.p()), &numbers::bytes(made.q()), &numbers::bytes(made.g()))
    }))
}

/// A group for Diffie-Hellman whose prime is safe.
pub(super) fn generate_dh_group(bits: usize) -> Option<Result<DhGroup>> {
    let bits = u32::try_from(bits).ok().filter(|_| bits <= LONGEST_SEARCH)?;
    Some(SearchRng::run(|generator| {
        let prime: BoxedUint = random_prime(generator, Flavor::Safe, bits);
        DhGroup::new(&numbers::bytes(&prime), &[GENERATOR])
    }))
}

/// Makes a private value. FIPS 186-4, appendix B.1.2.
pub(super) fn generate_dsa(group: &DsaGroup) -> Result<Secret> {
    check_dsa_group(group)?;
    let order = NonZero::new(number(group.subprime())).into_option().ok_or(Error::DomainParamsInvalid)?;
    loop {
        let value = Zeroizing::new(BoxedUint::try_random_mod_vartime(&mut SystemRng, &order)?);
        if !bool::from(value.is_zero()) {
            return Ok(numbers::secret(&value));
        }
    }
}

/// Whether q divides p − 1, and the order of g divides q: is q, where that is a prime.
pub(super) fn check_dsa_group(group: &DsaGroup) -> Result<()> {
    let [p, q, g] = [group.prime(), group.subprime(), group.base()];
    let order = NonZero::new(number(q)).into_option().ok_or(Error::DomainParamsInvalid)?;
    let rest = number(p).wrapping_sub(BoxedUint::one()).rem_vartime(&order);
    if bool::from(rest.is_zero()) && has_order(g, q, p)? { Ok(()) } else { Err(Error::DomainParamsInvalid) }
}

/// Whether the order of an element divides q.
fn has_order(element: &[u8], order: &[u8], prime: &[u8]) -> Result<bool> {
    Ok(bool::from(power(element, order, prime)?.is_one()))
}

/// base^exponent mod prime, for a base below the prime. The time depends on the prime's length alone.
fn power(base: &[u8], exponent: &[u8], prime: &[u8]) -> Result<Zeroizing<BoxedUint>> {
    let prime = Odd::new(number(prime)).into_option().ok_or(Error::DomainParamsInvalid)?;
    let precision = prime.bits_precision();
    let exponent = Zeroizing::new(number(exponent));
    let exponent = Zeroizing::new((&*exponent).resize(precision));
    let base = number(base).resize(precision);
    let params = BoxedMontyParams::new_vartime(prime);
    let power = Zeroizing::new(BoxedMontyForm::new(base, &params).pow(&exponent));
    Ok(Zeroizing::new(power.retrieve()))
}

fn failed(_: rsa::signature::Error) -> Error {
    Error::CryptoFailed("DSA")
}

/// A public key of the crate's, whose numbers have the prime's precision.
fn verifying_key(group: &DsaGroup, public: &[u8]) -> Result<dsa::VerifyingKey> {
    let prime = number(group.prime());
    let precision = prime.bits_precision();
    let components = Components::from_components_unchecked(
        prime,
        number(group.subprime()),
        number(group.base()).resize(precision),
    );
    let components = components.map_err(|_| Error::DomainParamsInvalid)?;
    let public = number(public).resize(precision);
    dsa::VerifyingKey::from_components(components, public).map_err(|_| Error::PublicKeyInvalid)
}

/// Prepares a private key.
pub(super) fn dsa_private(group: &DsaGroup, value: &[u8]) -> Result<Box<dyn DsaPrivateKey>> {
    check_dsa_group(group)?;
    group.check_private(value)?;
    let public = power(group.base(), value, group.prime())?;
    let public = public.to_be_bytes().into_vec();
    let value = Zeroizing::new(number(value));
    let value = (&*value).resize(number(group.subprime()).bits_precision());
    let key = dsa::SigningKey::from_components(verifying_key(group, &public)?, value).map_err(failed)?;
    Ok(Box::new(SigningKey { group: group.clone(), public, key }))
}

/// Prepares a public key.
pub(super) fn dsa_public(group: &DsaGroup, value: &[u8]) -> Result<Box<dyn DsaPublicKey>> {
    check_dsa_group(group)?;
    group.check_public(value)?;
    Ok(Box::new(VerifyingKey { group: group.clone(), key: verifying_key(group, value)? }))
}

struct SigningKey {
    group: DsaGroup,
    public: Vec<u8>,
    key: dsa::SigningKey,
}

impl DsaPrivateKey for SigningKey {
    /// The nonce is that of RFC 6979 by SHA-512: it follows from key and digest.
    fn sign(&self, digest: &[u8]) -> Result<Vec<u8>> {
        let digest = self.group.leftmost(digest);
        let signature = self.key.sign_prehashed_rfc6979::<sha2::Sha512>(digest).map_err(failed)?;
        let length = self.group.scalar_len();
        let mut out = Vec::with_capacity(2 * length);
        for half in [signature.r(), signature.s()] {
            out.extend_from_slice(secret_of_len(half.as_ref().clone(), length)?.expose());
        }
        Ok(out)
    }

    fn public_value(&self) -> Vec<u8> {
        self.public.clone()
    }
}

struct VerifyingKey {
    group: DsaGroup,
    key: dsa::VerifyingKey,
}

impl DsaPublicKey for VerifyingKey {
    fn verify(&self, digest: &[u8], signature: &[u8]) -> Result<()> {
        let (r, s) = self.group.halves(signature)?;
        let signature = Signature::from_components(number(r), number(s)).ok_or(Error::SignatureInvalid)?;
        let digest = self.group.leftmost(digest);
        self.key.verify_prehash(digest, &signature).map_err(|_| Error::SignatureInvalid)
    }
}

/// Prepares a private key.
pub(super) fn dh_private(group: &DhGroup, value: &[u8]) -> Result<Box<dyn DhPrivateKey>> {
    AgreementKey::prepare(group, value, |base, exponent, prime| {
        secret_of_len((*power(base, exponent, prime)?).clone(), prime.len())
    })
}
