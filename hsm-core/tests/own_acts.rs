//! What a process does by its own hands, as the module and the command line do, and what the audit log has of it.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod kit;

use cryptoki_sys::*;
use hsm_core::audit::Verdict;
use hsm_core::config::Config;
use hsm_core::error::Error;
use hsm_core::hsm::Hsm;
use hsm_core::import_token::Limits;
use hsm_core::mechanism::Mechanism;
use hsm_core::session::{Access, Role, Session};
use hsm_core::store::{self, PartitionId, RecordId};
use kit::*;
use serde_json::Value as Json;

/// The events of the log, which is whole.
fn events(hsm: &Hsm) -> Vec<Json> {
    let mut events = Vec::new();
    let verdict = hsm.read_audit_log(0, &mut |entry| {
        if entry.seal.is_none() {
            events.push(serde_json::from_str(&entry.json).unwrap());
        }
        Ok(())
    });
    assert!(matches!(verdict.unwrap(), Some(Verdict::Whole { .. })));
    events
}

/// Actions and outcomes from an event on.
fn told(hsm: &Hsm, from: usize) -> Vec<String> {
    let words = |event: &Json| {
        let reason = event.pointer("/reason/reasonType").and_then(Json::as_str).unwrap_or_default();
        format!("{} {} {reason}", event["action"].as_str().unwrap(), event["outcome"].as_str().unwrap())
            .trim_end()
            .to_owned()
    };
    events(hsm)[from..].iter().map(words).collect()
}

fn aes(session: &Session, text: &str) -> hsm_core::session::ObjectHandle {
    let mut template = token(true, text);
    template.extend([number(CKA_VALUE_LEN, 32), flag(CKA_EXTRACTABLE, true)]);
    session.generate_key(&Mechanism::plain(CKM_AES_KEY_GEN), template).unwrap()
}

#[test]
fn what_makes_a_token_is_told_from_the_beginning() {
    let fresh = Fresh::new();
    let expected =
        ["hsm.initialise success", "hsm.make-token success", "hsm.login-so success", "hsm.init-pin success"];
    assert_eq!(told(&fresh.hsm, 0), expected);
    let event = &events(&fresh.hsm)[3];
    assert_eq!((&event["class"], &event["severity"]), (&"administration".into(), &"warning".into()));
    assert_eq!(event["target"]["name"], "token");
    let name = event["initiator"]["name"].as_str().unwrap();
    assert!(name.ends_with(&format!("[{}]", std::process::id())), "{name}");
    assert!(event["initiator"]["id"].as_str().unwrap().parse::<u32>().is_ok());
}

#[test]
fn every_change_of_token_objects_leaves_its_event_and_session_objects_leave_none() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let before = events(&fresh.hsm).len();
    let wrapping = {
        let mut template = token(true, "wraps");
        template.extend([number(CKA_VALUE_LEN, 32), flag(CKA_WRAP, true), flag(CKA_UNWRAP, true)]);
        session.generate_key(&Mechanism::plain(CKM_AES_KEY_GEN), template).unwrap()
    };
    let key = aes(&session, "key");
    generate_ec(&session, "pair");
    let object = session.create_object(data(false, "data", b"value")).unwrap();
    session.copy_object(object, vec![label("copy")]).unwrap();
    session.set_attributes(object, vec![label("renamed")]).unwrap();
    let wrap = Mechanism::plain(CKM_AES_KEY_WRAP_KWP);
    let mut wrapped = [0; 64];
    let output = hsm_core::session::Output::Buffer(&mut wrapped);
    let length = session.wrap_key(&wrap, wrapping, key, output).unwrap();
    let mut template = token(true, "unwrapped");
    template.extend([number(CKA_CLASS, CKO_SECRET_KEY), number(CKA_KEY_TYPE, CKK_AES)]);
    session.unwrap_key(&wrap, wrapping, &wrapped[..length], template).unwrap();
    session.destroy_object(object).unwrap();
    // Of the session alone.
    session.create_object(vec![number(CKA_CLASS, CKO_DATA), label("session's")]).unwrap();
    // Refused, and so not made.
    assert!(session.set_attributes(key, vec![flag(CKA_LOCAL, false)]).is_err());
    let expected = [
        "hsm.generate-key success",
        "hsm.generate-key success",
        "hsm.generate-key-pair success",
        "hsm.create-object success",
        "hsm.copy-object success",
        "hsm.set-attribute-value success",
        "hsm.unwrap-key success",
        "hsm.destroy-object success",
    ];
    assert_eq!(told(&fresh.hsm, before), expected);
    let all = events(&fresh.hsm);
    let of = |at: usize| &all[before + at];
    assert_eq!(of(2)["responseData"]["objects"].as_array().unwrap().len(), 2);
    assert_eq!(of(3)["target"]["id"], of(7)["target"]["id"]);
    assert_eq!(of(7)["severity"], "critical");
}

