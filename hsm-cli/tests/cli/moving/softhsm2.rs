//! `import softhsm2`, by tokens that SoftHSM2 2.6.1 made with either back end (`tests/softhsm2/make.py`), and what it
//! signed and encrypted with them.

use std::path::{Path, PathBuf};

use cryptoki_sys::*;
use hsm_core::mechanism::{Mechanism, Parameter};
use hsm_core::object::Value;
use hsm_core::session::{Output, Session};
use serde_json::Value as Json;

use super::{copy, find, fixture, mechanism, object, session, with_iv};
use crate::desk::{Desk, Done, SO_PIN};

const BACKENDS: [&str; 2] = ["file", "db"];
const MESSAGE: &[u8] = b"what SoftHSM2 signed";
const BLOCKS: &[u8] = b"sixteen bytes 16sixteen bytes 32";
const IV: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// The other side's public value in RFC 5114, appendix A.1.
const PEER: &str = "\
    717a6cb053371ff4a3b932941c1e5663f861a1d6ad34ae66576dfb98f6c6cbf9ddd5a56c7833f6bcfdff095582ad868e\
    440e8d09fd769e3ceccdc3d3b1e4cfa057776caaf9739b6a9fee8e7411f8d6dac09d6a4edb46cc2b5d5203090eae6126\
    311e53fd2c14b574e6a3109a3da1be41bdceaa186f5ce06716a2b6a07b3c33fe";

fn tokens(backend: &str) -> String {
    fixture("softhsm2").join(backend).to_str().expect("text").to_owned()
}

/// SoftHSM2's user PIN, and the SO PIN of a token that is made.
fn import(desk: &Desk, tokendir: &str, more: &[&str]) -> Done {
    let options = [&["import", "softhsm2", "--tokendir", tokendir][..], more].concat();
    Done::of(desk.bare(&options).env("SOFTHSM_RS_PIN", "1234").env("SOFTHSM_RS_SO_PIN", SO_PIN))
}

fn imported(backend: &str) -> (Desk, Json) {
    let desk = Desk::with_hsm();
    let done = import(&desk, &tokens(backend), &["--json"]).succeeds();
    (desk, serde_json::from_str(&done.out).expect("JSON"))
}

fn outcomes(report: &Json) -> Vec<(String, String)> {
    let objects = report["objects"].as_array().expect("objects").iter();
    let text = |value: &Json| value.as_str().expect("text").to_owned();
    let mut found: Vec<_> =
        objects.map(|object| (text(&object["label"]), text(&object["outcome"]))).collect();
    found.sort();
    found
}

#[test]
fn every_object_of_either_back_end_comes_over() {
    for backend in BACKENDS {
        let (desk, report) = imported(backend);
        assert_eq!(report["source"]["backend"], backend);
        assert_eq!((&report["token"]["label"], &report["token"]["made"]), (&"old".into(), &true.into()));
        assert_eq!((&report["brought"], &report["left_out"]), (&17.into(), &1.into()), "{report}");
        let left: Vec<_> =
            report["objects"].as_array().unwrap().iter().filter(|o| o["outcome"] == "left out").collect();
        assert_eq!(left[0]["label"], "parameters");
        assert_eq!(left[0]["reason"], "the domain parameters are not valid");
        let session = session(&desk, "old", "1234");
        assert_eq!(find(&session, Vec::new()).len(), 17);
    }
}

fn attribute(session: &Session, class: u64, label: &str, kind: u64) -> String {
    let view = session.view(object(session, class, label)).expect("the object");
    format!("{:?}", view.attribute(kind).expect("the attribute"))
}

