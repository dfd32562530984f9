//! Wrapping, unwrapping and rewrapping, with versions and additional data; and the wrapped key itself, looked at.

use std::os::unix::fs::PermissionsExt;

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::{REFUSED, USAGE, is_uuid, text};
use crate::desk::Desk;

/// The JSON inside a wrapped key.
fn envelope(wdek: &str) -> Value {
    serde_json::from_slice(&BASE64.decode(wdek.as_bytes()).expect("base64")).expect("JSON")
}

/// A wrapped key with a field of its JSON changed.
fn altered(wdek: &str, field: &str, value: &str) -> String {
    let mut envelope = envelope(wdek);
    envelope[field] = value.into();
    BASE64.encode(envelope.to_string().as_bytes())
}

#[test]
fn a_fresh_key_is_wrapped_in_key_protects_format() {
    let desk = Desk::with_token();
    let made = desk.kms(&["key", "create", "root"]);
    let wrapped = desk.kms(&["key", "wrap", "root"]);
    let plaintext = BASE64.decode(text(&wrapped, "plaintext").as_bytes()).expect("base64");
    assert_eq!(plaintext.len(), 32);
    assert_eq!(wrapped["keyVersion"], json!({ "id": made["keyVersion"]["id"] }));

    let wdek = text(&wrapped, "ciphertext");
    assert!(wdek.starts_with("eyJjaXBoZXJ0ZXh0Ijoi"), "{wdek}");
    let envelope = envelope(wdek);
    assert_eq!(envelope.as_object().expect("an object").len(), 4);
    assert_eq!(text(&envelope, "version"), "4.0.0");
    assert_eq!(envelope["handle"], made["keyVersion"]["id"]);
    assert!(is_uuid(text(&envelope, "handle")));
    let length = |field| BASE64.decode(text(&envelope, field).as_bytes()).expect("base64").len();
    assert_eq!((length("iv"), length("ciphertext")), (12, 32 + 16));

    let unwrapped = desk.kms(&["key", "unwrap", "root", wdek]);
    assert_eq!(unwrapped, json!({ "plaintext": wrapped["plaintext"], "keyVersion": wrapped["keyVersion"] }));
    assert_ne!(desk.kms(&["key", "wrap", "root"])["plaintext"], wrapped["plaintext"]);
}

#[test]
fn what_is_brought_comes_back_by_files_of_ones_own() {
    let desk = Desk::with_token();
    desk.root_key("root");
    let path = |name: &str| desk.0.path().join(name).to_str().expect("text").to_owned();
    let (secret, wdek, back) = (desk.file("pass", "abc123"), path("pass.wdek"), path("pass.back"));
    let wrapped = desk.kms(&["key", "wrap", "root", "--plaintext-file", &secret, "--out", &wdek]);
    assert!(wrapped.get("plaintext").is_none() && wrapped.get("ciphertext").is_none(), "{wrapped}");
    let shown =
        desk.run(&["kms", "key", "unwrap", "root", "--ciphertext-file", &wdek, "--out", &back]).succeeds();
    assert!(shown.out.contains(&back) && !shown.out.contains("YWJjMTIz"), "{}", shown.out);
    assert_eq!(std::fs::read(&back).expect("the secret"), b"abc123");
    assert_eq!(std::fs::metadata(&back).expect("the file").permissions().mode() & 0o777, 0o600);
    let again = ["kms", "key", "unwrap", "root", "--ciphertext-file", &wdek, "--out", &back];
    desk.run(&again).fails(super::EXISTS, "--force replaces it");

    // In base64, with the end of a line; a warning says that others can read the file.
    let encoded = desk.file("pass.b64", "YWJjMTIz\n");
    let wrap = ["kms", "key", "wrap", "root", "--plaintext-file", &encoded, "--base64", "--json"];
    let done = desk.run(&wrap).succeeds();
    assert!(done.err.contains("can be read by others"), "{}", done.err);
    let wrapped: Value = serde_json::from_str(&done.out).expect("JSON");
    let ciphertext = text(&wrapped, "ciphertext");
    let unwrapped = desk.run(&["kms", "key", "unwrap", "root", ciphertext, "--json"]).succeeds();
    assert!(unwrapped.out.contains("YWJjMTIz") && unwrapped.err.is_empty());
    let wrap = ["kms", "key", "wrap", "root", "--plaintext-file", &secret, "--base64"];
    desk.run(&wrap).fails(USAGE, "no base64");
}

