//! Encryption and decryption. PKCS #11 3.2, sections 5.8 and 5.10.

use cryptoki_sys::*;

use crate::crypto::Direction;
use crate::error::{Error, Result};
use crate::mechanism::table::Function;
use crate::mechanism::usage;
use crate::mechanism::{Ciphering, Mechanism};
use crate::session::active::{Keyed, begin_with_key, last, step_with_key};
use crate::session::{After, ObjectHandle, Output, Session};

type Running = Keyed<Ciphering>;

impl Session {
    fn ciphering(
        &self,
        mechanism: &Mechanism,
        direction: Direction,
        function: Function,
        key: ObjectHandle,
    ) -> Result<Box<Running>> {
        let row = self.row_for(mechanism, function)?;
        let loaded = self.key(key)?;
        usage::check(row, function, &loaded.key)?;
        let asks_for_login = loaded.object().flag(CKA_ALWAYS_AUTHENTICATE);
        let operation = Ciphering::new(row, &mechanism.parameter, direction, loaded.key.clone())?;
        Ok(Box::new(Keyed { operation, asks_for_login, key: loaded, function, noted: false }))
    }

    /// Begins an encryption.
    ///
    /// # Errors
    /// [`Error::OperationActive`], those of the mechanism, and those of the key's fitness for it.
    pub fn encrypt_init(&self, mechanism: &Mechanism, key: ObjectHandle) -> Result<()> {
        begin_with_key(self, &mut self.operations().encrypt, (Function::Encrypt, key), |function, key| {
            self.ciphering(mechanism, Direction::Encrypt, function, key)
        })
    }

    /// Encrypts a whole message.
    ///
    /// # Errors
    /// [`Error::OperationNotInitialised`], [`Error::BufferTooSmall`], [`Error::DataLength`].
    pub fn encrypt(&self, data: &[u8], output: Output<'_>) -> Result<usize> {
        step_with_key(self, &mut self.operations().encrypt, output, |running, output| {
            whole(running, data, output)
        })
    }

    /// Encrypts part of a message.
    ///
    /// # Errors
    /// As [`Session::encrypt`].
    pub fn encrypt_update(&self, data: &[u8], output: Output<'_>) -> Result<usize> {
        step_with_key(self, &mut self.operations().encrypt, output, |running, output| {
            update(running, data, output)
        })
    }

    /// Ends an encryption.
    ///
    /// # Errors
    /// As [`Session::encrypt`].
    pub fn encrypt_final(&self, output: Output<'_>) -> Result<usize> {
        step_with_key(self, &mut self.operations().encrypt, output, finish)
    }

    /// Begins a decryption.
    ///
    /// # Errors
    /// As [`Session::encrypt_init`].
    pub fn decrypt_init(&self, mechanism: &Mechanism, key: ObjectHandle) -> Result<()> {
        begin_with_key(self, &mut self.operations().decrypt, (Function::Decrypt, key), |function, key| {
            self.ciphering(mechanism, Direction::Decrypt, function, key)
        })
    }

    /// Decrypts a whole message.
    ///
    /// # Errors
    /// [`Error::EncryptedDataInvalid`], [`Error::EncryptedDataLength`], [`Error::ContextLoginNeeded`],
    /// and as [`Session::encrypt`].
    pub fn decrypt(&self, data: &[u8], output: Output<'_>) -> Result<usize> {
        step_with_key(self, &mut self.operations().decrypt, output, |running, output| {
            whole(running, data, output)
        })
    }

    /// Decrypts part of a message.
    ///
    /// # Errors
    /// As [`Session::decrypt`].
    pub fn decrypt_update(&self, data: &[u8], output: Output<'_>) -> Result<usize> {
        step_with_key(self, &mut self.operations().decrypt, output, |running, output| {
            update(running, data, output)
        })
    }

    /// Ends a decryption.
    ///
    /// # Errors
    /// As [`Session::decrypt`].
    pub fn decrypt_final(&self, output: Output<'_>) -> Result<usize> {
        step_with_key(self, &mut self.operations().decrypt, output, finish)
    }
}

fn allowed(running: &Running) -> Result<()> {
    if running.asks_for_login { Err(Error::ContextLoginNeeded) } else { Ok(()) }
}

/// The operation for a message in parts. One whose length was asked for as of a whole message is not ended in parts.
fn in_parts(running: &mut Running) -> Result<&mut Ciphering> {
    allowed(running)?;
    if running.operation.whole { Err(Error::OperationActive) } else { Ok(&mut running.operation) }
}

fn whole(running: &mut Running, data: &[u8], output: Output<'_>) -> Result<After<usize>> {
    allowed(running)?;
    let ciphering = &mut running.operation;
    if ciphering.begun {
        return Err(Error::OperationActive);
    }
    ciphering.whole = true;
    let len = ciphering.whole_len(data.len());
    if ciphering.whole_len_is_exact() {
        return last(output, len, |out| ciphering.whole(data, out));
    }
    match output {
        Output::Length => Ok(After::GoesOn(len)),
        Output::Buffer(out) => ciphering.whole(data, out).map(After::Ended),
    }
}

pub(super) fn update(running: &mut Running, data: &[u8], output: Output<'_>) -> Result<After<usize>> {
    let ciphering = in_parts(running)?;
    let len = ciphering.update_len(data.len());
    match output {
        Output::Length => Ok(After::GoesOn(len)),
        Output::Buffer(out) if out.len() < len => Err(Error::BufferTooSmall { needed: len }),
        Output::Buffer(out) => Ok(match ciphering.update(data, out)? {
            0 => After::GoesOn(0),
            given => After::Gave(given),
        }),
    }
}

fn finish(running: &mut Running, output: Output<'_>) -> Result<After<usize>> {
    let ciphering = in_parts(running)?;
    match output {
        Output::Length => Ok(After::GoesOn(ciphering.finish_len())),
        Output::Buffer(out) => ciphering.finish(out).map(After::Ended),
    }
}
