//! What the key management service keeps of a partition in the store, beside the objects: a record for each key and
//! one for each earlier version of one, in the space of the objects, sealed by the key of private objects; and the
//! policies and key rings, sealed by that of public ones, since they bind whoever has a session.
//!
//! None of them is an object: their kinds are others, and no field leads to them that an object has. Their index
//! entries are fields of the one name `kms`, so that what a list costs grows with what it lists, and absence is
//! checked as that of objects is. Each stands at a place that follows by a key of the partition from what it is of: no
//! client can name it, though KMIP's Import lets clients choose the identifiers of objects. The object of a deleted key stays at its place under another kind, out of the index: so that
//! its revisions only grow, and no process takes what it had cached for what was restored.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::half::Half;
use super::transaction::Transaction;
use super::{ObjectId, Partition, locked};
use crate::error::{Error, Result};
use crate::kms::{self, Instance, KeyId, KeyRecord};
use crate::secret::Secret;
use crate::store::seal::Address;
use crate::store::{PartitionId, Reader, RecordId, Writer};

const KIND_KEY: u8 = 10;
const KIND_VERSION: u8 = 11;
const KIND_INSTANCE: u8 = 12;

/// What keys are found by. The numbers are the format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Index<'a> {
    /// Those that are not deleted.
    Live,
    /// Those that are.
    Deleted,
    /// Those of a key ring, deleted or not.
    Ring(&'a str),
    /// The one that has an alias.
    Alias(&'a str),
    /// Those that protect a resource.
    Resource(&'a str),
    /// Those that a policy rotates.
    Rotated,
    /// The records of a key's earlier versions.
    Versions(KeyId),
    /// The partition's own record.
    Instance,
    /// Those whose expiration nobody has seen yet, deleted or not.
    Expiring,
}

impl Index<'_> {
    fn value(&self) -> Vec<u8> {
        let (number, rest): (u8, &[u8]) = match self {
            Index::Live => (0, b""),
            Index::Deleted => (1, b""),
            Index::Ring(ring) => (2, ring.as_bytes()),
            Index::Alias(alias) => (3, alias.as_bytes()),
            Index::Resource(resource) => (4, resource.as_bytes()),
            Index::Rotated => (5, b""),
            Index::Versions(key) => (6, &key.0),
            Index::Instance => (7, b""),
            Index::Expiring => (8, b""),
        };
        let mut out = vec![number];
        out.extend_from_slice(rest);
        out
    }
}

/// Under what a key is found.
fn indexes(key: &KeyRecord) -> Vec<Index<'_>> {
    let mut out =
        vec![if key.deletion.is_some() { Index::Deleted } else { Index::Live }, Index::Ring(&key.ring)];
    out.extend(key.aliases.iter().map(|alias| Index::Alias(alias)));
    out.extend(key.registrations.iter().map(|registration| Index::Resource(&registration.resource)));
    if key.deletion.is_none() && key.rotation_due().is_some() {
        out.push(Index::Rotated);
    }
    if key.will_expire() {
        out.push(Index::Expiring);
    }
    out
}

/// A partition's own record as a process has it in memory.
#[derive(Clone)]
pub(super) struct CachedInstance {
    space: PartitionId,
    generation: u64,
    revision: Option<u64>,
    instance: Arc<Instance>,
}

/// What one look at the store answers, in a transaction or out of one.
pub(crate) struct KmsView<'a> {
    private: &'a Half,
    public: &'a Half,
    reader: &'a mut dyn Reader,
}

