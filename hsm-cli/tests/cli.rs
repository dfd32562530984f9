//! The command line as scripts use it: arguments, files and environment in; exit codes, results on
//! standard output and remarks on standard error out.
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails loudly: that is its work")]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const SO_PIN: &str = "87654321";
const PIN: &str = "123456";

/// A directory with a home in it.
struct Desk(TempDir);

/// What a command did.
struct Done {
    code: i32,
    out: String,
    err: String,
}

impl Desk {
    /// No HSM yet.
    fn empty() -> Desk {
        Desk(tempfile::tempdir().expect("a directory"))
    }

    /// An HSM.
    fn with_hsm() -> Desk {
        let desk = Desk::empty();
        desk.run(&["init"]).succeeds();
        desk
    }

    /// An HSM with the token `web`.
    fn with_token() -> Desk {
        let desk = Desk::with_hsm();
        desk.run(&["token", "init", "web"]).succeeds();
        desk
    }

    fn home(&self) -> PathBuf {
        self.0.path().join("home")
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).expect("writing a file");
        path.to_str().expect("a path of text").to_owned()
    }

    /// The command with nothing of the test's own environment, and no PIN.
    fn bare(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_softhsm-rs"));
        command.args(arguments).env_clear().env("SOFTHSM_RS_HOME", self.home()).stdin(Stdio::null());
        command
    }

    /// The command with the PINs in the environment.
    fn run(&self, arguments: &[&str]) -> Done {
        Done::of(self.bare(arguments).env("SOFTHSM_RS_PIN", PIN).env("SOFTHSM_RS_SO_PIN", SO_PIN))
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let done = self.run(&[arguments, &["--json"]].concat()).succeeds();
        serde_json::from_str(&done.out).expect("JSON on standard output")
    }
}

