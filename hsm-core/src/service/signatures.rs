//! Signatures and MACs. PKCS #11 3.2, sections 5.13 and 5.14.

use cryptoki_sys::*;

use crate::error::{Error, Result};
use crate::mechanism::table::Function;
use crate::mechanism::usage;
use crate::mechanism::{Mechanism, Signing, Verifying};
use crate::session::active::{Keyed, begin_with_key, last, step_with_key};
use crate::session::{After, ObjectHandle, Output, Session};

impl Session {
    fn signing(
        &self,
        mechanism: &Mechanism,
        function: Function,
        key: ObjectHandle,
    ) -> Result<Box<Keyed<Signing>>> {
        let row = self.row_for(mechanism, function)?;
        let loaded = self.key(key)?;
        usage::check(row, function, &loaded.key)?;
        let asks_for_login = loaded.object().flag(CKA_ALWAYS_AUTHENTICATE);
        let operation = Signing::new(row, &mechanism.parameter, loaded.key.clone())?;
        Ok(Box::new(Keyed { operation, asks_for_login, key: loaded, function, noted: false }))
    }

    pub(super) fn verifying(
        &self,
        mechanism: &Mechanism,
        function: Function,
        key: ObjectHandle,
    ) -> Result<Box<Keyed<Verifying>>> {
        let row = self.row_for(mechanism, function)?;
        let loaded = self.key(key)?;
        usage::check(row, function, &loaded.key)?;
        let operation = Verifying::new(row, &mechanism.parameter, loaded.key.clone())?;
        Ok(Box::new(Keyed { operation, asks_for_login: false, key: loaded, function, noted: false }))
    }

    /// Begins a signature or MAC.
    ///
    /// # Errors
    /// [`Error::OperationActive`], those of the mechanism, and those of the key's fitness for it.
    pub fn sign_init(&self, mechanism: &Mechanism, key: ObjectHandle) -> Result<()> {
        begin_with_key(self, &mut self.operations().sign, (Function::Sign, key), |function, key| {
            self.signing(mechanism, function, key)
        })
    }

    /// Signs a whole message.
    ///
    /// # Errors
    /// [`Error::OperationNotInitialised`], [`Error::BufferTooSmall`], [`Error::ContextLoginNeeded`],
    /// [`Error::DataLength`], [`Error::DataInvalid`].
    pub fn sign(&self, data: &[u8], output: Output<'_>) -> Result<usize> {
        step_with_key(self, &mut self.operations().sign, output, |running, output| {
            if running.asks_for_login {
                return Err(Error::ContextLoginNeeded);
            }
            let signing = &mut running.operation;
            if signing.begun {
                return Err(Error::OperationActive);
            }
            last(output, signing.signature_len(), |out| self.signed(signing, &running.key, Some(data), out))
        })
    }

    /// Takes part of a message to sign.
    ///
    /// # Errors
    /// As [`Session::sign`].
    pub fn sign_update(&self, data: &[u8]) -> Result<()> {
        step_with_key(self, &mut self.operations().sign, Output::Length, |running, _| {
            sign_update(running, data)
        })
    }

    /// Signs what came in.
    ///
    /// # Errors
    /// As [`Session::sign`].
    pub fn sign_final(&self, output: Output<'_>) -> Result<usize> {
        step_with_key(self, &mut self.operations().sign, output, |running, output| {
            if running.asks_for_login {
                return Err(Error::ContextLoginNeeded);
            }
            let signing = &mut running.operation;
            last(output, signing.signature_len(), |out| self.signed(signing, &running.key, None, out))
        })
    }

    /// Begins a signature from which the message can be recovered.
    ///
    /// # Errors
    /// As [`Session::sign_init`].
    pub fn sign_recover_init(&self, mechanism: &Mechanism, key: ObjectHandle) -> Result<()> {
        begin_with_key(
            self,
            &mut self.operations().sign_recover,
            (Function::SignRecover, key),
            |function, key| self.signing(mechanism, function, key),
        )
    }

    /// Signs a message with recovery.
    ///
    /// # Errors
    /// As [`Session::sign`].
    pub fn sign_recover(&self, data: &[u8], output: Output<'_>) -> Result<usize> {
        step_with_key(self, &mut self.operations().sign_recover, output, |running, output| {
            if running.asks_for_login {
                return Err(Error::ContextLoginNeeded);
            }
            let signing = &mut running.operation;
            last(output, signing.signature_len(), |out| signing.sign(data, out))
        })
    }

    /// Begins a verification.
    ///
    /// # Errors
    /// As [`Session::sign_init`].
    pub fn verify_init(&self, mechanism: &Mechanism, key: ObjectHandle) -> Result<()> {
        let mut operations = self.operations();
        if operations.verify_signature.is_some() {
            return Err(Error::OperationActive);
        }
        begin_with_key(self, &mut operations.verify, (Function::Verify, key), |function, key| {
            self.verifying(mechanism, function, key)
        })
    }

    /// Verifies a whole message.
    ///
    /// # Errors
    /// [`Error::SignatureInvalid`], [`Error::SignatureLength`], [`Error::OperationNotInitialised`].
    pub fn verify(&self, data: &[u8], signature: &[u8]) -> Result<()> {
        step_with_key(self, &mut self.operations().verify, Output::Length, |running, _| {
            if running.operation.begun {
                return Err(Error::OperationActive);
            }
            let Keyed { operation, key, .. } = running;
            self.verified(operation, key, Some(data), signature).map(After::Ended)
        })
    }

    /// Takes part of a message to verify.
    ///
    /// # Errors
    /// [`Error::OperationNotInitialised`].
    pub fn verify_update(&self, data: &[u8]) -> Result<()> {
        step_with_key(self, &mut self.operations().verify, Output::Length, |running, _| {
            verify_update(running, data)
        })
    }

    /// Verifies what came in.
    ///
    /// # Errors
    /// As [`Session::verify`].
    pub fn verify_final(&self, signature: &[u8]) -> Result<()> {
        step_with_key(self, &mut self.operations().verify, Output::Length, |running, _| {
            let Keyed { operation, key, .. } = running;
            self.verified(operation, key, None, signature).map(After::Ended)
        })
    }

    /// Begins a verification that gives the message back.
    ///
    /// # Errors
    /// As [`Session::sign_init`].
    pub fn verify_recover_init(&self, mechanism: &Mechanism, key: ObjectHandle) -> Result<()> {
        begin_with_key(
            self,
            &mut self.operations().verify_recover,
            (Function::VerifyRecover, key),
            |function, key| self.verifying(mechanism, function, key),
        )
    }

    /// Verifies a signature and gives the message back.
    ///
    /// # Errors
    /// As [`Session::verify`]; [`Error::BufferTooSmall`].
    pub fn verify_recover(&self, signature: &[u8], output: Output<'_>) -> Result<usize> {
        step_with_key(self, &mut self.operations().verify_recover, output, |running, output| {
            let message = running.operation.recover(signature)?;
            last(output, message.len(), |out| {
                out.get_mut(..message.len()).unwrap_or_default().copy_from_slice(&message);
                Ok(message.len())
            })
        })
    }
}

pub(super) fn sign_update(running: &mut Keyed<Signing>, data: &[u8]) -> Result<After<()>> {
    if running.asks_for_login {
        return Err(Error::ContextLoginNeeded);
    }
    running.operation.update(data).map(After::GoesOn)
}

pub(super) fn verify_update(running: &mut Keyed<Verifying>, data: &[u8]) -> Result<After<()>> {
    running.operation.update(data).map(After::GoesOn)
}
