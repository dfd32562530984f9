//! OATH HOTP: one-time passwords of a key and a counter. RFC 4226; PKCS #11 3.2, section 6.53.9. Who has a password
//! computed says of which counter; the key's own is moved on by `partition::count`.

use cryptoki_sys::*;

use super::params::Parameter;
use super::scheme::Scheme;
use super::table::Row;
use crate::crypto::{self, Hash};
use crate::error::{Error, Result};
use crate::object::Object;
use crate::object::material::Key;
use crate::object::otp::DIGITS;
use crate::secret::Secret;

/// How many passwords of a key's own counter are looked at in a verification: the one that is due, and those after it, of
/// which the user had some made in vain. RFC 4226, section 7.4.
const LOOK_AHEAD: u64 = 5;

/// Flags that say nothing to a mechanism without what they exclude. Section 6.53.7.1.
const WITHOUT_EFFECT: CK_FLAGS = CKF_EXCLUDE_TIME | CKF_EXCLUDE_CHALLENGE | CKF_EXCLUDE_PIN;

/// What a caller says of a one-time password.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Hotp {
    /// Its counter.
    counter: Option<u64>,
    /// Whether the one after it is meant.
    next: bool,
    /// Whether people are to read it.
    friendly: bool,
    /// Its length in digits.
    digits: Option<u64>,
}

/// CKM_HOTP. Without a parameter everything is as the key says.
pub(super) fn hotp(_: &Row, parameter: &Parameter) -> Result<Scheme> {
    let (counter, flags, length, format) = match parameter {
        Parameter::None => return Ok(Scheme::Hotp(Hotp::default())),
        Parameter::Otp { counter, flags, length, format, .. } => (counter, *flags, *length, *format),
        _ => return Err(Error::MechanismParamInvalid),
    };
    let known = WITHOUT_EFFECT | CKF_NEXT_OTP | CKF_USER_FRIENDLY_OTP;
    if flags & !known != 0
        || length.is_some_and(|length| !DIGITS.contains(&length))
        || format.is_some_and(|format| format != CK_OTP_FORMAT_DECIMAL)
    {
        return Err(Error::MechanismParamInvalid);
    }
    let number = |counter: &Vec<u8>| counter.as_slice().try_into().map(u64::from_be_bytes);
    Ok(Scheme::Hotp(Hotp {
        counter: counter.as_ref().map(number).transpose().map_err(|_| Error::MechanismParamInvalid)?,
        next: flags & CKF_NEXT_OTP != 0,
        friendly: flags & CKF_USER_FRIENDLY_OTP != 0,
        digits: length,
    }))
}

impl Hotp {
    /// Refuses what the key does not allow, or misses what it asks for.
    pub(super) fn check(self, key: &Object) -> Result<()> {
        let asks = key.number(CKA_OTP_COUNTER_REQUIREMENT) == Some(CK_OTP_PARAM_MANDATORY);
        let unfriendly = self.friendly && !key.flag(CKA_OTP_USER_FRIENDLY_MODE);
        if asks && self.counter.is_none() || unfriendly { Err(Error::MechanismParamInvalid) } else { Ok(()) }
    }

    /// Its length in bytes, which are digits.
    pub(super) fn len(self, key: &Object) -> usize {
        let digits = self.digits.or_else(|| key.number(CKA_OTP_LENGTH)).unwrap_or(*DIGITS.start());
        usize::try_from(digits).unwrap_or_default()
    }

    /// The counter that the caller gave and the key takes; `None` where it is the key's own.
    pub(crate) fn given(self, key: &Object) -> Result<Option<u64>> {
        match self.counter {
            Some(counter) if key.number(CKA_OTP_COUNTER_REQUIREMENT) != Some(CK_OTP_PARAM_IGNORED) => {
                self.from(counter).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The counter of the password that is meant where `counter` is due.
    ///
    /// # Errors
    /// [`Error::UsageLimitExceeded`] where there is none any more.
    pub(crate) fn from(self, counter: u64) -> Result<u64> {
        counter.checked_add(u64::from(self.next)).ok_or(Error::UsageLimitExceeded)
    }

    /// The counter of a password, looked for where the key's own stands at `counter`.
    ///
    /// # Errors
    /// [`Error::SignatureInvalid`].
    pub(crate) fn find(self, key: &Key, counter: u64, password: &[u8]) -> Result<u64> {
        let first = self.from(counter)?;
        for counter in first..first.saturating_add(LOOK_AHEAD) {
            if self.password(key, counter)?.equals(password) {
                return Ok(counter);
            }
        }
        Err(Error::SignatureInvalid)
    }

    /// The password of a counter, in ASCII. RFC 4226, section 5.3.
    pub(crate) fn password(self, key: &Key, counter: u64) -> Result<Secret> {
        let mut mac = crypto::hmac(Hash::Sha1, key.secret_value())?;
        mac.update(&counter.to_be_bytes())?;
        let mut tag = Secret::zeroed(Hash::Sha1.len());
        mac.finish(tag.expose_mut())?;
        let length = self.len(key.object());
        let modulus = 10_u32.pow(u32::try_from(length).unwrap_or_default());
        let mut rest = truncated(tag.expose()) % modulus;
        let mut password = Secret::zeroed(length);
        for digit in password.expose_mut().iter_mut().rev() {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
        }
        Ok(password)
    }
}

/// Four bytes of a tag, from where its last four bits say, without the sign.
fn truncated(tag: &[u8]) -> u32 {
    let offset = usize::from(tag.last().copied().unwrap_or_default() & 0xf);
    let word = tag.get(offset..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
    u32::from_be_bytes(word) & 0x7fff_ffff
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::Value;

    /// RFC 4226, appendix D.
    const SECRET: &[u8] = b"12345678901234567890";
    const TRUNCATED: [u32; 10] = [
        1284755224, 1094287082, 137359152, 1726969429, 1640338314, 868254676, 1918287922, 82162583,
        673399871, 645520489,
    ];

    fn key(digits: u64) -> Key {
        let mut object = Object::default();
        object.set(CKA_VALUE, Value::Secret(Secret::copy_of(SECRET)));
        object.set(CKA_OTP_LENGTH, Value::Number(digits));
        Key::new(object)
    }

    #[test]
    fn passwords_are_those_of_the_rfc_in_each_length() {
        for (counter, truncated) in (0..).zip(TRUNCATED) {
            for digits in DIGITS {
                let password = Hotp::default().password(&key(digits), counter).unwrap();
                let full = format!("{truncated:010}");
                let expected = &full[full.len() - usize::try_from(digits).unwrap()..];
                assert_eq!(password.expose(), expected.as_bytes(), "counter {counter}");
            }
        }
    }

    #[test]
    fn a_password_is_found_no_further_than_the_window_reaches() {
        let hotp = Hotp::default();
        for ahead in 0..10 {
            let password = hotp.password(&key(6), ahead).unwrap();
            let found = hotp.find(&key(6), 0, password.expose());
            assert_eq!(found.ok(), (ahead < LOOK_AHEAD).then_some(ahead));
        }
    }

    #[test]
    fn the_last_counter_has_no_next() {
        let next = Hotp { next: true, ..Hotp::default() };
        assert!(matches!(next.from(u64::MAX), Err(Error::UsageLimitExceeded)));
        let last = Hotp::default().password(&key(6), u64::MAX - 1).unwrap();
        assert_eq!(Hotp::default().find(&key(6), u64::MAX - 1, last.expose()).unwrap(), u64::MAX - 1);
    }
}
