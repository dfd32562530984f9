//! A partition's objects: read from the store and kept unsealed in a bounded cache, written back in
//! one transaction, found through the sealed index (`half`). Objects of sessions live in memory alone.
//!
//! A cached object is used only after the partition's change counter was seen unchanged since it was
//! last compared with the store; when the counter moved, its revision is compared again.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};

use cryptoki_sys::*;
use lru::LruCache;

use super::half::Half;
use super::handles::{Identity, Named};
use super::{Partition, ends, locked};
use crate::audit::Activity;
use crate::error::{Error, Result};
use crate::object::lifecycle;
use crate::object::managed::{self, Date};
use crate::object::material::Key;
use crate::object::{Object, Value};
use crate::rng;
use crate::session::{LoginState, Session};
use crate::store::{PartitionId, RecordId, Writer};

/// How many unsealed objects a process keeps for each partition.
const CACHED: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// A change counter that no store gives: nothing was compared yet.
const NEVER: u64 = u64::MAX;

/// An object in this process, unsealed and perhaps prepared.
pub(crate) struct Loaded {
    pub identity: Identity,
    pub key: Arc<Key>,
    /// Where it was read from; the partition's space is another one when it was initialised anew.
    space: PartitionId,
    revision: u64,
    /// The change counter at which the revision was last compared with the store.
    checked: AtomicU64,
    /// From when on there is an end to be written down (`ends`).
    pub(super) ends: AtomicI64,
}

impl Loaded {
    pub(crate) fn object(&self) -> &Object {
        self.key.object()
    }

    /// An object as a record has it, in this space and revision.
    fn stored(id: RecordId, key: Key, (space, revision): (PartitionId, u64)) -> Loaded {
        Loaded { revision, ..Loaded::apart(Identity::Token(id), key, space) }
    }

    /// An object that is in no store.
    pub(super) fn apart(identity: Identity, key: Key, space: PartitionId) -> Loaded {
        let ends = AtomicI64::new(ends::of(key.object()));
        let (key, checked) = (Arc::new(key), AtomicU64::new(NEVER));
        Loaded { identity, key, space, revision: 0, checked, ends }
    }

    /// Whether it is a key of the import token.
    pub(crate) fn is_import_token(&self) -> bool {
        matches!(self.identity, Identity::ImportToken { .. })
    }

    pub(crate) fn named(&self) -> Named {
        Named { identity: self.identity, private: self.object().is_private() }
    }
}

/// Unsealed token objects.
pub(crate) struct Cache(LruCache<RecordId, Arc<Loaded>>);

impl Default for Cache {
    fn default() -> Cache {
        // Unbounded inside, bounded at `keep`: `LruCache::new` would take its full size at once.
        Cache(LruCache::unbounded())
    }
}

impl Cache {
    fn keep(&mut self, id: RecordId, loaded: Arc<Loaded>) {
        self.0.put(id, loaded);
        if self.0.len() > CACHED.get() {
            self.0.pop_lru();
        }
    }

    pub(crate) fn forget_private(&mut self) {
        let private: Vec<_> =
            self.0.iter().filter(|(_, loaded)| loaded.object().is_private()).map(|(id, _)| *id).collect();
        for id in private {
            self.0.pop(&id);
        }
    }
}

/// Objects of this process's sessions.
#[derive(Default)]
pub(crate) struct SessionObjects {
    last: u64,
    /// With the place of the session that each belongs to.
    pub(super) objects: BTreeMap<u64, (usize, Arc<Loaded>)>,
}

impl SessionObjects {
    pub(crate) fn forget_private(&mut self) {
        self.objects.retain(|_, (_, loaded)| !loaded.object().is_private());
    }
}

impl Partition {
    pub(super) fn half(&self, private: bool) -> Result<Half> {
        self.check_unit()?;
        let key = if private { self.private_key()? } else { self.public_key()? };
        Ok(Half { space: self.space(), private, key })
    }

    /// A cached token object that nothing has changed since it was compared with the store. Whatever else
    /// every use of every key would look at here, all threads would write to: private objects are in the
    /// cache only while the user is logged in, and a space that was given up has no counter.
    pub(super) fn current(&self, id: RecordId) -> Result<Option<Arc<Loaded>>> {
        let Some(loaded) = locked(&self.cache).0.get(&id).cloned() else { return Ok(None) };
        let generation = self.hsm()?.store()?.generation(loaded.space)?;
        Ok((generation == Some(loaded.checked.load(Ordering::Acquire))).then_some(loaded))
    }

