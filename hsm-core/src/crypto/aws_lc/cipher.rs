//! AES: ECB, CBC, CTR and GCM. Blocks and padding are left to `blocks`.

use openssl::cipher::{Cipher as Algorithm, CipherRef};
use openssl::cipher_ctx::CipherCtx;
use zeroize::{Zeroize, Zeroizing};

use super::failed;
use crate::crypto::blocks::{self, BLOCK, BlockCipher, Blocks, Collected, Counter, Stream, Whole, room};
use crate::crypto::{AesMode, Cipher, Direction};
use crate::error::{Error, Result};

/// The largest piece handed to AWS-LC at once, in bytes: its lengths are `int`s, and the `openssl` crate
/// panics above them. Whole blocks.
const PIECE: usize = 1 << 30;

/// Begins an operation.
pub(super) fn aes(mode: AesMode<'_>, direction: Direction, key: &[u8]) -> Result<Box<dyn Cipher>> {
    blocks::check(&mode, key)?;
    let context = Context::new(&mode, direction, key)?;
    Ok(match mode {
        AesMode::Ecb | AesMode::Cbc { .. } => Box::new(BlockCipher::new(context, direction, false)),
        AesMode::CbcPad { .. } => Box::new(BlockCipher::new(context, direction, true)),
        AesMode::Ctr { block, counter_bits } => Box::new(Counter::new(context, block, counter_bits)),
        AesMode::Gcm { tag_len, .. } => match direction {
            Direction::Encrypt => Box::new(GcmEncryption { context, tag_len }),
            Direction::Decrypt => Box::new(Collected::new(GcmDecryption { context, tag_len })),
        },
    })
}

