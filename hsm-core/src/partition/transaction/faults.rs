//! For tests: a store that fails at a write of a transaction, chosen by its number.

use std::cell::Cell;

use crate::store::{Entry, Indexed, PartitionId, Reader, RecordId, Row, StoreError, StoreResult, Writer};

thread_local! {
    static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
}

/// From now on, transactions of this thread fail after so many writes; `None`: never.
pub(crate) fn fail_after(writes: Option<usize>) {
    LEFT.set(writes);
}

/// A store that fails.
pub(crate) struct Faulty<'w>(pub &'w mut dyn Writer);

impl Faulty<'_> {
    fn write(&mut self) -> StoreResult<&mut dyn Writer> {
        match LEFT.get() {
            Some(0) => Err(StoreError::Full("a fault of a test".into())),
            left => {
                LEFT.set(left.map(|left| left - 1));
                Ok(self.0)
            }
        }
    }
}

impl Reader for Faulty<'_> {
    fn get(&mut self, partition: PartitionId, id: RecordId) -> StoreResult<Option<Row>> {
        self.0.get(partition, id)
    }

    fn revision(&mut self, partition: PartitionId, id: RecordId) -> StoreResult<Option<u64>> {
        self.0.revision(partition, id)
    }

    fn entry_before(&mut self, partition: PartitionId, at: Entry) -> StoreResult<Option<Indexed>> {
        self.0.entry_before(partition, at)
    }

    fn entries_after(
        &mut self,
        partition: PartitionId,
        after: Entry,
        limit: usize,
    ) -> StoreResult<Vec<Indexed>> {
        self.0.entries_after(partition, after, limit)
    }

    fn records_after(
        &mut self,
        partition: PartitionId,
        after: Option<RecordId>,
        limit: usize,
    ) -> StoreResult<Vec<(RecordId, Row)>> {
        self.0.records_after(partition, after, limit)
    }
}

impl Writer for Faulty<'_> {
    fn put(&mut self, partition: PartitionId, id: RecordId, row: &Row) -> StoreResult<()> {
        self.write()?.put(partition, id, row)
    }

    fn put_copy(&mut self, partition: PartitionId, id: RecordId, row: &Row) -> StoreResult<()> {
        self.write()?.put_copy(partition, id, row)
    }

    fn remove(&mut self, partition: PartitionId, id: RecordId, revision: u64) -> StoreResult<()> {
        self.write()?.remove(partition, id, revision)
    }

    fn put_entry(&mut self, partition: PartitionId, indexed: &Indexed) -> StoreResult<()> {
        self.write()?.put_entry(partition, indexed)
    }

    fn remove_entry(&mut self, partition: PartitionId, entry: Entry) -> StoreResult<()> {
        self.write()?.remove_entry(partition, entry)
    }

    fn remove_partition(&mut self, partition: PartitionId) -> StoreResult<()> {
        self.write()?.remove_partition(partition)
    }

    fn touch(&mut self, partition: PartitionId) {
        self.0.touch(partition);
    }
}
