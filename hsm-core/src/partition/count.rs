//! The counters that keys of one-time passwords have inside: no two passwords of a key are made of one value,
//! whichever process asks, and none is taken twice.

use std::cell::Cell;

use super::handles::Identity;
use super::{Named, Partition};
use crate::error::{Error, Result};
use crate::object::{Object, otp};

impl Partition {
    /// Moves the counter of a key on. `choose` says of its latest value which one is used, and the one after that is
    /// kept, on the disk before this returns. The value used.
    ///
    /// # Errors
    /// Those of `choose`, after which nothing has changed; [`Error::UsageLimitExceeded`] after the last value.
    pub(crate) fn count(&self, named: Named, choose: &dyn Fn(u64) -> Result<u64>) -> Result<u64> {
        let used = Cell::new(0);
        let moved_on = |object: &Object| {
            used.set(choose(otp::counter(object)?)?);
            let mut after = object.duplicate();
            otp::put_counter(&mut after, used.get().checked_add(1).ok_or(Error::UsageLimitExceeded)?);
            Ok(after)
        };
        match named.identity {
            Identity::Token(id) => {
                let half = self.half(named.private)?;
                self.hsm()?.store()?.write(half.space, &mut |writer| {
                    let (before, revision) = half.get(writer, id)?.ok_or(Error::NoSuchObject)?;
                    half.replace(writer, id, revision, &before, &moved_on(&before)?).map(drop)
                })?;
            }
            Identity::Session(number) => self.change_session(number, &moved_on)?,
            Identity::ImportToken { .. } | Identity::Profile(_) => return Err(Error::ActionProhibited),
        }
        Ok(used.get())
    }
}
