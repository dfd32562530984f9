//! The statements: one consistent view of the database, read or read and written.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::{Connection, OptionalExtension, Params, Row as Columns, params};

use super::failure::{self, damaged};
use crate::store::overlay::{first_of, last_of};
use crate::store::{Entry, Indexed, PartitionId, Reader, RecordId, Row, StoreError, StoreResult, Writer};

const ENTRY_BEFORE: &str = "SELECT entry, mac FROM entries WHERE partition = ?1 AND entry BETWEEN ?2 AND ?3
    ORDER BY entry DESC LIMIT 1";
const ENTRIES_AFTER: &str =
    "SELECT entry, mac FROM entries WHERE partition = ?1 AND entry > ?2 AND entry <= ?3
    ORDER BY entry LIMIT ?4";

/// A transaction; rolled back when dropped without a commit.
#[derive(Debug)]
pub(super) struct Transaction<'c> {
    connection: &'c Connection,
    path: &'c Path,
}

impl<'c> Transaction<'c> {
    /// Begins to read. What is read is of the moment of the first statement.
    pub(super) fn read(connection: &'c Connection, path: &'c Path) -> StoreResult<Self> {
        Transaction { connection, path }.run("BEGIN")
    }

    /// Begins to write: takes SQLite's write lock.
    pub(super) fn write(connection: &'c Connection, path: &'c Path) -> StoreResult<Self> {
        Transaction { connection, path }.run("BEGIN IMMEDIATE")
    }

    /// Commits, into the log: `durable` brings it to the disk.
    pub(super) fn commit(self) -> StoreResult<()> {
        self.run("COMMIT").map(drop)
    }

    fn run(self, sql: &str) -> StoreResult<Self> {
        let done = self.connection.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
        done.map_err(failure::of(self.path))?;
        Ok(self)
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        // SQLite rolls back by itself after some errors; a second time would be an error.
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            log::warn!("{}: a transaction was not rolled back: {error}", self.path.display());
        }
    }
}

/// Partitions that a transaction changed, and whether each was removed and not written since.
pub(super) type Changed = BTreeMap<PartitionId, bool>;

/// The view of a transaction.
#[derive(Debug)]
pub(super) struct View<'c> {
    connection: &'c Connection,
    path: &'c Path,
    reads: &'c AtomicU64,
    changed: Changed,
    failed: bool,
}

impl<'c> View<'c> {
    /// The view of the transaction that `connection` is in; counts reads in `reads`.
    pub(super) fn new(connection: &'c Connection, path: &'c Path, reads: &'c AtomicU64) -> Self {
        View { connection, path, reads, changed: Changed::new(), failed: false }
    }

    /// What was changed, if nothing failed.
    pub(super) fn into_changed(mut self) -> StoreResult<Changed> {
        self.checked(|_| Ok(()))?;
        Ok(self.changed)
    }

    /// Whether the partition has any record.
    pub(super) fn holds(&mut self, partition: PartitionId) -> StoreResult<bool> {
        let sql = "SELECT 1 FROM records WHERE partition = ?1 LIMIT 1";
        Ok(self.one(sql, params![partition.0], |_| Ok(()))?.is_some())
    }

