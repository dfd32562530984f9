//! Stop: running requests are answered, everybody else is let go.

use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use crate::kit::{ANSWER, Bench, LONG, request};

#[tokio::test]
async fn a_stop_answers_what_runs_and_closes_what_is_idle() {
    let bench = Bench::new().await;
    let caller = bench.caller(&bench.client("a"));
    let mut busy = caller.connect(bench.address()).await.unwrap();
    let mut idle = caller.connect(bench.address()).await.unwrap();
    assert!(idle.ask(ANSWER).await.is_ok());
    busy.send(&request(&[LONG])).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let (given_up, answer, ()) = tokio::join!(bench.server.stop(), busy.answer(), idle.closes());
    assert_eq!(given_up, 0);
    assert!(answer.unwrap().contains(" a "));
    busy.closes().await;
    assert!(TcpStream::connect(bench.address()).await.is_err());
}

#[tokio::test]
async fn a_message_that_has_begun_to_arrive_is_answered_yet() {
    let bench = Bench::new().await;
    let mut line = bench.caller(&bench.client("a")).connect(bench.address()).await.unwrap();
    let message = request(&[ANSWER; 16]);
    line.send(&message[..12]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let rest = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        line.send(&message[12..]).await.unwrap();
        line.answer().await
    };
    let (given_up, answer) = tokio::join!(bench.server.stop(), rest);
    assert_eq!(given_up, 0);
    assert!(answer.is_ok());
}

#[tokio::test]
async fn a_stop_is_bounded() {
    let bench = Bench::with(|settings| settings.limits.stop = Duration::from_millis(300)).await;
    let mut line = bench.caller(&bench.client("a")).connect(bench.address()).await.unwrap();
    line.send(&request(&[ANSWER; 16])[..12]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let begun = Instant::now();
    assert_eq!(bench.server.stop().await, 1);
    assert!(begun.elapsed() < Duration::from_secs(5));
    line.closes().await;
}
