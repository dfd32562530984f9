//! Several changes of a partition's objects in one store transaction, by record rather than by handle:
//! what servers need, whose objects are many and whose clients name them by their identifiers.

use std::sync::Arc;

use super::Partition;
use super::half::Half;
use super::objects::Loaded;
use crate::audit::{Event, Trail};
use crate::error::{Error, Result};
use crate::object::find::Field;
use crate::object::material::Key;
use crate::object::{Object, locate, otp};
use crate::rng;
use crate::store::{PartitionId, RecordId, Writer};

#[cfg(test)]
pub(super) mod faults;

/// The changes that a caller makes, all of which are committed or none.
pub(crate) struct Transaction<'w> {
    public: Half,
    private: Half,
    writer: &'w mut dyn Writer,
    touched: Vec<Touched>,
}

/// When a transaction must be on the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Durability {
    /// Before its caller goes on.
    Now,
    /// With the next one that must be: it does no harm if a power failure takes it back.
    Soon,
}

/// An object after a transaction.
pub(crate) struct Touched {
    pub id: RecordId,
    /// What it is now, with its revision; `None` where it is gone.
    pub now: Option<(Key, u64)>,
}

impl Transaction<'_> {
    /// Both halves and the store, for steps on records that are no objects.
    pub(super) fn parts(&mut self) -> (&Half, &Half, &mut dyn Writer) {
        (&self.public, &self.private, self.writer)
    }

    fn half(&self, private: bool) -> &Half {
        if private { &self.private } else { &self.public }
    }

    /// An object as it is in this transaction; [`Error::NoSuchObject`] where there is none.
    pub(crate) fn object(&mut self, id: RecordId) -> Result<Object> {
        self.find(id).map(|(object, _)| object)
    }

    fn find(&mut self, id: RecordId) -> Result<(Object, u64)> {
        for half in [&self.private, &self.public] {
            if let Some(found) = half.get(self.writer, id)? {
                return Ok(found);
            }
        }
        Err(Error::NoSuchObject)
    }

    /// Adds an object under a fresh identifier, or under the one it is given: [`Error::Conflict`] where anything
    /// stands under that.
    pub(crate) fn insert(&mut self, key: Key, id: Option<RecordId>) -> Result<RecordId> {
        let id = match id {
            Some(id) if self.writer.revision(self.private.space, id)?.is_some() => {
                return Err(Error::Conflict);
            }
            Some(id) => id,
            None => RecordId(rng::array()?),
        };
        let key = key.with_unique_id(id.to_string());
        let half = if key.object().is_private() { &self.private } else { &self.public };
        let revision = half.insert(self.writer, id, key.object())?;
        self.touched.push(Touched { id, now: Some((key, revision)) });
        Ok(id)
    }

    /// Replaces an object.
    pub(crate) fn replace(&mut self, id: RecordId, after: Object) -> Result<()> {
        let (before, revision) = self.find(id)?;
        let half = if before.is_private() { &self.private } else { &self.public };
        let revision = half.replace(self.writer, id, revision, &before, &after)?;
        self.touched.push(Touched { id, now: Some((Key::new(after), revision)) });
        Ok(())
    }

    /// Puts an object back as it was, whether it is there or not; but for a counter, which stays where it is now.
    pub(crate) fn restore(&mut self, id: RecordId, mut object: Object) -> Result<()> {
        match self.find(id) {
            Ok((now, _)) => {
                otp::keep_counter(&now, &mut object);
                self.replace(id, object)
            }
            Err(Error::NoSuchObject) => self.insert(Key::new(object), Some(id)).map(drop),
            Err(error) => Err(error),
        }
    }

    /// Takes an object out, with all that is known of it.
    pub(crate) fn remove(&mut self, id: RecordId) -> Result<()> {
        let (object, revision) = self.find(id)?;
        let half = if object.is_private() { &self.private } else { &self.public };
        half.remove(self.writer, id, revision, &object)?;
        self.touched.push(Touched { id, now: None });
        Ok(())
    }

    /// Puts a private object away, to be brought back.
    pub(crate) fn put_away(&mut self, id: RecordId) -> Result<()> {
        self.private.put_away(self.writer, id)?;
        self.touched.push(Touched { id, now: None });
        Ok(())
    }

    /// Brings an object back that was put away, as `change` makes it.
    pub(crate) fn bring_back(
        &mut self,
        id: RecordId,
        change: &dyn Fn(&mut Object) -> Result<()>,
    ) -> Result<()> {
        let (object, revision) = self.private.bring_back(self.writer, id, change)?;
        self.touched.push(Touched { id, now: Some((Key::new(object), revision)) });
        Ok(())
    }

    /// Adds an event to the audit log, which is there if the changes are.
    pub(crate) fn record(&mut self, trail: &Trail, event: Event) -> Result<()> {
        trail.append(self.writer, event)
    }

    /// The records under a field, of both halves.
    pub(crate) fn under(&mut self, field: &Field<'_>) -> Result<Vec<RecordId>> {
        let mut found = Vec::new();
        for private in [true, false] {
            let half = self.half(private);
            let tag = half.tag(field)?;
            let half = if private { &self.private } else { &self.public };
            found.extend(half.chain().records(self.writer, tag)?);
        }
        Ok(found)
    }
}

