//! What a process does to the HSM by its own hands, as the module and the command line do: events that are written
//! in the transactions of the changes they tell. They are made here and in `partition`, so that no door can forget
//! them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::Hsm;
use super::uses::ReasonOf;
use crate::audit::{Activity, Answered, Event, Initiator, OWN_DOOR, ObjectId, Reason, Trail, Uses};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::store::Writer;

/// How long refusals that repeat one another are counted before they are written.
const COUNTED: Duration = Duration::from_secs(1);

/// Through which door this process uses the HSM, and how it is known to it.
pub(super) struct Door {
    name: &'static str,
    /// What the process was asked to do, where the door knows.
    command: Option<String>,
    program: OnceLock<Program>,
    pub(super) trail: OnceLock<Arc<Trail>>,
    /// Whether anything was recorded that is not sealed.
    recorded: Arc<AtomicBool>,
    flushed: Mutex<Option<Instant>>,
    /// What the door calls an outcome, where it has uses of keys recorded.
    pub(super) reason_of: Option<ReasonOf>,
    /// Whether uses were counted that are not written.
    pub(super) counted: AtomicBool,
}

/// A process as events name it.
pub(super) struct Program {
    /// The number of its user.
    pub(super) user: String,
    /// What it runs, and its number.
    pub(super) name: String,
}

impl Door {
    pub(super) fn new(name: &'static str, command: Option<String>) -> Door {
        Door {
            name,
            command,
            program: OnceLock::new(),
            trail: OnceLock::new(),
            recorded: Arc::default(),
            flushed: Mutex::default(),
            reason_of: None,
            counted: AtomicBool::default(),
        }
    }

    pub(super) fn activity(&self, act: Activity) -> Activity {
        if act.door == OWN_DOOR { Activity { door: self.name, ..act } } else { act }
    }

    pub(super) fn program(&self) -> &Program {
        self.program.get_or_init(|| {
            let name = std::fs::read_to_string("/proc/self/comm").unwrap_or_default();
            let (name, number) = (name.trim_end(), std::process::id());
            let words = [Some(name), self.command.as_deref()];
            let words = words.into_iter().flatten().filter(|word| !word.is_empty());
            Program {
                user: rustix::process::getuid().as_raw().to_string(),
                name: format!("{} [{number}]", words.collect::<Vec<_>>().join(" ")),
            }
        })
    }
}

/// An event under way to the log; none where the configuration wants none.
pub(crate) struct Note(Option<Entry>);

struct Entry {
    trail: Arc<Trail>,
    event: Event,
    recorded: Arc<AtomicBool>,
}

impl Note {
    /// Names an object that it is about.
    pub(crate) fn about(&mut self, object: ObjectId) {
        if let Some(entry) = &mut self.0 {
            entry.event.about(object);
        }
    }

    /// The same, refused.
    pub(crate) fn refused(self, reason: Reason) -> Note {
        Note(self.0.map(|entry| Entry { event: entry.event.refused(reason), ..entry }))
    }

    /// Adds it to a transaction, at its end.
    pub(crate) fn append(&self, writer: &mut dyn Writer) -> Result<()> {
        let Some(entry) = &self.0 else { return Ok(()) };
        entry.recorded.store(true, Ordering::Release);
        entry.trail.append(writer, entry.event.clone())
    }

    /// As [`Note::append`]; of a log that is damaged, it tells the process's log. A damaged log keeps people from
    /// changing keys, and not from using them.
    pub(crate) fn append_if_whole(&self, writer: &mut dyn Writer) -> Result<()> {
        tolerated(self.append(writer))
    }

    /// Writes it in a transaction of its own.
    pub(crate) fn write(self) -> Result<()> {
        let Some(entry) = self.0 else { return Ok(()) };
        entry.recorded.store(true, Ordering::Release);
        entry.trail.write(entry.event)
    }

    /// As [`Note::write`], with a damaged log as in [`Note::append_if_whole`].
    pub(crate) fn write_if_whole(self) -> Result<()> {
        tolerated(self.write())
    }
}

fn tolerated(written: Result<()>) -> Result<()> {
    tolerated_as((), written)
}

