//! Signatures and MACs of many messages under one key, and their verification. PKCS #11 3.2, sections 5.14 and
//! 5.16.

use hsm_core::mechanism::Mechanism;
use hsm_core::session::{Kind, ObjectHandle};

use super::{begin_by, message_step};
use crate::ffi::{SignedPart, Transform};
use crate::library::Library;
use crate::rv::Outcome;

/// C_MessageSignInit.
pub(crate) fn sign_init(
    library: &Library,
    session: u64,
    mechanism: Outcome<Option<Mechanism>>,
    key: u64,
) -> Outcome {
    begin_by(library, session, Kind::MessageSign, mechanism, |session, mechanism| {
        session.message_sign_init(mechanism, ObjectHandle(key))
    })
}

/// C_SignMessage.
pub(crate) fn sign(
    library: &Library,
    session: u64,
    parameter: Outcome,
    data: Outcome<Transform<'_>>,
) -> Outcome {
    let data = parameter.and(data);
    message_step(library, session, Kind::MessageSign, data, |session, data| {
        data.run(|input, output| session.sign_message(input, output))
    })
}

/// C_SignMessageBegin.
pub(crate) fn sign_begin(library: &Library, session: u64, parameter: Outcome) -> Outcome {
    message_step(library, session, Kind::MessageSign, parameter, |session, ()| {
        Ok(session.sign_message_begin()?)
    })
}

/// C_SignMessageNext.
pub(crate) fn sign_next(
    library: &Library,
    session: u64,
    parameter: Outcome,
    part: Outcome<SignedPart<'_>>,
) -> Outcome {
    let part = parameter.and(part);
    message_step(library, session, Kind::MessageSign, part, |session, part| match part {
        SignedPart::More(data) => Ok(session.sign_message_next(data)?),
        SignedPart::Last(data) => data.run(|input, output| session.sign_message_end(input, output)),
    })
}

/// C_MessageSignFinal.
pub(crate) fn sign_final(library: &Library, session: u64) -> Outcome {
    Ok(library.session(session)?.message_sign_final()?)
}

/// C_MessageVerifyInit.
pub(crate) fn verify_init(
    library: &Library,
    session: u64,
    mechanism: Outcome<Option<Mechanism>>,
    key: u64,
) -> Outcome {
    begin_by(library, session, Kind::MessageVerify, mechanism, |session, mechanism| {
        session.message_verify_init(mechanism, ObjectHandle(key))
    })
}

/// C_VerifyMessage.
pub(crate) fn verify(
    library: &Library,
    session: u64,
    parameter: Outcome,
    data: Outcome<&[u8]>,
    signature: Outcome<&[u8]>,
) -> Outcome {
    let both = parameter.and_then(|()| Ok((data?, signature?)));
    message_step(library, session, Kind::MessageVerify, both, |session, (data, signature)| {
        Ok(session.verify_message(data, signature)?)
    })
}

/// C_VerifyMessageBegin.
pub(crate) fn verify_begin(library: &Library, session: u64, parameter: Outcome) -> Outcome {
    message_step(library, session, Kind::MessageVerify, parameter, |session, ()| {
        Ok(session.verify_message_begin()?)
    })
}

/// C_VerifyMessageNext.
pub(crate) fn verify_next(
    library: &Library,
    session: u64,
    parameter: Outcome,
    data: Outcome<&[u8]>,
    signature: Outcome<Option<&[u8]>>,
) -> Outcome {
    let both = parameter.and_then(|()| Ok((data?, signature?)));
    message_step(library, session, Kind::MessageVerify, both, |session, (data, signature)| {
        Ok(session.verify_message_next(data, signature)?)
    })
}

/// C_MessageVerifyFinal.
pub(crate) fn verify_final(library: &Library, session: u64) -> Outcome {
    Ok(library.session(session)?.message_verify_final()?)
}
