//! A server's partition: the master key alone opens its private objects, so that a server starts
//! without anybody typing a PIN. PINs can be given to it later. What the store keeps for this stands
//! in `record`; finding and making such a partition in `directory`.

use std::sync::Arc;

use super::record::PinWrap;
use super::{Login, Partition, locked};
use crate::audit::acts;
use crate::error::{Error, Result};
use crate::hsm::Hsm;
use crate::secret::Secret;
use crate::session::{Access, LoginState, Role, Session};
use crate::store::seal::SealKey;

impl Partition {
    /// Opens a read/write session of the user by the master key alone. As ever, the login is that of all
    /// sessions of this process and ends with the last of them, so a server holds one; where the user is
    /// logged in already, by whatever means, this only opens the session.
    ///
    /// # Errors
    /// [`Error::PinAloneOpens`] for a token that is no server's partition, [`Error::AnotherLoggedIn`]
    /// while the SO is logged in, and all that keeps a session from being opened.
    pub fn open_for_server(self: &Arc<Self>) -> Result<Arc<Session>> {
        let session = self.open_session(Access::ReadWrite)?;
        self.log_in_for_server()?;
        Ok(session)
    }

    fn log_in_for_server(&self) -> Result<()> {
        if self.login_state() == LoginState::User {
            return Ok(());
        }
        let hsm = self.hsm()?;
        let key = self.unwrap_for_server(&hsm)?;
        let login = Login::User(Arc::new(SealKey::new(key.expose())?));
        self.note_if_whole(acts::LOGIN_SERVER)?.write_if_whole()?;
        // With the sessions held, as a login by PIN.
        let sessions = locked(&self.sessions);
        match self.admits(&sessions, Role::User) {
            // Another thread was faster.
            Err(Error::AlreadyLoggedIn) => return Ok(()),
            admitted => admitted?,
        }
        self.set_login(login);
        Ok(())
    }

    /// Sets both PINs where there is none. Their lengths have been checked.
    pub(crate) fn give_pins(&self, so_pin: &[u8], user_pin: &[u8], keep_server_wrap: bool) -> Result<()> {
        let hsm = self.hsm()?;
        hsm.refresh()?;
        if self.record().has_pins() {
            return Err(Error::PinsSet);
        }
        // The PINs' keys are derived before the transaction, which others wait for.
        let (space, key) = (self.space(), self.unwrap_for_server(&hsm)?);
        let so = PinWrap::new(space, Role::So, so_pin, key.expose())?;
        let user = PinWrap::new(space, Role::User, user_pin, key.expose())?;
        hsm.change_record(self, &self.note(acts::GIVE_PINS)?, &mut |record, unit| {
            // Two who give PINs at once do not mix them. And without PINs the space is still the one
            // whose key was wrapped: initialising anew would have set the SO's.
            if record.has_pins() {
                return Err(Error::PinsSet);
            }
            record.set_pin(&so, unit)?;
            record.set_pin(&user, unit)?;
            if !keep_server_wrap {
                record.close_for_server()?;
            }
            Ok(())
        })
    }

    /// The private-object key, by the master key.
    fn unwrap_for_server(&self, hsm: &Hsm) -> Result<Secret> {
        hsm.settled(&mut || {
            hsm.refresh()?;
            self.record().unwrap_for_server(&hsm.active_unit()?)
        })
    }
}