fn tolerated_as<T>(otherwise: T, written: Result<T>) -> Result<T> {
    match written {
        Err(Error::RecordDamaged { what }) => {
            log::error!("an audit event was not written: {what} is damaged");
            Ok(otherwise)
        }
        written => written,
    }
}

impl Hsm {
    /// As [`Hsm::new`], for a process that uses the HSM through a door of this name. What it does by its own
    /// hands is recorded as that door's; `command` is what the process was asked to do.
    pub fn for_door(config: Config, door: &'static str, command: Option<String>) -> Arc<Hsm> {
        Hsm::with_door(config, Door::new(door, command))
    }

    /// An event of this process, in a partition or in none.
    pub(crate) fn note(&self, act: Activity, partition: &str) -> Result<Note> {
        if self.config.audit.changes { self.always_note(act, partition) } else { Ok(Note(None)) }
    }

    /// As [`Hsm::note`], with a damaged log as in [`Note::append_if_whole`].
    pub(crate) fn note_if_whole(&self, act: Activity, partition: &str) -> Result<Note> {
        tolerated_as(Note(None), self.note(act, partition))
    }

    /// As [`Hsm::note`], whatever the configuration says.
    pub(super) fn always_note(&self, act: Activity, partition: &str) -> Result<Note> {
        let Program { user, name } = self.door.program();
        let event = Event::now(self.door.activity(act), Initiator::new(user, name, partition, None));
        Ok(Note(Some(Entry { trail: self.own_trail()?, event, recorded: self.door.recorded.clone() })))
    }

    /// Takes note of something that was refused, and that may be tried again and again: the first time is
    /// written, what follows within a second is counted.
    pub(crate) fn note_refusal(&self, act: Activity, partition: &str, reason: Reason) -> Result<()> {
        if !self.config.audit.changes {
            return Ok(());
        }
        let Some(trail) = tolerated_as(None, self.own_trail().map(Some))? else { return Ok(()) };
        let Program { user, name } = self.door.program();
        self.door.recorded.store(true, Ordering::Release);
        let told = Answered {
            activity: self.door.activity(act),
            id: user,
            name,
            partition,
            host: None,
            object: None,
            with: None,
            reason: Some(reason),
            request: None,
        };
        tolerated(trail.refused(&told))?;
        let mut flushed = self.door.flushed.lock().unwrap_or_else(PoisonError::into_inner);
        match *flushed {
            Some(last) if last.elapsed() < COUNTED => Ok(()),
            _ => {
                *flushed = Some(Instant::now());
                drop(flushed);
                tolerated(trail.flush())
            }
        }
    }

    /// At the end of a process, or of what it uses the HSM for: writes what was counted.
    pub fn flush_audit(&self) {
        if let Err(error) = self.flush_uses() {
            log::error!("audit events were not written: {error}");
        }
    }

    /// Seals the audit log if this process recorded anything by its own hands. What keeps it from that is told to
    /// the process's log: the entries are there, and the next seal signs them.
    pub fn seal_what_was_recorded(&self) {
        self.flush_audit();
        if !self.door.recorded.swap(false, Ordering::AcqRel) {
            return;
        }
        self.seal_and_tell();
    }

    /// As [`Hsm::seal_audit_log`], for a process that has nobody to tell but its log.
    pub fn seal_and_tell(&self) {
        match self.seal_audit_log() {
            Ok(sealing) => sealing.iter().for_each(warn_of_loss),
            // As after a zeroize, which sealed it before.
            Err(Error::UnitNotActive(_)) => {}
            Err(error) => log::error!("the audit log was not sealed: {error}"),
        }
    }

    pub(super) fn own_trail(&self) -> Result<Arc<Trail>> {
        if let Some(trail) = self.door.trail.get() {
            return Ok(trail.clone());
        }
        // A store of another master key is told as that, not as a damaged log.
        self.refresh()?;
        let trail = self.audit_trail(Uses::Off)?;
        Ok(self.door.trail.get_or_init(|| trail).clone())
    }
}

/// Tells the process's log of a log that does not go on from what the unit knows.
pub(super) fn warn_of_loss(sealing: &super::Sealing) {
    if let Some(lost) = sealing.lost {
        log::error!(
            "the audit log ends at {}, and does not go on from entry {} that the unit knows: it was put back to an \
             older copy",
            sealing.end.number,
            lost.number
        );
    }
}
