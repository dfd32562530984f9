//! Encryption and decryption of many messages under one key. PKCS #11 3.2, sections 5.9 and 5.11.

use crate::crypto::Direction;
use crate::error::{Error, Result};
use crate::mechanism::table::Function;
use crate::mechanism::{MessageCiphering, MessageParameter, Sealed, usage};
use crate::session::active::{Keyed, begin_with_key, step_of_messages};
use crate::session::{After, ObjectHandle, Output, Session};

type Running = Keyed<MessageCiphering>;

impl Session {
    fn message_ciphering(&self, kind: u64, direction: Direction, key: ObjectHandle) -> Result<Box<Running>> {
        let function = match direction {
            Direction::Encrypt => Function::Encrypt,
            Direction::Decrypt => Function::Decrypt,
        };
        let row = self.row_of(kind, function)?;
        if row.aead.is_none() {
            return Err(Error::MechanismInvalid);
        }
        let loaded = self.key(key)?;
        usage::check(row, function, &loaded.key)?;
        let operation = MessageCiphering::new(row, direction, loaded.key.clone())?;
        Ok(Box::new(Keyed { operation, asks_for_login: false, key: loaded, function, noted: false }))
    }

    /// Begins to encrypt messages by mechanism `kind` (C_MessageEncryptInit).
    ///
    /// # Errors
    /// As [`Session::encrypt_init`].
    pub fn message_encrypt_init(&self, kind: u64, key: ObjectHandle) -> Result<()> {
        begin_with_key(self, &mut self.operations().message_encrypt, (Function::Encrypt, key), |_, key| {
            self.message_ciphering(kind, Direction::Encrypt, key)
        })
    }

    /// Encrypts a whole message (C_EncryptMessage).
    ///
    /// # Errors
    /// [`Error::OperationNotInitialised`]; [`Error::OperationActive`] while a message comes in parts;
    /// [`Error::BufferTooSmall`], [`Error::MechanismParamInvalid`], [`Error::NoncesUsedUp`].
    pub fn encrypt_message(
        &self,
        parameter: &MessageParameter,
        aad: &[u8],
        data: &[u8],
        output: Output<'_>,
    ) -> Result<Sealed> {
        self.encrypting(output, |running, output| {
            let Some(out) = room_for_whole(running, parameter, data.len(), output)? else {
                return Ok(After::GoesOn(Sealed { length: data.len(), ..Sealed::default() }));
            };
            let nonce = self.begin_encryption(running, parameter, aad)?;
            let (length, tag) = running.next(parameter, data, out, true)?;
            Ok(After::Ended(Sealed { length, nonce: Some(nonce), tag }))
        })
    }

    /// Begins a message that comes in parts (C_EncryptMessageBegin). Answers its nonce.
    ///
    /// # Errors
    /// As [`Session::encrypt_message`].
    pub fn encrypt_message_begin(&self, parameter: &MessageParameter, aad: &[u8]) -> Result<Vec<u8>> {
        self.encrypting(Output::Length, |running, _| {
            check_idle(running)?;
            self.begin_encryption(running, parameter, aad).map(After::GoesOn)
        })
    }

    /// Encrypts part of a message, or its end (C_EncryptMessageNext).
    ///
    /// # Errors
    /// As [`Session::encrypt_message`]; [`Error::OperationNotInitialised`] where no message has begun.
    pub fn encrypt_message_next(
        &self,
        parameter: &MessageParameter,
        data: &[u8],
        output: Output<'_>,
        last: bool,
    ) -> Result<Sealed> {
        self.encrypting(output, |running, output| next(running, parameter, data, output, last))
    }

    /// Ends the encryption of messages (C_MessageEncryptFinal).
    ///
    /// # Errors
    /// [`Error::OperationNotInitialised`]; [`Error::OperationActive`] while a message comes in parts.
    pub fn message_encrypt_final(&self) -> Result<()> {
        finish(&mut self.operations().message_encrypt, MessageCiphering::is_under_way)
    }

    /// Begins to decrypt messages by mechanism `kind` (C_MessageDecryptInit).
    ///
    /// # Errors
    /// As [`Session::decrypt_init`].
    pub fn message_decrypt_init(&self, kind: u64, key: ObjectHandle) -> Result<()> {
        begin_with_key(self, &mut self.operations().message_decrypt, (Function::Decrypt, key), |_, key| {
            self.message_ciphering(kind, Direction::Decrypt, key)
        })
    }

    /// Decrypts a whole message (C_DecryptMessage). Nothing comes out of one that is not authentic.
    ///
    /// # Errors
    /// [`Error::AeadFailed`], and as [`Session::encrypt_message`].
    pub fn decrypt_message(
        &self,
        parameter: &MessageParameter,
        aad: &[u8],
        data: &[u8],
        output: Output<'_>,
    ) -> Result<usize> {
        self.decrypting(output, |running, output| {
            let Some(out) = room_for_whole(running, parameter, data.len(), output)? else {
                return Ok(After::GoesOn(data.len()));
            };
            running.begin(parameter, parameter.nonce.nonce.clone(), aad)?;
            Ok(After::Ended(running.next(parameter, data, out, true)?.0))
        })
    }

