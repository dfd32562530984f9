//! Two operations on the same data. PKCS #11 3.2, section 5.17. The second gets nothing where the cipher gave
//! nothing out: the caller will bring the same data again.

use crate::error::{Error, Result};
use crate::service::{ciphers, digests, signatures};
use crate::session::active::{Operations, step, step_with_key};
use crate::session::{Output, Session};

impl Session {
    /// Digests and encrypts part of a message (C_DigestEncryptUpdate).
    ///
    /// # Errors
    /// [`Error::OperationNotInitialised`] unless both run; those of both.
    pub fn digest_encrypt_update(&self, data: &[u8], output: Output<'_>) -> Result<usize> {
        let mut operations = self.operations();
        let Operations { digest, encrypt, .. } = &mut *operations;
        both(digest, encrypt)?;
        let asks = matches!(output, Output::Length);
        let written =
            step_with_key(self, encrypt, output, |running, output| ciphers::update(running, data, output))?;
        if !asks {
            step(digest, |running| digests::update(running, data))?;
        }
        Ok(written)
    }

    /// Decrypts part of a message and digests what comes out (C_DecryptDigestUpdate).
    ///
    /// # Errors
    /// As [`Session::digest_encrypt_update`].
    pub fn decrypt_digest_update(&self, data: &[u8], output: Output<'_>) -> Result<usize> {
        let mut operations = self.operations();
        let Operations { digest, decrypt, .. } = &mut *operations;
        both(digest, decrypt)?;
        let Output::Buffer(out) = output else {
            return step_with_key(self, decrypt, output, |running, output| {
                ciphers::update(running, data, output)
            });
        };
        let written = step_with_key(self, decrypt, Output::Buffer(out), |running, output| {
            ciphers::update(running, data, output)
        })?;
        step(digest, |running| digests::update(running, out.get(..written).unwrap_or_default()))?;
        Ok(written)
    }

    /// Signs and encrypts part of a message (C_SignEncryptUpdate).
    ///
    /// # Errors
    /// As [`Session::digest_encrypt_update`]; [`Error::ContextLoginNeeded`] before anything has changed.
    pub fn sign_encrypt_update(&self, data: &[u8], output: Output<'_>) -> Result<usize> {
        let mut operations = self.operations();
        let Operations { sign, encrypt, .. } = &mut *operations;
        both(sign, encrypt)?;
        if sign.as_ref().is_some_and(|sign| sign.asks_for_login) {
            return Err(Error::ContextLoginNeeded);
        }
        let asks = matches!(output, Output::Length);
        let written =
            step_with_key(self, encrypt, output, |running, output| ciphers::update(running, data, output))?;
        if !asks {
            step_with_key(self, sign, Output::Length, |running, _| signatures::sign_update(running, data))?;
        }
        Ok(written)
    }

    /// Decrypts part of a message and takes what comes out as part of a message to verify
    /// (C_DecryptVerifyUpdate).
    ///
    /// # Errors
    /// As [`Session::digest_encrypt_update`].
    pub fn decrypt_verify_update(&self, data: &[u8], output: Output<'_>) -> Result<usize> {
        let mut operations = self.operations();
        let Operations { verify, decrypt, .. } = &mut *operations;
        both(verify, decrypt)?;
        let Output::Buffer(out) = output else {
            return step_with_key(self, decrypt, output, |running, output| {
                ciphers::update(running, data, output)
            });
        };
        let written = step_with_key(self, decrypt, Output::Buffer(out), |running, output| {
            ciphers::update(running, data, output)
        })?;
        let part = out.get(..written).unwrap_or_default();
        step_with_key(self, verify, Output::Length, |running, _| signatures::verify_update(running, part))?;
        Ok(written)
    }
}

/// Both operations run, or neither is touched.
fn both<A, B>(first: &Option<A>, second: &Option<B>) -> Result<()> {
    if first.is_some() && second.is_some() { Ok(()) } else { Err(Error::OperationNotInitialised) }
}