#[test]
fn attributes_are_what_they_were() {
    for backend in BACKENDS {
        let (desk, _) = imported(backend);
        let session = session(&desk, "old", "1234");
        let expect = |class, label, expected: &[(u64, Value)]| {
            for (kind, value) in expected {
                let found = attribute(&session, class, label, *kind);
                assert_eq!(found, format!("{value:?}"), "{backend} {label} {kind:#x}");
            }
        };
        let (yes, no) = (|| Value::Bool(true), || Value::Bool(false));
        let text = |text: &str| Value::Bytes(text.into());
        expect(
            CKO_PRIVATE_KEY,
            "rsa",
            &[
                (CKA_ID, Value::Bytes(vec![1])),
                (CKA_SUBJECT, Value::Bytes(vec![0x30, 0])),
                (CKA_PRIVATE, yes()),
                (CKA_SENSITIVE, yes()),
                (CKA_EXTRACTABLE, no()),
                (CKA_DECRYPT, yes()),
                (CKA_UNWRAP, no()),
                (CKA_LOCAL, yes()),
                (CKA_ALWAYS_SENSITIVE, yes()),
                (CKA_NEVER_EXTRACTABLE, yes()),
                (CKA_KEY_GEN_MECHANISM, Value::Number(CKM_RSA_PKCS_KEY_PAIR_GEN)),
            ],
        );
        expect(
            CKO_PUBLIC_KEY,
            "rsa",
            &[(CKA_MODULUS_BITS, Value::Number(2048)), (CKA_WRAP, no()), (CKA_PRIVATE, no())],
        );
        expect(CKO_PRIVATE_KEY, "ec", &[(CKA_DERIVE, yes()), (CKA_DECRYPT, no())]);
        expect(
            CKO_PRIVATE_KEY,
            "dsa",
            &[(CKA_LOCAL, yes()), (CKA_KEY_GEN_MECHANISM, Value::Number(CKM_DSA_KEY_PAIR_GEN))],
        );
        expect(CKO_PRIVATE_KEY, "dh", &[(CKA_DERIVE, yes()), (CKA_SENSITIVE, yes())]);
        expect(CKO_DOMAIN_PARAMETERS, "group", &[(CKA_PRIME_BITS, Value::Number(1024)), (CKA_PRIVATE, no())]);
        expect(
            CKO_SECRET_KEY,
            "aes",
            &[
                (CKA_VALUE_LEN, Value::Number(32)),
                (CKA_SIGN, no()),
                (CKA_UNWRAP, no()),
                (CKA_WRAP_TEMPLATE, Value::Template(vec![(CKA_EXTRACTABLE, yes())])),
            ],
        );
        expect(
            CKO_SECRET_KEY,
            "open",
            &[
                (CKA_SENSITIVE, no()),
                (CKA_EXTRACTABLE, yes()),
                (CKA_COPYABLE, no()),
                (CKA_NEVER_EXTRACTABLE, no()),
                (CKA_ALLOWED_MECHANISMS, Value::Numbers(vec![CKM_AES_CBC])),
                (CKA_START_DATE, Value::Date(Some(*b"20250101"))),
                (CKA_END_DATE, Value::Date(Some(*b"20991231"))),
            ],
        );
        expect(
            CKO_SECRET_KEY,
            "public secret",
            &[(CKA_PRIVATE, no()), (CKA_LOCAL, no()), (CKA_START_DATE, Value::Date(Some(*b"20250101")))],
        );
        expect(
            CKO_CERTIFICATE,
            "certificate",
            &[(CKA_ID, Value::Bytes(vec![2])), (CKA_SERIAL_NUMBER, Value::Bytes(vec![2, 1, 7]))],
        );
        expect(
            CKO_DATA,
            "public note",
            &[
                (CKA_VALUE, text("for everybody")),
                (CKA_APPLICATION, text("notes")),
                (CKA_OBJECT_ID, Value::Bytes(vec![6, 3, 0x2a, 3, 4])),
                (CKA_MODIFIABLE, no()),
                (CKA_PRIVATE, no()),
            ],
        );
        expect(CKO_DATA, "private note", &[(CKA_VALUE, text("for the user")), (CKA_PRIVATE, yes())]);
    }
}

