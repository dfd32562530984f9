//! The loaded library: what lives from C_Initialize to C_Finalize in one process. It joins the core's
//! HSM with the handles and slot numbers that the application holds.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hsm_core::audit::Uses;
use hsm_core::config::{Config, Environment};
use hsm_core::hsm::Hsm;
use hsm_core::partition::Partition;
use hsm_core::session::{Access, Session};

use crate::counted::Counted;
use crate::handles::Handles;
use crate::logging;
use crate::rv::{self, Outcome, Rejection};
use crate::slots::Slots;

/// One process's view of the HSM.
pub(crate) struct Library {
    hsm: Arc<Hsm>,
    slots: Slots,
    sessions: Handles<OpenSession>,
    /// Where uses of keys are counted.
    counted: Option<Counted>,
    number: u64,
}

/// How often the library was loaded.
static LOADED: AtomicU64 = AtomicU64::new(0);

/// A session with the slot it was opened on.
pub(crate) struct OpenSession {
    slot: u64,
    session: Arc<Session>,
}

impl OpenSession {
    /// The slot's number.
    pub(crate) fn slot(&self) -> u64 {
        self.slot
    }
}

impl Deref for OpenSession {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl Library {
    /// Reads the configuration and nothing else: no file of the HSM is touched, let alone made.
    pub(crate) fn load(may_have_thread: bool) -> Outcome<Library> {
        let environment = Environment::of_process();
        let config = Config::locate(&environment).inspect_err(logging::report_config)?;
        logging::start(&config.log);
        let slots = Slots::new(config.slots.clone());
        let hsm = Hsm::for_library(config, "pkcs11", rv::reason);
        let counted = (hsm.own_uses() == Uses::Buffered).then(|| Counted::new(may_have_thread));
        let number = LOADED.fetch_add(1, Ordering::Relaxed);
        Ok(Library { hsm, slots, sessions: Handles::new(), counted, number })
    }

    /// Ends every session and lets go of the store.
    pub(crate) fn close(mut self) {
        self.close_sessions(|_| true);
        if let Some(counted) = self.counted.take() {
            counted.end();
        }
        self.hsm.flush_audit();
        self.hsm.suspend();
    }

    /// In the child of a fork: keys and sessions are wiped from memory; what they stood for belongs to
    /// the parent, and so do the files, which were closed before the fork.
    pub(crate) fn abandon(mut self) {
        if let Some(counted) = self.counted.take() {
            counted.abandon();
        }
        drop(self);
    }

    /// After a call: sees to it that uses that were counted are written in time.
    pub(crate) fn after_call(&self) {
        if let Some(counted) = &self.counted
            && self.hsm.uses_wait()
        {
            counted.tend(&self.hsm);
        }
    }

    /// Writes counted uses where no thread does.
    fn write_counted(&self) {
        if let Some(counted) = &self.counted {
            counted.write_without_thread(&self.hsm);
        }
    }

    /// Before a fork: closes the files.
    pub(crate) fn suspend(&self) {
        self.hsm.suspend();
    }

    /// After a fork, in the parent.
    pub(crate) fn resume(&self) {
        self.hsm.resume();
    }

    /// Which of the process's loaded libraries it is.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn hsm(&self) -> &Arc<Hsm> {
        &self.hsm
    }

    pub(crate) fn slots(&self) -> &Slots {
        &self.slots
    }

    /// The partition in a slot.
    pub(crate) fn partition(&self, slot: u64) -> Outcome<Arc<Partition>> {
        self.slots.partition(&self.hsm, slot)
    }

    /// Opens a session and gives it a handle.
    pub(crate) fn open_session(&self, slot: u64, access: Access) -> Outcome<u64> {
        let session = self.partition(slot)?.open_session(access)?;
        Ok(self.sessions.insert(Arc::new(OpenSession { slot, session })))
    }

    /// The session behind a handle.
    pub(crate) fn session(&self, handle: u64) -> Outcome<Arc<OpenSession>> {
        Ok(self.sessions.get(handle).ok_or(Rejection::SessionHandleInvalid)?)
    }

    /// Ends the login of a session's token.
    pub(crate) fn logout(&self, handle: u64) -> Outcome {
        self.session(handle)?.logout()?;
        self.write_counted();
        Ok(())
    }

    /// Ends one session.
    pub(crate) fn close_session(&self, handle: u64) -> Outcome {
        let open = self.sessions.remove(handle).ok_or(Rejection::SessionHandleInvalid)?;
        open.partition().close_session(&open);
        Ok(())
    }

    /// Ends every session on a slot.
    pub(crate) fn close_all_sessions(&self, slot: u64) -> Outcome {
        self.partition(slot)?;
        self.close_sessions(|open| open.slot == slot);
        self.write_counted();
        Ok(())
    }

    fn close_sessions(&self, ends: impl Fn(&OpenSession) -> bool) {
        for open in self.sessions.remove_all(ends) {
            open.partition().close_session(&open);
        }
    }
}
