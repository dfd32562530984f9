//! Where sealed records live. A store knows rows, revisions and ordered index entries; it never
//! sees what a record means, and what it returns is not trusted: the seal above it checks every row
//! and every index range (`seal`).
//!
//! Three back ends show the same behaviour (`contract`): SQLite for many processes, sled for one
//! owner, memory for tests and throw-away HSMs.

use std::fmt;
use std::path::PathBuf;

use data_encoding::HEXLOWER;

#[cfg(test)]
mod contract;
mod counter;
mod fifo;
mod gate;
mod memory;
mod open;
mod overlay;
mod owned;
mod place;
mod probe;
pub(crate) mod seal;
#[cfg(feature = "sled")]
mod sled;
mod sqlite;
mod writer_queue;

pub use open::{StoreUrl, create, open};

/// A partition's number inside the store: random, never reused. All zero is the HSM's own space,
/// which holds the list of partitions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct PartitionId(pub [u8; 16]);

impl PartitionId {
    /// The HSM's own space.
    pub const HSM: PartitionId = PartitionId([0; 16]);
}

/// A record's number inside its partition: random, never reused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId(pub [u8; 16]);

/// An entry of an ordered index: which chain, a keyed hash of a field (or any ordered 16 bytes),
/// and the record it leads to. Entries order as these fields do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Entry {
    /// Which index of the partition: public objects, private objects, …
    pub chain: u8,
    /// The keyed hash.
    pub tag: [u8; 16],
    /// The record.
    pub record: RecordId,
}

impl Entry {
    /// An entry's fields as one ordered key of 33 bytes.
    pub fn to_bytes(self) -> [u8; 33] {
        let mut out = [0; 33];
        out[0] = self.chain;
        out[1..17].copy_from_slice(&self.tag);
        out[17..].copy_from_slice(&self.record.0);
        out
    }

    /// The reverse of [`Entry::to_bytes`]; `None` for any other length.
    pub fn from_bytes(bytes: &[u8]) -> Option<Entry> {
        let (chain, rest) = bytes.split_first()?;
        let (tag, record) = rest.split_first_chunk::<16>()?;
        Some(Entry { chain: *chain, tag: *tag, record: RecordId(record.try_into().ok()?) })
    }
}

/// A record as the store keeps it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// What the record is; the seal's own number, authenticated by it.
    pub kind: u8,
    /// Raised by one at every change; the first is 1.
    pub revision: u64,
    /// The sealed bytes.
    pub sealed: Vec<u8>,
}

/// An index entry with the value that the seal keeps beside it (a MAC over it and its successor).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Indexed {
    /// The entry.
    pub entry: Entry,
    /// What the seal stored with it.
    pub mac: [u8; 16],
}

/// The store's answer.
pub type StoreResult<T> = std::result::Result<T, StoreError>;

/// One consistent view of the store. Everything read through it is of the same moment.
pub trait Reader {
    /// A record, or `None` where there is none.
    fn get(&mut self, partition: PartitionId, id: RecordId) -> StoreResult<Option<Row>>;

    /// A record's revision alone, or `None` where there is none.
    fn revision(&mut self, partition: PartitionId, id: RecordId) -> StoreResult<Option<u64>>;

    /// The last entry at or before `at` in `at`'s partition and chain.
    fn entry_before(&mut self, partition: PartitionId, at: Entry) -> StoreResult<Option<Indexed>>;

    /// The first entries strictly after `after` in the same partition and chain, in order, at most
    /// `limit`.
    fn entries_after(
        &mut self,
        partition: PartitionId,
        after: Entry,
        limit: usize,
    ) -> StoreResult<Vec<Indexed>>;

    /// The first records after `after` in a partition (from the first one on without it), in the order of their
    /// numbers, at most `limit`; for copies of all there is.
    fn records_after(
        &mut self,
        partition: PartitionId,
        after: Option<RecordId>,
        limit: usize,
    ) -> StoreResult<Vec<(RecordId, Row)>>;
}

/// A write transaction: reads see its own writes; all of it is committed or none.
pub trait Writer: Reader {
    /// Puts a record. `row.revision` must be one more than the stored revision (1 where there is
    /// none), else [`StoreError::Conflict`].
    fn put(&mut self, partition: PartitionId, id: RecordId, row: &Row) -> StoreResult<()>;

    /// Puts a record where none is, as it was elsewhere, whatever its revision, else [`StoreError::Conflict`].
    fn put_copy(&mut self, partition: PartitionId, id: RecordId, row: &Row) -> StoreResult<()>;

    /// Removes a record whose revision is `revision`, else [`StoreError::Conflict`].
    fn remove(&mut self, partition: PartitionId, id: RecordId, revision: u64) -> StoreResult<()>;

    /// Inserts or replaces an index entry.
    fn put_entry(&mut self, partition: PartitionId, indexed: &Indexed) -> StoreResult<()>;

    /// Removes an index entry; no error where there is none.
    fn remove_entry(&mut self, partition: PartitionId, entry: Entry) -> StoreResult<()>;

    /// Removes every record and index entry of a partition.
    fn remove_partition(&mut self, partition: PartitionId) -> StoreResult<()>;

    /// Moves a partition's change counter with this transaction, though nothing of it changes: whoever
    /// cached something looks again.
    fn touch(&mut self, partition: PartitionId);
}

