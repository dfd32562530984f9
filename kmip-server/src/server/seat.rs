//! A client that was admitted: who it is by the rules of the moment.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arc_swap::{ArcSwap, Guard};
use rustls::pki_types::{CertificateDer, UnixTime};
use tokio::sync::Notify;

use super::registry::{Order, Place};
use super::shared::{Rules, Shared};
use crate::identity::Client;
use crate::service::Service;
use crate::tls::{Refusal, Rule};

/// A connection whose client is known. Given back when it is dropped.
pub(crate) struct Seat<S> {
    shared: Arc<Shared<S>>,
    place: Place,
    address: SocketAddr,
    chain: Vec<CertificateDer<'static>>,
    state: ArcSwap<State>,
}

/// A client, and the rules that made it one.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) rules: Arc<Rules>,
    pub(crate) client: Client,
}

impl<S: Service> Seat<S> {
    /// Seats a client. `known` is who it is and by which rules, if that was asked already; rules that
    /// hold no longer, are asked again.
    ///
    /// # Errors
    /// The rule that refuses it.
    pub(crate) fn take(
        shared: Arc<Shared<S>>,
        place: Place,
        address: SocketAddr,
        chain: Vec<CertificateDer<'static>>,
        known: Option<(Client, Arc<Rules>)>,
    ) -> Result<Arc<Seat<S>>, Refusal> {
        let current = shared.rules.load_full();
        let mut client = match known {
            Some((client, rules)) if rules.generation == current.generation => client,
            _ => current.admission.judge(&chain, UnixTime::now())?,
        };
        client.address = Some(address);
        if !place.count(&client.owner, current.limits.connections_per_client) {
            let subject = Some(client.name);
            return Err(Refusal { subject, ..Refusal::unnamed(Rule::ClientConnections) });
        }
        log::info!(
            "connection {} from {address}: \"{}\", identity {}, partition \"{}\", {:?}",
            place.number(),
            client.name,
            client.owner,
            client.partition,
            client.role
        );
        shared.metrics.opened();
        shared.service.let_in(&client);
        let state = ArcSwap::from_pointee(State { rules: current, client });
        Ok(Arc::new(Seat { shared, place, address, chain, state }))
    }

    /// Who the client is now.
    ///
    /// # Errors
    /// The rule that refuses it, where the rules were replaced.
    pub(crate) fn current(&self) -> Result<Guard<Arc<State>>, Refusal> {
        let state = self.state.load();
        if state.rules.generation == self.shared.generation.load(Ordering::Acquire) {
            return Ok(state);
        }
        drop(state);
        self.review()
    }

    /// The same, to be kept.
    ///
    /// # Errors
    /// As [`Seat::current`].
    pub(crate) fn current_full(&self) -> Result<Arc<State>, Refusal> {
        self.current().map(Guard::into_inner)
    }

    fn review(&self) -> Result<Guard<Arc<State>>, Refusal> {
        let rules = self.shared.rules.load_full();
        let mut client = rules.admission.judge(&self.chain, UnixTime::now())?;
        client.address = Some(self.address);
        let before = self.state.load_full();
        if before.client.owner != client.owner {
            self.place.discount(&before.client.owner);
            // Whoever is connected may stay: the limit is for those who come.
            self.place.count(&client.owner, usize::MAX);
        }
        self.state.store(Arc::new(State { rules, client }));
        Ok(self.state.load())
    }

    pub(crate) fn shared(&self) -> &Arc<Shared<S>> {
        &self.shared
    }

    pub(crate) fn number(&self) -> u64 {
        self.place.number()
    }

    /// What people call the client.
    pub(crate) fn name(&self) -> String {
        self.state.load().client.name.clone()
    }

    pub(crate) fn order(&self) -> Order {
        self.place.order()
    }

    /// What calls the connection, when it is ordered something or the rules are others.
    pub(crate) fn call(&self) -> Arc<Notify> {
        self.place.call()
    }
}

impl<S> Drop for Seat<S> {
    fn drop(&mut self) {
        self.place.discount(&self.state.load().client.owner);
        self.shared.metrics.closed();
    }
}
