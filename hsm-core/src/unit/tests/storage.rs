//! Unit, sealer and key files: what comes back, and what is said when it does not.

use std::fs;
use std::path::Path;

use super::kit::*;
use crate::error::Error;
use crate::secret::Secret;
use crate::unit::*;

/// A new unit in a directory of its own.
fn unit_in(home: &Path) -> (UnitPaths, Unit) {
    let paths = UnitPaths::in_home(home);
    let unit = Unit::create(&paths, Access::Owner, UnitKind::Operational).unwrap();
    (paths, unit)
}

/// Puts this state into the unit's file.
fn store(paths: &UnitPaths, state: &State) {
    let sealer = Sealer::find(paths, &UnitHeader::read(&paths.unit).unwrap(), None).unwrap();
    crate::unit::file::save(paths, &sealer, state, Access::Owner).unwrap();
}

fn opened(paths: &UnitPaths) -> Error {
    Unit::open(paths).expect_err("the unit opened")
}

#[test]
fn every_state_comes_back_from_its_file() {
    let home = tempfile::tempdir().unwrap();
    let (paths, _) = unit_in(home.path());
    for name in ["I", "E-", "U-", "C-", "EV", "UV", "CV"] {
        let state = unit(name);
        store(&paths, &state);
        let read = Unit::open(&paths).unwrap();
        let header = UnitHeader::read(&paths.unit).unwrap();
        let written = Unit::open_with(&paths, Sealer::find(&paths, &header, None).unwrap()).unwrap();
        assert_eq!(read.status(), written.status());
        assert_eq!(name_of(read.state()), name);
        assert_eq!(read.state().administrators(), state.administrators());
        assert_eq!(read.state().counter(), state.counter());
        let importer = |state: &State| state.secured().and_then(Secured::importer);
        assert_eq!(importer(read.state()), importer(&state));
    }
}

#[test]
fn the_largest_state_fits() {
    let home = tempfile::tempdir().unwrap();
    let (paths, _) = unit_in(home.path());
    let mut state = unit("CV");
    state.counter = u128::MAX - 1;
    state.epoch = u64::MAX;
    state.administrators = (0..ADMINISTRATORS_MAX)
        .map(|index| Administrator { name: "\u{1f511}".repeat(NAME_MAX), ..administrator(index) })
        .collect();
    store(&paths, &state);
    assert_eq!(Unit::open(&paths).unwrap().state().administrators(), state.administrators());
}

#[test]
fn the_header_is_read_without_the_sealer() {
    let home = tempfile::tempdir().unwrap();
    let (paths, unit) = unit_in(home.path());
    fs::remove_file(&paths.sealer).unwrap();
    let header = UnitHeader::read(&paths.unit).unwrap();
    assert_eq!((header.hsm_id, header.epoch), (unit.state().hsm_id(), 0));
    assert_eq!(header.sealer, SealerKind::OwnerFile);
}

#[test]
fn a_submitted_command_is_on_disk() {
    let home = tempfile::tempdir().unwrap();
    let (paths, mut unit) = unit_in(home.path());
    let command = signed(unit.state(), &Command::AddAdministrator(administrator(0)), &[]);
    let events = unit.submit(&command).unwrap();
    let name = administrator(0).name;
    assert_eq!(events, [Event::AdministratorAdded { name, ski: keys()[0].ski() }]);
    assert_eq!(Unit::open(&paths).unwrap().status(), unit.status());
}

#[test]
fn a_refused_command_leaves_the_file_as_it_is() {
    let home = tempfile::tempdir().unwrap();
    let (paths, mut unit) = unit_in(home.path());
    let before = fs::read(&paths.unit).unwrap();
    let command = signed(unit.state(), &Command::GenerateImporter, &[]);
    assert!(matches!(unit.submit(&command), Err(Error::Unit(Refusal::ImprintMode))));
    assert_eq!(fs::read(&paths.unit).unwrap(), before);
}

#[test]
fn of_two_processes_one_carries_a_command_out() {
    let home = tempfile::tempdir().unwrap();
    let (paths, first) = unit_in(home.path());
    let command = signed(first.state(), &Command::AddAdministrator(administrator(0)), &[]);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..4).map(|_| scope.spawn(|| Unit::open(&paths).unwrap().submit(&command).is_ok())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|carried_out| **carried_out).count(), 1);
    assert_eq!(Unit::open(&paths).unwrap().state().counter(), 1);
}

