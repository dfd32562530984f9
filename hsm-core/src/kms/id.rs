//! Identifiers of keys and of their versions: 16 bytes, which Key Protect writes as a UUID (RFC 9562, section 4)
//! and PKCS #11 and KMIP as 32 hexadecimal digits.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::rng;

/// The identifier of a key or of a version of one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeyId(pub [u8; 16]);

/// Where a UUID's text has its hyphens, in hexadecimal digits before them.
const HYPHENS: [usize; 4] = [8, 12, 16, 20];

impl KeyId {
    /// A fresh one: a random UUID, version 4.
    ///
    /// # Errors
    /// [`Error::RandomFailed`](crate::Error::RandomFailed).
    pub fn fresh() -> Result<KeyId> {
        let mut bytes: [u8; 16] = rng::array()?;
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Ok(KeyId(bytes))
    }

    /// The identifier of a text: a UUID with its hyphens, or 32 hexadecimal digits, in either case. `None` for
    /// any other text.
    pub fn of_text(text: &str) -> Option<KeyId> {
        let mut bytes = [0; 16];
        let digits: String = text.chars().filter(|character| *character != '-').collect();
        hex::decode_to_slice(&digits, &mut bytes).ok()?;
        let id = KeyId(bytes);
        let lower = text.to_ascii_lowercase();
        (lower == id.to_string() || lower == id.digits()).then_some(id)
    }

    /// The 32 hexadecimal digits alone: what CKA_UNIQUE_ID and KMIP's Unique Identifier say.
    pub fn digits(self) -> String {
        hex::encode(self.0)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, digit) in self.digits().chars().enumerate() {
            if HYPHENS.contains(&place) {
                f.write_str("-")?;
            }
            fmt::Write::write_char(f, digit)?;
        }
        Ok(())
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_identifier_has_two_texts() {
        let id = KeyId::of_text("02fd6835-6001-4482-a892-13bd2085f75d").unwrap();
        assert_eq!(id.digits(), "02fd683560014482a89213bd2085f75d");
        assert_eq!(KeyId::of_text(&id.digits()), Some(id));
        assert_eq!(KeyId::of_text(&id.to_string().to_uppercase()), Some(id));
    }

    #[test]
    fn other_texts_are_none() {
        for text in
            ["", "02fd6835", "02fd-68356001-4482-a892-13bd2085f75d", "02fd683560014482a89213bd2085f75", "x"]
        {
            assert_eq!(KeyId::of_text(text), None, "{text}");
        }
    }

    #[test]
    fn fresh_ones_are_random_uuids() {
        let text = KeyId::fresh().unwrap().to_string();
        assert_eq!(text.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&text.as_bytes()[19]));
        assert_ne!(KeyId::fresh().unwrap(), KeyId::fresh().unwrap());
    }
}
