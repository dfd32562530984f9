//! What attributes an object has. Most stand on the object itself, as every door sees them; what only
//! this door knows is kept beside them as TTLV.

use std::cell::OnceCell;

use cryptoki_sys::*;
use hsm_core::object::lifecycle::{self, Seconds, State};
use hsm_core::object::managed::{
    self, Date, Managed, ObjectType, SOFTHSM_RS_FRESH, SOFTHSM_RS_OWNER, SOFTHSM_RS_REST,
    SOFTHSM_RS_USAGE_MASK, UsageLimits,
};
use hsm_core::object::{Object, Value as Stored, usage_mask};

use super::form::{self, Which};
use super::indexes::Indexes;
use super::table;
use crate::objects::digest;
use crate::ttlv::enums::{CryptographicAlgorithm as Algorithm, NameType};
use crate::ttlv::{Item, Limits, Tag, Value, decode, decode_children};

/// How long a lease of an object lasts, in seconds. Objects are not taken back; the standard has clients
/// look again after it.
pub const LEASE_SECONDS: u32 = 3600;

/// Protection Storage Mask: Software.
pub const STORAGE_SOFTWARE: i32 = 1;

/// An object's attributes. What is not asked for is not read.
pub struct Attributes<'a> {
    object: &'a Object,
    managed: OnceCell<Managed>,
    now: Seconds,
}

/// The attributes that only this door knows, as they are kept.
pub(super) fn read_rest(rest: &[u8]) -> Vec<Item> {
    match decode(rest, &Limits::default()).map(|item| item.value) {
        Ok(Value::Structure(items)) => items,
        _ => Vec::new(),
    }
}

/// The first value of an attribute that only this door knows, without a look at any other.
pub fn first_kept(object: &Object, tag: Tag) -> Option<Item> {
    kept(object, tag).into_iter().next()
}

/// The values of an attribute that only this door knows.
fn kept(object: &Object, tag: Tag) -> Vec<Item> {
    decode_children(object.bytes(SOFTHSM_RS_REST), tag, &Limits::default()).unwrap_or_default()
}

