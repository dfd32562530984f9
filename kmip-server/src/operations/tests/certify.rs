//! Certify, Re-certify and Validate, with OpenSSL as the judge of what comes out and the maker of what goes in.

use std::path::Path;
use std::process::Command;

use super::kit::*;
use crate::objects::replacement::link;
use crate::ttlv::enums::{LinkType, Operation, ResultReason as Reason, ValidityIndicator as Validity};
use crate::ttlv::{Item, Tag, Version};

pub(super) const SIGN: i32 = 1;
pub(super) const VERIFY: i32 = 2;
const CERTIFICATE_SIGN: i32 = 0x1000;
const DAY: i64 = 24 * 3600;

fn now() -> i64 {
    hsm_core::object::lifecycle::now()
}

pub(super) fn attributes(all: Vec<Item>) -> Item {
    Item::structure(Tag::ATTRIBUTES, all)
}

/// A pair, active: public and private identifiers.
pub(super) fn pair(server: &Server, algorithm: u32, length: i32, masks: (i32, i32)) -> (String, String) {
    let mask = |mask| vec![Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, mask)];
    let answer = server.ask(
        Version::V2_1,
        Operation::CreateKeyPair,
        vec![
            Item::structure(
                Tag::COMMON_ATTRIBUTES,
                vec![
                    Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, algorithm),
                    Item::integer(Tag::CRYPTOGRAPHIC_LENGTH, length),
                    Item::date(Tag::ACTIVATION_DATE, 1000),
                ],
            ),
            Item::structure(Tag::PRIVATE_KEY_ATTRIBUTES, mask(masks.0)),
            Item::structure(Tag::PUBLIC_KEY_ATTRIBUTES, mask(masks.1)),
        ],
    );
    let answer = answer.unwrap();
    let text = |tag| field(&answer, tag).as_text().unwrap().to_owned();
    (text(Tag::PUBLIC_KEY_UNIQUE_IDENTIFIER), text(Tag::PRIVATE_KEY_UNIQUE_IDENTIFIER))
}

pub(super) const RSA: u32 = 4;
pub(super) const EC: u32 = 0x1a;

pub(super) fn certify(server: &Server, payload: Vec<Item>) -> Result<String, Reason> {
    server.ask(Version::V2_1, Operation::Certify, payload).map(|answer| id_of(&answer))
}

/// An authority of its own: its certificate and public key.
fn authority(server: &Server) -> (String, String) {
    let (public, _) = pair(server, EC, 384, (CERTIFICATE_SIGN, VERIFY | CERTIFICATE_SIGN));
    let said = attributes(vec![
        Item::text(Tag::CERTIFICATE_SUBJECT_CN, "Root of keys"),
        Item::text(Tag::CERTIFICATE_SUBJECT_C, "CH"),
        Item::date(Tag::ACTIVATION_DATE, now() - DAY),
        Item::date(Tag::DEACTIVATION_DATE, now() + 400 * DAY),
    ]);
    (certify(server, vec![id(&public), said]).unwrap(), public)
}

fn value(server: &Server, certificate: &str) -> Vec<u8> {
    let answer = server.ask(Version::V2_1, Operation::Get, vec![id(certificate)]).unwrap();
    field(field(&answer, Tag::CERTIFICATE).items(), Tag::CERTIFICATE_VALUE).as_bytes().unwrap().to_vec()
}

fn write_pem(path: &Path, der: &[u8]) {
    std::fs::write(path, der::pem::encode_string("CERTIFICATE", der::pem::LineEnding::LF, der).unwrap())
        .unwrap();
}

/// What OpenSSL prints; it must agree.
pub(super) fn openssl(directory: &Path, arguments: &[&str]) -> String {
    let run = Command::new("openssl").current_dir(directory).args(arguments).output().unwrap();
    let printed = String::from_utf8(run.stdout).unwrap() + &String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "openssl {arguments:?}: {printed}");
    printed
}

pub(super) fn validate(server: &Server, payload: Vec<Item>) -> Result<Validity, Reason> {
    let answer = server.ask(Version::V2_1, Operation::Validate, payload)?;
    Ok(field(&answer, Tag::VALIDITY_INDICATOR).as_value_of().unwrap())
}

