//! Ends that were seen. A clock that is set back would make what has ended usable again: so whoever finds that one of
//! an object's ends has come writes down which, and from then on that end has come whatever the clock says. What is
//! written is the date, not the moment: a later end that somebody sets on purpose is still to come.

use super::{Seconds, State};
use crate::object::Object;
use crate::object::managed::{Date, ObjectType, SOFTHSM_RS_SEEN_END, SOFTHSM_RS_STATE, set_number};

/// The dates that end something: protecting, and every use that a state forbids from then on.
const ENDS: [Date; 2] = [Date::ProtectStop, Date::Deactivation];

/// Whether a date of an object has come: by the clock, or because it was seen to have come before.
pub fn has_come(object: &Object, date: Date, now: Seconds) -> bool {
    date.of(object).is_some_and(|date| date <= now || seen(object).is_some_and(|seen| date <= seen))
}

/// The latest of its ends that was seen.
fn seen(object: &Object) -> Option<Seconds> {
    object.number(SOFTHSM_RS_SEEN_END).map(u64::cast_signed)
}

/// Says which end was seen.
pub(crate) fn set_seen(object: &mut Object, end: Option<Seconds>) {
    set_number(object, SOFTHSM_RS_SEEN_END, end.map(i64::cast_unsigned));
}

/// The ends that nobody has seen, come or not. What is out of use for good has none, nor have templates, whose dates
/// are others' dates.
fn unseen(object: &Object) -> impl Iterator<Item = Seconds> {
    let state = object.number(SOFTHSM_RS_STATE).and_then(State::of_number);
    let may_end = matches!(state, None | Some(State::PreActive | State::Active));
    let dates = ENDS.map(|date| date.of(object).filter(|_| may_end));
    let is_template = dates.iter().any(Option::is_some) && ObjectType::of(object) == ObjectType::Template;
    let seen = seen(object);
    dates.into_iter().flatten().filter(move |date| !is_template && seen.is_none_or(|seen| *date > seen))
}

/// The first of its ends that nobody has seen.
pub(crate) fn first_unseen(object: &Object) -> Option<Seconds> {
    unseen(object).min()
}

/// Takes note of the ends that have come by a moment; answers whether there was one that nobody had seen.
pub(crate) fn see(object: &mut Object, now: Seconds) -> bool {
    let come = unseen(object).filter(|date| *date <= now).max();
    if come.is_some() {
        set_seen(object, come);
    }
    come.is_some()
}

#[cfg(test)]
mod tests {
    use super::super::{Action, check, state};
    use super::*;
    use crate::error::Error;
    use crate::object::managed::{set_object_type, set_state};

    fn key(stored: State, dates: &[(Date, Seconds)]) -> Object {
        let mut key = Object::default();
        set_state(&mut key, stored);
        dates.iter().for_each(|(date, at)| date.set(&mut key, Some(*at)));
        key
    }

    #[test]
    fn an_end_that_was_seen_has_come_whatever_the_clock_says() {
        for stored in [State::PreActive, State::Active] {
            let mut key = key(stored, &[(Date::Activation, 100), (Date::Deactivation, 200)]);
            assert_eq!(first_unseen(&key), Some(200));
            assert!(!see(&mut key, 199), "{stored:?}: it was to come");
            assert_eq!(state(&key, 150), State::Active);
            assert!(see(&mut key, 5000));
            for now in [0, 150, 5000] {
                assert_eq!(state(&key, now), State::Deactivated, "{stored:?} at {now}");
                assert!(check(&key, Action::Process, now).is_ok());
                assert!(check(&key, Action::Protect, now).is_err());
            }
            assert!(!see(&mut key, 5000), "{stored:?}: it was seen twice");
            assert_eq!((first_unseen(&key), Date::Deactivation.of(&key)), (None, Some(200)));
        }
    }

    #[test]
    fn a_key_that_stopped_protecting_does_not_begin_again() {
        let mut key = key(State::Active, &[(Date::ProtectStop, 100), (Date::Deactivation, 200)]);
        assert!(see(&mut key, 150));
        assert!(matches!(check(&key, Action::Protect, 50), Err(Error::OutsideUsagePeriod)));
        assert_eq!((state(&key, 50), first_unseen(&key)), (State::Active, Some(200)));
        assert!(see(&mut key, 250));
        assert_eq!(state(&key, 50), State::Deactivated);
    }

    #[test]
    fn a_later_end_is_still_to_come() {
        let mut key = key(State::Active, &[(Date::ProtectStop, 100)]);
        assert!(see(&mut key, 150));
        Date::ProtectStop.set(&mut key, Some(300));
        assert!(check(&key, Action::Protect, 250).is_ok());
        assert_eq!(first_unseen(&key), Some(300));
    }

    #[test]
    fn what_is_over_anyway_and_templates_have_no_end_to_be_seen() {
        for over in [State::Deactivated, State::Compromised, State::Destroyed, State::DestroyedCompromised] {
            assert!(!see(&mut key(over, &[(Date::Deactivation, 200)]), 300), "{over:?}");
        }
        let mut template = key(State::PreActive, &[(Date::Deactivation, 200)]);
        set_object_type(&mut template, ObjectType::Template);
        assert!(!see(&mut template, 300));
        assert!(!see(&mut Object::default(), 300));
    }
}
