//! ML-DSA on crate `ml-dsa`. FIPS 204. The representative μ of a message is made here, so that whatever
//! stands before the message is the caller's.

use std::convert::Infallible;

use ml_dsa::{
    EncodedSignature, EncodedVerifyingKey, ExpandedSigningKey, ExpandedSigningKeyBytes, MlDsa44, MlDsa65,
    MlDsa87, MlDsaParams, Signature, SigningKey, VerifyingKey,
};
use rsa::rand_core::{TryCryptoRng, TryRng};
use zeroize::Zeroizing;

use super::shake::shake256;
use crate::crypto::{PqPrivateKey, PqPublicKey, PrivateForm, SignatureSet};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// Evaluates `$body` with `$name` standing for the crate's type of `$set`; `None` for other families.
macro_rules! with_set {
    ($set:expr, $name:ident => $body:expr) => {
        match $set {
            SignatureSet::MlDsa44 => {
                type $name = MlDsa44;
                Some($body)
            }
            SignatureSet::MlDsa65 => {
                type $name = MlDsa65;
                Some($body)
            }
            SignatureSet::MlDsa87 => {
                type $name = MlDsa87;
                Some($body)
            }
            _ => None,
        }
    };
}

/// Prepares a private key; `None` where the set is not one of ML-DSA.
pub(super) fn private(set: SignatureSet, form: PrivateForm<'_>) -> Option<Result<Box<dyn PqPrivateKey>>> {
    with_set!(set, P => match form {
        PrivateForm::Seed(seed) => from_seed::<P>(seed),
        PrivateForm::Expanded(bytes) => from_expanded::<P>(set, bytes),
    })
}

/// Prepares a public key; `None` where the set is not one of ML-DSA. Any bytes of its length are one.
pub(super) fn public(set: SignatureSet, public: &[u8]) -> Option<Result<Box<dyn PqPublicKey>>> {
    with_set!(set, P => match EncodedVerifyingKey::<P>::try_from(public) {
        Ok(encoded) => Ok(Box::new(Public {
            key: VerifyingKey::<P>::decode(&encoded),
            digest: shake256(&[public]),
        })),
        Err(_) => Err(Error::PublicKeyInvalid),
    })
}

const BAD_KEY: Error = Error::ArgumentsBad("this is no ML-DSA private key");

fn from_seed<P: MlDsaParams + 'static>(seed: &[u8]) -> Result<Box<dyn PqPrivateKey>>
where
    Private<P>: PqPrivateKey,
{
    let seed = Zeroizing::new(seed.try_into().map_err(|_| BAD_KEY)?);
    Ok(Box::new(Private::<P>::new(SigningKey::from_seed(&seed).expanded_key().clone())))
}

/// The crate trusts an expanded key, and stops the process where a number is out of range: the numbers are
/// looked at first. That t₀ belongs to the rest shows when the key signs. Nothing tells whether K does, which is
/// random.
#[expect(deprecated, reason = "PKCS #11 has private keys in this form, and not always a seed beside it")]
fn from_expanded<P: MlDsaParams + 'static>(set: SignatureSet, bytes: &[u8]) -> Result<Box<dyn PqPrivateKey>>
where
    Private<P>: PqPrivateKey,
{
    let encoded = Zeroizing::new(ExpandedSigningKeyBytes::<P>::try_from(bytes).map_err(|_| BAD_KEY)?);
    if !short_vectors_are_short(set, bytes) {
        return Err(BAD_KEY);
    }
    let private = Private::<P>::new(ExpandedSigningKey::from_expanded(&encoded));
    // tr, after ρ and K: the digest of the public key that follows from the rest.
    if bytes.get(64..128) != Some(&private.digest[..]) {
        return Err(BAD_KEY);
    }
    let public = VerifyingKey::<P>::decode(&private.public);
    let verifier = Public { key: public, digest: private.digest };
    let message: &[&[u8]] = &[b"do the parts belong together?"];
    let signature = private.sign(message, None).map_err(|_| BAD_KEY)?;
    verifier.verify(message, &signature).map_err(|_| BAD_KEY)?;
    Ok(Box::new(private))
}

