//! Signatures and key agreement over finite fields: domain parameters as values that were checked, and the
//! traits of prepared keys. DSA is FIPS 186-4's, Diffie-Hellman that of PKCS #3.

use super::bit_len;
use crate::error::{Error, Result};
use crate::rng;
use crate::secret::Secret;

/// Lengths of DSA's p in bits: those of FIPS 186, from its first version on.
pub const DSA_PRIME_BITS: (usize, usize) = (512, 3072);
/// Lengths of Diffie-Hellman's p in bits; above them one operation takes too long.
pub const DH_PRIME_BITS: (usize, usize) = (512, 10_000);
/// Lengths of DSA's q in bits. FIPS 186-4, section 4.2.
pub const DSA_SUBPRIME_BITS: [usize; 3] = [160, 224, 256];
/// The shortest private value, in bits, that a caller may ask for: 80 bits of security.
const SHORTEST_EXPONENT: usize = 160;

/// p, q and g of DSA, big-endian, without leading zeros. Their lengths fit, both primes are odd, and g is
/// between 1 and p − 1; whether q belongs to p and g is arithmetic, and the provider's to see.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DsaGroup {
    prime: Vec<u8>,
    subprime: Vec<u8>,
    base: Vec<u8>,
}

impl DsaGroup {
    /// Checks and takes the numbers.
    ///
    /// # Errors
    /// [`Error::DomainParamsInvalid`].
    pub fn new(prime: &[u8], subprime: &[u8], base: &[u8]) -> Result<DsaGroup> {
        let [prime, subprime, base] = [prime, subprime, base].map(significant);
        let fits = within(bit_len(prime), DSA_PRIME_BITS)
            && DSA_SUBPRIME_BITS.contains(&bit_len(subprime))
            && is_odd(prime)
            && is_odd(subprime)
            && bit_len(subprime) < bit_len(prime)
            && is_inside(base, prime);
        if !fits {
            return Err(Error::DomainParamsInvalid);
        }
        Ok(DsaGroup { prime: prime.to_vec(), subprime: subprime.to_vec(), base: base.to_vec() })
    }

    /// p.
    pub fn prime(&self) -> &[u8] {
        &self.prime
    }

    /// q.
    pub fn subprime(&self) -> &[u8] {
        &self.subprime
    }

    /// g.
    pub fn base(&self) -> &[u8] {
        &self.base
    }

    /// Length of q in bytes: that of each half of a signature.
    pub fn scalar_len(&self) -> usize {
        self.subprime.len()
    }

    /// A private value: 1 to q − 1.
    pub(super) fn check_private(&self, value: &[u8]) -> Result<()> {
        let value = significant(value);
        if value.is_empty() || !is_below(value, &self.subprime) {
            return Err(Error::ArgumentsBad("a private value of DSA is between 1 and q − 1"));
        }
        Ok(())
    }

    /// A public value: between 1 and p − 1. That its order divides q is the provider's to see.
    pub(super) fn check_public(&self, value: &[u8]) -> Result<()> {
        if is_inside(significant(value), &self.prime) { Ok(()) } else { Err(Error::PublicKeyInvalid) }
    }

    /// The halves of a signature, each between 1 and q − 1 (FIPS 186-4, section 4.7).
    pub(super) fn halves<'a>(&self, signature: &'a [u8]) -> Result<(&'a [u8], &'a [u8])> {
        if signature.len() != 2 * self.scalar_len() {
            return Err(Error::SignatureLength);
        }
        let (r, s) = signature.split_at(self.scalar_len());
        let fits = |half| !significant(half).is_empty() && is_below(significant(half), &self.subprime);
        if fits(r) && fits(s) { Ok((r, s)) } else { Err(Error::SignatureInvalid) }
    }

    /// The bits of a digest that count: as many as q has, which is whole bytes (FIPS 186-4, section 4.6).
    pub(super) fn leftmost<'a>(&self, digest: &'a [u8]) -> &'a [u8] {
        digest.get(..self.scalar_len()).unwrap_or(digest)
    }
}

/// p and g of Diffie-Hellman, big-endian, without leading zeros: p is odd and of a length that fits, g between
/// 1 and p − 1. Whether p is a prime is not looked at: it is the caller's own key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DhGroup {
    prime: Vec<u8>,
    base: Vec<u8>,
}

impl DhGroup {
    /// Checks and takes the numbers.
    ///
    /// # Errors
    /// [`Error::DomainParamsInvalid`].
    pub fn new(prime: &[u8], base: &[u8]) -> Result<DhGroup> {
        let [prime, base] = [prime, base].map(significant);
        if !within(bit_len(prime), DH_PRIME_BITS) || !is_odd(prime) || !is_inside(base, prime) {
            return Err(Error::DomainParamsInvalid);
        }
        Ok(DhGroup { prime: prime.to_vec(), base: base.to_vec() })
    }

    /// p.
    pub fn prime(&self) -> &[u8] {
        &self.prime
    }

    /// g.
    pub fn base(&self) -> &[u8] {
        &self.base
    }

    /// Length of p in bytes: that of a shared secret.
    pub fn len(&self) -> usize {
        self.prime.len()
    }

