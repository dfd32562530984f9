//! Blowfish on `blowfish`. B. Schneier, "Description of a New Variable-Length Key, 64-Bit Block Cipher", 1993.

use ::blowfish::Blowfish;
use cipher::KeyInit;

use super::modes;
use crate::crypto::{BlowfishMode, Cipher, Direction};
use crate::error::{Error, Result};

/// Size of a block in bytes.
const BLOCK: usize = 8;

/// Begins an operation.
pub(super) fn blowfish(mode: BlowfishMode<'_>, direction: Direction, key: &[u8]) -> Result<Box<dyn Cipher>> {
    let cipher: Blowfish = Blowfish::new_from_slice(key).map_err(|_| Error::KeySizeRange)?;
    match mode {
        BlowfishMode::Ecb => Ok(modes::ecb::<_, BLOCK>(cipher, direction, None)),
        BlowfishMode::EcbPad(padding) => Ok(modes::ecb::<_, BLOCK>(cipher, direction, Some(padding))),
        BlowfishMode::Cbc { iv } => modes::cbc(cipher, iv, direction, None),
        BlowfishMode::CbcPad { iv, padding } => modes::cbc(cipher, iv, direction, Some(padding)),
    }
}
