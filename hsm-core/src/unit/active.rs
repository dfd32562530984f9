//! The proof that a unit has a master key in use. Services that need keys ask for it, so none can
//! run without one; and all that they get from it is derived, never the master key itself.

use hkdf::Hkdf;
use sha2::Sha256;

use super::identity::VerificationPattern;
use super::parts::KEY_LENGTH;
use super::state::MasterKey;
use crate::secret::Secret;

/// A unit whose current master key is valid, as of when it was asked. Hold it only as long as keys
/// are being derived: it carries the master key.
#[derive(Debug)]
pub struct ActiveUnit {
    key: MasterKey,
    epoch: u64,
    next: Option<MasterKey>,
}

impl ActiveUnit {
    /// The proof for this key, and the committed one that waits to follow it. Only [`super::Unit`] has one to
    /// give.
    pub(super) fn new(key: MasterKey, epoch: u64, next: Option<MasterKey>) -> ActiveUnit {
        ActiveUnit { key, epoch, next }
    }

    /// A unit with a known master key, for tests of formats.
    #[cfg(test)]
    pub(crate) fn of_test(key: [u8; KEY_LENGTH]) -> ActiveUnit {
        ActiveUnit::new(MasterKey::new(Secret::copy_of(&key)), 1, None)
    }

    /// As [`ActiveUnit::of_test`], with a key that waits for set-immediate.
    #[cfg(test)]
    pub(crate) fn rotating_test(key: [u8; KEY_LENGTH], next: [u8; KEY_LENGTH]) -> ActiveUnit {
        let [key, next] = [key, next].map(|key| MasterKey::new(Secret::copy_of(&key)));
        ActiveUnit::new(key, 1, Some(next))
    }

    /// The unit as set-immediate will leave it; `None` unless a new master key is committed.
    pub fn next(&self) -> Option<ActiveUnit> {
        // 2^64 rotations are out of reach.
        Some(ActiveUnit::new(self.next.as_ref()?.duplicate(), self.epoch.saturating_add(1), None))
    }

    /// A key of 32 bytes for one purpose and context: HKDF-SHA-256 of the master key. Two pairs of
    /// purpose and context give the same key only if they are the same pair. Units with the same
    /// master key derive the same keys.
    pub fn derive(&self, purpose: &[u8], context: &[u8]) -> Secret {
        // A slice's length fits into 64 bits on every platform there is; it keeps purpose and
        // context apart.
        let length = u64::try_from(purpose.len()).unwrap_or(u64::MAX).to_be_bytes();
        let mut key = Secret::zeroed(KEY_LENGTH);
        let hkdf = Hkdf::<Sha256>::new(Some(b"softhsm-rs master key"), self.key.secret().expose());
        // HKDF-SHA-256 gives up to 255 blocks of 32 bytes; this is one.
        #[expect(clippy::expect_used, reason = "the line above states the invariant")]
        hkdf.expand_multi_info(&[&length, purpose, context], key.expose_mut()).expect("one block");
        key
    }

    /// The epoch of the master key.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The master key's verification pattern.
    pub fn verification_pattern(&self) -> VerificationPattern {
        self.key.verification_pattern()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_derived_key_depends_on_master_key_purpose_and_context() {
        let key = ActiveUnit::of_test([1; 32]).derive(b"purpose", b"context");
        assert_eq!(key.len(), 32);
        assert!(ActiveUnit::of_test([1; 32]).derive(b"purpose", b"context").equals(key.expose()));
        for other in [
            ActiveUnit::of_test([2; 32]).derive(b"purpose", b"context"),
            ActiveUnit::of_test([1; 32]).derive(b"purpose2", b"context"),
            ActiveUnit::of_test([1; 32]).derive(b"purpose", b"context2"),
            ActiveUnit::of_test([1; 32]).derive(b"purposec", b"ontext"),
        ] {
            assert!(!other.equals(key.expose()));
        }
    }

    #[test]
    fn a_derived_key_is_not_the_master_key() {
        assert!(!ActiveUnit::of_test([1; 32]).derive(b"", b"").equals(&[1; 32]));
    }
}
