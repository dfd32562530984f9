//! What a new partition, or one that is initialised anew, begins with.

use super::record::{FreshKeys, Opener, PartitionRecord, PinWrap};
use super::{directory, half, pins};
use crate::error::Result;
use crate::rng;
use crate::session::Role;
use crate::store::seal::SealKey;
use crate::store::{PartitionId, RecordId, Writer};
use crate::unit::ActiveUnit;

/// What a new space begins with. Its PIN's key is derived before the transaction, which others wait for.
pub(super) struct Fresh {
    pub space: PartitionId,
    pub keys: FreshKeys,
    pub opener: Opener,
}

impl Fresh {
    /// Opened by the SO's PIN, or, without one, by the master key.
    pub(super) fn new(so_pin: Option<&[u8]>) -> Result<Fresh> {
        let (space, keys) = (PartitionId(rng::array()?), FreshKeys::new()?);
        let opener = match so_pin {
            Some(pin) => Opener::SoPin(PinWrap::new(space, Role::So, pin, keys.private.expose())?),
            None => Opener::MasterKey,
        };
        Ok(Fresh { space, keys, opener })
    }

    pub(super) fn begin(&self, writer: &mut dyn Writer) -> Result<()> {
        let public = SealKey::new(self.keys.public.expose())?;
        let private = SealKey::new(self.keys.private.expose())?;
        half::begin(self.space, &public, &private, writer)
    }
}

/// A partition that is about to be made.
pub(super) struct Draft {
    pub token: RecordId,
    label: [u8; 32],
    fresh: Fresh,
}

impl Draft {
    pub(super) fn new(label: &[u8; 32], so_pin: Option<&[u8]>) -> Result<Draft> {
        Ok(Draft { token: RecordId(rng::array()?), label: *label, fresh: Fresh::new(so_pin)? })
    }

    /// Puts it behind the others.
    pub(super) fn insert(
        &self,
        writer: &mut dyn Writer,
        unit: &ActiveUnit,
        others: &[(RecordId, PartitionRecord)],
    ) -> Result<()> {
        let number = others.iter().map(|(_, other)| other.number).max().unwrap_or(0) + 1;
        let Fresh { space, keys, opener } = &self.fresh;
        let record = PartitionRecord::new(number, &self.label, *space, opener, keys, unit)?;
        directory::put(writer, unit, self.token, 0, &record)?;
        directory::list(writer, unit, self.token)?;
        self.fresh.begin(writer)?;
        pins::begin_counters(unit, self.token, writer)
    }
}
