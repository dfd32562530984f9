//! Finding managed objects: the fields of the index that lead to them, and a client's view of it.
//! Entries of managed objects carry their owner, so that what a search costs grows with the owner's
//! matches alone, and what is destroyed stands apart from what is not. What few objects share (names,
//! links, groups) also stands under nobody, for those who see the objects of all owners.

use super::Object;
use super::find::Field;
use super::lifecycle::{self, State};
use super::managed::{self, *};

/// Something that an object must be or have, which the index knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Criterion {
    /// A name, value and kind.
    Name(Name),
    /// A custom attribute.
    Custom(Custom),
    /// Application-specific information.
    Application(Application),
    /// A link.
    Link(Link),
    /// An object group.
    Group(String),
    /// A state.
    State(State),
    /// A kind of object.
    ObjectType(ObjectType),
    /// No more than being there.
    Any,
}

/// Whose objects are looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Of<'a> {
    /// What a client made.
    Owner(&'a str),
    /// What PKCS #11 made: such objects are indexed by name alone.
    Nobody,
    /// What any client made: such entries are kept of the attributes in [`SHARED_BY_FEW`] alone.
    Anybody,
}

/// How two entries of one attribute are told apart: live objects and destroyed ones.
const DESTROYED: u64 = 0x8000;
/// What tells few objects from all others, and so is worth an entry that leads to any owner's.
const SHARED_BY_FEW: [u64; 5] =
    [SOFTHSM_RS_NAMES, SOFTHSM_RS_CUSTOM, SOFTHSM_RS_APPLICATIONS, SOFTHSM_RS_LINKS, SOFTHSM_RS_GROUPS];
/// The element of the state index under which objects stand that time will move.
const TIMED: &[u8] = &[0];

impl Criterion {
    /// How few objects it leads to, in general: the least first.
    fn rank(&self) -> u8 {
        match self {
            Criterion::Name(_) => 0,
            Criterion::Custom(_) => 1,
            Criterion::Application(_) => 2,
            Criterion::Link(_) => 3,
            Criterion::Group(_) => 4,
            Criterion::State(_) => 5,
            Criterion::ObjectType(_) => 6,
            Criterion::Any => 7,
        }
    }

    /// The most selective of several; [`Criterion::Any`] of none.
    pub(crate) fn best(criteria: &[Criterion]) -> &Criterion {
        criteria.iter().min_by_key(|criterion| criterion.rank()).unwrap_or(&Criterion::Any)
    }

    /// The fields under which somebody's objects stand that fit; none if only a look at all objects tells.
    pub(crate) fn fields(&self, of: Of<'_>, destroyed: bool) -> Vec<Field<'static>> {
        let field = |kind, element: &[u8]| vec![scoped(kind, destroyed, of, element)];
        match (self, of) {
            (Criterion::Name(name), _) => field(SOFTHSM_RS_NAMES, &name.element()),
            (_, Of::Nobody) => field(SOFTHSM_RS_OWNER, &[]),
            (Criterion::Custom(custom), _) => field(SOFTHSM_RS_CUSTOM, &custom.element()),
            (Criterion::Application(application), _) => {
                field(SOFTHSM_RS_APPLICATIONS, &application.element())
            }
            (Criterion::Link(link), _) => field(SOFTHSM_RS_LINKS, &link.element()),
            (Criterion::Group(group), _) => field(SOFTHSM_RS_GROUPS, group.as_bytes()),
            (_, Of::Anybody) => Vec::new(),
            (Criterion::State(state), _) => vec![
                scoped(SOFTHSM_RS_STATE, destroyed, of, &[*state as u8]),
                scoped(SOFTHSM_RS_STATE, destroyed, of, TIMED),
            ],
            (Criterion::ObjectType(kind), _) => field(SOFTHSM_RS_OBJECT_TYPE, &[*kind as u8]),
            (Criterion::Any, _) => field(SOFTHSM_RS_OWNER, &[]),
        }
    }
}

/// The fields under which every object of the partition stands.
pub(crate) fn everything(destroyed: bool) -> impl Iterator<Item = Field<'static>> {
    [Field::All, Field::Destroyed].into_iter().take(if destroyed { 2 } else { 1 })
}

