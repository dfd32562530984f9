//! Signatures and message authentication codes, made and verified. PKCS #11 3.2, sections 5.13 and 5.15.

use hsm_core::mechanism::Mechanism;
use hsm_core::session::{Kind, ObjectHandle, Session};

use super::{absorb, begin, emit, step, transform};
use crate::ffi::{Out, Transform};
use crate::library::Library;
use crate::rv::Outcome;

/// C_SignInit.
pub(crate) fn sign_init(
    library: &Library,
    session: u64,
    mechanism: Outcome<Option<Mechanism>>,
    key: u64,
) -> Outcome {
    begin(library, session, Kind::Sign, mechanism, |session, mechanism| {
        session.sign_init(mechanism, ObjectHandle(key))
    })
}

/// C_Sign.
pub(crate) fn sign(library: &Library, session: u64, data: Outcome<Transform<'_>>) -> Outcome {
    transform(library, session, Kind::Sign, data, Session::sign)
}

/// C_SignUpdate.
pub(crate) fn sign_update(library: &Library, session: u64, data: Outcome<&[u8]>) -> Outcome {
    absorb(library, session, Kind::Sign, data, Session::sign_update)
}

/// C_SignFinal.
pub(crate) fn sign_final(library: &Library, session: u64, out: Outcome<Out<'_>>) -> Outcome {
    emit(library, session, Kind::Sign, out, Session::sign_final)
}

/// C_SignRecoverInit.
pub(crate) fn sign_recover_init(
    library: &Library,
    session: u64,
    mechanism: Outcome<Option<Mechanism>>,
    key: u64,
) -> Outcome {
    begin(library, session, Kind::SignRecover, mechanism, |session, mechanism| {
        session.sign_recover_init(mechanism, ObjectHandle(key))
    })
}

/// C_SignRecover.
pub(crate) fn sign_recover(library: &Library, session: u64, data: Outcome<Transform<'_>>) -> Outcome {
    transform(library, session, Kind::SignRecover, data, Session::sign_recover)
}

/// C_VerifyInit.
pub(crate) fn verify_init(
    library: &Library,
    session: u64,
    mechanism: Outcome<Option<Mechanism>>,
    key: u64,
) -> Outcome {
    begin(library, session, Kind::Verify, mechanism, |session, mechanism| {
        session.verify_init(mechanism, ObjectHandle(key))
    })
}

/// C_Verify.
pub(crate) fn verify(
    library: &Library,
    session: u64,
    data: Outcome<&[u8]>,
    signature: Outcome<&[u8]>,
) -> Outcome {
    let both = data.and_then(|data| Ok((data, signature?)));
    step(library, session, Kind::Verify, both, |session, (data, signature)| {
        Ok(session.verify(data, signature)?)
    })
}

/// C_VerifyUpdate.
pub(crate) fn verify_update(library: &Library, session: u64, data: Outcome<&[u8]>) -> Outcome {
    absorb(library, session, Kind::Verify, data, Session::verify_update)
}

/// C_VerifyFinal.
pub(crate) fn verify_final(library: &Library, session: u64, data: Outcome<&[u8]>) -> Outcome {
    absorb(library, session, Kind::Verify, data, Session::verify_final)
}

/// C_VerifySignatureInit.
pub(crate) fn verify_signature_init(
    library: &Library,
    session: u64,
    mechanism: Outcome<Option<Mechanism>>,
    key: u64,
    signature: Outcome<&[u8]>,
) -> Outcome {
    // Without a mechanism the rest is not looked at.
    let both = mechanism.and_then(|mechanism| match mechanism {
        Some(mechanism) => Ok((Some(mechanism), signature?)),
        None => Ok((None, &[][..])),
    });
    let (mechanism, signature) = match both {
        Ok((mechanism, signature)) => (Ok(mechanism), signature),
        Err(bad) => (Err(bad), &[][..]),
    };
    begin(library, session, Kind::VerifySignature, mechanism, |session, mechanism| {
        session.verify_signature_init(mechanism, ObjectHandle(key), signature)
    })
}

/// C_VerifySignature.
pub(crate) fn verify_signature(library: &Library, session: u64, data: Outcome<&[u8]>) -> Outcome {
    absorb(library, session, Kind::VerifySignature, data, Session::verify_signature)
}

/// C_VerifySignatureUpdate.
pub(crate) fn verify_signature_update(library: &Library, session: u64, data: Outcome<&[u8]>) -> Outcome {
    absorb(library, session, Kind::VerifySignature, data, Session::verify_signature_update)
}

/// C_VerifySignatureFinal.
pub(crate) fn verify_signature_final(library: &Library, session: u64) -> Outcome {
    Ok(library.session(session)?.verify_signature_final()?)
}

/// C_VerifyRecoverInit.
pub(crate) fn verify_recover_init(
    library: &Library,
    session: u64,
    mechanism: Outcome<Option<Mechanism>>,
    key: u64,
) -> Outcome {
    begin(library, session, Kind::VerifyRecover, mechanism, |session, mechanism| {
        session.verify_recover_init(mechanism, ObjectHandle(key))
    })
}

/// C_VerifyRecover.
pub(crate) fn verify_recover(library: &Library, session: u64, data: Outcome<Transform<'_>>) -> Outcome {
    transform(library, session, Kind::VerifyRecover, data, Session::verify_recover)
}
