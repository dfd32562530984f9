//! Searching a partition's objects: by the sealed index where it knows the attribute, by looking at each where not.

use std::sync::PoisonError;

use super::Partition;
use super::half::Half;
use super::handles::{Identity, Named};
use crate::error::{Error, Result};
use crate::object::find::Search;
use crate::object::lifecycle;
use crate::session::LoginState;

impl Partition {
    /// The objects that a search finds, as this process's login lets it see them.
    pub(crate) fn search(&self, search: &Search) -> Result<Vec<Named>> {
        let mut found = Vec::new();
        if search.wants_token() != Some(true) {
            let objects = self.session_objects.read().unwrap_or_else(PoisonError::into_inner);
            let matching = objects.objects.values().filter(|(_, loaded)| search.matches(loaded.object()));
            found.extend(matching.map(|(_, loaded)| loaded.named()));
        }
        if search.wants_token() == Some(false) {
            return Ok(found);
        }
        if search.wants_private() != Some(true) {
            self.search_half(&self.half(false)?, search, &mut found)?;
            found.extend(self.search_profiles(search));
        }
        if search.wants_private() != Some(false) && self.login_state() == LoginState::User {
            self.search_half(&self.half(true)?, search, &mut found)?;
            found.extend(self.search_import_token(search, lifecycle::now())?);
        }
        Ok(found)
    }

    fn search_half(&self, half: &Half, search: &Search, found: &mut Vec<Named>) -> Result<()> {
        let field = search.field();
        let tag = half.tag(&field)?;
        let mut ids = Vec::new();
        self.hsm()?.store()?.read(&mut |reader| {
            ids = half.chain().records(reader, tag)?;
            Ok(())
        })?;
        for id in ids {
            let named = Named { identity: Identity::Token(id), private: half.private };
            // The index alone answers a search for one indexed attribute.
            let matches = search.is_answered_by(&field)
                || match self.load_token(id, half.private) {
                    Ok(loaded) => search.matches(loaded.object()),
                    // Destroyed by another process since the index was read.
                    Err(Error::NoSuchObject) => false,
                    Err(error) => return Err(error),
                };
            if matches {
                found.push(named);
            }
        }
        Ok(())
    }
}
