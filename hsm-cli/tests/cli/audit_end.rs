//! The end of an audit log: what is refused before a command that ends it is carried out, and what is known of it
//! afterwards.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use serde_json::Value;

use crate::desk::{Desk, Done};

/// The log's space in the store.
const LOG: [u8; 16] = [0xff; 16];
const DAMAGED: i32 = 8;

fn path(desk: &Desk, name: &str) -> String {
    desk.0.path().join(name).display().to_string()
}

/// Makes a command and signs it by all administrators.
fn sign(desk: &Desk, what: &[&str]) -> String {
    let command = path(desk, "command");
    let _ = fs::remove_file(&command);
    desk.run(&[&["unit", "prepare"], what, &["--out", &command]].concat()).succeeds();
    for key in ceremony(desk, "sigkey") {
        desk.run(&["unit", "sign", &command, "--yes", "--no-passphrase", "--key", &key]).succeeds();
    }
    command
}

/// The same, submitted.
fn does(desk: &Desk, what: &[&str]) {
    let command = sign(desk, what);
    desk.run(&["unit", "submit", &command, "--yes"]).succeeds();
}

/// What the quick ceremony left of this kind, by number.
fn ceremony(desk: &Desk, kind: &str) -> Vec<String> {
    let entries = fs::read_dir(desk.home().join("ceremony")).expect("the ceremony");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == kind));
    files.sort();
    files.iter().map(|file| file.display().to_string()).collect()
}

/// Puts the master key of the ceremony into use again.
fn load_anew(desk: &Desk) {
    does(desk, &["generate-importer"]);
    let (key, parts) = (&ceremony(desk, "sigkey")[0], ceremony(desk, "keypart"));
    let sealed: Vec<String> = (1..=parts.len()).map(|number| path(desk, &format!("part-{number}"))).collect();
    let command = path(desk, "load");
    for earlier in sealed.iter().chain([&command]) {
        let _ = fs::remove_file(earlier);
    }
    for ((part, out), number) in parts.iter().zip(&sealed).zip(1..) {
        let (number, of) = (number.to_string(), parts.len().to_string());
        let place = ["--number", &number, "--of", &of, "--out", out];
        let open = ["--no-part-passphrase", "--no-passphrase", "--key", key];
        desk.run(&[&["unit", "part", "seal", part][..], &place, &open].concat()).succeeds();
    }
    let sealed: Vec<&str> = sealed.iter().map(String::as_str).collect();
    desk.run(&[&["unit", "prepare", "load", "--out", &command], &sealed[..]].concat()).succeeds();
    desk.run(&["unit", "submit", &command]).succeeds();
    let unit = desk.json(&["unit", "show"]);
    let pattern =
        unit["unit"]["new_register"]["verification_pattern"].as_str().expect("a pattern").to_owned();
    does(desk, &["commit", &pattern]);
    does(desk, &["set-immediate", &pattern]);
}

fn generate(desk: &Desk, label: &str) {
    desk.run(&["key", "generate", "--type", "aes:256", "--label", label]).succeeds();
}

fn last_line(desk: &Desk) -> Value {
    let shown = desk.run(&["audit", "show", "--json"]).out;
    let mut events = shown.lines().filter(|line| line.contains("\"event\":"));
    serde_json::from_str(events.next_back().expect("an event")).expect("JSON")
}

fn store_files(home: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(home).expect("the home").map(|entry| entry.expect("an entry").path());
    let is_store = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("softhsm-rs.sqlite"))
    };
    entries.filter(is_store).collect()
}

