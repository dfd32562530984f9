//! Setting attributes of an object: each goes where it belongs, on the object or beside it.

use cryptoki_sys::*;
use hsm_core::Error;
use hsm_core::object::lifecycle::{self, State};
use hsm_core::object::managed::{Application, Custom, Date, Link, Managed, Name, UsageLimits};
use hsm_core::object::template::{self, Author};
use hsm_core::object::{Object, Value as Stored, usage_mask};

use super::form::Which;
use super::indexes;
use super::read::{self, Attributes};
use super::table::{self, Rights};
use crate::failure::{Failure, Outcome, invalid_field};
use crate::ttlv::enums::{NameType, ResultReason as Reason, UsageLimitsUnit};
use crate::ttlv::{Fields, Item, Tag, encode};

/// Changes to an object's attributes; written to the object by [`Editor::finish`].
pub struct Editor<'a> {
    object: &'a mut Object,
    managed: Managed,
    rest: Vec<Item>,
    usage_mask: Option<u32>,
    /// Dates that were set, whose order is to be checked.
    dates: Vec<Date>,
}

impl<'a> Editor<'a> {
    /// Begins to edit.
    pub fn new(object: &'a mut Object) -> Editor<'a> {
        let managed = Managed::of(object);
        let rest = read::read_rest(&managed.rest);
        Editor { object, managed, rest, usage_mask: None, dates: Vec::new() }
    }

    /// The managed attributes, to be changed.
    pub fn managed(&mut self) -> &mut Managed {
        &mut self.managed
    }

    /// Sets all values of an attribute: those given, in their order, and no others.
    ///
    /// # Errors
    /// A value that the attribute cannot have.
    pub fn set(&mut self, which: &Which, values: &[Item]) -> Outcome<()> {
        let tag = match which {
            Which::Custom { vendor, name } => {
                self.set_custom(&format!("{vendor}\0{name}"), values);
                return Ok(());
            }
            Which::Standard(tag) => *tag,
        };
        let first = values.first();
        match tag {
            Tag::NAME => self.managed.names = all(values, name)?,
            Tag::OBJECT_GROUP => {
                self.managed.groups = all(values, |item| Ok(item.as_text()?.to_owned()))?;
            }
            Tag::LINK => self.managed.links = all(values, link)?,
            Tag::APPLICATION_SPECIFIC_INFORMATION => self.managed.applications = all(values, application)?,
            Tag::USAGE_LIMITS => self.managed.usage_limits = first.map(usage_limits).transpose()?,
            Tag::CRYPTOGRAPHIC_ALGORITHM => {
                self.managed.algorithm = first.map(Item::as_enumeration).transpose()?;
            }
            Tag::CRYPTOGRAPHIC_LENGTH => {
                let bits = first.map(Item::as_integer).transpose()?.map(u32::try_from).transpose();
                self.managed.length = bits.map_err(|_| invalid_field("the length is negative"))?;
            }
            Tag::CRYPTOGRAPHIC_USAGE_MASK => {
                let mask = first.map(Item::as_integer).transpose()?.unwrap_or_default().cast_unsigned();
                self.managed.usage_mask = Some(mask);
                self.usage_mask = Some(mask);
            }
            Tag::FRESH => self.managed.fresh = first.map(Item::as_boolean).transpose()?.unwrap_or_default(),
            Tag::SENSITIVE => self.set_flag(CKA_SENSITIVE, tag, first)?,
            Tag::EXTRACTABLE => self.set_flag(CKA_EXTRACTABLE, tag, first)?,
            _ => match read::date(tag) {
                Some(date) => {
                    date.set(self.object, first.map(Item::as_date).transpose()?);
                    self.dates.push(date);
                }
                None => self.keep(tag, values),
            },
        }
        Ok(())
    }

    /// Sets one of the standard's attributes to one value.
    ///
    /// # Errors
    /// As [`Editor::set`].
    pub fn put(&mut self, item: Item) -> Outcome<()> {
        self.set(&Which::Standard(item.tag), std::slice::from_ref(&item))
    }

    /// Keeps values of an attribute that only this door knows.
    pub fn keep(&mut self, tag: Tag, values: &[Item]) {
        self.rest.retain(|item| item.tag != tag);
        self.rest.extend_from_slice(values);
    }

    /// Sets the indexes of an attribute's values, which are in their order.
    pub fn set_indexes(&mut self, which: &Which, values: &[usize]) {
        self.rest.retain(|item| !indexes::is_of(item, which));
        self.rest.extend(indexes::kept(which, values));
    }

    fn set_custom(&mut self, name: &str, values: &[Item]) {
        self.managed.custom.retain(|custom| custom.name != name);
        self.managed.custom.extend(values.iter().filter_map(|item| {
            let value = item.child(Tag::ATTRIBUTE_VALUE)?;
            Some(Custom { name: name.to_owned(), value: encode(value).to_vec() })
        }));
    }

    /// A flag that PKCS #11 has too, under its rules; objects without it keep it beside.
    fn set_flag(&mut self, kind: u64, tag: Tag, value: Option<&Item>) -> Outcome<()> {
        let Some(item) = value else { return Ok(()) };
        let flag = item.as_boolean()?;
        // What was so from the start is not so any more.
        let (history, broken) = if tag == Tag::SENSITIVE {
            (Tag::ALWAYS_SENSITIVE, !flag)
        } else {
            (Tag::NEVER_EXTRACTABLE, flag)
        };
        if broken {
            self.keep(history, &[Item::boolean(history, false)]);
        }
        if self.object.get(kind).is_none() {
            self.keep(tag, std::slice::from_ref(item));
            return Ok(());
        }
        let change = vec![(kind, Stored::Bool(flag))];
        *self.object =
            template::change(self.object, change, Author::ORDINARY).map_err(|error| match error {
                Error::AttributeReadOnly(_) => read_only(&Which::Standard(tag)),
                other => other.into(),
            })?;
        Ok(())
    }

    /// Leaves the dates in whatever order they are: they come from elsewhere, with what happened there.
    pub fn accept_dates(&mut self) {
        self.dates.clear();
    }

    /// Writes everything to the object.
    ///
    /// # Errors
    /// [`Error::DatesOutOfOrder`] of dates that were set.
    pub fn finish(mut self) -> hsm_core::Result<()> {
        lifecycle::check_order(self.object, &self.dates)?;
        let rest = Item::structure(Tag::ATTRIBUTES, std::mem::take(&mut self.rest));
        self.managed.rest = if rest.items().is_empty() { Vec::new() } else { encode(&rest).to_vec() };
        self.managed.put(self.object);
        if let Some(mask) = self.usage_mask {
            usage_mask::set(self.object, mask);
        }
        Ok(())
    }
}

/// Whether a client may set an attribute of an object that is there. KMIP 1.4, section 3: each
/// attribute's rules.
///
/// # Errors
/// [`Reason::AttributeReadOnly`], [`Reason::WrongKeyLifecycleState`]; [`Reason::PermissionDenied`] for one that
/// the object cannot have (KMIP 1.4, section 11.15).
pub fn may_change(which: &Which, attributes: &Attributes<'_>) -> Outcome<()> {
    let rights = match which {
        Which::Standard(tag) => table::row(*tag).map_or(Rights::Server, |row| row.rights),
        Which::Custom { vendor, .. } if vendor == "y" => Rights::Server,
        Which::Custom { .. } => Rights::Free,
    };
    let of_templates = |which: &Which| match which {
        Which::Standard(tag) => table::is_of_templates(*tag),
        Which::Custom { .. } => true,
    };
    if attributes.is_template() && !of_templates(which) {
        let text = format!("{} is no attribute of templates", which.name());
        return Err(Failure::new(Reason::PermissionDenied, text));
    }
    let late = |when: &str| {
        let text = format!("{} is set before the object {when}", which.name());
        Err(Failure::new(Reason::WrongKeyLifecycleState, text))
    };
    let in_use = matches!(attributes.state(), State::PreActive | State::Active);
    match (rights, which) {
        (Rights::Server | Rights::AtStart | Rights::Unchanging, _) => Err(read_only(which)),
        (Rights::BeforeActive, _) if attributes.state() != State::PreActive => late("is Active"),
        (Rights::BeforeEnd | Rights::BeforeReached, _) if !in_use => late("is out of use"),
        (Rights::BeforeReached, Which::Standard(tag)) if attributes.is_reached(*tag) => late("reaches it"),
        (Rights::BeforeUsed, _) if is_used(attributes) => {
            let text = format!("{} are set before the object is used", which.name());
            Err(Failure::new(Reason::AttributeReadOnly, text))
        }
        (
            Rights::BeforeActive
            | Rights::BeforeEnd
            | Rights::BeforeReached
            | Rights::BeforeUsed
            | Rights::Always
            | Rights::Free,
            _,
        ) => Ok(()),
    }
}

fn read_only(which: &Which) -> Failure {
    Failure::new(Reason::AttributeReadOnly, format!("{} cannot be changed by clients", which.name()))
}

/// Whether any of an object's usage limits is used up.
fn is_used(attributes: &Attributes<'_>) -> bool {
    attributes.managed().usage_limits.is_some_and(|limits| limits.left < limits.total)
}

/// Whether a client says of an attribute that does not change what it is already.
pub fn is_said_again(which: &Which, attributes: &Attributes<'_>, said: &Item) -> bool {
    let rights = match which {
        Which::Standard(tag) => table::row(*tag).map(|row| row.rights),
        Which::Custom { .. } => None,
    };
    rights == Some(Rights::Unchanging) && attributes.values(which) == std::slice::from_ref(said)
}

/// Whether a client may give an attribute of an object that is there these values. What is left of usage
/// limits is not the client's to say (KMIP 1.4, section 3.21): it may be repeated, as it is or as it becomes.
///
/// # Errors
/// [`Reason::AttributeReadOnly`].
pub fn may_be(attributes: &Attributes<'_>, values: &[Item]) -> Outcome<()> {
    for limits in values.iter().filter(|item| item.tag == Tag::USAGE_LIMITS) {
        let becomes = usage_limits(limits)?.left;
        let is = attributes.managed().usage_limits.map(|limits| limits.left);
        if said_left(limits)?.is_some_and(|said| said != becomes && Some(said) != is) {
            let text = "what is left of usage limits cannot be set by clients";
            return Err(Failure::new(Reason::AttributeReadOnly, text));
        }
    }
    Ok(())
}

/// Whether a client may take an attribute away.
///
/// # Errors
/// As [`may_change`].
pub fn may_delete(which: &Which, attributes: &Attributes<'_>) -> Outcome<()> {
    may_change(which, attributes)?;
    match which {
        Which::Standard(tag) if table::row(*tag).is_none_or(|row| !is_deletable(row.rights)) => {
            Err(Failure::new(Reason::AttributeReadOnly, format!("{} cannot be deleted", which.name())))
        }
        _ => Ok(()),
    }
}

const fn is_deletable(rights: Rights) -> bool {
    matches!(rights, Rights::Free | Rights::BeforeUsed)
}

/// Whether a client may give an attribute for a new object.
///
/// # Errors
/// [`Reason::ReadOnlyAttribute`].
pub fn may_give(item: &Item) -> Outcome<()> {
    let server_only = match Which::of_item(item) {
        Which::Standard(tag) => table::row(tag).is_none_or(|row| row.rights == Rights::Server),
        Which::Custom { vendor, .. } => vendor == "y",
    };
    // What says what kind of object is made is checked by whoever makes it.
    let describes = matches!(
        item.tag,
        Tag::OBJECT_TYPE | Tag::CERTIFICATE_TYPE | Tag::KEY_FORMAT_TYPE | Tag::PROTECTION_STORAGE_MASK
    );
    if server_only && !describes {
        let message = format!("{} is set by the server", Which::of_item(item).name());
        return Err(Failure::new(Reason::ReadOnlyAttribute, message));
    }
    Ok(())
}

fn all<T>(values: &[Item], read: impl Fn(&Item) -> Outcome<T>) -> Outcome<Vec<T>> {
    values.iter().map(read).collect()
}

/// Reads a Name.
///
/// # Errors
/// A structure that is none.
pub fn name(item: &Item) -> Outcome<Name> {
    let mut fields = Fields::new(item)?;
    let value = fields.need(Tag::NAME_VALUE)?.as_text()?.to_owned();
    let kind = fields.take_value_of::<NameType>(Tag::NAME_TYPE)?;
    fields.end()?;
    if value.is_empty() {
        return Err(invalid_field("a name cannot be empty"));
    }
    Ok(Name { value, is_uri: kind == Some(NameType::URI) })
}

/// Reads a Link. In 2.x the identifier may be an enumeration or an index, which name objects of the
/// same batch and are resolved before.
///
/// # Errors
/// A structure that is none.
pub fn link(item: &Item) -> Outcome<Link> {
    let mut fields = Fields::new(item)?;
    let kind = fields.need(Tag::LINK_TYPE)?.as_enumeration()?;
    let target = fields.need(Tag::LINKED_OBJECT_IDENTIFIER)?.as_text()?.to_owned();
    fields.end()?;
    Ok(Link { kind, target })
}

/// Reads Application Specific Information. Data left out is the server's to make (KMIP 1.4, section
/// 3.36); no namespace is known for which it could.
///
/// # Errors
/// A structure that is none.
pub fn application(item: &Item) -> Outcome<Application> {
    let mut fields = Fields::new(item)?;
    let namespace = fields.need(Tag::APPLICATION_NAMESPACE)?.as_text()?.to_owned();
    let data = fields.take(Tag::APPLICATION_DATA).map(Item::as_text).transpose()?;
    fields.end()?;
    let no_data = || {
        let message = "the server makes no data for this namespace";
        Failure::new(Reason::ApplicationNamespaceNotSupported, message)
    };
    Ok(Application { namespace, data: data.ok_or_else(no_data)?.to_owned() })
}

/// Reads Usage Limits. What is left is all; a count that is said is passed over (KMIP 1.4, section 3.21).
fn usage_limits(item: &Item) -> Outcome<UsageLimits> {
    let mut fields = Fields::new(item)?;
    let total = fields.need(Tag::USAGE_LIMITS_TOTAL)?.as_long()?;
    fields.take(Tag::USAGE_LIMITS_COUNT).map(Item::as_long).transpose()?;
    let unit = fields.take_value_of::<UsageLimitsUnit>(Tag::USAGE_LIMITS_UNIT)?;
    fields.end()?;
    let unit =
        unit.ok_or_else(|| Failure::new(Reason::MissingData, "the unit of the usage limits is missing"))?;
    let total = u64::try_from(total).map_err(|_| invalid_field("the usage limits are negative"))?;
    Ok(UsageLimits { total, left: total, unit: unit.number() })
}

/// What is left of Usage Limits by the word of whoever wrote them.
///
/// # Errors
/// A count that is negative.
pub fn said_left(item: &Item) -> Outcome<Option<u64>> {
    let count = item.child(Tag::USAGE_LIMITS_COUNT).map(Item::as_long).transpose()?;
    count.map(u64::try_from).transpose().map_err(|_| invalid_field("the count is negative"))
}
