//! An object as a client of a server holds it between two calls.

use std::sync::Arc;

use cryptoki_sys::CKA_UNIQUE_ID;

use crate::object::Object;
use crate::object::material::Key;
use crate::partition::Loaded;

/// An object that a client sees.
#[derive(Clone)]
pub struct Item {
    pub(super) loaded: Arc<Loaded>,
}

impl Item {
    /// Its unique identifier (CKA_UNIQUE_ID).
    pub fn id(&self) -> String {
        String::from_utf8_lossy(self.object().bytes(CKA_UNIQUE_ID)).into_owned()
    }

    /// Its attributes.
    pub fn object(&self) -> &Object {
        self.loaded.object()
    }

    /// It as a key.
    pub fn key(&self) -> &Arc<Key> {
        &self.loaded.key
    }
}
