//! Encryption and decryption of many messages under one key. PKCS #11 3.2, sections 5.9 and 5.11.

use cryptoki_sys::{CK_FLAGS, CKF_END_OF_MESSAGE};
use hsm_core::mechanism::{Mechanism, Sealed};
use hsm_core::session::{Kind, ObjectHandle};

use super::{begin, message_step};
use crate::ffi::{MessageArgument, Transform};
use crate::library::Library;
use crate::rv::Outcome;

/// C_MessageEncryptInit.
pub(crate) fn encrypt_init(
    library: &Library,
    session: u64,
    mechanism: Outcome<Option<Mechanism>>,
    key: u64,
) -> Outcome {
    begin(library, session, Kind::MessageEncrypt, mechanism, |session, mechanism| {
        session.message_encrypt_init(mechanism.kind, ObjectHandle(key))
    })
}

/// C_EncryptMessage.
pub(crate) fn encrypt(
    library: &Library,
    session: u64,
    parameter: Outcome<MessageArgument<'_>>,
    associated: Outcome<Vec<u8>>,
    data: Outcome<Transform<'_>>,
) -> Outcome {
    let all = parameter.and_then(|parameter| Ok((parameter, associated?, data?)));
    message_step(library, session, Kind::MessageEncrypt, all, |session, (parameter, associated, data)| {
        let given = parameter.to_encrypt();
        let mut sealed = Sealed::default();
        data.run(|input, output| {
            sealed = session.encrypt_message(&given, &associated, input, output)?;
            Ok(sealed.length)
        })?;
        parameter.take(&sealed);
        Ok(())
    })
}

/// C_EncryptMessageBegin.
pub(crate) fn encrypt_begin(
    library: &Library,
    session: u64,
    parameter: Outcome<MessageArgument<'_>>,
    associated: Outcome<Vec<u8>>,
) -> Outcome {
    let all = parameter.and_then(|parameter| Ok((parameter, associated?)));
    message_step(library, session, Kind::MessageEncrypt, all, |session, (parameter, associated)| {
        let nonce = session.encrypt_message_begin(&parameter.to_encrypt(), &associated)?;
        parameter.take(&Sealed { nonce: Some(nonce), ..Sealed::default() });
        Ok(())
    })
}

/// C_EncryptMessageNext.
pub(crate) fn encrypt_next(
    library: &Library,
    session: u64,
    parameter: Outcome<MessageArgument<'_>>,
    data: Outcome<Transform<'_>>,
    flags: CK_FLAGS,
) -> Outcome {
    let all = parameter.and_then(|parameter| Ok((parameter, data?)));
    message_step(library, session, Kind::MessageEncrypt, all, |session, (parameter, data)| {
        let given = parameter.to_encrypt();
        let mut sealed = Sealed::default();
        data.run(|input, output| {
            sealed = session.encrypt_message_next(&given, input, output, is_last(flags))?;
            Ok(sealed.length)
        })?;
        parameter.take(&sealed);
        Ok(())
    })
}

/// C_MessageEncryptFinal.
pub(crate) fn encrypt_final(library: &Library, session: u64) -> Outcome {
    Ok(library.session(session)?.message_encrypt_final()?)
}

/// C_MessageDecryptInit.
pub(crate) fn decrypt_init(
    library: &Library,
    session: u64,
    mechanism: Outcome<Option<Mechanism>>,
    key: u64,
) -> Outcome {
    begin(library, session, Kind::MessageDecrypt, mechanism, |session, mechanism| {
        session.message_decrypt_init(mechanism.kind, ObjectHandle(key))
    })
}

/// C_DecryptMessage.
pub(crate) fn decrypt(
    library: &Library,
    session: u64,
    parameter: Outcome<MessageArgument<'_>>,
    associated: Outcome<Vec<u8>>,
    data: Outcome<Transform<'_>>,
) -> Outcome {
    let all = parameter.and_then(|parameter| Ok((parameter.to_decrypt(), associated?, data?)));
    message_step(library, session, Kind::MessageDecrypt, all, |session, (parameter, associated, data)| {
        data.run(|input, output| session.decrypt_message(&parameter, &associated, input, output))
    })
}

/// C_DecryptMessageBegin.
pub(crate) fn decrypt_begin(
    library: &Library,
    session: u64,
    parameter: Outcome<MessageArgument<'_>>,
    associated: Outcome<Vec<u8>>,
) -> Outcome {
    let all = parameter.and_then(|parameter| Ok((parameter.to_decrypt(), associated?)));
    message_step(library, session, Kind::MessageDecrypt, all, |session, (parameter, associated)| {
        Ok(session.decrypt_message_begin(&parameter, &associated)?)
    })
}

/// C_DecryptMessageNext.
pub(crate) fn decrypt_next(
    library: &Library,
    session: u64,
    parameter: Outcome<MessageArgument<'_>>,
    data: Outcome<Transform<'_>>,
    flags: CK_FLAGS,
) -> Outcome {
    let all = parameter.and_then(|parameter| Ok((parameter.to_decrypt(), data?)));
    message_step(library, session, Kind::MessageDecrypt, all, |session, (parameter, data)| {
        data.run(|input, output| session.decrypt_message_next(&parameter, input, output, is_last(flags)))
    })
}

/// C_MessageDecryptFinal.
pub(crate) fn decrypt_final(library: &Library, session: u64) -> Outcome {
    Ok(library.session(session)?.message_decrypt_final()?)
}

fn is_last(flags: CK_FLAGS) -> bool {
    flags & CKF_END_OF_MESSAGE != 0
}
