//! Message digests. PKCS #11 3.2, section 5.12.

use hsm_core::mechanism::Mechanism;
use hsm_core::session::{Kind, ObjectHandle, Session};

use super::{absorb, begin, emit, transform};
use crate::ffi::{Out, Transform};
use crate::library::Library;
use crate::rv::Outcome;

/// C_DigestInit.
pub(crate) fn init(library: &Library, session: u64, mechanism: Outcome<Option<Mechanism>>) -> Outcome {
    begin(library, session, Kind::Digest, mechanism, Session::digest_init)
}

/// C_Digest.
pub(crate) fn digest(library: &Library, session: u64, data: Outcome<Transform<'_>>) -> Outcome {
    transform(library, session, Kind::Digest, data, Session::digest)
}

/// C_DigestUpdate.
pub(crate) fn update(library: &Library, session: u64, data: Outcome<&[u8]>) -> Outcome {
    absorb(library, session, Kind::Digest, data, Session::digest_update)
}

/// C_DigestKey.
pub(crate) fn key(library: &Library, session: u64, key: u64) -> Outcome {
    Ok(library.session(session)?.digest_key(ObjectHandle(key))?)
}

/// C_DigestFinal.
pub(crate) fn finish(library: &Library, session: u64, out: Outcome<Out<'_>>) -> Outcome {
    emit(library, session, Kind::Digest, out, Session::digest_final)
}
