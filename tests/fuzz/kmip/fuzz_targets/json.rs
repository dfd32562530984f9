//! Requests in JSON: decoded, written again, answered.
#![no_main]

use kmip_fuzz::generous;
use kmip_server::engine::Encoding;
use kmip_server::ttlv::text::json;
use kmip_server::ttlv::{Limits, encode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(item) = json::decode(bytes, &Limits::default()) {
        let again = json::decode(json::encode(&item).as_bytes(), &generous()).expect("what we wrote");
        assert_eq!(encode(&again), encode(&item));
    }
    kmip_fuzz::answer(Encoding::Json, bytes);
});
