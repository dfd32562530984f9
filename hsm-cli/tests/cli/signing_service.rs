//! Signature keys that a signing service holds: the client against our own server, and against services that
//! answer wrongly.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread::JoinHandle;

use data_encoding::BASE64;
use serde_json::Value;

use crate::desk::{Desk, Done};

const TOKEN: &str = "the token";

/// A service that runs until it is dropped.
struct Service {
    process: Child,
    log: BufReader<ChildStderr>,
    url: String,
}

impl Service {
    fn start(desk: &Desk, arguments: &[&str]) -> Service {
        let arguments = [&["unit", "sign-service", "--listen", "127.0.0.1:0"], arguments].concat();
        let mut command = bare(desk, &arguments);
        let spawned = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut process = spawned.expect("the binary runs");
        let log = BufReader::new(process.stderr.take().expect("standard error"));
        let mut service = Service { process, log, url: String::new() };
        let said = service.says("signing service at ");
        service.url = said.split("signing service at ").nth(1).expect("a URL").trim().to_owned();
        service
    }

    /// Reads its standard error up to a line with these words, and answers that line.
    fn says(&mut self, words: &str) -> String {
        let mut line = String::new();
        while self.log.read_line(&mut line).expect("text") > 0 {
            if line.contains(words) {
                return line;
            }
            line.clear();
        }
        panic!("{words:?} was not said");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn bare(desk: &Desk, arguments: &[&str]) -> Command {
    let mut command = desk.bare(arguments);
    command.current_dir(desk.0.path()).env("SOFTHSM_RS_SIGNING_TOKEN", TOKEN);
    command
}

fn run(desk: &Desk, line: &str) -> Done {
    Done::of(&mut bare(desk, &line.split(' ').collect::<Vec<_>>()))
}

/// Keys of alice and bob in a directory; bob's has a token of its own.
fn desk() -> Desk {
    let desk = Desk::empty();
    fs::create_dir(desk.0.path().join("keys")).expect("a directory");
    for name in ["alice", "bob"] {
        run(&desk, &format!("unit key new keys/{name}.sigkey --name {name} --no-passphrase")).succeeds();
    }
    fs::write(desk.0.path().join("keys/bob.token"), "bobs token\n").expect("a token");
    fs::write(desk.0.path().join("bob.token"), "bobs token\n").expect("a token");
    desk
}

#[test]
fn a_ceremony_is_held_with_keys_of_a_service() {
    let desk = desk();
    let mut service = Service::start(&desk, &["--keys", "keys", "--no-passphrase"]);
    let url = service.url.clone();
    let alice = format!("--key-name alice --service {url}");
    let bob = format!("--key-name bob --service {url} --token-file bob.token");
    for (key, name) in [(&alice, "alice"), (&bob, "bob")] {
        run(&desk, &format!("unit key public {key} --name {name} --out {name}.pub")).succeeds();
        let files = [format!("{name}.pub"), format!("keys/{name}.sigkey.pub")];
        let [asked, own] = files.map(|file| fs::read(desk.0.path().join(file)).expect("a public file"));
        assert_eq!(asked, own);
    }
    run(&desk, "unit create").succeeds();
    for name in ["alice", "bob"] {
        run(&desk, &format!("unit prepare add-administrator {name}.pub --out add-{name}")).succeeds();
        run(&desk, &format!("unit submit add-{name}")).succeeds();
    }
    run(&desk, "unit prepare set-thresholds --signature 2 --revocation 2 --out own").succeeds();
    let first = run(&desk, &format!("unit sign own --yes {alice}")).succeeds().out;
    assert!(first.contains("1 of 2 signatures; may sign: bob"), "{first}");
    assert!(service.says("signed with alice").contains("command set thresholds, signature threshold 2"));
    let second = run(&desk, &format!("unit sign own --yes {bob}")).succeeds().out;
    assert!(second.contains("2 of 2 signatures") && second.contains("alice ("), "{second}");
    run(&desk, &format!("unit sign own --yes {bob}")).fails(10, "signed with this key already");
    run(&desk, "unit submit own").succeeds();

    run(&desk, "unit prepare generate-importer --out importer").succeeds();
    // The URL comes from the environment, as the TKE tools have it.
    let mut sign = bare(&desk, &["unit", "sign", "importer", "--yes", "--key-name", "alice"]);
    Done::of(sign.env("TKE_SIGNSERV_URL", &url)).succeeds();
    run(&desk, "unit submit importer").succeeds();
    for (number, key) in [(1, &alice), (2, &bob)] {
        run(&desk, &format!("unit part new {number}.keypart --name {number} --no-part-passphrase"))
            .succeeds();
        let seal = format!("unit part seal {number}.keypart --no-part-passphrase --number {number} --of 2");
        run(&desk, &format!("{seal} {key} --out part-{number}")).succeeds();
    }
    assert!(service.says("key part 2 of 2").contains("signed with bob"));
    run(&desk, "unit prepare load part-1 part-2 --out load").succeeds();
    let loaded = run(&desk, "unit submit load --json").succeeds().out;
    let loaded: Value = serde_json::from_str(&loaded).expect("JSON");
    assert_eq!(loaded["events"][0]["event"], "new-master-key-loaded");
}

#[test]
fn what_a_service_refuses_is_told_apart() {
    let desk = desk();
    run(&desk, "unit create").succeeds();
    run(&desk, "unit prepare zeroize --out command").succeeds();
    let mut service = Service::start(&desk, &["--keys", "keys", "--no-passphrase"]);
    let url = service.url.clone();
    let sign = |name: &str, url: &str, more: &str| {
        run(&desk, &format!("unit sign command --yes --key-name {name} --service {url}{more}"))
    };
    let url = url.as_str();
    sign("bob", url, "").fails(15, "does not accept the token");
    service.says("denied, the token is wrong: key bob");
    sign("alice", url, " --token-file bob.token").fails(15, "does not accept the token");
    sign("carol", url, "").fails(4, "has no key \"carol\"");
    sign("alice", &format!("{url}/elsewhere"), "").fails(4, "has no key");
    sign("a/b", url, "").fails(2, "no name of a key");
    sign("alice", "http://192.0.2.1:80", "").fails(2, "without TLS");
    sign("alice", "ftp://127.0.0.1", "").fails(2, "it is https://HOST");
    run(&desk, "unit sign command --yes --key-name alice").fails(2, "which signing service");
    run(&desk, "unit sign command --yes").fails(2, "--key");
    run(&desk, &format!("unit sign command --yes --key keys/alice.sigkey --key-name alice --service {url}"))
        .fails(2, "cannot be used with");
    let unused = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    sign("alice", &format!("http://{unused}"), "").fails(13, "nothing listens");
    sign("alice", &url.replace("http:", "https:"), " --service-ca none.pem").fails(12, "none.pem");
    let inspected = run(&desk, "unit inspect command").succeeds().out;
    assert!(inspected.contains("nobody"), "{inspected}");
}

/// A service that answers each connection with the next of these replies, and then goes.
fn answers(replies: Vec<String>) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let served = std::thread::spawn(move || {
        for reply in replies {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut asked = [0; 4096];
            let _ = stream.read(&mut asked).expect("a request");
            stream.write_all(reply.as_bytes()).expect("an answer");
            // A reply that has no end keeps its client waiting.
            if reply.is_empty() {
                let _ = stream.read(&mut asked);
            }
        }
    });
    (url, served)
}

fn reply(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

#[test]
fn what_cannot_be_used_is_not_signed_with() {
    let desk = desk();
    run(&desk, "unit create").succeeds();
    run(&desk, "unit prepare zeroize --out command").succeeds();
    let before = fs::read(desk.0.path().join("command")).expect("a command");
    // The public key as a service tells it, and a signature by another key, from our own service.
    let public = |name: &str| {
        let file = fs::read(desk.0.path().join(format!("keys/{name}.sigkey.pub"))).expect("a file");
        let file: Value = serde_json::from_slice(&file).expect("JSON");
        let point = data_encoding::HEXLOWER.decode(file["publicKey"].as_str().expect("a key").as_bytes());
        let point = point.expect("digits");
        let integer = |bytes: &[u8]| {
            let first = bytes.iter().position(|byte| *byte != 0).expect("not zero");
            let mut value = bytes[first..].to_vec();
            if value[0] > 127 {
                value.insert(0, 0);
            }
            [vec![2, u8::try_from(value.len()).expect("short")], value].concat()
        };
        let body = [integer(&point[1..67]), integer(&point[67..])].concat();
        let der = [vec![0x30, 0x81, u8::try_from(body.len()).expect("short")], body].concat();
        reply("200 OK", &format!("{{\"publickey\":\"{}\"}}", BASE64.encode(&der)))
    };
    let alice = public("alice");
    let signature = |der: &[u8]| reply("200 OK", &format!("{{\"signature\":\"{}\"}}", BASE64.encode(der)));
    let long = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", "x".repeat(200_000));
    let cases = [
        (vec![reply("200 OK", "no JSON")], 16, "is not the JSON"),
        (vec![reply("200 OK", "{\"publickey\":\"AAAA\"}")], 16, "is no public key of P-521"),
        (vec![reply("302 Found", "")], 15, "answers with 302"),
        (vec![reply("500 Internal Server Error", "")], 15, "answers with 500"),
        (vec!["no HTTP at all\r\n\r\n".to_owned()], 16, "does not answer in HTTP"),
        (vec![alice.clone(), reply("200 OK", "{}")], 16, "is not the JSON"),
        (vec![alice.clone(), signature(b"\x30\x03\x02\x01\x01")], 16, "is no signature: DER"),
        (
            vec![alice.clone(), signature(b"\x30\x06\x02\x01\x01\x02\x01\x01")],
            16,
            "is no signature of that key",
        ),
        (vec![alice.clone(), reply("403 Forbidden", "")], 15, "does not accept the token"),
        (vec![long], 16, "cannot be read"),
        (vec![String::new()], 13, "did not answer within 1 s"),
    ];
    for (replies, code, words) in cases {
        let (url, served) = answers(replies);
        let line = format!("unit sign command --yes --key-name alice --service {url} --service-timeout 1");
        run(&desk, &line).fails(code, words);
        served.join().expect("the service");
    }
    assert_eq!(fs::read(desk.0.path().join("command")).expect("a command"), before);
}

#[test]
fn over_tls_the_service_is_the_one_that_was_named() {
    let desk = desk();
    run(&desk, "certs init --san 127.0.0.1").succeeds();
    run(&desk, "unit create").succeeds();
    run(&desk, "unit prepare zeroize --out command").succeeds();
    let file = |name: &str| desk.home().join("certs").join(name).display().to_string();
    let (certificate, key, authority) = (file("server.pem"), file("server.key"), file("ca.pem"));
    let arguments = ["--keys", "keys", "--no-passphrase", "--tls-cert", &certificate, "--tls-key", &key];
    let service = Service::start(&desk, &arguments);
    assert!(service.url.starts_with("https://127.0.0.1:"), "{}", service.url);
    let sign = format!("unit sign command --yes --key-name alice --service {}", service.url);
    run(&desk, &format!("{sign} --service-ca {authority}")).succeeds();
    run(
        &desk,
        &format!(
            "unit sign command --yes --key-name alice --service {}",
            service.url.replace("https", "http")
        ),
    )
    .fails(16, "does not answer in HTTP");
    // The machine's own authorities, which the usual variable names.
    let mut by_machine = bare(&desk, &["unit", "sign", "command", "--yes", "--key-name", "bob"]);
    by_machine.args(["--service", &service.url, "--token-file", "bob.token"]);
    Done::of(by_machine.env("SSL_CERT_FILE", &authority)).succeeds();
    // An authority of somebody else's.
    let other = Desk::empty();
    other.run(&["certs", "init"]).succeeds();
    let stranger = other.home().join("certs/ca.pem").display().to_string();
    run(&desk, &format!("{sign} --service-ca {stranger}")).fails(14, "nobody whom this client trusts");
}

#[test]
fn a_service_without_tls_or_tokens_is_not_started() {
    let desk = desk();
    let serve = |more: &str| run(&desk, &format!("unit sign-service --keys keys --no-passphrase{more}"));
    serve(" --listen 0.0.0.0:0").fails(2, "there is no TLS");
    let mut without = desk.bare(&["unit", "sign-service", "--listen", "127.0.0.1:0", "--keys", "keys"]);
    without.args(["--no-passphrase"]).current_dir(desk.0.path());
    Done::of(&mut without).fails(2, "there is no token for this key");
    fs::create_dir(desk.0.path().join("none")).expect("a directory");
    run(&desk, "unit sign-service --listen 127.0.0.1:0 --keys none --no-passphrase")
        .fails(4, "no signature key");
}
