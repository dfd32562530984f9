//! `unit submit`: a signed command is given to the unit, whose signed reply is for whoever made it.

use std::path::Path;

use hsm_core::hsm::{Hsm, Submitted};
use hsm_core::unit::{Command, CurrentRegister, Event, State, Unit};
use serde_json::json;

use super::{describe, files};
use crate::cli::Consent;
use crate::commands::{audit, confirm};
use crate::failure::Result;
use crate::output::{Output, printable};

pub(super) fn run(
    hsm: &Hsm,
    path: &Path,
    reply: Option<&Path>,
    log: Option<&Path>,
    consent: &Consent,
    output: Output,
) -> Result<()> {
    let command = files::command(path)?;
    check_loss(Unit::open(&hsm.unit_paths())?.state(), &command.command()?, consent)?;
    let Submitted { events, reply: statement, store_made } =
        hsm.submit_after(&command, &mut || match log {
            Some(path) => audit::write_log(hsm, 1, path).map(drop),
            None => Ok(()),
        })?;
    if let Some(path) = reply {
        files::write_statement(path, &statement)?;
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
