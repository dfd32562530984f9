//! `softhsm-rs kmip` against servers that know less than the standard, or answer with something else: what
//! is told, that nothing is waited for too long, and that no claim of a length is believed.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hsm_tests::kmip::certificates::Authority;
use hsm_tests::kmip::message::{Node, enumeration, integer, item, operation, structure, tag, text};
use hsm_tests::kmip::tool::{Ran, Tool};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};
use tempfile::TempDir;

const DISCOVER_VERSIONS: u32 = 0x1E;
const GET_ATTRIBUTES: u32 = 0x0B;
const RESPONSE_HEADER: u32 = 0x42_007A;
const RESPONSE_MESSAGE: u32 = 0x42_007B;
const VENDOR_IDENTIFICATION: u32 = 0x42_009D;
/// From the range that the standard leaves to vendors.
const EXTENSION: u32 = 0x54_0001;

type Tls = StreamOwned<ServerConnection, TcpStream>;

/// A server that answers as many connections as a test says, and the client that asks it.
struct Stage {
    tool: Tool,
    directory: TempDir,
    server: JoinHandle<()>,
}

impl Stage {
    /// Plain TCP.
    fn plain(connections: usize, mut play: impl FnMut(TcpStream) + Send + 'static) -> Stage {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address").to_string();
        let directory = tempfile::tempdir().expect("a directory");
        let tool = Tool::new(&address, &Authority::new(directory.path()), "first");
        let tool = tool.and(&["--server-name", "localhost"]);
        let server = std::thread::spawn(move || {
            for stream in listener.incoming().take(connections) {
                play(stream.expect("a connection"));
            }
        });
        Stage { tool, directory, server }
    }

    /// TLS, with what a server of KMIP needs; every client is welcome.
    fn tls(connections: usize, mut play: impl FnMut(&mut Tls) + Send + 'static) -> Stage {
        let (send, receive) = std::sync::mpsc::channel::<Arc<ServerConfig>>();
        let stage = Stage::plain(connections, move |stream| {
            let config = receive.recv().expect("a configuration");
            let mut tls = StreamOwned::new(ServerConnection::new(config).expect("a connection"), stream);
            play(&mut tls);
            tls.conn.send_close_notify();
            // The client may have gone.
            let _ = tls.flush();
        });
        let config = Arc::new(server_config(stage.directory.path()));
        (0..connections).for_each(|_| send.send(config.clone()).expect("a thread that waits"));
        stage
    }

    /// KMIP: `answer` makes the batch item's fields of an operation and its payload.
    fn kmip(
        connections: usize,
        mut answer: impl FnMut(u32, &Node) -> Vec<Vec<u8>> + Send + 'static,
    ) -> Stage {
        Stage::tls(connections, move |tls| {
            while let Some(request) = read(tls) {
                let asked = request.number(tag::OPERATION).expect("an operation");
                let fields = answer(asked, &request);
                let parts = [structure(tag::BATCH_ITEM, &fields), structure(RESPONSE_HEADER, &[])];
                tls.write_all(&structure(RESPONSE_MESSAGE, &parts)).expect("answering");
                tls.flush().expect("answering");
            }
        })
    }

    /// Runs a command, and sees the server's end.
    fn run(self, arguments: &[&str]) -> Ran {
        let ran = self.tool.run(arguments);
        ended(self.server, &ran);
        ran
    }
}

