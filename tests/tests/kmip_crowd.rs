//! Many clients at once: those who wait and those who are slow cost the others little, memory is bounded,
//! and certificates change under load. `HSM_TESTS_KMIP_CROWD` is the number of idle clients; a twentieth of
//! it is slow.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use std::time::{Duration, Instant};

use hsm_tests::kit::Running;
use hsm_tests::kmip::client::Client;
use hsm_tests::kmip::message::{self, enumeration, operation, tag};
use hsm_tests::kmip::server::Server;
use hsm_tests::prelude::*;

/// Limits that let a crowd in.
const ROOM: &str = "limits.connections = 5000\nlimits.connections_per_client = 5000\n";
/// Questions of a round.
const QUESTIONS: usize = 400;
/// Rounds of a measurement, of which the best counts: other processes slow some, a crowd that costs slows all.
const ROUNDS: usize = 5;
/// What an idle connection may cost, in KiB: buffers of TLS and the connection's own state.
const EACH: u64 = 256;
/// What may grow besides, in KiB.
const SLACK: u64 = 32 * 1024;
/// Below this, what the scheduler does to one process of many is larger than what is measured.
const NOISE: Duration = Duration::from_millis(2);

/// The time within which 99 of 100 questions were answered, in the best round.
fn p99(client: &mut Client) -> Duration {
    (0..ROUNDS).map(|_| round(client)).min().expect("a round")
}

fn round(client: &mut Client) -> Duration {
    let mut times: Vec<Duration> = (0..QUESTIONS)
        .map(|_| {
            let start = Instant::now();
            client.query().expect("Query");
            start.elapsed()
        })
        .collect();
    times.sort();
    times[QUESTIONS * 99 / 100]
}

/// The number of idle clients.
fn crowd() -> usize {
    std::env::var("HSM_TESTS_KMIP_CROWD").map_or(200, |text| text.parse().expect("a number"))
}

/// Sends a byte of a request on each connection now and then, until told to stop.
fn dawdle(clients: &mut [Client], running: &Running) {
    let request = message::request(operation::QUERY, &[enumeration(tag::QUERY_FUNCTION, 1)]);
    for byte in request.iter().cycle().take_while(|_| running.goes_on()) {
        for client in &mut *clients {
            // A server may lose patience with it.
            let _ = client.send(&[*byte]);
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

isolated! {
    fn idle_and_slow_clients_do_not_hold_up_the_others(kit, 300) {
        kit.token();
        let server = Server::start_with(kit, ROOM);
        let mut client = server.client("first");
        p99(&mut client);
        let (alone, before) = (p99(&mut client), server.memory());
        let (identity, number) = (server.identity("second"), crowd());
        let connect = || Client::connect(&identity, server.kmip).expect("one of the crowd");
        let mut idle: Vec<Client> = (0..number).map(|_| connect()).collect();
        let mut slow: Vec<Client> = (0..number / 20).map(|_| connect()).collect();
        let running = Running::default();
        let crowded = std::thread::scope(|scope| {
            let _stop = running.stop_at_end();
            scope.spawn(|| dawdle(&mut slow, &running));
            p99(&mut client)
        });
        let grown = server.memory().saturating_sub(before);
        eprintln!("p99: {alone:?} alone, {crowded:?} in the crowd");
        assert!(crowded <= (2 * alone).max(NOISE), "p99 rose from {alone:?} to {crowded:?}");
        let bound = SLACK + EACH * number as u64;
        assert!(grown < bound, "memory grew by {grown} KiB for {number} clients");
        idle.last_mut().expect("an idle client").query().expect("an idle client is still served");
    }

    fn certificates_change_under_load(kit, 300) {
        kit.token();
        let server = Server::start_with(kit, ROOM);
        let identity = server.identity("first");
        let running = Running::default();
        let asked: usize = std::thread::scope(|scope| {
            let stop = running.stop_at_end();
            let load = |reconnects: bool| {
                let (identity, running, address) = (&identity, &running, server.kmip);
                move || {
                    let mut client = Client::connect(identity, address).expect("a connection");
                    let mut asked = 0;
                    while running.goes_on() {
                        client.query().expect("a question under load");
                        asked += 1;
                        if reconnects && asked % 10 == 0 {
                            client = Client::connect(identity, address).expect("another connection");
                        }
                    }
                    asked
                }
            };
            let clients = [false, false, true, true].map(|reconnects| scope.spawn(load(reconnects)));
            for _ in 0..10 {
                server.authority.issue_server();
                server.reload();
                std::thread::sleep(Duration::from_millis(150));
            }
            drop(stop);
            clients.into_iter().map(|client| client.join().expect("a client")).sum()
        });
        assert!(asked > 100, "only {asked} questions were asked");
        server.client("second").query().expect("a new client after the last change");
    }

    fn a_reload_with_a_broken_certificate_changes_nothing(kit) {
        kit.token();
        let server = Server::start(kit);
        let mut client = server.client("first");
        std::fs::write(server.authority.file("server.pem"), "no certificate").expect("spoiling the certificate");
        server.reload();
        std::thread::sleep(Duration::from_millis(300));
        client.query().expect("a connection from before");
        server.client("first").query().expect("a connection from after");
    }
}