#[test]
fn keys_answer_as_they_did_in_softhsm2() {
    for backend in BACKENDS {
        let (desk, _) = imported(backend);
        let text = std::fs::read_to_string(fixture("softhsm2").join(format!("{backend}.json")));
        let known: Json = serde_json::from_str(&text.expect("what SoftHSM2 answered")).expect("JSON");
        let known = |what: &str| hex::decode(known[what].as_str().expect(what)).expect("digits");
        let session = session(&desk, "old", "1234");
        let sign = |kind, class, label, data: &[u8]| {
            session.sign_init(&mechanism(kind), object(&session, class, label)).expect("signing");
            let mut out = vec![0; 512];
            let length = session.sign(data, Output::Buffer(&mut out)).expect("a signature");
            out.truncate(length);
            out
        };
        let decrypt = |mechanism, label| {
            session.decrypt_init(&mechanism, object(&session, CKO_SECRET_KEY, label)).expect("decrypting");
            let cipher = known(&format!("{label} ciphertext"));
            let mut out = vec![0; 64];
            let length = session.decrypt(&cipher, Output::Buffer(&mut out)).expect("a plaintext");
            out.truncate(length);
            out
        };
        // These have one right answer.
        let rsa = sign(CKM_SHA256_RSA_PKCS, CKO_PRIVATE_KEY, "rsa", MESSAGE);
        assert_eq!(rsa, known("rsa signature"), "{backend}");
        assert_eq!(sign(CKM_SHA256_HMAC, CKO_SECRET_KEY, "mac", MESSAGE), known("mac"), "{backend}");
        assert_eq!(decrypt(with_iv(CKM_AES_CBC, &IV), "aes"), BLOCKS, "{backend}");
        let view = session.view(object(&session, CKO_SECRET_KEY, "des3")).expect("the key");
        let check = view.attribute(CKA_CHECK_VALUE).ok().and_then(Value::as_bytes);
        assert_eq!(check, Some(&known("des3 check value")[..]), "{backend}");
        // This has many: both halves of the pair are tried, the public one on what SoftHSM2 signed too.
        let digest: Vec<u8> = (0..32).collect();
        let ours = sign(CKM_ECDSA, CKO_PRIVATE_KEY, "ec", &digest);
        for signature in [ours, known("ec signature")] {
            let key = object(&session, CKO_PUBLIC_KEY, "ec");
            session.verify_init(&mechanism(CKM_ECDSA), key).expect("verifying");
            session.verify(&digest, &signature).expect("the signature");
        }
        let shared = session
            .derive_key(
                &Mechanism {
                    kind: CKM_DH_PKCS_DERIVE,
                    parameter: Parameter::PublicValue(hex::decode(PEER).expect("digits")),
                },
                object(&session, CKO_PRIVATE_KEY, "dh"),
                vec![
                    (CKA_KEY_TYPE, Value::Number(CKK_AES)),
                    (CKA_VALUE_LEN, Value::Number(32)),
                    (CKA_SENSITIVE, Value::Bool(false)),
                    (CKA_EXTRACTABLE, Value::Bool(true)),
                ],
            )
            .expect("a secret");
        let shared = session.view(shared).expect("the secret");
        assert_eq!(shared.attribute(CKA_VALUE).ok().and_then(Value::as_bytes), Some(&known("dh secret")[..]));
        for signature in [sign(CKM_DSA_SHA1, CKO_PRIVATE_KEY, "dsa", MESSAGE), known("dsa signature")] {
            let key = object(&session, CKO_PUBLIC_KEY, "dsa");
            session.verify_init(&mechanism(CKM_DSA_SHA1), key).expect("verifying");
            session.verify(MESSAGE, &signature).expect("the signature");
        }
    }
}

#[test]
fn a_second_run_brings_nothing_twice() {
    let (desk, _) = imported("file");
    let again = import(&desk, &tokens("file"), &["--json"]).succeeds();
    let report: Json = serde_json::from_str(&again.out).expect("JSON");
    assert_eq!((&report["brought"], &report["already_there"]), (&0.into(), &17.into()), "{report}");
    assert_eq!(report["token"]["made"], false);
    // What was lost meanwhile comes again, and that alone.
    Done::of(desk.bare(&["key", "delete", "--label", "aes", "--yes"]).env("SOFTHSM_RS_PIN", "1234"))
        .succeeds();
    let again = import(&desk, &tokens("file"), &["--json"]).succeeds();
    let report: Json = serde_json::from_str(&again.out).expect("JSON");
    assert_eq!((&report["brought"], &report["already_there"]), (&1.into(), &16.into()));
    assert!(outcomes(&report).contains(&("aes".into(), "brought".into())));
}

#[test]
fn a_dry_run_says_the_same_and_changes_nothing() {
    let desk = Desk::with_hsm();
    let before = desk.run(&["audit", "show"]).succeeds().out;
    let done = import(&desk, &tokens("file"), &["--dry-run", "--json"]).succeeds();
    let report: Json = serde_json::from_str(&done.out).expect("JSON");
    assert_eq!((&report["brought"], &report["left_out"]), (&17.into(), &1.into()));
    assert_eq!((&report["dry_run"], &report["token"]), (&true.into(), &Json::Null));
    assert_eq!(desk.json(&["token", "list"]), Json::Array(Vec::new()));
    assert_eq!(desk.run(&["audit", "show"]).succeeds().out, before);
    let text = import(&desk, &tokens("file"), &["--dry-run"]).succeeds().out;
    assert!(text.contains("17 objects would be brought, 1 left out; nothing was changed"), "{text}");
}

