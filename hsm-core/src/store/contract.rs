//! The behaviour that every back end must show, as one set of tests which each of them passes.
//! `random` compares them on random operations, `processes` is about more than one process and
//! about dying, `damage` about SQLite files that are not as they should be.

mod damage;
mod processes;
mod random;

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

fn get(store: &dyn Store, partition: PartitionId, id: RecordId) -> Option<Row> {
    let mut found = None;
    store.read(&mut |reader| Ok(found = reader.get(partition, id)?)).unwrap();
    found
}

fn before(store: &dyn Store, partition: PartitionId, at: Entry) -> Option<Indexed> {
    let mut found = None;
    store.read(&mut |reader| Ok(found = reader.entry_before(partition, at)?)).unwrap();
    found
}

fn after(store: &dyn Store, partition: PartitionId, after: Entry, limit: usize) -> Vec<Indexed> {
    let mut found = Vec::new();
    store.read(&mut |reader| Ok(found = reader.entries_after(partition, after, limit)?)).unwrap();
    found
}

fn write(store: &dyn Store, mut body: impl FnMut(&mut dyn Writer) -> StoreResult<()>) -> Result<()> {
    store.write(P, &mut |writer| Ok(body(writer)?))
}

fn put(store: &dyn Store, partition: PartitionId, id: RecordId, row: &Row) {
    store.write(partition, &mut |writer| Ok(writer.put(partition, id, row)?)).unwrap();
}

