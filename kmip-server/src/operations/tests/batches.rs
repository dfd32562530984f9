//! Batches: answers longer than the client takes, data that one item leaves for another, and the marks of
//! items.

use super::kit::*;
use crate::engine::Encoding;
use crate::ttlv::enums::{Operation, ResultReason as Reason, ResultStatus as Status};
use crate::ttlv::{Item, Limits, Tag, Value, Version, decode, encode};

const V: Version = Version::V2_1;
const NOW: i64 = 1_000_000_000;
/// Sign to MAC Verify: whatever a key is used for.
const ALL: i32 = 0x1 | 0x2 | 0x4 | 0x8 | 0x80 | 0x100;
const CONTINUE: u32 = 1;
const STOP: u32 = 2;
const UNDO: u32 = 3;

fn header(continuation: u32, most: i32) -> Vec<Item> {
    vec![
        Item::integer(Tag::MAXIMUM_RESPONSE_SIZE, most),
        Item::enumeration(Tag::BATCH_ERROR_CONTINUATION_OPTION, continuation),
    ]
}

fn create(named: &str) -> (Operation, Vec<Item>) {
    let attributes = vec![
        Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, 3_u32),
        Item::integer(Tag::CRYPTOGRAPHIC_LENGTH, 128),
        Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, ALL),
        name(named),
    ];
    let payload =
        vec![Item::enumeration(Tag::OBJECT_TYPE, 2_u32), Item::structure(Tag::ATTRIBUTES, attributes)];
    (Operation::Create, payload)
}

fn query() -> (Operation, Vec<Item>) {
    (Operation::Query, vec![Item::enumeration(Tag::QUERY_FUNCTION, 1_u32)])
}

fn is_there(server: &Server, named: &str) -> bool {
    let payload = vec![Item::structure(Tag::ATTRIBUTES, vec![name(named)])];
    let found = server.ask(V, Operation::Locate, payload).unwrap();
    found.iter().any(|item| item.tag == Tag::UNIQUE_IDENTIFIER)
}

/// How each item ended.
fn ends(items: &[Item]) -> Vec<Result<Status, Reason>> {
    items
        .iter()
        .map(|item| match item.child(Tag::RESULT_REASON) {
            Some(reason) => Err(reason.as_value_of().unwrap()),
            None => Ok(item.child(Tag::RESULT_STATUS).unwrap().as_value_of().unwrap()),
        })
        .collect()
}

const TOO_LARGE: Result<Status, Reason> = Err(Reason::ResponseTooLarge);
const DONE: Result<Status, Reason> = Ok(Status::Success);

#[test]
fn what_cannot_be_answered_is_not_done() {
    let server = Server::new();
    // From a header alone to one byte less than the answer.
    let whole = server.batch(&client("a"), V, header(STOP, 4096), vec![create("first")]);
    assert_eq!(ends(&whole), [DONE]);
    let mut refused = 0;
    for most in (0..4096).step_by(8) {
        match ends(&server.batch(&client("a"), V, header(STOP, most), vec![create("second")]))[..] {
            [DONE] => break,
            ref other => assert_eq!(other, [TOO_LARGE], "{most}"),
        }
        assert!(!is_there(&server, "second"), "{most}");
        refused = most;
    }
    assert!((128..512).contains(&refused), "{refused}");
    assert!(is_there(&server, "second"));
}

#[test]
fn an_answer_that_is_too_long_is_a_failure_like_any_other() {
    let server = Server::new();
    let run = |continuation, items| ends(&server.batch(&client("a"), V, header(continuation, 500), items));
    assert_eq!(run(UNDO, vec![create("undone"), query()]), [Ok(Status::OperationUndone), TOO_LARGE]);
    assert!(!is_there(&server, "undone"));
    assert_eq!(run(STOP, vec![query(), create("not reached")]), [TOO_LARGE]);
    assert!(!is_there(&server, "not reached"));
    assert_eq!(run(CONTINUE, vec![query(), create("kept")]), [TOO_LARGE, DONE]);
    assert!(is_there(&server, "kept"));
}

#[test]
fn what_was_taken_back_leaves_no_identifier_and_no_name() {
    let server = Server::new();
    let key = server.aes(ALL, vec![]);
    // There is room for an answer without content, and not for an identifier.
    let (most, named) = (220, "taken back");
    let get =
        (Operation::GetAttributes, vec![Item::enumeration(Tag::ATTRIBUTE_REFERENCE, Tag::STATE.number())]);
    let items = vec![create(named), get];
    let answered = server.batch(&client("a"), V, header(CONTINUE, most), items);
    assert_eq!(ends(&answered), [TOO_LARGE, TOO_LARGE]);
    let locate = (Operation::Locate, vec![Item::structure(Tag::ATTRIBUTES, vec![name("nobody's")])]);
    assert_eq!(ends(&server.batch(&client("a"), V, header(CONTINUE, most), vec![locate])), [DONE]);
    assert_eq!(server.ask(V, Operation::Get, vec![id(&key)]).map(|_| ()), Ok(()));
    let events = server.events();
    let of_name = |action: &str, outcome: &str| {
        events.iter().filter(|event| event["action"] == action && event["outcome"] == outcome).count()
    };
    assert_eq!((of_name("kmip.create", "success"), of_name("kmip.create", "failure")), (2, 1), "{events:?}");
    assert_eq!(of_name("kmip.undo", "success"), 1, "{events:?}");
}

