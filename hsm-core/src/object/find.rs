//! Finding objects by their attributes: what a template matches, and which index serves it.

use cryptoki_sys::*;

use super::{Object, Template, Value, locate};

/// A search: every attribute of the template must be there with the same value. PKCS #11 3.2,
/// section 5.7.7.
#[derive(Debug)]
pub struct Search {
    template: Template,
}

/// The attributes that have an index, the most selective first. Empty values are not indexed.
const INDEXED: [u64; 3] = [CKA_ID, CKA_LABEL, CKA_CLASS];

/// A field of an index: an attribute and its value, or all objects.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Field<'a> {
    /// Every object is here but those that are destroyed.
    All,
    /// Every object is here whose value is destroyed and whose attributes are kept.
    Destroyed,
    /// Objects whose attribute has this value.
    Attribute(u64, std::borrow::Cow<'a, [u8]>),
}

impl Search {
    /// A search for what a template says.
    pub fn new(template: Template) -> Search {
        Search { template }
    }

    /// Whether an object matches. A hidden value matches nothing: otherwise a search would tell what
    /// C_GetAttributeValue does not.
    pub fn matches(&self, object: &Object) -> bool {
        self.template.iter().all(|(kind, wanted)| {
            !object.hides(*kind) && object.get(*kind).is_some_and(|value| value.equals(wanted))
        })
    }

    /// Whether the search asks for another value of an attribute.
    pub(crate) fn contradicts(&self, kind: u64, value: &Value) -> bool {
        self.template.iter().any(|(given, wanted)| *given == kind && !value.equals(wanted))
    }

    /// Whether the search names an attribute.
    pub(crate) fn names(&self, kind: u64) -> bool {
        self.template.iter().any(|(given, _)| *given == kind)
    }

    /// Whether the search is for objects of a class.
    pub(crate) fn wants_class(&self, class: u64) -> bool {
        let wanted = Value::Number(class);
        self.template.iter().any(|(kind, value)| *kind == CKA_CLASS && value.equals(&wanted))
    }

    /// Whether the search rules out private objects or public ones.
    pub(crate) fn wants_private(&self) -> Option<bool> {
        self.template.iter().find_map(|(kind, value)| match (kind, value) {
            (&CKA_PRIVATE, Value::Bool(private)) => Some(*private),
            _ => None,
        })
    }

    /// Whether the search is for token objects or session objects alone.
    pub(crate) fn wants_token(&self) -> Option<bool> {
        self.template.iter().find_map(|(kind, value)| match (kind, value) {
            (&CKA_TOKEN, Value::Bool(token)) => Some(*token),
            _ => None,
        })
    }

    /// Whether the entries under `field` are all that the search asks for, so that no object need be
    /// looked at.
    pub(crate) fn is_answered_by(&self, field: &Field<'_>) -> bool {
        // Said twice, they may contradict each other: then every object is looked at, and none matches.
        let once = |wanted| self.template.iter().filter(|(kind, _)| *kind == wanted).count() == 1;
        self.template.iter().all(|(kind, value)| match kind {
            // The index itself is of token objects, public or private.
            &CKA_TOKEN | &CKA_PRIVATE => matches!(value, Value::Bool(_)) && once(*kind),
            _ => *field != Field::All && indexed(*kind, value).as_ref() == Some(field),
        })
    }

    /// The index field that leads to the fewest objects.
    pub(crate) fn field(&self) -> Field<'_> {
        INDEXED
            .iter()
            .find_map(|kind| {
                let (_, value) = self.template.iter().find(|(given, _)| given == kind)?;
                indexed(*kind, value)
            })
            .unwrap_or(Field::All)
    }
}

/// The fields under which an object is indexed. PKCS #11 finds nothing of what is destroyed.
pub(crate) fn fields(object: &Object) -> Vec<Field<'_>> {
    let mut out: Vec<Field<'_>> = locate::fields(object);
    if locate::is_destroyed(object) {
        out.push(Field::Destroyed);
    } else {
        out.push(Field::All);
        out.extend(INDEXED.iter().filter_map(|kind| indexed(*kind, object.get(*kind)?)));
    }
    out
}

fn indexed(kind: u64, value: &Value) -> Option<Field<'_>> {
    match value {
        Value::Number(number) => Some(Field::Attribute(kind, number.to_be_bytes().to_vec().into())),
        Value::Bytes(bytes) if !bytes.is_empty() => Some(Field::Attribute(kind, bytes.into())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn key(sensitive: bool) -> Object {
        let mut object = Object::default();
        object.set(CKA_CLASS, Value::Number(CKO_SECRET_KEY));
        object.set(CKA_KEY_TYPE, Value::Number(CKK_AES));
        object.set(CKA_SENSITIVE, Value::Bool(sensitive));
        object.set(CKA_EXTRACTABLE, Value::Bool(true));
        object.set(CKA_LABEL, Value::Bytes(b"one".to_vec()));
        object.set(CKA_ID, Value::Bytes(Vec::new()));
        object.set(CKA_VALUE, Value::Secret(Secret::copy_of(&[7; 16])));
        object
    }

    #[test]
    fn an_empty_search_matches_everything() {
        assert!(Search::new(Vec::new()).matches(&key(true)));
        assert_eq!(Search::new(Vec::new()).field(), Field::All);
    }

    #[test]
    fn a_hidden_value_is_not_found_by() {
        let by_value = || Search::new(vec![(CKA_VALUE, Value::Bytes(vec![7; 16]))]);
        assert!(by_value().matches(&key(false)));
        assert!(!by_value().matches(&key(true)));
    }

    #[test]
    fn the_most_selective_index_is_chosen() {
        let class = (CKA_CLASS, Value::Number(CKO_SECRET_KEY));
        let label = (CKA_LABEL, Value::Bytes(b"one".to_vec()));
        let search = Search::new(vec![class, label]);
        assert!(matches!(search.field(), Field::Attribute(CKA_LABEL, _)));
    }

    #[test]
    fn contradictions_are_not_answered_by_the_index() {
        let private = |flag| (CKA_PRIVATE, Value::Bool(flag));
        let label = || (CKA_LABEL, Value::Bytes(b"one".to_vec()));
        let answered = |template| {
            let search = Search::new(template);
            search.is_answered_by(&search.field())
        };
        assert!(answered(vec![label(), private(true)]));
        assert!(!answered(vec![label(), private(true), private(false)]));
    }

    #[test]
    fn empty_values_have_no_index_field() {
        assert!(!fields(&key(true)).iter().any(|field| matches!(field, Field::Attribute(CKA_ID, _))));
        assert_eq!(Search::new(vec![(CKA_ID, Value::Bytes(Vec::new()))]).field(), Field::All);
    }
}
