//! One-time passwords: the list of their parameters, and the structure that C_Sign gives them out in. PKCS #11 3.2,
//! section 6.53.7.

use std::mem::offset_of;
use std::ptr;

use cryptoki_sys::*;
use hsm_core::mechanism::{Parameter, PasswordForm};

use super::mechanism::{Given, Structure, invalid, part};
use super::parameters::structures;
use crate::rv::Outcome;

impl Structure for CK_OTP_PARAMS {}
impl Structure for CK_OTP_PARAM {}

/// Reads a parameter of `Shape::OptionalOtp`. What keys here ignore is looked at no further than that it is there.
///
/// # Safety
/// As for [`super::mechanism::parse`].
pub(super) unsafe fn parameters(given: &Given<'_>) -> Outcome<Parameter> {
    let list = match given.len() {
        0 => CK_OTP_PARAMS { pParams: ptr::null_mut(), ulCount: 0 },
        _ => given.structure()?,
    };
    let (mut counter, mut flags, mut length, mut format) = (None, None, None, None);
    // SAFETY: passed on.
    for given in unsafe { structures(list.pParams.cast_const(), list.ulCount) }? {
        // SAFETY: passed on.
        let value = Given(unsafe { part(given.pValue.cast_const().cast(), given.ulValueLen) }?);
        match given.type_ {
            CK_OTP_COUNTER => once(&mut counter, value.0.to_vec())?,
            CK_OTP_FLAGS => once(&mut flags, value.structure()?)?,
            CK_OTP_OUTPUT_LENGTH => once(&mut length, value.structure()?)?,
            CK_OTP_OUTPUT_FORMAT => once(&mut format, value.structure()?)?,
            CK_OTP_PIN | CK_OTP_CHALLENGE | CK_OTP_TIME => {}
            // CK_OTP_VALUE is for output.
            _ => return Err(invalid()),
        }
    }
    Ok(Parameter::Otp { counter, flags: flags.unwrap_or_default(), length, format, form: &SIGNATURE_INFO })
}

/// Nothing is said twice.
fn once<T>(place: &mut Option<T>, value: T) -> Outcome {
    if place.replace(value).is_some() { Err(invalid()) } else { Ok(()) }
}

/// Where in CK_OTP_SIGNATURE_INFO and behind it things are: the structure, its two parameters, the password, the counter.
const PARAMETERS: usize = size_of::<CK_OTP_SIGNATURE_INFO>();
const PASSWORD: usize = PARAMETERS + 2 * size_of::<CK_OTP_PARAM>();

/// CK_OTP_SIGNATURE_INFO, in which a password is given out.
static SIGNATURE_INFO: PasswordForm =
    PasswordForm { len: |password| PASSWORD + password + size_of::<u64>(), write: write_info };

/// Writes the structure to the caller's memory: the password is its first parameter, for some callers look no further;
/// the counter is the second.
fn write_info(counter: u64, password: &[u8], out: &mut [u8]) {
    let counter = &counter.to_be_bytes();
    // The caller reads the structure through these addresses, which are his own.
    let base = out.as_mut_ptr().expose_provenance();
    let mut put = |at: usize, bytes: &[u8]| {
        if let Some(place) = out.get_mut(at..).and_then(|rest| rest.get_mut(..bytes.len())) {
            place.copy_from_slice(bytes);
        }
    };
    put(offset_of!(CK_OTP_SIGNATURE_INFO, pParams), &(base + PARAMETERS).to_ne_bytes());
    put(offset_of!(CK_OTP_SIGNATURE_INFO, ulCount), &CK_ULONG::to_ne_bytes(2));
    let counter_at = PASSWORD + password.len();
    for (number, (kind, at, value)) in
        [(CK_OTP_VALUE, PASSWORD, password), (CK_OTP_COUNTER, counter_at, &counter[..])]
            .into_iter()
            .enumerate()
    {
        let parameter = PARAMETERS + number * size_of::<CK_OTP_PARAM>();
        put(parameter + offset_of!(CK_OTP_PARAM, type_), &kind.to_ne_bytes());
        put(parameter + offset_of!(CK_OTP_PARAM, pValue), &(base + at).to_ne_bytes());
        put(parameter + offset_of!(CK_OTP_PARAM, ulValueLen), &(value.len() as CK_ULONG).to_ne_bytes());
        put(at, value);
    }
}

#[cfg(test)]
mod tests {
    use hsm_core::mechanism::Mechanism;

    use super::super::mechanism::parse;
    use super::*;

    impl Structure for CK_OTP_SIGNATURE_INFO {}

