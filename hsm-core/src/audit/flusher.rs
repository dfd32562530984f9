//! A thread that writes what was counted, twice a second, and seals the log each minute. What else takes time belongs
//! on another thread: this one has promised to write within a second. Servers have
//! one; a library in somebody else's process does not.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::trail::Trail;

/// Half of what is promised, so that the write itself has the other half.
const INTERVAL: Duration = Duration::from_millis(500);

/// How often the log is sealed. A seal costs a signature, a sync of the store, and the unit's file written anew.
const MINUTE: Duration = Duration::from_secs(60);

/// What is done each minute. It tells the process's log itself where that fails.
pub type EachMinute = Box<dyn Fn() + Send>;

/// Flushes a trail until it is dropped, and once more then. What is done each minute is also done at its start and at
/// its end.
#[derive(Debug)]
pub struct Flusher {
    trail: Arc<Trail>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Flusher {
    /// Begins.
    ///
    /// # Errors
    /// Those of the operating system, where it gives no thread.
    pub fn start(trail: Arc<Trail>, chores: EachMinute) -> io::Result<Flusher> {
        let ends = Arc::new(AtomicBool::new(false));
        let (its_trail, its_ends) = (trail.clone(), ends.clone());
        let work = move || {
            let mut takes = true;
            let mut done = None;
            while !its_ends.load(Ordering::Acquire) {
                if done.is_none_or(|done: Instant| done.elapsed() >= MINUTE) {
                    chores();
                    done = Some(Instant::now());
                }
                // A store that takes nothing is given time.
                its_trail.wait(INTERVAL, &its_ends, takes);
                takes = its_trail.flush().is_ok();
            }
            // What was counted while the thread wrote its last.
            let _ = its_trail.flush();
            chores();
        };
        let thread = std::thread::Builder::new().name("audit".into()).spawn(work)?;
        Ok(Flusher { trail, ends, thread: Some(thread) })
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Release);
        self.trail.call();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
