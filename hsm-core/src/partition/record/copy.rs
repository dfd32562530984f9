//! A partition's record without the master key's part in it, as backups carry it, and back under another one. The
//! wraps of PINs are bound to the space and the role alone, so that PINs stay what they were.

use super::wraps::{context, outer, public_wrap, server_wrap, unwrap_key, wrap_key};
use super::{PartitionRecord, PinRecord, PinWrap};
use crate::backup::{PinCopy, TokenCopy};
use crate::error::{Error, Result};
use crate::session::Role;
use crate::store::{PartitionId, RecordId};
use crate::unit::ActiveUnit;

impl PartitionRecord {
    /// What a backup keeps of the record.
    ///
    /// # Errors
    /// [`Error::RecordDamaged`] if a wrap does not open.
    pub(crate) fn copy(&self, token: RecordId, unit: &ActiveUnit) -> Result<TokenCopy> {
        let space = self.space;
        let damaged = || Error::RecordDamaged { what: format!("the key of partition {space}") };
        let public = unwrap_key(&public_wrap(space, unit), &space.0, &self.public_key).ok_or_else(damaged)?;
        let server = match self.opens_for_server() {
            true => Some(self.unwrap_for_server(unit)?.expose().to_vec()),
            false => None,
        };
        let pin = |role| self.pin(role).map(|pin| pin.opened(space, role, unit)).transpose();
        Ok(TokenCopy {
            token: token.0,
            space: space.0,
            label: self.label,
            serial: self.serial,
            public_key: public.expose().to_vec(),
            server_key: server,
            so: pin(Role::So)?.as_ref().map(copy_of),
            user: pin(Role::User)?.as_ref().map(copy_of),
        })
    }

    /// The record of a copy, under this master key and at this place in the list.
    pub(crate) fn of_copy(copy: &TokenCopy, number: u64, unit: &ActiveUnit) -> Result<PartitionRecord> {
        let space = PartitionId(copy.space);
        let pin = |role, pin: Option<&PinCopy>| {
            let under = |pin: &PinCopy| {
                let wrap = outer(space, role, unit);
                let wrapped = wrap_key(&wrap, &context(space, role), &pin.wrapped)?;
                let PinCopy { salt, memory_kib, passes, .. } = *pin;
                Ok::<_, Error>(PinRecord { salt, memory_kib, passes, wrapped })
            };
            pin.map(under).transpose()
        };
        let server = copy.server_key.as_ref();
        Ok(PartitionRecord {
            number,
            space,
            label: copy.label,
            serial: copy.serial,
            public_key: wrap_key(&public_wrap(space, unit), &space.0, &copy.public_key)?,
            so: pin(Role::So, copy.so.as_ref())?,
            user: pin(Role::User, copy.user.as_ref())?,
            server: server.map(|key| wrap_key(&server_wrap(space, unit), &space.0, key)).transpose()?,
            next: None,
        })
    }
}

fn copy_of(pin: &PinWrap) -> PinCopy {
    let PinRecord { salt, memory_kib, passes, ref wrapped } = pin.pin;
    PinCopy { salt, memory_kib, passes, wrapped: wrapped.clone() }
}
