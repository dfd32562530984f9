//! The encodings of RFC 8017 that `rsa` does not offer in full: it ties PSS to one hash function for
//! message and mask, and refuses to encrypt under public exponents above 2³³. What it does offer (the
//! decoding of OAEP, PKCS #1 v1.5 signatures, and the RSA primitives themselves) is taken from it.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::hashes::digest_of;
use crate::crypto::{Hash, Oaep, Pss};
use crate::error::{Error, Result};
use crate::rng;

/// Where lengths are derived from each other, so that a slice cannot be out of range.
const LENGTHS: Error = Error::CryptoFailed("lengths of an RSA encoding");

/// EMSA-PSS-ENCODE with a given salt. RFC 8017, section 9.1.1. The result has ⌈`bits` ÷ 8⌉ bytes.
pub(super) fn pss_encode(pss: &Pss, digest: &[u8], salt: &[u8], bits: usize) -> Result<Vec<u8>> {
    if digest.len() != pss.hash.len() {
        return Err(Error::DataLength);
    }
    let length = bits.div_ceil(8);
    let hash = digest_of(pss.hash, &[&[0; 8], digest, salt])?;
    let zeros = length.checked_sub(hash.len() + salt.len() + 2).ok_or(Error::KeySizeRange)?;
    let mut encoded = vec![0; zeros];
    encoded.push(1);
    encoded.extend_from_slice(salt);
    mask(pss.mgf, &hash, &mut encoded)?;
    if let Some(first) = encoded.first_mut() {
        *first &= 0xff >> (8 * length - bits);
    }
    encoded.extend_from_slice(&hash);
    encoded.push(0xbc);
    Ok(encoded)
}

/// EMSA-PSS-VERIFY, section 9.1.2: takes the salt out of `encoded` and encodes again. The encoding has
/// one form for each salt, so that comparing the whole checks all that the section lists.
pub(super) fn pss_verify(pss: &Pss, digest: &[u8], encoded: &[u8], bits: usize) -> Result<()> {
    let block_len = encoded.len().checked_sub(pss.hash.len() + 1).ok_or(Error::SignatureInvalid)?;
    let (block, rest) = encoded.split_at(block_len);
    let mut block = block.to_vec();
    mask(pss.mgf, rest.get(..pss.hash.len()).ok_or(LENGTHS)?, &mut block)?;
    let salt_at = block_len.checked_sub(pss.salt_len).ok_or(Error::SignatureInvalid)?;
    let salt = block.get(salt_at..).ok_or(LENGTHS)?;
    let expected = pss_encode(pss, digest, salt, bits).map_err(|_| Error::SignatureInvalid)?;
    if bool::from(expected.ct_eq(encoded)) { Ok(()) } else { Err(Error::SignatureInvalid) }
}

/// EME-OAEP encoding, section 7.1.1, step 2, to the modulus's `length` in bytes.
pub(super) fn oaep_encode(oaep: &Oaep<'_>, message: &[u8], length: usize) -> Result<Zeroizing<Vec<u8>>> {
    let hash_len = oaep.hash.len();
    let zeros = length.checked_sub(message.len() + 2 * hash_len + 2).ok_or(Error::DataLength)?;
    let mut encoded = Zeroizing::new(Vec::with_capacity(length));
    encoded.resize(1 + hash_len, 0);
    encoded.extend_from_slice(&digest_of(oaep.hash, &[oaep.label])?);
    encoded.resize(1 + 2 * hash_len + zeros, 0);
    encoded.push(1);
    encoded.extend_from_slice(message);
    let (seed, block) = encoded
        .split_at_mut_checked(1 + hash_len)
        .and_then(|(head, block)| Some((head.get_mut(1..)?, block)))
        .ok_or(LENGTHS)?;
    rng::fill(seed)?;
    mask(oaep.mgf, seed, block)?;
    mask(oaep.mgf, block, seed)?;
    Ok(encoded)
}

/// EME-PKCS1-v1_5 encoding, section 7.2.1, step 2, to the modulus's `length` in bytes.
pub(super) fn v15_encode(message: &[u8], length: usize) -> Result<Zeroizing<Vec<u8>>> {
    let fill = length.checked_sub(message.len() + 3).filter(|fill| *fill >= 8).ok_or(Error::DataLength)?;
    let mut encoded = Zeroizing::new(Vec::with_capacity(length));
    encoded.extend_from_slice(&[0, 2]);
    while encoded.len() < 2 + fill {
        let [byte] = rng::array()?;
        if byte != 0 {
            encoded.push(byte);
        }
    }
    encoded.push(0);
    encoded.extend_from_slice(message);
    Ok(encoded)
}

/// XORs `data` with the mask that MGF1 makes of `seed`. RFC 8017, appendix B.2.1.
fn mask(hash: Hash, seed: &[u8], data: &mut [u8]) -> Result<()> {
    for (counter, chunk) in (0u32..).zip(data.chunks_mut(hash.len())) {
        let block = Zeroizing::new(digest_of(hash, &[seed, &counter.to_be_bytes()])?);
        for (byte, mask) in chunk.iter_mut().zip(block.iter()) {
            *byte ^= mask;
        }
    }
    Ok(())
}
