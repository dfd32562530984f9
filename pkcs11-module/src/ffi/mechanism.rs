//! CK_MECHANISM: one parser for each shape of parameter. What the values may be is checked where they
//! are used; here it is that the parameter has its structure's size and that what it points to can be
//! read. PKCS #11 3.2, section 6, at each structure.

use cryptoki_sys::*;
use hsm_core::Error;
use hsm_core::mechanism::{self, CRYPTO_PRO, Mechanism, Parameter, Shape};

use super::memory::Region;
use crate::rv::{Outcome, Refusal};

/// Bytes of one part of a parameter (additional data, labels, shared data).
pub(super) const MAX_PART: usize = 16 << 20;

/// A block of AES.
const BLOCK: usize = 16;

/// Reads a mechanism's parameter in the shape that the mechanism table gives it.
///
/// # Safety
/// The caller's promise (see `ffi`) must hold for the parameter and what it points to.
pub(super) unsafe fn parse(given: &CK_MECHANISM) -> Outcome<Mechanism> {
    let row = mechanism::row(given.mechanism).ok_or(Error::MechanismInvalid)?;
    // SAFETY: passed on.
    let bytes = unsafe { Given::at(given.pParameter.cast(), given.ulParameterLen) }?;
    // SAFETY: passed on.
    let parameter = unsafe { bytes.shaped(row.shape) }?;
    Ok(Mechanism { kind: given.mechanism, parameter })
}

/// A parameter as the caller gave it.
pub(super) struct Given<'call>(pub(super) &'call [u8]);

impl<'call> Given<'call> {
    /// # Safety
    /// As for [`parse`].
    pub(super) unsafe fn at(start: *const u8, length: CK_ULONG) -> Outcome<Given<'call>> {
        // SAFETY: passed on.
        unsafe { part(start, length) }.map(Given)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// # Safety
    /// As for [`parse`]: structures are followed to what they point to.
    unsafe fn shaped(&self, shape: Shape) -> Outcome<Parameter> {
        match shape {
            Shape::None => self.none(),
            Shape::OptionalIv | Shape::OptionalEddsa | Shape::OptionalSignContext if self.0.is_empty() => {
                Ok(Parameter::None)
            }
            Shape::OptionalGostSet => self.gost_set(),
            Shape::OptionalIv => self.iv(|length| length <= BLOCK),
            Shape::Iv => self.iv(|length| length == BLOCK),
            Shape::DesIv => self.iv(|length| length == BLOCK / 2),
            Shape::Number => self.number(),
            Shape::Ctr => self.ctr(),
            Shape::Pss => self.pss(),
            // SAFETY: passed on.
            Shape::Gcm => unsafe { self.gcm() },
            // SAFETY: passed on.
            Shape::Oaep => unsafe { self.oaep() },
            // SAFETY: passed on.
            Shape::RsaAes => unsafe { self.rsa_aes() },
            // SAFETY: passed on.
            Shape::Ecdh => unsafe { self.ecdh() },
            // SAFETY: passed on.
            Shape::OptionalEddsa => unsafe { self.eddsa() },
            // SAFETY: passed on.
            Shape::OptionalSignContext => unsafe { self.sign_context() },
            // SAFETY: passed on.
            Shape::HashSignContext => unsafe { self.hash_sign_context() },
            // SAFETY: passed on.
            _ => unsafe { super::parameters::shaped(self, shape) },
        }
    }

    fn none(&self) -> Outcome<Parameter> {
        if self.0.is_empty() { Ok(Parameter::None) } else { Err(invalid()) }
    }

    /// What the mechanism has without a parameter too.
    fn gost_set(&self) -> Outcome<Parameter> {
        if [&[], CRYPTO_PRO].contains(&self.0) { Ok(Parameter::None) } else { Err(invalid()) }
    }

    fn iv(&self, fits: impl FnOnce(usize) -> bool) -> Outcome<Parameter> {
        if fits(self.0.len()) { Ok(Parameter::Iv(self.0.to_vec())) } else { Err(invalid()) }
    }

    fn number(&self) -> Outcome<Parameter> {
        self.structure().map(Parameter::Number)
    }

    fn ctr(&self) -> Outcome<Parameter> {
        let given: CK_AES_CTR_PARAMS = self.structure()?;
        Ok(Parameter::Ctr { counter_bits: given.ulCounterBits, block: given.cb })
    }

    fn pss(&self) -> Outcome<Parameter> {
        let given: CK_RSA_PKCS_PSS_PARAMS = self.structure()?;
        Ok(Parameter::Pss { hash: given.hashAlg, mgf: given.mgf, salt_len: given.sLen })
    }

    /// `ulIvBits` is not looked at: older callers leave it zero or say something else than `ulIvLen`,
    /// and the nonce is whole bytes in any case.
    unsafe fn gcm(&self) -> Outcome<Parameter> {
        let given: CK_GCM_PARAMS = self.structure()?;
        Ok(Parameter::Gcm {
            // SAFETY: passed on.
            iv: unsafe { copy(given.pIv, given.ulIvLen) }?,
            // SAFETY: passed on.
            aad: unsafe { copy(given.pAAD, given.ulAADLen) }?,
            tag_bits: given.ulTagBits,
        })
    }

