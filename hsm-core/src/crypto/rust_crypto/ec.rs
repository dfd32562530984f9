//! ECDSA and ECDH on `p192`, `p224`, `p256`, `p384`, `p521`, `k256`, `bp256` and `bp384`, written once over the curve.

use ecdsa::{EcdsaCurve, Signature, hazmat};
use elliptic_curve::sec1::{FromSec1Point, ModulusSize, ToSec1Point};
use elliptic_curve::{AffinePoint, CurveArithmetic, FieldBytesSize, Generate, PublicKey, SecretKey, ecdh};
use zeroize::Zeroizing;

use super::random::SystemRng;
use crate::crypto::{Curve, EcPrivateKey, EcPublicKey};
use crate::error::{Error, Result};
use crate::rng;
use crate::secret::Secret;

/// Evaluates `$body` with `$name` standing for the RustCrypto type of `$curve`.
macro_rules! with_curve {
    ($curve:expr, $name:ident => $body:expr) => {
        match $curve {
            Curve::P192 => {
                type $name = p192::NistP192;
                $body
            }
            Curve::P224 => {
                type $name = p224::NistP224;
                $body
            }
            Curve::P256 => {
                type $name = p256::NistP256;
                $body
            }
            Curve::P384 => {
                type $name = p384::NistP384;
                $body
            }
            Curve::P521 => {
                type $name = p521::NistP521;
                $body
            }
            Curve::Secp256k1 => {
                type $name = k256::Secp256k1;
                $body
            }
            Curve::BrainpoolP256r1 => {
                type $name = bp256::BrainpoolP256r1;
                $body
            }
            Curve::BrainpoolP384r1 => {
                type $name = bp384::BrainpoolP384r1;
                $body
            }
        }
    };
}
pub(super) use with_curve;

/// Makes a scalar of the curve's length, by rejection. FIPS 186-5, appendix A.2.2.
pub(super) fn generate(curve: Curve) -> Result<Secret> {
    with_curve!(curve, C => {
        let key = SecretKey::<C>::try_generate_from_rng(&mut SystemRng)?;
        Ok(Secret::copy_of(&Zeroizing::new(key.to_bytes())))
    })
}

/// Prepares a private key from its scalar, 1 to n − 1; shorter scalars are padded on the left.
pub(super) fn private(curve: Curve, scalar: &[u8]) -> Result<Box<dyn EcPrivateKey>> {
    let scalar = right_aligned(curve, scalar).ok_or(BAD_SCALAR)?;
    with_curve!(curve, C => {
        let key = SecretKey::<C>::from_slice(&scalar).map_err(|_| BAD_SCALAR)?;
        Ok(Box::new(Private { curve, key }))
    })
}

/// Prepares a public key from its point, compressed or not.
pub(super) fn public(curve: Curve, point: &[u8]) -> Result<Box<dyn EcPublicKey>> {
    with_curve!(curve, C => Ok(Box::new(Public { curve, key: parse_point::<C>(point)? })))
}

const BAD_SCALAR: Error = Error::ArgumentsBad("an EC private key is between 1 and the order of its curve");

struct Private<C: CurveArithmetic> {
    curve: Curve,
    key: SecretKey<C>,
}

struct Public<C: CurveArithmetic> {
    curve: Curve,
    key: PublicKey<C>,
}

impl<C> EcPrivateKey for Private<C>
where
    C: EcdsaCurve + CurveArithmetic,
    FieldBytesSize<C>: ModulusSize,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
{
    /// The nonce is that of RFC 6979 with random bytes added (its section 3.6), so that neither a
    /// weak generator nor a copied process state gives two messages the same one. The digest stands
    /// in the added bytes too: the crate looks at the order's length of it alone.
    fn sign(&self, digest: &[u8]) -> Result<Vec<u8>> {
        let prehash = leftmost_bits(self.curve, digest);
        let mut added = Zeroizing::new(rng::array::<32>()?.to_vec());
        added.extend_from_slice(digest);
        let scalar = Zeroizing::new(self.key.to_nonzero_scalar());
        let (signature, _) = hazmat::sign_prehashed_rfc6979::<C, sha2::Sha512>(&scalar, &prehash, &added);
        Ok(signature.to_bytes().to_vec())
    }

    fn agree(&self, point: &[u8]) -> Result<Secret> {
        let public = parse_point::<C>(point)?;
        let scalar = Zeroizing::new(self.key.to_nonzero_scalar());
        let shared = ecdh::diffie_hellman(*scalar, public.as_affine());
        Ok(Secret::copy_of(shared.raw_secret_bytes()))
    }

    fn public_point(&self) -> Result<Vec<u8>> {
        Ok(self.key.public_key().to_sec1_point(false).as_bytes().to_vec())
    }
}

