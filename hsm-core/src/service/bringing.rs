//! Objects that come from another token with all that it said of them. They come in together or not at all, and
//! what is here already is left as it is, so that whoever was interrupted begins again.

use cryptoki_sys::*;

use crate::audit::acts;
use crate::error::{Error, Result};
use crate::object::find::Search;
use crate::object::material::Key;
use crate::object::template::{self, Author};
use crate::object::{Object, Template, Value, rules, values};
use crate::partition::Named;
use crate::service::Provenance;
use crate::session::{Role, Session};

/// What became of an object that was brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It was added.
    Added,
    /// The token has it already: the same class, label, id and value.
    Present,
}

/// What no template says, and another token did: where a key was made, and whether it ever was in clear.
const HISTORY: [u64; 4] = [CKA_LOCAL, CKA_KEY_GEN_MECHANISM, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE];

/// What makes two objects of one class, label and id the same.
const SAME: [u64; 16] = [
    CKA_KEY_TYPE,
    CKA_PRIVATE,
    CKA_APPLICATION,
    CKA_OBJECT_ID,
    CKA_VALUE,
    CKA_MODULUS,
    CKA_PUBLIC_EXPONENT,
    CKA_PRIVATE_EXPONENT,
    CKA_PRIME,
    CKA_SUBPRIME,
    CKA_BASE,
    CKA_EC_PARAMS,
    CKA_EC_POINT,
    CKA_ISSUER,
    CKA_SERIAL_NUMBER,
    CKA_URL,
];

/// Checks that objects could be brought, each for itself, without touching anything.
///
/// # Errors
/// As [`Session::bring`] finds them in one object.
pub fn check(template: &Template) -> Result<()> {
    settled(duplicate(template), true).map(drop)
}

/// The SubjectPublicKeyInfo that belongs to a key that is to be brought; empty for other objects.
///
/// # Errors
/// As [`check`].
pub fn public_key_info(template: &Template) -> Result<Vec<u8>> {
    Ok(settled(duplicate(template), false)?.object().bytes(CKA_PUBLIC_KEY_INFO).to_vec())
}

impl Session {
    /// Brings objects of another token. `so_pin` is the SO's word for what no user may say: CKA_TRUSTED and where
    /// and how keys were made. Without it keys are not trusted, and known as brought from outside.
    ///
    /// # Errors
    /// Those of the templates and of the session's rights, and of the SO's PIN; [`Error::ActionProhibited`] for key
    /// material where import tokens are enforced. Nothing was added then.
    pub fn bring(&self, objects: &[Template], so_pin: Option<&[u8]>) -> Result<Vec<Fate>> {
        if let Some(pin) = so_pin {
            self.partition().check_pin(Role::So, pin, acts::BRING_OBJECTS)?;
        }
        let mut fates = Vec::with_capacity(objects.len());
        let mut fresh = Vec::new();
        let mut found = Vec::new();
        for template in objects {
            let key = settled(duplicate(template), so_pin.is_some())?;
            self.may_change(true, key.object().is_private())?;
            Provenance::Brought.check(key.object(), || self.tokens_enforced())?;
            // Each that is here stands for one that is brought: a token may hold two that are the same.
            match self.same(key.object(), &found)? {
                Some(here) => {
                    found.push(here);
                    fates.push(Fate::Present);
                }
                None => {
                    fresh.push(key);
                    fates.push(Fate::Added);
                }
            }
        }
        if !fresh.is_empty() {
            self.partition().insert_token(fresh, acts::BRING_OBJECTS)?;
        }
        Ok(fates)
    }

    /// The token's object that is the same as another one, but for those that were found before.
    fn same(&self, object: &Object, before: &[Named]) -> Result<Option<Named>> {
        let mut template = vec![(CKA_TOKEN, Value::Bool(true))];
        for kind in [CKA_CLASS, CKA_LABEL, CKA_ID] {
            template.extend(object.get(kind).map(|value| (kind, value.duplicate())));
        }
        for named in self.partition().search(&Search::new(template))? {
            if before.iter().any(|other| other.identity == named.identity) {
                continue;
            }
            let here = match self.present(named) {
                Err(Error::NoSuchObject) => continue,
                here => here?,
            };
            if SAME.iter().all(|kind| agree(object.get(*kind), here.object().get(*kind))) {
                return Ok(Some(named));
            }
        }
        Ok(None)
    }
}

fn agree(one: Option<&Value>, other: Option<&Value>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.equals(other),
        (None, None) => true,
        _ => false,
    }
}

fn duplicate(template: &Template) -> Template {
    template.iter().map(|(kind, value)| (*kind, value.duplicate())).collect()
}

/// The object that a template makes here, with its history if somebody vouches for it. What follows from the value
/// is worked out anew.
fn settled(mut template: Template, vouched: bool) -> Result<Key> {
    let class = template::number_in(&template, CKA_CLASS)?.ok_or(Error::TemplateIncomplete(CKA_CLASS))?;
    let key_type = template::number_in(&template, CKA_KEY_TYPE)?;
    let history: Template =
        template.extract_if(.., |(kind, _)| HISTORY.contains(kind)).filter(|_| vouched).collect();
    // Footnote 2: what C_CreateObject does not take.
    template.retain(|(kind, _)| rules::row(*kind, class, key_type).is_none_or(|row| !row.notes.has(2)));
    template.retain(|(kind, _)| *kind != CKA_TOKEN && (vouched || *kind != CKA_TRUSTED));
    template.push((CKA_TOKEN, Value::Bool(true)));
    let author = if vouched { Author::SECURITY_OFFICER } else { Author::ORDINARY };
    let settled = values::settle(template::create(template, author)?)?;
    Ok(history.into_iter().fold(settled, |key, (kind, value)| {
        let fits = rules::row(kind, class, key_type).is_some_and(|row| value.has_type(row.value));
        if fits { key.with(kind, value) } else { key }
    }))
}
