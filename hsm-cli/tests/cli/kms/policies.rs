//! Policies of a partition and of keys.

use serde_json::json;

use super::{REFUSED, USAGE, text};
use crate::desk::Desk;

#[test]
fn policies_are_shown_and_changed_one_by_one() {
    let desk = Desk::with_token();
    let first = json!({
        "dualAuthDelete": { "enabled": false },
        "allowedNetwork": { "attributes": { "allowed_network": "public-and-private" } },
        "allowedIP": { "enabled": false, "attributes": { "allowed_ip": [] } },
        "keyCreateImportAccess": { "attributes": {
            "create_root_key": true,
            "create_standard_key": true,
            "import_root_key": true,
            "import_standard_key": true,
            "enforce_token": false,
        } },
        "rotation": { "enabled": false },
        "retention": { "days": 90 },
    });
    assert_eq!(desk.kms(&["policy", "show"]), first);
    let set = ["policy", "set", "--dual-auth", "on", "--network", "private-only", "--allow-ip", "10.0.0.0/8"];
    let changed =
        desk.kms(&[&set[..], &["--allow-ip", "::1", "--rotation", "6", "--retention", "30"]].concat());
    assert_eq!(changed["dualAuthDelete"]["enabled"], true);
    assert_eq!(changed["allowedNetwork"]["attributes"]["allowed_network"], "private-only");
    assert_eq!(changed["allowedIP"]["attributes"]["allowed_ip"], json!(["10.0.0.0/8", "::1"]));
    assert_eq!(changed["rotation"], json!({ "enabled": true, "interval_month": 6 }));
    assert_eq!(changed["retention"]["days"], 30);
    assert_eq!(changed["keyCreateImportAccess"], first["keyCreateImportAccess"]);
    assert_eq!(desk.kms(&["policy", "show"]), changed);
    let page = desk.run(&["kms", "policy", "show"]).succeeds().out;
    assert!(page.contains("10.0.0.0/8 ::1") && page.contains("every 6 months of 30 days"), "{page}");
    let back = ["policy", "set", "--dual-auth", "off", "--network", "public-and-private", "--any-ip"];
    assert_eq!(desk.kms(&[&back[..], &["--rotation", "off", "--retention", "90"]].concat()), first);

    for bad in [["--rotation", "0"], ["--rotation", "13"], ["--retention", "0"], ["--retention", "91"]] {
        desk.kms_refuses(USAGE, "INVALID_FIELD_ERR", &[&["policy", "set"], &bad[..]].concat());
    }
    for bad in [["--network", "none"], ["--allow-ip", "10.0.0.0/33"], ["--enforce-token", "perhaps"]] {
        desk.run(&[&["kms", "policy", "set"], &bad[..]].concat()).fails(USAGE, bad[0]);
    }
    desk.run(&["kms", "policy", "set"]).fails(USAGE, "required");
    assert_eq!(desk.kms(&["policy", "show"]), first);
}

#[test]
fn a_policy_holds_for_keys_that_are_made_afterwards() {
    let desk = Desk::with_token();
    desk.root_key("before");
    desk.kms(&["policy", "set", "--dual-auth", "on", "--rotation", "2"]);
    desk.root_key("after");
    let policies = |key| desk.kms(&["key", "policy", "show", key]);
    let none = json!({ "dualAuthDelete": { "enabled": false }, "rotation": { "enabled": false } });
    assert_eq!(policies("before"), none);
    assert_eq!(policies("after")["rotation"], json!({ "enabled": true, "interval_month": 2 }));
    assert_eq!(policies("after")["dualAuthDelete"]["enabled"], true);
    let key = desk.kms(&["key", "show", "after"]);
    assert!(text(&key, "nextRotateDate") > text(&key, "creationDate"));
    desk.kms_refuses(REFUSED, "AUTHORIZATIONS_NOT_MET", &["key", "delete", "after", "--yes"]);
    // Nothing is due yet.
    assert_eq!(
        desk.kms(&["rotate-due", "--most", "10"]),
        json!({ "rotated": [], "purged": [], "expired": [] })
    );
    assert_eq!(
        desk.run(&["kms", "rotate-due"]).succeeds().out,
        "Rotated: none.\nErased: none.\nExpired: none.\n"
    );
}

#[test]
fn a_key_may_have_its_own_interval() {
    let desk = Desk::with_token();
    let made = desk.kms(&["key", "create", "root", "--rotation", "12"]);
    assert!(made.get("nextRotateDate").is_some());
    let set = |value| desk.kms(&["key", "policy", "set", "root", "--rotation", value])["rotation"].clone();
    assert_eq!(set("1"), json!({ "enabled": true, "interval_month": 1 }));
    assert_eq!(set("off"), json!({ "enabled": false, "interval_month": 1 }));
    assert!(desk.kms(&["key", "show", "root"]).get("nextRotateDate").is_none());
    assert!(desk.run(&["kms", "key", "policy", "show", "root"]).succeeds().out.contains("off"));
    for bad in ["0", "13"] {
        desk.kms_refuses(USAGE, "INVALID_FIELD_ERR", &["key", "policy", "set", "root", "--rotation", bad]);
        desk.kms_refuses(USAGE, "INVALID_FIELD_ERR", &["key", "create", "other", "--rotation", bad]);
    }
    let standard = ["key", "create", "secret", "--standard-key", "--rotation", "1"];
    desk.kms_refuses(REFUSED, "KEY_ROOT_REQ_ERR", &standard);
    desk.run(&["kms", "key", "policy", "set", "root"]).fails(USAGE, "required");
}

#[test]
fn what_may_be_made_and_brought_is_the_policys_to_say() {
    let desk = Desk::with_token();
    let material = desk.file("material", &"k".repeat(32));
    let (file, standard) = (["--payload-file", material.as_str()], ["--standard-key"]);
    let (create, import) = (&["key", "create", "key"][..], &["key", "import", "key"][..]);
    let rows = [
        ("--create-root-key", create.to_vec()),
        ("--create-standard-key", [create, &standard].concat()),
        ("--import-root-key", [import, &file].concat()),
        ("--import-standard-key", [import, &file, &standard].concat()),
    ];
    for (switch, arguments) in &rows {
        desk.kms(&["policy", "set", switch, "off"]);
        let done = desk.kms_refuses(REFUSED, "KEY_CREATE_IMPORT_ACCESS_ERR", arguments);
        assert!(done.err.contains("kms policy show"), "{}", done.err);
        for (_, other) in rows.iter().filter(|row| row.0 != *switch) {
            desk.kms(other);
        }
        desk.kms(&["policy", "set", switch, "on"]);
        desk.kms(arguments);
    }
}