#[test]
fn objects_come_to_a_token_that_is_there() {
    let desk = Desk::with_token();
    let pin = desk.file("pin", "1234\n");
    let ours = desk.file("ours", "123456\n");
    let options = ["--token", "web", "--pin-file", &pin, "--token-pin-file", &ours];
    let tokendir = tokens("db");
    let all = [&["import", "softhsm2", "--tokendir", &tokendir][..], &options].concat();
    Done::of(&mut desk.bare(&all)).succeeds();
    let session = session(&desk, "web", "123456");
    assert_eq!(find(&session, Vec::new()).len(), 17);
    // Nobody vouched for what no user may say.
    for kind in [CKA_LOCAL, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE] {
        assert_eq!(attribute(&session, CKO_PRIVATE_KEY, "rsa", kind), "Bool(false)");
    }
    assert_eq!(attribute(&session, CKO_PRIVATE_KEY, "rsa", CKA_SENSITIVE), "Bool(true)");
}

#[test]
fn the_so_of_a_token_that_is_there_vouches() {
    let desk = Desk::with_token();
    let ours = desk.file("ours", "123456\n");
    let options = ["--token", "web", "--pin", "1234", "--token-pin-file", &ours];
    let tokendir = tokens("file");
    let all = [&["import", "softhsm2", "--tokendir", &tokendir][..], &options].concat();
    let wrong = [&all[..], &["--so-pin", "11111111"][..]].concat();
    Done::of(&mut desk.bare(&wrong)).fails(5, "wrong PIN");
    assert_eq!(find(&session(&desk, "web", "123456"), Vec::new()).len(), 0, "nothing was brought");
    let done = Done::of(&mut desk.bare(&[&all[..], &["--so-pin", SO_PIN][..]].concat())).succeeds();
    assert!(done.err.contains("can be seen by others"), "{}", done.err);
    let session = session(&desk, "web", "123456");
    assert_eq!(attribute(&session, CKO_PRIVATE_KEY, "rsa", CKA_LOCAL), "Bool(true)");
}

#[test]
fn a_wrong_pin_is_said_and_makes_nothing() {
    for backend in BACKENDS {
        let desk = Desk::with_hsm();
        let wrong = ["import", "softhsm2", "--tokendir", &tokens(backend), "--pin", "4321"];
        Done::of(&mut desk.bare(&wrong)).fails(5, "this is not the user PIN of the SoftHSM2 token \"old\"");
        assert_eq!(desk.json(&["token", "list"]), Json::Array(Vec::new()));
    }
}

#[test]
fn where_no_token_is_that_is_said() {
    let desk = Desk::with_hsm();
    let nowhere = desk.0.path().join("nowhere");
    import(&desk, nowhere.to_str().unwrap(), &[]).fails(12, "nowhere");
    import(&desk, desk.0.path().to_str().unwrap(), &[]).fails(4, "there is no SoftHSM2 token here");
    import(&desk, &tokens("file"), &["--from", "other"]).fails(4, "SoftHSM2 has no token \"other\" here");
    let bare = Desk::empty();
    import(&bare, &tokens("file"), &[]).fails(3, "HSM");
}

/// A copy of a token, its one directory.
fn copied(desk: &Desk, backend: &str) -> (String, PathBuf) {
    let to = desk.0.path().join(backend);
    copy(&fixture("softhsm2").join(backend), &to);
    let token = std::fs::read_dir(&to).expect("tokens").next().expect("a token").expect("a token").path();
    (to.to_str().expect("text").to_owned(), token)
}

fn largest(directory: &Path) -> PathBuf {
    let files = std::fs::read_dir(directory).expect("files").map(|file| file.expect("a file").path());
    files.max_by_key(|path| path.metadata().expect("a file").len()).expect("a file")
}

