//! Wrapping with authenticated encryption whose nonce is made here, and whose tag may stand beside the wrapped
//! key. PKCS #11 3.2, sections 5.18.6, 5.18.7 and 6.13.12.

use super::wrapping::{plaintext, wrap};
use crate::error::{Error, Result};
use crate::mechanism::nonces::KeyMark;
use crate::mechanism::table::{Function, Row};
use crate::mechanism::{Aead, MessageParameter, Sealed, Tag, put};
use crate::object::Template;
use crate::session::{ObjectHandle, Output, Session};

impl Session {
    /// Wraps a key by mechanism `kind` (C_WrapKeyAuthenticated; C_WrapKey with CK_GCM_WRAP_PARAMS or
    /// CK_CCM_WRAP_PARAMS). No nonce is taken for asking the length.
    ///
    /// # Errors
    /// As [`Session::wrap_key`]; those of the nonce, as for [`Session::encrypt_message`].
    pub fn wrap_key_sealed(
        &self,
        kind: u64,
        parameter: &MessageParameter,
        aad: &[u8],
        (wrapping, key): (ObjectHandle, ObjectHandle),
        output: Output<'_>,
    ) -> Result<Sealed> {
        self.wrap_noted(wrapping, key, output, |output| {
            self.wrapped_sealed(kind, parameter, aad, (wrapping, key), output)
        })
    }

    fn wrapped_sealed(
        &self,
        kind: u64,
        parameter: &MessageParameter,
        aad: &[u8],
        (wrapping, key): (ObjectHandle, ObjectHandle),
        output: Output<'_>,
    ) -> Result<Sealed> {
        let (row, aead) = self.sealing(kind, Function::Wrap)?;
        let (wrapping, key) = self.to_wrap(row, wrapping, key)?;
        let tag_len = parameter.check(aead)?;
        let appended = match parameter.tag {
            Tag::Wanted => 0,
            Tag::Appended => tag_len,
            Tag::Absent | Tag::Given(_) => return Err(Error::MechanismParamInvalid),
        };
        // The nonce has no say in what is wrapped.
        let unused = aead.transform(parameter.nonce.nonce.clone(), Vec::new(), tag_len)?;
        let plaintext = plaintext(key.object(), &unused)?;
        let needed = plaintext.len().saturating_add(appended);
        let out = match output {
            Output::Length => return Ok(Sealed { length: needed, ..Sealed::default() }),
            Output::Buffer(out) if out.len() < needed => return Err(Error::BufferTooSmall { needed }),
            Output::Buffer(out) => out,
        };
        let nonce = self.nonces().next(KeyMark::of(&wrapping.key)?, &parameter.nonce)?;
        let transform = aead.transform(nonce.clone(), aad.to_vec(), tag_len)?;
        let wrapped = wrap(&transform, &wrapping.key, &plaintext)?;
        let (inside, tag) = wrapped
            .len()
            .checked_sub(tag_len)
            .and_then(|at| wrapped.split_at_checked(at))
            .ok_or(Error::CryptoFailed("a wrapped key without its tag"))?;
        let (length, tag) = match parameter.tag {
            Tag::Appended => (put(out, &wrapped)?, None),
            _ => (put(out, inside)?, Some(tag.to_vec())),
        };
        Ok(Sealed { length, nonce: Some(nonce), tag })
    }

    /// Unwraps a key by mechanism `kind` (C_UnwrapKeyAuthenticated, and C_UnwrapKey likewise).
    ///
    /// # Errors
    /// As [`Session::unwrap_key`].
    pub fn unwrap_key_sealed(
        &self,
        kind: u64,
        parameter: &MessageParameter,
        aad: &[u8],
        (unwrapping, wrapped): (ObjectHandle, &[u8]),
        template: Template,
    ) -> Result<ObjectHandle> {
        self.unwrap_noted(unwrapping, || {
            let (row, aead) = self.sealing(kind, Function::Unwrap)?;
            let tag_len = parameter.check(aead)?;
            let tag = match parameter.tag {
                Tag::Appended => &[],
                _ => parameter.given_tag(tag_len)?,
            };
            let transform = aead.transform(parameter.nonce.nonce.clone(), aad.to_vec(), tag_len)?;
            self.unwrapped(row, &transform, unwrapping, &[wrapped, tag].concat(), template)
        })
    }

    /// The row of a mechanism that wraps with authenticated encryption.
    fn sealing(&self, kind: u64, function: Function) -> Result<(&'static Row, Aead)> {
        let row = self.row_of(kind, function)?;
        Ok((row, row.aead.ok_or(Error::MechanismInvalid)?))
    }
}
