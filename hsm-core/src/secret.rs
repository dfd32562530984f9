//! The one type for secret bytes: boxed, wiped on drop, never printed, compared in constant time.

use std::fmt;

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
        self.0.zeroize();
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
}
