//! Generation of keys and domain parameters, and derivation. PKCS #11 3.2, sections 5.18.1, 5.18.2 and 5.18.5.

use cryptoki_sys::*;

use crate::audit::acts;
use crate::error::{Error, Result};
use crate::mechanism::table::{Function, Row};
use crate::mechanism::usage;
use crate::mechanism::{Generated, Generator, Mechanism};
use crate::object::curves::NamedCurve;
use crate::object::encoding;
use crate::object::finite;
use crate::object::material::Key;
use crate::object::parameter_sets::ParameterSet;
use crate::object::post_quantum;
use crate::object::template::{self, Author, Origin, build, number_in};
use crate::object::{Object, Template, Value, values};
use crate::rng;
use crate::secret::Secret;
use crate::service::{Provenance, domain};
use crate::session::{ObjectHandle, Session};

impl Session {
    /// Generates a secret key, or domain parameters.
    ///
    /// # Errors
    /// Those of the mechanism, the template and the session's rights; [`Error::KeySizeRange`].
    pub fn generate_key(&self, mechanism: &Mechanism, template: Template) -> Result<ObjectHandle> {
        let row = self.row_for(mechanism, Function::Generate)?;
        let author = self.author()?;
        let may = |object: &Object| self.may_change(object.is_token(), object.is_private());
        if let Some(Generator::Domain(key_type)) = row.generator {
            let made = domain::new(mechanism, row, key_type, template, author, &may)?;
            return self.add(made, Provenance::Inside, acts::GENERATE_KEY);
        }
        let from = Provenance::of(row, Function::Generate);
        self.add(new_secret(mechanism, template, author, &may)?, from, acts::GENERATE_KEY)
    }

    /// Generates a key pair: the public key's handle, then the private key's.
    ///
    /// # Errors
    /// As [`Session::generate_key`]; [`Error::DomainParamsInvalid`],
    /// [`Error::CurveNotSupported`].
    pub fn generate_key_pair(
        &self,
        mechanism: &Mechanism,
        public: Template,
        private: Template,
    ) -> Result<(ObjectHandle, ObjectHandle)> {
        self.row_for(mechanism, Function::GenerateKeyPair)?;
        let author = self.author()?;
        let may = |object: &Object| self.may_change(object.is_token(), object.is_private());
        let (public, private) = new_pair(mechanism, public, private, author, &may)?;
        self.add_pair(public, private, Provenance::Inside, acts::GENERATE_KEY_PAIR)
    }

    /// Derives a secret key from a base key, or the public key from a private one.
    ///
    /// # Errors
    /// Those of the mechanism, the base key's fitness, the template and the session's rights.
    pub fn derive_key(
        &self,
        mechanism: &Mechanism,
        base: ObjectHandle,
        template: Template,
    ) -> Result<ObjectHandle> {
        let row = self.row_for(mechanism, Function::Derive)?;
        if row.recipe.is_some() {
            let derived = self.derive(mechanism, base, template, &mut None)?;
            return derived.keys.first().copied().ok_or(Error::MechanismInvalid);
        }
        let keys = self.used(base, None);
        // Noted before the new key is there: one whose making was not recorded would be.
        let derived = match row.publishes {
            true => self.published(row, base, template),
            false => self.derived(mechanism, base, template),
        };
        let derived = self.noted(acts::DERIVE, keys, derived)?;
        self.add(derived, Provenance::of(row, Function::Derive), acts::DERIVE_KEY)
    }

    /// The derived key, not stored yet.
    fn derived(&self, mechanism: &Mechanism, base: ObjectHandle, mut template: Template) -> Result<Key> {
        let row = self.row_for(mechanism, Function::Derive)?;
        let base = self.key(base)?;
        usage::check(row, Function::Derive, &base.key)?;
        self.policy()?.check_purpose(base.object())?;
        template::impose(base.object().get(CKA_DERIVE_TEMPLATE), &mut template)?;
        let class = number_in(&template, CKA_CLASS)?.unwrap_or(CKO_SECRET_KEY);
        let key_type = number_in(&template, CKA_KEY_TYPE)?.unwrap_or(CKK_GENERIC_SECRET);
        implied(&template, CKO_SECRET_KEY, key_type)?;
        // Footnote 5 asks for the key type, which defaults here as section 5.18.5 lets it.
        template.push((CKA_KEY_TYPE, Value::Number(key_type)));
        let mut object =
            build(Origin::Derive(base.object()), class, Some(key_type), template, self.author()?)?;
        self.may_change(object.is_token(), object.is_private())?;
        let length = derived_len(&object)?;
        let mut value = mechanism.derive(row, &base.key, length)?;
        values::shape(object.key_type(), &mut value);
        object.set(CKA_VALUE, Value::Secret(value));
        values::settle(object)
    }
}

