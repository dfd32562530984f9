//! What hangs on keys: names, aliases, tags, key rings and registrations.

use serde_json::{Value, json};

use super::{EXISTS, NOT_FOUND, REFUSED, USAGE, text};
use crate::desk::Desk;

#[test]
fn what_is_said_of_a_key_can_be_changed() {
    let desk = Desk::with_token();
    let id = desk.root_key("first");
    desk.kms(&["ring", "create", "archive"]);
    let update = ["key", "update", "first", "--name", "second", "--description", "about it", "--tag", "a"];
    let changed = desk.kms(&[&update[..], &["--tag", "b", "--ring", "archive"]].concat());
    assert_eq!((text(&changed, "id"), text(&changed, "name")), (id.as_str(), "second"));
    assert_eq!((text(&changed, "description"), &changed["tags"]), ("about it", &json!(["a", "b"])));
    assert_eq!(text(&changed, "keyRingID"), "archive");
    let changed = desk.kms(&["key", "update", "second", "--description", "", "--no-tags"]);
    assert_eq!((changed.get("description"), &changed["tags"]), (None, &json!([])));
    assert_eq!(text(&changed, "name"), "second");

    for bad in [&["--name", "x"][..], &["--description", "x"], &["--tag", &"t".repeat(31)]] {
        desk.kms_refuses(USAGE, "INVALID_FIELD_ERR", &[&["key", "update", "second"], bad].concat());
    }
    let done =
        desk.kms_refuses(NOT_FOUND, "KEY_RING_NOT_FOUND_ERR", &["key", "update", "second", "--ring", "none"]);
    assert!(done.err.contains("kms ring list"), "{}", done.err);
    desk.run(&["kms", "key", "update", "second"]).fails(USAGE, "required");
    desk.run(&["kms", "key", "update", "second", "--tag", "a", "--no-tags"]).fails(USAGE, "cannot be used");
}

#[test]
fn an_alias_names_one_key() {
    let desk = Desk::with_token();
    let id = desk.root_key("root");
    desk.root_key("other");
    assert_eq!(desk.kms(&["key", "alias", "add", "root", "vol-1"])["aliases"], json!(["vol-1"]));
    assert_eq!(text(&desk.kms(&["key", "show", "vol-1"]), "id"), id);
    for key in ["root", "other"] {
        desk.kms_refuses(EXISTS, "KEY_ALIAS_NOT_UNIQUE_ERR", &["key", "alias", "add", key, "vol-1"]);
    }
    desk.kms_refuses(EXISTS, "KEY_ALIAS_NOT_UNIQUE_ERR", &["key", "create", "third", "--alias", "vol-1"]);
    for bad in ["x", "with space", "rotate", "Policies", "02fd6835-6001-4482-a892-13bd2085f75d", "ä-ö"] {
        desk.kms_refuses(USAGE, "INVALID_FIELD_ERR", &["key", "alias", "add", "root", bad]);
    }
    for number in 2..=5 {
        desk.kms(&["key", "alias", "add", "root", &format!("vol-{number}")]);
    }
    let done = desk.kms_refuses(REFUSED, "KEY_ALIAS_QUOTA_ERR", &["key", "alias", "add", "root", "vol-6"]);
    assert!(done.err.contains("kms key alias rm"), "{}", done.err);
    desk.kms(&["key", "alias", "rm", "vol-2", "vol-1"]);
    desk.kms_refuses(NOT_FOUND, "KEY_ALIAS_NOT_FOUND_ERR", &["key", "alias", "rm", "root", "vol-1"]);
    desk.kms_refuses(NOT_FOUND, "KEY_NOT_FOUND_ERR", &["key", "show", "vol-1"]);
    desk.kms(&["key", "alias", "add", "other", "vol-1"]);
}

#[test]
fn keys_are_listed_by_ring_kind_state_and_words() {
    let desk = Desk::with_token();
    desk.kms(&["ring", "create", "archive"]);
    desk.kms(&["key", "create", "volumes", "--ring", "archive", "--alias", "Disks"]);
    desk.kms(&["key", "create", "password", "--standard-key"]);
    desk.kms(&["key", "create", "buckets"]);
    desk.kms(&["key", "disable", "buckets"]);
    let names = |options: &[&str]| {
        let listed = desk.kms(&[&["key", "list"], options].concat());
        let keys: Vec<Value> = listed.as_array().expect("a list").clone();
        let mut names: Vec<_> = keys.iter().map(|key| text(key, "name").to_owned()).collect();
        names.sort();
        names.join(" ")
    };
    assert_eq!(names(&[]), "buckets password volumes");
    assert_eq!(names(&["--ring", "archive"]), "volumes");
    assert_eq!(names(&["--kind", "standard"]), "password");
    assert_eq!(names(&["--state", "suspended", "--state", "destroyed"]), "buckets");
    assert_eq!(names(&["--search", "DISK"]), "volumes");
    assert_eq!(names(&["--offset", "3"]), "");
    let page = desk.run(&["kms", "key", "list", "--limit", "1"]).succeeds().out;
    assert!(page.contains("1 of 3; --offset and --limit show the rest."), "{page}");
    let page = desk.run(&["kms", "key", "list", "--search", "nothing"]).succeeds().out;
    assert_eq!(page, "There is no key that matches.\n");
}

