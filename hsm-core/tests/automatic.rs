//! The change of the master key by one machine: interrupted after any step, it is run again and goes on, and it
//! never takes up what people began.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod kit;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use hsm_core::error::Error;
use hsm_core::hsm::Progress;
use hsm_core::secret::Secret;
use hsm_core::session::{Access, Role};
use hsm_core::unit::{KeyPart, VerificationPattern, ceremony, combined_pattern};
use kit::administrators::Administrators;
use kit::*;

fn fresh() -> Fresh {
    let fresh = Fresh::new();
    generate_ec(&fresh.user(), "key");
    fresh
}

fn none() -> Secret {
    Secret::zeroed(0)
}

/// Runs it until so many things were told of; whether it ended before.
fn runs(home: &Path, most: usize) -> bool {
    let mut told = 0;
    let mut progress = |_: Progress| {
        told += 1;
        assert!(told < most, "interrupted");
    };
    let run = || handle(home).rotate_master_key(&none(), &mut progress).map(drop);
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(done) => {
            done.unwrap();
            true
        }
        Err(_) => false,
    }
}

fn new_parts(home: &Path) -> Vec<PathBuf> {
    (1..=3).map(|number| home.join(format!("ceremony/new-part-{number}.keypart"))).collect()
}

fn parts(home: &Path) -> Vec<PathBuf> {
    let paths = handle(home).unit_paths();
    (1..=3).map(|number| ceremony::key_part_path(&paths, number)).collect()
}

fn pattern_of(files: &[PathBuf]) -> VerificationPattern {
    let parts: Vec<_> = files.iter().map(|path| KeyPart::load(path, &none()).unwrap()).collect();
    combined_pattern(&parts)
}

/// The token's key is there, and the parts in their places are those of the key in use.
fn assert_whole(home: &Path, epoch: u64) {
    let hsm = handle(home);
    let status = hsm.unit_status().unwrap();
    assert_eq!((status.epoch, status.new_register.verification_pattern), (epoch, None));
    assert_eq!(status.current_register.verification_pattern, Some(pattern_of(&parts(home))));
    assert!(new_parts(home).iter().all(|path| !path.exists()));
    let session = hsm.partitions().unwrap()[0].open_session(Access::ReadWrite).unwrap();
    session.login(Role::User, USER_PIN).unwrap();
    assert_eq!(find(&session, vec![label("key")]).unwrap().len(), 2);
}

#[test]
fn interrupted_after_any_step_it_goes_on() {
    let fresh = fresh();
    let home = fresh.home.path();
    let mut epoch = 1;
    for most in 1.. {
        let is_whole = runs(home, most);
        if !is_whole {
            assert!(runs(home, usize::MAX));
        }
        epoch += 1;
        assert_whole(home, epoch);
        if is_whole {
            assert!(most > 8, "it was interrupted {most} times alone");
            break;
        }
    }
}

#[test]
fn interrupted_while_parts_take_their_places_it_makes_no_second_change() {
    let fresh = fresh();
    let home = fresh.home.path();
    let mut progress = |progress: Progress| {
        let is_last = matches!(progress, Progress::Done(step) if step.name.contains("immediate"));
        assert!(!is_last, "interrupted");
    };
    let run = || handle(home).rotate_master_key(&none(), &mut progress).map(drop);
    assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
    assert!(new_parts(home).iter().all(|path| path.exists()));
    // One is there already; of the next one, what it replaces is gone.
    fs::rename(&new_parts(home)[0], &parts(home)[0]).unwrap();
    fs::write(&parts(home)[1], [0; 40]).unwrap();
    assert!(runs(home, usize::MAX));
    assert_whole(home, 2);
}

#[test]
fn parts_that_are_here_are_used() {
    let fresh = fresh();
    let home = fresh.home.path();
    assert!(!runs(home, 2));
    let first = fs::read(&new_parts(home)[0]).unwrap();
    assert!(runs(home, usize::MAX));
    assert_eq!(fs::read(&parts(home)[0]).unwrap(), first);
    assert_whole(home, 2);
}

#[test]
fn what_people_began_is_left_to_them() {
    let fresh = fresh();
    let home = fresh.home.path();
    let administrators = Administrators::of(home);
    let rotate = || handle(home).rotate_master_key(&none(), &mut |_| {}).unwrap_err().to_string();
    administrators.load(&fresh.hsm);
    assert!(rotate().contains("people began"));
    administrators.commit(&fresh.hsm);
    assert!(rotate().contains("people began"));
    assert!(new_parts(home).iter().all(|path| !path.exists()));
    assert_eq!(fresh.hsm.unit_status().unwrap().epoch, 1);
}

#[test]
fn without_keys_or_passphrase_nothing_is_made() {
    let fresh = fresh();
    let home = fresh.home.path();
    let wrong = Secret::copy_of(b"wrong");
    let refused = fresh.hsm.rotate_master_key(&wrong, &mut |_| {}).unwrap_err();
    assert!(matches!(refused, Error::FileDamaged { .. }), "{refused}");
    let key = ceremony::signature_key_path(&fresh.hsm.unit_paths(), 2);
    fs::remove_file(key).unwrap();
    let refused = fresh.hsm.rotate_master_key(&none(), &mut |_| {}).unwrap_err();
    assert!(matches!(refused, Error::UnitNotActive(_)), "{refused}");
    assert!(new_parts(home).iter().all(|path| !path.exists()));
    assert_eq!(fresh.hsm.unit_status().unwrap().transaction_counter, 7);
}
