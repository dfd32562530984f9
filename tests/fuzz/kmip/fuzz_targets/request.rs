//! Whole requests in TTLV, answered by an engine on a store in memory.
#![no_main]

use kmip_server::engine::Encoding;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| kmip_fuzz::answer(Encoding::Ttlv, bytes));