#[test]
fn a_damaged_log_is_lost_by_nobody_who_did_not_say_so() {
    let desk = Desk::with_token();
    let command = sign(&desk, &["zeroize"]);
    let id = u128::from(3_u8).to_be_bytes();
    let database = Connection::open(desk.home().join("softhsm-rs.sqlite")).expect("the database");
    let sql = "DELETE FROM records WHERE partition = ?1 AND id = ?2";
    assert_eq!(database.execute(sql, params![LOG, id]).expect("a deletion"), 1);
    drop(database);
    let log = path(&desk, "last.jsonl");
    let submit = ["unit", "submit", &command, "--yes", "--log", &log];
    let done = desk.run(&submit).fails(DAMAGED, "broken at event 3: it is missing");
    assert!(done.err.contains("--accept-damaged-log"), "{}", done.err);
    assert!(!Path::new(&log).exists());
    // It was recorded before it was to be done, and so is that it was not.
    assert_eq!(desk.json(&["unit", "show"])["unit"]["ownership"], "secure");
    let since = ["audit", "show", "--json", "--since", "5"];
    let shown = desk.run(&since).succeeds().out;
    let told: Vec<Value> = shown.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let told: Vec<&Value> = told.iter().filter(|entry| entry["event"]["action"] == "unit.zeroize").collect();
    let [carried_out, refused] = told.as_slice() else { panic!("{shown}") };
    assert_eq!(carried_out["event"]["outcome"], "success");
    assert_eq!(refused["event"]["outcome"], "failure");
    assert_eq!(refused["event"]["reason"]["reasonType"], "the command was not carried out");

    let done = desk.run(&[&submit[..], &["--accept-damaged-log"]].concat()).succeeds();
    assert!(done.err.contains("carried out all the same"), "{}", done.err);
    assert_eq!(fs::read_to_string(&log).expect("the log").lines().count(), 2);
    assert_eq!(desk.json(&["unit", "show"])["unit"]["ownership"], "imprint mode");
}

#[test]
fn a_log_that_was_rolled_back_is_not_lost_either() {
    let desk = Desk::with_token();
    let kept: Vec<(PathBuf, Vec<u8>)> = store_files(&desk.home())
        .into_iter()
        .map(|file| (file.clone(), fs::read(file).expect("a file of the store")))
        .collect();
    generate(&desk, "lost");
    store_files(&desk.home()).iter().for_each(|file| fs::remove_file(file).expect("removing"));
    kept.iter().for_each(|(file, bytes)| fs::write(file, bytes).expect("putting it back"));
    let command = sign(&desk, &["clear-current"]);
    let log = path(&desk, "last.jsonl");
    let submit = ["unit", "submit", &command, "--yes", "--log", &log];
    desk.run(&submit).fails(DAMAGED, "that the unit knows");
    desk.run(&[&submit[..], &["--accept-damaged-log"]].concat()).succeeds();
}

#[test]
fn what_can_be_known_before_is_refused_before_anything_is_recorded() {
    let desk = Desk::with_token();
    let command = sign(&desk, &["zeroize"]);
    let before = desk.json(&["audit", "verify"])["last"].clone();
    let taken = desk.file("taken", "mine");
    desk.run(&["unit", "submit", &command, "--yes", "--log", &taken]).fails(12, "taken");
    let nowhere = path(&desk, "none/last.jsonl");
    desk.run(&["unit", "submit", &command, "--yes", "--log", &nowhere]).fails(12, "none/last.jsonl");
    assert_eq!(fs::read_to_string(taken).expect("the file"), "mine");
    let command = sign(&desk, &["generate-importer"]);
    let log = path(&desk, "last.jsonl");
    desk.run(&["unit", "submit", &command, "--yes", "--log", &log]).fails(2, "does not end the audit log");
    desk.run(&["unit", "submit", &command, "--accept-damaged-log"]).fails(2, "--log");
    assert!(!Path::new(&log).exists());
    assert_eq!(desk.json(&["audit", "verify"])["last"], before);
    // A command that the unit refuses leaves no file.
    let stale = path(&desk, "stale");
    fs::rename(sign(&desk, &["zeroize"]), &stale).expect("renaming");
    does(&desk, &["generate-importer"]);
    desk.run(&["unit", "submit", &stale, "--yes", "--log", &log]).fails(15, "return code 163");
    assert!(!Path::new(&log).exists());
    assert_eq!(last_line(&desk)["event"]["outcome"], "failure");
}

/// A command on a machine without an HSM.
fn auditor(desk: &Desk, arguments: &[&str]) -> Done {
    let mut command = desk.bare(arguments);
    command
        .env("SOFTHSM_RS_HOME", "/nonexistent")
        .env("SOFTHSM_RS_KNOWN_UNITS", desk.0.path().join("known.json"));
    Done::of(&mut command)
}

