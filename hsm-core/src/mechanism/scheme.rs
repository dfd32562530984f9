//! Schemes: signatures and MACs with their parameters, by whatever name a door calls them, and what they do
//! with a message or a digest that is there whole.

use cryptoki_sys::*;
use zeroize::Zeroizing;

use super::context::Context;
use super::digest_info::digest_info;
use super::kdf::tls_mac;
use super::otp::Hotp;
use super::post_quantum::{self, PostQuantum, Signed};
use super::signing::Input;
use super::table::{Function, offered};
use crate::crypto::{self, EdVariant, Hash, Pss, TlsPrf};
use crate::error::{Error, Result};
use crate::object::material::{Key, octet_string};
use crate::secret::Secret;

/// How a message is signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scheme {
    /// RSASSA-PKCS1-v1_5; without a hash, the caller gives the DigestInfo.
    V15(Option<Hash>),
    /// RSASSA-PKCS1-v1_5 over a digest of this hash, which the caller gives; its DigestInfo is made here.
    V15Digest(Hash),
    /// The raw RSA operation on a number as long as the modulus.
    X509,
    /// RSASSA-PSS; the message is hashed here or comes hashed.
    Pss(Pss, Option<Hash>),
    /// ECDSA; the message is hashed here or comes hashed.
    Ecdsa(Option<Hash>),
    /// DSA; the message is hashed here or comes hashed.
    Dsa(Option<Hash>),
    /// Ed25519 or Ed448, as the key's curve is.
    Eddsa,
    /// Ed25519ctx, or Ed448 with a context.
    EddsaContext(Context),
    /// Ed25519ph or Ed448ph, with a context.
    EddsaPrehashed(Context),
    /// ML-DSA or SLH-DSA.
    PostQuantum(PostQuantum),
    /// HMAC, cut to a length in bytes.
    Hmac(Hash, usize),
    /// AES-CMAC, cut to a length in bytes.
    Cmac(usize),
    /// CMAC on Triple DES, cut to a length in bytes.
    Des3Cmac(usize),
    /// CBC-MAC on AES, cut to a length in bytes.
    CbcMac(usize),
    /// CBC-MAC on Triple DES, cut to a length in bytes.
    Des3CbcMac(usize),
    /// GMAC with a nonce, cut to a length in bytes.
    Gmac(Nonce, usize),
    /// Poly1305 under a key for one message alone.
    Poly1305,
    /// The "finished" message of TLS over a digest of the handshake, of so many bytes; the server's, or the client's.
    TlsFinished {
        /// The pseudorandom function.
        prf: TlsPrf,
        /// Whether it is the server's.
        server: bool,
        /// Length in bytes.
        length: usize,
    },
    /// A one-time password.
    Hotp(Hotp),
}

/// A nonce of a few bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Nonce {
    bytes: [u8; 32],
    length: usize,
}

