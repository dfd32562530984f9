//! Interprets the attribute table (`rules`) for every way an object comes to be or changes: the
//! caller's template is checked against the rows' footnotes, defaults are filled in, and what only
//! the HSM may say (CKA_LOCAL, CKA_ALWAYS_SENSITIVE, …) is set. Key values are checked in
//! `material`.

use cryptoki_sys::*;

use super::rules::{self, Default, Row};
use super::{Object, Policy, Template, Type, Value};
use crate::error::{Error, Result};

/// The longest byte string that an attribute takes from a caller, in bytes.
pub(super) const LONGEST_VALUE: usize = 1 << 20;

/// How an object comes to be. PKCS #11 3.2, section 4.1.
#[derive(Clone, Copy)]
pub enum Origin<'a> {
    /// C_CreateObject.
    Create,
    /// C_GenerateKey and C_GenerateKeyPair, by this mechanism.
    Generate(u64),
    /// C_UnwrapKey.
    Unwrap,
    /// C_DeriveKey, from this key.
    Derive(&'a Object),
}

impl Origin<'_> {
    /// The footnote that says an attribute must be given.
    const fn needs(self) -> u16 {
        match self {
            Origin::Create => 1,
            Origin::Generate(_) => 3,
            Origin::Unwrap | Origin::Derive(_) => 5,
        }
    }

    /// The footnote that says an attribute must not be given. A derived key's value is worked out as
    /// an unwrapped one's is (footnote 6).
    const fn forbids(self) -> u16 {
        match self {
            Origin::Create => 2,
            Origin::Generate(_) => 4,
            Origin::Unwrap | Origin::Derive(_) => 6,
        }
    }
}

/// Who asks, and under which policy, as far as rules depend on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Author {
    /// The security officer, who alone may say CKA_TRUSTED.
    pub is_security_officer: bool,
    /// What is refused beyond the standard.
    pub policy: Policy,
}

impl Author {
    /// Anybody but the SO, whom the standard's rules alone bind.
    pub const ORDINARY: Author = Author { is_security_officer: false, policy: Policy::Compatible };
    /// The SO, likewise.
    pub const SECURITY_OFFICER: Author = Author { is_security_officer: true, ..Author::ORDINARY };
}

/// The number under `kind` in a template, checked for its type.
pub fn number_in(template: &Template, kind: u64) -> Result<Option<u64>> {
    match template.iter().find(|(given, _)| *given == kind) {
        None => Ok(None),
        Some((_, Value::Number(number))) => Ok(Some(*number)),
        Some(_) => Err(Error::AttributeValueInvalid(kind)),
    }
}

/// Builds an object of the given class (and key type) from a template. What the mechanism implies
/// is given as `class` and `key_type`; a template that says otherwise is inconsistent. For
/// [`Origin::Create`] use [`create`].
pub fn build(
    origin: Origin<'_>,
    class: u64,
    key_type: Option<u64>,
    template: Template,
    author: Author,
) -> Result<Object> {
    let given: Vec<u64> = template.iter().map(|(kind, _)| *kind).collect();
    let mut object = Object::default();
    object.set(CKA_CLASS, Value::Number(class));
    if let Some(key_type) = key_type {
        object.set(CKA_KEY_TYPE, Value::Number(key_type));
    }
    for (kind, value) in template {
        let row = rules::row(kind, class, key_type).ok_or(Error::AttributeTypeInvalid(kind))?;
        if row.notes.has(origin.forbids()) {
            return Err(not_to_be_given(kind));
        }
        let value = admit(row, value, author)?;
        match object.get(kind) {
            Some(present) if !present.equals(&value) => return Err(Error::TemplateInconsistent(kind)),
            _ => object.set(kind, value),
        }
    }
    complete(&mut object, origin, author.policy, &given)?;
    Ok(object)
}