/// AWS-LC's algorithm for a mode and a key length in bytes.
fn algorithm(mode: &AesMode<'_>, key_len: usize) -> Option<&'static CipherRef> {
    Some(match (mode, key_len) {
        (AesMode::Ecb, 16) => Algorithm::aes_128_ecb(),
        (AesMode::Ecb, 24) => Algorithm::aes_192_ecb(),
        (AesMode::Ecb, 32) => Algorithm::aes_256_ecb(),
        (AesMode::Cbc { .. } | AesMode::CbcPad { .. }, 16) => Algorithm::aes_128_cbc(),
        (AesMode::Cbc { .. } | AesMode::CbcPad { .. }, 24) => Algorithm::aes_192_cbc(),
        (AesMode::Cbc { .. } | AesMode::CbcPad { .. }, 32) => Algorithm::aes_256_cbc(),
        (AesMode::Ctr { .. }, 16) => Algorithm::aes_128_ctr(),
        (AesMode::Ctr { .. }, 24) => Algorithm::aes_192_ctr(),
        (AesMode::Ctr { .. }, 32) => Algorithm::aes_256_ctr(),
        (AesMode::Gcm { .. }, 16) => Algorithm::aes_128_gcm(),
        (AesMode::Gcm { .. }, 24) => Algorithm::aes_192_gcm(),
        (AesMode::Gcm { .. }, 32) => Algorithm::aes_256_gcm(),
        _ => return None,
    })
}

/// A keyed context of AWS-LC, which wipes it when it is dropped.
struct Context(CipherCtx);

impl Context {
    fn new(mode: &AesMode<'_>, direction: Direction, key: &[u8]) -> Result<Context> {
        let algorithm = algorithm(mode, key.len()).ok_or(Error::KeySizeRange)?;
        let mut context = CipherCtx::new().map_err(failed("cipher context"))?;
        let init = match direction {
            Direction::Encrypt => openssl::cipher_ctx::CipherCtxRef::encrypt_init,
            Direction::Decrypt => openssl::cipher_ctx::CipherCtxRef::decrypt_init,
        };
        match *mode {
            AesMode::Ecb => init(&mut context, Some(algorithm), Some(key), None),
            AesMode::Cbc { iv } | AesMode::CbcPad { iv } | AesMode::Ctr { block: iv, .. } => {
                init(&mut context, Some(algorithm), Some(key), Some(iv))
            }
            AesMode::Gcm { iv, .. } if iv.len() == 12 => {
                init(&mut context, Some(algorithm), Some(key), Some(iv))
            }
            AesMode::Gcm { iv, .. } if iv.len() <= PIECE => {
                init(&mut context, Some(algorithm), Some(key), None)
                    .and_then(|()| context.set_iv_length(iv.len()))
                    .and_then(|()| init(&mut context, None, None, Some(iv)))
            }
            AesMode::Gcm { .. } => return Err(Error::MechanismParamInvalid),
        }
        .map_err(failed("cipher"))?;
        context.set_padding(false);
        let mut context = Context(context);
        if let AesMode::Gcm { aad, .. } = mode {
            context.authenticate(aad)?;
        }
        Ok(context)
    }

    fn authenticate(&mut self, aad: &[u8]) -> Result<()> {
        for piece in aad.chunks(PIECE) {
            self.0.cipher_update(piece, None).map_err(failed("GCM associated data"))?;
        }
        Ok(())
    }

    /// Output of the same length as the input; `out` may be longer.
    fn pass(&mut self, input: &[u8], out: &mut [u8]) -> Result<()> {
        let mut rest = out;
        for piece in input.chunks(PIECE) {
            let written = self.0.cipher_update(piece, Some(&mut *rest)).map_err(failed("cipher"))?;
            rest = match rest.split_at_mut_checked(written) {
                Some((_, rest)) if written == piece.len() => rest,
                _ => return Err(Error::CryptoFailed("cipher output length")),
            };
        }
        Ok(())
    }
}

impl Blocks for Context {
    /// `openssl` asks for a block more room than an unpadded block cipher uses. So all but the last
    /// block goes straight from input to output, and the last by way of a buffer.
    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<()> {
        let Some((first, last)) = input.split_last_chunk::<BLOCK>() else {
            return Ok(());
        };
        self.pass(first, out)?;
        let mut block = Zeroizing::new([0; 2 * BLOCK]);
        self.pass(last, &mut *block)?;
        for (out, byte) in out.iter_mut().skip(first.len()).zip(block.iter()) {
            *out = *byte;
        }
        Ok(())
    }
}

impl Stream for Context {
    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<()> {
        self.pass(input, out)
    }
}

/// GCM that encrypts as it goes, and ends with the tag.
struct GcmEncryption {
    context: Context,
    tag_len: usize,
}

impl Cipher for GcmEncryption {
    fn update_len(&self, input: usize) -> usize {
        input
    }

    fn update(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        self.context.pass(input, room(out, input.len())?)?;
        Ok(input.len())
    }

    fn finish_len(&self) -> usize {
        self.tag_len
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<usize> {
        let out = room(out, self.tag_len)?;
        self.context.0.cipher_final(&mut []).map_err(failed("GCM"))?;
        self.context.0.tag(out).map_err(failed("GCM tag"))?;
        Ok(self.tag_len)
    }

    fn once_len(&self, input: usize) -> usize {
        input.saturating_add(self.tag_len)
    }
}

/// GCM on a whole ciphertext with its tag.
struct GcmDecryption {
    context: Context,
    tag_len: usize,
}

impl Whole for GcmDecryption {
    fn output_len(&self, input: usize) -> usize {
        input.saturating_sub(self.tag_len)
    }

    /// AWS-LC decrypts before it has seen the tag; what it wrote is wiped if the tag is wrong.
    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let length = input.len().checked_sub(self.tag_len).ok_or(Error::EncryptedDataLength)?;
        let (ciphertext, tag) = input.split_at(length);
        self.context.0.set_tag(tag).map_err(failed("GCM tag"))?;
        let decrypted = self
            .context
            .pass(ciphertext, out)
            .and_then(|()| self.context.0.cipher_final(&mut []).map_err(|_| Error::EncryptedDataInvalid));
        if decrypted.is_err() {
            out.zeroize();
        }
        decrypted.map(|_| length)
    }
}
