//! Nonces of messages: given by the caller or made here, and never the same twice from a generator within a
//! session. PKCS #11 3.2, section 6.13.11 (CKG_…); NIST SP 800-38D, section 8.

use std::collections::{HashMap, HashSet};

use cryptoki_sys::*;

use crate::crypto::{self, Hash};
use crate::error::{Error, Result};
use crate::object::material::Key;
use crate::rng;

/// What a caller says of a message's nonce.
#[derive(Clone, Debug)]
pub struct NonceRequest {
    /// The nonce, or where it is made here, its fixed part (with CKG_GENERATE_COUNTER_XOR all of it) and its
    /// length.
    pub nonce: Vec<u8>,
    /// How many bits at the beginning are kept.
    pub fixed_bits: u64,
    /// CKG_….
    pub generator: u64,
}

/// The fewest bits that may be random. SP 800-38D, section 8.2.2.
const RANDOM_BITS: usize = 96;

/// The most messages under one key with random nonces, or with nonces of another length than 12 bytes.
/// SP 800-38D, section 8.3.
const MOST_MESSAGES: u64 = 1 << 32;

/// The most sequences of nonces under one key.
const MOST_SEQUENCES: usize = 64;

/// The most nonces of callers that a session remembers, of all its keys.
const MOST_REMEMBERED: usize = 1 << 16;

/// The longest nonce that is made here, in bytes. A longer one of a caller's is none of these, so that it need not
/// be remembered.
const LONGEST_MADE: usize = 256;

/// The most keys whose nonces a session makes.
const MOST_KEYS: usize = 1 << 20;

/// Which key it is, by its value: a copy of a key must not begin to count anew.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyMark([u8; 32]);

impl KeyMark {
    /// The mark of a secret key.
    pub(crate) fn of(key: &Key) -> Result<KeyMark> {
        let mut mark = [0; 32];
        let mut digest = crypto::digest(Hash::Sha256)?;
        digest.update(key.secret_value())?;
        digest.finish(&mut mark)?;
        Ok(KeyMark(mark))
    }
}

/// The nonces of a session, for every key that it encrypted messages with. It lives as long as the session,
/// through logouts and through the ends of operations.
#[derive(Default)]
pub struct Nonces {
    keys: HashMap<KeyMark, Ledger>,
    remembered: usize,
    /// Nonces of callers were used that are not remembered: a key without a ledger may have had some.
    forgetful: bool,
}

/// The nonces of one key.
#[derive(Default)]
struct Ledger {
    sequences: Vec<Sequence>,
    given: HashSet<Vec<u8>>,
    /// Not all that callers gave are in `given`.
    incomplete: bool,
    /// Messages that count for [`MOST_MESSAGES`].
    messages: u64,
}

/// Nonces that are counted: the counter is XORed into the end of `base`.
struct Sequence {
    generator: u64,
    fixed_bits: usize,
    base: Vec<u8>,
    issued: u64,
}

impl Nonces {
    /// The nonce of the next message under a key.
    ///
    /// # Errors
    /// [`Error::MechanismParamInvalid`] for what cannot be made, and for a caller's nonce that was made here
    /// before; [`Error::NoncesUsedUp`].
    pub fn next(&mut self, key: KeyMark, request: &NonceRequest) -> Result<Vec<u8>> {
        if request.generator == CKG_NO_GENERATE {
            self.given(key, &request.nonce)?;
            return Ok(request.nonce.clone());
        }
        if request.nonce.len() > LONGEST_MADE {
            return Err(Error::MechanismParamInvalid);
        }
        let bits = request.nonce.len() * 8;
        let fixed_bits = usize::try_from(request.fixed_bits).ok().filter(|fixed| *fixed < bits);
        let fixed_bits = fixed_bits.ok_or(Error::MechanismParamInvalid)?;
        if !self.keys.contains_key(&key) && self.keys.len() >= MOST_KEYS {
            return Err(Error::NoncesUsedUp);
        }
        let forgetful = self.forgetful;
        let ledger =
            self.keys.entry(key).or_insert_with(|| Ledger { incomplete: forgetful, ..Ledger::default() });
        let random = bits - fixed_bits >= RANDOM_BITS;
        match request.generator {
            CKG_GENERATE | CKG_GENERATE_RANDOM if random => {
                ledger.count()?;
                random_behind(&request.nonce, fixed_bits)
            }
            CKG_GENERATE | CKG_GENERATE_COUNTER | CKG_GENERATE_COUNTER_XOR => {
                ledger.count_on(request, fixed_bits)
            }
            _ => Err(Error::MechanismParamInvalid),
        }
    }

    /// A caller's own nonce: that it is unique is his matter, but none that was made here is used again.
    fn given(&mut self, key: KeyMark, nonce: &[u8]) -> Result<()> {
        if nonce.len() > LONGEST_MADE {
            return Ok(());
        }
        if let Some(ledger) = self.keys.get(&key)
            && ledger.has_issued(nonce)
        {
            return Err(Error::MechanismParamInvalid);
        }
        if self.remembered >= MOST_REMEMBERED || self.keys.len() >= MOST_KEYS {
            self.forgetful = true;
            if let Some(ledger) = self.keys.get_mut(&key) {
                ledger.incomplete = true;
            }
            return Ok(());
        }
        let forgetful = self.forgetful;
        let ledger =
            self.keys.entry(key).or_insert_with(|| Ledger { incomplete: forgetful, ..Ledger::default() });
        self.remembered += usize::from(ledger.given.insert(nonce.to_vec()));
        Ok(())
    }
}

