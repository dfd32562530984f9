//! Sessions and login. PKCS #11 3.2, section 5.6, with C_InitPIN and C_SetPIN of 5.5.

use cryptoki_sys::*;
use hsm_core::session::{Access, Kind, LoginState, ObjectHandle, Role};

use crate::ffi::{Out, Place};
use crate::library::Library;
use crate::rv::{Outcome, Rejection};

/// C_OpenSession. Notifications are not sent, so the callback is never called.
pub(crate) fn open(
    library: &Library,
    slot: u64,
    flags: CK_FLAGS,
    handle: Outcome<Place<'_, CK_SESSION_HANDLE>>,
) -> Outcome {
    let handle = handle?;
    if flags & CKF_SERIAL_SESSION == 0 {
        return Err(Rejection::ParallelSession.into());
    }
    if flags & CKF_ASYNC_SESSION != 0 {
        return Err(Rejection::AsyncSession.into());
    }
    let access = if flags & CKF_RW_SESSION == 0 { Access::ReadOnly } else { Access::ReadWrite };
    handle.put(library.open_session(slot, access)?);
    Ok(())
}

/// C_CloseSession.
pub(crate) fn close(library: &Library, session: u64) -> Outcome {
    library.close_session(session)
}

/// C_CloseAllSessions.
pub(crate) fn close_all(library: &Library, slot: u64) -> Outcome {
    library.close_all_sessions(slot)
}

/// C_GetSessionInfo.
pub(crate) fn info(library: &Library, session: u64, info: Outcome<Place<'_, CK_SESSION_INFO>>) -> Outcome {
    let session = library.session(session)?;
    let state = match (session.access(), session.login_state()) {
        (Access::ReadOnly, LoginState::User) => CKS_RO_USER_FUNCTIONS,
        (Access::ReadOnly, LoginState::Public | LoginState::So) => CKS_RO_PUBLIC_SESSION,
        (Access::ReadWrite, LoginState::Public) => CKS_RW_PUBLIC_SESSION,
        (Access::ReadWrite, LoginState::User) => CKS_RW_USER_FUNCTIONS,
        (Access::ReadWrite, LoginState::So) => CKS_RW_SO_FUNCTIONS,
    };
    let read_write = match session.access() {
        Access::ReadOnly => 0,
        Access::ReadWrite => CKF_RW_SESSION,
    };
    info?.put(CK_SESSION_INFO {
        slotID: session.slot(),
        state,
        flags: CKF_SERIAL_SESSION | read_write,
        ulDeviceError: 0,
    });
    Ok(())
}

/// C_SessionCancel. Flags of functions that leave nothing running have no effect.
pub(crate) fn cancel(library: &Library, session: u64, flags: CK_FLAGS) -> Outcome {
    const KINDS: [(CK_FLAGS, Kind); 13] = [
        (CKF_FIND_OBJECTS, Kind::Find),
        (CKF_ENCRYPT, Kind::Encrypt),
        (CKF_DECRYPT, Kind::Decrypt),
        (CKF_DIGEST, Kind::Digest),
        (CKF_SIGN, Kind::Sign),
        (CKF_SIGN_RECOVER, Kind::SignRecover),
        (CKF_VERIFY, Kind::Verify),
        (CKF_VERIFY_RECOVER, Kind::VerifyRecover),
        (CKF_VERIFY, Kind::VerifySignature),
        (CKF_MESSAGE_ENCRYPT, Kind::MessageEncrypt),
        (CKF_MESSAGE_DECRYPT, Kind::MessageDecrypt),
        (CKF_MESSAGE_SIGN, Kind::MessageSign),
        (CKF_MESSAGE_VERIFY, Kind::MessageVerify),
    ];
    let session = library.session(session)?;
    for (_, kind) in KINDS.iter().filter(|(flag, _)| flags & flag != 0) {
        // One that does not run has no effect.
        let _ = session.cancel(*kind);
    }
    Ok(())
}

/// C_GetOperationState.
pub(crate) fn operation_state(library: &Library, session: u64, out: Outcome<Out<'_>>) -> Outcome {
    let session = library.session(session)?;
    out?.fill(|output| session.save_state(output))
}

/// C_SetOperationState.
pub(crate) fn set_operation_state(
    library: &Library,
    session: u64,
    state: Outcome<&[u8]>,
    encryption: u64,
    authentication: u64,
) -> Outcome {
    let session = library.session(session)?;
    let state = state?;
    if state.is_empty() {
        return Err(Rejection::ArgumentsBad.into());
    }
    Ok(session.restore_state(state, [ObjectHandle(encryption), ObjectHandle(authentication)])?)
}

/// C_Login.
pub(crate) fn login(library: &Library, session: u64, user: CK_USER_TYPE, pin: Outcome<&[u8]>) -> Outcome {
    let session = library.session(session)?;
    let pin = pin?;
    match user {
        CKU_USER => session.login(Role::User, pin)?,
        CKU_SO => session.login(Role::So, pin)?,
        CKU_CONTEXT_SPECIFIC => session.login_context(pin)?,
        _ => return Err(Rejection::UserTypeInvalid.into()),
    }
    Ok(())
}

/// C_GetSessionValidationFlags. Nothing here is validated by anybody, so no operation met the rules of a validation.
pub(crate) fn validation_flags(
    library: &Library,
    session: u64,
    kind: CK_SESSION_VALIDATION_FLAGS_TYPE,
    flags: Outcome<Place<'_, CK_FLAGS>>,
) -> Outcome {
    library.session(session)?;
    let flags = flags?;
    match kind {
        CKS_LAST_VALIDATION_OK => flags.put(0),
        _ => return Err(Rejection::ArgumentsBad.into()),
    }
    Ok(())
}

/// C_LoginUser. Users of a token have no names here, so only the empty one can be meant.
pub(crate) fn login_user(
    library: &Library,
    session: u64,
    user: CK_USER_TYPE,
    pin: Outcome<&[u8]>,
    name: Outcome<&[u8]>,
) -> Outcome {
    if !name?.is_empty() {
        return Err(Rejection::ArgumentsBad.into());
    }
    login(library, session, user, pin)
}

/// C_Logout.
pub(crate) fn logout(library: &Library, session: u64) -> Outcome {
    library.logout(session)
}

/// C_InitPIN.
pub(crate) fn init_pin(library: &Library, session: u64, new: Outcome<&[u8]>) -> Outcome {
    let session = library.session(session)?;
    Ok(session.init_pin(new?)?)
}

/// C_SetPIN.
pub(crate) fn set_pin(library: &Library, session: u64, old: Outcome<&[u8]>, new: Outcome<&[u8]>) -> Outcome {
    let session = library.session(session)?;
    Ok(session.set_pin(old?, new?)?)
}
