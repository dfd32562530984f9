//! Whether a key may be used: one function, which every Init call goes through, so that none forgets
//! a rule: not its type and size, nor its flags, nor the state that it is in.

use cryptoki_sys::*;

use super::table::{Function, Row, Unit};
use crate::error::{Error, Result};
use crate::object::lifecycle::{self, Action};
use crate::object::managed::SOFTHSM_RS_STATE;
use crate::object::material::Key;
use crate::object::{Object, Value, usage_mask};

/// Checks that `key` may serve `row`'s mechanism in `function`: its class, type and size, its usage
/// attribute and CKA_ALLOWED_MECHANISMS. The errors are those of a key;
/// for wrapping keys see [`as_wrapping`] and [`as_unwrapping`].
pub(crate) fn check(row: &Row, function: Function, key: &Key) -> Result<()> {
    check_object(function, Some(row.keys), key.object())?;
    if !allows(key.object(), |allowed| allowed.contains(&row.kind)) {
        return Err(Error::MechanismInvalid);
    }
    if !row.takes_bits(key.size_bits()) && !outgrows(row, function) {
        return Err(Error::KeySizeRange);
    }
    Ok(())
}

/// [`check`] where no mechanism is named, but the key types that what is done takes (`None`: any). A key
/// that is for some mechanisms only may not serve then. What a key's size may be is the operation's matter.
pub(crate) fn check_unnamed(function: Function, key_types: Option<&[u64]>, key: &Key) -> Result<()> {
    check_object(function, key_types, key.object())?;
    if allows(key.object(), |_| false) { Ok(()) } else { Err(Error::MechanismInvalid) }
}

/// [`check`] for a mechanism that makes the public key of a private one, which asks for no usage attribute, and for
/// no size: what it makes is no secret.
pub(crate) fn check_publishing(row: &Row, key: &Key) -> Result<()> {
    check_fitness(Function::Derive, Some(row.keys), key.object())?;
    let allowed = allows(key.object(), |allowed| allowed.contains(&row.kind));
    if allowed { Ok(()) } else { Err(Error::MechanismInvalid) }
}

/// Checks that a private key may sign certificates: its usage mask says so, or it may sign anything.
pub(crate) fn check_certifying(key_types: &[u64], key: &Key) -> Result<()> {
    let object = key.object();
    check_fitness(Function::Sign, Some(key_types), object)?;
    if !allows(object, |_| false) {
        return Err(Error::MechanismInvalid);
    }
    let may = object.flag(CKA_SIGN) || usage_mask::of(object) & usage_mask::CERTIFICATE_SIGN != 0;
    if may { Ok(()) } else { Err(Error::KeyFunctionNotPermitted) }
}

/// What a function asks of every key: its class and type, its state, its usage attribute.
fn check_object(function: Function, key_types: Option<&[u64]>, object: &Object) -> Result<()> {
    check_fitness(function, key_types, object)?;
    let (_, attribute) = needs(function);
    if object.flag(attribute) { Ok(()) } else { Err(Error::KeyFunctionNotPermitted) }
}

/// A key's class, type and state.
fn check_fitness(function: Function, key_types: Option<&[u64]>, object: &Object) -> Result<()> {
    let (classes, _) = needs(function);
    let Some(key_type) = object.key_type().filter(|_| object.class() != CKO_DOMAIN_PARAMETERS) else {
        return Err(Error::NoSuchKey);
    };
    let fits = key_types.is_none_or(|key_types| key_types.contains(&key_type));
    if !classes.contains(&object.class()) || !fits {
        return Err(Error::KeyTypeInconsistent);
    }
    check_state(function, object)
}

/// Checks that the state of a key, if it has one, allows what a function does with it.
pub(crate) fn check_state(function: Function, object: &Object) -> Result<()> {
    if object.get(SOFTHSM_RS_STATE).is_none() {
        return Ok(());
    }
    lifecycle::check(object, action(function), lifecycle::now())
}

/// Public operations of RSA and HMAC take keys outside the range in which keys are made: a caller who
/// verifies cannot choose the key.
fn outgrows(row: &Row, function: Function) -> bool {
    row.does(Function::Sign) && row.unit == Unit::Bytes && row.hash.is_some()
        || matches!(function, Function::Verify | Function::VerifyRecover) && row.keys == [CKK_RSA]
}

/// The classes of key that a function takes, and the attribute that allows it.
const fn needs(function: Function) -> (&'static [u64], u64) {
    const SECRET: u64 = CKO_SECRET_KEY;
    const PUBLIC: u64 = CKO_PUBLIC_KEY;
    const PRIVATE: u64 = CKO_PRIVATE_KEY;
    const OTP: u64 = CKO_OTP_KEY;
    match function {
        Function::Sign => (&[PRIVATE, SECRET, OTP], CKA_SIGN),
        Function::SignRecover => (&[PRIVATE], CKA_SIGN_RECOVER),
        Function::Verify => (&[PUBLIC, SECRET, OTP], CKA_VERIFY),
        Function::VerifyRecover => (&[PUBLIC], CKA_VERIFY_RECOVER),
        Function::Encrypt => (&[PUBLIC, SECRET], CKA_ENCRYPT),
        Function::Decrypt => (&[PRIVATE, SECRET], CKA_DECRYPT),
        Function::Wrap => (&[PUBLIC, SECRET], CKA_WRAP),
        Function::Unwrap => (&[PRIVATE, SECRET], CKA_UNWRAP),
        Function::Derive => (&[PRIVATE, SECRET], CKA_DERIVE),
        Function::Encapsulate => (&[PUBLIC], CKA_ENCAPSULATE),
        Function::Decapsulate => (&[PRIVATE], CKA_DECAPSULATE),
        // No key goes in.
        Function::Digest | Function::Generate | Function::GenerateKeyPair => (&[], CKA_CLASS),
    }
}

/// What a function does with a key, in the words of its life cycle.
const fn action(function: Function) -> Action {
    match function {
        Function::Sign
        | Function::SignRecover
        | Function::Encrypt
        | Function::Wrap
        | Function::Encapsulate => Action::Protect,
        Function::Verify
        | Function::VerifyRecover
        | Function::Decrypt
        | Function::Unwrap
        | Function::Decapsulate => Action::Process,
        Function::Derive => Action::Derive,
        Function::Digest | Function::Generate | Function::GenerateKeyPair => Action::Look,
    }
}

/// CKA_ALLOWED_MECHANISMS; an empty list, which is the default, restricts nothing (as in SoftHSM2).
fn allows(object: &Object, names: impl FnOnce(&[u64]) -> bool) -> bool {
    match object.get(CKA_ALLOWED_MECHANISMS) {
        Some(Value::Numbers(allowed)) => allowed.is_empty() || names(allowed),
        _ => true,
    }
}

/// [`check`] in the words of C_WrapKey.
pub(crate) fn as_wrapping(error: Error) -> Error {
    match error {
        Error::KeyTypeInconsistent => Error::WrappingKeyTypeInconsistent,
        Error::KeySizeRange => Error::WrappingKeySizeRange,
        Error::NoSuchKey | Error::NoSuchObject => Error::NoSuchWrappingKey,
        other => other,
    }
}

/// [`check`] in the words of C_UnwrapKey.
pub(crate) fn as_unwrapping(error: Error) -> Error {
    match error {
        Error::KeyTypeInconsistent => Error::UnwrappingKeyTypeInconsistent,
        Error::KeySizeRange => Error::UnwrappingKeySizeRange,
        Error::NoSuchKey | Error::NoSuchObject => Error::NoSuchUnwrappingKey,
        other => other,
    }
}
