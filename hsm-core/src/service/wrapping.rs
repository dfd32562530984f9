//! Wrapping and unwrapping keys. PKCS #11 3.2, sections 5.18.3 and 5.18.4.

use std::sync::Arc;

use cryptoki_sys::*;
use zeroize::Zeroizing;

use crate::audit::acts;
use crate::error::{Error, Result};
use crate::mechanism::table::{Function, Row};
use crate::mechanism::usage;
use crate::mechanism::{Mechanism, Transform, put};
use crate::object::material::Key;
use crate::object::template::{self, Origin, build, number_in};
use crate::object::{Object, Template, Value, encoding, values};
use crate::partition::Loaded;
use crate::secret::Secret;
use crate::service::Provenance;
use crate::session::{ObjectHandle, Output, Session};

impl Session {
    /// Wraps a key: a secret key's value, or a private key's PKCS #8.
    ///
    /// # Errors
    /// [`Error::KeyUnextractable`], [`Error::KeyNotWrappable`], those of the wrapping key's fitness,
    /// [`Error::BufferTooSmall`].
    pub fn wrap_key(
        &self,
        mechanism: &Mechanism,
        wrapping: ObjectHandle,
        key: ObjectHandle,
        output: Output<'_>,
    ) -> Result<usize> {
        self.wrap_noted(wrapping, key, output, |output| self.wrapped(mechanism, wrapping, key, output))
    }

