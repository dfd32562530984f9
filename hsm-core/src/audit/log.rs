//! The log in the store: a space of its own, in which each event is a record whose number is its place.
//!
//! A record is sealed under the log's own secret and bound to its place, so that who writes the store
//! without that secret can neither read, change, move nor forge one. Each holds its *link*: SHA-256 over
//! the link before, its number and its bytes. The head, sealed too, holds the last link, how many events
//! there were, and where the log begins since old events were removed. So a record that is missing, from
//! the middle or from the end, is found. An older copy of the head together with the records that it fits
//! is not: that takes an end that is kept elsewhere, as the unit keeps one ([`Log::goes_on_from`]).
//!
//! Links need no secret: with the last one known from elsewhere, anybody can follow them over the events. From
//! time to time an entry is a seal (`seal`), which signs the link before.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::event::Event;
use super::seal::SealedBy;
use super::{cadf, seal};
use crate::error::{Error, Result};
use crate::rng;
use crate::secret::Secret;
use crate::store::seal::{Address, SealKey};
use crate::store::{PartitionId, Reader, RecordId, Row, Store, Writer};
use crate::unit::{AuditKey, LogEnd};

/// The log's space.
const SPACE: PartitionId = PartitionId([0xff; 16]);
/// The head's record. Events have their number.
const HEAD: RecordId = RecordId([0xff; 16]);
const KIND_EVENT: u8 = 7;
const KIND_HEAD: u8 = 8;
const KIND_SEAL: u8 = 14;
const LINK: usize = 32;
/// How many old events go with each new one, at most: a bound that was lowered is met in the course of use.
const REMOVED_AT_ONCE: usize = 4;
/// How many events are read in one transaction, so that a slow reader does not hold the store.
const PAGE: u64 = 256;

/// SHA-256 over the link before, a number and an entry.
pub(super) type Link = [u8; LINK];

/// The log of an HSM.
pub struct Log {
    key: SealKey,
    /// The HSM's identifier, which events name as their observer.
    observer: String,
    /// How many events are kept; 0: all.
    keep: u64,
}

/// Where the log begins and ends.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
struct Head {
    /// The number of the next event; the first there ever was has 1.
    next: u64,
    /// The link of the last event.
    link: Link,
    /// The number of the oldest event that is kept.
    first: u64,
    /// The link before that.
    before: Link,
}

/// An entry as the log has it: an event, or a seal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recorded {
    /// Its place.
    pub sequence: u64,
    /// The link before.
    pub before: [u8; 32],
    /// SHA-256 over the link before, the place (8 bytes, big-endian) and the JSON.
    pub link: [u8; 32],
    /// The event in CADF's JSON, or the seal's.
    pub json: String,
    /// Of a seal, whose signature holds: who made it.
    pub seal: Option<SealedBy>,
}

/// What was found in a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Everything is there, in its order.
    Whole {
        /// The oldest event that is kept.
        first: u64,
        /// The number that the next event will have.
        next: u64,
        /// The last link.
        link: [u8; 32],
    },
    /// It is whole, and is not the log that the unit knows, or an older copy of it.
    RolledBack {
        /// The last entry.
        last: u64,
        /// The entry that was the last one when the unit heard of the log.
        known: u64,
    },
    /// It is whole up to an event.
    Broken {
        /// The first event that is not as it was written.
        sequence: u64,
        /// What is wrong with it.
        fault: Fault,
    },
}

/// What can be wrong with an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// It is not there.
    Missing,
    /// It is not what was written at this place.
    Changed,
    /// It does not follow from the event before.
    Unlinked,
    /// It is there, and the head does not know it.
    BeyondEnd,
    /// It is a seal, and does not sign what is before it.
    WrongSeal,
    /// It is no line of an exported log.
    Unreadable,
}

impl Fault {
    /// For people.
    pub fn text(self) -> &'static str {
        match self {
            Fault::Missing => "it is missing",
            Fault::Changed => "it is not what was written there",
            Fault::Unlinked => "it does not follow from the event before",
            Fault::BeyondEnd => "it is behind the end that the log's head names",
            Fault::WrongSeal => "it is a seal whose signature is not one of what stands before it",
            Fault::Unreadable => "it is not a line as the log was exported",
        }
    }
}

/// What a record holds.
struct Entry {
    link: Link,
    json: String,
    is_seal: bool,
}

impl Head {
    fn end(&self) -> LogEnd {
        LogEnd { number: self.next - 1, link: self.link }
    }
}

impl Log {
    /// The log whose secret this is.
    pub(crate) fn new(secret: &Secret, observer: String, keep: u64) -> Result<Log> {
        Ok(Log { key: SealKey::new(secret.expose())?, observer, keep })
    }