#[test]
fn usage_that_brought_no_answer_is_not_counted() {
    let server = Server::new();
    let limits =
        vec![Item::long(Tag::USAGE_LIMITS_TOTAL, 100), Item::enumeration(Tag::USAGE_LIMITS_UNIT, 1_u32)];
    let more = vec![Item::structure(Tag::USAGE_LIMITS, limits), Item::date(Tag::ACTIVATION_DATE, NOW)];
    let key = server.aes(ALL, more);
    let encrypt = || (Operation::Encrypt, vec![id(&key), ecb(), Item::bytes(Tag::DATA, vec![0; 32])]);
    assert_eq!(ends(&server.batch(&client("a"), V, header(STOP, 230), vec![encrypt()])), [TOO_LARGE]);
    let left = |server: &Server| {
        let limits = server.attributes(&key, Tag::USAGE_LIMITS);
        limits[0].child(Tag::USAGE_LIMITS_COUNT).unwrap().as_long().unwrap()
    };
    assert_eq!(left(&server), 100);
    assert_eq!(ends(&server.batch(&client("a"), V, header(STOP, 2300), vec![encrypt()])), [DONE]);
    assert_eq!(left(&server), 68);
}

/// Parameters of a cipher that any data of whole blocks fits.
fn ecb() -> Item {
    Item::structure(Tag::CRYPTOGRAPHIC_PARAMETERS, vec![Item::enumeration(Tag::BLOCK_CIPHER_MODE, 2_u32)])
}

/// The answer's items, of items that may be ephemeral and have marks.
fn marked(server: &Server, version: Version, items: Vec<(Operation, Vec<Item>, Vec<Item>)>) -> Vec<Item> {
    let count = i32::try_from(items.len()).unwrap();
    let protocol = vec![
        Item::integer(Tag::PROTOCOL_VERSION_MAJOR, version.major()),
        Item::integer(Tag::PROTOCOL_VERSION_MINOR, version.minor()),
    ];
    let header =
        vec![Item::structure(Tag::PROTOCOL_VERSION, protocol), Item::integer(Tag::BATCH_COUNT, count)];
    let mut message = vec![Item::structure(Tag::REQUEST_HEADER, header)];
    message.extend(items.into_iter().map(|(operation, marks, payload)| {
        let mut fields = vec![Item::enumeration(Tag::OPERATION, operation)];
        fields.extend(marks);
        fields.push(Item::structure(Tag::REQUEST_PAYLOAD, payload));
        Item::structure(Tag::BATCH_ITEM, fields)
    }));
    let bytes = encode(&Item::structure(Tag::REQUEST_MESSAGE, message));
    let engine = server.engine();
    let answer = engine.answer(&client("a"), engine.read(Encoding::Ttlv, &bytes));
    decode(&answer, &Limits::default()).unwrap().children(Tag::BATCH_ITEM).cloned().collect()
}

fn ephemeral() -> Vec<Item> {
    vec![Item::boolean(Tag::EPHEMERAL, true)]
}

/// What stands for the data of an earlier item.
fn of(value: Value) -> Item {
    Item::new(Tag::DATA, value)
}

fn bytes(item: &Item, tag: Tag) -> Vec<u8> {
    field(&outcome(item).unwrap(), tag).as_bytes().unwrap().to_vec()
}

#[test]
fn ephemeral_data_is_used_by_later_items_and_given_to_nobody() {
    let server = Server::new();
    let key = server.aes(ALL, vec![Item::date(Tag::ACTIVATION_DATE, NOW)]);
    let other = server.aes(ALL, vec![Item::date(Tag::ACTIVATION_DATE, NOW)]);
    let plain = b"a message, 32 bytes, 2 blocks ...".get(..32).unwrap().to_vec();
    let encrypt = |key: &str, data: Item| vec![id(key), ecb(), data];
    let made =
        server.ask(V, Operation::Encrypt, encrypt(&key, Item::bytes(Tag::DATA, plain.clone()))).unwrap();
    let ciphertext = field(&made, Tag::DATA).clone();
    // From one key to another: the client sees no plaintext.
    let items = vec![
        (Operation::Decrypt, ephemeral(), encrypt(&key, ciphertext)),
        (Operation::Encrypt, vec![], encrypt(&other, of(Value::Enumeration(1)))),
        (Operation::Encrypt, ephemeral(), encrypt(&other, of(Value::Integer(0)))),
        (Operation::Decrypt, vec![], encrypt(&other, of(Value::Integer(-1)))),
    ];
    let answered = marked(&server, V, items);
    assert_eq!(outcome(&answered[0]).unwrap(), [id(&key)]);
    assert_eq!(outcome(&answered[2]).unwrap(), [id(&other)]);
    let moved = Item::bytes(Tag::DATA, bytes(&answered[1], Tag::DATA));
    let back = server.ask(V, Operation::Decrypt, encrypt(&other, moved)).unwrap();
    assert_eq!(field(&back, Tag::DATA).as_bytes().unwrap(), plain);
    assert_eq!(bytes(&answered[3], Tag::DATA), plain);
}

