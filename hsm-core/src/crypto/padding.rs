//! How the last block of a message is filled up, and what comes off again.

use subtle::{Choice, ConstantTimeEq, ConstantTimeGreater};

use super::Padding;
use crate::error::{Error, Result};
use crate::rng;

impl Padding {
    /// Whether a message of whole blocks gets a block more, so that the padding can be told from it.
    pub(super) const fn comes_off(self) -> bool {
        match self {
            Padding::Pkcs7 | Padding::X923 | Padding::Iso10126 => true,
            Padding::Zeros => false,
        }
    }

    /// How long a message of `length` bytes is with its padding, in blocks of `block` bytes.
    pub(crate) const fn padded_len(self, length: usize, block: usize) -> usize {
        let whole = length - length % block;
        if whole == length && !self.comes_off() { whole } else { whole.saturating_add(block) }
    }

    /// Fills what the message leaves free of its last block.
    pub(super) fn fill(self, free: &mut [u8]) -> Result<()> {
        let count = u8::try_from(free.len()).map_err(|_| Error::CryptoFailed("block size"))?;
        let Some((last, before)) = free.split_last_mut() else { return Ok(()) };
        match self {
            Padding::Pkcs7 => before.fill(count),
            Padding::X923 | Padding::Zeros => before.fill(0),
            Padding::Iso10126 => rng::fill(before)?,
        }
        *last = if self.comes_off() { count } else { 0 };
        Ok(())
    }

    /// Length of the message in a decrypted last block. All bytes are looked at in the same way; what is
    /// learnt is one bit, and the length where that bit says "valid".
    pub(super) fn message_len(self, block: &[u8]) -> Result<usize> {
        if !self.comes_off() {
            return Ok(block.len());
        }
        let size = u8::try_from(block.len()).map_err(|_| Error::CryptoFailed("block size"))?;
        let count = *block.last().ok_or(Error::CryptoFailed("block size"))?;
        let mut valid = !count.ct_eq(&0) & !count.ct_gt(&size);
        for (from_end, byte) in (1u8..).zip(block.iter().rev()) {
            let is_message = from_end.ct_gt(&count);
            valid &= is_message | self.has(from_end, *byte, count);
        }
        if bool::from(valid) {
            Ok(block.len().saturating_sub(count.into()))
        } else {
            Err(Error::EncryptedDataInvalid)
        }
    }

    /// Whether a padding of `count` bytes has this byte in its place, counted from the end by 1.
    fn has(self, from_end: u8, byte: u8, count: u8) -> Choice {
        match self {
            Padding::Pkcs7 => byte.ct_eq(&count),
            Padding::X923 => from_end.ct_eq(&1) | byte.ct_eq(&0),
            Padding::Iso10126 | Padding::Zeros => Choice::from(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Padding; 4] = [Padding::Pkcs7, Padding::X923, Padding::Iso10126, Padding::Zeros];

    #[test]
    fn a_message_of_five_bytes_is_filled_as_each_standard_has_it() {
        let filled = |padding: Padding| {
            let mut free = [9; 3];
            padding.fill(&mut free).unwrap();
            free
        };
        assert_eq!(filled(Padding::Pkcs7), [3, 3, 3]);
        assert_eq!(filled(Padding::X923), [0, 0, 3]);
        assert_eq!(filled(Padding::Zeros), [0, 0, 0]);
        assert_eq!(filled(Padding::Iso10126)[2], 3);
    }

    #[test]
    fn what_iso_10126_fills_with_is_random() {
        let filled = || {
            let mut free = [0; 16];
            Padding::Iso10126.fill(&mut free).unwrap();
            free
        };
        assert_ne!(filled()[..15], filled()[..15]);
    }

    #[test]
    fn every_padding_of_every_length_comes_off_but_zeros() {
        for padding in ALL {
            for length in 0..16 {
                let mut block = [200; 16];
                padding.fill(&mut block[length..]).unwrap();
                let expected = if padding == Padding::Zeros { 16 } else { length };
                assert_eq!(padding.message_len(&block).unwrap(), expected, "{padding:?}");
                assert_eq!(
                    padding.padded_len(length, 16),
                    if padding.comes_off() || length > 0 { 16 } else { 0 }
                );
            }
            assert_eq!(padding.padded_len(16, 16), if padding.comes_off() { 32 } else { 16 });
        }
    }

    #[test]
    fn what_is_no_padding_is_refused() {
        let last = |end: [u8; 4]| {
            let mut block = [200; 16];
            block[12..].copy_from_slice(&end);
            block
        };
        for (padding, block) in [
            (Padding::Pkcs7, last([3, 4, 4, 4])),
            (Padding::Pkcs7, last([4, 4, 5, 4])),
            (Padding::X923, last([1, 0, 0, 4])),
            (Padding::X923, last([0, 0, 1, 4])),
            (Padding::X923, last([4, 4, 4, 4])),
        ] {
            assert!(matches!(padding.message_len(&block), Err(Error::EncryptedDataInvalid)), "{block:?}");
        }
        for padding in ALL.into_iter().filter(|padding| padding.comes_off()) {
            for count in [0, 17, 255] {
                let block = last([0, 0, 0, count]);
                assert!(matches!(padding.message_len(&block), Err(Error::EncryptedDataInvalid)), "{count}");
            }
        }
    }
}
