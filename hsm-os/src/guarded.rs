//! Secret bytes on pages of their own: locked, left out of core dumps, wiped on fork and on drop.

use std::fmt;
use std::io;
use std::slice;

use zeroize::Zeroize;

use crate::pages::Pages;

/// Secret bytes for as long as a process holds them. Each value takes whole pages (and a share of
/// RLIMIT_MEMLOCK), so it is meant for the few keys that lead to the others.
///
/// A child of `fork` finds zeros of the same length: whoever keeps one across a fork asks a
/// [`ForkMark`](crate::ForkMark) before trusting its bytes.
pub struct Guarded {
    pages: Pages,
    /// Bytes in use, from the start of the pages.
    length: usize,
}

impl Guarded {
    /// `length` zero bytes, to be filled by the caller. Fails only where memory cannot be mapped:
    /// locking and the advice to the kernel are done as far as the system's limits allow, since an HSM
    /// that refuses to start under a small RLIMIT_MEMLOCK protects nobody.
    pub fn zeroed(length: usize) -> io::Result<Guarded> {
        let pages = Pages::map(length)?;
        let _best_effort = (pages.lock(), pages.leave_out_of_dumps(), pages.wipe_on_fork());
        Ok(Guarded { pages, length })
    }

    /// A copy of bytes that stay with their owner, who wipes them.
    pub fn copy_of(bytes: &[u8]) -> io::Result<Guarded> {
        let mut guarded = Guarded::zeroed(bytes.len())?;
        guarded.expose_mut().copy_from_slice(bytes);
        Ok(guarded)
    }

    /// The bytes themselves.
    pub fn expose(&self) -> &[u8] {
        // SAFETY: the mapping covers `length` initialised bytes as long as `self` lives, and is written
        // only through `&mut self`.
        unsafe { slice::from_raw_parts(self.pages.start().as_ptr().cast(), self.length) }
    }

    /// The bytes themselves, to be written.
    pub fn expose_mut(&mut self) -> &mut [u8] {
        // SAFETY: as for `expose`, and `&mut self` makes this the only reference.
        unsafe { slice::from_raw_parts_mut(self.pages.start().as_ptr().cast(), self.length) }
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.expose_mut().zeroize();
    }
}

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guarded({} bytes)", self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::in_child;

    #[test]
    fn holds_what_was_copied() {
        assert_eq!(Guarded::copy_of(b"hush").unwrap().expose(), b"hush");
    }

    #[test]
    fn holds_more_than_a_page() {
        let bytes = vec![7; rustix::param::page_size() + 1];
        assert_eq!(Guarded::copy_of(&bytes).unwrap().expose(), bytes);
    }

    #[test]
    fn may_be_empty() {
        assert!(Guarded::zeroed(0).unwrap().is_empty());
    }

    #[test]
    fn refuses_an_impossible_length() {
        assert!(Guarded::zeroed(usize::MAX).is_err());
    }

    #[test]
    fn a_child_sees_zeros_and_the_parent_keeps_the_bytes() {
        let secret = Guarded::copy_of(b"hush").unwrap();
        assert!(in_child(|| secret.expose() == [0; 4]));
        assert_eq!(secret.expose(), b"hush");
    }

    #[test]
    fn debug_shows_the_length_alone() {
        assert_eq!(format!("{:?}", Guarded::copy_of(b"hush").unwrap()), "Guarded(4 bytes)");
    }

    /// The kernel's own word: `lo` locked, `dd` not dumped, `wf` wiped on fork.
    #[test]
    fn the_kernel_confirms_what_was_asked() {
        let secret = Guarded::copy_of(b"hush").unwrap();
        let address = format!("{:x}-", secret.pages.start().as_ptr().addr());
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mapping = maps.split("VmFlags:").zip(maps.split("VmFlags:").skip(1));
        let flags = mapping.filter(|(before, _)| before.lines().any(|line| line.starts_with(&address)));
        let flags = flags.map(|(_, after)| after.lines().next().unwrap()).next().expect("a mapping");
        for wanted in ["lo", "dd", "wf"] {
            assert!(flags.split_whitespace().any(|flag| flag == wanted), "{wanted} in {flags}");
        }
    }
}
