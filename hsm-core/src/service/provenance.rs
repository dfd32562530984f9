//! Where an object that is added comes from, and whether it may: where a partition's policies say that key material
//! comes in by import token alone, every other way in is closed. Whoever adds an object says which way it came, so
//! that no door forgets to ask.

use crate::error::{Error, Result};
use crate::mechanism::table::{Function, Row};
use crate::object::Object;
use crate::object::managed::ObjectType;

/// Where the value of an object comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Provenance {
    /// It was made here, or of what is here: generated, derived, copied, joined.
    Inside,
    /// It was encrypted for the import token, and the nonce was the token's.
    Redeemed,
    /// Somebody brought it in any other way.
    Brought,
}

impl Provenance {
    /// Where the value of a key comes from that a mechanism makes.
    pub(super) fn of(row: &Row, function: Function) -> Provenance {
        if row.lets_choose(function) { Provenance::Brought } else { Provenance::Inside }
    }

    /// Checks that an object may come in; `enforced` says whether import tokens are. Session objects are no
    /// exception: they could be copied to the token.
    ///
    /// # Errors
    /// [`Error::ActionProhibited`]; those of `enforced`.
    pub(super) fn check(self, object: &Object, enforced: impl FnOnce() -> Result<bool>) -> Result<()> {
        if self == Provenance::Brought && is_key_material(object) && enforced()? {
            return Err(Error::ActionProhibited);
        }
        Ok(())
    }
}

/// Certificates, public keys and data are none.
fn is_key_material(object: &Object) -> bool {
    object.is_private_or_secret_key()
        || matches!(
            ObjectType::of(object),
            ObjectType::SymmetricKey
                | ObjectType::PrivateKey
                | ObjectType::SplitKey
                | ObjectType::SecretData
                | ObjectType::PgpKey
        )
}
