//! Key encapsulation and decapsulation. PKCS #11 3.2, section 5.18 (C_EncapsulateKey, C_DecapsulateKey).

use cryptoki_sys::*;

use crate::audit::acts;
use crate::error::{Error, Result};
use crate::mechanism::encapsulation::Wanted;
use crate::mechanism::table::{Function, Row};
use crate::mechanism::{Mechanism, put, usage};
use crate::object::material::Key;
use crate::object::template::{self, Author, Origin, build, number_in};
use crate::object::{Object, Template, Value, values};
use crate::secret::Secret;
use crate::service::Provenance;
use crate::session::{ObjectHandle, Output, Session};

/// What an encapsulation came to.
struct Encapsulated {
    /// Length of the ciphertext in bytes.
    length: usize,
    ciphertext: Vec<u8>,
    key: Option<Key>,
}

impl Session {
    /// Makes a secret key from a public key, and the ciphertext from which the private key's owner gets the
    /// same one: the ciphertext's length, and the new key, unless the length alone was asked.
    ///
    /// # Errors
    /// Those of the mechanism, the public key's fitness, the template and the session's rights;
    /// [`Error::BufferTooSmall`], before anything is made; [`Error::NoSuchKey`] where the key's
    /// CKA_ENCAPSULATE_TEMPLATE does not allow such a secret, which is the standard's choice.
    pub fn encapsulate_key(
        &self,
        mechanism: &Mechanism,
        public: ObjectHandle,
        template: Template,
        output: Output<'_>,
    ) -> Result<(usize, Option<ObjectHandle>)> {
        let keys = self.used(public, None);
        let made = self.encapsulated(mechanism, public, template, &output);
        if matches!(made, Ok(Encapsulated { key: None, .. })) {
            return made.map(|made| (made.length, None));
        }
        // Noted before the new key is there, as where one is derived.
        let Encapsulated { ciphertext, key, length } = self.noted(acts::ENCAPSULATE, keys, made)?;
        let (Some(key), Output::Buffer(out)) = (key, output) else { return Ok((length, None)) };
        let key = self.add(key, Provenance::Inside, acts::ENCAPSULATE_KEY)?;
        Ok((put(out, &ciphertext)?, Some(key)))
    }

    /// The secret key, not stored yet, and its ciphertext; no key where only the length is asked.
    fn encapsulated(
        &self,
        mechanism: &Mechanism,
        public: ObjectHandle,
        template: Template,
        output: &Output<'_>,
    ) -> Result<Encapsulated> {
        let row = self.row_for(mechanism, Function::Encapsulate)?;
        let public = self.key(public)?;
        usage::check(row, Function::Encapsulate, &public.key)?;
        let length = mechanism.ciphertext_len(row, &public.key)?;
        match output {
            Output::Length => return Ok(Encapsulated { length, ciphertext: Vec::new(), key: None }),
            Output::Buffer(out) if out.len() < length => {
                return Err(Error::BufferTooSmall { needed: length });
            }
            Output::Buffer(_) => {}
        }
        let object = shared_secret(template, self.author()?)?;
        self.may_change(object.is_token(), object.is_private())?;
        if !template::complies(&object, public.object().get(CKA_ENCAPSULATE_TEMPLATE)) {
            return Err(Error::NoSuchKey);
        }
        let (ciphertext, secret) = mechanism.encapsulate(row, &public.key, &wanted(&object)?)?;
        Ok(Encapsulated { length, ciphertext, key: Some(with_value(object, secret)?) })
    }

    /// Makes the secret key that is in a ciphertext. A ciphertext of the right length that was made for
    /// another key gives a secret too, which nobody knows, where the mechanism is ML-KEM or PKCS #1 v1.5.
    ///
    /// # Errors
    /// Those of the mechanism, the private key's fitness, the template and the session's rights;
    /// [`Error::WrappedKeyLength`], [`Error::WrappedKeyInvalid`]; [`Error::KeyFunctionNotPermitted`] where import tokens
    /// are enforced and whoever encapsulated may have chosen the secret.
    pub fn decapsulate_key(
        &self,
        mechanism: &Mechanism,
        private: ObjectHandle,
        template: Template,
        ciphertext: &[u8],
    ) -> Result<ObjectHandle> {
        let keys = self.used(private, None);
        let made = self.row_for(mechanism, Function::Decapsulate).and_then(|row| {
            let from = Provenance::of(row, Function::Decapsulate);
            Ok((self.decapsulated((mechanism, row), private, template, ciphertext)?, from))
        });
        let (key, from) = self.noted(acts::DECAPSULATE, keys, made)?;
        self.add(key, from, acts::DECAPSULATE_KEY)
    }

