//! Running operations. A session has at most one of each kind. One function, [`step`], takes an
//! operation out, runs it, and puts it back only where the standard lets it go on: the length was
//! asked, the buffer was too small, or more is to come. Everything else has ended it.

use std::sync::Arc;

use super::Session;
use super::uses::act;
use crate::crypto::{self, Digest, Hash, SavableDigest};
use crate::error::{Error, Result};
use crate::mechanism::table::Function;
use crate::mechanism::{
    Ciphering, MessageCiphering, MessageSigning, MessageVerifying, Signing, Verifying, usage,
};
use crate::partition::{Loaded, ObjectHandle};

/// Where output goes.
#[derive(Debug)]
pub enum Output<'a> {
    /// Nowhere: the caller asks for the length.
    Length,
    /// To the front of this buffer.
    Buffer(&'a mut [u8]),
}

impl Output<'_> {
    /// The same place once more.
    pub(crate) fn again(&mut self) -> Output<'_> {
        match self {
            Output::Length => Output::Length,
            Output::Buffer(buffer) => Output::Buffer(buffer),
        }
    }

    /// Takes back what was written.
    pub(crate) fn wipe(&mut self) {
        if let Output::Buffer(buffer) = self {
            buffer.fill(0);
        }
    }
}

/// The kinds of operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // C_…Init of the same names.
pub enum Kind {
    Digest,
    Sign,
    SignRecover,
    Verify,
    VerifyRecover,
    Encrypt,
    Decrypt,
    Find,
    VerifySignature,
    MessageEncrypt,
    MessageDecrypt,
    MessageSign,
    MessageVerify,
}

/// A session's running operations. Boxed, since most sessions have none.
#[derive(Default)]
pub(crate) struct Operations {
    pub digest: Option<Box<Digesting>>,
    pub sign: Option<Box<Keyed<Signing>>>,
    pub sign_recover: Option<Box<Keyed<Signing>>>,
    pub verify: Option<Box<Keyed<Verifying>>>,
    pub verify_recover: Option<Box<Keyed<Verifying>>>,
    pub encrypt: Option<Box<Keyed<Ciphering>>>,
    pub decrypt: Option<Box<Keyed<Ciphering>>>,
    pub find: Option<Vec<ObjectHandle>>,
    pub verify_signature: Option<Box<Keyed<Verification>>>,
    pub message_encrypt: Option<Box<Keyed<MessageCiphering>>>,
    pub message_decrypt: Option<Box<Keyed<MessageCiphering>>>,
    pub message_sign: Option<Box<Keyed<MessageSigning>>>,
    pub message_verify: Option<Box<Keyed<MessageVerifying>>>,
}

/// A verification whose signature was given first.
pub(crate) struct Verification {
    pub verifying: Verifying,
    pub signature: Vec<u8>,
}

/// A running digest.
pub(crate) struct Digesting {
    /// Its mechanism.
    pub kind: u64,
    pub hash: Hash,
    /// What came in parts.
    parts: Option<Parts>,
    /// A key's value came in.
    pub keyed: bool,
    /// Whether the digest of a whole message was asked for, though not yet given out.
    pub whole: bool,
}

/// A message that is digested in parts.
enum Parts {
    Savable(Box<dyn SavableDigest>),
    Other(Box<dyn Digest>),
}

impl Digesting {
    pub(crate) fn new(kind: u64, hash: Hash) -> Digesting {
        Digesting { kind, hash, parts: None, keyed: false, whole: false }
    }

    /// Goes on from what [`Digesting::save`] gave.
    pub(crate) fn restored(kind: u64, hash: Hash, state: &[u8]) -> Option<Digesting> {
        let parts = match state {
            [] => None,
            _ => Some(Parts::Savable(crypto::restored_digest(hash, state)?)),
        };
        Some(Digesting { parts, ..Digesting::new(kind, hash) })
    }

    /// Its state: nothing before the first part.
    pub(crate) fn save(&self) -> Option<Vec<u8>> {
        match &self.parts {
            _ if self.keyed => None,
            None => Some(Vec::new()),
            Some(Parts::Savable(digest)) => digest.save(),
            Some(Parts::Other(_)) => None,
        }
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.parts.is_some()
    }

    /// The digest that takes the parts. A message that comes whole is digested without one, and one whose length was
    /// asked for as of a whole message is not ended in parts.
    pub(crate) fn parts(&mut self) -> Result<&mut dyn Digest> {
        if self.whole {
            return Err(Error::OperationActive);
        }
        let parts = match self.parts.take() {
            Some(parts) => parts,
            None => match crypto::savable_digest(self.hash) {
                Some(digest) => Parts::Savable(digest),
                None => Parts::Other(crypto::digest(self.hash)?),
            },
        };
        Ok(match self.parts.insert(parts) {
            Parts::Savable(digest) => digest.as_mut(),
            Parts::Other(digest) => digest.as_mut(),
        })
    }
}

