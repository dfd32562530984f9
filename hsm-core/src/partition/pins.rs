//! PIN checks. The counter of wrong tries is committed before a PIN is checked and put back after it
//! was right, so that neither a killed process nor many at once get more tries than the limit. It
//! lives in a space of its own: a login does not disturb what other processes hold of the objects.
//!
//! A try that is under way counts as a wrong one, so many right ones at once could lock a PIN. When half of the tries
//! are counted, those who come wait for their turn, and the count is then of wrong tries alone.

use serde::{Deserialize, Serialize};

use super::Partition;
use super::record::{PinWrap, counters_secret};
use crate::audit::{Activity, Class, Reason};
use crate::error::{Error, Result};
use crate::hsm::{Hsm, Note};
use crate::secret::Secret;
use crate::session::Role;
use crate::store::seal::{Address, SealKey};
use crate::store::{PartitionId, Reader, RecordId, Writer};

/// The one record of a token's login space.
const COUNTERS: RecordId = RecordId([1; 16]);
const KIND_COUNTERS: u8 = 3;

/// Tries of a PIN.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tries {
    /// How many are left before it locks.
    pub left: u32,
    /// How many there are when none went wrong.
    pub limit: u32,
}

/// When a change of the counters has to be on the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Commit {
    /// Before the call returns.
    Durable,
    /// With the next durable write.
    Soon,
}

/// Why a login is refused, as events name it. The numbers are ours.
const WRONG: Reason = Reason { code: 1, name: "PinIncorrect" };
const LOCKED: Reason = Reason { code: 2, name: "PinLocked" };
const NOT_SET: Reason = Reason { code: 3, name: "PinNotSet" };

/// Wrong tries in a row.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Counters {
    so: u32,
    user: u32,
}

impl Counters {
    fn of(&mut self, role: Role) -> &mut u32 {
        match role {
            Role::So => &mut self.so,
            Role::User => &mut self.user,
        }
    }
}

impl Partition {
    /// Where the counters are: the token's identity names their space.
    fn login_space(&self) -> PartitionId {
        PartitionId(self.token.0)
    }

    /// Changes the counters in one step.
    fn change_counters(
        &self,
        key: &SealKey,
        commit: Commit,
        note: Option<&Note>,
        change: &mut dyn FnMut(&mut Counters) -> Result<()>,
    ) -> Result<()> {
        let mut body = |writer: &mut dyn Writer| {
            let (mut counters, revision) = read_counters(key, self.token, writer)?;
            let before = counters;
            change(&mut counters)?;
            if counters != before {
                put_counters(key, writer, self.login_space(), revision, counters)?;
            }
            note.map_or(Ok(()), |note| note.append_if_whole(writer))
        };
        let hsm = self.hsm()?;
        let store = hsm.store()?;
        match commit {
            Commit::Durable => store.write(self.login_space(), &mut body),
            Commit::Soon => store.write_soon(self.login_space(), &mut body),
        }
    }

    /// The counters are sealed under a key that the master key gives, since they are needed before
    /// any PIN is known, and before a session is open.
    fn counters_key(&self) -> Result<SealKey> {
        counters_key(&self.hsm()?.active_unit()?, self.token)
    }

    /// Tries left for the SO's and the user's PIN.
    pub(crate) fn tries(&self) -> Result<(Tries, Tries)> {
        let hsm = self.hsm()?;
        let limit = hsm.config().pins.max_tries;
        let mut counters = Counters::default();
        hsm.settled(&mut || {
            let key = self.counters_key()?;
            hsm.store()?.read(&mut |reader| {
                counters = read_counters(&key, self.token, reader)?.0;
                Ok(())
            })
        })?;
        let tries = |failures: u32| Tries { left: limit.saturating_sub(failures), limit };
        Ok((tries(counters.so), tries(counters.user)))
    }

    /// Checks a PIN: the private-object key if it is right. The act that it is for is recorded where it is
    /// refused; a login, where it is done too.
    ///
    /// # Errors
    /// [`Error::PinLocked`], [`Error::PinIncorrect`], [`Error::UserPinNotSet`], [`Error::SoPinNotSet`].
    pub(crate) fn check_pin(&self, role: Role, pin: &[u8], act: Activity) -> Result<Secret> {
        let hsm = self.hsm()?;
        let mut turn = None;
        let counted = hsm.settled(&mut || self.count_try(&hsm, role, act, Turn::Any))?;
        let counted = match counted {
            Some(counted) => Some(counted),
            None => {
                turn = hsm.take_pin_turn(self.token);
                hsm.settled(&mut || self.count_try(&hsm, role, act, Turn::Taken))?
            }
        };
        let Counted { tried, left } = counted.ok_or(Error::PinLocked)?;
        let Some(private_key) = tried.unwrap(pin)? else {
            // Of these there are no more than tries.
            self.note_if_whole(act)?.refused(WRONG).write_if_whole()?;
            return Err(Error::PinIncorrect { left });
        };
        // Lost to a power failure, a success counts as one more wrong try: no harm is done.
        let note = if act.class == Class::Login { Some(self.note_if_whole(act)?) } else { None };
        self.reset_tries(role, Commit::Soon, note.as_ref())?;
        drop(turn);
        Ok(private_key)
    }

