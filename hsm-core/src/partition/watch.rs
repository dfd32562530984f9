//! A partition that is in use looks at the crypto unit: no key is served without a master key, and none of a store that
//! the master key does not open. Whoever reads the store comes by here, and every change of the master key makes
//! everybody read the store, by moving the change counters of all partitions.

use std::sync::{Arc, PoisonError};

use super::objects::Cache;
use super::{Partition, locked};
use crate::error::{Error, Result};
use crate::hsm::Hsm;
use crate::store::PartitionId;

/// When the unit was looked at, and what it was.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct UnitSeen {
    /// The change counter of the HSM's own space, which moves with every change of the master key.
    generation: u64,
    /// The epoch of the master key.
    epoch: u64,
}

impl Partition {
    /// Looks at the unit, if something of the HSM changed since. Under another master key nothing stays unsealed but
    /// the login, which nobody could give back without the PIN.
    ///
    /// # Errors
    /// [`Error::UnitNotActive`], [`Error::ForeignMasterKey`]: the partition's keys and everything unsealed by them
    /// are gone.
    pub(super) fn check_unit(&self) -> Result<()> {
        let hsm = self.hsm()?;
        let generation = hsm.store()?.generation(PartitionId::HSM)?;
        let before = *locked(&self.unit);
        if generation.is_some() && generation == before.map(|seen| seen.generation) {
            return Ok(());
        }
        let epoch = match hsm.epoch() {
            // Locked meanwhile: what was opened before stays open, unless the master key went before that.
            Err(Error::UnitSealed(_)) if !hsm.is_closed()? => return Ok(()),
            Err(Error::UnitSealed(_)) => Err(Error::UnitNotActive("its master key was cleared")),
            epoch => epoch,
        };
        let epoch = epoch.inspect_err(|error| {
            if matches!(error, Error::UnitNotActive(_) | Error::ForeignMasterKey(_)) {
                self.forget_unsealed();
            }
        })?;
        if before.is_some_and(|seen| seen.epoch != epoch) {
            *locked(&self.cache) = Cache::default();
            *locked(&self.shown) = None;
        }
        self.open_public_again(&hsm)?;
        *locked(&self.unit) = generation.map(|generation| UnitSeen { generation, epoch }).or(before);
        Ok(())
    }

    /// Sessions that outlived a time without a master key have no key of public objects.
    fn open_public_again(&self, hsm: &Hsm) -> Result<()> {
        let is_there = self.public.read().unwrap_or_else(PoisonError::into_inner).is_some();
        if is_there || locked(&self.sessions).count == 0 {
            return Ok(());
        }
        let key = hsm.settled(&mut || self.record().unwrap_public_key(&hsm.active_unit()?))?;
        *self.public.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(key));
        Ok(())
    }
}
