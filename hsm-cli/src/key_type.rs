//! The kinds of key that `key generate` makes and `key list` names: one table of curves, and the
//! words for the rest.

use std::fmt;
use std::str::FromStr;

use cryptoki_sys::*;
use der::Encode;
use der::asn1::ObjectIdentifier;
use hsm_core::object::formats;

/// What to generate, as written after `--type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyType {
    /// Modulus in bits.
    Rsa(u64),
    /// A curve of the table.
    Curve(&'static Curve),
    /// Key in bits.
    Aes(u64),
    /// Secret in bytes.
    Generic(u64),
}

/// A curve and how it is named.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Curve {
    /// As `--type` and `key list` write it.
    pub(crate) name: &'static str,
    /// Size in bits.
    pub(crate) bits: u64,
    /// The mechanism that makes its keys.
    pub(crate) generator: u64,
    oid: ObjectIdentifier,
}

#[rustfmt::skip]
const CURVES: &[Curve] = &[
    curve("ec:p192",      192, CKM_EC_KEY_PAIR_GEN,            "1.2.840.10045.3.1.1"),
    curve("ec:p224",      224, CKM_EC_KEY_PAIR_GEN,            "1.3.132.0.33"),
    curve("ec:p256",      256, CKM_EC_KEY_PAIR_GEN,            "1.2.840.10045.3.1.7"),
    curve("ec:p384",      384, CKM_EC_KEY_PAIR_GEN,            "1.3.132.0.34"),
    curve("ec:p521",      521, CKM_EC_KEY_PAIR_GEN,            "1.3.132.0.35"),
    curve("ec:secp256k1", 256, CKM_EC_KEY_PAIR_GEN,            "1.3.132.0.10"),
    curve("ed25519",      255, CKM_EC_EDWARDS_KEY_PAIR_GEN,    "1.3.101.112"),
    curve("x25519",       255, CKM_EC_MONTGOMERY_KEY_PAIR_GEN, "1.3.101.110"),
    curve("ed448",        448, CKM_EC_EDWARDS_KEY_PAIR_GEN,    "1.3.101.113"),
    curve("x448",         448, CKM_EC_MONTGOMERY_KEY_PAIR_GEN, "1.3.101.111"),
];

const fn curve(name: &'static str, bits: u64, generator: u64, oid: &'static str) -> Curve {
    Curve { name, bits, generator, oid: ObjectIdentifier::new_unwrap(oid) }
}

impl Curve {
    /// CKA_EC_PARAMS: DER of the object identifier.
    pub(crate) fn params(&self) -> Vec<u8> {
        // The identifiers of the table are all of a few bytes, which is all that could be wrong.
        self.oid.to_der().unwrap_or_default()
    }

    /// The curve that CKA_EC_PARAMS names, in whatever form.
    pub(crate) fn named_by(params: &[u8]) -> Option<&'static Curve> {
        let oid = formats::curve_named_by(params)?;
        CURVES.iter().find(|curve| curve.oid == oid)
    }
}

impl KeyType {
    /// Whether making one takes long enough for a sign of life.
    pub(crate) fn is_slow(self) -> bool {
        matches!(self, KeyType::Rsa(bits) if bits > 2048)
    }
}

/// For help texts: without P-192, which is for old keys alone.
pub(crate) const EXAMPLES: &str = "rsa:2048, rsa:3072, rsa:4096, ec:p224, ec:p256, ec:p384, ec:p521, ec:secp256k1, ed25519, x25519, ed448, x448, aes:128, aes:192, aes:256, generic:BYTES";

impl FromStr for KeyType {
    type Err = String;

    fn from_str(text: &str) -> Result<KeyType, String> {
        let lower = text.to_ascii_lowercase();
        if let Some(curve) = CURVES.iter().find(|curve| curve.name == lower) {
            return Ok(KeyType::Curve(curve));
        }
        let (kind, size) = lower.split_once(':').unwrap_or((&lower, ""));
        match (kind, size.parse()) {
            ("rsa", Ok(bits)) => Ok(KeyType::Rsa(bits)),
            ("aes", Ok(bits @ (128 | 192 | 256))) => Ok(KeyType::Aes(bits)),
            ("generic", Ok(bytes @ 1..)) => Ok(KeyType::Generic(bytes)),
            _ => Err(format!("a type is one of {EXAMPLES}")),
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyType::Rsa(bits) => write!(f, "rsa:{bits}"),
            KeyType::Curve(curve) => f.write_str(curve.name),
            KeyType::Aes(bits) => write!(f, "aes:{bits}"),
            KeyType::Generic(bytes) => write!(f, "generic:{bytes}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_print_as_they_are_read() {
        let fixed = ["rsa:2048", "aes:256", "generic:32"];
        for text in CURVES.iter().map(|curve| curve.name).chain(fixed) {
            assert_eq!(text.parse::<KeyType>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn anything_else_is_no_type() {
        for text in
            ["", "rsa", "rsa:", "rsa:x", "aes:64", "generic:0", "generic:-1", "ec:", "ec:p255", "des:64"]
        {
            assert!(text.parse::<KeyType>().is_err(), "{text}");
        }
    }

    #[test]
    fn curves_are_known_by_their_parameters() {
        for curve in CURVES {
            assert_eq!(Curve::named_by(&curve.params()), Some(curve));
        }
        assert_eq!(Curve::named_by(b"\x13\x0aedwards448").map(|curve| curve.name), Some("ed448"));
        assert_eq!(Curve::named_by(&[]), None);
    }

    /// RFC 5480, section 2.1.1.1: prime256v1.
    #[test]
    fn parameters_are_the_der_of_the_identifier() {
        let Ok(KeyType::Curve(curve)) = "ec:p256".parse() else { panic!("a curve") };
        assert_eq!(curve.params(), [6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]);
    }
}
