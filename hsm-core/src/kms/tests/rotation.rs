//! Versions: by hand once an hour, with material where it was brought, and by policy.

use super::kit::*;
use crate::kms::{Description, Kind, MONTH, Reason, Removal, RotationPolicy};

const DAY: i64 = 86_400;

fn policy(months: u8) -> RotationPolicy {
    RotationPolicy::new(months, true).unwrap()
}

#[test]
fn a_key_is_rotated_once_an_hour() {
    let mut key = key(Kind::Root);
    assert_eq!(key.check_rotation(false, NOW), Ok(()), "a new key at once");
    key.rotate(id(3), 32, &actor("bob"), NOW);
    assert_eq!(key.check_rotation(false, NOW + 3599), Err(Reason::RotatedRecently));
    assert_eq!(key.check_rotation(false, NOW + 3600), Ok(()));
    let versions: Vec<_> = key.versions.iter().map(|version| version.id).collect();
    assert_eq!(versions, [id(2), id(3)]);
    assert_eq!(key.version().unwrap().created_by, actor("bob"));
    assert_eq!(key.version_of(id(2)).unwrap().created, NOW);
    assert_eq!(key.version_of(id(9)), None);
}

#[test]
fn material_is_needed_where_it_was_brought_and_refused_where_it_was_not() {
    let imported = said(Description::new(Kind::Root, "imported"), true);
    assert_eq!(imported.check_rotation(false, NOW), Err(Reason::MaterialRequired));
    assert_eq!(imported.check_rotation(true, NOW), Ok(()));
    assert!(matches!(key(Kind::Root).check_rotation(true, NOW), Err(Reason::Field { name: "payload", .. })));
    assert_eq!(key(Kind::Standard).check_rotation(false, NOW), Err(Reason::RootRequired));
}

#[test]
fn an_expired_key_is_rotated_and_stays_expired() {
    let mut key = expiring(NOW + 10);
    assert_eq!(key.check_rotation(false, NOW + 11), Ok(()));
    key.rotate(id(3), 32, &actor("bob"), NOW + 11);
    assert_eq!(key.expiration, Some(NOW + 10));
    key.delete(Removal::Unused, &actor("bob"), NOW).unwrap();
    assert_eq!(key.check_rotation(false, NOW + 9999), Err(Reason::Deleted));
}

#[test]
fn a_suspended_key_is_not_rotated() {
    let mut key = key(Kind::Root);
    key.disable(NOW).unwrap();
    assert_eq!(key.check_rotation(false, NOW), Err(Reason::State));
}

#[test]
fn policies_have_one_to_twelve_months() {
    assert!(RotationPolicy::new(0, true).is_err());
    assert!(RotationPolicy::new(13, true).is_err());
    assert_eq!(policy(12).months(), 12);
}

#[test]
fn a_key_is_due_after_its_months() {
    let mut key = key(Kind::Root);
    assert_eq!(key.rotation_due(), None);
    key.set_rotation(policy(2), NOW).unwrap();
    assert_eq!(key.rotation_due(), Some(NOW + 2 * MONTH));
    assert!(!key.is_due(NOW + 2 * MONTH - 1));
    assert!(key.is_due(NOW + 2 * MONTH));
    key.rotate(id(3), 32, &actor("bob"), NOW + MONTH);
    assert!(!key.is_due(NOW + 2 * MONTH), "by hand counts too");
    assert!(key.is_due(NOW + 3 * MONTH));
    key.set_rotation(RotationPolicy::new(2, false).unwrap(), NOW).unwrap();
    assert!(!key.is_due(NOW + 99 * MONTH));
}

#[test]
fn what_is_not_active_is_not_due() {
    let mut suspended = key(Kind::Root);
    suspended.set_rotation(policy(1), NOW).unwrap();
    suspended.disable(NOW).unwrap();
    assert!(!suspended.is_due(NOW + MONTH));
    let mut expired = expiring(NOW + 10);
    expired.set_rotation(policy(1), NOW).unwrap();
    assert!(!expired.is_due(NOW + MONTH));
}

#[test]
fn policies_are_for_generated_root_keys() {
    let mut imported = said(Description::new(Kind::Root, "imported"), true);
    assert_eq!(imported.set_rotation(policy(1), NOW), Err(Reason::MaterialRequired));
    assert_eq!(key(Kind::Standard).set_rotation(policy(1), NOW), Err(Reason::RootRequired));
}

#[test]
fn a_rotation_by_a_clock_that_was_ahead_stands_in_nobodys_way() {
    let mut key = key(Kind::Root);
    key.set_rotation(policy(1), NOW).unwrap();
    let ahead = NOW + 99 * MONTH;
    key.rotate(id(3), 32, &actor("bob"), ahead);
    assert_eq!(key.check_rotation(false, ahead + 3599), Err(Reason::RotatedRecently));
    assert_eq!(key.check_rotation(false, NOW), Ok(()));
    assert!(key.is_due(NOW));
    assert!(!key.is_due(ahead - DAY), "clocks differ by a little");
    key.rotate(id(4), 32, &actor("bob"), NOW);
    assert!(!key.is_due(NOW));
}
