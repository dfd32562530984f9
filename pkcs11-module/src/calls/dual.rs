//! Two operations at once. PKCS #11 3.2, section 5.17.

use hsm_core::session::{Kind, Output, Session};

use crate::ffi::Transform;
use crate::library::Library;
use crate::rv::Outcome;

/// C_DigestEncryptUpdate.
pub(crate) fn digest_encrypt(library: &Library, session: u64, data: Outcome<Transform<'_>>) -> Outcome {
    both(library, session, [Kind::Digest, Kind::Encrypt], data, Session::digest_encrypt_update)
}

/// C_DecryptDigestUpdate.
pub(crate) fn decrypt_digest(library: &Library, session: u64, data: Outcome<Transform<'_>>) -> Outcome {
    both(library, session, [Kind::Decrypt, Kind::Digest], data, Session::decrypt_digest_update)
}

/// C_SignEncryptUpdate.
pub(crate) fn sign_encrypt(library: &Library, session: u64, data: Outcome<Transform<'_>>) -> Outcome {
    both(library, session, [Kind::Sign, Kind::Encrypt], data, Session::sign_encrypt_update)
}

/// C_DecryptVerifyUpdate.
pub(crate) fn decrypt_verify(library: &Library, session: u64, data: Outcome<Transform<'_>>) -> Outcome {
    both(library, session, [Kind::Decrypt, Kind::Verify], data, Session::decrypt_verify_update)
}

/// A step of two operations, both of which end with a bad argument.
fn both(
    library: &Library,
    session: u64,
    kinds: [Kind; 2],
    data: Outcome<Transform<'_>>,
    run: impl FnOnce(&Session, &[u8], Output<'_>) -> hsm_core::Result<usize>,
) -> Outcome {
    let session = library.session(session)?;
    match data {
        Ok(data) => data.run(|input, output| run(&session, input, output)),
        Err(bad) => {
            for kind in kinds {
                // Where none ran there is nothing to end.
                let _ = session.cancel(kind);
            }
            Err(bad)
        }
    }
}
