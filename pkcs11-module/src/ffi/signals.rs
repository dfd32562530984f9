//! Signals, which are the application's: a thread of the library must not run its handlers.

use std::mem::MaybeUninit;
use std::ptr;

/// Runs a body with every signal blocked, which a thread that it begins inherits.
pub(crate) fn without_signals<R>(body: impl FnOnce() -> R) -> R {
    let _blocked = Blocked::all();
    body()
}

/// Restores what was blocked before.
struct Blocked(Option<libc::sigset_t>);

impl Blocked {
    fn all() -> Blocked {
        let (mut all, mut before) = (MaybeUninit::uninit(), MaybeUninit::uninit());
        // SAFETY: a place for a set, which the call fills.
        unsafe { libc::sigfillset(all.as_mut_ptr()) };
        // SAFETY: the first set was filled, the second is written by the call.
        let done = unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) };
        // SAFETY: the call that succeeded has written it.
        Blocked((done == 0).then(|| unsafe { before.assume_init() }))
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // SAFETY: a set that the system gave; null asks for nothing back.
            unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before, ptr::null_mut()) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether this thread blocks a signal.
    fn blocks(signal: i32) -> bool {
        let mut now = MaybeUninit::uninit();
        // SAFETY: null changes nothing, and the set is written by the call.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, ptr::null(), now.as_mut_ptr()) };
        // SAFETY: the set was written.
        unsafe { libc::sigismember(now.as_ptr(), signal) == 1 }
    }

    #[test]
    fn a_thread_that_is_begun_takes_no_signals_and_this_one_takes_them_again() {
        let theirs =
            without_signals(|| std::thread::spawn(|| blocks(libc::SIGTERM) && blocks(libc::SIGCHLD)));
        assert!(theirs.join().unwrap());
        assert!(!blocks(libc::SIGTERM) && !blocks(libc::SIGCHLD));
    }
}
