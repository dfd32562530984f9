//! Material that is brought: in clear, and encrypted for the import token in both variants; for a new key and for a
//! new version.

use data_encoding::BASE64;
use serde_json::Value;

use super::{REFUSED, USAGE, text};
use crate::desk::Desk;

const IMPORT_REFUSED: i32 = 17;
const VARIANTS: [&[&str]; 2] = [&[], &["--sha1"]];

/// A fresh import token, as a customer gets it.
fn token(desk: &Desk) -> Value {
    desk.run(&["import-token", "create"]).succeeds();
    desk.json(&["import-token", "show"])
}

/// What a customer sends: both commands' JSON in one file.
fn sent(desk: &Desk, token: &Value, key: &str, variant: &[&str]) -> String {
    let material = ["-k", key];
    let payload = ["import-token", "encrypt-key", "--payload", text(token, "payload")];
    let nonce = ["import-token", "encrypt-nonce", "--nonce", text(token, "nonce")];
    let both = [&payload[..], &nonce].map(|command| {
        let arguments = [command, &material, variant, &["--json"]].concat();
        desk.run(&arguments).succeeds().out
    });
    desk.file(&format!("sent{}", variant.concat()), &both.concat())
}

/// Two files of key material, of 32 and 16 bytes.
fn materials(desk: &Desk) -> [String; 2] {
    [desk.file("first.bin", &"1".repeat(32)), desk.file("second.bin", &"2".repeat(16))]
}

#[test]
fn a_customers_key_comes_in_and_is_rotated_by_both_variants() {
    for (variant, other) in [(VARIANTS[0], VARIANTS[1]), (VARIANTS[1], VARIANTS[0])] {
        let desk = Desk::with_token();
        let [first, second] = materials(&desk);
        let token = token(&desk);
        let file = sent(&desk, &token, &first, variant);
        let made = desk.kms(&["key", "import", "customer's", "--import-token", &file, "--alias", "byok"]);
        assert_eq!((&made["imported"], &made["algorithmBitSize"]), (&true.into(), &256.into()));
        let wrapped = desk.kms(&["key", "wrap", "byok"]);

        let done = desk.kms_refuses(REFUSED, "KEY_PAYLOAD_REQ_ERR", &["key", "rotate", "byok"]);
        assert!(done.err.contains("--import-token"), "{}", done.err);
        let policy = ["key", "policy", "set", "byok", "--rotation", "1"];
        desk.kms_refuses(REFUSED, "KEY_PAYLOAD_REQ_ERR", &policy);
        let file = sent(&desk, &token, &second, other);
        let rotated = desk.kms(&["key", "rotate", "byok", "--import-token", &file]);
        assert_eq!((&rotated["id"], &rotated["algorithmBitSize"]), (&made["id"], &128.into()));
        assert_ne!(rotated["keyVersion"], made["keyVersion"]);
        let unwrapped = desk.kms(&["key", "unwrap", "byok", text(&wrapped, "ciphertext")]);
        assert_eq!(unwrapped["plaintext"], wrapped["plaintext"]);
        assert_eq!(unwrapped["rewrappedKeyVersion"]["id"], rotated["keyVersion"]["id"]);
        let again = ["key", "rotate", "byok", "--import-token", &file];
        desk.kms_refuses(REFUSED, "KEY_ROTATION_NOT_PERMITTED", &again);
    }
}

#[test]
fn what_was_not_encrypted_for_the_token_is_refused_for_both_uses() {
    let desk = Desk::with_token();
    let [first, second] = materials(&desk);
    desk.kms(&["key", "import", "root", "--payload-file", &first]);
    let uses = [["key", "import", "other"], ["key", "rotate", "root"]];
    let refuses = |code: &str, file: &str| {
        for arguments in uses {
            desk.kms_refuses(IMPORT_REFUSED, code, &[&arguments[..], &["--import-token", file]].concat());
        }
    };
    // A token that is not there is refused as one that has expired.
    let elsewhere = Desk::with_token();
    let foreign = token(&elsewhere);
    let file = sent(&desk, &foreign, &second, &[]);
    refuses("IMPORT_TOKEN_EXPIRED_ERR", &file);

    let old = token(&desk);
    let new = token(&desk);
    for variant in VARIANTS {
        refuses("INCORRECT_NONCE_IV_ERR", &sent(&desk, &old, &second, variant));
        let mut mixed = new.clone();
        mixed["nonce"] = old["nonce"].clone();
        refuses("INCORRECT_NONCE_ERR", &sent(&desk, &mixed, &second, variant));
    }
    assert_eq!(desk.kms(&["key", "versions", "root"]).as_array().map(Vec::len), Some(1));
    // Key and nonce of two variants do not go together.
    let key = std::fs::read_to_string(sent(&desk, &new, &second, &[])).expect("the file");
    let nonce = std::fs::read_to_string(sent(&desk, &new, &second, &["--sha1"])).expect("the file");
    let (key, nonce) = (desk.file("key", &key), desk.file("nonce", &nonce));
    let import = ["kms", "key", "import", "other", "--import-token", &key, "--import-token", &nonce];
    desk.run(&import).fails(USAGE, "differ in");
}

