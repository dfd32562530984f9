//! A server as a process: signals, and what the service manager is told.

use hsm_core::{Error, Result};
use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Server;
use crate::config::{Settings, SettingsSource};
use crate::service::Service;

/// Serves until SIGTERM or SIGINT. SIGHUP reads file and certificates again; `accept` may refuse new
/// settings before they count, as where a partition does not open.
///
/// A second SIGTERM or SIGINT ends connections at once, requests that are being answered included.
///
/// # Errors
/// Signals that cannot be waited for.
pub async fn run<S: Service>(
    server: &Server<S>,
    source: &SettingsSource,
    accept: &dyn Fn(&Settings) -> Result<()>,
) -> Result<()> {
    let (mut terminate, mut interrupt, mut hangup) =
        (wait(SignalKind::terminate())?, wait(SignalKind::interrupt())?, wait(SignalKind::hangup())?);
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
    Ok(())
}

fn wait(kind: SignalKind) -> Result<Signal> {
    signal(kind).map_err(|e| Error::Config(format!("signals cannot be waited for: {e}")))
}

/// A new configuration that cannot be used changes nothing but the log.
fn reload<S: Service>(server: &Server<S>, source: &SettingsSource, accept: &dyn Fn(&Settings) -> Result<()>) {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
    let outcome = source.load().and_then(|settings| {
        accept(&settings)?;
        server.reload(&settings)
    });
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
