//! An HSM as one process uses it: where it is, its crypto unit, its store, and the list of its
//! partitions. Everything opens when it is first needed; nothing is created but by [`Hsm::initialise`]
//! and [`Hsm::create_partition`].

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use crate::audit::acts;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::partition::Partition;
use crate::partition::directory::{self, Directory};
use crate::partition::record::PartitionRecord;
use crate::session::{Access, Role};
use crate::store::{self, RecordId, Store, StoreResult, StoreUrl};
use crate::unit::{ActiveUnit, Unit, UnitPaths, UnitStatus};

mod audit;
mod automatic;
mod backup;
mod commands;
mod making;
mod notes;
mod rotation;
mod sealing;
#[cfg(test)]
pub(crate) mod testing;
mod token_locks;
mod uses;

pub use audit::Sealing;
pub use automatic::Progress;
pub use backup::{Contents, Copied, Step, look_at_backup};
pub use commands::Submitted;
pub(crate) use notes::Note;
pub use rotation::Rewrapped;
pub use uses::ReasonOf;

use notes::Door;

/// One HSM.
pub struct Hsm {
    config: Config,
    itself: Weak<Hsm>,
    store: OnceLock<Arc<dyn Store>>,
    /// Held by who opens the store or makes it: a process has it open once.
    opening: Mutex<()>,
    directory: Mutex<Directory>,
    door: Door,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hsm {
    /// An HSM at the place that a configuration names. Touches nothing.
    pub fn new(config: Config) -> Arc<Hsm> {
        Hsm::with_door(config, Door::new("hsm", None))
    }

    fn with_door(config: Config, door: Door) -> Arc<Hsm> {
        Arc::new_cyclic(|itself| Hsm {
            config,
            itself: itself.clone(),
            store: OnceLock::new(),
            opening: Mutex::default(),
            directory: Mutex::default(),
            door,
        })
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Whether there is an HSM at its place, its making begun or done.
    pub fn exists(&self) -> bool {
        self.config.home.unit().exists()
    }

    /// Where the unit's files are.
    pub fn unit_paths(&self) -> UnitPaths {
        self.config.unit_paths()
    }

    fn unit(&self) -> Result<Unit> {
        if !self.exists() {
            return Err(Error::NoHsm(self.config.home.root.clone()));
        }
        Unit::open(&self.unit_paths())
    }

    /// What the crypto unit says of itself.
    ///
    /// # Errors
    /// [`Error::NoHsm`], [`Error::UnitSealed`], [`Error::FileDamaged`].
    pub fn unit_status(&self) -> Result<UnitStatus> {
        Ok(self.unit()?.status())
    }

    /// The proof that the unit has a valid current master key, without which no key is served. It is
    /// made for one use and dropped: no process keeps the master key.
    pub(crate) fn active_unit(&self) -> Result<ActiveUnit> {
        self.unit()?.active()
    }

    /// The store, opened at its first use.
    pub(crate) fn store(&self) -> Result<&Arc<dyn Store>> {
        self.store_by(store::open)
    }

    fn store_by(
        &self,
        open: impl FnOnce(&StoreUrl) -> StoreResult<Box<dyn Store>>,
    ) -> Result<&Arc<dyn Store>> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let _alone = locked(&self.opening);
        match self.store.get() {
            Some(store) => Ok(store),
            None => {
                let opened = open(&self.config.store)?.into();
                Ok(self.store.get_or_init(|| opened))
            }
        }
    }

    /// The partitions in the order of their creation; none where there is no HSM. While the unit is
    /// not active, what is said of them is not checked.
    ///
    /// # Errors
    /// A store that cannot be read, or whose records do not open.
    pub fn partitions(&self) -> Result<Vec<Arc<Partition>>> {
        if !self.exists() {
            return Ok(Vec::new());
        }
        self.refresh()?;
        Ok(locked(&self.directory).partitions())
    }

    /// Reads the list of partitions again if it changed.
    pub(crate) fn refresh(&self) -> Result<()> {
        let itself = self.itself.upgrade().ok_or(Error::NoSuchSlot)?;
        let store = self.store()?;
        // Each time with the list anew: ending an interrupted change of the master key takes a commit.
        if !self.settled(&mut || locked(&self.directory).refresh(&itself, store.as_ref()))? {
            self.finish_closing()?;
        }
        Ok(())
    }

    /// Whether the list, as it was read last, has a token.
    pub(crate) fn lists(&self, token: RecordId) -> bool {
        locked(&self.directory).get(token).is_some()
    }

    /// Makes a partition.
    ///
    /// # Errors
    /// [`Error::PinLength`], [`Error::UnitNotActive`], those of the store.
    pub fn create_partition(&self, label: &[u8; 32], so_pin: &[u8]) -> Result<Arc<Partition>> {
        self.check_pin_length(so_pin)?;
        let note = self.note(acts::MAKE_TOKEN, text_of(label).trim_end())?;
        let token = directory::create(self, label, so_pin, &note)?;
        self.refresh()?;
        locked(&self.directory).get(token).ok_or(Error::NoSuchSlot)
    }

    /// Initialises a partition anew: its objects and its user PIN go.
    ///
    /// # Errors
    /// [`Error::SessionExists`] while any process has a session on it, those of the SO's PIN.
    pub fn reinitialise(&self, partition: &Arc<Partition>, label: &[u8; 32], so_pin: &[u8]) -> Result<()> {
        let _lock = self.exclude_sessions(partition)?;
        partition.check_pin(Role::So, so_pin, acts::INIT_TOKEN)?;
        let note = partition.note(acts::INIT_TOKEN)?;
        directory::renew(self, partition.token(), label, so_pin, &note)?;
        self.refresh()
    }

    /// Deletes a partition with its objects.
    ///
    /// # Errors
    /// As [`Hsm::reinitialise`].
    pub fn delete_partition(&self, partition: &Arc<Partition>, so_pin: &[u8]) -> Result<()> {
        let _lock = self.exclude_sessions(partition)?;
        partition.check_pin(Role::So, so_pin, acts::DELETE_TOKEN)?;
        self.delete_if(partition, |_| Ok(()))?;
        self.refresh()
    }

    /// The partition that a server opens by the master key alone ([`Partition::open_for_server`]), found
    /// by its label or made. It has neither an SO PIN nor a user PIN until [`Hsm::give_pins`] sets them.
    ///
    /// # Errors
    /// [`Error::PinAloneOpens`] if a token of that label is there that does not open so;
    /// [`Error::ArgumentsBad`] for a label of no bytes or more than 32; [`Error::NoHsm`],
    /// [`Error::UnitNotActive`], those of the store.
    pub fn server_partition(&self, label: &str) -> Result<Arc<Partition>> {
        let label = padded(label)?;
        if !self.exists() {
            return Err(Error::NoHsm(self.config.home.root.clone()));
        }
        // Which of the partitions there are opens so is not to be believed unchecked.
        drop(self.active_unit()?);
        self.refresh()?;
        if let Some(found) = locked(&self.directory).server(&label)? {
            return Ok(found);
        }
        let name = text_of(&label);
        let note = self.note(acts::MAKE_TOKEN, name.trim_end())?;
        let token = directory::server(self, &label, &note)?;
        log::info!("a partition \"{}\" was made", name.trim_end());
        self.refresh()?;
        locked(&self.directory).get(token).ok_or(Error::NoSuchSlot)
    }

    /// Gives PINs to a server's partition that has none, which makes it an ordinary token too. Its
    /// objects stay. Unless `keep_server_wrap`, the server needs the user PIN from its next start on:
    /// one that runs stays logged in.
    ///
    /// # Errors
    /// [`Error::PinsSet`], [`Error::PinAloneOpens`], [`Error::PinLength`], those of unit and store.
    pub fn give_pins(
        &self,
        partition: &Partition,
        so_pin: &[u8],
        user_pin: &[u8],
        keep_server_wrap: bool,
    ) -> Result<()> {
        self.check_pin_length(so_pin)?;
        self.check_pin_length(user_pin)?;
        partition.give_pins(so_pin, user_pin, keep_server_wrap)
    }

    /// Takes the server's own way into a partition away, which PINs were given to before: from its next start
    /// on the server needs the user PIN. Asks for that PIN, so that nobody locks out everybody.
    ///
    /// # Errors
    /// Those of a login; [`Error::PinAloneOpens`] where there is no such way, those of unit and store.
    pub fn close_for_server(&self, partition: &Arc<Partition>, user_pin: &[u8]) -> Result<()> {
        let session = partition.open_session(Access::ReadOnly)?;
        session.login(Role::User, user_pin)?;
        let note = partition.note(acts::CLOSE_FOR_SERVER)?;
        self.change_record(partition, &note, &mut |record, _| record.close_for_server())
    }

    /// Deletes a server's partition that has no PIN, with its objects: there is no SO to allow it, and
    /// whoever can use the master key may.
    ///
    /// # Errors
    /// [`Error::PinsSet`], [`Error::SessionExists`] while a server or anybody else has a session on it,
    /// those of unit and store.
    pub fn delete_server_partition(&self, partition: &Arc<Partition>) -> Result<()> {
        let _lock = self.exclude_sessions(partition)?;
        self.delete_if(partition, |record| if record.has_pins() { Err(Error::PinsSet) } else { Ok(()) })?;
        self.refresh()
    }

    fn delete_if(&self, partition: &Partition, may: fn(&PartitionRecord) -> Result<()>) -> Result<()> {
        directory::delete(self, partition.token(), may, &partition.note(acts::DELETE_TOKEN)?)
    }

    /// Changes a partition's record in the store and here.
    pub(crate) fn change_record(
        &self,
        partition: &Partition,
        note: &Note,
        change: &mut directory::Change<'_>,
    ) -> Result<()> {
        directory::change(self, partition.token(), note, change)?;
        self.refresh()
    }

    /// Checks a new PIN's length against the configuration.
    pub(crate) fn check_pin_length(&self, pin: &[u8]) -> Result<()> {
        let (min, max) = (self.config.pins.min_length, self.config.pins.max_length);
        if (min..=max).contains(&pin.len()) { Ok(()) } else { Err(Error::PinLength { min, max }) }
    }

    /// Before a fork: closes every connection to the store.
    pub fn suspend(&self) {
        if let Some(store) = self.store.get() {
            store.suspend();
        }
    }

    /// After a fork, in the parent.
    pub fn resume(&self) {
        if let Some(store) = self.store.get() {
            store.resume();
        }
    }

    /// How many reads went to the store, for tests that show what a warm path costs.
    pub fn store_reads(&self) -> u64 {
        self.store.get().map_or(0, |store| store.reads())
    }

    /// How often a write waited for the disk, for tests that show that writers share it.
    pub fn store_syncs(&self) -> u64 {
        self.store.get().map_or(0, |store| store.syncs())
    }
}

/// A label as text.
fn text_of(label: &[u8; 32]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(label)
}

/// A label as partitions have it, padded with blanks.
fn padded(label: &str) -> Result<[u8; 32]> {
    let mut padded = [b' '; 32];
    let place = padded.get_mut(..label.len()).filter(|place| !place.is_empty());
    place.ok_or(Error::ArgumentsBad("a label has 1 to 32 bytes"))?.copy_from_slice(label.as_bytes());
    Ok(padded)
}
