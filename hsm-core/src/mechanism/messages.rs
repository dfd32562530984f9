//! Many messages under one key, each with parameters of its own: authenticated encryption (PKCS #11 3.2,
//! sections 5.9 and 5.11), signatures and MACs (sections 5.14 and 5.16).

use std::sync::Arc;

use zeroize::Zeroizing;

use super::nonces::{KeyMark, NonceRequest};
use super::params::Parameter;
use super::put;
use super::table::Row;
use super::transform::Transform;
use super::{Signing, Verifying};
use crate::crypto::{Cipher, Direction};
use crate::error::{Error, Result};
use crate::object::material::Key;

/// The ciphers that encrypt messages, by the form of a message's parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Aead {
    /// CK_GCM_MESSAGE_PARAMS.
    Gcm,
    /// CK_CCM_MESSAGE_PARAMS.
    Ccm,
    /// CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS.
    ChaCha20Poly1305,
}

/// The parameter of one message.
#[derive(Debug)]
pub struct MessageParameter {
    /// The form that it has.
    pub aead: Aead,
    /// What it says of the nonce.
    pub nonce: NonceRequest,
    /// Length of the tag in bits.
    pub tag_bits: u64,
    /// What it says of the tag.
    pub tag: Tag,
    /// Length of the message in bytes, where the cipher must know it first (CCM).
    pub data_len: Option<u64>,
}

/// A tag beside its message.
#[derive(Debug)]
pub enum Tag {
    /// There is no place for it.
    Absent,
    /// It goes there.
    Wanted,
    /// It stands behind what is encrypted (C_WrapKey).
    Appended,
    /// It is this.
    Given(Vec<u8>),
}

impl Aead {
    /// The cipher of one message.
    ///
    /// # Errors
    /// [`Error::MechanismParamInvalid`] for lengths that it does not have (NIST SP 800-38C and 38D, RFC 8439).
    pub(crate) fn transform(self, nonce: Vec<u8>, aad: Vec<u8>, tag_len: usize) -> Result<Transform> {
        match self {
            Aead::Gcm => Ok(Transform::Gcm { iv: nonce, aad, tag_len }),
            Aead::Ccm => Ok(Transform::Ccm { nonce, aad, tag_len, data_len: None }),
            Aead::ChaCha20Poly1305 => {
                let nonce = nonce.as_slice().try_into().map_err(|_| Error::MechanismParamInvalid)?;
                Ok(Transform::ChaCha20Poly1305 { nonce, aad, tag_len })
            }
        }
    }
}

impl MessageParameter {
    /// Checks lengths, and that it is for this cipher. The length of the tag in bytes.
    pub(crate) fn check(&self, aead: Aead) -> Result<usize> {
        let nonce_fits = match aead {
            Aead::Gcm => !self.nonce.nonce.is_empty(),
            Aead::Ccm => (7..=13).contains(&self.nonce.nonce.len()),
            Aead::ChaCha20Poly1305 => self.nonce.nonce.len() == 12,
        };
        let tag_fits = match aead {
            Aead::Gcm => matches!(self.tag_bits, 32 | 64 | 96 | 104 | 112 | 120 | 128),
            Aead::Ccm => matches!(self.tag_bits, 32 | 48 | 64 | 80 | 96 | 112 | 128),
            Aead::ChaCha20Poly1305 => self.tag_bits == 128,
        };
        if self.aead != aead || !nonce_fits || !tag_fits {
            return Err(Error::MechanismParamInvalid);
        }
        usize::try_from(self.tag_bits / 8).map_err(|_| Error::MechanismParamInvalid)
    }

    /// The tag that came with a message.
    pub(crate) fn given_tag(&self, tag_len: usize) -> Result<&[u8]> {
        match &self.tag {
            Tag::Given(tag) if tag.len() == tag_len => Ok(tag),
            _ => Err(Error::MechanismParamInvalid),
        }
    }
}

