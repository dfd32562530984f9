//! The states of keys: suspended, active again, deleted with a second person where one is needed, restored, erased.

use super::{Kms, Named, deeds};
use crate::error::{Error, Result};
use crate::kms::{KeyId, KeyRecord, Reason, Refusal, Removal};
use crate::partition::{Durability, Index};

impl Kms<'_> {
    /// Suspends a root key: no door uses it until it is enabled.
    ///
    /// # Errors
    /// Those of [`KeyRecord::disable`]; [`Reason::NotFound`]; those of the session's rights and of the store, as of
    /// all that follow.
    pub fn disable(&self, key: &str) -> Result<KeyRecord> {
        self.change_key(&deeds::DISABLE, key, |_, record| Ok(record.disable(self.now())?))
    }

    /// Makes a suspended key active again, at the earliest 30 seconds after it was suspended.
    ///
    /// # Errors
    /// Those of [`KeyRecord::enable`].
    pub fn enable(&self, key: &str) -> Result<KeyRecord> {
        self.change_key(&deeds::ENABLE, key, |_, record| Ok(record.enable(self.now())?))
    }

    /// Sets a key for deletion by somebody else, within 7 days.
    ///
    /// # Errors
    /// Those of [`KeyRecord::set_for_deletion`].
    pub fn set_for_deletion(&self, key: &str) -> Result<KeyRecord> {
        self.change_key(&deeds::SET_DELETION, key, |_, record| {
            Ok(record.set_for_deletion(&self.caller.actor, self.now())?)
        })
    }

    /// Takes that back.
    ///
    /// # Errors
    /// Those of [`KeyRecord::unset_for_deletion`].
    pub fn unset_for_deletion(&self, key: &str) -> Result<KeyRecord> {
        self.change_key(&deeds::UNSET_DELETION, key, |_, record| Ok(record.unset_for_deletion(self.now())?))
    }

    /// Deletes a key: no door sees it any more. Its material is kept sealed, to be restored.
    ///
    /// # Errors
    /// Those of [`KeyRecord::delete`].
    pub fn delete(&self, key: &str, removal: Removal) -> Result<KeyRecord> {
        self.change_key(&deeds::DELETE, key, |_, record| {
            Ok(record.delete(removal, &self.caller.actor, self.now())?)
        })
    }

    /// Brings a deleted key back, within 30 days.
    ///
    /// # Errors
    /// Those of [`KeyRecord::restore`].
    pub fn restore(&self, key: &str) -> Result<KeyRecord> {
        self.change_key(&deeds::RESTORE, key, |_, record| Ok(record.restore(self.now())?))
    }

    /// Erases what is left of a key, four hours after it was deleted at the earliest: all its versions are gone for
    /// good.
    ///
    /// # Errors
    /// Those of [`KeyRecord::check_purge`].
    pub fn purge(&self, key: &str) -> Result<()> {
        self.erase(key, &|key| key.check_purge(self.now()))
    }

    /// Erases the keys that were deleted longer ago than the partition keeps them, at most `most` of them; answers
    /// which. To be called from time to time: nothing else does. A key goes when two calls found its time past that
    /// are one to three days apart: a clock that jumps erases nothing at once.
    ///
    /// # Errors
    /// Those of the session's rights and of the store.
    pub fn purge_due(&self, most: usize) -> Result<Vec<KeyId>> {
        self.purge_some(most).map(|(purged, _)| purged)
    }

    /// As [`Kms::purge_due`]; answers also how many keys were found due for the first time, at most `most`.
    pub(super) fn purge_some(&self, most: usize) -> Result<(Vec<KeyId>, usize)> {
        let days = self.session.partition().kms_instance()?.policies.retention_days;
        let is_due = |key: &KeyRecord| key.is_purged_by(days, self.now());
        let is_new = |key: &KeyRecord| is_due(key) && !key.was_found_due(self.now());
        let marked = self.each(self.due(Index::Deleted, &is_new)?, most, |id| self.mark_due(id, &is_new))?;
        let may_go = |key: &KeyRecord| is_due(key) && key.is_found_due_again(self.now());
        let purged = self.each(self.due(Index::Deleted, &may_go)?, most, |id| {
            self.erase(&id.to_string(), &|key| if may_go(key) { Ok(()) } else { Err(Reason::NotDeleted) })
        })?;
        Ok((purged, marked.len()))
    }

    /// Takes note that a key was found due. That is no event: nothing happens to the key.
    fn mark_due(&self, id: KeyId, is_new: &dyn Fn(&KeyRecord) -> bool) -> Result<()> {
        self.may_write()?;
        let marked = self.session.partition().transact(Durability::Now, &mut |transaction| {
            let before = transaction.kms().key(id)?.filter(is_new).ok_or(Reason::NotDeleted)?;
            let mut after = before.clone();
            after.found_due(self.now());
            transaction.put_kms_key(Some(&before), &after)
        });
        marked.map(drop)
    }

    /// Writes down which keys have expired, at most `most` of them; answers which. To be called from time to time: a
    /// clock that is set back brings back what nobody saw expire. It is no event, since the key was as good as expired
    /// before.
    ///
    /// # Errors
    /// Those of the session's rights and of the store.
    pub fn expire_due(&self, most: usize) -> Result<Vec<KeyId>> {
        self.may_write()?;
        let due = self.due(Index::Expiring, &|key| key.is_expiration_unseen(self.now()))?;
        self.each(due, most, |id| self.session.partition().see_kms_end(id, self.now()))
    }

    fn erase(&self, key: &str, may: &dyn Fn(&KeyRecord) -> std::result::Result<(), Reason>) -> Result<()> {
        let key = Named::new(key);
        self.change(&deeds::PURGE, Some(&key), |transaction| {
            let record = key.find(&mut transaction.kms())?;
            may(&record)?;
            if !record.aliases.is_empty() {
                let mut instance = transaction.kms().instance()?;
                instance.count_aliases(record.aliases.len(), 0)?;
                transaction.put_kms_instance(&instance)?;
            }
            transaction.erase_kms_key(&record)?;
            Ok((Some(record.id), ()))
        })
    }

    /// The keys of an index that are due. What is damaged stands in nobody's way: it is passed over, and told.
    pub(super) fn due(&self, index: Index<'_>, is_due: &dyn Fn(&KeyRecord) -> bool) -> Result<Vec<KeyId>> {
        self.look(|view| {
            let mut due = Vec::new();
            for place in view.under(index)? {
                match view.named(place) {
                    Ok(record) if is_due(&record) => due.push(record.id),
                    Ok(_) => {}
                    Err(error @ Error::RecordDamaged { .. }) => log::error!("a key was passed over: {error}"),
                    Err(error) => return Err(error),
                }
            }
            Ok(due)
        })
    }

    /// Does something to each of several keys until it is done to `most`; those for which it is no longer due are
    /// passed over, and so are those with which something is wrong, which is told.
    pub(super) fn each(
        &self,
        ids: Vec<KeyId>,
        most: usize,
        mut body: impl FnMut(KeyId) -> Result<()>,
    ) -> Result<Vec<KeyId>> {
        let mut done = Vec::new();
        for id in ids {
            if done.len() >= most {
                break;
            }
            match body(id) {
                Ok(()) => done.push(id),
                // Somebody else was faster.
                Err(Error::Kms(Refusal { .. })) => {}
                Err(error @ (Error::Store(_) | Error::NotLoggedIn)) => return Err(error),
                Err(error) => log::error!("key {id} was passed over: {error}"),
            }
        }
        Ok(done)
    }
}