/// A fresh secret key, not stored yet. `may` is asked before anything is generated.
pub(super) fn new_secret(
    mechanism: &Mechanism,
    template: Template,
    author: Author,
    may: &dyn Fn(&Object) -> Result<()>,
) -> Result<Key> {
    let (row, generator) = mechanism.generator(Function::Generate)?;
    let key_type = match generator {
        Generator::Password => {
            number_in(&template, CKA_KEY_TYPE)?.ok_or(Error::TemplateIncomplete(CKA_KEY_TYPE))?
        }
        Generator::Domain(_) => return Err(Error::MechanismInvalid),
        _ => generator.key_type(),
    };
    let class = values::secret_class(key_type);
    implied(&template, class, key_type)?;
    let mut object = build(Origin::Generate(mechanism.kind), class, Some(key_type), template, author)?;
    may(&object)?;
    let length = secret_len(row, &object)?;
    let mut value = match generator {
        Generator::Password => mechanism.by_password(length)?,
        _ => rng::secret(length)?,
    };
    values::shape(object.key_type(), &mut value);
    object.set(CKA_VALUE, Value::Secret(value));
    values::settle(object)
}

/// A fresh key pair, public key first, not stored yet. `may` is asked before anything is generated.
pub(super) fn new_pair(
    mechanism: &Mechanism,
    public: Template,
    private: Template,
    author: Author,
    may: &dyn Fn(&Object) -> Result<()>,
) -> Result<(Key, Key)> {
    let (row, generator) = mechanism.generator(Function::GenerateKeyPair)?;
    let key_type = generator.key_type();
    implied(&public, CKO_PUBLIC_KEY, key_type)?;
    implied(&private, CKO_PRIVATE_KEY, key_type)?;
    let origin = Origin::Generate(mechanism.kind);
    let mut public = build(origin, CKO_PUBLIC_KEY, Some(key_type), public, author)?;
    let mut private = build(origin, CKO_PRIVATE_KEY, Some(key_type), private, author)?;
    may(&public)?;
    may(&private)?;
    fill_pair(generate(row, generator, &public, &private)?, &mut public, &mut private)?;
    Ok((values::settle(public)?, values::settle(private)?))
}

/// A template that says class or key type says what the mechanism makes.
pub(super) fn implied(template: &Template, class: u64, key_type: u64) -> Result<()> {
    for (kind, expected) in [(CKA_CLASS, class), (CKA_KEY_TYPE, key_type)] {
        if number_in(template, kind)?.is_some_and(|given| given != expected) {
            return Err(Error::TemplateInconsistent(kind));
        }
    }
    Ok(())
}

/// The length in bytes of a secret key to generate: CKA_VALUE_LEN, which the key type may leave out
/// where it has a natural one (HMAC's keys, section 6.21.6, and HOTP's, which are SHA-1's: the hash's length).
fn secret_len(row: &Row, object: &Object) -> Result<usize> {
    let natural = match object.key_type() {
        Some(CKK_SHA_1_HMAC | CKK_HOTP) => Some(20),
        Some(CKK_SHA224_HMAC | CKK_SHA512_224_HMAC | CKK_SHA3_224_HMAC) => Some(28),
        Some(CKK_SHA256_HMAC | CKK_SHA512_256_HMAC | CKK_SHA3_256_HMAC) => Some(32),
        Some(CKK_SHA384_HMAC | CKK_SHA3_384_HMAC) => Some(48),
        Some(CKK_SHA512_HMAC | CKK_SHA3_512_HMAC) => Some(64),
        Some(key_type) => values::only_len(key_type).map(|length| length as u64),
        None => None,
    };
    let length = object.number(CKA_VALUE_LEN).or(natural).ok_or(Error::TemplateIncomplete(CKA_VALUE_LEN))?;
    if !row.takes_bits(length.saturating_mul(8)) {
        return Err(Error::KeySizeRange);
    }
    let length = usize::try_from(length).map_err(|_| Error::KeySizeRange)?;
    if let Some(key_type) = object.key_type() {
        values::check_secret_len(key_type, length).map_err(|error| match error {
            Error::AttributeValueInvalid(CKA_VALUE) => Error::KeySizeRange,
            other => other,
        })?;
    }
    Ok(length)
}

