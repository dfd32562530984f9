//! Transforms: ciphers with their parameters, by whatever name a door calls them, and the whole transform
//! of one message. Data in parts is [`super::Ciphering`]'s.

use cryptoki_sys::*;
use zeroize::Zeroizing;

use super::exactly::Exactly;
use crate::crypto::{
    self, AesMode, BlowfishMode, Cipher, Des3Mode, Direction, Hash, KeyWrap, Oaep, Padding, Poly1305,
};
use crate::error::{Error, Result};
use crate::object::material::Key;
use crate::rng;

/// How data is encrypted, or a key wrapped.
#[derive(Debug)]
pub enum Transform {
    /// AES-ECB.
    Ecb,
    /// AES-CBC.
    Cbc([u8; 16]),
    /// AES-CBC with padding.
    CbcPad([u8; 16], Padding),
    /// AES-CTR.
    Ctr {
        /// The first counter block.
        block: [u8; 16],
        /// Width of the counter in bits, 1 to 128.
        counter_bits: u32,
    },
    /// AES-GCM.
    Gcm {
        /// The nonce.
        iv: Vec<u8>,
        /// Additional authenticated data.
        aad: Vec<u8>,
        /// Length of the tag in bytes.
        tag_len: usize,
    },
    /// AES-ECB with padding.
    EcbPad(Padding),
    /// AES-CFB of whole blocks.
    Cfb([u8; 16]),
    /// AES-CFB of single bytes.
    Cfb8([u8; 16]),
    /// AES-CFB of single bits, in whole bytes.
    Cfb1([u8; 16]),
    /// AES-OFB.
    Ofb([u8; 16]),
    /// AES-CBC with ciphertext stealing (CS1).
    Cts([u8; 16]),
    /// AES-XTS over one data unit, with its tweak; the key is two AES keys.
    Xts([u8; 16]),
    /// AES-CCM.
    Ccm {
        /// The nonce, 7 to 13 bytes.
        nonce: Vec<u8>,
        /// Additional authenticated data.
        aad: Vec<u8>,
        /// Length of the tag in bytes.
        tag_len: usize,
        /// Length of the plaintext in bytes, where it was said before.
        data_len: Option<u64>,
    },
    /// Triple DES in ECB.
    Des3Ecb,
    /// Triple DES in ECB with padding.
    Des3EcbPad(Padding),
    /// Triple DES in CBC.
    Des3Cbc([u8; 8]),
    /// Triple DES in CBC with padding.
    Des3CbcPad([u8; 8], Padding),
    /// Triple DES in CFB of whole blocks.
    Des3Cfb([u8; 8]),
    /// Triple DES in OFB.
    Des3Ofb([u8; 8]),
    /// Blowfish in ECB.
    BlowfishEcb,
    /// Blowfish in ECB with padding.
    BlowfishEcbPad(Padding),
    /// Blowfish in CBC.
    BlowfishCbc([u8; 8]),
    /// Blowfish in CBC with padding.
    BlowfishCbcPad([u8; 8], Padding),
    /// ChaCha20.
    ChaCha20 {
        /// The nonce: 12 bytes (RFC 8439), or 8 (the original).
        nonce: Vec<u8>,
        /// The first block.
        counter: u64,
    },
    /// ChaCha20-Poly1305.
    ChaCha20Poly1305 {
        /// The nonce.
        nonce: [u8; 12],
        /// Additional authenticated data.
        aad: Vec<u8>,
        /// Length of the tag in bytes, 12 to 16.
        tag_len: usize,
    },
    /// RSAES-PKCS1-v1_5.
    RsaV15,
    /// The raw RSA operation.
    RsaX509,
    /// RSAES-OAEP.
    RsaOaep {
        /// Hash of the label.
        hash: Hash,
        /// Hash inside MGF1.
        mgf: Hash,
        /// The label.
        label: Vec<u8>,
    },
    /// AES key wrap.
    KeyWrap(KeyWrap),
    /// RSA-AES key wrap.
    RsaAesKeyWrap {
        /// Length of the temporary AES key in bytes; `None`, for unwrapping alone, is whichever it has.
        aes_len: Option<usize>,
        /// Hash of the label.
        hash: Hash,
        /// Hash inside MGF1.
        mgf: Hash,
        /// The label.
        label: Vec<u8>,
    },
}

