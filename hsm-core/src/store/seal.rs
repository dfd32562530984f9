//! The seal: what makes a store that anybody may write to trustworthy to read.
//!
//! Two things are sealed under a partition's keys:
//!
//! * **Records**, by AES-256-GCM under a key of their own, with a random nonce and with partition,
//!   identity, kind and revision as associated data. A record that was changed, swapped with another
//!   or copied to another partition does not open.
//! * **Index entries**, by a chain of MACs: an entry's MAC covers the entry and the one that follows
//!   it, from a head to an end. A look-up checks every step from the entry before what it looks for
//!   to the first one after, so that an answer is complete or an error: an entry that was changed,
//!   removed or moved, and so would hide an object, breaks the chain. Work grows with the matches
//!   alone.
//!
//! Tags are keyed hashes: the store sees neither labels nor identifiers; it sees which are equal, how
//! many records there are, and how long each is. Not detected: an older copy of a whole store put
//! back, an older copy of one record with its older revision, and older index entries together with the
//! records that they fit.

use std::cmp::Ordering;

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Key as AesKey, Nonce, Tag};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use hsm_os::Guarded;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{Entry, Indexed, PartitionId, Reader, RecordId, Row, Writer};
use crate::error::{Error, Result};
use crate::rng;

const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;

/// Where a record is and which state of it: what its seal is bound to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Address {
    /// The partition.
    pub partition: PartitionId,
    /// The record.
    pub id: RecordId,
    /// Its kind.
    pub kind: u8,
    /// Its revision.
    pub revision: u64,
}

impl Address {
    fn associated_data(&self) -> [u8; 59] {
        let mut out = [0; 59];
        let (label, rest) = out.split_at_mut(18);
        label.copy_from_slice(b"softhsm-rs record1");
        let (partition, rest) = rest.split_at_mut(16);
        partition.copy_from_slice(&self.partition.0);
        let (id, rest) = rest.split_at_mut(16);
        id.copy_from_slice(&self.id.0);
        let (kind, revision) = rest.split_at_mut(1);
        kind.copy_from_slice(&[self.kind]);
        revision.copy_from_slice(&self.revision.to_be_bytes());
        out
    }

    fn damaged(&self) -> Error {
        Error::RecordDamaged { what: format!("record {} of partition {}", self.id, self.partition) }
    }
}

/// One of the keys of a partition, as three that are derived from it: for records, tags and chains.
/// Its pages are locked, kept out of core dumps and wiped in a forked child.
pub(crate) struct SealKey {
    keys: Guarded,
}

impl SealKey {
    /// Derives the three keys from the 32 bytes of a partition's key.
    pub(crate) fn new(key: &[u8]) -> Result<SealKey> {
        let failed = |_| Error::CryptoFailed("HKDF");
        let hkdf = Hkdf::<Sha256>::from_prk(key).map_err(failed)?;
        let mut keys = Guarded::zeroed(96).map_err(|_| Error::CryptoFailed("no memory for keys"))?;
        let purposes = [b"records", &b"tags"[..], b"chains"];
        for (part, purpose) in keys.expose_mut().chunks_mut(32).zip(purposes) {
            hkdf.expand(purpose, part).map_err(|_| Error::CryptoFailed("HKDF"))?;
        }
        Ok(SealKey { keys })
    }

    fn mac(&self, part: usize) -> Result<Hmac<Sha256>> {
        let key = self.keys.expose().chunks(32).nth(part).unwrap_or_default();
        Hmac::new_from_slice(key).map_err(|_| Error::CryptoFailed("HMAC"))
    }

    fn cipher(&self, id: RecordId) -> Result<Aes256Gcm> {
        let mut mac = self.mac(0)?;
        mac.update(&id.0);
        let key: Zeroizing<[u8; 32]> = Zeroizing::new(mac.finalize().into_bytes().into());
        Ok(Aes256Gcm::new(&AesKey::<Aes256Gcm>::from(*key)))
    }

