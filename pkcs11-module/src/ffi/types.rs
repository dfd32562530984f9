//! Arguments as safe types: output under the two-call rule, and input beside it. Made from the caller's
//! pointers in `args`; used by the bodies without `unsafe`.

use std::slice;

use cryptoki_sys::CK_ULONG;
use hsm_core::Error;
use hsm_core::secret::Secret;
use hsm_core::session::Output;

use super::memory::{Place, Region};
use crate::rv::{Outcome, Rejection};

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

    /// Whether the caller asks for the length alone.
    pub(crate) fn asks_for_length(&self) -> bool {
        self.buffer.is_none()
    }

    /// Hands the buffer to `produce` and tells the caller the length that it answers.
    pub(crate) fn fill(self, produce: impl FnOnce(Output<'_>) -> hsm_core::Result<usize>) -> Outcome {
        let output = match &self.buffer {
            None => Output::Length,
            Some(region) => {
                // SAFETY: `claim` was promised `count` writable bytes, and no other reference to them
                // exists: inputs that overlap were copied by `Transform`.
                Output::Buffer(unsafe { slice::from_raw_parts_mut(region.start().as_ptr(), region.count()) })
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
            copy.try_reserve_exact(input.count()).map_err(|_| Rejection::HostMemory)?;
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

/// Part of a message to sign.
pub(crate) enum SignedPart<'call> {
    /// More is to come.
    More(&'call [u8]),
    /// The last part, with the place of the signature.
    Last(Transform<'call>),
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
            Some(buffer) if buffer.count() < items.len() => Err(Rejection::BufferTooSmall.into()),
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
        self.buffer.count()
    }

    /// Hands out at most [`Bounded::room`] elements.
    pub(crate) fn fill(self, items: &[T]) {
        self.buffer.write(items);
        self.count.put_length(items.len().min(self.buffer.count()));
    }
}

/// What C_Initialize is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Initialization {
    /// How many of the four mutex functions are given.
    pub(crate) mutexes: usize,
    /// CKF_OS_LOCKING_OK.
    pub(crate) os_locking: bool,
    /// CKF_LIBRARY_CANT_CREATE_OS_THREADS.
    pub(crate) no_threads: bool,
    /// Whether pReserved is set.
    pub(crate) reserved: bool,
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;
    use crate::rv::Refusal;

    fn is_bad<T>(outcome: Outcome<T>) -> bool {
        matches!(outcome, Err(Refusal::Door(Rejection::ArgumentsBad)))
    }

    fn out<'a>(buffer: *mut u8, length: &'a mut CK_ULONG) -> Out<'a> {
        // SAFETY: the tests give buffers of at least `length` bytes, or null.
        unsafe { Out::claim(buffer, length) }.unwrap()
    }

    #[test]
    fn output_without_a_length_is_bad() {
        let mut buffer = [0; 4];
        // SAFETY: refused before it is accessed.
        assert!(is_bad(unsafe { Out::claim(buffer.as_mut_ptr(), ptr::null_mut()) }));
    }

    #[test]
    fn a_null_buffer_asks_for_the_length() {
        let mut length = 77;
        let asked = out(ptr::null_mut(), &mut length).fill(|output| {
            assert!(matches!(output, Output::Length));
            Ok(32)
        });
        assert!(asked.is_ok());
        assert_eq!(length, 32);
    }

    #[test]
    fn a_short_buffer_learns_the_length_needed() {
        let (mut buffer, mut length) = ([0; 4], 4);
        let refused = out(buffer.as_mut_ptr(), &mut length).fill(|output| {
            assert!(matches!(output, Output::Buffer(buffer) if buffer.len() == 4));
            Err(Error::BufferTooSmall { needed: 32 })
        });
        assert!(matches!(refused, Err(Refusal::Core(Error::BufferTooSmall { .. }))));
        assert_eq!(length, 32);
    }

    #[test]
    fn a_buffer_gets_bytes_and_their_length() {
        let (mut buffer, mut length) = ([0; 4], 4);
        let filled = out(buffer.as_mut_ptr(), &mut length).fill(|output| {
            let Output::Buffer(buffer) = output else { panic!("a buffer was given") };
            buffer[..2].copy_from_slice(b"ok");
            Ok(2)
        });
        assert!(filled.is_ok());
        assert_eq!((&buffer, length), (b"ok\0\0", 2));
    }

    #[test]
    fn another_error_leaves_the_length_alone() {
        let (mut buffer, mut length) = ([0; 4], 4);
        let refused = out(buffer.as_mut_ptr(), &mut length).fill(|_| Err(Error::DataLength));
        assert!(refused.is_err());
        assert_eq!(length, 4);
    }

    /// Adds one to each byte of `memory[from..from + 4]` and writes to `memory[to..]`.
    fn shift(memory: &mut [u8; 12], from: usize, to: usize) {
        let mut length = 4;
        let start = memory.as_mut_ptr();
        // SAFETY: both ranges are inside `memory`.
        let input = unsafe { Region::claim(start.wrapping_add(from), 4) }.unwrap();
        let done =
            Transform::new(input, out(start.wrapping_add(to), &mut length)).unwrap().run(|input, output| {
                let Output::Buffer(buffer) = output else { panic!("a buffer was given") };
                for (to, from) in buffer.iter_mut().zip(input) {
                    *to = from + 1;
                }
                Ok(4)
            });
        assert!(done.is_ok());
    }

    #[test]
    fn input_and_output_may_be_the_same_or_overlap() {
        for to in 0..=8 {
            let mut memory = *b"____abcd____";
            shift(&mut memory, 4, to);
            assert_eq!(&memory[to..to + 4], b"bcde", "output at {to}");
        }
    }

    #[test]
    fn a_list_counts_fills_or_says_how_much_is_needed() {
        let mut numbers = [0_u64; 3];
        for (room, wanted, filled) in [(0, 2, false), (1, 2, false), (2, 2, true), (3, 2, true)] {
            let mut count = room;
            // SAFETY: the array has room for three.
            let list = unsafe { List::claim(numbers.as_mut_ptr(), &raw mut count) }.unwrap();
            assert_eq!(list.fill(&[7, 8]).is_ok(), filled, "room for {room}");
            assert_eq!(count, wanted);
        }
        assert_eq!(numbers, [7, 8, 0]);
        let mut count = 9;
        // SAFETY: null asks for the count.
        let list = unsafe { List::<u64>::claim(ptr::null_mut(), &raw mut count) }.unwrap();
        assert!(list.asks_for_count() && list.fill(&[7, 8]).is_ok());
        assert_eq!(count, 2);
    }

    #[test]
    fn a_bounded_buffer_is_never_overrun() {
        let (mut numbers, mut count) = ([0_u64; 3], 0);
        // SAFETY: the array has room for three.
        let bounded = unsafe { Bounded::claim(numbers.as_mut_ptr(), 2, &raw mut count) }.unwrap();
        bounded.fill(&[1, 2, 3]);
        assert_eq!((numbers, count), ([1, 2, 0], 2));
    }
}
