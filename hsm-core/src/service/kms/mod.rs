//! The key management service: root and standard keys with a life, what they wrap, and the policies of a
//! partition. What is allowed stands in [`kms`](crate::kms), what is record where in the partition; here each use
//! case is one transaction, with its event in the audit log.
//!
//! A key's current version is an object of the partition, which other doors see under the same identifier and use
//! as its state lets them.
//!
//! * `create`, `life`, `rotation`: keys come, change their states, and get new versions.
//! * `envelope`: wrapping, unwrapping, rewrapping.
//! * `labels`, `policies`: what is said of keys and of the partition. `list`: looking.
//! * `upkeep`: what time does to keys, done by servers. `object`: a key as the object of other doors. `deeds`: what is done, as the audit log names it.

mod create;
mod deeds;
mod envelope;
mod labels;
mod life;
mod list;
mod object;
mod policies;
mod rotation;
#[cfg(test)]
mod tests;
mod upkeep;

use std::cell::Cell;
use std::net::IpAddr;
use std::sync::Arc;

pub use create::Material;
use deeds::Deed;
pub use envelope::{Rewrapped, Unwrapped, Wrapped};
pub use list::{Filter, Listing};
pub use upkeep::Kept;

use crate::audit::{Answered, Event, Initiator, Trail};
use crate::error::{Error, Result};
use crate::kms::{Actor, KeyId, KeyRecord, Reason, Refusal};
use crate::object::lifecycle::Seconds;
use crate::partition::{Durability, KmsView, ObjectId, Transaction};
use crate::session::{LoginState, Session};

/// Who asks, when, and where it is written down.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who acts. Two who act as one are one to dual authorisation.
    pub actor: Actor,
    /// The moment: [`lifecycle::now`](crate::object::lifecycle::now) everywhere but in tests.
    pub now: Seconds,
    /// The audit log, where the door has one.
    pub trail: Option<Arc<Trail>>,
    /// Where the request came from.
    pub host: Option<IpAddr>,
}

/// The service as somebody uses it, in a session of the partition's user.
pub struct Kms<'s> {
    session: &'s Session,
    caller: Caller,
}

impl Session {
    /// The key management service of the partition.
    pub fn kms(&self, caller: Caller) -> Kms<'_> {
        Kms { session: self, caller }
    }

    /// Whether key material comes into this partition encrypted for its import token alone. Doors ask before
    /// they take a secret key in. Cheap while nothing changes.
    ///
    /// # Errors
    /// Those of the store.
    pub fn tokens_enforced(&self) -> Result<bool> {
        Ok(self.partition().kms_instance()?.policies.access.enforce_token)
    }

    /// Whether the partition's policies restrict networks at all, as far as this process knows: a look at memory that
    /// nobody writes. It learns of a first restriction when a server opens the partition, and each minute
    /// ([`Session::keep_kms_keys`]).
    pub fn restricts_networks(&self) -> bool {
        self.partition().restricts_networks()
    }

    /// Whether the partition's policies let requests come from an address. Network doors ask.
    ///
    /// # Errors
    /// Those of the store.
    pub fn admits_address(&self, address: IpAddr) -> Result<bool> {
        Ok(self.partition().kms_instance()?.policies.allows(address))
    }
}

/// A key as a request names it, by identifier or alias, and which one that is, as far as it was looked up: events
/// name it whatever comes of the request.
struct Named<'a> {
    text: &'a str,
    id: Cell<Option<KeyId>>,
}

impl<'a> Named<'a> {
    fn new(text: &'a str) -> Named<'a> {
        Named { text, id: Cell::new(KeyId::of_text(text)) }
    }

    /// The key.
    fn find(&self, view: &mut KmsView<'_>) -> Result<KeyRecord> {
        let found = match KeyId::of_text(self.text) {
            Some(id) => view.key(id)?,
            None => view.with_alias(self.text)?,
        };
        let key = found.ok_or(Reason::NotFound)?;
        self.id.set(Some(key.id));
        Ok(key)
    }
}

impl Kms<'_> {
    fn now(&self) -> Seconds {
        self.caller.now
    }

