//! The steps of a ceremony, which of them are done, and which comes next. What is typed for each is `steps`.

use hsm_core::unit::UnitKind;
use serde::Serialize;

use super::situation::Situation;
use super::steps;
use crate::cli::Plan;
use crate::commands::unit::view::View;

/// A step, in the order in which they are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    MakeUnit,
    AddAdministrators,
    SetThresholds,
    GenerateImporter,
    LoadKeyParts,
    Commit,
    WrapPartitions,
    SetImmediate,
    GenerateMasterKey,
    InitToken,
}

impl Kind {
    /// What people call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::MakeUnit => "make the crypto unit",
            Kind::AddAdministrators => "add administrators",
            Kind::SetThresholds => "set thresholds",
            Kind::GenerateImporter => "make an importer key",
            Kind::LoadKeyParts => "load key parts",
            Kind::Commit => "commit",
            Kind::WrapPartitions => "wrap partitions",
            Kind::SetImmediate => "set immediate",
            Kind::GenerateMasterKey => "draw a master key",
            Kind::InitToken => "make a token",
        }
    }
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Done,
    Next,
    Waiting,
}

impl State {
    pub(super) fn name(self) -> &'static str {
        match self {
            State::Done => "done",
            State::Next => "next",
            State::Waiting => "waiting",
        }
    }
}

/// A step of this ceremony.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Step {
    #[serde(rename = "step")]
    pub(super) kind: Kind,
    pub(super) state: State,
    /// What it is about, or what came of it.
    pub(super) text: String,
    /// How many have to sign.
    pub(super) signatures: usize,
    /// The names of those who may.
    pub(super) signers: Vec<String>,
    /// What to type; empty where it is done.
    pub(super) commands: Vec<String>,
}

/// All steps of the ceremony. The first that is not done comes next.
pub(super) fn steps(situation: &Situation, plan: &Plan) -> Vec<Step> {
    let mut is_next = true;
    let step = |(kind, done): (Kind, bool)| {
        let state = match (done, is_next) {
            (true, _) => State::Done,
            (false, true) => State::Next,
            (false, false) => State::Waiting,
        };
        is_next &= done;
        steps::step(kind, state, situation, plan)
    };
    order(situation, plan).into_iter().map(step).collect()
}

/// The steps that this unit goes through, and whether each is done.
fn order(situation: &Situation, plan: &Plan) -> Vec<(Kind, bool)> {
    let view = situation.view.as_ref();
    let is = |told: fn(&View) -> bool| view.is_some_and(told);
    let is_secure = is(|view| !view.is_in_imprint_mode());
    let enough = view.is_some_and(|view| view.administrators.len() >= usize::from(plan.administrators));
    let is_active = is(|view| view.current_register.status == "Valid");
    let mut steps = vec![
        (Kind::MakeUnit, view.is_some()),
        (Kind::AddAdministrators, is_secure || enough),
        (Kind::SetThresholds, is_secure),
    ];
    if view.is_some_and(|view| view.kind == UnitKind::Recovery) {
        steps.push((Kind::GenerateMasterKey, is_active));
        return steps;
    }
    let is_loaded = is(|view| view.new_register.status != "Empty");
    let has_importer = is(|view| view.importer_key.is_some());
    let is_rotating = is_active && (is_loaded || has_importer || plan.rotate);
    let is_over = is_active && !is_rotating;
    steps.extend([
        (Kind::GenerateImporter, is_over || is_loaded || has_importer),
        (Kind::LoadKeyParts, is_over || is_loaded),
        (Kind::Commit, is_over || is(|view| view.new_register.status == "Full Committed")),
    ]);
    // Elsewhere nobody knows how far it is.
    if is_rotating && situation.tokens.is_some() {
        let wrapped = situation.rewrapped.is_some_and(|wrapped| wrapped.done == wrapped.total);
        steps.push((Kind::WrapPartitions, wrapped));
    }
    steps.push((Kind::SetImmediate, is_over));
    if let Some(tokens) = situation.tokens.filter(|_| !is_rotating) {
        steps.push((Kind::InitToken, tokens > 0));
    }
    steps
}
