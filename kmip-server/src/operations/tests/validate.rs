//! Chains that OpenSSL signed over hashes that can be made to collide.

use std::path::Path;

use super::certify::{attributes, given, openssl, validate};
use super::kit::*;
use crate::ttlv::enums::{Operation, ValidityIndicator as Validity};
use crate::ttlv::{Item, Tag, Version};

/// Makes a key and its certificate, which an issuer signs, or itself; answers DER.
fn made(home: &Path, name: &str, key: &[&str], by: Option<&str>, how: &[&str]) -> Vec<u8> {
    let file = |end: &str| format!("{name}.{end}");
    let (own_key, certificate) = (file("key"), file("pem"));
    openssl(home, &[&["genpkey", "-out", &own_key], key].concat());
    let subject = format!("/CN={name}");
    let extensions =
        if name == "leaf" { "basicConstraints=CA:FALSE" } else { "basicConstraints=critical,CA:TRUE" };
    let request = ["req", "-x509", "-new", "-key", &own_key, "-subj", &subject, "-days", "30"];
    let output = ["-addext", extensions, "-out", &certificate];
    let issuer: Vec<String> = by
        .map(|by| vec!["-CA".into(), format!("{by}.pem"), "-CAkey".into(), format!("{by}.key")])
        .unwrap_or_default();
    let issuer: Vec<&str> = issuer.iter().map(String::as_str).collect();
    openssl(home, &[&request[..], &output, &issuer, how].concat());
    let pem = std::fs::read(home.join(&certificate)).unwrap();
    der::pem::decode_vec(&pem).unwrap().1
}

const RSA: &[&str] = &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
const EC: &[&str] = &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
const PSS: [&str; 2] = ["-sigopt", "rsa_padding_mode:pss"];

/// A certificate as an object of the server.
fn registered(server: &Server, der: &[u8]) -> String {
    let payload = vec![Item::enumeration(Tag::OBJECT_TYPE, 1_u32), attributes(Vec::new()), given(der)];
    id_of(&server.ask(Version::V2_1, Operation::Register, payload).unwrap())
}

#[test]
fn a_certificate_that_others_could_have_signed_is_invalid() {
    let server = Server::new();
    let home = tempfile::tempdir().unwrap();
    for key in [RSA, EC] {
        let root = made(home.path(), "root", key, None, &["-sha256"]);
        let root = registered(&server, &root);
        let mut hows = vec![
            (vec!["-sha1"], Validity::Invalid),
            (vec!["-sha256"], Validity::Valid),
            (vec!["-sha512"], Validity::Valid),
        ];
        if key == RSA {
            hows.push((vec!["-md5"], Validity::Invalid));
            hows.push((vec!["-sha1", PSS[0], PSS[1]], Validity::Invalid));
            hows.push((vec!["-sha256", PSS[0], PSS[1]], Validity::Valid));
        }
        for (how, expected) in hows {
            let leaf = made(home.path(), "leaf", EC, Some("root"), &how);
            assert_eq!(validate(&server, vec![given(&leaf), id(&root)]), Ok(expected), "{how:?}");
            let half = if expected == Validity::Valid { Validity::Unknown } else { Validity::Invalid };
            assert_eq!(validate(&server, vec![given(&leaf)]), Ok(half), "{how:?}, and no root");
        }
    }
}

#[test]
fn an_intermediate_one_is_looked_at_like_the_leaf() {
    let server = Server::new();
    let home = tempfile::tempdir().unwrap();
    let root = made(home.path(), "root", EC, None, &["-sha256"]);
    let root = registered(&server, &root);
    for (how, expected) in [("-sha1", Validity::Invalid), ("-sha384", Validity::Valid)] {
        let middle = made(home.path(), "middle", EC, Some("root"), &[how]);
        let leaf = made(home.path(), "leaf", EC, Some("middle"), &["-sha256"]);
        let chain = vec![given(&leaf), given(&middle), id(&root)];
        assert_eq!(validate(&server, chain), Ok(expected), "{how}");
    }
}

#[test]
fn how_a_root_signed_itself_does_not_matter() {
    let server = Server::new();
    let home = tempfile::tempdir().unwrap();
    for how in ["-sha1", "-md5", "-sha256"] {
        let root = made(home.path(), "root", RSA, None, &[how]);
        let leaf = made(home.path(), "leaf", EC, Some("root"), &["-sha256"]);
        let unknown = validate(&server, vec![given(&leaf), given(&root)]);
        assert_eq!(unknown, Ok(Validity::Unknown), "{how}: a root that is nobody's anchor");
        let anchor = registered(&server, &root);
        assert_eq!(validate(&server, vec![given(&leaf), id(&anchor)]), Ok(Validity::Valid), "{how}");
        assert_eq!(validate(&server, vec![id(&anchor)]), Ok(Validity::Valid), "{how}");
    }
}
