//! Asynchronous functions, of a token that has none: no session is opened for them, so that nothing is ever
//! pending. PKCS #11 3.2, section 5.21.

use cryptoki_sys::CK_ULONG;
use hsm_core::Error;

use crate::ffi::Place;
use crate::library::Library;
use crate::rv::{Outcome, Rejection};

/// C_AsyncComplete.
pub(crate) fn complete(library: &Library, session: u64, name_is_null: bool) -> Outcome {
    named(library, session, name_is_null)?;
    Err(Error::OperationNotInitialised.into())
}

/// C_AsyncGetID.
pub(crate) fn identifier(
    library: &Library,
    session: u64,
    name_is_null: bool,
    identifier: Outcome<Place<'_, CK_ULONG>>,
) -> Outcome {
    named(library, session, name_is_null)?;
    identifier?;
    Err(Error::OperationNotInitialised.into())
}

/// C_AsyncJoin. No identifier was ever given.
pub(crate) fn join(library: &Library, session: u64, name_is_null: bool, data: Outcome<&[u8]>) -> Outcome {
    named(library, session, name_is_null)?;
    data?;
    Err(Error::SavedStateInvalid.into())
}

fn named(library: &Library, session: u64, name_is_null: bool) -> Outcome {
    library.session(session)?;
    if name_is_null { Err(Rejection::ArgumentsBad.into()) } else { Ok(()) }
}
