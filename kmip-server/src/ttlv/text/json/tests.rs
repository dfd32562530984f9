//! JSON as the standard writes it, as clients bend it, and as attackers do.

use super::*;

fn read(text: &str) -> Result<Item, TextFault> {
    decode(text.as_bytes(), &Limits::default()).map_err(|error| error.fault)
}

fn same(text: &str, item: Item) {
    assert_eq!(read(text), Ok(item.clone()), "{text}");
    assert_eq!(read(&encode(&item)), Ok(item), "{text}");
}

#[test]
fn values_of_all_types_are_read() {
    let item = |tag: &str, item_type: &str, value: &str| {
        format!(r#"{{"tag":"{tag}","type":"{item_type}","value":{value}}}"#)
    };
    same(&item("BatchCount", "Integer", "10"), Item::integer(Tag::BATCH_COUNT, 10));
    same(&item("BatchCount", "Integer", r#""0x0000000A""#), Item::integer(Tag::BATCH_COUNT, 10));
    same(&item("BatchCount", "Integer", "-1"), Item::integer(Tag::BATCH_COUNT, -1));
    same(&item("0x540001", "LongInteger", r#""0xfffffffffffffffe""#), Item::long(Tag(0x54_0001), -2));
    same(&item("0x540001", "LongInteger", "-2"), Item::long(Tag(0x54_0001), -2));
    same(&item("X", "BigInteger", "0"), Item::big_integer(Tag::X, vec![0; 8]));
    same(
        &item("X", "BigInteger", r#""0x8000000000000000""#),
        Item::big_integer(Tag::X, vec![0x80, 0, 0, 0, 0, 0, 0, 0]),
    );
    for value in ["2", r#""0x00000002""#, r#""SymmetricKey""#] {
        same(&item("0x420057", "Enumeration", value), Item::enumeration(Tag::OBJECT_TYPE, 2_u32));
    }
    same(&item("BatchOrderOption", "Boolean", "true"), Item::boolean(Tag::BATCH_ORDER_OPTION, true));
    same(
        &item("BatchOrderOption", "Boolean", r#""0x0000000000000001""#),
        Item::boolean(Tag::BATCH_ORDER_OPTION, true),
    );
    same(&item("AttributeName", "TextString", r#""0x41\u0000""#), Item::text(Tag::ATTRIBUTE_NAME, "0x41\0"));
    same(
        &item("MACSignature", "ByteString", r#""C50F77""#),
        Item::bytes(Tag::MAC_SIGNATURE, vec![0xc5, 0x0f, 0x77]),
    );
    same(
        &item("ArchiveDate", "DateTime", r#""0x000000003a505520""#),
        Item::date(Tag::ARCHIVE_DATE, 0x3a50_5520),
    );
    same(
        &item("ArchiveDate", "DateTime", r#""2001-01-01T10:00:00+10:00""#),
        Item::date(Tag::ARCHIVE_DATE, 0x3a4f_c880),
    );
    same(&item("Offset", "Interval", "27"), Item::interval(Tag::OFFSET, 27));
    same(&item("Offset", "Interval", r#""0x0000001b""#), Item::interval(Tag::OFFSET, 27));
    same(
        &item("TimeStamp", "DateTimeExtended", r#""1970-01-01T00:00:01.000002Z""#),
        Item::date_extended(Tag::TIME_STAMP, 1_000_002),
    );
}

#[test]
fn masks_are_names_or_numbers() {
    let mask = |bits| Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, bits);
    let written = |value| format!(r#"{{"tag":"CryptographicUsageMask","type":"Integer","value":"{value}"}}"#);
    same(&written("Encrypt|Decrypt|CertificateSign"), mask(0x100c));
    same(&written("CertificateSign|0x00000004|0x0000008"), mask(0x100c));
    same(&written("0x0000100c"), mask(0x100c));
    assert_eq!(*encode(&mask(12)), written("Encrypt|Decrypt"));
    assert_eq!(read(&written("Encrypt|Nothing")), Err(TextFault::Name));
    assert_eq!(read(&written("")), Err(TextFault::Value));
}

#[test]
fn structures_are_lists() {
    let version = Item::structure(Tag::PROTOCOL_VERSION, vec![Item::integer(Tag::PROTOCOL_VERSION_MAJOR, 1)]);
    same(
        r#"{"value":[{"value":1,"type":"Integer","tag":"ProtocolVersionMajor"}],"name":"any","tag":"ProtocolVersion"}"#,
        version.clone(),
    );
    assert_eq!(
        *encode(&version),
        r#"{"tag":"ProtocolVersion","value":[{"tag":"ProtocolVersionMajor","type":"Integer","value":1}]}"#
    );
    for text in [
        r#"{"tag":"Template","value":null}"#,
        r#"{"tag":"Template"}"#,
        r#"{"tag":"Template","type":"Structure","value":[]}"#,
    ] {
        same(text, Item::structure(Tag::TEMPLATE, vec![]));
    }
}

#[test]
fn an_attribute_value_is_named_by_the_name_beside_it() {
    let text = r#"{"tag":"Attribute","value":[{"tag":"AttributeName","type":"TextString","value":"Cryptographic Usage Mask"},
        {"tag":"AttributeValue","type":"Integer","value":"Sign|Verify"}]}"#;
    let item = read(text).unwrap();
    assert_eq!(item.child(Tag::ATTRIBUTE_VALUE).unwrap().as_integer(), Ok(3));
    assert!(encode(&item).contains("Sign|Verify"));
    assert_eq!(read(&text.replace("Cryptographic Usage", "x-My")), Err(TextFault::Value));
}

#[test]
fn what_is_no_item_is_refused() {
    for text in [
        "",
        "{",
        "[]",
        "null",
        "1",
        "{}",
        r#"{"tag":1}"#,
        r#"{"tag":"Template"}x"#,
        r#"{"tag":"Template","tag":"Template"}"#,
        r#"{"tag":"Template","other":1}"#,
        r#"{"tag":"Template","value":[1]}"#,
        r#"{"tag":"X","type":"Integer","value":1.5}"#,
        r#"{"tag":"X","type":"LongInteger","value":9223372036854775808}"#,
        r#"{"tag":"Template","value":{}}"#,
    ] {
        assert_eq!(read(text), Err(TextFault::Syntax), "{text}");
    }
    assert_eq!(read(r#"{"tag":"Nothing"}"#), Err(TextFault::Tag));
    assert_eq!(read(r#"{"tag":"0x42"}"#), Err(TextFault::Tag));
    assert_eq!(read(r#"{"tag":"0x430001"}"#), Err(TextFault::Tag));
    assert_eq!(read(r#"{"tag":"X","type":"Int","value":1}"#), Err(TextFault::Type));
}

#[test]
fn values_that_the_type_cannot_have_are_refused() {
    for (item_type, value) in [
        ("Integer", "2147483648"),
        ("Integer", "true"),
        ("Integer", r#""0x100000000""#),
        ("LongInteger", r#""1""#),
        ("BigInteger", r#""0x00""#),
        ("BigInteger", r#""00""#),
        ("Enumeration", "-1"),
        ("Boolean", "1"),
        ("Boolean", r#""0x2""#),
        ("Boolean", r#""true""#),
        ("TextString", "1"),
        ("ByteString", r#""0x00""#),
        ("ByteString", r#""0""#),
        ("DateTime", "1"),
        ("DateTime", r#""today""#),
        ("Interval", "-1"),
        ("Interval", r#""1""#),
        ("Structure", "1"),
        ("Integer", "[]"),
        ("Integer", "null"),
    ] {
        let text = format!(r#"{{"tag":"State","type":"{item_type}","value":{value}}}"#);
        assert_eq!(read(&text), Err(TextFault::Value), "{text}");
    }
    assert_eq!(read(r#"{"tag":"State","type":"Enumeration","value":"Nothing"}"#), Err(TextFault::Name));
}

#[test]
fn errors_say_where() {
    let refusal = |text: &[u8]| decode(text, &Limits::default()).unwrap_err().to_string();
    let item = r#"{"tag":"BatchItem","value":[{"tag":"Operation","type":"Enumeration","value":"Query"}]}"#;
    let text = format!(r#"{{"tag":"RequestMessage","value":[{item},{item}]}}"#);
    let second = text.rfind("Query").unwrap();
    let text = [&text[..second], "Frobnicate", &text[second + 5..]].concat();
    assert_eq!(refusal(text.as_bytes()), "Operation in batch item 2 has no value of that name");
    assert_eq!(
        refusal(b"{\"tag\":\n  \"Template\",}"),
        "the text is not written as items are (line 2, column 14)"
    );
    assert_eq!(refusal(b"{\"tag\":\n\"\xff\"}"), "the text is not UTF-8 (line 2, column 2)");
}

#[test]
fn depth_items_and_lengths_are_bounded() {
    let nested = |depth| r#"{"tag":"Attribute","value":["#.repeat(depth) + &"]}".repeat(depth);
    let depth = Limits::default().depth;
    assert!(read(&nested(depth)).is_ok());
    assert_eq!(read(&nested(depth + 1)), Err(TextFault::TooDeep));
    assert_eq!(read(&nested(100_000)), Err(TextFault::TooDeep));
    let flat =
        |count| format!(r#"{{"tag":"Attributes","value":[{}]}}"#, vec![r#"{"tag":"X"}"#; count].join(","));
    assert!(read(&flat(Limits::default().items - 1)).is_ok());
    assert_eq!(read(&flat(Limits::default().items)), Err(TextFault::TooMany));
    let limits = Limits { field: 4, ..Limits::default() };
    for (item_type, value) in
        [("TextString", "hello"), ("ByteString", "0000000000"), ("BigInteger", "0x0000000000000000")]
    {
        let text = format!(r#"{{"tag":"X","type":"{item_type}","value":"{value}"}}"#);
        assert_eq!(decode(text.as_bytes(), &limits).unwrap_err().fault, TextFault::TooLong, "{text}");
    }
}
