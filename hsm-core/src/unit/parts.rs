//! Key parts and their way into the unit. A master key is the XOR of its parts; each part travels
//! encrypted to the unit's importer key, in the CMS form that the TKE tools use: ephemeral-static
//! ECDH on P-521, X9.63 KDF with SHA-256, AES-256 key wrap (RFC 3394). The files that keep parts are
//! in `key_file`, the bytes on the wire in `encoding`.

use aes_kw::KwAes256;
use cipher::KeyInit;
use p521::SecretKey;
use p521::elliptic_curve::ecdh::diffie_hellman;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::encoding;
use super::identity::{Ski, VerificationPattern};
use super::keys::{PublicKey, fresh_secret_key};
use super::refusal::Refusal;
use crate::error::Result;
use crate::rng;
use crate::secret::Secret;

/// Bytes of a master key and of each of its parts.
pub const KEY_LENGTH: usize = 32;

/// The most parts that a master key is loaded from.
pub const PARTS_MAX: usize = 3;

/// Bytes of the user keying material of an envelope.
pub(super) const UKM: usize = 40;

/// Bytes of a wrapped part: the part and RFC 3394's eight.
pub(super) const WRAPPED: usize = KEY_LENGTH + 8;

/// A part of a master key, in its holder's hands.
#[derive(Debug)]
pub struct KeyPart {
    name: String,
    value: Secret,
}

impl KeyPart {
    /// Draws a part. The name is for people.
    pub fn generate(name: &str) -> Result<KeyPart> {
        Ok(KeyPart { name: name.to_owned(), value: rng::secret(KEY_LENGTH)? })
    }

    /// The part with this value; `None` unless it has 32 bytes.
    pub fn new(name: &str, value: Secret) -> Option<KeyPart> {
        (value.len() == KEY_LENGTH).then(|| KeyPart { name: name.to_owned(), value })
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The part's own verification pattern.
    pub fn verification_pattern(&self) -> VerificationPattern {
        VerificationPattern::of(self.value.expose())
    }

    /// Encrypts the part to a unit's importer key.
    pub fn seal_to(&self, importer: &PublicKey) -> Result<Envelope> {
        Envelope::seal(self.value.expose(), importer, &EnvelopeRandomness::draw()?)
    }

    /// The value, for the file that keeps it.
    pub(super) fn value(&self) -> &Secret {
        &self.value
    }
}

/// The verification pattern of the master key that these parts make: what the holders compare before
/// they commit it.
pub fn combined_pattern<'a>(parts: impl IntoIterator<Item = &'a KeyPart>) -> VerificationPattern {
    let key = combine(parts.into_iter().map(|part| &part.value));
    VerificationPattern::of(key.expose())
}

/// The XOR of the parts, 32 bytes.
pub(super) fn combine<'a>(parts: impl IntoIterator<Item = &'a Secret>) -> Secret {
    let mut key = Secret::zeroed(KEY_LENGTH);
    for part in parts {
        key.expose_mut().iter_mut().zip(part.expose()).for_each(|(sum, byte)| *sum ^= byte);
    }
    key
}

/// What is random in an envelope, drawn beforehand so that a unit's transitions stay pure.
pub(super) struct EnvelopeRandomness {
    ephemeral: SecretKey,
    ukm: [u8; UKM],
}

impl EnvelopeRandomness {
    /// Draws it; it is for one envelope.
    pub(super) fn draw() -> Result<EnvelopeRandomness> {
        Ok(EnvelopeRandomness { ephemeral: fresh_secret_key()?, ukm: rng::array()? })
    }
}

/// A key encrypted to the holder of a P-521 key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Envelope {
    pub(super) originator: PublicKey,
    pub(super) ukm: [u8; UKM],
    pub(super) recipient: Ski,
    pub(super) wrapped: [u8; WRAPPED],
}

