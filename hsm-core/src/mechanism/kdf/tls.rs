//! The derivations of TLS. PKCS #11 3.2, section 6.40; RFC 5246, sections 6.3 and 8.1; RFC 7627; RFC 5705.

use cryptoki_sys::*;

use super::{Order, too_long};
use crate::crypto::{self, TlsPrf};
use crate::error::{Error, Result};
use crate::mechanism::params::{Parameter, hash_of_mechanism};
use crate::object::material::Key;
use crate::secret::Secret;

/// Length of a master secret in bytes.
const MASTER: usize = 48;

/// CKM_TLS12_MASTER_KEY_DERIVE and CKM_TLS12_MASTER_KEY_DERIVE_DH.
pub(in crate::mechanism) fn tls_master(order: &Order<'_>) -> Result<Vec<Secret>> {
    let Parameter::TlsMaster { hash, client, server, version } = order.parameter else {
        return Err(Error::MechanismParamInvalid);
    };
    check_version(order, *version)?;
    master(order, *hash, b"master secret", &[client, server])
}

/// CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE and CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE_DH.
pub(in crate::mechanism) fn tls_extended_master(order: &Order<'_>) -> Result<Vec<Secret>> {
    let Parameter::TlsExtendedMaster { hash, session, version } = order.parameter else {
        return Err(Error::MechanismParamInvalid);
    };
    check_version(order, *version)?;
    master(order, *hash, b"extended master secret", &[session])
}

/// The version is part of the secret where RSA transported it, and of no other.
fn check_version(order: &Order<'_>, version: bool) -> Result<()> {
    let agreed =
        matches!(order.row.kind, CKM_TLS12_MASTER_KEY_DERIVE_DH | CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE_DH);
    if agreed == version { Err(Error::MechanismParamInvalid) } else { Ok(()) }
}

fn master(order: &Order<'_>, hash: u64, label: &[u8], seed: &[&[u8]]) -> Result<Vec<Secret>> {
    if order.length().is_some_and(|length| length != MASTER) {
        return Err(too_long());
    }
    let prf = TlsPrf::Tls12(hash_of_mechanism(hash)?);
    Ok(vec![crypto::tls_prf(prf, order.base.secret_value(), label, seed, MASTER)?])
}

/// The version of the protocol that a premaster secret begins with: major, minor.
pub(crate) fn version(base: &Key) -> Option<(u8, u8)> {
    base.secret_value().first_chunk().map(|[major, minor]| (*major, *minor))
}

/// CKM_TLS12_KEY_AND_MAC_DERIVE and CKM_TLS12_KEY_SAFE_DERIVE: the key block in the order in which it is used.
pub(in crate::mechanism) fn tls_keys(order: &Order<'_>) -> Result<Vec<Secret>> {
    let Parameter::TlsKeys { hash, client, server, .. } = order.parameter else {
        return Err(Error::MechanismParamInvalid);
    };
    let prf = TlsPrf::Tls12(hash_of_mechanism(*hash)?);
    let lengths = order.all_lengths()?;
    let total = lengths.iter().sum();
    let base = order.base.secret_value();
    let block = crypto::tls_prf(prf, base, b"key expansion", &[server, client], total)
        .map_err(|_| Error::MechanismParamInvalid)?;
    let mut rest = block.expose();
    let mut parts = Vec::new();
    for length in lengths {
        let (part, others) = rest.split_at_checked(length).ok_or(Error::MechanismParamInvalid)?;
        parts.push(Secret::copy_of(part));
        rest = others;
    }
    Ok(parts)
}

/// CKM_TLS_KDF and CKM_TLS12_KDF: the exporter of RFC 5705, where a context that is there has its length before it.
pub(in crate::mechanism) fn tls_kdf(order: &Order<'_>) -> Result<Vec<Secret>> {
    let Parameter::TlsKdf { prf, label, client, server, context } = order.parameter else {
        return Err(Error::MechanismParamInvalid);
    };
    let length = order.all_lengths()?.first().copied().unwrap_or_default();
    let base = order.base.secret_value();
    let prf = function(*prf)?;
    let secret = match context {
        None => crypto::tls_prf(prf, base, label, &[client, server], length),
        Some(context) => {
            let counted = u16::try_from(context.len()).map_err(|_| Error::MechanismParamInvalid)?;
            crypto::tls_prf(prf, base, label, &[client, server, &counted.to_be_bytes(), context], length)
        }
    };
    Ok(vec![secret?])
}

/// CKM_TLS_MAC and CKM_TLS12_MAC: the "finished" message over a digest of the handshake.
pub(crate) fn tls_mac(
    prf: TlsPrf,
    key: &[u8],
    server: bool,
    message: &[u8],
    length: usize,
) -> Result<Secret> {
    let label: &[u8] = if server { b"server finished" } else { b"client finished" };
    crypto::tls_prf(prf, key, label, &[message], length)
}

/// The pseudorandom function that a digest's number stands for, or CKM_TLS_PRF, which is that of TLS 1.0.
pub(in crate::mechanism) fn function(prf: u64) -> Result<TlsPrf> {
    match prf {
        CKM_TLS_PRF => Ok(TlsPrf::Old),
        hash => Ok(TlsPrf::Tls12(hash_of_mechanism(hash)?)),
    }
}