#[test]
fn logins_and_pins_are_told_and_so_is_who_was_kept_out() {
    let fresh = Fresh::configured("pin.max_tries = 3\n");
    let session = fresh.session();
    let before = events(&fresh.hsm).len();
    assert!(session.login(Role::User, b"wrong").is_err());
    session.login(Role::User, USER_PIN).unwrap();
    session.set_pin(USER_PIN, b"another").unwrap();
    session.logout().unwrap();
    for _ in 0..3 {
        assert!(session.login(Role::User, b"wrong").is_err());
    }
    for _ in 0..50 {
        assert!(matches!(session.login(Role::User, b"another"), Err(Error::PinLocked)));
    }
    let expected = [
        "hsm.login-user failure PinIncorrect",
        "hsm.login-user success",
        "hsm.set-pin success",
        "hsm.login-user failure PinIncorrect",
        "hsm.login-user failure PinIncorrect",
        "hsm.login-user failure PinIncorrect",
        "hsm.login-user failure PinLocked",
    ];
    let found = told(&fresh.hsm, before);
    assert_eq!(found[..7], expected);
    assert!(found.len() < 15, "they are counted: {found:?}");
    fresh.hsm.flush_audit();
    let locked = |event: &&Json| event.pointer("/reason/reasonType") == Some(&"PinLocked".into());
    let count: u64 =
        events(&fresh.hsm).iter().filter(locked).map(|event| event["count"].as_u64().unwrap()).sum();
    assert_eq!(count, 50);
    assert!(fresh.hsm.reinitialise(&fresh.partition, &padded("x"), b"wrong SO").is_err());
    session.partition().close_all_sessions();
    assert!(fresh.hsm.reinitialise(&fresh.partition, &padded("x"), b"wrong SO").is_err());
    fresh.hsm.reinitialise(&fresh.partition, &padded("x"), SO_PIN).unwrap();
    fresh.hsm.delete_partition(&fresh.partition, SO_PIN).unwrap();
    let found = told(&fresh.hsm, 0);
    let expected =
        ["hsm.init-token failure PinIncorrect", "hsm.init-token success", "hsm.delete-token success"];
    assert_eq!(found[found.len() - 3..], expected);
}

#[test]
fn a_servers_partition_is_told_when_the_master_key_opens_it() {
    let fresh = Fresh::new();
    let before = events(&fresh.hsm).len();
    let partition = fresh.hsm.server_partition("kmip").unwrap();
    let session = partition.open_for_server().unwrap();
    // Logged in already.
    partition.open_for_server().unwrap();
    partition.close_session(&session);
    fresh.hsm.give_pins(&partition, SO_PIN, USER_PIN, true).unwrap();
    partition.close_all_sessions();
    fresh.hsm.close_for_server(&partition, USER_PIN).unwrap();
    let expected = [
        "hsm.make-token success",
        "hsm.login-server success",
        "hsm.give-pins success",
        "hsm.login-user success",
        "hsm.close-for-server success",
    ];
    assert_eq!(told(&fresh.hsm, before), expected);
}

