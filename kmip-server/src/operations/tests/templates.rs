//! Templates, in the versions that have them.

use super::kit::*;
use crate::attributes::form::write_1x;
use crate::attributes::{Indexes, Which, form};
use crate::ttlv::enums::{ObjectType, Operation, QueryFunction, ResultReason as Reason};
use crate::ttlv::{Item, Tag, Version};

const ENCRYPT_DECRYPT: i32 = 0xc;

/// An attribute as 1.x writes it.
fn attribute(item: Item) -> Item {
    form::write(vec![item], &Indexes::default(), Version::V1_4).swap_remove(0)
}

fn custom(name: &str, value: &str) -> Item {
    let which = Which::Custom { vendor: "x".into(), name: name.into() };
    write_1x(&which, Item::text(Tag::ATTRIBUTE_VALUE, value), None)
}

fn aes(bits: i32) -> Vec<Item> {
    vec![
        attribute(Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, 3_u32)),
        attribute(Item::integer(Tag::CRYPTOGRAPHIC_LENGTH, bits)),
    ]
}

fn mask() -> Item {
    attribute(Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, ENCRYPT_DECRYPT))
}

fn group(value: &str) -> Item {
    attribute(Item::text(Tag::OBJECT_GROUP, value))
}

/// A request for a template: its name and what else stands beside it, and what it holds.
fn template(beside: Vec<Item>, held: Vec<Item>) -> Vec<Item> {
    vec![
        Item::enumeration(Tag::OBJECT_TYPE, ObjectType::Template),
        Item::structure(Tag::TEMPLATE_ATTRIBUTE, beside),
        Item::structure(Tag::TEMPLATE, held),
    ]
}

fn register(server: &Server, called: &str, held: Vec<Item>) -> String {
    let payload = template(vec![attribute(name(called))], held);
    id_of(&server.ask(Version::V1_0, Operation::Register, payload).unwrap())
}

fn create(server: &Server, said: Vec<Item>) -> Result<String, Reason> {
    let payload = vec![
        Item::enumeration(Tag::OBJECT_TYPE, ObjectType::SymmetricKey),
        Item::structure(Tag::TEMPLATE_ATTRIBUTE, said),
    ];
    server.ask(Version::V1_2, Operation::Create, payload).map(|answer| id_of(&answer))
}

fn groups(server: &Server, key: &str) -> Vec<String> {
    let values = server.attributes(key, Tag::OBJECT_GROUP);
    values.iter().map(|item| item.as_text().unwrap().to_owned()).collect()
}

fn bits(server: &Server, key: &str) -> i32 {
    server.attributes(key, Tag::CRYPTOGRAPHIC_LENGTH)[0].as_integer().unwrap()
}

#[test]
fn a_key_has_the_attributes_of_the_template_that_it_names() {
    let server = Server::new();
    let held = [aes(256), vec![mask(), group("g"), custom("purpose", "backup")]].concat();
    register(&server, "disk keys", held);
    let key = create(&server, vec![name("disk keys"), attribute(name("disk 7"))]).unwrap();
    assert_eq!(bits(&server, &key), 256);
    assert_eq!(groups(&server, &key), ["g"]);
    // The template's name is its own.
    assert_eq!(server.attributes(&key, Tag::NAME), [name("disk 7")]);
    let payload = vec![id(&key), Item::text(Tag::ATTRIBUTE_NAME, "x-purpose")];
    let answer = server.ask(Version::V1_0, Operation::GetAttributes, payload).unwrap();
    let value = field(&answer, Tag::ATTRIBUTE).child(Tag::ATTRIBUTE_VALUE).unwrap();
    assert_eq!(value.as_text(), Ok("backup"));
}

#[test]
fn what_the_request_says_goes_before_templates_and_later_ones_before_earlier() {
    let server = Server::new();
    register(&server, "first", [aes(128), vec![mask(), group("one"), group("both")]].concat());
    register(&server, "second", vec![aes(192).swap_remove(1), group("two"), group("both")]);
    let key = create(&server, vec![name("first"), name("second")]).unwrap();
    assert_eq!(bits(&server, &key), 192);
    assert_eq!(groups(&server, &key), ["one", "two", "both"]);
    let said = vec![name("first"), name("second"), aes(256).swap_remove(1), group("own")];
    let key = create(&server, said).unwrap();
    assert_eq!(bits(&server, &key), 256);
    assert_eq!(groups(&server, &key), ["one", "two", "both", "own"]);
}

