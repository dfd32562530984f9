//! CK_ATTRIBUTE arrays: read into what `attributes` types, and filled for C_GetAttributeValue.

use std::ptr;

use cryptoki_sys::*;
use hsm_core::Error;
use hsm_core::object::{Template, Value};

use super::memory::Region;
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

    /// Fills each attribute from what `look_up` knows of it, which is told whether there is a buffer for the value or
    /// its length alone is asked for. One that is hidden, unknown or too long
    /// for its buffer gets CK_UNAVAILABLE_INFORMATION as its length; the others are filled all the
    /// same, and the answer is the first such reason.
    pub(crate) fn answer<'v>(self, look_up: impl Fn(u64, bool) -> hsm_core::Result<&'v Value>) -> Outcome {
        let mut first = Ok(());
        for (index, asked) in self.asked.iter().enumerate() {
            let filled = match look_up(asked.type_, !asked.pValue.is_null()) {
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

#[cfg(test)]
mod tests {
    use std::ffi::c_void;

    use super::*;

    fn attribute<T>(kind: u64, value: &[T]) -> CK_ATTRIBUTE {
        raw(kind, value.as_ptr().cast_mut().cast(), size_of_val(value) as CK_ULONG)
    }

    fn raw(kind: u64, start: *mut c_void, length: CK_ULONG) -> CK_ATTRIBUTE {
        CK_ATTRIBUTE { type_: kind, pValue: start, ulValueLen: length }
    }

    fn read_all(attributes: &[CK_ATTRIBUTE]) -> Outcome<Vec<(u64, Given<'static>)>> {
        // SAFETY: the array is valid; what it names is valid or refused before it is read. The tests
        // look at the result only while their values live.
        unsafe { read(attributes.as_ptr(), attributes.len() as CK_ULONG) }
    }

    fn is_bad_value<T>(outcome: Outcome<T>) -> bool {
        matches!(outcome, Err(Refusal::Core(Error::AttributeValueInvalid(_))))
    }

    fn is_bad_argument<T>(outcome: Outcome<T>) -> bool {
        matches!(outcome, Err(Refusal::Door(Rejection::ArgumentsBad)))
    }

    /// Asks for attributes of an object that has these values.
    fn ask(attributes: &mut [CK_ATTRIBUTE], values: &[(u64, Value)]) -> Outcome {
        // SAFETY: the array and the buffers that it names are valid.
        let query = unsafe { Query::claim(attributes.as_mut_ptr(), attributes.len() as CK_ULONG) }?;
        query.answer(|kind, _| match values.iter().find(|(known, _)| *known == kind) {
            Some((CKA_VALUE, _)) => Err(Error::AttributeSensitive(CKA_VALUE)),
            Some((_, value)) => Ok(value),
            None => Err(Error::AttributeTypeInvalid(kind)),
        })
    }

    fn some_object() -> Vec<(u64, Value)> {
        let inner = vec![(CKA_TOKEN, Value::Bool(true)), (CKA_LABEL, Value::Bytes(b"in".to_vec()))];
        vec![
            (CKA_LABEL, Value::Bytes(b"label".to_vec())),
            (CKA_CLASS, Value::Number(4)),
            (CKA_VALUE, Value::Bytes(b"secret".to_vec())),
            (CKA_WRAP_TEMPLATE, Value::Template(inner)),
        ]
    }

    #[test]
    fn no_attributes_at_null_are_an_empty_template() {
        // SAFETY: nothing is there to be read.
        assert!(unsafe { read(std::ptr::null(), 0) }.unwrap().is_empty());
    }

    #[test]
    fn impossible_arrays_are_bad_arguments() {
        let array = [attribute(CKA_LABEL, b"x")];
        let start = array.as_ptr();
        let impossible = [
            (std::ptr::null(), 1),
            (start, CK_ULONG::MAX),
            (start, CK_ULONG::MAX / 24 + 2),
            (start, 1025),
            (start.wrapping_byte_add(4), 1),
        ];
        for (start, count) in impossible {
            // SAFETY: refused before it is read.
            assert!(is_bad_argument(unsafe { read(start, count) }), "{count:#x} at {start:?}");
        }
    }

    #[test]
    fn impossible_values_are_bad_values() {
        let start = b"x".as_ptr().cast_mut().cast();
        for (start, length) in [
            (std::ptr::null_mut(), 1),
            (start, CK_ULONG::MAX),
            (start, isize::MAX as CK_ULONG),
            (start, 1 << 25),
        ] {
            assert!(is_bad_value(read_all(&[raw(CKA_LABEL, start, length)])), "{length:#x} at {start:?}");
        }
    }

    #[test]
    fn a_nested_template_is_read_to_one_level() {
        let inner = [attribute(CKA_LABEL, b"in")];
        let outer = [attribute(CKA_WRAP_TEMPLATE, &inner)];
        let read = read_all(&outer).unwrap();
        assert!(matches!(&read[..], [(CKA_WRAP_TEMPLATE, Given::Nested(inner))] if inner.len() == 1));
        let deeper = [attribute(CKA_WRAP_TEMPLATE, &outer)];
        assert!(is_bad_value(read_all(&deeper)));
    }

    #[test]
    fn a_template_that_holds_itself_is_refused() {
        let mut own = [raw(CKA_WRAP_TEMPLATE, std::ptr::null_mut(), size_of::<CK_ATTRIBUTE>() as CK_ULONG)];
        own[0].pValue = own.as_mut_ptr().cast();
        assert!(is_bad_value(read_all(&own)));
    }

    #[test]
    fn a_nested_template_is_whole_attributes_and_not_too_many() {
        let inner = [0_u64; 6];
        let start = inner.as_ptr().cast_mut().cast::<c_void>();
        for length in [1, 23, 25, 24 * 1025] {
            assert!(is_bad_value(read_all(&[raw(CKA_WRAP_TEMPLATE, start, length)])), "{length} bytes");
        }
        assert!(is_bad_value(read_all(&[raw(CKA_WRAP_TEMPLATE, start.wrapping_byte_add(1), 24)])));
    }

    #[test]
    fn a_query_fills_what_it_can_and_answers_the_first_reason() {
        let (mut label, mut class, mut short) = ([0_u8; 8], [0_u64; 1], [0_u8; 2]);
        let mut asked = [
            raw(CKA_LABEL, label.as_mut_ptr().cast(), 8),
            raw(CKA_VALUE, label.as_mut_ptr().cast(), 8),
            raw(CKA_MODULUS, std::ptr::null_mut(), 0),
            raw(CKA_LABEL, short.as_mut_ptr().cast(), 2),
            raw(CKA_CLASS, class.as_mut_ptr().cast(), 8),
            raw(CKA_LABEL, std::ptr::null_mut(), 0),
        ];
        let answer = ask(&mut asked, &some_object());
        assert!(matches!(answer, Err(Refusal::Door(Rejection::AttributeSensitive))));
        let lengths = asked.map(|attribute| attribute.ulValueLen);
        let none = CK_UNAVAILABLE_INFORMATION;
        assert_eq!(lengths, [5, none, none, none, 8, 5]);
        assert_eq!((&label, class, short), (b"label\0\0\0", [4], [0, 0]));
    }

    #[test]
    fn a_nested_template_comes_back_in_three_calls() {
        let mut asked = [raw(CKA_WRAP_TEMPLATE, std::ptr::null_mut(), 0)];
        ask(&mut asked, &some_object()).unwrap();
        assert_eq!(asked[0].ulValueLen, 48);

        let mut inner = vec![raw(0, std::ptr::null_mut(), 0); 2];
        asked[0].pValue = inner.as_mut_ptr().cast();
        ask(&mut asked, &some_object()).unwrap();
        assert_eq!(
            inner.iter().map(|inner| (inner.type_, inner.ulValueLen)).collect::<Vec<_>>(),
            [(CKA_TOKEN, 1), (CKA_LABEL, 2)]
        );

        let (mut token, mut label) = ([0_u8; 1], [0_u8; 2]);
        inner[0].pValue = token.as_mut_ptr().cast();
        inner[1].pValue = label.as_mut_ptr().cast();
        ask(&mut asked, &some_object()).unwrap();
        assert_eq!((token, &label), ([1], b"in"));
    }

    #[test]
    fn a_nested_template_that_does_not_fit_is_told_so() {
        let mut inner = [raw(0, std::ptr::null_mut(), 0); 1];
        let mut asked = [raw(CKA_WRAP_TEMPLATE, inner.as_mut_ptr().cast(), 24)];
        let answer = ask(&mut asked, &some_object());
        assert!(matches!(answer, Err(Refusal::Door(Rejection::BufferTooSmall))));
        assert_eq!(asked[0].ulValueLen, CK_UNAVAILABLE_INFORMATION);
    }
}