#[test]
fn unwrapping_needs_the_same_strings_in_the_same_order() {
    let desk = Desk::with_token();
    desk.root_key("root");
    let wrapped = desk.kms(&["key", "wrap", "root", "--aad", "disk", "--aad", "-web1"]);
    let wdek = text(&wrapped, "ciphertext");
    assert!(!envelope(wdek).to_string().contains("web1"));
    let with = |command, strings: &[&'static str]| {
        let options = strings.iter().flat_map(|string| ["--aad", string]);
        ["key", command, "root", wdek].into_iter().chain(options).collect::<Vec<_>>()
    };
    assert_eq!(desk.kms(&with("unwrap", &["disk", "-web1"]))["plaintext"], wrapped["plaintext"]);
    for strings in [&[][..], &["disk"], &["-web1", "disk"], &["disk-web1"], &["disk", "-web1", ""]] {
        for command in ["unwrap", "rewrap"] {
            let done = desk.kms_refuses(REFUSED, "UNPROCESSABLE_CIPHERTEXT_ERR", &with(command, strings));
            assert!(done.err.contains("--aad"), "{}", done.err);
        }
    }
    let rewrapped = desk.kms(&with("rewrap", &["disk", "-web1"]));
    let again = ["key", "unwrap", "root", text(&rewrapped, "ciphertext"), "--aad", "disk", "--aad", "-web1"];
    assert_eq!(desk.kms(&again)["plaintext"], wrapped["plaintext"]);
    let long = "x".repeat(256);
    desk.kms_refuses(USAGE, "INVALID_FIELD_ERR", &["key", "wrap", "root", "--aad", &long]);
}

#[test]
fn earlier_versions_still_unwrap_and_say_what_to_keep_instead() {
    let desk = Desk::with_token();
    let first = desk.kms(&["key", "create", "root"]);
    let wrapped = desk.kms(&["key", "wrap", "root", "--aad", "a"]);
    let old = text(&wrapped, "ciphertext");
    let second = desk.kms(&["key", "rotate", "root"]);
    assert_eq!(second["id"], first["id"]);
    assert_ne!(second["keyVersion"]["id"], first["keyVersion"]["id"]);
    assert_eq!(second["lastRotateDate"], second["keyVersion"]["creationDate"]);
    let versions = desk.kms(&["key", "versions", "root"]);
    assert_eq!(versions, json!([second["keyVersion"], first["keyVersion"]]));

    let of = |key: &Value| json!({ "id": key["keyVersion"]["id"] });
    let unwrapped = desk.kms(&["key", "unwrap", "root", old, "--aad", "a"]);
    assert_eq!(unwrapped["plaintext"], wrapped["plaintext"]);
    assert_eq!((&unwrapped["keyVersion"], &unwrapped["rewrappedKeyVersion"]), (&of(&first), &of(&second)));
    assert_eq!(envelope(text(&unwrapped, "ciphertext"))["handle"], second["keyVersion"]["id"]);

    let rewrapped = desk.kms(&["key", "rewrap", "root", old, "--aad", "a"]);
    assert!(rewrapped.get("plaintext").is_none());
    assert_eq!((&rewrapped["keyVersion"], &rewrapped["rewrappedKeyVersion"]), (&of(&first), &of(&second)));
    for new in [text(&unwrapped, "ciphertext"), text(&rewrapped, "ciphertext")] {
        let again = desk.kms(&["key", "unwrap", "root", new, "--aad", "a"]);
        assert_eq!(again, json!({ "plaintext": wrapped["plaintext"], "keyVersion": of(&second) }));
    }
    let done = desk.kms_refuses(REFUSED, "KEY_ROTATION_NOT_PERMITTED", &["key", "rotate", "root"]);
    assert!(done.err.contains("an hour"), "{}", done.err);
}

#[test]
fn what_was_damaged_or_is_another_keys_does_not_unwrap() {
    let desk = Desk::with_token();
    desk.root_key("root");
    let other = desk.root_key("other");
    let wrapped = desk.kms(&["key", "wrap", "root"]);
    let wdek = text(&wrapped, "ciphertext");
    let sealed = envelope(wdek)["ciphertext"].as_str().expect("text").to_owned();
    let flipped =
        if sealed.starts_with('A') { sealed.replacen('A', "B", 1) } else { format!("A{}", &sealed[1..]) };
    let version = text(&desk.kms(&["key", "show", &other])["keyVersion"], "id").to_owned();
    for damaged in [
        altered(wdek, "ciphertext", &flipped),
        altered(wdek, "ciphertext", ""),
        altered(wdek, "iv", "AAAAAAAAAAAAAAAA"),
        altered(wdek, "iv", "AAAA"),
        altered(wdek, "version", "5.0.0"),
        altered(wdek, "handle", &version),
        altered(wdek, "handle", "none"),
        BASE64.encode(b"{}"),
        String::from("AAAA"),
    ] {
        for command in ["unwrap", "rewrap"] {
            desk.kms_refuses(REFUSED, "UNPROCESSABLE_CIPHERTEXT_ERR", &["key", command, "root", &damaged]);
        }
    }
    desk.kms_refuses(REFUSED, "UNPROCESSABLE_CIPHERTEXT_ERR", &["key", "unwrap", "other", wdek]);
    desk.kms_refuses(USAGE, "INVALID_FIELD_ERR", &["key", "unwrap", "root", "no base64!"]);
    let empty = desk.file("empty", "");
    desk.kms_refuses(USAGE, "INVALID_FIELD_ERR", &["key", "wrap", "root", "--plaintext-file", &empty]);
    desk.run(&["kms", "key", "unwrap", "root"]).fails(USAGE, "required");
    desk.run(&["kms", "key", "unwrap", "root", wdek, "--ciphertext-file", &empty])
        .fails(USAGE, "cannot be used");
    let missing = ["kms", "key", "unwrap", "root", "--ciphertext-file", "/nowhere/there"];
    desk.run(&missing).fails(12, "/nowhere/there");
}
