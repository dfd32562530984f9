//! The life cycle of managed objects: states (NIST SP 800-57 part 1, section 7; KMIP 1.4, section
//! 3.22), what is allowed in which, and how time moves them. One table for every door.
//!
//! An object that has no state of its own, as PKCS #11 makes them, is Active for as long as it is
//! there.

mod ends;

pub use ends::has_come;
pub(crate) use ends::{first_unseen, see, set_seen};

use super::Object;
use super::managed::{Date, KmsState, ObjectType, SOFTHSM_RS_STATE, kms_state};
use crate::error::{Error, Result};

/// A moment: seconds since 1970-01-01T00:00:00Z.
pub type Seconds = i64;

/// The states, with the numbers that KMIP gives them (KMIP 1.4, section 9.1.3.2.18).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)] // SP 800-57's names.
pub enum State {
    PreActive = 1,
    Active = 2,
    Deactivated = 3,
    Compromised = 4,
    Destroyed = 5,
    DestroyedCompromised = 6,
}

impl State {
    /// Every state, in the order of their numbers.
    pub const ALL: [State; 6] = [
        State::PreActive,
        State::Active,
        State::Deactivated,
        State::Compromised,
        State::Destroyed,
        State::DestroyedCompromised,
    ];

    /// The state of a number.
    pub fn of_number(number: u64) -> Option<State> {
        State::ALL.into_iter().find(|state| *state as u64 == number)
    }

    /// Whether the key material is gone.
    pub fn is_destroyed(self) -> bool {
        matches!(self, State::Destroyed | State::DestroyedCompromised)
    }

    /// Whether its value may be known to others.
    pub fn is_compromised(self) -> bool {
        matches!(self, State::Compromised | State::DestroyedCompromised)
    }
}

/// What somebody wants to do with an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// See its attributes.
    Look,
    /// Change its attributes.
    Change,
    /// Read its value, in clear or wrapped.
    Read,
    /// Apply protection: encrypt, sign, compute a MAC, wrap with it.
    Protect,
    /// Process what is protected: decrypt, verify, unwrap with it.
    Process,
    /// Derive from it.
    Derive,
    /// Replace it by a new one that takes its place (Re-key, Re-certify).
    Replace,
    /// Make it Active.
    Activate,
    /// End its use: it is out of date or superseded.
    Deactivate,
    /// Say that it is compromised.
    Compromise,
    /// Destroy its value.
    Destroy,
    /// Take it off-line, or bring it back.
    Archive,
}

/// A row: the action, then the states in the order of [`State::ALL`], then those of keys that the key management
/// service keeps, in the order of [`KmsState::ALL`].
type Row = (Action, [bool; 6], [bool; 3]);

/// Which states allow an action: the table of this module. What a door may do with a key of the key management
/// service is what that service may in the same state; the rest of its life is that service's alone. A deleted
/// one is no object.
#[rustfmt::skip]
const ALLOWED: &[Row] = &[
    //                    Pre-Active Active Deactivated Compromised Destroyed Compromised  Active Suspended
    //                                                                        + Destroyed         Deactivated
    (Action::Look,       [true,      true,  true,       true,       true,     true],       [true,  true,  true]),
    (Action::Change,     [true,      true,  true,       true,       false,    false],      [false, false, false]),
    (Action::Read,       [true,      true,  true,       true,       false,    false],      [true,  true,  true]),
    (Action::Protect,    [false,     true,  false,      false,      false,    false],      [true,  false, false]),
    (Action::Process,    [false,     true,  true,       true,       false,    false],      [true,  false, true]),
    (Action::Derive,     [true,      true,  false,      false,      false,    false],      [false, false, false]),
    (Action::Replace,    [true,      true,  true,       true,       false,    false],      [false, false, false]),
    (Action::Activate,   [true,      false, false,      false,      false,    false],      [false, false, false]),
    (Action::Deactivate, [false,     true,  true,       false,      false,    false],      [false, false, false]),
    (Action::Compromise, [true,      true,  true,       true,       false,    true],       [false, false, false]),
    (Action::Destroy,    [true,      false, true,       true,       false,    false],      [false, false, false]),
    (Action::Archive,    [true,      true,  true,       true,       false,    false],      [false, false, false]),
];

/// Whether a state allows an action.
pub fn allows(state: State, action: Action) -> bool {
    row(action).is_some_and(|(_, states, _)| {
        State::ALL.iter().zip(states).any(|(column, allowed)| *column == state && *allowed)
    })
}

fn row(action: Action) -> Option<&'static Row> {
    ALLOWED.iter().find(|row| row.0 == action)
}

