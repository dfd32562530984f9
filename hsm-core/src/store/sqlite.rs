//! The store in SQLite, for any number of processes at once. This file is the life of a store and
//! the order of its locks; `connection` opens, makes and pools connections, `view` holds the
//! statements, `failure` names what goes wrong, `log_tail` looks for a damaged end of the log.
//!
//! Nothing but SQLite opens its files: SQLite holds POSIX locks on them, and closing any other
//! descriptor of such a file drops every lock that the process has on it.

mod connection;
mod failure;
mod log_tail;
#[cfg(test)]
mod tests;
mod view;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use rusqlite::Connection;

use super::counter::Counters;
use super::gate::{Gate, Inside, PATIENCE};
use super::place::{Place, failure};
use super::probe::refuse_network;
use super::writer_queue::{Held, WriterQueue};
use super::{PartitionId, Reader, Store, StoreError, StoreResult, Writer};
use connection::{Pool, Synchronous, close_quietly, is_reusable};
use view::{Transaction, View};

/// A store in SQLite. A write takes, in this order: its turn among the threads, the suspend gate,
/// its turn among the processes, SQLite's write lock.
#[derive(Debug)]
pub(super) struct SqliteStore {
    place: Place,
    gate: Gate,
    queue: WriterQueue,
    counters: Counters,
    readers: Pool,
    /// The connection that writes, kept apart for its cache; taken out while in use.
    writer: Mutex<Option<Connection>>,
    reads: AtomicU64,
}

impl SqliteStore {
    /// Makes a store in `directory` and opens it.
    pub(super) fn create(directory: &Path, group: Option<u32>) -> StoreResult<SqliteStore> {
        let place = Place::new(directory, "sqlite")?;
        place.make_directory(group)?;
        refuse_network(place.directory())?;
        connection::create(&place, group)?;
        // Made now, so that they belong to who made the store.
        place.open_or_make("lock")?;
        place.open_or_make("queue")?;
        SqliteStore::open(directory)
    }

    /// Opens the store in `directory`.
    pub(super) fn open(directory: &Path) -> StoreResult<SqliteStore> {
        let place = Place::new(directory, "sqlite")?;
        if let Err(error) = std::fs::metadata(place.main()) {
            return Err(match failure(place.main(), error) {
                StoreError::Missing(_) => StoreError::Missing(place.directory().to_path_buf()),
                other => other,
            });
        }
        refuse_network(place.directory())?;
        let store = SqliteStore {
            gate: Gate::default(),
            queue: WriterQueue::new(place.clone()),
            counters: Counters::new(place.clone()),
            readers: Pool::new(place.clone()),
            writer: Mutex::new(None),
            reads: AtomicU64::new(0),
            place,
        };
        store.readers.with(|connection| {
            connection::check(connection, store.place.main())?;
            log_tail::warn_of_damage(connection, store.place.main());
            StoreResult::Ok(())
        })?;
        Ok(store)
    }

