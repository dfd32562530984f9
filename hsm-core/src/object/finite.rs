//! DSA and Diffie-Hellman keys and their domain parameters: checked when a caller gives them, put into objects
//! when they are made, and written as X.509 and PKCS #8 have them. PKCS #11 3.2, sections 6.2 and 6.4.

use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912;
use cryptoki_sys::*;
use der::asn1::{AnyRef, UintRef};
use der::{Decode, Encode, Sequence};
use zeroize::Zeroizing;

use super::encoding::{self, bit_len};
use super::material::Key;
use super::template::without_zeros;
use super::values::set_public_key_info;
use super::{Object, Template, Value};
use crate::crypto::{self, DhGroup, DhPrivateKey, DsaGroup, DsaPrivateKey, DsaPublicKey};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// dhKeyAgreement. PKCS #3, section 10.
const DH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.3.1");
/// id-dsa. RFC 3279, section 2.3.2.
const DSA: ObjectIdentifier = rfc5912::ID_DSA;

/// A private key, ready, of either kind.
pub(super) enum Private {
    Dsa(Box<dyn DsaPrivateKey>),
    Dh(Box<dyn DhPrivateKey>),
}

impl Private {
    fn public_value(&self) -> Result<Vec<u8>> {
        match self {
            Private::Dsa(key) => Ok(key.public_value()),
            Private::Dh(key) => key.public_value(),
        }
    }
}

/// Whether keys of a type are numbers modulo a prime.
pub(crate) const fn is_finite(key_type: u64) -> bool {
    matches!(key_type, CKK_DSA | CKK_DH)
}

/// The domain parameters of DSA in an object.
pub(crate) fn dsa_group(object: &Object) -> Result<DsaGroup> {
    DsaGroup::new(object.bytes(CKA_PRIME), object.bytes(CKA_SUBPRIME), object.bytes(CKA_BASE))
}

/// The domain parameters of Diffie-Hellman in an object.
pub(crate) fn dh_group(object: &Object) -> Result<DhGroup> {
    DhGroup::new(object.bytes(CKA_PRIME), object.bytes(CKA_BASE))
}

/// Prepares a private key.
pub(super) fn private(object: &Object) -> Result<Private> {
    let value = object.bytes(CKA_VALUE);
    match object.key_type() {
        Some(CKK_DSA) => crypto::dsa_private(&dsa_group(object)?, value).map(Private::Dsa),
        _ => crypto::dh_private(&dh_group(object)?, value).map(Private::Dh),
    }
}

/// Prepares a DSA public key.
pub(super) fn dsa_public(object: &Object) -> Result<Box<dyn DsaPublicKey>> {
    crypto::dsa_public(&dsa_group(object)?, object.bytes(CKA_VALUE))
}

/// Puts p, q and g into an object.
pub(crate) fn put_dsa_group(object: &mut Object, group: &DsaGroup) {
    object.set(CKA_PRIME, Value::Bytes(group.prime().to_vec()));
    object.set(CKA_SUBPRIME, Value::Bytes(group.subprime().to_vec()));
    object.set(CKA_BASE, Value::Bytes(group.base().to_vec()));
}

/// Puts p and g into an object.
pub(crate) fn put_dh_group(object: &mut Object, group: &DhGroup) {
    object.set(CKA_PRIME, Value::Bytes(group.prime().to_vec()));
    object.set(CKA_BASE, Value::Bytes(group.base().to_vec()));
}

/// The attributes of a group that two objects share.
fn copy_group(from: &Object, to: &mut Object) {
    for kind in [CKA_PRIME, CKA_SUBPRIME, CKA_BASE] {
        if let Some(Value::Bytes(number)) = from.get(kind) {
            to.set(kind, Value::Bytes(number.clone()));
        }
    }
}

/// Puts a fresh pair into both objects. The group is the public key's.
pub(crate) fn fill_pair(value: Secret, public: &mut Object, private_key: &mut Object) -> Result<()> {
    copy_group(public, private_key);
    private_key.set(CKA_VALUE, Value::Secret(value));
    let value = private(private_key)?.public_value()?;
    public.set(CKA_VALUE, Value::Bytes(without_zeros(&value).to_vec()));
    Ok(())
}

/// Checks a private key; adds the length of a Diffie-Hellman key's value, which the template may have said and
/// must have said rightly, and its CKA_PUBLIC_KEY_INFO.
pub(super) fn settle_private(mut object: Object) -> Result<Key> {
    let value = Secret::copy_of(without_zeros(object.bytes(CKA_VALUE)));
    object.set(CKA_VALUE, Value::Secret(value));
    let key = private(&object).map_err(as_value)?;
    if let Private::Dh(_) = key {
        let bits = bit_len(object.bytes(CKA_VALUE));
        if object.number(CKA_VALUE_BITS).is_some_and(|given| given != bits) {
            return Err(Error::TemplateInconsistent(CKA_VALUE_BITS));
        }
        object.set(CKA_VALUE_BITS, Value::Number(bits));
    }
    let value = without_zeros(&key.public_value()?).to_vec();
    set_public_key_info(&mut object, |object| {
        let mut public = Object::default();
        public.set(CKA_KEY_TYPE, Value::Number(object.key_type().unwrap_or_default()));
        copy_group(object, &mut public);
        public.set(CKA_VALUE, Value::Bytes(value));
        encoding::public_key_info(&public)
    })?;
    Ok(Key::new(object))
}

