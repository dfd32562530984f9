//! Cipher feedback of single bits (CFB1): NIST SP 800-38A, section 6.3, with s = 1. No crate of this family has it.
//! Messages here are whole bytes, whose highest bit comes first.

use cipher::array::Array;
use cipher::{BlockCipherEncrypt, BlockSizeUser};
use zeroize::Zeroize;

use super::modes::Both;
use crate::crypto::blocks::{Counter, Stream};
use crate::crypto::{Cipher, Direction};
use crate::error::{Error, Result};

/// Begins, with an initialisation vector of a block.
pub(super) fn cfb1<C: Both>(cipher: C, iv: &[u8], direction: Direction) -> Result<Box<dyn Cipher>> {
    let input = Array::try_from(iv).map_err(|_| Error::MechanismParamInvalid)?;
    Ok(Box::new(Counter::endless(Cfb1 { cipher, input, direction })))
}

/// A running message.
struct Cfb1<C: BlockSizeUser> {
    cipher: C,
    /// The next block that is encrypted: the last bits of ciphertext, in the beginning the vector.
    input: Array<u8, C::BlockSize>,
    direction: Direction,
}

impl<C: BlockCipherEncrypt> Cfb1<C> {
    /// One bit, the lowest of `bit`; the others are zero.
    fn bit(&mut self, bit: u8) -> u8 {
        let mut output = self.input.clone();
        self.cipher.encrypt_block(&mut output);
        let key = output.first().map_or(0, |first| first >> 7);
        output.zeroize();
        let result = bit ^ key;
        self.shift(match self.direction {
            Direction::Encrypt => result,
            Direction::Decrypt => bit,
        });
        result
    }

    /// Puts a bit of ciphertext behind the others, of which the first one goes.
    fn shift(&mut self, bit: u8) {
        let mut carried = bit;
        for byte in self.input.iter_mut().rev() {
            let first = *byte >> 7;
            *byte = *byte << 1 | carried;
            carried = first;
        }
    }
}

impl<C: Both> Stream for Cfb1<C> {
    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<()> {
        for (byte, out) in input.iter().zip(out) {
            *out = (0..8).rev().fold(0, |done, at| done << 1 | self.bit(byte >> at & 1));
        }
        Ok(())
    }
}
