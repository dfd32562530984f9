//! A thread that does what time does to root and standard keys. The thread that writes the audit log is another one, so
//! that what was counted does not wait for keys.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::engine::Engine;

/// How often it looks, and how long it leaves the store to others where there is more to do.
const INTERVAL: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(500);

/// Looks each minute until it is dropped. Dropping it waits for one partition's round at most.
#[derive(Debug)]
pub struct Upkeep {
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Upkeep {
    /// Begins.
    ///
    /// # Errors
    /// Those of the operating system, where it gives no thread.
    pub fn start(engine: Arc<Engine>) -> io::Result<Upkeep> {
        let ends = Arc::new(AtomicBool::new(false));
        let its_ends = ends.clone();
        let work = move || {
            let has_ended = || its_ends.load(Ordering::Acquire);
            while !has_ended() {
                let more = engine.keep_kms_keys(&has_ended);
                std::thread::park_timeout(if more { PAUSE } else { INTERVAL });
            }
        };
        let thread = std::thread::Builder::new().name("upkeep".into()).spawn(work)?;
        Ok(Upkeep { ends, thread: Some(thread) })
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}
