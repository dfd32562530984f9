//! What is refused before a command's meaning counts: wrong target, wrong counter, forged, foreign
//! and repeated signatures, changed bytes, parts that do not belong together.

use super::kit::*;
use crate::unit::*;

fn verified(state: &State, signed: &SignedCommand) -> Result<(), Refusal> {
    Authorized::verify(state, signed, 0).map(|_| ())
}

/// A command that needs two signatures, made for another target.
fn made_for(target: Target) -> SignedCommand {
    let mut signed = SignedCommand::new(&target, &Command::AddAdministrator(administrator(3))).unwrap();
    signed.sign(&keys()[0]).unwrap();
    signed.sign(&keys()[1]).unwrap();
    signed
}

#[test]
fn another_hsm_or_unit_is_refused() {
    let state = unit("EV");
    let target = state.target();
    for other in
        [Target { hsm_id: HsmId::new([8; 16]), ..target }, Target { unit_id: target.unit_id + 1, ..target }]
    {
        assert_eq!(verified(&state, &made_for(other)), Err(Refusal::OtherUnit));
    }
    assert_eq!(verified(&state, &made_for(target)), Ok(()));
}

#[test]
fn the_counter_is_the_last_plus_one() {
    for name in ["I", "EV"] {
        let state = unit(name);
        let target = state.target();
        for counter in [0, target.counter - 1, target.counter + 1, u128::MAX] {
            let refusal = Refusal::Counter { expected: target.counter };
            assert_eq!(verified(&state, &made_for(Target { counter, ..target })), Err(refusal), "in {name}");
        }
    }
}

#[test]
fn a_command_is_carried_out_once() {
    let state = unit("EV");
    let command = made_for(state.target());
    let (state, _) = submit(&state, &command).unwrap();
    let expected = state.target().counter;
    assert_eq!(submit(&state, &command).unwrap_err(), Refusal::Counter { expected });
}

#[test]
fn a_command_from_before_zeroizing_is_refused() {
    let state = unit("EV");
    let command = made_for(state.target());
    let (mut state, _) = submit(&state, &signed(&state, &Command::Zeroize, &[0])).unwrap();
    state.administrators = unit("EV").administrators;
    let expected = state.target().counter;
    assert_eq!(verified(&state, &command), Err(Refusal::Counter { expected }));
}

#[test]
fn a_stranger_does_not_sign() {
    for name in ["I", "EV"] {
        let state = unit(name);
        let command = Command::AddAdministrator(administrator(3));
        assert_eq!(act(&state, &command, &[0, 1, 9]).unwrap_err(), Refusal::SignerUnknown, "in {name}");
    }
}

#[test]
fn one_administrator_counts_once() {
    let refusal = act(&unit("EV"), &Command::AddAdministrator(administrator(3)), &[0, 0, 0]).unwrap_err();
    assert_eq!(refusal, Refusal::TooFewSignatures { needed: 2, given: 1 });
}

#[test]
fn a_signature_over_another_command_is_refused() {
    let state = unit("EV");
    let other = signed(&state, &Command::Zeroize, &[]);
    let mut command = signed(&state, &Command::ClearCurrent, &[]);
    let signature = keys()[0].sign(other.bytes_to_sign()).unwrap();
    command.add_signature(&keys()[0].ski(), signature).unwrap();
    assert_eq!(verified(&state, &command), Err(Refusal::SignatureWrong));
}

#[test]
fn a_signature_in_anothers_name_is_refused() {
    let state = unit("EV");
    let mut command = signed(&state, &Command::ClearCurrent, &[]);
    let signature = keys()[9].sign(command.bytes_to_sign()).unwrap();
    command.add_signature(&keys()[0].ski(), signature).unwrap();
    assert_eq!(verified(&state, &command), Err(Refusal::SignatureWrong));
}

#[test]
fn a_malformed_signature_is_refused() {
    let state = unit("EV");
    let mut command = signed(&state, &Command::ClearCurrent, &[0]);
    command.add_signature(&keys()[1].ski(), b"no signature".to_vec()).unwrap();
    assert_eq!(verified(&state, &command), Err(Refusal::SignatureMalformed));
}

#[test]
fn a_signature_made_elsewhere_counts() {
    let state = unit("EV");
    let mut command = signed(&state, &Command::ClearCurrent, &[]);
    let signature = keys()[1].sign(command.bytes_to_sign()).unwrap();
    command.add_signature(&keys()[1].ski(), signature).unwrap();
    assert_eq!(verified(&state, &command), Ok(()));
}

/// Every byte of a signed command: none may be changed and the command still be accepted.
#[test]
fn a_changed_byte_is_refused() {
    let state = unit("EV");
    let bytes = signed(&state, &thresholds(3, 3), &[0, 1]).to_der().unwrap();
    for position in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[position] ^= 0x01;
        if let Ok(command) = SignedCommand::from_der(&changed) {
            assert!(verified(&state, &command).is_err(), "byte {position}");
        }
    }
}

