//! What hangs on a key, and what is said of one that is made.

use super::kit::*;
use crate::kms::{Description, Kind, Labels, Reason, Removal, RotationPolicy};

#[test]
fn a_key_has_five_aliases() {
    let mut key = key(Kind::Standard);
    for alias in ["a1", "a2", "a3", "a4", "a5"] {
        key.add_alias(alias, NOW).unwrap();
    }
    assert_eq!(key.add_alias("a6", NOW), Err(Reason::AliasLimit));
    assert_eq!(key.add_alias("a1", NOW), Err(Reason::AliasTaken));
    key.remove_alias("a1", NOW).unwrap();
    assert_eq!(key.remove_alias("a1", NOW), Err(Reason::AliasMissing));
    assert!(matches!(key.add_alias("rewrap", NOW), Err(Reason::Field { name: "alias", .. })));
    key.add_alias("a6", NOW).unwrap();
}

#[test]
fn what_is_said_of_a_deleted_key_stays() {
    let mut key = key(Kind::Root);
    key.register("crn:disk", false, None, &actor("alice"), NOW).unwrap();
    key.delete(Removal::Forced, &actor("alice"), NOW).unwrap();
    assert_eq!(key.add_alias("alias", NOW), Err(Reason::Deleted));
    assert_eq!(key.remove_alias("alias", NOW), Err(Reason::Deleted));
    assert_eq!(key.relabel(Labels::default(), NOW), Err(Reason::Deleted));
    assert_eq!(key.register("crn:other", false, None, &actor("alice"), NOW), Err(Reason::Deleted));
    assert_eq!(key.set_dual_auth(true, NOW), Err(Reason::Deleted));
    assert_eq!(key.set_rotation(RotationPolicy::new(1, true).unwrap(), NOW), Err(Reason::Deleted));
    assert_eq!(key.unregister("crn:disk", NOW), Ok(()), "so that nothing stands in the way for ever");
}

#[test]
fn a_registration_names_the_version_and_is_said_anew() {
    let mut key = key(Kind::Root);
    key.register("crn:disk", false, Some("a disk"), &actor("alice"), NOW).unwrap();
    key.rotate(id(3), 32, &actor("alice"), NOW);
    key.register("crn:disk", true, None, &actor("bob"), NOW + 5).unwrap();
    let [registration] = key.registrations.as_slice() else { panic!("{:?}", key.registrations) };
    assert_eq!(registration.version, id(3));
    assert!(registration.prevents_deletion);
    assert_eq!((registration.created, registration.updated), (NOW, NOW + 5));
    assert_eq!(registration.created_by, actor("alice"));
    assert_eq!(key.unregister("crn:bucket", NOW), Err(Reason::RegistrationMissing));
}

#[test]
fn root_keys_alone_protect_resources() {
    let mut key = key(Kind::Standard);
    assert_eq!(key.register("crn", false, None, &actor("alice"), NOW), Err(Reason::RootRequiredToRegister));
}

#[test]
fn registrations_have_a_limit() {
    let mut key = key(Kind::Root);
    for number in 0..1000 {
        key.register(&format!("crn:{number}"), false, None, &actor("alice"), NOW).unwrap();
    }
    assert_eq!(key.register("crn:more", false, None, &actor("alice"), NOW), Err(Reason::RegistrationLimit));
    assert_eq!(key.register("crn:7", true, None, &actor("alice"), NOW), Ok(()));
}

#[test]
fn labels_change_one_by_one() {
    let mut key = key(Kind::Root);
    let description = Some("what it is for".to_owned());
    key.relabel(Labels { description: description.clone(), ..Labels::default() }, NOW + 1).unwrap();
    key.relabel(Labels { name: Some("another".to_owned()), ..Labels::default() }, NOW + 2).unwrap();
    key.relabel(Labels { tags: Some(vec!["t".to_owned()]), ..Labels::default() }, NOW + 3).unwrap();
    assert_eq!((key.name.as_str(), &key.description, key.updated), ("another", &description, NOW + 3));
    key.relabel(Labels { description: Some(String::new()), ..Labels::default() }, NOW).unwrap();
    assert_eq!(key.description, None);
    let short = Labels { name: Some("x".to_owned()), ..Labels::default() };
    assert!(matches!(key.relabel(short, NOW), Err(Reason::Field { name: "name", .. })));
}

#[test]
fn what_is_said_of_a_new_key_keeps_to_the_limits() {
    let fine = Description::new(Kind::Root, "a key");
    assert_eq!(fine.check(NOW), Ok(()));
    let aliases = |aliases: &[&str]| aliases.iter().map(|alias| (*alias).to_owned()).collect::<Vec<_>>();
    let refused = [
        (Description { name: "k".into(), ..fine.clone() }, "INVALID_FIELD_ERR"),
        (Description { description: Some("d".into()), ..fine.clone() }, "INVALID_FIELD_ERR"),
        (Description { tags: vec![String::new()], ..fine.clone() }, "INVALID_FIELD_ERR"),
        (Description { expiration: Some(NOW), ..fine.clone() }, "INVALID_FIELD_ERR"),
        (Description { aliases: aliases(&["keys"]), ..fine.clone() }, "INVALID_FIELD_ERR"),
        (Description { aliases: aliases(&["aa", "aa"]), ..fine.clone() }, "KEY_ALIAS_NOT_UNIQUE_ERR"),
        (
            Description { aliases: aliases(&["aa", "ab", "ac", "ad", "ae", "af"]), ..fine.clone() },
            "KEY_ALIAS_QUOTA_ERR",
        ),
        (
            Description { kind: Kind::Standard, rotation: RotationPolicy::new(1, true).ok(), ..fine },
            "KEY_ROOT_REQ_ERR",
        ),
    ];
    for (said, code) in refused {
        assert_eq!(said.check(NOW).unwrap_err().code(), code, "{said:?}");
    }
}
