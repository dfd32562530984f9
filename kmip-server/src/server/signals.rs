//! A server as a process: signals, and what the service manager is told.

use std::sync::Arc;

use hsm_core::{Error, Result};
use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Addresses, Server};
use crate::config::{Settings, SettingsSource};
use crate::identity::Credentials;
use crate::metrics::Metrics;
use crate::service::Service;

/// What a server process is made of.
pub struct Process<'a, S> {
    /// Where settings come from, now and at reloads.
    pub source: SettingsSource,
    /// Answers messages.
    pub service: Arc<S>,
    /// The credential table that the service asks; kept up to date here.
    pub credentials: Credentials,
    /// The counters that the service counts into.
    pub metrics: Metrics,
    /// Asked before settings count, at the start and at reloads: opens the partitions that they need.
    pub accept: &'a dyn Fn(&Settings) -> Result<()>,
}

impl<S: Service> Process<'_, S> {
    /// Serves until a signal ends it; `ready` is told the addresses once connections are accepted.
    ///
    /// # Errors
    /// Settings that cannot be used, addresses that cannot be listened on.
    pub fn serve(self, ready: impl FnOnce(&Addresses)) -> Result<()> {
        let settings = self.source.load()?;
        (self.accept)(&settings)?;
        // Connections have threads of their own: this one accepts them, and shows the metrics.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|e| Error::Config(format!("threads cannot be started: {e}")))?;
        let outcome = runtime.block_on(async {
            // Before anybody is told that the server is there, and may send one.
            let signals = Signals::wait()?;
            let server = Server::start(&settings, self.service, self.credentials, self.metrics).await?;
            ready(server.addresses());
            run(&server, signals, &self.source, self.accept).await;
            Ok(server)
        });
        // What accepts ends here.
        drop(runtime);
        outcome.map(Server::end)
    }
}

/// The signals that the server heeds.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn wait() -> Result<Signals> {
        let wait =
            |kind| signal(kind).map_err(|e| Error::Config(format!("signals cannot be waited for: {e}")));
        Ok(Signals {
            terminate: wait(SignalKind::terminate())?,
            interrupt: wait(SignalKind::interrupt())?,
            hangup: wait(SignalKind::hangup())?,
        })
    }
}

/// Serves until SIGTERM or SIGINT. SIGHUP reads file and certificates again; `accept` may refuse new
/// settings before they count, as where a partition does not open.
///
/// A second SIGTERM or SIGINT ends connections at once, requests that are being answered included.
async fn run<S: Service>(
    server: &Server<S>,
    signals: Signals,
    source: &SettingsSource,
    accept: &dyn Fn(&Settings) -> Result<()>,
) {
    let Signals { mut terminate, mut interrupt, mut hangup } = signals;
    tell(&[NotifyState::Ready]);
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => reload(server, source, accept),
        }
    }
    tell(&[NotifyState::Stopping]);
    log::info!("stopping: {} connections", server.connections());
    let given_up = tokio::select! {
        given_up = server.stop() => given_up,
        _ = terminate.recv() => server.stop_now(),
        _ = interrupt.recv() => server.stop_now(),
    };
    if given_up > 0 {
        log::warn!("{given_up} connections were ended before their requests were answered");
    }
}

/// A new configuration that cannot be used changes nothing but the log.
fn reload<S: Service>(server: &Server<S>, source: &SettingsSource, accept: &dyn Fn(&Settings) -> Result<()>) {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
    let outcome = source.load().and_then(|settings| server.reload_after(&settings, || accept(&settings)));
    match outcome {
        Ok(()) => log::info!("reloaded"),
        Err(error) => log::error!("not reloaded, everything stays as it was: {error}"),
    }
    tell(&[NotifyState::Ready]);
}

/// Tells the service manager, if there is one.
fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        log::debug!("the service manager could not be told: {error}");
    }
}
