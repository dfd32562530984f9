//! `import pkcs8`, `pkcs12`, `pem` and `jwk`, and `export`; the other side is openssl.

use std::path::Path;
use std::process::Command;

use cryptoki_sys::*;
use hsm_core::object::Value;
use serde_json::Value as Json;

use super::{mechanism, object, session};
use crate::desk::{Desk, Done, PIN};

/// Runs openssl in the desk's directory.
fn openssl(desk: &Desk, arguments: &str) {
    let mut command = Command::new("openssl");
    let done = command.args(arguments.split(' ')).current_dir(desk.0.path()).output().expect("openssl");
    assert!(done.status.success(), "{arguments}: {}", String::from_utf8_lossy(&done.stderr));
}

fn path(desk: &Desk, name: &str) -> String {
    desk.0.path().join(name).to_str().expect("text").to_owned()
}

fn with_passphrase(desk: &Desk, arguments: &[&str], passphrase: &str) -> Done {
    Done::of(desk.bare(arguments).env("SOFTHSM_RS_PIN", PIN).env("SOFTHSM_RS_PASSPHRASE", passphrase))
}

/// Signs with an imported key and has openssl verify it.
fn signs_as(desk: &Desk, label: &str, kind: u64) {
    let session = session(desk, "web", PIN);
    let key = object(&session, CKO_PRIVATE_KEY, label);
    session.sign_init(&mechanism(kind), key).expect("signing");
    let mut out = vec![0; 512];
    let length = session.sign(b"message", hsm_core::session::Output::Buffer(&mut out)).expect("a signature");
    std::fs::write(path(desk, "signature"), &out[..length]).expect("a file");
    desk.file("message", "message");
}

#[test]
fn a_private_key_comes_in_from_pkcs8_with_its_public_half() {
    let desk = Desk::with_token();
    openssl(&desk, "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem");
    openssl(&desk, "pkcs8 -topk8 -nocrypt -in key.pem -outform DER -out key.der");
    openssl(&desk, "pkey -in key.pem -pubout -out public.pem");
    let file = path(&desk, "key.der");
    let done = desk.json(&["import", "pkcs8", &file, "--label", "tls", "--id", "0a0b", "--usage", "sign"]);
    assert_eq!((&done[0]["class"], &done[1]["class"]), (&"private".into(), &"public".into()));
    let keys = desk.json(&["key", "list", "--label", "tls"]);
    assert_eq!((&keys[0]["id"], &keys[1]["id"]), (&"0a0b".into(), &"0a0b".into()));
    assert_eq!(
        (&keys[0]["uses"], &keys[1]["uses"]),
        (&serde_json::json!(["sign"]), &serde_json::json!(["verify"]))
    );
    assert_eq!((&keys[0]["sensitive"], &keys[0]["extractable"]), (&true.into(), &false.into()));
    signs_as(&desk, "tls", CKM_SHA256_RSA_PKCS);
    openssl(&desk, "dgst -sha256 -verify public.pem -signature signature message");
    // Once more, and nothing is there twice.
    let again = desk.json(&["import", "pkcs8", &path(&desk, "key.pem"), "--label", "tls", "--id", "0a0b"]);
    assert_eq!(again[0]["outcome"], "already there");
    assert_eq!(desk.json(&["key", "list", "--label", "tls"]).as_array().map(Vec::len), Some(2));
}

#[test]
fn an_encrypted_key_wants_its_passphrase() {
    let desk = Desk::with_token();
    openssl(&desk, "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem");
    openssl(&desk, "pkcs8 -topk8 -v2 aes-256-cbc -passout pass:secret -in key.pem -out sealed.pem");
    let import = ["import", "pkcs8", &path(&desk, "sealed.pem"), "--label", "ec", "--no-public-key"];
    with_passphrase(&desk, &import, "other").fails(5, "the passphrase does not open");
    assert_eq!(desk.json(&["key", "list"]), Json::Array(Vec::new()));
    with_passphrase(&desk, &import, "secret").succeeds();
    let keys = desk.json(&["key", "list"]);
    assert_eq!((keys.as_array().map(Vec::len), &keys[0]["class"]), (Some(1), &"private".into()));
}

