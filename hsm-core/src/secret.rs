//! The one type for secret bytes: boxed, wiped on drop, never printed, compared in constant time; and
//! [`Wiped`], for what may hold secrets among other things, as messages do.

use std::fmt;
use std::ops::{Deref, DerefMut};

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// Secret bytes on the heap. No `Clone`, no `==`: copies are made by [`Secret::duplicate`] and
/// comparisons by [`Secret::equals`], so that both can be found by their names.
pub struct Secret(Box<[u8]>);

impl Secret {
    /// Takes the bytes over. A vector with spare capacity is moved by copying, and its old
    /// allocation is wiped.
    pub fn new(bytes: Vec<u8>) -> Secret {
        let mut bytes = bytes;
        if bytes.len() == bytes.capacity() {
            return Secret(bytes.into_boxed_slice());
        }
        let boxed = bytes.as_slice().into();
        bytes.zeroize();
        Secret(boxed)
    }

    /// A copy of bytes that stay with their owner.
    pub fn copy_of(bytes: &[u8]) -> Secret {
        Secret(bytes.into())
    }

    /// `length` zero bytes, to be filled by the caller.
    pub fn zeroed(length: usize) -> Secret {
        Secret(vec![0; length].into_boxed_slice())
    }

    /// The bytes themselves.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes themselves, to be written.
    pub fn expose_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A second copy of the same secret.
    pub fn duplicate(&self) -> Secret {
        Secret(self.0.clone())
    }

    /// Constant-time comparison; only the lengths are compared in variable time.
    pub fn equals(&self, other: &[u8]) -> bool {
        self.0.ct_eq(other).into()
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        (*self.0).zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}

impl From<Zeroizing<Vec<u8>>> for Secret {
    fn from(mut bytes: Zeroizing<Vec<u8>>) -> Secret {
        Secret::new(std::mem::take(&mut *bytes))
    }
}

/// What holds bytes on the heap and can wipe all of them.
pub trait Wipe: Default {
    /// Wipes the bytes, also where there is room for more.
    fn wipe(&mut self);
}

impl Wipe for Vec<u8> {
    fn wipe(&mut self) {
        self.as_mut_slice().zeroize();
        self.spare_capacity_mut().zeroize();
    }
}

impl Wipe for String {
    fn wipe(&mut self) {
        std::mem::take(self).into_bytes().wipe();
    }
}

/// Bytes or text that may be secret, wiped on drop. `zeroize::Zeroizing` does the same byte by byte, which
/// for messages, wiped at each request, took a tenth of the request's time; this wipes them at once.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Wiped<T: Wipe>(T);

impl<T: Wipe> Wiped<T> {
    /// Takes the bytes over.
    pub fn new(inner: T) -> Wiped<T> {
        Wiped(inner)
    }
}

impl Wiped<String> {
    /// The bytes of the text, without a copy.
    pub fn into_bytes(mut self) -> Wiped<Vec<u8>> {
        Wiped(std::mem::take(&mut self.0).into_bytes())
    }
}

impl<T: Wipe> Drop for Wiped<T> {
    fn drop(&mut self) {
        self.0.wipe();
    }
}

impl<T: Wipe> Deref for Wiped<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Wipe> DerefMut for Wiped<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Wipe> From<T> for Wiped<T> {
    fn from(inner: T) -> Wiped<T> {
        Wiped(inner)
    }
}

impl<T: Wipe + Zeroize> From<Zeroizing<T>> for Wiped<T> {
    fn from(mut inner: Zeroizing<T>) -> Wiped<T> {
        Wiped(std::mem::take(&mut *inner))
    }
}

impl From<Wiped<Vec<u8>>> for Secret {
    fn from(mut bytes: Wiped<Vec<u8>>) -> Secret {
        Secret::new(std::mem::take(&mut *bytes))
    }
}

impl<T: Wipe> fmt::Debug for Wiped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wiped(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_length_alone() {
        assert_eq!(format!("{:?}", Secret::copy_of(b"hush")), "Secret(4 bytes)");
    }

    #[test]
    fn comparison_is_by_value_and_length() {
        let secret = Secret::copy_of(b"hush");
        assert!(secret.equals(b"hush"));
        assert!(!secret.equals(b"husk"));
        assert!(!secret.equals(b"hus"));
    }

    #[test]
    fn spare_capacity_is_dropped() {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend_from_slice(b"hush");
        assert_eq!(Secret::new(bytes).expose(), b"hush");
    }

    #[test]
    fn what_is_wiped_is_wiped_whole() {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend_from_slice(b"hush");
        bytes.wipe();
        assert_eq!(bytes, [0; 4]);
        let mut text = String::from("hush");
        text.wipe();
        assert!(text.is_empty());
        assert_eq!(format!("{:?}", Wiped::new(String::from("hush"))), "Wiped(..)");
        assert_eq!(*Wiped::new(String::from("hush")).into_bytes(), b"hush");
    }
}