/// Checks a public key and adds its CKA_PUBLIC_KEY_INFO.
pub(super) fn settle_public(mut object: Object) -> Result<Key> {
    let value = without_zeros(object.bytes(CKA_VALUE)).to_vec();
    object.set(CKA_VALUE, Value::Bytes(value));
    let checked = match object.key_type() {
        Some(CKK_DSA) => dsa_public(&object).map(drop),
        _ => dh_group(&object)?.check_public(object.bytes(CKA_VALUE)),
    };
    checked.map_err(as_value)?;
    set_public_key_info(&mut object, encoding::public_key_info)?;
    Ok(Key::new(object))
}

/// Checks domain parameters and adds their lengths. Section 4.11.
pub(super) fn settle_domain(mut object: Object) -> Result<Key> {
    match object.key_type() {
        Some(CKK_DSA) => {
            crypto::check_dsa_group(&dsa_group(&object)?)?;
            let bits = bit_len(object.bytes(CKA_SUBPRIME));
            object.set(CKA_SUBPRIME_BITS, Value::Number(bits));
        }
        Some(CKK_DH) => drop(dh_group(&object)?),
        _ => return Err(Error::AttributeValueInvalid(CKA_KEY_TYPE)),
    }
    let bits = bit_len(object.bytes(CKA_PRIME));
    object.set(CKA_PRIME_BITS, Value::Number(bits));
    Ok(Key::new(object))
}

/// A private or public value that does not fit is the attribute's fault.
fn as_value(error: Error) -> Error {
    match error {
        Error::PublicKeyInvalid | Error::ArgumentsBad(_) => Error::AttributeValueInvalid(CKA_VALUE),
        other => other,
    }
}

/// Dss-Parms. RFC 3279, section 2.3.2.
#[derive(Sequence)]
struct DssParms<'a> {
    p: UintRef<'a>,
    q: UintRef<'a>,
    g: UintRef<'a>,
}

/// DHParameter. PKCS #3, section 9.
#[derive(Sequence)]
struct DhParameter<'a> {
    prime: UintRef<'a>,
    base: UintRef<'a>,
    /// privateValueLength, which is not written here: the private key says it.
    length: Option<u32>,
}

/// The algorithm identifier of a key.
pub(super) fn algorithm(object: &Object) -> Result<(ObjectIdentifier, Option<Vec<u8>>)> {
    let number = |kind| UintRef::new(object.bytes(kind));
    let encode = || match object.key_type() {
        Some(CKK_DSA) => {
            let parameters =
                DssParms { p: number(CKA_PRIME)?, q: number(CKA_SUBPRIME)?, g: number(CKA_BASE)? };
            Ok((DSA, Some(parameters.to_der()?)))
        }
        _ => {
            let parameters = DhParameter { prime: number(CKA_PRIME)?, base: number(CKA_BASE)?, length: None };
            Ok((DH, Some(parameters.to_der()?)))
        }
    };
    encode().map_err(encoding::failed)
}

/// What stands in the key of a SubjectPublicKeyInfo or PrivateKeyInfo: the value as an INTEGER.
pub(super) fn value(object: &Object) -> Result<Zeroizing<Vec<u8>>> {
    let value = UintRef::new(object.bytes(CKA_VALUE)).and_then(|value| value.to_der());
    value.map(Zeroizing::new).map_err(encoding::failed)
}

/// The key type that an algorithm identifier names.
pub(super) fn key_type_of(oid: ObjectIdentifier) -> Option<u64> {
    match oid {
        DSA => Some(CKK_DSA),
        DH => Some(CKK_DH),
        _ => None,
    }
}

/// The group and the value of a key of this class and type, from its algorithm's parameters and the key itself.
pub(super) fn read(
    class: u64,
    key_type: u64,
    parameters: Option<AnyRef<'_>>,
    key: &[u8],
) -> der::Result<Template> {
    let parameters = parameters.ok_or(der::ErrorKind::Failed)?;
    let number = |number: &UintRef<'_>| Value::Bytes(number.as_bytes().to_vec());
    let value = UintRef::from_der(key)?;
    let mut template = match key_type {
        CKK_DSA => {
            let group = parameters.decode_as::<DssParms<'_>>()?;
            vec![
                (CKA_PRIME, number(&group.p)),
                (CKA_SUBPRIME, number(&group.q)),
                (CKA_BASE, number(&group.g)),
            ]
        }
        _ => {
            let group = parameters.decode_as::<DhParameter<'_>>()?;
            vec![(CKA_PRIME, number(&group.prime)), (CKA_BASE, number(&group.base))]
        }
    };
    template.push((CKA_VALUE, Value::byte_string(class == CKO_PRIVATE_KEY, value.as_bytes())));
    Ok(template)
}
