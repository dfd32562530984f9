//! `unit sign` and `unit inspect`: what a command says, and an administrator's word for it.

use std::path::Path;

use hsm_core::hsm::Hsm;
use hsm_core::unit::{SignedCommand, Unit};

use super::files::{self, Carriage};
use super::signer::{self, Signer};
use super::view::{View, is_next};
use super::{describe, known};
use crate::cli::{Consent, SigningKey};
use crate::commands::ask;
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;

pub(super) fn run(
    hsm: &Hsm,
    path: &Path,
    key: &SigningKey,
    statement: Option<&Path>,
    yes: bool,
    output: Output,
) -> Result<()> {
    let mut command = files::command(path)?;
    let view = seen(hsm, &command, statement)?;
    if !yes {
        let mut said = describe::fields(&command, view.as_ref())?;
        said.extend(describe::signatures(&command, view.as_ref()));
        output.question(|page| page.fields(said));
        ask(&Consent { yes }, &format!("this is signed with {}", signer::name(key)))?;
    }
    let signer = Signer::of(key, output)?;
    if command.signers().contains(&signer.ski()) {
        let message = format!("{} is signed with this key already", path.display());
        return Err(Failure::new(Outcome::Exists, message));
    }
    signer.sign(&mut command)?;
    files::replace_command(path, &command)?;
    describe::command(&command, view.as_ref(), output)
}

pub(super) fn inspect(hsm: &Hsm, path: &Path, output: Output) -> Result<()> {
    match files::carriage(path)? {
        Carriage::Command(command) => {
            let view = seen(hsm, &command, None)?;
            describe::command(&command, view.as_ref(), output)
        }
        Carriage::Part(part) => {
            describe::part(&part, output);
            Ok(())
        }
    }
}

/// The unit that a command is the next one of, as it is known here: by the statement that was named, by the unit
/// itself where this is its machine, or by the last statement that was seen.
///
/// # Errors
/// A statement that was named and is not to be believed.
pub(super) fn seen(hsm: &Hsm, command: &SignedCommand, statement: Option<&Path>) -> Result<Option<View>> {
    if let Some(path) = statement {
        let statement = known::believed(path)?;
        let is_its = statement.target().is_some_and(|target| is_next(&target, command));
        return if is_its { View::of_statement(&statement).map(Some) } else { Ok(None) };
    }
    if let Ok(unit) = Unit::open(&hsm.unit_paths())
        && is_next(&unit.target(), command)
    {
        return View::of_unit(&unit).map(Some);
    }
    let last = command.target().ok().and_then(|target| known::last(&target));
    Ok(last.and_then(|statement| View::of_statement(&statement).ok()))
}
