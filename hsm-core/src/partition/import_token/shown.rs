//! The import token as the two objects that PKCS #11 and KMIP show of it while it is alive. A process builds them
//! when they are first looked for, and as long as the partition's change counter stands still it asks the store
//! nothing: neither where there is a token, nor where there is none.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};

use cryptoki_sys::*;

use crate::error::{Error, Result};
use crate::import_token::{self, Id, ImportToken, KeyPair, LABEL};
use crate::object::Value;
use crate::object::find::Search;
use crate::object::lifecycle::Seconds;
use crate::partition::handles::{Identity, Named};
use crate::partition::objects::Loaded;
use crate::partition::{Login, ObjectHandle, Partition, locked};
use crate::store::PartitionId;

/// What this process knows of the import token.
pub(crate) struct Shown {
    space: PartitionId,
    /// The record's revision; `None` where there is no record.
    revision: Option<u64>,
    /// The change counter at which the revision was last compared with the store.
    checked: AtomicU64,
    pair: Option<Pair>,
}

/// The two objects of a token that has its private key.
struct Pair {
    id: Id,
    expires: Seconds,
    seen: Seconds,
    public: Arc<Loaded>,
    private: Arc<Loaded>,
}

impl Pair {
    fn has_expired(&self, now: Seconds) -> bool {
        self.seen.max(now) >= self.expires
    }
}

impl Partition {
    /// What there is, as of now.
    fn shown(&self) -> Result<Arc<Shown>> {
        let half = self.half(true)?;
        let hsm = self.hsm()?;
        let store = hsm.store()?;
        // Read before the record: a change in between is then seen at the next look.
        let generation = store.generation(half.space)?;
        let known = locked(&self.shown).clone().filter(|known| known.space == half.space);
        if let Some(known) = &known
            && generation.is_some_and(|now| now == known.checked.load(Ordering::Acquire))
        {
            return Ok(known.clone());
        }
        let place = half.token_place()?;
        let mut fresh = None;
        store.read(&mut |reader| {
            let revision = reader.revision(half.space, place)?;
            let is_known = known.as_ref().is_some_and(|known| known.revision == revision);
            fresh = if is_known { None } else { Some((half.token(reader)?, revision)) };
            Ok(())
        })?;
        let shown = match (fresh, known) {
            (None, Some(known)) => known,
            (fresh, _) => {
                let (token, revision) = fresh.unwrap_or_default();
                let pair = token.map(|token| Pair::of(&token, half.space)).transpose()?.flatten();
                Arc::new(Shown { space: half.space, revision, checked: AtomicU64::new(u64::MAX), pair })
            }
        };
        shown.checked.store(generation.unwrap_or(u64::MAX), Ordering::Release);
        // Not after the login that unsealed it has ended.
        let login = self.login.read().unwrap_or_else(PoisonError::into_inner);
        if matches!(*login, Login::User(_)) {
            *locked(&self.shown) = Some(shown.clone());
        }
        Ok(shown)
    }

    /// One of the import token's objects.
    ///
    /// # Errors
    /// [`Error::NoSuchObject`] where the token is another one or has expired, which ends it for good, or where
    /// the user is not logged in.
    pub(crate) fn import_token_key(&self, id: Id, private: bool, now: Seconds) -> Result<Arc<Loaded>> {
        let shown = self.shown()?;
        let pair = shown.pair.as_ref().filter(|pair| pair.id == id).ok_or(Error::NoSuchObject)?;
        if pair.has_expired(now) {
            self.end_import_token(now)?;
            return Err(Error::NoSuchObject);
        }
        Ok(if private { &pair.private } else { &pair.public }.clone())
    }

    /// Whether a handle stands for a key of the import token, also of one that has ended.
    pub(crate) fn is_import_token(&self, handle: ObjectHandle) -> bool {
        let handles = self.handles.read().unwrap_or_else(PoisonError::into_inner);
        handles.named(handle).is_some_and(|named| matches!(named.identity, Identity::ImportToken { .. }))
    }

    /// The import token's objects among what a search finds.
    pub(in crate::partition) fn search_import_token(
        &self,
        search: &Search,
        now: Seconds,
    ) -> Result<Vec<Named>> {
        if !may_be_sought(search) {
            return Ok(Vec::new());
        }
        let shown = self.shown()?;
        let Some(pair) = shown.pair.as_ref().filter(|pair| !pair.has_expired(now)) else {
            return Ok(Vec::new());
        };
        let both = [&pair.public, &pair.private].into_iter();
        Ok(both.filter(|key| search.matches(key.object())).map(|key| key.named()).collect())
    }
}

impl Pair {
    fn of(token: &ImportToken, space: PartitionId) -> Result<Option<Pair>> {
        let Some(KeyPair { id, public, private }) = import_token::key_pair(token)? else { return Ok(None) };
        let loaded =
            |key, private| Arc::new(Loaded::apart(Identity::ImportToken { id, private }, key, space));
        Ok(Some(Pair {
            id,
            expires: token.metadata().expiration,
            seen: token.seen(),
            public: loaded(public, false),
            private: loaded(private, true),
        }))
    }
}

/// Whether a search may mean the import token, by what every one of them says of itself: most searches for keys
/// do not, and cost nothing more.
fn may_be_sought(search: &Search) -> bool {
    let says = |kind, value: Value| !search.contradicts(kind, &value);
    [CKO_PUBLIC_KEY, CKO_PRIVATE_KEY].into_iter().any(|class| says(CKA_CLASS, Value::Number(class)))
        && says(CKA_LABEL, Value::Bytes(LABEL.into()))
        && says(CKA_KEY_TYPE, Value::Number(CKK_RSA))
}
