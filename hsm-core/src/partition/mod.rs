//! A partition as one process sees it: a PKCS #11 token, later also a KMIP object space and a KMS
//! instance. It holds the partition's keys while they are needed, who is logged in, the sessions, the
//! object handles and a bounded cache of unsealed objects.
//!
//! What is stored of a partition stands in `record`, its PINs in `pins`, its objects in `objects`, its import
//! token in `import_token`, what the key management service knows in `kms`, and how a server opens one without a PIN in `server`.

use std::fs::File;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, Weak};

use hsm_os::Guarded;

pub(crate) mod copying;
mod count;
pub(crate) mod directory;
mod ends;
mod fresh;
mod half;
mod handles;
mod import_token;
mod kms;
mod login;
mod notes;
mod objects;
mod pins;
mod profiles;
pub(crate) mod record;
pub(crate) mod rotation;
mod searching;
mod server;
mod transaction;
mod watch;

pub use handles::ObjectHandle;
pub use pins::Tries;

pub(crate) use crate::store::RecordId as ObjectId;
pub(crate) use handles::Named;
pub(crate) use kms::{Index, KmsView};
pub(crate) use objects::Loaded;
pub(crate) use transaction::{Durability, Transaction};

/// What tests of other modules need of this one.
#[cfg(test)]
pub(crate) mod testing {
    pub(crate) use super::transaction::faults::{Faulty, fail_after};
    pub(crate) use crate::hsm::testing::user;
}

use crate::error::{Error, Result};
use crate::hsm::Hsm;
use crate::rng;
use crate::secret::Secret;
use crate::session::{Access, LoginState, Session};
use crate::store::seal::SealKey;
use crate::store::{PartitionId, RecordId};
use handles::Handles;
use import_token::Shown;
use objects::{Cache, SessionObjects};
use record::PartitionRecord;
use watch::UnitSeen;

/// A partition of an HSM, shared by all its sessions in this process.
pub struct Partition {
    hsm: Weak<Hsm>,
    /// Its identity, which stays when it is initialised anew.
    token: RecordId,
    /// What the store said of it last.
    record: RwLock<Arc<PartitionRecord>>,
    /// The key of public objects, from the first session on.
    public: RwLock<Option<Arc<SealKey>>>,
    /// The unit as it was when a session last looked at it.
    unit: Mutex<Option<UnitSeen>>,
    login: RwLock<Login>,
    /// Held while a thread logs in.
    logging_in: Mutex<()>,
    sessions: Mutex<Sessions>,
    handles: RwLock<Handles>,
    cache: Mutex<Cache>,
    /// The import token's objects.
    shown: Mutex<Option<Arc<Shown>>>,
    session_objects: RwLock<SessionObjects>,
    kms: Mutex<Option<kms::CachedInstance>>,
    /// Whether its policies restrict networks.
    restricted: AtomicBool,
    /// Authenticates saved states of operations, in this process alone.
    state_key: OnceLock<Secret>,
}

/// Who is logged in, with the key that this opens.
pub(crate) enum Login {
    /// Nobody.
    Public,
    /// The user, who sees private objects.
    User(Arc<SealKey>),
    /// The SO, who holds the private-object key to wrap it anew and sees nothing by it.
    So(Guarded),
}

/// The sessions of this process.
#[derive(Default)]
struct Sessions {
    /// By the number that each knows; free places are reused.
    open: Vec<Option<Weak<Session>>>,
    free: Vec<usize>,
    count: u64,
    read_write: u64,
    /// Held shared while there is a session, so that another process does not initialise the token
    /// anew. The kernel releases it with the process.
    lock: Option<File>,
}

/// What doors tell of a partition.
#[derive(Clone, Debug)]
pub struct PartitionInfo {
    /// The label, blank-padded.
    pub label: [u8; 32],
    /// The serial number, ASCII.
    pub serial: [u8; 16],
    /// Whether there is an SO PIN.
    pub so_pin_set: bool,
    /// Whether there is a user PIN.
    pub user_pin_set: bool,
    /// Whether the master key alone opens its private objects, as a server's partition.
    pub opens_for_server: bool,
    /// Tries that the SO PIN has left; `None` while the unit is not active.
    pub so_tries: Option<Tries>,
    /// Tries that the user PIN has left.
    pub user_tries: Option<Tries>,
    /// Open sessions of this process.
    pub sessions: u64,
    /// Of them, read/write ones.
    pub rw_sessions: u64,
}