    /// Seals a record: nonce ‖ ciphertext ‖ tag.
    pub(crate) fn seal(&self, address: &Address, plaintext: &[u8]) -> Result<Vec<u8>> {
        let nonce: [u8; NONCE_LEN] = rng::array()?;
        let mut out = Vec::with_capacity(NONCE_LEN + plaintext.len() + TAG_LEN);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(plaintext);
        let body = out.get_mut(NONCE_LEN..).unwrap_or_default();
        let tag = self
            .cipher(address.id)?
            .encrypt_inout_detached(&Nonce::from(nonce), &address.associated_data(), body.into())
            .map_err(|_| Error::CryptoFailed("AES-GCM"))?;
        out.extend_from_slice(&tag);
        Ok(out)
    }

    /// Opens a record; [`Error::RecordDamaged`] if it is not what was sealed at this address.
    pub(crate) fn open(&self, address: &Address, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let damaged = || address.damaged();
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(damaged)?;
        let (body, tag) = rest.split_last_chunk::<TAG_LEN>().ok_or_else(damaged)?;
        let mut out = Zeroizing::new(body.to_vec());
        self.cipher(address.id)?
            .decrypt_inout_detached(
                &Nonce::from(*nonce),
                &address.associated_data(),
                out.as_mut_slice().into(),
                &Tag::from(*tag),
            )
            .map_err(|_| damaged())?;
        Ok(out)
    }

    /// Seals a record and puts it into the store, one revision after `revision` (0: it is new).
    pub(crate) fn put(&self, writer: &mut dyn Writer, mut address: Address, plaintext: &[u8]) -> Result<u64> {
        address.revision += 1;
        let sealed = self.seal(&address, plaintext)?;
        let row = Row { kind: address.kind, revision: address.revision, sealed };
        writer.put(address.partition, address.id, &row)?;
        Ok(address.revision)
    }

    /// Opens a row of the store.
    pub(crate) fn open_row(
        &self,
        partition: PartitionId,
        id: RecordId,
        row: &Row,
    ) -> Result<Zeroizing<Vec<u8>>> {
        self.open(&Address { partition, id, kind: row.kind, revision: row.revision }, &row.sealed)
    }

    /// The keyed hash of an index field's name and value, under which its entries stand.
    pub(crate) fn tag(&self, name: &[u8], value: &[u8]) -> Result<[u8; 16]> {
        let mut mac = self.mac(1)?;
        mac.update(&(name.len() as u64).to_be_bytes());
        mac.update(name);
        mac.update(value);
        Ok(half(mac))
    }

    fn link(&self, partition: PartitionId, entry: Entry, next: Entry) -> Result<[u8; 16]> {
        let mut mac = self.mac(2)?;
        mac.update(&partition.0);
        mac.update(&entry.to_bytes());
        mac.update(&next.to_bytes());
        Ok(half(mac))
    }
}

/// The first 16 bytes of a MAC.
fn half(mac: Hmac<Sha256>) -> [u8; 16] {
    let full: [u8; 32] = mac.finalize().into_bytes().into();
    let mut out = [0; 16];
    out.iter_mut().zip(full).for_each(|(out, full)| *out = full);
    out
}

/// One index of a partition, under one of its keys.
pub(crate) struct Chain<'a> {
    /// The partition.
    pub partition: PartitionId,
    /// The index.
    pub number: u8,
    /// The key.
    pub key: &'a SealKey,
}

/// How many entries a look-up fetches at first: one that is found and the one after it.
const FIRST_PAGE: usize = 2;
/// How many it fetches at once when there are many.
const MOST_PAGE: usize = 128;

