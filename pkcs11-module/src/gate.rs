//! The gate that every call passes: it says whether the library is loaded, keeps C_Finalize and fork
//! away from running calls, and recognises a child whose fork nobody announced.
//!
//! A call holds a read lock for its duration. A fork takes the write lock first (`before_fork`), so that
//! no call is under way while memory is copied, and has the core close its files; the thread that forks
//! keeps the lock, and parent and child each release their copy. Only locks of the standard library are
//! used below this line: their state is in the copied memory, with no table of waiting threads beside it.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock, RwLockWriteGuard, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use cryptoki_sys::CK_RV;
use hsm_os::ForkMark;

use crate::library::Library;
use crate::rv::{self, Outcome, Rejection};

/// How long a fork waits for running calls. A longer call (one that waits for another process, or a
/// fork from inside a call) lets the fork go ahead; the child is then refused, the parent goes on.
const PATIENCE: Duration = Duration::from_secs(10);

/// No number of threads: the value of [`FORKS`] that ends only with the process.
const NEVER: usize = usize::MAX;

/// Between two looks at a lock or flag that another thread is about to release.
const PAUSE: Duration = Duration::from_micros(100);

/// Between two looks for what a call waits for.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// The library between C_Initialize and C_Finalize.
static LIBRARY: RwLock<Option<Library>> = RwLock::new(None);

/// How many threads are forking. New calls wait while it is not zero, so that a busy application cannot
/// keep a fork waiting. [`NEVER`] in a child that could not be put in order.
static FORKS: AtomicUsize = AtomicUsize::new(0);

/// Set at the first C_Initialize. `None` inside where the kernel cannot wipe on fork.
static MARK: OnceLock<Option<ForkMark>> = OnceLock::new();

thread_local! {
    /// What this thread holds while it forks; `Fork::No` at all other times.
    static FORK: RefCell<Fork> = const { RefCell::new(Fork::No) };
}

