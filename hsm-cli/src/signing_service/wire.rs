//! What goes between a signing service and its clients: JSON with base64 in it, and in that, DER.

use data_encoding::BASE64;
use der::asn1::UintRef;
use der::{Decode, Encode, Sequence};
use hsm_core::unit::PublicKey;
use serde::{Deserialize, Serialize};

/// The one hash that is asked for.
pub(super) const SHA_512: &str = "sha2-512";

/// Bytes of a coordinate of P-521.
const COORDINATE: usize = 66;

/// The answer to `GET /keys/NAME`.
#[derive(Serialize, Deserialize)]
pub(super) struct KeyReply {
    publickey: String,
}

/// What is posted to `/sign/NAME`.
#[derive(Serialize, Deserialize)]
pub(super) struct SignRequest {
    pub(super) hash_algorithm: String,
    input: String,
}

/// The answer to it.
#[derive(Serialize, Deserialize)]
pub(super) struct SignReply {
    signature: String,
}

/// A point as two integers.
#[derive(Sequence)]
struct Point<'a> {
    x: UintRef<'a>,
    y: UintRef<'a>,
}

impl KeyReply {
    /// `None` for a key that cannot be written, of which there is none.
    pub(super) fn of(key: &PublicKey) -> Option<KeyReply> {
        let sec1 = key.to_sec1();
        let (_, coordinates) = sec1.split_first()?;
        let (x, y) = coordinates.split_at_checked(COORDINATE)?;
        let point = Point { x: UintRef::new(x).ok()?, y: UintRef::new(y).ok()? };
        Some(KeyReply { publickey: BASE64.encode(&point.to_der().ok()?) })
    }

    /// The key, if it is one of P-521.
    pub(super) fn key(&self) -> Option<PublicKey> {
        let der = BASE64.decode(self.publickey.as_bytes()).ok()?;
        let point = Point::from_der(&der).ok()?;
        let mut sec1 = vec![4];
        for coordinate in [point.x, point.y] {
            let bytes = coordinate.as_bytes();
            sec1.extend(std::iter::repeat_n(0, COORDINATE.checked_sub(bytes.len())?));
            sec1.extend(bytes);
        }
        PublicKey::from_sec1(&sec1)
    }
}

impl SignRequest {
    pub(super) fn of(input: &[u8]) -> SignRequest {
        SignRequest { hash_algorithm: SHA_512.to_owned(), input: BASE64.encode(input) }
    }

    pub(super) fn input(&self) -> Option<Vec<u8>> {
        BASE64.decode(self.input.as_bytes()).ok()
    }
}

impl SignReply {
    pub(super) fn of(signature: &[u8]) -> SignReply {
        SignReply { signature: BASE64.encode(signature) }
    }

    pub(super) fn signature(&self) -> Option<Vec<u8>> {
        BASE64.decode(self.signature.as_bytes()).ok()
    }
}

/// Whether a service can have a key of this name: unreserved characters of RFC 3986 alone, and no step of a path.
pub(super) fn is_name(name: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    !name.is_empty() && name.len() <= 255 && name != "." && name != ".." && name.bytes().all(unreserved)
}

#[cfg(test)]
mod tests {
    use hsm_core::unit::SignatureKey;

    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_written() {
        // Of many keys, some have coordinates that begin with zeros.
        for _ in 0..40 {
            let key = SignatureKey::generate().unwrap().public_key();
            assert_eq!(KeyReply::of(&key).unwrap().key(), Some(key));
        }
    }

    #[test]
    fn what_is_no_point_of_the_curve_is_no_key() {
        let key = |der: &[u8]| KeyReply { publickey: BASE64.encode(der) }.key();
        for der in [&b""[..], b"\x30\x00", b"\x30\x06\x02\x01\x01\x02\x01\x02", b"\x30\x03\x02\x01\x01"] {
            assert_eq!(key(der), None, "{der:02x?}");
        }
        assert_eq!(KeyReply { publickey: "!".into() }.key(), None);
    }

    #[test]
    fn a_name_is_one_segment_of_a_path() {
        for name in ["alice", "admin-1", "a.b_c~d", "..."] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", ".", "..", "a/b", "a b", "a%20b", "a?b", "ä"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
