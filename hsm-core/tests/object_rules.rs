//! The attribute table, row by row, through each way an object comes to be or changes: what a
//! footnote forbids is refused by name, what it asks for must be there, and defaults are the table's.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use cryptoki_sys::*;
use hsm_core::error::{Error, Result};
use hsm_core::object::rules::{self, Default, Row};
use hsm_core::object::template::{self, Author, Origin};
use hsm_core::object::{Object, Template, Type, Value};

/// Every kind of object that has rows of its own.
const SUBJECTS: [(u64, Option<u64>); 9] = [
    (CKO_DATA, None),
    (CKO_CERTIFICATE, None),
    (CKO_PUBLIC_KEY, Some(CKK_RSA)),
    (CKO_PUBLIC_KEY, Some(CKK_EC)),
    (CKO_PRIVATE_KEY, Some(CKK_RSA)),
    (CKO_PRIVATE_KEY, Some(CKK_EC)),
    (CKO_SECRET_KEY, Some(CKK_AES)),
    (CKO_SECRET_KEY, Some(CKK_GENERIC_SECRET)),
    (CKO_OTP_KEY, Some(CKK_HOTP)),
];

/// What the HSM says of a key's past, whatever the table's default.
const HISTORY: [u64; 4] = [CKA_LOCAL, CKA_KEY_GEN_MECHANISM, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE];

/// A way that an object comes to be, with the footnotes of Table 13 about it.
struct Way<'a> {
    name: &'static str,
    origin: Origin<'a>,
    must: u16,
    must_not: u16,
    classes: &'static [u64],
}

fn ways(base: &Object) -> [Way<'_>; 4] {
    const ALL: &[u64] =
        &[CKO_DATA, CKO_CERTIFICATE, CKO_PUBLIC_KEY, CKO_PRIVATE_KEY, CKO_SECRET_KEY, CKO_OTP_KEY];
    let generate = Origin::Generate(CKM_AES_KEY_GEN);
    [
        Way { name: "create", origin: Origin::Create, must: 1, must_not: 2, classes: ALL },
        Way { name: "generate", origin: generate, must: 3, must_not: 4, classes: &ALL[2..] },
        Way { name: "unwrap", origin: Origin::Unwrap, must: 5, must_not: 6, classes: &ALL[3..] },
        Way { name: "derive", origin: Origin::Derive(base), must: 5, must_not: 6, classes: &ALL[4..] },
    ]
}

/// A value of the row's type that is not its default.
fn sample(row: &Row, class: u64, key_type: Option<u64>) -> Value {
    match (row.kind, row.value) {
        (CKA_CLASS, _) => Value::Number(class),
        (CKA_KEY_TYPE, _) => Value::Number(key_type.unwrap()),
        (_, Type::Bool) => Value::Bool(row.default != Default::Flag(true)),
        (_, Type::Number) => Value::Number(16),
        (_, Type::Bytes | Type::BigInteger) => Value::Bytes(vec![5, 6]),
        (_, Type::Numbers) => Value::Numbers(vec![CKM_AES_GCM]),
        (_, Type::Date) => Value::Date(Some(*b"20260228")),
        (_, Type::Template) => Value::Template(vec![(CKA_SENSITIVE, Value::Bool(true))]),
    }
}

/// A value of another type.
fn misfit(row: &Row) -> Value {
    if row.value == Type::Bool { Value::Number(1) } else { Value::Bool(true) }
}

/// What must be given and no more; without `but`.
fn minimal(way: &Way<'_>, class: u64, key_type: Option<u64>, but: Option<u64>) -> Template {
    rules::rows_of(class, key_type)
        .filter(|row| row.notes.has(way.must) && Some(row.kind) != but)
        .map(|row| (row.kind, sample(row, class, key_type)))
        .collect()
}

fn build(way: &Way<'_>, subject: (u64, Option<u64>), template: Template, author: Author) -> Result<Object> {
    match way.origin {
        Origin::Create => template::create(template, author),
        origin => template::build(origin, subject.0, subject.1, template, author),
    }
}

