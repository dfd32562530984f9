//! What a connection needs of the protocol's engine, so that connections can be tested with another.

use std::net::IpAddr;

use crate::audit;
use crate::engine::{Encoding, Engine, Request};
use crate::identity::Client;
use crate::tls::Rule;
use crate::ttlv::encode::Encoded;

/// Reads and answers messages. Shared by all connections, so everything goes by reference.
pub trait Service: Send + Sync + 'static {
    /// A message that was read.
    type Request: Send + 'static;

    /// Reads one message. What is wrong with it is kept for the answer.
    fn read(&self, encoding: Encoding, bytes: &[u8]) -> Self::Request;

    /// A message in TTLV that is refused by its header, since there is no telling where it ends or it is too
    /// long: `begin` is what has come of it. The connection logs why.
    fn refuse(&self, begin: &[u8], why: &str) -> Self::Request;

    /// Whether answering belongs on a thread that may block.
    fn takes_long(&self, request: &Self::Request) -> bool;

    /// The answer, in the request's encoding; `None` where the connection is to be closed instead.
    fn answer(&self, client: &Client, request: Self::Request) -> Option<Encoded>;

    /// Hears of a client that was let in.
    fn let_in(&self, _client: &Client) {}

    /// Hears of somebody who was not, by which rule.
    fn kept_out(&self, _host: IpAddr, _rule: Rule) {}
}

impl Service for Engine {
    type Request = Request;

    fn read(&self, encoding: Encoding, bytes: &[u8]) -> Request {
        Engine::read(self, encoding, bytes)
    }

    fn refuse(&self, begin: &[u8], why: &str) -> Request {
        Engine::refuse(self, begin, why)
    }

    fn takes_long(&self, request: &Request) -> bool {
        request.takes_long()
    }

    fn answer(&self, client: &Client, request: Request) -> Option<Encoded> {
        Some(Engine::answer(self, client, request))
    }

    fn let_in(&self, client: &Client) {
        audit::let_in(self, client);
    }

    fn kept_out(&self, host: IpAddr, rule: Rule) {
        audit::refused(self, host, rule);
    }
}
