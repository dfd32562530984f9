//! The files that people carry between machines: commands and key parts in PEM, statements and public keys
//! in JSON. Nothing in them is secret, and nothing in them is believed but by its signature.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use der::pem::{self, LineEnding};
use hsm_core::unit::{PublicKey, SignedCommand, SignedPart, SignedStatement, Ski, Statement};
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Outcome, Result};

const COMMAND: &str = "SOFTHSM UNIT COMMAND";
const PART: &str = "SOFTHSM UNIT KEY PART";

/// Longer than any of these files, in bytes.
const LONGEST: u64 = 1 << 20;

/// What a carried file may be.
pub(in crate::commands) enum Carriage {
    Command(SignedCommand),
    Part(Box<SignedPart>),
}

/// A command.
pub(in crate::commands) fn command(path: &Path) -> Result<SignedCommand> {
    match carriage(path)? {
        Carriage::Command(command) => Ok(command),
        Carriage::Part(_) => Err(wrong(path, "a key part, not a command: `unit prepare load` takes it")),
    }
}

/// A signed key part.
pub(in crate::commands) fn part(path: &Path) -> Result<SignedPart> {
    match carriage(path)? {
        Carriage::Part(part) => Ok(*part),
        Carriage::Command(_) => Err(wrong(path, "a command, not a key part: `unit part seal` makes those")),
    }
}

/// A command or a signed key part.
pub(in crate::commands) fn carriage(path: &Path) -> Result<Carriage> {
    let bytes = read(path)?;
    let neither = || wrong(path, "neither a command nor a key part");
    match pem::decode_vec(&bytes).map_err(|_| neither())? {
        (COMMAND, der) => Ok(Carriage::Command(SignedCommand::from_der(&der)?)),
        (PART, der) => Ok(Carriage::Part(Box::new(SignedPart::from_der(&der)?))),
        _ => Err(neither()),
    }
}

/// Writes a command to a file that is not there yet.
pub(in crate::commands) fn write_command(path: &Path, command: &SignedCommand) -> Result<()> {
    write_new(path, &encoded(COMMAND, &command.to_der()?)?)
}

/// Writes a command back, with more signatures than before.
pub(in crate::commands) fn replace_command(path: &Path, command: &SignedCommand) -> Result<()> {
    replace(path, &encoded(COMMAND, &command.to_der()?)?)
}

/// Writes a key part to a file that is not there yet.
pub(in crate::commands) fn write_part(path: &Path, part: &SignedPart) -> Result<()> {
    write_new(path, &encoded(PART, &part.to_der()?)?)
}

fn encoded(label: &str, der: &[u8]) -> Result<Vec<u8>> {
    let text = pem::encode_string(label, LineEnding::LF, der);
    text.map(String::into_bytes).map_err(|_| hsm_core::Error::CryptoFailed("encoding PEM").into())
}

/// What a statement says, and whose key signed it.
pub(in crate::commands) fn statement(path: &Path) -> Result<(Statement, Ski)> {
    SignedStatement::open(&read(path)?).map_err(|error| {
        let failure = Failure::from(error);
        Failure { message: format!("{}: {}", path.display(), failure.message), ..failure }
            .next("it was changed, or is no statement of a unit: have `unit show --out` write it again")
    })
}

/// Writes a statement, over an older one if there is one.
pub(in crate::commands) fn write_statement(path: &Path, statement: &SignedStatement) -> Result<()> {
    replace(path, &statement.to_bytes()?)
}

/// An administrator's public key, as it is given to whoever prepares commands.
#[derive(Serialize, Deserialize)]
pub(in crate::commands) struct PublicKeyFile {
    pub(in crate::commands) name: String,
    #[serde(rename = "keyType")]
    key_type: String,
    pub(in crate::commands) ski: String,
    #[serde(rename = "publicKey")]
    point: String,
}

impl PublicKeyFile {
    const TYPE: &str = "p521ec";

    pub(in crate::commands) fn new(name: &str, key: &PublicKey) -> PublicKeyFile {
        PublicKeyFile {
            name: name.to_owned(),
            key_type: PublicKeyFile::TYPE.to_owned(),
            ski: key.ski().to_string(),
            point: hex::encode(key.to_sec1()),
        }
    }

    pub(in crate::commands) fn read(path: &Path) -> Result<PublicKeyFile> {
        let none = || wrong(path, "no public key file: `unit key new` writes one beside the secret file");
        let file: PublicKeyFile = serde_json::from_slice(&read(path)?).map_err(|_| none())?;
        match file.key() {
            Some(key) if file.key_type == PublicKeyFile::TYPE && file.ski == key.ski().to_string() => {
                Ok(file)
            }
            _ => Err(none()),
        }
    }

    pub(in crate::commands) fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_vec(self).map_err(|_| hsm_core::Error::CryptoFailed("encoding JSON"))?;
        write_new(path, &text)
    }

    pub(in crate::commands) fn key(&self) -> Option<PublicKey> {
        PublicKey::from_sec1(&hex::decode(&self.point).ok()?)
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let file = std::fs::File::open(path).map_err(hsm_core::Error::file(path))?;
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes).map_err(hsm_core::Error::file(path))?;
    Ok(bytes)
}

/// Writes a text to a file that is not there yet.
pub(in crate::commands) fn write_text(path: &Path, text: &str) -> Result<()> {
    write_new(path, text.as_bytes())
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Failure::new(Outcome::Exists, format!("{} exists already", path.display()))
                .next("name another file, or remove that one")
        }
        _ => hsm_core::Error::file(path)(error).into(),
    })
}

/// A reader sees the old content or the new.
fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let written = std::fs::write(&beside, bytes).and_then(|()| std::fs::rename(&beside, path));
    Ok(written.map_err(hsm_core::Error::file(path))?)
}

fn wrong(path: &Path, what: &str) -> Failure {
    Failure::new(Outcome::Damaged, format!("{}: this is {what}", path.display()))
}
