//! A cipher whose message has a length that was said before: CCM's parameter holds it (PKCS #11 3.2,
//! section 6.13.4), and what comes in must keep to it.

use crate::crypto::{Cipher, Direction};
use crate::error::{Error, Result};

/// A cipher that takes so many bytes, no more and no less.
pub(super) struct Exactly {
    cipher: Box<dyn Cipher>,
    direction: Direction,
    /// What is still to come in, in bytes.
    left: u64,
}

impl Exactly {
    /// Lets `length` bytes through.
    pub(super) fn new(cipher: Box<dyn Cipher>, direction: Direction, length: u64) -> Exactly {
        Exactly { cipher, direction, left: length }
    }

    fn wrong(&self) -> Error {
        match self.direction {
            Direction::Encrypt => Error::DataLength,
            Direction::Decrypt => Error::EncryptedDataLength,
        }
    }

    fn take(&mut self, input: usize) -> Result<()> {
        self.left = self.left.checked_sub(input as u64).ok_or_else(|| self.wrong())?;
        Ok(())
    }
}

impl Cipher for Exactly {
    fn update_len(&self, input: usize) -> usize {
        self.cipher.update_len(input)
    }

    fn update(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        self.take(input.len())?;
        self.cipher.update(input, out)
    }

    fn finish_len(&self) -> usize {
        self.cipher.finish_len()
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<usize> {
        if self.left > 0 {
            return Err(self.wrong());
        }
        self.cipher.finish(out)
    }

    fn once_len(&self, input: usize) -> usize {
        self.cipher.once_len(input)
    }
}