#[test]
fn a_container_brings_key_and_certificates_under_one_id() {
    let desk = Desk::with_token();
    openssl(
        &desk,
        "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=server -days 30",
    );
    let export = "pkcs12 -export -inkey key.pem -in cert.pem -out all.p12 -passout pass:secret -name server";
    openssl(&desk, export);
    let import = ["import", "pkcs12", &path(&desk, "all.p12")];
    with_passphrase(&desk, &import, "other").fails(5, "the passphrase is another");
    with_passphrase(&desk, &import, "secret").succeeds();
    let objects = desk.json(&["key", "list", "--all"]);
    let objects = objects.as_array().expect("objects");
    assert_eq!(objects.len(), 3);
    assert!(objects.iter().all(|one| one["label"] == "server" && one["id"] == objects[0]["id"]));
    // The same comes out again.
    let out = path(&desk, "out.crt");
    desk.run(&["export", "--label", "server", "--class", "certificate", "--out", &out]).succeeds();
    let text = |name: &str| std::fs::read_to_string(Path::new(&path(&desk, name))).expect("a file");
    assert_eq!(text("out.crt"), text("cert.pem"));
}

#[test]
fn a_pem_file_may_hold_several_things() {
    let desk = Desk::with_token();
    openssl(&desk, "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=both -days 30");
    openssl(&desk, "rsa -in key.pem -traditional -out old.pem");
    let text = |name: &str| std::fs::read_to_string(path(&desk, name)).expect("a file");
    let both =
        desk.file("both.pem", &format!("a remark\n{}\nanother\n{}", text("old.pem"), text("cert.pem")));
    desk.run(&["import", "pem", &both, "--label", "both"]).succeeds();
    assert_eq!(desk.json(&["key", "list", "--all"]).as_array().map(Vec::len), Some(3));
    let odd = desk.file("odd.pem", "-----BEGIN ODD THING-----\nAAAA\n-----END ODD THING-----\n");
    desk.run(&["import", "pem", &odd, "--label", "odd"]).fails(2, "a ODD THING is not taken");
    let none = desk.file("none.pem", "nothing");
    desk.run(&["import", "pem", &none, "--label", "none"]).fails(2, "no PEM");
    desk.run(&["import", "pem", &both]).fails(2, "--label");
}

#[test]
fn keys_of_one_time_passwords_are_listed_and_leave() {
    let desk = Desk::with_token();
    let session = session(&desk, "web", PIN);
    let template = vec![
        (CKA_CLASS, Value::Number(CKO_OTP_KEY)),
        (CKA_KEY_TYPE, Value::Number(CKK_HOTP)),
        (CKA_VALUE, Value::byte_string(true, b"12345678901234567890")),
        (CKA_LABEL, Value::Bytes(b"codes".to_vec())),
        (CKA_TOKEN, Value::Bool(true)),
        (CKA_EXTRACTABLE, Value::Bool(true)),
    ];
    session.create_object(template).expect("a key");
    for more in [&[][..], &["--class", "secret"]] {
        let keys = desk.json(&[&["key", "list"], more].concat());
        assert_eq!((&keys[0]["class"], &keys[0]["label"]), (&"otp".into(), &"codes".into()));
        assert_eq!(keys[0]["uses"], serde_json::json!(["sign", "verify"]));
    }
    let out = path(&desk, "key.bin");
    desk.run(&["export", "--label", "codes", "--class", "secret", "--format", "der", "--out", &out])
        .succeeds();
    assert_eq!(std::fs::read(&out).expect("a file"), b"12345678901234567890");
}

