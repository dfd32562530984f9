//! A ceremony by the command line alone: three administrators with directories of their own, an HSM that
//! none of them has, and files that are carried between. Every wrong order is tried on the way.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::desk::{Desk, Done};

const REFUSED: i32 = 15;
const NOT_TRUSTED: i32 = 14;

/// Somebody with a directory of his own: his key, his key part, and the units that he knows.
struct Person<'a> {
    desk: &'a Desk,
    name: &'static str,
}

impl Person<'_> {
    fn of<'a>(desk: &'a Desk, name: &'static str) -> Person<'a> {
        let person = Person { desk, name };
        fs::create_dir(person.directory()).expect("a directory");
        person
    }

    fn directory(&self) -> PathBuf {
        self.desk.0.path().join(self.name)
    }

    /// A command in the directory, of which no HSM is a part.
    fn run(&self, line: &str) -> Done {
        let arguments: Vec<&str> = line.split(' ').collect();
        let mut command = self.desk.bare(&arguments);
        command.current_dir(self.directory());
        command.env("SOFTHSM_RS_KNOWN_UNITS", "known.json").env("SOFTHSM_RS_PASSPHRASE", self.name);
        command.env("SOFTHSM_RS_PART_PASSPHRASE", "part").env("SOFTHSM_RS_HOME", "/nonexistent");
        Done::of(&mut command)
    }

    fn key(&self) -> String {
        format!("{}.sigkey", self.name)
    }

    /// Brings a file to somebody else.
    fn carry(&self, file: &str, to: &Person<'_>) {
        fs::copy(self.directory().join(file), to.directory().join(file)).expect("a file to carry");
    }

    /// Changes a file on its way.
    fn alter(&self, file: &str, new: &str, change: impl FnOnce(String) -> String) {
        let text = fs::read_to_string(self.directory().join(file)).expect("a file");
        let changed = change(text.clone());
        assert_ne!(text, changed, "{file} is as it was");
        fs::write(self.directory().join(new), changed).expect("a changed file");
    }

    fn forget(&self, file: &str) {
        fs::remove_file(self.directory().join(file)).expect("a file to remove");
    }
}

/// The people, and an HSM whose files lie in the desk's home.
struct Ceremony<'a> {
    desk: &'a Desk,
    home: PathBuf,
    people: &'a [Person<'a>],
}