    unsafe fn oaep(&self) -> Outcome<Parameter> {
        let given: CK_RSA_PKCS_OAEP_PARAMS = self.structure()?;
        // SAFETY: passed on.
        let label = unsafe { label(&given) }?;
        Ok(Parameter::Oaep { hash: given.hashAlg, mgf: given.mgf, label })
    }

    unsafe fn rsa_aes(&self) -> Outcome<Parameter> {
        let given: CK_RSA_AES_KEY_WRAP_PARAMS = self.structure()?;
        let length = size_of::<CK_RSA_PKCS_OAEP_PARAMS>() as CK_ULONG;
        // SAFETY: passed on; the pointer is to a structure of this size.
        let inside = Given(unsafe { part(given.pOAEPParams.cast_const().cast(), length) }?);
        let oaep: CK_RSA_PKCS_OAEP_PARAMS = inside.structure()?;
        // SAFETY: passed on.
        let label = unsafe { label(&oaep) }?;
        Ok(Parameter::RsaAes { aes_bits: Some(given.ulAESKeyBits), hash: oaep.hashAlg, mgf: oaep.mgf, label })
    }

    unsafe fn ecdh(&self) -> Outcome<Parameter> {
        let given: CK_ECDH1_DERIVE_PARAMS = self.structure()?;
        Ok(Parameter::Ecdh {
            kdf: given.kdf,
            // SAFETY: passed on.
            shared: unsafe { copy(given.pSharedData, given.ulSharedDataLen) }?,
            // SAFETY: passed on.
            public: unsafe { copy(given.pPublicData, given.ulPublicDataLen) }?,
        })
    }

    unsafe fn eddsa(&self) -> Outcome<Parameter> {
        let given: CK_EDDSA_PARAMS = self.structure()?;
        // SAFETY: passed on.
        let context = unsafe { copy(given.pContextData, given.ulContextDataLen) }?;
        Ok(Parameter::Eddsa { prehash: given.phFlag != CK_FALSE, context })
    }

    unsafe fn sign_context(&self) -> Outcome<Parameter> {
        let given: CK_SIGN_ADDITIONAL_CONTEXT = self.structure()?;
        // SAFETY: passed on.
        let context = unsafe { copy(given.pContext, given.ulContextLen) }?;
        Ok(Parameter::SignContext { hedge: given.hedgeVariant, context, hash: None })
    }

    unsafe fn hash_sign_context(&self) -> Outcome<Parameter> {
        let given: CK_HASH_SIGN_ADDITIONAL_CONTEXT = self.structure()?;
        // SAFETY: passed on.
        let context = unsafe { copy(given.pContext, given.ulContextLen) }?;
        Ok(Parameter::SignContext { hedge: given.hedgeVariant, context, hash: Some(given.hash) })
    }

    /// The parameter as a structure of the standard's, which may lie at any address.
    pub(super) fn structure<T: Structure>(&self) -> Outcome<T> {
        if self.0.len() != size_of::<T>() {
            return Err(invalid());
        }
        // SAFETY: the slice has the structure's size, and any bytes make one (`Structure`).
        Ok(unsafe { self.0.as_ptr().cast::<T>().read_unaligned() })
    }
}

/// Structures of numbers, bytes and raw pointers, for which all bit patterns are valid.
pub(super) trait Structure: Copy {}

impl Structure for CK_ULONG {}
impl Structure for CK_AES_CTR_PARAMS {}
impl Structure for CK_GCM_PARAMS {}
impl Structure for CK_RSA_PKCS_PSS_PARAMS {}
impl Structure for CK_RSA_PKCS_OAEP_PARAMS {}
impl Structure for CK_RSA_AES_KEY_WRAP_PARAMS {}
impl Structure for CK_ECDH1_DERIVE_PARAMS {}
impl Structure for CK_EDDSA_PARAMS {}
impl Structure for CK_SIGN_ADDITIONAL_CONTEXT {}
impl Structure for CK_HASH_SIGN_ADDITIONAL_CONTEXT {}

/// Bytes that a parameter consists of or points to. What cannot be there is the parameter's fault.
pub(super) unsafe fn part<'call>(start: *const u8, length: CK_ULONG) -> Outcome<&'call [u8]> {
    // SAFETY: passed on.
    let region = unsafe { Region::claim(start, length) }.map_err(|_| invalid())?;
    if region.count() > MAX_PART { Err(invalid()) } else { Ok(region.bytes()) }
}

/// OAEP's label. "CKZ_DATA_SPECIFIED" is the one source there is. Older OpenSC leaves the source zero when
/// there is no label.
///
/// # Safety
/// As for [`parse`].
unsafe fn label(given: &CK_RSA_PKCS_OAEP_PARAMS) -> Outcome<Vec<u8>> {
    // SAFETY: passed on.
    let label = unsafe { copy(given.pSourceData.cast(), given.ulSourceDataLen) }?;
    match given.source {
        CKZ_DATA_SPECIFIED => Ok(label),
        0 if label.is_empty() => Ok(label),
        _ => Err(invalid()),
    }
}

/// A copy of bytes that a parameter points to.
pub(super) unsafe fn copy(start: *const u8, length: CK_ULONG) -> Outcome<Vec<u8>> {
    // SAFETY: passed on.
    unsafe { part(start, length) }.map(<[u8]>::to_vec)
}

pub(super) fn invalid() -> Refusal {
    Error::MechanismParamInvalid.into()
}

#[cfg(test)]
mod tests;
