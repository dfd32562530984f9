//! `ceremony`: leads through the key ceremony. What is done is read from the unit, or from its last statement, so
//! that it can be left and taken up again by anybody, anywhere.

use std::io::IsTerminal;
use std::path::Path;

use hsm_core::hsm::Hsm;
use serde_json::json;

use crate::cli::{Ceremony, CeremonyCommand, Plan};
use crate::commands::unit::files;
use crate::failure::Result;
use crate::output::Output;

mod guide;
mod paper;
mod plan;
mod record;
mod situation;
mod steps;

use plan::{Kind, State, Step};
use situation::Situation;

pub(super) fn run(hsm: &Hsm, command: Ceremony, output: Output) -> Result<()> {
    match command.command {
        None if std::io::stdin().is_terminal() && output.is_chatty() => {
            guide::run(hsm, &command.plan, output)
        }
        None => status(hsm, None, None, &command.plan, output),
        Some(CeremonyCommand::Status { statement, pending, plan }) => {
            status(hsm, statement.as_deref(), pending.as_deref(), &plan, output)
        }
        Some(CeremonyCommand::Run { plan }) => guide::run(hsm, &plan, output),
        Some(CeremonyCommand::Record(options)) => record::run(hsm, &options, output),
    }
}

fn status(
    hsm: &Hsm,
    statement: Option<&Path>,
    pending: Option<&Path>,
    plan: &Plan,
    output: Output,
) -> Result<()> {
    let situation = match statement {
        Some(path) => Situation::told(path)?,
        None => Situation::here(hsm)?,
    };
    let steps = plan::steps(&situation, plan);
    let pending = match pending {
        Some(path) => Some((path, files::command(path)?)),
        None => None,
    };
    let count = pending.as_ref().and_then(|(_, command)| situation.count(command));
    let value = json!({
        "hsm_id": situation.view.as_ref().map(|view| view.hsm_id.as_str()),
        "type": situation.view.as_ref().map(|view| view.kind),
        "steps": steps,
        "pending": pending.as_ref().map(|(path, command)| json!({
            "file": path.display().to_string(),
            "signers": command.signers(),
            "signatures": count.as_ref().map(|count| {
                json!({ "given": count.given, "needed": count.needed, "others": count.others })
            }),
        })),
    });
    output.result(&value, |page| {
        table(&steps, page);
        if let Some((path, _)) = &pending {
            let said = count
                .as_ref()
                .map_or_else(|| "it is not this unit's next command".into(), ToString::to_string);
            page.line("");
            page.line(&format!("{}: {said}", path.display()));
        }
    });
    Ok(())
}

/// The steps, and what to type for the next one.
fn table(steps: &[Step], page: &mut crate::output::Page) {
    let rows: Vec<[String; 4]> = steps
        .iter()
        .map(|step| {
            let signatures = if step.signatures == 0 { String::new() } else { step.signatures.to_string() };
            [step.state.name().to_owned(), step.kind.name().to_owned(), signatures, step.text.clone()]
        })
        .collect();
    page.table(["", "STEP", "SIGN", ""], &rows);
    let Some(next) = steps.iter().find(|step| step.state == State::Next) else {
        page.line("");
        page.line("the ceremony is done; `softhsm-rs ceremony record` writes a record of it");
        return;
    };
    page.line("");
    let signers = next.signers.join(", ");
    match next.kind {
        _ if next.signatures == 0 => {}
        Kind::LoadKeyParts => page.line(&format!("each part is signed by one of {signers}")),
        _ => page.line(&format!("{} of {signers} sign", next.signatures)),
    }
    next.commands.iter().for_each(|command| page.line(&format!("  {command}")));
}