    /// Makes a change in one transaction, durable when this returns, with its event.
    fn change<T>(
        &self,
        deed: &'static Deed,
        key: Option<&Named<'_>>,
        mut body: impl FnMut(&mut Transaction<'_>) -> Result<(Option<KeyId>, T)>,
    ) -> Result<T> {
        let mut done = None;
        let changed = self.may_write().and_then(|()| {
            self.session.partition().transact(Durability::Now, &mut |transaction| {
                let (about, value) = body(transaction)?;
                if let Some(trail) = &self.caller.trail {
                    let mut event = Event::now(deed.activity(), self.initiator());
                    about.into_iter().for_each(|id| event.about(id.into()));
                    transaction.record(trail, event)?;
                }
                done = Some(value);
                Ok(())
            })
        });
        let outcome = changed.and_then(|_| done.ok_or(Error::Conflict));
        outcome.map_err(|error| self.refused(deed, key, error))
    }

    /// Changes a key: what is known of it, and its object with it.
    fn change_key(
        &self,
        deed: &'static Deed,
        key: &str,
        mut body: impl FnMut(&mut Transaction<'_>, &mut KeyRecord) -> Result<()>,
    ) -> Result<KeyRecord> {
        let key = Named::new(key);
        let ended = Cell::new(None);
        let changed = self.change(deed, Some(&key), |transaction| {
            let mut record = key.find(&mut transaction.kms())?;
            let before = record.clone();
            if record.see_expiration(self.now()) {
                ended.set(Some(record.id));
            }
            body(transaction, &mut record)?;
            object::follow(transaction, &before, &record, self.now())?;
            transaction.put_kms_key(Some(&before), &record)?;
            Ok((Some(before.id), record))
        });
        // What is refused changes nothing, but that the key has expired is written down.
        if let Some(id) = ended.get().filter(|_| changed.is_err()) {
            self.see_end(id);
        }
        changed
    }

    /// Writes down that a key has expired. What stands against that refuses nothing.
    fn see_end(&self, key: KeyId) {
        if let Err(error) = self.session.partition().see_kms_end(key, self.now()) {
            log::warn!("it was not written down that key {key} has expired: {error}");
        }
    }

    /// As [`Kms::see_end`], of a key that was looked at.
    fn seen(&self, key: KeyRecord) -> KeyRecord {
        if key.is_expiration_unseen(self.now()) {
            self.see_end(key.id);
        }
        key
    }

    /// Looks at what is there, as of one moment.
    fn look<T>(&self, mut body: impl FnMut(&mut KmsView<'_>) -> Result<T>) -> Result<T> {
        let mut found = None;
        self.may_look()?;
        self.session.partition().look_at_kms(&mut |view| {
            found = Some(body(view)?);
            Ok(())
        })?;
        found.ok_or(Error::Conflict)
    }

    /// The user changes what there is, in a read/write session.
    fn may_write(&self) -> Result<()> {
        self.session.check_open()?;
        self.session.may_change(true, true)
    }

    /// What there is belongs to the user.
    fn may_look(&self) -> Result<()> {
        self.session.check_open()?;
        if self.session.login_state() == LoginState::User { Ok(()) } else { Err(Error::NotLoggedIn) }
    }

    /// Takes note of a use before it is answered.
    fn used<T>(&self, deed: &'static Deed, key: Option<&Named<'_>>, outcome: Result<T>) -> Result<T> {
        let value = outcome.map_err(|error| self.refused(deed, key, error))?;
        self.tell(deed, key, None)?;
        Ok(value)
    }

    /// A refusal, told with what was being done.
    fn refused(&self, deed: &'static Deed, key: Option<&Named<'_>>, error: Error) -> Error {
        let error = match error {
            Error::Kms(Refusal { reason, .. }) => Refusal { reason, operation: deed.operation }.into(),
            other => other,
        };
        if let Err(failed) = self.tell(deed, key, Some(&error)) {
            log::error!("a refusal was not written to the audit log: {failed}");
        }
        error
    }

    fn tell(&self, deed: &'static Deed, key: Option<&Named<'_>>, error: Option<&Error>) -> Result<()> {
        let Some(trail) = &self.caller.trail else { return Ok(()) };
        let reason = error.map(deeds::reason);
        let label = self.label();
        trail.answered(&Answered {
            activity: reason.map_or_else(|| deed.activity(), |reason| deed.refused(reason)),
            id: &self.caller.actor.id,
            name: &self.caller.actor.name,
            partition: &label,
            host: self.caller.host,
            object: key.and_then(|key| key.id.get()).map(ObjectId::from),
            with: None,
            reason,
            request: None,
        })
    }

    fn initiator(&self) -> Initiator {
        Initiator::new(&self.caller.actor.id, &self.caller.actor.name, &self.label(), self.caller.host)
    }

    fn label(&self) -> String {
        String::from_utf8_lossy(&self.session.partition().record().label).trim_end().to_owned()
    }
}