impl Partition {
    /// Runs `body` in a transaction; what it leaves behind is in the cache afterwards. The user must be
    /// logged in.
    pub(crate) fn transact(
        &self,
        durability: Durability,
        body: &mut dyn FnMut(&mut Transaction<'_>) -> Result<()>,
    ) -> Result<Vec<Arc<Loaded>>> {
        let (public, private) = (self.half(false)?, self.half(true)?);
        let space = public.space;
        let mut halves = Some((public, private));
        let mut touched = Vec::new();
        let hsm = self.hsm()?;
        let store = hsm.store()?;
        let mut work = |writer: &mut dyn Writer| {
            let (public, private) = halves.take().ok_or(Error::Conflict)?;
            #[cfg(test)]
            let writer = &mut faults::Faulty(writer);
            let mut transaction = Transaction { public, private, writer, touched: Vec::new() };
            body(&mut transaction)?;
            touched = transaction.touched;
            Ok(())
        };
        match durability {
            Durability::Now => store.write(space, &mut work)?,
            Durability::Soon => store.write_soon(space, &mut work)?,
        }
        Ok(touched.into_iter().filter_map(|touched| self.take_over(space, touched)).collect())
    }

    /// Brings the cache up to what a transaction did to an object.
    fn take_over(&self, space: PartitionId, touched: Touched) -> Option<Arc<Loaded>> {
        match touched.now {
            Some((key, revision)) => {
                if locate::is_destroyed(key.object()) {
                    self.forget_record(touched.id);
                }
                Some(self.remember(touched.id, key, (space, revision)))
            }
            None => {
                self.forget_record(touched.id);
                None
            }
        }
    }

    /// An object of either half by its record.
    pub(crate) fn load_record(&self, id: RecordId) -> Result<Arc<Loaded>> {
        if let Some(loaded) = self.current(id)? {
            return Ok(loaded);
        }
        if let Some(private) = self.cached_half(id) {
            return self.load_token(id, private);
        }
        match self.load_token(id, true) {
            Err(Error::NoSuchObject) => self.load_token(id, false),
            found => found,
        }
    }

    /// The records under a field, of both halves, as of one moment.
    pub(crate) fn records_under(&self, field: &Field<'_>) -> Result<Vec<RecordId>> {
        let halves = [self.half(true)?, self.half(false)?];
        let mut found = Vec::new();
        self.hsm()?.store()?.read(&mut |reader| {
            found.clear();
            for half in &halves {
                found.extend(half.chain().records(reader, half.tag(field)?)?);
            }
            Ok(())
        })?;
        Ok(found)
    }
}
