//! The store in SQLite, for any number of processes at once. This file is the life of a store and
//! the order of its locks; `connection` opens, makes and pools connections, `view` holds the
//! statements, `durable` brings commits to the disk, `failure` names what goes wrong, `log_tail` looks for a
//! damaged end of the log.
//!
//! Nothing but SQLite opens its files: SQLite holds POSIX locks on them, and closing any other
//! descriptor of such a file drops every lock that the process has on it.

mod connection;
mod durable;
mod failure;
mod log_tail;
#[cfg(test)]
mod tests;
mod view;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rusqlite::Connection;

use super::counter::Counters;
use super::gate::{Gate, Inside, PATIENCE};
use super::place::{Place, failure};
use super::probe::refuse_network;
use super::writer_queue::{Held, WriterQueue};
use super::{PartitionId, Reader, Store, StoreError, StoreResult, Writer};
use connection::{Pool, close_quietly, is_reusable};
use durable::{Group, Log, Round};
use view::{Transaction, View};

/// A store in SQLite. A write takes, in this order: its turn among the threads, the suspend gate,
/// its turn among the processes, SQLite's write lock. When it has committed it leaves all but the gate, in
/// which it waits for the disk with others.
#[derive(Debug)]
pub(super) struct SqliteStore {
    place: Place,
    gate: Gate,
    queue: WriterQueue,
    counters: Counters,
    readers: Pool,
    /// The connection that writes, kept apart for its cache; taken out while in use.
    writer: Mutex<Option<Connection>>,
    log: Log,
    group: Group<File>,
    /// Brings the log to the disk; tests put another in its place.
    sync: fn(&File) -> std::io::Result<()>,
    reads: AtomicU64,
}

/// A write that has committed and let the next writer in, and may not be on the disk yet.
#[derive(Debug)]
struct Committed<'a> {
    round: Arc<Round>,
    /// A suspend waits for the sync.
    _inside: Inside<'a>,
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
            log: Log::default(),
            group: Group::default(),
            sync: File::sync_data,
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
                return Ok(Writing { held, inside, turn });
            }
        }
    }

    fn take_writer(&self) -> StoreResult<Connection> {
        let kept = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        kept.map_or_else(|| connection::connect(&self.place), Ok)
    }

    /// Runs `body`, commits, and lets the next writer in.
    fn commit_in_turn(
        &self,
        partition: PartitionId,
        body: &mut dyn FnMut(&mut dyn Writer) -> crate::Result<()>,
    ) -> crate::Result<Committed<'_>> {
        let writing = self.right_to_write()?;
        let connection = self.take_writer()?;
        let mended = self.mend_log(&connection);
        let result = mended.and_then(|()| self.write_with(&connection, partition, body));
        if is_reusable(&connection) {
            *self.writer.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
        }
        let round = self.group.join(result?);
        Ok(Committed { round, _inside: writing.let_next_in() })
    }

    /// After a sync that failed, and before anything is committed on top of what it may have lost: moves
    /// all of the log into the database.
    fn mend_log(&self, connection: &Connection) -> crate::Result<()> {
        if self.group.is_broken() {
            connection::begin_log_anew(connection, self.place.main())?;
            self.group.mend();
        }
        Ok(())
    }

    /// Runs `body` and commits, while this process has the right to write. Answers the log that it is in.
    fn write_with(
        &self,
        connection: &Connection,
        partition: PartitionId,
        body: &mut dyn FnMut(&mut dyn Writer) -> crate::Result<()>,
    ) -> crate::Result<Arc<File>> {
        let transaction = Transaction::write(connection, self.place.main())?;
        let mut view = View::new(connection, self.place.main(), &self.reads);
        body(&mut view)?;
        let mut changed = view.into_changed()?;
        changed.entry(partition).or_default();
        let log = self.log.open(self.place.main())?;
        let mut moving = self.counters.begin(changed.keys().copied())?;
        transaction.commit()?;
        for (partition, _) in changed.iter().filter(|(_, gone)| **gone) {
            self.counters.remove(&mut moving, *partition);
        }
        Ok(log)
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
    held: Held,
    inside: Inside<'a>,
    turn: super::fifo::Turn<'a>,
}

impl<'a> Writing<'a> {
    /// Gives the right to the next writer, of other processes and then of this one.
    fn let_next_in(self) -> Inside<'a> {
        drop(self.held);
        drop(self.turn);
        self.inside
    }
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
        let committed = self.commit_in_turn(partition, body)?;
        let synced = self.group.settle(&committed.round, self.sync);
        Ok(synced.map_err(|detail| durable::unconfirmed(self.place.main(), detail))?)
    }

    fn write_soon(
        &self,
        partition: PartitionId,
        body: &mut dyn FnMut(&mut dyn Writer) -> crate::Result<()>,
    ) -> crate::Result<()> {
        self.commit_in_turn(partition, body).map(drop)
    }

    fn settle(&self) -> StoreResult<()> {
        let log = self.log.open(self.place.main())?;
        (self.sync)(&log).map_err(|error| durable::unconfirmed(self.place.main(), error.to_string()))
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
        self.group.forget_log();
        self.log.close();
        self.counters.suspend();
    }

    fn resume(&self) {
        self.counters.resume();
        self.gate.open();
    }

    fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    fn syncs(&self) -> u64 {
        self.group.syncs()
    }

    fn location(&self) -> PathBuf {
        self.place.main().to_path_buf()
    }
}