fn is_conflict(result: &Result<()>) -> bool {
    matches!(result, Err(Error::Store(StoreError::Conflict)))
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

/// Makes the tests named here for each back end.
macro_rules! contract {
    ($($name:ident)*) => {
        mod on_sqlite {
            $(#[test] fn $name() { super::$name(super::Subject::new(super::sqlite)); })*
        }
        #[cfg(feature = "sled")]
        mod on_sled {
            $(#[test] fn $name() { super::$name(super::Subject::new(super::sled)); })*
        }
        mod on_memory {
            $(#[test] fn $name() { super::$name(super::Subject::new(super::memory)); })*
        }
    };
}

contract! {
    a_record_is_read_as_it_was_put
    an_empty_and_a_large_record_are_kept
    a_record_that_is_not_there_is_none
    a_revision_that_is_not_the_next_is_a_conflict
    a_conflict_leaves_the_transaction_usable
    removing_another_revision_is_a_conflict
    a_removed_record_begins_again_at_revision_one
    records_of_partitions_are_apart
    entries_come_in_order_and_from_their_chain_alone
    the_entry_before_is_the_last_at_or_before
    entries_after_the_ends_of_a_chain_are_none
    an_entry_is_replaced_and_removed
    an_error_rolls_everything_back
    a_panic_rolls_everything_back
    a_write_reads_what_it_wrote
    a_write_reads_entries_that_it_put_and_removed
    a_read_is_of_one_moment
    the_counter_moves_with_each_commit_of_its_partition
    the_counter_stays_when_nothing_is_committed
    the_counter_of_another_partition_that_is_written_moves_too
    a_removed_partition_is_empty_and_others_are_not
    a_removed_partition_can_be_filled_in_the_same_write
    a_reopened_store_has_what_was_committed
    a_suspended_store_works_after_resume
    a_call_waits_while_the_store_is_suspended
    a_suspended_store_can_be_dropped
    no_update_of_many_threads_is_lost
    a_read_inside_a_read_works_while_others_write
    reads_are_counted
    making_a_store_where_one_is_fails
}

fn a_record_is_read_as_it_was_put(subject: Subject) {
    put(subject.store(), P, id(1), &row(1, "one"));
    put(subject.store(), P, id(1), &row(2, "two"));
    assert_eq!(get(subject.store(), P, id(1)), Some(row(2, "two")));
    let mut revision = None;
    subject.store().read(&mut |reader| Ok(revision = reader.revision(P, id(1))?)).unwrap();
    assert_eq!(revision, Some(2));
}

fn an_empty_and_a_large_record_are_kept(subject: Subject) {
    let empty = Row { kind: 0, revision: 1, sealed: Vec::new() };
    let large = Row { kind: 255, revision: 1, sealed: (0..300_000_u32).map(|n| n as u8).collect() };
    put(subject.store(), P, id(0), &empty);
    put(subject.store(), P, id(255), &large);
    assert_eq!(get(subject.store(), P, id(0)), Some(empty));
    assert_eq!(get(subject.store(), P, id(255)), Some(large));
}

fn a_record_that_is_not_there_is_none(subject: Subject) {
    put(subject.store(), P, id(1), &row(1, "one"));
    assert_eq!(get(subject.store(), P, id(2)), None);
    let mut revision = Some(1);
    subject.store().read(&mut |reader| Ok(revision = reader.revision(P, id(2))?)).unwrap();
    assert_eq!(revision, None);
}

fn a_revision_that_is_not_the_next_is_a_conflict(subject: Subject) {
    for wrong in [0, 2, u64::MAX] {
        assert!(is_conflict(&write(subject.store(), |w| w.put(P, id(1), &row(wrong, "x")))), "{wrong}");
    }
    put(subject.store(), P, id(1), &row(1, "one"));
    for wrong in [0, 1, 3, u64::MAX] {
        assert!(is_conflict(&write(subject.store(), |w| w.put(P, id(1), &row(wrong, "x")))), "{wrong}");
    }
    assert_eq!(get(subject.store(), P, id(1)), Some(row(1, "one")));
}

fn a_conflict_leaves_the_transaction_usable(subject: Subject) {
    let body = |writer: &mut dyn Writer| {
        assert!(matches!(writer.put(P, id(1), &row(5, "x")), Err(StoreError::Conflict)));
        writer.put(P, id(1), &row(1, "one"))
    };
    write(subject.store(), body).unwrap();
    assert_eq!(get(subject.store(), P, id(1)), Some(row(1, "one")));
}

fn removing_another_revision_is_a_conflict(subject: Subject) {
    put(subject.store(), P, id(1), &row(1, "one"));
    for wrong in [0, 2, u64::MAX] {
        assert!(is_conflict(&write(subject.store(), |w| w.remove(P, id(1), wrong))), "{wrong}");
    }
    assert!(is_conflict(&write(subject.store(), |w| w.remove(P, id(2), 1))));
    assert!(is_conflict(&write(subject.store(), |w| w.remove(Q, id(1), 1))));
    write(subject.store(), |w| w.remove(P, id(1), 1)).unwrap();
    assert_eq!(get(subject.store(), P, id(1)), None);
}

fn a_removed_record_begins_again_at_revision_one(subject: Subject) {
    put(subject.store(), P, id(1), &row(1, "one"));
    let body = |writer: &mut dyn Writer| {
        writer.remove(P, id(1), 1)?;
        assert!(matches!(writer.put(P, id(1), &row(2, "x")), Err(StoreError::Conflict)));
        writer.put(P, id(1), &row(1, "again"))
    };
    write(subject.store(), body).unwrap();
    assert_eq!(get(subject.store(), P, id(1)), Some(row(1, "again")));
}

fn records_of_partitions_are_apart(subject: Subject) {
    put(subject.store(), P, id(1), &row(1, "p"));
    put(subject.store(), Q, id(1), &row(1, "q"));
    put(subject.store(), PartitionId::HSM, id(1), &row(1, "hsm"));
    assert_eq!(get(subject.store(), P, id(1)), Some(row(1, "p")));
    assert_eq!(get(subject.store(), Q, id(1)), Some(row(1, "q")));
    assert_eq!(get(subject.store(), PartitionId::HSM, id(1)), Some(row(1, "hsm")));
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

fn entries_come_in_order_and_from_their_chain_alone(subject: Subject) {
    put_entries(subject.store());
    let all = [indexed(3, 1, 9), indexed(3, 5, 1), indexed(3, 5, 2), indexed(3, 200, 0)];
    let begin = indexed(3, 0, 0).entry;
    assert_eq!(after(subject.store(), P, begin, 100), all);
    assert_eq!(after(subject.store(), P, begin, 2), all[..2]);
    assert_eq!(after(subject.store(), P, begin, 0), []);
    assert_eq!(after(subject.store(), P, all[1].entry, usize::MAX), all[2..]);
    assert_eq!(after(subject.store(), Q, begin, 100), [indexed(3, 4, 4)]);
}

fn the_entry_before_is_the_last_at_or_before(subject: Subject) {
    put_entries(subject.store());
    let at = |tag, record| before(subject.store(), P, indexed(3, tag, record).entry);
    assert_eq!(at(0, 255), None);
    assert_eq!(at(1, 8), None);
    assert_eq!(at(1, 9), Some(indexed(3, 1, 9)));
    assert_eq!(at(5, 1), Some(indexed(3, 5, 1)));
    assert_eq!(at(5, 9), Some(indexed(3, 5, 2)));
    assert_eq!(at(255, 255), Some(indexed(3, 200, 0)));
    assert_eq!(before(subject.store(), P, indexed(5, 255, 255).entry), None);
}

fn entries_after_the_ends_of_a_chain_are_none(subject: Subject) {
    let body = |writer: &mut dyn Writer| {
        writer.put_entry(P, &indexed(255, 255, 255))?;
        writer.put_entry(P, &indexed(0, 0, 0))?;
        assert_eq!(writer.entries_after(P, indexed(255, 255, 255).entry, 9)?, []);
        assert_eq!(writer.entry_before(P, indexed(0, 0, 0).entry)?, Some(indexed(0, 0, 0)));
        writer.remove_entry(P, indexed(0, 0, 0).entry)?;
        assert_eq!(writer.entry_before(P, indexed(0, 0, 0).entry)?, None);
        Ok(())
    };
    write(subject.store(), body).unwrap();
    assert_eq!(after(subject.store(), P, indexed(255, 255, 255).entry, 9), []);
    assert_eq!(after(subject.store(), P, indexed(255, 0, 0).entry, 9), [indexed(255, 255, 255)]);
    assert_eq!(before(subject.store(), P, indexed(0, 0, 0).entry), None);
}

fn an_entry_is_replaced_and_removed(subject: Subject) {
    put_entries(subject.store());
    let changed = Indexed { mac: [0xaa; 16], ..indexed(3, 5, 1) };
    write(subject.store(), |w| w.put_entry(P, &changed)).unwrap();
    assert_eq!(before(subject.store(), P, changed.entry), Some(changed.clone()));
    write(subject.store(), |w| w.remove_entry(P, changed.entry)).unwrap();
    write(subject.store(), |w| w.remove_entry(P, changed.entry)).unwrap();
    assert_eq!(before(subject.store(), P, changed.entry), Some(indexed(3, 1, 9)));
}

/// A store with a record and an entry, and a body that changes everything about them.
fn change_everything(writer: &mut dyn Writer) -> StoreResult<()> {
    writer.put(P, id(1), &row(2, "changed"))?;
    writer.put(P, id(2), &row(1, "new"))?;
    writer.remove_entry(P, indexed(1, 1, 1).entry)?;
    writer.put_entry(P, &indexed(1, 2, 2))?;
    writer.remove_partition(Q)
}

fn put_something(store: &dyn Store) {
    put(store, P, id(1), &row(1, "kept"));
    put(store, Q, id(1), &row(1, "kept too"));
    write(store, |w| w.put_entry(P, &indexed(1, 1, 1))).unwrap();
}

fn assert_nothing_changed(store: &dyn Store) {
    assert_eq!(get(store, P, id(1)), Some(row(1, "kept")));
    assert_eq!(get(store, P, id(2)), None);
    assert_eq!(get(store, Q, id(1)), Some(row(1, "kept too")));
    assert_eq!(after(store, P, indexed(1, 0, 0).entry, 9), [indexed(1, 1, 1)]);
}

fn an_error_rolls_everything_back(subject: Subject) {
    put_something(subject.store());
    let refused = subject.store().write(P, &mut |writer| {
        change_everything(writer)?;
        Err(Error::NoSuchObject)
    });
    assert!(matches!(refused, Err(Error::NoSuchObject)));
    assert_nothing_changed(subject.store());
}

fn a_panic_rolls_everything_back(subject: Subject) {
    put_something(subject.store());
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        write(subject.store(), |writer| {
            change_everything(writer)?;
            panic!("in the middle of a write, as this test wants it")
        })
    }));
    assert!(panicked.is_err());
    assert_nothing_changed(subject.store());
    put(subject.store(), P, id(1), &row(2, "goes on"));
}

fn a_write_reads_what_it_wrote(subject: Subject) {
    put_something(subject.store());
    let body = |writer: &mut dyn Writer| {
        change_everything(writer)?;
        assert_eq!(writer.get(P, id(1))?, Some(row(2, "changed")));
        assert_eq!(writer.revision(P, id(2))?, Some(1));
        assert_eq!(writer.get(Q, id(1))?, None);
        writer.remove(P, id(2), 1)?;
        assert_eq!(writer.get(P, id(2))?, None);
        Ok(())
    };
    write(subject.store(), body).unwrap();
}

fn a_write_reads_entries_that_it_put_and_removed(subject: Subject) {
    put_entries(subject.store());
    let body = |writer: &mut dyn Writer| {
        writer.remove_entry(P, indexed(3, 5, 1).entry)?;
        writer.remove_entry(P, indexed(3, 5, 2).entry)?;
        writer.put_entry(P, &indexed(3, 6, 6))?;
        let begin = indexed(3, 0, 0).entry;
        let all = [indexed(3, 1, 9), indexed(3, 6, 6), indexed(3, 200, 0)];
        assert_eq!(writer.entries_after(P, begin, 9)?, all);
        assert_eq!(writer.entries_after(P, begin, 2)?, all[..2]);
        assert_eq!(writer.entry_before(P, indexed(3, 5, 9).entry)?, Some(indexed(3, 1, 9)));
        assert_eq!(writer.entry_before(P, indexed(3, 7, 0).entry)?, Some(indexed(3, 6, 6)));
        Ok(())
    };
    write(subject.store(), body).unwrap();
}

/// Two records always hold the same revision; a reader never sees them differ, however long it reads.
fn a_read_is_of_one_moment(subject: Subject) {
    let store = subject.store();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for revision in 1..40 {
                let body = |writer: &mut dyn Writer| {
                    writer.put(P, id(1), &row(revision, "a"))?;
                    writer.put(P, id(2), &row(revision, "b"))
                };
                write(store, body).unwrap();
            }
            done.store(true, Ordering::SeqCst);
        });
        while !done.load(Ordering::SeqCst) {
            let body = &mut |reader: &mut dyn Reader| {
                let first = reader.revision(P, id(1))?;
                std::thread::sleep(std::time::Duration::from_micros(300));
                assert_eq!(first, reader.revision(P, id(2))?);
                assert_eq!(first, reader.revision(P, id(1))?);
                Ok(())
            };
            store.read(body).unwrap();
        }
    });
}

