//! Every kind of sealer: what opens a unit, what does not, and what is left after it was replaced.

use std::fs;
use std::path::Path;

use super::kit::*;
use crate::error::Error;
use crate::secret::Secret;
use crate::unit::disk::fault;
use crate::unit::*;

const PASSPHRASE: &[u8] = b"correct horse";
const CREDENTIAL: [u8; 32] = [5; 32];

/// A kind, and the shares that it was given, if it is of shares.
struct Sealed {
    kind: SealerKind,
    shares: Vec<SealerShare>,
}

const KINDS: [SealerKind; 4] =
    [SealerKind::OwnerFile, SealerKind::Passphrase, SealerKind::Shares, SealerKind::Credential];

impl Sealed {
    fn fresh(kind: SealerKind) -> (FreshSealer, Sealed) {
        let (fresh, shares) = match kind {
            SealerKind::OwnerFile => (FreshSealer::owner_file().unwrap(), Vec::new()),
            SealerKind::Passphrase => {
                (FreshSealer::passphrase(Secret::copy_of(PASSPHRASE)).unwrap(), Vec::new())
            }
            SealerKind::Shares => FreshSealer::shares(HsmId::new([7; 16]), 2, 3).unwrap(),
            SealerKind::Credential => {
                (FreshSealer::credential(Secret::copy_of(&CREDENTIAL)).unwrap(), Vec::new())
            }
        };
        (fresh, Sealed { kind, shares })
    }

    /// What opens it. The owner's file needs nothing, and takes no notice of what is given.
    fn opening(&self) -> Opening {
        match self.kind {
            SealerKind::OwnerFile | SealerKind::Passphrase => {
                Opening::Passphrase(Secret::copy_of(PASSPHRASE))
            }
            SealerKind::Shares => Opening::Shares(copies(&self.shares[1..])),
            SealerKind::Credential => Opening::Credential(Secret::copy_of(&CREDENTIAL)),
        }
    }

    fn open(&self, paths: &UnitPaths) -> crate::error::Result<Unit> {
        Unit::open_given(paths, &self.opening())
    }
}

/// Shares as they come from files.
fn copies(shares: &[SealerShare]) -> Vec<SealerShare> {
    let home = tempfile::tempdir().unwrap();
    let copy = |(number, share): (usize, &SealerShare)| {
        let path = home.path().join(format!("share-{number}"));
        share.save(&path, &Secret::zeroed(0)).unwrap();
        SealerShare::load(&path, &Secret::zeroed(0)).unwrap()
    };
    shares.iter().enumerate().map(copy).collect()
}

/// A unit with a master key, sealed by this kind.
fn unit_in(home: &Path, kind: SealerKind) -> (UnitPaths, Unit, Sealed) {
    let paths = UnitPaths::in_home(home);
    let mut made = Unit::create(&paths, Access::Owner, UnitKind::Operational).unwrap();
    crate::unit::file::save(&paths, made.sealer(), &unit("EV"), Access::Owner).unwrap();
    let (fresh, sealed) = Sealed::fresh(kind);
    made.reseal(fresh).unwrap();
    (paths, made, sealed)
}

fn said(outcome: crate::error::Result<Unit>) -> String {
    outcome.expect_err("the unit opened").to_string()
}

fn zeroize(unit: &mut Unit) -> crate::error::Result<Vec<Event>> {
    unit.submit(&signed(unit.state(), &Command::Zeroize, &[0]))
}

#[test]
fn each_kind_opens_by_what_it_asks_for_and_the_header_names_it() {
    for kind in KINDS {
        let home = tempfile::tempdir().unwrap();
        let (paths, unit, sealed) = unit_in(home.path(), kind);
        assert_eq!((unit.sealer().kind(), UnitHeader::read(&paths.unit).unwrap().sealer), (kind, kind));
        let opened = sealed.open(&paths).unwrap();
        assert_eq!(name_of(opened.state()), "EV", "{kind:?}");
        assert_eq!(opened.status(), unit.status());
        assert!(!paths.sealer.with_extension("sealer.next").exists());
    }
}

