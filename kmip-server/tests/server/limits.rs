//! What a hostile or slow client can use: little, and it disturbs nobody.

use std::time::{Duration, Instant};

use crate::kit::{ANSWER, Bench, FAIL, LONG, Line, NOTHING, eventually, lines_of, request};

/// The log says that the connection was cut, and why.
async fn is_cut(line: &Line, why: &str) {
    let found = eventually(|| lines_of(line.port).into_iter().find(|it| it.contains("cut:"))).await;
    let found = found.unwrap_or_else(|| panic!("nothing of it in the log"));
    assert!(found.contains(why), "{found}");
}

async fn connect(bench: &Bench, name: &str) -> Line {
    bench.caller(&bench.client(name)).connect(bench.address()).await.unwrap()
}

#[tokio::test]
async fn a_byte_at_a_time_is_cut() {
    let bench = Bench::with(|settings| settings.limits.request = Duration::from_secs(1)).await;
    let mut line = connect(&bench, "a").await;
    let begun = Instant::now();
    for byte in request(&[ANSWER; 100]) {
        if line.send(&[byte]).await.is_err() || begun.elapsed() > Duration::from_secs(5) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    line.closes().await;
    assert!(begun.elapsed() < Duration::from_secs(8));
    is_cut(&line, "too long to arrive").await;
}

#[tokio::test]
async fn a_client_that_asks_nothing_is_cut() {
    let bench = Bench::with(|settings| settings.limits.idle = Duration::from_secs(1)).await;
    let mut line = connect(&bench, "a").await;
    line.ask(ANSWER).await.unwrap();
    line.closes().await;
    is_cut(&line, "no request came").await;
}

#[tokio::test]
async fn a_handshake_that_does_not_begin_is_cut() {
    let bench = Bench::with(|settings| settings.limits.handshake = Duration::from_secs(1)).await;
    let tcp = tokio::net::TcpStream::connect(bench.address()).await.unwrap();
    assert!(eventually(|| (bench.server.connections() == 1).then_some(())).await.is_some());
    assert!(eventually(|| (bench.server.connections() == 0).then_some(())).await.is_some());
    drop(tcp);
    assert!(bench.metrics.text().contains("softhsm_kmip_handshake_failures_total 1"));
}

#[tokio::test]
async fn a_client_that_takes_no_answers_is_cut() {
    let bench = Bench::with(|settings| settings.limits.write = Duration::from_secs(1)).await;
    let mut line = connect(&bench, "a").await;
    let flood = async {
        // Answers pile up until neither side's buffers hold any more.
        let requests = request(&[ANSWER]).repeat(4096);
        while line.send(&requests).await.is_ok() {}
    };
    tokio::time::timeout(Duration::from_secs(60), flood).await.expect("the server ends it");
    is_cut(&line, "does not take its answer").await;
}

#[tokio::test]
async fn a_message_longer_than_the_limit_is_refused_before_it_arrives() {
    let bench = Bench::with(|settings| settings.limits.message = 2048).await;
    for (length, why) in [
        ([0, 0, 0x08, 0], "the message has 2056 bytes, and kmip.limits.message_size lets in 2048"),
        (
            [0xff, 0xff, 0xff, 0xf8],
            "the message has 4294967296 bytes, and kmip.limits.message_size lets in 2048",
        ),
        (
            [0xff, 0xff, 0xff, 0xff],
            "what it sends is no message: the item RequestMessage at byte 0 has a wrong length",
        ),
    ] {
        let mut line = connect(&bench, "a").await;
        line.send(&[&[0x42, 0, 0x78, 1][..], &length].concat()).await.unwrap();
        // It is told so in the protocol's own words, by the header alone; the log has one line of it.
        assert_eq!(line.answer().await.unwrap(), format!("r{why}"));
        line.closes().await;
        is_cut(&line, why).await;
    }
    let mut line = connect(&bench, "a").await;
    line.send(&request(&vec![ANSWER; 2040])).await.unwrap();
    assert!(line.answer().await.unwrap().ends_with(" 2048"));
}

#[tokio::test]
async fn another_protocol_is_cut() {
    let bench = Bench::new().await;
    let mut line = connect(&bench, "a").await;
    line.send(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    line.closes().await;
    is_cut(&line, "no message").await;
}

#[tokio::test]
async fn half_a_message_is_noticed() {
    let bench = Bench::new().await;
    let mut line = connect(&bench, "a").await;
    let message = request(&[ANSWER; 16]);
    line.send(&message[..12]).await.unwrap();
    tokio::io::AsyncWriteExt::shutdown(&mut line.tls).await.unwrap();
    line.closes().await;
    is_cut(&line, "in the middle of a message").await;
}

#[tokio::test]
async fn a_message_may_come_in_parts_and_several_at_once() {
    let bench = Bench::new().await;
    let mut line = connect(&bench, "a").await;
    let message = request(&[ANSWER; 9000]);
    for part in message.chunks(3001) {
        line.send(part).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(line.answer().await.unwrap().ends_with(" 9008"));
    // In order, also where the first takes longer, and the last comes in two pieces.
    let several = [request(&[LONG]), request(&[ANSWER; 9]), request(&[ANSWER; 17])].concat();
    line.send(&several[..several.len() - 1]).await.unwrap();
    for length in [16, 24] {
        assert!(line.answer().await.unwrap().ends_with(&format!(" {length}")));
    }
    line.send(&several[several.len() - 1..]).await.unwrap();
    assert!(line.answer().await.unwrap().ends_with(" 32"));
}

#[tokio::test]
async fn a_panic_ends_one_connection_and_no_other() {
    let bench = Bench::new().await;
    let (mut one, mut other) = (connect(&bench, "a").await, connect(&bench, "b").await);
    assert!(one.ask(FAIL).await.is_err());
    is_cut(&one, "could not be answered").await;
    assert!(other.ask(ANSWER).await.is_ok());
    assert!(bench.metrics.text().contains("softhsm_kmip_panics_total 1"));
}

#[tokio::test]
async fn a_message_that_the_engine_gives_up_ends_the_connection() {
    let bench = Bench::new().await;
    let mut line = connect(&bench, "a").await;
    assert!(line.ask(NOTHING).await.is_err());
    is_cut(&line, "could not be read").await;
}

#[tokio::test]
async fn a_client_has_so_many_connections_and_no_more() {
    let bench = Bench::with(|settings| settings.limits.connections_per_client = 2).await;
    let (mut one, mut two) = (connect(&bench, "a").await, connect(&bench, "a").await);
    assert!(one.ask(ANSWER).await.is_ok() && two.ask(ANSWER).await.is_ok());
    let refusal = bench.refuses(&bench.caller(&bench.client("a"))).await;
    assert!(refusal.contains("rule client-connections:"), "{refusal}");
    assert!(bench.asks(&bench.client("b")).await.contains(" b "));
    drop(one);
    assert!(eventually(|| (bench.server.connections() == 1).then_some(())).await.is_some());
    assert!(bench.asks(&bench.client("a")).await.contains(" a "));
}

#[tokio::test]
async fn the_server_has_so_many_connections_and_no_more() {
    let bench = Bench::with(|settings| settings.limits.connections = 1).await;
    let mut one = connect(&bench, "a").await;
    assert!(one.ask(ANSWER).await.is_ok());
    let refusal = bench.refuses(&bench.caller(&bench.client("b"))).await;
    assert!(refusal.contains("rule connections:"), "{refusal}");
    drop(one);
    assert!(eventually(|| (bench.server.connections() == 0).then_some(())).await.is_some());
    assert!(bench.asks(&bench.client("b")).await.contains(" b "));
}