#[test]
fn a_damaged_object_stops_all_unless_it_is_to_be_skipped() {
    let desk = Desk::with_hsm();
    let (tokendir, token) = copied(&desk, "file");
    // The RSA private key.
    let path = largest(&token);
    let whole = std::fs::read(&path).expect("the object");
    std::fs::write(&path, &whole[..whole.len() - 40]).expect("a cut");
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    let done = import(&desk, &tokendir, &[]).fails(8, "is damaged: it ends in the middle of an attribute");
    assert!(done.err.contains(&name) && done.err.contains("nothing was imported"), "{}", done.err);
    assert_eq!(desk.json(&["token", "list"]), Json::Array(Vec::new()));
    let done = import(&desk, &tokendir, &["--skip-damaged", "--json"]).succeeds();
    let report: Json = serde_json::from_str(&done.out).expect("JSON");
    assert_eq!((&report["brought"], &report["left_out"]), (&16.into(), &2.into()));
    // Mended, the rest comes.
    std::fs::write(&path, &whole).expect("mended");
    let done = import(&desk, &tokendir, &["--json"]).succeeds();
    let report: Json = serde_json::from_str(&done.out).expect("JSON");
    assert_eq!((&report["brought"], &report["already_there"]), (&1.into(), &16.into()));
}

#[test]
fn a_value_that_was_changed_is_noticed() {
    let desk = Desk::with_hsm();
    let (tokendir, token) = copied(&desk, "db");
    let database = rusqlite::Connection::open(token.join("sqlite3.db")).expect("the database");
    // CKA_LABEL of a private object: one byte of its last block, which no padding survives.
    let sql =
        "update attribute_binary set value = zeroblob(length(value)) where type = 3 and length(value) > 16
        and object_id = (select min(object_id) from attribute_boolean where type = 2 and value = 1)";
    assert_eq!(database.execute(sql, []).expect("a change"), 1);
    drop(database);
    let done = import(&desk, &tokendir, &[]).fails(8, "CKA_LABEL: it does not decrypt under the token's key");
    assert!(done.err.contains("sqlite3.db, object "), "{}", done.err);
    assert_eq!(desk.json(&["token", "list"]), Json::Array(Vec::new()));
}

#[test]
fn what_is_no_database_or_no_token_is_damaged() {
    let desk = Desk::with_hsm();
    let (tokendir, token) = copied(&desk, "db");
    std::fs::write(token.join("sqlite3.db"), b"no database at all, but long enough to look like one")
        .expect("spoilt");
    import(&desk, &tokendir, &[]).fails(8, "sqlite3.db is damaged");
    let desk = Desk::with_hsm();
    let (tokendir, token) = copied(&desk, "file");
    std::fs::write(token.join("token.object"), b"").expect("spoilt");
    import(&desk, &tokendir, &[]).fails(8, "token.object is damaged: it is empty");
}

#[test]
fn several_tokens_are_told_apart() {
    let desk = Desk::with_hsm();
    let both = desk.0.path().join("both");
    copy(&fixture("softhsm2").join("file"), &both);
    copy(&fixture("softhsm2").join("db"), &both);
    let both = both.to_str().unwrap();
    let done = import(&desk, both, &[]).fails(4, "SoftHSM2 has several such tokens here");
    let serials: Vec<_> = done.err.split("(serial ").skip(1).map(|rest| &rest[..16]).collect();
    assert_eq!(serials.len(), 2, "{}", done.err);
    import(&desk, both, &["--from", serials[1], "--token", "second"]).succeeds();
    assert_eq!(desk.json(&["token", "list"])[0]["label"], "second");
}

#[test]
fn a_pin_outside_the_limits_is_refused_before_a_token_is_made() {
    let desk = Desk::empty();
    std::fs::create_dir(desk.home()).expect("a home");
    std::fs::write(desk.home().join("softhsm-rs.toml"), "pin.min_length = 6\n").expect("a configuration");
    desk.run(&["init"]).succeeds();
    import(&desk, &tokens("file"), &[]).fails(2, "6 to 255");
    assert_eq!(desk.json(&["token", "list"]), Json::Array(Vec::new()));
}

#[test]
fn enforced_import_tokens_keep_keys_out_and_leave_nothing_behind() {
    let desk = Desk::with_token();
    desk.run(&["kms", "policy", "set", "--enforce-token", "on"]).succeeds();
    let ours = desk.file("ours", "123456\n");
    import(&desk, &tokens("file"), &["--token", "web", "--token-pin-file", &ours]).fails(18, "import token");
    assert_eq!(find(&session(&desk, "web", "123456"), Vec::new()).len(), 0);
}
