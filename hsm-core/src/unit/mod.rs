//! The crypto unit.
mod command;
mod encoding;
mod identity;
mod keys;
mod parts;
mod permissions;
mod quorum;
mod refusal;
mod state;
mod transition;

pub use command::{Attributes, Command, CommandKind, Row, Signatures};
pub use identity::{HsmId, Ski, VerificationPattern};
pub use keys::{PublicKey, SignatureKey};
pub use parts::{Envelope, ImporterKey, KEY_LENGTH, KeyPart, PARTS_MAX, combined_pattern};
pub use permissions::Permissions;
pub use quorum::{Authorized, SignedCommand, SignedPart, Target};
pub use refusal::Refusal;
pub use state::{
    ADMINISTRATORS_MAX, Administrator, CurrentRegister, MasterKey, NAME_MAX, NewRegister, Ownership, Secured,
    State, Thresholds,
};
pub use transition::{Event, Fresh, apply};
