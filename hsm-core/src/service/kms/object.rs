//! A key as the object that other doors see: made from its material, and kept in step with what is known of it.

use cryptoki_sys::*;

use crate::error::{Error, Result};
use crate::kms::{KeyRecord, Kind};
use crate::object::lifecycle::{self, Seconds};
use crate::object::managed::{self, Date, KmsMark};
use crate::object::material::Key;
use crate::object::template::{Author, Origin, build};
use crate::object::{Object, Template, Value, values};
use crate::partition::Transaction;
use crate::secret::Secret;

/// What a key may be used for by other doors. A root key wraps and encrypts; a standard key is a secret, of which
/// PKCS #11 takes one of an AES key's length for an AES key, and any other for one that makes MACs.
const fn uses(kind: Kind, key_type: u64) -> &'static [u64] {
    match (kind, key_type) {
        (Kind::Root, _) => &[CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP, CKA_UNWRAP],
        (Kind::Standard, CKK_AES) => &[CKA_ENCRYPT, CKA_DECRYPT],
        (Kind::Standard, _) => &[CKA_SIGN, CKA_VERIFY],
    }
}

const USES: [u64; 7] = [CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP, CKA_UNWRAP, CKA_SIGN, CKA_VERIFY, CKA_DERIVE];

/// The object of a key's current version.
pub(super) fn made(key: &KeyRecord, material: Secret) -> Result<Key> {
    let is_aes = matches!(material.len(), 16 | 24 | 32);
    let key_type = if is_aes { CKK_AES } else { CKK_GENERIC_SECRET };
    let mechanism = if is_aes { CKM_AES_KEY_GEN } else { CKM_GENERIC_SECRET_KEY_GEN };
    let origin = if key.imported { Origin::Unwrap } else { Origin::Generate(mechanism) };
    let mut template: Template = vec![
        (CKA_TOKEN, Value::Bool(true)),
        (CKA_PRIVATE, Value::Bool(true)),
        (CKA_SENSITIVE, Value::Bool(key.kind == Kind::Root)),
        (CKA_EXTRACTABLE, Value::Bool(key.is_extractable())),
    ];
    if !key.imported {
        template.push((CKA_VALUE_LEN, Value::Number(material.len() as u64)));
    }
    let allowed = uses(key.kind, key_type);
    template.extend(USES.map(|kind| (kind, Value::Bool(allowed.contains(&kind)))));
    let mut object = build(origin, CKO_SECRET_KEY, Some(key_type), template, Author::ORDINARY)?;
    object.set(CKA_VALUE, Value::Secret(material));
    let mut marked = Ok(());
    let made = values::settle(object)?.amended(|object| {
        managed::stamp(object);
        marked = mark(object, key);
    });
    marked.map(|()| made)
}

/// Says in an object what is known of its key.
fn mark(object: &mut Object, key: &KeyRecord) -> Result<()> {
    let version = key.version().ok_or(Error::CryptoFailed("a key has no version"))?;
    KmsMark { kind: key.kind, version: version.id.0 }.put(object, key.is_suspended(), key.expiration);
    lifecycle::set_seen(object, key.seen_expiration());
    object.set(CKA_LABEL, Value::Bytes(key.name.clone().into_bytes()));
    Ok(())
}

/// The key's object after it was rotated: it keeps its identifier and the moment at which it was made.
pub(super) fn renewed(before: &Object, key: &KeyRecord, material: Secret) -> Result<Object> {
    let mut after = made(key, material)?.object().duplicate();
    for kind in [CKA_UNIQUE_ID, managed::SOFTHSM_RS_MADE] {
        if let Some(value) = before.get(kind) {
            after.set(kind, value.duplicate());
        }
    }
    Ok(after)
}

/// Brings the object in step with a change of its key. That of a deleted key is put away.
pub(super) fn follow(
    transaction: &mut Transaction<'_>,
    before: &KeyRecord,
    after: &KeyRecord,
    now: Seconds,
) -> Result<()> {
    let id = before.id.into();
    match (before.deletion.is_some(), after.deletion.is_some()) {
        (true, true) => Ok(()),
        (false, true) => transaction.put_away(id),
        (true, false) => transaction.bring_back(id, &|object| {
            mark(object, after)?;
            Date::LastChange.set(object, Some(now));
            Ok(())
        }),
        (false, false) => {
            let object = transaction.object(id)?;
            let mut changed = object.duplicate();
            mark(&mut changed, after)?;
            if same(&object, &changed) {
                return Ok(());
            }
            Date::LastChange.set(&mut changed, Some(now));
            transaction.replace(id, changed)
        }
    }
}

/// Whether two objects say the same of their key.
fn same(one: &Object, other: &Object) -> bool {
    let kinds = [
        managed::SOFTHSM_RS_KMS,
        managed::SOFTHSM_RS_STATE,
        managed::SOFTHSM_RS_SEEN_END,
        Date::Deactivation.kind(),
        CKA_LABEL,
    ];
    kinds.iter().all(|kind| match (one.get(*kind), other.get(*kind)) {
        (Some(one), Some(other)) => one.equals(other),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    })
}
