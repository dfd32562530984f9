//! What a process does with the events that it makes: when each is written.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::ObjectId;
use super::event::{Activity, Class, Event, Initiator, Reason, Request, Severity, cut};
use super::log::{Log, Recorded, Verdict};
use super::tally::{Counted, Tallies};
use crate::error::Result;
use crate::store::{Store, Writer};

/// What becomes of uses: `audit.uses`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Uses {
    /// Those that succeed are not recorded.
    Off,
    /// They are counted, and written within a second. A crash loses what was counted since.
    #[default]
    Buffered,
    /// Each is written before its answer.
    Durable,
}

/// What follows when more was counted than memory is meant for, and the store takes nothing.
const LOST: Activity =
    Activity { door: "audit", operation: "Lose", class: Class::Administration, severity: Severity::Critical };

/// The log as one process writes it.
pub struct Trail {
    store: Arc<dyn Store>,
    log: Log,
    uses: Uses,
    waiting: Mutex<Tallies>,
    /// Wakes who flushes, before its time.
    called: Condvar,
}

/// An operation that was answered, as its door tells it. Borrowed: of most, a number alone is kept.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    /// What was done.
    pub activity: Activity,
    /// Who did it: the stable identity.
    pub id: &'a str,
    /// What people call it.
    pub name: &'a str,
    /// The label of its partition.
    pub partition: &'a str,
    /// Where it called from.
    pub host: Option<IpAddr>,
    /// The object that it was about, where there is one.
    pub object: Option<ObjectId>,
    /// A second one: the key that another was wrapped with.
    pub with: Option<ObjectId>,
    /// Why it was refused.
    pub reason: Option<Reason>,
    /// The request.
    pub request: Option<Request>,
}

impl Answered<'_> {
    /// It as an event.
    pub fn event(&self) -> Event {
        let mut event =
            Event::now(self.activity, Initiator::new(self.id, self.name, self.partition, self.host));
        (event.reason, event.request) = (self.reason, self.request);
        self.objects().for_each(|object| event.about(object));
        event
    }

    /// The objects that it was about.
    pub(super) fn objects(&self) -> impl Iterator<Item = ObjectId> {
        self.object.into_iter().chain(self.with)
    }

    /// Whether it is of this initiator, whose identity it has.
    pub(super) fn is_by(&self, initiator: &Initiator) -> bool {
        self.host == initiator.host
            && cut(self.name) == initiator.name
            && cut(self.partition) == initiator.partition
    }
}

impl Trail {
    /// A trail into a log.
    pub(crate) fn new(store: Arc<dyn Store>, log: Log, uses: Uses) -> Trail {
        Trail { store, log, uses, waiting: Mutex::default(), called: Condvar::new() }
    }

    /// What becomes of uses.
    pub fn uses(&self) -> Uses {
        self.uses
    }

    /// Adds an event to a transaction.
    pub(crate) fn append(&self, writer: &mut dyn Writer, event: Event) -> Result<()> {
        self.log.append(writer, &[event])
    }

    /// Takes note of an operation before it is answered. What was refused for the first time is written
    /// when this returns, what is refused again before the next flush is counted. Changes that were made
    /// are in the log already, with their transactions.
    ///
    /// # Errors
    /// Those of the store, where something had to be written.
    pub fn answered(&self, answered: &Answered<'_>) -> Result<()> {
        let failed = answered.reason.is_some();
        match answered.activity.class {
            Class::Change | Class::Refusal | Class::Administration if failed => self.refused(answered),
            Class::Use if self.uses == Uses::Off && !failed => Ok(()),
            Class::Use if self.uses == Uses::Durable => self.write(answered.event()),
            Class::Change | Class::Refusal | Class::Administration | Class::Use | Class::Login => {
                self.count(answered, 1);
                Ok(())
            }
        }
    }

    /// Writes an event at once.
    ///
    /// # Errors
    /// Those of the store.
    pub fn write(&self, event: Event) -> Result<()> {
        self.log.write(self.store.as_ref(), &[event])
    }

    /// As [`Trail::answered`], of something that was refused, whatever its class.
    pub(crate) fn refused(&self, answered: &Answered<'_>) -> Result<()> {
        let counted = self.waiting().add(answered, 0);
        match counted {
            // What could not be written is tried again with the rest.
            Counted::First | Counted::Full => {
                self.write(answered.event()).inspect_err(|_| self.count(answered, 1))
            }
            Counted::More => {
                self.count(answered, 1);
                Ok(())
            }
        }
    }

    fn count(&self, answered: &Answered<'_>, count: u64) {
        let mut waiting = self.waiting();
        let mut counted = waiting.add(answered, count);
        if counted == Counted::Full && !waiting.waits {
            drop(waiting);
            // There will be room, or a line in the log.
            let _ = self.flush();
            waiting = self.waiting();
            counted = waiting.add(answered, count);
        }
        match counted {
            Counted::Full => waiting.lost += count,
            Counted::First if waiting.is_half_full() => self.called.notify_one(),
            Counted::First | Counted::More => {}
        }
    }

    /// Writes what was counted, in one transaction, durable when this returns.
    ///
    /// # Errors
    /// Those of the store. What was counted is kept, and tried again at the next flush.
    pub fn flush(&self) -> Result<()> {
        let mut taken = self.waiting().take();
        let lost = std::mem::take(&mut taken.lost);
        let mut events = taken.into_events();
        if lost > 0 {
            let mut event = Event::now(LOST, Initiator::default());
            event.count = lost;
            events.push(event);
        }
        if events.is_empty() {
            return Ok(());
        }
        let written = self.log.write(self.store.as_ref(), &events);
        let mut waiting = self.waiting();
        waiting.waits = written.is_err();
        written.inspect_err(|error| {
            log::error!("{} audit events wait: the store did not take them: {error}", events.len());
            waiting.lost += lost;
            events.retain(|event| event.activity != LOST);
            waiting.put_back(events);
        })
    }

    /// Waits for this long, or until `ends` is set and told by [`Trail::call`], or, where it is let, until
    /// so much was counted that it wants to be written.
    pub(super) fn wait(&self, most: Duration, ends: &AtomicBool, early: bool) {
        let goes_on =
            |waiting: &mut Tallies| !(ends.load(Ordering::Acquire) || early && waiting.is_half_full());
        let waited = self.called.wait_timeout_while(self.waiting(), most, goes_on);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Has whoever waits look again.
    pub(super) fn call(&self) {
        // With the lock, so that it is not between its look and its wait.
        let _waiting = self.waiting();
        self.called.notify_all();
    }

    /// Reads the events from a number on.
    ///
    /// # Errors
    /// As [`crate::hsm::Hsm::read_audit_log`].
    pub fn read(&self, since: u64, each: &mut dyn FnMut(Recorded) -> Result<()>) -> Result<Verdict> {
        self.log.read(self.store.as_ref(), since, each)
    }

    #[cfg(test)]
    pub(super) fn store_for_test(&self) -> &dyn Store {
        self.store.as_ref()
    }

    fn waiting(&self) -> MutexGuard<'_, Tallies> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Trail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trail").field("uses", &self.uses).finish_non_exhaustive()
    }
}
