//! The command line as scripts use it: arguments, files and environment in; exit codes, results on
//! standard output and remarks on standard error out.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails loudly: that is its work"
)]

mod audit;
mod audit_end;
mod audit_spoiled;
mod ceremony;
mod certs;
mod desk;
mod faults;
mod import_tokens;
mod init;
mod keys;
mod kms;
mod lock_events;
mod moving;
mod recovery;
mod sealers;
mod selection;
mod serve;
mod signing_service;
mod tokens;
mod unit;
