//! The store in sled, for one process at a time, such as a KMIP server that is the only user of its
//! keys. A second process, or a second handle in the same one, is refused.
//!
//! Every acknowledged write is flushed, so it survives the death of the process. sled's flush ends in
//! `sync_file_range`, which syncs neither the disk's own cache nor the file's metadata: a power loss
//! may take acknowledged writes with it, the last ones first. Where that matters, use SQLite.
//!
//! sled has no snapshots. A read keeps commits from becoming visible while it runs, and commits wait
//! for the reads that run.
//!
//! After a fork the parent opens its store again by itself. The child cannot while the parent has it.

#[cfg(test)]
mod tests;

use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ::sled::{Batch, Config, Db};

use super::gate::Gate;
use super::overlay::{Base, Changes, Overlay, first_of, last_of};
use super::owned::{self, Owned};
use super::place::{Place, failure, share_directory, write_failure};
use super::probe::refuse_network;
use super::{Entry, Indexed, PartitionId, Reader, RecordId, Row, Store, StoreError, StoreResult, Writer};

/// sled's page cache in bytes. Its own default is a gigabyte.
const CACHE: u64 = 64 << 20;
/// How long a store that this process has just closed is waited for: sled lets go of its lock from
/// threads of its own.
const LET_GO: Duration = Duration::from_secs(1);

/// The key of the format number, and the only number known. It is written last when a store is made.
const FORMAT_KEY: &[u8] = b"format";
const FORMAT: u64 = 1;
/// What the keys of records and of entries begin with; the partition follows.
const ROWS: u8 = b'r';
const ENTRIES: u8 = b'e';

/// A store in sled.
pub(super) struct SledStore {
    place: Place,
    owned: Owned,
    /// Closed while a batch becomes visible, passed by reads.
    visible: Gate,
    /// `None` while suspended, and after a failure until the next use.
    open: Mutex<Option<Arc<Db>>>,
    reads: AtomicU64,
}

impl SledStore {
    /// Makes a store in `directory` and opens it. It is built under another name, so that a crash
    /// leaves no half of a store.
    pub(super) fn create(directory: &Path, group: Option<u32>) -> StoreResult<SledStore> {
        let place = Place::new(directory, "sled")?;
        place.make_directory(group)?;
        refuse_network(place.directory())?;
        if place.main().symlink_metadata().is_ok() {
            return Err(StoreError::Exists(place.directory().to_path_buf()));
        }
        let draft = place.draft()?;
        let built = build(&draft, group).and_then(|()| {
            fs::rename(&draft, place.main()).map_err(|error| match error.kind() {
                ErrorKind::DirectoryNotEmpty => StoreError::Exists(place.directory().to_path_buf()),
                _ => write_failure(place.main(), error),
            })
        });
        if let Err(error) = built {
            // The caller hears of the failure, not of its remains.
            let _ = fs::remove_dir_all(&draft);
            return Err(error);
        }
        SledStore::open(directory)
    }

    /// Opens the store in `directory`; [`StoreError::Busy`] while another process has it.
    pub(super) fn open(directory: &Path) -> StoreResult<SledStore> {
        let place = Place::new(directory, "sled")?;
        // Looked for first, because sled makes what is missing.
        if !place.main().join("db").try_exists().map_err(|error| failure(place.main(), error))? {
            return Err(match place.main().try_exists() {
                Ok(true) => damaged(place.main(), "the file db is missing"),
                _ => StoreError::Missing(place.directory().to_path_buf()),
            });
        }
        refuse_network(place.directory())?;
        let db = open_existing(place.main())?;
        check_format(&db, place.main())?;
        Ok(SledStore {
            place,
            owned: Owned::default(),
            visible: Gate::default(),
            open: Mutex::new(Some(Arc::new(db))),
            reads: AtomicU64::new(0),
        })
    }

    /// sled itself, opened again if a suspend or a failure closed it.
    fn db(&self) -> StoreResult<Arc<Db>> {
        let mut open = self.slot();
        if let Some(db) = open.as_ref() {
            return Ok(Arc::clone(db));
        }
        let db = Arc::new(open_existing(self.place.main())?);
        *open = Some(Arc::clone(&db));
        Ok(db)
    }

    fn slot(&self) -> MutexGuard<'_, Option<Arc<Db>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies changes and flushes them before any reader sees them. After a failure what sled has
    /// in memory is not what is on the disk, so it is closed; the next use opens it from the disk.
    fn apply(&self, db: Arc<Db>, batch: Batch) -> StoreResult<()> {
        let _alone = self.visible.alone();
        let applied = db.apply_batch(batch).and_then(|()| db.flush());
        applied.map(drop).map_err(|error| {
            *self.slot() = None;
            meaning(self.place.main(), error)
        })
    }

