//! Tests of the C boundary's places, under the two-call rule and with hostile lengths.

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

fn out<'a>(buffer: *mut u8, length: &'a mut CK_ULONG) -> Out<'a> {
    // SAFETY: the tests give buffers of at least `length` bytes, or null.
    unsafe { Out::claim(buffer, length) }.unwrap()
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
    // SAFETY: refused before it is accessed.
    assert!(is_bad(unsafe { Out::claim(ptr::null_mut(), odd.cast_mut()) }));
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