fn the_counter_moves_with_each_commit_of_its_partition(subject: Subject) {
    put(subject.store(), P, id(1), &row(1, "x"));
    put(subject.store(), Q, id(1), &row(1, "x"));
    let of_q = subject.store().generation(Q).unwrap();
    let mut seen = vec![subject.store().generation(P).unwrap().unwrap()];
    for revision in 2..10 {
        put(subject.store(), P, id(1), &row(revision, "x"));
        let now = subject.store().generation(P).unwrap().unwrap();
        assert!(!seen.contains(&now));
        seen.push(now);
    }
    assert_eq!(subject.store().generation(Q).unwrap(), of_q);
    assert!(of_q.is_some());
}

fn the_counter_stays_when_nothing_is_committed(subject: Subject) {
    put(subject.store(), P, id(1), &row(1, "x"));
    let before = subject.store().generation(P).unwrap();
    assert!(before.is_some());
    assert!(is_conflict(&write(subject.store(), |w| {
        w.put(P, id(2), &row(1, "y"))?;
        w.put(P, id(1), &row(7, "x"))
    })));
    get(subject.store(), P, id(1));
    assert_eq!(subject.store().generation(P).unwrap(), before);
}

fn the_counter_of_another_partition_that_is_written_moves_too(subject: Subject) {
    put(subject.store(), P, id(1), &row(1, "x"));
    put(subject.store(), Q, id(1), &row(1, "x"));
    let before = subject.store().generation(Q).unwrap();
    write(subject.store(), |w| w.remove(Q, id(1), 1)).unwrap();
    assert_ne!(subject.store().generation(Q).unwrap(), before);
}

