//! The context of a signature: up to 255 bytes that both sides know. FIPS 204, section 3.6.1; FIPS 205,
//! section 9.2; RFC 8032, section 2.

use crate::error::{Error, Result};

/// A context. It lies in itself, so that schemes are plain data.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Context {
    length: u8,
    bytes: [u8; 255],
}

impl Context {
    /// The empty context.
    pub const NONE: Context = Context { length: 0, bytes: [0; 255] };

    /// A context of these bytes.
    ///
    /// # Errors
    /// [`Error::MechanismParamInvalid`] for more than 255.
    pub fn new(given: &[u8]) -> Result<Context> {
        let length = u8::try_from(given.len()).map_err(|_| Error::MechanismParamInvalid)?;
        let mut bytes = [0; 255];
        for (byte, given) in bytes.iter_mut().zip(given) {
            *byte = *given;
        }
        Ok(Context { length, bytes })
    }

    /// Length in bytes.
    #[expect(clippy::len_without_is_empty, reason = "the length is what is signed")]
    pub fn len(&self) -> u8 {
        self.length
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Context({} bytes)", self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_has_at_most_255_bytes() {
        for length in [0, 1, 255] {
            let bytes = vec![7; length];
            assert_eq!(Context::new(&bytes).unwrap().as_bytes(), bytes);
        }
        assert!(matches!(Context::new(&[7; 256]), Err(Error::MechanismParamInvalid)));
    }
}
