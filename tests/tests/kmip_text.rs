//! KMIP over HTTPS in the three encodings: `POST /kmip`, the encoding named by the content type. KMIP
//! Profiles 1.4 and 2.1: HTTPS (5.2), JSON (5.4), XML (5.5), and their test cases MSGENC.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use std::io::{Read, Write};

use hsm_tests::kmip::message::{self, Node, enumeration, operation, tag};
use hsm_tests::kmip::server::Server;
use hsm_tests::prelude::*;
use serde_json::{Value, json};

const JSON: &str = "application/json";
const XML: &str = "text/xml";
const TTLV: &str = "application/octet-stream";

/// The status, the head and the body of an answer.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("UTF-8")
    }

    fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}{}", self.head, self.text());
        serde_json::from_slice(&self.body).expect("JSON")
    }

    fn xml(&self) -> String {
        assert_eq!(self.status, 200, "{}{}", self.head, self.text());
        self.text()
    }
}

/// One request on a connection of its own.
fn send(server: &Server, method: &str, path: &str, kind: &str, body: &[u8]) -> Answer {
    let mut tls = server.identity("first").connect(server.https).expect("a connection");
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    tls.write_all(&[head.as_bytes(), body].concat()).expect("sending");
    let mut all = Vec::new();
    // The end may come without TLS's own farewell.
    let _ = tls.read_to_end(&mut all);
    let end = all.windows(4).position(|four| four == b"\r\n\r\n").expect("the end of the head");
    let head = String::from_utf8(all[..end].to_vec()).expect("UTF-8");
    let status = head.split(' ').nth(1).and_then(|number| number.parse().ok()).expect("a status");
    Answer { status, head, body: all[end + 4..].to_vec() }
}

fn post(server: &Server, kind: &str, body: &[u8]) -> Answer {
    send(server, "POST", "/kmip", kind, body)
}

/// The request of all MSGENC cases, in JSON: a Query whose answer may have so many bytes.
fn query_json((major, minor): (i32, i32), most: i32) -> Vec<u8> {
    json!({"tag": "RequestMessage", "value": [
        {"tag": "RequestHeader", "value": [
            {"tag": "ProtocolVersion", "value": [
                {"tag": "ProtocolVersionMajor", "type": "Integer", "value": major},
                {"tag": "ProtocolVersionMinor", "type": "Integer", "value": minor}
            ]},
            {"tag": "MaximumResponseSize", "type": "Integer", "value": most},
            {"tag": "BatchCount", "type": "Integer", "value": 1}
        ]},
        {"tag": "BatchItem", "value": [
            {"tag": "Operation", "type": "Enumeration", "value": "Query"},
            {"tag": "RequestPayload", "value": [
                {"tag": "QueryFunction", "type": "Enumeration", "value": "QueryOperations"},
                {"tag": "QueryFunction", "type": "Enumeration", "value": "QueryObjects"}
            ]}
        ]}
    ]})
    .to_string()
    .into_bytes()
}

/// The same in XML.
fn query_xml((major, minor): (i32, i32), most: i32) -> Vec<u8> {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<RequestMessage>
  <RequestHeader>
    <ProtocolVersion>
      <ProtocolVersionMajor type="Integer" value="{major}"/>
      <ProtocolVersionMinor type="Integer" value="{minor}"/>
    </ProtocolVersion>
    <MaximumResponseSize type="Integer" value="{most}"/>
    <BatchCount type="Integer" value="1"/>
  </RequestHeader>
  <BatchItem>
    <Operation type="Enumeration" value="Query"/>
    <RequestPayload>
      <QueryFunction type="Enumeration" value="QueryOperations"/>
      <QueryFunction type="Enumeration" value="QueryObjects"/>
    </RequestPayload>
  </BatchItem>
</RequestMessage>"#
    )
    .into_bytes()
}

/// The values with a tag, wherever they are.
fn values<'v>(node: &'v Value, tag: &str) -> Vec<&'v Value> {
    let mut out = Vec::new();
    if node["tag"] == tag {
        out.push(&node["value"]);
    }
    for item in node["value"].as_array().into_iter().flatten() {
        out.extend(values(item, tag));
    }
    out
}

const VERSIONS: [(i32, i32); 2] = [(1, 4), (2, 1)];

