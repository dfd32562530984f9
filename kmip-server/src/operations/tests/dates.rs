//! Dates of objects: who may change which when, in what order they stand, and how they are looked for.

use hsm_core::object::lifecycle::{self, State};

use super::kit::*;
use crate::ttlv::enums::{AdjustmentType, Operation, ResultReason as Reason};
use crate::ttlv::{Item, Tag, Version};

const ENCRYPT: i32 = 4;

fn after(seconds: i64) -> i64 {
    lifecycle::now() + seconds
}

/// A key with these dates, each so many seconds from now.
fn dated(server: &Server, dates: &[(Tag, i64)]) -> String {
    let dates = dates.iter().map(|(tag, seconds)| Item::date(*tag, after(*seconds)));
    server.aes(ENCRYPT, dates.collect())
}

fn state(server: &Server, key: &str) -> u32 {
    server.attributes(key, Tag::STATE)[0].as_enumeration().unwrap()
}

/// What each way to change a date answers.
fn changes(server: &Server, key: &str, tag: Tag, seconds: i64) -> Vec<Result<Vec<Item>, Reason>> {
    let new = || Item::structure(Tag::NEW_ATTRIBUTE, vec![Item::date(tag, after(seconds))]);
    let reference = || Item::enumeration(Tag::ATTRIBUTE_REFERENCE, tag.number());
    let ask = |operation, payload| server.ask(Version::V2_1, operation, payload);
    let adjust = vec![
        id(key),
        reference(),
        Item::enumeration(Tag::ADJUSTMENT_TYPE, AdjustmentType::Increment),
        Item::integer(Tag::ADJUSTMENT_VALUE, 5000),
    ];
    vec![
        ask(Operation::SetAttribute, vec![id(key), new()]),
        ask(Operation::ModifyAttribute, vec![id(key), new()]),
        ask(Operation::AddAttribute, vec![id(key), new()]),
        ask(Operation::AdjustAttribute, adjust),
        ask(Operation::DeleteAttribute, vec![id(key), reference()]),
    ]
}

#[test]
fn no_change_of_a_date_brings_a_key_back() {
    let server = Server::new();
    let over = dated(&server, &[(Tag::ACTIVATION_DATE, -100), (Tag::DEACTIVATION_DATE, -50)]);
    assert_eq!(state(&server, &over), State::Deactivated as u32);
    let revoked = dated(&server, &[(Tag::ACTIVATION_DATE, -100), (Tag::DEACTIVATION_DATE, 50)]);
    let reason =
        Item::structure(Tag::REVOCATION_REASON, vec![Item::enumeration(Tag::REVOCATION_REASON_CODE, 1_u32)]);
    server.ask(Version::V2_1, Operation::Revoke, vec![id(&revoked), reason]).unwrap();
    for key in [over, revoked] {
        for tag in
            [Tag::DEACTIVATION_DATE, Tag::ACTIVATION_DATE, Tag::PROTECT_STOP_DATE, Tag::PROCESS_START_DATE]
        {
            for answer in changes(&server, &key, tag, 1000) {
                assert_eq!(answer.unwrap_err(), Reason::WrongKeyLifecycleState, "{tag}");
            }
        }
        assert_eq!(state(&server, &key), State::Deactivated as u32);
        let new =
            vec![id(&key), attribute_1x("Deactivation Date", Item::date(Tag::ATTRIBUTE_VALUE, after(9)))];
        let refused = server.ask(Version::V1_4, Operation::ModifyAttribute, new).unwrap_err();
        assert_eq!(refused, Reason::PermissionDenied);
    }
}

#[test]
fn a_date_that_was_reached_stays() {
    let server = Server::new();
    for tag in [Tag::PROCESS_START_DATE, Tag::PROTECT_STOP_DATE] {
        let key = dated(&server, &[(Tag::ACTIVATION_DATE, -100), (tag, -50)]);
        assert_eq!(state(&server, &key), State::Active as u32);
        for answer in changes(&server, &key, tag, 1000) {
            assert_eq!(answer.unwrap_err(), Reason::WrongKeyLifecycleState, "{tag}");
        }
    }
    // The server's own dates are nobody's to say.
    let key = dated(&server, &[(Tag::ACTIVATION_DATE, -100)]);
    for tag in [
        Tag::INITIAL_DATE,
        Tag::DESTROY_DATE,
        Tag::COMPROMISE_DATE,
        Tag::COMPROMISE_OCCURRENCE_DATE,
        Tag::ARCHIVE_DATE,
        Tag::LAST_CHANGE_DATE,
        Tag::ORIGINAL_CREATION_DATE,
    ] {
        for answer in changes(&server, &key, tag, 1000) {
            assert_eq!(answer.unwrap_err(), Reason::AttributeReadOnly, "{tag}");
        }
    }
}

