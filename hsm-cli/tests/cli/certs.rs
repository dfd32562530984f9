//! `certs`: certificates are made, listed, pinned, and not overwritten.

use crate::desk::Desk;

#[test]
fn an_authority_a_server_and_clients_are_made_and_listed() {
    let desk = Desk::empty();
    desk.run(&["certs", "init", "--san", "kmip.example.org"]).succeeds();
    desk.run(&["certs", "client", "db1", "--ou", "db", "--rsa", "2048", "--days", "30"]).succeeds();
    let listed = desk.json(&["certs", "list"]);
    let certificates = listed["certificates"].as_array().unwrap();
    let named = |file: &str| certificates.iter().find(|it| it["file"] == file).expect(file);
    assert_eq!(named("ca.pem")["subject"], "CN=softhsm-rs CA");
    assert_eq!(named("server.pem")["names"][0], "kmip.example.org");
    let names = named("server.pem")["names"].to_string();
    assert!(names.contains("localhost") && names.contains("127.0.0.1") && names.contains("::1"), "{names}");
    assert_eq!(named("client-db1.pem")["subject"], "OU=db,CN=db1");
    let page = desk.run(&["certs", "list"]).succeeds().out;
    // The thirtieth day begins to pass at once.
    assert!(page.contains("client-db1.pem") && (page.contains(" 29 ") || page.contains(" 30 ")), "{page}");
}

#[test]
fn what_is_there_is_kept_unless_replacing_is_said() {
    let desk = Desk::empty();
    desk.run(&["certs", "init"]).succeeds();
    desk.run(&["certs", "init"]).fails(12, "ca.key");
    desk.run(&["certs", "server"]).fails(12, "server.key");
    desk.run(&["certs", "server", "--replace"]).succeeds();
}

#[test]
fn without_an_authority_the_command_says_what_to_do() {
    Desk::empty().run(&["certs", "client", "a"]).fails(11, "certs init");
}

#[test]
fn a_certificate_is_pinned_renewed_and_unpinned() {
    let desk = Desk::empty();
    desk.run(&["certs", "init"]).succeeds();
    let made = |name: &str| {
        let made = desk.json(&["certs", "client", name]);
        made[0]["certificate"].as_str().unwrap().to_owned()
    };
    let pinned = desk.json(&["certs", "trust", &made("a"), "--name", "array"]);
    let identity = format!("certificate:{}", pinned["fingerprint"].as_str().unwrap());
    assert_eq!(pinned["identity"], identity, "what the client table matches");
    let renewed = desk.json(&["certs", "trust", &made("b"), "--as", "array"]);
    assert_eq!(renewed["identity"], pinned["identity"]);
    assert_eq!(desk.json(&["certs", "list"])["pinned"].as_array().unwrap().len(), 2);
    assert_eq!(desk.json(&["certs", "untrust", "array"]).as_array().unwrap().len(), 2);
    desk.run(&["certs", "untrust", "array"]).fails(11, "no pinned certificate");
}
