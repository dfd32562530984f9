//! CK_MECHANISM: one parser for each shape of parameter. What the values may be is checked where they
//! are used; here it is that the parameter has its structure's size and that what it points to can be
//! read. PKCS #11 3.2, section 6, at each structure.

use cryptoki_sys::*;
use hsm_core::Error;
use hsm_core::mechanism::{self, Mechanism, Parameter, Shape};

use super::memory::Region;
use crate::rv::{Outcome, Refusal};

/// Bytes of one part of a parameter (additional data, labels, shared data).
const MAX_PART: usize = 16 << 20;

/// A block of AES.
const BLOCK: usize = 16;

/// Reads a mechanism's parameter in the shape that the mechanism table gives it.
///
/// # Safety
/// The caller's promise (see `ffi`) must hold for the parameter and what it points to.
pub(super) unsafe fn parse(given: &CK_MECHANISM) -> Outcome<Mechanism> {
    let row = mechanism::row(given.mechanism).ok_or(Error::MechanismInvalid)?;
    // SAFETY: passed on.
    let bytes = unsafe { Given::claim(given) }?;
    // SAFETY: passed on.
    let parameter = unsafe { bytes.shaped(row.shape) }?;
    Ok(Mechanism { kind: given.mechanism, parameter })
}

/// A parameter as the caller gave it.
pub(super) struct Given<'call>(pub(super) &'call [u8]);

