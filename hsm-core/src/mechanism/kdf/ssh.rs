//! The keys of a connection of SSH. RFC 4253, section 7.2. The standard has no mechanism for it; this is kryoptic's.

use super::Order;
use crate::crypto::{self, Hash};
use crate::error::{Error, Result};
use crate::mechanism::params::{Parameter, hash_of_mechanism};
use crate::secret::Secret;

/// The letters of the initialisation vectors, which are no secrets.
pub(super) const VECTORS: std::ops::RangeInclusive<u8> = b'A'..=b'B';

/// The letters of all that a connection needs.
pub(super) const LETTERS: std::ops::RangeInclusive<u8> = b'A'..=b'F';

/// KRM_SSHKDF_DERIVE. The base key's value goes into the hash as it is: whoever brings it gives an mpint.
pub(in crate::mechanism) fn ssh(order: &Order<'_>) -> Result<Vec<Secret>> {
    let Parameter::Ssh { hash, letter, exchange_hash, session_id } = order.parameter else {
        return Err(Error::MechanismParamInvalid);
    };
    let hash = hash_of_mechanism(*hash)?;
    if hash == Hash::Md5 || exchange_hash.is_empty() || session_id.is_empty() {
        return Err(Error::MechanismParamInvalid);
    }
    let length = order.all_lengths()?.first().copied().unwrap_or_default();
    let base = order.base.secret_value();
    let mut out = Secret::zeroed(length);
    let letter = [*letter];
    let mut done = 0;
    while let Some((before, rest)) =
        out.expose_mut().split_at_mut_checked(done).filter(|(_, rest)| !rest.is_empty())
    {
        let block = match before {
            [] => crypto::hash_of(hash, &[base, exchange_hash, &letter, session_id]),
            before => crypto::hash_of(hash, &[base, exchange_hash, before]),
        };
        let block = zeroize::Zeroizing::new(block?);
        let taken = block.len().min(rest.len());
        for (to, from) in rest.iter_mut().zip(block.iter()) {
            *to = *from;
        }
        done += taken;
    }
    Ok(vec![out])
}