#[test]
fn a_keys_own_templates_go_before_what_is_common_to_the_pair() {
    let server = Server::new();
    register(&server, "common", vec![mask(), group("common")]);
    register(&server, "signs", vec![attribute(Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, 1))]);
    let ec = vec![
        name("common"),
        attribute(Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, 6_u32)),
        attribute(Item::integer(Tag::CRYPTOGRAPHIC_LENGTH, 256)),
        attribute(Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, 2)),
    ];
    let payload = vec![
        Item::structure(Tag::COMMON_TEMPLATE_ATTRIBUTE, ec),
        Item::structure(Tag::PRIVATE_KEY_TEMPLATE_ATTRIBUTE, vec![name("signs")]),
    ];
    let answer = server.ask(Version::V1_3, Operation::CreateKeyPair, payload).unwrap();
    let mask = |tag| {
        let key = field(&answer, tag).as_text().unwrap();
        assert_eq!(groups(&server, key), ["common"]);
        server.attributes(key, Tag::CRYPTOGRAPHIC_USAGE_MASK)[0].as_integer().unwrap()
    };
    assert_eq!(mask(Tag::PRIVATE_KEY_UNIQUE_IDENTIFIER), 1);
    assert_eq!(mask(Tag::PUBLIC_KEY_UNIQUE_IDENTIFIER), 2);
}

#[test]
fn a_replacement_takes_the_attributes_of_a_template_too() {
    let server = Server::new();
    register(&server, "renewed", vec![group("new"), aes(192).swap_remove(1)]);
    let old = create(&server, [aes(128), vec![mask(), group("old")]].concat()).unwrap();
    let payload = vec![id(&old), Item::structure(Tag::TEMPLATE_ATTRIBUTE, vec![name("renewed")])];
    let new = id_of(&server.ask(Version::V1_1, Operation::ReKey, payload).unwrap());
    assert_eq!(bits(&server, &new), 192);
    assert_eq!(groups(&server, &new), ["old", "new"]);
}

#[test]
fn a_template_is_given_back_and_has_the_attributes_of_its_kind() {
    let server = Server::new();
    let held = [aes(256), vec![mask(), group("g"), custom("purpose", "backup")]].concat();
    let template = register(&server, "disk keys", held.clone());
    for version in [Version::V1_0, Version::V1_4] {
        let answer = server.ask(version, Operation::Get, vec![id(&template)]).unwrap();
        assert_eq!(field(&answer, Tag::OBJECT_TYPE).as_value_of(), Ok(ObjectType::Template));
        let names = |items: &[Item]| -> Vec<(String, Item)> {
            let part = |item: &Item, tag| item.child(tag).unwrap().clone();
            let name = |item: &Item| part(item, Tag::ATTRIBUTE_NAME).as_text().unwrap().to_owned();
            items.iter().map(|item| (name(item), part(item, Tag::ATTRIBUTE_VALUE))).collect()
        };
        assert_eq!(names(field(&answer, Tag::TEMPLATE).items()), names(&held));
    }
    let list = server.ask(Version::V1_0, Operation::GetAttributeList, vec![id(&template)]).unwrap();
    let names: Vec<&str> = list[1..].iter().map(|item| item.as_text().unwrap()).collect();
    assert_eq!(
        names,
        [
            "Unique Identifier",
            "Name",
            "Object Type",
            "Cryptographic Algorithm",
            "Cryptographic Length",
            "Operation Policy Name",
            "Cryptographic Usage Mask",
            "Initial Date",
            "Object Group",
            "Last Change Date",
            "x-purpose",
        ]
    );
}

#[test]
fn dates_and_sensitivity_in_a_template_are_those_of_the_keys_made_by_it() {
    let server = Server::new();
    let held = vec![
        mask(),
        attribute(Item::date(Tag::ACTIVATION_DATE, 1000)),
        attribute(Item::date(Tag::DEACTIVATION_DATE, 9_000_000_000)),
        attribute(Item::boolean(Tag::SENSITIVE, true)),
    ];
    let payload = template(vec![attribute(name("hidden"))], [aes(128), held].concat());
    let template = id_of(&server.ask(Version::V1_4, Operation::Register, payload).unwrap());
    let key = create(&server, vec![name("hidden")]).unwrap();
    assert_eq!(server.attributes(&key, Tag::STATE)[0].as_enumeration(), Ok(2));
    let get = |wanted: &str| server.ask(Version::V1_4, Operation::Get, vec![id(wanted)]);
    assert_eq!(get(&key).unwrap_err(), Reason::Sensitive);
    // The template itself is no secret, and has no state.
    assert!(get(&template).is_ok());
    assert!(server.attributes(&template, Tag::STATE).is_empty());
    for operation in [Operation::Activate, Operation::ObtainLease] {
        let refused = server.ask(Version::V1_4, operation, vec![id(&template)]);
        assert_eq!(refused.unwrap_err(), Reason::IllegalOperation);
    }
    let code = Item::enumeration(Tag::REVOCATION_REASON_CODE, 2_u32);
    let revoke = vec![id(&template), Item::structure(Tag::REVOCATION_REASON, vec![code])];
    let refused = server.ask(Version::V1_4, Operation::Revoke, revoke).unwrap_err();
    assert_eq!(refused, Reason::IllegalOperation);
    let wrapping = Item::structure(Tag::KEY_WRAPPING_SPECIFICATION, vec![]);
    let wrapped = server.ask(Version::V1_4, Operation::Get, vec![id(&template), wrapping]);
    assert_eq!(wrapped.unwrap_err(), Reason::IllegalOperation);
}