/// An operation with a key.
pub(crate) struct Keyed<T> {
    pub operation: T,
    /// The key asks for its PIN at each use, and this use had none yet (CKA_ALWAYS_AUTHENTICATE).
    pub asks_for_login: bool,
    /// The key, as it was when the operation began.
    pub key: Arc<Loaded>,
    /// What it serves.
    pub function: Function,
    /// Whether its use is in the audit log.
    pub noted: bool,
}

impl<T> Keyed<T> {
    /// Checks that the key is still there and in a state that allows what is done with it: another process
    /// may have revoked or destroyed it since the operation began, and its dates may have passed.
    fn check(&self, session: &Session) -> Result<()> {
        let key = session.present(self.key.named()).map_err(Error::of_key)?;
        usage::check_state(self.function, key.object())
    }

    /// Has a step recorded that gives something out for the first time, ends the operation or is refused. What was
    /// given out and cannot be recorded is taken back.
    fn record<R>(
        &mut self,
        session: &Session,
        done: Result<After<R>>,
        output: &mut Output<'_>,
    ) -> Result<After<R>> {
        let keys = session.used_key(&self.key);
        match &done {
            Ok(After::GoesOn(_)) => return done,
            Ok(After::Gave(_) | After::Ended(_)) if self.noted => return done,
            Ok(After::Gave(_) | After::Ended(_)) => self.noted = true,
            Err(_) => {}
        }
        let Some(act) = act(self.function) else { return done };
        let gave = done.is_ok();
        session.noted(act, keys, done).inspect_err(|_| {
            if gave {
                output.wipe();
            }
        })
    }
}

impl Operations {
    /// Whether an operation with a key runs.
    pub(crate) fn holds_keys(&self) -> bool {
        let ciphers = self.encrypt.is_some() || self.decrypt.is_some();
        let signatures = self.sign.is_some() || self.verify.is_some() || self.verify_signature.is_some();
        let recovering = self.sign_recover.is_some() || self.verify_recover.is_some();
        let messages = self.message_encrypt.is_some() || self.message_decrypt.is_some();
        let signed = self.message_sign.is_some() || self.message_verify.is_some();
        ciphers || signatures || recovering || messages || signed
    }

    /// Whether a running operation waits for the user's PIN.
    pub(crate) fn asks_for_login(&self) -> bool {
        self.sign.as_ref().is_some_and(|sign| sign.asks_for_login)
            || self.sign_recover.as_ref().is_some_and(|sign| sign.asks_for_login)
            || self.decrypt.as_ref().is_some_and(|decrypt| decrypt.asks_for_login)
            || self.message_sign.as_ref().is_some_and(|sign| sign.asks_for_login)
    }

    /// The PIN was right: what waits may go on.
    pub(crate) fn allow(&mut self) {
        for sign in [&mut self.sign, &mut self.sign_recover].into_iter().flatten() {
            sign.asks_for_login = false;
        }
        if let Some(decrypt) = &mut self.decrypt {
            decrypt.asks_for_login = false;
        }
        if let Some(sign) = &mut self.message_sign {
            sign.asks_for_login = false;
        }
    }

    /// Ends the operation of a kind; [`Error::OperationNotInitialised`] if there is none.
    pub(crate) fn end(&mut self, kind: Kind) -> Result<()> {
        let was_there = match kind {
            Kind::Digest => self.digest.take().is_some(),
            Kind::Sign => self.sign.take().is_some(),
            Kind::SignRecover => self.sign_recover.take().is_some(),
            Kind::Verify => self.verify.take().is_some(),
            Kind::VerifyRecover => self.verify_recover.take().is_some(),
            Kind::Encrypt => self.encrypt.take().is_some(),
            Kind::Decrypt => self.decrypt.take().is_some(),
            Kind::Find => self.find.take().is_some(),
            Kind::VerifySignature => self.verify_signature.take().is_some(),
            Kind::MessageEncrypt => self.message_encrypt.take().is_some(),
            Kind::MessageDecrypt => self.message_decrypt.take().is_some(),
            Kind::MessageSign => self.message_sign.take().is_some(),
            Kind::MessageVerify => self.message_verify.take().is_some(),
        };
        if was_there { Ok(()) } else { Err(Error::OperationNotInitialised) }
    }
}

