//! Bytes to items and back: what was read is written the same, and as text it says the same.
#![no_main]

use kmip_fuzz::generous;
use kmip_server::ttlv::{Limits, decode, encode, encoded_length, text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(item) = decode(bytes, &Limits::default()) else { return };
    assert_eq!(encoded_length(&item), bytes.len());
    assert_eq!(encode(&item).as_slice(), bytes);
    if let Ok(again) = text::json::decode(text::json::encode(&item).as_bytes(), &generous()) {
        assert_eq!(encode(&again).as_slice(), bytes);
    }
    // Characters that XML cannot hold become replacement characters; what it can hold comes back.
    let xml = text::xml::encode(&item);
    if xml.contains(char::REPLACEMENT_CHARACTER) {
        return;
    }
    if let Ok(again) = text::xml::decode(xml.as_bytes(), &generous()) {
        assert_eq!(encode(&again).as_slice(), bytes);
    }
});
