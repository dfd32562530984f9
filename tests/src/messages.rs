//! Messages of AES-GCM: their parameter, and the functions that encrypt, decrypt, wrap and unwrap with it.

use cryptoki_sys::*;

use crate::function;
use crate::mechanism::Mech;
use crate::operations::{Out, twice};
use crate::raw::{Arg, Function};
use crate::rv::Rv;
use crate::session::{Object, Session, valid};
use crate::template::{Template, ulong};

/// CK_GCM_MESSAGE_PARAMS with the memory that it points to.
#[derive(Debug)]
pub struct Gcm {
    raw: CK_GCM_MESSAGE_PARAMS,
    iv: Vec<u8>,
    tag: Vec<u8>,
}

impl Gcm {
    /// A nonce that the caller gives, and a tag of 16 bytes.
    pub fn given(iv: &[u8]) -> Gcm {
        Gcm::generated(iv, 0, CKG_NO_GENERATE)
    }

    /// A nonce that the module makes behind the first bits of this one.
    pub fn generated(iv: &[u8], fixed_bits: CK_ULONG, generator: CK_GENERATOR_FUNCTION) -> Gcm {
        let (mut iv, mut tag) = (iv.to_vec(), vec![0; 16]);
        let raw = CK_GCM_MESSAGE_PARAMS {
            pIv: iv.as_mut_ptr(),
            ulIvLen: ulong(iv.len()),
            ulIvFixedBits: fixed_bits,
            ivGenerator: generator,
            pTag: tag.as_mut_ptr(),
            ulTagBits: 128,
        };
        Gcm { raw, iv, tag }
    }

    /// The same with a tag that came with the message.
    pub fn with_tag(mut self, tag: &[u8]) -> Gcm {
        self.tag.copy_from_slice(tag);
        self
    }

    /// The same with a tag of so many bits.
    pub fn with_tag_bits(mut self, bits: CK_ULONG) -> Gcm {
        self.raw.ulTagBits = bits;
        self
    }

    /// The same without a place for the tag.
    pub fn without_tag(mut self) -> Gcm {
        self.raw.pTag = std::ptr::null_mut();
        self
    }

    /// The nonce as it stands there now.
    pub fn iv(&self) -> &[u8] {
        &self.iv
    }

    /// The tag as it stands there now.
    pub fn tag(&self) -> &[u8] {
        &self.tag
    }

    /// The structure as C sees it.
    pub fn raw(&self) -> &CK_GCM_MESSAGE_PARAMS {
        &self.raw
    }

    fn args(&self) -> [Arg<'_>; 2] {
        [(&self.raw).into(), size_of::<CK_GCM_MESSAGE_PARAMS>().into()]
    }

    /// CKM_AES_GCM with this as its parameter.
    pub fn mechanism(&self) -> CK_MECHANISM {
        CK_MECHANISM {
            mechanism: CKM_AES_GCM,
            pParameter: std::ptr::from_ref(&self.raw).cast_mut().cast(),
            ulParameterLen: ulong(size_of::<CK_GCM_MESSAGE_PARAMS>()),
        }
    }
}

/// The functions of one direction.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// Begins the process.
    pub init: Function,
    /// A message whole.
    pub once: Function,
    /// The beginning of a message in parts.
    pub begin: Function,
    /// A part.
    pub next: Function,
    /// Ends the process.
    pub last: Function,
}

macro_rules! way {
    ($init:ident $once:ident $begin:ident $next:ident $last:ident) => {
        Way {
            init: function!($init),
            once: function!($once),
            begin: function!($begin),
            next: function!($next),
            last: function!($last),
        }
    };
}

/// Encryption of messages.
pub const ENCRYPT: Way = way!(C_MessageEncryptInit C_EncryptMessage C_EncryptMessageBegin C_EncryptMessageNext C_MessageEncryptFinal);
/// Their decryption.
pub const DECRYPT: Way = way!(C_MessageDecryptInit C_DecryptMessage C_DecryptMessageBegin C_DecryptMessageNext C_MessageDecryptFinal);
/// Signatures and MACs of messages.
pub const SIGN: Way =
    way!(C_MessageSignInit C_SignMessage C_SignMessageBegin C_SignMessageNext C_MessageSignFinal);
/// Their verification.
pub const VERIFY: Way =
    way!(C_MessageVerifyInit C_VerifyMessage C_VerifyMessageBegin C_VerifyMessageNext C_MessageVerifyFinal);

