//! `audit`: what a server did is shown and checked, and what somebody did to the log is found.

use serde_json::Value;

use crate::desk::{Desk, Done};
use crate::serve::Server;

/// An HSM whose log has the event of one connection, and none of the making of the HSM.
fn served() -> Desk {
    let desk = Desk::empty();
    std::fs::create_dir(desk.home()).expect("a home");
    std::fs::write(desk.home().join("softhsm-rs.toml"), "audit.changes = false\n").expect("a file");
    serve_again(&desk);
    desk
}

fn connect(desk: &Desk, server: &mut Server) {
    let address = server.address();
    let certs = desk.home().join("certs");
    let file = |name: &str| certs.join(name).display().to_string();
    let client = std::process::Command::new("openssl")
        .args(["s_client", "-connect", &address.to_string(), "-CAfile", &file("ca.pem")])
        .args(["-cert", &file("client-dev.pem"), "-key", &file("client-dev.key")])
        .stdin(std::process::Stdio::null())
        .output()
        .expect("openssl");
    assert!(client.status.success(), "{client:?}");
}

#[test]
fn where_nothing_is_audited_there_is_no_log() {
    let desk = Desk::empty();
    let file = desk.file("quiet.toml", "audit.changes = false\n");
    let run = |arguments: &[&str]| {
        let home = desk.home().display().to_string();
        let arguments = [&["--home", &home], arguments].concat();
        Done::of(desk.bare(&arguments).env("SOFTHSM_RS_CONF", &file).env_remove("SOFTHSM_RS_HOME"))
    };
    std::fs::create_dir(desk.home()).expect("a home");
    std::fs::copy(&file, desk.home().join("softhsm-rs.toml")).expect("a file");
    run(&["init"]).succeeds();
    for arguments in [&["audit", "verify"][..], &["audit", "seal"]] {
        assert!(run(arguments).succeeds().out.contains("no audit log"));
    }
    assert_eq!(run(&["audit", "show"]).succeeds().out, "");
    assert_eq!(run(&["audit", "export"]).succeeds().out, "");
}

/// A connection more, by a server that is started again.
fn serve_again(desk: &Desk) {
    let mut server = Server::start(desk, &["--dev"]);
    connect(desk, &mut server);
    server.says("partition \"kmip\"");
    server.signal("TERM");
    assert_eq!(server.ends().0, Some(0));
}

#[test]
fn a_log_put_back_to_an_older_copy_is_found_by_its_link() {
    let desk = served();
    let link = |desk: &Desk| desk.json(&["audit", "verify"])["link"].as_str().expect("a link").to_owned();
    let first = link(&desk);
    desk.run(&["audit", "verify", "--expect", &first]).succeeds();
    let copy = tempfile::tempdir().expect("a directory");
    let copied = |from: &std::path::Path, to: &std::path::Path| {
        let done = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().expect("cp");
        assert!(done.success());
    };
    copied(&desk.home(), &copy.path().join("home"));
    serve_again(&desk);
    let second = link(&desk);
    assert_ne!(first, second);
    for known in [&first, &second] {
        desk.run(&["audit", "verify", "--expect", known]).succeeds();
    }
    desk.run(&["audit", "verify", "--expect", &"0".repeat(64)]).fails(8, "does not go on");
    // Store and unit as they were.
    std::fs::remove_dir_all(desk.home()).expect("removing the home");
    copied(&copy.path().join("home"), &desk.home());
    desk.run(&["audit", "verify"]).succeeds();
    desk.run(&["audit", "verify", "--expect", &first]).succeeds();
    desk.run(&["audit", "verify", "--expect", &second]).fails(8, "does not go on");
    Desk::with_hsm().run(&["audit", "verify", "--expect", &first]).fails(8, "does not go on");
}

#[test]
fn events_are_followed_as_they_come() {
    use std::io::{BufRead, BufReader};
    let desk = served();
    let mut follower = desk
        .bare(&["audit", "follow", "--json", "--since", "1"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut lines = BufReader::new(follower.stdout.take().expect("its output")).lines();
    let mut sequence = || {
        let line = lines.next().expect("a line").expect("text");
        serde_json::from_str::<Value>(&line).expect("JSON")["sequence"].clone()
    };
    // The event, and the seal of the server's end.
    assert_eq!((sequence(), sequence()), (1.into(), 2.into()));
    serve_again(&desk);
    assert_eq!((sequence(), sequence()), (3.into(), 4.into()));
    follower.kill().expect("stopping it");
    follower.wait().expect("its end");
}

#[test]
fn what_a_server_did_is_shown_once_it_stopped() {
    let desk = served();
    assert_eq!(desk.json(&["audit", "verify"])["events"], 1);
    let shown = desk.run(&["audit", "show", "--json"]).succeeds().out;
    let lines: Vec<Value> = shown.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let [event, seal] = lines.as_slice() else { panic!("{shown}") };
    assert_eq!((&event["sequence"], &event["event"]["action"]), (&1.into(), &"kmip.connect".into()));
    assert_eq!(event["event"]["initiator"]["name"], "dev");
    assert!(
        desk.run(&["audit", "show"]).succeeds().out.contains("kmip.connect  success  \"dev\"  127.0.0.1")
    );
    assert_eq!(seal["before"], event["link"]);
    assert_eq!(seal["seal"]["hsm"], event["event"]["observer"]["id"]);
    assert!(desk.run(&["audit", "show", "--since", "2"]).succeeds().out.contains("  seal  "));
    assert_eq!(desk.run(&["audit", "show", "--since", "3"]).succeeds().out, "");
}