#[test]
fn a_ring_goes_when_its_keys_are_gone() {
    let desk = Desk::with_token();
    assert_eq!(desk.kms(&["ring", "list"]), json!([{ "id": "default" }]));
    let rings = desk.kms(&["ring", "create", "archive", "--as", "alice"]);
    assert_eq!((text(&rings[1], "id"), text(&rings[1], "createdBy")), ("archive", "alice"));
    desk.kms_refuses(EXISTS, "KEY_RING_NOT_UNIQUE_ERR", &["ring", "create", "archive"]);
    desk.kms_refuses(EXISTS, "KEY_RING_NOT_UNIQUE_ERR", &["ring", "create", "default"]);
    desk.kms_refuses(USAGE, "INVALID_FIELD_ERR", &["ring", "create", "a ring"]);
    desk.kms_refuses(NOT_FOUND, "KEY_RING_NOT_FOUND_ERR", &["ring", "delete", "none"]);
    desk.kms_refuses(NOT_FOUND, "KEY_RING_NOT_FOUND_ERR", &["key", "create", "key", "--ring", "none"]);
    desk.kms_refuses(REFUSED, "KEY_RING_DEFAULT_ERR", &["ring", "delete", "default", "--force"]);
    desk.kms(&["key", "create", "root", "--ring", "archive"]);
    for force in [&[][..], &["--force"]] {
        let delete = [&["ring", "delete", "archive"], force].concat();
        let done = desk.kms_refuses(REFUSED, "KEY_RING_NOT_EMPTY_ERR", &delete);
        assert!(done.err.contains("kms key update --ring"), "{}", done.err);
    }
    desk.kms(&["key", "delete", "root", "--yes"]);
    desk.kms_refuses(REFUSED, "KEY_RING_NOT_EMPTY_ERR", &["ring", "delete", "archive"]);
    assert_eq!(desk.kms(&["ring", "delete", "archive", "--force"]), json!([{ "id": "default" }]));
    assert_eq!(text(&desk.kms(&["key", "show", "root"]), "keyRingID"), "default");
}

#[test]
fn a_key_that_protects_something_is_not_simply_deleted() {
    let desk = Desk::with_token();
    let id = desk.root_key("root");
    let add = ["key", "registrations", "add", "root", "/dev/vg0/web"];
    let added = desk.kms(&[&add[..], &["--description", "the web server's"]].concat());
    assert_eq!((text(&added[0], "keyId"), text(&added[0], "resourceCrn")), (id.as_str(), "/dev/vg0/web"));
    assert_eq!(added[0]["preventKeyDeletion"], false);
    desk.root_key("other");
    desk.kms(&["key", "registrations", "add", "other", "/dev/vg0/web"]);
    desk.kms(&["key", "registrations", "add", "root", "bucket"]);
    let count = |options: &[&str]| {
        let listed = desk.kms(&[&["key", "registrations", "list"], options].concat());
        listed.as_array().expect("a list").len()
    };
    assert_eq!((count(&[]), count(&["root"]), count(&["--resource", "/dev/vg0/web"])), (3, 2, 2));
    assert_eq!((count(&["root", "--resource", "bucket"]), count(&["--resource", "none"])), (1, 0));

    let done = desk.kms_refuses(REFUSED, "PROTECTED_RESOURCE_ERR", &["key", "delete", "root", "--yes"]);
    assert!(done.err.contains("--force"), "{}", done.err);
    desk.kms(&[&add[..], &["--prevent-deletion"]].concat());
    let done = desk.kms_refuses(REFUSED, "PREV_KEY_DEL_ERR", &["key", "delete", "root", "--yes", "--force"]);
    assert!(done.err.contains("registrations rm"), "{}", done.err);
    desk.kms(&["key", "registrations", "rm", "root", "/dev/vg0/web"]);
    let again = ["key", "registrations", "rm", "root", "/dev/vg0/web"];
    desk.kms_refuses(NOT_FOUND, "REGISTRATION_NOT_FOUND_ERR", &again);
    assert_eq!(desk.kms(&["key", "delete", "root", "--yes", "--force"])["state"], 5);
}