    /// The secret key in a ciphertext, not stored yet.
    fn decapsulated(
        &self,
        (mechanism, row): (&Mechanism, &Row),
        private: ObjectHandle,
        mut template: Template,
        ciphertext: &[u8],
    ) -> Result<Key> {
        let private = self.key(private)?;
        usage::check(row, Function::Decapsulate, &private.key)?;
        if private.is_import_token() {
            // What comes in under a token comes by its own ways.
            return Err(Error::KeyFunctionNotPermitted);
        }
        if row.lets_choose(Function::Decapsulate) {
            self.may_unwrap()?;
        }
        if private.object().flag(CKA_ALWAYS_AUTHENTICATE) {
            // As C_UnwrapKey, this has no moment for a context-specific login.
            return Err(Error::ContextLoginNeeded);
        }
        self.policy()?.check_purpose(private.object())?;
        template::impose(private.object().get(CKA_DECAPSULATE_TEMPLATE), &mut template)?;
        let object = shared_secret(template, self.author()?)?;
        self.may_change(object.is_token(), object.is_private())?;
        let wanted = wanted(&object)?;
        let secret = mechanism.decapsulate(row, &private.key, ciphertext, &wanted).map_err(as_ciphertext)?;
        with_value(object, secret)
    }
}

/// What is wrong with a ciphertext, in the words of this function.
fn as_ciphertext(error: Error) -> Error {
    match error {
        Error::EncryptedDataLength => Error::WrappedKeyLength,
        Error::EncryptedDataInvalid | Error::DataInvalid => Error::WrappedKeyInvalid,
        other => other,
    }
}

/// A secret key without its value: neither local nor always sensitive, as an unwrapped one is, and extractable where
/// neither the template nor the policy says otherwise.
fn shared_secret(mut template: Template, author: Author) -> Result<Object> {
    let class = number_in(&template, CKA_CLASS)?.unwrap_or(CKO_SECRET_KEY);
    if class != CKO_SECRET_KEY {
        return Err(Error::TemplateInconsistent(CKA_CLASS));
    }
    let key_type = number_in(&template, CKA_KEY_TYPE)?.unwrap_or(CKK_GENERIC_SECRET);
    // As C_DeriveKey's, the key type has a default.
    template.push((CKA_KEY_TYPE, Value::Number(key_type)));
    build(Origin::Unwrap, class, Some(key_type), template, author)
}

/// What the new key asks of its value.
fn wanted(object: &Object) -> Result<Wanted> {
    let bounded = |length: u64| {
        let length = usize::try_from(length).ok().filter(|length| LENGTHS.contains(length));
        length.ok_or(Error::TemplateInconsistent(CKA_VALUE_LEN))
    };
    let length = object.number(CKA_VALUE_LEN).map(bounded).transpose()?;
    let key_type = object.key_type().unwrap_or(CKK_GENERIC_SECRET);
    if let Some(length) = length {
        values::check_secret_len(key_type, length).map_err(contradicted)?;
    }
    Ok(Wanted { key_type, length })
}

/// The secret as the key's value. A key type that takes no value of that length contradicts the mechanism.
fn with_value(mut object: Object, mut secret: Secret) -> Result<Key> {
    values::shape(object.key_type(), &mut secret);
    object.set(CKA_VALUE, Value::Secret(secret));
    values::settle(object).map_err(contradicted)
}

fn contradicted(error: Error) -> Error {
    match error {
        Error::AttributeValueInvalid(CKA_VALUE) => Error::TemplateInconsistent(CKA_KEY_TYPE),
        other => other,
    }
}

/// Lengths of secrets in bytes.
const LENGTHS: std::ops::RangeInclusive<usize> = 1..=4096;
