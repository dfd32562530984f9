//! Lives: suspended and back, expired, deleted with its conditions, restored, erased.

use super::kit::*;
use crate::kms::{Action, KeyRecord, KeyState, Kind, Reason, Removal};

const DAY: i64 = 86_400;

fn deleted(key: &mut KeyRecord) {
    key.delete(Removal::Unused, &actor("alice"), NOW).unwrap();
}

#[test]
fn a_suspended_key_is_enabled_after_thirty_seconds() {
    let mut key = key(Kind::Root);
    key.disable(NOW).unwrap();
    assert_eq!(key.state(NOW), KeyState::Suspended);
    assert_eq!(key.disable(NOW), Err(Reason::NotActive));
    assert_eq!(key.enable(NOW + 29), Err(Reason::TooEarly));
    let mut ahead = key.clone();
    assert_eq!(ahead.enable(NOW - 100), Ok(()), "it was suspended by a clock that was ahead");
    key.enable(NOW + 30).unwrap();
    assert_eq!(key.state(NOW + 30), KeyState::Active);
    assert_eq!(key.enable(NOW + 99), Err(Reason::NotSuspended));
}

#[test]
fn a_standard_key_is_not_suspended() {
    let mut key = key(Kind::Standard);
    assert_eq!(key.disable(NOW), Err(Reason::RootRequired));
    assert_eq!(key.enable(NOW), Err(Reason::RootRequired));
}

#[test]
fn a_key_expires_by_itself() {
    let key = expiring(NOW + 10);
    assert_eq!(key.state(NOW + 9), KeyState::Active);
    assert_eq!(key.state(NOW + 10), KeyState::Deactivated);
    assert_eq!(key.allow(Action::Wrap, NOW + 10), Err(Reason::State));
    assert_eq!(key.allow(Action::Unwrap, NOW + 10), Ok(()));
}

#[test]
fn a_suspended_key_does_not_become_readable_by_expiring() {
    let mut key = expiring(NOW + 100);
    key.disable(NOW).unwrap();
    assert_eq!(key.state(NOW + 100), KeyState::Suspended);
    key.enable(NOW + 100).unwrap();
    assert_eq!(key.state(NOW + 100), KeyState::Deactivated);
}

#[test]
fn a_deleted_key_is_restored_between_thirty_seconds_and_thirty_days() {
    let mut gone = key(Kind::Root);
    deleted(&mut gone);
    assert_eq!(gone.state(NOW), KeyState::Destroyed);
    assert_eq!(gone.delete(Removal::Forced, &actor("bob"), NOW), Err(Reason::Deleted));
    assert_eq!(gone.restorable_until(), Some(NOW + 30 * DAY));
    assert_eq!(gone.restore(NOW + 29), Err(Reason::TooEarly));
    assert_eq!(gone.restore(NOW + 30 * DAY + 1), Err(Reason::RestoreExpired));
    for at in [NOW + 30, NOW + 30 * DAY] {
        let mut back = gone.clone();
        back.restore(at).unwrap();
        assert_eq!(back.state(at), KeyState::Active);
        assert_eq!(back.restorable_until(), None);
    }
    assert_eq!(key(Kind::Root).restore(NOW), Err(Reason::NotDeleted));
}

#[test]
fn a_restored_key_is_active_whatever_it_was() {
    let mut key = key(Kind::Root);
    key.disable(NOW).unwrap();
    deleted(&mut key);
    key.restore(NOW + 30).unwrap();
    assert_eq!(key.state(NOW + 30), KeyState::Active);
}

#[test]
fn an_expired_key_is_not_restored() {
    let mut key = expiring(NOW + 100);
    deleted(&mut key);
    assert_eq!(key.clone().restore(NOW + 100), Err(Reason::Expired(NOW + 100)));
    assert_eq!(key.restore(NOW + 99), Ok(()));
}

#[test]
fn erasure_waits_four_hours_or_as_long_as_the_partition_says() {
    let mut gone = key(Kind::Root);
    assert_eq!(gone.check_purge(NOW + DAY), Err(Reason::NotDeleted));
    assert!(!gone.is_purged_by(1, NOW + 99 * DAY));
    deleted(&mut gone);
    assert_eq!(gone.check_purge(NOW + 4 * 3600 - 1), Err(Reason::TooEarly));
    assert_eq!(gone.check_purge(NOW + 4 * 3600), Ok(()));
    assert!(!gone.is_purged_by(90, NOW + 90 * DAY - 1));
    assert!(gone.is_purged_by(90, NOW + 90 * DAY));
}