#[test]
fn import_tokens_are_told_as_key_protect_calls_them() {
    let fresh = Fresh::new();
    let session = fresh.user();
    let before = events(&fresh.hsm).len();
    session.create_import_token(Limits::new(600, 1).unwrap(), 1000).unwrap();
    session.retrieve_import_token(1000).unwrap();
    assert!(session.retrieve_import_token(1000).is_err());
    let expected = [
        "kms.import-token.create success",
        "kms.import-token.read success",
        "kms.import-token.read failure IMPORT_TOKEN_EXPIRED_ERR",
    ];
    assert_eq!(told(&fresh.hsm, before), expected);
}

#[test]
fn where_changes_are_not_audited_no_log_begins() {
    let fresh = Fresh::configured("audit.changes = false\n");
    let session = fresh.user();
    aes(&session, "key");
    session.logout().unwrap();
    assert!(session.login(Role::User, b"wrong").is_err());
    fresh.hsm.seal_what_was_recorded();
    assert_eq!(fresh.hsm.read_audit_log(0, &mut |_| Ok(())).unwrap(), None);
}

#[test]
fn an_event_costs_no_wait_for_the_disk_of_its_own() {
    let syncs = |file: &str| {
        let fresh = Fresh::configured(file);
        let session = fresh.user();
        aes(&session, "first");
        let before = fresh.hsm.store_syncs();
        for number in 0..10 {
            let key = aes(&session, &format!("key {number}"));
            session.destroy_object(key).unwrap();
        }
        fresh.hsm.store_syncs() - before
    };
    assert_eq!(syncs(""), syncs("audit.changes = false\n"));
}

#[test]
fn a_damaged_log_keeps_people_from_changing_keys_and_not_from_using_them() {
    const LOG: PartitionId = PartitionId([0xff; 16]);
    let fresh = Fresh::new();
    generate_ec(&fresh.user(), "signer");
    let home = fresh.close();
    let store = store::open(&Config::for_home(home.path()).unwrap().store).unwrap();
    store
        .write(LOG, &mut |writer| {
            let head = RecordId([0xff; 16]);
            let revision = writer.revision(LOG, head)?.unwrap();
            Ok(writer.remove(LOG, head, revision)?)
        })
        .unwrap();
    drop(store);
    let hsm = handle(home.path());
    let session = partition(&hsm).open_session(Access::ReadWrite).unwrap();
    assert!(matches!(session.login(Role::User, b"wrong"), Err(Error::PinIncorrect { .. })));
    session.login(Role::User, USER_PIN).unwrap();
    let key = find(&session, vec![label("signer"), flag(CKA_PRIVATE, true)]).unwrap()[0];
    sign(&session, CKM_ECDSA_SHA256, key, b"message").unwrap();
    let made = session.create_object(data(true, "data", b"value"));
    assert!(matches!(made, Err(Error::RecordDamaged { .. })), "{made:?}");
    assert!(find(&session, vec![label("data")]).unwrap().is_empty());
    assert!(matches!(session.destroy_object(key), Err(Error::RecordDamaged { .. })));
    sign(&session, CKM_ECDSA_SHA256, key, b"message").unwrap();
}

#[test]
fn what_a_process_recorded_is_sealed_once() {
    let fresh = Fresh::new();
    let seals = || {
        let mut seals = 0;
        let read = fresh.hsm.read_audit_log(0, &mut |entry| {
            seals += u64::from(entry.seal.is_some());
            Ok(())
        });
        assert!(matches!(read, Ok(Some(Verdict::Whole { .. }))));
        seals
    };
    fresh.hsm.seal_what_was_recorded();
    assert_eq!(seals(), 1);
    fresh.hsm.seal_what_was_recorded();
    fresh.hsm.seal_audit_log().unwrap();
    assert_eq!(seals(), 1);
    let known = fresh.hsm.unit_status().unwrap().audit.known.unwrap();
    assert_eq!(fresh.hsm.seal_audit_log().unwrap().unwrap().end, known);
}

#[test]
fn of_a_store_in_memory_the_unit_knows_nothing() {
    let fresh = Fresh::configured("store = 'memory:'\n");
    let sealing = fresh.hsm.seal_audit_log().unwrap().unwrap();
    assert!(sealing.end.number > 4);
    assert_eq!(fresh.hsm.unit_status().unwrap().audit.known, None);
}