/// Why a template of a new object may not give an attribute that the token gives. Section 4.4.1 has CKA_UNIQUE_ID as
/// read-only too; but to SoftHSM2 and kryoptic it is an unknown one there, and clients' tests ask for that.
fn not_to_be_given(kind: u64) -> Error {
    if kind == CKA_UNIQUE_ID { Error::AttributeTypeInvalid(kind) } else { Error::AttributeReadOnly(kind) }
}

/// Builds an object that C_CreateObject gives whole: class and key type come from the template.
pub fn create(template: Template, author: Author) -> Result<Object> {
    let class = number_in(&template, CKA_CLASS)?.ok_or(Error::TemplateIncomplete(CKA_CLASS))?;
    if !rules::is_class(class) {
        return Err(Error::AttributeValueInvalid(CKA_CLASS));
    }
    let is_key = rules::has_key_type(class);
    let key_type = number_in(&template, CKA_KEY_TYPE)?;
    if is_key && key_type.is_none() {
        return Err(Error::TemplateIncomplete(CKA_KEY_TYPE));
    }
    build(Origin::Create, class, key_type.filter(|_| is_key), template, author)
}

/// One given value: its type, and what the rows say of it alone.
fn admit(row: &Row, value: Value, author: Author) -> Result<Value> {
    if !value.has_type(row.value) {
        return Err(Error::AttributeValueInvalid(row.kind));
    }
    if value.as_bytes().is_some_and(|bytes| bytes.len() > LONGEST_VALUE) {
        return Err(Error::AttributeValueInvalid(row.kind));
    }
    if row.notes.has(10) && matches!(value, Value::Bool(true)) && !author.is_security_officer {
        return Err(Error::AttributeReadOnly(row.kind));
    }
    if let Value::Date(Some(date)) = &value {
        check_date(row.kind, date)?;
    }
    if let Value::Template(template) = &value {
        check_nested(row.kind, template)?;
    }
    Ok(match value {
        Value::Bytes(bytes) if row.value == Type::BigInteger => {
            Value::byte_string(row.is_secret(), without_zeros(&bytes))
        }
        Value::Secret(secret) if row.value == Type::BigInteger => {
            Value::byte_string(row.is_secret(), without_zeros(secret.expose()))
        }
        Value::Bytes(bytes) if row.is_secret() => Value::Secret(crate::secret::Secret::new(bytes)),
        Value::Secret(secret) if !row.is_secret() => Value::Bytes(secret.expose().to_vec()),
        other => other,
    })
}

/// A big integer without its leading zeros (one byte stays).
pub(super) fn without_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros.min(bytes.len().saturating_sub(1))..).unwrap_or_default()
}

/// Year, month and day in ASCII digits, month and day in their ranges.
fn check_date(kind: u64, date: &[u8; 8]) -> Result<()> {
    let number = |digits: &[u8]| -> Option<u32> {
        digits
            .iter()
            .try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0')))
    };
    let [.., m1, m2, d1, d2] = date;
    let year = date.first_chunk::<4>().and_then(|year| number(year));
    match (year, number(&[*m1, *m2]), number(&[*d1, *d2])) {
        (Some(_), Some(1..=12), Some(1..=31)) => Ok(()),
        _ => Err(Error::AttributeValueInvalid(kind)),
    }
}

/// A template inside an attribute names attributes that exist, with values of their types, and holds
/// no further template.
fn check_nested(kind: u64, template: &Template) -> Result<()> {
    for (inner, value) in template {
        let expected = rules::type_of(*inner).filter(|expected| *expected != Type::Template);
        if !expected.is_some_and(|expected| value.has_type(expected)) {
            return Err(Error::AttributeValueInvalid(kind));
        }
    }
    Ok(())
}