    /// A token object by its record, from the cache or the store.
    pub(super) fn load_token(&self, id: RecordId, private: bool) -> Result<Arc<Loaded>> {
        if let Some(loaded) = self.current(id)?
            && loaded.object().is_private() == private
        {
            return Ok(loaded);
        }
        let half = self.half(private)?;
        let hsm = self.hsm()?;
        let store = hsm.store()?;
        // Read before the record: a change in between is then seen at the next use.
        let generation = store.generation(half.space)?;
        let cached = locked(&self.cache).0.get(&id).cloned().filter(|loaded| loaded.space == half.space);
        let mut found = None;
        store.read(&mut |reader| {
            found = match &cached {
                Some(loaded) if reader.revision(half.space, id)? == Some(loaded.revision) => {
                    Some(loaded.clone())
                }
                _ => half.get(reader, id)?.map(|(object, revision)| {
                    Arc::new(Loaded::stored(id, Key::new(object), (half.space, revision)))
                }),
            };
            Ok(())
        })?;
        let Some(loaded) = found else {
            self.forget_identity(Identity::Token(id));
            return Err(Error::NoSuchObject);
        };
        loaded.checked.store(generation.unwrap_or(NEVER), Ordering::Release);
        self.keep(id, &loaded);
        Ok(loaded)
    }

    /// Caches an object, unless the login that unsealed it has ended meanwhile.
    fn keep(&self, id: RecordId, loaded: &Arc<Loaded>) {
        let login = self.login.read().unwrap_or_else(PoisonError::into_inner);
        if !loaded.object().is_private() || matches!(*login, super::Login::User(_)) {
            locked(&self.cache).keep(id, loaded.clone());
        }
    }

    /// An object by what a handle stands for.
    pub(crate) fn load(&self, named: Named) -> Result<Arc<Loaded>> {
        match named.identity {
            Identity::Token(id) => self.load_token(id, named.private),
            Identity::ImportToken { id, private } => self.import_token_key(id, private, lifecycle::now()),
            Identity::Profile(profile) => self.profile(profile),
            Identity::Session(number) => self
                .session_objects
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .objects
                .get(&number)
                .map(|(_, loaded)| loaded.clone())
                .ok_or(Error::NoSuchObject),
        }
    }

    /// Puts new token objects into the store, all of them or none, with the event of the act that made them.
    pub(crate) fn insert_token(&self, keys: Vec<Key>, act: Activity) -> Result<Vec<Arc<Loaded>>> {
        let mut note = self.note(act)?;
        let mut fresh = Vec::with_capacity(keys.len());
        for key in keys {
            let id = RecordId(rng::array()?);
            let half = self.half(key.object().is_private())?;
            note.about(id);
            fresh.push((id, half, key.with_unique_id(id.to_string()).amended(managed::stamp)));
        }
        let space = self.space();
        self.hsm()?.store()?.write(space, &mut |writer| {
            insert_all(writer, &fresh)?;
            note.append(writer)
        })?;
        Ok(fresh.into_iter().map(|(id, _, key)| self.remember(id, key, (space, 1))).collect())
    }

    /// Adds an object of one session, unless that has ended meanwhile, or the login that the object
    /// needs: nobody would drop it.
    pub(crate) fn insert_session(&self, session: &Session, key: Key) -> Result<Arc<Loaded>> {
        let unique: [u8; 16] = rng::array()?;
        let key = key.with_unique_id(hex::encode(unique));
        let mut objects = self.session_objects.write().unwrap_or_else(PoisonError::into_inner);
        if session.is_closed() {
            return Err(Error::NoSuchSession);
        }
        if key.object().is_private() && self.login_state() != LoginState::User {
            return Err(Error::NotLoggedIn);
        }
        let place = session.place();
        objects.last += 1;
        let number = objects.last;
        let loaded = session_object(self.space(), number, key);
        objects.objects.insert(number, (place, loaded.clone()));
        Ok(loaded)
    }

    /// Replaces an object by what `change` makes of its latest state. Another process's change in
    /// between is seen, and `change` is asked again.
    pub(crate) fn change(
        &self,
        named: Named,
        act: Activity,
        change: &dyn Fn(&Object) -> Result<Object>,
    ) -> Result<()> {
        let id = match named.identity {
            Identity::Token(id) => id,
            Identity::Session(number) => return self.change_session(number, change),
            Identity::ImportToken { .. } | Identity::Profile(_) => return Err(Error::ActionProhibited),
        };
        let (half, note) = (self.half(named.private)?, self.note_about(act, id)?);
        self.hsm()?.store()?.write(half.space, &mut |writer| {
            let (before, revision) = half.get(writer, id)?.ok_or(Error::NoSuchObject)?;
            let mut after = change(&before)?;
            Date::LastChange.set(&mut after, Some(lifecycle::now()));
            half.replace(writer, id, revision, &before, &after)?;
            note.append(writer)
        })
    }

