//! How commits reach the disk. Writers commit one after the other without waiting for it, and leave the
//! line; then one of them syncs SQLite's log (`-wal`) for all whose commits were finished before it
//! began, and the others wait for that. No thread is kept for it: whoever comes first syncs.
//!
//! The connections have `synchronous=NORMAL`. To `FULL` it lacks one thing: the sync of the log at the
//! end of a commit, and that is made here. Whatever happens to the log between a commit and its sync,
//! the commit is durable when the sync is done:
//!
//! - Nothing happened, or others committed after it, in this process or another: its frames are in the
//!   file, and so are all before them, which recovery needs. A sync is of the file, whoever wrote it.
//! - A checkpoint copied it: SQLite syncs the log before it copies, and the database before it counts a
//!   whole log as copied, in NORMAL as in FULL. After a partial one the frames are still in the log.
//! - The log began anew: SQLite does that only when all of it was copied and the database synced. It
//!   syncs the new header before the first frame, and the directory when the file is new.
//! - The log was deleted: the last connection to close does that, after the same copying and syncing. A
//!   log made since is another file, which is noticed ([`Log::open`]).
//!
//! A sync that failed may have lost frames for good: the kernel reports it once and then takes the pages
//! for written. Commits that follow such frames would be lost with them, so none is acknowledged until
//! the log was copied and begun anew ([`Group::mend`]). To be told at all, the file must have been
//! opened before the frames were written; that is why it is kept open. SQLite takes no lock on the log,
//! so closing it drops none.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::store::place::failure;
use crate::store::{StoreError, StoreResult};

/// SQLite's log as a file to sync.
#[derive(Debug, Default)]
pub(super) struct Log {
    open: Mutex<Option<Arc<File>>>,
}

impl Log {
    /// The log of the database `main`. For who is in a write transaction, and has not committed yet: the
    /// log is there, stays, and nothing is written to it that this file would not be told of.
    pub(super) fn open(&self, main: &Path) -> StoreResult<Arc<File>> {
        let mut open = self.locked();
        if let Some(file) = open.as_ref()
            && file.metadata().is_ok_and(|found| found.nlink() > 0)
        {
            return Ok(Arc::clone(file));
        }
        let path = path(main);
        let file = Arc::new(File::open(&path).map_err(|error| failure(&path, error))?);
        *open = Some(Arc::clone(&file));
        Ok(file)
    }

    /// Closes the file; it is opened again when needed.
    pub(super) fn close(&self) {
        *self.locked() = None;
    }

    fn locked(&self) -> MutexGuard<'_, Option<Arc<File>>> {
        // Nothing panics while it is locked.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The log's path: beside the database that a symbolic link leads to, as SQLite has it.
fn path(main: &Path) -> PathBuf {
    let mut path = fs::canonicalize(main).unwrap_or_else(|_| main.to_path_buf()).into_os_string();
    path.push("-wal");
    path.into()
}

/// What a failed sync means for a change that is in the log.
pub(super) fn unconfirmed(main: &Path, detail: String) -> StoreError {
    StoreError::Unconfirmed { path: main.to_path_buf(), detail }
}

/// Writers that wait for one sync. `L` is what is synced.
#[derive(Debug)]
pub(super) struct Group<L> {
    state: Mutex<State<L>>,
    changed: Condvar,
    syncs: AtomicU64,
}

#[derive(Debug)]
struct State<L> {
    /// What the next sync is for.
    forming: Arc<Round>,
    /// The log as the last to join found it. One before it was deleted, and what it held is durable.
    log: Option<Arc<L>>,
    syncing: bool,
    /// Why a sync failed, until the log was mended.
    broken: Option<String>,
}

/// The commits that one sync is for, and how it went.
#[derive(Debug, Default)]
pub(super) struct Round(OnceLock<Result<(), String>>);

impl<L> Default for Group<L> {
    fn default() -> Self {
        let state = State { forming: Arc::default(), log: None, syncing: false, broken: None };
        Group { state: Mutex::new(state), changed: Condvar::new(), syncs: AtomicU64::new(0) }
    }
}

impl<L> Group<L> {
    /// Joins those that the next sync is for. After the commit, and before the next writer's.
    pub(super) fn join(&self, log: Arc<L>) -> Arc<Round> {
        let mut state = self.state();
        state.log = Some(log);
        Arc::clone(&state.forming)
    }

