//! What the unit keeps of the audit log: a key that stays, and ends of the log that only go forward.

use std::path::Path;

use super::kit::*;
use crate::unit::*;

fn unit_in(home: &Path, name: &str) -> UnitPaths {
    let paths = UnitPaths::in_home(home);
    Unit::create(&paths, Access::Owner, UnitKind::Operational).unwrap();
    store(&paths, &unit(name));
    paths
}

/// Puts this state into the unit's file.
fn store(paths: &UnitPaths, state: &State) {
    let sealer = Sealer::find(paths, &UnitHeader::read(&paths.unit).unwrap(), None).unwrap();
    crate::unit::file::save(paths, &sealer, state, Access::Owner).unwrap();
}

/// That of the unit that these tests begin with.
const EPOCH: u64 = 0;

fn end(number: u64) -> LogEnd {
    LogEnd { number, link: [7; 32] }
}

fn status(paths: &UnitPaths) -> AuditStatus {
    Unit::open(paths).unwrap().status().audit
}

fn submit(paths: &UnitPaths, command: &Command) {
    let mut unit = Unit::open(paths).unwrap();
    unit.submit(&signed(unit.state(), command, &[0])).unwrap();
}

#[test]
fn a_unit_of_before_gets_one_audit_key_and_keeps_it_over_zeroize() {
    let home = tempfile::tempdir().unwrap();
    let paths = unit_in(home.path(), "EV");
    assert_eq!(status(&paths), AuditStatus { key: None, known: None, closed: None });
    let key = || Unit::open(&paths).unwrap().audit_key().unwrap().public_key();
    let first = key();
    submit(&paths, &Command::Zeroize);
    assert_eq!((key(), status(&paths).key), (first, Some(first.ski())));
    assert_eq!(Unit::open(&paths).unwrap().state().audit_public_key(), Some(first));
}

#[test]
fn a_new_unit_has_an_audit_key_that_is_not_its_attestation_key() {
    let home = tempfile::tempdir().unwrap();
    let mut unit =
        Unit::create(&UnitPaths::in_home(home.path()), Access::Owner, UnitKind::Operational).unwrap();
    let key = unit.status().audit.key;
    assert!(key.is_some());
    assert_ne!(unit.statement(None).unwrap().fingerprint(), key);
}

#[test]
fn a_unit_knows_the_furthest_end_of_the_log() {
    let home = tempfile::tempdir().unwrap();
    let paths = unit_in(home.path(), "EV");
    let mut slow = Unit::open(&paths).unwrap();
    Unit::open(&paths).unwrap().remember_log_end(end(9), EPOCH, false).unwrap();
    slow.remember_log_end(end(8), EPOCH, false).unwrap();
    assert_eq!((slow.state().log_end(), status(&paths).known), (Some(end(9)), Some(end(9))));
    slow.remember_log_end(end(3), EPOCH, true).unwrap();
    assert_eq!(status(&paths).known, Some(end(3)));
}

#[test]
fn where_the_log_ended_is_told_after_what_closed_it() {
    for command in [Command::Zeroize, Command::ClearCurrent] {
        let home = tempfile::tempdir().unwrap();
        let paths = unit_in(home.path(), "EV");
        Unit::open(&paths).unwrap().remember_log_end(end(9), EPOCH, false).unwrap();
        submit(&paths, &command);
        let AuditStatus { known, closed, .. } = status(&paths);
        assert_eq!((known, closed), (None, Some(end(9))), "{command:?}");
        let signed = Unit::open(&paths).unwrap().statement(None).unwrap().to_bytes().unwrap();
        let (said, _) = SignedStatement::open(&signed).unwrap();
        assert_eq!(said.status["audit"]["closed"]["number"], 9);
        assert_eq!(said.status["audit"]["closed"]["link"], "07".repeat(32));
    }
}

#[test]
fn a_second_zeroize_forgets_nothing() {
    let home = tempfile::tempdir().unwrap();
    let paths = unit_in(home.path(), "EV");
    Unit::open(&paths).unwrap().remember_log_end(end(9), EPOCH, false).unwrap();
    submit(&paths, &Command::Zeroize);
    let mut unit = Unit::open(&paths).unwrap();
    unit.submit(&signed(unit.state(), &Command::Zeroize, &[])).unwrap();
    assert_eq!(status(&paths).closed, Some(end(9)));
}

#[test]
fn an_end_that_comes_after_what_closed_the_log_is_not_remembered() {
    for command in [Command::Zeroize, Command::ClearCurrent] {
        let home = tempfile::tempdir().unwrap();
        let paths = unit_in(home.path(), "EV");
        let mut slow = Unit::open(&paths).unwrap();
        submit(&paths, &command);
        for replaces in [false, true] {
            slow.remember_log_end(end(9), EPOCH, replaces).unwrap();
            assert_eq!(status(&paths).known, None, "{command:?}");
        }
    }
    let home = tempfile::tempdir().unwrap();
    let paths = unit_in(home.path(), "EV");
    for other in [EPOCH + 1, EPOCH + 2] {
        Unit::open(&paths).unwrap().remember_log_end(end(9), other, true).unwrap();
        assert_eq!(status(&paths).known, None, "another master key came and went");
    }
}

#[test]
fn a_log_that_was_closed_does_not_end_before_that_until_another_begins() {
    let home = tempfile::tempdir().unwrap();
    let paths = unit_in(home.path(), "CV");
    let closed = |number| {
        Unit::open(&paths).unwrap().remember_log_end(end(number), EPOCH, false).unwrap();
        submit(&paths, &Command::ClearCurrent);
    };
    closed(9);
    assert_eq!(Unit::open(&paths).unwrap().state().log_end(), Some(end(9)));
    submit(&paths, &Command::SetImmediate(pattern(&NEW)));
    let mut unit = Unit::open(&paths).unwrap();
    assert_eq!((unit.state().log_end(), status(&paths).known), (Some(end(9)), None));
    unit.remember_log_end(end(0), EPOCH + 1, false).unwrap();
    assert_eq!((unit.state().log_end(), status(&paths).closed), (Some(end(0)), Some(end(9))));
}
