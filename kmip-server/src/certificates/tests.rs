//! What is made, who may read it, and what is pinned.

use std::os::unix::fs::PermissionsExt;

use super::*;

fn request(name: &str) -> Request {
    Request {
        name: name.into(),
        alternative_names: Vec::new(),
        organizational_unit: None,
        key: KeyKind::P256,
        days: 10,
        replace: false,
    }
}

fn certificates() -> (tempfile::TempDir, Certificates) {
    let home = tempfile::tempdir().unwrap();
    let certificates = Certificates::of_home(home.path());
    certificates.make_authority(&request("CA")).unwrap();
    (home, certificates)
}

fn read(made: &Made) -> Certificate {
    Trusted::of_file(&made.certificate).unwrap().certificate
}

#[test]
fn the_authority_signs_servers_and_clients() {
    let (_home, certificates) = certificates();
    let authority = read(&certificates.authority());
    let names = vec!["kmip.example.org".to_owned(), "127.0.0.1".to_owned()];
    let server = Request { alternative_names: names.clone(), ..request("kmip") };
    let server = read(&certificates.make_server(&server).unwrap());
    assert_eq!(server.alternative_names, names);
    assert_eq!(server.issuer, authority.subject);
    let client = Request { organizational_unit: Some("db".into()), key: KeyKind::Rsa2048, ..request("db1") };
    let client = read(&certificates.make_client(&client).unwrap());
    assert_eq!(client.issuer, authority.subject);
    assert_eq!((client.name(), client.organizational_units), ("db1".into(), vec!["db".to_owned()]));
    assert_eq!(certificates.list().unwrap().len(), 3);
}

#[test]
fn private_keys_are_their_owners_alone() {
    let (_home, certificates) = certificates();
    let made = certificates.make_client(&request("a")).unwrap();
    for path in [certificates.authority().key, made.key] {
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn what_is_there_is_replaced_only_where_that_is_said() {
    let (_home, certificates) = certificates();
    let first = read(&certificates.make_client(&request("a")).unwrap());
    assert!(certificates.make_client(&request("a")).is_err());
    assert_eq!(read(&certificates.client("a")), first);
    let again = Request { replace: true, ..request("a") };
    let second = read(&certificates.make_client(&again).unwrap());
    assert_ne!(second.fingerprint, first.fingerprint);
    assert_eq!(second.subject, first.subject);
}

#[test]
fn without_an_authority_nothing_is_signed() {
    let home = tempfile::tempdir().unwrap();
    let certificates = Certificates::of_home(home.path());
    let error = certificates.make_client(&request("a")).unwrap_err().to_string();
    assert!(error.contains("certs init"), "{error}");
    assert!(!certificates.client("a").key.exists());
}

#[test]
fn a_clients_name_leads_out_of_no_directory() {
    let (_home, certificates) = certificates();
    for name in ["", "../a", "a/b", ".a", "a\nb"] {
        assert!(certificates.make_client(&request(name)).is_err(), "{name}");
    }
}

#[test]
fn pins_are_named_renewed_and_taken_back() {
    let (_home, certificates) = certificates();
    let old = certificates.make_client(&request("a")).unwrap();
    let new = certificates.make_client(&request("b")).unwrap();
    let pinned = certificates.trust(&old.certificate, Some("array"), None).unwrap();
    assert_eq!(pinned.first, pinned.certificate.fingerprint);
    let renewed = certificates.trust(&new.certificate, None, Some(&pinned.first[..8])).unwrap();
    assert_eq!((renewed.first.as_str(), renewed.name.as_str()), (pinned.first.as_str(), "array"));
    // By its fingerprint one goes alone.
    assert_eq!(certificates.untrust(&pinned.first).unwrap().len(), 1);
    assert!(certificates.trusted().unwrap().find(&pinned.first).is_none());
    // The renewal keeps the identity of what it renewed.
    let left = certificates.trusted().unwrap().find(&renewed.certificate.fingerprint).unwrap().first.clone();
    assert_eq!(left, pinned.first);
    // By their name both go, unless others are called so too.
    certificates.trust(&old.certificate, None, Some("array")).unwrap();
    let other = certificates.make_client(&request("c")).unwrap();
    let other = certificates.trust(&other.certificate, Some("array"), None).unwrap();
    assert!(certificates.untrust("array").is_err());
    certificates.untrust(&format!("{}…", &other.first[..16])).unwrap();
    assert_eq!(certificates.untrust("array").unwrap().len(), 2);
    assert!(certificates.trusted().unwrap().is_empty());
    assert!(certificates.trust(&new.certificate, None, Some("nobody")).is_err());
    assert!(certificates.trust(&new.key, None, None).is_err());
}
