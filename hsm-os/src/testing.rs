//! A fork for the tests: a check that runs in a child process.

/// Whether `check` holds in a forked child. The check does no more than read and write memory: the
/// child of a threaded process may not allocate.
pub(crate) fn in_child(check: impl FnOnce() -> bool) -> bool {
    // SAFETY: the child touches no lock and no heap before it leaves by `_exit`.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "fork failed");
    if child == 0 {
        let status = if check() { 0 } else { 1 };
        // SAFETY: leaves at once, without running the test runner's exit handlers.
        unsafe { libc::_exit(status) };
    }
    let mut status = -1;
    // SAFETY: the child is ours and not waited for elsewhere; `status` outlives the call.
    let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
    assert_eq!(waited, child, "waitpid failed");
    libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0
}
