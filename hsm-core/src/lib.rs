//! The HSM behind every door: objects, attribute rules, mechanisms, sessions, crypto units, and the
//! sealed store under them. Knows no wire format, no CKR value and no KMIP reason.
#![forbid(unsafe_code)]

pub mod audit;
pub mod backup;
pub mod certificate;
pub mod config;
pub mod crypto;
pub mod error;
pub mod hsm;
pub mod import_token;
pub mod kms;
pub mod mechanism;
pub mod object;
pub mod partition;
pub mod rng;
pub mod secret;
pub mod service;
pub mod session;
pub mod softhsm2;
pub mod store;
pub mod unit;

pub use error::{Error, Result};
