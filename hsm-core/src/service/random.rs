//! Random numbers. PKCS #11 3.2, section 5.22.

use crate::error::{Error, Result};
use crate::rng;
use crate::session::Session;

impl Session {
    /// Fills `out` with random bytes.
    ///
    /// # Errors
    /// [`Error::RandomFailed`].
    pub fn random(&self, out: &mut [u8]) -> Result<()> {
        rng::fill(out)
    }

    /// Takes no seed: the generator seeds itself from the system.
    ///
    /// # Errors
    /// [`Error::SeedNotSupported`], always.
    pub fn seed_random(&self, _seed: &[u8]) -> Result<()> {
        Err(Error::SeedNotSupported)
    }
}
