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

/// Usage limits of a total, a count and a unit.
fn counted(tag: Tag, total: i64, count: i64, unit: u32) -> Item {
    let limits = vec![
        Item::long(Tag::USAGE_LIMITS_TOTAL, total),
        Item::long(Tag::USAGE_LIMITS_COUNT, count),
        Item::enumeration(Tag::USAGE_LIMITS_UNIT, unit),
    ];
    Item::structure(tag, limits)
}

fn ecb(padding: Option<u32>) -> Item {
    let mut fields = vec![Item::enumeration(Tag::BLOCK_CIPHER_MODE, 2_u32)];
    fields.extend(padding.map(|padding| Item::enumeration(Tag::PADDING_METHOD, padding)));
    Item::structure(Tag::CRYPTOGRAPHIC_PARAMETERS, fields)
}

const PKCS5: Option<u32> = Some(3);

fn encrypt(
    server: &Server,
    key: &str,
    version: Version,
    padding: Option<u32>,
    length: usize,
) -> Option<Reason> {
    let payload = vec![id(key), ecb(padding), Item::bytes(Tag::DATA, vec![7; length])];
    server.ask(version, Operation::Encrypt, payload).err()
}

#[test]
fn the_count_is_not_the_clients_to_say() {
    let server = Server::new();
    let active = Item::date(Tag::ACTIVATION_DATE, 1000);
    // At the start it is passed over.
    let key = server.aes(ENCRYPT, vec![counted(Tag::USAGE_LIMITS, 10, 1000, 1), active]);
    assert_eq!(left(&server, &key), 10);
    let set = |operation, limits| {
        let new = Item::structure(Tag::NEW_ATTRIBUTE, vec![limits]);
        server.ask(Version::V2_1, operation, vec![id(&key), new])
    };
    for operation in [Operation::SetAttribute, Operation::ModifyAttribute] {
        let refused = set(operation, counted(Tag::USAGE_LIMITS, 20, 15, 1)).unwrap_err();
        assert_eq!(refused, Reason::AttributeReadOnly);
        assert_eq!(set(operation, counted(Tag::USAGE_LIMITS, 20, -1, 1)).unwrap_err(), Reason::InvalidField);
    }
    assert_eq!(left(&server, &key), 10);
    // The total may be corrected, also by who repeats the count as it was read.
    set(Operation::ModifyAttribute, counted(Tag::USAGE_LIMITS, 30, 10, 1)).unwrap();
    assert_eq!(left(&server, &key), 30);
    set(Operation::SetAttribute, limits(20)).unwrap();
    assert_eq!(left(&server, &key), 20);
}

#[test]
fn limits_bind_once_they_are_used() {
    let server = Server::new();
    for by_allocation in [true, false] {
        let key = limited(&server);
        if by_allocation {
            let payload = vec![id(&key), Item::long(Tag::USAGE_LIMITS_COUNT, 5)];
            server.ask(Version::V2_1, Operation::GetUsageAllocation, payload).unwrap();
        } else {
            assert_eq!(encrypt(&server, &key, Version::V2_1, PKCS5, 5), None);
        }
        let new = || Item::structure(Tag::NEW_ATTRIBUTE, vec![limits(100)]);
        let reference = Item::enumeration(Tag::ATTRIBUTE_REFERENCE, Tag::USAGE_LIMITS.number());
        for (operation, field) in [
            (Operation::SetAttribute, new()),
            (Operation::ModifyAttribute, new()),
            (Operation::AddAttribute, new()),
            (Operation::DeleteAttribute, reference),
        ] {
            let refused = server.ask(Version::V2_1, operation, vec![id(&key), field]).unwrap_err();
            assert_eq!(refused, Reason::AttributeReadOnly, "{operation:?}");
        }
        let name = Item::text(Tag::ATTRIBUTE_NAME, "Usage Limits");
        let refused = server.ask(Version::V1_4, Operation::DeleteAttribute, vec![id(&key), name]);
        assert_eq!(refused.unwrap_err(), Reason::PermissionDenied);
        assert_eq!(left(&server, &key), 5);
    }
    let unused = limited(&server);
    let reference = Item::enumeration(Tag::ATTRIBUTE_REFERENCE, Tag::USAGE_LIMITS.number());
    server.ask(Version::V2_1, Operation::DeleteAttribute, vec![id(&unused), reference]).unwrap();
    assert!(server.attributes(&unused, Tag::USAGE_LIMITS).is_empty());
}

#[test]
fn an_import_brings_what_is_left_along() {
    let server = Server::new();
    let key = limited(&server);
    assert_eq!(encrypt(&server, &key, Version::V2_1, PKCS5, 7), None);
    let mut exported = server.ask(Version::V2_1, Operation::Export, vec![id(&key)]).unwrap();
    exported.push(Item::boolean(Tag::REPLACE_EXISTING, true));
    server.ask(Version::V2_1, Operation::Import, exported).unwrap();
    assert_eq!(left(&server, &key), 3);
}