enum Fork {
    No,
    /// The write lock, or nothing if it could not be had in time.
    Yes(Option<RwLockWriteGuard<'static, Option<Library>>>),
}

/// Runs a body that needs the loaded library, and turns its outcome and any panic into a CK_RV.
pub(crate) fn with_library(function: &str, body: impl FnOnce(&Library) -> Outcome) -> CK_RV {
    if let Err(rejection) = admit() {
        return rejection.code();
    }
    match &*LIBRARY.read().unwrap_or_else(PoisonError::into_inner) {
        None => Rejection::NotInitialised.code(),
        Some(library) => guarded(function, || {
            let outcome = body(library);
            library.after_call();
            outcome
        }),
    }
}

/// Runs work of the library's own thread as a call is run, if one would be let in at once: it never waits, since whoever
/// keeps it out may be waiting for the thread to end.
pub(crate) fn aside<R>(body: impl FnOnce(&Library) -> R) -> Option<R> {
    if FORKS.load(Ordering::Acquire) != 0 {
        return None;
    }
    let library = match LIBRARY.try_read() {
        Ok(library) => library,
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        Err(TryLockError::WouldBlock) => return None,
    };
    catch_unwind(AssertUnwindSafe(|| library.as_ref().map(body))).ok().flatten()
}

/// Runs a body again and again until it has an outcome, for calls that wait. Between two runs the library may be
/// unloaded, also to be loaded anew: then the wait has ended.
pub(crate) fn waiting(function: &str, body: impl Fn(&Library) -> Outcome<Option<()>>) -> CK_RV {
    let mut loaded = None;
    loop {
        let mut goes_on = false;
        let code = with_library(function, |library| {
            if *loaded.get_or_insert(library.number()) != library.number() {
                return Err(Rejection::NotInitialised.into());
            }
            goes_on = body(library)?.is_none();
            Ok(())
        });
        if !goes_on {
            return code;
        }
        thread::sleep(BETWEEN_LOOKS);
    }
}

/// Runs a body that loads or unloads the library, with no call under way.
pub(crate) fn exclusively(function: &str, body: impl FnOnce(&mut Option<Library>) -> Outcome) -> CK_RV {
    if let Err(rejection) = admit() {
        return rejection.code();
    }
    let mut library = LIBRARY.write().unwrap_or_else(PoisonError::into_inner);
    guarded(function, || body(&mut library))
}

/// Runs a body that works without the library. It logs nothing: it may run while another thread forks.
pub(crate) fn outside(_function: &str, body: impl FnOnce() -> Outcome) -> CK_RV {
    let outcome = catch_unwind(AssertUnwindSafe(|| rv::code(&body())));
    outcome.unwrap_or(Rejection::Panicked.code())
}

/// No panic leaves a body. One may leave the core's state half changed; its locks are poisoned then.
fn guarded(function: &str, body: impl FnOnce() -> Outcome) -> CK_RV {
    let outcome = catch_unwind(AssertUnwindSafe(|| rv::report(function, body())));
    outcome.unwrap_or_else(|payload| rv::panicked(function, payload.as_ref()))
}

/// Sets the mark that an unannounced fork wipes.
pub(crate) fn set_mark() {
    MARK.get_or_init(|| ForkMark::new().ok());
}

/// Lets a call in, or says why not.
#[inline]
fn admit() -> Result<(), Rejection> {
    if FORKS.load(Ordering::Acquire) != 0 {
        wait_out_forks()?;
    }
    match MARK.get() {
        Some(Some(mark)) if !mark.is_intact() => Err(Rejection::ForkUnseen),
        _ => Ok(()),
    }
}

#[cold]
fn wait_out_forks() -> Result<(), Rejection> {
    // Another handler of this very fork may call us; waiting for ourselves would never end.
    let forking = FORK.try_with(|fork| matches!(*fork.borrow(), Fork::Yes(_))).unwrap_or(false);
    if forking {
        return Err(Rejection::DuringFork);
    }
    loop {
        match FORKS.load(Ordering::Acquire) {
            0 => return Ok(()),
            NEVER => return Err(Rejection::ForkUnseen),
            _ => thread::sleep(PAUSE),
        }
    }
}

/// In the thread that forks, before it does.
pub(crate) fn before_fork() {
    FORKS.fetch_add(1, Ordering::AcqRel);
    // A thread whose locals are gone has no place to keep the lock; the child is refused then.
    if FORK.try_with(|_| ()).is_err() {
        return;
    }
    let held = lock_within(PATIENCE);
    if let Some(Some(library)) = held.as_deref() {
        library.suspend();
    }
    FORK.set(Fork::Yes(held));
}

/// In the parent, after the fork or its failure.
pub(crate) fn after_fork_in_parent() {
    if let Some(held) = take_held()
        && let Some(library) = held.as_ref()
    {
        library.resume();
    }
    FORKS.fetch_sub(1, Ordering::AcqRel);
}

/// In the child: the library is gone, its keys wiped, and C_Initialize may be called. Where the lock
/// could not be had, every call is refused from now on.
pub(crate) fn after_fork_in_child() {
    let Some(mut held) = take_held() else {
        FORKS.store(NEVER, Ordering::Release);
        return;
    };
    if let Some(library) = held.take() {
        library.abandon();
    }
    if let Some(Some(mark)) = MARK.get() {
        mark.renew();
    }
    // Other threads that were forking do not exist here.
    FORKS.store(0, Ordering::Release);
}

fn take_held() -> Option<RwLockWriteGuard<'static, Option<Library>>> {
    match FORK.try_with(|fork| fork.replace(Fork::No)) {
        Ok(Fork::Yes(held)) => held,
        Ok(Fork::No) | Err(_) => None,
    }
}

fn lock_within(patience: Duration) -> Option<RwLockWriteGuard<'static, Option<Library>>> {
    let deadline = Instant::now() + patience;
    loop {
        match LIBRARY.try_write() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => return None,
        }
    }
}
