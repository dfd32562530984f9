//! Slot and token management. PKCS #11 3.2, section 5.5. Which slots there are, and their numbers, is
//! `crate::slots`'s.

use std::time::{SystemTime, UNIX_EPOCH};

use cryptoki_sys::*;
use hsm_core::partition::{PartitionInfo, Tries};
use hsm_core::{Error, mechanism};

use super::general::{MANUFACTURER, library_version};
use super::padded;
use crate::ffi::{List, Place};
use crate::library::Library;
use crate::rv::{Outcome, Refusal, Rejection};
use crate::slots::Token;

/// C_GetSlotList. A call for the count alone looks for new tokens; the call after it that fetches the
/// list gives the same slots, so that the count still holds.
pub(crate) fn list(library: &Library, present_only: bool, list: Outcome<List<'_, CK_SLOT_ID>>) -> Outcome {
    let list = list?;
    let numbers = library.slots().list(library.hsm(), list.asks_for_count(), present_only)?;
    list.fill(&numbers)
}

/// C_GetSlotInfo.
pub(crate) fn slot_info(library: &Library, slot: u64, info: Outcome<Place<'_, CK_SLOT_INFO>>) -> Outcome {
    let info = info?;
    let flags = match library.slots().token(library.hsm(), slot)? {
        Token::Free | Token::Present(_) => CKF_TOKEN_PRESENT,
        Token::Gone => 0,
    };
    info.put(CK_SLOT_INFO {
        slotDescription: padded(&format!("softhsm-rs slot {slot}")),
        manufacturerID: padded(MANUFACTURER),
        flags,
        hardwareVersion: library_version(),
        firmwareVersion: library_version(),
    });
    Ok(())
}

/// C_GetTokenInfo.
pub(crate) fn token_info(library: &Library, slot: u64, place: Outcome<Place<'_, CK_TOKEN_INFO>>) -> Outcome {
    let place = place?;
    let partition = match library.slots().token(library.hsm(), slot)? {
        Token::Free => None,
        Token::Present(partition) => Some(partition.info()),
        Token::Gone => return Err(Rejection::TokenNotPresent.into()),
    };
    let pins = &library.hsm().config().pins;
    let mut info = CK_TOKEN_INFO {
        label: padded(""),
        manufacturerID: padded(MANUFACTURER),
        model: padded("softhsm-rs"),
        serialNumber: padded(""),
        flags: CKF_RNG
            | CKF_DUAL_CRYPTO_OPERATIONS
            | CKF_LOGIN_REQUIRED
            | CKF_RESTORE_KEY_NOT_NEEDED
            | CKF_CLOCK_ON_TOKEN,
        ulMaxSessionCount: CK_EFFECTIVELY_INFINITE,
        ulSessionCount: 0,
        ulMaxRwSessionCount: CK_EFFECTIVELY_INFINITE,
        ulRwSessionCount: 0,
        ulMaxPinLen: CK_ULONG::try_from(pins.max_length).unwrap_or(CK_ULONG::MAX),
        ulMinPinLen: CK_ULONG::try_from(pins.min_length).unwrap_or(CK_ULONG::MAX),
        ulTotalPublicMemory: CK_UNAVAILABLE_INFORMATION,
        ulFreePublicMemory: CK_UNAVAILABLE_INFORMATION,
        ulTotalPrivateMemory: CK_UNAVAILABLE_INFORMATION,
        ulFreePrivateMemory: CK_UNAVAILABLE_INFORMATION,
        hardwareVersion: library_version(),
        firmwareVersion: library_version(),
        utcTime: utc_time(SystemTime::now()),
    };
    if let Some(partition) = partition {
        info.label = partition.label;
        info.serialNumber = partition.serial;
        info.flags |= flags(&partition);
        info.ulSessionCount = partition.sessions;
        info.ulRwSessionCount = partition.rw_sessions;
    }
    place.put(info);
    Ok(())
}

/// The flags of an initialised token that its state gives.
fn flags(partition: &PartitionInfo) -> CK_FLAGS {
    let user_pin = if partition.user_pin_set { CKF_USER_PIN_INITIALIZED } else { 0 };
    let user = [CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED];
    let so = [CKF_SO_PIN_COUNT_LOW, CKF_SO_PIN_FINAL_TRY, CKF_SO_PIN_LOCKED];
    CKF_TOKEN_INITIALIZED
        | user_pin
        | tries_flag(partition.user_tries, user)
        | tries_flag(partition.so_tries, so)
}

/// "An incorrect PIN has been entered at least once since the last successful authentication", the
/// last try, or none left. While the unit is not active nothing is known of it.
fn tries_flag(tries: Option<Tries>, [low, last, locked]: [CK_FLAGS; 3]) -> CK_FLAGS {
    match tries {
        Some(Tries { left: 0, .. }) => locked,
        Some(Tries { left: 1, .. }) => low | last,
        Some(Tries { left, limit }) if left < limit => low,
        Some(_) | None => 0,
    }
}

