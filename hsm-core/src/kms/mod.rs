//! Root and standard keys with a life, as IBM Key Protect has them: what a key is, what its states, dates, names,
//! registrations and policies let be done with it, and how root keys wrap others. Pure: the clock comes in as a
//! parameter, what was stored too.
//!
//! * `state`: which state allows what, in one table.
//! * `key`: a key as it is known here; `life` its transitions, `deletion` the end of it with the second person that
//!   it may need, `rotation` its versions, `labels` aliases, tags and registrations.
//! * `policy`, `instance`: what holds in a partition: its policies and key rings.
//! * `envelope`: wrapped data encryption keys.
//! * `names`: what texts may be. `id`: identifiers. `refusal`: Key Protect's codes and sentences.
//! * `stored`: both records as plaintexts of sealed ones.
//!
//! Where keys are kept is the partition's matter, who may use them the session's.

mod deletion;
mod envelope;
mod id;
mod instance;
mod key;
mod labels;
mod life;
mod names;
mod network;
mod policy;
mod refusal;
mod rotation;
mod state;
mod stored;
#[cfg(test)]
mod tests;

pub use deletion::{Authorization, Deletion, Removal};
pub(crate) use envelope::seal;
pub use envelope::{Aad, WDEK_VERSION, Wdek};
pub use id::KeyId;
pub use instance::{Instance, Ring};
pub use key::{Actor, Description, KeyRecord, Version};
pub use labels::{Labels, Registration};
pub use names::{DEFAULT_RING, check_alias, check_description, check_name, check_ring, check_tags};
pub use network::{AllowedNetwork, Subnet};
pub(crate) use policy::Source;
pub use policy::{Access, Policies};
pub use refusal::{Operation, Reason, Refusal};
pub use rotation::{MONTH, RotationPolicy};
pub use state::{Action, KeyState, Kind, check};
pub(crate) use stored::{decode, decode_instance, encode, encode_instance};
