//! AES in ECB, CBC, CTR, CFB, OFB, XTS and GCM; Triple DES in ECB and CBC; ChaCha20-Poly1305. Blocks and
//! padding are left to `blocks`.

use openssl::cipher::{Cipher as Algorithm, CipherRef};
use openssl::cipher_ctx::{CipherCtx, CipherCtxRef};
use zeroize::{Zeroize, Zeroizing};

use super::failed;
use crate::crypto::blocks::{
    self, BLOCK, BlockCipher, Blocks, Collected, Counter, DES_BLOCK, Stream, Whole, room,
};
use crate::crypto::{AesMode, Cipher, Des3Mode, Direction, Padding, Poly1305};
use crate::error::{Error, Result};

/// The largest piece handed to AWS-LC at once, in bytes: its lengths are `int`s, and the `openssl` crate
/// panics above them. Whole blocks.
const PIECE: usize = 1 << 30;

/// Begins an operation; `None` for CCM, and for XTS with two keys of 128 bits, which AWS-LC has not.
pub(super) fn aes(mode: AesMode<'_>, direction: Direction, key: &[u8]) -> Option<Result<Box<dyn Cipher>>> {
    if let Err(error) = blocks::check(&mode, key) {
        return Some(Err(error));
    }
    let algorithm = algorithm(&mode, key.len())?;
    Some(begin(&mode, algorithm, direction, key))
}

fn begin(
    mode: &AesMode<'_>,
    algorithm: &'static CipherRef,
    direction: Direction,
    key: &[u8],
) -> Result<Box<dyn Cipher>> {
    let context = |iv: Option<&[u8]>, aad: &[u8]| Context::new(algorithm, direction, key, iv, aad);
    Ok(match *mode {
        AesMode::Ecb => blocks_of(InBlocks::<BLOCK>(context(None, &[])?), direction, None),
        AesMode::EcbPad(padding) => {
            blocks_of(InBlocks::<BLOCK>(context(None, &[])?), direction, Some(padding))
        }
        AesMode::Cbc { iv } => blocks_of(InBlocks::<BLOCK>(context(Some(iv), &[])?), direction, None),
        AesMode::CbcPad { iv, padding } => {
            blocks_of(InBlocks::<BLOCK>(context(Some(iv), &[])?), direction, Some(padding))
        }
        AesMode::Ctr { block, counter_bits } => {
            Box::new(Counter::new(context(Some(block), &[])?, block, counter_bits))
        }
        AesMode::Cfb { iv } | AesMode::Cfb1 { iv } | AesMode::Ofb { iv } => {
            Box::new(Counter::endless(context(Some(iv), &[])?))
        }
        AesMode::Xts { tweak } => {
            Box::new(Collected::new(Xts { context: context(Some(tweak), &[])?, direction }))
        }
        AesMode::Gcm { iv, aad, tag_len } => authenticated(context(Some(iv), aad)?, direction, tag_len),
        AesMode::Ccm { .. } | AesMode::Cfb8 { .. } | AesMode::Cts { .. } => return Err(Error::NotSupported),
    })
}

/// Begins an operation of Triple DES; `None` for the modes that AWS-LC has not.
pub(super) fn des3(mode: Des3Mode<'_>, direction: Direction, key: &[u8]) -> Option<Result<Box<dyn Cipher>>> {
    let (algorithm, iv, padding) = match mode {
        Des3Mode::Ecb => (Algorithm::des_ede3_ecb(), None, None),
        Des3Mode::EcbPad(padding) => (Algorithm::des_ede3_ecb(), None, Some(padding)),
        Des3Mode::Cbc { iv } => (Algorithm::des_ede3_cbc(), Some(iv.as_slice()), None),
        Des3Mode::CbcPad { iv, padding } => (Algorithm::des_ede3_cbc(), Some(iv.as_slice()), Some(padding)),
        Des3Mode::Cfb { .. } | Des3Mode::Ofb { .. } => return None,
    };
    let begun = blocks::three_keys(key)
        .and_then(|key| Context::new(algorithm, direction, &*key, iv, &[]))
        .map(|context| blocks_of(InBlocks::<DES_BLOCK>(context), direction, padding));
    Some(begun)
}

/// Begins an operation of ChaCha20-Poly1305.
pub(super) fn chacha20_poly1305(
    parameters: Poly1305<'_>,
    direction: Direction,
    key: &[u8],
) -> Result<Box<dyn Cipher>> {
    blocks::check_poly1305(&parameters, key)?;
    let algorithm = Algorithm::chacha20_poly1305();
    let context = Context::new(algorithm, direction, key, Some(parameters.nonce), parameters.aad)?;
    Ok(authenticated(context, direction, parameters.tag_len))
}

fn blocks_of<const N: usize>(
    blocks: InBlocks<N>,
    direction: Direction,
    padding: Option<Padding>,
) -> Box<dyn Cipher> {
    Box::new(BlockCipher::<_, N>::new(blocks, direction, padding))
}

fn authenticated(context: Context, direction: Direction, tag_len: usize) -> Box<dyn Cipher> {
    match direction {
        Direction::Encrypt => Box::new(Sealing { context, tag_len }),
        Direction::Decrypt => Box::new(Collected::new(Opening { context, tag_len })),
    }
}

