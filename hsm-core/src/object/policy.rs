//! What `policy = "strict"` refuses of objects beyond the standard: key separation (NIST SP 800-57 part 1 revision 5,
//! section 5.2), and which keys may carry others out. docs/attacks.md says which attack each rule ends.

use cryptoki_sys::*;

use super::template::Origin;
use super::{Object, Value, strength};
use crate::error::{Error, Result};

/// How much is refused that the standard leaves open.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Policy {
    /// As SoftHSM2: nothing, since applications rely on it.
    #[default]
    Compatible,
    /// What a caller could bring a key out with.
    Strict,
}

/// What a key may be for. PKCS #11 3.2, sections 4.10 to 4.12.
const USES: [u64; 11] = [
    CKA_WRAP,
    CKA_UNWRAP,
    CKA_ENCRYPT,
    CKA_DECRYPT,
    CKA_SIGN,
    CKA_SIGN_RECOVER,
    CKA_VERIFY,
    CKA_VERIFY_RECOVER,
    CKA_DERIVE,
    CKA_ENCAPSULATE,
    CKA_DECAPSULATE,
];

/// What uses have in common. One key has uses of one purpose: with those of two, what one hides another gives out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Bringing keys out and in.
    Carrying,
    /// Making keys of a secret.
    Deriving,
    /// Everything else.
    Using,
}

impl Purpose {
    /// The purpose of a use of a secret or private key.
    fn of(key: &Object, kind: u64) -> Purpose {
        match kind {
            CKA_WRAP | CKA_UNWRAP => Purpose::Carrying,
            // ML-KEM's keys are for nothing else; with others it is unwrapping, or agreement, by another name.
            CKA_DECAPSULATE if key.key_type() != Some(CKK_ML_KEM) => Purpose::Carrying,
            // What a signature or cipher gives out is what a pseudorandom function makes of the same key.
            CKA_DERIVE if key.is_secret_key() => Purpose::Deriving,
            _ => Purpose::Using,
        }
    }
}

/// What a public key does is done as well outside.
fn is_public(key: &Object) -> bool {
    key.class() == CKO_PUBLIC_KEY
}

impl Policy {
    fn is_strict(self) -> bool {
        self == Policy::Strict
    }

    /// Narrows a new object, whose template gave the attributes `given`: what it did not ask for it does not get.
    ///
    /// # Errors
    /// [`Error::TemplateInconsistent`] where it asked for what does not go together.
    pub(super) fn narrow(self, object: &mut Object, origin: Origin<'_>, given: &[u64]) -> Result<()> {
        if !self.is_strict() || object.key_type().is_none() {
            return Ok(());
        }
        separate(object, given)?;
        for (kind, flag) in [(CKA_SENSITIVE, true), (CKA_EXTRACTABLE, false)] {
            if object.get(kind).is_some() && !given.contains(&kind) {
                object.set(kind, Value::Bool(flag));
            }
        }
        match origin {
            Origin::Unwrap => {
                keep(object, given, CKA_SENSITIVE, true)?;
                keep(object, given, CKA_EXTRACTABLE, false)?;
            }
            Origin::Derive(base) => {
                if base.flag(CKA_SENSITIVE) {
                    keep(object, given, CKA_SENSITIVE, true)?;
                }
                if !base.flag(CKA_EXTRACTABLE) {
                    keep(object, given, CKA_EXTRACTABLE, false)?;
                }
            }
            Origin::Create | Origin::Generate(_) => {}
        }
        // Who can have a value made a second time would have it once to wrap, and once to decrypt.
        if !is_made_once(origin) && !is_public(object) {
            for kind in [CKA_WRAP, CKA_UNWRAP] {
                keep(object, given, kind, false)?;
            }
        }
        Ok(())
    }

    /// Checks a key pair, whose public key wraps what its private key must not decrypt.
    ///
    /// # Errors
    /// [`Error::TemplateInconsistent`].
    pub(crate) fn check_pair(self, public: &Object, private: &Object) -> Result<()> {
        if self.is_strict() && public.flag(CKA_WRAP) && private.flag(CKA_DECRYPT) {
            return Err(Error::TemplateInconsistent(CKA_DECRYPT));
        }
        Ok(())
    }

    /// Checks an attribute's change: what a key is for is only ever taken away.
    ///
    /// # Errors
    /// [`Error::AttributeReadOnly`].
    pub(super) fn check_change(self, object: &Object, kind: u64, value: &Value) -> Result<()> {
        if self.is_strict()
            && USES.contains(&kind)
            && !object.flag(kind)
            && matches!(value, Value::Bool(true))
        {
            return Err(Error::AttributeReadOnly(kind));
        }
        Ok(())
    }