impl Ledger {
    fn has_issued(&self, nonce: &[u8]) -> bool {
        self.sequences.iter().any(|sequence| sequence.has_issued(nonce))
    }

    /// One more message whose nonce does not say by itself that it is new.
    fn count(&mut self) -> Result<()> {
        if self.messages >= MOST_MESSAGES {
            return Err(Error::NoncesUsedUp);
        }
        self.messages += 1;
        Ok(())
    }

    /// The next nonce of the sequence that the request means, which begins where there is none.
    fn count_on(&mut self, request: &NonceRequest, fixed_bits: usize) -> Result<Vec<u8>> {
        if self.incomplete {
            return Err(Error::MechanismParamInvalid);
        }
        let at = match self.sequences.iter().position(|sequence| sequence.is_meant(request, fixed_bits)) {
            Some(at) => at,
            None if self.sequences.len() >= MOST_SEQUENCES => return Err(Error::NoncesUsedUp),
            None => {
                self.sequences.push(Sequence::begin(request, fixed_bits)?);
                self.sequences.len() - 1
            }
        };
        let sequence = self.sequences.get(at).ok_or(Error::NoncesUsedUp)?;
        // The part that is XORed must not vary from call to call.
        if request.generator == CKG_GENERATE_COUNTER_XOR && sequence.base != request.nonce {
            return Err(Error::MechanismParamInvalid);
        }
        let nonce = sequence.next().ok_or(Error::NoncesUsedUp)?;
        if self.given.contains(&nonce) || self.has_issued(&nonce) {
            return Err(Error::MechanismParamInvalid);
        }
        if nonce.len() * 8 != RANDOM_BITS {
            self.count()?;
        }
        if let Some(sequence) = self.sequences.get_mut(at) {
            sequence.issued += 1;
        }
        Ok(nonce)
    }
}

impl Sequence {
    fn begin(request: &NonceRequest, fixed_bits: usize) -> Result<Sequence> {
        let base = match request.generator {
            CKG_GENERATE_COUNTER => behind(&request.nonce, fixed_bits, &vec![0; request.nonce.len()]),
            CKG_GENERATE_COUNTER_XOR => request.nonce.clone(),
            // Counted from a random place, so that two sessions do not count the same nonces.
            _ => random_behind(&request.nonce, fixed_bits)?,
        };
        Ok(Sequence { generator: request.generator, fixed_bits, base, issued: 0 })
    }

    /// Whether a request goes on with this sequence: the same generator, length and fixed part.
    fn is_meant(&self, request: &NonceRequest, fixed_bits: usize) -> bool {
        self.generator == request.generator
            && self.fixed_bits == fixed_bits
            && self.base.len() == request.nonce.len()
            && behind(&request.nonce, fixed_bits, &self.base) == self.base
    }

    /// The next nonce, while the counter fits behind the fixed part.
    fn next(&self) -> Option<Vec<u8>> {
        let bits = self.base.len() * 8 - self.fixed_bits;
        let most = u32::try_from(bits).ok().and_then(|bits| 1_u64.checked_shl(bits)).unwrap_or(u64::MAX);
        if self.issued >= most {
            return None;
        }
        let mut nonce = self.base.clone();
        for (byte, counter) in nonce.iter_mut().rev().zip(self.issued.to_le_bytes()) {
            *byte ^= counter;
        }
        Some(nonce)
    }

    fn has_issued(&self, nonce: &[u8]) -> bool {
        if nonce.len() != self.base.len() {
            return false;
        }
        let distance = nonce.iter().zip(&self.base).try_fold(0_u64, |sum, (a, b)| {
            // What does not fit into a counter is not in its range.
            (sum >> 56 == 0).then_some(sum << 8 | u64::from(a ^ b))
        });
        distance.is_some_and(|distance| distance < self.issued)
    }
}

/// The first `fixed_bits` of `nonce`, and the rest of `filler`, which is as long.
fn behind(nonce: &[u8], fixed_bits: usize, filler: &[u8]) -> Vec<u8> {
    let mixed = nonce.iter().zip(filler).enumerate().map(|(at, (fixed, filler))| {
        let kept = match fixed_bits.saturating_sub(8 * at) {
            bits @ 0..8 => !(0xff_u8 >> bits),
            _ => 0xff,
        };
        fixed & kept | filler & !kept
    });
    mixed.collect()
}

fn random_behind(nonce: &[u8], fixed_bits: usize) -> Result<Vec<u8>> {
    let mut filler = vec![0; nonce.len()];
    rng::fill(&mut filler)?;
    Ok(behind(nonce, fixed_bits, &filler))
}

#[cfg(test)]
mod tests;