impl<'call> Given<'call> {
    /// # Safety
    /// As for [`parse`].
    unsafe fn claim(given: &CK_MECHANISM) -> Outcome<Given<'call>> {
        // SAFETY: passed on.
        unsafe { part(given.pParameter.cast(), given.ulParameterLen) }.map(Given)
    }

    /// # Safety
    /// As for [`parse`]: structures are followed to what they point to.
    unsafe fn shaped(&self, shape: Shape) -> Outcome<Parameter> {
        match shape {
            Shape::None => self.none(),
            Shape::OptionalIv | Shape::OptionalEddsa if self.0.is_empty() => Ok(Parameter::None),
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
            _ => unsafe { super::parameters::shaped(self, shape) },
        }
    }

    fn none(&self) -> Outcome<Parameter> {
        if self.0.is_empty() { Ok(Parameter::None) } else { Err(invalid()) }
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
mod tests {
    use std::ffi::c_void;
    use std::ptr;

    use super::*;

    fn parse_raw(kind: u64, parameter: *const c_void, length: usize) -> Outcome<Mechanism> {
        let given = CK_MECHANISM {
            mechanism: kind,
            pParameter: parameter.cast_mut(),
            ulParameterLen: length as CK_ULONG,
        };
        // SAFETY: each test gives memory of the length, or what is refused before it is read.
        unsafe { parse(&given) }
    }

    fn parse_with<T>(kind: u64, parameter: &T) -> Outcome<Mechanism> {
        parse_raw(kind, ptr::from_ref(parameter).cast(), size_of::<T>())
    }

    fn is_invalid(outcome: Outcome<Mechanism>) -> bool {
        matches!(outcome, Err(Refusal::Core(Error::MechanismParamInvalid)))
    }

    fn gcm(iv: &[u8], aad: &[u8]) -> CK_GCM_PARAMS {
        CK_GCM_PARAMS {
            pIv: iv.as_ptr().cast_mut(),
            ulIvLen: iv.len() as CK_ULONG,
            ulIvBits: 0,
            pAAD: aad.as_ptr().cast_mut(),
            ulAADLen: aad.len() as CK_ULONG,
            ulTagBits: 128,
        }
    }

    fn oaep(source: u64, label: &[u8]) -> CK_RSA_PKCS_OAEP_PARAMS {
        CK_RSA_PKCS_OAEP_PARAMS {
            hashAlg: CKM_SHA256,
            mgf: CKG_MGF1_SHA256,
            source,
            pSourceData: label.as_ptr().cast_mut().cast(),
            ulSourceDataLen: label.len() as CK_ULONG,
        }
    }

    #[test]
    fn unknown_mechanisms_are_refused_whatever_their_parameter() {
        let refused = parse_raw(CKM_VENDOR_DEFINED, ptr::dangling(), usize::MAX);
        assert!(matches!(refused, Err(Refusal::Core(Error::MechanismInvalid))));
    }

    #[test]
    fn every_shape_refuses_null_and_impossible_lengths() {
        let kinds = [
            CKM_RSA_PKCS,
            CKM_AES_CBC,
            CKM_AES_KEY_WRAP,
            CKM_AES_CTR,
            CKM_AES_GCM,
            CKM_RSA_PKCS_PSS,
            CKM_RSA_PKCS_OAEP,
            CKM_RSA_AES_KEY_WRAP,
            CKM_ECDH1_DERIVE,
            CKM_EDDSA,
            CKM_SHA256_HMAC_GENERAL,
        ];
        for kind in kinds {
            for length in [1, 16, 24, 40, 48, usize::MAX] {
                assert!(
                    is_invalid(parse_raw(kind, ptr::null(), length)),
                    "{kind:#x}, {length} bytes at null"
                );
            }
            for length in [1 << 40, isize::MAX as usize, usize::MAX] {
                assert!(is_invalid(parse_raw(kind, ptr::dangling(), length)), "{kind:#x}, {length} bytes");
            }
        }
    }

    #[test]
    fn structures_have_their_size_exactly() {
        let bytes = [0_u64; 16];
        let sizes = [
            (CKM_AES_CTR, 24),
            (CKM_AES_GCM, 48),
            (CKM_RSA_PKCS_PSS, 24),
            (CKM_RSA_PKCS_OAEP, 40),
            (CKM_RSA_AES_KEY_WRAP, 16),
            (CKM_ECDH1_DERIVE, 40),
            (CKM_SHA256_HMAC_GENERAL, 8),
            (CKM_AES_CBC, 16),
        ];
        for (kind, size) in sizes {
            assert!(is_invalid(parse_raw(kind, bytes.as_ptr().cast(), size - 1)), "{kind:#x}, one byte less");
            assert!(is_invalid(parse_raw(kind, bytes.as_ptr().cast(), size + 1)), "{kind:#x}, one byte more");
            assert!(is_invalid(parse_raw(kind, ptr::null(), 0)), "{kind:#x}, nothing");
        }
    }

    #[test]
    fn a_mechanism_without_parameter_takes_none() {
        assert!(matches!(
            parse_raw(CKM_RSA_PKCS, ptr::null(), 0),
            Ok(Mechanism { parameter: Parameter::None, .. })
        ));
        assert!(is_invalid(parse_with(CKM_RSA_PKCS, &0_u64)));
    }

    #[test]
    fn optional_parameters_may_be_absent() {
        for kind in [CKM_AES_KEY_WRAP, CKM_EDDSA] {
            assert!(matches!(
                parse_raw(kind, ptr::null(), 0),
                Ok(Mechanism { parameter: Parameter::None, .. })
            ));
        }
    }

    #[test]
    fn gcm_takes_its_nonce_by_length_alone() {
        let mut given = gcm(b"twelve bytes", b"more");
        for bits in [0, 96, 1] {
            given.ulIvBits = bits;
            let parsed = parse_with(CKM_AES_GCM, &given).unwrap().parameter;
            assert!(
                matches!(&parsed, Parameter::Gcm { iv, aad, tag_bits: 128 } if iv == b"twelve bytes" && aad == b"more")
            );
        }
    }

    #[test]
    fn what_a_structure_points_to_is_checked_too() {
        let mut given = gcm(b"twelve bytes", b"");
        given.ulAADLen = CK_ULONG::MAX;
        assert!(is_invalid(parse_with(CKM_AES_GCM, &given)));
        given = gcm(b"", b"");
        (given.pIv, given.ulIvLen) = (ptr::null_mut(), 12);
        assert!(is_invalid(parse_with(CKM_AES_GCM, &given)));
        let mut label = oaep(CKZ_DATA_SPECIFIED, b"");
        (label.pSourceData, label.ulSourceDataLen) = (ptr::null_mut(), 1);
        assert!(is_invalid(parse_with(CKM_RSA_PKCS_OAEP, &label)));
    }

    #[test]
    fn oaep_without_source_is_accepted_when_there_is_no_label() {
        assert!(parse_with(CKM_RSA_PKCS_OAEP, &oaep(CKZ_DATA_SPECIFIED, b"label")).is_ok());
        assert!(parse_with(CKM_RSA_PKCS_OAEP, &oaep(0, b"")).is_ok());
        assert!(is_invalid(parse_with(CKM_RSA_PKCS_OAEP, &oaep(0, b"label"))));
        assert!(is_invalid(parse_with(CKM_RSA_PKCS_OAEP, &oaep(2, b""))));
    }

    #[test]
    fn a_structure_inside_a_structure_is_checked_as_one_outside() {
        let label = *b"label";
        let mut inside = oaep(CKZ_DATA_SPECIFIED, &label);
        let parse_inside = |inside: *mut CK_RSA_PKCS_OAEP_PARAMS| {
            let given = CK_RSA_AES_KEY_WRAP_PARAMS { ulAESKeyBits: 256, pOAEPParams: inside };
            parse_with(CKM_RSA_AES_KEY_WRAP, &given)
        };
        let parsed = parse_inside(&mut inside).unwrap().parameter;
        assert!(matches!(
            &parsed,
            Parameter::RsaAes { aes_bits: Some(256), hash: CKM_SHA256, mgf: CKG_MGF1_SHA256, label } if label == b"label"
        ));
        assert!(is_invalid(parse_inside(ptr::null_mut())));
        inside.source = 2;
        assert!(is_invalid(parse_inside(&mut inside)));
        inside = oaep(CKZ_DATA_SPECIFIED, &label);
        inside.ulSourceDataLen = CK_ULONG::MAX;
        assert!(is_invalid(parse_inside(&mut inside)));
    }

    #[test]
    fn a_structure_may_lie_at_any_address() {
        let given = CK_RSA_PKCS_PSS_PARAMS { hashAlg: CKM_SHA256, mgf: CKG_MGF1_SHA256, sLen: 32 };
        let mut bytes = [0; 25];
        let odd = bytes.as_mut_ptr().wrapping_add(1).cast::<CK_RSA_PKCS_PSS_PARAMS>();
        // SAFETY: 24 bytes fit behind the first.
        unsafe { odd.write_unaligned(given) };
        let parsed = parse_raw(CKM_RSA_PKCS_PSS, bytes[1..].as_ptr().cast(), 24).unwrap().parameter;
        assert!(matches!(parsed, Parameter::Pss { hash: CKM_SHA256, mgf: CKG_MGF1_SHA256, salt_len: 32 }));
    }

    #[test]
    fn eddsa_and_ecdh_follow_their_pointers() {
        let eddsa =
            CK_EDDSA_PARAMS { phFlag: 1, ulContextDataLen: 3, pContextData: b"ctx".as_ptr().cast_mut() };
        let parsed = parse_with(CKM_EDDSA, &eddsa).unwrap().parameter;
        assert!(matches!(&parsed, Parameter::Eddsa { prehash: true, context } if context == b"ctx"));
        let ecdh = CK_ECDH1_DERIVE_PARAMS {
            kdf: CKD_NULL,
            ulSharedDataLen: 0,
            pSharedData: ptr::null_mut(),
            ulPublicDataLen: 5,
            pPublicData: b"point".as_ptr().cast_mut(),
        };
        let parsed = parse_with(CKM_ECDH1_DERIVE, &ecdh).unwrap().parameter;
        assert!(
            matches!(&parsed, Parameter::Ecdh { shared, public, .. } if shared.is_empty() && public == b"point")
        );
    }
}
