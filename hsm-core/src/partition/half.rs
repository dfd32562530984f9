//! One half of a partition's objects in the store, the public or the private ones: their records under
//! the half's key and the index by which they are found. Each function is one step inside a caller's
//! transaction; caching and rights are `objects`' matter.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::object::find::{self, Field};
use crate::object::{Object, record};
use crate::store::seal::{Address, Chain, SealKey};
use crate::store::{PartitionId, Reader, RecordId, Writer};

/// The indexes of a partition.
const PUBLIC: u8 = 1;
const PRIVATE: u8 = 2;
/// All of them.
pub(super) const CHAINS: [u8; 2] = [PUBLIC, PRIVATE];
/// The kinds of record that hold objects.
const KIND_PUBLIC: u8 = 1;
const KIND_PRIVATE: u8 = 2;
/// The kind of an object that was put away: no field of the index leads to it.
const KIND_AWAY: u8 = 13;

/// One half of a partition's objects, the public or the private ones, with its key.
pub(super) struct Half {
    pub space: PartitionId,
    pub private: bool,
    pub key: Arc<SealKey>,
}

impl Half {
    /// The index of this half.
    pub(super) fn chain(&self) -> Chain<'_> {
        let number = if self.private { PRIVATE } else { PUBLIC };
        Chain { partition: self.space, number, key: &self.key }
    }

    fn address(&self, id: RecordId, revision: u64) -> Address {
        Address { partition: self.space, id, kind: self.kind(), revision }
    }

    /// Under which tag the index has a field.
    pub(super) fn tag(&self, field: &Field<'_>) -> Result<[u8; 16]> {
        match field {
            Field::All => self.key.tag(b"all", b""),
            Field::Destroyed => self.key.tag(b"destroyed", b""),
            Field::Attribute(kind, value) => self.key.tag(&kind.to_be_bytes(), value),
        }
    }

    fn put(&self, writer: &mut dyn Writer, id: RecordId, revision: u64, object: &Object) -> Result<u64> {
        let bytes = record::encode(object).map_err(|_| Error::CryptoFailed("an object did not encode"))?;
        self.key.put(writer, self.address(id, revision), &bytes)
    }

    fn kind(&self) -> u8 {
        if self.private { KIND_PRIVATE } else { KIND_PUBLIC }
    }

    /// The object and its revision; `None` if the index agrees that there is none in this half.
    pub(super) fn get(&self, reader: &mut dyn Reader, id: RecordId) -> Result<Option<(Object, u64)>> {
        let damaged = || Error::RecordDamaged { what: format!("record {id} of partition {}", self.space) };
        let Some(row) = reader.get(self.space, id)?.filter(|row| row.kind == self.kind()) else {
            for field in [Field::All, Field::Destroyed] {
                if self.chain().holds(reader, self.tag(&field)?, id)? {
                    return Err(damaged());
                }
            }
            return Ok(None);
        };
        let bytes = self.key.open(&self.address(id, row.revision), &row.sealed)?;
        Ok(Some((record::decode(&bytes).map_err(|_| damaged())?, row.revision)))
    }

    /// Adds an object under every field by which it is found.
    pub(super) fn insert(&self, writer: &mut dyn Writer, id: RecordId, object: &Object) -> Result<u64> {
        let revision = self.put(writer, id, 0, object)?;
        for field in find::fields(object) {
            self.chain().insert(writer, self.tag(&field)?, id)?;
        }
        Ok(revision)
    }

    /// Replaces an object, moving the index entries of the fields that changed.
    pub(super) fn replace(
        &self,
        writer: &mut dyn Writer,
        id: RecordId,
        revision: u64,
        before: &Object,
        after: &Object,
    ) -> Result<u64> {
        let revision = self.put(writer, id, revision, after)?;
        let (old, new) = (find::fields(before), find::fields(after));
        for field in old.iter().filter(|field| !new.contains(field)) {
            self.chain().remove(writer, self.tag(field)?, id)?;
        }
        for field in new.iter().filter(|field| !old.contains(field)) {
            self.chain().insert(writer, self.tag(field)?, id)?;
        }
        Ok(revision)
    }

    /// Puts an object away: it stays at its place, is none any more, and is found under nothing.
    pub(super) fn put_away(&self, writer: &mut dyn Writer, id: RecordId) -> Result<()> {
        let (object, revision) = self.get(writer, id)?.ok_or(Error::NoSuchObject)?;
        let bytes = record::encode(&object).map_err(|_| Error::CryptoFailed("an object did not encode"))?;
        self.key.put(writer, Address { kind: KIND_AWAY, ..self.address(id, revision) }, &bytes)?;
        for field in find::fields(&object) {
            self.chain().remove(writer, self.tag(&field)?, id)?;
        }
        Ok(())
    }

    /// Brings back what was put away, as `change` makes it: the object and its revision.
    pub(super) fn bring_back(
        &self,
        writer: &mut dyn Writer,
        id: RecordId,
        change: &dyn Fn(&mut Object) -> Result<()>,
    ) -> Result<(Object, u64)> {
        let damaged = || Error::RecordDamaged { what: format!("record {id} of partition {}", self.space) };
        let row = writer.get(self.space, id)?.filter(|row| row.kind == KIND_AWAY).ok_or_else(damaged)?;
        let bytes = self.key.open_row(self.space, id, &row)?;
        let mut object = record::decode(&bytes).map_err(|_| damaged())?;
        change(&mut object)?;
        let revision = self.put(writer, id, row.revision, &object)?;
        for field in find::fields(&object) {
            self.chain().insert(writer, self.tag(&field)?, id)?;
        }
        Ok((object, revision))
    }

    /// Takes an object out, and its index entries with it.
    pub(super) fn remove(
        &self,
        writer: &mut dyn Writer,
        id: RecordId,
        revision: u64,
        object: &Object,
    ) -> Result<()> {
        writer.remove(self.space, id, revision)?;
        for field in find::fields(object) {
            self.chain().remove(writer, self.tag(&field)?, id)?;
        }
        Ok(())
    }
}

/// Begins the two indexes of a new partition.
pub(crate) fn begin(
    space: PartitionId,
    public: &SealKey,
    private: &SealKey,
    writer: &mut dyn Writer,
) -> Result<()> {
    Chain { partition: space, number: PUBLIC, key: public }.begin(writer)?;
    Chain { partition: space, number: PRIVATE, key: private }.begin(writer)
}
