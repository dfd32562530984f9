//! The DER forms of commands, signatures and envelopes, near to what the TKE tools send: the
//! command block `SEQ{command, domain, module, counter, input}`, CMS SignerInfo without attributes,
//! CMS RecipientInfo. Reading is strict DER, so a block has one encoding; what the fields mean is
//! for `quorum` and `parts`.

use der::asn1::{BitString, ContextSpecific, Null, ObjectIdentifier, OctetString};
use der::{Decode, Encode, Sequence, TagMode, TagNumber};
use spki::AlgorithmIdentifier;

use super::identity::Ski;
use super::keys::PublicKey;
use super::parts::{Envelope, UKM};
use crate::error::{Error, Result};

const SHA_512: ObjectIdentifier = const_oid::db::rfc5912::ID_SHA_512;
const ECDSA_WITH_SHA_512: ObjectIdentifier = const_oid::db::rfc5912::ECDSA_WITH_SHA_512;
const EC_PUBLIC_KEY: ObjectIdentifier = const_oid::db::rfc5912::ID_EC_PUBLIC_KEY;
const AES_256_WRAP: ObjectIdentifier = const_oid::db::rfc5911::ID_AES_256_WRAP;
/// dhSinglePass-stdDH-sha256kdf-scheme (RFC 5753, 7.1.4).
const STD_DH_SHA_256_KDF: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.1.11.1");

/// The version number of both CMS structures.
const CMS_VERSION: u8 = 3;

/// The bytes that administrators sign.
#[derive(Sequence, Clone, PartialEq, Eq, Debug)]
pub(super) struct Block {
    /// Number of the command, 4 bytes.
    pub(super) command: OctetString,
    /// Number of the unit, 4 bytes.
    pub(super) domain: OctetString,
    /// The HSM's id, 16 bytes.
    pub(super) module: OctetString,
    /// The transaction counter, 16 bytes.
    pub(super) counter: OctetString,
    /// The command's parameters.
    pub(super) input: OctetString,
    /// When the signatures end to count, 8 bytes: seconds since 1970. EP11 has no such field; a block
    /// without it is one of EP11's.
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    pub(super) expires: Option<OctetString>,
}

/// A block and the signatures over it.
#[derive(Sequence, Clone, PartialEq, Eq, Debug)]
pub(super) struct SignedBlock {
    /// The block's DER.
    pub(super) block: OctetString,
    /// The signatures.
    pub(super) signers: Vec<SignerInfo>,
}

/// CMS SignerInfo (RFC 5652, 5.3), signer named by subject key identifier.
#[derive(Sequence, Clone, PartialEq, Eq, Debug)]
pub(super) struct SignerInfo {
    version: u8,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    signer: OctetString,
    digest: AlgorithmIdentifier<Null>,
    algorithm: AlgorithmIdentifier<Null>,
    signature: OctetString,
}

impl SignerInfo {
    /// One signature by the key with this identifier.
    pub(super) fn new(signer: &Ski, signature: Vec<u8>) -> Result<SignerInfo> {
        Ok(SignerInfo {
            version: CMS_VERSION,
            signer: octets(signer.as_bytes().as_slice())?,
            digest: AlgorithmIdentifier { oid: SHA_512, parameters: Some(Null) },
            algorithm: AlgorithmIdentifier { oid: ECDSA_WITH_SHA_512, parameters: Some(Null) },
            signature: octets(signature)?,
        })
    }

    /// Who signed, and the signature; `None` if this is not ECDSA with SHA-512 by a 32-byte
    /// identifier.
    pub(super) fn parts(&self) -> Option<(Ski, &[u8])> {
        let known = self.version == CMS_VERSION
            && self.digest.oid == SHA_512
            && self.algorithm.oid == ECDSA_WITH_SHA_512;
        let signer = self.signer.as_bytes().try_into().ok()?;
        known.then(|| (Ski::new(signer), self.signature.as_bytes()))
    }
}

