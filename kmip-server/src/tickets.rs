//! Tickets that Login gives and later requests bring instead of other credentials: KMIP 2.1, sections
//! 6.1.30 and 9.11. A ticket serves the client that asked for it and nobody else, over whichever
//! connection; it ends with its time, its count, a Logout, or the server.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::failure::{Failure, Outcome};
use crate::identity::Client;
use crate::ttlv::enums::ResultReason as Reason;

/// The longest time for which a ticket serves, and that of one for which no time is asked.
pub const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// How many tickets a client may hold, and all clients together.
const MOST_OF_A_CLIENT: usize = 64;
const MOST: usize = 8192;

/// What a ticket is good for.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// For how long.
    pub time: Duration,
    /// For how many requests.
    pub requests: Option<u64>,
    /// For how many operations.
    pub operations: Option<u64>,
}

/// The tickets that serve, by the hashes of their values: the values themselves are not kept.
#[derive(Debug, Default)]
pub struct Tickets {
    by_hash: Mutex<HashMap<[u8; 32], Ticket>>,
}

#[derive(Debug)]
struct Ticket {
    /// Whose connections may bring it.
    caller: String,
    /// Who a request that brings it is from.
    holder: Client,
    ends: Instant,
    requests: Option<u64>,
    operations: Option<u64>,
}

impl Tickets {
    fn all(&self) -> MutexGuard<'_, HashMap<[u8; 32], Ticket>> {
        self.by_hash.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a ticket of that value serve `holder` on the connections of `caller`. False where there are
    /// too many.
    pub fn give(&self, value: &[u8], caller: &Client, holder: &Client, terms: Terms) -> bool {
        let now = Instant::now();
        let mut all = self.all();
        all.retain(|_, ticket| ticket.ends > now);
        let own = all.values().filter(|ticket| ticket.caller == caller.owner).count();
        let Some(ends) = now.checked_add(terms.time.min(LONGEST)) else { return false };
        if own >= MOST_OF_A_CLIENT || all.len() >= MOST {
            return false;
        }
        let ticket = Ticket {
            caller: caller.owner.clone(),
            holder: holder.clone(),
            ends,
            requests: terms.requests,
            operations: terms.operations,
        };
        all.insert(hash(value), ticket);
        true
    }

    /// Who a request of `operations` items is from that brings a ticket of that value on a connection of
    /// `caller`; counts the request.
    ///
    /// # Errors
    /// [`Reason::InvalidTicket`]; [`Reason::UsageLimitExceeded`] for one that has served so often.
    pub fn show(&self, value: &[u8], caller: &Client, operations: usize) -> Outcome<Client> {
        let mut all = self.all();
        let own = |ticket: &&mut Ticket| ticket.caller == caller.owner && ticket.ends > Instant::now();
        let invalid = || Failure::new(Reason::InvalidTicket, "the ticket does not serve this client now");
        let ticket = all.get_mut(&hash(value)).filter(own).ok_or_else(invalid)?;
        let used = || Failure::new(Reason::UsageLimitExceeded, "the ticket has served as often as it may");
        let operations = u64::try_from(operations).unwrap_or(u64::MAX);
        let requests = charged(ticket.requests, 1).ok_or_else(used)?;
        ticket.operations = charged(ticket.operations, operations).ok_or_else(used)?;
        ticket.requests = requests;
        Ok(Client { address: caller.address, ..ticket.holder.clone() })
    }

    /// Ends a ticket. False where `caller` has none of that value.
    pub fn end(&self, value: &[u8], caller: &Client) -> bool {
        let mut all = self.all();
        let hash = hash(value);
        let own = all.get(&hash).is_some_and(|ticket| ticket.caller == caller.owner);
        own && all.remove(&hash).is_some_and(|ticket| ticket.ends > Instant::now())
    }
}

/// What is left of a limit, if it suffices.
fn charged(limit: Option<u64>, cost: u64) -> Option<Option<u64>> {
    limit.map_or(Some(None), |left| left.checked_sub(cost).map(Some))
}

fn hash(value: &[u8]) -> [u8; 32] {
    Sha256::digest(value).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::tests::kit::client;

    fn terms() -> Terms {
        Terms { time: LONGEST, requests: None, operations: None }
    }

    fn refusal(tickets: &Tickets, value: &[u8], caller: &Client) -> Reason {
        tickets.show(value, caller, 1).unwrap_err().reason
    }

    #[test]
    fn a_ticket_serves_its_client_until_it_is_ended() {
        let tickets = Tickets::default();
        let (a, b) = (client("a"), client("b"));
        assert!(tickets.give(b"ticket", &a, &a, terms()));
        assert_eq!(tickets.show(b"ticket", &a, 1).unwrap(), client("a"));
        assert_eq!(refusal(&tickets, b"ticket", &b), Reason::InvalidTicket);
        assert_eq!(refusal(&tickets, b"tickets", &a), Reason::InvalidTicket);
        assert!(!tickets.end(b"ticket", &b));
        assert!(tickets.end(b"ticket", &a));
        assert!(!tickets.end(b"ticket", &a));
        assert_eq!(refusal(&tickets, b"ticket", &a), Reason::InvalidTicket);
    }

    #[test]
    fn time_requests_and_operations_run_out() {
        let tickets = Tickets::default();
        let a = client("a");
        assert!(tickets.give(b"1", &a, &a, Terms { time: Duration::ZERO, ..terms() }));
        assert_eq!(refusal(&tickets, b"1", &a), Reason::InvalidTicket);
        assert!(tickets.give(b"2", &a, &a, Terms { requests: Some(1), ..terms() }));
        assert!(tickets.show(b"2", &a, 1).is_ok());
        assert_eq!(refusal(&tickets, b"2", &a), Reason::UsageLimitExceeded);
        assert!(tickets.give(b"3", &a, &a, Terms { operations: Some(3), ..terms() }));
        assert_eq!(tickets.show(b"3", &a, 4).unwrap_err().reason, Reason::UsageLimitExceeded);
        assert!(tickets.show(b"3", &a, 3).is_ok());
        assert_eq!(refusal(&tickets, b"3", &a), Reason::UsageLimitExceeded);
    }

    #[test]
    fn a_client_holds_so_many_and_leaves_some_to_others() {
        let tickets = Tickets::default();
        let (a, b) = (client("a"), client("b"));
        for number in 0..MOST_OF_A_CLIENT {
            assert!(tickets.give(&number.to_be_bytes(), &a, &a, terms()));
        }
        assert!(!tickets.give(b"more", &a, &a, terms()));
        assert!(tickets.give(b"more", &b, &b, terms()));
    }
}
