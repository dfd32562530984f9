//! Private keys in PKCS #12 containers, which OpenSSL makes and reads.

use std::path::Path;
use std::process::Command;

use super::kit::*;
use crate::objects::replacement::link;
use crate::ttlv::enums::{KeyFormatType as Format, LinkType, Operation, ResultReason as Reason};
use crate::ttlv::{Item, Tag, Version};

/// What OpenSSL prints; it must agree.
fn openssl(directory: &Path, arguments: &str) -> String {
    let arguments = arguments.split(' ');
    let run = Command::new("openssl").current_dir(directory).args(arguments).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).unwrap()
}

/// A key, its certificate, and the issuer of that, in `a.p12` under the password `secret`.
fn container(directory: &Path) -> Vec<u8> {
    let new = "req -x509 -newkey rsa:2048 -nodes -days 2";
    openssl(directory, &format!("{new} -keyout ca.key -out ca.pem -subj /CN=ca"));
    openssl(directory, &format!("{new} -keyout a.key -out a.pem -subj /CN=a -CA ca.pem -CAkey ca.key"));
    openssl(
        directory,
        "pkcs12 -export -inkey a.key -in a.pem -certfile ca.pem -name Web -passout pass:secret -out a.p12",
    );
    std::fs::read(directory.join("a.p12")).unwrap()
}

fn password(server: &Server, value: &str) -> String {
    let block = Item::structure(
        Tag::KEY_BLOCK,
        vec![
            Item::enumeration(Tag::KEY_FORMAT_TYPE, Format::Opaque),
            Item::structure(Tag::KEY_VALUE, vec![Item::bytes(Tag::KEY_MATERIAL, value.as_bytes().to_vec())]),
        ],
    );
    let payload = vec![
        Item::enumeration(Tag::OBJECT_TYPE, 7_u32),
        Item::structure(Tag::ATTRIBUTES, vec![Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, 0x200)]),
        Item::structure(Tag::SECRET_DATA, vec![Item::enumeration(Tag::SECRET_DATA_TYPE, 1_u32), block]),
    ];
    id_of(&server.ask(Version::V2_1, Operation::Register, payload).unwrap())
}

fn activate(server: &Server, object: &str) {
    server.ask(Version::V2_1, Operation::Activate, vec![id(object)]).unwrap();
}

fn register(
    server: &Server,
    version: Version,
    der: &[u8],
    passwords: &[&str],
    name: Option<&str>,
) -> Result<String, Reason> {
    let block = Item::structure(
        Tag::KEY_BLOCK,
        vec![
            Item::enumeration(Tag::KEY_FORMAT_TYPE, Format::PKCS_12),
            Item::bytes(Tag::KEY_VALUE, der.to_vec()),
        ],
    );
    let mut said = vec![Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, 1)];
    said.extend(passwords.iter().map(|password| link(LinkType::PKCS_12PasswordLink, password)));
    said.extend(name.map(|name| Item::text(Tag::PKCS12_FRIENDLY_NAME, name)));
    let attributes = if version >= Version::V2_0 {
        Item::structure(Tag::ATTRIBUTES, said)
    } else {
        let written = crate::attributes::form::write(said, &Default::default(), version);
        Item::structure(Tag::TEMPLATE_ATTRIBUTE, written)
    };
    let payload = vec![
        Item::enumeration(Tag::OBJECT_TYPE, 4_u32),
        attributes,
        Item::structure(Tag::PRIVATE_KEY, vec![block]),
    ];
    server.ask(version, Operation::Register, payload).map(|answer| id_of(&answer))
}

fn get_container(server: &Server, key: &str) -> Result<Vec<u8>, Reason> {
    let payload = vec![id(key), Item::enumeration(Tag::KEY_FORMAT_TYPE, Format::PKCS_12)];
    let answer = server.ask(Version::V2_1, Operation::Get, payload)?;
    let block = field(field(&answer, Tag::PRIVATE_KEY).items(), Tag::KEY_BLOCK);
    assert!(block.child(Tag::CRYPTOGRAPHIC_ALGORITHM).is_none());
    Ok(block.child(Tag::KEY_VALUE).unwrap().as_bytes().unwrap().to_vec())
}

