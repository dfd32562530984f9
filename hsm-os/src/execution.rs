//! How the process was started. Leaves to the caller what follows from it.

use std::ffi::c_ulong;

/// `AT_SECURE` of the auxiliary vector (getauxval(3)): set when the process has more rights than
/// whoever started it, as in set-user-id programs.
const AT_SECURE: c_ulong = 23;

// SAFETY: glibc, musl and bionic declare it so. It takes any number, answers 0 for one it does not
// know, and reads what the kernel left at the process's start; nothing in the process changes that.
unsafe extern "C" {
    safe fn getauxval(kind: c_ulong) -> c_ulong;
}

/// Whether the process runs with rights that the environment's author may not have; then the
/// environment is not to be trusted. Reading `/proc/self/auxv` instead would fail in every process
/// that turned its dumps off, ssh-agent's PKCS#11 helper among them.
pub fn secure_execution() -> bool {
    getauxval(AT_SECURE) != 0
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_test_runner_has_no_more_rights_than_its_caller() {
        assert!(!super::secure_execution());
    }
}