#[test]
fn two_persons_delete_within_seven_days() {
    let (alice, bob) = (actor("alice"), actor("bob"));
    let mut key = key(Kind::Root);
    assert_eq!(key.set_for_deletion(&alice, NOW), Err(Reason::NotDualAuth));
    assert_eq!(key.unset_for_deletion(NOW), Err(Reason::NotDualAuth));
    key.set_dual_auth(true, NOW).unwrap();
    assert_eq!(key.delete(Removal::Unused, &bob, NOW), Err(Reason::AuthorizationMissing));
    key.set_for_deletion(&alice, NOW).unwrap();
    assert_eq!(key.delete(Removal::Forced, &alice, NOW), Err(Reason::AuthorizationFailed));
    let renamed = crate::kms::Actor { name: "another name".into(), ..alice.clone() };
    assert_eq!(key.delete(Removal::Unused, &renamed, NOW), Err(Reason::AuthorizationFailed));
    assert_eq!(key.authorization(NOW).map(|(it, ends)| (it.by.clone(), ends)), Some((alice, NOW + 7 * DAY)));
    let late = NOW + 7 * DAY;
    assert_eq!(key.clone().delete(Removal::Unused, &bob, late), Err(Reason::AuthorizationMissing));
    assert_eq!(key.clone().delete(Removal::Unused, &bob, late - 1), Ok(()));
    let mut kept = key.clone();
    kept.unset_for_deletion(NOW).unwrap();
    assert_eq!(kept.delete(Removal::Unused, &bob, NOW), Err(Reason::AuthorizationMissing));
}

#[test]
fn one_person_does_not_take_dual_authorisation_away() {
    let mut key = key(Kind::Standard);
    key.set_dual_auth(false, NOW).unwrap();
    key.set_dual_auth(true, NOW).unwrap();
    assert!(matches!(key.set_dual_auth(false, NOW), Err(Reason::Field { name: "enabled", .. })));
    assert!(key.dual_auth);
}

#[test]
fn an_old_authorisation_does_not_outlive_a_restoration() {
    let mut key = key(Kind::Root);
    key.set_dual_auth(true, NOW).unwrap();
    key.set_for_deletion(&actor("alice"), NOW).unwrap();
    key.delete(Removal::Unused, &actor("bob"), NOW).unwrap();
    key.restore(NOW + 30).unwrap();
    assert_eq!(key.delete(Removal::Unused, &actor("bob"), NOW + 31), Err(Reason::AuthorizationMissing));
}

#[test]
fn what_protects_a_resource_is_deleted_by_force_or_not_at_all() {
    let alice = actor("alice");
    let mut key = key(Kind::Root);
    key.register("crn:disk", false, None, &alice, NOW).unwrap();
    assert_eq!(key.delete(Removal::Unused, &alice, NOW), Err(Reason::Protected));
    assert_eq!(key.clone().delete(Removal::Forced, &alice, NOW), Ok(()));
    key.register("crn:bucket", true, None, &alice, NOW).unwrap();
    assert_eq!(key.delete(Removal::Forced, &alice, NOW), Err(Reason::Retained));
    key.unregister("crn:bucket", NOW).unwrap();
    key.unregister("crn:disk", NOW).unwrap();
    assert_eq!(key.delete(Removal::Unused, &alice, NOW), Ok(()));
}

#[test]
fn a_deleted_key_goes_by_itself_when_its_time_was_found_past_twice() {
    let mut gone = key(Kind::Root);
    deleted(&mut gone);
    let past = NOW + 90 * DAY;
    assert!(gone.is_purged_by(90, past) && !gone.was_found_due(past) && !gone.is_found_due_again(past));
    gone.found_due(past);
    for (days, noted, again) in
        [(-1, false, false), (0, true, false), (1, true, true), (3, true, true), (4, false, false)]
    {
        assert_eq!(gone.was_found_due(past + days * DAY), noted, "{days}");
        assert_eq!(gone.is_found_due_again(past + days * DAY), again, "{days}");
    }
    assert!(!gone.is_found_due_again(past + DAY - 1));
    let mut back = gone.clone();
    back.restore(NOW + 30 * DAY).unwrap();
    back.delete(Removal::Unused, &actor("alice"), NOW).unwrap();
    assert!(!back.was_found_due(past), "restoring it forgets that");
}
