//! How a crypto unit moves: a verified command against the state it was verified with gives a new
//! state and what happened. No disk, no clock, and no randomness but what comes in as [`Fresh`].
//! The table of outcomes is that of the module's documentation; the tests walk all its cells.

use p521::SecretKey;

use super::command::{Attributes, Command};
use super::identity::{Ski, VerificationPattern};
use super::keys::{PublicKey, fresh_secret_key};
use super::parts::{Envelope, EnvelopeRandomness, ImporterKey, KEY_LENGTH, combine};
use super::permissions::Permissions;
use super::quorum::{Authorized, SignedPart};
use super::refusal::Refusal;
use super::state::{
    ADMINISTRATORS_MAX, Administrator, CurrentRegister, MasterKey, NewRegister, Ownership, Secured, State,
    Thresholds,
};
use crate::error::Result as CoreResult;
use crate::rng;
use crate::secret::Secret;

type Result<T> = std::result::Result<T, Refusal>;

/// Something that happened to a unit, for the audit log and for whoever gave the command.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// An administrator was installed.
    AdministratorAdded {
        /// Their name.
        name: String,
        /// Their key.
        ski: Ski,
    },
    /// An administrator was removed.
    AdministratorRemoved {
        /// Their name.
        name: String,
        /// Their key.
        ski: Ski,
    },
    /// Thresholds and permissions were set.
    AttributesSet {
        /// The thresholds from now on.
        thresholds: Thresholds,
        /// The permissions from now on.
        permissions: Permissions,
    },
    /// The unit left imprint mode.
    ImprintModeLeft,
    /// An importer key was made.
    ImporterGenerated {
        /// What key parts are to be encrypted to.
        public_key: PublicKey,
    },
    /// The new register was loaded.
    NewMasterKeyLoaded {
        /// The key's verification pattern.
        verification_pattern: VerificationPattern,
    },
    /// The key in the new register was committed.
    NewMasterKeyCommitted {
        /// The key's verification pattern.
        verification_pattern: VerificationPattern,
    },
    /// A master key became the current one.
    MasterKeyActivated {
        /// The key's verification pattern.
        verification_pattern: VerificationPattern,
        /// The epoch that begins with it.
        epoch: u64,
    },
    /// The new register was emptied.
    NewMasterKeyCleared,
    /// The current register was emptied.
    CurrentMasterKeyCleared,
    /// A master key was exported.
    MasterKeyExported {
        /// The key's verification pattern.
        verification_pattern: VerificationPattern,
        /// The key, encrypted to the recipient.
        envelope: Box<Envelope>,
    },
    /// The unit is back in imprint mode.
    Zeroized,
}

/// The randomness that a command may need, drawn before it is applied.
pub struct Fresh {
    importer: SecretKey,
    master_key: Secret,
    envelope: EnvelopeRandomness,
}

impl Fresh {
    /// Draws it; it is for one command.
    pub fn draw() -> CoreResult<Fresh> {
        Ok(Fresh {
            importer: fresh_secret_key()?,
            master_key: rng::secret(KEY_LENGTH)?,
            envelope: EnvelopeRandomness::draw()?,
        })
    }
}

/// Carries the command out: the state after it and what happened, or why not.
pub fn apply(authorized: Authorized<'_>, fresh: Fresh) -> Result<(State, Vec<Event>)> {
    let (before, command) = authorized.into_parts();
    let mut state = before.duplicate();
    let events = match command {
        Command::AddAdministrator(new) => add_administrator(&mut state, new)?,
        Command::RemoveAdministrator(ski) => remove_administrator(&mut state, &ski)?,
        Command::SetAttributes(attributes) => set_attributes(&mut state, attributes)?,
        Command::GenerateImporter => generate_importer(secured(&mut state)?, fresh),
        Command::LoadNewMasterKey(parts) => load(secured(&mut state)?, &parts)?,
        Command::GenerateMasterKey => generate_master_key(&mut state, fresh)?,
        Command::Commit(pattern) => commit(secured(&mut state)?, pattern)?,
        Command::SetImmediate(pattern) => set_immediate(&mut state, pattern)?,
        Command::ClearNew => {
            secured(&mut state)?.new = NewRegister::Empty;
            vec![Event::NewMasterKeyCleared]
        }
        Command::ClearCurrent => {
            secured(&mut state)?.current = CurrentRegister::Empty;
            state.audit.close();
            vec![Event::CurrentMasterKeyCleared]
        }
        Command::ExportCurrent(recipient) => {
            let secured = secured(&mut state)?;
            let key = secured.current.key().ok_or(Refusal::CurrentRegisterEmpty);
            export(secured.permissions, key, &recipient, &fresh)?
        }
        Command::ExportNew(recipient) => {
            let secured = secured(&mut state)?;
            let key = secured.new.key().ok_or(Refusal::NewRegisterEmpty);
            export(secured.permissions, key, &recipient, &fresh)?
        }
        Command::Zeroize => {
            state.administrators.clear();
            state.ownership = Ownership::Imprint;
            state.audit.close();
            vec![Event::Zeroized]
        }
    };
    state.counter = before.target().counter;
    Ok((state, events))
}