impl Ceremony<'_> {
    fn hsm(&self, line: &str) -> Done {
        let arguments: Vec<&str> = line.split(' ').collect();
        Done::of(
            self.desk.bare(&arguments).env("SOFTHSM_RS_HOME", &self.home).current_dir(self.desk.0.path()),
        )
    }

    fn prepared_by(&self) -> &Person<'_> {
        &self.people[0]
    }

    /// Makes a command by the last reply.
    fn prepare(&self, what: &str) {
        let _ = fs::remove_file(self.prepared_by().directory().join("command"));
        self.prepared_by().run(&format!("unit prepare {what} --for reply.json --out command")).succeeds();
    }

    /// Has it signed by some of the people, one after the other, each where he is.
    fn sign(&self, signers: &[usize]) {
        for signer in signers.iter().map(|signer| &self.people[*signer]) {
            if *signer.name != *self.prepared_by().name {
                self.prepared_by().carry("command", signer);
            }
            signer.run(&format!("unit sign command --yes --key {}", signer.key())).succeeds();
            if *signer.name != *self.prepared_by().name {
                signer.carry("command", self.prepared_by());
            }
        }
    }

    /// Gives it to the HSM.
    fn submit(&self) -> Done {
        let at = self.prepared_by().directory();
        let (command, reply) = (at.join("command"), at.join("reply.json"));
        self.hsm(&format!("unit submit {} --yes --json --reply {}", command.display(), reply.display()))
    }

    /// All three; the events.
    fn does(&self, what: &str, signers: &[usize]) -> Value {
        self.prepare(what);
        self.sign(signers);
        let done = self.submit().succeeds();
        serde_json::from_str::<Value>(&done.out).expect("JSON")["events"].clone()
    }

    fn is_refused(&self, what: &str, signers: &[usize], code: &str) {
        self.prepare(what);
        self.sign(signers);
        self.submit().fails(REFUSED, code);
    }

    fn status(&self) -> Value {
        let done = self.hsm("unit show --json").succeeds();
        serde_json::from_str::<Value>(&done.out).expect("JSON")["unit"].clone()
    }

    /// A unit in imprint mode, whose key its people know.
    fn begin(&self) {
        self.hsm("unit create").succeeds();
        let reply = self.prepared_by().directory().join("reply.json");
        let shown = self.hsm(&format!("unit show --json --out {}", reply.display())).succeeds();
        let fingerprint = serde_json::from_str::<Value>(&shown.out).expect("JSON")["fingerprint"].clone();
        for person in self.people {
            if *person.name != *self.prepared_by().name {
                self.prepared_by().carry("reply.json", person);
            }
            let fingerprint = fingerprint.as_str().expect("a fingerprint");
            person.run(&format!("unit trust reply.json --fingerprint {fingerprint}")).succeeds();
        }
    }

    /// Installs everybody and ends imprint mode.
    fn own(&self, permissions: &str) {
        for person in self.people {
            if *person.name != *self.prepared_by().name {
                person.carry(&format!("{}.pub", person.key()), self.prepared_by());
            }
            self.does(&format!("add-administrator {}.pub", person.key()), &[]);
        }
        self.does(&format!("set-thresholds --signature 2 --revocation 2{permissions}"), &[0, 1]);
    }

    /// Everybody's part, sealed to the importer key by the last reply.
    fn seal_parts(&self) {
        for (person, number) in self.people.iter().zip(1..) {
            if *person.name != *self.prepared_by().name {
                self.prepared_by().carry("reply.json", person);
            }
            let (key, out) = (person.key(), format!("part-{number}"));
            let part = format!("{}.keypart", person.name);
            let _ = fs::remove_file(person.directory().join(&out));
            person
                .run(&format!(
                    "unit part seal {part} --number {number} --of 3 --key {key} --for reply.json --out {out}"
                ))
                .succeeds();
            if *person.name != *self.prepared_by().name {
                person.carry(&out, self.prepared_by());
            }
        }
    }

    fn load(&self, parts: &str) -> Done {
        let _ = fs::remove_file(self.prepared_by().directory().join("command"));
        self.prepared_by().run(&format!("unit prepare load {parts} --out command")).succeeds();
        self.submit()
    }
}

fn people(desk: &Desk) -> Vec<Person<'_>> {
    let people: Vec<_> = ["alice", "bob", "carol"].map(|name| Person::of(desk, name)).into_iter().collect();
    for person in &people {
        person.run(&format!("unit key new {} --name {}", person.key(), person.name)).succeeds();
        person.run(&format!("unit part new {0}.keypart --name {0}", person.name)).succeeds();
    }
    people
}

/// The new register's verification pattern, which the unit itself tells.
fn pattern(ceremony: &Ceremony<'_>, register: &str) -> String {
    ceremony.status()[register]["verification_pattern"].as_str().expect("a pattern").to_owned()
}

