//! The list of an HSM's partitions, in its own space of the store: an identity record that binds the
//! store to the master key, a record for each partition, and a sealed index of them, so that none is
//! hidden.

use std::sync::Arc;

use super::Partition;
use super::fresh::{Draft, Fresh};
use super::record::PartitionRecord;
use crate::error::{Error, Result};
use crate::hsm::{Hsm, Note};
use crate::secret::Secret;
use crate::store::seal::{Address, Chain, SealKey};
use crate::store::{Entry, PartitionId, Reader, RecordId, Row, Store, Writer};
use crate::unit::{ActiveUnit, UnitStatus};

/// The record that binds the store to its master key.
pub(super) const IDENTITY: RecordId = RecordId([2; 16]);
pub(super) const KIND_IDENTITY: u8 = 4;
const KIND_PARTITION: u8 = 5;
/// The record that holds the audit log's secret.
pub(super) const AUDIT: RecordId = RecordId([3; 16]);
pub(super) const KIND_AUDIT: u8 = 6;
/// The index of partitions, and their tag in it.
const CHAIN: u8 = 1;
const ALL: [u8; 16] = [1; 16];
/// The tag of the audit log's secret, so that nobody takes the log away as a whole. Before the partitions.
const OF_AUDIT: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/// The partitions as this process knows them.
#[derive(Default)]
pub(crate) struct Directory {
    /// The change counter at which the list was read with an active unit.
    checked: Option<u64>,
    partitions: Vec<Arc<Partition>>,
}

impl Directory {
    pub(crate) fn partitions(&self) -> Vec<Arc<Partition>> {
        self.partitions.clone()
    }

    pub(crate) fn get(&self, token: RecordId) -> Option<Arc<Partition>> {
        self.partitions.iter().find(|partition| partition.token() == token).cloned()
    }

    /// The partition of this label that opens for the server; `None` if there is none of the label.
    ///
    /// # Errors
    /// [`Error::PinAloneOpens`] if those of the label do not open for it.
    pub(crate) fn server(&self, label: &[u8; 32]) -> Result<Option<Arc<Partition>>> {
        let records: Vec<_> =
            self.partitions.iter().map(|partition| (partition.token(), partition.record())).collect();
        let records = records.iter().map(|(token, record)| (*token, record.as_ref()));
        Ok(find_server(records, label)?.and_then(|token| self.get(token)))
    }

    /// Reads the list again if the store's counter moved, or if it was read while the unit was sealed. Answers whether
    /// it was checked.
    pub(crate) fn refresh(&mut self, hsm: &Arc<Hsm>, store: &dyn Store) -> Result<bool> {
        let generation = store.generation(PartitionId::HSM)?;
        if generation.is_some() && generation == self.checked {
            return Ok(true);
        }
        let (is_checked, mut records) = match read_checked(hsm, store) {
            Ok(records) => (true, records),
            Err(Error::UnitSealed(_) | Error::UnitNotActive(_)) => (false, read_unchecked(store)?),
            Err(error) => return Err(error),
        };
        records.sort_by_key(|(_, record)| record.number);
        self.partitions = records
            .into_iter()
            .map(|(token, record)| match self.get(token) {
                Some(known) => {
                    known.refresh(record);
                    known
                }
                None => Arc::new(Partition::new(hsm, token, record)),
            })
            .collect();
        self.checked = generation.filter(|_| is_checked);
        Ok(is_checked)
    }
}

/// What the directory's key is derived to.
pub(super) fn secret(unit: &ActiveUnit) -> Secret {
    unit.derive(b"directory", b"")
}

pub(super) fn key(unit: &ActiveUnit) -> Result<SealKey> {
    SealKey::new(secret(unit).expose())
}

pub(super) fn chain(key: &SealKey) -> Chain<'_> {
    Chain { partition: PartitionId::HSM, number: CHAIN, key }
}

/// Makes an empty store this HSM's own. One that is already is left as it is.
pub(crate) fn begin(store: &dyn Store, unit: &ActiveUnit, status: &UnitStatus) -> Result<()> {
    let key = key(unit)?;
    store.write(PartitionId::HSM, &mut |writer| {
        if writer.get(PartitionId::HSM, IDENTITY)?.is_some() {
            return check_identity(writer, unit, store);
        }
        let address = Address { partition: PartitionId::HSM, id: IDENTITY, kind: KIND_IDENTITY, revision: 0 };
        key.put(writer, address, status.hsm_id.to_string().as_bytes())?;
        chain(&key).begin(writer)
    })
}

/// Tells a store of another master key from a damaged one: that key opens nothing of it at all.
fn check_identity(reader: &mut dyn Reader, unit: &ActiveUnit, store: &dyn Store) -> Result<()> {
    let key = key(unit)?;
    let opened = match reader.get(PartitionId::HSM, IDENTITY)? {
        Some(row) => key.open_row(PartitionId::HSM, IDENTITY, &row).map(drop),
        None => Err(Error::RecordDamaged { what: "the identity of the store".into() }),
    };
    match opened {
        Err(Error::RecordDamaged { .. }) if chain(&key).records(reader, ALL).is_err() => {
            Err(Error::ForeignMasterKey(store.location()))
        }
        opened => opened,
    }
}

