//! Signatures and MACs of many messages under one key, and their verification. PKCS #11 3.2, sections 5.14 and
//! 5.16. The mechanism's own parameter holds for all the messages.

use cryptoki_sys::*;

use super::messages::finish;
use crate::error::{Error, Result};
use crate::mechanism::table::Function;
use crate::mechanism::{Mechanism, MessageSigning, MessageVerifying, usage};
use crate::session::active::{Keyed, begin_with_key, step_of_messages};
use crate::session::{After, ObjectHandle, Output, Session};

impl Session {
    /// Begins to sign messages (C_MessageSignInit).
    ///
    /// # Errors
    /// As [`Session::sign_init`].
    pub fn message_sign_init(&self, mechanism: Mechanism, key: ObjectHandle) -> Result<()> {
        begin_with_key(self, &mut self.operations().message_sign, (Function::Sign, key), |function, key| {
            let row = self.row_for(&mechanism, function)?;
            let loaded = self.key(key)?;
            usage::check(row, function, &loaded.key)?;
            let asks_for_login = loaded.object().flag(CKA_ALWAYS_AUTHENTICATE);
            let operation = MessageSigning::new(row, mechanism.parameter, loaded.key.clone())?;
            Ok(Box::new(Keyed { operation, asks_for_login, key: loaded, function, noted: false }))
        })
    }

    /// Signs a whole message (C_SignMessage).
    ///
    /// # Errors
    /// As [`Session::sign`]; [`Error::OperationActive`] while a message comes in parts.
    pub fn sign_message(&self, data: &[u8], output: Output<'_>) -> Result<usize> {
        self.signing_messages(output, |running, output| {
            if running.operation.message.is_some() {
                return Err(Error::OperationActive);
            }
            let mut signing = running.operation.fresh()?;
            let Some(out) = room(signing.signature_len(), output)? else {
                return Ok(After::GoesOn(signing.signature_len()));
            };
            let length = signing.sign(data, out);
            running.asks_for_login = running.key.object().flag(CKA_ALWAYS_AUTHENTICATE);
            length.map(After::Ended)
        })
    }

    /// Begins a message that comes in parts (C_SignMessageBegin).
    ///
    /// # Errors
    /// As [`Session::sign_message`]; [`Error::NotSupported`] where the mechanism takes messages whole.
    pub fn sign_message_begin(&self) -> Result<()> {
        self.signing_messages(Output::Length, |running, _| {
            if running.operation.message.is_some() {
                return Err(Error::OperationActive);
            }
            running.operation.begin().map(After::GoesOn)
        })
    }

    /// Takes part of a message to sign (C_SignMessageNext).
    ///
    /// # Errors
    /// [`Error::OperationNotInitialised`] where no message has begun.
    pub fn sign_message_next(&self, data: &[u8]) -> Result<()> {
        self.signing_messages(Output::Length, |running, _| {
            let signing = running.operation.message.as_mut().ok_or(Error::OperationNotInitialised)?;
            signing.update(data).map(After::GoesOn)
        })
    }

    /// Takes the last part of a message and signs it (C_SignMessageNext with a place for the signature).
    ///
    /// # Errors
    /// As [`Session::sign_message`].
    pub fn sign_message_end(&self, data: &[u8], output: Output<'_>) -> Result<usize> {
        self.signing_messages(output, |running, output| {
            let signing = running.operation.message.as_mut().ok_or(Error::OperationNotInitialised)?;
            let Some(out) = room(signing.signature_len(), output)? else {
                return Ok(After::GoesOn(signing.signature_len()));
            };
            let length = signing.update(data).and_then(|()| signing.finish(out));
            running.operation.message = None;
            running.asks_for_login = running.key.object().flag(CKA_ALWAYS_AUTHENTICATE);
            length.map(After::Ended)
        })
    }

    /// Ends the signing of messages (C_MessageSignFinal).
    ///
    /// # Errors
    /// As [`Session::message_encrypt_final`].
    pub fn message_sign_final(&self) -> Result<()> {
        finish(&mut self.operations().message_sign, |signing| signing.message.is_some())
    }

