//! Cryptographic operations that take their data in parts, between two requests: KMIP 1.4, section
//! 6.17 (Correlation Value). Bounded, and gone after a time.

/// The operations under way, of all clients.
#[derive(Debug, Default)]
pub struct Streams {}
