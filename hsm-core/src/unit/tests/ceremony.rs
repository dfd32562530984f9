//! The quick ceremony: what it does, and that it does so through every interruption.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::kit::{keys, signed, thresholds};
use crate::error::Error;
use crate::secret::Secret;
use crate::unit::ceremony::{
    Options, Step, key_part_path, one_machine_holds_quorum, run, signature_key_path,
};
use crate::unit::*;

/// Runs it, and keeps the steps.
fn ceremony(paths: &UnitPaths) -> (UnitStatus, Vec<Step>) {
    let mut steps = Vec::new();
    let status = run(paths, &Options::default(), &mut |step| steps.push(step)).unwrap();
    (status, steps)
}

/// Runs it, and stops it for good after so many steps. True if it ended before.
fn interrupted(paths: &UnitPaths, after: usize) -> bool {
    interrupted_with(paths, &Options::default(), after)
}

/// [`interrupted`] with other options.
fn interrupted_with(paths: &UnitPaths, options: &Options, after: usize) -> bool {
    let mut steps = 0;
    let mut stop = |_| {
        steps += 1;
        if steps == after {
            // Unwinds without the panic hook's noise, and lets the lock go as a dead process would.
            std::panic::resume_unwind(Box::new("stopped"));
        }
    };
    catch_unwind(AssertUnwindSafe(|| run(paths, options, &mut stop).unwrap())).is_ok()
}

fn names(steps: &[Step]) -> Vec<&'static str> {
    steps.iter().map(|step| step.name).collect()
}

#[test]
fn it_makes_an_active_unit_by_the_whole_ceremony() {
    let home = tempfile::tempdir().unwrap();
    let paths = UnitPaths::in_home(home.path());
    let (status, steps) = ceremony(&paths);
    assert_eq!(status.ownership, "secure");
    assert_eq!(status.thresholds, Some(Thresholds { signature: 2, revocation: 2 }));
    assert_eq!(status.administrators.len(), 2);
    assert_eq!((status.new_register.status, status.current_register.status), ("Empty", "Valid"));
    assert_eq!((status.epoch, status.transaction_counter), (1, 7));
    let expected = [
        "make unit",
        "make signature key",
        "make signature key",
        "add administrator",
        "add administrator",
        "set thresholds",
        "generate importer key",
        "make key part",
        "make key part",
        "make key part",
        "load new master key",
        "commit new master key",
        "set new master key immediate",
    ];
    assert_eq!(names(&steps), expected);
    let unit = Unit::open(&paths).unwrap();
    assert!(unit.active().is_ok());
    assert_eq!(unit.status(), status);
}

#[test]
fn its_steps_tell_signatures_given_and_needed() {
    let home = tempfile::tempdir().unwrap();
    let (_, steps) = ceremony(&UnitPaths::in_home(home.path()));
    let counts: Vec<_> = steps.iter().filter_map(|step| step.signatures).collect();
    assert!(counts.iter().all(|count| count.given == count.needed));
    let needed: Vec<_> = counts.iter().map(|count| count.needed).collect();
    assert_eq!(needed, [0, 0, 2, 1, 3, 2, 1]);
}

#[test]
fn its_key_files_make_the_key_in_use() {
    let home = tempfile::tempdir().unwrap();
    let paths = UnitPaths::in_home(home.path());
    let (status, _) = ceremony(&paths);
    let empty = Secret::zeroed(0);
    let parts: Vec<_> =
        (1..=3).map(|number| KeyPart::load(&key_part_path(&paths, number), &empty).unwrap()).collect();
    assert_eq!(status.current_register.verification_pattern, Some(combined_pattern(&parts)));
    for (number, administrator) in (1..).zip(&status.administrators) {
        let key = SignatureKey::load(&signature_key_path(&paths, number), &empty).unwrap();
        assert_eq!(key.ski(), administrator.ski);
    }
}