    /// Checks a finished key: secret and private keys have the least strength that SP 800-131A revision 2 allows.
    ///
    /// # Errors
    /// [`Error::KeySizeRange`].
    pub(crate) fn check_strength(self, key: &Object) -> Result<()> {
        if self.is_strict() && key.is_private_or_secret_key() && strength::bits(key) < strength::LEAST {
            return Err(Error::KeySizeRange);
        }
        Ok(())
    }

    /// Checks that a key may carry another out: the SO trusts it, or nobody knows its value and it is as strong as
    /// what it carries.
    ///
    /// # Errors
    /// [`Error::KeyFunctionNotPermitted`], [`Error::WrappingKeySizeRange`].
    pub(crate) fn check_wrapping(self, wrapping: &Object, key: &Object) -> Result<()> {
        if !self.is_strict() {
            return Ok(());
        }
        self.check_purpose(wrapping)?;
        if wrapping.flag(CKA_TRUSTED) {
            return Ok(());
        }
        if wrapping.class() != CKO_SECRET_KEY || !is_known_to_nobody(wrapping) {
            return Err(Error::KeyFunctionNotPermitted);
        }
        if strength::bits(wrapping) < strength::bits(key) {
            return Err(Error::WrappingKeySizeRange);
        }
        Ok(())
    }

    /// Checks that a key may bring others in, or make others: that it has one purpose. It may have been made under no
    /// policy, or at another door.
    ///
    /// # Errors
    /// [`Error::KeyFunctionNotPermitted`].
    pub(crate) fn check_purpose(self, key: &Object) -> Result<()> {
        if self.is_strict() && !has_one_purpose(key) { Err(Error::KeyFunctionNotPermitted) } else { Ok(()) }
    }

    /// Checks that a key may be copied: of one with two purposes each copy could keep one, and each copy of one for
    /// one-time passwords would give the same ones.
    ///
    /// # Errors
    /// [`Error::ActionProhibited`].
    pub(super) fn check_copy(self, key: &Object) -> Result<()> {
        let may = has_one_purpose(key) && key.class() != CKO_OTP_KEY;
        if self.is_strict() && !may { Err(Error::ActionProhibited) } else { Ok(()) }
    }
}

/// Leaves a new key the uses of the one purpose that its template asks for; without being asked none carries.
fn separate(object: &mut Object, given: &[u64]) -> Result<()> {
    for kind in [CKA_WRAP, CKA_UNWRAP] {
        if !given.contains(&kind) {
            keep(object, given, kind, false)?;
        }
    }
    if is_public(object) {
        return Ok(());
    }
    let asked = USES.into_iter().find(|kind| given.contains(kind) && object.flag(*kind));
    let Some(purpose) = asked.map(|kind| Purpose::of(object, kind)) else { return Ok(()) };
    for kind in USES {
        if Purpose::of(object, kind) != purpose {
            keep(object, given, kind, false)?;
        }
    }
    Ok(())
}

/// Whether a key has uses of one purpose at most.
fn has_one_purpose(key: &Object) -> bool {
    let mut purposes = USES.into_iter().filter(|kind| key.flag(*kind)).map(|kind| Purpose::of(key, kind));
    let first = purposes.next();
    is_public(key) || purposes.all(|purpose| Some(purpose) == first)
}

/// Sets a flag that the template left open; one that it gave must be so.
fn keep(object: &mut Object, given: &[u64], kind: u64, flag: bool) -> Result<()> {
    if object.get(kind).is_none() || object.flag(kind) == flag {
        return Ok(());
    }
    if given.contains(&kind) {
        return Err(Error::TemplateInconsistent(kind));
    }
    object.set(kind, Value::Bool(flag));
    Ok(())
}

/// Whether nobody can have the same value made again.
fn is_made_once(origin: Origin<'_>) -> bool {
    match origin {
        Origin::Generate(mechanism) => mechanism != CKM_PKCS5_PBKD2,
        Origin::Create => true,
        Origin::Unwrap | Origin::Derive(_) => false,
    }
}

/// Whether a key was drawn here and has been inside ever since.
fn is_known_to_nobody(key: &Object) -> bool {
    let drawn = key.flag(CKA_LOCAL) && key.number(CKA_KEY_GEN_MECHANISM) != Some(CKM_PKCS5_PBKD2);
    drawn && key.flag(CKA_ALWAYS_SENSITIVE) && key.flag(CKA_NEVER_EXTRACTABLE)
}
