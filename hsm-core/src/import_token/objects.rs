//! A token as two objects, for doors that know objects alone: the public key, to which a customer encrypts, and
//! the private key, under which what was encrypted is unwrapped and nothing else is done. They are shown while
//! the token is alive and stand in no store.

use cryptoki_sys::*;

use super::token::{ImportToken, MODULUS_BITS};
use crate::crypto::{self, Hash};
use crate::error::{Error, Result};
use crate::object::managed::Date;
use crate::object::material::Key;
use crate::object::template::{Author, Origin, build};
use crate::object::{Object, Template, Value, values};

/// CKA_LABEL of both.
pub const LABEL: &str = "import token";
/// How the unique identifiers of both begin, which those of stored objects do not.
const UNIQUE: &str = "import-token-";
/// What the private key may be used for. RSAES-PKCS1-v1_5 is not among it.
const MECHANISMS: [u64; 2] = [CKM_RSA_PKCS_OAEP, CKM_RSA_AES_KEY_WRAP];

/// A token's identifier: the first 16 bytes of the SHA-256 digest of its public key in DER (SubjectPublicKeyInfo).
/// It is CKA_ID of both objects, and in hexadecimal digits behind "import-token-" the unique identifier of the
/// public key.
pub(crate) type Id = [u8; 16];

/// Both objects.
pub(crate) struct KeyPair {
    pub id: Id,
    pub public: Key,
    pub private: Key,
}

/// Whether a unique identifier (CKA_UNIQUE_ID, KMIP's Unique Identifier) is that of an import token's key, be it
/// alive or not.
pub fn is_unique_id(id: &str) -> bool {
    id.starts_with(UNIQUE)
}

/// The identifier that a unique identifier of a public key holds.
pub(crate) fn id_of_public(unique: &str) -> Option<Id> {
    let digits = unique.strip_prefix(UNIQUE)?;
    let mut id = Id::default();
    // Written in one way alone, as it is shown.
    hex::decode_to_slice(digits, &mut id).ok().filter(|()| hex::encode(id) == digits).map(|()| id)
}

/// The identifier of the token that has this public key, a SubjectPublicKeyInfo in DER.
pub(super) fn id_of_key(info: &[u8]) -> Result<Id> {
    let digest = crypto::hash_of(Hash::Sha256, &[info])?;
    digest.first_chunk().copied().ok_or(Error::CryptoFailed("SHA-256"))
}

/// The unique identifier of the public key.
pub(super) fn unique_id(id: Id) -> String {
    format!("{UNIQUE}{}", hex::encode(id))
}

/// A token's objects; `None` of one whose private key is gone.
pub(crate) fn key_pair(token: &ImportToken) -> Result<Option<KeyPair>> {
    let Some(parts) = &token.key else { return Ok(None) };
    let mut public = blank(CKO_PUBLIC_KEY, &[(CKA_ENCRYPT, true), (CKA_WRAP, true)])?;
    let mut private = blank(CKO_PRIVATE_KEY, &[(CKA_UNWRAP, true)])?;
    public.set(CKA_MODULUS, Value::Bytes(parts.modulus.clone()));
    public.set(CKA_PUBLIC_EXPONENT, Value::Bytes(parts.public_exponent.clone()));
    values::put_rsa_private(&mut private, parts)?;
    let (public, private) = (values::settle(public)?, values::settle(private)?);
    let id = id_of_key(public.object().bytes(CKA_PUBLIC_KEY_INFO))?;
    let named = |key: Key, unique: String| {
        key.with(CKA_ID, Value::Bytes(id.to_vec()))
            .with(CKA_UNIQUE_ID, Value::Bytes(unique.into_bytes()))
            .amended(|object| {
                Date::Initial.set(object, Some(token.created));
                Date::Deactivation.set(object, Some(token.expires));
            })
    };
    let unique = unique_id(id);
    let private_unique = format!("{unique}-private");
    Ok(Some(KeyPair { id, public: named(public, unique), private: named(private, private_unique) }))
}

/// A key without its value, which may do what is said and nothing else.
#[rustfmt::skip]
fn blank(class: u64, uses: &[(u64, bool)]) -> Result<Object> {
    const OF_PUBLIC:  [u64; 6] = [CKA_ENCRYPT, CKA_WRAP,   CKA_VERIFY, CKA_VERIFY_RECOVER, CKA_DERIVE, CKA_ENCAPSULATE];
    const OF_PRIVATE: [u64; 6] = [CKA_DECRYPT, CKA_UNWRAP, CKA_SIGN,   CKA_SIGN_RECOVER,   CKA_DERIVE, CKA_DECAPSULATE];
    let mut template: Template = vec![
        (CKA_TOKEN,              Value::Bool(true)),
        (CKA_PRIVATE,            Value::Bool(true)),
        (CKA_MODIFIABLE,         Value::Bool(false)),
        (CKA_COPYABLE,           Value::Bool(false)),
        (CKA_DESTROYABLE,        Value::Bool(false)),
        (CKA_LABEL,              Value::Bytes(LABEL.into())),
    ];
    let all = if class == CKO_PUBLIC_KEY { OF_PUBLIC } else { OF_PRIVATE };
    template.extend(all.map(|kind| (kind, Value::Bool(uses.contains(&(kind, true))))));
    if class == CKO_PUBLIC_KEY {
        template.push((CKA_MODULUS_BITS, Value::Number(MODULUS_BITS as u64)));
    } else {
        template.push((CKA_SENSITIVE,       Value::Bool(true)));
        template.push((CKA_EXTRACTABLE,     Value::Bool(false)));
        template.push((CKA_UNWRAP_TEMPLATE, Value::Template(hidden())));
        template.push((CKA_ALLOWED_MECHANISMS, Value::Numbers(MECHANISMS.to_vec())));
    }
    build(Origin::Generate(CKM_RSA_PKCS_KEY_PAIR_GEN), class, Some(CKK_RSA), template, Author::ORDINARY)
}

/// What every key is that comes in under the token: it never leaves in clear, nor wrapped.
fn hidden() -> Template {
    vec![(CKA_SENSITIVE, Value::Bool(true)), (CKA_EXTRACTABLE, Value::Bool(false))]
}
