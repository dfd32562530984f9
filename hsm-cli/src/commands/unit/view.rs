//! A unit as it is known here, from its own statement or from the unit itself: what the ceremony looks at to say
//! who has to sign, and how many.

use hsm_core::unit::{
    Command, CommandKind, Permissions, SignedCommand, SignedPart, Signer, Ski, Standing, Statement, Target,
    Thresholds, Unit, UnitKind,
};
use serde::Deserialize;
use serde_json::Value;

use crate::failure::{Failure, Outcome, Result};
use crate::output::printable;

/// What a status says, as it is written in a statement.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::commands) struct View {
    pub(in crate::commands) hsm_id: String,
    pub(in crate::commands) unit_id: u32,
    /// Statements were written without it once.
    #[serde(rename = "type", default)]
    pub(in crate::commands) kind: UnitKind,
    pub(in crate::commands) ownership: String,
    pub(in crate::commands) administrators: Vec<Signer>,
    thresholds: Option<Pair>,
    permissions: Option<u32>,
    pub(in crate::commands) new_register: Register,
    pub(in crate::commands) current_register: Register,
    #[serde(default)]
    pub(in crate::commands) importer_key: Option<String>,
    #[serde(default)]
    pub(in crate::commands) epoch: u64,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct Pair {
    signature: u8,
    revocation: u8,
}

/// A register of a status.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::commands) struct Register {
    pub(in crate::commands) status: String,
    pub(in crate::commands) verification_pattern: Option<String>,
}

/// Signatures of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::commands) struct Count {
    pub(in crate::commands) given: usize,
    pub(in crate::commands) needed: usize,
    /// The names of those who may still sign.
    pub(in crate::commands) others: Vec<String>,
}

impl View {
    pub(in crate::commands) fn of_statement(statement: &Statement) -> Result<View> {
        View::of_status(statement.status.clone())
    }

    pub(in crate::commands) fn of_unit(unit: &Unit) -> Result<View> {
        View::of_status(serde_json::to_value(unit.status()).unwrap_or_default())
    }

    fn of_status(status: Value) -> Result<View> {
        serde_json::from_value(status).map_err(|error| {
            let message = format!("what the unit says of itself cannot be read: {error}");
            Failure::new(Outcome::Damaged, message).next("it may be of another version of softhsm-rs")
        })
    }

    pub(in crate::commands) fn is_in_imprint_mode(&self) -> bool {
        self.thresholds.is_none()
    }

    pub(in crate::commands) fn thresholds(&self) -> Option<Thresholds> {
        let Pair { signature, revocation } = self.thresholds?;
        Some(Thresholds { signature, revocation })
    }

    /// What the unit allows, or would allow once it leaves imprint mode.
    pub(in crate::commands) fn permissions(&self) -> Permissions {
        self.permissions.map_or(self.kind.initial_permissions(), Permissions::from_bits)
    }

    /// The names of the administrators.
    pub(in crate::commands) fn names(&self) -> Vec<String> {
        self.administrators.iter().map(|one| printable(&one.name)).collect()
    }

    /// The administrator's name, and the key behind it; the key alone for a stranger.
    pub(in crate::commands) fn person(&self, ski: &Ski) -> String {
        match self.name_of(ski) {
            Some(name) => format!("{} ({})", printable(name), short(&ski.to_string())),
            None => ski.to_string(),
        }
    }

    pub(in crate::commands) fn name_of(&self, ski: &Ski) -> Option<&str> {
        let ski = ski.to_string();
        self.administrators.iter().find(|one| one.ski == ski).map(|one| one.name.as_str())
    }

    /// How many have to sign a command now; `None` where no number would do.
    pub(in crate::commands) fn needed(&self, command: &Command) -> Option<usize> {
        let standing = Standing {
            thresholds: self.thresholds(),
            permissions: self.permissions.map(Permissions::from_bits),
            administrators: self.administrators.len(),
        };
        standing.signatures_needed(command).ok().map(usize::from)
    }

    /// How many signatures of administrators a command has, and how many it needs.
    pub(in crate::commands) fn count(&self, signed: &SignedCommand) -> Option<Count> {
        let command = signed.command().ok()?;
        let needed = self.needed(&command)?;
        let (given, signers) = match &command {
            // One on each part, whoever it is.
            Command::LoadNewMasterKey(parts) => {
                let signers: Vec<Ski> = parts.iter().flat_map(SignedPart::signers).collect();
                (parts.iter().filter(|part| !part.signers().is_empty()).count(), signers)
            }
            _ => {
                let mut signers = signed.signers();
                signers.retain(|ski| self.name_of(ski).is_some());
                signers.sort();
                signers.dedup();
                (signers.len(), signers)
            }
        };
        let signed: Vec<String> = signers.iter().map(Ski::to_string).collect();
        let others = match command.kind() {
            CommandKind::LoadNewMasterKey => Vec::new(),
            _ => {
                let others = self.administrators.iter().filter(|one| !signed.contains(&one.ski));
                others.map(|one| printable(&one.name)).collect()
            }
        };
        Some(Count { given, needed, others })
    }
}

impl Count {
    /// Whether the unit has what it asks for.
    pub(in crate::commands) fn is_enough(&self) -> bool {
        self.given >= self.needed
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} signatures", self.given, self.needed)?;
        if !self.is_enough() && !self.others.is_empty() {
            write!(f, "; may sign: {}", self.others.join(", "))?;
        }
        Ok(())
    }
}

/// The first digits of a long number, for people.
pub(in crate::commands) fn short(digits: &str) -> String {
    const SHOWN: usize = 16;
    digits.get(..SHOWN).map_or_else(|| digits.to_owned(), |start| format!("{start}…"))
}

/// Whether a command is the next one of the unit that this view is of.
pub(in crate::commands) fn is_next(target: &Target, command: &SignedCommand) -> bool {
    command.target().is_ok_and(|of| of == *target)
}
