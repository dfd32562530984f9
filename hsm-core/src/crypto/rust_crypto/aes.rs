//! AES: ECB, CBC, CTR, CMAC and key wrapping, on `aes`, `cbc`, `ctr`, `cmac` and `aes-kw`. Buffering
//! and padding are left to [`blocks`], GCM to [`super::gcm`].

use aes::{Aes128, Aes192, Aes256};
use aes_kw::{AesKw, AesKwp};
use cipher::consts::U16;
use cipher::{
    BlockCipherDecClosure, BlockCipherDecrypt, BlockCipherEncClosure, BlockCipherEncrypt, BlockModeDecrypt,
    BlockModeEncrypt, BlockSizeUser, InOutBuf, InnerIvInit, KeyInit, StreamCipher, StreamCipherCoreWrapper,
};
use cmac::Cmac;
use ctr::{CtrCore, flavors::Ctr128BE};
use digest::InnerInit;

use super::gcm::Gcm;
use super::hashes::Running;
use crate::crypto::blocks::{self, BlockCipher, Blocks, Collected, Counter, Stream};
use crate::crypto::{AesMode, Cipher, Direction, KeyWrap, Mac};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// Begins an operation; `None` for the lengths of GCM's nonce that `gcm` does not have.
pub(super) fn aes(mode: AesMode<'_>, direction: Direction, key: &[u8]) -> Option<Result<Box<dyn Cipher>>> {
    let aes = match blocks::check(&mode, key).and_then(|()| Aes::new(key)) {
        Ok(aes) => aes,
        Err(error) => return Some(Err(error)),
    };
    let cipher: Box<dyn Cipher> = match (mode, direction) {
        (AesMode::Ecb, Direction::Encrypt) => {
            Box::new(BlockCipher::new(EcbEncryption(aes), direction, false))
        }
        (AesMode::Ecb, Direction::Decrypt) => {
            Box::new(BlockCipher::new(EcbDecryption(aes), direction, false))
        }
        (AesMode::Cbc { iv }, _) => cbc(aes, iv, direction, false),
        (AesMode::CbcPad { iv }, _) => cbc(aes, iv, direction, true),
        (AesMode::Ctr { block, counter_bits }, _) => {
            let stream = StreamCipherCoreWrapper::from_core(CtrCore::inner_iv_init(aes, block.into()));
            Box::new(Counter::new(Ctr(stream), block, counter_bits))
        }
        (AesMode::Gcm { iv, aad, tag_len }, _) => {
            Box::new(Collected::new(Gcm::new(aes, direction, iv, aad, tag_len)?))
        }
    };
    Some(Ok(cipher))
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

fn cbc(aes: Aes, iv: &[u8; 16], direction: Direction, padded: bool) -> Box<dyn Cipher> {
    match direction {
        Direction::Encrypt => {
            let cbc = CbcEncryption(::cbc::Encryptor::inner_iv_init(aes, iv.into()));
            Box::new(BlockCipher::new(cbc, direction, padded))
        }
        Direction::Decrypt => {
            let cbc = CbcDecryption(::cbc::Decryptor::inner_iv_init(aes, iv.into()));
            Box::new(BlockCipher::new(cbc, direction, padded))
        }
    }
}

struct EcbEncryption(Aes);
struct EcbDecryption(Aes);
struct CbcEncryption(::cbc::Encryptor<Aes>);
struct CbcDecryption(::cbc::Decryptor<Aes>);
struct Ctr(StreamCipherCoreWrapper<CtrCore<Aes, Ctr128BE>>);

/// The two slices as pairs of blocks; [`Blocks`] promises equal lengths and whole blocks.
fn pairs<'a>(input: &'a [u8], out: &'a mut [u8]) -> Result<InOutBuf<'a, 'a, cipher::Array<u8, U16>>> {
    let (blocks, rest) = InOutBuf::new(input, out).map_err(|_| Error::CryptoFailed("lengths"))?.into_chunks();
    if rest.is_empty() { Ok(blocks) } else { Err(Error::CryptoFailed("whole blocks")) }
}

impl Blocks for EcbEncryption {
    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<()> {
        self.0.encrypt_blocks_inout(pairs(input, out)?);
        Ok(())
    }
}

impl Blocks for EcbDecryption {
    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<()> {
        self.0.decrypt_blocks_inout(pairs(input, out)?);
        Ok(())
    }
}

impl Blocks for CbcEncryption {
    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<()> {
        self.0.encrypt_blocks_inout(pairs(input, out)?);
        Ok(())
    }
}

impl Blocks for CbcDecryption {
    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<()> {
        self.0.decrypt_blocks_inout(pairs(input, out)?);
        Ok(())
    }
}

impl Stream for Ctr {
    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<()> {
        let pair = InOutBuf::new(input, out).map_err(|_| Error::CryptoFailed("lengths"))?;
        self.0.try_apply_keystream_inout(pair).map_err(|_| Error::DataLength)
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