#[test]
fn a_unit_sees_what_another_process_did() {
    let home = tempfile::tempdir().unwrap();
    let (paths, mut first) = unit_in(home.path());
    let mut second = Unit::open(&paths).unwrap();
    let command = signed(first.state(), &Command::AddAdministrator(administrator(0)), &[]);
    second.submit(&command).unwrap();
    assert!(matches!(first.submit(&command), Err(Error::Unit(Refusal::Counter { expected: 2 }))));
    assert_eq!(first.status(), second.status());
}

#[test]
fn a_unit_is_not_made_twice() {
    let home = tempfile::tempdir().unwrap();
    let (paths, _) = unit_in(home.path());
    assert!(
        matches!(Unit::create(&paths, Access::Owner, UnitKind::Operational), Err(Error::HsmExists(path)) if path == paths.unit)
    );
}

#[test]
fn no_unit_file_is_no_hsm() {
    let home = tempfile::tempdir().unwrap();
    let paths = UnitPaths::in_home(home.path());
    assert!(matches!(opened(&paths), Error::NoHsm(path) if path == paths.unit));
}

#[test]
fn a_missing_sealer_is_named_with_its_place() {
    let home = tempfile::tempdir().unwrap();
    let (paths, _) = unit_in(home.path());
    fs::remove_file(&paths.sealer).unwrap();
    let text = opened(&paths).to_string();
    assert!(text.contains("sealed") && text.contains(paths.sealer.to_str().unwrap()), "{text}");
}

#[test]
fn another_hsms_sealer_does_not_fit() {
    let (home, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (paths, _) = unit_in(home.path());
    let (others, _) = unit_in(other.path());
    fs::copy(&others.sealer, &paths.sealer).unwrap();
    assert!(matches!(opened(&paths), Error::UnitSealed(_)));
}

#[test]
fn a_sealer_has_32_bytes() {
    let home = tempfile::tempdir().unwrap();
    let (paths, _) = unit_in(home.path());
    for length in [0, 31, 33, 4096] {
        fs::write(&paths.sealer, vec![1; length]).unwrap();
        assert!(matches!(opened(&paths), Error::FileDamaged { path, .. } if path == paths.sealer));
    }
}

#[test]
fn a_new_unit_uses_the_sealer_that_is_there() {
    let home = tempfile::tempdir().unwrap();
    let paths = UnitPaths::in_home(home.path());
    fs::write(&paths.sealer, [9; 32]).unwrap();
    Unit::create(&paths, Access::Owner, UnitKind::Operational).unwrap();
    assert_eq!(fs::read(&paths.sealer).unwrap(), [9; 32]);
    assert!(Unit::open(&paths).is_ok());
}

#[test]
fn a_changed_byte_anywhere_in_the_unit_file_is_noticed() {
    let home = tempfile::tempdir().unwrap();
    let (paths, _) = unit_in(home.path());
    store(&paths, &unit("CV"));
    let bytes = fs::read(&paths.unit).unwrap();
    for position in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[position] ^= 0x40;
        fs::write(&paths.unit, &changed).unwrap();
        let error = opened(&paths);
        let named = matches!(error, Error::FileDamaged { .. } | Error::UnitSealed(_));
        assert!(named, "byte {position}: {error}");
    }
}

#[test]
fn a_unit_file_cut_short_or_made_longer_is_noticed() {
    let home = tempfile::tempdir().unwrap();
    let (paths, _) = unit_in(home.path());
    let bytes = fs::read(&paths.unit).unwrap();
    for length in 0..bytes.len() {
        fs::write(&paths.unit, &bytes[..length]).unwrap();
        assert!(matches!(opened(&paths), Error::FileDamaged { .. }), "{length} bytes");
    }
    for more in [1, 100_000] {
        fs::write(&paths.unit, [bytes.clone(), vec![0; more]].concat()).unwrap();
        assert!(matches!(opened(&paths), Error::FileDamaged { .. }));
    }
}

#[test]
fn a_newer_versions_file_asks_for_that_version() {
    let home = tempfile::tempdir().unwrap();
    let (paths, _) = unit_in(home.path());
    let mut bytes = fs::read(&paths.unit).unwrap();
    bytes[9] = 2;
    fs::write(&paths.unit, bytes).unwrap();
    let text = opened(&paths).to_string();
    assert!(text.contains("newer version"), "{text}");
}

#[test]
fn no_secret_is_in_the_file_or_in_debug_output() {
    let home = tempfile::tempdir().unwrap();
    let (paths, _) = unit_in(home.path());
    store(&paths, &unit("CV"));
    let bytes = fs::read(&paths.unit).unwrap();
    let unit = Unit::open(&paths).unwrap();
    let shown = format!("{unit:?} {:?}", unit.active().unwrap());
    for key in [NEW, CURRENT] {
        assert!(!bytes.windows(16).any(|window| window == &key[..16]));
        assert!(!shown.contains(&hex::encode(&key[..8])) && !shown.contains(&format!("{:?}", &key[..8])));
    }
}

