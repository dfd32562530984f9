//! CBC-MAC: the last block of CBC from an IV of zeros. FIPS 113; ISO/IEC 9797-1, algorithm 1 with padding
//! method 1. For old systems: it is safe among messages of one length alone, where CMAC is for all.

use zeroize::Zeroizing;

use super::blocks::{BLOCK, DES_BLOCK};
use super::choice::{aes, des3};
use super::{AesMode, Cipher, Des3Mode, Direction, Mac, Padding};
use crate::error::{Error, Result};

/// How much of a message is encrypted at once, in bytes.
const CHUNK: usize = 4096;

/// Begins a CBC-MAC on AES, with a key of 16, 24 or 32 bytes.
///
/// # Errors
/// [`Error::KeySizeRange`].
pub fn aes_cbc_mac(key: &[u8]) -> Result<Box<dyn Mac>> {
    let mode = AesMode::CbcPad { iv: &[0; BLOCK], padding: Padding::Zeros };
    Ok(Box::new(CbcMac::<BLOCK>::new(aes(mode, Direction::Encrypt, key)?)))
}

/// Begins a CBC-MAC on Triple DES, with a key of 16 or 24 bytes, or on DES, with one of 8.
///
/// # Errors
/// [`Error::KeySizeRange`].
pub fn des3_cbc_mac(key: &[u8]) -> Result<Box<dyn Mac>> {
    let mode = Des3Mode::CbcPad { iv: &[0; DES_BLOCK], padding: Padding::Zeros };
    Ok(Box::new(CbcMac::<DES_BLOCK>::new(des3(mode, Direction::Encrypt, key)?)))
}

/// A running CBC-MAC with blocks of `N` bytes.
struct CbcMac<const N: usize> {
    cipher: Box<dyn Cipher>,
    /// The last block that came out.
    last: Zeroizing<[u8; N]>,
    /// Whether there was anything yet.
    begun: bool,
}

impl<const N: usize> CbcMac<N> {
    fn new(cipher: Box<dyn Cipher>) -> CbcMac<N> {
        CbcMac { cipher, last: Zeroizing::new([0; N]), begun: false }
    }

    fn encrypt(&mut self, chunk: &[u8]) -> Result<()> {
        let mut out = Zeroizing::new(vec![0; self.cipher.update_len(chunk.len())]);
        let length = self.cipher.update(chunk, &mut out)?;
        if let Some(last) = out.get(..length).and_then(<[u8]>::last_chunk::<N>) {
            *self.last = *last;
        }
        self.begun |= !chunk.is_empty();
        Ok(())
    }
}

impl<const N: usize> Mac for CbcMac<N> {
    fn update(&mut self, data: &[u8]) -> Result<()> {
        data.chunks(CHUNK).try_for_each(|chunk| self.encrypt(chunk))
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<()> {
        // ISO/IEC 9797-1, padding method 1: what is padded is a block at least.
        if !self.begun {
            self.encrypt(&[0; N])?;
        }
        let mut end = Zeroizing::new([0; N]);
        if self.cipher.finish(&mut *end)? > 0 {
            self.last = end;
        }
        if out.len() != N {
            return Err(Error::CryptoFailed("the length of a MAC"));
        }
        out.copy_from_slice(&*self.last);
        Ok(())
    }

    fn len(&self) -> usize {
        N
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(mut mac: Box<dyn Mac>, parts: &[&[u8]]) -> String {
        parts.iter().for_each(|part| mac.update(part).unwrap());
        let mut out = vec![0; mac.len()];
        mac.finish(&mut out).unwrap();
        hex::encode(out)
    }

    /// FIPS 113's example is of DES: Triple DES with the same key three times.
    #[test]
    fn that_of_fips_113() {
        let key = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef].repeat(3);
        let message = b"7654321 Now is the time for ";
        let mac = || des3_cbc_mac(&key).unwrap();
        assert_eq!(finished(mac(), &[message]), "f1d30f6849312ca4");
        assert_eq!(
            finished(mac(), &[&message[..3], &message[3..20], &[], &message[20..]]),
            "f1d30f6849312ca4"
        );
        let padded = [&message[..], &[0; 4]].concat();
        assert_eq!(finished(mac(), &[&padded]), "f1d30f6849312ca4", "the padding is part of what is said");
    }

    /// NIST SP 800-38A, section F.2.1, whose IV is added to the first block.
    #[test]
    fn the_last_block_of_cbc() {
        let key = hex::decode("2b7e151628aed2a6abf7158809cf4f3c").unwrap();
        let mut message = hex::decode(concat!(
            "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51",
            "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
        ))
        .unwrap();
        (0..16).zip(&mut message).for_each(|(iv, byte)| *byte ^= iv);
        let expected = "3ff1caa1681fac09120eca307586e1a7";
        assert_eq!(finished(aes_cbc_mac(&key).unwrap(), &[&message]), expected);
        let bytes: Vec<&[u8]> = message.chunks(1).collect();
        assert_eq!(finished(aes_cbc_mac(&key).unwrap(), &bytes), expected);
    }

    #[test]
    fn a_message_longer_than_a_chunk_goes_on_from_it() {
        let message = vec![7; 3 * CHUNK + 5];
        let (one, two) = message.split_at(CHUNK + 1);
        let mac = || aes_cbc_mac(&[1; 16]).unwrap();
        assert_eq!(finished(mac(), &[&message]), finished(mac(), &[one, two]));
        assert_ne!(finished(mac(), &[&message]), finished(mac(), &[two]));
    }

    #[test]
    fn no_message_is_a_block_of_zeros() {
        let mac = || aes_cbc_mac(&[1; 32]).unwrap();
        assert_eq!(finished(mac(), &[]), finished(mac(), &[&[0; 16]]));
        assert_eq!(finished(mac(), &[&[]]), finished(mac(), &[&[0]]));
    }

    #[test]
    fn keys_have_their_ciphers_lengths() {
        for length in [0, 15, 17, 33] {
            assert!(matches!(aes_cbc_mac(&vec![1; length]), Err(Error::KeySizeRange)), "{length}");
            assert!(matches!(des3_cbc_mac(&vec![1; length]), Err(Error::KeySizeRange)), "{length}");
        }
    }
}
