//! Encryption and decryption: from a row and a parameter to a transform, and running it over data in
//! one or several parts.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::params::{Parameter, hash_of_mechanism, hash_of_mgf};
use super::put;
use super::table::Row;
use super::transform::{Bounds, Transform, one_shot, one_shot_len};
use crate::crypto::{Cipher, Direction, Padding};
use crate::error::{Error, Result};
use crate::object::material::Key;

/// CKM_AES_ECB.
pub(super) fn ecb(_: &Row, _: &Parameter) -> Result<Transform> {
    Ok(Transform::Ecb)
}

/// CKM_AES_CBC.
pub(super) fn cbc(_: &Row, parameter: &Parameter) -> Result<Transform> {
    Ok(Transform::Cbc(iv(parameter)?))
}

/// CKM_AES_CBC_PAD.
pub(super) fn cbc_pad(_: &Row, parameter: &Parameter) -> Result<Transform> {
    Ok(Transform::CbcPad(iv(parameter)?, Padding::Pkcs7))
}

fn iv<const N: usize>(parameter: &Parameter) -> Result<[u8; N]> {
    match parameter {
        Parameter::Iv(iv) => iv.as_slice().try_into().map_err(|_| Error::MechanismParamInvalid),
        _ => Err(Error::MechanismParamInvalid),
    }
}

/// CKM_AES_CTR.
pub(super) fn ctr(_: &Row, parameter: &Parameter) -> Result<Transform> {
    match parameter {
        Parameter::Ctr { counter_bits: counter_bits @ 1..=128, block } => {
            Ok(Transform::Ctr { block: *block, counter_bits: *counter_bits as u32 })
        }
        _ => Err(Error::MechanismParamInvalid),
    }
}

/// CKM_AES_GCM: a nonce of 1 to 256 bytes, a tag of 32, 64 or 96 to 128 bits (NIST SP 800-38D).
pub(super) fn gcm(_: &Row, parameter: &Parameter) -> Result<Transform> {
    let Parameter::Gcm { iv, aad, tag_bits } = parameter else { return Err(Error::MechanismParamInvalid) };
    let tag_len = match tag_bits {
        32 | 64 | 96 | 104 | 112 | 120 | 128 => *tag_bits as usize / 8,
        _ => return Err(Error::MechanismParamInvalid),
    };
    if iv.is_empty() {
        return Err(Error::MechanismParamInvalid);
    }
    Ok(Transform::Gcm { iv: iv.clone(), aad: aad.clone(), tag_len })
}

/// CKM_AES_OFB.
pub(super) fn ofb(_: &Row, parameter: &Parameter) -> Result<Transform> {
    Ok(Transform::Ofb(iv(parameter)?))
}

/// CKM_AES_CFB128.
pub(super) fn cfb(_: &Row, parameter: &Parameter) -> Result<Transform> {
    Ok(Transform::Cfb(iv(parameter)?))
}

/// CKM_AES_CFB8.
pub(super) fn cfb8(_: &Row, parameter: &Parameter) -> Result<Transform> {
    Ok(Transform::Cfb8(iv(parameter)?))
}

/// CKM_AES_CFB1.
pub(super) fn cfb1(_: &Row, parameter: &Parameter) -> Result<Transform> {
    Ok(Transform::Cfb1(iv(parameter)?))
}

/// CKM_AES_CTS. The standard names the addendum to SP 800-38A and none of its three variants; the first keeps
/// the ciphertext of whole blocks as CBC has it.
pub(super) fn cts(_: &Row, parameter: &Parameter) -> Result<Transform> {
    Ok(Transform::Cts(iv(parameter)?))
}

/// CKM_AES_XTS, whose parameter is the data unit's number.
pub(super) fn xts(_: &Row, parameter: &Parameter) -> Result<Transform> {
    Ok(Transform::Xts(iv(parameter)?))
}

/// CKM_AES_CCM. What lengths there are, AES's own check knows.
pub(super) fn ccm(_: &Row, parameter: &Parameter) -> Result<Transform> {
    let Parameter::Ccm { data_len, nonce, aad, tag_len } = parameter else {
        return Err(Error::MechanismParamInvalid);
    };
    let tag_len = usize::try_from(*tag_len).map_err(|_| Error::MechanismParamInvalid)?;
    Ok(Transform::Ccm { nonce: nonce.clone(), aad: aad.clone(), tag_len, data_len: Some(*data_len) })
}

