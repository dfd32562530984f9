//! Signatures and MACs: from a row and a parameter to a scheme, and running it over a message in one
//! or several parts.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::context::Context;
use super::kdf::tls_function;
use super::otp::Hotp;
use super::params::{BARE, Parameter, PasswordForm, hash_of_mechanism, hash_of_mgf};
use super::put;
use super::scheme::{Nonce, Scheme};
use super::table::Row;
use crate::crypto::{Digest, Mac, Pss};
use crate::error::{Error, Result};
use crate::object::material::Key;
use crate::secret::Secret;

/// CKM_RSA_PKCS and CKM_…_RSA_PKCS.
pub(super) fn v15(row: &Row, _: &Parameter) -> Result<Scheme> {
    Ok(Scheme::V15(row.hash))
}

/// CKM_RSA_X_509.
pub(super) fn x509(_: &Row, _: &Parameter) -> Result<Scheme> {
    Ok(Scheme::X509)
}

/// CKM_RSA_PKCS_PSS and CKM_…_RSA_PKCS_PSS, whose parameter must name the same hash.
pub(super) fn pss(row: &Row, parameter: &Parameter) -> Result<Scheme> {
    let Parameter::Pss { hash, mgf, salt_len } = parameter else { return Err(Error::MechanismParamInvalid) };
    let hash = hash_of_mechanism(*hash)?;
    if row.hash.is_some_and(|own| own != hash) {
        return Err(Error::MechanismParamInvalid);
    }
    let salt_len = usize::try_from(*salt_len).map_err(|_| Error::MechanismParamInvalid)?;
    Ok(Scheme::Pss(Pss { hash, mgf: hash_of_mgf(*mgf)?, salt_len }, row.hash))
}

/// CKM_ECDSA and CKM_ECDSA_….
pub(super) fn ecdsa(row: &Row, _: &Parameter) -> Result<Scheme> {
    Ok(Scheme::Ecdsa(row.hash))
}

/// CKM_DSA and CKM_DSA_….
pub(super) fn dsa(row: &Row, _: &Parameter) -> Result<Scheme> {
    Ok(Scheme::Dsa(row.hash))
}

/// CKM_EDDSA: Ed25519 and Ed448, without parameter, or with one that asks for no more than that; Ed25519ctx, and
/// Ed448 with a context; Ed25519ph and Ed448ph, with any context. An empty context is none: Ed25519ctx should not
/// have one (RFC 8032, section 8.3), and modules that know no parameter sign by Ed25519.
pub(super) fn eddsa(_: &Row, parameter: &Parameter) -> Result<Scheme> {
    match parameter {
        Parameter::None => Ok(Scheme::Eddsa),
        Parameter::Eddsa { prehash: false, context } if context.is_empty() => Ok(Scheme::Eddsa),
        Parameter::Eddsa { prehash: false, context } => Ok(Scheme::EddsaContext(Context::new(context)?)),
        Parameter::Eddsa { prehash: true, context } => Ok(Scheme::EddsaPrehashed(Context::new(context)?)),
        _ => Err(Error::MechanismParamInvalid),
    }
}

/// CKM_…_HMAC and CKM_…_HMAC_GENERAL.
pub(super) fn hmac(row: &Row, parameter: &Parameter) -> Result<Scheme> {
    let hash = row.hash.ok_or(Error::MechanismInvalid)?;
    Ok(Scheme::Hmac(hash, mac_length(parameter, hash.len())?))
}

/// CKM_AES_CMAC and CKM_AES_CMAC_GENERAL.
pub(super) fn cmac(_: &Row, parameter: &Parameter) -> Result<Scheme> {
    Ok(Scheme::Cmac(mac_length(parameter, 16)?))
}

/// CKM_DES3_CMAC and CKM_DES3_CMAC_GENERAL.
pub(super) fn des3_cmac(_: &Row, parameter: &Parameter) -> Result<Scheme> {
    Ok(Scheme::Des3Cmac(mac_length(parameter, 8)?))
}

