//! A unit's state as the bytes that are sealed into its file. The HSM id and the epoch are not among
//! them: they stand in the file's header, which is authenticated with them.

use serde::{Deserialize, Serialize};

use super::audit::{AuditState, StoredAudit};
use super::identity::HsmId;
use super::keys::{PublicKey, SignatureKey};
use super::parts::{ImporterKey, KEY_LENGTH};
use super::permissions::Permissions;
use super::state::{
    ADMINISTRATORS_MAX, Administrator, CurrentRegister, MasterKey, NewRegister, Ownership, Secured, State,
    Thresholds, UnitKind,
};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// More bytes than any state has: eight administrators with names of 30 four-byte characters are
/// about 2100, all else 300.
pub(super) const STATE_MAX: usize = 8 * 1024;

/// The state; secrets are borrowed, so that decoding makes no copies of them.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    unit_id: u32,
    counter: u128,
    #[serde(borrow)]
    administrators: Vec<(&'a str, &'a [u8])>,
    #[serde(borrow)]
    secured: Option<StoredSecured<'a>>,
}

#[derive(Serialize, Deserialize)]
struct StoredSecured<'a> {
    signature_threshold: u8,
    revocation_threshold: u8,
    permissions: u32,
    #[serde(borrow)]
    new: StoredNew<'a>,
    #[serde(borrow)]
    current: Option<&'a [u8]>,
    #[serde(borrow)]
    importer: Option<&'a [u8]>,
}

#[derive(Serialize, Deserialize)]
enum StoredNew<'a> {
    Empty,
    FullUncommitted(&'a [u8]),
    FullCommitted(&'a [u8]),
}

/// The state's bytes.
pub(super) fn encode(state: &State) -> Result<Secret> {
    let points: Vec<_> = state.administrators.iter().map(|one| one.public_key.to_sec1()).collect();
    let names = state.administrators.iter().map(|one| one.name.as_str());
    let scalar = state.secured().and_then(|secured| secured.importer.as_ref()).map(ImporterKey::scalar);
    let stored = Stored {
        unit_id: state.unit_id,
        counter: state.counter,
        administrators: names.zip(points.iter().map(Vec::as_slice)).collect(),
        secured: state.secured().map(|secured| StoredSecured {
            signature_threshold: secured.thresholds.signature,
            revocation_threshold: secured.thresholds.revocation,
            permissions: secured.permissions.bits(),
            new: match &secured.new {
                NewRegister::Empty => StoredNew::Empty,
                NewRegister::FullUncommitted(key) => StoredNew::FullUncommitted(key.secret().expose()),
                NewRegister::FullCommitted(key) => StoredNew::FullCommitted(key.secret().expose()),
            },
            current: secured.current.key().map(|key| key.secret().expose()),
            importer: scalar.as_ref().map(|scalar| scalar.as_slice()),
        }),
    };
    let attestation = state.attestation.as_ref().map(SignatureKey::scalar);
    let attestation: &[u8] = attestation.as_ref().map_or(&[], |scalar| scalar);
    let audit_scalar = state.audit.scalar();
    let audit = state.audit.stored(&audit_scalar);
    // A fixed buffer, since a growing one leaves copies of what it held.
    let mut buffer = Secret::zeroed(STATE_MAX);
    let used = postcard::to_slice(&(stored, attestation, audit, state.kind), buffer.expose_mut())
        .map_err(|_| Error::CryptoFailed("encoding the unit's state"))?;
    Ok(Secret::copy_of(used))
}

/// The reverse of [`encode`]; `None` for anything that it does not write.
pub(super) fn decode(bytes: &[u8], hsm_id: HsmId, epoch: u64) -> Option<State> {
    let (stored, rest) = postcard::take_from_bytes::<Stored<'_>>(bytes).ok()?;
    if stored.administrators.len() > ADMINISTRATORS_MAX {
        return None;
    }
    // States were written without these once.
    let (scalar, rest) =
        if rest.is_empty() { (&[][..], rest) } else { postcard::take_from_bytes(rest).ok()? };
    let attestation = (!scalar.is_empty()).then(|| SignatureKey::from_scalar(scalar));
    let (audit, rest) = if rest.is_empty() {
        (AuditState::default(), rest)
    } else {
        let (audit, rest) = postcard::take_from_bytes::<StoredAudit<'_>>(rest).ok()?;
        (AuditState::restore(&audit)?, rest)
    };
    let (kind, rest) =
        if rest.is_empty() { (UnitKind::Operational, rest) } else { postcard::take_from_bytes(rest).ok()? };
    if !rest.is_empty() || matches!(attestation, Some(None)) {
        return None;
    }
    let administrators = stored.administrators.into_iter().map(|(name, point)| {
        Some(Administrator { name: name.to_owned(), public_key: PublicKey::from_sec1(point)? })
    });
    let ownership = match stored.secured {
        None => Ownership::Imprint,
        Some(secured) => Ownership::Secure(Box::new(decode_secured(secured)?)),
    };
    Some(State {
        hsm_id,
        unit_id: stored.unit_id,
        counter: stored.counter,
        epoch,
        administrators: administrators.collect::<Option<_>>()?,
        ownership,
        attestation: attestation.flatten(),
        audit,
        kind,
    })
}

fn decode_secured(stored: StoredSecured<'_>) -> Option<Secured> {
    Some(Secured {
        thresholds: Thresholds {
            signature: stored.signature_threshold,
            revocation: stored.revocation_threshold,
        },
        permissions: Permissions::from_bits(stored.permissions),
        new: match stored.new {
            StoredNew::Empty => NewRegister::Empty,
            StoredNew::FullUncommitted(key) => NewRegister::FullUncommitted(master_key(key)?),
            StoredNew::FullCommitted(key) => NewRegister::FullCommitted(master_key(key)?),
        },
        current: match stored.current {
            None => CurrentRegister::Empty,
            Some(key) => CurrentRegister::Valid(master_key(key)?),
        },
        importer: match stored.importer {
            None => None,
            Some(scalar) => Some(ImporterKey::from_scalar(scalar)?),
        },
    })
}

fn master_key(bytes: &[u8]) -> Option<MasterKey> {
    (bytes.len() == KEY_LENGTH).then(|| MasterKey::new(Secret::copy_of(bytes)))
}
