//! The eight bytes that say how long a message is, and then the message.
#![no_main]

use kmip_server::ttlv::{Limits, decode, frame_length};
use libfuzzer_sys::fuzz_target;

const MOST: usize = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let Some(header) = bytes.first_chunk::<8>() else { return };
    if let Ok(length) = frame_length(header, MOST) {
        assert!((8..=MOST).contains(&length) && length % 8 == 0);
        if let Some(frame) = bytes.get(..length) {
            let _ = decode(frame, &Limits::default());
        }
    }
});
