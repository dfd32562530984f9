//! Key derivation: what a mechanism makes of a base key. The new key's length and attributes are
//! the service's matter.

use cryptoki_sys::*;

use super::params::{self, Kdf, Mechanism, Parameter};
use super::table::Row;
use crate::crypto;
use crate::error::{Error, Result};
use crate::object::material::{self, Key};
use crate::secret::Secret;

/// Derived bytes, and which of them a shorter key takes.
pub(crate) enum Derived {
    /// The shared secret itself (CKD_NULL): a shorter key loses leading bytes, as
    /// sections 6.3.17 and 6.4.10 say ("truncated … by removing bytes from the leading end").
    SharedSecret(Secret),
    /// A key derivation function, which gives as many bytes as wanted.
    Expanded(Secret),
}

/// CKM_ECDH1_DERIVE and, since every curve here has cofactor 1 (and X25519 and X448 clear their own),
/// CKM_ECDH1_COFACTOR_DERIVE.
pub(super) fn ecdh(parameter: &Parameter, key: &Key) -> Result<Secret> {
    let Parameter::Ecdh { public, .. } = parameter else { return Err(Error::MechanismParamInvalid) };
    // The point comes raw, or as DER OCTET STRING: "backwards compatible" callers send either.
    let shared = match material::octet_string(public) {
        Some(inner) => agree(key, inner).or_else(|_| agree(key, public)),
        None => agree(key, public),
    };
    shared.map_err(|error| match error {
        Error::PublicKeyInvalid => Error::MechanismParamInvalid,
        other => other,
    })
}

/// CKM_DH_PKCS_DERIVE.
pub(super) fn dh(parameter: &Parameter, key: &Key) -> Result<Secret> {
    let Parameter::PublicValue(public) = parameter else { return Err(Error::MechanismParamInvalid) };
    key.dh_private()?.agree(public).map_err(|error| match error {
        Error::PublicKeyInvalid => Error::MechanismParamInvalid,
        other => other,
    })
}

/// The secret that a private key shares with a public point.
pub(super) fn agree(key: &Key, point: &[u8]) -> Result<Secret> {
    match key.object().key_type() {
        Some(CKK_EC_MONTGOMERY) => key.x_private()?.agree(point),
        _ => key.ec_private()?.agree(point),
    }
}

impl Mechanism {
    /// Derives from `base`, which has been found fit. `length` is that of the new key in bytes, where
    /// it is known.
    pub(crate) fn derive(&self, row: &Row, base: &Key, length: Option<usize>) -> Result<Secret> {
        let shared = row.derive.ok_or(Error::MechanismInvalid)?(&self.parameter, base)?;
        self.shared_to_key(shared, length)
    }

    /// A key of so many bytes, or as long as the parameter's key derivation function makes it, from a shared secret.
    pub(super) fn shared_to_key(&self, shared: Secret, length: Option<usize>) -> Result<Secret> {
        let derived = match &self.parameter {
            Parameter::PublicValue(_) => Derived::SharedSecret(shared),
            Parameter::Ecdh { kdf, shared: info, .. } => match params::kdf(*kdf)? {
                None if !info.is_empty() => return Err(Error::MechanismParamInvalid),
                None => Derived::SharedSecret(shared),
                Some(kdf) => Derived::Expanded(expand(kdf, shared.expose(), info, length)?),
            },
            _ => return Err(Error::MechanismParamInvalid),
        };
        derived.cut(length)
    }
}

impl Derived {
    fn cut(self, length: Option<usize>) -> Result<Secret> {
        match self {
            Derived::Expanded(secret) => Ok(secret),
            Derived::SharedSecret(secret) => {
                let Some(length) = length else { return Ok(secret) };
                let from =
                    secret.len().checked_sub(length).ok_or(Error::TemplateInconsistent(CKA_VALUE_LEN))?;
                Ok(Secret::copy_of(secret.expose().get(from..).unwrap_or_default()))
            }
        }
    }
}

