//! Answers requests: decoded message in, encoded message out. Knows nothing of sockets, so that tests
//! and fuzzers can drive it without any.

use crate::identity::Client;

/// How a message is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// Binary: KMIP 1.4, section 9.1.
    Ttlv,
    /// JSON: KMIP Profiles 2.1, section 5.4.
    Json,
    /// XML: KMIP Profiles 2.1, section 5.5.
    Xml,
}

/// A request that was read and checked, ready to be answered.
#[derive(Debug)]
pub struct Request {
    encoding: Encoding,
    bytes: Vec<u8>,
}

impl Request {
    /// Whether answering takes long (makes RSA keys, waits for the disk, looks at many objects), so
    /// that it belongs on a thread that may block.
    pub fn takes_long(&self) -> bool {
        false
    }
}

/// The server's side of the protocol, shared by all connections.
#[derive(Debug, Default)]
pub struct Engine {}

impl Engine {
    /// Reads a request: one whole message. What is wrong with it is kept for the answer.
    pub fn read(&self, encoding: Encoding, bytes: Vec<u8>) -> Request {
        Request { encoding, bytes }
    }

    /// Answers a request. Never fails: what goes wrong is in the answer. `None` where a message is so
    /// broken that the connection is to be closed.
    pub fn answer(&self, client: &Client, request: Request) -> Option<Vec<u8>> {
        log::trace!("{}: {:?}, {} bytes", client.name, request.encoding, request.bytes.len());
        None
    }
}