    /// Changes as one batch, which sled recovers as a whole or not at all.
    fn batch(&self, db: &Db, changes: &Changes) -> StoreResult<Batch> {
        let mut batch = Batch::default();
        for partition in &changes.cleared {
            for table in [ROWS, ENTRIES] {
                for key in db.scan_prefix(key(table, *partition, &[])).keys() {
                    batch.remove(key.map_err(|error| meaning(self.place.main(), error))?);
                }
            }
        }
        for ((partition, id), row) in &changes.rows {
            let key = key(ROWS, *partition, &id.0);
            match row {
                Some(row) => batch.insert(key, row_value(row)),
                None => batch.remove(key),
            }
        }
        for ((partition, entry), mac) in &changes.entries {
            let key = key(ENTRIES, *partition, &entry.to_bytes());
            match mac {
                Some(mac) => batch.insert(key, mac.as_slice()),
                None => batch.remove(key),
            }
        }
        Ok(batch)
    }
}

/// A key: the table, the partition, and `rest`.
fn key(table: u8, partition: PartitionId, rest: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(17 + rest.len());
    key.push(table);
    key.extend_from_slice(&partition.0);
    key.extend_from_slice(rest);
    key
}

/// A record as a value: kind (1 byte), revision (8 bytes, little-endian), sealed bytes.
fn row_value(row: &Row) -> Vec<u8> {
    let mut value = Vec::with_capacity(9 + row.sealed.len());
    value.push(row.kind);
    value.extend_from_slice(&row.revision.to_le_bytes());
    value.extend_from_slice(&row.sealed);
    value
}

/// The reverse of [`row_value`].
fn row_of(value: &[u8]) -> Option<Row> {
    let (kind, rest) = value.split_first()?;
    let (revision, sealed) = rest.split_first_chunk::<8>()?;
    Some(Row { kind: *kind, revision: u64::from_le_bytes(*revision), sealed: sealed.to_vec() })
}

/// What is committed.
#[derive(Debug)]
struct Committed<'a> {
    db: &'a Db,
    path: &'a Path,
}

impl Committed<'_> {
    fn indexed(&self, found: ::sled::Result<(::sled::IVec, ::sled::IVec)>) -> StoreResult<Indexed> {
        let (key, mac) = found.map_err(|error| meaning(self.path, error))?;
        let entry = key.get(17..).and_then(Entry::from_bytes);
        let mac = <[u8; 16]>::try_from(mac.as_ref()).ok();
        let indexed = entry.zip(mac).map(|(entry, mac)| Indexed { entry, mac });
        indexed.ok_or_else(|| damaged(self.path, "an entry's length is wrong"))
    }
}

impl Base for Committed<'_> {
    fn row(&self, partition: PartitionId, id: RecordId) -> StoreResult<Option<Row>> {
        let found = self.db.get(key(ROWS, partition, &id.0)).map_err(|error| meaning(self.path, error))?;
        let Some(value) = found else { return Ok(None) };
        row_of(&value).map(Some).ok_or_else(|| damaged(self.path, "a record is too short"))
    }

    fn entry_before(
        &self,
        partition: PartitionId,
        chain: u8,
        at: Bound<Entry>,
    ) -> StoreResult<Option<Indexed>> {
        let first = Bound::Included(key(ENTRIES, partition, &first_of(chain).to_bytes()));
        let at = at.map(|at| key(ENTRIES, partition, &at.to_bytes()));
        self.db.range((first, at)).next_back().map(|found| self.indexed(found)).transpose()
    }

    fn entries_after(&self, partition: PartitionId, after: Entry, limit: usize) -> StoreResult<Vec<Indexed>> {
        let last = Bound::Included(key(ENTRIES, partition, &last_of(after.chain).to_bytes()));
        let after = Bound::Excluded(key(ENTRIES, partition, &after.to_bytes()));
        self.db.range((after, last)).take(limit).map(|found| self.indexed(found)).collect()
    }

    fn records_after(
        &self,
        partition: PartitionId,
        after: Bound<RecordId>,
        limit: usize,
    ) -> StoreResult<Vec<(RecordId, Row)>> {
        let last = Bound::Included(key(ROWS, partition, &[0xff; 16]));
        let after = after.map(|after| key(ROWS, partition, &after.0));
        let wrong = || damaged(self.path, "a record is too short");
        let found = self.db.range((after, last)).take(limit).map(|found| {
            let (key, value) = found.map_err(|error| meaning(self.path, error))?;
            let id = key.get(17..).and_then(|id| id.try_into().ok()).map(RecordId).ok_or_else(wrong)?;
            Ok((id, row_of(&value).ok_or_else(wrong)?))
        });
        found.collect()
    }
}

