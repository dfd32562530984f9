//! When uses that the core counted in memory are written: half a second after the first, so that they are in the log
//! within a second. A thread of the module's own does it, where the application lets the library have one, and where it
//! does not, the application's own calls do.
//!
//! The thread is begun at the first use, sleeps while there is nothing to write, and ends with C_Finalize. What it does
//! to the library it does as a call through the gate, so that a fork finds nothing under way; a child has no such
//! thread, and begins its own. Signals are the application's: the thread takes none.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use hsm_core::hsm::Hsm;

use crate::ffi;
use crate::gate;

/// Half of what is promised, so that the write itself has the other half.
const INTERVAL: Duration = Duration::from_millis(500);
/// After a write that failed.
const RETRY: Duration = Duration::from_secs(5);
/// While the application forks, or finalises.
const SOON: Duration = Duration::from_millis(10);

/// Has counted uses written, from C_Initialize to C_Finalize.
pub(crate) struct Counted {
    /// Whether the application lets the library have threads.
    may_have_thread: bool,
    /// The thread; `None` where there may be none, or the system gave none.
    thread: OnceLock<Option<Thread>>,
    /// When a call wrote last.
    written: Mutex<Option<Instant>>,
}

/// The thread as calls see it.
struct Thread {
    bell: Arc<Bell>,
    handle: JoinHandle<()>,
}

/// What wakes the thread. It is all that the thread holds of the library while it sleeps: a child must not be left
/// with keys in the hands of a thread that is not there.
#[derive(Default)]
struct Bell {
    rung: AtomicBool,
    ends: Mutex<bool>,
    changed: Condvar,
}

impl Counted {
    pub(crate) fn new(may_have_thread: bool) -> Counted {
        Counted { may_have_thread, thread: OnceLock::new(), written: Mutex::default() }
    }

    /// After a call, where counted uses wait.
    pub(crate) fn tend(&self, hsm: &Hsm) {
        match self.thread.get_or_init(|| self.begin()) {
            Some(thread) => thread.bell.ring(),
            None => self.write_in_time(hsm),
        }
    }

    /// At moments when applications expect to wait: writes what no thread will.
    pub(crate) fn write_without_thread(&self, hsm: &Hsm) {
        if matches!(self.thread.get(), None | Some(None)) {
            write(hsm);
        }
    }

    /// Ends the thread and waits until it has. The gate is closed for it.
    pub(crate) fn end(self) {
        if let Some(Some(thread)) = self.thread.into_inner() {
            *locked(&thread.bell.ends) = true;
            thread.bell.changed.notify_all();
            // One that panicked has ended too.
            let _ = thread.handle.join();
        }
    }

    /// In the child of a fork, where the thread does not exist.
    pub(crate) fn abandon(self) {
        if let Some(Some(thread)) = self.thread.into_inner() {
            // Dropping the handle would tell the system to let go of a thread that it does not know.
            std::mem::forget(thread.handle);
        }
    }

    fn begin(&self) -> Option<Thread> {
        if !self.may_have_thread {
            return None;
        }
        let bell = Arc::new(Bell::default());
        let its_bell = bell.clone();
        let begun =
            ffi::without_signals(|| Builder::new().name("audit".into()).spawn(move || work(&its_bell)));
        match begun {
            Ok(handle) => Some(Thread { bell, handle }),
            Err(error) => {
                log::warn!("there is no thread for the audit log, calls write it: {error}");
                None
            }
        }
    }

    fn write_in_time(&self, hsm: &Hsm) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if written.is_none_or(|written| written.elapsed() >= INTERVAL) {
            *written = Some(Instant::now());
            drop(written);
            write(hsm);
        }
    }
}

impl Bell {
    fn ring(&self) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            // With the lock, so that it is not between the thread's look and its wait.
            let _ends = locked(&self.ends);
            self.changed.notify_one();
        }
    }

    /// Waits until it is rung; false if it is time to end.
    fn wait(&self) -> bool {
        let sleeps = |ends: &mut bool| !*ends && !self.rung.load(Ordering::Acquire);
        let waited = self.changed.wait_while(locked(&self.ends), sleeps);
        !*waited.unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits this long; false if it is time to end.
    fn pause(&self, most: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(locked(&self.ends), most, |ends| !*ends);
        !*waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// The thread.
fn work(bell: &Bell) {
    let mut pause = INTERVAL;
    while bell.wait() && bell.pause(pause) {
        bell.rung.store(false, Ordering::Release);
        pause = match gate::aside(|library| write(library.hsm())) {
            Some(true) => INTERVAL,
            Some(false) => RETRY,
            None => SOON,
        };
        if pause != INTERVAL {
            bell.rung.store(true, Ordering::Release);
        }
    }
}

/// Writes what waits. What the store does not take waits on; the core tells the process's log.
fn write(hsm: &Hsm) -> bool {
    hsm.flush_uses().is_ok()
}

fn locked(ends: &Mutex<bool>) -> MutexGuard<'_, bool> {
    ends.lock().unwrap_or_else(PoisonError::into_inner)
}
