//! The kinds of arguments that entry points have, one function each: it checks the caller's pointers
//! and makes the safe type that the body takes. Bad arguments come to the body as an error, since what
//! they mean depends on the call (an operation ends with them).

use std::ffi::{CStr, c_void};

use cryptoki_sys::*;
use hsm_core::mechanism::Mechanism;
use hsm_core::object::Template;

use super::interfaces::Wanted;
use super::mechanism as mechanisms;
use super::memory::{Place, Region};
use super::message as messages;
use super::message::{MessageArgument, SealedWrapping, Wrapping};
use super::returned::{self, Returned};
use super::templates::{self, Query};
use super::types::{Bounded, Initialization, List, Out, SignedPart, Transform};
use crate::attributes;
use crate::rv::{Outcome, Rejection};

/// Bytes that are only read.
pub(super) unsafe fn bytes<'call>(start: *const CK_BYTE, length: CK_ULONG) -> Outcome<&'call [u8]> {
    // SAFETY: the caller's promise.
    unsafe { Region::claim(start, length) }.map(|region| region.bytes())
}

/// A PIN. The token has no keypad of its own, so it is never null (section 5.6.8).
pub(super) unsafe fn pin<'call>(start: *const CK_UTF8CHAR, length: CK_ULONG) -> Outcome<&'call [u8]> {
    if start.is_null() {
        return Err(Rejection::ArgumentsBad.into());
    }
    // SAFETY: the caller's promise.
    unsafe { bytes(start, length) }
}

/// A token label: 32 bytes, blank-padded, without a length beside it.
pub(super) unsafe fn label(start: *const CK_UTF8CHAR) -> Outcome<[u8; 32]> {
    // SAFETY: the caller's promise.
    let label = unsafe { Region::claim(start, 32) }?;
    label.bytes().try_into().map_err(|_| Rejection::ArgumentsBad.into())
}

/// Random bytes to be written, whose number the caller says.
pub(super) unsafe fn buffer<'call>(start: *mut CK_BYTE, length: CK_ULONG) -> Outcome<&'call mut [u8]> {
    // SAFETY: the caller's promise.
    let region: Region<'call, u8> = unsafe { Region::claim(start, length) }?;
    // SAFETY: the region is writable by the caller's promise, and the call has no other argument in
    // memory that could overlap it.
    Ok(unsafe { std::slice::from_raw_parts_mut(region.start().as_ptr(), region.count()) })
}

/// Output under the two-call rule.
pub(super) unsafe fn out<'call>(buffer: *mut CK_BYTE, length: *mut CK_ULONG) -> Outcome<Out<'call>> {
    // SAFETY: the caller's promise.
    unsafe { Out::claim(buffer, length) }
}

/// Input that becomes output under the two-call rule.
pub(super) unsafe fn transform<'call>(
    input: *const CK_BYTE,
    input_length: CK_ULONG,
    buffer: *mut CK_BYTE,
    length: *mut CK_ULONG,
) -> Outcome<Transform<'call>> {
    // SAFETY: the caller's promise.
    let input = unsafe { Region::claim(input, input_length) }?;
    // SAFETY: the caller's promise.
    let out = unsafe { Out::claim(buffer, length) }?;
    Transform::new(input, out)
}

/// Part of a message to sign; without a place for the length, more is to come (section 5.14.4).
pub(super) unsafe fn signed_part<'call>(
    input: *const CK_BYTE,
    input_length: CK_ULONG,
    buffer: *mut CK_BYTE,
    length: *mut CK_ULONG,
) -> Outcome<SignedPart<'call>> {
    if length.is_null() {
        // SAFETY: the caller's promise.
        return unsafe { bytes(input, input_length) }.map(SignedPart::More);
    }
    // SAFETY: the caller's promise.
    unsafe { transform(input, input_length, buffer, length) }.map(SignedPart::Last)
}

