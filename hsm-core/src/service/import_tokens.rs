//! Import tokens: making and retrieving one, and taking in what a customer encrypted for it. The time is the
//! caller's to say, [`lifecycle::now`] everywhere but in tests; where a token is an object among others (PKCS #11,
//! KMIP) it is the clock's.

use cryptoki_sys::*;

use super::item::Item;
use super::space::Space;
use crate::audit::acts;
use crate::error::{Error, Result};
use crate::import_token::{self, ImportToken, Limits, Metadata, Retrieved, Wrapped};
use crate::mechanism::table::Function;
use crate::mechanism::{Mechanism, Transform, usage};
use crate::object::formats::{self, Format};
use crate::object::lifecycle::{self, Action, Seconds};
use crate::object::template::{self, Author, Origin, build};
use crate::object::{Policy, Template, Value, encoding, values};
use crate::partition::Loaded;
use crate::rng;
use crate::secret::Secret;
use crate::service::Provenance;
use crate::session::{ObjectHandle, Session};

/// Length of what stands in for a key that did not decrypt, in bytes.
const STAND_IN_LEN: usize = 32;

impl Session {
    /// Makes the partition's import token, in place of the one before: what was encrypted for that opens no
    /// more.
    ///
    /// # Errors
    /// Those of the session's rights (read/write, of the user) and of the store.
    pub fn create_import_token(&self, limits: Limits, now: Seconds) -> Result<Metadata> {
        self.may_use_import_token()?;
        let token = ImportToken::generate(limits, now)?;
        self.partition().replace_import_token(&token)?;
        Ok(token.metadata())
    }

    /// What is known of the import token, without retrieving it: also of one that has expired. `None` where
    /// there is none.
    ///
    /// # Errors
    /// [`Error::NotLoggedIn`], those of the store.
    pub fn import_token(&self) -> Result<Option<Metadata>> {
        self.check_open()?;
        Ok(self.partition().import_token()?.map(|token| token.metadata()))
    }

    /// Retrieves the import token. One retrieval less remains when this returns, durably; of many who ask at
    /// once, in whatever processes, no more are answered than may be.
    ///
    /// # Errors
    /// [`Refusal::Expired`](crate::import_token::Refusal::Expired), those of the session's rights and of the
    /// store.
    pub fn retrieve_import_token(&self, now: Seconds) -> Result<Retrieved> {
        self.may_use_import_token()?;
        self.partition().with_import_token(&|token| token.retrieve(now))
    }

    /// Opens key material that was encrypted for the import token. It stays inside: doors import it.
    ///
    /// # Errors
    /// Those of [`ImportToken::redeem`], of the session's rights and of the store.
    pub(crate) fn redeem_import_token(&self, wrapped: &Wrapped<'_>, now: Seconds) -> Result<Secret> {
        self.may_use_import_token()?;
        self.partition().redeem_import_token(wrapped, now)
    }

    /// Takes key material in that was encrypted for the import token, as an AES key. `template` says what else
    /// it is; it is sensitive and never leaves.
    ///
    /// # Errors
    /// As [`ImportToken::redeem`]; those of the template, of the session's rights and of the store;
    /// [`Error::ArgumentsBad`] for an algorithm that brings private keys.
    pub fn import_by_token(
        &self,
        wrapped: &Wrapped<'_>,
        mut template: Template,
        now: Seconds,
    ) -> Result<ObjectHandle> {
        if wrapped.algorithm.brings_private_keys() {
            return Err(Error::ArgumentsBad("the algorithm brings private keys"));
        }
        hide(&mut template);
        let author = self.vouched_author()?;
        let mut object = build(Origin::Unwrap, CKO_SECRET_KEY, Some(CKK_AES), template, author)?;
        self.may_change(object.is_token(), object.is_private())?;
        object.set(CKA_VALUE, Value::Secret(self.redeem_import_token(wrapped, now)?));
        self.add(values::settle(object)?, Provenance::Redeemed, acts::REDEEM_IMPORT_TOKEN)
    }

    /// Takes a private key in that was encrypted for the import token, and makes its public key beside it, both
    /// or none: the public key's handle, then the private key's. The templates say what else they are; the
    /// private key is sensitive and never leaves.
    ///
    /// # Errors
    /// As [`Session::import_by_token`]; [`Error::WrappedKeyInvalid`] for a key of a kind that there is not.
    pub fn import_private_by_token(
        &self,
        wrapped: &Wrapped<'_>,
        mut public: Template,
        mut private: Template,
        now: Seconds,
    ) -> Result<(ObjectHandle, ObjectHandle)> {
        if !wrapped.algorithm.brings_private_keys() {
            return Err(Error::ArgumentsBad("the algorithm brings AES keys"));
        }
        hide(&mut private);
        let pkcs8 = self.redeem_import_token(wrapped, now)?;
        let key_type = encoding::private_key_type(pkcs8.expose())?;
        let mut object =
            build(Origin::Unwrap, CKO_PRIVATE_KEY, Some(key_type), private, self.vouched_author()?)?;
        self.may_change(object.is_token(), object.is_private())?;
        encoding::read_private_key_info(&mut object, pkcs8.expose())?;
        let private = values::settle(object).map_err(|_| Error::WrappedKeyInvalid)?;
        public.push((CKA_CLASS, Value::Number(CKO_PUBLIC_KEY)));
        public.extend(formats::public_key(Format::X509, private.object().bytes(CKA_PUBLIC_KEY_INFO))?);
        let public = values::settle(template::create(public, self.author()?)?)?;
        self.may_change(public.object().is_token(), public.object().is_private())?;
        self.add_pair(public, private, Provenance::Redeemed, acts::REDEEM_IMPORT_TOKEN)
    }

