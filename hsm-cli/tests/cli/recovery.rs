//! Recovery units, and what one machine does alone: a lost master key comes back, and another one comes into use.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::desk::{Desk, Done};

const REFUSED: i32 = 15;

/// A unit in a home of its own, on a desk where alice and bob have their keys.
struct Unit<'a> {
    desk: &'a Desk,
    name: &'static str,
}

impl Unit<'_> {
    fn home(&self) -> PathBuf {
        self.desk.0.path().join(self.name)
    }

    fn run(&self, line: &str) -> Done {
        let mut command = self.desk.bare(&line.split(' ').collect::<Vec<_>>());
        command.current_dir(self.desk.0.path()).env("SOFTHSM_RS_HOME", self.home());
        command.env("SOFTHSM_RS_PIN", "123456").env("SOFTHSM_RS_SO_PIN", "87654321");
        Done::of(&mut command)
    }

    fn does(&self, what: &str, signers: &[&str]) {
        self.gives(what, signers).succeeds();
    }

    fn gives(&self, what: &str, signers: &[&str]) -> Done {
        let _ = fs::remove_file(self.desk.0.path().join("command"));
        self.run(&format!("unit prepare {what} --out command")).succeeds();
        for name in signers {
            self.run(&format!("unit sign command --yes --no-passphrase --key {name}.sigkey")).succeeds();
        }
        self.run("unit submit command --yes")
    }

    fn status(&self) -> Value {
        serde_json::from_str::<Value>(&self.run("unit show --json").succeeds().out).expect("JSON")["unit"]
            .clone()
    }

    /// Out of imprint mode, with alice and bob.
    fn own(&self, threshold: u8) {
        for name in ["alice", "bob"] {
            self.does(&format!("add-administrator {name}.sigkey.pub"), &[]);
        }
        let both = ["alice", "bob"];
        let signers = &both[..usize::from(threshold)];
        self.does(&format!("set-thresholds --signature {threshold} --revocation {threshold}"), signers);
    }

    fn recover(&self, from: &Unit<'_>) -> Done {
        let keys = "--key alice.sigkey --key bob.sigkey --no-passphrase";
        self.run(&format!("unit auto-recover --from {} {keys}", from.home().display()))
    }
}

fn desk() -> Desk {
    let desk = Desk::empty();
    for name in ["alice", "bob", "carol"] {
        let file = desk.0.path().join(format!("{name}.sigkey")).display().to_string();
        desk.run(&["unit", "key", "new", &file, "--name", name, "--no-passphrase"]).succeeds();
    }
    desk
}

#[test]
fn a_lost_master_key_comes_back_from_a_recovery_unit() {
    let desk = desk();
    let (unit, recovery) = (Unit { desk: &desk, name: "home" }, Unit { desk: &desk, name: "recovery" });
    unit.run("unit create").succeeds();
    recovery.run("unit create --type recovery").succeeds();
    assert_eq!(recovery.status()["type"], "recovery");
    unit.recover(&recovery).fails(REFUSED, "the recovery unit is in imprint mode");
    recovery.own(2);
    unit.recover(&recovery).fails(REFUSED, "the operational unit is in imprint mode");
    unit.own(2);
    unit.recover(&recovery).fails(REFUSED, "the recovery unit has no master key");
    recovery.does("generate-master-key", &["alice"]);
    // It serves nobody.
    let has_store = || {
        let mut entries = fs::read_dir(recovery.home()).expect("the home");
        entries.any(|entry| entry.expect("an entry").file_name().to_string_lossy().contains("sqlite"))
    };
    assert!(!has_store());
    recovery.run("init").fails(7, "recovery unit");
    assert_eq!(recovery.run("ceremony status --json").succeeds().out.matches("\"next\"").count(), 0);

    unit.recover(&recovery).succeeds();
    let pattern = recovery.status()["current_register"].clone();
    assert_eq!(unit.status()["current_register"], pattern);
    // What was granted for it is taken back: 4 is EP11's bit for a single part.
    assert_eq!(unit.status()["permissions"].as_u64().expect("bits") & 4, 0);
    unit.run("token init web").succeeds();
    unit.run("key generate --type ec:p256 --label kept").succeeds();
    let again = unit.recover(&recovery).succeeds();
    assert!(!again.out.contains("load"), "{}", again.out);

    // Each time a master key comes into an empty register, the log of the store says so.
    let told = || unit.run("audit show --json").succeeds().out.matches("\"unit.set-immediate\"").count();
    assert_eq!(told(), 1);
    unit.does("zeroize", &["alice"]);
    unit.run("key list").fails(7, "imprint mode");
    unit.own(2);
    unit.recover(&recovery).succeeds();
    assert_eq!(told(), 2);
    assert!(unit.run("key list").succeeds().out.contains("kept"));

    // The whole unit is lost: a new one opens the store as well.
    for name in ["softhsm-rs.unit", "softhsm-rs.sealer"] {
        fs::remove_file(unit.home().join(name)).expect("removing the unit");
    }
    unit.run("unit create").succeeds();
    unit.own(2);
    unit.recover(&recovery).succeeds();
    assert!(unit.run("key list").succeeds().out.contains("kept"));
    assert!(!has_store());
}

