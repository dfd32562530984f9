//! A write transaction for back ends that have none of their own: changes are gathered over a view
//! of the store, reads see them, and the back end takes them all at once or not at all. Without
//! changes it serves as the reader.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Entry, Indexed, PartitionId, Reader, RecordId, Row, StoreError, StoreResult, Writer};

/// The view below: the state that was committed last.
pub(super) trait Base {
    /// A record.
    fn row(&self, partition: PartitionId, id: RecordId) -> StoreResult<Option<Row>>;

    /// The last entry up to `at` in the partition and in the chain of `chain`.
    fn entry_before(
        &self,
        partition: PartitionId,
        chain: u8,
        at: Bound<Entry>,
    ) -> StoreResult<Option<Indexed>>;

    /// The first entries strictly after `after` in its partition and chain, at most `limit`.
    fn entries_after(&self, partition: PartitionId, after: Entry, limit: usize) -> StoreResult<Vec<Indexed>>;

    /// The first records after `after` in the partition, at most `limit`.
    fn records_after(
        &self,
        partition: PartitionId,
        after: Bound<RecordId>,
        limit: usize,
    ) -> StoreResult<Vec<(RecordId, Row)>>;
}

/// What is after a record, or everything.
fn behind(after: Option<RecordId>) -> Bound<RecordId> {
    after.map_or(Bound::Included(RecordId([0; 16])), Bound::Excluded)
}

/// What a transaction changes. A partition in `cleared` loses everything that is not in the maps.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Partitions emptied.
    pub(super) cleared: BTreeSet<PartitionId>,
    /// Partitions whose change counters move, whatever else happens to them.
    pub(super) touched: BTreeSet<PartitionId>,
    /// Records put, and removed (`None`).
    pub(super) rows: BTreeMap<(PartitionId, RecordId), Option<Row>>,
    /// Entries put, and removed (`None`).
    pub(super) entries: BTreeMap<(PartitionId, Entry), Option<[u8; 16]>>,
}

impl Changes {
    /// Every partition that is changed.
    pub(super) fn partitions(&self) -> BTreeSet<PartitionId> {
        let rows = self.rows.keys().map(|(partition, _)| *partition);
        let entries = self.entries.keys().map(|(partition, _)| *partition);
        self.cleared.union(&self.touched).copied().chain(rows).chain(entries).collect()
    }
}

/// A chain's first possible entry.
pub(super) fn first_of(chain: u8) -> Entry {
    Entry { chain, tag: [0; 16], record: RecordId([0; 16]) }
}

/// A chain's last possible entry.
pub(super) fn last_of(chain: u8) -> Entry {
    Entry { chain, tag: [0xff; 16], record: RecordId([0xff; 16]) }
}

/// The transaction.
#[derive(Debug)]
pub(super) struct Overlay<'a, B> {
    base: B,
    changes: Changes,
    reads: &'a AtomicU64,
}

impl<'a, B: Base> Overlay<'a, B> {
    /// A transaction over `base` that counts its reads in `reads`.
    pub(super) fn new(base: B, reads: &'a AtomicU64) -> Self {
        Overlay { base, changes: Changes::default(), reads }
    }

    /// What was changed.
    pub(super) fn into_changes(self) -> Changes {
        self.changes
    }

