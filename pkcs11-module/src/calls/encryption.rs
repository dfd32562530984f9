//! Encryption and decryption. PKCS #11 3.2, sections 5.8 and 5.10.

use hsm_core::mechanism::Mechanism;
use hsm_core::session::{Kind, ObjectHandle, Session};

use super::{begin, emit, transform};
use crate::ffi::{Out, Transform};
use crate::library::Library;
use crate::rv::Outcome;

/// C_EncryptInit.
pub(crate) fn encrypt_init(
    library: &Library,
    session: u64,
    mechanism: Outcome<Option<Mechanism>>,
    key: u64,
) -> Outcome {
    begin(library, session, Kind::Encrypt, mechanism, |session, mechanism| {
        session.encrypt_init(mechanism, ObjectHandle(key))
    })
}

/// C_Encrypt.
pub(crate) fn encrypt(library: &Library, session: u64, data: Outcome<Transform<'_>>) -> Outcome {
    transform(library, session, Kind::Encrypt, data, Session::encrypt)
}

/// C_EncryptUpdate.
pub(crate) fn encrypt_update(library: &Library, session: u64, data: Outcome<Transform<'_>>) -> Outcome {
    transform(library, session, Kind::Encrypt, data, Session::encrypt_update)
}

/// C_EncryptFinal.
pub(crate) fn encrypt_final(library: &Library, session: u64, out: Outcome<Out<'_>>) -> Outcome {
    emit(library, session, Kind::Encrypt, out, Session::encrypt_final)
}

/// C_DecryptInit.
pub(crate) fn decrypt_init(
    library: &Library,
    session: u64,
    mechanism: Outcome<Option<Mechanism>>,
    key: u64,
) -> Outcome {
    begin(library, session, Kind::Decrypt, mechanism, |session, mechanism| {
        session.decrypt_init(mechanism, ObjectHandle(key))
    })
}

/// C_Decrypt.
pub(crate) fn decrypt(library: &Library, session: u64, data: Outcome<Transform<'_>>) -> Outcome {
    transform(library, session, Kind::Decrypt, data, Session::decrypt)
}

/// C_DecryptUpdate.
pub(crate) fn decrypt_update(library: &Library, session: u64, data: Outcome<Transform<'_>>) -> Outcome {
    transform(library, session, Kind::Decrypt, data, Session::decrypt_update)
}

/// C_DecryptFinal.
pub(crate) fn decrypt_final(library: &Library, session: u64, out: Outcome<Out<'_>>) -> Outcome {
    emit(library, session, Kind::Decrypt, out, Session::decrypt_final)
}
