//! New versions of root keys: by hand, with new material where it was brought, and by policy.

use cryptoki_sys::CKA_VALUE;

use super::create::{Material, source};
use super::{Kms, Named, deeds, object};
use crate::error::{Error, Result};
use crate::kms::{KeyId, KeyRecord, Reason, RotationPolicy, Source};
use crate::partition::{Index, Transaction};
use crate::rng;
use crate::secret::Secret;

impl Kms<'_> {
    /// Gives a root key a new version: of random material, or, if its material was brought, of new material. What
    /// was wrapped under earlier versions still unwraps.
    ///
    /// # Errors
    /// Those of [`KeyRecord::check_rotation`]; [`Reason::Field`] for material that a version of the key has already;
    /// [`Reason::AccessPolicy`] for material in clear where tokens are
    /// enforced; those of [`redeem`](crate::import_token::ImportToken::redeem), of the session's rights and of the
    /// store.
    pub fn rotate(&self, key: &str, material: Option<Material<'_>>) -> Result<KeyRecord> {
        let (source, named) = (source(material.as_ref()), Named::new(key));
        let prepared = self
            .may_write()
            .and_then(|()| self.prepare_version(&named, material))
            .map_err(|error| self.refused(&deeds::ROTATE, Some(&named), error))?;
        self.change_key(&deeds::ROTATE, key, |transaction, record| {
            record.check_rotation(source != Source::Generated, self.now())?;
            transaction.kms().instance()?.policies.access.check_source(source)?;
            if source != Source::Generated {
                check_is_other(transaction, record, &prepared)?;
            }
            self.renew(transaction, record, prepared.duplicate())
        })
    }

    /// Gives new versions to the keys whose policies say so, at most `most` of them; answers which. To be called
    /// from time to time: nothing else does. Called again, or by two at once, it rotates nothing twice.
    ///
    /// # Errors
    /// Those of the session's rights and of the store.
    pub fn rotate_due(&self, most: usize) -> Result<Vec<KeyId>> {
        let due = self.due(Index::Rotated, &|key| key.is_due(self.now()))?;
        self.each(due, most, |id| {
            let material = rng::secret(super::create::GENERATED)?;
            self.change_key(&deeds::ROTATE, &id.to_string(), |transaction, record| {
                if !record.is_due(self.now()) {
                    return Err(Reason::RotatedRecently.into());
                }
                self.renew(transaction, record, material.duplicate())
            })
            .map(drop)
        })
    }

    /// Says when a root key that was generated here is rotated by itself.
    ///
    /// # Errors
    /// Those of [`KeyRecord::set_rotation`].
    pub fn set_rotation(&self, key: &str, policy: RotationPolicy) -> Result<KeyRecord> {
        self.change_key(&deeds::POLICY, key, |_, record| Ok(record.set_rotation(policy, self.now())?))
    }

    /// Checks that a rotation may be, and has its material before anybody waits for the transaction.
    fn prepare_version(&self, key: &Named<'_>, material: Option<Material<'_>>) -> Result<Secret> {
        let key = self.look(|view| key.find(view))?;
        key.check_rotation(material.is_some(), self.now())?;
        let policies = &self.session.partition().kms_instance()?.policies;
        policies.access.check_source(source(material.as_ref()))?;
        self.material(key.kind, material)
    }

    /// Puts new material into the object, and the old away.
    fn renew(
        &self,
        transaction: &mut Transaction<'_>,
        record: &mut KeyRecord,
        material: Secret,
    ) -> Result<()> {
        let id = record.id.into();
        let old = record.version().map(|version| version.id);
        let old = old.ok_or(Error::CryptoFailed("a key has no version"))?;
        let before = transaction.object(id)?;
        transaction.keep_kms_version(record.id, old, before.bytes(CKA_VALUE))?;
        record.rotate(KeyId::fresh()?, material.len(), &self.caller.actor, self.now());
        transaction.replace(id, object::renewed(&before, record, material)?)
    }
}

/// Checks that material is that of no version of a key: rotating to it would change nothing.
fn check_is_other(transaction: &mut Transaction<'_>, record: &KeyRecord, material: &Secret) -> Result<()> {
    let mut is_known = material.equals(transaction.object(record.id.into())?.bytes(CKA_VALUE));
    for version in &record.versions {
        let kept = transaction.kms().version(record.id, version.id)?;
        is_known |= kept.is_some_and(|kept| material.equals(kept.expose()));
    }
    if is_known {
        return Err(Reason::Field {
            name: "payload",
            must: "other material than any version of the key has",
        }
        .into());
    }
    Ok(())
}
