//! What a store with a single owning process needs around its data: its threads' line of writers,
//! the gate of suspend and resume, and change counters in memory.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::{PoisonError, RwLock};
use std::time::Instant;

use super::fifo::{Fifo, Turn};
use super::gate::{Gate, Inside, PATIENCE};
use super::{PartitionId, StoreError, StoreResult};

/// The surroundings of a store of one process.
#[derive(Debug, Default)]
pub(super) struct Owned {
    writers: Fifo,
    gate: Gate,
    /// Odd while a commit is under way; a partition without one was never written here.
    counters: RwLock<HashMap<PartitionId, u64>>,
}

/// A running write: first in the line, and inside the gate.
#[derive(Debug)]
pub(super) struct Writing<'a> {
    _inside: Inside<'a>,
    _turn: Turn<'a>,
}

impl Owned {
    /// Begins a read.
    pub(super) fn read(&self, path: &Path) -> StoreResult<Inside<'_>> {
        self.gate.enter().ok_or_else(|| busy(path))
    }

    /// Begins a write when all that came before are done.
    pub(super) fn write(&self, path: &Path) -> StoreResult<Writing<'_>> {
        let turn = self.writers.wait(Instant::now() + PATIENCE).ok_or_else(|| busy(path))?;
        Ok(Writing { _inside: self.read(path)?, _turn: turn })
    }

    /// Runs `commit` while the counters of `partitions` are odd. They move whatever its outcome is:
    /// too often is harmless.
    pub(super) fn moving<T>(&self, partitions: &BTreeSet<PartitionId>, commit: impl FnOnce() -> T) -> T {
        self.step(partitions);
        let result = commit();
        self.step(partitions);
        result
    }

    /// The partition's change counter.
    pub(super) fn generation(&self, partition: PartitionId) -> Option<u64> {
        let counters = self.counters.read().unwrap_or_else(PoisonError::into_inner);
        let number = counters.get(&partition).copied().unwrap_or_default();
        (number & 1 == 0).then_some(number)
    }

    /// Waits for what runs and lets nothing in.
    pub(super) fn suspend(&self) {
        self.gate.close();
    }

    /// Lets reads and writes in again.
    pub(super) fn resume(&self) {
        self.gate.open();
    }

    fn step(&self, partitions: &BTreeSet<PartitionId>) {
        let mut counters = self.counters.write().unwrap_or_else(PoisonError::into_inner);
        for partition in partitions {
            let number = counters.entry(*partition).or_default();
            *number = number.wrapping_add(1);
        }
    }
}

/// What waiting for another thread in vain means.
pub(super) fn busy(path: &Path) -> StoreError {
    StoreError::Busy { path: path.to_path_buf(), advice: ": another thread of this process does not finish" }
}