/// How long the result of a whole message is.
#[derive(Clone, Copy)]
pub(super) enum Bounds {
    /// As long as the message.
    Same,
    /// Whole blocks, of so many bytes, with this padding.
    Padded(Padding, usize),
    /// The message and a tag.
    Tagged(usize),
    /// Up to as long as the message; known when it is deciphered.
    Unknown,
}

impl Transform {
    /// The key types that it takes.
    pub(crate) fn key_types(&self) -> &'static [u64] {
        match self {
            Transform::Ecb
            | Transform::EcbPad(_)
            | Transform::Cbc(_)
            | Transform::CbcPad(..)
            | Transform::Cfb(_)
            | Transform::Cfb8(_)
            | Transform::Cfb1(_)
            | Transform::Ofb(_)
            | Transform::Cts(_)
            | Transform::Ctr { .. }
            | Transform::Gcm { .. }
            | Transform::Ccm { .. }
            | Transform::KeyWrap(_) => &[CKK_AES],
            Transform::Xts(_) => &[CKK_AES, CKK_AES_XTS, CKK_GENERIC_SECRET],
            Transform::Des3Ecb
            | Transform::Des3EcbPad(_)
            | Transform::Des3Cbc(_)
            | Transform::Des3CbcPad(..)
            | Transform::Des3Cfb(_)
            | Transform::Des3Ofb(_) => &[CKK_DES2, CKK_DES3],
            Transform::BlowfishEcb
            | Transform::BlowfishEcbPad(_)
            | Transform::BlowfishCbc(_)
            | Transform::BlowfishCbcPad(..) => &[CKK_GENERIC_SECRET],
            Transform::ChaCha20 { .. } | Transform::ChaCha20Poly1305 { .. } => &[CKK_CHACHA20],
            Transform::RsaV15
            | Transform::RsaX509
            | Transform::RsaOaep { .. }
            | Transform::RsaAesKeyWrap { .. } => &[CKK_RSA],
        }
    }

    /// The AES mode, for the transforms that are one.
    fn aes_mode(&self) -> Option<AesMode<'_>> {
        Some(match self {
            Transform::Ecb => AesMode::Ecb,
            Transform::EcbPad(padding) => AesMode::EcbPad(*padding),
            Transform::Cbc(iv) => AesMode::Cbc { iv },
            Transform::CbcPad(iv, padding) => AesMode::CbcPad { iv, padding: *padding },
            Transform::Cfb(iv) => AesMode::Cfb { iv },
            Transform::Cfb8(iv) => AesMode::Cfb8 { iv },
            Transform::Cfb1(iv) => AesMode::Cfb1 { iv },
            Transform::Ofb(iv) => AesMode::Ofb { iv },
            Transform::Cts(iv) => AesMode::Cts { iv },
            Transform::Xts(tweak) => AesMode::Xts { tweak },
            Transform::Ctr { block, counter_bits } => AesMode::Ctr { block, counter_bits: *counter_bits },
            Transform::Gcm { iv, aad, tag_len } => AesMode::Gcm { iv, aad, tag_len: *tag_len },
            Transform::Ccm { nonce, aad, tag_len, .. } => AesMode::Ccm { nonce, aad, tag_len: *tag_len },
            _ => return None,
        })
    }

    /// The mode of Triple DES, for the transforms that are one.
    fn des3_mode(&self) -> Option<Des3Mode<'_>> {
        Some(match self {
            Transform::Des3Ecb => Des3Mode::Ecb,
            Transform::Des3EcbPad(padding) => Des3Mode::EcbPad(*padding),
            Transform::Des3Cbc(iv) => Des3Mode::Cbc { iv },
            Transform::Des3CbcPad(iv, padding) => Des3Mode::CbcPad { iv, padding: *padding },
            Transform::Des3Cfb(iv) => Des3Mode::Cfb { iv },
            Transform::Des3Ofb(iv) => Des3Mode::Ofb { iv },
            _ => return None,
        })
    }

    /// The mode of Blowfish, for the transforms that are one.
    fn blowfish_mode(&self) -> Option<BlowfishMode<'_>> {
        Some(match self {
            Transform::BlowfishEcb => BlowfishMode::Ecb,
            Transform::BlowfishEcbPad(padding) => BlowfishMode::EcbPad(*padding),
            Transform::BlowfishCbc(iv) => BlowfishMode::Cbc { iv },
            Transform::BlowfishCbcPad(iv, padding) => BlowfishMode::CbcPad { iv, padding: *padding },
            _ => return None,
        })
    }

    /// The cipher under a secret key, for the transforms that are one.
    pub(super) fn cipher(&self, direction: Direction, key: &[u8]) -> Option<Result<Box<dyn Cipher>>> {
        if let Some(mode) = self.aes_mode() {
            return Some(crypto::aes(mode, direction, key).map(|cipher| self.bounded(cipher, direction)));
        }
        if let Some(mode) = self.des3_mode() {
            return Some(crypto::des3(mode, direction, key));
        }
        if let Some(mode) = self.blowfish_mode() {
            return Some(crypto::blowfish(mode, direction, key));
        }
        match self {
            Transform::ChaCha20 { nonce, counter } => Some(crypto::chacha20(nonce, *counter, key)),
            Transform::ChaCha20Poly1305 { nonce, aad, tag_len } => {
                let parameters = Poly1305 { nonce, aad, tag_len: *tag_len };
                Some(crypto::chacha20_poly1305(parameters, direction, key))
            }
            _ => None,
        }
    }

    /// The cipher, which keeps to the length that was said before, if one was.
    fn bounded(&self, cipher: Box<dyn Cipher>, direction: Direction) -> Box<dyn Cipher> {
        match (self, direction) {
            (Transform::Ccm { data_len: Some(length), .. }, Direction::Encrypt) => {
                Box::new(Exactly::new(cipher, direction, *length))
            }
            (Transform::Ccm { data_len: Some(length), tag_len, .. }, Direction::Decrypt) => {
                Box::new(Exactly::new(cipher, direction, length.saturating_add(*tag_len as u64)))
            }
            _ => cipher,
        }
    }

    /// How long the result of a whole message is.
    pub(super) fn bounds(&self, direction: Direction) -> Bounds {
        let encrypting = match self {
            Transform::EcbPad(padding) | Transform::CbcPad(_, padding) => Bounds::Padded(*padding, 16),
            Transform::Des3EcbPad(padding)
            | Transform::Des3CbcPad(_, padding)
            | Transform::BlowfishEcbPad(padding)
            | Transform::BlowfishCbcPad(_, padding) => Bounds::Padded(*padding, 8),
            Transform::Gcm { tag_len, .. }
            | Transform::Ccm { tag_len, .. }
            | Transform::ChaCha20Poly1305 { tag_len, .. } => Bounds::Tagged(*tag_len),
            _ => return Bounds::Same,
        };
        match direction {
            Direction::Encrypt => encrypting,
            Direction::Decrypt => Bounds::Unknown,
        }
    }

    /// The whole transform of one message.
    pub(super) fn apply(&self, direction: Direction, key: &Key, input: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        if let Some(cipher) = self.cipher(direction, key.secret_value()) {
            let mut cipher = cipher?;
            let mut out = Zeroizing::new(vec![0; one_shot_len(cipher.as_ref(), input.len())]);
            let length = one_shot(cipher.as_mut(), input, &mut out)?;
            out.truncate(length);
            return Ok(out);
        }
        let out = match (self, direction) {
            (Transform::RsaV15, Direction::Encrypt) => key.rsa_public()?.encrypt_v15(input)?,
            (Transform::RsaX509, Direction::Encrypt) => {
                let rsa = key.rsa_public()?;
                let zeros = rsa.len().checked_sub(input.len()).ok_or(Error::DataLength)?;
                let mut number = Zeroizing::new(vec![0; zeros]);
                number.extend_from_slice(input);
                rsa.raw(&number)?
            }
            (Transform::RsaOaep { hash, mgf, label }, Direction::Encrypt) => {
                key.rsa_public()?.encrypt_oaep(&Oaep { hash: *hash, mgf: *mgf, label }, input)?
            }
            (Transform::RsaV15 | Transform::RsaX509 | Transform::RsaOaep { .. }, Direction::Decrypt)
                if input.len() != key.rsa_private()?.len() =>
            {
                return Err(Error::EncryptedDataLength);
            }
            (Transform::RsaV15, Direction::Decrypt) => {
                key.rsa_private()?.decrypt_v15(input)?.expose().to_vec()
            }
            (Transform::RsaX509, Direction::Decrypt) => {
                key.rsa_private()?.raw(input).map_err(|_| Error::EncryptedDataInvalid)?.expose().to_vec()
            }
            (Transform::RsaOaep { hash, mgf, label }, Direction::Decrypt) => key
                .rsa_private()?
                .decrypt_oaep(&Oaep { hash: *hash, mgf: *mgf, label }, input)?
                .expose()
                .to_vec(),
            (Transform::KeyWrap(mode), Direction::Encrypt) => crypto::wrap(*mode, key.secret_value(), input)?,
            (Transform::KeyWrap(mode), Direction::Decrypt) => {
                crypto::unwrap(*mode, key.secret_value(), input)?.expose().to_vec()
            }
            (Transform::RsaAesKeyWrap { aes_len, hash, mgf, label }, direction) => {
                let oaep = Oaep { hash: *hash, mgf: *mgf, label };
                rsa_aes(direction, key, (&oaep, *aes_len), input)?
            }
            _ => return Err(Error::MechanismInvalid),
        };
        Ok(Zeroizing::new(out))
    }

    /// Encrypts one message, for wrapping.
    pub(crate) fn encrypt(&self, key: &Key, input: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        self.apply(Direction::Encrypt, key, input)
    }

    /// Decrypts one message, for unwrapping.
    pub(crate) fn decrypt(&self, key: &Key, input: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        self.apply(Direction::Decrypt, key, input)
    }
}

