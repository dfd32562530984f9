//! Which calls are uses of a token's keys, for the audit log: operations with a key as [`active`](super::active) runs
//! them, and the calls of `service` that use a key at once. A use is noted once: when it first gives anything out, or
//! ends, or is refused. What asks for a length, or has too small a buffer, uses nothing. Keys of sessions alone have
//! no name that would mean anything to a reader of the log.

use super::Session;
use crate::audit::{Activity, ObjectId, acts};
use crate::error::{Error, Result};
use crate::mechanism::table::Function;
use crate::partition::{Loaded, ObjectHandle};

/// The keys of the token that a use is of: the one that matters, and one that it is used with. None of a use that is
/// not recorded.
pub(crate) type Used = [Option<ObjectId>; 2];

/// A use of a function's key.
pub(super) const fn act(function: Function) -> Option<Activity> {
    match function {
        Function::Sign => Some(acts::SIGN),
        Function::SignRecover => Some(acts::SIGN_RECOVER),
        Function::Verify => Some(acts::VERIFY),
        Function::VerifyRecover => Some(acts::VERIFY_RECOVER),
        Function::Encrypt => Some(acts::ENCRYPT),
        Function::Decrypt => Some(acts::DECRYPT),
        Function::Wrap => Some(acts::WRAP),
        Function::Unwrap => Some(acts::UNWRAP),
        Function::Derive => Some(acts::DERIVE),
        Function::Encapsulate => Some(acts::ENCAPSULATE),
        Function::Decapsulate => Some(acts::DECAPSULATE),
        // Without a key, and what makes one.
        Function::Digest | Function::Generate | Function::GenerateKeyPair => None,
    }
}

impl Session {
    /// The keys of a use that is about to be tried, by their handles: they may be gone when it is over.
    pub(crate) fn used(&self, key: ObjectHandle, with: Option<ObjectHandle>) -> Used {
        if !self.records_uses {
            return [None; 2];
        }
        let record = |handle| self.partition.named(handle).ok().and_then(|named| named.identity.record());
        [record(key), with.and_then(record)]
    }

    /// The same of a key that is at hand.
    pub(crate) fn used_key(&self, key: &Loaded) -> Used {
        [key.identity.record().filter(|_| self.records_uses), None]
    }

    /// Takes note of what a use came to, and answers that. What was done is answered as failed if it could not be
    /// recorded and had to be; what was refused stays refused.
    pub(crate) fn noted<R>(&self, act: Activity, keys: Used, done: Result<R>) -> Result<R> {
        if keys == [None; 2] || matches!(done, Err(Error::BufferTooSmall { .. })) {
            return done;
        }
        match (self.partition.note_use(act, keys, done.as_ref().err()), done) {
            (Ok(()), done) => done,
            (Err(error), Ok(_)) => Err(error),
            (Err(error), Err(refusal)) => {
                log::error!("a refused use of a key was not recorded: {error}");
                Err(refusal)
            }
        }
    }
}