/// AWS-LC's algorithm for a mode and a key length in bytes.
fn algorithm(mode: &AesMode<'_>, key_len: usize) -> Option<&'static CipherRef> {
    Some(match (mode, key_len) {
        (AesMode::Ecb | AesMode::EcbPad(_), 16) => Algorithm::aes_128_ecb(),
        (AesMode::Ecb | AesMode::EcbPad(_), 24) => Algorithm::aes_192_ecb(),
        (AesMode::Ecb | AesMode::EcbPad(_), 32) => Algorithm::aes_256_ecb(),
        (AesMode::Cbc { .. } | AesMode::CbcPad { .. }, 16) => Algorithm::aes_128_cbc(),
        (AesMode::Cbc { .. } | AesMode::CbcPad { .. }, 24) => Algorithm::aes_192_cbc(),
        (AesMode::Cbc { .. } | AesMode::CbcPad { .. }, 32) => Algorithm::aes_256_cbc(),
        (AesMode::Ctr { .. }, 16) => Algorithm::aes_128_ctr(),
        (AesMode::Ctr { .. }, 24) => Algorithm::aes_192_ctr(),
        (AesMode::Ctr { .. }, 32) => Algorithm::aes_256_ctr(),
        (AesMode::Cfb { .. }, 16) => Algorithm::aes_128_cfb128(),
        (AesMode::Cfb { .. }, 24) => Algorithm::aes_192_cfb128(),
        (AesMode::Cfb { .. }, 32) => Algorithm::aes_256_cfb128(),
        (AesMode::Cfb1 { .. }, 16) => Algorithm::aes_128_cfb1(),
        (AesMode::Cfb1 { .. }, 24) => Algorithm::aes_192_cfb1(),
        (AesMode::Cfb1 { .. }, 32) => Algorithm::aes_256_cfb1(),
        (AesMode::Ofb { .. }, 16) => Algorithm::aes_128_ofb(),
        (AesMode::Ofb { .. }, 24) => Algorithm::aes_192_ofb(),
        (AesMode::Ofb { .. }, 32) => Algorithm::aes_256_ofb(),
        (AesMode::Xts { .. }, 64) => Algorithm::aes_256_xts(),
        (AesMode::Gcm { .. }, 16) => Algorithm::aes_128_gcm(),
        (AesMode::Gcm { .. }, 24) => Algorithm::aes_192_gcm(),
        (AesMode::Gcm { .. }, 32) => Algorithm::aes_256_gcm(),
        _ => return None,
    })
}

/// A keyed context of AWS-LC, which wipes it when it is dropped.
struct Context(CipherCtx);

impl Context {
    fn new(
        algorithm: &CipherRef,
        direction: Direction,
        key: &[u8],
        iv: Option<&[u8]>,
        aad: &[u8],
    ) -> Result<Context> {
        let mut context = CipherCtx::new().map_err(failed("cipher context"))?;
        let init = match direction {
            Direction::Encrypt => CipherCtxRef::encrypt_init,
            Direction::Decrypt => CipherCtxRef::decrypt_init,
        };
        match iv {
            Some(iv) if iv.len() > PIECE => return Err(Error::MechanismParamInvalid),
            Some(iv) if iv.len() != algorithm.iv_length() => {
                init(&mut context, Some(algorithm), Some(key), None)
                    .and_then(|()| context.set_iv_length(iv.len()))
                    .and_then(|()| init(&mut context, None, None, Some(iv)))
            }
            _ => init(&mut context, Some(algorithm), Some(key), iv),
        }
        .map_err(failed("cipher"))?;
        context.set_padding(false);
        let mut context = Context(context);
        context.authenticate(aad)?;
        Ok(context)
    }

    fn authenticate(&mut self, aad: &[u8]) -> Result<()> {
        for piece in aad.chunks(PIECE) {
            self.0.cipher_update(piece, None).map_err(failed("associated data"))?;
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

/// A context of a cipher with blocks of `N` bytes.
struct InBlocks<const N: usize>(Context);

impl<const N: usize> Blocks for InBlocks<N> {
    /// `openssl` asks for a block more room than an unpadded block cipher uses. So all but the last
    /// block goes straight from input to output, and the last by way of a buffer.
    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<()> {
        let Some((first, last)) = input.split_last_chunk::<N>() else {
            return Ok(());
        };
        self.0.pass(first, out)?;
        let mut block = Zeroizing::new([0; 2 * BLOCK]);
        self.0.pass(last, &mut *block)?;
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

/// One data unit of XTS.
struct Xts {
    context: Context,
    direction: Direction,
}

impl Whole for Xts {
    fn output_len(&self, input: usize) -> usize {
        input
    }

    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let length = blocks::xts_len(input.len(), self.direction)?;
        self.context.pass(input, room(out, length)?)?;
        Ok(length)
    }
}

/// GCM or ChaCha20-Poly1305 that encrypts as it goes, and ends with the tag.
struct Sealing {
    context: Context,
    tag_len: usize,
}

impl Cipher for Sealing {
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
        self.context.0.cipher_final(&mut []).map_err(failed("authenticated encryption"))?;
        self.context.0.tag(out).map_err(failed("tag"))?;
        Ok(self.tag_len)
    }

    fn once_len(&self, input: usize) -> usize {
        input.saturating_add(self.tag_len)
    }
}

/// The same on a whole ciphertext with its tag.
struct Opening {
    context: Context,
    tag_len: usize,
}

impl Whole for Opening {
    fn output_len(&self, input: usize) -> usize {
        input.saturating_sub(self.tag_len)
    }

    /// AWS-LC decrypts before it has seen the tag; what it wrote is wiped if the tag is wrong.
    fn transform(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        let length = input.len().checked_sub(self.tag_len).ok_or(Error::EncryptedDataLength)?;
        let (ciphertext, tag) = input.split_at(length);
        self.context.0.set_tag(tag).map_err(failed("tag"))?;
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
