//! What hangs on a key: aliases, tags, its ring, and the resources that it protects.

use serde::{Deserialize, Serialize};

use super::key::{Actor, KeyRecord};
use super::refusal::Reason;
use super::state::{Action, Kind};
use super::{KeyId, names};
use crate::object::lifecycle::Seconds;

/// How many resources a key protects at most.
const REGISTRATIONS: usize = 1000;

/// A resource that a key protects.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Registration {
    /// The resource's name, a CRN at IBM.
    pub resource: String,
    /// Whether the key may not be deleted at all while it stands.
    pub prevents_deletion: bool,
    /// What is said of it.
    pub description: Option<String>,
    /// The key's version that protects the resource.
    pub version: KeyId,
    /// When it was made.
    pub created: Seconds,
    /// Who made it.
    pub created_by: Actor,
    /// When it was changed last.
    pub updated: Seconds,
}

/// What to change of what is said of a key; what is `None` stays.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Labels {
    /// Its name.
    pub name: Option<String>,
    /// Its description; an empty one takes it away.
    pub description: Option<String>,
    /// Its tags.
    pub tags: Option<Vec<String>>,
    /// Its key ring.
    pub ring: Option<String>,
}

impl KeyRecord {
    /// Changes what is said of it. Whether the ring is there is the partition's to know.
    ///
    /// # Errors
    /// [`Reason::Deleted`], [`Reason::Field`].
    pub fn relabel(&mut self, labels: Labels, now: Seconds) -> Result<(), Reason> {
        self.allow(Action::Change, now)?;
        if let Some(name) = labels.name {
            names::check_name(&name)?;
            self.name = name;
        }
        if let Some(description) = labels.description {
            let said = Some(description).filter(|said| !said.is_empty());
            said.as_deref().map_or(Ok(()), names::check_description)?;
            self.description = said;
        }
        if let Some(tags) = labels.tags {
            names::check_tags(&tags)?;
            self.tags = tags;
        }
        if let Some(ring) = labels.ring {
            self.ring = ring;
        }
        self.updated = now;
        Ok(())
    }

    /// Gives it an alias. Whether another key has it is the partition's to know.
    ///
    /// # Errors
    /// [`Reason::Deleted`], [`Reason::Field`], [`Reason::AliasLimit`], [`Reason::AliasTaken`].
    pub fn add_alias(&mut self, alias: &str, now: Seconds) -> Result<(), Reason> {
        self.allow(Action::Change, now)?;
        names::check_alias(alias)?;
        if self.aliases.iter().any(|known| known == alias) {
            return Err(Reason::AliasTaken);
        }
        if self.aliases.len() >= names::ALIASES_OF_KEY {
            return Err(Reason::AliasLimit);
        }
        self.aliases.push(alias.to_owned());
        self.updated = now;
        Ok(())
    }

    /// Takes an alias away.
    ///
    /// # Errors
    /// [`Reason::Deleted`], [`Reason::AliasMissing`].
    pub fn remove_alias(&mut self, alias: &str, now: Seconds) -> Result<(), Reason> {
        self.allow(Action::Change, now)?;
        let at = self.aliases.iter().position(|known| known == alias).ok_or(Reason::AliasMissing)?;
        self.aliases.remove(at);
        self.updated = now;
        Ok(())
    }

    /// Says that it protects a resource, or says it anew.
    ///
    /// # Errors
    /// [`Reason::Deleted`], [`Reason::RootRequiredToRegister`], [`Reason::Field`],
    /// [`Reason::RegistrationLimit`].
    pub fn register(
        &mut self,
        resource: &str,
        prevents_deletion: bool,
        description: Option<&str>,
        by: &Actor,
        now: Seconds,
    ) -> Result<(), Reason> {
        self.allow(Action::Change, now)?;
        if self.kind != Kind::Root {
            return Err(Reason::RootRequiredToRegister);
        }
        names::check_resource(resource)?;
        description.map_or(Ok(()), names::check_description)?;
        let version = self.version().map(|version| version.id).ok_or(Reason::State)?;
        let made = Registration {
            resource: resource.to_owned(),
            prevents_deletion,
            description: description.map(str::to_owned),
            version,
            created: now,
            created_by: by.clone(),
            updated: now,
        };
        let known = self.registrations.len();
        match self.registrations.iter_mut().find(|known| known.resource == resource) {
            Some(known) => {
                let (created, created_by) = (known.created, known.created_by.clone());
                *known = Registration { created, created_by, ..made };
            }
            None if known >= REGISTRATIONS => return Err(Reason::RegistrationLimit),
            None => self.registrations.push(made),
        }
        self.updated = now;
        Ok(())
    }

    /// Says that it protects a resource no more. Possible in every state, so that nothing keeps a key for ever.
    ///
    /// # Errors
    /// [`Reason::RegistrationMissing`].
    pub fn unregister(&mut self, resource: &str, now: Seconds) -> Result<(), Reason> {
        let at = self.registrations.iter().position(|known| known.resource == resource);
        self.registrations.remove(at.ok_or(Reason::RegistrationMissing)?);
        self.updated = now;
        Ok(())
    }
}