/// CMS KeyAgreeRecipientInfo (RFC 5652, 6.2.2) with the tags that the TKE tools write.
#[derive(Sequence)]
struct RecipientInfo {
    version: u8,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    originator: ContextSpecific<OriginatorKey>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT")]
    ukm: OctetString,
    algorithm: AlgorithmIdentifier<AlgorithmIdentifier<Null>>,
    keys: Vec<RecipientKey>,
}

#[derive(Sequence)]
struct OriginatorKey {
    algorithm: ObjectIdentifier,
    point: BitString,
}

#[derive(Sequence)]
struct RecipientKey {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    recipient: OctetString,
    wrapped: OctetString,
}

/// ECC-CMS-SharedInfo (RFC 5753, 7.2).
#[derive(Sequence)]
struct SharedInfo {
    algorithm: AlgorithmIdentifier<Null>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    ukm: OctetString,
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT")]
    key_bits: OctetString,
}

/// A copy of the bytes as an OCTET STRING.
pub(super) fn octets(bytes: impl Into<Box<[u8]>>) -> Result<OctetString> {
    OctetString::new(bytes).map_err(|_| UNENCODABLE)
}

/// DER of a value that this module made.
pub(super) fn to_der(value: &impl Encode) -> Result<Vec<u8>> {
    value.to_der().map_err(|_| UNENCODABLE)
}

/// Only lengths above 256 MiB do not fit into DER as the library writes it.
const UNENCODABLE: Error = Error::CryptoFailed("encoding DER");

fn aes_256_wrap() -> AlgorithmIdentifier<Null> {
    AlgorithmIdentifier { oid: AES_256_WRAP, parameters: Some(Null) }
}

pub(super) fn envelope_to_der(envelope: &Envelope) -> Result<Vec<u8>> {
    let point = BitString::from_bytes(&envelope.originator.to_sec1()).map_err(|_| UNENCODABLE)?;
    to_der(&RecipientInfo {
        version: CMS_VERSION,
        originator: ContextSpecific {
            tag_number: TagNumber(1),
            tag_mode: TagMode::Explicit,
            value: OriginatorKey { algorithm: EC_PUBLIC_KEY, point },
        },
        ukm: octets(envelope.ukm.as_slice())?,
        algorithm: AlgorithmIdentifier { oid: STD_DH_SHA_256_KDF, parameters: Some(aes_256_wrap()) },
        keys: vec![RecipientKey {
            recipient: octets(envelope.recipient.as_bytes().as_slice())?,
            wrapped: octets(envelope.wrapped.as_slice())?,
        }],
    })
}

pub(super) fn envelope_from_der(der: &[u8]) -> Option<Envelope> {
    let info = RecipientInfo::from_der(der).ok()?;
    let [key] = info.keys.as_slice() else { return None };
    let known = info.version == CMS_VERSION
        && info.originator.tag_number == TagNumber(1)
        && info.originator.value.algorithm == EC_PUBLIC_KEY
        && info.algorithm.oid == STD_DH_SHA_256_KDF
        && info.algorithm.parameters.is_some_and(|wrap| wrap.oid == AES_256_WRAP);
    known.then_some(Envelope {
        originator: PublicKey::from_sec1(info.originator.value.point.as_bytes()?)?,
        ukm: info.ukm.as_bytes().try_into().ok()?,
        recipient: Ski::new(key.recipient.as_bytes().try_into().ok()?),
        wrapped: key.wrapped.as_bytes().try_into().ok()?,
    })
}

/// What the key derivation of an envelope binds besides the shared secret: the wrapping algorithm,
/// the user keying material, and the wrapping key's length in bits.
pub(super) fn shared_info(ukm: &[u8; UKM]) -> Result<Vec<u8>> {
    to_der(&SharedInfo {
        algorithm: aes_256_wrap(),
        ukm: octets(ukm.as_slice())?,
        key_bits: octets(256_u32.to_be_bytes().as_slice())?,
    })
}
