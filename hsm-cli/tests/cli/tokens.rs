//! `token`: tokens and their PINs, and where PINs come from.

use std::io::Write;
use std::process::{Command, Stdio};

use hsm_core::config::Config;
use hsm_core::hsm::Hsm;
use serde_json::Value;

use crate::desk::{Desk, Done, PIN, SO_PIN};

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

/// An HSM whose server has made its partition.
fn with_server() -> Desk {
    let desk = Desk::with_hsm();
    let hsm = Hsm::new(Config::for_home(&desk.home()).expect("a configuration"));
    hsm.server_partition("kmip").expect("a server's partition");
    desk
}

#[test]
fn a_servers_partition_is_listed_as_such() {
    let desk = with_server();
    let tokens = desk.json(&["token", "list"]);
    assert_eq!(tokens[0]["label"], "kmip");
    assert_eq!(tokens[0]["opens_for_server"], true);
    assert_eq!((&tokens[0]["so_pin"], &tokens[0]["user_pin"]), (&"not set".into(), &"not set".into()));
    assert!(desk.run(&["token", "list"]).succeeds().out.contains("opens for the server"));
    desk.run(&["token", "init", "web"]).succeeds();
    assert_eq!(desk.json(&["token", "list"])[1]["opens_for_server"], false);
}

#[test]
fn what_needs_the_so_pin_says_that_there_is_none() {
    let desk = with_server();
    desk.run(&["token", "unlock"]).fails(1, "give-pins");
    desk.run(&["token", "set-pin"]).fails(1, "give-pins");
    desk.run(&["token", "set-pin", "--so"]).fails(1, "give-pins");
    desk.run(&["token", "init", "new", "--replace", "kmip", "--yes"]).fails(1, "give-pins");
    desk.run(&["token", "delete", "--yes"]).fails(1, "--without-pin");
    desk.run(&["key", "list"]).fails(1, "give-pins");
    assert_eq!(desk.json(&["token", "list"])[0]["label"], "kmip");
}

#[test]
fn pins_are_given_to_a_servers_partition_once() {
    let desk = with_server();
    desk.run(&["token", "give-pins"]).succeeds();
    desk.run(&["key", "list"]).succeeds();
    let tokens = desk.json(&["token", "list"]);
    assert_eq!((&tokens[0]["user_pin"], &tokens[0]["opens_for_server"]), (&"set".into(), &true.into()));
    desk.run(&["token", "give-pins"]).fails(10, "has PINs");
    // What the server opens by itself can be taken from it later, by who knows the user PIN.
    desk.run(&["token", "give-pins", "--pin-only"]).succeeds();
    assert_eq!(desk.json(&["token", "list"])[0]["opens_for_server"], false);
    desk.run(&["token", "give-pins", "--pin-only"]).fails(11, "only its PIN opens");
    desk.run(&["token", "delete", "--without-pin", "--yes"]).fails(10, "has PINs");
    desk.run(&["token", "delete", "--yes"]).succeeds();
}

#[test]
fn pins_given_as_the_only_way_close_the_partition_for_the_server() {
    let desk = with_server();
    desk.run(&["token", "give-pins", "--pin-only"]).succeeds();
    assert_eq!(desk.json(&["token", "list"])[0]["opens_for_server"], false);
    desk.run(&["key", "list"]).succeeds();
    desk.run(&["token", "give-pins"]).fails(10, "has PINs");
}

#[test]
fn a_servers_partition_without_pins_is_deleted_if_that_is_said() {
    let desk = with_server();
    desk.run(&["token", "delete", "--without-pin"]).fails(2, "--yes");
    desk.run(&["token", "delete", "--without-pin", "--yes"]).succeeds();
    assert_eq!(desk.json(&["token", "list"]), Value::Array(Vec::new()));
}