#[test]
fn three_people_hold_a_ceremony_and_every_wrong_order_is_refused() {
    let desk = Desk::empty();
    let people = people(&desk);
    let ceremony = Ceremony { desk: &desk, home: desk.home(), people: &people };
    ceremony.begin();
    ceremony.is_refused("generate-importer", &[], "return code 179");
    ceremony.is_refused(&format!("commit {}", "00".repeat(32)), &[], "return code 179");
    ceremony.is_refused(
        "set-thresholds --signature 1 --revocation 1",
        &[],
        "return code 209, reason code 57",
    );
    ceremony.own("");
    ceremony.is_refused("generate-importer", &[], "return code 208");
    ceremony.is_refused(&format!("commit {}", "00".repeat(32)), &[0, 1], "return code 102");
    ceremony.is_refused(&format!("set-immediate {}", "00".repeat(32)), &[0], "return code 102");

    // Parts wait for an importer key.
    let unsealed = "unit part seal alice.keypart --key alice.sigkey --for reply.json --out early";
    people[0].run(unsealed).fails(REFUSED, "return code 102");
    ceremony.does("generate-importer", &[2]);
    ceremony.seal_parts();
    ceremony.load("part-1 part-2").fails(REFUSED, "return code 32");
    ceremony.load("part-1 part-2 part-2").fails(REFUSED, "return code 32");
    // In any order: the number of each is signed.
    ceremony.load("part-3 part-1 part-2").succeeds();
    let loaded = pattern(&ceremony, "new_register");
    ceremony.is_refused(&format!("set-immediate {loaded}"), &[0], "return code 102");
    ceremony.is_refused(&format!("commit {}", "11".repeat(32)), &[0, 1], "return code 101, reason code 48");
    ceremony.is_refused(&format!("commit {loaded}"), &[1], "return code 208");
    ceremony.does(&format!("commit {loaded}"), &[1, 2]);
    // What was carried out once, is not a second time.
    ceremony.submit().fails(REFUSED, "return code 163");
    let events = ceremony.does(&format!("set-immediate {loaded}"), &[2]);
    assert_eq!(events[0]["event"], "master-key-activated");
    assert_eq!(ceremony.status()["current_register"]["verification_pattern"], loaded.as_str());
    desk.run(&["token", "init", "web"]).succeeds();

    // An administrator who was removed signs for nothing any more.
    ceremony.is_refused("remove-administrator carol", &[0], "return code 208");
    ceremony.does("remove-administrator carol", &[0, 1]);
    ceremony.is_refused("clear-new", &[2], "return code 257");
    ceremony.is_refused("remove-administrator bob", &[0, 1], "return code 209, reason code 66");

    // The tokens are not thrown away by the way, and outlive the change of the master key.
    desk.run(&["key", "generate", "--type", "ec:p256", "--label", "old"]).succeeds();
    desk.run(&["unit", "mk-rotate"]).fails(REFUSED, "return code 102");
    ceremony.is_refused("generate-master-key", &[0], "return code 80, reason code 52");
    ceremony.does("set-thresholds --allow random", &[0, 1]);
    ceremony.does("generate-master-key", &[1]);
    let next = pattern(&ceremony, "new_register");
    ceremony.does(&format!("commit {next}"), &[0, 1]);
    ceremony.is_refused(&format!("set-immediate {next}"), &[0], "would be lost with the current one");
    let rotated = desk.run(&["unit", "mk-rotate"]).succeeds();
    assert!(rotated.out.starts_with("KMS CRK rewrap successful, waiting on cryptounit-mk-setimm."));
    let shown = desk.run(&["unit", "show"]).succeeds().out;
    assert!(shown.contains("1 of 1 partitions are wrapped under the new master key"), "{shown}");
    ceremony.is_refused(
        &format!("set-immediate {}", "22".repeat(32)),
        &[0],
        "return code 101, reason code 48",
    );
    ceremony.does(&format!("set-immediate {next}"), &[0]);
    assert_eq!(ceremony.status()["current_register"]["verification_pattern"], next.as_str());
    assert_eq!(ceremony.status()["epoch"], 2);
    assert!(desk.run(&["key", "list"]).succeeds().out.contains("old"));
    desk.run(&["key", "generate", "--type", "aes:256", "--label", "disk"]).succeeds();

    // All of it is in the log, with who it was.
    let shown = desk.run(&["audit", "show"]).succeeds().out;
    for words in [
        "unit.set-immediate  success  \"carol\"",
        "unit.remove-administrator  failure  too few administrators signed the command  \"alice\"",
        "unit.remove-administrator  success  \"alice, bob\"",
        "unit.commit  success  \"alice, bob\"",
        "unit.rewrap-partitions  success",
    ] {
        assert!(shown.contains(words), "{words} is not in:\n{shown}");
    }
    desk.run(&["audit", "verify"]).succeeds();

    ceremony.prepare("zeroize");
    ceremony.sign(&[0]);
    let command = people[0].directory().join("command");
    let unasked = ceremony.hsm(&format!("unit submit {}", command.display()));
    unasked.fails(2, "all keys under the current master key are lost");
    ceremony.submit().succeeds();
    assert_eq!(ceremony.status()["ownership"], "imprint mode");
    desk.run(&["key", "list"]).fails(7, "imprint mode");

    // What was under the lost master key is closed, and does not keep anybody from beginning anew.
    let done = desk.run(&["init"]);
    assert_eq!((done.code, done.err.contains("another master key")), (8, true), "{}", done.err);
    let clear = desk.0.path().join("clear").display().to_string();
    desk.run(&["unit", "prepare", "clear-new", "--out", &clear]).succeeds();
    let key = desk.home().join("ceremony/administrator-1.sigkey").display().to_string();
    desk.run(&["unit", "sign", &clear, "--yes", "--no-passphrase", "--key", &key]).succeeds();
    desk.run(&["unit", "submit", &clear]).succeeds();
    for entry in fs::read_dir(desk.home()).expect("the home") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if name.starts_with("softhsm-rs.sqlite") {
            fs::remove_file(path).expect("removing the store");
        }
    }
    desk.run(&["init"]).succeeds();
    desk.run(&["token", "init", "web"]).succeeds();
}

