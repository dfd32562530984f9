//! The pseudorandom function of TLS: RFC 5246, section 5, and RFC 2246, section 5, for TLS 1.0 and 1.1.

use super::{Hash, LONGEST_DERIVED, Prf};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// Which of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TlsPrf {
    /// TLS 1.0 and 1.1: MD5 and SHA-1 together.
    Old,
    /// TLS 1.2, with the cipher suite's hash.
    Tls12(Hash),
}

/// `length` bytes from a secret, a label and a seed.
///
/// # Errors
/// [`Error::DataLength`] for lengths outside 1 to [`LONGEST_DERIVED`].
pub fn tls_prf(prf: TlsPrf, secret: &[u8], label: &[u8], seed: &[&[u8]], length: usize) -> Result<Secret> {
    if !(1..=LONGEST_DERIVED).contains(&length) {
        return Err(Error::DataLength);
    }
    let parts: Vec<&[u8]> = std::iter::once(label).chain(seed.iter().copied()).collect();
    match prf {
        TlsPrf::Tls12(hash) => expanded(hash, secret, &parts, length),
        TlsPrf::Old => {
            // The halves share the middle byte of an odd length.
            let half = secret.len().div_ceil(2);
            let first = secret.get(..half).unwrap_or_default();
            let second = secret.get(secret.len() - half..).unwrap_or_default();
            let mut out = expanded(Hash::Md5, first, &parts, length)?;
            let other = expanded(Hash::Sha1, second, &parts, length)?;
            out.expose_mut().iter_mut().zip(other.expose()).for_each(|(byte, other)| *byte ^= other);
            Ok(out)
        }
    }
}

/// P_hash.
fn expanded(hash: Hash, secret: &[u8], seed: &[&[u8]], length: usize) -> Result<Secret> {
    let prf = Prf::Hmac(hash);
    let mut out = Secret::zeroed(length);
    let mut chain = prf.of(secret, seed)?;
    for chunk in out.expose_mut().chunks_mut(hash.len()) {
        let block = prf.of(secret, &[&[chain.as_slice()], seed].concat())?;
        chunk.copy_from_slice(block.get(..chunk.len()).unwrap_or_default());
        chain = prf.of(secret, &[&chain])?;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors that were given on the IETF's list for TLS 1.2 with SHA-256.
    #[test]
    fn that_of_tls_1_2() {
        let secret = hex::decode("9bbe436ba940f017b17652849a71db35").unwrap();
        let seed = hex::decode("a0ba9f936cda311827a6f796ffd5198c").unwrap();
        let expected = concat!(
            "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a",
            "6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab",
            "4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701",
            "87347b66"
        );
        let out = tls_prf(TlsPrf::Tls12(Hash::Sha256), &secret, b"test label", &[&seed], 100).unwrap();
        assert_eq!(hex::encode(out.expose()), expected);
        let (one, two) = seed.split_at(5);
        let parts = tls_prf(TlsPrf::Tls12(Hash::Sha256), &secret, b"test label", &[one, two], 100).unwrap();
        assert!(parts.equals(out.expose()));
    }

    #[test]
    fn the_old_one_is_two_hashes_together() {
        let secret = b"secret!";
        let out = tls_prf(TlsPrf::Old, secret, b"label", &[b"seed"], 40).unwrap();
        let md5 = expanded(Hash::Md5, &secret[..4], &[b"label", b"seed"], 40).unwrap();
        let sha1 = expanded(Hash::Sha1, &secret[3..], &[b"label", b"seed"], 40).unwrap();
        let sum: Vec<u8> = md5.expose().iter().zip(sha1.expose()).map(|(one, two)| one ^ two).collect();
        assert!(out.equals(&sum));
    }

    #[test]
    fn lengths_are_bounded() {
        for length in [0, LONGEST_DERIVED + 1] {
            let answer = tls_prf(TlsPrf::Old, b"secret", b"label", &[], length);
            assert!(matches!(answer, Err(Error::DataLength)));
        }
    }
}