#[test]
fn each_operation_that_produces_data_leaves_it_under_its_name() {
    let server = Server::new();
    let key = server.aes(ALL, vec![Item::date(Tag::ACTIVATION_DATE, NOW)]);
    let sha = |data| {
        let hash = Item::enumeration(Tag::HASHING_ALGORITHM, 6_u32);
        vec![Item::structure(Tag::CRYPTOGRAPHIC_PARAMETERS, vec![hash]), data]
    };
    let cmac = Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, 3_u32);
    let mac = vec![
        id(&key),
        Item::structure(
            Tag::CRYPTOGRAPHIC_PARAMETERS,
            vec![Item::enumeration(Tag::BLOCK_CIPHER_MODE, 7_u32), cmac],
        ),
        of(Value::Enumeration(5)),
    ];
    let items = vec![
        (Operation::RNGRetrieve, ephemeral(), vec![Item::integer(Tag::DATA_LENGTH, 16)]),
        (Operation::MAC, ephemeral(), mac),
        (Operation::Hash, vec![], sha(of(Value::Enumeration(5)))),
        (Operation::Hash, vec![], sha(of(Value::Enumeration(4)))),
        (Operation::Hash, vec![], sha(of(Value::Enumeration(3)))),
        (Operation::RNGSeed, vec![], vec![of(Value::Enumeration(3))]),
    ];
    let answered = marked(&server, V, items);
    assert_eq!(outcome(&answered[0]).unwrap(), []);
    assert_eq!(outcome(&answered[1]).unwrap(), [id(&key)]);
    let chained = bytes(&answered[3], Tag::DATA);
    let hashed = server.ask(V, Operation::Hash, sha(Item::bytes(Tag::DATA, chained))).unwrap();
    assert_eq!(field(&hashed, Tag::DATA).as_bytes().unwrap(), bytes(&answered[4], Tag::DATA));
    assert!(outcome(&answered[5]).is_ok());
}

#[test]
fn data_that_no_earlier_item_left_is_refused() {
    let server = Server::new();
    let hash = |data| {
        let hash = Item::enumeration(Tag::HASHING_ALGORITHM, 6_u32);
        vec![Item::structure(Tag::CRYPTOGRAPHIC_PARAMETERS, vec![hash]), data]
    };
    let random = || (Operation::RNGRetrieve, vec![], vec![Item::integer(Tag::DATA_LENGTH, 16)]);
    for (value, reason) in [
        (Value::Enumeration(3), Reason::InvalidField),
        (Value::Enumeration(99), Reason::UnknownEnumeration),
        (Value::Integer(1), Reason::InvalidField),
        (Value::Integer(-2), Reason::InvalidField),
        (Value::Boolean(true), Reason::InvalidField),
    ] {
        let items = vec![random(), (Operation::Hash, vec![], hash(of(value.clone())))];
        assert_eq!(ends(&marked(&server, V, items)), [DONE, Err(reason)], "{value:?}");
    }
    let alone =
        |version| marked(&server, version, vec![(Operation::Hash, vec![], hash(of(Value::Enumeration(5))))]);
    assert_eq!(ends(&alone(V)), [Err(Reason::InvalidField)]);
    // 1.x has neither.
    let items = vec![random(), (Operation::Hash, vec![], hash(of(Value::Enumeration(5))))];
    assert_eq!(ends(&marked(&server, Version::V1_4, items)), [DONE, Err(Reason::InvalidField)]);
    let items = vec![(Operation::RNGRetrieve, ephemeral(), vec![Item::integer(Tag::DATA_LENGTH, 16)])];
    assert_eq!(ends(&marked(&server, Version::V1_4, items)), [Err(Reason::InvalidMessage)]);
}

#[test]
fn items_may_lack_a_mark_and_not_share_one() {
    let server = Server::new();
    let mark = |byte: u8| vec![Item::bytes(Tag::UNIQUE_BATCH_ITEM_ID, vec![byte])];
    let batch = |marks: Vec<Vec<Item>>| {
        let items = marks.into_iter().map(|marks| (Operation::Ping, marks, vec![])).collect();
        marked(&server, V, items)
    };
    assert_eq!(ends(&batch(vec![vec![], vec![]])), [DONE, DONE]);
    assert_eq!(ends(&batch(vec![mark(1), vec![]])), [DONE, DONE]);
    let both = batch(vec![mark(1), mark(2)]);
    assert_eq!(ends(&both), [DONE, DONE]);
    assert_eq!(both[1].child(Tag::UNIQUE_BATCH_ITEM_ID), mark(2).first());
    assert_eq!(ends(&batch(vec![mark(1), mark(2), mark(1)])), [Err(Reason::InvalidMessage)]);
}