#[test]
fn a_date_to_come_is_changed_and_never_taken_away() {
    let server = Server::new();
    for tag in [Tag::PROCESS_START_DATE, Tag::PROTECT_STOP_DATE, Tag::DEACTIVATION_DATE] {
        let key = dated(&server, &[(Tag::ACTIVATION_DATE, -100), (tag, 500)]);
        let mut answers = changes(&server, &key, tag, 1000);
        assert_eq!(answers.pop().unwrap().unwrap_err(), Reason::AttributeReadOnly, "{tag}");
        answers.pop().unwrap().unwrap();
        assert_eq!(answers.pop().unwrap().unwrap_err(), Reason::AttributeSingleValued, "{tag}");
        assert!(answers.into_iter().all(|answer| answer.is_ok()), "{tag}");
        assert!(server.attributes(&key, tag)[0].as_date().unwrap() >= after(5900), "{tag}");
    }
    let waiting = dated(&server, &[]);
    let new = |tag, seconds| {
        let new = Item::structure(Tag::NEW_ATTRIBUTE, vec![Item::date(tag, after(seconds))]);
        server.ask(Version::V2_1, Operation::SetAttribute, vec![id(&waiting), new])
    };
    new(Tag::ACTIVATION_DATE, -1).unwrap();
    assert_eq!(state(&server, &waiting), State::Active as u32);
    assert_eq!(new(Tag::ACTIVATION_DATE, 10).unwrap_err(), Reason::WrongKeyLifecycleState);
}

/// Pairs of dates in the wrong order, in seconds from now.
const WRONG: [[(Tag, i64); 2]; 3] = [
    [(Tag::PROCESS_START_DATE, 100), (Tag::ACTIVATION_DATE, 200)],
    [(Tag::DEACTIVATION_DATE, 100), (Tag::PROTECT_STOP_DATE, 200)],
    [(Tag::DEACTIVATION_DATE, 100), (Tag::ACTIVATION_DATE, 200)],
];

#[test]
fn dates_in_an_impossible_order_are_refused() {
    let server = Server::new();
    for [first, second] in WRONG {
        let item = |(tag, seconds): (Tag, i64)| Item::date(tag, after(seconds));
        let attributes = vec![
            Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, 3_u32),
            Item::integer(Tag::CRYPTOGRAPHIC_LENGTH, 128),
            Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, ENCRYPT),
            item(first),
            item(second),
        ];
        let payload =
            vec![Item::enumeration(Tag::OBJECT_TYPE, 2_u32), Item::structure(Tag::ATTRIBUTES, attributes)];
        let refused = server.ask(Version::V2_1, Operation::Create, payload).unwrap_err();
        assert_eq!(refused, Reason::InvalidAttributeValue);
        for (there, new) in [(first, second), (second, first)] {
            let key = dated(&server, &[there]);
            let payload = vec![id(&key), Item::structure(Tag::NEW_ATTRIBUTE, vec![item(new)])];
            for operation in [Operation::AddAttribute, Operation::SetAttribute] {
                let refused = server.ask(Version::V2_1, operation, payload.clone()).unwrap_err();
                assert_eq!(refused, Reason::InvalidAttributeValue);
            }
            assert!(server.attributes(&key, new.0).is_empty());
            let attributes = Item::structure(Tag::ATTRIBUTES, vec![item(new)]);
            let refused =
                server.ask(Version::V2_1, Operation::ReKey, vec![id(&key), attributes]).unwrap_err();
            assert_eq!(refused, Reason::InvalidAttributeValue);
        }
    }
    // As 1.x says it.
    let wrong = |name, seconds| attribute_1x(name, Item::date(Tag::ATTRIBUTE_VALUE, after(seconds)));
    let key = dated(&server, &[(Tag::DEACTIVATION_DATE, 100)]);
    let refused =
        server.ask(Version::V1_4, Operation::AddAttribute, vec![id(&key), wrong("Protect Stop Date", 200)]);
    assert_eq!(refused.unwrap_err(), Reason::InvalidField);
}

#[test]
fn what_operations_do_overtakes_dates_and_leaves_the_others_changeable() {
    let server = Server::new();
    let key = dated(&server, &[(Tag::PROCESS_START_DATE, -100), (Tag::PROTECT_STOP_DATE, 500)]);
    server.ask(Version::V2_1, Operation::Activate, vec![id(&key)]).unwrap();
    let new = Item::structure(Tag::NEW_ATTRIBUTE, vec![Item::date(Tag::DEACTIVATION_DATE, after(900))]);
    server.ask(Version::V2_1, Operation::SetAttribute, vec![id(&key), new]).unwrap();
    let replacement = id_of(&server.ask(Version::V2_1, Operation::ReKey, vec![id(&key)]).unwrap());
    let date = |tag| server.attributes(&replacement, tag)[0].as_date().unwrap();
    assert_eq!(date(Tag::PROCESS_START_DATE), date(Tag::ACTIVATION_DATE));
}

#[test]
fn the_last_date_there_is_stands_for_none() {
    let server = Server::new();
    let (without, with) = (dated(&server, &[]), dated(&server, &[(Tag::DEACTIVATION_DATE, 100)]));
    let located = |dates: &[i64]| {
        let dates = dates.iter().map(|date| Item::date(Tag::DEACTIVATION_DATE, *date)).collect();
        let payload = vec![Item::structure(Tag::ATTRIBUTES, dates)];
        let answer = server.ask(Version::V2_1, Operation::Locate, payload).unwrap();
        let ids = answer.iter().filter(|item| item.tag == Tag::UNIQUE_IDENTIFIER);
        ids.map(|id| id.as_text().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(located(&[i64::MAX]), [without]);
    assert_eq!(located(&[0, i64::MAX]).len(), 2);
    assert_eq!(located(&[0, i64::MAX - 1]), [with]);
    assert!(located(&[5]).is_empty());
}
