//! P-521 keys: the public key of an administrator or importer, and the signature key that an
//! administrator holds. The files that keep signature keys are in `key_file`.

use p521::SecretKey;
use p521::ecdsa::signature::{Signer, Verifier};
use p521::ecdsa::{DerSignature, SigningKey, VerifyingKey};
use p521::elliptic_curve::sec1::ToSec1Point;
use zeroize::Zeroizing;

use super::identity::Ski;
use super::refusal::Refusal;
use crate::error::{Error, Result};
use crate::rng;

/// Bytes of an uncompressed P-521 point: 04, X, Y.
pub(super) const POINT: usize = 133;

/// Bytes of a P-521 scalar.
pub(super) const SCALAR: usize = 66;

/// A P-521 public key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PublicKey(p521::PublicKey);

impl PublicKey {
    /// Reads the uncompressed SEC1 form (133 bytes); `None` for anything else, points off the curve
    /// included.
    pub fn from_sec1(bytes: &[u8]) -> Option<PublicKey> {
        if bytes.len() != POINT {
            return None;
        }
        p521::PublicKey::from_sec1_bytes(bytes).ok().map(PublicKey)
    }

    /// The uncompressed SEC1 form: 04 ‖ X ‖ Y, 133 bytes.
    pub fn to_sec1(&self) -> Vec<u8> {
        self.0.to_sec1_point(false).as_bytes().to_vec()
    }

    /// The key's subject key identifier.
    pub fn ski(&self) -> Ski {
        Ski::of_point(&self.to_sec1())
    }

    /// Whether `signature` (DER, two integers) is one of this key's over `message`:
    /// ECDSA with SHA-512.
    ///
    /// # Errors
    /// `SignatureMalformed` where it is no signature at all, `SignatureWrong` where it is another one.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> std::result::Result<(), Refusal> {
        let signature = DerSignature::from_bytes(signature).map_err(|_| Refusal::SignatureMalformed)?;
        VerifyingKey::from(&self.0).verify(message, &signature).map_err(|_| Refusal::SignatureWrong)
    }

    /// The public half of a secret key.
    pub(super) fn of(key: &SecretKey) -> PublicKey {
        PublicKey(key.public_key())
    }

    /// The library's type.
    pub(super) fn inner(&self) -> &p521::PublicKey {
        &self.0
    }
}

impl serde::Serialize for PublicKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.to_sec1()))
    }
}

/// A new P-521 secret key from the HSM's random generator.
pub(super) fn fresh_secret_key() -> Result<SecretKey> {
    loop {
        let mut scalar = Zeroizing::new(rng::array::<SCALAR>()?);
        // 521 bits fill 65 bytes and one bit: the others are cleared, and the few values that are
        // not below the group's order are drawn again.
        scalar.iter_mut().take(1).for_each(|top| *top &= 1);
        if let Ok(key) = SecretKey::from_slice(scalar.as_slice()) {
            return Ok(key);
        }
    }
}

/// An administrator's signature key: P-521, wiped on drop.
pub struct SignatureKey(SecretKey);

impl SignatureKey {
    /// Draws a new key.
    pub fn generate() -> Result<SignatureKey> {
        fresh_secret_key().map(SignatureKey)
    }

    /// The key that this SEC1 DER structure holds.
    pub(super) fn from_sec1_der(der: &[u8]) -> Option<SignatureKey> {
        SecretKey::from_sec1_der(der).ok().map(SignatureKey)
    }

    /// The key as a SEC1 DER structure.
    pub(super) fn to_sec1_der(&self) -> Result<Zeroizing<Vec<u8>>> {
        self.0.to_sec1_der().map_err(|_| Error::CryptoFailed("encoding a P-521 key"))
    }

    /// The key with this scalar, 66 bytes.
    pub(super) fn from_scalar(bytes: &[u8]) -> Option<SignatureKey> {
        SecretKey::from_slice(bytes).ok().map(SignatureKey)
    }

    /// The scalar, 66 bytes.
    pub(super) fn scalar(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.to_bytes().to_vec())
    }

    /// A second copy of the same key.
    pub(crate) fn duplicate(&self) -> SignatureKey {
        SignatureKey(self.0.clone())
    }

    /// The public half.
    pub fn public_key(&self) -> PublicKey {
        PublicKey::of(&self.0)
    }

    /// The subject key identifier of the public half.
    pub fn ski(&self) -> Ski {
        self.public_key().ski()
    }

    /// Signs: ECDSA with SHA-512, deterministic nonce (RFC 6979), DER. What it signs is the caller's to know.
    ///
    /// # Errors
    /// `CryptoFailed`.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let signature: DerSignature = SigningKey::from(&self.0)
            .try_sign(message)
            .map_err(|_| Error::CryptoFailed("signing with P-521"))?;
        Ok(signature.as_bytes().to_vec())
    }
}

impl std::fmt::Debug for SignatureKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SignatureKey({})", self.ski())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_key_and_message_alone() {
        let (one, other) = (SignatureKey::generate().unwrap(), SignatureKey::generate().unwrap());
        let signature = one.sign(b"message").unwrap();
        assert_eq!(one.public_key().verify(b"message", &signature), Ok(()));
        assert_eq!(one.public_key().verify(b"massage", &signature), Err(Refusal::SignatureWrong));
        assert_eq!(other.public_key().verify(b"message", &signature), Err(Refusal::SignatureWrong));
    }

    #[test]
    fn what_is_no_signature_is_malformed() {
        let key = SignatureKey::generate().unwrap().public_key();
        for bytes in [&b""[..], b"\x30\x00", b"\x30\x03\x02\x01\x01"] {
            assert_eq!(key.verify(b"message", bytes), Err(Refusal::SignatureMalformed), "{bytes:02x?}");
        }
    }

    #[test]
    fn a_signature_of_zeros_is_wrong() {
        let key = SignatureKey::generate().unwrap().public_key();
        for bytes in [b"\x30\x06\x02\x01\x00\x02\x01\x01", b"\x30\x06\x02\x01\x00\x02\x01\x00"] {
            assert_eq!(key.verify(b"message", bytes), Err(Refusal::SignatureWrong), "{bytes:02x?}");
        }
    }

    #[test]
    fn a_public_key_is_uncompressed_and_on_the_curve() {
        let key = SignatureKey::generate().unwrap().public_key();
        let mut bytes = key.to_sec1();
        assert_eq!(PublicKey::from_sec1(&bytes), Some(key));
        bytes[132] ^= 1;
        assert_eq!(PublicKey::from_sec1(&bytes), None);
        let compressed = key.inner().to_sec1_point(true);
        assert_eq!(PublicKey::from_sec1(compressed.as_bytes()), None);
    }

    /// The identifier by its definition, written out apart from the code above.
    #[test]
    fn ski_is_the_hash_of_the_uncompressed_point() {
        use sha2::{Digest, Sha256};
        let key = SignatureKey::generate().unwrap();
        let hash: [u8; 32] = Sha256::digest(key.public_key().to_sec1()).into();
        assert_eq!(key.ski(), Ski::new(hash));
    }
}
