//! Secrets in parts: KMIP's split keys (KMIP 1.4, section 2.2.5) by exclusive or, and by polynomials over
//! GF(2^8) on crate `blahaj`.
//!
//! KMIP names no representation of GF(2^8) for its method; the parts in OASIS's cases TC-SJ-2 and TC-SJ-3
//! are of x^8 + x^4 + x^3 + x^2 + 1, which is that crate's. The sharing over GF(2^16) and that over a
//! prime field have no maintained crate that represents them as KMIP does.

use blahaj::{Share, Sharks};

use super::rust_crypto::SearchRng;
use crate::error::{Error, Result};
use crate::rng;
use crate::secret::Secret;

/// How a secret is split.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SplitMethod {
    /// Exclusive or: all parts are needed.
    Xor,
    /// Polynomial sharing over GF(2^8), byte by byte. A part's number is the x coordinate.
    PolynomialGf256,
}

/// One part of a secret.
#[derive(Debug)]
pub struct Part {
    /// Its number, from 1.
    pub number: u8,
    /// Its bytes, as many as the secret has.
    pub bytes: Secret,
}

/// The longest secret that is split, in bytes.
const LONGEST: usize = 64 << 10;

/// Splits `secret` into `parts` parts, numbered from 1, of which `threshold` give it back.
///
/// # Errors
/// [`Error::ArgumentsBad`] for numbers that the method does not take: 2 ≤ threshold ≤ parts ≤ 255, and
/// with [`SplitMethod::Xor`] threshold = parts. [`Error::DataLength`] for an empty secret or one above
/// 64 KiB.
pub fn split(method: SplitMethod, secret: &[u8], parts: usize, threshold: usize) -> Result<Vec<Part>> {
    let (parts, threshold) = numbers(method, parts, threshold)?;
    if !(1..=LONGEST).contains(&secret.len()) {
        return Err(Error::DataLength);
    }
    match method {
        SplitMethod::Xor => split_xor(secret, parts),
        SplitMethod::PolynomialGf256 => split_polynomial(secret, parts, threshold),
    }
}

/// Joins parts. More than `threshold` may be given; all must agree.
///
/// # Errors
/// [`Error::ArgumentsBad`] for too few parts, parts of unequal length, and numbers that are 0 or twice
/// there; [`Error::DataInvalid`] where parts beyond the threshold do not fit the others.
pub fn join(method: SplitMethod, threshold: usize, parts: &[Part]) -> Result<Secret> {
    let length = check(threshold, parts)?;
    match method {
        SplitMethod::Xor if parts.len() != threshold => {
            Err(Error::ArgumentsBad("all parts of a split key are needed, and no more"))
        }
        SplitMethod::Xor => {
            let mut secret = Secret::zeroed(length);
            parts.iter().for_each(|part| add(&mut secret, &part.bytes));
            Ok(secret)
        }
        SplitMethod::PolynomialGf256 => join_polynomial(threshold, parts),
    }
}

fn numbers(method: SplitMethod, parts: usize, threshold: usize) -> Result<(u8, u8)> {
    let fits = match method {
        SplitMethod::Xor => threshold == parts,
        SplitMethod::PolynomialGf256 => threshold <= parts,
    };
    match (u8::try_from(parts), u8::try_from(threshold)) {
        (Ok(parts), Ok(threshold)) if fits && threshold >= 2 => Ok((parts, threshold)),
        _ => Err(Error::ArgumentsBad("the numbers of parts and of those needed do not go together")),
    }
}

/// The length of the secret, if the parts may belong together.
fn check(threshold: usize, parts: &[Part]) -> Result<usize> {
    let enough = threshold >= 2 && parts.len() >= threshold;
    let Some(first) = parts.first().filter(|part| enough && !part.bytes.is_empty()) else {
        return Err(Error::ArgumentsBad("too few parts of a split key"));
    };
    let length = first.bytes.len();
    let mut seen = std::collections::HashSet::from([0]);
    if parts.iter().any(|part| part.bytes.len() != length || !seen.insert(part.number)) {
        return Err(Error::ArgumentsBad("parts of a split key that do not belong together"));
    }
    Ok(length)
}

