//! Signatures of ML-DSA and SLH-DSA: what stands before the message (FIPS 204, algorithms 2 to 5; FIPS 205,
//! algorithms 22 to 25), and the parameters that say so. PKCS #11 3.2, sections 6.67 and 6.69.

use cryptoki_sys::*;
use der::Encode;

use super::context::Context;
use super::digest_info;
use super::params::{Parameter, hash_of_mechanism};
use super::scheme::Scheme;
use super::table::Row;
use crate::crypto::{Hash, PreHash};
use crate::error::{Error, Result};
use crate::object::material::Key;
use crate::object::parameter_sets::ParameterSet;
use crate::rng;

/// A post-quantum signature scheme.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PostQuantum {
    /// CKK_ML_DSA or CKK_SLH_DSA.
    pub key_type: u64,
    /// What is signed.
    pub input: Signed,
    /// The context.
    pub context: Context,
    /// Whether random bytes go into signatures. Verification does not ask.
    pub hedged: bool,
}

/// What a signature is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signed {
    /// The message itself.
    Message,
    /// The message's digest, which is made here.
    Hashed(PreHash),
    /// The message's digest, which the caller gives.
    Digest(PreHash),
}

/// CKM_HASH_ML_DSA_… and CKM_HASH_SLH_DSA_… with their hash functions.
#[rustfmt::skip]
const PRE_HASHES: [(u64, u64, PreHash); 10] = [
    (CKM_HASH_ML_DSA_SHA224,   CKM_HASH_SLH_DSA_SHA224,   PreHash::Fixed(Hash::Sha224)),
    (CKM_HASH_ML_DSA_SHA256,   CKM_HASH_SLH_DSA_SHA256,   PreHash::Fixed(Hash::Sha256)),
    (CKM_HASH_ML_DSA_SHA384,   CKM_HASH_SLH_DSA_SHA384,   PreHash::Fixed(Hash::Sha384)),
    (CKM_HASH_ML_DSA_SHA512,   CKM_HASH_SLH_DSA_SHA512,   PreHash::Fixed(Hash::Sha512)),
    (CKM_HASH_ML_DSA_SHA3_224, CKM_HASH_SLH_DSA_SHA3_224, PreHash::Fixed(Hash::Sha3_224)),
    (CKM_HASH_ML_DSA_SHA3_256, CKM_HASH_SLH_DSA_SHA3_256, PreHash::Fixed(Hash::Sha3_256)),
    (CKM_HASH_ML_DSA_SHA3_384, CKM_HASH_SLH_DSA_SHA3_384, PreHash::Fixed(Hash::Sha3_384)),
    (CKM_HASH_ML_DSA_SHA3_512, CKM_HASH_SLH_DSA_SHA3_512, PreHash::Fixed(Hash::Sha3_512)),
    (CKM_HASH_ML_DSA_SHAKE128, CKM_HASH_SLH_DSA_SHAKE128, PreHash::Shake128),
    (CKM_HASH_ML_DSA_SHAKE256, CKM_HASH_SLH_DSA_SHAKE256, PreHash::Shake256),
];

/// CKM_ML_DSA and CKM_SLH_DSA.
pub(super) fn pure(row: &Row, parameter: &Parameter) -> Result<Scheme> {
    scheme(row, parameter, Signed::Message)
}

/// CKM_HASH_ML_DSA_… and CKM_HASH_SLH_DSA_….
pub(super) fn hashed(row: &Row, parameter: &Parameter) -> Result<Scheme> {
    let fits = |(lattice, hashes, _): &&(u64, u64, PreHash)| *lattice == row.kind || *hashes == row.kind;
    let (.., hash) = PRE_HASHES.iter().find(fits).ok_or(Error::MechanismInvalid)?;
    scheme(row, parameter, Signed::Hashed(*hash))
}

/// CKM_HASH_ML_DSA and CKM_HASH_SLH_DSA. MD5 and SHA-1 are not among the hash functions that the standards
/// allow before a signature.
pub(super) fn digest(row: &Row, parameter: &Parameter) -> Result<Scheme> {
    let Parameter::SignContext { hash: Some(hash), .. } = parameter else {
        return Err(Error::MechanismParamInvalid);
    };
    match hash_of_mechanism(*hash)? {
        Hash::Md5 | Hash::Gostr3411 | Hash::Sha1 => Err(Error::MechanismParamInvalid),
        hash => scheme(row, parameter, Signed::Digest(PreHash::Fixed(hash))),
    }
}

fn scheme(row: &Row, parameter: &Parameter, input: Signed) -> Result<Scheme> {
    let key_type = *row.keys.first().ok_or(Error::MechanismInvalid)?;
    let (context, hedged) = match parameter {
        Parameter::None => (Context::NONE, true),
        Parameter::SignContext { hedge, context, .. } => {
            let hedged = match *hedge {
                CKH_HEDGE_PREFERRED | CKH_HEDGE_REQUIRED => true,
                CKH_DETERMINISTIC_REQUIRED => false,
                _ => return Err(Error::MechanismParamInvalid),
            };
            (Context::new(context)?, hedged)
        }
        _ => return Err(Error::MechanismParamInvalid),
    };
    Ok(Scheme::PostQuantum(PostQuantum { key_type, input, context, hedged }))
}

impl PostQuantum {
    /// The hash before the signature, and whether it is made here.
    pub(super) fn pre_hash(&self) -> Option<PreHash> {
        match self.input {
            Signed::Message => None,
            Signed::Hashed(hash) | Signed::Digest(hash) => Some(hash),
        }
    }

    /// What stands before the message or its digest in M′: a mark, the context with its length, and the
    /// hash function's identifier.
    fn prefix(&self) -> Result<Vec<u8>> {
        let mut prefix = vec![u8::from(self.pre_hash().is_some()), self.context.len()];
        prefix.extend_from_slice(self.context.as_bytes());
        if let Some(hash) = self.pre_hash() {
            let oid = digest_info::pre_hash_oid(hash).to_der();
            prefix.extend(oid.map_err(|_| Error::CryptoFailed("an identifier did not encode"))?);
        }
        Ok(prefix)
    }

    fn check(&self, message: &[u8]) -> Result<()> {
        match self.pre_hash() {
            Some(hash) if message.len() != hash.len() => Err(Error::DataLength),
            _ => Ok(()),
        }
    }

    pub(super) fn sign(&self, key: &Key, message: &[u8]) -> Result<Vec<u8>> {
        self.check(message)?;
        let ParameterSet::Signature(set) = ParameterSet::of(key.object())? else {
            return Err(Error::KeyTypeInconsistent);
        };
        let random = if self.hedged { Some(rng::secret(set.randomizer_len())?) } else { None };
        let random = random.as_ref().map(|random| random.expose());
        key.pq_private()?.sign(&[&self.prefix()?, message], random)
    }

    pub(super) fn verify(&self, key: &Key, message: &[u8], signature: &[u8]) -> Result<()> {
        self.check(message)?;
        key.pq_public()?.verify(&[&self.prefix()?, message], signature)
    }
}

/// Length in bytes of a signature by this key; 0 of other keys.
pub(super) fn signature_len(key: &Key) -> usize {
    match ParameterSet::of(key.object()) {
        Ok(ParameterSet::Signature(set)) => set.signature_len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
