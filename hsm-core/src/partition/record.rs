//! A partition's record in the HSM's own space: label and serial number in clear, since they are shown
//! while the unit is sealed, and the partition's keys wrapped. The record carries a MAC under a key
//! that the master key leads to.
//!
//! Two keys belong to a partition. The public-object key is wrapped by the master key. The
//! private-object key is wrapped inside by an Argon2id key of a PIN and outside by the master key,
//! once for the user and once for the SO: a new master key needs no PIN, and a new PIN loses nothing.
//! A server's partition has one more wrap of it, by the master key alone. While another master key waits
//! for set-immediate, each wrap has one under that key beside it (`next`).

use argon2::{Algorithm, Argon2, Params, Version};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::error::{Error, Result};
use crate::rng;
use crate::secret::Secret;
use crate::session::Role;
use crate::store::seal::SealKey;
use crate::store::{PartitionId, RecordId};
use crate::unit::ActiveUnit;

mod copy;
mod next;
mod wraps;

use next::Next;
pub(crate) use wraps::counters_secret;
use wraps::{context, outer, public_wrap, server_wrap, unwrap_key, wrap_key};

/// Argon2id with 19 MiB and two passes: OWASP's first recommendation, 15–25 ms on today's cores.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// What a record may ask for: a changed record must not make a process allocate everything.
const MOST_MEMORY_KIB: u32 = 1024 * 1024;
const MOST_PASSES: u32 = 64;
/// Length of a partition's keys in bytes.
const KEY_LEN: usize = 32;
const MAC_LEN: usize = 32;

/// What the store keeps of a partition.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PartitionRecord {
    /// Order of creation.
    pub number: u64,
    /// Where the objects are. Initialising the token anew takes a new one.
    pub space: PartitionId,
    /// Blank-padded.
    pub label: [u8; 32],
    /// ASCII.
    pub serial: [u8; 16],
    /// The public-object key under the master key.
    public_key: Vec<u8>,
    /// The SO's PIN.
    pub so: Option<PinRecord>,
    /// The user's PIN.
    pub user: Option<PinRecord>,
    /// The private-object key under the master key alone, in a server's partition. It was added after
    /// records without it were written, and so is encoded behind the rest: see [`Self::decode`].
    #[serde(skip)]
    server: Option<Vec<u8>>,
    /// The wraps under the master key that waits for set-immediate, as they were read. They are behind all
    /// else, where there are any, and made anew whenever the record is written.
    #[serde(skip)]
    next: Option<Next>,
}

/// What opens a new partition's private objects.
pub(crate) enum Opener {
    /// The SO's PIN, and the user's that the SO then sets.
    SoPin(PinWrap),
    /// The master key: a server's partition.
    MasterKey,
}

/// A PIN: how its key is derived, and the private-object key under that and the master key.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PinRecord {
    salt: [u8; 16],
    memory_kib: u32,
    passes: u32,
    wrapped: Vec<u8>,
}

/// The private-object key under a PIN alone, which takes its time to make. The master key's wrap comes
/// around it ([`PartitionRecord::set_pin`]) when the unit is at hand.
pub(crate) struct PinWrap {
    space: PartitionId,
    role: Role,
    /// With the inner wrap alone.
    pin: PinRecord,
}

/// The two keys of a new partition.
pub(crate) struct FreshKeys {
    pub public: Secret,
    pub private: Secret,
}

impl FreshKeys {
    pub(crate) fn new() -> Result<FreshKeys> {
        Ok(FreshKeys { public: rng::secret(KEY_LEN)?, private: rng::secret(KEY_LEN)? })
    }
}

impl PartitionRecord {
    /// A new partition's record.
    pub(crate) fn new(
        number: u64,
        label: &[u8; 32],
        space: PartitionId,
        opener: &Opener,
        keys: &FreshKeys,
        unit: &ActiveUnit,
    ) -> Result<PartitionRecord> {
        let serial_bytes: [u8; 8] = rng::array()?;
        let mut serial = [0; 16];
        hex::encode_to_slice(serial_bytes, &mut serial).map_err(|_| Error::CryptoFailed("hex"))?;
        let mut record = PartitionRecord {
            number,
            space,
            label: *label,
            serial,
            public_key: Vec::new(),
            so: None,
            user: None,
            server: None,
            next: None,
        };
        record.renew(space, opener, keys, unit)?;
        Ok(record)
    }

