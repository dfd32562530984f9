//! `import-token` and `key import`: the customer's story in both variants, and what is refused on the way.

use std::io::Write;
use std::process::Stdio;

use serde_json::Value;

use crate::desk::{Desk, Done, PIN};

/// A key of 16 bytes, in base64 and in hexadecimal digits.
const KEY_BASE64: &str = "AAECAwQFBgcICQoLDA0ODw==\n";

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}"))
}

/// Options of `encrypt-key` and `encrypt-nonce`: whose variant it is.
const VARIANTS: [(&[&str], &str); 2] = [(&[], "RSAES_OAEP_SHA_256"), (&["--sha1"], "RSAES_OAEP_SHA_1")];

/// Key material as a customer sends it: payload, encrypted nonce, iv and algorithm.
struct Sent([String; 4]);

impl Sent {
    fn of(desk: &Desk, token: &Value, key: &str, variant: &[&str]) -> Sent {
        let material = ["-k", key, "--base64"];
        let payload = ["import-token", "encrypt-key", "--payload", text(token, "payload")];
        let payload = desk.json(&[&payload[..], &material[..], variant].concat());
        let nonce = ["import-token", "encrypt-nonce", "--nonce", text(token, "nonce")];
        let nonce = desk.json(&[&nonce[..], &material[..], variant].concat());
        assert_eq!(payload["encryptionAlgorithm"], nonce["encryptionAlgorithm"]);
        Sent([
            text(&payload, "payload").to_owned(),
            text(&nonce, "encryptedNonce").to_owned(),
            text(&nonce, "iv").to_owned(),
            text(&payload, "encryptionAlgorithm").to_owned(),
        ])
    }

    fn import<'a>(&'a self, label: &'a str) -> Vec<&'a str> {
        let [payload, nonce, iv, algorithm] = &self.0;
        vec![
            "key",
            "import",
            "--import-token",
            "--label",
            label,
            "--payload",
            payload,
            "--encrypted-nonce",
            nonce,
            "--iv",
            iv,
            "--encryption-algorithm",
            algorithm,
        ]
    }
}

/// A desk with an import token, which was shown.
fn with_import_token() -> (Desk, Value) {
    let desk = Desk::with_token();
    desk.run(&["import-token", "create", "--retrievals", "2"]).succeeds();
    let token = desk.json(&["import-token", "show"]);
    (desk, token)
}

#[test]
fn a_customers_key_comes_in_by_both_variants() {
    let desk = Desk::with_token();
    let made =
        desk.json(&["import-token", "create", "--token", "web", "--expires", "900", "--retrievals", "3"]);
    let created = text(&made, "creationDate");
    assert!(created.ends_with('Z') && created.len() == 20, "{created}");
    assert!(text(&made, "expirationDate") > created);
    assert_eq!((&made["maxAllowedRetrievals"], &made["remainingRetrievals"]), (&3.into(), &3.into()));
    assert!(made.get("payload").is_none() && made.get("nonce").is_none());

    let token = desk.json(&["import-token", "show", "--token", "web"]);
    assert_eq!(token["remainingRetrievals"], 2);
    assert_eq!(token["creationDate"], made["creationDate"]);
    assert_eq!((text(&token, "nonce").len(), text(&token, "payload").len()), (16, 1068));

    let key = desk.file("key.b64", KEY_BASE64);
    for (variant, algorithm) in VARIANTS {
        let sent = Sent::of(&desk, &token, &key, variant);
        assert_eq!(sent.0[3], algorithm);
        let imported = desk.json(&[&sent.import(algorithm)[..], &["--id", "0a"]].concat());
        let key = &imported[0];
        assert_eq!(
            (&key["class"], &key["type"], &key["size"]),
            (&"secret".into(), &"aes".into(), &128.into())
        );
        assert_eq!(
            (&key["sensitive"], &key["extractable"], &key["local"]),
            (&true.into(), &false.into(), &false.into())
        );
        assert_eq!(key["uses"], serde_json::json!(["encrypt", "decrypt", "wrap", "unwrap"]));
        assert_eq!(key["id"], "0a");
    }
    // AES-128 of a zero block under the key begins with these bytes.
    for key in desk.json(&["key", "show", "--id", "0a"]).as_array().expect("a list") {
        assert_eq!(key["attributes"]["CKA_CHECK_VALUE"], "c6a13b");
        assert_eq!(key["attributes"]["CKA_VALUE"], "(secret)");
    }
}