/// RSA-AES key wrap of one message, under a temporary key of so many bytes.
fn rsa_aes(
    direction: Direction,
    key: &Key,
    (oaep, aes_len): (&Oaep<'_>, Option<usize>),
    input: &[u8],
) -> Result<Vec<u8>> {
    match direction {
        Direction::Encrypt => {
            let temporary = rng::secret(aes_len.ok_or(Error::MechanismParamInvalid)?)?;
            crypto::wrap_rsa_aes(key.rsa_public()?, oaep, &temporary, input)
        }
        Direction::Decrypt => {
            let key = key.rsa_private()?;
            if input.len() <= key.len() {
                return Err(Error::EncryptedDataLength);
            }
            let opened = crypto::open_rsa_aes(key, oaep, aes_len, input)?;
            Ok(opened.content.ok_or(Error::EncryptedDataInvalid)?.expose().to_vec())
        }
    }
}

/// An upper bound of what a cipher makes of a whole message; exact when encrypting.
pub(super) fn one_shot_len(cipher: &dyn Cipher, input: usize) -> usize {
    // `finish_len` is that of the bytes buffered so far, which are none: a block or a tag more covers
    // what `update_len` leaves out.
    cipher.update_len(input).saturating_add(32).max(input.saturating_add(32))
}

pub(super) fn one_shot(cipher: &mut dyn Cipher, input: &[u8], out: &mut [u8]) -> Result<usize> {
    let written = cipher.update(input, out)?;
    let rest = out.get_mut(written..).unwrap_or_default();
    Ok(written + cipher.finish(rest)?)
}