#[test]
fn the_files_are_the_owners() {
    use std::os::unix::fs::MetadataExt;
    let home = tempfile::tempdir().unwrap();
    let (paths, _) = unit_in(home.path());
    for path in [&paths.unit, &paths.sealer, &paths.lock] {
        assert_eq!(fs::metadata(path).unwrap().mode() & 0o777, 0o600, "{}", path.display());
    }
}

#[test]
fn a_groups_files_stay_the_groups() {
    use std::os::unix::fs::MetadataExt;
    let home = tempfile::tempdir().unwrap();
    let group = fs::metadata(home.path()).unwrap().gid();
    let paths = UnitPaths::in_home(home.path());
    let mut unit = Unit::create(&paths, Access::Group(group), UnitKind::Operational).unwrap();
    unit.submit(&signed(unit.state(), &Command::Zeroize, &[])).unwrap();
    for path in [&paths.unit, &paths.sealer, &paths.lock] {
        let metadata = fs::metadata(path).unwrap();
        assert_eq!((metadata.mode() & 0o777, metadata.gid()), (0o660, group), "{}", path.display());
    }
}

// ---- active and rotating units ----

#[test]
fn only_a_valid_current_master_key_makes_a_unit_active() {
    let home = tempfile::tempdir().unwrap();
    let (paths, _) = unit_in(home.path());
    for (name, active) in
        [("I", false), ("E-", false), ("U-", false), ("C-", false), ("EV", true), ("UV", true), ("CV", true)]
    {
        store(&paths, &unit(name));
        let outcome = Unit::open(&paths).unwrap().active();
        assert_eq!(outcome.is_ok(), active, "{name}");
        if let Err(error) = outcome {
            assert!(matches!(error, Error::UnitNotActive(_)), "{name}");
        }
    }
}

#[test]
fn a_rotation_has_the_key_in_use_and_the_committed_one() {
    let home = tempfile::tempdir().unwrap();
    let (paths, _) = unit_in(home.path());
    store(&paths, &unit("CV"));
    let mut unit = Unit::open(&paths).unwrap();
    let current = unit.active().unwrap();
    assert_eq!(current.verification_pattern(), pattern(&CURRENT));
    let next = current.next().unwrap();
    assert_eq!(unit.next().unwrap().epoch(), next.epoch());
    assert_eq!(next.verification_pattern(), pattern(&NEW));
    unit.submit(&signed(unit.state(), &Command::SetImmediate(pattern(&NEW)), &[0])).unwrap();
    let active = unit.active().unwrap();
    assert_eq!(active.epoch(), next.epoch());
    assert!(active.derive(b"p", b"c").equals(next.derive(b"p", b"c").expose()));
    assert_eq!(UnitHeader::read(&paths.unit).unwrap().epoch, next.epoch());
}

#[test]
fn a_key_waits_for_set_immediate_only_when_it_is_committed() {
    let home = tempfile::tempdir().unwrap();
    let (paths, _) = unit_in(home.path());
    let next = |name| {
        store(&paths, &unit(name));
        Unit::open(&paths).unwrap().next()
    };
    assert!(matches!(next("I").unwrap_err(), Error::Unit(Refusal::ImprintMode)));
    assert!(matches!(next("EV").unwrap_err(), Error::Unit(Refusal::NewRegisterEmpty)));
    assert!(matches!(next("UV").unwrap_err(), Error::Unit(Refusal::NewRegisterUncommitted)));
    assert_eq!(next("C-").unwrap().verification_pattern(), pattern(&NEW), "without a current key too");
    for name in ["EV", "UV"] {
        store(&paths, &unit(name));
        assert!(Unit::open(&paths).unwrap().active().unwrap().next().is_none(), "{name}");
    }
}

// ---- zeroize ----

/// Zeroizes a unit with a master key, and answers its file as it was before.
fn zeroized(paths: &UnitPaths) -> Vec<u8> {
    store(paths, &unit("EV"));
    let before = fs::read(&paths.unit).unwrap();
    let mut unit = Unit::open(paths).unwrap();
    unit.submit(&signed(unit.state(), &Command::Zeroize, &[0])).unwrap();
    before
}

