//! SLH-DSA on crate `slh-dsa`. FIPS 205. The crate puts nothing before the message here: its functions
//! "internal" are those of FIPS 205, section 9, and the context is the caller's.

use slh_dsa::{ParameterSet, Signature, SigningKey, VerifyingKey};
use slh_dsa::{Sha2_128f, Sha2_128s, Sha2_192f, Sha2_192s, Sha2_256f, Sha2_256s};
use slh_dsa::{Shake128f, Shake128s, Shake192f, Shake192s, Shake256f, Shake256s};
use zeroize::Zeroizing;

use crate::crypto::{PqPrivateKey, PqPublicKey, PrivateForm, SignatureSet};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// Evaluates `$body` with `$name` standing for the crate's type of `$set`.
macro_rules! with_set {
    ($set:expr, $name:ident => $body:expr, $other:expr) => {
        with_set! { @ $set, $name, $body, $other;
            SlhDsaSha2_128s Sha2_128s, SlhDsaShake128s Shake128s,
            SlhDsaSha2_128f Sha2_128f, SlhDsaShake128f Shake128f,
            SlhDsaSha2_192s Sha2_192s, SlhDsaShake192s Shake192s,
            SlhDsaSha2_192f Sha2_192f, SlhDsaShake192f Shake192f,
            SlhDsaSha2_256s Sha2_256s, SlhDsaShake256s Shake256s,
            SlhDsaSha2_256f Sha2_256f, SlhDsaShake256f Shake256f
        }
    };
    (@ $set:expr, $name:ident, $body:expr, $other:expr; $($variant:ident $type:ident),*) => {
        match $set {
            $(SignatureSet::$variant => {
                type $name = $type;
                $body
            })*
            SignatureSet::MlDsa44 | SignatureSet::MlDsa65 | SignatureSet::MlDsa87 => $other,
        }
    };
}

/// Prepares a private key. Whether the root at the end of an expanded one belongs to its seeds costs as much
/// as a key's generation and is not looked at.
pub(super) fn private(set: SignatureSet, form: PrivateForm<'_>) -> Result<Box<dyn PqPrivateKey>> {
    with_set!(set, P => match form {
        PrivateForm::Seed(seed) => {
            let length = set.randomizer_len();
            let mut parts = seed.chunks(length);
            match (parts.next(), parts.next(), parts.next()) {
                (Some(secret), Some(prf), Some(public)) if seed.len() == 3 * length => {
                    let key = SigningKey::<P>::slh_keygen_internal(secret, prf, public);
                    Ok(Box::new(Private { set, key }))
                }
                _ => Err(BAD_KEY),
            }
        }
        PrivateForm::Expanded(bytes) => {
            let key = SigningKey::<P>::try_from(bytes).map_err(|_| BAD_KEY)?;
            Ok(Box::new(Private { set, key }))
        }
    }, Err(Error::NotSupported))
}

/// Prepares a public key. Any bytes of its length are one.
pub(super) fn public(set: SignatureSet, public: &[u8]) -> Result<Box<dyn PqPublicKey>> {
    with_set!(set, P => {
        let key = VerifyingKey::<P>::try_from(public).map_err(|_| Error::PublicKeyInvalid)?;
        Ok(Box::new(Public { set, key }))
    }, Err(Error::NotSupported))
}

const BAD_KEY: Error = Error::ArgumentsBad("an SLH-DSA private key of another length than its set's");

struct Private<P: ParameterSet> {
    set: SignatureSet,
    key: SigningKey<P>,
}

struct Public<P: ParameterSet> {
    set: SignatureSet,
    key: VerifyingKey<P>,
}

impl<P: ParameterSet + Send + Sync> PqPrivateKey for Private<P>
where
    SigningKey<P>: Send + Sync,
{
    fn sign(&self, message: &[&[u8]], randomizer: Option<&[u8]>) -> Result<Vec<u8>> {
        if randomizer.is_some_and(|random| random.len() != self.set.randomizer_len()) {
            return Err(Error::ArgumentsBad("a randomizer of another length than its set's"));
        }
        Ok(self.key.slh_sign_internal(message, randomizer).to_bytes().to_vec())
    }

    fn public_key(&self) -> Vec<u8> {
        self.key.as_ref().to_bytes().to_vec()
    }

    fn private_key(&self) -> Secret {
        Secret::copy_of(&Zeroizing::new(self.key.to_bytes()))
    }
}

impl<P: ParameterSet + Send + Sync> PqPublicKey for Public<P>
where
    VerifyingKey<P>: Send + Sync,
{
    fn verify(&self, message: &[&[u8]], signature: &[u8]) -> Result<()> {
        if signature.len() != self.set.signature_len() {
            return Err(Error::SignatureLength);
        }
        let signature = Signature::<P>::try_from(signature).map_err(|_| Error::SignatureInvalid)?;
        self.key.slh_verify_internal(message, &signature).map_err(|_| Error::SignatureInvalid)
    }
}