#[test]
fn what_is_altered_on_its_way_is_refused() {
    let desk = Desk::empty();
    let people = people(&desk);
    let ceremony = Ceremony { desk: &desk, home: desk.home(), people: &people };
    ceremony.begin();
    ceremony.own("");
    ceremony.does("generate-importer", &[0]);
    let alice = &people[0];
    let importer = |text: &str| {
        let begin = text.find("importer_key\\\":\\\"").expect("an importer key") + 17;
        begin..begin + 266
    };
    let stranger = "04".to_owned() + &"7".repeat(264);
    alice.alter("reply.json", "importer.json", |mut text| {
        text.replace_range(importer(&text), &stranger);
        text
    });
    alice.alter("reply.json", "counter.json", |text| {
        text.replace("transaction_counter\\\":\\\"5", "transaction_counter\\\":\\\"9")
    });
    alice.alter("reply.json", "threshold.json", |text| {
        text.replace("\\\"signature\\\":2", "\\\"signature\\\":1")
    });
    for altered in ["importer.json", "counter.json", "threshold.json"] {
        let seal = format!("unit part seal alice.keypart --key alice.sigkey --for {altered} --out sealed");
        alice.run(&seal).fails(REFUSED, "return code 192");
        let prepare = format!("unit prepare clear-new --for {altered} --out command-2");
        alice.run(&prepare).fails(REFUSED, "return code 192");
    }

    // A threshold in a command that was signed already.
    ceremony.prepare("set-thresholds --signature 2 --revocation 3");
    ceremony.sign(&[0, 1]);
    alice.alter("command", "altered", |text| {
        let der = pem_body(&text);
        let at = der.windows(4).rposition(|bytes| bytes == [0, 0, 0, 3]).expect("the threshold") + 3;
        let mut der = der;
        der[at] = 1;
        pem(&der)
    });
    fs::rename(alice.directory().join("altered"), alice.directory().join("command")).expect("renaming");
    ceremony.submit().fails(REFUSED, "return code 192");

    // One unit's statement under another's key is nobody's.
    let other = Ceremony { desk: &desk, home: desk.0.path().join("other"), people: &people };
    other.hsm("unit create").succeeds();
    let path = alice.directory().join("other.json");
    other.hsm(&format!("unit show --out {}", path.display())).succeeds();
    alice.run("unit prepare clear-new --for other.json --out command-3").fails(NOT_TRUSTED, "not known here");
    let wrong = "ab".repeat(32);
    alice.run(&format!("unit trust other.json --fingerprint {wrong}")).fails(NOT_TRUSTED, "fingerprint");
    alice.run("unit trust other.json").fails(2, "no terminal");
}

#[test]
fn a_command_counts_for_its_time_and_its_unit_alone() {
    let desk = Desk::empty();
    let people = people(&desk);
    let ceremony = Ceremony { desk: &desk, home: desk.home(), people: &people };
    ceremony.begin();
    ceremony.own("");
    ceremony.prepare("generate-importer --expires 1");
    ceremony.sign(&[0]);
    std::thread::sleep(std::time::Duration::from_millis(2100));
    ceremony.submit().fails(REFUSED, "time has passed");
    people[0].forget("command");
    let other = Ceremony { desk: &desk, home: desk.0.path().join("other"), people: &people };
    other.hsm("unit create").succeeds();
    ceremony.prepare("generate-importer");
    ceremony.sign(&[0]);
    other.submit().fails(REFUSED, "return code 3");
    // What is signed is shown before anybody is asked.
    let asked = people[0].run("unit sign command --key alice.sigkey").fails(2, "no terminal");
    for words in ["generate importer key", "counter", "counts until"] {
        assert!(asked.err.contains(words), "{}", asked.err);
    }
    // Signed twice by one, it has one signature.
    people[0].run("unit sign command --yes --key alice.sigkey").fails(10, "signed with this key already");
    people[0].run("unit sign command --yes --key bob.sigkey").fails(12, "bob.sigkey");
    ceremony.submit().succeeds();
}