pub(super) fn given(der: &[u8]) -> Item {
    Item::structure(
        Tag::CERTIFICATE,
        vec![
            Item::enumeration(Tag::CERTIFICATE_TYPE, 1_u32),
            Item::bytes(Tag::CERTIFICATE_VALUE, der.to_vec()),
        ],
    )
}

/// A request that OpenSSL made, in PEM.
fn request(directory: &Path) -> Vec<u8> {
    openssl(
        directory,
        &[
            "req",
            "-new",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            "key.pem",
            "-out",
            "request.pem",
            "-subj",
            "/C=CH/O=Acme/CN=kmip.example",
            "-addext",
            "subjectAltName=DNS:kmip.example,IP:127.0.0.1",
        ],
    );
    std::fs::read(directory.join("request.pem")).unwrap()
}

#[test]
fn openssl_accepts_an_authority_and_what_it_issued() {
    let server = Server::new();
    let directory = tempfile::tempdir().unwrap();
    let (root, root_key) = authority(&server);
    write_pem(&directory.path().join("root.pem"), &value(&server, &root));
    for (algorithm, length) in [(RSA, 2048), (EC, 256)] {
        let (public, _) = pair(&server, algorithm, length, (SIGN, VERIFY));
        let leaf = certify(
            &server,
            vec![
                id(&public),
                attributes(vec![
                    Item::text(Tag::CERTIFICATE_SUBJECT_CN, "a leaf"),
                    link(LinkType::CertificateLink, &root),
                ]),
            ],
        );
        let leaf = leaf.unwrap();
        write_pem(&directory.path().join("leaf.pem"), &value(&server, &leaf));
        openssl(directory.path(), &["verify", "-x509_strict", "-CAfile", "root.pem", "leaf.pem"]);
        let text = openssl(directory.path(), &["x509", "-noout", "-text", "-in", "leaf.pem"]);
        assert!(text.contains("Digital Signature") && text.contains("CA:FALSE"), "{text}");
        assert_eq!(
            server.attributes(&leaf, Tag::LINK),
            [link(LinkType::PublicKeyLink, &public), link(LinkType::CertificateLink, &root)]
        );
        assert!(server.attributes(&public, Tag::LINK).contains(&link(LinkType::CertificateLink, &leaf)));
        assert_eq!(server.attributes(&leaf, Tag::CERTIFICATE_SUBJECT_CN)[0].as_text(), Ok("a leaf"));
        assert_eq!(server.attributes(&leaf, Tag::CERTIFICATE_ISSUER_CN)[0].as_text(), Ok("Root of keys"));
    }
    let text = openssl(directory.path(), &["x509", "-noout", "-text", "-in", "root.pem"]);
    assert!(text.contains("CA:TRUE") && text.contains("Certificate Sign"), "{text}");
    assert_eq!(server.attributes(&root, Tag::STATE)[0].as_enumeration(), Ok(2), "active by its dates");
    assert!(server.attributes(&root_key, Tag::LINK).contains(&link(LinkType::CertificateLink, &root)));
}

#[test]
fn an_authority_on_an_edwards_curve_signs_by_the_algorithm_of_its_key() {
    let server = Server::new();
    let directory = tempfile::tempdir().unwrap();
    for (algorithm, length, name) in [(0x37, 255, "ED25519"), (0x38, 448, "ED448")] {
        let (public, _) = pair(&server, algorithm, length, (CERTIFICATE_SIGN, VERIFY | CERTIFICATE_SIGN));
        let said = attributes(vec![Item::text(Tag::CERTIFICATE_SUBJECT_CN, name)]);
        let root = certify(&server, vec![id(&public), said]).unwrap();
        write_pem(&directory.path().join("root.pem"), &value(&server, &root));
        openssl(directory.path(), &["verify", "-check_ss_sig", "-CAfile", "root.pem", "root.pem"]);
        let text = openssl(directory.path(), &["x509", "-noout", "-text", "-in", "root.pem"]);
        assert!(text.contains(&format!("Signature Algorithm: {name}")), "{text}");
        assert_eq!(validate(&server, vec![id(&root)]), Ok(Validity::Valid), "{name}");
    }
}