impl Chain<'_> {
    fn entry(&self, tag: [u8; 16], record: RecordId) -> Entry {
        Entry { chain: self.number, tag, record }
    }

    /// What stands before every entry.
    fn head(&self) -> Entry {
        self.entry([0; 16], RecordId([0; 16]))
    }

    /// What the last entry's MAC names as its successor. It is not stored.
    fn end(&self) -> Entry {
        self.entry([0xff; 16], RecordId([0xff; 16]))
    }

    fn damaged(&self) -> Error {
        Error::RecordDamaged { what: format!("index {} of partition {}", self.number, self.partition) }
    }

    /// Begins an empty chain.
    pub(crate) fn begin(&self, writer: &mut dyn Writer) -> Result<()> {
        self.link(writer, self.head(), self.end())
    }

    fn link(&self, writer: &mut dyn Writer, entry: Entry, next: Entry) -> Result<()> {
        let mac = self.key.link(self.partition, entry, next)?;
        Ok(writer.put_entry(self.partition, &Indexed { entry, mac })?)
    }

    /// Checks that `next` follows `indexed`.
    fn follow(&self, indexed: &Indexed, next: Entry) -> Result<()> {
        let expected = self.key.link(self.partition, indexed.entry, next)?;
        if bool::from(expected.ct_eq(&indexed.mac)) { Ok(()) } else { Err(self.damaged()) }
    }

    /// The entry at or before `at` and the one after it, checked to be neighbours that enclose it: a
    /// damaged store may well find true neighbours in the wrong place.
    fn around(&self, reader: &mut dyn Reader, at: Entry) -> Result<(Entry, Entry)> {
        let before = reader.entry_before(self.partition, at)?.ok_or_else(|| self.damaged())?;
        let after = reader.entries_after(self.partition, before.entry, 1)?;
        let next = after.first().map_or(self.end(), |indexed| indexed.entry);
        self.follow(&before, next)?;
        if before.entry <= at && at < next { Ok((before.entry, next)) } else { Err(self.damaged()) }
    }

    /// Whether the chain holds an entry.
    pub(crate) fn holds(&self, reader: &mut dyn Reader, tag: [u8; 16], record: RecordId) -> Result<bool> {
        let entry = self.entry(tag, record);
        Ok(self.around(reader, entry)?.0 == entry)
    }

    /// Adds an entry.
    pub(crate) fn insert(&self, writer: &mut dyn Writer, tag: [u8; 16], record: RecordId) -> Result<()> {
        let entry = self.entry(tag, record);
        let (before, next) = self.around(writer, entry)?;
        if before == entry {
            return Ok(());
        }
        self.link(writer, before, entry)?;
        self.link(writer, entry, next)
    }

    /// Takes an entry out; one that is not there is damage, since whoever removes knows it was.
    pub(crate) fn remove(&self, writer: &mut dyn Writer, tag: [u8; 16], record: RecordId) -> Result<()> {
        let entry = self.entry(tag, record);
        let (found, next) = self.around(writer, entry)?;
        if found != entry {
            return Err(self.damaged());
        }
        writer.remove_entry(self.partition, entry)?;
        let before = writer.entry_before(self.partition, entry)?.ok_or_else(|| self.damaged())?;
        self.follow(&before, entry)?;
        self.link(writer, before.entry, next)
    }

    /// Seals the chain anew under another key, after a look at every step.
    pub(crate) fn rekey(&self, writer: &mut dyn Writer, key: &SealKey) -> Result<()> {
        let renewed = Chain { key, ..*self };
        let mut last = writer.entry_before(self.partition, self.head())?.ok_or_else(|| self.damaged())?;
        loop {
            let page = writer.entries_after(self.partition, last.entry, MOST_PAGE)?;
            let is_last = page.len() < MOST_PAGE;
            for next in page {
                self.follow(&last, next.entry)?;
                renewed.link(writer, last.entry, next.entry)?;
                last = next;
            }
            if is_last {
                self.follow(&last, self.end())?;
                return renewed.link(writer, last.entry, self.end());
            }
        }
    }

    /// The records under a tag, all of them or an error.
    pub(crate) fn records(&self, reader: &mut dyn Reader, tag: [u8; 16]) -> Result<Vec<RecordId>> {
        let mut out = Vec::new();
        let start = self.entry(tag, RecordId([0; 16]));
        let mut last = reader.entry_before(self.partition, start)?.ok_or_else(|| self.damaged())?;
        if last.entry > start {
            return Err(self.damaged());
        }
        let mut size = FIRST_PAGE;
        loop {
            let page = reader.entries_after(self.partition, last.entry, size)?;
            let full = page.len() == size;
            size = (size * 4).min(MOST_PAGE);
            for next in page {
                self.follow(&last, next.entry)?;
                match next.entry.tag.cmp(&tag) {
                    // Not the entry before the tag's, then.
                    Ordering::Less => return Err(self.damaged()),
                    Ordering::Equal => {}
                    Ordering::Greater => return Ok(out),
                }
                out.push(next.entry.record);
                last = next;
            }
            if !full {
                self.follow(&last, self.end())?;
                return Ok(out);
            }
        }
    }
}

#[cfg(test)]
mod tests;
