//! Keys come, are suspended, expire, are deleted by one person or two, and come back.

use super::{NOT_FOUND, REFUSED, USAGE, is_uuid, text};
use crate::desk::Desk;

#[test]
fn a_key_is_made_and_shown_with_the_names_of_the_api() {
    let desk = Desk::with_token();
    let made = desk.kms(&[
        "key",
        "create",
        "volumes of web",
        "--description",
        "its disks",
        "--expires",
        "2099-06-30T14:00:00+02:00",
        "--alias",
        "vol",
        "--alias",
        "web_disks",
        "--tag",
        "web",
        "--as",
        "alice",
    ]);
    assert!(is_uuid(text(&made, "id")) && is_uuid(text(&made["keyVersion"], "id")), "{made}");
    let expected = serde_json::json!({
        "type": "application/vnd.ibm.kms.key+json",
        "id": made["id"],
        "name": "volumes of web",
        "description": "its disks",
        "aliases": ["vol", "web_disks"],
        "tags": ["web"],
        "state": 1,
        "extractable": false,
        "keyRingID": "default",
        "imported": false,
        "algorithmType": "AES",
        "algorithmBitSize": 256,
        "creationDate": made["creationDate"],
        "createdBy": "alice",
        "lastUpdateDate": made["creationDate"],
        "expirationDate": "2099-06-30T12:00:00Z",
        "keyVersion": { "id": made["keyVersion"]["id"], "creationDate": made["creationDate"] },
        "dualAuthDelete": { "enabled": false },
        "deleted": false,
    });
    assert_eq!(made, expected);
    assert_eq!(text(&made, "creationDate").len(), 20);
    for name in
        [text(&made, "id"), &text(&made, "id").replace('-', "").to_uppercase(), "vol", "volumes of web"]
    {
        assert_eq!(desk.kms(&["key", "show", name]), expected, "{name}");
    }
    let page = desk.run(&["kms", "key", "show", "vol"]).succeeds().out;
    for part in ["root key, generated, 256 bits", "Active (1)", "vol web_disks", "by alice", "2099-06-30"] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let table = desk.run(&["kms", "key", "list"]).succeeds().out;
    assert!(table.starts_with("ID") && table.contains("Active  default   volumes of web"), "{table}");
}

#[test]
fn the_operating_systems_user_acts_where_nobody_is_named() {
    let desk = Desk::with_token();
    let made = desk.kms(&["key", "create", "one"]);
    let user = std::process::Command::new("id").arg("-un").output().expect("the user's name");
    let name = String::from_utf8(user.stdout).expect("text");
    assert_eq!(text(&made, "createdBy"), name.trim());
    desk.run(&["kms", "key", "list", "--as", ""]).fails(USAGE, "--as wants a name");
}

#[test]
fn a_standard_key_is_given_out_and_a_root_key_is_not() {
    let desk = Desk::with_token();
    let made = desk.kms(&["key", "create", "password", "--standard-key"]);
    assert_eq!((&made["extractable"], &made["state"]), (&true.into(), &1.into()));
    let read = desk.kms(&["read", "password"]);
    assert_eq!((text(&read, "payload").len(), &read["id"]), (44, &made["id"]));
    assert_eq!(desk.run(&["kms", "read", "password"]).succeeds().out.trim(), text(&read, "payload"));
    assert!(desk.kms(&["key", "show", "password"]).get("payload").is_none());

    let file = desk.0.path().join("payload");
    let path = file.to_str().expect("text");
    desk.run(&["kms", "read", "password", "--out", path]).succeeds();
    assert_eq!(std::fs::read(&file).expect("the payload").len(), 32);
    desk.run(&["kms", "read", "password", "--out", path]).fails(super::EXISTS, "--force replaces it");
    desk.run(&["kms", "read", "password", "--out", path, "--force"]).succeeds();

    desk.root_key("root");
    let done = desk.run(&["kms", "read", "root"]).fails(REFUSED, "not given out");
    assert!(done.err.contains("kms key wrap"), "{}", done.err);
    for action in [
        &["key", "wrap", "password"][..],
        &["key", "unwrap", "password", "AAAA"],
        &["key", "rewrap", "password", "AAAA"],
        &["key", "rotate", "password"],
        &["key", "disable", "password"],
        &["key", "enable", "password"],
        &["key", "policy", "set", "password", "--rotation", "1"],
    ] {
        desk.kms_refuses(REFUSED, "KEY_ROOT_REQ_ERR", action);
    }
    desk.kms_refuses(REFUSED, "KEY_ROOT_REQ_REG_ERR", &["key", "registrations", "add", "password", "crn"]);
    desk.kms(&["key", "delete", "password", "--yes"]);
    desk.kms_refuses(REFUSED, "KEY_DELETED_ERR", &["read", "password"]);
}

