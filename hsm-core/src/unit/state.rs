//! What a crypto unit is: two small machines, ownership (imprint or secure) and the master key
//! registers. Registers exist in a secure unit alone, so a unit in imprint mode cannot hold a key.
//! How the machines move is in `transition`; how the state is kept is in `file`.

use super::audit::AuditState;
use super::identity::{HsmId, Ski, VerificationPattern};
use super::keys::{PublicKey, SignatureKey};
use super::parts::ImporterKey;
use super::permissions::Permissions;
use super::quorum::Target;
use crate::secret::Secret;

/// The most administrators a unit has.
pub const ADMINISTRATORS_MAX: usize = 8;

/// The longest name of an administrator, in characters.
pub const NAME_MAX: usize = 30;

/// What a unit is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnitKind {
    /// Its master key protects a store.
    #[default]
    Operational,
    /// It keeps a master key, drawn by itself as a rule, for operational units that lose theirs. It has no store.
    Recovery,
}

impl UnitKind {
    /// What a unit of this kind allows as long as nobody said anything else.
    pub fn initial_permissions(self) -> Permissions {
        match self {
            UnitKind::Operational => Permissions::INITIAL,
            UnitKind::Recovery => Permissions::RECOVERY,
        }
    }

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            UnitKind::Operational => "operational",
            UnitKind::Recovery => "recovery",
        }
    }
}

/// The whole state of one crypto unit. It is changed by [`super::apply`] alone, which makes a new
/// one.
#[derive(Debug)]
pub struct State {
    pub(super) hsm_id: HsmId,
    pub(super) unit_id: u32,
    pub(super) counter: u128,
    pub(super) epoch: u64,
    pub(super) administrators: Vec<Administrator>,
    pub(super) ownership: Ownership,
    /// Signs what the unit says of itself, as long as there is the unit. A unit of an earlier version
    /// gets one when it is asked for a statement.
    pub(super) attestation: Option<SignatureKey>,
    /// Signs the audit log, and knows where it ended last.
    pub(super) audit: AuditState,
    pub(super) kind: UnitKind,
}

impl State {
    /// A unit as it leaves the factory: imprint mode, no administrators.
    pub fn imprint(hsm_id: HsmId, unit_id: u32) -> State {
        State {
            hsm_id,
            unit_id,
            counter: 0,
            epoch: 0,
            administrators: Vec::new(),
            ownership: Ownership::Imprint,
            attestation: None,
            audit: AuditState::default(),
            kind: UnitKind::Operational,
        }
    }

    /// What the unit is for. It stays so.
    pub fn kind(&self) -> UnitKind {
        self.kind
    }

    /// The HSM that the unit belongs to.
    pub fn hsm_id(&self) -> HsmId {
        self.hsm_id
    }

    /// The unit's number inside its HSM; the first is 1.
    pub fn unit_id(&self) -> u32 {
        self.unit_id
    }

    /// The counter of the last command that was carried out. It is never set back.
    pub fn counter(&self) -> u128 {
        self.counter
    }

    /// How often a master key became current. It is never set back.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The installed administrators, in the order they were added.
    pub fn administrators(&self) -> &[Administrator] {
        &self.administrators
    }

    /// Whether the unit has left imprint mode, and what it then has.
    pub fn ownership(&self) -> &Ownership {
        &self.ownership
    }

    /// What the next command must name.
    pub fn target(&self) -> Target {
        Target {
            hsm_id: self.hsm_id,
            unit_id: self.unit_id,
            // 2^128 commands are out of reach.
            counter: self.counter.saturating_add(1),
        }
    }

    /// The administrator with this key.
    pub fn administrator(&self, ski: &Ski) -> Option<&Administrator> {
        self.administrators.iter().find(|administrator| administrator.ski() == *ski)
    }

    /// What a unit has once it left imprint mode.
    pub fn secured(&self) -> Option<&Secured> {
        match &self.ownership {
            Ownership::Imprint => None,
            Ownership::Secure(secured) => Some(secured),
        }
    }

    /// A second copy of the same state, secrets included.
    pub(super) fn duplicate(&self) -> State {
        State {
            hsm_id: self.hsm_id,
            unit_id: self.unit_id,
            counter: self.counter,
            epoch: self.epoch,
            administrators: self.administrators.clone(),
            ownership: match &self.ownership {
                Ownership::Imprint => Ownership::Imprint,
                Ownership::Secure(secured) => Ownership::Secure(Box::new(secured.duplicate())),
            },
            attestation: self.attestation.as_ref().map(SignatureKey::duplicate),
            audit: self.audit.duplicate(),
            kind: self.kind,
        }
    }
}

/// Somebody whose signatures count.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Administrator {
    /// 1 to 30 characters, for people.
    pub name: String,
    /// The key that verifies the signatures.
    pub public_key: PublicKey,
}