#[test]
fn a_request_says_subject_key_and_other_names() {
    let server = Server::new();
    let directory = tempfile::tempdir().unwrap();
    let (root, _) = authority(&server);
    let pem = request(directory.path());
    let said = attributes(vec![
        Item::text(Tag::CERTIFICATE_SUBJECT_CN, "not this"),
        link(LinkType::CertificateLink, &root),
    ]);
    let payload = vec![
        Item::enumeration(Tag::CERTIFICATE_REQUEST_TYPE, 3_u32),
        Item::bytes(Tag::CERTIFICATE_REQUEST_VALUE, pem),
        said,
    ];
    let leaf = certify(&server, payload).unwrap();
    write_pem(&directory.path().join("root.pem"), &value(&server, &root));
    write_pem(&directory.path().join("leaf.pem"), &value(&server, &leaf));
    openssl(
        directory.path(),
        &["verify", "-CAfile", "root.pem", "-verify_hostname", "kmip.example", "leaf.pem"],
    );
    let public = openssl(directory.path(), &["x509", "-noout", "-pubkey", "-in", "leaf.pem"]);
    assert_eq!(public, openssl(directory.path(), &["pkey", "-pubout", "-in", "key.pem"]));
    assert_eq!(server.attributes(&leaf, Tag::CERTIFICATE_SUBJECT_O)[0].as_text(), Ok("Acme"));
    assert_eq!(server.attributes(&leaf, Tag::CERTIFICATE_SUBJECT_CN)[0].as_text(), Ok("kmip.example"));
}

#[test]
fn a_request_whose_sender_has_not_the_key_is_refused() {
    let server = Server::new();
    let directory = tempfile::tempdir().unwrap();
    let (root, _) = authority(&server);
    let (public, _) = pair(&server, EC, 256, (SIGN, VERIFY));
    let pem = request(directory.path());
    let (_, mut der) = der::pem::decode_vec(&pem).unwrap();
    let ask = |kind: u32, value: &[u8], more: Vec<Item>| {
        let mut payload = more;
        payload.push(Item::enumeration(Tag::CERTIFICATE_REQUEST_TYPE, kind));
        payload.push(Item::bytes(Tag::CERTIFICATE_REQUEST_VALUE, value.to_vec()));
        payload.push(attributes(vec![link(LinkType::CertificateLink, &root)]));
        certify(&server, payload)
    };
    ask(2, &der, Vec::new()).unwrap();
    assert_eq!(ask(2, &der, vec![id(&public)]), Err(Reason::InvalidCSR), "of another key");
    assert_eq!(ask(1, &der, Vec::new()), Err(Reason::FeatureNotSupported), "CRMF");
    assert_eq!(ask(2, &pem, Vec::new()), Err(Reason::InvalidCSR), "PEM is no DER");
    *der.last_mut().unwrap() ^= 1;
    assert_eq!(ask(2, &der, Vec::new()), Err(Reason::InvalidCSR), "a signature of nobody");
}

#[test]
fn an_issuer_must_be_one() {
    let server = Server::new();
    let (root, root_key) = authority(&server);
    let (public, _) = pair(&server, EC, 256, (SIGN, VERIFY));
    let by = |issuer: &str, more: Vec<Item>| {
        let mut said = vec![link(LinkType::CertificateLink, issuer)];
        said.extend(more);
        certify(&server, vec![id(&public), attributes(said)])
    };
    let leaf = by(&root, Vec::new()).unwrap();
    assert_eq!(by(&leaf, Vec::new()), Err(Reason::InvalidField), "a leaf issues nothing");
    assert_eq!(by(&root_key, Vec::new()), Err(Reason::InvalidObjectType));
    assert_eq!(by("0".repeat(32).as_str(), Vec::new()), Err(Reason::ObjectNotFound));
    let late = vec![Item::date(Tag::DEACTIVATION_DATE, now() + 500 * DAY)];
    assert_eq!(by(&root, late), Err(Reason::InvalidField), "longer than its issuer");
    let early = vec![Item::date(Tag::DEACTIVATION_DATE, now() - DAY)];
    assert_eq!(by(&root, early), Err(Reason::InvalidField), "over before it begins");
    // Another client neither sees the authority nor learns of it.
    let payload = vec![id(&public), attributes(vec![link(LinkType::CertificateLink, &root)])];
    let other = server.ask_as(&client("b"), Version::V2_1, Vec::new(), Operation::Certify, payload);
    assert_eq!(other.unwrap_err(), Reason::ObjectNotFound);
    let revoke = vec![
        id(&root),
        Item::structure(Tag::REVOCATION_REASON, vec![Item::enumeration(Tag::REVOCATION_REASON_CODE, 3_u32)]),
    ];
    server.ask(Version::V2_1, Operation::Revoke, revoke).unwrap();
    assert_eq!(validate(&server, vec![id(&leaf), id(&root)]), Ok(Validity::Invalid), "its issuer is revoked");
}