/// CKM_AES_MAC, which is half a block long, and CKM_AES_MAC_GENERAL.
pub(super) fn aes_mac(_: &Row, parameter: &Parameter) -> Result<Scheme> {
    Ok(Scheme::CbcMac(half_of_block(parameter, 16)?))
}

/// The same of DES and Triple DES.
pub(super) fn des_mac(_: &Row, parameter: &Parameter) -> Result<Scheme> {
    Ok(Scheme::Des3CbcMac(half_of_block(parameter, 8)?))
}

fn half_of_block(parameter: &Parameter, block: usize) -> Result<usize> {
    match parameter {
        Parameter::Number(_) => mac_length(parameter, block),
        _ => Ok(block / 2),
    }
}

/// CKM_AES_GMAC: the nonce and the tag's length of a parameter of GCM; its additional data are the message.
pub(super) fn gmac(_: &Row, parameter: &Parameter) -> Result<Scheme> {
    let Parameter::Gcm { iv, aad, tag_bits } = parameter else { return Err(Error::MechanismParamInvalid) };
    let tag_len = match tag_bits {
        32 | 64 | 96 | 104 | 112 | 120 | 128 => *tag_bits as usize / 8,
        _ => return Err(Error::MechanismParamInvalid),
    };
    if !aad.is_empty() {
        return Err(Error::MechanismParamInvalid);
    }
    Ok(Scheme::Gmac(Nonce::new(iv)?, tag_len))
}

/// CKM_TLS_MAC and CKM_TLS12_MAC: at least 12 bytes, and no more than a digest has.
pub(super) fn tls_mac(_: &Row, parameter: &Parameter) -> Result<Scheme> {
    let Parameter::TlsMac { prf, length: length @ 12..=64, side: side @ (1 | 2) } = parameter else {
        return Err(Error::MechanismParamInvalid);
    };
    Ok(Scheme::TlsFinished { prf: tls_function(*prf)?, server: *side == 1, length: *length as usize })
}

/// CKM_POLY1305.
pub(super) fn poly1305(_: &Row, _: &Parameter) -> Result<Scheme> {
    Ok(Scheme::Poly1305)
}

/// CK_MAC_GENERAL_PARAMS: a length in bytes, from 1 to the full one.
fn mac_length(parameter: &Parameter, full: usize) -> Result<usize> {
    match parameter {
        Parameter::Number(length) => usize::try_from(*length)
            .ok()
            .filter(|length| (1..=full).contains(length))
            .ok_or(Error::MechanismParamInvalid),
        _ => Ok(full),
    }
}

/// Appends to a buffer whose outgrown memory is wiped, which a vector's own growth leaves as it was.
fn append(message: &mut Zeroizing<Vec<u8>>, data: &[u8]) {
    if message.capacity() - message.len() < data.len() {
        let mut larger = Zeroizing::new(Vec::with_capacity(2 * (message.len() + data.len())));
        larger.extend_from_slice(message);
        *message = larger;
    }
    message.extend_from_slice(data);
}

/// What a message is collected in.
pub(super) enum Input {
    /// A digest, of so many bytes.
    Hashed(Box<dyn Digest>, usize),
    Mac(Box<dyn Mac>),
    /// The message itself, whole.
    Whole(Zeroizing<Vec<u8>>),
    /// There is no message.
    Nothing,
}

/// The longest message that is collected whole, in bytes.
const WHOLE_LIMIT: usize = 64 << 20;

impl Input {
    fn update(&mut self, data: &[u8]) -> Result<()> {
        match self {
            Input::Hashed(digest, _) => digest.update(data),
            Input::Mac(mac) => mac.update(data),
            Input::Whole(message) => {
                if data.len() > WHOLE_LIMIT.saturating_sub(message.len()) {
                    return Err(Error::DataLength);
                }
                append(message, data);
                Ok(())
            }
            Input::Nothing if data.is_empty() => Ok(()),
            Input::Nothing => Err(Error::DataInvalid),
        }
    }
}

