//! CK_ATTRIBUTE arrays: read into what `attributes` types, and filled for C_GetAttributeValue.

use std::ptr;

use cryptoki_sys::*;
use hsm_core::Error;
use hsm_core::object::{Template, Value};

use super::types::Region;
use crate::attributes::{self, CForm, Given};
use crate::rv::{Outcome, Refusal, Rejection};

/// More attributes than any object has; a longer array is a mistake.
const MAX_COUNT: usize = 1024;

/// Bytes of one value. Objects are smaller, and a length beyond is a mistake.
const MAX_VALUE: usize = 16 << 20;

/// Templates inside attributes (CKA_WRAP_TEMPLATE, …) hold no further ones.
const MAX_DEPTH: u32 = 1;

/// Reads a template.
///
/// # Safety
/// The caller's promise (see `ffi`) must hold for the array and what its elements point to.
pub(super) unsafe fn read<'call>(
    start: *const CK_ATTRIBUTE,
    count: CK_ULONG,
) -> Outcome<Vec<(u64, Given<'call>)>> {
    // SAFETY: passed on.
    unsafe { read_level(start, count, 0) }
}

unsafe fn read_level<'call>(
    start: *const CK_ATTRIBUTE,
    count: CK_ULONG,
    depth: u32,
) -> Outcome<Vec<(u64, Given<'call>)>> {
    // SAFETY: passed on.
    let attributes = unsafe { snapshot(start, count) }?;
    let read = |attribute: &CK_ATTRIBUTE| {
        // SAFETY: passed on; the array came from the caller.
        let given = unsafe { read_value(attribute, depth) };
        // A value that cannot be is the attribute's fault, not the argument's.
        given
            .map(|given| (attribute.type_, given))
            .map_err(|_| Error::AttributeValueInvalid(attribute.type_).into())
    };
    attributes.iter().map(read).collect()
}

unsafe fn read_value<'call>(attribute: &CK_ATTRIBUTE, depth: u32) -> Outcome<Given<'call>> {
    let start = attribute.pValue.cast_const();
    if attributes::is_template(attribute.type_) {
        let size = size_of::<CK_ATTRIBUTE>() as CK_ULONG;
        if depth >= MAX_DEPTH || !attribute.ulValueLen.is_multiple_of(size) {
            return Err(Rejection::ArgumentsBad.into());
        }
        // SAFETY: passed on; such a value is an array of attributes.
        let nested = unsafe { read_level(start.cast(), attribute.ulValueLen / size, depth + 1) };
        return nested.map(Given::Nested);
    }
    // SAFETY: passed on.
    let region = unsafe { Region::claim(start.cast(), attribute.ulValueLen) }?;
    if region.count() > MAX_VALUE {
        return Err(Rejection::ArgumentsBad.into());
    }
    Ok(Given::Bytes(region.bytes()))
}

/// The array as it is now: values that are written later may lie inside it.
unsafe fn snapshot(start: *const CK_ATTRIBUTE, count: CK_ULONG) -> Outcome<Vec<CK_ATTRIBUTE>> {
    // SAFETY: passed on.
    let region = unsafe { Region::claim(start, count) }?;
    if region.count() > MAX_COUNT {
        return Err(Rejection::ArgumentsBad.into());
    }
    let mut attributes = Vec::with_capacity(region.count());
    for index in 0..region.count() {
        let element = region.start().as_ptr().wrapping_add(index);
        // SAFETY: `index` is inside the region, which holds aligned, readable attributes.
        attributes.push(unsafe { element.read() });
    }
    Ok(attributes)
}

/// Attributes that the caller wants to know (C_GetAttributeValue, section 5.7.5).
pub(crate) struct Query<'call> {
    /// Where the array is; its elements get their lengths.
    array: Region<'call, CK_ATTRIBUTE>,
    /// The array as it was.
    asked: Vec<CK_ATTRIBUTE>,
}

