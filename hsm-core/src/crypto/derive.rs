//! Derivation of secrets from secrets, as KMIP's Derive Key names it (KMIP 2.1, sections 6.1.18 and 7.12).
//! Built on the providers' HMAC, CMAC, digests and PBKDF2; what is derived has a length limit.

use zeroize::Zeroizing;

use super::{Hash, Mac, cmac, des3_cmac, hash_of, hmac, pbkdf2};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// The longest secret that is derived, in bytes.
pub const LONGEST_DERIVED: usize = 64 << 10;

/// The most iterations of PBKDF2 in one derivation, over all blocks of the output: some seconds of work, and as many
/// as RFC 6070's longest vector has.
pub const MOST_ITERATIONS: u64 = 1 << 24;

/// A pseudorandom function of NIST SP 800-108.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Prf {
    /// HMAC.
    Hmac(Hash),
    /// AES-CMAC.
    Cmac,
    /// CMAC on Triple DES.
    Des3Cmac,
}

impl Prf {
    pub(super) fn begin(self, key: &[u8]) -> Result<Box<dyn Mac>> {
        match self {
            Prf::Hmac(hash) => hmac(hash, key),
            Prf::Cmac => cmac(key),
            Prf::Des3Cmac => des3_cmac(key),
        }
    }

    pub(super) fn of(self, key: &[u8], parts: &[&[u8]]) -> Result<Zeroizing<Vec<u8>>> {
        let mut mac = self.begin(key)?;
        for part in parts {
            mac.update(part)?;
        }
        let mut out = Zeroizing::new(vec![0; mac.len()]);
        mac.finish(&mut out)?;
        Ok(out)
    }
}

/// The modes of NIST SP 800-108, each with a counter of 32 bits before the fixed data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Iteration<'a> {
    /// Counter mode, section 5.1.
    Counter,
    /// Feedback mode, section 5.2.
    Feedback {
        /// The initialisation vector; it may be empty.
        iv: &'a [u8],
    },
    /// Double-pipeline iteration mode, section 5.3.
    DoublePipeline,
}

/// An empty secret of a length that may be derived.
fn room(length: usize) -> Result<Secret> {
    if (1..=LONGEST_DERIVED).contains(&length) { Ok(Secret::zeroed(length)) } else { Err(Error::DataLength) }
}

/// The first `length` bytes of a result that is long enough.
pub(crate) fn leading(result: &[u8], length: usize) -> Result<Secret> {
    result.get(..length).filter(|_| length > 0).map(Secret::copy_of).ok_or(Error::DataLength)
}

/// HASH: the leading bytes of the digest of a key or of data.
///
/// # Errors
/// [`Error::DataLength`] where the digest is shorter than `length` bytes.
pub fn derive_by_hash(hash: Hash, input: &[u8], length: usize) -> Result<Secret> {
    leading(&Zeroizing::new(hash_of(hash, &[input])?), length)
}

/// HMAC: the leading bytes of the HMAC of data under the key.
///
/// # Errors
/// As [`derive_by_hash`].
pub fn derive_by_hmac(hash: Hash, key: &[u8], data: &[u8], length: usize) -> Result<Secret> {
    leading(&Prf::Hmac(hash).of(key, &[data])?, length)
}

/// PBKDF2 with HMAC. RFC 8018, section 5.2.
///
/// # Errors
/// [`Error::DataLength`] for lengths outside 1 to [`LONGEST_DERIVED`], [`Error::ArgumentsBad`] for no
/// iteration or more work than [`MOST_ITERATIONS`].
pub fn derive_by_pbkdf2(
    hash: Hash,
    password: &[u8],
    salt: &[u8],
    iterations: u32,
    length: usize,
) -> Result<Secret> {
    let mut out = room(length)?;
    let work = u64::from(iterations).saturating_mul(length.div_ceil(hash.len()) as u64);
    if work == 0 || work > MOST_ITERATIONS {
        return Err(Error::ArgumentsBad("the iteration count of PBKDF2 is out of range"));
    }
    pbkdf2(hash, password, salt, iterations, out.expose_mut())?;
    Ok(out)
}

/// NIST SP 800-108. `fixed` is its fixed input data: label, a zero byte, context, and what else both
/// sides agree on.
///
/// # Errors
/// [`Error::DataLength`] for lengths outside 1 to [`LONGEST_DERIVED`], and those of the key.
pub fn derive_by_sp800_108(
    prf: Prf,
    mode: Iteration<'_>,
    key: &[u8],
    fixed: &[u8],
    length: usize,
) -> Result<Secret> {
    let mut out = room(length)?;
    let size = prf.begin(key)?.len();
    // K(i - 1) of the feedback mode, A(i) of the double pipeline.
    let mut chain = match mode {
        Iteration::Counter => Zeroizing::default(),
        Iteration::Feedback { iv } => Zeroizing::new(iv.to_vec()),
        Iteration::DoublePipeline => prf.of(key, &[fixed])?,
    };
    for (counter, chunk) in (1_u32..).zip(out.expose_mut().chunks_mut(size)) {
        let block = prf.of(key, &[&chain, &counter.to_be_bytes(), fixed])?;
        chunk.copy_from_slice(block.get(..chunk.len()).unwrap_or_default());
        match mode {
            Iteration::Counter => {}
            Iteration::Feedback { .. } => chain = block,
            Iteration::DoublePipeline => chain = prf.of(key, &[&chain])?,
        }
    }
    Ok(out)
}

/// HKDF: extract and expand. RFC 5869. An empty salt stands for as many zeros as the hash is long.
///
/// # Errors
/// [`Error::DataLength`] for lengths outside 1 to 255 times the hash's.
pub fn derive_by_hkdf(hash: Hash, input: &[u8], salt: &[u8], info: &[u8], length: usize) -> Result<Secret> {
    hkdf_expand(hash, hkdf_extract(hash, input, salt)?.expose(), info, length)
}

/// The first half of HKDF: a key as long as the hash.
pub fn hkdf_extract(hash: Hash, input: &[u8], salt: &[u8]) -> Result<Secret> {
    Ok(Secret::copy_of(&Prf::Hmac(hash).of(salt, &[input])?))
}

/// The second half of HKDF.
///
/// # Errors
/// As [`derive_by_hkdf`].
pub fn hkdf_expand(hash: Hash, key: &[u8], info: &[u8], length: usize) -> Result<Secret> {
    let mut out = room(length)?;
    let prf = Prf::Hmac(hash);
    let mut previous = Zeroizing::<Vec<u8>>::default();
    for (index, chunk) in out.expose_mut().chunks_mut(hash.len()).enumerate() {
        let counter = u8::try_from(index + 1).map_err(|_| Error::DataLength)?;
        previous = prf.of(key, &[&previous, info, &[counter]])?;
        chunk.copy_from_slice(previous.get(..chunk.len()).unwrap_or_default());
    }
    Ok(out)
}

/// The signing key of AWS Signature Version 4, 32 bytes, from a secret access key.
pub fn derive_by_aws_signature_v4(
    secret: &[u8],
    date: &[u8],
    region: &[u8],
    service: &[u8],
) -> Result<Secret> {
    let prf = Prf::Hmac(Hash::Sha256);
    let mut key = Zeroizing::new(Vec::with_capacity(4 + secret.len()));
    key.extend_from_slice(b"AWS4");
    key.extend_from_slice(secret);
    for part in [date, region, service, b"aws4_request"] {
        key = prf.of(&key, &[part])?;
    }
    Ok(Secret::copy_of(&key))
}

#[cfg(test)]
mod tests;
