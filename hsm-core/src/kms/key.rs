//! A key: all that is known of it but the material of its current version, which the object holds that other
//! doors see, and that of earlier ones, which stand in records of their own.

use serde::{Deserialize, Serialize};

use super::deletion::{Authorization, Deletion};
use super::labels::Registration;
use super::refusal::Reason;
use super::rotation::RotationPolicy;
use super::state::{Action, KeyState, Kind, check};
use super::{KeyId, names};
use crate::object::lifecycle::Seconds;

/// Who acts. The door says who it is; two who are one have the same identity.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Actor {
    /// The stable identity.
    pub id: String,
    /// What people call it.
    pub name: String,
}

/// A version of a key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Version {
    /// Its identifier, which wrapped keys name.
    pub id: KeyId,
    /// When it was made.
    pub created: Seconds,
    /// Who made it.
    pub created_by: Actor,
}

/// What is said of a key that is made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Description {
    /// What kind of key it is.
    pub kind: Kind,
    /// Its name, 2 to 90 characters.
    pub name: String,
    /// Its description, 2 to 240 characters.
    pub description: Option<String>,
    /// From when on it is deactivated.
    pub expiration: Option<Seconds>,
    /// Its key ring; `default` where none is said.
    pub ring: Option<String>,
    /// Its aliases, at most 5.
    pub aliases: Vec<String>,
    /// Its tags, at most 30.
    pub tags: Vec<String>,
    /// Whether two persons are needed to delete it; the partition's policy where it is not said.
    pub dual_auth: Option<bool>,
    /// When it is rotated by itself; the partition's policy where it is not said.
    pub rotation: Option<RotationPolicy>,
}

impl Description {
    /// A key of a name, and nothing more.
    pub fn new(kind: Kind, name: &str) -> Description {
        Description {
            kind,
            name: name.to_owned(),
            description: None,
            expiration: None,
            ring: None,
            aliases: Vec::new(),
            tags: Vec::new(),
            dual_auth: None,
            rotation: None,
        }
    }

    /// Checks the limits of what is said.
    ///
    /// # Errors
    /// [`Reason::Field`], [`Reason::AliasLimit`], [`Reason::RootRequired`] for a rotation policy.
    pub fn check(&self, now: Seconds) -> Result<(), Reason> {
        names::check_name(&self.name)?;
        self.description.as_deref().map_or(Ok(()), names::check_description)?;
        names::check_tags(&self.tags)?;
        self.aliases.iter().try_for_each(|alias| names::check_alias(alias))?;
        if self.aliases.len() > names::ALIASES_OF_KEY {
            return Err(Reason::AliasLimit);
        }
        if self
            .aliases
            .iter()
            .enumerate()
            .any(|(at, alias)| self.aliases.iter().take(at).any(|it| it == alias))
        {
            return Err(Reason::AliasTaken);
        }
        if self.expiration.is_some_and(|expiration| expiration <= now) {
            return Err(Reason::Field { name: "expirationDate", must: "in the future" });
        }
        if self.rotation.is_some() && self.kind != Kind::Root {
            return Err(Reason::RootRequired);
        }
        Ok(())
    }
}

/// A key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KeyRecord {
    /// Its identifier, the same at every door.
    pub id: KeyId,
    /// What kind of key it is.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
    /// Whether its material was brought.
    pub imported: bool,
    /// Length of its current material in bytes.
    pub length: u32,
    /// Its key ring.
    pub ring: String,
    /// Its aliases.
    pub aliases: Vec<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// When it was made.
    pub created: Seconds,
    /// Who made it.
    pub created_by: Actor,
    /// When anything of it changed last.
    pub updated: Seconds,
    /// From when on it is deactivated.
    pub expiration: Option<Seconds>,
    /// When it was rotated last.
    pub rotated: Option<Seconds>,
    /// When it was disabled, enabled, deleted or restored last.
    pub(super) acted: Option<Seconds>,
    pub(super) suspended: bool,
    /// Its versions, the current one last.
    pub versions: Vec<Version>,
    /// The resources that it protects.
    pub registrations: Vec<Registration>,
    /// Whether two persons are needed to delete it.
    pub dual_auth: bool,
    /// Who set it for deletion.
    pub(super) authorization: Option<Authorization>,
    /// When it is rotated by itself.
    pub rotation: Option<RotationPolicy>,
    /// Since when that counts, where it was not rotated since.
    pub(super) rotation_since: Seconds,
    /// Who deleted it, and when.
    pub deletion: Option<Deletion>,
    /// When it was first found that the time is past for which it is kept though deleted.
    pub(super) due_since: Option<Seconds>,
    /// Whether its expiration date was found to be past: a clock that is set back does not bring it back.
    pub(super) expired: bool,
}

