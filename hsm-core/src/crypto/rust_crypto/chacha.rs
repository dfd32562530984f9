//! ChaCha20 and ChaCha20-Poly1305 on `chacha20` and `chacha20poly1305`. RFC 8439.

use chacha20::{ChaChaCore, R20, variants};
use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::AeadInOut;
use cipher::{InOutBuf, KeyInit, KeyIvInit, StreamCipherCoreWrapper};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use super::modes::{self, KeyStream};
use crate::crypto::blocks::{Collected, Stream, Whole};
use crate::crypto::{Cipher, Direction, Poly1305};
use crate::error::{Error, Result};

type Ietf = ChaChaCore<R20, variants::Ietf>;
type Original = ChaChaCore<R20, variants::Legacy>;

/// ChaCha20 from block `counter`: RFC 8439's with a nonce of 12 bytes, the original with one of 8.
pub(super) fn chacha20(nonce: &[u8], counter: u64, key: &[u8]) -> Result<Box<dyn Cipher>> {
    if key.len() != 32 {
        return Err(Error::KeySizeRange);
    }
    match nonce.len() {
        12 => {
            let mut core = Ietf::new_from_slices(key, nonce).map_err(|_| Error::MechanismParamInvalid)?;
            core.set_block_pos(u32::try_from(counter).map_err(|_| Error::MechanismParamInvalid)?);
            Ok(modes::stream(StreamCipherCoreWrapper::from_core(core)))
        }
        8 => {
            let mut core = Original::new_from_slices(key, nonce).map_err(|_| Error::MechanismParamInvalid)?;
            core.set_block_pos(counter);
            Ok(modes::stream(StreamCipherCoreWrapper::from_core(core)))
        }
        _ => Err(Error::MechanismParamInvalid),
    }
}

/// ChaCha20-Poly1305 on a whole message. `tag_len` has been checked.
pub(super) fn poly1305(
    parameters: Poly1305<'_>,
    direction: Direction,
    key: &[u8],
) -> Result<Box<dyn Cipher>> {
    let key = Zeroizing::new(<[u8; 32]>::try_from(key).map_err(|_| Error::KeySizeRange)?);
    Ok(Box::new(Collected::new(Message {
        key,
        nonce: *parameters.nonce,
        aad: parameters.aad.into(),
        tag_len: parameters.tag_len,
        direction,
    })))
}

/// Poly1305 by itself, on a message under a key of its own.
pub(super) fn one_time_mac(key: &[u8], message: &[u8]) -> Result<[u8; 16]> {
    let mac = ::poly1305::Poly1305::new_from_slice(key).map_err(|_| Error::KeySizeRange)?;
    Ok(mac.compute_unpadded(message).into())
}

/// One message under one key and nonce.
struct Message {
    key: Zeroizing<[u8; 32]>,
    nonce: [u8; 12],
    aad: Vec<u8>,
    tag_len: usize,
    direction: Direction,
}

const OUTPUT: Error = Error::CryptoFailed("length of ChaCha20-Poly1305's output");

impl Message {
    /// Writes the ciphertext and answers the tag of 16 bytes.
    fn seal(&self, input: &[u8], ciphertext: &mut [u8]) -> Result<[u8; 16]> {
        let message = InOutBuf::new(input, ciphertext).map_err(|_| OUTPUT)?;
        let tag = ChaCha20Poly1305::new((&*self.key).into())
            .encrypt_inout_detached((&self.nonce).into(), &self.aad, message)
            .map_err(|_| Error::DataLength)?;
        Ok(tag.into())
    }

    /// Writes the plaintext, if the tag is right. The crate checks tags of 16 bytes alone, so a shorter
    /// one is compared with that of the message sealed anew: decryption is the key stream from block 1.
    fn open(&self, ciphertext: &[u8], tag: &[u8], out: &mut [u8]) -> Result<()> {
        let mut core = Ietf::new((&*self.key).into(), (&self.nonce).into());
        core.set_block_pos(1);
        KeyStream(StreamCipherCoreWrapper::from_core(core)).transform(ciphertext, out)?;
        let mut again = Zeroizing::new(vec![0; ciphertext.len()]);
        let expected = self.seal(out, &mut again)?;
        if bool::from(expected.get(..tag.len()).unwrap_or_default().ct_eq(tag)) {
            return Ok(());
        }
        out.zeroize();
        Err(Error::EncryptedDataInvalid)
    }
}

impl Whole for Message {
    fn output_len(&self, input: usize) -> usize {
        match self.direction {
            Direction::Encrypt => input.saturating_add(self.tag_len),
            Direction::Decrypt => input.saturating_sub(self.tag_len),
        }
    }

    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        match self.direction {
            Direction::Encrypt => {
                let (ciphertext, rest) = out.split_at_mut_checked(input.len()).ok_or(OUTPUT)?;
                let full = self.seal(input, ciphertext)?;
                let tag = rest.get_mut(..self.tag_len).ok_or(OUTPUT)?;
                tag.copy_from_slice(full.get(..self.tag_len).ok_or(OUTPUT)?);
                Ok(input.len() + self.tag_len)
            }
            Direction::Decrypt => {
                let length = input.len().checked_sub(self.tag_len).ok_or(Error::EncryptedDataLength)?;
                let (ciphertext, tag) = input.split_at_checked(length).ok_or(OUTPUT)?;
                self.open(ciphertext, tag, out.get_mut(..length).ok_or(OUTPUT)?)?;
                Ok(length)
            }
        }
    }
}
