//! What the tests share: a server with its certificates, and clients.

mod client;
mod journal;
mod pki;
mod stub;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kmip_server::config::Settings;
use kmip_server::identity::Credentials;
use kmip_server::metrics::Metrics;
use kmip_server::server::Server;
use tempfile::TempDir;

pub(crate) use client::{Caller, Line, Version, request};
pub(crate) use journal::lines_of;
pub(crate) use pki::{Authority, Identity, rsa_key, seconds_from_now};
pub(crate) use stub::{ANSWER, FAIL, LONG, NOTHING, Stub};

/// Longer than anything here takes, the machine being busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A server, the authority of its clients, and its settings.
pub(crate) struct Bench {
    pub(crate) directory: TempDir,
    pub(crate) authority: Authority,
    pub(crate) settings: Settings,
    pub(crate) server: Server<Stub>,
    pub(crate) metrics: Metrics,
    pub(crate) credentials: Credentials,
}

impl Bench {
    /// With default settings.
    pub(crate) async fn new() -> Bench {
        Bench::with(|_| {}).await
    }

    /// With settings changed.
    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Bench {
        Bench::prepared(|_, settings| change(settings)).await
    }

    /// With settings changed, and files that they need put beside the certificates.
    pub(crate) async fn prepared(change: impl FnOnce(&Parts<'_>, &mut Settings)) -> Bench {
        journal::begin();
        let directory = tempfile::tempdir().unwrap();
        let authority = Authority::new("Clients");
        let certificates = directory.path().join("certs");
        std::fs::create_dir_all(&certificates).unwrap();
        std::fs::write(certificates.join("ca.pem"), &authority.pem).unwrap();
        let server = authority.issue(|params| {
            params.subject_alt_names = vec![rcgen::SanType::DnsName("localhost".try_into().unwrap())];
        });
        std::fs::write(certificates.join("server.pem"), &server.pem).unwrap();
        std::fs::write(certificates.join("server.key"), &server.key_pem).unwrap();
        let mut settings = Settings::in_home(directory.path());
        let anywhere: SocketAddr = "127.0.0.1:0".parse().unwrap();
        settings.listen = vec![anywhere];
        settings.https_listen = vec![anywhere];
        settings.metrics_listen = vec![anywhere];
        change(&Parts { directory: &directory, authority: &authority }, &mut settings);
        let (metrics, credentials) = (Metrics::default(), Credentials::default());
        let started = Server::start(&settings, Arc::new(Stub), credentials.clone(), metrics.clone()).await;
        Bench { directory, authority, settings, server: started.unwrap(), metrics, credentials }
    }

    /// A client of the authority, by its common name.
    pub(crate) fn client(&self, name: &str) -> Identity {
        self.authority.client(name)
    }

    /// A caller that shows these certificates.
    pub(crate) fn caller(&self, identity: &Identity) -> Caller {
        Caller::new(&self.authority, Some(identity), Version::Tls13)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.addresses().kmip[0]
    }

    /// Connects as a client and has it answered once.
    pub(crate) async fn asks(&self, identity: &Identity) -> String {
        let mut line = self.caller(identity).connect(self.address()).await.unwrap();
        line.ask(ANSWER).await.unwrap()
    }

    /// Connects as a client that is to be refused, and returns the log's line of it.
    pub(crate) async fn refuses(&self, caller: &Caller) -> String {
        let (port, outcome) = caller.try_once(self.address()).await;
        assert!(outcome.is_err(), "it was answered: {outcome:?}");
        let line = eventually(|| lines_of(port).into_iter().find(|line| line.contains("refused"))).await;
        line.unwrap_or_else(|| panic!("no refusal in the log, but {:?}", lines_of(port)))
    }

    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        file(&self.directory, name, bytes)
    }
}

/// What there is before the server starts.
pub(crate) struct Parts<'a> {
    pub(crate) directory: &'a TempDir,
    pub(crate) authority: &'a Authority,
}

impl Parts<'_> {
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        file(self.directory, name, bytes)
    }
}

fn file(directory: &TempDir, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = directory.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Asks again until there is an answer, or patience ends.
pub(crate) async fn eventually<T>(mut question: impl FnMut() -> Option<T>) -> Option<T> {
    for _ in 0..PATIENCE.as_millis() / 10 {
        if let Some(answer) = question() {
            return Some(answer);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    None
}
