//! `key`: making, listing, showing and deleting.

use std::process::Command;

use serde_json::Value;

use crate::desk::{Desk, Done};

#[test]
fn every_type_of_key_is_made_and_listed() {
    let desk = Desk::with_token();
    for (kind, bits, objects) in [
        ("rsa:2048", 2048, 2),
        ("ec:p192", 192, 2),
        ("ec:p224", 224, 2),
        ("ec:p256", 256, 2),
        ("ec:p384", 384, 2),
        ("ec:p521", 521, 2),
        ("ec:secp256k1", 256, 2),
        ("ed25519", 255, 2),
        ("x25519", 255, 2),
        ("ed448", 448, 2),
        ("x448", 448, 2),
        ("aes:128", 128, 1),
        ("aes:256", 256, 1),
        ("generic:32", 256, 1),
    ] {
        let made = desk.json(&["key", "generate", "--type", kind, "--label", kind, "--id", "01ab"]);
        let listed = desk.json(&["key", "list", "--label", kind]);
        assert_eq!(made.as_array().map(Vec::len), Some(objects), "{kind}");
        for object in listed.as_array().expect("a list") {
            assert_eq!(object["size"], bits, "{kind}");
            assert_eq!(object["id"], "01ab");
            assert_eq!(object["extractable"], false);
        }
        assert_eq!(listed.as_array().map(Vec::len), Some(objects), "{kind}");
    }
}

#[test]
fn several_keys_are_numbered() {
    let desk = Desk::with_token();
    desk.run(&["key", "generate", "--type", "ed25519", "--label", "box", "--count", "3"]).succeeds();
    let listed = desk.json(&["key", "list", "--class", "private"]);
    let labels: Vec<_> = listed.as_array().expect("a list").iter().map(|key| &key["label"]).collect();
    assert_eq!(labels, ["box-1", "box-2", "box-3"]);
}

#[test]
fn a_public_key_is_exported_without_login_and_openssl_reads_it() {
    let desk = Desk::with_token();
    for kind in ["rsa:2048", "ec:p256", "ec:secp256k1", "ed25519", "x25519", "ed448", "x448"] {
        desk.run(&["key", "generate", "--type", kind, "--label", kind]).succeeds();
        let pem = Done::of(&mut desk.bare(&["key", "show", "--label", kind, "--public-key"])).succeeds().out;
        let path = desk.file("public.pem", &pem);
        let read = Command::new("openssl").args(["pkey", "-pubin", "-noout", "-in", &path]).status();
        assert!(read.expect("openssl is installed").success(), "{kind}: {pem}");
    }
}

#[test]
fn a_secret_key_has_no_public_key_to_export() {
    let desk = Desk::with_token();
    desk.run(&["key", "generate", "--type", "aes:256", "--label", "a"]).succeeds();
    desk.run(&["key", "show", "--label", "a", "--public-key"]).fails(4, "has no public key");
}

#[test]
fn show_never_prints_a_secret_value() {
    let desk = Desk::with_token();
    desk.run(&["key", "generate", "--type", "rsa:2048", "--label", "a", "--extractable"]).succeeds();
    let shown = desk.json(&["key", "show", "--label", "a", "--class", "private"]);
    let attributes = &shown[0]["attributes"];
    for name in ["CKA_PRIVATE_EXPONENT", "CKA_PRIME_1", "CKA_PRIME_2", "CKA_COEFFICIENT"] {
        assert_eq!(attributes[name], "(secret)", "{name}");
    }
    assert_eq!(attributes["CKA_SENSITIVE"], true);
    assert_eq!(attributes["CKA_EXTRACTABLE"], true);
    assert_eq!(attributes["CKA_KEY_GEN_MECHANISM"], "CKM_RSA_PKCS_KEY_PAIR_GEN");
}

#[test]
fn without_login_private_objects_do_not_show() {
    let desk = Desk::with_token();
    desk.run(&["key", "generate", "--type", "ec:p256", "--label", "a"]).succeeds();
    let listed = Done::of(&mut desk.bare(&["key", "list", "--public", "--json"])).succeeds().out;
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    assert_eq!(listed[0]["class"], "public");
}

#[test]
fn deleting_needs_the_users_word() {
    let desk = Desk::with_token();
    desk.run(&["key", "generate", "--type", "ec:p256", "--label", "a"]).succeeds();
    desk.run(&["key", "delete", "--label", "a"]).fails(2, "--yes");
    desk.run(&["key", "delete", "--label", "b", "--yes"]).fails(4, "no such key");
    desk.run(&["key", "delete", "--yes"]).fails(2, "which key?");
    desk.run(&["key", "delete", "--label", "a", "--yes"]).succeeds();
    assert_eq!(desk.json(&["key", "list"]), Value::Array(Vec::new()));
}

#[test]
fn several_keys_are_deleted_only_when_all_are_meant() {
    let desk = Desk::with_token();
    for _ in 0..2 {
        desk.run(&["key", "generate", "--type", "aes:256", "--label", "a"]).succeeds();
    }
    desk.run(&["key", "delete", "--label", "a", "--yes"]).fails(4, "--all");
    desk.run(&["key", "delete", "--label", "a", "--yes", "--all"]).succeeds();
    assert_eq!(desk.json(&["key", "list"]), Value::Array(Vec::new()));
}
