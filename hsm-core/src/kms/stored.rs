//! Keys and instances as the plaintexts of their records, in postcard's encoding. A key that is deleted has its
//! object beside it, as bytes, so that it comes back as it was.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::instance::Instance;
use super::key::KeyRecord;
use crate::error::{Error, Result};
use crate::secret::Secret;

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    key: KeyRecord,
    #[serde(borrow)]
    object: Option<&'a [u8]>,
}

#[derive(Serialize)]
struct Borrowed<'a> {
    key: &'a KeyRecord,
    object: Option<&'a [u8]>,
}

fn failed(_: postcard::Error) -> Error {
    Error::CryptoFailed("a key's record did not encode")
}

/// A key's bytes, with its object's where it is deleted.
pub(crate) fn encode(key: &KeyRecord, object: Option<&[u8]>) -> Result<Zeroizing<Vec<u8>>> {
    let stored = Borrowed { key, object };
    // Sized before it is filled, so that no half-filled buffer is left behind unwiped.
    let size = postcard::experimental::serialized_size(&stored).map_err(failed)?;
    let mut out = Zeroizing::new(vec![0; size]);
    postcard::to_slice(&stored, &mut out).map_err(failed)?;
    Ok(out)
}

/// The key of these bytes, and its object; `None` where they are none.
pub(crate) fn decode(bytes: &[u8]) -> Option<(KeyRecord, Option<Secret>)> {
    let stored: Stored<'_> = postcard::from_bytes(bytes).ok()?;
    Some((stored.key, stored.object.map(Secret::copy_of)))
}

/// An instance's bytes.
pub(crate) fn encode_instance(instance: &Instance) -> Result<Vec<u8>> {
    postcard::to_allocvec(instance).map_err(failed)
}

/// The instance of these bytes; `None` where they are none.
pub(crate) fn decode_instance(bytes: &[u8]) -> Option<Instance> {
    postcard::from_bytes(bytes).ok()
}
