//! The crypto unit.
mod active;
pub mod ceremony;
mod command;
mod disk;
mod encoding;
mod file;
mod identity;
mod key_file;
mod keys;
mod loaded;
mod parts;
mod permissions;
mod quorum;
mod refusal;
mod rotation;
mod sealer;
mod state;
mod stored;
#[cfg(test)]
mod tests;
mod transition;

pub use active::ActiveUnit;
pub use command::{Attributes, Command, CommandKind, Row, Signatures};
pub use disk::{Access, CeremonyPlace, UnitPaths};
pub use file::UnitHeader;
pub use identity::{HsmId, Ski, VerificationPattern};
pub use key_file::{key_part_pattern, signature_key_ski};
pub use keys::{PublicKey, SignatureKey};
pub use loaded::{AdministratorStatus, RegisterStatus, Unit, UnitStatus};
pub use parts::{Envelope, ImporterKey, KEY_LENGTH, KeyPart, PARTS_MAX, combined_pattern};
pub use permissions::Permissions;
pub use quorum::{Authorized, SignedCommand, SignedPart, Target};
pub use refusal::Refusal;
pub use rotation::Rotation;
pub use sealer::{Sealer, SealerKind};
pub use state::{
    ADMINISTRATORS_MAX, Administrator, CurrentRegister, MasterKey, NAME_MAX, NewRegister, Ownership, Secured,
    State, Thresholds,
};
pub use transition::{Event, Fresh, apply};
