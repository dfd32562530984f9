//! Random command sequences: what holds whatever is tried, in whatever order, signed by whomever.

use std::collections::HashSet;

use proptest::prelude::*;

use super::kit::*;
use crate::unit::*;

/// A command to try: which, with what parameter, signed by whom (a set of keys 0 to 9, of which 8 and
/// 9 are never installed).
#[derive(Clone, Debug)]
struct Attempt {
    kind: usize,
    parameter: u8,
    signers: Vec<usize>,
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let signers = prop_oneof![
        4 => Just((0..4).collect::<Vec<_>>()),
        2 => proptest::collection::vec(0..8_usize, 0..4),
        1 => proptest::collection::vec(0..10_usize, 0..4),
    ];
    (0..CommandKind::ALL.len() + 2, any::<u8>(), signers).prop_map(|(kind, parameter, signers)| Attempt {
        kind,
        parameter,
        signers,
    })
}

/// The attempt as a command that has a chance in this state.
fn command(state: &State, attempt: &Attempt) -> Command {
    let parameter = attempt.parameter;
    let small = parameter % 5;
    let held = state.secured().and_then(|secured| secured.new.verification_pattern());
    let shown = held.filter(|_| parameter > 20).unwrap_or_else(|| pattern(&CURRENT));
    // Two indices beyond the table make what leads out of imprint mode more frequent.
    match CommandKind::ALL.get(attempt.kind) {
        None if attempt.kind.is_multiple_of(2) => thresholds(1 + small % 3, 1 + small % 2),
        None | Some(CommandKind::AddAdministrator) => {
            Command::AddAdministrator(administrator(usize::from(parameter % 8)))
        }
        Some(CommandKind::RemoveAdministrator) => {
            Command::RemoveAdministrator(keys()[usize::from(parameter % 8)].ski())
        }
        Some(CommandKind::SetAttributes) => Command::SetAttributes(Attributes {
            signature_threshold: Some(small),
            revocation_threshold: parameter.is_multiple_of(3).then_some(small),
            permissions: parameter.is_multiple_of(2).then(|| {
                let all = Permissions::EXPORT.with(Permissions::SINGLE_PART).with(Permissions::RANDOM);
                Permissions::INITIAL.with(all)
            }),
        }),
        Some(CommandKind::GenerateImporter) => Command::GenerateImporter,
        Some(CommandKind::LoadNewMasterKey) => load(state, &[[parameter; 32], [1; 32]]),
        Some(CommandKind::GenerateMasterKey) => Command::GenerateMasterKey,
        Some(CommandKind::Commit) => Command::Commit(shown),
        Some(CommandKind::SetImmediate) => Command::SetImmediate(shown),
        Some(CommandKind::ClearNew) => Command::ClearNew,
        Some(CommandKind::ClearCurrent) => Command::ClearCurrent,
        Some(CommandKind::ExportCurrent) => Command::ExportCurrent(keys()[9].public_key()),
        Some(CommandKind::ExportNew) => Command::ExportNew(keys()[9].public_key()),
        // Rare, or no sequence gets far.
        Some(CommandKind::Zeroize) if parameter < 40 => Command::Zeroize,
        Some(CommandKind::Zeroize) => Command::GenerateImporter,
    }
}

fn current(state: &State) -> Option<VerificationPattern> {
    state.secured().and_then(|secured| secured.current.verification_pattern())
}

fn new(state: &State) -> Option<VerificationPattern> {
    state.secured().and_then(|secured| secured.new.verification_pattern())
}

/// What holds in every state.
fn check_state(state: &State) {
    assert!(state.administrators().len() <= ADMINISTRATORS_MAX);
    let skis: HashSet<_> = state.administrators().iter().map(Administrator::ski).collect();
    assert_eq!(skis.len(), state.administrators().len());
    if let Some(secured) = state.secured() {
        let Thresholds { signature, revocation } = secured.thresholds();
        for threshold in [signature, revocation] {
            assert!(threshold >= 1);
            assert!(usize::from(threshold) <= state.administrators().len());
        }
    }
}