#[test]
fn a_master_key_goes_to_a_second_unit_and_only_encrypted() {
    let desk = Desk::empty();
    let people = people(&desk);
    let first = Ceremony { desk: &desk, home: desk.home(), people: &people };
    first.begin();
    first.own(" --allow export");
    first.does("generate-importer", &[0]);
    first.seal_parts();
    first.load("part-1 part-2 part-3").succeeds();
    let pattern = pattern(&first, "new_register");
    first.does(&format!("commit {pattern}"), &[0, 2]);
    first.does(&format!("set-immediate {pattern}"), &[0]);
    let alice = &people[0];
    fs::rename(alice.directory().join("reply.json"), alice.directory().join("first.json")).expect("renaming");

    let second = Ceremony { desk: &desk, home: desk.0.path().join("second"), people: &people };
    second.begin();
    second.own(" --allow single-part");
    second.does("generate-importer", &[1]);
    fs::rename(alice.directory().join("reply.json"), alice.directory().join("second.json"))
        .expect("renaming");

    fs::rename(alice.directory().join("first.json"), alice.directory().join("reply.json")).expect("renaming");
    first.is_refused("export-current --to second.json", &[0], "return code 208");
    first.does("export-current --to second.json", &[0, 1]);
    fs::rename(alice.directory().join("reply.json"), alice.directory().join("export.json"))
        .expect("renaming");
    fs::rename(alice.directory().join("second.json"), alice.directory().join("reply.json"))
        .expect("renaming");
    let seal = "unit part seal --exported export.json --key alice.sigkey --for reply.json --out exported";
    alice.run(seal).succeeds();
    second.load("exported").succeeds();
    second.does(&format!("commit {pattern}"), &[0, 1]);
    second.does(&format!("set-immediate {pattern}"), &[1]);
    alice.run("unit compare export.json reply.json").succeeds();
    second.does("remove-administrator carol", &[0, 1]);
    let compared = alice.run("unit compare export.json reply.json --json");
    assert_eq!((compared.code, compared.err.contains("the units differ: administrators")), (1, true));
}

#[test]
fn a_damaged_store_keeps_nobody_from_zeroizing() {
    let desk = Desk::with_token();
    let command = desk.0.path().join("command").display().to_string();
    let key = desk.home().join("ceremony/administrator-1.sigkey").display().to_string();
    desk.run(&["unit", "prepare", "zeroize", "--out", &command]).succeeds();
    desk.run(&["unit", "sign", &command, "--yes", "--no-passphrase", "--key", &key]).succeeds();
    for entry in fs::read_dir(desk.home()).expect("the home") {
        let path = entry.expect("an entry").path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("softhsm-rs.sqlite")) {
            fs::write(path, "damaged").expect("damaging the store");
        }
    }
    desk.run(&["token", "list"]).fails(8, "softhsm-rs.sqlite");
    desk.run(&["unit", "submit", &command, "--yes"]).succeeds();
    assert_eq!(desk.json(&["unit", "show"])["unit"]["ownership"], "imprint mode");
}

#[test]
fn a_name_in_a_public_key_file_moves_no_cursor() {
    let desk = Desk::empty();
    let file = desk.0.path().join("mallory.sigkey").display().to_string();
    desk.run(&["unit", "key", "new", &file, "--name", "mallory", "--no-passphrase"]).succeeds();
    let public = fs::read_to_string(format!("{file}.pub")).expect("a public key");
    let forged = desk.file("forged.pub", &public.replace("\"mallory\"", "\"\\u001b[2Jmallory\""));
    let shown = desk.run(&["unit", "key", "show", &forged]).succeeds().out;
    assert!(shown.contains("mallory") && !shown.contains('\u{1b}'), "{shown:?}");
}

fn pem_body(text: &str) -> Vec<u8> {
    let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    data_encoding::BASE64.decode(body.as_bytes()).expect("base64")
}

fn pem(der: &[u8]) -> String {
    const LABEL: &str = "SOFTHSM UNIT COMMAND";
    let body = data_encoding::BASE64.encode(der);
    let lines: Vec<&str> = (0..body.len()).step_by(64).map(|at| &body[at..body.len().min(at + 64)]).collect();
    format!("-----BEGIN {LABEL}-----\n{}\n-----END {LABEL}-----\n", lines.join("\n"))
}
