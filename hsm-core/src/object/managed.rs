//! Attributes that PKCS #11 does not have and other doors need: whose an object is, its names, links,
//! groups and dates, its state. They are attributes of the object like all others, rows of the one
//! table (`rules`) with vendor-defined numbers, which no template sets; [`Managed`] is a typed view of
//! them. What a door keeps beyond these is bytes to the core ([`Managed::rest`]).

use cryptoki_sys::*;

mod kinds;
mod kms;
mod lists;
mod numbers;

pub use kinds::{Date, ObjectType};
pub(crate) use kms::check_not_kept;
pub use kms::{KmsKind, KmsMark, KmsState, kms_state};
pub(crate) use lists::elements;
use lists::{pair, set_list, split_pair, text};
pub use numbers::*;

use super::lifecycle::{Seconds, State};
use super::{Object, Value};
use crate::secret::Secret;

/// A name. KMIP 1.4, section 3.2.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Name {
    /// The text.
    pub value: String,
    /// Whether it is a URI rather than any text.
    pub is_uri: bool,
}

/// A link to another object. KMIP 1.4, section 3.35.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// What the other is to this one, as KMIP numbers it.
    pub kind: u32,
    /// The other's unique identifier.
    pub target: String,
}

/// Application-specific information. KMIP 1.4, section 3.36.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Application {
    /// The namespace.
    pub namespace: String,
    /// The data.
    pub data: String,
}

/// A custom attribute, its value in the door's form. KMIP 1.4, section 3.39.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Custom {
    /// Its name, with whatever prefix or vendor belongs to it.
    pub name: String,
    /// Its value.
    pub value: Vec<u8>,
}

/// How much use is left of a key. KMIP 1.4, section 3.21.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UsageLimits {
    /// How much there was to use.
    pub total: u64,
    /// What is left of it.
    pub left: u64,
    /// What is counted, as KMIP numbers it: 1 bytes, 2 operations.
    pub unit: u32,
}

/// The managed attributes of an object but its dates ([`Date`]) and its state ([`State`]).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Managed {
    /// Whose it is; `None` where PKCS #11 made it.
    pub owner: Option<String>,
    /// The groups among `groups` that its owner shares.
    pub shared: Vec<String>,
    /// Its names.
    pub names: Vec<Name>,
    /// Its object groups.
    pub groups: Vec<String>,
    /// Its links.
    pub links: Vec<Link>,
    /// Its application-specific information.
    pub applications: Vec<Application>,
    /// Its custom attributes.
    pub custom: Vec<Custom>,
    /// Its usage limits.
    pub usage_limits: Option<UsageLimits>,
    /// Whether nobody was given its value yet.
    pub fresh: bool,
    /// Its algorithm, as KMIP numbers it.
    pub algorithm: Option<u32>,
    /// Its cryptographic length in bits.
    pub length: Option<u32>,
    /// Its usage mask as it was given.
    pub usage_mask: Option<u32>,
    /// What the door keeps besides, in its own form.
    pub rest: Vec<u8>,
}

impl Managed {
    /// The view of an object's attributes. One that PKCS #11 made has its label for its name.
    pub fn of(object: &Object) -> Managed {
        let list = |kind| elements(object.bytes(kind));
        let narrow = |kind| narrow(object, kind);
        Managed {
            owner: object.get(SOFTHSM_RS_OWNER).map(|_| text(object.bytes(SOFTHSM_RS_OWNER))),
            shared: list(SOFTHSM_RS_SHARED).map(text).collect(),
            names: names(object),
            groups: list(SOFTHSM_RS_GROUPS).map(text).collect(),
            links: list(SOFTHSM_RS_LINKS).filter_map(Link::read).collect(),
            applications: list(SOFTHSM_RS_APPLICATIONS).filter_map(Application::read).collect(),
            custom: list(SOFTHSM_RS_CUSTOM).filter_map(Custom::read).collect(),
            usage_limits: UsageLimits::of(object),
            fresh: object.flag(SOFTHSM_RS_FRESH),
            algorithm: said_algorithm(object),
            length: said_length(object),
            usage_mask: narrow(SOFTHSM_RS_USAGE_MASK),
            rest: object.bytes(SOFTHSM_RS_REST).to_vec(),
        }
    }