#[test]
fn what_people_give_is_asked_for_where_nobody_gave_it() {
    for (kind, words) in [
        (SealerKind::Passphrase, "passphrase opens it: run `softhsm-rs unlock`"),
        (SealerKind::Shares, "key shares open it: run `softhsm-rs unlock`"),
        (SealerKind::Credential, "given no credentials"),
    ] {
        let home = tempfile::tempdir().unwrap();
        let (paths, ..) = unit_in(home.path(), kind);
        let error = Unit::open(&paths).unwrap_err();
        assert!(matches!(error, Error::UnitSealed(_)) && error.to_string().contains(words), "{error}");
        // Something else is no answer either.
        for other in KINDS.into_iter().filter(|other| ![SealerKind::OwnerFile, kind].contains(other)) {
            let given = Sealed::fresh(other).1.opening();
            assert!(said(Unit::open_given(&paths, &given)).contains(kind.name()));
        }
    }
}

#[test]
fn a_wrong_passphrase_opens_nothing() {
    let home = tempfile::tempdir().unwrap();
    let (paths, ..) = unit_in(home.path(), SealerKind::Passphrase);
    for wrong in [&b""[..], b"correct horsE", b"correct horse "] {
        let given = Opening::Passphrase(Secret::copy_of(wrong));
        assert!(said(Unit::open_given(&paths, &given)).contains("the passphrase is wrong"));
    }
    let short = FreshSealer::passphrase(Secret::copy_of(b"1234567"));
    assert!(matches!(short, Err(Error::ArgumentsBad(_))));
}

#[test]
fn a_credential_is_read_where_the_process_has_it() {
    let home = tempfile::tempdir().unwrap();
    let (mut paths, ..) = unit_in(home.path(), SealerKind::Credential);
    let credential = home.path().join("credential");
    paths.credential = Some(credential.clone());
    assert!(said(Unit::open(&paths)).contains("there is no credential"));
    for (bytes, words) in
        [(&[5; 31][..], "32 to 4096 bytes"), (&[6; 32], "another one"), (&[5; 5000], "4096")]
    {
        fs::write(&credential, bytes).unwrap();
        assert!(said(Unit::open(&paths)).contains(words), "{words}");
    }
    fs::write(&credential, CREDENTIAL).unwrap();
    assert_eq!(name_of(Unit::open(&paths).unwrap().state()), "EV");
}

// ---- shares ----

fn given(shares: Vec<SealerShare>, paths: &UnitPaths) -> crate::error::Result<Unit> {
    Unit::open_given(paths, &Opening::Shares(shares))
}

#[test]
fn any_shares_that_are_enough_open_the_unit() {
    let home = tempfile::tempdir().unwrap();
    let (paths, unit, sealed) = unit_in(home.path(), SealerKind::Shares);
    assert_eq!(unit.sealer().shares(), Some((2, 3)));
    for chosen in [&[0, 1][..], &[1, 0], &[2, 0], &[0, 1, 2]] {
        let all = copies(&sealed.shares);
        let chosen: Vec<_> = chosen.iter().flat_map(|index| copies(&all[*index..=*index])).collect();
        assert!(given(chosen, &paths).is_ok());
    }
    assert!(said(given(Vec::new(), &paths)).contains("2 shares are needed, and 0 were given"));
    assert!(said(given(copies(&sealed.shares[..1]), &paths)).contains("2 shares are needed, and 1 were"));
}

#[test]
fn numbers_of_shares_that_do_not_go_together_are_refused() {
    for (threshold, count) in [(0, 3), (1, 3), (4, 3), (2, 33), (33, 33), (2, 0)] {
        let dealt = FreshSealer::shares(HsmId::new([7; 16]), threshold, count);
        assert!(matches!(dealt, Err(Error::ArgumentsBad(_))), "{threshold} of {count}");
    }
    assert_eq!(FreshSealer::shares(HsmId::new([7; 16]), 32, SHARES_MAX).unwrap().1.len(), 32);
}

