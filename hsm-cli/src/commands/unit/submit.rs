//! `unit submit`: a signed command is given to the unit, whose signed reply is for whoever made it.

use std::path::Path;

use hsm_core::hsm::Hsm;
use hsm_core::unit::{Command, CurrentRegister, Event, State, Unit};
use serde_json::json;

use super::{describe, files};
use crate::cli::Consent;
use crate::commands::confirm;
use crate::failure::{Failure, Outcome, Result};
use crate::output::{Output, printable};

pub(super) fn run(
    hsm: &Hsm,
    path: &Path,
    reply: Option<&Path>,
    consent: &Consent,
    output: Output,
) -> Result<()> {
    let command = files::command(path)?;
    let mut unit = Unit::open(&hsm.unit_paths())?;
    check_loss(hsm, unit.state(), &command.command()?, consent)?;
    let events = unit.submit(&command)?;
    let statement = unit.statement(Some((&command, &events)))?;
    if let Some(path) = reply {
        files::write_statement(path, &statement)?;
    }
    let is_activated = events.iter().any(|event| matches!(event, Event::MasterKeyActivated { .. }));
    let store_made = is_activated && hsm.complete()?;
    let value = json!({ "events": events, "unit": unit.status(), "store_made": store_made });
    let what = describe::fields(&command)?;
    output.result(&value, |page| {
        let done = what.into_iter().take(1).map(|(_, name)| ("done", name));
        page.fields(done.chain(events.iter().flat_map(of_event)));
        if store_made {
            page.line(
                "the master key is in use, and the store is made: `softhsm-rs token init` makes a token",
            );
        }
    });
    Ok(())
}

/// What a command destroys is asked about; what it would destroy without anybody meaning it, is refused.
fn check_loss(hsm: &Hsm, state: &State, command: &Command, consent: &Consent) -> Result<()> {
    let current = state.secured().map(|secured| secured.current_register());
    if !matches!(current, Some(CurrentRegister::Valid(_))) {
        return Ok(());
    }
    match command {
        Command::Zeroize | Command::ClearCurrent => {
            confirm(consent, "all keys under the current master key are lost with it")
        }
        Command::SetImmediate(_) if hsm.has_store() => Err(Failure::new(
            Outcome::Refused,
            "the tokens of this HSM are not yet wrapped under the new master key, \
                 and would be lost with the current one",
        )
        .next("keep the current master key: clear the new register with `unit prepare clear-new`")),
        _ => Ok(()),
    }
}

/// An event in a line or two.
fn of_event(event: &Event) -> Vec<(&'static str, String)> {
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
