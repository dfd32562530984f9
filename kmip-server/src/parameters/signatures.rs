//! Cryptographic Parameters as schemes of the core: how a key signs, or makes a MAC.

use cryptoki_sys::*;
use hsm_core::crypto::{Hash, Pss};
use hsm_core::mechanism::Scheme;
use hsm_core::object::Object;
use hsm_core::object::managed::SOFTHSM_RS_ALGORITHM;
use hsm_core::object::material::Key;

use super::{Parameters, bad, hash_of_hmac, not_offered};
use crate::failure::Outcome;
use crate::ttlv::enums::{
    BlockCipherMode as Mode, CryptographicAlgorithm as Algorithm, DigitalSignatureAlgorithm as Named,
    PaddingMethod as Padding,
};

/// What a Digital Signature Algorithm stands for. KMIP 1.4, section 9.1.3.2.7.
#[rustfmt::skip]
const NAMED: &[(Named, Algorithm, Padding, Option<Hash>)] = &[
    (Named::MD5WithRSAEncryption,      Algorithm::RSA,   Padding::PKCS1V1_5, Some(Hash::Md5)),
    (Named::SHA_1WithRSAEncryption,    Algorithm::RSA,   Padding::PKCS1V1_5, Some(Hash::Sha1)),
    (Named::SHA_224WithRSAEncryption,  Algorithm::RSA,   Padding::PKCS1V1_5, Some(Hash::Sha224)),
    (Named::SHA_256WithRSAEncryption,  Algorithm::RSA,   Padding::PKCS1V1_5, Some(Hash::Sha256)),
    (Named::SHA_384WithRSAEncryption,  Algorithm::RSA,   Padding::PKCS1V1_5, Some(Hash::Sha384)),
    (Named::SHA_512WithRSAEncryption,  Algorithm::RSA,   Padding::PKCS1V1_5, Some(Hash::Sha512)),
    (Named::SHA3_256WithRSAEncryption, Algorithm::RSA,   Padding::PKCS1V1_5, Some(Hash::Sha3_256)),
    (Named::SHA3_384WithRSAEncryption, Algorithm::RSA,   Padding::PKCS1V1_5, Some(Hash::Sha3_384)),
    (Named::SHA3_512WithRSAEncryption, Algorithm::RSA,   Padding::PKCS1V1_5, Some(Hash::Sha3_512)),
    (Named::RSASSA_PSS,                Algorithm::RSA,   Padding::PSS,       None),
    (Named::ECDSAWithSHA_1,            Algorithm::ECDSA, Padding::None,      Some(Hash::Sha1)),
    (Named::ECDSAWithSHA224,           Algorithm::ECDSA, Padding::None,      Some(Hash::Sha224)),
    (Named::ECDSAWithSHA256,           Algorithm::ECDSA, Padding::None,      Some(Hash::Sha256)),
    (Named::ECDSAWithSHA384,           Algorithm::ECDSA, Padding::None,      Some(Hash::Sha384)),
    (Named::ECDSAWithSHA512,           Algorithm::ECDSA, Padding::None,      Some(Hash::Sha512)),
];

/// What is signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Message {
    /// The data.
    Data,
    /// The data's digest.
    Digest,
}

/// The scheme by which a key signs; for verifying, a second one that fits as well, where the parameters
/// leave it open.
///
/// # Errors
/// `BadCryptographicParameters`, `UnsupportedCryptographicParameters`.
pub fn signature(
    key: &Key,
    parameters: &Parameters<'_>,
    message: Message,
) -> Outcome<(Scheme, Option<Scheme>)> {
    match key.object().key_type() {
        Some(CKK_RSA) => rsa(key, parameters, message),
        Some(CKK_EC) => {
            let (_, hash) = named(parameters, Algorithm::ECDSA)?;
            let hash = match message {
                Message::Digest => None,
                Message::Data => Some(hash.unwrap_or_else(|| usual_hash(key.size_bits()))),
            };
            Ok((Scheme::Ecdsa(hash), None))
        }
        Some(CKK_EC_EDWARDS) if message == Message::Data => Ok((Scheme::Eddsa, None)),
        Some(CKK_EC_EDWARDS) => Err(not_offered("EdDSA signs data, not a digest of it")),
        _ => Err(not_offered("objects of this kind do not sign")),
    }
}

/// Padding and hash: the signature algorithm's own, or those that stand beside it.
fn named(parameters: &Parameters<'_>, of_key: Algorithm) -> Outcome<(Option<Padding>, Option<Hash>)> {
    let Some(signature) = parameters.signature else { return Ok((parameters.padding, parameters.hash)) };
    let row = NAMED.iter().find(|(own, ..)| *own == signature);
    let (_, algorithm, padding, hash) =
        row.ok_or_else(|| not_offered("the signature algorithm is not offered"))?;
    if *algorithm != of_key {
        return Err(bad("the signature algorithm is not one of the key's"));
    }
    if hash.is_some() && parameters.hash.is_some() && *hash != parameters.hash {
        return Err(bad("the hash is not that of the signature algorithm"));
    }
    Ok((Some(*padding), hash.or(parameters.hash)))
}

