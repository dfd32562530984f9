//! Wrapping data encryption keys under root keys.

use std::sync::Arc;

use super::{Kms, Named, deeds};
use crate::error::{Error, Result};
use crate::kms::{self, Aad, Action, KeyId, Reason, Wdek, seal};
use crate::object::managed::{KmsMark, kms_state};
use crate::object::material::Key;
use crate::rng;
use crate::secret::Secret;

/// Length of a data encryption key that is made here, in bytes.
const DEK: usize = 32;

/// A wrapped key.
#[derive(Debug)]
pub struct Wrapped {
    /// It.
    pub ciphertext: String,
    /// The key itself, where it was made here.
    pub plaintext: Option<Secret>,
    /// The version that it is wrapped under.
    pub version: KeyId,
}

/// An unwrapped key.
#[derive(Debug)]
pub struct Unwrapped {
    /// It.
    pub plaintext: Secret,
    /// The version that it was wrapped under.
    pub version: KeyId,
    /// It wrapped anew, where that is not the current one: the text, and the current version.
    pub rewrapped: Option<(String, KeyId)>,
}

/// A key that was wrapped anew.
#[derive(Debug)]
pub struct Rewrapped {
    /// It.
    pub ciphertext: String,
    /// The version that it was wrapped under.
    pub version: KeyId,
    /// The version that it is wrapped under now.
    pub rewrapped_version: KeyId,
}

/// A root key that may be used.
struct Ready {
    id: KeyId,
    key: Arc<Key>,
    version: KeyId,
}

impl Kms<'_> {
    /// Wraps a data encryption key, or a fresh one of 32 bytes, which is answered too. The additional data are not
    /// kept: unwrapping needs them again.
    ///
    /// # Errors
    /// Refusals: those of [`check`](kms::check), [`Reason::NotFound`], [`Reason::Field`].
    pub fn wrap(&self, key: &str, plaintext: Option<&[u8]>, aad: &Aad) -> Result<Wrapped> {
        let key = Named::new(key);
        let wrap = || {
            let ready = self.ready(&key, Action::Wrap)?;
            let fresh = if plaintext.is_none() { Some(rng::secret(DEK)?) } else { None };
            let bytes = plaintext.or(fresh.as_ref().map(Secret::expose)).unwrap_or_default();
            let ciphertext = seal(ready.key.secret_value(), ready.version, bytes, aad)?;
            Ok(Wrapped { ciphertext, plaintext: fresh, version: ready.version })
        };
        self.used(&deeds::WRAP, Some(&key), wrap())
    }

    /// Unwraps a key, under whatever version of the root key it was wrapped.
    ///
    /// # Errors
    /// Refusals: those of [`check`](kms::check), [`Reason::NotFound`], [`Reason::NotBase64`],
    /// [`Reason::Unprocessable`].
    pub fn unwrap(&self, key: &str, ciphertext: &str, aad: &Aad) -> Result<Unwrapped> {
        let key = Named::new(key);
        let unwrap = || {
            let (ready, wdek, plaintext) = self.opened(&key, ciphertext, aad, Action::Unwrap)?;
            let rewrapped = if wdek.handle == ready.version {
                None
            } else {
                let text = seal(ready.key.secret_value(), ready.version, plaintext.expose(), aad)?;
                Some((text, ready.version))
            };
            Ok(Unwrapped { plaintext, version: wdek.handle, rewrapped })
        };
        self.used(&deeds::UNWRAP, Some(&key), unwrap())
    }

    /// Wraps a key anew under the current version, without showing it.
    ///
    /// # Errors
    /// As [`Kms::unwrap`].
    pub fn rewrap(&self, key: &str, ciphertext: &str, aad: &Aad) -> Result<Rewrapped> {
        let key = Named::new(key);
        let rewrap = || {
            let (ready, wdek, plaintext) = self.opened(&key, ciphertext, aad, Action::Rewrap)?;
            let ciphertext = seal(ready.key.secret_value(), ready.version, plaintext.expose(), aad)?;
            Ok(Rewrapped { ciphertext, version: wdek.handle, rewrapped_version: ready.version })
        };
        self.used(&deeds::REWRAP, Some(&key), rewrap())
    }

    /// What was wrapped, with the root key as it is now.
    fn opened(
        &self,
        key: &Named<'_>,
        ciphertext: &str,
        aad: &Aad,
        action: Action,
    ) -> Result<(Ready, Wdek, Secret)> {
        let ready = self.ready(key, action)?;
        let wdek = Wdek::parse(ciphertext)?;
        let plaintext = if wdek.handle == ready.version {
            wdek.open(ready.key.secret_value(), aad)?
        } else {
            let material = self.look(|view| view.version(ready.id, wdek.handle))?;
            wdek.open(material.ok_or(Reason::Unprocessable)?.expose(), aad)?
        };
        Ok((ready, wdek, plaintext))
    }

    /// A key by its object, which is in the cache where it is used often: the object says its state and version.
    fn ready(&self, key: &Named<'_>, action: Action) -> Result<Ready> {
        self.may_look()?;
        let id = match key.id.get() {
            Some(id) => id,
            None => self.look(|view| key.find(view))?.id,
        };
        let loaded = match self.session.partition().load_record(id.into()) {
            Ok(loaded) => loaded,
            // It is deleted, or there is none.
            Err(Error::NoSuchObject) => {
                let record = self.look(|view| Named::new(&id.to_string()).find(view))?;
                record.allow(action, self.now())?;
                return Err(Reason::NotFound.into());
            }
            Err(error) => return Err(error),
        };
        self.session.partition().see_end(&loaded, || self.now());
        let (mark, state) = KmsMark::of(loaded.object())
            .zip(kms_state(loaded.object(), self.now()))
            .ok_or(Reason::NotFound)?;
        kms::check(mark.kind, state, action)?;
        Ok(Ready { id, key: loaded.key.clone(), version: KeyId(mark.version) })
    }
}
