//! Keys whose use takes long: large RSA keys, and keys whose uses are counted on the disk. Which they are
//! is learnt when they are used, so that a request can be put where it may block before its client's
//! partition is looked at.

use std::collections::HashSet;
use std::sync::Arc;

use arc_swap::ArcSwap;

/// The most keys that are remembered; more than these are forgotten and learnt again.
const MOST: usize = 4096;

/// The identifiers of such keys.
#[derive(Debug, Default)]
pub struct Heavy {
    ids: ArcSwap<HashSet<String>>,
}

impl Heavy {
    /// Remembers a key.
    pub fn add(&self, id: &str) {
        if self.has(id) {
            return;
        }
        self.ids.rcu(|ids| {
            let mut more = if ids.len() < MOST { HashSet::clone(ids) } else { HashSet::new() };
            more.insert(id.to_owned());
            Arc::new(more)
        });
    }

    /// Whether a key is one.
    pub fn has(&self, id: &str) -> bool {
        let ids = self.ids.load();
        !ids.is_empty() && ids.contains(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_remembered_within_bounds() {
        let heavy = Heavy::default();
        assert!(!heavy.has("0"));
        for number in 0..=MOST {
            heavy.add(&number.to_string());
        }
        assert!(heavy.has(&MOST.to_string()));
        assert!(!heavy.has("0"));
    }
}