/// A lock is never left in a state that its next holder could not work with, so a panic elsewhere
/// does not spoil it.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Partition {
    pub(crate) fn new(hsm: &Arc<Hsm>, token: RecordId, record: PartitionRecord) -> Partition {
        Partition {
            hsm: Arc::downgrade(hsm),
            token,
            record: RwLock::new(Arc::new(record)),
            public: RwLock::new(None),
            unit: Mutex::default(),
            login: RwLock::new(Login::Public),
            logging_in: Mutex::default(),
            sessions: Mutex::default(),
            handles: RwLock::default(),
            cache: Mutex::default(),
            shown: Mutex::default(),
            session_objects: RwLock::default(),
            kms: Mutex::default(),
            restricted: AtomicBool::default(),
            state_key: OnceLock::new(),
        }
    }

    /// The key of saved states.
    pub(crate) fn state_key(&self) -> Result<&Secret> {
        if self.state_key.get().is_none() {
            // Another thread may be faster; its key is taken then.
            let _ = self.state_key.set(rng::secret(32)?);
        }
        self.state_key.get().ok_or(Error::RandomFailed)
    }

    /// Its identity.
    pub(crate) fn token(&self) -> RecordId {
        self.token
    }

    pub(crate) fn hsm(&self) -> Result<Arc<Hsm>> {
        self.hsm.upgrade().ok_or(Error::NoSuchSlot)
    }

    pub(crate) fn record(&self) -> Arc<PartitionRecord> {
        self.record.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes over what the store says now. A partition that was initialised anew elsewhere has another
    /// space, and nothing unsealed of the old one is kept.
    pub(crate) fn refresh(&self, record: PartitionRecord) {
        let before = std::mem::replace(
            &mut *self.record.write().unwrap_or_else(PoisonError::into_inner),
            Arc::new(record),
        );
        if before.space != self.space() {
            self.forget();
        }
    }

    /// Where its objects are in the store.
    pub fn space(&self) -> PartitionId {
        self.record().space
    }

    /// Label, serial number, PINs and sessions.
    pub fn info(&self) -> PartitionInfo {
        let record = self.record();
        let tries = self.tries().ok();
        let sessions = locked(&self.sessions);
        PartitionInfo {
            label: record.label,
            serial: record.serial,
            so_pin_set: record.so.is_some(),
            user_pin_set: record.user.is_some(),
            opens_for_server: record.opens_for_server(),
            so_tries: tries.map(|(so, _)| so),
            user_tries: tries.map(|(_, user)| user),
            sessions: sessions.count,
            rw_sessions: sessions.read_write,
        }
    }

    /// Opens a session. The first one of the process unwraps the partition's public-object key, for
    /// which the crypto unit must be active.
    ///
    /// # Errors
    /// [`Error::SessionReadWriteSoExists`], and all that keeps the partition's keys from being
    /// unwrapped.
    pub fn open_session(self: &Arc<Self>, access: Access) -> Result<Arc<Session>> {
        self.hsm()?.prepare_uses();
        let mut sessions = self.first_session_prepared()?;
        if access == Access::ReadOnly && self.login_state() == LoginState::So {
            return Err(Error::SessionReadWriteSoExists);
        }
        let place = sessions.free.pop().unwrap_or(sessions.open.len());
        let session = Arc::new(Session::new(self.clone(), access, place, self.records_uses()));
        match sessions.open.get_mut(place) {
            Some(free) => *free = Some(Arc::downgrade(&session)),
            None => sessions.open.push(Some(Arc::downgrade(&session))),
        }
        sessions.count += 1;
        sessions.read_write += u64::from(access == Access::ReadWrite);
        Ok(session)
    }

    /// The sessions, after what the first of them needs has been done: the lock that keeps others from
    /// initialising the token anew, then a look at what they did before, then the public-object key.
    fn first_session_prepared(&self) -> Result<MutexGuard<'_, Sessions>> {
        let mut prepared = None;
        loop {
            let mut sessions = locked(&self.sessions);
            if sessions.count > 0 {
                return Ok(sessions);
            }
            if let Some((lock, key)) = prepared {
                *self.public.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(key));
                sessions.lock = lock;
                return Ok(sessions);
            }
            // Without the sessions: a partition that turns out to be another looks at them.
            drop(sessions);
            let hsm = self.hsm()?;
            let lock = hsm.hold_sessions_lock(self.token)?;
            hsm.refresh()?;
            if !hsm.lists(self.token) {
                return Err(Error::NoSuchSlot);
            }
            prepared = Some((lock, self.unwrap_public_key(&hsm)?));
        }
    }

    /// Closes a session: its operations end and its session objects go. The last one logs out.
    pub fn close_session(&self, session: &Session) {
        if !session.close() {
            return;
        }
        self.drop_session_objects(session.place());
        let mut sessions = locked(&self.sessions);
        if let Some(place) = sessions.open.get_mut(session.place()) {
            *place = None;
            sessions.free.push(session.place());
        }
        sessions.count = sessions.count.saturating_sub(1);
        sessions.read_write -= u64::from(session.access() == Access::ReadWrite);
        if sessions.count == 0 {
            sessions.lock = None;
            // With the sessions held, so that the next one opened finds its key.
            self.forget_unsealed();
        }
    }

    /// Closes every session of this process.
    pub fn close_all_sessions(&self) {
        for session in self.open_sessions() {
            self.close_session(&session);
        }
    }

    fn open_sessions(&self) -> Vec<Arc<Session>> {
        locked(&self.sessions).open.iter().flatten().filter_map(Weak::upgrade).collect()
    }

    /// Who is logged in.
    pub fn login_state(&self) -> LoginState {
        match &*self.login.read().unwrap_or_else(PoisonError::into_inner) {
            Login::Public => LoginState::Public,
            Login::User(_) => LoginState::User,
            Login::So(_) => LoginState::So,
        }
    }

    /// Logs in after the PIN was checked.
    pub(crate) fn set_login(&self, login: Login) {
        *self.login.write().unwrap_or_else(PoisonError::into_inner) = login;
    }

    /// Ends the login: the private-object key and everything unsealed by it goes, and so do handles of
    /// private objects and running operations.
    pub(crate) fn end_login(&self) {
        self.forget_private();
        for session in self.open_sessions() {
            session.end_private_operations();
        }
    }

    /// Forgets everything unsealed.
    fn forget(&self) {
        self.end_login();
        self.forget_unsealed();
    }

    fn forget_private(&self) {
        self.set_login(Login::Public);
        locked(&self.cache).forget_private();
        *locked(&self.shown) = None;
        self.handles.write().unwrap_or_else(PoisonError::into_inner).forget_private();
        self.session_objects.write().unwrap_or_else(PoisonError::into_inner).forget_private();
    }

    fn forget_unsealed(&self) {
        self.forget_private();
        *locked(&self.cache) = Cache::default();
        *self.public.write().unwrap_or_else(PoisonError::into_inner) = None;
        self.handles.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The key of public objects.
    pub(crate) fn public_key(&self) -> Result<Arc<SealKey>> {
        self.public.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or(Error::NoSuchSession)
    }

    /// The key of private objects: [`Error::NoSuchObject`] unless the user is logged in, since to
    /// anybody else there are none.
    pub(crate) fn private_key(&self) -> Result<Arc<SealKey>> {
        match &*self.login.read().unwrap_or_else(PoisonError::into_inner) {
            Login::User(key) => Ok(key.clone()),
            Login::Public | Login::So(_) => Err(Error::NoSuchObject),
        }
    }

    /// The key of public objects, by the unit and the record as they are now.
    fn unwrap_public_key(&self, hsm: &Hsm) -> Result<SealKey> {
        hsm.settled(&mut || {
            hsm.refresh()?;
            self.record().unwrap_public_key(&hsm.active_unit()?)
        })
    }

    /// What a handle stands for.
    pub(crate) fn named(&self, handle: ObjectHandle) -> Result<Named> {
        self.handles.read().unwrap_or_else(PoisonError::into_inner).named(handle).ok_or(Error::NoSuchObject)
    }

    /// The handle of an object.
    pub(crate) fn name(&self, named: Named) -> ObjectHandle {
        let known = self.handles.read().unwrap_or_else(PoisonError::into_inner).known(named.identity);
        known.unwrap_or_else(|| self.handles.write().unwrap_or_else(PoisonError::into_inner).name(named))
    }
}