isolated! {
    fn msgenc_json(kit) {
        kit.token();
        let server = Server::start(kit);
        for version in VERSIONS {
            let small = post(&server, JSON, &query_json(version, 256)).json();
            assert_eq!(values(&small, "ResultStatus"), ["OperationFailed"], "{small}");
            assert_eq!(values(&small, "ResultReason"), ["ResponseTooLarge"], "{small}");
            let large = post(&server, JSON, &query_json(version, 16384)).json();
            assert_eq!(large["tag"], "ResponseMessage");
            assert_eq!(values(&large, "ResultStatus"), ["Success"], "{large}");
            assert_eq!(values(&large, "ProtocolVersionMajor"), [version.0]);
            assert_eq!(values(&large, "ProtocolVersionMinor"), [version.1]);
            let operations = values(&large, "Operation");
            for wanted in ["Query", "Create", "Get", "Locate", "DiscoverVersions"] {
                assert!(operations.contains(&&json!(wanted)), "{wanted} is not among {operations:?}");
            }
            assert!(values(&large, "ObjectType").contains(&&json!("SymmetricKey")), "{large}");
        }
    }

    fn msgenc_xml(kit) {
        kit.token();
        let server = Server::start(kit);
        for version in VERSIONS {
            let small = post(&server, XML, &query_xml(version, 256)).xml();
            assert!(small.contains(r#"<ResultStatus type="Enumeration" value="OperationFailed"/>"#), "{small}");
            assert!(small.contains(r#"<ResultReason type="Enumeration" value="ResponseTooLarge"/>"#), "{small}");
            let large = post(&server, XML, &query_xml(version, 16384)).xml();
            for wanted in [
                "<ResponseMessage>".to_owned(),
                format!(r#"<ProtocolVersionMajor type="Integer" value="{}"/>"#, version.0),
                format!(r#"<ProtocolVersionMinor type="Integer" value="{}"/>"#, version.1),
                r#"<ResultStatus type="Enumeration" value="Success"/>"#.to_owned(),
                r#"<Operation type="Enumeration" value="Create"/>"#.to_owned(),
                r#"<ObjectType type="Enumeration" value="SymmetricKey"/>"#.to_owned(),
            ] {
                assert!(large.contains(&wanted), "{wanted} is not in {large}");
            }
        }
    }

    fn msgenc_https(kit) {
        kit.token();
        let server = Server::start(kit);
        let request = message::request(operation::QUERY, &[enumeration(tag::QUERY_FUNCTION, 1)]);
        let answer = post(&server, TTLV, &request);
        assert_eq!(answer.status, 200, "{}", answer.head);
        assert!(answer.head.to_lowercase().contains(&format!("content-type: {TTLV}")), "{}", answer.head);
        assert_eq!(Node::read(&answer.body).number(tag::RESULT_STATUS), Some(0));
    }

    fn a_key_made_in_json_is_the_same_in_ttlv_and_xml(kit) {
        kit.token();
        let server = Server::start(kit);
        let create = json!({"tag": "RequestMessage", "value": [
            {"tag": "RequestHeader", "value": [
                {"tag": "ProtocolVersion", "value": [
                    {"tag": "ProtocolVersionMajor", "type": "Integer", "value": 2},
                    {"tag": "ProtocolVersionMinor", "type": "Integer", "value": 1}
                ]},
                {"tag": "BatchCount", "type": "Integer", "value": 1}
            ]},
            {"tag": "BatchItem", "value": [
                {"tag": "Operation", "type": "Enumeration", "value": "Create"},
                {"tag": "RequestPayload", "value": [
                    {"tag": "ObjectType", "type": "Enumeration", "value": "SymmetricKey"},
                    {"tag": "Attributes", "value": [
                        {"tag": "CryptographicAlgorithm", "type": "Enumeration", "value": "AES"},
                        {"tag": "CryptographicLength", "type": "Integer", "value": 128},
                        {"tag": "CryptographicUsageMask", "type": "Integer", "value": "Decrypt|Encrypt"}
                    ]}
                ]}
            ]}
        ]});
        let made = post(&server, JSON, create.to_string().as_bytes()).json();
        let id = values(&made, "UniqueIdentifier")[0].as_str().expect("an identifier").to_owned();
        let key = server.client("first").key(&id).expect("Get in TTLV");
        assert_eq!(key.len(), 16);
        let get = format!(
            r#"<RequestMessage><RequestHeader><ProtocolVersion>
<ProtocolVersionMajor type="Integer" value="1"/><ProtocolVersionMinor type="Integer" value="4"/>
</ProtocolVersion><BatchCount type="Integer" value="1"/></RequestHeader>
<BatchItem><Operation type="Enumeration" value="Get"/>
<RequestPayload><UniqueIdentifier type="TextString" value="{id}"/></RequestPayload></BatchItem></RequestMessage>"#
        );
        let shown = post(&server, XML, get.as_bytes()).xml();
        let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        let shown = shown.to_lowercase();
        assert!(shown.contains(&format!(r#"<keymaterial type="bytestring" value="{hex}"/>"#)), "{shown}");
    }

    fn what_is_not_a_message_is_refused(kit) {
        kit.token();
        let server = Server::start(kit);
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let bombs = "<RequestMessage>".repeat(50_000);
        let entities = r#"<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>"#;
        for (kind, body) in [
            (JSON, ""), (JSON, "{"), (JSON, "null"), (JSON, r#"{"tag": 7}"#), (JSON, deep.as_str()),
            (XML, ""), (XML, "<a"), (XML, "<RequestMessage/>"), (XML, bombs.as_str()), (XML, entities),
            (TTLV, ""), (TTLV, "no TTLV"),
        ] {
            let answer = post(&server, kind, body.as_bytes());
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            let told = answer.status == 200 && !text.contains("Success") || (400..500).contains(&answer.status);
            assert!(told, "{kind} {:.40}: {} {text}", body, answer.head);
        }
        server.client("first").query().expect("the server is still well");
    }

    fn only_post_to_kmip_is_answered(kit) {
        kit.token();
        let server = Server::start(kit);
        let query = query_json((1, 4), 16384);
        assert_eq!(send(&server, "GET", "/kmip", JSON, b"").status, 405);
        assert_eq!(send(&server, "POST", "/other", JSON, &query).status, 404);
        assert_eq!(send(&server, "POST", "/kmip", "image/png", &query).status, 415);
    }
}
