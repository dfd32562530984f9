//! Triple DES on `des`, and its CMAC. NIST SP 800-67.

use cipher::{InnerIvInit, KeyInit};
use cmac::Cmac;
use des::TdesEde3;
use digest::InnerInit;
use ofb::{Ofb, OfbCore};

use super::hashes::Running;
use super::modes;
use crate::crypto::blocks::{DES_BLOCK, three_keys};
use crate::crypto::{Cipher, Des3Mode, Direction, Mac};
use crate::error::{Error, Result};

fn cipher(key: &[u8]) -> Result<TdesEde3> {
    TdesEde3::new_from_slice(&*three_keys(key)?).map_err(|_| Error::KeySizeRange)
}

/// Begins an operation.
pub(super) fn des3(mode: Des3Mode<'_>, direction: Direction, key: &[u8]) -> Result<Box<dyn Cipher>> {
    let des3 = cipher(key)?;
    match mode {
        Des3Mode::Ecb => Ok(modes::ecb::<_, DES_BLOCK>(des3, direction, None)),
        Des3Mode::EcbPad(padding) => Ok(modes::ecb::<_, DES_BLOCK>(des3, direction, Some(padding))),
        Des3Mode::Cbc { iv } => modes::cbc(des3, iv, direction, None),
        Des3Mode::CbcPad { iv, padding } => modes::cbc(des3, iv, direction, Some(padding)),
        Des3Mode::Cfb { iv } => modes::cfb(des3, iv, direction),
        Des3Mode::Ofb { iv } => Ok(modes::stream(Ofb::from_core(OfbCore::inner_iv_init(des3, iv.into())))),
    }
}

/// A running CMAC. NIST SP 800-38B.
pub(super) fn cmac(key: &[u8]) -> Result<Box<dyn Mac>> {
    Ok(Box::new(Running::new(Cmac::inner_init(cipher(key)?))))
}
