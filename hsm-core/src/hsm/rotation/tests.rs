//! Power lost at every write of a change of the master key: what is there afterwards is whole, under the one key or the
//! other, and the change goes on.

use super::*;
use crate::audit::Verdict;
use crate::hsm::testing::user;
use crate::partition::testing::fail_after;
use crate::secret::Secret;
use crate::session::{Access, Role};
use crate::unit::{KeyPart, SignedPart, VerificationPattern, combined_pattern};

/// Gives a command that both administrators of the quick ceremony sign.
fn submit(hsm: &Hsm, command: &Command) -> Result<()> {
    let mut signed = SignedCommand::new(&hsm.unit()?.target(), command)?;
    if !matches!(command, Command::LoadNewMasterKey(_)) {
        for key in hsm.ceremony_keys(&Secret::zeroed(0))? {
            signed.sign(&key)?;
        }
    }
    hsm.submit(&signed).map(drop)
}

/// Loads a new master key and commits it.
fn commit(hsm: &Hsm) -> VerificationPattern {
    submit(hsm, &Command::GenerateImporter).unwrap();
    let (unit, keys) = (hsm.unit().unwrap(), hsm.ceremony_keys(&Secret::zeroed(0)).unwrap());
    let importer = unit.state().secured().unwrap().importer().unwrap();
    let parts = [KeyPart::generate("1").unwrap(), KeyPart::generate("2").unwrap()];
    let signed = parts.iter().zip(1..).map(|(part, number)| {
        let mut part = SignedPart::new(&unit.target(), number, 2, part.seal_to(&importer).unwrap()).unwrap();
        part.sign(&keys[0]).unwrap();
        part
    });
    submit(hsm, &Command::LoadNewMasterKey(signed.collect())).unwrap();
    let pattern = combined_pattern(&parts);
    submit(hsm, &Command::Commit(pattern)).unwrap();
    pattern
}

/// To a process that begins now, everything is there.
fn assert_whole(hsm: &Hsm) {
    let other = Hsm::new(hsm.config().clone());
    let partitions = other.partitions().unwrap();
    assert_eq!(partitions.len(), 2);
    let session = partitions[0].open_session(Access::ReadOnly).unwrap();
    session.login(Role::User, b"1234").unwrap();
    drop(other.server_partition("server").unwrap().open_for_server().unwrap());
    assert!(matches!(other.read_audit_log(0, &mut |_| Ok(())).unwrap(), Some(Verdict::Whole { .. })));
}

/// Does something again and again, each time cut one write later, until it succeeds; answers at how many writes.
fn cut_at_each_write(hsm: &Hsm, act: &dyn Fn() -> Result<()>) -> usize {
    for writes in 0..200 {
        fail_after(Some(writes));
        let done = act();
        fail_after(None);
        assert_whole(hsm);
        match done {
            Ok(()) => return writes,
            Err(Error::Store(_)) => {}
            Err(error) => panic!("cut after {writes} writes: {error}"),
        }
    }
    panic!("it never succeeds");
}

#[test]
fn a_change_of_the_master_key_that_is_cut_loses_nothing() {
    let (_home, hsm, _session) = user();
    drop(hsm.server_partition("server").unwrap());
    hsm.audit_trail(crate::audit::Uses::Off).unwrap();
    let pattern = commit(&hsm);
    let before = hsm.unit_status().unwrap().epoch;
    let writes = cut_at_each_write(&hsm, &|| hsm.rewrap_partitions(&mut |_| {}).map(drop));
    assert!(writes >= 2, "{writes} writes");
    let writes = cut_at_each_write(&hsm, &|| {
        assert_eq!(hsm.unit_status()?.epoch, before, "the unit does not switch before all is written");
        submit(&hsm, &Command::SetImmediate(pattern))
    });
    assert!(writes >= 10, "{writes} writes");
    assert_eq!(hsm.unit_status().unwrap().epoch, before + 1);
}
