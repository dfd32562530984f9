//! What providers share around a block cipher: buffering of partial blocks, where the padding goes, the limit
//! of a counter, and the output lengths that [`Cipher`] promises. The cipher itself is the provider's,
//! behind one of three small traits.
//!
//! Input that makes up whole blocks goes straight from the caller's slice into the caller's slice; at
//! most one block is held back.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{AesMode, Cipher, Direction, Padding, Poly1305};
use crate::error::{Error, Result};

/// Size of an AES block in bytes.
pub(super) const BLOCK: usize = 16;

/// Size of a DES block in bytes.
pub(super) const DES_BLOCK: usize = 8;

/// The longest data unit of XTS in bytes: 2^20 blocks. NIST SP 800-38E, section 4.
const XTS_LIMIT: usize = BLOCK << 20;

/// A cipher on whole blocks (ECB, CBC), in one direction, with its chaining state inside.
pub(super) trait Blocks: Send {
    /// Transforms `input`, whole blocks, into `out`, which is as long.
    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<()>;
}

/// A cipher on any number of bytes (CTR, CFB, OFB, ChaCha20).
pub(super) trait Stream: Send {
    /// Transforms `input` into `out`, which is as long.
    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<()>;
}

/// A cipher that needs the message as a whole, as GCM does to decrypt.
pub(super) trait Whole: Send {
    /// Length of the output for an input of `input` bytes; 0 where the input is too short.
    fn output_len(&self, input: usize) -> usize;
    /// Transforms the message and says how long the result is. On error, `out` holds nothing of it.
    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize>;
}

/// Refuses parameters that are outside the ranges of [`AesMode`], and keys that AES does not have.
pub(super) fn check(mode: &AesMode<'_>, key: &[u8]) -> Result<()> {
    let fits = match mode {
        AesMode::Xts { .. } => matches!(key.len(), 32 | 64),
        _ => matches!(key.len(), 16 | 24 | 32),
    };
    if !fits {
        return Err(Error::KeySizeRange);
    }
    let valid = match mode {
        AesMode::Ecb
        | AesMode::EcbPad(_)
        | AesMode::Cbc { .. }
        | AesMode::CbcPad { .. }
        | AesMode::Cfb { .. }
        | AesMode::Cfb8 { .. }
        | AesMode::Cfb1 { .. }
        | AesMode::Ofb { .. }
        | AesMode::Cts { .. } => true,
        AesMode::Xts { .. } => return check_halves(key),
        AesMode::Ctr { counter_bits, .. } => (1..=128).contains(counter_bits),
        AesMode::Gcm { iv, tag_len, .. } => !iv.is_empty() && matches!(tag_len, 4 | 8 | 12..=16),
        AesMode::Ccm { nonce, tag_len, .. } => {
            (7..=13).contains(&nonce.len()) && matches!(tag_len, 4 | 6 | 8 | 10 | 12 | 14 | 16)
        }
    };
    if valid { Ok(()) } else { Err(Error::MechanismParamInvalid) }
}

/// As [`check`], for ChaCha20-Poly1305.
pub(super) fn check_poly1305(parameters: &Poly1305<'_>, key: &[u8]) -> Result<()> {
    match (key.len(), parameters.tag_len) {
        (32, 12..=16) => Ok(()),
        (32, _) => Err(Error::MechanismParamInvalid),
        _ => Err(Error::KeySizeRange),
    }
}

/// The two keys of XTS must differ: with equal ones it is open to chosen ciphertexts. FIPS 140-3's
/// implementation guidance, C.I.
fn check_halves(key: &[u8]) -> Result<()> {
    let (first, second) = key.split_at(key.len() / 2);
    if bool::from(first.ct_eq(second)) {
        return Err(Error::ArgumentsBad("the two halves of an XTS key are equal"));
    }
    Ok(())
}

/// The length of one data unit of XTS, if it may have it.
pub(super) fn xts_len(length: usize, direction: Direction) -> Result<usize> {
    match (length, direction) {
        (BLOCK..=XTS_LIMIT, _) => Ok(length),
        (_, Direction::Encrypt) => Err(Error::DataLength),
        (_, Direction::Decrypt) => Err(Error::EncryptedDataLength),
    }
}

/// The length of a message with ciphertext stealing, if it may have it: a block is the least.
pub(super) fn cts_len(length: usize, direction: Direction) -> Result<usize> {
    match (length, direction) {
        (BLOCK.., _) => Ok(length),
        (_, Direction::Encrypt) => Err(Error::DataLength),
        (_, Direction::Decrypt) => Err(Error::EncryptedDataLength),
    }
}