impl<'call> Query<'call> {
    /// # Safety
    /// The caller's promise (see `ffi`) must hold for the array and the buffers it names.
    pub(super) unsafe fn claim(start: *mut CK_ATTRIBUTE, count: CK_ULONG) -> Outcome<Query<'call>> {
        // SAFETY: passed on.
        let array = unsafe { Region::claim(start.cast_const(), count) }?;
        // SAFETY: passed on.
        let asked = unsafe { snapshot(start, count) }?;
        Ok(Query { array, asked })
    }

    /// Fills each attribute from what `look_up` knows of it. One that is hidden, unknown or too long
    /// for its buffer gets CK_UNAVAILABLE_INFORMATION as its length; the others are filled all the
    /// same, and the answer is the first such reason.
    pub(crate) fn answer<'v>(self, look_up: impl Fn(u64) -> hsm_core::Result<&'v Value>) -> Outcome {
        let mut first = Ok(());
        for (index, asked) in self.asked.iter().enumerate() {
            let filled = match look_up(asked.type_) {
                // SAFETY: the caller's promise reaches to the buffer of each attribute.
                Ok(value) => attributes::with_c_form(value, |form| unsafe { fill(asked, form) }),
                Err(Error::AttributeSensitive(_)) => Err(Rejection::AttributeSensitive),
                Err(Error::AttributeTypeInvalid(_)) => Err(Rejection::AttributeTypeInvalid),
                Err(error) => return Err(error.into()),
            };
            let length = filled.unwrap_or(CK_UNAVAILABLE_INFORMATION);
            let element = self.array.start().as_ptr().wrapping_add(index);
            // SAFETY: `index` is inside the array, which is aligned and, by the caller's promise, writable.
            unsafe { element.write(CK_ATTRIBUTE { ulValueLen: length, ..*asked }) };
            first = first.and(filled.map(drop).map_err(Refusal::from));
        }
        first
    }
}

/// Writes one value where an attribute says, and answers its length in bytes.
///
/// # Safety
/// The caller's promise (see `ffi`) must hold for the attribute's buffer.
unsafe fn fill(asked: &CK_ATTRIBUTE, form: CForm<'_>) -> Result<CK_ULONG, Rejection> {
    let needed = match &form {
        CForm::Bytes(bytes) => bytes.len(),
        CForm::Nested(template) => template.len() * size_of::<CK_ATTRIBUTE>(),
    };
    let length = CK_ULONG::try_from(needed).map_err(|_| Rejection::BufferTooSmall)?;
    if asked.pValue.is_null() {
        return Ok(length);
    }
    if asked.ulValueLen < length {
        return Err(Rejection::BufferTooSmall);
    }
    match form {
        // SAFETY: the caller promises `ulValueLen` writable bytes, and they suffice.
        CForm::Bytes(bytes) => unsafe { ptr::copy(bytes.as_ptr(), asked.pValue.cast(), needed) },
        // SAFETY: passed on; the buffer has room for the template's attributes.
        CForm::Nested(template) => unsafe { fill_nested(asked, template) }?,
    }
    Ok(length)
}

/// Fills an array of attributes inside an attribute: each gets its type and its length, and its value
/// if it has a buffer.
unsafe fn fill_nested(asked: &CK_ATTRIBUTE, template: &Template) -> Result<(), Rejection> {
    let count = template.len() as CK_ULONG;
    // SAFETY: passed on.
    let array = unsafe { Region::<CK_ATTRIBUTE>::claim(asked.pValue.cast(), count) };
    let array = array.map_err(|_| Rejection::ArgumentsBad)?;
    let mut first = Ok(());
    for (index, (kind, value)) in template.iter().enumerate() {
        let element = array.start().as_ptr().wrapping_add(index);
        // SAFETY: `index` is inside the array, which is aligned and readable.
        let inner = unsafe { element.read() };
        // SAFETY: passed on, for the inner attribute's buffer.
        let filled = attributes::with_c_form(value, |form| unsafe { fill(&inner, form) });
        let length = filled.unwrap_or(CK_UNAVAILABLE_INFORMATION);
        // SAFETY: `index` is inside the array, which is aligned and writable.
        unsafe { element.write(CK_ATTRIBUTE { type_: *kind, pValue: inner.pValue, ulValueLen: length }) };
        first = first.and(filled.map(drop));
    }
    first
}
