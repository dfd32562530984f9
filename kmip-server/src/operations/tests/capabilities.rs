//! What Query tells, and what it keeps silent about because it is refused.

use super::kit::*;
use crate::ttlv::enums::{Operation, ProfileName, QueryFunction, ResultReason as Reason};
use crate::ttlv::{Item, Tag, Version};

fn query(server: &Server, version: Version, function: QueryFunction) -> Result<Vec<Item>, Reason> {
    server.ask(version, Operation::Query, vec![Item::enumeration(Tag::QUERY_FUNCTION, function)])
}

/// Operations that stand in no table of ours.
const REFUSED: [Operation; 8] = [
    Operation::GetConstraints,
    Operation::SetConstraints,
    Operation::ReProvision,
    Operation::Process,
    Operation::QueryAsynchronousRequests,
    Operation::SetEndpointRole,
    Operation::DelegatedLogin,
    Operation::SetDefaults,
];

#[test]
fn what_is_not_offered_is_refused_and_not_named() {
    let server = Server::new();
    let offered = query(&server, Version::V2_1, QueryFunction::QueryOperations).unwrap();
    for operation in REFUSED {
        let refused = server.ask(Version::V2_1, operation, vec![]).unwrap_err();
        assert_eq!(refused, Reason::OperationNotSupported, "{}", operation.name());
        assert!(!offered.contains(&Item::enumeration(Tag::OPERATION, operation)));
    }
}

#[test]
fn every_function_is_answered_in_the_versions_that_know_it() {
    let server = Server::new();
    for version in Version::ALL {
        for number in 1..=0x0e {
            let function = QueryFunction::from_number(number).unwrap();
            let answer = query(&server, version, function);
            assert_eq!(answer.is_ok(), function.since() <= version, "{} in {version}", function.name());
            // Nothing in an answer is newer than its version.
            for item in answer.unwrap_or_default() {
                assert_eq!(crate::ttlv::check_version(&item, version), Ok(()), "{}", function.name());
            }
        }
    }
}

#[test]
fn capabilities_have_the_fields_of_the_version() {
    let server = Server::new();
    let fields = |version| {
        let answer = query(&server, version, QueryFunction::QueryCapabilities).unwrap();
        field(&answer, Tag::CAPABILITY_INFORMATION).clone()
    };
    assert!(fields(Version::V1_3).child(Tag::BATCH_UNDO_CAPABILITY).is_none());
    assert!(fields(Version::V1_4).child(Tag::QUANTUM_SAFE_CAPABILITY).is_none());
    let newest = fields(Version::V2_1);
    let says = |tag| newest.child(tag).unwrap().as_boolean().unwrap();
    assert!(says(Tag::BATCH_UNDO_CAPABILITY) && says(Tag::BATCH_CONTINUE_CAPABILITY));
    assert!(!says(Tag::ASYNCHRONOUS_CAPABILITY) && !says(Tag::ATTESTATION_CAPABILITY));
}

#[test]
fn profiles_are_named_as_the_version_names_them() {
    let server = Server::new();
    let named = |version, name: ProfileName| {
        let name = Item::enumeration(Tag::PROFILE_NAME, name);
        let answer = query(&server, version, QueryFunction::QueryProfiles).unwrap();
        answer.contains(&Item::structure(Tag::PROFILE_INFORMATION, vec![name]))
    };
    assert!(named(Version::V1_4, ProfileName::BaselineServerTLSV1_2KMIPV1_4));
    assert!(!named(Version::V1_3, ProfileName::BaselineServerTLSV1_2KMIPV1_4));
    assert!(!named(Version::V2_1, ProfileName::BaselineServerTLSV1_2KMIPV1_4));
    assert!(named(Version::V2_1, ProfileName::BaselineServer));
    assert!(!named(Version::V2_1, ProfileName::QuantumSafeServer));
}

#[test]
fn the_generator_is_that_of_the_objects_it_makes() {
    let server = Server::new();
    let answer = query(&server, Version::V2_1, QueryFunction::QueryRNGs).unwrap();
    let object = server.attributes(&server.aes(4, vec![]), Tag::RANDOM_NUMBER_GENERATOR);
    assert_eq!(answer[0].items(), object[0].items());
}

#[test]
fn where_objects_are_to_be_kept_must_be_software() {
    let server = Server::new();
    let ask = |masks: &[i32]| {
        let attributes = vec![
            Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, 3_u32),
            Item::integer(Tag::CRYPTOGRAPHIC_LENGTH, 128),
            Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, 0xc),
        ];
        let masks = masks.iter().map(|mask| Item::integer(Tag::PROTECTION_STORAGE_MASK, *mask)).collect();
        let payload = vec![
            Item::enumeration(Tag::OBJECT_TYPE, 2_u32),
            Item::structure(Tag::ATTRIBUTES, attributes),
            Item::structure(Tag::PROTECTION_STORAGE_MASKS, masks),
        ];
        server.ask(Version::V2_1, Operation::Create, payload).map(drop)
    };
    for met in [&[1][..], &[2, 1], &[]] {
        assert_eq!(ask(met), Ok(()), "{met:?}");
    }
    for unmet in [&[2][..], &[3], &[2, 4]] {
        assert_eq!(ask(unmet), Err(Reason::ProtectionStorageUnavailable), "{unmet:?}");
    }
}