#[test]
fn what_does_not_go_together_is_refused_by_name() {
    let desk = desk();
    let (unit, recovery) = (Unit { desk: &desk, name: "home" }, Unit { desk: &desk, name: "recovery" });
    let strange = Unit { desk: &desk, name: "strange" };
    unit.run("init").succeeds();
    strange.run("unit create").succeeds();
    strange.own(2);
    unit.recover(&strange).fails(REFUSED, "The service instance does not contain any recovery crypto units.");
    recovery.run("unit create --type recovery").succeeds();
    recovery.own(1);
    unit.recover(&recovery).fails(REFUSED, "different thresholds");
    recovery.does("set-thresholds --signature 2 --revocation 2", &["alice"]);
    unit.recover(&recovery).fails(REFUSED, "0 administrators are the same in both units, and 2 have to sign");
    // The keys of the quick ceremony are administrators of both now.
    for number in [1, 2] {
        let file = unit.home().join(format!("ceremony/administrator-{number}.sigkey")).display().to_string();
        let public = format!("administrator-{number}.pub");
        let line =
            format!("unit key public --no-passphrase --name recovery{number} --key {file} --out {public}");
        recovery.run(&line).succeeds();
        recovery.does(&format!("add-administrator {public}"), &["alice", "bob"]);
    }
    unit.recover(&recovery).fails(REFUSED, "is set in one or more operational crypto units but is not set");
    recovery.does("generate-master-key", &["alice"]);
    unit.recover(&recovery).fails(REFUSED, "are not set to the same value");
    // Without a current key, the unit takes the recovery unit's, with the keys that the quick ceremony left.
    let key = unit.home().join("ceremony/administrator-1").display().to_string();
    unit.does("clear-current", &[&key]);
    unit.run(&format!("unit auto-recover --from {}", recovery.home().display())).succeeds();
    assert_eq!(unit.status()["current_register"], recovery.status()["current_register"]);
}

#[test]
fn one_machine_changes_its_master_key() {
    let desk = Desk::with_token();
    desk.run(&["key", "generate", "--type", "ec:p256", "--label", "kept"]).succeeds();
    let rotated = desk.run(&["unit", "auto-mk-rotate"]).succeeds();
    for words in ["load new master key", "commit new master key", "2 of 2", "the new master key is in use"] {
        assert!(rotated.out.contains(words), "{words:?} is not in: {}", rotated.out);
    }
    let value = desk.json(&["unit", "auto-mk-rotate"]);
    assert_eq!(value["unit"]["epoch"], 3);
    assert_eq!(value["steps"].as_array().expect("steps").len(), 7);
    assert!(desk.run(&["key", "list"]).succeeds().out.contains("kept"));
    let shown = desk.run(&["audit", "show"]).succeeds().out;
    assert_eq!(shown.matches("unit.set-immediate  success").count(), 2, "{shown}");
    fs::remove_file(desk.home().join("ceremony/administrator-1.sigkey")).expect("removing a key");
    desk.run(&["unit", "auto-mk-rotate"]).fails(7, "key files are not here");
}
