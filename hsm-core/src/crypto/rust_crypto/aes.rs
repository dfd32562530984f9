//! AES: its modes on `aes`, `ctr`, `ofb` and `xts-mode`, CMAC and key wrapping on `cmac` and `aes-kw`. The modes
//! of any block cipher are in [`super::modes`], buffering and padding in [`blocks`], GCM in [`super::gcm`],
//! CCM in [`super::ccm`].

use aes::{Aes128, Aes192, Aes256};
use aes_kw::{AesKw, AesKwp};
use cipher::consts::U16;
use cipher::{
    BlockCipherDecClosure, BlockCipherDecrypt, BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser,
    InnerIvInit, KeyInit, StreamCipherCoreWrapper,
};
use cmac::Cmac;
use ctr::{CtrCore, flavors::Ctr128BE};
use cts::{Decrypt, Encrypt};
use digest::InnerInit;
use ofb::{Ofb, OfbCore};
use xts_mode::Xts128;

use super::cfb1::cfb1;
use super::hashes::Running;
use super::modes::{self, KeyStream};
use super::{ccm, gcm::Gcm};
use crate::crypto::blocks::{self, BLOCK, Collected, Counter, Whole};
use crate::crypto::{AesMode, Cipher, Direction, KeyWrap, Mac};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// Begins an operation; `None` for the lengths of GCM's nonce that `gcm` does not have.
pub(super) fn aes(mode: AesMode<'_>, direction: Direction, key: &[u8]) -> Option<Result<Box<dyn Cipher>>> {
    if let Err(error) = blocks::check(&mode, key) {
        return Some(Err(error));
    }
    if let AesMode::Xts { tweak } = mode {
        return Some(xts(tweak, direction, key));
    }
    let aes = match Aes::new(key) {
        Ok(aes) => aes,
        Err(error) => return Some(Err(error)),
    };
    Some(match mode {
        AesMode::Ecb => Ok(modes::ecb::<_, BLOCK>(aes, direction, None)),
        AesMode::EcbPad(padding) => Ok(modes::ecb::<_, BLOCK>(aes, direction, Some(padding))),
        AesMode::Cbc { iv } => modes::cbc(aes, iv, direction, None),
        AesMode::CbcPad { iv, padding } => modes::cbc(aes, iv, direction, Some(padding)),
        AesMode::Cfb { iv } => modes::cfb(aes, iv, direction),
        AesMode::Cfb8 { iv } => modes::cfb8(aes, iv, direction),
        AesMode::Cfb1 { iv } => cfb1(aes, iv, direction),
        AesMode::Cts { iv } => Ok(Box::new(Collected::new(Cts { aes, iv: *iv, direction }))),
        AesMode::Ofb { iv } => Ok(modes::stream(Ofb::from_core(OfbCore::inner_iv_init(aes, iv.into())))),
        AesMode::Ctr { block, counter_bits } => {
            let stream = StreamCipherCoreWrapper::from_core(Ctr::inner_iv_init(aes, block.into()));
            Ok(Box::new(Counter::new(KeyStream(stream), block, counter_bits)))
        }
        AesMode::Gcm { iv, aad, tag_len } => {
            Ok(Box::new(Collected::new(Gcm::new(aes, direction, iv, aad, tag_len)?)))
        }
        AesMode::Ccm { nonce, aad, tag_len } => Ok(Box::new(Collected::new(ccm::Message {
            aes,
            direction,
            nonce: nonce.into(),
            aad: aad.into(),
            tag_len,
        }))),
        AesMode::Xts { tweak } => xts(tweak, direction, key),
    })
}

type Ctr = CtrCore<Aes, Ctr128BE>;

/// One data unit of XTS. NIST SP 800-38E.
struct Xts {
    keys: Xts128<Aes>,
    tweak: [u8; BLOCK],
    direction: Direction,
}

fn xts(tweak: &[u8; BLOCK], direction: Direction, key: &[u8]) -> Result<Box<dyn Cipher>> {
    let (first, second) = key.split_at(key.len() / 2);
    let keys = Xts128::new(Aes::new(first)?, Aes::new(second)?);
    Ok(Box::new(Collected::new(Xts { keys, tweak: *tweak, direction })))
}

impl Whole for Xts {
    fn output_len(&self, input: usize) -> usize {
        input
    }

    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let length = blocks::xts_len(input.len(), self.direction)?;
        let out = blocks::room(out, length)?;
        out.copy_from_slice(input);
        match self.direction {
            Direction::Encrypt => self.keys.encrypt_sector(out, self.tweak.into()),
            Direction::Decrypt => self.keys.decrypt_sector(out, self.tweak.into()),
        }
        Ok(length)
    }
}

/// A message with ciphertext stealing.
struct Cts {
    aes: Aes,
    iv: [u8; BLOCK],
    direction: Direction,
}

impl Whole for Cts {
    fn output_len(&self, input: usize) -> usize {
        input
    }

    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let length = blocks::cts_len(input.len(), self.direction)?;
        let out = blocks::room(out, length)?;
        let mode = cts::CbcCs1::inner_iv_init(&self.aes, &self.iv.into());
        match self.direction {
            Direction::Encrypt => mode.encrypt_b2b(input, out),
            Direction::Decrypt => mode.decrypt_b2b(input, out),
        }
        .map_err(|_| Error::CryptoFailed("ciphertext stealing"))?;
        Ok(length)
    }
}

/// A running CMAC. NIST SP 800-38B.
pub(super) fn cmac(key: &[u8]) -> Result<Box<dyn Mac>> {
    Ok(Box::new(Running::new(Cmac::inner_init(Aes::new(key)?))))
}

