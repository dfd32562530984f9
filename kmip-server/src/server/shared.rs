//! What all connections share: the service, and the rules of the moment.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use hsm_core::Result;

use super::registry::{Order, Place, Registry};
use crate::config::{Limits, Settings};
use crate::identity::Credentials;
use crate::metrics::Metrics;
use crate::service::Service;
use crate::tls::{self, Admission, Refusal, Rule, TlsConfigs};

#[derive(Debug)]
pub(crate) struct Shared<S> {
    pub(crate) service: Arc<S>,
    pub(crate) rules: ArcSwap<Rules>,
    /// The number of the rules that hold, so that a connection sees by one look whether its own do.
    pub(super) generation: AtomicU64,
    pub(super) registry: Arc<Registry>,
    credentials: Credentials,
    pub(crate) metrics: Metrics,
}

/// What a reload replaces, as a whole.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(super) generation: u64,
    pub(super) admission: Arc<Admission>,
    pub(crate) tls: TlsConfigs,
    pub(crate) limits: Limits,
}

impl Rules {
    fn new(settings: &Settings, generation: u64) -> Result<Rules> {
        let admission = Arc::new(Admission::new(settings)?);
        let tls = tls::configs(&settings.tls, &admission)?;
        Ok(Rules { generation, admission, tls, limits: settings.limits.clone() })
    }
}

impl<S: Service> Shared<S> {
    pub(super) fn new(
        settings: &Settings,
        service: Arc<S>,
        credentials: Credentials,
        metrics: Metrics,
    ) -> Result<Shared<S>> {
        let rules = ArcSwap::from_pointee(Rules::new(settings, 0)?);
        credentials.replace(settings.credentials.clone());
        let registry = Arc::default();
        Ok(Shared { service, rules, generation: AtomicU64::new(0), registry, credentials, metrics })
    }

    /// Puts new rules in place, all or none; `before` is what else must succeed, and has its effect only
    /// where the rules can be used.
    pub(super) fn replace_rules(
        &self,
        settings: &Settings,
        before: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let generation = self.generation.load(Ordering::Acquire) + 1;
        let rules = Rules::new(settings, generation)?;
        before()?;
        self.credentials.replace(settings.credentials.clone());
        self.rules.store(Arc::new(rules));
        self.generation.store(generation, Ordering::Release);
        Ok(())
    }

    /// A place for a connection that was accepted; none, and a line in the log, where there are too
    /// many.
    pub(super) fn enter(&self, address: SocketAddr) -> Option<Place> {
        let place = Registry::enter(&self.registry, self.rules.load().limits.connections);
        if place.is_none() {
            self.refuse(0, address, &Refusal::unnamed(Rule::Connections));
        }
        place
    }

    /// Counts and logs a refusal.
    pub(crate) fn refuse(&self, number: u64, address: SocketAddr, refusal: &Refusal) {
        self.metrics.refused(refusal.rule);
        self.service.kept_out(address.ip(), refusal.rule);
        match number {
            0 => log::warn!("connection from {address}: {refusal}"),
            number => log::warn!("connection {number} from {address}: {refusal}"),
        }
    }

    /// Whether new connections are served.
    pub(super) fn is_ready(&self) -> bool {
        self.registry.ordered() == Order::Serve
    }
}
