//! What is said of keys: names, rings, aliases, tags, and the resources that they protect.

use super::{Kms, Named, deeds};
use crate::error::Result;
use crate::kms::{KeyId, KeyRecord, Labels, Reason, Registration};
use crate::partition::Index;

impl Kms<'_> {
    /// Changes a key's name, description, tags or ring.
    ///
    /// # Errors
    /// [`Reason::NotFound`], [`Reason::Deleted`], [`Reason::Field`], [`Reason::RingMissing`].
    pub fn relabel(&self, key: &str, said: &Labels) -> Result<KeyRecord> {
        self.change_key(&deeds::PATCH, key, |transaction, record| {
            if let Some(ring) = &said.ring {
                transaction.kms().instance()?.check_has_ring(ring)?;
            }
            Ok(record.relabel(said.clone(), self.now())?)
        })
    }

    /// Gives a key an alias, which names it as its identifier does. A deleted key keeps its aliases until it is
    /// erased.
    ///
    /// # Errors
    /// Those of [`KeyRecord::add_alias`]; [`Reason::NotFound`].
    pub fn add_alias(&self, key: &str, alias: &str) -> Result<KeyRecord> {
        self.change_key(&deeds::ALIAS_CREATE, key, |transaction, record| {
            record.add_alias(alias, self.now())?;
            if transaction.kms().with_alias(alias)?.is_some() {
                return Err(Reason::AliasTaken.into());
            }
            let mut instance = transaction.kms().instance()?;
            instance.count_aliases(0, 1)?;
            transaction.put_kms_instance(&instance)
        })
    }

    /// Takes an alias away.
    ///
    /// # Errors
    /// Those of [`KeyRecord::remove_alias`]; [`Reason::NotFound`].
    pub fn remove_alias(&self, key: &str, alias: &str) -> Result<KeyRecord> {
        self.change_key(&deeds::ALIAS_DELETE, key, |transaction, record| {
            record.remove_alias(alias, self.now())?;
            let mut instance = transaction.kms().instance()?;
            instance.count_aliases(1, 0)?;
            transaction.put_kms_instance(&instance)
        })
    }

    /// Says that a root key protects a resource: it is not deleted then but by force, or not at all.
    ///
    /// # Errors
    /// Those of [`KeyRecord::register`]; [`Reason::NotFound`].
    pub fn register(
        &self,
        key: &str,
        resource: &str,
        prevents_deletion: bool,
        description: Option<&str>,
    ) -> Result<KeyRecord> {
        self.change_key(&deeds::REGISTER, key, |_, record| {
            let by = &self.caller.actor;
            Ok(record.register(resource, prevents_deletion, description, by, self.now())?)
        })
    }

    /// Says that it does no more.
    ///
    /// # Errors
    /// Those of [`KeyRecord::unregister`]; [`Reason::NotFound`].
    pub fn unregister(&self, key: &str, resource: &str) -> Result<KeyRecord> {
        self.change_key(&deeds::UNREGISTER, key, |_, record| Ok(record.unregister(resource, self.now())?))
    }

    /// The registrations of a key, or all that name a resource, each with its key.
    ///
    /// # Errors
    /// [`Reason::NotFound`]; those of the store.
    pub fn registrations(
        &self,
        key: Option<&str>,
        resource: Option<&str>,
    ) -> Result<Vec<(KeyId, Registration)>> {
        let key = key.map(Named::new);
        let found = self.look(|view| {
            let keys = match (&key, resource) {
                (Some(key), _) => vec![key.find(view)?],
                (None, Some(resource)) => {
                    let places = view.under(Index::Resource(resource))?;
                    places.into_iter().map(|place| view.named(place)).collect::<Result<_>>()?
                }
                (None, None) => {
                    let places = view.under(Index::Live)?;
                    places.into_iter().map(|place| view.named(place)).collect::<Result<_>>()?
                }
            };
            let all = keys.into_iter().flat_map(|record| {
                let id = record.id;
                record.registrations.into_iter().map(move |registration| (id, registration))
            });
            Ok(all.filter(|(_, it)| resource.is_none_or(|resource| it.resource == resource)).collect())
        });
        self.used(&deeds::REGISTRATIONS, key.as_ref(), found)
    }
}
