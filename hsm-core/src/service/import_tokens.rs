//! Import tokens: making and retrieving one, and taking in what a customer encrypted for it. The time is the
//! caller's to say, [`lifecycle::now`](crate::object::lifecycle::now) everywhere but in tests.

use cryptoki_sys::*;

use crate::audit::acts;
use crate::error::Result;
use crate::import_token::{ImportToken, Limits, Metadata, Retrieved, Wrapped};
use crate::object::lifecycle::Seconds;
use crate::object::template::{Origin, build};
use crate::object::{Template, Value, values};
use crate::secret::Secret;
use crate::session::{ObjectHandle, Session};

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
    /// [`Error::NotLoggedIn`](crate::Error::NotLoggedIn), those of the store.
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
    /// As [`ImportToken::redeem`]; those of the template, of the session's rights and of the store.
    pub fn import_by_token(
        &self,
        wrapped: &Wrapped<'_>,
        mut template: Template,
        now: Seconds,
    ) -> Result<ObjectHandle> {
        template.push((CKA_SENSITIVE, Value::Bool(true)));
        template.push((CKA_EXTRACTABLE, Value::Bool(false)));
        let mut object = build(Origin::Unwrap, CKO_SECRET_KEY, Some(CKK_AES), template, self.author())?;
        self.may_change(object.is_token(), object.is_private())?;
        object.set(CKA_VALUE, Value::Secret(self.redeem_import_token(wrapped, now)?));
        self.add(values::settle(object)?, acts::REDEEM_IMPORT_TOKEN)
    }

    /// The token belongs to the user, and retrieving it changes it.
    fn may_use_import_token(&self) -> Result<()> {
        self.check_open()?;
        self.may_change(true, true)
    }
}
