//! The behaviour that every back end must show, as one set of tests which each of them passes.
//! `random` compares them on random operations; `processes` is about several processes, and about
//! processes that die.

mod counters;
mod entries;
mod life;
mod processes;
mod random;
mod records;
mod transactions;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{
    Entry, Indexed, PartitionId, Reader, RecordId, Row, Store, StoreError, StoreResult, StoreUrl, Writer,
    create, open,
};
use crate::{Error, Result};

const P: PartitionId = PartitionId([1; 16]);
const Q: PartitionId = PartitionId([2; 16]);

fn id(number: u8) -> RecordId {
    RecordId([number; 16])
}

fn row(revision: u64, text: &str) -> Row {
    Row { kind: 7, revision, sealed: text.as_bytes().to_vec() }
}

fn indexed(chain: u8, tag: u8, record: u8) -> Indexed {
    let entry = Entry { chain, tag: [tag; 16], record: id(record) };
    Indexed { entry, mac: [tag ^ record; 16] }
}

fn read<T>(store: &dyn Store, mut body: impl FnMut(&mut dyn Reader) -> StoreResult<T>) -> T {
    let mut found = None;
    let done = store.read(&mut |reader| {
        found = Some(body(reader)?);
        Ok(())
    });
    done.unwrap();
    found.unwrap()
}

fn get(store: &dyn Store, partition: PartitionId, id: RecordId) -> Option<Row> {
    read(store, |reader| reader.get(partition, id))
}

fn before(store: &dyn Store, partition: PartitionId, at: Entry) -> Option<Indexed> {
    read(store, |reader| reader.entry_before(partition, at))
}

fn after(store: &dyn Store, partition: PartitionId, after: Entry, limit: usize) -> Vec<Indexed> {
    read(store, |reader| reader.entries_after(partition, after, limit))
}

fn write(store: &dyn Store, mut body: impl FnMut(&mut dyn Writer) -> StoreResult<()>) -> Result<()> {
    store.write(P, &mut |writer| Ok(body(writer)?))
}

fn put(store: &dyn Store, partition: PartitionId, id: RecordId, row: &Row) {
    store.write(partition, &mut |writer| Ok(writer.put(partition, id, row)?)).unwrap();
}

fn is_conflict(result: &Result<()>) -> bool {
    matches!(result, Err(Error::Conflict))
}

/// A back end under test: an empty store, and how to open it once more.
struct Subject {
    store: Option<Box<dyn Store>>,
    url: StoreUrl,
    _directory: tempfile::TempDir,
}

impl Subject {
    fn new(url: fn(&Path) -> StoreUrl) -> Subject {
        let directory = tempfile::tempdir().unwrap();
        let url = url(&directory.path().join("store"));
        Subject { store: Some(create(&url, None).unwrap()), url, _directory: directory }
    }

    fn store(&self) -> &dyn Store {
        self.store.as_deref().unwrap()
    }

    /// Closes the store and opens it again; `None` for a store that does not outlive its handle.
    fn reopened(&mut self) -> Option<&dyn Store> {
        if self.url == StoreUrl::Memory {
            return None;
        }
        self.store = None;
        self.store = Some(open(&self.url).unwrap());
        self.store.as_deref()
    }
}

fn sqlite(directory: &Path) -> StoreUrl {
    StoreUrl::Sqlite(directory.to_path_buf())
}

#[cfg(feature = "sled")]
fn sled(directory: &Path) -> StoreUrl {
    StoreUrl::Sled(directory.to_path_buf())
}

fn memory(_: &Path) -> StoreUrl {
    StoreUrl::Memory
}

/// Entries in two chains and two partitions, put in no order. Those of chain 3 of `P` in order:
/// (1, 9), (5, 1), (5, 2), (200, 0).
fn put_entries(store: &dyn Store) {
    let body = |writer: &mut dyn Writer| {
        for (tag, record) in [(5, 2), (200, 0), (1, 9), (5, 1)] {
            writer.put_entry(P, &indexed(3, tag, record))?;
        }
        writer.put_entry(P, &indexed(2, 5, 1))?;
        writer.put_entry(P, &indexed(4, 0, 0))?;
        writer.put_entry(Q, &indexed(3, 4, 4))
    };
    write(store, body).unwrap();
}

/// Makes the tests named here, from the module named, for each back end.
macro_rules! contract {
    ($($module:ident: $($name:ident)*;)*) => {
        mod on_sqlite {
            $($(#[test] fn $name() { super::$module::$name(super::Subject::new(super::sqlite)); })*)*
        }
        #[cfg(feature = "sled")]
        mod on_sled {
            $($(#[test] fn $name() { super::$module::$name(super::Subject::new(super::sled)); })*)*
        }
        mod on_memory {
            $($(#[test] fn $name() { super::$module::$name(super::Subject::new(super::memory)); })*)*
        }
    };
}

contract! {
    records:
        a_record_is_read_as_it_was_put
        an_empty_and_a_large_record_are_kept
        a_record_that_is_not_there_is_none
        a_revision_that_is_not_the_next_is_a_conflict
        a_conflict_leaves_the_transaction_usable
        removing_another_revision_is_a_conflict
        a_removed_record_begins_again_at_revision_one
        records_of_partitions_are_apart
        a_removed_partition_is_empty_and_others_are_not
        a_removed_partition_can_be_filled_in_the_same_write
        records_come_in_order_and_from_their_partition_alone
        a_copy_keeps_its_revision_and_finds_its_place_free;
    entries:
        entries_come_in_order_and_from_their_chain_alone
        the_entry_before_is_the_last_at_or_before
        entries_after_the_ends_of_a_chain_are_none
        an_entry_is_replaced_and_removed
        a_write_reads_entries_that_it_put_and_removed
        reads_are_counted;
    transactions:
        an_error_rolls_everything_back
        a_panic_rolls_everything_back
        a_write_reads_what_it_wrote
        a_read_is_of_one_moment
        no_update_of_many_threads_is_lost
        a_read_inside_a_read_works_while_others_write;
    counters:
        the_counter_moves_with_each_commit_of_its_partition
        the_counter_stays_when_nothing_is_committed
        the_counter_of_another_partition_that_is_written_moves_too
        the_counter_of_a_partition_that_is_touched_moves
        a_counter_that_stands_still_means_unchanged_data;
    life:
        a_reopened_store_has_what_was_committed
        what_many_threads_were_told_is_there_is_there_after_reopening
        a_suspended_store_works_after_resume
        a_call_waits_while_the_store_is_suspended
        a_suspended_store_can_be_dropped
        making_a_store_where_one_is_fails;
}

#[test]
fn opening_what_is_not_there_makes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("none");
    let urls = [
        sqlite(directory.path()),
        sqlite(&missing),
        #[cfg(feature = "sled")]
        sled(directory.path()),
        #[cfg(feature = "sled")]
        sled(&missing),
        memory(&missing),
    ];
    for url in urls {
        assert!(matches!(open(&url), Err(StoreError::Missing(_))), "{url}");
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}