#[test]
fn a_command_travels_as_bytes() {
    let state = unit("EV");
    for command in [
        Command::AddAdministrator(administrator(3)),
        Command::RemoveAdministrator(keys()[1].ski()),
        thresholds(3, 2),
        load(&state, &[[1; 32], [2; 32], [3; 32]]),
        Command::Commit(pattern(&NEW)),
        Command::ExportNew(keys()[9].public_key()),
        Command::Zeroize,
    ] {
        let sent = signed(&state, &command, &[0, 2]);
        let received = SignedCommand::from_der(&sent.to_der().unwrap()).unwrap();
        assert_eq!(received, sent);
        assert_eq!(received.command().unwrap(), command);
        assert_eq!(received.target().unwrap(), state.target());
        assert_eq!(received.signers(), [keys()[0].ski(), keys()[2].ski()]);
    }
}

#[test]
fn what_follows_a_command_is_refused() {
    let mut bytes = signed(&unit("EV"), &Command::Zeroize, &[0]).to_der().unwrap();
    bytes.push(0);
    assert!(SignedCommand::from_der(&bytes).is_err());
}

#[test]
fn names_of_administrators_have_1_to_30_printable_characters() {
    let state = imprint(0);
    let add = |name: &str| {
        let public_key = keys()[0].public_key();
        let command = Command::AddAdministrator(Administrator { name: name.to_owned(), public_key });
        act(&state, &command, &[]).map(|_| ())
    };
    assert_eq!(add(&"é".repeat(30)), Ok(()));
    assert_eq!(add("a"), Ok(()));
    for wrong in ["", "a\nb", &"a".repeat(31)] {
        assert_eq!(add(wrong), Err(Refusal::AdministratorName), "{wrong:?}");
    }
}

// ---- key parts ----

/// The parts of a load, to be tampered with.
fn parts(state: &State) -> Vec<SignedPart> {
    match load(state, &[[1; 32], [2; 32], [4; 32]]) {
        Command::LoadNewMasterKey(parts) => parts,
        other => panic!("{other:?}"),
    }
}

fn loaded(state: &State, parts: Vec<SignedPart>) -> Result<(), Refusal> {
    act(state, &Command::LoadNewMasterKey(parts), &[]).map(|_| ())
}

#[test]
fn parts_are_all_there_and_each_once() {
    let state = unit("E-");
    assert_eq!(loaded(&state, parts(&state)), Ok(()));
    let mut fewer = parts(&state);
    fewer.pop();
    let mut twice = parts(&state);
    twice[2] = twice[1].clone();
    let mut swapped = parts(&state);
    swapped.swap(0, 1);
    for wrong in [vec![], fewer, twice, swapped] {
        assert_eq!(loaded(&state, wrong), Err(Refusal::KeyParts));
    }
}

#[test]
fn four_parts_are_too_many() {
    let state = unit("E-");
    let four = load(&state, &[[1; 32], [2; 32], [4; 32], [8; 32]]);
    assert_eq!(act(&state, &four, &[]).unwrap_err(), Refusal::KeyParts);
}

#[test]
fn every_part_is_signed() {
    let state = unit("E-");
    let importer = state.secured().unwrap().importer().unwrap();
    let envelope = KeyPart::generate("part").unwrap().seal_to(&importer).unwrap();
    let mut tampered = parts(&state);
    tampered[1] = SignedPart::new(&state.target(), 2, 3, envelope).unwrap();
    // Signatures on the command itself do not stand in for one on the part.
    let refusal = act(&state, &Command::LoadNewMasterKey(tampered), &[0, 1, 2]).unwrap_err();
    assert_eq!(refusal, Refusal::TooFewSignatures { needed: 1, given: 0 });
}

#[test]
fn a_part_made_for_an_earlier_load_is_refused() {
    let state = unit("E-");
    let old = parts(&state);
    let (state, _) = act(&state, &Command::GenerateImporter, &[0]).unwrap();
    let expected = state.target().counter;
    assert_eq!(loaded(&state, old), Err(Refusal::Counter { expected }));
}

#[test]
fn a_part_sealed_to_another_importer_key_is_refused() {
    let state = unit("E-");
    let stranger = unit("E-").secured().unwrap().importer().unwrap();
    let envelope = KeyPart::generate("part").unwrap().seal_to(&stranger).unwrap();
    let mut tampered = parts(&state);
    tampered[0] = SignedPart::new(&state.target(), 1, 3, envelope).unwrap();
    tampered[0].sign(&keys()[1]).unwrap();
    assert_eq!(loaded(&state, tampered), Err(Refusal::ImporterKeyMissing));
}

#[test]
fn a_part_travels_as_bytes() {
    let state = unit("E-");
    for part in parts(&state) {
        assert_eq!(SignedPart::from_der(&part.to_der().unwrap()).unwrap(), part);
    }
}

#[test]
fn a_part_is_no_command_and_a_command_no_part() {
    let state = unit("E-");
    let part = parts(&state).remove(0);
    let as_command = SignedCommand::from_der(&part.to_der().unwrap()).unwrap();
    assert_eq!(verified(&state, &as_command), Err(Refusal::CommandMalformed));
    let command = signed(&state, &Command::Zeroize, &[0]);
    assert!(SignedPart::from_der(&command.to_der().unwrap()).is_err());
}
