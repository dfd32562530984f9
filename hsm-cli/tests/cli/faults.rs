//! What goes wrong, and what every command has: help, JSON errors, plain pipes.

use serde_json::Value;

use crate::desk::{Desk, Done};

#[test]
fn without_an_hsm_commands_say_how_to_make_one() {
    let desk = Desk::empty();
    for arguments in [&["status"][..], &["token", "list"], &["token", "init", "web"], &["key", "list"]] {
        desk.run(arguments).fails(3, "softhsm-rs init");
    }
    assert!(!desk.home().exists(), "nothing was made");
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