#[test]
fn a_second_run_finds_it_done() {
    let home = tempfile::tempdir().unwrap();
    let paths = UnitPaths::in_home(home.path());
    let (first, _) = ceremony(&paths);
    let before = fs::read(&paths.unit).unwrap();
    let (second, steps) = ceremony(&paths);
    assert_eq!((first, Vec::<Step>::new()), (second, steps));
    assert_eq!(fs::read(&paths.unit).unwrap(), before);
}

#[test]
fn interrupted_after_any_step_it_goes_on() {
    let mut after = 1;
    loop {
        let home = tempfile::tempdir().unwrap();
        let paths = UnitPaths::in_home(home.path());
        if interrupted(&paths, after) {
            break;
        }
        let hsm_id = Unit::open(&paths).unwrap().state().hsm_id();
        let (status, _) = ceremony(&paths);
        assert_eq!(status.current_register.status, "Valid", "after step {after}");
        // It went on with the same unit and did no command twice.
        assert_eq!((status.hsm_id, status.transaction_counter), (hsm_id, 7), "after step {after}");
        after += 1;
    }
    assert_eq!(after, 14);
}

#[test]
fn interrupted_again_and_again_it_ends() {
    let home = tempfile::tempdir().unwrap();
    let paths = UnitPaths::in_home(home.path());
    let runs = (1..100).take_while(|_| !interrupted(&paths, 1)).count();
    assert_eq!(runs, 13);
    assert!(Unit::open(&paths).unwrap().active().is_ok());
}

/// What a crash leaves between two steps: a sealer without a unit, and half-written new files.
#[test]
fn left_over_files_do_not_stop_it() {
    let home = tempfile::tempdir().unwrap();
    let paths = UnitPaths::in_home(home.path());
    fs::create_dir(home.path().join("ceremony")).unwrap();
    fs::write(&paths.sealer, [3; 32]).unwrap();
    for half in ["softhsm-rs.unit.new", "softhsm-rs.sealer.new", "ceremony/part-1.keypart.new"] {
        fs::write(home.path().join(half), b"half").unwrap();
    }
    ceremony(&paths);
    assert_eq!(fs::read(&paths.sealer).unwrap(), [3; 32]);
    assert!(Unit::open(&paths).unwrap().active().is_ok());
}

#[test]
fn run_by_many_at_once_it_is_done_once() {
    let home = tempfile::tempdir().unwrap();
    let paths = UnitPaths::in_home(home.path());
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| ceremony(&paths))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(outcomes.windows(2).all(|pair| pair[0].0 == pair[1].0));
    assert_eq!(outcomes.iter().filter(|(_, steps)| !steps.is_empty()).count(), 1);
}

#[test]
fn existing_key_files_are_used() {
    let home = tempfile::tempdir().unwrap();
    let paths = UnitPaths::in_home(home.path());
    let (first, _) = ceremony(&paths);
    fs::remove_file(&paths.unit).unwrap();
    let (second, steps) = ceremony(&paths);
    assert!(!names(&steps).contains(&"make signature key"));
    assert_eq!(second.administrators, first.administrators);
    assert_eq!(second.current_register, first.current_register);
    assert_ne!(second.hsm_id, first.hsm_id);
}

#[test]
fn key_files_under_another_passphrase_stop_it_and_stay() {
    let home = tempfile::tempdir().unwrap();
    let paths = UnitPaths::in_home(home.path());
    let secret = || Options { passphrase: Some(Secret::copy_of(b"secret")), ..Options::default() };
    assert!(!interrupted_with(&paths, &secret(), 3));
    let before = fs::read(signature_key_path(&paths, 1)).unwrap();
    let error = run(&paths, &Options::default(), &mut |_| ()).unwrap_err();
    assert!(matches!(error, Error::FileDamaged { .. }), "{error}");
    assert_eq!(fs::read(signature_key_path(&paths, 1)).unwrap(), before);
    assert!(run(&paths, &secret(), &mut |_| ()).is_ok());
}