#[test]
fn a_share_that_does_not_belong_to_the_others_is_named() {
    let home = tempfile::tempdir().unwrap();
    let (paths, _, sealed) = unit_in(home.path(), SealerKind::Shares);
    let path = |name: &str| home.path().join(name);
    let none = Secret::zeroed(0);
    for (number, share) in sealed.shares.iter().enumerate() {
        share.save(&path(&format!("share-{number}")), &none).unwrap();
    }
    let open = |names: [&str; 2]| {
        let shares = names.map(|name| SealerShare::load(&path(name), &none).unwrap());
        said(given(shares.into_iter().collect(), &paths))
    };
    assert!(open(["share-1", "share-1"]).contains("share 2 was given twice"));

    let (_, older) = FreshSealer::shares(HsmId::new([7; 16]), 2, 3).unwrap();
    older[0].save(&path("older"), &none).unwrap();
    let text = open(["older", "share-1"]);
    assert!(text.contains("older: it is a share of another set"), "{text}");

    let (_, foreign) = FreshSealer::shares(HsmId::new([8; 16]), 2, 3).unwrap();
    foreign[0].save(&path("foreign"), &none).unwrap();
    let text = open(["share-1", "foreign"]);
    assert!(text.contains("foreign: it is a share of another HSM"), "{text}");

    let text = fs::read_to_string(path("share-0")).unwrap();
    for (from, to) in [
        ("\"number\":1", "\"number\":2"),
        ("\"number\":1", "\"number\":0"),
        ("\"number\":1", "\"number\":255"),
        ("\"threshold\":2", "\"threshold\":1"),
        ("\"of\":3", "\"of\":4"),
    ] {
        let changed = text.replace(from, to);
        assert_ne!(changed, text);
        fs::write(path("changed"), changed).unwrap();
        assert!(open(["changed", "share-2"]).contains("changed: it was altered"), "{to}");
    }
    let (from, to) = (HsmId::new([7; 16]).to_string(), "\\u001b[2J");
    fs::write(path("changed"), text.replace(&from, to)).unwrap();
    for error in [
        SealerShare::load(&path("changed"), &none).unwrap_err(),
        SealerShare::label_of(&path("changed")).unwrap_err(),
    ] {
        assert!(error.to_string().ends_with("it names no HSM: restore it"), "{error}");
    }
    let at = text.find("enckey").unwrap() + 60;
    let mut bytes = text.into_bytes();
    bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
    fs::write(path("changed"), bytes).unwrap();
    assert!(matches!(SealerShare::load(&path("changed"), &none), Err(Error::FileDamaged { .. })));
}

#[test]
fn a_shares_file_says_what_it_is_and_has_a_passphrase_of_its_own() {
    use std::os::unix::fs::MetadataExt;
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("share");
    let (_, sealed) = Sealed::fresh(SealerKind::Shares);
    sealed.shares[1].save(&path, &Secret::copy_of(b"mine")).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    let hsm_id = HsmId::new([7; 16]);
    assert_eq!(SealerShare::label_of(&path).unwrap(), ShareLabel { hsm_id, number: 2, threshold: 2, of: 3 });
    assert!(SealerShare::load(&path, &Secret::copy_of(b"yours")).is_err());
    assert!(SealerShare::load(&path, &Secret::copy_of(b"mine")).is_ok());
    assert!(
        matches!(sealed.shares[1].save(&path, &Secret::zeroed(0)), Err(Error::File { .. })),
        "overwritten"
    );
    KeyPart::generate("part").unwrap().save(&home.path().join("part"), &Secret::zeroed(0)).unwrap();
    assert!(matches!(SealerShare::label_of(&home.path().join("part")), Err(Error::FileDamaged { .. })));
}

// ---- the sealer's file ----

#[test]
fn a_sealers_file_that_was_changed_is_refused() {
    let home = tempfile::tempdir().unwrap();
    for (kind, from, to) in [
        (SealerKind::Passphrase, "\"memory_kib\":8192", "\"memory_kib\":4294967295"),
        (SealerKind::Passphrase, "\"memory_kib\":8192", "\"memory_kib\":8"),
        (SealerKind::Passphrase, "\"passes\":3", "\"passes\":1000000"),
        (SealerKind::Passphrase, "\"version\":1", "\"version\":2"),
        (SealerKind::Passphrase, "\"salt\":", "\"pepper\":"),
        (SealerKind::Shares, "\"threshold\":2", "\"threshold\":1"),
        (SealerKind::Shares, "\"threshold\":2", "\"threshold\":4"),
        (SealerKind::Credential, "\"bytes\":\"", "\"bytes\":\"00"),
    ] {
        let home = home.path().join(to.replace(['"', ':'], ""));
        fs::create_dir(&home).unwrap();
        let (paths, _, sealed) = unit_in(&home, kind);
        let text = fs::read_to_string(&paths.sealer).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(&paths.sealer, text.replace(from, to)).unwrap();
        let error = sealed.open(&paths).unwrap_err();
        assert!(matches!(&error, Error::FileDamaged { path, .. } if *path == paths.sealer), "{to}: {error}");
    }
}

