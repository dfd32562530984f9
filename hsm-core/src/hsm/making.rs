//! How an HSM comes to be: unit and store, made by this machine alone or after a ceremony that people held.

use std::sync::Arc;

use super::Hsm;
use crate::audit::acts;
use crate::error::{Error, Result};
use crate::partition::directory;
use crate::store::{self, Store, StoreError};
use crate::unit::{UnitKind, UnitStatus, ceremony};

impl Hsm {
    /// Makes the HSM: the full ceremony, run by this machine with generated administrators and key
    /// parts, and an empty store. Every step is reported.
    ///
    /// # Errors
    /// [`Error::HsmExists`] if unit and store are there and the unit is active; [`Error::FileDamaged`]
    /// if the store is there without its unit; what keeps files from being written.
    pub fn initialise(
        &self,
        options: &ceremony::Options,
        progress: &mut dyn FnMut(ceremony::Step),
    ) -> Result<UnitStatus> {
        if self.exists() && self.store().is_ok() && self.active_unit().is_ok() {
            return Err(Error::HsmExists(self.config.home.root.clone()));
        }
        self.check_unit_not_lost()?;
        if self.exists() && self.unit()?.state().kind() == UnitKind::Recovery {
            return Err(Error::UnitNotActive(
                "it is a recovery unit, which keeps a master key and serves nobody",
            ));
        }
        let status = ceremony::run(&self.unit_paths(), options, progress)?;
        let unit = self.active_unit()?;
        let store = self.open_or_create_store(options.group)?;
        directory::begin(store.as_ref(), &unit, &status)?;
        self.note(acts::INITIALISE, "")?.write()?;
        Ok(status)
    }

    /// Makes the store of an HSM whose unit its people's ceremony made active. Answers whether there was none.
    ///
    /// # Errors
    /// [`Error::UnitNotActive`], and what keeps files from being written.
    pub fn complete(&self) -> Result<bool> {
        let unit = self.unit()?;
        let active = unit.active()?;
        match self.store() {
            Err(Error::Store(StoreError::Missing(_))) => {}
            found => return found.map(|_| false),
        }
        let store = self.open_or_create_store(unit.group()?)?;
        directory::begin(store.as_ref(), &active, &unit.status())?;
        Ok(true)
    }

    /// Whether there is a store, readable or not: what stands in it is under the unit's current master key.
    pub fn has_store(&self) -> bool {
        !matches!(self.store(), Err(Error::Store(StoreError::Missing(_))))
    }

    /// A store without a unit has lost it, since the unit is made first. A new unit would not open the
    /// store, and would stand where the lost one is to be put back. The store is looked for before
    /// the unit: another process may be making both.
    fn check_unit_not_lost(&self) -> Result<()> {
        match self.store() {
            Err(Error::Store(StoreError::Missing(_))) => Ok(()),
            _ if self.exists() => Ok(()),
            found => {
                found?;
                let path = self.config.home.unit();
                let reason = "it is missing, and the store beside it needs it: restore it from a backup, \
                    or choose another place for a new HSM";
                Err(Error::FileDamaged { path, reason: reason.to_owned() })
            }
        }
    }

    /// A store that an interrupted ceremony left behind is taken up again.
    fn open_or_create_store(&self, group: Option<u32>) -> Result<&Arc<dyn Store>> {
        self.store_by(|place| match store::open(place) {
            Err(StoreError::Missing(_)) => match store::create(place, group) {
                // Another process was faster.
                Err(StoreError::Exists(_)) => store::open(place),
                created => created,
            },
            opened => opened,
        })
    }
}