impl Administrator {
    /// The key's subject key identifier.
    pub fn ski(&self) -> Ski {
        self.public_key.ski()
    }
}

/// The first machine: who owns the unit.
#[derive(Debug)]
pub enum Ownership {
    /// Nobody yet: commands are accepted without signatures, and keys are not.
    Imprint,
    /// The administrators, by their thresholds.
    Secure(Box<Secured>),
}

/// What a unit has once it left imprint mode.
#[derive(Debug)]
pub struct Secured {
    pub(super) thresholds: Thresholds,
    pub(super) permissions: Permissions,
    pub(super) new: NewRegister,
    pub(super) current: CurrentRegister,
    pub(super) importer: Option<ImporterKey>,
}

impl Secured {
    /// How many signatures commands need.
    pub fn thresholds(&self) -> Thresholds {
        self.thresholds
    }

    /// What the administrators allow.
    pub fn permissions(&self) -> Permissions {
        self.permissions
    }

    /// The new master key register.
    pub fn new_register(&self) -> &NewRegister {
        &self.new
    }

    /// The current master key register.
    pub fn current_register(&self) -> &CurrentRegister {
        &self.current
    }

    /// The importer key that waits for key parts.
    pub fn importer(&self) -> Option<PublicKey> {
        self.importer.as_ref().map(ImporterKey::public_key)
    }

    fn duplicate(&self) -> Secured {
        Secured {
            thresholds: self.thresholds,
            permissions: self.permissions,
            new: match &self.new {
                NewRegister::Empty => NewRegister::Empty,
                NewRegister::FullUncommitted(key) => NewRegister::FullUncommitted(key.duplicate()),
                NewRegister::FullCommitted(key) => NewRegister::FullCommitted(key.duplicate()),
            },
            current: match &self.current {
                CurrentRegister::Empty => CurrentRegister::Empty,
                CurrentRegister::Valid(key) => CurrentRegister::Valid(key.duplicate()),
            },
            importer: self.importer.as_ref().map(ImporterKey::duplicate),
        }
    }
}

/// How many administrators must sign: 1 to 8 each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Thresholds {
    /// Most commands.
    pub signature: u8,
    /// Removing an administrator.
    pub revocation: u8,
}

/// The second machine, first register: a key on its way in.
#[derive(Debug)]
pub enum NewRegister {
    /// No key.
    Empty,
    /// Loaded; the administrators have not yet agreed that it is the right one.
    FullUncommitted(MasterKey),
    /// The administrators agreed.
    FullCommitted(MasterKey),
}

impl NewRegister {
    /// The key, committed or not.
    pub(super) fn key(&self) -> Option<&MasterKey> {
        match self {
            NewRegister::Empty => None,
            NewRegister::FullUncommitted(key) | NewRegister::FullCommitted(key) => Some(key),
        }
    }

    /// What the TKE tools call the state.
    pub fn name(&self) -> &'static str {
        match self {
            NewRegister::Empty => "Empty",
            NewRegister::FullUncommitted(_) => "Full Uncommitted",
            NewRegister::FullCommitted(_) => "Full Committed",
        }
    }

    /// The key's verification pattern.
    pub fn verification_pattern(&self) -> Option<VerificationPattern> {
        self.key().map(MasterKey::verification_pattern)
    }
}

/// The second machine, second register: the key in use.
#[derive(Debug)]
pub enum CurrentRegister {
    /// No key: the HSM does not work.
    Empty,
    /// The master key.
    Valid(MasterKey),
}

impl CurrentRegister {
    /// The key.
    pub(super) fn key(&self) -> Option<&MasterKey> {
        match self {
            CurrentRegister::Empty => None,
            CurrentRegister::Valid(key) => Some(key),
        }
    }

    /// What the TKE tools call the state.
    pub fn name(&self) -> &'static str {
        match self {
            CurrentRegister::Empty => "Empty",
            CurrentRegister::Valid(_) => "Valid",
        }
    }

    /// The key's verification pattern.
    pub fn verification_pattern(&self) -> Option<VerificationPattern> {
        self.key().map(MasterKey::verification_pattern)
    }
}

/// A master key: 32 bytes that never leave this module in clear.
#[derive(Debug)]
pub struct MasterKey(Secret);

impl MasterKey {
    /// The key with these 32 bytes.
    pub(super) fn new(bytes: Secret) -> MasterKey {
        MasterKey(bytes)
    }

    /// The key's verification pattern.
    pub fn verification_pattern(&self) -> VerificationPattern {
        VerificationPattern::of(self.0.expose())
    }

    /// The bytes.
    pub(super) fn secret(&self) -> &Secret {
        &self.0
    }

    /// A second copy of the same key.
    pub(super) fn duplicate(&self) -> MasterKey {
        MasterKey(self.0.duplicate())
    }
}
