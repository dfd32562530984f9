//! How a partition's keys are wrapped: which key the master key leads to for each purpose, and AES-256-GCM
//! under it.

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Key, Nonce, Tag};

use crate::error::{Error, Result};
use crate::rng;
use crate::secret::Secret;
use crate::session::Role;
use crate::store::{PartitionId, RecordId};
use crate::unit::ActiveUnit;

/// What the wraps of a role's PIN are bound to.
pub(super) fn context(space: PartitionId, role: Role) -> [u8; 17] {
    let mut out = [0; 17];
    let (first, rest) = out.split_at_mut(1);
    first.copy_from_slice(&[match role {
        Role::So => b'S',
        Role::User => b'U',
    }]);
    rest.copy_from_slice(&space.0);
    out
}

/// The master key's wrap of the public-object key.
pub(super) fn public_wrap(space: PartitionId, unit: &ActiveUnit) -> Secret {
    unit.derive(b"public-object key", &space.0)
}

/// The master key's wrap of the private-object key, around that of a PIN.
pub(crate) fn outer(space: PartitionId, role: Role, unit: &ActiveUnit) -> Secret {
    unit.derive(b"private-object key", &context(space, role))
}

/// The master key's own wrap of the private-object key, in a server's partition.
pub(super) fn server_wrap(space: PartitionId, unit: &ActiveUnit) -> Secret {
    unit.derive(b"server private-object key", &space.0)
}

/// What seals a token's counters of wrong tries.
pub(crate) fn counters_secret(token: RecordId, unit: &ActiveUnit) -> Secret {
    unit.derive(b"PIN counters", &token.0)
}

/// AES-256-GCM with a random nonce: nonce ‖ ciphertext ‖ tag.
pub(super) fn wrap_key(wrap: &Secret, context: &[u8], key: &[u8]) -> Result<Vec<u8>> {
    let failed = |_| Error::CryptoFailed("AES-GCM");
    let nonce: [u8; 12] = rng::array()?;
    let mut out = Vec::with_capacity(12 + key.len() + 16);
    out.extend_from_slice(&nonce);
    out.extend_from_slice(key);
    let body = out.get_mut(12..).unwrap_or_default();
    let tag =
        cipher(wrap)?.encrypt_inout_detached(&Nonce::from(nonce), context, body.into()).map_err(failed)?;
    out.extend_from_slice(&tag);
    Ok(out)
}

/// The reverse of [`wrap_key`]; `None` under any other key or context.
pub(super) fn unwrap_key(wrap: &Secret, context: &[u8], wrapped: &[u8]) -> Option<Secret> {
    let (nonce, rest) = wrapped.split_first_chunk::<12>()?;
    let (body, tag) = rest.split_last_chunk::<16>()?;
    let mut key = Secret::copy_of(body);
    cipher(wrap)
        .ok()?
        .decrypt_inout_detached(&Nonce::from(*nonce), context, key.expose_mut().into(), &Tag::from(*tag))
        .ok()?;
    Some(key)
}

fn cipher(wrap: &Secret) -> Result<Aes256Gcm> {
    let key: &[u8; 32] = wrap.expose().try_into().map_err(|_| Error::CryptoFailed("AES-GCM key"))?;
    Ok(Aes256Gcm::new(<&Key<Aes256Gcm>>::from(key)))
}