#[test]
fn a_suspended_key_does_nothing_until_it_is_enabled() {
    let desk = Desk::with_token();
    let id = desk.root_key("root");
    let wrapped = desk.kms(&["key", "wrap", &id]);
    let text = text(&wrapped, "ciphertext");
    desk.kms_refuses(REFUSED, "KEY_ACTION_INVALID_STATE_ERR", &["key", "enable", &id]);
    assert_eq!(desk.kms(&["key", "disable", &id])["state"], 2);
    for action in [&["wrap", &id][..], &["unwrap", &id, text], &["rewrap", &id, text], &["rotate", &id]] {
        let done = desk.kms_refuses(REFUSED, "KEY_INVALID_STATE_ERR", &[&["key"], action].concat());
        assert!(done.err.contains("kms key enable"), "{}", done.err);
    }
    desk.kms_refuses(REFUSED, "KEY_ACTION_INVALID_STATE_ERR", &["key", "disable", &id]);
    let early = desk.kms_refuses(REFUSED, "REQ_TOO_EARLY_ERR", &["key", "enable", &id]);
    assert!(early.err.contains("30 seconds"), "{}", early.err);
    // What is said of it may be changed, and it may be deleted.
    assert_eq!(desk.kms(&["key", "update", &id, "--name", "renamed"])["state"], 2);
    assert_eq!(desk.kms(&["key", "delete", &id, "--yes"])["state"], 5);
}