    /// Puts the attributes into an object. The first name is its label too, as PKCS #11 shows it.
    pub fn put(&self, object: &mut Object) {
        if let Some(owner) = &self.owner {
            object.set(SOFTHSM_RS_OWNER, Value::Bytes(owner.clone().into_bytes()));
        }
        let first = self.names.first().map(|name| name.value.clone().into_bytes()).unwrap_or_default();
        object.set(CKA_LABEL, Value::Bytes(first));
        set_list(object, SOFTHSM_RS_SHARED, self.shared.iter().map(|group| group.clone().into_bytes()));
        set_list(object, SOFTHSM_RS_NAMES, self.names.iter().map(Name::element));
        set_list(object, SOFTHSM_RS_GROUPS, self.groups.iter().map(|group| group.clone().into_bytes()));
        set_list(object, SOFTHSM_RS_LINKS, self.links.iter().map(Link::element));
        set_list(object, SOFTHSM_RS_APPLICATIONS, self.applications.iter().map(Application::element));
        set_list(object, SOFTHSM_RS_CUSTOM, self.custom.iter().map(Custom::element));
        match self.usage_limits {
            Some(limits) => limits.put(object),
            None => object.remove(SOFTHSM_RS_USAGE_LIMITS),
        }
        object.set(SOFTHSM_RS_FRESH, Value::Bool(self.fresh));
        set_number(object, SOFTHSM_RS_ALGORITHM, self.algorithm.map(u64::from));
        set_number(object, SOFTHSM_RS_LENGTH, self.length.map(u64::from));
        set_number(object, SOFTHSM_RS_USAGE_MASK, self.usage_mask.map(u64::from));
        if self.rest.is_empty() {
            object.remove(SOFTHSM_RS_REST);
        } else {
            object.set(SOFTHSM_RS_REST, Value::Bytes(self.rest.clone()));
        }
    }
}

/// An object's algorithm as its client said it, by KMIP's number.
pub fn said_algorithm(object: &Object) -> Option<u32> {
    narrow(object, SOFTHSM_RS_ALGORITHM)
}

/// An object's length as its client said it, in bits.
pub fn said_length(object: &Object) -> Option<u32> {
    narrow(object, SOFTHSM_RS_LENGTH)
}

fn narrow(object: &Object, kind: u64) -> Option<u32> {
    object.number(kind).and_then(|number| u32::try_from(number).ok())
}

fn names(object: &Object) -> Vec<Name> {
    if object.get(SOFTHSM_RS_OWNER).is_some() || object.get(SOFTHSM_RS_NAMES).is_some() {
        return elements(object.bytes(SOFTHSM_RS_NAMES)).filter_map(Name::read).collect();
    }
    match std::str::from_utf8(object.bytes(CKA_LABEL)) {
        Ok(label) if !label.is_empty() => vec![Name { value: label.to_owned(), is_uri: false }],
        _ => Vec::new(),
    }
}

impl Name {
    /// The name as an element of its list and of the index.
    pub(crate) fn element(&self) -> Vec<u8> {
        let mut out = vec![u8::from(self.is_uri)];
        out.extend_from_slice(self.value.as_bytes());
        out
    }

    fn read(element: &[u8]) -> Option<Name> {
        let (kind, value) = element.split_first()?;
        Some(Name { value: text(value), is_uri: *kind != 0 })
    }
}

impl Link {
    /// The link as an element of its list and of the index.
    pub(crate) fn element(&self) -> Vec<u8> {
        let mut out = self.kind.to_be_bytes().to_vec();
        out.extend_from_slice(self.target.as_bytes());
        out
    }

    fn read(element: &[u8]) -> Option<Link> {
        let (kind, target) = element.split_first_chunk()?;
        Some(Link { kind: u32::from_be_bytes(*kind), target: text(target) })
    }
}

impl Application {
    /// The information as an element of its list and of the index.
    pub(crate) fn element(&self) -> Vec<u8> {
        pair(self.namespace.as_bytes(), self.data.as_bytes())
    }

    fn read(element: &[u8]) -> Option<Application> {
        let (namespace, data) = split_pair(element)?;
        Some(Application { namespace: text(namespace), data: text(data) })
    }
}

impl Custom {
    /// The attribute as an element of its list and of the index.
    pub(crate) fn element(&self) -> Vec<u8> {
        pair(self.name.as_bytes(), &self.value)
    }

    fn read(element: &[u8]) -> Option<Custom> {
        let (name, value) = split_pair(element)?;
        Some(Custom { name: text(name), value: value.to_vec() })
    }
}