#[test]
fn what_is_changed_in_a_template_is_so_in_the_next_key() {
    let server = Server::new();
    let template = register(&server, "t", [aes(128), vec![mask(), group("a"), group("b")]].concat());
    let change = |operation, item: Item| server.ask(Version::V1_2, operation, vec![id(&template), item]);
    change(Operation::AddAttribute, group("c")).unwrap();
    change(Operation::DeleteAttribute, Item::text(Tag::ATTRIBUTE_NAME, "Object Group")).unwrap();
    change(Operation::AddAttribute, attribute(Item::date(Tag::ACTIVATION_DATE, 1000))).unwrap();
    let key = create(&server, vec![name("t")]).unwrap();
    assert_eq!(groups(&server, &key), ["b", "c"]);
    assert_eq!(server.attributes(&key, Tag::STATE)[0].as_enumeration(), Ok(2));
    let length = change(Operation::ModifyAttribute, aes(256).swap_remove(1));
    assert_eq!(length.unwrap_err(), Reason::PermissionDenied);
    let link = crate::objects::replacement::link(crate::ttlv::enums::LinkType::ParentLink, &key);
    assert_eq!(change(Operation::AddAttribute, attribute(link)).unwrap_err(), Reason::PermissionDenied);
}

#[test]
fn a_destroyed_template_is_gone_and_an_archived_one_waits() {
    let server = Server::new();
    let template = register(&server, "t", [aes(128), vec![mask()]].concat());
    server.ask(Version::V1_2, Operation::Archive, vec![id(&template)]).unwrap();
    assert_eq!(create(&server, vec![name("t")]).unwrap_err(), Reason::ObjectArchived);
    server.ask(Version::V1_2, Operation::Recover, vec![id(&template)]).unwrap();
    create(&server, vec![name("t")]).unwrap();
    server.ask(Version::V1_2, Operation::Destroy, vec![id(&template)]).unwrap();
    let look = server.ask(Version::V1_2, Operation::GetAttributes, vec![id(&template)]);
    assert_eq!(look.unwrap_err(), Reason::ItemNotFound);
    assert_eq!(create(&server, vec![name("t")]).unwrap_err(), Reason::ItemNotFound);
    // Its name is free again.
    register(&server, "t", aes(128));
}

#[test]
fn a_template_goes_to_another_server() {
    let (here, there) = (Server::new(), Server::new());
    let template = register(&here, "t", [aes(192), vec![mask(), group("g"), custom("a", "b")]].concat());
    let exported = here.ask(Version::V1_4, Operation::Export, vec![id(&template)]).unwrap();
    // 1.4 has no Object Type in an Import.
    let payload = exported.into_iter().filter(|item| item.tag != Tag::OBJECT_TYPE).collect();
    there.ask(Version::V1_4, Operation::Import, payload).unwrap();
    let get = |server: &Server| server.ask(Version::V1_4, Operation::Get, vec![id(&template)]).unwrap();
    assert_eq!(get(&there), get(&here));
    assert_eq!(bits(&there, &create(&there, vec![name("t")]).unwrap()), 192);
}

#[test]
fn a_group_shares_a_template_and_ones_own_goes_first() {
    let server = Server::new();
    let of = |owner: &str| {
        let mut client = client(owner);
        client.groups = vec!["g".into()];
        client
    };
    let ask = |owner: &str, operation, payload| {
        server.ask_as(&of(owner), Version::V1_2, vec![], operation, payload).map(|answer| id_of(&answer))
    };
    let shared = template(vec![attribute(name("t"))], [aes(128), vec![mask(), group("g")]].concat());
    ask("a", Operation::Register, shared).unwrap();
    let create = || {
        let payload = vec![
            Item::enumeration(Tag::OBJECT_TYPE, ObjectType::SymmetricKey),
            Item::structure(Tag::TEMPLATE_ATTRIBUTE, vec![name("t")]),
        ];
        ask("b", Operation::Create, payload).unwrap()
    };
    let length = |key: &str| {
        let payload = vec![id(key), Item::text(Tag::ATTRIBUTE_NAME, "Cryptographic Length")];
        let answer = server.ask_as(&of("b"), Version::V1_2, vec![], Operation::GetAttributes, payload);
        field(&answer.unwrap(), Tag::ATTRIBUTE).child(Tag::ATTRIBUTE_VALUE).unwrap().as_integer().unwrap()
    };
    assert_eq!(length(&create()), 128);
    let own = template(vec![attribute(name("t"))], [aes(256), vec![mask()]].concat());
    ask("b", Operation::Register, own).unwrap();
    assert_eq!(length(&create()), 256);
}

