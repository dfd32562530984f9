//! What the `[kmip]` table may say, what wins, and how mistakes are told.

use std::path::PathBuf;

use super::*;
use crate::identity::{Match, Password, Pin, Rights, Role};

fn load(text: &str) -> Result<Settings> {
    load_with(text, Flags::default())
}

fn load_with(text: &str, flags: Flags) -> Result<Settings> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("softhsm-rs.toml");
    std::fs::write(&file, text).unwrap();
    std::fs::write(directory.path().join("password"), "secret\nmore").unwrap();
    SettingsSource { file: Some(file), home: "/h".into(), flags }.load()
}

fn fault(text: &str) -> String {
    let error = load(text).unwrap_err().to_string();
    error.split_once("softhsm-rs.toml:").unwrap().1.to_owned()
}

#[test]
fn without_a_word_it_serves_on_loopback_with_certificates_of_the_home() {
    let settings = load("").unwrap();
    assert_eq!(settings.listen, ["127.0.0.1:5696".parse().unwrap()]);
    assert!(settings.https_listen.is_empty() && settings.metrics_listen.is_empty());
    assert_eq!(settings.tls.certificate, PathBuf::from("/h/certs/server.pem"));
    assert_eq!(settings.limits, Limits::default());
    assert!(!settings.interop && !settings.pin_only);
}

#[test]
fn every_key_is_read() {
    const TEXT: &str = r#"
        store = "memory:"
        [kmip]
        listen = ["127.0.0.1:1", "[::1]:2"]
        https_listen = "127.0.0.1:3"
        metrics_listen = "127.0.0.1:4"
        identity = "san"
        unlisted = "own-space"
        interop = true
        issuer = "00112233445566778899aabbccddeeff"
        pin_file = "/pin"
        pin_only = true
        [kmip.tls]
        certificate = "/c"
        key = "/k"
        client_ca = ["/a", "/b"]
        crl = "/l"
        trusted = "/t"
        minimum = "1.3"
        [kmip.limits]
        message_size = 2048
        nesting = 9
        items = 101
        connections = 5
        connections_per_client = 6
        handshake_seconds = 7
        idle_seconds = 8
        request_seconds = 9
        write_seconds = 10
        stop_seconds = 11
        [[kmip.client]]
        match = { cn = "a", san = "b", ou = "c", subject = "d", identity = "e" }
        name = "n"
        owner = "o"
        partition = "p"
        role = "officer"
        groups = ["g", "h"]
        pin_file = "/pin"
        [[kmip.client]]
        match.fingerprint = "AB:CD012345678901234567890123456789012345678901234567890123456789"
        pin_credential = "kmip-pin"
        [[kmip.credential]]
        username = "u"
        password_file = "password"
        [[kmip.credential]]
        username = "v"
        password_hash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA"
    "#;
    let Settings { limits, tls, clients, credentials, listen, issuer, .. } = load(TEXT).unwrap();
    assert_eq!(issuer.as_deref(), Some("00112233445566778899aabbccddeeff"));
    assert_eq!(listen.len(), 2);
    assert_eq!(tls.client_ca, [PathBuf::from("/a"), PathBuf::from("/b")]);
    assert!(!tls.tls12);
    assert_eq!((limits.message, limits.nesting, limits.items), (2048, 9, 101));
    assert_eq!((limits.connections, limits.connections_per_client), (5, 6));
    let times = [limits.handshake, limits.idle, limits.request, limits.write, limits.stop];
    assert_eq!(times.map(|it| it.as_secs()), [7, 8, 9, 10, 11]);
    let [first, second] = clients.as_slice() else { panic!("{clients:?}") };
    assert_eq!(
        first.rights,
        Rights {
            name: Some("n".into()),
            owner: Some("o".into()),
            partition: Some("p".into()),
            pin: Some(Pin::File("/pin".into())),
            role: Role::Officer,
            groups: vec!["g".into(), "h".into()],
        }
    );
    assert_eq!(first.matches.alternative_name.as_deref(), Some("b"));
    assert_eq!(second.rights.pin, Some(Pin::Credential("kmip-pin".into())));
    let digits = "abcd012345678901234567890123456789012345678901234567890123456789";
    assert_eq!(second.matches, Match { fingerprint: Some(digits.into()), ..Match::default() });
    let [clear, hashed] = credentials.as_slice() else { panic!("{credentials:?}") };
    assert!(matches!(&clear.password, Password::Clear(secret) if secret.expose() == b"secret"));
    assert!(matches!(&hashed.password, Password::Hash(_)));
    for name in key_names() {
        let last = name.rsplit('.').next().unwrap();
        assert!(TEXT.contains(last), "{name} is not tried");
    }
}