    /// Gives the partition new keys in a new space, which `opener` alone opens: a user PIN goes, and
    /// so does a wrap for the server. Whoever initialises a token anew asks for one that opens with its
    /// PIN, and the server says what to do when it next looks for its partition.
    pub(crate) fn renew(
        &mut self,
        space: PartitionId,
        opener: &Opener,
        keys: &FreshKeys,
        unit: &ActiveUnit,
    ) -> Result<()> {
        self.space = space;
        self.public_key = wrap_key(&public_wrap(space, unit), &space.0, keys.public.expose())?;
        (self.so, self.user, self.server) = (None, None, None);
        match opener {
            Opener::SoPin(pin) => self.set_pin(pin, unit),
            Opener::MasterKey => {
                let wrap = server_wrap(space, unit);
                self.server = Some(wrap_key(&wrap, &space.0, keys.private.expose())?);
                Ok(())
            }
        }
    }

    /// Whether the master key alone opens private objects.
    pub(crate) fn opens_for_server(&self) -> bool {
        self.server.is_some()
    }

    /// Whether there is a PIN.
    pub(crate) fn has_pins(&self) -> bool {
        self.so.is_some() || self.user.is_some()
    }

    /// Leaves the private objects to the PINs.
    ///
    /// # Errors
    /// [`Error::PinAloneOpens`] where it is so already.
    pub(crate) fn close_for_server(&mut self) -> Result<()> {
        self.server.take().map(drop).ok_or_else(|| self.pin_alone_opens())
    }

    /// The private-object key of a server's partition.
    ///
    /// # Errors
    /// [`Error::PinAloneOpens`] for any other.
    pub(crate) fn unwrap_for_server(&self, unit: &ActiveUnit) -> Result<Secret> {
        let wrapped = self.server.as_ref().ok_or_else(|| self.pin_alone_opens())?;
        unwrap_key(&server_wrap(self.space, unit), &self.space.0, wrapped).ok_or_else(|| {
            Error::RecordDamaged { what: format!("the server's key of partition {}", self.space) }
        })
    }

    /// What is said of a token that the server cannot open.
    pub(crate) fn pin_alone_opens(&self) -> Error {
        let label = String::from_utf8_lossy(&self.label);
        Error::PinAloneOpens { label: label.trim_end_matches([' ', '\0']).to_owned() }
    }

    /// Sets a PIN.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the partition was initialised anew since: the key that was wrapped is not its
    /// key any more.
    pub(crate) fn set_pin(&mut self, pin: &PinWrap, unit: &ActiveUnit) -> Result<()> {
        if pin.space != self.space {
            return Err(Error::Conflict);
        }
        let record = Some(pin.under(unit)?);
        match pin.role {
            Role::So => self.so = record,
            Role::User => self.user = record,
        }
        Ok(())
    }

    /// The PIN of a role, if it is set.
    pub(crate) fn pin(&self, role: Role) -> Option<&PinRecord> {
        match role {
            Role::So => self.so.as_ref(),
            Role::User => self.user.as_ref(),
        }
    }

    /// The public-object key.
    pub(crate) fn unwrap_public_key(&self, unit: &ActiveUnit) -> Result<SealKey> {
        let key = unwrap_key(&public_wrap(self.space, unit), &self.space.0, &self.public_key)
            .ok_or_else(|| Error::RecordDamaged { what: format!("the key of partition {}", self.space) })?;
        SealKey::new(key.expose())
    }

    /// The record's bytes with their MAC; and, if a master key waits for set-immediate, everything under that
    /// one too.
    pub(crate) fn encode(&self, token: RecordId, revision: u64, unit: &ActiveUnit) -> Result<Vec<u8>> {
        let failed = |_| Error::CryptoFailed("a record did not encode");
        let next = unit.next();
        let mut out = postcard::to_allocvec(self).map_err(failed)?;
        out = postcard::to_extend(&self.server, out).map_err(failed)?;
        if let Some(next) = &next {
            out = postcard::to_extend(&Next::of(self, token, unit, next)?, out).map_err(failed)?;
            let mac = mac(token, revision, next, &out)?;
            out.extend_from_slice(&mac);
        }
        let mac = mac(token, revision, unit, &out)?;
        out.extend_from_slice(&mac);
        Ok(out)
    }

    /// Reads a record; with an active unit its MAC is checked, without one what it says is only shown.
    pub(crate) fn decode(
        token: RecordId,
        revision: u64,
        unit: Option<&ActiveUnit>,
        bytes: &[u8],
    ) -> Result<PartitionRecord> {
        let damaged = || damaged(token);
        let (signed, found) = bytes.split_last_chunk::<MAC_LEN>().ok_or_else(damaged)?;
        if let Some(unit) = unit
            && !is_mac(token, revision, unit, signed, found)?
        {
            return Err(damaged());
        }
        Ok(PartitionRecord::parse(signed).ok_or_else(damaged)?.0)
    }

