//! Sessions: what an application opens on a partition. A session runs at most one operation of each
//! kind (`active`), and each use of a key is recorded where that is wanted (`uses`); logging in is the partition's, shared by all its sessions of a process (`login`).
//! What sessions do with objects and keys stands in `service`, a file for each use case.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) mod active;
mod login;
mod uses;

pub use crate::partition::ObjectHandle;
pub(crate) use active::After;
pub use active::{Kind, Output};

use crate::error::{Error, Result};
use crate::mechanism::table::{self, Function, Row};
use crate::mechanism::{Info, Mechanism, Nonces};
use crate::object::template::Author;
use crate::object::{Policy, lifecycle, locate};
use crate::partition::{Loaded, Named, Partition};
use active::Operations;

/// A session that nobody holds any more has ended.
impl Drop for Session {
    fn drop(&mut self) {
        self.partition.clone().close_session(self);
    }
}

/// What a session may change. PKCS #11 3.2, section 2.6.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Session objects alone.
    ReadOnly,
    /// Token objects too.
    ReadWrite,
}

/// Who can log in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// The user, who owns the objects.
    User,
    /// The security officer, who sets PINs.
    So,
}

/// Who is logged in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LoginState {
    /// Nobody.
    Public,
    /// The user.
    User,
    /// The security officer.
    So,
}

/// A session. All its methods take it shared: it locks itself, and two threads that use one session
/// take turns.
pub struct Session {
    partition: Arc<Partition>,
    access: Access,
    place: usize,
    /// Whether what it does with keys is recorded.
    records_uses: bool,
    closed: AtomicBool,
    operations: Mutex<Operations>,
    /// Kept through the ends of operations and through logouts: what was made once is not made again.
    nonces: Mutex<Nonces>,
}

impl Session {
    pub(crate) fn new(
        partition: Arc<Partition>,
        access: Access,
        place: usize,
        records_uses: bool,
    ) -> Session {
        let (closed, operations, nonces) = (AtomicBool::new(false), Mutex::default(), Mutex::default());
        Session { partition, access, place, records_uses, closed, operations, nonces }
    }

    /// Its partition.
    pub fn partition(&self) -> &Arc<Partition> {
        &self.partition
    }

    /// Whether it is read-only or read/write.
    pub fn access(&self) -> Access {
        self.access
    }

    /// Who is logged in.
    pub fn login_state(&self) -> LoginState {
        self.partition.login_state()
    }

    /// Where the partition keeps it.
    pub(crate) fn place(&self) -> usize {
        self.place
    }

    /// Ends the session; false if it had ended before.
    pub(crate) fn close(&self) -> bool {
        let first = !self.closed.swap(true, Ordering::AcqRel);
        if first {
            self.end_operations();
        }
        first
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    fn end_operations(&self) {
        *self.operations() = Operations::default();
    }

    /// Ends the operations that use a key, or hold handles of objects. A digest goes on: nobody's login
    /// was needed for it.
    pub(crate) fn end_private_operations(&self) {
        let mut operations = self.operations();
        *operations = Operations { digest: operations.digest.take(), ..Operations::default() };
    }

    /// Ends the running operation of a kind.
    ///
    /// # Errors
    /// [`Error::OperationNotInitialised`].
    pub fn cancel(&self, kind: Kind) -> Result<()> {
        self.operations().end(kind)
    }

    /// Ends the message that is under way in a process of many, which goes on.
    pub fn end_message(&self, kind: Kind) {
        self.operations().end_message(kind);
    }

    /// The row of a mechanism that has a function, if the configuration lets it through.
    ///
    /// # Errors
    /// [`Error::MechanismInvalid`].
    pub(crate) fn row_for(&self, mechanism: &Mechanism, function: Function) -> Result<&'static Row> {
        self.row_of(mechanism.kind, function)
    }

    /// As [`Session::row_for`], by the mechanism's number.
    pub(crate) fn row_of(&self, kind: u64, function: Function) -> Result<&'static Row> {
        let row = table::row_of(kind, function)?;
        if self.permits(row, function)? { Ok(row) } else { Err(Error::MechanismInvalid) }
    }

    fn permits(&self, row: &Row, function: Function) -> Result<bool> {
        Ok(self.partition.hsm()?.config().permits(row, function))
    }

    /// What the configuration leaves of a mechanism; `None` where that is nothing.
    ///
    /// # Errors
    /// [`Error::NoSuchSlot`] once the HSM is gone.
    pub fn mechanism_info(&self, row: &Row) -> Result<Option<Info>> {
        Ok(self.partition.hsm()?.config().mechanism_info(row))
    }

    pub(crate) fn operations(&self) -> MutexGuard<'_, Operations> {
        // An operation that panicked was taken out before and is gone.
        self.operations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The nonces that the session used. Locked after the operations.
    pub(crate) fn nonces(&self) -> MutexGuard<'_, Nonces> {
        self.nonces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// On whose behalf the session acts, for the rules that depend on it.
    ///
    /// # Errors
    /// [`Error::NoSuchSlot`] once the HSM is gone.
    pub(crate) fn author(&self) -> Result<Author> {
        let is_security_officer = self.login_state() == LoginState::So;
        Ok(Author { is_security_officer, policy: self.policy()? })
    }

    /// What the configuration has refused beyond the standard.
    ///
    /// # Errors
    /// [`Error::NoSuchSlot`] once the HSM is gone.
    pub(crate) fn policy(&self) -> Result<Policy> {
        Ok(self.partition.hsm()?.config().policy)
    }

    /// A session that another thread closed does nothing more.
    pub(crate) fn check_open(&self) -> Result<()> {
        if self.is_closed() { Err(Error::NoSuchSession) } else { Ok(()) }
    }

    /// The object of a handle.
    pub(crate) fn object(&self, handle: ObjectHandle) -> Result<Arc<Loaded>> {
        self.check_open()?;
        self.present(self.partition.named(handle)?)
    }

    /// An object as it is now.
    pub(crate) fn present(&self, named: Named) -> Result<Arc<Loaded>> {
        let loaded = self.partition.load(named)?;
        self.partition.see_end(&loaded, lifecycle::now);
        // What was named before it was destroyed.
        if locate::is_destroyed(loaded.object()) { Err(Error::NoSuchObject) } else { Ok(loaded) }
    }

    /// The key of a handle: as [`Session::object`], in the words of a key.
    pub(crate) fn key(&self, handle: ObjectHandle) -> Result<Arc<Loaded>> {
        self.object(handle).map_err(Error::of_key)
    }

    /// Whether the session may make or change an object: token objects need a read/write session,
    /// private ones the user.
    pub(crate) fn may_change(&self, token: bool, private: bool) -> Result<()> {
        if token && self.access == Access::ReadOnly {
            return Err(Error::SessionReadOnly);
        }
        if private && self.login_state() != LoginState::User {
            return Err(Error::NotLoggedIn);
        }
        Ok(())
    }
}