/// Checks that a key which the key management service keeps allows an action of other doors.
fn check_kms(state: KmsState, action: Action) -> Result<()> {
    let Some((_, _, states)) = row(action) else { return Err(Error::ActionProhibited) };
    if KmsState::ALL.iter().zip(states).any(|(column, allowed)| *column == state && *allowed) {
        return Ok(());
    }
    Err(match state {
        // What no state allows is not a matter of the state.
        _ if states.iter().all(|allowed| !allowed) => Error::ActionProhibited,
        KmsState::Suspended => Error::KeySuspended,
        KmsState::Active | KmsState::Deactivated | KmsState::Destroyed => {
            Error::WrongState { state: state.in_kmip(), action }
        }
    })
}

/// Dates of which the first is never after the second: KMIP 1.4, sections 3.24 to 3.27.
const ORDER: &[(Date, Date)] = &[
    (Date::Activation, Date::ProcessStart),
    (Date::ProtectStop, Date::Deactivation),
    (Date::Activation, Date::Deactivation),
];

/// Checks that dates which somebody set are in their order with each other and with the object's others.
/// Those that operations set are not asked: a key that is revoked early ends before it was to stop.
///
/// # Errors
/// [`Error::DatesOutOfOrder`].
pub fn check_order(object: &Object, set: &[Date]) -> Result<()> {
    for (first, second) in ORDER {
        if !set.contains(first) && !set.contains(second) {
            continue;
        }
        if first.of(object).zip(second.of(object)).is_some_and(|(earlier, later)| later < earlier) {
            return Err(Error::DatesOutOfOrder { first: *first, second: *second });
        }
    }
    Ok(())
}

/// The state of an object at a moment: what was stored, moved on by its dates. An end that was seen before has come,
/// whatever the moment.
pub fn state(object: &Object, now: Seconds) -> State {
    if let Some(state) = kms_state(object, now) {
        return state.in_kmip();
    }
    state_by_dates(object, |date| has_come(object, date, now))
}

/// The state that an object had at a moment in the past, or will have, by its dates alone: who asks of another time
/// than now is not misled by a clock.
pub fn state_at(object: &Object, moment: Seconds) -> State {
    if let Some(state) = kms_state(object, moment) {
        return state.in_kmip();
    }
    state_by_dates(object, |date| date.of(object).is_some_and(|date| date <= moment))
}

/// What was stored, moved on by the dates that have passed.
fn state_by_dates(object: &Object, passed: impl Fn(Date) -> bool) -> State {
    let stored = object.number(SOFTHSM_RS_STATE).and_then(State::of_number);
    match stored {
        None => State::Active,
        // A template's dates are those of the objects that are made by it.
        Some(State::PreActive) if ObjectType::of(object) == ObjectType::Template => State::PreActive,
        Some(State::PreActive) if passed(Date::Activation) && passed(Date::Deactivation) => {
            State::Deactivated
        }
        Some(State::PreActive) if passed(Date::Activation) => State::Active,
        Some(State::Active) if passed(Date::Deactivation) => State::Deactivated,
        Some(state) => state,
    }
}

/// Whether time alone may yet move an object to another state than the one stored.
pub(crate) fn is_timed(object: &Object) -> bool {
    match object.number(SOFTHSM_RS_STATE).and_then(State::of_number) {
        Some(State::PreActive) => Date::Activation.of(object).is_some(),
        Some(State::Active) => Date::Deactivation.of(object).is_some(),
        _ => false,
    }
}

/// Checks that an object's state and dates allow an action now.
///
/// # Errors
/// [`Error::WrongState`], [`Error::ObjectDestroyed`], [`Error::ObjectArchived`],
/// [`Error::OutsideUsagePeriod`]; of keys that the key management service keeps [`Error::KeySuspended`] and
/// [`Error::ActionProhibited`].
pub fn check(object: &Object, action: Action, now: Seconds) -> Result<()> {
    if let Some(state) = kms_state(object, now) {
        return check_kms(state, action);
    }
    let state = state(object, now);
    if !allows(state, action) {
        return Err(if state.is_destroyed() {
            Error::ObjectDestroyed
        } else {
            Error::WrongState { state, action }
        });
    }
    let needs_value = !matches!(action, Action::Look | Action::Archive);
    if needs_value && Date::Archive.of(object).is_some() {
        return Err(Error::ObjectArchived);
    }
    // KMIP 1.4, sections 3.25 and 3.26: a symmetric key protects until its Protect Stop Date and
    // processes from its Process Start Date on.
    let outside = match action {
        Action::Protect => has_come(object, Date::ProtectStop, now),
        Action::Process => {
            Date::ProcessStart.of(object).is_some() && !has_come(object, Date::ProcessStart, now)
        }
        _ => false,
    };
    if outside { Err(Error::OutsideUsagePeriod) } else { Ok(()) }
}

