//! Which connections are open, how many each client has, and what they are ordered to do.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// What connections are to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Order {
    /// Answer requests.
    Serve,
    /// End after the request that is under way.
    Finish,
    /// End.
    Drop,
}

const ORDERS: [Order; 3] = [Order::Serve, Order::Finish, Order::Drop];

/// All open connections.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    order: AtomicU8,
    open: AtomicUsize,
    numbers: AtomicU64,
    /// Taken when a connection begins, is admitted and ends, not for requests.
    inside: Mutex<Inside>,
    emptied: Notify,
}

#[derive(Debug, Default)]
struct Inside {
    /// By the connections' numbers: how to call them.
    calls: HashMap<u64, Arc<Notify>>,
    /// How many connections each client has, by owner.
    clients: HashMap<String, usize>,
}

/// A connection's place among all. Given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    registry: Arc<Registry>,
    number: u64,
    call: Arc<Notify>,
}

impl Registry {
    /// A place for a new connection, unless there are `limit` already.
    pub(super) fn enter(registry: &Arc<Registry>, limit: usize) -> Option<Place> {
        if registry.open.fetch_add(1, Ordering::AcqRel) >= limit {
            registry.leave();
            return None;
        }
        let number = registry.numbers.fetch_add(1, Ordering::Relaxed) + 1;
        let call = Arc::new(Notify::new());
        registry.inside().calls.insert(number, call.clone());
        Some(Place { registry: registry.clone(), number, call })
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leave(&self) {
        if self.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.emptied.notify_waiters();
        }
    }

    /// Orders all connections, those to come included. An order is not taken back.
    pub(super) fn order(&self, order: Order) {
        let code = ORDERS.iter().position(|it| *it == order).and_then(|it| u8::try_from(it).ok());
        self.order.fetch_max(code.unwrap_or(0), Ordering::AcqRel);
        self.call_all();
    }

    pub(super) fn ordered(&self) -> Order {
        let code = usize::from(self.order.load(Ordering::Acquire));
        ORDERS.get(code).copied().unwrap_or(Order::Drop)
    }

    /// Has all connections look at their orders and at the rules.
    pub(super) fn call_all(&self) {
        self.inside().calls.values().for_each(|call| call.notify_one());
    }

    /// How many there are.
    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    /// Waits until there is none.
    pub(super) async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.open() == 0 {
                return;
            }
            emptied.await;
        }
    }
}

impl Place {
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// What calls this connection.
    pub(super) fn call(&self) -> Arc<Notify> {
        self.call.clone()
    }

    pub(super) fn order(&self) -> Order {
        self.registry.ordered()
    }

    /// Waits until connections are ordered this much, or more.
    pub(crate) async fn ordered(&self, order: Order) {
        while self.order() < order {
            self.call.notified().await;
        }
    }

    /// Counts the connection as one of a client's; false where that has `limit` already.
    pub(super) fn count(&self, owner: &str, limit: usize) -> bool {
        let mut inside = self.registry.inside();
        let count = inside.clients.entry(owner.to_owned()).or_default();
        if *count >= limit {
            return false;
        }
        *count += 1;
        true
    }

    /// Takes back one `count`.
    pub(super) fn discount(&self, owner: &str) {
        let mut inside = self.registry.inside();
        if let Some(count) = inside.clients.get_mut(owner) {
            *count -= 1;
            if *count == 0 {
                inside.clients.remove(owner);
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.registry.inside().calls.remove(&self.number);
        self.registry.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn places_are_limited_and_given_back() {
        let registry = Arc::new(Registry::default());
        let first = Registry::enter(&registry, 2).unwrap();
        let second = Registry::enter(&registry, 2).unwrap();
        assert!(Registry::enter(&registry, 2).is_none());
        drop(first);
        assert!(Registry::enter(&registry, 2).is_some());
        drop(second);
        registry.emptied().await;
        assert!(registry.inside().calls.is_empty());
    }

    #[test]
    fn a_clients_connections_are_counted() {
        let registry = Arc::new(Registry::default());
        let place = Registry::enter(&registry, 9).unwrap();
        assert!(place.count("a", 1));
        assert!(!place.count("a", 1));
        assert!(place.count("b", 1));
        place.discount("a");
        assert!(place.count("a", 1));
        place.discount("a");
        place.discount("b");
        assert!(registry.inside().clients.is_empty());
    }

    #[test]
    fn orders_are_not_taken_back() {
        let registry = Registry::default();
        assert_eq!(registry.ordered(), Order::Serve);
        registry.order(Order::Drop);
        registry.order(Order::Finish);
        assert_eq!(registry.ordered(), Order::Drop);
    }
}
