//! Two numbers at the start of a file, read from memory that the kernel shares with all who write them.

use std::ffi::c_void;
use std::fmt;
use std::fs::File;
use std::io;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::mm::{MapFlags, ProtFlags};

/// Bytes that are mapped: two numbers of eight bytes.
const LENGTH: usize = 16;

/// The first sixteen bytes of a file, mapped. Reading them costs two memory reads, where `pread` would cost
/// a system call, and shows what any process wrote since.
///
/// Whoever shortens the file to nothing while it is mapped takes the memory away, and the process that
/// reads it then dies: files that are mapped belong to their owner alone, are written in place, and are
/// removed, never shortened. SQLite's index of its log, which is mapped too, asks for the same.
pub struct SharedPair {
    start: NonNull<c_void>,
}

// SAFETY: the mapping is owned by this value alone, and is not tied to the thread that made it.
unsafe impl Send for SharedPair {}
// SAFETY: what is shared is read as atomics only.
unsafe impl Sync for SharedPair {}

impl SharedPair {
    /// Maps the start of a file; `None` if it is shorter than the two numbers.
    pub fn map(file: &File) -> io::Result<Option<SharedPair>> {
        if file.metadata()?.len() < LENGTH as u64 {
            return Ok(None);
        }
        // SAFETY: the kernel chooses a fresh range, so no memory that Rust knows of is replaced. It is
        // only read, as atomics, so that writes by others break no rule of the language.
        let start =
            unsafe { rustix::mm::mmap(ptr::null_mut(), LENGTH, ProtFlags::READ, MapFlags::SHARED, file, 0) }?;
        let start = NonNull::new(start).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Some(SharedPair { start }))
    }

    /// Both numbers, stored with the least significant byte first. Each is whole; that they belong
    /// together is for the caller to see.
    #[inline]
    pub fn read(&self) -> (u64, u64) {
        let pair = self.start.cast::<[AtomicU64; 2]>();
        // SAFETY: the page is mapped readable as long as `self` lives, is aligned to the page size, and any
        // sixteen bytes are two numbers. Atomic loads of that size write nothing.
        let [first, second] = unsafe { pair.as_ref() };
        (u64::from_le(first.load(Ordering::Acquire)), u64::from_le(second.load(Ordering::Acquire)))
    }
}

impl Drop for SharedPair {
    fn drop(&mut self) {
        // SAFETY: the range is our own mapping, and whoever borrowed from it borrowed from `self`.
        let unmapped = unsafe { rustix::mm::munmap(self.start.as_ptr(), LENGTH) };
        debug_assert!(unmapped.is_ok(), "a mapping of our own can be unmapped");
    }
}

impl fmt::Debug for SharedPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedPair{:?}", self.read())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;
    use crate::testing::in_child;

    fn file(bytes: &[u8]) -> File {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(bytes, 0).unwrap();
        file
    }

    #[test]
    fn shows_what_is_written_later() {
        let file = file(&[0; LENGTH]);
        let pair = SharedPair::map(&file).unwrap().unwrap();
        assert_eq!(pair.read(), (0, 0));
        file.write_all_at(&7_u64.to_le_bytes(), 8).unwrap();
        assert_eq!(pair.read(), (0, 7));
    }

    #[test]
    fn shows_what_another_process_writes_and_lives_on_without_the_file() {
        let file = file(&[0; LENGTH]);
        let pair = SharedPair::map(&file).unwrap().unwrap();
        assert!(in_child(|| file.write_all_at(&7_u64.to_le_bytes(), 0).is_ok()));
        drop(file);
        assert_eq!(pair.read(), (7, 0));
    }

    #[test]
    fn a_file_that_is_too_short_has_none() {
        assert!(SharedPair::map(&file(&[0; LENGTH - 1])).unwrap().is_none());
        assert!(SharedPair::map(&file(&[])).unwrap().is_none());
    }
}
