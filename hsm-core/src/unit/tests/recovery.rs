//! Recovery units: what they may at first, what is kept of their kind, and which units their master key may go to.

use super::kit::*;
use crate::unit::recovery::{Problem, check};
use crate::unit::*;

fn recovery_unit(registers: &str) -> State {
    State { kind: UnitKind::Recovery, ..secure(registers) }
}

#[test]
fn a_recovery_unit_draws_and_hands_out_without_being_told() {
    let unit = State { kind: UnitKind::Recovery, ..imprint(2) };
    let (unit, _) = act(&unit, &thresholds(2, 2), &[0, 1]).unwrap();
    let (unit, events) = act(&unit, &Command::GenerateMasterKey, &[1]).unwrap();
    assert!(matches!(events[..], [Event::MasterKeyActivated { .. }]));
    let export = Command::ExportCurrent(keys()[9].public_key());
    assert!(act(&unit, &export, &[0, 1]).is_ok());
    // An operational one is to be permitted it.
    let (unit, _) = act(&imprint(2), &thresholds(2, 2), &[0, 1]).unwrap();
    assert_eq!(act(&unit, &Command::GenerateMasterKey, &[1]).unwrap_err(), Refusal::RandomForbidden);
}

#[test]
fn a_unit_keeps_its_kind() {
    let home = tempfile::tempdir().unwrap();
    let paths = UnitPaths::in_home(home.path());
    let mut unit = Unit::create(&paths, Access::Owner, UnitKind::Recovery).unwrap();
    assert_eq!(Unit::open(&paths).unwrap().status().kind, UnitKind::Recovery);
    let zeroize = signed(unit.state(), &Command::Zeroize, &[]);
    unit.submit(&zeroize).unwrap();
    assert_eq!(Unit::open(&paths).unwrap().state().kind(), UnitKind::Recovery);
    let status = serde_json::to_value(unit.status()).unwrap();
    assert_eq!(status["type"], "recovery");
}

#[test]
fn its_key_goes_to_a_unit_that_is_set_up_alike() {
    let (from, pattern) = (recovery_unit("EV"), pattern(&CURRENT));
    for to in ["E-", "EV"] {
        assert_eq!(check(&secure(to), &from), Ok(pattern), "{to}");
    }
    // A new register that holds the same key is on its way already.
    let mut to = secure("U-");
    let key = || MasterKey::new(crate::secret::Secret::copy_of(&CURRENT));
    secured(&mut to).new = NewRegister::FullUncommitted(key());
    assert_eq!(check(&to, &from), Ok(pattern));
    secured(&mut to).new = NewRegister::FullCommitted(key());
    assert_eq!(check(&to, &from), Ok(pattern));
}

#[test]
fn each_difference_has_its_name() {
    let from = || recovery_unit("EV");
    let other_thresholds = || {
        let mut state = secure("E-");
        secured(&mut state).thresholds.revocation = 1;
        state
    };
    let other_administrators = || {
        let mut state = secure("E-");
        state.administrators = [0, 7, 8].map(administrator).to_vec();
        state
    };
    let other_key = || {
        let mut state = recovery_unit("EV");
        let key = MasterKey::new(crate::secret::Secret::copy_of(&NEW));
        secured(&mut state).current = CurrentRegister::Valid(key);
        state
    };
    let imprint_recovery = || State { kind: UnitKind::Recovery, ..imprint(3) };
    let cases = [
        (secure("E-"), secure("EV"), Problem::NoRecoveryUnit),
        (secure("E-"), imprint_recovery(), Problem::ImprintMode("recovery")),
        (imprint(3), from(), Problem::ImprintMode("operational")),
        (other_thresholds(), from(), Problem::Thresholds),
        (other_administrators(), from(), Problem::Administrators { common: 1, needed: 2 }),
        (secure("E-"), recovery_unit("E-"), Problem::NoMasterKey),
        (secure("EV"), recovery_unit("E-"), Problem::RecoveryUnitEmpty),
        (secure("EV"), other_key(), Problem::OtherMasterKey),
        (secure("U-"), from(), Problem::NewRegisterFull),
        (secure("C-"), from(), Problem::NewRegisterFull),
    ];
    for (to, from, problem) in cases {
        assert_eq!(check(&to, &from), Err(problem));
    }
}

