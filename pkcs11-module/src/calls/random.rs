//! Random numbers. PKCS #11 3.2, section 5.19.

use crate::library::Library;
use crate::rv::Outcome;

/// C_SeedRandom.
pub(crate) fn seed(library: &Library, session: u64, seed: Outcome<&[u8]>) -> Outcome {
    let session = library.session(session)?;
    Ok(session.seed_random(seed?)?)
}

/// C_GenerateRandom.
pub(crate) fn generate(library: &Library, session: u64, buffer: Outcome<&mut [u8]>) -> Outcome {
    let session = library.session(session)?;
    Ok(session.random(buffer?)?)
}