#[test]
fn a_key_that_expired_unwraps_and_wraps_no_more() {
    let desk = Desk::with_token();
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(3);
    let made = desk.kms(&["key", "create", "short", "--expires", &soon.to_string()]);
    let id = text(&made, "id");
    let wrapped = desk.kms(&["key", "wrap", id]);
    let ciphertext = text(&wrapped, "ciphertext");
    while desk.state(id) == 1 {
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    assert_eq!(desk.state(id), 3);
    desk.kms_refuses(REFUSED, "KEY_INVALID_STATE_ERR", &["key", "wrap", id]);
    desk.kms_refuses(REFUSED, "KEY_ACTION_INVALID_STATE_ERR", &["key", "disable", id]);
    assert_eq!(desk.kms(&["key", "unwrap", id, ciphertext])["plaintext"], wrapped["plaintext"]);
    desk.kms(&["key", "rewrap", id, ciphertext]);
    assert_eq!(desk.kms(&["key", "list", "--state", "deactivated"])[0]["id"], id);
    let past = ["key", "create", "late", "--expires", "2020-01-01T00:00:00Z"];
    desk.kms_refuses(USAGE, "INVALID_FIELD_ERR", &past);
    desk.run(&["kms", "key", "create", "late", "--expires", "tomorrow"]).fails(USAGE, "--expires");
}

#[test]
fn a_deleted_key_is_kept_for_a_while() {
    let desk = Desk::with_token();
    let id = desk.root_key("root");
    let wrapped = desk.kms(&["key", "wrap", &id]);
    let ciphertext = text(&wrapped, "ciphertext");
    for early in [&["key", "restore", &id][..], &["key", "purge", &id, "--yes"]] {
        desk.kms_refuses(REFUSED, "KEY_ACTION_INVALID_STATE_ERR", early);
    }
    desk.run(&["kms", "key", "delete", &id]).fails(USAGE, "add --yes if it is meant");
    let deleted = desk.kms(&["key", "delete", &id, "--yes", "--as", "bob"]);
    assert_eq!((&deleted["state"], &deleted["deleted"]), (&5.into(), &true.into()));
    assert_eq!(text(&deleted, "deletedBy"), "bob");
    assert!(text(&deleted, "restoreExpirationDate") > text(&deleted, "deletionDate"));

    for action in [
        &["wrap", &id][..],
        &["unwrap", &id, ciphertext],
        &["rewrap", &id, ciphertext],
        &["rotate", &id],
        &["disable", &id],
        &["enable", &id],
        &["delete", &id, "--yes"],
        &["update", &id, "--name", "other"],
        &["alias", "add", &id, "alias"],
        &["schedule-delete", &id],
        &["unschedule-delete", &id],
        &["policy", "set", &id, "--dual-auth", "on"],
        &["policy", "set", &id, "--rotation", "1"],
        &["registrations", "add", &id, "crn"],
    ] {
        let done = desk.kms_refuses(REFUSED, "KEY_DELETED_ERR", &[&["key"], action].concat());
        assert!(done.err.contains("kms key restore"), "{}", done.err);
    }
    assert_eq!(desk.kms(&["key", "list"]), serde_json::json!([]));
    assert_eq!(desk.kms(&["key", "list", "--state", "destroyed"])[0]["id"], id.as_str());
    assert_eq!(desk.kms(&["key", "show", &id]), deleted);

    desk.kms_refuses(REFUSED, "REQ_TOO_EARLY_ERR", &["key", "restore", &id]);
    let early = desk.kms_refuses(REFUSED, "REQ_TOO_EARLY_ERR", &["key", "purge", &id, "--yes"]);
    assert!(early.err.contains("4 hours"), "{}", early.err);
    desk.run(&["kms", "key", "purge", &id]).fails(USAGE, "cannot be undone");
    assert_eq!(desk.kms(&["rotate-due"]), serde_json::json!({ "rotated": [], "purged": [], "expired": [] }));
}

#[test]
fn of_keys_of_one_name_the_one_is_meant_that_can_be() {
    let desk = Desk::with_token();
    let (first, second) = (desk.root_key("same"), desk.root_key("same"));
    let done = desk.run(&["kms", "key", "show", "same"]).fails(NOT_FOUND, "2 keys are called \"same\"");
    assert!(done.err.contains(&first) && done.err.contains(&second), "{}", done.err);
    desk.kms(&["key", "delete", &first, "--yes"]);
    assert_eq!(desk.kms(&["key", "show", "same"])["id"], second.as_str());
    // The deleted one is meant where a deleted one is wanted: the other would be refused by another code.
    desk.kms_refuses(REFUSED, "REQ_TOO_EARLY_ERR", &["key", "restore", "same"]);
    desk.kms_refuses(NOT_FOUND, "KEY_NOT_FOUND_ERR", &["key", "show", "another"]);
    let unknown = "02fd6835-6001-4482-a892-13bd2085f75d";
    desk.kms_refuses(NOT_FOUND, "KEY_NOT_FOUND_ERR", &["key", "wrap", unknown]);
    // An alias goes before a name.
    desk.kms(&["key", "create", "other", "--alias", "same"]);
    assert_eq!(desk.kms(&["key", "show", "same"])["name"], "other");
}

#[test]
fn two_people_delete_what_needs_two() {
    let desk = Desk::with_token();
    let id = text(&desk.kms(&["key", "create", "two", "--dual-auth"]), "id").to_owned();
    let delete = ["key", "delete", &id, "--yes", "--as"];
    let by = |name| [&delete[..], &[name]].concat();
    let done = desk.kms_refuses(REFUSED, "AUTHORIZATIONS_NOT_MET", &by("alice"));
    assert!(done.err.contains("schedule-delete"), "{}", done.err);
    let set = desk.kms(&["key", "schedule-delete", &id, "--as", "alice"]);
    assert_eq!(set["dualAuthDelete"]["keySetForDeletion"], true);
    assert!(text(&set["dualAuthDelete"], "authExpiration") > text(&set, "lastUpdateDate"));
    assert!(desk.run(&["kms", "key", "show", &id]).succeeds().out.contains("set for deletion by alice"));
    let done = desk.kms_refuses(REFUSED, "AUTHORIZATIONS_NOT_MET", &by("alice"));
    assert!(done.err.contains("somebody else"), "{}", done.err);

    let unset = desk.kms(&["key", "unschedule-delete", &id, "--as", "carol"]);
    assert_eq!(unset["dualAuthDelete"], serde_json::json!({ "enabled": true, "keySetForDeletion": false }));
    desk.kms_refuses(REFUSED, "AUTHORIZATIONS_NOT_MET", &by("bob"));
    desk.kms(&["key", "schedule-delete", &id, "--as", "alice"]);
    assert_eq!(desk.kms(&by("bob"))["deletedBy"], "bob");

    let one = desk.root_key("one");
    for action in ["schedule-delete", "unschedule-delete"] {
        desk.kms_refuses(REFUSED, "NOT_DUAL_AUTH_ERR", &["key", action, &one]);
    }
    // A key that has it keeps it.
    let on = desk.kms(&["key", "policy", "set", &one, "--dual-auth", "on"]);
    assert_eq!(on["dualAuthDelete"]["enabled"], true);
    desk.kms_refuses(USAGE, "INVALID_FIELD_ERR", &["key", "policy", "set", &one, "--dual-auth", "off"]);
}

#[test]
fn what_is_done_and_what_is_refused_is_in_the_audit_log() {
    let desk = Desk::with_token();
    let id = desk.root_key("root");
    desk.kms(&["key", "wrap", &id, "--as", "alice"]);
    desk.kms(&["key", "disable", "root", "--as", "bob"]);
    desk.kms_refuses(REFUSED, "REQ_TOO_EARLY_ERR", &["key", "enable", "root", "--as", "bob"]);
    let log = desk.run(&["audit", "show", "--json"]).succeeds().out;
    let events: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).expect("an event")).collect();
    for (action, outcome, by) in [
        ("kms.secrets.create", "success", None),
        ("kms.secrets.wrap", "success", Some("alice")),
        ("kms.secrets.disable", "success", Some("bob")),
        ("kms.secrets.enable", "failure", Some("bob")),
    ] {
        let is_it = |event: &&serde_json::Value| event["event"]["action"] == action;
        let event = &events.iter().find(is_it).unwrap_or_else(|| panic!("{action} in {log}"))["event"];
        assert_eq!(event["outcome"], outcome, "{event}");
        assert!(event.to_string().contains(&id.replace('-', "")), "{event}");
        assert!(by.is_none_or(|by| event["initiator"]["name"] == by), "{event}");
    }
    desk.run(&["audit", "verify"]).succeeds();
}

#[test]
fn it_needs_the_users_pin() {
    let desk = Desk::with_token();
    let mut command = desk.bare(&["kms", "key", "list"]);
    crate::desk::Done::of(command.env("SOFTHSM_RS_PIN", "000000")).fails(5, "PIN");
    let pin = desk.file("pin", "123456\n");
    crate::desk::Done::of(&mut desk.bare(&["kms", "--token", "web", "key", "list", "--pin-file", &pin]))
        .succeeds();
}