    /// Reads a list of parameters as CKM_HOTP's.
    fn parsed(parameters: &[(CK_OTP_PARAM_TYPE, &[u8])]) -> Outcome<Mechanism> {
        let mut list: Vec<CK_OTP_PARAM> = parameters
            .iter()
            .map(|(kind, value)| CK_OTP_PARAM {
                type_: *kind,
                pValue: value.as_ptr().cast_mut().cast(),
                ulValueLen: value.len() as CK_ULONG,
            })
            .collect();
        let mut given = CK_OTP_PARAMS { pParams: list.as_mut_ptr(), ulCount: list.len() as CK_ULONG };
        let mechanism = CK_MECHANISM {
            mechanism: CKM_HOTP,
            pParameter: (&raw mut given).cast(),
            ulParameterLen: size_of::<CK_OTP_PARAMS>() as CK_ULONG,
        };
        // SAFETY: list and values live until the end of this function.
        unsafe { parse(&mechanism) }
    }

    #[test]
    fn a_list_says_each_thing_once_and_in_its_size() {
        let (counter, number) = ([1; 8], CK_ULONG::to_ne_bytes(6));
        let of_each = [(CK_OTP_COUNTER, &counter), (CK_OTP_FLAGS, &number), (CK_OTP_OUTPUT_LENGTH, &number)];
        let whole: Vec<_> = of_each.iter().map(|(kind, value)| (*kind, value.as_slice())).collect();
        assert!(matches!(
            parsed(&whole).map(|mechanism| mechanism.parameter),
            Ok(Parameter::Otp { counter: Some(given), flags: 6, length: Some(6), format: None, .. }) if given == counter
        ));
        assert!(parsed(&[]).is_ok());
        for parameter in whole {
            assert!(parsed(&[parameter, parameter]).is_err(), "{}", parameter.0);
        }
        for kind in [CK_OTP_FLAGS, CK_OTP_OUTPUT_LENGTH, CK_OTP_OUTPUT_FORMAT] {
            assert!(parsed(&[(kind, &number[..7])]).is_err(), "{kind}");
        }
        for kind in [CK_OTP_PIN, CK_OTP_CHALLENGE, CK_OTP_TIME] {
            assert!(parsed(&[(kind, b"ignored"), (kind, b"")]).is_ok(), "{kind}");
        }
        for kind in [CK_OTP_VALUE, 8, CK_ULONG::MAX] {
            assert!(parsed(&[(kind, &number)]).is_err(), "{kind}");
        }
        assert!(parsed(&[(CK_OTP_PIN, b"".as_slice()); 65]).is_err());
    }

    #[test]
    fn a_list_that_is_not_there_is_refused() {
        for (list, count) in [(ptr::null_mut(), 1), (ptr::null_mut(), CK_ULONG::MAX)] {
            let mut given = CK_OTP_PARAMS { pParams: list, ulCount: count };
            let mechanism = CK_MECHANISM {
                mechanism: CKM_HOTP,
                pParameter: (&raw mut given).cast(),
                ulParameterLen: size_of::<CK_OTP_PARAMS>() as CK_ULONG,
            };
            // SAFETY: refused before it is read.
            assert!(unsafe { parse(&mechanism) }.is_err(), "{count}");
        }
    }

    #[test]
    fn the_structure_leads_to_password_and_counter_wherever_it_lies() {
        let length = (SIGNATURE_INFO.len)(6);
        for shift in 0..8 {
            let mut memory = vec![0xee_u8; length + 16];
            write_info(42, b"755224", &mut memory[shift..][..length]);
            assert!(memory[..shift].iter().chain(&memory[shift + length..]).all(|byte| *byte == 0xee));
            let info: CK_OTP_SIGNATURE_INFO = at(memory[shift..].as_ptr());
            assert_eq!(info.ulCount, 2);
            let found = [0, 1].map(|number| {
                let parameter: CK_OTP_PARAM = at(info.pParams.wrapping_add(number).cast());
                // SAFETY: inside `memory`, as is asserted of the bytes around.
                let value = unsafe { part(parameter.pValue.cast(), parameter.ulValueLen) }.unwrap();
                (parameter.type_, value.to_vec())
            });
            assert_eq!(found[0], (CK_OTP_VALUE, b"755224".to_vec()));
            assert_eq!(found[1], (CK_OTP_COUNTER, 42_u64.to_be_bytes().to_vec()));
        }
    }

    fn at<T: Structure>(start: *const u8) -> T {
        // SAFETY: the tests give addresses of structures.
        Given(unsafe { part(start, size_of::<T>() as CK_ULONG) }.unwrap()).structure().unwrap()
    }
}