impl Nonce {
    /// A nonce of 1 to 32 bytes.
    ///
    /// # Errors
    /// [`Error::MechanismParamInvalid`].
    pub fn new(nonce: &[u8]) -> Result<Nonce> {
        let mut bytes = [0; 32];
        match bytes.get_mut(..nonce.len()) {
            Some(room) if !nonce.is_empty() => room.copy_from_slice(nonce),
            _ => return Err(Error::MechanismParamInvalid),
        }
        Ok(Nonce { bytes, length: nonce.len() })
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl Scheme {
    /// The key types that it takes.
    pub(crate) fn key_types(self) -> &'static [u64] {
        match self {
            Scheme::V15(_) | Scheme::V15Digest(_) | Scheme::X509 | Scheme::Pss(..) => &[CKK_RSA],
            Scheme::Ecdsa(_) => &[CKK_EC],
            Scheme::Dsa(_) => &[CKK_DSA],
            Scheme::Eddsa | Scheme::EddsaContext(_) | Scheme::EddsaPrehashed(_) => &[CKK_EC_EDWARDS],
            Scheme::PostQuantum(scheme) if scheme.key_type == CKK_ML_DSA => &[CKK_ML_DSA],
            Scheme::PostQuantum(_) => &[CKK_SLH_DSA],
            Scheme::Hmac(hash, _) => hmac_key_types(hash),
            Scheme::Cmac(_) | Scheme::CbcMac(_) | Scheme::Gmac(..) => &[CKK_AES],
            Scheme::Poly1305 => &[CKK_POLY1305],
            Scheme::TlsFinished { .. } => &[CKK_GENERIC_SECRET],
            Scheme::Hotp(_) => &[CKK_HOTP],
            Scheme::Des3Cmac(_) | Scheme::Des3CbcMac(_) => &[CKK_DES2, CKK_DES3],
        }
    }

    /// The one-time password that it is, if it is one.
    pub(super) const fn hotp(self) -> Option<Hotp> {
        match self {
            Scheme::Hotp(hotp) => Some(hotp),
            _ => None,
        }
    }

    /// Length of the signature in bytes.
    pub(super) fn signature_len(self, key: &Key) -> usize {
        match self {
            Scheme::V15(_) | Scheme::V15Digest(_) | Scheme::X509 | Scheme::Pss(..) => {
                key.size_bits().div_ceil(8) as usize
            }
            Scheme::Ecdsa(_) => 2 * key.size_bits().div_ceil(8) as usize,
            Scheme::Dsa(_) => 2 * key.object().bytes(CKA_SUBPRIME).len(),
            Scheme::Eddsa | Scheme::EddsaContext(_) | Scheme::EddsaPrehashed(_) => {
                key.edwards().map_or(0, |curve| 2 * curve.len())
            }
            Scheme::PostQuantum(_) => post_quantum::signature_len(key),
            Scheme::Hotp(hotp) => hotp.len(key.object()),
            _ => self.mac_len().unwrap_or_default(),
        }
    }

    /// Length of a MAC in bytes; `None` of signatures.
    pub(super) fn mac_len(self) -> Option<usize> {
        match self {
            Scheme::Hmac(_, length)
            | Scheme::Cmac(length)
            | Scheme::Des3Cmac(length)
            | Scheme::CbcMac(length)
            | Scheme::Des3CbcMac(length)
            | Scheme::Gmac(_, length)
            | Scheme::TlsFinished { length, .. } => Some(length),
            Scheme::Poly1305 => Some(16),
            _ => None,
        }
    }

    /// Refuses at once what the key can never do: a salt that does not fit (RFC 8017, 9.1.1).
    pub(super) fn check(self, key: &Key) -> Result<()> {
        match self {
            Scheme::Hotp(hotp) => hotp.check(key.object()),
            _ if self.mac_len() == Some(0) => Err(Error::MechanismParamInvalid),
            Scheme::Hmac(hash, length) if length > hash.len() => Err(Error::MechanismParamInvalid),
            Scheme::Cmac(17..) | Scheme::CbcMac(17..) | Scheme::Des3Cmac(9..) | Scheme::Des3CbcMac(9..) => {
                Err(Error::MechanismParamInvalid)
            }
            Scheme::Pss(pss, _) => {
                let encoded = (key.size_bits() as usize).saturating_sub(1).div_ceil(8);
                if pss.salt_len.saturating_add(pss.hash.len()).saturating_add(2) > encoded {
                    return Err(Error::MechanismParamInvalid);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Whether the message may come in parts: the raw RSA, DSA and ECDSA mechanisms are for single-part
    /// signatures (sections 6.1.6, 6.1.9, 6.1.12, 6.2, 6.3.12), and so are those that take a digest before a post-quantum one.
    pub(super) fn takes_parts(self) -> bool {
        if let Scheme::PostQuantum(scheme) = self {
            return !matches!(scheme.input, Signed::Digest(_));
        }
        !matches!(
            self,
            Scheme::V15(None)
                | Scheme::V15Digest(_)
                | Scheme::Pss(_, None)
                | Scheme::Ecdsa(None)
                | Scheme::Dsa(None)
                | Scheme::X509
        )
    }

    /// What a part of a message is refused with by a scheme that takes it whole. Other modules' answers differ by
    /// mechanism too, and applications know them.
    pub(super) fn refuse_parts(self) -> Error {
        match self {
            Scheme::PostQuantum(_) => Error::OperationNotInitialised,
            _ => Error::NotSupported,
        }
    }

    pub(super) fn input(self, key: &Key) -> Result<Input> {
        Ok(match self {
            Scheme::V15(Some(hash))
            | Scheme::Pss(_, Some(hash))
            | Scheme::Ecdsa(Some(hash))
            | Scheme::Dsa(Some(hash)) => Input::Hashed(crypto::digest(hash)?, hash.len()),
            Scheme::PostQuantum(scheme) => match scheme.input {
                Signed::Hashed(hash) => Input::Hashed(crypto::pre_hash(hash)?, hash.len()),
                Signed::Message | Signed::Digest(_) => Input::Whole(Zeroizing::default()),
            },
            Scheme::V15(None)
            | Scheme::V15Digest(_)
            | Scheme::Pss(_, None)
            | Scheme::Ecdsa(None)
            | Scheme::Dsa(None)
            | Scheme::X509
            | Scheme::Eddsa
            | Scheme::EddsaContext(_)
            | Scheme::EddsaPrehashed(_)
            | Scheme::Gmac(..)
            | Scheme::Poly1305
            | Scheme::TlsFinished { .. } => Input::Whole(Zeroizing::default()),
            Scheme::Hotp(_) => Input::Nothing,
            Scheme::Hmac(hash, _) => Input::Mac(crypto::hmac(hash, key.secret_value())?),
            Scheme::Cmac(_) => Input::Mac(crypto::cmac(key.secret_value())?),
            Scheme::Des3Cmac(_) => Input::Mac(crypto::des3_cmac(key.secret_value())?),
            Scheme::CbcMac(_) => Input::Mac(crypto::aes_cbc_mac(key.secret_value())?),
            Scheme::Des3CbcMac(_) => Input::Mac(crypto::des3_cbc_mac(key.secret_value())?),
        })
    }

    /// Signs what the input came to: a digest, or the message itself.
    pub(super) fn sign(self, key: &Key, message: &[u8]) -> Result<Vec<u8>> {
        match self {
            Scheme::V15(None) => key.rsa_private()?.sign_v15(message),
            Scheme::V15(Some(hash)) | Scheme::V15Digest(hash) => {
                check_digest(message, hash)?;
                key.rsa_private()?.sign_v15(&digest_info(hash, message)?)
            }
            Scheme::X509 => {
                let rsa = key.rsa_private()?;
                Ok(rsa.raw(&padded(message, rsa.len())?)?.expose().to_vec())
            }
            Scheme::Pss(pss, _) => {
                check_digest(message, pss.hash)?;
                key.rsa_private()?.sign_pss(&pss, message)
            }
            Scheme::Ecdsa(_) => key.ec_private()?.sign(message),
            Scheme::Dsa(_) => {
                check_any_digest(message)?;
                key.dsa_private()?.sign(message)
            }
            Scheme::Eddsa => key.ed_private()?.sign(message),
            Scheme::EddsaContext(context) => sign_ed(key, EdVariant::Context(context.as_bytes()), message),
            Scheme::EddsaPrehashed(context) => {
                sign_ed(key, EdVariant::Prehashed(context.as_bytes()), message)
            }
            Scheme::PostQuantum(scheme) => scheme.sign(key, message),
            Scheme::Gmac(..) | Scheme::Poly1305 | Scheme::TlsFinished { .. } => {
                Ok(self.tag(key, message)?.expose().to_vec())
            }
            Scheme::Hmac(..)
            | Scheme::Cmac(_)
            | Scheme::Des3Cmac(_)
            | Scheme::CbcMac(_)
            | Scheme::Des3CbcMac(_)
            | Scheme::Hotp(_) => Err(Error::CryptoFailed("neither a MAC nor a password is signed")),
        }
    }

    /// The tag of a message by the MACs that take it whole.
    fn tag(self, key: &Key, message: &[u8]) -> Result<Secret> {
        let value = key.secret_value();
        match self {
            Scheme::TlsFinished { prf, server, length } => tls_mac(prf, value, server, message, length),
            Scheme::Gmac(nonce, length) => crypto::gmac(value, nonce.bytes(), length, message),
            _ => Ok(Secret::copy_of(&crypto::poly1305(value, message)?)),
        }
    }

    pub(super) fn verify(self, key: &Key, message: &[u8], signature: &[u8]) -> Result<()> {
        match self {
            Scheme::V15(None) => key.rsa_public()?.verify_v15(message, signature),
            Scheme::V15(Some(hash)) | Scheme::V15Digest(hash) => {
                check_digest(message, hash)?;
                key.rsa_public()?.verify_v15(&digest_info(hash, message)?, signature)
            }
            Scheme::X509 => {
                let rsa = key.rsa_public()?;
                let recovered = rsa.raw(signature).map_err(|_| Error::SignatureInvalid)?;
                let expected = padded(message, rsa.len())?;
                if recovered == *expected { Ok(()) } else { Err(Error::SignatureInvalid) }
            }
            Scheme::Pss(pss, _) => {
                check_digest(message, pss.hash)?;
                key.rsa_public()?.verify_pss(&pss, message, signature)
            }
            Scheme::Ecdsa(_) => key.ec_public()?.verify(message, signature),
            Scheme::Dsa(_) => {
                check_any_digest(message)?;
                key.dsa_public()?.verify(message, signature)
            }
            Scheme::Eddsa => key.ed_public()?.verify(message, signature),
            Scheme::EddsaContext(context) => {
                verify_ed(key, EdVariant::Context(context.as_bytes()), message, signature)
            }
            Scheme::EddsaPrehashed(context) => {
                verify_ed(key, EdVariant::Prehashed(context.as_bytes()), message, signature)
            }
            Scheme::PostQuantum(scheme) => scheme.verify(key, message, signature),
            Scheme::Gmac(..) | Scheme::Poly1305 | Scheme::TlsFinished { .. } => {
                if self.tag(key, message)?.equals(signature) { Ok(()) } else { Err(Error::SignatureInvalid) }
            }
            Scheme::Hmac(..)
            | Scheme::Cmac(_)
            | Scheme::Des3Cmac(_)
            | Scheme::CbcMac(_)
            | Scheme::Des3CbcMac(_)
            | Scheme::Hotp(_) => Err(Error::CryptoFailed("neither a MAC nor a password is a signature")),
        }
    }
}

/// The key's values themselves are taken: what was prepared of them may be a library's that has not the variant.
fn sign_ed(key: &Key, variant: EdVariant<'_>, message: &[u8]) -> Result<Vec<u8>> {
    if key.object().class() != CKO_PRIVATE_KEY {
        return Err(Error::KeyTypeInconsistent);
    }
    crypto::sign_ed(key.edwards()?, key.secret_value(), variant, message)
}

fn verify_ed(key: &Key, variant: EdVariant<'_>, message: &[u8], signature: &[u8]) -> Result<()> {
    let point = octet_string(key.object().bytes(CKA_EC_POINT)).ok_or(Error::KeyTypeInconsistent)?;
    crypto::verify_ed(key.edwards()?, point, variant, message, signature)
}

/// Those of the hash's HMAC mechanism.
fn hmac_key_types(hash: Hash) -> &'static [u64] {
    let row = offered().find(|row| {
        row.hash == Some(hash) && row.does(Function::Sign) && row.keys.contains(&CKK_GENERIC_SECRET)
    });
    row.map_or(&[CKK_GENERIC_SECRET], |row| row.keys)
}

/// A digest that comes from the caller has its hash's length.
fn check_digest(digest: &[u8], hash: Hash) -> Result<()> {
    if digest.len() == hash.len() { Ok(()) } else { Err(Error::DataLength) }
}

/// CKM_DSA signs what some hash gives, "20, 28, 32, 48, or 64 bytes" (section 6.2.11).
fn check_any_digest(digest: &[u8]) -> Result<()> {
    match digest.len() {
        20 | 28 | 32 | 48 | 64 => Ok(()),
        _ => Err(Error::DataLength),
    }
}

/// A number shorter than the modulus gets zeros in front (section 6.1.12).
fn padded(message: &[u8], length: usize) -> Result<Zeroizing<Vec<u8>>> {
    let zeros = length.checked_sub(message.len()).ok_or(Error::DataLength)?;
    let mut out = Zeroizing::new(vec![0; zeros]);
    out.extend_from_slice(message);
    Ok(out)
}