/// Whether the coefficients of s₁ and s₂ are in their range: each is written as η minus itself, in 3 bits
/// where η is 2 and in 4 where it is 4. FIPS 204, algorithms 24 and 25 and table 1.
fn short_vectors_are_short(set: SignatureSet, private: &[u8]) -> bool {
    let (polynomials, bits) = match set {
        SignatureSet::MlDsa44 => (4 + 4, 3),
        SignatureSet::MlDsa65 => (5 + 6, 4),
        SignatureSet::MlDsa87 => (7 + 8, 3),
        _ => return false,
    };
    // After ρ, K and tr.
    let Some(vectors) = private.get(128..128 + polynomials * 32 * bits) else { return false };
    // Eight coefficients have as many bytes as one has bits.
    vectors.chunks(bits).all(|chunk| {
        let group = chunk.iter().rev().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
        let (mask, largest) = if bits == 3 { (7, 4) } else { (15, 8) };
        (0..8).all(|at| group >> (at * bits) & mask <= largest)
    })
}

struct Private<P: MlDsaParams> {
    key: ExpandedSigningKey<P>,
    public: EncodedVerifyingKey<P>,
    /// tr: the digest of the public key.
    digest: [u8; 64],
}

struct Public<P: MlDsaParams> {
    key: VerifyingKey<P>,
    /// tr, as above.
    digest: [u8; 64],
}

impl<P: MlDsaParams> Private<P> {
    fn new(key: ExpandedSigningKey<P>) -> Private<P> {
        let public = key.verifying_key().encode();
        let digest = shake256(&[&public]);
        Private { key, public, digest }
    }
}

/// μ of FIPS 204, section 6.2, step 6.
fn representative(digest: &[u8; 64], message: &[&[u8]]) -> [u8; 64] {
    let mut parts = vec![digest.as_slice()];
    parts.extend_from_slice(message);
    shake256(&parts)
}

impl<P: MlDsaParams> PqPrivateKey for Private<P>
where
    ExpandedSigningKey<P>: Send + Sync,
    EncodedVerifyingKey<P>: Send + Sync,
{
    fn sign(&self, message: &[&[u8]], randomizer: Option<&[u8]>) -> Result<Vec<u8>> {
        let random = match randomizer {
            None => [0; 32],
            Some(random) => random
                .try_into()
                .map_err(|_| Error::ArgumentsBad("a randomizer of another length than its set's"))?,
        };
        let message = representative(&self.digest, message).into();
        let signature = self.key.sign_mu_randomized(&message, &mut Given(Zeroizing::new(random)));
        let signature = signature.map_err(|_| Error::CryptoFailed("ML-DSA"))?;
        Ok(signature.encode().to_vec())
    }

    fn public_key(&self) -> Vec<u8> {
        self.public.to_vec()
    }

    #[expect(deprecated, reason = "PKCS #11 has private keys in this form")]
    fn private_key(&self) -> Secret {
        Secret::copy_of(&Zeroizing::new(self.key.to_expanded()))
    }
}

impl<P: MlDsaParams> PqPublicKey for Public<P>
where
    VerifyingKey<P>: Send + Sync,
{
    fn verify(&self, message: &[&[u8]], signature: &[u8]) -> Result<()> {
        let encoded = EncodedSignature::<P>::try_from(signature).map_err(|_| Error::SignatureLength)?;
        let signature = Signature::<P>::decode(&encoded).ok_or(Error::SignatureInvalid)?;
        let message = representative(&self.digest, message).into();
        if self.key.verify_mu(&message, &signature) { Ok(()) } else { Err(Error::SignatureInvalid) }
    }
}

/// A generator that gives out 32 bytes that were drawn before.
struct Given(Zeroizing<[u8; 32]>);

