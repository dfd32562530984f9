//! Check, Obtain Lease, Get Usage Allocation.

use super::kit::*;
use crate::attributes::read::LEASE_SECONDS;
use crate::ttlv::enums::{Operation, ResultReason as Reason};
use crate::ttlv::{Item, Tag, Version};

const ENCRYPT: i32 = 4;
const DECRYPT: i32 = 8;

fn limits(total: i64) -> Item {
    Item::structure(
        Tag::USAGE_LIMITS,
        vec![Item::long(Tag::USAGE_LIMITS_TOTAL, total), Item::enumeration(Tag::USAGE_LIMITS_UNIT, 1_u32)],
    )
}

/// An Active key that encrypts ten bytes.
fn limited(server: &Server) -> String {
    server.aes(ENCRYPT, vec![limits(10), Item::date(Tag::ACTIVATION_DATE, 1000)])
}

fn left(server: &Server, id: &str) -> i64 {
    let limits = server.attributes(id, Tag::USAGE_LIMITS);
    limits[0].child(Tag::USAGE_LIMITS_COUNT).unwrap().as_long().unwrap()
}

#[test]
fn what_is_wished_is_allowed_or_the_reason_says_which_wish_was_not() {
    let server = Server::new();
    let key = limited(&server);
    let check = |field: Item| server.ask(Version::V2_1, Operation::Check, vec![id(&key), field]);
    for allowed in [
        Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, ENCRYPT),
        Item::long(Tag::USAGE_LIMITS_COUNT, 10),
        Item::interval(Tag::LEASE_TIME, LEASE_SECONDS),
    ] {
        assert_eq!(check(allowed).unwrap(), [id(&key)]);
    }
    for (refused, reason) in [
        (
            Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, ENCRYPT | DECRYPT),
            Reason::IncompatibleCryptographicUsageMask,
        ),
        (Item::long(Tag::USAGE_LIMITS_COUNT, 11), Reason::UsageLimitExceeded),
        (Item::long(Tag::USAGE_LIMITS_COUNT, -1), Reason::InvalidField),
        (Item::interval(Tag::LEASE_TIME, LEASE_SECONDS + 1), Reason::PermissionDenied),
    ] {
        assert_eq!(check(refused).unwrap_err(), reason);
    }
    assert_eq!(left(&server, &key), 10);
}

#[test]
fn a_check_that_fails_answers_what_was_the_reason() {
    let server = Server::new();
    let key = limited(&server);
    let count = |count| Item::long(Tag::USAGE_LIMITS_COUNT, count);
    let mask = |mask| Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, mask);
    let lease = |seconds| Item::interval(Tag::LEASE_TIME, seconds);
    let (long, fine) = (lease(LEASE_SECONDS + 1), lease(LEASE_SECONDS));
    for version in [Version::V1_0, Version::V1_4, Version::V2_1] {
        for (wishes, denied) in [
            (vec![count(11), mask(ENCRYPT), fine.clone()], vec![count(11)]),
            (vec![count(10), mask(ENCRYPT | DECRYPT), fine.clone()], vec![mask(ENCRYPT | DECRYPT)]),
            (vec![mask(DECRYPT), long.clone(), count(11)], vec![count(11), mask(DECRYPT), long.clone()]),
        ] {
            let payload = [vec![id(&key)], wishes].concat();
            let items = server.batch(&client("a"), version, vec![], vec![(Operation::Check, payload)]);
            assert!(outcome(&items[0]).is_err());
            let payload = items[0].child(Tag::RESPONSE_PAYLOAD);
            let told = (version < Version::V2_0).then_some(denied.as_slice());
            assert_eq!(payload.map(Item::items), told);
        }
        let payload = vec![id("absent"), mask(ENCRYPT)];
        let items = server.batch(&client("a"), version, vec![], vec![(Operation::Check, payload)]);
        assert_eq!(items[0].child(Tag::RESPONSE_PAYLOAD), None);
    }
}

#[test]
fn a_check_that_fails_empties_the_placeholder() {
    let server = Server::new();
    let key = limited(&server);
    let continuing = vec![Item::enumeration(Tag::BATCH_ERROR_CONTINUATION_OPTION, 1_u32)];
    let wish = |mask| vec![id(&key), Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, mask)];
    let locate = Item::structure(Tag::ATTRIBUTES, vec![id(&key)]);
    let answers = server.batch(
        &client("a"),
        Version::V2_1,
        continuing,
        vec![
            (Operation::Locate, vec![locate]),
            (Operation::Get, vec![]),
            (Operation::Check, wish(DECRYPT)),
            (Operation::Get, vec![]),
        ],
    );
    assert!(outcome(&answers[1]).is_ok());
    assert_eq!(outcome(&answers[2]).unwrap_err(), Reason::IncompatibleCryptographicUsageMask);
    assert_eq!(outcome(&answers[3]).unwrap_err(), Reason::MissingData);
}

#[test]
fn a_lease_comes_with_the_date_of_the_last_change() {
    let server = Server::new();
    let key = limited(&server);
    let lease = server.ask(Version::V1_0, Operation::ObtainLease, vec![id(&key)]).unwrap();
    assert_eq!(field(&lease, Tag::LEASE_TIME).as_interval(), Ok(LEASE_SECONDS));
    let changed = server.attributes(&key, Tag::LAST_CHANGE_DATE);
    assert_eq!(field(&lease, Tag::LAST_CHANGE_DATE), &changed[0]);
    let gone = server.aes(ENCRYPT, vec![]);
    server.ask(Version::V2_1, Operation::Destroy, vec![id(&gone)]).unwrap();
    let refused = server.ask(Version::V2_1, Operation::ObtainLease, vec![id(&gone)]).unwrap_err();
    assert_eq!(refused, Reason::ObjectDestroyed);
}

#[test]
fn an_allocation_is_taken_from_what_is_left() {
    let server = Server::new();
    let key = limited(&server);
    let take = |key: &str, count| {
        let payload = vec![id(key), Item::long(Tag::USAGE_LIMITS_COUNT, count)];
        server.ask(Version::V2_1, Operation::GetUsageAllocation, payload)
    };
    assert_eq!(take(&key, 7).unwrap(), [id(&key)]);
    assert_eq!(left(&server, &key), 3);
    assert_eq!(take(&key, 4).unwrap_err(), Reason::UsageLimitExceeded);
    assert_eq!(left(&server, &key), 3);
    assert_eq!(take(&key, -1).unwrap_err(), Reason::InvalidField);
    let active = || Item::date(Tag::ACTIVATION_DATE, 1000);
    assert_eq!(take(&server.aes(ENCRYPT, vec![active()]), 1).unwrap_err(), Reason::AttributeNotFound);
    let early = server.aes(ENCRYPT, vec![limits(10)]);
    assert_eq!(take(&early, 1).unwrap_err(), Reason::WrongKeyLifecycleState);
    let unfit = server.aes(DECRYPT, vec![limits(10), active()]);
    assert_eq!(take(&unfit, 1).unwrap_err(), Reason::IncompatibleCryptographicUsageMask);
}
