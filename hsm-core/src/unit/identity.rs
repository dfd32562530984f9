//! The fixed-size names of the unit's world: the HSM, its units, signature keys and master keys.
//! None is secret. What they name is kept elsewhere.

use std::fmt;

use sha2::{Digest, Sha256};

/// A byte array that people read as hexadecimal digits, in text and in JSON.
macro_rules! hexadecimal {
    ($(#[$doc:meta])* $name:ident, $length:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; $length]);

        impl $name {
            /// The bytes.
            pub fn as_bytes(&self) -> &[u8; $length] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

hexadecimal! {
    /// The HSM that a unit belongs to: 16 random bytes, drawn when the unit is made.
    HsmId, 16
}

hexadecimal! {
    /// Subject key identifier of a P-521 key: SHA-256(04 ‖ X ‖ Y), X and Y of 66 bytes each.
    Ski, 32
}

hexadecimal! {
    /// Verification pattern of a master key: SHA-256(01 ‖ key) with the last four bytes zero
    /// (EP11 wire formats, section 6.7). It shows that two keys are the same and nothing else.
    VerificationPattern, 32
}

impl HsmId {
    /// The id with these bytes.
    pub fn new(bytes: [u8; 16]) -> HsmId {
        HsmId(bytes)
    }
}

impl Ski {
    /// The identifier with these bytes, as somebody wrote it down.
    pub fn new(bytes: [u8; 32]) -> Ski {
        Ski(bytes)
    }

    /// The identifier of a public key in its uncompressed SEC1 form (133 bytes).
    pub(super) fn of_point(point: &[u8]) -> Ski {
        Ski(Sha256::digest(point).into())
    }
}

impl VerificationPattern {
    /// Bytes of the pattern that are compared; the rest is zero.
    const COMPARED: usize = 28;

    /// The pattern with these bytes. Old modules filled the last four bytes too: they are dropped,
    /// so that equal patterns are equal here.
    pub fn new(bytes: [u8; 32]) -> VerificationPattern {
        let mut bytes = bytes;
        bytes.iter_mut().skip(Self::COMPARED).for_each(|byte| *byte = 0);
        VerificationPattern(bytes)
    }

    /// The pattern of a key or of a part of one (32 bytes).
    pub(super) fn of(key: &[u8]) -> VerificationPattern {
        VerificationPattern::new(Sha256::new().chain_update([1]).chain_update(key).finalize().into())
    }
}

impl std::str::FromStr for VerificationPattern {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<VerificationPattern, hex::FromHexError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(VerificationPattern::new(bytes))
    }
}

impl std::str::FromStr for HsmId {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<HsmId, hex::FromHexError> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(HsmId(bytes))
    }
}

impl std::str::FromStr for Ski {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Ski, hex::FromHexError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Ski(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SHA-256 of 01 and 32 zero bytes, by `(printf '\1'; head -c32 /dev/zero) | sha256sum`.
    #[test]
    fn verification_pattern_of_the_zero_key_is_known() {
        let known = "1a7dfdeaffeedac489287e85be5e9c049a2ff6470f55cf30260f55395ac1b159";
        let pattern = VerificationPattern::of(&[0; 32]);
        assert_eq!(pattern.to_string(), format!("{}00000000", &known[..56]));
    }

    #[test]
    fn the_last_four_bytes_of_a_pattern_are_not_compared() {
        let mut bytes = [7; 32];
        let one = VerificationPattern::new(bytes);
        bytes[28..].fill(9);
        assert_eq!(one, VerificationPattern::new(bytes));
        bytes[27] = 9;
        assert_ne!(one, VerificationPattern::new(bytes));
    }

    #[test]
    fn a_pattern_is_read_as_it_is_written() {
        let pattern = VerificationPattern::of(&[3; 32]);
        assert_eq!(pattern.to_string().parse(), Ok(pattern));
        assert!("12".parse::<VerificationPattern>().is_err());
    }
}