    pub(super) fn change_session(
        &self,
        number: u64,
        change: &dyn Fn(&Object) -> Result<Object>,
    ) -> Result<()> {
        let mut objects = self.session_objects.write().unwrap_or_else(PoisonError::into_inner);
        let (_, loaded) = objects.objects.get_mut(&number).ok_or(Error::NoSuchObject)?;
        let after = change(loaded.object())?;
        *loaded = session_object(loaded.space, number, Key::new(after));
        Ok(())
    }

    /// Destroys an object, if `allow` finds nothing against it in its latest state.
    pub(crate) fn destroy(
        &self,
        named: Named,
        act: Activity,
        allow: &dyn Fn(&Object) -> Result<()>,
    ) -> Result<()> {
        match named.identity {
            Identity::Token(id) => {
                let (half, note) = (self.half(named.private)?, self.note_about(act, id)?);
                self.hsm()?.store()?.write(half.space, &mut |writer| {
                    let (object, revision) = half.get(writer, id)?.ok_or(Error::NoSuchObject)?;
                    allow(&object)?;
                    half.remove(writer, id, revision, &object)?;
                    note.append(writer)
                })?;
            }
            Identity::Session(number) => {
                let mut objects = self.session_objects.write().unwrap_or_else(PoisonError::into_inner);
                let (_, loaded) = objects.objects.get(&number).ok_or(Error::NoSuchObject)?;
                allow(loaded.object())?;
                objects.objects.remove(&number);
            }
            Identity::ImportToken { .. } | Identity::Profile(_) => return Err(Error::ActionProhibited),
        }
        self.forget_identity(named.identity);
        Ok(())
    }

    /// Keeps an object that was just written, as it is in the store.
    pub(super) fn remember(&self, id: RecordId, key: Key, place: (PartitionId, u64)) -> Arc<Loaded> {
        let loaded = Arc::new(Loaded::stored(id, key, place));
        self.keep(id, &loaded);
        loaded
    }

    /// Ends what this process holds of an object.
    pub(crate) fn forget_object(&self, named: Named) {
        self.forget_identity(named.identity);
    }

    /// Ends what this process holds of a record.
    pub(super) fn forget_record(&self, id: RecordId) {
        self.forget_identity(Identity::Token(id));
    }

    /// Whether a cached object is private; `None` where it is not in the cache.
    pub(super) fn cached_half(&self, id: RecordId) -> Option<bool> {
        locked(&self.cache).0.peek(&id).map(|loaded| loaded.object().is_private())
    }

    /// Ends what this process holds of an object that is gone.
    fn forget_identity(&self, identity: Identity) {
        if let Identity::Token(id) = identity {
            locked(&self.cache).0.pop(&id);
        }
        self.handles.write().unwrap_or_else(PoisonError::into_inner).forget(identity);
    }

    /// Drops the objects of the session at a place.
    pub(crate) fn drop_session_objects(&self, place: usize) {
        let mut objects = self.session_objects.write().unwrap_or_else(PoisonError::into_inner);
        if objects.objects.is_empty() {
            return;
        }
        let mut handles = self.handles.write().unwrap_or_else(PoisonError::into_inner);
        objects.objects.retain(|number, (owner, _)| {
            let stays = place != *owner;
            if !stays {
                handles.forget(Identity::Session(*number));
            }
            stays
        });
    }
}

/// Puts new objects into the store, all in the caller's transaction.
pub(super) fn insert_all(writer: &mut dyn Writer, fresh: &[(RecordId, Half, Key)]) -> Result<()> {
    fresh.iter().try_for_each(|(id, half, key)| half.insert(writer, *id, key.object()).map(drop))
}

fn session_object(space: PartitionId, number: u64, key: Key) -> Arc<Loaded> {
    Arc::new(Loaded::apart(Identity::Session(number), key, space))
}

impl Key {
    /// The key with its CKA_UNIQUE_ID. PKCS #11 3.2, section 4.4.1.
    pub(super) fn with_unique_id(self, id: String) -> Key {
        self.with(CKA_UNIQUE_ID, Value::Bytes(id.into_bytes()))
    }
}
