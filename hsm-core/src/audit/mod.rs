//! What was done with the HSM, by whom, and how it ended: events in a log that the store keeps beside the
//! keys. Doors say what happened (`event`) and never how it is kept.
//!
//! * `log`: the log in the store, each event sealed and linked to the one before. Appending is a step of a
//!   caller's transaction, so that a change and its event are both there or neither.
//! * `trail`: what a process does with events: changes go with their transaction, refusals into one of their
//!   own, uses are counted in memory (`tally`) and written together (`flusher`).
//! * `seal`: entries that sign what is before them, by the unit's audit key; `exported`: the log as lines of JSON,
//!   which anybody can check who knows that key.
//! * `acts`: what processes do by their own hands, in a table.
//! * `cadf`: an event as JSON, with the names of DMTF's Cloud Auditing Data Federation (DSP0262).
//!
//! An event holds identifiers, names, numbers and the names of reasons: its types have no place for more.

pub(crate) mod acts;
mod cadf;
mod event;
mod exported;
mod flusher;
mod log;
mod seal;
mod tally;
#[cfg(test)]
mod tests;
mod trail;

pub use event::{Activity, Class, Event, Initiator, Moment, OWN_DOOR, Reason, Request, Severity};
pub use exported::{read_exported, write_exported};
pub use flusher::{EachMinute, Flusher};
pub use log::{Fault, Log, Recorded, Verdict};
pub use seal::SealedBy;
pub use trail::{Answered, Trail, Uses};

/// An object's unique identifier, as events name it.
pub use crate::store::RecordId as ObjectId;
