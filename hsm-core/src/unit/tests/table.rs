//! Every command in every state: the table of the module's documentation, cell by cell. Each cell is
//! the state after it or the refusal, given all signatures that could be asked for.

use super::kit::*;
use crate::unit::*;

/// The columns: imprint mode, then new register (Empty, Uncommitted, Committed) and current register
/// (-, Valid).
const STATES: [&str; 7] = ["I", "E-", "U-", "C-", "EV", "UV", "CV"];

type Cell = Result<&'static str, Refusal>;

/// Walks a row: `command` in every state, after `prepare`.
fn row(prepare: impl Fn(&mut State), command: impl Fn(&State) -> Command, cells: [Cell; 7]) {
    for (name, expected) in STATES.into_iter().zip(cells) {
        let mut state = unit(name);
        prepare(&mut state);
        let before = state.counter();
        let outcome = act(&state, &command(&state), &[0, 1, 2]);
        let reached = outcome.as_ref().map(|(state, _)| name_of(state)).map_err(|refusal| *refusal);
        assert_eq!(reached, expected.map(str::to_owned), "in {name}");
        if let Ok((state, events)) = outcome {
            assert_eq!(state.counter(), before + 1, "in {name}");
            assert!(!events.is_empty(), "in {name}");
        }
    }
}

/// The state does not move.
const STAYS: [Cell; 7] = [Ok("I"), Ok("E-"), Ok("U-"), Ok("C-"), Ok("EV"), Ok("UV"), Ok("CV")];

/// The same refusal everywhere.
fn never(refusal: Refusal) -> [Cell; 7] {
    [Err(refusal); 7]
}

/// Refused in imprint mode, and like this after.
fn after(cells: [Cell; 6]) -> [Cell; 7] {
    let [a, b, c, d, e, f] = cells;
    [Err(Refusal::ImprintMode), a, b, c, d, e, f]
}

/// As it stands.
fn as_is(_: &mut State) {}

#[test]
fn add_administrator() {
    row(as_is, |_| Command::AddAdministrator(administrator(3)), STAYS);
}

#[test]
fn add_administrator_with_an_installed_key() {
    let again = Administrator { name: "another name".to_owned(), ..administrator(2) };
    row(as_is, |_| Command::AddAdministrator(again.clone()), never(Refusal::AdministratorExists));
}

#[test]
fn add_administrator_with_an_installed_name() {
    let again = Administrator { name: administrator(2).name, ..administrator(3) };
    row(as_is, |_| Command::AddAdministrator(again.clone()), never(Refusal::AdministratorExists));
}

#[test]
fn add_a_ninth_administrator() {
    let eight = |state: &mut State| state.administrators = (0..8).map(administrator).collect();
    row(eight, |_| Command::AddAdministrator(administrator(8)), never(Refusal::AdministratorsFull));
}

#[test]
fn remove_administrator() {
    row(as_is, |_| Command::RemoveAdministrator(keys()[2].ski()), STAYS);
}

#[test]
fn remove_an_unknown_administrator() {
    let unknown = |_: &State| Command::RemoveAdministrator(keys()[3].ski());
    row(as_is, unknown, never(Refusal::AdministratorUnknown));
}

#[test]
fn remove_an_administrator_whom_a_threshold_needs() {
    let three = |state: &mut State| {
        if let Ownership::Secure(secured) = &mut state.ownership {
            secured.thresholds.signature = 3;
        }
    };
    let refusal = Err(Refusal::ThresholdNeedsAdministrator);
    let cells = [Ok("I"), refusal, refusal, refusal, refusal, refusal, refusal];
    row(three, |_| Command::RemoveAdministrator(keys()[2].ski()), cells);
}

#[test]
fn set_thresholds() {
    let cells = [Ok("E-"), Ok("E-"), Ok("U-"), Ok("C-"), Ok("EV"), Ok("UV"), Ok("CV")];
    row(as_is, |_| thresholds(3, 1), cells);
}

#[test]
fn set_the_signature_threshold_to_zero() {
    row(as_is, |_| thresholds(0, 1), never(Refusal::SignatureThresholdZero));
}

#[test]
fn set_the_revocation_threshold_to_zero() {
    let refusal = Err(Refusal::RevocationThresholdZero);
    let imprint = Err(Refusal::RevocationThresholdUnset);
    let cells = [imprint, refusal, refusal, refusal, refusal, refusal, refusal];
    row(as_is, |_| thresholds(1, 0), cells);
}

