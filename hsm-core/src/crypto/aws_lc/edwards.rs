//! Ed25519 and X25519.

use openssl::md_ctx::MdCtx;
use openssl::pkey::{HasPublic, Id, PKey, PKeyRef, Private, Public};
use openssl::pkey_ctx::PkeyCtx;

use super::failed;
use crate::crypto::{EdPrivateKey, EdPublicKey, EdVariant, XPrivateKey};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// Prepares an Ed25519 private key.
pub(super) fn ed_private(seed: &[u8]) -> Result<Box<dyn EdPrivateKey>> {
    Ok(Box::new(EdPrivate(private(seed, Id::ED25519)?)))
}

/// Prepares an Ed25519 public key. Whether it is a point shows when it verifies.
pub(super) fn ed_public(public: &[u8]) -> Result<Box<dyn EdPublicKey>> {
    let key = PKey::public_key_from_raw_bytes(public, Id::ED25519).map_err(|_| Error::PublicKeyInvalid)?;
    Ok(Box::new(EdPublic(key)))
}

/// Prepares an X25519 private key.
pub(super) fn x_private(private_key: &[u8]) -> Result<Box<dyn XPrivateKey>> {
    Ok(Box::new(XPrivate(private(private_key, Id::X25519)?)))
}

fn private(bytes: &[u8], id: Id) -> Result<PKey<Private>> {
    if bytes.len() != 32 {
        return Err(Error::ArgumentsBad("the private key has 32 bytes"));
    }
    PKey::private_key_from_raw_bytes(bytes, id).map_err(failed("private key"))
}

fn public_bytes<T: HasPublic>(key: &PKeyRef<T>) -> Result<Vec<u8>> {
    key.raw_public_key().map_err(failed("public key"))
}

struct EdPrivate(PKey<Private>);

impl EdPrivateKey for EdPrivate {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let mut context = MdCtx::new().map_err(failed("Ed25519"))?;
        context.digest_sign_init(None, &self.0).map_err(failed("Ed25519"))?;
        let mut out = vec![0; 64];
        context.digest_sign(message, Some(&mut out)).map_err(failed("Ed25519"))?;
        Ok(out)
    }

    /// Not exposed by `openssl` on AWS-LC.
    fn sign_as(&self, _variant: EdVariant<'_>, _message: &[u8]) -> Option<Result<Vec<u8>>> {
        None
    }

    fn public_key(&self) -> Result<Vec<u8>> {
        public_bytes(&self.0)
    }
}

struct EdPublic(PKey<Public>);

impl EdPublicKey for EdPublic {
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<()> {
        if signature.len() != 64 {
            return Err(Error::SignatureLength);
        }
        let mut context = MdCtx::new().map_err(failed("Ed25519"))?;
        context.digest_verify_init(None, &self.0).map_err(failed("Ed25519"))?;
        match context.digest_verify(message, signature) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(Error::SignatureInvalid),
        }
    }

    fn verify_as(&self, _variant: EdVariant<'_>, _message: &[u8], _signature: &[u8]) -> Option<Result<()>> {
        None
    }
}

struct XPrivate(PKey<Private>);

impl XPrivateKey for XPrivate {
    /// AWS-LC itself refuses a result of zeros: RFC 7748, section 6.1.
    fn agree(&self, public: &[u8]) -> Result<Secret> {
        let peer =
            PKey::public_key_from_raw_bytes(public, Id::X25519).map_err(|_| Error::PublicKeyInvalid)?;
        let mut context = PkeyCtx::new(&self.0).map_err(failed("X25519"))?;
        context.derive_init().map_err(failed("X25519"))?;
        context.derive_set_peer(&peer).map_err(|_| Error::PublicKeyInvalid)?;
        let mut out = Secret::zeroed(32);
        context.derive(Some(out.expose_mut())).map_err(|_| Error::PublicKeyInvalid)?;
        Ok(out)
    }

    fn public_key(&self) -> Result<Vec<u8>> {
        public_bytes(&self.0)
    }
}
