//! The policies of a partition and of keys, and key rings.

use super::{Kms, deeds};
use crate::error::Result;
use crate::kms::{DEFAULT_RING, KeyRecord, Policies, Reason, Ring};
use crate::partition::Index;

impl Kms<'_> {
    /// The partition's policies.
    ///
    /// # Errors
    /// Those of the store.
    pub fn policies(&self) -> Result<Policies> {
        self.may_look()?;
        Ok(self.session.partition().kms_instance()?.policies.clone())
    }

    /// Changes the partition's policies. They hold for keys that are made from then on; networks and the ways that
    /// material comes in, at once.
    ///
    /// # Errors
    /// What `change` answers; those of [`Policies::check`].
    pub fn change_policies(
        &self,
        change: &dyn Fn(&mut Policies) -> std::result::Result<(), Reason>,
    ) -> Result<Policies> {
        self.change(&deeds::INSTANCE_POLICY, None, |transaction| {
            let mut instance = transaction.kms().instance()?;
            change(&mut instance.policies)?;
            instance.policies.check()?;
            transaction.put_kms_instance(&instance)?;
            Ok((None, instance.policies))
        })
    }

    /// Says that two persons are needed to delete a key. One alone does not take that back: `enabled` false is
    /// refused for a key that has it.
    ///
    /// # Errors
    /// [`Reason::NotFound`], [`Reason::Deleted`], [`Reason::Field`].
    pub fn set_dual_auth(&self, key: &str, enabled: bool) -> Result<KeyRecord> {
        self.change_key(&deeds::POLICY, key, |_, record| Ok(record.set_dual_auth(enabled, self.now())?))
    }

    /// The key rings, `default` first.
    ///
    /// # Errors
    /// Those of the store.
    pub fn rings(&self) -> Result<Vec<Ring>> {
        self.may_look()?;
        Ok(self.session.partition().kms_instance()?.rings())
    }

    /// Makes a key ring.
    ///
    /// # Errors
    /// [`Reason::Field`], [`Reason::RingTaken`], [`Reason::RingLimit`].
    pub fn create_ring(&self, ring: &str) -> Result<()> {
        self.change(&deeds::RING_CREATE, None, |transaction| {
            let mut instance = transaction.kms().instance()?;
            instance.add_ring(ring, &self.caller.actor, self.now())?;
            transaction.put_kms_instance(&instance)?;
            Ok((None, ()))
        })
    }

    /// Takes a key ring away that has no keys. By force, one whose keys are all deleted; they go to `default`.
    ///
    /// # Errors
    /// [`Reason::RingDefault`], [`Reason::RingMissing`], [`Reason::RingNotEmpty`].
    pub fn delete_ring(&self, ring: &str, force: bool) -> Result<()> {
        self.change(&deeds::RING_DELETE, None, |transaction| {
            let mut instance = transaction.kms().instance()?;
            instance.remove_ring(ring)?;
            for place in transaction.kms().under(Index::Ring(ring))? {
                let mut record = transaction.kms().named(place)?;
                if !force || record.deletion.is_none() {
                    return Err(Reason::RingNotEmpty.into());
                }
                let before = record.clone();
                record.ring = DEFAULT_RING.to_owned();
                transaction.put_kms_key(Some(&before), &record)?;
            }
            transaction.put_kms_instance(&instance)?;
            Ok((None, ()))
        })
    }
}