#[test]
fn a_sealer_of_another_kind_does_not_fit() {
    let home = tempfile::tempdir().unwrap();
    for kind in KINDS {
        for other in KINDS.into_iter().filter(|other| *other != kind) {
            let at = |name: &str| home.path().join(format!("{}-{}-{name}", kind.name(), other.name()));
            fs::create_dir(at("a")).unwrap();
            fs::create_dir(at("b")).unwrap();
            let (paths, _, sealed) = unit_in(&at("a"), kind);
            let (others, ..) = unit_in(&at("b"), other);
            fs::copy(&others.sealer, &paths.sealer).unwrap();
            assert!(said(sealed.open(&paths)).contains("another kind"), "{kind:?} {other:?}");
        }
    }
}

#[test]
fn a_new_unit_takes_no_sealer_that_people_open() {
    let home = tempfile::tempdir().unwrap();
    let (paths, ..) = unit_in(home.path(), SealerKind::Passphrase);
    fs::remove_file(&paths.unit).unwrap();
    let error = Unit::create(&paths, Access::Owner, UnitKind::Operational).unwrap_err();
    assert!(matches!(error, Error::FileDamaged { path, .. } if path == paths.sealer));
}

// ---- what is left ----

#[test]
fn a_copy_made_before_zeroize_does_not_open_with_what_survives() {
    for kind in KINDS {
        let home = tempfile::tempdir().unwrap();
        let (paths, mut unit, sealed) = unit_in(home.path(), kind);
        let before = fs::read(&paths.unit).unwrap();
        zeroize(&mut unit).unwrap();
        // The same passphrase, shares or credential open what is there now.
        assert_eq!(name_of(sealed.open(&paths).unwrap().state()), "I", "{kind:?}");
        fs::write(&paths.unit, before).unwrap();
        assert!(matches!(sealed.open(&paths), Err(Error::UnitSealed(_))), "{kind:?}");
    }
}

#[test]
fn a_copy_made_under_another_sealer_does_not_open() {
    for kind in KINDS {
        let home = tempfile::tempdir().unwrap();
        let (paths, mut unit, sealed) = unit_in(home.path(), kind);
        let before = fs::read(&paths.unit).unwrap();
        // Also under a new one of the same kind, with the same passphrase.
        for next in KINDS {
            let (fresh, next) = Sealed::fresh(next);
            unit.reseal(fresh).unwrap();
            let now = fs::read(&paths.unit).unwrap();
            fs::write(&paths.unit, &before).unwrap();
            assert!(sealed.open(&paths).is_err(), "{kind:?}, {:?}", next.kind);
            fs::write(&paths.unit, now).unwrap();
            assert_eq!(name_of(next.open(&paths).unwrap().state()), "EV");
        }
    }
}

/// What may be interrupted: its outcome, and what opens the unit afterwards, if that is another than before.
type Change<'a> = &'a dyn Fn(&mut Unit) -> (crate::error::Result<()>, Option<Sealed>);

/// Lets power be lost before each step in turn, until there is no step more. What was done then has to open,
/// by the old sealer or the new one.
fn interrupted(kind: SealerKind, change: Change<'_>, after: &str) {
    for steps in 0.. {
        let home = tempfile::tempdir().unwrap();
        let (paths, mut unit, sealed) = unit_in(home.path(), kind);
        fault::after(Some(steps));
        let (outcome, next) = change(&mut unit);
        fault::after(None);
        drop(unit);
        let open = || match &next {
            Some(next) => next.open(&paths).or_else(|_| sealed.open(&paths)),
            None => sealed.open(&paths),
        };
        let state = name_of(open().unwrap_or_else(|e| panic!("{kind:?}, {steps} steps: {e}")).state());
        assert!(["EV", after].contains(&state.as_str()), "{kind:?}, {steps} steps: {state}");
        // It stays so, and the next change is possible.
        let mut unit = open().unwrap();
        assert_eq!(name_of(unit.state()), state);
        unit.reseal(FreshSealer::owner_file().unwrap()).unwrap();
        assert_eq!(name_of(Unit::open(&paths).unwrap().state()), state);
        if outcome.is_ok() {
            assert!(steps > 6 && state == after, "{steps}");
            return;
        }
    }
}