/// The server has seen all the connections that it was to see.
fn ended(server: JoinHandle<()>, ran: &Ran) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !server.is_finished() {
        assert!(Instant::now() < deadline, "the server waits still; the client: {ran:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
    server.join().expect("the server's part");
}

fn server_config(directory: &Path) -> ServerConfig {
    let chain = vec![CertificateDer::from_pem_file(directory.join("server.pem")).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_file(directory.join("server.key")).expect("a key");
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("the server's certificate")
}

/// A request, until the client goes.
fn read(tls: &mut Tls) -> Option<Node> {
    let mut head = [0; 8];
    tls.read_exact(&mut head).ok()?;
    let length = u32::from_be_bytes(head[4..].try_into().unwrap());
    let mut message = head.to_vec();
    message.resize(8 + usize::try_from(length).unwrap(), 0);
    tls.read_exact(&mut message[8..]).expect("the rest of a request");
    Some(Node::read(&message))
}

fn success(payload: &[Vec<u8>]) -> Vec<Vec<u8>> {
    // In another order than the standard's, with a vendor's field.
    vec![
        item(EXTENSION, 1, &[]),
        structure(tag::RESPONSE_PAYLOAD, payload),
        enumeration(tag::RESULT_STATUS, 0),
    ]
}

fn failure(reason: u32, message: &str) -> Vec<Vec<u8>> {
    vec![
        enumeration(tag::RESULT_STATUS, 1),
        enumeration(tag::RESULT_REASON, reason),
        text(tag::RESULT_MESSAGE, message),
    ]
}

/// A result that scripts read.
fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).expect("JSON on standard output")
}

fn version_of(request: &Node) -> (Option<u32>, Option<u32>) {
    (request.number(tag::PROTOCOL_VERSION_MAJOR), request.number(tag::PROTOCOL_VERSION_MINOR))
}

#[test]
fn a_server_that_does_not_know_discover_versions_is_spoken_to_in_1_0() {
    let stage = Stage::kmip(2, |asked, request| match asked {
        DISCOVER_VERSIONS => failure(5, "what is that?"),
        _ => {
            assert_eq!(version_of(request), (Some(1), Some(0)));
            success(&[text(VENDOR_IDENTIFICATION, "old")])
        }
    });
    let told = json(&stage.run(&["query", "--json"]).succeeds());
    assert_eq!((&told["version"], &told["vendor"]), (&json!("1.0"), &json!("old")));
}

#[test]
fn a_server_that_speaks_other_versions_alone_is_not_spoken_to() {
    let answer = |_, _: &Node| {
        let numbers = [integer(tag::PROTOCOL_VERSION_MAJOR, 3), integer(tag::PROTOCOL_VERSION_MINOR, 0)];
        success(&[structure(tag::PROTOCOL_VERSION, &numbers)])
    };
    Stage::kmip(1, answer).run(&["query"]).fails(15, &["no version of KMIP from 1.0 to 2.1", "discover"]);
    let told = json(&Stage::kmip(1, answer).run(&["discover", "--json"]).succeeds());
    assert_eq!((&told["versions"], &told["newest_common"]), (&json!(["3.0"]), &json!(null)));
}

#[test]
fn a_version_that_is_forced_is_spoken_without_asking() {
    let stage = Stage::kmip(1, |asked, request| {
        assert_eq!((asked, version_of(request)), (operation::QUERY, (Some(2), Some(0))));
        success(&[])
    });
    stage.run(&["query", "--kmip-version", "2.0"]).succeeds();
}

#[test]
fn query_functions_that_a_server_refuses_do_not_hide_the_others() {
    let stage = Stage::kmip(1, |_, request| match request.all(tag::QUERY_FUNCTION).as_slice() {
        [one] if one.value == [0, 0, 0, 1] => success(&[enumeration(tag::OPERATION, 0x8000_0001)]),
        _ => failure(0x8000_0002, "not here"),
    });
    let told = json(&stage.run(&["query", "--kmip-version", "1.0", "--json"]).succeeds());
    assert_eq!(told["operations"], json!(["0x80000001"]));
    assert_eq!(told["refused"][0]["reason"], "0x80000002: not here");
    let stage = Stage::kmip(1, |_, _| failure(12, "go away\u{1b}[2J"));
    let ran = stage.run(&["query", "--kmip-version", "1.0"]);
    ran.fails(15, &["refused Query: PermissionDenied (0x0000000c): go away\\u{1b}[2J"]);
}

