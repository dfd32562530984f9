//! The parameters of messages and of authenticated wrapping: structures that the caller gives and that the
//! module writes a nonce and a tag into. PKCS #11 3.2, section 6.13.13 and 6.66.

use std::ffi::c_void;

use cryptoki_sys::*;
use hsm_core::Error;
use hsm_core::mechanism::{self, Aead, Mechanism, MessageParameter, NonceRequest, Parameter, Sealed, Tag};

use super::mechanism::{Given, MAX_PART, Structure, copy, invalid, parse};
use super::memory::Region;
use crate::rv::Outcome;

/// The longest tag in bits.
const LONGEST_TAG: CK_ULONG = 128;

impl Structure for CK_GCM_MESSAGE_PARAMS {}
impl Structure for CK_CCM_MESSAGE_PARAMS {}
impl Structure for CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS {}
impl Structure for CK_GCM_WRAP_PARAMS {}
impl Structure for CK_CCM_WRAP_PARAMS {}

/// A message's parameter in the caller's memory.
pub(crate) struct MessageArgument<'call> {
    aead: Aead,
    nonce: Region<'call, u8>,
    fixed_bits: CK_ULONG,
    generator: CK_GENERATOR_FUNCTION,
    tag: TagPlace<'call>,
    tag_bits: CK_ULONG,
    data_len: Option<CK_ULONG>,
}

enum TagPlace<'call> {
    None,
    Here(Region<'call, u8>),
    Appended,
}

/// A mechanism that wraps or unwraps a key.
pub(crate) enum Wrapping<'call> {
    /// With a parameter that says everything.
    Plain(Mechanism),
    /// With a nonce that may be made here.
    Sealed(SealedWrapping<'call>),
}

/// Authenticated encryption that wraps or unwraps a key.
pub(crate) struct SealedWrapping<'call> {
    /// CKM_….
    pub(crate) kind: u64,
    /// Its parameter.
    pub(crate) parameter: MessageArgument<'call>,
    /// Additional authenticated data.
    pub(crate) aad: Vec<u8>,
}

