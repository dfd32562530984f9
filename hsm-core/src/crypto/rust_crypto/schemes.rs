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
    let zeros = length.checked_sub(hash.len() + salt.len() + 2).ok_or(Error::MechanismParamInvalid)?;
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
    if digest.len() != pss.hash.len() {
        return Err(Error::DataLength);
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    const PSS: Pss = Pss { hash: Hash::Sha256, mgf: Hash::Sha512, salt_len: 20 };

    #[test]
    fn a_pss_encoding_verifies_for_its_digest_and_salt_length_alone() {
        // From bits that end in the middle of a byte to bits that fill the bytes.
        for bits in 1016..=1024 {
            let encoded = pss_encode(&PSS, &[1; 32], &[2; 20], bits).unwrap();
            assert_eq!(encoded.len(), bits.div_ceil(8));
            pss_verify(&PSS, &[1; 32], &encoded, bits).unwrap();
            for (pss, digest) in [(PSS, [3; 32]), (Pss { salt_len: 19, ..PSS }, [1; 32])] {
                assert!(matches!(pss_verify(&pss, &digest, &encoded, bits), Err(Error::SignatureInvalid)));
            }
        }
    }

    #[test]
    fn each_bit_of_a_pss_encoding_counts() {
        let encoded = pss_encode(&PSS, &[1; 32], &[2; 20], 1023).unwrap();
        for bit in 0..encoded.len() * 8 {
            let mut changed = encoded.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(
                matches!(pss_verify(&PSS, &[1; 32], &changed, 1023), Err(Error::SignatureInvalid)),
                "{bit}"
            );
        }
    }

    #[test]
    fn a_salt_fills_the_encoding_and_no_more() {
        let salt = [2; 128 - 32 - 2];
        let pss = Pss { salt_len: salt.len(), ..PSS };
        pss_verify(&pss, &[1; 32], &pss_encode(&pss, &[1; 32], &salt, 1023).unwrap(), 1023).unwrap();
        let encoded = pss_encode(&PSS, &[1; 32], &[2; 128 - 32 - 1], 1023);
        assert!(matches!(encoded, Err(Error::MechanismParamInvalid)));
        let longer = Pss { salt_len: salt.len() + 1, ..PSS };
        assert!(matches!(pss_verify(&longer, &[1; 32], &[0xbc; 128], 1023), Err(Error::SignatureInvalid)));
    }

    #[test]
    fn v15_padding_has_no_zeros_and_eight_bytes_at_least() {
        for _ in 0..50 {
            let encoded = v15_encode(b"message", 128).unwrap();
            assert_eq!((encoded.len(), &encoded[..2], encoded[120]), (128, &[0, 2][..], 0));
            assert!(encoded[2..120].iter().all(|byte| *byte != 0));
            assert_eq!(&encoded[121..], b"message");
        }
        assert_eq!(v15_encode(&[7; 117], 128).unwrap().len(), 128);
        assert!(matches!(v15_encode(&[7; 118], 128), Err(Error::DataLength)));
    }

    #[test]
    fn oaep_takes_messages_up_to_its_limit() {
        let oaep = Oaep { hash: Hash::Sha256, mgf: Hash::Sha1, label: b"" };
        let encoded = oaep_encode(&oaep, &[7; 62], 128).unwrap();
        assert_eq!((encoded.len(), encoded[0]), (128, 0));
        assert!(matches!(oaep_encode(&oaep, &[7; 63], 128), Err(Error::DataLength)));
    }
}