    /// A fresh private value: of exactly so many bits, or of one bit less than p has. PKCS #3, section 7.1, wants
    /// that: 2^(l − 1) ≤ x < 2^l.
    ///
    /// # Errors
    /// [`Error::ArgumentsBad`] for lengths of less than 160 bits, or of as many as p has.
    pub fn private_value(&self, bits: Option<usize>) -> Result<Secret> {
        let longest = bit_len(&self.prime) - 1;
        let bits = bits.unwrap_or(longest);
        if !within(bits, (SHORTEST_EXPONENT, longest)) {
            return Err(Error::ArgumentsBad("a private value has 160 bits at least, and fewer than p"));
        }
        let mut value = rng::secret(bits.div_ceil(8))?;
        if let Some(first) = value.expose_mut().first_mut() {
            // 0 to 7 bits stand above the highest.
            let highest = 0x80 >> (bits.next_multiple_of(8) - bits);
            *first = *first & (highest - 1) | highest;
        }
        Ok(value)
    }

    /// A private value: 1 to p − 2.
    pub(super) fn check_private(&self, value: &[u8]) -> Result<()> {
        let value = significant(value);
        if value.is_empty() || !is_below(value, &below(&self.prime)) {
            return Err(Error::ArgumentsBad("a private value of Diffie-Hellman is between 1 and p − 2"));
        }
        Ok(())
    }

    /// A public value, or a shared secret: 2 to p − 2. NIST SP 800-56A rev. 3, sections 5.6.2.3.2 and 5.7.1.1.
    pub(crate) fn check_public(&self, value: &[u8]) -> Result<()> {
        if is_inside(significant(value), &self.prime) { Ok(()) } else { Err(Error::PublicKeyInvalid) }
    }
}

/// base^exponent mod prime, as long as the prime, in a time that does not tell the exponent.
type Power = fn(base: &[u8], exponent: &[u8], prime: &[u8]) -> Result<Secret>;

/// A private key of Diffie-Hellman: what is checked of its values is the same whoever raises to powers.
pub(super) struct AgreementKey {
    group: DhGroup,
    value: Secret,
    power: Power,
}

impl AgreementKey {
    pub(super) fn prepare(group: &DhGroup, value: &[u8], power: Power) -> Result<Box<dyn DhPrivateKey>> {
        group.check_private(value)?;
        Ok(Box::new(AgreementKey { group: group.clone(), value: Secret::copy_of(value), power }))
    }
}

impl DhPrivateKey for AgreementKey {
    fn agree(&self, public: &[u8]) -> Result<Secret> {
        self.group.check_public(public)?;
        let shared = (self.power)(public, self.value.expose(), self.group.prime())?;
        self.group.check_public(shared.expose())?;
        Ok(shared)
    }

    fn public_value(&self) -> Result<Vec<u8>> {
        let public = (self.power)(self.group.base(), self.value.expose(), self.group.prime())?;
        Ok(public.expose().to_vec())
    }
}

/// The bits of q that go with a length of p where nothing else is said, and those that may be asked for.
/// PKCS #11 3.2, section 6.2; FIPS 186-4, section 4.2, and for the short ones FIPS 186-2.
pub fn subprime_bits(prime_bits: usize, wanted: Option<usize>) -> Option<usize> {
    let (usual, other) = match prime_bits {
        512..=1024 if prime_bits.is_multiple_of(64) => (160, 160),
        2048 => (224, 256),
        3072 => (256, 256),
        _ => return None,
    };
    match wanted {
        None => Some(usual),
        Some(bits) => [usual, other].contains(&bits).then_some(bits),
    }
}

fn significant(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

fn within(bits: usize, (least, most): (usize, usize)) -> bool {
    least <= bits && bits <= most
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|last| last % 2 == 1)
}

/// Of numbers without leading zeros.
fn is_below(number: &[u8], limit: &[u8]) -> bool {
    (number.len(), number) < (limit.len(), limit)
}

/// One less than an odd number.
fn below(odd: &[u8]) -> Vec<u8> {
    let mut number = odd.to_vec();
    if let Some(last) = number.last_mut() {
        *last &= 0xfe;
    }
    number
}

/// 1 < number < p − 1, without leading zeros, for an odd p.
fn is_inside(number: &[u8], prime: &[u8]) -> bool {
    bit_len(number) > 1 && is_below(number, &below(prime))
}

/// A prepared DSA private key.
pub trait DsaPrivateKey: Send + Sync {
    /// Signs a digest, of which as many bits count as q has: r ‖ s, each of q's length.
    fn sign(&self, digest: &[u8]) -> Result<Vec<u8>>;
    /// y.
    fn public_value(&self) -> Vec<u8>;
}

/// A prepared DSA public key.
pub trait DsaPublicKey: Send + Sync {
    /// Verifies; a signature of another length than twice q's is [`Error::SignatureLength`], any other failure
    /// [`Error::SignatureInvalid`].
    fn verify(&self, digest: &[u8], signature: &[u8]) -> Result<()>;
}

