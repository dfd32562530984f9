//! A crypto unit as a program holds it: opened from its file, asked for its status, given commands.
//! Commands are carried out under the unit's lock against the state that is then in the file, so two
//! processes never carry out the same one.

use serde::Serialize;

use super::active::ActiveUnit;
use super::audit::{AuditState, AuditStatus};
use super::command::Command;
use super::disk::{Access, Lock, UnitPaths};
use super::file;
use super::identity::{HsmId, Ski, VerificationPattern};
use super::keys::SignatureKey;
use super::opening;
use super::permissions::Permissions;
use super::quorum::{Authorized, SignedCommand, SignedPart, Target};
use super::sealer::Sealer;
use super::state::{NewRegister, Ownership, Secured, State, Thresholds, UnitKind};
use super::statement::{SignedStatement, Signer, Statement};
use super::transition::{Event, Fresh, apply};
use crate::error::{Error, Result};
use crate::rng;

/// The number of the only unit that an HSM has so far.
const FIRST_UNIT: u32 = 1;

/// A crypto unit, opened.
#[derive(Debug)]
pub struct Unit {
    pub(super) paths: UnitPaths,
    pub(super) sealer: Sealer,
    pub(super) state: State,
    /// Who signed the command that was carried out last.
    pub(super) signers: Vec<Signer>,
}

impl Unit {
    /// Makes a new unit, in imprint mode, and its sealer.
    ///
    /// # Errors
    /// `HsmExists` if there is a unit file already.
    pub fn create(paths: &UnitPaths, access: Access, kind: UnitKind) -> Result<Unit> {
        let lock = Lock::take(&paths.lock, access)?;
        Unit::create_locked(paths, access, kind, &lock)
    }

    /// [`Unit::create`] for a caller that holds the lock.
    pub(super) fn create_locked(
        paths: &UnitPaths,
        access: Access,
        kind: UnitKind,
        _held: &Lock,
    ) -> Result<Unit> {
        if paths.unit.try_exists().map_err(Error::file(&paths.unit))? {
            return Err(Error::HsmExists(paths.unit.clone()));
        }
        // The sealer is durable before anything is sealed with it.
        let sealer = Sealer::find_or_make(paths, access)?;
        let mut state = State::imprint(HsmId::new(rng::array()?), FIRST_UNIT);
        state.attestation = Some(SignatureKey::generate()?);
        state.audit = AuditState::new()?;
        state.kind = kind;
        file::save(paths, &sealer, &state, access)?;
        Ok(Unit { paths: paths.clone(), sealer, state, signers: Vec::new() })
    }

    /// [`Unit::open`] with a sealer that the caller has.
    pub fn open_with(paths: &UnitPaths, sealer: Sealer) -> Result<Unit> {
        let state = file::load(paths, &sealer)?;
        Ok(Unit { paths: paths.clone(), sealer, state, signers: Vec::new() })
    }

    /// The state as it was when the unit was opened or given its last command.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What the next command must name.
    pub fn target(&self) -> Target {
        self.state.target()
    }

    /// The number of the group whose members may use the unit, if its file is one's.
    ///
    /// # Errors
    /// A file that cannot be looked at.
    pub fn group(&self) -> Result<Option<u32>> {
        Ok(match Access::of(&self.paths.unit)? {
            Access::Owner => None,
            Access::Group(group) => Some(group),
        })
    }

    /// Where the unit's files are.
    pub fn paths(&self) -> &UnitPaths {
        &self.paths
    }

    /// Verifies a command against the state as it is in the file now, and does nothing.
    ///
    /// # Errors
    /// As [`Unit::submit`], as far as its target, time and signatures are concerned.
    pub fn check(&mut self, command: &SignedCommand) -> Result<()> {
        self.reload(None)?;
        Authorized::verify(&self.state, command, now())?;
        Ok(())
    }

    /// Verifies and carries out a command. When this returns, the new state is durable.
    ///
    /// # Errors
    /// `Unit` with the refusal: nothing changed. Otherwise as [`Unit::open`], or what the disk says.
    pub fn submit(&mut self, command: &SignedCommand) -> Result<Vec<Event>> {
        let lock = Lock::take(&self.paths.lock, Access::of(&self.paths.unit)?)?;
        self.submit_locked(command, &lock)
    }

    /// [`Unit::submit`] for a caller that holds the lock.
    pub(super) fn submit_locked(&mut self, command: &SignedCommand, held: &Lock) -> Result<Vec<Event>> {
        // Another process may have been faster.
        self.reload(Some(held))?;
        let authorized = Authorized::verify(&self.state, command, now())?;
        let signers = signers(&self.state, command)?;
        let (state, events) = apply(authorized, Fresh::draw()?)?;
        let access = Access::of(&self.paths.unit)?;
        if events.contains(&Event::Zeroized) {
            // Copies of the unit file that somebody kept are not to open again.
            self.sealer = opening::replaced(&self.paths, self.sealer.successor()?, &state, access)?;
        } else {
            file::save(&self.paths, &self.sealer, &state, access)?;
        }
        self.state = state;
        self.signers = signers;
        Ok(events)
    }

    /// What the unit says of itself, signed by its attestation key; with what a command did, if it is the
    /// answer to one. A unit that has no such key gets one.
    ///
    /// # Errors
    /// As [`Unit::submit`].
    pub fn statement(&mut self, answer: Option<(&SignedCommand, &[Event])>) -> Result<SignedStatement> {
        if self.state.attestation.is_none() {
            let lock = Lock::take(&self.paths.lock, Access::of(&self.paths.unit)?)?;
            self.make_attestation_key(&lock)?;
        }
        let key = self.state.attestation.as_ref().ok_or(Error::CryptoFailed("attestation"))?;
        let importer = self.state.secured().and_then(Secured::importer);
        Statement::of(&self.status(), importer, answer, &self.signers, now())?.signed(key)
    }