#[test]
fn the_customer_needs_no_hsm_and_may_use_standard_input_and_a_file_of_pem() {
    let (desk, token) = with_import_token();
    let shown = desk.run(&["import-token", "show"]).succeeds().out;
    let pem = &shown[shown.find("-----BEGIN PUBLIC KEY-----").expect("a public key")..];
    let pem = desk.file("token.pem", pem);
    let customer = Desk::empty();
    let encrypt = |options: &[&str]| {
        let mut command = customer.bare(&[&["import-token"], options, &["-k", "-", "--json"]].concat());
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the binary runs");
        child.stdin.take().expect("its input").write_all(&[0x5a; 32]).expect("writing the key");
        let output = child.wait_with_output().expect("its end");
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice::<Value>(&output.stdout).expect("JSON")
    };
    let payload = encrypt(&["encrypt-key", "--public-key", &pem]);
    let nonce = encrypt(&["encrypt-nonce", "--nonce", text(&token, "nonce")]);
    assert!(!customer.home().exists(), "nothing was made");
    let sent = Sent([
        text(&payload, "payload").to_owned(),
        text(&nonce, "encryptedNonce").to_owned(),
        text(&nonce, "iv").to_owned(),
        text(&nonce, "encryptionAlgorithm").to_owned(),
    ]);
    assert_eq!(desk.json(&sent.import("root"))[0]["size"], 256);
}

#[test]
fn a_token_is_shown_as_often_as_it_may_be() {
    let (desk, _) = with_import_token();
    assert!(desk.run(&["import-token", "show"]).succeeds().out.contains("0 of 2 remain"));
    let done = desk.run(&["import-token", "show"]).fails(17, "IMPORT_TOKEN_EXPIRED_ERR");
    assert!(done.err.contains("The import token has expired.") && done.err.contains("import-token create"));
    // A new one serves again.
    desk.run(&["import-token", "create"]).succeeds();
    desk.run(&["import-token", "show"]).succeeds();
}

#[test]
fn without_a_token_there_is_none_to_show() {
    let desk = Desk::with_token();
    let done = desk.run(&["import-token", "show", "--json"]).fails(17, "IMPORT_TOKEN_EXPIRED_ERR");
    let error: Value = serde_json::from_str(&done.err).expect("JSON on standard error");
    assert_eq!((&error["error"]["name"], &error["error"]["exit"]), (&"import-refused".into(), &17.into()));
}

#[test]
fn limits_are_checked_before_anything_is_asked_or_made() {
    let desk = Desk::with_token();
    for (option, bad) in
        [("--expires", "299"), ("--expires", "86401"), ("--retrievals", "0"), ("--retrievals", "501")]
    {
        // No PIN is given, and none is asked for.
        let done = Done::of(&mut desk.bare(&["import-token", "create", option, bad]));
        done.fails(2, "INVALID_FIELD_ERR");
    }
    desk.run(&["import-token", "show"]).fails(17, "IMPORT_TOKEN_EXPIRED_ERR");
}

