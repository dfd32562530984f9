//! Single values in text: numbers in hexadecimal digits, bytes, dates.

use hsm_core::secret::Wiped;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::TextFault;

/// At most eight digits.
pub(super) fn hex_u32(digits: &str) -> Result<u32, TextFault> {
    hex_u64(digits)?.try_into().map_err(|_| TextFault::Value)
}

/// At most sixteen digits, without a sign.
pub(super) fn hex_u64(digits: &str) -> Result<u64, TextFault> {
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(TextFault::Value);
    }
    u64::from_str_radix(digits, 16).map_err(|_| TextFault::Value)
}

/// Bytes, two digits each.
pub(super) fn bytes(digits: &str) -> Result<Wiped<Vec<u8>>, TextFault> {
    hex::decode(digits).map(Wiped::new).map_err(|_| TextFault::Value)
}

/// A two's complement number whose length is a multiple of eight bytes.
pub(super) fn big_integer(digits: &str) -> Result<Wiped<Vec<u8>>, TextFault> {
    let bytes = bytes(digits)?;
    if bytes.is_empty() || !bytes.len().is_multiple_of(8) { Err(TextFault::Value) } else { Ok(bytes) }
}

/// Bytes as digits.
pub(super) fn digits(bytes: &[u8]) -> Wiped<String> {
    Wiped::new(hex::encode(bytes))
}

/// A two's complement number, filled with its sign to a multiple of eight bytes.
pub(super) fn big_integer_digits(bytes: &[u8]) -> Wiped<String> {
    let length = bytes.len().next_multiple_of(8).max(8);
    let sign = if bytes.first().is_some_and(|byte| byte & 0x80 != 0) { "ff" } else { "00" };
    let number = digits(bytes);
    let mut filled = Wiped::new(String::with_capacity(2 * length));
    (bytes.len()..length).for_each(|_| filled.push_str(sign));
    filled.push_str(&number);
    filled
}

/// A date of XML Schema, or hexadecimal digits after 0x. Without a time zone it is UTC.
fn date(text: &str) -> Result<Timestamp, TextFault> {
    let date = match text.parse::<Timestamp>() {
        Ok(date) => Ok(date),
        Err(_) => text.parse::<DateTime>().and_then(|date| TimeZone::UTC.to_timestamp(date)),
    };
    date.map_err(|_| TextFault::Value)
}

/// Seconds since 1970. Fractions are dropped.
pub(super) fn seconds(text: &str) -> Result<i64, TextFault> {
    match text.strip_prefix("0x") {
        Some(digits) => Ok(hex_u64(digits)?.cast_signed()),
        None => date(text).map(|date| date.as_microsecond().div_euclid(1_000_000)),
    }
}

/// Microseconds since 1970.
pub(super) fn microseconds(text: &str) -> Result<i64, TextFault> {
    match text.strip_prefix("0x") {
        Some(digits) => Ok(hex_u64(digits)?.cast_signed()),
        None => date(text).map(|date| date.as_microsecond()),
    }
}

/// The first second of the year 1, before which dates have a sign and parsers differ.
const FIRST: i64 = -62_135_596_800;

/// A date, or digits for one that no calendar has.
pub(super) fn seconds_text(seconds: i64) -> String {
    match Timestamp::from_second(seconds) {
        Ok(date) if seconds >= FIRST => date.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string(),
        _ => format!("0x{seconds:016x}"),
    }
}

/// A date with its microseconds, or digits for one that no calendar has.
pub(super) fn microseconds_text(microseconds: i64) -> String {
    match Timestamp::from_microsecond(microseconds) {
        Ok(date) if microseconds >= FIRST * 1_000_000 => {
            date.strftime("%Y-%m-%dT%H:%M:%S.%6f+00:00").to_string()
        }
        _ => format!("0x{microseconds:016x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_with_and_without_a_zone() {
        for text in ["2001-01-01T10:00:00+10:00", "2001-01-01T00:00:00Z", "2001-01-01T00:00:00", "0x3a4fc880"]
        {
            assert_eq!(seconds(text), Ok(0x3a4f_c880), "{text}");
        }
        assert_eq!(seconds("2001-01-01T00:00:00.9Z"), Ok(0x3a4f_c880));
        assert_eq!(microseconds("2001-01-01T00:00:00.000009Z"), Ok(0x3a4f_c880 * 1_000_000 + 9));
        for text in ["", "yesterday", "2001-13-01T00:00:00Z", "0x", "0x-1", "0x11112222333344445"] {
            assert_eq!(seconds(text), Err(TextFault::Value), "{text}");
        }
    }

    #[test]
    fn every_date_is_written_so_that_it_can_be_read() {
        for number in [0, -1, 1, 951_782_400, -62_135_596_801, i64::MAX, i64::MIN] {
            assert_eq!(seconds(&seconds_text(number)), Ok(number), "{}", seconds_text(number));
            assert_eq!(microseconds(&microseconds_text(number)), Ok(number), "{}", microseconds_text(number));
        }
        assert_eq!(seconds_text(0), "1970-01-01T00:00:00+00:00");
    }

    #[test]
    fn big_integers_are_filled_with_their_sign() {
        assert_eq!(*big_integer_digits(&[0x80]), "ffffffffffffff80");
        assert_eq!(*big_integer_digits(&[]), "0000000000000000");
        assert_eq!(big_integer("00"), Err(TextFault::Value));
        assert_eq!(big_integer(""), Err(TextFault::Value));
    }

    #[test]
    fn digits_have_no_sign_and_no_space() {
        for text in ["", "+1", "-1", " 1", "1 ", "g", "0x1"] {
            assert_eq!(hex_u32(text), Err(TextFault::Value), "{text}");
        }
        assert_eq!(hex_u32("ffffffff"), Ok(u32::MAX));
        assert_eq!(hex_u32("100000000"), Err(TextFault::Value));
    }
}