impl<C> EcPublicKey for Public<C>
where
    C: EcdsaCurve + CurveArithmetic,
    FieldBytesSize<C>: ModulusSize,
{
    fn verify(&self, digest: &[u8], signature: &[u8]) -> Result<()> {
        if signature.len() != 2 * self.curve.len() {
            return Err(Error::SignatureLength);
        }
        let signature = Signature::<C>::from_slice(signature).map_err(|_| Error::SignatureInvalid)?;
        // (r, s) and (r, n − s) are valid together. On secp256k1 the crate takes the lower s alone,
        // a rule of Bitcoin's, not of ECDSA.
        let signature = if C::NORMALIZE_S { signature.normalize_s() } else { signature };
        let prehash = leftmost_bits(self.curve, digest);
        hazmat::verify_prehashed(&self.key.to_projective(), &prehash, &signature)
            .map_err(|_| Error::SignatureInvalid)
    }
}

/// Reads a point in X9.62 form, uncompressed (04) or compressed (02, 03), and checks that it lies on
/// the curve and is not its neutral element.
pub(super) fn parse_point<C>(point: &[u8]) -> Result<PublicKey<C>>
where
    C: CurveArithmetic,
    FieldBytesSize<C>: ModulusSize,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
{
    match point.first() {
        // The crate knows other forms, which PKCS #11 does not.
        Some(2..=4) => PublicKey::from_sec1_bytes(point).map_err(|_| Error::PublicKeyInvalid),
        _ => Err(Error::PublicKeyInvalid),
    }
}

/// The leftmost bits of a digest, as many as the curve's order has, as a number of the curve's
/// length. FIPS 186-5, section 6.4.1, step 2.
fn leftmost_bits(curve: Curve, digest: &[u8]) -> Vec<u8> {
    let Some(head) = digest.get(..curve.len()) else {
        let mut number = vec![0; curve.len() - digest.len()];
        number.extend_from_slice(digest);
        return number;
    };
    let mut number = head.to_vec();
    // P-521 alone: 66 bytes have 528 bits, seven too many.
    let excess = 8 * curve.len() - curve.bits();
    if excess > 0 {
        let mut carry = 0;
        for byte in &mut number {
            let low = *byte << (8 - excess);
            *byte = (*byte >> excess) | carry;
            carry = low;
        }
    }
    number
}