/// Runs `test` for each way, kind of object and row.
fn for_each_row(test: impl Fn(&Way<'_>, (u64, Option<u64>), &Row, &str)) {
    let base = base();
    for way in ways(&base) {
        for (class, key_type) in SUBJECTS.into_iter().filter(|subject| way.classes.contains(&subject.0)) {
            for row in rules::rows_of(class, key_type) {
                let what = format!("{} {class} {key_type:?}: {}", way.name, row.name);
                test(&way, (class, key_type), row, &what);
            }
        }
    }
}

/// A key to derive from.
fn base() -> Object {
    let template = vec![
        (CKA_CLASS, Value::Number(CKO_SECRET_KEY)),
        (CKA_KEY_TYPE, Value::Number(CKK_GENERIC_SECRET)),
        (CKA_VALUE, Value::Bytes(vec![1; 32])),
    ];
    template::create(template, Author::ORDINARY).unwrap()
}

/// Asserts that this is exactly the refusal.
fn refused(result: Result<Object>, expected: &Error, what: &str) {
    let Err(error) = result else { panic!("{what}: not refused") };
    assert_eq!(format!("{error:?}"), format!("{expected:?}"), "{what}");
}

#[test]
fn what_may_be_given_is_taken_and_what_may_not_is_refused() {
    for_each_row(|way, subject, row, what| {
        let mut given = minimal(way, subject.0, subject.1, Some(row.kind));
        given.push((row.kind, sample(row, subject.0, subject.1)));
        let built = build(way, subject, given, Author::SECURITY_OFFICER);
        if row.notes.has(way.must_not) {
            let expected = match row.kind {
                CKA_UNIQUE_ID => Error::AttributeTypeInvalid(row.kind),
                kind => Error::AttributeReadOnly(kind),
            };
            refused(built, &expected, what);
        } else {
            let object = built.unwrap_or_else(|error| panic!("{what}: {error:?}"));
            let value = sample(row, subject.0, subject.1);
            assert!(object.get(row.kind).is_some_and(|set| set.equals(&value)), "{what}");
            assert_eq!(matches!(object.get(row.kind), Some(Value::Secret(_))), row.is_secret(), "{what}");
        }
    });
}

#[test]
fn a_value_of_the_wrong_type_is_refused() {
    for_each_row(|way, subject, row, what| {
        if row.notes.has(way.must_not) {
            return;
        }
        let mut given = minimal(way, subject.0, subject.1, Some(row.kind));
        given.push((row.kind, misfit(row)));
        refused(
            build(way, subject, given, Author::SECURITY_OFFICER),
            &Error::AttributeValueInvalid(row.kind),
            what,
        );
    });
}

#[test]
fn what_is_left_out_is_missed_or_gets_its_default() {
    for_each_row(|way, subject, row, what| {
        let built = build(way, subject, minimal(way, subject.0, subject.1, Some(row.kind)), Author::ORDINARY);
        // Elsewhere than at creation the mechanism or the caller of `build` says class and type.
        let implied = matches!(row.kind, CKA_CLASS | CKA_KEY_TYPE) && way.must != 1;
        if row.notes.has(way.must) && !implied {
            return refused(built, &Error::TemplateIncomplete(row.kind), what);
        }
        let object = built.unwrap_or_else(|error| panic!("{what}: {error:?}"));
        if implied || HISTORY.contains(&row.kind) {
            return;
        }
        let right = match (row.kind, &row.default) {
            // C_UnwrapKey, section 5.18.4.
            (CKA_EXTRACTABLE, _) if way.name == "unwrap" => Some(Value::Bool(true)),
            // Who brings a public key has it elsewhere too.
            (CKA_ALLOWED_MECHANISMS, _) if way.name == "create" && subject.0 == CKO_PUBLIC_KEY => None,
            (_, Default::Absent) => None,
            (_, Default::Flag(flag)) => Some(Value::Bool(*flag)),
            (_, Default::Number(number)) => Some(Value::Number(*number)),
            (_, Default::Empty) => Some(match row.value {
                Type::Date => Value::Date(None),
                Type::Numbers => Value::Numbers(vec![]),
                _ => Value::Bytes(vec![]),
            }),
        };
        match (object.get(row.kind), right) {
            (None, None) => {}
            (Some(set), Some(right)) => assert!(set.equals(&right), "{what}: {set:?}"),
            (set, right) => panic!("{what}: {set:?} and not {right:?}"),
        }
    });
}

#[test]
fn an_attribute_of_other_objects_is_refused() {
    let mut kinds: Vec<_> =
        SUBJECTS.iter().flat_map(|subject| rules::rows_of(subject.0, subject.1)).collect();
    kinds.sort_by_key(|row| row.kind);
    kinds.dedup_by_key(|row| row.kind);
    let base = base();
    for way in ways(&base) {
        for subject in SUBJECTS.into_iter().filter(|subject| way.classes.contains(&subject.0)) {
            for row in kinds.iter().filter(|row| rules::row(row.kind, subject.0, subject.1).is_none()) {
                let mut given = minimal(&way, subject.0, subject.1, None);
                given.push((row.kind, sample(row, subject.0, subject.1.or(Some(CKK_AES)))));
                let built = build(&way, subject, given, Author::SECURITY_OFFICER);
                refused(built, &Error::AttributeTypeInvalid(row.kind), row.name);
            }
        }
    }
}

#[test]
fn only_the_so_says_that_something_is_trusted() {
    for_each_row(|way, subject, row, what| {
        if !row.notes.has(10) {
            return;
        }
        for (flag, author, taken) in [
            (true, Author::ORDINARY, false),
            (false, Author::ORDINARY, true),
            (true, Author::SECURITY_OFFICER, true),
        ] {
            let mut given = minimal(way, subject.0, subject.1, None);
            given.push((row.kind, Value::Bool(flag)));
            let built = build(way, subject, given, author);
            if taken {
                assert_eq!(built.unwrap().flag(row.kind), flag, "{what}");
            } else {
                refused(built, &Error::AttributeReadOnly(row.kind), what);
            }
        }
    });
}

/// Objects of each kind whose booleans are all `flag`, where a creator may say so.
fn objects(flag: bool) -> Vec<Object> {
    let base = base();
    let [create, ..] = ways(&base);
    let of = |(class, key_type)| {
        let mut template = minimal(&create, class, key_type, None);
        let free = rules::rows_of(class, key_type).filter(|row| row.value == Type::Bool && !row.notes.has(2));
        // Changes and copies must be possible.
        let flags = free.filter(|row| !matches!(row.kind, CKA_MODIFIABLE | CKA_COPYABLE));
        template.extend(flags.map(|row| (row.kind, Value::Bool(flag))));
        template::create(template, Author::SECURITY_OFFICER).unwrap()
    };
    SUBJECTS.into_iter().map(of).collect()
}

/// What becomes of giving a row's attribute a new value, by the footnotes alone.
fn may_change(row: &Row, from: bool, to: &Value, author: Author) -> bool {
    let falls = from && matches!(to, Value::Bool(false));
    let rises = !from && matches!(to, Value::Bool(true));
    let trusts = row.notes.has(10) && matches!(to, Value::Bool(true)) && author == Author::ORDINARY;
    let one_way = row.notes.has(11) && falls || row.notes.has(12) && rises;
    row.notes.has(8) && !one_way && !trusts
}

/// New values for a row: both booleans, or a sample.
fn new_values(row: &Row, object: &Object) -> Vec<Value> {
    match row.value {
        Type::Bool => vec![Value::Bool(false), Value::Bool(true)],
        _ => vec![sample(row, object.class(), object.key_type())],
    }
}

#[test]
fn setting_and_copying_change_what_may_change_and_one_way_flags_one_way() {
    for (flag, author) in [
        (false, Author::ORDINARY),
        (true, Author::ORDINARY),
        (false, Author::SECURITY_OFFICER),
        (true, Author::SECURITY_OFFICER),
    ] {
        for object in objects(flag) {
            for row in rules::rows_of(object.class(), object.key_type()) {
                for value in new_values(row, &object) {
                    let what = format!("{} {value:?} of {} from {flag}", row.name, object.class());
                    let from = object.flag(row.kind);
                    let may = may_change(row, from, &value, author);
                    let read_only = Error::AttributeReadOnly(row.kind);
                    let set = template::change(&object, vec![(row.kind, value.duplicate())], author);
                    check(set, row, &value, may.then_some(()).ok_or(&read_only), &what);
                    let copied = template::copy(&object, vec![(row.kind, value.duplicate())], author);
                    let uncovers = row.kind == CKA_PRIVATE && from && matches!(value, Value::Bool(false));
                    let inconsistent = Error::TemplateInconsistent(row.kind);
                    let right = match row.kind {
                        CKA_PRIVATE if uncovers => Err(&inconsistent),
                        CKA_TOKEN | CKA_PRIVATE | CKA_MODIFIABLE => Ok(()),
                        _ => may.then_some(()).ok_or(&read_only),
                    };
                    check(copied, row, &value, right, &format!("copy: {what}"));
                }
            }
        }
    }
}

fn check(
    result: Result<Object>,
    row: &Row,
    value: &Value,
    right: std::result::Result<(), &Error>,
    what: &str,
) {
    match right {
        Ok(()) => {
            let object = result.unwrap_or_else(|error| panic!("{what}: {error:?}"));
            assert!(object.get(row.kind).is_some_and(|set| set.equals(value)), "{what}");
        }
        Err(error) => refused(result, error, what),
    }
}

#[test]
fn the_past_of_a_key_is_told_as_it_was() {
    let flags =
        |object: &Object| HISTORY.map(|kind| object.get(kind).map(|value| format!("{value:?}")).unwrap());
    let hidden = || vec![(CKA_SENSITIVE, Value::Bool(true)), (CKA_EXTRACTABLE, Value::Bool(false))];
    let build = |origin, template| {
        template::build(origin, CKO_SECRET_KEY, Some(CKK_GENERIC_SECRET), template, Author::ORDINARY).unwrap()
    };
    let made = build(Origin::Generate(CKM_AES_KEY_GEN), hidden());
    assert_eq!(flags(&made), ["Bool(true)", "Number(4224)", "Bool(true)", "Bool(true)"]);
    let open = build(Origin::Generate(CKM_AES_KEY_GEN), vec![(CKA_EXTRACTABLE, Value::Bool(true))]);
    assert_eq!(flags(&open), ["Bool(true)", "Number(4224)", "Bool(false)", "Bool(false)"]);
    let unknown = format!("Number({CK_UNAVAILABLE_INFORMATION})");
    for (origin, always, never) in [
        (Origin::Unwrap, "Bool(false)", "Bool(false)"),
        (Origin::Derive(&made), "Bool(true)", "Bool(true)"),
        (Origin::Derive(&open), "Bool(false)", "Bool(false)"),
    ] {
        assert_eq!(flags(&build(origin, hidden())), ["Bool(false)", &unknown, always, never]);
    }
    let later = template::change(&open, hidden(), Author::ORDINARY).unwrap();
    assert_eq!(flags(&later), flags(&open), "hidden now, but not always");
}

#[test]
fn objects_that_forbid_it_are_not_changed_or_copied() {
    let of = |kind| {
        let mut template = vec![(CKA_CLASS, Value::Number(CKO_DATA)), (kind, Value::Bool(false))];
        template.push((CKA_LABEL, Value::Bytes(b"x".to_vec())));
        template::create(template, Author::ORDINARY).unwrap()
    };
    refused(
        template::change(&of(CKA_MODIFIABLE), vec![], Author::ORDINARY),
        &Error::ActionProhibited,
        "change",
    );
    refused(template::copy(&of(CKA_COPYABLE), vec![], Author::ORDINARY), &Error::ActionProhibited, "copy");
}
