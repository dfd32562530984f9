//! The key management service and who uses it: the user alone, and each deed in the audit log.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod kit;

use std::sync::Arc;

use hsm_core::audit::{Trail, Uses};
use hsm_core::error::Error;
use hsm_core::kms::{Aad, Actor, Description, Kind, Removal};
use hsm_core::service::kms::{Caller, Filter};
use kit::*;

fn caller(trail: Option<Arc<Trail>>) -> Caller {
    Caller {
        actor: Actor { id: "alice".into(), name: "Alice".into() },
        now: 1_700_000_000,
        trail,
        host: None,
    }
}

fn none() -> Aad {
    Aad::default()
}

#[test]
fn the_service_is_the_users() {
    let fresh = Fresh::new();
    let session = fresh.session();
    let kms = session.kms(caller(None));
    assert!(matches!(kms.create(Description::new(Kind::Root, "a key"), None), Err(Error::NotLoggedIn)));
    assert!(matches!(kms.list(&Filter::default()), Err(Error::NotLoggedIn)));
    assert!(matches!(kms.wrap("alias", None, &none()), Err(Error::NotLoggedIn)));
    assert!(matches!(kms.policies(), Err(Error::NotLoggedIn)));
}

#[test]
fn each_change_is_an_event_and_each_refusal_too() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let trail: Arc<Trail> = fresh.hsm.audit_trail(Uses::Durable).unwrap();
    let kms = session.kms(caller(Some(trail)));
    let id = kms.create(Description::new(Kind::Root, "root key"), None).unwrap().id;
    let text = id.to_string();
    kms.wrap(&text, None, &none()).unwrap();
    kms.disable(&text).unwrap();
    kms.wrap(&text, None, &none()).unwrap_err();
    kms.enable(&text).unwrap_err();
    kms.delete(&text, Removal::Unused).unwrap();
    let mut seen = Vec::new();
    fresh
        .hsm
        .read_audit_log(0, &mut |recorded| {
            seen.push(recorded.json);
            Ok(())
        })
        .unwrap();
    let kms_events: Vec<_> = seen.iter().filter(|json| json.contains("\"kms.")).collect();
    let expected = [
        ("kms.secrets.create", "success", "normal"),
        ("kms.secrets.wrap", "success", "normal"),
        ("kms.secrets.disable", "success", "warning"),
        ("kms.secrets.wrap", "KEY_INVALID_STATE_ERR", "normal"),
        ("kms.secrets.enable", "REQ_TOO_EARLY_ERR", "warning"),
        ("kms.secrets.delete", "success", "critical"),
    ];
    assert_eq!(kms_events.len(), expected.len(), "{kms_events:#?}");
    for (json, parts) in kms_events.iter().zip(expected) {
        for part in [parts.0, parts.1, parts.2, "alice", &id.digits()] {
            assert!(json.contains(part), "{part} in {json}");
        }
    }
}
