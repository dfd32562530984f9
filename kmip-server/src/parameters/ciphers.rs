//! Cryptographic Parameters as transforms of the core: which cipher, in which mode, with which IV.

use cryptoki_sys::*;
use hsm_core::crypto::{Direction, Hash, KeyWrap, Padding as Filling};
use hsm_core::mechanism::Transform;
use hsm_core::object::Object;
use hsm_core::object::managed::SOFTHSM_RS_ALGORITHM;

use super::{Parameters, bad, not_offered};
use crate::failure::{Failure, Outcome};
use crate::ttlv::enums::{
    BlockCipherMode as Mode, CryptographicAlgorithm as Algorithm, PaddingMethod as Padding,
    ResultReason as Reason,
};

/// The tag of authenticated encryption where no length is named, in bytes.
const USUAL_TAG: usize = 16;
/// The nonce that is made for GCM where no length is named, in bytes. NIST SP 800-38D, section 8.2.
const USUAL_NONCE: usize = 12;
/// The longest IV that is made, in bytes.
const LONGEST_IV: usize = 64;
/// How many of the 16 bytes of a counter block count, where the client leaves it open.
const COUNTER_BYTES: usize = 4;

/// What an encryption starts from, besides the key.
#[derive(Clone, Copy)]
pub struct Start<'a> {
    /// What the parameters say.
    pub parameters: &'a Parameters<'a>,
    /// The IV, counter or nonce that the client brings.
    pub iv: Option<&'a [u8]>,
    /// Data that is authenticated and not encrypted.
    pub additional: &'a [u8],
    /// The direction.
    pub direction: Direction,
    /// What makes random bytes.
    pub random: &'a dyn Fn(&mut [u8]) -> Outcome<()>,
}

/// A cipher that was chosen.
#[derive(Debug)]
pub struct Chosen {
    /// The cipher.
    pub transform: Transform,
    /// The IV that was made for it.
    pub fresh_iv: Option<Vec<u8>>,
    /// The length of the tag that ends the result, in bytes; 0 without authentication.
    pub tag_length: usize,
}

impl Chosen {
    /// Whether the cipher needs its data whole, so that it must be collected or comes at once.
    pub fn is_whole(&self) -> bool {
        matches!(
            self.transform,
            Transform::RsaV15
                | Transform::RsaX509
                | Transform::RsaOaep { .. }
                | Transform::RsaAesKeyWrap { .. }
                | Transform::KeyWrap(_)
        )
    }
}

/// Chooses the cipher for a key.
///
/// # Errors
/// [`Reason::BadCryptographicParameters`], [`Reason::UnsupportedCryptographicParameters`], and
/// [`Reason::InvalidMessage`] for a missing IV.
pub fn choose(object: &Object, start: &Start<'_>) -> Outcome<Chosen> {
    match object.key_type() {
        Some(CKK_AES) => aes(start),
        Some(CKK_RSA) => rsa(start.parameters),
        Some(CKK_DES2 | CKK_DES3) => des3(start),
        Some(CKK_CHACHA20) => chacha20(object, start),
        Some(CKK_GENERIC_SECRET) if start.parameters.mode == Some(Mode::XTS) => {
            with(start.iv::<16>()?, Transform::Xts)
        }
        Some(CKK_GENERIC_SECRET) if is_blowfish(object) => blowfish(start),
        _ => Err(not_offered("objects of this kind do not encrypt")),
    }
}

/// PKCS #11's key type of Blowfish is not the core's: such a key is a generic secret with its algorithm.
fn is_blowfish(object: &Object) -> bool {
    object.number(SOFTHSM_RS_ALGORITHM) == Some(u32::from(Algorithm::Blowfish).into())
}

fn blowfish(start: &Start<'_>) -> Outcome<Chosen> {
    let parameters = start.parameters;
    if parameters.algorithm.is_some_and(|algorithm| algorithm != Algorithm::Blowfish) {
        return Err(bad("the algorithm is not that of the key"));
    }
    match parameters.mode.ok_or_else(|| bad("the block cipher mode is missing"))? {
        Mode::CBC => match padding(parameters)? {
            Some(padding) => with(start.iv()?, |iv| Transform::BlowfishCbcPad(iv, padding)),
            None => with(start.iv()?, Transform::BlowfishCbc),
        },
        Mode::ECB => {
            Ok(plain(padding(parameters)?.map_or(Transform::BlowfishEcb, Transform::BlowfishEcbPad)))
        }
        _ => Err(not_offered("the block cipher mode is not offered")),
    }
}