#[test]
fn an_object_that_may_not_be_looked_at_does_not_hide_the_others() {
    let stage = Stage::kmip(1, |asked, request| match asked {
        operation::LOCATE => success(&[
            text(tag::UNIQUE_IDENTIFIER, "a"),
            item(EXTENSION, 1, &[]),
            text(tag::UNIQUE_IDENTIFIER, "b"),
        ]),
        GET_ATTRIBUTES if request.text(tag::UNIQUE_IDENTIFIER).as_deref() == Some("a") => failure(12, ""),
        _ => success(&[hsm_tests::kmip::message::name("disk"), item(EXTENSION, 8, b"?")]),
    });
    let ran = stage.run(&["locate", "--attributes", "--kmip-version", "1.0"]).succeeds();
    assert!(ran.err.contains("a does not tell its attributes: PermissionDenied (0x0000000c)"), "{}", ran.err);
    assert!(ran.out.contains("disk"), "{}", ran.out);
}

#[test]
fn an_answer_without_an_object_leaves_no_file() {
    let stage = Stage::kmip(1, |_, _| success(&[text(tag::UNIQUE_IDENTIFIER, "a")]));
    let path = stage.directory.path().join("key");
    let directory = stage.directory.path().to_owned();
    let arguments = ["get", "a", "--kmip-version", "1.4", "--out", path.to_str().unwrap()];
    let ran = stage.tool.run(&arguments);
    ended(stage.server, &ran);
    ran.fails(16, &["no object"]);
    assert!(directory.exists() && !path.exists());
}

#[test]
fn what_is_no_kmip_is_told() {
    let versions = ["--kmip-version", "1.4"];
    let head = |length: u32| [&[0x42, 0x00, 0x7B, 0x01][..], &length.to_be_bytes()].concat();
    let broken = structure(RESPONSE_MESSAGE, &[[0x42, 0, 0x0F, 0x63, 0, 0, 0, 0].to_vec()]);
    let answers: [(Vec<u8>, i32, &str); 6] = [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), 16, "speaks HTTP"),
        (b"220 mail.example.org".to_vec(), 16, "does not answer in KMIP"),
        (head(0xFFFF_FFF8), 16, "more than 64 MiB"),
        (broken, 16, "broken KMIP"),
        (structure(RESPONSE_MESSAGE, &[]), 16, "no batch item"),
        // Half an answer.
        (head(64), 13, "closed the connection"),
    ];
    for (answer, code, words) in answers {
        let stage = Stage::tls(1, move |tls| {
            read(tls);
            tls.write_all(&answer).expect("answering");
        });
        stage.run(&[&["query"], &versions[..]].concat()).fails(code, &[words]);
    }
}

#[test]
fn a_server_that_closes_or_speaks_no_tls_is_told() {
    Stage::plain(1, drop).run(&["query"]).fails(13, &["closed the connection", "--kmip-version"]);
    let stage = Stage::plain(1, |mut stream| stream.write_all(&[b'!'; 100]).expect("noise"));
    stage.run(&["query"]).fails(16, &["does not speak TLS", "5696"]);
}

#[test]
fn nobody_waits_longer_than_said() {
    let begin = Instant::now();
    // The handshake never begins; the connection stays until the client goes.
    let silent = |mut stream: TcpStream| drop(stream.read_to_end(&mut Vec::new()));
    let ran = Stage::plain(1, silent).run(&["query", "--timeout", "1"]);
    ran.fails(13, &["did not finish the TLS handshake within 1 s", "--timeout"]);
    // A byte now and then is no answer.
    let stage = Stage::tls(1, |tls| {
        read(tls);
        let answer = structure(RESPONSE_MESSAGE, &[vec![0; 800]]);
        for byte in answer {
            if tls.write_all(&[byte]).and_then(|()| tls.flush()).is_err() {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    let ran = stage.run(&["query", "--timeout", "1", "--kmip-version", "1.4"]);
    ran.fails(13, &["did not answer within 1 s"]);
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
}

#[test]
fn nothing_and_nobody_there_is_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let authority = Authority::new(directory.path());
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    drop(listener);
    let at = |server: &str| Tool::new(server, &authority, "first");
    at(&address).run(&["query"]).fails(13, &["nothing listens at", &address]);
    at("no-such-host.invalid").run(&["query"]).fails(13, &["there is no host no-such-host.invalid"]);
    at("[::1").run(&["query"]).fails(2, &["bracket"]);
    at("localhost").run(&["query", "--kmip-version", "1.5"]).fails(2, &["1.0, 1.1"]);
}