    fn make_attestation_key(&mut self, held: &Lock) -> Result<()> {
        self.reload(Some(held))?;
        if self.state.attestation.is_none() {
            self.state.attestation = Some(SignatureKey::generate()?);
            file::save(&self.paths, &self.sealer, &self.state, Access::of(&self.paths.unit)?)?;
        }
        Ok(())
    }

    /// Changes, under the unit's lock and durably, what is no matter of the administrators. `change` says
    /// whether there is anything to write.
    pub(super) fn amend(&mut self, change: &dyn Fn(&mut State) -> Result<bool>) -> Result<()> {
        let held = Lock::take(&self.paths.lock, Access::of(&self.paths.unit)?)?;
        self.reload(Some(&held))?;
        if change(&mut self.state)? {
            file::save(&self.paths, &self.sealer, &self.state, Access::of(&self.paths.unit)?)?;
        }
        Ok(())
    }

    /// The proof that the unit has a master key in use, by which keys are derived from it.
    ///
    /// # Errors
    /// `UnitNotActive` with the reason.
    pub fn active(&self) -> Result<ActiveUnit> {
        let Some(secured) = self.state.secured() else {
            return Err(Error::UnitNotActive("it is in imprint mode"));
        };
        let key = secured.current.key();
        let key = key.ok_or(Error::UnitNotActive("its current master key register is empty"))?;
        let next = match &secured.new {
            NewRegister::FullCommitted(next) => Some(next.duplicate()),
            NewRegister::Empty | NewRegister::FullUncommitted(_) => None,
        };
        Ok(ActiveUnit::new(key.duplicate(), self.state.epoch, next))
    }

    /// What people and tools are shown.
    pub fn status(&self) -> UnitStatus {
        let state = &self.state;
        let secured = state.secured();
        UnitStatus {
            hsm_id: state.hsm_id,
            unit_id: state.unit_id,
            kind: state.kind,
            ownership: match state.ownership {
                Ownership::Imprint => "imprint mode",
                Ownership::Secure(_) => "secure",
            },
            administrators: state.administrators.iter().map(AdministratorStatus::of).collect(),
            thresholds: secured.map(|secured| secured.thresholds),
            permissions: secured.map(|secured| secured.permissions),
            new_register: secured.map_or(RegisterStatus::EMPTY, |secured| RegisterStatus {
                status: secured.new.name(),
                verification_pattern: secured.new.verification_pattern(),
            }),
            current_register: secured.map_or(RegisterStatus::EMPTY, |secured| RegisterStatus {
                status: secured.current.name(),
                verification_pattern: secured.current.verification_pattern(),
            }),
            importer_key: secured.and_then(|secured| secured.importer()).map(|key| key.ski()),
            transaction_counter: state.counter,
            epoch: state.epoch,
            audit: state.audit.status(),
        }
    }
}

/// A unit's status; nothing in it is secret.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct UnitStatus {
    /// The HSM.
    pub hsm_id: HsmId,
    /// The unit inside it.
    pub unit_id: u32,
    /// What the unit is for.
    #[serde(rename = "type")]
    pub kind: UnitKind,
    /// `imprint mode` or `secure`.
    pub ownership: &'static str,
    /// The installed administrators.
    pub administrators: Vec<AdministratorStatus>,
    /// Signatures that commands need; absent in imprint mode, where they need none.
    pub thresholds: Option<Thresholds>,
    /// What the administrators allow; absent in imprint mode.
    pub permissions: Option<Permissions>,
    /// The new master key register.
    pub new_register: RegisterStatus,
    /// The current master key register.
    pub current_register: RegisterStatus,
    /// The importer key that waits for key parts.
    pub importer_key: Option<Ski>,
    /// The counter of the last command; the next one carries one more.
    pub transaction_counter: u128,
    /// How often a master key became current.
    pub epoch: u64,
    /// The key of the audit log, and where the log ended last.
    pub audit: AuditStatus,
}

/// An administrator in a status.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct AdministratorStatus {
    /// The name.
    pub name: String,
    /// The subject key identifier of the signature key.
    pub ski: Ski,
}

impl AdministratorStatus {
    fn of(administrator: &super::state::Administrator) -> AdministratorStatus {
        AdministratorStatus { name: administrator.name.clone(), ski: administrator.ski() }
    }
}

/// A register in a status.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct RegisterStatus {
    /// `Empty`, `Full Uncommitted`, `Full Committed` or `Valid`.
    pub status: &'static str,
    /// The verification pattern of the key in it.
    pub verification_pattern: Option<VerificationPattern>,
}

impl RegisterStatus {
    const EMPTY: RegisterStatus = RegisterStatus { status: "Empty", verification_pattern: None };
}

/// The administrators among those who signed a command or its key parts, each once.
fn signers(state: &State, command: &SignedCommand) -> Result<Vec<Signer>> {
    let mut skis = command.signers();
    if let Command::LoadNewMasterKey(parts) = command.command()? {
        skis.extend(parts.iter().flat_map(SignedPart::signers));
    }
    let mut signers: Vec<Signer> = Vec::new();
    for administrator in skis.iter().filter_map(|ski| state.administrator(ski)) {
        let signer = Signer { name: administrator.name.clone(), ski: administrator.ski().to_string() };
        if !signers.contains(&signer) {
            signers.push(signer);
        }
    }
    Ok(signers)
}

/// Seconds since 1970.
fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
