//! Saving a running digest and taking it up again. PKCS #11 3.2, sections 5.6.6 and 5.6.7.
//!
//! Digests alone are saved. What other operations have inside (the state of an HMAC, a key schedule, plaintext
//! whose tag was not checked) is as good as a key or its use, and does not leave. A digest that took in a key's
//! value does not leave either.

use crate::crypto::{self, Hash, Mac};
use crate::error::{Error, Result};
use crate::mechanism::table::Function;
use crate::secret::Secret;
use crate::session::active::{Digesting, Operations};
use crate::session::{Access, LoginState, ObjectHandle, Output, Session};

/// What a saved state begins with; the last byte is the format's number.
const MAGIC: &[u8] = b"SHSMSTATE\x01";

/// Length of the MAC at its end in bytes.
const MAC_LEN: usize = 32;

impl Session {
    /// The state of the session's digest (C_GetOperationState). It is good for this token, in this process, while
    /// its login is the same.
    ///
    /// # Errors
    /// [`Error::OperationNotInitialised`] where nothing runs that could be saved, [`Error::StateUnsaveable`],
    /// [`Error::BufferTooSmall`].
    pub fn save_state(&self, output: Output<'_>) -> Result<usize> {
        let operations = self.operations();
        if operations.holds_keys() {
            return Err(Error::StateUnsaveable);
        }
        let digesting = operations.digest.as_ref().ok_or(Error::OperationNotInitialised)?;
        let mut state = [MAGIC, &[self.state_number()], &digesting.kind.to_be_bytes()].concat();
        state.extend(digesting.save().ok_or(Error::StateUnsaveable)?);
        let tag = self.state_mac(&state)?;
        state.extend_from_slice(tag.expose());
        match output {
            Output::Length => Ok(state.len()),
            Output::Buffer(out) => crate::mechanism::put(out, &state),
        }
    }

    /// Goes on from a state that [`Session::save_state`] gave (C_SetOperationState). Whatever runs ends.
    ///
    /// # Errors
    /// [`Error::SavedStateInvalid`], after which all goes on as it was; [`Error::KeyNotNeeded`].
    pub fn restore_state(&self, state: &[u8], keys: [ObjectHandle; 2]) -> Result<()> {
        self.check_open()?;
        let at = state.len().checked_sub(MAC_LEN).ok_or(Error::SavedStateInvalid)?;
        let (state, tag) = state.split_at_checked(at).ok_or(Error::SavedStateInvalid)?;
        if !self.state_mac(state)?.equals(tag) {
            return Err(Error::SavedStateInvalid);
        }
        let inside = state.strip_prefix(MAGIC).ok_or(Error::SavedStateInvalid)?;
        let (number, inside) = inside.split_first().ok_or(Error::SavedStateInvalid)?;
        let (kind, inside) = inside.split_first_chunk().ok_or(Error::SavedStateInvalid)?;
        if *number != self.state_number() {
            return Err(Error::SavedStateInvalid);
        }
        if keys.iter().any(|key| key.0 != 0) {
            return Err(Error::KeyNotNeeded);
        }
        let kind = u64::from_be_bytes(*kind);
        let hash = self.row_of(kind, Function::Digest)?.hash.ok_or(Error::SavedStateInvalid)?;
        let digest = Digesting::restored(kind, hash, inside).ok_or(Error::SavedStateInvalid)?;
        *self.operations() = Operations { digest: Some(Box::new(digest)), ..Operations::default() };
        Ok(())
    }

    /// The session's state as a number, for the rule that a saved one belongs to the same.
    fn state_number(&self) -> u8 {
        let access = match self.access() {
            Access::ReadOnly => 0,
            Access::ReadWrite => 1,
        };
        let login = match self.login_state() {
            LoginState::Public => 0,
            LoginState::User => 2,
            LoginState::So => 4,
        };
        access | login
    }

    fn state_mac(&self, state: &[u8]) -> Result<Secret> {
        let mut mac: Box<dyn Mac> = crypto::hmac(Hash::Sha256, self.partition().state_key()?.expose())?;
        mac.update(state)?;
        let mut tag = Secret::zeroed(MAC_LEN);
        mac.finish(tag.expose_mut())?;
        Ok(tag)
    }
}