impl TryRng for Given {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> std::result::Result<u32, Infallible> {
        let [first, second, third, fourth, ..] = *self.0;
        Ok(u32::from_le_bytes([first, second, third, fourth]))
    }

    fn try_next_u64(&mut self) -> std::result::Result<u64, Infallible> {
        let (number, _) = self.0.split_first_chunk().unwrap_or((&[0; 8], &[]));
        Ok(u64::from_le_bytes(*number))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> std::result::Result<(), Infallible> {
        for (byte, given) in out.iter_mut().zip(*self.0) {
            *byte = given;
        }
        Ok(())
    }
}

impl TryCryptoRng for Given {}

#[cfg(test)]
mod tests {
    use super::*;

    const SETS: [SignatureSet; 3] = [SignatureSet::MlDsa44, SignatureSet::MlDsa65, SignatureSet::MlDsa87];

    fn expanded(set: SignatureSet) -> Vec<u8> {
        let key = private(set, PrivateForm::Seed(&[7; 32])).unwrap().unwrap();
        key.private_key().expose().to_vec()
    }

    fn refused(set: SignatureSet, bytes: &[u8]) -> bool {
        matches!(private(set, PrivateForm::Expanded(bytes)).unwrap(), Err(Error::ArgumentsBad(_)))
    }

    #[test]
    fn an_expanded_key_is_the_seeds() {
        for set in SETS {
            let bytes = expanded(set);
            assert_eq!(bytes.len(), set.private_len());
            let (of_seed, of_bytes) = (PrivateForm::Seed(&[7; 32]), PrivateForm::Expanded(&bytes));
            let [one, other] = [of_seed, of_bytes].map(|form| private(set, form).unwrap().unwrap());
            assert_eq!(one.public_key(), other.public_key());
            assert_eq!(one.sign(&[b"message"], None).unwrap(), other.sign(&[b"message"], None).unwrap());
        }
    }

    #[test]
    fn a_coefficient_out_of_range_is_refused() {
        for set in SETS {
            let bytes = expanded(set);
            // The first and the last byte of the short vectors.
            let end = match set {
                SignatureSet::MlDsa44 => 128 + 8 * 96,
                SignatureSet::MlDsa65 => 128 + 11 * 128,
                _ => 128 + 15 * 96,
            };
            for at in [128, end - 1] {
                let mut damaged = bytes.clone();
                damaged[at] = 0xff;
                assert!(refused(set, &damaged), "{set:?}, byte {at}");
            }
        }
    }

    #[test]
    fn parts_that_do_not_belong_together_are_refused() {
        for set in SETS {
            let bytes = expanded(set);
            // The seed of the matrix, and the digest of the public key.
            for at in [0, 64, 127] {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1;
                assert!(refused(set, &damaged), "{set:?}, byte {at}");
            }
            let mut damaged = bytes.clone();
            damaged[set.private_len() - 416..].fill(0x5a);
            assert!(refused(set, &damaged), "{set:?}, the low part of t");
            assert!(refused(set, &bytes[1..]));
        }
    }

    #[test]
    fn hedged_signatures_differ_and_verify() {
        for set in SETS {
            let key = private(set, PrivateForm::Seed(&[7; 32])).unwrap().unwrap();
            let verifier = public(set, &key.public_key()).unwrap().unwrap();
            let plain = key.sign(&[b"mes", b"sage"], None).unwrap();
            let hedged = key.sign(&[b"message"], Some(&[1; 32])).unwrap();
            assert_ne!(plain, hedged);
            for signature in [&plain, &hedged] {
                verifier.verify(&[b"message"], signature).unwrap();
                let other = verifier.verify(&[b"massage"], signature);
                assert!(matches!(other, Err(Error::SignatureInvalid)));
                let short = verifier.verify(&[b"message"], &signature[1..]);
                assert!(matches!(short, Err(Error::SignatureLength)));
            }
            assert!(matches!(key.sign(&[], Some(&[1; 31])), Err(Error::ArgumentsBad(_))));
        }
    }
}