#[test]
fn re_certify_takes_the_place_of_the_certificate_before() {
    let server = Server::new();
    let (root, _) = authority(&server);
    let (public, _) = pair(&server, EC, 256, (SIGN, VERIFY));
    let said = vec![
        name("web"),
        Item::text(Tag::CERTIFICATE_SUBJECT_CN, "web"),
        link(LinkType::CertificateLink, &root),
    ];
    let old = certify(&server, vec![id(&public), attributes(said)]).unwrap();
    let new = server.ask(Version::V2_1, Operation::ReCertify, vec![id(&old), Item::interval(Tag::OFFSET, 0)]);
    let new = id_of(&new.unwrap());
    assert_ne!(value(&server, &new), value(&server, &old));
    assert_eq!(server.attributes(&new, Tag::NAME), [name("web")]);
    assert!(server.attributes(&old, Tag::NAME).is_empty());
    assert_eq!(server.attributes(&new, Tag::CERTIFICATE_SUBJECT_CN)[0].as_text(), Ok("web"));
    let links = server.attributes(&new, Tag::LINK);
    for wanted in [
        link(LinkType::ReplacedObjectLink, &old),
        link(LinkType::PublicKeyLink, &public),
        link(LinkType::CertificateLink, &root),
    ] {
        assert!(links.contains(&wanted), "{wanted:?} in {links:?}");
    }
    assert!(server.attributes(&old, Tag::LINK).contains(&link(LinkType::ReplacementObjectLink, &new)));
    let links = server.attributes(&public, Tag::LINK);
    assert!(links.contains(&link(LinkType::CertificateLink, &new)), "{links:?}");
    assert!(!links.contains(&link(LinkType::CertificateLink, &old)), "{links:?}");
    assert_eq!(validate(&server, vec![id(&new), id(&root)]), Ok(Validity::Valid));
    assert_eq!(
        server.ask(Version::V2_1, Operation::ReCertify, vec![id(&public)]).unwrap_err(),
        Reason::InvalidObjectType
    );
}

#[test]
fn validate_tells_good_bad_and_unknown_apart() {
    let server = Server::new();
    let (root, _) = authority(&server);
    let (public, _) = pair(&server, EC, 256, (SIGN, VERIFY));
    let said = attributes(vec![link(LinkType::CertificateLink, &root)]);
    let leaf = certify(&server, vec![id(&public), said]).unwrap();
    let (root_der, leaf_der) = (value(&server, &root), value(&server, &leaf));
    assert_eq!(validate(&server, vec![id(&leaf), id(&root)]), Ok(Validity::Valid));
    assert_eq!(validate(&server, vec![given(&leaf_der), id(&root)]), Ok(Validity::Valid));
    assert_eq!(validate(&server, vec![id(&root)]), Ok(Validity::Valid));
    assert_eq!(
        validate(&server, vec![given(&root_der), id(&leaf)]),
        Ok(Validity::Unknown),
        "a root that a client only says of is no anchor"
    );
    assert_eq!(validate(&server, vec![id(&leaf)]), Ok(Validity::Unknown), "half a chain");
    let at = |date| vec![id(&leaf), id(&root), Item::date(Tag::VALIDITY_DATE, date)];
    assert_eq!(validate(&server, at(now() + 399 * DAY)), Ok(Validity::Invalid), "the leaf's year is over");
    assert_eq!(validate(&server, at(now() - 2 * DAY)), Ok(Validity::Invalid), "not yet");
    let mut forged = leaf_der.clone();
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(validate(&server, vec![given(&forged), id(&root)]), Ok(Validity::Invalid));
    let (other, _) = authority(&server);
    assert_eq!(
        validate(&server, vec![id(&leaf), id(&other)]),
        Ok(Validity::Invalid),
        "a namesake of its issuer"
    );
    assert_eq!(validate(&server, vec![given(b"no certificate")]), Err(Reason::InvalidField));
    assert_eq!(validate(&server, vec![id(&public)]), Err(Reason::InvalidObjectType));
    assert_eq!(validate(&server, Vec::new()), Err(Reason::MissingData));
}

