//! Lists inside an attribute: elements with their lengths before them.

use crate::object::{Object, Value};

pub(super) fn set_list(object: &mut Object, kind: u64, elements: impl Iterator<Item = Vec<u8>>) {
    let mut out = Vec::new();
    for element in elements {
        let length = u32::try_from(element.len()).unwrap_or(u32::MAX);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&element);
    }
    if out.is_empty() { object.remove(kind) } else { object.set(kind, Value::Bytes(out)) }
}

/// The elements of a list: each is 4 bytes of length and as many bytes.
pub(crate) fn elements(mut list: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = list.split_first_chunk()?;
        let (element, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        list = rest;
        Some(element)
    })
}

pub(super) fn pair(first: &[u8], second: &[u8]) -> Vec<u8> {
    let mut out = u32::try_from(first.len()).unwrap_or(u32::MAX).to_be_bytes().to_vec();
    out.extend_from_slice(first);
    out.extend_from_slice(second);
    out
}

pub(super) fn split_pair(element: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = element.split_first_chunk()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

/// Texts come from doors as UTF-8 and are stored sealed, so this loses nothing.
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