#[test]
fn flags_win_over_the_file() {
    let flags = Flags {
        listen: vec!["127.0.0.1:9".parse().unwrap()],
        certificate: Some("/flag".into()),
        client_ca: vec!["/ca".into()],
        dev: true,
        ..Flags::default()
    };
    let text =
        "[kmip]\nlisten = \"127.0.0.1:1\"\nhttps_listen = \"127.0.0.1:2\"\ntls.certificate = \"/file\"";
    let settings = load_with(text, flags).unwrap();
    assert_eq!(settings.listen, ["127.0.0.1:9".parse().unwrap()]);
    assert_eq!(settings.https_listen, ["127.0.0.1:2".parse().unwrap()]);
    assert_eq!(settings.tls.certificate, PathBuf::from("/flag"));
    assert_eq!(settings.tls.client_ca, [PathBuf::from("/ca")]);
    assert!(settings.interop);
}

#[test]
fn paths_are_relative_to_the_file() {
    let settings = load("[kmip.tls]\ncertificate = \"a/b.pem\"").unwrap();
    assert!(settings.tls.certificate.is_absolute() && settings.tls.certificate.ends_with("a/b.pem"));
}

#[test]
fn a_mistake_is_told_with_its_line_and_the_nearest_key() {
    for (text, told) in [
        ("[kmip]\nlisen = \"x\"", "2: unknown key `kmip.lisen`; did you mean `kmip.listen`?"),
        ("[kmip]\n\n[kmip.limit]\nx = 1", "3: unknown key `kmip.limit`"),
        ("[kmip]\nlisten = \"5696\"", "2: `kmip.listen` is an address with a port"),
        ("[kmip]\nlisten = 5696", "2: `kmip.listen` is text, in quotes; this is an integer"),
        ("[kmip]\ntls = 1", "2: `kmip.tls` is a table of keys, begun by [kmip.tls]"),
        ("kmip = 1", "1: `kmip` is a table of keys"),
        ("[kmip]\nidentity = \"dn\"", "2: `kmip.identity` is one of subject, cn, san, ou, fingerprint"),
        (
            "[kmip.limits]\nmessage_size = 1",
            "2: `kmip.limits.message_size` is a number from 1024 to 67108864",
        ),
        ("[kmip.limits]\nidle_seconds = 0", "2: `kmip.limits.idle_seconds` is a number from 1 to 86400"),
    ] {
        let fault = fault(text);
        assert!(fault.starts_with(told), "{fault}");
    }
}

#[test]
fn a_mistake_in_a_table_is_told_with_its_row() {
    let row = "[[kmip.client]]\nmatch.cn = \"a\"\n";
    let credential = "[[kmip.credential]]\nusername = \"a\"\n";
    for (text, told) in [
        (format!("{row}[[kmip.client]]\nname = \"x\""), "`kmip.client` row 2 has no `match`"),
        (format!("{row}rol = \"user\""), "row 1 has an unknown key `rol`; did you mean `role`?"),
        (format!("{row}role = \"boss\""), "row 1 has a `role` that is one of user, reader, officer"),
        (format!("{row}partition = \"\""), "row 1 has a `partition` that is no label"),
        ("[[kmip.client]]\nmatch = {}".into(), "row 1 has an empty `match`"),
        ("[[kmip.client]]\nmatch.dn = \"a\"".into(), "row 1 has an unknown key `dn`"),
        ("[[kmip.client]]\nmatch.fingerprint = \"ab\"".into(), "64 hexadecimal digits"),
        (credential.into(), "row 1 has neither `password_hash` nor `password_file`"),
        (
            format!("{credential}password_hash = \"x\""),
            "row 1 has a `password_hash` that is not one of Argon2",
        ),
        (format!("{credential}password_file = \"nowhere\""), "nowhere"),
        (
            format!("{credential}password_file = \"password\"\n{credential}password_file = \"password\""),
            "names the username \"a\" twice",
        ),
    ] {
        let fault = fault(&text);
        assert!(fault.contains(told), "{told} is not in {fault}");
    }
}

#[test]
fn keys_of_other_tables_are_not_the_servers() {
    assert!(load("[log]\nlevel = \"info\"\n[slots]\nweb = 1").is_ok());
}
