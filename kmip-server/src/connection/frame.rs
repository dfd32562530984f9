//! How long the message is that some bytes begin (KMIP 1.4, section 9.1.1): tag, type and length come
//! first, and are checked before room is made for the rest.

/// Bytes of tag, type and length.
const HEADER: usize = 8;

/// The type of a structure (KMIP 1.4, table 288), which every message is.
const STRUCTURE: u8 = 1;

/// The whole message's length in bytes, header included; `None` while the header is not there.
///
/// # Errors
/// What is wrong with the header.
pub(super) fn length(bytes: &[u8], limit: usize) -> Result<Option<usize>, String> {
    let Some(&[_, _, _, kind, a, b, c, d]) = bytes.first_chunk::<HEADER>() else { return Ok(None) };
    if kind != STRUCTURE {
        return Err("what it sends is no KMIP message".into());
    }
    let inside = u32::from_be_bytes([a, b, c, d]);
    match usize::try_from(inside).ok().and_then(|it| it.checked_add(HEADER)) {
        Some(length) if length <= limit => Ok(Some(length)),
        _ => Err(format!("a message of {inside} bytes is longer than the limit of {limit}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 1024;

    #[test]
    fn the_header_counts() {
        assert_eq!(length(&[0x42, 0, 0x78, 1, 0, 0, 0, 0x10, 9], LIMIT), Ok(Some(24)));
        assert_eq!(length(&[0x42, 0, 0x78, 1, 0, 0, 3, 0xf8], LIMIT), Ok(Some(LIMIT)));
    }

    #[test]
    fn a_part_of_a_header_says_nothing() {
        assert_eq!(length(&[0x42, 0, 0x78, 1, 0, 0, 0], LIMIT), Ok(None));
        assert_eq!(length(&[], LIMIT), Ok(None));
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused() {
        assert!(length(&[0x42, 0, 0x78, 1, 0, 0, 3, 0xf9], LIMIT).unwrap_err().contains("1017"));
        assert!(length(&[0x42, 0, 0x78, 1, 255, 255, 255, 255], LIMIT).is_err());
    }

    #[test]
    fn another_protocol_is_refused() {
        assert!(length(b"GET / HTTP/1.1\r\n", LIMIT).is_err());
    }
}
