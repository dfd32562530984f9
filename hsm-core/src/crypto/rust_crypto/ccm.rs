//! AES-CCM on `ccm`, which fixes the lengths of nonce and tag in its types: all that SP 800-38C has are
//! listed here.

use ccm::aead::AeadInOut;
use ccm::{Ccm, consts::*};
use cipher::InOutBuf;

use super::aes::Aes;
use crate::crypto::Direction;
use crate::crypto::blocks::Whole;
use crate::error::{Error, Result};

/// Evaluates `$body` with `$tag` and `$nonce` standing for the types of the two lengths in bytes.
macro_rules! with_lengths {
    ($tag_len:expr, $nonce_len:expr, $tag:ident, $nonce:ident => $body:expr) => {
        with_lengths!(@tag $tag_len, $nonce_len, $tag, $nonce => $body,
            4 U4 6 U6 8 U8 10 U10 12 U12 14 U14 16 U16)
    };
    (@tag $tag_len:expr, $nonce_len:expr, $tag:ident, $nonce:ident => $body:expr, $($bytes:literal $type:ident)*) => {
        match $tag_len {
            $($bytes => { type $tag = $type; with_lengths!(@nonce $nonce_len, $nonce => $body,
                7 U7 8 U8 9 U9 10 U10 11 U11 12 U12 13 U13) })*
            _ => Err(Error::MechanismParamInvalid),
        }
    };
    (@nonce $nonce_len:expr, $nonce:ident => $body:expr, $($bytes:literal $type:ident)*) => {
        match $nonce_len {
            $($bytes => { type $nonce = $type; $body })*
            _ => Err(Error::MechanismParamInvalid),
        }
    };
}

/// One message under one key and nonce, whose lengths have been checked.
pub(super) struct Message {
    pub aes: Aes,
    pub direction: Direction,
    pub nonce: Vec<u8>,
    pub aad: Vec<u8>,
    pub tag_len: usize,
}

const OUTPUT: Error = Error::CryptoFailed("length of CCM's output");

impl Message {
    fn seal(&self, message: InOutBuf<'_, '_, u8>, tag: &mut [u8]) -> Result<()> {
        with_lengths!(tag.len(), self.nonce.len(), T, N => {
            let nonce = self.nonce.as_slice().try_into().map_err(|_| Error::MechanismParamInvalid)?;
            let full = Ccm::<&Aes, T, N>::from(&self.aes)
                .encrypt_inout_detached(nonce, &self.aad, message)
                .map_err(|_| Error::DataLength)?;
            tag.copy_from_slice(&full);
            Ok(())
        })
    }

    fn open(&self, message: InOutBuf<'_, '_, u8>, tag: &[u8]) -> Result<()> {
        with_lengths!(tag.len(), self.nonce.len(), T, N => {
            let nonce = self.nonce.as_slice().try_into().map_err(|_| Error::MechanismParamInvalid)?;
            let tag = tag.try_into().map_err(|_| Error::EncryptedDataLength)?;
            Ccm::<&Aes, T, N>::from(&self.aes)
                .decrypt_inout_detached(nonce, &self.aad, message, tag)
                .map_err(|_| Error::EncryptedDataInvalid)
        })
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
                let length = input.len() + self.tag_len;
                let out = out.get_mut(..length).ok_or(OUTPUT)?;
                let (ciphertext, tag) = out.split_at_mut_checked(input.len()).ok_or(OUTPUT)?;
                self.seal(InOutBuf::new(input, ciphertext).map_err(|_| OUTPUT)?, tag)?;
                Ok(length)
            }
            Direction::Decrypt => {
                let length = input.len().checked_sub(self.tag_len).ok_or(Error::EncryptedDataLength)?;
                let (ciphertext, tag) = input.split_at_checked(length).ok_or(OUTPUT)?;
                let out = out.get_mut(..length).ok_or(OUTPUT)?;
                let opened = self.open(InOutBuf::new(ciphertext, out).map_err(|_| OUTPUT)?, tag);
                if opened.is_err() {
                    out.fill(0);
                }
                opened.map(|()| length)
            }
        }
    }
}