/// A key of Triple DES as its three keys: two mean that the third is the first, and one that all are the same,
/// which is single DES. NIST SP 800-67, sections 3.1 and 3.2.
pub(super) fn three_keys(key: &[u8]) -> Result<Zeroizing<[u8; 24]>> {
    let mut three = Zeroizing::new([0; 24]);
    let (given, rest) = three.split_at_mut_checked(key.len()).ok_or(Error::KeySizeRange)?;
    given.copy_from_slice(key);
    match (key, rest) {
        (_, []) => {}
        (single, others) if single.len() == 8 && others.len() == 16 => {
            others.chunks_exact_mut(8).for_each(|other| other.copy_from_slice(single));
        }
        ([first @ .., _, _, _, _, _, _, _, _], third) if first.len() == 8 && third.len() == 8 => {
            third.copy_from_slice(first);
        }
        _ => return Err(Error::KeySizeRange),
    }
    Ok(three)
}

/// The first `length` bytes of `out`, or [`Error::BufferTooSmall`] before anything has changed.
pub(super) fn room(out: &mut [u8], length: usize) -> Result<&mut [u8]> {
    out.get_mut(..length).ok_or(Error::BufferTooSmall { needed: length })
}

/// Buffers what does not fill a block yet, and pads.
pub(super) struct BlockCipher<B, const BLOCK: usize> {
    blocks: B,
    direction: Direction,
    padding: Option<Padding>,
    held: Zeroizing<[u8; BLOCK]>,
    held_len: usize,
}

impl<B: Blocks, const BLOCK: usize> BlockCipher<B, BLOCK> {
    /// ECB or CBC, with padding that is added and removed.
    pub(super) fn new(blocks: B, direction: Direction, padding: Option<Padding>) -> BlockCipher<B, BLOCK> {
        // Where it does not come off, decryption does not know of it.
        let padding = padding.filter(|padding| direction == Direction::Encrypt || padding.comes_off());
        BlockCipher { blocks, direction, padding, held: Zeroizing::new([0; BLOCK]), held_len: 0 }
    }

    /// Takes input that is known to leave the held block incomplete, or just complete.
    fn hold(&mut self, input: &[u8]) -> Result<()> {
        let end = self.held_len + input.len();
        let free = self.held.get_mut(self.held_len..end).ok_or(Error::CryptoFailed("block buffer"))?;
        free.copy_from_slice(input);
        self.held_len = end;
        Ok(())
    }

    /// Whether the last whole block may be the one with the padding.
    fn holds_last_back(&self) -> bool {
        self.padding.is_some() && self.direction == Direction::Decrypt
    }

    fn finish_padded_encryption(&mut self, padding: Padding, out: &mut [u8]) -> Result<usize> {
        let length = padding.padded_len(self.held_len, BLOCK);
        let out = room(out, length)?;
        if length == 0 {
            return Ok(0);
        }
        // A block that is complete has been transformed.
        padding.fill(self.held.get_mut(self.held_len..).unwrap_or_default())?;
        self.blocks.transform(&*self.held, out)?;
        Ok(length)
    }

    fn finish_padded_decryption(&mut self, padding: Padding, out: &mut [u8]) -> Result<usize> {
        if self.held_len != BLOCK {
            return Err(Error::EncryptedDataLength);
        }
        let out = room(out, BLOCK)?;
        let mut last = Zeroizing::new([0; BLOCK]);
        self.blocks.transform(&*self.held, &mut *last)?;
        let length = padding.message_len(&*last)?;
        for (out, byte) in out.iter_mut().zip(last.iter()).take(length) {
            *out = *byte;
        }
        Ok(length)
    }
}

impl<B: Blocks, const BLOCK: usize> Cipher for BlockCipher<B, BLOCK> {
    fn update_len(&self, input: usize) -> usize {
        let total = self.held_len.saturating_add(input);
        let whole = total - total % BLOCK;
        if self.holds_last_back() && total == whole { whole.saturating_sub(BLOCK) } else { whole }
    }

    fn update(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let length = self.update_len(input.len());
        let mut out = room(out, length)?;
        if length == 0 {
            self.hold(input)?;
            return Ok(0);
        }
        // There is output, so what is held and what comes make up a block and more: neither split below
        // can be out of range.
        let mut input = input;
        if self.held_len > 0 {
            let fill;
            (fill, input) = input.split_at(BLOCK - self.held_len);
            self.hold(fill)?;
            let first;
            (first, out) = out.split_at_mut(BLOCK);
            self.blocks.transform(&*self.held, first)?;
            self.held_len = 0;
        }
        let (whole, rest) = input.split_at(out.len());
        if !whole.is_empty() {
            self.blocks.transform(whole, out)?;
        }
        self.hold(rest)?;
        Ok(length)
    }

