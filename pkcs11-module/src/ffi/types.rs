//! Arguments as safe types: places to write to, output under the two-call rule, and input beside it.
//! Made from the caller's pointers in `args`; used by the bodies without `unsafe`.

use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::slice;

use cryptoki_sys::CK_ULONG;
use hsm_core::Error;
use hsm_core::secret::Secret;
use hsm_core::session::Output;

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
    fn write(&self, items: &[T])
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

    fn overlaps(&self, other: &Region<'_, u8>) -> bool {
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
    fn put_length(&self, length: usize) {
        self.put(CK_ULONG::try_from(length).unwrap_or(CK_ULONG::MAX));
    }
}

/// Bytes to hand out, under the two-call rule (PKCS #11 3.2, section 5.2): a null buffer asks for the
/// length alone, a buffer that is too small learns the length needed.
pub(crate) struct Out<'call> {
    /// `None` for a null pointer.
    buffer: Option<Region<'call, u8>>,
    length: Place<'call, CK_ULONG>,
}

impl<'call> Out<'call> {
    /// # Safety
    /// As for [`Region::claim`], for `length` and for `*length` bytes at `buffer`.
    pub(super) unsafe fn claim(buffer: *mut u8, length: *mut CK_ULONG) -> Outcome<Out<'call>> {
        // SAFETY: passed on.
        let length = unsafe { Place::claim(length) }?;
        if buffer.is_null() {
            return Ok(Out { buffer: None, length });
        }
        // SAFETY: passed on.
        let buffer = unsafe { Region::claim(buffer, length.number()) }?;
        Ok(Out { buffer: Some(buffer), length })
    }

    /// Hands the buffer to `produce` and tells the caller the length that it answers.
    pub(crate) fn fill(self, produce: impl FnOnce(Output<'_>) -> hsm_core::Result<usize>) -> Outcome {
        let output = match &self.buffer {
            None => Output::Length,
            Some(region) => {
                // SAFETY: `claim` was promised `count` writable bytes, and no other reference to them
                // exists: inputs that overlap were copied by `Transform`.
                Output::Buffer(unsafe { slice::from_raw_parts_mut(region.start.as_ptr(), region.count) })
            }
        };
        match produce(output) {
            Ok(length) => self.length.put_length(length),
            Err(error) => {
                if let Error::BufferTooSmall { needed } = error {
                    self.length.put_length(needed);
                }
                return Err(error.into());
            }
        }
        Ok(())
    }
}

/// Input bytes that become output bytes, possibly in place.
pub(crate) struct Transform<'call> {
    input: Input<'call>,
    out: Out<'call>,
}

enum Input<'call> {
    Caller(&'call [u8]),
    /// Where input and output overlap, as the standard allows. May be a plaintext, hence a secret.
    Copy(Secret),
}

impl<'call> Transform<'call> {
    /// Copies the input first if writing the output would change it.
    pub(super) fn new(input: Region<'call, u8>, out: Out<'call>) -> Outcome<Transform<'call>> {
        let input = if out.buffer.as_ref().is_some_and(|buffer| buffer.overlaps(&input)) {
            let mut copy = Vec::new();
            copy.try_reserve_exact(input.count).map_err(|_| Rejection::HostMemory)?;
            copy.extend_from_slice(input.bytes());
            Input::Copy(Secret::new(copy))
        } else {
            Input::Caller(input.bytes())
        };
        Ok(Transform { input, out })
    }

    /// Hands input and output to `produce`.
    pub(crate) fn run(self, produce: impl FnOnce(&[u8], Output<'_>) -> hsm_core::Result<usize>) -> Outcome {
        let input = match &self.input {
            Input::Caller(bytes) => bytes,
            Input::Copy(copy) => copy.expose(),
        };
        self.out.fill(|output| produce(input, output))
    }
}

/// A list to hand out under the two-call rule, counted in elements.
pub(crate) struct List<'call, T> {
    buffer: Option<Region<'call, T>>,
    count: Place<'call, CK_ULONG>,
}

impl<'call, T: Copy> List<'call, T> {
    /// # Safety
    /// As for [`Region::claim`], for `count` and for `*count` elements at `buffer`.
    pub(super) unsafe fn claim(buffer: *mut T, count: *mut CK_ULONG) -> Outcome<List<'call, T>> {
        // SAFETY: passed on.
        let count = unsafe { Place::claim(count) }?;
        if buffer.is_null() {
            return Ok(List { buffer: None, count });
        }
        // SAFETY: passed on.
        let buffer = unsafe { Region::claim(buffer, count.number()) }?;
        Ok(List { buffer: Some(buffer), count })
    }

    /// Whether the caller asks for the number of elements alone.
    pub(crate) fn asks_for_count(&self) -> bool {
        self.buffer.is_none()
    }

    pub(crate) fn fill(self, items: &[T]) -> Outcome {
        self.count.put_length(items.len());
        match &self.buffer {
            Some(buffer) if buffer.count < items.len() => Err(Rejection::BufferTooSmall.into()),
            Some(buffer) => {
                buffer.write(items);
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// Room for a number of elements that the caller chose (C_FindObjects).
pub(crate) struct Bounded<'call, T> {
    buffer: Region<'call, T>,
    count: Place<'call, CK_ULONG>,
}

impl<'call, T: Copy> Bounded<'call, T> {
    /// # Safety
    /// As for [`Region::claim`], for `count` and for `room` elements at `buffer`.
    pub(super) unsafe fn claim(
        buffer: *mut T,
        room: CK_ULONG,
        count: *mut CK_ULONG,
    ) -> Outcome<Bounded<'call, T>> {
        // SAFETY: passed on.
        let count = unsafe { Place::claim(count) }?;
        // SAFETY: passed on.
        let buffer = unsafe { Region::claim(buffer, room) }?;
        Ok(Bounded { buffer, count })
    }

    /// How many elements fit.
    pub(crate) fn room(&self) -> usize {
        self.buffer.count
    }

    /// Hands out at most [`Bounded::room`] elements.
    pub(crate) fn fill(self, items: &[T]) {
        self.buffer.write(items);
        self.count.put_length(items.len().min(self.buffer.count));
    }
}

/// What C_Initialize is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Initialization {
    /// How many of the four mutex functions are given.
    pub(crate) mutexes: usize,
    /// CKF_OS_LOCKING_OK.
    pub(crate) os_locking: bool,
    /// Whether pReserved is set.
    pub(crate) reserved: bool,
}

#[cfg(test)]
mod tests;
