//! The arithmetic that stands between an RSA key's numbers and the `rsa` crate, which takes both
//! primes. Its running time depends on the numbers; it runs once, when a key is made or prepared.

use elliptic_curve::bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use elliptic_curve::bigint::{ConcatenatingMul, Gcd, Lcm, NonZero, Odd, RandomMod};
use rsa::BoxedUint;
use zeroize::Zeroizing;

use super::random::SystemRng;
use crate::error::{Error, Result};
use crate::secret::Secret;

/// Rounds of the search for the primes, each of which succeeds with a chance of one half at least.
const ROUNDS: usize = 100;

/// Reads a big-endian number. Leading zeros do not count.
pub(super) fn number(bytes: &[u8]) -> BoxedUint {
    BoxedUint::from_be_slice_vartime(bytes)
}

/// Writes a number big-endian without leading zeros.
pub(super) fn bytes(number: &BoxedUint) -> Vec<u8> {
    number.to_be_bytes_trimmed_vartime().into_vec()
}

/// The same for a secret number.
pub(super) fn secret(number: &BoxedUint) -> Secret {
    Secret::new(bytes(number))
}

/// Writes a secret number into exactly `length` bytes, on which alone the time depends.
pub(super) fn secret_of_len(number: BoxedUint, length: usize) -> Result<Secret> {
    let number = Zeroizing::new(number);
    let bytes = Zeroizing::new(number.to_be_bytes().into_vec());
    match bytes.len().checked_sub(length) {
        Some(excess) => bytes.get(excess..).map(Secret::copy_of),
        None => None,
    }
    .ok_or(Error::CryptoFailed("length of a number"))
}

/// d = e⁻¹ mod lcm(p − 1, q − 1), FIPS 186-5, appendix A.1.1; `None` where e has no inverse.
pub(super) fn private_exponent(exponent: &BoxedUint, p: &BoxedUint, q: &BoxedUint) -> Option<BoxedUint> {
    let lambda = NonZero::new(predecessor(p).lcm(&predecessor(q))).into_option()?;
    let exponent = exponent.rem_vartime(&lambda);
    exponent.invert_mod(&lambda).into_option()
}

/// The primes of `modulus`, from a pair of exponents. NIST SP 800-56B rev. 2, appendix C.1. (The
/// method of `rsa`, C.2 there, needs public exponents above 2¹⁶.) `None` if none are found, as the
/// exponents are another modulus's; whether those that are found go with the exponents is not looked at.
pub(super) fn primes(
    modulus: &BoxedUint,
    exponent: &BoxedUint,
    private_exponent: &BoxedUint,
) -> Result<Option<[BoxedUint; 2]>> {
    let (Some(odd), Some(range)) =
        (Odd::new(modulus.clone()).into_option(), NonZero::new(modulus.clone()).into_option())
    else {
        return Ok(None);
    };
    let params = BoxedMontyParams::new_vartime(odd);
    // A multiple of the order of every unit, if the exponents belong to the modulus.
    let multiple = Zeroizing::new(predecessor(&exponent.concatenating_mul(private_exponent)));
    let twos = multiple.trailing_zeros_vartime();
    if bool::from(multiple.is_zero()) || twos == 0 {
        return Ok(None);
    }
    let odd_part = Zeroizing::new(multiple.wrapping_shr_vartime(twos));
    for _ in 0..ROUNDS {
        let base = BoxedUint::try_random_mod_vartime(&mut SystemRng, &range)?;
        let power = BoxedMontyForm::new(base, &params).pow(&odd_part);
        if let Some(root) = root_of_one(power, twos) {
            return Ok(split(modulus, &root));
        }
    }
    Ok(None)
}

/// Squares up to `times` times in search of a square root of 1 other than 1 and −1.
fn root_of_one(start: BoxedMontyForm, times: u32) -> Option<BoxedUint> {
    let one = BoxedMontyForm::one(start.params());
    let minus_one = one.neg();
    let mut root = start;
    for _ in 0..times {
        if root == one || root == minus_one {
            return None;
        }
        let square = root.square();
        if square == one {
            return Some(root.retrieve());
        }
        root = square;
    }
    None
}

/// The primes, from a root of 1: (root − 1)(root + 1) is a multiple of the modulus, but neither factor is.
fn split(modulus: &BoxedUint, root: &BoxedUint) -> Option<[BoxedUint; 2]> {
    let p = predecessor(root).gcd_vartime(modulus);
    let q = modulus / NonZero::new(p.clone()).into_option()?;
    Some([p, q])
}

/// One less. (Of 0, which no valid key has here, the largest number: odd, and so refused.)
fn predecessor(number: &BoxedUint) -> BoxedUint {
    number.wrapping_sub(BoxedUint::one())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(value: u64) -> BoxedUint {
        BoxedUint::from(value)
    }

    #[test]
    fn the_private_exponent_is_the_inverse_mod_the_least_common_multiple() {
        // lcm(60, 52) = 780, and 17 · 413 = 9 · 780 + 1.
        assert_eq!(private_exponent(&small(17), &small(61), &small(53)), Some(small(413)));
        assert_eq!(private_exponent(&small(13), &small(61), &small(53)), None);
    }

    #[test]
    fn primes_follow_from_either_private_exponent() {
        // 413 modulo λ, 2753 modulo φ.
        for d in [413, 2753] {
            let mut found = primes(&small(3233), &small(17), &small(d)).unwrap().unwrap();
            found.sort();
            assert_eq!(found, [small(53), small(61)]);
        }
    }

    #[test]
    fn numbers_of_no_key_give_no_primes() {
        // Numbers as small as the other tests' would be factored by chance, whatever the exponents.
        for (n, e, d) in [(3233, 17, 0), (3232, 17, 413), (3233, 1, 1)] {
            assert_eq!(primes(&small(n), &small(e), &small(d)).unwrap(), None, "{n} {e} {d}");
        }
    }

    #[test]
    fn secret_numbers_have_the_length_asked_for() {
        assert!(secret_of_len(small(0x0102), 3).unwrap().equals(&[0, 1, 2]));
        assert!(matches!(secret_of_len(small(1), 9), Err(Error::CryptoFailed(_))));
    }
}
