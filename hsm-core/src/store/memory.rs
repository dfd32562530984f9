//! The store in memory, for tests and throw-away HSMs: it begins empty and ends with its process.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::overlay::{Base, Changes, Overlay, first_of, last_of};
use super::owned::Owned;
use super::{Entry, Indexed, PartitionId, Reader, RecordId, Row, Store, StoreResult, Writer};

/// A store in memory.
#[derive(Debug, Default)]
pub(super) struct MemoryStore {
    owned: Owned,
    /// Readers keep the state they began with; a writer changes it in place where none does.
    state: RwLock<Arc<State>>,
    reads: AtomicU64,
}

#[derive(Debug, Default, Clone)]
struct State {
    rows: BTreeMap<(PartitionId, RecordId), Row>,
    entries: BTreeMap<(PartitionId, Entry), [u8; 16]>,
}

impl MemoryStore {
    fn state(&self) -> Arc<State> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn apply(&self, changes: Changes) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        Arc::make_mut(&mut state).apply(changes);
    }
}

impl State {
    fn apply(&mut self, changes: Changes) {
        if !changes.cleared.is_empty() {
            self.rows.retain(|(partition, _), _| !changes.cleared.contains(partition));
            self.entries.retain(|(partition, _), _| !changes.cleared.contains(partition));
        }
        for (key, row) in changes.rows {
            match row {
                Some(row) => self.rows.insert(key, row),
                None => self.rows.remove(&key),
            };
        }
        for (key, mac) in changes.entries {
            match mac {
                Some(mac) => self.entries.insert(key, mac),
                None => self.entries.remove(&key),
            };
        }
    }
}

impl Base for &State {
    fn row(&self, partition: PartitionId, id: RecordId) -> StoreResult<Option<Row>> {
        Ok(self.rows.get(&(partition, id)).cloned())
    }

    fn entry_before(
        &self,
        partition: PartitionId,
        chain: u8,
        at: Bound<Entry>,
    ) -> StoreResult<Option<Indexed>> {
        let range = (Bound::Included((partition, first_of(chain))), at.map(|at| (partition, at)));
        let last = self.entries.range(range).next_back();
        Ok(last.map(|((_, entry), mac)| Indexed { entry: *entry, mac: *mac }))
    }

    fn entries_after(&self, partition: PartitionId, after: Entry, limit: usize) -> StoreResult<Vec<Indexed>> {
        let range = (Bound::Excluded((partition, after)), Bound::Included((partition, last_of(after.chain))));
        let found = self.entries.range(range).take(limit);
        Ok(found.map(|((_, entry), mac)| Indexed { entry: *entry, mac: *mac }).collect())
    }

    fn records_after(
        &self,
        partition: PartitionId,
        after: Bound<RecordId>,
        limit: usize,
    ) -> StoreResult<Vec<(RecordId, Row)>> {
        let end = Bound::Included((partition, RecordId([0xff; 16])));
        let found = self.rows.range((after.map(|after| (partition, after)), end)).take(limit);
        Ok(found.map(|((_, id), row)| (*id, row.clone())).collect())
    }
}

impl Store for MemoryStore {
    fn read(&self, body: &mut dyn FnMut(&mut dyn Reader) -> crate::Result<()>) -> crate::Result<()> {
        let _running = self.owned.read(&self.location())?;
        let state = self.state();
        body(&mut Overlay::new(&*state, &self.reads))
    }

    fn write(
        &self,
        partition: PartitionId,
        body: &mut dyn FnMut(&mut dyn Writer) -> crate::Result<()>,
    ) -> crate::Result<()> {
        let _running = self.owned.write(&self.location())?;
        let state = self.state();
        let mut overlay = Overlay::new(&*state, &self.reads);
        body(&mut overlay)?;
        let changes = overlay.into_changes();
        drop(state);
        let mut partitions = changes.partitions();
        partitions.insert(partition);
        self.owned.moving(&partitions, || self.apply(changes));
        Ok(())
    }

    fn generation(&self, partition: PartitionId) -> StoreResult<Option<u64>> {
        Ok(self.owned.generation(partition))
    }

    fn suspend(&self) {
        self.owned.suspend();
    }

    fn resume(&self) {
        self.owned.resume();
    }

    fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    fn location(&self) -> PathBuf {
        PathBuf::from("memory:")
    }
}