impl<'call> MessageArgument<'call> {
    /// Reads the structure that a parameter of this length is: the three have different sizes.
    ///
    /// # Safety
    /// The caller's promise (see `ffi`) must hold for the parameter and what it points to.
    pub(super) unsafe fn claim(start: *const c_void, length: CK_ULONG) -> Outcome<MessageArgument<'call>> {
        // SAFETY: passed on.
        let given = unsafe { Given::at(start.cast(), length) }?;
        if let Ok(gcm) = given.structure::<CK_GCM_MESSAGE_PARAMS>() {
            return Ok(MessageArgument {
                aead: Aead::Gcm,
                // SAFETY: passed on.
                nonce: unsafe { nonce(gcm.pIv, gcm.ulIvLen) }?,
                fixed_bits: gcm.ulIvFixedBits,
                generator: gcm.ivGenerator,
                // SAFETY: passed on.
                tag: unsafe { tag(gcm.pTag, gcm.ulTagBits) }?,
                tag_bits: gcm.ulTagBits,
                data_len: None,
            });
        }
        if let Ok(ccm) = given.structure::<CK_CCM_MESSAGE_PARAMS>() {
            let tag_bits = ccm.ulMACLen.checked_mul(8).ok_or_else(invalid)?;
            return Ok(MessageArgument {
                aead: Aead::Ccm,
                // SAFETY: passed on.
                nonce: unsafe { nonce(ccm.pNonce, ccm.ulNonceLen) }?,
                fixed_bits: ccm.ulNonceFixedBits,
                generator: ccm.nonceGenerator,
                // SAFETY: passed on.
                tag: unsafe { tag(ccm.pMAC, tag_bits) }?,
                tag_bits,
                data_len: Some(ccm.ulDataLen),
            });
        }
        let chacha: CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS = given.structure()?;
        Ok(MessageArgument {
            aead: Aead::ChaCha20Poly1305,
            // SAFETY: passed on.
            nonce: unsafe { nonce(chacha.pNonce, chacha_nonce(chacha.ulNonceLen)?) }?,
            fixed_bits: 0,
            generator: CKG_NO_GENERATE,
            // SAFETY: passed on.
            tag: unsafe { tag(chacha.pTag, LONGEST_TAG) }?,
            tag_bits: LONGEST_TAG,
            data_len: None,
        })
    }

    /// For encryption: a tag goes to its place.
    pub(crate) fn to_encrypt(&self) -> MessageParameter {
        let tag = match self.tag {
            TagPlace::None => Tag::Absent,
            TagPlace::Here(_) => Tag::Wanted,
            TagPlace::Appended => Tag::Appended,
        };
        self.with(tag, self.data_len)
    }

    /// For decryption: the tag is read.
    pub(crate) fn to_decrypt(&self) -> MessageParameter {
        let tag = match &self.tag {
            TagPlace::None => Tag::Absent,
            TagPlace::Here(region) => Tag::Given(region.bytes().to_vec()),
            TagPlace::Appended => Tag::Appended,
        };
        self.with(tag, self.data_len)
    }

    fn with(&self, tag: Tag, data_len: Option<CK_ULONG>) -> MessageParameter {
        MessageParameter {
            aead: self.aead,
            nonce: NonceRequest {
                nonce: self.nonce.bytes().to_vec(),
                fixed_bits: self.fixed_bits,
                generator: self.generator,
            },
            tag_bits: self.tag_bits,
            tag,
            data_len,
        }
    }

    /// Writes what was made. A nonce that the caller gave is his, and may lie where nobody can write.
    pub(crate) fn take(&self, sealed: &Sealed) {
        if let Some(nonce) = sealed.nonce.as_deref().filter(|_| self.generator != CKG_NO_GENERATE) {
            self.nonce.write(nonce);
        }
        if let (Some(tag), TagPlace::Here(region)) = (&sealed.tag, &self.tag) {
            region.write(tag);
        }
    }
}

/// The mechanism of C_MessageEncryptInit and C_MessageDecryptInit. Its parameter may be there as each message will
/// bring it; nothing is taken from it.
///
/// # Safety
/// As for [`MessageArgument::claim`].
pub(super) unsafe fn message_mechanism(given: &CK_MECHANISM) -> Outcome<Mechanism> {
    let row = mechanism::row(given.mechanism).ok_or(Error::MechanismInvalid)?;
    let size = match row.aead.ok_or(Error::MechanismInvalid)? {
        Aead::Gcm => size_of::<CK_GCM_MESSAGE_PARAMS>(),
        Aead::Ccm => size_of::<CK_CCM_MESSAGE_PARAMS>(),
        Aead::ChaCha20Poly1305 => size_of::<CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS>(),
    };
    // SAFETY: passed on.
    let bytes = unsafe { Given::at(given.pParameter.cast(), given.ulParameterLen) }?;
    if ![0, size].contains(&bytes.len()) {
        return Err(invalid());
    }
    Ok(Mechanism { kind: given.mechanism, parameter: Parameter::None })
}

/// The mechanism of C_WrapKeyAuthenticated and C_UnwrapKeyAuthenticated.
///
/// # Safety
/// As for [`MessageArgument::claim`].
pub(super) unsafe fn authenticated<'call>(
    given: &CK_MECHANISM,
    aad: Vec<u8>,
) -> Outcome<SealedWrapping<'call>> {
    if mechanism::row(given.mechanism).is_none() {
        return Err(Error::MechanismInvalid.into());
    }
    // SAFETY: passed on.
    let mut parameter = unsafe { MessageArgument::claim(given.pParameter, given.ulParameterLen) }?;
    // The length is the wrapped key's, whatever the caller says (section 6.13.14).
    parameter.data_len = None;
    Ok(SealedWrapping { kind: given.mechanism, parameter, aad })
}

