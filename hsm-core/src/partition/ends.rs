//! Writing down that a key has ended, so that a clock which is set back does not bring it back. Whoever loads an object
//! to use it asks: that is a look at one number of the object, which is no moment at all where the object has no end,
//! and only whoever finds an end that nobody has seen writes, once, in the object's own record. What stands against
//! the writing refuses nothing: what is asked for is decided by the clock.

use std::sync::atomic::Ordering;

use super::handles::Identity;
use super::objects::Loaded;
use super::transaction::{Durability, Transaction};
use super::{Named, Partition};
use crate::error::{Error, Result};
use crate::kms::KeyId;
use crate::object::lifecycle::{self, Seconds};
use crate::object::managed::KmsMark;
use crate::object::{Object, locate};

/// No end is to be seen.
const NEVER: Seconds = Seconds::MAX;
/// After how many seconds a process tries again to write what could not be written.
const AGAIN: Seconds = 60;

/// From when on an object has an end to be written down.
pub(super) fn of(object: &Object) -> Seconds {
    lifecycle::first_unseen(object).unwrap_or(NEVER)
}

impl Partition {
    /// Writes down that an end of an object has come by now, if one has that nobody has seen. Durable when this returns,
    /// or told in the log.
    pub(crate) fn see_end(&self, loaded: &Loaded, now: impl FnOnce() -> Seconds) {
        let ends = loaded.ends.load(Ordering::Relaxed);
        if ends == NEVER {
            return;
        }
        let now = now();
        let is_mine = || {
            let next = now.saturating_add(AGAIN);
            loaded.ends.compare_exchange(ends, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        };
        if ends > now || !is_mine() {
            return;
        }
        if let Err(error) = self.write_end(loaded, now) {
            log::warn!("it was not written down that a key has ended: {error}");
        }
    }

    fn write_end(&self, loaded: &Loaded, now: Seconds) -> Result<()> {
        let Named { identity, private } = loaded.named();
        match identity {
            Identity::Token(id) if KmsMark::of(loaded.object()).is_some() => {
                self.see_kms_end(KeyId(id.0), now)
            }
            Identity::Token(id) => {
                let half = self.half(private)?;
                self.hsm()?.store()?.write(half.space, &mut |writer| {
                    let Some((before, revision)) = half.get(writer, id)? else { return Ok(()) };
                    let mut after = before.duplicate();
                    // Somebody else may have been faster.
                    if !locate::is_destroyed(&before) && lifecycle::see(&mut after, now) {
                        half.replace(writer, id, revision, &before, &after)?;
                    }
                    Ok(())
                })
            }
            Identity::Session(number) => self.change_session(number, &|object| {
                let mut after = object.duplicate();
                lifecycle::see(&mut after, now);
                Ok(after)
            }),
            // It ends in a record of its own (`import_token`).
            Identity::ImportToken { .. } | Identity::Profile(_) => Ok(()),
        }
    }

    /// Writes down that a key of the key management service has expired by now, if it has and nobody did: in what is
    /// known of it and in its object.
    pub(crate) fn see_kms_end(&self, key: KeyId, now: Seconds) -> Result<()> {
        self.transact(Durability::Now, &mut |transaction| transaction.see_kms_end(key, now)).map(drop)
    }
}

impl Transaction<'_> {
    fn see_kms_end(&mut self, key: KeyId, now: Seconds) -> Result<()> {
        let Some(before) = self.kms().key(key)? else { return Ok(()) };
        let mut after = before.clone();
        if after.see_expiration(now) {
            self.put_kms_key(Some(&before), &after)?;
        }
        // The object of a deleted key learns of it when it is brought back.
        let mut object = match self.object(key.into()) {
            Err(Error::NoSuchObject) if before.deletion.is_some() => return Ok(()),
            found => found?,
        };
        if lifecycle::see(&mut object, now) { self.replace(key.into(), object) } else { Ok(()) }
    }
}
