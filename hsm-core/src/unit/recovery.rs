//! Whether a recovery unit's master key may go to another unit, as `auto-mk-recover` has it: neither in imprint
//! mode, the same thresholds, and as many administrators in common as have to sign. Nothing is decided here that
//! the units do not decide themselves; it is told beforehand, by name.

use super::identity::VerificationPattern;
use super::state::{NewRegister, Secured, State, UnitKind};

/// Why not. The first three have the TKE SDK's texts.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Problem {
    /// What the key is to come from is no recovery unit.
    #[error("The service instance does not contain any recovery crypto units.")]
    NoRecoveryUnit,
    /// The key is in the other unit alone.
    #[error(
        "The current master key register is set in one or more operational crypto units but is not set in any \
         recovery crypto units."
    )]
    RecoveryUnitEmpty,
    /// The unit has another current master key.
    #[error("The current master key registers are not set to the same value.")]
    OtherMasterKey,
    /// Neither unit has a master key.
    #[error("the recovery unit has no master key: `unit prepare generate-master-key` draws one")]
    NoMasterKey,
    /// A unit in imprint mode.
    #[error("the {0} unit is in imprint mode: its ceremony comes first")]
    ImprintMode(&'static str),
    /// Thresholds that differ.
    #[error("the two units have different thresholds: set the same ones")]
    Thresholds,
    /// Too few who may sign for both.
    #[error("{common} administrators are the same in both units, and {needed} have to sign")]
    Administrators {
        /// Administrators that both have.
        common: usize,
        /// As many as sign the export.
        needed: u8,
    },
    /// The new register holds another key.
    #[error("the unit's new master key register holds another key: clear it first")]
    NewRegisterFull,
}

/// The verification pattern of the key that is to go from one unit to another.
///
/// # Errors
/// The first problem that there is.
pub fn check(to: &State, from: &State) -> Result<VerificationPattern, Problem> {
    if from.kind() != UnitKind::Recovery {
        return Err(Problem::NoRecoveryUnit);
    }
    let recovery = from.secured().ok_or(Problem::ImprintMode(UnitKind::Recovery.name()))?;
    let unit = to.secured().ok_or(Problem::ImprintMode(to.kind().name()))?;
    if recovery.thresholds() != unit.thresholds() {
        return Err(Problem::Thresholds);
    }
    let common = from.administrators().iter().filter(|one| to.administrator(&one.ski()).is_some()).count();
    let needed = unit.thresholds().signature;
    if common < usize::from(needed) {
        return Err(Problem::Administrators { common, needed });
    }
    key(unit, recovery)
}

fn key(unit: &Secured, recovery: &Secured) -> Result<VerificationPattern, Problem> {
    let current = unit.current_register().verification_pattern();
    let pattern = match (recovery.current_register().verification_pattern(), current) {
        (None, None) => return Err(Problem::NoMasterKey),
        (None, Some(_)) => return Err(Problem::RecoveryUnitEmpty),
        (Some(pattern), Some(current)) if pattern != current => return Err(Problem::OtherMasterKey),
        (Some(pattern), _) => pattern,
    };
    match unit.new_register() {
        NewRegister::FullUncommitted(key) | NewRegister::FullCommitted(key)
            if key.verification_pattern() != pattern =>
        {
            Err(Problem::NewRegisterFull)
        }
        _ => Ok(pattern),
    }
}