#[test]
fn what_was_not_encrypted_for_the_token_is_refused_by_its_code() {
    let (desk, token) = with_import_token();
    let key = desk.file("key.b64", KEY_BASE64);
    let good = || Sent::of(&desk, &token, &key, &[]);
    let mut other_nonce = token.clone();
    other_nonce["nonce"] = "AAAAAAAAAAAAAAAA".into();
    desk.run(&Sent::of(&desk, &other_nonce, &key, &[]).import("a")).fails(17, "(INCORRECT_NONCE_ERR)");

    let mut other_iv = good();
    other_iv.0[2] = "AAAAAAAAAAAAAAAA".to_owned();
    desk.run(&other_iv.import("a")).fails(17, "(INCORRECT_NONCE_IV_ERR)");

    let mut other_variant = good();
    other_variant.0[3] = "RSAES_OAEP_SHA_1".to_owned();
    desk.run(&other_variant.import("a")).fails(17, "(INCORRECT_NONCE_IV_ERR)");

    let mut no_algorithm = good();
    no_algorithm.0[3] = "RSAES_OAEP_SHA_512".to_owned();
    desk.run(&no_algorithm.import("a")).fails(2, "INVALID_FIELD_ERR");

    let mut no_base64 = good();
    no_base64.0[0] = "AAEC/w".to_owned();
    desk.run(&no_base64.import("a")).fails(2, "base64");

    let old = good();
    desk.run(&["import-token", "create"]).succeeds();
    desk.run(&old.import("a")).fails(17, "(INCORRECT_NONCE_IV_ERR)");
    assert_eq!(desk.json(&["key", "list"]), Value::Array(Vec::new()));
}

#[test]
fn key_material_has_the_length_of_an_aes_key() {
    let (desk, token) = with_import_token();
    for (name, bad) in
        [("empty", ""), ("short", "0123456789"), ("line", "0123456789abcdef\n"), ("long", &"x".repeat(90))]
    {
        let file = desk.file(name, bad);
        let encrypt = ["import-token", "encrypt-key", "--payload", text(&token, "payload"), "-k", &file];
        desk.run(&encrypt).fails(2, "16, 24 or 32 bytes");
        desk.run(&[&encrypt[..], &["--base64"]].concat()).fails(2, "in base64");
    }
    let missing = desk.0.path().join("missing").display().to_string();
    let nonce = text(&token, "nonce");
    desk.run(&["import-token", "encrypt-nonce", "--nonce", nonce, "-k", &missing]).fails(12, "missing");
}

#[test]
fn a_key_is_encrypted_to_one_public_key() {
    let desk = Desk::empty();
    let key = desk.file("key.b64", KEY_BASE64);
    let encrypt = ["import-token", "encrypt-key", "-k", &key, "--base64"];
    desk.run(&encrypt).fails(2, "--payload");
    let pem = desk.file("none.pem", "no key");
    desk.run(&[&encrypt[..], &["--payload", "AAAA", "--public-key", &pem]].concat())
        .fails(2, "cannot be used with");
    desk.run(&[&encrypt[..], &["--public-key", &pem]].concat()).fails(1, "public key is not valid");
    desk.run(&[&encrypt[..], &["--payload", "/w=="]].concat()).fails(2, "no public key");
}

#[test]
fn importing_names_the_way_in() {
    let (desk, token) = with_import_token();
    let key = desk.file("key.b64", KEY_BASE64);
    let sent = Sent::of(&desk, &token, &key, &[]);
    let without: Vec<_> = sent.import("a").into_iter().filter(|option| *option != "--import-token").collect();
    desk.run(&without).fails(2, "--import-token");
    Done::of(desk.bare(&sent.import("a")).env("SOFTHSM_RS_PIN", "wrong!")).fails(5, "wrong PIN");
    Done::of(desk.bare(&sent.import("a")).env("SOFTHSM_RS_PIN", PIN)).succeeds();
}

/// An Ed25519 key in PKCS #8.
const ED25519: &str = "-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
    -----END PRIVATE KEY-----\n";

/// What `import-token encrypt-key --asymmetric` gives for a private key in a file.
fn private_key(desk: &Desk, token: &Value, file: &str) -> Sent {
    let encrypt = ["import-token", "encrypt-key", "--asymmetric", "-k", file];
    let made = desk.json(
        &[&encrypt[..], &["--payload", text(token, "payload"), "--nonce", text(token, "nonce")]].concat(),
    );
    Sent(["payload", "encryptedNonce", "iv", "encryptionAlgorithm"].map(|name| text(&made, name).to_owned()))
}

