//! The C boundary: the exported functions (`entry`), what becomes of their arguments (`args`, `memory`,
//! `types`, `templates`, `mechanism`, `message`), the interfaces that list them, the fork handlers, and signals. All `unsafe`
//! code of the module is here.
//!
//! Every block relies on one promise, the C caller's: a pointer that is not null points to as many
//! valid, unmoving elements as the standard or the length beside it says, until the call returns. What
//! can be checked of it (null, alignment, impossible lengths, overlap) is checked.

mod args;
mod entry;
mod fork;
mod interfaces;
mod mechanism;
mod memory;
mod message;
mod otp;
mod parameters;
mod returned;
mod signals;
mod templates;
mod types;
mod vendor;

pub(crate) use fork::register as register_fork_handlers;
pub(crate) use interfaces::{INTERFACES, Wanted, function_list, interface};
pub(crate) use memory::Place;
pub(crate) use message::{MessageArgument, SealedWrapping, Wrapping};
pub(crate) use returned::Returned;
pub(crate) use signals::without_signals;
pub(crate) use templates::Query;
pub(crate) use types::{Bounded, Initialization, List, Out, SignedPart, Transform};