impl<'a> Attributes<'a> {
    /// The attributes of an object as of now.
    pub fn of(object: &'a Object) -> Attributes<'a> {
        Attributes { object, managed: OnceCell::new(), now: lifecycle::now() }
    }

    /// All attributes, in the order of the table, custom ones last.
    pub fn all(&self) -> Vec<Item> {
        let is_template = self.is_template();
        let rows = table::rows().filter(|row| !is_template || table::is_of_templates(row.tag));
        let mut out: Vec<Item> = rows.flat_map(|row| self.standard(row.tag)).collect();
        out.extend(self.customs());
        out
    }

    /// The values of one attribute.
    pub fn values(&self, which: &Which) -> Vec<Item> {
        match which {
            Which::Standard(tag) if self.is_template() && !table::is_of_templates(*tag) => Vec::new(),
            Which::Standard(tag) => self.standard(*tag),
            Which::Custom { .. } => self.customs().filter(|item| Which::of_item(item) == *which).collect(),
        }
    }

    /// The first value of a standard attribute.
    pub fn first(&self, tag: Tag) -> Option<Item> {
        self.standard(tag).into_iter().next()
    }

    /// The indexes of 1.x.
    pub fn indexes(&self) -> Indexes {
        Indexes(self.rest(Tag::ATTRIBUTE_INDEX))
    }

    /// Whether the object is a template, to which few of the standard's attributes apply.
    pub fn is_template(&self) -> bool {
        ObjectType::of(self.object) == ObjectType::Template
    }

    /// The managed attributes.
    pub fn managed(&self) -> &Managed {
        self.managed.get_or_init(|| Managed::of(self.object))
    }

    fn customs(&self) -> impl Iterator<Item = Item> {
        self.managed().custom.iter().filter_map(|custom| {
            let (vendor, name) = custom.name.split_once('\0')?;
            let value = decode(&custom.value, &Limits::default()).ok()?.value;
            Some(form::custom(vendor, name, value))
        })
    }

    fn rest(&self, tag: Tag) -> Vec<Item> {
        kept(self.object, tag)
    }

    fn standard(&self, tag: Tag) -> Vec<Item> {
        match tag {
            Tag::UNIQUE_IDENTIFIER => one(text(tag, self.object.bytes(CKA_UNIQUE_ID))),
            Tag::SHORT_UNIQUE_IDENTIFIER => hex::decode(self.object.bytes(CKA_UNIQUE_ID))
                .map_or(Vec::new(), |id| one(Item::bytes(tag, id))),
            Tag::OBJECT_TYPE => one(Item::enumeration(tag, ObjectType::of(self.object) as u32)),
            Tag::NAME => self.managed().names.iter().map(|name| named(&name.value, name.is_uri)).collect(),
            Tag::CRYPTOGRAPHIC_ALGORITHM => {
                self.algorithm().map(|number| Item::enumeration(tag, number)).into_iter().collect()
            }
            Tag::CRYPTOGRAPHIC_LENGTH => {
                self.length().map(|bits| Item::integer(tag, bits)).into_iter().collect()
            }
            Tag::CRYPTOGRAPHIC_USAGE_MASK => self.usage_mask().into_iter().collect(),
            Tag::STATE => one(Item::enumeration(tag, self.state() as u32)),
            Tag::LEASE_TIME => one(Item::interval(tag, LEASE_SECONDS)),
            Tag::OBJECT_GROUP => {
                self.managed().groups.iter().map(|group| Item::text(tag, group.as_str())).collect()
            }
            Tag::FRESH => one(Item::boolean(tag, self.object.flag(SOFTHSM_RS_FRESH))),
            Tag::LINK => self.links(),
            Tag::APPLICATION_SPECIFIC_INFORMATION => self.applications(),
            Tag::USAGE_LIMITS => self.usage_limits().into_iter().collect(),
            Tag::SENSITIVE => self.flag(tag, CKA_SENSITIVE, false),
            Tag::ALWAYS_SENSITIVE => self.history(tag, CKA_ALWAYS_SENSITIVE),
            Tag::EXTRACTABLE => self.flag(tag, CKA_EXTRACTABLE, true),
            Tag::NEVER_EXTRACTABLE => self.history(tag, CKA_NEVER_EXTRACTABLE),
            Tag::KEY_FORMAT_TYPE => self.key_format().into_iter().collect(),
            Tag::PROTECTION_STORAGE_MASK => one(Item::integer(tag, STORAGE_SOFTWARE)),
            Tag::OPERATION_POLICY_NAME if self.rest(tag).is_empty() => one(Item::text(tag, "default")),
            Tag::DIGEST => self.digests(),
            _ => match date(tag) {
                Some(date) => date.of(self.object).map(|at| Item::date(tag, at)).into_iter().collect(),
                None => self.rest(tag),
            },
        }
    }

    /// The digest that was kept, or of an object that PKCS #11 made, that of its value. A destroyed object has
    /// no value to make one of.
    fn digests(&self) -> Vec<Item> {
        let kept = self.rest(Tag::DIGEST);
        let is_ours = self.object.get(SOFTHSM_RS_OWNER).is_some();
        if !kept.is_empty() || is_ours || self.state().is_destroyed() {
            return kept;
        }
        digest::of(self.object, self).into_iter().collect()
    }

    /// The state now.
    pub fn state(&self) -> State {
        lifecycle::state(self.object, self.now)
    }

    /// Whether a date that the object has is reached.
    pub fn is_reached(&self, tag: Tag) -> bool {
        date(tag).is_some_and(|date| lifecycle::has_come(self.object, date, self.now))
    }

    /// The algorithm: as it was said, or as the key type says it.
    pub fn algorithm(&self) -> Option<u32> {
        managed::said_algorithm(self.object).or_else(|| {
            let algorithm = match self.object.key_type()? {
                CKK_RSA => Algorithm::RSA,
                CKK_EC => Algorithm::EC,
                CKK_DSA => Algorithm::DSA,
                CKK_DH => Algorithm::DH,
                CKK_AES => Algorithm::AES,
                _ => return None,
            };
            Some(algorithm.number())
        })
    }

    /// The cryptographic length in bits: as it was said, or as the value says it.
    pub fn length(&self) -> Option<i32> {
        let said = managed::said_length(self.object).map(u64::from);
        let bits =
            said.or_else(|| Some(hsm_core::object::material::bits(self.object)).filter(|bits| *bits > 0));
        bits.and_then(|bits| i32::try_from(bits).ok())
    }

    fn usage_mask(&self) -> Option<Item> {
        let is_data = self.object.class() == CKO_DATA && self.object.number(SOFTHSM_RS_USAGE_MASK).is_none();
        let mask = usage_mask::of(self.object).cast_signed();
        (!is_data).then(|| Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, mask))
    }