    /// Runs `work` unless something failed before. After some errors (a full disk, for one) SQLite
    /// has rolled the transaction back, and a statement run then would be committed on its own.
    fn checked<T>(&mut self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> StoreResult<T> {
        if self.failed {
            let detail = "an earlier step of this transaction failed".to_owned();
            return Err(StoreError::Failed { path: self.path.to_path_buf(), detail });
        }
        work(self.connection).map_err(failure::of(self.path)).inspect_err(|_| self.failed = true)
    }

    /// The first row that a query finds.
    fn one<T>(
        &mut self,
        sql: &str,
        params: impl Params,
        decode: impl FnOnce(&Columns<'_>) -> rusqlite::Result<T>,
    ) -> StoreResult<Option<T>> {
        self.checked(|connection| connection.prepare_cached(sql)?.query_row(params, decode).optional())
    }

    /// How many rows a statement changed.
    fn change(&mut self, partition: PartitionId, sql: &str, params: impl Params) -> StoreResult<usize> {
        let changed = self.checked(|connection| connection.prepare_cached(sql)?.execute(params))?;
        self.changed.insert(partition, false);
        Ok(changed)
    }

    /// A revision as the database keeps it.
    fn revision_column(&self, revision: u64) -> StoreResult<i64> {
        i64::try_from(revision).map_err(|_| StoreError::Conflict)
    }

    fn unsigned(&self, revision: i64) -> StoreResult<u64> {
        u64::try_from(revision).map_err(|_| damaged(self.path, "a revision is negative"))
    }

    fn indexed(&self, (entry, mac): ([u8; 33], [u8; 16])) -> StoreResult<Indexed> {
        let entry =
            Entry::from_bytes(&entry).ok_or_else(|| damaged(self.path, "an entry's length is wrong"))?;
        Ok(Indexed { entry, mac })
    }

    fn count(&self, reads: usize) {
        self.reads.fetch_add(u64::try_from(reads).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// The columns of an entry.
fn entry_columns(columns: &Columns<'_>) -> rusqlite::Result<([u8; 33], [u8; 16])> {
    Ok((columns.get(0)?, columns.get(1)?))
}

impl Reader for View<'_> {
    fn get(&mut self, partition: PartitionId, id: RecordId) -> StoreResult<Option<Row>> {
        self.count(1);
        let sql = "SELECT kind, revision, sealed FROM records WHERE partition = ?1 AND id = ?2";
        let found = self.one(sql, params![partition.0, id.0], |columns| {
            Ok((columns.get(0)?, columns.get(1)?, columns.get(2)?))
        })?;
        let Some((kind, revision, sealed)) = found else { return Ok(None) };
        Ok(Some(Row { kind, revision: self.unsigned(revision)?, sealed }))
    }

    fn revision(&mut self, partition: PartitionId, id: RecordId) -> StoreResult<Option<u64>> {
        self.count(1);
        let sql = "SELECT revision FROM records WHERE partition = ?1 AND id = ?2";
        let found = self.one(sql, params![partition.0, id.0], |columns| columns.get(0))?;
        found.map(|revision| self.unsigned(revision)).transpose()
    }

    fn entry_before(&mut self, partition: PartitionId, at: Entry) -> StoreResult<Option<Indexed>> {
        self.count(1);
        let (first, at) = (first_of(at.chain).to_bytes(), at.to_bytes());
        let found = self.one(ENTRY_BEFORE, params![partition.0, first, at], entry_columns)?;
        found.map(|columns| self.indexed(columns)).transpose()
    }

    fn entries_after(
        &mut self,
        partition: PartitionId,
        after: Entry,
        limit: usize,
    ) -> StoreResult<Vec<Indexed>> {
        let (last, after) = (last_of(after.chain).to_bytes(), after.to_bytes());
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let found: Vec<_> = self.checked(|connection| {
            let mut statement = connection.prepare_cached(ENTRIES_AFTER)?;
            let found = statement.query_map(params![partition.0, after, last, limit], entry_columns)?;
            found.collect()
        })?;
        self.count(found.len().max(1));
        found.into_iter().map(|columns| self.indexed(columns)).collect()
    }

    fn records_after(
        &mut self,
        partition: PartitionId,
        after: Option<RecordId>,
        limit: usize,
    ) -> StoreResult<Vec<(RecordId, Row)>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        // No number of a record is shorter than 16 bytes.
        let after = after.map_or_else(Vec::new, |after| after.0.to_vec());
        let found: Vec<([u8; 16], u8, i64, Vec<u8>)> = self.checked(|connection| {
            let sql = "SELECT id, kind, revision, sealed FROM records WHERE partition = ?1 AND id > ?2
                ORDER BY id LIMIT ?3";
            let mut statement = connection.prepare_cached(sql)?;
            let found = statement.query_map(params![partition.0, after, limit], |columns| {
                Ok((columns.get(0)?, columns.get(1)?, columns.get(2)?, columns.get(3)?))
            })?;
            found.collect()
        })?;
        self.count(found.len().max(1));
        let row = |(id, kind, revision, sealed)| {
            Ok((RecordId(id), Row { kind, revision: self.unsigned(revision)?, sealed }))
        };
        found.into_iter().map(row).collect()
    }
}

impl Writer for View<'_> {
    fn put(&mut self, partition: PartitionId, id: RecordId, row: &Row) -> StoreResult<()> {
        let revision = self.revision_column(row.revision)?;
        let changed = if revision == 1 {
            let sql = "INSERT INTO records (partition, id, kind, revision, sealed)
                VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
            self.change(partition, sql, params![partition.0, id.0, row.kind, revision, row.sealed])?
        } else {
            let sql = "UPDATE records SET kind = ?3, revision = ?4, sealed = ?5
                WHERE partition = ?1 AND id = ?2 AND revision = ?4 - 1";
            self.change(partition, sql, params![partition.0, id.0, row.kind, revision, row.sealed])?
        };
        if changed == 1 { Ok(()) } else { Err(StoreError::Conflict) }
    }

    fn put_copy(&mut self, partition: PartitionId, id: RecordId, row: &Row) -> StoreResult<()> {
        let revision = self.revision_column(row.revision)?;
        let sql = "INSERT INTO records (partition, id, kind, revision, sealed)
            VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
        let changed =
            self.change(partition, sql, params![partition.0, id.0, row.kind, revision, row.sealed])?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Conflict) }
    }

