//! `unit submit`: a signed command is given to the unit, whose signed reply is for whoever made it.

use std::path::{Path, PathBuf};

use hsm_core::Error;
use hsm_core::hsm::{Hsm, Submitted};
use hsm_core::unit::{Command, CurrentRegister, Event, SignedCommand, State, Unit};
use serde_json::json;

use super::{describe, files, known};
use crate::cli::Consent;
use crate::commands::{audit, confirm};
use crate::failure::{Failure, Outcome, Result};
use crate::output::{Output, printable};

pub(super) fn run(
    hsm: &Hsm,
    path: &Path,
    reply: Option<&Path>,
    log: Option<&LastLog>,
    consent: &Consent,
    output: Output,
) -> Result<()> {
    let command = files::command(path)?;
    let said = command.command()?;
    if log.is_some() && !matches!(said, Command::Zeroize | Command::ClearCurrent) {
        return Err(Failure::new(Outcome::Usage, "this command does not end the audit log")
            .next("leave --log away: `softhsm-rs audit export` writes the log into a file"));
    }
    check_loss(Unit::open(&hsm.unit_paths())?.state(), &said, consent)?;
    let Submitted { events, reply: statement, store_made } = match log {
        Some(log) => log.before(hsm, &command, output)?,
        None => hsm.submit(&command)?,
    };
    if let Some(path) = reply {
        files::write_statement(path, &statement)?;
        known::note(path);
    }
    let unit = hsm.unit_status()?;
    let is_closed =
        events.iter().any(|event| matches!(event, Event::Zeroized | Event::CurrentMasterKeyCleared));
    let closed = unit.audit.closed.filter(|_| is_closed);
    let value = json!({ "events": events, "unit": unit, "store_made": store_made });
    let what = describe::fields(&command, None)?;
    output.result(&value, |page| {
        let done = what.into_iter().take(1).map(|(_, name)| ("done", name));
        page.fields(done.chain(events.iter().flat_map(of_event)));
        if store_made {
            page.line(
                "the master key is in use, and the store is made: `softhsm-rs token init` makes a token",
            );
        }
        if let Some(end) = closed {
            page.fields([
                ("audit log", format!("ended at entry {}", end.number)),
                ("last link", hex::encode(end.link)),
            ]);
        }
    });
    Ok(())
}

/// The file for a log that a command ends.
pub(super) struct LastLog {
    pub(super) path: PathBuf,
    /// Whether the log may be lost as far as it cannot be read, or is not the one that the unit knows.
    pub(super) accepts_damage: bool,
}

impl LastLog {
    /// Submits a command, with the log in the file before it is carried out. Where it is not, no file is left but one
    /// with a log in it.
    fn before(&self, hsm: &Hsm, command: &SignedCommand, output: Output) -> Result<Submitted> {
        // Made before the command is recorded, so that it does not fail by a path after that.
        let mut file = Some(audit::new_file(&self.path)?);
        let (mut damage, mut is_written) = (None, false);
        let submitted = hsm.submit_after(command, &mut || {
            let Some(file) = file.take() else { return Ok(()) };
            let (_, verdict) = audit::write_log(hsm, 1, file, &self.path)?;
            damage = audit::whole(verdict).err();
            is_written = damage.is_none() || self.accepts_damage;
            let refused = || Error::RecordDamaged { what: "the audit log".to_owned() };
            is_written.then_some(()).ok_or_else(refused)
        });
        if submitted.is_err() && !is_written {
            std::fs::remove_file(&self.path).map_err(Error::file(&self.path))?;
        }
        match (submitted, damage) {
            (Err(_), Some(damage)) if !is_written => Err(damage.next(
                "the command was not carried out: `softhsm-rs audit show` shows what can be read of the log; with \
                 --accept-damaged-log the rest may be lost",
            )),
            (submitted, damage) => {
                let submitted = submitted?;
                if let Some(damage) = damage {
                    output.warning(&format!("{}; the command was carried out all the same", damage.message));
                }
                Ok(submitted)
            }
        }
    }
}

/// What a command destroys is asked about.
pub(in crate::commands) fn check_loss(state: &State, command: &Command, consent: &Consent) -> Result<()> {
    let current = state.secured().map(|secured| secured.current_register());
    match command {
        Command::Zeroize | Command::ClearCurrent if matches!(current, Some(CurrentRegister::Valid(_))) => {
            confirm(consent, "all keys under the current master key are lost with it")
        }
        _ => Ok(()),
    }
}

/// An event in a line or two.
pub(in crate::commands) fn of_event(event: &Event) -> Vec<(&'static str, String)> {
    match event {
        Event::AdministratorAdded { name, ski } | Event::AdministratorRemoved { name, ski } => {
            vec![("administrator", printable(name)), ("key", ski.to_string())]
        }
        Event::AttributesSet { thresholds, .. } => {
            vec![(
                "thresholds",
                format!("{} to sign, {} to revoke", thresholds.signature, thresholds.revocation),
            )]
        }
        Event::ImprintModeLeft => vec![("unit", "has left imprint mode".into())],
        Event::ImporterGenerated { public_key } => vec![("importer key", public_key.ski().to_string())],
        Event::NewMasterKeyLoaded { verification_pattern }
        | Event::NewMasterKeyCommitted { verification_pattern }
        | Event::MasterKeyActivated { verification_pattern, .. }
        | Event::MasterKeyExported { verification_pattern, .. } => {
            vec![("verification pattern", verification_pattern.to_string())]
        }
        Event::NewMasterKeyCleared => vec![("new register", "is empty".into())],
        Event::CurrentMasterKeyCleared => vec![("current register", "is empty".into())],
        Event::Zeroized => vec![("unit", "is in imprint mode".into())],
    }
}