#[test]
fn set_the_signature_threshold_above_the_administrators() {
    row(as_is, |_| thresholds(4, 1), never(Refusal::SignatureThresholdAbove));
}

#[test]
fn set_the_revocation_threshold_above_the_administrators() {
    row(as_is, |_| thresholds(1, 4), never(Refusal::RevocationThresholdAbove));
}

#[test]
fn generate_importer_key() {
    row(
        as_is,
        |_| Command::GenerateImporter,
        after([Ok("E-"), Ok("U-"), Ok("C-"), Ok("EV"), Ok("UV"), Ok("CV")]),
    );
}

#[test]
fn load_new_master_key() {
    let loaded = [Ok("U-"), Ok("U-"), Ok("U-"), Ok("UV"), Ok("UV"), Ok("UV")];
    row(as_is, |state| load(state, &[[1; 32], [2; 32], [4; 32]]), after(loaded));
    row(as_is, |state| load(state, &[[1; 32], [2; 32]]), after(loaded));
}

#[test]
fn load_without_permission() {
    let forbid = |state: &mut State| {
        if let Ownership::Secure(secured) = &mut state.ownership {
            secured.permissions = secured.permissions.without(Permissions::IMPORT);
        }
    };
    row(forbid, |state| load(state, &[[1; 32], [2; 32]]), after([Err(Refusal::ImportForbidden); 6]));
}

#[test]
fn load_a_single_part() {
    row(as_is, |state| load(state, &[[1; 32]]), after([Err(Refusal::SinglePartForbidden); 6]));
}

#[test]
fn load_a_single_part_with_permission() {
    let permitted = |state: &mut State| permit(state, Permissions::SINGLE_PART);
    let loaded = [Ok("U-"), Ok("U-"), Ok("U-"), Ok("UV"), Ok("UV"), Ok("UV")];
    row(permitted, |state| load(state, &[[1; 32]]), after(loaded));
}

#[test]
fn load_the_current_master_key() {
    let same = Err(Refusal::SameAsCurrent);
    let cells = after([Ok("U-"), Ok("U-"), Ok("U-"), same, same, same]);
    row(as_is, |state| load(state, &[[0x10; 32], [0x01; 32]]), cells);
}

#[test]
fn load_parts_that_cancel_each_other_out() {
    row(as_is, |state| load(state, &[[5; 32], [5; 32]]), after([Err(Refusal::KeyIsZero); 6]));
}

#[test]
fn load_without_an_importer_key() {
    let none = |state: &mut State| {
        if let Ownership::Secure(secured) = &mut state.ownership {
            secured.importer = None;
        }
    };
    row(none, |state| load(state, &[[1; 32], [2; 32]]), after([Err(Refusal::ImporterKeyMissing); 6]));
}

#[test]
fn generate_random_master_key_without_permission() {
    row(as_is, |_| Command::GenerateMasterKey, after([Err(Refusal::RandomForbidden); 6]));
}

#[test]
fn generate_random_master_key() {
    let permitted = |state: &mut State| permit(state, Permissions::RANDOM);
    let full = Err(Refusal::NewRegisterFull);
    row(permitted, |_| Command::GenerateMasterKey, after([Ok("EV"), full, full, Ok("UV"), full, full]));
}

#[test]
fn commit() {
    let empty = Err(Refusal::NewRegisterEmpty);
    let cells = after([empty, Ok("C-"), Ok("C-"), empty, Ok("CV"), Ok("CV")]);
    row(as_is, |_| Command::Commit(pattern(&NEW)), cells);
}

#[test]
fn commit_with_another_pattern() {
    let (empty, wrong) = (Err(Refusal::NewRegisterEmpty), Err(Refusal::VerificationPattern));
    let cells = after([empty, wrong, wrong, empty, wrong, wrong]);
    row(as_is, |_| Command::Commit(pattern(&CURRENT)), cells);
}

#[test]
fn set_immediate() {
    let (empty, uncommitted) = (Err(Refusal::NewRegisterEmpty), Err(Refusal::NewRegisterUncommitted));
    let cells = after([empty, uncommitted, Ok("EV"), empty, uncommitted, Ok("EV")]);
    row(as_is, |_| Command::SetImmediate(pattern(&NEW)), cells);
}

