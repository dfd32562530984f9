//! Object handles: numbers that one process gives to objects, the same one for the same object for
//! as long as it may be seen.

use std::collections::HashMap;

use crate::import_token::Id;
use crate::store::RecordId;

/// A handle of an object. Never 0; not reused within a process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ObjectHandle(pub u64);

/// Which object a handle leads to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Identity {
    /// A record of the store.
    Token(RecordId),
    /// An object of one of this process's sessions, by its number.
    Session(u64),
    /// A key of the import token of this identifier, which is in no store as an object.
    ImportToken {
        /// Which token.
        id: Id,
        /// Whether it is its private key.
        private: bool,
    },
    /// The object of a profile, by its number; it is in no store.
    Profile(u64),
}

impl Identity {
    /// The record of a token's object.
    pub(crate) fn record(self) -> Option<RecordId> {
        match self {
            Identity::Token(id) => Some(id),
            Identity::Session(_) | Identity::ImportToken { .. } | Identity::Profile(_) => None,
        }
    }
}

/// What a handle stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Named {
    pub identity: Identity,
    pub private: bool,
}

#[derive(Default)]
pub(crate) struct Handles {
    last: u64,
    objects: HashMap<ObjectHandle, Named>,
    handles: HashMap<Identity, ObjectHandle>,
}

impl Handles {
    /// The handle of an object: the one it has, or a new one.
    pub(crate) fn name(&mut self, named: Named) -> ObjectHandle {
        if let Some(handle) = self.handles.get(&named.identity) {
            return *handle;
        }
        self.last += 1;
        let handle = ObjectHandle(self.last);
        self.handles.insert(named.identity, handle);
        self.objects.insert(handle, named);
        handle
    }

    /// The handle that an object has already.
    pub(crate) fn known(&self, identity: Identity) -> Option<ObjectHandle> {
        self.handles.get(&identity).copied()
    }

    /// What a handle stands for.
    pub(crate) fn named(&self, handle: ObjectHandle) -> Option<Named> {
        self.objects.get(&handle).copied()
    }

    /// Ends the handle of an object that is gone.
    pub(crate) fn forget(&mut self, identity: Identity) {
        if let Some(handle) = self.handles.remove(&identity) {
            self.objects.remove(&handle);
        }
    }

    /// Ends the handles of private objects. Numbers go on from where they were, so that none of them
    /// comes to mean another object.
    pub(crate) fn forget_private(&mut self) {
        self.objects.retain(|_, named| !named.private);
        let objects = &self.objects;
        self.handles.retain(|_, handle| objects.contains_key(handle));
    }

    /// Ends all handles.
    pub(crate) fn clear(&mut self) {
        self.objects.clear();
        self.handles.clear();
    }
}
