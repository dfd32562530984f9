//! Encryption and decryption. PKCS #11 3.2, sections 5.8 and 5.10.

use cryptoki_sys::*;

use crate::crypto::Direction;
use crate::error::{Error, Result};
use crate::mechanism::table::Function;
use crate::mechanism::usage;
use crate::mechanism::{Ciphering, Mechanism};
use crate::session::active::{Keyed, begin, last, step_with_key};
use crate::session::{After, ObjectHandle, Output, Session};

type Running = Keyed<Ciphering>;

impl Session {
    fn ciphering(
        &self,
        mechanism: &Mechanism,
        direction: Direction,
        key: ObjectHandle,
    ) -> Result<Box<Running>> {
        let function = match direction {
            Direction::Encrypt => Function::Encrypt,
            Direction::Decrypt => Function::Decrypt,
        };
        let row = self.row_for(mechanism, function)?;
        let loaded = self.key(key)?;
        usage::check(row, function, &loaded.key)?;
        let asks_for_login = loaded.object().flag(CKA_ALWAYS_AUTHENTICATE);
        let operation = Ciphering::new(row, &mechanism.parameter, direction, loaded.key.clone())?;
        Ok(Box::new(Keyed { operation, asks_for_login, key: loaded, function }))
    }

    /// Begins an encryption.
    ///
    /// # Errors
    /// [`Error::OperationActive`], those of the mechanism, and those of the key's fitness for it.
    pub fn encrypt_init(&self, mechanism: &Mechanism, key: ObjectHandle) -> Result<()> {
        begin(&mut self.operations().encrypt, || self.ciphering(mechanism, Direction::Encrypt, key))
    }

    /// Encrypts a whole message.
    ///
    /// # Errors
    /// [`Error::OperationNotInitialised`], [`Error::BufferTooSmall`], [`Error::DataLength`].
    pub fn encrypt(&self, data: &[u8], output: Output<'_>) -> Result<usize> {
        step_with_key(self, &mut self.operations().encrypt, |running| whole(running, data, output))
    }

    /// Encrypts part of a message.
    ///
    /// # Errors
    /// As [`Session::encrypt`].
    pub fn encrypt_update(&self, data: &[u8], output: Output<'_>) -> Result<usize> {
        step_with_key(self, &mut self.operations().encrypt, |running| update(running, data, output))
    }

    /// Ends an encryption.
    ///
    /// # Errors
    /// As [`Session::encrypt`].
    pub fn encrypt_final(&self, output: Output<'_>) -> Result<usize> {
        step_with_key(self, &mut self.operations().encrypt, |running| finish(running, output))
    }

    /// Begins a decryption.
    ///
    /// # Errors
    /// As [`Session::encrypt_init`].
    pub fn decrypt_init(&self, mechanism: &Mechanism, key: ObjectHandle) -> Result<()> {
        begin(&mut self.operations().decrypt, || self.ciphering(mechanism, Direction::Decrypt, key))
    }

    /// Decrypts a whole message.
    ///
    /// # Errors
    /// [`Error::EncryptedDataInvalid`], [`Error::EncryptedDataLength`], [`Error::ContextLoginNeeded`],
    /// and as [`Session::encrypt`].
    pub fn decrypt(&self, data: &[u8], output: Output<'_>) -> Result<usize> {
        step_with_key(self, &mut self.operations().decrypt, |running| whole(running, data, output))
    }

    /// Decrypts part of a message.
    ///
    /// # Errors
    /// As [`Session::decrypt`].
    pub fn decrypt_update(&self, data: &[u8], output: Output<'_>) -> Result<usize> {
        step_with_key(self, &mut self.operations().decrypt, |running| update(running, data, output))
    }

    /// Ends a decryption.
    ///
    /// # Errors
    /// As [`Session::decrypt`].
    pub fn decrypt_final(&self, output: Output<'_>) -> Result<usize> {
        step_with_key(self, &mut self.operations().decrypt, |running| finish(running, output))
    }
}

fn allowed(running: &Running) -> Result<()> {
    if running.asks_for_login { Err(Error::ContextLoginNeeded) } else { Ok(()) }
}

fn whole(running: &mut Running, data: &[u8], output: Output<'_>) -> Result<After<usize>> {
    allowed(running)?;
    let ciphering = &mut running.operation;
    if ciphering.begun {
        return Err(Error::OperationActive);
    }
    let len = ciphering.whole_len(data.len());
    if ciphering.whole_len_is_exact() {
        return last(output, len, |out| ciphering.whole(data, out));
    }
    match output {
        Output::Length => Ok(After::GoesOn(len)),
        Output::Buffer(out) => ciphering.whole(data, out).map(After::Ended),
    }
}

fn update(running: &mut Running, data: &[u8], output: Output<'_>) -> Result<After<usize>> {
    allowed(running)?;
    let ciphering = &mut running.operation;
    let len = ciphering.update_len(data.len());
    match output {
        Output::Length => Ok(After::GoesOn(len)),
        Output::Buffer(out) if out.len() < len => Err(Error::BufferTooSmall { needed: len }),
        Output::Buffer(out) => ciphering.update(data, out).map(After::GoesOn),
    }
}

fn finish(running: &mut Running, output: Output<'_>) -> Result<After<usize>> {
    allowed(running)?;
    let ciphering = &mut running.operation;
    match output {
        Output::Length => Ok(After::GoesOn(ciphering.finish_len())),
        Output::Buffer(out) => ciphering.finish(out).map(After::Ended),
    }
}
