//! KMIP over HTTPS, and the listener for monitors.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::kit::{Bench, Caller, LONG, Line, PATIENCE, Version, request};

async fn connect(bench: &Bench) -> Line {
    bench.caller(&bench.client("a")).connect(bench.server.addresses().https[0]).await.unwrap()
}

fn post(media: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /kmip HTTP/1.1\r\nHost: localhost\r\nContent-Type: {media}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Sends a request and reads head and body of its answer.
async fn exchange<T: AsyncReadExt + AsyncWriteExt + Unpin>(
    stream: &mut T,
    bytes: &[u8],
) -> (String, Vec<u8>) {
    stream.write_all(bytes).await.unwrap();
    stream.flush().await.unwrap();
    timeout(PATIENCE, answer(stream)).await.expect("an answer in time")
}

async fn answer<T: AsyncReadExt + Unpin>(stream: &mut T) -> (String, Vec<u8>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).await.unwrap();
    (head, body)
}

#[tokio::test]
async fn the_content_type_names_the_encoding_and_the_connection_is_kept() {
    let bench = Bench::new().await;
    let mut line = connect(&bench).await;
    for (media, encoding, body) in [
        ("application/octet-stream", "Ttlv", request(b"a")),
        ("application/json", "Json", b"{}".to_vec()),
        ("Application/JSON; charset=utf-8", "Json", b"{}".to_vec()),
        ("text/xml", "Xml", b"<a/>".to_vec()),
        ("application/xml", "Xml", b"<a/>".to_vec()),
    ] {
        let (head, answer) = exchange(&mut line.tls, &post(media, &body)).await;
        assert!(head.starts_with("http/1.1 200 "), "{head}");
        let plain = media.split(';').next().unwrap().to_ascii_lowercase();
        assert!(head.contains(&format!("content-type: {plain}\r\n")), "{head}");
        let text = String::from_utf8_lossy(&answer).into_owned();
        assert!(text.contains(&format!("{encoding} a subject:")), "{text}");
    }
}

#[tokio::test]
async fn what_is_no_message_gets_the_status_that_says_why() {
    let bench = Bench::with(|settings| settings.limits.message = 4096).await;
    let body = b"{}".to_vec();
    for (sent, status) in [
        (b"GET /kmip HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(), "405"),
        (post("application/json", &body).replace_first("/kmip", "/other"), "404"),
        (post("text/plain", &body), "415"),
        (b"POST /kmip HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n".to_vec(), "415"),
        (post("application/json", &[b' '; 4097]), "413"),
        (post("application/json", b"n"), "400"),
        (post("application/json", b"f"), "500"),
    ] {
        let mut line = connect(&bench).await;
        let (head, _) = exchange(&mut line.tls, &sent).await;
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{head}");
    }
    // In pieces that say no length beforehand, too.
    let mut line = connect(&bench).await;
    let head =
        "POST /kmip HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunked = [head.as_bytes(), b"1800\r\n", &[b' '; 0x1800], b"\r\n0\r\n\r\n"].concat();
    assert!(exchange(&mut line.tls, &chunked).await.0.starts_with("http/1.1 413 "));
}

trait ReplaceFirst {
    fn replace_first(&self, from: &str, to: &str) -> Vec<u8>;
}

impl ReplaceFirst for Vec<u8> {
    fn replace_first(&self, from: &str, to: &str) -> Vec<u8> {
        String::from_utf8(self.clone()).unwrap().replacen(from, to, 1).into_bytes()
    }
}

#[tokio::test]
async fn a_client_without_a_certificate_is_refused_here_too() {
    let bench = Bench::new().await;
    let caller = Caller::new(&bench.authority, None, Version::Tls13);
    assert!(caller.try_once(bench.server.addresses().https[0]).await.1.is_err());
}

#[tokio::test]
async fn a_slow_body_is_given_up() {
    let bench = Bench::with(|settings| settings.limits.request = Duration::from_secs(1)).await;
    let mut line = connect(&bench).await;
    let whole = post("application/json", b"{  }");
    let (head, _) = exchange(&mut line.tls, &whole[..whole.len() - 1]).await;
    assert!(head.starts_with("http/1.1 408 "), "{head}");
}

#[tokio::test]
async fn a_reload_and_a_stop_count_here_too() {
    let mut bench = Bench::new().await;
    let gone = bench.client("a");
    let address = bench.server.addresses().https[0];
    let mut first = bench.caller(&gone).connect(address).await.unwrap();
    let mut second = bench.caller(&bench.client("b")).connect(address).await.unwrap();
    assert!(exchange(&mut first.tls, &post("text/xml", b"<a/>")).await.0.starts_with("http/1.1 200"));
    bench.settings.tls.crl = vec![bench.file("crl.pem", bench.authority.revokes(&[&gone]))];
    bench.server.reload(&bench.settings).unwrap();
    first.closes().await;
    second.tls.write_all(&post("text/xml", &[LONG])).await.unwrap();
    second.tls.flush().await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let (given_up, (head, _)) = tokio::join!(bench.server.stop(), answer(&mut second.tls));
    assert_eq!(given_up, 0);
    assert!(head.starts_with("http/1.1 200"), "{head}");
}

#[tokio::test]
async fn monitors_see_metrics_health_and_the_stop() {
    let bench = Bench::new().await;
    bench.asks(&bench.client("a")).await;
    let mut monitor = TcpStream::connect(bench.server.addresses().metrics[0]).await.unwrap();
    let mut get = async |path: &str| {
        let (head, body) =
            exchange(&mut monitor, format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await;
        (head.split(' ').nth(1).unwrap().to_owned(), String::from_utf8(body).unwrap())
    };
    let (status, text) = get("/metrics").await;
    assert_eq!(status, "200");
    assert!(text.contains("softhsm_kmip_accepted_total 1") && text.ends_with("# EOF\n"), "{text}");
    assert_eq!(get("/health").await.0, "200");
    assert_eq!(get("/ready").await.0, "200");
    assert_eq!(get("/other").await.0, "404");
    bench.server.stop().await;
    assert_eq!(get("/health").await.0, "200");
    assert_eq!(get("/ready").await.0, "503");
}
