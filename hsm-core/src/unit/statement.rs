//! What a unit says of itself on its way to people on other machines: its state, and what a command did,
//! signed by the unit's attestation key. Commands are made for the counter that it names, and key parts are
//! encrypted to the importer key that it names, so that a file which was changed on its way is worth nothing.
//!
//! Whose key it is, its first reader asks somebody who stands before the HSM, and keeps: see the command line.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::identity::{HsmId, Ski};
use super::keys::{PublicKey, SignatureKey};
use super::loaded::UnitStatus;
use super::quorum::{SignedCommand, Target};
use super::refusal::Refusal;
use super::transition::Event;
use crate::error::{Error, Result};

/// Says what is signed, so that no signature of one kind counts as one of another.
const FORMAT: &str = "softhsm-rs unit statement 1";

/// What a unit says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Statement {
    /// When, in seconds since 1970.
    pub made: u64,
    /// The HSM, in hexadecimal digits.
    pub hsm_id: String,
    /// The unit inside it.
    pub unit_id: u32,
    /// The counter of the unit's last command, in decimal digits; the next one carries one more.
    pub transaction_counter: String,
    /// The public importer key that waits for key parts: the uncompressed point in hexadecimal digits.
    pub importer_key: Option<String>,
    /// The unit's status, as it is shown.
    pub status: serde_json::Value,
    /// SHA-256 of the command that this answers, in hexadecimal digits.
    pub command: Option<String>,
    /// What that command did.
    pub events: Vec<serde_json::Value>,
    /// What that command is called. Statements were written without this and what follows once.
    #[serde(default)]
    pub done: Option<String>,
    /// Who signed that command or its key parts.
    #[serde(default)]
    pub signers: Vec<Signer>,
}

/// An administrator who signed, as the unit knew them then.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Signer {
    /// The name.
    pub name: String,
    /// The subject key identifier, in hexadecimal digits.
    pub ski: String,
}

impl Statement {
    pub(super) fn of(
        status: &UnitStatus,
        importer: Option<PublicKey>,
        answer: Option<(&SignedCommand, &[Event])>,
        signers: &[Signer],
        made: u64,
    ) -> Result<Statement> {
        let mut statement = Statement::plain(status, importer, made)?;
        if let Some((command, events)) = answer {
            let events = events.iter().map(|event| serde_json::to_value(event).map_err(unwritable));
            statement.events = events.collect::<Result<_>>()?;
            statement.command = Some(digest(command)?);
            statement.done = Some(command.command()?.kind().row().name.to_owned());
            statement.signers = signers.to_vec();
        }
        Ok(statement)
    }

    fn plain(status: &UnitStatus, importer: Option<PublicKey>, made: u64) -> Result<Statement> {
        Ok(Statement {
            made,
            hsm_id: status.hsm_id.to_string(),
            unit_id: status.unit_id,
            transaction_counter: status.transaction_counter.to_string(),
            importer_key: importer.map(|key| hex::encode(key.to_sec1())),
            status: serde_json::to_value(status).map_err(unwritable)?,
            command: None,
            events: Vec::new(),
            done: None,
            signers: Vec::new(),
        })
    }

    pub(super) fn signed(&self, key: &SignatureKey) -> Result<SignedStatement> {
        let statement = serde_json::to_string(self).map_err(unwritable)?;
        let signature = hex::encode(key.sign(&message(&statement))?);
        let attestation_key = hex::encode(key.public_key().to_sec1());
        Ok(SignedStatement { format: FORMAT.to_owned(), statement, attestation_key, signature })
    }

    /// What the unit's next command must name; `None` where the statement is none of a unit.
    pub fn target(&self) -> Option<Target> {
        let counter: u128 = self.transaction_counter.parse().ok()?;
        Some(Target { hsm_id: self.hsm()?, unit_id: self.unit_id, counter: counter.checked_add(1)? })
    }

    /// The HSM.
    pub fn hsm(&self) -> Option<HsmId> {
        self.hsm_id.parse().ok()
    }

    /// What key parts are to be encrypted to, if the unit waits for some.
    pub fn importer(&self) -> Option<PublicKey> {
        PublicKey::from_sec1(&hex::decode(self.importer_key.as_ref()?).ok()?)
    }

    /// Whether it answers this command.
    pub fn answers(&self, command: &SignedCommand) -> Result<bool> {
        Ok(self.command == Some(digest(command)?))
    }
}

/// A statement as it is carried: its exact bytes, the key, and the signature.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SignedStatement {
    format: String,
    statement: String,
    attestation_key: String,
    signature: String,
}

impl SignedStatement {
    /// Reads it and verifies its signature. Answers what it says, and whose key signed it: whether that is
    /// the unit's, the caller has to know.
    ///
    /// # Errors
    /// A refusal where it is no statement, or was changed.
    pub fn open(bytes: &[u8]) -> Result<(Statement, Ski)> {
        let signed: SignedStatement = serde_json::from_slice(bytes).map_err(|_| Refusal::CommandMalformed)?;
        if signed.format != FORMAT {
            return Err(Refusal::CommandMalformed.into());
        }
        let key = hex::decode(&signed.attestation_key).ok().and_then(|point| PublicKey::from_sec1(&point));
        let key = key.ok_or(Refusal::SignatureWrong)?;
        let signature = hex::decode(&signed.signature).map_err(|_| Refusal::SignatureMalformed)?;
        key.verify(&message(&signed.statement), &signature)?;
        let statement: Statement =
            serde_json::from_str(&signed.statement).map_err(|_| Refusal::CommandMalformed)?;
        // Its key may be anybody's, and the name is shown to those who are to say whose it is.
        statement.hsm().ok_or(Refusal::CommandMalformed)?;
        Ok((statement, key.ski()))
    }

    /// The subject key identifier of the key that it names, which people compare.
    pub fn fingerprint(&self) -> Option<Ski> {
        PublicKey::from_sec1(&hex::decode(&self.attestation_key).ok()?).map(|key| key.ski())
    }

    /// It as the bytes of a file.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        serde_json::to_vec_pretty(self).map_err(unwritable)
    }
}

fn message(statement: &str) -> Vec<u8> {
    [FORMAT.as_bytes(), &[0], statement.as_bytes()].concat()
}

fn digest(command: &SignedCommand) -> Result<String> {
    Ok(hex::encode(Sha256::digest(command.to_der()?)))
}

fn unwritable(_: serde_json::Error) -> Error {
    Error::CryptoFailed("encoding JSON")
}
