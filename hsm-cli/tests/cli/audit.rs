//! `audit`: what a server did is shown and checked, and what somebody did to the log is found.

use serde_json::Value;

use crate::desk::Desk;
use crate::serve::Server;

/// An HSM whose log has the event of one connection.
fn served() -> Desk {
    let desk = Desk::empty();
    let mut server = Server::start(&desk, &["--dev"]);
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
    server.says("partition \"kmip\"");
    server.signal("TERM");
    assert_eq!(server.ends().0, Some(0));
    desk
}

#[test]
fn without_a_server_there_is_no_log() {
    let desk = Desk::with_hsm();
    assert!(desk.run(&["audit", "verify"]).succeeds().out.contains("no audit log"));
    assert_eq!(desk.run(&["audit", "show"]).succeeds().out, "");
}

#[test]
fn what_a_server_did_is_shown_once_it_stopped() {
    let desk = served();
    assert_eq!(desk.json(&["audit", "verify"])["events"], 1);
    let shown = desk.run(&["audit", "show", "--json"]).succeeds().out;
    let event: Value = serde_json::from_str(shown.trim()).expect("one line of JSON");
    assert_eq!((&event["sequence"], &event["event"]["action"]), (&1.into(), &"kmip.connect".into()));
    assert_eq!(event["event"]["initiator"]["name"], "dev");
    assert!(
        desk.run(&["audit", "show"]).succeeds().out.contains("kmip.connect  success  \"dev\"  127.0.0.1")
    );
    assert_eq!(desk.run(&["audit", "show", "--since", "2"]).succeeds().out, "");
}