/// What holds between a state and the next one.
fn check_step(before: &State, command: &Command, signers: &HashSet<usize>, after: &State) {
    let kind = command.kind();
    assert_eq!(after.counter(), before.counter() + 1);
    assert!(after.epoch() >= before.epoch());
    if current(before) != current(after) {
        let moves = [
            CommandKind::SetImmediate,
            CommandKind::ClearCurrent,
            CommandKind::Zeroize,
            CommandKind::GenerateMasterKey,
        ];
        assert!(moves.contains(&kind), "{kind:?} moved the current register");
    }
    if new(before) != new(after) {
        let moves = [
            CommandKind::LoadNewMasterKey,
            CommandKind::GenerateMasterKey,
            CommandKind::SetImmediate,
            CommandKind::ClearNew,
            CommandKind::Zeroize,
        ];
        assert!(moves.contains(&kind), "{kind:?} moved the new register");
    }
    // A key becomes current with an epoch of its own.
    let activated = current(after).is_some() && current(after) != current(before);
    assert_eq!(after.epoch() > before.epoch(), activated);
    check_quorum(before, command, signers);
}

/// Nothing is done below the quorum, by the standard's own words rather than the table that decides. The signers
/// of key parts are those of the parts.
fn check_quorum(before: &State, command: &Command, signers: &HashSet<usize>) {
    let Some(secured) = before.secured() else { return };
    let Thresholds { signature, revocation } = secured.thresholds();
    let needed = match command.kind() {
        CommandKind::LoadNewMasterKey => return,
        CommandKind::RemoveAdministrator => revocation,
        CommandKind::AddAdministrator
        | CommandKind::SetAttributes
        | CommandKind::Commit
        | CommandKind::ExportCurrent
        | CommandKind::ExportNew => signature,
        CommandKind::Zeroize if !secured.permissions().allow(Permissions::ZEROIZE_SINGLE_SIGNATURE) => {
            signature
        }
        _ => 1,
    };
    let installed = signers.iter().filter(|key| before.administrator(&keys()[**key].ski()).is_some());
    assert!(installed.count() >= usize::from(needed), "{:?} went through below the quorum", command.kind());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn sequences_keep_the_invariants(attempts in proptest::collection::vec(attempt(), 1..40)) {
        let mut state = imprint(0);
        let mut carried_out: Vec<SignedCommand> = Vec::new();
        for attempt in &attempts {
            let command = command(&state, attempt);
            let signed = signed(&state, &command, &attempt.signers);
            let signers: HashSet<_> = attempt.signers.iter().copied().collect();
            if let Ok((after, _)) = submit(&state, &signed) {
                check_state(&after);
                check_step(&state, &command, &signers, &after);
                carried_out.push(signed);
                state = after;
            }
            if let Some(old) = carried_out.last() {
                let refusal = Authorized::verify(&state, old, 0).unwrap_err();
                prop_assert!(matches!(refusal, Refusal::Counter { .. }), "{refusal:?}");
            }
        }
        for old in &carried_out {
            prop_assert!(Authorized::verify(&state, old, 0).is_err());
        }
    }

    #[test]
    fn sequences_on_the_disk_serve_no_key_too_early_and_none_after_zeroize(
        attempts in proptest::collection::vec(attempt(), 1..30)
    ) {
        let home = tempfile::tempdir().unwrap();
        let paths = UnitPaths::in_home(home.path());
        let mut unit = Unit::create(&paths, Access::Owner, UnitKind::Operational).unwrap();
        let mut copies: Vec<Vec<u8>> = Vec::new();
        for attempt in &attempts {
            let command = command(unit.state(), attempt);
            let counter = unit.state().counter();
            copies.push(std::fs::read(&paths.unit).unwrap());
            let events = unit.submit(&signed(unit.state(), &command, &attempt.signers));
            // What another process sees is what this one was told.
            let seen = Unit::open(&paths).unwrap();
            assert_eq!(seen.state().counter(), counter + u128::from(events.is_ok()));
            assert_eq!(seen.active().is_ok(), current(seen.state()).is_some());
            assert_eq!(seen.active().is_ok(), unit.active().is_ok());
            if events.is_ok_and(|events| events.contains(&Event::Zeroized)) {
                let other = tempfile::tempdir().unwrap();
                let old = UnitPaths::in_home(other.path());
                std::fs::copy(&paths.sealer, &old.sealer).unwrap();
                for copy in copies.drain(..) {
                    std::fs::write(&old.unit, copy).unwrap();
                    let opened = Unit::open(&old);
                    assert!(matches!(opened, Err(crate::Error::UnitSealed(_))), "{opened:?}");
                }
            }
        }
    }

    #[test]
    fn no_bytes_make_the_decoders_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let state = unit("EV");
        if let Ok(command) = SignedCommand::from_der(&bytes) {
            let _ = Authorized::verify(&state, &command, 0);
        }
        prop_assert!(Envelope::from_der(&bytes).is_none());
        prop_assert!(SignedPart::from_der(&bytes).is_err());
    }
}
