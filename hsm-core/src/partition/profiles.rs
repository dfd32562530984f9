//! Profile objects: which profiles of the OASIS document "PKCS #11 Profiles" a token conforms to. PKCS #11 3.2,
//! section 4.15. They are in no store, and every token has the same.
//!
//! A search meets them only if it names their class or a profile: applications take what they find otherwise for
//! what was put there.

use cryptoki_sys::*;

use std::sync::Arc;

use super::Partition;
use super::handles::{Identity, Named};
use super::objects::Loaded;
use crate::error::{Error, Result};
use crate::object::find::Search;
use crate::object::material::Key;
use crate::object::{Object, Value};

/// The profiles with their names there. A public-certificates token is none: what certificates are on a token,
/// and under which attributes, is its users' matter.
const PROFILES: [(u64, &str); 3] = [
    (CKP_BASELINE_PROVIDER, "Baseline Provider"),
    (CKP_EXTENDED_PROVIDER, "Extended Provider"),
    (CKP_AUTHENTICATION_TOKEN, "Authentication Token"),
];

impl Partition {
    /// The object of a profile.
    pub(super) fn profile(&self, profile: u64) -> Result<Arc<Loaded>> {
        let (_, name) = PROFILES.iter().find(|(known, _)| *known == profile).ok_or(Error::NoSuchObject)?;
        let key = Key::new(object(profile, name));
        Ok(Arc::new(Loaded::apart(Identity::Profile(profile), key, self.space())))
    }

    /// The profile objects among what a search finds.
    pub(super) fn search_profiles(&self, search: &Search) -> Vec<Named> {
        if !search.names(CKA_PROFILE_ID) && !search.wants_class(CKO_PROFILE) {
            return Vec::new();
        }
        let matching = PROFILES.iter().filter(|(profile, name)| search.matches(&object(*profile, name)));
        matching.map(|(profile, _)| Named { identity: Identity::Profile(*profile), private: false }).collect()
    }
}

fn object(profile: u64, name: &str) -> Object {
    let mut object = Object::default();
    object.set(CKA_CLASS, Value::Number(CKO_PROFILE));
    object.set(CKA_TOKEN, Value::Bool(true));
    for absent in [CKA_PRIVATE, CKA_MODIFIABLE, CKA_COPYABLE, CKA_DESTROYABLE] {
        object.set(absent, Value::Bool(false));
    }
    object.set(CKA_LABEL, Value::Bytes(name.into()));
    object.set(CKA_UNIQUE_ID, Value::Bytes(format!("profile-{profile}").into_bytes()));
    object.set(CKA_PROFILE_ID, Value::Number(profile));
    object
}
