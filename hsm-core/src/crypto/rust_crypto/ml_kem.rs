//! ML-KEM on crate `ml-kem`. FIPS 203.
#![expect(deprecated, reason = "PKCS #11 has private keys in expanded form, and not always a seed beside it")]

use ml_kem::ExpandedKeyEncoding;
use ml_kem::array::Array;
use ml_kem::kem::KeyExport;
use ml_kem::{Decapsulate, ml_kem_512, ml_kem_768, ml_kem_1024};
use zeroize::Zeroizing;

use crate::crypto::{KemPrivateKey, KemPublicKey, KemSet, PrivateForm};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// Evaluates `$body` with `$name` standing for the crate's module of `$set`.
macro_rules! with_set {
    ($set:expr, $name:ident => $body:expr) => {
        match $set {
            KemSet::MlKem512 => {
                use ml_kem_512 as $name;
                $body
            }
            KemSet::MlKem768 => {
                use ml_kem_768 as $name;
                $body
            }
            KemSet::MlKem1024 => {
                use ml_kem_1024 as $name;
                $body
            }
        }
    };
}

/// Prepares a private key. An expanded one must have the digest of its public key in it, and must open what
/// that public key closes.
pub(super) fn private(set: KemSet, form: PrivateForm<'_>) -> Result<Box<dyn KemPrivateKey>> {
    with_set!(set, module => match form {
        PrivateForm::Seed(seed) => {
            let seed = Zeroizing::new(Array::try_from(seed).map_err(|_| BAD_SEED)?);
            Ok(Box::new(module::DecapsulationKey::from_seed(*seed)))
        }
        PrivateForm::Expanded(bytes) => {
            let bytes = Zeroizing::new(Array::try_from(bytes).map_err(|_| BAD_KEY)?);
            let key = module::DecapsulationKey::from_expanded_bytes(&bytes).map_err(|_| BAD_KEY)?;
            let (ciphertext, shared) = key.encapsulation_key().encapsulate(&[0x5a; 32])?;
            if !KemPrivateKey::decapsulate(&key, &ciphertext)?.equals(shared.expose()) {
                return Err(BAD_KEY);
            }
            Ok(Box::new(key))
        }
    })
}

/// Prepares a public key, whose numbers must be below the modulus. FIPS 203, section 7.2.
pub(super) fn public(set: KemSet, public: &[u8]) -> Result<Box<dyn KemPublicKey>> {
    with_set!(set, module => {
        let bytes = Array::try_from(public).map_err(|_| Error::PublicKeyInvalid)?;
        let key = module::EncapsulationKey::new(&bytes).map_err(|_| Error::PublicKeyInvalid)?;
        Ok(Box::new(key))
    })
}

const BAD_SEED: Error = Error::ArgumentsBad("an ML-KEM seed has 64 bytes");
const BAD_KEY: Error = Error::ArgumentsBad("this is no ML-KEM private key");

/// The traits for one set's types.
macro_rules! implement {
    ($($module:ident)*) => { $(
        impl KemPrivateKey for $module::DecapsulationKey {
            fn decapsulate(&self, ciphertext: &[u8]) -> Result<Secret> {
                let ciphertext = Array::try_from(ciphertext).map_err(|_| Error::EncryptedDataLength)?;
                Ok(Secret::copy_of(&Zeroizing::new(Decapsulate::decapsulate(self, &ciphertext))))
            }

            fn public_key(&self) -> Vec<u8> {
                self.encapsulation_key().to_bytes().to_vec()
            }

            fn private_key(&self) -> Secret {
                Secret::copy_of(&Zeroizing::new(self.to_expanded_bytes()))
            }
        }

        impl KemPublicKey for $module::EncapsulationKey {
            fn encapsulate(&self, random: &[u8; 32]) -> Result<(Vec<u8>, Secret)> {
                let random = Zeroizing::new(Array::from(*random));
                let (ciphertext, shared) = self.encapsulate_deterministic(&random);
                Ok((ciphertext.to_vec(), Secret::copy_of(&Zeroizing::new(shared))))
            }
        }
    )* };
}
implement! { ml_kem_512 ml_kem_768 ml_kem_1024 }
