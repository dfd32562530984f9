//! A `kmip.issuer` that cannot sign, and what the server's log says of it.

use std::sync::{Mutex, Once, PoisonError};

use super::certify::{EC, SIGN, VERIFY, certify, pair, validate};
use super::kit::*;
use crate::ttlv::enums::{Operation, ResultReason as Reason, ValidityIndicator as Validity};
use crate::ttlv::{Item, Tag, Version};

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Journal;

impl log::Log for Journal {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Warn
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!("{}: {}", record.level(), record.args());
        LINES.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn flush(&self) {}
}

/// From now on, lines are kept.
fn keep_lines() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        log::set_logger(&Journal).unwrap();
        log::set_max_level(log::LevelFilter::Warn);
    });
}

/// The lines that name an object.
fn lines_of(id: &str) -> Vec<String> {
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    lines.iter().filter(|line| line.contains(id)).cloned().collect()
}

#[test]
fn an_issuer_that_is_not_there_is_the_servers_fault_and_its_log_says_so() {
    keep_lines();
    let server = Server::new();
    let (public, _) = pair(&server, EC, 256, (SIGN, VERIFY));
    let own = certify(&server, vec![id(&public)]).unwrap();
    let absent = "a1".repeat(16);
    server.set_issuer(&absent);
    assert_eq!(certify(&server, vec![id(&public)]), Err(Reason::GeneralFailure));
    let lines = lines_of(&absent);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("ERROR: kmip.issuer, "), "{lines:?}");
    let refused = server.events().into_iter().rfind(|event| event["action"] == "kmip.certify").unwrap();
    assert_eq!((&refused["outcome"], &refused["severity"]), (&"failure".into(), &"critical".into()));
    // Nor is it an anchor; what else is trusted, is still.
    assert_eq!(validate(&server, vec![id(&own)]), Ok(Validity::Valid));
    assert!(lines_of(&absent).iter().any(|line| line.starts_with("WARN")));
}

#[test]
fn an_issuer_that_is_no_certificate_or_out_of_use_signs_nothing() {
    keep_lines();
    let server = Server::new();
    let (public, _) = pair(&server, EC, 256, (SIGN, VERIFY));
    let own = certify(&server, vec![id(&public)]).unwrap();
    server.set_issuer(&public);
    assert_eq!(certify(&server, vec![id(&public)]), Err(Reason::GeneralFailure), "a key");
    assert_eq!(lines_of(&public).len(), 1);
    let reason =
        Item::structure(Tag::REVOCATION_REASON, vec![Item::enumeration(Tag::REVOCATION_REASON_CODE, 2_u32)]);
    server.ask(Version::V2_1, Operation::Revoke, vec![id(&own), reason]).unwrap();
    server.set_issuer(&own);
    assert_eq!(certify(&server, vec![id(&public)]), Err(Reason::GeneralFailure), "compromised");
    assert_eq!(lines_of(&own).len(), 1);
}
