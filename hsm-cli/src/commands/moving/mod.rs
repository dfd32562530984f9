//! What moves keys in and out: `import`, `export`, `backup`, `restore`.

use std::path::Path;

use hsm_core::Error;
use hsm_core::hsm::Hsm;

use crate::cli::Bring;
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;
use crate::pin::Source;

mod backup;
mod export;
mod files;
mod jwk;
mod parts;
mod softhsm2;
mod target;

pub(super) use backup::{back_up, restore};
pub(super) use export::export;
pub(super) use files::{FileKey, import_key};

use files::Kind;

/// Carries out `import`.
pub(super) fn import(hsm: &Hsm, command: &Bring, output: Output) -> Result<()> {
    match command {
        Bring::Softhsm2(options) => softhsm2::run(hsm, options, output),
        Bring::Pkcs8(options) => files::run(hsm, Kind::Pkcs8, options, output),
        Bring::Pkcs12(options) => files::run(hsm, Kind::Pkcs12, options, output),
        Bring::Pem(options) => files::run(hsm, Kind::Pem, options, output),
        Bring::Jwk(options) => files::run(hsm, Kind::Jwk, options, output),
    }
}

/// Why objects are not let in. What the core calls prohibited of one that is new is what the token's policies keep
/// out.
fn of_policies(error: Error) -> Failure {
    match error {
        Error::ActionProhibited => {
            let message = "the token's policies let key material in by its import token alone";
            Failure::new(Outcome::KeyRefused, message).next("`softhsm-rs kms policy` shows and sets them")
        }
        error => error.into(),
    }
}

/// The passphrase of a file with keys.
fn passphrase<'a>(name: &str, file: Option<&'a Path>) -> Source<'a> {
    Source { name: name.to_owned(), file, option: "--passphrase-file", variable: "SOFTHSM_RS_PASSPHRASE" }
}
