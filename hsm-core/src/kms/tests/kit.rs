//! Keys to test with.

use crate::kms::{Actor, Description, KeyId, KeyRecord, Kind};
use crate::object::lifecycle::Seconds;

pub(super) const NOW: Seconds = 1_700_000_000;

pub(super) fn actor(id: &str) -> Actor {
    Actor { id: id.to_owned(), name: format!("{id}'s name") }
}

/// An identifier for tests.
pub(super) fn id(number: u8) -> KeyId {
    KeyId([number; 16])
}

/// A key that is made now, of what is said.
pub(super) fn said(said: Description, imported: bool) -> KeyRecord {
    KeyRecord::new(said, (imported, 32), (id(1), id(2)), &actor("alice"), NOW)
}

/// A generated key.
pub(super) fn key(kind: Kind) -> KeyRecord {
    said(Description::new(kind, "a key"), false)
}

/// A generated root key that expires.
pub(super) fn expiring(at: Seconds) -> KeyRecord {
    said(Description { expiration: Some(at), ..Description::new(Kind::Root, "a key") }, false)
}