/// A back end. All methods may be called from many threads.
pub trait Store: Send + Sync + fmt::Debug {
    /// Runs `body` on one consistent view.
    fn read(&self, body: &mut dyn FnMut(&mut dyn Reader) -> crate::Result<()>) -> crate::Result<()>;

    /// Runs `body` in a write transaction of `partition` (whose change counter it moves), and
    /// commits if it answers `Ok`; durable when this returns. Anything else rolls back. `body` runs
    /// once: writers queue before it. It may read the store, and must not write it but through its
    /// argument. Others may see what was committed a moment before it is durable. Writers who wait for
    /// the disk at once may share one wait. [`StoreError::Unconfirmed`] where that fails.
    fn write(
        &self,
        partition: PartitionId,
        body: &mut dyn FnMut(&mut dyn Writer) -> crate::Result<()>,
    ) -> crate::Result<()>;

    /// As [`Store::write`], but what is committed may be lost to a power failure (never to a killed
    /// process) until the next durable write: for what does no harm when it is lost, and would cost a
    /// second wait for the disk.
    fn write_soon(
        &self,
        partition: PartitionId,
        body: &mut dyn FnMut(&mut dyn Writer) -> crate::Result<()>,
    ) -> crate::Result<()> {
        self.write(partition, body)
    }

    /// Brings to the disk what any process committed before, durable or not. To be called inside a write, where
    /// nobody commits meanwhile.
    fn settle(&self) -> StoreResult<()> {
        Ok(())
    }

    /// The partition's change counter: moves with every committed write of that partition by any
    /// process. `None` while a write is under way or its outcome is unknown: then nothing cached may
    /// be relied upon and the store itself is asked. Costs a fraction of a microsecond.
    fn generation(&self, partition: PartitionId) -> StoreResult<Option<u64>>;

    /// Before a fork: waits for what runs, closes every connection, and keeps the store from being
    /// used until [`Store::resume`]. The caller holds off other threads.
    fn suspend(&self);

    /// After a fork, in the parent (the child drops the store instead).
    fn resume(&self);

    /// How many reads went to the back end since it was opened (rows and index steps), for tests
    /// that show what a warm path costs.
    fn reads(&self) -> u64;

    /// How often a write waited for the disk since the store was opened, for tests that show that writers
    /// share it; 0 where they do not.
    fn syncs(&self) -> u64 {
        0
    }

    /// Where it is, for messages.
    fn location(&self) -> PathBuf;
}

/// How a store fails. Each text names the file and what to do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// `put` or `remove` with a revision that is not the stored one.
    #[error("the record was changed in between")]
    Conflict,
    /// The URL is none of `sqlite:DIR`, `sled:DIR`, `memory:`.
    #[error("{0}: a store is sqlite:DIR, sled:DIR or memory:")]
    Url(String),
    /// There is no store at that place.
    #[error("{0}: there is no store here")]
    Missing(PathBuf),
    /// There is a store already where one was to be made.
    #[error("{0}: there is a store here already")]
    Exists(PathBuf),
    /// The store is damaged.
    #[error("{path} is damaged ({detail}): restore it from a backup")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the back end said.
        detail: String,
    },
    /// The file system is full. What was acknowledged before is safe.
    #[error("{0}: no space left on its file system; free some and try again")]
    Full(PathBuf),
    /// A change was made, and the disk did not confirm it.
    #[error(
        "{path}: the change was made, but the disk did not confirm it ({detail}), and a power failure may undo \
         it: look at the disk, then check whether the change is there"
    )]
    Unconfirmed {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        detail: String,
    },
    /// The store cannot be written.
    #[error("{0} cannot be written: check its owner and mode, and whether its file system is read-only")]
    ReadOnly(PathBuf),
    /// The store cannot be read.
    #[error("{0} cannot be opened: permission denied; its owner or group must include this user")]
    Denied(PathBuf),
    /// Made by a newer version of this software.
    #[error(
        "{path} was made by a newer version (format {found}, this one knows {known}): upgrade softhsm-rs"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format number.
        found: u64,
        /// The newest format number known.
        known: u64,
    },
    /// Another process owns the store (sled) or holds its writer lock for too long.
    #[error("{path} is in use by another process{advice}")]
    Busy {
        /// The file.
        path: PathBuf,
        /// What to do, beginning with a colon or empty.
        advice: &'static str,
    },
    /// A network file system, which cannot give the locks that processes need.
    #[error("{path} is on a network file system ({kind}): its locks are not reliable; use a local one")]
    Network {
        /// The directory.
        path: PathBuf,
        /// The file system's name.
        kind: String,
    },
    /// Anything else.
    #[error("{path}: {detail}")]
    Failed {
        /// The file.
        path: PathBuf,
        /// What the back end said.
        detail: String,
    },
}

impl fmt::Debug for PartitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for PartitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl RecordId {
    /// The reverse of its text, 32 hexadecimal digits in lower case; `None` for any other text.
    pub fn of_text(text: &str) -> Option<RecordId> {
        let mut bytes = [0; 16];
        // Refuses upper case. Every use of a key reads one such text, which `hex` takes four times as long for.
        let is_one =
            text.len() == 2 * bytes.len() && HEXLOWER.decode_mut(text.as_bytes(), &mut bytes).is_ok();
        is_one.then_some(RecordId(bytes))
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}