/// `bytes` with zeros on the left up to the curve's length; `None` if they are longer.
fn right_aligned(curve: Curve, bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let zeros = curve.len().checked_sub(bytes.len())?;
    let mut padded = Zeroizing::new(Vec::with_capacity(curve.len()));
    padded.resize(zeros, 0);
    padded.extend_from_slice(bytes);
    Some(padded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_keys_sign_and_verify_on_every_curve() {
        for curve in Curve::ALL {
            let scalar = generate(curve).unwrap();
            assert_eq!(scalar.len(), curve.len());
            let key = private(curve, scalar.expose()).unwrap();
            let verifier = public(curve, &key.public_point().unwrap()).unwrap();
            let signature = key.sign(b"digest").unwrap();
            verifier.verify(b"digest", &signature).unwrap();
            assert!(matches!(verifier.verify(b"digesr", &signature), Err(Error::SignatureInvalid)));
        }
    }

    #[test]
    fn digests_longer_than_the_order_count_with_their_leftmost_bits() {
        for curve in Curve::ALL {
            let key = private(curve, &[7]).unwrap();
            let verifier = public(curve, &key.public_point().unwrap()).unwrap();
            let mut digest = [0x5a; 70];
            let signature = key.sign(&digest).unwrap();
            digest[69] ^= 1;
            verifier.verify(&digest, &signature).unwrap();
            digest[0] ^= 1;
            assert!(matches!(verifier.verify(&digest, &signature), Err(Error::SignatureInvalid)));
        }
    }

    #[test]
    fn on_p521_the_last_seven_of_528_bits_do_not_count() {
        let key = private(Curve::P521, &[7]).unwrap();
        let verifier = public(Curve::P521, &key.public_point().unwrap()).unwrap();
        let mut digest = [0x5a; 66];
        let signature = key.sign(&digest).unwrap();
        digest[65] ^= 0x7f;
        verifier.verify(&digest, &signature).unwrap();
        digest[65] ^= 0x80;
        assert!(matches!(verifier.verify(&digest, &signature), Err(Error::SignatureInvalid)));
    }

    #[test]
    fn an_empty_digest_is_the_number_zero() {
        let key = private(Curve::P256, &[7]).unwrap();
        let verifier = public(Curve::P256, &key.public_point().unwrap()).unwrap();
        verifier.verify(&[0; 32], &key.sign(&[]).unwrap()).unwrap();
    }

    #[test]
    fn scalars_outside_the_order_are_refused() {
        for curve in Curve::ALL {
            assert!(matches!(private(curve, &[0]), Err(Error::ArgumentsBad(_))));
            assert!(matches!(private(curve, &[]), Err(Error::ArgumentsBad(_))));
            assert!(matches!(private(curve, &vec![0xff; curve.len()]), Err(Error::ArgumentsBad(_))));
            assert!(matches!(private(curve, &vec![0; curve.len() + 1]), Err(Error::ArgumentsBad(_))));
        }
    }

    #[test]
    fn points_that_are_not_on_the_curve_or_not_x962_are_refused() {
        for curve in Curve::ALL {
            let point = private(curve, &[7]).unwrap().public_point().unwrap();
            let mut off = point.clone();
            *off.last_mut().unwrap() ^= 1;
            let mut hybrid = point.clone();
            hybrid[0] = 6 | (point.last().unwrap() & 1);
            for bad in [&off[..], &hybrid, &point[1..], &point[..point.len() - 1], &[0], &[]] {
                assert!(matches!(public(curve, bad), Err(Error::PublicKeyInvalid)), "{curve:?}");
                let key = private(curve, &[9]).unwrap();
                assert!(matches!(key.agree(bad), Err(Error::PublicKeyInvalid)), "{curve:?}");
            }
        }
    }

    #[test]
    fn compressed_points_agree_as_uncompressed_ones() {
        for curve in Curve::ALL {
            let point = private(curve, &[7]).unwrap().public_point().unwrap();
            let mut compressed = point[..=curve.len()].to_vec();
            compressed[0] = 2 | (point.last().unwrap() & 1);
            let key = private(curve, &[9]).unwrap();
            let shared = key.agree(&point).unwrap();
            assert!(key.agree(&compressed).unwrap().equals(shared.expose()), "{curve:?}");
        }
    }

    #[test]
    fn both_s_of_a_secp256k1_signature_verify() {
        let curve = Curve::Secp256k1;
        let key = private(curve, &[7]).unwrap();
        let verifier = public(curve, &key.public_point().unwrap()).unwrap();
        let signature = Signature::<k256::Secp256k1>::from_slice(&key.sign(b"digest").unwrap()).unwrap();
        let (r, s) = signature.split_scalars();
        let other = Signature::<k256::Secp256k1>::from_scalars(r, -s).unwrap();
        verifier.verify(b"digest", &other.to_bytes()).unwrap();
    }

    #[test]
    fn a_signature_of_another_length_is_told_apart() {
        let key = private(Curve::P256, &[7]).unwrap();
        let verifier = public(Curve::P256, &key.public_point().unwrap()).unwrap();
        assert!(matches!(verifier.verify(b"digest", &[1; 63]), Err(Error::SignatureLength)));
        assert!(matches!(verifier.verify(b"digest", &[0; 64]), Err(Error::SignatureInvalid)));
    }
}