    /// Begins to verify messages (C_MessageVerifyInit).
    ///
    /// # Errors
    /// As [`Session::verify_init`].
    pub fn message_verify_init(&self, mechanism: Mechanism, key: ObjectHandle) -> Result<()> {
        begin_with_key(
            self,
            &mut self.operations().message_verify,
            (Function::Verify, key),
            |function, key| {
                let row = self.row_for(&mechanism, function)?;
                let loaded = self.key(key)?;
                usage::check(row, function, &loaded.key)?;
                let operation = MessageVerifying::new(row, mechanism.parameter, loaded.key.clone())?;
                Ok(Box::new(Keyed { operation, asks_for_login: false, key: loaded, function, noted: false }))
            },
        )
    }

    /// Verifies a whole message (C_VerifyMessage).
    ///
    /// # Errors
    /// As [`Session::verify`]; [`Error::OperationActive`] while a message comes in parts.
    pub fn verify_message(&self, data: &[u8], signature: &[u8]) -> Result<()> {
        self.verifying_messages(|running| {
            if running.message.is_some() {
                return Err(Error::OperationActive);
            }
            running.fresh()?.verify(data, signature).map(After::Ended)
        })
    }

    /// Begins a message that comes in parts (C_VerifyMessageBegin).
    ///
    /// # Errors
    /// As [`Session::sign_message_begin`].
    pub fn verify_message_begin(&self) -> Result<()> {
        self.verifying_messages(|running| {
            if running.message.is_some() {
                return Err(Error::OperationActive);
            }
            running.begin().map(After::GoesOn)
        })
    }

    /// Takes part of a message to verify, and with a signature its last one (C_VerifyMessageNext).
    ///
    /// # Errors
    /// As [`Session::verify`].
    pub fn verify_message_next(&self, data: &[u8], signature: Option<&[u8]>) -> Result<()> {
        self.verifying_messages(|running| {
            let verifying = running.message.as_mut().ok_or(Error::OperationNotInitialised)?;
            verifying.update(data)?;
            let Some(signature) = signature else { return Ok(After::GoesOn(())) };
            let verified = verifying.finish(signature);
            running.message = None;
            verified.map(After::Ended)
        })
    }

    /// Ends the verification of messages (C_MessageVerifyFinal).
    ///
    /// # Errors
    /// As [`Session::message_encrypt_final`].
    pub fn message_verify_final(&self) -> Result<()> {
        finish(&mut self.operations().message_verify, |verifying| verifying.message.is_some())
    }

    /// A step of a process whose key may ask for its PIN before each message.
    fn signing_messages<R>(
        &self,
        output: Output<'_>,
        body: impl FnOnce(&mut Keyed<MessageSigning>, Output<'_>) -> Result<After<R>>,
    ) -> Result<R> {
        let slot = &mut self.operations().message_sign;
        step_of_messages(
            self,
            slot,
            output,
            |signing| signing.message = None,
            |running, output| {
                if running.asks_for_login {
                    return Err(Error::ContextLoginNeeded);
                }
                body(running, output)
            },
        )
    }

    fn verifying_messages(
        &self,
        body: impl FnOnce(&mut MessageVerifying) -> Result<After<()>>,
    ) -> Result<()> {
        let slot = &mut self.operations().message_verify;
        step_of_messages(
            self,
            slot,
            Output::Length,
            |verifying| verifying.message = None,
            |running, _| body(&mut running.operation),
        )
    }
}

/// The buffer, if it holds so many bytes; `None` if only the length is asked.
fn room(needed: usize, output: Output<'_>) -> Result<Option<&mut [u8]>> {
    match output {
        Output::Length => Ok(None),
        Output::Buffer(out) if out.len() < needed => Err(Error::BufferTooSmall { needed }),
        Output::Buffer(out) => Ok(Some(out)),
    }
}