/// All parts but the last are random; the last is what makes them the secret.
fn split_xor(secret: &[u8], parts: u8) -> Result<Vec<Part>> {
    let mut last = Secret::copy_of(secret);
    let mut split = Vec::with_capacity(parts.into());
    for number in 1..parts {
        let bytes = rng::secret(secret.len())?;
        add(&mut last, &bytes);
        split.push(Part { number, bytes });
    }
    split.push(Part { number: parts, bytes: last });
    Ok(split)
}

fn add(sum: &mut Secret, other: &Secret) {
    sum.expose_mut().iter_mut().zip(other.expose()).for_each(|(byte, other)| *byte ^= other);
}

fn split_polynomial(secret: &[u8], parts: u8, threshold: u8) -> Result<Vec<Part>> {
    SearchRng::run(|rng| {
        let shares = Sharks(threshold).dealer_rng(secret, rng).take(parts.into());
        Ok((1..=parts).zip(shares).map(|(number, share)| Part { number, bytes: bytes_of(&share) }).collect())
    })
}

/// The y coordinates; the crate puts x in front.
fn bytes_of(share: &Share) -> Secret {
    let all = Secret::new(share.into());
    Secret::copy_of(all.expose().get(1..).unwrap_or_default())
}

/// The polynomial through the first parts. Others lie on it if and only if they give the same secret in
/// the place of one of those.
fn join_polynomial(threshold: usize, parts: &[Part]) -> Result<Secret> {
    let (first, others) = parts.split_at_checked(threshold).ok_or(Error::DataInvalid)?;
    let secret = interpolate(first)?;
    let kept = first.get(1..).unwrap_or_default();
    for other in others {
        let again = interpolate(kept.iter().chain([other]))?;
        if !again.equals(secret.expose()) {
            return Err(Error::DataInvalid);
        }
    }
    Ok(secret)
}