/// The hash that is as strong as a curve.
const fn usual_hash(bits: u64) -> Hash {
    match bits {
        0..=256 => Hash::Sha256,
        257..=384 => Hash::Sha384,
        _ => Hash::Sha512,
    }
}

fn rsa(key: &Key, parameters: &Parameters<'_>, message: Message) -> Outcome<(Scheme, Option<Scheme>)> {
    let (padding, hash) = named(parameters, Algorithm::RSA)?;
    match (padding, message) {
        (Some(Padding::PKCS1V1_5) | None, Message::Data) => {
            Ok((Scheme::V15(Some(hash.unwrap_or(Hash::Sha256))), None))
        }
        // Without a hash, what comes is signed as it is: a DigestInfo, or what the client takes for one.
        (Some(Padding::PKCS1V1_5) | None, Message::Digest) => {
            Ok((hash.map_or(Scheme::V15(None), Scheme::V15Digest), None))
        }
        (Some(Padding::PSS), _) => {
            let hash = hash.unwrap_or(Hash::Sha256);
            let scheme = |salt_len| {
                let pss = Pss { hash, mgf: parameters.mask_hash.unwrap_or(hash), salt_len };
                Scheme::Pss(pss, (message == Message::Data).then_some(hash))
            };
            if let Some(salt_len) = parameters.salt_bytes {
                return Ok((scheme(salt_len), None));
            }
            // The longest salt that fits, as OASIS's cases have it. Others sign with one as long as the
            // hash, so that is taken too.
            let encoded = (key.size_bits() as usize).saturating_sub(1).div_ceil(8);
            let longest = encoded.saturating_sub(hash.len() + 2);
            let other = (longest != hash.len()).then(|| scheme(hash.len()));
            Ok((scheme(longest), other))
        }
        (Some(_), _) => Err(not_offered("RSA does not sign with this padding")),
    }
}

/// The scheme of signatures that hold what was signed, where the parameters name such a one: RSA's PKCS #1
/// v1.5 over bytes that the client chose. With a hash, the signature holds no more than a digest; the raw
/// operation gives a number for anything, so that no signature of it is invalid.
pub fn recovery(object: &Object, parameters: &Parameters<'_>) -> Option<Scheme> {
    let recovers = object.key_type() == Some(CKK_RSA)
        && parameters.padding == Some(Padding::PKCS1V1_5)
        && (parameters.hash, parameters.signature) == (None, None);
    recovers.then_some(Scheme::V15(None))
}

/// The scheme by which a key makes a MAC.
///
/// # Errors
/// As [`signature`].
pub fn mac(object: &Object, parameters: &Parameters<'_>) -> Outcome<Scheme> {
    let own = object.number(SOFTHSM_RS_ALGORITHM).and_then(|number| u32::try_from(number).ok());
    let own = own.and_then(Algorithm::from_number);
    let hash = parameters.algorithm.and_then(hash_of_hmac);
    let by_cipher = matches!(parameters.mode, Some(Mode::CMAC | Mode::CBC_MAC));
    let hash = hash.or_else(|| if by_cipher { None } else { own.and_then(hash_of_hmac).or(parameters.hash) });
    if let Some(hash) = hash {
        return Ok(Scheme::Hmac(hash, parameters.tag_bytes.unwrap_or(hash.len())));
    }
    let of_aes = parameters.tag_bytes.unwrap_or(16);
    let of_des3 = parameters.tag_bytes.unwrap_or(8);
    match (parameters.mode, object.key_type()) {
        (None | Some(Mode::CMAC), Some(CKK_AES)) => Ok(Scheme::Cmac(of_aes)),
        (None | Some(Mode::CMAC), Some(CKK_DES2 | CKK_DES3)) => Ok(Scheme::Des3Cmac(of_des3)),
        (Some(Mode::CBC_MAC), _)
            if !matches!(parameters.padding, None | Some(Padding::None | Padding::Zeros)) =>
        {
            Err(not_offered("CBC-MAC fills its last block with zeros"))
        }
        (Some(Mode::CBC_MAC), Some(CKK_AES)) => Ok(Scheme::CbcMac(of_aes)),
        (Some(Mode::CBC_MAC), Some(CKK_DES2 | CKK_DES3)) => Ok(Scheme::Des3CbcMac(of_des3)),
        (Some(mode), _) if !matches!(mode, Mode::CMAC | Mode::CBC_MAC) => {
            Err(not_offered("the mode makes no MAC here"))
        }
        _ => Err(bad("it is not said which MAC is meant")),
    }
}
