//! ECDSA and ECDH on Weierstrass curves.

use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey, EcPoint, PointConversionForm};
use openssl::ecdsa::EcdsaSig;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private, Public};
use openssl::pkey_ctx::PkeyCtx;

use super::failed;
use crate::crypto::{Curve, EcPrivateKey, EcPublicKey};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// Whether AWS-LC has a curve; it has none of RFC 5639, and none below 224 bits.
pub(super) fn offers(curve: Curve) -> bool {
    !matches!(curve, Curve::P192 | Curve::BrainpoolP256r1 | Curve::BrainpoolP384r1)
}

fn group(curve: Curve) -> Result<EcGroup> {
    let nid = match curve {
        Curve::P224 => Nid::SECP224R1,
        Curve::P256 => Nid::X9_62_PRIME256V1,
        Curve::P384 => Nid::SECP384R1,
        Curve::P521 => Nid::SECP521R1,
        Curve::Secp256k1 => Nid::SECP256K1,
        Curve::P192 | Curve::BrainpoolP256r1 | Curve::BrainpoolP384r1 => return Err(Error::NotSupported),
    };
    EcGroup::from_curve_name(nid).map_err(failed("curve"))
}

/// Makes a scalar of the curve's length.
pub(super) fn generate(curve: Curve) -> Result<Secret> {
    let key = EcKey::generate(&*group(curve)?).map_err(failed("EC key generation"))?;
    Ok(Secret::new(padded(key.private_key(), curve)?))
}

/// A number as bytes of the curve's length.
fn padded(number: &openssl::bn::BigNumRef, curve: Curve) -> Result<Vec<u8>> {
    // 66 at most.
    number.to_vec_padded(curve.len() as i32).map_err(failed("EC number"))
}

/// Prepares a private key.
pub(super) fn private(curve: Curve, scalar: &[u8]) -> Result<Box<dyn EcPrivateKey>> {
    let out_of_range = |_| Error::ArgumentsBad("the private key is not between 1 and the curve's order");
    let group = group(curve)?;
    let number = BigNum::from_slice(scalar).map_err(failed("EC number"))?;
    let mut context = BigNumContext::new().map_err(failed("EC context"))?;
    let mut point = EcPoint::new(&group).map_err(failed("EC point"))?;
    point.mul_generator2(&group, &number, &mut context).map_err(out_of_range)?;
    let key = EcKey::from_private_components(&group, &number, &point).map_err(out_of_range)?;
    key.check_key().map_err(out_of_range)?;
    let pkey = PKey::from_ec_key(key.clone()).map_err(failed("EC key"))?;
    Ok(Box::new(PrivateKey { curve, group, key, pkey }))
}

/// Prepares a public key.
pub(super) fn public(curve: Curve, point: &[u8]) -> Result<Box<dyn EcPublicKey>> {
    let key = public_key(curve, &*group(curve)?, point)?;
    Ok(Box::new(PublicKey { curve, key }))
}

/// A checked point as a key: SEC 1, section 2.3.4, without the point at infinity and the hybrid forms.
fn public_key(curve: Curve, group: &openssl::ec::EcGroupRef, point: &[u8]) -> Result<EcKey<Public>> {
    let expected = match point.first() {
        Some(2 | 3) => 1 + curve.len(),
        Some(4) => 1 + 2 * curve.len(),
        _ => return Err(Error::PublicKeyInvalid),
    };
    if point.len() != expected {
        return Err(Error::PublicKeyInvalid);
    }
    let mut context = BigNumContext::new().map_err(failed("EC context"))?;
    let point = EcPoint::from_bytes(group, point, &mut context).map_err(|_| Error::PublicKeyInvalid)?;
    let key = EcKey::from_public_key(group, &point).map_err(|_| Error::PublicKeyInvalid)?;
    key.check_key().map_err(|_| Error::PublicKeyInvalid)?;
    Ok(key)
}

/// A private key, ready.
struct PrivateKey {
    curve: Curve,
    group: EcGroup,
    key: EcKey<Private>,
    pkey: PKey<Private>,
}

impl EcPrivateKey for PrivateKey {
    fn sign(&self, digest: &[u8]) -> Result<Vec<u8>> {
        let signature = EcdsaSig::sign(digest, &self.key).map_err(failed("ECDSA"))?;
        let mut out = padded(signature.r(), self.curve)?;
        out.extend(padded(signature.s(), self.curve)?);
        Ok(out)
    }

    fn agree(&self, point: &[u8]) -> Result<Secret> {
        let peer = public_key(self.curve, &self.group, point)?;
        let peer = PKey::from_ec_key(peer).map_err(failed("EC key"))?;
        let mut context = PkeyCtx::new(&self.pkey).map_err(failed("ECDH"))?;
        context.derive_init().map_err(failed("ECDH"))?;
        context.derive_set_peer(&peer).map_err(|_| Error::PublicKeyInvalid)?;
        let mut out = Secret::zeroed(self.curve.len());
        match context.derive(Some(out.expose_mut())) {
            Ok(length) if length == out.len() => Ok(out),
            _ => Err(Error::CryptoFailed("ECDH")),
        }
    }

    fn public_point(&self) -> Result<Vec<u8>> {
        let mut context = BigNumContext::new().map_err(failed("EC context"))?;
        self.key
            .public_key()
            .to_bytes(&self.group, PointConversionForm::UNCOMPRESSED, &mut context)
            .map_err(failed("EC point"))
    }
}

/// A public key, ready.
struct PublicKey {
    curve: Curve,
    key: EcKey<Public>,
}

impl EcPublicKey for PublicKey {
    fn verify(&self, digest: &[u8], signature: &[u8]) -> Result<()> {
        if signature.len() != 2 * self.curve.len() {
            return Err(Error::SignatureLength);
        }
        let (r, s) = signature.split_at(self.curve.len());
        let number = |bytes| BigNum::from_slice(bytes).map_err(failed("EC number"));
        let signature =
            EcdsaSig::from_private_components(number(r)?, number(s)?).map_err(failed("ECDSA signature"))?;
        match signature.verify(digest, &self.key) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(Error::SignatureInvalid),
        }
    }
}