#[test]
fn json_web_keys_come_and_public_ones_go() {
    let desk = Desk::with_token();
    // RFC 7517, appendix A.1 and A.2, and RFC 8037, appendix A.1.
    let set = desk.file(
        "set.json",
        r#"{"keys":[
        {"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
         "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE","kid":"1"}
        ]}"#,
    );
    desk.run(&["import", "jwk", &set]).succeeds();
    let key = desk.run(&["export", "--label", "1", "--format", "jwk"]).succeeds().out;
    let key: Json = serde_json::from_str(&key).expect("JSON");
    assert_eq!(key["x"], "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4");
    assert_eq!(key["y"], "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM");
    assert_eq!(key["d"], Json::Null);
    let okp = desk.file(
        "okp.json",
        r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
    );
    desk.run(&["import", "jwk", &okp, "--label", "okp"]).succeeds();
    let key: Json =
        serde_json::from_str(&desk.run(&["export", "--label", "okp", "--format", "jwk"]).succeeds().out)
            .expect("JSON");
    assert_eq!(key["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    // RFC 8032, section 7.4, and RFC 7748, section 6.2.
    for (curve, private, public) in [
        (
            "Ed448",
            "bIKlYsuAjRDWMr6JyFE-v2ySnzTd-oyfY8mWDvbjSKNSjIo_zC8ETjmj_FuUSS-PAy51SaIAmPlb",
            "X9dEm1m0Yf0s54fsYWrUah2hNCSFpw4fig6nXYDpZ3jt8SR2m0bHBhvWeD3x5Q9s0foavq_oJWGA",
        ),
        (
            "X448",
            "mo9JJdFRn1d1z0awS1gA1O6e6LrovFVl1JjCjdnJuvV0qUGXRIlzkQBjgqbxJ6sdmsLYwKWYcms",
            "mwj3zDG34-Z9ItWuoSEHSic70rg94Jxj-qc9LCLF2bvINmRyQdlT1AxbEtqIEg1TF3-A5TLEH6A",
        ),
    ] {
        let member = [("kty", "OKP"), ("crv", curve), ("d", private), ("x", public)];
        let file = desk.file("okp.json", &Json::from_iter(member).to_string());
        desk.run(&["import", "jwk", &file, "--label", curve]).succeeds();
        let key = desk.run(&["export", "--label", curve, "--format", "jwk"]).succeeds().out;
        let key: Json = serde_json::from_str(&key).expect("JSON");
        assert_eq!((&key["crv"], &key["x"]), (&curve.into(), &public.into()));
    }
    let oct = desk.file("oct.json", r#"{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODw","kid":"sym"}"#);
    desk.run(&["import", "jwk", &oct, "--extractable", "--not-sensitive"]).succeeds();
    let out = path(&desk, "value");
    desk.run(&["export", "--label", "sym", "--class", "secret", "--format", "der", "--out", &out]).succeeds();
    assert_eq!(std::fs::read(&out).expect("the value"), (0..16).collect::<Vec<u8>>());
    let bad = desk.file("bad.json", r#"{"kty":"EC","crv":"P-999","x":"AA","y":"AA"}"#);
    desk.run(&["import", "jwk", &bad, "--label", "bad"]).fails(2, "this curve");
    let bad = desk.file("bad.json", r#"{"kty":"RSA","n":"=="}"#);
    desk.run(&["import", "jwk", &bad, "--label", "bad"]).fails(2, "no base64url");
}

#[test]
fn what_is_extractable_leaves_in_clear_or_encrypted() {
    let desk = Desk::with_token();
    openssl(&desk, "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out key.pem");
    openssl(&desk, "pkey -in key.pem -pubout -out public.pem");
    let file = path(&desk, "key.pem");
    desk.run(&["import", "pem", &file, "--label", "ec", "--extractable", "--not-sensitive"]).succeeds();
    let export = |out: &str, more: &[&str]| {
        let options = ["export", "--label", "ec", "--class", "private", "--out", out];
        with_passphrase(&desk, &[&options[..], more].concat(), "passphrase")
    };
    export(&path(&desk, "out.pem"), &[]).succeeds();
    export(&path(&desk, "out.pem"), &[]).fails(10, "out.pem");
    openssl(&desk, "pkey -in out.pem -pubout -out public-2.pem");
    export(&path(&desk, "sealed.pem"), &["--encrypt"]).succeeds();
    openssl(&desk, "pkey -in sealed.pem -passin pass:passphrase -pubout -out public-3.pem");
    export(&path(&desk, "out.der"), &["--format", "der"]).succeeds();
    openssl(&desk, "pkey -inform DER -in out.der -pubout -out public-4.pem");
    let text = |name: &str| std::fs::read_to_string(path(&desk, name)).expect("a file");
    for name in ["public-2.pem", "public-3.pem", "public-4.pem"] {
        assert_eq!(text(name), text("public.pem"));
    }
    assert_eq!(desk.run(&["export", "--label", "ec"]).succeeds().out, text("public.pem"));
    let events = desk.run(&["audit", "show"]).succeeds().out;
    assert_eq!(events.matches("cli.export-key").count(), 3, "{events}");
}

#[test]
fn sensitive_keys_stay() {
    let desk = Desk::with_token();
    desk.run(&["key", "generate", "--type", "ec:p256", "--label", "a", "--extractable"]).succeeds();
    desk.run(&["key", "generate", "--type", "aes:128", "--label", "b"]).succeeds();
    let out = path(&desk, "out");
    for (label, class) in [("a", "private"), ("b", "secret")] {
        let export = ["export", "--label", label, "--class", class, "--format", "der", "--out", &out];
        desk.run(&export).fails(18, "does not leave the token in clear");
    }
    assert!(!Path::new(&out).exists());
    desk.run(&["export", "--label", "a", "--class", "private"]).fails(2, "--out");
    desk.run(&["export", "--label", "nobody"]).fails(4, "no such object");
    desk.run(&["export"]).fails(2, "which object?");
}

#[test]
fn usage_and_flags_are_as_they_were_asked_for() {
    let desk = Desk::with_token();
    let oct = desk.file("oct.json", r#"{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODw","alg":"HS256"}"#);
    let import = ["import", "jwk", &oct, "--label", "mac", "--usage", "sign,derive", "--extractable"];
    desk.run(&import).succeeds();
    let key = &desk.json(&["key", "list"])[0];
    assert_eq!(key["type"], "generic");
    assert_eq!(key["uses"], serde_json::json!(["sign", "verify", "derive"]));
    assert_eq!((&key["extractable"], &key["sensitive"]), (&true.into(), &true.into()));
}

#[test]
fn dsa_and_diffie_hellman_keys_come_and_go() {
    let desk = Desk::with_token();
    openssl(&desk, "genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:1024 -out dsa-group.pem");
    openssl(&desk, "genpkey -paramfile dsa-group.pem -out dsa.pem");
    openssl(&desk, "genpkey -algorithm DH -pkeyopt group:modp_1536 -out dh.pem");
    let text = |name: &str| std::fs::read_to_string(path(&desk, name)).expect("a file");
    for (label, form) in [("dsa", "pkcs8"), ("dh", "pem")] {
        let file = path(&desk, &format!("{label}.pem"));
        let import = ["import", form, &file, "--label", label, "--extractable", "--not-sensitive"];
        desk.run(&import).succeeds();
        let keys = desk.json(&["key", "list", "--label", label]);
        assert_eq!((keys.as_array().map(Vec::len), &keys[0]["type"]), (Some(2), &label.into()));
        let out = path(&desk, &format!("{label}-out.pem"));
        let export = ["export", "--label", label, "--class", "private", "--out", &out];
        desk.run(&export).succeeds();
        openssl(&desk, &format!("pkey -in {label}-out.pem -pubout -out {label}-public.pem"));
        let public = desk.run(&["export", "--label", label]).succeeds().out;
        assert_eq!(public, text(&format!("{label}-public.pem")));
        // A public key alone comes in too.
        let file = desk.file("public.pem", &public);
        desk.run(&["import", "pem", &file, "--label", "public"]).succeeds();
    }
    openssl(&desk, "pkey -in dsa.pem -pubout -out public.pem");
    assert_eq!(text("public.pem"), text("dsa-public.pem"));
    signs_as(&desk, "dsa", CKM_DSA_SHA256);
    let signature = std::fs::read(path(&desk, "signature")).expect("a signature");
    let der = hsm_core::mechanism::ecdsa_to_der(&signature).expect("DER");
    std::fs::write(path(&desk, "signature"), der).expect("a file");
    openssl(&desk, "dgst -sha256 -verify public.pem -signature signature message");
}
