//! `unit sign` and `unit inspect`: what a command says, and an administrator's word for it.

use std::path::Path;

use hsm_core::unit::SignatureKey;

use super::files::{self, Carriage};
use super::{describe, keys};
use crate::cli::{Consent, SigningKey};
use crate::commands::ask;
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;

pub(super) fn run(path: &Path, key: &SigningKey, yes: bool, output: Output) -> Result<()> {
    let mut command = files::command(path)?;
    if !yes {
        let said = describe::fields(&command)?;
        output.question(|page| page.fields(said));
        let signing = format!("this is signed with {}", key.key.display());
        ask(&Consent { yes }, &signing)?;
    }
    let key = unlocked(key, output)?;
    if command.signers().contains(&key.ski()) {
        let message = format!("{} is signed with this key already", path.display());
        return Err(Failure::new(Outcome::Exists, message));
    }
    command.sign(&key)?;
    files::replace_command(path, &command)?;
    describe::command(&command, output)
}

/// A signature key, opened by its passphrase.
pub(super) fn unlocked(key: &SigningKey, output: Output) -> Result<SignatureKey> {
    let source = keys::passphrase(&key.passphrase, &key.key);
    let passphrase = keys::existing(&source, key.passphrase.no_passphrase, output)?;
    Ok(SignatureKey::load(&key.key, &passphrase)?)
}

pub(super) fn inspect(path: &Path, output: Output) -> Result<()> {
    match files::carriage(path)? {
        Carriage::Command(command) => describe::command(&command, output),
        Carriage::Part(part) => {
            describe::part(&part, output);
            Ok(())
        }
    }
}
