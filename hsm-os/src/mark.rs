//! A mark that a fork wipes, so that a child can tell that it is one even where no atfork handler ran.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::pages::Pages;

const INTACT: u32 = 0x6d61_726b;

/// Intact in the process that set it; gone in every child that got a copy of its memory, also by a raw
/// `clone` that ran no atfork handler. Asking costs one memory read, where `getpid` would cost a system
/// call.
pub struct ForkMark {
    page: Pages,
}

impl ForkMark {
    /// Sets a mark. Fails where the kernel cannot wipe on fork (before Linux 4.14): a mark there would
    /// never tell.
    pub fn new() -> io::Result<ForkMark> {
        let page = Pages::map(size_of::<AtomicU32>())?;
        page.wipe_on_fork()?;
        let mark = ForkMark { page };
        mark.renew();
        Ok(mark)
    }

    /// Whether this is still the process that set the mark.
    #[inline]
    pub fn is_intact(&self) -> bool {
        self.word().load(Ordering::Acquire) == INTACT
    }

    /// Sets the mark again: a child does so when it has put its affairs in order.
    pub fn renew(&self) {
        self.word().store(INTACT, Ordering::Release);
    }

    #[inline]
    fn word(&self) -> &AtomicU32 {
        let word = self.page.start().cast::<AtomicU32>();
        // SAFETY: the page is mapped readable and writable as long as `self` lives, is aligned to the
        // page size, was zeroed (a valid AtomicU32), and is only ever accessed as this atomic.
        unsafe { word.as_ref() }
    }
}

impl fmt::Debug for ForkMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ForkMark(intact: {})", self.is_intact())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::in_child;

    #[test]
    fn is_intact_in_the_process_that_set_it() {
        assert!(ForkMark::new().unwrap().is_intact());
    }

    #[test]
    fn is_gone_in_a_child_and_stays_in_the_parent() {
        let mark = ForkMark::new().unwrap();
        assert!(in_child(|| !mark.is_intact()));
        assert!(mark.is_intact());
    }

    #[test]
    fn a_child_can_set_it_again() {
        let mark = ForkMark::new().unwrap();
        assert!(in_child(|| {
            mark.renew();
            mark.is_intact()
        }));
    }
}
