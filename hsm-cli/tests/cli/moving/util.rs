//! `util`, as scripts made for softhsm2-util call it.

use std::process::Command;

use cryptoki_sys::*;
use hsm_core::object::Value;

use super::{find, session};
use crate::desk::{Desk, Done};

const INIT: [&str; 7] = ["util", "--init-token", "--label", "web", "--so-pin", "87654321", "--pin"];

fn util(desk: &Desk, arguments: &[&str]) -> Done {
    Done::of(&mut desk.bare(&[&["util"], arguments].concat()))
}

/// Fails with this code and these words; what was found before may have been said.
fn refuses(done: Done, code: i32, words: &str) {
    assert_eq!(done.code, code, "{}{}", done.out, done.err);
    assert!(done.err.contains(words), "{words:?} is not in: {}", done.err);
}

/// A desk whose HSM has the token `web`, and its slot.
fn with_token() -> (Desk, String) {
    let desk = Desk::with_hsm();
    let options = ["--init-token", "--free", "--label", "web", "--so-pin", "87654321", "--pin", "123456"];
    let out = util(&desk, &options).succeeds().out;
    let mut lines = out.lines();
    assert_eq!(lines.next(), Some("Slot 0 has a free/uninitialized token."));
    let words = "The token has been initialized and is reassigned to slot ";
    let slot = lines.next().and_then(|line| line.strip_prefix(words)).expect("the slot").to_owned();
    (desk, slot)
}

#[test]
fn a_token_is_initialised_in_the_free_slot() {
    let (desk, slot) = with_token();
    let out = util(&desk, &["--show-slots"]).succeeds().out;
    let blocks: Vec<_> = out.split("\nSlot ").collect();
    assert_eq!(blocks[0], "Available slots:");
    assert!(
        blocks[1].starts_with(&format!(
            "{slot}\n    Slot info:\n        Description:      softhsm-rs slot {slot}"
        ))
    );
    let line = |name: &str| {
        let lines = blocks[1].lines().filter_map(|line| line.trim().strip_prefix(name));
        lines.map(str::trim).next_back().expect("the line").to_owned()
    };
    assert_eq!(line("Label:"), "web");
    assert_eq!((line("Initialized:"), line("User PIN init.:")), ("yes".into(), "yes".into()));
    assert_eq!(line("Serial number:").len(), 16);
    assert!(blocks[2].starts_with("1\n") && blocks[2].contains("Initialized:      no"));
    // The number is the one that SoftHSM2 would make of the serial.
    let number = u64::from_str_radix(&line("Serial number:")[8..], 16).expect("digits") & 0x7fff_ffff;
    assert_eq!(number.to_string(), slot);
}

#[test]
fn the_first_token_makes_the_hsm_as_it_does_for_the_module() {
    let desk = Desk::empty();
    let out = util(&desk, &["--show-slots"]).succeeds().out;
    assert!(out.contains("\nSlot 0\n") && out.contains("Initialized:      no"), "{out}");
    refuses(util(&desk, &["--delete-token", "--token", "web"]), 4, "Could not find a slot/token");
    util(&desk, &[&INIT[1..], &["123456", "--slot", "0"]].concat()).succeeds();
    assert_eq!(util(&desk, &["--show-slots"]).succeeds().out.matches("Initialized:      yes").count(), 1);
}

#[test]
fn without_an_automatic_ceremony_it_is_left_to_init() {
    let desk = Desk::empty();
    std::fs::create_dir_all(desk.home()).expect("the home");
    std::fs::write(desk.home().join("softhsm-rs.toml"), "init.automatic = false\n").expect("writing");
    for arguments in [&["--show-slots"][..], &[&INIT[1..], &["123456", "--free"]].concat()] {
        refuses(util(&desk, arguments), 3, "run `softhsm-rs init`");
    }
}