/// The secret of the audit log; `None` where none was begun. It is random rather than derived, so that it
/// can outlive the master key.
pub(crate) fn audit_secret(reader: &mut dyn Reader, unit: &ActiveUnit) -> Result<Option<Secret>> {
    let key = key(unit)?;
    if !chain(&key).holds(reader, OF_AUDIT, AUDIT)? {
        return Ok(None);
    }
    let missing = || Error::RecordDamaged { what: "the secret of the audit log".into() };
    let row = reader.get(PartitionId::HSM, AUDIT)?.ok_or_else(missing)?;
    Ok(Some(Secret::copy_of(&key.open_row(PartitionId::HSM, AUDIT, &row)?)))
}

/// Keeps the secret of an audit log that begins.
pub(crate) fn keep_audit_secret(writer: &mut dyn Writer, unit: &ActiveUnit, secret: &Secret) -> Result<()> {
    let key = key(unit)?;
    let address = Address { partition: PartitionId::HSM, id: AUDIT, kind: KIND_AUDIT, revision: 0 };
    key.put(writer, address, secret.expose())?;
    chain(&key).insert(writer, OF_AUDIT, AUDIT)
}

fn read_checked(hsm: &Hsm, store: &dyn Store) -> Result<Vec<(RecordId, PartitionRecord)>> {
    let unit = hsm.active_unit()?;
    let mut records = Vec::new();
    store.read(&mut |reader| {
        check_identity(reader, &unit, store)?;
        records = read_all(reader, &unit)?;
        Ok(())
    })?;
    Ok(records)
}

fn decode(token: RecordId, row: &Row, unit: Option<&ActiveUnit>) -> Result<PartitionRecord> {
    PartitionRecord::decode(token, row.revision, unit, &row.sealed)
}

fn read_all(reader: &mut dyn Reader, unit: &ActiveUnit) -> Result<Vec<(RecordId, PartitionRecord)>> {
    let key = key(unit)?;
    let tokens = tokens(reader, &key)?;
    tokens.into_iter().map(|token| Ok((token, read(reader, unit, token)?.0))).collect()
}

/// The partitions that the index names.
pub(super) fn tokens(reader: &mut dyn Reader, key: &SealKey) -> Result<Vec<RecordId>> {
    chain(key).records(reader, ALL)
}

/// Adds a partition to the index.
pub(super) fn list(writer: &mut dyn Writer, unit: &ActiveUnit, token: RecordId) -> Result<()> {
    chain(&key(unit)?).insert(writer, ALL, token)
}

/// Whether the index names a partition.
pub(crate) fn lists(reader: &mut dyn Reader, unit: &ActiveUnit, token: RecordId) -> Result<bool> {
    chain(&key(unit)?).holds(reader, ALL, token)
}

/// The row of a partition that the index names.
pub(super) fn row(reader: &mut dyn Reader, token: RecordId) -> Result<Row> {
    let missing = || Error::RecordDamaged { what: format!("the record of partition {token}") };
    reader.get(PartitionId::HSM, token)?.ok_or_else(missing)
}

/// A partition that the index names.
pub(super) fn read(
    reader: &mut dyn Reader,
    unit: &ActiveUnit,
    token: RecordId,
) -> Result<(PartitionRecord, u64)> {
    let row = row(reader, token)?;
    Ok((decode(token, &row, Some(unit))?, row.revision))
}

/// The list without any key to check it by, for showing alone.
fn read_unchecked(store: &dyn Store) -> Result<Vec<(RecordId, PartitionRecord)>> {
    let mut records = Vec::new();
    store.read(&mut |reader| {
        records = all_unchecked(reader)?;
        Ok(())
    })?;
    Ok(records)
}

fn all_unchecked(reader: &mut dyn Reader) -> Result<Vec<(RecordId, PartitionRecord)>> {
    let mut out = Vec::new();
    each_unchecked(reader, &mut |token, row| {
        out.push((token, decode(token, row, None)?));
        Ok(())
    })?;
    Ok(out)
}

/// The spaces of all partitions whose records can be read at all.
pub(super) fn spaces(reader: &mut dyn Reader) -> Result<Vec<PartitionId>> {
    let mut out = Vec::new();
    each_unchecked(reader, &mut |token, row| {
        out.extend(decode(token, row, None).map(|record| record.space));
        Ok(())
    })?;
    Ok(out)
}

