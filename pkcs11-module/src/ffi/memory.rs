//! The caller's memory: regions and single places in it, checked as far as that is possible.

use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::slice;

use cryptoki_sys::CK_ULONG;

use crate::rv::{Outcome, Rejection};

/// The caller's memory: `count` elements from `start`, checked as far as that is possible. Not a slice:
/// places that are written may overlap one another, so each access goes through the pointer.
pub(crate) struct Region<'call, T> {
    start: NonNull<T>,
    count: usize,
    _caller: PhantomData<&'call T>,
}

impl<'call, T> Region<'call, T> {
    /// Refuses null with a length, misaligned pointers, and lengths that no memory has. Null without a
    /// length is an empty region.
    ///
    /// # Safety
    /// The caller's promise (see `ffi`) must hold for `start` and `count` during `'call`.
    pub(super) unsafe fn claim(start: *const T, count: CK_ULONG) -> Outcome<Region<'call, T>> {
        let count = usize::try_from(count).map_err(|_| Rejection::ArgumentsBad)?;
        if count == 0 {
            return Ok(Region { start: NonNull::dangling(), count, _caller: PhantomData });
        }
        let start = NonNull::new(start.cast_mut()).ok_or(Rejection::ArgumentsBad)?;
        let last = count.checked_mul(size_of::<T>()).and_then(|bytes| start.addr().get().checked_add(bytes));
        if !start.is_aligned() || last.is_none_or(|last| isize::try_from(last).is_err()) {
            return Err(Rejection::ArgumentsBad.into());
        }
        Ok(Region { start, count, _caller: PhantomData })
    }

    pub(super) fn start(&self) -> NonNull<T> {
        self.start
    }

    /// How many elements.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Writes as many of `items` as there is room for.
    pub(super) fn write(&self, items: &[T])
    where
        T: Copy,
    {
        let count = items.len().min(self.count);
        // SAFETY: `claim` was promised `self.count` writable elements; `ptr::copy` allows overlap.
        unsafe { ptr::copy(items.as_ptr(), self.start.as_ptr(), count) };
    }
}

impl<'call> Region<'call, u8> {
    /// The bytes, for arguments that the module only reads.
    pub(super) fn bytes(&self) -> &'call [u8] {
        // SAFETY: `claim` was promised `count` readable bytes that nothing changes during the call: what
        // the module itself writes is kept apart by `Transform`, or happens when the slice is dead.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.count) }
    }

    pub(super) fn overlaps(&self, other: &Region<'_, u8>) -> bool {
        let (start, others) = (self.start.addr().get(), other.start.addr().get());
        self.count != 0 && other.count != 0 && start < others + other.count && others < start + self.count
    }
}

/// Where one value goes.
pub(crate) struct Place<'call, T>(Region<'call, T>);

impl<'call, T: Copy> Place<'call, T> {
    /// Refuses null and misaligned pointers.
    ///
    /// # Safety
    /// As for [`Region::claim`], with one element.
    pub(super) unsafe fn claim(at: *mut T) -> Outcome<Place<'call, T>> {
        // SAFETY: passed on.
        unsafe { Region::claim(at, 1) }.map(Place)
    }

    pub(crate) fn put(&self, value: T) {
        self.0.write(&[value]);
    }
}

impl Place<'_, CK_ULONG> {
    /// The number that the caller put here.
    pub(super) fn number(&self) -> CK_ULONG {
        // SAFETY: `claim` was promised one readable, aligned number.
        unsafe { self.0.start.as_ptr().read() }
    }

    /// Tells the caller a length.
    pub(super) fn put_length(&self, length: usize) {
        self.put(CK_ULONG::try_from(length).unwrap_or(CK_ULONG::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rv::Refusal;

    /// What a region of bytes at any address and of any length comes to. Nothing is read.
    fn claim<T>(start: *const T, count: CK_ULONG) -> Result<usize, Refusal> {
        // SAFETY: the region is never accessed.
        unsafe { Region::claim(start, count) }.map(|region| region.count())
    }

    fn is_bad<T>(outcome: Outcome<T>) -> bool {
        matches!(outcome, Err(Refusal::Door(Rejection::ArgumentsBad)))
    }

    #[test]
    fn nothing_at_null_is_an_empty_region() {
        assert_eq!(claim(ptr::null::<u8>(), 0).unwrap(), 0);
        // SAFETY: the region is empty.
        assert!(unsafe { Region::claim(ptr::null::<u8>(), 0) }.unwrap().bytes().is_empty());
    }

    #[test]
    fn null_with_a_length_is_bad() {
        assert!(is_bad(claim(ptr::null::<u8>(), 1)));
    }

    #[test]
    fn lengths_that_no_memory_has_are_bad() {
        let start = &raw const *b"x";
        for count in [CK_ULONG::MAX, CK_ULONG::MAX - 1, isize::MAX as CK_ULONG, 1 << 63] {
            assert!(is_bad(claim(start.cast::<u8>(), count)), "{count:#x} bytes");
        }
        let numbers = [0 as CK_ULONG];
        for count in [CK_ULONG::MAX / 8 + 2, 1 << 61, 1 << 60] {
            assert!(is_bad(claim(numbers.as_ptr(), count)), "{count:#x} numbers");
        }
    }

    #[test]
    fn misaligned_pointers_are_bad() {
        let numbers = [0 as CK_ULONG; 2];
        let odd = numbers.as_ptr().wrapping_byte_add(1);
        assert!(is_bad(claim(odd, 1)));
        // SAFETY: refused before it is accessed.
        assert!(is_bad(unsafe { Place::claim(odd.cast_mut()) }));
    }
}