/// The mechanism of C_WrapKey and C_UnwrapKey: authenticated encryption may have the structure that asks for a
/// nonce, which is larger than that of encryption.
///
/// # Safety
/// As for [`MessageArgument::claim`].
pub(super) unsafe fn wrapping<'call>(given: &CK_MECHANISM) -> Outcome<Wrapping<'call>> {
    let aead = mechanism::row(given.mechanism).and_then(|row| row.aead);
    // SAFETY: passed on.
    let bytes = unsafe { Given::at(given.pParameter.cast(), given.ulParameterLen) };
    let sealed = match (aead, bytes) {
        (Some(Aead::Gcm), Ok(bytes)) => bytes.structure::<CK_GCM_WRAP_PARAMS>().ok().map(Form::Gcm),
        (Some(Aead::Ccm), Ok(bytes)) => bytes.structure::<CK_CCM_WRAP_PARAMS>().ok().map(Form::Ccm),
        _ => None,
    };
    match sealed {
        // SAFETY: passed on.
        None => unsafe { parse(given) }.map(Wrapping::Plain),
        // SAFETY: passed on.
        Some(form) => unsafe { form.sealed(given.mechanism) }.map(Wrapping::Sealed),
    }
}

enum Form {
    Gcm(CK_GCM_WRAP_PARAMS),
    Ccm(CK_CCM_WRAP_PARAMS),
}

impl Form {
    /// # Safety
    /// As for [`MessageArgument::claim`].
    unsafe fn sealed<'call>(self, kind: CK_MECHANISM_TYPE) -> Outcome<SealedWrapping<'call>> {
        let (aead, fields, generator, aad, tag_bits) = match self {
            Form::Gcm(gcm) => (
                Aead::Gcm,
                (gcm.pIv, gcm.ulIvLen, gcm.ulIvFixedBits),
                gcm.ivGenerator,
                (gcm.pAAD, gcm.ulAADLen),
                gcm.ulTagBits,
            ),
            Form::Ccm(ccm) => (
                Aead::Ccm,
                (ccm.pNonce, ccm.ulNonceLen, ccm.ulNonceFixedBits),
                ccm.nonceGenerator,
                (ccm.pAAD, ccm.ulAADLen),
                ccm.ulMACLen.checked_mul(8).ok_or_else(invalid)?,
            ),
        };
        let (start, length, fixed_bits) = fields;
        let parameter = MessageArgument {
            aead,
            // SAFETY: passed on.
            nonce: unsafe { nonce(start, length) }?,
            fixed_bits,
            generator,
            tag: TagPlace::Appended,
            tag_bits,
            data_len: None,
        };
        // SAFETY: passed on.
        let aad = unsafe { copy(aad.0, aad.1) }?;
        Ok(SealedWrapping { kind, parameter, aad })
    }
}

/// # Safety
/// As for [`Region::claim`].
unsafe fn nonce<'call>(start: *const u8, length: CK_ULONG) -> Outcome<Region<'call, u8>> {
    // SAFETY: passed on.
    let region = unsafe { Region::claim(start, length) }.map_err(|_| invalid())?;
    if region.count() > MAX_PART { Err(invalid()) } else { Ok(region) }
}

/// The place of a tag; it may be missing until the message ends.
///
/// # Safety
/// As for [`Region::claim`].
unsafe fn tag<'call>(start: *const u8, bits: CK_ULONG) -> Outcome<TagPlace<'call>> {
    if bits > LONGEST_TAG {
        return Err(invalid());
    }
    if start.is_null() {
        return Ok(TagPlace::None);
    }
    // SAFETY: passed on.
    unsafe { Region::claim(start, bits.div_ceil(8)) }.map(TagPlace::Here).map_err(|_| invalid())
}

/// Length in bytes of ChaCha20's nonce, which the standard has in bits and most callers give in bytes: no nonce
/// has 12 bits.
fn chacha_nonce(length: CK_ULONG) -> Outcome<CK_ULONG> {
    match length {
        12 => Ok(12),
        bits if bits % 8 == 0 => Ok(bits / 8),
        _ => Err(invalid()),
    }
}
