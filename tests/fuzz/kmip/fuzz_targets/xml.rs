//! Requests in XML: decoded, answered.
#![no_main]

use kmip_server::engine::Encoding;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| kmip_fuzz::answer(Encoding::Xml, bytes));