#[test]
fn the_servers_issuer_signs_where_nobody_is_named_but_makes_no_authorities() {
    let server = Server::new();
    let (root, _) = authority(&server);
    server.set_issuer(&root);
    let directory = tempfile::tempdir().unwrap();
    let payload = |more: Vec<Item>| {
        vec![
            Item::enumeration(Tag::CERTIFICATE_REQUEST_TYPE, 3_u32),
            Item::bytes(Tag::CERTIFICATE_REQUEST_VALUE, request(directory.path())),
            attributes(more),
        ]
    };
    let ask =
        |more| server.ask_as(&client("b"), Version::V2_1, Vec::new(), Operation::Certify, payload(more));
    let leaf = id_of(&ask(Vec::new()).unwrap());
    let validate =
        server.ask_as(&client("b"), Version::V2_1, Vec::new(), Operation::Validate, vec![id(&leaf)]);
    assert_eq!(field(&validate.unwrap(), Tag::VALIDITY_INDICATOR).as_value_of(), Ok(Validity::Valid));
    let mask = Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, CERTIFICATE_SIGN);
    assert_eq!(ask(vec![mask]).unwrap_err(), Reason::PermissionDenied);
}

#[test]
fn versions_1_x_certify_by_their_own_fields() {
    let server = Server::new();
    let directory = tempfile::tempdir().unwrap();
    let (public, _) = pair(&server, RSA, 2048, (SIGN, VERIFY));
    let own = server.ask(Version::V1_2, Operation::Certify, vec![id(&public)]).unwrap();
    write_pem(&directory.path().join("own.pem"), &value(&server, &id_of(&own)));
    openssl(directory.path(), &["verify", "-CAfile", "own.pem", "own.pem"]);
    // A request alone, and nobody to sign it.
    let payload = vec![
        Item::enumeration(Tag::CERTIFICATE_REQUEST_TYPE, 3_u32),
        Item::bytes(Tag::CERTIFICATE_REQUEST, request(directory.path())),
    ];
    assert_eq!(server.ask(Version::V1_4, Operation::Certify, payload).unwrap_err(), Reason::MissingData);
}

fn revoke(server: &Server, object: &str, code: u32) {
    let reason =
        Item::structure(Tag::REVOCATION_REASON, vec![Item::enumeration(Tag::REVOCATION_REASON_CODE, code)]);
    server.ask(Version::V2_1, Operation::Revoke, vec![id(object), reason]).unwrap();
}

const KEY_COMPROMISE: u32 = 2;

#[test]
fn what_is_compromised_neither_issues_nor_is_certified() {
    let server = Server::new();
    let (root, _) = authority(&server);
    let (public, _) = pair(&server, EC, 256, (SIGN, VERIFY));
    let said = || attributes(vec![link(LinkType::CertificateLink, &root)]);
    let leaf = certify(&server, vec![id(&public), said()]).unwrap();
    revoke(&server, &public, KEY_COMPROMISE);
    let wrong = Err(Reason::WrongKeyLifecycleState);
    assert_eq!(certify(&server, vec![id(&public), said()]), wrong);
    revoke(&server, &leaf, KEY_COMPROMISE);
    let renewed = server.ask(Version::V2_1, Operation::ReCertify, vec![id(&leaf)]);
    assert_eq!(renewed.unwrap_err(), Reason::WrongKeyLifecycleState);
    revoke(&server, &root, KEY_COMPROMISE);
    let (other, _) = pair(&server, EC, 256, (SIGN, VERIFY));
    assert_eq!(certify(&server, vec![id(&other), said()]), wrong, "its key is active still");
}

#[test]
fn an_authoritys_usage_limits_count_its_certificates() {
    let server = Server::new();
    let (public, private) = pair(&server, EC, 256, (CERTIFICATE_SIGN, VERIFY | CERTIFICATE_SIGN));
    let limits = Item::structure(
        Tag::USAGE_LIMITS,
        vec![
            Item::long(Tag::USAGE_LIMITS_TOTAL, 1),
            Item::long(Tag::USAGE_LIMITS_COUNT, 1),
            Item::enumeration(Tag::USAGE_LIMITS_UNIT, 2_u32),
        ],
    );
    let add = vec![id(&private), Item::structure(Tag::NEW_ATTRIBUTE, vec![limits])];
    server.ask(Version::V2_1, Operation::SetAttribute, add).unwrap();
    certify(&server, vec![id(&public)]).unwrap();
    assert_eq!(certify(&server, vec![id(&public)]), Err(Reason::UsageLimitExceeded));
}

