//! How many must sign a command: the cell of the table of commands, made a number by what the unit is at the
//! moment. A unit's statement says as much of it, so that people far from the HSM can count as the unit will.

use super::command::{Command, CommandKind, Signatures};
use super::permissions::Permissions;
use super::refusal::Refusal;
use super::state::{State, Thresholds};

/// What of a unit decides how many must sign.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// The thresholds; absent in imprint mode.
    pub thresholds: Option<Thresholds>,
    /// What the administrators allow; absent in imprint mode.
    pub permissions: Option<Permissions>,
    /// How many administrators there are.
    pub administrators: usize,
}

impl Standing {
    /// That of a state.
    pub fn of(state: &State) -> Standing {
        let secured = state.secured();
        Standing {
            thresholds: secured.map(|secured| secured.thresholds()),
            permissions: secured.map(|secured| secured.permissions()),
            administrators: state.administrators().len(),
        }
    }

    /// How many signatures a command needs now; for a load, those on its parts.
    ///
    /// # Errors
    /// `ImprintMode` if no number would do.
    pub fn signatures_needed(&self, command: &Command) -> Result<u8, Refusal> {
        match (rule(self, command.kind())?, command) {
            (Signatures::OnePerPart, Command::LoadNewMasterKey(parts)) => {
                u8::try_from(parts.len()).map_err(|_| Refusal::KeyParts)
            }
            (rule, _) => Ok(needed(rule, self, command)),
        }
    }
}

impl State {
    /// [`Standing::signatures_needed`] of this state.
    ///
    /// # Errors
    /// `ImprintMode` if no number would do.
    pub fn signatures_needed(&self, command: &Command) -> Result<u8, Refusal> {
        Standing::of(self).signatures_needed(command)
    }
}

/// The cell of the table of commands that holds now.
pub(super) fn rule(standing: &Standing, kind: CommandKind) -> Result<Signatures, Refusal> {
    let rule = match standing.thresholds {
        None => kind.row().imprint,
        Some(_) => kind.row().secure,
    };
    if rule == Signatures::NotAllowed { Err(Refusal::ImprintMode) } else { Ok(rule) }
}

/// How many administrators must sign the command itself.
pub(super) fn needed(rule: Signatures, standing: &Standing, command: &Command) -> u8 {
    let signature = standing.thresholds.map_or(0, |thresholds| thresholds.signature);
    match rule {
        // `rule` refused it; no count would be enough.
        Signatures::NotAllowed => u8::MAX,
        Signatures::None | Signatures::OnePerPart => 0,
        Signatures::One => 1,
        Signatures::SignatureThreshold => signature,
        Signatures::RevocationThreshold => standing.thresholds.map_or(0, |thresholds| thresholds.revocation),
        Signatures::NewSignatureThreshold => match command {
            // More than all cannot sign; a threshold above all is refused by name later.
            Command::SetAttributes(attributes) => {
                let all = u8::try_from(standing.administrators).unwrap_or(u8::MAX);
                attributes.signature_threshold.unwrap_or(0).min(all)
            }
            _ => u8::MAX,
        },
        Signatures::OneIfPermitted => {
            let single = Permissions::ZEROIZE_SINGLE_SIGNATURE;
            let permitted = standing.permissions.is_some_and(|permissions| permissions.allow(single));
            if permitted { 1 } else { signature }
        }
    }
}