fn aes(start: &Start<'_>) -> Outcome<Chosen> {
    let parameters = start.parameters;
    if parameters.algorithm.is_some_and(|algorithm| algorithm != Algorithm::AES) {
        return Err(bad("the algorithm is not that of the key"));
    }
    match parameters.mode.ok_or_else(|| bad("the block cipher mode is missing"))? {
        Mode::CBC => match padding(parameters)? {
            Some(padding) => with(start.iv()?, |iv| Transform::CbcPad(iv, padding)),
            None => with(start.iv()?, Transform::Cbc),
        },
        Mode::ECB => Ok(plain(padding(parameters)?.map_or(Transform::Ecb, Transform::EcbPad))),
        Mode::CFB => unpadded(parameters).and_then(|()| with(start.iv()?, Transform::Cfb)),
        Mode::OFB => unpadded(parameters).and_then(|()| with(start.iv()?, Transform::Ofb)),
        Mode::CTR => unpadded(parameters).and_then(|()| counter(start)),
        Mode::GCM => {
            let tag_len = tag(parameters, |length| matches!(length, 4 | 8 | 12..=16))?;
            let (iv, fresh_iv) = start.nonce(USUAL_NONCE)?;
            if !(1..=256).contains(&iv.len()) {
                return Err(bad("the nonce is too long, or empty"));
            }
            let transform = Transform::Gcm { iv, aad: start.additional.to_vec(), tag_len };
            Ok(Chosen { transform, fresh_iv, tag_length: tag_len })
        }
        Mode::CCM => {
            let tag_len = tag(parameters, |length| matches!(length, 4 | 6 | 8 | 10 | 12 | 14 | 16))?;
            let (nonce, fresh_iv) = start.nonce(USUAL_NONCE)?;
            if !(7..=13).contains(&nonce.len()) {
                return Err(bad("a nonce of CCM has 7 to 13 bytes"));
            }
            let aad = start.additional.to_vec();
            let transform = Transform::Ccm { nonce, aad, tag_len, data_len: None };
            Ok(Chosen { transform, fresh_iv, tag_length: tag_len })
        }
        Mode::NISTKeyWrap => Ok(plain(Transform::KeyWrap(KeyWrap::Kw))),
        Mode::AESKeyWrapPadding => Ok(plain(Transform::KeyWrap(KeyWrap::Kwp))),
        _ => Err(not_offered("the block cipher mode is not offered")),
    }
}

fn des3(start: &Start<'_>) -> Outcome<Chosen> {
    let parameters = start.parameters;
    if parameters.algorithm.is_some_and(|algorithm| algorithm != Algorithm::DES3) {
        return Err(bad("the algorithm is not that of the key"));
    }
    match parameters.mode.ok_or_else(|| bad("the block cipher mode is missing"))? {
        Mode::CBC => match padding(parameters)? {
            Some(padding) => with(start.iv()?, |iv| Transform::Des3CbcPad(iv, padding)),
            None => with(start.iv()?, Transform::Des3Cbc),
        },
        Mode::ECB => Ok(plain(padding(parameters)?.map_or(Transform::Des3Ecb, Transform::Des3EcbPad))),
        Mode::CFB => unpadded(parameters).and_then(|()| with(start.iv()?, Transform::Des3Cfb)),
        Mode::OFB => unpadded(parameters).and_then(|()| with(start.iv()?, Transform::Des3Ofb)),
        _ => Err(not_offered("the block cipher mode is not offered")),
    }
}

/// ChaCha20, or with Poly1305 where the key or the parameters say so.
fn chacha20(object: &Object, start: &Start<'_>) -> Outcome<Chosen> {
    let parameters = start.parameters;
    let own = object.number(SOFTHSM_RS_ALGORITHM).and_then(|number| u32::try_from(number).ok());
    let named = parameters.algorithm.or(own.and_then(Algorithm::from_number));
    match (named, parameters.mode) {
        (Some(Algorithm::ChaCha20Poly1305), None | Some(Mode::AEAD))
        | (Some(Algorithm::ChaCha20) | None, Some(Mode::AEAD)) => {
            let tag_len = tag(parameters, |length| matches!(length, 12..=16))?;
            let (nonce, fresh_iv) = start.iv::<12>()?;
            let transform = Transform::ChaCha20Poly1305 { nonce, aad: start.additional.to_vec(), tag_len };
            Ok(Chosen { transform, fresh_iv, tag_length: tag_len })
        }
        (Some(Algorithm::ChaCha20) | None, None) => {
            let (nonce, fresh_iv) = start.nonce(USUAL_NONCE)?;
            if !matches!(nonce.len(), 8 | 12) {
                return Err(bad("a nonce of ChaCha20 has 8 or 12 bytes"));
            }
            let counter = u64::from(parameters.initial_counter.unwrap_or_default());
            Ok(Chosen { transform: Transform::ChaCha20 { nonce, counter }, fresh_iv, tag_length: 0 })
        }
        _ => Err(not_offered("the key does not encrypt this way")),
    }
}

fn rsa(parameters: &Parameters<'_>) -> Outcome<Chosen> {
    match parameters.padding {
        Some(Padding::PKCS1V1_5) | None => Ok(plain(Transform::RsaV15)),
        Some(Padding::None) => Ok(plain(Transform::RsaX509)),
        Some(Padding::OAEP) => {
            let (hash, mgf) = oaep_hashes(parameters);
            Ok(plain(Transform::RsaOaep { hash, mgf, label: parameters.label.to_vec() }))
        }
        Some(_) => Err(not_offered("RSA does not encrypt with this padding")),
    }
}

