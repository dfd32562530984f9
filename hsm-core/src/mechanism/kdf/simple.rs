//! The simple derivations (PKCS #11 3.2, section 6.43), those by a digest (section 6.20.5 and its siblings), and
//! those by encryption of data (section 6.17).

use zeroize::Zeroizing;

use super::{Order, too_long};
use crate::crypto::{self, Shake};
use crate::error::{Error, Result};
use crate::mechanism::params::Parameter;
use crate::mechanism::transform::Transform;
use crate::secret::Secret;

/// CKM_CONCATENATE_BASE_AND_KEY.
pub(in crate::mechanism) fn concatenate_base_and_key(order: &Order<'_>) -> Result<Vec<Secret>> {
    let other = order.others.first().ok_or(Error::MechanismParamInvalid)?;
    order.cut(&joined(order.base.secret_value(), other.secret_value()))
}

/// CKM_CONCATENATE_BASE_AND_DATA.
pub(in crate::mechanism) fn concatenate_base_and_data(order: &Order<'_>) -> Result<Vec<Secret>> {
    order.cut(&joined(order.base.secret_value(), data(order)?))
}

/// CKM_CONCATENATE_DATA_AND_BASE.
pub(in crate::mechanism) fn concatenate_data_and_base(order: &Order<'_>) -> Result<Vec<Secret>> {
    order.cut(&joined(data(order)?, order.base.secret_value()))
}

/// CKM_XOR_BASE_AND_DATA: as long as the shorter one.
pub(in crate::mechanism) fn xor(order: &Order<'_>) -> Result<Vec<Secret>> {
    let pairs = order.base.secret_value().iter().zip(data(order)?);
    order.cut(&Zeroizing::new(pairs.map(|(base, data)| base ^ data).collect::<Vec<u8>>()))
}

/// CKM_EXTRACT_KEY_FROM_KEY: as many bits as are wanted, from one of them on, and round the end.
pub(in crate::mechanism) fn extract(order: &Order<'_>) -> Result<Vec<Secret>> {
    let Parameter::Number(first) = order.parameter else { return Err(Error::MechanismParamInvalid) };
    let value = order.base.secret_value();
    let length = order.all_lengths()?.first().copied().unwrap_or_default();
    let first = usize::try_from(*first).map_err(|_| Error::MechanismParamInvalid)?;
    if first >= value.len().saturating_mul(8) {
        return Err(Error::MechanismParamInvalid);
    }
    if length > value.len() {
        return Err(too_long());
    }
    let byte = |at: usize| value.get(at % value.len()).copied().unwrap_or_default();
    let shift = first % 8;
    let mut out = Secret::zeroed(length);
    for (at, made) in out.expose_mut().iter_mut().enumerate() {
        let pair = u16::from_be_bytes([byte(first / 8 + at), byte(first / 8 + at + 1)]);
        let [kept, _] = (pair << shift).to_be_bytes();
        *made = kept;
    }
    Ok(vec![out])
}

/// CKM_…_KEY_DERIVATION: the first bytes of the base key's digest.
pub(in crate::mechanism) fn hashed(order: &Order<'_>) -> Result<Vec<Secret>> {
    let hash = order.row.hash.ok_or(Error::MechanismInvalid)?;
    order.cut(&Zeroizing::new(crypto::hash_of(hash, &[order.base.secret_value()])?))
}

/// CKM_SHAKE_…_KEY_DERIVATION: twice the strength, unless less is wanted.
pub(in crate::mechanism) fn shake(order: &Order<'_>) -> Result<Vec<Secret>> {
    let (shake, full) = match order.row.kind {
        cryptoki_sys::CKM_SHAKE_128_KEY_DERIVATION => (Shake::Shake128, 32),
        _ => (Shake::Shake256, 64),
    };
    order.cut(crypto::shake(shake, order.base.secret_value(), full)?.expose())
}

/// CKM_…_ECB_ENCRYPT_DATA and CKM_…_CBC_ENCRYPT_DATA, by the cipher that the row's key has.
pub(in crate::mechanism) fn encrypt_data(order: &Order<'_>) -> Result<Vec<Secret>> {
    let is_aes = order.row.keys == [cryptoki_sys::CKK_AES];
    let (transform, data) = match order.parameter {
        Parameter::Data(data) if is_aes => (Transform::Ecb, data),
        Parameter::Data(data) => (Transform::Des3Ecb, data),
        Parameter::CbcData { iv, data } if is_aes => (Transform::Cbc(vector(iv)?), data),
        Parameter::CbcData { iv, data } => (Transform::Des3Cbc(vector(iv)?), data),
        _ => return Err(Error::MechanismParamInvalid),
    };
    let block = if is_aes { 16 } else { 8 };
    if data.is_empty() || !data.len().is_multiple_of(block) {
        return Err(Error::MechanismParamInvalid);
    }
    let encrypted = transform.encrypt(order.base, data)?;
    if order.length().is_some_and(|length| length > encrypted.len()) {
        // What comes of the parameter does not fill the key.
        return Err(Error::MechanismParamInvalid);
    }
    order.cut(&encrypted)
}

fn vector<const N: usize>(iv: &[u8]) -> Result<[u8; N]> {
    iv.try_into().map_err(|_| Error::MechanismParamInvalid)
}

fn data<'a>(order: &Order<'a>) -> Result<&'a [u8]> {
    match order.parameter {
        Parameter::Data(data) => Ok(data),
        _ => Err(Error::MechanismParamInvalid),
    }
}

fn joined(first: &[u8], second: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut joined = Zeroizing::new(Vec::with_capacity(first.len() + second.len()));
    joined.extend_from_slice(first);
    joined.extend_from_slice(second);
    joined
}
