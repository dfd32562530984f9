//! The change of the master key: partitions are wrapped under the one that is committed, set-immediate puts it
//! into use, and what was under way meanwhile is done again. No door stands still for it.

use super::{Hsm, Note};
use crate::audit::{Event, Trail, acts};
use crate::error::{Error, Result};
use crate::partition::rotation::{self, Standing};
use crate::store::{PartitionId, RecordId, Writer};
use crate::unit::{self, ActiveUnit, Command, SignedCommand, Unit};

/// How many partitions are wrapped in one transaction: others write in between.
const AT_ONCE: usize = 16;
/// How often something is tried that a change of the master key may have come across. Each one takes people
/// who sign, so that more than one while an operation runs is out of reach.
const TRIES: usize = 3;

/// How far the wrapping under a new master key has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Rewrapped {
    /// Partitions that have a wrap under the new key.
    pub done: u64,
    /// All partitions.
    pub total: u64,
}

impl Hsm {
    /// Does what depends on the unit's master key, and again if that changed while it was done: what a process
    /// read of the unit does not fit what it reads of the store then.
    pub(crate) fn settled<T>(&self, body: &mut dyn FnMut() -> Result<T>) -> Result<T> {
        let mut result = body();
        for _ in 1..TRIES {
            match &result {
                Err(Error::ForeignMasterKey(_) | Error::RecordDamaged { .. }) => {}
                _ => break,
            }
            self.finish_rotation()?;
            result = body();
        }
        result
    }

    /// Changes the HSM's own space, by the unit as it is while nobody else can change it. No set-immediate comes
    /// between the two.
    pub(crate) fn change_directory(
        &self,
        body: &mut dyn FnMut(&mut dyn Writer, &ActiveUnit) -> Result<()>,
    ) -> Result<()> {
        self.settled(&mut || {
            self.store()?.write(PartitionId::HSM, &mut |writer| {
                #[cfg(test)]
                let writer = &mut crate::partition::testing::Faulty(writer);
                body(writer, &self.active_unit()?)
            })
        })
    }

    /// What the store is to the unit's current master key.
    fn standing(&self, unit: &ActiveUnit) -> Result<Standing> {
        let mut standing = Standing::Foreign;
        self.store()?.read(&mut |reader| {
            standing = rotation::standing(reader, unit)?;
            Ok(())
        })?;
        Ok(standing)
    }

    /// Ends a set-immediate that was interrupted after the unit had switched. One that is under way in another
    /// process is waited for.
    fn finish_rotation(&self) -> Result<()> {
        if self.standing(&self.active_unit()?)? != Standing::Prepared {
            return Ok(());
        }
        let mut finished = false;
        self.store()?.write(PartitionId::HSM, &mut |writer| {
            let unit = self.active_unit()?;
            finished = rotation::standing(writer, &unit)? == Standing::Prepared;
            if finished {
                rotation::switch(writer, &unit)?;
                rotation::reopen(writer)?;
            }
            Ok(())
        })?;
        if finished {
            log::warn!("an interrupted set-immediate was finished");
            // The event of who began it was in the transaction that did not end.
            let noted = self.always_note(acts::FINISH_SET_IMMEDIATE, "").and_then(Note::write);
            noted.unwrap_or_else(|error| log::error!("that is not in the audit log: {error}"));
        }
        Ok(())
    }

    /// The epoch of the master key under which the store is.
    ///
    /// # Errors
    /// [`Error::UnitNotActive`], [`Error::UnitSealed`]; [`Error::ForeignMasterKey`] if the store is under another one.
    pub(crate) fn epoch(&self) -> Result<u64> {
        self.settled(&mut || {
            let unit = self.active_unit()?;
            match self.standing(&unit)? {
                Standing::Under => Ok(unit.epoch()),
                Standing::Prepared | Standing::Foreign => {
                    Err(Error::ForeignMasterKey(self.store()?.location()))
                }
            }
        })
    }

    /// Whether the store says that its master key was cleared.
    pub(crate) fn is_closed(&self) -> Result<bool> {
        let mut closed = false;
        self.store()?.read(&mut |reader| {
            closed = rotation::is_closed(reader)?;
            Ok(())
        })?;
        Ok(closed)
    }