/// The hash of OAEP's label, SHA-1 where none is named (RFC 8017, appendix A.2.1), and that of its mask,
/// which before 1.4 had no field of its own: the label's.
pub(super) fn oaep_hashes(parameters: &Parameters<'_>) -> (Hash, Hash) {
    let hash = parameters.hash.unwrap_or(Hash::Sha1);
    (hash, parameters.mask_hash.unwrap_or(hash))
}

/// CTR: the client's block, or a shorter IV with the counter behind it.
fn counter(start: &Start<'_>) -> Outcome<Chosen> {
    let parameters = start.parameters;
    let (iv, fresh_iv) = start.nonce(16 - COUNTER_BYTES)?;
    let behind = 16_usize.checked_sub(iv.len()).ok_or_else(|| bad("a counter block has 16 bytes"))?;
    let mut block = [0; 16];
    block.get_mut(..iv.len()).unwrap_or_default().copy_from_slice(&iv);
    let value = parameters.initial_counter.unwrap_or_default().to_be_bytes();
    let kept = behind.min(value.len());
    let value = value.get(value.len() - kept..).unwrap_or_default();
    block.get_mut(16 - kept..).unwrap_or_default().copy_from_slice(value);
    let width = if behind == 0 { 128 } else { behind * 8 };
    let counter_bits = match parameters.counter_bits {
        Some(bits @ 1..=128) => bits,
        Some(_) => return Err(bad("a counter has 1 to 128 bits")),
        None => width,
    };
    let counter_bits = u32::try_from(counter_bits).unwrap_or(128);
    Ok(Chosen { transform: Transform::Ctr { block, counter_bits }, fresh_iv, tag_length: 0 })
}

const fn plain(transform: Transform) -> Chosen {
    Chosen { transform, fresh_iv: None, tag_length: 0 }
}

fn with<const N: usize>(
    (iv, fresh_iv): ([u8; N], Option<Vec<u8>>),
    transform: impl FnOnce([u8; N]) -> Transform,
) -> Outcome<Chosen> {
    Ok(Chosen { transform: transform(iv), fresh_iv, tag_length: 0 })
}

/// How blocks are padded.
fn padding(parameters: &Parameters<'_>) -> Outcome<Option<Filling>> {
    match parameters.padding {
        None | Some(Padding::None) => Ok(None),
        Some(Padding::PKCS5) => Ok(Some(Filling::Pkcs7)),
        Some(Padding::Zeros) => Ok(Some(Filling::Zeros)),
        Some(Padding::ANSIX9_23) => Ok(Some(Filling::X923)),
        Some(Padding::ISO10126) => Ok(Some(Filling::Iso10126)),
        Some(_) => Err(not_offered("the padding is not offered")),
    }
}

fn unpadded(parameters: &Parameters<'_>) -> Outcome<()> {
    if padding(parameters)?.is_some() { Err(bad("the mode takes no padding")) } else { Ok(()) }
}

/// The tag's length. One that the mode does not have is a general failure: so OASIS's cases have it.
fn tag(parameters: &Parameters<'_>, fits: fn(usize) -> bool) -> Outcome<usize> {
    let length = parameters.tag_bytes.unwrap_or(USUAL_TAG);
    if fits(length) {
        return Ok(length);
    }
    Err(Failure::new(Reason::GeneralFailure, "the tag has no such length"))
}

impl Start<'_> {
    /// An IV of the length that the mode has, and whether it was made here.
    fn iv<const N: usize>(&self) -> Outcome<([u8; N], Option<Vec<u8>>)> {
        if let Some(iv) = self.iv {
            return Ok((iv.try_into().map_err(|_| bad("the IV has not the mode's length"))?, None));
        }
        self.may_make()?;
        let mut iv = [0; N];
        (self.random)(&mut iv)?;
        Ok((iv, Some(iv.to_vec())))
    }

    /// An IV of any length.
    fn nonce(&self, usual: usize) -> Outcome<(Vec<u8>, Option<Vec<u8>>)> {
        if let Some(iv) = self.iv {
            return Ok((iv.to_vec(), None));
        }
        self.may_make()?;
        let parameters = self.parameters;
        let of_fields = match (parameters.fixed_bits, parameters.invocation_bits) {
            (None, None) => None,
            (fixed, invocation) => {
                Some(fixed.unwrap_or_default().saturating_add(invocation.unwrap_or_default()))
            }
        };
        let bits = parameters.iv_bits.or(of_fields).unwrap_or(usual * 8);
        if !bits.is_multiple_of(8) || !(1..=LONGEST_IV).contains(&(bits / 8)) {
            return Err(bad("an IV of this length is not made"));
        }
        let mut iv = vec![0; bits / 8];
        (self.random)(&mut iv)?;
        Ok((iv.clone(), Some(iv)))
    }

    fn may_make(&self) -> Outcome<()> {
        if self.direction == Direction::Encrypt && self.parameters.random_iv {
            return Ok(());
        }
        // 2.1 has a reason of its own for it; its profile's cases (CS-BC-M-11-21) expect this one.
        Err(Failure::new(Reason::InvalidMessage, "the IV/Counter/Nonce is missing"))
    }
}
