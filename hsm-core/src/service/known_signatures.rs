//! Verification of a signature that is given first, as those need it that take no second look at the data.
//! PKCS #11 3.2, section 5.15.

use crate::error::{Error, Result};
use crate::mechanism::Mechanism;
use crate::mechanism::table::Function;
use crate::session::active::{Keyed, Verification, begin_with_key, step_with_key};
use crate::session::{After, ObjectHandle, Output, Session};

impl Session {
    /// Begins to verify `signature` (C_VerifySignatureInit).
    ///
    /// # Errors
    /// [`Error::OperationActive`] also while a verification runs that gets its signature last;
    /// [`Error::SignatureLength`], and as [`Session::verify_init`].
    pub fn verify_signature_init(
        &self,
        mechanism: &Mechanism,
        key: ObjectHandle,
        signature: &[u8],
    ) -> Result<()> {
        let mut operations = self.operations();
        if operations.verify.is_some() {
            return Err(Error::OperationActive);
        }
        begin_with_key(self, &mut operations.verify_signature, (Function::Verify, key), |function, key| {
            let begun = *self.verifying(mechanism, function, key)?;
            if signature.len() != begun.operation.signature_len() {
                return Err(Error::SignatureLength);
            }
            let operation = Verification { verifying: begun.operation, signature: signature.to_vec() };
            let Keyed { asks_for_login, key, function, .. } = begun;
            Ok(Box::new(Keyed { operation, asks_for_login, key, function, noted: false }))
        })
    }

    /// Verifies the signature over a whole message.
    ///
    /// # Errors
    /// [`Error::SignatureInvalid`], [`Error::OperationNotInitialised`]; [`Error::OperationActive`] after parts
    /// came in.
    pub fn verify_signature(&self, data: &[u8]) -> Result<()> {
        step_with_key(self, &mut self.operations().verify_signature, Output::Length, |running, _| {
            let Verification { verifying, signature } = &mut running.operation;
            if verifying.begun {
                return Err(Error::OperationActive);
            }
            self.verified(verifying, &running.key, Some(data), signature).map(After::Ended)
        })
    }

    /// Takes part of the message.
    ///
    /// # Errors
    /// As [`Session::verify_update`].
    pub fn verify_signature_update(&self, data: &[u8]) -> Result<()> {
        step_with_key(self, &mut self.operations().verify_signature, Output::Length, |running, _| {
            running.operation.verifying.update(data).map(After::GoesOn)
        })
    }

    /// Verifies the signature over what came in.
    ///
    /// # Errors
    /// As [`Session::verify_signature`].
    pub fn verify_signature_final(&self) -> Result<()> {
        step_with_key(self, &mut self.operations().verify_signature, Output::Length, |running, _| {
            let Verification { verifying, signature } = &mut running.operation;
            self.verified(verifying, &running.key, None, signature).map(After::Ended)
        })
    }
}