#[test]
fn a_ceremony_that_people_began_is_left_to_them() {
    let home = tempfile::tempdir().unwrap();
    let paths = UnitPaths::in_home(home.path());
    let mut unit = Unit::create(&paths, Access::Owner, UnitKind::Operational).unwrap();
    let person = Administrator { name: "a person".to_owned(), public_key: keys()[0].public_key() };
    unit.submit(&signed(unit.state(), &Command::AddAdministrator(person), &[])).unwrap();
    assert!(matches!(run(&paths, &Options::default(), &mut |_| ()), Err(Error::UnitNotActive(_))));
    unit.submit(&signed(unit.state(), &thresholds(1, 1), &[0])).unwrap();
    assert!(matches!(run(&paths, &Options::default(), &mut |_| ()), Err(Error::UnitNotActive(_))));
    assert!(!home.path().join("ceremony").exists());
    assert_eq!(Unit::open(&paths).unwrap().status(), unit.status());
}

#[test]
fn a_unit_whose_keys_were_handed_out_stops_it() {
    let home = tempfile::tempdir().unwrap();
    let paths = UnitPaths::in_home(home.path());
    assert!(!interrupted(&paths, 6));
    fs::remove_file(signature_key_path(&paths, 2)).unwrap();
    assert!(matches!(run(&paths, &Options::default(), &mut |_| ()), Err(Error::UnitNotActive(_))));
    assert!(!signature_key_path(&paths, 2).exists());
}

#[test]
fn a_zeroized_unit_goes_through_it_again() {
    let home = tempfile::tempdir().unwrap();
    let paths = UnitPaths::in_home(home.path());
    let (before, _) = ceremony(&paths);
    let mut unit = Unit::open(&paths).unwrap();
    let mut zeroize = SignedCommand::new(&unit.target(), &Command::Zeroize).unwrap();
    let key = SignatureKey::load(&signature_key_path(&paths, 1), &Secret::zeroed(0)).unwrap();
    zeroize.sign(&key).unwrap();
    unit.submit(&zeroize).unwrap();
    let (after, _) = ceremony(&paths);
    assert_eq!(after.current_register, before.current_register);
    assert_eq!(after.epoch, before.epoch + 1);
}

#[test]
fn one_machine_holds_the_quorum_until_files_are_handed_out() {
    let home = tempfile::tempdir().unwrap();
    let paths = UnitPaths::in_home(home.path());
    ceremony(&paths);
    assert!(one_machine_holds_quorum(&paths).unwrap());
    for path in [signature_key_path(&paths, 1), key_part_path(&paths, 3)] {
        let away = path.with_extension("away");
        fs::rename(&path, &away).unwrap();
        assert!(!one_machine_holds_quorum(&paths).unwrap(), "{}", path.display());
        fs::rename(&away, &path).unwrap();
    }
}

#[test]
fn a_flat_home_gets_no_directory() {
    let home = tempfile::tempdir().unwrap();
    let paths = UnitPaths::flat(home.path());
    ceremony(&paths);
    let entries: Vec<_> = fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap()).collect();
    assert!(entries.iter().all(|entry| entry.file_type().unwrap().is_file()));
    assert!(home.path().join("softhsm-rs.ceremony-part-1.keypart").exists());
}

#[test]
fn its_files_are_the_owners_and_nothing_else_is_left() {
    use std::os::unix::fs::MetadataExt;
    let home = tempfile::tempdir().unwrap();
    ceremony(&UnitPaths::in_home(home.path()));
    let list = |directory: &Path| {
        let mut names: Vec<_> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().mode() & 0o777)
            })
            .collect();
        names.sort();
        names
    };
    let owned = |name: &str| (name.to_owned(), 0o600);
    assert_eq!(
        list(home.path()),
        [
            ("ceremony".to_owned(), 0o700),
            owned("softhsm-rs.init-lock"),
            owned("softhsm-rs.sealer"),
            owned("softhsm-rs.unit")
        ]
    );
    assert_eq!(
        list(&home.path().join("ceremony")),
        [
            owned("administrator-1.sigkey"),
            owned("administrator-2.sigkey"),
            owned("part-1.keypart"),
            owned("part-2.keypart"),
            owned("part-3.keypart")
        ]
    );
}
