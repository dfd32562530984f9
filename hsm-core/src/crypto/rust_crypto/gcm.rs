//! AES-GCM on `aes-gcm`. NIST SP 800-38D. That crate fixes the lengths of nonce and tag in its types:
//! tags of every length are here, nonces of those that [`with_nonce_len`] lists.

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::aead::{AeadInOut, array::Array, array::ArraySize, array::typenum::Unsigned, consts::*};
use aes_gcm::{AesGcm, TagSize};

use super::aes::Aes;
use crate::crypto::Direction;
use crate::crypto::blocks::Whole;
use crate::error::{Error, Result};

/// Evaluates `Some($body)` with `$name` standing for the type of a nonce's length in bytes; `None` for
/// a length that is not listed. SP 800-38D recommends 12; 1 to 16 cover what protocols use, and some
/// larger ones are there for good measure.
macro_rules! with_nonce_len {
    ($length:expr, $name:ident => $body:expr) => {
        with_nonce_len!(@ $length, $name => $body,
            1 U1 2 U2 3 U3 4 U4 5 U5 6 U6 7 U7 8 U8 9 U9 10 U10 11 U11 12 U12 13 U13 14 U14 15 U15
            16 U16 20 U20 32 U32 64 U64 128 U128)
    };
    (@ $length:expr, $name:ident => $body:expr, $($bytes:literal $type:ident)*) => {
        match $length {
            $($bytes => { type $name = $type; Some($body) })*
            _ => None,
        }
    };
}

/// One message under one key and nonce.
pub(super) struct Gcm {
    aes: Aes,
    direction: Direction,
    nonce: Vec<u8>,
    aad: Vec<u8>,
    tag_len: usize,
}

impl Gcm {
    /// `tag_len` has been checked; `None` for a nonce of a length that is not offered.
    pub(super) fn new(
        aes: Aes,
        direction: Direction,
        nonce: &[u8],
        aad: &[u8],
        tag_len: usize,
    ) -> Option<Gcm> {
        with_nonce_len!(nonce.len(), N => N::USIZE)?;
        Some(Gcm { aes, direction, nonce: nonce.into(), aad: aad.into(), tag_len })
    }

    /// Writes ciphertext and tag. Every shorter tag is the beginning of the longest.
    fn seal(&self, input: &[u8], out: &mut [u8]) -> Result<()> {
        let (ciphertext, tag) = out.split_at_mut_checked(input.len()).ok_or(OUTPUT)?;
        let message = InOutBuf::new(input, ciphertext).map_err(|_| OUTPUT)?;
        let full =
            with_nonce_len!(self.nonce.len(), N => seal::<N>(&self.aes, &self.nonce, &self.aad, message))
                .ok_or(Error::NotSupported)??;
        tag.copy_from_slice(full.get(..tag.len()).ok_or(OUTPUT)?);
        Ok(())
    }

    /// Writes the plaintext, if the tag is right.
    fn open(&self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let length = input.len().checked_sub(self.tag_len).ok_or(Error::EncryptedDataLength)?;
        let (ciphertext, tag) = input.split_at_checked(length).ok_or(OUTPUT)?;
        let out = out.get_mut(..length).ok_or(OUTPUT)?;
        let message = InOutBuf::new(ciphertext, out).map_err(|_| OUTPUT)?;
        with_nonce_len!(self.nonce.len(), N => open::<N>(&self.aes, &self.nonce, &self.aad, message, tag))
            .ok_or(Error::NotSupported)??;
        Ok(length)
    }
}

const OUTPUT: Error = Error::CryptoFailed("length of GCM's output");

impl Whole for Gcm {
    fn output_len(&self, input: usize) -> usize {
        match self.direction {
            Direction::Encrypt => input.saturating_add(self.tag_len),
            Direction::Decrypt => input.saturating_sub(self.tag_len),
        }
    }

    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        match self.direction {
            Direction::Encrypt => {
                let length = self.output_len(input.len());
                self.seal(input, out.get_mut(..length).ok_or(OUTPUT)?)?;
                Ok(length)
            }
            Direction::Decrypt => self.open(input, out),
        }
    }
}