/// What must be there is there; what was left out gets its default, which the policy may narrow; what the HSM alone
/// says is said.
fn complete(object: &mut Object, origin: Origin<'_>, policy: Policy, given: &[u64]) -> Result<()> {
    let (class, key_type) = (object.class(), object.key_type());
    for row in rules::rows_of(class, key_type) {
        if object.get(row.kind).is_some() {
            continue;
        }
        if row.notes.has(origin.needs()) {
            return Err(Error::TemplateIncomplete(row.kind));
        }
        match (row.kind, origin) {
            // C_UnwrapKey (section 5.18.4): "The CKA_EXTRACTABLE attribute is by default set to CK_TRUE".
            (CKA_EXTRACTABLE, Origin::Unwrap) => object.set(row.kind, Value::Bool(true)),
            // Whoever brings a public key has it elsewhere too, where no list binds him.
            (CKA_ALLOWED_MECHANISMS, Origin::Create) if class == CKO_PUBLIC_KEY => {}
            (CKA_EXTRACTABLE, Origin::Create) if is_open_base(object) => {
                object.set(row.kind, Value::Bool(true));
            }
            _ => set_default(object, row),
        }
    }
    policy.narrow(object, origin, given)?;
    check_dates(object)?;
    // Section 4.9: it "may only be set to CK_TRUE when CKA_PRIVATE is also CK_TRUE".
    if object.flag(CKA_ALWAYS_AUTHENTICATE) && !object.is_private() {
        return Err(Error::TemplateInconsistent(CKA_ALWAYS_AUTHENTICATE));
    }
    if key_type.is_some() {
        set_history(object, origin);
    }
    Ok(())
}

/// Whether what is created is a base to derive from, of whose secrecy the caller says nothing. What is derived from it
/// takes over its CKA_EXTRACTABLE (section 6.43), whose default is the token's (footnote 9): it does not forbid what the
/// caller may say of the derived key.
fn is_open_base(object: &Object) -> bool {
    let is_base = object.key_type() == Some(CKK_GENERIC_SECRET) && object.flag(CKA_DERIVE);
    is_base && !object.flag(CKA_SENSITIVE)
}

fn set_default(object: &mut Object, row: &Row) {
    let value = match (row.default, row.value) {
        (Default::Absent, _) => return,
        (Default::Flag(flag), _) => Value::Bool(flag),
        (Default::Number(number), _) => Value::Number(number),
        (Default::Empty, Type::Date) => Value::Date(None),
        (Default::Empty, Type::Numbers) => Value::Numbers(Vec::new()),
        (Default::Empty, _) => Value::Bytes(Vec::new()),
    };
    object.set(row.kind, value);
}

/// A period does not end before it begins.
fn check_dates(object: &Object) -> Result<()> {
    match (object.get(CKA_START_DATE), object.get(CKA_END_DATE)) {
        (Some(Value::Date(Some(start))), Some(Value::Date(Some(end)))) if end < start => {
            Err(Error::TemplateInconsistent(CKA_END_DATE))
        }
        _ => Ok(()),
    }
}

/// CKA_LOCAL, CKA_KEY_GEN_MECHANISM, CKA_ALWAYS_SENSITIVE and CKA_NEVER_EXTRACTABLE. Sections 4.8
/// and 5.18.
fn set_history(object: &mut Object, origin: Origin<'_>) {
    let (local, mechanism) = match origin {
        Origin::Generate(mechanism) => (true, mechanism),
        Origin::Create | Origin::Unwrap | Origin::Derive(_) => (false, CK_UNAVAILABLE_INFORMATION),
    };
    object.set(CKA_LOCAL, Value::Bool(local));
    if object.class() == CKO_DOMAIN_PARAMETERS {
        return;
    }
    object.set(CKA_KEY_GEN_MECHANISM, Value::Number(mechanism));
    if object.class() == CKO_PUBLIC_KEY {
        return;
    }
    let (always, never) = match origin {
        Origin::Generate(_) => (true, true),
        Origin::Create | Origin::Unwrap => (false, false),
        Origin::Derive(base) => (base.flag(CKA_ALWAYS_SENSITIVE), base.flag(CKA_NEVER_EXTRACTABLE)),
    };
    object.set(CKA_ALWAYS_SENSITIVE, Value::Bool(always && object.flag(CKA_SENSITIVE)));
    object.set(CKA_NEVER_EXTRACTABLE, Value::Bool(never && !object.flag(CKA_EXTRACTABLE)));
}

