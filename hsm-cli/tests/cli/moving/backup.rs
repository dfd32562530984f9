//! `backup` and `restore`: everything comes back as it was, or nothing does.

use std::collections::BTreeMap;

use cryptoki_sys::*;
use hsm_core::object::Value;
use serde_json::Value as Json;

use super::{find, mechanism, object, session};
use crate::desk::{Desk, Done, PIN};

const PASSPHRASE: &str = "correct horse battery";

fn run(desk: &Desk, arguments: &[&str]) -> Done {
    Done::of(desk.bare(arguments).env("SOFTHSM_RS_BACKUP_PASSPHRASE", PASSPHRASE))
}

/// A token with keys of each kind, certificates' like and data, and something of the key management service.
fn full() -> (Desk, String) {
    let desk = Desk::with_token();
    for (kind, label) in [("rsa:2048", "rsa"), ("ec:p256", "ec"), ("aes:256", "aes"), ("generic:32", "mac")] {
        desk.run(&["key", "generate", "--type", kind, "--label", label]).succeeds();
    }
    {
        let session = session(&desk, "web", PIN);
        for private in [true, false] {
            let note = vec![
                (CKA_CLASS, Value::Number(CKO_DATA)),
                (CKA_TOKEN, Value::Bool(true)),
                (CKA_PRIVATE, Value::Bool(private)),
                (CKA_LABEL, Value::Bytes(b"note".to_vec())),
                (CKA_VALUE, Value::Bytes(b"what was noted".to_vec())),
            ];
            session.create_object(note).expect("a note");
        }
        // A change, so that not every revision is the first.
        let change = vec![(CKA_LABEL, Value::Bytes(b"renamed".to_vec()))];
        session.set_attributes(object(&session, CKO_SECRET_KEY, "mac"), change).expect("a change");
    }
    desk.run(&["kms", "key", "create", "root"]).succeeds();
    desk.run(&["kms", "policy", "set", "--dual-auth", "on"]).succeeds();
    let file = desk.0.path().join("hsm.backup").to_str().expect("text").to_owned();
    (desk, file)
}

/// Every object with every attribute that can be seen, and what the key management service and the tokens show.
fn everything(desk: &Desk) -> (BTreeMap<String, Vec<String>>, Json, Json, Json) {
    let session = session(desk, "web", PIN);
    let mut objects = BTreeMap::new();
    for handle in find(&session, Vec::new()) {
        let view = session.view(handle).expect("the object");
        let attributes: Vec<_> =
            view.kinds().iter().map(|k| format!("{k:#x} {:?}", view.attribute(*k))).collect();
        let id = format!("{:?}", view.attribute(CKA_UNIQUE_ID));
        assert!(objects.insert(id, attributes).is_none(), "identifiers differ");
    }
    (
        objects,
        desk.json(&["kms", "key", "list"]),
        desk.json(&["kms", "policy", "show"]),
        desk.json(&["token", "list"]),
    )
}

#[test]
fn a_token_comes_back_with_all_that_it_had() {
    let (desk, file) = full();
    let before = everything(&desk);
    assert!(before.0.len() >= 8);
    let signature = {
        let session = session(&desk, "web", PIN);
        let key = object(&session, CKO_PRIVATE_KEY, "rsa");
        session.sign_init(&mechanism(CKM_SHA256_RSA_PKCS), key).expect("signing");
        let mut out = [0; 256];
        session.sign(b"before", hsm_core::session::Output::Buffer(&mut out)).expect("a signature");
        out
    };
    let done = run(&desk, &["backup", &file, "--json"]).succeeds();
    let made: Json = serde_json::from_str(&done.out).expect("JSON");
    assert_eq!(made["tokens"][0]["label"], "web");
    desk.run(&["token", "delete", "--yes"]).succeeds();
    run(&desk, &["restore", &file]).succeeds();
    assert_eq!(everything(&desk), before);

    // In an HSM that has nothing but another master key.
    let other = Desk::with_hsm();
    run(&other, &["restore", &file]).succeeds();
    assert_eq!(everything(&other), before);
    let session = session(&other, "web", PIN);
    let key = object(&session, CKO_PUBLIC_KEY, "rsa");
    session.verify_init(&mechanism(CKM_SHA256_RSA_PKCS), key).expect("verifying");
    session.verify(b"before", &signature).expect("the signature of before");
    // It works on: a new key, and the list that another process reads.
    drop(session);
    other.run(&["key", "generate", "--type", "ec:p256", "--label", "new"]).succeeds();
}

#[test]
fn pins_are_those_of_the_backup() {
    let (desk, file) = full();
    run(&desk, &["backup", &file]).succeeds();
    let other = Desk::with_hsm();
    run(&other, &["restore", &file]).succeeds();
    Done::of(other.bare(&["key", "list"]).env("SOFTHSM_RS_PIN", "654321")).fails(5, "9 tries left");
    other.run(&["key", "list"]).succeeds();
    let mut unlock = other.bare(&["token", "unlock"]);
    let pins = unlock.env("SOFTHSM_RS_SO_PIN", crate::desk::SO_PIN).env("SOFTHSM_RS_NEW_PIN", "abcdef");
    Done::of(pins).succeeds();
    Done::of(other.bare(&["key", "list"]).env("SOFTHSM_RS_PIN", "abcdef")).succeeds();
}