    fn flag(&self, tag: Tag, kind: u64, default: bool) -> Vec<Item> {
        match self.object.get(kind) {
            Some(Stored::Bool(flag)) => one(Item::boolean(tag, *flag)),
            _ => {
                let kept = self.rest(tag);
                if kept.is_empty() { one(Item::boolean(tag, default)) } else { kept }
            }
        }
    }

    /// What was true of an object from the start. PKCS #11 says it of keys that it made alone, KMIP also
    /// of those that were brought (KMIP 1.4, sections 3.49 and 3.51), which is kept beside.
    fn history(&self, tag: Tag, kind: u64) -> Vec<Item> {
        let kept = self.rest(tag);
        if kept.is_empty() { self.flag(tag, kind, false) } else { kept }
    }

    /// Whether the value may be given out in clear.
    pub fn is_sensitive(&self) -> bool {
        self.first(Tag::SENSITIVE).is_some_and(|item| item.as_boolean() == Ok(true))
    }

    /// Whether the value may be given out at all.
    pub fn is_extractable(&self) -> bool {
        self.first(Tag::EXTRACTABLE).is_none_or(|item| item.as_boolean() == Ok(true))
    }

    /// The format in which a key is given: as it was brought, or the one that its kind has.
    fn key_format(&self) -> Option<Item> {
        let kept = self.rest(Tag::KEY_FORMAT_TYPE).into_iter().next();
        let is_key = matches!(
            ObjectType::of(self.object),
            ObjectType::SymmetricKey
                | ObjectType::PublicKey
                | ObjectType::PrivateKey
                | ObjectType::SecretData
        );
        kept.or_else(|| {
            let format = crate::objects::give::format_of_class(self.object);
            is_key.then(|| Item::enumeration(Tag::KEY_FORMAT_TYPE, format))
        })
    }

    fn links(&self) -> Vec<Item> {
        let link = |link: &hsm_core::object::managed::Link| {
            Item::structure(
                Tag::LINK,
                vec![
                    Item::enumeration(Tag::LINK_TYPE, link.kind),
                    Item::text(Tag::LINKED_OBJECT_IDENTIFIER, link.target.as_str()),
                ],
            )
        };
        self.managed().links.iter().map(link).collect()
    }

    fn applications(&self) -> Vec<Item> {
        let application = |application: &hsm_core::object::managed::Application| {
            Item::structure(
                Tag::APPLICATION_SPECIFIC_INFORMATION,
                vec![
                    Item::text(Tag::APPLICATION_NAMESPACE, application.namespace.as_str()),
                    Item::text(Tag::APPLICATION_DATA, application.data.as_str()),
                ],
            )
        };
        self.managed().applications.iter().map(application).collect()
    }

    fn usage_limits(&self) -> Option<Item> {
        let limits = UsageLimits::of(self.object)?;
        Some(Item::structure(
            Tag::USAGE_LIMITS,
            vec![
                Item::long(Tag::USAGE_LIMITS_TOTAL, limits.total.cast_signed()),
                Item::long(Tag::USAGE_LIMITS_COUNT, limits.left.cast_signed()),
                Item::enumeration(Tag::USAGE_LIMITS_UNIT, limits.unit),
            ],
        ))
    }
}

/// The date that an attribute is.
pub fn date(tag: Tag) -> Option<Date> {
    Some(match tag {
        Tag::INITIAL_DATE => Date::Initial,
        Tag::ACTIVATION_DATE => Date::Activation,
        Tag::PROCESS_START_DATE => Date::ProcessStart,
        Tag::PROTECT_STOP_DATE => Date::ProtectStop,
        Tag::DEACTIVATION_DATE => Date::Deactivation,
        Tag::DESTROY_DATE => Date::Destroy,
        Tag::COMPROMISE_OCCURRENCE_DATE => Date::CompromiseOccurrence,
        Tag::COMPROMISE_DATE => Date::Compromise,
        Tag::ARCHIVE_DATE => Date::Archive,
        Tag::LAST_CHANGE_DATE => Date::LastChange,
        Tag::ORIGINAL_CREATION_DATE => Date::OriginalCreation,
        _ => return None,
    })
}

/// A Name.
fn named(value: &str, is_uri: bool) -> Item {
    let kind = if is_uri { NameType::URI } else { NameType::UninterpretedTextString };
    Item::structure(
        Tag::NAME,
        vec![Item::text(Tag::NAME_VALUE, value), Item::enumeration(Tag::NAME_TYPE, kind)],
    )
}

fn text(tag: Tag, bytes: &[u8]) -> Item {
    Item::text(tag, String::from_utf8_lossy(bytes))
}

fn one(item: Item) -> Vec<Item> {
    vec![item]
}
