//! Session handles: numbers that the application holds, and the sessions behind them.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// Enough that threads with a session each seldom meet at one lock.
const SHARDS: usize = 16;

/// A table of handles. A handle is never 0 (CK_INVALID_HANDLE) and never given twice.
pub(crate) struct Handles<T> {
    next: AtomicU64,
    shards: [Shard<T>; SHARDS],
}

/// One lock's share of the table, on cache lines of its own.
#[repr(align(128))]
struct Shard<T>(RwLock<HashMap<u64, Arc<T>, BuildHasherDefault<Spread>>>);

impl<T> Handles<T> {
    pub(crate) fn new() -> Handles<T> {
        let shards = std::array::from_fn(|_| Shard(RwLock::new(HashMap::default())));
        Handles { next: AtomicU64::new(1), shards }
    }

    /// Gives a handle to `value`.
    pub(crate) fn insert(&self, value: Arc<T>) -> u64 {
        let handle = self.next.fetch_add(1, Ordering::Relaxed);
        self.write(handle, |shard| shard.insert(handle, value));
        handle
    }

    /// What the handle stands for.
    pub(crate) fn get(&self, handle: u64) -> Option<Arc<T>> {
        let shard = self.shard(handle).0.read().unwrap_or_else(PoisonError::into_inner);
        shard.get(&handle).cloned()
    }

    /// Ends the handle.
    pub(crate) fn remove(&self, handle: u64) -> Option<Arc<T>> {
        self.write(handle, |shard| shard.remove(&handle))
    }

    /// Ends the handles of the values that `ends` names, and gives the values back.
    pub(crate) fn remove_all(&self, ends: impl Fn(&T) -> bool) -> Vec<Arc<T>> {
        let mut removed = Vec::new();
        for shard in &self.shards {
            let mut shard = shard.0.write().unwrap_or_else(PoisonError::into_inner);
            removed.extend(shard.extract_if(|_, value| ends(value)).map(|(_, value)| value));
        }
        removed
    }

    fn write<R>(
        &self,
        handle: u64,
        change: impl FnOnce(&mut HashMap<u64, Arc<T>, BuildHasherDefault<Spread>>) -> R,
    ) -> R {
        change(&mut self.shard(handle).0.write().unwrap_or_else(PoisonError::into_inner))
    }

    fn shard(&self, handle: u64) -> &Shard<T> {
        let [first, ..] = &self.shards;
        let index = usize::try_from(handle).unwrap_or(0) % SHARDS;
        self.shards.get(index).unwrap_or(first)
    }
}

/// Hashes one number by a multiplication: handles are counted up, not chosen by the caller, so nobody
/// can make them collide.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_leads_to_its_value_until_removed() {
        let handles = Handles::new();
        let handle = handles.insert(Arc::new("a"));
        assert_eq!(handles.get(handle).as_deref(), Some(&"a"));
        assert!(handles.remove(handle).is_some());
        assert!(handles.get(handle).is_none());
        assert!(handles.remove(handle).is_none());
    }

    #[test]
    fn no_handle_is_zero_or_given_twice() {
        let handles = Handles::new();
        let first = handles.insert(Arc::new(()));
        handles.remove(first);
        let second = handles.insert(Arc::new(()));
        assert!(first != 0 && second != 0 && first != second);
        assert!(handles.get(0).is_none());
    }

    #[test]
    fn many_handles_end_at_once_and_the_others_stay() {
        let handles = Handles::new();
        let numbers: Vec<u64> = (0..100).map(|value| handles.insert(Arc::new(value))).collect();
        assert_eq!(handles.remove_all(|value| value % 2 == 0).len(), 50);
        let left: Vec<i32> =
            numbers.iter().filter_map(|handle| handles.get(*handle)).map(|value| *value).collect();
        assert!(left.len() == 50 && left.iter().all(|value| value % 2 == 1));
    }
}