/// The length in bytes of a derived key, where template or key type say it.
fn derived_len(object: &Object) -> Result<Option<usize>> {
    let Some(length) = object.number(CKA_VALUE_LEN) else {
        return Ok(object.key_type().and_then(values::only_len));
    };
    let length = usize::try_from(length).ok().filter(|length| (1..=4096).contains(length));
    Ok(Some(length.ok_or(Error::TemplateInconsistent(CKA_VALUE_LEN))?))
}

/// Generates what the public template asks for, and of a Diffie-Hellman key the private one.
fn generate(row: &Row, generator: Generator, public: &Object, private: &Object) -> Result<Generated> {
    let curve = || NamedCurve::read(public.bytes(CKA_EC_PARAMS), public.key_type());
    match generator {
        Generator::Rsa => {
            let bits = public.number(CKA_MODULUS_BITS).ok_or(Error::TemplateIncomplete(CKA_MODULUS_BITS))?;
            if !row.takes_bits(bits) {
                return Err(Error::KeySizeRange);
            }
            let bits = usize::try_from(bits).map_err(|_| Error::KeySizeRange)?;
            match public.bytes(CKA_PUBLIC_EXPONENT) {
                // Section 6.1.4: a token may have a default.
                [] => Generated::rsa(bits, &[1, 0, 1]),
                exponent if is_exponent(exponent) => Generated::rsa(bits, exponent),
                _ => Err(Error::AttributeValueInvalid(CKA_PUBLIC_EXPONENT)),
            }
        }
        Generator::Ec => match curve()? {
            NamedCurve::Weierstrass(curve) => Generated::ec(curve),
            NamedCurve::Edwards(_) | NamedCurve::Montgomery(_) => Err(Error::CurveNotSupported),
        },
        Generator::Edwards | Generator::Montgomery => Generated::octets(curve()?.private_len()),
        Generator::PostQuantum(_) => Ok(Generated::Seed(rng::secret(ParameterSet::of(public)?.seed_len())?)),
        Generator::Dsa | Generator::Dh => domain::private_value(row, generator, public, private),
        Generator::Secret(_) | Generator::Password | Generator::Domain(_) => Err(Error::MechanismInvalid),
    }
}

/// Odd, at least 3, and at most 64 bits long: more helps nobody and slows every verification.
fn is_exponent(exponent: &[u8]) -> bool {
    let bits = encoding::bit_len(exponent);
    (2..=64).contains(&bits) && exponent.last().is_some_and(|last| last % 2 == 1)
}

/// Puts the generated values into both objects.
fn fill_pair(generated: Generated, public: &mut Object, private: &mut Object) -> Result<()> {
    match generated {
        Generated::Rsa(parts) => {
            public.set(CKA_MODULUS, Value::Bytes(parts.modulus.clone()));
            public.set(CKA_PUBLIC_EXPONENT, Value::Bytes(parts.public_exponent.clone()));
            values::put_rsa_private(private, &parts)
        }
        Generated::Ec(curve, scalar) => {
            fill_curve_pair(NamedCurve::Weierstrass(curve), scalar, public, private)
        }
        Generated::Seed(seed) => post_quantum::fill_pair(seed, public, private),
        Generated::Exponent(value) => finite::fill_pair(value, public, private),
        Generated::Octets(value) => {
            let curve = NamedCurve::read(public.bytes(CKA_EC_PARAMS), public.key_type())?;
            fill_curve_pair(curve, value, public, private)
        }
    }
}

fn fill_curve_pair(
    curve: NamedCurve,
    value: Secret,
    public: &mut Object,
    private: &mut Object,
) -> Result<()> {
    // The public key's CKA_EC_PARAMS stay as the caller wrote them; the private key's are the same.
    private.set(CKA_EC_PARAMS, Value::Bytes(public.bytes(CKA_EC_PARAMS).to_vec()));
    private.set(CKA_VALUE, Value::Secret(value));
    let point = values::public_point(&Key::new(private.duplicate()), curve)?;
    public.set(CKA_EC_POINT, Value::Bytes(encoding::to_octet_string(&point)?));
    Ok(())
}