#[test]
fn a_use_that_fails_costs_nothing_and_one_too_many_says_why() {
    let server = Server::new();
    let key = limited(&server);
    assert_eq!(encrypt(&server, &key, Version::V2_1, None, 5), Some(Reason::CryptographicFailure));
    assert_eq!(left(&server, &key), 10);
    assert_eq!(encrypt(&server, &key, Version::V2_1, PKCS5, 11), Some(Reason::PermissionDenied));
    assert_eq!(encrypt(&server, &key, Version::V1_4, PKCS5, 11), Some(Reason::PermissionDenied));
    assert_eq!(left(&server, &key), 10);
    assert_eq!(encrypt(&server, &key, Version::V2_1, PKCS5, 10), None);
    assert_eq!(encrypt(&server, &key, Version::V2_1, PKCS5, 1), Some(Reason::PermissionDenied));
}

#[test]
fn parts_are_counted_as_they_come() {
    let server = Server::new();
    for (unit, first, ends, reason) in
        [(1, 6, 10, None), (1, 6, 11, Some(Reason::PermissionDenied)), (2, 6, 1000, None)]
    {
        let active = Item::date(Tag::ACTIVATION_DATE, 1000);
        let limits = counted(Tag::USAGE_LIMITS, 10, 10, unit);
        let key = server.aes(ENCRYPT, vec![limits, active]);
        let payload = vec![
            id(&key),
            ecb(PKCS5),
            Item::bytes(Tag::DATA, vec![7; first]),
            Item::boolean(Tag::INIT_INDICATOR, true),
        ];
        let begun = server.ask(Version::V2_1, Operation::Encrypt, payload).unwrap();
        let payload = vec![
            id(&key),
            Item::bytes(Tag::DATA, vec![7; ends - first]),
            field(&begun, Tag::CORRELATION_VALUE).clone(),
            Item::boolean(Tag::FINAL_INDICATOR, true),
        ];
        assert_eq!(server.ask(Version::V2_1, Operation::Encrypt, payload).err(), reason);
        let expected = if unit == 2 {
            9
        } else if reason.is_some() {
            4
        } else {
            0
        };
        assert_eq!(left(&server, &key), expected);
    }
}

#[test]
fn macs_and_wrapped_keys_count() {
    let server = Server::new();
    let active = || Item::date(Tag::ACTIVATION_DATE, 1000);
    let mac = server.aes(0x80, vec![counted(Tag::USAGE_LIMITS, 1, 1, 2), active()]);
    let cmac = Item::structure(
        Tag::CRYPTOGRAPHIC_PARAMETERS,
        vec![Item::enumeration(Tag::BLOCK_CIPHER_MODE, 7_u32)],
    );
    let make = |version| {
        let payload = vec![id(&mac), cmac.clone(), Item::bytes(Tag::DATA, vec![1])];
        server.ask(version, Operation::MAC, payload).err()
    };
    assert_eq!(make(Version::V2_1), None);
    assert_eq!(make(Version::V2_1), Some(Reason::UsageLimitExceeded));
    assert_eq!(make(Version::V1_4), Some(Reason::PermissionDenied));

    let wrapping = server.aes(0x10, vec![counted(Tag::USAGE_LIMITS, 2, 2, 2), active()]);
    let key = server.aes(ENCRYPT, vec![]);
    let wrapped = |mode: u32| {
        let parameters = Item::structure(
            Tag::CRYPTOGRAPHIC_PARAMETERS,
            vec![Item::enumeration(Tag::BLOCK_CIPHER_MODE, mode)],
        );
        Item::structure(
            Tag::KEY_WRAPPING_SPECIFICATION,
            vec![
                Item::enumeration(Tag::WRAPPING_METHOD, 1_u32),
                Item::structure(Tag::ENCRYPTION_KEY_INFORMATION, vec![id(&wrapping), parameters]),
            ],
        )
    };
    let ask = |operation, mode| server.ask(Version::V2_1, operation, vec![id(&key), wrapped(mode)]).err();
    assert_eq!(ask(Operation::Get, 99), Some(Reason::UnknownEnumeration));
    assert_eq!(left(&server, &wrapping), 2);
    assert_eq!(ask(Operation::Get, 13), None);
    assert_eq!(ask(Operation::Export, 13), None);
    assert_eq!(left(&server, &wrapping), 0);
    assert_eq!(ask(Operation::Get, 13), Some(Reason::UsageLimitExceeded));
}

#[test]
fn keys_are_found_by_how_much_use_there_is_at_least() {
    let server = Server::new();
    let key = limited(&server);
    assert_eq!(encrypt(&server, &key, Version::V2_1, PKCS5, 4), None);
    let located = |limits| {
        let payload = vec![Item::structure(Tag::ATTRIBUTES, vec![limits])];
        let answer = server.ask(Version::V2_1, Operation::Locate, payload).unwrap();
        field(&answer, Tag::LOCATED_ITEMS).as_integer().unwrap()
    };
    assert_eq!(located(counted(Tag::USAGE_LIMITS, 10, 6, 1)), 1);
    assert_eq!(located(counted(Tag::USAGE_LIMITS, 5, 1, 1)), 1);
    assert_eq!(located(counted(Tag::USAGE_LIMITS, 11, 6, 1)), 0);
    assert_eq!(located(counted(Tag::USAGE_LIMITS, 10, 7, 1)), 0);
    assert_eq!(located(counted(Tag::USAGE_LIMITS, 1, 1, 2)), 0);
}