/// What a step of an encryption gives beside its output.
#[derive(Debug, Default)]
pub struct Sealed {
    /// Length of the output in bytes.
    pub length: usize,
    /// The message's nonce, once it is known.
    pub nonce: Option<Vec<u8>>,
    /// The message's tag, at its end.
    pub tag: Option<Vec<u8>>,
}

/// Encryption or decryption of many messages.
pub struct MessageCiphering {
    aead: Aead,
    direction: Direction,
    key: Arc<Key>,
    mark: KeyMark,
    message: Option<Message>,
}

/// A message that comes in parts.
struct Message {
    cipher: Box<dyn Cipher>,
    nonce_len: usize,
    tag_len: usize,
    data_len: Option<u64>,
    seen: u64,
}

impl MessageCiphering {
    /// Begins with a key that has been found fit.
    pub fn new(row: &Row, direction: Direction, key: Arc<Key>) -> Result<MessageCiphering> {
        MessageCiphering::by(row.aead.ok_or(Error::MechanismInvalid)?, direction, key)
    }

    fn by(aead: Aead, direction: Direction, key: Arc<Key>) -> Result<MessageCiphering> {
        Ok(MessageCiphering { aead, direction, mark: KeyMark::of(&key)?, key, message: None })
    }

    /// Its cipher.
    pub fn aead(&self) -> Aead {
        self.aead
    }

    /// Which key it has.
    pub fn mark(&self) -> KeyMark {
        self.mark
    }

    /// Whether a message has begun and not ended.
    pub fn is_under_way(&self) -> bool {
        self.message.is_some()
    }

    /// Ends the message that is under way.
    pub fn end(&mut self) {
        self.message = None;
    }

    /// Begins a message, with the nonce that it has.
    pub fn begin(&mut self, parameter: &MessageParameter, nonce: Vec<u8>, aad: &[u8]) -> Result<()> {
        let tag_len = parameter.check(self.aead)?;
        let nonce_len = nonce.len();
        let transform = self.aead.transform(nonce, aad.to_vec(), tag_len)?;
        let cipher = transform.cipher(self.direction, self.key.secret_value());
        let cipher = cipher.ok_or(Error::MechanismInvalid)??;
        self.message = Some(Message { cipher, nonce_len, tag_len, data_len: parameter.data_len, seen: 0 });
        Ok(())
    }

    /// How many bytes the next part gives, exactly.
    pub fn next_len(&self, input: usize, last: bool) -> Result<usize> {
        let message = self.message.as_ref().ok_or(Error::OperationNotInitialised)?;
        Ok(match (self.direction, last) {
            (_, false) => message.cipher.update_len(input),
            (Direction::Encrypt, true) => message.cipher.once_len(input).saturating_sub(message.tag_len),
            (Direction::Decrypt, true) => message.cipher.once_len(input.saturating_add(message.tag_len)),
        })
    }

    /// Takes the next part, and after the last one ends the message. Writes [`MessageCiphering::next_len`] bytes.
    /// What is decrypted comes out at the end, after its tag was found right.
    ///
    /// # Errors
    /// [`Error::AeadFailed`], [`Error::DataLength`], [`Error::EncryptedDataLength`],
    /// [`Error::MechanismParamInvalid`].
    pub fn next(
        &mut self,
        parameter: &MessageParameter,
        input: &[u8],
        out: &mut [u8],
        last: bool,
    ) -> Result<(usize, Option<Vec<u8>>)> {
        let aead = self.aead;
        let message = self.message.as_mut().ok_or(Error::OperationNotInitialised)?;
        // The parameter of the message's beginning comes again.
        let tag_len = parameter.check(aead)?;
        if tag_len != message.tag_len || parameter.nonce.nonce.len() != message.nonce_len {
            return Err(Error::MechanismParamInvalid);
        }
        message.seen = message.seen.saturating_add(input.len() as u64);
        if last && message.data_len.is_some_and(|length| length != message.seen) {
            return Err(match self.direction {
                Direction::Encrypt => Error::DataLength,
                Direction::Decrypt => Error::EncryptedDataLength,
            });
        }
        let done = match (self.direction, last) {
            (_, false) => return message.cipher.update(input, out).map(|length| (length, None)),
            (Direction::Encrypt, true) => message.seal(parameter, input, out),
            (Direction::Decrypt, true) => message.open(parameter, input, out),
        };
        self.message = None;
        done
    }
}

