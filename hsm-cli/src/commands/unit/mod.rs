//! `unit`: the crypto unit and the ceremony that people hold around it. Commands are prepared for a unit,
//! signed by each administrator where his key is, and submitted at the HSM; what is carried is files.

use std::path::Path;

use hsm_core::hsm::{Hsm, Rewrapped};
use hsm_core::unit::{Access, PublicKey, Statement, Target, Unit};
use serde_json::{Value, json};

use crate::cli::{self, Carried};
use crate::commands::{ask, init, status};
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;

mod describe;
pub(super) mod files;
mod keys;
pub(super) mod known;
mod prepare;
mod rotate;
mod sealer;
mod sign;
mod submit;

use submit::LastLog;

pub(super) fn run(hsm: &Hsm, command: cli::Unit, output: Output) -> Result<()> {
    match command {
        cli::Unit::Create { group } => create(hsm, group.as_deref(), output),
        cli::Unit::Show { out } => show(hsm, out.as_deref(), output),
        cli::Unit::Trust { statement, fingerprint, consent } => {
            trust(&statement, fingerprint, &consent, output)
        }
        cli::Unit::Compare { statements } => compare(&statements, output),
        cli::Unit::Prepare(command) => prepare::run(hsm, command, output),
        cli::Unit::Sign { command, key, yes } => sign::run(&command, &key, yes, output),
        cli::Unit::Inspect { file } => sign::inspect(&file, output),
        cli::Unit::Submit { command, reply, log, accept_damaged_log, consent } => {
            let log = log.map(|path| LastLog { path, accepts_damage: accept_damaged_log });
            submit::run(hsm, &command, reply.as_deref(), log.as_ref(), &consent, output)
        }
        cli::Unit::MkRotate => rotate::run(hsm, output),
        cli::Unit::Sealer(command) => sealer::run(hsm, command, output),
        cli::Unit::Key(command) => keys::run(command, output),
        cli::Unit::Part(command) => keys::run_part(hsm, command, output),
    }
}

fn create(hsm: &Hsm, group: Option<&str>, output: Output) -> Result<()> {
    let access = group.map(init::group_number).transpose()?.map_or(Access::Owner, Access::Group);
    Unit::create(&hsm.unit_paths(), access)?;
    show(hsm, None, output)?;
    if output.is_chatty() {
        output.notice("the unit is in imprint mode: `softhsm-rs unit prepare add-administrator` comes next");
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

/// What has to be the same in units that are to take one another's place: administrators, thresholds and
/// master keys.
fn compare(paths: &[std::path::PathBuf], output: Output) -> Result<()> {
    const COMPARED: [&str; 5] =
        ["ownership", "administrators", "thresholds", "current_register", "new_register"];
    let statements = paths.iter().map(|path| known::believed(path)).collect::<Result<Vec<_>>>()?;
    let of = |statement: &Statement, field: &str| statement.status.get(field).cloned().unwrap_or(Value::Null);
    let differing: Vec<&str> = COMPARED
        .into_iter()
        .filter(|field| {
            let mut values = statements.iter().map(|statement| sorted(of(statement, field)));
            let first = values.next();
            values.any(|value| Some(value) != first)
        })
        .collect();
    let units: Vec<&Value> = statements.iter().map(|statement| &statement.status).collect();
    output.result(
        &json!({ "alike": differing.is_empty(), "differing": differing, "units": units }),
        |page| {
            let rows: Vec<[String; 3]> = statements
                .iter()
                .map(|statement| {
                    let pattern = statement.status.pointer("/current_register/verification_pattern");
                    let pattern = pattern.and_then(Value::as_str).unwrap_or("-");
                    let word = statement.status.get("ownership").and_then(Value::as_str).unwrap_or_default();
                    [statement.hsm_id.clone(), word.to_owned(), pattern.to_owned()]
                })
                .collect();
            page.table(["HSM", "UNIT", "MASTER KEY"], &rows);
        },
    );
    if differing.is_empty() {
        return Ok(());
    }
    let what = differing.join(", ").replace('_', " ");
    Err(Failure::new(Outcome::Failed, format!("the units differ: {what}")))
}

/// The order in which administrators were added does not matter.
fn sorted(mut value: Value) -> Value {
    if let Value::Array(items) = &mut value {
        items.sort_by_key(ToString::to_string);
    }
    value
}

/// The unit that a file is made for, by what is believed of it here.
struct Destination {
    target: Target,
    importer: Option<PublicKey>,
    status: Value,
}

impl Destination {
    fn of(hsm: &Hsm, carried: &Carried) -> Result<Destination> {
        Destination::by(hsm, carried.statement.as_deref())
    }

    fn by(hsm: &Hsm, statement: Option<&Path>) -> Result<Destination> {
        let Some(path) = statement else {
            let unit = Unit::open(&hsm.unit_paths())?;
            let importer = unit.state().secured().and_then(|secured| secured.importer());
            let status = serde_json::to_value(unit.status()).unwrap_or_default();
            return Ok(Destination { target: unit.target(), importer, status });
        };
        let statement = known::believed(path)?;
        let target = statement
            .target()
            .ok_or_else(|| Failure::new(Outcome::Damaged, format!("{}: it names no unit", path.display())))?;
        Ok(Destination { target, importer: statement.importer(), status: statement.status })
    }
}

/// When what is made now ends to count, in seconds since 1970.
fn expiry(seconds: u64) -> Option<u64> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?;
    since.as_secs().checked_add(seconds)
}
