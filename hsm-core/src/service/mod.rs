//! What doors call, a file for each use case: methods of [`Session`](crate::session::Session) for
//! what PKCS #11 applications do, and of [`Space`] for what clients of servers do.

mod account;
pub mod bringing;
mod ciphers;
mod deriving;
mod digests;
mod domain;
mod dual;
mod encapsulation;
mod exporting;
mod import_tokens;
mod item;
mod keys;
pub mod kms;
mod known_signatures;
mod message_signatures;
mod messages;
mod objects;
mod one_time_passwords;
mod provenance;
mod public_keys;
mod random;
mod saved_state;
mod served;
mod signatures;
mod space;
mod wrapping;
mod wrapping_sealed;

pub use deriving::Derived;
pub use item::Item;
pub use objects::View;
pub use provenance::Provenance;
pub use space::{Changes, Space};