#[test]
fn a_container_becomes_a_key_and_its_chain_and_comes_back() {
    let server = Server::new();
    let directory = tempfile::tempdir().unwrap();
    let der = container(directory.path());
    let secret = password(&server, "secret");
    activate(&server, &secret);
    let key = register(&server, Version::V2_1, &der, &[&secret], None).unwrap();
    assert_eq!(server.attributes(&key, Tag::PKCS12_FRIENDLY_NAME)[0].as_text(), Ok("Web"));
    assert_eq!(server.attributes(&key, Tag::CRYPTOGRAPHIC_LENGTH)[0].as_integer(), Ok(2048));
    let target = |object: &str, kind: LinkType| {
        let links = server.attributes(object, Tag::LINK);
        let found = links.iter().find(|link| link.child(Tag::LINK_TYPE).unwrap().as_value_of() == Ok(kind));
        found.unwrap().child(Tag::LINKED_OBJECT_IDENTIFIER).unwrap().as_text().unwrap().to_owned()
    };
    let own = target(&key, LinkType::PKCS_12CertificateLink);
    assert_eq!(server.attributes(&own, Tag::CERTIFICATE_SUBJECT_CN)[0].as_text(), Ok("a"));
    let above = target(&own, LinkType::CertificateLink);
    assert_eq!(server.attributes(&above, Tag::CERTIFICATE_SUBJECT_CN)[0].as_text(), Ok("ca"));

    std::fs::write(directory.path().join("back.p12"), get_container(&server, &key).unwrap()).unwrap();
    let back = openssl(directory.path(), "pkcs12 -in back.p12 -passin pass:secret -nodes");
    assert!(back.contains("friendlyName: Web"), "{back}");
    for own in ["a.key", "a.pem", "ca.pem"] {
        let text = std::fs::read_to_string(directory.path().join(own)).unwrap();
        assert!(back.contains(text.trim()), "{own} is not in it");
    }
}

#[test]
fn a_password_must_be_one_that_is_active_and_opens_it() {
    let server = Server::new();
    let directory = tempfile::tempdir().unwrap();
    let der = container(directory.path());
    let (right, wrong, waiting) =
        (password(&server, "secret"), password(&server, "other"), password(&server, "secret"));
    activate(&server, &right);
    activate(&server, &wrong);
    let aes = server.aes(0xc, vec![Item::date(Tag::ACTIVATION_DATE, 1000)]);
    for (passwords, in_1_4) in [
        (vec![], Reason::InvalidField),
        (vec![right.as_str(), wrong.as_str()], Reason::InvalidField),
        (vec![waiting.as_str()], Reason::PermissionDenied),
        (vec![wrong.as_str()], Reason::CryptographicFailure),
        (vec![aes.as_str()], Reason::InvalidField),
    ] {
        assert_eq!(register(&server, Version::V1_4, &der, &passwords, None), Err(in_1_4));
        assert_eq!(register(&server, Version::V2_1, &der, &passwords, None), Err(Reason::BadPassword));
    }
    assert_eq!(register(&server, Version::V2_1, &der, &[&right], Some("mail")), Err(Reason::BadPassword));
    assert_eq!(register(&server, Version::V2_1, &der[..99], &[&right], None), Err(Reason::BadPassword));
    assert_eq!(register(&server, Version::V2_1, &[0; 70_000], &[&right], None), Err(Reason::InvalidField));
    let opening = server.engine().opening.lock().unwrap();
    let busy = register(&server, Version::V2_1, &der, &[&right], None);
    assert_eq!(busy, Err(Reason::ServerLimitExceeded), "another container is being opened");
    drop(opening);
    register(&server, Version::V1_4, &der, &[&right], Some("WEB")).unwrap();
}

#[test]
fn only_private_keys_with_a_password_are_given_in_containers() {
    let server = Server::new();
    let aes = server.aes(0xc, Vec::new());
    let payload = vec![id(&aes), Item::enumeration(Tag::KEY_FORMAT_TYPE, Format::PKCS_12)];
    assert_eq!(
        server.ask(Version::V2_1, Operation::Get, payload).unwrap_err(),
        Reason::KeyFormatTypeNotSupported
    );
    let directory = tempfile::tempdir().unwrap();
    let der = container(directory.path());
    let secret = password(&server, "secret");
    activate(&server, &secret);
    let key = register(&server, Version::V2_1, &der, &[&secret], None).unwrap();
    let revoke = vec![
        id(&secret),
        Item::structure(Tag::REVOCATION_REASON, vec![Item::enumeration(Tag::REVOCATION_REASON_CODE, 6_u32)]),
    ];
    server.ask(Version::V2_1, Operation::Revoke, revoke).unwrap();
    assert_eq!(get_container(&server, &key), Err(Reason::BadPassword), "a password out of use");
}
