//! The values of post-quantum keys: checked when a caller gives them, put into objects when a pair is made,
//! and written as PKCS #8 has them. PKCS #11 3.2, sections 6.67 to 6.69.

use cryptoki_sys::*;
use der::asn1::{AnyRef, OctetStringRef};
use der::{Decode, Encode, Sequence, Tag, TagNumber, Tagged};
use zeroize::Zeroizing;

use super::material::Key;
use super::parameter_sets::ParameterSet;
use super::{Object, Value, encoding, values};
use crate::crypto::{self, KemPrivateKey, KemPublicKey, PqPrivateKey, PqPublicKey, PrivateForm};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// A private key, ready, of either kind.
pub(super) enum Private {
    Kem(Box<dyn KemPrivateKey>),
    Signature(Box<dyn PqPrivateKey>),
}

/// A public key, ready, of either kind.
pub(super) enum Public {
    Kem(Box<dyn KemPublicKey>),
    Signature(Box<dyn PqPublicKey>),
}

impl Private {
    fn public_key(&self) -> Vec<u8> {
        match self {
            Private::Kem(key) => key.public_key(),
            Private::Signature(key) => key.public_key(),
        }
    }

    fn private_key(&self) -> Secret {
        match self {
            Private::Kem(key) => key.private_key(),
            Private::Signature(key) => key.private_key(),
        }
    }
}

fn made_from(set: ParameterSet, form: PrivateForm<'_>) -> Result<Private> {
    match set {
        ParameterSet::Kem(set) => crypto::kem_private(set, form).map(Private::Kem),
        ParameterSet::Signature(set) => crypto::pq_private(set, form).map(Private::Signature),
    }
}

/// Prepares a private key from its seed, or where it has none, from its value.
pub(super) fn private(object: &Object) -> Result<Private> {
    let set = ParameterSet::of(object)?;
    match object.bytes(CKA_SEED) {
        [] => made_from(set, PrivateForm::Expanded(object.bytes(CKA_VALUE))),
        seed => made_from(set, PrivateForm::Seed(seed)),
    }
}

/// Prepares a public key.
pub(super) fn public(object: &Object) -> Result<Public> {
    let value = object.bytes(CKA_VALUE);
    match ParameterSet::of(object)? {
        ParameterSet::Kem(set) => crypto::kem_public(set, value).map(Public::Kem),
        ParameterSet::Signature(set) => crypto::pq_public(set, value).map(Public::Signature),
    }
}

/// Puts a fresh pair, made from a seed of its set's length, into both objects. SLH-DSA has no CKA_SEED.
pub(crate) fn fill_pair(seed: Secret, public: &mut Object, private: &mut Object) -> Result<()> {
    let key = made_from(ParameterSet::of(public)?, PrivateForm::Seed(seed.expose()))?;
    public.set(CKA_VALUE, Value::Bytes(key.public_key()));
    private.set(CKA_PARAMETER_SET, Value::Number(public.number(CKA_PARAMETER_SET).unwrap_or_default()));
    private.set(CKA_VALUE, Value::Secret(key.private_key()));
    if has_seed(private) {
        private.set(CKA_SEED, Value::Secret(seed));
    }
    Ok(())
}

fn has_seed(object: &Object) -> bool {
    matches!(object.key_type(), Some(CKK_ML_KEM | CKK_ML_DSA))
}

/// Makes a private key complete: its value follows from its seed. What a caller gave of both must belong
/// together.
pub(super) fn settle_private(mut object: Object) -> Result<Key> {
    let set = ParameterSet::of(&object)?;
    let has_value = !object.bytes(CKA_VALUE).is_empty();
    let wrong = if object.bytes(CKA_SEED).is_empty() { CKA_VALUE } else { CKA_SEED };
    if wrong == CKA_VALUE && !has_value {
        return Err(Error::TemplateIncomplete(CKA_VALUE));
    }
    let key = private(&object).map_err(|_| Error::AttributeValueInvalid(wrong))?;
    let value = key.private_key();
    if has_value && !value.equals(object.bytes(CKA_VALUE)) {
        return Err(Error::AttributeValueInvalid(CKA_VALUE));
    }
    check_root(set, &object)?;
    object.set(CKA_VALUE, Value::Secret(value));
    values::set_public_key_info(&mut object, |object| {
        let mut public = Object::default();
        for kind in [CKA_KEY_TYPE, CKA_PARAMETER_SET] {
            public.set(kind, Value::Number(object.number(kind).unwrap_or_default()));
        }
        public.set(CKA_VALUE, Value::Bytes(key.public_key()));
        encoding::public_key_info(&public)
    })?;
    Ok(Key::new(object))
}

