//! `unit units`, `unit select`, `unit unselect`: which of the units that are known here commands are made for, as
//! `cryptounits`, `cryptounit-add` and `cryptounit-rm` of TKE have it. The selection is a file beside the list of known
//! units, so that whoever has a list of his own (`SOFTHSM_RS_KNOWN_UNITS`) has a selection of his own.

use std::collections::BTreeSet;
use std::path::Path;

use hsm_core::unit::{Statement, UnitKind};
use serde_json::{Value, json};

use super::known::{self, KnownUnit};
use super::view::View;
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;

/// The names of the units that are selected.
fn selected() -> Result<BTreeSet<String>> {
    // Where there is no place for a list, nobody has selected anything.
    let Ok(path) = known::selection_path() else { return Ok(BTreeSet::new()) };
    match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|_| {
            Failure::new(Outcome::Damaged, format!("{}: this is no selection of units", path.display()))
                .next("remove it, and select units anew")
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(error) => Err(hsm_core::Error::file(&path)(error).into()),
    }
}

fn keep(names: &BTreeSet<String>) -> Result<()> {
    let path = known::selection_path()?;
    let text = serde_json::to_vec_pretty(names).unwrap_or_default();
    let beside = path.with_extension("selected.new");
    let written = std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, &path));
    Ok(written.map_err(hsm_core::Error::file(&path))?)
}

/// The last statements of the selected units, in the order of the list; none where none is selected.
///
/// # Errors
/// Where a selected unit is not known any more, or its statement is not here: nothing is done to the others alone.
pub(super) fn statements() -> Result<Vec<Statement>> {
    let names = selected()?;
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let known = known::all()?;
    if let Some(stranger) = names.iter().find(|name| known.iter().all(|unit| unit.name != **name)) {
        let message = format!("unit {stranger} is selected, and is not known here any more");
        return Err(Failure::new(Outcome::NotTrusted, message)
            .next("`softhsm-rs unit trust` keeps its key; `softhsm-rs unit unselect --all` begins anew"));
    }
    known.iter().filter(|unit| names.contains(&unit.name)).map(KnownUnit::statement).collect()
}

pub(super) fn list(output: Output) -> Result<()> {
    let (known, names) = (known::all()?, selected()?);
    let mut rows: Vec<[String; 4]> = Vec::new();
    let mut units: Vec<Value> = Vec::new();
    for (number, unit) in (1..).zip(&known) {
        let is_selected = names.contains(&unit.name);
        // A list is shown whatever was lost of a unit.
        let statement = unit.statement().ok();
        let kind =
            statement.as_ref().and_then(|it| View::of_statement(it).ok()).map(|view| match view.kind {
                UnitKind::Operational => "OPERATIONAL",
                UnitKind::Recovery => "RECOVERY",
            });
        let (hsm, of_hsm) = unit.name.split_once('/').unwrap_or((&unit.name, ""));
        let location = format!("[{hsm}].[{of_hsm:0>2}]");
        units.push(json!({
            "number": number, "selected": is_selected, "type": kind.map(str::to_lowercase), "location": location,
            "hsm_id": hsm, "unit_id": of_hsm.parse::<u32>().ok(), "fingerprint": unit.fingerprint,
            "last_command": statement.map(|statement| statement.transaction_counter),
        }));
        rows.push([number.to_string(), is_selected.to_string(), kind.unwrap_or("-").to_owned(), location]);
    }
    output.result(&json!({ "units": units }), |page| {
        if rows.is_empty() {
            page.line("No unit is known here: `softhsm-rs unit trust` keeps one.");
        } else {
            page.table(["CRYPTO UNIT NUM", "SELECTED", "TYPE", "LOCATION"], &rows);
        }
    });
    Ok(())
}

pub(super) fn select(units: &[String], output: Output) -> Result<()> {
    let known = known::all()?;
    let mut names = selected()?;
    // All are found before one is selected.
    let found = units.iter().map(|said| find(&known, said)).collect::<Result<Vec<_>>>()?;
    for name in found {
        let unit = known.iter().find(|unit| unit.name == name);
        unit.map(KnownUnit::statement).transpose()?;
        names.insert(name);
    }
    keep(&names)?;
    list(output)
}

pub(super) fn unselect(units: &[String], all: bool, output: Output) -> Result<()> {
    let mut names = selected()?;
    if all {
        names.clear();
    }
    let known = if units.is_empty() { Vec::new() } else { known::all()? };
    for said in units {
        if !names.remove(&find(&known, said)?) {
            return Err(Failure::new(Outcome::NotFound, format!("{said} is not selected"))
                .next("`softhsm-rs unit units` shows which units are"));
        }
    }
    keep(&names)?;
    list(output)
}

/// The name of a known unit, by its number in the list, the beginning of its HSM's identifier, or a statement.
fn find(known: &[KnownUnit], said: &str) -> Result<String> {
    /// Fewer digits than that are a number.
    const LEAST: usize = 8;
    if Path::new(said).is_file() {
        return known::believed(Path::new(said)).map(|statement| known::name(&statement));
    }
    let by_number = said.parse::<usize>().ok().and_then(|number| known.get(number.checked_sub(1)?));
    let mut by_hsm = known.iter().filter(|unit| said.len() >= LEAST && unit.name.starts_with(said));
    let found = match (by_number, by_hsm.next(), by_hsm.next()) {
        (Some(unit), ..) | (None, Some(unit), None) => Some(unit.name.clone()),
        _ => None,
    };
    found.ok_or_else(|| {
        Failure::new(
            Outcome::NotFound,
            format!("no unit that is known here is {}", crate::commands::quoted(said)),
        )
        .next("`softhsm-rs unit units` lists them; `softhsm-rs unit trust` makes one known")
    })
}