/// Changes attributes of an object (C_SetAttributeValue). Nothing is changed if one may not be.
pub fn change(object: &Object, template: Template, author: Author) -> Result<Object> {
    if !object.flag(CKA_MODIFIABLE) {
        return Err(Error::ActionProhibited);
    }
    let mut changed = object.duplicate();
    for (kind, value) in template {
        let row =
            rules::row(kind, object.class(), object.key_type()).ok_or(Error::AttributeTypeInvalid(kind))?;
        set_changed(&mut changed, row, value, author)?;
    }
    check_dates(&changed)?;
    Ok(changed)
}

/// A copy with the changes that C_CopyObject allows: what may be changed later, and CKA_TOKEN,
/// CKA_PRIVATE and CKA_MODIFIABLE. Section 5.7.2.
pub fn copy(object: &Object, template: Template, author: Author) -> Result<Object> {
    if !object.flag(CKA_COPYABLE) {
        return Err(Error::ActionProhibited);
    }
    author.policy.check_copy(object)?;
    let mut changed = object.duplicate();
    for (kind, value) in template {
        let row =
            rules::row(kind, object.class(), object.key_type()).ok_or(Error::AttributeTypeInvalid(kind))?;
        match kind {
            CKA_PRIVATE if object.is_private() && matches!(value, Value::Bool(false)) => {
                return Err(Error::TemplateInconsistent(kind));
            }
            CKA_TOKEN | CKA_PRIVATE | CKA_MODIFIABLE => changed.set(kind, admit(row, value, author)?),
            _ => set_changed(&mut changed, row, value, author)?,
        }
    }
    check_dates(&changed)?;
    Ok(changed)
}

/// One attribute's change, under footnotes 8, 10, 11 and 12.
fn set_changed(object: &mut Object, row: &Row, value: Value, author: Author) -> Result<()> {
    let is = |flag| matches!(object.get(row.kind), Some(Value::Bool(now)) if *now == flag);
    let frozen = row.notes.has(11) && is(true) || row.notes.has(12) && is(false);
    let value = admit(row, value, author)?;
    let same = object.get(row.kind).is_some_and(|present| present.equals(&value));
    if !row.notes.has(8) || frozen && !same {
        return Err(Error::AttributeReadOnly(row.kind));
    }
    author.policy.check_change(object, row.kind, &value)?;
    object.set(row.kind, value);
    Ok(())
}

/// Adds the attributes of a key's CKA_WRAP_TEMPLATE, CKA_UNWRAP_TEMPLATE or CKA_DERIVE_TEMPLATE to a
/// caller's template; what the caller says otherwise is inconsistent. Section 4.10.
pub fn impose(rule: Option<&Value>, template: &mut Template) -> Result<()> {
    let Some(Value::Template(rule)) = rule else { return Ok(()) };
    for (kind, value) in rule {
        match template.iter().find(|(given, _)| given == kind) {
            Some((_, given)) if !given.equals(value) => return Err(Error::TemplateInconsistent(*kind)),
            Some(_) => {}
            None => template.push((*kind, value.duplicate())),
        }
    }
    Ok(())
}

/// Whether an object has every attribute of a key's template (CKA_WRAP_TEMPLATE). As in a search, a
/// hidden value equals nothing: the answer would tell it to whoever guesses.
pub fn complies(object: &Object, rule: Option<&Value>) -> bool {
    let Some(Value::Template(rule)) = rule else { return true };
    rule.iter().all(|(kind, value)| {
        !object.hides(*kind) && object.get(*kind).is_some_and(|present| present.equals(value))
    })
}
