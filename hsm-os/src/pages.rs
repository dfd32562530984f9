//! Whole anonymous pages of this process. Leaves to its users what is written there.

use std::ffi::c_void;
use std::io;
use std::ptr::{self, NonNull};

use rustix::mm::{Advice, MapFlags, ProtFlags};

/// Private anonymous memory, zeroed by the kernel, unmapped on drop.
pub(crate) struct Pages {
    start: NonNull<c_void>,
    /// Bytes: a multiple of the page size, at least one page.
    length: usize,
}

// SAFETY: `Pages` owns its mapping alone, and a mapping is not tied to the thread that made it.
unsafe impl Send for Pages {}
// SAFETY: `&Pages` gives the address and the length only; access through it is its user's matter.
unsafe impl Sync for Pages {}

impl Pages {
    /// Maps as many pages as hold `length` bytes (one page for zero bytes).
    pub(crate) fn map(length: usize) -> io::Result<Pages> {
        let page = rustix::param::page_size();
        let length = length.max(1).checked_next_multiple_of(page).ok_or(io::ErrorKind::OutOfMemory)?;
        let (access, kind) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE);
        // SAFETY: the kernel chooses a fresh range, so no memory that Rust knows of is replaced.
        let start = unsafe { rustix::mm::mmap_anonymous(ptr::null_mut(), length, access, kind) }?;
        let start = NonNull::new(start).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Pages { start, length })
    }

    /// The first byte. Aligned to the page size.
    pub(crate) fn start(&self) -> NonNull<c_void> {
        self.start
    }

    /// A child of `fork` finds zeros here (Linux 4.14).
    pub(crate) fn wipe_on_fork(&self) -> io::Result<()> {
        self.advise(Advice::LinuxWipeOnFork)
    }

    /// Core dumps leave these pages out.
    pub(crate) fn leave_out_of_dumps(&self) -> io::Result<()> {
        self.advise(Advice::LinuxDontDump)
    }

    /// These pages are not swapped out. Fails beyond RLIMIT_MEMLOCK.
    pub(crate) fn lock(&self) -> io::Result<()> {
        // SAFETY: the range is our own mapping, and locking does not change what is in it.
        unsafe { rustix::mm::mlock(self.start.as_ptr(), self.length) }?;
        Ok(())
    }

    fn advise(&self, advice: Advice) -> io::Result<()> {
        // SAFETY: the range is our own mapping, and neither advice given above changes this process's
        // view of it.
        unsafe { rustix::mm::madvise(self.start.as_ptr(), self.length, advice) }?;
        Ok(())
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: the range is our own mapping, and whoever borrowed from it borrowed from `self`.
        let unmapped = unsafe { rustix::mm::munmap(self.start.as_ptr(), self.length) };
        debug_assert!(unmapped.is_ok(), "a mapping of our own can be unmapped");
    }
}
