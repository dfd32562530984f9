//! The line of writers: threads of a process stand in a [`Fifo`], and the first of each process in a
//! queue between processes. SQLite's own waiting is a race that the last writer mostly wins: with
//! four writers it kept one waiting for seconds.
//!
//! Two files: whoever has the `flock` of `softhsm-rs.lock` may write, and nothing else decides that.
//! `softhsm-rs.queue` holds the next ticket and the ticket being served (two little-endian `u64`),
//! and only orders those who wait: when it is lost, wrong, or a ticket's owner died or was stopped,
//! writers go out of turn, never together. The kernel frees the lock of a process that dies. Waiting
//! is polling, because a blocking `flock` could not be given up without a signal or a thread.

use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::fifo::{Fifo, Turn};
use super::place::{Place, failure};
use super::{StoreError, StoreResult};

/// How long a writer waits for each ticket before its own that does not move: longer than a
/// scheduling delay, shorter than anybody notices.
const GRACE: Duration = Duration::from_millis(20);
/// Tickets ahead that are waited for, so that a wrong number cannot keep anybody for long.
const MOST_AHEAD: u32 = 16;
/// The pause between looks of the one whose turn is next.
const PAUSE: Duration = Duration::from_micros(100);
/// How long to try for a ticket. It is given out in microseconds; only a stopped process keeps it.
const TICKET_PATIENCE: Duration = Duration::from_millis(20);

/// The line.
#[derive(Debug)]
pub(super) struct WriterQueue {
    place: Place,
    threads: Fifo,
    files: Mutex<Option<Arc<Files>>>,
}

/// The right to write, until dropped.
#[derive(Debug)]
pub(super) struct Held {
    files: Arc<Files>,
    ticket: Option<u64>,
}

impl WriterQueue {
    /// The line of the store at `place`. Files are opened when they are needed.
    pub(super) fn new(place: Place) -> WriterQueue {
        WriterQueue { place, threads: Fifo::default(), files: Mutex::new(None) }
    }

    /// Waits to be the first thread of this process, until `deadline`.
    pub(super) fn wait_in_process(&self, deadline: Instant) -> StoreResult<Turn<'_>> {
        self.threads.wait(deadline).ok_or_else(|| self.busy())
    }

    /// Becomes the first thread of this process if none stands there.
    pub(super) fn try_in_process(&self) -> Option<Turn<'_>> {
        self.threads.try_now()
    }

    /// Waits for the right to write, until `deadline`; `None` if `interrupted` says so before.
    pub(super) fn wait(
        &self,
        _first: &Turn<'_>,
        deadline: Instant,
        interrupted: impl Fn() -> bool,
    ) -> StoreResult<Option<Held>> {
        let files = self.files()?;
        let ticket = files.take_ticket();
        let mut serving = files.serving();
        let mut since = Instant::now();
        loop {
            let now_serving = files.serving();
            if now_serving != serving {
                (serving, since) = (now_serving, Instant::now());
            }
            let ahead = ticket.map_or(0, |ticket| ticket.saturating_sub(serving));
            let ahead = u32::try_from(ahead).unwrap_or(MOST_AHEAD).min(MOST_AHEAD);
            if since.elapsed() >= GRACE.saturating_mul(ahead) && self.try_lock(&files)? {
                return Ok(Some(Held { files, ticket }));
            }
            if interrupted() {
                return Ok(None);
            }
            if Instant::now() >= deadline {
                return Err(self.busy());
            }
            // Those further back look less often: they have at least that many writes to wait for.
            std::thread::sleep(PAUSE.saturating_mul(ahead.saturating_mul(3).max(1)));
        }
    }

    /// Takes the right to write if it is free now, without standing in the line.
    pub(super) fn try_now(&self, _first: &Turn<'_>) -> StoreResult<Option<Held>> {
        let files = self.files()?;
        Ok(self.try_lock(&files)?.then_some(Held { files, ticket: None }))
    }

    /// Closes the files; they are opened again when needed. Nobody may hold the right to write.
    pub(super) fn close(&self) {
        *self.open_files() = None;
    }

    fn try_lock(&self, files: &Files) -> StoreResult<bool> {
        match flock(&files.lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(false),
            Err(error) => Err(failure(&self.place.file("lock"), error.into())),
        }
    }

    /// The open files; opened anew when somebody has removed them, since a lock on a removed file
    /// keeps nobody out.
    fn files(&self) -> StoreResult<Arc<Files>> {
        let mut open = self.open_files();
        if let Some(files) = open.as_ref()
            && files.lock.metadata().is_ok_and(|found| found.nlink() > 0)
        {
            return Ok(Arc::clone(files));
        }
        let lock = self.place.open_or_make("lock")?;
        let queue = self.place.open_or_make("queue")?;
        let files = Arc::new(Files { lock, queue });
        *open = Some(Arc::clone(&files));
        Ok(files)
    }

    fn open_files(&self) -> MutexGuard<'_, Option<Arc<Files>>> {
        // Nothing panics while it is locked.
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn busy(&self) -> StoreError {
        let advice = ": a writer there does not finish; look for a stopped process";
        StoreError::Busy { path: self.place.file("lock"), advice }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // A ticket may have been overtaken; the number served never goes back.
        if let Some(ticket) = self.ticket {
            let next = ticket.wrapping_add(1);
            if next > self.files.serving() {
                self.files.write(SERVING, next);
            }
        }
        // Unlocking, and not merely closing: a copy of the descriptor in a child would keep it.
        if let Err(error) = flock(&self.files.lock, FlockOperation::Unlock) {
            log::error!("softhsm-rs.lock cannot be unlocked: {error}");
        }
    }
}

