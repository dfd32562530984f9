//! Ed448 and X448, and Ed25519ctx, on crate `crrl`, which is constant-time but keeps its keys as plain arrays:
//! what stays here is the seed, and a key of the crate's lives as long as one operation. RFC 8032, RFC 7748.

use crrl::{ed448, ed25519, x448};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::hashes;
use crate::crypto::{EdPrivateKey, EdPublicKey, EdVariant, Shake, XPrivateKey};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// Prepares an Ed448 private key from its 57-byte seed.
pub(super) fn ed448_private(seed: &[u8]) -> Result<Box<dyn EdPrivateKey>> {
    let seed = <[u8; 57]>::try_from(seed).map_err(|_| Error::ArgumentsBad("an Ed448 seed has 57 bytes"))?;
    Ok(Box::new(Ed448Private(Zeroizing::new(seed))))
}

/// Prepares an Ed448 public key: the 57 bytes of a point on the curve.
pub(super) fn ed448_public(public: &[u8]) -> Result<Box<dyn EdPublicKey>> {
    Ok(Box::new(Ed448Public(ed448::PublicKey::decode(public).ok_or(Error::PublicKeyInvalid)?)))
}

/// Prepares an X448 private key from its 56 bytes, which are clamped at use.
pub(super) fn x448_private(private: &[u8]) -> Result<Box<dyn XPrivateKey>> {
    let private =
        <[u8; 56]>::try_from(private).map_err(|_| Error::ArgumentsBad("an X448 private key has 56 bytes"))?;
    Ok(Box::new(X448Private(Zeroizing::new(private))))
}

/// Signs by Ed25519ctx. RFC 8032, section 5.1.
pub(super) fn sign_ed25519ctx(seed: &[u8; 32], message: &[u8], context: &[u8]) -> Result<Vec<u8>> {
    check_context(context)?;
    Ok(ed25519::PrivateKey::from_seed(seed).sign_ctx(context, message).to_vec())
}

/// Verifies by Ed25519ctx.
pub(super) fn verify_ed25519ctx(
    public: &[u8; 32],
    message: &[u8],
    context: &[u8],
    signature: &[u8],
) -> Result<()> {
    check_context(context)?;
    let key = ed25519::PublicKey::decode(public).ok_or(Error::SignatureInvalid)?;
    verdict(key.verify_ctx(signature, context, message))
}

/// A longer one would stop the process, in the crate.
fn check_context(context: &[u8]) -> Result<()> {
    if context.len() > 255 { Err(Error::MechanismParamInvalid) } else { Ok(()) }
}

fn verdict(holds: bool) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::SignatureInvalid) }
}

/// What Ed448ph signs. RFC 8032, section 5.2.
fn prehash(message: &[u8]) -> Secret {
    hashes::shake(Shake::Shake256, message, 64)
}

struct Ed448Private(Zeroizing<[u8; 57]>);

impl Ed448Private {
    fn key(&self) -> ed448::PrivateKey {
        ed448::PrivateKey::from_seed(self.0.as_slice())
    }
}

impl EdPrivateKey for Ed448Private {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        Ok(self.key().sign_raw(message).to_vec())
    }

    fn sign_as(&self, variant: EdVariant<'_>, message: &[u8]) -> Option<Result<Vec<u8>>> {
        Some(check_context(variant.context()).map(|()| {
            match variant {
                EdVariant::Context(context) => self.key().sign_ctx(context, message),
                EdVariant::Prehashed(context) => self.key().sign_ph(context, prehash(message).expose()),
            }
            .to_vec()
        }))
    }

    fn public_key(&self) -> Result<Vec<u8>> {
        Ok(self.key().public_key.encode().to_vec())
    }
}

struct Ed448Public(ed448::PublicKey);

impl EdPublicKey for Ed448Public {
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<()> {
        check_length(signature)?;
        verdict(self.0.verify_raw(signature, message))
    }

    fn verify_as(&self, variant: EdVariant<'_>, message: &[u8], signature: &[u8]) -> Option<Result<()>> {
        Some(check_length(signature).and_then(|()| check_context(variant.context())).and_then(|()| {
            verdict(match variant {
                EdVariant::Context(context) => self.0.verify_ctx(signature, context, message),
                EdVariant::Prehashed(context) => {
                    self.0.verify_ph(signature, context, prehash(message).expose())
                }
            })
        }))
    }
}

fn check_length(signature: &[u8]) -> Result<()> {
    if signature.len() == 114 { Ok(()) } else { Err(Error::SignatureLength) }
}

struct X448Private(Zeroizing<[u8; 56]>);

impl XPrivateKey for X448Private {
    /// A result of zeros, which points of low order give, is refused: RFC 7748, section 6.2.
    fn agree(&self, public: &[u8]) -> Result<Secret> {
        let public = <&[u8; 56]>::try_from(public).map_err(|_| Error::PublicKeyInvalid)?;
        let shared = Zeroizing::new(x448::x448(public, &self.0));
        if bool::from(shared.ct_eq(&[0; 56])) {
            return Err(Error::PublicKeyInvalid);
        }
        Ok(Secret::copy_of(shared.as_slice()))
    }

    fn public_key(&self) -> Result<Vec<u8>> {
        Ok(x448::x448_base(&self.0).to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_longer_than_255_bytes_are_refused_and_stop_nothing() {
        let long = [7; 256];
        let private = ed448_private(&[1; 57]).unwrap();
        let public = ed448_public(&private.public_key().unwrap()).unwrap();
        for variant in [EdVariant::Context(&long), EdVariant::Prehashed(&long)] {
            let signed = private.sign_as(variant, b"message").unwrap();
            assert!(matches!(signed, Err(Error::MechanismParamInvalid)));
            let verified = public.verify_as(variant, b"message", &[0; 114]).unwrap();
            assert!(matches!(verified, Err(Error::MechanismParamInvalid)));
        }
        assert!(matches!(sign_ed25519ctx(&[1; 32], b"message", &long), Err(Error::MechanismParamInvalid)));
        let verified = verify_ed25519ctx(&[1; 32], b"message", &long, &[0; 64]);
        assert!(matches!(verified, Err(Error::MechanismParamInvalid)));
    }

    #[test]
    fn a_signature_holds_for_its_message_scheme_and_context_alone() {
        let private = ed448_private(&[3; 57]).unwrap();
        let public = ed448_public(&private.public_key().unwrap()).unwrap();
        let signature = private.sign_as(EdVariant::Context(b"one"), b"message").unwrap().unwrap();
        assert!(public.verify_as(EdVariant::Context(b"one"), b"message", &signature).unwrap().is_ok());
        for (variant, message) in [
            (EdVariant::Context(b"one"), &b"massage"[..]),
            (EdVariant::Context(b"two"), b"message"),
            (EdVariant::Context(b""), b"message"),
            (EdVariant::Prehashed(b"one"), b"message"),
        ] {
            let verified = public.verify_as(variant, message, &signature).unwrap();
            assert!(matches!(verified, Err(Error::SignatureInvalid)));
        }
        assert!(matches!(public.verify(b"message", &signature), Err(Error::SignatureInvalid)));
        assert!(matches!(public.verify(b"message", &signature[1..]), Err(Error::SignatureLength)));
    }

    #[test]
    fn an_ed448_public_key_off_the_curve_is_refused() {
        let mut point = [0; 57];
        point[56] = 1;
        assert!(matches!(ed448_public(&point), Err(Error::PublicKeyInvalid)));
    }
}