#[test]
fn a_change_of_the_sealer_that_is_interrupted_leaves_a_unit_that_opens() {
    for kind in KINDS {
        for next in KINDS {
            let change = |unit: &mut Unit| {
                let (fresh, sealed) = Sealed::fresh(next);
                (unit.reseal(fresh), Some(sealed))
            };
            interrupted(kind, &change, "EV");
        }
    }
}

#[test]
fn a_zeroize_that_is_interrupted_leaves_a_unit_that_opens() {
    for kind in KINDS {
        interrupted(kind, &|unit| (zeroize(unit).map(drop), None), "I");
    }
}

#[test]
fn a_sealer_that_is_half_destroyed_gives_way_to_its_successor() {
    for kind in KINDS {
        let home = tempfile::tempdir().unwrap();
        let (paths, mut unit, _) = unit_in(home.path(), kind);
        let old = fs::read(&paths.sealer).unwrap();
        let (fresh, next) = Sealed::fresh(SealerKind::Passphrase);
        unit.reseal(fresh).unwrap();
        fs::rename(&paths.sealer, home.path().join("softhsm-rs.sealer.next")).unwrap();
        fs::write(&paths.sealer, [&vec![0; old.len() / 2], &old[old.len() / 2..]].concat()).unwrap();
        let wrong = Opening::Passphrase(Secret::copy_of(b"wrong horse"));
        assert!(Unit::open_given(&paths, &wrong).is_err(), "{kind:?}");
        assert!(next.open(&paths).is_ok(), "{kind:?}");
        assert!(!home.path().join("softhsm-rs.sealer.next").exists());
    }
}

#[test]
fn the_old_sealer_stays_until_the_unit_file_under_its_successor_is_certain_to_stay() {
    let home = tempfile::tempdir().unwrap();
    let (paths, mut unit, _) = unit_in(home.path(), SealerKind::OwnerFile);
    let old = fs::read(&paths.sealer).unwrap();
    // New sealer and unit file are renamed, and nothing after that is done.
    fault::after(Some(6));
    assert!(unit.reseal(FreshSealer::owner_file().unwrap()).is_err());
    for (steps, is_there) in [(0, true), (1, true), (2, false)] {
        fault::after(Some(steps));
        assert!(Unit::open(&paths).is_err(), "{steps}");
        assert_eq!(fs::read(&paths.sealer).unwrap() == old, is_there, "{steps}");
    }
    fault::after(None);
    assert_eq!(name_of(Unit::open(&paths).unwrap().state()), "EV");
}

#[test]
fn a_process_goes_on_where_another_one_replaced_the_sealer() {
    let home = tempfile::tempdir().unwrap();
    let (mut paths, unit, _) = unit_in(home.path(), SealerKind::OwnerFile);
    drop(unit);
    paths.credential = Some(home.path().join("credential"));
    fs::write(home.path().join("credential"), CREDENTIAL).unwrap();
    let mut other = Unit::open(&paths).unwrap();
    for kind in [SealerKind::Credential, SealerKind::OwnerFile] {
        Unit::open(&paths).unwrap().reseal(Sealed::fresh(kind).0).unwrap();
        other.check(&signed(other.state(), &Command::ClearNew, &[0])).unwrap();
        assert_eq!(other.sealer().kind(), kind);
    }
}

/// Whoever opens a unit while its sealer is replaced waits or finds one of both, and takes nothing away.
#[test]
fn a_unit_opens_while_its_sealer_is_replaced() {
    let home = tempfile::tempdir().unwrap();
    let (paths, mut unit, _) = unit_in(home.path(), SealerKind::OwnerFile);
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    Unit::open(&paths).unwrap();
                }
            });
        }
        let replaced = (0..100).try_for_each(|_| unit.reseal(FreshSealer::owner_file().unwrap()));
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        replaced.unwrap();
    });
    assert_eq!(name_of(Unit::open(&paths).unwrap().state()), "EV");
}