    /// Who brings key material with the token's nonce is believed: what it is for is the customer's to say.
    fn vouched_author(&self) -> Result<Author> {
        Ok(Author { policy: Policy::Compatible, ..self.author()? })
    }

    /// Opens what was encrypted to the import token's public key and comes without the nonce, as PKCS #11 and
    /// KMIP bring it: the one way of both doors. `make` makes of it what the door wants.
    ///
    /// What does not decrypt is replaced by random bytes, of which the same is made, and what `make` refuses is
    /// refused as that: neither the answer nor the work done tells a wrong padding from a wrong key.
    ///
    /// # Errors
    /// [`Error::WrappedKeyInvalid`] whatever is wrong with it; [`Error::KeyFunctionNotPermitted`] where the
    /// partition's policies want the nonce.
    pub(crate) fn open_by_import_token<T, E>(
        &self,
        key: &Loaded,
        transform: &Transform,
        wrapped: &[u8],
        make: impl FnOnce(&[u8]) -> std::result::Result<T, E>,
    ) -> Result<T> {
        let opened = self.opened_without_nonce(key, transform, wrapped, make);
        self.partition().note_import_by_door(opened)
    }

    fn opened_without_nonce<T, E>(
        &self,
        key: &Loaded,
        transform: &Transform,
        wrapped: &[u8],
        make: impl FnOnce(&[u8]) -> std::result::Result<T, E>,
    ) -> Result<T> {
        self.may_unwrap()?;
        let stand_in = rng::secret(STAND_IN_LEN)?;
        let opened = transform.decrypt(&key.key, wrapped);
        let made = make(opened.as_ref().map_or(stand_in.expose(), |plaintext| plaintext.as_slice()));
        match (opened, made) {
            (Ok(_), Ok(made)) => Ok(made),
            _ => Err(Error::WrappedKeyInvalid),
        }
    }

    /// Checks that key material may come in wrapped, without a nonce.
    ///
    /// # Errors
    /// [`Error::KeyFunctionNotPermitted`] where import tokens are enforced.
    pub(crate) fn may_unwrap(&self) -> Result<()> {
        if self.tokens_enforced()? { Err(Error::KeyFunctionNotPermitted) } else { Ok(()) }
    }

    /// The token belongs to the user, and retrieving it changes it.
    fn may_use_import_token(&self) -> Result<()> {
        self.check_open()?;
        self.may_change(true, true)
    }
}

impl Space {
    /// The import token's public key by its unique identifier. It belongs to no client: whoever sees the
    /// partition may encrypt to it.
    pub(super) fn import_token_key(&self, id: &str, action: Action) -> Result<Item> {
        let id = import_token::id_of_public(id).ok_or(Error::NoSuchObject)?;
        let now = lifecycle::now();
        let loaded = self.session().partition().import_token_key(id, false, now)?;
        lifecycle::check(loaded.object(), action, now)?;
        Ok(Item { loaded })
    }

    /// Opens what a client encrypted to the import token's public key, `item`; `make` makes of it what is wanted.
    ///
    /// # Errors
    /// [`Error::NoSuchUnwrappingKey`] where the token has ended, [`Error::WrappedKeyInvalid`] whatever is wrong
    /// with what was encrypted, and those of the mechanism.
    pub fn open_by_import_token<T, E>(
        &self,
        item: &Item,
        mechanism: &Mechanism,
        wrapped: &[u8],
        make: impl FnOnce(&[u8]) -> std::result::Result<T, E>,
    ) -> Result<T> {
        let (row, transform) = mechanism.wrapping(Function::Unwrap)?;
        let id = import_token::id_of_public(&item.id()).ok_or(Error::NoSuchUnwrappingKey)?;
        let key = self.session().partition().import_token_key(id, true, lifecycle::now());
        let key = self.session().partition().note_import_by_door(key.map_err(usage::as_unwrapping))?;
        usage::check(row, Function::Unwrap, &key.key).map_err(usage::as_unwrapping)?;
        self.session().open_by_import_token(&key, &transform, wrapped, make)
    }
}

/// A key that comes in by the token never leaves.
fn hide(template: &mut Template) {
    template.push((CKA_SENSITIVE, Value::Bool(true)));
    template.push((CKA_EXTRACTABLE, Value::Bool(false)));
}