impl Operations {
    /// Ends the message that is under way in a process of many.
    pub(crate) fn end_message(&mut self, kind: Kind) {
        let ciphering = match kind {
            Kind::MessageEncrypt => &mut self.message_encrypt,
            Kind::MessageDecrypt => &mut self.message_decrypt,
            _ => &mut None,
        };
        if let Some(process) = ciphering {
            process.operation.end();
        }
        if let (Kind::MessageSign, Some(process)) = (kind, &mut self.message_sign) {
            process.operation.message = None;
        }
        if let (Kind::MessageVerify, Some(process)) = (kind, &mut self.message_verify) {
            process.operation.message = None;
        }
    }
}

/// What a step leaves behind.
pub(crate) enum After<R> {
    /// The operation goes on, and nothing was given out.
    GoesOn(R),
    /// The operation goes on, and has given something out.
    Gave(R),
    /// The operation has ended.
    Ended(R),
}

/// Runs one step of an operation.
pub(crate) fn step<T, R>(
    slot: &mut Option<Box<T>>,
    body: impl FnOnce(&mut T) -> Result<After<R>>,
) -> Result<R> {
    let mut operation = slot.take().ok_or(Error::OperationNotInitialised)?;
    match body(&mut operation) {
        Ok(After::Ended(result)) => Ok(result),
        Ok(After::GoesOn(result) | After::Gave(result)) => {
            *slot = Some(operation);
            Ok(result)
        }
        Err(error @ (Error::BufferTooSmall { .. } | Error::ContextLoginNeeded)) => {
            *slot = Some(operation);
            Err(error)
        }
        Err(error) => Err(error),
    }
}

/// As [`step`], for operations with a key: one whose key is no longer fit has ended, and its use is recorded where
/// uses are.
pub(crate) fn step_with_key<T, R>(
    session: &Session,
    slot: &mut Option<Box<Keyed<T>>>,
    mut output: Output<'_>,
    body: impl FnOnce(&mut Keyed<T>, Output<'_>) -> Result<After<R>>,
) -> Result<R> {
    step(slot, |running| {
        let done = running.check(session).and_then(|()| body(running, output.again()));
        if session.records_uses { running.record(session, done, &mut output) } else { done }
    })
}

/// As [`begin`], for operations with a key: that it may not be used so is recorded where uses are.
pub(crate) fn begin_with_key<T>(
    session: &Session,
    slot: &mut Option<T>,
    (function, key): (Function, ObjectHandle),
    make: impl FnOnce(Function, ObjectHandle) -> Result<T>,
) -> Result<()> {
    let keys = session.used(key, None);
    match (begin(slot, || make(function, key)), act(function)) {
        (Err(refusal), Some(act)) => session.noted(act, keys, Err(refusal)),
        (begun, _) => begun,
    }
}

/// Runs one step of a process of many messages. An error ends the message that is under way (`end`), and the
/// process goes on with the next one; a key that is no longer fit ends the process. Each message is a use.
pub(crate) fn step_of_messages<T, R>(
    session: &Session,
    slot: &mut Option<Box<Keyed<T>>>,
    mut output: Output<'_>,
    end: impl FnOnce(&mut T),
    body: impl FnOnce(&mut Keyed<T>, Output<'_>) -> Result<After<R>>,
) -> Result<R> {
    let mut process = slot.take().ok_or(Error::OperationNotInitialised)?;
    let fit = process.check(session);
    let is_fit = fit.is_ok();
    let done = fit.and_then(|()| body(&mut process, output.again()));
    let done = if session.records_uses { process.record(session, done, &mut output) } else { done };
    match &done {
        Ok(After::GoesOn(_) | After::Gave(_)) => {}
        Err(Error::BufferTooSmall { .. } | Error::ContextLoginNeeded | Error::OperationActive) => {}
        Ok(After::Ended(_)) => process.noted = false,
        Err(_) => {
            end(&mut process.operation);
            process.noted = false;
        }
    }
    if is_fit {
        *slot = Some(process);
    }
    done.map(|(After::GoesOn(result) | After::Gave(result) | After::Ended(result))| result)
}

/// Runs the step that gives an operation's last output of exactly `len` bytes: asks for no more than
/// the length, or for a buffer that holds it.
pub(crate) fn last(
    output: Output<'_>,
    len: usize,
    run: impl FnOnce(&mut [u8]) -> Result<usize>,
) -> Result<After<usize>> {
    match output {
        Output::Length => Ok(After::GoesOn(len)),
        Output::Buffer(buffer) if buffer.len() < len => Err(Error::BufferTooSmall { needed: len }),
        Output::Buffer(buffer) => run(buffer).map(After::Ended),
    }
}

/// Puts a new operation into its place.
pub(crate) fn begin<T>(slot: &mut Option<T>, make: impl FnOnce() -> Result<T>) -> Result<()> {
    if slot.is_some() {
        return Err(Error::OperationActive);
    }
    *slot = Some(make()?);
    Ok(())
}