    /// Begins a message that comes in parts (C_DecryptMessageBegin).
    ///
    /// # Errors
    /// As [`Session::decrypt_message`].
    pub fn decrypt_message_begin(&self, parameter: &MessageParameter, aad: &[u8]) -> Result<()> {
        self.decrypting(Output::Length, |running, _| {
            check_idle(running)?;
            running.begin(parameter, parameter.nonce.nonce.clone(), aad).map(After::GoesOn)
        })
    }

    /// Takes part of a message, or its end, where all of it comes out (C_DecryptMessageNext).
    ///
    /// # Errors
    /// As [`Session::decrypt_message`].
    pub fn decrypt_message_next(
        &self,
        parameter: &MessageParameter,
        data: &[u8],
        output: Output<'_>,
        last: bool,
    ) -> Result<usize> {
        let done = self.decrypting(output, |running, output| next(running, parameter, data, output, last))?;
        Ok(done.length)
    }

    /// Ends the decryption of messages (C_MessageDecryptFinal).
    ///
    /// # Errors
    /// As [`Session::message_encrypt_final`].
    pub fn message_decrypt_final(&self) -> Result<()> {
        finish(&mut self.operations().message_decrypt, MessageCiphering::is_under_way)
    }

    fn encrypting<R>(
        &self,
        output: Output<'_>,
        body: impl FnOnce(&mut MessageCiphering, Output<'_>) -> Result<After<R>>,
    ) -> Result<R> {
        let slot = &mut self.operations().message_encrypt;
        step_of_messages(self, slot, output, MessageCiphering::end, |running, output| {
            body(&mut running.operation, output)
        })
    }

    fn decrypting<R>(
        &self,
        output: Output<'_>,
        body: impl FnOnce(&mut MessageCiphering, Output<'_>) -> Result<After<R>>,
    ) -> Result<R> {
        let slot = &mut self.operations().message_decrypt;
        step_of_messages(self, slot, output, MessageCiphering::end, |running, output| {
            body(&mut running.operation, output)
        })
    }

    /// Begins a message with a nonce that is the caller's or made here.
    fn begin_encryption(
        &self,
        running: &mut MessageCiphering,
        parameter: &MessageParameter,
        aad: &[u8],
    ) -> Result<Vec<u8>> {
        parameter.check(running.aead())?;
        let nonce = self.nonces().next(running.mark(), &parameter.nonce)?;
        running.begin(parameter, nonce.clone(), aad)?;
        Ok(nonce)
    }
}

fn check_idle(running: &MessageCiphering) -> Result<()> {
    if running.is_under_way() { Err(Error::OperationActive) } else { Ok(()) }
}

/// Where a whole message goes; `None` if only its length is asked. The tag has a place of its own, so that the
/// message stays as long as it is.
fn room_for_whole<'out>(
    running: &MessageCiphering,
    parameter: &MessageParameter,
    length: usize,
    output: Output<'out>,
) -> Result<Option<&'out mut [u8]>> {
    check_idle(running)?;
    parameter.check(running.aead())?;
    match output {
        Output::Length => Ok(None),
        Output::Buffer(out) if out.len() < length => Err(Error::BufferTooSmall { needed: length }),
        Output::Buffer(out) => Ok(Some(out)),
    }
}

fn next(
    running: &mut MessageCiphering,
    parameter: &MessageParameter,
    data: &[u8],
    output: Output<'_>,
    last: bool,
) -> Result<After<Sealed>> {
    let needed = running.next_len(data.len(), last)?;
    match output {
        Output::Length => Ok(After::GoesOn(Sealed { length: needed, ..Sealed::default() })),
        Output::Buffer(out) if out.len() < needed => Err(Error::BufferTooSmall { needed }),
        Output::Buffer(out) => {
            let (length, tag) = running.next(parameter, data, out, last)?;
            let sealed = Sealed { length, nonce: None, tag };
            Ok(match (last, length) {
                (true, _) => After::Ended(sealed),
                (false, 0) => After::GoesOn(sealed),
                (false, _) => After::Gave(sealed),
            })
        }
    }
}

/// Ends a process of messages, between two of them.
pub(super) fn finish<T>(
    slot: &mut Option<Box<Keyed<T>>>,
    is_under_way: impl FnOnce(&T) -> bool,
) -> Result<()> {
    match slot {
        None => Err(Error::OperationNotInitialised),
        Some(running) if is_under_way(&running.operation) => Err(Error::OperationActive),
        Some(_) => {
            *slot = None;
            Ok(())
        }
    }
}
