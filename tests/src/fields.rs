//! Structures of mechanism parameters, written field by field as C lays them out: every field of those that
//! the standard has begins at a multiple of eight bytes.

use cryptoki_sys::CK_ULONG;

use crate::template::ulong;

/// A structure, and what its pointers point to.
#[derive(Debug, Default)]
pub struct Fields {
    pub(crate) bytes: Vec<u8>,
    /// Heap blocks, which stay where they are when their owner moves.
    pub(crate) pointees: Vec<Vec<u8>>,
}

impl Fields {
    /// A CK_ULONG.
    pub fn number(mut self, number: CK_ULONG) -> Fields {
        self.bytes.extend(number.to_ne_bytes());
        self
    }

    /// A CK_BBOOL with what fills it up.
    pub fn flag(self, flag: bool) -> Fields {
        self.raw(&[u8::from(flag), 0, 0, 0, 0, 0, 0, 0])
    }

    /// Bytes of the structure itself.
    pub fn raw(mut self, bytes: &[u8]) -> Fields {
        self.bytes.extend(bytes);
        self
    }

    /// A pointer to a copy of bytes; null for none.
    pub fn pointer(mut self, bytes: &[u8]) -> Fields {
        let mut copy = bytes.to_vec();
        let address = if copy.is_empty() { 0 } else { copy.as_mut_ptr().expose_provenance() };
        self.pointees.push(copy);
        self.number(ulong(address))
    }

    /// A pointer and a length in bytes.
    pub fn counted(self, bytes: &[u8]) -> Fields {
        self.pointer(bytes).number(ulong(bytes.len()))
    }

    /// A pointer to other structures, one behind the other; null for none.
    pub fn inside(mut self, inner: Fields) -> Fields {
        self = self.pointer(&inner.bytes);
        self.pointees.extend(inner.pointees);
        self
    }

    /// Another structure behind this one.
    pub fn then(mut self, next: Fields) -> Fields {
        self.bytes.extend(next.bytes);
        self.pointees.extend(next.pointees);
        self
    }

    /// Its length in bytes.
    pub fn length(&self) -> usize {
        self.bytes.len()
    }
}
