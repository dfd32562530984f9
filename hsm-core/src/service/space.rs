//! A partition as one client of a server sees it: objects by their unique identifiers, its own and
//! those that are shared with it, changed in transactions and found by what the index knows. Whose an
//! object is, whose names must differ, and when it changed last is seen to here, whatever a door does.

use std::sync::{Arc, Mutex, PoisonError};

use cryptoki_sys::*;

use super::account::Account;
use super::item::Item;
use crate::audit::{Event, Trail};
use crate::error::{Error, Result};
use crate::object::lifecycle::{self, Action, Seconds};
use crate::object::locate::{self, Criterion, Of, Scope};
use crate::object::managed::{self, Date, Managed, Name, ObjectType, SOFTHSM_RS_FRESH, SOFTHSM_RS_OWNER};
use crate::object::material::Key;
use crate::object::{Object, Value};
use crate::partition::{Durability, ObjectId, Transaction};
use crate::service::Provenance;
use crate::session::Session;

/// A client's view of a partition. The session keeps the partition open.
pub struct Space {
    session: Arc<Session>,
    scope: Scope,
    /// What undoes the changes since [`Space::remember`], the oldest first.
    journal: Mutex<Option<Vec<Before>>>,
    account: Account,
}

/// An object as it was before a change.
struct Before {
    id: ObjectId,
    object: Option<Object>,
}

impl Space {
    /// The view of a client on the partition of a session, in which the user is logged in.
    pub fn new(session: Arc<Session>, scope: Scope) -> Space {
        Space { session, scope, journal: Mutex::default(), account: Account::default() }
    }

    /// The session.
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// Whose view it is.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// An object by its unique identifier, if its state allows what is to be done with it.
    ///
    /// # Errors
    /// [`Error::NoSuchObject`], also for objects of others; those of [`lifecycle::check`].
    pub fn load(&self, id: &str, action: Action) -> Result<Item> {
        if crate::import_token::is_unique_id(id) {
            return self.import_token_key(id, action);
        }
        let id = ObjectId::of_text(id).ok_or(Error::NoSuchObject)?;
        let loaded = self.session.partition().load_record(id)?;
        if !self.scope.sees(loaded.object()) {
            return Err(Error::NoSuchObject);
        }
        let now = lifecycle::now();
        self.session.partition().see_end(&loaded, || now);
        lifecycle::check(loaded.object(), action, now)?;
        Ok(Item { loaded })
    }

    /// Makes changes, all of them or none; durable when this returns. Answers what was touched, in the
    /// order in which it was.
    ///
    /// # Errors
    /// What `body` answers, and those of the store.
    pub fn write(&self, body: &mut dyn FnMut(&mut Changes<'_, '_>) -> Result<()>) -> Result<Vec<Item>> {
        let operation = self.account.take();
        let mut count = 0;
        let done = self.write_with(Durability::Now, &mut |changes| {
            body(changes)?;
            count = changes.before.len();
            let touched = changes.before.iter().map(|before| before.id);
            operation.as_ref().map_or(Ok(()), |operation| operation.record(changes.transaction, touched))
        });
        let is_done = done.is_ok() && count > 0;
        self.account.put(operation.map(|operation| operation.recorded(is_done)));
        done
    }

    /// As [`Space::write`], for what a use of an object changes: it is no change that is recorded as one.
    pub(super) fn write_aside(
        &self,
        durability: Durability,
        body: &mut dyn FnMut(&mut Changes<'_, '_>) -> Result<()>,
    ) -> Result<()> {
        self.write_with(durability, body).map(drop)
    }

    /// Records changes as this event from now on, with what they touch, until [`Space::end_operation`].
    pub fn begin_operation(&self, trail: Arc<Trail>, event: Event) {
        self.account.begin(trail, event);
    }

    /// Ends what [`Space::begin_operation`] began: whether anything was recorded; `None` where nothing was
    /// begun.
    pub fn end_operation(&self) -> Option<bool> {
        self.account.end()
    }

    fn write_with(
        &self,
        durability: Durability,
        body: &mut dyn FnMut(&mut Changes<'_, '_>) -> Result<()>,
    ) -> Result<Vec<Item>> {
        let now = lifecycle::now();
        let (mut before, mut ended) = (Vec::new(), Vec::new());
        let partition = self.session.partition();
        let touched = partition.transact(durability, &mut |transaction| {
            let (scope, before_now) = (&self.scope, std::mem::take(&mut before));
            let mut changes = Changes { transaction, scope, now, before: before_now, ended: Vec::new() };
            let done = body(&mut changes);
            (before, ended) = (changes.before, changes.ended);
            done
        });
        for loaded in ended.into_iter().filter_map(|id| partition.load_record(id).ok()) {
            partition.see_end(&loaded, || now);
        }
        let touched = touched?;
        if let Some(journal) = &mut *self.journal() {
            journal.append(&mut before);
        }
        Ok(touched.into_iter().map(|loaded| Item { loaded }).collect())
    }

