//! What somebody does to the audit log who writes the store, or the file that it was exported to, and what `audit
//! verify` says of it.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use serde_json::Value;

use crate::desk::{Desk, Done};

/// The log's space in the store.
const LOG: [u8; 16] = [0xff; 16];
const DAMAGED: i32 = 8;

/// An HSM with a token and some keys: a dozen events under some seals.
fn desk() -> Desk {
    let desk = Desk::with_token();
    for label in ["first", "second", "third"] {
        generate(&desk, label);
    }
    desk
}

fn generate(desk: &Desk, label: &str) {
    desk.run(&["key", "generate", "--type", "aes:256", "--label", label]).succeeds();
}

fn database(desk: &Desk) -> Connection {
    Connection::open(desk.home().join("softhsm-rs.sqlite")).expect("the database")
}

fn id(number: u64) -> [u8; 16] {
    u128::from(number).to_be_bytes()
}

fn sealed(database: &Connection, number: u64) -> Vec<u8> {
    let sql = "SELECT sealed FROM records WHERE partition = ?1 AND id = ?2";
    database.query_row(sql, params![LOG, id(number)], |row| row.get(0)).expect("a record")
}

fn put(database: &Connection, number: u64, sealed: &[u8]) {
    let sql = "UPDATE records SET sealed = ?3 WHERE partition = ?1 AND id = ?2";
    assert_eq!(database.execute(sql, params![LOG, id(number), sealed]).expect("an update"), 1);
}

fn delete(database: &Connection, number: u64) {
    let sql = "DELETE FROM records WHERE partition = ?1 AND id = ?2";
    assert_eq!(database.execute(sql, params![LOG, id(number)]).expect("a deletion"), 1);
}

/// The log as lines of JSON.
fn lines(desk: &Desk) -> Vec<String> {
    desk.run(&["audit", "export"]).succeeds().out.lines().map(str::to_owned).collect()
}

/// The number of the first seal, and of the last entry.
fn first_seal_and_last(desk: &Desk) -> (u64, u64) {
    let lines = lines(desk);
    let first = lines.iter().position(|line| line.contains("\"seal\":")).expect("a seal");
    (first as u64 + 1, lines.len() as u64)
}

/// Puts files as they were in another place.
fn copy(from: &Path, to: &Path) {
    let done = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().expect("cp");
    assert!(done.success());
}

fn store_files(desk: &Desk) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(desk.home()).expect("the home");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .filter(|path| {
            path.file_name().is_some_and(|it| it.to_string_lossy().starts_with("softhsm-rs.sqlite"))
        })
        .collect()
}

/// What somebody does to a store.
type Spoil<'a> = &'a dyn Fn(&Connection);