/// Wraps `data`: KW takes whole semiblocks and at least two of them (NIST SP 800-38F, section 6.2), KWP
/// any number of bytes but none (section 6.3).
pub(super) fn wrap(mode: KeyWrap, key: &[u8], data: &[u8]) -> Result<Vec<u8>> {
    let aes = Aes::new(key)?;
    let fits = match mode {
        KeyWrap::Kw => data.len() >= 2 * aes_kw::IV_LEN && data.len().is_multiple_of(aes_kw::IV_LEN),
        KeyWrap::Kwp => !data.is_empty(),
    };
    if !fits {
        return Err(Error::DataLength);
    }
    let mut wrapped = vec![0; data.len().next_multiple_of(aes_kw::IV_LEN).saturating_add(aes_kw::IV_LEN)];
    match mode {
        KeyWrap::Kw => AesKw::inner_init(aes).wrap_key(data, &mut wrapped),
        KeyWrap::Kwp => AesKwp::inner_init(aes).wrap_key(data, &mut wrapped),
    }
    .map_err(|_| Error::DataLength)?;
    Ok(wrapped)
}

/// Unwraps what [`wrap`] makes, and nothing else.
pub(super) fn unwrap(mode: KeyWrap, key: &[u8], wrapped: &[u8]) -> Result<Secret> {
    let aes = Aes::new(key)?;
    let semiblocks = match mode {
        KeyWrap::Kw => 3,
        KeyWrap::Kwp => 2,
    };
    if wrapped.len() < semiblocks * aes_kw::IV_LEN || !wrapped.len().is_multiple_of(aes_kw::IV_LEN) {
        return Err(Error::EncryptedDataLength);
    }
    let mut buffer = Secret::zeroed(wrapped.len() - aes_kw::IV_LEN);
    match mode {
        KeyWrap::Kw => AesKw::inner_init(aes).unwrap_key(wrapped, buffer.expose_mut()),
        KeyWrap::Kwp => AesKwp::inner_init(aes).unwrap_key(wrapped, buffer.expose_mut()),
    }
    .map(Secret::copy_of)
    .map_err(|_| Error::EncryptedDataInvalid)
}

/// AES with a key of any of its lengths, so that each mode is compiled once.
pub(super) enum Aes {
    Aes128(Aes128),
    Aes192(Aes192),
    Aes256(Aes256),
}

impl Aes {
    fn new(key: &[u8]) -> Result<Aes> {
        match key.len() {
            16 => Aes128::new_from_slice(key).map(Aes::Aes128),
            24 => Aes192::new_from_slice(key).map(Aes::Aes192),
            _ => Aes256::new_from_slice(key).map(Aes::Aes256),
        }
        .map_err(|_| Error::KeySizeRange)
    }
}

impl BlockSizeUser for Aes {
    type BlockSize = U16;
}

impl BlockCipherEncrypt for Aes {
    fn encrypt_with_backend(&self, f: impl BlockCipherEncClosure<BlockSize = U16>) {
        match self {
            Aes::Aes128(aes) => aes.encrypt_with_backend(f),
            Aes::Aes192(aes) => aes.encrypt_with_backend(f),
            Aes::Aes256(aes) => aes.encrypt_with_backend(f),
        }
    }
}

impl BlockCipherDecrypt for Aes {
    fn decrypt_with_backend(&self, f: impl BlockCipherDecClosure<BlockSize = U16>) {
        match self {
            Aes::Aes128(aes) => aes.decrypt_with_backend(f),
            Aes::Aes192(aes) => aes.decrypt_with_backend(f),
            Aes::Aes256(aes) => aes.decrypt_with_backend(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kw_refuses_lengths_it_does_not_have() {
        for length in [0, 8, 15, 17, 23] {
            assert!(
                matches!(wrap(KeyWrap::Kw, &[1; 16], &vec![0; length]), Err(Error::DataLength)),
                "{length}"
            );
        }
        for length in [0, 8, 16, 23, 25] {
            let unwrapped = unwrap(KeyWrap::Kw, &[1; 16], &vec![0; length]);
            assert!(matches!(unwrapped, Err(Error::EncryptedDataLength)), "{length}");
        }
    }

    #[test]
    fn kwp_refuses_lengths_it_does_not_have() {
        assert!(matches!(wrap(KeyWrap::Kwp, &[1; 16], &[]), Err(Error::DataLength)));
        for length in [0, 8, 15, 17] {
            let unwrapped = unwrap(KeyWrap::Kwp, &[1; 16], &vec![0; length]);
            assert!(matches!(unwrapped, Err(Error::EncryptedDataLength)), "{length}");
        }
    }

    #[test]
    fn what_was_wrapped_unwraps_under_its_key_and_mode_alone() {
        for (mode, other) in [(KeyWrap::Kw, KeyWrap::Kwp), (KeyWrap::Kwp, KeyWrap::Kw)] {
            let wrapped = wrap(mode, &[1; 24], &[5; 32]).unwrap();
            assert!(unwrap(mode, &[1; 24], &wrapped).unwrap().equals(&[5; 32]));
            assert!(matches!(unwrap(mode, &[2; 24], &wrapped), Err(Error::EncryptedDataInvalid)));
            assert!(matches!(unwrap(other, &[1; 24], &wrapped), Err(Error::EncryptedDataInvalid)));
        }
    }

    #[test]
    fn keys_of_other_lengths_are_refused() {
        for length in [0, 15, 17, 33] {
            let key = vec![1; length];
            assert!(matches!(cmac(&key), Err(Error::KeySizeRange)));
            assert!(matches!(wrap(KeyWrap::Kw, &key, &[0; 16]), Err(Error::KeySizeRange)));
            assert!(matches!(aes(AesMode::Ecb, Direction::Encrypt, &key), Some(Err(Error::KeySizeRange))));
        }
    }
}
