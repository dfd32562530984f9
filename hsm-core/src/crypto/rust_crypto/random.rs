//! The bridge from [`crate::rng`] to the generator traits that RustCrypto takes.

use std::convert::Infallible;

use rsa::rand_core::{TryCryptoRng, TryRng};

use crate::error::{Error, Result};
use crate::rng;

/// The HSM's random generator, as a `rand_core` one that may fail.
pub(super) struct SystemRng;

impl TryRng for SystemRng {
    type Error = Error;

    fn try_next_u32(&mut self) -> Result<u32> {
        rng::array().map(u32::from_le_bytes)
    }

    fn try_next_u64(&mut self) -> Result<u64> {
        rng::array().map(u64::from_le_bytes)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<()> {
        rng::fill(out)
    }
}

impl TryCryptoRng for SystemRng {}

/// The same for functions that accept no failure (the search for primes). After a failure it gives
/// out a counter, only so that the search ends, and remembers; what was made must then be thrown
/// away, which [`SearchRng::run`] sees to.
pub(in crate::crypto) struct SearchRng {
    counter: u64,
    failed: bool,
}

impl SearchRng {
    /// Runs `search`; its result counts only if every byte it drew was random.
    pub(in crate::crypto) fn run<T>(search: impl FnOnce(&mut SearchRng) -> Result<T>) -> Result<T> {
        let mut generator = SearchRng { counter: 0, failed: false };
        let found = search(&mut generator);
        if generator.failed { Err(Error::RandomFailed) } else { found }
    }

    fn give_up(&mut self, out: &mut [u8]) {
        self.failed = true;
        for chunk in out.chunks_mut(8) {
            // An odd multiplier (2⁶⁴ divided by the golden ratio) spreads the counter over all bits.
            self.counter = self.counter.wrapping_add(0x9e37_79b9_7f4a_7c15);
            for (byte, value) in chunk.iter_mut().zip(self.counter.to_le_bytes()) {
                *byte = value;
            }
        }
    }
}

impl TryRng for SearchRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> std::result::Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> std::result::Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> std::result::Result<(), Infallible> {
        if self.failed || rng::fill(out).is_err() {
            self.give_up(out);
        }
        Ok(())
    }
}

impl TryCryptoRng for SearchRng {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_after_a_failure_is_thrown_away() {
        let result = SearchRng::run(|generator| {
            generator.give_up(&mut [0; 20]);
            Ok(())
        });
        assert!(matches!(result, Err(Error::RandomFailed)));
    }

    #[test]
    fn what_was_found_with_random_bytes_counts() {
        let result = SearchRng::run(|generator| {
            let mut bytes = [0; 32];
            let Ok(()) = generator.try_fill_bytes(&mut bytes);
            Ok(bytes)
        });
        assert_ne!(result.unwrap(), [0; 32]);
    }
}
