//! What clients of servers do with keys: whole operations on objects that were named by identifier,
//! under the same rules of fitness as PKCS #11's. Operations that take parts are handed out and kept
//! by the door.

use std::sync::Arc;

use cryptoki_sys::*;
use zeroize::Zeroizing;

use super::item::Item;
use super::keys;
use super::space::Space;
use crate::crypto::Direction;
use crate::error::{Error, Result};
use crate::mechanism::table::{Function, Row, row_for};
use crate::mechanism::usage;
use crate::mechanism::{Ciphering, Derivation, Mechanism, Scheme, Signing, Transform, Verifying};
use crate::object::managed::UsageLimits;
use crate::object::material::Key;
use crate::object::template::Author;
use crate::object::{Template, template, values};
use crate::partition::Durability;
use crate::secret::Secret;
use crate::session::ObjectHandle;

/// The unit of usage limits that counts bytes (KMIP 1.4, section 9.1.3.2.31); the other counts
/// operations.
const UNIT_BYTE: u32 = 1;

impl Space {
    /// The row of a mechanism and a key, if the key may serve it now.
    fn fit(
        &self,
        item: &Item,
        mechanism: &Mechanism,
        function: Function,
    ) -> Result<(&'static Row, Arc<Key>)> {
        let row = row_for(mechanism, function)?;
        usage::check(row, function, item.key())?;
        asks_no_pin(item)?;
        Ok((row, item.key().clone()))
    }

    /// A key, if it may serve now, where no mechanism is named.
    fn fit_unnamed(&self, item: &Item, function: Function, key_types: Option<&[u64]>) -> Result<Arc<Key>> {
        usage::check_unnamed(function, key_types, item.key())?;
        asks_no_pin(item)?;
        Ok(item.key().clone())
    }

    /// The handle by which this process's sessions name an object (PKCS #11).
    pub fn handle(&self, item: &Item) -> ObjectHandle {
        self.session().partition().name(item.loaded.named())
    }

    /// Begins to encrypt or decrypt.
    ///
    /// # Errors
    /// Those of the mechanism and of the key's fitness.
    pub fn cipher(&self, item: &Item, mechanism: &Mechanism, direction: Direction) -> Result<Ciphering> {
        let (row, key) = self.fit(item, mechanism, ciphering(direction))?;
        Ciphering::new(row, &mechanism.parameter, direction, key)
    }

    /// Begins to encrypt or decrypt by any transform.
    ///
    /// # Errors
    /// Those of the transform and of the key's fitness; [`Error::MechanismInvalid`] of a key that
    /// CKA_ALLOWED_MECHANISMS restricts.
    pub fn cipher_by(&self, item: &Item, transform: Transform, direction: Direction) -> Result<Ciphering> {
        let key = self.fit_unnamed(item, ciphering(direction), Some(transform.key_types()))?;
        Ciphering::by(transform, direction, key)
    }

    /// Begins to sign, or to compute a MAC.
    ///
    /// # Errors
    /// As [`Space::cipher`].
    pub fn signing(&self, item: &Item, mechanism: &Mechanism) -> Result<Signing> {
        let (row, key) = self.fit(item, mechanism, Function::Sign)?;
        Signing::new(row, &mechanism.parameter, key)
    }

    /// Begins to sign, or to compute a MAC, by any scheme.
    ///
    /// # Errors
    /// As [`Space::cipher_by`].
    pub fn sign_by(&self, item: &Item, scheme: Scheme) -> Result<Signing> {
        Signing::by(scheme, self.fit_unnamed(item, Function::Sign, Some(types_for(scheme, item)))?)
    }

    /// Signs a certificate's body. It is a use that the key's usage limits count.
    ///
    /// # Errors
    /// As [`Space::cipher_by`] and [`Space::spend`]; [`Error::KeyFunctionNotPermitted`] for a key that signs neither certificates
    /// nor anything else.
    pub fn sign_certificate(&self, item: &Item, scheme: Scheme, body: &[u8]) -> Result<Vec<u8>> {
        usage::check_certifying(scheme.key_types(), item.key())?;
        asks_no_pin(item)?;
        self.spend(item, body.len() as u64, || {
            let mut signing = Signing::by(scheme, item.key().clone())?;
            let mut signature = vec![0; signing.signature_len()];
            let length = signing.sign(body, &mut signature)?;
            signature.truncate(length);
            Ok(signature)
        })
    }

    /// Begins to verify a signature or MAC.
    ///
    /// # Errors
    /// As [`Space::cipher`].
    pub fn verifying(&self, item: &Item, mechanism: &Mechanism) -> Result<Verifying> {
        let (row, key) = self.fit(item, mechanism, Function::Verify)?;
        Verifying::new(row, &mechanism.parameter, key)
    }

    /// Begins to verify a signature or MAC by any scheme.
    ///
    /// # Errors
    /// As [`Space::cipher_by`].
    pub fn verify_by(&self, item: &Item, scheme: Scheme) -> Result<Verifying> {
        Verifying::by(scheme, self.fit_unnamed(item, Function::Verify, Some(types_for(scheme, item)))?)
    }

    /// Derives `length` bytes.
    ///
    /// # Errors
    /// As [`Space::cipher_by`]; [`Error::DataLength`] where the derivation gives fewer bytes.
    pub fn derive_bytes(&self, item: &Item, derivation: &Derivation<'_>, length: usize) -> Result<Secret> {
        derivation.derive(&*self.fit_unnamed(item, Function::Derive, derivation.key_types())?, length)
    }