#[test]
fn what_was_done_to_the_store_is_named() {
    let desk = desk();
    let other = self::desk();
    let (seal, last) = first_seal_and_last(&desk);
    assert!(last > 8, "{last}");
    let kept = desk.0.path().join("kept");
    copy(&desk.home(), &kept);
    let foreign = sealed(&database(&other), 3);
    let spoils: [(&str, Spoil<'_>, String); 7] = [
        (
            "a byte changed",
            &|database| {
                let mut bytes = sealed(database, 3);
                bytes[40] ^= 1;
                put(database, 3, &bytes);
            },
            "event 3: it is not what was written there".into(),
        ),
        ("an event dropped", &|database| delete(database, 4), "event 4: it is missing".into()),
        ("the end cut off", &|database| delete(database, last), format!("event {last}: it is missing")),
        (
            "two swapped",
            &|database| {
                let (three, four) = (sealed(database, 3), sealed(database, 4));
                put(database, 3, &four);
                put(database, 4, &three);
            },
            "event 3: it is not what was written there".into(),
        ),
        ("of another HSM", &|database| put(database, 3, &foreign), "event 3: it is not what was".into()),
        ("a seal dropped", &|database| delete(database, seal), format!("event {seal}: it is missing")),
        (
            "a seal in place of an event",
            &|database| put(database, 3, &sealed(database, seal)),
            "event 3: it is not what was written there".into(),
        ),
    ];
    for (name, spoil, words) in spoils {
        std::fs::remove_dir_all(desk.home()).expect("removing the home");
        copy(&kept, &desk.home());
        desk.run(&["audit", "verify"]).succeeds();
        spoil(&database(&desk));
        let done = desk.run(&["audit", "verify"]);
        assert_eq!((done.code, done.err.contains(&words)), (DAMAGED, true), "{name}: {}", done.err);
    }
}

#[test]
fn the_whole_log_of_another_hsm_is_found() {
    let (desk, other) = (desk(), desk());
    let mine = database(&desk);
    let path = other.home().join("softhsm-rs.sqlite").display().to_string();
    mine.execute("ATTACH DATABASE ?1 AS other", params![path]).expect("attaching");
    mine.execute("DELETE FROM main.records WHERE partition = ?1", params![LOG]).expect("a deletion");
    let sql = "INSERT INTO main.records SELECT * FROM other.records WHERE partition = ?1";
    assert!(mine.execute(sql, params![LOG]).expect("a copy") > 8);
    drop(mine);
    desk.run(&["audit", "verify"]).fails(DAMAGED, "the head of the audit log");
}

#[test]
fn log_and_store_rolled_back_together_are_found_by_the_unit() {
    let desk = desk();
    let kept = desk.0.path().join("kept");
    std::fs::create_dir(&kept).expect("a directory");
    store_files(&desk).iter().for_each(|file| copy(file, &kept));
    let (_, before) = first_seal_and_last(&desk);
    generate(&desk, "lost");
    let (_, known) = first_seal_and_last(&desk);
    assert!(known > before);
    let put_back = || {
        store_files(&desk).iter().for_each(|file| std::fs::remove_file(file).expect("removing"));
        for entry in std::fs::read_dir(&kept).expect("what was kept") {
            copy(&entry.expect("an entry").path(), &desk.home());
        }
    };
    put_back();
    let words = format!("ends at entry {before}, and does not go on from entry {known} that the unit knows");
    desk.run(&["audit", "verify"]).fails(DAMAGED, &words);
    desk.run(&["audit", "seal"]).fails(DAMAGED, "does not go on from");
    // Nor when it has grown past that again: another entry is there now.
    for label in ["fourth", "fifth", "sixth"] {
        generate(&desk, label);
    }
    desk.run(&["audit", "verify"]).fails(DAMAGED, "does not go on from");
    // Who meant it says so, in the log too.
    desk.run(&["audit", "seal", "--accept"]).succeeds();
    desk.run(&["audit", "verify"]).succeeds();
    assert!(desk.run(&["audit", "show"]).succeeds().out.contains("audit.accept  success"));
}

#[test]
fn a_store_that_was_made_anew_is_not_taken_for_the_first() {
    let desk = desk();
    store_files(&desk).iter().for_each(|file| std::fs::remove_file(file).expect("removing"));
    desk.run(&["init"]).succeeds();
    desk.run(&["audit", "verify"]).fails(DAMAGED, "that the unit knows");
}

// ---- the exported log ----

/// A command on a machine without an HSM.
fn auditor(desk: &Desk, arguments: &[&str]) -> Done {
    let mut command = desk.bare(arguments);
    command
        .env("SOFTHSM_RS_HOME", "/nonexistent")
        .env("SOFTHSM_RS_KNOWN_UNITS", desk.0.path().join("known.json"));
    Done::of(&mut command)
}

fn export(desk: &Desk) -> (String, String) {
    let path = |name: &str| desk.0.path().join(name).display().to_string();
    let (log, key) = (path("log.jsonl"), path("audit.pub"));
    desk.run(&["audit", "export", "--out", &log]).succeeds();
    desk.run(&["audit", "key", "--out", &key]).succeeds();
    (log, key)
}

#[test]
fn an_exported_log_is_checked_without_the_hsm() {
    let desk = desk();
    let (log, key) = export(&desk);
    let done = auditor(&desk, &["audit", "verify", "--file", &log, "--key", &key, "--json"]).succeeds();
    let found: Value = serde_json::from_str(&done.out).expect("JSON");
    assert_eq!((&found["unsealed"], &found["sealed"]), (&0.into(), &found["last"]));
    assert_eq!(found["link"], desk.json(&["audit", "verify"])["link"]);
    let fingerprint = desk.json(&["audit", "key"])["fingerprint"].as_str().expect("a fingerprint").to_owned();
    assert_eq!(found["key"], fingerprint.as_str());
    auditor(&desk, &["audit", "verify", "--file", &log, "--key", &fingerprint]).succeeds();
    let unasked = auditor(&desk, &["audit", "verify", "--file", &log]).succeeds();
    assert!(unasked.err.contains("compare the fingerprint"), "{}", unasked.err);
    desk.run(&["audit", "export", "--out", &log]).fails(12, "log.jsonl");
    // A part of it, from an event on.
    let part = desk.0.path().join("part.jsonl").display().to_string();
    desk.run(&["audit", "export", "--since", "4", "--out", &part]).succeeds();
    auditor(&desk, &["audit", "verify", "--file", &part, "--key", &key]).succeeds();
}

/// The line of a seal with the link that its bytes have.
fn linked_anew(line: &str) -> String {
    use sha2::{Digest, Sha256};
    let value: Value = serde_json::from_str(line).expect("JSON");
    let before = data_encoding::HEXLOWER.decode(value["before"].as_str().expect("a link").as_bytes());
    let mut hash = Sha256::new();
    hash.update(before.expect("hexadecimal digits"));
    hash.update(value["sequence"].as_u64().expect("a number").to_be_bytes());
    let json = line.split_once("\"seal\":").expect("a seal").1.strip_suffix('}').expect("an end");
    hash.update(json);
    let link = data_encoding::HEXLOWER.encode(&hash.finalize());
    line.replace(value["link"].as_str().expect("a link"), &link)
}

#[test]
fn what_was_done_to_an_exported_log_is_named() {
    let desk = desk();
    let (log, key) = export(&desk);
    let text = std::fs::read_to_string(&log).expect("the log");
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let seal = lines.iter().position(|line| line.contains("\"seal\":")).expect("a seal");
    let check = |lines: &[String], words: &str| {
        let spoiled = desk.file("spoiled.jsonl", &format!("{}\n", lines.join("\n")));
        auditor(&desk, &["audit", "verify", "--file", &spoiled, "--key", &key]).fails(DAMAGED, words);
    };
    let with = |change: &dyn Fn(&mut Vec<String>)| {
        let mut changed = lines.clone();
        change(&mut changed);
        changed
    };
    let forge = |lines: &mut Vec<String>| lines[2] = lines[2].replace("\"success\"", "\"failure\"");
    check(&with(&forge), "event 3: it is not what was written there");
    check(&with(&|lines| drop(lines.remove(3))), "event 4: it is missing");
    check(&with(&|lines| drop(lines.remove(seal))), &format!("event {}: it is missing", seal + 1));
    check(&with(&|lines| lines.swap(2, 3)), "event 3: it is missing");
    check(&lines[..seal], "no seal in the file");
    let foreign = self::lines(&self::desk());
    check(&foreign, "is by another key");
    check(
        &with(&|lines| lines[5].clone_from(&foreign[5])),
        "event 6: it does not follow from the event before",
    );
    // A signature of another seal, with the link computed anew: by somebody who has no key.
    let signature = |line: &str| {
        let value: Value = serde_json::from_str(line).expect("JSON");
        value["seal"]["signature"].as_str().expect("a signature").to_owned()
    };
    let last = lines.last().expect("a line");
    let resign = |lines: &mut Vec<String>| {
        let resigned = last.replace(&signature(last), &signature(&lines[seal]));
        let at = lines.len() - 1;
        lines[at] = linked_anew(&resigned);
    };
    let words = format!("event {}: it is a seal whose signature is not one", lines.len());
    check(&with(&resign), &words);
    // Cut off behind a seal, it is whole, and who knows the last link sees what is missing.
    let cut = desk.file("cut.jsonl", &format!("{}\n", lines[..=seal].join("\n")));
    auditor(&desk, &["audit", "verify", "--file", &cut, "--key", &key]).succeeds();
    let link = desk.json(&["audit", "verify"])["link"].as_str().expect("a link").to_owned();
    let expecting = ["audit", "verify", "--key", &key, "--expect", &link, "--file"];
    auditor(&desk, &[&expecting[..], &[&cut]].concat()).fails(DAMAGED, "does not go on from the link");
    auditor(&desk, &[&expecting[..], &[&log]].concat()).succeeds();
}

#[test]
fn after_a_zeroize_the_units_reply_proves_where_the_log_ended() {
    let desk = desk();
    let (early, _) = export(&desk);
    let path = |name: &str| desk.0.path().join(name).display().to_string();
    let (command, reply, log) = (path("zeroize.cmd"), path("reply.json"), path("last.jsonl"));
    let key = desk.home().join("ceremony/administrator-1.sigkey").display().to_string();
    desk.run(&["unit", "prepare", "zeroize", "--out", &command]).succeeds();
    desk.run(&["unit", "sign", &command, "--yes", "--no-passphrase", "--key", &key]).succeeds();
    let submit = ["unit", "submit", &command, "--yes", "--reply", &reply, "--log", &log];
    assert!(desk.run(&submit).succeeds().out.contains("ended at entry"));
    desk.run(&["audit", "verify"]).fails(7, "imprint mode");

    let against = |file: &str| auditor(&desk, &["audit", "verify", "--file", file, "--statement", &reply]);
    against(&log).fails(14, "is not known here");
    let fingerprint = desk.json(&["unit", "show"])["fingerprint"].as_str().expect("a fingerprint").to_owned();
    auditor(&desk, &["unit", "trust", &reply, "--fingerprint", &fingerprint]).succeeds();
    let done = against(&log).succeeds();
    assert!(std::fs::read_to_string(&log).expect("the log").contains("unit.zeroize"), "{}", done.out);
    against(&early).fails(DAMAGED, "that the unit knew");
    // A new HSM, and its own log.
    store_files(&desk).iter().for_each(|file| std::fs::remove_file(file).expect("removing"));
    std::fs::remove_dir_all(desk.home().join("ceremony")).expect("removing the ceremony");
    desk.run(&["init"]).succeeds();
    desk.run(&["audit", "verify"]).succeeds();
}
