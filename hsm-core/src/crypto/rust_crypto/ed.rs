//! Ed25519 and X25519 on the `dalek` crates; Ed25519ctx, which they have not, on `crrl`. RFC 8032 section 5.1, RFC 7748 section 5.

use digest::Digest;
use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use sha2::Sha512;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use super::crrl;
use crate::crypto::{EdPrivateKey, EdPublicKey, EdVariant, XPrivateKey};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// Prepares an Ed25519 private key from its 32-byte seed.
pub(super) fn ed_private(seed: &[u8]) -> Result<Box<dyn EdPrivateKey>> {
    let seed = secret_array(seed, "an Ed25519 seed has 32 bytes")?;
    Ok(Box::new(SigningKey::from_bytes(&seed)))
}

/// Prepares an Ed25519 public key: the 32 bytes of a point on the curve.
pub(super) fn ed_public(public: &[u8]) -> Result<Box<dyn EdPublicKey>> {
    let public = <&[u8; 32]>::try_from(public).map_err(|_| Error::PublicKeyInvalid)?;
    Ok(Box::new(VerifyingKey::from_bytes(public).map_err(|_| Error::PublicKeyInvalid)?))
}

/// Prepares an X25519 private key from its 32 bytes, which are clamped at use.
pub(super) fn x_private(private: &[u8]) -> Result<Box<dyn XPrivateKey>> {
    let private = secret_array(private, "an X25519 private key has 32 bytes")?;
    Ok(Box::new(StaticSecret::from(*private)))
}

fn secret_array(bytes: &[u8], expected: &'static str) -> Result<Zeroizing<[u8; 32]>> {
    let array = <&[u8; 32]>::try_from(bytes).map_err(|_| Error::ArgumentsBad(expected))?;
    Ok(Zeroizing::new(*array))
}

impl EdPrivateKey for SigningKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        Ok(Signer::sign(self, message).to_bytes().to_vec())
    }

    fn sign_as(&self, variant: EdVariant<'_>, message: &[u8]) -> Option<Result<Vec<u8>>> {
        Some(match variant {
            EdVariant::Context(context) => crrl::sign_ed25519ctx(self.as_bytes(), message, context),
            EdVariant::Prehashed(context) => self
                .sign_prehashed(Sha512::new_with_prefix(message), Some(context))
                .map(|signature| signature.to_bytes().to_vec())
                .map_err(|_| Error::MechanismParamInvalid),
        })
    }

    fn public_key(&self) -> Result<Vec<u8>> {
        Ok(self.verifying_key().to_bytes().to_vec())
    }
}

impl EdPublicKey for VerifyingKey {
    /// As RFC 8032 asks and no stricter: points of small order verify, as they do in AWS-LC.
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<()> {
        let signature = <&[u8; 64]>::try_from(signature).map_err(|_| Error::SignatureLength)?;
        Verifier::verify(self, message, &Signature::from_bytes(signature))
            .map_err(|_| Error::SignatureInvalid)
    }

    fn verify_as(&self, variant: EdVariant<'_>, message: &[u8], signature: &[u8]) -> Option<Result<()>> {
        let Ok(bytes) = <&[u8; 64]>::try_from(signature) else {
            return Some(Err(Error::SignatureLength));
        };
        Some(match variant {
            EdVariant::Context(context) => {
                crrl::verify_ed25519ctx(self.as_bytes(), message, context, signature)
            }
            EdVariant::Prehashed(context) => {
                let (message, signature) = (Sha512::new_with_prefix(message), Signature::from_bytes(bytes));
                let verdict = self.verify_prehashed(message, Some(context), &signature);
                verdict.map_err(|_| Error::SignatureInvalid)
            }
        })
    }
}

impl XPrivateKey for StaticSecret {
    fn agree(&self, public: &[u8]) -> Result<Secret> {
        let public = <[u8; 32]>::try_from(public).map_err(|_| Error::PublicKeyInvalid)?;
        let shared = self.diffie_hellman(&PublicKey::from(public));
        if !shared.was_contributory() {
            return Err(Error::PublicKeyInvalid);
        }
        Ok(Secret::copy_of(shared.as_bytes()))
    }

    fn public_key(&self) -> Result<Vec<u8>> {
        Ok(PublicKey::from(self).to_bytes().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_another_length_are_refused() {
        assert!(matches!(ed_private(&[1; 31]), Err(Error::ArgumentsBad(_))));
        assert!(matches!(ed_public(&[1; 33]), Err(Error::PublicKeyInvalid)));
        assert!(matches!(x_private(&[1; 31]), Err(Error::ArgumentsBad(_))));
        assert!(matches!(x_private(&[1; 32]).unwrap().agree(&[9; 31]), Err(Error::PublicKeyInvalid)));
    }

    #[test]
    fn an_ed25519_public_key_off_the_curve_is_refused() {
        let mut point = [0; 32];
        point[0] = 2;
        assert!(matches!(ed_public(&point), Err(Error::PublicKeyInvalid)));
    }

    #[test]
    fn a_shared_secret_of_zeros_is_refused() {
        let key = x_private(&[7; 32]).unwrap();
        assert!(matches!(key.agree(&[0; 32]), Err(Error::PublicKeyInvalid)));
    }

    #[test]
    fn an_ed25519_signature_verifies_for_its_message_alone() {
        let private = ed_private(&[3; 32]).unwrap();
        let public = ed_public(&private.public_key().unwrap()).unwrap();
        let signature = private.sign(b"message").unwrap();
        public.verify(b"message", &signature).unwrap();
        assert!(matches!(public.verify(b"massage", &signature), Err(Error::SignatureInvalid)));
        assert!(matches!(public.verify(b"message", &signature[..63]), Err(Error::SignatureLength)));
    }
}