#[test]
fn a_log_that_goes_on_under_the_same_master_key_is_held_against_all_that_is_known() {
    let desk = Desk::with_token();
    generate(&desk, "before");
    let (closed, old) = (path(&desk, "closed.json"), path(&desk, "closed.jsonl"));
    let command = sign(&desk, &["clear-current"]);
    desk.run(&["unit", "submit", &command, "--yes", "--reply", &closed, "--log", &old]).succeeds();
    let kept: Vec<(PathBuf, Vec<u8>)> = store_files(&desk.home())
        .into_iter()
        .map(|file| (file.clone(), fs::read(file).expect("a file of the store")))
        .collect();
    load_anew(&desk);
    generate(&desk, "after");
    generate(&desk, "last");
    desk.run(&["audit", "verify"]).succeeds();

    let (log, now) = (path(&desk, "log.jsonl"), path(&desk, "now.json"));
    desk.run(&["audit", "export", "--out", &log]).succeeds();
    let fingerprint = desk.json(&["unit", "show", "--out", &now])["fingerprint"].clone();
    let fingerprint = fingerprint.as_str().expect("a fingerprint");
    auditor(&desk, &["unit", "trust", &now, "--fingerprint", fingerprint]).succeeds();
    let against = |file: &str, statement: &str| {
        auditor(&desk, &["audit", "verify", "--file", file, "--statement", statement])
    };
    against(&log, &now).succeeds();
    against(&log, &closed).succeeds();
    against(&old, &closed).succeeds();
    // Cut off behind a seal that is beyond the one at which it was closed.
    let text = fs::read_to_string(&log).expect("the log");
    let lines: Vec<&str> = text.lines().collect();
    let old_lines = fs::read_to_string(&old).expect("the log").lines().count();
    let is_seal = |at: &usize| lines[*at].contains("\"seal\":");
    let cut = (old_lines..lines.len() - 1).find(is_seal).expect("a seal") + 1;
    let cut = desk.file("cut.jsonl", &format!("{}\n", lines[..cut].join("\n")));
    let done = against(&cut, &now).fails(DAMAGED, "does not have the entry");
    assert!(done.err.contains("reply to the command that closed it"), "{}", done.err);
    against(&cut, &closed).succeeds();
    against(&old, &now).fails(DAMAGED, "does not have the entry");

    // And a store of before, put back while there was no master key, is found.
    let command = sign(&desk, &["clear-current"]);
    desk.run(&["unit", "submit", &command, "--yes"]).succeeds();
    store_files(&desk.home()).iter().for_each(|file| fs::remove_file(file).expect("removing"));
    kept.iter().for_each(|(file, bytes)| fs::write(file, bytes).expect("putting it back"));
    load_anew(&desk);
    desk.run(&["audit", "verify"]).fails(DAMAGED, "that the unit knows");
    generate(&desk, "another");
    desk.run(&["audit", "seal"]).fails(DAMAGED, "that the unit knows");
    desk.run(&["audit", "seal", "--accept"]).succeeds();
    desk.run(&["audit", "verify"]).succeeds();
}

#[test]
fn a_new_log_after_a_zeroize_is_not_held_against_the_old_one() {
    let desk = Desk::with_token();
    (0..6).for_each(|number| generate(&desk, &number.to_string()));
    let (closed, old) = (path(&desk, "closed.json"), path(&desk, "closed.jsonl"));
    let command = sign(&desk, &["zeroize"]);
    desk.run(&["unit", "submit", &command, "--yes", "--reply", &closed, "--log", &old]).succeeds();
    store_files(&desk.home()).iter().for_each(|file| fs::remove_file(file).expect("removing"));
    fs::remove_dir_all(desk.home().join("ceremony")).expect("removing the ceremony");
    desk.run(&["init"]).succeeds();
    desk.run(&["audit", "verify"]).succeeds();
    let (log, now) = (path(&desk, "log.jsonl"), path(&desk, "now.json"));
    desk.run(&["audit", "export", "--out", &log]).succeeds();
    let fingerprint = desk.json(&["unit", "show", "--out", &now])["fingerprint"].clone();
    let fingerprint = fingerprint.as_str().expect("a fingerprint");
    auditor(&desk, &["unit", "trust", &now, "--fingerprint", fingerprint]).succeeds();
    for (file, statement) in [(&log, &now), (&old, &closed), (&old, &now)] {
        auditor(&desk, &["audit", "verify", "--file", file, "--statement", statement]).succeeds();
    }
    let old = fs::read_to_string(&old).expect("the log");
    let half: Vec<&str> = old.lines().take(4).collect();
    let half = desk.file("half.jsonl", &format!("{}\n", half.join("\n")));
    for statement in [&closed, &now] {
        let arguments = ["audit", "verify", "--file", &half, "--statement", statement];
        assert_eq!(auditor(&desk, &arguments).code, DAMAGED);
    }
}