impl Session<'_> {
    /// Begins a process of messages.
    pub fn message_init(&self, way: Way, mech: &Mech, key: Object) -> Result<(), Rv> {
        self.call(way.init, &[(&mech.raw()).into(), key.into()])
    }

    /// Ends a process of messages.
    pub fn message_final(&self, way: Way) -> Result<(), Rv> {
        self.call(way.last, &[])
    }

    /// A whole message.
    pub fn message(
        &self,
        way: Way,
        parameter: &Gcm,
        aad: &[u8],
        data: &[u8],
        out: Out<'_>,
    ) -> Result<usize, Rv> {
        let [start, length] = parameter.args();
        self.output(
            way.once,
            &[start, length, aad.into(), aad.len().into(), data.into(), data.len().into()],
            out,
        )
    }

    /// A whole message by the two-call rule.
    pub fn whole_message(&self, way: Way, parameter: &Gcm, aad: &[u8], data: &[u8]) -> Result<Vec<u8>, Rv> {
        twice(|out| self.message(way, parameter, aad, data, out))
    }

    /// The beginning of a message in parts.
    pub fn message_begin(&self, way: Way, parameter: &Gcm, aad: &[u8]) -> Result<(), Rv> {
        let [start, length] = parameter.args();
        self.call(way.begin, &[start, length, aad.into(), aad.len().into()])
    }

    /// Part of a message, or its end.
    pub fn message_next(
        &self,
        way: Way,
        parameter: &Gcm,
        data: &[u8],
        (out, last): (Out<'_>, bool),
    ) -> Result<usize, Rv> {
        let [start, length] = parameter.args();
        let mut written: CK_ULONG = 0;
        let buffer = match out {
            Out::Length => Arg::NULL,
            Out::Buffer(buffer) => {
                written = ulong(buffer.len());
                buffer.into()
            }
        };
        let flags: CK_FLAGS = if last { CKF_END_OF_MESSAGE } else { 0 };
        let input = [data.into(), data.len().into(), buffer, (&mut written).into(), flags.into()];
        let args: Vec<Arg<'_>> = [start, length].into_iter().chain(input).collect();
        self.call(way.next, &args)?;
        Ok(usize::try_from(written).expect("a length"))
    }

    /// Part of a message by the two-call rule.
    pub fn message_part(&self, way: Way, parameter: &Gcm, data: &[u8], last: bool) -> Result<Vec<u8>, Rv> {
        twice(|out| self.message_next(way, parameter, data, (out, last)))
    }

    /// C_SignMessage, by the two-call rule.
    pub fn sign_message(&self, data: &[u8]) -> Result<Vec<u8>, Rv> {
        let args = [Arg::NULL, 0usize.into(), data.into(), data.len().into()];
        twice(|out| self.output(SIGN.once, &args, out))
    }

    /// C_VerifyMessage.
    pub fn verify_message(&self, data: &[u8], signature: &[u8]) -> Result<(), Rv> {
        let data = [data.into(), data.len().into()];
        let signature = [signature.into(), signature.len().into()];
        self.call(VERIFY.once, &[[Arg::NULL, 0usize.into()], data, signature].concat())
    }

    /// C_WrapKeyAuthenticated.
    pub fn wrap_authenticated(
        &self,
        parameter: &Gcm,
        (wrapping, key): (Object, Object),
        aad: &[u8],
        out: Out<'_>,
    ) -> Result<usize, Rv> {
        let raw = parameter.mechanism();
        let args = [(&raw).into(), wrapping.into(), key.into(), aad.into(), aad.len().into()];
        self.output(function!(C_WrapKeyAuthenticated), &args, out)
    }

    /// C_UnwrapKeyAuthenticated.
    pub fn unwrap_authenticated(
        &self,
        parameter: &Gcm,
        (unwrapping, wrapped): (Object, &[u8]),
        template: &Template,
        aad: &[u8],
    ) -> Result<Object, Rv> {
        let template = template.raw();
        let mut key = CK_INVALID_HANDLE;
        let raw = parameter.mechanism();
        let args = [
            (&raw).into(),
            unwrapping.into(),
            wrapped.into(),
            wrapped.len().into(),
            template.as_slice().into(),
            template.len().into(),
            aad.into(),
            aad.len().into(),
            (&mut key).into(),
        ];
        self.call(function!(C_UnwrapKeyAuthenticated), &args)?;
        Ok(valid(key))
    }
}