    /// Wraps bytes: a key's value, or an encoding of it. Whether that value may leave is checked by
    /// whoever brings it. It is a use that the wrapping key's usage limits count.
    ///
    /// # Errors
    /// As [`Space::cipher`] and [`Space::spend`].
    pub fn wrap(&self, item: &Item, mechanism: &Mechanism, value: &[u8]) -> Result<Vec<u8>> {
        self.fit(item, mechanism, Function::Wrap).map_err(usage::as_wrapping)?;
        let (_, transform) = mechanism.wrapping(Function::Wrap)?;
        self.spend(item, value.len() as u64, || {
            let mut wrapped = transform.encrypt(item.key(), value)?;
            Ok(std::mem::take(&mut *wrapped))
        })
    }

    /// Unwraps bytes.
    ///
    /// # Errors
    /// As [`Space::cipher`]; [`Error::WrappedKeyInvalid`].
    pub fn unwrap(&self, item: &Item, mechanism: &Mechanism, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        self.fit(item, mechanism, Function::Unwrap).map_err(usage::as_unwrapping)?;
        let (_, transform) = mechanism.wrapping(Function::Unwrap)?;
        transform.decrypt(item.key(), wrapped).map_err(|error| match error {
            Error::EncryptedDataLength | Error::EncryptedDataInvalid | Error::DataInvalid => {
                Error::WrappedKeyInvalid
            }
            other => other,
        })
    }

    /// Unwraps what a client registered wrapped, for that client: a key that may wrap may do so too, since
    /// its holder could have kept the value.
    ///
    /// # Errors
    /// As [`Space::unwrap`].
    pub fn unwrap_registered(
        &self,
        item: &Item,
        mechanism: &Mechanism,
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>> {
        match self.unwrap(item, mechanism, wrapped) {
            Err(Error::KeyFunctionNotPermitted) => {}
            done => return done,
        }
        self.fit(item, mechanism, Function::Wrap).map_err(usage::as_wrapping)?;
        let (_, transform) = mechanism.wrapping(Function::Unwrap)?;
        transform.decrypt(item.key(), wrapped).map_err(|_| Error::WrappedKeyInvalid)
    }

    /// A fresh secret key, to be put into the store by [`super::Changes::insert`].
    ///
    /// # Errors
    /// Those of the mechanism and the template.
    pub fn new_secret(&self, mechanism: &Mechanism, template: Template) -> Result<Key> {
        keys::new_secret(mechanism, template, Author::ORDINARY, &|_| Ok(()))
    }

    /// A fresh key pair, public key first, to be put into the store by [`super::Changes::insert`].
    ///
    /// # Errors
    /// Those of the mechanism and the templates.
    pub fn new_pair(&self, mechanism: &Mechanism, public: Template, private: Template) -> Result<(Key, Key)> {
        keys::new_pair(mechanism, public, private, Author::ORDINARY, &|_| Ok(()))
    }

    /// An object from a template that says everything, to be put into the store.
    ///
    /// # Errors
    /// Those of the template and the values.
    pub fn new_object(&self, template: Template) -> Result<Key> {
        values::settle(template::create(template, Author::ORDINARY)?)
    }

    /// Uses a key to protect so many bytes, and takes what that costs from its usage limits, if it has any.
    /// A use that fails costs nothing, and what a use made is given to nobody before it is paid for.
    ///
    /// # Errors
    /// What `use_key` answers; [`Error::UsageLimitExceeded`]: nothing is taken then.
    pub fn spend<T, E: From<Error>>(
        &self,
        item: &Item,
        bytes: u64,
        use_key: impl FnOnce() -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        match UsageLimits::of(item.object()) {
            None => return use_key(),
            // In vain: others may have used up what was there since, and nobody gives back.
            Some(limits) if limits.left < cost(&limits, bytes) => {
                return Err(Error::UsageLimitExceeded.into());
            }
            Some(_) => {}
        }
        let done = use_key()?;
        self.charge(item, bytes)?;
        Ok(done)
    }

    fn charge(&self, item: &Item, bytes: u64) -> Result<()> {
        self.write_aside(Durability::Now, &mut |changes| {
            let id = item.id();
            let mut object = changes.object(&id, crate::object::lifecycle::Action::Change)?;
            let Some(mut limits) = UsageLimits::of(&object) else { return Ok(()) };
            limits.left = limits.left.checked_sub(cost(&limits, bytes)).ok_or(Error::UsageLimitExceeded)?;
            limits.put(&mut object);
            changes.replace(&id, object)
        })
    }
}

/// What a use with so many bytes costs, in the limits' unit.
fn cost(limits: &UsageLimits, bytes: u64) -> u64 {
    if limits.unit == UNIT_BYTE { bytes } else { 1 }
}

/// The key types that a scheme takes. KMIP lets keys of ciphers make HMACs, where their usage mask does.
fn types_for(scheme: Scheme, item: &Item) -> &'static [u64] {
    const OF_CIPHERS: &[u64] = &[CKK_AES, CKK_DES2, CKK_DES3, CKK_CHACHA20];
    let of_cipher = item.object().key_type().is_some_and(|key_type| OF_CIPHERS.contains(&key_type));
    if matches!(scheme, Scheme::Hmac(..)) && of_cipher { OF_CIPHERS } else { scheme.key_types() }
}

const fn ciphering(direction: Direction) -> Function {
    match direction {
        Direction::Encrypt => Function::Encrypt,
        Direction::Decrypt => Function::Decrypt,
    }
}

/// A client of a server has no PIN to give at each use.
fn asks_no_pin(item: &Item) -> Result<()> {
    if item.object().flag(CKA_ALWAYS_AUTHENTICATE) { Err(Error::ContextLoginNeeded) } else { Ok(()) }
}