/// What only a unit outside imprint mode has.
fn secured(state: &mut State) -> Result<&mut Secured> {
    match &mut state.ownership {
        Ownership::Imprint => Err(Refusal::ImprintMode),
        Ownership::Secure(secured) => Ok(secured),
    }
}

fn add_administrator(state: &mut State, new: Administrator) -> Result<Vec<Event>> {
    let ski = new.ski();
    let same = |old: &Administrator| old.ski() == ski || old.name == new.name;
    if state.administrators.iter().any(same) {
        return Err(Refusal::AdministratorExists);
    }
    if state.administrators.len() >= ADMINISTRATORS_MAX {
        return Err(Refusal::AdministratorsFull);
    }
    let event = Event::AdministratorAdded { name: new.name.clone(), ski };
    state.administrators.push(new);
    Ok(vec![event])
}

fn remove_administrator(state: &mut State, ski: &Ski) -> Result<Vec<Event>> {
    let remaining: Vec<_> = state.administrators.iter().filter(|old| old.ski() != *ski).cloned().collect();
    let removed = state.administrator(ski).ok_or(Refusal::AdministratorUnknown)?;
    let event = Event::AdministratorRemoved { name: removed.name.clone(), ski: *ski };
    if let Ownership::Secure(secured) = &state.ownership {
        let thresholds = secured.thresholds;
        if remaining.len() < usize::from(thresholds.signature.max(thresholds.revocation)) {
            return Err(Refusal::ThresholdNeedsAdministrator);
        }
    }
    state.administrators = remaining;
    Ok(vec![event])
}

/// Thresholds and permissions, in imprint mode (which this ends) and after.
fn set_attributes(state: &mut State, attributes: Attributes) -> Result<Vec<Event>> {
    let administrators = state.administrators.len();
    let (before, permissions_before) = match &state.ownership {
        Ownership::Imprint => (None, state.kind.initial_permissions()),
        Ownership::Secure(secured) => (Some(secured.thresholds), secured.permissions),
    };
    let permissions = attributes.permissions.unwrap_or(permissions_before);
    permissions_before.may_become(permissions)?;
    let thresholds = Thresholds {
        signature: attributes.signature_threshold.or(before.map(|t| t.signature)).unwrap_or(0),
        revocation: attributes.revocation_threshold.or(before.map(|t| t.revocation)).unwrap_or(0),
    };
    check_range(thresholds, before, administrators)?;
    check_locks(thresholds, before, permissions_before)?;
    check_single(thresholds, attributes, permissions)?;

    let set = Event::AttributesSet { thresholds, permissions };
    match &mut state.ownership {
        Ownership::Secure(secured) => {
            secured.thresholds = thresholds;
            secured.permissions = permissions;
            Ok(vec![set])
        }
        ownership @ Ownership::Imprint => {
            *ownership = Ownership::Secure(Box::new(Secured {
                thresholds,
                permissions,
                new: NewRegister::Empty,
                current: CurrentRegister::Empty,
                importer: None,
            }));
            Ok(vec![set, Event::ImprintModeLeft])
        }
    }
}

/// Thresholds are 1 to the number of administrators.
fn check_range(thresholds: Thresholds, before: Option<Thresholds>, administrators: usize) -> Result<()> {
    if thresholds.signature == 0 {
        return Err(Refusal::SignatureThresholdZero);
    }
    if thresholds.revocation == 0 {
        return Err(match before {
            None => Refusal::RevocationThresholdUnset,
            Some(_) => Refusal::RevocationThresholdZero,
        });
    }
    if usize::from(thresholds.signature) > administrators {
        return Err(Refusal::SignatureThresholdAbove);
    }
    if usize::from(thresholds.revocation) > administrators {
        return Err(Refusal::RevocationThresholdAbove);
    }
    Ok(())
}

/// A threshold changes only while its control bit is set. Leaving imprint mode is no change.
fn check_locks(thresholds: Thresholds, before: Option<Thresholds>, permissions: Permissions) -> Result<()> {
    let Some(before) = before else { return Ok(()) };
    let locked = |changed: bool, control| changed && !permissions.allow(control);
    if locked(thresholds.signature != before.signature, Permissions::CHANGE_SIGNATURE_THRESHOLD)
        || locked(thresholds.revocation != before.revocation, Permissions::CHANGE_REVOCATION_THRESHOLD)
    {
        return Err(Refusal::ThresholdLocked);
    }
    Ok(())
}