    /// Has a use of both keys noted that `work` makes. Asking for the length is none; what was given out and cannot be
    /// recorded is taken back.
    pub(super) fn wrap_noted<R>(
        &self,
        wrapping: ObjectHandle,
        key: ObjectHandle,
        mut output: Output<'_>,
        work: impl FnOnce(Output<'_>) -> Result<R>,
    ) -> Result<R> {
        let keys = self.used(key, Some(wrapping));
        let wrapped = work(output.again());
        if wrapped.is_ok() && matches!(output, Output::Length) {
            return wrapped;
        }
        let gave = wrapped.is_ok();
        self.noted(acts::WRAP, keys, wrapped).inspect_err(|_| {
            if gave {
                output.wipe();
            }
        })
    }

    fn wrapped(
        &self,
        mechanism: &Mechanism,
        wrapping: ObjectHandle,
        key: ObjectHandle,
        output: Output<'_>,
    ) -> Result<usize> {
        self.row_for(mechanism, Function::Wrap)?;
        let (row, transform) = mechanism.wrapping(Function::Wrap)?;
        let (wrapping, key) = self.to_wrap(row, wrapping, key)?;
        let wrapped = wrap(&transform, &wrapping.key, &plaintext(key.object(), &transform)?)?;
        match output {
            Output::Length => Ok(wrapped.len()),
            Output::Buffer(out) => put(out, &wrapped),
        }
    }

    /// The wrapping key and the key that it wraps, both found fit.
    pub(super) fn to_wrap(
        &self,
        row: &Row,
        wrapping: ObjectHandle,
        key: ObjectHandle,
    ) -> Result<(Arc<Loaded>, Arc<Loaded>)> {
        let wrapping = self.key(wrapping).map_err(usage::as_wrapping)?;
        let key = self.key(key)?;
        usage::check(row, Function::Wrap, &wrapping.key).map_err(usage::as_wrapping)?;
        may_be_wrapped(key.object(), wrapping.object())?;
        self.policy()?.check_wrapping(wrapping.object(), key.object())?;
        Ok((wrapping, key))
    }

    /// Unwraps a key into a new object.
    ///
    /// # Errors
    /// [`Error::WrappedKeyInvalid`], [`Error::WrappedKeyLength`], those of the unwrapping key's
    /// fitness, the template and the session's rights; [`Error::KeyFunctionNotPermitted`] where import tokens are
    /// enforced.
    pub fn unwrap_key(
        &self,
        mechanism: &Mechanism,
        unwrapping: ObjectHandle,
        wrapped: &[u8],
        template: Template,
    ) -> Result<ObjectHandle> {
        self.unwrap_noted(unwrapping, || {
            self.row_for(mechanism, Function::Unwrap)?;
            let (row, transform) = mechanism.wrapping(Function::Unwrap)?;
            self.unwrapped(row, &transform, unwrapping, wrapped, template)
        })
    }

    /// Stores the key that `work` unwraps. The use is noted before it is there: a key whose unwrapping was not recorded
    /// would be.
    pub(super) fn unwrap_noted(
        &self,
        unwrapping: ObjectHandle,
        work: impl FnOnce() -> Result<Key>,
    ) -> Result<ObjectHandle> {
        let keys = self.used(unwrapping, None);
        let unwrapped = self.noted(acts::UNWRAP, keys, work())?;
        self.add(unwrapped, Provenance::Brought, acts::UNWRAP_KEY)
    }

    /// The key that is unwrapped by a transform that the row allows, not stored yet.
    pub(super) fn unwrapped(
        &self,
        row: &Row,
        transform: &Transform,
        unwrapping: ObjectHandle,
        wrapped: &[u8],
        mut template: Template,
    ) -> Result<Key> {
        let named = unwrapping;
        let unwrapping = self.key(named).map_err(usage::as_unwrapping);
        let unwrapping = if self.partition().is_import_token(named) {
            self.partition().note_import_by_door(unwrapping)?
        } else {
            unwrapping?
        };
        usage::check(row, Function::Unwrap, &unwrapping.key).map_err(usage::as_unwrapping)?;
        if unwrapping.object().flag(CKA_ALWAYS_AUTHENTICATE) {
            // C_UnwrapKey has no moment for a context-specific login.
            return Err(Error::ContextLoginNeeded);
        }
        self.policy()?.check_purpose(unwrapping.object())?;
        template::impose(unwrapping.object().get(CKA_UNWRAP_TEMPLATE), &mut template)?;
        let class = number_in(&template, CKA_CLASS)?.ok_or(Error::TemplateIncomplete(CKA_CLASS))?;
        let key_type = number_in(&template, CKA_KEY_TYPE)?.ok_or(Error::TemplateIncomplete(CKA_KEY_TYPE))?;
        let mut object = build(Origin::Unwrap, class, Some(key_type), template, self.author()?)?;
        self.may_change(object.is_token(), object.is_private())?;
        let fill = |plaintext: &[u8]| {
            put_plaintext(&mut object, transform, plaintext).map_err(as_wrapped)?;
            values::settle(object).map_err(as_wrapped)
        };
        if unwrapping.is_import_token() {
            return self.open_by_import_token(&unwrapping, transform, wrapped, fill);
        }
        self.may_unwrap()?;
        let plaintext = transform.decrypt(&unwrapping.key, wrapped).map_err(|error| match error {
            Error::EncryptedDataLength => Error::WrappedKeyLength,
            Error::EncryptedDataInvalid | Error::DataInvalid => Error::WrappedKeyInvalid,
            other => other,
        })?;
        fill(&plaintext)
    }
}

/// Wraps what [`plaintext`] gives of a key.
pub(super) fn wrap(transform: &Transform, wrapping: &Key, plaintext: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    transform.encrypt(wrapping, plaintext).map_err(|error| match error {
        // The key does not fit the mechanism: too long for RSA, or no whole blocks.
        Error::DataLength => Error::KeyNotWrappable,
        other => other,
    })
}

/// Whether a key's attributes let it out under this wrapping key.
fn may_be_wrapped(key: &Object, wrapping: &Object) -> Result<()> {
    if !key.is_private_or_secret_key() {
        return Err(Error::KeyNotWrappable);
    }
    if !key.flag(CKA_EXTRACTABLE) {
        return Err(Error::KeyUnextractable);
    }
    if key.flag(CKA_WRAP_WITH_TRUSTED) && !wrapping.flag(CKA_TRUSTED) {
        return Err(Error::KeyNotWrappable);
    }
    if !template::complies(key, wrapping.get(CKA_WRAP_TEMPLATE)) {
        return Err(Error::KeyNotWrappable);
    }
    Ok(())
}

/// What of a key goes into the wrap. Section 6.7: private keys as PrivateKeyInfo. Modes without
/// padding take whole blocks: shorter secrets get zeros behind (section 5.18.3 and 6.13.5).
pub(super) fn plaintext(key: &Object, transform: &Transform) -> Result<Zeroizing<Vec<u8>>> {
    let mut plaintext = match key.class() {
        CKO_PRIVATE_KEY => encoding::private_key_info(key)?,
        _ => Zeroizing::new(key.bytes(CKA_VALUE).to_vec()),
    };
    let block = match transform {
        Transform::Ecb | Transform::Cbc(_) => 16,
        Transform::Des3Ecb | Transform::Des3Cbc(_) => 8,
        _ => 1,
    };
    if block > 1 && key.is_secret_key() {
        let full = plaintext.len().next_multiple_of(block);
        let mut padded = Zeroizing::new(vec![0; full]);
        padded.get_mut(..plaintext.len()).unwrap_or_default().copy_from_slice(&plaintext);
        plaintext = padded;
    }
    Ok(plaintext)
}

/// Values that come out of the wrap are not the caller's to be told apart; that a curve is not offered is no secret.
fn as_wrapped(error: Error) -> Error {
    match error {
        Error::AttributeValueInvalid(_)
        | Error::PublicKeyInvalid
        | Error::ArgumentsBad(_)
        | Error::DomainParamsInvalid => Error::WrappedKeyInvalid,
        other => other,
    }
}

/// Puts what came out of the wrap into the new object.
fn put_plaintext(object: &mut Object, transform: &Transform, plaintext: &[u8]) -> Result<()> {
    match object.class() {
        CKO_PRIVATE_KEY => {
            if Some(encoding::private_key_type(plaintext)?) != object.key_type() {
                return Err(Error::WrappedKeyInvalid);
            }
            encoding::read_private_key_info(object, plaintext)
        }
        CKO_SECRET_KEY | CKO_OTP_KEY => {
            let bare = matches!(
                transform,
                Transform::Ecb
                    | Transform::Cbc(_)
                    | Transform::Des3Ecb
                    | Transform::Des3Cbc(_)
                    | Transform::RsaX509
            );
            let wanted = object.number(CKA_VALUE_LEN).and_then(|length| usize::try_from(length).ok());
            let value = match wanted {
                Some(length) if bare => plaintext.get(..length).ok_or(Error::WrappedKeyLength)?,
                _ => plaintext,
            };
            object.set(CKA_VALUE, Value::Secret(Secret::copy_of(value)));
            Ok(())
        }
        _ => Err(Error::TemplateInconsistent(CKA_CLASS)),
    }
}