#[derive(Debug)]
struct Files {
    lock: File,
    queue: File,
}

/// Where the queue file holds the next ticket.
const NEXT: u64 = 0;
/// Where the queue file holds the ticket being served.
const SERVING: u64 = 8;

impl Files {
    /// The next ticket; `None` when it cannot be had, which costs nothing but the order.
    fn take_ticket(&self) -> Option<u64> {
        let began = Instant::now();
        while flock(&self.queue, FlockOperation::NonBlockingLockExclusive).is_err() {
            if began.elapsed() >= TICKET_PATIENCE {
                return None;
            }
            std::thread::sleep(PAUSE);
        }
        let ticket = self.read(NEXT).max(self.serving());
        let written = self.write(NEXT, ticket.wrapping_add(1));
        let unlocked = flock(&self.queue, FlockOperation::Unlock).is_ok();
        (written && unlocked).then_some(ticket)
    }

    fn serving(&self) -> u64 {
        self.read(SERVING)
    }

    /// A number of the queue file; 0 where it is too short.
    fn read(&self, at: u64) -> u64 {
        let mut bytes = [0; 8];
        match self.queue.read_exact_at(&mut bytes, at) {
            Ok(()) => u64::from_le_bytes(bytes),
            Err(_) => 0,
        }
    }

    fn write(&self, at: u64, number: u64) -> bool {
        self.queue.write_all_at(&number.to_le_bytes(), at).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::super::place::make_file;
    use super::*;

    fn place() -> (tempfile::TempDir, Place) {
        let directory = tempfile::tempdir().unwrap();
        let place = Place::new(directory.path(), "sqlite").unwrap();
        make_file(place.main(), None).unwrap();
        (directory, place)
    }

    fn in_ms(ms: u64) -> Instant {
        Instant::now() + Duration::from_millis(ms)
    }

    /// The right to write, as another process would get it: by files of its own.
    fn hold(queue: &WriterQueue, ms: u64) -> StoreResult<Held> {
        let first = queue.wait_in_process(in_ms(ms))?;
        queue.wait(&first, in_ms(ms), || false).map(|held| held.unwrap())
    }

    #[test]
    fn a_holder_keeps_others_out_until_the_deadline() {
        let (_keep, place) = place();
        let (one, two) = (WriterQueue::new(place.clone()), WriterQueue::new(place));
        let held = hold(&one, 1000).unwrap();
        let began = Instant::now();
        assert!(matches!(hold(&two, 60), Err(StoreError::Busy { .. })));
        assert!(began.elapsed() >= Duration::from_millis(60));
        drop(held);
        hold(&two, 1000).unwrap();
    }

    #[test]
    fn writers_of_many_processes_are_served_in_order() {
        let (_keep, place) = place();
        let first = WriterQueue::new(place.clone());
        let held = hold(&first, 1000).unwrap();
        let order = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for number in 0..8_u64 {
                let queue = WriterQueue::new(place.clone());
                let order = &order;
                scope.spawn(move || {
                    let _held = hold(&queue, 20_000).unwrap();
                    order.lock().unwrap().push(number);
                });
                while held.files.read(NEXT) < number + 2 {
                    std::thread::yield_now();
                }
            }
            drop(held);
        });
        assert_eq!(order.into_inner().unwrap(), (0..8).collect::<Vec<_>>());
    }

    #[test]
    fn a_ticket_whose_owner_died_delays_and_does_not_block() {
        let (_keep, place) = place();
        let queue = WriterQueue::new(place);
        drop(hold(&queue, 1000).unwrap());
        queue.files().unwrap().take_ticket().unwrap();
        let began = Instant::now();
        drop(hold(&queue, 5000).unwrap());
        assert!(began.elapsed() < Duration::from_secs(1));
        let files = queue.files().unwrap();
        assert_eq!(files.serving(), files.read(NEXT), "the line is in order again");
    }

    #[test]
    fn a_queue_file_full_of_garbage_delays_and_does_not_block() {
        let (_keep, place) = place();
        for garbage in [[0xff; 16], *b"\xff\xff\xff\xff\xff\xff\xff\x7f\0\0\0\0\0\0\0\0"] {
            std::fs::write(place.file("queue"), garbage).unwrap();
            let queue = WriterQueue::new(place.clone());
            let began = Instant::now();
            drop(hold(&queue, 5000).unwrap());
            drop(hold(&queue, 5000).unwrap());
            assert!(began.elapsed() < Duration::from_secs(2));
        }
    }

    #[test]
    fn a_stopped_ticket_giver_costs_only_the_order() {
        let (_keep, place) = place();
        let queue = WriterQueue::new(place.clone());
        let stopped = place.open_or_make("queue").unwrap();
        flock(&stopped, FlockOperation::LockExclusive).unwrap();
        hold(&queue, 5000).unwrap();
    }

    #[test]
    fn a_removed_lock_file_is_noticed() {
        let (_keep, place) = place();
        let (one, two) = (WriterQueue::new(place.clone()), WriterQueue::new(place.clone()));
        drop(hold(&one, 1000).unwrap());
        std::fs::remove_file(place.file("lock")).unwrap();
        let _held = hold(&two, 1000).unwrap();
        assert!(matches!(hold(&one, 50), Err(StoreError::Busy { .. })));
    }

    #[test]
    fn waiting_can_be_interrupted() {
        let (_keep, place) = place();
        let (one, two) = (WriterQueue::new(place.clone()), WriterQueue::new(place));
        let _held = hold(&one, 1000).unwrap();
        let first = two.wait_in_process(in_ms(1000)).unwrap();
        assert!(two.wait(&first, in_ms(10_000), || true).unwrap().is_none());
    }
}