#[test]
fn a_copy_of_the_unit_file_does_not_open_after_zeroize() {
    let home = tempfile::tempdir().unwrap();
    let (paths, _) = unit_in(home.path());
    let before = zeroized(&paths);
    assert_eq!(name_of(Unit::open(&paths).unwrap().state()), "I");
    fs::write(&paths.unit, before).unwrap();
    assert!(matches!(opened(&paths), Error::UnitSealed(_)));
}

#[test]
fn a_zeroize_that_was_interrupted_is_ended_when_the_unit_is_opened() {
    let home = tempfile::tempdir().unwrap();
    let (paths, _) = unit_in(home.path());
    store(&paths, &unit("EV"));
    let sealer = fs::read(&paths.sealer).unwrap();
    zeroized(&paths);
    // The new sealer was written and used, and did not take its place.
    let next = home.path().join("softhsm-rs.sealer.next");
    fs::rename(&paths.sealer, &next).unwrap();
    for old in [sealer, vec![0; 32]] {
        fs::write(&paths.sealer, old).unwrap();
        assert_eq!(name_of(Unit::open(&paths).unwrap().state()), "I");
        assert!(!next.exists());
        assert_eq!(name_of(Unit::open(&paths).unwrap().state()), "I");
        fs::rename(&paths.sealer, &next).unwrap();
    }
    // It was written, and not used yet.
    fs::copy(&next, &paths.sealer).unwrap();
    fs::write(&next, [7; 32]).unwrap();
    assert_eq!(name_of(Unit::open(&paths).unwrap().state()), "I");
}

#[test]
fn another_process_goes_on_after_zeroize() {
    let home = tempfile::tempdir().unwrap();
    let (paths, mut other) = unit_in(home.path());
    zeroized(&paths);
    let add = Command::AddAdministrator(administrator(0));
    let state = Unit::open(&paths).unwrap();
    other.submit(&signed(state.state(), &add, &[])).unwrap();
    assert_eq!(other.state().administrators().len(), 1);
}

// ---- statements ----

#[test]
fn a_unit_of_before_gets_one_attestation_key_and_keeps_it() {
    let home = tempfile::tempdir().unwrap();
    let (paths, _) = unit_in(home.path());
    store(&paths, &unit("EV"));
    let fingerprint = || Unit::open(&paths).unwrap().statement(None).unwrap().fingerprint();
    let first = fingerprint().unwrap();
    assert_eq!(fingerprint(), Some(first));
    let mut unit = Unit::open(&paths).unwrap();
    unit.submit(&signed(unit.state(), &Command::Zeroize, &[0])).unwrap();
    assert_eq!(fingerprint(), Some(first));
}

#[test]
fn a_statement_is_what_the_unit_said_or_nothing() {
    let home = tempfile::tempdir().unwrap();
    let (_, mut unit) = unit_in(home.path());
    let command = signed(unit.state(), &Command::AddAdministrator(administrator(0)), &[]);
    let events = unit.submit(&command).unwrap();
    let signed_statement = unit.statement(Some((&command, &events))).unwrap();
    let bytes = signed_statement.to_bytes().unwrap();
    let (statement, key) = SignedStatement::open(&bytes).unwrap();
    assert_eq!(statement.target(), Some(unit.target()));
    assert!(statement.answers(&command).unwrap());
    assert_eq!(statement.events.len(), 1);
    assert_eq!(Some(key), signed_statement.fingerprint());
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        // Blanks between the fields are not signed.
        if let Ok((said, by)) = SignedStatement::open(&changed) {
            assert_eq!((said, by), (statement.clone(), key), "at {at}");
        }
    }
}

#[test]
fn a_command_ends_to_count_at_its_moment() {
    let state = unit("EV");
    let mut command = SignedCommand::until(&state.target(), &Command::ClearNew, Some(1000)).unwrap();
    command.sign(&keys()[0]).unwrap();
    assert_eq!(command.expires().unwrap(), Some(1000));
    assert!(Authorized::verify(&state, &command, 1000).is_ok());
    assert_eq!(Authorized::verify(&state, &command, 1001).unwrap_err(), Refusal::Expired);
}

// ---- key files ----

#[test]
fn a_signature_key_comes_back_from_its_file() {
    let home = tempfile::tempdir().unwrap();
    for (name, passphrase) in [("one", &b""[..]), ("two", b"a passphrase \xc3\xa9")] {
        let path = home.path().join(name);
        let passphrase = Secret::copy_of(passphrase);
        keys()[0].save(&path, "administrator", &passphrase).unwrap();
        assert_eq!(SignatureKey::load(&path, &passphrase).unwrap().ski(), keys()[0].ski());
        assert_eq!(signature_key_ski(&path).unwrap(), keys()[0].ski());
    }
}