    /// Changes one object, if its latest state allows the action.
    ///
    /// # Errors
    /// As [`Space::load`], and what `change` answers.
    pub fn change(
        &self,
        id: &str,
        action: Action,
        change: &dyn Fn(&Object, &mut Object) -> Result<()>,
    ) -> Result<Item> {
        let touched = self.write(&mut |changes| {
            let before = changes.object(id, action)?;
            let mut after = before.duplicate();
            change(&before, &mut after)?;
            changes.replace(id, after)
        })?;
        touched.into_iter().next().ok_or(Error::NoSuchObject)
    }

    /// Marks that an object's value was given out. Not waited for: a power failure may make the object look
    /// fresh again, as it would have had it come a moment sooner.
    ///
    /// # Errors
    /// As [`Space::change`].
    pub fn wear(&self, id: &str) -> Result<()> {
        self.write_aside(Durability::Soon, &mut |changes| {
            let mut object = changes.object(id, Action::Read)?;
            object.set(SOFTHSM_RS_FRESH, Value::Bool(false));
            changes.replace(id, object)
        })
    }

    /// The objects that the client sees, that the criteria fit, and that `matches` agrees to, by
    /// identifier; `destroyed` asks for destroyed objects too. The order is stable while nothing changes.
    ///
    /// # Errors
    /// Those of the store.
    pub fn locate(
        &self,
        criteria: &[Criterion],
        destroyed: bool,
        matches: &dyn Fn(&Object) -> bool,
    ) -> Result<Vec<Item>> {
        let mut found = Vec::new();
        for id in self.candidates(Criterion::best(criteria), destroyed)? {
            let loaded = match self.session.partition().load_record(id) {
                Ok(loaded) => loaded,
                // Destroyed by another process since the index was read.
                Err(Error::NoSuchObject) => continue,
                Err(error) => return Err(error),
            };
            let object = loaded.object();
            if self.scope.sees(object) && (destroyed || !locate::is_destroyed(object)) && matches(object) {
                found.push(Item { loaded });
            }
        }
        Ok(found)
    }