    /// Counts a try before it is made. `None`: so many are counted that it has to be made in turn.
    fn count_try(&self, hsm: &Hsm, role: Role, act: Activity, turn: Turn) -> Result<Option<Counted>> {
        hsm.refresh()?;
        let record = self.record();
        let Some(pin) = record.pin(role) else {
            hsm.note_refusal(act, &self.label(), NOT_SET)?;
            return Err(match role {
                Role::So => Error::SoPinNotSet,
                Role::User => Error::UserPinNotSet,
            });
        };
        // The unit is opened once, and its master key is gone before the PIN's key is derived. What the PIN is tried
        // on is opened before the try is counted: if the master key changes just now, that fails, and all is read
        // anew.
        let (key, tried) = {
            let unit = hsm.active_unit()?;
            (counters_key(&unit, self.token)?, pin.opened(record.space, role, &unit)?)
        };
        let limit = hsm.config().pins.max_tries;
        let mut left = None;
        let counted = self.change_counters(&key, Commit::Durable, None, &mut |counters| {
            let failures = counters.of(role);
            if turn == Turn::Any && *failures >= limit / 2 {
                left = None;
                return Ok(());
            }
            if *failures >= limit {
                return Err(Error::PinLocked);
            }
            *failures += 1;
            left = Some(limit - *failures);
            Ok(())
        });
        if matches!(counted, Err(Error::PinLocked)) {
            hsm.note_refusal(act, &self.label(), LOCKED)?;
        }
        counted?;
        Ok(left.map(|left| Counted { tried, left }))
    }

    /// Gives a PIN all its tries back.
    fn reset_tries(&self, role: Role, commit: Commit, note: Option<&Note>) -> Result<()> {
        self.hsm()?.settled(&mut || {
            self.change_counters(&self.counters_key()?, commit, note, &mut |counters| {
                *counters.of(role) = 0;
                Ok(())
            })
        })
    }

    /// Sets a PIN. Its length is checked against the configuration.
    pub(crate) fn store_pin(&self, role: Role, pin: &[u8], private_key: &[u8], act: Activity) -> Result<()> {
        let hsm = self.hsm()?;
        hsm.check_pin_length(pin)?;
        // The PIN's key is derived before the transaction, which others wait for.
        let made = PinWrap::new(self.space(), role, pin, private_key)?;
        hsm.change_record(self, &self.note(act)?, &mut |record, unit| record.set_pin(&made, unit))?;
        self.reset_tries(role, Commit::Durable, None)
    }
}

/// When a try may be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Turn {
    /// At once, beside others.
    Any,
    /// Now that nobody else makes one who waited for his turn.
    Taken,
}

/// A try that was counted, and what it is made with.
struct Counted {
    tried: PinWrap,
    left: u32,
}

/// The counters, where the token's identity names their space.
fn read_counters(key: &SealKey, token: RecordId, reader: &mut dyn Reader) -> Result<(Counters, u64)> {
    let damaged = || Error::RecordDamaged { what: format!("the PIN counters of partition {token}") };
    let space = PartitionId(token.0);
    let Some(row) = reader.get(space, COUNTERS)? else { return Err(damaged()) };
    let bytes = key.open_row(space, COUNTERS, &row)?;
    Ok((postcard::from_bytes(&bytes).map_err(|_| damaged())?, row.revision))
}

fn counters_key(unit: &crate::unit::ActiveUnit, token: RecordId) -> Result<SealKey> {
    SealKey::new(counters_secret(token, unit).expose())
}

fn put_counters(
    key: &SealKey,
    writer: &mut dyn Writer,
    space: PartitionId,
    revision: u64,
    counters: Counters,
) -> Result<()> {
    let bytes =
        postcard::to_allocvec(&counters).map_err(|_| Error::CryptoFailed("counters did not encode"))?;
    key.put(writer, Address { partition: space, id: COUNTERS, kind: KIND_COUNTERS, revision }, &bytes)?;
    Ok(())
}

/// Puts a new token's counters into the store.
pub(crate) fn begin_counters(
    unit: &crate::unit::ActiveUnit,
    token: RecordId,
    writer: &mut dyn Writer,
) -> Result<()> {
    put_counters(&counters_key(unit, token)?, writer, PartitionId(token.0), 0, Counters::default())
}

/// Seals a token's counters under the master key that comes into use; `before` is what they were sealed with.
pub(super) fn reseal_counters(
    writer: &mut dyn Writer,
    token: RecordId,
    before: &Secret,
    unit: &crate::unit::ActiveUnit,
) -> Result<()> {
    let (counters, revision) = read_counters(&SealKey::new(before.expose())?, token, writer)?;
    put_counters(&counters_key(unit, token)?, writer, PartitionId(token.0), revision, counters)
}
