//! The kit of the black-box tests: it sees only what users see.
//!
//! A test names what it needs and says what must happen; the kit gives each test a process and a
//! token directory of its own ([`mod@isolated`]), loads the module under test ([`module`], [`raw`]) and
//! turns C calls into `Result`s ([`session`], [`operations`]). The behaviours themselves stand in
//! `tests/*.rs`.
//!
//! Environment: `SOFTHSM_RS_MODULE` names another module to test (any that obeys `SOFTHSM2_CONF`),
//! `HSM_TESTS_STRESS_SECONDS` the length of the stress test, `HSM_TESTS_ROUNDS` the rounds of loading,
//! `HSM_TESTS_KMIP_KILLS` how often a server is killed, `HSM_TESTS_KMIP_CROWD` how many clients a crowd has,
//! `HSM_TESTS_ROTATION` how large the HSM is whose master key changes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test kit fails loudly: that is its work"
)]
#![deny(unsafe_code)]

pub mod audit;
pub mod fields;
pub mod groups;
pub mod home;
pub mod isolated;
pub mod journal;
pub mod keys;
pub mod kit;
pub mod kmip;
pub mod mechanism;
pub mod messages;
pub mod module;
pub mod offer;
pub mod openssl;
pub mod operations;
pub mod raw;
pub mod rv;
pub mod session;
pub mod template;
pub mod tool;

/// What nearly every test needs: the standard's constants and the kit's types.
pub mod prelude {
    pub use crate::fields::Fields;
    pub use crate::kit::{Kit, Token};
    pub use crate::mechanism::Mech;
    pub use crate::module::Module;
    pub use crate::operations::Out;
    pub use crate::rv::Rv;
    pub use crate::session::{Object, Session};
    pub use crate::template::Template;
    pub use crate::{attrs, isolated, refused};
    pub use cryptoki_sys::*;
}