    /// The records that the index has for a criterion in what the client sees.
    fn candidates(&self, criterion: &Criterion, destroyed: bool) -> Result<Vec<ObjectId>> {
        let partition = self.session.partition();
        let of = if self.scope.everything { Of::Anybody } else { Of::Owner(&self.scope.owner) };
        let mut fields = Vec::new();
        for dead in [false, true].into_iter().filter(|dead| destroyed || !dead) {
            let theirs = criterion.fields(of, dead);
            if theirs.is_empty() {
                fields = locate::everything(destroyed).collect();
                break;
            }
            fields.extend(theirs);
            fields.extend(criterion.fields(Of::Nobody, dead));
        }
        if !self.scope.everything {
            fields.extend(self.scope.groups.iter().map(|group| locate::shared_field(group)));
        }
        let mut ids = Vec::new();
        for field in fields {
            ids.extend(partition.records_under(&field)?);
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    /// From now on, remembers what changes are to be undone by.
    pub fn remember(&self) {
        *self.journal() = Some(Vec::new());
    }

    /// Undoes the changes since [`Space::remember`], and remembers no more.
    ///
    /// # Errors
    /// Those of the store.
    pub fn undo(&self) -> Result<()> {
        let Some(journal) = self.journal().take().filter(|it| !it.is_empty()) else { return Ok(()) };
        let operation = self.account.take();
        self.session.partition().transact(Durability::Now, &mut |transaction| {
            for before in journal.iter().rev() {
                match &before.object {
                    // An end that was seen meanwhile is not undone.
                    Some(object) => {
                        let mut object = object.duplicate();
                        lifecycle::see(&mut object, lifecycle::now());
                        transaction.restore(before.id, object)?;
                    }
                    None => transaction.remove(before.id)?,
                }
            }
            let touched = journal.iter().map(|before| before.id);
            operation.as_ref().map_or(Ok(()), |operation| operation.record(transaction, touched))
        })?;
        self.account.put(operation.map(|operation| operation.recorded(true)));
        Ok(())
    }

    fn journal(&self) -> std::sync::MutexGuard<'_, Option<Vec<Before>>> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The changes of one transaction, as the client may make them.
pub struct Changes<'a, 'w> {
    transaction: &'a mut Transaction<'w>,
    scope: &'a Scope,
    now: Seconds,
    before: Vec<Before>,
    /// Objects with an end that nobody has seen. It is written down whatever becomes of the changes.
    ended: Vec<ObjectId>,
}

impl Changes<'_, '_> {
    /// The moment of the changes.
    pub fn now(&self) -> Seconds {
        self.now
    }

    /// An object as it is now, if its state allows the action.
    ///
    /// # Errors
    /// As [`Space::load`].
    pub fn object(&mut self, id: &str, action: Action) -> Result<Object> {
        let id = ObjectId::of_text(id).ok_or(Error::NoSuchObject)?;
        let object = self.transaction.object(id)?;
        if !self.scope.sees(&object) {
            return Err(Error::NoSuchObject);
        }
        if lifecycle::first_unseen(&object).is_some_and(|end| end <= self.now) {
            self.ended.push(id);
        }
        lifecycle::check(&object, action, self.now)?;
        Ok(object)
    }

    /// A fresh identifier, for objects that name each other.
    ///
    /// # Errors
    /// [`Error::RandomFailed`].
    pub fn fresh_id(&self) -> Result<String> {
        Ok(ObjectId(crate::rng::array()?).to_string())
    }

    /// Adds an object, which is the client's from now on. `id` is a fresh one.
    ///
    /// # Errors
    /// [`Error::NameNotUnique`]; [`Error::Conflict`] where the identifier is taken; [`Error::ActionProhibited`] for
    /// key material that is brought where import tokens are enforced.
    pub fn insert(&mut self, key: Key, from: Provenance, id: &str) -> Result<()> {
        from.check(key.object(), || Ok(self.transaction.kms().instance()?.policies.access.enforce_token))?;
        let id = ObjectId::of_text(id).ok_or(Error::NoSuchObject)?;
        self.check_names(&Managed::of(key.object()).names, None)?;
        let key = key.amended(|object| {
            object.set(SOFTHSM_RS_OWNER, Value::Bytes(self.scope.owner.clone().into_bytes()));
            share(object, self.scope);
            managed::set_made(object);
            for date in [Date::Initial, Date::LastChange] {
                // An object that comes from elsewhere with its dates keeps them.
                let there = date.of(object);
                date.set(object, Some(there.unwrap_or(self.now)));
            }
        });
        self.transaction.insert(key, Some(id))?;
        self.before.push(Before { id, object: None });
        Ok(())
    }

    /// Replaces an object that [`Changes::object`] gave.
    ///
    /// # Errors
    /// [`Error::NameNotUnique`].
    pub fn replace(&mut self, id: &str, mut after: Object) -> Result<()> {
        let id = ObjectId::of_text(id).ok_or(Error::NoSuchObject)?;
        let before = self.transaction.object(id)?;
        managed::check_not_kept(&before)?;
        let old = Managed::of(&before).names;
        let names: Vec<Name> =
            Managed::of(&after).names.into_iter().filter(|name| !old.contains(name)).collect();
        self.check_names(&names, Some(id))?;
        if before.get(SOFTHSM_RS_OWNER).and_then(Value::as_bytes) == Some(self.scope.owner.as_bytes()) {
            share(&mut after, self.scope);
        }
        Date::LastChange.set(&mut after, Some(self.now));
        self.transaction.replace(id, after)?;
        self.before.push(Before { id, object: Some(before) });
        Ok(())
    }

    /// Destroys an object's value. What its client made keeps its attributes, but for templates, which go
    /// with all that is known of them (KMIP 1.4, section 4.21).
    ///
    /// # Errors
    /// As [`Changes::object`]; [`Error::ActionProhibited`] where CKA_DESTROYABLE says so.
    pub fn destroy(&mut self, id: &str) -> Result<()> {
        let object = self.object(id, Action::Destroy)?;
        if !object.flag(CKA_DESTROYABLE) {
            return Err(Error::ActionProhibited);
        }
        if ObjectType::of(&object) == ObjectType::Template {
            return self.remove(id);
        }
        let after = managed::destroyed(&object, self.now);
        self.replace(id, after)
    }

    /// Takes an object away with all that is known of it.
    ///
    /// # Errors
    /// [`Error::NoSuchObject`], also for objects of others.
    pub fn remove(&mut self, id: &str) -> Result<()> {
        let object = self.object(id, Action::Look)?;
        managed::check_not_kept(&object)?;
        let id = ObjectId::of_text(id).ok_or(Error::NoSuchObject)?;
        self.transaction.remove(id)?;
        self.before.push(Before { id, object: Some(object) });
        Ok(())
    }

    /// Names are unique among the objects of an owner that are not destroyed.
    fn check_names(&mut self, names: &[Name], own: Option<ObjectId>) -> Result<()> {
        for (place, name) in names.iter().enumerate() {
            if names.iter().take(place).any(|earlier| earlier == name) {
                return Err(Error::NameNotUnique);
            }
            for field in Criterion::Name(name.clone()).fields(Of::Owner(&self.scope.owner), false) {
                if self.transaction.under(&field)?.iter().any(|found| Some(*found) != own) {
                    return Err(Error::NameNotUnique);
                }
            }
        }
        Ok(())
    }
}

/// Marks which of an object's groups its owner shares.
fn share(object: &mut Object, scope: &Scope) {
    let mut managed = Managed::of(object);
    let shared: Vec<String> =
        managed.groups.iter().filter(|group| scope.groups.contains(group)).cloned().collect();
    if shared != managed.shared {
        managed.shared = shared;
        managed.put(object);
    }
}
