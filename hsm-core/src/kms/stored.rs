//! Keys and instances as the plaintexts of their records, in postcard's encoding. Neither holds key material.

use super::instance::Instance;
use super::key::KeyRecord;
use crate::error::{Error, Result};

fn failed(_: postcard::Error) -> Error {
    Error::CryptoFailed("a key's record did not encode")
}

/// A key's bytes.
pub(crate) fn encode(key: &KeyRecord) -> Result<Vec<u8>> {
    postcard::to_allocvec(key).map_err(failed)
}

/// The key of these bytes; `None` where they are none.
pub(crate) fn decode(bytes: &[u8]) -> Option<KeyRecord> {
    postcard::from_bytes(bytes).ok()
}

/// An instance's bytes.
pub(crate) fn encode_instance(instance: &Instance) -> Result<Vec<u8>> {
    postcard::to_allocvec(instance).map_err(failed)
}

/// The instance of these bytes; `None` where they are none.
pub(crate) fn decode_instance(bytes: &[u8]) -> Option<Instance> {
    postcard::from_bytes(bytes).ok()
}