impl Done {
    fn of(command: &mut Command) -> Done {
        let output = command.output().expect("the binary runs");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Done {
            code: output.status.code().expect("no signal"),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    fn succeeds(self) -> Done {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self
    }

    /// Failed with this code, said why on standard error, and printed no result.
    fn fails(self, code: i32, words: &str) -> Done {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        assert!(self.err.contains(words), "{words:?} is not in: {}", self.err);
        assert_eq!(self.out, "");
        self
    }
}

#[test]
fn init_shows_each_step_and_the_verification_pattern() {
    let desk = Desk::empty();
    let done = desk.run(&["init"]).succeeds();
    for step in
        ["make unit", "add administrator", "set thresholds", "load new master key", "commit new master key"]
    {
        assert!(done.out.contains(step), "{step} is missing: {}", done.out);
    }
    let status = desk.json(&["status"]);
    let pattern = status["unit"]["current_register"]["verification_pattern"].as_str().expect("a pattern");
    assert!(done.out.contains(pattern));
    assert!(done.out.lines().all(|line| line.chars().count() <= 110), "{}", done.out);
}

#[test]
fn init_says_that_one_machine_holds_the_quorum() {
    let desk = Desk::empty();
    assert!(desk.run(&["init"]).succeeds().err.contains("holds the quorum"));
    assert!(desk.run(&["status"]).succeeds().err.contains("holds the quorum"));
    assert_eq!(desk.json(&["status"])["one_machine_holds_quorum"], true);
    std::fs::remove_file(desk.home().join("ceremony/part-2.keypart")).expect("a key part to take away");
    assert!(!desk.run(&["status"]).succeeds().err.contains("holds the quorum"));
    assert_eq!(desk.json(&["status"])["one_machine_holds_quorum"], false);
}

#[test]
fn a_second_init_is_refused_and_changes_nothing() {
    let desk = Desk::with_hsm();
    let before = desk.json(&["status"]);
    desk.run(&["init"]).fails(10, "holds an HSM already");
    assert_eq!(desk.json(&["status"]), before);
}

#[test]
fn init_if_missing_accepts_what_is_there() {
    let desk = Desk::empty();
    assert_eq!(desk.json(&["init", "--if-missing"])["created"], true);
    assert_eq!(desk.json(&["init", "--if-missing"])["created"], false);
}

#[test]
fn ceremony_files_can_have_a_passphrase() {
    let desk = Desk::empty();
    let file = desk.file("passphrase", "correct horse\n");
    desk.run(&["init", "--passphrase-file", &file]).succeeds();
    assert_eq!(desk.json(&["status"])["unit"]["current_register"]["status"], "Valid");
}

#[test]
fn an_hsm_for_a_group_keeps_its_ceremony_files_for_the_owner() {
    use std::os::unix::fs::MetadataExt;
    let desk = Desk::empty();
    let group = std::fs::metadata(desk.0.path()).expect("the directory").gid();
    desk.run(&["init", "--group", &group.to_string()]).succeeds();
    let mode = |name: &str| {
        let data = std::fs::metadata(desk.home().join(name)).expect("a file of the HSM");
        assert_eq!(data.gid(), group, "{name}");
        data.mode() & 0o777
    };
    assert_eq!(mode("softhsm-rs.unit"), 0o660);
    assert_eq!(mode("softhsm-rs.sealer"), 0o660);
    assert_eq!(mode("ceremony/administrator-1.sigkey"), 0o600);
    desk.run(&["init", "--group", "no such group"]).fails(4, "there is no group");
}

#[test]
fn an_hsm_is_its_owners_alone_by_default() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::with_token();
    for entry in std::fs::read_dir(desk.home()).expect("the home") {
        let entry = entry.expect("an entry");
        let mode = entry.metadata().expect("its metadata").permissions().mode();
        assert_eq!(mode & 0o007, 0, "{:?} has mode {mode:o}", entry.file_name());
        assert_eq!(mode & 0o070, 0, "{:?} has mode {mode:o}", entry.file_name());
    }
}

#[test]
fn without_an_hsm_commands_say_how_to_make_one() {
    let desk = Desk::empty();
    for arguments in [&["status"][..], &["token", "list"], &["token", "init", "web"], &["key", "list"]] {
        desk.run(arguments).fails(3, "softhsm-rs init");
    }
    assert!(!desk.home().exists(), "nothing was made");
}

#[test]
fn a_token_is_made_with_both_pins() {
    let desk = Desk::with_token();
    let tokens = desk.json(&["token", "list"]);
    assert_eq!(tokens[0]["label"], "web");
    assert_eq!(tokens[0]["user_pin"], "set");
    assert_eq!(tokens[0]["so_pin"], "set");
    assert_eq!(tokens[0]["user_tries_left"], 10);
}

#[test]
fn pins_are_read_from_files() {
    let desk = Desk::with_hsm();
    let (so_pin, pin) = (desk.file("so", "87654321\n"), desk.file("user", "abcdef\r\nignored\n"));
    Done::of(&mut desk.bare(&["token", "init", "web", "--so-pin-file", &so_pin, "--pin-file", &pin]))
        .succeeds();
    Done::of(desk.bare(&["key", "list"]).env("SOFTHSM_RS_PIN", "abcdef")).succeeds();
}

#[test]
fn pins_are_read_from_standard_input_a_line_each() {
    let desk = Desk::with_hsm();
    let mut command = desk.bare(&["token", "init", "web", "--so-pin-file", "-", "--pin-file", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("the binary runs");
    child.stdin.take().expect("its input").write_all(b"87654321\n123456\n").expect("writing PINs");
    assert!(child.wait().expect("its end").success());
    desk.run(&["key", "list"]).succeeds();
}

#[test]
fn a_missing_pin_names_the_ways_to_give_it() {
    let desk = Desk::with_token();
    // Without a terminal of its own the process has none to ask on.
    let mut command = Command::new("setsid");
    command.arg("--wait").arg(env!("CARGO_BIN_EXE_softhsm-rs")).args(["key", "list"]);
    command.env("SOFTHSM_RS_HOME", desk.home()).env_remove("SOFTHSM_RS_PIN").stdin(Stdio::null());
    let done = Done::of(&mut command).fails(2, "--pin-file");
    assert!(done.err.contains("SOFTHSM_RS_PIN"));
}

#[test]
fn a_pin_file_that_others_can_read_is_remarked_upon() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::with_token();
    let pin = desk.file("user", PIN);
    let key_list = || Done::of(&mut desk.bare(&["key", "list", "--pin-file", &pin])).succeeds();
    std::fs::set_permissions(&pin, std::fs::Permissions::from_mode(0o644)).expect("chmod");
    assert!(key_list().err.contains("can be read by others"));
    std::fs::set_permissions(&pin, std::fs::Permissions::from_mode(0o600)).expect("chmod");
    assert_eq!(key_list().err, "");
}

#[test]
fn a_wrong_pin_has_its_own_code_and_counts() {
    let desk = Desk::with_token();
    Done::of(desk.bare(&["key", "list"]).env("SOFTHSM_RS_PIN", "654321")).fails(5, "9 tries left");
    assert_eq!(desk.json(&["token", "list"])[0]["user_tries_left"], 9);
    desk.run(&["key", "list"]).succeeds();
    assert_eq!(desk.json(&["token", "list"])[0]["user_tries_left"], 10);
}

#[test]
fn a_locked_pin_is_unlocked_by_the_so() {
    let desk = Desk::empty();
    std::fs::create_dir(desk.home()).expect("a home");
    std::fs::write(desk.home().join("softhsm-rs.toml"), "pin.max_tries = 2\n").expect("a configuration");
    desk.run(&["init"]).succeeds();
    desk.run(&["token", "init", "web"]).succeeds();
    desk.run(&["key", "generate", "--type", "aes:256", "--label", "kept"]).succeeds();
    for _ in 0..2 {
        Done::of(desk.bare(&["key", "list"]).env("SOFTHSM_RS_PIN", "654321")).fails(5, "wrong PIN");
    }
    desk.run(&["key", "list"]).fails(6, "token unlock");
    assert_eq!(desk.json(&["token", "list"])[0]["user_pin"], "locked");
    let mut unlock = desk.bare(&["token", "unlock"]);
    Done::of(unlock.env("SOFTHSM_RS_SO_PIN", SO_PIN).env("SOFTHSM_RS_NEW_PIN", PIN)).succeeds();
    assert_eq!(desk.json(&["key", "list"])[0]["label"], "kept");
}

#[test]
fn pins_are_changed_by_their_owners() {
    let desk = Desk::with_token();
    let mut change = desk.bare(&["token", "set-pin"]);
    Done::of(change.env("SOFTHSM_RS_PIN", PIN).env("SOFTHSM_RS_NEW_PIN", "new user")).succeeds();
    desk.run(&["key", "list"]).fails(5, "wrong PIN");
    Done::of(desk.bare(&["key", "list"]).env("SOFTHSM_RS_PIN", "new user")).succeeds();

    let mut change = desk.bare(&["token", "set-pin", "--so"]);
    Done::of(change.env("SOFTHSM_RS_SO_PIN", SO_PIN).env("SOFTHSM_RS_NEW_PIN", "new officer")).succeeds();
    desk.run(&["token", "delete", "--yes"]).fails(5, "wrong PIN");
    Done::of(desk.bare(&["token", "delete", "--yes"]).env("SOFTHSM_RS_SO_PIN", "new officer")).succeeds();
    assert_eq!(desk.json(&["token", "list"]), Value::Array(Vec::new()));
}

#[test]
fn a_new_pin_outside_the_limits_is_refused() {
    let desk = Desk::with_hsm();
    let mut command = desk.bare(&["token", "init", "web"]);
    Done::of(command.env("SOFTHSM_RS_SO_PIN", SO_PIN).env("SOFTHSM_RS_PIN", "123")).fails(2, "4 to 255");
    assert_eq!(desk.json(&["token", "list"]), Value::Array(Vec::new()), "no half a token");
}

#[test]
fn a_token_is_chosen_by_label_or_serial_number() {
    let desk = Desk::with_token();
    desk.run(&["token", "init", "db"]).succeeds();
    desk.run(&["key", "list"]).fails(4, "--token");
    desk.run(&["key", "list", "--token", "db"]).succeeds();
    let serial = desk.json(&["token", "list"])[1]["serial"].as_str().expect("a serial number").to_owned();
    desk.run(&["key", "list", "--token", &serial]).succeeds();
    desk.run(&["key", "list", "--token", "nobody"]).fails(4, "there is no token \"nobody\"");
}

#[test]
fn a_token_can_be_emptied_with_its_so_pin() {
    let desk = Desk::with_token();
    desk.run(&["key", "generate", "--type", "ec:p256", "--label", "a"]).succeeds();
    desk.run(&["token", "init", "new", "--replace", "web"]).fails(2, "--yes");
    desk.run(&["token", "init", "new", "--replace", "web", "--yes"]).succeeds();
    assert_eq!(desk.json(&["token", "list"])[0]["label"], "new");
    assert_eq!(desk.json(&["key", "list"]), Value::Array(Vec::new()));
}

#[test]
fn every_type_of_key_is_made_and_listed() {
    let desk = Desk::with_token();
    for (kind, bits, objects) in [
        ("rsa:2048", 2048, 2),
        ("ec:p224", 224, 2),
        ("ec:p256", 256, 2),
        ("ec:p384", 384, 2),
        ("ec:p521", 521, 2),
        ("ec:secp256k1", 256, 2),
        ("ed25519", 255, 2),
        ("x25519", 255, 2),
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
    for kind in ["rsa:2048", "ec:p256", "ec:secp256k1", "ed25519", "x25519"] {
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

#[test]
fn errors_are_json_where_json_is_asked_for() {
    let desk = Desk::empty();
    let done = desk.run(&["status", "--json"]).fails(3, "no-hsm");
    let error: Value = serde_json::from_str(&done.err).expect("JSON on standard error");
    assert_eq!(error["error"]["name"], "no-hsm");
    assert_eq!(error["error"]["exit"], 3);
    assert!(error["error"]["message"].is_string());
}

#[test]
fn an_unknown_key_of_the_configuration_is_named_with_its_line() {
    let desk = Desk::empty();
    let file = desk.file("conf.toml", "[pin]\nmin_lenght = 4\n");
    let done = Done::of(desk.bare(&["status"]).env("SOFTHSM_RS_CONF", &file));
    done.fails(11, "conf.toml:2: unknown key `pin.min_lenght`; did you mean `pin.min_length`?");
}

#[test]
fn a_home_that_is_no_directory_is_refused() {
    let desk = Desk::empty();
    let file = desk.file("plain", "");
    desk.run(&["--home", &file, "status"]).fails(12, "must be a directory");
}

#[test]
fn a_damaged_unit_file_is_named() {
    let desk = Desk::with_token();
    let path = desk.home().join("softhsm-rs.unit");
    let mut bytes = std::fs::read(&path).expect("the unit file");
    *bytes.last_mut().expect("bytes in it") ^= 1;
    std::fs::write(&path, bytes).expect("writing it");
    desk.run(&["key", "list"]).fails(8, "softhsm-rs.unit");
}

#[test]
fn a_lost_store_is_said_to_be_missing() {
    let desk = Desk::with_token();
    for entry in std::fs::read_dir(desk.home()).expect("the home") {
        let path = entry.expect("an entry").path();
        if path.is_file() && !path.ends_with("softhsm-rs.unit") && !path.ends_with("softhsm-rs.sealer") {
            std::fs::remove_file(path).expect("a file to take away");
        }
    }
    desk.run(&["token", "list"]).fails(8, "restore it from a backup");
}

#[test]
fn a_store_of_another_master_key_is_refused() {
    let (desk, other) = (Desk::with_token(), Desk::with_hsm());
    for name in ["softhsm-rs.unit", "softhsm-rs.sealer"] {
        std::fs::copy(other.home().join(name), desk.home().join(name)).expect("a file to exchange");
    }
    desk.run(&["key", "list"]).fails(8, "another master key");
}

#[test]
fn a_lost_sealer_is_named() {
    let desk = Desk::with_token();
    std::fs::remove_file(desk.home().join("softhsm-rs.sealer")).expect("a file to take away");
    desk.run(&["status"]).fails(7, "softhsm-rs.sealer");
    desk.run(&["key", "list"]).fails(7, "softhsm-rs.sealer");
}

#[test]
fn a_pipe_gets_neither_colours_nor_control_characters() {
    let desk = Desk::with_token();
    desk.run(&["key", "generate", "--type", "aes:256", "--label", "a\u{1b}[31mb"]).succeeds();
    let done = desk.run(&["key", "list"]).succeeds();
    assert!(!done.out.contains('\u{1b}'), "{:?}", done.out);
    assert!(done.out.contains("a\\u{1b}[31mb"));
}

#[test]
fn a_token_directory_of_softhsm2_stays_without_sub_directories() {
    let desk = Desk::empty();
    let tokens = desk.0.path().join("tokens");
    std::fs::create_dir(&tokens).expect("a directory");
    let conf = desk.file("softhsm2.conf", &format!("directories.tokendir = {}\n", tokens.display()));
    let run = |arguments: &[&str]| {
        let mut command = desk.bare(arguments);
        command.env_remove("SOFTHSM_RS_HOME").env("SOFTHSM2_CONF", &conf).env("SOFTHSM_RS_SO_PIN", SO_PIN);
        Done::of(command.env("SOFTHSM_RS_PIN", PIN)).succeeds()
    };
    run(&["init"]);
    run(&["token", "init", "web"]);
    run(&["key", "generate", "--type", "ec:p256", "--label", "a"]);
    for entry in std::fs::read_dir(&tokens).expect("the directory") {
        let entry = entry.expect("an entry");
        assert!(entry.file_type().expect("its type").is_file(), "{:?}", entry.file_name());
        assert!(entry.file_name().to_string_lossy().starts_with("softhsm-rs."), "{:?}", entry.file_name());
    }
}

#[test]
fn completions_are_printed_for_each_shell() {
    let desk = Desk::empty();
    for shell in ["bash", "zsh", "fish"] {
        assert!(desk.run(&["completions", shell]).succeeds().out.contains("softhsm-rs"));
    }
}

#[test]
fn help_has_examples_and_exit_codes() {
    let desk = Desk::empty();
    let help = desk.run(&["--help"]).succeeds().out;
    assert!(help.contains("Exit codes:") && help.contains("Examples:"));
    assert!(desk.run(&["help", "key", "generate"]).succeeds().out.contains("Examples:"));
}

#[test]
fn a_command_that_does_not_exist_is_a_usage_error() {
    let desk = Desk::empty();
    desk.run(&["frobnicate"]).fails(2, "frobnicate");
}
