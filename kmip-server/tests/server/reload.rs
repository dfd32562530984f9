//! Reload: only those whom the new rules refuse are dropped, and what they could resume is gone.

use kmip_server::identity::{ClientRow, Match, Rights, Role};

use crate::kit::{ANSWER, Bench, Caller, LONG, Version, eventually, lines_of, request, seconds_from_now};

#[tokio::test]
async fn a_reload_drops_whom_the_new_rules_refuse_and_nobody_else() {
    let mut bench = Bench::new().await;
    let (gone, stays) = (bench.client("a"), bench.client("b"));
    let mut first = bench.caller(&gone).connect(bench.address()).await.unwrap();
    let mut second = bench.caller(&stays).connect(bench.address()).await.unwrap();
    assert!(first.ask(ANSWER).await.is_ok() && second.ask(ANSWER).await.is_ok());
    bench.settings.tls.crl = vec![bench.file("crl.pem", bench.authority.revokes(&[&gone]))];
    bench.server.reload(&bench.settings).unwrap();
    first.closes().await;
    let refused = || lines_of(first.port).into_iter().find(|line| line.contains("refused by rule revoked:"));
    assert!(eventually(refused).await.is_some());
    for _ in 0..3 {
        assert!(second.ask(ANSWER).await.unwrap().contains(" b "));
    }
}

#[tokio::test]
async fn other_addresses_are_told_and_not_taken_up() {
    let mut bench = Bench::new().await;
    let caller = bench.caller(&bench.client("a"));
    let told = |port| lines_of(port).iter().filter(|line| line.starts_with("`kmip.listen`")).count();
    bench.server.reload(&bench.settings).unwrap();
    // Nobody can listen on port 1 here by chance.
    bench.settings.listen = vec!["127.0.0.1:1".parse().unwrap()];
    assert_eq!(told(1), 0);
    bench.server.reload(&bench.settings).unwrap();
    assert_eq!(told(1), 1);
    assert!(caller.connect(bench.address()).await.unwrap().ask(ANSWER).await.is_ok());
}

#[tokio::test]
async fn resumed_sessions_work_and_end_with_a_reload() {
    for version in [Version::Tls12, Version::Tls13] {
        let mut bench = Bench::new().await;
        let client = bench.client("a");
        let caller = Caller::new(&bench.authority, Some(&client), version);
        let ask = async || {
            let mut line = caller.connect(bench.address()).await.unwrap();
            let answer = line.ask(ANSWER).await;
            (line.is_resumed(), answer)
        };
        assert!(!ask().await.0);
        let (resumed, answer) = ask().await;
        assert!(resumed && answer.unwrap().contains(" a subject:"), "{version:?}");
        bench.server.reload(&bench.settings).unwrap();
        let (resumed, answer) = ask().await;
        assert!(!resumed && answer.is_ok(), "{version:?}");
        bench.settings.tls.crl = vec![bench.file("crl.pem", bench.authority.revokes(&[&client]))];
        bench.server.reload(&bench.settings).unwrap();
        assert!(bench.refuses(&caller).await.contains("rule revoked:"));
    }
}

#[tokio::test]
async fn a_resumed_session_is_judged_as_a_new_one() {
    for version in [Version::Tls12, Version::Tls13] {
        let bench = Bench::new().await;
        let client = bench.authority.client_with("a", |params| params.not_after = seconds_from_now(4).into());
        let caller = Caller::new(&bench.authority, Some(&client), version);
        assert!(caller.try_once(bench.address()).await.1.is_ok());
        tokio::time::sleep(std::time::Duration::from_millis(5500)).await;
        assert!(bench.refuses(&caller).await.contains("rule expired:"), "{version:?}");
    }
}

#[tokio::test]
async fn new_rights_count_at_the_next_request() {
    let mut bench = Bench::new().await;
    let mut line = bench.caller(&bench.client("a")).connect(bench.address()).await.unwrap();
    assert!(line.ask(ANSWER).await.unwrap().contains(" kmip User"));
    bench.settings.clients = vec![ClientRow {
        matches: Match { common_name: Some("a".into()), ..Match::default() },
        rights: Rights { role: Role::Reader, ..Rights::default() },
    }];
    bench.server.reload(&bench.settings).unwrap();
    assert!(line.ask(ANSWER).await.unwrap().contains(" kmip Reader"));
}

#[tokio::test]
async fn a_request_under_way_is_answered_across_a_reload() {
    let bench = Bench::new().await;
    let mut line = bench.caller(&bench.client("a")).connect(bench.address()).await.unwrap();
    line.send(&request(&[LONG])).await.unwrap();
    for _ in 0..5 {
        bench.server.reload(&bench.settings).unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(line.answer().await.is_ok());
    assert!(line.ask(ANSWER).await.is_ok());
}

#[tokio::test]
async fn a_broken_configuration_changes_nothing() {
    let mut bench = Bench::new().await;
    let client = bench.client("a");
    let mut line = bench.caller(&client).connect(bench.address()).await.unwrap();
    for broken in ["certs/server.pem", "certs/server.key", "certs/ca.pem"] {
        let path = bench.directory.path().join(broken);
        let good = std::fs::read(&path).unwrap();
        std::fs::write(&path, "nothing").unwrap();
        let error = bench.server.reload(&bench.settings).unwrap_err().to_string();
        assert!(error.contains(broken), "{error}");
        std::fs::write(&path, good).unwrap();
    }
    // A key that is not the certificate's.
    bench.settings.tls.key = bench.file("other.key", &bench.client("b").key_pem);
    assert!(bench.server.reload(&bench.settings).is_err());
    assert!(line.ask(ANSWER).await.is_ok());
    assert!(bench.asks(&client).await.contains(" a "));
    assert_eq!(bench.server.generation(), 0);
    assert!(bench.metrics.text().contains("softhsm_kmip_reloads_total{outcome=\"failed\"} 4"));
}

#[tokio::test]
async fn a_new_server_certificate_is_shown() {
    let bench = Bench::new().await;
    let other = bench.authority.issue(|params| {
        params.subject_alt_names = vec![rcgen::SanType::DnsName("localhost".try_into().unwrap())];
    });
    bench.file("certs/server.pem", &other.pem);
    bench.file("certs/server.key", &other.key_pem);
    bench.server.reload(&bench.settings).unwrap();
    let line = bench.caller(&bench.client("a")).connect(bench.address()).await.unwrap();
    assert_eq!(line.tls.get_ref().1.peer_certificates().unwrap()[0], other.chain[0]);
    assert!(eventually(|| (bench.server.connections() == 1).then_some(())).await.is_some());
}
