//! What a step is about, who signs it, and what to type for it, on this machine and on those of others.

use hsm_core::unit::{Attributes, Command, Permissions, UnitKind};

use super::plan::{Kind, State, Step};
use super::situation::Situation;
use crate::cli::Plan;
use crate::commands::unit::view::{View, short};

pub(super) fn step(kind: Kind, state: State, situation: &Situation, plan: &Plan) -> Step {
    let signatures = signatures(kind, situation.view.as_ref(), plan);
    let signers = situation.view.as_ref().filter(|_| signatures > 0).map(View::names).unwrap_or_default();
    let commands =
        if state == State::Done { Vec::new() } else { commands(kind, signatures, situation, plan) };
    let text = text(kind, state, situation, plan);
    Step { kind, state, text, signatures, signers, commands }
}

/// How many sign the command of a step, or its key parts.
fn signatures(kind: Kind, view: Option<&View>, plan: &Plan) -> usize {
    let threshold = view.and_then(View::thresholds).map_or(plan.threshold, |thresholds| thresholds.signature);
    match kind {
        Kind::MakeUnit | Kind::AddAdministrators | Kind::WrapPartitions | Kind::InitToken => 0,
        Kind::SetThresholds => usize::from(plan.threshold),
        Kind::Commit => usize::from(threshold),
        Kind::LoadKeyParts => usize::from(plan.parts),
        Kind::GenerateImporter | Kind::SetImmediate | Kind::GenerateMasterKey => 1,
    }
}

/// The command of a step that is one command.
pub(super) fn command(kind: Kind, view: &View, plan: &Plan) -> Option<Command> {
    let pattern = || view.new_register.verification_pattern.as_ref()?.parse().ok();
    match kind {
        Kind::SetThresholds => Some(Command::SetAttributes(Attributes {
            signature_threshold: Some(plan.threshold),
            revocation_threshold: Some(plan.threshold),
            permissions: None,
        })),
        Kind::GenerateImporter => Some(Command::GenerateImporter),
        Kind::Commit => pattern().map(Command::Commit),
        Kind::SetImmediate => pattern().map(Command::SetImmediate),
        Kind::GenerateMasterKey => Some(Command::GenerateMasterKey),
        Kind::MakeUnit
        | Kind::AddAdministrators
        | Kind::LoadKeyParts
        | Kind::WrapPartitions
        | Kind::InitToken => None,
    }
}

/// The file in which a step's command goes round.
pub(super) fn file(kind: Kind) -> &'static str {
    match kind {
        Kind::AddAdministrators => "add.cmd",
        Kind::SetThresholds => "own.cmd",
        Kind::GenerateImporter => "importer.cmd",
        Kind::LoadKeyParts => "load.cmd",
        Kind::Commit => "commit.cmd",
        Kind::SetImmediate => "immediate.cmd",
        Kind::GenerateMasterKey => "draw.cmd",
        Kind::MakeUnit | Kind::WrapPartitions | Kind::InitToken => "command.cmd",
    }
}