#[test]
fn a_private_key_comes_in_as_a_pair_that_never_leaves() {
    let (desk, token) = with_import_token();
    let file = desk.file("key.pem", ED25519);
    let sent = private_key(&desk, &token, &file);
    assert_eq!(sent.0[3], "RSA_AES_KEY_WRAP_SHA_256");
    let imported = desk.json(&[&sent.import("box")[..], &["--id", "0b"]].concat());
    let [private, public] = imported.as_array().expect("a list").as_slice() else { panic!("{imported}") };
    assert_eq!((&private["class"], &public["class"]), (&"private".into(), &"public".into()));
    assert_eq!((&private["type"], &private["id"]), (&public["type"], &public["id"]));
    assert_eq!(
        (&private["sensitive"], &private["extractable"], &private["local"]),
        (&true.into(), &false.into(), &false.into())
    );
    let shown = desk.run(&["key", "show", "--label", "box", "--public-key"]).succeeds().out;
    assert!(shown.contains("MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="), "{shown}");
}

#[test]
fn a_private_key_is_refused_by_the_code_of_what_is_wrong() {
    let (desk, token) = with_import_token();
    let file = desk.file("key.pem", ED25519);
    let good = private_key(&desk, &token, &file);
    let mut other_nonce = token.clone();
    other_nonce["nonce"] = "AAAAAAAAAAAAAAAA".into();
    desk.run(&private_key(&desk, &other_nonce, &file).import("a")).fails(17, "(INCORRECT_NONCE_ERR)");
    let mut other_iv = private_key(&desk, &token, &file);
    other_iv.0[2] = "AAAAAAAAAAAAAAAA".to_owned();
    desk.run(&other_iv.import("a")).fails(17, "(INCORRECT_NONCE_IV_ERR)");
    let mut as_secret = private_key(&desk, &token, &file);
    as_secret.0[3] = "RSAES_OAEP_SHA_256".to_owned();
    desk.run(&as_secret.import("a")).fails(17, "(INCORRECT_NONCE_IV_ERR)");
    desk.run(&["import-token", "create"]).succeeds();
    desk.run(&good.import("a")).fails(17, "(INCORRECT_NONCE_IV_ERR)");
    assert_eq!(desk.json(&["key", "list"]), Value::Array(Vec::new()));
}

#[test]
fn asymmetric_takes_private_keys_in_pkcs8_with_the_nonce() {
    let (desk, token) = with_import_token();
    let payload = ["--payload", text(&token, "payload")];
    let nonce = ["--nonce", text(&token, "nonce")];
    let file = desk.file("key.pem", ED25519);
    let encrypt = |file: &str, options: &[&str]| {
        desk.run(&[&["import-token", "encrypt-key", "-k", file][..], &payload, options].concat())
    };
    encrypt(&file, &["--asymmetric"]).fails(2, "--nonce");
    encrypt(&file, &nonce).fails(2, "--asymmetric");
    encrypt(&file, &[&["--asymmetric", "--sha1"][..], &nonce].concat()).fails(2, "--sha1");
    let with_nonce = |file: &str| encrypt(file, &[&["--asymmetric"][..], &nonce].concat());
    let of_ec = desk.file("ec.pem", &ED25519.replace("PRIVATE", "EC PRIVATE"));
    with_nonce(&of_ec).fails(2, "openssl pkcs8 -topk8 -nocrypt");
    let bytes = desk.file("key.bin", "0123456789abcdef");
    with_nonce(&bytes).fails(1, "");
}

#[test]
fn the_import_token_is_not_among_the_keys() {
    let (desk, token) = with_import_token();
    assert!(text(&token, "uniqueIdentifier").starts_with("import-token-"));
    assert_eq!(desk.json(&["key", "list", "--all"]), Value::Array(Vec::new()));
    desk.run(&["key", "show", "--label", "import token"]).fails(4, "no such key");
    desk.run(&["key", "delete", "--label", "import token", "--yes"]).fails(4, "no such key");
}