/// The key derivation functions of ANSI X9.63, section 5.6.3, Hash(Z ‖ counter ‖ info), and of NIST SP 800-56C,
/// section 4.1, Hash(counter ‖ Z ‖ info). The counter begins with 1; without a length the key is one digest
/// long.
fn expand(kdf: Kdf, shared: &[u8], info: &[u8], length: Option<usize>) -> Result<Secret> {
    let (Kdf::X963(hash) | Kdf::OneStep(hash)) = kdf;
    let mut out = Secret::zeroed(length.unwrap_or(hash.len()));
    for (counter, chunk) in (1_u32..).zip(out.expose_mut().chunks_mut(hash.len())) {
        let counter = counter.to_be_bytes();
        let parts: [&[u8]; 3] = match kdf {
            Kdf::X963(_) => [shared, &counter, info],
            Kdf::OneStep(_) => [&counter, shared, info],
        };
        let block = zeroize::Zeroizing::new(crypto::hash_of(hash, &parts)?);
        chunk.copy_from_slice(block.get(..chunk.len()).unwrap_or_default());
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Hash;

    /// Hash, secret, info, and the first 80 bytes of the key, by NIST's ACVP server
    /// (KDA-OneStep-Sp800-56Cr2, test cases 51, 149 and 483).
    const ONE_STEP: [(Hash, &str, &str, &str); 3] = [
        (
            Hash::Sha224,
            "39c8157ee27ea3de59d7bea0a1977f0344301301c68332318094caa8",
            "d00dc74238f107c5b649db54cf94924941cecd0f17d8f0a7d8558659bf351e06\
             691b02b24c05f1b4ef8397507045b20400000400",
            "24c2d2ca50aac25ccd89e8d171a9124101c726df12b07e5436b1d037ca79fe97ce5325ea21713d6f\
             dce9c81d779bda4956255a11bced2fc922a41619a89d370b7fca15f5f6573fac157c81237754fc5f",
        ),
        (
            Hash::Sha512,
            "d43ced4aa1a7464463991451c611efdb9a91ae1836f57681d7bca961",
            "dd0ca78ec99a7a349c391c032c0a4a525414d455dba482b993b2db2c86a01056\
             3a948d1a011a98a80e7a78d36945c19e00000400",
            "0d597b9fe2400870dc24ec20993a3794e5020945273ed2cb0ea37fe205aaf1c687d316de57d94cf3\
             003c119d11804a2907e2ab5f994eabaaaa0ebc455855bbb5f1bbab8924c0cb15f3f95dc7ca2da120",
        ),
        (
            Hash::Sha3_512,
            "945988c3350f357b82689c1047240c56cf4c47367da62853cd2dd02e",
            "f1163dd0b5e886576ba0be542b2d2ccc0cf4af85a361d4467649c0f89edafad1\
             cfca0af8c1f87694d434a5a1614a15d100000400",
            "0c2dcdab226d64b7e5b2a9cd49571c60e0d18f3e0f819816a97468260732d9196a6c77795adf96cb\
             7ca690343435c651e4e53e379d1c24f809be26ba7b864cc633bc8e8cd743daa4773d0996f2c12f75",
        ),
    ];

    #[test]
    fn one_step_derivation_is_that_of_acvp() {
        for (hash, secret, info, expected) in ONE_STEP {
            let [secret, info, expected] = [secret, info, expected].map(|text| hex::decode(text).unwrap());
            let key = expand(Kdf::OneStep(hash), &secret, &info, Some(expected.len())).unwrap();
            assert!(key.equals(&expected), "{hash:?}");
        }
    }

    #[test]
    fn without_a_length_a_key_is_one_digest() {
        let key = expand(Kdf::OneStep(Hash::Sha1), &[7; 32], &[], None).unwrap();
        assert!(key.equals(&crypto::hash_of(Hash::Sha1, &[&[0, 0, 0, 1], &[7; 32]]).unwrap()));
        let key = expand(Kdf::X963(Hash::Sha1), &[7; 32], &[], None).unwrap();
        assert!(key.equals(&crypto::hash_of(Hash::Sha1, &[&[7; 32], &[0, 0, 0, 1]]).unwrap()));
    }
}
