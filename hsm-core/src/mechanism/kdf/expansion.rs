//! HKDF (PKCS #11 3.2, section 6.62) and the functions of NIST SP 800-108 (section 6.42).

use cryptoki_sys::*;

use super::{Order, too_long};
use crate::crypto::{self, Field, Hash, Iteration, Prf};
use crate::error::{Error, Result};
use crate::mechanism::params::{Parameter, PrfField, Salt, hash_of_mechanism};
use crate::mechanism::table;
use crate::object::material::Key;
use crate::secret::Secret;

/// CKM_HKDF_DERIVE and CKM_HKDF_DATA.
pub(in crate::mechanism) fn hkdf(order: &Order<'_>) -> Result<Vec<Secret>> {
    let Parameter::Hkdf { extract, expand, hash, salt, info } = order.parameter else {
        return Err(Error::MechanismParamInvalid);
    };
    let hash = hash_of_mechanism(*hash)?;
    let base = order.base.secret_value();
    let extracted = match (extract, salt) {
        (false, _) => None,
        (true, Salt::None) => Some(crypto::hkdf_extract(hash, base, &[])?),
        (true, Salt::Data(salt)) => Some(crypto::hkdf_extract(hash, base, salt)?),
        (true, Salt::Key(_)) => {
            let salt = order.others.first().ok_or(Error::MechanismParamInvalid)?;
            Some(crypto::hkdf_extract(hash, base, salt.secret_value())?)
        }
    };
    match (extracted, expand) {
        (None, false) => Err(Error::MechanismParamInvalid),
        (Some(key), false) => order.cut(key.expose()),
        (key, true) => {
            let key = key.as_ref().map_or(base, Secret::expose);
            let length = order.all_lengths()?.first().copied().unwrap_or_default();
            Ok(vec![crypto::hkdf_expand(hash, key, info, length).map_err(|_| too_long())?])
        }
    }
}

/// CKM_SP800_108_COUNTER_KDF, CKM_SP800_108_FEEDBACK_KDF and CKM_SP800_108_DOUBLE_PIPELINE_KDF.
pub(in crate::mechanism) fn sp800_108(order: &Order<'_>) -> Result<Vec<Secret>> {
    let Parameter::Sp800_108 { prf, iv, fields, .. } = order.parameter else {
        return Err(Error::MechanismParamInvalid);
    };
    let mode = match order.row.kind {
        CKM_SP800_108_COUNTER_KDF => Iteration::Counter,
        CKM_SP800_108_FEEDBACK_KDF => Iteration::Feedback { iv },
        _ => Iteration::DoublePipeline,
    };
    check(fields, mode)?;
    let mut others = order.others.iter();
    let fields: Vec<Field<'_>> = fields
        .iter()
        .map(|field| {
            Ok(match field {
                PrfField::Iteration(None) => Field::Chain,
                PrfField::Iteration(Some(number)) | PrfField::Counter(number) => Field::Counter(*number),
                PrfField::Length(number, extent) => Field::Length(*number, *extent),
                PrfField::Bytes(bytes) => Field::Bytes(bytes),
                PrfField::Key(_) => {
                    Field::Bytes(others.next().ok_or(Error::MechanismParamInvalid)?.secret_value())
                }
            })
        })
        .collect::<Result<_>>()?;
    let prf = function(*prf, order.base)?;
    let value = order.base.secret_value();
    crypto::derive_keys_by_sp800_108(prf, mode, value, &fields, &order.all_lengths()?).map_err(|error| {
        match error {
            Error::DataLength => too_long(),
            other => other,
        }
    })
}

/// The fields that a mode has, and how often (tables of section 6.42). The counter mode's variable is the counter;
/// the other modes' has no form of its own.
fn check(fields: &[PrfField], mode: Iteration<'_>) -> Result<()> {
    let count = |is: fn(&PrfField) -> bool| fields.iter().filter(|field| is(field)).count();
    let counters = count(|field| matches!(field, PrfField::Iteration(Some(_))));
    let chains = count(|field| matches!(field, PrfField::Iteration(None)));
    let optional = count(|field| matches!(field, PrfField::Counter(_)));
    let lengths = count(|field| matches!(field, PrfField::Length(..)));
    let fits = match mode {
        Iteration::Counter => (counters, chains, optional) == (1, 0, 0),
        Iteration::Feedback { .. } | Iteration::DoublePipeline => {
            (counters, chains) == (0, 1) && optional <= 1
        }
    };
    if fits && lengths <= 1 { Ok(()) } else { Err(Error::MechanismParamInvalid) }
}

/// The pseudorandom function that a mechanism's number stands for, if it takes the base key.
fn function(prf: u64, base: &Key) -> Result<Prf> {
    let key_type = base.object().key_type().unwrap_or(CK_UNAVAILABLE_INFORMATION);
    let (prf, takes) = match prf {
        CKM_AES_CMAC => (Prf::Cmac, key_type == CKK_AES),
        CKM_DES3_CMAC => (Prf::Des3Cmac, matches!(key_type, CKK_DES2 | CKK_DES3)),
        _ => {
            let (hash, keys) = hmac(prf)?;
            (Prf::Hmac(hash), keys.contains(&key_type))
        }
    };
    if takes { Ok(prf) } else { Err(Error::KeyTypeInconsistent) }
}

/// The hash of an HMAC mechanism that gives its full length, and the keys it takes. MD5 is none for this.
fn hmac(kind: u64) -> Result<(Hash, &'static [u64])> {
    let row = table::row(kind).filter(|row| !row.legacy && row.name.ends_with("_HMAC"));
    row.and_then(|row| Some((row.hash?, row.keys))).ok_or(Error::MechanismParamInvalid)
}
