//! The change of the master key in the store. While another key is committed, each partition gets its wraps
//! under that one beside the old ones (`record::next`); set-immediate is one transaction that leaves the new ones
//! alone and seals the list of partitions, the audit log's secret and the counters of wrong tries anew. It
//! needs the new key only, so that whoever opens the store next can end what a dead process began.

use super::directory::{self, AUDIT, IDENTITY, KIND_AUDIT, KIND_IDENTITY};
use super::pins;
use super::record::PartitionRecord;
use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::store::seal::{Address, SealKey};
use crate::store::{PartitionId, Reader, RecordId, Row, Writer};
use crate::unit::ActiveUnit;

/// The record by which the master key that waits for set-immediate opens the directory until then.
const BRIDGE: RecordId = RecordId([5; 16]);
const KIND_BRIDGE: u8 = 15;

/// What a store is to a master key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Standing {
    /// Everything in it is sealed under the key.
    Under,
    /// It was made ready for the key, and is under another one still.
    Prepared,
    /// Neither.
    Foreign,
}

/// What the store is to the unit's current master key.
pub(crate) fn standing(reader: &mut dyn Reader, unit: &ActiveUnit) -> Result<Standing> {
    let identity = reader.get(PartitionId::HSM, IDENTITY)?;
    let is_under = |row: &Row| directory::key(unit)?.open_row(PartitionId::HSM, IDENTITY, row);
    if identity.is_some_and(|row| is_under(&row).is_ok()) {
        return Ok(Standing::Under);
    }
    Ok(match bridge(reader, unit)? {
        Some(_) => Standing::Prepared,
        None => Standing::Foreign,
    })
}

fn bridge_key(next: &ActiveUnit) -> Result<SealKey> {
    SealKey::new(next.derive(b"directory of the key before", b"").expose())
}

/// The directory's key until set-immediate, by the key that comes into use then; `None` where the store was
/// not made ready for it.
fn bridge(reader: &mut dyn Reader, next: &ActiveUnit) -> Result<Option<Secret>> {
    let Some(row) = reader.get(PartitionId::HSM, BRIDGE)? else { return Ok(None) };
    let opened = bridge_key(next)?.open_row(PartitionId::HSM, BRIDGE, &row);
    Ok(opened.ok().map(|secret| Secret::copy_of(&secret)))
}

/// Begins to make the store ready for the master key that is committed; answers the partitions.
///
/// # Errors
/// [`Error::Conflict`] if none is committed any more.
pub(crate) fn begin(writer: &mut dyn Writer, unit: &ActiveUnit) -> Result<Vec<RecordId>> {
    let next = unit.next().ok_or(Error::Conflict)?;
    if bridge(writer, &next)?.is_none() {
        let revision = writer.revision(PartitionId::HSM, BRIDGE)?.unwrap_or(0);
        let address = Address { partition: PartitionId::HSM, id: BRIDGE, kind: KIND_BRIDGE, revision };
        bridge_key(&next)?.put(writer, address, directory::secret(unit).expose())?;
    }
    directory::tokens(writer, &directory::key(unit)?)
}

/// Gives a partition its wraps under the master key that is committed. One that has them, or is deleted
/// meanwhile, is left as it is.
///
/// # Errors
/// [`Error::Conflict`] if no key is committed any more; [`Error::RecordDamaged`] for a partition that does not
/// open.
pub(crate) fn rewrap(writer: &mut dyn Writer, unit: &ActiveUnit, token: RecordId) -> Result<()> {
    let next = unit.next().ok_or(Error::Conflict)?;
    if !directory::lists(writer, unit, token)? {
        return Ok(());
    }
    let row = directory::row(writer, token)?;
    if PartitionRecord::prepared(token, row.revision, &next, &row.sealed)?.is_some() {
        return Ok(());
    }
    let (record, revision) = directory::read(writer, unit, token)?;
    directory::put(writer, unit, token, revision, &record)
}

/// How many partitions have their wraps under the master key that is committed, and how many there are.
pub(crate) fn count(reader: &mut dyn Reader, unit: &ActiveUnit, next: &ActiveUnit) -> Result<(u64, u64)> {
    let (mut done, mut total) = (0, 0);
    for token in directory::tokens(reader, &directory::key(unit)?)? {
        let row = directory::row(reader, token)?;
        let prepared = PartitionRecord::prepared(token, row.revision, next, &row.sealed)?;
        done += u64::from(prepared.is_some());
        total += 1;
    }
    Ok((done, total))
}

/// Takes back what was made ready for a key that will not come into use.
pub(crate) fn forget(writer: &mut dyn Writer, unit: &ActiveUnit) -> Result<()> {
    let Some(revision) = writer.revision(PartitionId::HSM, BRIDGE)? else { return Ok(()) };
    writer.remove(PartitionId::HSM, BRIDGE, revision)?;
    for token in directory::tokens(writer, &directory::key(unit)?)? {
        let (record, revision) = directory::read(writer, unit, token)?;
        directory::put(writer, unit, token, revision, &record)?;
    }
    Ok(())
}

/// Puts everything under the key that comes into use. Every partition's change counter moves, so that every
/// process looks at the unit before it uses what it has unsealed.
///
/// # Errors
/// [`Error::WrapMissing`] if a partition is not ready; [`Error::RecordDamaged`] for what does not open.
pub(crate) fn switch(writer: &mut dyn Writer, next: &ActiveUnit) -> Result<()> {
    let Some(before) = bridge(writer, next)? else { return Err(Error::WrapMissing { partitions: None }) };
    let (old, new) = (SealKey::new(before.expose())?, directory::key(next)?);
    let mut missing = 0;
    for token in directory::tokens(writer, &old)? {
        missing += u64::from(!switch_partition(writer, next, token)?);
    }
    if missing > 0 {
        return Err(Error::WrapMissing { partitions: Some(missing) });
    }
    for (id, kind) in [(IDENTITY, KIND_IDENTITY), (AUDIT, KIND_AUDIT)] {
        let Some(row) = writer.get(PartitionId::HSM, id)? else { continue };
        let opened = old.open_row(PartitionId::HSM, id, &row)?;
        let address = Address { partition: PartitionId::HSM, id, kind, revision: row.revision };
        new.put(writer, address, &opened)?;
    }
    directory::chain(&old).rekey(writer, &new)?;
    let revision = writer.revision(PartitionId::HSM, BRIDGE)?.unwrap_or(0);
    Ok(writer.remove(PartitionId::HSM, BRIDGE, revision)?)
}

/// Whether the partition was ready.
fn switch_partition(writer: &mut dyn Writer, next: &ActiveUnit, token: RecordId) -> Result<bool> {
    let row = directory::row(writer, token)?;
    let prepared = PartitionRecord::prepared(token, row.revision, next, &row.sealed)?;
    let Some(prepared) = prepared else { return Ok(false) };
    directory::put(writer, next, token, row.revision, &prepared.record)?;
    pins::reseal_counters(writer, token, &prepared.counters, next)?;
    writer.touch(prepared.record.space);
    Ok(true)
}

/// Moves every partition's change counter, as [`switch`] does: the master key is gone.
pub(crate) fn wake(writer: &mut dyn Writer) -> Result<()> {
    for (_, record) in directory::all_unchecked(writer)? {
        writer.touch(record.space);
    }
    Ok(())
}
