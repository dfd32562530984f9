//! Policies and key rings.

use super::kit::*;
use crate::kms::{
    Access, AllowedNetwork, Description, Instance, Kind, Policies, Reason, RotationPolicy, Source,
};

#[test]
fn each_way_to_a_key_has_its_switch() {
    let open = Access::default();
    for kind in [Kind::Root, Kind::Standard] {
        for source in [Source::Generated, Source::Plain, Source::Token] {
            assert_eq!(open.check(kind, source), Ok(()));
            let shut = match (kind, source) {
                (Kind::Root, Source::Generated) => Access { create_root_key: false, ..open },
                (Kind::Standard, Source::Generated) => Access { create_standard_key: false, ..open },
                (Kind::Root, _) => Access { import_root_key: false, ..open },
                (Kind::Standard, _) => Access { import_standard_key: false, ..open },
            };
            assert_eq!(shut.check(kind, source), Err(Reason::AccessPolicy), "{kind:?} {source:?}");
            let tokens = Access { enforce_token: true, ..open };
            let refused = tokens.check(kind, source) == Err(Reason::AccessPolicy);
            assert_eq!(refused, source == Source::Plain, "{kind:?} {source:?}");
            assert_eq!(tokens.check_source(source), tokens.check(kind, source));
        }
    }
}

#[test]
fn addresses_are_allowed_by_list_and_network() {
    let address = |text: &str| text.parse().unwrap();
    let mut policies = Policies::default();
    assert!(policies.allows(address("8.8.8.8")));
    policies.allowed_ip = vec!["8.8.8.0/24".parse().unwrap(), "10.0.0.1".parse().unwrap()];
    assert!(policies.allows(address("8.8.8.8")));
    assert!(!policies.allows(address("8.8.9.8")));
    policies.allowed_network = AllowedNetwork::PrivateOnly;
    assert!(!policies.allows(address("8.8.8.8")));
    assert!(policies.allows(address("::ffff:10.0.0.1")));
}

#[test]
fn policies_keep_to_their_limits() {
    assert_eq!(Policies::default().check(), Ok(()));
    for retention_days in [0, 91] {
        assert!(Policies { retention_days, ..Policies::default() }.check().is_err());
    }
    let allowed_ip = vec!["::1".parse().unwrap(); 1001];
    assert!(Policies { allowed_ip, ..Policies::default() }.check().is_err());
}

#[test]
fn new_keys_take_over_what_they_do_not_say() {
    let rotation = RotationPolicy::new(3, true).ok();
    let policies = Policies { dual_auth_delete: true, rotation, ..Policies::default() };
    let completed = |said: Description, imported| {
        let mut said = said;
        policies.complete(&mut said, imported).map(|()| (said.dual_auth, said.rotation))
    };
    let root = Description::new(Kind::Root, "a key");
    assert_eq!(completed(root.clone(), false), Ok((Some(true), rotation)));
    assert_eq!(completed(root.clone(), true), Ok((Some(true), None)), "an imported key is not rotated");
    assert_eq!(completed(Description::new(Kind::Standard, "a key"), false), Ok((Some(true), None)));
    let own = RotationPolicy::new(1, false).ok();
    let says = Description { dual_auth: Some(false), rotation: own, ..root };
    assert_eq!(completed(says.clone(), false), Ok((Some(false), own)));
    assert_eq!(completed(says, true), Err(Reason::MaterialRequired));
}

#[test]
fn there_are_fifty_rings_with_the_default_one() {
    let mut instance = Instance::default();
    for number in 1..50 {
        instance.add_ring(&format!("ring-{number}"), &actor("alice"), NOW).unwrap();
    }
    assert_eq!(instance.rings().len(), 50);
    assert_eq!(instance.add_ring("ring-50", &actor("alice"), NOW), Err(Reason::RingLimit));
    assert_eq!(instance.add_ring("ring-1", &actor("alice"), NOW), Err(Reason::RingTaken));
    assert_eq!(instance.add_ring("default", &actor("alice"), NOW), Err(Reason::RingTaken));
    assert_eq!(instance.remove_ring("default"), Err(Reason::RingDefault));
    assert_eq!(instance.remove_ring("ring-0"), Err(Reason::RingMissing));
    instance.remove_ring("ring-1").unwrap();
    assert_eq!(instance.check_has_ring("ring-1"), Err(Reason::RingMissing));
    assert_eq!(instance.check_has_ring("default"), Ok(()));
}

#[test]
fn a_partition_has_a_thousand_aliases() {
    let mut instance = Instance::default();
    instance.count_aliases(0, 999).unwrap();
    assert_eq!(instance.count_aliases(0, 2), Err(Reason::AliasLimit));
    instance.count_aliases(0, 1).unwrap();
    assert_eq!(instance.count_aliases(0, 1), Err(Reason::AliasLimit));
    instance.count_aliases(5, 0).unwrap();
    instance.count_aliases(0, 5).unwrap();
}