#[test]
fn set_immediate_with_another_pattern() {
    let (empty, uncommitted) = (Err(Refusal::NewRegisterEmpty), Err(Refusal::NewRegisterUncommitted));
    let wrong = Err(Refusal::VerificationPattern);
    let cells = after([empty, uncommitted, wrong, empty, uncommitted, wrong]);
    row(as_is, |_| Command::SetImmediate(pattern(&CURRENT)), cells);
}

#[test]
fn clear_new() {
    row(as_is, |_| Command::ClearNew, after([Ok("E-"), Ok("E-"), Ok("E-"), Ok("EV"), Ok("EV"), Ok("EV")]));
}

#[test]
fn clear_current() {
    row(
        as_is,
        |_| Command::ClearCurrent,
        after([Ok("E-"), Ok("U-"), Ok("C-"), Ok("E-"), Ok("U-"), Ok("C-")]),
    );
}

#[test]
fn export_without_permission() {
    let recipient = keys()[9].public_key();
    row(as_is, |_| Command::ExportCurrent(recipient), after([Err(Refusal::ExportForbidden); 6]));
    row(as_is, |_| Command::ExportNew(recipient), after([Err(Refusal::ExportForbidden); 6]));
}

#[test]
fn export_current() {
    let permitted = |state: &mut State| permit(state, Permissions::EXPORT);
    let recipient = keys()[9].public_key();
    let empty = Err(Refusal::CurrentRegisterEmpty);
    let cells = after([empty, empty, empty, Ok("EV"), Ok("UV"), Ok("CV")]);
    row(permitted, |_| Command::ExportCurrent(recipient), cells);
}

#[test]
fn export_new() {
    let permitted = |state: &mut State| permit(state, Permissions::EXPORT);
    let recipient = keys()[9].public_key();
    let empty = Err(Refusal::NewRegisterEmpty);
    let cells = after([empty, Ok("U-"), Ok("C-"), empty, Ok("UV"), Ok("CV")]);
    row(permitted, |_| Command::ExportNew(recipient), cells);
}

#[test]
fn zeroize() {
    row(as_is, |_| Command::Zeroize, [Ok("I"); 7]);
}

/// What the cells above do not show: where the key goes.
#[test]
fn set_immediate_puts_the_new_key_in_use_and_begins_an_epoch() {
    let before = unit("CV");
    let (state, events) = act(&before, &Command::SetImmediate(pattern(&NEW)), &[0]).unwrap();
    let current = state.secured().unwrap().current_register().verification_pattern();
    assert_eq!(current, Some(pattern(&NEW)));
    assert_eq!(state.epoch(), before.epoch() + 1);
    let activated = Event::MasterKeyActivated { verification_pattern: pattern(&NEW), epoch: state.epoch() };
    assert_eq!(events, [activated]);
}

#[test]
fn a_load_uses_its_importer_key_up() {
    let state = unit("E-");
    let (state, _) = act(&state, &load(&state, &[[1; 32], [2; 32]]), &[]).unwrap();
    assert_eq!(state.secured().unwrap().importer(), None);
    let loaded = state.secured().unwrap().new_register().verification_pattern();
    assert_eq!(loaded, Some(pattern(&[3; 32])));
}

#[test]
fn zeroize_leaves_nothing_but_identity_counter_and_epoch() {
    let before = unit("CV");
    let (state, _) = act(&before, &Command::Zeroize, &[0]).unwrap();
    assert!(state.administrators().is_empty());
    assert_eq!((state.hsm_id(), state.unit_id()), (before.hsm_id(), before.unit_id()));
    assert_eq!((state.counter(), state.epoch()), (before.counter() + 1, before.epoch()));
}

/// An exported key is imported by another unit: what recovery units are for.
#[test]
fn an_exported_key_reaches_another_unit() {
    let mut from = unit("EV");
    permit(&mut from, Permissions::EXPORT);
    let mut to = unit("E-");
    permit(&mut to, Permissions::SINGLE_PART);
    let recipient = to.secured().unwrap().importer().unwrap();
    let (_, events) = act(&from, &Command::ExportCurrent(recipient), &[0, 1]).unwrap();
    let [Event::MasterKeyExported { envelope, .. }] = events.as_slice() else { panic!("{events:?}") };
    let mut part = SignedPart::new(&to.target(), 1, 1, (**envelope).clone()).unwrap();
    part.sign(&keys()[0]).unwrap();
    let (to, _) = act(&to, &Command::LoadNewMasterKey(vec![part]), &[]).unwrap();
    assert_eq!(to.secured().unwrap().new_register().verification_pattern(), Some(pattern(&CURRENT)));
}