/// A signature, or null where more of its message is to come (section 5.16.4).
pub(super) unsafe fn optional_bytes<'call>(
    start: *const CK_BYTE,
    length: CK_ULONG,
) -> Outcome<Option<&'call [u8]>> {
    if start.is_null() && length == 0 {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    unsafe { bytes(start, length) }.map(Some)
}

/// Bytes that are kept beyond what becomes of the caller's memory during the call.
pub(super) unsafe fn copied(start: *const CK_BYTE, length: CK_ULONG) -> Outcome<Vec<u8>> {
    // SAFETY: the caller's promise.
    let given = unsafe { bytes(start, length) }?;
    let mut copy = Vec::new();
    copy.try_reserve_exact(given.len()).map_err(|_| Rejection::HostMemory)?;
    copy.extend_from_slice(given);
    Ok(copy)
}

/// The parameter of one message.
pub(super) unsafe fn message<'call>(
    start: *const c_void,
    length: CK_ULONG,
) -> Outcome<MessageArgument<'call>> {
    // SAFETY: the caller's promise.
    unsafe { MessageArgument::claim(start, length) }
}

/// The parameter of a message that is signed: no mechanism has one.
pub(super) unsafe fn no_parameter(_start: *const c_void, length: CK_ULONG) -> Outcome {
    if length == 0 { Ok(()) } else { Err(hsm_core::Error::MechanismParamInvalid.into()) }
}

/// A place for one value.
pub(super) unsafe fn place<'call, T: Copy>(at: *mut T) -> Outcome<Place<'call, T>> {
    // SAFETY: the caller's promise.
    unsafe { Place::claim(at) }
}

/// A list under the two-call rule.
pub(super) unsafe fn list<'call, T: Copy>(buffer: *mut T, count: *mut CK_ULONG) -> Outcome<List<'call, T>> {
    // SAFETY: the caller's promise.
    unsafe { List::claim(buffer, count) }
}

/// Room for as many elements as the caller says.
pub(super) unsafe fn bounded<'call, T: Copy>(
    buffer: *mut T,
    room: CK_ULONG,
    count: *mut CK_ULONG,
) -> Outcome<Bounded<'call, T>> {
    // SAFETY: the caller's promise.
    unsafe { Bounded::claim(buffer, room, count) }
}

/// A template for a new or changed object.
pub(super) unsafe fn template(start: *const CK_ATTRIBUTE, count: CK_ULONG) -> Outcome<Template> {
    // SAFETY: the caller's promise.
    attributes::template(unsafe { templates::read(start, count) }?)
}

/// A template to search with.
pub(super) unsafe fn search_template(start: *const CK_ATTRIBUTE, count: CK_ULONG) -> Outcome<Template> {
    // SAFETY: the caller's promise.
    attributes::search_template(unsafe { templates::read(start, count) }?)
}

/// Attributes to be filled.
pub(super) unsafe fn query<'call>(start: *mut CK_ATTRIBUTE, count: CK_ULONG) -> Outcome<Query<'call>> {
    // SAFETY: the caller's promise.
    unsafe { Query::claim(start, count) }
}

/// Where a derivation's outputs go that its mechanism's parameter names.
pub(super) unsafe fn returned<'call>(at: *const CK_MECHANISM) -> Outcome<Returned<'call>> {
    // SAFETY: the caller's promise.
    unsafe { returned::returned(at) }
}

/// A mechanism.
pub(super) unsafe fn mechanism(at: *const CK_MECHANISM) -> Outcome<Mechanism> {
    // SAFETY: the caller's promise.
    unsafe { optional_mechanism(at) }?.ok_or(Rejection::ArgumentsBad.into())
}

/// A mechanism, or null: an Init function called with null ends the operation (section 5.8.1).
pub(super) unsafe fn optional_mechanism(at: *const CK_MECHANISM) -> Outcome<Option<Mechanism>> {
    if at.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    let mechanism = unsafe { structure(at) }?;
    // SAFETY: the caller's promise reaches to the parameter.
    unsafe { mechanisms::parse(&mechanism) }.map(Some)
}

