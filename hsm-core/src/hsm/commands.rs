//! Commands for the crypto unit, and the audit log's events of them. A log is there once there are a master
//! key and a store; what the ceremony did before stands in the unit's replies alone.

use std::sync::Arc;

use super::Hsm;
use super::notes::warn_of_loss;
use crate::audit::{Activity, Class, Event, Initiator, Reason, Severity, Trail, Uses};
use crate::error::{Error, Result};
use crate::unit::{
    self, Command, CommandKind, CurrentRegister, SignedCommand, SignedPart, SignedStatement, Unit, UnitKind,
};

/// Why a command is not done that the log has already: with the return code of EP11 for a function that failed.
const NOT_CARRIED_OUT: Reason = Reason { code: 6, name: "the command was not carried out" };

/// What a command came to.
#[derive(Debug)]
pub struct Submitted {
    /// What it did.
    pub events: Vec<unit::Event>,
    /// The unit's signed reply.
    pub reply: SignedStatement,
    /// Whether it put the first master key into use, so that the store was made.
    pub store_made: bool,
}

impl Hsm {
    /// Gives a command to the crypto unit. What it did, or why it was refused, is in the audit log when this
    /// returns; what ends the log's own key is recorded before it is done. A store that is damaged or full
    /// keeps nobody from zeroizing.
    ///
    /// # Errors
    /// [`Error::Unit`] with the refusal; [`Error::WrapMissing`] for a set-immediate that would lose partitions;
    /// those of unit and store.
    pub fn submit(&self, command: &SignedCommand) -> Result<Submitted> {
        self.submit_after(command, &mut || Ok(()))
    }

