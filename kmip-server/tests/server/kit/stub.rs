//! A service that does what the first byte of a message asks for.

use std::time::Duration;

use hsm_core::secret::Wiped;
use kmip_server::engine::Encoding;
use kmip_server::identity::Client;
use kmip_server::service::Service;

/// Says who asks.
pub(crate) const ANSWER: u8 = b'a';
/// The same, after half a second on a thread that may block.
pub(crate) const LONG: u8 = b'l';
/// Panics.
pub(crate) const FAIL: u8 = b'f';
/// Cannot be read.
pub(crate) const NOTHING: u8 = b'n';

/// What [`Service::refuse`] makes of a message.
const REFUSED: u8 = b'r';

pub(crate) struct Stub;

impl Service for Stub {
    type Request = (Encoding, Vec<u8>);

    fn read(&self, encoding: Encoding, bytes: &[u8]) -> (Encoding, Vec<u8>) {
        (encoding, bytes.to_vec())
    }

    fn refuse(&self, _: &[u8], why: &str) -> (Encoding, Vec<u8>) {
        (Encoding::Ttlv, super::request(&[&[REFUSED], why.as_bytes()].concat()))
    }

    fn takes_long(&self, (encoding, bytes): &(Encoding, Vec<u8>)) -> bool {
        asked(*encoding, bytes) == LONG
    }

    fn answer(&self, client: &Client, (encoding, bytes): (Encoding, Vec<u8>)) -> Option<Wiped<Vec<u8>>> {
        let Client { owner, name, partition, role, groups, .. } = client;
        let text = format!("{encoding:?} {name} {owner} {partition} {role:?} {groups:?} {}", bytes.len());
        match asked(encoding, &bytes) {
            // What follows is why.
            REFUSED => return Some(Wiped::new(bytes)),
            NOTHING => return None,
            FAIL => panic!("on purpose"),
            LONG => std::thread::sleep(Duration::from_millis(500)),
            _ => {}
        }
        Some(Wiped::new(match encoding {
            Encoding::Ttlv => super::request(text.as_bytes()),
            Encoding::Json | Encoding::Xml => text.into_bytes(),
        }))
    }
}

/// The first byte behind the header, if the encoding has one.
fn asked(encoding: Encoding, bytes: &[u8]) -> u8 {
    let at = if encoding == Encoding::Ttlv { 8 } else { 0 };
    bytes.get(at).copied().unwrap_or(ANSWER)
}
