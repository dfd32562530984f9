//! Logging in to a partition: whose PIN it is, and what forbids it.

use std::sync::{Arc, PoisonError};

use hsm_os::Guarded;

use super::{Login, Partition, Sessions, locked};
use crate::audit::acts;
use crate::error::{Error, Result};
use crate::session::{LoginState, Role};
use crate::store::seal::SealKey;

impl Partition {
    /// Runs `body` with the private-object key in the clear, for wrapping it under a new PIN. It is a
    /// copy: deriving a PIN's key and waiting for the store would hold up everybody who asks for the login.
    pub(crate) fn as_so<T>(&self, body: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
        let key = match &*self.login.read().unwrap_or_else(PoisonError::into_inner) {
            Login::So(key) => guarded(key.expose())?,
            Login::Public | Login::User(_) => return Err(Error::NotLoggedIn),
        };
        body(key.expose())
    }

    /// Checks a PIN and logs its owner in. What forbids a login is looked for before the PIN is checked
    /// and again after: that takes its time, in which sessions come and go.
    pub(crate) fn log_in(&self, role: Role, pin: &[u8]) -> Result<()> {
        // Of many threads that log in at once, one tries the PIN, and the others find that it did.
        let _alone = locked(&self.logging_in);
        self.admits(&locked(&self.sessions), role)?;
        let act = if role == Role::User { acts::LOGIN_USER } else { acts::LOGIN_SO };
        let key = self.check_pin(role, pin, act)?;
        let login = match role {
            Role::User => Login::User(Arc::new(SealKey::new(key.expose())?)),
            Role::So => Login::So(guarded(key.expose())?),
        };
        let sessions = locked(&self.sessions);
        self.admits(&sessions, role)?;
        self.set_login(login);
        Ok(())
    }

    /// Whether a login may be: there is none yet, and the sessions are such as it goes with.
    pub(super) fn admits(&self, sessions: &Sessions, role: Role) -> Result<()> {
        match (self.login_state(), role) {
            (LoginState::Public, _) => {}
            (LoginState::User, Role::User) | (LoginState::So, Role::So) => {
                return Err(Error::AlreadyLoggedIn);
            }
            (LoginState::User, Role::So) | (LoginState::So, Role::User) => {
                return Err(Error::AnotherLoggedIn);
            }
        }
        if sessions.count == 0 {
            return Err(Error::NoSuchSession);
        }
        if role == Role::So && sessions.count > sessions.read_write {
            return Err(Error::SessionReadOnlyExists);
        }
        Ok(())
    }
}

fn guarded(key: &[u8]) -> Result<Guarded> {
    Guarded::copy_of(key).map_err(|_| Error::CryptoFailed("no memory for keys"))
}
