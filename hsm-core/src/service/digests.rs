//! Digests. PKCS #11 3.2, section 5.12.

use cryptoki_sys::*;

use crate::audit::acts;
use crate::crypto::{self, Digest, Hash};
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
            Ok(Box::new(Digesting::new(mechanism.kind, hash)))
        })
    }

    /// Digests a whole message.
    ///
    /// # Errors
    /// [`Error::OperationNotInitialised`], also after parts came in; [`Error::BufferTooSmall`].
    pub fn digest(&self, data: &[u8], output: Output<'_>) -> Result<usize> {
        step(&mut self.operations().digest, |running| {
            if running.has_begun() {
                return Err(Error::OperationActive);
            }
            running.whole = true;
            let hash = running.hash;
            last(output, hash.len(), |out| {
                let mut digest = crypto::digest(hash)?;
                digest.update(data)?;
                finish(digest.as_mut(), hash, out)
            })
        })
    }

    /// Takes part of a message.
    ///
    /// # Errors
    /// [`Error::OperationNotInitialised`].
    pub fn digest_update(&self, data: &[u8]) -> Result<()> {
        step(&mut self.operations().digest, |running| update(running, data))
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
            running.keyed = true;
            running.parts()?.update(key.object().bytes(CKA_VALUE)).map(After::GoesOn)
        });
        self.noted(acts::DIGEST, keys, taken)
    }

    /// Ends a digest.
    ///
    /// # Errors
    /// [`Error::OperationNotInitialised`], [`Error::BufferTooSmall`].
    pub fn digest_final(&self, output: Output<'_>) -> Result<usize> {
        step(&mut self.operations().digest, |running| {
            let hash = running.hash;
            let digest = running.parts()?;
            last(output, hash.len(), |out| finish(digest, hash, out))
        })
    }
}

pub(super) fn update(running: &mut Digesting, data: &[u8]) -> Result<After<()>> {
    running.parts()?.update(data).map(After::GoesOn)
}

fn finish(digest: &mut dyn Digest, hash: Hash, out: &mut [u8]) -> Result<usize> {
    digest.finish(out.get_mut(..hash.len()).unwrap_or_default())?;
    Ok(hash.len())
}
