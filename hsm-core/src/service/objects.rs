//! Objects: create, copy, destroy, look at, change, find. PKCS #11 3.2, section 5.7.

use cryptoki_sys::*;

use crate::audit::{Activity, acts};
use crate::error::{Error, Result};
use crate::object::find::Search;
use crate::object::lifecycle::{self, Action};
use crate::object::managed::{self, SOFTHSM_RS_STATE};
use crate::object::material::Key;
use crate::object::{Object, Template, Value, record, template, values};
use crate::partition::Loaded;
use crate::service::Provenance;
use crate::session::active::begin;
use crate::session::{ObjectHandle, Session};

use std::cell::Cell;
use std::sync::Arc;

/// An object as the caller may see it.
pub struct View<'s> {
    session: &'s Session,
    loaded: Arc<Loaded>,
    /// Whether it was recorded that a secret of it was given out, and that one was refused.
    noted: [Cell<bool>; 2],
}

impl View<'_> {
    /// An attribute's value, for its length and nothing else.
    ///
    /// # Errors
    /// As [`View::attribute`].
    pub fn measured(&self, kind: u64) -> Result<&Value> {
        match self.loaded.object().visible(kind) {
            Ok(value) => Ok(value),
            Err(refusal) => self.noted(kind, Err(refusal)),
        }
    }

    /// An attribute's value. Of a key's secrets, that is a use of it.
    ///
    /// # Errors
    /// [`Error::AttributeSensitive`], [`Error::AttributeTypeInvalid`]; those of the store, where uses have to be
    /// recorded.
    pub fn attribute(&self, kind: u64) -> Result<&Value> {
        self.noted(kind, self.loaded.object().visible(kind))
    }

    /// Has it recorded once that secrets were read, whichever and how many.
    fn noted<R>(&self, kind: u64, read: Result<R>) -> Result<R> {
        let (keys, [given, refused]) = (self.session.used_key(&self.loaded), &self.noted);
        if keys == [None; 2] || !self.loaded.object().is_secret(kind) {
            return read;
        }
        let gave = read.is_ok();
        let noted = if gave { given } else { refused };
        if noted.get() {
            return read;
        }
        let read = self.session.noted(acts::READ, keys, read);
        noted.set(read.is_ok() == gave);
        read
    }

    /// The numbers of the attributes that the object has.
    pub fn kinds(&self) -> Vec<u64> {
        self.loaded.object().attributes().map(|(kind, _)| kind).collect()
    }

    /// The size of a key in bits; 0 for anything else.
    pub fn size_bits(&self) -> u64 {
        self.loaded.key.size_bits()
    }
}

impl Session {
    /// Creates an object from a template that says everything (C_CreateObject).
    ///
    /// # Errors
    /// Those of the template and of the session's rights; [`Error::ActionProhibited`] for key material where import
    /// tokens are enforced.
    pub fn create_object(&self, template: Template) -> Result<ObjectHandle> {
        let object = template::create(template, self.author()?)?;
        self.may_change(object.is_token(), object.is_private())?;
        self.add(values::settle(object)?, Provenance::Brought, acts::CREATE_OBJECT)
    }

    /// Copies an object with changes (C_CopyObject).
    ///
    /// # Errors
    /// [`Error::ActionProhibited`] and those of the template and of the session's rights.
    pub fn copy_object(&self, object: ObjectHandle, template: Template) -> Result<ObjectHandle> {
        let original = self.object(object)?;
        let copy = template::copy(original.object(), template, self.author()?)?;
        self.may_change(copy.is_token(), copy.is_private())?;
        if !copy.is_token() && copy.is_private_or_secret_key() {
            // What is done with a key of the session is recorded nowhere.
            self.noted(acts::COPY, self.used_key(&original), Ok(()))?;
        }
        self.add(Key::new(copy), Provenance::Inside, acts::COPY_OBJECT)
    }

    /// Destroys an object (C_DestroyObject).
    ///
    /// # Errors
    /// [`Error::ActionProhibited`] and those of the session's rights.
    pub fn destroy_object(&self, object: ObjectHandle) -> Result<()> {
        let loaded = self.object(object)?;
        self.may_change(loaded.object().is_token(), loaded.object().is_private())?;
        let may = |object: &Object| {
            if object.flag(CKA_DESTROYABLE) { Ok(()) } else { Err(Error::ActionProhibited) }
        };
        if loaded.object().get(SOFTHSM_RS_STATE).is_none() {
            return self.partition().destroy(loaded.named(), acts::DESTROY_OBJECT, &may);
        }
        // The life cycle of managed objects is the same for every door, and their attributes are kept.
        let now = lifecycle::now();
        self.partition().change(loaded.named(), acts::DESTROY_OBJECT, &|object| {
            may(object)?;
            lifecycle::check(object, Action::Destroy, now)?;
            Ok(managed::destroyed(object, now))
        })?;
        self.partition().forget_object(loaded.named());
        Ok(())
    }

