//! What an operation works with: the client's view of its partition, the version it speaks, and what
//! earlier items of the same batch have made.

use std::cell::Cell;
use std::sync::Arc;

use hsm_core::object::lifecycle::Action;
use hsm_core::service::{Item as Found, Space};

use crate::attributes::Attributes;
use crate::engine::{Engine, Settings};
use crate::failure::{Failure, Outcome};
use crate::identity::Client;
use crate::message::BatchItem;
use crate::produced::Produced;
use crate::ttlv::enums::{Operation, ResultReason as Reason, UniqueIdentifier};
use crate::ttlv::{Fields, Item, Tag, Value, Version};

/// The surroundings of an operation.
pub struct Context<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// Its settings, as of the beginning of the batch.
    pub settings: &'a Arc<Settings>,
    /// What the client sees.
    pub space: &'a Space,
    /// The client.
    pub client: &'a Client,
    /// Who the connection is from: the client, unless credentials in the request say otherwise.
    pub caller: &'a Client,
    /// The version of the request.
    pub version: Version,
    /// The ID Placeholder: KMIP 1.4, section 4.
    placeholder: Option<String>,
    /// The identifiers that the batch's items answered, with the operation that each is of (2.x names
    /// them by either).
    made: Vec<(UniqueIdentifier, String)>,
    /// The object that a batch item is about, where its payload does not name it.
    about: Cell<Option<String>>,
    /// The data that the batch's items leave for one another.
    produced: Produced,
}

/// What the items of a batch had left for later ones, at a moment.
pub struct Left {
    placeholder: Option<String>,
    made: usize,
    produced: usize,
}

impl<'a> Context<'a> {
    /// At the beginning of a batch.
    pub fn new(
        engine: &'a Engine,
        settings: &'a Arc<Settings>,
        space: &'a Space,
        (caller, client): (&'a Client, &'a Client),
        version: Version,
    ) -> Context<'a> {
        Context {
            engine,
            settings,
            space,
            client,
            caller,
            version,
            placeholder: None,
            made: Vec::new(),
            produced: Produced::default(),
            about: Cell::default(),
        }
    }

    /// Looks at the items that are to come, whether they refer to one another's data.
    pub fn expect(&mut self, items: &[BatchItem]) {
        if self.is_2() && items.len() > 1 {
            self.produced.expect(items);
        }
    }

    /// What was left so far.
    pub fn left(&self) -> Left {
        let (made, produced) = (self.made.len(), self.produced.count());
        Left { placeholder: self.placeholder.clone(), made, produced }
    }

    /// Forgets what was left since then.
    pub fn leave_as(&mut self, left: Left) {
        self.placeholder = left.placeholder;
        self.made.truncate(left.made);
        self.produced.truncate(left.produced);
    }

    /// Puts the data of earlier items where a payload refers to it.
    ///
    /// # Errors
    /// Those of [`Produced::fill`].
    pub fn fill(&self, payload: &mut Item) -> Outcome<()> {
        if self.is_2() { self.produced.fill(payload) } else { Ok(()) }
    }

    /// Keeps the data that an item produced for later ones; takes it out of the answer where it is
    /// ephemeral.
    ///
    /// # Errors
    /// Those of [`Produced::keep`].
    pub fn keep(&mut self, operation: Operation, ephemeral: bool, answer: &mut Vec<Item>) -> Outcome<()> {
        self.produced.keep(operation, ephemeral, answer)
    }

    /// Whether the request is one of 2.x.
    pub fn is_2(&self) -> bool {
        self.version >= Version::V2_0
    }

    /// Takes the Unique Identifier of a payload; the ID Placeholder where it is left out.
    pub fn id(&self, fields: &mut Fields<'_>) -> Outcome<String> {
        self.id_under(fields, Tag::UNIQUE_IDENTIFIER)
    }

    /// As [`Context::id`], for payloads that name the object under another tag.
    pub fn id_under(&self, fields: &mut Fields<'_>, tag: Tag) -> Outcome<String> {
        match fields.take(tag) {
            Some(item) => self.resolve(item),
            None => self.placeholder.clone().ok_or_else(|| {
                Failure::new(
                    Reason::MissingData,
                    "no unique identifier is given, and no earlier item left one",
                )
            }),
        }
    }

    /// Takes the Unique Identifier of a payload, if it is there.
    pub fn optional_id(&self, fields: &mut Fields<'_>, tag: Tag) -> Outcome<Option<String>> {
        fields.take(tag).map(|item| self.resolve(item)).transpose()
    }

    /// The identifier that an item names: KMIP 2.1, section 4.60, also by operation or by place in the
    /// batch.
    pub fn resolve(&self, item: &Item) -> Outcome<String> {
        let missing = || Failure::new(Reason::ObjectNotFound, "no earlier item left such an identifier");
        match &item.value {
            Value::TextString(id) => Ok(id.to_string()),
            Value::Enumeration(number) if self.is_2() => {
                let which = UniqueIdentifier::from_number(*number).ok_or_else(missing)?;
                if which == UniqueIdentifier::IDPlaceholder {
                    return self.placeholder.clone().ok_or_else(missing);
                }
                let found = self.made.iter().rev().find(|(made, _)| *made == which);
                found.map(|(_, id)| id.clone()).ok_or_else(missing)
            }
            Value::Integer(place) if self.is_2() => {
                let place = match usize::try_from(*place) {
                    Ok(place) => Some(place),
                    Err(_) => self.made.len().checked_sub(place.unsigned_abs() as usize),
                };
                place.and_then(|place| self.made.get(place)).map(|(_, id)| id.clone()).ok_or_else(missing)
            }
            _ => Err(Failure::new(Reason::InvalidField, format!("{} is no identifier", item.tag))),
        }
    }

    /// Leaves an identifier for the items that follow.
    pub fn leave(&mut self, of: UniqueIdentifier, id: &str) {
        self.placeholder = Some(id.to_owned());
        self.made.push((of, id.to_owned()));
    }

    /// Leaves an identifier as the ID Placeholder alone.
    pub fn leave_placeholder(&mut self, id: &str) {
        self.placeholder = Some(id.to_owned());
    }

    /// Leaves no identifier: a search that found several, or nothing.
    pub fn leave_none(&mut self) {
        self.placeholder = None;
    }

    /// Notes which object the batch item is about, for those who record it.
    pub fn note(&self, id: String) {
        self.about.set(Some(id));
    }

    /// What [`Context::note`] noted of this batch item.
    pub fn take_about(&self) -> Option<String> {
        self.about.take()
    }

    /// A fresh identifier.
    pub fn fresh_id(&self) -> Outcome<String> {
        let mut bytes = [0; 16];
        self.space.session().random(&mut bytes)?;
        Ok(hex::encode(bytes))
    }

    /// An object by its identifier.
    pub fn load(&self, id: &str, action: Action) -> Outcome<Found> {
        Ok(self.space.load(id, action)?)
    }
}

/// The Unique Identifier field of an answer.
pub fn id_field(id: &str) -> Item {
    Item::text(Tag::UNIQUE_IDENTIFIER, id)
}

/// Whether an object's value may be given out.
///
/// # Errors
/// [`Reason::Sensitive`], [`Reason::NotExtractable`].
pub fn may_read(attributes: &Attributes<'_>) -> Outcome<()> {
    if !attributes.is_extractable() {
        return Err(Failure::new(Reason::NotExtractable, "the key is not extractable"));
    }
    if attributes.is_sensitive() {
        return Err(Failure::new(Reason::Sensitive, "the key is sensitive: it can only be had wrapped"));
    }
    Ok(())
}