impl Store for SledStore {
    fn read(&self, body: &mut dyn FnMut(&mut dyn Reader) -> crate::Result<()>) -> crate::Result<()> {
        let path = self.place.main();
        let _running = self.owned.read(path)?;
        let _still = self.visible.enter().ok_or_else(|| owned::busy(path))?;
        let db = self.db()?;
        body(&mut Overlay::new(Committed { db: &db, path }, &self.reads))
    }

    fn write(
        &self,
        partition: PartitionId,
        body: &mut dyn FnMut(&mut dyn Writer) -> crate::Result<()>,
    ) -> crate::Result<()> {
        let path = self.place.main();
        let _running = self.owned.write(path)?;
        let db = self.db()?;
        let mut overlay = Overlay::new(Committed { db: &db, path }, &self.reads);
        body(&mut overlay)?;
        let changes = overlay.into_changes();
        let batch = self.batch(&db, &changes)?;
        let mut partitions = changes.partitions();
        partitions.insert(partition);
        Ok(self.owned.moving(&partitions, || self.apply(db, batch))?)
    }

    fn generation(&self, partition: PartitionId) -> StoreResult<Option<u64>> {
        Ok(self.owned.generation(partition))
    }

    fn suspend(&self) {
        self.owned.suspend();
        *self.slot() = None;
    }

    fn resume(&self) {
        self.owned.resume();
    }

    fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    fn location(&self) -> PathBuf {
        self.place.main().to_path_buf()
    }
}

impl fmt::Debug for SledStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // sled's own prints every key and value.
        f.debug_struct("SledStore").field("place", &self.place).finish_non_exhaustive()
    }
}

/// Makes an empty store at `path`.
fn build(path: &Path, group: Option<u32>) -> StoreResult<()> {
    fs::create_dir(path).map_err(|error| write_failure(path, error))?;
    share_directory(path, group)?;
    let db = open_sled(path)?;
    let written = db.insert(FORMAT_KEY, &FORMAT.to_le_bytes()).and_then(|_| db.flush());
    written.map(drop).map_err(|error| meaning(path, error))
}

fn check_format(db: &Db, path: &Path) -> StoreResult<()> {
    let value = db.get(FORMAT_KEY).map_err(|error| meaning(path, error))?;
    let number = value.and_then(|value| <[u8; 8]>::try_from(value.as_ref()).ok()).map(u64::from_le_bytes);
    match number {
        Some(FORMAT) => Ok(()),
        Some(found) if found > FORMAT => {
            Err(StoreError::Newer { path: path.to_path_buf(), found, known: FORMAT })
        }
        _ => Err(damaged(path, "it has no format number")),
    }
}

/// Opens sled, and waits a moment where somebody has it still.
fn open_existing(path: &Path) -> StoreResult<Db> {
    let began = Instant::now();
    loop {
        match open_sled(path) {
            Err(StoreError::Busy { .. }) if began.elapsed() < LET_GO => {
                std::thread::sleep(Duration::from_millis(5));
            }
            other => return other,
        }
    }
}

fn open_sled(path: &Path) -> StoreResult<Db> {
    // No flushing by a thread of its own: each write is flushed as it is made.
    let config = Config::new().path(path).cache_capacity(CACHE).flush_every_ms(None);
    // sled has assertions on what it recovers; a damaged file must not end the host application.
    match catch_unwind(AssertUnwindSafe(|| config.open())) {
        Ok(opened) => opened.map_err(|error| meaning(path, error)),
        Err(_) => Err(damaged(path, "sled gave up on recovering it")),
    }
}

/// What an error of sled means for who uses the store.
fn meaning(path: &Path, error: ::sled::Error) -> StoreError {
    match error {
        // sled tells its lock from other failures by the text alone.
        ::sled::Error::Io(error) if error.to_string().contains("could not acquire lock") => busy(path),
        ::sled::Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof => {
            damaged(path, error.to_string())
        }
        ::sled::Error::Io(error) => failure(path, error),
        ::sled::Error::Corruption { .. } => damaged(path, "sled found a wrong checksum"),
        ::sled::Error::Unsupported(detail) | ::sled::Error::ReportableBug(detail) => {
            StoreError::Failed { path: path.to_path_buf(), detail }
        }
        ::sled::Error::CollectionNotFound(_) => damaged(path, "its tree is missing"),
    }
}

fn damaged(path: &Path, detail: impl Into<String>) -> StoreError {
    StoreError::Damaged { path: path.to_path_buf(), detail: detail.into() }
}

fn busy(path: &Path) -> StoreError {
    let advice = ": sled is for one owner, e.g. one KMIP server; use sqlite: to share";
    StoreError::Busy { path: path.to_path_buf(), advice }
}