/// A mechanism that encrypts or decrypts messages, or null.
pub(super) unsafe fn message_mechanism(at: *const CK_MECHANISM) -> Outcome<Option<Mechanism>> {
    if at.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    let mechanism = unsafe { structure(at) }?;
    // SAFETY: the caller's promise reaches to the parameter.
    unsafe { messages::message_mechanism(&mechanism) }.map(Some)
}

/// A mechanism that wraps or unwraps a key.
pub(super) unsafe fn wrapping_mechanism<'call>(at: *const CK_MECHANISM) -> Outcome<Wrapping<'call>> {
    // SAFETY: the caller's promise.
    let mechanism = unsafe { structure(at) }?;
    // SAFETY: the caller's promise reaches to the parameter.
    unsafe { messages::wrapping(&mechanism) }
}

/// A mechanism that wraps or unwraps a key with additional data beside it.
pub(super) unsafe fn authenticated<'call>(
    at: *const CK_MECHANISM,
    associated: *const CK_BYTE,
    associated_length: CK_ULONG,
) -> Outcome<SealedWrapping<'call>> {
    // SAFETY: the caller's promise.
    let mechanism = unsafe { structure(at) }?;
    // SAFETY: the caller's promise.
    let associated = unsafe { copied(associated, associated_length) }?;
    // SAFETY: the caller's promise reaches to the parameter.
    unsafe { messages::authenticated(&mechanism, associated) }
}

/// One aligned mechanism; null is a bad argument.
unsafe fn structure(at: *const CK_MECHANISM) -> Outcome<CK_MECHANISM> {
    // SAFETY: the caller's promise.
    let region = unsafe { Region::claim(at, 1) }?;
    // SAFETY: the region holds one aligned mechanism.
    Ok(unsafe { region.start().as_ptr().read() })
}

/// C_Initialize's argument: null, or CK_C_INITIALIZE_ARGS (section 5.4.1).
pub(super) unsafe fn initialization(at: *const c_void) -> Outcome<Initialization> {
    if at.is_null() {
        return Ok(Initialization { mutexes: 0, os_locking: false, no_threads: false, reserved: false });
    }
    // SAFETY: the caller's promise.
    let region = unsafe { Region::<CK_C_INITIALIZE_ARGS>::claim(at.cast(), 1) }?;
    // SAFETY: the region holds one aligned structure.
    let given = unsafe { region.start().as_ptr().read() };
    let mutexes = [
        given.CreateMutex.is_some(),
        given.DestroyMutex.is_some(),
        given.LockMutex.is_some(),
        given.UnlockMutex.is_some(),
    ];
    Ok(Initialization {
        mutexes: mutexes.into_iter().filter(|is_given| *is_given).count(),
        os_locking: given.flags & CKF_OS_LOCKING_OK != 0,
        no_threads: given.flags & CKF_LIBRARY_CANT_CREATE_OS_THREADS != 0,
        reserved: !given.pReserved.is_null(),
    })
}

/// The interface that C_GetInterface is asked for: name and version may be null.
pub(super) unsafe fn wanted(
    name: *const CK_UTF8CHAR,
    version: *const CK_VERSION,
    flags: CK_FLAGS,
) -> Outcome<Wanted> {
    let name = match name.is_null() {
        true => None,
        // SAFETY: a name ends with a zero byte (section 5.4.6).
        false => Some(unsafe { CStr::from_ptr(name.cast()) }.to_owned()),
    };
    let version = match version.is_null() {
        true => None,
        // SAFETY: the caller's promise; a version is two bytes, at any address.
        false => Some(unsafe { version.read() }),
    };
    Ok(Wanted { name, version: version.map(|version| (version.major, version.minor)), flags })
}