/// The field under which the objects of a shared group stand, whoever owns them.
pub(crate) fn shared_field(group: &str) -> Field<'static> {
    Field::Attribute(SOFTHSM_RS_SHARED, group.as_bytes().to_vec().into())
}

fn scoped(kind: u64, destroyed: bool, of: Of<'_>, element: &[u8]) -> Field<'static> {
    let kind = if destroyed { kind | DESTROYED } else { kind };
    // Lengths that no owner's identity has mark those that are not one client's.
    let (length, owner) = match of {
        Of::Owner(owner) => (u32::try_from(owner.len()).unwrap_or(u32::MAX - 2), owner),
        Of::Anybody => (u32::MAX - 1, ""),
        Of::Nobody => (u32::MAX, ""),
    };
    let mut value = length.to_be_bytes().to_vec();
    value.extend_from_slice(owner.as_bytes());
    value.extend_from_slice(element);
    Field::Attribute(kind, value.into())
}

/// Whether the value of an object is gone while its attributes are kept.
pub(crate) fn is_destroyed(object: &Object) -> bool {
    object.number(SOFTHSM_RS_STATE).and_then(State::of_number).is_some_and(State::is_destroyed)
}

/// The fields under which an object stands for clients of servers.
pub(crate) fn fields(object: &Object) -> Vec<Field<'static>> {
    let owner = object.get(SOFTHSM_RS_OWNER).and_then(|owner| std::str::from_utf8(owner.as_bytes()?).ok());
    let destroyed = is_destroyed(object);
    let of = owner.map_or(Of::Nobody, Of::Owner);
    let mut out = vec![scoped(SOFTHSM_RS_OWNER, destroyed, of, &[])];
    let mut add = |kind, of, element: &[u8]| {
        let field = scoped(kind, destroyed, of, element);
        if !out.contains(&field) {
            out.push(field);
        }
    };
    if owner.is_none() {
        // Objects of PKCS #11 are named by their labels.
        for name in Managed::of(object).names {
            add(SOFTHSM_RS_NAMES, of, &name.element());
        }
        return out;
    }
    for kind in SHARED_BY_FEW {
        for element in managed::elements(object.bytes(kind)) {
            add(kind, of, element);
            add(kind, Of::Anybody, element);
        }
    }
    let state = object.number(SOFTHSM_RS_STATE).and_then(|state| u8::try_from(state).ok());
    let state = state.unwrap_or(State::Active as u8);
    if lifecycle::is_timed(object) {
        add(SOFTHSM_RS_STATE, of, TIMED);
    } else {
        add(SOFTHSM_RS_STATE, of, &[state]);
    }
    add(SOFTHSM_RS_OBJECT_TYPE, of, &[ObjectType::of(object) as u8]);
    for group in managed::elements(object.bytes(SOFTHSM_RS_SHARED)) {
        let field = Field::Attribute(SOFTHSM_RS_SHARED, group.to_vec().into());
        if !destroyed && !out.contains(&field) {
            out.push(field);
        }
    }
    out
}

/// Which objects a client sees.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Its identity, which its own objects carry.
    pub owner: String,
    /// Groups that it shares with others.
    pub groups: Vec<String>,
    /// Whether it sees every object of the partition.
    pub everything: bool,
}

impl Scope {
    /// Whether the client sees an object: its own, what PKCS #11 made (which belongs to the partition,
    /// and so to all that are admitted to it), and what another shares with it.
    pub fn sees(&self, object: &Object) -> bool {
        let Some(owner) = object.get(SOFTHSM_RS_OWNER) else { return true };
        self.everything
            || owner.as_bytes() == Some(self.owner.as_bytes())
            || managed::elements(object.bytes(SOFTHSM_RS_SHARED))
                .any(|shared| self.groups.iter().any(|group| group.as_bytes() == shared))
    }
}