/// The format, taken apart by other means than those that made it.
#[test]
fn a_signature_key_file_has_the_tke_tools_format() {
    use aes_gcm::aead::Aead;
    use aes_gcm::{Aes256Gcm, KeyInit};
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("1.sigkey");
    keys()[0].save(&path, "administrator", &Secret::copy_of(b"secret")).unwrap();
    let file: std::collections::HashMap<String, String> =
        serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(file["keyType"], "p521ec");
    assert_eq!(file["ski"], keys()[0].ski().to_string());
    let salt = hex::decode(&file["seaSalt"]).unwrap();
    let sealed = hex::decode(&file["enckey"]).unwrap();
    let key = pbkdf2::pbkdf2_hmac_array::<sha2::Sha256, 32>(b"secret", &salt, 4096);
    let nonce: [u8; 12] = sealed[..12].try_into().unwrap();
    let pem = Aes256Gcm::new(&key.into()).decrypt(&nonce.into(), &sealed[12..]).unwrap();
    let (label, der) = der::pem::decode_vec(&pem).unwrap();
    assert_eq!(label, "PRIVATE KEY");
    let private: sec1::EcPrivateKey<'_> = der.as_slice().try_into().unwrap();
    assert_eq!(private.public_key, Some(keys()[0].public_key().to_sec1().as_slice()));
    assert_eq!(private.parameters.and_then(|p| p.named_curve()), Some("1.3.132.0.35".parse().unwrap()));
}

#[test]
fn a_wrong_passphrase_or_changed_file_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let (key, part) = (home.path().join("key"), home.path().join("part"));
    let right = Secret::copy_of(b"right");
    keys()[0].save(&key, "administrator", &right).unwrap();
    KeyPart::generate("part").unwrap().save(&part, &right).unwrap();
    for wrong in [Secret::copy_of(b"wrong"), Secret::copy_of(b"")] {
        assert!(matches!(SignatureKey::load(&key, &wrong), Err(Error::FileDamaged { .. })));
        assert!(matches!(KeyPart::load(&part, &wrong), Err(Error::FileDamaged { .. })));
    }
    for path in [&key, &part] {
        let text = fs::read_to_string(path).unwrap();
        let field = text.find("enckey").unwrap() + 40;
        let mut changed = text.into_bytes();
        changed[field] = if changed[field] == b'0' { b'1' } else { b'0' };
        fs::write(path, changed).unwrap();
    }
    assert!(matches!(SignatureKey::load(&key, &right), Err(Error::FileDamaged { .. })));
    assert!(matches!(KeyPart::load(&part, &right), Err(Error::FileDamaged { .. })));
}

#[test]
fn a_key_file_names_the_key_it_holds() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("key");
    let passphrase = Secret::zeroed(0);
    keys()[0].save(&path, "administrator", &passphrase).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let swapped = text.replace(&keys()[0].ski().to_string(), &keys()[1].ski().to_string());
    fs::write(&path, swapped).unwrap();
    assert!(matches!(SignatureKey::load(&path, &passphrase), Err(Error::FileDamaged { .. })));
}

#[test]
fn a_key_file_is_never_overwritten() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("key");
    let passphrase = Secret::zeroed(0);
    keys()[0].save(&path, "administrator", &passphrase).unwrap();
    assert!(keys()[1].save(&path, "administrator", &passphrase).is_err());
    assert_eq!(signature_key_ski(&path).unwrap(), keys()[0].ski());
}

#[test]
fn a_key_part_comes_back_from_its_file() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("part");
    let passphrase = Secret::copy_of(b"secret");
    let part = KeyPart::generate("first").unwrap();
    part.save(&path, &passphrase).unwrap();
    let read = KeyPart::load(&path, &passphrase).unwrap();
    assert_eq!((read.name(), read.verification_pattern()), ("first", part.verification_pattern()));
    assert_eq!(key_part_pattern(&path).unwrap(), part.verification_pattern());
}

#[test]
fn a_statement_of_something_that_is_no_hsm_is_none() {
    let home = tempfile::tempdir().unwrap();
    let (_, unit) = unit_in(home.path());
    let key = SignatureKey::generate().unwrap();
    let opens = |hsm_id: &str| {
        let mut statement = Statement::of(&unit.status(), None, None, &[], 1).unwrap();
        statement.hsm_id = hsm_id.to_owned();
        SignedStatement::open(&statement.signed(&key).unwrap().to_bytes().unwrap()).is_ok()
    };
    assert!(opens(&unit.state().hsm_id().to_string()));
    assert!(!opens("\u{1b}[2J") && !opens("") && !opens(&"00".repeat(17)));
}