    /// As [`Hsm::submit`]. Of a command that ends the audit log, `last` is called when the log has its last entry and
    /// its last seal, and can be read for the last time. Where that fails, the command is not carried out, and another
    /// entry says so.
    ///
    /// # Errors
    /// As [`Hsm::submit`], and those of `last`.
    pub fn submit_after(
        &self,
        command: &SignedCommand,
        last: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Submitted> {
        let mut unit = self.unit()?;
        let said = command.command()?;
        let kind = said.kind();
        let by = initiator(&unit, command, &said);
        let trail = match self.trail_of(&unit) {
            Err(error) if kind == CommandKind::Zeroize => {
                log::error!("zeroizing is not recorded: {error}");
                None
            }
            trail => trail?,
        };
        let ends_log = matches!(kind, CommandKind::Zeroize | CommandKind::ClearCurrent);
        if ends_log {
            let checked = unit.check(command);
            match record(trail.as_deref(), kind, &by, checked.as_ref().err()) {
                Err(error) if kind == CommandKind::Zeroize => {
                    log::error!("zeroizing is not recorded: {error}")
                }
                recorded => recorded?,
            }
            checked?;
            self.end_log(trail.as_deref(), kind, last)
                .inspect_err(|error| self.not_carried_out(trail.as_deref(), kind, &by, error))?;
        }
        let events = match kind {
            CommandKind::SetImmediate if self.has_store() => {
                let recorded = trail.as_deref().map(|trail| (trail, Event::now(activity(kind), by.clone())));
                self.set_immediate(&mut unit, command, recorded).inspect_err(|error| {
                    let _ = record(trail.as_deref(), kind, &by, Some(error));
                })?
            }
            _ => {
                let done = unit.submit(command);
                match &done {
                    _ if !ends_log => {
                        let recorded = record(trail.as_deref(), kind, &by, done.as_ref().err());
                        // What was carried out is, and whoever gave the command is to get the reply.
                        recorded.unwrap_or_else(|error| {
                            log::error!("{kind:?} is not in the audit log: {error}");
                        });
                    }
                    Err(error) => {
                        self.not_carried_out(trail.as_deref(), kind, &by, error);
                        // It may have been, up to the last step: who looks at the unit sees.
                        self.follow(kind);
                    }
                    Ok(_) => {}
                }
                done?
            }
        };
        self.follow(kind);
        let is_activated = events.iter().any(|event| matches!(event, unit::Event::MasterKeyActivated { .. }));
        // A recovery unit keeps its key for others.
        let serves = unit.state().kind() == UnitKind::Operational;
        let store_made = is_activated && serves && self.complete()?;
        if store_made {
            record(self.trail_of(&unit)?.as_deref(), kind, &by, None)?;
        }
        let first =
            if is_activated && trail.is_none() && !store_made { self.first_trail(&unit) } else { None };
        if first.is_some() {
            let recorded = record(first.as_deref(), kind, &by, None);
            recorded.unwrap_or_else(|error| log::error!("{kind:?} is not in the audit log: {error}"));
        }
        if store_made || first.is_some() || trail.is_some() && !ends_log {
            // It is done, and in the log: its reply does not hang on the seal.
            let sealed = self.sealed_for_command();
            sealed.unwrap_or_else(|error| log::error!("the audit log's end is not sealed: {error}"));
            unit.look_again()?;
        }
        let reply = unit.statement(Some((command, &events)))?;
        Ok(Submitted { events, reply, store_made })
    }

    /// What the store and its users have to know of a command that was carried out.
    fn follow(&self, kind: CommandKind) {
        if !self.has_store() {
            return;
        }
        match kind {
            CommandKind::ClearNew | CommandKind::LoadNewMasterKey => self.forget_rewrapped(),
            CommandKind::ClearCurrent | CommandKind::Zeroize if self.active_unit().is_err() => {
                self.close_store()
            }
            _ => {}
        }
    }

    /// The log of a store that was there before the unit had a master key, as after one was cleared: nobody could write
    /// to it before the command that put a key into use, which is told right after it.
    fn first_trail(&self, unit: &Unit) -> Option<Arc<Trail>> {
        self.trail_of(unit).unwrap_or_else(|error| {
            log::error!("the audit log does not say that a master key was put into use: {error}");
            None
        })
    }

    /// Seals the log for the last time, and lets the caller read it.
    fn end_log(
        &self,
        trail: Option<&Trail>,
        kind: CommandKind,
        last: &mut dyn FnMut() -> Result<()>,
    ) -> Result<()> {
        // The reply tells where the log ended: the unit remembers what it was told last.
        match trail.map_or(Ok(()), |_| self.sealed_for_command()) {
            Err(error) if kind == CommandKind::Zeroize => {
                log::error!("the audit log's end is not sealed: {error}");
            }
            sealed => sealed?,
        }
        last()
    }

    /// Of a command that was recorded before it was to be done: the log says that it was not.
    fn not_carried_out(&self, trail: Option<&Trail>, kind: CommandKind, by: &Initiator, error: &Error) {
        let Some(trail) = trail else { return };
        let reason = match error {
            Error::Unit(refusal) => Reason { code: refusal.return_code(), name: refusal.advice() },
            _ => NOT_CARRIED_OUT,
        };
        let event = Event::now(activity(kind), by.clone()).refused(reason);
        if let Err(error) = trail.write(event).and_then(|()| self.sealed_for_command()) {
            log::error!("the audit log does not say that the command was not carried out: {error}");
        }
    }

    fn sealed_for_command(&self) -> Result<()> {
        self.seal_audit_log()?.iter().for_each(warn_of_loss);
        Ok(())
    }

    /// The log, where there is a master key and a store.
    pub(super) fn trail_of(&self, unit: &Unit) -> Result<Option<Arc<Trail>>> {
        let current = unit.state().secured().map(|secured| secured.current_register());
        if !matches!(current, Some(CurrentRegister::Valid(_))) || !self.has_store() {
            return Ok(None);
        }
        match self.partitions() {
            // The store is of another master key, as after zeroize: its log is closed for ever.
            Err(Error::ForeignMasterKey(_)) => Ok(None),
            Err(error) => Err(error),
            Ok(_) => self.audit_trail(Uses::Off).map(Some),
        }
    }
}

/// Why a set-immediate was not carried out though the unit would have.
const NOT_WRAPPED: Reason =
    Reason { code: 0, name: "partitions are not wrapped under the new master key: unit mk-rotate" };

fn record(trail: Option<&Trail>, kind: CommandKind, by: &Initiator, refused: Option<&Error>) -> Result<()> {
    let Some(trail) = trail else { return Ok(()) };
    let mut event = Event::now(activity(kind), by.clone());
    event.reason = match refused {
        None => None,
        Some(Error::Unit(refusal)) => Some(Reason { code: refusal.return_code(), name: refusal.advice() }),
        Some(Error::WrapMissing { .. }) => Some(NOT_WRAPPED),
        // Nothing was decided.
        Some(_) => return Ok(()),
    };
    trail.write(event)
}

/// Those who signed: the first one's key, and the names of all that are administrators.
fn initiator(unit: &Unit, command: &SignedCommand, said: &Command) -> Initiator {
    let mut signers = command.signers();
    if let Command::LoadNewMasterKey(parts) = said {
        signers.extend(parts.iter().flat_map(SignedPart::signers));
    }
    let names = signers.iter().filter_map(|ski| Some(unit.state().administrator(ski)?.name.as_str()));
    let names = names.collect::<Vec<_>>().join(", ");
    let first = signers.first().map(ToString::to_string).unwrap_or_default();
    Initiator::new(&first, &names, "", None)
}

const fn activity(kind: CommandKind) -> Activity {
    use CommandKind::*;
    let (operation, severity) = match kind {
        AddAdministrator => ("AddAdministrator", Severity::Warning),
        RemoveAdministrator => ("RemoveAdministrator", Severity::Warning),
        SetAttributes => ("SetThresholds", Severity::Warning),
        GenerateImporter => ("GenerateImporter", Severity::Normal),
        LoadNewMasterKey => ("LoadNewMasterKey", Severity::Normal),
        GenerateMasterKey => ("GenerateMasterKey", Severity::Normal),
        Commit => ("Commit", Severity::Warning),
        SetImmediate => ("SetImmediate", Severity::Warning),
        ClearNew => ("ClearNew", Severity::Normal),
        ClearCurrent => ("ClearCurrent", Severity::Critical),
        ExportCurrent => ("ExportCurrent", Severity::Warning),
        ExportNew => ("ExportNew", Severity::Warning),
        Zeroize => ("Zeroize", Severity::Critical),
    };
    Activity { door: "unit", operation, class: Class::Administration, severity }
}