#[cfg(test)]
mod tests {
    use cryptoki_sys::*;

    use super::*;
    use crate::object::Value;

    fn object(owner: &str, managed: Managed) -> Object {
        let mut object = Object::default();
        object.set(CKA_CLASS, Value::Number(CKO_SECRET_KEY));
        Managed { owner: Some(owner.to_owned()), ..managed }.put(&mut object);
        managed::set_state(&mut object, State::PreActive);
        object
    }

    fn name(value: &str) -> Name {
        Name { value: value.to_owned(), is_uri: false }
    }

    fn stands_under(object: &Object, criterion: &Criterion, of: Of<'_>, destroyed: bool) -> bool {
        let fields = fields(object);
        criterion.fields(of, destroyed).iter().any(|field| fields.contains(field))
    }

    #[test]
    fn entries_are_the_owners_own() {
        let mine = object("a", Managed { names: vec![name("k")], ..Managed::default() });
        let named = Criterion::Name(name("k"));
        assert!(stands_under(&mine, &named, Of::Owner("a"), false));
        assert!(!stands_under(&mine, &named, Of::Owner("b"), false));
        assert!(!stands_under(&mine, &named, Of::Nobody, false));
    }

    #[test]
    fn who_sees_the_objects_of_all_finds_a_name_by_the_index() {
        let mine = object("a", Managed { names: vec![name("k")], ..Managed::default() });
        assert!(stands_under(&mine, &Criterion::Name(name("k")), Of::Anybody, false));
        assert!(!stands_under(&mine, &Criterion::Name(name("l")), Of::Anybody, false));
        // Most objects are of one kind and in one state: no entry would tell them apart.
        assert!(Criterion::State(State::Active).fields(Of::Anybody, false).is_empty());
    }

    #[test]
    fn what_time_will_move_stands_under_every_state() {
        let mut key = object("a", Managed::default());
        assert!(!stands_under(&key, &Criterion::State(State::Active), Of::Owner("a"), false));
        Date::Activation.set(&mut key, Some(5));
        assert!(stands_under(&key, &Criterion::State(State::Active), Of::Owner("a"), false));
        assert!(stands_under(&key, &Criterion::State(State::PreActive), Of::Owner("a"), false));
    }

    #[test]
    fn what_is_destroyed_stands_apart() {
        let mut key = object("a", Managed { names: vec![name("k")], ..Managed::default() });
        managed::set_state(&mut key, State::Destroyed);
        let named = Criterion::Name(name("k"));
        assert!(!stands_under(&key, &named, Of::Owner("a"), false));
        assert!(stands_under(&key, &named, Of::Owner("a"), true));
    }

    #[test]
    fn the_best_criterion_is_the_most_selective() {
        let criteria =
            [Criterion::ObjectType(ObjectType::SymmetricKey), Criterion::Name(name("k")), Criterion::Any];
        assert_eq!(Criterion::best(&criteria), &criteria[1]);
        assert_eq!(Criterion::best(&[]), &Criterion::Any);
    }

    #[test]
    fn a_client_sees_its_own_the_partitions_and_what_is_shared_with_it() {
        let scope = Scope { owner: "a".into(), groups: vec!["g".into()], everything: false };
        let shared = Managed { groups: vec!["g".into()], shared: vec!["g".into()], ..Managed::default() };
        assert!(scope.sees(&object("a", Managed::default())));
        assert!(!scope.sees(&object("b", Managed::default())));
        assert!(scope.sees(&object("b", shared)));
        assert!(!scope.sees(&object("b", Managed { groups: vec!["g".into()], ..Managed::default() })));
        assert!(scope.sees(&Object::default()));
        assert!(Scope { everything: true, ..Scope::default() }.sees(&object("b", Managed::default())));
    }
}