#[test]
fn both_parts_may_come_in_two_files_and_the_rest_is_refused() {
    let desk = Desk::with_token();
    let [first, _] = materials(&desk);
    let token = token(&desk);
    let whole = std::fs::read_to_string(sent(&desk, &token, &first, &[])).expect("the file");
    let (key, nonce) = whole.split_at(whole.find("}\n").expect("an end") + 2);
    let (key, nonce) = (desk.file("key", key), desk.file("nonce", nonce));
    desk.kms(&["key", "import", "root", "--import-token", &nonce, "--import-token", &key]);
    desk.run(&["kms", "key", "import", "root", "--import-token", &key]).fails(USAGE, "no encryptedNonce");
    let done = desk.run(&["kms", "key", "import", "root", "--import-token", &first]).fails(USAGE, "no JSON");
    assert!(done.err.contains("encrypt-nonce"), "{}", done.err);
    desk.run(&["kms", "key", "import", "root"]).fails(USAGE, "required");
    let both = ["kms", "key", "import", "root", "--import-token", &key, "--payload-file", &first];
    desk.run(&both).fails(USAGE, "cannot be used");
    desk.run(&["kms", "key", "import", "root", "--import-token", &key, "--base64"])
        .fails(USAGE, "cannot be used");
}

#[test]
fn material_in_clear_has_a_root_keys_length() {
    let desk = Desk::with_token();
    for (length, bits) in [(16, 128), (24, 192), (32, 256)] {
        let file = desk.file("material", &"m".repeat(length));
        assert_eq!(desk.kms(&["key", "import", "root", "--payload-file", &file])["algorithmBitSize"], bits);
    }
    for length in [0, 15, 17, 33, 5000, 9000] {
        let file = desk.file("material", &"m".repeat(length));
        desk.kms_refuses(USAGE, "INVALID_FIELD_ERR", &["key", "import", "root", "--payload-file", &file]);
    }
    let encoded = desk.file("material", &BASE64.encode(&[7; 32]));
    desk.kms(&["key", "import", "coded", "--payload-file", &encoded, "--base64"]);
    desk.kms_refuses(USAGE, "INVALID_FIELD_ERR", &["key", "import", "root", "--payload-file", &encoded]);

    // A generated key takes no material.
    desk.root_key("generated");
    let file = desk.file("material", &"m".repeat(32));
    let rotate = ["key", "rotate", "generated", "--payload-file", &file];
    desk.kms_refuses(USAGE, "INVALID_FIELD_ERR", &rotate);
    assert_eq!(desk.kms(&["key", "rotate", "coded", "--payload-file", &file])["imported"], true);
}

#[test]
fn a_standard_keys_material_comes_back_as_it_went_in() {
    let desk = Desk::with_token();
    for length in [1, 16, 100, 7500] {
        let (name, payload) = (format!("secret {length}"), "s".repeat(length));
        let file = desk.file("payload", &payload);
        let made = desk.kms(&["key", "import", &name, "--standard-key", "--payload-file", &file]);
        assert_eq!((&made["imported"], &made["extractable"]), (&true.into(), &true.into()));
        assert_eq!(text(&desk.kms(&["read", &name]), "payload"), BASE64.encode(payload.as_bytes()));
    }
    for length in [0, 7501] {
        let file = desk.file("payload", &"s".repeat(length));
        let import = ["key", "import", "secret", "--standard-key", "--payload-file", &file];
        desk.kms_refuses(USAGE, "INVALID_FIELD_ERR", &import);
    }
}

#[test]
fn where_tokens_are_enforced_nothing_comes_in_clear() {
    let desk = Desk::with_token();
    let [first, second] = materials(&desk);
    desk.kms(&["key", "import", "root", "--payload-file", &first]);
    desk.kms(&["policy", "set", "--enforce-token", "on"]);
    for arguments in [
        &["key", "import", "other", "--payload-file", &second][..],
        &["key", "import", "other", "--standard-key", "--payload-file", &second],
        &["key", "rotate", "root", "--payload-file", &second],
    ] {
        let done = desk.kms_refuses(REFUSED, "KEY_CREATE_IMPORT_ACCESS_ERR", arguments);
        assert!(done.err.contains("--import-token"), "{}", done.err);
    }
    let file = sent(&desk, &token(&desk), &second, &[]);
    desk.kms(&["key", "import", "other", "--import-token", &file]);
    desk.kms(&["key", "rotate", "root", "--import-token", &file]);
    // Generated keys come from nowhere.
    desk.root_key("generated");
}
