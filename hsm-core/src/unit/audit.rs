//! What the unit does for the audit log: it holds the key that signs the log's seals, and remembers how far
//! the log had come when it was sealed last. Both outlive zeroize, as the attestation key does. The log itself
//! is `audit`'s matter, and when it is sealed, `hsm`'s.

use serde::{Deserialize, Serialize, Serializer};
use zeroize::Zeroizing;

use super::identity::Ski;
use super::keys::{PublicKey, SignatureKey};
use super::loaded::Unit;
use super::state::{CurrentRegister, State};
use crate::error::{Error, Result};

/// The key that signs the seals of the audit log. It signs nothing else.
#[derive(Debug)]
pub struct AuditKey(SignatureKey);

impl AuditKey {
    /// A key of its own, for tests of formats.
    #[cfg(test)]
    pub(crate) fn of_test() -> AuditKey {
        AuditKey(SignatureKey::generate().unwrap())
    }

    /// The public half, by which seals are verified.
    pub fn public_key(&self) -> PublicKey {
        self.0.public_key()
    }

    /// Signs: ECDSA with SHA-512, DER.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        self.0.sign(message)
    }
}

/// Whether a signature is one of the key's over a message.
pub(crate) fn is_signed(key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    key.verify(message, signature).is_ok()
}

/// An end that the audit log had.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct LogEnd {
    /// The number of the last entry; 0 of a log that had none.
    pub number: u64,
    /// Its link.
    #[serde(serialize_with = "as_hexadecimal")]
    pub link: [u8; 32],
}

fn as_hexadecimal<S: Serializer>(link: &[u8; 32], serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex::encode(link))
}

/// What a unit says of the audit log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct AuditStatus {
    /// The subject key identifier of the key that signs its seals.
    pub key: Option<Ski>,
    /// The end that the log had when the unit heard of it last.
    pub known: Option<LogEnd>,
    /// The last end of the log that a zeroize, or the loss of the current master key, closed.
    pub closed: Option<LogEnd>,
}

/// What a unit keeps of the audit log. A unit of an earlier version has nothing, and gets a key when it is to
/// sign.
#[derive(Debug, Default)]
pub(super) struct AuditState {
    key: Option<SignatureKey>,
    known: Option<LogEnd>,
    closed: Option<LogEnd>,
}

/// It as the bytes of the unit's state; the scalar is empty where there is no key.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredAudit<'a> {
    scalar: &'a [u8],
    known: Option<(u64, [u8; 32])>,
    closed: Option<(u64, [u8; 32])>,
}

impl AuditState {
    /// That of a new unit.
    pub(super) fn new() -> Result<AuditState> {
        Ok(AuditState { key: Some(SignatureKey::generate()?), ..AuditState::default() })
    }

    pub(super) fn duplicate(&self) -> AuditState {
        AuditState { key: self.key.as_ref().map(SignatureKey::duplicate), ..*self }
    }

    /// What sealed the log's secret goes. The log goes on if the same master key comes back, and not before its end.
    pub(super) fn close(&mut self) {
        self.closed = self.known.take().or(self.closed);
    }

    pub(super) fn status(&self) -> AuditStatus {
        let key = self.key.as_ref().map(SignatureKey::ski);
        AuditStatus { key, known: self.known, closed: self.closed }
    }

    /// The key's scalar, for [`AuditState::stored`] to borrow; empty where there is none.
    pub(super) fn scalar(&self) -> Zeroizing<Vec<u8>> {
        self.key.as_ref().map(SignatureKey::scalar).unwrap_or_default()
    }

    pub(super) fn stored<'a>(&self, scalar: &'a [u8]) -> StoredAudit<'a> {
        let stored = |end: LogEnd| (end.number, end.link);
        StoredAudit { scalar, known: self.known.map(stored), closed: self.closed.map(stored) }
    }

    /// The reverse of [`AuditState::stored`]; `None` where the scalar is none.
    pub(super) fn restore(stored: &StoredAudit<'_>) -> Option<AuditState> {
        let key = match stored.scalar {
            [] => None,
            scalar => Some(SignatureKey::from_scalar(scalar)?),
        };
        let end = |(number, link)| LogEnd { number, link };
        Some(AuditState { key, known: stored.known.map(end), closed: stored.closed.map(end) })
    }
}

impl Unit {
    /// The key that signs the audit log's seals. A unit that has none gets one.
    ///
    /// # Errors
    /// As [`Unit::submit`].
    pub(crate) fn audit_key(&mut self) -> Result<AuditKey> {
        if self.state().audit.key.is_none() {
            self.amend(&|state| {
                if state.audit.key.is_some() {
                    return Ok(false);
                }
                state.audit.key = Some(SignatureKey::generate()?);
                Ok(true)
            })?;
        }
        let key = self.state().audit.key.as_ref().ok_or(Error::CryptoFailed("the audit key"))?;
        Ok(AuditKey(key.duplicate()))
    }

    /// Remembers an end of the log that was read in this epoch. One that is behind what the unit knows is not
    /// taken, since another process may have been faster, unless it `replaces` that. Nor is one of another epoch: the
    /// log may have been closed meanwhile, and the next one is not to be measured by it.
    ///
    /// # Errors
    /// As [`Unit::submit`].
    pub(crate) fn remember_log_end(&mut self, end: LogEnd, epoch: u64, replaces: bool) -> Result<()> {
        self.amend(&|state| {
            if state.epoch != epoch || !state.has_master_key() {
                return Ok(false);
            }
            let is_news = state.audit.known.is_none_or(|known| known.number < end.number);
            if is_news || replaces {
                state.audit.known = Some(end);
            }
            Ok(is_news || replaces)
        })
    }
}

impl State {
    /// The end that the audit log had when the unit heard of it last. Of a log that was closed, and that goes on
    /// since its master key was loaded anew, that is where it was closed, until the unit hears of it again or
    /// another log begins.
    pub fn log_end(&self) -> Option<LogEnd> {
        self.audit.known.or(self.audit.closed)
    }

    fn has_master_key(&self) -> bool {
        self.secured().is_some_and(|secured| matches!(secured.current_register(), CurrentRegister::Valid(_)))
    }

    /// The public half of the audit log's key.
    pub fn audit_public_key(&self) -> Option<PublicKey> {
        self.audit.key.as_ref().map(SignatureKey::public_key)
    }
}