    fn remove(&mut self, partition: PartitionId, id: RecordId, revision: u64) -> StoreResult<()> {
        let revision = self.revision_column(revision)?;
        let sql = "DELETE FROM records WHERE partition = ?1 AND id = ?2 AND revision = ?3";
        let removed = self.change(partition, sql, params![partition.0, id.0, revision])?;
        if removed == 1 { Ok(()) } else { Err(StoreError::Conflict) }
    }

    fn put_entry(&mut self, partition: PartitionId, indexed: &Indexed) -> StoreResult<()> {
        let sql = "INSERT INTO entries (partition, entry, mac) VALUES (?1, ?2, ?3)
            ON CONFLICT DO UPDATE SET mac = excluded.mac";
        let entry = indexed.entry.to_bytes();
        self.change(partition, sql, params![partition.0, entry, indexed.mac]).map(drop)
    }

    fn remove_entry(&mut self, partition: PartitionId, entry: Entry) -> StoreResult<()> {
        let sql = "DELETE FROM entries WHERE partition = ?1 AND entry = ?2";
        self.change(partition, sql, params![partition.0, entry.to_bytes()]).map(drop)
    }

    fn remove_partition(&mut self, partition: PartitionId) -> StoreResult<()> {
        self.change(partition, "DELETE FROM records WHERE partition = ?1", params![partition.0])?;
        self.change(partition, "DELETE FROM entries WHERE partition = ?1", params![partition.0])?;
        self.changed.insert(partition, true);
        Ok(())
    }

    fn touch(&mut self, partition: PartitionId) {
        self.changed.entry(partition).or_default();
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;
    use crate::store::place::Place;
    use crate::store::sqlite::connection;

    #[test]
    fn a_range_is_planned_once_whatever_bounds_it() {
        let directory = tempfile::tempdir().unwrap();
        let place = Place::new(directory.path(), "sqlite").unwrap();
        connection::create(&place, None).unwrap();
        let connection = connection::connect(&place).unwrap();
        let reads = AtomicU64::new(0);
        let mut view = View::new(&connection, place.main(), &reads);
        for value in 0..50 {
            let entry = first_of(value);
            view.entry_before(PartitionId([value; 16]), entry).unwrap();
            view.entries_after(PartitionId([value; 16]), entry, 10).unwrap();
        }
        for sql in [ENTRY_BEFORE, ENTRIES_AFTER] {
            let statement = connection.prepare_cached(sql).unwrap();
            assert_eq!(statement.get_status(StatementStatus::RePrepare), 0, "{sql}");
            assert!(statement.get_status(StatementStatus::Run) > 1, "{sql}: the statement is another");
        }
    }
}