    /// The record and what follows it, which is another MAC where there are wraps for a next master key. A
    /// record that ends before the server's wrap was written when there was none: nobody can have cut it
    /// off, since the MAC is over all of it.
    fn parse(signed: &[u8]) -> Option<(PartitionRecord, &[u8])> {
        let (mut record, mut rest) = postcard::take_from_bytes::<PartitionRecord>(signed).ok()?;
        if !rest.is_empty() {
            (record.server, rest) = postcard::take_from_bytes(rest).ok()?;
        }
        if !rest.is_empty() {
            let (next, mac) = postcard::take_from_bytes(rest).ok()?;
            (record.next, rest) = (Some(next), mac);
        }
        Some((record, rest))
    }
}

fn damaged(token: RecordId) -> Error {
    Error::RecordDamaged { what: format!("the record of partition {token}") }
}

fn is_mac(
    token: RecordId,
    revision: u64,
    unit: &ActiveUnit,
    signed: &[u8],
    found: &[u8; MAC_LEN],
) -> Result<bool> {
    Ok(mac(token, revision, unit, signed)?.ct_eq(found).into())
}

fn mac(token: RecordId, revision: u64, unit: &ActiveUnit, body: &[u8]) -> Result<[u8; MAC_LEN]> {
    let key = unit.derive(b"partition record", &token.0);
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose()).map_err(|_| Error::CryptoFailed("HMAC"))?;
    mac.update(&revision.to_be_bytes());
    mac.update(body);
    Ok(mac.finalize().into_bytes().into())
}

/// Without the master key's wrap it is what guesses of the PIN can be tried on.
impl Drop for PinWrap {
    fn drop(&mut self) {
        self.pin.wrapped.zeroize();
    }
}

impl PinWrap {
    /// Wraps a partition's private-object key under a new PIN.
    pub(crate) fn new(space: PartitionId, role: Role, pin: &[u8], private_key: &[u8]) -> Result<PinWrap> {
        let mut record =
            PinRecord { salt: rng::array()?, memory_kib: MEMORY_KIB, passes: PASSES, wrapped: Vec::new() };
        record.wrapped = wrap_key(&record.pin_key(pin)?, &context(space, role), private_key)?;
        Ok(PinWrap { space, role, pin: record })
    }

    /// The private-object key, or `None` if the PIN is wrong.
    pub(crate) fn unwrap(&self, pin: &[u8]) -> Result<Option<Secret>> {
        let key = self.pin.pin_key(pin)?;
        Ok(unwrap_key(&key, &context(self.space, self.role), &self.pin.wrapped))
    }

    fn under(&self, unit: &ActiveUnit) -> Result<PinRecord> {
        let (space, role) = (self.space, self.role);
        let wrapped = wrap_key(&outer(space, role, unit), &context(space, role), &self.pin.wrapped)?;
        Ok(self.pin.with(wrapped))
    }
}

impl PinRecord {
    /// What a PIN is tried on, by the master key.
    ///
    /// # Errors
    /// [`Error::RecordDamaged`] if it is not under this master key.
    pub(crate) fn opened(&self, space: PartitionId, role: Role, unit: &ActiveUnit) -> Result<PinWrap> {
        let inner = unwrap_key(&outer(space, role, unit), &context(space, role), &self.wrapped)
            .ok_or_else(|| Error::RecordDamaged { what: format!("a PIN of partition {space}") })?;
        Ok(PinWrap { space, role, pin: self.with(inner.expose().to_vec()) })
    }

    /// The same PIN's record with another wrap.
    fn with(&self, wrapped: Vec<u8>) -> PinRecord {
        PinRecord { salt: self.salt, memory_kib: self.memory_kib, passes: self.passes, wrapped }
    }

    fn pin_key(&self, pin: &[u8]) -> Result<Secret> {
        if self.memory_kib > MOST_MEMORY_KIB || self.passes > MOST_PASSES {
            return Err(Error::RecordDamaged { what: "the cost of a PIN".into() });
        }
        let failed = |_| Error::CryptoFailed("Argon2id");
        let params = Params::new(self.memory_kib, self.passes, 1, Some(KEY_LEN)).map_err(failed)?;
        let mut key = Secret::zeroed(KEY_LEN);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(pin, &self.salt, key.expose_mut())
            .map_err(failed)?;
        Ok(key)
    }
}

#[cfg(test)]
mod tests;
