//! Random numbers. PKCS #11 3.2, section 5.22.

use std::sync::{Mutex, PoisonError};

use crate::crypto::{self, AesMode, Digest, Direction, Hash};
use crate::error::{Error, Result};
use crate::rng;
use crate::secret::Secret;
use crate::session::Session;

/// What callers of this process gave as seeds, digested; `None` while nobody gave any.
static SEEDS: Mutex<Option<Secret>> = Mutex::new(None);

impl Session {
    /// Fills `out` with random bytes: those of the generator, which seeds itself from the system. Where seeds were
    /// given, a key stream that depends on them is added, so that they can make nothing worse.
    ///
    /// # Errors
    /// [`Error::RandomFailed`].
    pub fn random(&self, out: &mut [u8]) -> Result<()> {
        rng::fill(out)?;
        let seeds = SEEDS.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(Secret::duplicate);
        match seeds {
            Some(seeds) => add_stream(&seeds, out),
            None => Ok(()),
        }
    }

    /// Takes seed material for the numbers that this process draws later.
    ///
    /// # Errors
    /// Those of the digest.
    pub fn seed_random(&self, seed: &[u8]) -> Result<()> {
        let mut seeds = SEEDS.lock().unwrap_or_else(PoisonError::into_inner);
        let before = seeds.as_ref().map_or(&[][..], Secret::expose);
        let after = digest(&[before, seed])?;
        *seeds = Some(after);
        Ok(())
    }
}

fn digest(parts: &[&[u8]]) -> Result<Secret> {
    let mut digest: Box<dyn Digest> = crypto::digest(Hash::Sha256)?;
    for part in parts {
        digest.update(part)?;
    }
    let mut out = Secret::zeroed(Hash::Sha256.len());
    digest.finish(out.expose_mut())?;
    Ok(out)
}

/// Adds AES-256-CTR under a key of the seeds and of fresh random bytes, so that no stream comes twice.
fn add_stream(seeds: &Secret, out: &mut [u8]) -> Result<()> {
    let fresh = rng::secret(Hash::Sha256.len())?;
    let key = digest(&[seeds.expose(), fresh.expose()])?;
    let mode = AesMode::Ctr { block: &[0; 16], counter_bits: 128 };
    let mut cipher = crypto::aes(mode, Direction::Encrypt, key.expose())?;
    let drawn = Secret::copy_of(out);
    let written = cipher.once(drawn.expose(), out)?;
    if written == out.len() { Ok(()) } else { Err(Error::RandomFailed) }
}