/// A prepared Diffie-Hellman private key.
pub trait DhPrivateKey: Send + Sync {
    /// The secret that it shares with a public value, with leading zeros to p's length.
    /// [`Error::PublicKeyInvalid`] for values outside 2 to p − 2, and for those that lead to 1 or p − 1.
    fn agree(&self, public: &[u8]) -> Result<Secret>;
    /// y.
    fn public_value(&self) -> Result<Vec<u8>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An odd number of so many bits; nothing here looks at more.
    fn odd(bits: usize) -> Vec<u8> {
        let mut number = vec![0; bits.div_ceil(8)];
        number[0] = 0x80 >> (number.len() * 8 - bits);
        *number.last_mut().unwrap() |= 1;
        number
    }

    #[test]
    fn lengths_of_dsa_are_those_of_fips_186() {
        for (p, q, fits) in [
            (512, 160, true),
            (1024, 160, true),
            (2048, 224, true),
            (3072, 256, true),
            (511, 160, false),
            (3073, 256, false),
            (1024, 159, false),
            (1024, 512, false),
            (16_384, 256, false),
        ] {
            assert_eq!(DsaGroup::new(&odd(p), &odd(q), &[2]).is_ok(), fits, "{p} {q}");
        }
    }

    #[test]
    fn lengths_of_diffie_hellman_are_bounded() {
        for (bits, fits) in [(511, false), (512, true), (10_000, true), (10_001, false), (1 << 20, false)] {
            assert_eq!(DhGroup::new(&odd(bits), &[2]).is_ok(), fits, "{bits}");
        }
    }

    #[test]
    fn bases_and_public_values_are_between_1_and_p_minus_1() {
        let prime = odd(512);
        let mut last = prime.clone();
        *last.last_mut().unwrap() -= 1;
        let mut before = prime.clone();
        *before.last_mut().unwrap() = 0xff;
        before[0] = 0x7f;
        let group = DhGroup::new(&prime, &[2]).unwrap();
        for (value, fits) in
            [(vec![], false), (vec![0], false), (vec![0, 1], false), (vec![0, 2], true), (before, true)]
        {
            assert_eq!(group.check_public(&value).is_ok(), fits);
            assert_eq!(DhGroup::new(&prime, &value).is_ok(), fits);
            assert_eq!(DsaGroup::new(&prime, &odd(160), &value).is_ok(), fits);
        }
        for value in [last, prime.clone(), odd(513)] {
            assert!(matches!(group.check_public(&value), Err(Error::PublicKeyInvalid)));
            assert!(group.check_private(&value).is_err());
            assert!(matches!(DhGroup::new(&prime, &value), Err(Error::DomainParamsInvalid)));
        }
    }

    #[test]
    fn an_even_prime_is_none() {
        let mut even = odd(1024);
        *even.last_mut().unwrap() = 0;
        assert!(DhGroup::new(&even, &[2]).is_err());
        assert!(DsaGroup::new(&even, &odd(160), &[2]).is_err());
        let mut even = odd(160);
        *even.last_mut().unwrap() = 0;
        assert!(DsaGroup::new(&odd(1024), &even, &[2]).is_err());
    }

    #[test]
    fn private_values_have_the_length_that_is_asked_for() {
        let group = DhGroup::new(&odd(1021), &[2]).unwrap();
        for (asked, bits) in [(None, 1020), (Some(160), 160), (Some(161), 161), (Some(1020), 1020)] {
            let value = group.private_value(asked).unwrap();
            assert_eq!(bit_len(value.expose()), bits);
            group.check_private(value.expose()).unwrap();
        }
        for bits in [0, 159, 1021, usize::MAX] {
            assert!(matches!(group.private_value(Some(bits)), Err(Error::ArgumentsBad(_))), "{bits}");
        }
    }

    #[test]
    fn dsa_has_its_own_lengths_of_q() {
        assert_eq!(
            [512, 1024, 2048, 3072].map(|bits| subprime_bits(bits, None)),
            [160, 160, 224, 256].map(Some)
        );
        assert_eq!(subprime_bits(2048, Some(256)), Some(256));
        for (prime, subprime) in [(1024, 224), (2048, 160), (3072, 224), (2048, 0)] {
            assert_eq!(subprime_bits(prime, Some(subprime)), None);
        }
        for prime in [0, 448, 520, 1088, 2047, 4096, usize::MAX] {
            assert_eq!(subprime_bits(prime, None), None);
        }
    }

    #[test]
    fn halves_of_a_signature_are_between_1_and_q_minus_1() {
        let q = odd(160);
        let group = DsaGroup::new(&odd(1024), &q, &[2]).unwrap();
        let mut one = vec![0; 20];
        one[19] = 1;
        assert!(group.halves(&[&one[..], &one].concat()).is_ok());
        for (r, s) in [(&[0; 20][..], &one[..]), (&one, &[0; 20]), (&q, &one), (&one, &q)] {
            assert!(matches!(group.halves(&[r, s].concat()), Err(Error::SignatureInvalid)));
        }
        for length in [0, 39, 41, 48] {
            assert!(matches!(group.halves(&vec![1; length]), Err(Error::SignatureLength)));
        }
    }
}