/// CKM_DES_ECB and CKM_DES3_ECB.
pub(super) fn des_ecb(_: &Row, _: &Parameter) -> Result<Transform> {
    Ok(Transform::Des3Ecb)
}

/// CKM_DES_CBC and CKM_DES3_CBC.
pub(super) fn des_cbc(_: &Row, parameter: &Parameter) -> Result<Transform> {
    Ok(Transform::Des3Cbc(iv(parameter)?))
}

/// CKM_DES_CBC_PAD and CKM_DES3_CBC_PAD.
pub(super) fn des_cbc_pad(_: &Row, parameter: &Parameter) -> Result<Transform> {
    Ok(Transform::Des3CbcPad(iv(parameter)?, Padding::Pkcs7))
}

/// CKM_DES_OFB64.
pub(super) fn des_ofb(_: &Row, parameter: &Parameter) -> Result<Transform> {
    Ok(Transform::Des3Ofb(iv(parameter)?))
}

/// CKM_DES_CFB64.
pub(super) fn des_cfb(_: &Row, parameter: &Parameter) -> Result<Transform> {
    Ok(Transform::Des3Cfb(iv(parameter)?))
}

/// CKM_CHACHA20: the nonce of 96 bits with a counter of 32, or that of 64 with one of 32 or 64.
pub(super) fn chacha20(_: &Row, parameter: &Parameter) -> Result<Transform> {
    let Parameter::ChaCha20 { counter, nonce } = parameter else { return Err(Error::MechanismParamInvalid) };
    let counter = match (counter.as_slice(), nonce.len()) {
        (counter @ [_, _, _, _], 8 | 12) | (counter @ [_, _, _, _, _, _, _, _], 8) => {
            counter.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
        }
        _ => return Err(Error::MechanismParamInvalid),
    };
    Ok(Transform::ChaCha20 { nonce: nonce.clone(), counter })
}

/// CKM_CHACHA20_POLY1305, with the tag and the nonce of RFC 8439.
pub(super) fn chacha20_poly1305(_: &Row, parameter: &Parameter) -> Result<Transform> {
    let Parameter::Aead { nonce, aad } = parameter else { return Err(Error::MechanismParamInvalid) };
    let nonce = nonce.as_slice().try_into().map_err(|_| Error::MechanismParamInvalid)?;
    Ok(Transform::ChaCha20Poly1305 { nonce, aad: aad.clone(), tag_len: 16 })
}

/// CKM_RSA_PKCS.
pub(super) fn rsa_v15(_: &Row, _: &Parameter) -> Result<Transform> {
    Ok(Transform::RsaV15)
}

/// CKM_RSA_X_509.
pub(super) fn rsa_x509(_: &Row, _: &Parameter) -> Result<Transform> {
    Ok(Transform::RsaX509)
}

/// CKM_RSA_PKCS_OAEP, with any hash, mask generation function and label.
pub(super) fn oaep(_: &Row, parameter: &Parameter) -> Result<Transform> {
    let Parameter::Oaep { hash, mgf, label } = parameter else { return Err(Error::MechanismParamInvalid) };
    let (hash, mgf) = (hash_of_mechanism(*hash)?, hash_of_mgf(*mgf)?);
    Ok(Transform::RsaOaep { hash, mgf, label: label.clone() })
}

/// A running encryption or decryption.
pub struct Ciphering {
    running: Running,
    direction: Direction,
    key: Arc<Key>,
    /// Whether part of the data came in already.
    pub begun: bool,
    /// Whether the result of the whole message was asked for, though not yet given out.
    pub whole: bool,
    /// A result that did not fit the caller's buffer and is kept for his next try.
    kept: Option<Zeroizing<Vec<u8>>>,
}

enum Running {
    /// A cipher that takes data in parts.
    Stream(Box<dyn Cipher>, Bounds),
    /// RSA: the message whole (sections 6.1.6, 6.1.8, 6.1.12: single-part encryption and decryption).
    Whole(Transform),
}