impl KmsView<'_> {
    fn damaged(&self, id: RecordId) -> Error {
        Error::RecordDamaged { what: format!("record {id} of partition {}", self.private.space) }
    }

    /// Where a key's record stands.
    fn place(&self, key: KeyId) -> Result<RecordId> {
        Ok(RecordId(self.private.key.tag(b"kms key", &key.0)?))
    }

    /// Where an earlier version's record stands. Its identifier alone will not do: wrapped keys show it.
    fn place_of_version(&self, version: KeyId) -> Result<RecordId> {
        Ok(RecordId(self.private.key.tag(b"kms version", &version.0)?))
    }

    fn tag(&self, index: Index<'_>) -> Result<[u8; 16]> {
        self.private.key.tag(b"kms", &index.value())
    }

    fn holds(&mut self, index: Index<'_>, id: RecordId) -> Result<bool> {
        let tag = self.tag(index)?;
        self.private.chain().holds(self.reader, tag, id)
    }

    /// A key; `None` if the index agrees that there is none.
    pub(crate) fn key(&mut self, key: KeyId) -> Result<Option<KeyRecord>> {
        let place = self.place(key)?;
        match self.at(place)? {
            Some(record) if record.id == key => Ok(Some(record)),
            Some(_) => Err(self.damaged(place)),
            None if self.holds(Index::Live, place)? || self.holds(Index::Deleted, place)? => {
                Err(self.damaged(place))
            }
            None => Ok(None),
        }
    }

    fn at(&mut self, place: RecordId) -> Result<Option<KeyRecord>> {
        let row = self.reader.get(self.private.space, place)?;
        let Some(row) = row.filter(|row| row.kind == KIND_KEY) else { return Ok(None) };
        let bytes = self.private.key.open_row(self.private.space, place, &row)?;
        kms::decode(&bytes).map(Some).ok_or_else(|| self.damaged(place))
    }

    /// The places of the records under an index.
    pub(crate) fn under(&mut self, index: Index<'_>) -> Result<Vec<RecordId>> {
        let tag = self.tag(index)?;
        self.private.chain().records(self.reader, tag)
    }

    /// The key at a place that the index named.
    pub(crate) fn named(&mut self, place: RecordId) -> Result<KeyRecord> {
        self.at(place)?.ok_or_else(|| self.damaged(place))
    }

    /// The key that has an alias.
    pub(crate) fn with_alias(&mut self, alias: &str) -> Result<Option<KeyRecord>> {
        let place = self.under(Index::Alias(alias))?.first().copied();
        place.map(|place| self.named(place)).transpose()
    }

    /// The material of an earlier version.
    pub(crate) fn version(&mut self, key: KeyId, version: KeyId) -> Result<Option<Secret>> {
        let id = self.place_of_version(version)?;
        let is_named = self.holds(Index::Versions(key), id)?;
        match self.reader.get(self.private.space, id)? {
            None if !is_named => Ok(None),
            Some(row) if is_named && row.kind == KIND_VERSION => {
                let bytes = self.private.key.open_row(self.private.space, id, &row)?;
                Ok(Some(Secret::copy_of(&bytes)))
            }
            // A version of another key.
            Some(_) if !is_named => Ok(None),
            None | Some(_) => Err(self.damaged(id)),
        }
    }

    /// Policies and key rings; those of the beginning if the index agrees that there are no others.
    pub(crate) fn instance(&mut self) -> Result<Instance> {
        let tag = self.public.key.tag(b"kms", &Index::Instance.value())?;
        let place = place_of_instance(self.public)?;
        let is_named = self.public.chain().holds(self.reader, tag, place)?;
        match self.reader.get(self.public.space, place)? {
            None if !is_named => Ok(Instance::default()),
            Some(row) if is_named && row.kind == KIND_INSTANCE => {
                let bytes = self.public.key.open_row(self.public.space, place, &row)?;
                kms::decode_instance(&bytes).ok_or_else(|| self.damaged(place))
            }
            None | Some(_) => Err(self.damaged(place)),
        }
    }
}

/// Where policies and key rings stand.
fn place_of_instance(public: &Half) -> Result<RecordId> {
    Ok(RecordId(public.key.tag(b"kms instance", b"")?))
}

/// Puts a record of a kind at a place where nothing stands, or what is of that kind.
fn put(writer: &mut dyn Writer, half: &Half, (id, kind): (RecordId, u8), bytes: &[u8]) -> Result<()> {
    let there = writer.get(half.space, id)?;
    if there.as_ref().is_some_and(|row| row.kind != kind) {
        return Err(Error::RecordDamaged { what: format!("record {id} of partition {}", half.space) });
    }
    let revision = there.map(|row| row.revision).unwrap_or_default();
    half.key.put(writer, Address { partition: half.space, id, kind, revision }, bytes).map(drop)
}

