//! What time does to keys, done by whoever runs for long: rotation by policy, the end of keys that were deleted, and
//! that it is written down which have expired.

use std::sync::Arc;

use super::Caller;
use crate::audit::Trail;
use crate::error::Result;
use crate::kms::{Actor, KeyId};
use crate::object::lifecycle;
use crate::session::Session;

/// How many keys are rotated or erased at once: what is left waits for the next time. Each is a durable transaction, and
/// all of them together take no more than some seconds on a slow disk.
const AT_ONCE: usize = 10;

/// Keys that time has done something to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Kept {
    /// They have a new version.
    pub rotated: Vec<KeyId>,
    /// They are gone for good.
    pub purged: Vec<KeyId>,
    /// They have expired, which is written down now.
    pub expired: Vec<KeyId>,
    /// Whether there may be more to do.
    pub more: bool,
}

impl Session {
    /// Rotates the keys of the partition whose policies say so, erases those that were deleted longer ago than
    /// the partition keeps them, and writes down which have expired; not more than ten of each. What keeps one of them from that does not keep the others. To
    /// be called from time to time by a server.
    ///
    /// # Errors
    /// Those of the session's rights and of the store.
    pub fn keep_kms_keys(&self, trail: Option<Arc<Trail>>) -> Result<Kept> {
        let actor = Actor { id: "policy".into(), name: "policy".into() };
        let kms = self.kms(Caller { actor, now: lifecycle::now(), trail, host: None });
        // What is wrong with the one is no reason to leave the other.
        let expired = kms.expire_due(AT_ONCE);
        let (rotated, purged) = (kms.rotate_due(AT_ONCE), kms.purge_some(AT_ONCE));
        let (expired, rotated, (purged, marked)) = (expired?, rotated?, purged?);
        let more = [expired.len(), rotated.len(), purged.len(), marked].contains(&AT_ONCE);
        Ok(Kept { rotated, purged, expired, more })
    }
}
