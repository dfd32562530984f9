//! Random bytes, from AWS-LC or from the system. Nothing else is used: a generator kept in a
//! thread-local would give parent and child the same bytes after a fork.

use crate::error::{Error, Result};
use crate::secret::Secret;

/// Fills `out` with random bytes. AWS-LC reseeds itself after a fork.
#[cfg(feature = "aws-lc")]
pub fn fill(out: &mut [u8]) -> Result<()> {
    openssl::rand::rand_bytes(out).map_err(|_| Error::RandomFailed)
}

/// Fills `out` with random bytes of the operating system.
#[cfg(not(feature = "aws-lc"))]
pub fn fill(out: &mut [u8]) -> Result<()> {
    getrandom::fill(out).map_err(|_| Error::RandomFailed)
}

/// `N` random bytes.
pub fn array<const N: usize>() -> Result<[u8; N]> {
    let mut out = [0; N];
    fill(&mut out)?;
    Ok(out)
}

/// A random secret of `length` bytes.
pub fn secret(length: usize) -> Result<Secret> {
    let mut out = Secret::zeroed(length);
    fill(out.expose_mut())?;
    Ok(out)
}