#[test]
fn a_renewal_lasts_as_long_but_not_longer_than_its_issuer() {
    let server = Server::new();
    let (root, _) = authority(&server);
    let (public, _) = pair(&server, EC, 256, (SIGN, VERIFY));
    let said = attributes(vec![
        link(LinkType::CertificateLink, &root),
        Item::date(Tag::DEACTIVATION_DATE, now() + 300 * DAY),
        Item::date(Tag::ACTIVATION_DATE, now() - 60),
    ]);
    let old = certify(&server, vec![id(&public), said]).unwrap();
    let renew = |offset: u32| {
        let payload = vec![id(&old), Item::interval(Tag::OFFSET, offset)];
        let new = id_of(&server.ask(Version::V2_1, Operation::ReCertify, payload).unwrap());
        let says = hsm_core::certificate::read_certificate(&value(&server, &new)).unwrap();
        (says.not_before.cast_signed() - now(), says.not_after.cast_signed() - now())
    };
    let near = |(a, b): (i64, i64), (c, d): (i64, i64)| (a - c).abs() < 100 && (b - d).abs() < 100;
    let later = renew(50 * 24 * 3600);
    assert!(near(later, (50 * DAY, 350 * DAY)), "{later:?}");
    let clamped = renew(200 * 24 * 3600);
    assert!(near(clamped, (200 * DAY, 400 * DAY)), "{clamped:?}");
}

#[test]
fn a_certificate_of_others_is_not_renewed_by_the_servers_issuer() {
    let server = Server::new();
    let (root, _) = authority(&server);
    let (foreign, _) = authority(&server);
    let (public, _) = pair(&server, EC, 256, (SIGN, VERIFY));
    let said = attributes(vec![link(LinkType::CertificateLink, &foreign)]);
    let leaf = certify(&server, vec![id(&public), said]).unwrap();
    server.set_issuer(&root);
    let payload = vec![
        Item::enumeration(Tag::OBJECT_TYPE, 1_u32),
        attributes(Vec::new()),
        given(&value(&server, &leaf)),
    ];
    let brought = id_of(&server.ask(Version::V2_1, Operation::Register, payload).unwrap());
    let renewed = server.ask(Version::V2_1, Operation::ReCertify, vec![id(&brought)]);
    assert_eq!(renewed.unwrap_err(), Reason::PermissionDenied);
}

#[test]
fn a_chain_may_go_on_behind_its_anchor_and_dates_are_those_of_the_moment() {
    let server = Server::new();
    let begun = now();
    let (root, _) = authority(&server);
    let (middle_key, _) = pair(&server, EC, 256, (CERTIFICATE_SIGN, VERIFY | CERTIFICATE_SIGN));
    let middle = attributes(vec![
        link(LinkType::CertificateLink, &root),
        Item::text(Tag::CERTIFICATE_SUBJECT_CN, "between"),
        Item::date(Tag::ACTIVATION_DATE, begun - 60),
    ]);
    let middle = certify(&server, vec![id(&middle_key), middle]).unwrap();
    server.set_issuer(&middle);
    let (public, _) = pair(&server, EC, 256, (SIGN, VERIFY));
    let said = attributes(vec![
        link(LinkType::CertificateLink, &middle),
        Item::date(Tag::ACTIVATION_DATE, begun - 30),
        Item::date(Tag::DEACTIVATION_DATE, begun + 12),
    ]);
    let leaf = certify(&server, vec![id(&public), said]).unwrap();
    let root_der = value(&server, &root);
    let chain = |at: i64| {
        validate(&server, vec![id(&leaf), id(&middle), given(&root_der), Item::date(Tag::VALIDITY_DATE, at)])
    };
    let made = now();
    assert_eq!(chain(made), Ok(Validity::Valid));
    while now() <= begun + 13 {
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    assert_eq!(chain(now()), Ok(Validity::Invalid), "over");
    assert_eq!(chain(made), Ok(Validity::Valid), "it was good then");
}