impl Ciphering {
    /// Begins with a key that has been found fit.
    pub fn new(row: &Row, parameter: &Parameter, direction: Direction, key: Arc<Key>) -> Result<Ciphering> {
        Ciphering::by(row.cipher.ok_or(Error::MechanismInvalid)?(row, parameter)?, direction, key)
    }

    /// Begins with any transform, for doors that name ciphers in other ways than by mechanism.
    ///
    /// # Errors
    /// Those of the transform's parameters, [`Error::KeySizeRange`], [`Error::KeyTypeInconsistent`].
    pub fn by(transform: Transform, direction: Direction, key: Arc<Key>) -> Result<Ciphering> {
        let running = match transform.cipher(direction, key.secret_value()) {
            Some(cipher) => Running::Stream(cipher?, transform.bounds(direction)),
            None => Running::Whole(transform),
        };
        Ok(Ciphering { running, direction, key, begun: false, whole: false, kept: None })
    }

    /// How many bytes `input` more bytes bring at once: exact, or an upper bound when decrypting.
    pub fn whole_len(&self, input: usize) -> usize {
        match &self.running {
            Running::Stream(_, Bounds::Same | Bounds::Unknown) => input,
            Running::Stream(_, Bounds::Padded(padding, block)) => padding.padded_len(input, *block),
            Running::Stream(_, Bounds::Tagged(tag)) => input.saturating_add(*tag),
            Running::Whole(_) => self.key.size_bits().div_ceil(8) as usize,
        }
    }

    /// A whole message at once.
    pub fn whole(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        if let Some(kept) = &self.kept {
            return put(out, kept);
        }
        match &mut self.running {
            Running::Stream(cipher, Bounds::Unknown) => {
                let mut result = Zeroizing::new(vec![0; one_shot_len(cipher.as_ref(), input.len())]);
                let length = one_shot(cipher.as_mut(), input, &mut result)?;
                result.truncate(length);
                put(out, self.kept.insert(result))
            }
            Running::Stream(cipher, _) => one_shot(cipher.as_mut(), input, out),
            Running::Whole(transform) => {
                let result = transform.apply(self.direction, &self.key, input)?;
                put(out, self.kept.insert(result))
            }
        }
    }

    /// Whether [`Ciphering::whole_len`] is what the caller must bring, or only an upper bound.
    pub fn whole_len_is_exact(&self) -> bool {
        matches!(self.running, Running::Stream(_, Bounds::Same | Bounds::Padded(..) | Bounds::Tagged(_)))
    }

    /// How many bytes the next part brings at most.
    pub fn update_len(&self, input: usize) -> usize {
        match &self.running {
            Running::Stream(cipher, _) => cipher.update_len(input),
            Running::Whole(_) => 0,
        }
    }

    /// Takes part of the data; [`Error::NotSupported`] where the mechanism takes it whole.
    pub fn update(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize> {
        self.begun = true;
        if self.kept.is_some() {
            // The message has ended; only its result is still to be fetched.
            return Err(Error::OperationActive);
        }
        match &mut self.running {
            Running::Stream(cipher, _) => cipher.update(input, out),
            Running::Whole(_) => Err(Error::NotSupported),
        }
    }

    /// How many bytes the end brings at most.
    pub fn finish_len(&self) -> usize {
        match &self.running {
            Running::Stream(cipher, _) => cipher.finish_len(),
            Running::Whole(_) => self.key.size_bits().div_ceil(8) as usize,
        }
    }

    /// Ends the data.
    pub fn finish(&mut self, out: &mut [u8]) -> Result<usize> {
        if let Some(kept) = &self.kept {
            return put(out, kept);
        }
        let result = match &mut self.running {
            Running::Stream(cipher, _) => {
                let mut result = Zeroizing::new(vec![0; cipher.finish_len()]);
                let length = cipher.finish(&mut result)?;
                result.truncate(length);
                result
            }
            Running::Whole(_) => return Err(Error::NotSupported),
        };
        put(out, self.kept.insert(result))
    }
}
