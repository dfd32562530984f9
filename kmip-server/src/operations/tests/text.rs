//! Requests in JSON and XML that cannot be read: what the client is told.

use super::kit::*;
use crate::engine::Encoding;

/// The answer to a request.
fn answer(server: &Server, encoding: Encoding, text: &[u8]) -> String {
    let engine = server.engine();
    let answer = engine.answer(&client("a"), engine.read(encoding, text));
    String::from_utf8(answer.to_vec()).unwrap()
}

fn xml(version: (i32, i32), operation: &str, payload: &str) -> String {
    format!(
        r#"<RequestMessage><RequestHeader><ProtocolVersion>
<ProtocolVersionMajor type="Integer" value="{}"/><ProtocolVersionMinor type="Integer" value="{}"/>
</ProtocolVersion><BatchCount type="Integer" value="1"/></RequestHeader>
<BatchItem><Operation type="Enumeration" value="{operation}"/><RequestPayload>{payload}</RequestPayload></BatchItem></RequestMessage>"#,
        version.0, version.1
    )
}

fn json(operation: &str, object_type: &str) -> String {
    format!(
        r#"{{"tag":"RequestMessage","value":[{{"tag":"RequestHeader","value":[{{"tag":"ProtocolVersion","value":[
{{"tag":"ProtocolVersionMajor","type":"Integer","value":2}},{{"tag":"ProtocolVersionMinor","type":"Integer","value":1}}]}},
{{"tag":"BatchCount","type":"Integer","value":1}}]}},{{"tag":"BatchItem","value":[
{{"tag":"Operation","type":"Enumeration","value":"{operation}"}},{{"tag":"RequestPayload","value":[
{{"tag":"ObjectType","type":"Enumeration","value":"{object_type}"}}]}}]}}]}}"#
    )
}

#[test]
fn unknown_names_in_xml_are_refused_as_their_numbers_are() {
    let server = Server::new();
    let object_type = r#"<ObjectType type="Enumeration" value="Bottle"/>"#;
    for (version, operation, payload, reason, item) in [
        ((2, 1), "Frobnicate", "", "OperationNotSupported", "Operation"),
        ((1, 4), "Frobnicate", "", "OperationNotSupported", "Operation"),
        ((2, 1), "Create", object_type, "UnknownEnumeration", "ObjectType"),
        ((1, 4), "Create", object_type, "InvalidField", "ObjectType"),
    ] {
        let told = answer(&server, Encoding::Xml, xml(version, operation, payload).as_bytes());
        for wanted in [
            format!(r#"<ProtocolVersionMajor type="Integer" value="{}"/>"#, version.0),
            format!(r#"<ProtocolVersionMinor type="Integer" value="{}"/>"#, version.1),
            format!(r#"<ResultReason type="Enumeration" value="{reason}"/>"#),
            format!("{item} in batch item 1 has no value of that name (line 4, "),
        ] {
            assert!(told.contains(&wanted), "{wanted} is not in {told}");
        }
    }
}

#[test]
fn unknown_names_in_json_are_refused_as_their_numbers_are() {
    let server = Server::new();
    for (text, reason, item) in [
        (json("Frobnicate", "PublicKey"), "OperationNotSupported", "Operation"),
        (json("Create", "Bottle"), "UnknownEnumeration", "ObjectType"),
    ] {
        let told = answer(&server, Encoding::Json, text.as_bytes());
        for wanted in [
            r#"{"tag":"ProtocolVersionMajor","type":"Integer","value":2}"#,
            r#"{"tag":"ProtocolVersionMinor","type":"Integer","value":1}"#,
            &format!(r#""value":"{reason}""#),
            &format!("{item} in batch item 1 has no value of that name"),
        ] {
            assert!(told.contains(wanted), "{wanted} is not in {told}");
        }
    }
}

#[test]
fn each_thing_that_is_wrong_with_text_has_its_words_in_the_version_of_the_header() {
    let server = Server::new();
    let good = xml((2, 1), "Ping", "");
    let deep = xml((2, 1), "Ping", &("<Attributes>".repeat(30) + &"</Attributes>".repeat(30)));
    let many = xml((2, 1), "Ping", &"<Attributes/>".repeat(20_001));
    let doctype = format!("<!DOCTYPE a>{good}");
    let cut = json("Ping", "PublicKey");
    let cut = cut.trim_end_matches('}');
    let nested = r#"{"tag":"Attributes","value":["#.repeat(100) + &"]}".repeat(100);
    let nested = json("Ping", "PublicKey")
        .replace(r#"{"tag":"ObjectType""#, &format!(r#"{nested},{{"tag":"ObjectType""#));
    let mut not_utf8 = good.clone().into_bytes();
    not_utf8.extend(b"\n\xff");
    for (encoding, text, words) in [
        (Encoding::Xml, good.replace("</BatchItem>", "").as_bytes(), "is not written as items are (line 4, "),
        (Encoding::Xml, doctype.as_bytes(), "the text has a document type, which is not read (line 1, "),
        (Encoding::Xml, deep.as_bytes(), "is nested too deep (line 4, "),
        (Encoding::Xml, many.as_bytes(), "has too many items (line 4, "),
        (Encoding::Xml, &not_utf8, "the text is not UTF-8 (line 5, column 1)"),
        (Encoding::Json, cut.as_bytes(), "the text is not written as items are (line 5, "),
        (Encoding::Json, nested.as_bytes(), "the text is nested too deep (line "),
    ] {
        let told = answer(&server, encoding, text);
        assert!(told.contains(words), "{words} is not in {told}");
        assert!(told.contains("InvalidMessage"), "{told}");
        let version = if encoding == Encoding::Xml {
            r#"<ProtocolVersionMajor type="Integer" value="2"/>"#
        } else {
            r#"{"tag":"ProtocolVersionMajor","type":"Integer","value":2}"#
        };
        assert!(told.contains(version), "{told}");
    }
    let told = answer(&server, Encoding::Xml, b"nonsense");
    assert!(told.contains(r#"<ProtocolVersionMajor type="Integer" value="1"/>"#), "{told}");
}

#[test]
fn a_message_that_its_header_refuses_is_answered_in_its_own_version() {
    let server = Server::new();
    let begin = [
        &[0x42, 0, 0x78, 1, 0xff, 0xff, 0xff, 0xf8, 0x42, 0, 0x77, 1, 0, 0, 0, 0x38][..],
        &[0x42, 0, 0x69, 1, 0, 0, 0, 0x20, 0x42, 0, 0x6a, 2, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 0],
        &[0x42, 0, 0x6b, 2, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0],
    ]
    .concat();
    let engine = server.engine();
    let told = |begin: &[u8]| {
        let answer = engine.answer(&client("a"), engine.refuse(begin, "it is too long"));
        crate::ttlv::text::json::encode(&crate::ttlv::decode(&answer, &Default::default()).unwrap())
            .to_string()
    };
    let whole = told(&begin);
    assert!(whole.contains(r#""ProtocolVersionMajor","type":"Integer","value":2"#), "{whole}");
    assert!(whole.contains("it is too long") && whole.contains("InvalidMessage"), "{whole}");
    let bare = told(&begin[..8]);
    assert!(bare.contains(r#""ProtocolVersionMajor","type":"Integer","value":1"#), "{bare}");
}
