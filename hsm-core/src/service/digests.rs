//! Digests. PKCS #11 3.2, section 5.12.

use cryptoki_sys::*;

use crate::crypto;
use crate::error::{Error, Result};
use crate::mechanism::Mechanism;
use crate::mechanism::table::Function;
use crate::session::active::{Digesting, begin, last, step};
use crate::session::{After, ObjectHandle, Output, Session};

impl Session {
    /// Begins a digest.
    ///
    /// # Errors
    /// [`Error::OperationActive`], [`Error::MechanismInvalid`].
    pub fn digest_init(&self, mechanism: &Mechanism) -> Result<()> {
        begin(&mut self.operations().digest, || {
            let hash = self.row_for(mechanism, Function::Digest)?.hash.ok_or(Error::MechanismInvalid)?;
            Ok(Box::new(Digesting { digest: crypto::digest(hash)?, len: hash.len(), begun: false }))
        })
    }

    /// Digests a whole message.
    ///
    /// # Errors
    /// [`Error::OperationNotInitialised`], also after parts came in; [`Error::BufferTooSmall`].
    pub fn digest(&self, data: &[u8], output: Output<'_>) -> Result<usize> {
        step(&mut self.operations().digest, |running| {
            if running.begun {
                return Err(Error::OperationActive);
            }
            let len = running.len;
            last(output, len, |out| {
                running.digest.update(data)?;
                finish(running, out)
            })
        })
    }

    /// Takes part of a message.
    ///
    /// # Errors
    /// [`Error::OperationNotInitialised`].
    pub fn digest_update(&self, data: &[u8]) -> Result<()> {
        step(&mut self.operations().digest, |running| {
            running.begun = true;
            running.digest.update(data).map(After::GoesOn)
        })
    }

    /// Takes a secret key's value as part of the message.
    ///
    /// # Errors
    /// [`Error::KeyIndigestible`] for anything but a secret key, and for one whose value may not leave
    /// in clear: a digest of a short or guessable value would give it away.
    pub fn digest_key(&self, key: ObjectHandle) -> Result<()> {
        let key = self.key(key);
        step(&mut self.operations().digest, |running| {
            let key = key?;
            if key.object().class() != CKO_SECRET_KEY || key.object().hides(CKA_VALUE) {
                return Err(Error::KeyIndigestible);
            }
            running.begun = true;
            running.digest.update(key.object().bytes(CKA_VALUE)).map(After::GoesOn)
        })
    }

    /// Ends a digest.
    ///
    /// # Errors
    /// [`Error::OperationNotInitialised`], [`Error::BufferTooSmall`].
    pub fn digest_final(&self, output: Output<'_>) -> Result<usize> {
        step(&mut self.operations().digest, |running| {
            let len = running.len;
            last(output, len, |out| finish(running, out))
        })
    }
}

fn finish(running: &mut Digesting, out: &mut [u8]) -> Result<usize> {
    running.digest.finish(out.get_mut(..running.len).unwrap_or_default())?;
    Ok(running.len)
}
