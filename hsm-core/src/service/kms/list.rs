//! Looking at keys: one, or those that a filter lets through.

use cryptoki_sys::CKA_VALUE;

use super::{Kms, Named, deeds};
use crate::error::{Error, Result};
use crate::kms::{Action, KeyRecord, KeyState, Kind, Reason, Refusal};
use crate::partition::{Index, KmsView, ObjectId};
use crate::secret::Secret;

/// How many keys a list has where nobody says, and at most; a text is sought among no more either.
const LISTED: usize = 200;
const MOST_LISTED: usize = 5000;

/// Which keys to list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filter {
    /// Those in these states; by default in all but Destroyed.
    pub states: Vec<KeyState>,
    /// Those of a key ring.
    pub ring: Option<String>,
    /// Those of a kind.
    pub kind: Option<Kind>,
    /// Those that have this text in their name or an alias, in upper or lower case.
    pub search: Option<String>,
    /// How many to pass over.
    pub offset: usize,
    /// How many to answer, at most 5000.
    pub limit: usize,
}

impl Default for Filter {
    fn default() -> Filter {
        Filter {
            states: vec![KeyState::Active, KeyState::Suspended, KeyState::Deactivated],
            ring: None,
            kind: None,
            search: None,
            offset: 0,
            limit: LISTED,
        }
    }
}

/// A list of keys, in an order that stays.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listing {
    /// How many the filter lets through.
    pub total: usize,
    /// Those of them that were asked for.
    pub keys: Vec<KeyRecord>,
}

impl Filter {
    fn wants(&self, state: KeyState) -> bool {
        self.states.contains(&state)
    }

    /// Under what the keys stand that it may let through.
    fn indexes(&self) -> Vec<Index<'_>> {
        if let Some(ring) = &self.ring {
            return vec![Index::Ring(ring)];
        }
        let live = KeyState::ALL.into_iter().any(|state| state != KeyState::Destroyed && self.wants(state));
        let mut out = Vec::new();
        out.extend(live.then_some(Index::Live));
        out.extend(self.wants(KeyState::Destroyed).then_some(Index::Deleted));
        out
    }

    /// Whether it lets everything through that stands there, so that only what is answered need be read.
    fn is_answered_by_index(&self) -> bool {
        let live = [KeyState::Active, KeyState::Suspended, KeyState::Deactivated];
        let wanted = live.iter().filter(|state| self.wants(**state)).count();
        self.ring.is_none() && self.kind.is_none() && self.search.is_none() && matches!(wanted, 0 | 3)
    }

    fn matches(&self, key: &KeyRecord, now: i64) -> bool {
        let has = |text: &str, part: &str| text.to_lowercase().contains(part);
        self.wants(key.state(now))
            && self.kind.is_none_or(|kind| key.kind == kind)
            && self
                .search
                .as_ref()
                .map(|part| part.to_lowercase())
                .is_none_or(|part| has(&key.name, &part) || key.aliases.iter().any(|alias| has(alias, &part)))
    }
}

impl Kms<'_> {
    /// What is known of a key, by its identifier or an alias, also of a deleted one.
    ///
    /// # Errors
    /// [`Reason::NotFound`]; those of the store.
    pub fn key(&self, key: &str) -> Result<KeyRecord> {
        let key = Named::new(key);
        let found = self.look(|view| key.find(view)).map(|key| self.seen(key));
        self.used(&deeds::METADATA, Some(&key), found)
    }

    /// The keys that a text names: the one of that identifier or alias; else all of that name, deleted ones too.
    /// People name keys so; every other call wants an identifier or alias. It is no event: what follows is.
    ///
    /// # Errors
    /// Those of the session's rights and of the store.
    pub fn named(&self, text: &str) -> Result<Vec<KeyRecord>> {
        self.look(|view| {
            match Named::new(text).find(view) {
                Ok(key) => return Ok(vec![key]),
                Err(Error::Kms(Refusal { reason: Reason::NotFound, .. })) => {}
                Err(error) => return Err(error),
            }
            let mut named = Vec::new();
            for index in [Index::Live, Index::Deleted] {
                for place in view.under(index)? {
                    named.push(view.named(place)?);
                }
            }
            named.retain(|key: &KeyRecord| key.name == text);
            Ok(named)
        })
    }

    /// A key with its payload, which only a standard key that is not deleted gives out.
    ///
    /// # Errors
    /// As [`Kms::key`].
    pub fn read(&self, key: &str) -> Result<(KeyRecord, Option<Secret>)> {
        let key = Named::new(key);
        let read = || {
            let record = self.seen(self.look(|view| key.find(view))?);
            let may = record.is_extractable() && record.allow(Action::Read, self.now()).is_ok();
            let payload = if may { self.payload(record.id.into())? } else { None };
            Ok((record, payload))
        };
        self.used(&deeds::READ, Some(&key), read())
    }

    fn payload(&self, id: ObjectId) -> Result<Option<Secret>> {
        match self.session.partition().load_record(id) {
            Ok(loaded) => Ok(Some(Secret::copy_of(loaded.object().bytes(CKA_VALUE)))),
            // Deleted since.
            Err(Error::NoSuchObject) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The keys that a filter lets through.
    ///
    /// # Errors
    /// [`Reason::Field`] for a limit above 5000; [`Reason::SearchTooBroad`] for a text that is sought among more than
    /// 5000 keys; those of the store.
    pub fn list(&self, filter: &Filter) -> Result<Listing> {
        let listed = self.look(|view| self.listed(view, filter));
        self.used(&deeds::LIST, None, listed)
    }

    fn listed(&self, view: &mut KmsView<'_>, filter: &Filter) -> Result<Listing> {
        if filter.limit > MOST_LISTED {
            return Err(Reason::Field { name: "limit", must: "at most 5000" }.into());
        }
        let mut places = Vec::new();
        for index in filter.indexes() {
            places.extend(view.under(index)?);
        }
        if filter.search.is_some() && places.len() > MOST_LISTED {
            return Err(Reason::SearchTooBroad.into());
        }
        let limit = filter.limit;
        let by_index = filter.is_answered_by_index();
        let mut listing = Listing { total: if by_index { places.len() } else { 0 }, keys: Vec::new() };
        let (from, most) = if by_index { (filter.offset, limit) } else { (0, usize::MAX) };
        for place in places.into_iter().skip(from).take(most) {
            let key = view.named(place)?;
            if by_index {
                listing.keys.push(key);
            } else if filter.matches(&key, self.now()) {
                if listing.total >= filter.offset && listing.keys.len() < limit {
                    listing.keys.push(key);
                }
                listing.total += 1;
            }
        }
        Ok(listing)
    }
}