#[test]
fn a_reply_names_who_signed() {
    let home = tempfile::tempdir().unwrap();
    let paths = UnitPaths::in_home(home.path());
    let mut unit = Unit::create(&paths, Access::Owner, UnitKind::Operational).unwrap();
    for index in 0..2 {
        let add = Command::AddAdministrator(administrator(index));
        let command = signed(unit.state(), &add, &[]);
        unit.submit(&command).unwrap();
    }
    let said = |unit: &mut Unit, command: &Command, signers: &[usize]| {
        let command = signed(unit.state(), command, signers);
        let events = unit.submit(&command).unwrap();
        let statement = unit.statement(Some((&command, &events))).unwrap().to_bytes().unwrap();
        let (statement, _) = SignedStatement::open(&statement).unwrap();
        let names: Vec<_> = statement.signers.into_iter().map(|one| one.name).collect();
        (statement.done.unwrap(), names)
    };
    let (done, names) = said(&mut unit, &thresholds(2, 2), &[1, 0, 1]);
    assert_eq!(
        (done.as_str(), names),
        ("set thresholds", vec!["administrator 1".into(), "administrator 0".into()])
    );
    said(&mut unit, &Command::GenerateImporter, &[0]);
    let parts = load(unit.state(), &[NEW, CURRENT]);
    assert_eq!(said(&mut unit, &parts, &[]), ("load new master key".into(), vec!["administrator 0".into()]));
    // Also of one that it does not know any more.
    assert_eq!(said(&mut unit, &Command::Zeroize, &[1]).1, ["administrator 1"]);
    let own = unit.statement(None).unwrap().to_bytes().unwrap();
    let (own, _) = SignedStatement::open(&own).unwrap();
    assert_eq!((own.done, own.signers), (None, Vec::new()));
}

#[test]
fn what_was_signed_elsewhere_counts() {
    let state = secure("EV");
    let mut command = SignedCommand::new(&state.target(), &Command::ClearNew).unwrap();
    let asked = SignedCommand::of_bytes_to_sign(command.bytes_to_sign()).unwrap();
    assert_eq!(asked, command);
    let signature = keys()[0].sign(asked.bytes_to_sign()).unwrap();
    assert_eq!(keys()[0].public_key().verify(command.bytes_to_sign(), &signature), Ok(()));
    command.add_signature(&keys()[0].ski(), signature).unwrap();
    assert!(submit(&state, &command).is_ok());
    assert!(SignedCommand::of_bytes_to_sign(b"\x30\x00").is_none());

    let Command::LoadNewMasterKey(parts) = load(&state, &[NEW]) else { panic!("a load") };
    let asked = SignedPart::of_bytes_to_sign(parts[0].bytes_to_sign()).unwrap();
    assert_eq!((asked.place(), asked.target(), asked.signers()), ((1, 1), state.target(), Vec::new()));
    // One is none of the other.
    assert!(SignedPart::of_bytes_to_sign(command.bytes_to_sign()).is_none());
    assert!(SignedCommand::of_bytes_to_sign(asked.bytes_to_sign()).is_none());
}

#[test]
fn a_state_of_before_is_of_an_operational_unit() {
    use crate::unit::stored::{decode, encode};
    let state = recovery_unit("EV");
    let bytes = encode(&state).unwrap();
    let read = |bytes: &[u8]| decode(bytes, state.hsm_id, state.epoch).map(|state| state.kind);
    assert_eq!(read(bytes.expose()), Some(UnitKind::Recovery));
    let before = &bytes.expose()[..bytes.len() - 1];
    assert_eq!(read(before), Some(UnitKind::Operational));
    let mut strange = bytes.expose().to_vec();
    *strange.last_mut().unwrap() = 2;
    assert_eq!(read(&strange), None);
}