    /// The bytes that an object takes in the store, before it is sealed (C_GetObjectSize).
    ///
    /// # Errors
    /// [`Error::NoSuchObject`].
    pub fn object_size(&self, object: ObjectHandle) -> Result<u64> {
        let loaded = self.object(object)?;
        let bytes =
            record::encode(loaded.object()).map_err(|_| Error::CryptoFailed("an object did not encode"))?;
        Ok(bytes.len() as u64)
    }

    /// An object to look at (C_GetAttributeValue).
    ///
    /// # Errors
    /// [`Error::NoSuchObject`].
    pub fn view(&self, object: ObjectHandle) -> Result<View<'_>> {
        Ok(View { session: self, loaded: self.object(object)?, noted: Default::default() })
    }

    /// Changes attributes of an object, all of them or none (C_SetAttributeValue).
    ///
    /// # Errors
    /// [`Error::ActionProhibited`] and those of the template and of the session's rights.
    pub fn set_attributes(&self, object: ObjectHandle, template: Template) -> Result<()> {
        let loaded = self.object(object)?;
        self.may_change(loaded.object().is_token(), loaded.object().is_private())?;
        let author = self.author()?;
        let change = |object: &Object| {
            let template = template.iter().map(|(kind, value)| (*kind, value.duplicate())).collect();
            template::change(object, template, author)
        };
        self.partition().change(loaded.named(), acts::SET_ATTRIBUTES, &change)
    }

    /// Begins a search (C_FindObjectsInit). What it finds is what is there now.
    ///
    /// # Errors
    /// [`Error::OperationActive`].
    pub fn find_init(&self, template: Template) -> Result<()> {
        self.check_open()?;
        let search = Search::new(template);
        begin(&mut self.operations().find, || {
            let found = self.partition().search(&search)?;
            // Handed out from the end.
            Ok(found.into_iter().rev().map(|named| self.partition().name(named)).collect())
        })
    }

    /// The next objects found, at most `most`; none at the end (C_FindObjects).
    ///
    /// # Errors
    /// [`Error::OperationNotInitialised`].
    pub fn find(&self, most: usize) -> Result<Vec<ObjectHandle>> {
        let mut operations = self.operations();
        let found = operations.find.as_mut().ok_or(Error::OperationNotInitialised)?;
        let rest = found.len().saturating_sub(most);
        let mut next = found.split_off(rest);
        next.reverse();
        Ok(next)
    }

    /// Ends a search (C_FindObjectsFinal).
    ///
    /// # Errors
    /// [`Error::OperationNotInitialised`].
    pub fn find_final(&self) -> Result<()> {
        self.operations().end(crate::session::Kind::Find)
    }

    /// Adds a finished object to the store, with the event of the act that made it, or to the session, and names
    /// it. What the partition's policies keep out is refused.
    pub(crate) fn add(&self, key: Key, from: Provenance, act: Activity) -> Result<ObjectHandle> {
        self.may_add(key.object(), from)?;
        let loaded = if key.object().is_token() {
            self.partition().insert_token(vec![key], act)?.pop().ok_or(Error::NoSuchObject)?
        } else {
            self.partition().insert_session(self, key)?
        };
        Ok(self.partition().name(loaded.named()))
    }

    fn may_add(&self, object: &Object, from: Provenance) -> Result<()> {
        self.policy()?.check_strength(object)?;
        from.check(object, || self.tokens_enforced())
    }

    /// Adds the two halves of a key pair; in the store, both or none.
    pub(crate) fn add_pair(
        &self,
        public: Key,
        private: Key,
        from: Provenance,
        act: Activity,
    ) -> Result<(ObjectHandle, ObjectHandle)> {
        self.may_add(private.object(), from)?;
        self.policy()?.check_pair(public.object(), private.object())?;
        if !(public.object().is_token() && private.object().is_token()) {
            let private = self.add(private, from, act)?;
            let public = self.add(public, from, act).or_else(|error| {
                // Half a pair is no use to anybody.
                let private = self.partition().named(private)?;
                self.partition().destroy(private, acts::DESTROY_OBJECT, &|_| Ok(()))?;
                Err(error)
            })?;
            return Ok((public, private));
        }
        match self.partition().insert_token(vec![public, private], act)?.as_slice() {
            [public, private] => {
                Ok((self.partition().name(public.named()), self.partition().name(private.named())))
            }
            _ => Err(Error::NoSuchObject),
        }
    }
}