/// C_WaitForSlotEvent: a token that was made or deleted, by this process or another one. `None` where the call
/// goes on waiting: it is made again until there is an event, or the library is unloaded.
pub(crate) fn wait_for_event(
    library: &Library,
    flags: CK_FLAGS,
    slot: Outcome<Place<'_, CK_SLOT_ID>>,
    reserved_is_null: bool,
) -> Outcome<Option<()>> {
    let slot = slot?;
    if !reserved_is_null {
        return Err(Rejection::ArgumentsBad.into());
    }
    if !library.hsm().config().slot_events {
        return Err(Rejection::NotSupported.into());
    }
    let event = match library.slots().event(library.hsm()) {
        // Another process may be at its first ceremony, which this call would otherwise end with.
        Err(Refusal::Core(error)) if error.is_no_hsm() => None,
        event => event?,
    };
    match event {
        Some(number) => slot.put(number),
        None if flags & CKF_DONT_BLOCK != 0 => return Err(Rejection::NoEvent.into()),
        None => return Ok(None),
    }
    Ok(Some(()))
}

/// C_GetMechanismList. Every slot offers the same.
pub(crate) fn mechanisms(
    library: &Library,
    slot: u64,
    list: Outcome<List<'_, CK_MECHANISM_TYPE>>,
) -> Outcome {
    let list = list?;
    check_present(library, slot)?;
    let kinds: Vec<CK_MECHANISM_TYPE> = library.hsm().config().permitted().map(|row| row.kind).collect();
    list.fill(&kinds)
}

/// C_GetMechanismInfo.
pub(crate) fn mechanism_info(
    library: &Library,
    slot: u64,
    kind: u64,
    place: Outcome<Place<'_, CK_MECHANISM_INFO>>,
) -> Outcome {
    let place = place?;
    check_present(library, slot)?;
    let config = library.hsm().config();
    let info =
        mechanism::row(kind).and_then(|row| config.mechanism_info(row)).ok_or(Error::MechanismInvalid)?;
    place.put(CK_MECHANISM_INFO {
        ulMinKeySize: info.min_key,
        ulMaxKeySize: info.max_key,
        flags: info.flags,
    });
    Ok(())
}

fn check_present(library: &Library, slot: u64) -> Outcome {
    match library.slots().token(library.hsm(), slot)? {
        Token::Free | Token::Present(_) => Ok(()),
        Token::Gone => Err(Rejection::TokenNotPresent.into()),
    }
}

/// C_InitToken: makes a partition in the free slot, or wipes the one that is there, which needs its SO
/// PIN and no open session.
pub(crate) fn init_token(
    library: &Library,
    slot: u64,
    so_pin: Outcome<&[u8]>,
    label: Outcome<[u8; 32]>,
) -> Outcome {
    let (so_pin, label) = (so_pin?, label?);
    let hsm = library.hsm();
    let mut token = library.slots().token(hsm, slot)?;
    if matches!(token, Token::Free) {
        match library.slots().fill(slot, || Ok(hsm.create_partition_and_hsm(&label, so_pin)?))? {
            None => return Ok(()),
            // Another thread was faster.
            Some(filled) => token = filled,
        }
    }
    match token {
        Token::Present(partition) => Ok(hsm.reinitialise(&partition, &label, so_pin)?),
        Token::Free | Token::Gone => Err(Rejection::TokenNotPresent.into()),
    }
}

/// "YYYYMMDDhhmmssxx" (section 3.2), the last two being zeros.
fn utc_time(now: SystemTime) -> [u8; 16] {
    let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil_date(days);
    padded(&format!(
        "{year:04}{month:02}{day:02}{:02}{:02}{:02}00",
        second / 3600,
        second / 60 % 60,
        second % 60
    ))
}

/// Year, month and day of a day counted from 1970-01-01.
fn civil_date(days: u64) -> (u64, usize, u64) {
    let is_leap =
        |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let (mut year, mut left) = (1970, days);
    while left >= 365 + u64::from(is_leap(year)) {
        left -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    for (month, length) in lengths.into_iter().enumerate() {
        if left < length {
            return (year, month + 1, left + 1);
        }
        left -= length;
    }
    (year, 12, 31)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: u64) -> [u8; 16] {
        utc_time(UNIX_EPOCH + Duration::from_secs(seconds))
    }

    #[test]
    fn time_is_written_as_the_standard_says() {
        assert_eq!(&at(0), b"1970010100000000");
        assert_eq!(&at(951_782_399), b"2000022823595900");
        assert_eq!(&at(951_782_400), b"2000022900000000");
        assert_eq!(&at(1_735_689_599), b"2024123123595900");
        assert_eq!(&at(4_107_542_400), b"2100030100000000");
    }

    #[test]
    fn tries_left_show_as_low_last_and_locked() {
        let flag = |left| tries_flag(Some(Tries { left, limit: 10 }), [1, 2, 4]);
        assert_eq!([flag(10), flag(9), flag(2), flag(1), flag(0)], [0, 1, 1, 3, 4]);
        assert_eq!(tries_flag(None, [1, 2, 4]), 0);
    }
}
