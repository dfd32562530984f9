//! Thresholds, permissions and their locks, and how many signatures each command needs.

use super::kit::*;
use crate::unit::*;

fn permissions(permissions: Permissions) -> Command {
    Command::SetAttributes(Attributes { permissions: Some(permissions), ..Attributes::default() })
}

fn refused(state: &State, command: &Command) -> Refusal {
    act(state, command, &[0, 1, 2]).map(|(state, _)| name_of(&state)).unwrap_err()
}

/// Any command of each kind that a unit with committed new and valid current key would carry out.
fn any(kind: CommandKind, state: &State) -> Command {
    match kind {
        CommandKind::AddAdministrator => Command::AddAdministrator(administrator(3)),
        CommandKind::RemoveAdministrator => Command::RemoveAdministrator(keys()[2].ski()),
        CommandKind::SetAttributes => thresholds(3, 3),
        CommandKind::GenerateImporter => Command::GenerateImporter,
        CommandKind::LoadNewMasterKey => load(state, &[[1; 32], [2; 32]]),
        CommandKind::GenerateMasterKey => Command::GenerateMasterKey,
        CommandKind::Commit => Command::Commit(pattern(&NEW)),
        CommandKind::SetImmediate => Command::SetImmediate(pattern(&NEW)),
        CommandKind::ClearNew => Command::ClearNew,
        CommandKind::ClearCurrent => Command::ClearCurrent,
        CommandKind::ExportCurrent => Command::ExportCurrent(keys()[9].public_key()),
        CommandKind::ExportNew => Command::ExportNew(keys()[9].public_key()),
        CommandKind::Zeroize => Command::Zeroize,
    }
}

/// The counts of the reference, written out apart from the table that the code reads: signature
/// threshold 2, revocation threshold 3; for a load, those on the command itself.
fn needed_when_secure(kind: CommandKind) -> u8 {
    match kind {
        CommandKind::AddAdministrator
        | CommandKind::SetAttributes
        | CommandKind::Commit
        | CommandKind::ExportCurrent
        | CommandKind::ExportNew => 2,
        CommandKind::RemoveAdministrator => 3,
        CommandKind::GenerateImporter
        | CommandKind::GenerateMasterKey
        | CommandKind::SetImmediate
        | CommandKind::ClearNew
        | CommandKind::ClearCurrent
        | CommandKind::Zeroize => 1,
        CommandKind::LoadNewMasterKey => 0,
    }
}

#[test]
fn every_command_is_refused_with_one_signature_too_few() {
    for kind in CommandKind::ALL {
        let needed = needed_when_secure(kind);
        for name in ["E-", "U-", "C-", "EV", "UV", "CV"] {
            let mut state = unit(name);
            secured(&mut state).thresholds.revocation = 3;
            let Some(given) = needed.checked_sub(1) else { continue };
            let signers: Vec<_> = (0..usize::from(given)).collect();
            let refusal = act(&state, &any(kind, &state), &signers).unwrap_err();
            assert_eq!(refusal, Refusal::TooFewSignatures { needed, given }, "{kind:?} in {name}");
        }
    }
}

#[test]
fn every_command_is_carried_out_with_just_enough_signatures() {
    for kind in CommandKind::ALL {
        let name = if kind == CommandKind::GenerateMasterKey { "EV" } else { "CV" };
        let mut state = unit(name);
        state.administrators.push(administrator(4));
        secured(&mut state).thresholds.revocation = 3;
        permit(&mut state, Permissions::EXPORT.with(Permissions::RANDOM));
        let signers: Vec<_> = (0..usize::from(needed_when_secure(kind))).collect();
        let outcome = act(&state, &any(kind, &state), &signers);
        assert!(outcome.is_ok(), "{kind:?}: {:?}", outcome.err());
    }
}

#[test]
fn imprint_mode_asks_for_no_signatures_but_those_of_the_threshold_it_sets() {
    let state = imprint(3);
    for command in [
        Command::AddAdministrator(administrator(3)),
        Command::RemoveAdministrator(keys()[2].ski()),
        Command::Zeroize,
    ] {
        assert!(act(&state, &command, &[]).is_ok(), "{command:?}");
    }
    let refusal = act(&state, &thresholds(2, 1), &[0]).unwrap_err();
    assert_eq!(refusal, Refusal::TooFewSignatures { needed: 2, given: 1 });
    let (state, events) = act(&state, &thresholds(2, 1), &[0, 1]).unwrap();
    assert!(events.contains(&Event::ImprintModeLeft));
    assert_eq!(state.secured().unwrap().thresholds(), Thresholds { signature: 2, revocation: 1 });
}

#[test]
fn imprint_mode_cannot_be_left_without_administrators() {
    assert_eq!(act(&imprint(0), &thresholds(1, 1), &[]).unwrap_err(), Refusal::SignatureThresholdAbove);
}

