//! What the key management service knows of a partition besides its keys: policies, key rings, how many aliases
//! there are.

use serde::{Deserialize, Serialize};

use super::key::Actor;
use super::names::{ALIASES, DEFAULT_RING, RINGS, check_ring};
use super::policy::Policies;
use super::refusal::Reason;
use crate::object::lifecycle::Seconds;

/// A key ring.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ring {
    /// Its name.
    pub id: String,
    /// When it was made; `None` of the ring `default`.
    pub created: Option<Seconds>,
    /// Who made it.
    pub created_by: Option<Actor>,
}

/// A partition's.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Instance {
    /// Its policies.
    pub policies: Policies,
    /// Its key rings but `default`.
    rings: Vec<Ring>,
    /// How many aliases its keys have.
    aliases: u32,
}

impl Instance {
    /// Its key rings, `default` first.
    pub fn rings(&self) -> Vec<Ring> {
        let first = Ring { id: DEFAULT_RING.to_owned(), created: None, created_by: None };
        std::iter::once(first).chain(self.rings.iter().cloned()).collect()
    }

    /// Checks that a ring is there.
    ///
    /// # Errors
    /// [`Reason::RingMissing`].
    pub fn check_has_ring(&self, ring: &str) -> Result<(), Reason> {
        let is_there = ring == DEFAULT_RING || self.rings.iter().any(|known| known.id == ring);
        if is_there { Ok(()) } else { Err(Reason::RingMissing) }
    }

    /// Makes a ring.
    ///
    /// # Errors
    /// [`Reason::Field`], [`Reason::RingTaken`], [`Reason::RingLimit`].
    pub fn add_ring(&mut self, ring: &str, by: &Actor, now: Seconds) -> Result<(), Reason> {
        check_ring(ring)?;
        if self.check_has_ring(ring).is_ok() {
            return Err(Reason::RingTaken);
        }
        // With `default`.
        if self.rings.len() + 1 >= RINGS {
            return Err(Reason::RingLimit);
        }
        self.rings.push(Ring { id: ring.to_owned(), created: Some(now), created_by: Some(by.clone()) });
        Ok(())
    }

    /// Takes a ring away. That it has no keys is for the caller to see to.
    ///
    /// # Errors
    /// [`Reason::RingDefault`], [`Reason::RingMissing`].
    pub fn remove_ring(&mut self, ring: &str) -> Result<(), Reason> {
        if ring == DEFAULT_RING {
            return Err(Reason::RingDefault);
        }
        self.check_has_ring(ring)?;
        self.rings.retain(|known| known.id != ring);
        Ok(())
    }

    /// Takes note of aliases that come and go.
    ///
    /// # Errors
    /// [`Reason::AliasLimit`].
    pub(crate) fn count_aliases(&mut self, before: usize, after: usize) -> Result<(), Reason> {
        let narrow = |count| u32::try_from(count).unwrap_or(u32::MAX);
        let aliases = self.aliases.saturating_sub(narrow(before)).saturating_add(narrow(after));
        if aliases > ALIASES && after > before {
            return Err(Reason::AliasLimit);
        }
        self.aliases = aliases;
        Ok(())
    }
}
