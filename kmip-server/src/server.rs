//! The life of a server: start, connections, reload, stop. What is said on a connection is `connection`'s
//! matter; signals and systemd are `signals`'.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hsm_core::{Error, Result};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::connection::{self, Door};
use crate::identity::Credentials;
use crate::metrics::Metrics;
use crate::service::Service;

mod lanes;
mod monitor;
mod registry;
mod seat;
mod shared;
mod signals;

use lanes::Lanes;
pub(crate) use registry::{Order, Place};
pub(crate) use seat::Seat;
pub(crate) use shared::Shared;
pub use signals::Process;

/// After an accept that failed for want of files or memory, which some other connection has to give back.
const BREATH: Duration = Duration::from_millis(100);

/// A server that accepts connections.
#[derive(Debug)]
pub struct Server<S: Service> {
    shared: Arc<Shared<S>>,
    addresses: Addresses,
    /// Where it was told to listen when it started.
    listening: Listening,
    accepting: CancellationToken,
    lanes: Arc<Lanes>,
}

/// Addresses as settings name them.
#[derive(Debug)]
struct Listening(Vec<(&'static str, Vec<SocketAddr>)>);

impl Listening {
    fn of(settings: &Settings) -> Listening {
        Listening(vec![
            ("kmip.listen", settings.listen.clone()),
            ("kmip.https_listen", settings.https_listen.clone()),
            ("kmip.metrics_listen", settings.metrics_listen.clone()),
        ])
    }

    /// A socket is opened when the server starts, before it may have given up rights that this takes.
    fn warn_of_others(&self, settings: &Settings) {
        for ((key, old), (_, new)) in self.0.iter().zip(Listening::of(settings).0) {
            if *old != new {
                let new: Vec<String> = new.iter().map(SocketAddr::to_string).collect();
                let new = if new.is_empty() { "nothing".to_owned() } else { new.join(", ") };
                log::warn!(
                    "`{key}`: {new} counts at the next start; the server goes on listening where it does"
                );
            }
        }
    }
}

/// Where a server listens: the ports that it really has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// KMIP over TLS.
    pub kmip: Vec<SocketAddr>,
    /// KMIP over HTTPS.
    pub https: Vec<SocketAddr>,
    /// Metrics and health.
    pub metrics: Vec<SocketAddr>,
}

impl<S: Service> Server<S> {
    /// Listens, and serves whoever calls. Needs a tokio runtime around it.
    ///
    /// # Errors
    /// Certificates or tables that cannot be used, addresses that cannot be listened on.
    pub async fn start(
        settings: &Settings,
        service: Arc<S>,
        credentials: Credentials,
        metrics: Metrics,
    ) -> Result<Server<S>> {
        raise_file_limit();
        let shared = Arc::new(Shared::new(settings, service, credentials, metrics)?);
        let kmip = bind(&settings.listen).await?;
        let https = bind(&settings.https_listen).await?;
        let monitors = bind(&settings.metrics_listen).await?;
        let local =
            |listeners: &[TcpListener]| listeners.iter().filter_map(|it| it.local_addr().ok()).collect();
        let addresses = Addresses { kmip: local(&kmip), https: local(&https), metrics: local(&monitors) };
        let accepting = CancellationToken::new();
        let lanes = Lanes::start().map_err(|e| Error::Config(format!("threads cannot be started: {e}")))?;
        let lanes = Arc::new(lanes);
        for (door, listeners) in [(Door::Kmip, kmip), (Door::Https, https)] {
            for listener in listeners {
                let work = accept(shared.clone(), lanes.clone(), listener, door);
                tokio::spawn(accepting.clone().run_until_cancelled_owned(work));
            }
        }
        for listener in monitors {
            // It answers to the last, so that it can be seen that the server stops.
            tokio::spawn(monitor::serve(shared.clone(), listener));
        }
        Ok(Server { shared, addresses, listening: Listening::of(settings), accepting, lanes })
    }

    /// Where it listens.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Puts other rules in place: certificates, revocation lists, pinned certificates, tables, limits.
    /// Sessions are not resumed across it, and connections whose clients the new rules refuse end; a
    /// request that is being answered still is. Addresses stay as they are: others are told in the log.
    ///
    /// # Errors
    /// What is wrong with the new rules; the old ones stay.
    pub fn reload(&self, settings: &Settings) -> Result<()> {
        self.reload_after(settings, || Ok(()))
    }

    /// The same, once something else succeeded that depends on the settings. It is done only where the
    /// rules can be used.
    ///
    /// # Errors
    /// As [`Server::reload`], and those of `before`.
    pub fn reload_after(&self, settings: &Settings, before: impl FnOnce() -> Result<()>) -> Result<()> {
        let outcome = self.shared.replace_rules(settings, before);
        self.shared.metrics.reloaded(outcome.is_ok());
        outcome?;
        self.listening.warn_of_others(settings);
        self.shared.registry.call_all();
        Ok(())
    }

    /// Accepts nobody any more, ends idle connections, and waits for those that have a request under
    /// way. Returns how many had to be given up.
    pub async fn stop(&self) -> usize {
        self.accepting.cancel();
        let patience = self.shared.rules.load().limits.stop;
        self.shared.registry.order(Order::Finish);
        let _ = tokio::time::timeout(patience, self.shared.registry.emptied()).await;
        self.stop_now()
    }

    /// Ends every connection. Returns how many there were.
    pub fn stop_now(&self) -> usize {
        self.accepting.cancel();
        let open = self.shared.registry.open();
        self.shared.registry.order(Order::Drop);
        open
    }

    /// Ends the connections' threads, and waits for them.
    fn end(mut self) {
        self.stop_now();
        // Who accepts has one as well, until it is cancelled.
        if let Some(lanes) = Arc::get_mut(&mut self.lanes) {
            lanes.end();
        }
    }

    /// How many connections are open, handshakes included.
    pub fn connections(&self) -> usize {
        self.shared.registry.open()
    }

    /// How often the rules were replaced.
    pub fn generation(&self) -> u64 {
        self.shared.generation.load(Ordering::Acquire)
    }
}

impl<S: Service> Drop for Server<S> {
    fn drop(&mut self) {
        self.stop_now();
    }
}

async fn bind(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>> {
    let mut listeners = Vec::new();
    for address in addresses {
        let refused = |e| Error::Config(format!("cannot listen on {address}: {e}"));
        listeners.push(TcpListener::bind(address).await.map_err(refused)?);
    }
    Ok(listeners)
}

async fn accept<S: Service>(shared: Arc<Shared<S>>, lanes: Arc<Lanes>, listener: TcpListener, door: Door) {
    loop {
        let (tcp, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                log::warn!("a connection could not be accepted: {error}");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        shared.metrics.accepted();
        let Some(place) = shared.enter(address) else { continue };
        let shared = shared.clone();
        let given = lanes.give(tcp, move |tcp| connection::run(shared, tcp, address, place, door));
        if let Err(error) = given {
            log::warn!("a connection from {address} could not be taken over: {error}");
        }
    }
}

/// Each connection takes a file; the usual soft limit of 1024 is for programs that use `select`.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum && setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_err() {
        log::warn!("the limit of open files could not be raised from {current:?}");
    }
}