/// The moment that it is.
pub fn now() -> Seconds {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.ok().and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::Value;
    use crate::object::managed::{KmsKind, KmsMark, set_object_type};

    fn object(state: State, dates: &[(Date, Seconds)]) -> Object {
        let mut object = Object::default();
        object.set(SOFTHSM_RS_STATE, Value::Number(state as u64));
        for (date, at) in dates {
            date.set(&mut object, Some(*at));
        }
        object
    }

    #[test]
    fn every_action_has_one_row() {
        for (action, ..) in ALLOWED {
            assert_eq!(ALLOWED.iter().filter(|(other, ..)| other == action).count(), 1);
        }
        assert_eq!(ALLOWED.len(), 12);
    }

    /// What the key management service lets doors do, said once more.
    #[test]
    fn the_service_keeps_the_life_of_its_keys_to_itself() {
        for (action, ..) in ALLOWED {
            for state in [KmsState::Active, KmsState::Suspended, KmsState::Deactivated] {
                let mut key = Object::default();
                let mark = KmsMark { kind: KmsKind::Root, version: [1; 16] };
                let expired = (state == KmsState::Deactivated).then_some(100);
                mark.put(&mut key, state == KmsState::Suspended, expired);
                let allowed = match action {
                    Action::Look | Action::Read => true,
                    Action::Protect => state == KmsState::Active,
                    Action::Process => state != KmsState::Suspended,
                    _ => false,
                };
                match check(&key, *action, 100) {
                    Ok(()) => assert!(allowed, "{action:?} {state:?}"),
                    Err(Error::KeySuspended) => {
                        assert!(matches!(action, Action::Protect | Action::Process));
                        assert_eq!(state, KmsState::Suspended);
                    }
                    Err(Error::WrongState { .. }) => {
                        assert_eq!((*action, state), (Action::Protect, KmsState::Deactivated));
                    }
                    Err(Error::ActionProhibited) => assert!(!allowed, "{action:?} {state:?}"),
                    Err(error) => panic!("{error}"),
                }
            }
        }
    }

    #[test]
    fn dates_move_an_object_from_state_to_state() {
        let dated = object(State::PreActive, &[(Date::Activation, 100), (Date::Deactivation, 200)]);
        assert_eq!(state(&dated, 99), State::PreActive);
        assert_eq!(state(&dated, 100), State::Active);
        assert_eq!(state(&dated, 200), State::Deactivated);
        assert!(is_timed(&dated));
        assert!(!is_timed(&object(State::Deactivated, &[(Date::Deactivation, 300)])));
    }

    #[test]
    fn a_templates_dates_do_not_move_it() {
        let mut template = object(State::PreActive, &[(Date::Activation, 100), (Date::Deactivation, 200)]);
        set_object_type(&mut template, ObjectType::Template);
        assert_eq!(state(&template, 300), State::PreActive);
    }

    #[test]
    fn an_object_without_a_state_is_active() {
        assert_eq!(state(&Object::default(), 0), State::Active);
        assert!(check(&Object::default(), Action::Protect, 0).is_ok());
    }

    #[test]
    fn a_deactivated_key_processes_and_does_not_protect() {
        let old = object(State::Deactivated, &[]);
        assert!(check(&old, Action::Process, 0).is_ok());
        assert!(matches!(
            check(&old, Action::Protect, 0),
            Err(Error::WrongState { state: State::Deactivated, .. })
        ));
    }

    #[test]
    fn the_usage_period_bounds_protecting_and_processing() {
        let key = object(State::Active, &[(Date::ProcessStart, 100), (Date::ProtectStop, 200)]);
        assert!(matches!(check(&key, Action::Process, 99), Err(Error::OutsideUsagePeriod)));
        assert!(check(&key, Action::Process, 100).is_ok());
        assert!(check(&key, Action::Protect, 199).is_ok());
        assert!(matches!(check(&key, Action::Protect, 200), Err(Error::OutsideUsagePeriod)));
    }

    #[test]
    fn dates_that_are_set_are_in_order() {
        let fine = object(State::PreActive, &[(Date::Activation, 5), (Date::Deactivation, 5)]);
        assert!(check_order(&fine, &[Date::Activation]).is_ok());
        for (first, second) in ORDER {
            let wrong = object(State::PreActive, &[(*first, 6), (*second, 5)]);
            for set in [first, second] {
                let refused = check_order(&wrong, &[*set]);
                assert!(matches!(refused, Err(Error::DatesOutOfOrder { first: f, second: s })
                    if f == *first && s == *second));
            }
            assert!(check_order(&wrong, &[Date::Compromise]).is_ok());
        }
    }

    #[test]
    fn what_is_archived_or_destroyed_says_so() {
        let archived = object(State::Active, &[(Date::Archive, 1)]);
        assert!(matches!(check(&archived, Action::Read, 2), Err(Error::ObjectArchived)));
        assert!(check(&archived, Action::Look, 2).is_ok());
        let gone = object(State::Destroyed, &[]);
        assert!(matches!(check(&gone, Action::Read, 2), Err(Error::ObjectDestroyed)));
        assert!(check(&gone, Action::Look, 2).is_ok());
    }
}