#[test]
fn zeroize_needs_the_threshold_where_one_signature_is_not_permitted() {
    let mut state = unit("EV");
    let secured = secured(&mut state);
    secured.permissions = secured.permissions.without(Permissions::ZEROIZE_SINGLE_SIGNATURE);
    let refusal = act(&state, &Command::Zeroize, &[0]).unwrap_err();
    assert_eq!(refusal, Refusal::TooFewSignatures { needed: 2, given: 1 });
    assert!(act(&state, &Command::Zeroize, &[0, 1]).is_ok());
}

#[test]
fn the_current_threshold_counts_when_thresholds_change() {
    assert!(act(&unit("EV"), &thresholds(1, 1), &[0]).is_err());
    assert!(act(&unit("EV"), &thresholds(3, 3), &[0, 1]).is_ok());
}

#[test]
fn thresholds_of_one_need_their_permission() {
    let mut state = unit("EV");
    let secured = secured(&mut state);
    secured.permissions = secured.permissions.without(Permissions::SINGLE_SIGNATURE);
    assert_eq!(refused(&state, &thresholds(1, 2)), Refusal::SignatureThresholdOne);
    assert_eq!(refused(&state, &thresholds(2, 1)), Refusal::RevocationThresholdOne);
}

#[test]
fn the_permission_for_thresholds_of_one_stays_while_in_use() {
    let mut state = unit("EV");
    secured(&mut state).thresholds.revocation = 1;
    let without = Permissions::INITIAL.without(Permissions::SINGLE_SIGNATURE);
    assert_eq!(refused(&state, &permissions(without)), Refusal::SingleSignatureInUse);
}

#[test]
fn a_locked_threshold_stays() {
    let locks = [Permissions::CHANGE_SIGNATURE_THRESHOLD, Permissions::CHANGE_REVOCATION_THRESHOLD];
    for (lock, command) in locks.into_iter().zip([thresholds(3, 2), thresholds(2, 3)]) {
        let (state, _) = act(&unit("EV"), &permissions(Permissions::INITIAL.without(lock)), &[0, 1]).unwrap();
        assert_eq!(refused(&state, &command), Refusal::ThresholdLocked);
        assert!(act(&state, &thresholds(2, 2), &[0, 1]).is_ok());
    }
}

#[test]
fn permissions_are_set_when_imprint_mode_is_left_and_locked_after() {
    let set = Command::SetAttributes(Attributes {
        signature_threshold: Some(2),
        revocation_threshold: Some(2),
        permissions: Some(Permissions::from_bits(Permissions::IMPORT.bits())),
    });
    let (state, _) = act(&imprint(3), &set, &[0, 1]).unwrap();
    assert_eq!(refused(&state, &permissions(Permissions::RANDOM)), Refusal::PermissionLocked);
    assert_eq!(refused(&state, &permissions(Permissions::INITIAL)), Refusal::ControlBitSet);
}

#[test]
fn refusals_carry_the_codes_of_the_tke_tools() {
    let codes = |refusal: Refusal| (refusal.return_code(), refusal.reason_code());
    for (refusal, expected) in [
        (Refusal::AdministratorExists, (256, 38)),
        (Refusal::AdministratorsFull, (261, 39)),
        (Refusal::AdministratorUnknown, (32, 32)),
        (Refusal::ThresholdNeedsAdministrator, (209, 66)),
        (Refusal::RevocationThresholdUnset, (209, 56)),
        (Refusal::SignatureThresholdAbove, (209, 57)),
        (Refusal::RevocationThresholdAbove, (209, 58)),
        (Refusal::SignatureThresholdZero, (209, 76)),
        (Refusal::RevocationThresholdZero, (209, 77)),
        (Refusal::SignatureThresholdOne, (209, 78)),
        (Refusal::RevocationThresholdOne, (209, 79)),
        (Refusal::ThresholdLocked, (209, 71)),
        (Refusal::ImportForbidden, (80, 80)),
        (Refusal::SinglePartForbidden, (80, 81)),
        (Refusal::RandomForbidden, (80, 52)),
        (Refusal::ExportForbidden, (80, 131)),
        (Refusal::VerificationPattern, (101, 48)),
        (Refusal::NewRegisterEmpty, (102, 0)),
        (Refusal::Counter { expected: 1 }, (163, 0)),
        (Refusal::ImprintMode, (179, 0)),
        (Refusal::SignatureWrong, (192, 0)),
        (Refusal::SignatureMalformed, (193, 0)),
        (Refusal::TooFewSignatures { needed: 2, given: 1 }, (208, 0)),
        (Refusal::SignerUnknown, (257, 0)),
    ] {
        assert_eq!(codes(refusal), expected, "{refusal:?}");
    }
}

#[test]
fn a_refusal_says_what_to_do_and_its_codes() {
    let text = Refusal::TooFewSignatures { needed: 2, given: 1 }.to_string();
    assert!(text.contains("1 of 2 given") && text.contains("return code 208"), "{text}");
    assert!(Refusal::Counter { expected: 41 }.to_string().contains("counter 41"));
}
