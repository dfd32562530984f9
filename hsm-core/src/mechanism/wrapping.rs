//! Key wrapping beyond the ciphers that also encrypt data: AES key wrap, and RSA-AES key wrap. What is wrapped (a value,
//! or a private key's PKCS #8) stands in `object::material`.

use cryptoki_sys::*;

use super::params::{Mechanism, Parameter, hash_of_mechanism, hash_of_mgf};
use super::table::{Function, Row, row_for};
use super::transform::Transform;
use crate::crypto::KeyWrap;
use crate::error::{Error, Result};

/// CKM_AES_KEY_WRAP is KW (RFC 3394). CKM_AES_KEY_WRAP_KWP is KWP (RFC 5649), and so is
/// CKM_AES_KEY_WRAP_PAD, whose padding the standard left open before 3.2 and which SoftHSM2 reads
/// so. The initial values are those of the RFCs: a parameter may repeat them and no more.
pub(super) fn key_wrap(row: &Row, parameter: &Parameter) -> Result<Transform> {
    let (mode, initial) = match row.kind {
        CKM_AES_KEY_WRAP => (KeyWrap::Kw, &[0xa6; 8][..]),
        _ => (KeyWrap::Kwp, &[0xa6, 0x59, 0x59, 0xa6][..]),
    };
    match parameter {
        Parameter::None => Ok(Transform::KeyWrap(mode)),
        Parameter::Iv(iv) if iv == initial => Ok(Transform::KeyWrap(mode)),
        _ => Err(Error::MechanismParamInvalid),
    }
}

/// CKM_RSA_AES_KEY_WRAP, with any hash, mask generation function and label.
pub(super) fn rsa_aes(_: &Row, parameter: &Parameter) -> Result<Transform> {
    let Parameter::RsaAes { aes_bits, hash, mgf, label } = parameter else {
        return Err(Error::MechanismParamInvalid);
    };
    let aes_len = match aes_bits {
        None => None,
        Some(128) => Some(16),
        Some(192) => Some(24),
        Some(256) => Some(32),
        Some(_) => return Err(Error::MechanismParamInvalid),
    };
    let (hash, mgf) = (hash_of_mechanism(*hash)?, hash_of_mgf(*mgf)?);
    Ok(Transform::RsaAesKeyWrap { aes_len, hash, mgf, label: label.clone() })
}

impl Mechanism {
    /// The transform by which this mechanism wraps, with the row it comes from.
    pub(crate) fn wrapping(&self, function: Function) -> Result<(&'static Row, Transform)> {
        let row = row_for(self, function)?;
        let transform = row.wrap.ok_or(Error::MechanismInvalid)?(row, &self.parameter)?;
        Ok((row, transform))
    }
}
