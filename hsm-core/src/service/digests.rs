//! Digests. PKCS #11 3.2, section 5.12.

use cryptoki_sys::*;

use crate::audit::acts;
use crate::crypto;
use crate::error::{Error, Result};
use crate::mechanism::Mechanism;
use crate::mechanism::table::{Function, row_for};
use crate::session::active::{Digesting, begin, last, step};
use crate::session::{After, ObjectHandle, Output, Session};

impl Session {
    /// Begins a digest.
    ///
    /// # Errors
    /// [`Error::OperationActive`], [`Error::MechanismInvalid`].
    pub fn digest_init(&self, mechanism: &Mechanism) -> Result<()> {
        begin(&mut self.operations().digest, || {
            let hash = row_for(mechanism, Function::Digest)?.hash.ok_or(Error::MechanismInvalid)?;
            Ok(Box::new(Digesting {
                digest: crypto::digest(hash)?,
                len: hash.len(),
                begun: false,
                whole: false,
            }))
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
            running.whole = true;
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
        step(&mut self.operations().digest, |running| running.in_parts()?.update(data).map(After::GoesOn))
    }

    /// Takes a secret key's value as part of the message.
    ///
    /// # Errors
    /// [`Error::KeyIndigestible`] for anything but a secret key, and for one whose value may not leave
    /// in clear: a digest of a short or guessable value would give it away.
    pub fn digest_key(&self, key: ObjectHandle) -> Result<()> {
        let keys = self.used(key, None);
        let key = self.key(key);
        let taken = step(&mut self.operations().digest, |running| {
            let key = key?;
            if key.object().class() != CKO_SECRET_KEY || key.object().hides(CKA_VALUE) {
                return Err(Error::KeyIndigestible);
            }
            running.in_parts()?.update(key.object().bytes(CKA_VALUE)).map(After::GoesOn)
        });
        self.noted(acts::DIGEST, keys, taken)
    }

    /// Ends a digest.
    ///
    /// # Errors
    /// [`Error::OperationNotInitialised`], [`Error::BufferTooSmall`].
    pub fn digest_final(&self, output: Output<'_>) -> Result<usize> {
        step(&mut self.operations().digest, |running| {
            running.in_parts()?;
            let len = running.len;
            last(output, len, |out| finish(running, out))
        })
    }
}

impl Digesting {
    /// The digest for a message in parts. One whose length was asked for as of a whole message is not ended in parts.
    fn in_parts(&mut self) -> Result<&mut dyn crypto::Digest> {
        if self.whole {
            return Err(Error::OperationActive);
        }
        self.begun = true;
        Ok(self.digest.as_mut())
    }
}

fn finish(running: &mut Digesting, out: &mut [u8]) -> Result<usize> {
    running.digest.finish(out.get_mut(..running.len).unwrap_or_default())?;
    Ok(running.len)
}