impl Transaction<'_> {
    /// What is there now.
    pub(crate) fn kms(&mut self) -> KmsView<'_> {
        let (public, private, writer) = self.parts();
        KmsView { public, private, reader: writer }
    }

    /// Puts a key in the place of what it was, if it was there, and moves its index entries.
    pub(crate) fn put_kms_key(&mut self, before: Option<&KeyRecord>, after: &KeyRecord) -> Result<()> {
        let place = self.kms().place(after.id)?;
        let bytes = kms::encode(after)?;
        self.put_kms(place, KIND_KEY, &bytes)?;
        let (old, new) = (before.map(indexes).unwrap_or_default(), indexes(after));
        for index in old.iter().filter(|index| !new.contains(index)) {
            self.unlink(*index, place)?;
        }
        for index in new.iter().filter(|index| !old.contains(index)) {
            self.link(*index, place)?;
        }
        Ok(())
    }

    /// Erases a deleted key with all its versions.
    pub(crate) fn erase_kms_key(&mut self, key: &KeyRecord) -> Result<()> {
        for version in self.kms().under(Index::Versions(key.id))? {
            self.unlink(Index::Versions(key.id), version)?;
            self.remove_kms(version)?;
        }
        self.remove_kms(key.id.into())?;
        let place = self.kms().place(key.id)?;
        for index in indexes(key) {
            self.unlink(index, place)?;
        }
        self.remove_kms(place)
    }

    /// Takes a key's record away that the index names.
    #[cfg(test)]
    pub(crate) fn lose_kms_key(&mut self, key: KeyId) -> Result<()> {
        let place = self.kms().place(key)?;
        self.remove_kms(place)
    }

    /// Keeps the material of a version that is not the current one any more.
    pub(crate) fn keep_kms_version(&mut self, key: KeyId, version: KeyId, material: &[u8]) -> Result<()> {
        let id = self.kms().place_of_version(version)?;
        self.put_kms(id, KIND_VERSION, material)?;
        self.link(Index::Versions(key), id)
    }

    /// Puts policies and key rings.
    pub(crate) fn put_kms_instance(&mut self, instance: &Instance) -> Result<()> {
        let bytes = kms::encode_instance(instance)?;
        let (public, _, writer) = self.parts();
        let place = place_of_instance(public)?;
        put(writer, public, (place, KIND_INSTANCE), &bytes)?;
        let tag = public.key.tag(b"kms", &Index::Instance.value())?;
        public.chain().insert(writer, tag, place)
    }

    fn put_kms(&mut self, id: RecordId, kind: u8, bytes: &[u8]) -> Result<()> {
        let (_, private, writer) = self.parts();
        put(writer, private, (id, kind), bytes)
    }

    fn remove_kms(&mut self, id: RecordId) -> Result<()> {
        let (_, private, writer) = self.parts();
        match writer.revision(private.space, id)? {
            Some(revision) => Ok(writer.remove(private.space, id, revision)?),
            None => Err(Error::RecordDamaged { what: format!("record {id} of partition {}", private.space) }),
        }
    }

    fn link(&mut self, index: Index<'_>, id: RecordId) -> Result<()> {
        let (_, private, writer) = self.parts();
        private.chain().insert(writer, private.key.tag(b"kms", &index.value())?, id)
    }

    fn unlink(&mut self, index: Index<'_>, id: RecordId) -> Result<()> {
        let (_, private, writer) = self.parts();
        private.chain().remove(writer, private.key.tag(b"kms", &index.value())?, id)
    }
}

impl Partition {
    /// Looks at what the key management service keeps, as of one moment. The user must be logged in.
    pub(crate) fn look_at_kms(&self, body: &mut dyn FnMut(&mut KmsView<'_>) -> Result<()>) -> Result<()> {
        let (public, private) = (self.half(false)?, self.token_half()?);
        self.hsm()?
            .store()?
            .read(&mut |reader| body(&mut KmsView { public: &public, private: &private, reader }))
    }

    /// Whether networks are restricted, as far as this process has looked.
    pub(crate) fn restricts_networks(&self) -> bool {
        self.restricted.load(Ordering::Acquire)
    }

    /// Policies and key rings as they are now. While nothing of the partition changes, memory answers; after
    /// another change, a look at the record's revision.
    pub(crate) fn kms_instance(&self) -> Result<Arc<Instance>> {
        let half = self.half(false)?;
        let hsm = self.hsm()?;
        let store = hsm.store()?;
        // Read before the record: a change in between is then seen at the next look.
        let generation = store.generation(half.space)?;
        let cached = locked(&self.kms).clone().filter(|cached| cached.space == half.space);
        if let Some(cached) = &cached
            && Some(cached.generation) == generation
        {
            return Ok(cached.instance.clone());
        }
        let place = place_of_instance(&half)?;
        let mut found = None;
        store.read(&mut |reader| {
            let revision = reader.revision(half.space, place)?;
            let instance = match &cached {
                Some(cached) if cached.revision == revision => cached.instance.clone(),
                _ => Arc::new(KmsView { public: &half, private: &half, reader }.instance()?),
            };
            found = Some((revision, instance));
            Ok(())
        })?;
        let (revision, instance) = found.ok_or(Error::Conflict)?;
        self.restricted.store(instance.policies.restricts_networks(), Ordering::Release);
        if let Some(generation) = generation {
            let instance = instance.clone();
            *locked(&self.kms) = Some(CachedInstance { space: half.space, generation, revision, instance });
        }
        Ok(instance)
    }
}

/// A key's identifier as its object's.
impl From<KeyId> for ObjectId {
    fn from(id: KeyId) -> ObjectId {
        ObjectId(id.0)
    }
}