/// An SLH-DSA key that was brought has the root of its own seeds; to see that, the key is made again. One
/// that was made here has it.
fn check_root(set: ParameterSet, object: &Object) -> Result<()> {
    if object.key_type() != Some(CKK_SLH_DSA) || object.flag(CKA_LOCAL) {
        return Ok(());
    }
    let value = object.bytes(CKA_VALUE);
    let seed = value.get(..set.seed_len()).unwrap_or_default();
    if made_from(set, PrivateForm::Seed(seed))?.private_key().equals(value) {
        Ok(())
    } else {
        Err(Error::AttributeValueInvalid(CKA_VALUE))
    }
}

/// Checks a public key and adds its CKA_PUBLIC_KEY_INFO.
pub(super) fn settle_public(mut object: Object) -> Result<Key> {
    public(&object).map_err(|error| match error {
        Error::PublicKeyInvalid => Error::AttributeValueInvalid(CKA_VALUE),
        other => other,
    })?;
    values::set_public_key_info(&mut object, encoding::public_key_info)?;
    Ok(Key::new(object))
}

/// The third choice of ML-KEM-PrivateKey and ML-DSA-PrivateKey: RFC 9935, section 6, and RFC 9881, section 6.
/// The others are the seed alone, under the tag 0, and the value alone, as an OCTET STRING.
#[derive(Sequence)]
struct SeedAndKey<'a> {
    seed: &'a OctetStringRef,
    expanded: &'a OctetStringRef,
}

/// What stands in the privateKey of a PrivateKeyInfo: seed and value where both are known, so that every
/// reader finds what it takes. SLH-DSA has the value as it is: RFC 9909, section 6.
pub(super) fn private_key(object: &Object) -> Result<Zeroizing<Vec<u8>>> {
    let (seed, value) = (object.bytes(CKA_SEED), object.bytes(CKA_VALUE));
    let encode = || match seed {
        [] => <&OctetStringRef>::try_from(value)?.to_der(),
        seed => SeedAndKey { seed: seed.try_into()?, expanded: value.try_into()? }.to_der(),
    };
    if !has_seed(object) {
        return Ok(Zeroizing::new(value.to_vec()));
    }
    encode().map(Zeroizing::new).map_err(|_: der::Error| Error::CryptoFailed("a key did not encode"))
}

/// Puts what stands in a privateKey into a private key object.
pub(super) fn read_private_key(object: &mut Object, key_type: u64, number: u64, inner: &[u8]) -> Result<()> {
    let secret = |bytes: &OctetStringRef| Value::Secret(Secret::copy_of(bytes.as_bytes()));
    object.set(CKA_PARAMETER_SET, Value::Number(number));
    if key_type == CKK_SLH_DSA {
        object.set(CKA_VALUE, Value::Secret(Secret::copy_of(inner)));
        return Ok(());
    }
    let bad = |_| Error::WrappedKeyInvalid;
    match AnyRef::from_der(inner).map_err(bad)?.tag() {
        Tag::OctetString => object.set(CKA_VALUE, secret(<&OctetStringRef>::from_der(inner).map_err(bad)?)),
        Tag::Sequence => {
            let both = SeedAndKey::from_der(inner).map_err(bad)?;
            object.set(CKA_SEED, secret(both.seed));
            object.set(CKA_VALUE, secret(both.expanded));
        }
        tag if tag == SEED => object.set(
            CKA_SEED,
            secret(
                AnyRef::from_der(inner)
                    .and_then(|seed| <&OctetStringRef>::try_from(seed.value()))
                    .map_err(bad)?,
            ),
        ),
        _ => return Err(Error::WrappedKeyInvalid),
    }
    Ok(())
}

/// [0] IMPLICIT OCTET STRING.
const SEED: Tag = Tag::ContextSpecific { constructed: false, number: TagNumber(0) };