    /// Begins an empty log, and answers where it ends.
    pub(crate) fn begin(&self, writer: &mut dyn Writer) -> Result<LogEnd> {
        let genesis = genesis(&self.observer);
        let head = Head { next: 1, link: genesis, first: 1, before: genesis };
        self.put_head(writer, 0, &head)?;
        Ok(head.end())
    }

    /// Adds events, as a step of a transaction. Of a log that is full the oldest go.
    pub(crate) fn append(&self, writer: &mut dyn Writer, events: &[Event]) -> Result<()> {
        let (mut head, revision) = self.head(writer)?;
        for event in events {
            let json = cadf::encode(event, rng::array()?, &self.observer)?;
            self.put(writer, &mut head, KIND_EVENT, &json)?;
        }
        self.put_head(writer, revision, &head)
    }

    /// Adds an entry behind the last one.
    fn put(&self, writer: &mut dyn Writer, head: &mut Head, kind: u8, json: &[u8]) -> Result<()> {
        head.link = follow(&head.link, head.next, json);
        let record = [head.link.as_slice(), json].concat();
        self.key.put(writer, address(event_id(head.next), kind, 0), &record)?;
        head.next += 1;
        self.remove_oldest(writer, head)
    }

    /// Seals the log, unless its last entry is a seal or there is none. Answers where it ends.
    fn seal(&self, writer: &mut dyn Writer, key: &AuditKey) -> Result<LogEnd> {
        let (mut head, revision) = self.head(writer)?;
        let last = writer.get(SPACE, event_id(head.next - 1))?;
        if last.is_some_and(|row| row.kind != KIND_SEAL) {
            let json = seal::make(key, &self.observer, head.next, &head.link)?;
            self.put(writer, &mut head, KIND_SEAL, &json)?;
            self.put_head(writer, revision, &head)?;
        }
        Ok(head.end())
    }

    /// Seals the log in a transaction of its own, unless it ends where it was `known` to end. Answers where it
    /// ends, durably, and whether it goes on from there.
    pub(crate) fn sealed(
        &self,
        store: &dyn Store,
        key: &AuditKey,
        known: Option<LogEnd>,
    ) -> Result<(LogEnd, bool)> {
        let (mut end, mut goes_on) = (None, true);
        store.read(&mut |reader| {
            end = Some(self.head(reader)?.0.end());
            goes_on = known.map_or(Ok(true), |known| self.goes_on_from(reader, known))?;
            Ok(())
        })?;
        if known.is_none() || end != known {
            store.write(SPACE, &mut |writer| {
                end = Some(self.seal(writer, key)?);
                Ok(())
            })?;
        }
        Ok((end.ok_or(Error::Conflict)?, goes_on))
    }

    /// Whether this is the log that ended there once. Of what was removed since, as the oldest, nobody knows.
    pub(crate) fn goes_on_from(&self, reader: &mut dyn Reader, known: LogEnd) -> Result<bool> {
        let (head, _) = self.head(reader)?;
        Ok(match known.number {
            number if number >= head.next => false,
            number if number + 1 == head.first => head.before == known.link,
            number if number < head.first => true,
            number => self.entry(reader, number)?.is_ok_and(|entry| entry.link == known.link),
        })
    }

    /// Appends in a transaction of its own, durable when this returns.
    pub(crate) fn write(&self, store: &dyn Store, events: &[Event]) -> Result<()> {
        store.write(SPACE, &mut |writer| self.append(writer, events))
    }

    /// A damaged event stays, and those behind it: it must not keep the HSM from working, nor be forgotten.
    fn remove_oldest(&self, writer: &mut dyn Writer, head: &mut Head) -> Result<()> {
        for _ in 0..REMOVED_AT_ONCE {
            if self.keep == 0 || head.next - head.first <= self.keep {
                break;
            }
            let Ok(Entry { link, .. }) = self.entry(writer, head.first)? else { return Ok(()) };
            writer.remove(SPACE, event_id(head.first), 1)?;
            head.before = link;
            head.first += 1;
        }
        Ok(())
    }

    /// Reads the events from a number on and hands them out in order, each checked against the one before.
    ///
    /// # Errors
    /// Those of the store and of `each`; [`Error::RecordDamaged`] where the head is.
    pub(crate) fn read(
        &self,
        store: &dyn Store,
        since: u64,
        each: &mut dyn FnMut(Recorded) -> Result<()>,
    ) -> Result<Verdict> {
        let mut walk = None;
        loop {
            let mut page = Vec::new();
            let mut end = None;
            store.read(&mut |reader| {
                page.clear();
                end = self.page(reader, since, &mut walk, &mut page)?;
                Ok(())
            })?;
            page.drain(..).try_for_each(&mut *each)?;
            if let Some(verdict) = end {
                return Ok(verdict);
            }
        }
    }

