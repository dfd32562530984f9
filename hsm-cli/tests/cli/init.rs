//! `init` and `status`: the ceremony, what it leaves behind, and who may use it.

use crate::desk::{Desk, Done, PIN, SO_PIN};

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
