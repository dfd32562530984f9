//! Keys of one-time passwords (CKO_OTP_KEY): what their attributes may say, and the counter that those of OATH HOTP
//! have inside. PKCS #11 3.2, sections 6.53.5 and 6.53.9.

use std::ops::RangeInclusive;

use cryptoki_sys::*;

use super::{Object, Value};
use crate::error::{Error, Result};

/// The lengths that a password may have, in digits. RFC 4226, section 5.3.
pub(crate) const DIGITS: RangeInclusive<u64> = 6..=8;
/// The lengths that a key may have, in bytes: 128 bits at least (RFC 4226, section 4, R6), and as many as SHA-1 takes at
/// once: a longer one would be no stronger than its digest.
pub(crate) const KEY_BYTES: RangeInclusive<usize> = 16..=64;

/// Checks the attributes of a HOTP key: its passwords are decimal, and of its key and its counter alone.
pub(super) fn settle(object: &mut Object) -> Result<()> {
    let is = |kind, holds: &dyn Fn(u64) -> bool| {
        if object.number(kind).is_some_and(holds) { Ok(()) } else { Err(Error::AttributeValueInvalid(kind)) }
    };
    is(CKA_OTP_FORMAT, &|format| format == CK_OTP_FORMAT_DECIMAL)?;
    is(CKA_OTP_LENGTH, &|digits| DIGITS.contains(&digits))?;
    for kind in [CKA_OTP_CHALLENGE_REQUIREMENT, CKA_OTP_TIME_REQUIREMENT, CKA_OTP_PIN_REQUIREMENT] {
        is(kind, &|requirement| requirement == CK_OTP_PARAM_IGNORED)?;
    }
    is(CKA_OTP_COUNTER_REQUIREMENT, &|requirement| requirement <= CK_OTP_PARAM_MANDATORY)?;
    if !object.bytes(CKA_OTP_TIME).is_empty() {
        return Err(Error::AttributeValueInvalid(CKA_OTP_TIME));
    }
    if object.bytes(CKA_OTP_COUNTER).is_empty() {
        put_counter(object, 0);
    }
    counter(object).map(drop)
}

/// The counter of a HOTP key: that of the next password.
///
/// # Errors
/// [`Error::AttributeValueInvalid`].
pub(crate) fn counter(object: &Object) -> Result<u64> {
    let bytes = object.bytes(CKA_OTP_COUNTER).try_into();
    bytes.map(u64::from_be_bytes).map_err(|_| Error::AttributeValueInvalid(CKA_OTP_COUNTER))
}

/// Leaves a HOTP key that is put back as it was before the counter that it has now: no password is made twice.
pub(crate) fn keep_counter(now: &Object, back: &mut Object) {
    if let (Ok(now), Ok(then)) = (counter(now), counter(back)) {
        put_counter(back, now.max(then));
    }
}

/// Sets the counter of a HOTP key.
pub(crate) fn put_counter(object: &mut Object, counter: u64) {
    object.set(CKA_OTP_COUNTER, Value::Bytes(counter.to_be_bytes().to_vec()));
}