#[test]
fn a_servers_partition_opens_for_the_server_again() {
    let desk = Desk::with_hsm();
    let open = |desk: &Desk| {
        let config = hsm_core::config::Config::for_home(&desk.home()).expect("a configuration");
        let hsm = hsm_core::hsm::Hsm::new(config);
        let partition = hsm.server_partition("kmip").expect("a server's partition");
        drop(partition.open_for_server().expect("it opens"));
    };
    open(&desk);
    let file = desk.0.path().join("kmip.backup").to_str().expect("text").to_owned();
    run(&desk, &["backup", &file]).succeeds();
    let other = Desk::with_hsm();
    run(&other, &["restore", &file]).succeeds();
    open(&other);
    assert_eq!(other.json(&["token", "list"]).as_array().map(Vec::len), Some(1), "it was found, not made");
}

#[test]
fn a_token_that_is_here_is_not_replaced_unasked() {
    let (desk, file) = full();
    run(&desk, &["backup", &file]).succeeds();
    let before = everything(&desk);
    desk.run(&["key", "delete", "--label", "aes", "--yes"]).succeeds();
    desk.run(&["key", "generate", "--type", "aes:128", "--label", "later"]).succeeds();
    let after = everything(&desk);
    run(&desk, &["restore", &file]).fails(10, "has the token \"web\"");
    assert_eq!(everything(&desk), after);
    run(&desk, &["restore", &file, "--replace"]).fails(2, "--yes");
    assert_eq!(everything(&desk), after);
    run(&desk, &["restore", &file, "--replace", "--yes"]).succeeds();
    assert_eq!(everything(&desk), before);
}

#[test]
fn a_token_that_somebody_uses_is_not_replaced() {
    let (desk, file) = full();
    run(&desk, &["backup", &file]).succeeds();
    let _used = session(&desk, "web", PIN);
    run(&desk, &["restore", &file, "--replace", "--yes"]).fails(9, "a session is open");
}

#[test]
fn a_file_that_was_spoilt_changes_nothing_and_says_why() {
    let (desk, file) = full();
    run(&desk, &["backup", &file]).succeeds();
    let whole = std::fs::read(&file).expect("the file");
    let other = Desk::with_hsm();
    let nothing = |done: Done, code, words: &str| {
        done.fails(code, words);
        assert_eq!(other.json(&["token", "list"]), Json::Array(Vec::new()));
    };
    let wrong =
        Done::of(other.bare(&["restore", &file]).env("SOFTHSM_RS_BACKUP_PASSPHRASE", "something else"));
    nothing(wrong, 5, "the passphrase does not open");
    for length in [10, 60, 100, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&file, &whole[..length]).expect("a cut");
        nothing(run(&other, &["restore", &file]), 8, if length == 10 { "" } else { "is damaged: " });
    }
    for at in [20, 79, 200, whole.len() / 2, whole.len() - 1] {
        let mut changed = whole.clone();
        changed[at] ^= 0x40;
        std::fs::write(&file, &changed).expect("a change");
        nothing(run(&other, &["restore", &file]), 8, "is damaged: ");
    }
    std::fs::write(&file, b"nothing of ours").expect("a file");
    nothing(run(&other, &["restore", &file]), 8, "is no backup");
    std::fs::remove_file(&file).expect("gone");
    nothing(run(&other, &["restore", &file]), 12, "hsm.backup");
}

#[test]
fn a_dry_run_shows_what_a_backup_holds() {
    let (desk, file) = full();
    run(&desk, &["backup", &file]).succeeds();
    let other = Desk::with_hsm();
    let done = run(&other, &["restore", &file, "--dry-run", "--json"]).succeeds();
    let shown: Json = serde_json::from_str(&done.out).expect("JSON");
    assert_eq!(shown["tokens"][0]["label"], "web");
    assert!(shown["tokens"][0]["records"].as_u64().expect("a number") >= 9);
    assert_eq!(other.json(&["token", "list"]), Json::Array(Vec::new()));
}

#[test]
fn one_token_of_several_is_backed_up_and_restored() {
    let (desk, file) = full();
    desk.run(&["token", "init", "db"]).succeeds();
    run(&desk, &["backup", &file, "--token", "db", "--token", "web"]).succeeds();
    run(&desk, &["backup", &format!("{file}2"), "--token", "nobody"]).fails(4, "no token \"nobody\"");
    let other = Desk::with_hsm();
    run(&other, &["restore", &file, "--token", "nobody"]).fails(4, "holds no such token");
    run(&other, &["restore", &file, "--token", "db"]).succeeds();
    assert_eq!(other.json(&["token", "list"])[0]["label"], "db");
    // The other one alone is not here yet.
    run(&other, &["restore", &file, "--token", "web"]).succeeds();
    assert_eq!(other.json(&["token", "list"]).as_array().map(Vec::len), Some(2));
}

#[test]
fn what_cannot_be_backed_up_leaves_no_file() {
    let desk = Desk::with_hsm();
    let file = desk.0.path().join("hsm.backup").to_str().expect("text").to_owned();
    run(&desk, &["backup", &file]).fails(4, "no token");
    desk.run(&["token", "init", "web"]).succeeds();
    let short = Done::of(desk.bare(&["backup", &file]).env("SOFTHSM_RS_BACKUP_PASSPHRASE", "short"));
    short.fails(2, "at least 8 bytes");
    assert!(!std::path::Path::new(&file).exists());
    desk.file("hsm.backup", "precious");
    run(&desk, &["backup", &file]).fails(10, "is there already");
    assert_eq!(std::fs::read_to_string(&file).expect("the file"), "precious");
}
