//! Login, logout and PINs. PKCS #11 3.2, sections 5.6 (C_Login, C_Logout) and 5.5 (C_InitPIN, C_SetPIN).

use super::{Access, LoginState, Role, Session};
use crate::audit::acts;
use crate::error::{Error, Result};

impl Session {
    /// Logs the user or the SO in, for every session that this process has on the partition.
    ///
    /// # Errors
    /// [`Error::AlreadyLoggedIn`], [`Error::AnotherLoggedIn`], [`Error::SessionReadOnlyExists`] for the
    /// SO, and those of the PIN.
    pub fn login(&self, role: Role, pin: &[u8]) -> Result<()> {
        self.partition.log_in(role, pin)
    }

    /// Checks the user's PIN once more, for the one running operation whose key asks for it at each
    /// use (CKA_ALWAYS_AUTHENTICATE).
    ///
    /// # Errors
    /// [`Error::OperationNotInitialised`] if no running operation asks; those of the PIN. A PIN that
    /// is found locked also logs the user out (section 4.9).
    pub fn login_context(&self, pin: &[u8]) -> Result<()> {
        if !self.operations().asks_for_login() {
            return Err(Error::OperationNotInitialised);
        }
        if self.login_state() != LoginState::User {
            return Err(Error::NotLoggedIn);
        }
        match self.partition.check_pin(Role::User, pin, acts::LOGIN_CONTEXT) {
            Ok(_) => self.operations().allow(),
            Err(error) => {
                if matches!(error, Error::PinLocked) {
                    self.partition.end_login();
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Logs out.
    ///
    /// # Errors
    /// [`Error::NotLoggedIn`].
    pub fn logout(&self) -> Result<()> {
        if self.login_state() == LoginState::Public {
            return Err(Error::NotLoggedIn);
        }
        self.partition.end_login();
        Ok(())
    }

    /// Sets the user's PIN, as the SO; a locked one is open again. Objects stay.
    ///
    /// # Errors
    /// [`Error::NotLoggedIn`] for anybody but the SO, [`Error::PinLength`].
    pub fn init_pin(&self, new: &[u8]) -> Result<()> {
        self.partition.as_so(|key| self.partition.store_pin(Role::User, new, key, acts::INIT_PIN))
    }

    /// Changes the SO's PIN if the SO is logged in, the user's otherwise.
    ///
    /// # Errors
    /// [`Error::SessionReadOnly`], [`Error::PinLength`], those of the old PIN.
    pub fn set_pin(&self, old: &[u8], new: &[u8]) -> Result<()> {
        if self.access == Access::ReadOnly {
            return Err(Error::SessionReadOnly);
        }
        let role = match self.login_state() {
            LoginState::So => Role::So,
            LoginState::Public | LoginState::User => Role::User,
        };
        self.partition.hsm()?.check_pin_length(new)?;
        let key = self.partition.check_pin(role, old, acts::SET_PIN)?;
        self.partition.store_pin(role, new, key.expose(), acts::SET_PIN)
    }
}
