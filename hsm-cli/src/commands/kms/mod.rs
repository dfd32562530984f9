//! `kms`: keys with a life. What is allowed is the core's to say; here keys are named, files are read and results
//! shown. The names in JSON are those of Key Protect's API and stay as they are.

use std::path::Path;

use hsm_core::audit::Uses;
use hsm_core::hsm::Hsm;
use hsm_core::kms::{Actor, KeyId, KeyRecord};
use hsm_core::object::lifecycle::{self, Seconds};
use hsm_core::service::kms::{Caller, Kms as Core};
use hsm_core::session::Access;
use serde_json::json;

use super::key::Desk;
use super::save::Place;
use crate::cli::{Kms, KmsAccess, KmsCommand, Out};
use crate::failure::{Failure, Outcome, Result};
use crate::output::{Output, date, printable};

mod brought;
mod describe;
mod key;
mod labels;
mod life;
mod policy;
mod ring;
mod wrap;

pub(super) fn run(hsm: &Hsm, command: Kms, output: Output) -> Result<()> {
    let office = || Office::open(hsm, &command.access, output);
    match command.command {
        KmsCommand::Key(key_command) => key::run(&office, *key_command, output),
        KmsCommand::Read { key, out } => key::read(&office, &key.key, &out, output),
        KmsCommand::Ring(ring) => ring::run(&office()?, &ring, output),
        KmsCommand::Policy(policy) => policy::run(&office()?, &policy, output),
        KmsCommand::RotateDue { most } => due(&office()?, most, output),
    }
}

/// Opens the office of a command, once its files were read.
type Opens<'a> = &'a dyn Fn() -> Result<Office>;

/// Which of several keys of one name is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// One that is not deleted.
    Live,
    /// One that is.
    Deleted,
}

/// A session of the token's user, with who acts and when.
struct Office {
    desk: Desk,
    caller: Caller,
}

impl Office {
    fn open(hsm: &Hsm, access: &KmsAccess, output: Output) -> Result<Office> {
        let actor = actor(access.acts_as.as_deref())?;
        let desk = Desk::open(hsm, &access.key_access(), Access::ReadWrite, output)?;
        // A command does little, and ends before anything that was counted would be written.
        let trail = hsm.audit_trail(Uses::Durable)?;
        let caller = Caller { actor, now: lifecycle::now(), trail: Some(trail), host: None };
        Ok(Office { desk, caller })
    }

    fn kms(&self) -> Core<'_> {
        self.desk.session.kms(self.caller.clone())
    }

    fn now(&self) -> Seconds {
        self.caller.now
    }

    /// The identifier of the key that a text names. What names none stays as it is, for the core to refuse.
    fn key(&self, text: &str, wanted: Wanted) -> Result<String> {
        let named = self.kms().named(text)?;
        let (wanted, other): (Vec<_>, Vec<_>) =
            named.iter().partition(|key| key.deletion.is_some() == (wanted == Wanted::Deleted));
        match (wanted.as_slice(), other.as_slice()) {
            ([key], _) | ([], [key]) => Ok(key.id.to_string()),
            ([], []) => Ok(text.to_owned()),
            ([], several) | (several, _) => Err(ambiguous(text, several)),
        }
    }

    /// That of a key that is not deleted.
    fn live(&self, text: &str) -> Result<String> {
        self.key(text, Wanted::Live)
    }
}

impl Drop for Office {
    /// `audit.uses = buffered` of the configuration counts uses, and nothing would write them later.
    fn drop(&mut self) {
        if let Some(Err(error)) = self.caller.trail.as_ref().map(|trail| trail.flush()) {
            log::error!("uses were not written to the audit log: {error}");
        }
    }
}

fn ambiguous(text: &str, keys: &[&KeyRecord]) -> Failure {
    let ids: Vec<_> = keys.iter().take(5).map(|key| key.id.to_string()).collect();
    let more = if keys.len() > ids.len() { " …" } else { "" };
    let message = format!("{} keys are called \"{}\"", keys.len(), printable(text));
    Failure::new(Outcome::NotFound, message)
        .next(format!("name one by its identifier or an alias: {}{more}", ids.join(" ")))
}

/// Who acts: the operating system's user, or whom the command line names. Somebody has one identity, by whichever
/// of the two he comes.
fn actor(acts_as: Option<&str>) -> Result<Actor> {
    let name = match acts_as {
        Some("") => return Err(Failure::new(Outcome::Usage, "--as wants a name")),
        Some(name) => name.to_owned(),
        None => {
            let uid = nix::unistd::geteuid();
            let known = nix::unistd::User::from_uid(uid).ok().flatten().map(|user| user.name);
            known.unwrap_or_else(|| format!("uid {uid}"))
        }
    };
    Ok(Actor { id: name.clone(), name })
}

/// The file that a result goes to.
fn place(out: &Out) -> Result<Option<Place<'_>>> {
    out.out.as_deref().map(|path: &Path| Place::new(path, out.force)).transpose()
}

/// A moment, where there is one.
fn moment(at: Option<Seconds>) -> Option<String> {
    at.map(date)
}

fn due(office: &Office, most: usize, output: Output) -> Result<()> {
    let texts = |ids: Vec<KeyId>| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    let expired = texts(office.kms().expire_due(most)?);
    let rotated = texts(office.kms().rotate_due(most)?);
    let purged = texts(office.kms().purge_due(most)?);
    output.result(&json!({ "rotated": rotated, "purged": purged, "expired": expired }), |page| {
        for (what, ids) in [("Rotated", &rotated), ("Erased", &purged), ("Expired", &expired)] {
            page.line(&format!("{what}: {}.", if ids.is_empty() { "none".into() } else { ids.join(" ") }));
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_is_who_is_named_or_the_systems_user() {
        let alice = actor(Some("alice")).unwrap();
        assert_eq!((alice.id.as_str(), alice.name.as_str()), ("alice", "alice"));
        let me = actor(None).unwrap();
        assert!(!me.id.is_empty() && me.id == me.name);
        assert_eq!(actor(Some("")).unwrap_err().outcome, Outcome::Usage);
    }
}