    /// The next events of a walk, which is the number and the link before of the one to come; the verdict
    /// at its end.
    fn page(
        &self,
        reader: &mut dyn Reader,
        since: u64,
        walk: &mut Option<(u64, Link)>,
        page: &mut Vec<Recorded>,
    ) -> Result<Option<Verdict>> {
        let (head, _) = self.head(reader)?;
        let (mut at, mut before) = match *walk {
            // Others may have been removed since the last page.
            Some((at, link)) if at >= head.first => (at, link),
            None if since > head.first && since <= head.next => match self.entry(reader, since - 1)? {
                Ok(Entry { link, .. }) => (since, link),
                Err(fault) => return Ok(Some(Verdict::Broken { sequence: since - 1, fault })),
            },
            None if since > head.next => (head.next, head.link),
            _ => (head.first, head.before),
        };
        for _ in 0..PAGE {
            if at == head.next {
                return self.end(reader, &head, before).map(Some);
            }
            let broken = |fault| Ok(Some(Verdict::Broken { sequence: at, fault }));
            let Entry { link, json, is_seal } = match self.entry(reader, at)? {
                Ok(found) => found,
                Err(fault) => return broken(fault),
            };
            match checked(at, before, link, json, is_seal) {
                Ok(recorded) => page.push(recorded),
                Err(fault) => return broken(fault),
            }
            (at, before) = (at + 1, link);
        }
        *walk = Some((at, before));
        Ok(None)
    }

    fn end(&self, reader: &mut dyn Reader, head: &Head, last: Link) -> Result<Verdict> {
        let (next, broken) = (head.next, |sequence, fault| Ok(Verdict::Broken { sequence, fault }));
        if last != head.link {
            return broken(next - 1, Fault::Unlinked);
        }
        if reader.revision(SPACE, event_id(next))?.is_some() {
            return broken(next, Fault::BeyondEnd);
        }
        Ok(Verdict::Whole { first: head.first, next, link: head.link })
    }

    /// An entry, or what is wrong with it.
    fn entry(&self, reader: &mut dyn Reader, number: u64) -> Result<std::result::Result<Entry, Fault>> {
        let Some(row) = reader.get(SPACE, event_id(number))? else { return Ok(Err(Fault::Missing)) };
        if !matches!(row.kind, KIND_EVENT | KIND_SEAL) || row.revision != 1 {
            return Ok(Err(Fault::Changed));
        }
        Ok(self.open(event_id(number), &row).ok_or(Fault::Changed))
    }

    fn open(&self, id: RecordId, row: &Row) -> Option<Entry> {
        let opened = self.key.open_row(SPACE, id, row).ok()?;
        let (link, json) = opened.split_first_chunk::<LINK>()?;
        let json = std::str::from_utf8(json).ok()?.to_owned();
        Some(Entry { link: *link, json, is_seal: row.kind == KIND_SEAL })
    }

    /// The head and its revision.
    fn head(&self, reader: &mut dyn Reader) -> Result<(Head, u64)> {
        let damaged = || Error::RecordDamaged { what: "the head of the audit log".into() };
        let row = reader.get(SPACE, HEAD)?.filter(|row| row.kind == KIND_HEAD).ok_or_else(damaged)?;
        let opened = self.key.open_row(SPACE, HEAD, &row).map_err(|_| damaged())?;
        Ok((postcard::from_bytes(&opened).map_err(|_| damaged())?, row.revision))
    }

    fn put_head(&self, writer: &mut dyn Writer, revision: u64, head: &Head) -> Result<()> {
        let bytes = postcard::to_allocvec(head)
            .map_err(|_| Error::CryptoFailed("the audit log's head did not encode"))?;
        self.key.put(writer, address(HEAD, KIND_HEAD, revision), &bytes).map(drop)
    }
}

fn address(id: RecordId, kind: u8, revision: u64) -> Address {
    Address { partition: SPACE, id, kind, revision }
}

fn event_id(number: u64) -> RecordId {
    RecordId(u128::from(number).to_be_bytes())
}

/// The link before the first entry of an HSM's log.
pub(super) fn genesis(hsm: &str) -> Link {
    Sha256::digest([b"softhsm-rs audit 1 ", hsm.as_bytes()].concat()).into()
}

fn follow(before: &Link, number: u64, json: &[u8]) -> Link {
    let mut hash = Sha256::new();
    hash.update(before);
    hash.update(number.to_be_bytes());
    hash.update(json);
    hash.finalize().into()
}

/// An entry that follows from the one before, and whose signature, if it is a seal, holds.
pub(super) fn checked(
    sequence: u64,
    before: Link,
    link: Link,
    json: String,
    is_seal: bool,
) -> std::result::Result<Recorded, Fault> {
    if link != follow(&before, sequence, json.as_bytes()) {
        return Err(Fault::Unlinked);
    }
    let seal = match is_seal {
        true => Some(seal::check(&json, sequence, &before).ok_or(Fault::WrongSeal)?),
        false => None,
    };
    Ok(Recorded { sequence, before, link, json, seal })
}
