//! SIGKILL under load: what was acknowledged is there, what was not is there whole or not at all.
//! `HSM_TESTS_KMIP_KILLS` says how often.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use hsm_tests::home::cli;
use hsm_tests::kit::{Kit, Running};
use hsm_tests::kmip::client::{Client, Identity};
use hsm_tests::kmip::message::operation;
use hsm_tests::kmip::server::Server;
use hsm_tests::prelude::*;

/// Clients that change things while the server dies.
const CLIENTS: usize = 4;

/// What one client was told, by the name of the key: its identifier, and whether it was destroyed. A key
/// whose end was asked for and not acknowledged may be either.
#[derive(Default)]
struct Told {
    made: BTreeMap<String, String>,
    destroyed: Vec<String>,
    unsure: Vec<(String, Option<String>)>,
}

/// Makes keys, and destroys every third, until the connection breaks.
fn work(identity: &Identity, address: SocketAddr, prefix: &str, running: &Running) -> Told {
    let mut told = Told::default();
    let Ok(mut client) = Client::connect(identity, address) else { return told };
    for number in 0.. {
        if !running.goes_on() {
            return told;
        }
        let name = format!("{prefix} {number}");
        let Ok(id) = client.create_aes(&name) else {
            told.unsure.push((name, None));
            return told;
        };
        if number % 3 != 2 {
            told.made.insert(name, id);
            continue;
        }
        let payload = [hsm_tests::kmip::message::text(hsm_tests::kmip::message::tag::UNIQUE_IDENTIFIER, &id)];
        match client.try_ask(operation::DESTROY, &payload) {
            Ok(answer) => {
                answer.expect("Destroy");
                told.destroyed.push(name);
            }
            Err(_) => {
                told.unsure.push((name, Some(id)));
                return told;
            }
        }
    }
    told
}

/// Asserts that the server has what its clients were told, and nothing that is half made.
fn compare(client: &mut Client, told: &Told) {
    for (name, id) in &told.made {
        assert_eq!(client.locate(name), [id.as_str()], "an acknowledged key is lost: {name}");
        assert_eq!(client.key(id).expect("its value").len(), 32);
    }
    for name in &told.destroyed {
        assert_eq!(client.locate(name), Vec::<String>::new(), "a destroyed key is back: {name}");
    }
    for (name, id) in &told.unsure {
        let found = client.locate(name);
        assert!(found.len() <= 1, "one request made two keys: {name}");
        if let Some(found) = found.first() {
            assert!(id.as_ref().is_none_or(|id| id == found));
            assert_eq!(client.key(found).expect("a key is whole or absent").len(), 32);
        }
    }
}

/// The objects of the events of an action that succeeded, in a log that is whole.
fn recorded(kit: &Kit, action: &str) -> BTreeSet<String> {
    let home = kit.directory.join("tokens");
    let shown = cli().arg("--home").arg(home).args(["audit", "show", "--json"]).output().expect("audit show");
    assert!(shown.status.success(), "{shown:?}");
    let text = String::from_utf8(shown.stdout).expect("text");
    let events = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    events
        .map(|line| line["event"].clone())
        .filter(|event| event["action"] == action && event["outcome"] == "success")
        .map(|event| event["target"]["id"].as_str().expect("an identifier").to_owned())
        .collect()
}

isolated! {
    fn what_was_acknowledged_survives_a_kill(kit, 1800) {
        kit.token();
        let mut server = Server::start(kit);
        let rounds = std::env::var("HSM_TESTS_KMIP_KILLS").map_or(5, |text| text.parse().expect("a number"));
        let identity = server.identity("first");
        let (mut acknowledged, mut gone, mut ids) = (0, 0, Vec::new());
        for round in 0..rounds {
            let running = Running::default();
            let all: Vec<Told> = std::thread::scope(|scope| {
                let _stop = running.stop_at_end();
                let clients: Vec<_> = (0..CLIENTS)
                    .map(|number| {
                        let (identity, address, running) = (identity.clone(), server.kmip, &running);
                        scope.spawn(move || work(&identity, address, &format!("{round}.{number}"), running))
                    })
                    .collect();
                // Another moment in each round.
                std::thread::sleep(Duration::from_millis(150 + 37 * (round % 11)));
                server.kill_and_restart();
                clients.into_iter().map(|client| client.join().expect("a client")).collect()
            });
            let mut client = server.client("first");
            for told in &all {
                compare(&mut client, told);
                acknowledged += told.made.len() + told.destroyed.len();
                ids.extend(told.made.values().cloned());
                gone += told.destroyed.len();
            }
        }
        assert!(acknowledged > 0, "nothing was acknowledged, so nothing was shown");
        assert!(server.stop().success());
        let (made, destroyed) = (recorded(kit, "kmip.create"), recorded(kit, "kmip.destroy"));
        assert!(ids.iter().all(|id| made.contains(id)), "an acknowledged key has no event");
        assert!(destroyed.len() >= gone, "{gone} keys were destroyed, and the log has {}", destroyed.len());
    }
}
