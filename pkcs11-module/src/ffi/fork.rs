//! The fork handlers' C side. What they do stands in `gate`.

use std::panic::catch_unwind;
use std::sync::OnceLock;

use crate::gate;
use crate::rv::{Outcome, Rejection};

/// Registers the handlers, once in the life of the process. (The library stays mapped after dlclose, and
/// the C library forgets the handlers of what is unmapped.)
pub(crate) fn register() -> Outcome {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    let done = REGISTERED.get_or_init(|| {
        // SAFETY: the handlers are functions of this library, which is never unmapped (`-z nodelete`).
        unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) == 0 }
    });
    if *done { Ok(()) } else { Err(Rejection::HostMemory.into()) }
}

// A panic must not leave these; what it leaves undone, the mark of `gate` makes good by refusing calls
// in the child.

unsafe extern "C" fn prepare() {
    drop(catch_unwind(gate::before_fork));
}

unsafe extern "C" fn parent() {
    drop(catch_unwind(gate::after_fork_in_parent));
}

unsafe extern "C" fn child() {
    drop(catch_unwind(gate::after_fork_in_child));
}