fn interpolate<'a>(parts: impl IntoIterator<Item = &'a Part>) -> Result<Secret> {
    let shares = parts.into_iter().map(|part| {
        let mut all = Secret::zeroed(part.bytes.len() + 1);
        let (x, y) = all.expose_mut().split_first_mut().ok_or(Error::DataInvalid)?;
        *x = part.number;
        y.copy_from_slice(part.bytes.expose());
        Share::try_from(all.expose()).map_err(|_| Error::DataInvalid)
    });
    let shares = shares.collect::<Result<Vec<_>>>()?;
    let threshold = u8::try_from(shares.len()).map_err(|_| Error::DataInvalid)?;
    Sharks(threshold).recover(&shares).map(Secret::new).map_err(|_| Error::DataInvalid)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::{select, subsequence};

    use super::*;

    fn part(number: u8, hex: &str) -> Part {
        Part { number, bytes: Secret::new(hex::decode(hex).unwrap()) }
    }

    fn copies<'a>(parts: impl IntoIterator<Item = &'a Part>) -> Vec<Part> {
        parts.into_iter().map(|part| Part { number: part.number, bytes: part.bytes.duplicate() }).collect()
    }

    const SECRET: [u8; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

    #[test]
    fn parts_of_others_join() {
        // OASIS's TC-SJ-3: threshold 2.
        let parts = [
            part(1, "66c46a7754f94de420c7b1a7fff5ec56"),
            part(2, "cf93d1e2a7e593cd5b8d6247f4e5d49c"),
            part(3, "a855b891f61ad9217240d8ec061e37da"),
            part(4, "803dbad55cdd329fad19d99ae2c5a415"),
        ];
        for chosen in [&[0, 1][..], &[0, 3], &[2, 3], &[3, 1], &[0, 1, 2], &[0, 1, 2, 3]] {
            let chosen = copies(chosen.iter().map(|index| &parts[*index]));
            assert!(join(SplitMethod::PolynomialGf256, 2, &chosen).unwrap().equals(&SECRET));
        }
        // TC-SJ-4.
        let parts = [
            part(1, "d4b92c299199298e30dee13b967e6dda"),
            part(2, "35ea4f615686230c7b11538693674e89"),
            part(3, "3478ddd2e1f89f2005011d26d9fff37c"),
            part(4, "d429bd9e23e192aa47c4a497d1e8df3f"),
        ];
        assert!(join(SplitMethod::Xor, 4, &parts).unwrap().equals(&SECRET));
    }

    #[test]
    fn numbers_that_do_not_go_together_are_refused() {
        use SplitMethod::{PolynomialGf256, Xor};
        let bad = [(Xor, 3, 2), (Xor, 1, 1), (Xor, 0, 0), (Xor, 256, 256), (PolynomialGf256, 2, 3)];
        for (method, parts, threshold) in bad.into_iter().chain([
            (PolynomialGf256, 3, 1),
            (PolynomialGf256, 3, 0),
            (PolynomialGf256, 256, 2),
        ]) {
            let answer = split(method, &SECRET, parts, threshold);
            assert!(matches!(answer, Err(Error::ArgumentsBad(_))), "{method:?} {parts} {threshold}");
        }
        for method in [Xor, PolynomialGf256] {
            assert!(matches!(split(method, &[], 3, 3), Err(Error::DataLength)));
            assert!(matches!(split(method, &vec![0; LONGEST + 1], 3, 3), Err(Error::DataLength)));
        }
    }

    #[test]
    fn parts_that_do_not_belong_together_are_refused() {
        for method in [SplitMethod::Xor, SplitMethod::PolynomialGf256] {
            let parts = split(method, &SECRET, 3, 3).unwrap();
            let join = |chosen: &[Part]| join(method, 3, chosen);
            assert!(matches!(join(&parts[..2]), Err(Error::ArgumentsBad(_))));
            assert!(matches!(join(&[]), Err(Error::ArgumentsBad(_))));
            let mut twice = copies(&parts);
            twice[2].number = 1;
            assert!(matches!(join(&twice), Err(Error::ArgumentsBad(_))));
            twice[2].number = 0;
            assert!(matches!(join(&twice), Err(Error::ArgumentsBad(_))));
            let mut short = copies(&parts);
            short[1].bytes = Secret::copy_of(&SECRET[1..]);
            assert!(matches!(join(&short), Err(Error::ArgumentsBad(_))));
        }
        let mut parts = split(SplitMethod::PolynomialGf256, &SECRET, 4, 3).unwrap();
        parts[3].bytes.expose_mut()[5] ^= 1;
        assert!(matches!(join(SplitMethod::PolynomialGf256, 3, &parts), Err(Error::DataInvalid)));
        let parts = split(SplitMethod::Xor, &SECRET, 4, 4).unwrap();
        assert!(matches!(join(SplitMethod::Xor, 3, &parts), Err(Error::ArgumentsBad(_))));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn any_parts_that_are_enough_give_the_secret_back(
            secret in proptest::collection::vec(any::<u8>(), 1..70),
            threshold in 2usize..6,
            chosen in subsequence((0usize..9).collect::<Vec<_>>(), 6..=9).prop_shuffle(),
        ) {
            let parts = split(SplitMethod::PolynomialGf256, &secret, 9, threshold).unwrap();
            prop_assert!(parts.iter().map(|part| part.number).eq(1..=9));
            let chosen = copies(chosen.iter().map(|index| &parts[*index]));
            let enough = &chosen[..threshold];
            prop_assert!(join(SplitMethod::PolynomialGf256, threshold, enough).unwrap().equals(&secret));
            prop_assert!(join(SplitMethod::PolynomialGf256, threshold, &chosen).unwrap().equals(&secret));
        }

        #[test]
        fn all_parts_of_an_exclusive_or_give_the_secret_back(
            secret in proptest::collection::vec(any::<u8>(), 1..70),
            parts in select(vec![2usize, 3, 7, 255]),
        ) {
            let split = split(SplitMethod::Xor, &secret, parts, parts).unwrap();
            prop_assert_eq!(split.len(), parts);
            prop_assert!(join(SplitMethod::Xor, parts, &split).unwrap().equals(&secret));
        }
    }
}
