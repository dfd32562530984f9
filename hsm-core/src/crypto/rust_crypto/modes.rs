//! Modes of operation of any block cipher: ECB, CBC, CFB, and key streams, on `cbc` and
//! `cfb-mode`. Buffering
//! and padding are left to [`crate::crypto::blocks`].

use cipher::array::Array;
use cipher::{
    BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, BlockSizeUser, InOutBuf,
    InnerIvInit, StreamCipher,
};

use crate::crypto::blocks::{BlockCipher, Blocks, Counter, Stream};
use crate::crypto::{Cipher, Direction, Padding};
use crate::error::{Error, Result};

/// A block cipher in both directions, as RustCrypto's crates have them.
pub(super) trait Both: BlockCipherEncrypt + BlockCipherDecrypt + Send + 'static {}

impl<C: BlockCipherEncrypt + BlockCipherDecrypt + Send + 'static> Both for C {}

/// ECB; `N` is the size of the cipher's block in bytes.
pub(super) fn ecb<C: Both, const N: usize>(
    cipher: C,
    direction: Direction,
    padding: Option<Padding>,
) -> Box<dyn Cipher> {
    match direction {
        Direction::Encrypt => Box::new(BlockCipher::<_, N>::new(EcbEncryption(cipher), direction, padding)),
        Direction::Decrypt => Box::new(BlockCipher::<_, N>::new(EcbDecryption(cipher), direction, padding)),
    }
}

/// CBC, with the initialisation vector of a block.
pub(super) fn cbc<C: Both, const N: usize>(
    cipher: C,
    iv: &[u8; N],
    direction: Direction,
    padding: Option<Padding>,
) -> Result<Box<dyn Cipher>> {
    let iv = block::<C>(iv)?;
    Ok(match direction {
        Direction::Encrypt => {
            let cbc = CbcEncryption(::cbc::Encryptor::inner_iv_init(cipher, iv));
            Box::new(BlockCipher::<_, N>::new(cbc, direction, padding))
        }
        Direction::Decrypt => {
            let cbc = CbcDecryption(::cbc::Decryptor::inner_iv_init(cipher, iv));
            Box::new(BlockCipher::<_, N>::new(cbc, direction, padding))
        }
    })
}

/// CFB of whole blocks.
pub(super) fn cfb<C: Both>(cipher: C, iv: &[u8], direction: Direction) -> Result<Box<dyn Cipher>> {
    let iv = block::<C>(iv)?;
    Ok(match direction {
        Direction::Encrypt => {
            Box::new(Counter::endless(CfbEncryption(cfb_mode::BufEncryptor::inner_iv_init(cipher, iv))))
        }
        Direction::Decrypt => {
            Box::new(Counter::endless(CfbDecryption(cfb_mode::BufDecryptor::inner_iv_init(cipher, iv))))
        }
    })
}

/// CFB of single bytes.
pub(super) fn cfb8<C: Both>(cipher: C, iv: &[u8], direction: Direction) -> Result<Box<dyn Cipher>> {
    let iv = block::<C>(iv)?;
    Ok(match direction {
        Direction::Encrypt => {
            Box::new(Counter::endless(Cfb8Encryption(::cfb8::Encryptor::inner_iv_init(cipher, iv))))
        }
        Direction::Decrypt => {
            Box::new(Counter::endless(Cfb8Decryption(::cfb8::Decryptor::inner_iv_init(cipher, iv))))
        }
    })
}

/// A stream of key bytes (OFB, ChaCha20), which is the same in both directions.
pub(super) fn stream<S: StreamCipher + Send + 'static>(stream: S) -> Box<dyn Cipher> {
    Box::new(Counter::endless(KeyStream(stream)))
}

/// An initialisation vector as a block of the cipher.
fn block<C: BlockSizeUser>(iv: &[u8]) -> Result<&Array<u8, C::BlockSize>> {
    <&Array<u8, C::BlockSize>>::try_from(iv).map_err(|_| Error::MechanismParamInvalid)
}

struct EcbEncryption<C>(C);
struct EcbDecryption<C>(C);
struct CbcEncryption<C: BlockCipherEncrypt>(::cbc::Encryptor<C>);
struct CbcDecryption<C: BlockCipherDecrypt>(::cbc::Decryptor<C>);
struct CfbEncryption<C: BlockCipherEncrypt>(cfb_mode::BufEncryptor<C>);
struct CfbDecryption<C: BlockCipherEncrypt>(cfb_mode::BufDecryptor<C>);
struct Cfb8Encryption<C: BlockCipherEncrypt>(::cfb8::Encryptor<C>);
struct Cfb8Decryption<C: BlockCipherEncrypt>(::cfb8::Decryptor<C>);

/// A stream of key bytes that is added to the message.
pub(super) struct KeyStream<S>(pub S);

/// The two slices as pairs of blocks; [`Blocks`] promises equal lengths and whole blocks.
fn pairs<'a, C: BlockSizeUser>(
    input: &'a [u8],
    out: &'a mut [u8],
) -> Result<InOutBuf<'a, 'a, Array<u8, C::BlockSize>>> {
    let (blocks, rest) = InOutBuf::new(input, out).map_err(|_| Error::CryptoFailed("lengths"))?.into_chunks();
    if rest.is_empty() { Ok(blocks) } else { Err(Error::CryptoFailed("whole blocks")) }
}

impl<C: Both> Blocks for EcbEncryption<C> {
    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<()> {
        self.0.encrypt_blocks_inout(pairs::<C>(input, out)?);
        Ok(())
    }
}

impl<C: Both> Blocks for EcbDecryption<C> {
    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<()> {
        self.0.decrypt_blocks_inout(pairs::<C>(input, out)?);
        Ok(())
    }
}

impl<C: Both> Blocks for CbcEncryption<C> {
    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<()> {
        self.0.encrypt_blocks_inout(pairs::<C>(input, out)?);
        Ok(())
    }
}

impl<C: Both> Blocks for CbcDecryption<C> {
    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<()> {
        self.0.decrypt_blocks_inout(pairs::<C>(input, out)?);
        Ok(())
    }
}

impl<C: Both> Stream for CfbEncryption<C> {
    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<()> {
        out.copy_from_slice(input);
        self.0.encrypt(out);
        Ok(())
    }
}

impl<C: Both> Stream for CfbDecryption<C> {
    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<()> {
        out.copy_from_slice(input);
        self.0.decrypt(out);
        Ok(())
    }
}

impl<C: Both> Stream for Cfb8Encryption<C> {
    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<()> {
        self.0.encrypt_b2b(input, out).map_err(|_| Error::CryptoFailed("lengths"))
    }
}

impl<C: Both> Stream for Cfb8Decryption<C> {
    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<()> {
        self.0.decrypt_b2b(input, out).map_err(|_| Error::CryptoFailed("lengths"))
    }
}

impl<S: StreamCipher + Send> Stream for KeyStream<S> {
    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<()> {
        let pair = InOutBuf::new(input, out).map_err(|_| Error::CryptoFailed("lengths"))?;
        self.0.try_apply_keystream_inout(pair).map_err(|_| Error::DataLength)
    }
}