    fn count(&self, reads: usize) {
        self.reads.fetch_add(u64::try_from(reads).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn row(&self, partition: PartitionId, id: RecordId) -> StoreResult<Option<Row>> {
        match self.changes.rows.get(&(partition, id)) {
            Some(changed) => Ok(changed.clone()),
            None if self.changes.cleared.contains(&partition) => Ok(None),
            None => self.base.row(partition, id),
        }
    }

    /// The last entry up to `at` that the transaction itself put.
    fn own_entry_before(&self, partition: PartitionId, at: Entry) -> Option<Indexed> {
        let range = (partition, first_of(at.chain))..=(partition, at);
        let mut own = self.changes.entries.range(range).rev();
        own.find_map(|((_, entry), mac)| mac.map(|mac| Indexed { entry: *entry, mac }))
    }

    /// The last entry up to `at` below that the transaction has not touched.
    fn base_entry_before(&self, partition: PartitionId, at: Entry) -> StoreResult<Option<Indexed>> {
        if self.changes.cleared.contains(&partition) {
            return Ok(None);
        }
        let mut bound = Bound::Included(at);
        while let Some(found) = self.base.entry_before(partition, at.chain, bound)? {
            if !self.changes.entries.contains_key(&(partition, found.entry)) {
                return Ok(Some(found));
            }
            bound = Bound::Excluded(found.entry);
        }
        Ok(None)
    }

    /// The first entries after `after` with the transaction's own.
    fn merged_after(&self, partition: PartitionId, after: Entry, limit: usize) -> StoreResult<Vec<Indexed>> {
        let range = (Bound::Excluded((partition, after)), Bound::Included((partition, last_of(after.chain))));
        let own: Vec<_> = self.changes.entries.range(range).map(|((_, entry), mac)| (*entry, *mac)).collect();
        let below = if self.changes.cleared.contains(&partition) {
            Vec::new()
        } else {
            // Each entry of its own hides at most one below.
            self.base.entries_after(partition, after, limit.saturating_add(own.len()))?
        };
        let mut merged: BTreeMap<Entry, Option<[u8; 16]>> =
            below.into_iter().map(|indexed| (indexed.entry, Some(indexed.mac))).collect();
        merged.extend(own);
        let present = merged.into_iter().filter_map(|(entry, mac)| mac.map(|mac| Indexed { entry, mac }));
        Ok(present.take(limit).collect())
    }
}

impl<B: Base> Reader for Overlay<'_, B> {
    fn get(&mut self, partition: PartitionId, id: RecordId) -> StoreResult<Option<Row>> {
        self.count(1);
        self.row(partition, id)
    }

    fn revision(&mut self, partition: PartitionId, id: RecordId) -> StoreResult<Option<u64>> {
        self.count(1);
        Ok(self.row(partition, id)?.map(|row| row.revision))
    }

    fn entry_before(&mut self, partition: PartitionId, at: Entry) -> StoreResult<Option<Indexed>> {
        self.count(1);
        let own = self.own_entry_before(partition, at);
        let below = self.base_entry_before(partition, at)?;
        Ok(own.into_iter().chain(below).max_by_key(|indexed| indexed.entry))
    }

    fn entries_after(
        &mut self,
        partition: PartitionId,
        after: Entry,
        limit: usize,
    ) -> StoreResult<Vec<Indexed>> {
        let found = self.merged_after(partition, after, limit)?;
        self.count(found.len().max(1));
        Ok(found)
    }

    fn records_after(
        &mut self,
        partition: PartitionId,
        after: Option<RecordId>,
        limit: usize,
    ) -> StoreResult<Vec<(RecordId, Row)>> {
        let end = Bound::Included((partition, RecordId([0xff; 16])));
        let range = (behind(after).map(|after| (partition, after)), end);
        let own: Vec<_> = self.changes.rows.range(range).map(|((_, id), row)| (*id, row.clone())).collect();
        let below = if self.changes.cleared.contains(&partition) {
            Vec::new()
        } else {
            // Each record of its own hides at most one below.
            self.base.records_after(partition, behind(after), limit.saturating_add(own.len()))?
        };
        let mut merged: BTreeMap<RecordId, Option<Row>> =
            below.into_iter().map(|(id, row)| (id, Some(row))).collect();
        merged.extend(own);
        let found: Vec<_> = merged.into_iter().filter_map(|(id, row)| Some((id, row?))).take(limit).collect();
        self.count(found.len().max(1));
        Ok(found)
    }
}

impl<B: Base> Writer for Overlay<'_, B> {
    fn put(&mut self, partition: PartitionId, id: RecordId, row: &Row) -> StoreResult<()> {
        let stored = self.row(partition, id)?.map_or(0, |stored| stored.revision);
        if stored.checked_add(1) != Some(row.revision) {
            return Err(StoreError::Conflict);
        }
        self.changes.rows.insert((partition, id), Some(row.clone()));
        Ok(())
    }

    fn put_copy(&mut self, partition: PartitionId, id: RecordId, row: &Row) -> StoreResult<()> {
        if self.row(partition, id)?.is_some() {
            return Err(StoreError::Conflict);
        }
        self.changes.rows.insert((partition, id), Some(row.clone()));
        Ok(())
    }

    fn remove(&mut self, partition: PartitionId, id: RecordId, revision: u64) -> StoreResult<()> {
        if self.row(partition, id)?.map(|stored| stored.revision) != Some(revision) {
            return Err(StoreError::Conflict);
        }
        self.changes.rows.insert((partition, id), None);
        Ok(())
    }

    fn put_entry(&mut self, partition: PartitionId, indexed: &Indexed) -> StoreResult<()> {
        self.changes.entries.insert((partition, indexed.entry), Some(indexed.mac));
        Ok(())
    }

    fn remove_entry(&mut self, partition: PartitionId, entry: Entry) -> StoreResult<()> {
        self.changes.entries.insert((partition, entry), None);
        Ok(())
    }

    fn remove_partition(&mut self, partition: PartitionId) -> StoreResult<()> {
        self.changes.cleared.insert(partition);
        self.changes.rows.retain(|(other, _), _| *other != partition);
        self.changes.entries.retain(|(other, _), _| *other != partition);
        Ok(())
    }

    fn touch(&mut self, partition: PartitionId) {
        self.changes.touched.insert(partition);
    }
}