fn each_unchecked(reader: &mut dyn Reader, each: &mut dyn FnMut(RecordId, &Row) -> Result<()>) -> Result<()> {
    let mut last = Entry { chain: CHAIN, tag: ALL, record: RecordId([0; 16]) };
    loop {
        let page = reader.entries_after(PartitionId::HSM, last, 64)?;
        let Some(end) = page.last() else { return Ok(()) };
        last = end.entry;
        for indexed in page {
            let token = indexed.entry.record;
            if let Some(row) = reader.get(PartitionId::HSM, token)? {
                each(token, &row)?;
            }
        }
    }
}

pub(super) fn put(
    writer: &mut dyn Writer,
    unit: &ActiveUnit,
    token: RecordId,
    revision: u64,
    record: &PartitionRecord,
) -> Result<()> {
    let revision = revision + 1;
    let sealed = record.encode(token, revision, unit)?;
    Ok(writer.put(PartitionId::HSM, token, &Row { kind: KIND_PARTITION, revision, sealed })?)
}

/// Makes a partition.
pub(crate) fn create(hsm: &Hsm, label: &[u8; 32], so_pin: &[u8], note: &Note) -> Result<RecordId> {
    let draft = Draft::new(label, Some(so_pin))?;
    hsm.change_directory(&mut |writer, unit| {
        let others = checked(hsm, writer, unit)?;
        draft.insert(writer, unit, &others)?;
        note.append(writer)
    })?;
    Ok(draft.token)
}

/// The server's partition of this label; made if there is none. That is decided inside the transaction,
/// so that of two servers which start at once one makes it and the other finds it.
pub(crate) fn server(hsm: &Hsm, label: &[u8; 32], note: &Note) -> Result<RecordId> {
    let draft = Draft::new(label, None)?;
    let mut token = draft.token;
    hsm.change_directory(&mut |writer, unit| {
        let others = checked(hsm, writer, unit)?;
        match find_server(others.iter().map(|(token, record)| (*token, record)), label)? {
            Some(found) => {
                token = found;
                Ok(())
            }
            None => {
                draft.insert(writer, unit, &others)?;
                note.append(writer)
            }
        }
    })?;
    Ok(token)
}

/// All partitions, of a store that is this HSM's.
pub(super) fn checked(
    hsm: &Hsm,
    writer: &mut dyn Writer,
    unit: &ActiveUnit,
) -> Result<Vec<(RecordId, PartitionRecord)>> {
    check_identity(writer, unit, hsm.store()?.as_ref())?;
    read_all(writer, unit)
}

/// Of the partitions of a label, the one that opens for the server.
///
/// # Errors
/// [`Error::PinAloneOpens`] if there are such partitions, and none of them does.
fn find_server<'r>(
    partitions: impl Iterator<Item = (RecordId, &'r PartitionRecord)>,
    label: &[u8; 32],
) -> Result<Option<RecordId>> {
    let mut refused = None;
    for (token, record) in partitions.filter(|(_, record)| record.label == *label) {
        if record.opens_for_server() {
            return Ok(Some(token));
        }
        refused = Some(record.pin_alone_opens());
    }
    refused.map_or(Ok(None), Err)
}

/// Gives a partition new keys in a new space; the old space goes with all that is in it.
pub(crate) fn renew(hsm: &Hsm, token: RecordId, label: &[u8; 32], so_pin: &[u8], note: &Note) -> Result<()> {
    let fresh = Fresh::new(Some(so_pin))?;
    hsm.change_directory(&mut |writer, unit| {
        let (mut record, revision) = read(writer, unit, token)?;
        writer.remove_partition(record.space)?;
        record.label = *label;
        record.renew(fresh.space, &fresh.opener, &fresh.keys, unit)?;
        put(writer, unit, token, revision, &record)?;
        fresh.begin(writer)?;
        note.append(writer)
    })
}

/// Deletes a partition, if `may` allows it of the record as it is then.
pub(crate) fn delete(
    hsm: &Hsm,
    token: RecordId,
    may: fn(&PartitionRecord) -> Result<()>,
    note: &Note,
) -> Result<()> {
    hsm.change_directory(&mut |writer, unit| {
        let (record, revision) = read(writer, unit, token)?;
        may(&record)?;
        writer.remove_partition(record.space)?;
        writer.remove_partition(PartitionId(token.0))?;
        writer.remove(PartitionId::HSM, token, revision)?;
        chain(&key(unit)?).remove(writer, ALL, token)?;
        note.append(writer)
    })
}

/// A change of a partition's record.
pub(crate) type Change<'a> = dyn FnMut(&mut PartitionRecord, &ActiveUnit) -> Result<()> + 'a;

/// Changes a partition's record.
pub(crate) fn change(hsm: &Hsm, token: RecordId, note: &Note, change: &mut Change<'_>) -> Result<()> {
    hsm.change_directory(&mut |writer, unit| {
        let (mut record, revision) = read(writer, unit, token)?;
        change(&mut record, unit)?;
        put(writer, unit, token, revision, &record)?;
        note.append(writer)
    })
}