/// The end of a MAC: its full tag, of which the caller wants the first bytes.
fn full_tag(mac: &mut dyn Mac) -> Result<Secret> {
    let mut tag = Secret::zeroed(mac.len());
    mac.finish(tag.expose_mut())?;
    Ok(tag)
}

/// A running signature.
pub struct Signing {
    scheme: Scheme,
    input: Input,
    key: Arc<Key>,
    /// How a one-time password is given out.
    form: &'static PasswordForm,
    /// Whether part of the message came in already.
    pub begun: bool,
}

impl Signing {
    /// Begins to sign with a key that has been found fit.
    pub fn new(row: &Row, parameter: &Parameter, key: Arc<Key>) -> Result<Signing> {
        let signing = Signing::by(row.signature.ok_or(Error::MechanismInvalid)?(row, parameter)?, key)?;
        match parameter {
            Parameter::Otp { form, .. } => Ok(Signing { form, ..signing }),
            _ => Ok(signing),
        }
    }

    /// Begins by any scheme, for doors that name schemes in other ways than by mechanism.
    pub fn by(scheme: Scheme, key: Arc<Key>) -> Result<Signing> {
        scheme.check(&key)?;
        Ok(Signing { scheme, input: scheme.input(&key)?, key, form: &BARE, begun: false })
    }

    /// Whether the message may come in parts.
    pub(crate) fn takes_parts(&self) -> bool {
        self.scheme.takes_parts()
    }

    /// The one-time password that is made, if it is one: a counter belongs to it, and `service` ends it.
    pub(crate) fn hotp(&self) -> Option<Hotp> {
        self.scheme.hotp()
    }

    /// Length of the signature in bytes, of a one-time password in the door's form.
    pub fn signature_len(&self) -> usize {
        let length = self.scheme.signature_len(&self.key);
        if self.hotp().is_some() { (self.form.len)(length) } else { length }
    }

    /// Writes a one-time password in the door's form to the front of `out`; its length.
    pub(crate) fn give(&self, counter: u64, password: &[u8], out: &mut [u8]) -> Result<usize> {
        let needed = (self.form.len)(password.len());
        (self.form.write)(counter, password, out.get_mut(..needed).ok_or(Error::BufferTooSmall { needed })?);
        Ok(needed)
    }

    /// Takes part of the message; an error where the mechanism takes it whole.
    pub fn update(&mut self, data: &[u8]) -> Result<()> {
        if !self.scheme.takes_parts() {
            return Err(self.scheme.refuse_parts());
        }
        self.begun = true;
        self.input.update(data)
    }

    /// Signs what came in and writes exactly [`Signing::signature_len`] bytes to the front of `out`. One-time passwords
    /// have a counter too, so that `service` ends them.
    pub fn finish(&mut self, out: &mut [u8]) -> Result<usize> {
        match &mut self.input {
            Input::Mac(mac) => {
                let length = self.scheme.mac_len().ok_or(Error::CryptoFailed("a MAC without a length"))?;
                put(out, full_tag(mac.as_mut())?.expose().get(..length).unwrap_or_default())
            }
            Input::Hashed(digest, length) => {
                let mut value = [0; 64];
                let value = value.get_mut(..*length).unwrap_or_default();
                digest.finish(value)?;
                put(out, &self.scheme.sign(&self.key, value)?)
            }
            Input::Whole(message) => put(out, &self.scheme.sign(&self.key, message)?),
            Input::Nothing => put(out, &self.scheme.sign(&self.key, &[])?),
        }
    }

    /// Signs a message given at once; not copied where the scheme takes it whole.
    pub fn sign(&mut self, data: &[u8], out: &mut [u8]) -> Result<usize> {
        if let Input::Whole(_) = &self.input {
            return put(out, &self.scheme.sign(&self.key, data)?);
        }
        self.input.update(data)?;
        self.finish(out)
    }
}

