//! A partition's wraps under the master key that waits for set-immediate, beside those under the current one.
//! They hold whatever the current master key opens of the partition, and have a MAC under the new one, so that
//! from set-immediate on that key alone is enough, even if the process that began it dies.

use serde::{Deserialize, Serialize};

use super::wraps::{context, counters_secret, outer, public_wrap, server_wrap, unwrap_key, wrap_key};
use super::{MAC_LEN, PartitionRecord, PinRecord, damaged, is_mac};
use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::session::Role;
use crate::store::RecordId;
use crate::unit::ActiveUnit;

/// The wraps of one partition.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Next {
    public_key: Vec<u8>,
    so: Option<Vec<u8>>,
    user: Option<Vec<u8>>,
    server: Option<Vec<u8>>,
    /// What the counters of wrong tries are sealed with under the current master key.
    counters: Vec<u8>,
}

impl Next {
    /// Wraps what the unit's current master key opens under the next one.
    ///
    /// # Errors
    /// [`Error::RecordDamaged`] if it does not open.
    pub(super) fn of(
        record: &PartitionRecord,
        token: RecordId,
        unit: &ActiveUnit,
        next: &ActiveUnit,
    ) -> Result<Next> {
        let space = record.space;
        let rewrap = |wrap: &dyn Fn(&ActiveUnit) -> Secret, context: &[u8], wrapped: &[u8]| {
            let key = unwrap_key(&wrap(unit), context, wrapped).ok_or_else(|| damaged(token))?;
            wrap_key(&wrap(next), context, key.expose())
        };
        let pin = |role, pin: Option<&PinRecord>| {
            let wrap = |unit: &ActiveUnit| outer(space, role, unit);
            pin.map(|pin| rewrap(&wrap, &context(space, role), &pin.wrapped)).transpose()
        };
        let server = record.server.as_deref();
        Ok(Next {
            public_key: rewrap(&|unit| public_wrap(space, unit), &space.0, &record.public_key)?,
            so: pin(Role::So, record.so.as_ref())?,
            user: pin(Role::User, record.user.as_ref())?,
            server: server.map(|key| rewrap(&|unit| server_wrap(space, unit), &space.0, key)).transpose()?,
            counters: wrap_key(&counters_wrap(token, next), &token.0, counters_secret(token, unit).expose())?,
        })
    }
}

/// The new master key's wrap of what seals the counters until set-immediate.
fn counters_wrap(token: RecordId, next: &ActiveUnit) -> Secret {
    next.derive(b"PIN counters of the key before", &token.0)
}

/// A record with wraps for a new master key, as that key alone opens it.
pub(crate) struct Prepared {
    /// As it is to be kept from set-immediate on.
    pub record: PartitionRecord,
    /// What the counters of wrong tries are sealed with until then.
    pub counters: Secret,
}

impl PartitionRecord {
    /// What the record's bytes hold for a new master key; `None` where there is nothing for this one.
    ///
    /// # Errors
    /// [`Error::RecordDamaged`] for bytes that are no record.
    pub(crate) fn prepared(
        token: RecordId,
        revision: u64,
        next: &ActiveUnit,
        bytes: &[u8],
    ) -> Result<Option<Prepared>> {
        let damaged = || damaged(token);
        let (signed, _) = bytes.split_last_chunk::<MAC_LEN>().ok_or_else(damaged)?;
        let (record, found) = PartitionRecord::parse(signed).ok_or_else(damaged)?;
        let (Some(_), Ok(found)) = (&record.next, <&[u8; MAC_LEN]>::try_from(found)) else { return Ok(None) };
        let body = signed.get(..signed.len() - MAC_LEN).unwrap_or_default();
        if !is_mac(token, revision, next, body, found)? {
            return Ok(None);
        }
        record.adopt(token, next).map(Some)
    }

    fn adopt(mut self, token: RecordId, next: &ActiveUnit) -> Result<Prepared> {
        let wraps = self.next.take().ok_or_else(|| damaged(token))?;
        let counters =
            unwrap_key(&counters_wrap(token, next), &token.0, &wraps.counters).ok_or_else(|| {
                Error::RecordDamaged { what: format!("the PIN counters' key of partition {token}") }
            })?;
        self.public_key = wraps.public_key;
        self.server = wraps.server;
        for (pin, wrapped) in [(&mut self.so, wraps.so), (&mut self.user, wraps.user)] {
            if let (Some(pin), Some(wrapped)) = (pin, wrapped) {
                pin.wrapped = wrapped;
            }
        }
        Ok(Prepared { record: self, counters })
    }
}
