//! A unit in any state, with the keys of all who may speak for it.

use std::sync::OnceLock;

use crate::secret::Secret;
use crate::unit::*;

/// The master key of a full new register, and of a valid current one.
pub(super) const NEW: [u8; 32] = [0x22; 32];
pub(super) const CURRENT: [u8; 32] = [0x11; 32];

/// Ten signature keys, made once: the first are administrators, the last strangers.
pub(super) fn keys() -> &'static [SignatureKey] {
    static KEYS: OnceLock<Vec<SignatureKey>> = OnceLock::new();
    KEYS.get_or_init(|| (0..10).map(|_| SignatureKey::generate().unwrap()).collect())
}

/// The administrator with `keys()[index]`.
pub(super) fn administrator(index: usize) -> Administrator {
    Administrator { name: format!("administrator {index}"), public_key: keys()[index].public_key() }
}

/// A unit in imprint mode with so many administrators.
pub(super) fn imprint(administrators: usize) -> State {
    let mut state = State::imprint(HsmId::new([7; 16]), 1);
    state.counter = 40;
    state.administrators = (0..administrators).map(administrator).collect();
    state
}

/// A secure unit with three administrators, thresholds of 2, and these registers: `E`, `U` or `C`
/// for the new one, `-` or `V` for the current one.
pub(super) fn secure(registers: &str) -> State {
    let mut state = imprint(3);
    let key = |bytes: [u8; 32]| MasterKey::new(Secret::copy_of(&bytes));
    state.ownership = Ownership::Secure(Box::new(Secured {
        thresholds: Thresholds { signature: 2, revocation: 2 },
        permissions: Permissions::INITIAL,
        new: match &registers[..1] {
            "E" => NewRegister::Empty,
            "U" => NewRegister::FullUncommitted(key(NEW)),
            "C" => NewRegister::FullCommitted(key(NEW)),
            other => panic!("no new register {other}"),
        },
        current: match &registers[1..] {
            "-" => CurrentRegister::Empty,
            "V" => CurrentRegister::Valid(key(CURRENT)),
            other => panic!("no current register {other}"),
        },
        importer: Some(ImporterKey::new(crate::unit::keys::fresh_secret_key().unwrap())),
    }));
    state
}

/// A unit by its name in the table: `I`, or its registers.
pub(super) fn unit(name: &str) -> State {
    if name == "I" { imprint(3) } else { secure(name) }
}

/// The reverse of [`unit`].
pub(super) fn name_of(state: &State) -> String {
    let Some(secured) = state.secured() else { return "I".to_owned() };
    let new = match secured.new {
        NewRegister::Empty => "E",
        NewRegister::FullUncommitted(_) => "U",
        NewRegister::FullCommitted(_) => "C",
    };
    let current = match secured.current {
        CurrentRegister::Empty => "-",
        CurrentRegister::Valid(_) => "V",
    };
    format!("{new}{current}")
}

/// What a secure unit has, to be changed.
pub(super) fn secured(state: &mut State) -> &mut Secured {
    match &mut state.ownership {
        Ownership::Imprint => panic!("the unit is in imprint mode"),
        Ownership::Secure(secured) => secured,
    }
}

/// Gives a secure unit more permissions; nothing in imprint mode.
pub(super) fn permit(state: &mut State, permissions: Permissions) {
    if let Ownership::Secure(secured) = &mut state.ownership {
        secured.permissions = secured.permissions.with(permissions);
    }
}

/// The command, signed by the keys with these indices.
pub(super) fn signed(state: &State, command: &Command, signers: &[usize]) -> SignedCommand {
    let mut signed = SignedCommand::new(&state.target(), command).unwrap();
    signers.iter().for_each(|&index| signed.sign(&keys()[index]).unwrap());
    signed
}

/// Verifies and applies.
pub(super) fn submit(state: &State, signed: &SignedCommand) -> Result<(State, Vec<Event>), Refusal> {
    apply(Authorized::verify(state, signed, 0)?, Fresh::draw().unwrap())
}

/// Signs by the keys with these indices, verifies and applies.
pub(super) fn act(
    state: &State,
    command: &Command,
    signers: &[usize],
) -> Result<(State, Vec<Event>), Refusal> {
    submit(state, &signed(state, command, signers))
}

/// A load of the key that these parts make, each signed by key 0.
pub(super) fn load(state: &State, parts: &[[u8; 32]]) -> Command {
    let importer = state.secured().and_then(Secured::importer);
    // In imprint mode, or without an importer key, somebody's other key has to do.
    let importer = importer.unwrap_or_else(|| keys()[9].public_key());
    let count = u8::try_from(parts.len()).unwrap();
    let parts = parts.iter().zip(1..).map(|(part, number)| {
        let part = KeyPart::new("part", Secret::copy_of(part)).unwrap();
        let envelope = part.seal_to(&importer).unwrap();
        let mut part = SignedPart::new(&state.target(), number, count, envelope).unwrap();
        part.sign(&keys()[0]).unwrap();
        part
    });
    Command::LoadNewMasterKey(parts.collect())
}

/// The verification pattern of a key.
pub(super) fn pattern(key: &[u8; 32]) -> VerificationPattern {
    VerificationPattern::of(key)
}

/// Only thresholds.
pub(super) fn thresholds(signature: u8, revocation: u8) -> Command {
    Command::SetAttributes(Attributes {
        signature_threshold: Some(signature),
        revocation_threshold: Some(revocation),
        permissions: None,
    })
}