#[test]
fn only_a_template_of_ones_own_is_named() {
    let server = Server::new();
    assert_eq!(create(&server, vec![name("none")]).unwrap_err(), Reason::ItemNotFound);
    server.aes(ENCRYPT_DECRYPT, vec![name("a key")]);
    assert_eq!(create(&server, vec![name("a key")]).unwrap_err(), Reason::ItemNotFound);
    register(&server, "t", [aes(128), vec![mask()]].concat());
    let payload = vec![
        Item::enumeration(Tag::OBJECT_TYPE, ObjectType::SymmetricKey),
        Item::structure(Tag::TEMPLATE_ATTRIBUTE, vec![name("t")]),
    ];
    let other = server.ask_as(&client("b"), Version::V1_2, vec![], Operation::Create, payload);
    assert_eq!(other.unwrap_err(), Reason::ItemNotFound);
}

#[test]
fn a_template_holds_what_clients_may_set_of_templates_and_no_name() {
    let server = Server::new();
    let register = |beside: Vec<Item>, held: Vec<Item>| {
        server.ask(Version::V1_4, Operation::Register, template(beside, held)).unwrap_err()
    };
    let own = || vec![attribute(name("t"))];
    assert_eq!(register(own(), vec![]), Reason::MissingData);
    assert_eq!(register(own(), vec![attribute(name("inside"))]), Reason::InvalidField);
    let kind = attribute(Item::enumeration(Tag::OBJECT_TYPE, ObjectType::SymmetricKey));
    assert_eq!(register(own(), vec![kind]), Reason::InvalidField);
    let state = attribute(Item::enumeration(Tag::STATE, 2_u32));
    assert_eq!(register(own(), vec![state]), Reason::PermissionDenied);
    let fresh = attribute(Item::boolean(Tag::FRESH, true));
    assert_eq!(register(own(), vec![fresh.clone()]), Reason::InvalidField);
    assert_eq!(register([own(), vec![fresh]].concat(), aes(128)), Reason::InvalidField);
    let payload = vec![
        Item::enumeration(Tag::OBJECT_TYPE, ObjectType::Template),
        Item::structure(Tag::TEMPLATE_ATTRIBUTE, own()),
    ];
    let none = server.ask(Version::V1_4, Operation::Register, payload);
    assert_eq!(none.unwrap_err(), Reason::MissingData);
    server.aes(ENCRYPT_DECRYPT, vec![name("taken")]);
    let taken = register(vec![attribute(name("taken"))], aes(128));
    assert_eq!(taken, Reason::InvalidField);
    let made = vec![
        Item::enumeration(Tag::OBJECT_TYPE, ObjectType::Template),
        Item::structure(Tag::TEMPLATE_ATTRIBUTE, own()),
    ];
    let made = server.ask(Version::V1_4, Operation::Create, made);
    assert_eq!(made.unwrap_err(), Reason::InvalidField);
}

#[test]
fn templates_are_found_by_their_kind_and_dropped_by_2_0() {
    let server = Server::new();
    let template = register(&server, "t", vec![group("g")]);
    let locate = |version| {
        let wanted = if version < Version::V2_0 {
            attribute(Item::enumeration(Tag::OBJECT_TYPE, ObjectType::Template))
        } else {
            Item::structure(Tag::ATTRIBUTES, vec![Item::text(Tag::OBJECT_GROUP, "g")])
        };
        let answer = server.ask(version, Operation::Locate, vec![wanted]).unwrap();
        answer.into_iter().find(|item| item.tag == Tag::UNIQUE_IDENTIFIER)
    };
    let query = |version| {
        let function = Item::enumeration(Tag::QUERY_FUNCTION, QueryFunction::QueryObjects);
        let kinds = server.ask(version, Operation::Query, vec![function]).unwrap();
        kinds.iter().any(|item| item.as_value_of() == Ok(ObjectType::Template))
    };
    for version in Version::ALL {
        let has_templates = version < Version::V2_0;
        assert_eq!(query(version), has_templates, "{version}");
        assert_eq!(locate(version), has_templates.then(|| id(&template)), "{version}");
    }
    let get = server.ask(Version::V2_0, Operation::Get, vec![id(&template)]);
    assert_eq!(get.unwrap_err(), Reason::InvalidObjectType);
    let payload = vec![
        Item::enumeration(Tag::OBJECT_TYPE, ObjectType::Template),
        Item::structure(Tag::ATTRIBUTES, vec![name("u")]),
    ];
    let registered = server.ask(Version::V2_1, Operation::Register, payload);
    assert_eq!(registered.unwrap_err(), Reason::InvalidObjectType);
}