    fn finish_len(&self) -> usize {
        match (self.direction, self.padding) {
            (_, None) => 0,
            (Direction::Encrypt, Some(padding)) => padding.padded_len(self.held_len, BLOCK),
            (Direction::Decrypt, Some(_)) => self.held_len - self.held_len % BLOCK,
        }
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<usize> {
        match (self.direction, self.padding) {
            (Direction::Encrypt, Some(padding)) => self.finish_padded_encryption(padding, out),
            (Direction::Decrypt, Some(padding)) => self.finish_padded_decryption(padding, out),
            (_, None) if self.held_len == 0 => Ok(0),
            (Direction::Encrypt, None) => Err(Error::DataLength),
            (Direction::Decrypt, None) => Err(Error::EncryptedDataLength),
        }
    }

    fn once_len(&self, input: usize) -> usize {
        let total = self.held_len.saturating_add(input);
        match (self.direction, self.padding) {
            (Direction::Encrypt, Some(padding)) => padding.padded_len(total, BLOCK),
            _ => total - total % BLOCK,
        }
    }
}

/// A stream, up to the last value of its counter where it has one.
pub(super) struct Counter<S> {
    stream: S,
    /// Bytes that may still go through.
    left: u128,
}

impl<S: Stream> Counter<S> {
    /// `stream` counts in all 128 bits: as the counter never passes its last value, it never carries
    /// into the bits above it, whatever its width. PKCS#11 (CKM_AES_CTR) lets the increment after the
    /// last block overflow, but refuses data that would need a further block, in both directions alike.
    pub(super) fn new(stream: S, block: &[u8; BLOCK], counter_bits: u32) -> Counter<S> {
        let mask = u128::MAX >> (128 - counter_bits.clamp(1, 128));
        let first = u128::from_be_bytes(*block) & mask;
        let left = (mask - first).saturating_add(1).saturating_mul(BLOCK as u128);
        Counter { stream, left }
    }

    /// A stream without a counter, or with one that looks to its end itself.
    pub(super) fn endless(stream: S) -> Counter<S> {
        Counter { stream, left: u128::MAX }
    }
}

impl<S: Stream> Cipher for Counter<S> {
    fn update_len(&self, input: usize) -> usize {
        input
    }

    fn update(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let out = room(out, input.len())?;
        self.left = self.left.checked_sub(input.len() as u128).ok_or(Error::DataLength)?;
        self.stream.transform(input, out)?;
        Ok(input.len())
    }

    fn finish_len(&self) -> usize {
        0
    }

    fn finish(&mut self, _out: &mut [u8]) -> Result<usize> {
        Ok(0)
    }

    fn once_len(&self, input: usize) -> usize {
        input
    }
}

/// Holds the whole message back until its end.
pub(super) struct Collected<W> {
    whole: W,
    held: Zeroizing<Vec<u8>>,
}

impl<W: Whole> Collected<W> {
    /// Gives nothing out before `finish`.
    pub(super) fn new(whole: W) -> Collected<W> {
        Collected { whole, held: Zeroizing::new(Vec::new()) }
    }

    /// Appends. A vector that grows by itself would leave its old bytes behind unwiped.
    fn hold(&mut self, input: &[u8]) {
        let needed = self.held.len().saturating_add(input.len());
        if needed > self.held.capacity() {
            let mut larger = Vec::with_capacity(needed.max(self.held.capacity().saturating_mul(2)));
            larger.extend_from_slice(&self.held);
            self.held = Zeroizing::new(larger);
        }
        self.held.extend_from_slice(input);
    }
}

impl<W: Whole> Cipher for Collected<W> {
    fn update_len(&self, _input: usize) -> usize {
        0
    }

    fn update(&mut self, input: &[u8], _out: &mut [u8]) -> Result<usize> {
        self.hold(input);
        Ok(0)
    }

    fn finish_len(&self) -> usize {
        self.whole.output_len(self.held.len())
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<usize> {
        let out = room(out, self.finish_len())?;
        self.whole.transform(&self.held, out)
    }

    fn once_len(&self, input: usize) -> usize {
        self.whole.output_len(self.held.len().saturating_add(input))
    }

    fn once(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        if self.held.is_empty() {
            let out = room(out, self.once_len(input.len()))?;
            return self.whole.transform(input, out);
        }
        self.hold(input);
        self.finish(out)
    }
}

#[cfg(test)]
mod tests;