/// A running verification.
pub struct Verifying {
    scheme: Scheme,
    input: Input,
    key: Arc<Key>,
    /// Whether part of the message came in already.
    pub begun: bool,
}

impl Verifying {
    /// Begins to verify with a key that has been found fit.
    pub fn new(row: &Row, parameter: &Parameter, key: Arc<Key>) -> Result<Verifying> {
        Verifying::by(row.signature.ok_or(Error::MechanismInvalid)?(row, parameter)?, key)
    }

    /// Begins by any scheme, for doors that name schemes in other ways than by mechanism.
    pub fn by(scheme: Scheme, key: Arc<Key>) -> Result<Verifying> {
        scheme.check(&key)?;
        Ok(Verifying { scheme, input: scheme.input(&key)?, key, begun: false })
    }

    /// Whether the message may come in parts.
    pub(crate) fn takes_parts(&self) -> bool {
        self.scheme.takes_parts()
    }

    /// As [`Signing::hotp`].
    pub(crate) fn hotp(&self) -> Option<Hotp> {
        self.scheme.hotp()
    }

    /// Length of a signature in bytes.
    pub fn signature_len(&self) -> usize {
        self.scheme.signature_len(&self.key)
    }

    /// Takes part of the message; an error where the mechanism takes it whole.
    pub fn update(&mut self, data: &[u8]) -> Result<()> {
        if !self.scheme.takes_parts() {
            return Err(self.scheme.refuse_parts());
        }
        self.begun = true;
        self.input.update(data)
    }

    /// Compares what came in with a signature.
    pub fn finish(&mut self, signature: &[u8]) -> Result<()> {
        if signature.len() != self.scheme.signature_len(&self.key) {
            return Err(Error::SignatureLength);
        }
        match &mut self.input {
            Input::Mac(mac) => {
                let tag = full_tag(mac.as_mut())?;
                let expected = Secret::copy_of(tag.expose().get(..signature.len()).unwrap_or_default());
                if expected.equals(signature) { Ok(()) } else { Err(Error::SignatureInvalid) }
            }
            Input::Hashed(digest, length) => {
                let mut value = [0; 64];
                let value = value.get_mut(..*length).unwrap_or_default();
                digest.finish(value)?;
                self.scheme.verify(&self.key, value, signature)
            }
            Input::Whole(message) => self.scheme.verify(&self.key, message, signature),
            Input::Nothing => self.scheme.verify(&self.key, &[], signature),
        }
    }

    /// Verifies a message given at once.
    pub fn verify(&mut self, data: &[u8], signature: &[u8]) -> Result<()> {
        self.input.update(data)?;
        self.finish(signature)
    }

    /// The message that a signature with recovery holds (CKM_RSA_PKCS, CKM_RSA_X_509).
    pub fn recover(&mut self, signature: &[u8]) -> Result<Vec<u8>> {
        let rsa = self.key.rsa_public()?;
        if signature.len() != rsa.len() {
            return Err(Error::SignatureLength);
        }
        let block = rsa.raw(signature).map_err(|_| Error::SignatureInvalid)?;
        match self.scheme {
            Scheme::X509 => Ok(block),
            _ => unpadded(&block).map(<[u8]>::to_vec).ok_or(Error::SignatureInvalid),
        }
    }
}

/// The data inside a block of type 1: 00 01 FF…FF 00 data, with at least eight FF. RFC 2313,
/// section 8.1. A signature is public, so this need not be constant-time.
fn unpadded(block: &[u8]) -> Option<&[u8]> {
    let rest = block.strip_prefix(&[0, 1])?;
    let filler = rest.iter().take_while(|byte| **byte == 0xff).count();
    rest.get(filler..).filter(|_| filler >= 8)?.strip_prefix(&[0])
}
