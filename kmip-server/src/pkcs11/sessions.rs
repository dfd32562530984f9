//! Sessions, and randomness. PKCS #11 3.0, sections 5.6 and 5.20.

use std::sync::Arc;

use cryptoki_sys::*;
use hsm_core::session::{Access, Session};

use super::information::read_slot;
use super::{Call, Code, Input, OpenSession, Out, Output, Result};

/// The most sessions of an interface.
pub(super) const MOST: usize = 64;
/// The most random bytes of a call.
const MOST_RANDOM: usize = 64 << 10;

impl Call<'_, '_> {
    /// Reads a session's handle.
    pub(super) fn session(&mut self, input: &mut Input<'_>) -> Result<&mut OpenSession> {
        let handle = input.number()?;
        self.interface.sessions.get_mut(&handle).ok_or(Code::SESSION_HANDLE_INVALID.into())
    }

    /// Reads the handle of a session whose operations are run.
    pub(super) fn core_session(&mut self, input: &mut Input<'_>) -> Result<Arc<Session>> {
        Ok(self.session(input)?.session.clone())
    }
}

/// C_OpenSession. Sessions are read-only: nothing is made or changed through them.
pub(super) fn open(call: &mut Call<'_, '_>, input: &mut Input<'_>) -> Result<Out> {
    read_slot(input)?;
    let flags = input.number()?;
    // pApplication and Notify, where they are said: nobody is called back.
    if flags & CKF_SERIAL_SESSION == 0 {
        return Err(Code::SESSION_PARALLEL_NOT_SUPPORTED.into());
    }
    if flags & CKF_RW_SESSION != 0 {
        return Err(Code::TOKEN_WRITE_PROTECTED.into());
    }
    if call.interface.sessions.len() >= MOST {
        return Err(Code::SESSION_COUNT.into());
    }
    let session = call.context.space.session().partition().open_session(Access::ReadOnly)?;
    call.interface.last_session += 1;
    let handle = call.interface.last_session;
    call.interface.sessions.insert(handle, OpenSession { session, found: None });
    Ok(Output::default().number(handle).done())
}

/// C_CloseSession.
pub(super) fn close(call: &mut Call<'_, '_>, input: &mut Input<'_>) -> Result<Out> {
    let handle = input.number()?;
    input.end()?;
    let closed = call.interface.sessions.remove(&handle);
    closed.map(|_| None).ok_or(Code::SESSION_HANDLE_INVALID.into())
}

/// C_CloseAllSessions.
pub(super) fn close_all(call: &mut Call<'_, '_>, input: &mut Input<'_>) -> Result<Out> {
    read_slot(input)?;
    input.end()?;
    call.interface.sessions.clear();
    Ok(None)
}

/// C_GetSessionInfo. The user is logged in: the certificate is.
pub(super) fn info(call: &mut Call<'_, '_>, input: &mut Input<'_>) -> Result<Out> {
    call.session(input)?;
    input.end()?;
    let out = Output::default().number(0).number(CKS_RO_USER_FUNCTIONS);
    Ok(out.number(CKF_SERIAL_SESSION).number(0).done())
}

/// C_GenerateRandom: the input says the length, and may have as many bytes that are not used.
pub(super) fn random(call: &mut Call<'_, '_>, input: &mut Input<'_>) -> Result<Out> {
    let session = call.core_session(input)?;
    let length = input.count()?;
    if length > MOST_RANDOM {
        return Err(Code::ARGUMENTS_BAD.into());
    }
    let mut bytes = hsm_core::secret::Wiped::new(vec![0; length]);
    session.random(&mut bytes)?;
    Ok(Some(bytes))
}

/// C_SeedRandom.
pub(super) fn seed(call: &mut Call<'_, '_>, input: &mut Input<'_>) -> Result<Out> {
    let session = call.core_session(input)?;
    let seed = input.bytes()?;
    input.end()?;
    session.seed_random(seed)?;
    Ok(None)
}