    /// Gives every partition a wrap under the committed master key beside the one under the current key. May
    /// be interrupted and run again; what is done is kept, and new partitions have both. `progress` is told
    /// now and then. TKE's `cryptounit-mk-rotate`, up to set-immediate.
    ///
    /// # Errors
    /// [`Error::Unit`] with the refusal of set-immediate if no new key is committed;
    /// [`Error::UnitNotActive`]; [`Error::RecordDamaged`] for a partition that does not open; those of the
    /// store.
    pub fn rewrap_partitions(&self, progress: &mut dyn FnMut(Rewrapped)) -> Result<Rewrapped> {
        drop(self.unit()?.next()?);
        let mut tokens: Vec<RecordId> = Vec::new();
        self.change_directory(&mut |writer, unit| {
            tokens = rotation::begin(writer, unit)?;
            Ok(())
        })?;
        let mut rewrapped = Rewrapped { done: 0, total: count(&tokens) };
        progress(rewrapped);
        for some in tokens.chunks(AT_ONCE) {
            self.change_directory(&mut |writer, unit| {
                some.iter().try_for_each(|token| rotation::rewrap(writer, unit, *token))
            })?;
            rewrapped.done += count(some);
            progress(rewrapped);
        }
        self.always_note(acts::REWRAP_PARTITIONS, "")?.write()?;
        Ok(rewrapped)
    }

    /// How far the wrapping under the committed master key has come; `None` where none is committed, or nothing
    /// stands under the current one.
    ///
    /// # Errors
    /// Those of unit and store.
    pub fn rewrapped(&self) -> Result<Option<Rewrapped>> {
        self.settled(&mut || {
            let (unit, mut found) = (self.active_unit()?, None);
            let Some(next) = unit.next().filter(|_| self.has_store()) else { return Ok(None) };
            self.store()?.read(&mut |reader| {
                if rotation::standing(reader, &unit)? == Standing::Under {
                    let (done, total) = rotation::count(reader, &unit, &next)?;
                    found = Some(Rewrapped { done, total });
                }
                Ok(())
            })?;
            Ok(found)
        })
    }

    /// Set-immediate: the unit switches to the committed master key while nobody else can write the store, and the
    /// store follows in one transaction, with the event. If this process dies in between, whoever opens
    /// the store next ends it.
    pub(super) fn set_immediate(
        &self,
        unit: &mut Unit,
        command: &SignedCommand,
        recorded: Option<(&Trail, Event)>,
    ) -> Result<Vec<unit::Event>> {
        let mut recorded = recorded;
        let mut events = Vec::new();
        let store = self.store()?;
        store.write(PartitionId::HSM, &mut |writer| {
            #[cfg(test)]
            let writer = &mut crate::partition::testing::Faulty(writer);
            // Without the right signatures nothing is said of the store.
            unit.check(command)?;
            // A key that is not committed, or is another one, is the unit's to refuse.
            if let Ok(next) = unit.next()
                && command.command()? == Command::SetImmediate(next.verification_pattern())
                && concerns(writer, unit, &next)?
            {
                rotation::switch(writer, &next)?;
                // The old key is gone from here on: the wraps under the new one must not be lost to a power failure.
                store.settle()?;
            }
            rotation::reopen(writer)?;
            if let Some((trail, event)) = recorded.take() {
                trail.append(writer, event)?;
            }
            events = unit.submit(command)?;
            Ok(())
        })?;
        Ok(events)
    }

    /// Takes back the wraps for a new master key that was cleared or overwritten. They hold nothing that is not
    /// there besides, so that they may stay where they cannot be taken back.
    pub(super) fn forget_rewrapped(&self) {
        if let Err(error) = self.change_directory(&mut rotation::forget) {
            log::warn!("wraps under a master key that was cleared are still in the store: {error}");
        }
    }

    /// Tells the others of a unit that has no master key any more, where whoever cleared it did not come to it.
    pub(super) fn finish_closing(&self) -> Result<()> {
        if matches!(self.active_unit(), Err(Error::UnitNotActive(_))) && !self.is_closed()? {
            self.close_store();
        }
        Ok(())
    }

    /// Has every process look at the unit before it uses what it has unsealed: there is no master key any more.
    pub(super) fn close_store(&self) {
        let woken = self.store().and_then(|store| store.write(PartitionId::HSM, &mut rotation::close));
        if let Err(error) = woken {
            log::error!("processes that are logged in may go on using keys until they end: {error}");
        }
    }
}

/// Whether what is in the store goes over to the key that comes into use. A store that is under that key already,
/// as when a lost master key is loaded again, or under a third one, as after zeroize, stays as it is.
fn concerns(writer: &mut dyn Writer, unit: &Unit, next: &ActiveUnit) -> Result<bool> {
    match rotation::standing(writer, next)? {
        Standing::Under => Ok(false),
        Standing::Prepared => Ok(true),
        Standing::Foreign => match unit.active() {
            Ok(current) => Ok(rotation::standing(writer, &current)? == Standing::Under),
            Err(_) => Ok(false),
        },
    }
}

fn count(tokens: &[RecordId]) -> u64 {
    u64::try_from(tokens.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