    /// Waits until a sync was made for the round, or makes it; the text of what went wrong.
    pub(super) fn settle(
        &self,
        round: &Arc<Round>,
        sync: impl FnOnce(&L) -> io::Result<()>,
    ) -> Result<(), String> {
        let mut state = self.state();
        loop {
            if let Some(outcome) = round.0.get() {
                return outcome.clone();
            }
            // While nobody syncs, a round without an outcome is the one that forms.
            if !state.syncing {
                break;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let Some(log) = state.log.clone() else { return Ok(()) };
        let round = std::mem::take(&mut state.forming);
        state.syncing = true;
        drop(state);
        let synced = sync(&log);
        self.syncs.fetch_add(1, Ordering::Relaxed);
        let mut state = self.state();
        if let Err(error) = synced {
            state.broken = Some(error.to_string());
        }
        let outcome = state.broken.clone().map_or(Ok(()), Err);
        // Set by nobody else: the round was taken out above.
        let _ = round.0.set(outcome.clone());
        state.syncing = false;
        drop(state);
        self.changed.notify_all();
        outcome
    }

    /// Whether a sync failed since the log was mended last.
    pub(super) fn is_broken(&self) -> bool {
        self.state().broken.is_some()
    }

    /// Says that all that was committed is in the database, durably, and that the log begins anew. For
    /// the holder of the right to write, before its own commit.
    pub(super) fn mend(&self) {
        self.state().broken = None;
    }

    /// Forgets the log, for it to be closed. Nobody may wait.
    pub(super) fn forget_log(&self) {
        self.state().log = None;
    }

    /// How many syncs were made.
    pub(super) fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::Relaxed)
    }

    fn state(&self) -> MutexGuard<'_, State<L>> {
        // Nothing panics while it is locked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_sync_begins_after_the_commits_that_it_is_for_and_many_share_one() {
        let group = Group::<()>::default();
        let (line, committed, synced) = (Mutex::new(()), AtomicU64::new(0), AtomicU64::new(0));
        let write = || {
            let (mine, round) = {
                let _turn = line.lock().unwrap();
                let mine = committed.fetch_add(1, Ordering::SeqCst) + 1;
                (mine, group.join(Arc::default()))
            };
            let sync = |(): &()| {
                let covered = committed.load(Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(1));
                synced.fetch_max(covered, Ordering::SeqCst);
                Ok(())
            };
            group.settle(&round, sync).unwrap();
            assert!(synced.load(Ordering::SeqCst) >= mine, "acknowledged before it was synced");
        };
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..50).for_each(|_| write()));
            }
        });
        assert!((50..=200).contains(&group.syncs()), "{} syncs for 400 writes", group.syncs());
    }

    #[test]
    fn one_writer_alone_syncs_each_time() {
        let group = Group::<()>::default();
        for syncs in 1..=5 {
            let round = group.join(Arc::default());
            group.settle(&round, |()| Ok(())).unwrap();
            assert_eq!(group.syncs(), syncs);
        }
    }

    #[test]
    fn a_failed_sync_fails_all_that_waited_for_it_and_all_after_it_until_the_log_is_mended() {
        let group = Group::<()>::default();
        let rounds = [group.join(Arc::default()), group.join(Arc::default())];
        let failing = |(): &()| Err(io::Error::from(io::ErrorKind::StorageFull));
        for round in &rounds {
            assert!(group.settle(round, failing).is_err());
        }
        assert_eq!(group.syncs(), 1);
        let later = group.join(Arc::default());
        assert!(group.settle(&later, |()| Ok(())).is_err(), "it stands on what may be lost");
        assert!(group.is_broken());
        let before = group.join(Arc::default());
        group.mend();
        assert!(!group.is_broken());
        group.settle(&before, |()| Ok(())).unwrap();
    }

    #[test]
    fn the_log_that_the_last_writer_found_is_synced() {
        let group = Group::<u8>::default();
        let first = group.join(Arc::new(1));
        group.join(Arc::new(2));
        let sync = |log: &u8| {
            assert_eq!(*log, 2);
            Ok(())
        };
        group.settle(&first, sync).unwrap();
    }

    #[test]
    fn a_deleted_log_is_opened_anew() {
        let directory = tempfile::tempdir().unwrap();
        let main = directory.path().join("x.sqlite");
        let log = Log::default();
        assert!(matches!(log.open(&main), Err(StoreError::Missing(_))));
        fs::write(path(&main), b"1").unwrap();
        let first = log.open(&main).unwrap();
        assert!(Arc::ptr_eq(&first, &log.open(&main).unwrap()), "one that is there stays open");
        fs::remove_file(path(&main)).unwrap();
        fs::write(path(&main), b"22").unwrap();
        assert_eq!(log.open(&main).unwrap().metadata().unwrap().len(), 2);
    }
}