impl Envelope {
    /// Encrypts 32 bytes to `recipient`.
    pub(super) fn seal(key: &[u8], recipient: &PublicKey, random: &EnvelopeRandomness) -> Result<Envelope> {
        let kek = agreed_key(&random.ephemeral, recipient, &random.ukm)?;
        let mut wrapped = [0; WRAPPED];
        KwAes256::new((&*kek).into())
            .wrap_key(key, &mut wrapped)
            .map_err(|_| crate::Error::CryptoFailed("wrapping a key part"))?;
        let originator = PublicKey::of(&random.ephemeral);
        Ok(Envelope { originator, ukm: random.ukm, recipient: recipient.ski(), wrapped })
    }

    /// The CMS RecipientInfo that carries it (RFC 5652, 6.2.2, with the TKE tools' tags).
    pub fn to_der(&self) -> Result<Vec<u8>> {
        encoding::envelope_to_der(self)
    }

    /// The reverse of [`Envelope::to_der`]; `None` if it is anything else.
    pub fn from_der(der: &[u8]) -> Option<Envelope> {
        encoding::envelope_from_der(der)
    }
}

impl serde::Serialize for Envelope {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let der = self.to_der().map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(&hex::encode(der))
    }
}

/// The key pair that parts are encrypted to: made by the unit, used for one master key.
pub struct ImporterKey(SecretKey);

impl std::fmt::Debug for ImporterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ImporterKey({})", self.public_key().ski())
    }
}

impl ImporterKey {
    /// The pair of this secret key.
    pub(super) fn new(key: SecretKey) -> ImporterKey {
        ImporterKey(key)
    }

    /// The half that part holders encrypt to.
    pub fn public_key(&self) -> PublicKey {
        PublicKey::of(&self.0)
    }

    /// The scalar, for the sealed unit file.
    pub(super) fn scalar(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.to_bytes().to_vec())
    }

    /// The reverse of [`ImporterKey::scalar`].
    pub(super) fn from_scalar(bytes: &[u8]) -> Option<ImporterKey> {
        SecretKey::from_slice(bytes).ok().map(ImporterKey)
    }

    /// A second copy of the same pair.
    pub(super) fn duplicate(&self) -> ImporterKey {
        ImporterKey(self.0.clone())
    }

    /// Decrypts one part.
    pub(super) fn open(&self, envelope: &Envelope) -> std::result::Result<Secret, Refusal> {
        if envelope.recipient != self.public_key().ski() {
            return Err(Refusal::ImporterKeyMissing);
        }
        let kek =
            agreed_key(&self.0, &envelope.originator, &envelope.ukm).map_err(|_| Refusal::KeyPartDamaged)?;
        let mut key = Secret::zeroed(KEY_LENGTH);
        KwAes256::new((&*kek).into())
            .unwrap_key(&envelope.wrapped, key.expose_mut())
            .map_err(|_| Refusal::KeyPartDamaged)?;
        Ok(key)
    }
}

/// Both sides' key encryption key.
fn agreed_key(own: &SecretKey, other: &PublicKey, ukm: &[u8; UKM]) -> Result<Zeroizing<[u8; 32]>> {
    let shared = diffie_hellman(own.to_nonzero_scalar(), other.inner().as_affine());
    Ok(x963_kdf_sha256(shared.raw_secret_bytes(), &encoding::shared_info(ukm)?))
}