fn text(kind: Kind, state: State, situation: &Situation, plan: &Plan) -> String {
    let Some(view) = &situation.view else {
        return match kind {
            Kind::MakeUnit => "at the HSM".into(),
            Kind::AddAdministrators => format!("{} of them, each with a key of his own", plan.administrators),
            _ => String::new(),
        };
    };
    let new = view.new_register.verification_pattern.as_deref().map(short).unwrap_or_default();
    match (kind, state) {
        (Kind::MakeUnit, _) => format!("{} unit {} of HSM {}", view.kind.name(), view.unit_id, view.hsm_id),
        (Kind::AddAdministrators, State::Done) => view.names().join(", "),
        (Kind::AddAdministrators, _) => {
            let there = view.names();
            let there = if there.is_empty() { "nobody".into() } else { there.join(", ") };
            format!("{} of {} are there: {there}", view.administrators.len(), plan.administrators)
        }
        (Kind::SetThresholds, State::Done) => {
            let thresholds = view.thresholds();
            thresholds.map_or_else(String::new, |t| format!("{} sign, {} revoke", t.signature, t.revocation))
        }
        (Kind::SetThresholds, _) => "ends imprint mode".into(),
        (Kind::GenerateImporter, _) => "which key parts are encrypted to".into(),
        (Kind::LoadKeyParts, State::Done) => new,
        (Kind::LoadKeyParts, _) => format!("{} parts", plan.parts),
        (Kind::Commit, State::Done) => new,
        (Kind::Commit, _) => "everybody compares the verification pattern first".into(),
        (Kind::WrapPartitions, _) => match situation.rewrapped {
            Some(wrapped) => format!("{} of {}", wrapped.done, wrapped.total),
            None => "at the HSM".into(),
        },
        (Kind::SetImmediate | Kind::GenerateMasterKey, State::Done) => {
            let current = view.current_register.verification_pattern.as_deref();
            format!("master key {}", current.map(short).unwrap_or_default())
        }
        (Kind::SetImmediate, _) if situation.tokens.is_none() && view.current_register.status == "Valid" => {
            "after `softhsm-rs unit mk-rotate` at the HSM".into()
        }
        (Kind::SetImmediate, _) => "the new master key comes into use".into(),
        (Kind::GenerateMasterKey, _) => "the recovery unit keeps it".into(),
        (Kind::InitToken, State::Done) => format!("{} there", situation.tokens.unwrap_or_default()),
        (Kind::InitToken, _) => "applications keep their keys in it".into(),
    }
}

fn commands(kind: Kind, signatures: usize, situation: &Situation, plan: &Plan) -> Vec<String> {
    let told = situation.statement.as_ref().map(|path| format!(" --for {path}")).unwrap_or_default();
    let file = file(kind);
    let prepare = |what: &str| format!("softhsm-rs unit prepare {what}{told} --out {file}");
    let sign = |times: usize| {
        let line = format!("softhsm-rs unit sign {file} --key NAME.sigkey");
        std::iter::repeat_n(line, times)
    };
    let submit = || format!("softhsm-rs unit submit {file} --reply reply.json");
    let pattern = situation.view.as_ref().and_then(|view| view.new_register.verification_pattern.as_deref());
    let pattern = pattern.unwrap_or("PATTERN");
    let whole = |what: &str| {
        std::iter::once(prepare(what)).chain(sign(signatures)).chain([submit()]).collect::<Vec<_>>()
    };
    match kind {
        Kind::MakeUnit => vec![
            "softhsm-rs unit create".into(),
            "softhsm-rs unit show --out reply.json".into(),
            "softhsm-rs unit trust reply.json".into(),
        ],
        Kind::AddAdministrators => vec![
            "softhsm-rs unit key new NAME.sigkey --name NAME".into(),
            prepare("add-administrator NAME.sigkey.pub"),
            submit(),
        ],
        Kind::SetThresholds => {
            let count = plan.threshold;
            whole(&format!("set-thresholds --signature {count} --revocation {count}"))
        }
        Kind::GenerateImporter => whole("generate-importer"),
        Kind::LoadKeyParts => load(&told, plan.parts, file, submit()),
        Kind::Commit => whole(&format!("commit {pattern}")),
        Kind::WrapPartitions => vec!["softhsm-rs unit mk-rotate".into()],
        Kind::SetImmediate => whole(&format!("set-immediate {pattern}")),
        Kind::GenerateMasterKey => {
            let forbidden = situation.view.as_ref().is_some_and(|view| {
                view.kind == UnitKind::Recovery && !view.permissions().allow(Permissions::RANDOM)
            });
            let mut lines = whole("generate-master-key");
            if forbidden {
                lines.insert(0, prepare("set-thresholds --allow random"));
            }
            lines
        }
        Kind::InitToken => vec!["softhsm-rs token init LABEL".into()],
    }
}

fn load(told: &str, parts: u8, file: &str, submit: String) -> Vec<String> {
    let mut lines = vec!["softhsm-rs unit part new NAME.keypart --name NAME".to_owned()];
    for number in 1..=parts {
        lines.push(format!(
            "softhsm-rs unit part seal NAME.keypart --number {number} --of {parts} --key NAME.sigkey{told} \
             --out part-{number}"
        ));
    }
    let files: Vec<String> = (1..=parts).map(|number| format!("part-{number}")).collect();
    lines.push(format!("softhsm-rs unit prepare load {} --out {file}", files.join(" ")));
    lines.push(submit);
    lines
}
