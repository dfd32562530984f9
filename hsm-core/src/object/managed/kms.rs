//! The mark of a key that the key management service keeps: what kind it is and which version of it the object
//! holds. What else that service knows of it stands in a record of its own.

use cryptoki_sys::*;

use super::numbers::*;
use super::{Date, set_state};
use crate::error::{Error, Result};
use crate::object::lifecycle::{Seconds, State, has_come};
use crate::object::{Object, Value};

/// What kind of key it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum KmsKind {
    /// It wraps other keys, and never leaves.
    Root = 1,
    /// It is a secret to be kept and given out.
    Standard = 2,
}

/// Its states, with Key Protect's numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum KmsState {
    /// In use.
    Active = 1,
    /// Out of use until it is enabled.
    Suspended = 2,
    /// Past its expiration date: what it protects can still be read.
    Deactivated = 3,
    /// Deleted: it is no object any more, and may be restored for a time.
    Destroyed = 5,
}

impl KmsState {
    /// Every state, in the order of their numbers.
    pub const ALL: [KmsState; 4] =
        [KmsState::Active, KmsState::Suspended, KmsState::Deactivated, KmsState::Destroyed];

    /// The state of a number.
    pub fn of_number(number: u64) -> Option<KmsState> {
        KmsState::ALL.into_iter().find(|state| *state as u64 == number)
    }

    /// What KMIP calls it. KMIP has no suspended state; Pre-Active is the one in which a key serves for nothing
    /// (KMIP 1.4, section 3.22).
    pub(crate) fn in_kmip(self) -> State {
        match self {
            KmsState::Active => State::Active,
            KmsState::Suspended => State::PreActive,
            KmsState::Deactivated => State::Deactivated,
            KmsState::Destroyed => State::Destroyed,
        }
    }
}

/// The mark.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KmsMark {
    /// What kind of key it is.
    pub kind: KmsKind,
    /// The identifier of the version that the object holds.
    pub version: [u8; 16],
}

impl KmsMark {
    /// An object's mark; `None` where the service does not keep it.
    pub fn of(object: &Object) -> Option<KmsMark> {
        let (kind, version) = object.get(SOFTHSM_RS_KMS)?.as_bytes()?.split_first()?;
        // A number that nothing gives is the kind that may less.
        let kind = if *kind == KmsKind::Standard as u8 { KmsKind::Standard } else { KmsKind::Root };
        Some(KmsMark { kind, version: version.try_into().unwrap_or_default() })
    }

    /// Marks an object, with what its state follows from.
    pub(crate) fn put(self, object: &mut Object, suspended: bool, expiration: Option<Seconds>) {
        let mut bytes = vec![self.kind as u8];
        bytes.extend_from_slice(&self.version);
        object.set(SOFTHSM_RS_KMS, Value::Bytes(bytes));
        set_state(object, if suspended { State::PreActive } else { State::Active });
        Date::Deactivation.set(object, expiration);
        // PKCS #11's own words for it: no door changes, copies or destroys it.
        for kind in [CKA_MODIFIABLE, CKA_COPYABLE, CKA_DESTROYABLE] {
            object.set(kind, Value::Bool(false));
        }
    }
}

/// Checks that nobody but the service changes what it keeps, whatever else lets it be changed.
pub(crate) fn check_not_kept(object: &Object) -> Result<()> {
    if object.get(SOFTHSM_RS_KMS).is_some() { Err(Error::ActionProhibited) } else { Ok(()) }
}

/// The state of a key that the service keeps, as of its object; `None` of any other.
pub fn kms_state(object: &Object, now: Seconds) -> Option<KmsState> {
    object.get(SOFTHSM_RS_KMS)?;
    let suspended = object.number(SOFTHSM_RS_STATE) == Some(State::PreActive as u64);
    let expired = has_come(object, Date::Deactivation, now);
    Some(match (suspended, expired) {
        (true, _) => KmsState::Suspended,
        (false, true) => KmsState::Deactivated,
        (false, false) => KmsState::Active,
    })
}