/// ANSI X9.63 key derivation with SHA-256 (SEC 1, 3.6.1) for as many bytes as one hash gives: the
/// counter starts at 1 and is never raised.
fn x963_kdf_sha256(shared: &[u8], info: &[u8]) -> Zeroizing<[u8; 32]> {
    let hash = Sha256::new().chain_update(shared).chain_update(1_u32.to_be_bytes()).chain_update(info);
    Zeroizing::new(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// NIST CAVP, ansx963_2001.rsp, SHA-256, first case: 192-bit Z, no SharedInfo, 128 bits of key.
    #[test]
    fn x963_kdf_known_answer() {
        let shared = hex::decode("96c05619d56c328ab95fe84b18264b08725b85e33fd34f08").unwrap();
        let key = x963_kdf_sha256(&shared, &[]);
        assert_eq!(hex::encode(&key[..16]), "443024c3dae66b95e6f5670601558f71");
    }

    /// Made with Python's `cryptography` 48 (ECDH, X963KDF, aes_key_wrap) and DER written by hand: the
    /// wrapped key, and the SHA-256 of the whole RecipientInfo.
    #[test]
    fn envelope_known_answer() {
        let scalar = |top, first| {
            let bytes: Vec<u8> = std::iter::once(top).chain(first..first + 65).collect();
            SecretKey::from_slice(&bytes).unwrap()
        };
        let importer = ImporterKey::new(scalar(1, 1));
        let ukm = std::array::from_fn(|index| u8::try_from(index).unwrap());
        let random = EnvelopeRandomness { ephemeral: scalar(0, 101), ukm };
        let key: Vec<u8> = (0..32).collect();
        let envelope = Envelope::seal(&key, &importer.public_key(), &random).unwrap();
        assert_eq!(
            hex::encode(envelope.wrapped),
            "9dabc93a43aba32d704e6fa10370de1ab808b429ef83a487fa0ee2deb0ca5187b6da1ec1a5ab072c"
        );
        let der = envelope.to_der().unwrap();
        assert_eq!(der.len(), 313);
        assert_eq!(
            hex::encode(Sha256::digest(&der)),
            "a87e3e15ea49372c6bbc4eed58670985e9c28486c723dbb5294968cbd76d36d3"
        );
        let received = Envelope::from_der(&der).unwrap();
        assert!(importer.open(&received).unwrap().equals(&key));
    }

    #[test]
    fn parts_are_combined_by_exclusive_or() {
        let part = |byte| KeyPart::new("part", Secret::copy_of(&[byte; 32])).unwrap();
        let (one, two, three) = (part(0x0f), part(0xf0), part(0x3c));
        assert_eq!(combined_pattern([&one, &two, &three]), VerificationPattern::of(&[0xc3; 32]));
    }

    #[test]
    fn a_part_has_32_bytes() {
        assert!(KeyPart::new("part", Secret::zeroed(31)).is_none());
        assert!(KeyPart::new("part", Secret::zeroed(33)).is_none());
    }

    #[test]
    fn the_importer_opens_what_was_sealed_to_it() {
        let importer = ImporterKey::new(fresh_secret_key().unwrap());
        let part = KeyPart::generate("part").unwrap();
        let envelope = part.seal_to(&importer.public_key()).unwrap();
        assert!(importer.open(&envelope).unwrap().equals(part.value().expose()));
    }

    #[test]
    fn another_importer_is_told_that_the_key_is_missing() {
        let (importer, other) =
            (ImporterKey::new(fresh_secret_key().unwrap()), ImporterKey::new(fresh_secret_key().unwrap()));
        let envelope = KeyPart::generate("part").unwrap().seal_to(&importer.public_key()).unwrap();
        assert_eq!(other.open(&envelope).unwrap_err(), Refusal::ImporterKeyMissing);
    }

    #[test]
    fn a_changed_envelope_does_not_open() {
        let importer = ImporterKey::new(fresh_secret_key().unwrap());
        let envelope = KeyPart::generate("part").unwrap().seal_to(&importer.public_key()).unwrap();
        let mut wrapped = envelope.clone();
        wrapped.wrapped[3] ^= 1;
        let mut ukm = envelope.clone();
        ukm.ukm[0] ^= 1;
        let originator = Envelope { originator: importer.public_key(), ..envelope };
        for changed in [wrapped, ukm, originator] {
            assert_eq!(importer.open(&changed).unwrap_err(), Refusal::KeyPartDamaged);
        }
    }
}