impl KeyRecord {
    /// A key that is made now.
    pub(crate) fn new(
        said: Description,
        (imported, length): (bool, usize),
        (id, version): (KeyId, KeyId),
        by: &Actor,
        now: Seconds,
    ) -> KeyRecord {
        KeyRecord {
            id,
            kind: said.kind,
            name: said.name,
            description: said.description,
            imported,
            length: u32::try_from(length).unwrap_or(u32::MAX),
            ring: said.ring.unwrap_or_else(|| names::DEFAULT_RING.to_owned()),
            aliases: said.aliases,
            tags: said.tags,
            created: now,
            created_by: by.clone(),
            updated: now,
            expiration: said.expiration,
            rotated: None,
            acted: None,
            suspended: false,
            versions: vec![Version { id: version, created: now, created_by: by.clone() }],
            registrations: Vec::new(),
            dual_auth: said.dual_auth.unwrap_or_default(),
            authorization: None,
            rotation: said.rotation,
            rotation_since: now,
            deletion: None,
            due_since: None,
            expired: false,
        }
    }

    /// Its state at a moment. A key that is suspended stays so when it expires: what nobody was to read does not
    /// become readable by time.
    pub fn state(&self, now: Seconds) -> KeyState {
        if self.deletion.is_some() {
            KeyState::Destroyed
        } else if self.suspended {
            KeyState::Suspended
        } else if self.has_expired(now) {
            KeyState::Deactivated
        } else {
            KeyState::Active
        }
    }

    /// Whether its expiration date is past.
    pub(super) fn has_expired(&self, now: Seconds) -> bool {
        self.expired || self.expiration.is_some_and(|expiration| expiration <= now)
    }

    /// Whether its expiration is still to be seen, now or later.
    pub(crate) fn will_expire(&self) -> bool {
        self.expiration.is_some() && !self.expired
    }

    /// Takes note that it has expired, if it has and nobody did; answers whether there was something to note.
    pub(crate) fn see_expiration(&mut self, now: Seconds) -> bool {
        let is_new = self.is_expiration_unseen(now);
        self.expired |= is_new;
        is_new
    }

    /// Whether it has expired and nobody took note of it.
    pub(crate) fn is_expiration_unseen(&self, now: Seconds) -> bool {
        self.will_expire() && self.has_expired(now)
    }

    /// Its expiration date, if that was found to be past.
    pub(crate) fn seen_expiration(&self) -> Option<Seconds> {
        self.expiration.filter(|_| self.expired)
    }

    /// Whether it is suspended, deleted or not.
    pub(crate) fn is_suspended(&self) -> bool {
        self.suspended
    }

    /// Whether it may be given out: standard keys are.
    pub fn is_extractable(&self) -> bool {
        self.kind == Kind::Standard
    }

    /// The version that wraps.
    pub fn version(&self) -> Option<&Version> {
        self.versions.last()
    }

    /// Its version of an identifier.
    pub fn version_of(&self, id: KeyId) -> Option<&Version> {
        self.versions.iter().rev().find(|version| version.id == id)
    }

    /// Checks that its kind and state allow an action now.
    ///
    /// # Errors
    /// Those of [`check`].
    pub fn allow(&self, action: Action, now: Seconds) -> Result<(), Reason> {
        check(self.kind, self.state(now), action)
    }
}
