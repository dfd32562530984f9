//! `unit`: the crypto unit and the ceremony that people hold around it. Commands are prepared for a unit,
//! signed by each administrator where his key is, and submitted at the HSM; what is carried is files.

use std::path::Path;

use hsm_core::hsm::{Hsm, Rewrapped};
use hsm_core::unit::{Access, Unit, UnitKind};
use serde_json::json;

use crate::cli;
use crate::commands::{ask, init, status};
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;

mod automatic;
mod compare;
pub(super) mod describe;
mod destination;
pub(super) mod files;
pub(super) mod keys;
pub(super) mod known;
mod prepare;
pub(super) mod rotate;
mod sealer;
mod selection;
mod sign;
mod sign_service;
pub(super) mod signer;
pub(super) mod submit;
pub(super) mod view;

use submit::LastLog;

pub(super) fn run(hsm: &Hsm, command: cli::Unit, output: Output) -> Result<()> {
    match command {
        cli::Unit::Create { kind, group } => create(hsm, kind, group.as_deref(), output),
        cli::Unit::Show { out } => show(hsm, out.as_deref(), output),
        cli::Unit::Trust { statement, fingerprint, consent } => {
            trust(&statement, fingerprint, &consent, output)
        }
        cli::Unit::Compare { statements } => compare::run(&statements, output),
        cli::Unit::Units => selection::list(output),
        cli::Unit::Select { units } => selection::select(&units, output),
        cli::Unit::Unselect { units, all } => selection::unselect(&units, all, output),
        cli::Unit::Prepare(command) => prepare::run(hsm, command, output),
        cli::Unit::Sign { command, key, statement, yes } => {
            sign::run(hsm, &command, &key, statement.as_deref(), yes, output)
        }
        cli::Unit::Inspect { file } => sign::inspect(hsm, &file, output),
        cli::Unit::Submit { command, reply, log, accept_damaged_log, consent } => {
            let log = log.map(|path| LastLog { path, accepts_damage: accept_damaged_log });
            submit::run(hsm, &command, reply.as_deref(), log.as_ref(), &consent, output)
        }
        cli::Unit::MkRotate => rotate::run(hsm, output),
        cli::Unit::AutoMkRotate { passphrase } => automatic::rotate(hsm, &passphrase, output),
        cli::Unit::AutoRecover { from, key, passphrase } => {
            automatic::recover(hsm, &from, &key, &passphrase, output)
        }
        cli::Unit::SignService(options) => sign_service::run(&options, output),
        cli::Unit::Sealer(command) => sealer::run(hsm, command, output),
        cli::Unit::Key(command) => keys::run(command, output),
        cli::Unit::Part(command) => keys::run_part(hsm, command, output),
    }
}

fn create(hsm: &Hsm, kind: cli::Kind, group: Option<&str>, output: Output) -> Result<()> {
    let kind = match kind {
        cli::Kind::Operational => UnitKind::Operational,
        cli::Kind::Recovery => UnitKind::Recovery,
    };
    let access = group.map(init::group_number).transpose()?.map_or(Access::Owner, Access::Group);
    Unit::create(&hsm.unit_paths(), access, kind)?;
    show(hsm, None, output)?;
    if output.is_chatty() {
        output.notice("the unit is in imprint mode: `softhsm-rs ceremony` says what comes next");
    }
    Ok(())
}

fn show(hsm: &Hsm, out: Option<&Path>, output: Output) -> Result<()> {
    let mut unit = Unit::open(&hsm.unit_paths())?;
    let statement = unit.statement(None)?;
    let fingerprint = statement.fingerprint();
    if let Some(path) = out {
        files::write_statement(path, &statement)?;
    }
    let unit = unit.status();
    // Of a store that cannot be read the unit says nothing.
    let rewrapped = hsm.rewrapped().unwrap_or_default();
    let value = json!({ "unit": unit, "fingerprint": fingerprint, "rewrapped": rewrapped });
    output.result(&value, |page| {
        let rewrapped = rewrapped.map(|Rewrapped { done, total }| {
            ("rotation", format!("{done} of {total} partitions are wrapped under the new master key"))
        });
        let counter = ("last command", unit.transaction_counter.to_string());
        let importer = unit.importer_key.map(|key| ("importer key", key.to_string()));
        let fingerprint = fingerprint.map(|key| ("fingerprint", key.to_string()));
        page.fields(
            status::unit_fields(&unit)
                .into_iter()
                .chain([counter])
                .chain(importer)
                .chain(rewrapped)
                .chain(fingerprint),
        );
    });
    Ok(())
}

fn trust(
    path: &Path,
    expected: Option<hsm_core::unit::Ski>,
    consent: &cli::Consent,
    output: Output,
) -> Result<()> {
    let (statement, fingerprint) = files::statement(path)?;
    match expected {
        Some(expected) if expected != fingerprint => {
            let message = format!("{}: the fingerprint of its key is {fingerprint}", path.display());
            return Err(Failure::new(Outcome::NotTrusted, message)
                .next("do not use it: somebody else signed it, or the wrong fingerprint was compared"));
        }
        Some(_) => {}
        None if consent.yes => {}
        None => {
            let question = format!(
                "HSM {} signs with the key {fingerprint}, which has to be what `unit show` prints there",
                statement.hsm_id
            );
            ask(consent, &question)?;
        }
    }
    let is_new = known::keep(path, &statement, fingerprint)?;
    let value = json!({ "hsm_id": statement.hsm_id, "unit_id": statement.unit_id, "fingerprint": fingerprint, "new": is_new });
    output.result(&value, |page| {
        page.fields([("HSM", statement.hsm_id.clone()), ("fingerprint", fingerprint.to_string())]);
    });
    Ok(())
}

/// When what is made now ends to count, in seconds since 1970.
pub(super) fn expiry(seconds: u64) -> Option<u64> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?;
    since.as_secs().checked_add(seconds)
}