impl Message {
    fn seal(
        &mut self,
        parameter: &MessageParameter,
        input: &[u8],
        out: &mut [u8],
    ) -> Result<(usize, Option<Vec<u8>>)> {
        if !matches!(parameter.tag, Tag::Wanted) {
            return Err(Error::MechanismParamInvalid);
        }
        let written = self.cipher.update(input, out)?;
        let mut rest = Zeroizing::new(vec![0; self.cipher.finish_len()]);
        let length = self.cipher.finish(&mut rest)?;
        let rest = rest.get(..length).unwrap_or_default();
        let (rest, tag) = length
            .checked_sub(self.tag_len)
            .and_then(|at| rest.split_at_checked(at))
            .ok_or(Error::CryptoFailed("a message without its tag"))?;
        let more = put(out.get_mut(written..).unwrap_or_default(), rest)?;
        Ok((written + more, Some(tag.to_vec())))
    }

    fn open(
        &mut self,
        parameter: &MessageParameter,
        input: &[u8],
        out: &mut [u8],
    ) -> Result<(usize, Option<Vec<u8>>)> {
        let tag = parameter.given_tag(self.tag_len)?;
        let written = self.cipher.update(input, out)?;
        let rest = out.get_mut(written..).unwrap_or_default();
        let length = self.cipher.once(tag, rest).map_err(|error| match error {
            Error::EncryptedDataInvalid => Error::AeadFailed,
            other => other,
        })?;
        Ok((written + length, None))
    }
}

/// Signatures or MACs of many messages.
pub struct MessageSigning {
    row: &'static Row,
    parameter: Parameter,
    key: Arc<Key>,
    /// The message that comes in parts.
    pub(crate) message: Option<Signing>,
}

impl MessageSigning {
    /// Begins with a key that has been found fit.
    pub fn new(row: &'static Row, parameter: Parameter, key: Arc<Key>) -> Result<MessageSigning> {
        if !row.signs_messages() {
            return Err(Error::MechanismInvalid);
        }
        Signing::new(row, &parameter, key.clone())?;
        Ok(MessageSigning { row, parameter, key, message: None })
    }

    /// The next message's signature.
    pub fn fresh(&self) -> Result<Signing> {
        Signing::new(self.row, &self.parameter, self.key.clone())
    }

    /// Begins a message in parts; [`Error::NotSupported`] where the mechanism takes it whole.
    pub fn begin(&mut self) -> Result<()> {
        let signing = self.fresh()?;
        if !signing.takes_parts() {
            return Err(Error::NotSupported);
        }
        self.message = Some(signing);
        Ok(())
    }
}

/// Verification of many messages.
pub struct MessageVerifying {
    row: &'static Row,
    parameter: Parameter,
    key: Arc<Key>,
    /// The message that comes in parts.
    pub(crate) message: Option<Verifying>,
}

impl MessageVerifying {
    /// Begins with a key that has been found fit.
    pub fn new(row: &'static Row, parameter: Parameter, key: Arc<Key>) -> Result<MessageVerifying> {
        if !row.signs_messages() {
            return Err(Error::MechanismInvalid);
        }
        Verifying::new(row, &parameter, key.clone())?;
        Ok(MessageVerifying { row, parameter, key, message: None })
    }

    /// The next message's verification.
    pub fn fresh(&self) -> Result<Verifying> {
        Verifying::new(self.row, &self.parameter, self.key.clone())
    }

    /// As [`MessageSigning::begin`].
    pub fn begin(&mut self) -> Result<()> {
        let verifying = self.fresh()?;
        if !verifying.takes_parts() {
            return Err(Error::NotSupported);
        }
        self.message = Some(verifying);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