#[test]
fn a_token_is_initialised_anew_by_its_so() {
    let (desk, slot) = with_token();
    let anew = ["--init-token", "--slot", &slot, "--label", "new", "--pin", "abcdef", "--so-pin"];
    refuses(util(&desk, &[&anew[..], &["11111111"]].concat()), 5, "wrong PIN");
    let out = util(&desk, &[&anew[..], &["87654321"]].concat()).succeeds().out;
    assert_eq!(out, format!("The token has been initialized on slot {slot}\n"));
    assert!(find(&session(&desk, "new", "abcdef"), Vec::new()).is_empty());
    refuses(util(&desk, &["--init-token", "--slot", "77", "--label", "x"]), 4, "Slot 77 does not exist");
    refuses(util(&desk, &["--init-token", "--free", "--so-pin", "87654321"]), 2, "use --label");
    refuses(util(&desk, &["--init-token", "--label", "x"]), 2, "A slot/token must be supplied");
    refuses(Done::of(&mut desk.bare(&[&INIT[..], &["12", "--free"]].concat())), 2, "4 to 255");
}

#[test]
fn a_key_pair_and_an_aes_key_are_imported() {
    let (desk, slot) = with_token();
    let key = desk.0.path().join("key.pem");
    let key = key.to_str().expect("text");
    let made = Command::new("openssl").args(["genpkey", "-algorithm", "RSA", "-out", key]).output();
    assert!(made.expect("openssl").status.success());
    let import = ["--import", key, "--token", "web", "--label", "tls", "--id", "a1b2", "--pin", "123456"];
    let out = util(&desk, &import).succeeds().out;
    assert_eq!(
        out,
        format!("Found slot {slot} with matching token label.\nThe key pair has been imported.\n")
    );
    refuses(util(&desk, &import), 10, "The ID is already assigned");
    let other = ["--import", key, "--slot", &slot, "--label", "second", "--id", "a1b2", "--pin", "123456"];
    util(&desk, &[&other[..], &["--force", "--no-public-key"]].concat()).succeeds();
    let aes = desk.file("aes", "sixteen bytes 16");
    let import =
        ["--import", &aes, "--aes", "--slot", &slot, "--label", "aes", "--id", "03", "--pin", "123456"];
    util(&desk, &import).succeeds();
    let short = desk.file("short", "short");
    let import =
        ["--import", &short, "--aes", "--slot", &slot, "--label", "no", "--id", "04", "--pin", "123456"];
    refuses(util(&desk, &import), 2, "16, 24 or 32 bytes");
    let session = session(&desk, "web", "123456");
    let count = |class| find(&session, vec![(CKA_CLASS, Value::Number(class))]).len();
    assert_eq!((count(CKO_PRIVATE_KEY), count(CKO_PUBLIC_KEY), count(CKO_SECRET_KEY)), (2, 1, 1));
}

#[test]
fn an_encrypted_file_takes_its_pin() {
    let (desk, _) = with_token();
    let directory = desk.0.path();
    let run = |arguments: &str| {
        let made = Command::new("openssl").args(arguments.split(' ')).current_dir(directory).output();
        assert!(made.expect("openssl").status.success());
    };
    run("genpkey -algorithm RSA -out key.pem");
    run("pkcs8 -topk8 -v2 aes-128-cbc -passout pass:file -in key.pem -out sealed.pem");
    let key = directory.join("sealed.pem").to_str().expect("text").to_owned();
    let import = ["--import", &key, "--token", "web", "--label", "tls", "--id", "01", "--pin", "123456"];
    refuses(
        util(&desk, &[&import[..], &["--file-pin", "wrong"]].concat()),
        5,
        "the passphrase does not open",
    );
    util(&desk, &[&import[..], &["--file-pin", "file", "--module", "/nowhere.so"]].concat()).succeeds();
}

#[test]
fn a_token_is_deleted_by_its_so() {
    let (desk, _) = with_token();
    refuses(util(&desk, &["--delete-token"]), 2, "A token must be supplied");
    refuses(
        util(&desk, &["--delete-token", "--token", "other", "--so-pin", "87654321"]),
        4,
        "Could not find",
    );
    refuses(util(&desk, &["--delete-token", "--token", "web", "--so-pin", "11111111"]), 5, "wrong PIN");
    let out = util(&desk, &["--delete-token", "--token", "web", "--so-pin", "87654321"]).succeeds().out;
    assert!(out.ends_with(") has been deleted.\n"), "{out}");
    assert!(!util(&desk, &["--show-slots"]).succeeds().out.contains("Label:            web"));
}

#[test]
fn one_action_is_wanted() {
    let desk = Desk::with_hsm();
    refuses(util(&desk, &[]), 2, "required");
    refuses(util(&desk, &["--show-slots", "--delete-token"]), 2, "cannot be used with");
}