impl UsageLimits {
    /// An object's usage limits.
    pub fn of(object: &Object) -> Option<UsageLimits> {
        match object.get(SOFTHSM_RS_USAGE_LIMITS) {
            Some(Value::Numbers(numbers)) => match numbers.as_slice() {
                [total, left, unit] => {
                    Some(UsageLimits { total: *total, left: *left, unit: u32::try_from(*unit).ok()? })
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Puts them into an object.
    pub fn put(self, object: &mut Object) {
        let numbers = vec![self.total, self.left, u64::from(self.unit)];
        object.set(SOFTHSM_RS_USAGE_LIMITS, Value::Numbers(numbers));
    }
}

/// The value of an object in the form in which it was registered, where that is kept.
pub fn material(object: &Object) -> Option<&[u8]> {
    object.get(SOFTHSM_RS_MATERIAL).and_then(Value::as_bytes)
}

/// Keeps the form in which an object's value was registered.
pub fn set_material(object: &mut Object, material: &[u8]) {
    object.set(SOFTHSM_RS_MATERIAL, Value::Secret(Secret::copy_of(material)));
}

/// When an object was made, in microseconds since 1970.
pub fn made(object: &Object) -> u64 {
    object.number(SOFTHSM_RS_MADE).unwrap_or_default()
}

/// Says that an object is made now, in microseconds since 1970.
pub(crate) fn set_made(object: &mut Object) {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let moment = since.ok().and_then(|since| u64::try_from(since.as_micros()).ok());
    object.set(SOFTHSM_RS_MADE, Value::Number(moment.unwrap_or_default()));
}

/// Says that an object which PKCS #11 makes, perhaps a copy of one with dates of its own, is made now.
pub(crate) fn stamp(object: &mut Object) {
    set_made(object);
    let now = super::lifecycle::now();
    for date in [Date::Initial, Date::LastChange] {
        if object.get(date.kind()).is_some() {
            date.set(object, Some(now));
        }
    }
}

/// Says what kind of managed object it is.
pub fn set_object_type(object: &mut Object, kind: ObjectType) {
    object.set(SOFTHSM_RS_OBJECT_TYPE, Value::Number(kind as u64));
}

/// Sets the state of an object.
pub fn set_state(object: &mut Object, state: State) {
    object.set(SOFTHSM_RS_STATE, Value::Number(state as u64));
}

/// What holds the value of an object: what is destroyed loses it.
const VALUES: [u64; 14] = [
    CKA_VALUE,
    CKA_MODULUS,
    CKA_PUBLIC_EXPONENT,
    CKA_PRIVATE_EXPONENT,
    CKA_PRIME_1,
    CKA_PRIME_2,
    CKA_EXPONENT_1,
    CKA_EXPONENT_2,
    CKA_COEFFICIENT,
    CKA_EC_POINT,
    CKA_PUBLIC_KEY_INFO,
    CKA_CHECK_VALUE,
    CKA_SUBJECT,
    SOFTHSM_RS_MATERIAL,
];

/// An object without its value, in its last state. KMIP 1.4, section 4.21: the attributes may be kept.
pub(crate) fn destroyed(object: &Object, now: Seconds) -> Object {
    let mut out = object.duplicate();
    let state = match super::lifecycle::state(object, now) {
        State::Compromised | State::DestroyedCompromised => State::DestroyedCompromised,
        State::PreActive | State::Active | State::Deactivated | State::Destroyed => State::Destroyed,
    };
    for kind in VALUES {
        out.remove(kind);
    }
    set_state(&mut out, state);
    Date::Destroy.set(&mut out, Some(now));
    Date::LastChange.set(&mut out, Some(now));
    out
}

pub(super) fn set_number(object: &mut Object, kind: u64, number: Option<u64>) {
    match number {
        Some(number) => object.set(kind, Value::Number(number)),
        None => object.remove(kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_comes_back_as_it_was_put() {
        let managed = Managed {
            owner: Some("client".into()),
            shared: vec!["g".into()],
            names: vec![
                Name { value: "one".into(), is_uri: false },
                Name { value: "urn:two".into(), is_uri: true },
            ],
            groups: vec!["g".into(), String::new()],
            links: vec![Link { kind: 0x103, target: "ab".into() }],
            applications: vec![Application { namespace: "ssl".into(), data: "www".into() }],
            custom: vec![Custom { name: "x-ID".into(), value: vec![1, 2] }],
            usage_limits: Some(UsageLimits { total: 10, left: 9, unit: 1 }),
            fresh: true,
            algorithm: Some(3),
            length: Some(256),
            usage_mask: Some(12),
            rest: vec![9],
        };
        let mut object = Object::default();
        managed.put(&mut object);
        assert_eq!(Managed::of(&object), managed);
        assert_eq!(object.bytes(CKA_LABEL), b"one");
        let emptied = Managed { owner: Some("client".into()), ..Managed::default() };
        emptied.put(&mut object);
        assert_eq!(Managed::of(&object), emptied);
    }

    #[test]
    fn a_list_that_is_cut_ends_early() {
        assert_eq!(elements(&[0, 0, 0, 1, 7, 0, 0, 0, 9, 1]).collect::<Vec<_>>(), [&[7]]);
        assert_eq!(elements(&[0, 0]).count(), 0);
    }

    #[test]
    fn a_label_names_what_pkcs11_made() {
        let mut object = Object::default();
        object.set(CKA_LABEL, Value::Bytes(b"web".to_vec()));
        assert_eq!(Managed::of(&object).names, [Name { value: "web".into(), is_uri: false }]);
        assert_eq!(Managed::of(&object).owner, None);
    }
}