fn a_removed_partition_is_empty_and_others_are_not(subject: Subject) {
    put_entries(subject.store());
    put(subject.store(), P, id(1), &row(1, "p"));
    put(subject.store(), Q, id(1), &row(1, "q"));
    let before = subject.store().generation(P).unwrap();
    write(subject.store(), |w| w.remove_partition(P)).unwrap();
    assert_eq!(get(subject.store(), P, id(1)), None);
    assert_eq!(after(subject.store(), P, indexed(3, 0, 0).entry, 9), []);
    assert_eq!(get(subject.store(), Q, id(1)), Some(row(1, "q")));
    assert_eq!(after(subject.store(), Q, indexed(3, 0, 0).entry, 9), [indexed(3, 4, 4)]);
    assert_ne!(subject.store().generation(P).unwrap(), before);
}

fn a_removed_partition_can_be_filled_in_the_same_write(subject: Subject) {
    put_entries(subject.store());
    put(subject.store(), P, id(1), &row(1, "old"));
    let body = |writer: &mut dyn Writer| {
        writer.remove_partition(P)?;
        assert_eq!(writer.entry_before(P, indexed(3, 9, 9).entry)?, None);
        writer.put(P, id(2), &row(1, "new"))?;
        writer.put_entry(P, &indexed(3, 8, 8))?;
        assert_eq!(writer.entries_after(P, indexed(3, 0, 0).entry, 9)?, [indexed(3, 8, 8)]);
        Ok(())
    };
    write(subject.store(), body).unwrap();
    assert_eq!(get(subject.store(), P, id(1)), None);
    assert_eq!(get(subject.store(), P, id(2)), Some(row(1, "new")));
    assert_eq!(after(subject.store(), P, indexed(3, 0, 0).entry, 9), [indexed(3, 8, 8)]);
    assert!(subject.store().generation(P).unwrap().is_some());
}