fn seal<N: ArraySize>(
    aes: &Aes,
    nonce: &[u8],
    aad: &[u8],
    message: InOutBuf<'_, '_, u8>,
) -> Result<[u8; 16]> {
    let nonce = <&Array<u8, N>>::try_from(nonce).map_err(|_| Error::MechanismParamInvalid)?;
    let tag = AesGcm::<&Aes, N>::from(aes)
        .encrypt_inout_detached(nonce, aad, message)
        .map_err(|_| Error::DataLength)?;
    Ok(tag.into())
}

fn open<N: ArraySize>(
    aes: &Aes,
    nonce: &[u8],
    aad: &[u8],
    message: InOutBuf<'_, '_, u8>,
    tag: &[u8],
) -> Result<()> {
    match tag.len() {
        4 => open_with::<N, U4>(aes, nonce, aad, message, tag),
        8 => open_with::<N, U8>(aes, nonce, aad, message, tag),
        12 => open_with::<N, U12>(aes, nonce, aad, message, tag),
        13 => open_with::<N, U13>(aes, nonce, aad, message, tag),
        14 => open_with::<N, U14>(aes, nonce, aad, message, tag),
        15 => open_with::<N, U15>(aes, nonce, aad, message, tag),
        16 => open_with::<N, U16>(aes, nonce, aad, message, tag),
        _ => Err(Error::MechanismParamInvalid),
    }
}

fn open_with<N: ArraySize, T: TagSize>(
    aes: &Aes,
    nonce: &[u8],
    aad: &[u8],
    message: InOutBuf<'_, '_, u8>,
    tag: &[u8],
) -> Result<()> {
    let nonce = <&Array<u8, N>>::try_from(nonce).map_err(|_| Error::MechanismParamInvalid)?;
    let tag = <&Array<u8, T>>::try_from(tag).map_err(|_| Error::EncryptedDataLength)?;
    AesGcm::<&Aes, N, T>::from(aes)
        .decrypt_inout_detached(nonce, aad, message, tag)
        .map_err(|_| Error::EncryptedDataInvalid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::AesMode;
    use crate::crypto::rust_crypto::aes::aes;

    #[test]
    fn nonces_of_unlisted_lengths_are_not_offered() {
        for length in [17, 19, 257] {
            let mode = AesMode::Gcm { iv: &vec![0; length], aad: &[], tag_len: 16 };
            assert!(aes(mode, Direction::Encrypt, &[1; 16]).is_none(), "{length}");
        }
    }

    #[test]
    fn every_tag_is_the_beginning_of_the_longest() {
        let sealed = |tag_len| {
            let mode = AesMode::Gcm { iv: &[0; 12], aad: b"aad", tag_len };
            let mut cipher = aes(mode, Direction::Encrypt, &[1; 32]).unwrap().unwrap();
            let mut out = vec![0; cipher.once_len(7)];
            cipher.once(b"message", &mut out).unwrap();
            out
        };
        for tag_len in [4, 8, 12, 13, 14, 15, 16] {
            assert_eq!(sealed(tag_len), sealed(16)[..7 + tag_len]);
        }
    }

    #[test]
    fn a_forgery_gives_nothing_out() {
        for tag_len in [4, 8, 12, 13, 14, 15, 16] {
            let mode = AesMode::Gcm { iv: &[0; 12], aad: b"aad", tag_len };
            let mut cipher = aes(mode, Direction::Decrypt, &[1; 32]).unwrap().unwrap();
            let mut out = [0x5a; 7];
            let result = cipher.once(&vec![0; 7 + tag_len], &mut out);
            assert!(matches!(result, Err(Error::EncryptedDataInvalid)));
            assert_eq!(out, [0x5a; 7]);
        }
    }
}