    /// Waits for the right to write. A suspend does not wait for those who only wait here: they step
    /// out of the gate, close nothing that is needed, and come again.
    fn right_to_write(&self) -> StoreResult<Writing<'_>> {
        let deadline = Instant::now() + PATIENCE;
        let turn = self.queue.wait_in_process(deadline)?;
        loop {
            let inside = self.gate.enter().ok_or_else(|| self.busy())?;
            if let Some(held) = self.queue.wait(&turn, deadline, || self.gate.is_closing())? {
                return Ok(Writing { _held: held, _inside: inside, _turn: turn });
            }
        }
    }

    fn take_writer(&self) -> StoreResult<Connection> {
        let kept = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        kept.map_or_else(|| connection::connect(&self.place), Ok)
    }

    /// Writes with SQLite's `synchronous` set. In a write-ahead log, NORMAL leaves the disk's
    /// cache unflushed at a commit; the next FULL commit flushes both, since it is the same file.
    fn write_synchronous(
        &self,
        synchronous: Synchronous,
        partition: PartitionId,
        body: &mut dyn FnMut(&mut dyn Writer) -> crate::Result<()>,
    ) -> crate::Result<()> {
        let _writing = self.right_to_write()?;
        let connection = self.take_writer()?;
        connection::set_synchronous(&connection, self.place.main(), synchronous)?;
        let result = self.write_with(&connection, partition, body);
        if is_reusable(&connection) {
            *self.writer.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
        }
        result
    }

    /// Runs `body` and commits, while this process has the right to write.
    fn write_with(
        &self,
        connection: &Connection,
        partition: PartitionId,
        body: &mut dyn FnMut(&mut dyn Writer) -> crate::Result<()>,
    ) -> crate::Result<()> {
        let transaction = Transaction::write(connection, self.place.main())?;
        let mut view = View::new(connection, self.place.main(), &self.reads);
        body(&mut view)?;
        let mut changed = view.into_changed()?;
        changed.entry(partition).or_default();
        let mut moving = self.counters.begin(changed.keys().copied())?;
        transaction.commit()?;
        for (partition, _) in changed.iter().filter(|(_, gone)| **gone) {
            self.counters.remove(&mut moving, *partition);
        }
        Ok(())
    }

    /// Sets a counter right that is not even though nobody writes: its writer died, or the file is
    /// lost. Whoever notices does it, since a partition that is only read has no next writer.
    fn repair(&self, partition: PartitionId) -> StoreResult<Option<u64>> {
        let Some(turn) = self.queue.try_in_process() else { return Ok(None) };
        let Some(_inside) = self.gate.try_enter() else { return Ok(None) };
        let Some(_held) = self.queue.try_now(&turn)? else { return Ok(None) };
        // A file for a partition that does not exist would never be removed.
        if !self.counters.exists(partition) && !self.holds(partition)? {
            return Ok(None);
        }
        drop(self.counters.begin([partition])?);
        self.counters.load(partition)
    }

    /// Whether the partition has any record.
    fn holds(&self, partition: PartitionId) -> StoreResult<bool> {
        self.readers.with(|connection| View::new(connection, self.place.main(), &self.reads).holds(partition))
    }

    fn busy(&self) -> StoreError {
        let advice = ": it was suspended for a fork and not resumed";
        StoreError::Busy { path: self.place.main().to_path_buf(), advice }
    }
}

/// The right to write. Fields are dropped in this order, the reverse of how they were taken.
#[derive(Debug)]
struct Writing<'a> {
    _held: Held,
    _inside: Inside<'a>,
    _turn: super::fifo::Turn<'a>,
}

impl Store for SqliteStore {
    fn read(&self, body: &mut dyn FnMut(&mut dyn Reader) -> crate::Result<()>) -> crate::Result<()> {
        let _inside = self.gate.enter().ok_or_else(|| self.busy())?;
        self.readers.with(|connection| {
            let transaction = Transaction::read(connection, self.place.main())?;
            body(&mut View::new(connection, self.place.main(), &self.reads))?;
            Ok(transaction.commit()?)
        })
    }

    fn write(
        &self,
        partition: PartitionId,
        body: &mut dyn FnMut(&mut dyn Writer) -> crate::Result<()>,
    ) -> crate::Result<()> {
        self.write_synchronous(Synchronous::Full, partition, body)
    }

    fn write_soon(
        &self,
        partition: PartitionId,
        body: &mut dyn FnMut(&mut dyn Writer) -> crate::Result<()>,
    ) -> crate::Result<()> {
        self.write_synchronous(Synchronous::Normal, partition, body)
    }

    fn generation(&self, partition: PartitionId) -> StoreResult<Option<u64>> {
        if let Some(number) = self.counters.load(partition)? {
            return Ok(Some(number));
        }
        match self.repair(partition) {
            // Who may not write cannot repair; the answer "unknown" is right meanwhile.
            Err(StoreError::ReadOnly(_) | StoreError::Denied(_) | StoreError::Full(_)) => Ok(None),
            other => other,
        }
    }

    fn suspend(&self) {
        self.gate.close();
        self.readers.close();
        if let Some(writer) = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take() {
            close_quietly(writer);
        }
        self.queue.close();
        self.counters.suspend();
    }

    fn resume(&self) {
        self.counters.resume();
        self.gate.open();
    }

    fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    fn location(&self) -> PathBuf {
        self.place.main().to_path_buf()
    }
}
