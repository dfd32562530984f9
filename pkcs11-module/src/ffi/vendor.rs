//! Parameters of mechanisms that are a vendor's: kryoptic's key derivation of SSH.

use cryptoki_sys::*;
use hsm_core::mechanism::Parameter;

use super::mechanism::{Given, Structure, copy};
use crate::rv::Outcome;

/// KR_SSHKDF_PARAMS.
#[repr(C)]
#[derive(Clone, Copy)]
struct SshKdfParams {
    /// `prfHashMechanism`.
    hash: CK_MECHANISM_TYPE,
    /// `derivedKeyType`.
    letter: CK_BYTE,
    /// `pExchangeHash`.
    exchange_hash: CK_BYTE_PTR,
    /// `ulExchangeHashLen`.
    exchange_hash_len: CK_ULONG,
    /// `pSessionId`.
    session_id: CK_BYTE_PTR,
    /// `ulSessionIdLen`.
    session_id_len: CK_ULONG,
}

impl Structure for SshKdfParams {}

/// Reads a parameter of `Shape::Ssh`.
///
/// # Safety
/// As for [`super::mechanism::parse`].
pub(super) unsafe fn ssh(given: &Given<'_>) -> Outcome<Parameter> {
    let given: SshKdfParams = given.structure()?;
    Ok(Parameter::Ssh {
        hash: given.hash,
        letter: given.letter,
        // SAFETY: passed on.
        exchange_hash: unsafe { copy(given.exchange_hash, given.exchange_hash_len) }?,
        // SAFETY: passed on.
        session_id: unsafe { copy(given.session_id, given.session_id_len) }?,
    })
}
