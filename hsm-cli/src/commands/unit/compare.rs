//! `unit compare`: whether units are configured alike, by what they say of themselves.

use std::path::PathBuf;

use hsm_core::unit::Statement;
use serde_json::{Value, json};

use super::{known, selection};
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;

/// Compares the units of these statements, or the selected ones.
pub(super) fn run(paths: &[PathBuf], output: Output) -> Result<()> {
    let statements = match paths {
        [] => selection::statements()?,
        named => named.iter().map(|path| known::believed(path)).collect::<Result<Vec<_>>>()?,
    };
    if statements.len() < 2 {
        return Err(Failure::new(Outcome::Usage, "two units or more are compared")
            .next("name their statements, or select them with `softhsm-rs unit select`"));
    }
    compare(&statements, output)
}

/// What has to be the same in units that are to take one another's place: administrators, thresholds and
/// master keys.
fn compare(statements: &[Statement], output: Output) -> Result<()> {
    const COMPARED: [&str; 5] =
        ["ownership", "administrators", "thresholds", "current_register", "new_register"];
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
