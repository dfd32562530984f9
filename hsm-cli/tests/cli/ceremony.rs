//! The guided ceremony: what it says comes next is what the unit takes next, and its record is fit for paper.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use serde_json::Value;

use crate::desk::{Desk, Done};

fn run(desk: &Desk, line: &str) -> Done {
    Done::of(&mut bare(desk, line))
}

fn bare(desk: &Desk, line: &str) -> std::process::Command {
    let mut command = desk.bare(&line.split(' ').collect::<Vec<_>>());
    command.current_dir(desk.0.path());
    command.env("SOFTHSM_RS_PASSPHRASE", "pass").env("SOFTHSM_RS_PART_PASSPHRASE", "part");
    command.env("SOFTHSM_RS_KNOWN_UNITS", desk.0.path().join("known.json"));
    command
}

/// The guide with these answers, one a line.
fn guided(desk: &Desk, line: &str, answers: &[&str]) -> Done {
    let mut command = bare(desk, line);
    let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut process = spawned.expect("the binary runs");
    let mut input = process.stdin.take().expect("standard input");
    for answer in answers {
        writeln!(input, "{answer}").expect("an answer");
    }
    drop(input);
    let output = process.wait_with_output().expect("an end");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Done {
        code: output.status.code().expect("no signal"),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// The state of each step by its name.
fn states(desk: &Desk, line: &str) -> Vec<(String, String)> {
    let out = run(desk, &format!("{line} --json")).succeeds().out;
    let value: Value = serde_json::from_str(&out).expect("JSON");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    value["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .map(|step| (text(&step["step"]), text(&step["state"])))
        .collect()
}

fn next(desk: &Desk, line: &str) -> Option<String> {
    states(desk, line).into_iter().find(|(_, state)| state == "next").map(|(step, _)| step)
}

/// A unit with alice and bob, made by the guide.
const PEOPLE: [&str; 5] = ["yes", "", "alice", "", ""];

#[test]
fn the_guide_leads_from_nothing_to_a_master_key() {
    let desk = Desk::empty();
    assert_eq!(next(&desk, "ceremony status").as_deref(), Some("make-unit"));
    let answers = [
        &PEOPLE[..],
        &["bob", "keys-of-bob.sigkey"],
        // Thresholds, with a file that is not there and a key that has signed already on the way.
        &["alice.sigkey", "nowhere.sigkey", "alice.sigkey", "keys-of-bob.sigkey"],
        &["alice.sigkey"],
        &["", "", "alice.sigkey", "", "second.keypart", "keys-of-bob.sigkey", "", "", "alice.sigkey"],
        &["keys-of-bob.sigkey", "alice.sigkey"],
        &["alice.sigkey"],
    ]
    .concat();
    let done = guided(&desk, "ceremony run", &answers).succeeds();
    assert!(
        done.err.contains("signed already") && done.err.contains("there is no such file"),
        "{}",
        done.err
    );
    assert!(done.out.contains("softhsm-rs token init LABEL"), "{}", done.out);
    assert_eq!(next(&desk, "ceremony status").as_deref(), Some("init-token"));
    desk.run(&["token", "init", "web"]).succeeds();
    assert_eq!(next(&desk, "ceremony status"), None);
    assert!(states(&desk, "ceremony").iter().all(|(_, state)| state == "done"));
    assert_eq!(next(&desk, "ceremony status --rotate").as_deref(), Some("generate-importer"));

    // Every reply was kept.
    let replies: Vec<String> = (1..=7).map(|counter| format!("--reply reply-{counter}.json")).collect();
    let parts = "--part part-1.keypart --part second.keypart --holder alice";
    let record = format!("ceremony record --out record.txt {} {parts}", replies.join(" "));
    run(&desk, &record).succeeds();
    let text = fs::read_to_string(desk.0.path().join("record.txt")).expect("a record");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(!text.contains('\u{1b}'));
    let pattern = desk.json(&["unit", "show"])["unit"]["current_register"]["verification_pattern"].clone();
    for words in [
        "Administrators: 2",
        "Signature threshold   2",
        "No. 3                 set thresholds",
        "  signed by           alice, bob",
        "No. 5                 load new master key",
        "  held by             alice",
        "  held by             ____",
        "Administrator bob",
        "Witness ____",
        "unit.set-immediate: success",
        pattern.as_str().expect("a pattern"),
    ] {
        assert!(text.contains(words), "{words:?} is not in:\n{text}");
    }
    run(&desk, &record).fails(10, "exists already");
    run(&desk, "ceremony record --out other.txt --holder alice").fails(2, "more holders");
}

#[test]
fn what_is_signed_elsewhere_is_waited_for() {
    let desk = Desk::empty();
    let answers = [&PEOPLE[..], &["bob", ""], &["alice.sigkey", ""]].concat();
    let done = guided(&desk, "ceremony run", &answers).succeeds();
    assert!(done.err.contains("own.cmd: have it signed"), "{}", done.err);
    assert_eq!(next(&desk, "ceremony status").as_deref(), Some("set-thresholds"));
    let pending = run(&desk, "ceremony status --pending own.cmd").succeeds().out;
    assert!(pending.contains("own.cmd: 1 of 2 signatures; may sign: bob"), "{pending}");

    // Bob has the unit's statement, and no HSM.
    let statement = fs::read_to_string(desk.0.path().join("reply.json")).expect("a statement");
    assert!(statement.contains("attestation_key"));
    run(&desk, "unit trust reply.json --yes").succeeds();
    let told = |line: &str| {
        let mut command = bare(&desk, line);
        Done::of(command.env("SOFTHSM_RS_HOME", "/nonexistent"))
    };
    let status = told("ceremony status --for reply.json").succeeds().out;
    assert!(status.contains("unit prepare set-thresholds --signature 2 --revocation 2 --for reply.json"));
    // The last statement that was seen tells how many have to sign.
    let signed = told("unit sign own.cmd --yes --key bob.sigkey").succeeds().out;
    assert!(signed.contains("2 of 2 signatures") && signed.contains("bob ("), "{signed}");
    let signed: Value =
        serde_json::from_str(&told("unit inspect own.cmd --json").succeeds().out).expect("JSON");
    assert_eq!(signed["signatures"]["needed"], 2);
    assert_eq!(signed["signer_names"], serde_json::json!(["alice", "bob"]));
    run(&desk, "unit submit own.cmd --reply reply.json").succeeds();
    assert_eq!(next(&desk, "ceremony status").as_deref(), Some("generate-importer"));
    // One that is done says so.
    let old = run(&desk, "ceremony status --pending own.cmd").succeeds().out;
    assert!(old.contains("own.cmd: it is not this unit's next command"), "{old}");
}

#[test]
fn a_change_of_the_master_key_is_told_step_by_step() {
    let desk = Desk::with_token();
    let key = |number: u8| {
        desk.home().join(format!("ceremony/administrator-{number}.sigkey")).display().to_string()
    };
    let (one, two) = (key(1), key(2));
    let answers = [
        one.as_str(),
        // Three new parts.
        "",
        "a.keypart",
        &one,
        "",
        "b.keypart",
        &one,
        "",
        "c.keypart",
        &one,
        &one,
        &two,
        &two,
    ];
    let done = guided(&desk, "ceremony run --rotate", &answers).succeeds();
    assert!(done.out.contains("KMS CRK rewrap successful"), "{}", done.out);
    assert!(done.out.contains("the ceremony is done"), "{}", done.out);
    let status = desk.json(&["unit", "show"]);
    assert_eq!(status["unit"]["epoch"], 2);
    assert_eq!(next(&desk, "ceremony status"), None);
    desk.run(&["key", "generate", "--type", "aes:256", "--label", "disk"]).succeeds();
}

#[test]
fn a_stranger_tells_nothing() {
    let desk = Desk::with_hsm();
    run(&desk, "unit show --out reply.json").succeeds();
    run(&desk, "ceremony status --for reply.json").fails(14, "not known here");
    run(&desk, "ceremony record --out record.txt --for reply.json").fails(14, "not known here");
    let other = Desk::with_hsm();
    let theirs = desk.0.path().join("theirs.json").display().to_string();
    other.run(&["unit", "show", "--out", &theirs]).succeeds();
    run(&desk, "ceremony record --out record.txt --reply theirs.json").fails(15, "another unit");
    assert!(!desk.0.path().join("record.txt").exists());
}