fn a_reopened_store_has_what_was_committed(mut subject: Subject) {
    put_entries(subject.store());
    put(subject.store(), P, id(1), &row(1, "one"));
    let Some(store) = subject.reopened() else { return };
    assert_eq!(get(store, P, id(1)), Some(row(1, "one")));
    assert_eq!(after(store, P, indexed(3, 5, 2).entry, 9), [indexed(3, 200, 0)]);
    put(store, P, id(1), &row(2, "two"));
}

fn a_suspended_store_works_after_resume(subject: Subject) {
    put(subject.store(), P, id(1), &row(1, "one"));
    let before = subject.store().generation(P).unwrap();
    for revision in 2..5 {
        subject.store().suspend();
        subject.store().resume();
        assert_eq!(get(subject.store(), P, id(1)).unwrap().revision, revision - 1);
        put(subject.store(), P, id(1), &row(revision, "next"));
    }
    assert_ne!(subject.store().generation(P).unwrap(), before);
}

fn a_call_waits_while_the_store_is_suspended(subject: Subject) {
    let resumed = AtomicBool::new(false);
    subject.store().suspend();
    std::thread::scope(|scope| {
        for writes in [false, true] {
            let (subject, resumed) = (&subject, &resumed);
            scope.spawn(move || {
                if writes {
                    put(subject.store(), P, id(1), &row(1, "one"));
                } else {
                    get(subject.store(), P, id(1));
                }
                assert!(resumed.load(Ordering::SeqCst), "ran on a suspended store");
            });
        }
        std::thread::sleep(std::time::Duration::from_millis(30));
        resumed.store(true, Ordering::SeqCst);
        subject.store().resume();
    });
}

fn a_suspended_store_can_be_dropped(mut subject: Subject) {
    put(subject.store(), P, id(1), &row(1, "one"));
    subject.store().suspend();
    let Some(store) = subject.reopened() else { return };
    assert_eq!(get(store, P, id(1)), Some(row(1, "one")));
}

fn no_update_of_many_threads_is_lost(subject: Subject) {
    let store = subject.store();
    put(store, P, id(1), &row(1, "0"));
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let body = |writer: &mut dyn Writer| {
                        let old = writer.get(P, id(1))?.unwrap();
                        let count: u64 = std::str::from_utf8(&old.sealed).unwrap().parse().unwrap();
                        writer.put(P, id(1), &row(old.revision + 1, &(count + 1).to_string()))
                    };
                    write(store, body).unwrap();
                }
            });
        }
    });
    assert_eq!(get(store, P, id(1)), Some(row(121, "120")));
}

fn a_read_inside_a_read_works_while_others_write(subject: Subject) {
    let store = subject.store();
    put(store, P, id(1), &row(1, "x"));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut revision = 2;
            while !done.load(Ordering::SeqCst) {
                put(store, P, id(1), &row(revision, "x"));
                revision += 1;
            }
        });
        for _ in 0..20 {
            store.read(&mut |_| Ok(assert!(get(store, P, id(1)).is_some()))).unwrap();
        }
        done.store(true, Ordering::SeqCst);
    });
}

fn reads_are_counted(subject: Subject) {
    put_entries(subject.store());
    let before = subject.store().reads();
    get(subject.store(), P, id(1));
    assert_eq!(subject.store().reads() - before, 1);
    after(subject.store(), P, indexed(3, 0, 0).entry, 3);
    assert_eq!(subject.store().reads() - before, 4);
    subject.store().generation(P).unwrap();
    assert_eq!(subject.store().reads() - before, 4, "the counter is no read");
}

fn making_a_store_where_one_is_fails(subject: Subject) {
    put(subject.store(), P, id(1), &row(1, "one"));
    if subject.url != StoreUrl::Memory {
        assert!(matches!(create(&subject.url, None), Err(StoreError::Exists(_))));
    }
    assert_eq!(get(subject.store(), P, id(1)), Some(row(1, "one")));
}

#[test]
fn opening_what_is_not_there_makes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("none");
    let mut urls = vec![sqlite(directory.path()), sqlite(&missing), memory(&missing)];
    #[cfg(feature = "sled")]
    urls.extend([sled(directory.path()), sled(&missing)]);
    for url in urls {
        assert!(matches!(open(&url), Err(StoreError::Missing(_))), "{url}");
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}