/// Thresholds of 1 need their permission.
fn check_single(thresholds: Thresholds, attributes: Attributes, permissions: Permissions) -> Result<()> {
    if permissions.allow(Permissions::SINGLE_SIGNATURE) {
        return Ok(());
    }
    if attributes.signature_threshold == Some(1) {
        return Err(Refusal::SignatureThresholdOne);
    }
    if attributes.revocation_threshold == Some(1) {
        return Err(Refusal::RevocationThresholdOne);
    }
    if thresholds.signature == 1 || thresholds.revocation == 1 {
        return Err(Refusal::SingleSignatureInUse);
    }
    Ok(())
}

fn generate_importer(secured: &mut Secured, fresh: Fresh) -> Vec<Event> {
    let importer = ImporterKey::new(fresh.importer);
    let public_key = importer.public_key();
    secured.importer = Some(importer);
    vec![Event::ImporterGenerated { public_key }]
}

/// Loads the new register. What was in it is overwritten; the importer key is used up.
fn load(secured: &mut Secured, parts: &[SignedPart]) -> Result<Vec<Event>> {
    if !secured.permissions.allow(Permissions::IMPORT) {
        return Err(Refusal::ImportForbidden);
    }
    if parts.len() == 1 && !secured.permissions.allow(Permissions::SINGLE_PART) {
        return Err(Refusal::SinglePartForbidden);
    }
    let importer = secured.importer.as_ref().ok_or(Refusal::ImporterKeyMissing)?;
    let opened = parts.iter().map(|part| importer.open(part.envelope())).collect::<Result<Vec<_>>>()?;
    let key = combine(&opened);
    if key.equals(&[0; KEY_LENGTH]) {
        return Err(Refusal::KeyIsZero);
    }
    if secured.current.key().is_some_and(|current| current.secret().equals(key.expose())) {
        return Err(Refusal::SameAsCurrent);
    }
    let key = MasterKey::new(key);
    let verification_pattern = key.verification_pattern();
    secured.new = NewRegister::FullUncommitted(key);
    secured.importer = None;
    Ok(vec![Event::NewMasterKeyLoaded { verification_pattern }])
}

/// A random key goes where a loaded one would, or straight into an empty current register.
fn generate_master_key(state: &mut State, fresh: Fresh) -> Result<Vec<Event>> {
    let secured = secured(state)?;
    if !secured.permissions.allow(Permissions::RANDOM) {
        return Err(Refusal::RandomForbidden);
    }
    let NewRegister::Empty = secured.new else { return Err(Refusal::NewRegisterFull) };
    let key = MasterKey::new(fresh.master_key);
    match secured.current {
        CurrentRegister::Empty => activate(state, key),
        CurrentRegister::Valid(_) => {
            let verification_pattern = key.verification_pattern();
            secured.new = NewRegister::FullUncommitted(key);
            Ok(vec![Event::NewMasterKeyLoaded { verification_pattern }])
        }
    }
}

fn commit(secured: &mut Secured, pattern: VerificationPattern) -> Result<Vec<Event>> {
    let key = secured.new.key().ok_or(Refusal::NewRegisterEmpty)?;
    if key.verification_pattern() != pattern {
        return Err(Refusal::VerificationPattern);
    }
    secured.new = NewRegister::FullCommitted(key.duplicate());
    Ok(vec![Event::NewMasterKeyCommitted { verification_pattern: pattern }])
}

fn set_immediate(state: &mut State, pattern: VerificationPattern) -> Result<Vec<Event>> {
    let secured = secured(state)?;
    let key = match &secured.new {
        NewRegister::Empty => return Err(Refusal::NewRegisterEmpty),
        NewRegister::FullUncommitted(_) => return Err(Refusal::NewRegisterUncommitted),
        NewRegister::FullCommitted(key) => key,
    };
    if key.verification_pattern() != pattern {
        return Err(Refusal::VerificationPattern);
    }
    let key = key.duplicate();
    secured.new = NewRegister::Empty;
    activate(state, key)
}

/// Puts the key into the current register and begins an epoch.
fn activate(state: &mut State, key: MasterKey) -> Result<Vec<Event>> {
    let verification_pattern = key.verification_pattern();
    secured(state)?.current = CurrentRegister::Valid(key);
    // 2^64 master keys are out of reach.
    state.epoch = state.epoch.saturating_add(1);
    Ok(vec![Event::MasterKeyActivated { verification_pattern, epoch: state.epoch }])
}

/// Permission first: without it, nothing is told about the register.
fn export(
    permissions: Permissions,
    key: Result<&MasterKey>,
    recipient: &PublicKey,
    fresh: &Fresh,
) -> Result<Vec<Event>> {
    if !permissions.allow(Permissions::EXPORT) {
        return Err(Refusal::ExportForbidden);
    }
    let key = key?;
    // A valid P-521 key and 32 bytes always seal; the mapping is for the type's sake.
    let envelope = Envelope::seal(key.secret().expose(), recipient, &fresh.envelope)
        .map_err(|_| Refusal::RecipientKey)?;
    let verification_pattern = key.verification_pattern();
    Ok(vec![Event::MasterKeyExported { verification_pattern, envelope: Box::new(envelope) }])
}
